//! Traffic as boxes that do not overlap.

use crate::ec2::Protocol;
use crate::finding::{ExcessBox, IcmpBox};
use crate::net::{Interval, IntervalSet, Layers, Set, Traffic, cidrs_ipv4, cidrs_ipv6};

/// The protocols that have a name, in the order of their numbers. A range of numbers never crosses
/// one of them.
const NAMED: [u8; 4] = [1, 6, 17, 58];

/// The traffic as boxes that do not overlap and together are exactly the traffic, ordered by
/// protocol, ports and peers.
pub fn boxes(traffic: &Traffic) -> Vec<ExcessBox> {
    let mut keyed = Vec::new();
    family(&traffic.ipv4, |set| cidrs_ipv4(set).map(|net| net.to_string()).collect(), &mut keyed);
    family(&traffic.ipv6, |set| cidrs_ipv6(set).map(|net| net.to_string()).collect(), &mut keyed);
    family(&traffic.references, |set| set.iter().map(ToString::to_string).collect(), &mut keyed);
    // The sort is stable, so that IPv4 comes before IPv6 and both before references.
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, excess)| excess).collect()
}

type Keyed = ((u8, u16), ExcessBox);

fn family<V: Set>(
    of: &Layers<u8, Layers<u16, V>>,
    peers: impl Fn(&V) -> Vec<String>,
    out: &mut Vec<Keyed>,
) {
    for (protocols, ports) in of.layers() {
        for run in runs(*protocols, ports) {
            for (selectors, set) in ports.layers() {
                let peers = peers(set);
                if NAMED[..1].contains(&run.first()) || run.first() == 58 {
                    for (types, codes) in icmp_rectangles(*selectors) {
                        let icmp = IcmpBox { types: range_u8(types), codes: range_u8(codes) };
                        out.push((
                            (run.first(), selectors.first()),
                            new_box(run, None, Some(icmp), peers.clone()),
                        ));
                    }
                } else {
                    let ports = Some(range_u16(*selectors));
                    out.push(((run.first(), selectors.first()), new_box(run, ports, None, peers)));
                }
            }
        }
    }
}

fn new_box(
    run: Interval<u8>,
    ports: Option<String>,
    icmp: Option<IcmpBox>,
    peers: Vec<String>,
) -> ExcessBox {
    let protocol = if run == Interval::full() {
        Protocol::All.to_string()
    } else if run.first() == run.last() {
        Protocol::Number(run.first()).to_string()
    } else {
        format!("{}-{}", run.first(), run.last())
    };
    ExcessBox { protocol, ports, icmp, peers }
}

/// The protocols of a layer, cut before and behind each that has a name; all of them stay together
/// where everything is meant.
fn runs<V: Set>(protocols: Interval<u8>, ports: &Layers<u16, V>) -> Vec<Interval<u8>> {
    let everything = protocols == Interval::full()
        && matches!(ports.layers(), [(selectors, _)] if *selectors == Interval::full());
    if everything {
        return vec![protocols];
    }
    let named: IntervalSet<u8> =
        NAMED.iter().map(|number| Interval::new(*number, *number)).collect();
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

pub(super) fn range_u16(interval: Interval<u16>) -> String {
    range(interval.first(), interval.last(), interval == Interval::full())
}

pub(super) fn range_u8(interval: Interval<u8>) -> String {
    range(interval.first(), interval.last(), interval == Interval::full())
}

fn range<T: PartialEq + std::fmt::Display>(first: T, last: T, all: bool) -> String {
    if all {
        "all".to_owned()
    } else if first == last {
        first.to_string()
    } else {
        format!("{first}-{last}")
    }
}
