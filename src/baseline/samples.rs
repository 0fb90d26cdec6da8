//! The date of the tests, and the shipped baselines on that date.

use chrono::NaiveDate;

use super::Baseline;

pub fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
}

pub fn load(name: &str) -> Baseline {
    Baseline::load(name, today()).unwrap()
}
