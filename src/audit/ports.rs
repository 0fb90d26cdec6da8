use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use thiserror::Error;

use crate::ec2::Cause;
use crate::finding::Report;

/// Tells the time.
pub type Clock<'a> = &'a dyn Fn() -> DateTime<Utc>;

/// Where findings are published.
#[expect(async_fn_in_trait, reason = "the crate's own callers know their types")]
pub trait Notifier {
    /// Publishes a report, if there is something in it to publish.
    async fn publish(&self, report: &Report) -> Result<(), NotifyError>;
}

/// Why a report could not be published.
#[derive(Clone, Debug, Error)]
#[error("the finding could not be published")]
pub struct NotifyError(#[source] pub Cause);

/// Another invocation of the function: for what this one has no time left for, and for rules to
/// close.
#[expect(async_fn_in_trait, reason = "the crate's own callers know their types")]
pub trait Onward {
    /// Asks for an invocation with this payload.
    async fn go_on(&self, payload: &Value) -> Result<(), OnwardError>;
}

/// Why no other invocation could be asked for.
#[derive(Clone, Debug, Error)]
#[error("another invocation could not be asked for")]
pub struct OnwardError {
    /// What Lambda answered.
    #[source]
    pub cause: Cause,
    /// Whether it may answer something else the next time.
    pub is_transient: bool,
}

/// How long before the deadline nothing new is begun: what was found must be published and the rest
/// handed on, and each of these may take as long as a call with its retries.
const RESERVE: TimeDelta = TimeDelta::seconds(35);

/// Whether there is no time left for more.
pub(super) fn is_late(deadline: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    deadline.is_some_and(|deadline| now + RESERVE > deadline)
}
