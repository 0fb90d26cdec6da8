//! Accounts, regions and ids that are not valid, or do not agree.

use serde_json::{Value, json};

use super::super::{ChangeKind, Kind, decode};
use super::{
    AUTHORIZE, OPEN_SSH, change, event, lines_of, open_ssh, record, response, response_rule, ssh,
};

fn with(mut value: Value, place: &str, id: Value) -> Value {
    let (parent, name) = place.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap()[name] = id;
    value
}

fn enveloped() -> Value {
    json!({
        "detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2",
        "account": "123456789012", "region": "eu-central-1", "detail": open_ssh(),
    })
}

#[test]
fn a_region_that_is_not_valid_makes_a_record_undecodable() {
    let region =
        |text: &str| format!("`{text}` is not an AWS region: write one such as eu-central-1");
    for (place, id, reason) in [
        ("/detail/awsRegion", json!("EU-CENTRAL-1"), region("EU-CENTRAL-1")),
        ("/detail/awsRegion", json!("evil.example/"), region("evil.example/")),
        ("/region", json!("x.evil.example"), region("x.evil.example")),
        (
            "/detail/awsRegion",
            json!(["eu-central-1"]),
            "`awsRegion` is a list, not a string".to_owned(),
        ),
    ] {
        let payload = with(enveloped(), place, id);
        assert_eq!(lines_of(&payload), [format!("sg-1 undecodable: {reason}")], "{payload}");
        // Everything else in the record is still there.
        let record = event(&payload).record;
        assert_eq!(record.event_name.as_deref(), Some(AUTHORIZE));
        assert_eq!(record.actor.as_deref(), Some("arn:aws:iam::123456789012:user/operator"));
    }
    assert_eq!(lines_of(&enveloped()), [OPEN_SSH]);
}

/// Logs that were made anonymous have such accounts.
#[test]
fn an_account_that_is_not_one_is_not_known() {
    for account in [
        json!("000000000"),
        json!("12345"),
        json!("[...]"),
        json!(1_234_567_890_123_i64),
        json!("12345678901x"),
        json!(["123456789012"]),
        json!({"omitted": true}),
    ] {
        let bare = with(open_ssh(), "/recipientAccountId", account.clone());
        assert_eq!(lines_of(&bare), [OPEN_SSH], "{account}");
        let whole = with(enveloped(), "/detail/recipientAccountId", account.clone());
        let whole = with(whole, "/account", account.clone());
        assert_eq!(lines_of(&whole), [OPEN_SSH], "{account}");
        if account.is_string() {
            // The caller's account is another matter.
            assert_eq!(event(&bare).record.account, None, "{account}");
            assert_eq!(event(&whole).record.account, None, "{account}");
        }
    }
}

#[test]
fn an_envelope_and_a_record_that_disagree_are_undecodable() {
    let says = |what: &str, envelope: &str, record: &str| {
        format!(
            "undecodable: the envelope says that the {what} is `{envelope}`, and the record \
             in it says `{record}`"
        )
    };
    for (place, text, reason) in [
        ("/account", "210987654321", says("account", "210987654321", "123456789012")),
        (
            "/detail/recipientAccountId",
            "210987654321",
            says("account", "123456789012", "210987654321"),
        ),
        // As the texts that they are.
        ("/account", "000000000", says("account", "000000000", "123456789012")),
        ("/region", "eu-west-1", says("region", "eu-west-1", "eu-central-1")),
        ("/detail/awsRegion", "eu-west-1", says("region", "eu-central-1", "eu-west-1")),
    ] {
        let payload = with(enveloped(), place, json!(text));
        assert_eq!(lines_of(&payload), [format!("sg-1 {reason}")], "{payload}");
        // In whatever it arrives.
        let queued = json!({"Records": [{"body": payload.to_string()}]});
        assert_eq!(lines_of(&queued), [format!("sg-1 {reason}")]);
        // The groups of a tag call, the one in a response, and none where the record names none.
        let call = |name: &str, request, response| {
            let detail = record(name, request, response);
            lines_of(&with(with(enveloped(), "/detail", detail), place, json!(text)))
        };
        let tagged = json!({"resourcesSet": {"items": [
            {"resourceId": "sg-0000000000000000b"}, {"resourceId": "sg-0000000000000000c"},
        ]}});
        let both = ["sg-0000000000000000b", "sg-0000000000000000c"];
        assert_eq!(
            call("CreateTags", tagged, Value::Null),
            both.map(|group| format!("{group} {reason}"))
        );
        let rule = response_rule("sgr-1", "cidrIpv4", json!("0.0.0.0/0"));
        let told = call(AUTHORIZE, Value::Null, response(json!([rule])));
        assert_eq!(told, [format!("sg-1 {reason}")]);
        let peer = ssh("groups", json!({"groupId": "sg-0000000000000000d"}));
        assert_eq!(call(AUTHORIZE, peer, Value::Null), [format!("sg-1 {reason}")]);
        assert_eq!(call(AUTHORIZE, Value::Null, Value::Null), [reason]);
    }
    // Only one of them tells.
    for place in ["/account", "/region", "/detail/recipientAccountId", "/detail/awsRegion"] {
        for nothing in [Value::Null, json!("")] {
            assert_eq!(lines_of(&with(enveloped(), place, nothing)), [OPEN_SSH], "{place}");
        }
    }
    // The same account, once as a number that has lost its zeros.
    let mut same = with(enveloped(), "/account", json!(10_987_654_321_i64));
    same["detail"]["recipientAccountId"] = json!("010987654321");
    assert_eq!(lines_of(&same), [OPEN_SSH]);
}

#[test]
fn an_account_written_as_a_number_gets_its_leading_zeros_back() {
    for place in ["/detail/recipientAccountId", "/account"] {
        let mut payload = with(enveloped(), place, json!(10_987_654_321_i64));
        if place == "/account" {
            payload["detail"].as_object_mut().unwrap().remove("recipientAccountId");
        } else {
            payload.as_object_mut().unwrap().remove("account");
        }
        assert_eq!(event(&payload).record.account.unwrap().as_str(), "010987654321");
    }
}

#[test]
fn a_callers_account_that_is_not_valid_counts_as_absent() {
    let mut payload = open_ssh();
    payload.as_object_mut().unwrap().remove("recipientAccountId");
    payload["userIdentity"]["accountId"] = json!("amazon");
    assert_eq!(lines_of(&payload), [OPEN_SSH]);
    assert_eq!(event(&payload).record.account, None);
}

#[test]
fn a_call_that_changed_nothing_is_ignored_whatever_its_ids_are() {
    for place in ["/recipientAccountId", "/awsRegion", "/requestParameters/groupId"] {
        let mut refused = with(open_ssh(), place, json!("[...]"));
        refused["errorCode"] = json!("Client.UnauthorizedOperation");
        let ignored = "ignored: the call failed (Client.UnauthorizedOperation) and changed nothing";
        assert_eq!(lines_of(&refused), [ignored]);
        let mut harmless = with(open_ssh(), place, json!("[...]"));
        harmless["eventName"] = json!("DescribeSecurityGroups");
        assert_eq!(lines_of(&harmless), ["ignored: `DescribeSecurityGroups`: it only reads"]);
        let record = event(&harmless).record;
        assert_eq!(record.event_name.as_deref(), Some("DescribeSecurityGroups"));
        assert!(record.event_id.is_some());
    }
}

#[test]
fn every_other_call_of_an_invalid_place_is_undecodable() {
    let resources = json!({"resourcesSet": ["sg-1"], "tagSet": [{"key": "a", "value": "1"}]});
    for (call, named) in [
        (record("CreateTags", resources, Value::Null), "sg-1 "),
        (record("ModifyManagedPrefixList", json!({"PrefixListId": "pl-1"}), Value::Null), ""),
        (record("?", json!({"groupId": "sg-1"}), Value::Null), "sg-1 "),
        (
            with(
                record("StopLogging", json!({"name": "all"}), Value::Null),
                "/eventSource",
                json!("cloudtrail.amazonaws.com"),
            ),
            "",
        ),
    ] {
        assert!(!lines_of(&call)[0].starts_with("undecodable"), "{call}");
        let lines = lines_of(&with(call, "/awsRegion", json!("Frankfurt")));
        let reason = "`Frankfurt` is not an AWS region: write one such as eu-central-1";
        assert_eq!(lines, [format!("{named}undecodable: {reason}")]);
    }
}

#[test]
fn a_group_id_that_is_not_valid_makes_a_record_undecodable() {
    let invalid =
        |id: &str| format!("undecodable: `{id}` is not the id of a security group: write sg-…");
    for id in ["[...]", "sg-", "sg-web-servers", "sg-1 --region x"] {
        let named = with(open_ssh(), "/requestParameters/groupId", json!(id));
        assert_eq!(lines_of(&named), [invalid(id)]);
        let mut unnamed = named;
        unnamed.as_object_mut().unwrap().remove("eventName");
        assert_eq!(lines_of(&unnamed), [invalid(id)]);
        let created =
            record("CreateSecurityGroup", json!({"groupName": "web"}), json!({"groupId": id}));
        assert_eq!(lines_of(&created), [invalid(id)]);
        let rule =
            with(response_rule("sgr-1", "cidrIpv4", json!("0.0.0.0/0")), "/groupId", json!(id));
        let by_name = record(AUTHORIZE, json!({"groupName": "web"}), response(json!([rule])));
        assert_eq!(lines_of(&by_name), [invalid(id)]);
    }
    let list = with(open_ssh(), "/requestParameters/groupId", json!(["sg-1"]));
    assert_eq!(lines_of(&list), ["undecodable: `groupId` is a list, not a string"]);
}

#[test]
fn groups_in_a_text_of_an_invalid_place_are_named_and_not_audited() {
    let payload =
        json!({"account": "123456789012", "region": "x", "detail": "{sg-0123456789abcdef0}"});
    let lines = lines_of(&payload);
    assert_eq!(lines.len(), 1);
    let start = "sg-0123456789abcdef0 undecodable: the `detail` of the event is not JSON: ";
    assert!(lines[0].starts_with(start), "{lines:?}");
    assert!(lines[0].ends_with("; `x` is not an AWS region: write one such as eu-central-1"));
}

#[test]
fn a_rule_id_in_a_response_that_is_not_valid_is_not_known() {
    let rule = response_rule("[...]", "cidrIpv4", json!("0.0.0.0/0"));
    let request = ssh("ipRanges", json!({"cidrIp": "0.0.0.0/0"}));
    let payload = record(AUTHORIZE, request, response(json!([rule])));
    let ChangeKind::Authorized(rules) = change(&payload).kind else { panic!("{payload}") };
    assert_eq!((rules[0].id(), rules[0].description()), (None, Some("by EC2")));
}

#[test]
fn a_rule_id_in_a_modify_call_has_to_be_valid() {
    let content = json!({"IpProtocol": "-1", "CidrIpv4": "0.0.0.0/0"});
    let item = json!({"SecurityGroupRuleId": "[...]", "SecurityGroupRule": content});
    let request = json!({"GroupId": "sg-1", "SecurityGroupRule": item});
    assert_eq!(
        lines_of(&record("ModifySecurityGroupRules", request, Value::Null)),
        ["sg-1: unknown: the rules of `ModifySecurityGroupRules` are not understood: \
          `[...]` is not the id of a security group rule: write sgr-…"]
    );
}

#[test]
fn the_place_of_a_schedule_does_not_matter() {
    let payload = json!({
        "detail-type": "Scheduled Event", "source": "aws.events", "account": "x", "region": "x",
        "detail": {},
    });
    let events = decode(payload.to_string().as_bytes());
    assert!(matches!(events[0].kind, Kind::Job(_)), "{events:?}");
}
