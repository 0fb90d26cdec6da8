//! The history as CSV (RFC 4180), a line an opening, for spreadsheets.

use super::super::csv::{cell, table};
use super::words::{fix, status_word, traffic};
use crate::evaluate::Severity;
use crate::history::{Deed, History, Opening};
use crate::text::{inert, timestamp};
use crate::words::rule_text;

const HEADER: [&str; 23] = [
    "status",
    "seconds",
    "exact",
    "severity",
    "code",
    "traffic",
    "account",
    "region",
    "group",
    "group_name",
    "rule_id",
    "rule",
    "opened_at",
    "opened_by",
    "opened_from",
    "opened_with",
    "closed_at",
    "closed_by",
    "closed_from",
    "closed_with",
    "closed_by_auditor",
    "held_until",
    "fix",
];

/// The openings, the longest first, under a line with the names of the columns.
///
/// # Errors
///
/// None that a history can cause; the writer's signature has one.
pub fn render(history: &History, least: Severity) -> Result<String, csv::Error> {
    let openings = history.openings.iter().filter(|opening| opening.severity >= least);
    table(HEADER, openings.map(|opening| row(opening, history)))
}

fn row(opening: &Opening, history: &History) -> [String; HEADER.len()] {
    let place = &opening.place;
    let or_empty = |text: Option<&str>| text.map(cell).unwrap_or_default();
    let (seconds, is_exact) = opening.duration(history.now);
    let at = |deed: Option<&Deed>| deed.map(|it| timestamp(&it.time)).unwrap_or_default();
    let [opened_by, opened_from, opened_with] = who(opening.opener());
    let [closed_by, closed_from, closed_with] = who(opening.closer());
    let by_auditor = opening.closer().map(|deed| deed.is_auditor.to_string());
    [
        status_word(opening).to_owned(),
        seconds.num_seconds().to_string(),
        is_exact.to_string(),
        opening.severity.as_str().to_owned(),
        opening.code.as_str().to_owned(),
        cell(&traffic(opening)),
        or_empty(place.account.as_ref().map(|account| account.as_str())),
        or_empty(place.region.as_ref().map(|region| region.as_str())),
        cell(opening.group.as_str()),
        or_empty(opening.group_name.as_deref()),
        or_empty(opening.rule.id().map(|id| id.as_str())),
        cell(&rule_text(&opening.rule)),
        at(opening.opener()),
        opened_by,
        opened_from,
        opened_with,
        at(opening.closer()),
        closed_by,
        closed_from,
        closed_with,
        by_auditor.unwrap_or_default(),
        opening.hold.as_ref().map(|hold| timestamp(&hold.until)).unwrap_or_default(),
        // A command has to stay as it is; it begins with `aws`.
        fix(opening).map(|line| inert::plain(&line)).unwrap_or_default(),
    ]
}

fn who(deed: Option<&Deed>) -> [String; 3] {
    let record = deed.map(|deed| &deed.record);
    let of = |text: Option<&String>| text.map(|text| cell(text)).unwrap_or_default();
    [
        of(record.and_then(|record| record.actor.as_ref())),
        of(record.and_then(|record| record.source_ip.as_ref())),
        of(record.and_then(|record| record.event_name.as_ref())),
    ]
}
