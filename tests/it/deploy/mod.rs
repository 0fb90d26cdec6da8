//! The application as `sam deploy` deploys it: the template's functions, rules, queues and topics around the built function.

mod all_set;
mod defaults;
mod failures;
mod member;
mod opt;
mod organisation;
mod own_baseline;
mod parts;
mod settings;
mod upgrade;
mod watched;

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::ministack::{self, Built};
use crate::support::permission::tcp;
use crate::support::sg_audit::repository;
use crate::support::stack::Stack;
use crate::support::world::{ACCOUNT, Direction::Ingress, World};

/// What a revert needs; everything else has its default.
const REVERTS: [(&str, &str); 3] =
    [("Remediation", "revert-ssh"), ("Scope", "all"), ("SshSources", "203.0.113.0/24")];

/// The template as it is, with the function.
pub fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| ministack::server().build("built", |template| template))
}

/// A stack with what a revert needs, and the defaults.
fn reverting() -> Stack {
    static DEPLOYED: OnceLock<()> = OnceLock::new();
    DEPLOYED.get_or_init(|| built().deploy("reverts", &REVERTS));
    ministack::server().stack("reverts")
}

#[tokio::test]
async fn the_deployed_stack_closes_open_ssh_and_publishes_a_message() {
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

/// What [`events`] has beside the files.
const FOREIGN: [&str; 4] =
    ["DescribeSecurityGroupRules", "DescribeSecurityGroups", "RunInstances", "another service"];
/// A schedule has no pattern, and what is wrapped or bare comes by other ways.
const OTHER_WAYS: [&str; 6] = [
    "bare-record.json",
    "failure-destination.json",
    "scheduled-holds.json",
    "scheduled-sweep.json",
    "sns-wrapped.json",
    "sqs-wrapped.json",
];
/// What is about a group's tags.
const TAGS: [&str; 2] = ["create-tags.json", "delete-tags.json"];
/// What is about the auditor itself; all but the first are about another stack than these.
const WATCHED: [&str; 3] = ["stop-logging.json", "disable-rule.json", "update-function.json"];

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
    for call in &FOREIGN[..3] {
        let mut event = read("authorize-open-ssh.json");
        event["detail"]["eventName"] = (*call).into();
        events.insert((*call).to_owned(), event);
    }
    let mut event = read("authorize-open-ssh.json");
    event["source"] = "aws.rds".into();
    event["detail"]["eventSource"] = "rds.amazonaws.com".into();
    events.insert(FOREIGN[3].to_owned(), event);
    events
}

/// Asserts that the rule `Changes` of a stack matches what changes groups and lists, and nothing else. Returns what the
/// others match, those left out that match nothing.
fn matched_by_others(stack: &Stack) -> BTreeMap<String, Vec<String>> {
    let events = events();
    let mut matched = stack.matches(&events);
    let mut changes = matched.remove("Changes").expect("the rule");
    // Those depend on the scope.
    changes.retain(|name| !TAGS.contains(&name.as_str()));
    let others: Vec<&str> = [&FOREIGN[..], &OTHER_WAYS, &TAGS, &WATCHED].concat();
    let expected: Vec<&String> =
        events.keys().filter(|name| !others.contains(&name.as_str())).collect();
    assert_eq!(changes.iter().collect::<Vec<_>>(), expected);
    matched.retain(|_, names| !names.is_empty());
    matched
}

/// The events about a group's tags.
fn tagged() -> BTreeMap<String, Value> {
    let mut events = events();
    events.retain(|name, _| TAGS.contains(&name.as_str()));
    events
}

/// What some rules match, as [`matched_by_others`] returns it.
fn these(rules: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    rules.iter().map(|(rule, names)| ((*rule).to_owned(), owned(names))).collect()
}

#[test]
fn the_rules_send_the_changes_of_groups_and_lists_and_nothing_else() {
    assert_eq!(matched_by_others(&reverting()), BTreeMap::new());
    assert_eq!(reverting().matches(&tagged())["Changes"], [""; 0]);
}
