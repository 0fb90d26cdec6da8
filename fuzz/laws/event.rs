//! Whatever is delivered is audited, says something, and does no harm: no group admits anything that
//! it did not admit before, nothing that complies is gone, and every output is inert.

use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use typo3_sg_auditor::audit::{Auditor, Group, Place};
use typo3_sg_auditor::baseline::{Baseline, Lists, parse_peers};
use typo3_sg_auditor::ec2::{Direction, Protocol, Rule};
use typo3_sg_auditor::event::decode;
use typo3_sg_auditor::finding::Report;
use typo3_sg_auditor::memory::{MemoryEc2, MemoryNotifier};
use typo3_sg_auditor::net::{Set, Traffic};
use typo3_sg_auditor::report::terminal::{Style, render};
use typo3_sg_auditor::report::{Message, to_json, to_json_pretty};
use typo3_sg_auditor::settings::{Remediation, RevertKeeps, Scope, Settings};

use super::seen::{assert_ascii, assert_inert};

/// The groups of the account; the samples tell of them.
const GROUPS: [&str; 2] = ["sg-0a1b2c3d4e5f67890", "sg-0b7c8d9e0f1a2b3c4"];

pub fn hold(payload: &[u8]) {
    assert!(!decode(payload).is_empty(), "nothing came of it");
    static SETTINGS: OnceLock<Settings> = OnceLock::new();
    let settings = SETTINGS.get_or_init(settings);
    let ec2 = world();
    let notifier = MemoryNotifier::default();
    let home = place();
    let auditor = Auditor::new(&ec2, &notifier, &notifier, settings, &home);
    let mut left = vec![payload.to_vec()];
    while let Some(payload) = left.pop() {
        let report = ready(auditor.handle(&payload, &now, None));
        for message in notifier.take() {
            assert_message(&message);
        }
        if let Ok(report) = report {
            assert_report(&report);
        }
        let handed_on = notifier.take_handed_on();
        assert!(handed_on.iter().all(|payload| payload.to_string().len() < 256 * 1024));
        left.extend(handed_on.iter().map(|payload| payload.to_string().into_bytes()));
    }
    for group in GROUPS {
        assert_unharmed(&settings.baseline, &ec2.rules_of(group).unwrap_or_default());
    }
}

/// Nobody waits for anything: everything is in memory.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("something was waited for"),
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_392_000, 0).unwrap_or_default()
}

fn today() -> NaiveDate {
    now().date_naive()
}

fn place() -> Place {
    Place { account: Some("123456789012".to_owned()), region: Some("eu-central-1".to_owned()) }
}

fn settings() -> Settings {
    let sources = parse_peers("203.0.113.0/24,2001:db8:1::/48").unwrap_or_default();
    let baseline = match Baseline::load("standard", today()) {
        Ok(baseline) => baseline.with_ssh_sources(sources),
        Err(error) => panic!("{error}"),
    };
    Settings {
        baseline,
        scope: Scope::All,
        remediation: Remediation::RevertIngress,
        revert_keeps: RevertKeeps::Baseline,
        sweep_remediation: Remediation::RevertIngress,
        hold_max_hours: 24,
    }
}

fn rules() -> Vec<Rule> {
    let rule = |direction, protocol, from, to, peer: &str| {
        let peer = peer.parse().map_err(|_| "no peer");
        match peer.map(|peer| Rule::new(direction, protocol, from, to, peer)) {
            Ok(Ok(rule)) => rule,
            other => panic!("{other:?}"),
        }
    };
    let tcp = |from, to, peer| rule(Direction::Ingress, Protocol::TCP, Some(from), Some(to), peer);
    let mut rules = vec![
        tcp(443, 443, "0.0.0.0/0"),
        tcp(22, 22, "203.0.113.0/24"),
        tcp(20, 90, "0.0.0.0/0"),
        tcp(22, 22, "::/0"),
        tcp(3306, 3306, "10.0.0.0/8"),
        rule(Direction::Egress, Protocol::All, None, None, "0.0.0.0/0"),
    ];
    for (rule, number) in rules.iter_mut().zip(0_u32..) {
        rule.id = Some(format!("sgr-{number:017x}"));
    }
    rules
}

fn world() -> MemoryEc2 {
    let groups = GROUPS.map(|id| {
        let group = Group { id: id.to_owned(), name: Some("shop".to_owned()), ..Group::default() };
        (place(), group, rules())
    });
    MemoryEc2::new(groups, Lists::new())
}

fn admits(rules: &[Rule], direction: Direction) -> Traffic {
    let rules = rules.iter().filter(|rule| rule.direction == direction);
    Traffic::union_of(rules.map(Rule::traffic).collect())
}

fn assert_unharmed(baseline: &Baseline, after: &[Rule]) {
    let before = rules();
    if after == before {
        return;
    }
    for direction in [Direction::Ingress, Direction::Egress] {
        let (was, is) = (admits(&before, direction), admits(after, direction));
        assert!(is.is_subset_of(&was), "more is admitted than before: {after:?}");
        let complies = baseline.admitted(direction, None, &Lists::new()).traffic;
        assert!(was.intersection(&complies).is_subset_of(&is), "too much is gone: {after:?}");
    }
}

fn assert_message(message: &Message) {
    assert_ascii(&message.subject);
    assert!((1..=99).contains(&message.subject.len()), "{:?}", message.subject);
    let body: Value = match serde_json::from_str(&message.body) {
        Ok(body) => body,
        Err(error) => panic!("{error}: {}", message.body),
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    assert_ascii(text("default"));
    assert!(serde_json::from_str::<Value>(text("default")).is_ok_and(|it| it.is_object()));
    assert!(!text("email").is_empty());
    assert_inert(text("email"));
    for attribute in &message.attributes {
        assert_ascii(&attribute.value);
    }
}

fn assert_report(report: &Report) {
    for width in [20, 100] {
        assert_inert(&render(report, Style { colour: false, width }));
    }
    let pretty = to_json_pretty(report).unwrap_or_default();
    pretty.lines().for_each(assert_ascii);
    let whole = to_json(report).unwrap_or_default();
    let same = |text: &str| serde_json::from_str::<Value>(text).ok();
    assert!(same(&whole).is_some() && same(&whole) == same(&pretty), "{whole}");
    for finding in &report.findings {
        for line in [&finding.remediation.undo, &finding.exemption].into_iter().flatten() {
            assert_ascii(line);
        }
    }
}
