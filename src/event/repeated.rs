//! The same thing several times in one payload.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::hash::{BuildHasher, Hasher, RandomState};

use super::Event;

/// Each event once, where it came first. What could not be read says how often it came: thousands
/// of findings that say the same would only hide others.
pub(super) fn once(events: impl Iterator<Item = Event>) -> Vec<Event> {
    let mut distinct: Vec<(Event, usize)> = Vec::new();
    let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
    let random = RandomState::new();
    for event in events {
        let alike = places.entry(likeness(&event, random.build_hasher())).or_default();
        let is_same =
            |place: &usize| distinct.get(*place).is_some_and(|(other, _)| *other == event);
        let known = alike.iter().copied().find(is_same);
        match known.and_then(|place| distinct.get_mut(place)) {
            Some((_, times)) => *times += 1,
            None => {
                alike.push(distinct.len());
                distinct.push((event, 1));
            }
        }
    }
    distinct.into_iter().map(|(event, times)| counted(event, times)).collect()
}

/// What events that are the same have in common, and others only by chance: to compare each of ten
/// thousand with all others would take its time, and whoever writes them could see to it that it
/// comes to that.
fn likeness(event: &Event, hasher: impl Hasher) -> u64 {
    let mut hashed = Hashed(hasher);
    // Writing to a hasher cannot fail.
    let _ = write!(hashed, "{event:?}");
    hashed.0.finish()
}

/// A hasher of a text that is nowhere as a whole.
struct Hashed<H>(H);

impl<H: Hasher> Write for Hashed<H> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

fn counted(event: Event, times: usize) -> Event {
    match event {
        Event::Undecodable { reason, record } if times > 1 => {
            Event::Undecodable { reason: format!("{reason} ({times} times)"), record }
        }
        event => event,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Record;

    fn event(agent: &str) -> Event {
        let record = Record { user_agent: Some(agent.to_owned()), ..Record::default() };
        Event::Undecodable { reason: "why".to_owned(), record: Box::new(record) }
    }

    /// However alike they are: else the time that a payload takes would grow with its square.
    #[test]
    fn what_differs_in_anything_is_not_compared() {
        let random = RandomState::new();
        let mut seen = std::collections::HashSet::new();
        for n in 0..10_000 {
            assert!(seen.insert(likeness(&event(&n.to_string()), random.build_hasher())), "{n}");
        }
        let again = likeness(&event("7"), random.build_hasher());
        assert!(!seen.insert(again));
    }
}
