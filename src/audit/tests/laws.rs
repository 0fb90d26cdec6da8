//! Laws of reverts, tested by set algebra over random groups and baselines.

use proptest::prelude::*;

use super::*;
use crate::evaluate::Verdict;

const PEERS: [&str; 14] = [
    "0.0.0.0/0",
    "::/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "10.0.0.0/8",
    "10.0.0.0/9",
    "203.0.113.0/24",
    "203.0.113.64/26",
    "203.0.112.0/23",
    "198.51.100.7/32",
    "2001:db8:1::/48",
    "2001:db8:1:5::/64",
    "2001:db8::/32",
    "sg-0b",
];

const PORTS: [&str; 8] = ["22", "80", "443", "20-25", "22-80", "80-443", "0-65535", "8000-8010"];

fn any_rule() -> impl Strategy<Value = Rule> {
    let what = prop_oneof![
        6 => prop::sample::select(&PORTS[..]).prop_map(|ports| format!("tcp {ports}")),
        1 => prop::sample::select(&PORTS[..]).prop_map(|ports| format!("udp {ports}")),
        1 => Just("-1 *".to_owned()),
        1 => Just("icmp *".to_owned()),
        1 => Just("icmp 8-0".to_owned()),
        1 => Just("50 *".to_owned()),
    ];
    (what, prop::sample::select(&PEERS[..]))
        .prop_map(|(what, peer)| rule(&format!("{what} {peer}")))
}

/// Fewer than ten rules of different content, as EC2 has them.
fn any_group() -> impl Strategy<Value = Vec<Rule>> {
    prop::collection::vec(any_rule(), 1..10).prop_map(|rules| {
        let mut group: Vec<Rule> = Vec::new();
        for rule in rules {
            if group.iter().all(|other| other.content() != rule.content()) {
                let number = group.len();
                let rule = rule.with_id(Some(id(&format!("sgr-{number:017x}"))));
                group.push(rule.with_description(Some(format!("rule {number}"))));
            }
        }
        group
    })
}

fn any_entry() -> impl Strategy<Value = String> {
    let what = prop_oneof![
        4 => prop::sample::select(&PORTS[..])
            .prop_map(|ports| format!("protocol: tcp, ports: [\"{ports}\"]")),
        1 => Just("protocol: all".to_owned()),
        1 => Just("protocol: icmp, ports: [8]".to_owned()),
        1 => Just("protocol: 50".to_owned()),
    ];
    let peers = prop::collection::vec(
        prop_oneof![
            4 => prop::sample::select(&PEERS[..]).prop_map(|peer| format!("\"{peer}\"")),
            1 => Just("anywhere".to_owned()),
            1 => Just("self".to_owned()),
        ],
        1..4,
    );
    (what, peers).prop_map(|(what, peers)| format!("{what}, peers: [{}]", peers.join(", ")))
}

/// Exemptions of the group and of another one, for ingress and egress, active and expired.
fn any_exemption() -> impl Strategy<Value = String> {
    let group = prop_oneof![4 => Just(SG), 1 => Just("sg-0b")];
    let direction = prop_oneof![4 => Just("ingress"), 1 => Just("egress")];
    let until =
        prop_oneof![2 => Just("2026-11-02"), 1 => Just("2027-01-31"), 1 => Just("2026-11-01")];
    (any_entry(), group, direction, until).prop_map(|(entry, group, direction, until)| {
        format!("group: {group}, direction: {direction}, {entry}, reason: why, until: {until}")
    })
}

fn any_baseline() -> impl Strategy<Value = Baseline> {
    let entries = prop::collection::vec((any_entry(), any::<bool>()), 0..6);
    let exemptions = prop::collection::vec(any_exemption(), 0..3);
    (entries, exemptions).prop_map(|(entries, exemptions)| {
        let mut text = "version: 1\nname: random\negress: []\ningress:".to_owned();
        if entries.is_empty() {
            text.push_str(" []");
        }
        for (number, (entry, expected)) in entries.iter().enumerate() {
            text.push_str(&format!(
                "\n  - {{ name: entry {number}, {entry}, expected: {expected} }}"
            ));
        }
        if !exemptions.is_empty() {
            text.push_str("\nexemptions:");
        }
        for exemption in exemptions {
            text.push_str(&format!("\n  - {{ {exemption} }}"));
        }
        Baseline::parse("random.yaml", &text, today()).unwrap()
    })
}

/// What the entries of a baseline and the active exemptions of the group admit.
fn tolerated(baseline: &Baseline) -> Traffic {
    let (group, lists) = (id(SG), Lists::new());
    let exemptions = baseline
        .exemptions_of(Direction::Ingress, &group, &lists)
        .filter(|(exemption, _)| exemption.until >= today())
        .map(|(_, resolved)| resolved.traffic);
    let entries = baseline.admitted(Direction::Ingress, Some(&group), &lists).traffic;
    Traffic::union_of(exemptions.chain([entries]).collect())
}

/// The traffic without the groups and lists that are admitted because everybody is.
fn without_implied(traffic: &Traffic) -> Traffic {
    let anybody = traffic.within(&traffic.cells_of_anybody());
    let mut out = traffic.clone();
    out.references = out.references.difference(&anybody.references);
    out
}

fn is_about(finding: &Finding, rule: &Rule) -> bool {
    finding.rule().is_some_and(|other| other.content() == rule.content())
}

fn admits(rules: &[Rule]) -> Traffic {
    Traffic::union_of(rules.iter().map(Rule::traffic).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// After a revert, the group admits what its remaining rules admit and, of each reverted rule,
    /// exactly what the baseline or an exemption admits of it, or nothing. Rules that are not
    /// reverted are unchanged. A second run changes nothing.
    #[test]
    fn a_revert_leaves_exactly_what_complies(
        rules in any_group(),
        baseline in any_baseline(),
        keeps in prop_oneof![Just(RevertKeeps::Baseline), Just(RevertKeeps::Nothing)],
        mode in prop_oneof![Just(Remediation::RevertSsh), Just(Remediation::RevertIngress)],
        known in any::<bool>(),
    ) {
        let mut settings = settings(mode);
        settings.baseline = baseline;
        settings.revert_keeps = keeps;
        let ec2 = ec2(&rules).with_rule_limit(1000);
        let introduced = rules.iter().cloned().map(|rule| match known {
            true => rule,
            false => rule.with_id(None).with_description(None),
        });
        let event = event(ChangeKind::Authorized(introduced.collect()));
        let report = run(&ec2, &settings, &event).unwrap();
        let (group, lists) = (id(SG), Lists::new());
        let after = ec2.rules_of(&group).unwrap();
        let baseline = &settings.baseline;
        let judge = Judge::new(baseline, Direction::Ingress, Some(&group), &lists, today());
        let admitted = tolerated(&settings.baseline);
        let failed = |rule: &Rule| report.findings.iter().any(|finding| {
            finding.outcome() == Outcome::Failed && is_about(finding, rule)
        });
        let mut expected = Vec::new();
        for rule in &rules {
            let judgement = judge.judge(rule);
            let due = judge
                .code(&judgement)
                .is_some_and(|code| is_due(mode, &judge, &Verdict { code, rule, judgement }));
            if !due || failed(rule) {
                prop_assert!(after.contains(rule), "{} is gone", rule_text(rule));
                expected.push(rule.traffic());
                continue;
            }
            prop_assert!(after.iter().all(|other| other.content() != rule.content()));
            if keeps == RevertKeeps::Baseline {
                let mut part = rule.traffic().intersection(&admitted);
                if rule.peer().is_anywhere() {
                    part.references = admitted.within(&rule.cells()).references;
                }
                expected.push(part);
            }
        }
        let expected = Traffic::union_of(expected);
        prop_assert_eq!(without_implied(&admits(&after)), without_implied(&expected));

        // Never more than before, except the groups that the baseline names as a part of anywhere.
        let beyond = admits(&after).difference(&admits(&rules));
        prop_assert!(beyond.ipv4.is_empty() && beyond.ipv6.is_empty());
        prop_assert!(beyond.references.is_subset_of(&admitted.references));

        // Every rule that was added complies or is exempt, and its description says where it is from.
        for piece in after.iter().filter(|piece| !rules.contains(piece)) {
            prop_assert_eq!(judge.code(&judge.judge(piece)), None);
            prop_assert!(piece.description().unwrap_or_default().starts_with("kept by"));
        }

        assert_true_of(&report, &settings, &group, &after);
        let again = run(&ec2, &settings, &event).unwrap();
        prop_assert_eq!(ec2.rules_of(&group).unwrap(), after.clone());
        assert_true_of(&again, &settings, &group, &after);
        for finding in &again.findings {
            prop_assert!(!matches!(finding.outcome(), Outcome::Reverted | Outcome::Narrowed));
        }
    }

    /// Whichever call fails, in whatever way: compliant rules stay, open SSH is closed by the second
    /// run, nothing is opened, and every rule that does not comply is reported.
    #[test]
    fn a_fault_at_any_call_opens_nothing_and_removes_no_compliant_rule(
        rules in any_group(),
        fault_at in 0usize..12,
        fault in 0usize..6,
        limit in 1usize..70,
    ) {
        let settings = settings(Remediation::RevertIngress);
        let ec2 = ec2(&rules).with_rule_limit(limit.max(rules.len()));
        let errors = [
            throttled(),
            denied(),
            Ec2Error::LimitExceeded,
            not_found(),
            refused("InvalidParameterValue"),
            no_group(),
        ];
        let (mut calls, mut contradicts) = (0, false);
        let faulty = hooked(&ec2, |call| {
            calls += 1;
            let fails = calls == fault_at + 1;
            // EC2 says that a rule is not there and shows it all the same. No EC2 does.
            contradicts |= fails && is_revoke(call) && fault == 3;
            fails.then(|| errors[fault].clone())
        });
        let event = event(ChangeKind::Authorized(rules.clone()));
        let first = run(&faulty, &settings, &event);
        let (group, lists) = (id(SG), Lists::new());
        let between = ec2.rules_of(&group).unwrap();
        if let Ok(first) = &first && !contradicts {
            assert_true_of(first, &settings, &group, &between);
        }
        let again = run(&ec2, &settings, &event).unwrap();
        assert_true_of(&again, &settings, &group, &ec2.rules_of(&group).unwrap());

        let baseline = &settings.baseline;
        let judge = Judge::new(baseline, Direction::Ingress, Some(&group), &lists, today());
        let after = ec2.rules_of(&group).unwrap();
        for rule in rules.iter().filter(|rule| judge.judge(rule).is_compliant()) {
            prop_assert!(after.contains(rule));
        }
        prop_assert!(admits(&after).is_subset_of(&admits(&rules)));
        for rule in &rules {
            let judgement = judge.judge(rule);
            if judge.code(&judgement) == Some(Code::OpenSsh) {
                prop_assert!(after.iter().all(|other| other.content() != rule.content()));
            }
            if !judgement.is_compliant() {
                let reported = |report: &Report| {
                    report.findings.iter().any(|finding| is_about(finding, rule))
                };
                prop_assert!(reported(&again));
                prop_assert!(first.as_ref().map_or(true, reported));
            }
        }
    }

    /// Pasted one after the other, the lines that findings offer leave the traffic that reverts of
    /// all of them leave, and none of them is refused.
    #[test]
    fn fixes_leave_what_reverts_leave(rules in any_group(), baseline in any_baseline()) {
        let mode = Remediation::RevertIngress;
        let reverting = Settings { baseline, ..settings(mode) };
        let notifying = Settings { remediation: Remediation::Notify, ..reverting.clone() };
        let event = event(ChangeKind::Authorized(rules.clone()));
        let (reverted, pasted) =
            (ec2(&rules).with_rule_limit(1000), ec2(&rules).with_rule_limit(1000));
        let done = run(&reverted, &reverting, &event).unwrap();
        for finding in run(&pasted, &notifying, &event).unwrap().findings {
            let rule = finding.rule().unwrap();
            let is_done = |it: &Finding| it.is_closed_by_revert() && is_about(it, rule);
            if done.findings.iter().any(is_done) {
                let fix = finding.fix.as_deref().unwrap();
                prop_assert!(paste(&pasted, fix), "{}", fix);
            }
        }
        let group = id(SG);
        let (one, other) =
            (reverted.rules_of(&group).unwrap(), pasted.rules_of(&group).unwrap());
        prop_assert_eq!(without_implied(&admits(&one)), without_implied(&admits(&other)));
    }
}
