//! From a CloudTrail record to what it changed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::authorize::Authorize;
use super::call::{Call, Outcome};
use super::record::{self, Envelope};
use super::wire::Node;
use super::{ChangeKind, Event, GroupKey, Record, RevokedRules, SgChange, modify};

/// So many groups are audited for a record that does not say what it did. More are not looked at:
/// it is then a list of groups rather than a change of them.
const MOST_GROUPS: usize = 20;

/// What a record tells of; there is always something.
pub(super) fn read(detail: &Value, envelope: Envelope) -> Vec<Event> {
    let foreign = foreign(&envelope);
    let node = Node::new("record", detail);
    let record = record::read(node, envelope);
    let outcome = Outcome::of(node);
    let Some(call) = Call::of(node) else {
        return untold(node, record, outcome, foreign);
    };
    vec![match (call, outcome) {
        (Call::Harmless(reason), _) => ignored(&record, reason),
        (_, Outcome::Refused(code)) => refused(&code),
        (call, outcome) => changed(node, record, call, outcome),
    }]
}

/// The detail type of an event that is no CloudTrail record, but AWS's own.
fn foreign(envelope: &Envelope) -> Option<String> {
    let detail_type = envelope.detail_type.as_ref()?;
    let own = envelope.source.as_ref().is_some_and(|source| source.starts_with("aws."));
    (own && !detail_type.contains("CloudTrail")).then(|| detail_type.clone())
}

fn ignored(record: &Record, reason: &str) -> Event {
    Event::Ignored(match &record.event_name {
        Some(name) => format!("`{name}`: {reason}"),
        None => reason.to_owned(),
    })
}

fn refused(code: &str) -> Event {
    Event::Ignored(format!("the call failed ({code}) and changed nothing"))
}

/// A record without a name to tell by.
fn untold(node: Node<'_>, record: Record, outcome: Outcome, foreign: Option<String>) -> Vec<Event> {
    if let Outcome::Refused(code) = outcome {
        return vec![refused(&code)];
    }
    let reason = "the event does not say which call it is";
    let groups: Vec<GroupKey> =
        match group(node.member("requestParameters"), Node::new("", &Value::Null)) {
            Some(group) => vec![group],
            None => {
                let mut ids = BTreeSet::new();
                group_ids(node.value(), &mut ids);
                ids.into_iter().map(|id| GroupKey::Id(id.to_owned())).collect()
            }
        };
    if groups.is_empty() {
        return vec![match foreign {
            Some(detail_type) => {
                Event::Ignored(format!("`{detail_type}`: not a security-group call"))
            }
            None => undecodable(record, "the event is no CloudTrail record, and names no group"),
        }];
    }
    if groups.len() > MOST_GROUPS {
        let reason = format!("{reason}, and names {} groups", groups.len());
        return vec![undecodable(record, &reason)];
    }
    let change = |group| change(record.clone(), group, ChangeKind::Unknown(reason.to_owned()));
    groups.into_iter().map(change).collect()
}

/// Every id of a security group in `value`.
fn group_ids<'a>(value: &'a Value, ids: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) if is_group_id(text) => {
            ids.insert(text);
        }
        Value::Array(elements) => elements.iter().for_each(|element| group_ids(element, ids)),
        Value::Object(members) => members.values().for_each(|member| group_ids(member, ids)),
        _ => {}
    }
}

fn is_group_id(text: &str) -> bool {
    text.len() <= 32
        && text
            .strip_prefix("sg-")
            .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// A call that succeeded, or died on the way.
fn changed(node: Node<'_>, record: Record, call: Call, outcome: Outcome) -> Event {
    let (request, response) = (parameters(node, call), node.member("responseElements"));
    let name = record.event_name.clone().unwrap_or_default();
    if call == Call::PrefixList {
        let reason =
            format!("`{name}` changes a prefix list; which groups name it, it does not say");
        return undecodable(record, &reason);
    }
    let Some(group) = group(request, response) else {
        return undecodable(record, &format!("`{name}` names no group"));
    };
    let kind = match outcome {
        Outcome::ServerError(code) => ChangeKind::Unknown(format!(
            "`{name}` ({code}): the call ended in a server error, so what it changed is not known"
        )),
        _ if node.is_omitted() => {
            ChangeKind::Unknown(format!("the record of `{name}` was cut short by CloudTrail"))
        }
        _ => kind(call, &record, &group, request, response),
    };
    change(record, group, kind)
}

fn kind(
    call: Call,
    record: &Record,
    group: &GroupKey,
    request: Node<'_>,
    response: Node<'_>,
) -> ChangeKind {
    let name = record.event_name.as_deref().unwrap_or_default();
    let unread = |reason: String| {
        ChangeKind::Unknown(format!("the rules of `{name}` are not understood: {reason}"))
    };
    match call {
        Call::Authorize(direction) => {
            let account = record.account.as_deref();
            let authorize = Authorize { direction, account, request, response };
            let id = match group {
                GroupKey::Id(id) => Some(id.as_str()),
                GroupKey::Name(_) => None,
            };
            authorize.rules(id).map_or_else(unread, ChangeKind::Authorized)
        }
        Call::Revoke(direction) => ChangeKind::Revoked(RevokedRules { direction, rules: None }),
        Call::Modify => modify::rules(request)
            .map_or_else(|reason| unread(reason.to_string()), ChangeKind::Modified),
        Call::Create => match group {
            GroupKey::Id(_) => ChangeKind::Created,
            GroupKey::Name(_) => {
                ChangeKind::Unknown("the id of the new group is not in the event".to_owned())
            }
        },
        Call::Harmless(_) | Call::PrefixList | Call::Unknown => {
            ChangeKind::Unknown(format!("`{name}` is not a call that this version knows"))
        }
    }
}

/// The request: Modify, a newer call, has it in a member of its own name.
fn parameters(node: Node<'_>, call: Call) -> Node<'_> {
    let parameters = node.member("requestParameters");
    if call != Call::Modify {
        return parameters;
    }
    let nested = parameters.member("ModifySecurityGroupRulesRequest");
    if nested.is_absent() { parameters } else { nested }
}

/// The group that the request is about, else the one that the response is about, else the name in
/// the request.
fn group(request: Node<'_>, response: Node<'_>) -> Option<GroupKey> {
    let rules = ["securityGroupRuleSet", "revokedSecurityGroupRuleSet"].into_iter();
    let of_rules = rules
        .flat_map(|list| response.member(list).items("securityGroupRuleId").unwrap_or_default())
        .find_map(|rule| rule.member("groupId").told());
    request
        .member("groupId")
        .told()
        .or_else(|| response.member("groupId").told())
        .or(of_rules)
        .map(GroupKey::Id)
        .or_else(|| request.member("groupName").told().map(GroupKey::Name))
}

fn change(record: Record, group: GroupKey, kind: ChangeKind) -> Event {
    Event::Change(Box::new(SgChange { record, group, kind }))
}

fn undecodable(record: Record, reason: &str) -> Event {
    Event::Undecodable { reason: reason.to_owned(), record: Box::new(record) }
}
