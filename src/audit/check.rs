//! Groups as they are, or as a file declares them, audited without changing anything.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::act::{compliant, left_alone, not_among, replacing, with_pieces};
use super::subject::{Candidates, Subject, Trigger, remarks};
use crate::baseline::Lists;
use crate::declared::{DeclaredGroup, DeclaredRule};
use crate::ec2::{AccountId, Direction, Group, ListId, ListNames, Place, Rule};
use crate::evaluate::expected::closed;
use crate::evaluate::{Yardstick, admits_wide_ssh};
use crate::event::{Removed, RevokedRules};
use crate::finding::{BaselineName, Finding, Origin, Report, Tally};
use crate::settings::Settings;

/// An audit of groups as they are, one after another. Nothing of a compliant group is kept.
#[derive(Debug)]
pub struct Check<'a> {
    settings: &'a Settings,
    lists: &'a Lists,
    list_names: ListNames,
    now: DateTime<Utc>,
    /// The first group's.
    place: Option<Place>,
    /// The baseline as the groups of the last account see it.
    yardstick: Option<(Option<AccountId>, Yardstick<'a>)>,
    tally: Tally,
}

impl<'a> Check<'a> {
    /// No group has been audited yet.
    pub fn new(settings: &'a Settings, lists: &'a Lists, now: DateTime<Utc>) -> Self {
        let (list_names, tally) = (ListNames::new(), Tally::default());
        Self { settings, lists, list_names, now, place: None, yardstick: None, tally }
    }

    /// The same, with names of prefix lists.
    #[must_use]
    pub fn with_list_names(self, list_names: ListNames) -> Self {
        Self { list_names, ..self }
    }

    /// Whether no group has been given yet, in scope or not.
    pub fn is_empty(&self) -> bool {
        self.place.is_none()
    }

    /// Audits a group, if it is in scope.
    pub fn group(&mut self, place: &Place, group: &Group, rules: &[Rule]) {
        self.place.get_or_insert_with(|| place.clone());
        if self.settings.scope.contains(group) {
            self.audit(place, group, rules, Candidates::standing(rules));
        }
    }

    /// Audits a group as a plan or a template declares it, if it is in scope or may be. Only rules
    /// that the change adds or changes are judged, and those whose list it changes, unless `all` are
    /// wanted.
    pub fn declared(
        &mut self,
        declared: &DeclaredGroup,
        changed_lists: &BTreeSet<ListId>,
        all: bool,
    ) {
        let DeclaredGroup { place, group, location, has_known_tags, rules, removed } = declared;
        self.place.get_or_insert_with(|| place.clone());
        if *has_known_tags && !self.settings.scope.contains(group) {
            return;
        }
        let is_changed = |rule: &&DeclaredRule| {
            let list = rule.rule.peer().list();
            all || rule.is_new || list.is_some_and(|list| changed_lists.contains(list))
        };
        let changed: Vec<&DeclaredRule> = rules.iter().filter(is_changed).collect();
        if changed.is_empty() && removed.is_empty() && !all {
            return;
        }
        let known: Vec<Rule> = rules
            .iter()
            .filter(|rule| !rule.is_wider_than_known)
            .map(|rule| rule.rule.clone())
            .collect();
        self.audit(place, group, &known, Candidates::Declared(changed));
        if removed.is_empty() {
            return;
        }
        let place = group.owned_at(place);
        let seen = self.settings.baseline.clone().of_account(place.account.as_ref());
        let removals = Direction::BOTH.map(|direction| {
            let of_direction = removed.iter().filter(|rule| rule.direction() == direction);
            let removed = Removed::Rules(of_direction.cloned().collect());
            RevokedRules { direction, removed, ids: Vec::new() }
        });
        let after: Vec<Rule> = rules.iter().map(|rule| rule.rule.clone()).collect();
        if let Some(closed) = closed(&seen, Some(&group.id), &removals, &after, self.lists) {
            let origin = Origin { place: &place, group: Some(group), record: None };
            let finding = origin.expected_closed(closed, self.now);
            let location = Some(location.clone());
            self.tally.findings.push(Finding { undo: None, location, ..finding });
        }
    }

    fn audit(&mut self, place: &Place, group: &Group, rules: &[Rule], candidates: Candidates<'_>) {
        let (settings, now) = (self.settings, self.now);
        self.tally.rules += candidates.len();
        let subject = Subject::new(place, None, (group, rules), Trigger::Check, candidates);
        self.tally.group(subject.place.clone(), group);
        let account = subject.place.account.as_ref();
        let fits = |(of, _): &mut (Option<AccountId>, _)| of.as_ref() == account;
        let (_, yardstick) = match self.yardstick.take_if(fits) {
            Some(same) => self.yardstick.insert(same),
            None => {
                let seen = settings.baseline.clone().of_account(account);
                let yardstick = Yardstick::new(Cow::Owned(seen), self.lists, now.date_naive());
                self.yardstick.insert((account.cloned(), yardstick))
            }
        };
        for direction in Direction::BOTH {
            let judge = yardstick.judge(direction, &group.id);
            let noncompliant = subject.judge(&judge, settings, now, &mut self.tally);
            if noncompliant.is_empty() {
                continue;
            }
            let (mut covered, mut added) = (compliant(&judge, rules), Vec::new());
            for (verdict, candidate) in noncompliant {
                let pieces = replacing(settings, &judge, &verdict, &covered)
                    .map(|pieces| not_among(pieces, &mut added));
                covered = with_pieces(&covered, pieces.as_deref().unwrap_or_default());
                let found = (&verdict, &candidate);
                // Nothing is ever due in a check.
                let Some(mut handled) = left_alone(settings, &subject, &judge, found, &pieces, now)
                else {
                    continue;
                };
                handled.remarks = remarks(&candidate);
                let location = candidate.location.map(Cow::into_owned);
                // What is only declared is put right in its file, not by a command.
                handled.fix = handled.fix.filter(|_| location.is_none());
                let mut finding = subject.origin().rule(&judge, verdict, handled);
                finding.name_lists(|id| self.list_names.get(id).cloned());
                self.tally.findings.push(Finding { location, ..finding });
            }
        }
    }

    /// The report on all of them.
    pub fn report(mut self) -> Report {
        let baseline = &self.settings.baseline;
        if admits_wide_ssh(baseline, self.lists, self.now.date_naive()) {
            let place = self.place.unwrap_or_default();
            let origin = Origin { place: &place, group: None, record: None };
            self.tally.findings.push(origin.wide_baseline(&baseline.name, None, self.now));
        }
        Report::new(&BaselineName::from(baseline), self.tally)
    }
}
