//! Exemptions: they go by content, for one group and one direction, until a day.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::baseline::Exemption;
use crate::ec2::AccountId;
use crate::net::{Set, Traffic};

const SG: &str = "sg-0own";

static OWN: LazyLock<GroupId> = LazyLock::new(|| group(SG));

/// A baseline with these exemptions, each written from its group on.
fn exempting(exemptions: &[&str]) -> Baseline {
    let mut text = "version: 1\nname: t\n\
        peer_sets: { vendor: [198.51.100.0/24, \"2001:db8:9::/48\"] }\n\
        ingress:\n\
        - { name: HTTP, protocol: tcp, ports: [80], peers: [anywhere], expected: true }\n\
        - { name: v4, protocol: tcp, ports: [7000], peers: [0.0.0.0/0] }\n\
        - { name: SSH, protocol: tcp, ports: [22], peers: [203.0.113.0/24] }\n\
        egress: []\n"
        .to_owned();
    if !exemptions.is_empty() {
        text.push_str("exemptions:\n");
    }
    for exemption in exemptions {
        text.push_str(&format!("- {{ group: {exemption} }}\n"));
    }
    custom(&text)
}

fn active(what: &str) -> String {
    format!("{SG}, direction: ingress, {what}, reason: ticket 4711, until: 2026-11-01")
}

/// The code, the excess and what is exempt.
fn three(baseline: &Baseline, lists: &Lists, text: &str) -> (Option<Code>, String, String) {
    let judge = Judge::new(baseline, Direction::Ingress, Some(&*OWN), lists, today());
    let rule = rule(text);
    let judgement = judge.judge(&rule);
    let said = |traffic| excess_text(&rule, traffic);
    (judge.code(&judgement), said(&judgement.excess), said(&judgement.exempt))
}

#[track_caller]
fn exempt(what: &str, text: &str, code: Option<Code>, excess: &str, exempt: &str) {
    let baseline = exempting(&[&active(what)]);
    let expected = (code, excess.to_owned(), exempt.to_owned());
    assert_eq!(three(&baseline, &Lists::new(), text), expected, "{what}: {text}");
}

#[test]
fn only_what_it_covers_is_exempt() {
    let vendor = "protocol: tcp, ports: [\"8000-8010\"], peers: [198.51.100.0/24]";
    exempt(
        vendor,
        "tcp 8000..8010 198.51.100.0/24",
        None,
        "",
        "tcp 8000-8010 from 198.51.100.0/24",
    );
    exempt(vendor, "tcp 8005 198.51.100.7/32", None, "", "tcp 8005 from 198.51.100.7/32");
    exempt(
        vendor,
        "tcp 8005..8011 198.51.100.0/24",
        Some(Code::IngressNotInBaseline),
        "tcp 8011 from 198.51.100.0/24",
        "tcp 8005-8010 from 198.51.100.0/24",
    );
    exempt(
        vendor,
        "tcp 8000 198.51.100.0/23",
        Some(Code::IngressNotInBaseline),
        "tcp 8000 from 198.51.101.0/24",
        "tcp 8000 from 198.51.100.0/24",
    );
    // Somebody who stretches an exempt rule to SSH has open SSH.
    exempt(
        vendor,
        "tcp 22..8000 198.51.100.0/24",
        Some(Code::OpenSsh),
        "tcp 22-79, 81-6999, 7001-7999 from 198.51.100.0/24",
        "tcp 8000 from 198.51.100.0/24",
    );
    exempt(
        vendor,
        "udp 8000 198.51.100.0/24",
        Some(Code::IngressNotInBaseline),
        "udp 8000 from 198.51.100.0/24",
        "",
    );
    // What the baseline admits anyway is not exempt.
    exempt("protocol: tcp, peers: [anywhere]", "tcp 80 0.0.0.0/0", None, "", "");
}

#[test]
fn it_is_for_one_group_in_one_direction_until_its_day_has_ended() {
    let what = "protocol: tcp, ports: [22], peers: [198.51.100.0/24]";
    let tail = "reason: ticket 4711, until:";
    let ssh = "tcp 22 198.51.100.0/24";
    let lists = Lists::new();
    for (exemption, day, code) in [
        (format!("{SG}, direction: ingress, {what}, {tail} 2026-11-02"), 1, None),
        (format!("{SG}, direction: ingress, {what}, {tail} 2026-11-02"), 2, None),
        (format!("{SG}, direction: ingress, {what}, {tail} 2026-11-02"), 3, Some(Code::OpenSsh)),
        (
            format!("sg-0other, direction: ingress, {what}, {tail} 2026-11-02"),
            1,
            Some(Code::OpenSsh),
        ),
        (format!("{SG}, direction: egress, {what}, {tail} 2026-11-02"), 1, Some(Code::OpenSsh)),
    ] {
        let baseline = exempting(&[&exemption]);
        let day = NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        let judge = Judge::new(&baseline, Direction::Ingress, Some(&*OWN), &lists, day);
        assert_eq!(judge.code(&judge.judge(&rule(ssh))), code, "{exemption} on {day}");
        // A group that is only known by its name has none.
        let judge = Judge::new(&baseline, Direction::Ingress, None, &lists, day);
        assert_eq!(judge.code(&judge.judge(&rule(ssh))), Some(Code::OpenSsh));
    }
}

#[test]
fn every_kind_of_peer_can_be_exempt() {
    let what = |peers: &str| format!("protocol: tcp, ports: [3306], peers: [{peers}]");
    for (peers, rule) in [
        ("sg-0a", "tcp 3306 sg-0a"),
        ("self", "tcp 3306 sg-0own"),
        ("210987654321/sg-0a", "tcp 3306 210987654321/sg-0a"),
        ("vendor", "tcp 3306 198.51.100.7/32"),
        ("vendor", "tcp 3306 2001:db8:9:1::/64"),
        ("pl-0a", "tcp 3306 pl-0a"),
        ("anywhere", "tcp 3306 pl-0a"),
        ("anywhere", "tcp 3306 sg-0a"),
    ] {
        let baseline = exempting(&[&active(&what(peers))]);
        let found = three(&baseline, &Lists::new(), rule);
        assert_eq!((found.0, found.1.as_str()), (None, ""), "{peers}: {rule}");
        assert!(!found.2.is_empty());
    }
    for (peers, other) in [
        ("sg-0a", "tcp 3306 210987654321/sg-0a"),
        ("self", "tcp 3306 sg-0a"),
        ("0.0.0.0/0", "tcp 3306 sg-0a"),
    ] {
        let baseline = exempting(&[&active(&what(peers))]);
        let found = three(&baseline, &Lists::new(), other);
        assert_eq!(found.0, Some(Code::IngressNotInBaseline), "{peers}: {other}");
    }
    // With its own account, as EC2 does not write it.
    let account: AccountId = "123456789012".parse().unwrap();
    let own = exempting(&[&active(&what("123456789012/sg-0a"))]);
    let own = own.of_account(Some(&account));
    assert_eq!(three(&own, &Lists::new(), "tcp 3306 sg-0a").0, None);
}

#[test]
fn a_list_is_exempt_by_its_entries_too() {
    let baseline = exempting(&[&active("protocol: tcp, ports: [3306], peers: [pl-0a]")]);
    let read: Lists = [(list("pl-0a"), Ok(vec!["10.0.0.0/8".parse().unwrap()]))].into();
    assert_eq!(three(&baseline, &read, "tcp 3306 10.1.0.0/16").0, None);
    assert_eq!(three(&baseline, &read, "tcp 3306 11.0.0.0/8").0, Some(Code::IngressNotInBaseline));
    let judge = Judge::new(&baseline, Direction::Ingress, Some(&*OWN), &read, today());
    let part = rule("tcp 3306 8.0.0.0/6");
    let judgement = judge.judge(&part);
    let parts = judge.exempted(&part, &judgement);
    assert_eq!(parts.len(), 1);
    assert_eq!((parts[0].0.reason.as_str(), &parts[0].1), ("ticket 4711", &judgement.exempt));
    assert!(judge.undecided_exemptions(&judgement).is_empty());
}

#[test]
fn a_list_that_cannot_be_read_leaves_it_undecided() {
    let baseline = exempting(&[&active("protocol: tcp, ports: [22], peers: [pl-0a]")]);
    let nothing = Lists::new();
    let judge = Judge::new(&baseline, Direction::Ingress, Some(&*OWN), &nothing, today());
    let needs = |text: &str| {
        let needed = judge.lists_needed(&rule(text));
        ids(&needed).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(needs("tcp 22 0.0.0.0/0"), ["pl-0a"]);
    assert_eq!(needs("tcp 3306 0.0.0.0/0"), [""; 0]);
    assert_eq!(needs("tcp 22 203.0.113.0/24"), [""; 0]);

    let unread: Lists = [(list("pl-0a"), Err(denied()))].into();
    let judge = Judge::new(&baseline, Direction::Ingress, Some(&*OWN), &unread, today());
    let undecided = |text: &str| {
        let judgement = judge.judge(&rule(text));
        let all = judge.undecided_exemptions(&judgement);
        let lists = all.into_iter().flat_map(|one| one.lists);
        let lists: Vec<String> = lists.map(|(id, why)| format!("{id} {}", why.unwrap())).collect();
        (judge.code(&judgement), lists)
    };
    // The code stays the same.
    assert_eq!(
        undecided("tcp 22 0.0.0.0/0"),
        (Some(Code::OpenSsh), vec![format!("pl-0a {}", denied())])
    );
    assert_eq!(undecided("tcp 3306 0.0.0.0/0"), (Some(Code::IngressNotInBaseline), vec![]));
    // Of the list itself it is not known whether it is wide.
    assert_eq!(undecided("tcp 22 pl-0a"), (Some(Code::UnresolvedPeer), vec![]));
}

#[test]
fn what_the_baseline_and_an_exemption_admit_together_is_exempt() {
    // All of IPv4 by the baseline and all of IPv6 by an exemption: everybody, groups included.
    let baseline = exempting(&[&active("protocol: tcp, ports: [7000], peers: [\"::/0\"]")]);
    let lists = Lists::new();
    assert_eq!(
        three(&baseline, &lists, "tcp 7000 sg-0a"),
        (None, String::new(), "tcp 7000 from sg-0a".to_owned())
    );
    let judge = Judge::new(&baseline, Direction::Ingress, Some(&*OWN), &lists, today());
    let group = rule("tcp 7000 sg-0a");
    let judgement = judge.judge(&group);
    assert_eq!(judge.exempted(&group, &judgement).len(), 1);
}

#[test]
fn an_expired_one_is_named_where_it_would_have_helped() {
    let expired = |what: &str| {
        format!("{SG}, direction: ingress, {what}, reason: ticket 4711, until: 2026-10-31")
    };
    let baseline = exempting(&[
        &expired("protocol: tcp, ports: [\"20-25\"], peers: [198.51.100.0/24]"),
        &expired("protocol: tcp, ports: [3306], peers: [sg-0a]"),
    ]);
    let lists = Lists::new();
    let judge = Judge::new(&baseline, Direction::Ingress, Some(&*OWN), &lists, today());
    let named = |text: &str| judge.expired(&rule(text), &judge.judge(&rule(text))).len();
    assert_eq!(named("tcp 22 0.0.0.0/0"), 1);
    assert_eq!(named("tcp 3306 sg-0a"), 1);
    assert_eq!(named("tcp 3306 sg-0b"), 0);
    assert_eq!(named("tcp 26 0.0.0.0/0"), 0);
    assert_eq!(named("tcp 80 198.51.100.0/24"), 0);
}

#[test]
fn the_exemption_that_would_help_is_ready_to_paste() {
    let baseline = exempting(&[]);
    let lists = Lists::new();
    let judge = Judge::new(&baseline, Direction::Ingress, Some(&*OWN), &lists, today());
    let line = |text: &str| judge.exemption_for(&rule(text)).map(|exemption| exemption.to_line());
    assert_eq!(
        line("tcp 8000..8010 198.51.100.0/24").unwrap(),
        "- { group: sg-0own, direction: ingress, protocol: tcp, ports: [\"8000-8010\"], \
         peers: [198.51.100.0/24], reason: \"<ticket, and why this is needed>\", until: 2026-12-01 }"
    );
    assert!(
        line("-1 * 2001:db8::/32").unwrap().contains("protocol: all, peers: [\"2001:db8::/32\"]")
    );
    // No SSH from a list that may be wide.
    assert_eq!(line("tcp 22 pl-0a"), None);
    assert_eq!(
        Judge::new(&baseline, Direction::Ingress, None, &lists, today())
            .exemption_for(&rule("tcp 22 ::/0")),
        None
    );
}

const PEERS: [&str; 14] = [
    "0.0.0.0/0",
    "::/0",
    "0.0.0.0/1",
    "10.0.0.0/8",
    "10.0.0.0/9",
    "203.0.113.0/24",
    "203.0.113.64/26",
    "198.51.100.7/32",
    "2001:db8:1::/48",
    "2001:db8::/32",
    "sg-0b",
    "pl-r",
    "pl-w",
    "pl-x",
];
const WHAT: [(&str, &str); 9] = [
    ("tcp 22", "protocol: tcp, ports: [22]"),
    ("tcp 80", "protocol: tcp, ports: [80]"),
    ("tcp 20..25", "protocol: tcp, ports: [\"20-25\"]"),
    ("tcp *", "protocol: tcp"),
    ("udp 22..80", "protocol: udp, ports: [\"22-80\"]"),
    ("-1 *", "protocol: all"),
    ("icmp 8..0", "protocol: icmp, ports: [8]"),
    ("icmp *", "protocol: icmp"),
    ("50 *", "protocol: 50"),
];

fn any_what() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop::sample::select(&WHAT[..])
}

fn any_item() -> impl Strategy<Value = String> {
    let peers = prop::collection::vec(prop::sample::select(&PEERS[..]), 1..4);
    (any_what(), peers).prop_map(|((_, what), peers)| {
        let peers: Vec<String> = peers.iter().map(|peer| format!("\"{peer}\"")).collect();
        format!("{what}, peers: [{}]", peers.join(", "))
    })
}

fn lists() -> Lists {
    [
        (list("pl-r"), Ok(vec!["10.0.0.0/9".parse().unwrap(), "198.51.100.7/32".parse().unwrap()])),
        (list("pl-w"), Ok(vec!["0.0.0.0/1".parse().unwrap()])),
        (list("pl-x"), Err(denied())),
    ]
    .into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What a rule admits beyond the entries is its excess, what is exempt, and what is undecided,
    /// without overlaps. The exemption that is proposed leaves nothing to find.
    #[test]
    fn exempt_excess_and_unresolved_are_the_whole_and_do_not_overlap(
        what in any_what(),
        peer in prop::sample::select(&PEERS[..]),
        entries in prop::collection::vec(any_item(), 0..4),
        exemptions in prop::collection::vec((any_item(), 0u32..3), 0..4),
    ) {
        let mut text = "version: 1\nname: t\negress: []\ningress:".to_owned();
        if entries.is_empty() {
            text.push_str(" []");
        }
        for (number, entry) in entries.iter().enumerate() {
            text.push_str(&format!("\n- {{ name: e{number}, {entry} }}"));
        }
        text.push('\n');
        if !exemptions.is_empty() {
            text.push_str("exemptions:\n");
        }
        for (exemption, kind) in &exemptions {
            let (group, until) = [(SG, "2026-11-01"), (SG, "2026-10-31"), ("sg-0b", "2026-11-09")][*kind as usize];
            text.push_str(&format!(
                "- {{ group: {group}, direction: ingress, {exemption}, reason: why, until: {until} }}\n"
            ));
        }
        let (baseline, lists, rule) = (custom(&text), lists(), rule(&format!("{} {peer}", what.0)));
        let plain = Baseline { exemptions: Vec::new(), ..baseline.clone() };
        let judge = Judge::new(&baseline, Direction::Ingress, Some(&*OWN), &lists, today());
        let without = Judge::new(&plain, Direction::Ingress, Some(&*OWN), &lists, today()).judge(&rule);
        let judgement = judge.judge(&rule);
        let Judgement { excess, exempt, unresolved } = &judgement;
        for (a, b) in [(excess, exempt), (excess, unresolved), (exempt, unresolved)] {
            prop_assert!(a.intersection(b).is_empty());
        }
        prop_assert_eq!(
            excess.union(exempt).union(unresolved),
            without.excess.union(&without.unresolved)
        );

        // By address it is as simple as this.
        if rule.peer().reference().is_none() {
            let active = judge.active.iter().map(|(_, resolved)| resolved.traffic.clone());
            let covered = Traffic::union_of(active.collect()).intersection(&rule.traffic());
            prop_assert_eq!(exempt, &covered.difference(&judge.admitted.traffic));
        }

        let parts = judge.exempted(&rule, &judgement);
        prop_assert!(parts.iter().all(|(exemption, _)| exemption.group == *OWN && exemption.is_active(today())));
        prop_assert_eq!(&Traffic::union_of(parts.into_iter().map(|(_, part)| part).collect()), exempt);

        if let Some(proposed) = judge.exemption_for(&rule) {
            let exemption = Exemption { reason: "ticket 4711".to_owned(), ..proposed };
            if exemptions.is_empty() {
                text.push_str("exemptions:\n");
            }
            text.push_str(&exemption.to_line());
            let pasted = custom(&text);
            let judge = Judge::new(&pasted, Direction::Ingress, Some(&*OWN), &lists, today());
            let judgement = judge.judge(&rule);
            prop_assert_eq!(judge.code(&judgement), None, "{}", text);
            let named: Vec<&Exemption> =
                judge.exempted(&rule, &judgement).into_iter().map(|(exemption, _)| exemption).collect();
            prop_assert!(judgement.exempt.is_empty() || named.contains(&&exemption));
        } else {
            prop_assert_eq!(peer, "pl-x");
        }
    }
}
