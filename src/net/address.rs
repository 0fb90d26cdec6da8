//! Addresses: CIDR blocks to intervals and back, and which addresses are public.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Net, Ipv6Subnets};

use super::interval::{Bound, Interval, IntervalSet};
use super::set::Set;

/// An address as a point: `u32` for IPv4, `u128` for IPv6.
pub trait Address: Bound + Into<u128> {}
impl Address for u32 {}
impl Address for u128 {}

/// The addresses of an IPv4 block. Host bits are ignored, as EC2 does.
pub fn interval_ipv4(net: &Ipv4Net) -> Interval<u32> {
    Interval::new(net.network().to_bits(), net.broadcast().to_bits())
}

/// The addresses of an IPv6 block. Host bits are ignored, as EC2 does.
pub fn interval_ipv6(net: &Ipv6Net) -> Interval<u128> {
    Interval::new(net.network().to_bits(), net.broadcast().to_bits())
}

/// The addresses of blocks of either family.
pub fn addresses<'a>(
    nets: impl IntoIterator<Item = &'a IpNet>,
) -> (IntervalSet<u32>, IntervalSet<u128>) {
    let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
    for net in nets {
        match net {
            IpNet::V4(net) => ipv4.push(interval_ipv4(net)),
            IpNet::V6(net) => ipv6.push(interval_ipv6(net)),
        }
    }
    (ipv4.into_iter().collect(), ipv6.into_iter().collect())
}

/// The smallest list of CIDR blocks that is exactly the set, lowest first.
pub fn cidrs_ipv4(set: &IntervalSet<u32>) -> impl Iterator<Item = Ipv4Net> + '_ {
    set.intervals().iter().flat_map(|interval| {
        Ipv4Subnets::new(
            Ipv4Addr::from_bits(interval.first()),
            Ipv4Addr::from_bits(interval.last()),
            0,
        )
    })
}

/// The smallest list of CIDR blocks that is exactly the set, lowest first.
pub fn cidrs_ipv6(set: &IntervalSet<u128>) -> impl Iterator<Item = Ipv6Net> + '_ {
    set.intervals().iter().flat_map(|interval| {
        Ipv6Subnets::new(
            Ipv6Addr::from_bits(interval.first()),
            Ipv6Addr::from_bits(interval.last()),
            0,
        )
    })
}

/// How many addresses are in the set. Saturates at `u128::MAX`.
pub fn host_count<T: Address>(set: &IntervalSet<T>) -> u128 {
    set.intervals().iter().fold(0, |count: u128, interval| {
        let (first, last): (u128, u128) = (interval.first().into(), interval.last().into());
        count.saturating_add((last - first).saturating_add(1))
    })
}

/// How many /64 networks the addresses are in. A single host usually has a /64 of its own.
pub fn network_count_ipv6(set: &IntervalSet<u128>) -> u128 {
    let networks: IntervalSet<u128> =
        set.intervals().iter().map(|i| Interval::new(i.first() >> 64, i.last() >> 64)).collect();
    host_count(&networks)
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(bits: u128, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_bits(bits), prefix)
}

/// IPv4 blocks that no host has towards another one (IANA IPv4 Special-Purpose Address Registry).
const NOBODYS_IPV4: [Ipv4Net; 5] = [
    v4(0, 0, 0, 0, 8),      // this network
    v4(127, 0, 0, 0, 8),    // loopback
    v4(169, 254, 0, 0, 16), // link-local
    v4(224, 0, 0, 0, 4),    // multicast
    v4(240, 0, 0, 0, 4),    // reserved, limited broadcast
];

/// IPv4 blocks that only hosts off the Internet have. The blocks for documentation are left out, so
/// that examples behave like real addresses.
const PRIVATE_IPV4: [Ipv4Net; 5] = [
    v4(10, 0, 0, 0, 8),     // private, RFC 1918
    v4(100, 64, 0, 0, 10),  // shared, RFC 6598
    v4(172, 16, 0, 0, 12),  // private, RFC 1918
    v4(192, 168, 0, 0, 16), // private, RFC 1918
    v4(198, 18, 0, 0, 15),  // benchmarking, RFC 2544
];

/// IPv6 blocks that no host has towards another one.
const NOBODYS_IPV6: [Ipv6Net; 5] = [
    v6(0, 128),                                        // unspecified
    v6(1, 128),                                        // loopback
    v6(0xffff_0000_0000, 96),                          // IPv4-mapped
    v6(0xfe80_0000_0000_0000_0000_0000_0000_0000, 10), // link-local
    v6(0xff00_0000_0000_0000_0000_0000_0000_0000, 8),  // multicast
];

/// The IPv6 block that only hosts off the Internet have: unique local.
const PRIVATE_IPV6: Ipv6Net = v6(0xfc00_0000_0000_0000_0000_0000_0000_0000, 7);

static NOBODYS: LazyLock<(IntervalSet<u32>, IntervalSet<u128>)> = LazyLock::new(|| {
    let ipv4 = NOBODYS_IPV4.iter().map(interval_ipv4).collect();
    (ipv4, NOBODYS_IPV6.iter().map(interval_ipv6).collect())
});

static PUBLIC: LazyLock<(IntervalSet<u32>, IntervalSet<u128>)> = LazyLock::new(|| {
    let private_ipv4: IntervalSet<u32> = PRIVATE_IPV4.iter().map(interval_ipv4).collect();
    let private_ipv6: IntervalSet<u128> = [interval_ipv6(&PRIVATE_IPV6)].into_iter().collect();
    (
        IntervalSet::full().difference(&private_ipv4.union(nobodys_ipv4())),
        IntervalSet::full().difference(&private_ipv6.union(nobodys_ipv6())),
    )
});

/// The IPv4 addresses that no host has towards another one, such as loopback and multicast.
pub fn nobodys_ipv4() -> &'static IntervalSet<u32> {
    &NOBODYS.0
}

/// The IPv6 addresses that no host has towards another one, such as loopback and multicast.
pub fn nobodys_ipv6() -> &'static IntervalSet<u128> {
    &NOBODYS.1
}

/// The IPv4 addresses that a host on the Internet can have.
pub fn public_ipv4() -> &'static IntervalSet<u32> {
    &PUBLIC.0
}

/// The IPv6 addresses that a host on the Internet can have.
pub fn public_ipv6() -> &'static IntervalSet<u128> {
    &PUBLIC.1
}

/// Whether the set has more than 65,536 public IPv4 addresses, which is more than one site has.
pub fn wide_ipv4(set: &IntervalSet<u32>) -> bool {
    host_count(&set.intersection(public_ipv4())) > 1 << 16
}

/// Whether the set has more public IPv6 addresses than a /32, which is what a provider gets.
pub fn wide_ipv6(set: &IntervalSet<u128>) -> bool {
    host_count(&set.intersection(public_ipv6())) > 1 << 96
}
