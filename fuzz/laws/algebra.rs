//! Judging rules by a baseline, and the set operations themselves, give the same results as an oracle
//! that only knows points: a rule admits a point with its protocol, one of its ports and its peer.
//! Nothing changes between the ends of ranges, so it is enough to test the ends.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use chrono::NaiveDate;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use typo3_sg_auditor::baseline::{Baseline, BaselinePeer, Entry, Lists, PeerTerm};
use typo3_sg_auditor::ec2::{Direction, GroupId, Peer, Protocol, Reference, Rule};
use typo3_sg_auditor::evaluate::Judge;
use typo3_sg_auditor::net::{Bound, Interval, IntervalSet, Layers, Set, Traffic};

/// The bytes of a rule or an entry.
const SIZE: usize = 8;
/// The most rules, and the most entries. The number of points grows with the cube of it.
const MOST: usize = 4;

/// The first byte tells how many entries follow. The rest are rules.
pub fn check(input: &[u8]) {
    let Some((&entries, rest)) = input.split_first() else { return };
    let parts: Vec<Part> = rest.chunks_exact(SIZE).take(2 * MOST).filter_map(Part::read).collect();
    let (entries, rules) = parts.split_at(usize::from(entries).min(parts.len()).min(MOST));
    let rules = rules.get(..rules.len().min(MOST)).unwrap_or_default();
    let points = Points::of(&parts);
    operations(entries, rules, &points);
    let baseline = Baseline {
        bindings: Vec::new(),
        name: "fuzzed".to_owned(),
        peer_sets: [].into(),
        ssh_ports: Interval::new(22, 22).into(),
        ingress: entries.iter().map(Part::entry).collect(),
        egress: Vec::new(),
        exemptions: Vec::new(),
    };
    let (lists, today) = (Lists::new(), NaiveDate::default());
    let judge = Judge::new(&baseline, Direction::Ingress, None, &lists, today);
    for part in rules {
        let Some(rule) = part.rule() else { continue };
        let judgement = judge.judge(&rule);
        assert!(judgement.exempt.is_empty() && judgement.unresolved.is_empty());
        for point in points.all() {
            let admitted = part.admits(point) && !points.admitted(entries, point);
            assert_eq!(contains(&judgement.excess, point), admitted, "{point:?} of {part:?}");
        }
        let code = judge.code(&judgement);
        assert_eq!(code.is_none(), judgement.is_compliant(), "{code:?}");
        for kept in judge.admitted_of(&rule) {
            assert!(kept.intersection(&judgement.excess).is_empty());
        }
    }
}

fn operations(a: &[Part], b: &[Part], points: &Points) {
    let (x, y) = (union(a), union(b));
    let (all, both, only) = (x.union(&y), x.intersection(&y), x.difference(&y));
    let mut subset = true;
    for point in points.all() {
        let (in_a, in_b) = (points.any(a, point), points.any(b, point));
        assert_eq!(contains(&all, point), in_a || in_b, "union at {point:?}");
        assert_eq!(contains(&both, point), in_a && in_b, "intersection at {point:?}");
        assert_eq!(contains(&only, point), in_a && !in_b, "difference at {point:?}");
        subset &= in_b || !in_a;
    }
    assert_eq!(x.is_subset_of(&y), subset);
    // One set has one representation.
    assert_eq!(both.union(&only), x);
}

fn union(parts: &[Part]) -> Traffic {
    Traffic::union_of(parts.iter().filter_map(|part| Some(part.rule()?.traffic())).collect())
}

/// A rule, or an entry with one peer.
#[derive(Clone, Copy, Debug)]
struct Part {
    protocol: Protocol,
    first: u16,
    last: u16,
    peer: PartPeer,
}

#[derive(Clone, Copy, Debug)]
enum PartPeer {
    Ipv4(Ipv4Net),
    Ipv6(Ipv6Net),
    Group(bool),
}

/// Protocol, port, and who.
type Point = (u8, u16, Who);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Ipv4(u32),
    Ipv6(u128),
    Group(bool),
}

impl Part {
    fn read(bytes: &[u8]) -> Option<Self> {
        let &[protocol, a, b, c, d, kind, address, length] = bytes else { return None };
        let protocol = match protocol % 8 {
            0 => Protocol::All,
            1 => Protocol::UDP,
            2 => Protocol::Number(protocol),
            _ => Protocol::TCP,
        };
        let (first, last) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let ports = protocol.has_ports();
        let (first, last) = if ports { (first.min(last), first.max(last)) } else { (0, u16::MAX) };
        let peer = match kind % 8 {
            0 => PartPeer::Group(address % 2 == 0),
            1..=3 => {
                let address = u128::from_be_bytes([address; 16]);
                let net = Ipv6Net::new(Ipv6Addr::from_bits(address), length % 129).ok()?;
                PartPeer::Ipv6(net.trunc())
            }
            _ => {
                let address = u32::from_be_bytes([address, kind, address, kind]);
                let net = Ipv4Net::new(Ipv4Addr::from_bits(address), length % 33).ok()?;
                PartPeer::Ipv4(net.trunc())
            }
        };
        // ICMP has types and codes instead of ports, which the property tests of `net` cover.
        (!protocol.is_icmp()).then_some(Self { protocol, first, last, peer })
    }

    fn peer(&self) -> Peer {
        match self.peer {
            PartPeer::Ipv4(net) => Peer::Ipv4(net),
            PartPeer::Ipv6(net) => Peer::Ipv6(net),
            PartPeer::Group(one) => Peer::group(group(one)),
        }
    }

    fn rule(&self) -> Option<Rule> {
        let (from, to) = (Some(self.first.into()), Some(self.last.into()));
        Rule::new(Direction::Ingress, self.protocol, from, to, self.peer()).ok()
    }

    fn entry(&self) -> Entry {
        let peer = match self.peer() {
            Peer::Ipv4(net) => BaselinePeer::Cidr(IpNet::V4(net)),
            Peer::Ipv6(net) => BaselinePeer::Cidr(IpNet::V6(net)),
            Peer::Reference(reference) => BaselinePeer::Reference(reference),
        };
        Entry {
            name: "entry".to_owned(),
            protocol: self.protocol,
            ports: Interval::new(self.first, self.last).into(),
            peers: vec![PeerTerm::Peer(peer)],
            expected: false,
        }
    }

    fn admits(&self, (protocol, port, who): Point) -> bool {
        let protocols = match self.protocol {
            Protocol::All => true,
            Protocol::Number(number) => number == protocol,
        };
        protocols
            && (self.first..=self.last).contains(&port)
            && match (self.peer, who) {
                (PartPeer::Ipv4(net), Who::Ipv4(host)) => net.contains(&Ipv4Addr::from_bits(host)),
                (PartPeer::Ipv6(net), Who::Ipv6(host)) => net.contains(&Ipv6Addr::from_bits(host)),
                (PartPeer::Group(a), Who::Group(b)) => a == b,
                _ => false,
            }
    }
}

fn group(one: bool) -> GroupId {
    let id = if one { "sg-0a" } else { "sg-0b" };
    id.parse().expect("a valid id")
}

/// The ends of all ranges, and the values right after them.
struct Points {
    protocols: BTreeSet<u8>,
    ports: BTreeSet<u16>,
    who: BTreeSet<Who>,
}

impl Points {
    fn of(parts: &[Part]) -> Self {
        let mut points = Self {
            protocols: [0, 6, 7].into(),
            ports: [0].into(),
            who: [Who::Ipv4(0), Who::Ipv6(0), Who::Group(true), Who::Group(false)].into(),
        };
        for part in parts {
            if let Protocol::Number(number) = part.protocol {
                points.protocols.extend([number, number.saturating_add(1)]);
            }
            points.ports.extend([part.first, part.last, part.last.saturating_add(1)]);
            match part.peer {
                PartPeer::Ipv4(net) => {
                    let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
                    points.who.extend([first, last, last.saturating_add(1)].map(Who::Ipv4));
                }
                PartPeer::Ipv6(net) => {
                    let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
                    points.who.extend([first, last, last.saturating_add(1)].map(Who::Ipv6));
                }
                PartPeer::Group(_) => {}
            }
        }
        points
    }

    fn all(&self) -> impl Iterator<Item = Point> {
        self.protocols.iter().flat_map(move |protocol| {
            let ports = self.ports.iter();
            ports.flat_map(move |port| self.who.iter().map(move |who| (*protocol, *port, *who)))
        })
    }

    fn any(&self, parts: &[Part], point: Point) -> bool {
        parts.iter().any(|part| part.admits(point))
    }

    /// Entries that admit everybody also admit every group.
    fn admitted(&self, entries: &[Part], point: Point) -> bool {
        let (protocol, port, who) = point;
        let anybody = || {
            let mut hosts = self.who.iter().filter(|who| !matches!(who, Who::Group(_)));
            hosts.all(|host| self.any(entries, (protocol, port, *host)))
        };
        self.any(entries, point) || (matches!(who, Who::Group(_)) && anybody())
    }
}

/// Scans the set, so that it does not depend on the operations under test.
fn contains(traffic: &Traffic, (protocol, port, who): Point) -> bool {
    fn within<V: Set>(
        layers: &Layers<u8, Layers<u16, V>>,
        (protocol, port): (u8, u16),
        accepts: impl Fn(&V) -> bool,
    ) -> bool {
        let protocols = layers.layers().iter().filter(|(range, _)| lies_in(protocol, range));
        let ports = protocols.flat_map(|(_, ports)| ports.layers());
        ports.filter(|(range, _)| lies_in(port, range)).any(|(_, peers)| accepts(peers))
    }
    fn member<T: Bound>(set: &IntervalSet<T>, host: T) -> bool {
        set.intervals().iter().any(|range| lies_in(host, range))
    }
    let cell = (protocol, port);
    match who {
        Who::Ipv4(host) => within(&traffic.ipv4, cell, |set| member(set, host)),
        Who::Ipv6(host) => within(&traffic.ipv6, cell, |set| member(set, host)),
        Who::Group(one) => {
            let id = group(one);
            let is = |it: &Reference| matches!(it, Reference::Group(it) if *it.id() == id);
            within(&traffic.references, cell, |set| set.iter().any(is))
        }
    }
}

fn lies_in<T: Bound>(point: T, range: &Interval<T>) -> bool {
    range.first() <= point && point <= range.last()
}
