//! The traffic that a baseline admits in one direction of one group.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::model::{ANYWHERE, Baseline, BaselinePeer, Entry, Exemption, PeerTerm};
use crate::ec2::{Direction, Ec2Error, GroupId, GroupRef, ListId, Peer, Reference, Rule};
use crate::net::{
    Cells, Interval, IntervalSet, Layers, ReferenceSet, Set, Traffic, addresses, interval_ipv4,
    interval_ipv6,
};

/// The prefix lists that were looked up: their entries, or why they could not be read.
pub type Lists = BTreeMap<ListId, Result<Vec<IpNet>, Ec2Error>>;

/// What a baseline admits in one direction of one group: the union of its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Addresses, and groups and lists by their name.
    pub traffic: Traffic,
    /// The cells that admit every address, and so every group and every list.
    pub anybody: Cells,
    /// The cells that admit a list which was not read. They may admit more addresses.
    pub unknown: Cells,
}

/// An entry or an exemption with its peers looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// Its protocols and selectors.
    pub cells: Cells,
    /// What it certainly admits: addresses, and groups and lists by their name.
    pub traffic: Traffic,
    /// The lists among its peers that were not read. Empty if every address is a peer anyway.
    pub unread: BTreeSet<&'a ListId>,
}

impl Baseline {
    /// The entries of a direction, each with the traffic it admits. `self` means `group`, and no one
    /// if that is `None`.
    pub fn admitted_by_entry<'a>(
        &'a self,
        direction: Direction,
        group: Option<&'a GroupId>,
        lists: &'a Lists,
    ) -> impl Iterator<Item = (&'a Entry, Traffic)> {
        self.entries(direction)
            .iter()
            .map(move |entry| (entry, self.resolve_entry(entry, group, lists).traffic))
    }

    /// The exemptions of a group in a direction with their peers looked up, expired ones included.
    pub fn exemptions_of<'a>(
        &'a self,
        direction: Direction,
        group: &'a GroupId,
        lists: &'a Lists,
    ) -> impl Iterator<Item = (&'a Exemption, Resolved<'a>)> {
        self.exemptions
            .iter()
            .filter(move |exemption| exemption.direction == direction && exemption.group == *group)
            .map(move |exemption| {
                let (cells, peers) = (exemption.cells(), &exemption.peers);
                (exemption, self.resolve(cells, peers, Some(group), lists))
            })
    }

    /// What all entries of a direction admit together.
    pub fn admitted(
        &self,
        direction: Direction,
        group: Option<&GroupId>,
        lists: &Lists,
    ) -> Admitted {
        let mut unknown = Cells::empty();
        let mut parts = Vec::new();
        for entry in self.entries(direction) {
            let resolved = self.resolve_entry(entry, group, lists);
            if !resolved.unread.is_empty() {
                unknown = unknown.union(&resolved.cells);
            }
            parts.push(resolved.traffic);
        }
        Admitted { unknown, ..Admitted::of(Traffic::union_of(parts)) }
    }

    /// The cells of the entries that admit `self`.
    pub fn cells_of_own(&self, direction: Direction) -> Cells {
        self.entries(direction)
            .iter()
            .filter(|entry| self.terms(&entry.peers).any(|peer| *peer == BaselinePeer::Own))
            .fold(Cells::empty(), |all, entry| all.union(&entry.cells()))
    }

    /// The prefix lists that the entries of a direction name.
    pub fn lists_named(&self, direction: Direction) -> BTreeSet<&ListId> {
        self.entries(direction).iter().flat_map(|entry| self.lists_among(&entry.peers)).collect()
    }

    /// The prefix lists among these peers.
    pub(crate) fn lists_among<'a>(
        &'a self,
        terms: &'a [PeerTerm],
    ) -> impl Iterator<Item = &'a ListId> {
        self.terms(terms).filter_map(|peer| match peer {
            BaselinePeer::Reference(Reference::PrefixList(id)) => Some(id),
            _ => None,
        })
    }

    fn terms<'a>(&'a self, terms: &'a [PeerTerm]) -> impl Iterator<Item = &'a BaselinePeer> {
        terms.iter().flat_map(|term| match term {
            PeerTerm::Peer(peer) => std::slice::from_ref(peer).iter(),
            PeerTerm::Set(name) => {
                self.peer_sets.get(name).map(Vec::as_slice).unwrap_or_default().iter()
            }
        })
    }

    fn resolve_entry<'a>(
        &'a self,
        entry: &'a Entry,
        group: Option<&GroupId>,
        lists: &Lists,
    ) -> Resolved<'a> {
        self.resolve(entry.cells(), &entry.peers, group, lists)
    }

    fn resolve<'a>(
        &'a self,
        cells: Cells,
        peers: &'a [PeerTerm],
        group: Option<&GroupId>,
        lists: &Lists,
    ) -> Resolved<'a> {
        let mut unread = BTreeSet::new();
        let (mut nets, mut references) = (Vec::new(), Vec::new());
        for peer in self.terms(peers) {
            match peer {
                BaselinePeer::Cidr(net) => nets.push(net),
                BaselinePeer::Own => references.extend(group.map(own)),
                BaselinePeer::Reference(reference) => {
                    references.push(reference.clone());
                    if let Reference::PrefixList(id) = reference {
                        match lists.get(id) {
                            Some(Ok(entries)) => nets.extend(entries),
                            Some(Err(_)) | None => {
                                unread.insert(id);
                            }
                        }
                    }
                }
            }
        }
        let anywhere = |term: &PeerTerm| matches!(term, PeerTerm::Set(name) if name == ANYWHERE);
        let everybody = peers.iter().any(anywhere);
        let (ipv4, ipv6) = if everybody {
            unread.clear();
            (IntervalSet::full(), IntervalSet::full())
        } else {
            addresses(nets)
        };
        let references: ReferenceSet = references.into_iter().collect();
        let traffic = Traffic::new(&cells, &ipv4, &ipv6, &references);
        Resolved { cells, traffic, unread }
    }
}

impl Admitted {
    fn of(traffic: Traffic) -> Self {
        Self { anybody: traffic.cells_of_anybody(), unknown: Cells::empty(), traffic }
    }

    /// The same and these parts. The unknown cells stay unknown.
    #[must_use]
    pub fn with(&self, parts: Vec<Traffic>) -> Self {
        let traffic = self.traffic.union(&Traffic::union_of(parts));
        Self { unknown: self.unknown.clone(), ..Self::of(traffic) }
    }

    /// Whether everything that a rule admits is admitted here. For addresses the answer is exact.
    /// For a group or a list, `false` can also mean that only the difference can tell.
    ///
    /// This is much cheaper than the difference, because it makes no set.
    pub fn surely_admits(&self, rule: &Rule) -> bool {
        let traffic = &self.traffic;
        match rule.peer() {
            Peer::Ipv4(net) => {
                let peers = interval_ipv4(net);
                everywhere(rule, &traffic.ipv4, |admitted| admitted.covers(&peers))
            }
            Peer::Ipv6(net) => {
                let peers = interval_ipv6(net);
                everywhere(rule, &traffic.ipv6, |admitted| admitted.covers(&peers))
            }
            Peer::Reference(reference) => {
                let (protocols, selectors) = intervals(rule);
                self.anybody.covers(&protocols, |ports| ports.covers(&selectors))
                    // A list that is admitted by its name may still be too wide.
                    || matches!(reference, Reference::Group(_))
                        && everywhere(rule, &traffic.references, |named| named.contains(reference))
            }
        }
    }

    /// The same, with `group` as the meaning of `self` in the entries that have these cells.
    #[must_use]
    pub fn with_own(&self, cells: &Cells, group: &GroupId) -> Self {
        let (no_ipv4, no_ipv6) = (IntervalSet::empty(), IntervalSet::empty());
        let group = std::iter::once(own(group)).collect();
        let own = Traffic::new(cells, &no_ipv4, &no_ipv6, &group);
        Self {
            traffic: self.traffic.union(&own),
            anybody: self.anybody.clone(),
            unknown: self.unknown.clone(),
        }
    }
}

/// What `self` means in a group.
fn own(group: &GroupId) -> Reference {
    Reference::Group(GroupRef::own(group.clone()))
}

fn intervals(rule: &Rule) -> (Interval<u8>, Interval<u16>) {
    (rule.protocol().into(), rule.selector().into())
}

/// Whether `accepts` is true of the peers of every protocol and selector of a rule.
fn everywhere<V: Set>(
    rule: &Rule,
    layers: &Layers<u8, Layers<u16, V>>,
    mut accepts: impl FnMut(&V) -> bool,
) -> bool {
    let (protocols, selectors) = intervals(rule);
    layers.covers(&protocols, |ports| ports.covers(&selectors, &mut accepts))
}

impl Entry {
    /// Its protocols and selectors.
    pub fn cells(&self) -> Cells {
        Cells::of_protocol(self.protocol, &self.ports)
    }
}

impl Exemption {
    /// Its protocols and selectors.
    pub fn cells(&self) -> Cells {
        Cells::of_protocol(self.protocol, &self.ports)
    }
}
