//! The question of a CloudFormation hook: a group or a rule that is about to be made is judged by its
//! properties.
//!
//! Nothing is read from EC2 but a prefix list, and that only if it decides. There is always an answer,
//! because without one CloudFormation does what the hook's failure mode says.

use std::collections::BTreeSet;

use super::auditor::Auditor;
use super::check::GroupCheck;
use super::counts::Counts;
use super::lookups::Lookups;
use super::ports::{Clock, Invoker, Notifier};
use crate::baseline::Lists;
use crate::declared::{DeclaredGroup, DeclaredRule, resource};
use crate::ec2::{ListId, ListNames, Place, SecurityGroups, cause};
use crate::evaluate::Judge;
use crate::event::{HookRequest, HookTask, Record, Wanted};
use crate::finding::{
    Finding, HookAnswer, HookVerdict, NotJudged, Outcome, Report, ReportOutcome, Skipped, Tally,
};
use crate::settings::HookMode;
use crate::text::causes;

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
    /// Answers a hook. What it refuses is published, if the hook stops what it refuses.
    pub(super) async fn hook(
        &self,
        record: &Record,
        request: &HookRequest,
        clock: Clock<'_>,
        counts: &mut Counts,
    ) -> Report {
        let ignored = |why| Report::skipped(&self.baseline, ReportOutcome::Ignored, Some(why));
        let judged = match &request.task {
            Ok(HookTask::Make(wanted)) => self.wanted(record, wanted, clock).await,
            Ok(HookTask::Delete) => Ok(None),
            Err(fault) => Err(NotJudged::NotUnderstood(cause(fault.clone()))),
        };
        let (mut report, verdict, held) = match judged {
            Ok(Some((tally, held))) => {
                let report = match tally.groups {
                    0 => Report::skipped(&self.baseline, ReportOutcome::OutOfScope, None),
                    _ => Report::new(&self.name_of(&tally), tally),
                };
                let verdict = match report.outcome {
                    ReportOutcome::Noncompliant => HookVerdict::Refused,
                    _ => HookVerdict::Passed,
                };
                (report, verdict, held)
            }
            Ok(None) => (ignored(Skipped::Deletion), HookVerdict::Passed, Vec::new()),
            Err(why) => {
                let (NotJudged::NotUnderstood(cause) | NotJudged::ListNotRead(cause)) = &why;
                tracing::warn!(
                    reason = causes(cause),
                    "a hook asked for something that cannot be judged"
                );
                let report = ignored(Skipped::NotJudged(why.clone()));
                (report, HookVerdict::NotJudged(why), Vec::new())
            }
        };
        if matches!(verdict, HookVerdict::Refused) && self.hook_mode == HookMode::Fail {
            report.findings.iter_mut().for_each(|finding| finding.prevent(record));
            self.budget_mail(&mut report, clock()).await;
            match self.publish(&report).await {
                Ok(()) => counts.published(&report, clock()),
                // The change is refused all the same, and whoever wants it is told why.
                Err(error) => {
                    tracing::error!(error = causes(&error), "a refusal was not published");
                }
            }
        }
        report.hook = Some(HookAnswer { token: request.token.clone(), verdict, held });
        report
    }

    /// What is wrong with a group or a rule that is about to be made, and the findings about what of it
    /// is held open. Nothing, if it is a rule that was there before.
    ///
    /// # Errors
    ///
    /// When it cannot be judged.
    async fn wanted(
        &self,
        record: &Record,
        wanted: &Wanted,
        clock: Clock<'_>,
    ) -> Result<Option<(Tally, Vec<Finding>)>, NotJudged> {
        let place = self.place(record);
        let now = clock();
        let read = |properties| resource(wanted.target.as_str(), &wanted.name, properties);
        let mut group = read(wanted.properties.clone())
            .map_err(|error| NotJudged::NotUnderstood(cause(error)))?;
        group.place = place.clone();
        // What cannot be read did not become a rule, so everything is new.
        if let Some(previous) = wanted.previous.clone().and_then(|it| read(it).ok()) {
            self.mark_new(&mut group, &previous);
        }
        let (lists, names) = self.lists_of(&place, &group, clock).await?;
        let mut check = GroupCheck::new(self.settings, &lists, now)
            .with_list_names(names)
            .with_units(&self.units);
        check.declared(&group, &BTreeSet::new(), false);
        let mut tally = check.into_tally();
        if tally.groups == 0 && self.is_wanted_in_scope(&group) {
            // No rule is new.
            tally.group(place, &group.group);
        }
        let is_held = |finding: &Finding| finding.outcome() == Outcome::Held;
        let (held, others) = tally.findings.into_iter().partition(is_held);
        tally.findings = others;
        Ok(Some((tally, held)))
    }

    /// Marks which rules the update adds: all of them where it brings the group into the scope.
    fn mark_new(&self, group: &mut DeclaredGroup, previous: &DeclaredGroup) {
        let same = group.group.id == previous.group.id && self.is_wanted_in_scope(previous);
        let was_there = |rule: &DeclaredRule| {
            previous.rules.iter().any(|old| {
                old.rule.is_same_as(&rule.rule) && old.location.unknown == rule.location.unknown
            })
        };
        for rule in &mut group.rules {
            rule.is_new = !(same && was_there(rule));
        }
    }

    fn is_wanted_in_scope(&self, group: &DeclaredGroup) -> bool {
        group.group.tags.is_none() || self.is_in_scope(&group.place, &group.group)
    }

    /// The prefix lists that decide about its new rules.
    async fn lists_of(
        &self,
        place: &Place,
        group: &DeclaredGroup,
        clock: Clock<'_>,
    ) -> Result<(Lists, ListNames), NotJudged> {
        let lookups = Lookups::new(self.ec2);
        let account = place.account.as_ref();
        let candidates = self.units.of_group(self.settings, place, &group.group);
        let candidates: Vec<_> = candidates.into_iter().map(|it| it.of_account(account)).collect();
        let (mut lists, mut names) = (Lists::new(), ListNames::new());
        if !self.is_wanted_in_scope(group) {
            return Ok((lists, names));
        }
        loop {
            let today = clock().date_naive();
            let mut needed = BTreeSet::new();
            for settings in &candidates {
                for DeclaredRule { rule, .. } in group.rules.iter().filter(|rule| rule.is_new) {
                    let id = Some(&group.group.id);
                    let judge = Judge::new(&settings.baseline, rule.direction(), id, &lists, today);
                    needed.extend(judge.lists_needed(rule));
                }
            }
            // Nobody can look up what is not known yet.
            needed.retain(|id| !id.is_declared());
            if needed.is_empty() {
                return Ok((lists, names));
            }
            let read = lookups.look_up(place, needed.clone(), &mut lists, || false).await;
            read.map_err(|error| NotJudged::ListNotRead(cause(error)))?;
            let named = |id: &ListId| Some((id.clone(), lookups.list_name(place, id)?));
            names.extend(needed.iter().filter_map(named));
        }
    }
}
