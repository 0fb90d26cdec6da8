//! Holds: temporary openings that announce their own end.
//!
//! Whoever authorises a rule with two tags, until when and why, is told of and left alone until
//! then. The tags count for the content that they were set with, and only as long as the settings
//! allow.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// The tag that says until when, in RFC 3339.
pub const UNTIL: &str = "sg-audit:allow-until";

/// The tag that says why.
pub const REASON: &str = "sg-audit:reason";

/// Clocks are not the same everywhere: so much more than is allowed is allowed.
const SLACK: TimeDelta = TimeDelta::minutes(5);

/// A temporary opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// When it ends.
    pub until: DateTime<Utc>,
    /// Why it is there.
    pub reason: String,
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
pub fn claim(
    tags: &BTreeMap<String, String>,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    max_hours: u32,
) -> Claim {
    let Some(until) = tags.get(UNTIL) else { return Claim::None };
    let Ok(end) = DateTime::parse_from_rfc3339(until.trim()) else {
        return Claim::Refused(format!(
            "its tag {UNTIL} is `{until}`, which is no time as in {}",
            stamp(now)
        ));
    };
    let until = end.to_utc();
    let reason = tags.get(REASON).map(|reason| reason.trim()).filter(|reason| !reason.is_empty());
    let Some(reason) = reason else {
        return Claim::Refused(format!("it has no tag {REASON} that says why"));
    };
    if max_hours == 0 {
        return Claim::Refused("no holds are allowed here".to_owned());
    }
    if until.signed_duration_since(since) > TimeDelta::hours(max_hours.into()) + SLACK {
        return Claim::Refused(format!(
            "it would last until {}, and no more than {max_hours} hours are allowed",
            stamp(until)
        ));
    }
    let hold = Hold { until, reason: reason.to_owned() };
    if until <= now { Claim::Over(hold) } else { Claim::Held(hold) }
}

/// The tags of a hold.
pub fn tags(hold: &Hold) -> [(String, String); 2] {
    [(UNTIL.to_owned(), stamp(hold.until)), (REASON.to_owned(), hold.reason.clone())]
}

/// RFC 3339 in UTC, with seconds.
fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
