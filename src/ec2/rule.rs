use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use ipnet::{Ipv4Net, Ipv6Net};
use serde::Serialize;

use super::{Peer, Protocol, RuleError, RuleId};

/// Which way the traffic goes, seen from the group's members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To the members.
    Ingress,
    /// From the members.
    Egress,
}

impl Direction {
    /// Both directions.
    pub const BOTH: [Self; 2] = [Self::Ingress, Self::Egress];
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        })
    }
}

/// The ports of a rule from first to last, or for ICMP `type × 256 + code`; all of them where the
/// protocol has neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selector {
    first: u16,
    last: u16,
}

impl Selector {
    /// Every port, or every ICMP type and code.
    pub const ALL: Self = Self { first: 0, last: u16::MAX };

    /// From one port to another, whichever way round they are given.
    pub fn new(a: u16, b: u16) -> Self {
        Self { first: a.min(b), last: a.max(b) }
    }

    /// An ICMP type with one code, or with any.
    pub fn icmp(kind: u8, code: Option<u8>) -> Self {
        let point = |code| u16::from_be_bytes([kind, code]);
        Self { first: point(code.unwrap_or(0)), last: point(code.unwrap_or(u8::MAX)) }
    }

    /// The lowest.
    pub fn first(self) -> u16 {
        self.first
    }

    /// The highest.
    pub fn last(self) -> u16 {
        self.last
    }
}

/// One line of a security group: direction, protocol, ports, one peer.
///
/// The ports as EC2 lists them and the [`Selector`] made of them always agree, because a rule is
/// only ever made from what EC2 accepts. As JSON it has neither its description nor its tags, which are
/// texts of whoever made it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    id: Option<RuleId>,
    direction: Direction,
    protocol: Protocol,
    from_port: Option<i32>,
    to_port: Option<i32>,
    peer: Peer,
    description: Option<String>,
    tags: BTreeMap<String, String>,
    lost_peering: bool,
    selector: Selector,
}

/// What makes two rules the same to EC2: direction, protocol, ports and peer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleContent {
    direction: Direction,
    protocol: Protocol,
    selector: Selector,
    peer: Peer,
}

/// How many rules a group holds in each direction and address family, unless AWS was asked for
/// more ("Security group quotas" in the Amazon VPC user guide).
pub const RULE_LIMIT: usize = 60;

impl Rule {
    /// A rule without id, description and tags, whose peering is there. The ports are EC2's `FromPort` and `ToPort` in any
    /// known spelling: absent or -1 for all of them, type and code for ICMP (-1 for any), and
    /// anything for protocols that have none.
    ///
    /// # Errors
    ///
    /// When the protocol cannot have these ports.
    pub fn new(
        direction: Direction,
        protocol: Protocol,
        from_port: Option<i32>,
        to_port: Option<i32>,
        peer: Peer,
    ) -> Result<Self, RuleError> {
        let bad = || RuleError::Ports {
            protocol: protocol.to_string(),
            from: from_port.map_or_else(|| "none".to_owned(), |port| port.to_string()),
            to: to_port.map_or_else(|| "none".to_owned(), |port| port.to_string()),
        };
        let any = |port: Option<i32>| port.filter(|port| *port != -1);
        let (from_port, to_port, selector) = if protocol.has_ports() {
            match (any(from_port), any(to_port)) {
                (None, None) => (Some(0), Some(65535), Selector::ALL),
                (Some(from), Some(to)) => {
                    let first = u16::try_from(from).map_err(|_| bad())?;
                    let last = u16::try_from(to).map_err(|_| bad())?;
                    if first > last {
                        return Err(bad());
                    }
                    (Some(from), Some(to), Selector::new(first, last))
                }
                _ => return Err(bad()),
            }
        } else if protocol.is_icmp() {
            let number = |port: i32| u8::try_from(port).map_err(|_| bad());
            let selector = match (any(from_port), any(to_port)) {
                (None, None) => Selector::ALL,
                (Some(kind), None) => Selector::icmp(number(kind)?, None),
                (Some(kind), Some(code)) => Selector::icmp(number(kind)?, Some(number(code)?)),
                (None, Some(_)) => return Err(bad()),
            };
            (Some(from_port.unwrap_or(-1)), Some(to_port.unwrap_or(-1)), selector)
        } else if protocol == Protocol::All {
            (None, None, Selector::ALL)
        } else {
            (from_port, to_port, Selector::ALL)
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
            lost_peering: false,
            selector,
        })
    }

    /// A rule of `protocol` whose selector is exactly `selector`.
    ///
    /// # Errors
    ///
    /// When no single rule can say so, as for two codes of one ICMP type.
    pub fn covering(
        direction: Direction,
        protocol: Protocol,
        selector: Selector,
        peer: Peer,
    ) -> Result<Self, RuleError> {
        let (first, last) = (i32::from(selector.first), i32::from(selector.last));
        let (from, to) = if protocol.has_ports() {
            (Some(first), Some(last))
        } else if protocol.is_icmp() && selector != Selector::ALL {
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
            let (from, to) = (first.to_string(), last.to_string());
            Err(RuleError::Ports { protocol: protocol.to_string(), from, to })
        }
    }

    /// The rule that admits everything from or to a peer.
    pub fn of_everything(direction: Direction, peer: Peer) -> Self {
        Self {
            id: None,
            direction,
            protocol: Protocol::All,
            from_port: None,
            to_port: None,
            peer,
            description: None,
            tags: BTreeMap::new(),
            lost_peering: false,
            selector: Selector::ALL,
        }
    }

    /// The rules that EC2 gives a new group and that no event announces: all egress. The one for
    /// IPv6 exists where the VPC has IPv6.
    pub fn of_new_group() -> Vec<Self> {
        [Peer::Ipv4(Ipv4Net::default()), Peer::Ipv6(Ipv6Net::default())]
            .map(|peer| Self::of_everything(Direction::Egress, peer))
            .to_vec()
    }

    /// The same rule with this id.
    #[must_use]
    pub fn with_id(self, id: Option<RuleId>) -> Self {
        Self { id, ..self }
    }

    /// The same rule with this description.
    #[must_use]
    pub fn with_description(self, description: Option<String>) -> Self {
        Self { description, ..self }
    }

    /// The same rule with these tags.
    #[must_use]
    pub fn with_tags(self, tags: BTreeMap<String, String>) -> Self {
        Self { tags, ..self }
    }

    /// Sets whether the VPC peering that the rule's group reference depends on was deleted.
    #[must_use]
    pub fn with_lost_peering(self, lost_peering: bool) -> Self {
        Self { lost_peering, ..self }
    }

    /// The same rule with this peer.
    #[must_use]
    pub fn with_peer(self, peer: Peer) -> Self {
        Self { peer, ..self }
    }

    /// The same rule in this direction.
    #[must_use]
    pub fn with_direction(self, direction: Direction) -> Self {
        Self { direction, ..self }
    }

    /// `sgr-…`; unknown for a rule that only a request or `describe-security-groups` tells of.
    pub fn id(&self) -> Option<&RuleId> {
        self.id.as_ref()
    }

    /// Ingress or egress.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The protocol that the rule admits.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The lowest port or the ICMP type, as EC2 lists it. `None` for every protocol.
    pub fn from_port(&self) -> Option<i32> {
        self.from_port
    }

    /// The highest port or the ICMP code, as EC2 lists it. `None` for every protocol.
    pub fn to_port(&self) -> Option<i32> {
        self.to_port
    }

    /// The peer that the rule admits.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The rule's description.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The rule's tags.
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    /// Whether the VPC peering that the rule's group reference depends on was deleted. Such a rule is
    /// stale: it admits nobody.
    pub fn has_lost_peering(&self) -> bool {
        self.lost_peering
    }

    /// The ports or ICMP types and codes that the rule admits.
    pub fn selector(&self) -> Selector {
        self.selector
    }

    /// What EC2 compares when it revokes a rule or looks for a duplicate.
    pub fn content(&self) -> RuleContent {
        RuleContent {
            direction: self.direction,
            protocol: self.protocol,
            selector: self.selector,
            peer: self.peer.clone(),
        }
    }

    /// Orders rules by their content, as [`RuleContent`] does, and copies nothing.
    pub fn cmp_content(&self, other: &Self) -> Ordering {
        let content = |it: &Self| (it.direction, it.protocol, it.selector);
        content(self).cmp(&content(other)).then_with(|| self.peer.cmp(&other.peer))
    }

    /// Whether EC2 takes both for the same rule.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.cmp_content(other).is_eq()
    }
}

#[cfg(test)]
mod tests;
