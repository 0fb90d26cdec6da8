//! The groups of a place as its last sweep saw them.
//!
//! A rule that was added since and does not comply has left a finding, made from its event. If there
//! is none, not all events of that place arrive.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::entries::{Contents, PlaceEntries};
use crate::ec2::{GroupId, Place, Rule};
use crate::finding::{Finding, Matter, Unheard, content_hash, hash};

/// A place with more groups is not compared: an item of the table has 400 KB.
const MOST_GROUPS: usize = 10_000;

/// So long after a sweep saw a change, its event can no longer be under way.
const UNDER_WAY: TimeDelta = TimeDelta::hours(3);

/// How many groups are named.
const NAMED: usize = 5;

/// Compares the groups of a place with what they were.
#[derive(Clone, Debug)]
pub struct Comparison {
    before: Option<Contents>,
    open: BTreeSet<String>,
    heard: Option<DateTime<Utc>>,
    now: Contents,
    changed: Vec<GroupId>,
}

impl Contents {
    /// Those of a place whose audit began at this time.
    fn new(place: &Place, at: DateTime<Utc>) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { place: place.clone(), at, version, groups: BTreeMap::new(), unheard: None }
    }

    /// The groups as one text.
    pub(super) fn to_text(&self) -> String {
        self.groups.iter().map(|(group, rules)| format!("{group:016x}{rules:08x}")).collect()
    }

    /// The groups from such a text; `None` if it is another one.
    pub(super) fn groups_of(text: &str) -> Option<BTreeMap<u64, u32>> {
        let mut groups = BTreeMap::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (group, others) = rest.split_at_checked(16)?;
            let (rules, others) = others.split_at_checked(8)?;
            let group = u64::from_str_radix(group, 16).ok()?;
            groups.insert(group, u32::from_str_radix(rules, 16).ok()?);
            rest = others;
        }
        Some(groups)
    }
}

impl Comparison {
    /// Begins one with what is remembered of the place, and a hash of the settings of this sweep. Under
    /// other settings, a rule may be found that was there before.
    pub fn new(
        place: &Place,
        at: DateTime<Utc>,
        entries: &mut PlaceEntries,
        settings: &str,
    ) -> Self {
        let now = Contents::new(place, at);
        let is_same = entries.last_audit.as_ref().is_some_and(|it| it.settings == settings);
        let mut before = entries.contents.take();
        if let Some(before) = before.as_mut().filter(|it| !is_same || it.version != now.version) {
            // A change that was seen before is still one.
            before.groups.clear();
        }
        let open = entries.findings.iter().filter(|entry| entry.brief.is_open);
        let open = open.map(|entry| entry.brief.fingerprint.clone()).collect();
        let openings = entries.findings.iter().flat_map(|entry| &entry.openings);
        let heard = openings.filter(|it| it.is_of_event()).map(|it| it.at).max();
        Self { before, open, heard, now, changed: Vec::new() }
    }

    /// The next group, with all its rules and what was found in it. One that is new did not change: a VPC
    /// brings its default group without an event of its own.
    pub fn group<'f>(
        &mut self,
        id: &GroupId,
        rules: &[Rule],
        found: impl IntoIterator<Item = &'f Finding>,
    ) {
        if self.now.groups.len() > MOST_GROUPS {
            return;
        }
        let mut contents: Vec<String> = rules.iter().map(content_hash).collect();
        contents.sort_unstable();
        let contents: Vec<&str> = contents.iter().map(String::as_str).collect();
        let (group, rules) = (number(&hash(&[id.as_str()]), 16), number(&hash(&contents), 8));
        let rules = u32::try_from(rules).unwrap_or_default();
        let was = self.before.as_ref().and_then(|before| before.groups.get(&group));
        let is_new = |finding: &Finding| {
            matches!(finding.matter, Matter::Rule(_)) && !self.open.contains(&finding.fingerprint)
        };
        if was.is_some_and(|was| *was != rules) && found.into_iter().any(is_new) {
            self.changed.push(id.clone());
        }
        self.now.groups.insert(group, rules);
    }

    /// What is to be remembered, and what is to be told now. `None` if there are too many groups.
    pub fn end(mut self, now: DateTime<Utc>) -> Option<(Contents, Option<Unheard>)> {
        if self.now.groups.len() > MOST_GROUPS {
            return None;
        }
        let heard = self.heard;
        let is_heard = |since| heard.is_some_and(|heard| heard >= since);
        let Some(before) = self.before.take() else { return Some((self.now, None)) };
        let earlier = before.unheard.filter(|it| !is_heard(it.since));
        let changed = unheard(before.at, now, &self.changed).filter(|it| !is_heard(it.since));
        let (told, earlier) = match earlier {
            Some(earlier) if now - earlier.seen >= UNDER_WAY => (Some(earlier), None),
            earlier => (None, earlier),
        };
        self.now.unheard = match (earlier, changed) {
            (Some(earlier), Some(changed)) => Some(together(earlier, changed)),
            (earlier, changed) => earlier.or(changed),
        };
        Some((self.now, told))
    }
}

fn unheard(since: DateTime<Utc>, seen: DateTime<Utc>, changed: &[GroupId]) -> Option<Unheard> {
    let groups: Vec<_> = changed.iter().take(NAMED).cloned().collect();
    let more = changed.len() - groups.len();
    (!groups.is_empty()).then_some(Unheard { since, seen, groups, more })
}

/// One change, and a later one of the same place.
fn together(mut earlier: Unheard, later: Unheard) -> Unheard {
    for group in later.groups {
        match earlier.groups.len() < NAMED {
            _ if earlier.groups.contains(&group) => {}
            true => earlier.groups.push(group),
            false => earlier.more += 1,
        }
    }
    earlier.more += later.more;
    earlier
}

/// The first digits of a hash.
fn number(hash: &str, digits: usize) -> u64 {
    let digits = hash.get(..digits).unwrap_or_default();
    u64::from_str_radix(digits, 16).unwrap_or_default()
}
