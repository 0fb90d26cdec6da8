//! Changes of the tags of security groups.

use std::collections::{BTreeMap, BTreeSet};

use super::call::TagCall;
use super::error::{NotUnderstood, Unread};
use super::group_ids;
use super::model::{ChangeKind, Event, Kind};
use super::record::Record;
use super::tag_change::{TagAction, TagChange};
use super::wire::Node;
use crate::ec2::{GroupId, GroupKey};

/// What a call did to the tags of groups. `not_told` is why the record does not tell that, where it
/// does not. Resources that are not groups do not matter here.
pub(super) fn read(
    node: Node<'_>,
    record: Record,
    call: TagCall,
    not_told: Option<NotUnderstood>,
) -> Vec<Event> {
    let request = node.member("requestParameters");
    let name = record.event_name.clone().unwrap_or_default();
    let not_read = |cause| NotUnderstood::Tags { call: name, cause };
    let groups = match groups(node, request) {
        Ok(groups) => groups,
        Err(unread) => {
            let is_missing = unread == RESOURCES_MISSING;
            let error = not_told.unwrap_or_else(|| not_read(unread));
            return unlisted(node, record, is_missing, &error);
        }
    };
    if groups.is_empty() {
        return vec![Event::ignored(record, "none of its resources is a security group")];
    }
    let tags = match not_told {
        Some(error) => Err(error),
        None => tags(request, call).map_err(not_read),
    };
    match tags {
        Ok(tags) => {
            let (groups, all_deleted) = (groups.into_iter().collect(), tags.is_empty());
            vec![Event { record, kind: Kind::Tags(TagChange { groups, tags, all_deleted }) }]
        }
        Err(error) => retagged(&record, groups, &error),
    }
}

/// These groups may have other tags now.
fn retagged(record: &Record, groups: BTreeSet<GroupId>, error: &NotUnderstood) -> Vec<Event> {
    let groups: Vec<GroupKey> = groups.into_iter().map(GroupKey::Id).collect();
    Event::unknown(record, groups.into_iter(), error, ChangeKind::Retagged)
}

/// A call whose list of resources cannot be read: the groups that it names elsewhere. There may be
/// others, unless the list `is_missing`.
fn unlisted(node: Node<'_>, record: Record, is_missing: bool, error: &NotUnderstood) -> Vec<Event> {
    let groups = group_ids::in_value(node.value());
    let are_all_named = is_missing && !groups.is_empty();
    let mut events = retagged(&record, groups, error);
    if !are_all_named {
        events.push(Event::undecodable(record, error));
    }
    events
}

/// The list of resources in a request.
const RESOURCES: &str = "resourcesSet";

const RESOURCES_MISSING: Unread = Unread::Missing(RESOURCES);

/// The groups among the resources.
fn groups(node: Node<'_>, request: Node<'_>) -> Result<BTreeSet<GroupId>, Unread> {
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
    list.into_iter().filter_map(|item| group(item).transpose()).collect()
}

/// A resource, if it is a group: an object with the id in it, or the id. What is not an id may be
/// one that was lost.
fn group(item: Node<'_>) -> Result<Option<GroupId>, Unread> {
    let id = if item.value().is_string() { item } else { item.member("resourceId") };
    let id = id.required()?;
    let is_id = id.contains('-') && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !is_id {
        Err(Unread::Resource(id))
    } else if id.starts_with("sg-") {
        Ok(Some(id.parse()?))
    } else {
        Ok(None)
    }
}

/// What was done to each key. It is empty where every tag was deleted, which is what DeleteTags
/// without tags does
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html>).
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

/// The value of a tag. The empty value is a value: DeleteTags distinguishes it from none.
fn value(value: Node<'_>) -> Result<Option<String>, Unread> {
    if value.value().is_null() {
        Ok(None)
    } else if value.value() == "" {
        Ok(Some(String::new()))
    } else {
        value.required().map(Some)
    }
}
