//! What events are wrapped in on their way: SNS, SQS, Lambda's failure destination, EventBridge,
//! CloudTrail's own lists, and each of them in another.

use aws_lambda_events::sns::SnsRecord;
use aws_lambda_events::sqs::SqsMessage;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::record::Envelope;

/// EventBridge → SNS → SQS → Lambda → failure queue → Lambda, the longest way there is, takes
/// nine.
const DEEPEST: usize = 16;

/// An invocation brings at most 10,000 messages. Each of them is audited; the bound keeps a
/// payload of nothing but commas from filling the memory.
const MOST: usize = 10_000;

/// What is inside.
#[derive(Debug)]
pub(super) enum Unwrapped {
    /// What should be a CloudTrail record.
    Record(Value, Envelope),
    /// Something else; the reason is for a person.
    Nothing(String, Envelope),
}

/// Takes off whatever `payload` is wrapped in. There is always something inside.
pub(super) fn unwrap(payload: &[u8]) -> Vec<Unwrapped> {
    let mut unwrapping = Unwrapping { found: Vec::new(), more: 0 };
    // What is not UTF-8 can only be in a text. The rest of the event is as good as ever.
    let payload = String::from_utf8_lossy(payload);
    unwrapping.text(payload.trim_start_matches('\u{feff}'), "the event", 0);
    let Unwrapping { mut found, more } = unwrapping;
    if more > 0 {
        let reason = format!("{more} more records are in the event than can be read at once");
        found.push(Unwrapped::Nothing(reason, Envelope::default()));
    }
    found
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
        match serde_json::from_str(text) {
            Ok(value) => self.value(value, depth),
            Err(error) => self.nothing(format!("{what} is not JSON: {error}")),
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
        self.event(members, depth);
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
        if envelope.detail_type.as_deref() == Some("Scheduled Event") {
            let reason = "a scheduled event asks for a sweep, which this version does not have";
            return self.push(Unwrapped::Nothing(reason.to_owned(), envelope));
        }
        match event.get_mut("detail").map(Value::take) {
            // A failure destination that is an event bus.
            Some(Value::Object(detail)) if detail.contains_key("requestPayload") => {
                self.object(detail, depth);
            }
            Some(detail @ Value::Object(_)) => self.push(Unwrapped::Record(detail, envelope)),
            Some(Value::String(detail)) => match serde_json::from_str(&detail) {
                Ok(detail @ Value::Object(_)) => self.push(Unwrapped::Record(detail, envelope)),
                _ => {
                    let reason = "the `detail` of the event is not an object";
                    self.push(Unwrapped::Nothing(reason.to_owned(), envelope));
                }
            },
            Some(_) => {
                let reason = "the `detail` of the event is not an object";
                self.push(Unwrapped::Nothing(reason.to_owned(), envelope));
            }
            None => self.push(Unwrapped::Record(event, Envelope::default())),
        }
    }
}
