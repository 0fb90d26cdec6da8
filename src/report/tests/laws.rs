//! What must hold whatever a report says.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{exempted, open_ssh, report, rule, sns::default};
use crate::ec2::hold::Hold;
use crate::ec2::{Peer, Protocol, Rule};
use crate::finding::{
    Code, ExcessBox, Finding, FindingChange, FindingGroup, FindingRemediation, Outcome, Report,
    Severity,
};
use crate::report::terminal::{Style, render};
use crate::report::{messages, sns, subject};
use crate::text::inert;

/// Short or absurdly long, harmless or hostile.
///
/// Boxed, because strategies are values that hold one another, and a test's stack is small.
fn text() -> BoxedStrategy<String> {
    let piece = prop_oneof![
        "[ -~]{0,20}",
        ".{0,20}",
        Just("\u{1b}[31m\n\r\u{0}\u{7f}\u{9b}".to_owned()),
        Just("\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\u{ffff}\u{10ffff}\u{e0041}".to_owned()),
        Just("\"\\\n".to_owned()),
        Just("<https://evil.example> ](x) `".to_owned()),
    ];
    let times = prop_oneof![20 => 1..4_usize, 1 => 500..5000_usize];
    (piece, times).prop_map(|(piece, times)| piece.repeat(times)).boxed()
}

fn excess_box() -> impl Strategy<Value = ExcessBox> {
    let peers = prop_oneof![20 => 0..4_usize, 1 => 90..10_000_usize];
    (text(), option::of(text()), peers, text()).prop_map(|(protocol, ports, peers, peer)| {
        let peer: String = peer.chars().take(40).collect();
        ExcessBox { protocol, ports, icmp: None, peers: vec![peer; peers] }
    })
}

fn group() -> impl Strategy<Value = FindingGroup> {
    (text(), option::of(text()), option::of(text())).prop_map(|(id, name, vpc_id)| FindingGroup {
        id,
        name,
        vpc_id,
    })
}

fn change() -> impl Strategy<Value = FindingChange> {
    vec(option::of(text()), 5).prop_map(|texts| FindingChange {
        event_id: texts[0].clone(),
        event_name: texts[1].clone(),
        time: Some(super::changed()),
        actor: texts[2].clone(),
        source_ip: texts[3].clone(),
        user_agent: texts[4].clone(),
    })
}

fn any_rule() -> impl Strategy<Value = Rule> {
    (option::of(text()), option::of(text()), option::of(text())).prop_map(
        |(id, description, list)| {
            let mut rule = rule(Protocol::TCP, 20, 25, "0.0.0.0/0");
            (rule.id, rule.description) = (id, description);
            if let Some(list) = list {
                rule.peer = Peer::prefix_list(&list);
            }
            rule
        },
    )
}

fn remediation() -> impl Strategy<Value = FindingRemediation> {
    let outcome = prop::sample::select(vec![
        Outcome::None,
        Outcome::Reverted,
        Outcome::Narrowed,
        Outcome::AlreadyGone,
        Outcome::Held,
        Outcome::Exempt,
        Outcome::Failed,
    ]);
    let kept = vec(text(), 0..45);
    let hold = option::of(text().prop_map(|reason| Hold { until: super::changed(), reason }));
    (outcome, text(), option::of(text()), kept, option::of(text()), hold).prop_map(
        |(outcome, detail, undo, kept, connections, hold)| FindingRemediation {
            outcome,
            detail,
            time: super::changed(),
            undo,
            hold,
            kept,
            connections,
        },
    )
}

fn finding() -> impl Strategy<Value = Finding> {
    let codes = prop::sample::select(Code::ALL.to_vec());
    let severities = prop::sample::select(vec![Severity::Low, Severity::Critical]);
    let place = (option::of(text()), option::of(text()), option::of(group()), option::of(text()));
    let boxes = prop_oneof![10 => vec(excess_box(), 0..4), 1 => vec(excess_box(), 100..200)];
    (
        (codes, severities, text(), text()),
        place,
        (option::of(any_rule()), boxes, vec(text(), 0..4), option::of(text())),
        option::of(change()),
        remediation(),
    )
        .prop_map(|(what, place, (rule, excess, controls, exemption), change, remediation)| {
            Finding {
                code: what.0,
                severity: what.1,
                title: what.2,
                excess_text: what.3,
                account: place.0,
                region: place.1,
                group: place.2,
                console_url: place.3,
                rule,
                excess,
                controls,
                exemption,
                change,
                remediation,
                ..open_ssh()
            }
        })
}

/// A few findings, or one of them many times over.
fn any_report() -> impl Strategy<Value = Report> {
    let findings = prop_oneof![
        4 => vec(finding(), 1..6),
        1 => (finding(), 1..900_usize).prop_map(|(finding, n)| {
            let finding = Finding { excess: Vec::new(), ..finding };
            let bytes = serde_json::to_string(&finding).unwrap().len();
            // Some ten messages are enough, and a test must not take all day.
            vec![finding; n.min(1 + 1_500_000 / bytes)]
        }),
    ];
    (findings, text(), vec(text().prop_map(|reason| exempted(&reason)), 0..30)).prop_map(
        |(mut findings, name, exempt)| {
            for (finding, n) in findings.iter_mut().zip(0..) {
                finding.id = format!("{n}");
            }
            let mut report = report(findings);
            report.baseline.name.clone_from(&name);
            report.reason = Some(name);
            report.exempt = exempt;
            report
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_finding_arrives_once_and_whole(report in any_report()) {
        let messages = messages(&report).unwrap();
        let mut ids = Vec::new();
        for message in &messages {
            prop_assert!(message.size() <= sns::MAX_BYTES, "{} bytes", message.size());

            prop_assert!(!message.subject.is_empty());
            prop_assert!(message.subject.len() <= subject::MAX_CHARS);
            prop_assert!(message.subject.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            prop_assert!(message.subject.starts_with(|c: char| c.is_ascii_alphanumeric()));

            let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
            let mail = body["email"].as_str().unwrap();
            for line in mail.lines() {
                prop_assert_eq!(inert::plain(line), line);
            }
            prop_assert!(!mail.contains(['\r', '\t']));

            let default = default(message);
            prop_assert_eq!(&default["totals"], &serde_json::to_value(&report.totals).unwrap());
            for finding in default["findings"].as_array().unwrap() {
                ids.push(finding["id"].as_str().unwrap().to_owned());
                let boxes = finding["excess"].as_array().unwrap();
                let peers: usize = boxes.iter().map(|it| it["peers"].as_array().unwrap().len()).sum();
                let omitted = finding["excess_omitted"].as_u64().unwrap_or_default();
                let whole = &report.findings[ids.len() - 1].excess;
                let whole: usize = whole.iter().map(|it| it.peers.len()).sum();
                prop_assert_eq!(peers as u64 + omitted, whole as u64);
            }
            for attribute in &message.attributes {
                prop_assert!(!attribute.value.is_empty());
            }
        }
        let all: Vec<_> = report.findings.iter().map(|finding| finding.id.clone()).collect();
        prop_assert_eq!(ids, all);
    }

    #[test]
    fn a_terminal_is_told_nothing_but_text(report in any_report(), width in 0..200_usize) {
        let text = render(&report, Style { colour: false, width });
        for line in text.lines() {
            prop_assert_eq!(inert::plain(line), line);
        }
    }

    #[test]
    fn what_is_cut_is_short_enough(text in text(), max in 0..200_usize) {
        prop_assert!(inert::clip(&text, max).chars().count() <= max);
        prop_assert!(inert::clip_ascii(&text, max).chars().count() <= max);
    }
}
