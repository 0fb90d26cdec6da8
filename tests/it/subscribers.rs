//! Who gets what: people what is to be mailed at once, as the template subscribes them; machines all.

use std::fs;

use serde_json::{Value, json};

use crate::memory::table::made;
use crate::support::moto;
use crate::support::permission::{Permission, tcp};
use crate::support::sg_audit::repository;
use crate::support::world::{Direction::Ingress, World};

/// What the template mails.
fn mailed() -> Value {
    let template = fs::read_to_string(repository().join("template.yaml")).expect("the template");
    let (_, filter) = template.split_once("\n      FilterPolicy:\n").expect("the filter");
    assert!(filter.trim_start().starts_with("mail: [now]\n"), "{filter}");
    json!({ "mail": ["now"] })
}

/// The severities of the findings' messages in a queue.
async fn severities(world: &World, queue: &str) -> Vec<String> {
    let mut messages = world.messages_in(queue).await;
    messages.iter_mut().filter_map(|message| message.attributes.remove("severity")).collect()
}

#[tokio::test]
async fn people_get_findings_of_medium_or_worse_and_machines_get_all() {
    let world = World::new().await;
    let mail = world.subscriber("mail", Some(mailed())).await;
    let critical = json!({ "severity": ["critical"] });
    let critical_only = world.subscriber("pager", Some(critical)).await;
    let all = world.subscriber("machine", None).await;
    let table = made(&moto::server().url()).await;
    let mut function = world.function(&[("STATE_TABLE", &table), ("MAIL_SEVERITY", "medium")]);
    let rules: [(Permission, &str); 4] = [
        (tcp(22, 22).from("10.0.0.0/8"), "low"),
        (tcp(22, 22).from("198.51.100.7/32"), "medium"),
        (tcp(22, 22).from("198.51.100.0/24"), "high"),
        // The worst of a message counts.
        (tcp(22, 22).from("0.0.0.0/0").from("10.0.0.0/8"), "critical"),
    ];
    for (rule, severity) in &rules {
        let group = world.group("typo3-shop").await;
        let event = world.authorize(&group, Ingress, std::slice::from_ref(rule)).await;
        assert_eq!(world.report(&mut function, &event)["findings"][0]["severity"], *severity);
    }
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
    world.report(&mut function, &event);
    let mut told = severities(&world, &all).await;
    told.sort();
    assert_eq!(told, ["critical", "high", "low", "medium"]);
    let mut told = severities(&world, &mail).await;
    told.sort();
    assert_eq!(told, ["critical", "high", "medium"]);
    assert_eq!(severities(&world, &critical_only).await, ["critical"]);
}
