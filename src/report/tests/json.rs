//! The JSON of a report, in each of its forms.

use serde_json::Value;

use super::events::{GROUP, authorizing};
use super::scene::{Scene, default};
use super::{scenes, snapshot};
use crate::report::{ReportJson, to_json, to_json_pretty};

#[test]
fn json_of_some_scenes() {
    let shown = ["narrowed", "held", "undecided-in-part", "exempt", "website-closed", "not-json"];
    for (name, told) in scenes::named(&shown) {
        snapshot(&format!("json-{name}"), &told.json());
    }
}

#[test]
fn a_message_has_the_whole_report_where_it_fits() {
    for (name, told) in scenes::all() {
        let published = told
            .reports
            .iter()
            .filter(|report| !report.findings.is_empty() || report.digest.is_some());
        let published: Vec<Value> =
            published.map(|it| serde_json::to_value(ReportJson::from(it)).unwrap()).collect();
        assert_eq!(told.messages.iter().map(default).collect::<Vec<_>>(), published, "{name}");
    }
}

#[test]
fn every_form_is_the_same_report() {
    let name = "B\u{fc}ro \u{1f980} \u{7f} \"quoted\" \\ \n \u{0} \u{ffff} \u{9b} \u{202e} \u{200b} \u{feff}";
    let scene = Scene::new().without_groups().group(GROUP, name, &[]);
    let told = scene.run(&authorizing(&["tcp 22 0.0.0.0/0"]));
    let report = &told.reports[0];
    let compact_text = to_json(report).unwrap();
    let compact: Value = serde_json::from_str(&compact_text).unwrap();
    let pretty_text = to_json_pretty(report).unwrap();
    let pretty: Value = serde_json::from_str(&pretty_text).unwrap();
    assert_eq!(compact["findings"][0]["group"]["name"], name);
    assert_eq!(compact, pretty);
    assert_eq!(compact, default(&told.messages[0]));
    let body: Value = serde_json::from_str(&told.messages[0].body).unwrap();
    assert!(body["default"].as_str().unwrap().bytes().all(|byte| matches!(byte, b' '..=b'~')));
    assert!(pretty_text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')), "{pretty_text}");
    assert!(pretty_text.lines().count() > 30, "{pretty_text}");
    assert!(!compact_text.contains('\n'));
}
