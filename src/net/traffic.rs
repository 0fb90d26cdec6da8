//! Traffic: what a rule or a baseline admits.

use std::collections::BTreeSet;

use super::interval::IntervalSet;
use super::layers::Layers;
use super::set::Set;
use crate::ec2::Reference;

/// A set of groups and prefix lists, which are compared by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct ReferenceSet(BTreeSet<Reference>);

impl ReferenceSet {
    /// The references, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &Reference> {
        self.0.iter()
    }

    /// Whether the reference is in the set.
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

/// Protocol × selector, for any peer.
///
/// A protocol is its IANA number. A selector is a port for TCP and UDP, and `type × 256 + code` for
/// ICMP and ICMPv6. Other protocols always have the whole range, because EC2 ignores the ports of
/// their rules.
pub type Cells = Layers<u8, IntervalSet<u16>>;

/// A set of traffic: protocol × selector × peer, for each kind of peer.
///
/// ```
/// use typo3_sg_auditor::ec2::{Direction, Protocol, Rule, RuleError};
/// use typo3_sg_auditor::net::{Set, Traffic, cidrs_ipv4};
///
/// let tcp = |from, to, block: &str| -> Result<Traffic, RuleError> {
///     let peer = block.parse()?;
///     let rule = Rule::new(Direction::Ingress, Protocol::TCP, Some(from), Some(to), peer)?;
///     Ok(rule.traffic())
/// };
/// let rule = tcp(22, 80, "0.0.0.0/0")?;
/// let allowed = tcp(80, 80, "0.0.0.0/0")?.union(&tcp(0, 65535, "128.0.0.0/1")?);
///
/// let excess = rule.difference(&allowed);
/// assert_eq!(excess, tcp(22, 79, "0.0.0.0/1")?);
/// assert_eq!(cidrs_ipv4(&excess.peers_ipv4()).next(), "0.0.0.0/1".parse().ok());
/// # Ok::<(), RuleError>(())
/// ```
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
    mut accepts: impl FnMut(&V) -> bool,
) -> Cells {
    of.map(|ports| {
        ports.layers().iter().filter(|(_, rest)| accepts(rest)).map(|(ports, _)| *ports).collect()
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

    /// The union of all parts. They are joined in pairs, so that the work does not grow with the
    /// square of their number.
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

    /// The part that is in `cells`.
    pub fn within(&self, cells: &Cells) -> Self {
        Self {
            ipv4: restrict(&self.ipv4, cells),
            ipv6: restrict(&self.ipv6, cells),
            references: restrict(&self.references, cells),
        }
    }

    /// The part whose peer is one of these addresses.
    pub fn among(&self, ipv4: &IntervalSet<u32>, ipv6: &IntervalSet<u128>) -> Self {
        Self {
            ipv4: self.ipv4.map(|ports| ports.map(|peers| peers.intersection(ipv4))),
            ipv6: self.ipv6.map(|ports| ports.map(|peers| peers.intersection(ipv6))),
            references: Layers::empty(),
        }
    }

    /// The cells whose peers are all IPv4 and all IPv6 addresses. That includes every group and list.
    pub fn cells_of_anybody(&self) -> Cells {
        self.cells_of_all_ipv4().intersection(&self.cells_of_all_ipv6())
    }

    /// The cells whose peers are all IPv4 addresses.
    pub fn cells_of_all_ipv4(&self) -> Cells {
        cells_where(&self.ipv4, IntervalSet::is_full)
    }

    /// The cells whose peers are all IPv6 addresses.
    pub fn cells_of_all_ipv6(&self) -> Cells {
        cells_where(&self.ipv6, IntervalSet::is_full)
    }

    /// The cells of which the reference is a peer.
    pub fn cells_of(&self, reference: &Reference) -> Cells {
        cells_where(&self.references, |peers| peers.contains(reference))
    }

    /// The cells that have a peer.
    pub fn cells(&self) -> Cells {
        cells_where(&self.ipv4, |_| true)
            .union(&cells_where(&self.ipv6, |_| true))
            .union(&cells_where(&self.references, |_| true))
    }

    /// The IPv4 addresses that are a peer of any cell.
    pub fn peers_ipv4(&self) -> IntervalSet<u32> {
        self.ipv4.flatten().flatten()
    }

    /// The IPv6 addresses that are a peer of any cell.
    pub fn peers_ipv6(&self) -> IntervalSet<u128> {
        self.ipv6.flatten().flatten()
    }

    /// The groups and lists that are a peer of any cell.
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
