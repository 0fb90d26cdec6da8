//! Who watches the auditor: the rules that tell of a change of what it lives on, here and in other accounts.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use typo3_sg_auditor::event::{Kind, decode};

use super::{everything, member, rules};
use crate::support::resolved::{self, AUDITOR, MEMBER, resources, with_parts};
use crate::watched::{Owned, Place, SERVICES, Stacks, assert_told_once, of_somebody_else};

/// The role that a member's stack makes.
const MEMBER_ROLE: &str = "typo3-sg-auditor-member";
/// The auditor's stack, and a member's.
const HOME: Place<'_> = Place { account: "123456789012", region: "eu-central-1" };
const AWAY: Place<'_> = Place { account: "210987654321", region: "eu-west-1" };

#[test]
fn each_rule_is_watched_by_another_than_itself() {
    let [(_, auditor), _, (_, organisation)] = &everything()[..] else { panic!("three") };
    let watching: Vec<_> =
        rules(auditor).into_iter().filter(|(name, _)| name.starts_with("Watch")).collect();
    assert_eq!(watching.len(), 5, "{watching:?}");
    let mut watched = rules(auditor);
    watched.extend(rules(organisation));
    assert_eq!(watched.len(), 11);
    let names = watched.iter().map(|(rule, it)| {
        let name = it["Name"].as_str().expect("a name").to_owned();
        ((*rule).to_owned(), Owned { kind: "AWS::Events::Rule".to_owned(), name })
    });
    let events = HOME.calls(&names.collect(), &["events"]);
    assert_told_once(&events, &matches(&events, &resolved::patterns(auditor)));
}

/// The stack of a template with these parameters: what it has, and the patterns of its rules.
fn stack(template: &str, parameters: Value) -> (Stacks, BTreeMap<String, Value>) {
    let resources = resources(&[(template, parameters)]).remove(0);
    let text = |value: &Value| value.as_str().expect("text").replace("Serverless", "Lambda");
    let owned = |it: &Value| Owned { kind: text(&it["Type"]), name: text(&it["Ref"]) };
    let has = resources.iter().map(|(name, it)| (name.clone(), owned(it))).collect();
    (has, resolved::patterns(&resources))
}

/// The events that each pattern matches.
fn matches(
    events: &BTreeMap<String, Value>,
    patterns: &BTreeMap<String, Value>,
) -> BTreeMap<String, Vec<String>> {
    let mut by_rule: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (event, rules) in resolved::matched(events, patterns) {
        for rule in rules {
            by_rule.entry(rule).or_default().push(event.clone());
        }
    }
    by_rule
}

/// What would blind the auditor in an account, and what it is made of.
fn assert_understood(events: &BTreeMap<String, Value>, account: &str) {
    for (name, event) in events {
        let decoded = decode(event.to_string().as_bytes());
        let [decoded] = &decoded[..] else { panic!("{name}: {event:#}") };
        let Kind::Watched(change) = &decoded.kind else { panic!("{name}: {event:#}") };
        assert!(decoded.record.account.as_ref().is_some_and(|found| found == account), "{name}");
        assert_eq!(Some(change.call.as_str()), name.split(|c: char| !c.is_alphabetic()).next());
        assert!(change.resource.is_some(), "{name}");
    }
}

/// Docs/findings.md says which calls are told; each is, by one rule that is not the one it is about, and is understood.
#[test]
fn each_call_of_the_page_is_reported_once_with_the_resource_it_changed() {
    let settings = [
        json!({}),
        json!({"Scope": "tag:role=web", "Organisation": MEMBER_ROLE}),
        json!({"HoldMaxHours": "0", "Encryption": "topic"}),
        json!({"Encryption": "queues"}),
        json!({"Encryption": "all"}),
    ];
    for parameters in settings {
        let (has, patterns) = stack(AUDITOR, with_parts(parameters));
        let mut events = HOME.calls(&has, &SERVICES);
        assert!(events.len() > 100, "{:?}", events.keys());
        events.append(&mut HOME.calls_about_trails());
        assert_told_once(&events, &matches(&events, &patterns));
        assert_understood(&events, HOME.account);
        let others = HOME.calls(&of_somebody_else(&has), &SERVICES);
        assert_eq!(matches(&others, &patterns), BTreeMap::new());
    }
}

/// What else the patterns ask for, the page would not have.
#[test]
fn the_page_lists_every_call_that_is_reported() {
    let parameters = json!({
        "Scope": "tag:role=web", "Organisation": MEMBER_ROLE, "Encryption": "all",
    });
    let (has, patterns) = stack(AUDITOR, with_parts(parameters));
    let mut listed = HOME.calls(&has, &SERVICES);
    listed.append(&mut HOME.calls_about_trails());
    let mut told = 0;
    for (_, pattern) in patterns.iter().filter(|(rule, _)| rule.starts_with("Watch")) {
        for branch in pattern["$or"].as_array().expect("branches") {
            for name in branch["detail"]["eventName"].as_array().expect("calls") {
                let begins = |event: &Value| {
                    let call = event["detail"]["eventName"].as_str().expect("a name");
                    event["source"] == branch["source"][0]
                        && match name["prefix"].as_str() {
                            Some(prefix) => call.starts_with(prefix),
                            None => name == call,
                        }
                };
                assert!(listed.values().any(begins), "{name} of {}", branch["source"]);
                told += 1;
            }
        }
    }
    assert!(told > 30, "{told}");
}

#[test]
fn a_call_that_would_blind_the_auditor_in_another_account_arrives_once() {
    let mut parameters = member("tag:role=web");
    parameters["MemberRoleName"] = MEMBER_ROLE.into();
    let (has, rules) = stack(MEMBER, parameters);
    let auditor = json!({"Scope": "tag:role=web", "Organisation": MEMBER_ROLE});
    let (_, of_auditor) = stack(AUDITOR, with_parts(auditor));
    // A queue of what was not forwarded is there as well, which the page says is not watched.
    let mut events = AWAY.calls(&has, &["events", "iam"]);
    events.append(&mut AWAY.calls_about_trails());
    assert!(rules.len() == 3 && events.len() >= 4 + 3 * 5 + 2 * 6, "{:?}", events.keys());
    assert_told_once(&events, &matches(&events, &rules));
    let taken = matches(&events, &of_auditor);
    assert_eq!(taken.values().flatten().count(), events.len(), "{taken:#?}");
    assert_told_once(&events, &taken);
    assert_understood(&events, AWAY.account);
    // As well as those that a forwarder sends from another region of the auditor's own account.
    let own = Place { account: HOME.account, region: AWAY.region };
    let mut of_own = own.calls(&has, &["events", "iam"]);
    of_own.append(&mut own.calls_about_trails());
    assert_told_once(&of_own, &matches(&of_own, &rules));
    let taken = matches(&of_own, &of_auditor);
    assert_eq!(taken.values().flatten().count(), of_own.len(), "{taken:#?}");
    assert_told_once(&of_own, &taken);

    // What is not the auditor's there is none of its business, and what is in its own account has rules of its own.
    let nobodys = AWAY.calls(&of_somebody_else(&has), &["events", "iam"]);
    let own = HOME.calls(&has, &["events", "iam"]);
    for (events, rules) in [(&nobodys, &rules), (&nobodys, &of_auditor), (&own, &of_auditor)] {
        assert_eq!(matches(events, rules), BTreeMap::new());
    }
}
