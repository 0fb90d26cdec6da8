//! Unwraps events: from SNS, SQS, Lambda's failure destination, EventBridge, CloudTrail's own lists,
//! and each of them in another.

use std::error::Error as StdError;

use aws_lambda_events::sns::SnsRecord;
use aws_lambda_events::sqs::SqsMessage;
use serde::Deserialize;
use serde_json::{Deserializer, Map, Value};
use thiserror::Error;

use super::model::{ChangeKind, Event, Kind};
use super::payload::JobError;
use super::record::{Envelope, Record};
use super::schedule::ScheduledTask;
use super::wire::Node;
use super::{group_ids, hook, memory, payload};
use crate::ec2::GroupKey;
use crate::text::inert::clip;
use crate::text::{causes, lossy};

/// The longest way there is takes nine wrappers: EventBridge → SNS → SQS → Lambda → failure queue →
/// Lambda.
const DEEPEST: usize = 16;

/// An invocation brings at most 10,000 messages, and each of them is audited. Without a bound a
/// payload of nothing but commas would fill the memory.
const MOST: usize = 10_000;

/// How every gzip stream begins in base64, in which binary data is put into messages.
const GZIP_IN_BASE64: &str = "H4sI";

/// How many groups are audited for a text that cannot be read.
const MOST_GROUPS: usize = 20;

/// How many characters of the reason why a message is not understood are kept.
const LONGEST_REASON: usize = 400;

/// Why something in a payload cannot be read.
#[derive(Debug, Error)]
enum Unreadable {
    #[error("the event is empty")]
    Empty,
    #[error("the event is an empty list")]
    EmptyList,
    #[error("{0} is not an object")]
    NotAnObject(&'static str),
    #[error("{what} is not JSON")]
    NotJson {
        what: &'static str,
        #[source]
        cause: serde_json::Error,
    },
    #[error("{0} is compressed with gzip: send it as plain JSON")]
    Compressed(&'static str),
    #[error("{0} is too large for the memory there is")]
    TooLarge(&'static str),
    #[error("the event is wrapped more than {DEEPEST} times")]
    TooDeep,
    #[error("{0} more records are in the event than can be read at once")]
    TooMany(usize),
}

/// What was wrapped.
#[derive(Debug)]
pub(super) enum Unwrapped {
    /// What should be a CloudTrail record.
    Record(Value, Envelope),
    /// Anything else.
    Event(Event),
}

/// Unwraps `payload`. There is always something in it.
pub(super) fn unwrap(payload: &[u8]) -> Vec<Unwrapped> {
    let mut unwrapping = Unwrapping { found: Vec::new(), more: 0, delivery: None };
    // Bytes that are not UTF-8 can only be inside a string. The rest of the event is still good.
    unwrapping.text(&lossy(payload), "the event", 0);
    let Unwrapping { mut found, more, .. } = unwrapping;
    if more > 0 {
        let error = Unreadable::TooMany(more);
        found.push(Unwrapped::Event(Event::undecodable(Envelope::default().into(), &error)));
    }
    found
}

struct Unwrapping {
    found: Vec<Unwrapped>,
    more: usize,
    /// The id of the wrapper, which is the same whenever its content is delivered.
    delivery: Option<String>,
}

impl Unwrapping {
    fn push(&mut self, unwrapped: Unwrapped) {
        if self.found.len() < MOST {
            self.found.push(unwrapped);
        } else {
            self.more += 1;
        }
    }

    fn nothing(&mut self, error: &(dyn StdError + 'static), envelope: Envelope) {
        self.push(Unwrapped::Event(Event::undecodable(envelope.into(), error)));
    }

    /// `what` names the text for a person.
    fn text(&mut self, text: &str, what: &'static str, depth: usize) {
        if memory::is_too_large(text) {
            let error = Unreadable::TooLarge(what);
            return self.named_in(text, &error, Envelope::default());
        }
        if text.starts_with(GZIP_IN_BASE64) {
            return self.nothing(&Unreadable::Compressed(what), Envelope::default());
        }
        match serde_json::from_str(text) {
            Ok(value) => self.value(value, depth),
            Err(error) => self.documents(text, what, depth, error),
        }
    }

    /// Text that is not one JSON document: several of them one after another, as in JSON lines, and
    /// after them what cannot be read.
    fn documents(
        &mut self,
        text: &str,
        what: &'static str,
        depth: usize,
        not_one: serde_json::Error,
    ) {
        let mut documents = Deserializer::from_str(text).into_iter();
        let mut is_empty = true;
        let cause = loop {
            match documents.next() {
                Some(Ok(value)) => self.value(value, depth),
                Some(Err(error)) => break error,
                None if is_empty => break not_one,
                None => return,
            }
            is_empty = false;
        };
        let rest = text.get(documents.byte_offset()..).unwrap_or(text);
        self.named_in(rest, &Unreadable::NotJson { what, cause }, Envelope::default());
    }

    /// As [`groups_in`](Self::groups_in), for a text that cannot be read.
    fn named_in(&mut self, text: &str, error: &(dyn StdError + 'static), envelope: Envelope) {
        self.groups_in(text, causes(error), envelope, ChangeKind::Unknown);
    }

    /// A change of each group that `text` names. If it names none, nothing is known. If the envelope's
    /// region is not valid, nobody knows where to look for the groups.
    fn groups_in(
        &mut self,
        text: &str,
        reason: String,
        envelope: Envelope,
        kind: fn(String) -> ChangeKind,
    ) {
        let (is_placed, reason) = match &envelope.fault {
            Some(fault) => (false, format!("{reason}; {fault}")),
            None => (true, reason),
        };
        let record = Record::from(envelope);
        let undecodable =
            |group, reason| Event::new(record.clone(), Kind::Undecodable { group, reason });
        let groups = group_ids::in_text(text);
        if groups.is_empty() {
            return self.push(Unwrapped::Event(undecodable(None, reason)));
        }
        let more = groups.len().saturating_sub(MOST_GROUPS);
        for group in groups.into_iter().take(MOST_GROUPS).map(GroupKey::Id) {
            self.push(Unwrapped::Event(match is_placed {
                true => Event::change(record.clone(), group, kind(reason.clone())),
                false => undecodable(Some(group), reason.clone()),
            }));
        }
        if more > 0 {
            let reason = format!("{reason}; it names {more} more groups than are audited for it");
            self.push(Unwrapped::Event(undecodable(None, reason)));
        }
    }

    /// JSON, or a string with JSON in it.
    fn open(&mut self, value: Value, what: &'static str, depth: usize) {
        match value {
            Value::String(text) => self.text(&text, what, depth),
            value => self.value(value, depth),
        }
    }

    fn value(&mut self, value: Value, depth: usize) {
        if depth > DEEPEST {
            return self.nothing(&Unreadable::TooDeep, Envelope::default());
        }
        match value {
            Value::Object(members) => self.object(members, depth + 1),
            Value::Array(elements) => self.list(elements, depth + 1),
            Value::String(text) => self.text(&text, "the string in the event", depth + 1),
            Value::Null => self.nothing(&Unreadable::Empty, Envelope::default()),
            Value::Bool(_) | Value::Number(_) => {
                self.nothing(&Unreadable::NotAnObject("the event"), Envelope::default());
            }
        }
    }

    fn list(&mut self, elements: Vec<Value>, depth: usize) {
        if elements.is_empty() {
            self.nothing(&Unreadable::EmptyList, Envelope::default());
        }
        for element in elements {
            self.value(element, depth);
        }
    }

    fn object(&mut self, mut members: Map<String, Value>, depth: usize) {
        // A hook asks directly, so nothing is around its question.
        if depth == 1 && hook::is_hook_request(&members) {
            let (record, request) = hook::read(&members);
            let kind = Kind::Hook(Box::new(request));
            return self.push(Unwrapped::Event(Event::new(record, kind)));
        }
        if members.contains_key("eventName") && !members.contains_key("detail") {
            return self.push(Unwrapped::Record(Value::Object(members), Envelope::default()));
        }
        // What tools write beside a `detail` is not the event.
        if matches!(members.get("detail"), Some(Value::Object(detail)) if !detail.is_empty()) {
            return self.event(members, depth);
        }
        if let Some(payload) = members.remove("requestPayload") {
            // Lambda tries again with the request id of the first invocation.
            let request = Node::new("event", members.get("requestContext").unwrap_or(&Value::Null));
            let request = request.member("requestId").readable();
            return self.delivered_as(request, |unwrapping| {
                unwrapping.open(payload, "what the failed function was given", depth);
            });
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
            let message = Value::Object(members);
            let id = Node::new("event", &message).member("messageId").readable();
            return self.delivered_as(id, |unwrapping| unwrapping.sqs(message, depth));
        }
        // An SNS notification that arrives through a queue without raw delivery.
        if members.contains_key("Message") && members.contains_key("Type") {
            let message = members.remove("Message").unwrap_or_default();
            return self.open(message, "the SNS message", depth);
        }
        if let Some(record) = members.remove("CloudTrailEvent") {
            return self.open(record, "the `CloudTrailEvent`", depth);
        }
        if payload::is_handed_on(&members) {
            return self.handed_on(members);
        }
        if payload::is_schedule(&members) && !members.contains_key("detail") {
            return self.schedule(payload::schedule(members), Envelope::default());
        }
        self.event(members, depth);
    }

    /// A job that the function handed to itself. If it is not understood, the groups that it
    /// names are audited.
    fn handed_on(&mut self, members: Map<String, Value>) {
        match payload::handed_on(&members) {
            Ok(event) => self.push(Unwrapped::Event(event)),
            Err(error) => {
                let is_of_tags = members.contains_key("tags");
                let kind = if is_of_tags { ChangeKind::Retagged } else { ChangeKind::Unknown };
                let reason = clip(&causes(&error), LONGEST_REASON);
                let text = Value::Object(members).to_string();
                self.groups_in(&text, reason, Envelope::default(), kind);
            }
        }
    }

    /// Unwraps what was delivered with an id, if it has one.
    fn delivered_as(&mut self, id: Option<String>, unwrap: impl FnOnce(&mut Self)) {
        let around = self.delivery.clone();
        self.delivery = id.or_else(|| around.clone());
        unwrap(self);
        self.delivery = around;
    }

    fn schedule(&mut self, schedule: Result<Event, JobError>, envelope: Envelope) {
        let envelope = Record::from(envelope);
        let event = match schedule {
            Ok(scheduled) => {
                let event_id = self.delivery.clone();
                let record = Record { time: envelope.time, event_id, ..Record::default() };
                Event { record, ..scheduled }
            }
            Err(error) => {
                let (group, reason) = (None, clip(&causes(&error), LONGEST_REASON));
                Event::new(envelope, Kind::Undecodable { group, reason })
            }
        };
        self.push(Unwrapped::Event(event));
    }

    /// The typed record is tried first. It refuses notifications without members that are not needed
    /// here; then only the message is looked for.
    fn sns(&mut self, record: Value, depth: usize) {
        match SnsRecord::deserialize(&record) {
            Ok(record) => self.text(&record.sns.message, "the SNS message", depth),
            Err(_) => {
                let message = record.pointer("/Sns/Message").cloned().unwrap_or_default();
                self.open(message, "the SNS message", depth);
            }
        }
    }

    /// The typed message is tried first. It refuses attributes of other types, which are not needed
    /// here, and a body that is not a string.
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

    /// An EventBridge envelope, or a record without a name.
    fn event(&mut self, members: Map<String, Value>, depth: usize) {
        let mut event = Value::Object(members);
        let envelope = Envelope::read(&event);
        let detail = event.get_mut("detail").map(Value::take);
        if let Some(task) = envelope.scheduled_task(payload::may_be_schedule(detail.as_ref())) {
            let schedule = payload::of_scheduled_event(detail.unwrap_or_default(), task);
            return self.schedule(schedule, envelope);
        }
        if detail.as_ref().is_some_and(|detail| envelope.is_of_deployment(detail)) {
            let sweep = payload::of_scheduled_event(Value::Null, ScheduledTask::Sweep);
            return self.schedule(sweep, envelope);
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
                Err(cause) => {
                    self.named_in(&text, &Unreadable::NotJson { what, cause }, envelope);
                }
            },
            _ => self.nothing(&Unreadable::NotAnObject(what), envelope),
        }
    }
}
