//! What becomes of an event while SNS is gone: tried again by Lambda, kept in the queue of failures, audited from there.

use serde_json::Value;

use super::{REVERTS, built};
use crate::support::ministack;
use crate::support::permission::tcp;
use crate::support::world::{ACCOUNT, Direction::Ingress, World};

/// How often Lambda runs an event that fails: once, and `MaximumRetryAttempts` times.
const TRIES: usize = 3;

#[tokio::test]
async fn an_event_outlives_an_outage_of_sns() {
    const NAME: &str = "fails";
    let server = ministack::server();
    built().deploy(NAME, &REVERTS);
    let stack = server.stack(NAME);
    let topic = stack.outputs["FindingsTopic"].as_str();
    let (failures, parked) = (&stack.outputs["FailureQueue"], &stack.outputs["ParkedQueue"]);
    let told = stack.subscriber("told-by-fails").await;
    let site = World::new().await.site(ACCOUNT, ministack::REGION).await;
    let group = site.group("typo3-shop").await;
    let event = site.authorize(&group, Ingress, &[tcp(22, 22).from("198.51.100.0/24")]).await;

    // Without a topic nothing can be published. The queue is left alone meanwhile, to be looked at.
    stack.feed(false).await;
    stack.sns.delete_topic().topic_arn(topic).send().await.expect("the topic goes");
    stack.deliver(&event).await;

    let kept: Value = serde_json::from_str(&stack.received(failures).await).expect("JSON");
    assert_eq!(kept["requestPayload"], event, "{kept:#}");
    assert_eq!(kept["responsePayload"]["errorType"], "NotPublished", "{kept:#}");
    assert_eq!(stack.length(failures).await, 1);
    let log = server.aws(&[
        "logs",
        "filter-log-events",
        "--log-group-name",
        &stack.outputs["LogGroup"],
        "--query",
        "events[].message",
    ]);
    let lines: Vec<String> = serde_json::from_str(&log).expect("JSON");
    let tries = lines.iter().filter(|line| line.starts_with("START RequestId: "));
    assert_eq!(tries.count(), TRIES, "{lines:#?}");
    // The outage kept nobody from closing it.
    assert_eq!(site.ingress(&group).await, [""; 0]);

    let name = topic.rsplit(':').next().expect("a name");
    let again = stack.sns.create_topic().name(name).send().await.expect("a topic");
    assert_eq!(again.topic_arn.as_deref(), Some(topic));
    stack.subscribe("told-by-fails").await;
    stack.feed(true).await;

    let message = stack.message(&told).await;
    let finding = &message.report["findings"][0];
    assert_eq!(finding["group"]["id"], group.id, "{:#}", message.report);
    assert_eq!(finding["change"]["event_id"], event["detail"]["eventID"], "{:#}", message.report);
    assert_eq!(finding["remediation"]["outcome"], "already-gone", "{:#}", message.report);
    stack.emptied(failures).await;
    assert_eq!(stack.length(parked).await, 0);
    assert_eq!(stack.length(&told).await, 1);
}
