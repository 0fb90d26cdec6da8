//! What a sweep of an organisation covered: every place that it had to audit is audited, unread or
//! missing, and exactly one of these.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use thiserror::Error;

use crate::ec2::{AccountId, Region};
use crate::evaluate::{Code, Severity};
use crate::text::in_backticks;

/// The name of a run: what Step Functions calls its execution.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunName(String);

/// Why a text is not the name of a run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{} is not the name of a run: write 1 to 80 letters, digits, - and _", in_backticks(.0))]
pub struct RunNameError(String);

impl RunName {
    /// The name as it is written. It can stand in the key of an object as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RunName {
    type Error = RunNameError;

    fn try_from(text: String) -> Result<Self, RunNameError> {
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let is_name = (1..=80).contains(&text.len()) && text.bytes().all(is_letter);
        if is_name { Ok(Self(text)) } else { Err(RunNameError(text)) }
    }
}

impl FromStr for RunName {
    type Err = RunNameError;

    fn from_str(text: &str) -> Result<Self, RunNameError> {
        text.to_owned().try_into()
    }
}

impl From<RunName> for String {
    fn from(name: RunName) -> Self {
        name.0
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An account and the regions in which it has to be audited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    pub account: AccountId,
    pub regions: Vec<Region>,
}

/// What became of a place.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum PlaceOutcome {
    /// Every group in scope was audited.
    Audited,
    /// It could not be read. The reason says why.
    Unread,
    /// It has not had its turn, or did not answer for now.
    Later,
    /// Nobody knows what became of it.
    Missing,
}

impl PlaceOutcome {
    /// The outcome as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A place, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceSwept {
    pub account: AccountId,
    pub region: Region,
    /// What became of it.
    pub outcome: PlaceOutcome,
    /// How many groups were audited.
    pub groups: usize,
    /// How many rules were judged.
    pub rules: usize,
    /// How many findings there are.
    pub findings: usize,
    /// The severity of the worst of them.
    pub worst: Option<Severity>,
    /// What they are.
    #[serde(default)]
    pub codes: BTreeSet<Code>,
    /// When the last group was audited, or the place given up.
    pub at: Option<DateTime<Utc>>,
    /// Why it was not audited.
    pub reason: Option<String>,
    /// Whether the reason is that the account has no role for the auditor.
    #[serde(default)]
    pub lacks_role: bool,
}

impl PlaceSwept {
    /// A place of which nothing is known.
    pub fn new(account: &AccountId, region: &Region, outcome: PlaceOutcome) -> Self {
        Self {
            account: account.clone(),
            region: region.clone(),
            outcome,
            groups: 0,
            rules: 0,
            findings: 0,
            worst: None,
            codes: BTreeSet::new(),
            at: None,
            reason: None,
            lacks_role: false,
        }
    }
}

/// Places by their outcomes, and what was audited in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageTotals {
    /// Places that had to be audited.
    pub expected: usize,
    /// Those that were.
    pub audited: usize,
    /// Those that could not be read.
    pub unread: usize,
    /// Those of which nobody knows, and those that did not have their turn.
    pub missing: usize,
    /// Groups that were audited.
    pub groups: usize,
    /// Rules that were judged.
    pub rules: usize,
    pub findings: usize,
}

impl CoverageTotals {
    /// Counts places.
    pub fn of(places: &[PlaceSwept]) -> Self {
        let mut totals = Self { expected: places.len(), ..Self::default() };
        for place in places {
            match place.outcome {
                PlaceOutcome::Audited => totals.audited += 1,
                PlaceOutcome::Unread => totals.unread += 1,
                PlaceOutcome::Later | PlaceOutcome::Missing => totals.missing += 1,
            }
            totals.groups += place.groups;
            totals.rules += place.rules;
            totals.findings += place.findings;
        }
        totals
    }

    /// Whether every place was audited.
    pub fn is_complete(&self) -> bool {
        self.audited == self.expected
    }
}

/// What a run covered: a line for each place that it had to audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The version of the format.
    pub version: u32,
    pub run: RunName,
    /// When it was counted.
    pub at: DateTime<Utc>,
    /// The sums.
    pub totals: CoverageTotals,
    /// The places, by account and region.
    pub places: Vec<PlaceSwept>,
}

impl Coverage {
    /// Holds what was swept against what had to be. A place that was swept more than once counts by
    /// its best outcome, and one that nobody expected does not count.
    pub fn of(
        run: &RunName,
        expected: &[Expected],
        swept: impl IntoIterator<Item = PlaceSwept>,
        at: DateTime<Utc>,
    ) -> Self {
        let missing = expected.iter().flat_map(|Expected { account, regions }| {
            regions.iter().map(move |region| {
                let key = (account.clone(), region.clone());
                (key, PlaceSwept::new(account, region, PlaceOutcome::Missing))
            })
        });
        let mut places: BTreeMap<_, _> = missing.collect();
        for place in swept {
            let key = (place.account.clone(), place.region.clone());
            if let Some(known) = places.get_mut(&key)
                && (place.outcome, known.at) < (known.outcome, place.at)
            {
                *known = place;
            }
        }
        let mut places: Vec<_> = places.into_values().collect();
        for place in &mut places {
            if place.outcome == PlaceOutcome::Later {
                place.outcome = PlaceOutcome::Missing;
            }
        }
        Self { version: 1, run: run.clone(), at, totals: CoverageTotals::of(&places), places }
    }

    /// The places that were not audited.
    pub fn not_audited(&self) -> impl Iterator<Item = &PlaceSwept> {
        self.places.iter().filter(|place| place.outcome != PlaceOutcome::Audited)
    }

    /// The severity of the worst finding.
    pub fn worst(&self) -> Option<Severity> {
        self.places.iter().filter_map(|place| place.worst).max()
    }

    /// What a run has to audit to make up for what this one did not.
    pub fn left(&self) -> Vec<Expected> {
        let mut left: BTreeMap<&AccountId, Vec<Region>> = BTreeMap::new();
        for place in self.not_audited() {
            left.entry(&place.account).or_default().push(place.region.clone());
        }
        let expected =
            |(account, regions): (&AccountId, _)| Expected { account: account.clone(), regions };
        left.into_iter().map(expected).collect()
    }
}

/// The run that a report is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub name: RunName,
    /// What all of it covered, in the message that ends it.
    pub covered: Option<Covered>,
}

/// What a run covered, as its last message tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// The sums.
    pub totals: CoverageTotals,
    /// The severity of the worst finding.
    pub worst: Option<Severity>,
    /// What all findings are.
    pub codes: BTreeSet<Code>,
    /// Places that were not audited, as many as a message has room for.
    pub not_audited: Vec<PlaceSwept>,
    /// Places with findings, worst first, as many as a message has room for.
    pub noncompliant: Vec<PlaceSwept>,
    /// Where the whole table is.
    pub table: String,
    /// The shell line that audits what was not audited, where the state machine is known.
    pub again: Option<String>,
}
