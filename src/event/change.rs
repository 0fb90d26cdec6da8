//! From a CloudTrail record to what it changed.

use serde_json::Value;

use super::call::{Call, Outcome};
use super::record::{self, Envelope};
use super::told::RuleCall;
use super::verdict::{change, ignored, undecodable, unknown};
use super::wire::Node;
use super::{ChangeKind, Event, GroupKey, Record, RevokedRules};
use super::{authorize, list, mentioned, modify, revoke, tags, watched};

/// What a record tells of; there is always something.
pub(super) fn read(detail: &Value, envelope: Envelope) -> Vec<Event> {
    let foreign = foreign(&envelope);
    let node = Node::new("record", detail);
    let record = record::read(node, envelope);
    let outcome = Outcome::of(node);
    let Some(call) = Call::of(node) else {
        return unnamed(node, record, outcome, foreign);
    };
    match (call, outcome) {
        (Call::Harmless(reason), _) => vec![ignored(&record, reason)],
        (_, Outcome::Refused(code)) => vec![refused(&code)],
        (Call::List(call), outcome) => {
            let untold = untold(node, &record, outcome).is_some();
            vec![list::read(node, record, call, untold)]
        }
        (Call::Tags(call), outcome) => {
            let untold = untold(node, &record, outcome);
            tags::read(node, record, call, untold)
        }
        (Call::Watched(part), outcome) => {
            vec![Event::Watched(Box::new(watched::read(node, record, part, &outcome)))]
        }
        (call, outcome) => vec![changed(node, record, call, outcome)],
    }
}

/// The detail type of an event that is no CloudTrail record, but AWS's own.
fn foreign(envelope: &Envelope) -> Option<String> {
    let detail_type = envelope.detail_type.as_ref()?;
    let own = envelope.source.as_ref().is_some_and(|source| source.starts_with("aws."));
    (own && !detail_type.contains("CloudTrail")).then(|| detail_type.clone())
}

fn refused(code: &str) -> Event {
    Event::Ignored(format!("the call failed ({code}) and changed nothing"))
}

/// A record without a name to tell by.
fn unnamed(
    node: Node<'_>,
    record: Record,
    outcome: Outcome,
    foreign: Option<String>,
) -> Vec<Event> {
    if let Outcome::Refused(code) = outcome {
        return vec![refused(&code)];
    }
    let groups: Vec<GroupKey> =
        match group(node.member("requestParameters"), Node::new("", &Value::Null)) {
            Some(group) => vec![group],
            None => {
                let ids = mentioned::groups_in(node.value()).into_iter();
                ids.map(|id| GroupKey::Id(id.to_owned())).collect()
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
    unknown(&record, groups.into_iter(), "the event does not say which call it is")
}

/// Why a record does not tell what its call did, where it does not.
fn untold(node: Node<'_>, record: &Record, outcome: Outcome) -> Option<String> {
    let name = record.event_name.as_deref().unwrap_or_default();
    match outcome {
        Outcome::ServerError(code) => Some(format!(
            "`{name}` ({code}): the call ended in a server error, so what it changed is not known"
        )),
        _ if node.is_omitted() => {
            Some(format!("the record of `{name}` was cut short by CloudTrail"))
        }
        _ => None,
    }
}

/// A call about the rules of a group that succeeded, or died on the way.
fn changed(node: Node<'_>, record: Record, call: Call, outcome: Outcome) -> Event {
    let (request, response) = (parameters(node, call), node.member("responseElements"));
    let Some(group) = group(request, response) else {
        let name = record.event_name.clone().unwrap_or_default();
        return undecodable(record, &format!("`{name}` names no group"));
    };
    let kind = match untold(node, &record, outcome) {
        Some(reason) => ChangeKind::Unknown(reason),
        None => kind(call, &record, &group, request, response),
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
    let id = match group {
        GroupKey::Id(id) => Some(id.as_str()),
        GroupKey::Name(_) => None,
    };
    let account = record.account.as_deref();
    let of_rules = |direction| RuleCall { direction, account, request, response };
    match call {
        Call::Authorize(direction) => {
            authorize::rules(&of_rules(direction), id).map_or_else(unread, ChangeKind::Authorized)
        }
        Call::Revoke(direction) => {
            let rules = revoke::rules(&of_rules(direction), id);
            ChangeKind::Revoked(RevokedRules { direction, rules })
        }
        Call::Modify => modify::rules(request)
            .map_or_else(|reason| unread(reason.to_string()), ChangeKind::Modified),
        Call::Create => match group {
            GroupKey::Id(_) => ChangeKind::Created,
            GroupKey::Name(_) => {
                ChangeKind::Unknown("the id of the new group is not in the event".to_owned())
            }
        },
        Call::Harmless(_) | Call::List(_) | Call::Tags(_) | Call::Watched(_) | Call::Unknown => {
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
    parameters.within("ModifySecurityGroupRulesRequest")
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
