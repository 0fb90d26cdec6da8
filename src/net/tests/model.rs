//! [`Traffic`] compared with a simple model.
//!
//! The model is a list of boxes: it contains a point if one of the boxes does. The ends of boxes and
//! of results cut each dimension into stretches, and these cut the space into cells. All points of a
//! cell are in the same sets, so it is enough to compare one point of each cell.

use std::collections::BTreeSet;

use super::*;

/// A peer as a set of points, in the model.
#[derive(Clone, Copy, Debug)]
enum Peers {
    Ipv4(Interval<u32>),
    Ipv6(Interval<u128>),
    Reference(usize),
}

/// A single peer.
#[derive(Clone, Copy, Debug)]
enum Host {
    Ipv4(u32),
    Ipv6(u128),
    Reference(usize),
}

#[derive(Clone, Copy, Debug)]
struct Box3 {
    protocols: Interval<u8>,
    ports: Interval<u16>,
    peers: Peers,
}

type Point = (u8, u16, Host);

fn lies_in<T: Bound>(point: T, interval: Interval<T>) -> bool {
    interval.first() <= point && point <= interval.last()
}

impl Box3 {
    fn contains(&self, (protocol, port, host): Point) -> bool {
        lies_in(protocol, self.protocols)
            && lies_in(port, self.ports)
            && match (host, self.peers) {
                (Host::Ipv4(point), Peers::Ipv4(interval)) => lies_in(point, interval),
                (Host::Ipv6(point), Peers::Ipv6(interval)) => lies_in(point, interval),
                (Host::Reference(a), Peers::Reference(b)) => a == b,
                _ => false,
            }
    }

    fn traffic(&self) -> Traffic {
        let cells = Layers::product(&self.protocols.into(), &self.ports.into());
        let (mut ipv4, mut ipv6) = (IntervalSet::empty(), IntervalSet::empty());
        let mut named = ReferenceSet::empty();
        match self.peers {
            Peers::Ipv4(interval) => ipv4 = interval.into(),
            Peers::Ipv6(interval) => ipv6 = interval.into(),
            Peers::Reference(index) => {
                named = std::iter::once(references()[index].clone()).collect()
            }
        }
        Traffic::new(&cells, &ipv4, &ipv6, &named)
    }
}

fn model_contains(boxes: &[Box3], point: Point) -> bool {
    boxes.iter().any(|part| part.contains(point))
}

fn traffic_of(boxes: &[Box3]) -> Traffic {
    boxes.iter().fold(Traffic::empty(), |all, part| all.union(&part.traffic()))
}

/// Looks for a point without the operations that are tested.
fn traffic_contains(traffic: &Traffic, (protocol, port, host): Point) -> bool {
    fn any<V: Set>(
        layers: &Layers<u8, Layers<u16, V>>,
        protocol: u8,
        port: u16,
        holds: impl Fn(&V) -> bool,
    ) -> bool {
        layers
            .layers()
            .iter()
            .filter(|(protocols, _)| lies_in(protocol, *protocols))
            .flat_map(|(_, ports)| ports.layers())
            .any(|(ports, rest)| lies_in(port, *ports) && holds(rest))
    }
    fn member<T: Bound>(set: &IntervalSet<T>, point: T) -> bool {
        set.intervals().iter().any(|interval| lies_in(point, *interval))
    }
    match host {
        Host::Ipv4(point) => any(&traffic.ipv4, protocol, port, |set| member(set, point)),
        Host::Ipv6(point) => any(&traffic.ipv6, protocol, port, |set| member(set, point)),
        Host::Reference(index) => {
            let reference = &references()[index];
            any(&traffic.references, protocol, port, |set| set.iter().any(|r| r == reference))
        }
    }
}

/// The first point of each stretch, in each dimension.
struct Grid {
    protocols: BTreeSet<u8>,
    ports: BTreeSet<u16>,
    ipv4: BTreeSet<u32>,
    ipv6: BTreeSet<u128>,
}

fn cut<T: Bound>(starts: &mut BTreeSet<T>, interval: Interval<T>) {
    starts.insert(interval.first());
    starts.extend(interval.last().next());
}

impl Grid {
    fn new(boxes: &[&[Box3]], results: &[&Traffic]) -> Self {
        let mut grid = Self {
            protocols: BTreeSet::from([0]),
            ports: BTreeSet::from([0]),
            ipv4: BTreeSet::from([0]),
            ipv6: BTreeSet::from([0]),
        };
        for part in boxes.iter().copied().flatten() {
            cut(&mut grid.protocols, part.protocols);
            cut(&mut grid.ports, part.ports);
            match part.peers {
                Peers::Ipv4(interval) => cut(&mut grid.ipv4, interval),
                Peers::Ipv6(interval) => cut(&mut grid.ipv6, interval),
                Peers::Reference(_) => {}
            }
        }
        for traffic in results {
            for set in grid.cut_cells(&traffic.ipv4) {
                set.intervals().iter().for_each(|interval| cut(&mut grid.ipv4, *interval));
            }
            for set in grid.cut_cells(&traffic.ipv6) {
                set.intervals().iter().for_each(|interval| cut(&mut grid.ipv6, *interval));
            }
            grid.cut_cells(&traffic.references);
        }
        grid
    }

    fn cut_cells<'a, V: Set>(&mut self, layers: &'a Layers<u8, Layers<u16, V>>) -> Vec<&'a V> {
        let mut rests = Vec::new();
        for (protocols, ports) in layers.layers() {
            cut(&mut self.protocols, *protocols);
            for (ports, rest) in ports.layers() {
                cut(&mut self.ports, *ports);
                rests.push(rest);
            }
        }
        rests
    }

    fn cells(&self) -> impl Iterator<Item = (u8, u16)> {
        self.protocols.iter().flat_map(|protocol| self.ports.iter().map(|port| (*protocol, *port)))
    }

    fn hosts(&self) -> Vec<Host> {
        let ipv4 = self.ipv4.iter().map(|point| Host::Ipv4(*point));
        let ipv6 = self.ipv6.iter().map(|point| Host::Ipv6(*point));
        ipv4.chain(ipv6).chain((0..references().len()).map(Host::Reference)).collect()
    }

    fn points(&self) -> impl Iterator<Item = Point> {
        let hosts = self.hosts();
        self.cells().flat_map(move |(protocol, port)| {
            hosts.clone().into_iter().map(move |host| (protocol, port, host))
        })
    }
}

fn boxes() -> impl Strategy<Value = Vec<Box3>> {
    let peers = prop_oneof![
        2 => interval().prop_map(Peers::Ipv4),
        2 => interval().prop_map(Peers::Ipv6),
        1 => (0..references().len()).prop_map(Peers::Reference),
    ];
    let part = (interval(), interval(), peers).prop_map(|(protocols, ports, peers)| Box3 {
        protocols,
        ports,
        peers,
    });
    vec(part, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn operations_match_the_model(a in boxes(), b in boxes(), shared in 0..6_usize) {
        // Both have the first `shared` boxes, so that one is often a subset of the other.
        let b: Vec<Box3> = a.iter().take(shared).chain(&b).copied().collect();
        let (x, y) = (traffic_of(&a), traffic_of(&b));
        let (union, both, only) = (x.union(&y), x.intersection(&y), x.difference(&y));
        let grid = Grid::new(&[&a, &b], &[&x, &y, &union, &both, &only]);
        let mut subset = true;
        for point in grid.points() {
            let (in_a, in_b) = (model_contains(&a, point), model_contains(&b, point));
            prop_assert_eq!(traffic_contains(&x, point), in_a, "a at {:?}", point);
            prop_assert_eq!(traffic_contains(&union, point), in_a || in_b, "union at {:?}", point);
            prop_assert_eq!(traffic_contains(&both, point), in_a && in_b, "both at {:?}", point);
            prop_assert_eq!(traffic_contains(&only, point), in_a && !in_b, "only at {:?}", point);
            subset &= in_b || !in_a;
        }
        prop_assert_eq!(x.is_subset_of(&y), subset);
        prop_assert!(only.is_subset_of(&x) && x.is_subset_of(&union) && both.is_subset_of(&y));
    }

    #[test]
    fn sets_are_equal_exactly_if_no_point_differs(a in boxes(), b in boxes()) {
        // The same points, as other boxes: each without what the later ones cover.
        let x = traffic_of(&a);
        let apart = a.iter().rev().fold(Traffic::empty(), |all, part| {
            part.traffic().difference(&all).union(&all)
        });
        prop_assert_eq!(&x, &apart);
        let y = traffic_of(&b);
        let same = Grid::new(&[&a, &b], &[])
            .points()
            .all(|point| model_contains(&a, point) == model_contains(&b, point));
        prop_assert_eq!(x == y, same);
    }

    #[test]
    fn cells_and_peers_match_the_model(a in boxes()) {
        let x = traffic_of(&a);
        let (cells, anybody) = (x.cells(), x.cells_of_anybody());
        let grid = Grid::new(&[&a], &[&x]);
        let hosts = grid.hosts();
        let member = |cells: &Cells, protocol, port| {
            cells.layers().iter().any(|(protocols, ports)| {
                lies_in(protocol, *protocols)
                    && ports.intervals().iter().any(|ports| lies_in(port, *ports))
            })
        };
        for (protocol, port) in grid.cells() {
            let admits = |host: &Host| model_contains(&a, (protocol, port, *host));
            prop_assert_eq!(member(&cells, protocol, port), hosts.iter().any(admits));
            prop_assert_eq!(
                member(&anybody, protocol, port),
                hosts.iter().filter(|host| !matches!(host, Host::Reference(_))).all(admits)
            );
            for (index, reference) in references().iter().enumerate() {
                prop_assert_eq!(
                    member(&x.cells_of(reference), protocol, port),
                    admits(&Host::Reference(index))
                );
            }
        }
        for host in hosts {
            let met = grid.cells().any(|(protocol, port)| model_contains(&a, (protocol, port, host)));
            let listed = match host {
                Host::Ipv4(point) => x.peers_ipv4().contains(point),
                Host::Ipv6(point) => x.peers_ipv6().contains(point),
                Host::Reference(index) => x.peers_by_reference().contains(&references()[index]),
            };
            prop_assert_eq!(listed, met, "{:?}", host);
        }
    }
}
