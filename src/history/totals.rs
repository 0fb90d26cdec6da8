//! How many openings there are, and how long they were open.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use strum::IntoEnumIterator;

use super::model::{Opening, OpeningStatus};
use crate::evaluate::Severity;

/// How many openings there are, and how long they were open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many.
    pub openings: usize,
    /// How many are open.
    pub open: usize,
    /// Of how many it is not known whether they are.
    pub unknown: usize,
    /// How long they were open.
    pub durations: Durations,
    /// How many there are of each severity.
    pub by_severity: BTreeMap<Severity, usize>,
    /// By who opened them, most openings first; `None` where no record tells.
    pub by_actor: Vec<Share<Option<String>>>,
    /// By group, most openings first.
    pub by_group: Vec<Share<String>>,
}

/// How long openings were open, each at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    /// Half of them were open for longer.
    pub median: TimeDelta,
    /// None was open for longer.
    pub longest: TimeDelta,
}

/// The openings of one actor or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share<T> {
    /// Whose they are.
    pub of: T,
    /// How many.
    pub openings: usize,
    /// How many are open.
    pub open: usize,
    /// How long they were open.
    pub durations: Durations,
}

impl Totals {
    pub(super) fn of(openings: &[Opening], now: DateTime<Utc>) -> Self {
        let mut by_severity: BTreeMap<Severity, usize> =
            Severity::iter().map(|severity| (severity, 0)).collect();
        for opening in openings {
            *by_severity.entry(opening.severity).or_default() += 1;
        }
        let having = |status| openings.iter().filter(|it| it.status() == status).count();
        let actor = |opening: &Opening| opening.opener().and_then(|it| it.record.actor.clone());
        Self {
            openings: openings.len(),
            open: having(OpeningStatus::Open),
            unknown: having(OpeningStatus::Unknown),
            durations: Durations::of(openings.iter(), now),
            by_severity,
            by_actor: shares(openings, now, actor),
            by_group: shares(openings, now, |opening| opening.group.as_str().to_owned()),
        }
    }
}

fn shares<T: Ord + Clone>(
    openings: &[Opening],
    now: DateTime<Utc>,
    of: impl Fn(&Opening) -> T,
) -> Vec<Share<T>> {
    let mut by: BTreeMap<T, Vec<&Opening>> = BTreeMap::new();
    for opening in openings {
        by.entry(of(opening)).or_default().push(opening);
    }
    let share = |(of, openings): (T, Vec<&Opening>)| Share {
        of,
        openings: openings.len(),
        open: openings.iter().filter(|it| it.status() == OpeningStatus::Open).count(),
        durations: Durations::of(openings.iter().copied(), now),
    };
    let mut shares: Vec<Share<T>> = by.into_iter().map(share).collect();
    shares.sort_by(|a, b| b.openings.cmp(&a.openings).then_with(|| a.of.cmp(&b.of)));
    shares
}

impl Durations {
    fn of<'a>(openings: impl Iterator<Item = &'a Opening>, now: DateTime<Utc>) -> Self {
        let mut all: Vec<TimeDelta> = openings.map(|opening| opening.duration(now).0).collect();
        all.sort_unstable();
        Self {
            median: all.get(all.len() / 2).copied().unwrap_or_default(),
            longest: all.last().copied().unwrap_or_default(),
        }
    }
}
