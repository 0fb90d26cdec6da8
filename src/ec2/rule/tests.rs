use std::collections::BTreeSet;

use ipnet::IpNet;
use proptest::prelude::*;

use super::*;
use crate::ec2::{AccountId, GroupRef, Reference};

fn peer(s: &str) -> Peer {
    s.parse().unwrap()
}

fn try_rule(protocol: &str, from: Option<i32>, to: Option<i32>) -> Result<Rule, RuleError> {
    Rule::new(Direction::Ingress, protocol.parse()?, from, to, peer("0.0.0.0/0"))
}

fn rule(protocol: &str, from: Option<i32>, to: Option<i32>) -> Rule {
    try_rule(protocol, from, to).unwrap()
}

/// The ports of a rule as EC2 lists them, and its selector.
fn listed(rule: &Rule) -> (Option<i32>, Option<i32>, u16, u16) {
    (rule.from_port(), rule.to_port(), rule.selector().first(), rule.selector().last())
}

#[test]
fn a_protocol_is_read_in_every_spelling_of_ec2() {
    for (protocol, spellings) in [
        (Protocol::All, &["-1", "all", "ALL", "All"][..]),
        (Protocol::TCP, &["tcp", "TCP", "Tcp", "6"]),
        (Protocol::UDP, &["udp", "UDP", "17"]),
        (Protocol::ICMP, &["icmp", "ICMP", "1"]),
        (Protocol::ICMPV6, &["icmpv6", "ICMPv6", "icmp6", "58"]),
        (Protocol::Number(0), &["0"]),
        (Protocol::Number(50), &["50"]),
        (Protocol::Number(255), &["255"]),
    ] {
        for spelling in spellings {
            assert_eq!(spelling.parse(), Ok(protocol), "{spelling}");
        }
    }
    for bad in ["", "256", "-2", "esp", "tcp ", "6.0", "0x6", "١"] {
        assert_eq!(bad.parse::<Protocol>(), Err(RuleError::Protocol(bad.to_owned())));
    }
    assert_eq!(
        "esp".parse::<Protocol>().unwrap_err().to_string(),
        "`esp` is not a protocol: write tcp, udp, icmp, icmpv6, all (or -1), \
         or a number from 0 to 255"
    );
}

#[test]
fn a_protocol_is_written_by_its_name_if_ec2_has_one() {
    for (spelling, written) in
        [("-1", "all"), ("6", "tcp"), ("17", "udp"), ("1", "icmp"), ("58", "icmpv6"), ("50", "50")]
    {
        let protocol: Protocol = spelling.parse().unwrap();
        assert_eq!(protocol.to_string(), written);
        assert_eq!(serde_json::to_value(protocol).unwrap(), written);
    }
    for number in 0..=u8::MAX {
        let protocol = Protocol::Number(number);
        assert_eq!(protocol.to_string().parse(), Ok(protocol));
        assert_eq!(protocol.has_ports(), [6, 17].contains(&number));
        assert_eq!(protocol.is_icmp(), [1, 58].contains(&number));
    }
    assert!(!Protocol::All.has_ports() && !Protocol::All.is_icmp());
}

#[test]
fn all_protocols_have_four_spellings_of_ports() {
    for (from, to) in
        [(None, None), (Some(0), Some(0)), (Some(0), Some(65535)), (Some(-1), Some(-1))]
    {
        let all = rule("-1", from, to);
        assert_eq!(listed(&all), (None, None, 0, u16::MAX));
        assert_eq!(all.content(), rule("all", None, None).content());
    }
    // EC2 ignores ports here.
    assert_eq!(rule("-1", Some(22), Some(22)), rule("-1", None, None));
}

#[test]
fn protocols_without_ports_admit_the_same_whatever_ports_are_written() {
    for protocol in ["0", "2", "41", "47", "50", "132", "255"] {
        for (from, to) in
            [(None, None), (Some(22), Some(22)), (Some(0), Some(65535)), (Some(-1), Some(-1))]
        {
            let other = rule(protocol, from, to);
            // The ports are listed as EC2 has them, and do not matter.
            assert_eq!(listed(&other), (from, to, 0, u16::MAX));
            assert_eq!(other.content(), rule(protocol, None, None).content());
        }
    }
}

#[test]
fn tcp_and_udp_have_ports() {
    for protocol in ["tcp", "6", "udp", "17"] {
        for (first, last) in [(22, 22), (20, 25), (0, 0), (0, u16::MAX), (u16::MAX, u16::MAX)] {
            let (from, to) = (Some(i32::from(first)), Some(i32::from(last)));
            assert_eq!(listed(&rule(protocol, from, to)), (from, to, first, last));
        }
        for (from, to) in [(None, None), (Some(-1), Some(-1)), (None, Some(-1)), (Some(-1), None)] {
            assert_eq!(rule(protocol, from, to), rule(protocol, Some(0), Some(65535)));
        }
    }
    assert_eq!(rule("6", Some(22), Some(22)), rule("tcp", Some(22), Some(22)));
    assert_eq!(rule("17", Some(53), Some(53)), rule("udp", Some(53), Some(53)));
}

#[test]
fn icmp_has_a_type_and_a_code() {
    for protocol in ["icmp", "1", "icmpv6", "58"] {
        for (from, to, expected) in [
            (None, None, (Some(-1), Some(-1), 0, 0xffff)),
            (Some(-1), Some(-1), (Some(-1), Some(-1), 0, 0xffff)),
            (Some(-1), None, (Some(-1), Some(-1), 0, 0xffff)),
            (None, Some(-1), (Some(-1), Some(-1), 0, 0xffff)),
            (Some(8), Some(-1), (Some(8), Some(-1), 0x0800, 0x08ff)),
            (Some(8), None, (Some(8), Some(-1), 0x0800, 0x08ff)),
            (Some(255), Some(-1), (Some(255), Some(-1), 0xff00, 0xffff)),
            (Some(3), Some(4), (Some(3), Some(4), 0x0304, 0x0304)),
            (Some(0), Some(0), (Some(0), Some(0), 0, 0)),
            (Some(255), Some(255), (Some(255), Some(255), 0xffff, 0xffff)),
        ] {
            assert_eq!(listed(&rule(protocol, from, to)), expected, "{from:?} {to:?}");
        }
    }
    assert_ne!(rule("icmp", None, None).content(), rule("icmpv6", None, None).content());
}

#[test]
fn the_selectors_of_icmp_types_do_not_overlap_and_consist_of_their_codes() {
    let points = |selector: Selector| selector.first()..=selector.last();
    let mut met = BTreeSet::new();
    for kind in 0..=u8::MAX {
        let mut codes = (0..=u8::MAX).flat_map(|code| points(Selector::icmp(kind, Some(code))));
        assert!(codes.clone().eq(points(Selector::icmp(kind, None))), "{kind}");
        assert!(codes.all(|point| met.insert(point)), "{kind}");
    }
    assert!(met.into_iter().eq(points(Selector::ALL)));
}

#[test]
fn ports_that_a_protocol_cannot_have_are_refused() {
    for (protocol, from, to, message) in [
        ("tcp", Some(25), Some(20), "tcp has no ports 25 to 20"),
        ("tcp", Some(0), Some(65536), "tcp has no ports 0 to 65536"),
        ("tcp", Some(-2), Some(22), "tcp has no ports -2 to 22"),
        ("tcp", Some(22), None, "tcp has no ports 22 to none"),
        ("tcp", None, Some(22), "tcp has no ports none to 22"),
        ("tcp", Some(22), Some(-1), "tcp has no ports 22 to -1"),
        ("tcp", Some(-1), Some(22), "tcp has no ports -1 to 22"),
        ("6", Some(65536), Some(65536), "tcp has no ports 65536 to 65536"),
        ("udp", Some(i32::MIN), Some(i32::MAX), "udp has no ports -2147483648 to 2147483647"),
        ("icmp", Some(256), Some(-1), "icmp has no ports 256 to -1"),
        ("icmp", Some(8), Some(256), "icmp has no ports 8 to 256"),
        ("icmp", Some(-2), Some(-1), "icmp has no ports -2 to -1"),
        ("icmp", Some(8), Some(-2), "icmp has no ports 8 to -2"),
        // EC2 does not accept one code of all types.
        ("icmpv6", Some(-1), Some(0), "icmpv6 has no ports -1 to 0"),
        ("icmpv6", None, Some(0), "icmpv6 has no ports none to 0"),
    ] {
        assert_eq!(try_rule(protocol, from, to).unwrap_err().to_string(), message);
    }
}

#[test]
fn a_peer_is_read_in_every_form() {
    let group = |id: &str| Peer::group(id.parse().unwrap());
    let account = "111122223333".parse().unwrap();
    let foreign = GroupRef::new(Some(account), "sg-12345678".parse().unwrap(), None);
    let foreign = Peer::Reference(Reference::Group(foreign));
    for (written, expected, printed) in [
        ("203.0.113.0/24", Peer::Ipv4("203.0.113.0/24".parse().unwrap()), "203.0.113.0/24"),
        ("203.0.113.7/32", Peer::Ipv4("203.0.113.7/32".parse().unwrap()), "203.0.113.7/32"),
        ("0.0.0.0/0", Peer::Ipv4("0.0.0.0/0".parse().unwrap()), "0.0.0.0/0"),
        ("2001:DB8:1:0::/48", Peer::Ipv6("2001:db8:1::/48".parse().unwrap()), "2001:db8:1::/48"),
        ("::/0", Peer::Ipv6("::/0".parse().unwrap()), "::/0"),
        // Host bits are dropped.
        ("198.51.100.254/0", Peer::Ipv4("0.0.0.0/0".parse().unwrap()), "0.0.0.0/0"),
        ("10.1.2.3/8", Peer::Ipv4("10.0.0.0/8".parse().unwrap()), "10.0.0.0/8"),
        ("2001:db8::1/32", Peer::Ipv6("2001:db8::/32".parse().unwrap()), "2001:db8::/32"),
        ("sg-0123456789abcdef0", group("sg-0123456789abcdef0"), "sg-0123456789abcdef0"),
        ("sg-12345678", group("sg-12345678"), "sg-12345678"),
        ("111122223333/sg-12345678", foreign, "111122223333/sg-12345678"),
        ("pl-12345678", Peer::prefix_list("pl-12345678".parse().unwrap()), "pl-12345678"),
    ] {
        assert_eq!(written.parse(), Ok(expected.clone()));
        assert_eq!(expected.to_string(), printed);
        assert_eq!(serde_json::to_value(&expected).unwrap(), printed);
        assert_eq!(printed.parse(), Ok(expected));
    }
    for bad in [
        "",
        "203.0.113.7",
        "203.0.113.0/33",
        "203.0.113/24",
        "2001:db8::/129",
        "::",
        "anywhere",
        "self",
        "/sg-12345678",
        "sg-12345678/111122223333",
        "11112222333/sg-12345678",
        "11112222333x/sg-12345678",
        "111122223333/pl-12345678",
        "111122223333/",
        "sg-web-servers",
        "sg-12345678 ",
    ] {
        assert_eq!(bad.parse::<Peer>(), Err(RuleError::Peer(bad.to_owned())));
    }
    assert_eq!(
        "self".parse::<Peer>().unwrap_err().to_string(),
        "`self` is not a peer: write a CIDR block, sg-…, account/sg-… or pl-…"
    );
}

#[test]
fn a_group_of_the_owners_account_is_named_without_the_account() {
    let account = |text: &str| Some(text.parse::<AccountId>().unwrap());
    let (own, other) = (account("111122223333"), account("444455556666"));
    let group = |account: &Option<AccountId>| {
        GroupRef::new(account.clone(), "sg-12345678".parse().unwrap(), own.as_ref())
    };
    assert_eq!(group(&own).to_string(), "sg-12345678");
    assert_eq!(group(&other).to_string(), "444455556666/sg-12345678");
    assert_eq!(group(&other).seen_from(other.as_ref()), group(&own));
}

#[test]
fn anywhere_is_a_block_of_all_addresses() {
    for anywhere in ["0.0.0.0/0", "::/0", "198.51.100.254/0", "2001:db8::1/0"] {
        assert!(peer(anywhere).is_anywhere(), "{anywhere}");
    }
    for not in ["0.0.0.0/1", "128.0.0.0/1", "::/1", "0.0.0.0/32", "sg-12345678", "pl-12345678"] {
        assert!(!peer(not).is_anywhere(), "{not}");
    }
    assert_eq!(peer("0.0.0.0/0").reference(), None);
    assert_eq!(
        peer("pl-12345678").reference(),
        Some(&Reference::PrefixList("pl-12345678".parse().unwrap()))
    );
}

#[test]
fn directions_are_written_in_lower_case() {
    for (direction, written) in [(Direction::Ingress, "ingress"), (Direction::Egress, "egress")] {
        assert_eq!(direction.to_string(), written);
        assert_eq!(serde_json::to_value(direction).unwrap(), written);
    }
}

#[test]
fn the_content_is_everything_but_id_description_and_tags() {
    let with = |direction, protocol: &str, port, to: &str| {
        Rule::new(direction, protocol.parse().unwrap(), Some(port), Some(port), peer(to)).unwrap()
    };
    let ssh = with(Direction::Ingress, "tcp", 22, "203.0.113.0/24");
    let named = with(Direction::Ingress, "6", 22, "203.0.113.9/24")
        .with_id(Some("sgr-1".parse().unwrap()))
        .with_description(Some("office".to_owned()))
        .with_tags([("owner".to_owned(), "ops".to_owned())].into());
    assert_ne!(ssh, named);
    assert_eq!(ssh.content(), named.content());
    assert!(ssh.is_same_as(&named));
    for other in [
        with(Direction::Egress, "tcp", 22, "203.0.113.0/24"),
        with(Direction::Ingress, "udp", 22, "203.0.113.0/24"),
        with(Direction::Ingress, "tcp", 23, "203.0.113.0/24"),
        with(Direction::Ingress, "tcp", 22, "203.0.112.0/24"),
        with(Direction::Ingress, "tcp", 22, "203.0.112.0/23"),
        with(Direction::Ingress, "tcp", 22, "pl-1"),
    ] {
        assert_ne!(ssh.content(), other.content(), "{other:?}");
        assert!(!ssh.is_same_as(&other), "{other:?}");
    }
    // All protocols and protocol 0 are different rules to EC2.
    assert_ne!(rule("-1", None, None).content(), rule("0", None, None).content());
    let to = |to: &str| with(Direction::Ingress, "tcp", 22, to).content();
    assert_ne!(to("sg-1"), to("111122223333/sg-1"));
    assert_ne!(to("0.0.0.0/0"), to("::/0"));
}

#[test]
fn a_rule_covers_a_selector_or_refuses_it() {
    let covering = |protocol: &str, first, last| {
        Rule::covering(
            Direction::Ingress,
            protocol.parse().unwrap(),
            Selector::new(first, last),
            peer("0.0.0.0/0"),
        )
    };
    for (protocol, first, last, from, to) in [
        ("tcp", 22, 22, Some(22), Some(22)),
        ("udp", 0, 0xffff, Some(0), Some(65535)),
        ("icmp", 0, 0xffff, Some(-1), Some(-1)),
        ("icmp", 0x0800, 0x08ff, Some(8), Some(-1)),
        ("icmpv6", 0x0304, 0x0304, Some(3), Some(4)),
        ("icmpv6", 0xff00, 0xffff, Some(255), Some(-1)),
        ("all", 0, 0xffff, None, None),
        ("50", 0, 0xffff, None, None),
    ] {
        let rule = covering(protocol, first, last).unwrap();
        assert_eq!(listed(&rule), (from, to, first, last), "{protocol}");
    }
    for (protocol, first, last, message) in [
        // Some codes of a type, or more than one type.
        ("icmp", 0x0800, 0x0801, "icmp has no ports 2048 to 2049"),
        ("icmp", 0x0801, 0x08ff, "icmp has no ports 2049 to 2303"),
        ("icmp", 0x0800, 0x09ff, "icmp has no ports 2048 to 2559"),
        ("icmp", 0, 0xfffe, "icmp has no ports 0 to 65534"),
        ("all", 22, 22, "all has no ports 22 to 22"),
        ("50", 0, 0xfffe, "50 has no ports 0 to 65534"),
    ] {
        assert_eq!(covering(protocol, first, last).unwrap_err().to_string(), message);
    }
}

fn peers() -> impl Strategy<Value = Peer> {
    prop_oneof![
        (any::<[u8; 4]>(), 0..=32_u8).prop_map(|(address, length)| IpNet::new(
            address.into(),
            length
        )
        .unwrap()
        .into()),
        (any::<[u8; 16]>(), 0..=128_u8).prop_map(|(address, length)| IpNet::new(
            address.into(),
            length
        )
        .unwrap()
        .into()),
        "sg-[0-9a-f]{8,17}".prop_map(|id| Peer::group(id.parse().unwrap())),
        "[0-9]{12}/sg-[0-9a-f]{17}".prop_map(|s| peer(&s)),
        "pl-[0-9a-f]{8,17}".prop_map(|id| Peer::prefix_list(id.parse().unwrap())),
    ]
}

fn protocols() -> impl Strategy<Value = Protocol> {
    prop_oneof![
        Just(Protocol::All),
        Just(Protocol::TCP),
        Just(Protocol::UDP),
        Just(Protocol::ICMP),
        Just(Protocol::ICMPV6),
        any::<u8>().prop_map(Protocol::Number),
    ]
}

/// Rules with every kind of ports that their protocol can have.
fn rules() -> impl Strategy<Value = Rule> {
    let direction = prop_oneof![Just(Direction::Ingress), Just(Direction::Egress)];
    let port = || prop_oneof![0..=3_i32, 65533..=65535_i32];
    let number = || prop_oneof![0..=2_i32, 254..=255_i32];
    (direction, protocols(), port(), port(), number(), -1..=2_i32, peers(), 0..4_u8).prop_map(
        |(direction, protocol, a, b, kind, code, peer, any)| {
            let (from, to) = if any == 0 || !(protocol.has_ports() || protocol.is_icmp()) {
                (None, None)
            } else if protocol.has_ports() {
                (Some(a.min(b)), Some(a.max(b)))
            } else {
                (Some(kind), Some(code))
            };
            Rule::new(direction, protocol, from, to, peer).unwrap()
        },
    )
}

proptest! {
    #[test]
    fn a_peer_is_read_back_as_it_is_written(peer in peers()) {
        prop_assert_eq!(peer.to_string().parse(), Ok(peer));
    }

    #[test]
    fn a_rule_is_covered_by_its_own_selector(rule in rules()) {
        let (direction, protocol) = (rule.direction(), rule.protocol());
        let again = Rule::covering(direction, protocol, rule.selector(), rule.peer().clone());
        prop_assert_eq!(again, Ok(rule));
    }

    #[test]
    fn a_rule_is_read_back_as_it_is_listed(rule in rules()) {
        let again = Rule::new(
            rule.direction(),
            rule.protocol().to_string().parse().unwrap(),
            rule.from_port(),
            rule.to_port(),
            peer(&rule.peer().to_string()),
        );
        prop_assert_eq!(again, Ok(rule));
    }

    #[test]
    fn two_rules_are_the_same_exactly_if_their_contents_are(a in rules(), b in rules()) {
        for b in [a.clone(), b.clone().with_peer(a.peer().clone()), b] {
            prop_assert_eq!(a.is_same_as(&b), a.content() == b.content());
            prop_assert_eq!(a.cmp_content(&b), a.content().cmp(&b.content()));
        }
    }

    #[test]
    fn covering_is_exact_or_refused(
        protocol in protocols(),
        first in any::<u16>(),
        last in any::<u16>(),
        peer in peers(),
    ) {
        let selector = Selector::new(first, last);
        match Rule::covering(Direction::Egress, protocol, selector, peer) {
            Ok(rule) => prop_assert_eq!(rule.selector(), selector),
            Err(_) => prop_assert!(!protocol.has_ports()),
        }
    }
}
