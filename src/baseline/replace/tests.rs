use super::*;
use crate::baseline::samples::{load, today};
use crate::baseline::{Lists, parse_peers, parse_ports};
use crate::ec2::{Direction, Peer, Rule};
use crate::net::Traffic;

fn parse(text: &str) -> Baseline {
    Baseline::parse("my.yaml", text, today()).unwrap()
}

fn admitted(baseline: &Baseline, direction: Direction) -> Traffic {
    baseline.admitted(direction, None, &Lists::new()).traffic
}

fn tcp(port: i32, peer: &str) -> Traffic {
    let peer: Peer = peer.parse().unwrap();
    Rule::new(Direction::Ingress, Protocol::TCP, Some(port), Some(port), peer).unwrap().traffic()
}

fn web(name: &str, ports: &str) -> Result<Baseline, String> {
    load(name).with_web_ports(&parse_ports(ports).unwrap())
}

#[test]
fn only_ssh_sources_may_use_ssh() {
    let sources = parse_peers("203.0.113.0/24,2001:db8:1::/48,sg-7").unwrap();
    let before = admitted(&load("standard"), Direction::Ingress);
    let after = admitted(&load("standard").with_ssh_sources(sources), Direction::Ingress);
    let added =
        tcp(22, "203.0.113.0/24").union(&tcp(22, "2001:db8:1::/48")).union(&tcp(22, "sg-7"));
    assert_eq!(after, before.union(&added));
    assert!(before.intersection(&added).is_empty());
}

#[test]
fn ssh_sources_replace_the_set_of_the_file() {
    let baseline = parse(
        "version: 1\nname: x\npeer_sets: { ssh-sources: [10.0.0.0/8] }\negress: []\n\
         ingress: [{ name: SSH, protocol: tcp, ports: [22], peers: [ssh-sources] }]",
    );
    let nobody = baseline.clone().with_ssh_sources(vec![]);
    assert!(admitted(&nobody, Direction::Ingress).is_empty());
    let office = baseline.with_ssh_sources(parse_peers("203.0.113.0/24").unwrap());
    assert_eq!(admitted(&office, Direction::Ingress), tcp(22, "203.0.113.0/24"));
}

#[test]
fn ssh_sources_have_no_effect_if_no_entry_names_them() {
    let before = load("as-documented");
    let after = load("as-documented").with_ssh_sources(parse_peers("203.0.113.0/24").unwrap());
    assert!(after.peer_sets.contains_key(SSH_SOURCES));
    for direction in Direction::BOTH {
        assert_eq!(admitted(&after, direction), admitted(&before, direction));
    }
}

#[test]
fn web_ports_80_and_443_admit_the_same_as_the_shipped_baselines() {
    for (name, _) in crate::baseline::SHIPPED {
        let written = web(name, "80,443").unwrap();
        for direction in Direction::BOTH {
            assert_eq!(admitted(&written, direction), admitted(&load(name), direction), "{name}");
        }
    }
}

#[test]
fn web_ports_replace_http_and_https_of_ingress_only() {
    let baseline = web("restricted-egress", "8080-8081,8443").unwrap();
    let names: Vec<_> = baseline.ingress.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["Web", "SSH"]);
    assert!(baseline.ingress[0].expected);
    assert_eq!(baseline.egress, load("restricted-egress").egress);
    let mut expected = Traffic::empty();
    for port in [8080, 8081, 8443] {
        expected = expected.union(&tcp(port, "0.0.0.0/0")).union(&tcp(port, "::/0"));
    }
    assert_eq!(admitted(&baseline, Direction::Ingress), expected);
}

#[test]
fn the_entry_web_takes_the_place_of_the_first_entry_that_it_replaces() {
    let entry = |name: &str| format!("{{ name: {name}, protocol: tcp, peers: [anywhere] }}");
    let all: Vec<_> = ["A", "HTTPS", "B", "HTTP", "C"].iter().map(|name| entry(name)).collect();
    let text = format!(
        "version: 1\nname: x\nssh_ports: [2222]\negress: []\ningress: [{}]",
        all.join(", ")
    );
    let baseline = parse(&text).with_web_ports(&parse_ports("22").unwrap()).unwrap();
    let names: Vec<_> = baseline.ingress.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["A", "Web", "B", "C"]);
}

#[test]
fn faults_in_web_ports_are_reported() {
    assert_eq!(
        web("standard", "20-25,80").unwrap_err(),
        "22 is for SSH; write web ports without it"
    );
    let none = "version: 1\nname: mine\ningress: []\negress: []";
    let ports = parse_ports("80").unwrap();
    assert_eq!(
        parse(none).with_web_ports(&ports).unwrap_err(),
        "the baseline `mine` has no entry HTTP or HTTPS in ingress that web ports could replace; write the ports into the baseline"
    );
    assert_eq!(
        web("standard", "80").unwrap().with_web_ports(&ports).unwrap_err(),
        "the baseline `standard` has no entry HTTP or HTTPS in ingress that web ports could replace; write the ports into the baseline"
    );
    let mut both = load("standard");
    both.ingress[2].name = "Web".into();
    assert_eq!(
        both.with_web_ports(&ports).unwrap_err(),
        "the baseline `standard` already has an entry `Web`; write the ports into the baseline"
    );
    assert_eq!(
        load("standard").with_web_ports(&IntervalSet::empty()).unwrap_err(),
        "there is no web port; write one, such as 443"
    );
}
