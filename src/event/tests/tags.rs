//! Changes of the tags of security groups.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{TagAction, TagChange};
use super::{lines_of, record};

fn create(resources: Value, tags: Value) -> Vec<String> {
    let request = json!({"resourcesSet": resources, "tagSet": tags});
    lines_of(&record("CreateTags", request, json!({"_return": true})))
}

fn delete(tags: Value) -> Vec<String> {
    let request = json!({"resourcesSet": {"items": [{"resourceId": "sg-1"}]}, "tagSet": tags});
    lines_of(&record("DeleteTags", request, json!({"_return": true})))
}

fn typo3() -> Value {
    json!({"items": [{"key": "Application", "value": "typo3"}]})
}

fn one(id: &str) -> Value {
    json!({"items": [{"resourceId": id}]})
}

#[test]
fn groups_are_found_among_the_resources() {
    let of_one = [
        one("sg-1"),
        json!([{"resourceId": "sg-1"}]),
        json!({"resourceId": "sg-1"}),
        json!({"items": {"resourceId": "sg-1"}}),
        json!(["sg-1"]),
        json!({"items": ["sg-1"]}),
        json!(["i-0abc", "sg-1", "sgr-1", "pl-1", "sg-1"]),
    ];
    for resources in of_one {
        let lines = create(resources.clone(), typo3());
        assert_eq!(lines, ["tags of sg-1: Application=typo3"], "{resources}");
    }
    assert_eq!(
        create(json!(["sg-2", "vpc-1", "sg-1"]), typo3()),
        ["tags of sg-1, sg-2: Application=typo3"]
    );
    let ignored = "ignored: `CreateTags`: none of its resources is a security group";
    for others in [one("i-0abc"), json!(["vpc-1", "subnet-1"])] {
        assert_eq!(create(others.clone(), typo3()), [ignored]);
        // What was done to their tags does not matter.
        assert_eq!(create(others, json!({"omitted": true})), [ignored]);
    }
    assert_eq!(create(one("sgr-0123456789abcdef0"), typo3()), [ignored]);
}

#[test]
fn tags_that_were_set() {
    let cases = [
        (typo3(), "Application=typo3"),
        (json!({"key": "Application", "value": "typo3"}), "Application=typo3"),
        (json!([{"Key": "a", "Value": "1"}, {"key": "b", "value": 2}]), "a=1 b=2"),
        (json!([{"key": "Application", "value": ""}]), "Application="),
        (json!([{"key": "Application"}]), "Application="),
        (json!([{"key": "a", "value": "1"}, {"key": "a", "value": "1"}]), "a=1"),
    ];
    for (tags, expected) in cases {
        assert_eq!(create(one("sg-1"), tags), [format!("tags of sg-1: {expected}")]);
    }
}

#[test]
fn tags_that_were_deleted() {
    let cases = [
        (json!([{"key": "Application"}]), "-Application"),
        (json!([{"key": "Application", "value": null}]), "-Application"),
        (json!([{"key": "Application", "value": "typo3"}]), "-Application=typo3"),
        (json!([{"key": "Application", "value": ""}]), "-Application="),
        (json!([{"key": "a"}, {"key": "b", "value": "1"}]), "-a -b=1"),
        (Value::Null, "all deleted"),
        (json!({}), "all deleted"),
        (json!({"items": []}), "all deleted"),
    ];
    for (tags, expected) in cases {
        assert_eq!(delete(tags), [format!("tags of sg-1: {expected}")]);
    }
}

#[test]
fn the_action_for_a_key() {
    let deleted = TagAction::Deleted(Some("typo3".to_owned()));
    let mut change = TagChange {
        groups: vec!["sg-1".parse().unwrap()],
        tags: BTreeMap::from([("Application".to_owned(), deleted.clone())]),
        all_deleted: false,
    };
    assert_eq!(change.action("Application"), Some(deleted));
    assert_eq!(change.action("application"), None);
    change.tags.clear();
    change.all_deleted = true;
    assert_eq!(change.action("Application"), Some(TagAction::Deleted(None)));
}

#[test]
fn groups_with_tags_that_are_not_understood_are_retagged() {
    let unknown = |reason: &str| {
        format!("sg-1: retagged: the tags of `CreateTags` are not understood: {reason}")
    };
    let cases = [
        (json!({"omitted": true}), "`tagSet` was cut short by CloudTrail"),
        (json!("[...]"), "`tagSet` is a string, not a list"),
        (json!([{"value": "typo3"}]), "`key` is missing"),
        (json!(["Application"]), "`key` is missing"),
        (json!([{"key": "a", "value": {}}]), "`value` is missing"),
        (
            json!([{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]),
            "the tag `a` is in it twice, with different values",
        ),
        (Value::Null, "`tagSet` is missing"),
    ];
    for (tags, reason) in cases {
        assert_eq!(create(one("sg-1"), tags), [unknown(reason)]);
    }
    let several = create(json!(["sg-1", "sg-2"]), json!("..."));
    assert!(several[0].starts_with("sg-1: retagged") && several[1].starts_with("sg-2: retagged"));
    let many: Vec<String> = (0..21).map(|number| format!("sg-{number}")).collect();
    let many = create(json!(many), json!("..."));
    assert!(many[0].starts_with("undecodable: ") && many[0].ends_with(", and it names 21 groups"));
}

#[test]
fn resources_that_are_not_understood_may_be_groups() {
    let lost = |resources: Value| create(resources, typo3());
    let unread = |reason: &str| format!("the tags of `CreateTags` are not understood: {reason}");
    let none = [
        (json!("[...]"), "`resourcesSet` is a string, not a list"),
        (json!(["..."]), "`...` is not the id of a resource"),
        (
            json!(["sg-web-servers"]),
            "`sg-web-servers` is not the id of a security group: write sg-…",
        ),
        (json!([{}]), "`resourceId` is missing"),
        (Value::Null, "`resourcesSet` is missing"),
        (json!({"items": {}}), "`resourcesSet` is missing"),
    ];
    for (resources, reason) in none {
        assert_eq!(lost(resources), [format!("undecodable: {}", unread(reason))]);
    }
    assert_eq!(
        lost(json!({"omitted": true})),
        [format!("tags of any group: {}", unread("`resourcesSet` was cut short by CloudTrail"))]
    );
    // The groups that are left, and an event for those that were lost.
    let reason = unread("`resourcesSet` was cut short by CloudTrail");
    assert_eq!(
        lost(json!({"omitted": true, "items": ["sg-1"]})),
        [format!("sg-1: retagged: {reason}"), format!("undecodable: {reason}")]
    );
    // Another shape: its groups are named.
    let request = json!({"resources": ["sg-1"], "tags": [{"key": "a", "value": "1"}]});
    assert_eq!(
        lines_of(&record("CreateTags", request, Value::Null)),
        [format!("sg-1: retagged: {}", unread("`resourcesSet` is missing"))]
    );
}

#[test]
fn failed_tag_calls_are_ignored_and_server_errors_are_not() {
    let request = json!({"resourcesSet": one("sg-1"), "tagSet": typo3()});
    let mut event = record("CreateTags", request, Value::Null);
    event["errorCode"] = json!("Client.UnauthorizedOperation");
    let refused = "ignored: the call failed (Client.UnauthorizedOperation) and changed nothing";
    assert_eq!(lines_of(&event), [refused]);
    event["errorCode"] = json!("Server.InternalError");
    assert_eq!(
        lines_of(&event),
        ["sg-1: retagged: `CreateTags` (Server.InternalError): the call ended in a server error, \
          so what it changed is not known"]
    );
    event["errorCode"] = Value::Null;
    event["omitted"] = json!(true);
    let cut = "the record of `CreateTags` was cut short by CloudTrail";
    assert_eq!(lines_of(&event), [format!("sg-1: retagged: {cut}"), format!("undecodable: {cut}")]);
    // Other services have calls of the same name.
    event["eventSource"] = json!("elasticfilesystem.amazonaws.com");
    assert_eq!(lines_of(&event), ["ignored: `CreateTags`: not a security-group call"]);
}
