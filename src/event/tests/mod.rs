//! Tests of the decoder as a whole.
mod authorized;
mod closes;
mod laws;
mod lists;
mod losses;
mod records;
mod revoked;
mod rule_tags;
mod samples;
mod schedules;
mod tags;
mod watched;
mod wrappers;

use serde_json::{Value, json};

use super::{ChangeKind, Event, GroupKey, ListChange, RevokedRules, TagAction, TagChange, decode};
use crate::ec2::Rule;

/// What an event says, on one line.
fn line(event: &Event) -> String {
    match event {
        Event::List(change) => list_line(change),
        Event::Tags(change) => tags_line(change),
        Event::Schedule(schedule) => {
            let (accounts, regions) = (schedule.accounts.join(", "), schedule.regions.join(", "));
            format!("{} in {accounts}; {regions}", schedule.task.as_str())
        }
        Event::Close(close) => {
            let rules =
                close.rules.iter().map(|one| format!("{} in {}", rule_line(&one.rule), one.group));
            format!("to close: {}", rules.collect::<Vec<_>>().join(", "))
        }
        Event::Watched(change) => {
            let resource = change.resource.as_deref().unwrap_or("?");
            let by = if change.by_cloudformation { ", CloudFormation" } else { "" };
            format!("{:?} watched: {} {resource}{by}", change.part, change.call)
        }
        Event::Ignored(reason) => format!("ignored: {reason}"),
        Event::Undecodable { reason, .. } => format!("undecodable: {reason}"),
        Event::Change(change) => {
            let group = match &change.group {
                GroupKey::Id(id) => id.clone(),
                GroupKey::Name(name) => format!("group named {name}"),
            };
            let kind = match &change.kind {
                ChangeKind::Authorized(rules) => {
                    rules.iter().map(rule_line).collect::<Vec<_>>().join(", ")
                }
                ChangeKind::Revoked(RevokedRules { direction, rules: None }) => {
                    format!("{direction} revoked")
                }
                ChangeKind::Revoked(RevokedRules { rules: Some(rules), .. }) => {
                    let rules: Vec<_> = rules.iter().map(rule_line).collect();
                    format!("revoked {}", rules.join(", "))
                }
                ChangeKind::Modified(rules) => {
                    let line = |rule: &super::ModifiedRule| {
                        let ports = ports(rule.from_port, rule.to_port);
                        format!("{} is {} {ports} {}", rule.id, rule.protocol, rule.peer)
                    };
                    rules.iter().map(line).collect::<Vec<_>>().join(", ")
                }
                ChangeKind::Created => "created".to_owned(),
                ChangeKind::Unknown(reason) => format!("unknown: {reason}"),
            };
            format!("{group}: {kind}")
        }
    }
}

fn list_line(change: &ListChange) -> String {
    let version = change.version_before.map_or("?".to_owned(), |version| version.to_string());
    let added: Vec<_> = change.added.iter().map(|net| format!(" +{net}")).collect();
    format!("{} after version {version}:{}", change.list, added.concat())
}

fn tags_line(change: &TagChange) -> String {
    let tag = |(key, action): (&String, &TagAction)| match action {
        TagAction::Set(value) => format!(" {key}={value}"),
        TagAction::Deleted(Some(value)) => format!(" -{key}={value}"),
        TagAction::Deleted(None) => format!(" -{key}"),
    };
    let all = if change.all_deleted { " all deleted" } else { "" };
    let tags: Vec<_> = change.tags.iter().map(tag).collect();
    format!("tags of {}:{all}{}", change.groups.join(", "), tags.concat())
}

fn rule_line(rule: &Rule) -> String {
    let ports = ports(rule.from_port, rule.to_port);
    format!("{} {} {ports} {}", rule.direction, rule.protocol, rule.peer)
}

fn ports(from: Option<i32>, to: Option<i32>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => format!("{from}-{to}"),
        _ => "*".to_owned(),
    }
}

fn lines(payload: &[u8]) -> Vec<String> {
    decode(payload).iter().map(line).collect()
}

fn lines_of(value: &Value) -> Vec<String> {
    lines(value.to_string().as_bytes())
}

/// The record of a call.
fn record(name: &str, request: Value, response: Value) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "arn": "arn:aws:iam::123456789012:user/operator",
            "accountId": "123456789012",
        },
        "eventTime": "2026-03-12T08:11:14Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "198.51.100.23",
        "userAgent": "aws-cli/2",
        "requestParameters": request,
        "responseElements": response,
        "eventID": "f387583b-db4b-4019-9184-df294669d272",
        "recipientAccountId": "123456789012",
    })
}

/// The request for one rule, tcp 22.
fn ssh(peers: &str, peer: Value) -> Value {
    json!({
        "groupId": "sg-1",
        "ipPermissions": {"items": [
            {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, peers: {"items": [peer]}},
        ]},
    })
}

/// A response with these rules.
fn response(rules: Value) -> Value {
    json!({"_return": true, "securityGroupRuleSet": {"items": rules}})
}

/// One of them.
fn response_rule(id: &str, peer: &str, value: Value) -> Value {
    json!({
        "groupId": "sg-1", "securityGroupRuleId": id, "isEgress": false, "ipProtocol": "tcp",
        "fromPort": 22, "toPort": 22, peer: value, "description": "by EC2",
    })
}

/// A record that opens SSH to everybody.
fn open_ssh() -> Value {
    record(
        "AuthorizeSecurityGroupIngress",
        ssh("ipRanges", json!({"cidrIp": "0.0.0.0/0"})),
        Value::Null,
    )
}

const AUTHORIZE: &str = "AuthorizeSecurityGroupIngress";

/// What [`open_ssh`] says.
const OPEN_SSH: &str = "sg-1: ingress tcp 22-22 0.0.0.0/0";
