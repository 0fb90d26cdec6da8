use std::fmt::Debug;

/// A set that is closed under union, intersection and difference.
///
/// An implementation has only one value for each set, so `==` compares sets.
pub trait Set: Clone + Eq + Debug {
    /// The set without points.
    fn empty() -> Self;
    /// Whether the set has no points.
    fn is_empty(&self) -> bool;
    /// The points in either.
    fn union(&self, other: &Self) -> Self;
    /// The points in both.
    fn intersection(&self, other: &Self) -> Self;
    /// The points in `self` that are not in `other`.
    fn difference(&self, other: &Self) -> Self;
    /// Whether every point of `self` is in `other`.
    fn is_subset_of(&self, other: &Self) -> bool {
        self.difference(other).is_empty()
    }
}
