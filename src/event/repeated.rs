use std::collections::HashMap;

use super::model::{Event, Kind};

/// Each event once, where it came first. What could not be read says how often it came, because
/// thousands of equal findings would only hide others.
pub(super) fn once(events: impl Iterator<Item = Event>) -> Vec<Event> {
    // Comparing each of ten thousand events with all others would take too long. The hashes are
    // random, so nobody can write events that all have the same.
    let mut distinct: HashMap<Event, (usize, usize)> = HashMap::new();
    for (place, event) in events.enumerate() {
        let (_, times) = distinct.entry(event).or_insert((place, 0));
        *times += 1;
    }
    let mut distinct: Vec<_> = distinct.into_iter().collect();
    distinct.sort_unstable_by_key(|(_, (place, _))| *place);
    distinct.into_iter().map(|(event, (_, times))| counted(event, times)).collect()
}

fn counted(mut event: Event, times: usize) -> Event {
    if let Kind::Undecodable { reason, .. } = &mut event.kind
        && times > 1
    {
        *reason = format!("{reason} ({times} times)");
    }
    event
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{BuildHasher, RandomState};

    use super::*;
    use crate::event::Record;

    /// Otherwise the time that a payload takes would grow with the square of its size.
    #[test]
    fn events_that_differ_in_one_member_have_different_hashes() {
        let event = |number: usize| {
            let record = Record { user_agent: Some(number.to_string()), ..Record::default() };
            Event::new(record, Kind::Undecodable { group: None, reason: "why".to_owned() })
        };
        let random = RandomState::new();
        let hashes: HashSet<u64> = (0..10_000).map(|n| random.hash_one(event(n))).collect();
        assert_eq!(hashes.len(), 10_000);
        assert!(hashes.contains(&random.hash_one(event(7))));
    }
}
