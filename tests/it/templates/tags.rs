//! Which tag calls the rules of both templates match, and what becomes of calls whose request CloudTrail left out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::member;
use crate::support::resolved::{AUDITOR, MEMBER, matched, patterns, resources};

const SCOPES: [&str; 3] = ["", "all", "tag:role=web"];
const GROUP: &str = "sg-0a1b2c3d4e5f67890";
const RULE: &str = "sgr-0a1b2c3d4e5f60718";
const INSTANCE: &str = "i-0a1b2c3d4e5f67890";
const UNTIL: &str = "sg-audit:allow-until";
const REASON: &str = "sg-audit:reason";

/// The patterns of the two templates with this scope, each by its template.
fn both(scope: &str) -> [(&'static str, BTreeMap<String, Value>); 2] {
    let asked = [(AUDITOR, json!({"Scope": scope})), (MEMBER, member(scope))];
    let resources = resources(&asked);
    [(AUDITOR, patterns(&resources[0])), (MEMBER, patterns(&resources[1]))]
}

/// The event of a call to EC2 with these request parameters. `None` leaves the member out.
fn call(name: &str, request: Option<Value>) -> Value {
    let mut event = json!({
        "version": "0", "id": "2a7d9e40-b6c3-4e18-8f5a-d90c1e7b3f68", "source": "aws.ec2",
        "detail-type": "AWS API Call via CloudTrail", "account": "123456789012",
        "region": "eu-central-1", "time": "2026-03-12T09:02:44Z", "resources": [],
        "detail": {"eventSource": "ec2.amazonaws.com", "eventName": name},
    });
    if let Some(request) = request {
        event["detail"]["requestParameters"] = request;
    }
    event
}

/// The request of a tag call. No keys at all are no tag set.
fn tags(resources: &[&str], keys: &[&str]) -> Value {
    let resource = |id: &&str| json!({"resourceId": id});
    let tag = |key: &&str| json!({"key": key, "value": "some"});
    let resources: Vec<Value> = resources.iter().map(resource).collect();
    let mut request = json!({"resourcesSet": {"items": resources}});
    if !keys.is_empty() {
        request["tagSet"]["items"] = keys.iter().map(tag).collect();
    }
    request
}

/// Asserts that both templates match exactly these events by this rule and no others by any.
fn assert_matched(scope: &str, rule: &str, events: &[(&str, Value, bool)]) {
    let named: BTreeMap<String, Value> =
        events.iter().map(|(name, event, _)| ((*name).to_owned(), event.clone())).collect();
    assert_eq!(named.len(), events.len(), "two events of one name");
    for (template, patterns) in both(scope) {
        let matched = matched(&named, &patterns);
        for (name, event, is_matched) in events {
            let expected = if *is_matched { vec![rule.to_owned()] } else { Vec::new() };
            assert_eq!(matched[*name], expected, "{name} in {template} with {scope:?}: {event}");
        }
    }
}

#[test]
fn tag_calls_that_can_change_a_hold_are_matched_whatever_the_scope() {
    for scope in SCOPES {
        let mut events = Vec::new();
        for name in ["CreateTags", "DeleteTags"] {
            for (what, resources, keys, is_matched) in [
                ("the end", &[RULE][..], &[UNTIL][..], true),
                ("the reason", &[RULE], &[REASON], true),
                ("one of many tags", &[RULE], &["Name", REASON, "team"], true),
                ("one of many resources", &[INSTANCE, RULE], &[UNTIL], true),
                ("every tag", &[RULE], &[], true),
                ("every tag of many resources", &[INSTANCE, RULE], &[], true),
                ("another tag", &[RULE], &["Name"], false),
                ("a key that only begins like it", &[RULE], &["sg-audit:reasons"], false),
                ("another case", &[RULE], &["SG-Audit:Reason"], false),
                ("no rule", &[INSTANCE], &[UNTIL, REASON], false),
                ("a group", &[GROUP], &[UNTIL, REASON], false),
                ("every tag of no rule", &[INSTANCE], &[], false),
            ] {
                events.push((
                    format!("{name} {what}"),
                    call(name, Some(tags(resources, keys))),
                    is_matched,
                ));
            }
        }
        let events: Vec<(&str, Value, bool)> =
            events.iter().map(|(name, event, is)| (name.as_str(), event.clone(), *is)).collect();
        assert_matched(scope, "Changes", &events);
    }
}

#[test]
fn tag_calls_on_groups_are_matched_where_the_scope_is_a_tag() {
    for scope in SCOPES {
        let is_tag = scope == "tag:role=web";
        assert_matched(
            scope,
            "Changes",
            &[
                ("the tag", call("CreateTags", Some(tags(&[GROUP], &["role"]))), is_tag),
                ("among others", call("DeleteTags", Some(tags(&[GROUP], &["a", "role"]))), is_tag),
                ("every tag", call("DeleteTags", Some(tags(&[GROUP], &[]))), is_tag),
                ("another tag", call("CreateTags", Some(tags(&[GROUP], &["Name"]))), false),
                ("a rule", call("CreateTags", Some(tags(&[RULE], &["role"]))), false),
            ],
        );
    }
}

/// What CloudTrail or a tool on the way leaves of a request.
fn lost() -> Vec<(&'static str, Option<Value>)> {
    vec![
        ("omitted", Some(json!({"omitted": true}))),
        ("omitted, with its size", Some(json!({"omitted": true, "originalSize": 118_784}))),
        ("cut", Some(json!("{\"resourcesSet\":{\"items\":[{\"resou"))),
        ("null", Some(Value::Null)),
        ("absent", None),
    ]
}

#[test]
fn a_tag_call_whose_request_is_lost_is_matched_whatever_the_scope() {
    for scope in SCOPES {
        for name in ["CreateTags", "DeleteTags"] {
            let mut requests = lost();
            let omitted = json!({"omitted": true});
            let tags_left =
                json!({"resourcesSet": omitted, "tagSet": {"items": [{"key": "team"}]}});
            requests.push(("resources omitted", Some(tags_left)));
            let events: Vec<(&str, Value, bool)> = requests
                .into_iter()
                .map(|(what, request)| (what, call(name, request), true))
                .collect();
            assert_matched(scope, "Changes", &events);
            let of_rule =
                json!({"resourcesSet": {"items": [{"resourceId": RULE}]}, "tagSet": omitted});
            assert_matched(scope, "Changes", &[("tags omitted", call(name, Some(of_rule)), true)]);
        }
    }
}

#[test]
fn a_call_on_a_group_or_a_list_whose_request_is_lost_is_matched() {
    const CALLS: [&str; 9] = [
        "AuthorizeSecurityGroupIngress",
        "AuthorizeSecurityGroupEgress",
        "RevokeSecurityGroupIngress",
        "RevokeSecurityGroupEgress",
        "ModifySecurityGroupRules",
        "CreateSecurityGroup",
        "DeleteSecurityGroup",
        "ModifyManagedPrefixList",
        "RestoreManagedPrefixListVersion",
    ];
    for name in CALLS {
        let events: Vec<(&str, Value, bool)> =
            lost().into_iter().map(|(what, request)| (what, call(name, request), true)).collect();
        assert_matched("all", "Changes", &events);
    }
    for name in ["RunInstances", "DescribeTags", "CreateVpc"] {
        let events: Vec<(&str, Value, bool)> =
            lost().into_iter().map(|(what, request)| (what, call(name, request), false)).collect();
        assert_matched("tag:role=web", "none", &events);
    }
}
