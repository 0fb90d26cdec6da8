//! What is remembered and told of a finding in short.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::life::Life;
use super::model::{Finding, FoundGroup, Matter, Outcome};
use crate::ec2::{Place, Rule};
use crate::evaluate::{Code, Severity};

/// What a digest says of a finding, and what is remembered of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    /// The finding's fingerprint.
    pub fingerprint: String,
    /// What is wrong.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    pub place: Place,
    /// The group it is about.
    pub group: Option<FoundGroup>,
    /// The rule it is about.
    pub rule: Option<Rule>,
    /// What became of the rule.
    pub outcome: Outcome,
    /// Whether it is still there.
    pub is_open: bool,
    /// When it was last found.
    pub seen: DateTime<Utc>,
    /// When the hold of the rule ends, where it is held.
    pub held_until: Option<DateTime<Utc>>,
    /// Who made the change behind it.
    pub actor: Option<String>,
    /// The program that made the change.
    pub user_agent: Option<String>,
}

impl From<&Finding> for Brief {
    fn from(finding: &Finding) -> Self {
        let change = finding.change.as_ref();
        Self {
            fingerprint: finding.fingerprint.clone(),
            code: finding.code,
            severity: finding.severity,
            place: finding.place.clone(),
            group: finding.group.clone(),
            rule: finding.rule().cloned(),
            outcome: finding.outcome(),
            is_open: finding.is_lasting()
                && !finding.is_rule_gone()
                && finding.outcome() != Outcome::Prevented,
            seen: finding.time,
            held_until: finding.hold().map(|hold| hold.until),
            actor: change.and_then(|change| change.actor.clone()),
            user_agent: change.and_then(|change| change.user_agent.clone()),
        }
    }
}

/// What waited to be mailed, told at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Each finding with its status, where it has one.
    pub entries: Vec<DigestEntry>,
    /// Whether it is the one of the day. Otherwise it has what could not be mailed at once.
    pub is_daily: bool,
}

/// A finding in a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestEntry {
    /// The finding.
    pub brief: Brief,
    /// Its status and history, where it has any.
    pub life: Option<Life>,
}

/// Whether the messages of a report are mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mail {
    /// At once; of a report that is split, this many parts.
    Now {
        /// How many parts.
        parts: usize,
    },
    /// With the next digest.
    Later,
}

impl Finding {
    /// Whether it is about something that stays until somebody changes it. Other findings tell of
    /// an event, and are over when they are told.
    pub fn is_lasting(&self) -> bool {
        match &self.matter {
            Matter::Rule(_) | Matter::WideList { .. } | Matter::WideBaseline { .. } => true,
            Matter::ExpectedClosed(_)
            | Matter::Unaudited { .. }
            | Matter::LeftScope { .. }
            | Matter::AuditorChanged { .. }
            | Matter::Unfed { .. }
            | Matter::Resolved { .. } => false,
        }
    }
}
