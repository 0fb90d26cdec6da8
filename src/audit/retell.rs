//! What was reverted and could not be published, and what was to be reverted when nobody knows
//! whether it was.
//!
//! A change that says what it opened is audited again when the invocation is tried again: then EC2
//! has nothing to revoke, and that is published, with the undo. A sweep, or a change that is not
//! understood, finds nothing any more once the rule is gone. So where the publication fails, what
//! was reverted is handed on as events that do say it; and so is what EC2 was asked to revoke without
//! saying what came of it, which then is asked again.

use serde_json::{Value, json};

use crate::event::{ChangeKind, Event, RETOLD};
use crate::finding::Finding;
use crate::rule::{Direction, GroupRef, Peer, Protocol, Reference, Rule};

/// An asynchronous invocation takes 256 KiB, and some of it is needed around the records.
const MAX_BYTES: usize = 200 * 1024;

/// The payloads that have these told again: the reverts among what was found, and what is in doubt;
/// none where the event itself does.
pub fn retell(event: &Event, untold: &[Finding], in_doubt: &[Finding]) -> Vec<Value> {
    if let Event::Change(change) = event
        && tells_itself(&change.kind)
    {
        return Vec::new();
    }
    let mut payloads = Vec::new();
    let (mut records, mut size) = (Vec::new(), 0);
    let reverted = untold.iter().filter(|finding| finding.remediation.took_away());
    for record in reverted.chain(in_doubt).filter_map(record) {
        let bytes = record.to_string().len();
        if size + bytes > MAX_BYTES && !records.is_empty() {
            payloads.push(json!({ "Records": std::mem::take(&mut records) }));
            size = 0;
        }
        size += bytes;
        records.push(record);
    }
    if !records.is_empty() {
        payloads.push(json!({ "Records": records }));
    }
    payloads
}

/// Whether a change says itself what it opened: audited again, it tells of a rule that is gone.
pub fn tells_itself(kind: &ChangeKind) -> bool {
    matches!(kind, ChangeKind::Authorized(_) | ChangeKind::Modified(_))
}

/// The record of a call that would have added the rule.
fn record(finding: &Finding) -> Option<Value> {
    let remediation = &finding.remediation;
    let (rule, group) = (finding.rule.as_ref()?, finding.group.as_ref()?);
    if rule.direction != Direction::Ingress {
        return None;
    }
    let change = finding.change.as_ref();
    let tags: Vec<Value> =
        rule.tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    Some(json!({
        "eventVersion": "1.10",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "AuthorizeSecurityGroupIngress",
        RETOLD: { "eventName": change.and_then(|change| change.event_name.as_ref()) },
        "eventID": change.and_then(|change| change.event_id.as_ref()),
        "eventTime": crate::finding::timestamp(
            &change.and_then(|change| change.time).unwrap_or(remediation.time)
        ),
        "userIdentity": { "arn": change.and_then(|change| change.actor.as_ref()) },
        "sourceIPAddress": change.and_then(|change| change.source_ip.as_ref()),
        "userAgent": change.and_then(|change| change.user_agent.as_ref()),
        "recipientAccountId": finding.account,
        "awsRegion": finding.region,
        "requestParameters": {
            "groupId": group.id,
            "tagSpecificationSet": {
                "items": [{ "resourceType": "security-group-rule", "tags": tags }],
            },
        },
        "responseElements": { "securityGroupRuleSet": { "items": [listed(&group.id, rule)] } },
    }))
}

/// The rule as the answer to such a call lists it.
fn listed(group: &str, rule: &Rule) -> Value {
    let protocol = match rule.protocol {
        Protocol::All => "-1".to_owned(),
        protocol => protocol.to_string(),
    };
    let mut item = json!({
        "groupId": group,
        "securityGroupRuleId": rule.id,
        "isEgress": false,
        "ipProtocol": protocol,
        "fromPort": rule.from_port,
        "toPort": rule.to_port,
        "description": rule.description,
    });
    let (member, peer) = match &rule.peer {
        Peer::Ipv4(net) => ("cidrIpv4", json!(net.to_string())),
        Peer::Ipv6(net) => ("cidrIpv6", json!(net.to_string())),
        Peer::Reference(Reference::PrefixList(id)) => ("prefixListId", json!(id)),
        Peer::Reference(Reference::Group(GroupRef { account, id })) => {
            ("referencedGroupInfo", json!({ "groupId": id, "userId": account }))
        }
    };
    if let Some(members) = item.as_object_mut() {
        members.insert(member.to_owned(), peer);
    }
    item
}
