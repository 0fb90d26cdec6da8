//! What a history tells.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::ec2::hold::Hold;
use crate::ec2::{Group, GroupKey, ListId, Place, Rule};
use crate::evaluate::{Code, Severity};
use crate::event::Record;
use crate::net::Traffic;

/// Traffic beyond the baseline that a rule admitted for some time.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The group's account and region.
    pub place: Place,
    pub group: GroupKey,
    /// The group's name, where it is known.
    pub group_name: Option<String>,
    pub rule: Rule,
    /// Whether no record tells that the rule is an ingress rule, which is then assumed.
    pub direction_assumed: bool,
    /// What exceeded the baseline.
    pub excess: Traffic,
    /// What may have, where a prefix list decides that is not known.
    pub unresolved: Traffic,
    /// What a finding about it is called.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// When it began.
    pub start: Start,
    /// When it ended.
    pub end: End,
    /// The hold that its tags announced.
    pub hold: Option<Hold>,
}

/// A group as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// Its account and region, where they are known.
    pub place: Place,
    pub group: Group,
    pub rules: Vec<Rule>,
}

/// When an opening began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// This opened it.
    Known(Deed),
    /// No record tells. It was open at this time at the latest, and not yet, as far as is known, at
    /// the other.
    Unknown {
        /// When it was closed before, or may have been.
        after: Option<DateTime<Utc>>,
        /// When it was open.
        by: DateTime<Utc>,
    },
}

/// When an opening ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// This closed it.
    Known(Deed),
    /// It is open: the groups as they are now show it.
    Open,
    /// No record tells that it was closed.
    NotSeen,
    /// It was closed between these times, and no record tells by whom.
    Unknown {
        /// When it was still open.
        after: DateTime<Utc>,
        /// When it no longer was.
        by: DateTime<Utc>,
    },
    /// A change that cannot be read completely may have closed it; no other record tells that it was
    /// closed.
    Perhaps(Deed),
}

/// Whether an opening is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpeningStatus {
    /// It is, as far as is known.
    Open,
    /// It is not.
    Closed,
    /// A change that cannot be read may have closed it.
    Unknown,
}

/// A change that began or ended an opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// What it did.
    pub how: How,
    pub time: DateTime<Utc>,
    /// Who, and from where.
    pub record: Arc<Record>,
    /// Whether this auditor did it, by the name of its role or of its session.
    pub is_auditor: bool,
}

/// What a change did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It added the rule.
    Authorized,
    /// It changed a rule in place.
    Modified,
    /// It removed the rule.
    Revoked,
    /// It changed a prefix list that the rule names.
    List(ListId),
    /// It made the group, with the egress that EC2 gives a new group.
    GroupCreated,
    GroupDeleted,
    /// It may have changed the rule.
    Unread,
}

impl Opening {
    /// Whether it is open.
    pub fn status(&self) -> OpeningStatus {
        match self.end {
            End::Open | End::NotSeen => OpeningStatus::Open,
            End::Known(_) | End::Unknown { .. } => OpeningStatus::Closed,
            End::Perhaps(_) => OpeningStatus::Unknown,
        }
    }

    /// When it was open for certain for the first time, and whether it began then.
    pub fn from(&self) -> (DateTime<Utc>, bool) {
        match &self.start {
            Start::Known(deed) => (deed.time, true),
            Start::Unknown { by, .. } => (*by, false),
        }
    }

    /// When it was open for the last time, as far as is known, and whether it ended then.
    pub fn until(&self, now: DateTime<Utc>) -> (DateTime<Utc>, bool) {
        match &self.end {
            End::Known(deed) => (deed.time, true),
            End::Open => (now, true),
            End::NotSeen => (now, true),
            End::Unknown { after, .. } => (*after, false),
            End::Perhaps(deed) => (deed.time, false),
        }
    }

    /// How long it was open at least, and whether that is exact.
    pub fn duration(&self, now: DateTime<Utc>) -> (TimeDelta, bool) {
        let ((from, starts), (until, ends)) = (self.from(), self.until(now));
        (until.signed_duration_since(from).max(TimeDelta::zero()), starts && ends)
    }

    /// Who opened it.
    pub fn opener(&self) -> Option<&Deed> {
        match &self.start {
            Start::Known(deed) => Some(deed),
            Start::Unknown { .. } => None,
        }
    }

    /// Who closed it.
    pub fn closer(&self) -> Option<&Deed> {
        match &self.end {
            End::Known(deed) => Some(deed),
            _ => None,
        }
    }
}
