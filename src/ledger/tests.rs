use chrono::{DateTime, TimeDelta, Utc};

use super::*;

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
