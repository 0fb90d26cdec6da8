//! What is to be closed is handed on before it is closed.
//!
//! A change that says what it opened is audited again when its invocation fails or dies: then EC2
//! has nothing to revoke, and that is published, with the undo. A sweep, or a change that is not
//! understood, finds nothing any more once the rule is gone, and nobody would hear of it. So they
//! only find, and another invocation has what is to be closed in its payload.

use super::Auditor;
use super::ports::{Notifier, Onward, OnwardError, SecurityGroups};
use super::summary::{Tally, merged, report};
use crate::event::{Close, Record, RuleToClose};
use crate::finding::{Finding, Report};

/// A rule that another invocation is to close.
#[derive(Clone, Debug)]
pub struct ToClose {
    /// As that invocation is given it.
    pub rule: RuleToClose,
    /// What is told of it where no invocation can be given it: nothing was changed.
    pub finding: Finding,
}

impl<E: SecurityGroups, N: Notifier, O: Onward> Auditor<'_, E, N, O> {
    /// Hands on what is to be closed; `record` is the change behind it. What cannot be handed on is
    /// told in the report that comes back, and is why all of it has to be tried again.
    pub(super) async fn hand_on(
        &self,
        found: Report,
        record: Option<&Record>,
        to_close: Vec<ToClose>,
    ) -> (Report, Result<(), OnwardError>) {
        if to_close.is_empty() {
            return (found, Ok(()));
        }
        let rules = to_close.iter().map(|one| one.rule.clone()).collect();
        let close = Close { record: record.cloned(), rules };
        let mut to_close = to_close.into_iter();
        let (mut tally, mut answer) = (Tally::default(), Ok(()));
        for (payload, count) in close.to_payloads() {
            let of_payload = to_close.by_ref().take(count);
            match self.onward.go_on(&payload).await {
                Ok(()) => tally.handed_on += of_payload.count(),
                Err(error) => {
                    tally.findings.extend(of_payload.map(|one| left_open(one.finding, &error)));
                    answer = Err(error);
                }
            }
        }
        (merged(&self.baseline, vec![found, report(&self.baseline, tally)]), answer)
    }
}

fn left_open(mut finding: Finding, error: &OnwardError) -> Finding {
    let detail = &mut finding.remediation.detail;
    *detail = format!("{detail} It is tried again, for a day at most: {error}.");
    finding
}
