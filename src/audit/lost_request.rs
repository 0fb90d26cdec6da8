//! A change that does not tell its groups: all groups in scope of its place are audited.

use chrono::{DateTime, Utc};

use super::auditor::{Audited, Auditor};
use super::lookups::Lookups;
use super::ports::{Clock, Invoker, Notifier};
use super::recalled::name_of_record;
use super::subject::Trigger;
use super::sweep::{Sweeper, Swept};
use crate::ec2::{Scope, SecurityGroups};
use crate::event::{FoundBy, Job, Lost, Note, Record, Resume};
use crate::finding::{Planner, Reason};

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
    /// Audits every group in scope of the place of a change that does not tell its groups. What is
    /// done about what is found is that of a change.
    pub(super) async fn lost(
        &self,
        record: &Record,
        lost: &Lost,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Audited {
        tracing::warn!(reason = lost.reason, "all groups of the place are audited");
        let place = self.place(record);
        let origin = self.origin(&place, record);
        let lookups = Lookups::new(self.ec2);
        let note = Note::Lost(lost.reason.clone());
        let context = self.context(&lookups, clock, deadline);
        let name = name_of_record(record, clock());
        let candidates = self.candidates(place.account.as_ref());
        let reverts = candidates.iter().any(|it| it.remediation.reverts());
        let memory = self.memory.as_ref().filter(|_| reverts);
        let sweeper = Sweeper {
            change: Some((record, &note)),
            reach: &|place| self.out_of_reach(place),
            memory: memory.map(|memory| (memory, Planner::Change, name.as_str())),
            ..Sweeper::new(context, Trigger::WholeGroup(FoundBy::Lost))
        };
        let Swept { mut tally, recalled, rest, failed } =
            sweeper.places(std::slice::from_ref(&place), &lost.resume).await;
        if failed.is_some() {
            // Everything is found again when it is tried again, and what is to be closed does not
            // wait for that.
            tally.findings.clear();
        } else if lost.is_of_tags
            && lost.resume == Resume::default()
            && self.candidates(place.account.as_ref()).iter().any(|it| it.scope != Scope::All)
        {
            // Groups that left the scope are not among those that were audited.
            let reason = Reason::NotUnderstood(lost.reason.clone());
            tally.findings.push(origin.unaudited(None, reason, clock()));
        }
        tally.partial |= rest.is_some() || failed.is_some();
        let rest = rest.map(|resume| Lost { resume, ..lost.clone() });
        Audited { recalled, rest: rest.map(Job::Lost), failed, ..self.found(tally) }
    }
}
