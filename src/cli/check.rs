//! `sg-audit check`: audits groups as they are.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::args::CheckArgs;
use super::error::CliError;
use super::output::{Answer, formatted};
use super::progress::Progress;
use super::{input, settings};
use crate::audit::GroupCheck;
use crate::baseline::{Baseline, Lists};
use crate::describe::{DescribedGroup, DescribedLists, fold};
use crate::ec2::ListId;
use crate::finding::{Matter, Report};
use crate::net::Set;
use crate::report::terminal::{Style, exit_status};

/// Audits the groups in files, or those of an account.
pub(super) fn run(args: &CheckArgs, style: Style, now: DateTime<Utc>) -> Result<Answer, CliError> {
    settings::refuse_summary(&args.audit)?;
    settings::refuse_sarif(&args.audit)?;
    if args.live { in_account(args, style, now) } else { in_files(args, style, now) }
}

#[cfg(feature = "live")]
fn in_account(args: &CheckArgs, style: Style, now: DateTime<Utc>) -> Result<Answer, CliError> {
    match &args.organization {
        Some(which) => super::organisation::run(args, which, style, now),
        None => super::live::run(args, style, now),
    }
}

#[cfg(not(feature = "live"))]
fn in_account(_: &CheckArgs, _: Style, _: DateTime<Utc>) -> Result<Answer, CliError> {
    Err(CliError::NotLive)
}

fn in_files(args: &CheckArgs, style: Style, now: DateTime<Utc>) -> Result<Answer, CliError> {
    let settings = settings::resolve(&args.audit, None, now.date_naive())?;
    let units = settings::units(args, &settings)?;
    let list_file = args.audit.prefix_lists.as_deref();
    let files: Vec<&Path> = args.files.iter().chain(&args.groups).map(AsRef::as_ref).collect();
    input::read_once(files.iter().copied().chain(list_file))?;
    let DescribedLists { lists, names } = input::prefix_lists_of(list_file)?;
    let progress = Progress::of("group");
    let check = input::groups_of(&files, |bytes| {
        let check = || GroupCheck::new(&settings, &lists, now).with_units(&units);
        let new = || (check().with_list_names(names.clone()), 0);
        fold(bytes, new, |(check, done), DescribedGroup { place, group, rules }| {
            check.group(&place, &group, &rules);
            *done += 1;
            progress.done(*done);
        })
    });
    drop(progress);
    let (check, _) = check?;
    if check.is_empty() {
        return Err(CliError::NoGroups { name: input::names(&files) });
    }
    let report = check.report();
    if report.groups == 0 {
        return Err(CliError::NoneInScope { name: input::names(&files) });
    }
    let missing = missing_lists(&report, &settings.baseline, &lists);
    let notes = settings::warnings(&settings).chain(missing.into_iter().map(missing_list));
    let (notes, status) = (notes.collect(), exit_status(&report, args.audit.fail_on));
    Ok(Answer { out: formatted(report, &args.audit, style)?, notes, status })
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
    missing.retain(|id| !lists.contains_key(*id) && !id.is_declared());
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
