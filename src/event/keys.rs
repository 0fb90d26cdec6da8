//! The ids of access keys, shortened.
//!
//! What a key opens is not in its id, but the id tells whose it is, and searches for keys that leaked
//! go by it. CloudTrail writes it into `userIdentity`, of which no more is read than who it was; and
//! into whatever text a caller puts it: a session's name, a user agent, the name of a call.

use super::{ChangeKind, Event, Record};

/// How the ids of keys begin, of users and of sessions
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>).
const BEGIN: [&str; 4] = ["AKIA", "ASIA", "ABIA", "ACCA"];

/// An id has at least so many characters.
const SHORTEST: usize = 16;

/// So much of it stays at either end: enough to find it by, for who has the whole of it.
const ENDS: usize = 4;

/// The event, without the id of a key in anything that is only told. What a rule is put back with
/// stays as it is: its description and its tags are not CloudTrail's, and everybody who may see the
/// group sees them.
pub(super) fn shortened(mut event: Event) -> Event {
    match &mut event {
        Event::Change(change) => {
            in_record(&mut change.record);
            if let ChangeKind::Unknown(reason) = &mut change.kind {
                in_text(reason);
            }
        }
        Event::List(change) => in_record(&mut change.record),
        Event::Tags(change) => in_record(&mut change.record),
        Event::Watched(change) => {
            in_record(&mut change.record);
            in_text(&mut change.call);
            [&mut change.resource, &mut change.server_error]
                .into_iter()
                .flatten()
                .for_each(in_text);
        }
        Event::Schedule(_) => {}
        Event::Close(close) => {
            close.record.iter_mut().for_each(in_record);
            close.rules.iter_mut().filter_map(|rule| rule.note.as_mut()).for_each(in_text);
        }
        Event::Ignored(reason) => in_text(reason),
        Event::Undecodable { reason, record } => {
            in_text(reason);
            in_record(record);
        }
    }
    event
}

fn in_record(record: &mut Record) {
    let texts = [
        &mut record.event_name,
        &mut record.event_id,
        &mut record.shared_event_id,
        &mut record.account,
        &mut record.region,
        &mut record.actor,
        &mut record.source_ip,
        &mut record.user_agent,
    ];
    texts.into_iter().flatten().for_each(in_text);
}

fn in_text(text: &mut String) {
    // Hardly any text has one, and most are only passed on.
    if !BEGIN.iter().any(|begin| text.contains(begin)) {
        return;
    }
    let is_of_id = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let is_id =
        |word: &str| word.len() >= SHORTEST && BEGIN.iter().any(|begin| word.starts_with(begin));
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
    use super::in_text;

    #[test]
    fn only_its_ends_are_told() {
        for (text, told) in [
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
            in_text(&mut text);
            assert_eq!(text, told);
        }
    }
}
