use chrono::{DateTime, Utc};

use super::coverage::RecordsRead;
use super::model::Opening;
use super::totals::Totals;
use crate::finding::BaselineName;

/// Every opening that the records tell of, the longest first.
#[derive(Clone, Debug)]
pub struct History {
    /// What was compared with.
    pub baseline: BaselineName,
    /// The time until which what is open counts.
    pub now: DateTime<Utc>,
    pub openings: Vec<Opening>,
    /// How many there are, and how long they were open.
    pub totals: Totals,
    /// What was read of each account and region.
    pub coverage: Vec<RecordsRead>,
    /// What was read.
    pub counts: RecordCounts,
    /// Whether the openings were compared with the groups as they are now.
    pub has_present: bool,
    /// Whether something that was to be read could not be.
    pub is_partial: bool,
}

impl History {
    /// Only what was open at some time of a period, each opening with its whole life.
    #[must_use]
    pub fn between(mut self, from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        let now = self.now;
        self.openings.retain(|it| it.from().0 < until && it.until(now).0 >= from);
        self.totals = Totals::of(&self.openings, now);
        self
    }
}

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordCounts {
    pub records: usize,
    /// Changes of rules or prefix lists among them.
    pub changes: usize,
    /// Records that came more than once, among the changes that were kept.
    pub repeated: usize,
    /// Changes without a time, which have no place in an order.
    pub untimed: usize,
    /// Records that may tell of a change and cannot be read completely.
    pub unread: usize,
}
