//! The function as Lambda runs it: how it starts, what it logs, what it does with odd payloads.

use serde_json::{Value, json};

use crate::reverts::{REVERT, finding};
use crate::support::permission::tcp;
use crate::support::sg_audit::repository;
use crate::support::world::{Direction::Ingress, World};

#[tokio::test]
async fn bad_variables_stop_the_start_with_every_fault_named() {
    let world = World::new().await;
    let mut function = world.function(&[
        ("REMEDIATION", "revert"),
        ("WEB_PORTS", "80,70000"),
        ("SSH_SOURCES", "203.0.113.7/24"),
        ("SCOPE", "everything"),
    ]);
    let answer = function.invoke(&Value::Null);
    assert_ne!(answer.status, 200, "{:#}", answer.body);
    let line = function.log_line(|line| line.contains("does not start"));
    for variable in ["REMEDIATION", "WEB_PORTS", "SSH_SOURCES", "SCOPE"] {
        assert!(line.contains(variable), "{variable} is not in {line}");
    }
}

#[tokio::test]
async fn a_revert_needs_the_sources_and_the_scope_written_out() {
    let world = World::new().await;
    let mut function = world.function(&[("REMEDIATION", "revert-ssh")]);
    function.invoke(&Value::Null);
    let line = function.log_line(|line| line.contains("does not start"));
    assert!(line.contains("SSH_SOURCES") && line.contains("SCOPE"), "{line}");
}

#[tokio::test]
async fn each_line_of_the_log_is_json_with_request_event_and_group() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let mut function = world.function(&REVERT);
    function.invoke(&event);
    function.log_line(|line| line.contains(r#""message":"audited""#));
    let lines: Vec<String> =
        function.log().into_iter().filter(|line| line.starts_with("{\"timestamp\"")).collect();
    let event_id = event["detail"]["eventID"].as_str().expect("an event id");
    let audits: Vec<&String> =
        lines.iter().filter(|line| line.contains("\"name\":\"audit\"")).collect();
    assert!(audits.len() >= 4, "{lines:#?}");
    for line in audits {
        let parsed: Value = serde_json::from_str(line).expect("JSON");
        let spans = parsed["spans"].to_string();
        for id in [event_id, group.id.as_str(), "requestId"] {
            assert!(spans.contains(id), "{id} is not in {line}");
        }
    }
}

#[tokio::test]
async fn a_compliant_change_is_answered_so_without_a_call() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let web = [80, 443].map(|port| tcp(port, port).from("0.0.0.0/0"));
    let event = world.authorize(&group, Ingress, &web).await;
    let report = world.report(&mut world.function(&REVERT), &event);
    assert_eq!(report["outcome"], "compliant", "{report:#}");
    assert_eq!(report["rules_audited"], 2, "{report:#}");
    assert_eq!(world.calls(), []);
}

#[tokio::test]
async fn the_regions_of_the_events_are_used_and_not_the_functions() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let mut event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    // There is no such group in that region, and the function's own region is not asked.
    event["region"] = "eu-west-1".into();
    event["detail"]["awsRegion"] = "eu-west-1".into();
    let mut function = world.function(&REVERT);
    function.invoke(&event);
    assert_eq!(world.ingress(&group).await.len(), 1);
    let messages = world.messages().await;
    assert_eq!(finding(&messages[0], 0)["region"], "eu-west-1");
    assert_eq!(finding(&messages[0], 0)["remediation"]["outcome"], "already-gone");
}

#[tokio::test]
async fn a_payload_that_is_not_an_event_is_reported_as_unaudited() {
    let world = World::new().await;
    let mut function = world.function(&[]);
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for payload in ["{}", "[1]", "\"text\"", deep.as_str()] {
        let answer = function.invoke_bytes(payload.as_bytes());
        assert_eq!(answer.error_type(), None, "{:#}", answer.body);
        let messages = world.messages().await;
        assert_eq!(messages.len(), 1, "{:.40}", payload);
        assert_eq!(finding(&messages[0], 0)["code"], "unaudited-change");
    }
}

#[tokio::test]
async fn another_accounts_event_is_said_to_be_unaudited() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let mut event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    event["account"] = "210987654321".into();
    event["detail"]["recipientAccountId"] = "210987654321".into();
    event["detail"]["responseElements"] = json!(null);
    let mut function = world.function(&REVERT);
    function.invoke(&event);
    assert_eq!(world.ingress(&group).await.len(), 1);
    let messages = world.messages().await;
    assert_eq!(finding(&messages[0], 0)["code"], "unaudited-change");
}

#[tokio::test]
async fn every_sample_event_is_answered() {
    let world = World::new().await;
    let mut function = world.function(&REVERT);
    let samples = std::fs::read_dir(repository().join("events")).unwrap();
    for sample in samples {
        let path = sample.unwrap().path();
        let answer = function.invoke_bytes(&std::fs::read(&path).unwrap());
        assert_eq!(answer.error_type(), None, "{}: {:#}", path.display(), answer.body);
        let totals = answer.body["totals"]["by_code"].as_object().expect("totals");
        let found = totals.values().any(|n| n.as_u64() > Some(0));
        let messages = world.messages().await;
        assert_eq!(messages.len(), usize::from(found), "{}", path.display());
    }
}
