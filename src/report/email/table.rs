//! Findings, one line each.

use super::lines::{Lines, TEXT};
use super::who::{Shared, joined};
use crate::finding::{Action, Finding};
use crate::report::life::status;
use crate::report::state::State;
use crate::report::subject::first_open;
use crate::report::title::title;
use crate::report::wording;
use crate::text::{first_of, inert, quoted};
use crate::words::rule_text;

/// So many findings have a line.
const LINES: usize = 23;
/// Characters of what a line says.
const WHAT: usize = 80;

/// Gives each finding after the first `told` a line, as far as there is room, and counts the rest.
pub(super) fn table(mail: &mut Lines, findings: &[&Finding], told: usize, shared: &Shared) {
    for (finding, number) in findings.iter().zip(1..).skip(told).take(LINES - told) {
        let state = match State::of(finding) {
            // The rule that is named is gone.
            it @ State::StillOpen => format!("{} via {}", it.as_str(), first_open(finding)),
            it => it.as_str().to_owned(),
        };
        let what = wording::only_rule(finding);
        let what = what.map_or_else(|| title(finding).whole(), |rule| wording::rule(finding, rule));
        let place = if shared.place { None } else { place(finding, shared) };
        let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
        let (severity, what) = (finding.severity.as_str(), inert::clip(&what, WHAT));
        let life = finding.life.map(|life| format!("{}, ", status(&life, finding.time)));
        let life = life.unwrap_or_default();
        let line = format!("{number}. {severity}, {state}, {life}{place}{what}{}", added(finding));
        mail.text(&line, TEXT);
    }
    let more = findings.len().saturating_sub(LINES.max(told));
    if more > 0 {
        mail.text(&format!("and {more} more, which the JSON of this message has."), TEXT);
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
    format!(", added: {}", first_of(added.iter().map(rule_text), NAMED, "; "))
}

/// The group by id and name: groups of different VPCs may have the same name, and many are called
/// `default`. Account and region only where not all findings are of one.
fn place(finding: &Finding, shared: &Shared) -> Option<String> {
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
