//! The audit: decode → rules → evaluate → plan → act → report.
//!
//! Everything that reaches EC2 or SNS goes through two small traits, [`SecurityGroups`] and
//! [`Notifier`]; no AWS type comes in here. The order of things is the safety of it: what a change introduced is judged on
//! what the event says, acted on only as EC2 shows it now, and published whatever became of it.

mod case;
mod check;
mod group;
mod introduced;
mod ports;
mod remedy;
mod revert;
mod summary;

use chrono::{DateTime, Utc};
use thiserror::Error;
use tracing::Instrument;

pub use check::check;
pub use ports::{
    Ec2Error, Group, GroupPage, Notifier, NotifyError, Onward, OnwardError, Place, PrefixList,
    Revoked, SecurityGroups, Selection,
};
pub use summary::merged;

use crate::baseline::Lists;
use crate::evaluate::Judge;
use crate::event::{ChangeKind, Event, GroupKey, Record, SgChange, decode};
use crate::finding::{Outcome, Report, ReportBaseline, ReportOutcome};
use crate::plan::is_due;
use crate::report::sns::messages;
use crate::rule::Rule;
use crate::settings::{Scope, Settings};
use case::{Case, Remedy};
use group::GroupAudit;
use introduced::{introduced, settled_by_event};
use summary::{Tally, not_audited, report};

/// What time it is.
pub type Clock<'a> = &'a dyn Fn() -> DateTime<Utc>;

/// Why an audit has to be tried again. What is permanent is a finding and not an error.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuditError {
    /// EC2 could not be asked for now.
    #[error(transparent)]
    Ec2(#[from] Ec2Error),
    /// Nobody could be told.
    #[error(transparent)]
    Notify(#[from] NotifyError),
}

impl AuditError {
    /// A stable word for it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ec2(_) => "Ec2Unavailable",
            Self::Notify(_) => "NotPublished",
        }
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

    /// Audits everything in an invocation's payload and publishes what was found. By `deadline`
    /// there has to be an answer.
    ///
    /// # Errors
    ///
    /// The first error that may pass, after everything has had its turn: trying all of it again
    /// does no harm.
    pub async fn handle(
        &self,
        payload: &[u8],
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Result<Report, AuditError> {
        let mut reports = Vec::new();
        let mut failed = None;
        for event in decode(payload) {
            // Boxed, so that the invocation's own future stays small.
            match Box::pin(self.audit(&event, clock, deadline)).await {
                Ok(report) => reports.push(report),
                Err(error) => {
                    tracing::warn!(%error, "the event has to be audited again");
                    failed.get_or_insert(error);
                }
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(merged(&self.baseline, reports)),
        }
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
        let (record, group) = match event {
            Event::Change(change) => (Some(&change.record), change.group.as_str()),
            Event::List(change) => (Some(&change.record), change.list.as_str()),
            Event::Tags(change) => (Some(&change.record), ""),
            Event::Schedule(_) => (None, ""),
            Event::Undecodable { record, .. } => (Some(&**record), ""),
            Event::Ignored(_) => (None, ""),
        };
        let known = |text: Option<&String>| text.cloned().unwrap_or_default();
        let span = tracing::info_span!(
            "audit",
            event_id = known(record.and_then(|record| record.event_id.as_ref())),
            event_name = known(record.and_then(|record| record.event_name.as_ref())),
            group_id = group,
        );
        self.audited(event, clock).instrument(span).await
    }

    async fn audited(&self, event: &Event, clock: Clock<'_>) -> Result<Report, AuditError> {
        let report = match event {
            Event::Ignored(reason) => {
                not_audited(&self.baseline, ReportOutcome::Ignored, reason.clone())
            }
            Event::Undecodable { reason, record } => {
                let place = self.place(record);
                let case = Case { place: &place, group: None, record: Some(record) };
                self.unaudited(&case, None, reason, clock())
            }
            Event::Change(change) => self.change(change, clock).await?,
            Event::List(_) | Event::Tags(_) | Event::Schedule(_) => todo!(),
        };
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
            messages(&report).map_err(|error| NotifyError { message: error.to_string() })?;
        for message in messages {
            self.notifier.publish(&message).await?;
        }
        let reason = report.reason.as_deref().unwrap_or_default();
        tracing::info!(outcome = ?report.outcome, reason, findings = report.findings.len(), "audited");
        Ok(report)
    }

    async fn change(&self, change: &SgChange, clock: Clock<'_>) -> Result<Report, AuditError> {
        let place = self.place(&change.record);
        let case = Case { place: &place, group: None, record: Some(&change.record) };
        let mut settings = self.settings.clone();
        settings.baseline = settings.baseline.of_account(place.account.as_deref());
        let settings = &settings;
        if let Some(rules) = settled_by_event(settings, change, clock().date_naive()) {
            return Ok(report(&self.baseline, Tally { groups: 1, rules, ..Tally::default() }));
        }
        if let (Some(own), Some(other)) = (self.home.account.as_deref(), place.account.as_deref())
            && own != other
        {
            let reason = format!("it is in account {other}, and only {own} can be audited");
            return Ok(self.unaudited(&case, Some(&change.group), &reason, clock()));
        }
        let group = match self.ec2.group(&place, &change.group).await {
            Ok(Some(group)) => group,
            Ok(None) => return self.without_group(&case, change, settings, clock).await,
            Err(error) => return self.unreadable(&case, change, error, settings, clock),
        };
        if !in_scope(&self.settings.scope, &group) {
            let reason = format!("{} is out of scope", group.id);
            return Ok(not_audited(&self.baseline, ReportOutcome::OutOfScope, reason));
        }
        let case = Case { group: Some(&group), ..case };
        let rules = match self.ec2.rules(&place, &group).await {
            Ok(rules) => rules,
            Err(error) => return self.unreadable(&case, change, error, settings, clock),
        };
        self.of_group(case, change, &group, &rules, settings, clock).await
    }

    async fn of_group(
        &self,
        case: Case<'_>,
        change: &SgChange,
        group: &Group,
        rules: &[Rule],
        settings: &Settings,
        clock: Clock<'_>,
    ) -> Result<Report, AuditError> {
        let (introduced, remediation) = introduced(settings, change, rules);
        let ec2 = self.ec2;
        let audit =
            GroupAudit { ec2, settings, case, group, rules, introduced, remediation, clock };
        Ok(report(&self.baseline, audit.run().await?))
    }

    /// The group is not there. What the event says was opened is still said, and a revert still
    /// has EC2 say that there is nothing to revoke.
    async fn without_group(
        &self,
        case: &Case<'_>,
        change: &SgChange,
        settings: &Settings,
        clock: Clock<'_>,
    ) -> Result<Report, AuditError> {
        match (&change.kind, &change.group) {
            (ChangeKind::Authorized(_), GroupKey::Id(id)) => {
                let group = Group { id: id.clone(), ..Group::default() };
                let case = Case { group: Some(&group), ..case.clone() };
                let mut report = self.of_group(case, change, &group, &[], settings, clock).await?;
                // There is no group to put a rule back into.
                for finding in &mut report.findings {
                    finding.remediation.undo = None;
                }
                Ok(report)
            }
            (ChangeKind::Created, _) => {
                Ok(report(&self.baseline, Tally { groups: 1, ..Tally::default() }))
            }
            (ChangeKind::Unknown(reason), key) => {
                let reason = format!("{reason}, and the group is not there");
                Ok(self.unaudited(case, Some(key), &reason, clock()))
            }
            (_, key) => Ok(self.unaudited(case, Some(key), "the group is not there", clock())),
        }
    }

    /// The group cannot be read. What may pass is tried again; what will not is said, with what the
    /// event tells.
    fn unreadable(
        &self,
        case: &Case<'_>,
        change: &SgChange,
        error: Ec2Error,
        settings: &Settings,
        clock: Clock<'_>,
    ) -> Result<Report, AuditError> {
        if error.may_pass() {
            return Err(error.into());
        }
        let (ChangeKind::Authorized(rules), GroupKey::Id(id)) = (&change.kind, &change.group)
        else {
            let key = Some(&change.group);
            return Ok(self.unaudited(case, key, &error.to_string(), clock()));
        };
        let known = Group { id: id.clone(), ..Group::default() };
        let case = Case { group: case.group.or(Some(&known)), ..case.clone() };
        let lists = Lists::new();
        let mut tally = Tally { groups: 1, rules: rules.len(), ..Tally::default() };
        for rule in rules {
            let judge = Judge::new(
                &settings.baseline,
                rule.direction,
                Some(id),
                &lists,
                clock().date_naive(),
            );
            let judgement = judge.judge(rule);
            tally.exempt(case.exempted(&judge, rule, &judgement));
            let Some(code) = judge.code(&judgement) else { continue };
            let due = is_due(settings.remediation, rule.direction, code, &judgement);
            let remedy = Remedy {
                outcome: if due { Outcome::Failed } else { Outcome::None },
                detail: format!("Nothing was changed: the group could not be read. {error}."),
                time: clock(),
                undo: None,
                kept: Vec::new(),
                gone: false,
                connections: None,
            };
            tally.findings.push(case.finding(&judge, code, rule, &judgement, remedy));
        }
        Ok(report(&self.baseline, tally))
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

    fn place(&self, record: &Record) -> Place {
        Place {
            account: record.account.clone().or_else(|| self.home.account.clone()),
            region: record.region.clone().or_else(|| self.home.region.clone()),
        }
    }
}

/// Whether a group is audited.
pub(crate) fn in_scope(scope: &Scope, group: &Group) -> bool {
    match scope {
        Scope::All => true,
        Scope::Tag { key, value } => group.tags.get(key) == Some(value),
    }
}

#[cfg(test)]
mod tests;
