//! Messages are small enough for SNS, and what is cut is counted.

use serde_json::Value;

use super::events::{GROUP, authorizing, revoking, sample, sweep, with_long_tags};
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
fn commands_that_are_too_long_are_left_out_and_many_open_rules_are_counted() {
    let ssh: Vec<String> = (0..1000).map(|n| format!("tcp 22 2001:db8:{n:x}::/48")).collect();
    let ssh: Vec<&str> = ssh.iter().map(String::as_str).collect();
    let told = Scene::reverting().with_rules(&ssh).run(&sample("authorize-open-ssh"));
    let [message] = &told.messages[..] else { panic!("{}", told.subjects()) };
    assert!(message.size() <= MAX_BYTES);
    let finding = &default(message)["findings"][0];
    assert_eq!(finding["remediation"]["fix"], Value::Null);
    let detail = finding["remediation"]["detail"].as_str().unwrap();
    assert!(detail.contains("The fix command is too long for a message."), "{detail}");
    let open = finding["still_open"].as_array().unwrap();
    let last = open.last().unwrap()["text"].as_str().unwrap();
    let more: usize =
        last.strip_prefix("and ").unwrap().strip_suffix(" more").unwrap().parse().unwrap();
    assert_eq!(open.len() - 1 + more, 1000);
}

#[test]
fn a_long_list_of_expected_traffic_is_cut_and_counted() {
    let name = |port: u32| format!("{port} {}", "\u{fc}".repeat(30));
    let entry = |port| {
        let name = name(port);
        format!(
            "- {{ name: {name}, protocol: tcp, ports: [{port}], peers: [anywhere], expected: true }}\n"
        )
    };
    let entries: String = (1000..1400).map(entry).collect();
    let baseline = format!("version: 1\nname: our-site\ningress:\n{entries}egress: []\n");
    let told = Scene::new()
        .with_baseline(&baseline)
        .with_rules(&["tcp 1399 0.0.0.0/0"])
        .run(&revoking(&["tcp 1000-1398 0.0.0.0/0"]));
    let [message] = &told.messages[..] else { panic!("{}", told.subjects()) };
    assert!(message.size() <= MAX_BYTES);
    let finding = &default(message)["findings"][0];
    let listed = finding["expected"].as_array().unwrap().len() as u64;
    assert!(listed > 0 && finding["expected_omitted"] == 800 - listed, "{listed}");
    let title = finding["title"].as_str().unwrap();
    assert!(title.contains(" and 393 more on typo3-shop are closed; 1399 "), "{title}");
    assert!(title.starts_with(&name(1000)), "{title}");
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
