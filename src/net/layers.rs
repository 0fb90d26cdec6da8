//! Adds a dimension to a set.

use super::interval::{Bound, Interval, IntervalSet};
use super::set::Set;

/// A set of points `(key, rest)`, as sorted intervals of keys. Every key of an interval has the same
/// non-empty set of `rest`.
///
/// Intervals do not overlap, and two intervals that touch have different sets. As `V` has one
/// representation for each set, so has `Layers<K, V>`, with any number of dimensions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layers<K, V> {
    layers: Vec<(Interval<K>, V)>,
}

/// Which points a combination of two sets keeps.
#[derive(Clone, Copy)]
enum Keep {
    Either,
    Both,
    FirstOnly,
}

impl<K: Bound, V: Set> Layers<K, V> {
    /// All keys of `keys`, each with all of `rest`.
    pub fn product(keys: &IntervalSet<K>, rest: &V) -> Self {
        if rest.is_empty() {
            return Self::empty();
        }
        Self { layers: keys.intervals().iter().map(|key| (*key, rest.clone())).collect() }
    }

    /// The intervals of keys with their sets, lowest first.
    pub fn layers(&self) -> &[(Interval<K>, V)] {
        &self.layers
    }

    /// The set that belongs to a key; `None` if the key has none.
    pub fn at(&self, key: K) -> Option<&V> {
        let index = self.layers.partition_point(|(keys, _)| keys.last() < key);
        self.layers.get(index).filter(|(keys, _)| keys.first() <= key).map(|(_, rest)| rest)
    }

    /// Whether every key of the interval has a set and `accepts` is true of all these sets.
    pub fn covers(&self, keys: &Interval<K>, mut accepts: impl FnMut(&V) -> bool) -> bool {
        let index = self.layers.partition_point(|(own, _)| own.last() < keys.first());
        let mut next = Some(keys.first());
        for (own, rest) in self.layers.get(index..).unwrap_or_default() {
            if next.is_none_or(|next| own.first() > next) || !accepts(rest) {
                return false;
            }
            if keys.last() <= own.last() {
                return true;
            }
            next = own.last().next();
        }
        false
    }

    /// Applies `f` to the set of each interval, and drops keys whose new set is empty.
    pub fn map<W: Set>(&self, mut f: impl FnMut(&V) -> W) -> Layers<K, W> {
        let mut out = Builder::default();
        for (keys, rest) in &self.layers {
            out.push(*keys, f(rest));
        }
        out.finish()
    }

    /// The union of the sets of all keys.
    pub fn flatten(&self) -> V {
        self.layers.iter().fold(V::empty(), |all, (_, rest)| all.union(rest))
    }

    /// The keys that both have, each with the result of `f` for its two sets. The sets may be of
    /// different types.
    pub fn zip_with<W: Set, X: Set>(
        &self,
        other: &Layers<K, W>,
        mut f: impl FnMut(&V, &W) -> X,
    ) -> Layers<K, X> {
        let mut out = Builder::default();
        let (mut left, mut right) = (self.layers.iter(), other.layers.iter());
        let (mut a, mut b) = (left.next(), right.next());
        while let (Some((x, v)), Some((y, w))) = (a, b) {
            if let Some(keys) = x.intersection(y) {
                out.push(keys, f(v, w));
            }
            if x.last() <= y.last() {
                a = left.next();
            } else {
                b = right.next();
            }
        }
        out.finish()
    }

    /// The part whose keys are in `keys`.
    pub fn within(&self, keys: &IntervalSet<K>) -> Self {
        let mut out = Builder::default();
        let mut wanted = keys.intervals().iter().peekable();
        for (own, rest) in &self.layers {
            while let Some(interval) = wanted.peek() {
                if let Some(both) = own.intersection(interval) {
                    out.push(both, rest.clone());
                }
                if interval.last() > own.last() {
                    break;
                }
                wanted.next();
            }
        }
        out.finish()
    }

    /// Walks over both sets in the order of their keys, in stretches of keys that only the first
    /// has, only the second has, or both have.
    fn combine(&self, other: &Self, keep: Keep) -> Self {
        let mut out = Builder::default();
        let (mut left, mut right) = (self.layers.iter(), other.layers.iter());
        let mut a = left.next().map(|(keys, rest)| (*keys, rest));
        let mut b = right.next().map(|(keys, rest)| (*keys, rest));
        loop {
            match (a, b) {
                (None, None) => break,
                (Some((keys, rest)), None) => {
                    if !matches!(keep, Keep::Both) {
                        out.push(keys, rest.clone());
                    }
                    a = left.next().map(|(keys, rest)| (*keys, rest));
                }
                (None, Some((keys, rest))) => {
                    if !matches!(keep, Keep::Either) {
                        break;
                    }
                    out.push(keys, rest.clone());
                    b = right.next().map(|(keys, rest)| (*keys, rest));
                }
                (Some((x, v)), Some((y, w))) => {
                    let start = x.first().min(y.first());
                    let end = if x.first() == y.first() {
                        x.last().min(y.last())
                    } else {
                        // The stretch ends before the other interval begins.
                        let later = x.first().max(y.first());
                        let before = later.previous().unwrap_or(later);
                        let own = if x.first() < y.first() { x.last() } else { y.last() };
                        own.min(before)
                    };
                    let stretch = Interval::new(start, end);
                    let rest = match (x.first() == start, y.first() == start) {
                        (true, true) => match keep {
                            Keep::Either => v.union(w),
                            Keep::Both => v.intersection(w),
                            Keep::FirstOnly => v.difference(w),
                        },
                        (true, false) if !matches!(keep, Keep::Both) => v.clone(),
                        (false, _) if matches!(keep, Keep::Either) => w.clone(),
                        _ => V::empty(),
                    };
                    out.push(stretch, rest);
                    if x.first() == start {
                        a = shorten(x, end)
                            .map(|keys| (keys, v))
                            .or_else(|| left.next().map(|(keys, rest)| (*keys, rest)));
                    }
                    if y.first() == start {
                        b = shorten(y, end)
                            .map(|keys| (keys, w))
                            .or_else(|| right.next().map(|(keys, rest)| (*keys, rest)));
                    }
                }
            }
        }
        out.finish()
    }
}

/// The part of an interval after `end`.
fn shorten<K: Bound>(interval: Interval<K>, end: K) -> Option<Interval<K>> {
    end.next()
        .filter(|first| *first <= interval.last())
        .map(|first| Interval::new(first, interval.last()))
}

impl<K: Bound, V: Set> Set for Layers<K, V> {
    fn empty() -> Self {
        Self { layers: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    fn union(&self, other: &Self) -> Self {
        self.combine(other, Keep::Either)
    }

    fn intersection(&self, other: &Self) -> Self {
        self.combine(other, Keep::Both)
    }

    fn difference(&self, other: &Self) -> Self {
        self.combine(other, Keep::FirstOnly)
    }
}

/// Collects layers in the order of their keys, and merges those that touch and have equal sets.
struct Builder<K, V> {
    layers: Vec<(Interval<K>, V)>,
}

impl<K, V> Default for Builder<K, V> {
    fn default() -> Self {
        Self { layers: Vec::new() }
    }
}

impl<K: Bound, V: Set> Builder<K, V> {
    fn push(&mut self, keys: Interval<K>, rest: V) {
        if rest.is_empty() {
            return;
        }
        match self.layers.last_mut() {
            Some((open, same)) if open.touches(&keys) && *same == rest => {
                *open = Interval::new(open.first(), keys.last());
            }
            _ => self.layers.push((keys, rest)),
        }
    }

    fn finish(self) -> Layers<K, V> {
        debug_assert!(
            self.layers.windows(2).all(|pair| match pair {
                [(a, v), (b, w)] => a.last() < b.first() && !(a.touches(b) && v == w),
                _ => true,
            }),
            "not canonical: {:?}",
            self.layers
        );
        Layers { layers: self.layers }
    }
}
