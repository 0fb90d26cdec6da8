//! The mail: plain text for somebody who reads it on a phone at three in the morning.
//!
//! It says in this order: what happened and whether it is still open, what to do now as a line to
//! paste, where it is and who did it, and after a line with `--` the details. What several findings
//! have in common is said once. Lines are not wrapped: the reader's screen does that better.

mod action;
mod details;
mod lines;
mod opening;
mod table;
mod who;

use std::collections::BTreeSet;

use action::{act, if_needed};
use details::{details, tell_exempt};
use lines::{Lines, TEXT};
use opening::opening;
use table::table;
use who::{Shared, tell_change, tell_place};

use super::state::{State, by_command};
use super::subject::is_of_schedule;
use super::wording::{self, Part};
use crate::finding::{Finding, Report};
use crate::text::count;

/// No mail is longer, in bytes as a JSON string has them.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// Room in [`MAX_BYTES`] for everything but the findings told in full.
const REST: usize = 16 * 1024;
/// Where the words are explained.
const HELP: &str = "What each finding means and what to do: docs/findings.";

/// So many findings are told in full, where they fit.
const IN_FULL: usize = 3;

/// The mail about a report with findings.
pub(super) fn body(report: &Report, part: Option<Part>) -> String {
    let findings = by_command(&report.findings);
    let Some(&first) = findings.first() else {
        return "No findings.\n".to_owned();
    };
    let shared = Shared::of(&findings, first);
    let (acts, details) = in_full(&findings, &shared);
    let mut mail = Lines::default();
    if findings.len() > 1 {
        mail.text(&summary(report, &findings), TEXT);
    }
    if is_of_schedule(report) && findings.len() > 1 {
        mail.gap();
        table(&mut mail, &findings, 0, &shared);
        mail.append(&acts);
    } else {
        mail.append(&acts);
        mail.gap();
        table(&mut mail, &findings, acts.len(), &shared);
    }
    mail.gap();
    for needed in findings.iter().filter_map(|it| if_needed(it)).collect::<BTreeSet<_>>() {
        mail.text(&needed, TEXT);
    }
    mail.gap();
    rest(&mut mail, report, part);
    if shared.place {
        tell_place(&mut mail, first);
    }
    if shared.change {
        tell_change(&mut mail, first);
        let worst = findings.iter().map(|finding| finding.severity).max();
        mail.if_not_you(first, worst);
    }
    if shared.place {
        mail.link(first);
    }

    mail.rule();
    mail.append(&details);
    mail.gap();
    tell_exempt(&mut mail, report);
    mail.gap();
    mail.label("Baseline", &wording::baseline(&report.baseline), TEXT);
    mail.text(HELP, TEXT);
    mail.0
}

/// `3 findings in 2 groups: 1 critical, 2 medium. 1 is open.`
fn summary(report: &Report, findings: &[&Finding]) -> String {
    let n = findings.len();
    let groups = match wording::groups(findings) {
        0 | 1 => String::new(),
        groups => format!(" in {}", count(groups, "group")),
    };
    let severities = wording::severities(&report.findings);
    let states = || findings.iter().map(|finding| State::of(finding));
    let open = states().filter(|it| it.is_open()).count();
    let state = match open {
        0 if states().all(State::is_over) => " All are closed now.".to_owned(),
        0 => String::new(),
        open if open == n => " All are open.".to_owned(),
        1 => " 1 is open.".to_owned(),
        open => format!(" {open} are open."),
    };
    let summary = format!("{n} findings{groups}: {severities}.{state}");
    if !is_of_schedule(report) {
        return summary;
    }
    let action = if open > 0 { " Close what nobody needs: lines to paste are below." } else { "" };
    format!("Scheduled audit: {summary}{action}")
}

/// What to do about the first findings, and their details: about the very first always, about the
/// next ones as far as there is room.
fn in_full(findings: &[&Finding], shared: &Shared) -> (Vec<Lines>, Vec<Lines>) {
    let mut room = MAX_BYTES - REST;
    let (mut acts, mut all_details) = (Vec::new(), Vec::new());
    for (finding, number) in findings.iter().take(IN_FULL).zip(1..) {
        let number = (findings.len() > 1).then_some(number);
        let mut lines = Lines::default();
        let numbered = number.map_or_else(String::new, |number| format!("{number}. "));
        lines.text(&format!("{numbered}{}", opening(finding)), 2 * TEXT);
        act(&mut lines, finding);
        let details = details(finding, number, shared);
        let len = lines.json_len() + details.json_len();
        if len > room && !acts.is_empty() {
            break;
        }
        room = room.saturating_sub(len);
        acts.push(lines);
        all_details.push(details);
    }
    (acts, all_details)
}

/// What is not among the findings.
fn rest(mail: &mut Lines, report: &Report, part: Option<Part>) {
    if let Some(part) = part {
        mail.text(&format!("This is {part}."), TEXT);
    }
    if report.handed_on > 0 {
        mail.text(&wording::handed_on(report.handed_on), TEXT);
    }
    if report.partial {
        mail.text(
            "More follows: some groups are not audited yet. What is found in them comes in another \
             message, unless a finding says that they could not be audited.",
            TEXT,
        );
    }
    mail.gap();
}
