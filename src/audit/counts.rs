use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::evaluate::Code;
use crate::finding::{CoverageTotals, Finding, Outcome, Report, ReportOutcome};

/// What an invocation did, in numbers. The function makes metrics of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events, by the outcome of their reports.
    pub events: BTreeMap<ReportOutcome, u64>,
    /// Events that have to be audited again. They are none of the above.
    pub failed: u64,
    /// Findings that were published.
    pub findings: BTreeMap<Code, u64>,
    /// Reverts that were due and were tried, published or not.
    pub reverts: BTreeMap<Outcome, u64>,
    /// Rules that were removed from groups. Some of these reverts failed: a piece is missing.
    pub revoked: u64,
    /// Reverts of a rule that something opens again and again.
    pub repeated: u64,
    /// Invocations in which what is remembered could not be used.
    pub ledger_failures: u64,
    /// Sweeps that audited every one of their places and reported.
    pub sweeps: u64,
    /// From a change until what it opened was closed, one for each rule.
    pub to_revert: Vec<TimeDelta>,
    /// From a change until what is wrong with it was published, one for each event.
    pub to_publication: Vec<TimeDelta>,
    /// What the sweep of an organisation covered, when it ended.
    pub run: Option<RunCounts>,
}

/// What the sweep of an organisation covered, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunCounts {
    /// The places, by what became of them.
    pub totals: CoverageTotals,
    /// How long ago the place was audited that has waited longest.
    pub oldest: TimeDelta,
}

impl Counts {
    /// Counts what was done about rules, as soon as it is done: publishing it may still fail.
    pub(super) fn acted<'f>(&mut self, findings: impl IntoIterator<Item = &'f Finding>) {
        for finding in findings {
            let outcome = finding.outcome();
            if outcome.is_revert() {
                *self.reverts.entry(outcome).or_default() += 1;
            }
            if finding.is_closed_by_revert() {
                self.revoked += 1;
                self.to_revert.extend(since_change(finding, finding.time));
            }
        }
    }

    /// Counts what was published at that time.
    pub(super) fn published(&mut self, report: &Report, time: DateTime<Utc>) {
        for finding in &report.findings {
            *self.findings.entry(finding.code).or_default() += 1;
            let is_repeated = finding.life.is_some_and(|life| life.is_war());
            self.repeated += u64::from(is_repeated && finding.outcome().is_revert());
        }
        // One event is behind all of them.
        let since = report.findings.iter().find_map(|finding| since_change(finding, time));
        self.to_publication.extend(since);
    }

    /// Counts an event, by the outcome of its report, where there is one.
    pub(super) fn audited(&mut self, outcome: Option<ReportOutcome>) {
        match outcome {
            Some(outcome) => *self.events.entry(outcome).or_default() += 1,
            None => self.failed += 1,
        }
    }
}

/// How long ago the change behind a finding was at that time. AWS's clocks differ from ours, so a
/// change may seem to be later; that counts as no time.
fn since_change(finding: &Finding, then: DateTime<Utc>) -> Option<TimeDelta> {
    let change = finding.change.as_ref()?.time?;
    Some((then - change).max(TimeDelta::zero()))
}
