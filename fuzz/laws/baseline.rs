//! A text is refused with the numbers of the wrong lines, or it is a baseline whose YAML is inert and
//! parses to the same baseline.

use chrono::NaiveDate;
use typo3_sg_auditor::baseline::{Baseline, BaselineError};

use super::seen::assert_inert;

pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let today = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap_or_default();
    let baseline = match Baseline::parse("fuzzed.yaml", &text, today) {
        Ok(baseline) => baseline,
        Err(BaselineError::Invalid { faults, .. }) => {
            assert!(!faults.is_empty(), "refused without a reason");
            // In YAML a carriage return ends a line too.
            let lines = text.matches(['\n', '\r']).count() + 1;
            for fault in faults {
                assert!((1..=lines).contains(&fault.line), "{fault:?} of {lines} lines");
            }
            return;
        }
        Err(other) => panic!("{other}"),
    };
    let shown = baseline.to_yaml();
    assert_inert(&shown);
    match Baseline::parse("shown.yaml", &shown, today) {
        Ok(again) => assert_eq!(again, baseline, "{shown}"),
        Err(error) => panic!("{error}\n{shown}"),
    }
}
