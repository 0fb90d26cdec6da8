//! A change of what the auditor itself lives on.

use chrono::{DateTime, Utc};

use super::Auditor;
use super::case::Case;
use super::ports::{Notifier, Onward, SecurityGroups};
use super::summary::{Tally, report};
use crate::event::WatchedChange;
use crate::finding::Report;

impl<E: SecurityGroups, N: Notifier, O: Onward> Auditor<'_, E, N, O> {
    /// Says that it was made, and by whom. Nothing is looked up first: what is to be told may be
    /// that the auditor will soon be able to tell nothing.
    pub(super) fn watched(&self, change: &WatchedChange, time: DateTime<Utc>) -> Report {
        let place = self.place(&change.record);
        let case = Case { place: &place, group: None, record: Some(&change.record) };
        let findings = vec![case.auditor_changed(change, time)];
        report(&self.baseline, Tally { findings, ..Tally::default() })
    }
}
