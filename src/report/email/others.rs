//! How to close the findings for which the mail has no room for a line to paste.

use std::collections::BTreeSet;

use super::lines::{Lines, TEXT};
use crate::ec2::Place;
use crate::finding::{Finding, FoundGroup};
use crate::text::count;
use crate::text::escape::shell_word;

/// How many findings after the first `told` have a line to paste, and where that is.
pub(super) fn tell_others(mail: &mut Lines, findings: &[&Finding], told: usize) {
    let has_line = |finding: &&&Finding| finding.fix.is_some() || finding.complete.is_some();
    let others: Vec<&Finding> = findings.iter().skip(told).filter(has_line).copied().collect();
    if others.is_empty() {
        return;
    }
    let others_are = count(others.len(), "other finding");
    match check_line(&others) {
        Some(line) => {
            mail.text(
                &format!(
                    "For {others_are}, this command prints the lines to paste. Give it your SSH sources \
                     with --ssh-source:"
                ),
                TEXT,
            );
            mail.command(Some(&line));
        }
        None => mail.text(
            &format!(
                "The lines to paste for {others_are} are in the JSON of this message, as 'fix'."
            ),
            TEXT,
        ),
    }
}

/// The line that audits the groups of these findings, if they are all of one account and region.
pub(super) fn check_line(findings: &[&Finding]) -> Option<String> {
    check_groups(findings.iter().map(|finding| (&finding.place, finding.group.as_ref())))
}

/// The same for groups, each with its place.
pub(super) fn check_groups<'a>(
    groups: impl Iterator<Item = (&'a Place, Option<&'a FoundGroup>)> + Clone,
) -> Option<String> {
    /// A line with more groups is too long to look through, so all groups are audited.
    const NAMED: usize = 5;
    let (first, _) = groups.clone().next()?;
    let region = first.region.as_ref()?;
    if groups.clone().any(|(place, _)| place != first) {
        return None;
    }
    let ids: BTreeSet<&str> = groups.filter_map(|(_, group)| Some(group?.id.as_str())).collect();
    let named: Vec<String> = ids.into_iter().map(shell_word).collect();
    let only = match named.len() {
        1..=NAMED => format!(" --group-ids {}", named.join(" ")),
        _ => String::new(),
    };
    let region = shell_word(region.as_str());
    Some(format!("aws ec2 describe-security-groups --region {region}{only} | sg-audit check -"))
}
