//! Which times the records cover.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::ec2::Place;

/// A stretch without records is told if it is longer than this. CloudTrail records what AWS's own
/// services do in an account, so a trail is hardly ever silent for a day.
const SILENCE_HOURS: i64 = 24;

/// What was read of one account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordsRead {
    /// The account and region.
    pub place: Place,
    /// How many records.
    pub records: usize,
    /// The first one's time, or the beginning of a stretch of which all records were read.
    pub first: DateTime<Utc>,
    /// The last one's time, or the end of such a stretch.
    pub last: DateTime<Utc>,
    hours: BTreeSet<i64>,
}

/// A stretch of more than a day without any record, to the hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

impl RecordsRead {
    pub(super) fn new(place: Place, time: DateTime<Utc>) -> Self {
        Self { place, records: 0, first: time, last: time, hours: BTreeSet::new() }
    }

    pub(super) fn add(&mut self, time: DateTime<Utc>) {
        self.records += 1;
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.hours.insert(hour(time));
    }

    /// Every record of this stretch was asked for, so where there is none, nothing happened.
    pub(super) fn is_whole_between(&mut self, from: DateTime<Utc>, until: DateTime<Utc>) {
        self.first = self.first.min(from);
        self.last = self.last.max(until);
        self.hours.extend(hour(from)..=hour(until));
    }

    /// The stretches without records between the first and the last, the longest first.
    pub fn gaps(&self) -> Vec<Gap> {
        gaps_of(&self.hours)
    }

    /// The stretches without records in a period, the longest first.
    pub fn gaps_between(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Gap> {
        // As if there were a record just before it and one at its end.
        let (before, end) = (hour(from) - 1, hour(until));
        let within = self.hours.range(before + 1..end).copied();
        gaps_of(&within.chain([before, end]).collect())
    }
}

fn gaps_of(hours: &BTreeSet<i64>) -> Vec<Gap> {
    let pairs = hours.iter().zip(hours.iter().skip(1));
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

impl Gap {
    /// How long it is.
    pub fn length(&self) -> TimeDelta {
        self.until.signed_duration_since(self.from)
    }
}

fn hour(time: DateTime<Utc>) -> i64 {
    time.timestamp().div_euclid(3600)
}
