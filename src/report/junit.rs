//! The report as JUnit XML: one test case a group, one suite an account and region.

use std::collections::HashSet;

use quick_junit::{NonSuccessKind, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::declared::{next_step, place};
use super::detail::lines;
use super::terminal::blocks;
use super::title::title;
use crate::ec2::Place;
use crate::evaluate::{Code, Severity};
use crate::finding::{Finding, FoundGroup, Report};
use crate::text::{count, inert};

/// The report. A group fails if it has a finding of this severity or worse, and is an error if it
/// could not be audited.
///
/// # Errors
///
/// None that a report can cause; the writer's signature has one.
pub fn render(report: &Report, fail_on: Severity) -> Result<String, SerializeError> {
    let mut suites: Vec<(&Place, TestSuite)> = Vec::new();
    let mut add = |place, case| {
        let at = suites.iter().position(|(of, _)| *of == place).unwrap_or_else(|| {
            suites.push((place, TestSuite::new(inert::plain(&place.to_string()))));
            suites.len() - 1
        });
        if let Some((_, suite)) = suites.get_mut(at) {
            suite.add_test_case(case);
        }
    };
    let blocks = blocks(&report.findings);
    for block in &blocks {
        add(block.place, case(block.group, status(&block.findings, fail_on)));
    }
    let found = blocks.iter().filter_map(|block| Some((block.place, &block.group?.id)));
    let mut told: HashSet<_> = found.collect();
    for (place, group) in &report.audited {
        if told.insert((place, &group.id)) {
            add(place, case(Some(group), TestCaseStatus::success()));
        }
    }
    let mut all = quick_junit::Report::new("sg-audit");
    all.add_test_suites(suites.into_iter().map(|(_, suite)| suite));
    all.to_string()
}

fn case(group: Option<&FoundGroup>, status: TestCaseStatus) -> TestCase {
    let name = match group {
        Some(FoundGroup { id, name: Some(name), .. }) => format!("{id} ({name})"),
        Some(FoundGroup { id, .. }) => id.to_string(),
        None => "no group".to_owned(),
    };
    let mut case = TestCase::new(inert::plain(&name), status);
    case.set_classname("sg-audit");
    case
}

/// What became of a group with these findings, worst first.
fn status(findings: &[&Finding], fail_on: Severity) -> TestCaseStatus {
    let kind = match findings {
        all if all.iter().any(|it| it.code == Code::UnauditedChange) => NonSuccessKind::Error,
        [worst, ..] if worst.severity >= fail_on => NonSuccessKind::Failure,
        _ => return TestCaseStatus::success(),
    };
    let mut status = TestCaseStatus::non_success(kind);
    if let [worst, others @ ..] = findings {
        let more = match others.len() {
            0 => String::new(),
            more => format!(", and {}", count(more, "more finding")),
        };
        status.set_type(worst.code.as_str());
        status.set_message(inert::plain(&format!("{}{more}", title(worst).whole())));
    }
    let texts: Vec<String> = findings.iter().map(|finding| description(finding)).collect();
    status.set_description(texts.join("\n\n"));
    status
}

fn description(finding: &Finding) -> String {
    let heading = format!("{} {}", finding.severity.as_str(), finding.code.as_str());
    let command = next_step(finding);
    let command = command.map(|(label, command)| format!("{label}: {command}"));
    let at = finding.location.as_ref().map(|location| format!("at {}", place(location)));
    let lines = [heading].into_iter().chain(at).chain(lines(finding)).chain(command);
    lines.map(|line| inert::plain(&line)).collect::<Vec<_>>().join("\n")
}
