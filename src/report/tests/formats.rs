//! The formats for continuous integration and spreadsheets.

use super::events::GROUP;
use super::scene::Scene;
use super::scenes::{self, left_alone};
use super::snapshot;
use crate::evaluate::Severity;
use crate::finding::Report;
use crate::report::{csv, github, junit, markdown};

/// What a check of four groups finds: one of them complies, and one has only what is exempt.
fn found() -> Report {
    Scene::new()
        .with_baseline(&left_alone::exempting("2026-03-31", ""))
        .with_rules(&["tcp 8000 0.0.0.0/0 sgr-00000000000000004"])
        .group("sg-0fedcba9876543210", "shop, staging", &["tcp 22 0.0.0.0/0 sgr-00000000000000005"])
        .and_rule("udp 53 198.51.100.7/32")
        .group(
            "sg-0fedcba9876543211",
            "lists",
            &["tcp 443 0.0.0.0/0", "tcp 22 pl-0123456789abcdef0"],
        )
        .group("sg-0fedcba9876543212", "web", &["tcp 443 ::/0"])
        .check()
}

#[test]
fn a_check_in_each_format() {
    let report = found();
    snapshot("format-markdown", &markdown::render(&report));
    snapshot("format-junit", &junit::render(&report, Severity::Low).unwrap());
    snapshot("format-github", &github::render(&report));
    snapshot("format-csv", &csv::render(&report).unwrap());
}

#[test]
fn a_group_fails_in_junit_if_the_command_would() {
    let failures = |fail_on| {
        let xml = junit::render(&found(), fail_on).unwrap();
        assert_eq!(xml.matches("<testcase ").count(), 4, "{xml}");
        xml.matches("<failure ").count()
    };
    assert_eq!(failures(Severity::Low), 2);
    assert_eq!(failures(Severity::Critical), 1);
    let audited = found().audited;
    assert_eq!(audited.len(), 4);
    assert!(audited.iter().any(|(_, group)| group.id.as_str() == GROUP));
    // Nothing that nobody looked at passes, and an audit that failed is not a failure of the group.
    for (name, told) in scenes::all() {
        let unaudited = |report: &Report| {
            report.findings.iter().any(|it| it.code.as_str() == "unaudited-change")
        };
        for report in told.reports.iter().filter(|report| unaudited(report)) {
            let xml = junit::render(report, Severity::Critical).unwrap();
            assert!(xml.contains("<error "), "{name}: {xml}");
        }
    }
}

#[test]
fn each_finding_of_every_scene_is_a_line() {
    for (name, told) in scenes::all() {
        for report in &told.reports {
            let findings = report.findings.len();
            let annotations = github::render(report);
            assert_eq!(annotations.lines().count(), findings + 1, "{name}");
            assert!(
                annotations.lines().all(|line| line.starts_with("::")),
                "{name}: {annotations}"
            );
            let text = csv::render(report).unwrap();
            let mut reader = ::csv::Reader::from_reader(text.as_bytes());
            assert_eq!(reader.records().filter(Result::is_ok).count(), findings, "{name}: {text}");
            let rows = markdown::render(report);
            let rows = rows.lines().filter(|line| line.starts_with("| ")).count();
            assert_eq!(rows, if findings == 0 { 0 } else { findings + 1 }, "{name}");
        }
    }
}

#[test]
fn a_command_in_a_cell_or_a_fence_is_the_command() {
    let report = found();
    let commands: Vec<&String> = report.findings.iter().filter_map(|it| it.fix.as_ref()).collect();
    assert!(commands.len() > 1);
    let (page, text) = (markdown::render(&report), csv::render(&report).unwrap());
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let cells: Vec<_> = reader.records().map(Result::unwrap).collect();
    for command in commands {
        assert!(page.contains(&format!("\n{command}\n")), "{page}");
        assert!(cells.iter().any(|row| row.iter().any(|cell| cell == command)), "{text}");
    }
}
