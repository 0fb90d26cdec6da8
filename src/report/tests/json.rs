use serde_json::Value;

use super::{open_ssh, report};
use crate::report::json::to_ascii_json;
use crate::report::{to_json, to_json_pretty};

#[test]
fn every_form_is_the_same_report() {
    let mut finding = open_ssh();
    finding.title = "B\u{fc}ro \u{1f980} \u{7f} \"quoted\" \\ \n \u{0} \u{ffff} \u{9b} \u{202e} \u{200b} \u{feff}".to_owned();
    let report = report(vec![finding]);
    let compact: Value = serde_json::from_str(&to_json(&report).unwrap()).unwrap();
    let pretty_text = to_json_pretty(&report).unwrap();
    let pretty: Value = serde_json::from_str(&pretty_text).unwrap();
    let ascii = to_ascii_json(&report).unwrap();
    assert_eq!(compact, pretty);
    assert_eq!(compact, serde_json::from_str::<Value>(&ascii).unwrap());
    assert!(ascii.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{ascii}");
    assert!(pretty_text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')), "{pretty_text}");
    assert!(pretty_text.lines().count() > 30, "{pretty_text}");
    assert!(!to_json(&report).unwrap().contains('\n'));
}
