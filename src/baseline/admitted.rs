//! What a baseline admits in one direction, in one group.

use std::collections::{BTreeMap, BTreeSet};

use super::{ANYWHERE, Baseline, BaselinePeer, Entry, PeerTerm};
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

/// An entry with its peers looked up.
struct Resolved {
    cells: Cells,
    traffic: Traffic,
    /// Whether a list that has not been read is among its peers, and not everybody anyway.
    unread: bool,
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
            .map(move |entry| (entry, self.resolve(entry, group, lists).traffic))
    }

    /// What is admitted in a direction, in all.
    pub fn admitted(&self, direction: Direction, group: Option<&str>, lists: &Lists) -> Admitted {
        let mut unknown = Cells::empty();
        let mut parts = Vec::new();
        for entry in self.entries(direction) {
            let resolved = self.resolve(entry, group, lists);
            if resolved.unread {
                unknown = unknown.union(&resolved.cells);
            }
            parts.push(resolved.traffic);
        }
        let traffic = Traffic::union_of(parts);
        let anybody = traffic.cells_of_anybody();
        Admitted { anybody, unknown, traffic }
    }

    /// The prefix lists that the entries of a direction name.
    pub fn lists_named(&self, direction: Direction) -> BTreeSet<&str> {
        self.entries(direction)
            .iter()
            .flat_map(|entry| self.terms(&entry.peers))
            .filter_map(|peer| match peer {
                BaselinePeer::Reference(Reference::PrefixList(id)) => Some(id.as_str()),
                _ => None,
            })
            .collect()
    }

    fn terms<'a>(&'a self, terms: &'a [PeerTerm]) -> impl Iterator<Item = &'a BaselinePeer> {
        terms.iter().flat_map(|term| match term {
            PeerTerm::Peer(peer) => std::slice::from_ref(peer).iter(),
            PeerTerm::Set(name) => {
                self.peer_sets.get(name).map(Vec::as_slice).unwrap_or_default().iter()
            }
        })
    }

    fn resolve(&self, entry: &Entry, group: Option<&str>, lists: &Lists) -> Resolved {
        let mut unread = false;
        let (mut nets, mut references) = (Vec::new(), Vec::new());
        for peer in self.terms(&entry.peers) {
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
                            Some(Err(_)) | None => unread = true,
                        }
                    }
                }
            }
        }
        let anywhere = |term: &PeerTerm| matches!(term, PeerTerm::Set(name) if name == ANYWHERE);
        let everybody = entry.peers.iter().any(anywhere);
        let (ipv4, ipv6) =
            if everybody { (IntervalSet::full(), IntervalSet::full()) } else { addresses(nets) };
        let references: ReferenceSet = references.into_iter().collect();
        let cells = entry.cells();
        let traffic = Traffic::new(&cells, &ipv4, &ipv6, &references);
        Resolved { cells, traffic, unread: unread && !everybody }
    }
}

impl Entry {
    /// The protocols and selectors it covers.
    pub fn cells(&self) -> Cells {
        Layers::product(&self.protocol.numbers().into(), &self.ports)
    }
}
