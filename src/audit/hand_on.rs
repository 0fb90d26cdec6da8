//! What is left to another invocation: rules to close, and groups to look at.

use serde_json::Value;

use super::auditor::Auditor;
use super::counts::Counts;
use super::depth::{Following, is_too_deep};
use super::error::AuditError;
use super::ports::{InvokeError, Invoker, Notifier};
use crate::ec2::SecurityGroups;
use crate::event::{Close, Job, RuleToClose};
use crate::finding::{Action, Finding, Matter, NotHandedOn, Reason, Report, Tally, ToClose};
use crate::text::causes;

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
    /// Hands on what is to be closed, before it is closed.
    ///
    /// A change that tells what it opened is audited again when its invocation fails or dies: EC2
    /// then has nothing to revoke, and that is published, with the undo. A sweep, or a change that
    /// is not understood, finds nothing any more once the rule is gone, and nobody would hear of it.
    /// So these only find, and another invocation gets what is to be closed in its payload.
    ///
    /// What cannot be handed on for good, or not any more, is in the report that is returned.
    ///
    /// # Errors
    ///
    /// When Lambda did not take it for now, or when it did not take it and a second try gets
    /// further because rules were closed. Nothing was published then, so that a second try does not
    /// publish it again.
    pub(super) async fn closing(
        &self,
        next: &Following<'_>,
        found: Report,
        to_close: Vec<ToClose>,
        rest: Option<Job>,
        counts: &mut Counts,
    ) -> Result<Report, AuditError> {
        let rules = to_close.iter().map(|one| one.rule.clone()).collect();
        let mut to_close = to_close.into_iter();
        let (mut tally, mut refused) = (Tally::default(), None);
        let close = Job::Close(Close { rules, occasion: next.occasion.clone() });
        for (payload, count) in close.to_payloads(next.record, next.depth) {
            let of_payload = to_close.by_ref().take(count);
            match self.hand_on(next, &close, &payload).await {
                Ok(()) => tally.handed_on += of_payload.count(),
                Err(why) => {
                    tally.findings.extend(of_payload.map(|one| left_open(one.finding, &why)));
                    refused = Some(why);
                }
            }
        }
        if let Some(job) = &rest {
            for (payload, _) in job.to_payloads(next.record, next.depth) {
                if let Err(why) = self.hand_on(next, job, &payload).await {
                    tally.findings.extend(self.not_seen(next, &payload, &why));
                    refused = Some(why);
                }
            }
        }
        if let Some(NotHandedOnBecause::Refused(error)) = refused
            && (error.is_transient || found.findings.iter().any(Finding::is_closed_by_revert))
        {
            counts.acted(&found.findings);
            return Err(error.into());
        }
        if tally.findings.is_empty() && tally.handed_on == 0 {
            return Ok(found);
        }
        let left = Report::new(&self.baseline, tally);
        Ok(Report::merged(&self.baseline, vec![found, left]))
    }

    /// What is left to look at, unless too many invocations came before. Then that is in the report.
    pub(super) fn unless_too_deep(
        &self,
        next: &Following<'_>,
        rest: Option<Job>,
        report: &mut Report,
    ) -> Option<Job> {
        let rest = rest?;
        if !is_too_deep(&rest, next.depth) {
            return Some(rest);
        }
        let payloads = rest.to_payloads(next.record, next.depth).into_iter();
        let why = NotHandedOnBecause::TooDeep(next.depth);
        let findings =
            payloads.flat_map(|(payload, _)| self.not_seen(next, &payload, &why)).collect();
        // The report is partial already, because there is a rest.
        let left = Tally { findings, ..Tally::default() };
        let left = Report::new(&self.baseline, left);
        *report = Report::merged(&self.baseline, vec![report.clone(), left]);
        None
    }

    /// Hands on what is left to look at, after what was found was published: an invocation that
    /// fails to publish is tried again, and would hand on the same rest each time. What cannot be
    /// handed on is published too, since nobody else could tell.
    ///
    /// # Errors
    ///
    /// When Lambda did not take it for now. What was found is then found and published again, with
    /// the same ids: nothing else gets to the rest before the next sweep does.
    pub(super) async fn looking(
        &self,
        next: &Following<'_>,
        rest: &Job,
        counts: &mut Counts,
    ) -> Result<(), AuditError> {
        let mut refused: Option<InvokeError> = None;
        let mut unseen = Tally { partial: true, ..Tally::default() };
        for (payload, _) in rest.to_payloads(next.record, next.depth) {
            if refused.is_none() {
                refused = self.invoker.invoke(&payload).await.err();
            }
            if let Some(error) = &refused {
                let why = NotHandedOnBecause::Refused(error.clone());
                unseen.findings.extend(self.not_seen(next, &payload, &why));
            }
        }
        let Some(error) = refused else { return Ok(()) };
        if !unseen.findings.is_empty() {
            let mut report = Report::new(&self.baseline, unseen);
            self.budget_mail(&mut report, (next.clock)()).await;
            self.publish(&report).await?;
            counts.published(&report, (next.clock)());
        }
        if error.is_transient { Err(error.into()) } else { Ok(()) }
    }

    async fn hand_on(
        &self,
        next: &Following<'_>,
        job: &Job,
        payload: &Value,
    ) -> Result<(), NotHandedOnBecause> {
        if is_too_deep(job, next.depth) {
            return Err(NotHandedOnBecause::TooDeep(next.depth));
        }
        self.invoker.invoke(payload).await.map_err(NotHandedOnBecause::Refused)
    }

    /// What a payload asks for, as findings that it was not audited.
    fn not_seen(
        &self,
        next: &Following<'_>,
        payload: &Value,
        why: &NotHandedOnBecause,
    ) -> Vec<Finding> {
        let because = |rules: &[RuleToClose]| Reason::NotHandedOn {
            why: why.told(),
            rules: rules.iter().map(|one| one.rule.clone()).collect(),
        };
        self.unseen(next.record, payload, &because, (next.clock)())
    }
}

/// Why something was not handed on.
enum NotHandedOnBecause {
    Refused(InvokeError),
    /// So many invocations came before.
    TooDeep(u32),
}

impl NotHandedOnBecause {
    /// The same as a finding tells it.
    fn told(&self) -> NotHandedOn {
        match self {
            Self::Refused(error) if error.is_transient => NotHandedOn::ForNow(causes(error)),
            Self::Refused(error) => NotHandedOn::Refused(causes(error)),
            Self::TooDeep(depth) => NotHandedOn::TooManyInvocations(*depth),
        }
    }
}

/// The finding about a rule that could not be handed on to be closed.
fn left_open(mut finding: Finding, why: &NotHandedOnBecause) -> Finding {
    if let Matter::Rule(found) = &mut finding.matter {
        found.action = Action::Later(Some(why.told()));
    }
    finding
}
