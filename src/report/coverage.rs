//! What the sweep of an organisation covered: as JSON, and as CSV with one line a place.

use super::csv::{cell, table};
use crate::evaluate::Severity;
use crate::finding::{Coverage, PlaceSwept};
use crate::text::timestamp;

const HEADER: [&str; 9] = [
    "account",
    "region",
    "outcome",
    "audited_at",
    "groups",
    "rules",
    "findings",
    "worst",
    "reason",
];

/// Why a place could not be audited, where its report says so.
#[cfg(feature = "live")]
pub fn why_not_audited(report: &crate::finding::Report) -> Option<String> {
    report.findings.iter().find_map(|finding| match &finding.matter {
        crate::finding::Matter::Unaudited { reason, .. } => Some(super::wording::reason(reason)),
        _ => None,
    })
}

/// The places as JSON, with the sums.
///
/// # Errors
///
/// None that a coverage can cause; serde's signature has one.
pub fn json(coverage: &Coverage) -> Result<String, serde_json::Error> {
    serde_json::to_string(coverage)
}

/// The places under a line with the names of the columns.
///
/// # Errors
///
/// None that a coverage can cause; the writer's signature has one.
pub fn csv(coverage: &Coverage) -> Result<String, csv::Error> {
    table(HEADER, coverage.places.iter().map(row))
}

fn row(place: &PlaceSwept) -> [String; HEADER.len()] {
    [
        place.account.to_string(),
        place.region.to_string(),
        place.outcome.as_str().to_owned(),
        place.at.as_ref().map(timestamp).unwrap_or_default(),
        place.groups.to_string(),
        place.rules.to_string(),
        place.findings.to_string(),
        place.worst.map_or("", Severity::as_str).to_owned(),
        place.reason.as_deref().map(cell).unwrap_or_default(),
    ]
}
