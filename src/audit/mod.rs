//! The audit: decode → rules → evaluate → plan → act → report.
//!
//! Everything that reaches EC2, SNS or Lambda goes through three small traits, [`SecurityGroups`],
//! [`Notifier`] and [`Onward`]; no AWS type comes in here. The order of things is the safety of it:
//! what a change introduced is judged on what the event says, acted on only as EC2 shows it now, and
//! published whatever became of it. One file is about one kind of event; all of them have their
//! groups audited in `group`.

mod case;
mod change;
mod check;
mod close;
mod counts;
mod deadline;
mod error;
mod group;
mod hand_on;
mod introduced;
mod invocation;
mod library;
mod list;
mod noncompliant;
mod ports;
mod remedy;
mod revert;
mod schedule;
mod summary;
mod sweep;
mod tags;
mod unread;
mod watched;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tracing::Instrument;

pub use check::Check;
pub use counts::Counts;
pub use error::AuditError;
pub use ports::{
    Ec2Error, Group, GroupPage, ListState, Notifier, NotifyError, Onward, OnwardError, Place,
    PrefixList, Revoked, SecurityGroups, Selection,
};
pub use remedy::ONLY_REPORTED;
pub use summary::{completed, merged};
pub use sweep::{Survey, survey};

use crate::ec2::Rule;
use crate::event::{Event, GroupKey, Record, Task};
use crate::finding::{Report, ReportBaseline, ReportOutcome};
use crate::report::sns::messages;
use crate::settings::{Scope, Settings};
use case::Case;
use hand_on::ToClose;
use summary::{Tally, not_audited, report};

/// What time it is.
pub type Clock<'a> = &'a dyn Fn() -> DateTime<Utc>;

/// What came of an event: what was found is published even where something failed.
struct Audited {
    report: Report,
    /// What another invocation is to close.
    to_close: Vec<ToClose>,
    /// What is left for other invocations, as their payloads.
    rest: Vec<Value>,
    /// Why all of it has to be tried again.
    failed: Option<AuditError>,
}

impl From<Report> for Audited {
    fn from(report: Report) -> Self {
        Self { report, to_close: Vec::new(), rest: Vec::new(), failed: None }
    }
}

/// The auditor: what it may reach, and what it holds things against.
#[derive(Debug)]
pub struct Auditor<'a, E, N, O> {
    ec2: &'a E,
    notifier: &'a N,
    onward: &'a O,
    settings: &'a Settings,
    home: &'a Place,
    members: bool,
    baseline: ReportBaseline,
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
        let baseline = settings.baseline.reference();
        Self { ec2, notifier, onward, settings, home, members: false, baseline }
    }

    /// The same for the groups of other accounts too, or not.
    #[must_use]
    pub fn with_members(mut self, members: bool) -> Self {
        self.members = members;
        self
    }

    /// Audits one event and publishes what was found.
    ///
    /// # Errors
    ///
    /// When EC2 or SNS did not answer for now.
    pub async fn audit(
        &self,
        event: &Event,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Result<Report, AuditError> {
        self.counted(event, clock, deadline, &mut Counts::default()).await
    }

    async fn counted(
        &self,
        event: &Event,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
        counts: &mut Counts,
    ) -> Result<Report, AuditError> {
        let record = record(event);
        let group = match event {
            Event::Change(change) => change.group.as_str(),
            Event::List(change) => change.list.as_str(),
            _ => "",
        };
        let known = |text: Option<&String>| text.cloned().unwrap_or_default();
        let span = tracing::info_span!(
            "audit",
            event_id = known(record.and_then(|record| record.event_id.as_ref())),
            event_name = known(record.and_then(|record| record.event_name.as_ref())),
            group_id = group,
        );
        self.audited(event, clock, deadline, counts).instrument(span).await
    }

    async fn audited(
        &self,
        event: &Event,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
        counts: &mut Counts,
    ) -> Result<Report, AuditError> {
        let Audited { report, to_close, rest, failed } = match event {
            Event::Ignored(reason) => {
                not_audited(&self.baseline, ReportOutcome::Ignored, reason.clone()).into()
            }
            Event::Undecodable { reason, record } => {
                let place = self.place(record);
                let case = Case { place: &place, group: None, record: Some(record) };
                self.unaudited(&case, None, reason, clock()).into()
            }
            Event::Change(change) => self.change(change, clock, counts).await?,
            Event::List(change) => self.list(change, clock).await?.into(),
            Event::Tags(change) => self.tags(change, clock, deadline).await?,
            Event::Watched(change) => self.watched(change, clock()).into(),
            Event::Schedule(schedule) => self.scheduled(schedule, clock, deadline).await,
            Event::Close(close) => self.close(close, clock, deadline).await?,
        };
        // Before anything is told: what is open is closed meanwhile.
        let (report, handed_on) = self.hand_on(report, record(event), to_close).await;
        counts.acted(&report);
        self.publish(&report).await?;
        counts.published(&report, clock());
        handed_on?;
        for rest in &rest {
            self.onward.go_on(rest).await?;
        }
        if let Event::Schedule(schedule) = event
            && rest.is_empty()
            && failed.is_none()
        {
            tracing::info!(task = schedule.task.as_str(), "done");
            counts.sweeps += u64::from(schedule.task == Task::Sweep);
        }
        failed.map_or(Ok(report), Err)
    }

    /// Tells of what was found.
    async fn publish(&self, report: &Report) -> Result<(), AuditError> {
        for finding in &report.findings {
            tracing::info!(
                id = finding.id,
                code = finding.code.as_str(),
                severity = finding.severity.as_str(),
                outcome = finding.remediation.outcome.as_str(),
                "finding"
            );
        }
        let messages =
            messages(report).map_err(|error| NotifyError { message: error.to_string() })?;
        for message in messages {
            self.notifier.publish(&message).await?;
        }
        let reason = report.reason.as_deref().unwrap_or_default();
        tracing::info!(outcome = ?report.outcome, reason, findings = report.findings.len(), "audited");
        Ok(())
    }

    /// What was found, to be told and to be closed.
    fn found(&self, mut tally: Tally) -> Audited {
        let to_close = std::mem::take(&mut tally.to_close);
        Audited { to_close, ..report(&self.baseline, tally).into() }
    }

    /// What came of an audit that EC2 broke off: all of it is found again when it is tried again,
    /// and what is to be closed does not wait for that.
    fn broken_off(&self, mut tally: Tally, error: AuditError) -> Audited {
        tally.findings.clear();
        tally.partial = true;
        Audited { failed: Some(error), ..self.found(tally) }
    }

    fn unaudited(
        &self,
        case: &Case<'_>,
        key: Option<&GroupKey>,
        reason: &str,
        time: DateTime<Utc>,
    ) -> Report {
        let findings = vec![case.unaudited(key, reason, time)];
        report(&self.baseline, Tally { findings, ..Tally::default() })
    }

    /// A group with all its rules, where it is there.
    async fn read(
        &self,
        place: &Place,
        key: &GroupKey,
    ) -> Result<Option<(Group, Vec<Rule>)>, Ec2Error> {
        let Some(group) = self.ec2.group(place, key).await? else { return Ok(None) };
        let rules = self.ec2.rules(place, &group).await?;
        Ok(Some((group, rules)))
    }

    /// The settings as the groups of a place see them.
    fn settings_of(&self, place: &Place) -> Settings {
        self.settings.of_account(place.account.as_deref())
    }

    /// Why the groups of a place cannot be reached, where that is so.
    fn out_of_reach(&self, place: &Place) -> Option<String> {
        match (self.home.account.as_deref(), place.account.as_deref()) {
            (Some(own), Some(other)) if own != other && !self.members => Some(format!(
                "it is in account {other}, and only {own} can be audited: set MEMBER_ROLE_NAME, \
                 and deploy member-template.yaml there"
            )),
            _ => None,
        }
    }

    fn place(&self, record: &Record) -> Place {
        Place {
            account: record.account.clone().or_else(|| self.home.account.clone()),
            region: record.region.clone().or_else(|| self.home.region.clone()),
        }
    }
}

/// The change behind an event.
fn record(event: &Event) -> Option<&Record> {
    match event {
        Event::Change(change) => Some(&change.record),
        Event::List(change) => Some(&change.record),
        Event::Tags(change) => Some(&change.record),
        Event::Watched(change) => Some(&change.record),
        Event::Undecodable { record, .. } => Some(record),
        Event::Close(close) => close.record.as_ref(),
        Event::Schedule(_) | Event::Ignored(_) => None,
    }
}

/// Whether a group is audited.
pub(crate) fn in_scope(scope: &Scope, group: &Group) -> bool {
    lacking(scope, group).is_none()
}

/// The key of the tag that a group would have to have to be audited, where it does not.
fn lacking<'a>(scope: &'a Scope, group: &Group) -> Option<&'a str> {
    match scope {
        Scope::All => None,
        Scope::Tag { key, value } => (group.tags.get(key) != Some(value)).then_some(key),
    }
}

#[cfg(test)]
mod tests;
