//! Groups as they are, or as a file declares them, audited without changing anything.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::act::{compliant, left_alone, not_among, replacing, with_pieces};
use super::subject::{Candidates, Subject, Trigger, remarks};
use super::units::{Applied, NONE_KNOWN, Units, named};
use crate::baseline::Lists;
use crate::declared::{DeclaredGroup, DeclaredRule};
use crate::ec2::{AccountId, Direction, Group, ListId, ListNames, Place, Rule};
use crate::evaluate::expected::closed;
use crate::evaluate::{Yardstick, admits_wide_ssh};
use crate::event::{Removed, RevokedRules};
use crate::finding::{BaselineName, Finding, Origin, Report, Tally};
use crate::settings::Settings;

/// The account and the binding of groups that one baseline applies to.
type Seen = (Option<AccountId>, Option<String>);

/// An audit of groups as they are, one after another. Nothing of a compliant group is kept.
#[derive(Debug)]
pub struct GroupCheck<'a> {
    settings: &'a Settings,
    lists: &'a Lists,
    list_names: ListNames,
    now: DateTime<Utc>,
    /// The first group's.
    place: Option<Place>,
    units: &'a Units,
    /// The baseline as the groups of the last account and binding see it.
    yardstick: Option<(Seen, Yardstick<'a>)>,
    tally: Tally,
}

impl<'a> GroupCheck<'a> {
    /// No group has been audited yet.
    pub fn new(settings: &'a Settings, lists: &'a Lists, now: DateTime<Utc>) -> Self {
        let (list_names, tally) = (ListNames::new(), Tally::default());
        let (units, place, yardstick) = (&NONE_KNOWN, None, None);
        Self { settings, lists, list_names, now, place, units, yardstick, tally }
    }

    /// The same, with the units of accounts.
    #[must_use]
    pub fn with_units(self, units: &'a Units) -> Self {
        Self { units, ..self }
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
        if self.is_in_scope(place, group) {
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
        let DeclaredGroup { place, group, location, rules, removed } = declared;
        self.place.get_or_insert_with(|| place.clone());
        if group.tags.is_some() && !self.is_in_scope(place, group) {
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
        let applied = self.audit(place, group, &known, Candidates::Declared(changed));
        if removed.is_empty() {
            return;
        }
        let place = group.owned_at(place);
        let seen = &applied.settings.baseline;
        let removals = Direction::BOTH.map(|direction| {
            let of_direction = removed.iter().filter(|rule| rule.direction() == direction);
            let removed = Removed::Rules(of_direction.cloned().collect());
            RevokedRules { direction, removed, ids: Vec::new() }
        });
        let after: Vec<Rule> = rules.iter().map(|rule| rule.rule.clone()).collect();
        if let Some(closed) = closed(seen, Some(&group.id), &removals, &after, self.lists) {
            let origin = Origin { place: &place, group: Some(group), record: None };
            let finding = origin.expected_closed(closed, self.now);
            let location = Some(location.clone());
            let mut finding = Finding { undo: None, location, ..finding };
            finding.bind(&applied.settings.binding, &applied.undecided);
            self.tally.findings.push(finding);
        }
    }

    fn is_in_scope(&self, place: &Place, group: &Group) -> bool {
        self.units.in_scope(self.settings, place, group)
    }

    /// Audits a group, and returns what applies to it.
    fn audit(
        &mut self,
        place: &Place,
        group: &Group,
        rules: &[Rule],
        candidates: Candidates<'_>,
    ) -> Applied<'a> {
        let now = self.now;
        self.tally.rules += candidates.len();
        let subject = Subject::new(place, None, (group, rules), Trigger::Check, candidates);
        self.tally.group(subject.place.clone(), group);
        let (lists, today) = (self.lists, now.date_naive());
        let applied = self.units.applied(self.settings, &subject, lists, today);
        let (settings, undecided) = (&*applied.settings, &applied.undecided);
        self.tally.bindings.insert(settings.binding.clone());
        let account = &subject.place.account;
        let fits = |((of, by), _): &mut (Seen, _)| of == account && *by == settings.binding;
        let (_, yardstick) = match self.yardstick.take_if(fits) {
            Some(same) => self.yardstick.insert(same),
            None => {
                let baseline = Cow::Owned(settings.baseline.clone());
                let seen = (account.clone(), settings.binding.clone());
                self.yardstick.insert((seen, Yardstick::new(baseline, lists, today)))
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
                finding.bind(&settings.binding, undecided);
                self.tally.findings.push(Finding { location, ..finding });
            }
        }
        applied
    }

    /// What was found, without what is so of the baseline itself.
    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }

    /// The report on all of them.
    pub fn report(mut self) -> Report {
        let mut used = self.tally.bindings.clone();
        if used.is_empty() {
            used.insert(None);
        }
        let place = self.place.unwrap_or_default();
        let origin = Origin { place: &place, group: None, record: None };
        for binding in used {
            let by = binding.as_deref().and_then(|name| self.settings.bound_by(name));
            let baseline = by.map_or(&self.settings.baseline, |bound| &bound.settings.baseline);
            if admits_wide_ssh(baseline, self.lists, self.now.date_naive()) {
                let mut finding = origin.wide_baseline(&baseline.name, None, self.now);
                finding.bind(&binding, &[]);
                self.tally.findings.push(finding);
            }
        }
        let name = BaselineName::from(named(self.settings, &self.tally.bindings));
        Report::new(&name, self.tally)
    }
}
