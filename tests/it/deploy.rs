//! The application as `sam deploy` deploys it: the template's functions, rules, queues and topics around the built function.

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::ministack::{self, Stack};
use crate::support::permission::tcp;
use crate::support::sg_audit::repository;
use crate::support::world::{ACCOUNT, Direction::Ingress, World};

/// A stack with what a revert needs, and the defaults.
fn reverting() -> Stack {
    const PARAMETERS: [(&str, &str); 3] =
        [("Remediation", "revert-ssh"), ("Scope", "all"), ("SshSources", "203.0.113.0/24")];
    static DEPLOYED: OnceLock<()> = OnceLock::new();
    DEPLOYED.get_or_init(|| ministack::server().deploy("reverts", &PARAMETERS));
    ministack::server().stack("reverts")
}

#[tokio::test]
async fn what_is_deployed_closes_open_ssh_and_tells_the_topic() {
    let stack = reverting();
    let queue = stack.subscriber("told-by-reverts").await;
    let site = World::new().await.site(ACCOUNT, ministack::REGION).await;
    let group = site.group("typo3-shop").await;
    let rules = [tcp(22, 22).from("0.0.0.0/0"), tcp(22, 22).from("203.0.113.0/24")];
    let event = site.authorize(&group, Ingress, &rules).await;

    stack.deliver(&event).await;

    let message = stack.message(&queue).await;
    let finding = &message.report["findings"][0];
    assert_eq!(finding["group"]["id"], group.id, "{:#}", message.report);
    assert_eq!(finding["remediation"]["outcome"], "reverted", "{:#}", message.report);
    assert_eq!(site.ingress(&group).await, ["ingress tcp 22-22 203.0.113.0/24"]);
}

/// Every file of events/, and calls that change no rule.
fn events() -> BTreeMap<String, Value> {
    let read = |name: &str| -> Value {
        let text = fs::read(repository().join("events").join(name)).expect("an event");
        serde_json::from_slice(&text).expect("JSON")
    };
    let files = fs::read_dir(repository().join("events")).expect("the events");
    let names = files.map(|file| file.expect("a file").file_name().into_string().expect("UTF-8"));
    let mut events: BTreeMap<String, Value> =
        names.map(|name| (name.clone(), read(&name))).collect();
    for call in ["DescribeSecurityGroups", "DescribeSecurityGroupRules", "RunInstances"] {
        let mut event = read("authorize-open-ssh.json");
        event["detail"]["eventName"] = call.into();
        events.insert(call.to_owned(), event);
    }
    let mut event = read("authorize-open-ssh.json");
    event["source"] = "aws.rds".into();
    event["detail"]["eventSource"] = "rds.amazonaws.com".into();
    events.insert("another service".to_owned(), event);
    events
}

/// What the deployed rules leave of [`events`] for no rule of theirs, and what for others than the rule `Changes`.
fn assert_matched(stack: &Stack, by_others: &[(&str, &[&str])]) {
    // A schedule has no pattern, and what is wrapped or bare comes by other ways. Of the last three, which are about the
    // auditor itself, two are about another stack than this.
    const NOT_CHANGES: [&str; 15] = [
        "DescribeSecurityGroupRules",
        "DescribeSecurityGroups",
        "RunInstances",
        "another service",
        "bare-record.json",
        "create-tags.json",
        "delete-tags.json",
        "failure-destination.json",
        "scheduled-holds.json",
        "scheduled-sweep.json",
        "sns-wrapped.json",
        "sqs-wrapped.json",
        "stop-logging.json",
        "disable-rule.json",
        "update-function.json",
    ];
    let events = events();
    let mut matched = stack.matches(&events);
    let changes = matched.remove("Changes").expect("the rule");
    let expected: Vec<&String> =
        events.keys().filter(|name| !NOT_CHANGES.contains(&name.as_str())).collect();
    assert_eq!(changes.iter().collect::<Vec<_>>(), expected);
    matched.retain(|_, names| !names.is_empty());
    let by_others = by_others.iter().map(|(rule, names)| {
        ((*rule).to_owned(), names.iter().map(|name| (*name).to_owned()).collect())
    });
    assert_eq!(matched, by_others.collect::<BTreeMap<String, Vec<String>>>());
}

#[test]
fn the_rules_send_the_changes_of_groups_and_lists_and_nothing_else() {
    assert_matched(&reverting(), &[("WatchEvents", &["stop-logging.json"])]);
}
