//! Messages are small enough for SNS, and what is cut is counted.

use serde_json::Value;

use super::events::{GROUP, authorizing, sample, sweep, with_long_tags};
use super::scene::{Scene, default};
use crate::report::sns::MAX_BYTES;

/// Every other address of a network, which leaves as many gaps.
fn scattered(addresses: u32) -> String {
    let address = |n: u32| format!("198.51.{}.{}/32", n / 128, 2 * (n % 128));
    (0..addresses).map(address).collect::<Vec<_>>().join(",")
}

#[test]
fn nothing_is_sent_without_findings() {
    assert_eq!(Scene::new().run(&sample("authorize-web")).messages, []);
}

#[test]
fn a_long_excess_is_cut_and_counted() {
    let told = Scene::new()
        .with("SSH_SOURCES", &scattered(150))
        .run(&authorizing(&["tcp 20-22 198.51.0.0/16"]));
    let finding = &default(&told.messages[0])["findings"][0];
    let peers = |excess: &Value| excess["peers"].as_array().unwrap().len();
    let excess = finding["excess"].as_array().unwrap();
    assert_eq!(excess.iter().map(peers).sum::<usize>(), 100);
    // Each box keeps a peer.
    assert_eq!(excess.iter().map(peers).collect::<Vec<_>>(), [1, 99]);
    let whole: Value = serde_json::from_str(&told.json()).unwrap();
    let whole = whole["findings"][0]["excess"].as_array().unwrap();
    let all: usize = whole.iter().map(peers).sum();
    assert_eq!(finding["excess_omitted"], all - 100);
}

#[test]
fn long_texts_of_a_finding_are_cut_and_a_long_command_is_left_out() {
    let scene = Scene::reverting().without_groups();
    let told = scene.group(GROUP, &"\u{fc}".repeat(5000), &[]).run(&with_long_tags("\u{10300}"));
    let [message] = &told.messages[..] else { panic!("{}", told.subjects()) };
    assert!(message.size() <= MAX_BYTES);
    let finding = &default(message)["findings"][0];
    assert_eq!(finding["remediation"]["undo"], Value::Null);
    let detail = finding["remediation"]["detail"].as_str().unwrap();
    assert!(detail.ends_with("The undo command is too long for a message."), "{detail}");
    assert!(finding["group"]["name"].as_str().unwrap().ends_with('…'));
}

#[test]
fn a_report_that_is_too_large_is_split() {
    let groups = (0..900).fold(Scene::new(), |scene, n| {
        scene.group(&format!("sg-{n:017}"), "typo3", &["tcp 3306 0.0.0.0/0"])
    });
    let messages = groups.run(&sweep()).messages;
    assert!((2..14).contains(&messages.len()), "{}", messages.len());
    for (message, part) in messages.iter().zip(1..) {
        let default = default(message);
        assert!(message.size() <= MAX_BYTES);
        assert_eq!(default["part"], part);
        assert_eq!(default["parts"], messages.len());
        assert_eq!(default["totals"]["by_severity"]["critical"], 900);
        assert!(message.subject.ends_with(&format!(" [part {part} of {}]", messages.len())));
    }
}
