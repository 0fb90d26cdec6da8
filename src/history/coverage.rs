//! Which times the records cover.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::ec2::Place;

/// A stretch without records is told if it is longer than this. CloudTrail records what AWS's own
/// services do in an account, so a trail is hardly ever silent for a day.
const SILENCE_HOURS: i64 = 24;

/// What was read of one account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The account and region.
    pub place: Place,
    /// How many records.
    pub records: usize,
    /// The first one's time.
    pub first: DateTime<Utc>,
    /// The last one's time.
    pub last: DateTime<Utc>,
    hours: BTreeSet<i64>,
}

/// A stretch of more than a day without any record, to the hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
}

impl Coverage {
    pub(super) fn new(place: Place, time: DateTime<Utc>) -> Self {
        Self { place, records: 0, first: time, last: time, hours: BTreeSet::new() }
    }

    pub(super) fn add(&mut self, time: DateTime<Utc>) {
        self.records += 1;
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.hours.insert(hour(time));
    }

    /// The stretches without records between the first and the last, the longest first.
    pub fn gaps(&self) -> Vec<Gap> {
        let pairs = self.hours.iter().zip(self.hours.iter().skip(1));
        let mut gaps: Vec<Gap> = pairs
            .filter(|(before, after)| **after - **before > SILENCE_HOURS)
            .filter_map(|(before, after)| {
                let from = DateTime::from_timestamp((*before + 1) * 3600, 0)?;
                let until = DateTime::from_timestamp(*after * 3600, 0)?;
                Some(Gap { from, until })
            })
            .collect();
        gaps.sort_by_key(|gap| (-gap.length().num_seconds(), gap.from));
        gaps
    }
}

impl Gap {
    /// How long it is.
    pub fn length(&self) -> TimeDelta {
        self.until.signed_duration_since(self.from)
    }
}

fn hour(time: DateTime<Utc>) -> i64 {
    time.timestamp().div_euclid(3600)
}
