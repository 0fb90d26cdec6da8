//! Openings in histories made for the purpose. `model` holds random histories against the truth.

mod cases;
mod model;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::*;
use crate::baseline::Lists;
use crate::baseline::samples::{load, today};
use crate::text::{time, timestamp};
use crate::words::{excess_text, rule_text};

pub(super) const ALICE: &str = "arn:aws:iam::123456789012:user/alice";
pub(super) const GROUP: &str = "sg-0a1b2c3d4e5f67890";

pub(super) fn at(minute: i64) -> DateTime<Utc> {
    time("2026-03-01T08:00:00Z").unwrap() + chrono::TimeDelta::minutes(minute)
}

/// A record of a call by somebody at a time.
pub(super) fn call(id: &str, name: &str, minute: i64, request: Value, response: Value) -> Value {
    json!({
        "eventVersion": "1.11", "eventSource": "ec2.amazonaws.com", "eventName": name,
        "eventID": id, "eventTime": timestamp(&at(minute)), "awsRegion": "eu-central-1",
        "recipientAccountId": "123456789012", "sourceIPAddress": "198.51.100.7",
        "userIdentity": {"type": "IAMUser", "arn": ALICE, "accountId": "123456789012"},
        "requestParameters": request, "responseElements": response,
    })
}

/// An ingress rule as a response has it.
pub(super) fn answered(rule: &str, port: u16, cidr: &str) -> Value {
    json!({"securityGroupRuleSet": {"items": [{
        "groupId": GROUP, "securityGroupRuleId": rule, "isEgress": false, "ipProtocol": "tcp",
        "fromPort": port, "toPort": port, "cidrIpv4": cidr,
    }]}})
}

pub(super) fn flat(port: u16, cidr: &str) -> Value {
    json!({"groupId": GROUP, "ipProtocol": "tcp", "fromPort": port, "toPort": port, "cidrIp": cidr})
}

pub(super) fn authorize(id: &str, minute: i64, rule: &str, port: u16, cidr: &str) -> Value {
    let (request, response) = (flat(port, cidr), answered(rule, port, cidr));
    call(id, "AuthorizeSecurityGroupIngress", minute, request, response)
}

pub(super) fn revoke(id: &str, minute: i64, port: u16, cidr: &str) -> Value {
    call(id, "RevokeSecurityGroupIngress", minute, flat(port, cidr), json!({"_return": true}))
}

pub(super) fn revoke_id(id: &str, minute: i64, rule: &str) -> Value {
    let request = json!({
        "groupId": GROUP,
        "securityGroupRuleIds": {"items": [{"securityGroupRuleId": rule}]},
    });
    call(id, "RevokeSecurityGroupIngress", minute, request, json!({"_return": true}))
}

pub(super) fn modify(id: &str, minute: i64, rule: &str, port: u16, cidr: &str) -> Value {
    let rule = json!({"SecurityGroupRuleId": rule, "SecurityGroupRule": {
        "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIpv4": cidr,
    }});
    let request = json!({"ModifySecurityGroupRulesRequest": {
        "GroupId": GROUP, "SecurityGroupRule": rule,
    }});
    let response = json!({"ModifySecurityGroupRulesResponse": {"return": true}});
    call(id, "ModifySecurityGroupRules", minute, request, response)
}

/// The history of some records.
pub(super) fn history(records: &[Value], lists: &Lists, present: Option<&[Present]>) -> History {
    let baseline = load("standard");
    let mut book = Book::new(&baseline, lists, today(), By::names(&[]));
    for record in records {
        book.record(record.to_string().as_bytes());
    }
    book.close(present, at(1000))
}

fn minute(time: DateTime<Utc>) -> String {
    time.signed_duration_since(at(0)).num_minutes().to_string()
}

/// `tcp 22 from 0.0.0.0/0: 5 (opened by …) to 9 (…)`
fn line(opening: &Opening) -> String {
    let who = |deed: &Deed| {
        let event = deed.record.event_id.clone().unwrap_or_default();
        let by = if deed.is_auditor { ", auditor" } else { "" };
        format!("{} ({event}{by})", minute(deed.time))
    };
    let start = match &opening.start {
        Start::Known(deed) => who(deed),
        Start::Unknown { after, by } => {
            let after = after.map_or("?".to_owned(), minute);
            format!("between {after} and {}", minute(*by))
        }
    };
    let end = match &opening.end {
        End::Known(deed) => who(deed),
        End::Open => "open".to_owned(),
        End::NotSeen => "not seen".to_owned(),
        End::Unknown { after, by } => format!("between {} and {}", minute(*after), minute(*by)),
        End::Perhaps(deed) => format!("perhaps {}", who(deed)),
    };
    let mut rule = rule_text(&opening.rule);
    if opening.rule.peer().list().is_some() {
        rule = format!("{rule} ({})", excess_text(&opening.rule, &opening.excess));
    }
    let assumed = if opening.direction_assumed { ", direction assumed" } else { "" };
    format!("{rule}{assumed}: {start} to {end}")
}

/// The openings, sorted by when they began.
pub(super) fn lines(history: &History) -> Vec<String> {
    let mut openings: Vec<&Opening> = history.openings.iter().collect();
    openings.sort_by_key(|opening| (opening.from().0, rule_text(&opening.rule)));
    openings.into_iter().map(line).collect()
}
