//! Events: from what arrives to what changed.
//!
//! [`decode`] takes the bytes of an invocation, takes off whatever they are wrapped in (SNS, SQS,
//! Lambda's failure destination, CloudTrail's own `Records`), and reads each CloudTrail record in
//! it. Serde stops here: behind it there are only [`Event`]s.
//!
//! Nothing passes in silence. What is understood is a change; what certainly changed nothing is
//! ignored with a reason; what names a group but is not understood is a change of that group
//! [whose rules are unknown](ChangeKind::Unknown); everything else is [not an event that can be
//! audited](Event::Undecodable), which is a finding of its own.

mod authorize;
mod call;
mod change;
mod close;
mod keys;
mod list;
mod mentioned;
mod modify;
mod record;
mod repeated;
mod revoke;
mod schedule;
mod tags;
mod told;
mod verdict;
mod watched;
mod weight;
mod wire;
mod wrapper;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ec2::{Direction, Peer, Protocol, Rule};
pub use close::{Close, FoundBy, RuleToClose};
pub use watched::{Part, WatchedChange};
use wrapper::Unwrapped;

/// Reads what an invocation brings. There is always something in it: whatever cannot be read is
/// [`Event::Undecodable`].
pub fn decode(payload: &[u8]) -> Vec<Event> {
    let events = wrapper::unwrap(payload).into_iter().flat_map(|unwrapped| match unwrapped {
        Unwrapped::Record(detail, envelope) => change::read(&detail, envelope),
        Unwrapped::Group(id, reason, envelope) => {
            vec![verdict::change(envelope.into(), GroupKey::Id(id), ChangeKind::Unknown(reason))]
        }
        Unwrapped::Schedule(schedule) => vec![Event::Schedule(Box::new(schedule))],
        Unwrapped::Close(close) => vec![Event::Close(Box::new(close))],
        Unwrapped::Nothing(reason, envelope) => {
            vec![verdict::undecodable(envelope.into(), &reason)]
        }
    });
    repeated::once(events.map(keys::shortened))
}

/// One record of an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A security group changed, or may have.
    Change(Box<SgChange>),
    /// A prefix list changed, and with it what the rules that name it admit.
    List(Box<ListChange>),
    /// Tags of security groups changed, and with them perhaps what is in scope.
    Tags(Box<TagChange>),
    /// Something changed that the auditor itself lives on, or may have.
    Watched(Box<WatchedChange>),
    /// It is time for something.
    Schedule(Box<Schedule>),
    /// Something of that kind, or a change that was not understood, found what is to be closed.
    Close(Box<Close>),
    /// Nothing changed; the reason is for a person.
    Ignored(String),
    /// Something happened that cannot be told from what arrived.
    Undecodable {
        /// What could not be read, and why; for a person.
        reason: String,
        /// What could be read.
        record: Box<Record>,
    },
}

/// What every CloudTrail record says, as far as it does. It is written into a [`Close`], and read from
/// there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `eventName`
    pub event_name: Option<String>,
    /// `eventID`
    pub event_id: Option<String>,
    /// `sharedEventID`: the same in both accounts where a call crosses them.
    pub shared_event_id: Option<String>,
    /// `eventTime`, else the envelope's `time`.
    pub time: Option<DateTime<Utc>>,
    /// `recipientAccountId`, else the envelope's `account`, else the caller's account: the account
    /// of the group.
    pub account: Option<String>,
    /// `awsRegion`, else the envelope's `region`.
    pub region: Option<String>,
    /// The ARN of the caller, else what else names them (a service, a principal, an account).
    pub actor: Option<String>,
    /// `sourceIPAddress`
    pub source_ip: Option<String>,
    /// `userAgent`
    pub user_agent: Option<String>,
}

/// A change of one security group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SgChange {
    /// Who, when, where.
    pub record: Record,
    /// Which group.
    pub group: GroupKey,
    /// What was done to it.
    pub kind: ChangeKind,
}

/// A change of a managed prefix list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListChange {
    /// Who, when, where.
    pub record: Record,
    /// `pl-…`
    pub list: String,
    /// The version that the change was made to: what is read has to be newer. `None` where the
    /// change makes no new version, or does not say which it was made to.
    pub version_before: Option<i64>,
    /// The entries that the change added, as far as the event tells them.
    pub added: Vec<IpNet>,
}

/// A change of the tags of security groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagChange {
    /// Who, when, where.
    pub record: Record,
    /// The groups, by their ids.
    pub groups: Vec<String>,
    /// What was done to each key.
    pub tags: BTreeMap<String, TagAction>,
    /// Whether every tag that a user gave was deleted. No key is named then.
    pub all_deleted: bool,
}

impl TagChange {
    /// What was done to the tag with this key, if anything was.
    pub fn action(&self, key: &str) -> Option<TagAction> {
        if self.all_deleted {
            return Some(TagAction::Deleted(None));
        }
        self.tags.get(key).cloned()
    }
}

/// What was done to a tag.
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html>)
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagAction {
    /// It has this value now.
    Set(String),
    /// It is gone; where a value is said, only if it had that value. The empty value is one.
    Deleted(Option<String>),
}

/// What a schedule asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// What is to be done.
    pub task: Task,
    /// In which accounts; the function's own where none is named.
    pub accounts: Vec<String>,
    /// In which regions of each; the function's own where none is named.
    pub regions: Vec<String>,
    /// Where an earlier invocation stopped.
    pub resume: Resume,
}

/// What a schedule can ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// Audit every group in scope.
    #[default]
    Sweep,
    /// Close what was held open and is held no longer.
    Holds,
}

impl Task {
    /// The member of the payload that asks for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sweep => "sweep",
            Self::Holds => "holds",
        }
    }
}

/// Where a sweep goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// How many invocations there were before.
    pub depth: u32,
    /// How many places are done: of the accounts in their order, each with its regions in theirs.
    pub places_done: usize,
    /// EC2's token for the page of the next place that is to be read.
    pub page: Option<String>,
    /// The groups of that page that are done.
    pub groups_done: Vec<String>,
    /// The places that could not be looked at for now and have their turn again after the others,
    /// by their numbers from 0. They count in `places_done` as well.
    pub again: Vec<usize>,
}

impl Schedule {
    /// The payload that asks for it; [`decode`] reads it back.
    pub fn to_payload(&self) -> Value {
        let Resume { depth, places_done, page, groups_done, again } = &self.resume;
        json!({ self.task.as_str(): {
            "accounts": self.accounts,
            "regions": self.regions,
            "resume": {
                "depth": depth,
                "places_done": places_done,
                "page": page,
                "groups_done": groups_done,
                "again": again,
            },
        } })
    }
}

/// How an event names a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupKey {
    /// `sg-…`
    Id(String),
    /// By name, in the default VPC.
    Name(String),
}

impl GroupKey {
    /// The id or the name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Id(text) | Self::Name(text) => text,
        }
    }
}

/// What was done to a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// Rules were added.
    Authorized(Vec<Rule>),
    /// Rules were taken away.
    Revoked(RevokedRules),
    /// Rules were changed in place.
    Modified(Vec<ModifiedRule>),
    /// The group is new. What rules EC2 gave it, no event says.
    Created,
    /// Something that is not understood; the reason is for a person.
    Unknown(String),
}

/// Rules that were taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedRules {
    /// Of which direction.
    pub direction: Direction,
    /// Their content; `None` where the event tells it of not every one.
    pub rules: Option<Vec<Rule>>,
}

/// The new content of a rule. Its direction is in no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModifiedRule {
    /// `sgr-…`
    pub id: String,
    /// As in a [`Rule`].
    pub protocol: Protocol,
    /// As in a [`Rule`].
    pub from_port: Option<i32>,
    /// As in a [`Rule`].
    pub to_port: Option<i32>,
    /// As in a [`Rule`].
    pub peer: Peer,
    /// As in a [`Rule`].
    pub description: Option<String>,
}
