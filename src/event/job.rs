//! What a schedule asks for, and what the function asks of itself.

use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::list_change::ListChange;
use super::tag_change::{HoldTags, TagChange};
use crate::ec2::hold::{Claim, Promise};
use crate::ec2::{AccountId, GroupId, ListId, Place, Region, Rule};

/// Work that a schedule, or an earlier invocation of the function, asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    /// Audit every group in scope.
    Sweep(Sweep),
    /// Close rules whose hold has ended.
    Holds(Sweep),
    /// Close these rules.
    Close(Close),
    /// Audit the groups of a tag call that an earlier invocation had no time for.
    Tags(TagChange),
    /// Audit the groups whose rules name a changed list, from where an earlier invocation stopped.
    List(ListChange, ListResume),
    /// Audit the rules of a tag call that an earlier invocation had no time for.
    HoldTags(HoldTags),
    /// Audit the groups of a place in which something changed, from where an earlier invocation
    /// stopped.
    Lost(Lost),
}

/// Where the audit of a changed list continues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ListResume {
    /// Whether all groups with ingress rules that name the list are done.
    pub ingress_done: bool,
    /// EC2's token for the next page of groups.
    pub page: Option<String>,
}

/// A change of which the record has lost the groups: every group of its place may be one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lost {
    /// What is wrong with the record. It is for a person.
    pub reason: String,
    /// Whether the call changed tags, and so perhaps which groups are in scope.
    pub is_of_tags: bool,
    /// Where an earlier invocation stopped.
    pub resume: Resume,
}

/// Which places are looked at, and where to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sweep {
    /// In which accounts; the function's own where none is named.
    #[serde(deserialize_with = "or_default")]
    pub accounts: Vec<AccountId>,
    /// In which regions of each account; the function's own where none is named.
    #[serde(deserialize_with = "or_default")]
    pub regions: Vec<Region>,
    /// Where an earlier invocation stopped.
    #[serde(deserialize_with = "object_or_default")]
    pub resume: Resume,
    /// How often the schedule asks that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

/// How often all groups are audited: the words of the template's parameter `Schedule`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Every hour.
    Hourly,
    /// Once a day.
    Daily,
    /// Every six days.
    Weekly,
    /// Only after a deployment.
    Off,
}

/// Where a sweep goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resume {
    /// How many places are done, in the order of the accounts, each with its regions in their order.
    #[serde(deserialize_with = "or_default")]
    pub places_done: usize,
    /// EC2's token for the page of the next place that is to be read.
    pub page: Option<String>,
    /// The groups of that page that are done.
    #[serde(deserialize_with = "or_default")]
    pub groups_done: Vec<GroupId>,
    /// The places that could not be read for now and are tried again after the others, by their
    /// numbers from 0. They count in `places_done` as well.
    #[serde(deserialize_with = "or_default")]
    pub again: Vec<usize>,
    /// Whether a place that is done could not be audited.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "std::ops::Not::not")]
    pub missed: bool,
    /// When the audit of the next place began, if it has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began: Option<DateTime<Utc>>,
    /// How many groups of the next place are done.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_zero")]
    pub groups: usize,
    /// Whether something that was found in it could not be remembered.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "std::ops::Not::not")]
    pub forgot: bool,
    /// A hash of the settings that the next place was audited with so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
    /// What names the sweep, from its first invocation to its last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<String>,
}

/// Rules to close, and to report together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Close {
    /// The rules, those of one group next to each other.
    pub rules: Vec<RuleToClose>,
    /// What names the audit that found them, where no change is behind it.
    pub occasion: Option<String>,
}

/// A rule to close, or to judge once more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RuleToClose {
    /// Where the group is.
    pub place: Place,
    pub group: GroupId,
    /// The rule as it was read.
    pub rule: Rule,
    /// What else has to be said about it.
    pub note: Option<Note>,
    /// What found it, which decides whether it may be closed.
    pub found_by: FoundBy,
    /// What is remembered of its hold.
    pub promise: Option<Promise>,
    /// What it asked for when the change was made, if a change names it and had no time for it. Tags
    /// that it got later do not count.
    pub claim: Option<Claim>,
}

/// What found rules that no event names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FoundBy {
    /// An audit of a whole group: by the sweep, or after a change that is not understood.
    Sweep,
    /// A change that names the rules, or whose prefix list they name, when there was no time to
    /// close them.
    Change,
    /// The check of holds.
    Holds,
    /// The audit of a group that left the scope.
    Leaving,
    /// The audit of rules whose hold a tag call ended.
    Tagging,
    /// The audit of all groups of a place, after a change whose group is not known.
    Lost,
}

/// Why a rule was audited although the change may not have added it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// The change could not be understood, so the whole group was audited. Holds the reason.
    NotUnderstood(String),
    /// The group came into the scope.
    EnteredScope,
    /// The group left the scope.
    LeftScope,
    /// The event does not tell the rule's direction, and ingress is assumed.
    DirectionAssumed,
    /// The rule names this prefix list, which changed.
    ListChanged(ListId),
    /// The change does not tell which group it was made in, so all were audited. Holds the reason.
    Lost(String),
    /// The rule's tags changed, and whether those of a hold did is not known. Holds the reason.
    TagsNotUnderstood(String),
}

impl Close {
    /// The rules of one group after the other. Rules of a group that were found in different ways
    /// are apart.
    pub fn by_group(&self) -> impl Iterator<Item = &[RuleToClose]> {
        self.rules.chunk_by(|one, other| one.key() == other.key())
    }
}

impl RuleToClose {
    pub(super) fn key(&self) -> (&Place, &GroupId, FoundBy) {
        (&self.place, &self.group, self.found_by)
    }
}

/// What is not written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Some tools write null for a member that is not there.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// As [`or_default`]. A list is refused, which serde would take as the values of the members.
fn object_or_default<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    match Option::<Map<String, Value>>::deserialize(deserializer)? {
        Some(members) => T::deserialize(Value::Object(members)).map_err(D::Error::custom),
        None => Ok(T::default()),
    }
}
