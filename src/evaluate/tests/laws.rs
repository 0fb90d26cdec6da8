//! The quick check agrees with the exact one, for random rules, baselines and lists.

use std::borrow::Cow;

use proptest::prelude::*;
use proptest::sample::select;

use super::lists::read;
use super::*;
use crate::net::Set;

const GROUPS: [&str; 2] = ["sg-0a", "sg-0b"];

/// Among them a list that was read, one that could not be read, and one that was not looked up.
const PEERS: [&str; 17] = [
    "0.0.0.0/0",
    "::/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "203.0.113.0/24",
    "203.0.113.64/26",
    "203.0.112.0/23",
    "198.51.100.7/32",
    "2001:db8:1::/48",
    "2001:db8:1:5::/64",
    "::/1",
    "8000::/1",
    "sg-0a",
    "210987654321/sg-0a",
    "pl-office",
    "pl-denied",
    "pl-unread",
];

const PORTS: [&str; 8] = ["22", "80", "443", "20-25", "22-80", "80-443", "0-65535", "26-79"];

fn any_rule() -> impl Strategy<Value = Rule> {
    let what = prop_oneof![
        6 => select(&PORTS[..]).prop_map(|ports| format!("tcp {}", ports.replace('-', ".."))),
        1 => select(&["-1 *", "icmp *", "icmp 8..0", "50 *", "udp 22"][..]).prop_map(str::to_owned),
    ];
    (what, select(&PEERS[..]), any::<bool>()).prop_map(|(what, peer, egress)| {
        let direction = if egress { Direction::Egress } else { Direction::Ingress };
        rule(&format!("{what} {peer}")).with_direction(direction)
    })
}

fn any_what() -> impl Strategy<Value = String> {
    let what = prop_oneof![
        6 => select(&PORTS[..]).prop_map(|ports| format!("protocol: tcp, ports: [\"{ports}\"]")),
        1 => select(&["protocol: all", "protocol: icmp, ports: [8]", "protocol: 50"][..])
            .prop_map(str::to_owned),
    ];
    let peer = prop_oneof![
        6 => select(&PEERS[..]).prop_map(|peer| format!("\"{peer}\"")),
        2 => select(&["anywhere", "self", "set"][..]).prop_map(str::to_owned),
    ];
    (what, prop::collection::vec(peer, 1..4))
        .prop_map(|(what, peers)| format!("{what}, peers: [{}]", peers.join(", ")))
}

fn any_exemption() -> impl Strategy<Value = String> {
    let direction = select(&["ingress", "egress"][..]);
    let until = select(&["2026-11-30", "2026-10-31"][..]);
    (any_what(), select(&GROUPS[..]), direction, until).prop_map(
        |(what, group, direction, until)| {
            format!("group: {group}, direction: {direction}, {what}, reason: why, until: {until}")
        },
    )
}

/// A YAML list under a key.
fn yaml_list(key: &str, items: &[String]) -> String {
    let items: String = items.iter().map(|item| format!("\n  - {{ {item} }}")).collect();
    format!("{key}:{}\n", if items.is_empty() { " []".to_owned() } else { items })
}

fn any_baseline() -> impl Strategy<Value = Baseline> {
    let entries = || {
        prop::collection::vec(any_what(), 0..6).prop_map(|all| {
            (1..).zip(all).map(|(n, what)| format!("name: entry {n}, {what}")).collect::<Vec<_>>()
        })
    };
    let exemptions = prop::collection::vec(any_exemption(), 0..3);
    (entries(), entries(), exemptions).prop_map(|(ingress, egress, exemptions)| {
        custom(&format!(
            "version: 1\nname: random\npeer_sets:\n  set: [self, 198.51.100.0/24]\n{}{}{}",
            yaml_list("ingress", &ingress),
            yaml_list("egress", &egress),
            yaml_list("exemptions", &exemptions),
        ))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_quick_check_agrees_with_the_exact_one(
        baseline in any_baseline(),
        rules in prop::collection::vec(any_rule(), 1..12),
        group in select(&GROUPS[..]),
    ) {
        let (lists, group) = (read(), super::group(group));
        for direction in [Direction::Ingress, Direction::Egress] {
            let judge = Judge::new(&baseline, direction, Some(&group), &lists, today());
            for rule in rules.iter().filter(|rule| rule.direction() == direction) {
                prop_assert_eq!(judge.judge(rule), judge.worked_out(rule));
                prop_assert_eq!(judge.lists_needed(rule), judge.lists_worked_out(rule));
                if rule.peer().reference().is_none() {
                    let part = rule.traffic().is_subset_of(&judge.admitted.traffic);
                    prop_assert_eq!(judge.admitted.surely_admits(rule), part);
                }
            }
        }
    }

    #[test]
    fn a_yardstick_makes_the_same_judges_as_judge_new(baseline in any_baseline()) {
        let lists = read();
        let yardstick = Yardstick::new(Cow::Borrowed(&baseline), &lists, today());
        for group in GROUPS.map(super::group) {
            for direction in [Direction::Ingress, Direction::Egress] {
                let one = Judge::new(&baseline, direction, Some(&group), &lists, today());
                let made = yardstick.judge(direction, &group);
                prop_assert_eq!(&made.admitted, &one.admitted);
                prop_assert_eq!(&made.tolerated, &one.tolerated);
                prop_assert_eq!(made.active, one.active);
            }
        }
    }
}

#[test]
fn the_usual_rules_of_a_website_pass_the_quick_check() {
    let lists = Lists::new();
    let (baseline, own) = (standard(OFFICE), group("sg-0own"));
    let judge = Judge::new(&baseline, Direction::Ingress, Some(&own), &lists, today());
    for text in [
        "tcp 443 0.0.0.0/0",
        "tcp 80 ::/0",
        "tcp 443 198.51.100.0/24",
        "tcp 80 sg-0a",
        "tcp 443 pl-unread",
        "tcp 22 203.0.113.64/26",
    ] {
        assert!(judge.admitted.surely_admits(&rule(text)), "{text}");
    }
    for text in ["tcp 22 0.0.0.0/0", "tcp 80..443 0.0.0.0/0", "-1 * sg-0a", "udp 443 ::/0"] {
        assert!(!judge.admitted.surely_admits(&rule(text)), "{text}");
    }
}
