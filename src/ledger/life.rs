//! What a sighting means, compared with what was remembered before it.

use chrono::{DateTime, Utc};

use super::entries::{Entry, Sighting};
use crate::evaluate::Severity;
use crate::finding::{Life, Outcome, Status, WAR};

/// The status and history of a finding that was seen, by the entry that there was before. It is the
/// same whenever the same occasion is remembered, whatever was remembered in between, and a finding
/// that is new is never taken for a known one.
pub fn life(before: Option<&Entry>, sighting: &Sighting) -> Life {
    let Sighting { opening, is_introduced, .. } = sighting;
    let Some(before) = before else {
        let (status, first_seen) = (Status::New, sighting.brief.seen);
        return Life { status, first_seen, since: opening.at, times: 1 };
    };
    let is_repeated = before.openings.iter().any(|it| it.occasion == opening.occasion);
    let status = if before.first_occasion == opening.occasion {
        Status::New
    } else if *is_introduced || is_repeated || !before.brief.is_open {
        Status::Reopened
    } else {
        Status::Known
    };
    let counts = !is_repeated && status != Status::Known;
    let times = before.openings_since(opening.at).count() + usize::from(counts);
    let since = if status == Status::Known { before.opened() } else { opening.at };
    Life { status, first_seen: before.first_seen, since, times: times.max(1) }
}

/// Whether a finding has to be mailed at once, if there are not too many mails.
pub fn is_news(
    severity: Severity,
    (outcome, is_open, at): (Outcome, bool, DateTime<Utc>),
    life: Option<Life>,
    before: Option<&Entry>,
    least: Severity,
) -> bool {
    if severity < least {
        return false;
    }
    let Some(life) = life else { return true };
    let is_worse = before.is_some_and(|before| {
        let was = before.brief.outcome;
        let failed = outcome == Outcome::Failed && was != Outcome::Failed;
        // That a hold ends when it was to end, and is closed, is no news.
        let is_early = before.brief.held_until.is_some_and(|until| at < until);
        let hold_is_over =
            was == Outcome::Held && outcome != Outcome::Held && (is_open || is_early);
        severity > before.brief.severity || failed || hold_is_over
    });
    match life.status {
        Status::New => true,
        // What is closed each time is told until it is clear that it goes on.
        Status::Reopened => is_open || is_worse || life.times <= WAR,
        Status::Known => is_worse,
        Status::Resolved => false,
    }
}
