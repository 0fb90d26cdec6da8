//! Findings put together into a report.

use super::hand_on::ToClose;
use crate::baseline::Baseline;
use crate::finding::{
    Exempted, Finding, Generator, Report, ReportBaseline, ReportOutcome, Severity, Totals,
};

/// What an audit found, before it is a report.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many groups were looked at.
    pub groups: usize,
    /// How many rules were held against the baseline.
    pub rules: usize,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What is to be closed by another invocation, as it would be told if that were never to come.
    pub to_close: Vec<ToClose>,
    /// How many rules were handed to such an invocation.
    pub handed_on: usize,
    /// What was exempt.
    pub exempt: Vec<Exempted>,
    /// How many rules are exempt, wholly or in part.
    pub exempt_rules: usize,
    /// Whether something is left to audit.
    pub partial: bool,
}

impl Tally {
    /// Puts in what was found elsewhere.
    pub fn extend(&mut self, other: Self) {
        self.groups += other.groups;
        self.rules += other.rules;
        self.findings.extend(other.findings);
        self.to_close.extend(other.to_close);
        self.handed_on += other.handed_on;
        self.exempt.extend(other.exempt);
        self.exempt_rules += other.exempt_rules;
        self.partial |= other.partial;
    }

    /// Counts a rule with what of it is exempt, if anything is.
    pub fn exempt(&mut self, parts: Vec<Exempted>) {
        self.exempt_rules += usize::from(!parts.is_empty());
        self.exempt.extend(parts);
    }
}

impl Baseline {
    /// How a report names it.
    pub fn reference(&self) -> ReportBaseline {
        ReportBaseline { name: self.name.clone(), sha256: self.sha256() }
    }
}

fn empty(baseline: &ReportBaseline, outcome: ReportOutcome, reason: Option<String>) -> Report {
    Report {
        version: 1,
        generator: Generator { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        baseline: baseline.clone(),
        outcome,
        reason,
        groups_audited: 0,
        rules_audited: 0,
        totals: Totals::default(),
        exempt: Vec::new(),
        handed_on: 0,
        partial: false,
        part: None,
        parts: None,
        findings: Vec::new(),
    }
}

/// The report on something that was not audited, for a reason.
pub fn not_audited(baseline: &ReportBaseline, outcome: ReportOutcome, reason: String) -> Report {
    empty(baseline, outcome, Some(reason))
}

/// The report on what was audited: worst first, with totals.
pub fn report(baseline: &ReportBaseline, tally: Tally) -> Report {
    let mut report = empty(baseline, ReportOutcome::Compliant, None);
    report.groups_audited = tally.groups;
    report.rules_audited = tally.rules;
    report.findings = tally.findings;
    report.exempt = tally.exempt;
    report.totals.exempt = tally.exempt_rules;
    report.handed_on = tally.handed_on;
    report.partial = tally.partial;
    settle(&mut report);
    report
}

/// Several reports as one: nothing of them is lost, and the worst outcome counts.
pub fn merged(baseline: &ReportBaseline, reports: Vec<Report>) -> Report {
    let mut reports = reports.into_iter();
    let Some(mut all) = reports.next() else {
        return empty(baseline, ReportOutcome::Ignored, None);
    };
    for report in reports {
        all.groups_audited += report.groups_audited;
        all.rules_audited += report.rules_audited;
        all.findings.extend(report.findings);
        all.exempt.extend(report.exempt);
        all.totals.exempt += report.totals.exempt;
        all.handed_on += report.handed_on;
        all.partial |= report.partial;
        all.reason = match (all.reason, report.reason) {
            (Some(a), Some(b)) => Some(format!("{a}; {b}")),
            (a, b) => a.or(b),
        };
        if weight(report.outcome) > weight(all.outcome) {
            all.outcome = report.outcome;
        }
    }
    let outcome = all.outcome;
    settle(&mut all);
    if weight(outcome) > weight(all.outcome) || all.findings.is_empty() {
        all.outcome = outcome;
    }
    all
}

/// A report with what became of the rules that were handed on: as one report would tell of it.
pub fn completed(baseline: &ReportBaseline, found: Report, closed: Vec<Report>) -> Report {
    let found = Report { handed_on: 0, ..found };
    // Their groups and their exemptions are in what was found.
    let closed = closed.into_iter().map(|mut report| {
        (report.groups_audited, report.rules_audited, report.totals.exempt) = (0, 0, 0);
        report.exempt.clear();
        report
    });
    merged(baseline, std::iter::once(found).chain(closed).collect())
}

fn weight(outcome: ReportOutcome) -> u8 {
    match outcome {
        ReportOutcome::Ignored => 0,
        ReportOutcome::OutOfScope => 1,
        ReportOutcome::Compliant => 2,
        ReportOutcome::Noncompliant => 3,
    }
}

/// Sorts the findings, counts them and draws the conclusion.
fn settle(report: &mut Report) {
    report.findings.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.code.cmp(&b.code)));
    let mut totals = Totals { exempt: report.totals.exempt, ..Totals::default() };
    for finding in &report.findings {
        *totals.by_code.entry(finding.code).or_default() += 1;
        *totals.by_severity.entry(finding.severity).or_default() += 1;
    }
    report.totals = totals;
    report.outcome = if report.handed_on > 0
        || report.findings.iter().any(|finding| finding.severity > Severity::Informational)
    {
        ReportOutcome::Noncompliant
    } else {
        ReportOutcome::Compliant
    };
}
