//! Traffic that the site lives on, and that a change closed.
//!
//! An `expected` entry of the baseline is closed when a group that admitted some of it, from or to
//! whomever, admits none of it any more. Who exactly is behind a peer does not matter here: a group
//! or a list is somebody.

use super::Severity;
use super::severity::expected_traffic_closed;
use crate::baseline::{Baseline, Entry};
use crate::ec2::{Direction, Rule};
use crate::net::{Cells, Set};

/// Expected traffic of which nothing is admitted any more: one entry of the baseline, or, where it
/// is not known what was admitted before, all entries together if none is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The names of the entries.
    pub entries: Vec<String>,
    /// Ingress or egress.
    pub direction: Direction,
    /// The rules that admitted some of it and that the change removed; `None` where that is not
    /// known.
    pub removed: Option<Vec<Rule>>,
    /// How bad that is.
    pub severity: Severity,
}

/// What is closed of the traffic that the site lives on. `taken` are the rules that the change
/// removed, or `None` where they are not known; `after` are the group's rules now, in both
/// directions.
pub fn closed(
    baseline: &Baseline,
    direction: Direction,
    taken: Option<&[Rule]>,
    after: &[Rule],
) -> Vec<Closed> {
    let open = of(direction, after).fold(Cells::empty(), |all, rule| all.union(&rule.cells()));
    let meets = |entry: &Entry, cells: &Cells| !entry.cells().intersection(cells).is_empty();
    let (open, shut): (Vec<&Entry>, Vec<&Entry>) = baseline
        .entries(direction)
        .iter()
        .filter(|entry| entry.expected)
        .partition(|entry| meets(entry, &open));
    let severity = expected_traffic_closed(taken.is_some(), !open.is_empty());
    let Some(taken) = taken else {
        // A site that is still reached one way may never have been reached the other way.
        if shut.is_empty() || !open.is_empty() {
            return Vec::new();
        }
        let entries = shut.into_iter().map(|entry| entry.name.clone()).collect();
        return vec![Closed { entries, direction, removed: None, severity }];
    };
    shut.into_iter()
        .filter_map(|entry| {
            let removed: Vec<Rule> =
                of(direction, taken).filter(|rule| meets(entry, &rule.cells())).cloned().collect();
            let entries = vec![entry.name.clone()];
            (!removed.is_empty()).then_some(Closed {
                entries,
                direction,
                removed: Some(removed),
                severity,
            })
        })
        .collect()
}

fn of(direction: Direction, rules: &[Rule]) -> impl Iterator<Item = &Rule> {
    rules.iter().filter(move |rule| rule.direction() == direction)
}

#[cfg(test)]
mod tests;
