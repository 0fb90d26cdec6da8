//! The sample events of `events/`, and variations of them.

use serde_json::{Value, json};

use super::scene::rule;
use crate::ec2::hold::{REASON, UNTIL, VALUE_CHARS};
use crate::ec2::{Direction, Peer, Reference, Rule};

pub(super) const ACCOUNT: &str = "123456789012";
pub(super) const REGION: &str = "eu-central-1";
/// The group of the sample events.
pub(super) const GROUP: &str = "sg-0a1b2c3d4e5f67890";
/// The prefix list of the sample events.
pub(super) const LIST: &str = "pl-0f678901234567890";

/// A sample event.
pub(super) fn sample(name: &str) -> Value {
    let path = format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A call that authorises these rules, written as for [`rule`], all of one direction.
pub(super) fn authorizing(rules: &[&str]) -> Value {
    let rules: Vec<Rule> = rules.iter().map(|text| rule(text)).collect();
    let mut event = sample("authorize-open-ssh");
    let detail = &mut event["detail"];
    if rules.iter().all(|rule| rule.direction() == Direction::Egress) {
        detail["eventName"] = json!("AuthorizeSecurityGroupEgress");
    }
    let asked: Vec<Value> = rules.iter().map(permission).collect();
    detail["requestParameters"]["ipPermissions"]["items"] = asked.into();
    let listed = rules.iter().zip(1..).map(|(rule, number)| listed(rule, number));
    detail["responseElements"]["securityGroupRuleSet"]["items"] = listed.collect();
    event
}

/// A call that revokes these ingress rules, written as for [`rule`].
pub(super) fn revoking(rules: &[&str]) -> Value {
    let rules: Vec<Rule> = rules.iter().map(|text| rule(text)).collect();
    let mut event = sample("revoke-web");
    let detail = &mut event["detail"];
    let asked: Vec<Value> = rules.iter().map(permission).collect();
    detail["requestParameters"]["ipPermissions"]["items"] = asked.into();
    let listed = rules.iter().zip(1..).map(|(rule, number)| listed(rule, number));
    detail["responseElements"]["revokedSecurityGroupRuleSet"]["items"] = listed.collect();
    event
}

/// A rule as a request has it.
fn permission(rule: &Rule) -> Value {
    let (ranges, member) = match rule.peer() {
        Peer::Ipv4(_) => ("ipRanges", "cidrIp"),
        Peer::Ipv6(_) => ("ipv6Ranges", "cidrIpv6"),
        Peer::Reference(Reference::Group(_)) => ("groups", "groupId"),
        Peer::Reference(Reference::PrefixList(_)) => ("prefixListIds", "prefixListId"),
    };
    let mut permission = json!({"ipProtocol": rule.protocol().to_api()});
    permission["fromPort"] = rule.from_port().into();
    permission["toPort"] = rule.to_port().into();
    permission[ranges] =
        json!({"items": [{member: rule.peer(), "description": rule.description()}]});
    permission
}

/// A rule as a response lists it, with an id of its own.
fn listed(rule: &Rule, number: u64) -> Value {
    let mut item = json!({
        "groupOwnerId": ACCOUNT,
        "groupId": GROUP,
        "securityGroupRuleId": format!("sgr-{number:017}"),
        "isEgress": rule.direction() == Direction::Egress,
        "ipProtocol": rule.protocol().to_api(),
        "fromPort": rule.from_port().unwrap_or(-1),
        "toPort": rule.to_port().unwrap_or(-1),
    });
    if let Some(description) = rule.description() {
        item["description"] = description.into();
    }
    let (member, peer) = match rule.peer() {
        Peer::Ipv4(net) => ("cidrIpv4", net.to_string().into()),
        Peer::Ipv6(net) => ("cidrIpv6", net.to_string().into()),
        Peer::Reference(Reference::PrefixList(list)) => ("prefixListId", list.to_string().into()),
        Peer::Reference(Reference::Group(group)) => {
            let owner = group.account().map_or(ACCOUNT, |account| account.as_str());
            ("referencedGroupInfo", json!({"userId": owner, "groupId": group.id()}))
        }
    };
    item[member] = peer;
    item
}

/// SSH from anywhere, authorised with these tags.
pub(super) fn tagging_rule(tags: &[(&str, &str)]) -> Value {
    let mut event = sample("authorize-held");
    let tag = |(key, value): &(&str, &str)| json!({"key": key, "value": value});
    let tags: Vec<Value> = tags.iter().map(tag).collect();
    let detail = &mut event["detail"];
    detail["requestParameters"]["tagSpecificationSet"]["items"][0]["tags"] = tags.clone().into();
    let listed = &mut detail["responseElements"]["securityGroupRuleSet"]["items"][0];
    listed["tagSet"]["items"] = tags.into();
    event
}

/// SSH from anywhere, authorised with the tags of a hold.
pub(super) fn holding(until: &str, reason: &str) -> Value {
    tagging_rule(&[(UNTIL, until), (REASON, reason)])
}

/// SSH from anywhere, authorised with almost as many and as long tags as EC2 takes, all of one letter.
pub(super) fn with_long_tags(letter: &str) -> Value {
    let keys: Vec<String> = (0..48).map(|n| format!("{}{n}", letter.repeat(120))).collect();
    let value = letter.repeat(VALUE_CHARS);
    let tags: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), value.as_str())).collect();
    tagging_rule(&tags)
}

/// A rule is changed in place: `id` becomes what `text` says.
pub(super) fn modifying(id: &str, text: &str) -> Value {
    let rule = rule(text);
    let mut event = sample("modify-widened");
    let peer = match rule.peer() {
        Peer::Ipv4(_) => "CidrIpv4",
        Peer::Ipv6(_) => "CidrIpv6",
        Peer::Reference(Reference::Group(_)) => "ReferencedGroupId",
        Peer::Reference(Reference::PrefixList(_)) => "PrefixListId",
    };
    event["detail"]["requestParameters"]["ModifySecurityGroupRulesRequest"]["SecurityGroupRule"] = json!({
        "SecurityGroupRuleId": id,
        "tag": 1,
        "SecurityGroupRule": {
            peer: rule.peer(),
            "Description": rule.description().unwrap_or_default(),
            "FromPort": rule.from_port().unwrap_or(-1),
            "IpProtocol": rule.protocol().to_api(),
            "ToPort": rule.to_port().unwrap_or(-1),
        },
    });
    event
}

/// These entries are added to the prefix list.
pub(super) fn adding_entries(entries: &[&str]) -> Value {
    let mut event = sample("modify-prefix-list");
    let entries = entries.iter().zip(1..).map(|(entry, tag)| json!({"Cidr": entry, "tag": tag}));
    event["detail"]["requestParameters"]["ModifyManagedPrefixListRequest"]["AddEntry"] =
        entries.collect();
    event
}

/// The tag `Application` of the group gets this value.
pub(super) fn tagging_group(value: &str) -> Value {
    let mut event = sample("create-tags");
    event["detail"]["requestParameters"]["tagSet"]["items"][0]["value"] = value.into();
    event
}

/// Tags with these keys are set on rules, or deleted from them.
pub(super) fn tagging_rules(call: &str, rules: &[&str], keys: &[&str]) -> Value {
    let mut event = sample("create-tags");
    let detail = &mut event["detail"];
    detail["eventName"] = call.into();
    let resources = rules.iter().map(|rule| json!({"resourceId": rule}));
    detail["requestParameters"]["resourcesSet"]["items"] = resources.collect();
    let tags = keys.iter().map(|key| json!({"key": key, "value": "2026-03-13T08:00:00Z"}));
    detail["requestParameters"]["tagSet"]["items"] = tags.collect();
    event
}

/// A call to another service that the auditor watches.
pub(super) fn watched(service: &str, call: &str, request: Value) -> Value {
    let mut event = sample("stop-logging");
    event["source"] = format!("aws.{service}").into();
    let detail = &mut event["detail"];
    detail["eventSource"] = format!("{service}.amazonaws.com").into();
    detail["eventName"] = call.into();
    detail["requestParameters"] = request;
    event
}

/// A sweep of the function's own account and region.
pub(super) fn sweep() -> Value {
    sample("scheduled-sweep")
}

/// The check of holds, at this time. A schedule without an envelope has no time of its own.
pub(super) fn holds(time: &str) -> Value {
    let mut event = sample("scheduled-sweep");
    event["time"] = time.into();
    event["detail"] = json!({"holds": {}});
    event
}
