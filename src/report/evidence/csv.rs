//! Tables for spreadsheets (RFC 4180), in which no cell is taken for a formula.

use super::super::csv::cell;
use super::super::history::words::{actor, status_word, traffic};
use super::words::{asks, gap, standard, tolerates, watched};
use crate::evidence::Evidence;
use crate::history::Deed;
use crate::text::timestamp;
use crate::words::rule_text;

fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<String, csv::Error> {
    super::super::csv::table(header, rows.into_iter().map(|row| row.map(|text| cell(&text))))
}

fn text<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// A line for each account and region.
pub(super) fn coverage(evidence: &Evidence) -> Result<String, csv::Error> {
    let header =
        ["account", "region", "groups_audited", "findings", "records_read", "watched", "gaps"];
    let rows = evidence.covered().into_iter().map(|covered| {
        [
            text(covered.place.account.as_ref()),
            text(covered.place.region.as_ref()),
            covered.groups.to_string(),
            covered.findings.to_string(),
            covered.records.to_string(),
            watched(&covered).to_owned(),
            covered.gaps.iter().map(gap).collect::<Vec<_>>().join("; "),
        ]
    });
    table(header, rows)
}

/// A line for each exemption of the baseline.
pub(super) fn exemptions(evidence: &Evidence) -> Result<String, csv::Error> {
    let header = ["group", "direction", "tolerates", "reason", "until", "active", "rules"];
    let rows = evidence.tolerated().into_iter().map(|tolerated| {
        let exemption = tolerated.exemption;
        [
            exemption.group.to_string(),
            exemption.direction.to_string(),
            tolerates(evidence, &tolerated),
            exemption.reason.clone(),
            exemption.until.to_string(),
            tolerated.is_active.to_string(),
            tolerated.rules.to_string(),
        ]
    });
    table(header, rows)
}

/// A line for each opening that announced its own end.
pub(super) fn holds(evidence: &Evidence) -> Result<String, csv::Error> {
    let header = [
        "account",
        "region",
        "group",
        "rule",
        "traffic",
        "reason",
        "held_until",
        "opened_at",
        "opened_by",
        "status",
        "closed_at",
        "closed_by",
    ];
    let rows = evidence.held().map(|opening| {
        let hold = opening.hold.as_ref();
        let by = |deed: Option<&Deed>| deed.map(|it| actor(opening, it)).unwrap_or_default();
        let at = |deed: Option<&Deed>| deed.map(|it| timestamp(&it.time)).unwrap_or_default();
        [
            text(opening.place.account.as_ref()),
            text(opening.place.region.as_ref()),
            opening.group.as_str().to_owned(),
            rule_text(&opening.rule),
            traffic(opening),
            hold.map(|hold| hold.reason.clone()).unwrap_or_default(),
            hold.map(|hold| timestamp(&hold.until)).unwrap_or_default(),
            at(opening.opener()),
            by(opening.opener()),
            status_word(opening).to_owned(),
            at(opening.closer()),
            by(opening.closer()),
        ]
    });
    table(header, rows)
}

/// A line for each published control.
pub(super) fn controls(evidence: &Evidence) -> Result<String, csv::Error> {
    let header = ["standard", "control", "asks_for", "findings", "openings", "open", "groups"];
    let rows = evidence.answers().into_iter().map(|answer| {
        [
            standard(answer.control).to_owned(),
            answer.control.as_str().to_owned(),
            asks(answer.control).to_owned(),
            answer.findings.to_string(),
            answer.openings.to_string(),
            answer.open.to_string(),
            answer.groups.into_iter().collect::<Vec<_>>().join(" "),
        ]
    });
    table(header, rows)
}
