//! Sets of points of one dimension, as inclusive intervals.

use std::fmt::Debug;

use super::set::Set;

/// A point of a bounded, discrete dimension: a protocol number, a port, an address.
pub trait Bound: Copy + Ord + Debug {
    /// The lowest point.
    const MIN: Self;
    /// The highest point.
    const MAX: Self;
    /// The point above this one; `None` above [`Bound::MAX`].
    fn next(self) -> Option<Self>;
    /// The point below this one; `None` below [`Bound::MIN`].
    fn previous(self) -> Option<Self>;
}

macro_rules! bound {
    ($($t:ty),*) => {$(
        impl Bound for $t {
            const MIN: Self = <$t>::MIN;
            const MAX: Self = <$t>::MAX;
            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }
            fn previous(self) -> Option<Self> {
                self.checked_sub(1)
            }
        }
    )*};
}
bound!(u8, u16, u32, u128);

/// All points from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Interval<T> {
    first: T,
    last: T,
}

impl<T: Bound> Interval<T> {
    /// The interval between two points, given in either order.
    pub fn new(a: T, b: T) -> Self {
        Self { first: a.min(b), last: a.max(b) }
    }

    /// Every point of the dimension.
    pub fn full() -> Self {
        Self { first: T::MIN, last: T::MAX }
    }

    /// The lowest point.
    pub fn first(&self) -> T {
        self.first
    }

    /// The highest point.
    pub fn last(&self) -> T {
        self.last
    }

    /// The points in both; `None` if there are none.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let first = self.first.max(other.first);
        let last = self.last.min(other.last);
        (first <= last).then_some(Self { first, last })
    }

    /// Whether `next` begins right after the end of `self`.
    pub(super) fn touches(&self, next: &Self) -> bool {
        self.last.next() == Some(next.first)
    }
}

/// A set of points, as sorted intervals that neither overlap nor touch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IntervalSet<T> {
    intervals: Vec<Interval<T>>,
}

impl<T: Bound> IntervalSet<T> {
    /// Every point of the dimension.
    pub fn full() -> Self {
        Self::from(Interval::full())
    }

    /// Whether the set has every point of the dimension.
    pub fn is_full(&self) -> bool {
        self.intervals == [Interval::full()]
    }

    /// The intervals, lowest first, with a gap between any two of them.
    pub fn intervals(&self) -> &[Interval<T>] {
        &self.intervals
    }

    /// Whether the point is in the set.
    pub fn contains(&self, point: T) -> bool {
        self.intervals
            .binary_search_by(|i| {
                if i.last < point {
                    std::cmp::Ordering::Less
                } else if i.first > point {
                    std::cmp::Ordering::Greater
                } else {
                    std::cmp::Ordering::Equal
                }
            })
            .is_ok()
    }

    /// Whether every point of the interval is in the set. Intervals of the set have gaps between
    /// them, so one of them must cover all the points.
    pub fn covers(&self, points: &Interval<T>) -> bool {
        let index = self.intervals.partition_point(|own| own.last < points.first);
        self.intervals
            .get(index)
            .is_some_and(|own| own.first <= points.first && points.last <= own.last)
    }

    fn checked(intervals: Vec<Interval<T>>) -> Self {
        debug_assert!(
            intervals.windows(2).all(|pair| match pair {
                [a, b] => a.last < b.first && !a.touches(b),
                _ => true,
            }),
            "not canonical: {intervals:?}"
        );
        Self { intervals }
    }
}

impl<T: Bound> From<Interval<T>> for IntervalSet<T> {
    fn from(interval: Interval<T>) -> Self {
        Self { intervals: vec![interval] }
    }
}

impl<T: Bound> FromIterator<Interval<T>> for IntervalSet<T> {
    fn from_iter<I: IntoIterator<Item = Interval<T>>>(iter: I) -> Self {
        let mut sorted: Vec<_> = iter.into_iter().collect();
        sorted.sort_unstable();
        let mut merged: Vec<Interval<T>> = Vec::with_capacity(sorted.len());
        for interval in sorted {
            match merged.last_mut() {
                Some(open) if interval.first <= open.last || open.touches(&interval) => {
                    open.last = open.last.max(interval.last);
                }
                _ => merged.push(interval),
            }
        }
        Self::checked(merged)
    }
}

impl<T: Bound> Set for IntervalSet<T> {
    fn empty() -> Self {
        Self { intervals: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    fn union(&self, other: &Self) -> Self {
        self.intervals.iter().chain(&other.intervals).copied().collect()
    }

    fn intersection(&self, other: &Self) -> Self {
        let mut out = Vec::new();
        let (mut left, mut right) = (self.intervals.iter(), other.intervals.iter());
        let (mut a, mut b) = (left.next(), right.next());
        while let (Some(x), Some(y)) = (a, b) {
            out.extend(x.intersection(y));
            // Nothing further can intersect the interval that ends first.
            if x.last <= y.last {
                a = left.next();
            } else {
                b = right.next();
            }
        }
        Self::checked(out)
    }

    fn difference(&self, other: &Self) -> Self {
        let mut out = Vec::new();
        let mut cuts = other.intervals.iter().peekable();
        for interval in &self.intervals {
            let mut rest = Some(*interval);
            while let (Some(open), Some(cut)) = (rest, cuts.peek()) {
                if cut.last < open.first {
                    cuts.next();
                    continue;
                }
                if cut.first > open.last {
                    break;
                }
                if let Some(last) = cut.first.previous().filter(|last| *last >= open.first) {
                    out.push(Interval { first: open.first, last });
                }
                rest = cut
                    .last
                    .next()
                    .filter(|first| *first <= open.last)
                    .map(|first| Interval { first, last: open.last });
            }
            out.extend(rest);
        }
        Self::checked(out)
    }
}
