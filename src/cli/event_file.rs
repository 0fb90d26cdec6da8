//! What a file can be that contains no event. The function audits whatever arrives; a person who
//! gives the wrong file has to be told so.

use serde_json::{Deserializer, Map, Value};
use thiserror::Error;

use super::file_kind::FileKind;
use crate::event::{is_hook_request, is_job, is_record};
use crate::text::lossy;

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
    #[error("this is {0}, not an event: {advice}", advice = .0.instead_of_an_event())]
    Kind(FileKind),
    #[error(
        "there is no event in the file: give an event as EventBridge delivers it, a CloudTrail record, or a file of them as it is in the trail's bucket (it may be compressed with gzip)"
    )]
    Other,
}

/// Lists of events, and what can be around an event.
const LISTS: [&str; 2] = ["Records", "Events"];
const WRAPPERS: [&str; 3] = ["requestPayload", "body", "CloudTrailEvent"];

/// Members of an event that was cut short.
const OF_EVENTS: [&str; 6] =
    ["CloudTrailEvent", "Sns", "body", "detail-type", "detailType", "requestPayload"];

/// Refuses a file without anything that could be an event. Whatever else is wrong with an event is
/// a finding about it, because its change can have happened.
pub(super) fn refuse_others(bytes: &[u8]) -> Result<(), NotAnEvent> {
    let text = lossy(bytes);
    let text = text.trim();
    in_text(text).map_err(|error| match (error, FileKind::of_text(text)) {
        (NotAnEvent::NotJson(_), Some(kind)) => NotAnEvent::Kind(kind),
        (error, _) => error,
    })
}

fn in_text(text: &str) -> Result<(), NotAnEvent> {
    if text.is_empty() {
        return Err(NotAnEvent::Empty);
    }
    let documents = Deserializer::from_str(text).into_iter::<Value>();
    any(documents.map(|document| match document {
        Ok(document) => in_document(&document),
        Err(_) if is_cut_short(text) => Ok(()),
        Err(error) => Err(NotAnEvent::NotJson(error)),
    }))
}

/// Whether it is a part of an event. It is still one.
fn is_cut_short(text: &str) -> bool {
    let has = |name: &str| text.contains(&format!("\"{name}\""));
    let is_of_cloudtrail = text.contains(".amazonaws.") || !has("eventSource");
    OF_EVENTS.into_iter().any(has) || has("eventName") && is_of_cloudtrail
}

fn in_document(document: &Value) -> Result<(), NotAnEvent> {
    match document {
        Value::Array(elements) => any(elements.iter().map(in_document)),
        // A string with JSON in it, as some tools print events.
        Value::String(text) => in_text(text.trim()),
        Value::Object(members) => in_object(members),
        _ => Err(NotAnEvent::Other),
    }
}

fn in_object(members: &Map<String, Value>) -> Result<(), NotAnEvent> {
    let has = |name: &str| members.contains_key(name);
    let of_eventbridge = has("detail-type") || has("detailType") || has("detail") && has("source");
    if of_eventbridge || is_hook_request(members) || is_job(members) || is_record(members) {
        return Ok(());
    }
    if let Some(list) = LISTS.iter().find_map(|name| members.get(*name)) {
        return in_document(list);
    }
    let of_sns = members.get("Sns").map(|sns| sns.get("Message").unwrap_or(&Value::Null));
    let message = members.get("Message").filter(|_| has("Type"));
    let wrapped = WRAPPERS.iter().find_map(|name| members.get(*name)).or(of_sns).or(message);
    match wrapped.map(in_document) {
        Some(Err(error @ (NotAnEvent::Kind(_) | NotAnEvent::Other))) => Err(error),
        // What is wrapped may be a broken event.
        Some(_) => Ok(()),
        None => Err(FileKind::of_json(members).map_or(NotAnEvent::Other, NotAnEvent::Kind)),
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
