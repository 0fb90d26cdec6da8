//! Traffic that the site lives on, and that a change closed.
//!
//! Pure. An entry of the baseline that is `expected` is closed when a group that let some of it
//! through, from or to whomever, lets none of it through any more, from or to anybody. Nobody is
//! asked for who exactly is behind a peer: a group or a list is somebody.

use crate::baseline::{Baseline, Entry};
use crate::ec2::{Direction, Rule};
use crate::evaluate::severity::expected_traffic_closed;
use crate::finding::Severity;
use crate::net::{Cells, Set};

/// An entry of the baseline of which nothing is let through any more; where it is not known what was
/// before, all of them together, and only where none is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed<'a> {
    /// What the baseline calls it; several entries where nobody knows which of them were open.
    pub name: String,
    /// Ingress or egress.
    pub direction: Direction,
    /// The rules that let some of it through and that the change took away; none where that is not
    /// known.
    pub gone: Vec<&'a Rule>,
    /// Whether it is more than one entry.
    pub many: bool,
    /// Whether it is known that the change closed it.
    pub known: bool,
    /// How bad that is.
    pub severity: Severity,
}

impl Closed<'_> {
    /// One sentence for a person; `group` is what the group is called.
    pub fn title(&self, group: &str) -> String {
        let Self { name, .. } = self;
        let way = match self.direction {
            Direction::Ingress => "in on",
            Direction::Egress => "out of",
        };
        let (is, it) = if self.many { ("are", "they were") } else { ("is", "it was") };
        if self.known {
            format!("{name} is no longer let {way} {group}")
        } else {
            format!("{name} {is} not let {way} {group}, and whether {it} before is not known")
        }
    }
}

/// What is closed of the traffic that the site lives on. `taken` are the rules that the change took
/// away, or `None` where nobody knows them; `after` are the group's rules now, in both directions.
pub fn closed<'a>(
    baseline: &'a Baseline,
    direction: Direction,
    taken: Option<&'a [Rule]>,
    after: &[Rule],
) -> Vec<Closed<'a>> {
    let open = of(direction, after).fold(Cells::empty(), |all, rule| all.union(&rule.cells()));
    let meets = |entry: &Entry, cells: &Cells| !entry.cells().intersection(cells).is_empty();
    let (open, shut): (Vec<&Entry>, Vec<&Entry>) = baseline
        .entries(direction)
        .iter()
        .filter(|entry| entry.expected)
        .partition(|entry| meets(entry, &open));
    let severity = expected_traffic_closed(taken.is_some(), !open.is_empty());
    let Some(taken) = taken else {
        let names: Vec<&str> = shut.iter().map(|entry| entry.name.as_str()).collect();
        let (name, many) = (names.join(" and "), names.len() > 1);
        let all = Closed { name, direction, gone: Vec::new(), many, known: false, severity };
        // A site that is still reached one way may never have been reached the other way.
        return if names.is_empty() || !open.is_empty() { Vec::new() } else { vec![all] };
    };
    shut.into_iter()
        .map(|entry| {
            let gone: Vec<&Rule> =
                of(direction, taken).filter(|rule| meets(entry, &rule.cells())).collect();
            let name = entry.name.clone();
            Closed { name, direction, gone, many: false, known: true, severity }
        })
        .filter(|closed| !closed.gone.is_empty())
        .collect()
}

fn of(direction: Direction, rules: &[Rule]) -> impl Iterator<Item = &Rule> {
    rules.iter().filter(move |rule| rule.direction == direction)
}

#[cfg(test)]
mod tests;
