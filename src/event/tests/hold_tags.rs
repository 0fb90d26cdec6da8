//! Changes of the tags of a hold, on rules that exist already.

use serde_json::{Value, json};

use super::{lines_of, record};

const UNTIL: &str = "sg-audit:allow-until";
const REASON: &str = "sg-audit:reason";

fn call(name: &str, resources: Value, tags: Value) -> Vec<String> {
    let request = json!({"resourcesSet": resources, "tagSet": tags});
    lines_of(&record(name, request, json!({"_return": true})))
}

fn key(key: &str) -> Value {
    json!({"items": [{"key": key, "value": "2026-03-12T16:00:00Z"}]})
}

fn rule() -> Value {
    json!({"items": [{"resourceId": "sgr-1"}]})
}

#[test]
fn a_call_about_a_tag_of_a_hold_names_the_rules() {
    for name in ["CreateTags", "DeleteTags"] {
        for tag in [UNTIL, REASON] {
            assert_eq!(call(name, rule(), key(tag)), ["tags of a hold on sgr-1"]);
        }
        let among_others = json!([{"key": "Name", "value": "x"}, {"key": REASON}]);
        assert_eq!(
            call(name, json!(["sgr-2", "i-1", "sgr-1", "sgr-2"]), among_others),
            ["tags of a hold on sgr-1, sgr-2"]
        );
    }
    // Whether the tag had that value, only EC2 knows.
    let with_value = json!([{"key": UNTIL, "value": "other"}]);
    assert_eq!(call("DeleteTags", rule(), with_value), ["tags of a hold on sgr-1"]);
    // Every tag.
    for all in [Value::Null, json!({}), json!({"items": []})] {
        assert_eq!(call("DeleteTags", rule(), all), ["tags of a hold on sgr-1"]);
    }
}

#[test]
fn other_tags_of_rules_do_not_matter() {
    let ignored = "ignored: `CreateTags`: none of its resources is a security group";
    for other in ["Name", "SG-AUDIT:ALLOW-UNTIL", "sg-audit:allow-until ", "sg-audit:x"] {
        assert_eq!(call("CreateTags", rule(), key(other)), [ignored], "{other}");
    }
}

#[test]
fn a_call_about_groups_and_rules_is_both() {
    let resources = json!(["sg-1", "sgr-1"]);
    let tags = json!([{"key": UNTIL, "value": "x"}]);
    assert_eq!(
        call("CreateTags", resources.clone(), tags),
        ["tags of a hold on sgr-1".to_owned(), format!("tags of sg-1: {UNTIL}=x")]
    );
    assert_eq!(
        call("DeleteTags", resources.clone(), Value::Null),
        ["tags of a hold on sgr-1", "tags of sg-1: all deleted"]
    );
    let other = json!([{"key": "Application", "value": "typo3"}]);
    assert_eq!(call("CreateTags", resources, other), ["tags of sg-1: Application=typo3"]);
}

#[test]
fn tags_of_rules_that_are_not_understood_may_be_those_of_a_hold() {
    let unread = "the tags of `CreateTags` are not understood";
    for (tags, reason) in [
        (json!({"omitted": true}), "`tagSet` was cut short by CloudTrail"),
        (json!([{"value": "x"}]), "`key` is missing"),
    ] {
        let expected = format!("tags of a hold on sgr-1: {unread}: {reason}");
        assert_eq!(call("CreateTags", rule(), tags.clone()), [&*expected]);
        let both = call("CreateTags", json!(["sgr-1", "sg-1"]), tags);
        assert_eq!(both, [expected, format!("sg-1: retagged: {unread}: {reason}")]);
    }
    let request = json!({"resourcesSet": rule(), "tagSet": key(UNTIL)});
    let mut failed = record("CreateTags", request, Value::Null);
    failed["errorCode"] = json!("Server.InternalError");
    assert_eq!(
        lines_of(&failed),
        [
            "tags of a hold on sgr-1: `CreateTags` (Server.InternalError): the call ended in a server \
          error, so what it changed is not known"
        ]
    );
    failed["errorCode"] = json!("Client.UnauthorizedOperation");
    let refused = "ignored: the call failed (Client.UnauthorizedOperation) and changed nothing";
    assert_eq!(lines_of(&failed), [refused]);
}

#[test]
fn an_id_that_is_not_one_of_a_rule_is_not_passed_over() {
    assert_eq!(
        call("CreateTags", json!(["sgr-", "sgr-1"]), key(UNTIL)),
        ["undecodable: the tags of `CreateTags` are not understood: \
          `sgr-` is not the id of a security group rule: write sgr-…"]
    );
}
