use chrono::{DateTime, Utc};
use serde::Serialize;

use super::account::AccountAnswer;
use super::digest::DigestAnswer;
use super::discover::DiscoverAnswer;
use super::error::RunError;
use super::ports::{Archive, Directory, Regions};
use super::runner::Runner;
use super::task::Task;
use crate::audit::recalled::LedgerAccess;
use crate::audit::{Clock, Counts, Invoker, Notifier};
use crate::ec2::SecurityGroups;

/// What the state machine is answered. It is small, whatever was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RunAnswer {
    /// What is to be swept.
    Discover(DiscoverAnswer),
    /// What became of an account.
    Sweep(Box<AccountAnswer>),
    /// What was covered.
    Digest(DigestAnswer),
}

impl<E, N, O, D, A> Runner<'_, E, N, O, D, A>
where
    E: SecurityGroups + Regions,
    N: Notifier,
    O: Invoker,
    D: Directory,
    A: Archive,
{
    /// Does what is asked for, and counts it. There has to be an answer by `deadline`.
    ///
    /// # Errors
    ///
    /// Where it could not be done. Asking again does no harm.
    pub async fn run(
        &self,
        task: &Task,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
        counts: &mut Counts,
    ) -> Result<RunAnswer, RunError> {
        let memory = self.auditor.memory.as_ref();
        if let Some(memory) = memory {
            memory.begin();
        }
        let answer = match task {
            Task::Discover(asked) => self.discover(asked).await.map(RunAnswer::Discover),
            Task::Sweep(asked) => {
                let swept = self.account(asked, (clock, deadline), counts).await;
                swept.map(|answer| RunAnswer::Sweep(Box::new(answer)))
            }
            Task::Digest(asked) => self.digest(asked, clock, counts).await.map(RunAnswer::Digest),
        };
        counts.ledger_failures += memory.map_or(0, LedgerAccess::failures);
        answer
    }
}
