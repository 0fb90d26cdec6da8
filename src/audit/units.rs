//! Which settings apply to a group: by its account, the organisational units of that account, and its
//! tags.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;

use super::subject::Subject;
use crate::baseline::{Fit, Lists, Whose};
use crate::ec2::{AccountId, Direction, Group, Place, Scope, UnitId};
use crate::evaluate::Judge;
use crate::finding::hash;
use crate::settings::{Bound, Settings};

/// The units of accounts, as far as they are known. They are kept while the function is warm.
#[derive(Debug, Default)]
pub struct Units {
    known: Mutex<BTreeMap<AccountId, Arc<[UnitId]>>>,
    /// Those of every other account.
    others: Option<Arc<[UnitId]>>,
    /// The account of groups that do not tell theirs.
    account: Option<AccountId>,
}

/// The units of no account are known.
pub(super) static NONE_KNOWN: Units =
    Units { known: Mutex::new(BTreeMap::new()), others: None, account: None };

impl Units {
    /// Every account is in these units, where there are any, and groups that do not tell their account
    /// are in this one.
    pub fn given(units: &[UnitId], account: Option<AccountId>) -> Self {
        let others = (!units.is_empty()).then(|| units.into());
        Self { known: Mutex::default(), others, account }
    }

    /// Remembers the units that an account is in: its own, those around it, and the root.
    pub fn learn(&self, account: &AccountId, units: &[UnitId]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(account.clone(), units.into());
    }

    /// The units of an account, where they are known.
    pub fn of(&self, account: Option<&AccountId>) -> Option<Arc<[UnitId]>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        account.and_then(|account| known.get(account).cloned()).or_else(|| self.others.clone())
    }

    /// What applies to the groups of an account with these tags; several where what is known does not
    /// decide. Without tags, what may apply to any of its groups.
    pub(super) fn candidates<'s>(
        &self,
        settings: &'s Settings,
        account: Option<&AccountId>,
        tags: Option<&BTreeMap<String, String>>,
    ) -> Vec<&'s Settings> {
        if settings.bound.is_empty() {
            return vec![settings];
        }
        let account = account.or(self.account.as_ref());
        let units = self.of(account);
        settings.candidates(&Whose { account, units: units.as_deref(), tags })
    }

    /// A hash of the settings that decide what a sweep of an account closes: those that may apply to its
    /// groups, each with the tags that decide where it does.
    pub(super) fn settings_hash(&self, settings: &Settings, account: Option<&AccountId>) -> String {
        let account = account.or(self.account.as_ref());
        let units = self.of(account);
        let whose = Whose { account, units: units.as_deref(), tags: None };
        let of_each = settings.candidates(&whose).into_iter().map(|candidate| {
            let bound = candidate.binding.as_deref().and_then(|name| settings.bound_by(name));
            let when = bound.map(|bound| &bound.when);
            let when = when.map(|when| format!("{:?} {:?}", when.tags, when.fit_of_each(&whose)));
            let Settings { baseline, scope, remediation, revert_keeps, sweep_remediation, .. } =
                candidate;
            let mut parts = vec![
                baseline.unbound_sha256(),
                format!("{scope:?}"),
                remediation.to_string(),
                sweep_remediation.to_string(),
                revert_keeps.to_string(),
            ];
            parts.extend(when);
            hash(&parts.iter().map(String::as_str).collect::<Vec<_>>())
        });
        match of_each.collect::<Vec<_>>().as_slice() {
            [one] => one.clone(),
            several => hash(&several.iter().map(String::as_str).collect::<Vec<_>>()),
        }
    }

    /// What applies to a group that was read at a place, or may apply.
    pub(super) fn of_group<'s>(
        &self,
        settings: &'s Settings,
        place: &Place,
        group: &Group,
    ) -> Vec<&'s Settings> {
        let account = group.owner.as_ref().or(place.account.as_ref());
        self.candidates(settings, account, group.tags.as_ref())
    }

    /// Whether the group is audited, or may have to be.
    pub(super) fn in_scope(&self, settings: &Settings, place: &Place, group: &Group) -> bool {
        self.of_group(settings, place, group).iter().any(|it| it.scope.contains(group))
    }

    /// Whether what applies in an account depends on its units, and they are not known.
    pub fn are_missing(&self, settings: &Settings, account: &AccountId) -> bool {
        let whose = Whose { account: Some(account), units: None, tags: None };
        let depends = |bound: &Bound| {
            let [of_account, of_units, _] = bound.when.fit_of_each(&whose);
            of_account == Fit::Yes && of_units == Fit::Unknown
        };
        // What comes after a binding that fits is never used.
        let is_open = |bound: &&Bound| bound.when.fit(&whose) != Fit::Yes;
        let mut bound = settings.bound.iter().take_while(is_open);
        bound.any(depends) && self.of(Some(account)).is_none()
    }

    /// What applies to the group of a subject, or may apply, as its account sees it.
    pub(super) fn may_apply<'s>(
        &self,
        settings: &'s Settings,
        subject: &Subject<'_>,
    ) -> Vec<Cow<'s, Settings>> {
        let account = subject.place.account.as_ref();
        let candidates = self.candidates(settings, account, subject.group.tags.as_ref());
        candidates.into_iter().map(|settings| settings.of_account(account)).collect()
    }

    /// What applies to a group, by the prefix lists that were read.
    pub(super) fn applied<'s>(
        &self,
        settings: &'s Settings,
        subject: &Subject<'_>,
        lists: &Lists,
        today: NaiveDate,
    ) -> Applied<'s> {
        Applied::among(self.may_apply(settings, subject), settings, subject, lists, today)
    }
}

/// The settings that apply to a group.
pub(super) struct Applied<'s> {
    /// What applies, as the group's account sees it.
    pub settings: Cow<'s, Settings>,
    /// The bindings that may apply, if it is not known which one does. `None` stands for no binding.
    pub undecided: Vec<Option<String>>,
}

impl<'s> Applied<'s> {
    /// Where what applies is not decided, it is the first of the candidates that some rule of the group does
    /// not comply with, and nothing is done about that but to report it.
    pub fn among(
        mut candidates: Vec<Cow<'s, Settings>>,
        settings: &'s Settings,
        subject: &Subject<'_>,
        lists: &Lists,
        today: NaiveDate,
    ) -> Self {
        let undecided = candidates.iter().map(|settings| settings.binding.clone()).collect();
        if candidates.len() == 1
            && let Some(settings) = candidates.pop()
        {
            return Self { settings, undecided: Vec::new() };
        }
        let complies = |settings: &Settings| {
            Direction::BOTH.into_iter().all(|direction| {
                let id = Some(&subject.group.id);
                let judge = Judge::new(&settings.baseline, direction, id, lists, today);
                subject.of_direction(direction).all(|rule| judge.judge(rule).is_compliant())
            })
        };
        let broken = candidates.iter().find(|settings| !complies(settings));
        let reporting = match broken {
            Some(broken) => broken.only_reporting(),
            None => settings.of_account(subject.place.account.as_ref()).only_reporting(),
        };
        Self { settings: Cow::Owned(reporting), undecided }
    }
}

/// The scope that every group of a place can be selected by; `All` where it depends on the group.
pub(super) fn common_scope(settings: &Settings) -> &Scope {
    let is_same = settings.bound.iter().all(|bound| bound.settings.scope == settings.scope);
    if is_same { &settings.scope } else { &Scope::All }
}

/// The settings that name what groups with these bindings were audited against: those of the binding,
/// if it is the only one.
pub(super) fn named<'s>(
    settings: &'s Settings,
    bindings: &BTreeSet<Option<String>>,
) -> &'s Settings {
    match bindings.iter().collect::<Vec<_>>().as_slice() {
        [Some(only)] => settings.bound_by(only).map_or(settings, |bound| &bound.settings),
        _ => settings,
    }
}
