//! When an invocation has to come to its end.

use chrono::{DateTime, TimeDelta, Utc};

/// So long before the deadline nothing new is begun: what was found has to be published, and the
/// rest handed on, each of which may take as long as a call with its retries.
const RESERVE: TimeDelta = TimeDelta::seconds(35);

/// Whether there is no time left for more.
pub fn is_late(deadline: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    deadline.is_some_and(|deadline| now + RESERVE > deadline)
}
