//! Traffic as boxes that do not overlap.

use std::fmt::Display;

use serde::Serialize;

use crate::ec2::Protocol;
use crate::net::{Bound, Interval, IntervalSet, Layers, Set, Traffic, cidrs_ipv4, cidrs_ipv6};

/// Every combination of some protocols, ports and peers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExcessBox {
    /// `tcp`, `all`, a number, or a range of numbers.
    pub protocol: String,
    /// `"22"`, `"20-25"` or `"all"`; `None` for ICMP.
    pub ports: Option<String>,
    /// Types and codes, for ICMP only.
    pub icmp: Option<IcmpBox>,
    /// As few CIDR blocks of one family as possible; or groups and lists.
    pub peers: Vec<String>,
}

/// ICMP types and codes, each as `"8"`, `"0-7"` or `"all"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IcmpBox {
    pub types: String,
    pub codes: String,
}

/// The protocols that have a name. Each gets boxes of its own.
const NAMED: [Protocol; 4] = [Protocol::ICMP, Protocol::TCP, Protocol::UDP, Protocol::ICMPV6];

/// The boxes that together are exactly the traffic, without overlaps, sorted by protocol, ports and
/// peers.
pub fn boxes(traffic: &Traffic) -> Vec<ExcessBox> {
    let mut keyed = Vec::new();
    add(&traffic.ipv4, |set| cidrs_ipv4(set).map(|net| net.to_string()).collect(), &mut keyed);
    add(&traffic.ipv6, |set| cidrs_ipv6(set).map(|net| net.to_string()).collect(), &mut keyed);
    add(&traffic.references, |set| set.iter().map(ToString::to_string).collect(), &mut keyed);
    // The sort is stable, so IPv4 comes before IPv6, and both come before references.
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, excess)| excess).collect()
}

/// A box with its first protocol and its first selector.
type Keyed = ((u8, u16), ExcessBox);

/// Adds the boxes for one kind of peer.
fn add<V: Set>(
    traffic: &Layers<u8, Layers<u16, V>>,
    peers: impl Fn(&V) -> Vec<String>,
    out: &mut Vec<Keyed>,
) {
    for (protocols, ports) in traffic.layers() {
        for run in runs(*protocols, ports) {
            let protocol = protocol_text(run);
            for (selectors, set) in ports.layers() {
                let peers = peers(set);
                let mut push = |ports, icmp| {
                    let (protocol, peers) = (protocol.clone(), peers.clone());
                    let excess = ExcessBox { protocol, ports, icmp, peers };
                    out.push(((run.first(), selectors.first()), excess));
                };
                if Protocol::Number(run.first()).is_icmp() {
                    for (types, codes) in icmp_rectangles(*selectors) {
                        push(None, Some(IcmpBox { types: range(types), codes: range(codes) }));
                    }
                } else {
                    push(Some(range(*selectors)), None);
                }
            }
        }
    }
}

fn protocol_text(run: Interval<u8>) -> String {
    if run == Interval::full() { Protocol::All.to_string() } else { protocols_text(run) }
}

/// One protocol by its name or number, or a range of numbers.
pub(super) fn protocols_text(run: Interval<u8>) -> String {
    if run.first() == run.last() {
        Protocol::Number(run.first()).to_string()
    } else {
        format!("{}-{}", run.first(), run.last())
    }
}

/// The protocols of a layer, with each that has a name on its own. All protocols stay together if
/// all their ports have the same peers.
fn runs<V: Set>(protocols: Interval<u8>, ports: &Layers<u16, V>) -> Vec<Interval<u8>> {
    let everything = protocols == Interval::full()
        && matches!(ports.layers(), [(selectors, _)] if *selectors == Interval::full());
    if everything {
        return vec![protocols];
    }
    let named: IntervalSet<u8> = NAMED.into_iter().map(Interval::from).collect();
    let own = IntervalSet::from(protocols);
    let mut runs: Vec<_> = own.difference(&named).intervals().to_vec();
    runs.extend(own.intersection(&named).intervals());
    runs.sort_unstable();
    runs
}

/// ICMP selectors as rectangles of types and codes.
pub(super) fn icmp_rectangles(selectors: Interval<u16>) -> Vec<(Interval<u8>, Interval<u8>)> {
    let [first_type, first_code] = selectors.first().to_be_bytes();
    let [last_type, last_code] = selectors.last().to_be_bytes();
    let mut out = Vec::new();
    let (mut from, mut to) = (Some(first_type), Some(last_type));
    if first_type == last_type && (first_code, last_code) != (0, u8::MAX) {
        return vec![(Interval::new(first_type, last_type), Interval::new(first_code, last_code))];
    }
    if first_code != 0 {
        out.push((Interval::new(first_type, first_type), Interval::new(first_code, u8::MAX)));
        from = first_type.checked_add(1);
    }
    if last_code != u8::MAX {
        to = last_type.checked_sub(1);
    }
    if let (Some(from), Some(to)) = (from, to)
        && from <= to
    {
        out.push((Interval::new(from, to), Interval::full()));
    }
    if last_code != u8::MAX {
        out.push((Interval::new(last_type, last_type), Interval::new(0, last_code)));
    }
    out
}

/// `8`, `0-7` or `all`.
pub(super) fn range<T: Bound + Display>(interval: Interval<T>) -> String {
    match (interval.first(), interval.last()) {
        _ if interval == Interval::full() => "all".to_owned(),
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    }
}
