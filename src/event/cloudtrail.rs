//! From a CloudTrail record to what it changed.

use serde_json::Value;

use super::call::{ApiCall, CREATE_LIST, CallResult, DELETE_GROUP, GroupCall};
use super::error::{NotUnderstood, Unread};
use super::model::{ChangeKind, Event, GroupChange, Kind, NotAudited, RevokedRules};
use super::record::{self, Envelope, Record};
use super::rule_call::RuleCall;
use super::wire::Node;
use super::{authorize, group_ids, list, modify, revoke, tags, watched};
use crate::ec2::{AccountId, GroupKey};
use crate::text::causes;

/// What a record tells. There is always at least one event.
pub(super) fn read(detail: &Value, envelope: Envelope) -> Vec<Event> {
    let other_type = other_type(&envelope);
    let node = Node::new("record", detail);
    let (record, fault) = record::read(node, envelope);
    let (call, result) = (ApiCall::of(node), CallResult::of(node));
    match (call, result) {
        (Some(ApiCall::Harmless(reason)), result) => {
            vec![harmless(node, record, reason, &result)]
        }
        (_, CallResult::Refused(code)) => {
            let reason = format!("the call failed ({code}) and changed nothing");
            vec![Event::new(record, Kind::Ignored(reason))]
        }
        (None, _) => unnamed(node, record, other_type, fault),
        (Some(call), _) if let Some(fault) = fault => {
            Event::undecodable_in(&record, &named_groups(node, call), &fault)
        }
        (Some(ApiCall::List(call)), result) => {
            let is_told = not_told(node, &record, result).is_none();
            vec![list::read(node, record, call, is_told)]
        }
        (Some(ApiCall::Tags(call)), result) => {
            let not_told = not_told(node, &record, result);
            tags::read(node, record, call, not_told)
        }
        (Some(ApiCall::Watched(part)), result) => {
            let server_error = match result {
                CallResult::ServerError(code) => Some(code),
                CallResult::Success | CallResult::Refused(_) => None,
            };
            let change = watched::read(node, &record, part, server_error);
            vec![Event::new(record, Kind::Watched(change))]
        }
        (Some(ApiCall::Group(call)), result) => vec![changed(node, record, call, result)],
    }
}

/// A call that changes no rule which is there. The history of rules needs two of them.
fn harmless(node: Node<'_>, record: Record, reason: &'static str, result: &CallResult) -> Event {
    let name = record.event_name.as_deref().unwrap_or_default();
    let (request, response) = (node.member("requestParameters"), node.member("responseElements"));
    let what = match result {
        CallResult::Success if name.eq_ignore_ascii_case(DELETE_GROUP) => {
            group(request, response).ok().flatten().map(NotAudited::GroupDeleted)
        }
        CallResult::Success if name.eq_ignore_ascii_case(CREATE_LIST) => list::created(node),
        _ => None,
    };
    match (what, Event::ignored(record, reason)) {
        (Some(what), Event { record, kind: Kind::Ignored(reason), .. }) => {
            Event::new(record, Kind::NotAudited { what, reason })
        }
        (_, event) => event,
    }
}

/// The detail type of an event of AWS that is not a CloudTrail record.
fn other_type(envelope: &Envelope) -> Option<String> {
    let detail_type = envelope.detail_type.as_ref()?;
    let is_from_aws = envelope.source.as_ref().is_some_and(|source| source.starts_with("aws."));
    (is_from_aws && !detail_type.contains("CloudTrail")).then(|| detail_type.clone())
}

/// A record that does not say which call it is.
fn unnamed(
    node: Node<'_>,
    record: Record,
    other_type: Option<String>,
    fault: Option<Unread>,
) -> Vec<Event> {
    let in_request = group(node.member("requestParameters"), Node::new("", &Value::Null));
    let (group, fault) = match in_request {
        Ok(group) => (group, fault),
        Err(error) => (None, Some(fault.unwrap_or(error))),
    };
    let groups = match group {
        Some(group) => vec![group],
        None => anywhere_in(node),
    };
    match (other_type, fault) {
        (Some(detail_type), _) if groups.is_empty() => {
            let reason = format!("`{detail_type}`: not a security-group call");
            vec![Event::new(record, Kind::Ignored(reason))]
        }
        (_, Some(fault)) => Event::undecodable_in(&record, &groups, &fault),
        (..) if groups.is_empty() => vec![Event::undecodable(record, &NotUnderstood::NotARecord)],
        (..) => Event::unknown(&record, &groups, &NotUnderstood::NoCall, ChangeKind::Unknown),
    }
}

/// The groups that a call is about, as far as its record names them.
fn named_groups(node: Node<'_>, call: ApiCall) -> Vec<GroupKey> {
    match call {
        ApiCall::Group(call) => {
            let named = group(parameters(node, call), node.member("responseElements"));
            named.ok().flatten().map_or_else(|| anywhere_in(node), |group| vec![group])
        }
        ApiCall::Tags(_) => anywhere_in(node),
        ApiCall::List(_) | ApiCall::Watched(_) | ApiCall::Harmless(_) => Vec::new(),
    }
}

/// The groups whose ids are anywhere in a record.
fn anywhere_in(node: Node<'_>) -> Vec<GroupKey> {
    group_ids::in_value(node.value()).into_iter().map(GroupKey::Id).collect()
}

/// Why a record does not tell what its call did.
fn not_told(node: Node<'_>, record: &Record, result: CallResult) -> Option<NotUnderstood> {
    let call = record.event_name.clone().unwrap_or_default();
    match result {
        CallResult::ServerError(code) => Some(NotUnderstood::ServerError { call, code }),
        _ if node.is_omitted() => Some(NotUnderstood::CutShort { call }),
        _ => None,
    }
}

/// A call about the rules of a group that succeeded or ended in a server error.
fn changed(node: Node<'_>, record: Record, call: GroupCall, result: CallResult) -> Event {
    let (request, response) = (parameters(node, call), node.member("responseElements"));
    let owner = owner(request, response);
    let group = match group(request, response) {
        Ok(Some(group)) => group,
        Ok(None) => {
            let call = record.event_name.clone().unwrap_or_default();
            // CloudTrail leaves out a large request, and the group with it. Other tools on the way
            // leave nothing in its place.
            let cause = match request {
                _ if node.is_omitted() => {
                    return Event::lost(record, &NotUnderstood::CutShort { call }, false);
                }
                request if request.is_omitted() => request.cut_short(),
                request if !request.has_members() => Unread::NoRequest,
                _ => return Event::undecodable(record, &NotUnderstood::NoGroup { call }),
            };
            return Event::lost(record, &NotUnderstood::Rules { call, cause }, false);
        }
        Err(fault @ Unread::CutShort { .. }) => return Event::lost(record, &fault, false),
        Err(fault) => return Event::undecodable(record, &fault),
    };
    let kind = match not_told(node, &record, result) {
        Some(error) => Err(error),
        None => {
            let account = owner.as_ref().or(record.account.as_ref());
            kind(call, &record, (&group, account), request, response)
        }
    };
    let kind = kind.unwrap_or_else(|error| ChangeKind::Unknown(causes(&error)));
    Event::new(record, Kind::Change(GroupChange { group, owner, kind }))
}

fn kind(
    call: GroupCall,
    record: &Record,
    (group, account): (&GroupKey, Option<&AccountId>),
    request: Node<'_>,
    response: Node<'_>,
) -> Result<ChangeKind, NotUnderstood> {
    let name = || record.event_name.clone().unwrap_or_default();
    let not_read = |cause| NotUnderstood::Rules { call: name(), cause };
    let of_rules =
        |direction| RuleCall { direction, account, group: group.id(), request, response };
    match call {
        GroupCall::Authorize(direction) => {
            authorize::rules(&of_rules(direction)).map(ChangeKind::Authorized).map_err(not_read)
        }
        GroupCall::Revoke(direction) => {
            let call = of_rules(direction);
            let (removed, ids) = (revoke::removed(&call), revoke::named(&call));
            Ok(ChangeKind::Revoked(RevokedRules { direction, removed, ids }))
        }
        GroupCall::Modify => modify::rules(request).map(ChangeKind::Modified).map_err(not_read),
        GroupCall::Create if group.id().is_none() => Err(NotUnderstood::NoIdOfNewGroup),
        GroupCall::Create => Ok(ChangeKind::Created),
        GroupCall::Unknown => Err(NotUnderstood::UnknownCall { call: name() }),
    }
}

/// The request. Modify, a newer call, has it in a member that is named after the call.
fn parameters(node: Node<'_>, call: GroupCall) -> Node<'_> {
    let parameters = node.member("requestParameters");
    match call {
        GroupCall::Modify => parameters.within("ModifySecurityGroupRulesRequest"),
        _ => parameters,
    }
}

/// The group that the request names by its id, else the one in the response, else the one that the
/// request names by its name.
fn group(request: Node<'_>, response: Node<'_>) -> Result<Option<GroupKey>, Unread> {
    for node in group_nodes(request, response) {
        if let Some(id) = node.member("groupId").id()? {
            return Ok(Some(GroupKey::Id(id)));
        }
    }
    let Some(name) = request.member("groupName").readable() else { return Ok(None) };
    Ok(Some(GroupKey::Name { name, vpc_id: request.member("vpcId").text()? }))
}

/// The account that owns the group, where the response tells.
fn owner(request: Node<'_>, response: Node<'_>) -> Option<AccountId> {
    group_nodes(request, response)
        .find_map(|node| node.member("groupOwnerId").account().ok().flatten())
}

/// What may name the group: the request, the response, and the rules in the response.
fn group_nodes<'a>(request: Node<'a>, response: Node<'a>) -> impl Iterator<Item = Node<'a>> {
    let rules = ["securityGroupRuleSet", "revokedSecurityGroupRuleSet"].into_iter();
    let rules = rules.flat_map(move |list| {
        response.member(list).items("securityGroupRuleId").unwrap_or_default()
    });
    [request, response].into_iter().chain(rules)
}
