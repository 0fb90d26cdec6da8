//! Holds: temporary openings that announce their own end.
//!
//! A rule that is authorised with two tags, which say until when and why, is left alone until then.
//! The tags count only for the content that the rule had when they were set, and only as far ahead as
//! the settings allow.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::text::{time, timestamp};

/// The tag that says until when, in RFC 3339.
pub const UNTIL: &str = "sg-audit:allow-until";

/// The tag that says why.
pub const REASON: &str = "sg-audit:reason";

/// The prefix of the auditor's own tag keys.
pub const OWN_TAGS: &str = "sg-audit:";

/// Whether a tag with this key is a part of a hold. EC2 distinguishes upper and lower case in keys.
pub fn is_of_hold(key: &str) -> bool {
    key == UNTIL || key == REASON
}

/// The most characters that EC2 takes as the value of a tag
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>).
pub const VALUE_CHARS: usize = 256;

/// Clocks differ, so a hold may end this much later than the settings allow.
const SLACK: TimeDelta = TimeDelta::minutes(5);

/// A rule has the tags of a hold, and nobody has seen yet that it was authorised with them: it is left
/// alone for this time, because the event about that may come late. CloudTrail mostly takes a minute.
pub const GRACE: TimeDelta = TimeDelta::minutes(15);

/// A temporary opening.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hold {
    /// When it ends.
    pub until: DateTime<Utc>,
    /// Why it exists.
    pub reason: String,
}

impl Hold {
    /// The hold of a rule that an undo puts back: from now, as long as is allowed. `None` where
    /// holds are not allowed.
    pub fn of_undo(now: DateTime<Utc>, max_hours: u32) -> Option<Self> {
        let until = now.checked_add_signed(TimeDelta::hours(max_hours.into()))?;
        let reason = "put back after a revert by typo3-sg-auditor".to_owned();
        (max_hours > 0).then_some(Self { until, reason })
    }
}

/// What is remembered of the hold of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Promise {
    /// The hold as it was authorised. `None` if the rule was only seen, and not authorised with one.
    pub hold: Option<Hold>,
    /// Who authorised it.
    pub actor: Option<String>,
    /// When it was authorised, or first seen.
    pub since: DateTime<Utc>,
}

/// What a rule's tags ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// Nothing.
    None,
    /// To be left alone.
    Held(Hold),
    /// The rule was held, and the hold has ended.
    Over(Hold),
    /// The rule asks to be left alone and is not.
    Refused(Refusal),
}

/// Why the tags of a hold do not count.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The settings allow no holds.
    NoHolds,
    /// The end is not a time. Holds what the tag says.
    NotATime(String),
    /// No tag says why.
    NoReason,
    /// It would last longer than allowed.
    TooLong {
        /// When it would end.
        until: DateTime<Utc>,
        /// How many hours are allowed.
        max_hours: u32,
    },
    /// The tags were removed again.
    TagsRemoved,
    /// The tags were put on a rule that existed already.
    TaggedLater,
    /// The call behind the audit changed the tags after the rule was authorised.
    TagsChanged,
    /// The rule was changed after it was held.
    Modified,
    /// Nobody saw that the rule was authorised with them.
    Unseen,
}

impl Claim {
    /// The same at a later time, when a hold may have ended.
    pub fn at(self, now: DateTime<Utc>) -> Self {
        match self {
            Self::Held(hold) if hold.until <= now => Self::Over(hold),
            claim => claim,
        }
    }
}

/// What the tags of a rule ask for. `since` is when they were set, or as early as is known.
///
/// Where holds are not allowed, that is the only fault told.
pub fn claim(
    tags: &BTreeMap<String, String>,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    max_hours: u32,
) -> Claim {
    let Some(until) = tags.get(UNTIL) else { return Claim::None };
    if max_hours == 0 {
        return Claim::Refused(Refusal::NoHolds);
    }
    let Some(until) = time(until.trim()) else {
        return Claim::Refused(Refusal::NotATime(until.clone()));
    };
    let reason = tags.get(REASON).map(|reason| reason.trim()).filter(|reason| says_why(reason));
    let Some(reason) = reason else { return Claim::Refused(Refusal::NoReason) };
    if until.signed_duration_since(since) > TimeDelta::hours(max_hours.into()) + SLACK {
        return Claim::Refused(Refusal::TooLong { until, max_hours });
    }
    let hold = Hold { until, reason: reason.to_owned() };
    if until <= now { Claim::Over(hold) } else { Claim::Held(hold) }
}

/// The same where holds are remembered. A hold counts as it was authorised: its end can be moved
/// forward and not back, and without its tags it is over.
pub fn remembered_claim(
    tags: &BTreeMap<String, String>,
    promise: Option<&Promise>,
    now: DateTime<Utc>,
    max_hours: u32,
) -> Claim {
    let asked = claim(tags, now, now, max_hours);
    let Some(Promise { hold: Some(hold), since, .. }) = promise else {
        let is_in_time = promise.is_none_or(|promise| now - promise.since < GRACE);
        return match asked {
            Claim::Held(_) if !is_in_time => Claim::Refused(Refusal::Unseen),
            asked => asked,
        };
    };
    let until = match asked {
        Claim::Held(asked) | Claim::Over(asked) => asked.until,
        Claim::Refused(Refusal::TooLong { until, .. }) => until,
        Claim::Refused(refusal) => return Claim::Refused(refusal),
        Claim::None if hold.until > now => return Claim::Refused(Refusal::TagsRemoved),
        Claim::None => hold.until,
    };
    let hold = Hold { until: until.min(hold.until), reason: hold.reason.clone() };
    claim(&tags_of(&hold), *since, now, max_hours)
}

/// Until when the tags ask for a hold that was to end before.
pub fn moved_to(tags: &BTreeMap<String, String>, promise: &Promise) -> Option<DateTime<Utc>> {
    let until = time(tags.get(UNTIL)?.trim())?;
    promise.hold.as_ref().filter(|hold| until > hold.until).map(|_| until)
}

fn tags_of(hold: &Hold) -> BTreeMap<String, String> {
    tags(hold).into()
}

/// What stands for a reason in what the auditor proposes. Nobody has said why yet.
pub const PLACEHOLDER_REASON: &str = "<ticket, and why this is needed>";

/// Whether a text is the placeholder for a reason, with or without the marks around it.
pub fn is_placeholder(text: &str) -> bool {
    let words = |text: &str| {
        let letters = text.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect::<String>()
    };
    words(text) == words(PLACEHOLDER_REASON)
}

/// Whether a text can be a reason: it has at least one letter or digit, and is not the placeholder.
pub fn says_why(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric) && !is_placeholder(text)
}

/// The tags of a hold. The reason is cut and cleaned to what EC2 accepts as a value.
pub fn tags(hold: &Hold) -> [(String, String); 2] {
    let reason = hold.reason.chars().map(|c| if c.is_control() { ' ' } else { c });
    let reason = reason.take(VALUE_CHARS).collect();
    [(UNTIL.to_owned(), timestamp(&hold.until)), (REASON.to_owned(), reason)]
}

#[cfg(test)]
mod tests;
