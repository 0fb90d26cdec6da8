//! Tests the algebra by its laws, against a naive model, and by trying every case of small
//! universes. None of these depends on how the sets are represented.

mod address;
mod exhaustive;
mod laws;
mod model;
mod rule;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::ec2::{Peer, Reference};

/// Whether a set is represented in the one way that is allowed.
trait Canonical {
    fn is_canonical(&self) -> bool;
}

impl<T: Bound> Canonical for IntervalSet<T> {
    fn is_canonical(&self) -> bool {
        self.intervals().iter().all(|interval| interval.first() <= interval.last())
            && self.intervals().windows(2).all(|pair| {
                // There is a gap between them.
                pair[0].last().next().is_some_and(|point| point < pair[1].first())
            })
    }
}

impl Canonical for ReferenceSet {
    fn is_canonical(&self) -> bool {
        self.iter().zip(self.iter().skip(1)).all(|(a, b)| a < b)
    }
}

impl<K: Bound, V: Set + Canonical> Canonical for Layers<K, V> {
    fn is_canonical(&self) -> bool {
        self.layers().iter().all(|(keys, rest)| {
            keys.first() <= keys.last() && !rest.is_empty() && rest.is_canonical()
        }) && self.layers().windows(2).all(|pair| {
            let ((a, v), (b, w)) = (&pair[0], &pair[1]);
            match a.last().next() {
                Some(point) if point == b.first() => v != w,
                Some(point) => point < b.first(),
                None => false,
            }
        })
    }
}

impl Canonical for Traffic {
    fn is_canonical(&self) -> bool {
        self.ipv4.is_canonical() && self.ipv6.is_canonical() && self.references.is_canonical()
    }
}

/// Points at the ends, in the middle and next to one another, so that intervals touch, overlap and
/// fill the dimension much more often than random ones would.
trait Edges: Bound + Arbitrary + 'static {
    const EDGES: &'static [Self];
}

impl Edges for u8 {
    const EDGES: &'static [Self] = &[0, 1, 2, 3, 126, 127, 128, 129, 253, 254, 255];
}

impl Edges for u16 {
    const EDGES: &'static [Self] =
        &[0, 1, 21, 22, 23, 79, 80, 81, 442, 443, 444, 0x7fff, 0x8000, 0xfffe, 0xffff];
}

impl Edges for u32 {
    const EDGES: &'static [Self] = &[
        0,
        1,
        0x09ff_ffff,
        0x0a00_0000,
        0x0aff_ffff,
        0x0b00_0000,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_fffe,
        0xffff_ffff,
    ];
}

impl Edges for u128 {
    const EDGES: &'static [Self] = &[
        0,
        1,
        0x2001_0db8 << 96,
        (0x2001_0db9 << 96) - 1,
        0x2001_0db9 << 96,
        (1 << 127) - 1,
        1 << 127,
        u128::MAX - 1,
        u128::MAX,
    ];
}

fn point<T: Edges>() -> impl Strategy<Value = T> {
    prop_oneof![4 => select(T::EDGES), 1 => any::<T>()]
}

fn interval<T: Edges>() -> impl Strategy<Value = Interval<T>> {
    prop_oneof![
        8 => (point(), point()).prop_map(|(a, b)| Interval::new(a, b)),
        2 => point().prop_map(|a| Interval::new(a, a)),
        1 => Just(Interval::full()),
    ]
}

fn interval_set<T: Edges>() -> impl Strategy<Value = IntervalSet<T>> {
    vec(interval(), 0..4).prop_map(IntervalSet::from_iter)
}

fn layers<K: Edges, T: Edges>() -> impl Strategy<Value = Layers<K, IntervalSet<T>>> {
    vec((interval_set(), interval_set()), 0..4).prop_map(|boxes| {
        boxes
            .iter()
            .fold(Layers::empty(), |all, (keys, rest)| all.union(&Layers::product(keys, rest)))
    })
}

/// Two groups with the same id in different accounts, and a prefix list.
fn references() -> Vec<Reference> {
    ["sg-1", "111122223333/sg-1", "pl-1"]
        .into_iter()
        .filter_map(|text| text.parse::<Peer>().unwrap().reference().cloned())
        .collect()
}

fn reference_set() -> impl Strategy<Value = ReferenceSet> {
    subsequence(references(), 0..=references().len()).prop_map(ReferenceSet::from_iter)
}

fn traffic() -> impl Strategy<Value = Traffic> {
    vec((layers(), interval_set(), interval_set(), reference_set()), 0..3).prop_map(|parts| {
        parts.iter().fold(Traffic::empty(), |all, (cells, ipv4, ipv6, references)| {
            all.union(&Traffic::new(cells, ipv4, ipv6, references))
        })
    })
}

fn all_cells() -> Cells {
    Layers::product(&IntervalSet::full(), &IntervalSet::full())
}

/// The union of everything that [`traffic`] can generate.
fn all_traffic() -> Traffic {
    Traffic::new(
        &all_cells(),
        &IntervalSet::full(),
        &IntervalSet::full(),
        &references().into_iter().collect(),
    )
}
