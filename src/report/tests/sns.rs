use insta::assert_snapshot;
use serde_json::Value;

use super::{mysql, narrowed, open_ssh, piece, report, unaudited};
use crate::finding::Finding;
use crate::report::sns::{MAX_BYTES, Message, messages};

fn attributes(findings: Vec<Finding>) -> String {
    let [message] = messages(&report(findings)).unwrap().try_into().unwrap();
    let lines: Vec<_> = message
        .attributes
        .iter()
        .map(|it| format!("{} {} {}", it.name, it.data_type, it.value))
        .collect();
    lines.join("\n")
}

/// The report that a message has for machines.
pub fn default(message: &Message) -> Value {
    let body: Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 2);
    serde_json::from_str(body["default"].as_str().unwrap()).unwrap()
}

#[test]
fn nothing_is_sent_about_nothing() {
    assert_eq!(messages(&report(vec![])).unwrap(), vec![]);
}

#[test]
fn a_message_has_the_report_and_the_mail() {
    let report = report(vec![narrowed(), mysql()]);
    let [message] = messages(&report).unwrap().try_into().unwrap();
    assert_eq!(default(&message), serde_json::to_value(&report).unwrap());
    let body: Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!(body["email"].as_str().unwrap(), crate::report::email::body(&report));
    assert_eq!(message.subject, crate::report::subject::subject(&report));
}

#[test]
fn attributes_are_what_all_findings_share() {
    assert_snapshot!(attributes(vec![narrowed()]), @r#"
    severity String critical
    code String.Array ["open-ssh"]
    account String 123456789012
    region String eu-central-1
    group_id String sg-0a1b2c3d4e5f60718
    remediation String narrowed
    "#);
    let mut other = mysql();
    other.group.as_mut().unwrap().id = "sg-0fffffffffffffff1".to_owned();
    assert_snapshot!(attributes(vec![narrowed(), other]), @r#"
    severity String critical
    code String.Array ["ingress-not-in-baseline","open-ssh"]
    account String 123456789012
    region String eu-central-1
    "#);
    assert_snapshot!(attributes(vec![unaudited()]), @r#"
    severity String high
    code String.Array ["unaudited-change"]
    remediation String none
    "#);
}

#[test]
fn an_attribute_that_sns_would_refuse_is_not_there() {
    for id in ["", "sg-\u{1b}", &"x".repeat(300)] {
        let mut finding = open_ssh();
        finding.group.as_mut().unwrap().id = id.to_owned();
        finding.region = Some(id.to_owned());
        let attributes = attributes(vec![finding]);
        assert!(!attributes.contains("group_id") && !attributes.contains("region"));
    }
}

#[test]
fn a_long_excess_is_cut_and_counted() {
    let peers: Vec<_> = (0..150).map(|n| format!("198.51.{n}.0/24")).collect();
    let peers: Vec<_> = peers.iter().map(String::as_str).collect();
    let mut finding = open_ssh();
    finding.excess = vec![piece("20-21", &["0.0.0.0/0"]), piece("22", &peers)];
    let [message] = messages(&report(vec![finding])).unwrap().try_into().unwrap();
    let finding = &default(&message)["findings"][0];
    assert_eq!(finding["excess"][0]["peers"].as_array().unwrap().len(), 1);
    assert_eq!(finding["excess"][1]["peers"].as_array().unwrap().len(), 99);
    assert_eq!(finding["excess_omitted"], 51);
}

#[test]
fn a_finding_that_is_too_large_alone_is_cut() {
    let peers: Vec<_> = (0..100).map(|n| format!("2001:db8:1234:5678:9abc:{n:x}::/96")).collect();
    let peers: Vec<_> = peers.iter().map(String::as_str).collect();
    let mut finding = open_ssh();
    finding.excess = vec![piece("22", &peers); 100];
    finding.rule.as_mut().unwrap().description = Some("\u{0}".repeat(60_000));
    finding.remediation.undo = Some("x".repeat(60_000));
    let [message] = messages(&report(vec![finding])).unwrap().try_into().unwrap();
    assert!(message.size() <= MAX_BYTES);
    let finding = &default(&message)["findings"][0];
    let boxes = finding["excess"].as_array().unwrap().len();
    assert_eq!(boxes, 100);
    assert_eq!(finding["excess_omitted"], 99 * 100);
    assert_eq!(finding["remediation"]["undo"], Value::Null);
    let detail = finding["remediation"]["detail"].as_str().unwrap();
    assert!(detail.ends_with("The undo command is too long for a message."), "{detail}");
    assert!(finding["rule"]["description"].as_str().unwrap().ends_with('…'));
}

#[test]
fn a_report_that_is_too_large_is_split() {
    let report = report((0..900).map(|_| mysql()).collect());
    let messages = messages(&report).unwrap();
    assert!(messages.len() < 12, "{}", messages.len());
    for (message, part) in messages.iter().zip(1..) {
        let default = default(message);
        assert!(message.size() <= MAX_BYTES);
        assert_eq!(default["part"], part);
        assert_eq!(default["parts"], messages.len());
        assert_eq!(default["totals"]["by_severity"]["high"], 900);
        assert!(message.subject.ends_with(&format!(" [part {part} of {}]", messages.len())));
    }
}
