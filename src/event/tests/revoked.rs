//! The rules that a Revoke call removed.

use serde_json::{Value, json};

use super::super::{ChangeKind, Removed};
use super::{change, lines_of, record, response_rule, ssh};

const REVOKE: &str = "RevokeSecurityGroupIngress";

/// The event does not tell anything about the rules.
const NOT_TOLD: &str = "sg-1: ingress revoked";

/// The event tells the protocol and the port of the rules only.
const OF_SSH: &str = "sg-1: ingress revoked of tcp 22";

const ANY: &str = "sg-1: revoked ingress tcp 22-22 0.0.0.0/0";

fn revoke(request: Value, response: Value) -> Vec<String> {
    lines_of(&record(REVOKE, request, response))
}

fn any_requested() -> Value {
    ssh("ipRanges", json!({"cidrIp": "0.0.0.0/0"}))
}

fn both_requested() -> Value {
    let mut request = any_requested();
    request["ipPermissions"]["items"][0]["ipv6Ranges"] = json!({"items": [{"cidrIpv6": "::/0"}]});
    request
}

fn answer(rules: Value) -> Value {
    json!({"_return": true, "revokedSecurityGroupRuleSet": {"items": rules}})
}

fn any_rule() -> Value {
    response_rule("sgr-1", "cidrIpv4", json!("0.0.0.0/0"))
}

#[test]
fn the_rules_are_in_the_response() {
    let asked = ssh("ipRanges", json!({"cidrIp": "203.0.113.9/0"}));
    let event = record(REVOKE, asked, answer(json!([any_rule()])));
    assert_eq!(lines_of(&event), [ANY]);
    let ChangeKind::Revoked(revoked) = change(&event).kind else { panic!("{event}") };
    let Removed::Rules(rules) = revoked.removed else { panic!("{event}") };
    let rule = &rules[0];
    assert_eq!(rule.id().unwrap().as_str(), "sgr-1");
    assert_eq!(rule.description(), Some("by EC2"));

    let peers = [
        ("cidrIpv6", json!("::/0"), "::/0"),
        ("prefixListId", json!("pl-1"), "pl-1"),
        ("referencedGroupId", json!("sg-2"), "sg-2"),
    ];
    for (member, peer, expected) in peers {
        let rule = response_rule("sgr-1", member, peer);
        let line = format!("sg-1: revoked ingress tcp 22-22 {expected}");
        assert_eq!(revoke(json!({"groupId": "sg-1"}), answer(json!([rule]))), [line]);
    }
    for request in [json!({"groupId": "sg-1", "omitted": true}), json!({"groupId": "sg-1"})] {
        assert_eq!(revoke(request, answer(json!([any_rule()]))), [ANY]);
    }
    assert_eq!(
        lines_of(&record(
            "RevokeSecurityGroupEgress",
            any_requested(),
            answer(json!([any_rule()]))
        )),
        ["sg-1: revoked egress tcp 22-22 0.0.0.0/0"]
    );
}

#[test]
fn otherwise_they_are_in_the_request() {
    let both = "sg-1: revoked ingress tcp 22-22 0.0.0.0/0, ingress tcp 22-22 ::/0";
    let answers = [
        Value::Null,
        json!({"_return": true}),
        json!({"_return": true, "unknownIpPermissionSet": {}}),
        json!({"_return": true, "unknownIpPermissionSet": {"items": []}}),
        json!({"_return": true, "revokedSecurityGroupRuleSet": {"omitted": true}}),
        // One of the two was lost.
        answer(json!([any_rule()])),
    ];
    for answer in answers {
        assert_eq!(revoke(both_requested(), answer.clone()), [both], "{answer}");
    }
    let flat = json!({
        "groupId": "sg-1", "ipPermissions": {},
        "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0",
    });
    assert_eq!(revoke(flat, json!({"_return": true})), [ANY]);
}

#[test]
fn rules_that_a_default_vpc_did_not_have_were_not_revoked() {
    let unknown = json!({"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22}]});
    let mut some = answer(json!([any_rule()]));
    some["unknownIpPermissionSet"] = unknown.clone();
    assert_eq!(revoke(both_requested(), some), [ANY]);
    for set in [unknown, json!({"omitted": true}), json!("[...]")] {
        let none = json!({"_return": true, "unknownIpPermissionSet": set});
        assert_eq!(revoke(both_requested(), none), [OF_SSH]);
    }
    // It may have been in what was lost.
    for lost in [json!({"omitted": true}), json!("[...]"), json!([]), json!(true)] {
        let expected = if lost == json!([]) { ANY } else { OF_SSH };
        assert_eq!(revoke(any_requested(), lost), [expected]);
    }
}

#[test]
fn a_rule_id_in_the_request_does_not_tell_the_rule() {
    let ids = [
        ("securityGroupRuleIds", json!({"items": [{"securityGroupRuleId": "sgr-1"}]})),
        ("securityGroupRuleIds", json!(["sgr-1"])),
        ("SecurityGroupRuleId", json!("sgr-1")),
        ("SecurityGroupRuleId", json!({"omitted": true})),
    ];
    for (member, ids) in ids {
        let mut request = json!({"groupId": "sg-1", "ipPermissions": {}});
        request[member] = ids.clone();
        assert_eq!(revoke(request.clone(), json!({"_return": true})), [NOT_TOLD], "{ids}");
        assert_eq!(revoke(request, answer(json!([any_rule()]))), [ANY]);
        // With others whose content the request has.
        let mut request = any_requested();
        request[member] = ids;
        assert_eq!(revoke(request.clone(), json!({"_return": true})), [NOT_TOLD]);
        assert_eq!(revoke(request, answer(json!([any_rule()]))), [NOT_TOLD]);
    }
}

#[test]
fn rules_that_cannot_be_read_are_not_told() {
    let without_peer = |protocol: &str, more: Value| {
        let mut permission = json!({"ipProtocol": protocol, "fromPort": 8, "toPort": -1});
        permission.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"groupId": "sg-1", "ipPermissions": {"items": [permission]}})
    };
    let flat = |protocol: Value| {
        json!({
            "groupId": "sg-1", "sourceSecurityGroupName": "web",
            "ipProtocol": protocol, "fromPort": 22, "toPort": 22,
        })
    };
    let mut two = ssh("groups", json!({"groupName": "web"}));
    let second = json!({"ipProtocol": "udp", "fromPort": 53, "toPort": 53});
    two["ipPermissions"]["items"].as_array_mut().unwrap().push(second);
    let requests = [
        (json!({"groupId": "sg-1"}), NOT_TOLD),
        (json!({"groupId": "sg-1", "ipPermissions": {"omitted": true}}), NOT_TOLD),
        (json!({"groupId": "sg-1", "omitted": true}), NOT_TOLD),
        (ssh("groups", json!({"groupName": "web"})), OF_SSH),
        (ssh("ipRanges", json!({"cidrIp": "[...]"})), OF_SSH),
        (two, "sg-1: ingress revoked of tcp 22, udp 53"),
        (flat(json!("tcp")), OF_SSH),
        (flat(Value::Null), NOT_TOLD),
        (without_peer("icmp", json!({})), "sg-1: ingress revoked of icmp type 8"),
        (without_peer("-1", json!({})), NOT_TOLD),
        // Whatever is not understood may name other rules.
        (without_peer("icmp", json!({"fromPort": "[...]"})), NOT_TOLD),
        (without_peer("icmp", json!({"kinds": {"items": [{"kind": "all"}]}})), NOT_TOLD),
        (without_peer("no protocol", json!({})), NOT_TOLD),
    ];
    let other_group = json!({
        "groupId": "sg-9", "securityGroupRuleId": "sgr-1",
        "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0",
    });
    for (request, expected) in requests {
        for answer in [Value::Null, json!({"_return": true}), answer(json!([other_group]))] {
            assert_eq!(revoke(request.clone(), answer), [expected], "{request}");
        }
    }
}
