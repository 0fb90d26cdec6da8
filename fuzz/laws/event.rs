//! Any payload can be audited without harm. There is always an event; no group admits more than
//! before; no compliant traffic is lost; and every output is inert.

use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use typo3_sg_auditor::audit::Auditor;
use typo3_sg_auditor::baseline::{Baseline, Lists, parse_peers};
use typo3_sg_auditor::ec2::{Direction, Group, Place, Protocol, Rule, Scope};
use typo3_sg_auditor::event::decode;
use typo3_sg_auditor::finding::Report;
use typo3_sg_auditor::memory::{MemoryEc2, MemoryNotifier};
use typo3_sg_auditor::net::{Set, Traffic};
use typo3_sg_auditor::report::terminal::{View, render};
use typo3_sg_auditor::report::{Message, to_json, to_json_pretty};
use typo3_sg_auditor::settings::{Remediation, RevertKeeps, Settings};

use super::seen::{assert_ascii, assert_inert};

/// The groups of the account, which the sample events name.
const GROUPS: [&str; 2] = ["sg-0a1b2c3d4e5f67890", "sg-0b7c8d9e0f1a2b3c4"];

pub fn check(payload: &[u8]) {
    assert!(!decode(payload).is_empty(), "there is no event");
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
        let after = ec2.rules_of(&group.parse().expect("a valid id"));
        assert_unharmed(&settings.baseline, &after.unwrap_or_default());
    }
}

/// Polls a future once. Everything is in memory, so it never has to wait.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it has to wait"),
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_392_000, 0).unwrap_or_default()
}

fn today() -> NaiveDate {
    now().date_naive()
}

fn place() -> Place {
    Place { account: "123456789012".parse().ok(), region: "eu-central-1".parse().ok() }
}

fn settings() -> Settings {
    let sources = parse_peers("203.0.113.0/24,2001:db8:1::/48").expect("valid peers");
    let baseline = Baseline::load("standard", today()).expect("a shipped baseline");
    Settings {
        binding: None,
        bound: Vec::new(),
        baseline: baseline.with_ssh_sources(sources),
        scope: Scope::All,
        remediation: Remediation::RevertIngress,
        revert_keeps: RevertKeeps::Baseline,
        sweep_remediation: Remediation::RevertIngress,
        hold_max_hours: 24,
    }
}

fn rules() -> Vec<Rule> {
    let rule = |direction, protocol, from, to, peer: &str| {
        let peer = peer.parse().expect("a valid peer");
        Rule::new(direction, protocol, from, to, peer).expect("a valid rule")
    };
    let tcp = |from, to, peer| rule(Direction::Ingress, Protocol::TCP, Some(from), Some(to), peer);
    let rules = [
        tcp(443, 443, "0.0.0.0/0"),
        tcp(22, 22, "203.0.113.0/24"),
        tcp(20, 90, "0.0.0.0/0"),
        tcp(22, 22, "::/0"),
        tcp(3306, 3306, "10.0.0.0/8"),
        rule(Direction::Egress, Protocol::All, None, None, "0.0.0.0/0"),
    ];
    let ids = (0_u32..).map(|number| format!("sgr-{number:017x}").parse().ok());
    rules.into_iter().zip(ids).map(|(rule, id)| rule.with_id(id)).collect()
}

fn world() -> MemoryEc2 {
    let groups = GROUPS.map(|id| {
        let group = Group::known_by_id(id.parse().expect("a valid id"));
        (place(), Group { name: Some("shop".to_owned()), ..group }, rules())
    });
    MemoryEc2::new(groups, Lists::new())
}

fn admits(rules: &[Rule], direction: Direction) -> Traffic {
    let rules = rules.iter().filter(|rule| rule.direction() == direction);
    Traffic::union_of(rules.map(Rule::traffic).collect())
}

fn assert_unharmed(baseline: &Baseline, after: &[Rule]) {
    let before = rules();
    if after == before {
        return;
    }
    for direction in Direction::BOTH {
        let (was, is) = (admits(&before, direction), admits(after, direction));
        assert!(is.is_subset_of(&was), "the group admits more than before: {after:?}");
        let complies = baseline.admitted(direction, None, &Lists::new()).traffic;
        assert!(
            was.intersection(&complies).is_subset_of(&is),
            "compliant traffic is lost: {after:?}"
        );
    }
}

fn assert_message(message: &Message) {
    assert_ascii(&message.subject);
    assert!((1..=99).contains(&message.subject.len()), "{:?}", message.subject);
    let body: Value = serde_json::from_str(&message.body).expect("a JSON body");
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
        assert_inert(&render(report, View::plain(width), 0));
    }
    let pretty = to_json_pretty(report).unwrap_or_default();
    pretty.lines().for_each(assert_ascii);
    let whole = to_json(report).unwrap_or_default();
    let same = |text: &str| serde_json::from_str::<Value>(text).ok();
    assert!(same(&whole).is_some() && same(&whole) == same(&pretty), "{whole}");
    for finding in &report.findings {
        finding.undo.iter().for_each(|line| assert_ascii(line));
        let exemption = finding.found_rule().and_then(|found| found.exemption.as_ref());
        exemption.iter().for_each(|exemption| assert_ascii(&exemption.to_line()));
    }
}
