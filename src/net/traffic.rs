//! Traffic: what a rule or a baseline admits.

use std::collections::BTreeSet;
use std::fmt;

use super::{IntervalSet, Layers, Set};

/// A security group as a rule names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupRef {
    /// The owner, where it is another account than that of the group the rule belongs to.
    pub account: Option<String>,
    /// `sg-…`
    pub id: String,
}

impl fmt::Display for GroupRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.account {
            Some(account) => write!(f, "{account}/{}", self.id),
            None => f.write_str(&self.id),
        }
    }
}

/// A peer that is a name and not a block of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reference {
    /// The members of a security group.
    Group(GroupRef),
    /// The entries of a managed prefix list, by its id (`pl-…`).
    PrefixList(String),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(group) => group.fmt(f),
            Self::PrefixList(id) => f.write_str(id),
        }
    }
}

/// A set of references. They are compared by name: two names are two peers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct ReferenceSet(BTreeSet<Reference>);

impl ReferenceSet {
    /// The references, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Reference> {
        self.0.iter()
    }

    /// Whether the reference is among them.
    pub fn contains(&self, reference: &Reference) -> bool {
        self.0.contains(reference)
    }
}

impl FromIterator<Reference> for ReferenceSet {
    fn from_iter<I: IntoIterator<Item = Reference>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl Set for ReferenceSet {
    fn empty() -> Self {
        Self::default()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    fn difference(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }
}

/// Protocol × selector, whoever the peer is.
///
/// The protocol is its IANA number. The selector is the port for TCP and UDP, `type × 256 + code`
/// for ICMP and ICMPv6, and has no meaning for other protocols: for those EC2 admits everything
/// whatever ports are written, so there it is always the whole range.
pub type Cells = Layers<u8, IntervalSet<u16>>;

/// A set of traffic: protocol × selector × peer, for each kind of peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// From or to IPv4 addresses.
    pub ipv4: Layers<u8, Layers<u16, IntervalSet<u32>>>,
    /// From or to IPv6 addresses.
    pub ipv6: Layers<u8, Layers<u16, IntervalSet<u128>>>,
    /// From or to groups and prefix lists.
    pub references: Layers<u8, Layers<u16, ReferenceSet>>,
}

fn restrict<V: Set>(of: &Layers<u8, Layers<u16, V>>, to: &Cells) -> Layers<u8, Layers<u16, V>> {
    of.zip_with(to, |ports, within| ports.within(within))
}

fn cells_where<V: Set>(
    of: &Layers<u8, Layers<u16, V>>,
    mut holds: impl FnMut(&V) -> bool,
) -> Cells {
    of.map(|ports| {
        ports.layers().iter().filter(|(_, rest)| holds(rest)).map(|(ports, _)| *ports).collect()
    })
}

impl Traffic {
    /// `cells` from or to each of the given peers.
    pub fn new(
        cells: &Cells,
        ipv4: &IntervalSet<u32>,
        ipv6: &IntervalSet<u128>,
        references: &ReferenceSet,
    ) -> Self {
        Self {
            ipv4: cells.map(|ports| Layers::product(ports, ipv4)),
            ipv6: cells.map(|ports| Layers::product(ports, ipv6)),
            references: cells.map(|ports| Layers::product(ports, references)),
        }
    }

    /// The union of all parts. Joined pair by pair, so that the work grows with the size of the
    /// result and not with its square.
    pub fn union_of(mut parts: Vec<Self>) -> Self {
        while parts.len() > 1 {
            parts = parts
                .chunks(2)
                .map(|pair| match pair {
                    [a, b] => a.union(b),
                    rest => rest.iter().fold(Self::empty(), |all, part| all.union(part)),
                })
                .collect();
        }
        parts.pop().unwrap_or_else(Self::empty)
    }

    /// The part of it that lies in `cells`.
    pub fn within(&self, cells: &Cells) -> Self {
        Self {
            ipv4: restrict(&self.ipv4, cells),
            ipv6: restrict(&self.ipv6, cells),
            references: restrict(&self.references, cells),
        }
    }

    /// The part of it whose peer is one of these addresses.
    pub fn among(&self, ipv4: &IntervalSet<u32>, ipv6: &IntervalSet<u128>) -> Self {
        Self {
            ipv4: self.ipv4.map(|ports| ports.map(|peers| peers.intersection(ipv4))),
            ipv6: self.ipv6.map(|ports| ports.map(|peers| peers.intersection(ipv6))),
            references: Layers::empty(),
        }
    }

    /// Where any IPv4 and any IPv6 address is a peer: there, so is every group and list.
    pub fn cells_of_anybody(&self) -> Cells {
        cells_where(&self.ipv4, IntervalSet::is_full)
            .intersection(&cells_where(&self.ipv6, IntervalSet::is_full))
    }

    /// Where the reference is a peer.
    pub fn cells_of(&self, reference: &Reference) -> Cells {
        cells_where(&self.references, |peers| peers.contains(reference))
    }

    /// Where anything is admitted at all.
    pub fn cells(&self) -> Cells {
        cells_where(&self.ipv4, |_| true)
            .union(&cells_where(&self.ipv6, |_| true))
            .union(&cells_where(&self.references, |_| true))
    }

    /// Every IPv4 address that is a peer of any of it.
    pub fn peers_ipv4(&self) -> IntervalSet<u32> {
        self.ipv4.flatten().flatten()
    }

    /// Every IPv6 address that is a peer of any of it.
    pub fn peers_ipv6(&self) -> IntervalSet<u128> {
        self.ipv6.flatten().flatten()
    }

    /// Every group and list that is a peer of any of it.
    pub fn peers_by_reference(&self) -> ReferenceSet {
        self.references.flatten().flatten()
    }
}

impl Set for Traffic {
    fn empty() -> Self {
        Self { ipv4: Layers::empty(), ipv6: Layers::empty(), references: Layers::empty() }
    }

    fn is_empty(&self) -> bool {
        self.ipv4.is_empty() && self.ipv6.is_empty() && self.references.is_empty()
    }

    fn union(&self, other: &Self) -> Self {
        Self {
            ipv4: self.ipv4.union(&other.ipv4),
            ipv6: self.ipv6.union(&other.ipv6),
            references: self.references.union(&other.references),
        }
    }

    fn intersection(&self, other: &Self) -> Self {
        Self {
            ipv4: self.ipv4.intersection(&other.ipv4),
            ipv6: self.ipv6.intersection(&other.ipv6),
            references: self.references.intersection(&other.references),
        }
    }

    fn difference(&self, other: &Self) -> Self {
        Self {
            ipv4: self.ipv4.difference(&other.ipv4),
            ipv6: self.ipv6.difference(&other.ipv6),
            references: self.references.difference(&other.references),
        }
    }
}
