//! Who watches the auditor: the rules that tell of a change of what it lives on, here and in other accounts.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use typo3_sg_auditor::event::{Event, decode};

use super::{member, rules};
use crate::support::resolved::{AUDITOR, MEMBER, run};

/// The role that a member's stack makes, and its account.
const MEMBER_ROLE: &str = "typo3-sg-auditor-member";
const MEMBER_ACCOUNT: &str = "210987654321";

/// The rules of the auditor's stack, all that there can be, and the patterns of those that watch it.
pub fn watching() -> (BTreeMap<String, Value>, Vec<(String, Value)>) {
    let parameters = json!({"Scope": "tag:role=web", "MemberRoleName": MEMBER_ROLE});
    let rules = rules(&[(AUDITOR, parameters)]).remove(0);
    let watch = rules
        .iter()
        .filter(|(name, _)| name.starts_with("Watch"))
        .map(|(name, rule)| (name.clone(), rule["pattern"].clone()))
        .collect();
    (rules, watch)
}

#[test]
fn each_rule_is_watched_by_another_than_itself() {
    let (rules, watch) = watching();
    assert_eq!(watch.len(), 4, "{watch:?}");
    for (rule, properties) in &rules {
        let name = format!("\"{}\"", properties["name"].as_str().expect("a name"));
        let watched = watch.iter().filter(|(other, _)| other != rule).any(|(_, pattern)| {
            // As `name` and as `rule`: the calls differ in what they call it.
            pattern.to_string().matches(name.as_str()).count() == 2
        });
        assert!(watched, "nobody tells of a change of {rule}");
    }
}

/// An event about a call of somebody in the member's account.
fn of_member(service: &str, call: &str, request: Value) -> Value {
    json!({
        "source": format!("aws.{service}"), "detail-type": "AWS API Call via CloudTrail",
        "account": MEMBER_ACCOUNT, "region": "eu-west-1",
        "detail": {
            "eventSource": format!("{service}.amazonaws.com"), "eventName": call,
            "recipientAccountId": MEMBER_ACCOUNT, "awsRegion": "eu-west-1",
            "requestParameters": request,
        },
    })
}

#[test]
fn what_would_blind_the_auditor_in_another_account_comes_to_it_once() {
    let (of_auditor, _) = watching();
    let matches = |events: &BTreeMap<String, Value>, rules: &BTreeMap<String, Value>| {
        let patterns: BTreeMap<&String, &Value> = rules
            .iter()
            .filter(|(_, rule)| !rule["pattern"].is_null())
            .map(|(name, rule)| (name, &rule["pattern"]))
            .collect();
        let asked = json!({"patterns": patterns, "events": events});
        let matches: BTreeMap<String, Vec<String>> =
            serde_json::from_slice(&run("match_events.py", &asked)).expect("JSON");
        matches
    };
    let mut parameters = member("tag:role=web");
    parameters["MemberRoleName"] = MEMBER_ROLE.into();
    let rules = rules(&[(MEMBER, parameters)]).remove(0);
    let mut events: BTreeMap<String, Value> = BTreeMap::new();
    for call in ["StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"] {
        events
            .insert(format!("{call} trail"), of_member("cloudtrail", call, json!({"name": "all"})));
    }
    for (rule, properties) in &rules {
        let name = &properties["name"];
        for call in ["DisableRule", "DeleteRule", "PutRule"] {
            events
                .insert(format!("{call} {rule}"), of_member("events", call, json!({"name": name})));
        }
        for call in ["RemoveTargets", "PutTargets"] {
            events
                .insert(format!("{call} {rule}"), of_member("events", call, json!({"rule": name})));
        }
    }
    let forward = "sg-auditor-member-forward-0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f";
    for role in [MEMBER_ROLE, forward] {
        for call in ["DeleteRole", "DeleteRolePolicy", "PutRolePolicy", "UpdateAssumeRolePolicy"] {
            events.insert(
                format!("{call} {role}"),
                of_member("iam", call, json!({"roleName": role})),
            );
        }
    }
    assert!(rules.len() == 4 && events.len() == 4 + 4 * 5 + 2 * 4, "{:?}", events.keys());

    let (forwarded, taken) = (matches(&events, &rules), matches(&events, &of_auditor));
    for (name, event) in &events {
        let [by] = &forwarded[name][..] else {
            panic!("{name} is forwarded by {:?}", forwarded[name])
        };
        assert!(!name.ends_with(&format!(" {by}")), "{by} cannot tell of itself");
        assert_eq!(taken[name].len(), 1, "{name} is taken by {:?}", taken[name]);
        let [Event::Watched(change)] = &decode(event.to_string().as_bytes())[..] else {
            panic!("{name}")
        };
        assert_eq!(change.record.account.as_deref(), Some(MEMBER_ACCOUNT));
        assert!(change.resource.is_some(), "{name}");
    }

    // What is not the auditor's there is none of its business, and what is in its own account has rules of its own.
    let mut own = events.clone();
    own.retain(|name, _| !name.ends_with(" trail"));
    for event in own.values_mut() {
        event["account"] = "123456789012".into();
    }
    let nobodys = [
        ("other rule", of_member("events", "DisableRule", json!({"name": "nightly-backup"}))),
        ("other role", of_member("iam", "DeleteRole", json!({"roleName": "deployer"}))),
    ];
    let nobodys: BTreeMap<String, Value> =
        nobodys.into_iter().map(|(name, event)| (name.to_owned(), event)).collect();
    for (events, rules) in [(&nobodys, &rules), (&nobodys, &of_auditor), (&own, &of_auditor)] {
        for (name, by) in matches(events, rules) {
            assert_eq!(by, [""; 0], "{name}");
        }
    }
}

#[test]
fn what_is_watched_is_understood_with_what_it_changed() {
    let (_, watch) = watching();
    let mut calls = 0;
    for (_, pattern) in &watch {
        for branch in pattern["$or"].as_array().expect("branches") {
            let service = branch["source"][0].as_str().expect("a source");
            let service = service.strip_prefix("aws.").expect("an AWS service");
            let detail = &branch["detail"];
            for name in detail["eventName"].as_array().expect("calls") {
                // The version of Lambda's API may follow.
                let name = name.as_str().or(name["prefix"].as_str()).expect("a name");
                let either = detail["requestParameters"]["$or"].as_array().cloned();
                for request in either.unwrap_or(vec![detail["requestParameters"].clone()]) {
                    let mut record = json!({
                        "eventSource": format!("{service}.amazonaws.com"), "eventName": name,
                        "requestParameters": named(&request),
                        "responseElements": named(&detail["responseElements"]),
                    });
                    if service == "cloudtrail" {
                        record["requestParameters"] = json!({"name": "any"});
                    }
                    let events = decode(record.to_string().as_bytes());
                    let [Event::Watched(change)] = &events[..] else {
                        panic!("{record}: {events:?}")
                    };
                    assert!(change.resource.is_some(), "{record}");
                    calls += 1;
                }
            }
        }
    }
    assert!(calls > 30, "{calls}");
}

/// The members that a pattern asks for, each with something in it.
fn named(pattern: &Value) -> Value {
    let members = pattern.as_object().into_iter().flatten();
    members.map(|(name, _)| (name.clone(), json!("something"))).collect()
}
