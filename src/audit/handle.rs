use chrono::{DateTime, Utc};

use super::auditor::Auditor;
use super::counts::Counts;
use super::error::AuditError;
use super::ports::{Clock, Invoker, Notifier};
use super::recalled::LedgerAccess;
use crate::ec2::SecurityGroups;
use crate::event::{Job, Kind, decode};
use crate::finding::Report;
use crate::text::causes;

/// One invocation of the function.
#[derive(Clone, Copy, Debug, Default)]
pub struct Invocation<'a> {
    /// Its request id. Lambda tries again with the same one.
    pub id: Option<&'a str>,
    /// When there has to be an answer.
    pub deadline: Option<DateTime<Utc>>,
}

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
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
        let invocation = Invocation { id: None, deadline };
        self.handle_and_count(payload, clock, invocation, &mut Counts::default()).await
    }

    /// The same for an invocation that may have an id, and counts what it does, whatever the answer is.
    ///
    /// # Errors
    ///
    /// As [`Self::handle`].
    pub async fn handle_and_count(
        &self,
        payload: &[u8],
        clock: Clock<'_>,
        Invocation { id, deadline }: Invocation<'_>,
        counts: &mut Counts,
    ) -> Result<Report, AuditError> {
        if let Some(memory) = &self.memory {
            memory.begin();
        }
        let mut reports = Vec::new();
        let mut failed = None;
        for mut event in decode(payload) {
            if let Kind::Job(Job::Sweep(_)) = &event.kind {
                let record = &mut event.record;
                record.event_id = record.event_id.take().or_else(|| id.map(str::to_owned));
            }
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
        counts.ledger_failures += self.memory.as_ref().map_or(0, LedgerAccess::failures);
        match failed {
            Some(error) => Err(error),
            None => Ok(Report::merged(&self.baseline, reports)),
        }
    }
}
