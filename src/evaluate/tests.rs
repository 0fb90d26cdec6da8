//! Rules against the baseline `standard`, with the office as the SSH source, and against baselines
//! made for a test.

mod exempt;
mod laws;
mod lists;
mod plan;

use chrono::NaiveDate;
use ipnet::IpNet;

use super::*;
use crate::baseline::{Baseline, Lists, parse_peers};
use crate::ec2::{Direction, Ec2Error, GroupId, ListId, Rule, cause};
use crate::words::{boxes, excess_text};

const OFFICE: &str = "203.0.113.0/24,2001:db8:1::/48";

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 1).unwrap()
}

fn standard(sources: &str) -> Baseline {
    Baseline::load("standard", today()).unwrap().with_ssh_sources(parse_peers(sources).unwrap())
}

fn custom(text: &str) -> Baseline {
    Baseline::parse("test.yaml", text, today()).unwrap()
}

fn group(id: &str) -> GroupId {
    id.parse().unwrap()
}

fn list(id: &str) -> ListId {
    id.parse().unwrap()
}

fn ids<'a>(lists: impl IntoIterator<Item = &'a ListId>) -> Vec<&'a str> {
    lists.into_iter().map(ListId::as_str).collect()
}

/// EC2 does not let the auditor read a list.
fn denied() -> Ec2Error {
    let action = "GetManagedPrefixListEntries";
    Ec2Error::Denied { action, cause: cause("UnauthorizedOperation") }
}

/// `tcp 20..25 203.0.113.0/24`; ICMP as `icmp 8..-1`.
fn rule(text: &str) -> Rule {
    let words: Vec<&str> = text.split(' ').collect();
    let [protocol, ports, peer] = words[..] else { panic!("{text}") };
    let (from, to) = match ports.split_once("..") {
        _ if ports == "*" => (None, None),
        Some((from, to)) => (Some(from.parse().unwrap()), Some(to.parse().unwrap())),
        None => (Some(ports.parse().unwrap()), Some(ports.parse().unwrap())),
    };
    let (protocol, peer) = (protocol.parse().unwrap(), peer.parse().unwrap());
    Rule::new(Direction::Ingress, protocol, from, to, peer).unwrap()
}

fn judged(baseline: &Baseline, lists: &Lists, text: &str) -> (Option<Code>, String) {
    let own = group("sg-0own");
    let judge = Judge::new(baseline, Direction::Ingress, Some(&own), lists, today());
    let rule = rule(text);
    let judgement = judge.judge(&rule);
    (judge.code(&judgement), excess_text(&rule, &judgement.excess))
}

#[track_caller]
fn compliant(text: &str) {
    let lists = Lists::new();
    assert_eq!(judged(&standard(OFFICE), &lists, text), (None, String::new()), "{text}");
}

#[track_caller]
fn excess(text: &str, code: Code, beyond: &str) {
    let lists = Lists::new();
    assert_eq!(judged(&standard(OFFICE), &lists, text), (Some(code), beyond.to_owned()), "{text}");
}

#[test]
fn part_of_anywhere_is_compliant() {
    compliant("tcp 443 198.51.100.0/24");
    compliant("tcp 80 0.0.0.0/0");
    compliant("tcp 443 ::/0");
}

#[test]
fn every_group_and_list_is_part_of_anywhere() {
    compliant("tcp 80 sg-0123456789abcdef0");
    compliant("tcp 443 pl-0123456789abcdef0");
    compliant("tcp 443 210987654321/sg-0123456789abcdef0");
}

#[test]
fn inside_the_office_is_compliant() {
    compliant("tcp 22 203.0.113.64/26");
    compliant("tcp 22 2001:db8:1:5::/64");
}

#[test]
fn only_the_half_outside_the_office_is_excess() {
    excess("tcp 22 203.0.112.0/23", Code::OpenSsh, "tcp 22 from 203.0.112.0/24");
}

#[test]
fn halves_and_wide_blocks_are_open_ssh() {
    excess("tcp 22 0.0.0.0/1", Code::OpenSsh, "tcp 22 from 0.0.0.0/1");
    excess("tcp 22 128.0.0.0/1", Code::OpenSsh, "tcp 22 from 128.0.0.0/1 but 203.0.113.0/24");
    excess("tcp 22 54.0.0.0/8", Code::OpenSsh, "tcp 22 from 54.0.0.0/8");
    excess("tcp 22 ::/1", Code::OpenSsh, "tcp 22 from ::/1 but 2001:db8:1::/48");
    excess("tcp 22 8000::/1", Code::OpenSsh, "tcp 22 from 8000::/1");
}

#[test]
fn a_port_range_around_ssh_is_split() {
    excess(
        "tcp 20..25 0.0.0.0/0",
        Code::OpenSsh,
        "tcp 20-21, 23-25 from anywhere; tcp 22 from anywhere but 203.0.113.0/24",
    );
}

#[test]
fn a_port_range_around_the_web_leaves_the_web() {
    excess("tcp 80..443 0.0.0.0/0", Code::IngressNotInBaseline, "tcp 81-442 from anywhere");
}

#[test]
fn protocols_without_ports_mean_all_ports() {
    for ports in ["*", "0..0", "0..65535", "-1..-1", "443..443"] {
        excess(
            &format!("-1 {ports} 0.0.0.0/0"),
            Code::OpenSsh,
            "tcp 0-21, 23-79, 81-442, 444-65535 and every protocol but TCP from anywhere; \
             tcp 22 from anywhere but 203.0.113.0/24",
        );
        excess(
            &format!("50 {ports} 0.0.0.0/0"),
            Code::IngressNotInBaseline,
            "protocol 50 from anywhere",
        );
    }
}

#[test]
fn protocol_numbers_are_their_names() {
    compliant("6 443 0.0.0.0/0");
    excess("6 22 54.0.0.0/8", Code::OpenSsh, "tcp 22 from 54.0.0.0/8");
    excess("17 53 0.0.0.0/0", Code::IngressNotInBaseline, "udp 53 from anywhere");
    excess("1 8..-1 0.0.0.0/0", Code::IngressNotInBaseline, "icmp type 8 from anywhere");
    excess("58 * ::/0", Code::IngressNotInBaseline, "all icmpv6 from anywhere (IPv6)");
    excess("icmp 3..4 0.0.0.0/0", Code::IngressNotInBaseline, "icmp type 3 code 4 from anywhere");
}

#[test]
fn ssh_from_a_group_is_excess_unless_named_and_never_open_ssh() {
    excess("tcp 22 sg-0a", Code::IngressNotInBaseline, "tcp 22 from sg-0a");
    let lists = Lists::new();
    let named = standard("sg-0a");
    assert_eq!(judged(&named, &lists, "tcp 22 sg-0a").0, None);
    assert_eq!(judged(&named, &lists, "tcp 22 sg-0own").0, Some(Code::IngressNotInBaseline));
    let own = custom(
        "version: 1\nname: t\ningress:\n\
         - { name: SSH, protocol: tcp, ports: [22], peers: [self] }\negress: []\n",
    );
    assert_eq!(judged(&own, &lists, "tcp 22 sg-0own").0, None);
    assert_eq!(
        judged(&named, &lists, "tcp 22 210987654321/sg-0a").0,
        Some(Code::IngressNotInBaseline)
    );
}

#[test]
fn a_prefix_list_is_decided_by_its_entries() {
    let nets = |text: &str| Ok(text.split(',').map(|net| net.parse::<IpNet>().unwrap()).collect());
    let lists: Lists = [
        (list("pl-office"), nets("203.0.113.0/25,203.0.113.128/26")),
        (list("pl-wide"), nets("203.0.113.0/24,54.0.0.0/8")),
        (list("pl-gone"), Err(denied())),
    ]
    .into();
    let office = standard(OFFICE);
    assert_eq!(judged(&office, &lists, "tcp 22 pl-office"), (None, String::new()));
    assert_eq!(
        judged(&office, &lists, "tcp 22 pl-wide"),
        (Some(Code::OpenSsh), "tcp 22 from 54.0.0.0/8".to_owned())
    );
    assert_eq!(judged(&office, &lists, "tcp 22 pl-gone").0, Some(Code::UnresolvedPeer));
    assert_eq!(judged(&office, &lists, "tcp 22 pl-unread").0, Some(Code::UnresolvedPeer));
    // Port 80 is open to everybody; only the rest of the range depends on the list.
    assert_eq!(judged(&office, &lists, "tcp 79..80 pl-gone").0, Some(Code::UnresolvedPeer));
}

#[test]
fn a_list_in_the_baseline_counts_by_its_name_and_by_its_entries() {
    let baseline = standard("pl-office");
    let nothing = Lists::new();
    // It may be wide.
    assert_eq!(judged(&baseline, &nothing, "tcp 22 pl-office").0, Some(Code::UnresolvedPeer));
    // What an unread list might admit is not excess.
    assert_eq!(judged(&baseline, &nothing, "tcp 22 203.0.113.9/32").0, Some(Code::UnresolvedPeer));
    assert_eq!(
        judged(&baseline, &nothing, "tcp 21..22 198.51.100.0/24"),
        (Some(Code::IngressNotInBaseline), "tcp 21 from 198.51.100.0/24".to_owned())
    );
    let read: Lists = [(list("pl-office"), Ok(vec!["203.0.113.0/24".parse().unwrap()]))].into();
    assert_eq!(judged(&baseline, &read, "tcp 22 pl-office").0, None);
    assert_eq!(judged(&baseline, &read, "tcp 22 203.0.113.9/32").0, None);
    assert_eq!(judged(&baseline, &read, "tcp 22 198.51.100.0/24").0, Some(Code::OpenSsh));
}

#[test]
fn only_lists_that_decide_are_looked_up() {
    let lists = Lists::new();
    let needs = |sources: &str, text: &str| {
        let baseline = standard(sources);
        let judge = Judge::new(&baseline, Direction::Ingress, None, &lists, today());
        ids(&judge.lists_needed(&rule(text))).join(" ")
    };
    assert_eq!(needs(OFFICE, "tcp 443 pl-a"), "");
    assert_eq!(needs(OFFICE, "tcp 22 pl-a"), "pl-a");
    // Named as an SSH source, it must not be wide.
    assert_eq!(needs("pl-a", "tcp 22 pl-a"), "pl-a");
    assert_eq!(needs("pl-a", "tcp 22 203.0.113.1/32"), "pl-a");
    assert_eq!(needs("pl-a", "tcp 22 pl-b"), "pl-a pl-b");
    assert_eq!(needs("pl-a", "tcp 80 0.0.0.0/0"), "");
    assert_eq!(needs("pl-a", "tcp 21 0.0.0.0/0"), "");
    assert_eq!(needs(OFFICE, "tcp 22 sg-1"), "");
}

#[test]
fn entries_admit_together_what_none_admits_alone() {
    let baseline = custom(
        "version: 1\nname: t\ningress:\n\
         - { name: low, protocol: tcp, ports: [5000], peers: [10.0.0.0/9] }\n\
         - { name: high, protocol: tcp, ports: [5000], peers: [10.128.0.0/9] }\n\
         - { name: v4, protocol: tcp, ports: [7000], peers: [0.0.0.0/0] }\n\
         - { name: v6, protocol: tcp, ports: [7000], peers: [\"::/0\"] }\n\
         egress: []\n",
    );
    let lists = Lists::new();
    assert_eq!(judged(&baseline, &lists, "tcp 5000 10.0.0.0/8").0, None);
    assert_eq!(judged(&baseline, &lists, "tcp 7000 sg-1").0, None);
    assert_eq!(judged(&baseline, &lists, "tcp 7000 pl-1").0, None);
    assert_eq!(judged(&baseline, &lists, "tcp 5000 sg-1").0, Some(Code::IngressNotInBaseline));
}

#[test]
fn ssh_from_one_host_is_not_open_ssh() {
    excess("tcp 22 8.8.8.8/32", Code::SshFromUnlistedHost, "tcp 22 from 8.8.8.8/32");
    excess("tcp 22 8.8.8.8/31", Code::OpenSsh, "tcp 22 from 8.8.8.8/31");
    excess("tcp 22 2600:1::/64", Code::SshFromUnlistedHost, "tcp 22 from 2600:1::/64");
    excess("tcp 22 2600:1::/63", Code::OpenSsh, "tcp 22 from 2600:1::/63");
    excess("tcp 22 2600:1::8/128", Code::SshFromUnlistedHost, "tcp 22 from 2600:1::8/128");
    // All but one address of the block are in the office, and the last one is outside.
    excess("tcp 22 10.0.0.0/8", Code::IngressNotInBaseline, "tcp 22 from 10.0.0.0/8");
    excess("tcp 22 fc00::/7", Code::IngressNotInBaseline, "tcp 22 from fc00::/7");
    // 172.32.0.0/16 is public, and the block around it is not all private.
    excess("tcp 22 172.0.0.0/8", Code::OpenSsh, "tcp 22 from 172.0.0.0/8");
}

#[test]
fn ssh_is_where_the_baseline_says() {
    let baseline = custom("version: 1\nname: t\nssh_ports: [2222]\ningress: []\negress: []\n");
    let lists = Lists::new();
    assert_eq!(judged(&baseline, &lists, "tcp 2222 0.0.0.0/0").0, Some(Code::OpenSsh));
    assert_eq!(judged(&baseline, &lists, "tcp 22 0.0.0.0/0").0, Some(Code::IngressNotInBaseline));
    assert_eq!(judged(&baseline, &lists, "udp 2222 0.0.0.0/0").0, Some(Code::IngressNotInBaseline));
}

#[test]
fn egress_under_each_shipped_baseline() {
    let lists = Lists::new();
    let out = |name: &str, protocol: &str, port: Option<i32>| {
        let baseline = Baseline::load(name, today()).unwrap();
        let judge = Judge::new(&baseline, Direction::Egress, None, &lists, today());
        let peer = "0.0.0.0/0".parse().unwrap();
        let protocol = protocol.parse().unwrap();
        let rule = Rule::new(Direction::Egress, protocol, port, port, peer).unwrap();
        let judgement = judge.judge(&rule);
        (judge.code(&judgement), excess_text(&rule, &judgement.excess))
    };
    assert_eq!(out("standard", "-1", None).0, None);
    assert_eq!(out("restricted-egress", "tcp", Some(443)).0, None);
    assert_eq!(
        out("restricted-egress", "tcp", Some(25)),
        (Some(Code::EgressNotInBaseline), "tcp 25 to anywhere".to_owned())
    );
    assert_eq!(
        out("restricted-egress", "-1", None).1,
        "tcp 0-79, 81-442, 444-65535 and every protocol but TCP to anywhere"
    );
}

#[test]
fn only_a_baseline_with_wide_ssh_is_reported() {
    let today = today();
    let lists = Lists::new();
    let wide = |baseline: &Baseline| admits_wide_ssh(baseline, &lists, today);
    assert!(wide(&Baseline::load("as-documented", today).unwrap()));
    assert!(!wide(&standard(OFFICE)));
    assert!(!wide(&standard("203.0.0.0/16")));
    assert!(wide(&standard("203.0.0.0/16,198.51.100.7/32")));
    assert!(!wide(&standard("2001:db8::/32")));
    assert!(wide(&standard("2600::/31")));
    assert!(!wide(&standard("10.0.0.0/8")));
}

#[test]
fn boxes_of_an_excess_do_not_overlap_and_name_each_known_protocol() {
    let lists = Lists::new();
    let baseline = standard("none");
    let judge = Judge::new(&baseline, Direction::Ingress, None, &lists, today());
    let boxed = |text: &str| {
        let excess = judge.judge(&rule(text)).excess;
        boxes(&excess)
            .iter()
            .map(|b| {
                let what = match (&b.ports, &b.icmp) {
                    (Some(ports), None) => ports.clone(),
                    (None, Some(icmp)) => format!("{}/{}", icmp.types, icmp.codes),
                    both => panic!("{both:?}"),
                };
                format!("{} {what} {}", b.protocol, b.peers.join(" "))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(boxed("tcp 22 0.0.0.0/0"), ["tcp 22 0.0.0.0/0"]);
    assert_eq!(
        boxed("-1 * ::/0"),
        [
            "0 all ::/0",
            "icmp all/all ::/0",
            "2-5 all ::/0",
            "tcp 0-79 ::/0",
            "tcp 81-442 ::/0",
            "tcp 444-65535 ::/0",
            "7-16 all ::/0",
            "udp all ::/0",
            "18-57 all ::/0",
            "icmpv6 all/all ::/0",
            "59-255 all ::/0",
        ]
    );
    assert_eq!(boxed("icmp 8..-1 10.0.0.0/8"), ["icmp 8/all 10.0.0.0/8"]);
    assert_eq!(boxed("icmp 3..4 10.0.0.0/8"), ["icmp 3/4 10.0.0.0/8"]);
    let nothing = custom("version: 1\nname: t\ningress: []\negress: []\n");
    let judge = Judge::new(&nothing, Direction::Ingress, None, &lists, today());
    let all = boxes(&judge.judge(&rule("-1 * 0.0.0.0/0")).excess);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].protocol.as_str(), all[0].ports.as_deref()), ("all", Some("all")));
}
