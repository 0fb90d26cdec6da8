//! `sg-audit check`: audits groups as they are.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::args::CheckArgs;
use super::error::CliError;
#[cfg(feature = "live")]
use super::live::run as in_account;
use super::output::{Answer, formatted};
use super::{input, settings};
use crate::audit::Check;
use crate::baseline::{Baseline, Lists};
use crate::describe::{DescribedGroup, DescribedLists, fold};
use crate::ec2::ListId;
use crate::finding::{Matter, Report};
use crate::net::Set;
use crate::report::terminal::{Style, exit_status};

/// Audits the groups in a file, or those of an account.
pub(super) fn run(args: &CheckArgs, style: Style, now: DateTime<Utc>) -> Result<Answer, CliError> {
    match &args.groups {
        Some(file) => in_file(args, file, style, now),
        None => in_account(args, style, now),
    }
}

#[cfg(not(feature = "live"))]
fn in_account(_: &CheckArgs, _: Style, _: DateTime<Utc>) -> Result<Answer, CliError> {
    Err(CliError::NotLive)
}

fn in_file(
    args: &CheckArgs,
    file: &Path,
    style: Style,
    now: DateTime<Utc>,
) -> Result<Answer, CliError> {
    let settings = settings::resolve(&args.audit, None, now.date_naive())?;
    let list_file = args.audit.prefix_lists.as_deref();
    input::read_once(std::iter::once(file).chain(list_file))?;
    let DescribedLists { lists, names } = input::prefix_lists_of(list_file)?;
    let check = input::groups_of(file, |bytes| {
        fold(
            bytes,
            || Check::new(&settings, &lists, now).with_list_names(names.clone()),
            |check, DescribedGroup { place, group, rules }| check.group(&place, &group, &rules),
        )
    })?;
    if check.is_empty() {
        return Err(CliError::NoGroups { name: input::name(file) });
    }
    let report = check.report();
    if report.groups == 0 {
        return Err(CliError::NoneInScope { name: input::name(file) });
    }
    let missing = missing_lists(&report, &settings.baseline, &lists);
    Ok(Answer {
        out: formatted(&report, args.audit.format, style)?,
        notes: settings::warnings(&settings).chain(missing.into_iter().map(missing_list)).collect(),
        status: exit_status(&report),
    })
}

/// The prefix lists that findings depend on and that were not given.
pub(super) fn missing_lists<'a>(
    report: &'a Report,
    baseline: &'a Baseline,
    lists: &Lists,
) -> BTreeSet<&'a ListId> {
    let mut missing = BTreeSet::new();
    for found in report.findings.iter().filter_map(|finding| finding.found_rule()) {
        if !found.unresolved.is_empty() {
            missing.extend(baseline.lists_named(found.rule.direction()));
            missing.extend(found.rule.peer().list());
        }
    }
    for finding in &report.findings {
        if let Matter::ExpectedClosed(closed) = &finding.matter {
            missing.extend(&closed.unread);
        }
    }
    missing.retain(|id| !lists.contains_key(*id));
    missing
}

/// How to give a prefix list.
pub(super) fn missing_list(id: &ListId) -> String {
    format!(
        "note: findings depend on {id}: put the output of `aws ec2 \
         get-managed-prefix-list-entries --prefix-list-id {id}` under \"{id}\" in a JSON object, and \
         give that file with --prefix-lists"
    )
}
