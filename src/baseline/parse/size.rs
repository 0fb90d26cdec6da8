//! How fragmented a baseline may be.

use std::collections::BTreeSet;

use crate::baseline::{ANYWHERE, Baseline, Lists, PeerTerm};
use crate::ec2::Direction;
use crate::net::{IntervalSet, Layers, Set, Traffic};

/// The most intervals that a baseline may be made of in one direction, so that a rule is held
/// against it in less than a millisecond.
///
/// `docs/performance.md` has what the costliest shapes take at the limit: to be read and checked, to
/// be made ready, and to judge the rules that admit everything. A bench measures it.
pub const MAX_INTERVALS: usize = 1_000;

impl Baseline {
    /// What to say if judging by a direction of it would not be quick.
    ///
    /// Two things are bounded. What is written, intervals of ports times peers, entry by entry: it
    /// is cheap to count, and bounds the work of counting the other. And what they make together,
    /// intervals of ports times intervals of peers: entries that overlap cut each other, in the
    /// worst case into the square of what is written. A prefix list counts as one peer, since its
    /// entries are not known here. The exemptions count for one group at a time, as they are used.
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
                "{direction} is {written} combinations of ports and peers, more than {MAX_INTERVALS}; \
                 write fewer and wider ranges"
            ));
        }
        let lists = Lists::new();
        let mut all = Traffic::empty();
        for (entry, traffic) in self.admitted_by_entry(direction, Some(""), &lists) {
            all = all.union(&traffic);
            if intervals(&all) > MAX_INTERVALS {
                return Some(format!(
                    "the ranges of {direction} overlap in more than {MAX_INTERVALS} pieces, counted up \
                     to the entry {}; write fewer and wider ranges",
                    super::quote(&entry.name)
                ));
            }
        }
        let exempt = self.exemptions.iter().filter(|exemption| exemption.direction == direction);
        let groups: BTreeSet<&str> = exempt.map(|exemption| exemption.group.as_str()).collect();
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
