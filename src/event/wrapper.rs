//! What events are wrapped in on their way: SNS, SQS, Lambda's failure destination, EventBridge,
//! CloudTrail's own lists, and each of them in another.

use std::borrow::Cow;

use aws_lambda_events::sns::SnsRecord;
use aws_lambda_events::sqs::SqsMessage;
use serde::Deserialize;
use serde_json::{Deserializer, Map, Value};

use super::record::Envelope;
use super::schedule::ScheduleError;
use super::{Close, Schedule, close, mentioned, schedule, weight};

/// EventBridge → SNS → SQS → Lambda → failure queue → Lambda, the longest way there is, takes
/// nine.
const DEEPEST: usize = 16;

/// An invocation brings at most 10,000 messages. Each of them is audited; the bound keeps a
/// payload of nothing but commas from filling the memory.
const MOST: usize = 10_000;

/// So many groups are audited for a text that cannot be read.
const MOST_MENTIONED: usize = 20;

/// What is inside.
#[derive(Debug)]
pub(super) enum Unwrapped {
    /// What should be a CloudTrail record.
    Record(Value, Envelope),
    /// A group that something unreadable names; the reason is for a person.
    Group(String, String, Envelope),
    /// What a schedule asks for.
    Schedule(Schedule),
    /// What the function found and is to close.
    Close(Close),
    /// Something else; the reason is for a person.
    Nothing(String, Envelope),
}

/// Takes off whatever `payload` is wrapped in. There is always something inside.
pub(super) fn unwrap(payload: &[u8]) -> Vec<Unwrapped> {
    let mut unwrapping = Unwrapping { found: Vec::new(), more: 0 };
    let payload = decoded(payload);
    unwrapping.text(payload.trim_start_matches('\u{feff}'), "the event", 0);
    let Unwrapping { mut found, more } = unwrapping;
    if more > 0 {
        let reason = format!("{more} more records are in the event than can be read at once");
        found.push(Unwrapped::Nothing(reason, Envelope::default()));
    }
    found
}

/// The text of a payload. Tools of Windows write UTF-16, with its mark.
fn decoded(payload: &[u8]) -> Cow<'_, str> {
    match payload {
        [0xff, 0xfe, units @ ..] => utf16(units, u16::from_le_bytes).into(),
        [0xfe, 0xff, units @ ..] => utf16(units, u16::from_be_bytes).into(),
        // What is not UTF-8 can only be in a text. The rest of the event is as good as ever.
        _ => String::from_utf8_lossy(payload),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().copied().map(unit).collect();
    String::from_utf16_lossy(&units)
}

struct Unwrapping {
    found: Vec<Unwrapped>,
    more: usize,
}

impl Unwrapping {
    fn push(&mut self, unwrapped: Unwrapped) {
        if self.found.len() < MOST {
            self.found.push(unwrapped);
        } else {
            self.more += 1;
        }
    }

    fn nothing(&mut self, reason: impl Into<String>) {
        self.push(Unwrapped::Nothing(reason.into(), Envelope::default()));
    }

    /// `what` names the text for a person.
    fn text(&mut self, text: &str, what: &str, depth: usize) {
        if weight::is_too_much(text) {
            let reason = format!("{what} has more in it than there is memory for");
            return self.mentioned(text, reason, Envelope::default());
        }
        match serde_json::from_str(text) {
            Ok(value) => self.value(value, depth),
            Err(error) => self.documents(text, what, depth, error),
        }
    }

    /// Text that is not one JSON document: several of them one after another, as in JSON lines, and
    /// behind them what cannot be read.
    fn documents(&mut self, text: &str, what: &str, depth: usize, not_one: serde_json::Error) {
        let mut documents = Deserializer::from_str(text).into_iter();
        let mut empty = true;
        let error = loop {
            match documents.next() {
                Some(Ok(value)) => self.value(value, depth),
                Some(Err(error)) => break error,
                None if empty => break not_one,
                None => return,
            }
            empty = false;
        };
        let rest = text.get(documents.byte_offset()..).unwrap_or(text);
        self.mentioned(rest, format!("{what} is not JSON: {error}"), Envelope::default());
    }

    /// The groups that an unreadable text names, else nothing.
    fn mentioned(&mut self, text: &str, reason: String, envelope: Envelope) {
        let groups = mentioned::groups(text);
        if groups.is_empty() {
            return self.push(Unwrapped::Nothing(reason, envelope));
        }
        let more = groups.len().saturating_sub(MOST_MENTIONED);
        for group in groups.into_iter().take(MOST_MENTIONED) {
            self.push(Unwrapped::Group(group.to_owned(), reason.clone(), envelope.clone()));
        }
        if more > 0 {
            let reason = format!("{reason}; it names {more} groups more than are audited for it");
            self.push(Unwrapped::Nothing(reason, envelope));
        }
    }

    /// Something that may be JSON already, or JSON in a text.
    fn open(&mut self, value: Value, what: &str, depth: usize) {
        match value {
            Value::String(text) => self.text(&text, what, depth),
            value => self.value(value, depth),
        }
    }

    fn value(&mut self, value: Value, depth: usize) {
        if depth > DEEPEST {
            return self.nothing(format!("the event is wrapped more than {DEEPEST} times"));
        }
        match value {
            Value::Object(members) => self.object(members, depth + 1),
            Value::Array(elements) => self.list(elements, depth + 1),
            Value::String(text) => self.text(&text, "the text in the event", depth + 1),
            Value::Null => self.nothing("the event is empty"),
            Value::Bool(_) | Value::Number(_) => self.nothing("the event is not an object"),
        }
    }

    fn list(&mut self, elements: Vec<Value>, depth: usize) {
        if elements.is_empty() {
            self.nothing("the event is an empty list");
        }
        for element in elements {
            self.value(element, depth);
        }
    }

    fn object(&mut self, mut members: Map<String, Value>, depth: usize) {
        if members.contains_key("eventName") && !members.contains_key("detail") {
            return self.push(Unwrapped::Record(Value::Object(members), Envelope::default()));
        }
        // What tools write beside it is not the event.
        if matches!(members.get("detail"), Some(Value::Object(detail)) if !detail.is_empty()) {
            return self.event(members, depth);
        }
        if let Some(payload) = members.remove("requestPayload") {
            return self.open(payload, "what the failed function was given", depth);
        }
        for list in ["Records", "Events"] {
            if let Some(records) = members.remove(list) {
                return self.value(records, depth);
            }
        }
        if members.contains_key("Sns") {
            return self.sns(Value::Object(members), depth);
        }
        if members.contains_key("body") {
            return self.sqs(Value::Object(members), depth);
        }
        // An SNS notification that arrives through a queue without raw delivery.
        if members.contains_key("Message") && members.contains_key("Type") {
            let message = members.remove("Message").unwrap_or_default();
            return self.open(message, "the SNS message", depth);
        }
        if let Some(record) = members.remove("CloudTrailEvent") {
            return self.open(record, "the `CloudTrailEvent`", depth);
        }
        match close::of_payload(&members) {
            Some(Ok(close)) => return self.push(Unwrapped::Close(close)),
            Some(Err(reason)) => {
                let text = Value::Object(members).to_string();
                return self.mentioned(&text, reason, Envelope::default());
            }
            None => {}
        }
        if schedule::is_payload(&members) && !members.contains_key("detail") {
            return self.schedule(schedule::of_payload(&members), Envelope::default());
        }
        self.event(members, depth);
    }

    fn schedule(&mut self, schedule: Result<Schedule, ScheduleError>, envelope: Envelope) {
        self.push(match schedule {
            Ok(schedule) => Unwrapped::Schedule(schedule),
            Err(error) => Unwrapped::Nothing(error.to_string(), envelope),
        });
    }

    /// The typed record first. It refuses notifications that lack a member nobody needs here, so
    /// where it does, only the message is looked for.
    fn sns(&mut self, record: Value, depth: usize) {
        match SnsRecord::deserialize(&record) {
            Ok(record) => self.text(&record.sns.message, "the SNS message", depth),
            Err(_) => {
                let message = record.pointer("/Sns/Message").cloned().unwrap_or_default();
                self.open(message, "the SNS message", depth);
            }
        }
    }

    /// The typed message first. It refuses attributes of other types, of no interest here, and a
    /// body that is JSON already.
    fn sqs(&mut self, message: Value, depth: usize) {
        match SqsMessage::deserialize(&message) {
            Ok(message) => {
                self.text(&message.body.unwrap_or_default(), "the SQS message", depth);
            }
            Err(_) => {
                let body = message.get("body").cloned().unwrap_or_default();
                self.open(body, "the SQS message", depth);
            }
        }
    }

    /// An EventBridge envelope, or a record that does not say its name.
    fn event(&mut self, members: Map<String, Value>, depth: usize) {
        let mut event = Value::Object(members);
        let envelope = Envelope::read(&event);
        let detail = event.get_mut("detail").map(Value::take);
        if envelope.is_scheduled() {
            return self.schedule(schedule::of_event(&detail.unwrap_or_default()), envelope);
        }
        match detail {
            Some(detail) => self.detail(detail, envelope, depth),
            None => self.push(Unwrapped::Record(event, Envelope::default())),
        }
    }

    /// The `detail` of an envelope, or of several that were put together in a list.
    fn detail(&mut self, detail: Value, envelope: Envelope, depth: usize) {
        let what = "the `detail` of the event";
        match detail {
            // A failure destination that is an event bus.
            Value::Object(detail) if detail.contains_key("requestPayload") => {
                self.object(detail, depth);
            }
            Value::Object(_) => self.push(Unwrapped::Record(detail, envelope)),
            Value::Array(details) if !details.is_empty() && depth < DEEPEST => {
                for detail in details {
                    self.detail(detail, envelope.clone(), depth + 1);
                }
            }
            Value::String(text) if depth < DEEPEST => match serde_json::from_str(&text) {
                Ok(detail) => self.detail(detail, envelope, depth + 1),
                Err(error) => {
                    self.mentioned(&text, format!("{what} is not JSON: {error}"), envelope);
                }
            },
            _ => self.push(Unwrapped::Nothing(format!("{what} is not an object"), envelope)),
        }
    }
}
