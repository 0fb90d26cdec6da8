use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Serialize;
use strum::{IntoEnumIterator, IntoStaticStr};

use super::{Digest, Finding, FoundGroup, Mail, Run};
use crate::baseline::Baseline;
use crate::ec2::{Cause, Group, GroupId, ListId, Place, Rule};
use crate::evaluate::{Code, Severity};
use crate::event::RuleToClose;
use crate::net::Traffic;
use crate::settings::Settings;

/// So many parts of a report are mailed where nothing is remembered. SNS ends a mail subscription
/// that gets ten messages a second.
const MAILED_PARTS: usize = 5;

/// Findings, worst first, and what they came from.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was audited against.
    pub baseline: BaselineName,
    /// The conclusion.
    pub outcome: ReportOutcome,
    /// Why there was nothing to audit, where that is so.
    pub skipped: Vec<Skipped>,
    /// How many groups were audited.
    pub groups: usize,
    /// Which these were, as far as they were shown.
    pub audited: Vec<(Place, FoundGroup)>,
    /// How many rules were judged.
    pub rules: usize,
    /// How many findings there are.
    pub totals: Totals,
    /// What was exempt.
    pub exempt: Vec<Exempted>,
    /// How many rules are not among the findings because another invocation closes and reports
    /// them.
    pub handed_on: usize,
    /// Whether something is left to audit.
    pub partial: bool,
    /// Whether a schedule, or an earlier invocation, asked for it.
    pub scheduled: bool,
    /// Whether it is mailed at once.
    pub mail: Mail,
    /// What waited to be mailed, where this report tells it.
    pub digest: Option<Digest>,
    /// The run of an organisation's sweep that it is part of.
    pub run: Option<Run>,
    /// What a hook is answered, where one asked.
    pub hook: Option<HookAnswer>,
    /// Worst first.
    pub findings: Vec<Finding>,
}

/// What a hook is answered.
#[derive(Clone, Debug)]
pub struct HookAnswer {
    /// The token of its request.
    pub token: Option<String>,
    /// Whether the change may be made.
    pub verdict: HookVerdict,
    /// Findings about rules that may be made because they are held open for a time.
    pub held: Vec<Finding>,
}

/// Whether a hook lets a change be made.
#[derive(Clone, Debug)]
pub enum HookVerdict {
    /// It may be made.
    Passed,
    /// It may not, because of the findings of the report.
    Refused,
    NotJudged(NotJudged),
}

/// Why a hook could not judge what it was asked about.
#[derive(Clone, Debug)]
pub enum NotJudged {
    /// The request, or the resource in it, is not understood.
    NotUnderstood(Cause),
    /// A prefix list that decides about it could not be read. The next try may be able to.
    ListNotRead(Cause),
}

/// The baseline that a report names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BaselineName {
    pub name: String,
    /// The hash of what `sg-audit baseline show` prints under the same settings.
    pub sha256: String,
    /// The binding that everything was audited by; `None` for none, and for several.
    pub binding: Option<String>,
}

impl BaselineName {
    /// As much of the hash as people compare.
    pub fn short_sha256(&self) -> String {
        self.sha256.chars().take(12).collect()
    }
}

impl From<&Baseline> for BaselineName {
    fn from(baseline: &Baseline) -> Self {
        Self { name: baseline.name.clone(), sha256: baseline.sha256(), binding: None }
    }
}

impl From<&Settings> for BaselineName {
    fn from(settings: &Settings) -> Self {
        Self { binding: settings.binding.clone(), ..Self::from(&settings.baseline) }
    }
}

/// The conclusion of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ReportOutcome {
    /// The event changed nothing.
    Ignored,
    /// The group is not audited.
    OutOfScope,
    /// No finding, or informational ones only.
    Compliant,
    /// At least one finding that is more than informational.
    Noncompliant,
}

impl ReportOutcome {
    /// The outcome as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Why there was nothing to audit.
#[derive(Clone, Debug)]
pub enum Skipped {
    /// The event changed nothing. Holds why.
    Event(String),
    /// A hook asked about something that is to be deleted.
    Deletion,
    /// A hook asked about something that could not be judged.
    NotJudged(NotJudged),
    /// The group is out of scope.
    OutOfScope(GroupId),
    /// Tags changed that do not decide what is audited.
    OtherTags,
    /// No rule in scope names the list that changed.
    UnusedList(ListId),
}

/// Traffic of a rule that is not in the baseline and was exempt.
#[derive(Clone, Debug)]
pub struct Exempted {
    /// Where the group is.
    pub place: Place,
    pub group: GroupId,
    pub rule: Rule,
    /// What of the rule is exempt.
    pub traffic: Traffic,
    pub reason: String,
    /// The last day on which it is, in UTC.
    pub until: NaiveDate,
}

/// How many findings there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// By code, each of them.
    pub by_code: BTreeMap<Code, usize>,
    /// By severity, each of them.
    pub by_severity: BTreeMap<Severity, usize>,
    /// How many rules are exempt, completely or in part.
    pub exempt: usize,
}

impl Default for Totals {
    fn default() -> Self {
        Self {
            by_code: Code::iter().map(|code| (code, 0)).collect(),
            by_severity: Severity::iter().map(|severity| (severity, 0)).collect(),
            exempt: 0,
        }
    }
}

/// A rule that another invocation is to close.
#[derive(Clone, Debug)]
pub struct ToClose {
    /// What that invocation is given.
    pub rule: RuleToClose,
    /// What is reported where no invocation can be asked: nothing was changed.
    pub finding: Finding,
}

/// What an audit found, before it is a report.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many groups were audited.
    pub groups: usize,
    /// Which these were, as far as they were shown.
    pub audited: Vec<(Place, FoundGroup)>,
    /// The bindings that they were audited by; `None` is no binding.
    pub bindings: BTreeSet<Option<String>>,
    /// How many rules were judged.
    pub rules: usize,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What another invocation is to close.
    pub to_close: Vec<ToClose>,
    /// How many rules were handed to another invocation.
    pub handed_on: usize,
    /// What was exempt.
    pub exempt: Vec<Exempted>,
    /// How many rules are exempt, completely or in part.
    pub exempt_rules: usize,
    /// Whether something is left to audit.
    pub partial: bool,
}

impl Tally {
    /// Counts a group.
    pub fn group(&mut self, place: Place, group: &Group) {
        self.groups += 1;
        self.audited.push((place, FoundGroup::from(group)));
    }

    /// One finding and nothing else.
    pub fn of(finding: Finding) -> Self {
        Self { findings: vec![finding], ..Self::default() }
    }

    /// Adds what was found elsewhere.
    pub fn extend(&mut self, other: Self) {
        self.groups += other.groups;
        self.audited.extend(other.audited);
        self.bindings.extend(other.bindings);
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

impl Report {
    /// The report on something that was not audited.
    pub fn skipped(baseline: &BaselineName, outcome: ReportOutcome, why: Option<Skipped>) -> Self {
        Self {
            baseline: baseline.clone(),
            outcome,
            skipped: why.into_iter().collect(),
            groups: 0,
            audited: Vec::new(),
            rules: 0,
            totals: Totals::default(),
            exempt: Vec::new(),
            handed_on: 0,
            partial: false,
            scheduled: false,
            mail: Mail::Now { parts: MAILED_PARTS },
            digest: None,
            run: None,
            hook: None,
            findings: Vec::new(),
        }
    }

    /// The report on what was audited.
    pub fn new(baseline: &BaselineName, tally: Tally) -> Self {
        let mut report = Self {
            groups: tally.groups,
            audited: tally.audited,
            rules: tally.rules,
            findings: tally.findings,
            exempt: tally.exempt,
            handed_on: tally.handed_on,
            partial: tally.partial,
            ..Self::skipped(baseline, ReportOutcome::Compliant, None)
        };
        report.totals.exempt = tally.exempt_rules;
        report.conclude();
        report
    }

    /// Several reports as one: nothing of them is lost, and the worst outcome counts.
    pub fn merged(baseline: &BaselineName, reports: Vec<Self>) -> Self {
        let first = reports.first().map(|report| &report.baseline);
        let common = first.filter(|first| reports.iter().all(|it| it.baseline == **first));
        let baseline = common.unwrap_or(baseline);
        let mut all = Self::skipped(baseline, ReportOutcome::Ignored, None);
        for report in reports {
            all.groups += report.groups;
            all.audited.extend(report.audited);
            all.rules += report.rules;
            all.findings.extend(report.findings);
            all.exempt.extend(report.exempt);
            all.totals.exempt += report.totals.exempt;
            all.handed_on += report.handed_on;
            all.partial |= report.partial;
            all.scheduled |= report.scheduled;
            all.run = all.run.or(report.run);
            all.hook = all.hook.or(report.hook);
            all.skipped.extend(report.skipped);
            all.outcome = all.outcome.max(report.outcome);
        }
        let outcome = all.outcome;
        all.conclude();
        Self { outcome, ..all }
    }

    /// A report together with what became of the rules that were handed on, as one report would
    /// tell it.
    pub fn completed(baseline: &BaselineName, found: Self, closed: Vec<Self>) -> Self {
        // Their groups and exemptions are counted in what was found.
        let closed = closed.into_iter().map(|mut report| {
            (report.groups, report.rules, report.totals.exempt) = (0, 0, 0);
            report.exempt.clear();
            report.audited.clear();
            report
        });
        let found = Self { handed_on: 0, ..found };
        Self::merged(baseline, std::iter::once(found).chain(closed).collect())
    }

    pub fn add(&mut self, findings: Vec<Finding>) {
        self.findings.extend(findings);
        self.conclude();
    }

    /// Leaves out the findings below a severity. They still count, in the totals and the outcome.
    pub fn hide_below(&mut self, least: Severity) {
        self.findings.retain(|finding| finding.severity >= least);
    }

    /// How many findings were left out.
    pub fn hidden(&self) -> usize {
        self.totals.by_severity.values().sum::<usize>().saturating_sub(self.findings.len())
    }

    /// Sorts the findings, counts them and draws the conclusion.
    fn conclude(&mut self) {
        self.findings.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.code.cmp(&b.code)));
        let mut totals = Totals { exempt: self.totals.exempt, ..Totals::default() };
        for finding in &self.findings {
            *totals.by_code.entry(finding.code).or_default() += 1;
            *totals.by_severity.entry(finding.severity).or_default() += 1;
        }
        self.totals = totals;
        let more_than_informational =
            |finding: &Finding| finding.severity > Severity::Informational;
        self.outcome = if self.handed_on > 0 || self.findings.iter().any(more_than_informational) {
            ReportOutcome::Noncompliant
        } else {
            ReportOutcome::Compliant
        };
    }
}
