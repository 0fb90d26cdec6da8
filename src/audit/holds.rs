//! The check of holds: rules whose hold has ended, or does not count, are found and closed.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::auditor::{Audited, Auditor};
use super::error::AuditError;
use super::lookups::Lookups;
use super::ports::{Clock, Notifier, Onward, is_late};
use super::subject::{Candidates, Subject, Trigger, is_about};
use super::sweep::not_swept;
use crate::ec2::hold::{Claim, claim};
use crate::ec2::{GroupId, GroupKey, Place, Rule, SecurityGroups};
use crate::event::Sweep;
use crate::finding::{Finding, Origin, Reason, Tally};
use crate::text::causes;

/// The end of a hold that is not reverted is reported within this time, twice at most. The sweep
/// reports it every day.
const NEWS: TimeDelta = TimeDelta::minutes(30);

impl<E: SecurityGroups, N: Notifier, O: Onward> Auditor<'_, E, N, O> {
    /// Closes rules that were held and are not held any more, and rules that ask to be held and are
    /// not. What there is no time for is left to the next check, a quarter of an hour later.
    pub(super) async fn holds(
        &self,
        holds: &Sweep,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Audited {
        let mut tally = Tally::default();
        let mut failed = None;
        for (at, place) in self.places(holds).iter().enumerate() {
            if at > 0 && is_late(deadline, clock()) {
                tally.partial = true;
                break;
            }
            let answer = match self.out_of_reach(place) {
                Some(reason) => Err(reason),
                None => match self.end_holds(place, clock, deadline, &mut tally).await {
                    Ok(()) => Ok(()),
                    Err(AuditError::Ec2(error)) if !error.may_pass() => Err(Reason::Ec2(error)),
                    Err(error) => {
                        let error = failed.get_or_insert(error);
                        tracing::warn!(error = causes(error), "holds have to be checked again");
                        Ok(())
                    }
                },
            };
            if let Err(reason) = answer {
                tracing::warn!(?reason, %place, "holds are not closed");
                tally.partial = true;
                tally.findings.push(not_swept(place, reason, clock()));
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
        let mut over: BTreeMap<GroupId, Vec<Rule>> = BTreeMap::new();
        for (group, rule) in self.ec2.held_rules(place).await? {
            let reverts = settings.remediation.reverts();
            let is_over = match claim(rule.tags(), now, now, settings.hold_max_hours) {
                Claim::Over(hold) => reverts || now - hold.until <= NEWS,
                // Changing the tags of a held rule must not keep it open.
                Claim::Refused(_) => reverts,
                Claim::Held(_) | Claim::None => false,
            };
            if is_over {
                over.entry(group).or_default().push(rule);
            }
        }
        let lookups = Lookups::new(self.ec2);
        let origin = Origin { place, group: None, record: None };
        for (id, held) in over {
            // What was found has to be handed on. The next check finds the rest.
            if tally.groups > 0 && is_late(deadline, clock()) {
                tally.partial = true;
                return Ok(());
            }
            let Some(group) = self.ec2.group(place, &GroupKey::Id(id)).await? else { continue };
            if !settings.scope.contains(&group) {
                continue;
            }
            let rules = self.ec2.rules(place, &group).await?;
            let is_there = |held: &&Rule| rules.iter().any(|rule| rule.is_same_as(held));
            let there: Vec<Rule> = held.iter().filter(is_there).cloned().collect();
            let candidates = Candidates::Standing { rules: there.into(), note: None };
            let subject = Subject::new(origin, (&group, &rules), Trigger::Holds, candidates);
            let mut ended = Tally::default();
            let ran = self.context(&lookups, settings, clock).audit(&subject, &mut ended).await;
            let max_hours = settings.hold_max_hours;
            ended.findings.retain(|finding| is_news(finding, held.iter(), max_hours, now));
            tally.extend(ended);
            ran?;
        }
        Ok(())
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
