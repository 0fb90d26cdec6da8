//! What a mail has only a line for.

use super::lines::{Lines, TEXT};
use super::shared::{Shared, code, joined};
use crate::finding::{Action, Finding, Report};
use crate::report::standing::Standing;
use crate::report::subject::first_open;
use crate::report::title::title;
use crate::report::wording;
use crate::text::{count, inert, quoted};

/// So many of what is exempt are named.
const EXEMPT: usize = 3;
/// So many more have a line of their own.
const IN_BRIEF: usize = 20;
/// Characters of a line of its own.
const BRIEF: usize = 120;

/// Gives each of the findings that are not told in full a line, and counts the rest.
pub(super) fn tell_in_brief(mail: &mut Lines, findings: &[&Finding], told: usize, shared: &Shared) {
    mail.gap();
    for (finding, number) in findings.iter().zip(1..).skip(told).take(IN_BRIEF) {
        let standing = match Standing::of(finding) {
            // The rule that is named is gone.
            it @ Standing::StillOpen => format!("{} through {}", it.as_str(), first_open(finding)),
            it => it.as_str().to_owned(),
        };
        let what = wording::only_rule(finding);
        let what = what.map_or_else(|| title(finding).whole(), |rule| wording::rule(finding, rule));
        let place = if shared.place { None } else { brief_place(finding, shared) };
        let place = place.map(|place| format!(" on {place}")).unwrap_or_default();
        let what = inert::clip(&what, BRIEF - 40);
        let added = added(finding);
        let line = format!("{number}. {standing}: {what}{place}{added}, {}", code(finding));
        mail.text(&line, 3 * BRIEF);
    }
    let more = findings.len().saturating_sub(told + IN_BRIEF);
    if more > 0 {
        mail.text(&format!("and {more} more; sg-audit check lists them all."), TEXT);
    }
}

/// What was added before a revert failed, though the rule is still there.
fn added(finding: &Finding) -> String {
    /// So many are named.
    const NAMED: usize = 2;
    let added = match finding.found_rule().map(|found| &found.action) {
        Some(Action::NotReverted { added, .. }) if !added.is_empty() => added,
        _ => return String::new(),
    };
    let named = wording::texts(added.get(..NAMED).unwrap_or(added));
    match added.len().saturating_sub(NAMED) {
        0 => format!(", added: {named}"),
        more => format!(", added: {named} and {more} more"),
    }
}

/// The group by id and name: groups of different VPCs may have the same name, and many are called
/// `default`. Account and region only where not all findings are of one.
fn brief_place(finding: &Finding, shared: &Shared) -> Option<String> {
    let group = finding.group.as_ref()?;
    let mut brief = group.id.to_string();
    if let Some(name) = group.name.as_deref().filter(|name| !name.trim().is_empty()) {
        brief.push_str(&format!(" {}", quoted(&inert::clip(name, 40))));
    }
    if !shared.region {
        let place = &finding.place;
        let region = [
            place.region.as_ref().map(|region| region.as_str()),
            place.account.as_ref().map(|account| account.as_str()),
        ];
        brief.push_str(&format!(" ({})", joined(region)));
    }
    Some(brief)
}

/// How much was exempt, and the first of it with reason and day.
pub(super) fn tell_exempt(mail: &mut Lines, report: &Report) {
    let all = report.totals.exempt.max(report.exempt.len());
    if all == 0 {
        return;
    }
    mail.gap();
    let are = if all == 1 { "is" } else { "are" };
    let rules = count(all, "rule");
    mail.text(&format!("{rules} {are} exempt, wholly or in part:"), TEXT);
    let mut told = 0;
    for (line, rules) in wording::exempt(&report.exempt).iter().take(EXEMPT) {
        mail.text(line, 2 * BRIEF);
        told += rules;
    }
    let more = all.saturating_sub(told);
    if more > 0 {
        mail.text(&format!("and {more} more; the JSON on the topic has them."), TEXT);
    }
}
