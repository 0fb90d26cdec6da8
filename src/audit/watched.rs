//! A change of something that the auditor depends on. Nothing is looked up for it: soon the auditor
//! may be unable to report anything.

use chrono::NaiveDate;

use super::auditor::Auditor;
use super::ports::{Clock, Invoker, Notifier};
use crate::ec2::{Place, Scope, SecurityGroups};
use crate::event::{Component, Record, WatchedChange};
use crate::finding::{Report, Weakening};
use crate::settings::{RawSettings, Settings};

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
    /// Reports the change, with what of it weakens the auditor as far as that can be told.
    pub(super) fn watched(
        &self,
        record: &Record,
        change: &WatchedChange,
        clock: Clock<'_>,
    ) -> Report {
        let place = self.place(record);
        let now = clock();
        let mut weakened = change
            .settings
            .as_deref()
            .map_or_else(Vec::new, |new| weakened(self.settings, new, now.date_naive()));
        if change.component == Component::Rule && self.is_elsewhere(&place) {
            weakened.push(Weakening::MemberRule);
        }
        let origin = self.origin(&place, record);
        let by_hand = [self.doctor_line(), self.sweep_by_hand()];
        self.only(origin.auditor_changed(change, weakened, by_hand, now))
    }

    /// Whether a place is in another account than the function's.
    fn is_elsewhere(&self, place: &Place) -> bool {
        let accounts = self.home.account.as_ref().zip(place.account.as_ref());
        accounts.is_some_and(|(own, account)| own != account)
    }
}

/// In what the settings `new` do less than the `current` ones.
fn weakened(current: &Settings, new: &RawSettings, today: NaiveDate) -> Vec<Weakening> {
    // A baseline of a layer that only the new function has cannot be read here. It is another one.
    let with_baseline = Settings::from_raw(new, today);
    let without = || {
        let new = RawSettings { baseline: None, ..new.clone() };
        Settings::from_raw(&new, today)
    };
    let is_other_baseline = with_baseline
        .as_ref()
        .map_or(true, |new| new.baseline.sha256() != current.baseline.sha256());
    let Ok(new) = with_baseline.or_else(|_| without()) else { return vec![Weakening::NotValid] };
    // With another tag, groups of the one that counts now are left out.
    let is_narrower = new.scope != Scope::All && new.scope != current.scope;
    [
        (is_narrower, Weakening::ScopeNarrowed),
        (new.remediation < current.remediation, Weakening::RemediationLowered),
        (new.sweep_remediation < current.sweep_remediation, Weakening::SweepRemediationLowered),
        (is_other_baseline, Weakening::BaselineChanged),
        (new.hold_max_hours > current.hold_max_hours, Weakening::HoldsLengthened),
    ]
    .into_iter()
    .filter_map(|(is_so, weakening)| is_so.then_some(weakening))
    .collect()
}
