//! Tries every case of small universes. A set is also a number: bit `n` stands for point `n`.

use std::collections::BTreeMap;

use super::*;

/// A dimension of `2^BITS` points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Tiny<const BITS: u32>(u8);

impl<const BITS: u32> Bound for Tiny<BITS> {
    const MIN: Self = Self(0);
    const MAX: Self = Self((1 << BITS) - 1);

    fn next(self) -> Option<Self> {
        (self < Self::MAX).then(|| Self(self.0 + 1))
    }

    fn previous(self) -> Option<Self> {
        (self > Self::MIN).then(|| Self(self.0 - 1))
    }
}

impl<const BITS: u32> Tiny<BITS> {
    fn all() -> impl Iterator<Item = Self> {
        (0..1 << BITS).map(Self)
    }

    fn intervals() -> impl Iterator<Item = Interval<Self>> {
        Self::all().flat_map(|last| (0..=last.0).map(move |first| Interval::new(Self(first), last)))
    }

    fn blocks() -> impl Iterator<Item = Interval<Self>> {
        (0..=BITS).flat_map(|host_bits| {
            (0..1 << (BITS - host_bits)).map(move |block: u8| {
                let first = block << host_bits;
                Interval::new(Self(first), Self(first + ((1 << host_bits) - 1)))
            })
        })
    }
}

/// A kind of set over a universe of at most 64 points.
trait Small: Set + Canonical {
    const POINTS: u32;
    /// The set of one point.
    fn point(index: u32) -> Self;
    /// The points of the set.
    fn bits(&self) -> u64;
}

impl<const BITS: u32> Small for IntervalSet<Tiny<BITS>> {
    const POINTS: u32 = 1 << BITS;

    fn point(index: u32) -> Self {
        let point = Tiny(u8::try_from(index).unwrap());
        Interval::new(point, point).into()
    }

    fn bits(&self) -> u64 {
        self.intervals().iter().fold(0, |bits, interval| {
            let upto = (2 << interval.last().0) - 1;
            let below = (1 << interval.first().0) - 1;
            bits | (upto & !below)
        })
    }
}

impl<const BITS: u32, V: Small> Small for Layers<Tiny<BITS>, V> {
    const POINTS: u32 = V::POINTS << BITS;

    fn point(index: u32) -> Self {
        let keys = IntervalSet::point(index / V::POINTS);
        Self::product(&keys, &V::point(index % V::POINTS))
    }

    fn bits(&self) -> u64 {
        self.layers().iter().fold(0, |bits, (keys, rest)| {
            let rest = rest.bits();
            (keys.first().0..=keys.last().0)
                .fold(bits, |bits, key| bits | (rest << (u32::from(key) * V::POINTS)))
        })
    }
}

/// Every set of the universe, in the order of their bits.
fn every_set<S: Small>() -> Vec<S> {
    let sets: Vec<S> = (0..1_u64 << S::POINTS)
        .map(|bits| {
            // Add the points of odd sets from the highest to the lowest, those of even sets from
            // the lowest to the highest.
            let points = (0..S::POINTS).filter(|point| bits >> point & 1 == 1);
            let add = |all: S, point| all.union(&S::point(point));
            if bits & 1 == 1 {
                points.rev().fold(S::empty(), add)
            } else {
                points.fold(S::empty(), add)
            }
        })
        .collect();
    for (bits, set) in (0..).zip(&sets) {
        assert_eq!(set.bits(), bits);
        assert!(set.is_canonical());
        assert_eq!(set.is_empty(), bits == 0);
    }
    sets
}

/// Tries every operation on every pair of sets. Results are compared by `==`, which also tests that
/// a set has only one representation.
fn every_pair<S: Small>() {
    let sets = every_set::<S>();
    for (a, x) in sets.iter().enumerate() {
        for (b, y) in sets.iter().enumerate() {
            assert_eq!(x.union(y), sets[a | b]);
            assert_eq!(x.intersection(y), sets[a & b]);
            assert_eq!(x.difference(y), sets[a & !b]);
            assert_eq!(x.is_subset_of(y), a & !b == 0);
        }
    }
}

#[test]
fn every_pair_of_sets_of_one_dimension() {
    every_pair::<IntervalSet<Tiny<3>>>();
}

#[test]
fn every_pair_of_sets_of_two_dimensions_with_more_keys() {
    every_pair::<Layers<Tiny<2>, IntervalSet<Tiny<1>>>>();
}

#[test]
fn every_pair_of_sets_of_two_dimensions_with_more_rests() {
    every_pair::<Layers<Tiny<1>, IntervalSet<Tiny<2>>>>();
}

#[test]
fn every_pair_of_sets_of_three_dimensions() {
    every_pair::<Layers<Tiny<1>, Layers<Tiny<1>, IntervalSet<Tiny<1>>>>>();
}

/// Four ports, eight addresses.
type Admitted = Layers<Tiny<2>, IntervalSet<Tiny<3>>>;

/// Every rule: an interval of ports for one block of addresses.
fn every_rule() -> Vec<(u64, Admitted)> {
    Tiny::intervals()
        .flat_map(|ports| {
            Tiny::blocks().map(move |block| {
                let rule = Admitted::product(&ports.into(), &block.into());
                (rule.bits(), rule)
            })
        })
        .collect()
}

/// Every baseline of up to two entries. Asserts that those which admit the same are equal.
fn every_baseline(rules: &[(u64, Admitted)]) -> BTreeMap<u64, Admitted> {
    let mut baselines = BTreeMap::from([(0, Admitted::empty())]);
    for (a, x) in rules {
        for (b, y) in rules {
            let both = x.union(y);
            assert_eq!(both.bits(), a | b);
            assert!(both.is_canonical());
            if let Some(same) = baselines.get(&(a | b)) {
                assert_eq!(same, &both);
            } else {
                baselines.insert(a | b, both);
            }
        }
    }
    baselines
}

#[test]
fn every_rule_against_every_baseline() {
    let rules = every_rule();
    assert_eq!(rules.len(), 10 * 15);
    let baselines = every_baseline(&rules);
    for (rule_bits, rule) in &rules {
        for (baseline_bits, baseline) in &baselines {
            let excess = rule.difference(baseline);
            assert_eq!(excess.bits(), rule_bits & !baseline_bits, "{rule:?} against {baseline:?}");
            assert_eq!(excess.is_empty(), rule_bits & !baseline_bits == 0);
            assert_eq!(
                rule.intersection(baseline).bits(),
                rule_bits & baseline_bits,
                "{rule:?} against {baseline:?}"
            );
        }
    }
}

#[test]
fn every_set_within_every_set_of_keys() {
    for (bits, set) in (0..).zip(every_set::<Layers<Tiny<2>, IntervalSet<Tiny<1>>>>()) {
        for (keys_bits, keys) in (0_u64..).zip(every_set::<IntervalSet<Tiny<2>>>()) {
            let mask = (0..4)
                .filter(|key| keys_bits >> key & 1 == 1)
                .map(|key| 3 << (2 * key))
                .sum::<u64>();
            let within = set.within(&keys);
            assert!(within.is_canonical());
            assert_eq!(within.bits(), bits & mask);
        }
    }
}

#[test]
fn every_interval_covered_by_every_set() {
    for set in every_set::<IntervalSet<Tiny<3>>>() {
        for points in Tiny::intervals() {
            let part = IntervalSet::from(points).is_subset_of(&set);
            assert_eq!(set.covers(&points), part, "{points:?} of {set:?}");
        }
    }
}

#[test]
fn every_box_covered_by_every_set() {
    for set in every_set::<Layers<Tiny<2>, IntervalSet<Tiny<2>>>>() {
        for keys in Tiny::intervals() {
            for rest in Tiny::intervals() {
                let covered = set.covers(&keys, |of_keys| of_keys.covers(&rest));
                let part = Layers::product(&keys.into(), &rest.into()).is_subset_of(&set);
                assert_eq!(covered, part, "{keys:?} × {rest:?} of {set:?}");
            }
        }
    }
}
