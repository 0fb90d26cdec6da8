//! Makes findings of work that could not be handed on to another invocation, so that people hear of it.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::auditor::Auditor;
use super::ports::{Invoker, Notifier};
use super::sweep::{not_swept, places_left};
use crate::ec2::{GroupKey, SecurityGroups};
use crate::event::{Event, Job, Kind, Record, RuleToClose, decode};
use crate::finding::{Finding, Origin, Reason, Unaudited};

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
    /// What a payload asks for, as findings that it was not audited.
    pub(super) fn unseen(
        &self,
        record: &Record,
        payload: &Value,
        because: &dyn Fn(&[RuleToClose]) -> Reason,
        now: DateTime<Utc>,
    ) -> Vec<Finding> {
        let events = decode(payload.to_string().as_bytes()).into_iter();
        let of_event = |event: Event| match &event.kind {
            Kind::Job(job) => self.not_handed_on(record, job, because, now),
            _ => Vec::new(),
        };
        events.flat_map(of_event).collect()
    }

    fn not_handed_on(
        &self,
        record: &Record,
        job: &Job,
        because: &dyn Fn(&[RuleToClose]) -> Reason,
        now: DateTime<Utc>,
    ) -> Vec<Finding> {
        let place = &self.place(record);
        // What a schedule asked for has no change behind it.
        let record = (*record != Record::default()).then_some(record);
        let origin = Origin { place, group: None, record };
        match job {
            Job::Close(close) => {
                let of_group = |rules: &[RuleToClose]| {
                    let first = rules.first()?;
                    let place = &self.at_home(first.place.clone());
                    let key = GroupKey::Id(first.group.clone());
                    let origin = Origin { place, ..origin };
                    Some(origin.unaudited(Some(&key), because(rules), now))
                };
                close.by_group().filter_map(of_group).collect()
            }
            Job::Tags(change) => {
                let keys = change.groups.iter().cloned().map(GroupKey::Id);
                keys.map(|key| origin.unaudited(Some(&key), because(&[]), now)).collect()
            }
            Job::HoldTags(change) => {
                let what = Unaudited::RuleTags(change.rules.clone());
                vec![origin.not_audited(what, because(&[]), now)]
            }
            Job::List(change, _) => {
                let what = Unaudited::List(change.list.clone());
                vec![origin.not_audited(what, because(&[]), now)]
            }
            Job::Lost(_) => vec![origin.not_audited(Unaudited::Place, because(&[]), now)],
            Job::Sweep(sweep) | Job::Holds(sweep) => {
                let places = self.places(sweep);
                let left = places_left(&sweep.resume, &places);
                left.map(|place| not_swept(place, because(&[]), now)).collect()
            }
        }
    }
}
