//! Holds: temporary openings that announce their own end.
//!
//! Whoever authorises a rule with two tags, until when and why, is told of and left alone until
//! then. The tags count for the content that they were set with, and only as long as the settings
//! allow.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::baseline::quote;
use crate::finding::{rfc3339, timestamp};

/// The tag that says until when, in RFC 3339.
pub const UNTIL: &str = "sg-audit:allow-until";

/// The tag that says why.
pub const REASON: &str = "sg-audit:reason";

/// What the keys of the auditor's own tags begin with.
pub const OWN_TAGS: &str = "sg-audit:";

/// EC2 takes so many characters as the value of a tag
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>).
pub const VALUE_CHARS: usize = 256;

/// Clocks are not the same everywhere: so much more than is allowed is allowed.
const SLACK: TimeDelta = TimeDelta::minutes(5);

/// A temporary opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// When it ends.
    #[serde(serialize_with = "rfc3339")]
    pub until: DateTime<Utc>,
    /// Why it is there.
    pub reason: String,
}

impl Hold {
    /// The hold of a rule that an undo puts back: as long as is allowed, from now. `None` where
    /// there are no holds.
    pub fn of_undo(now: DateTime<Utc>, max_hours: u32) -> Option<Self> {
        let until = now.checked_add_signed(TimeDelta::hours(max_hours.into()))?;
        let reason = "put back after a revert by typo3-sg-auditor".to_owned();
        (max_hours > 0).then_some(Self { until, reason })
    }
}

/// What a rule's tags ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nothing.
    None,
    /// To be left alone.
    Held(Hold),
    /// It was held, and that is over.
    Over(Hold),
    /// It asks to be left alone and is not; why, as a sentence goes on.
    Refused(String),
}

/// What the tags of a rule ask for. `since` is when they were set, or as early as is known.
///
/// Only where there are holds at all is it worth saying what else is wrong with one.
pub fn claim(
    tags: &BTreeMap<String, String>,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    max_hours: u32,
) -> Claim {
    let Some(until) = tags.get(UNTIL) else { return Claim::None };
    if max_hours == 0 {
        return Claim::Refused("no holds are allowed here".to_owned());
    }
    let Ok(end) = DateTime::parse_from_rfc3339(until.trim()) else {
        return Claim::Refused(format!(
            "its tag {UNTIL} is {}, which is no time as in {}",
            quote(until),
            timestamp(&now)
        ));
    };
    let until = end.to_utc();
    let reason = tags.get(REASON).map(|reason| reason.trim()).filter(|reason| says_why(reason));
    let Some(reason) = reason else {
        return Claim::Refused(format!("it has no tag {REASON} that says why"));
    };
    if until.signed_duration_since(since) > TimeDelta::hours(max_hours.into()) + SLACK {
        let hours = if max_hours == 1 { "hour is" } else { "hours are" };
        return Claim::Refused(format!(
            "it would last until {}, and no more than {max_hours} {hours} allowed",
            timestamp(&until)
        ));
    }
    let hold = Hold { until, reason: reason.to_owned() };
    if until <= now { Claim::Over(hold) } else { Claim::Held(hold) }
}

/// Whether a text can be a reason: something of it can be read.
pub fn says_why(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// The tags of a hold. A reason that EC2 would refuse as a value is made one that it takes.
pub fn tags(hold: &Hold) -> [(String, String); 2] {
    let reason = hold.reason.chars().map(|c| if c.is_control() { ' ' } else { c });
    let reason = reason.take(VALUE_CHARS).collect();
    [(UNTIL.to_owned(), timestamp(&hold.until)), (REASON.to_owned(), reason)]
}

#[cfg(test)]
mod tests;
