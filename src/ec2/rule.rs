//! A security-group rule as `DescribeSecurityGroupRules` lists it, and the traffic it admits.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::ec2::ids::is_account;
use crate::net::{
    Cells, Interval, IntervalSet, Layers, ReferenceSet, Set, Traffic, interval_ipv4, interval_ipv6,
};
pub use crate::net::{GroupRef, Reference};

/// Which way the traffic goes, seen from the group's members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To the members.
    Ingress,
    /// From the members.
    Egress,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        })
    }
}

/// The protocol of a rule: one by its IANA number, or all of them (-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// -1: every protocol, every port.
    All,
    /// An IANA protocol number.
    Number(u8),
}

impl Protocol {
    /// 1
    pub const ICMP: Self = Self::Number(1);
    /// 6
    pub const TCP: Self = Self::Number(6);
    /// 17
    pub const UDP: Self = Self::Number(17);
    /// 58
    pub const ICMPV6: Self = Self::Number(58);

    /// Whether rules of this protocol have ports.
    pub fn has_ports(self) -> bool {
        self == Self::TCP || self == Self::UDP
    }

    /// Whether rules of this protocol have a type and a code in the place of ports.
    pub fn is_icmp(self) -> bool {
        self == Self::ICMP || self == Self::ICMPV6
    }

    /// The protocol numbers.
    pub fn numbers(self) -> Interval<u8> {
        match self {
            Self::All => Interval::full(),
            Self::Number(number) => Interval::new(number, number),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::All => f.write_str("all"),
            Self::ICMP => f.write_str("icmp"),
            Self::TCP => f.write_str("tcp"),
            Self::UDP => f.write_str("udp"),
            Self::ICMPV6 => f.write_str("icmpv6"),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl FromStr for Protocol {
    type Err = RuleError;

    /// Reads every spelling that EC2 takes: names in any case, numbers, -1, and `all`.
    fn from_str(s: &str) -> Result<Self, RuleError> {
        Ok(match s.to_ascii_lowercase().as_str() {
            "-1" | "all" => Self::All,
            "icmp" => Self::ICMP,
            "tcp" => Self::TCP,
            "udp" => Self::UDP,
            "icmpv6" | "icmp6" => Self::ICMPV6,
            other => Self::Number(other.parse().map_err(|_| RuleError::Protocol(s.to_owned()))?),
        })
    }
}

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Who is on the other side: a source of an ingress rule, a destination of an egress rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Peer {
    /// A block of IPv4 addresses, without host bits.
    Ipv4(Ipv4Net),
    /// A block of IPv6 addresses, without host bits.
    Ipv6(Ipv6Net),
    /// A group or a prefix list.
    Reference(Reference),
}

impl Peer {
    /// A group of the same account.
    pub fn group(id: &str) -> Self {
        Self::Reference(Reference::Group(GroupRef { account: None, id: id.to_owned() }))
    }

    /// A prefix list.
    pub fn prefix_list(id: &str) -> Self {
        Self::Reference(Reference::PrefixList(id.to_owned()))
    }

    /// Whether it is 0.0.0.0/0 or ::/0.
    pub fn is_anywhere(&self) -> bool {
        match self {
            Self::Ipv4(net) => net.prefix_len() == 0,
            Self::Ipv6(net) => net.prefix_len() == 0,
            Self::Reference(_) => false,
        }
    }

    /// The reference, where it is one.
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Reference(reference) => Some(reference),
            _ => None,
        }
    }
}

impl From<IpNet> for Peer {
    /// Host bits are dropped, as EC2 does.
    fn from(net: IpNet) -> Self {
        match net {
            IpNet::V4(net) => Self::Ipv4(net.trunc()),
            IpNet::V6(net) => Self::Ipv6(net.trunc()),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(net) => net.fmt(f),
            Self::Ipv6(net) => net.fmt(f),
            Self::Reference(reference) => reference.fmt(f),
        }
    }
}

impl FromStr for Peer {
    type Err = RuleError;

    /// Reads a CIDR block (host bits are dropped), `sg-…`, `account/sg-…` or `pl-…`. The ids are
    /// taken as they come: EC2 has used more than one form.
    fn from_str(s: &str) -> Result<Self, RuleError> {
        let bad = || RuleError::Peer(s.to_owned());
        if let Ok(net) = s.parse::<IpNet>() {
            return Ok(net.into());
        }
        if s.starts_with("pl-") {
            return Ok(Self::prefix_list(s));
        }
        match s.split_once('/') {
            None if s.starts_with("sg-") => Ok(Self::group(s)),
            Some((account, id)) if is_account(account) && id.starts_with("sg-") => {
                Ok(Self::Reference(Reference::Group(GroupRef {
                    account: Some(account.to_owned()),
                    id: id.to_owned(),
                })))
            }
            _ => Err(bad()),
        }
    }
}

impl Serialize for Peer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One line of a security group: direction, protocol, ports, one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `sgr-…`; unknown for a rule that only a request or `describe-security-groups` tells of.
    pub id: Option<String>,
    /// Ingress or egress.
    pub direction: Direction,
    /// What it admits of protocols.
    pub protocol: Protocol,
    /// The lowest port, or the ICMP type, as EC2 lists it. `None` for every protocol.
    pub from_port: Option<i32>,
    /// The highest port, or the ICMP code, as EC2 lists it. `None` for every protocol.
    pub to_port: Option<i32>,
    /// Whom it admits.
    pub peer: Peer,
    /// The description of the rule.
    pub description: Option<String>,
    /// The rule's tags.
    pub tags: BTreeMap<String, String>,
    selector: Interval<u16>,
}

/// What makes two rules the same to EC2: all but id, description and tags.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleContent {
    direction: Direction,
    protocol: Protocol,
    selector: Interval<u16>,
    peer: Peer,
}

/// How many rules a group holds in each direction and address family, unless AWS was asked for
/// more ("Security group quotas" in the Amazon VPC user guide).
pub const RULE_LIMIT: usize = 60;

/// Why something is not a rule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RuleError {
    /// Not a protocol.
    #[error(
        "`{0}` is no protocol: write tcp, udp, icmp, icmpv6, all (or -1), or a number from 0 to 255"
    )]
    Protocol(String),
    /// Not a peer.
    #[error("`{0}` is no peer: write a CIDR block, sg-…, account/sg-… or pl-…")]
    Peer(String),
    /// Ports that the protocol cannot have.
    #[error("{protocol} has no ports {from} to {to}")]
    Ports {
        /// The protocol.
        protocol: Protocol,
        /// What was given as the first, `none` where nothing was.
        from: String,
        /// What was given as the last.
        to: String,
    },
}

impl Rule {
    /// A rule without id, description and tags. The ports are what EC2 has in `FromPort` and
    /// `ToPort`, in any spelling it is known to use: absent or -1 for all of them, type and code
    /// for ICMP (-1 for any), anything at all for the protocols that have none.
    pub fn new(
        direction: Direction,
        protocol: Protocol,
        from_port: Option<i32>,
        to_port: Option<i32>,
        peer: Peer,
    ) -> Result<Self, RuleError> {
        let bad = || RuleError::Ports {
            protocol,
            from: from_port.map_or_else(|| "none".to_owned(), |port| port.to_string()),
            to: to_port.map_or_else(|| "none".to_owned(), |port| port.to_string()),
        };
        let any = |port: Option<i32>| port.filter(|port| *port != -1);
        let (from_port, to_port, selector) = if protocol.has_ports() {
            match (any(from_port), any(to_port)) {
                (None, None) => (Some(0), Some(65535), Interval::full()),
                (Some(from), Some(to)) => {
                    let first = u16::try_from(from).map_err(|_| bad())?;
                    let last = u16::try_from(to).map_err(|_| bad())?;
                    if first > last {
                        return Err(bad());
                    }
                    (Some(from), Some(to), Interval::new(first, last))
                }
                _ => return Err(bad()),
            }
        } else if protocol.is_icmp() {
            let number = |port: i32| u8::try_from(port).map_err(|_| bad());
            let selector = match (any(from_port), any(to_port)) {
                (None, None) => Interval::full(),
                (Some(kind), None) => icmp_selector(number(kind)?, None),
                (Some(kind), Some(code)) => icmp_selector(number(kind)?, Some(number(code)?)),
                (None, Some(_)) => return Err(bad()),
            };
            (Some(from_port.unwrap_or(-1)), Some(to_port.unwrap_or(-1)), selector)
        } else if protocol == Protocol::All {
            (None, None, Interval::full())
        } else {
            (from_port, to_port, Interval::full())
        };
        Ok(Self {
            id: None,
            direction,
            protocol,
            from_port,
            to_port,
            peer,
            description: None,
            tags: BTreeMap::new(),
            selector,
        })
    }

    /// A rule of `protocol` whose selectors are exactly `selector`, where one rule can say so.
    pub fn covering(
        direction: Direction,
        protocol: Protocol,
        selector: Interval<u16>,
        peer: Peer,
    ) -> Result<Self, RuleError> {
        let (first, last) = (i32::from(selector.first()), i32::from(selector.last()));
        let (from, to) = if protocol.has_ports() {
            (Some(first), Some(last))
        } else if protocol.is_icmp() && selector != Interval::full() {
            if first == last {
                (Some(first >> 8), Some(first & 0xff))
            } else {
                (Some(first >> 8), None)
            }
        } else {
            (None, None)
        };
        let rule = Self::new(direction, protocol, from, to, peer)?;
        if rule.selector == selector {
            Ok(rule)
        } else {
            Err(RuleError::Ports { protocol, from: first.to_string(), to: last.to_string() })
        }
    }

    /// The ports, or for ICMP `type × 256 + code`; all of them where the protocol has none.
    pub fn selector(&self) -> Interval<u16> {
        self.selector
    }

    /// What EC2 compares.
    pub fn content(&self) -> RuleContent {
        RuleContent {
            direction: self.direction,
            protocol: self.protocol,
            selector: self.selector,
            peer: self.peer.clone(),
        }
    }

    /// The protocols and selectors it admits, whoever the peer is.
    pub fn cells(&self) -> Cells {
        Layers::product(&self.protocol.numbers().into(), &self.selector.into())
    }

    /// What it admits. A group or a list is admitted by its name.
    pub fn traffic(&self) -> Traffic {
        let (mut ipv4, mut ipv6) = (IntervalSet::empty(), IntervalSet::empty());
        let mut references = ReferenceSet::empty();
        match &self.peer {
            Peer::Ipv4(net) => ipv4 = interval_ipv4(net).into(),
            Peer::Ipv6(net) => ipv6 = interval_ipv6(net).into(),
            Peer::Reference(reference) => {
                references = std::iter::once(reference.clone()).collect();
            }
        }
        Traffic::new(&self.cells(), &ipv4, &ipv6, &references)
    }
}

/// The rules that EC2 gives a new group, and that no event tells of: everything may go out. The one
/// for IPv6 is there where the VPC has IPv6.
pub fn rules_of_new_group() -> Vec<Rule> {
    let anywhere = [Peer::Ipv4(Ipv4Net::default()), Peer::Ipv6(Ipv6Net::default())];
    anywhere
        .into_iter()
        .filter_map(|peer| Rule::new(Direction::Egress, Protocol::All, None, None, peer).ok())
        .collect()
}

/// The selectors of an ICMP type with one code, or with any.
pub fn icmp_selector(kind: u8, code: Option<u8>) -> Interval<u16> {
    match code {
        Some(code) => {
            let point = u16::from_be_bytes([kind, code]);
            Interval::new(point, point)
        }
        None => Interval::new(u16::from_be_bytes([kind, 0]), u16::from_be_bytes([kind, u8::MAX])),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::net::{cidrs_ipv4, cidrs_ipv6};

    fn peer(s: &str) -> Peer {
        s.parse().unwrap()
    }

    fn try_rule(protocol: &str, from: Option<i32>, to: Option<i32>) -> Result<Rule, RuleError> {
        Rule::new(Direction::Ingress, protocol.parse()?, from, to, peer("0.0.0.0/0"))
    }

    fn rule(protocol: &str, from: Option<i32>, to: Option<i32>) -> Rule {
        try_rule(protocol, from, to).unwrap()
    }

    /// The ports of a rule as EC2 lists them, and its selectors.
    fn listed(rule: &Rule) -> (Option<i32>, Option<i32>, u16, u16) {
        (rule.from_port, rule.to_port, rule.selector().first(), rule.selector().last())
    }

    #[test]
    fn protocols_in_every_spelling() {
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
            "`esp` is no protocol: write tcp, udp, icmp, icmpv6, all (or -1), \
             or a number from 0 to 255"
        );
    }

    #[test]
    fn protocols_are_written_by_name_where_ec2_has_one() {
        for (spelling, written) in [
            ("-1", "all"),
            ("6", "tcp"),
            ("17", "udp"),
            ("1", "icmp"),
            ("58", "icmpv6"),
            ("50", "50"),
        ] {
            let protocol: Protocol = spelling.parse().unwrap();
            assert_eq!(protocol.to_string(), written);
            assert_eq!(serde_json::to_value(protocol).unwrap(), written);
        }
        for number in 0..=u8::MAX {
            let protocol = Protocol::Number(number);
            assert_eq!(protocol.to_string().parse(), Ok(protocol));
            assert_eq!(protocol.numbers(), Interval::new(number, number));
            assert_eq!(protocol.has_ports(), [6, 17].contains(&number));
            assert_eq!(protocol.is_icmp(), [1, 58].contains(&number));
        }
        assert_eq!(Protocol::All.numbers(), Interval::full());
        assert!(!Protocol::All.has_ports() && !Protocol::All.is_icmp());
    }

    #[test]
    fn every_protocol_has_four_spellings_of_ports() {
        for (from, to) in
            [(None, None), (Some(0), Some(0)), (Some(0), Some(65535)), (Some(-1), Some(-1))]
        {
            let all = rule("-1", from, to);
            assert_eq!(listed(&all), (None, None, 0, u16::MAX));
            assert_eq!(all.content(), rule("all", None, None).content());
            assert_eq!(all.cells(), Layers::product(&IntervalSet::full(), &IntervalSet::full()));
        }
        // Whatever is written there has no meaning.
        assert_eq!(rule("-1", Some(22), Some(22)), rule("-1", None, None));
    }

    #[test]
    fn ports_of_protocols_without_ports_have_no_meaning() {
        for protocol in ["0", "2", "41", "47", "50", "132", "255"] {
            for (from, to) in
                [(None, None), (Some(22), Some(22)), (Some(0), Some(65535)), (Some(-1), Some(-1))]
            {
                let other = rule(protocol, from, to);
                // Listed as EC2 has it, and all the same.
                assert_eq!(listed(&other), (from, to, 0, u16::MAX));
                assert_eq!(other.content(), rule(protocol, None, None).content());
                assert_eq!(other.traffic(), rule(protocol, None, None).traffic());
            }
        }
    }

    #[test]
    fn ports_of_tcp_and_udp() {
        for protocol in ["tcp", "6", "udp", "17"] {
            for (first, last) in [(22, 22), (20, 25), (0, 0), (0, u16::MAX), (u16::MAX, u16::MAX)] {
                let (from, to) = (Some(i32::from(first)), Some(i32::from(last)));
                assert_eq!(listed(&rule(protocol, from, to)), (from, to, first, last));
            }
            for (from, to) in
                [(None, None), (Some(-1), Some(-1)), (None, Some(-1)), (Some(-1), None)]
            {
                assert_eq!(rule(protocol, from, to), rule(protocol, Some(0), Some(65535)));
            }
        }
        assert_eq!(rule("6", Some(22), Some(22)), rule("tcp", Some(22), Some(22)));
        assert_eq!(rule("17", Some(53), Some(53)), rule("udp", Some(53), Some(53)));
    }

    #[test]
    fn icmp_has_type_and_code() {
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
    fn icmp_types_are_apart_and_made_of_their_codes() {
        for kind in 0..=u8::MAX {
            let codes: IntervalSet<u16> =
                (0..=u8::MAX).map(|code| icmp_selector(kind, Some(code))).collect();
            assert_eq!(codes, icmp_selector(kind, None).into());
            let below = kind.checked_sub(1).map(|kind| icmp_selector(kind, None).last());
            assert!(below.is_none_or(|last| last < icmp_selector(kind, None).first()));
        }
        let all: IntervalSet<u16> = (0..=u8::MAX).map(|kind| icmp_selector(kind, None)).collect();
        assert!(all.is_full());
    }

    #[test]
    fn ports_that_a_protocol_cannot_have() {
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
            // Any type has any code: EC2 takes no single code for all types.
            ("icmpv6", Some(-1), Some(0), "icmpv6 has no ports -1 to 0"),
            ("icmpv6", None, Some(0), "icmpv6 has no ports none to 0"),
        ] {
            assert_eq!(try_rule(protocol, from, to).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn peers_in_every_form() {
        let foreign = Peer::Reference(Reference::Group(GroupRef {
            account: Some("111122223333".to_owned()),
            id: "sg-12345678".to_owned(),
        }));
        for (written, expected, printed) in [
            ("203.0.113.0/24", Peer::Ipv4("203.0.113.0/24".parse().unwrap()), "203.0.113.0/24"),
            ("203.0.113.7/32", Peer::Ipv4("203.0.113.7/32".parse().unwrap()), "203.0.113.7/32"),
            ("0.0.0.0/0", Peer::Ipv4("0.0.0.0/0".parse().unwrap()), "0.0.0.0/0"),
            (
                "2001:DB8:1:0::/48",
                Peer::Ipv6("2001:db8:1::/48".parse().unwrap()),
                "2001:db8:1::/48",
            ),
            ("::/0", Peer::Ipv6("::/0".parse().unwrap()), "::/0"),
            // Host bits are dropped.
            ("198.51.100.254/0", Peer::Ipv4("0.0.0.0/0".parse().unwrap()), "0.0.0.0/0"),
            ("10.1.2.3/8", Peer::Ipv4("10.0.0.0/8".parse().unwrap()), "10.0.0.0/8"),
            ("2001:db8::1/32", Peer::Ipv6("2001:db8::/32".parse().unwrap()), "2001:db8::/32"),
            ("sg-0123456789abcdef0", Peer::group("sg-0123456789abcdef0"), "sg-0123456789abcdef0"),
            ("sg-12345678", Peer::group("sg-12345678"), "sg-12345678"),
            ("111122223333/sg-12345678", foreign, "111122223333/sg-12345678"),
            ("pl-12345678", Peer::prefix_list("pl-12345678"), "pl-12345678"),
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
        ] {
            assert_eq!(bad.parse::<Peer>(), Err(RuleError::Peer(bad.to_owned())));
        }
        assert_eq!(
            "self".parse::<Peer>().unwrap_err().to_string(),
            "`self` is no peer: write a CIDR block, sg-…, account/sg-… or pl-…"
        );
    }

    #[test]
    fn anywhere_is_a_block_without_prefix() {
        for anywhere in ["0.0.0.0/0", "::/0", "198.51.100.254/0", "2001:db8::1/0"] {
            assert!(peer(anywhere).is_anywhere(), "{anywhere}");
        }
        for not in ["0.0.0.0/1", "128.0.0.0/1", "::/1", "0.0.0.0/32", "sg-12345678", "pl-12345678"]
        {
            assert!(!peer(not).is_anywhere(), "{not}");
        }
        assert_eq!(peer("0.0.0.0/0").reference(), None);
        assert_eq!(
            peer("pl-12345678").reference(),
            Some(&Reference::PrefixList("pl-12345678".to_owned()))
        );
    }

    #[test]
    fn directions_are_written_in_lower_case() {
        for (direction, written) in [(Direction::Ingress, "ingress"), (Direction::Egress, "egress")]
        {
            assert_eq!(direction.to_string(), written);
            assert_eq!(serde_json::to_value(direction).unwrap(), written);
        }
    }

    #[test]
    fn content_is_all_but_id_description_and_tags() {
        let with = |direction, protocol: &str, port, to: &str| {
            Rule::new(direction, protocol.parse().unwrap(), Some(port), Some(port), peer(to))
                .unwrap()
        };
        let ssh = with(Direction::Ingress, "tcp", 22, "203.0.113.0/24");
        let mut named = with(Direction::Ingress, "6", 22, "203.0.113.9/24");
        named.id = Some("sgr-1".to_owned());
        named.description = Some("office".to_owned());
        named.tags.insert("owner".to_owned(), "ops".to_owned());
        assert_ne!(ssh, named);
        assert_eq!(ssh.content(), named.content());
        for other in [
            with(Direction::Egress, "tcp", 22, "203.0.113.0/24"),
            with(Direction::Ingress, "udp", 22, "203.0.113.0/24"),
            with(Direction::Ingress, "tcp", 23, "203.0.113.0/24"),
            with(Direction::Ingress, "tcp", 22, "203.0.112.0/24"),
            with(Direction::Ingress, "tcp", 22, "203.0.112.0/23"),
            with(Direction::Ingress, "tcp", 22, "pl-1"),
        ] {
            assert_ne!(ssh.content(), other.content(), "{other:?}");
        }
        // EC2 has them side by side: all protocols are not protocol 0.
        assert_ne!(rule("-1", None, None).content(), rule("0", None, None).content());
        let to = |to: &str| with(Direction::Ingress, "tcp", 22, to).content();
        assert_ne!(to("sg-1"), to("111122223333/sg-1"));
        assert_ne!(to("0.0.0.0/0"), to("::/0"));
    }

    #[test]
    fn traffic_is_protocol_ports_and_the_one_peer() {
        let ssh = |to: &str| {
            Rule::new(Direction::Ingress, Protocol::TCP, Some(22), Some(25), peer(to))
                .unwrap()
                .traffic()
        };
        let cells: Cells =
            Layers::product(&Interval::new(6, 6).into(), &Interval::new(22, 25).into());

        let office = ssh("203.0.113.64/26");
        assert_eq!(office.cells(), cells);
        assert_eq!(
            cidrs_ipv4(&office.peers_ipv4()).collect::<Vec<_>>(),
            ["203.0.113.64/26".parse().unwrap()]
        );
        assert!(office.ipv6.is_empty() && office.references.is_empty());
        assert!(office.is_subset_of(&ssh("203.0.113.0/24")));
        assert!(!office.is_subset_of(&ssh("203.0.113.0/26")));

        let office = ssh("2001:db8:1:5::/64");
        assert_eq!(office.cells(), cells);
        assert_eq!(
            cidrs_ipv6(&office.peers_ipv6()).collect::<Vec<_>>(),
            ["2001:db8:1:5::/64".parse().unwrap()]
        );
        assert!(office.ipv4.is_empty() && office.references.is_empty());

        for name in ["sg-12345678", "111122223333/sg-12345678", "pl-12345678"] {
            let named = ssh(name);
            assert_eq!(named.cells_of(peer(name).reference().unwrap()), cells);
            assert!(named.ipv4.is_empty() && named.ipv6.is_empty());
            assert!(!named.is_subset_of(&ssh("0.0.0.0/0").union(&ssh("::/0"))));
        }
        let halves = ssh("0.0.0.0/1").union(&ssh("128.0.0.0/1"));
        assert_eq!(halves, ssh("0.0.0.0/0"));
        assert!(halves.cells_of_anybody().is_empty());
        assert_eq!(halves.union(&ssh("::/0")).cells_of_anybody(), cells);
    }

    #[test]
    fn one_rule_covers_what_it_can_say() {
        let covering = |protocol: &str, first, last| {
            Rule::covering(
                Direction::Ingress,
                protocol.parse().unwrap(),
                Interval::new(first, last),
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
            "sg-[0-9a-f]{8,17}".prop_map(|id| Peer::group(&id)),
            "[0-9]{12}/sg-[0-9a-f]{17}".prop_map(|s| peer(&s)),
            "pl-[0-9a-f]{8,17}".prop_map(|id| Peer::prefix_list(&id)),
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
        fn peers_come_back_as_printed(peer in peers()) {
            prop_assert_eq!(peer.to_string().parse(), Ok(peer));
        }

        #[test]
        fn a_rule_is_covered_by_its_own_selector(rule in rules()) {
            let again =
                Rule::covering(rule.direction, rule.protocol, rule.selector(), rule.peer.clone())
                    .unwrap();
            prop_assert_eq!(again.content(), rule.content());
            prop_assert_eq!(again.traffic(), rule.traffic());
            prop_assert_eq!(again, rule);
        }

        #[test]
        fn a_rule_as_listed_is_the_same_rule(rule in rules()) {
            let again = Rule::new(
                rule.direction,
                rule.protocol.to_string().parse().unwrap(),
                rule.from_port,
                rule.to_port,
                peer(&rule.peer.to_string()),
            );
            prop_assert_eq!(again, Ok(rule));
        }

        #[test]
        fn rules_of_equal_content_admit_the_same(a in rules(), b in rules()) {
            // Alike but for the ports, which is where contents can meet.
            let b = Rule { direction: a.direction, peer: a.peer.clone(), ..b };
            prop_assert_eq!(a.content() == b.content(), a.traffic() == b.traffic());
        }

        #[test]
        fn covering_is_exact_or_refused(
            protocol in protocols(),
            first in any::<u16>(),
            last in any::<u16>(),
            peer in peers(),
        ) {
            let selector = Interval::new(first, last);
            match Rule::covering(Direction::Egress, protocol, selector, peer) {
                Ok(rule) => prop_assert_eq!(rule.selector(), selector),
                Err(_) => prop_assert!(!protocol.has_ports()),
            }
        }
    }
}
