//! Sets of points of one more dimension.

use super::{Bound, Interval, IntervalSet, Set};

/// A set of points `(key, rest)`, as sorted intervals of keys over each of which `rest` ranges over
/// the same non-empty set.
///
/// Canonical: intervals do not overlap, and where two of them touch, their sets differ. Since `V` is
/// canonical too, so is the whole, whatever the number of dimensions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layers<K, V> {
    layers: Vec<(Interval<K>, V)>,
}

/// Which of the two operands' points a combination keeps.
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

    /// What goes with a key; `None` where nothing does.
    pub fn at(&self, key: K) -> Option<&V> {
        let index = self.layers.partition_point(|(keys, _)| keys.last() < key);
        self.layers.get(index).filter(|(keys, _)| keys.first() <= key).map(|(_, rest)| rest)
    }

    /// Whether `holds` is true of what goes with every key of the interval, and something does.
    pub fn covers(&self, keys: &Interval<K>, mut holds: impl FnMut(&V) -> bool) -> bool {
        let index = self.layers.partition_point(|(own, _)| own.last() < keys.first());
        let mut next = Some(keys.first());
        for (own, rest) in self.layers.get(index..).unwrap_or_default() {
            if next.is_none_or(|next| own.first() > next) || !holds(rest) {
                return false;
            }
            if keys.last() <= own.last() {
                return true;
            }
            next = own.last().next();
        }
        false
    }

    /// The same keys with another rest, layer by layer; keys whose new rest is empty are dropped.
    pub fn map<W: Set>(&self, mut f: impl FnMut(&V) -> W) -> Layers<K, W> {
        let mut out = Builder::default();
        for (keys, rest) in &self.layers {
            out.push(*keys, f(rest));
        }
        out.finish()
    }

    /// Everything that goes with any key.
    pub fn flatten(&self) -> V {
        self.layers.iter().fold(V::empty(), |all, (_, rest)| all.union(rest))
    }

    /// Combines two sets key interval by key interval, where the rests may be of different kinds:
    /// the keys of both, each with what `f` makes of the two rests.
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

    /// The part of it whose keys are among `keys`.
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

    /// One walk over both operands in the order of their keys. Every stretch of keys lies in the
    /// first alone, in the second alone, or in both.
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
                        // Up to where the other one begins, at the latest.
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

/// What is left of an interval behind `end`.
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

/// Collects layers in the order of their keys and keeps them canonical.
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
