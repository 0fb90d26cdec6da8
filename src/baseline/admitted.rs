//! What a baseline admits in one direction, in one group.

use std::collections::{BTreeMap, BTreeSet};

use super::{ANYWHERE, Baseline, BaselinePeer, Entry, Exemption, PeerTerm};
use crate::ec2::{Direction, Peer, Rule};
use crate::net::{
    Cells, GroupRef, IntervalSet, Layers, Reference, ReferenceSet, Set, Traffic, addresses,
    interval_ipv4, interval_ipv6,
};

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

    /// Where entries of a direction admit the group itself, whichever it is.
    pub fn cells_of_own(&self, direction: Direction) -> Cells {
        self.entries(direction)
            .iter()
            .filter(|entry| self.terms(&entry.peers).any(|peer| *peer == BaselinePeer::Own))
            .fold(Cells::empty(), |all, entry| all.union(&entry.cells()))
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

    /// Whether a rule admits nothing but what is admitted here, as far as a look can tell: of
    /// addresses it is always right, and what it says of a group or list is right where it is yes.
    /// It makes no set, so it costs a fraction of the difference that says the same.
    pub fn surely_admits(&self, rule: &Rule) -> bool {
        let traffic = &self.traffic;
        match &rule.peer {
            Peer::Ipv4(net) => {
                let peers = interval_ipv4(net);
                everywhere(rule, &traffic.ipv4, |admitted| admitted.covers(&peers))
            }
            Peer::Ipv6(net) => {
                let peers = interval_ipv6(net);
                everywhere(rule, &traffic.ipv6, |admitted| admitted.covers(&peers))
            }
            Peer::Reference(reference) => {
                let selectors = rule.selector();
                let anybody = &self.anybody;
                anybody.covers(&rule.protocol.numbers(), |ports| ports.covers(&selectors))
                    // A list by its name may be wide.
                    || matches!(reference, Reference::Group(_))
                        && everywhere(rule, &traffic.references, |named| named.contains(reference))
            }
        }
    }

    /// The same where entries that admit the group itself (`own`) have a group.
    #[must_use]
    pub fn with_own(&self, own: &Cells, group: &str) -> Self {
        let group = Reference::Group(GroupRef { account: None, id: group.to_owned() });
        let (none_ipv4, none_ipv6) = (IntervalSet::empty(), IntervalSet::empty());
        let own = Traffic::new(own, &none_ipv4, &none_ipv6, &std::iter::once(group).collect());
        Self {
            traffic: self.traffic.union(&own),
            anybody: self.anybody.clone(),
            unknown: self.unknown.clone(),
        }
    }
}

/// Whether `holds` is true of the peers of every protocol and selector of a rule.
fn everywhere<V: Set>(
    rule: &Rule,
    layers: &Layers<u8, Layers<u16, V>>,
    mut holds: impl FnMut(&V) -> bool,
) -> bool {
    let selectors = rule.selector();
    layers.covers(&rule.protocol.numbers(), |ports| ports.covers(&selectors, &mut holds))
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
