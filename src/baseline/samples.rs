//! The day on which the tests of baselines take place, and the shipped baselines as of then.

use chrono::NaiveDate;

use super::Baseline;

pub fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
}

pub fn load(name: &str) -> Baseline {
    Baseline::load(name, today()).unwrap()
}
