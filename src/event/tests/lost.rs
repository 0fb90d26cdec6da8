//! Calls whose request CloudTrail left out, and with it the group.

use serde_json::{Value, json};

use super::{AUTHORIZE, lines_of, open_ssh, record, response, response_rule};

/// What CloudTrail writes in the place of a large request.
fn omitted() -> Value {
    json!({"omitted": true, "originalSize": 112_640, "reason": "SIZE_LIMIT_EXCEEDED"})
}

#[test]
fn a_call_that_lost_its_group_may_have_changed_any() {
    for call in [
        AUTHORIZE,
        "RevokeSecurityGroupEgress",
        "ModifySecurityGroupRules",
        "CreateSecurityGroup",
        "ReplaceSecurityGroupRules",
    ] {
        let expected = format!(
            "a change of any group: the rules of `{call}` are not understood: \
             `requestParameters` was cut short by CloudTrail"
        );
        for response in [Value::Null, json!({"_return": true}), omitted()] {
            assert_eq!(lines_of(&record(call, omitted(), response)), [&*expected]);
        }
    }
    for call in ["CreateTags", "DeleteTags"] {
        let expected = format!(
            "tags of any group: the tags of `{call}` are not understood: \
             `requestParameters` was cut short by CloudTrail"
        );
        assert_eq!(lines_of(&record(call, omitted(), Value::Null)), [expected]);
    }
    let request = json!({"ModifySecurityGroupRulesRequest": omitted()});
    assert_eq!(
        lines_of(&record("ModifySecurityGroupRules", request, Value::Null)),
        ["a change of any group: the rules of `ModifySecurityGroupRules` are not understood: \
          `ModifySecurityGroupRulesRequest` was cut short by CloudTrail"]
    );
    let group = record(AUTHORIZE, json!({"groupId": {"omitted": true}}), Value::Null);
    assert_eq!(lines_of(&group), ["a change of any group: `groupId` was cut short by CloudTrail"]);
}

#[test]
fn a_record_that_was_cut_short_as_a_whole_may_have_lost_its_group() {
    let mut event = record(AUTHORIZE, Value::Null, Value::Null);
    event["omitted"] = json!(true);
    let cut = format!("the record of `{AUTHORIZE}` was cut short by CloudTrail");
    assert_eq!(lines_of(&event), [format!("a change of any group: {cut}")]);
    event["eventName"] = json!("DeleteTags");
    let cut = "the record of `DeleteTags` was cut short by CloudTrail";
    assert_eq!(lines_of(&event), [format!("tags of any group: {cut}")]);
}

#[test]
fn a_group_that_is_known_all_the_same_is_the_one() {
    let rule = response_rule("sgr-1", "cidrIpv4", json!("0.0.0.0/0"));
    let lines = lines_of(&record(AUTHORIZE, omitted(), response(json!([rule]))));
    assert_eq!(lines, ["sg-1: ingress tcp 22-22 0.0.0.0/0"]);
    let mut named = open_ssh();
    named["requestParameters"] = json!({"omitted": true, "groupId": "sg-1"});
    assert!(lines_of(&named)[0].starts_with("sg-1: unknown: "), "{:?}", lines_of(&named));
    let created = record("CreateSecurityGroup", omitted(), json!({"groupId": "sg-1"}));
    assert_eq!(lines_of(&created), ["sg-1: created"]);
    let tags = record("CreateTags", json!({"omitted": true, "some": ["sg-1"]}), Value::Null);
    assert!(lines_of(&tags)[0].starts_with("sg-1: retagged: "), "{:?}", lines_of(&tags));
}

#[test]
fn a_call_that_was_refused_or_changes_nothing_is_still_ignored() {
    let mut refused = record(AUTHORIZE, omitted(), Value::Null);
    refused["errorCode"] = json!("Client.UnauthorizedOperation");
    assert!(lines_of(&refused)[0].starts_with("ignored: "));
    let reads = record("DescribeSecurityGroups", omitted(), Value::Null);
    assert_eq!(lines_of(&reads), ["ignored: `DescribeSecurityGroups`: it only reads"]);
}

/// No call that changes anything is without a request. What tools leave in its place differs.
#[test]
fn a_request_that_is_missing_without_a_mark_is_lost_as_well() {
    const LOST: &str = "the record has lost its `requestParameters`";
    for left in [Value::Null, json!({}), json!(""), json!([]), json!("{\"groupId\":\"sg-")] {
        for call in [AUTHORIZE, "RevokeSecurityGroupIngress", "ModifySecurityGroupRules"] {
            let expected =
                format!("a change of any group: the rules of `{call}` are not understood: {LOST}");
            for response in [Value::Null, json!({"_return": true}), omitted()] {
                assert_eq!(lines_of(&record(call, left.clone(), response)), [&*expected], "{left}");
            }
        }
        for call in ["CreateTags", "DeleteTags"] {
            let expected =
                format!("tags of any group: the tags of `{call}` are not understood: {LOST}");
            assert_eq!(lines_of(&record(call, left.clone(), Value::Null)), [expected], "{left}");
        }
        // The response may still tell the group.
        let rule = response_rule("sgr-1", "cidrIpv4", json!("0.0.0.0/0"));
        let told = record(AUTHORIZE, left.clone(), response(json!([rule])));
        assert_eq!(lines_of(&told), ["sg-1: ingress tcp 22-22 0.0.0.0/0"]);
        let mut refused = record(AUTHORIZE, left, Value::Null);
        refused["errorCode"] = json!("Client.UnauthorizedOperation");
        assert!(lines_of(&refused)[0].starts_with("ignored: "));
    }
    let mut absent = open_ssh();
    absent.as_object_mut().unwrap().remove("requestParameters");
    assert!(lines_of(&absent)[0].starts_with("a change of any group: "));
    // A request that is there and names no group is another matter.
    let nameless = record(AUTHORIZE, json!({"ipPermissions": {}}), Value::Null);
    assert_eq!(lines_of(&nameless), [format!("undecodable: `{AUTHORIZE}` names no group")]);
}
