//! The tables of severities in `docs/findings.md`, cell by cell.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use strum::IntoEnumIterator;

use super::*;
use crate::baseline::{Baseline, Lists};
use crate::ec2::{Ec2Error, GroupId, Rule, cause};
use crate::evaluate::Judge;
use crate::evaluate::expected::closed;
use crate::event::{Removed, RevokedRules};

const DOCUMENTED: &str = include_str!("../../../docs/findings.md");

/// The rows of the table under a heading, the one with the columns' names first.
fn table(heading: &str) -> Vec<Vec<String>> {
    let (_, section) = DOCUMENTED.split_once(&format!("\n{heading}\n")).unwrap();
    let section = section.split("\n#").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|') && !line.starts_with("|-"));
    rows.map(|row| {
        row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect()
    })
    .collect()
}

fn baseline(text: &str) -> Baseline {
    let day = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
    let text = format!("version: 1\nname: t\nssh_ports: [22, 2222]\n{text}");
    Baseline::parse("t.yaml", &text, day).unwrap()
}

/// The severity of a rule under a baseline that admits nothing.
fn judged(direction: Direction, protocol: &str, port: Option<i32>, peer: &str) -> Severity {
    let nothing = baseline("ingress: []\negress: []\n");
    let day = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
    let action = "GetManagedPrefixListEntries";
    let denied = Ec2Error::Denied { action, cause: cause("UnauthorizedOperation") };
    let lists: Lists = [
        ("pl-wide".parse().unwrap(), Ok(vec!["0.0.0.0/1".parse().unwrap()])),
        ("pl-denied".parse().unwrap(), Err(denied)),
    ]
    .into();
    let own: GroupId = "sg-0own".parse().unwrap();
    let judge = Judge::new(&nothing, direction, Some(&own), &lists, day);
    let (protocol, peer) = (protocol.parse().unwrap(), peer.parse().unwrap());
    let rule = Rule::new(direction, protocol, port, port, peer).unwrap();
    let judgement = judge.judge(&rule);
    severity(judge.code(&judgement).unwrap(), &rule, &judgement, &judge)
}

/// What a column means, as protocol and port.
fn exposed(column: &str) -> Vec<(&'static str, Option<i32>)> {
    match column {
        "SSH" => vec![("tcp", Some(22)), ("tcp", Some(2222))],
        "RDP" => vec![("tcp", Some(3389))],
        "a database" => DATABASES.map(|port| ("tcp", Some(i32::from(port)))).to_vec(),
        "everything" => vec![("-1", None), ("tcp", None)],
        "ICMP alone" => vec![("icmp", None), ("icmp", Some(8)), ("icmpv6", None)],
        "anything else" => {
            vec![("tcp", Some(8080)), ("udp", Some(22)), ("udp", Some(3389)), ("50", None)]
        }
        other => panic!("{other}"),
    }
}

/// What a row means, as direction and peers.
fn to_whom(row: &str) -> (Direction, &'static [&'static str]) {
    let (direction, whom) = match row.split_once(' ').unwrap() {
        ("in", whom) => (Direction::Ingress, whom.strip_prefix("from ").unwrap()),
        ("out", whom) => (Direction::Egress, whom.strip_prefix("to ").unwrap()),
        _ => panic!("{row}"),
    };
    let whom = whom.split(" (").next().unwrap();
    let peers: &[&str] = match whom {
        "the Internet" => {
            &["0.0.0.0/0", "::/0", "0.0.0.0/1", "54.0.0.0/15", "2600::/31", "pl-wide"]
        }
        "a public range" => &["54.0.0.0/16", "8.8.8.8/31", "2600::/32", "2600:1::/63"],
        "a single public host" => &["8.8.8.8/32", "2600:1::/64", "2600:1::8/128"],
        "private addresses" => &["10.0.0.0/8", "192.168.7.1/32", "fc00::/7", "100.64.0.0/10"],
        "a group, or a list by its name" if direction == Direction::Egress => {
            &["sg-0a", "210987654321/sg-0b"]
        }
        "a group, or a list by its name" => &["sg-0a"],
        "a group of an account that the baseline does not name" => &["210987654321/sg-0b"],
        other => panic!("{other}"),
    };
    (direction, peers)
}

#[test]
fn the_severity_is_what_the_table_says() {
    let table = table("## Severity");
    let (head, rows) = table.split_first().unwrap();
    assert_eq!((head.len(), rows.len()), (7, 11));
    let mut met = BTreeSet::new();
    for row in rows {
        let (direction, peers) = to_whom(&row[0]);
        assert!(met.insert((direction, peers)), "{} twice", row[0]);
        for (column, cell) in head.iter().zip(row).skip(1) {
            for (protocol, port) in exposed(column) {
                for peer in peers {
                    let found = judged(direction, protocol, port, peer);
                    assert_eq!(found.as_str(), cell, "{} × {column}: {protocol} {peer}", row[0]);
                }
            }
        }
    }
}

#[test]
fn the_table_beside_the_code_is_the_same() {
    let cells = |row: &str| -> Vec<String> {
        row.trim_matches('|').split('|').skip(1).map(|cell| cell.trim().to_owned()).collect()
    };
    let beside: Vec<Vec<String>> = include_str!("../severity.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! "))
        .filter(|line| line.starts_with('|') && !line.starts_with("|-"))
        .map(cells)
        .collect();
    let documented: Vec<Vec<String>> =
        table("## Severity").into_iter().map(|row| row[1..].to_vec()).take(7).collect();
    assert_eq!(beside, documented);
}

#[test]
fn the_worst_of_what_a_rule_exposes_counts() {
    let of = |ports: (i32, i32), peer: &str| {
        let nothing = baseline("ingress: []\negress: []\n");
        let lists = Lists::new();
        let day = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
        let judge = Judge::new(&nothing, Direction::Ingress, None, &lists, day);
        let (from, to) = (Some(ports.0), Some(ports.1));
        let peer = peer.parse().unwrap();
        let rule = Rule::new(Direction::Ingress, Protocol::TCP, from, to, peer).unwrap();
        severity(Code::OpenSsh, &rule, &judge.judge(&rule), &judge)
    };
    assert_eq!(of((3000, 3305), "0.0.0.0/0"), Severity::High);
    assert_eq!(of((3000, 3306), "0.0.0.0/0"), Severity::Critical);
    assert_eq!(of((3000, 3306), "54.0.0.0/16"), Severity::High);
}

#[test]
fn findings_about_something_else_are_what_the_table_says() {
    let closed = |web: &str, removed: Removed, after: &[&str]| {
        let after: Vec<Rule> = after.iter().map(|port| tcp_from_anywhere(port)).collect();
        let change = [RevokedRules { direction: Direction::Ingress, removed, ids: Vec::new() }];
        closed(&baseline(web), None, &change, &after, &Lists::new()).unwrap().severity
    };
    let web = "ingress:\n\
        - { name: HTTP, protocol: tcp, ports: [80], peers: [anywhere], expected: true }\n\
        - { name: HTTPS, protocol: tcp, ports: [443], peers: [anywhere], expected: true }\n\
        egress: []\n";
    let https = || Removed::Rules(vec![tcp_from_anywhere("443")]);
    let ingress = Direction::Ingress;
    let expected = [
        (
            "expected-traffic-closed",
            "nobody can reach any expected traffic of the website",
            closed(web, https(), &["22"]),
        ),
        (
            "expected-traffic-closed",
            "somebody still can, or everybody could and now only some can",
            closed(web, https(), &["80"]),
        ),
        (
            "expected-traffic-closed",
            "it is not known whether it was let through before, or still is",
            closed(web, Removed::Within(Cells::everything()), &["22"]),
        ),
        (
            "unresolved-peer",
            "incoming SSH depends on the list",
            judged(ingress, "tcp", Some(22), "pl-denied"),
        ),
        ("unresolved-peer", "anything else depends on it", judged(ingress, "tcp", Some(80), "pl-denied")),
        (
            "unaudited-change",
            "a change or a place was not audited, or no trail or no event reports changes",
            UNAUDITED_CHANGE,
        ),
        (
            "unaudited-change",
            "the sweep could not look whether a trail reports changes",
            TRAIL_NOT_SEEN,
        ),
        ("left-scope", "always", LEFT_SCOPE),
        ("open-ssh-in-baseline", "a change caused it", open_ssh_in_baseline(true)),
        ("open-ssh-in-baseline", "a sweep or a check found it", open_ssh_in_baseline(false)),
        (
            "auditor-changed",
            "anybody but CloudFormation did it, or it was a trail",
            auditor_changed(false),
        ),
        (
            "auditor-changed",
            "CloudFormation did it, and it weakens the auditor or changes a rule of another account",
            AUDITOR_WEAKENED,
        ),
        ("auditor-changed", "CloudFormation did it in another way, as each deployment does", auditor_changed(true)),
    ]
    .map(|(code, place, severity)| [code, place, severity.as_str()].map(str::to_owned).to_vec());
    assert_eq!(table("### Severity of the other findings")[1..], expected);
    assert_eq!(judged(Direction::Egress, "tcp", Some(22), "pl-denied"), Severity::Medium);

    // Every code is in one table or the other.
    let tabled: BTreeSet<&str> = expected.iter().map(|row| row[0].as_str()).collect();
    let excess =
        ["open-ssh", "ssh-from-unlisted-host", "ingress-not-in-baseline", "egress-not-in-baseline"];
    let all: BTreeSet<&str> = tabled.into_iter().chain(excess).collect();
    assert_eq!(all, Code::iter().map(Code::as_str).collect());
}

fn tcp_from_anywhere(port: &str) -> Rule {
    let port = Some(port.parse().unwrap());
    let peer = "0.0.0.0/0".parse().unwrap();
    Rule::new(Direction::Ingress, Protocol::TCP, port, port, peer).unwrap()
}

/// The severity of a rule from a group of another account, under a baseline.
fn from_stranger(text: &str, day: &str, protocol: &str, ports: Option<(i32, i32)>) -> Severity {
    let text = baseline(text);
    let (lists, own): (Lists, GroupId) = (Lists::new(), "sg-0own".parse().unwrap());
    let judge = Judge::new(&text, Direction::Ingress, Some(&own), &lists, day.parse().unwrap());
    let (from, to) = ports.unzip();
    let peer = "210987654321/sg-0b".parse().unwrap();
    let rule = Rule::new(Direction::Ingress, protocol.parse().unwrap(), from, to, peer).unwrap();
    let judgement = judge.judge(&rule);
    severity(judge.code(&judgement).unwrap(), &rule, &judgement, &judge)
}

#[test]
fn an_account_is_known_where_any_group_of_it_is_named() {
    let ssh = |text: &str, day: &str| from_stranger(text, day, "tcp", Some((22, 22)));
    let entry = |peer: &str| {
        let peers = format!("peers: [{peer}]");
        format!("ingress:\n  - {{ name: DB, protocol: tcp, ports: [3306], {peers} }}\negress: []\n")
    };
    let exempt = "ingress: []\negress: []\nexemptions:\n  - { group: sg-0c, direction: egress, \
        protocol: tcp, ports: [8000], peers: [210987654321/sg-0c], reason: migration, \
        until: 2026-12-31 }\n";
    let set = "peer_sets:\n  partners: [210987654321/sg-0c]\ningress: []\negress: []\n";
    let today = "2026-11-01";
    assert_eq!(ssh("ingress: []\negress: []\n", today), Severity::Medium);
    assert_eq!(ssh(&entry("123456789012/sg-0c"), today), Severity::Medium);
    assert_eq!(ssh(&entry("sg-0b"), today), Severity::Medium);
    assert_eq!(ssh(&entry("210987654321/sg-0c"), today), Severity::Low);
    assert_eq!(ssh(set, today), Severity::Low);
    assert_eq!(ssh(exempt, "2026-12-31"), Severity::Low);
    assert_eq!(ssh(exempt, "2027-01-01"), Severity::Medium);
}

#[test]
fn everything_from_a_stranger_counts_though_the_baseline_admits_ssh() {
    let open = "ingress:\n  - { name: SSH, protocol: tcp, ports: [22, 2222], peers: [anywhere] }\negress: []\n";
    let of = |protocol, ports| from_stranger(open, "2026-11-01", protocol, ports);
    assert_eq!(of("-1", None), Severity::Medium);
    assert_eq!(of("tcp", None), Severity::Medium);
    assert_eq!(of("tcp", Some((8000, 9000))), Severity::Low);
    assert_eq!(of("udp", None), Severity::Low);
    // Ports that contain SSH are SSH.
    let nothing = "ingress: []\negress: []\n";
    assert_eq!(from_stranger(nothing, "2026-11-01", "tcp", Some((1, 65535))), Severity::Medium);
    assert_eq!(from_stranger(nothing, "2026-11-01", "tcp", Some((23, 2221))), Severity::Low);
}
