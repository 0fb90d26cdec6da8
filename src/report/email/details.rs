//! What stands below the line: facts for whoever looks closer.

use super::action::{undo_comes_first, undo_label};
use super::lines::{Lines, TEXT};
use super::who::{Shared, tell_change, tell_place};
use crate::finding::{Finding, Report};
use crate::report::declared;
use crate::report::detail::{connections, undecided};
use crate::report::life::status;
use crate::report::wording;
use crate::text::{count, quoted};
use crate::words::excess_text;

/// So many of what is exempt are named.
const EXEMPT: usize = 3;
/// Characters of a line about what is exempt.
const EXEMPT_TEXT: usize = 240;
/// Characters of a rule.
const RULE: usize = 320;

/// The details of one finding, with its number where there are several.
pub(super) fn details(finding: &Finding, number: Option<usize>, shared: &Shared) -> Lines {
    let mut lines = Lines::default();
    let code = format!("{}, {}", finding.code.as_str(), finding.severity.as_str());
    match number {
        Some(number) => lines.text(&format!("{number}. {code}"), TEXT),
        None => lines.label("Finding", &code, TEXT),
    }
    let life = finding.life.map(|life| status(&life, finding.time));
    lines.label("Status", &life.unwrap_or_default(), TEXT);
    if !shared.place {
        tell_place(&mut lines, finding);
        lines.link(finding);
    }
    if !shared.change {
        tell_change(&mut lines, finding);
    }
    if let Some(location) = &finding.location {
        lines.label("Resource", &declared::place(location), TEXT);
    }
    if let Some(rule) = wording::only_rule(finding) {
        let id = rule.id().map_or_else(String::new, |id| format!("{id}, "));
        lines.label("Rule", &format!("{id}{}", wording::rule(finding, rule)), RULE);
    }
    if let Some(hold) = wording::held(finding) {
        lines.label("Reason", &quoted(&hold.reason), TEXT);
    }
    if let Some(found) = finding.found_rule() {
        lines.label("Exceeds the baseline", &excess_text(&found.rule, &found.excess), TEXT);
        lines.label("Undecided", &undecided(found).unwrap_or_default(), TEXT);
        lines.label("Kept", &wording::texts(&found.kept), TEXT);
        lines.label("Missing", &wording::texts(&found.missing), TEXT);
        lines.label(
            "Closing it would keep",
            &wording::would_keep(finding).unwrap_or_default(),
            TEXT,
        );
        lines.text(connections(found).unwrap_or_default(), TEXT);
    }
    if finding.undo.is_some() && !undo_comes_first(finding) {
        lines.text(&undo_label(finding), TEXT);
        lines.command(finding.undo.as_deref());
    }
    lines.label("Binding", finding.binding.as_deref().unwrap_or_default(), TEXT);
    lines.label("Controls", &wording::controls(&finding.controls), TEXT);
    lines.label("Fingerprint", &finding.fingerprint, TEXT);
    lines.exemption(finding);
    lines
}

/// How much was exempt, and the first of it with reason and day.
pub(super) fn tell_exempt(mail: &mut Lines, report: &Report) {
    let all = report.totals.exempt.max(report.exempt.len());
    if all == 0 {
        return;
    }
    let are = if all == 1 { "is" } else { "are" };
    let rules = count(all, "rule");
    mail.text(&format!("{rules} {are} exempt, wholly or in part:"), TEXT);
    let mut told = 0;
    for (line, rules) in wording::exempt(&report.exempt).iter().take(EXEMPT) {
        mail.text(line, EXEMPT_TEXT);
        told += rules;
    }
    let more = all.saturating_sub(told);
    if more > 0 {
        mail.text(&format!("and {more} more; the JSON on the topic has them."), TEXT);
    }
}
