//! The check of holds: rules whose hold has ended, or does not count, are found and closed.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::auditor::{Audited, Auditor};
use super::context::Context;
use super::error::AuditError;
use super::lookups::Lookups;
use super::ports::{Clock, Notifier, Onward, is_late};
use super::subject::{Candidates, Subject, Trigger, is_about};
use crate::ec2::hold::{Claim, claim};
use crate::ec2::{GroupId, GroupKey, Place, Rule, SecurityGroups};
use crate::event::{Message, Resume, Sweep};
use crate::finding::{Finding, Reason, Tally};
use crate::text::causes;

/// The end of a hold that is not reverted is reported within this time, twice at most. The sweep
/// reports it every day.
const NEWS: TimeDelta = TimeDelta::minutes(30);

impl<E: SecurityGroups, N: Notifier, O: Onward> Auditor<'_, E, N, O> {
    /// Closes rules that were held and are not held any more, and rules that ask to be held and are
    /// not. Places and groups that there is no time for are handed on, so that each has its turn.
    ///
    /// Places that cannot be read are not reported here, every quarter of an hour: the sweep does
    /// that.
    pub(super) async fn holds(
        &self,
        holds: &Sweep,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Audited {
        let mut tally = Tally::default();
        let mut failed = None;
        let places = self.places(holds);
        let resume = &holds.resume;
        let mut done = resume.groups_done.clone();
        let mut rest = None;
        for (at, place) in places.iter().enumerate().skip(resume.places_done) {
            let answer = match self.out_of_reach(place) {
                Some(reason) => Err(reason),
                None => match self.end_holds(place, &mut done, clock, deadline, &mut tally).await {
                    Ok(is_done) => Ok(is_done),
                    Err(AuditError::Ec2(error)) if !error.is_transient() => Err(Reason::Ec2(error)),
                    Err(error) => {
                        let error = failed.get_or_insert(error);
                        tracing::warn!(
                            error = causes(error),
                            "the check of holds will be tried again"
                        );
                        Ok(true)
                    }
                },
            };
            let is_done = answer.unwrap_or_else(|reason| {
                tracing::warn!(?reason, %place, "holds of a place could not be checked");
                tally.partial = true;
                true
            });
            if is_done {
                done.clear();
            }
            if is_late(deadline, clock()) && (at + 1 < places.len() || !is_done) {
                let places_done = if is_done { at + 1 } else { at };
                let groups_done = std::mem::take(&mut done);
                rest = Some(Resume { places_done, groups_done, ..Resume::default() });
                break;
            }
        }
        tally.partial |= failed.is_some() || rest.is_some();
        if rest.is_some() {
            // If this invocation failed too, it would be tried again and hand on the same rest each
            // time. What failed is checked again in a quarter of an hour.
            failed = None;
        }
        let rest = rest.map(|resume| Message::Holds(Sweep { resume, ..holds.clone() }));
        Audited { rest, failed, ..self.found(tally) }
    }

    /// The same in one place. `done` are the groups that had their turn. Returns whether all had; a
    /// group that fails does not stop the others.
    async fn end_holds(
        &self,
        place: &Place,
        done: &mut Vec<GroupId>,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
        tally: &mut Tally,
    ) -> Result<bool, AuditError> {
        let settings = self.settings;
        let now = clock();
        let mut over: BTreeMap<GroupId, Vec<Rule>> = BTreeMap::new();
        for (group, rule) in self.ec2.held_rules(place).await? {
            let reverts = settings.remediation.reverts();
            let is_over = match claim(rule.tags(), now, now, settings.hold_max_hours) {
                Claim::Over(hold) => reverts || now - hold.until <= NEWS,
                // Changing the tags of a held rule must not keep it open.
                Claim::Refused(_) => reverts,
                Claim::Held(_) | Claim::None => false,
            };
            if is_over && !done.contains(&group) {
                over.entry(group).or_default().push(rule);
            }
        }
        let lookups = Lookups::new(self.ec2);
        let context = self.context(&lookups, clock, deadline);
        let mut failed = Ok(true);
        for (id, held) in over {
            // At least one group has its turn, so that the next invocation gets further.
            if tally.groups > 0 && is_late(deadline, clock()) {
                return failed.map(|_| false);
            }
            done.push(id.clone());
            if let Err(error) = self.end_holds_of(place, id, &held, &context, now, tally).await {
                failed = failed.and(Err(error));
            }
        }
        failed
    }

    /// The same in one group.
    async fn end_holds_of(
        &self,
        place: &Place,
        id: GroupId,
        held: &[Rule],
        context: &Context<'_, E>,
        now: DateTime<Utc>,
        tally: &mut Tally,
    ) -> Result<(), AuditError> {
        let Some(group) = self.ec2.group(place, &GroupKey::Id(id)).await? else { return Ok(()) };
        if !context.settings.scope.contains(&group) {
            return Ok(());
        }
        let rules = self.ec2.rules(place, &group).await?;
        let is_there = |held: &&Rule| rules.iter().any(|rule| rule.is_same_as(held));
        let there: Vec<Rule> = held.iter().filter(is_there).cloned().collect();
        let candidates = Candidates::State { rules: there.into(), note: None };
        let subject = Subject::new(place, None, (&group, &rules), Trigger::Holds, candidates);
        let mut ended = Tally::default();
        let ran = context.audit(&subject, &mut ended).await;
        let max_hours = context.settings.hold_max_hours;
        ended.findings.retain(|finding| is_news(finding, held.iter(), max_hours, now));
        tally.extend(ended);
        ran
    }
}

/// Whether the finding is about one of these rules whose hold ended a short time ago.
pub(super) fn is_news<'r>(
    finding: &Finding,
    mut held: impl Iterator<Item = &'r Rule>,
    max_hours: u32,
    now: DateTime<Utc>,
) -> bool {
    held.any(|rule| {
        is_about(finding, rule)
            && matches!(
                claim(rule.tags(), now, now, max_hours),
                Claim::Over(hold) if now - hold.until <= NEWS
            )
    })
}
