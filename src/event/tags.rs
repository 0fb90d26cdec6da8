//! Changes of the tags of security groups and of their rules.

use std::collections::{BTreeMap, BTreeSet};

use super::call::TagCall;
use super::error::{NotUnderstood, Unread};
use super::group_ids;
use super::model::{ChangeKind, Event, Kind};
use super::record::Record;
use super::tag_change::{HoldTags, TagAction, TagChange};
use super::wire::Node;
use crate::ec2::hold::is_of_hold;
use crate::ec2::{GroupId, GroupKey, RuleId};
use crate::text::causes;

/// What a call did to the tags of groups, and to those of a hold on rules. `not_told` is why the
/// record does not tell that, where it does not. Other resources do not matter here.
pub(super) fn read(
    node: Node<'_>,
    record: Record,
    call: TagCall,
    not_told: Option<NotUnderstood>,
) -> Vec<Event> {
    let request = node.member("requestParameters");
    let name = record.event_name.clone().unwrap_or_default();
    let not_read = |cause| NotUnderstood::Tags { call: name, cause };
    let Resources { groups, rules } = match resources(node, request) {
        Ok(resources) => resources,
        Err(unread) => {
            let loss = Loss::of(&unread);
            let error = not_told.unwrap_or_else(|| not_read(unread));
            return unlisted(node, record, loss, &error);
        }
    };
    let tags = match not_told {
        Some(error) => Err(error),
        None => tags(request, call).map_err(not_read),
    };
    let mut events = Vec::new();
    let of_hold = match &tags {
        // Without any key, all tags were deleted.
        Ok(tags) => tags.is_empty() || tags.keys().any(|key| is_of_hold(key)),
        Err(_) => true,
    };
    if of_hold && !rules.is_empty() {
        let unread = tags.as_ref().err().map(|error| causes(error));
        let tags = HoldTags { rules: rules.into_iter().collect(), unread };
        events.push(Event::new(record.clone(), Kind::HoldTags(tags)));
    }
    match tags {
        _ if groups.is_empty() => {}
        Ok(tags) => {
            let (groups, all_deleted) = (groups.into_iter().collect(), tags.is_empty());
            let kind = Kind::Tags(TagChange { groups, tags, all_deleted });
            events.push(Event::new(record.clone(), kind));
        }
        Err(error) => events.extend(retagged(&record, groups, &error)),
    }
    if events.is_empty() {
        events.push(Event::ignored(record, "none of its resources is a security group"));
    }
    events
}

/// How the list of resources was lost.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// There is none.
    Missing,
    /// It, or the whole request, was left out.
    LeftOut,
    /// It is not understood.
    Other,
}

impl Loss {
    fn of(unread: &Unread) -> Self {
        match unread {
            unread if *unread == RESOURCES_MISSING => Self::Missing,
            Unread::CutShort { .. } | Unread::NoRequest => Self::LeftOut,
            _ => Self::Other,
        }
    }
}

/// These groups may have other tags now.
fn retagged(record: &Record, groups: BTreeSet<GroupId>, error: &NotUnderstood) -> Vec<Event> {
    let groups: Vec<GroupKey> = groups.into_iter().map(GroupKey::Id).collect();
    Event::unknown(record, &groups, error, ChangeKind::Retagged)
}

/// A call whose list of resources cannot be read: the groups that it names elsewhere. There may be
/// others, unless the list is missing. Where CloudTrail has left out all of them, it may be any.
fn unlisted(node: Node<'_>, record: Record, loss: Loss, error: &NotUnderstood) -> Vec<Event> {
    let groups = group_ids::in_value(node.value());
    if groups.is_empty() {
        return vec![match loss {
            Loss::LeftOut => Event::lost(record, error, true),
            Loss::Missing | Loss::Other => Event::undecodable(record, error),
        }];
    }
    let are_all_named = loss == Loss::Missing;
    let mut events = retagged(&record, groups, error);
    if !are_all_named {
        events.push(Event::undecodable(record, error));
    }
    events
}

/// The list of resources in a request.
const RESOURCES: &str = "resourcesSet";

const RESOURCES_MISSING: Unread = Unread::Missing(RESOURCES);

/// The resources that matter.
#[derive(Default)]
struct Resources {
    groups: BTreeSet<GroupId>,
    rules: BTreeSet<RuleId>,
}

/// The groups and the rules among the resources.
fn resources(node: Node<'_>, request: Node<'_>) -> Result<Resources, Unread> {
    for member in [node, request] {
        if member.is_omitted() {
            return Err(member.cut_short());
        }
    }
    if !request.has_members() {
        return Err(Unread::NoRequest);
    }
    let list = request.member(RESOURCES).items("resourceId")?;
    // EC2 refuses a call without any.
    if list.is_empty() {
        return Err(RESOURCES_MISSING);
    }
    let mut resources = Resources::default();
    for item in list {
        resources.add(item)?;
    }
    Ok(resources)
}

impl Resources {
    /// Adds a resource, if it matters: an object with the id in it, or the id. What is not an id may
    /// be one that was lost.
    fn add(&mut self, item: Node<'_>) -> Result<(), Unread> {
        let id = if item.value().is_string() { item } else { item.member("resourceId") };
        let id = id.required()?;
        let is_id = id.contains('-') && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !is_id {
            return Err(Unread::Resource(id));
        }
        if id.starts_with("sg-") {
            self.groups.insert(id.parse()?);
        } else if id.starts_with("sgr-") {
            self.rules.insert(id.parse()?);
        }
        Ok(())
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
