//! Where a binding applies.

use std::collections::{BTreeMap, BTreeSet};

use super::model::Conditions;
use crate::ec2::{AccountId, UnitId};

/// The most bindings of a file, and the most baselines under `baselines`.
pub const MAX_BINDINGS: usize = 200;

/// The most accounts, units or tags that one binding names.
pub const MAX_NAMED: usize = 1_000;

/// What is known of a group. `None` where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whose<'a> {
    /// The account that owns it.
    pub account: Option<&'a AccountId>,
    /// The units that the account is in: its own, those around it, and the root.
    pub units: Option<&'a [UnitId]>,
    pub tags: Option<&'a BTreeMap<String, String>>,
}

/// Whether a condition is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It is not.
    No,
    /// What is known of the group does not tell.
    Unknown,
    /// It is, or there is no such condition.
    Yes,
}

impl Conditions {
    /// Whether all of them are met.
    pub fn fit(&self, whose: &Whose<'_>) -> Fit {
        self.fit_of_each(whose).into_iter().min().unwrap_or(Fit::Yes)
    }

    /// The same for the accounts, the units and the tags.
    pub fn fit_of_each(&self, whose: &Whose<'_>) -> [Fit; 3] {
        let Self { accounts, units, tags } = self;
        [
            fit(accounts.is_empty(), whose.account, |account| accounts.contains(account)),
            fit(units.is_empty(), whose.units, |of| of.iter().any(|unit| units.contains(unit))),
            fit(tags.is_empty(), whose.tags, |of| {
                tags.iter().all(|(key, value)| of.get(key) == Some(value))
            }),
        ]
    }

    /// Whether there are none, so that they are met everywhere.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.units.is_empty() && self.tags.is_empty()
    }

    /// Whether no group can meet both these and the others, as far as the accounts tell.
    pub fn excludes(&self, other: &Self) -> bool {
        !self.accounts.is_empty()
            && !other.accounts.is_empty()
            && self.accounts.is_disjoint(&other.accounts)
    }

    /// Whether every group that meets the accounts and units of the others meets all of these.
    pub fn covers(&self, other: &Self) -> bool {
        fn within<T: Ord>(some: &BTreeSet<T>, others: &BTreeSet<T>) -> bool {
            some.is_empty() || (!others.is_empty() && others.is_subset(some))
        }
        self.tags.is_empty()
            && within(&self.accounts, &other.accounts)
            && within(&self.units, &other.units)
    }
}

fn fit<T>(is_empty: bool, known: Option<T>, is_met: impl FnOnce(T) -> bool) -> Fit {
    match known.map(is_met) {
        _ if is_empty => Fit::Yes,
        Some(true) => Fit::Yes,
        Some(false) => Fit::No,
        None => Fit::Unknown,
    }
}
