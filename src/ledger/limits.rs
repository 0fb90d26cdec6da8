//! How long is remembered, and how much is mailed.

use chrono::{DateTime, TimeDelta, Utc};

use crate::finding::Planner;

/// An entry is kept so long after its finding was closed.
pub const KEPT: TimeDelta = TimeDelta::days(400);

/// How often a finding was opened is counted over this time.
pub const DAY: TimeDelta = TimeDelta::hours(24);

/// So long after a message has said what is planned, it is closed even if no audit of the whole place
/// could be remembered. A sweep comes once a day. A change waits longer than a sweep, which goes first.
pub fn planned_for(planner: Planner) -> TimeDelta {
    match planner {
        Planner::Sweep => DAY - EARLY * 4,
        Planner::Change => DAY + EARLY,
    }
}

/// A sweep may begin so much earlier than the day before. A digest that is later than this comes without one.
pub const EARLY: TimeDelta = TimeDelta::hours(1);

/// So many mails may be sent within [`MAIL_SPAN`]. SNS ends a mail subscription that gets ten a
/// second ("Amazon SNS endpoints and quotas" in the AWS General Reference).
pub const MAILS: usize = 5;

/// The time over which mails are counted.
pub const MAIL_SPAN: TimeDelta = TimeDelta::seconds(10);

/// The times of the mails with one more, if one more may be sent now.
pub fn one_more_mail(sent: &[DateTime<Utc>], now: DateTime<Utc>) -> Option<Vec<DateTime<Utc>>> {
    let mut recent: Vec<_> = sent
        .iter()
        .copied()
        .filter(|at| now - *at <= MAIL_SPAN && *at <= now + MAIL_SPAN)
        .collect();
    if recent.len() >= MAILS {
        return None;
    }
    recent.push(now);
    Some(recent)
}
