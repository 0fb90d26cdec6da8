//! Rules and traffic the short way, for people.

use super::boxes::{icmp_rectangles, range_u8, range_u16};
use crate::ec2::{Direction, Peer, Protocol, Rule};
use crate::finding::Code;
use crate::net::{
    Cells, Interval, IntervalSet, Layers, ReferenceSet, Set, Traffic, cidrs_ipv4, cidrs_ipv6,
    interval_ipv4, interval_ipv6, wide_ipv4, wide_ipv6,
};

/// How many blocks are named one by one before the rest is counted.
const BLOCKS_NAMED: usize = 6;

/// A rule the short way: `tcp 22 from 0.0.0.0/0`, `all traffic to ::/0`.
pub fn rule_text(rule: &Rule) -> String {
    let what = cells_text(&rule.cells());
    format!("{what} {} {}", preposition(rule.direction), rule.peer)
}

fn preposition(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "from",
        Direction::Egress => "to",
    }
}

/// Traffic that a rule admits, the short way: `tcp 22 from anywhere but 203.0.113.0/24`.
pub fn excess_text(rule: &Rule, excess: &Traffic) -> String {
    let (base_ipv4, base_ipv6) = match &rule.peer {
        Peer::Ipv4(net) => (IntervalSet::from(interval_ipv4(net)), IntervalSet::empty()),
        Peer::Ipv6(net) => (IntervalSet::empty(), IntervalSet::from(interval_ipv6(net))),
        Peer::Reference(_) => (IntervalSet::empty(), IntervalSet::empty()),
    };
    let base = if rule.peer.is_anywhere() { None } else { Some(rule.peer.to_string()) };
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
        parts.push((cells, references_text(&peers)));
    }
    let way = preposition(rule.direction);
    let texts: Vec<String> =
        parts.iter().map(|(cells, peers)| format!("{} {way} {peers}", cells_text(cells))).collect();
    texts.join("; ")
}

/// The traffic by its peers: for each different set of peers, the cells that have it.
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

fn references_text(peers: &ReferenceSet) -> String {
    names(&peers.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn names(all: &[String]) -> String {
    match all.get(..BLOCKS_NAMED) {
        Some(first) if all.len() > BLOCKS_NAMED => {
            format!("{} and {} more", first.join(", "), all.len() - first.len())
        }
        _ => all.join(", "),
    }
}

/// Protocols and ports the short way: `tcp 20-25`, `all traffic`, `every protocol but TCP`.
fn cells_text(cells: &Cells) -> String {
    let whole: IntervalSet<u8> = cells
        .layers()
        .iter()
        .filter(|(_, selectors)| selectors.is_full())
        .map(|(protocols, _)| *protocols)
        .collect();
    if whole.is_full() {
        return "all traffic".to_owned();
    }
    let mut parts = Vec::new();
    let missing = IntervalSet::full().difference(&whole);
    if whole.contains(255) && whole.contains(0) {
        parts.push(every_protocol_but(&missing));
    } else {
        for run in whole.intervals() {
            parts.push(whole_protocols_text(*run));
        }
    }
    for (protocols, selectors) in cells.layers() {
        if !selectors.is_full() {
            parts.push(selectors_text(*protocols, selectors));
        }
    }
    parts.join(", ")
}

fn protocols_text(run: Interval<u8>) -> String {
    if run.first() == run.last() {
        Protocol::Number(run.first()).to_string()
    } else {
        format!("{}-{}", run.first(), run.last())
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
                    format!("type {}", range_u8(types))
                } else {
                    format!("type {} code {}", range_u8(types), range_u8(codes))
                }
            })
            .collect()
    } else {
        selectors.intervals().iter().map(|run| range_u16(*run)).collect()
    };
    format!("{} {}", protocols_text(protocols), ranges.join(", "))
}

/// One sentence for a person. `gone` tells whether the rule is no longer there; `ssh` is where SSH
/// listens; `group` is what the group is called.
pub fn title(
    code: Code,
    gone: bool,
    rule: &Rule,
    excess: &Traffic,
    ssh: &Cells,
    group: &str,
) -> String {
    let [is, are] = if gone { ["was", "were"] } else { ["is", "are"] };
    let wide = wide_ipv4(&excess.peers_ipv4()) || wide_ipv6(&excess.peers_ipv6());
    let whom = if wide { "the Internet".to_owned() } else { rule.peer.to_string() };
    let cells = excess.cells();
    let (what, many) = if cells.at(0).is_some() && cells.at(255).is_some() {
        (all_protocols(&cells), false)
    } else if rule.protocol == Protocol::TCP && rule.selector() == Interval::full() {
        ("all TCP ports".to_owned(), true)
    } else if cells.is_subset_of(ssh) {
        ("SSH".to_owned(), false)
    } else {
        let named = in_capitals(&cells_text(&cells));
        if matches!(code, Code::OpenSsh | Code::SshFromUnlistedHost) {
            (format!("SSH ({named})"), false)
        } else {
            (named, false)
        }
    };
    let verb = if many { are } else { is };
    let what = capitalised(&what);
    match code {
        Code::UnresolvedPeer => format!(
            "{} on {group} depends on a prefix list that could not be read",
            capitalised(&in_capitals(&rule_text(rule)))
        ),
        _ if rule.direction == Direction::Egress => {
            format!("{what} {verb} allowed out of {group} to {whom}")
        }
        _ => format!("{what} {verb} open to {whom} on {group}"),
    }
}

/// `every protocol`, and those that are left out wholly.
fn all_protocols(cells: &Cells) -> String {
    let some: IntervalSet<u8> = cells.layers().iter().map(|(protocols, _)| *protocols).collect();
    let but = IntervalSet::full().difference(&some);
    if but.is_empty() { "every protocol".to_owned() } else { every_protocol_but(&but) }
}

fn every_protocol_but(protocols: &IntervalSet<u8>) -> String {
    let names: Vec<String> = protocols.intervals().iter().map(|run| protocols_text(*run)).collect();
    format!("every protocol but {}", in_capitals(&names.join(", ")))
}

/// Protocols as a sentence has them: TCP, ICMPv6.
fn in_capitals(text: &str) -> String {
    text.replace("tcp", "TCP").replace("udp", "UDP").replace("icmp", "ICMP")
}

/// The sentence with a capital letter at its beginning.
pub fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
