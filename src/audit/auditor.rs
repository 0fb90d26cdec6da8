//! The [`Auditor`]: what an audit depends on, and which file handles which event.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use futures_util::future::join;
use tracing::Instrument;

use super::context::Context;
use super::counts::Counts;
use super::depth::Following;
use super::error::AuditError;
use super::lookups::Lookups;
use super::ports::{Clock, Invoker, Ledger, Notifier, Parents, Trails};
use super::recalled::{LedgerAccess, Recalled, name_of, occasion};
use super::units::{Units, named};
use crate::ec2::{AccountId, Ec2Error, Group, GroupKey, Place, Rule, SecurityGroups};
use crate::evaluate::Severity;
use crate::event::{Event, GroupChange, Job, Kind, ListResume, Record};
use crate::finding::{
    BaselineName, Finding, Mail, Origin, Reason, Report, ReportOutcome, Skipped, Tally, ToClose,
    doctor_line, sweep_line,
};
use crate::settings::{HookMode, Settings};
use crate::text::causes;

/// Audits events: what it may reach, and what it audits against.
#[derive(Debug)]
pub struct Auditor<'a, E, N, O> {
    pub(super) ec2: &'a E,
    pub(super) notifier: &'a N,
    pub(super) invoker: &'a O,
    pub(super) settings: &'a Settings,
    pub(super) home: &'a Place,
    members: bool,
    pub(super) memory: Option<LedgerAccess<'a>>,
    stack: Option<&'a str>,
    pub(super) trails: Option<&'a dyn Trails>,
    pub(super) hook_mode: HookMode,
    pub(super) baseline: BaselineName,
    pub(super) units: Units,
    parents: Option<&'a dyn Parents>,
}

/// What came of an event. What was found is published even where something failed.
pub(super) struct Audited {
    /// What was found.
    pub report: Report,
    /// What was remembered of the places of a sweep.
    pub recalled: Recalled,
    /// What another invocation is to close.
    pub to_close: Vec<ToClose>,
    /// What is left for other invocations.
    pub rest: Option<Job>,
    /// Why all of it has to be tried again.
    pub failed: Option<AuditError>,
}

impl From<Report> for Audited {
    fn from(report: Report) -> Self {
        let recalled = Recalled::default();
        Self { report, recalled, to_close: Vec::new(), rest: None, failed: None }
    }
}

impl<'a, E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'a, E, N, O> {
    /// `home` is where an event without account or region is taken to come from, and the only
    /// account whose groups can be reached, where it names one.
    pub fn new(
        ec2: &'a E,
        notifier: &'a N,
        invoker: &'a O,
        settings: &'a Settings,
        home: &'a Place,
    ) -> Self {
        let baseline = BaselineName::from(&settings.baseline);
        let (members, memory, stack, trails) = (false, None, None, None);
        let (hook_mode, units) = (HookMode::Fail, Units::default());
        Self {
            ec2,
            notifier,
            invoker,
            settings,
            home,
            members,
            memory,
            stack,
            trails,
            hook_mode,
            baseline,
            units,
            parents: None,
        }
    }

    /// The same, which can reach groups of other accounts or not.
    #[must_use]
    pub fn with_members(mut self, members: bool) -> Self {
        self.members = members;
        self
    }

    /// The same, which remembers what it found. Findings below the severity `least` are mailed with a
    /// digest.
    #[must_use]
    pub fn with_ledger(mut self, ledger: &'a dyn Ledger, least: Severity) -> Self {
        self.memory = Some(LedgerAccess::new(ledger, least));
        self
    }

    /// The same, deployed by the stack of this name.
    #[must_use]
    pub fn with_stack(mut self, stack: Option<&'a str>) -> Self {
        self.stack = stack;
        self
    }

    /// The same, whose sweep looks whether a trail feeds it.
    #[must_use]
    pub fn with_trails(mut self, trails: &'a dyn Trails) -> Self {
        self.trails = Some(trails);
        self
    }

    /// The same, which can ask for the units of accounts.
    #[must_use]
    pub fn with_parents(mut self, parents: &'a dyn Parents) -> Self {
        self.parents = Some(parents);
        self
    }

    /// Asks for the units of an account, if they decide what applies in it and are not known. Where they
    /// cannot be had, nothing that depends on them is done.
    ///
    /// # Errors
    ///
    /// When there is no answer for now.
    pub(super) async fn learn_units(&self, account: Option<&AccountId>) -> Result<(), AuditError> {
        let (Some(parents), Some(account)) = (self.parents, account) else { return Ok(()) };
        if !self.units.are_missing(self.settings, account) {
            return Ok(());
        }
        match parents.units(account).await {
            Ok(units) => self.units.learn(account, &units),
            Err(error) if error.is_transient() => return Err(error.into()),
            Err(error) => {
                let error = causes(&error);
                tracing::warn!(error, %account, "the organisational units of the account are not known");
            }
        }
        Ok(())
    }

    /// The same for the accounts of an event, which is tried again where there is no answer for now.
    /// Only a sweep, which comes again, and a hook, which waits for its answer, go on without.
    async fn learn_units_of(&self, kind: &Kind, record: &Record) -> Result<(), AuditError> {
        let places = match kind {
            Kind::Ignored(_)
            | Kind::NotAudited { .. }
            | Kind::Undecodable { .. }
            | Kind::Watched(_)
            // Only if the event alone does not settle it, and where holds ended.
            | Kind::Change(_)
            | Kind::Job(Job::Holds(_)) => return Ok(()),
            Kind::Job(Job::Sweep(sweep)) => self.places(sweep),
            Kind::Job(Job::Close(close)) => {
                let places = close.rules.iter().map(|rule| self.at_home(rule.place.clone()));
                places.collect()
            }
            _ => vec![self.place(record)],
        };
        // The regions of an account are in the same units.
        let accounts: BTreeSet<_> = places.into_iter().map(|place| place.account).collect();
        for account in accounts {
            let learned = self.learn_units(account.as_ref()).await;
            match (learned, kind) {
                (Err(error), Kind::Job(Job::Sweep(_)) | Kind::Hook(_)) => {
                    let error = causes(&error);
                    tracing::warn!(
                        error,
                        ?account,
                        "the units of an account are not known for now"
                    );
                }
                (learned, _) => learned?,
            }
        }
        Ok(())
    }

    /// The shell line that looks at the deployed auditor, where its stack is known.
    pub(super) fn doctor_line(&self) -> Option<String> {
        Some(doctor_line(self.stack?, self.home.region.as_ref()?))
    }

    /// The shell line that has the deployed auditor sweep, where its stack is known.
    pub(super) fn sweep_by_hand(&self) -> Option<String> {
        Some(sweep_line(self.stack?, self.home.region.as_ref()?))
    }

    /// The same, for a hook that stops what it refuses or does not.
    #[must_use]
    pub fn with_hook(mut self, hook_mode: HookMode) -> Self {
        self.hook_mode = hook_mode;
        self
    }

    /// Audits one event and publishes what was found.
    ///
    /// # Errors
    ///
    /// When EC2, SNS or Lambda did not answer for now.
    pub async fn audit(
        &self,
        event: &Event,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Result<Report, AuditError> {
        self.audit_and_count(event, clock, deadline, &mut Counts::default()).await
    }

    /// The same, and counts what it does.
    pub(super) async fn audit_and_count(
        &self,
        event: &Event,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
        counts: &mut Counts,
    ) -> Result<Report, AuditError> {
        let subject = match &event.kind {
            Kind::Change(change) => change.group.as_str(),
            Kind::List(change) => change.list.as_str(),
            _ => "",
        };
        let span = tracing::info_span!(
            "audit",
            event_id = event.record.event_id.as_deref().unwrap_or_default(),
            event_name = event.record.event_name.as_deref().unwrap_or_default(),
            group_id = subject,
        );
        self.dispatch(event, clock, deadline, counts).instrument(span).await
    }

    async fn dispatch(
        &self,
        event: &Event,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
        counts: &mut Counts,
    ) -> Result<Report, AuditError> {
        // When a schedule asked for something is not when something changed.
        let no_change = Record::default();
        let record = match &event.kind {
            Kind::Job(Job::Sweep(_) | Job::Holds(_)) => &no_change,
            _ => &event.record,
        };
        let began = clock();
        self.learn_units_of(&event.kind, record).await?;
        let Audited { report, recalled, to_close, rest, failed } = match &event.kind {
            Kind::Ignored(reason) | Kind::NotAudited { reason, .. } => {
                let why = Skipped::Event(reason.clone());
                Report::skipped(&self.baseline, ReportOutcome::Ignored, Some(why)).into()
            }
            Kind::Undecodable { group, reason } => {
                let place = self.place(record);
                let (origin, reason) =
                    (self.origin(&place, record), Reason::NotUnderstood(reason.clone()));
                self.only(origin.unaudited(group.as_ref(), reason, clock())).into()
            }
            Kind::Change(change) => self.change(record, change, (clock, deadline), counts).await?,
            Kind::List(change) => {
                self.list(record, change, &ListResume::default(), (clock, deadline)).await?
            }
            Kind::Job(Job::List(change, resume)) => {
                self.list(record, change, resume, (clock, deadline)).await?
            }
            Kind::Tags(change) | Kind::Job(Job::Tags(change)) => {
                self.tags(record, change, clock, deadline).await?
            }
            Kind::HoldTags(change) | Kind::Job(Job::HoldTags(change)) => {
                self.hold_tags(record, change, clock, deadline).await?
            }
            Kind::Lost(lost) | Kind::Job(Job::Lost(lost)) => {
                self.lost(record, lost, clock, deadline).await
            }
            Kind::Hook(request) => return Ok(self.hook(record, request, clock, counts).await),
            Kind::Watched(change) => self.watched(record, change, clock).into(),
            Kind::Job(Job::Sweep(sweep)) => {
                self.sweep(sweep, name_of(event, began), clock, deadline).await
            }
            Kind::Job(Job::Holds(holds)) => self.holds(holds, clock, deadline).await,
            Kind::Job(Job::Close(close)) => self.close(record, close, clock, deadline).await?,
        };
        let is_last = rest.is_none() && failed.is_none();
        let is_done = is_last && !report.partial;
        let audited = Audited { report, recalled, to_close, rest, failed: None };
        let report = self.tell(event, record, audited, (began, clock), counts).await?;
        let is_sweep = matches!(event.kind, Kind::Job(Job::Sweep(_)));
        // What could not be audited keeps nobody from hearing of the rest.
        if is_last && (is_sweep || matches!(event.kind, Kind::Job(Job::Holds(_)))) {
            self.digest(is_sweep, clock).await?;
        }
        match &event.kind {
            Kind::Job(Job::Sweep(sweep)) if is_done && !sweep.resume.missed => {
                tracing::info!(task = "sweep", "done");
                counts.sweeps += 1;
            }
            Kind::Job(Job::Holds(_)) if is_done => tracing::info!(task = "holds", "done"),
            _ => {}
        }
        failed.map_or(Ok(report), Err)
    }

    /// Hands on what is left, and remembers and publishes what was found.
    ///
    /// # Errors
    ///
    /// When SNS or Lambda did not answer for now.
    pub(super) async fn tell(
        &self,
        event: &Event,
        record: &Record,
        Audited { report, recalled, to_close, rest, .. }: Audited,
        (began, clock): (DateTime<Utc>, Clock<'_>),
        counts: &mut Counts,
    ) -> Result<Report, AuditError> {
        let occasion = self.memory.as_ref().map(|_| occasion(event, began));
        let next = Following { record, depth: event.depth.saturating_add(1), occasion, clock };
        // Before anything is published: what is open is closed meanwhile.
        let of_handed_on: Vec<_> = to_close.iter().map(|one| one.finding.clone()).collect();
        let (closing, looking) = match rest {
            Some(rest @ Job::Close(_)) => (Some(rest), None),
            rest => (None, rest),
        };
        let mut report = self.closing(&next, report, to_close, closing, counts).await?;
        let looking = self.unless_too_deep(&next, looking, &mut report);
        report.scheduled = matches!(event.kind, Kind::Job(_));
        counts.acted(&report.findings);
        let remembered =
            self.remember(&mut report, event, (&recalled, &of_handed_on), (began, clock())).await;
        if report.run.is_some() {
            // People get one message about all of the run.
            report.mail = Mail::Later;
        }
        self.publish(&report).await?;
        counts.published(&report, clock());
        self.remember_published(&remembered).await;
        if let Some(mut rest) = looking {
            if let Job::Sweep(sweep) = &mut rest {
                sweep.resume.forgot |= self.forgot();
            }
            self.looking(&next, &rest, counts).await?;
        }
        Ok(report)
    }

    /// Whether something could not be remembered in this invocation.
    pub(super) fn forgot(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.failures() > 0)
    }

    pub(super) async fn publish(&self, report: &Report) -> Result<(), AuditError> {
        for finding in &report.findings {
            tracing::info!(
                id = finding.id,
                code = finding.code.as_str(),
                severity = finding.severity.as_str(),
                outcome = finding.outcome().as_str(),
                "finding"
            );
        }
        self.notifier.publish(report).await?;
        let outcome = report.outcome.as_str();
        let findings = report.findings.len();
        tracing::info!(outcome, skipped = ?report.skipped, findings, "audited");
        Ok(())
    }

    /// What was found, to be published and to be closed.
    pub(super) fn found(&self, mut tally: Tally) -> Audited {
        let to_close = std::mem::take(&mut tally.to_close);
        Audited { to_close, ..Report::new(&self.name_of(&tally), tally).into() }
    }

    /// What the report on this names as its baseline.
    pub(super) fn name_of(&self, tally: &Tally) -> BaselineName {
        match named(self.settings, &tally.bindings) {
            Settings { binding: None, .. } => self.baseline.clone(),
            bound => bound.into(),
        }
    }

    /// What applies to the groups of an account: several where their tags decide.
    pub(super) fn candidates(&self, account: Option<&AccountId>) -> Vec<&'a Settings> {
        self.units.candidates(self.settings, account, None)
    }

    /// Whether the group is audited.
    pub(super) fn is_in_scope(&self, place: &Place, group: &Group) -> bool {
        self.units.in_scope(self.settings, place, group)
    }

    /// The report on a single finding.
    pub(super) fn only(&self, finding: Finding) -> Report {
        Report::new(&self.baseline, Tally::of(finding))
    }

    /// Where findings of a place come from, before their group is known.
    pub(super) fn origin<'o>(&self, place: &'o Place, record: &'o Record) -> Origin<'o> {
        Origin { place, group: None, record: Some(record) }
    }

    /// What an audit of groups needs.
    pub(super) fn context<'c>(
        &'c self,
        lookups: &'c Lookups<'c, E>,
        clock: Clock<'c>,
        deadline: Option<DateTime<Utc>>,
    ) -> Context<'c, E> {
        let (ec2, settings, units) = (self.ec2, self.settings, &self.units);
        Context { ec2, lookups, settings, units, clock, deadline, is_first: true, plans: None }
    }

    /// A group with all its rules, where it exists.
    pub(super) async fn read(
        &self,
        place: &Place,
        key: &GroupKey,
    ) -> Result<Option<(Group, Vec<Rule>)>, Ec2Error> {
        let Some((group, rules)) = self.look(place, key).await? else { return Ok(None) };
        Ok(Some((group, rules?)))
    }

    /// The same, with an error of the rules apart. Where the group is known by its id, EC2 is asked for both
    /// at once, so that open SSH is closed one answer earlier.
    pub(super) async fn look(
        &self,
        place: &Place,
        key: &GroupKey,
    ) -> Result<Option<(Group, Result<Vec<Rule>, Ec2Error>)>, Ec2Error> {
        let group = self.ec2.group(place, key);
        let (group, rules) = match key.id() {
            Some(id) => {
                let (group, rules) = join(group, self.ec2.rules(place, id)).await;
                (group?, Some(rules))
            }
            None => (group.await?, None),
        };
        let Some(group) = group else { return Ok(None) };
        let rules = match rules {
            Some(rules) => rules,
            None => self.ec2.rules(place, &group.id).await,
        };
        Ok(Some((group, rules)))
    }

    /// Why the groups of a place cannot be reached, where that is so.
    pub(super) fn out_of_reach(&self, place: &Place) -> Option<Reason> {
        match (&self.home.account, &place.account) {
            (Some(own), Some(account)) if own != account && !self.members => {
                Some(Reason::OtherAccount { account: account.clone(), own: own.clone() })
            }
            _ => None,
        }
    }

    /// Where an event comes from.
    pub(super) fn place(&self, record: &Record) -> Place {
        self.at_home(Place { account: record.account.clone(), region: record.region.clone() })
    }

    /// Where the group of a change is for its owner, as the event tells.
    pub(super) fn place_of_change(&self, record: &Record, change: &GroupChange) -> Place {
        let at = self.place(record);
        Place { account: change.owner.clone().or(at.account), region: at.region }
    }

    /// A place, with the function's own account and region where it names none.
    pub(super) fn at_home(&self, place: Place) -> Place {
        Place {
            account: place.account.or_else(|| self.home.account.clone()),
            region: place.region.or_else(|| self.home.region.clone()),
        }
    }
}
