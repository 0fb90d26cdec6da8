//! The mail: plain text for somebody who reads it on a phone at three in the morning.
//!
//! It says in this order: what happened and whether it is still open, what to do now as a line to
//! paste, where it is and who did it, and after a line with `--` the details. What several findings
//! have in common is said once. Lines are not wrapped: the reader's screen does that better.

mod action;
mod details;
mod digest;
mod lines;
mod opening;
mod others;
mod refused;
mod run;
mod stolen;
mod table;
mod who;

use std::collections::BTreeSet;

use action::{CONNECTIONS, act, if_needed, lives_on, may_be_deployed};
use details::{details, tell_exempt};
pub(super) use digest::listed;
use lines::{HELP, Lines, TEXT};
use opening::{opening, rule};
use others::tell_others;
use refused::{ask_again, tell_refused};
pub(super) use run::run_body;
use stolen::{Stolen, is_settled};
use table::table;
use who::{Shared, tell_by, tell_change, tell_place};

use super::life::war;
use super::state::{State, by_command};
use super::subject::is_of_schedule;
use super::title::topic;
use super::wording::{self, Part};
use crate::finding::{Finding, Report};
use crate::text::count;

/// No mail is longer, in bytes as a JSON string has them.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// Room in [`MAX_BYTES`] for everything but the findings told in full.
const REST: usize = 16 * 1024;

/// So many findings are told in full, where they fit.
const IN_FULL: usize = 3;

/// The mail about a report with findings.
pub(super) fn body(report: &Report, part: Option<Part>) -> String {
    if let Some(digest) = &report.digest {
        return digest::body(report, digest);
    }
    let findings = by_command(&report.findings);
    let Some(&first) = findings.first() else {
        return "No findings.\n".to_owned();
    };
    let shared = Shared::of(&findings, first);
    let stolen = about_all(&findings, &shared);
    let (acts, details) = in_full(&findings, &shared, &stolen);
    let is_all_settled = findings.iter().all(|finding| is_settled(finding));
    let mut mail = Lines::default();
    if findings.len() > 1 {
        mail.text(&summary(report, &findings, acts.len()), TEXT);
        if shared.change {
            tell_by(&mut mail, first);
        }
        if is_all_settled {
            mail.text(&over(&findings, &stolen), TEXT);
        }
    }
    if report.handed_on > 0 {
        mail.text(&wording::handed_on(report.handed_on), TEXT);
    }
    if is_of_schedule(report) && findings.len() > 1 {
        mail.gap();
        table(&mut mail, &findings, 0, &shared);
        tell_others(&mut mail, &findings, acts.len());
        mail.append(&acts);
    } else {
        mail.append(&acts);
        mail.gap();
        table(&mut mail, &findings, acts.len(), &shared);
        tell_others(&mut mail, &findings, acts.len());
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
        if !is_all_settled {
            mail.text(&stolen.question().unwrap_or_default(), TEXT);
        }
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

/// `Scheduled audit: 3 findings in 2 groups (1 critical, 2 medium). 1 is open.`
fn summary(report: &Report, findings: &[&Finding], in_full: usize) -> String {
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
    let lives = wording::statuses(findings);
    let lives = if lives.is_empty() { lives } else { format!("; {lives}") };
    let is_due = states().any(|it| matches!(it, State::StillOpen | State::NotClosed));
    let what = if is_due { "Close what is open" } else { "Close what nobody needs" };
    let action = match in_full {
        _ if open == 0 => String::new(),
        in_full if in_full == n => format!(" {what}. The lines to paste are below."),
        1 => format!(" {what}. The line to paste for the worst is below."),
        in_full => format!(" {what}. The lines to paste for the worst {in_full} are below."),
    };
    match findings.first().filter(|_| !is_of_schedule(report)) {
        Some(first) => {
            let (topic, more) = (topic(first), n - 1);
            format!("{n} findings ({severities}{lives}): {topic}, and {more} more.{state}{action}")
        }
        None => {
            format!("Scheduled audit: {n} findings{groups} ({severities}{lives}).{state}{action}")
        }
    }
}

/// What is left to do where nothing is wrong any more.
fn over(findings: &[&Finding], stolen: &Stolen) -> String {
    match findings.iter().any(|finding| lives_on(finding)) {
        true => stolen.after(CONNECTIONS),
        false => stolen.if_over().unwrap_or_default(),
    }
}

/// Whether credentials may be stolen, where one change is behind all findings.
fn about_all(findings: &[&Finding], shared: &Shared) -> Stolen {
    let worst = findings.iter().map(|finding| finding.severity).max();
    match findings.first().zip(worst) {
        Some((first, worst)) if shared.change => Stolen::of(first, worst),
        _ => Stolen::No,
    }
}

/// What to do about the first findings, and their details: about the very first always, about the
/// next ones as far as there is room.
fn in_full(findings: &[&Finding], shared: &Shared, stolen: &Stolen) -> (Vec<Lines>, Vec<Lines>) {
    let is_all_settled = findings.iter().all(|finding| is_settled(finding));
    let mut room = MAX_BYTES - REST;
    let (mut acts, mut all_details) = (Vec::new(), Vec::new());
    for (finding, number) in findings.iter().take(IN_FULL).zip(1..) {
        let number = (findings.len() > 1).then_some(number);
        let mut lines = Lines::default();
        let numbered = number.map_or_else(String::new, |number| format!("{number}. "));
        lines.text(&format!("{numbered}{}", opening(finding)), 2 * TEXT);
        tell_refused(&mut lines, finding);
        rule(&mut lines, finding);
        let war = war(finding);
        let tells_by = war.is_none() && (number.is_none() || !shared.change);
        // It matters less who opened a rule that is gone than how to close the one that is open, and less who deployed the
        // stack than what to do if nobody was supposed to.
        let is_by_last = State::of(finding) == State::StillOpen || may_be_deployed(finding);
        if tells_by && !is_by_last {
            tell_by(&mut lines, finding);
        }
        lines.text(&war.unwrap_or_default(), 2 * TEXT);
        let of_one = match stolen {
            _ if number.is_some() && is_all_settled => &Stolen::Said,
            Stolen::Here(_) if number.is_some() => &Stolen::Elsewhere,
            stolen => stolen,
        };
        act(&mut lines, finding, of_one);
        if tells_by && is_by_last {
            tell_by(&mut lines, finding);
        }
        ask_again(&mut lines, finding);
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
    if report.partial {
        mail.text(
            "More follows: some groups are not audited yet. What is found in them comes in another \
             message, unless a finding says that they could not be audited.",
            TEXT,
        );
    }
    mail.gap();
}
