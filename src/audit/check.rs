//! Groups as they are, held against the baseline without changing anything.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::case::{Case, Remedy};
use super::in_scope;
use super::noncompliant::noncompliant;
use super::ports::{Group, Place};
use super::remedy::{ONLY_REPORTED, compliant, held, on_claim, would_keep};
use super::summary::{Tally, report};
use crate::baseline::Lists;
use crate::ec2::hold::{Claim, claim};
use crate::ec2::{Direction, Rule};
use crate::evaluate::{Judge, Judgement, Yardstick, open_ssh_in_baseline};
use crate::finding::{Code, Finding, Outcome, Report};
use crate::net::Traffic;
use crate::settings::Settings;

/// An audit of groups as they are, one after another. Of a group that complies nothing is kept.
#[derive(Debug)]
pub struct Check<'a> {
    settings: &'a Settings,
    lists: &'a Lists,
    now: DateTime<Utc>,
    /// The first group's.
    place: Option<Place>,
    /// The baseline as the groups of the account see it that was met last.
    yardstick: Option<(Option<String>, Yardstick<'a>)>,
    tally: Tally,
}

impl<'a> Check<'a> {
    /// No group has been looked at.
    pub fn new(settings: &'a Settings, lists: &'a Lists, now: DateTime<Utc>) -> Self {
        Self { settings, lists, now, place: None, yardstick: None, tally: Tally::default() }
    }

    /// Whether no group has been given yet, in scope or not.
    pub fn is_empty(&self) -> bool {
        self.place.is_none()
    }

    /// Audits a group, if it is in scope.
    pub fn group(&mut self, place: &Place, group: &Group, rules: &[Rule]) {
        self.place.get_or_insert_with(|| place.clone());
        if !in_scope(&self.settings.scope, group) {
            return;
        }
        self.tally.groups += 1;
        self.tally.rules += rules.len();
        let case = Case { place, group: Some(group), record: None };
        let account = group.owner.as_deref().or(place.account.as_deref());
        let fits = |(of, _): &(Option<String>, _)| of.as_deref() == account;
        let (_, yardstick) = match self.yardstick.take().filter(fits) {
            Some(same) => self.yardstick.insert(same),
            None => {
                let seen = self.settings.baseline.clone().of_account(account);
                let today = self.now.date_naive();
                let yardstick = Yardstick::new(Cow::Owned(seen), self.lists, today);
                self.yardstick.insert((account.map(str::to_owned), yardstick))
            }
        };
        for direction in [Direction::Ingress, Direction::Egress] {
            let judge = yardstick.judge(direction, &group.id);
            let of_direction = rules.iter().filter(|rule| rule.direction == direction);
            let noncompliant =
                noncompliant(&judge, &case, of_direction, |rule| rule, &mut self.tally);
            if noncompliant.is_empty() {
                continue;
            }
            let covered = compliant(&judge, rules, direction);
            let (settings, now) = (self.settings, self.now);
            self.tally.findings.extend(
                noncompliant
                    .into_iter()
                    .map(|found| finding(settings, &case, &judge, found, &covered, now)),
            );
        }
    }

    /// The report on all of them.
    pub fn report(mut self) -> Report {
        let baseline = &self.settings.baseline;
        if open_ssh_in_baseline(baseline, self.lists, self.now.date_naive()) {
            let place = self.place.unwrap_or_default();
            let case = Case { place: &place, group: None, record: None };
            self.tally.findings.push(case.open_ssh_in_baseline(&baseline.name, self.now));
        }
        report(&baseline.reference(), self.tally)
    }
}

/// What there is to say of a rule.
fn finding(
    settings: &Settings,
    case: &Case<'_>,
    judge: &Judge<'_>,
    (code, rule, judgement): (Code, &Rule, Judgement),
    covered: &Traffic,
    now: DateTime<Utc>,
) -> Finding {
    let claim = claim(&rule.tags, now, now, settings.hold_max_hours);
    let (outcome, detail, hold) = match &claim {
        Claim::Held(hold) => {
            let detail = held(hold, settings.remediation, true);
            (Outcome::Held, detail, Some(hold.clone()))
        }
        _ => (Outcome::None, ONLY_REPORTED.to_owned(), None),
    };
    let mut remedy = Remedy {
        outcome,
        detail,
        time: now,
        undo: None,
        hold,
        kept: would_keep(settings, judge, rule, &judgement, covered).unwrap_or_default(),
        gone: false,
        connections: None,
    };
    remedy.add(on_claim(&claim).as_deref());
    case.finding(judge, code, rule, &judgement, remedy)
}
