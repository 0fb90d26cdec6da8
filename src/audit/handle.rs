use chrono::{DateTime, Utc};

use super::auditor::Auditor;
use super::counts::Counts;
use super::error::AuditError;
use super::ports::{Clock, Notifier, Onward};
use crate::ec2::SecurityGroups;
use crate::event::decode;
use crate::finding::Report;
use crate::text::causes;

impl<E: SecurityGroups, N: Notifier, O: Onward> Auditor<'_, E, N, O> {
    /// Audits everything in an invocation's payload and publishes what was found. There has to be
    /// an answer by `deadline`.
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
            let audited = Box::pin(self.audit_and_count(&event, clock, deadline, counts)).await;
            counts.audited(audited.as_ref().ok().map(|report| report.outcome));
            match audited {
                Ok(report) => reports.push(report),
                Err(error) => {
                    tracing::warn!(error = causes(&error), "the event will be audited again");
                    failed.get_or_insert(error);
                }
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(Report::merged(&self.baseline, reports)),
        }
    }
}
