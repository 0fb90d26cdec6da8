//! What is remembered of a finding from one audit to the next.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// What a finding is, compared with what is remembered of it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Status {
    /// It was not open before.
    New,
    /// It was closed, and is there again.
    Reopened,
    /// It is open already.
    Known,
    /// It was open and is closed, by somebody else.
    Resolved,
}

impl Status {
    /// The status as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A finding's status and history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// Whether it is new.
    pub status: Status,
    /// When it was first found.
    pub first_seen: DateTime<Utc>,
    /// Since when it is open this time, or was.
    pub since: DateTime<Utc>,
    /// How often it was opened within 24 hours.
    pub times: usize,
}

/// So many times within 24 hours make it likely that a program opens a rule again and again.
pub const WAR: usize = 3;

impl Life {
    /// Whether something opens the rule again each time that it is closed.
    pub fn is_war(&self) -> bool {
        self.status == Status::Reopened && self.times >= WAR
    }
}
