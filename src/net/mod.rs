//! Exact set algebra over traffic: protocol × port (or ICMP type and code) × address.
//!
//! Every verdict depends on this module, so it is small and pure. It has two types of set:
//!
//! - [`IntervalSet`]: points of one dimension, as sorted intervals that neither overlap nor touch;
//! - [`Layers`]: points of one more dimension, as sorted intervals of keys. Each interval has one
//!   non-empty set of values for the other dimensions, and two intervals that touch have different
//!   ones.
//!
//! There is only one way to represent a set, so two values are `==` exactly when they are the same
//! set. A rule complies with a baseline exactly when the difference of the two is empty. Nothing is
//! approximated.
//!
//! [`Traffic`] combines the dimensions, once for each kind of peer: IPv4 addresses, IPv6 addresses,
//! and references (groups and prefix lists, which are compared by name).

mod address;
mod interval;
mod layers;
mod rule;
mod set;
mod traffic;

#[cfg(test)]
mod tests;

pub use address::{
    Address, addresses, cidrs_ipv4, cidrs_ipv6, host_count, interval_ipv4, interval_ipv6,
    network_count_ipv6, nobodys_ipv4, nobodys_ipv6, public_ipv4, public_ipv6, wide_ipv4, wide_ipv6,
};
pub use interval::{Bound, Interval, IntervalSet};
pub use layers::Layers;
pub use set::Set;
pub use traffic::{Cells, ReferenceSet, Traffic};
