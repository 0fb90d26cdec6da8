//! What is kept of an event: how it can begin or end an opening.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::model::{Deed, How};
use crate::ec2::{Direction, GroupKey, Place, Rule, RuleId};
use crate::event::{ModifiedRule, Record};
use crate::net::Cells;

/// Recognises the auditor's own calls.
#[derive(Clone, Debug)]
pub struct By {
    names: Vec<String>,
}

/// The name of the stack in the README, and of the function's sessions in other accounts.
const OWN_NAME: &str = "typo3-sg-auditor";

impl By {
    /// By these names of its stack, function or role, or by the usual one.
    pub fn names(names: &[String]) -> Self {
        let usual = names.is_empty().then(|| OWN_NAME.to_owned());
        Self { names: names.iter().cloned().chain(usual).collect() }
    }

    /// Whether the auditor made the call: a session of a role that has the name, or that is named
    /// so. Whoever may assume a role chooses the name of the session, so this decides nothing.
    fn made(&self, record: &Record) -> bool {
        let session = record.actor.as_deref().and_then(|arn| arn.split_once(":assumed-role/"));
        session.is_some_and(|(_, session)| {
            session.split('/').any(|part| self.names.iter().any(|name| part.starts_with(name)))
        })
    }

    pub(super) fn deed(&self, how: How, record: &Arc<Record>, time: DateTime<Utc>) -> Deed {
        Deed { how, time, record: Arc::clone(record), is_auditor: self.made(record) }
    }
}

/// What one event did to one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Act {
    pub place: Place,
    pub group: GroupKey,
    pub time: DateTime<Utc>,
    pub record: Arc<Record>,
    /// Which of the acts of its record it is.
    pub number: usize,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A rule was added.
    Opened(Rule),
    /// A rule was removed.
    Closed(Rule),
    /// The rule of this id was removed. `complied` is whether it is known that it complied then.
    ClosedId { id: RuleId, direction: Direction, complied: bool },
    /// Some rules were removed that have only these protocols and ports.
    ClosedSome(Direction, Cells),
    /// A rule was changed in place.
    Modified(ModifiedRule),
    /// The group is new.
    GroupCreated,
    /// The group was deleted.
    GroupDeleted,
    /// The rules may have changed.
    Unread,
}

impl Act {
    /// What makes two acts the same, whichever account or tool recorded them.
    pub fn key(&self) -> (Option<&str>, usize) {
        (self.record.shared_id(), self.number)
    }
}
