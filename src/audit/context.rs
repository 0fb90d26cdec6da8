use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::error::AuditError;
use super::lookups::Lookups;
use super::ports::{Clock, is_late};
use super::subject::Subject;
use super::units::{Applied, Units};
use crate::baseline::Lists;
use crate::ec2::{Direction, Group, Place, Rule, SecurityGroups};
use crate::evaluate::Judge;
use crate::evaluate::expected::lists_needed;
use crate::event::RevokedRules;
use crate::finding::Planner;
use crate::settings::Settings;

/// What every audit of a group needs, whatever triggered it.
pub(super) struct Context<'a, E> {
    pub ec2: &'a E,
    /// Prefix lists and groups that rules name.
    pub lookups: &'a Lookups<'a, E>,
    /// What to audit against and what to do. [`audit`](Self::audit) takes them as those of the
    /// account of the group.
    pub settings: &'a Settings,
    /// The units of accounts.
    pub units: &'a Units,
    /// The time.
    pub clock: Clock<'a>,
    /// When there has to be an answer.
    pub deadline: Option<DateTime<Utc>>,
    /// Whether nothing was reverted before in this invocation. Then a rule is reverted even if there is
    /// no time left.
    pub is_first: bool,
    /// What only plans to close rules that are due, if something does.
    pub plans: Option<Planner>,
}

impl<E: SecurityGroups> Context<'_, E> {
    /// What applies to a group. Where several settings may apply, the prefix lists are read that decide
    /// about its rules under each of them, as far as there is time.
    ///
    /// # Errors
    ///
    /// When EC2 did not answer for now.
    pub async fn applied(&self, subject: &Subject<'_>) -> Result<Applied<'_>, AuditError> {
        let mut lists = Lists::new();
        let candidates = self.units.may_apply(self.settings, subject);
        for settings in candidates.iter().filter(|_| candidates.len() > 1) {
            let context = Context { settings, ..*self };
            for direction in Direction::BOTH {
                let rules: Vec<_> = subject.of_direction(direction).collect();
                context.look_up_lists(subject, direction, &rules, &mut lists).await?;
            }
        }
        let today = (self.clock)().date_naive();
        Ok(Applied::among(candidates, self.settings, subject, &lists, today))
    }

    /// Whether the group is audited.
    pub fn is_in_scope(&self, place: &Place, group: &Group) -> bool {
        self.units.in_scope(self.settings, place, group)
    }

    /// Whether there is no time left for anything new.
    pub fn is_late(&self) -> bool {
        is_late(self.deadline, (self.clock)())
    }

    /// Judges the rules of a group in one direction.
    pub fn judge<'j>(
        &'j self,
        subject: &'j Subject<'_>,
        direction: Direction,
        lists: &'j Lists,
    ) -> Judge<'j> {
        let today = (self.clock)().date_naive();
        Judge::new(&self.settings.baseline, direction, Some(&subject.group.id), lists, today)
    }

    /// Adds the prefix lists that decide about these rules to `lists`, as far as there is time. What
    /// one list contains can make another one decide. Returns whether there was time for all.
    ///
    /// # Errors
    ///
    /// When EC2 did not answer for now.
    pub async fn look_up_lists(
        &self,
        subject: &Subject<'_>,
        direction: Direction,
        rules: &[&Rule],
        lists: &mut Lists,
    ) -> Result<bool, AuditError> {
        loop {
            let judge = self.judge(subject, direction, lists);
            let needed: BTreeSet<_> =
                rules.iter().flat_map(|rule| judge.lists_needed(rule)).collect();
            if needed.is_empty() {
                return Ok(true);
            }
            if !self.lookups.look_up(subject.at, needed, lists, || self.is_late()).await? {
                return Ok(false);
            }
        }
    }

    /// The prefix lists that decide what a change closed of the traffic that the site lives on, as
    /// they are now, as far as there is time to read them.
    ///
    /// # Errors
    ///
    /// When EC2 did not answer for now.
    pub async fn lists_of_expected(
        &self,
        subject: &Subject<'_>,
        settings: &Settings,
        removals: &[RevokedRules],
    ) -> Result<Lists, AuditError> {
        let needed = lists_needed(&settings.baseline, removals, subject.rules);
        let mut lists = Lists::new();
        self.lookups.look_up(subject.at, needed, &mut lists, || self.is_late()).await?;
        Ok(lists)
    }
}
