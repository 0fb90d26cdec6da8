use chrono::{DateTime, Utc};
use tracing::Instrument;

use super::context::Context;
use super::counts::Counts;
use super::depth::Following;
use super::error::AuditError;
use super::lookups::Lookups;
use super::ports::{Clock, Notifier, Onward};
use crate::ec2::{Ec2Error, Group, GroupKey, Place, Rule, SecurityGroups};
use crate::event::{Event, Kind, ListResume, Message, Record};
use crate::finding::{
    BaselineName, Finding, Origin, Reason, Report, ReportOutcome, Skipped, Tally, ToClose,
};
use crate::settings::Settings;

/// Audits events: what it may reach, and what it audits against.
#[derive(Debug)]
pub struct Auditor<'a, E, N, O> {
    pub(super) ec2: &'a E,
    notifier: &'a N,
    pub(super) onward: &'a O,
    pub(super) settings: &'a Settings,
    pub(super) home: &'a Place,
    members: bool,
    pub(super) baseline: BaselineName,
}

/// What came of an event. What was found is published even where something failed.
pub(super) struct Audited {
    /// What was found.
    pub report: Report,
    /// What another invocation is to close.
    pub to_close: Vec<ToClose>,
    /// What is left for other invocations.
    pub rest: Option<Message>,
    /// Why all of it has to be tried again.
    pub failed: Option<AuditError>,
}

impl From<Report> for Audited {
    fn from(report: Report) -> Self {
        Self { report, to_close: Vec::new(), rest: None, failed: None }
    }
}

impl<'a, E: SecurityGroups, N: Notifier, O: Onward> Auditor<'a, E, N, O> {
    /// `home` is where an event without account or region is taken to come from, and the only
    /// account whose groups can be reached, where it names one.
    pub fn new(
        ec2: &'a E,
        notifier: &'a N,
        onward: &'a O,
        settings: &'a Settings,
        home: &'a Place,
    ) -> Self {
        let baseline = BaselineName::from(&settings.baseline);
        Self { ec2, notifier, onward, settings, home, members: false, baseline }
    }

    /// The same, which can reach groups of other accounts or not.
    #[must_use]
    pub fn with_members(mut self, members: bool) -> Self {
        self.members = members;
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
            Kind::Message(Message::Sweep(_) | Message::Holds(_)) => &no_change,
            _ => &event.record,
        };
        let Audited { report, to_close, rest, failed } = match &event.kind {
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
            Kind::Message(Message::List(change, resume)) => {
                self.list(record, change, resume, (clock, deadline)).await?
            }
            Kind::Tags(change) | Kind::Message(Message::Tags(change)) => {
                self.tags(record, change, clock, deadline).await?
            }
            Kind::HoldTags(change) | Kind::Message(Message::HoldTags(change)) => {
                self.hold_tags(record, change, clock, deadline).await?
            }
            Kind::Lost(lost) | Kind::Message(Message::Lost(lost)) => {
                self.lost(record, lost, clock, deadline).await
            }
            Kind::Watched(change) => self.watched(record, change, clock).into(),
            Kind::Message(Message::Sweep(sweep)) => self.sweep(sweep, clock, deadline).await,
            Kind::Message(Message::Holds(holds)) => self.holds(holds, clock, deadline).await,
            Kind::Message(Message::Close(close)) => {
                self.close(record, close, clock, deadline).await?
            }
        };
        let is_done = rest.is_none() && failed.is_none() && !report.partial;
        let next = Following { record, depth: event.depth.saturating_add(1), clock };
        // Before anything is published: what is open is closed meanwhile.
        let (closing, looking) = match rest {
            Some(rest @ Message::Close(_)) => (Some(rest), None),
            rest => (None, rest),
        };
        let mut report = self.closing(&next, report, to_close, closing, counts).await?;
        let looking = self.unless_too_deep(&next, looking, &mut report);
        report.scheduled = matches!(event.kind, Kind::Message(_));
        counts.acted(&report.findings);
        self.publish(&report).await?;
        counts.published(&report, clock());
        if let Some(rest) = looking {
            self.looking(&next, &rest, counts).await?;
        }
        match &event.kind {
            Kind::Message(Message::Sweep(sweep)) if is_done && !sweep.resume.missed => {
                tracing::info!(task = "sweep", "done");
                counts.sweeps += 1;
            }
            Kind::Message(Message::Holds(_)) if is_done => tracing::info!(task = "holds", "done"),
            _ => {}
        }
        failed.map_or(Ok(report), Err)
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
        Audited { to_close, ..Report::new(&self.baseline, tally).into() }
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
        let (ec2, settings) = (self.ec2, self.settings);
        Context { ec2, lookups, settings, clock, deadline, is_first: true }
    }

    /// A group with all its rules, where it exists.
    pub(super) async fn read(
        &self,
        place: &Place,
        key: &GroupKey,
    ) -> Result<Option<(Group, Vec<Rule>)>, Ec2Error> {
        let Some(group) = self.ec2.group(place, key).await? else { return Ok(None) };
        let rules = self.ec2.rules(place, &group).await?;
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

    /// A place, with the function's own account and region where it names none.
    pub(super) fn at_home(&self, place: Place) -> Place {
        Place {
            account: place.account.or_else(|| self.home.account.clone()),
            region: place.region.or_else(|| self.home.region.clone()),
        }
    }
}
