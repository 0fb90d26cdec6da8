//! Baselines: what a group may admit.
//!
//! YAML text becomes a [`Baseline`] in [`parse`](Baseline::parse) or not at all; what the rest of
//! the crate holds is always valid. Names of peer sets are kept, because the settings may replace
//! the set `ssh-sources` and the entries HTTP and HTTPS.

mod admitted;
mod exemption;
mod parse;
mod replace;
#[cfg(test)]
pub(crate) mod samples;
mod shipped;
mod show;

use std::collections::BTreeMap;

use chrono::NaiveDate;

pub use admitted::{Admitted, Lists, Resolved};
pub(crate) use parse::quote;
pub use parse::{BaselineError, Fault, MAX_INTERVALS, parse_peers, parse_ports};
pub use shipped::{DEFAULT, SHIPPED, shipped};

use crate::ec2::{Direction, Protocol};
use crate::net::{IntervalSet, Reference};

/// The name of the peer set that `SSH_SOURCES` and `--ssh-source` replace.
pub const SSH_SOURCES: &str = "ssh-sources";

/// The name of the peer set that is built in: 0.0.0.0/0 and ::/0.
pub const ANYWHERE: &str = "anywhere";

/// What a group may admit, and what a site lives on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The name, as the report gives it.
    pub name: String,
    /// Named lists of peers, without [`ANYWHERE`].
    pub peer_sets: BTreeMap<String, Vec<BaselinePeer>>,
    /// The TCP ports on which SSH listens.
    pub ssh_ports: IntervalSet<u16>,
    /// What may come in.
    pub ingress: Vec<Entry>,
    /// What may go out.
    pub egress: Vec<Entry>,
    /// What is tolerated for a time in one group.
    pub exemptions: Vec<Exemption>,
}

/// One line of a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What people call it: HTTP, SSH.
    pub name: String,
    /// Of what protocol.
    pub protocol: Protocol,
    /// On which ports; ICMP types with all their codes as selectors; everything for the rest.
    pub ports: IntervalSet<u16>,
    /// From or to whom.
    pub peers: Vec<PeerTerm>,
    /// Whether the site lives on it.
    pub expected: bool,
}

/// A peer of an entry: one by itself, or all of a set by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerTerm {
    /// [`ANYWHERE`], or a key of [`Baseline::peer_sets`].
    Set(String),
    /// One peer.
    Peer(BaselinePeer),
}

/// A peer as a baseline writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BaselinePeer {
    /// A block of addresses.
    Cidr(ipnet::IpNet),
    /// A group or a prefix list.
    Reference(Reference),
    /// `self`: the group that is being audited.
    Own,
}

/// Traffic that is tolerated in one group until a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    /// `sg-…`
    pub group: String,
    /// Ingress or egress.
    pub direction: Direction,
    /// Of what protocol.
    pub protocol: Protocol,
    /// As in an [`Entry`].
    pub ports: IntervalSet<u16>,
    /// As in an [`Entry`].
    pub peers: Vec<PeerTerm>,
    /// Why.
    pub reason: String,
    /// The last day on which it counts, in UTC.
    pub until: NaiveDate,
}

impl Baseline {
    /// The entries of a direction.
    pub fn entries(&self, direction: Direction) -> &[Entry] {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }

    /// The baseline as the groups of an account see it: EC2 names a group of the same account
    /// without the account.
    #[must_use]
    pub fn of_account(mut self, account: Option<&str>) -> Self {
        let own = |peer: &mut BaselinePeer| {
            if let BaselinePeer::Reference(Reference::Group(group)) = peer
                && group.account.as_deref() == account
            {
                group.account = None;
            }
        };
        self.peer_sets.values_mut().flatten().for_each(own);
        let entries = self.ingress.iter_mut().chain(&mut self.egress).map(|entry| &mut entry.peers);
        let exemptions = self.exemptions.iter_mut().map(|exemption| &mut exemption.peers);
        for term in entries.chain(exemptions).flatten() {
            if let PeerTerm::Peer(peer) = term {
                own(peer);
            }
        }
        self
    }
}
