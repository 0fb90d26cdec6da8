//! What a baseline admits in one direction, in one group.

use std::collections::{BTreeMap, BTreeSet};

use super::{ANYWHERE, Baseline, BaselinePeer, Entry, PeerTerm};
use crate::net::{
    Cells, GroupRef, IntervalSet, Layers, Reference, ReferenceSet, Set, Traffic, interval_ipv4,
    interval_ipv6,
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

/// The peers of an entry, by kind.
struct Peers {
    ipv4: IntervalSet<u32>,
    ipv6: IntervalSet<u128>,
    references: ReferenceSet,
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
        self.entries(direction).iter().map(move |entry| {
            let peers = self.resolve(&entry.peers, group, lists);
            let cells = entry.cells();
            (entry, Traffic::new(&cells, &peers.ipv4, &peers.ipv6, &peers.references))
        })
    }

    /// What is admitted in a direction, in all.
    pub fn admitted(&self, direction: Direction, group: Option<&str>, lists: &Lists) -> Admitted {
        let mut unknown = Cells::empty();
        let mut parts = Vec::new();
        for entry in self.entries(direction) {
            let peers = self.resolve(&entry.peers, group, lists);
            let cells = entry.cells();
            parts.push(Traffic::new(&cells, &peers.ipv4, &peers.ipv6, &peers.references));
            if peers.unread {
                unknown = unknown.union(&cells);
            }
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

    fn resolve(&self, terms: &[PeerTerm], group: Option<&str>, lists: &Lists) -> Peers {
        let anywhere = terms.iter().any(|term| matches!(term, PeerTerm::Set(n) if n == ANYWHERE));
        let mut unread = false;
        let (mut ipv4, mut ipv6, mut references) = (Vec::new(), Vec::new(), Vec::new());
        let mut block = |net: &ipnet::IpNet| match net {
            ipnet::IpNet::V4(net) => ipv4.push(interval_ipv4(net)),
            ipnet::IpNet::V6(net) => ipv6.push(interval_ipv6(net)),
        };
        for peer in self.terms(terms) {
            match peer {
                BaselinePeer::Cidr(net) => block(net),
                BaselinePeer::Own => references.extend(
                    group.map(|id| Reference::Group(GroupRef { account: None, id: id.to_owned() })),
                ),
                BaselinePeer::Reference(reference) => {
                    references.push(reference.clone());
                    if let Reference::PrefixList(id) = reference {
                        match lists.get(id) {
                            Some(Ok(entries)) => entries.iter().for_each(&mut block),
                            Some(Err(_)) | None => unread = true,
                        }
                    }
                }
            }
        }
        if anywhere {
            return Peers {
                ipv4: IntervalSet::full(),
                ipv6: IntervalSet::full(),
                references: references.into_iter().collect(),
                unread: false,
            };
        }
        Peers {
            ipv4: ipv4.into_iter().collect(),
            ipv6: ipv6.into_iter().collect(),
            references: references.into_iter().collect(),
            unread,
        }
    }
}

impl Entry {
    /// The protocols and selectors it covers.
    pub fn cells(&self) -> Cells {
        Layers::product(&self.protocol.numbers().into(), &self.ports)
    }
}
