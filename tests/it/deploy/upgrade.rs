//! An upgrade from the template before the core and its parts: no queue, no log and no event is lost.

use std::fs;

use serde_json::{Value, json};

use super::REVERTS;
use crate::support::ministack;
use crate::support::permission::tcp;
use crate::support::sg_audit::repository;
use crate::support::world::{ACCOUNT, Direction::Ingress, World};

const NAME: &str = "upgraded";
/// What must be the same afterwards.
const KEPT: [&str; 7] =
    ["Auditor", "Failures", "FailuresAgain", "Findings", "Log", "Parked", "Role"];

#[tokio::test]
async fn an_upgrade_keeps_the_queues_the_log_and_a_pending_event() {
    let server = ministack::server();
    let new = fs::read_to_string(repository().join("template.yaml")).expect("the template");
    let before = fs::read_to_string(repository().join("tests/it/data/before-parts.yaml"));
    let before = before.expect("what the older template had");
    let built = server.build(NAME, |_| ministack::with_code(&before));
    built.deploy(NAME, &[("AlertEmail", "you@example.com")]);
    let stack = server.stack(NAME);
    let (old, outputs) = (stack.resources(), stack.outputs.clone());
    let site = World::new().await.site(ACCOUNT, ministack::REGION).await;
    let group = site.group("typo3-shop").await;
    let event = site.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    // It waits for the function while the stack is upgraded, and another one for a person.
    stack.feed(false).await;
    let context = json!({"condition": "RetriesExhausted", "approximateInvokeCount": 3});
    let body = json!({"version": "1.0", "requestContext": context, "requestPayload": event});
    stack.send(&outputs["FailureQueue"], &body.to_string()).await;
    stack.send(&outputs["ParkedQueue"], &body.to_string()).await;

    let upgraded = server.build("upgraded-sources", |_| ministack::with_code(&new));
    upgraded.deploy(NAME, &REVERTS);

    let stack = server.stack(NAME);
    let resources = stack.resources();
    for name in KEPT {
        assert_eq!(resources.get(name), old.get(name), "{name}");
    }
    for output in ["FailureQueue", "ParkedQueue", "LogGroup", "FindingsTopic", "Function"] {
        assert_eq!(stack.outputs[output], outputs[output], "{output}");
    }
    let gone: Vec<&str> =
        old.keys().filter(|name| !resources.contains_key(*name)).map(String::as_str).collect();
    assert!(gone.contains(&"AfterDeployment") && gone.contains(&"Alarms"), "{gone:?}");
    let told = stack.subscriber("told-by-upgraded").await;
    let parked: Value =
        serde_json::from_str(&stack.received(&outputs["ParkedQueue"]).await).expect("JSON");
    assert_eq!(parked["requestPayload"], event);
    stack.feed(true).await;
    let message = stack.message(&told).await;
    assert_eq!(message.report["findings"][0]["change"]["event_id"], event["detail"]["eventID"]);
    assert_eq!(message.report["findings"][0]["remediation"]["outcome"], "narrowed");
}
