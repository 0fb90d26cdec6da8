//! The check of holds: rules whose hold has ended, or does not count, are found and closed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::auditor::{Audited, Auditor};
use super::context::Context;
use super::error::AuditError;
use super::lookups::Lookups;
use super::ports::{Clock, Invoker, Notifier, is_late};
use super::promised::{Promised, Recall, is_the_same};
use super::subject::{Candidate, Candidates, Subject, Trigger, is_about};
use crate::ec2::hold::Claim;
use crate::ec2::{GroupId, GroupKey, Place, Rule, SecurityGroups};
use crate::event::{Job, Resume, Sweep};
use crate::finding::{Finding, Reason, Tally};
use crate::ledger::HeldRule;
use crate::settings::Settings;
use crate::text::causes;

/// The end of a hold that is not reverted is reported within this time, twice at most. The sweep
/// reports it every day.
const NEWS: TimeDelta = TimeDelta::minutes(30);

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
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
        let mut places = self.places(holds);
        if holds.accounts.is_empty() && holds.regions.is_empty() {
            places.extend(self.held_elsewhere(&places, clock()).await);
        }
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
        let rest = rest.map(|resume| Job::Holds(Sweep { resume, ..holds.clone() }));
        Audited { rest, failed, ..self.found(tally) }
    }

    /// The other places in which holds are remembered. Which accounts an organisation has is not known
    /// here, and nobody has to name them.
    async fn held_elsewhere(&self, named: &[Place], now: DateTime<Utc>) -> Vec<Place> {
        let Some(memory) = &self.memory else { return Vec::new() };
        let held = memory.ask(|ledger| ledger.held_places(now)).await.unwrap_or_default();
        let is_other = |place: &Place| !named.contains(place) && self.out_of_reach(place).is_none();
        held.into_iter().filter(is_other).collect()
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
        let now = clock();
        let promised = match &self.memory {
            Some(memory) => memory.promised(place).await,
            None => None,
        };
        let mut ended: BTreeMap<GroupId, Vec<Rule>> = BTreeMap::new();
        let mut unseen = Vec::new();
        let tagged = self.ec2.held_rules(place).await?;
        for (group, rule) in &tagged {
            if let Some(promised) = &promised {
                unseen.extend(promised.unseen(place, group, std::slice::from_ref(rule), now));
            }
            if self.is_worth_a_look(&self.claim(promised.as_ref(), group, rule, now), now) {
                ended.entry(group.clone()).or_default().push(rule.clone());
            }
        }
        let is_listed = |held: &HeldRule| {
            tagged.iter().any(|(group, rule)| *group == held.group && is_the_same(&held.rule, rule))
        };
        // Without its tags a rule is held no longer, and may be gone.
        let untagged = promised.iter().flat_map(Promised::held);
        for (held, hold) in untagged.filter(|(held, _)| !is_listed(held)) {
            if self.settings.remediation.reverts() || now - hold.until <= NEWS {
                ended.entry(held.group.clone()).or_default().push(held.rule.clone());
            }
        }
        ended.retain(|group, _| !done.contains(group));
        if let Some(memory) = self.memory.as_ref().filter(|_| !unseen.is_empty()) {
            memory.ask(|ledger| ledger.hold(&unseen)).await;
        }
        if !ended.is_empty() {
            // The account may be one that nobody named.
            self.learn_units(place.account.as_ref()).await?;
        }
        let mut gone = Vec::new();
        let lookups = Lookups::new(self.ec2);
        let context = self.context(&lookups, clock, deadline);
        let mut failed = Ok(true);
        for (id, rules) in ended {
            // At least one group has its turn, so that the next invocation gets further.
            if tally.groups > 0 && is_late(deadline, clock()) {
                failed = failed.map(|_| false);
                break;
            }
            done.push(id.clone());
            let held = (&rules[..], promised.as_ref());
            match self.end_holds_of(place, id, held, &context, now, tally).await {
                Ok(of_group) => gone.extend(of_group),
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        if let Some(memory) = self.memory.as_ref().filter(|_| !gone.is_empty()) {
            memory.ask(|ledger| ledger.release(&gone)).await;
        }
        failed
    }

    /// What a rule asks for.
    fn claim(
        &self,
        promised: Option<&Promised>,
        group: &GroupId,
        rule: &Rule,
        now: DateTime<Utc>,
    ) -> Claim {
        recall(promised, group, rule).claim(rule, self.settings, now)
    }

    /// Whether a rule that asks for this may have to be closed or reported.
    fn is_worth_a_look(&self, claim: &Claim, now: DateTime<Utc>) -> bool {
        let reverts = self.settings.remediation.reverts();
        match claim {
            Claim::Over(hold) => reverts || now - hold.until <= NEWS,
            // Changing the tags of a held rule must not keep it open.
            Claim::Refused(_) => reverts,
            Claim::Held(_) | Claim::None => false,
        }
    }

    /// The same in one group. Returns what is remembered of rules that are gone.
    async fn end_holds_of(
        &self,
        place: &Place,
        id: GroupId,
        (held, promised): (&[Rule], Option<&Promised>),
        context: &Context<'_, E>,
        now: DateTime<Utc>,
        tally: &mut Tally,
    ) -> Result<Vec<HeldRule>, AuditError> {
        let gone = |rules: &[Rule]| {
            let gone = promised.map(|promised| promised.gone(&id, rules));
            gone.into_iter().flatten().cloned().collect()
        };
        let Some(group) = self.ec2.group(place, &GroupKey::Id(id.clone())).await? else {
            return Ok(gone(&[]));
        };
        if !context.is_in_scope(place, &group) {
            return Ok(Vec::new());
        }
        let rules = self.ec2.rules(place, &group.id).await?;
        let is_held = |rule: &&Rule| held.iter().any(|held| is_the_same(held, rule));
        let there: Vec<_> =
            rules.iter().filter(is_held).map(|rule| (rule, recall(promised, &id, rule))).collect();
        let candidates = there.iter().map(|(rule, recall)| {
            Candidate::recalled(Cow::Borrowed(*rule), recall.clone(), context.settings, now)
        });
        let candidates = Candidates::Named(candidates.collect());
        let subject = Subject::new(place, None, (&group, &rules), Trigger::Holds, candidates);
        let mut ended = Tally::default();
        let ran = context.audit(&subject, &mut ended).await;
        let news =
            |finding: &Finding| is_news(finding, there.iter().cloned(), context.settings, now);
        ended.findings.retain(news);
        tally.extend(ended);
        ran.map(|()| gone(&rules))
    }
}

/// What is remembered of the hold of a rule.
fn recall(promised: Option<&Promised>, group: &GroupId, rule: &Rule) -> Recall {
    promised.map_or(Recall::Off, |promised| promised.of(group, rule))
}

/// Whether the finding is about one of these rules whose hold ended a short time ago.
pub(super) fn is_news<'r>(
    finding: &Finding,
    mut held: impl Iterator<Item = (&'r Rule, Recall)>,
    settings: &Settings,
    now: DateTime<Utc>,
) -> bool {
    held.any(|(rule, recall)| {
        let claim = recall.claim(rule, settings, now);
        is_about(finding, rule) && matches!(claim, Claim::Over(hold) if now - hold.until <= NEWS)
    })
}
