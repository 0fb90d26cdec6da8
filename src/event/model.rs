//! What an event can be.

use std::error::Error;

use ipnet::IpNet;

use super::hook::HookRequest;
use super::job::{Job, Lost, Resume};
use super::list_change::ListChange;
use super::record::Record;
use super::tag_change::{HoldTags, TagChange};
use super::watched::WatchedChange;
use crate::ec2::{AccountId, Direction, GroupKey, ListId, Rule, RuleId};
use crate::net::Cells;
use crate::text::causes;

/// One thing that an invocation brings: who did it, when and where, and what was done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Who, when, where. For a job that was handed on, this is the change behind it, if there is
    /// one. A schedule has none, and at most a time, and the id that is the same whenever it is
    /// delivered.
    pub record: Record,
    /// What was done.
    pub kind: Kind,
    /// How many invocations handed it on, one to the next. None where it comes from elsewhere.
    pub depth: u32,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A security group changed, or may have.
    Change(GroupChange),
    /// A prefix list changed, and with it what the rules that name it admit.
    List(ListChange),
    /// Tags of security groups changed, and with them perhaps which groups are in scope.
    Tags(TagChange),
    /// Tags of rules changed, and with them perhaps a hold.
    HoldTags(HoldTags),
    /// Something changed, and the record has lost in which groups.
    Lost(Lost),
    /// Something that the auditor itself depends on changed, or may have.
    Watched(WatchedChange),
    /// CloudFormation asks whether a group or a rule may be made.
    Hook(Box<HookRequest>),
    /// A schedule, or an earlier invocation, asks for work.
    Job(Job),
    /// Nothing changed. The reason is for a person.
    Ignored(String),
    /// Nothing changed that an audit could look at. Only the history of rules needs it.
    NotAudited {
        /// What happened.
        what: NotAudited,
        /// Why it is not audited. It is for a person.
        reason: String,
    },
    /// What arrived does not tell what happened, or where.
    Undecodable {
        /// The group, where one is named. It is not looked for.
        group: Option<GroupKey>,
        /// What is wrong. It is for a person.
        reason: String,
    },
}

/// A change that leaves no rule to audit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NotAudited {
    /// A group was deleted, and its rules with it.
    GroupDeleted(GroupKey),
    /// A prefix list was created. No rule names it yet.
    ListCreated {
        /// `pl-…`
        list: ListId,
        /// Its entries; `None` where the event does not tell.
        entries: Option<Vec<IpNet>>,
    },
}

/// A change of one security group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupChange {
    pub group: GroupKey,
    /// The account that owns the group, where the event tells. The group may be shared with the
    /// account that the event is from.
    pub owner: Option<AccountId>,
    /// What was done to it.
    pub kind: ChangeKind,
}

/// What was done to a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// Rules were added.
    Authorized(Vec<Rule>),
    /// Rules were removed.
    Revoked(RevokedRules),
    /// Rules were changed in place.
    Modified(Vec<ModifiedRule>),
    /// The group is new. No event tells which rules EC2 gave it.
    Created,
    /// The group's rules may have changed, and how is not understood. The reason is for a person.
    Unknown(String),
    /// The group's tags may have changed, and how is not understood. The reason is for a person.
    Retagged(String),
}

/// Rules that were removed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RevokedRules {
    /// The direction of the rules.
    pub direction: Direction,
    /// What they were.
    pub removed: Removed,
    /// The rules that the request names by their ids.
    pub ids: Vec<RuleId>,
}

impl RevokedRules {
    /// No rule of this direction.
    pub fn nothing(direction: Direction) -> Self {
        Self { direction, removed: Removed::Rules(Vec::new()), ids: Vec::new() }
    }
}

/// What a call removed from a group, as far as its event tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Removed {
    Rules(Vec<Rule>),
    /// Rules whose content is not known. They admitted traffic of these protocols and ports only;
    /// all of them where the event does not tell.
    Within(Cells),
}

/// The new content of a rule that was changed in place. No event tells its direction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModifiedRule {
    id: RuleId,
    ingress: Rule,
}

impl ModifiedRule {
    /// `ingress` is the rule as it would be if it were an ingress rule.
    pub fn new(id: RuleId, ingress: Rule) -> Self {
        Self { ingress: ingress.with_id(Some(id.clone())), id }
    }

    /// `sgr-…`
    pub fn id(&self) -> &RuleId {
        &self.id
    }

    /// The rule, if it has this direction.
    pub fn in_direction(&self, direction: Direction) -> Rule {
        self.ingress.clone().with_direction(direction)
    }
}

/// If an event that does not say what it did names more groups than this, it is a list of groups
/// rather than a change of them, and none of them is audited for it.
const MOST_GROUPS: usize = 20;

impl Event {
    /// An event that comes from elsewhere.
    pub fn new(record: Record, kind: Kind) -> Self {
        Self { record, kind, depth: 0 }
    }

    /// A change of a group whose owner is not told.
    pub(super) fn change(record: Record, group: GroupKey, kind: ChangeKind) -> Self {
        Self::new(record, Kind::Change(GroupChange { group, owner: None, kind }))
    }

    /// The call changed nothing.
    pub(super) fn ignored(record: Record, reason: &str) -> Self {
        let reason = match &record.event_name {
            Some(name) => format!("`{name}`: {reason}"),
            None => reason.to_owned(),
        };
        Self::new(record, Kind::Ignored(reason))
    }

    /// Something changed, and the record has lost in which groups.
    pub(super) fn lost(record: Record, error: &(dyn Error + 'static), is_of_tags: bool) -> Self {
        let lost = Lost { reason: causes(error), is_of_tags, resume: Resume::default() };
        Self::new(record, Kind::Lost(lost))
    }

    /// It is not known what changed, if anything did.
    pub(super) fn undecodable(record: Record, error: &(dyn Error + 'static)) -> Self {
        let (group, reason) = (None, causes(error));
        Self::new(record, Kind::Undecodable { group, reason })
    }

    /// It is not known what changed in these groups, if anything did.
    pub(super) fn undecodable_in(
        record: &Record,
        groups: &[GroupKey],
        error: &(dyn Error + 'static),
    ) -> Vec<Self> {
        Self::of_each(record, groups, causes(error), |group, reason| Kind::Undecodable {
            group: Some(group),
            reason,
        })
    }

    /// These groups may have changed, and how is not known.
    pub(super) fn unknown(
        record: &Record,
        groups: &[GroupKey],
        error: &(dyn Error + 'static),
        kind: fn(String) -> ChangeKind,
    ) -> Vec<Self> {
        Self::of_each(record, groups, causes(error), |group, reason| {
            Kind::Change(GroupChange { group, owner: None, kind: kind(reason) })
        })
    }

    /// An event for each of these groups. Without any, or with too many, there is one that names
    /// none.
    fn of_each(
        record: &Record,
        groups: &[GroupKey],
        mut reason: String,
        kind: impl Fn(GroupKey, String) -> Kind,
    ) -> Vec<Self> {
        if (1..=MOST_GROUPS).contains(&groups.len()) {
            let event =
                |group: &GroupKey| Self::new(record.clone(), kind(group.clone(), reason.clone()));
            return groups.iter().map(event).collect();
        }
        if !groups.is_empty() {
            reason = format!("{reason}, and it names {} groups", groups.len());
        }
        vec![Self::new(record.clone(), Kind::Undecodable { group: None, reason })]
    }
}
