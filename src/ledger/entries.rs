//! The entries of the ledger, and what is asked of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::limits::{DAY, EARLY, KEPT};
use crate::ec2::hold::Hold;
use crate::ec2::{GroupId, Place, Rule};
use crate::evaluate::Severity;
use crate::finding::{Brief, Digest, DigestEntry, Finding, Life, Status, Unheard};

/// A finding was opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opened {
    pub at: DateTime<Utc>,
    /// What opened it, or showed that it is open again: the same whenever the same event is audited.
    pub occasion: String,
}

/// How the occasion of a sweep begins.
const SWEEP: &str = "sweep ";

impl Opened {
    /// The occasion of findings that a schedule asked for.
    pub fn occasion_of_sweep(now: DateTime<Utc>) -> String {
        format!("{SWEEP}{}", now.timestamp_millis())
    }

    /// Whether an event reported it.
    pub fn is_of_event(&self) -> bool {
        !self.occasion.starts_with(SWEEP)
    }
}

/// What is remembered of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The finding as it was last seen.
    pub brief: Brief,
    /// When it was first seen.
    pub first_seen: DateTime<Utc>,
    /// The occasion on which it was first seen.
    pub first_occasion: String,
    /// When it was opened.
    pub openings: BTreeSet<Opened>,
    /// Whether it was resolved and no message has said so yet.
    pub is_untold: bool,
}

/// A finding was seen, as it is to be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The finding. `brief.seen` is when the group was looked at, or acted on.
    pub brief: Brief,
    /// On which occasion, and when that was.
    pub opening: Opened,
    /// Whether the change behind it opened it. Otherwise it is only known that it is there.
    pub is_introduced: bool,
}

/// A finding that is no longer there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Where it was.
    pub place: Place,
    /// Which finding.
    pub fingerprint: String,
    /// When that was known. A finding that was seen later is not resolved.
    pub at: DateTime<Utc>,
}

/// What the ledger has about a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlaceEntries {
    pub findings: Vec<Entry>,
    /// All rules that are held, or were not long ago.
    pub holds: Vec<HeldRule>,
    /// The last audit of the whole place.
    pub last_audit: Option<PlaceAudit>,
    /// What the groups were at the last sweep that began and ended in one invocation.
    pub contents: Option<Contents>,
    /// The fingerprints of findings whose entries were not understood: another version wrote them.
    pub not_understood: BTreeSet<String>,
}

/// What there was of a finding before it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    Nothing,
    Entry(Box<Entry>),
    /// An entry of another version, which is not understood.
    NotUnderstood,
}

impl Before {
    /// The entry, if there was one that is understood.
    pub fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Entry(entry) => Some(entry),
            Self::Nothing | Self::NotUnderstood => None,
        }
    }
}

/// The last audit of a whole place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceAudit {
    pub place: Place,
    /// When the audit began.
    pub at: DateTime<Utc>,
    /// How many groups it audited.
    pub groups: usize,
    /// A hash of the settings that it ran with.
    pub settings: String,
    /// The sweep that first reported on the whole place under these settings.
    pub first: String,
}

/// A message has said what is only planned to be closed in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanTold {
    pub at: DateTime<Utc>,
    /// The audit that did.
    pub by: String,
}

/// What the groups of a place were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    pub place: Place,
    /// When the sweep began that read them.
    pub at: DateTime<Utc>,
    /// The version of the program that hashed them. Those of another version are not compared.
    pub version: String,
    /// A hash of each group's id, with one of its rules.
    pub groups: BTreeMap<u64, u32>,
    /// A change that was seen, and whose event may still come.
    pub unheard: Option<Unheard>,
}

/// A rule that is held, as it was authorised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRule {
    /// Where the group is.
    pub place: Place,
    pub group: GroupId,
    pub rule: Rule,
    /// The hold. `None` if the rule was only seen with the tags of one.
    pub hold: Option<Hold>,
    /// Who authorised it.
    pub actor: Option<String>,
    /// When it was authorised, or first seen.
    pub since: DateTime<Utc>,
}

/// A finding that waits to be mailed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// What identifies it among what waits.
    pub key: String,
    /// The finding.
    pub entry: DigestEntry,
    /// Whether it would have been mailed at once if there had not been too many mails.
    pub is_urgent: bool,
    /// Its text as it was read, which tells whether something else waits in its place by now. Empty if
    /// it was not read.
    #[serde(skip)]
    pub stored: String,
}

/// What waits for a digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    pub findings: Vec<Waiting>,
    /// When the last daily digest was mailed.
    pub last_daily: Option<DateTime<Utc>>,
}

impl Waits {
    /// What is remembered as the time of the last daily digest where the next one is due at once.
    pub fn due_again(now: DateTime<Utc>) -> DateTime<Utc> {
        now - DAY - EARLY
    }

    /// Whether the daily digest is due. It comes after a sweep; where there was none for longer than
    /// a day, it comes without.
    pub fn is_daily_due(&self, is_after_sweep: bool, now: DateTime<Utc>) -> bool {
        let is_over = |since: DateTime<Utc>, time| now - since >= time;
        match (is_after_sweep, self.last_daily) {
            (true, last) => last.is_none_or(|last| is_over(last, DAY - EARLY)),
            (false, last) => {
                let oldest = || self.findings.iter().map(|one| one.entry.brief.seen).min();
                last.or_else(oldest).is_some_and(|since| is_over(since, DAY + EARLY))
            }
        }
    }
}

impl Entry {
    /// When the entry may be forgotten.
    pub fn expires(brief: &Brief) -> Option<DateTime<Utc>> {
        (!brief.is_open).then(|| brief.seen + KEPT)
    }

    /// What a first sighting leaves.
    pub fn first(sighting: &Sighting) -> Self {
        Self {
            brief: sighting.brief.clone(),
            first_seen: sighting.brief.seen,
            first_occasion: sighting.opening.occasion.clone(),
            openings: [sighting.opening.clone()].into(),
            is_untold: false,
        }
    }

    /// How often it was opened in the 24 hours before `now`.
    pub fn openings_since(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Opened> {
        self.openings.iter().filter(move |opening| now - opening.at < DAY)
    }

    /// Since when it is open, or was when it was closed.
    pub fn opened(&self) -> DateTime<Utc> {
        self.openings.last().map_or(self.first_seen, |opening| opening.at)
    }

    /// Its status and history as those of a finding that is no longer there.
    pub fn resolved(&self) -> Life {
        let times = self.openings_since(self.brief.seen).count().max(1);
        let (status, first_seen) = (Status::Resolved, self.first_seen);
        Life { status, first_seen, since: self.opened(), times }
    }
}

impl Waiting {
    /// A finding that waits once with each status that it has meanwhile: one that is known by the
    /// time of the digest may have been new before.
    pub fn new(finding: &Finding, is_urgent: bool) -> Self {
        let Finding { fingerprint, id, life, .. } = finding;
        let key = match life {
            Some(life) => format!("{fingerprint} {}", life.status.as_str()),
            None => id.clone(),
        };
        let entry = DigestEntry { brief: Brief::from(finding), life: *life };
        Self { key, entry, is_urgent, stored: String::new() }
    }

    /// What waits, each finding with all that waits of it, the worst first.
    pub fn by_finding(waiting: Vec<Self>) -> Vec<Vec<Self>> {
        let mut all: BTreeMap<String, Vec<Self>> = BTreeMap::new();
        for one in waiting {
            all.entry(one.subject().to_owned()).or_default().push(one);
        }
        let mut all: Vec<Vec<Self>> = all.into_values().collect();
        let worst = |of: &Vec<Self>| of.iter().map(|one| one.entry.brief.severity).max();
        all.sort_by_key(|of| std::cmp::Reverse(worst(of)));
        all
    }

    /// What it tells of: a finding that lasts, or one event.
    fn subject(&self) -> &str {
        if self.entry.life.is_some() { &self.entry.brief.fingerprint } else { &self.key }
    }

    /// The digest of what waits. Of each finding it tells the present state.
    pub fn digest(waiting: &[Self], is_daily: bool) -> Digest {
        let mut all: BTreeMap<&str, Vec<&DigestEntry>> = BTreeMap::new();
        for one in waiting {
            all.entry(one.subject()).or_default().push(&one.entry);
        }
        let mut entries: Vec<_> = all.values().filter_map(|of| present(of)).collect();
        let status = |one: &DigestEntry| one.life.map(|life| life.status);
        let worst = |one: &DigestEntry| std::cmp::Reverse(one.brief.severity);
        entries.sort_by_key(|one| (status(one), worst(one), one.brief.seen));
        Digest { entries, is_daily }
    }

    /// Whether it has to be mailed within a quarter of an hour.
    pub fn is_due_soon(&self, least: Severity) -> bool {
        self.is_urgent && self.entry.brief.severity >= least
    }
}

/// What a digest tells of a finding of which this waits. What is known by now, and was new or reopened
/// since people were told last, is told as that.
fn present(of: &[&DigestEntry]) -> Option<DigestEntry> {
    // If both are of the same time, it is not said to be closed.
    let latest = of.iter().max_by_key(|one| (one.brief.seen, one.brief.is_open))?;
    let status = |one: &DigestEntry| one.life.map(|life| life.status);
    let is_news = |one: &&&DigestEntry| matches!(status(one), Some(Status::New | Status::Reopened));
    let news = of.iter().filter(is_news).max_by_key(|one| one.brief.seen);
    let told = match status(latest) {
        Some(Status::Known) => news.and_then(|one| status(one)),
        status => status,
    };
    let life = latest.life.map(|life| Life { status: told.unwrap_or(life.status), ..life });
    Some(DigestEntry { brief: latest.brief.clone(), life })
}
