//! The same thing several times in one payload.

use std::collections::HashMap;

use super::Event;

/// Each event once, where it came first. What could not be read says how often it came: thousands
/// of findings that say the same would only hide others.
pub(super) fn once(events: impl Iterator<Item = Event>) -> Vec<Event> {
    let mut distinct: Vec<(Event, usize)> = Vec::new();
    let mut places: HashMap<Likeness, Vec<usize>> = HashMap::new();
    for event in events {
        let alike = places.entry(likeness(&event)).or_default();
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

/// What events that are the same have in common. To compare each of ten thousand with all others
/// would take its time.
type Likeness = (String, Option<String>);

fn likeness(event: &Event) -> Likeness {
    match event {
        Event::Change(change) => (change.group.as_str().to_owned(), change.record.event_id.clone()),
        Event::List(change) => (change.list.clone(), change.record.event_id.clone()),
        Event::Tags(change) => (change.groups.concat(), change.record.event_id.clone()),
        Event::Watched(change) => (change.call.clone(), change.record.event_id.clone()),
        Event::Schedule(schedule) => (schedule.task.as_str().to_owned(), None),
        Event::Ignored(reason) => (reason.clone(), None),
        Event::Undecodable { reason, record } => (reason.clone(), record.event_id.clone()),
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
