//! The tags that an Authorize call gave its rules. Holds are made of them.

use serde_json::{Value, json};

use super::authorized::rules;
use super::{AUTHORIZE, record, response, response_rule, ssh};

const UNTIL: &str = "sg-audit:allow-until";

const REASON: &str = "sg-audit:reason";

#[test]
fn the_tags_of_a_hold_in_every_shape() {
    let small = json!([
        {"key": UNTIL, "value": "2026-03-12T16:00:00Z"}, {"key": REASON, "value": "vendor"},
    ]);
    let capital = json!([
        {"Key": UNTIL, "Value": "2026-03-12T16:00:00Z", "tag": 1},
        {"Key": REASON, "Value": "vendor", "tag": 2},
    ]);
    let of_rules = "security-group-rule";
    let shapes = [
        ("tagSpecificationSet", json!({"items": [{"resourceType": of_rules, "tags": small}]})),
        ("tagSpecificationSet", json!({"items": {"resourceType": of_rules, "tags": small}})),
        ("tagSpecificationSet", json!({"resourceType": of_rules, "tags": {"items": small}})),
        ("tagSpecificationSet", json!([{"resourceType": of_rules, "tags": small}])),
        ("TagSpecification", json!({"ResourceType": of_rules, "tag": 1, "Tag": capital})),
        ("TagSpecification", json!([{"ResourceType": of_rules, "tag": "1", "Tag": capital}])),
    ];
    for (member, specification) in shapes {
        let mut request = ssh("ipRanges", json!({"cidrIp": "0.0.0.0/0"}));
        request[member] = specification;
        let flat = json!({
            "groupId": "sg-1", "ipPermissions": {}, "cidrIp": "0.0.0.0/0",
            "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, member: request[member],
        });
        for request in [request, flat] {
            let rules = rules(&record(AUTHORIZE, request.clone(), Value::Null));
            let tags = rules[0].tags();
            assert_eq!(tags.get(UNTIL).unwrap(), "2026-03-12T16:00:00Z", "{request}");
            assert_eq!(tags.get(REASON).unwrap(), "vendor", "{request}");
            assert_eq!(tags.len(), 2);
        }
    }
    let one = json!({"resourceType": of_rules, "tags": {"key": UNTIL, "value": "x"}});
    let mut request = ssh("ipRanges", json!({"cidrIp": "0.0.0.0/0"}));
    request["tagSpecificationSet"] = one;
    assert_eq!(rules(&record(AUTHORIZE, request, Value::Null))[0].tags()[UNTIL], "x");
}

/// They make no hold, and the rule is still there.
#[test]
fn tags_that_cannot_be_read_are_left_out() {
    for lost in [json!({"omitted": true}), json!("[...]"), json!([{}]), json!({"items": 7})] {
        let mut request = ssh("ipRanges", json!({"cidrIp": "0.0.0.0/0"}));
        request["tagSpecificationSet"] = lost;
        let rules = rules(&record(AUTHORIZE, request, Value::Null));
        assert_eq!((rules.len(), rules[0].tags().len()), (1, 0));
    }
}

#[test]
fn only_tags_of_rules_count() {
    let mut request = ssh("ipRanges", json!({"cidrIp": "0.0.0.0/0"}));
    request["tagSpecificationSet"] = json!({"items": [
        {"resourceType": "security-group", "tags": [{"key": "no", "value": "no"}]},
        {"resourceType": "security-group-rule", "tags": [
            {"key": "sg-audit:reason", "value": "vendor"},
            {"key": "empty"},
            {"value": "nameless"}]},
        {"resourceType": "security-group-rule", "tags": {"items": [{"key": "n", "value": 7}]}},
    ]});
    let answer = response(json!([response_rule("sgr-1", "cidrIpv4", json!("0.0.0.0/0"))]));
    for answer in [answer, Value::Null] {
        let rules = rules(&record(AUTHORIZE, request.clone(), answer));
        let tags: Vec<_> = rules[0].tags().iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(tags, [("empty", ""), ("n", "7"), ("sg-audit:reason", "vendor")]);
    }
}
