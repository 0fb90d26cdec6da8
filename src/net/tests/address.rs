//! CIDR blocks, counts, public addresses and wide sets.

use std::fmt::Debug;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::*;

fn ipv4(blocks: &[&str]) -> IntervalSet<u32> {
    blocks.iter().map(|block| interval_ipv4(&block.parse().unwrap())).collect()
}

fn ipv6(blocks: &[&str]) -> IntervalSet<u128> {
    blocks.iter().map(|block| interval_ipv6(&block.parse().unwrap())).collect()
}

/// The smallest list of blocks, as (first point, number of points), in a space of `2^bits` points:
/// a block that is not wholly in the set is split into its halves.
fn naive_cover(bits: u32, contains: &dyn Fn(u32) -> bool) -> Vec<(u32, u32)> {
    fn cover(first: u32, size: u32, contains: &dyn Fn(u32) -> bool, out: &mut Vec<(u32, u32)>) {
        if (first..first + size).all(contains) {
            out.push((first, size));
        } else if size > 1 {
            cover(first, size / 2, contains, out);
            cover(first + size / 2, size / 2, contains, out);
        }
    }
    let mut out = Vec::new();
    cover(0, 1 << bits, contains, &mut out);
    out
}

/// Tries every set of eight points: as the eight /3 of the address space, and as eight hosts at
/// its beginning, in its middle and at its end.
#[test]
fn cidrs_are_the_naive_cover_of_every_set_of_eight_points() {
    for bits in 0_u32..256 {
        let cover = naive_cover(3, &|point| bits >> point & 1 == 1);
        for (base, shift) in [(0, 29), (0, 0), (0x0a00_0000, 0), (0x7fff_fff8, 0), (0xffff_fff8, 0)]
        {
            let set: IntervalSet<u32> = (0..8)
                .filter(|point| bits >> point & 1 == 1)
                .map(|point: u32| {
                    let first = base + (point << shift);
                    Interval::new(first, first + ((1 << shift) - 1))
                })
                .collect();
            let expected: Vec<Ipv4Net> = cover
                .iter()
                .map(|(first, size)| {
                    let length = 32 - shift - u8::try_from(size.ilog2()).unwrap();
                    Ipv4Net::new(Ipv4Addr::from_bits(base + (first << shift)), length).unwrap()
                })
                .collect();
            assert_eq!(cidrs_ipv4(&set).collect::<Vec<_>>(), expected);
        }
        for (base, shift) in [(0, 125), (0, 0), (0x2001_0db8 << 96, 64), (u128::MAX - 7, 0)] {
            let set: IntervalSet<u128> = (0..8_u32)
                .filter(|point| bits >> point & 1 == 1)
                .map(|point| {
                    let first = base + (u128::from(point) << shift);
                    Interval::new(first, first + ((1 << shift) - 1))
                })
                .collect();
            let expected: Vec<Ipv6Net> = cover
                .iter()
                .map(|(first, size)| {
                    let length = 128 - shift - u8::try_from(size.ilog2()).unwrap();
                    let address = base + (u128::from(*first) << shift);
                    Ipv6Net::new(Ipv6Addr::from_bits(address), length).unwrap()
                })
                .collect();
            assert_eq!(cidrs_ipv6(&set).collect::<Vec<_>>(), expected);
        }
    }
}

/// Blocks, as (first, last, prefix length), are the smallest list for a set if they are exactly the
/// set, do not overlap, and no two of them are the halves of a larger block.
fn assert_fewest<T: Address>(set: &IntervalSet<T>, blocks: &[(T, T, u8)]) {
    let again: IntervalSet<T> =
        blocks.iter().map(|(first, last, _)| Interval::new(*first, *last)).collect();
    assert_eq!(&again, set);
    for pair in blocks.windows(2) {
        let ((first, last, length), (next_first, _, next_length)) = (pair[0], pair[1]);
        assert!(last < next_first, "{blocks:?}");
        let size = last.into() - first.into() + 1;
        let halves =
            length == next_length && last.next() == Some(next_first) && first.into() & size == 0;
        assert!(!halves, "{blocks:?}");
    }
}

fn check_ipv4(set: &IntervalSet<u32>) {
    let blocks: Vec<_> = cidrs_ipv4(set)
        .map(|net| {
            assert_eq!(net, net.trunc());
            (net.network().to_bits(), net.broadcast().to_bits(), net.prefix_len())
        })
        .collect();
    assert_fewest(set, &blocks);
}

fn check_ipv6(set: &IntervalSet<u128>) {
    let blocks: Vec<_> = cidrs_ipv6(set)
        .map(|net| {
            assert_eq!(net, net.trunc());
            (net.network().to_bits(), net.broadcast().to_bits(), net.prefix_len())
        })
        .collect();
    assert_fewest(set, &blocks);
}

proptest! {
    #[test]
    fn cidrs_ipv4_are_exact_fewest_and_sorted(set in interval_set::<u32>()) {
        check_ipv4(&set);
        check_ipv4(&IntervalSet::full().difference(&set));
    }

    #[test]
    fn cidrs_ipv6_are_exact_fewest_and_sorted(set in interval_set::<u128>()) {
        check_ipv6(&set);
        check_ipv6(&IntervalSet::full().difference(&set));
    }

    #[test]
    fn cidrs_are_the_naive_cover(set in interval_set::<u8>()) {
        let expected: Vec<String> = naive_cover(8, &|point| set.contains(u8::try_from(point).unwrap()))
            .iter()
            .map(|(first, size)| format!("{first}.0.0.0/{}", 8 - size.ilog2()))
            .collect();
        let wide: IntervalSet<u32> = set
            .intervals()
            .iter()
            .map(|i| Interval::new(u32::from(i.first()) << 24, u32::from(i.last()) << 24 | 0xff_ffff))
            .collect();
        let cidrs: Vec<String> = cidrs_ipv4(&wide).map(|net| net.to_string()).collect();
        prop_assert_eq!(cidrs, expected);
    }

    #[test]
    fn a_block_converts_to_a_set_and_back(
        bits4 in any::<u32>(), length4 in 0..=32_u8, bits6 in any::<u128>(), length6 in 0..=128_u8,
    ) {
        let net = Ipv4Net::new(Ipv4Addr::from_bits(bits4), length4).unwrap();
        let set = interval_ipv4(&net).into();
        prop_assert_eq!(cidrs_ipv4(&set).collect::<Vec<_>>(), [net.trunc()]);
        prop_assert_eq!(host_count(&set), 1 << (32 - length4));

        let net = Ipv6Net::new(Ipv6Addr::from_bits(bits6), length6).unwrap();
        let set = interval_ipv6(&net).into();
        prop_assert_eq!(cidrs_ipv6(&set).collect::<Vec<_>>(), [net.trunc()]);
        prop_assert_eq!(
            host_count(&set),
            1_u128.checked_shl(128 - u32::from(length6)).unwrap_or(u128::MAX)
        );
    }

    #[test]
    fn counts_add_up(a in interval_set::<u32>(), b in interval_set::<u32>()) {
        prop_assert_eq!(
            host_count(&a.union(&b)) + host_count(&a.intersection(&b)),
            host_count(&a) + host_count(&b)
        );
    }
}

#[test]
fn all_addresses_are_one_block() {
    fn shown<N: ToString>(nets: impl Iterator<Item = N>) -> Vec<String> {
        nets.map(|net| net.to_string()).collect()
    }
    assert_eq!(shown(cidrs_ipv4(&IntervalSet::full())), ["0.0.0.0/0"]);
    assert_eq!(shown(cidrs_ipv6(&IntervalSet::full())), ["::/0"]);
    assert_eq!(shown(cidrs_ipv4(&ipv4(&["0.0.0.0/1", "128.0.0.0/1"]))), ["0.0.0.0/0"]);
    assert_eq!(shown(cidrs_ipv6(&ipv6(&["::/1", "8000::/1"]))), ["::/0"]);
    assert_eq!(shown(cidrs_ipv4(&IntervalSet::empty())), [""; 0]);
    assert_eq!(shown(cidrs_ipv6(&IntervalSet::empty())), [""; 0]);
}

#[test]
fn all_addresses_except_the_first_or_last_are_a_block_of_each_length() {
    for host in [0, u32::MAX] {
        let set = IntervalSet::full().difference(&Interval::new(host, host).into());
        check_ipv4(&set);
        assert_eq!(cidrs_ipv4(&set).count(), 32);
    }
    for host in [0, u128::MAX] {
        let set = IntervalSet::full().difference(&Interval::new(host, host).into());
        check_ipv6(&set);
        assert_eq!(cidrs_ipv6(&set).count(), 128);
    }
}

#[test]
fn host_bits_are_ignored() {
    assert_eq!(ipv4(&["198.51.100.254/0"]), IntervalSet::full());
    assert_eq!(ipv4(&["10.1.2.3/8"]), ipv4(&["10.0.0.0/8"]));
    assert_eq!(ipv6(&["2001:db8::1/0"]), IntervalSet::full());
    assert_eq!(ipv6(&["2001:db8::1/32"]), ipv6(&["2001:db8::/32"]));
}

#[test]
fn host_count_of_small_and_large_sets() {
    assert_eq!(host_count(&IntervalSet::<u32>::empty()), 0);
    assert_eq!(host_count(&IntervalSet::<u32>::full()), 1 << 32);
    assert_eq!(host_count(&ipv4(&["0.0.0.0/32", "255.255.255.255/32"])), 2);
    assert_eq!(host_count(&ipv4(&["203.0.113.0/24", "198.51.100.7/32"])), 257);
    assert_eq!(host_count(&ipv6(&["2001:db8::/32"])), 1 << 96);
    assert_eq!(host_count(&ipv6(&["::/1"])), 1 << 127);
    // 2^128 does not fit in 128 bits.
    assert_eq!(host_count(&IntervalSet::<u128>::full()), u128::MAX);
    let all_but_one = IntervalSet::full().difference(&ipv6(&["::/128"]));
    assert_eq!(host_count(&all_but_one), u128::MAX);
    assert_eq!(host_count(&all_but_one.difference(&ipv6(&["::1/128"]))), u128::MAX - 1);
}

/// Asserts that each block ends exactly where the set begins.
fn assert_blocks_are_left_out<T: Bound + Debug>(set: &IntervalSet<T>, blocks: &[Interval<T>]) {
    for block in blocks {
        for end in [block.first(), block.last()] {
            assert!(!set.contains(end), "{block:?}");
        }
        for outside in [block.first().previous(), block.last().next()].into_iter().flatten() {
            assert!(set.contains(outside), "{block:?}");
        }
    }
}

#[test]
fn public_ipv4_is_everything_except_the_special_blocks() {
    let special = ipv4(&[
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/3", // multicast and reserved, up to the end
    ]);
    assert_eq!(special.intervals().len(), 9);
    assert_blocks_are_left_out(public_ipv4(), special.intervals());
    assert_eq!(public_ipv4(), &IntervalSet::full().difference(&special));
    for public in ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "8.8.8.8/32", "54.0.0.0/8"]
    {
        assert!(ipv4(&[public]).is_subset_of(public_ipv4()), "{public}");
    }
}

#[test]
fn public_ipv6_is_everything_except_the_special_blocks() {
    let special = ipv6(&["::/127", "::ffff:0:0/96", "fc00::/7", "fe80::/10", "ff00::/8"]);
    assert_eq!(special.intervals().len(), 5);
    assert_blocks_are_left_out(public_ipv6(), special.intervals());
    assert_eq!(public_ipv6(), &IntervalSet::full().difference(&special));
    assert!(ipv6(&["2001:db8::/32"]).is_subset_of(public_ipv6()));
}

#[test]
fn nobody_has_the_addresses_that_are_not_routed_between_hosts() {
    let nobodys = ipv4(&["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"]);
    assert_eq!(nobodys_ipv4(), &nobodys);
    assert_blocks_are_left_out(&IntervalSet::full().difference(&nobodys), nobodys.intervals());
    for host in ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15"]
    {
        assert!(ipv4(&[host]).intersection(nobodys_ipv4()).is_empty(), "{host}");
    }
    let nobodys = ipv6(&["::/127", "::ffff:0:0/96", "fe80::/10", "ff00::/8"]);
    assert_eq!(nobodys_ipv6(), &nobodys);
    assert!(ipv6(&["fc00::/7"]).intersection(nobodys_ipv6()).is_empty());
}

#[test]
fn wide_ipv4_is_more_than_65536_public_addresses() {
    for (wide, blocks) in [
        (false, &[][..]),
        (false, &["203.0.0.0/16"]),
        (true, &["203.0.0.0/16", "8.8.8.8/32"]),
        (true, &["203.0.0.0/15"]),
        // In union, overlaps counted once.
        (false, &["203.0.0.0/17", "203.0.128.0/17", "203.0.113.0/24"]),
        (false, &["203.0.0.0/17", "54.0.0.0/17"]),
        (true, &["203.0.0.0/17", "54.0.0.0/17", "8.8.8.8/32"]),
        // What is not public does not count.
        (false, &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]),
        (false, &["10.0.0.0/8", "203.0.0.0/16"]),
        (true, &["10.0.0.0/8", "203.0.0.0/16", "8.8.8.8/32"]),
        (false, &["224.0.0.0/3"]),
        // The documentation blocks do.
        (true, &["54.0.0.0/16", "192.0.2.1/32"]),
        (true, &["54.0.0.0/16", "198.51.100.1/32"]),
        (true, &["54.0.0.0/16", "203.0.113.1/32"]),
        (true, &["54.0.0.0/8"]),
        (true, &["0.0.0.0/1"]),
        (true, &["128.0.0.0/1"]),
        (true, &["0.0.0.0/0"]),
    ] {
        assert_eq!(wide_ipv4(&ipv4(blocks)), wide, "{blocks:?}");
    }
}

#[test]
fn wide_ipv6_is_more_than_a_32() {
    for (wide, blocks) in [
        (false, &[][..]),
        (false, &["2001:db8:1::/48"]),
        (false, &["2001:db8::/32"]),
        (true, &["2001:db8::/32", "2001:db9::/128"]),
        (true, &["2001:db8::/31"]),
        (false, &["2001:db8::/33", "2600::/33"]),
        (true, &["2001:db8::/33", "2600::/33", "2700::/128"]),
        (false, &["fc00::/7", "fe80::/10", "ff00::/8", "::/127", "::ffff:0:0/96"]),
        (false, &["fc00::/7", "2600::/32"]),
        (true, &["fc00::/7", "2600::/32", "2001:db8::1/128"]),
        (true, &["::/1"]),
        (true, &["8000::/1"]),
        (true, &["::/0"]),
    ] {
        assert_eq!(wide_ipv6(&ipv6(blocks)), wide, "{blocks:?}");
    }
}
