//! The report as CSV (RFC 4180), one line a finding, for spreadsheets.

use csv::{QuoteStyle, WriterBuilder};

use super::declared::next_step;
use super::detail::exceeds;
use super::title::title;
use super::wording;
use crate::finding::{Finding, Report};
use crate::text::{inert, timestamp};
use crate::words::rule_text;

const HEADER: [&str; 23] = [
    "severity",
    "code",
    "title",
    "account",
    "region",
    "group_id",
    "group_name",
    "rule_id",
    "direction",
    "rule",
    "excess",
    "outcome",
    "audited_at",
    "event_name",
    "event_time",
    "actor",
    "fix",
    "fingerprint",
    "id",
    "address",
    "file",
    "line",
    "binding",
];

/// The findings, worst first, under a line with the names of the columns.
///
/// # Errors
///
/// None that a report can cause; the writer's signature has one.
pub fn render(report: &Report) -> Result<String, csv::Error> {
    table(HEADER, report.findings.iter().map(row))
}

/// Rows under the names of their columns.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<String, csv::Error> {
    let mut writer = WriterBuilder::new().quote_style(QuoteStyle::Always).from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row)?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn row(finding: &Finding) -> [String; HEADER.len()] {
    let place = &finding.place;
    let (group, rule) = (finding.group.as_ref(), wording::only_rule(finding));
    let (change, location) = (finding.change.as_ref(), finding.location.as_ref());
    let or_empty = |text: Option<&str>| text.map(cell).unwrap_or_default();
    [
        finding.severity.as_str().to_owned(),
        finding.code.as_str().to_owned(),
        cell(&title(finding).whole()),
        or_empty(place.account.as_ref().map(|account| account.as_str())),
        or_empty(place.region.as_ref().map(|region| region.as_str())),
        or_empty(group.map(|group| group.id.as_str())),
        or_empty(group.and_then(|group| group.name.as_deref())),
        or_empty(rule.and_then(|rule| rule.id()).map(|id| id.as_str())),
        or_empty(rule.map(|rule| rule.direction().to_string()).as_deref()),
        or_empty(rule.map(rule_text).as_deref()),
        or_empty(exceeds(finding).as_deref()),
        finding.outcome().as_str().to_owned(),
        timestamp(&finding.time),
        or_empty(change.and_then(|change| change.event_name.as_deref())),
        or_empty(change.and_then(|change| Some(timestamp(change.time.as_ref()?))).as_deref()),
        or_empty(change.and_then(|change| change.actor.as_deref())),
        // A command has to stay as it is; it begins with `aws`.
        next_step(finding).map(|(_, it)| inert::plain(&it)).unwrap_or_default(),
        finding.fingerprint.clone(),
        finding.id.clone(),
        or_empty(location.map(|location| location.address.as_str())),
        or_empty(location.and_then(|location| location.file.as_deref())),
        location
            .and_then(|location| location.line)
            .map(|line| line.to_string())
            .unwrap_or_default(),
        or_empty(finding.binding.as_deref()),
    ]
}

/// A text that no spreadsheet takes for a formula, not even one that begins a new cell at a
/// semicolon, as those of many languages do.
pub(super) fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    let mut begins = true;
    for c in inert::plain(text).chars() {
        if begins && matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') {
            cell.push('\'');
        }
        begins = c == ';' || (begins && matches!(c, ' ' | '"'));
        cell.push(c);
    }
    cell
}
