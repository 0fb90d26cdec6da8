//! What a baseline admits in one direction, in one group.

use std::collections::{BTreeMap, BTreeSet};

use super::{ANYWHERE, Baseline, BaselinePeer, Entry, Exemption, PeerTerm};
use crate::net::{
    Cells, GroupRef, IntervalSet, Layers, Reference, ReferenceSet, Set, Traffic, addresses,
};
use crate::rule::Direction;

/// The entries of the prefix lists that have been looked up, by id: the blocks of addresses, or why
/// they could not be read.
pub type Lists = BTreeMap<String, Result<Vec<ipnet::IpNet>, String>>;

/// What a baseline admits in one direction, in one group: the union of its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Addresses, and references by their name.
    pub traffic: Traffic,
    /// Where everybody is admitted, and so every group and every list.
    pub anybody: Cells,
    /// Where a list is named that has not been read: who else is admitted there is not known.
    pub unknown: Cells,
}

/// An entry or an exemption with its peers looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// The protocols and selectors it covers.
    pub cells: Cells,
    /// What it admits for certain: addresses, and references by their name.
    pub traffic: Traffic,
    /// The lists among its peers that have not been read; none where everybody is a peer anyway.
    pub unread: BTreeSet<&'a str>,
}

impl Baseline {
    /// What is admitted in a direction by the entries, one by one and in their order. `group` is
    /// what `self` means; without it, `self` is nobody.
    pub fn admitted_by_entry<'a>(
        &'a self,
        direction: Direction,
        group: Option<&'a str>,
        lists: &'a Lists,
    ) -> impl Iterator<Item = (&'a Entry, Traffic)> {
        self.entries(direction)
            .iter()
            .map(move |entry| (entry, self.resolve_entry(entry, group, lists).traffic))
    }

    /// The exemptions of a group in a direction, with their peers looked up, whether or not their
    /// day is over.
    pub fn exemptions_of<'a>(
        &'a self,
        direction: Direction,
        group: &'a str,
        lists: &'a Lists,
    ) -> impl Iterator<Item = (&'a Exemption, Resolved<'a>)> {
        self.exemptions
            .iter()
            .filter(move |exemption| exemption.direction == direction && exemption.group == group)
            .map(move |exemption| {
                let Exemption { peers, .. } = exemption;
                (exemption, self.resolve(exemption.cells(), peers, Some(group), lists))
            })
    }

    /// What is admitted in a direction, in all.
    pub fn admitted(&self, direction: Direction, group: Option<&str>, lists: &Lists) -> Admitted {
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

    /// The prefix lists that the entries of a direction name.
    pub fn lists_named(&self, direction: Direction) -> BTreeSet<&str> {
        self.entries(direction).iter().flat_map(|entry| self.lists_among(&entry.peers)).collect()
    }

    /// The prefix lists among these peers.
    pub(crate) fn lists_among<'a>(
        &'a self,
        terms: &'a [PeerTerm],
    ) -> impl Iterator<Item = &'a str> {
        self.terms(terms).filter_map(|peer| match peer {
            BaselinePeer::Reference(Reference::PrefixList(id)) => Some(id.as_str()),
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
        group: Option<&str>,
        lists: &Lists,
    ) -> Resolved<'a> {
        self.resolve(entry.cells(), &entry.peers, group, lists)
    }

    fn resolve<'a>(
        &'a self,
        cells: Cells,
        peers: &'a [PeerTerm],
        group: Option<&str>,
        lists: &Lists,
    ) -> Resolved<'a> {
        let mut unread = BTreeSet::new();
        let (mut nets, mut references) = (Vec::new(), Vec::new());
        for peer in self.terms(peers) {
            match peer {
                BaselinePeer::Cidr(net) => nets.push(net),
                BaselinePeer::Own => references.extend(
                    group.map(|id| Reference::Group(GroupRef { account: None, id: id.to_owned() })),
                ),
                BaselinePeer::Reference(reference) => {
                    references.push(reference.clone());
                    if let Reference::PrefixList(id) = reference {
                        match lists.get(id) {
                            Some(Ok(entries)) => nets.extend(entries),
                            Some(Err(_)) | None => {
                                unread.insert(id.as_str());
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

    /// The same with these parts besides. Who else is admitted stays as unknown as it was.
    #[must_use]
    pub fn with(&self, parts: Vec<Traffic>) -> Self {
        let traffic = self.traffic.union(&Traffic::union_of(parts));
        Self { unknown: self.unknown.clone(), ..Self::of(traffic) }
    }
}

impl Entry {
    /// The protocols and selectors it covers.
    pub fn cells(&self) -> Cells {
        Layers::product(&self.protocol.numbers().into(), &self.ports)
    }
}

impl Exemption {
    /// The protocols and selectors it covers.
    pub fn cells(&self) -> Cells {
        Layers::product(&self.protocol.numbers().into(), &self.ports)
    }
}
