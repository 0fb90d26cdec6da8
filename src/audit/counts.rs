//! What an invocation did, in numbers, for whoever watches the auditor.
//!
//! The audit counts and does not know what becomes of it: the function makes metrics of them, and
//! the command line nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::finding::{Code, Finding, Outcome, Report, ReportOutcome};

/// What an invocation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events, by what the report on each says.
    pub events: BTreeMap<ReportOutcome, u64>,
    /// Events that have to be audited again. They are none of the above.
    pub failed: u64,
    /// Findings that were published.
    pub findings: BTreeMap<Code, u64>,
    /// Reverts that were due and were tried, published or not.
    pub reverts: BTreeMap<Outcome, u64>,
    /// Rules that were taken from groups. Some of these reverts are failed ones: a piece is missing.
    pub revoked: u64,
    /// Sweeps that came to their end and told of it, of what they could not look at as well.
    pub sweeps: u64,
    /// From a change until what it opened was closed, one for each rule.
    pub to_revert: Vec<TimeDelta>,
    /// From a change until what is wrong with it was published, one for each event.
    pub to_publication: Vec<TimeDelta>,
}

impl Counts {
    /// Counts what was done about rules, as soon as it is done: that it can be told is not sure.
    pub(super) fn acted(&mut self, report: &Report) {
        for finding in &report.findings {
            let outcome = finding.remediation.outcome;
            if is_revert(outcome) {
                *self.reverts.entry(outcome).or_default() += 1;
            }
            if finding.remediation.took_away() {
                self.revoked += 1;
                self.to_revert.extend(since_change(finding, finding.remediation.time));
            }
        }
    }

    /// Counts what was published at that time.
    pub(super) fn published(&mut self, report: &Report, time: DateTime<Utc>) {
        for finding in &report.findings {
            *self.findings.entry(finding.code).or_default() += 1;
        }
        // One event is behind all of them.
        let since = report.findings.iter().find_map(|finding| since_change(finding, time));
        self.to_publication.extend(since);
    }

    /// Counts an event: with what its report says, where there is one.
    pub(super) fn audited(&mut self, outcome: Option<ReportOutcome>) {
        match outcome {
            Some(outcome) => *self.events.entry(outcome).or_default() += 1,
            None => self.failed += 1,
        }
    }
}

/// Whether a revert was due and was tried.
fn is_revert(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Reverted | Outcome::Narrowed | Outcome::AlreadyGone | Outcome::Failed => true,
        Outcome::None | Outcome::Held | Outcome::Exempt => false,
    }
}

/// How long ago the change behind a finding was then. The clocks of AWS are not ours, so a change
/// may seem to be later.
fn since_change(finding: &Finding, then: DateTime<Utc>) -> Option<TimeDelta> {
    let change = finding.change.as_ref()?.time?;
    Some((then - change).max(TimeDelta::zero()))
}
