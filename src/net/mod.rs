//! Exact set algebra over traffic: protocol × port (or ICMP type and code) × address.
//!
//! Everything that the auditor claims rests on this module, so it is small, pure, and built from
//! two canonical representations:
//!
//! - [`IntervalSet`]: a set of points of one dimension, as sorted intervals that neither overlap
//!   nor touch;
//! - [`Layers`]: a set of points of one more dimension, as sorted intervals over each of which the
//!   rest of the point ranges over the same, non-empty set; two intervals that touch differ in it.
//!
//! A canonical representation is unique: two values are `==` exactly when they are the same set.
//! So `a.difference(&b).is_empty()` *is* `a.is_subset_of(&b)`, and "the excess is empty" *is* "the
//! rule is compliant"; nothing is approximated on the way.
//!
//! [`Traffic`] puts the dimensions together, once for each kind of peer: IPv4 addresses, IPv6
//! addresses, and references (groups and prefix lists, which are names and not addresses).

mod address;
mod interval;
mod layers;
mod traffic;

#[cfg(test)]
mod tests;

pub use address::{
    Address, addresses, cidrs_ipv4, cidrs_ipv6, host_count, interval_ipv4, interval_ipv6,
    network_count_ipv6, public_ipv4, public_ipv6, wide_ipv4, wide_ipv6,
};
pub use interval::{Bound, Interval, IntervalSet};
pub use layers::Layers;
pub use traffic::{Cells, GroupRef, Reference, ReferenceSet, Traffic};

/// A set that is closed under union, intersection and difference.
///
/// Implementations are canonical: `==` is equality of sets.
pub trait Set: Clone + Eq + std::fmt::Debug {
    /// The set without any point.
    fn empty() -> Self;
    /// Whether there is no point in it.
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
