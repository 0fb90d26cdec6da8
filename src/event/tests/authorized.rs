//! Every shape of an Authorize call that is known to arrive, and the rules in it.

use serde_json::{Value, json};

use super::super::ChangeKind;
use super::{AUTHORIZE, OPEN_SSH, change, lines_of, record, response, response_rule, ssh};
use crate::ec2::Rule;

/// The rules of an Authorize call with this one permission in it.
fn permission(permission: Value) -> Vec<String> {
    let request = json!({"groupId": "sg-1", "ipPermissions": {"items": [permission]}});
    lines_of(&record(AUTHORIZE, request, Value::Null))
}

fn not_understood(request: &str, response: &str) -> String {
    format!(
        "sg-1: unknown: the rules of `{AUTHORIZE}` are not understood: \
         in the request, {request}; in the response, {response}"
    )
}

const NO_RESPONSE: &str = "it contains no rule";

#[test]
fn permissions_in_every_spelling() {
    let understood = [
        (json!({"ipProtocol": "tcp", "fromPort": "22", "toPort": "22"}), "tcp 22-22"),
        (json!({"ipProtocol": "tcp", "fromPort": 22.0, "toPort": 22}), "tcp 22-22"),
        (json!({"ipProtocol": "TCP", "fromPort": 22, "toPort": 22}), "tcp 22-22"),
        (json!({"ipProtocol": "6", "fromPort": 22, "toPort": 22}), "tcp 22-22"),
        (json!({"ipProtocol": 17, "fromPort": 53, "toPort": 53}), "udp 53-53"),
        (json!({"ipProtocol": "icmp", "fromPort": 8, "toPort": -1}), "icmp 8--1"),
        (json!({"ipProtocol": "58", "fromPort": -1, "toPort": -1}), "icmpv6 -1--1"),
        (json!({"ipProtocol": "50"}), "50 *"),
        (json!({"ipProtocol": "-1"}), "all *"),
        (json!({"ipProtocol": -1, "fromPort": 0, "toPort": 0}), "all *"),
        (json!({"ipProtocol": "-1", "fromPort": 0, "toPort": 65535}), "all *"),
        (json!({"ipProtocol": "-1", "fromPort": -1, "toPort": -1}), "all *"),
        (json!({"ipProtocol": "-1", "fromPort": null, "toPort": ""}), "all *"),
    ];
    for (mut given, expected) in understood {
        given["ipRanges"] = json!({"items": [{"cidrIp": "0.0.0.0/0"}]});
        assert_eq!(permission(given), [format!("sg-1: ingress {expected} 0.0.0.0/0")]);
    }

    let no_port = "tcp has no ports none to 22";
    let protocol = "`tpc` is not a protocol: write tcp, udp, icmp, icmpv6, all (or -1), \
                    or a number from 0 to 255";
    let not_understood_ones = [
        (json!({"ipProtocol": "tpc"}), protocol),
        (json!({}), "`ipProtocol` is missing"),
        (json!({"ipProtocol": ["tcp"]}), "`ipProtocol` is a list, not a string"),
        (json!({"ipProtocol": "tcp", "toPort": 22}), no_port),
        (json!({"ipProtocol": "tcp", "fromPort": 23, "toPort": 22}), "tcp has no ports 23 to 22"),
        (json!({"ipProtocol": "tcp", "fromPort": true}), "`fromPort` is a boolean, not a number"),
        (
            json!({"ipProtocol": "tcp", "fromPort": "ssh"}),
            "`fromPort` is a string, not a whole number",
        ),
        (
            json!({"ipProtocol": "tcp", "ipv6Ranges": "[...]"}),
            "`ipv6Ranges` is a string, not a list",
        ),
        (
            json!({"ipProtocol": "tcp", "groups": {"omitted": true}}),
            "`groups` was cut short by CloudTrail",
        ),
        (
            json!({"ipProtocol": "tcp", "peeringIds": {"items": [{}]}}),
            "`ipPermissions` contains `peeringIds`, which this version does not know",
        ),
    ];
    for (mut given, reason) in not_understood_ones {
        given["ipRanges"] = json!({"items": [{"cidrIp": "0.0.0.0/0"}]});
        assert_eq!(permission(given.clone()), [not_understood(reason, NO_RESPONSE)], "{given}");
    }
}

#[test]
fn peers_of_every_kind() {
    let item = |list: &str, peer: Value| lines_of(&record(AUTHORIZE, ssh(list, peer), Value::Null));
    let pair = |peer: Value| item("groups", peer);
    let understood = [
        (item("ipRanges", json!({"cidrIp": "203.0.113.9/0"})), "0.0.0.0/0"),
        (item("ipRanges", json!({"cidrIp": "203.0.113.77/24"})), "203.0.113.0/24"),
        (item("ipv6Ranges", json!({"cidrIpv6": "2001:DB8:1::7/48"})), "2001:db8:1::/48"),
        (item("prefixListIds", json!({"prefixListId": "pl-1"})), "pl-1"),
        (pair(json!({"groupId": "sg-2"})), "sg-2"),
        (pair(json!({"groupId": "sg-2", "userId": "123456789012"})), "sg-2"),
        (pair(json!({"groupId": "sg-2", "userId": 123_456_789_012_i64})), "sg-2"),
        (pair(json!({"groupId": "sg-2", "userId": "210987654321"})), "210987654321/sg-2"),
        (pair(json!({"groupId": "sg-2", "userId": 10_987_654_321_i64})), "010987654321/sg-2"),
        (pair(json!({"groupId": "sg-2", "groupName": "web"})), "sg-2"),
        (item("userIdGroupPairs", json!({"groupId": "sg-2"})), "sg-2"),
    ];
    for (lines, expected) in understood {
        assert_eq!(lines, [format!("sg-1: ingress tcp 22-22 {expected}")]);
    }

    let cidr = "is not a peer: write a CIDR block, sg-…, account/sg-… or pl-…";
    let refused = [
        (pair(json!({"groupName": "web"})), "a peer is a group by its name, `web`".to_owned()),
        (
            pair(json!({"groupId": "sg-2", "userId": {"a": 1}})),
            "`userId` is an object, not a string".to_owned(),
        ),
        (
            pair(json!({"groupId": "sg-2", "userId": "amazon-elb"})),
            format!("`amazon-elb/sg-2` {cidr}"),
        ),
        (pair(json!({"groupId": "0.0.0.0/0"})), format!("`0.0.0.0/0` {cidr}")),
        (pair(json!({})), "`groupId` is missing".to_owned()),
        (item("ipRanges", json!({"cidrIp": "0.0.0.0"})), format!("`0.0.0.0` {cidr}")),
        (item("ipRanges", json!({"cidrIp": "0.0.0.0/33"})), format!("`0.0.0.0/33` {cidr}")),
        (item("ipRanges", json!({"description": "?"})), "`cidrIp` is missing".to_owned()),
        (item("ipRanges", json!("0.0.0.0/0")), "`cidrIp` is missing".to_owned()),
    ];
    for (lines, reason) in refused {
        assert_eq!(lines, [not_understood(&reason, NO_RESPONSE)]);
    }
}

#[test]
fn several_permissions_with_several_peers() {
    let request = json!({"groupId": "sg-1", "ipPermissions": {"items": [
        {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
         "ipRanges": {"items": [
             {"cidrIp": "203.0.113.0/24", "description": "office"}, {"cidrIp": "10.0.0.0/8"}]},
         "ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]},
         "groups": null, "prefixListIds": ""},
        {"ipProtocol": "-1", "groups": [{"groupId": "sg-2"}],
         "prefixListIds": {"items": {"prefixListId": "pl-1"}}},
    ]}});
    let expected = "sg-1: egress tcp 22-22 203.0.113.0/24, egress tcp 22-22 10.0.0.0/8, \
                    egress tcp 22-22 ::/0, egress all * pl-1, egress all * sg-2";
    let event = record("AuthorizeSecurityGroupEgress", request, json!({"_return": true}));
    assert_eq!(lines_of(&event), [expected]);
    let rules = rules(&event);
    assert_eq!(rules[0].description(), Some("office"));
    assert_eq!(rules[1].description(), None);
}

/// The rules of an Authorize call.
pub(super) fn rules(event: &Value) -> Vec<Rule> {
    let ChangeKind::Authorized(rules) = change(event).kind else { panic!("{event}") };
    rules
}

#[test]
fn a_request_in_the_flat_form() {
    let flat = |members: Value| {
        let mut request = json!({
            "groupId": "sg-1", "ipPermissions": {},
            "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
        });
        request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        lines_of(&record(AUTHORIZE, request, json!({"_return": true})))
    };
    assert_eq!(flat(json!({"cidrIp": "0.0.0.0/0"})), [OPEN_SSH]);
    assert_eq!(flat(json!({"cidrIpv6": "::/0"})), ["sg-1: ingress tcp 22-22 ::/0"]);
    assert_eq!(
        flat(json!({"cidrIp": "0.0.0.0/0", "ipProtocol": "-1"})),
        ["sg-1: ingress all * 0.0.0.0/0"]
    );
    let group =
        json!({"sourceSecurityGroupId": "sg-2", "sourceSecurityGroupOwnerId": "210987654321"});
    assert_eq!(flat(group), ["sg-1: ingress tcp 22-22 210987654321/sg-2"]);
    let name = flat(
        json!({"sourceSecurityGroupName": "web", "sourceSecurityGroupOwnerId": "210987654321"}),
    );
    assert_eq!(name, [not_understood("a peer is a group by its name, `web`", NO_RESPONSE)]);
    assert_eq!(flat(json!({})), [not_understood("a rule has 0 peers instead of one", NO_RESPONSE)]);
    let two = flat(json!({"cidrIp": "10.0.0.0/8", "cidrIpv6": "::/0"}));
    assert_eq!(two, [not_understood("a rule has 2 peers instead of one", NO_RESPONSE)]);
}

#[test]
fn a_complete_response_is_used_instead_of_the_request() {
    let asked = |list: &str, peer: Value| ssh(list, peer);
    let any = || response_rule("sgr-1", "cidrIpv4", json!("0.0.0.0/0"));
    let hosts = record(
        AUTHORIZE,
        asked("ipRanges", json!({"cidrIp": "203.0.113.9/0"})),
        response(json!([any()])),
    );
    assert_eq!(lines_of(&hosts), [OPEN_SSH]);
    let rules = rules(&hosts);
    assert_eq!(rules[0].id().unwrap().as_str(), "sgr-1");
    assert_eq!(rules[0].description(), Some("by EC2"));

    // A group by its name: the response has its id.
    let info = json!({"groupId": "sg-2", "userId": "123456789012"});
    let answer = response(json!([response_rule("sgr-1", "referencedGroupInfo", info)]));
    let event = record(AUTHORIZE, asked("groups", json!({"groupName": "web"})), answer);
    assert_eq!(lines_of(&event), ["sg-1: ingress tcp 22-22 sg-2"]);

    // The request was left out, or is not needed.
    for request in [json!({"omitted": true}), Value::Null, json!("[...]")] {
        let event = record(AUTHORIZE, request, response(json!([any()])));
        assert_eq!(lines_of(&event), [OPEN_SSH]);
    }

    // If anything is wrong with the response, the request has it all.
    let foreign = json!({
        "groupId": "sg-9", "securityGroupRuleId": "sgr-1",
        "ipProtocol": "-1", "cidrIpv4": "10.0.0.0/8",
    });
    let two = json!({
        "groupId": "sg-1", "ipProtocol": "-1", "cidrIpv4": "10.0.0.0/8", "cidrIpv6": "::/0",
    });
    let none = json!({"groupId": "sg-1", "ipProtocol": "-1"});
    let answers = [
        Value::Null,
        json!({}),
        json!("[...]"),
        json!({"omitted": true}),
        json!({"_return": true}),
        response(json!([])),
        response(json!([foreign])),
        response(json!([two])),
        response(json!([none])),
        response(json!(["..."])),
        json!({"securityGroupRuleSet": {"omitted": true, "items": [any()]}}),
    ];
    for answer in answers {
        let event = record(AUTHORIZE, asked("ipRanges", json!({"cidrIp": "0.0.0.0/0"})), answer);
        assert_eq!(lines_of(&event), [OPEN_SSH], "{event}");
        assert_eq!(self::rules(&event)[0].id(), None);
    }
}

#[test]
fn a_response_with_fewer_rules_than_were_requested_is_not_used() {
    let any = response_rule("sgr-1", "cidrIpv4", json!("203.0.113.0/24"));
    let mut request = ssh("ipRanges", json!({"cidrIp": "203.0.113.0/24"}));
    request["ipPermissions"]["items"][0]["ipv6Ranges"] = json!({"items": [{"cidrIpv6": "::/0"}]});
    let both = "sg-1: ingress tcp 22-22 203.0.113.0/24, ingress tcp 22-22 ::/0";
    assert_eq!(lines_of(&record(AUTHORIZE, request.clone(), response(json!([any])))), [both]);

    request["ipPermissions"]["items"][0]["ipv6Ranges"] = json!({"items": [{"cidrIpv6": "[...]"}]});
    let reason = not_understood(
        "`[...]` is not a peer: write a CIDR block, sg-…, account/sg-… or pl-…",
        "it has fewer rules (1) than were requested (2)",
    );
    assert_eq!(lines_of(&record(AUTHORIZE, request, response(json!([any])))), [reason]);
}
