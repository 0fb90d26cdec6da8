//! The limit on how fragmented a baseline may be.

use std::collections::BTreeSet;

use super::admitted::Lists;
use super::model::{ANYWHERE, Baseline, PeerTerm};
use crate::ec2::{Direction, GroupId};
use crate::net::{IntervalSet, Layers, Set, Traffic};
use crate::text::in_backticks;

/// The most intervals that a baseline may have in one direction, so that comparing a rule with it
/// takes less than a millisecond.
///
/// `docs/performance.md` has measurements of the slowest baselines within the limit.
pub const MAX_INTERVALS: usize = 1_000;

impl Baseline {
    /// The fault of a direction that has more than [`MAX_INTERVALS`].
    ///
    /// Two numbers are limited. The first is what is written: the intervals of ports times the peers
    /// of each entry. It is cheap to count, and limits the work of counting the second. The second is
    /// the intervals of ports times the intervals of peers after the entries are merged: entries that
    /// overlap cut each other, at worst into the square of what is written. A prefix list counts as
    /// one peer, because its entries are not known here. Exemptions are counted group by group,
    /// because that is how they are used.
    pub(crate) fn too_fragmented(&self, direction: Direction) -> Option<String> {
        let entries = self.entries(direction).iter().map(|entry| (&entry.ports, &entry.peers));
        let exemptions =
            self.exemptions.iter().filter(|exemption| exemption.direction == direction);
        let written = entries
            .chain(exemptions.map(|exemption| (&exemption.ports, &exemption.peers)))
            .map(|(ports, peers)| {
                let peers: usize = peers.iter().map(|term| self.count(term)).sum();
                ports.intervals().len().saturating_mul(peers)
            })
            .fold(0, usize::saturating_add);
        if written > MAX_INTERVALS {
            return Some(format!(
                "{direction} has {written} combinations of ports and peers, more than \
                 {MAX_INTERVALS}; write fewer and wider ranges"
            ));
        }
        let lists = Lists::new();
        // Any id will do to count `self` as one peer.
        let own: Option<GroupId> = "sg-self".parse().ok();
        let mut all = Traffic::empty();
        for (entry, traffic) in self.admitted_by_entry(direction, own.as_ref(), &lists) {
            all = all.union(&traffic);
            if intervals(&all) > MAX_INTERVALS {
                return Some(format!(
                    "the ranges of {direction} overlap in more than {MAX_INTERVALS} pieces, counted up \
                     to the entry {}; write fewer and wider ranges",
                    in_backticks(&entry.name)
                ));
            }
        }
        let exempt = self.exemptions.iter().filter(|exemption| exemption.direction == direction);
        let groups: BTreeSet<&GroupId> = exempt.map(|exemption| &exemption.group).collect();
        groups.into_iter().find_map(|group| {
            let of_group = self.exemptions_of(direction, group, &lists);
            let exempt = of_group.map(|(_, resolved)| resolved.traffic).collect();
            (intervals(&all.union(&Traffic::union_of(exempt))) > MAX_INTERVALS).then(|| {
                format!(
                    "the ranges of {direction} and of the exemptions of {group} overlap in more than \
                     {MAX_INTERVALS} pieces; write fewer and wider ranges"
                )
            })
        })
    }

    fn count(&self, term: &PeerTerm) -> usize {
        match term {
            PeerTerm::Set(name) if name == ANYWHERE => 2,
            PeerTerm::Set(name) => self.peer_sets.get(name).map_or(0, Vec::len),
            PeerTerm::Peer(_) => 1,
        }
    }
}

fn intervals(traffic: &Traffic) -> usize {
    fn count<V: Set>(layers: &Layers<u8, Layers<u16, V>>, of: impl Fn(&V) -> usize) -> usize {
        let ports = layers.layers().iter().flat_map(|(_, ports)| ports.layers());
        ports.map(|(_, peers)| of(peers)).fold(0, usize::saturating_add)
    }
    count(&traffic.ipv4, |peers: &IntervalSet<u32>| peers.intervals().len())
        .saturating_add(count(&traffic.ipv6, |peers: &IntervalSet<u128>| peers.intervals().len()))
        .saturating_add(count(&traffic.references, |peers| peers.iter().count()))
}
