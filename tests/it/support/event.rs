//! The events that CloudTrail would send through EventBridge for the calls that a test makes.

mod lists;
mod tags;

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::permission::Permission;
use super::world::{ACCOUNT, Direction, Group, REGION, Rule};

pub use lists::{of_list_change, of_list_restore};
pub use tags::{of_tags, tagged};

/// When the calls of the tests are said to have been made.
pub const TIME: &str = "2026-03-02T03:04:05Z";

/// The event of an Authorize or a Revoke. `rules` are those that EC2 lists in its answer.
pub fn of_permissions(
    verb: &str,
    group: &Group,
    direction: Direction,
    permissions: &[Permission],
    rules: &[Rule],
) -> Value {
    let items: Vec<Value> = permissions.iter().map(Permission::to_cloudtrail).collect();
    let mut response = json!({"requestId": uuid(), "_return": true});
    if !rules.is_empty() {
        let items: Vec<Value> = rules.iter().map(|rule| rule_set_item(group, rule)).collect();
        response["securityGroupRuleSet"] = json!({ "items": items });
    }
    let request = json!({"groupId": group.id, "ipPermissions": {"items": items}});
    envelope(&format!("{verb}SecurityGroup{direction}"), request, response)
}

/// The event of an Authorize or a Revoke in the flat request form, with an answer that lists no rules, as older
/// records have both.
pub fn of_flat_permission(
    verb: &str,
    group: &Group,
    direction: Direction,
    permission: &Permission,
) -> Value {
    let mut request = permission.to_cloudtrail_flat();
    request.insert("groupId".to_owned(), group.id.as_str().into());
    let response = json!({"requestId": uuid(), "_return": true});
    envelope(&format!("{verb}SecurityGroup{direction}"), request.into(), response)
}

/// The event of a Revoke that names rules by their ids, with an answer that lists no rules: then no event says what
/// they were.
pub fn of_revoked_ids(group: &Group, direction: Direction, ids: &[&str]) -> Value {
    let items: Vec<Value> = ids.iter().map(|id| json!({"securityGroupRuleId": id})).collect();
    let request = json!({
        "groupId": group.id, "ipPermissions": {}, "securityGroupRuleIds": {"items": items},
    });
    let response = json!({"requestId": uuid(), "_return": true});
    envelope(&format!("RevokeSecurityGroup{direction}"), request, response)
}

/// The event as it would be had it happened then.
pub fn at(mut event: Value, time: DateTime<Utc>) -> Value {
    let time = Value::from(time.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    event["detail"]["eventTime"] = time.clone();
    event["time"] = time;
    event
}

/// The event of a `ModifySecurityGroupRules`: an object for one rule, an array for several.
pub fn of_modify(group: &Group, changes: &[(&str, &Permission)]) -> Value {
    let mut items: Vec<Value> = changes
        .iter()
        .zip(1..)
        .map(|((id, permission), tag)| {
            json!({"SecurityGroupRuleId": id, "tag": tag, "SecurityGroupRule": permission.to_cloudtrail_rule()})
        })
        .collect();
    let rules = if items.len() == 1 { items.remove(0) } else { items.into() };
    let request = json!({"ModifySecurityGroupRulesRequest": {"GroupId": group.id, "SecurityGroupRule": rules}});
    let response = json!({"ModifySecurityGroupRulesResponse": {
        "xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "requestId": uuid(), "return": true,
    }});
    envelope("ModifySecurityGroupRules", request, response)
}

/// The event of a `CreateSecurityGroup`.
pub fn of_create(group: &Group) -> Value {
    let request =
        json!({"groupName": group.name, "groupDescription": group.name, "vpcId": group.vpc_id});
    let response = json!({"requestId": uuid(), "_return": true, "groupId": group.id});
    envelope("CreateSecurityGroup", request, response)
}

/// The event of a `DeleteSecurityGroup`.
pub fn of_delete(group: &Group) -> Value {
    let response = json!({"requestId": uuid(), "_return": true, "groupId": group.id});
    envelope("DeleteSecurityGroup", json!({"groupId": group.id}), response)
}

fn envelope(name: &str, request: Value, response: Value) -> Value {
    json!({
        "version": "0",
        "id": uuid(),
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2",
        "account": ACCOUNT,
        "time": TIME,
        "region": REGION,
        "resources": [],
        "detail": {
            "eventVersion": "1.10",
            "userIdentity": {
                "type": "IAMUser",
                "principalId": "AIDAEXAMPLEPRINCIPAL",
                "arn": format!("arn:aws:iam::{ACCOUNT}:user/editor"),
                "accountId": ACCOUNT,
                "accessKeyId": "AKIAEXAMPLEEXAMPLE00",
                "userName": "editor",
            },
            "eventTime": TIME,
            "eventSource": "ec2.amazonaws.com",
            "eventName": name,
            "awsRegion": REGION,
            "sourceIPAddress": "198.51.100.23",
            "userAgent": format!("aws-cli/2.31.0 md/command#ec2.{name}"),
            "requestParameters": request,
            "responseElements": response,
            "requestID": uuid(),
            "eventID": uuid(),
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            "tlsDetails": {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": format!("ec2.{REGION}.amazonaws.com"),
            },
        },
    })
}

fn rule_set_item(group: &Group, rule: &Rule) -> Value {
    let mut item = Map::from_iter([
        ("groupOwnerId".to_owned(), ACCOUNT.into()),
        ("groupId".to_owned(), group.id.as_str().into()),
        ("securityGroupRuleId".to_owned(), rule.id.as_str().into()),
        ("isEgress".to_owned(), (rule.direction == Direction::Egress).into()),
        ("ipProtocol".to_owned(), rule.protocol.as_str().into()),
        ("fromPort".to_owned(), rule.ports.0.into()),
        ("toPort".to_owned(), rule.ports.1.into()),
        (
            "securityGroupRuleArn".to_owned(),
            format!("arn:aws:ec2:{REGION}:{ACCOUNT}:security-group-rule/{}", rule.id).into(),
        ),
    ]);
    if let Some(description) = &rule.description {
        item.insert("description".to_owned(), description.as_str().into());
    }
    let (member, peer) = if let Some((account, id)) = rule.peer.split_once("/sg-") {
        ("referencedGroupInfo", json!({"userId": account, "groupId": format!("sg-{id}")}))
    } else if rule.peer.starts_with("sg-") {
        ("referencedGroupInfo", json!({"userId": ACCOUNT, "groupId": rule.peer}))
    } else if rule.peer.starts_with("pl-") {
        ("prefixListId", rule.peer.as_str().into())
    } else if rule.peer.contains(':') {
        ("cidrIpv6", rule.peer.as_str().into())
    } else {
        ("cidrIpv4", rule.peer.as_str().into())
    };
    item.insert(member.to_owned(), peer);
    Value::Object(item)
}

/// A new identifier. Counting makes a failed test repeat with the same ones.
fn uuid() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("00000000-0000-4000-8000-{:012x}", COUNT.fetch_add(1, Ordering::Relaxed))
}
