use serde_json::Value;

use super::{open_ssh, report};
use crate::report::json::to_ascii_json;
use crate::report::{to_json, to_json_pretty};

#[test]
fn every_form_is_the_same_report() {
    let mut finding = open_ssh();
    finding.title = "B\u{fc}ro \u{1f980} \u{7f} \"quoted\" \\ \n \u{0} \u{ffff}".to_owned();
    let report = report(vec![finding]);
    let compact: Value = serde_json::from_str(&to_json(&report).unwrap()).unwrap();
    let pretty: Value = serde_json::from_str(&to_json_pretty(&report).unwrap()).unwrap();
    let ascii = to_ascii_json(&report).unwrap();
    assert_eq!(compact, pretty);
    assert_eq!(compact, serde_json::from_str::<Value>(&ascii).unwrap());
    assert!(ascii.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{ascii}");
    assert!(!to_json(&report).unwrap().contains('\n'));
}
