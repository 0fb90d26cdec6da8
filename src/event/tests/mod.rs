//! Tests of the decoder as a whole.

mod actors;
mod authorized;
mod boundaries;
mod hold_tags;
mod laws;
mod lists;
mod losses;
mod lost;
mod messages;
mod records;
mod revoked;
mod rule_tags;
mod samples;
mod schedules;
mod tags;
mod watched;
mod wrappers;

use std::fmt::Display;

use serde_json::{Value, json};

use super::{
    ChangeKind, Event, GroupChange, HoldTags, HookRequest, HookTask, Job, Kind, ListChange, Lost,
    Removed, RevokedRules, Sweep, TagAction, TagChange, decode,
};
use crate::ec2::{Direction, GroupKey, Rule};
use crate::words::cells_text;

/// What an event tells, on one line.
fn line(event: &Event) -> String {
    match &event.kind {
        Kind::List(change) => list_line(change),
        Kind::Tags(change) => tags_line(change),
        Kind::HoldTags(change) => hold_tags_line(change),
        Kind::Job(Job::HoldTags(change)) => {
            format!("message about {}", hold_tags_line(change))
        }
        Kind::Lost(lost) => lost_line(lost),
        Kind::Job(Job::Lost(lost)) => format!("message about {}", lost_line(lost)),
        Kind::Job(Job::Sweep(sweep)) => sweep_line("sweep", sweep),
        Kind::Job(Job::Holds(sweep)) => sweep_line("holds", sweep),
        Kind::Job(Job::Tags(change)) => format!("message about {}", tags_line(change)),
        Kind::Job(Job::List(change, _)) => format!("message about {}", list_line(change)),
        Kind::Job(Job::Close(close)) => {
            let rules =
                close.rules.iter().map(|one| format!("{} in {}", rule_line(&one.rule), one.group));
            format!("to close: {}", joined(rules))
        }
        Kind::Watched(change) => {
            let resource = change.resource.as_deref().unwrap_or("?");
            let by = if change.by_cloudformation { ", CloudFormation" } else { "" };
            format!("{:?} watched: {} {resource}{by}", change.component, change.call)
        }
        Kind::Hook(request) => hook_line(request),
        Kind::Ignored(reason) | Kind::NotAudited { reason, .. } => format!("ignored: {reason}"),
        Kind::Undecodable { group: None, reason } => format!("undecodable: {reason}"),
        Kind::Undecodable { group: Some(group), reason } => {
            format!("{} undecodable: {reason}", group.as_str())
        }
        Kind::Change(change) => change_line(change),
    }
}

fn hook_line(request: &HookRequest) -> String {
    match &request.task {
        Ok(HookTask::Delete) => "hook: delete".to_owned(),
        Ok(HookTask::Make(wanted)) => {
            let was = if wanted.previous.is_some() { ", changed" } else { "" };
            format!("hook: {} {}{was}", wanted.target.as_str(), wanted.name)
        }
        Err(fault) => format!("hook: {fault}"),
    }
}

fn change_line(change: &GroupChange) -> String {
    let group = match &change.group {
        GroupKey::Id(id) => id.to_string(),
        GroupKey::Name { name, vpc_id: None } => format!("group named {name}"),
        GroupKey::Name { name, vpc_id: Some(vpc) } => format!("group named {name} in {vpc}"),
    };
    let kind = match &change.kind {
        ChangeKind::Authorized(rules) => joined(rules.iter().map(rule_line)),
        ChangeKind::Revoked(RevokedRules {
            direction, removed: Removed::Within(cells), ..
        }) => match cells_text(cells).as_str() {
            "all traffic" => format!("{direction} revoked"),
            what => format!("{direction} revoked of {what}"),
        },
        ChangeKind::Revoked(RevokedRules { removed: Removed::Rules(rules), .. }) => {
            format!("revoked {}", joined(rules.iter().map(rule_line)))
        }
        ChangeKind::Modified(rules) => joined(rules.iter().map(|rule| {
            let content = content_line(&rule.in_direction(Direction::Ingress));
            format!("{} is {content}", rule.id())
        })),
        ChangeKind::Created => "created".to_owned(),
        ChangeKind::Unknown(reason) => format!("unknown: {reason}"),
        ChangeKind::Retagged(reason) => format!("retagged: {reason}"),
    };
    format!("{group}: {kind}")
}

fn joined(items: impl IntoIterator<Item = impl Display>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

fn sweep_line(task: &str, sweep: &Sweep) -> String {
    format!("{task} in {}; {}", joined(&sweep.accounts), joined(&sweep.regions))
}

fn list_line(change: &ListChange) -> String {
    let version = change.version_before.map_or("?".to_owned(), |version| version.to_string());
    let added: Vec<_> = change.added.iter().map(|net| format!(" +{net}")).collect();
    let removed = match &change.removed {
        Some(removed) => removed.iter().map(|net| format!(" -{net}")).collect::<Vec<_>>().concat(),
        None => " -?".to_owned(),
    };
    let name = change.name.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
    format!("{}{name} after version {version}:{}{removed}", change.list, added.concat())
}

fn tags_line(change: &TagChange) -> String {
    let tag = |(key, action): (&String, &TagAction)| match action {
        TagAction::Set(value) => format!(" {key}={value}"),
        TagAction::Deleted(Some(value)) => format!(" -{key}={value}"),
        TagAction::Deleted(None) => format!(" -{key}"),
    };
    let all = if change.all_deleted { " all deleted" } else { "" };
    let tags: Vec<_> = change.tags.iter().map(tag).collect();
    format!("tags of {}:{all}{}", joined(&change.groups), tags.concat())
}

fn hold_tags_line(change: &HoldTags) -> String {
    let unread = change.unread.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
    format!("tags of a hold on {}{unread}", joined(&change.rules))
}

fn lost_line(lost: &Lost) -> String {
    let what = if lost.is_of_tags { "tags" } else { "a change" };
    format!("{what} of any group: {}", lost.reason)
}

fn rule_line(rule: &Rule) -> String {
    format!("{} {}", rule.direction(), content_line(rule))
}

fn content_line(rule: &Rule) -> String {
    let ports = match (rule.from_port(), rule.to_port()) {
        (Some(from), Some(to)) => format!("{from}-{to}"),
        _ => "*".to_owned(),
    };
    format!("{} {ports} {}", rule.protocol(), rule.peer())
}

fn lines(payload: &[u8]) -> Vec<String> {
    decode(payload).iter().map(line).collect()
}

fn lines_of(value: &Value) -> Vec<String> {
    lines(value.to_string().as_bytes())
}

/// The only event of a payload.
fn event(value: &Value) -> Event {
    let events = decode(value.to_string().as_bytes());
    let [event] = <[Event; 1]>::try_from(events).unwrap();
    event
}

/// The change of a group that a payload tells.
fn change(value: &Value) -> GroupChange {
    let Kind::Change(change) = event(value).kind else { panic!("{value}") };
    change
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

/// A rule in a response.
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

/// What [`open_ssh`] tells.
const OPEN_SSH: &str = "sg-1: ingress tcp 22-22 0.0.0.0/0";
