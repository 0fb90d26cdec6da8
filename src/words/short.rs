//! Rules and traffic as short text for people.

use super::boxes::{icmp_rectangles, protocols_text, range};
use crate::ec2::{Direction, Peer, Protocol, Rule};
use crate::net::{
    Cells, Interval, IntervalSet, Layers, Set, Traffic, cidrs_ipv4, cidrs_ipv6, interval_ipv4,
    interval_ipv6,
};
use crate::text::first_of;

/// How many blocks a text names. It only counts the rest.
const BLOCKS_NAMED: usize = 6;

/// How many of several rules a text names. It only counts the rest.
const RULES_NAMED: usize = 3;

/// A rule: `tcp 22 from 0.0.0.0/0`, `all traffic to ::/0`.
pub fn rule_text(rule: &Rule) -> String {
    format!("{} {} {}", cells_text(&rule.cells()), preposition(rule.direction()), rule.peer())
}

/// The same as a sentence writes it: `TCP 22 from 0.0.0.0/0`. The peer stays as it is, because a name
/// may have `tcp` in it.
pub fn rule_in_sentence(rule: &Rule) -> String {
    let cells = in_capitals(&cells_text(&rule.cells()));
    format!("{cells} {} {}", preposition(rule.direction()), rule.peer())
}

/// Several rules of one direction in short form, by what they have in common:
/// `tcp 22 from 198.51.100.1/32, 198.51.100.2/32, 198.51.100.3/32 and 57 more`.
pub fn rules_text(rules: &[&Rule]) -> String {
    let Some(first) = rules.first() else { return String::new() };
    let way = preposition(first.direction());
    let named = |text: fn(&Rule) -> String| {
        first_of(rules.iter().map(|rule| text(rule)), RULES_NAMED, ", ")
    };
    let peer = |rule: &Rule| rule.peer().to_string();
    let cells = |rule: &Rule| cells_text(&rule.cells());
    if rules.iter().all(|rule| rule.cells() == first.cells()) {
        format!("{} {way} {}", cells(first), named(peer))
    } else if rules.iter().all(|rule| rule.peer() == first.peer()) {
        format!("{} {way} {}", named(cells), first.peer())
    } else {
        named(rule_text)
    }
}

fn preposition(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "from",
        Direction::Egress => "to",
    }
}

/// Part of the traffic that a rule admits: `tcp 22 from anywhere but 203.0.113.0/24`.
pub fn excess_text(rule: &Rule, excess: &Traffic) -> String {
    let (base_ipv4, base_ipv6) = match rule.peer() {
        Peer::Ipv4(net) => (IntervalSet::from(interval_ipv4(net)), IntervalSet::empty()),
        Peer::Ipv6(net) => (IntervalSet::empty(), IntervalSet::from(interval_ipv6(net))),
        Peer::Reference(_) => (IntervalSet::empty(), IntervalSet::empty()),
    };
    let base = (!rule.peer().is_anywhere()).then(|| rule.peer().to_string());
    let mut parts = Vec::new();
    for (cells, peers) in by_peers(&excess.ipv4) {
        let list = |set: &IntervalSet<u32>| cidrs_ipv4(set).map(|net| net.to_string()).collect();
        parts.push((cells, peers_text(&peers, &base_ipv4, base.as_deref(), "anywhere", list)));
    }
    for (cells, peers) in by_peers(&excess.ipv6) {
        let list = |set: &IntervalSet<u128>| cidrs_ipv6(set).map(|net| net.to_string()).collect();
        let anywhere = "anywhere (IPv6)";
        parts.push((cells, peers_text(&peers, &base_ipv6, base.as_deref(), anywhere, list)));
    }
    for (cells, peers) in by_peers(&excess.references) {
        parts.push((cells, names(&peers.iter().map(ToString::to_string).collect::<Vec<_>>())));
    }
    let way = preposition(rule.direction());
    let texts: Vec<String> =
        parts.iter().map(|(cells, peers)| format!("{} {way} {peers}", cells_text(cells))).collect();
    texts.join("; ")
}

/// The different sets of peers, each with its cells.
fn by_peers<V: Set>(of: &Layers<u8, Layers<u16, V>>) -> Vec<(Cells, V)> {
    let mut out: Vec<(Cells, V)> = Vec::new();
    for (protocols, ports) in of.layers() {
        for (selectors, peers) in ports.layers() {
            let cells = Layers::product(&(*protocols).into(), &(*selectors).into());
            match out.iter_mut().find(|(_, same)| same == peers) {
                Some((open, _)) => *open = open.union(&cells),
                None => out.push((cells, peers.clone())),
            }
        }
    }
    out
}

fn peers_text<V: Set>(
    peers: &V,
    base: &V,
    base_name: Option<&str>,
    anywhere: &str,
    list: impl Fn(&V) -> Vec<String>,
) -> String {
    let base_name = base_name.unwrap_or(anywhere);
    let missing = base.difference(peers);
    if !base.is_empty() && missing.is_empty() {
        return base_name.to_owned();
    }
    let (own, but) = (list(peers), list(&missing));
    if !base.is_empty() && but.len() < own.len() {
        format!("{base_name} but {}", names(&but))
    } else {
        names(&own)
    }
}

fn names(all: &[String]) -> String {
    first_of(all.iter(), BLOCKS_NAMED, ", ")
}

/// Protocols and ports: `tcp 20-25`, `all traffic`, `every protocol but TCP`.
pub fn cells_text(cells: &Cells) -> String {
    let whole: IntervalSet<u8> = cells
        .layers()
        .iter()
        .filter(|(_, selectors)| selectors.is_full())
        .map(|(protocols, _)| *protocols)
        .collect();
    if whole.is_full() {
        return "all traffic".to_owned();
    }
    let partly = cells.layers().iter().filter(|(_, selectors)| !selectors.is_full());
    let partly = partly.map(|(protocols, selectors)| selectors_text(*protocols, selectors));
    if !(whole.contains(255) && whole.contains(0)) {
        let runs = whole.intervals().iter().map(|run| whole_protocols_text(*run));
        return runs.chain(partly).collect::<Vec<_>>().join(", ");
    }
    let others = every_protocol_but(&IntervalSet::full().difference(&whole));
    match partly.collect::<Vec<_>>().join(", ") {
        ports if ports.is_empty() => others,
        // The exception comes last, so that it does not seem to include the ports.
        ports => format!("{ports} and {others}"),
    }
}

fn whole_protocols_text(run: Interval<u8>) -> String {
    let protocol = Protocol::Number(run.first());
    if run.first() != run.last() {
        format!("protocols {}", protocols_text(run))
    } else if protocol.has_ports() || protocol.is_icmp() {
        format!("all {protocol}")
    } else {
        format!("protocol {protocol}")
    }
}

fn selectors_text(protocols: Interval<u8>, selectors: &IntervalSet<u16>) -> String {
    let protocol = Protocol::Number(protocols.first());
    let ranges: Vec<String> = if protocol.is_icmp() {
        selectors
            .intervals()
            .iter()
            .flat_map(|run| icmp_rectangles(*run))
            .map(|(types, codes)| {
                if codes == Interval::full() {
                    format!("type {}", range(types))
                } else {
                    format!("type {} code {}", range(types), range(codes))
                }
            })
            .collect()
    } else {
        selectors.intervals().iter().map(|run| range(*run)).collect()
    };
    format!("{} {}", protocols_text(protocols), ranges.join(", "))
}

/// `every protocol but TCP`
pub fn every_protocol_but(protocols: &IntervalSet<u8>) -> String {
    let names: Vec<String> = protocols.intervals().iter().map(|run| protocols_text(*run)).collect();
    format!("every protocol but {}", in_capitals(&names.join(", ")))
}

/// Names of protocols as a sentence writes them: TCP, ICMPv6.
pub fn in_capitals(text: &str) -> String {
    text.replace("tcp", "TCP").replace("udp", "UDP").replace("icmp", "ICMP")
}
