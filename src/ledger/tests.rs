use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::ec2::Place;
use crate::finding::Planner;

fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds)
}

#[test]
fn a_burst_of_a_thousand_is_five_mails_in_any_ten_seconds() {
    let mut sent = Vec::new();
    let mut all = Vec::new();
    for n in 0..1_000 {
        if let Some(times) = one_more_mail(&sent, at(n * 37)) {
            sent = times;
            all.push(at(n * 37));
        }
    }
    assert!(all.len() > MAILS);
    for window in all.windows(MAILS + 1) {
        assert!(window[MAILS] - window[0] > MAIL_SPAN, "{window:?}");
    }
}

#[test]
fn what_a_sweep_and_a_change_plan_is_remembered_apart() {
    let key = |planner| item::plan_key(&Place::default(), planner);
    assert_ne!(key(Planner::Sweep), key(Planner::Change));
    assert!(format!("{:?}", key(Planner::Change)).contains("plan change"));
}
