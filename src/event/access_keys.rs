//! The ids of access keys, shortened.
//!
//! The id of a key opens nothing, but it tells whose key it is, and searches for leaked keys use it.
//! CloudTrail writes it into `userIdentity`, of which only the caller's name is read. A caller can
//! also write it into any text: the name of a session, a user agent, the name of a call.

use super::job::{Job, Lost, Note};
use super::model::{ChangeKind, Event, Kind};

/// The starts of the ids of keys, of users and of sessions
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>).
const PREFIXES: [&str; 4] = ["AKIA", "ASIA", "ABIA", "ACCA"];

/// The fewest characters that an id has.
const SHORTEST: usize = 16;

/// How many characters stay at each end. Whoever has the whole id can find it by these.
const ENDS: usize = 4;

/// The event with the ids of keys shortened in everything that is only shown. The description and
/// the tags of a rule stay as they are: the rule is put back with them, they are not CloudTrail's,
/// and everybody who may see the group sees them.
pub(super) fn shortened(mut event: Event) -> Event {
    let record = &mut event.record;
    let of_record = [
        &mut record.event_name,
        &mut record.event_id,
        &mut record.shared_event_id,
        &mut record.actor,
        &mut record.source_ip,
        &mut record.user_agent,
    ];
    of_record.into_iter().flatten().for_each(shorten);
    match &mut event.kind {
        Kind::Change(change) => match &mut change.kind {
            ChangeKind::Unknown(reason) | ChangeKind::Retagged(reason) => shorten(reason),
            ChangeKind::Authorized(_)
            | ChangeKind::Revoked(_)
            | ChangeKind::Modified(_)
            | ChangeKind::Created => {}
        },
        Kind::Watched(change) => {
            shorten(&mut change.call);
            let others = [&mut change.resource, &mut change.server_error];
            others.into_iter().flatten().for_each(shorten);
        }
        Kind::Job(Job::Close(close)) => {
            for rule in &mut close.rules {
                match &mut rule.note {
                    Some(
                        Note::NotUnderstood(reason)
                        | Note::Lost(reason)
                        | Note::TagsNotUnderstood(reason),
                    ) => shorten(reason),
                    Some(
                        Note::EnteredScope
                        | Note::LeftScope
                        | Note::DirectionAssumed
                        | Note::ListChanged(_),
                    )
                    | None => {}
                }
            }
        }
        Kind::HoldTags(tags) | Kind::Job(Job::HoldTags(tags)) => {
            tags.unread.iter_mut().for_each(shorten);
        }
        Kind::Lost(Lost { reason, .. }) | Kind::Job(Job::Lost(Lost { reason, .. })) => {
            shorten(reason);
        }
        Kind::Ignored(reason)
        | Kind::NotAudited { reason, .. }
        | Kind::Undecodable { reason, .. } => shorten(reason),
        Kind::List(_) | Kind::Tags(_) | Kind::Hook(_) | Kind::Job(_) => {}
    }
    event
}

fn shorten(text: &mut String) {
    // Hardly any text has one.
    if !PREFIXES.iter().any(|prefix| text.contains(prefix)) {
        return;
    }
    let is_of_id = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let is_id = |word: &str| {
        word.len() >= SHORTEST && PREFIXES.iter().any(|prefix| word.starts_with(prefix))
    };
    let mut shortened = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find(is_of_id) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_of_id(c)).unwrap_or(from.len()));
        shortened.push_str(before);
        match (word.get(..ENDS), word.get(word.len().saturating_sub(ENDS)..)) {
            (Some(first), Some(last)) if is_id(word) => {
                shortened.extend([first, "...", last]);
            }
            _ => shortened.push_str(word),
        }
        rest = after;
    }
    shortened.push_str(rest);
    *text = shortened;
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn only_the_ends_of_an_id_are_shown() {
        for (text, shown) in [
            ("AKIAIOSFODNN7EXAMPLE", "AKIA...MPLE"),
            ("key=ASIAIOSFODNN7EXAMPLE;AKIAIOSFODNN7EXAMPLE", "key=ASIA...MPLE;AKIA...MPLE"),
            (
                "arn:aws:sts::123456789012:assumed-role/x/AKIAIOSFODNN7EXAMPLE",
                "arn:aws:sts::123456789012:assumed-role/x/AKIA...MPLE",
            ),
            ("\u{fc}AKIAIOSFODNN7EXAMPLE\u{fc}", "\u{fc}AKIA...MPLE\u{fc}"),
            (
                "AROAIOSFODNN7EXAMPLE:operator AKIA ASIA 123456789012",
                "AROAIOSFODNN7EXAMPLE:operator AKIA ASIA 123456789012",
            ),
            ("", ""),
        ] {
            let mut text = text.to_owned();
            shorten(&mut text);
            assert_eq!(text, shown);
        }
    }
}
