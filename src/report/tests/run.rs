//! The message that ends the sweep of an organisation.

use serde_json::Value;
use strum::IntoEnumIterator;

use super::scene::{default, mail};
use crate::evaluate::{Code, Severity};
use crate::finding::{
    BaselineName, Coverage, CoverageTotals, Covered, Expected, PlaceOutcome, PlaceSwept, Report,
    Run, Tally,
};
use crate::report::{Message, coverage, messages};

fn place(region: &str, outcome: PlaceOutcome) -> PlaceSwept {
    PlaceSwept::new(&"123456789012".parse().unwrap(), &region.parse().unwrap(), outcome)
}

fn covered(worst: Option<Severity>, audited: usize, again: bool) -> Covered {
    let reason = "the role `arn:aws:iam::123456789012:role/auditor` cannot be assumed: AccessDenied: see https://evil.example/";
    let unread =
        PlaceSwept { reason: Some(reason.to_owned()), ..place("eu-west-1", PlaceOutcome::Unread) };
    let found = PlaceSwept { findings: 14, worst, ..place("eu-central-1", PlaceOutcome::Audited) };
    let findings = if worst.is_some() { 14 } else { 0 };
    Covered {
        totals: CoverageTotals {
            expected: 3400,
            audited,
            unread: usize::from(audited < 3400),
            missing: 3400_usize.saturating_sub(audited + 1),
            groups: 40_000,
            rules: 90_000,
            findings,
        },
        worst,
        codes: worst.map(|_| Code::OpenSsh).into_iter().collect(),
        not_audited: match audited {
            3400 => Vec::new(),
            3399 => vec![unread],
            _ => vec![place("us-east-1", PlaceOutcome::Missing), unread],
        },
        noncompliant: worst.map(|_| found).into_iter().collect(),
        table: "s3://results/runs/tuesday/coverage.csv".to_owned(),
        again: again.then(|| {
            "aws stepfunctions start-execution --region eu-central-1 --state-machine-arn arn:aws:states:eu-central-1:123456789012:stateMachine:sweep --input '{\"again\":\"tuesday\"}'".to_owned()
        }),
    }
}

fn message(covered: Option<Covered>) -> Option<Message> {
    let baseline =
        BaselineName { name: "standard".to_owned(), sha256: "0".repeat(64), binding: None };
    let run = Run { name: "tuesday".parse().unwrap(), covered };
    let report = Report { run: Some(run), ..Report::new(&baseline, Tally::default()) };
    messages(&report).unwrap().pop()
}

/// Everything that the member `run` of a report can be.
pub(super) fn all() -> Vec<Value> {
    let worst = Severity::iter().map(Some).chain([None]);
    let digests = worst.map(|worst| message(Some(covered(worst, 3390, worst.is_some()))).unwrap());
    let mut all: Vec<Value> = digests.map(|digest| default(&digest)).collect();
    let mut of_account = all[0].clone();
    of_account["run"]["coverage"] = Value::Null;
    all.push(of_account);
    all
}

/// A message about a run that did not reach every place.
pub(super) fn with_gaps() -> Message {
    message(Some(covered(Some(Severity::Critical), 3390, true))).unwrap()
}

#[test]
fn the_mail_says_what_was_not_audited_and_how_to_audit_it() {
    let digest = with_gaps();
    insta::assert_snapshot!(
        "run-with-gaps",
        format!("Subject: {}\n\n{}", digest.subject, mail(&digest))
    );
    let value = |name: &str| {
        let attribute = digest.attributes.iter().find(|it| it.name == name);
        attribute.map(|it| it.value.as_str())
    };
    assert_eq!(
        (value("severity"), value("run"), value("code")),
        (Some("critical"), Some("tuesday"), Some("[\"open-ssh\"]"))
    );
}

#[test]
fn the_mail_is_about_findings_where_everything_was_audited() {
    let digest = message(Some(covered(Some(Severity::Low), 3400, false))).unwrap();
    insta::assert_snapshot!(
        "run-complete",
        format!("Subject: {}\n\n{}", digest.subject, mail(&digest))
    );
}

#[test]
fn the_severity_counts_what_nobody_could_look_at() {
    for (worst, audited, severity) in [
        (None, 3400, None),
        (None, 3399, Some("medium")),
        (None, 3390, Some("high")),
        (Some(Severity::Low), 3390, Some("high")),
        (Some(Severity::Critical), 3399, Some("critical")),
    ] {
        let digest = message(Some(covered(worst, audited, false))).unwrap();
        let attribute = digest.attributes.iter().find(|it| it.name == "severity");
        assert_eq!(attribute.map(|it| it.value.as_str()), severity, "{worst:?} {audited}");
        assert!(digest.subject.len() < 100 && digest.subject.is_ascii(), "{}", digest.subject);
    }
}

#[test]
fn an_account_without_findings_is_not_told_of() {
    assert_eq!(message(None), None);
}

#[test]
fn the_table_has_a_line_for_each_place() {
    let expected = |region: &str| Expected {
        account: "123456789012".parse().unwrap(),
        regions: vec![region.parse().unwrap()],
    };
    let mut unread = place("eu-west-1", PlaceOutcome::Unread);
    unread.reason = Some("=cmd|' /C calc'!A0".to_owned());
    let mut audited = place("eu-central-1", PlaceOutcome::Audited);
    (audited.groups, audited.rules) = (3, 7);
    let now = "2026-11-02T12:00:00Z".parse().unwrap();
    audited.at = Some(now);
    let all = ["eu-central-1", "eu-west-1", "us-east-1"].map(expected);
    let covered = Coverage::of(&"tuesday".parse().unwrap(), &all, [unread, audited], now);
    insta::assert_snapshot!("run-table", coverage::csv(&covered).unwrap());
    let json: Value = serde_json::from_str(&coverage::json(&covered).unwrap()).unwrap();
    assert_eq!(json["totals"]["expected"], 3);
    assert_eq!(serde_json::from_value::<Coverage>(json).unwrap(), covered);
}
