//! A whole invocation: each event in its payload has its turn, and all of it is counted.

use chrono::{DateTime, Utc};

use super::counts::Counts;
use super::ports::{Notifier, Onward, SecurityGroups};
use super::summary::merged;
use super::{AuditError, Auditor, Clock};
use crate::event::decode;
use crate::finding::Report;

impl<E: SecurityGroups, N: Notifier, O: Onward> Auditor<'_, E, N, O> {
    /// Audits everything in an invocation's payload and publishes what was found. By `deadline`
    /// there has to be an answer.
    ///
    /// # Errors
    ///
    /// The first error that may pass, after everything has had its turn: trying all of it again
    /// does no harm.
    pub async fn handle(
        &self,
        payload: &[u8],
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Result<Report, AuditError> {
        self.handle_and_count(payload, clock, deadline, &mut Counts::default()).await
    }

    /// The same, and counts what it does, whatever the answer is.
    ///
    /// # Errors
    ///
    /// As [`Self::handle`].
    pub async fn handle_and_count(
        &self,
        payload: &[u8],
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
        counts: &mut Counts,
    ) -> Result<Report, AuditError> {
        let mut reports = Vec::new();
        let mut failed = None;
        for event in decode(payload) {
            // Boxed, so that the invocation's own future stays small.
            let audited = Box::pin(self.counted(&event, clock, deadline, counts)).await;
            counts.audited(audited.as_ref().ok().map(|report| report.outcome));
            match audited {
                Ok(report) => reports.push(report),
                Err(error) => {
                    tracing::warn!(%error, "the event has to be audited again");
                    failed.get_or_insert(error);
                }
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(merged(&self.baseline, reports)),
        }
    }
}
