//! A baseline as data.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use ipnet::IpNet;

use super::remediation::Remediation;
use crate::ec2::{AccountId, Direction, GroupId, Protocol, Reference, Scope, UnitId};
use crate::net::IntervalSet;

/// The name of the peer set that `SSH_SOURCES` and `--ssh-source` replace.
pub const SSH_SOURCES: &str = "ssh-sources";

/// The name of the built-in peer set: 0.0.0.0/0 and ::/0.
pub const ANYWHERE: &str = "anywhere";

/// What a group may admit, and what the website needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The name, which a report shows.
    pub name: String,
    /// Named lists of peers, without [`ANYWHERE`].
    pub peer_sets: BTreeMap<String, Vec<BaselinePeer>>,
    /// The TCP ports on which SSH listens.
    pub ssh_ports: IntervalSet<u16>,
    /// What may come in.
    pub ingress: Vec<Entry>,
    /// What may go out.
    pub egress: Vec<Entry>,
    /// What is tolerated for a time, each in one group.
    pub exemptions: Vec<Exemption>,
    /// What applies in some accounts, units and groups instead.
    pub bindings: Vec<Binding>,
}

/// One line of a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, such as HTTP or SSH.
    pub name: String,
    pub protocol: Protocol,
    /// Ports, or whole ICMP types as selectors. All of them for other protocols.
    pub ports: IntervalSet<u16>,
    /// The sources of an ingress entry, the destinations of an egress entry.
    pub peers: Vec<PeerTerm>,
    /// Whether the website needs it.
    pub expected: bool,
}

/// A peer of an entry, or a set of peers by its name.
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
    Cidr(IpNet),
    /// A group or a prefix list.
    Reference(Reference),
    /// `self`: the group that is being audited.
    Own,
}

/// Traffic that is tolerated in one group until a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    pub group: GroupId,
    /// Ingress or egress.
    pub direction: Direction,
    pub protocol: Protocol,
    /// As in an [`Entry`].
    pub ports: IntervalSet<u16>,
    /// As in an [`Entry`].
    pub peers: Vec<PeerTerm>,
    /// Why it is tolerated.
    pub reason: String,
    /// The last day on which it counts, in UTC.
    pub until: NaiveDate,
}

/// What applies where its conditions are met. The first binding of a file that fits counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The name, which a report shows.
    pub name: String,
    /// `file:line`, for messages.
    pub at: String,
    /// Where it applies.
    pub when: Conditions,
    /// Whether its tags may loosen what applies, because only trusted people can set them.
    pub trust_tags: bool,
    /// The baseline; `None` for the entries of the file.
    pub baseline: Option<BoundBaseline>,
    /// Who may use SSH; `None` for what the settings or the baseline say.
    pub ssh_sources: Option<Vec<BaselinePeer>>,
    /// Which groups are audited; `None` for what the settings say.
    pub scope: Option<Scope>,
    /// The most that is done about a finding; `None` for what the settings say.
    pub remediation: Option<Remediation>,
}

/// A baseline that a binding names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundBaseline {
    /// The name or the path as the file has it.
    pub given: String,
    /// Where it is written.
    pub kind: BoundKind,
    /// What it says.
    pub baseline: Box<Baseline>,
}

/// Where a baseline that a binding names is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundKind {
    /// It ships with the auditor.
    Shipped,
    /// Under `baselines` in the same file.
    Inline,
    /// In a file of its own.
    File,
}

/// Where a binding applies. An empty field sets no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// One of these accounts.
    pub accounts: BTreeSet<AccountId>,
    /// An account in one of these units, or in a unit inside one of them.
    pub units: BTreeSet<UnitId>,
    /// A group with all of these tags.
    pub tags: BTreeMap<String, String>,
}

impl Baseline {
    /// The entries of a direction.
    pub fn entries(&self, direction: Direction) -> &[Entry] {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }

    /// Whether a peer of the baseline, or of an exemption that counts today, is a group of this
    /// account. What a peer set holds counts, whatever uses the set.
    pub fn names(&self, account: &AccountId, today: NaiveDate) -> bool {
        let is_there = |peer: &BaselinePeer| match peer {
            BaselinePeer::Reference(Reference::Group(group)) => group.account() == Some(account),
            _ => false,
        };
        let entries = self.ingress.iter().chain(&self.egress).map(|entry| &entry.peers);
        let active = self.exemptions.iter().filter(|exemption| exemption.is_active(today));
        let mut terms = entries.chain(active.map(|exemption| &exemption.peers)).flatten();
        self.peer_sets.values().flatten().any(is_there)
            || terms.any(|term| matches!(term, PeerTerm::Peer(peer) if is_there(peer)))
    }

    /// The baseline for the groups of an account. EC2 names a group of the same account without the
    /// account, so this does too.
    #[must_use]
    pub fn of_account(mut self, account: Option<&AccountId>) -> Self {
        let rename = |peer: &mut BaselinePeer| {
            if let BaselinePeer::Reference(Reference::Group(group)) = peer {
                *group = group.clone().seen_from(account);
            }
        };
        self.peer_sets.values_mut().flatten().for_each(rename);
        let entries = self.ingress.iter_mut().chain(&mut self.egress).map(|entry| &mut entry.peers);
        let exemptions = self.exemptions.iter_mut().map(|exemption| &mut exemption.peers);
        for term in entries.chain(exemptions).flatten() {
            if let PeerTerm::Peer(peer) = term {
                rename(peer);
            }
        }
        self
    }
}
