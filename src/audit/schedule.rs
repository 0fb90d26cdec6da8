//! What a schedule asks for: the sweep, and the end of holds.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::case::Case;
use super::deadline::is_late;
use super::group::{Closing, GroupAudit};
use super::introduced::Introduced;
use super::library::Library;
use super::ports::{Notifier, Onward, Place, SecurityGroups};
use super::summary::Tally;
use super::sweep::{Sweep, Swept, not_swept};
use super::{AuditError, Audited, Auditor, Clock, in_scope};
use crate::ec2::Rule;
use crate::ec2::hold::{Claim, claim};
use crate::event::{FoundBy, GroupKey, Schedule, Task};
use crate::finding::Finding;

/// A sweep goes on in so many more invocations and no further, which leaves some for what it found
/// to be closed. AWS stops a function that calls itself after sixteen ("Use Lambda recursive loop
/// detection" in the Lambda developer guide).
const DEEPEST: u32 = 11;

/// A finding takes some 8 KB with its message, and the function has 256 MB.
const MOST_FINDINGS: usize = 10_000;

/// The end of a hold that is not reverted is told within this time, twice at the most: the sweep
/// says it again every day.
const NEWS: TimeDelta = TimeDelta::minutes(30);

impl<E: SecurityGroups, N: Notifier, O: Onward> Auditor<'_, E, N, O> {
    /// Does what a schedule asks for.
    pub(super) async fn scheduled(
        &self,
        schedule: &Schedule,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Audited {
        match schedule.task {
            Task::Sweep => self.sweep(schedule, clock, deadline).await,
            Task::Holds => self.holds(schedule, clock, deadline).await,
        }
    }

    async fn sweep(
        &self,
        schedule: &Schedule,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Audited {
        let library = Library::new(self.ec2);
        let sweep = Sweep {
            ec2: self.ec2,
            settings: self.settings,
            remediation: self.settings.sweep_remediation,
            library: &library,
            clock,
            deadline,
            most_findings: MOST_FINDINGS,
            reach: &|place| self.out_of_reach(place),
            progress: &|_| {},
        };
        let places = self.places(schedule);
        let Swept { mut tally, rest, failed } = sweep.places(&places, &schedule.resume).await;
        let mut rest = rest.map(|resume| Schedule { resume, ..schedule.clone() });
        tally.partial |= rest.is_some() || failed.is_some();
        if let Some(Schedule { resume, .. }) = &rest
            && resume.depth > DEEPEST
        {
            let reason = format!(
                "{} invocations were not enough for all of its groups; sweep fewer accounts and \
                 regions at once, or narrow the scope",
                resume.depth
            );
            let number = resume.place_at(resume.places_done, places.len());
            let place = places.get(number).cloned().unwrap_or_default();
            tally.findings.push(not_swept(&place, &reason, clock()));
            rest = None;
        }
        let rest = rest.iter().map(Schedule::to_payload).collect();
        Audited { rest, failed, ..self.found(tally) }
    }

    /// Closes what was held open and is held no longer, and what asks to be and is not. What there
    /// is no time for is the next check's, a quarter of an hour later.
    async fn holds(
        &self,
        schedule: &Schedule,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Audited {
        let mut tally = Tally::default();
        let mut failed = None;
        let not_looked_at = |place: &Place, reason: &str, tally: &mut Tally| {
            tracing::warn!(reason, place = place.called(), "holds are not closed");
            tally.partial = true;
            tally.findings.push(not_swept(place, reason, clock()));
        };
        for (at, place) in self.places(schedule).iter().enumerate() {
            if at > 0 && is_late(deadline, clock()) {
                tally.partial = true;
                break;
            }
            if let Some(reason) = self.out_of_reach(place) {
                not_looked_at(place, &reason, &mut tally);
                continue;
            }
            match self.end_holds(place, clock, deadline, &mut tally).await {
                Ok(()) => {}
                Err(AuditError::Ec2(error)) if !error.may_pass() => {
                    not_looked_at(place, &error.to_string(), &mut tally);
                }
                Err(error) => {
                    tracing::warn!(%error, "the check of holds has to be tried again");
                    failed.get_or_insert(error);
                }
            }
        }
        tally.partial |= failed.is_some();
        Audited { failed, ..self.found(tally) }
    }

    async fn end_holds(
        &self,
        place: &Place,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
        tally: &mut Tally,
    ) -> Result<(), AuditError> {
        let settings = &self.settings_of(place);
        let now = clock();
        let mut over: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
        for (group, rule) in self.ec2.held_rules(place).await? {
            let reverts = settings.remediation.reverts();
            let is_over = match claim(&rule.tags, now, now, settings.hold_max_hours) {
                Claim::Over(hold) => reverts || now - hold.until <= NEWS,
                // Whoever changes the tags of a rule that is held must not keep it open with that.
                Claim::Refused(_) => reverts,
                Claim::Held(_) | Claim::None => false,
            };
            if is_over {
                over.entry(group).or_default().push(rule);
            }
        }
        let library = Library::new(self.ec2);
        for (id, held) in over {
            // What was found has to be handed on. The next check finds the rest.
            if tally.groups > 0 && is_late(deadline, clock()) {
                tally.partial = true;
                return Ok(());
            }
            let Some(group) = self.ec2.group(place, &GroupKey::Id(id)).await? else { continue };
            if !in_scope(&settings.scope, &group) {
                continue;
            }
            let rules = self.ec2.rules(place, &group).await?;
            let still_there = held
                .iter()
                .filter(|held| rules.iter().any(|rule| rule.content() == held.content()));
            let audit = GroupAudit {
                ec2: self.ec2,
                library: &library,
                settings,
                case: Case { place, group: Some(&group), record: None },
                group: &group,
                rules: &rules,
                introduced: still_there
                    .map(|rule| Introduced::standing(settings, rule, None, now))
                    .collect(),
                remediation: settings.remediation,
                closing: Closing::Later(FoundBy::Holds),
                cause: None,
                clock,
            };
            let mut ended = Tally::default();
            let ran = audit.run(&mut ended).await;
            ended
                .findings
                .retain(|finding| is_news(finding, held.iter(), settings.hold_max_hours, now));
            tally.extend(ended);
            ran?;
        }
        Ok(())
    }

    /// The places of a schedule, each once: its accounts in their order, each with its regions in
    /// theirs.
    fn places(&self, schedule: &Schedule) -> Vec<Place> {
        let own = |named: &[String], own: &Option<String>| {
            if named.is_empty() {
                vec![own.clone()]
            } else {
                named.iter().cloned().map(Some).collect()
            }
        };
        let regions = own(&schedule.regions, &self.home.region);
        let mut places: Vec<Place> = Vec::new();
        for place in own(&schedule.accounts, &self.home.account).into_iter().flat_map(|account| {
            let place = move |region| Place { account: account.clone(), region };
            regions.clone().into_iter().map(place)
        }) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }
}

/// Whether the end of a hold is recent.
pub(super) fn is_news<'r>(
    finding: &Finding,
    mut held: impl Iterator<Item = &'r Rule>,
    max_hours: u32,
    now: DateTime<Utc>,
) -> bool {
    held.any(|rule| {
        finding.rule.as_ref().is_some_and(|found| found.content() == rule.content())
            && matches!(
                claim(&rule.tags, now, now, max_hours),
                Claim::Over(hold) if now - hold.until <= NEWS
            )
    })
}
