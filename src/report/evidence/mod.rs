//! Evidence of a period as files: an index to read, the reports, tables for spreadsheets, and a list
//! of hashes.

mod csv;
mod json;
mod pack;
pub(in crate::report) mod words;

pub use json::EVIDENCE_SCHEMA;
pub use pack::{PackError, PackedFile, zipped};

use super::history;
use super::{csv as report_csv, html, to_json_pretty};
use crate::evaluate::Severity;
use crate::evidence::Evidence;

/// The files in the order of the index.
///
/// # Errors
///
/// None that evidence can cause; the writers' signatures have them.
pub fn files(evidence: &Evidence) -> Result<Vec<PackedFile>, PackError> {
    const ALL: Severity = Severity::Informational;
    let Evidence { report, history, baseline, .. } = evidence;
    let line = |json: String| format!("{json}\n");
    Ok(vec![
        PackedFile { name: "index.html", text: html::evidence(evidence) },
        PackedFile { name: "report.html", text: html::report(report) },
        PackedFile { name: "report.json", text: line(to_json_pretty(report)?) },
        PackedFile { name: "report.csv", text: report_csv::render(report)? },
        PackedFile { name: "history.html", text: html::history(history, ALL) },
        PackedFile { name: "history.json", text: line(history::to_json_pretty(history, ALL)?) },
        PackedFile { name: "history.csv", text: history::csv::render(history, ALL)? },
        PackedFile { name: "coverage.csv", text: csv::coverage(evidence)? },
        PackedFile { name: "exemptions.csv", text: csv::exemptions(evidence)? },
        PackedFile { name: "holds.csv", text: csv::holds(evidence)? },
        PackedFile { name: "controls.csv", text: csv::controls(evidence)? },
        PackedFile { name: "evidence.json", text: line(json::to_json_pretty(evidence)?) },
        PackedFile { name: "baseline.yaml", text: baseline.to_yaml() },
    ])
}
