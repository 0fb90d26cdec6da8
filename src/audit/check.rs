//! Groups as they are, audited without changing anything.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::act::{compliant, left_alone, not_among, replacing, with_pieces};
use super::subject::{Candidates, Subject, Trigger, remarks};
use crate::baseline::Lists;
use crate::ec2::{AccountId, Direction, Group, ListNames, Place, Rule};
use crate::evaluate::{Yardstick, admits_wide_ssh};
use crate::finding::{BaselineName, Origin, Report, Tally};
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
        let (settings, now) = (self.settings, self.now);
        if !settings.scope.contains(group) {
            return;
        }
        let candidates = Candidates::standing(rules);
        let subject = Subject::new(place, None, (group, rules), Trigger::Check, candidates);
        self.tally.group(subject.place.clone(), group);
        self.tally.rules += rules.len();
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
                let mut finding = subject.origin().rule(&judge, verdict, handled);
                finding.name_lists(|id| self.list_names.get(id).cloned());
                self.tally.findings.push(finding);
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
