//! `sg-audit check`: groups as they are.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::args::{Check, Format};
use super::{Answer, CliError, input, settings};
use crate::audit::Check as GroupsCheck;
use crate::baseline::{Baseline, Lists};
use crate::describe::DescribedGroup;
use crate::ec2::Peer;
use crate::finding::{Code, Report};
use crate::net::Reference;
use crate::report::terminal::{Style, exit_status, render};
use crate::report::to_json_pretty;
use crate::text::inert;

/// Audits the groups in a file, or those of an account.
pub(super) fn run(args: &Check, style: Style, now: DateTime<Utc>) -> Result<Answer, CliError> {
    match &args.groups {
        Some(groups) => in_file(args, groups, style, now),
        None => in_account(args, style),
    }
}

#[cfg(feature = "live")]
fn in_account(args: &Check, style: Style) -> Result<Answer, CliError> {
    super::live::run(args, style)
}

#[cfg(not(feature = "live"))]
fn in_account(_: &Check, _: Style) -> Result<Answer, CliError> {
    Err(CliError::NotLive)
}

fn in_file(
    args: &Check,
    groups: &Path,
    style: Style,
    now: DateTime<Utc>,
) -> Result<Answer, CliError> {
    let common = &args.common;
    let settings = settings::resolve(common, now.date_naive())?;
    input::read_once([groups].into_iter().chain(common.prefix_lists.as_deref()))?;
    let lists = input::read_lists(common.prefix_lists.as_deref())?;
    let name = || input::name(groups);
    let check = input::fold_groups(
        groups,
        || GroupsCheck::new(&settings, &lists, now),
        |check, DescribedGroup { place, group, rules }| check.group(&place, &group, &rules),
    )?;
    if check.is_empty() {
        return Err(CliError::NoGroups { name: name() });
    }
    let report = check.report();
    if report.groups_audited == 0 {
        return Err(CliError::NoneInScope { name: name() });
    }
    let out = printed(&report, common.format, style)?;
    let missing = lists_missing(&report, &settings.baseline, &lists);
    let notes = missing.iter().map(|list| list_missing(list)).collect();
    Ok(Answer { out, notes, status: exit_status(&report) })
}

/// The report as it is asked for.
pub(super) fn printed(report: &Report, format: Format, style: Style) -> Result<String, CliError> {
    Ok(match format {
        Format::Text => render(report, style),
        Format::Json => format!("{}\n", to_json_pretty(report)?),
    })
}

/// The prefix lists on which findings depend and whose entries were not given.
pub(super) fn lists_missing(report: &Report, baseline: &Baseline, lists: &Lists) -> Vec<String> {
    let mut missing = BTreeSet::new();
    for finding in report
        .findings
        .iter()
        .filter(|one| one.code == Code::UnresolvedPeer || one.undecided.is_some())
    {
        if let Some(rule) = &finding.rule {
            missing.extend(baseline.lists_named(rule.direction));
            if let Peer::Reference(Reference::PrefixList(id)) = &rule.peer {
                missing.insert(id);
            }
        }
    }
    missing.into_iter().filter(|id| !lists.contains_key(*id)).map(ToOwned::to_owned).collect()
}

/// How to get it.
pub(super) fn list_missing(id: &str) -> String {
    inert::plain(&format!(
        "note: findings depend on {id}: put the output of `aws ec2 \
         get-managed-prefix-list-entries --prefix-list-id {id}` under \"{id}\" in a JSON object, and \
         give that file with --prefix-lists"
    ))
}
