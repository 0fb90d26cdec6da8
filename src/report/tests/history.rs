//! The history as people and programs get it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::baseline::Lists;
use crate::baseline::samples::{load, today};
use crate::evaluate::Severity;
use crate::history::{Book, By, History};
use crate::report::history::{HISTORY_SCHEMA, csv, text, to_json_pretty};
use crate::report::terminal::Style;
use crate::text::{time, timestamp};

fn at(text: &str) -> DateTime<Utc> {
    time(text).unwrap()
}

fn record(id: &str, name: &str, when: &str, who: &str, group: &str, request: Value) -> Value {
    let mut request = request;
    request["groupId"] = json!(group);
    json!({
        "eventSource": "ec2.amazonaws.com", "eventName": name, "eventID": id,
        "eventTime": timestamp(&at(when)), "awsRegion": "eu-central-1",
        "recipientAccountId": "123456789012", "sourceIPAddress": "198.51.100.7",
        "userIdentity": {"type": "IAMUser", "arn": who, "accountId": "123456789012"},
        "requestParameters": request, "responseElements": {"_return": true},
    })
}

fn tcp(port: u16, cidr: &str) -> Value {
    json!({"ipProtocol": "tcp", "fromPort": port, "toPort": port, "cidrIp": cidr})
}

/// Openings of every kind: open, closed, closed by the auditor, opened before the first record.
pub(super) fn sample() -> History {
    let alice = "arn:aws:iam::123456789012:user/alice";
    let bob = "arn:aws:sts::123456789012:assumed-role/deploy/bob";
    let auditor = "arn:aws:sts::123456789012:assumed-role/typo3-sg-auditor-Role/Function";
    let (web, db) = ("sg-0a1b2c3d4e5f67890", "sg-0fedcba9876543210");
    let (add, remove) = ("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress");
    let open = "0.0.0.0/0";
    let records = [
        record("a", add, "2026-03-01T08:00:00Z", alice, web, tcp(22, open)),
        record("b", remove, "2026-03-01T08:00:40Z", auditor, web, tcp(22, open)),
        record("c", add, "2026-03-04T10:00:00Z", bob, db, tcp(3306, open)),
        record("d", remove, "2026-03-04T12:30:00Z", alice, db, tcp(3306, open)),
        record("e", remove, "2026-03-05T09:00:00Z", alice, db, tcp(5432, open)),
        record("f", add, "2026-03-20T09:00:00Z", alice, web, tcp(8080, "198.51.100.0/24")),
        record("g", add, "2026-03-21T09:00:00Z", bob, "sg-00000000000000001", tcp(22, open)),
        record(
            "h",
            "ReplaceSecurityGroupRules",
            "2026-03-21T10:00:00Z",
            bob,
            "sg-00000000000000001",
            json!({}),
        ),
    ];
    let (baseline, lists) = (load("standard"), Lists::new());
    let mut book = Book::new(&baseline, &lists, today(), By::names(&[]));
    for record in records {
        book.record(record.to_string().as_bytes());
    }
    book.close(None, at("2026-04-01T00:00:00Z"))
}

fn plain(width: usize) -> Style {
    Style { colour: false, width }
}

#[test]
fn the_longest_opening_comes_first_in_wide_and_in_narrow_text() {
    let history = sample();
    insta::assert_snapshot!("history_wide", text::render(&history, Severity::Low, plain(200)));
    let narrow = text::render(&history, Severity::Low, plain(40));
    insta::assert_snapshot!("history_40_columns", narrow);
    let long = narrow.lines().filter(|line| line.chars().count() > 40);
    assert!(long.clone().all(|line| !line.trim().contains(' ')), "{:?}", long.collect::<Vec<_>>());
    assert_eq!(text::exit_status(&history), 1);
}

#[test]
fn every_history_is_as_the_schema_says() {
    let schema: Value = serde_json::from_str(HISTORY_SCHEMA).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let json = to_json_pretty(&sample(), Severity::Informational).unwrap();
    let value: Value = serde_json::from_str(&json).unwrap();
    let faults: Vec<String> = validator.iter_errors(&value).map(|it| it.to_string()).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    insta::assert_snapshot!("history_json", json);
    // Only what the severity asks for is listed, and all of it counts.
    let critical = to_json_pretty(&sample(), Severity::Critical).unwrap();
    let critical: Value = serde_json::from_str(&critical).unwrap();
    assert_eq!(critical["totals"], value["totals"]);
    assert_eq!(critical["openings"].as_array().unwrap().len(), 4);
}

#[test]
fn a_spreadsheet_takes_nothing_for_a_formula() {
    let mut history = sample();
    history.openings[0].group_name = Some("=HYPERLINK(\"http://evil.example\")".to_owned());
    let table = csv::render(&history, Severity::Informational).unwrap();
    assert_eq!(table.lines().count(), history.openings.len() + 1);
    assert!(table.contains("\"'=HYPERLINK("), "{table}");
    insta::assert_snapshot!("history_csv", csv::render(&sample(), Severity::Low).unwrap());
}

#[test]
fn what_others_wrote_stays_on_its_line() {
    let mut history = sample();
    history.openings[0].group_name = Some("web\nexit 0: nothing is open\u{202e}".to_owned());
    let shown = text::render(&history, Severity::Low, plain(80));
    assert!(!shown.contains("\nexit 0"), "{shown}");
    assert!(shown.contains("\\u{a}exit 0: nothing is open\\u{202e}"), "{shown}");
}
