//! What a file can be that contains no event. The function audits whatever arrives; a person who
//! gives the wrong file has to be told so.

use std::borrow::Cow;

use serde_json::{Deserializer, Value};
use thiserror::Error;

use crate::event::is_message;
use crate::text::utf16;

/// Why a file contains no event, and what to do about it. The message does not name the file.
#[derive(Debug, Error)]
pub(super) enum NotAnEvent {
    #[error(
        "the file is empty: the command that should have written it probably failed; run that command by itself and read its error message"
    )]
    Empty,
    #[error(
        "the file is not JSON: give an event as EventBridge delivers it, or a file of CloudTrail records as it is in the trail's bucket (it may be compressed with gzip)"
    )]
    NotJson(#[source] serde_json::Error),
    #[error(
        "these are rows of an Athena query, whose columns have other names than the members of a CloudTrail record: give the trail's own file from its bucket (it may be compressed with gzip)"
    )]
    Athena,
    #[error(
        "these are rows of a CloudTrail Lake query: take the records out of them with `jq '.QueryResultRows[][].eventJson // empty | fromjson'`, and give `invoke` its output"
    )]
    Lake,
    #[error(
        "this is the output of `aws ec2 describe-security-groups` or `describe-security-group-rules`, not an event: audit it with `sg-audit check --groups FILE`, or give it to `invoke` with --groups, next to an event"
    )]
    Groups,
    #[error(
        "this is the output of `aws ec2 get-managed-prefix-list-entries`, not an event: give it with --prefix-lists, under the id of its list"
    )]
    PrefixLists,
    #[error(
        "there is no event in the file: give an event as EventBridge delivers it, a CloudTrail record, or a file of them as it is in the trail's bucket (it may be compressed with gzip)"
    )]
    Other,
}

/// The members of an event, of a CloudTrail record, and of what can be around them.
const OF_EVENTS: [&str; 7] =
    ["CloudTrailEvent", "Sns", "body", "detail-type", "detailType", "eventName", "requestPayload"];

/// The members of lists of events.
const LISTS: [&str; 2] = ["Records", "Events"];

/// Makes the error for a file of another kind.
type Other = fn() -> NotAnEvent;

/// The members of other things that people have in files.
const OF_OTHERS: [(&str, Other); 8] = [
    ("QueryResultRows", || NotAnEvent::Lake),
    ("eventJson", || NotAnEvent::Lake),
    ("ResultSet", || NotAnEvent::Athena),
    ("eventname", || NotAnEvent::Athena),
    ("SecurityGroups", || NotAnEvent::Groups),
    ("SecurityGroupRules", || NotAnEvent::Groups),
    ("IpPermissions", || NotAnEvent::Groups),
    ("Entries", || NotAnEvent::PrefixLists),
];

/// Refuses a file without anything that could be an event. Whatever else is wrong with an event is
/// a finding about it, because its change can have happened.
pub(super) fn refuse_others(bytes: &[u8]) -> Result<(), NotAnEvent> {
    let text = utf16(bytes).map_or_else(|| String::from_utf8_lossy(bytes), Cow::Owned);
    in_text(text.trim_start_matches('\u{feff}').trim())
}

fn in_text(text: &str) -> Result<(), NotAnEvent> {
    if text.is_empty() {
        return Err(NotAnEvent::Empty);
    }
    let documents = Deserializer::from_str(text).into_iter::<Value>();
    any(documents.map(|document| match document {
        Ok(document) => in_document(&document),
        // An event that was cut short is still one.
        Err(_) if OF_EVENTS.iter().any(|name| text.contains(&format!("\"{name}\""))) => Ok(()),
        Err(error) => Err(NotAnEvent::NotJson(error)),
    }))
}

fn in_document(document: &Value) -> Result<(), NotAnEvent> {
    match document {
        Value::Array(elements) => any(elements.iter().map(in_document)),
        // A string with JSON in it, as some tools print events.
        Value::String(text) => in_text(text.trim()),
        Value::Object(members) => {
            let has = |name: &str| members.contains_key(name);
            if let Some(list) = LISTS.iter().find_map(|name| members.get(*name)) {
                return in_document(list);
            }
            // A notification of SNS, and an event without its type.
            let is_wrapped = has("Message") && has("Type") || has("detail") && has("source");
            match OF_OTHERS.iter().find(|(name, _)| has(name)) {
                _ if is_wrapped
                    || is_message(members)
                    || OF_EVENTS.iter().any(|name| has(name)) =>
                {
                    Ok(())
                }
                Some((_, error)) => Err(error()),
                None => Err(NotAnEvent::Other),
            }
        }
        _ => Err(NotAnEvent::Other),
    }
}

/// Accepts the parts of a file if one of them could be an event; otherwise the first part says why
/// not.
fn any(parts: impl Iterator<Item = Result<(), NotAnEvent>>) -> Result<(), NotAnEvent> {
    let mut refused = None;
    for part in parts {
        match part {
            Ok(()) => return Ok(()),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or(NotAnEvent::Other))
}
