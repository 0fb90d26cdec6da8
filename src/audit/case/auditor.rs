//! The finding that something was changed which the auditor itself lives on.

use chrono::{DateTime, Utc};

use super::Case;
use crate::evaluate::severity::auditor_changed;
use crate::event::{Part, WatchedChange};
use crate::finding::identity::{finding_id, fingerprint_of};
use crate::finding::{Code, Finding};

/// Characters of a name; those of AWS are mostly shorter.
const LONGEST_NAME: usize = 140;

impl Case<'_> {
    /// The finding about such a change. Its fingerprint goes by the call and by what it changed.
    pub fn auditor_changed(&self, change: &WatchedChange, time: DateTime<Utc>) -> Finding {
        let code = Code::AuditorChanged;
        let resource = change.resource.as_deref().map(named);
        // A stack changes its function with every deployment. Trails are in no stack of the auditor.
        let deployed = change.by_cloudformation && change.part != Part::Trail;
        let content = format!("{} {}", change.call, change.resource.as_deref().unwrap_or_default());
        let fingerprint = fingerprint_of(self.place, None, code, None, &content);
        let (severity, title) = (auditor_changed(deployed), title(change, resource.as_deref()));
        Finding {
            id: finding_id(&fingerprint, self.record),
            fingerprint,
            ..self.without_rule(code, severity, title, None, &detail(change), time)
        }
    }
}

fn title(change: &WatchedChange, resource: Option<&str>) -> String {
    let was = if change.server_error.is_some() { "may have been" } else { "was" };
    let by = if change.by_cloudformation { " by CloudFormation" } else { "" };
    let on = resource.map_or_else(
        || ", and the record does not say of what".to_owned(),
        |resource| format!(" on {resource}"),
    );
    format!("The auditor {was} changed{by}: {}{on}", change.call)
}

fn detail(change: &WatchedChange) -> String {
    let (meaning, advice) = words(change.part);
    let mut detail = format!("Nothing was put back. {meaning} {advice}");
    if let Some(code) = &change.server_error {
        detail.push_str(&format!(
            " The call ended in a server error ({code}), so it may have changed nothing."
        ));
    }
    if change.by_cloudformation {
        detail.push_str(
            " CloudFormation made the call, as it does when a stack is deployed. If nobody of \
             yours deployed then, somebody else did.",
        );
    }
    detail
}

/// What it means that this part was changed, and what to look at.
fn words(part: Part) -> (&'static str, &'static str) {
    match part {
        Part::Trail => (
            "Where no trail records management events, the auditor hears of no change, and only \
             its sweep finds what was opened.",
            "See that the trail logs and records management events, then run a sweep.",
        ),
        Part::Rule => (
            "What this rule no longer brings, be it changes or the time of the sweep, is not \
             audited.",
            "Hold its state, pattern and targets against the template, put back by hand what \
             differs, then run a sweep.",
        ),
        Part::Function => (
            "The function may do something else now, or nothing.",
            "Hold its code, settings, layers, concurrency and policy against what you deployed, \
             put back what differs, then run a sweep.",
        ),
        Part::Topic => (
            "Findings may no longer reach everybody who should have them.",
            "See that the topic, its policy and its subscriptions are as they should be, then read \
             the function's log for what was found since.",
        ),
        Part::Queue => (
            "Events that could not be audited wait in this queue, and may be lost.",
            "See that the queue is there and that its policy, and its key where it has one, let \
             EventBridge and the function send, then run a sweep.",
        ),
        Part::Role => (
            "The function acts by this role, and may no longer be able to read, to close or to \
             tell, or be able to do more than it should.",
            "Hold its policies against the template, put back what differs, then run a sweep.",
        ),
        Part::Log => (
            "The function's log is the record of what was audited and closed, and older parts of \
             it may be gone.",
            "See that the log group is there and keeps its entries as long as it should.",
        ),
        Part::Key => (
            "What is encrypted with this key can no longer be told or kept where it does not let \
             those use it who did.",
            "See that the key is enabled, that its deletion is not scheduled and that its policy is \
             the template's, then read the function's log for what was found since, and run a \
             sweep.",
        ),
        Part::Alarm => (
            "Where this alarm is silent, nobody hears that the auditor fails.",
            "See that the alarm is there, that it acts and that it watches what it should.",
        ),
    }
}

/// A name as part of a sentence: what could be taken for more of it is quoted.
fn named(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/+=,@$".contains(c);
    let short: String = name.chars().take(LONGEST_NAME).collect();
    if short.chars().all(plain) { short } else { format!("\"{}\"", short.replace('"', "'")) }
}
