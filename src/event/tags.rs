//! Changes of the tags of security groups.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::call::TagCall;
use super::mentioned;
use super::verdict::{ignored, undecodable, unknown};
use super::wire::{Node, Unread};
use super::{Event, GroupKey, Record, TagAction, TagChange};
use crate::ec2::ids::is_group_id;
use crate::finding::timestamp;

/// What a call did to the tags of groups; `untold` is why the record does not tell that, where it
/// does not.
///
/// A group that is named, but whose tags are not understood, has changed in a way that is not
/// known. Resources that are no groups are nobody's business here.
pub(super) fn read(
    node: Node<'_>,
    record: Record,
    call: TagCall,
    untold: Option<String>,
) -> Vec<Event> {
    let request = node.member("requestParameters");
    let name = record.event_name.clone().unwrap_or_default();
    let reason = |unread: &Unread| format!("the tags of `{name}` are not understood: {unread}");
    let groups = match resources(node, request) {
        Ok(resources) => resources.into_iter().filter(|id| is_group_id(id)),
        Err(unread) => {
            let reason = untold.unwrap_or_else(|| reason(&unread));
            return unlisted(node, record, &unread, &reason);
        }
    };
    let groups: BTreeSet<String> = groups.collect();
    if groups.is_empty() {
        return vec![ignored(&record, "none of its resources is a security group")];
    }
    let tags = match untold {
        Some(untold) => Err(untold),
        None => tags(request, call).map_err(|unread| reason(&unread)),
    };
    match tags {
        Ok(tags) => {
            let all_deleted = tags.is_empty();
            let groups = groups.into_iter().collect();
            vec![Event::Tags(Box::new(TagChange { record, groups, tags, all_deleted }))]
        }
        Err(reason) => unknown(&record, groups.into_iter().map(GroupKey::Id), &reason),
    }
}

impl TagChange {
    /// The record that tells of it; [`decode`](super::decode) reads it back.
    pub fn to_payload(&self) -> Value {
        let Self { record, groups, tags, all_deleted: _ } = self;
        let resources: Vec<Value> =
            groups.iter().map(|group| json!({ "resourceId": group })).collect();
        let tags = tags.iter().map(|(key, action)| match action {
            TagAction::Set(value) | TagAction::Deleted(Some(value)) => {
                json!({ "key": key, "value": value })
            }
            TagAction::Deleted(None) => json!({ "key": key }),
        });
        json!({
            "eventSource": "ec2.amazonaws.com",
            "eventName": record.event_name,
            "eventID": record.event_id,
            "sharedEventID": record.shared_event_id,
            "eventTime": record.time.as_ref().map(timestamp),
            "userIdentity": { "arn": record.actor },
            "sourceIPAddress": record.source_ip,
            "userAgent": record.user_agent,
            "recipientAccountId": record.account,
            "awsRegion": record.region,
            "requestParameters": {
                "resourcesSet": { "items": resources },
                "tagSet": { "items": tags.collect::<Vec<Value>>() },
            },
        })
    }
}

/// A call whose resources cannot be read: the groups that are named somewhere, and that there may
/// be others, unless there is nothing where others could have been.
fn unlisted(node: Node<'_>, record: Record, unread: &Unread, reason: &str) -> Vec<Event> {
    let groups = mentioned::groups_in(node.value());
    let all_named = *unread == RESOURCES_MISSING && !groups.is_empty();
    let groups = groups.into_iter().map(|id| GroupKey::Id(id.to_owned()));
    let mut events = unknown(&record, groups.collect::<Vec<_>>().into_iter(), reason);
    if !all_named {
        events.push(undecodable(record, reason));
    }
    events
}

/// The list of resources, in the records.
const RESOURCES: &str = "resourcesSet";

const RESOURCES_MISSING: Unread = Unread::Missing(RESOURCES);

/// The ids of everything that was tagged.
fn resources(node: Node<'_>, request: Node<'_>) -> Result<Vec<String>, Unread> {
    for member in [node, request] {
        if member.is_omitted() {
            return Err(member.cut_short());
        }
    }
    let list = request.member(RESOURCES).items("resourceId")?;
    // EC2 refuses a call without any.
    if list.is_empty() {
        return Err(RESOURCES_MISSING);
    }
    list.into_iter().map(resource).collect()
}

/// One of them: an object with the id in it, or the id. What is no id may be one that was lost.
fn resource(item: Node<'_>) -> Result<String, Unread> {
    let id = if item.value().is_string() { item } else { item.member("resourceId") };
    let id = id.required()?;
    let is_id = id.contains('-') && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if is_id { Ok(id) } else { Err(Unread::Resource(id)) }
}

/// What was done to each key. Nothing is in it where every tag was deleted: that is what a
/// DeleteTags without tags does.
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html>)
fn tags(request: Node<'_>, call: TagCall) -> Result<BTreeMap<String, TagAction>, Unread> {
    let list = request.member("tagSet");
    let mut tags = BTreeMap::new();
    for tag in list.items("key")? {
        let (key, value) = (tag.member("key").required()?, value(tag.member("value"))?);
        let action = match call {
            TagCall::Create => TagAction::Set(value.unwrap_or_default()),
            TagCall::Delete => TagAction::Deleted(value),
        };
        if tags.get(&key).is_some_and(|other| *other != action) {
            return Err(Unread::TagTwice(key));
        }
        tags.insert(key, action);
    }
    if tags.is_empty() && call == TagCall::Create {
        return Err(Unread::Missing("tagSet"));
    }
    Ok(tags)
}

/// The value of a tag. An empty one is a value: DeleteTags tells it from none.
fn value(value: Node<'_>) -> Result<Option<String>, Unread> {
    if value.value().is_null() {
        Ok(None)
    } else if value.value() == "" {
        Ok(Some(String::new()))
    } else {
        value.required().map(Some)
    }
}
