//! The Subject of a mail.

use std::collections::BTreeSet;

use super::digest;
use super::state::{State, by_urgency};
use super::title::topic;
use super::wording::{self, Part};
use crate::ec2::Place;
use crate::evaluate::Severity;
use crate::finding::{Finding, Report};
use crate::text::{count, inert, minute};
use crate::words::rule_text;

/// SNS wants fewer than 100 characters.
pub(super) const MAX_CHARS: usize = 99;

/// The Subject of the mail about these findings of a report: how things stand, then what it is
/// about, then severity, account and region. Printable ASCII, at most [`MAX_CHARS`], begins with a
/// letter.
pub(super) fn subject(report: &Report, part: Option<Part>) -> String {
    if let Some(digest) = &report.digest {
        let tail = place_of(digest.entries.iter().map(|entry| &entry.brief.place), None);
        return fitted(&digest::headline(digest), &tail);
    }
    let Some(&lead) = by_urgency(&report.findings).first() else {
        return "No findings".to_owned();
    };
    let (head, tail) = match report.findings.as_slice() {
        [_, _, ..] if is_of_schedule(report) => match by_life(report) {
            Some(lives) => (lives, place(report, None)),
            None => (states(report), place(report, Some("scheduled audit"))),
        },
        _ => {
            let more = more(report, lead);
            let worst = report.findings.iter().map(|finding| finding.severity).max();
            (headline(lead), more + &place(report, worst.map(Severity::as_str)))
        }
    };
    let tail = part.map_or_else(|| tail.clone(), |part| format!("{tail} [{part}]"));
    fitted(&head, &tail)
}

/// What is cut, if something must be, is the group's name at the end of the headline: it may have 255
/// characters, and the mail has it.
fn fitted(head: &str, tail: &str) -> String {
    let room = MAX_CHARS.saturating_sub(tail.len());
    format!("{}{tail}", inert::clip_ascii(&inert::for_subject(head), room))
}

/// Whether a schedule asked for the audit, so that no change is behind its findings.
pub(super) fn is_of_schedule(report: &Report) -> bool {
    report.scheduled && report.findings.iter().all(|finding| finding.change.is_none())
}

/// `Scheduled audit: 2 new, 14 known; open: 3 critical`, where it is known what is new and nothing failed.
fn by_life(report: &Report) -> Option<String> {
    let statuses = wording::statuses(&report.findings.iter().collect::<Vec<_>>());
    let states = || report.findings.iter().map(State::of);
    if statuses.is_empty() || states().any(State::is_failure) {
        return None;
    }
    let open = report.findings.iter().filter(|finding| State::of(finding).is_open());
    let critical = wording::open_critical(open.map(|finding| finding.severity));
    Some(format!("Scheduled audit: {statuses}{critical}"))
}

/// `NOT CLOSED: 1 critical; OPEN: 2 high`
fn states(report: &Report) -> String {
    let mut states: Vec<(&str, Vec<&Finding>)> = Vec::new();
    for finding in by_urgency(&report.findings) {
        let state = State::of(finding).as_str();
        match states.iter_mut().find(|(same, _)| *same == state) {
            Some((_, findings)) => findings.push(finding),
            None => states.push((state, vec![finding])),
        }
    }
    let each = states
        .into_iter()
        .map(|(state, findings)| format!("{state}: {}", wording::severities(findings.into_iter())));
    each.collect::<Vec<_>>().join("; ")
}

/// How things stand with a finding, and what it is about.
fn headline(finding: &Finding) -> String {
    let state = State::of(finding);
    let word = state.as_str();
    let words = match (state, wording::delay(finding)) {
        (State::Closed, Some(delay)) => format!("{word} in {delay}"),
        (State::Held, _) => {
            let open = match wording::stays_after_hold(finding) {
                true => "OPEN, ALLOWED UNTIL",
                false => "OPEN UNTIL",
            };
            let until = wording::held(finding).map(|hold| minute(hold.until));
            until.map_or_else(|| word.to_owned(), |until| format!("{open} {until}"))
        }
        (State::StillOpen, _) => format!("{word} via {}", first_open(finding)),
        _ => word.to_owned(),
    };
    format!("{words}: {}", topic(finding))
}

/// The rule through which SSH is still open, and how many more there are.
pub(super) fn first_open(finding: &Finding) -> String {
    let (first, more) = match finding.still_open() {
        [first, more @ ..] => (first, more.len()),
        [] => return "another rule".to_owned(),
    };
    let name = first.id().map_or_else(|| rule_text(first), ToString::to_string);
    if more == 0 { name } else { format!("{name} +{more}") }
}

/// How many findings more there are, and how many of those are open although the one that is named
/// is not.
fn more(report: &Report, lead: &Finding) -> String {
    let others = report.findings.len().saturating_sub(1);
    if others == 0 {
        return String::new();
    }
    let lead = State::of(lead);
    // Beside a hold, which was announced, what nobody announced is news.
    let news = |it: State| it.is_open() && !(lead == it && it == State::Held);
    match report.findings.iter().filter(|it| news(State::of(it))).count() {
        open if open > 0 && (!lead.is_open() || lead == State::Held) => {
            format!(" +{others}, {open} open")
        }
        _ => format!(" +{others} more"),
    }
}

/// ` (critical, 123456789012, eu-central-1)`: the first word, and where all of it is.
fn place(report: &Report, first: Option<&str>) -> String {
    place_of(report.findings.iter().map(|finding| &finding.place), first)
}

fn place_of<'a>(places: impl Iterator<Item = &'a Place> + Clone, first: Option<&str>) -> String {
    let accounts = places.clone().filter_map(|place| place.account.as_ref());
    let accounts: BTreeSet<_> = accounts.collect();
    let regions: BTreeSet<_> = places.filter_map(|place| place.region.as_ref()).collect();
    let one = |names: Vec<&str>, noun| match names.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        several => Some(count(several.len(), noun)),
    };
    let parts = [
        first.map(ToOwned::to_owned),
        one(accounts.into_iter().map(|it| it.as_str()).collect(), "account"),
        one(regions.into_iter().map(|it| it.as_str()).collect(), "region"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}
