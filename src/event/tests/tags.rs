//! Changes of the tags of security groups.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Event, Record, TagAction, TagChange, decode};
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
fn resources() {
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
    for others in [one("i-0abc"), one("sgr-0123456789abcdef0"), json!(["vpc-1", "subnet-1"])] {
        let ignored = "ignored: `CreateTags`: none of its resources is a security group";
        assert_eq!(create(others.clone(), typo3()), [ignored]);
        // Whatever was done to their tags.
        assert_eq!(create(others, json!({"omitted": true})), [ignored]);
    }
}

#[test]
fn created_tags() {
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
fn deleted_tags() {
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
fn what_was_done_to_a_key() {
    let deleted = TagAction::Deleted(Some("typo3".to_owned()));
    let mut change = TagChange {
        record: Record::default(),
        groups: vec!["sg-1".to_owned()],
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
fn tags_that_are_not_understood() {
    let unknown = |reason: &str| {
        format!("sg-1: unknown: the tags of `CreateTags` are not understood: {reason}")
    };
    let cases = [
        (json!({"omitted": true}), "`tagSet` was cut short by CloudTrail"),
        (json!("[...]"), "`tagSet` is a text, where a list should be"),
        (json!([{"value": "typo3"}]), "`key` is missing"),
        (json!(["Application"]), "`key` is missing"),
        (json!([{"key": "a", "value": {}}]), "`value` is missing"),
        (
            json!([{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]),
            "the tag `a` is in it twice",
        ),
        (Value::Null, "`tagSet` is missing"),
    ];
    for (tags, reason) in cases {
        assert_eq!(create(one("sg-1"), tags), [unknown(reason)]);
    }
    let several = create(json!(["sg-1", "sg-2"]), json!("..."));
    assert!(several[0].starts_with("sg-1: unknown") && several[1].starts_with("sg-2: unknown"));
    let many: Vec<String> = (0..21).map(|number| format!("sg-{number}")).collect();
    let many = create(json!(many), json!("..."));
    assert!(many[0].starts_with("undecodable: ") && many[0].ends_with(", and names 21 groups"));
}

#[test]
fn resources_that_are_not_understood() {
    let lost = |resources: Value| create(resources, typo3());
    let unread = |reason: &str| format!("the tags of `CreateTags` are not understood: {reason}");
    let none = [
        (json!({"omitted": true}), "`resourcesSet` was cut short by CloudTrail"),
        (json!("[...]"), "`resourcesSet` is a text, where a list should be"),
        (json!(["..."]), "`...` is no resource"),
        (json!([{}]), "`resourceId` is missing"),
        (Value::Null, "`resourcesSet` is missing"),
        (json!({"items": {}}), "`resourcesSet` is missing"),
    ];
    for (resources, reason) in none {
        assert_eq!(lost(resources), [format!("undecodable: {}", unread(reason))]);
    }
    // Those that are left, and that there were others.
    let reason = unread("`resourcesSet` was cut short by CloudTrail");
    assert_eq!(
        lost(json!({"omitted": true, "items": ["sg-1"]})),
        [format!("sg-1: unknown: {reason}"), format!("undecodable: {reason}")]
    );
    // Another shape: its groups are named.
    let request = json!({"resources": ["sg-1"], "tags": [{"key": "a", "value": "1"}]});
    assert_eq!(
        lines_of(&record("CreateTags", request, Value::Null)),
        [format!("sg-1: unknown: {}", unread("`resourcesSet` is missing"))]
    );
    assert_eq!(
        lines_of(&record("DeleteTags", json!({"omitted": true}), Value::Null)),
        ["undecodable: the tags of `DeleteTags` are not understood: \
          `requestParameters` was cut short by CloudTrail"]
    );
}

#[test]
fn outcomes() {
    let request = json!({"resourcesSet": one("sg-1"), "tagSet": typo3()});
    let mut event = record("CreateTags", request, Value::Null);
    event["errorCode"] = json!("Client.UnauthorizedOperation");
    let refused = "ignored: the call failed (Client.UnauthorizedOperation) and changed nothing";
    assert_eq!(lines_of(&event), [refused]);
    event["errorCode"] = json!("Server.InternalError");
    assert_eq!(
        lines_of(&event),
        ["sg-1: unknown: `CreateTags` (Server.InternalError): the call ended in a server error, \
          so what it changed is not known"]
    );
    event["errorCode"] = Value::Null;
    event["omitted"] = json!(true);
    let cut = "the record of `CreateTags` was cut short by CloudTrail";
    assert_eq!(lines_of(&event), [format!("sg-1: unknown: {cut}"), format!("undecodable: {cut}")]);
    // Other services have calls of the same name.
    event["eventSource"] = json!("elasticfilesystem.amazonaws.com");
    assert_eq!(lines_of(&event), ["ignored: `CreateTags`: not a security-group call"]);
}

#[test]
fn what_is_handed_on_is_read_as_it_was() {
    let set = |value: &str| TagAction::Set(value.to_owned());
    let deleted = |value: Option<&str>| TagAction::Deleted(value.map(str::to_owned));
    let tags = |name: &str, tags: &[(&str, TagAction)]| TagChange {
        record: Record {
            event_name: Some(name.to_owned()),
            event_id: Some("e-1".to_owned()),
            shared_event_id: Some("e-2".to_owned()),
            time: Some("2026-11-02T11:59:19Z".parse().unwrap()),
            account: Some("010987654321".to_owned()),
            region: Some("eu-central-1".to_owned()),
            actor: Some("arn:aws:iam::010987654321:user/ops".to_owned()),
            source_ip: Some("198.51.100.7".to_owned()),
            user_agent: Some("aws-cli".to_owned()),
        },
        groups: vec!["sg-1".to_owned(), "sg-2".to_owned()],
        tags: tags.iter().map(|(key, action)| ((*key).to_owned(), action.clone())).collect(),
        all_deleted: tags.is_empty(),
    };
    for change in [
        tags("CreateTags", &[("Role", set("typo3")), ("Empty", set("")), ("key", set("value"))]),
        tags(
            "DeleteTags",
            &[("Role", deleted(None)), ("a", deleted(Some(""))), ("b", deleted(Some("1")))],
        ),
        tags("DeleteTags", &[]),
    ] {
        let payload = change.to_payload().to_string();
        assert_eq!(decode(payload.as_bytes()), [Event::Tags(Box::new(change))], "{payload}");
    }
}
