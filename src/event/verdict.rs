//! What a record comes to, where it is not a change that is understood.

use super::{ChangeKind, Event, GroupKey, Record, SgChange};

/// So many groups are audited for a record that does not say what it did. More are not looked at:
/// it is then a list of groups rather than a change of them.
const MOST_GROUPS: usize = 20;

/// It certainly changed nothing.
pub(super) fn ignored(record: &Record, reason: &str) -> Event {
    Event::Ignored(match &record.event_name {
        Some(name) => format!("`{name}`: {reason}"),
        None => reason.to_owned(),
    })
}

/// It changed one group.
pub(super) fn change(record: Record, group: GroupKey, kind: ChangeKind) -> Event {
    Event::Change(Box::new(SgChange { record, group, kind }))
}

/// It may have changed these groups, and how is not known.
pub(super) fn unknown(
    record: &Record,
    groups: impl ExactSizeIterator<Item = GroupKey>,
    reason: &str,
) -> Vec<Event> {
    if groups.len() > MOST_GROUPS {
        let reason = format!("{reason}, and names {} groups", groups.len());
        return vec![undecodable(record.clone(), &reason)];
    }
    let kind = || ChangeKind::Unknown(reason.to_owned());
    groups.map(|group| change(record.clone(), group, kind())).collect()
}

/// It may have changed something, and what is not known.
pub(super) fn undecodable(record: Record, reason: &str) -> Event {
    Event::Undecodable { reason: reason.to_owned(), record: Box::new(record) }
}
