//! The life of a rule from a prefix list, cut where the list changed.

use chrono::{DateTime, Utc};

use super::lists::{Entries, Timeline};
use super::model::{End, Start};
use super::replay::Lifetime;

/// The parts, each with what the list held then.
pub(super) fn parts(
    life: Lifetime,
    timeline: &Timeline,
    now: DateTime<Utc>,
) -> Vec<(Lifetime, Entries)> {
    let from = match &life.start {
        Start::Known(deed) => deed.time,
        Start::Unknown { by, .. } => *by,
    };
    let until = match &life.end {
        End::Known(deed) | End::Perhaps(deed) => deed.time,
        End::Unknown { after, .. } => *after,
        End::Open | End::NotSeen => now,
    };
    let mut parts = Vec::new();
    let mut entries = timeline.at(from);
    let Lifetime { rule, direction_assumed, mut start, end } = life;
    for step in timeline.between(from, until) {
        let deed = step.deed.clone();
        let begun = std::mem::replace(&mut start, Start::Known(deed.clone()));
        let part =
            Lifetime { rule: rule.clone(), direction_assumed, start: begun, end: End::Known(deed) };
        parts.push((part, entries.clone()));
        entries = &step.entries;
    }
    parts.push((Lifetime { rule, direction_assumed, start, end }, entries.clone()));
    parts
}
