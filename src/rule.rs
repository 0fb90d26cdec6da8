//! A security-group rule as `DescribeSecurityGroupRules` lists it, and the traffic it admits.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Serialize, Serializer};
use thiserror::Error;

pub use crate::net::{GroupRef, Reference};
use crate::net::{
    Cells, Interval, IntervalSet, Layers, ReferenceSet, Set, Traffic, interval_ipv4, interval_ipv6,
};

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

fn is_account(s: &str) -> bool {
    s.len() == 12 && s.bytes().all(|b| b.is_ascii_digit())
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

/// Why something is not a rule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RuleError {
    /// Not a protocol.
    #[error("`{0}` is no protocol: write tcp, udp, icmp, icmpv6, all (or -1), or a number from 0 to 255")]
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
