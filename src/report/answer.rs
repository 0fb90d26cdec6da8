use serde::Serialize;

use super::hook::HookJson;
use super::json::ReportJson;
use crate::finding::Report;

/// What the function answers.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum AnswerJson {
    /// To a hook: whether the change may be made.
    Hook(HookJson),
    /// To everybody else: the report.
    Report(Box<ReportJson>),
}

/// What the function answers. If a schedule asked, nobody reads the answer and everything was
/// published, so it has no findings: Lambda refuses answers beyond 6 MB, and would then have all of
/// it done again.
pub fn answer(report: &Report) -> AnswerJson {
    match HookJson::of(report) {
        Some(answer) => AnswerJson::Hook(answer),
        None if report.scheduled => {
            AnswerJson::Report(Box::new(ReportJson::without_findings(report)))
        }
        None => AnswerJson::Report(Box::new(ReportJson::from(report))),
    }
}
