//! The digest: one mail about everything that waited.

use super::auditor::Auditor;
use super::error::AuditError;
use super::ports::{Clock, Invoker, Notifier};
use crate::ec2::SecurityGroups;
use crate::finding::{Report, ReportOutcome};
use crate::ledger::{Waiting, Waits};

/// So many findings are told in one mail.
const IN_ONE: usize = 300;

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
    /// Publishes what waits, where it is due: all of it once a day, and as soon as something in it
    /// could not be mailed at once. What is published waits no longer.
    ///
    /// # Errors
    ///
    /// When SNS did not take it. Everything still waits then.
    pub(super) async fn digest(
        &self,
        is_after_sweep: bool,
        clock: Clock<'_>,
    ) -> Result<(), AuditError> {
        let Some(memory) = &self.memory else { return Ok(()) };
        let Some(waits) = memory.ask(|ledger| ledger.waiting()).await else { return Ok(()) };
        let is_daily = waits.is_daily_due(is_after_sweep, clock());
        if !is_daily && !waits.findings.iter().any(|one| one.is_due_soon(memory.least)) {
            return Ok(());
        }
        let waiting = Waiting::by_finding(waits.findings);
        let mut left = &waiting[..];
        let mut answer = Ok(());
        while !left.is_empty() {
            let now = clock();
            if memory.ask(|ledger| ledger.may_mail(now)).await != Some(true) {
                // It waits for the next check of holds, a quarter of an hour later.
                tracing::info!("the rest of the digest waits: there are too many mails for now");
                break;
            }
            let (told, report) = self.first_of(left, is_daily);
            if let Err(error) = self.publish(&report).await {
                answer = Err(error);
                break;
            }
            let (some, rest) = left.split_at_checked(told).unwrap_or((left, &[]));
            let some = some.concat();
            memory.ask(|ledger| ledger.digested(&some, is_daily.then_some(now))).await;
            left = rest;
        }
        if is_daily && !left.is_empty() {
            // The rest of it does not wait for a day. Where the table failed, it does.
            let due = Waits::due_again(clock());
            memory.ask(|ledger| ledger.digested(&[], Some(due))).await;
        }
        answer
    }

    /// How many of these findings fit into one message, and that message.
    fn first_of(&self, waiting: &[Vec<Waiting>], is_daily: bool) -> (usize, Report) {
        let mut number = waiting.len().min(IN_ONE);
        loop {
            let some: Vec<Waiting> = waiting.iter().take(number).flatten().cloned().collect();
            let digest = Some(Waiting::digest(&some, is_daily));
            let nothing = Report::skipped(&self.baseline, ReportOutcome::Compliant, None);
            let report = Report { scheduled: true, digest, ..nothing };
            let fitting = self.notifier.fitting(&report);
            if number == 1 || fitting >= number {
                return (number, report);
            }
            // They may be others, because a digest has an order of its own.
            number = fitting.max(1);
        }
    }
}
