//! Where SSH listens, and SSH that only looks narrow, because a prefix list names a wide set of
//! addresses.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::judge::{Judge, Judgement, Verdict, of_entries};
use crate::baseline::{Baseline, Exemption, Lists, PeerTerm};
use crate::ec2::{Direction, Ec2Error, GroupId, ListId, Peer, Protocol, Reference, Rule};
use crate::net::{Cells, Set, Traffic, wide_ipv4, wide_ipv6};

/// Where SSH listens: TCP on the baseline's SSH ports.
pub fn ssh_cells(baseline: &Baseline) -> Cells {
    Cells::of_protocol(Protocol::TCP, &baseline.ssh_ports)
}

/// Whether a wide set of public addresses reaches an SSH port by the baseline itself, or in some
/// group by the exemptions that count `today`. Of the lists it names, those that are not in `lists`
/// are nobody: [`Baseline::ssh_lists`] are to be read before.
pub fn admits_wide_ssh(baseline: &Baseline, lists: &Lists, today: NaiveDate) -> bool {
    let ssh = ssh_cells(baseline);
    let admitted = baseline.admitted(Direction::Ingress, None, lists);
    let groups: BTreeSet<&GroupId> = exempting_ssh(baseline, today).map(|it| &it.group).collect();
    let in_group = |group: &GroupId| {
        let active = baseline
            .exemptions_of(Direction::Ingress, group, lists)
            .filter(|(exemption, _)| exemption.is_active(today));
        admitted.with(active.map(|(_, resolved)| resolved.traffic).collect())
    };
    is_wide(&admitted.traffic.within(&ssh))
        || groups.into_iter().any(|group| is_wide(&in_group(group).traffic.within(&ssh)))
}

/// The exemptions that count and admit SSH.
fn exempting_ssh(baseline: &Baseline, today: NaiveDate) -> impl Iterator<Item = &Exemption> {
    let ssh = ssh_cells(baseline);
    baseline.exemptions.iter().filter(move |exemption| {
        exemption.direction == Direction::Ingress
            && exemption.is_active(today)
            && !exemption.cells().intersection(&ssh).is_empty()
    })
}

/// Whether the Internet is among the peers of the traffic: a wide set of public addresses.
pub fn is_wide(traffic: &Traffic) -> bool {
    wide_ipv4(&traffic.peers_ipv4()) || wide_ipv6(&traffic.peers_ipv6())
}

impl Baseline {
    /// The prefix lists that SSH is let in from by an entry, or by an exemption that counts `today`.
    pub fn ssh_lists(&self, today: NaiveDate) -> BTreeSet<&ListId> {
        let ssh = ssh_cells(self);
        let entries = self
            .entries(Direction::Ingress)
            .iter()
            .filter(|entry| !entry.cells().intersection(&ssh).is_empty())
            .map(|entry| &entry.peers);
        let exemptions = exempting_ssh(self, today).map(|exemption| &exemption.peers);
        let peers: Vec<&Vec<PeerTerm>> = entries.chain(exemptions).collect();
        peers.into_iter().flat_map(|peers| self.lists_among(peers)).collect()
    }
}

impl Judge<'_> {
    /// Where SSH listens: TCP on the baseline's SSH ports.
    pub fn ssh(&self) -> Cells {
        ssh_cells(self.baseline)
    }

    /// Where a list that is named has to be read all the same: SSH coming in.
    pub(super) fn guarded(&self) -> Cells {
        match self.direction {
            Direction::Ingress => self.ssh(),
            Direction::Egress => Cells::empty(),
        }
    }

    /// Whether the rule admits SSH from a prefix list that EC2 says does not exist and that neither
    /// the baseline nor an exemption names. Nobody can say that such a list is not the Internet.
    pub fn is_ssh_from_missing_list(&self, verdict: &Verdict<'_>) -> bool {
        let Some(id) = verdict.rule.peer().list() else { return false };
        let is_missing = matches!(self.lists.get(id), Some(Err(Ec2Error::NotFound { .. })));
        let named = Reference::PrefixList(id.clone());
        is_missing
            && self.tolerated().traffic.cells_of(&named).is_empty()
            && !verdict.judgement.unresolved.within(&self.guarded()).is_empty()
    }

    /// Whether the rule lets a wide set of public addresses reach SSH and is admitted only because
    /// a prefix list is named for SSH: as that list, or as a part of it. Where the baseline is wide
    /// without any list, its rules are not to blame.
    pub fn wide_ssh(&self, rule: &Rule) -> bool {
        let ssh = rule.cells().intersection(&self.guarded());
        if ssh.is_empty() {
            return false;
        }
        match rule.peer() {
            Peer::Reference(Reference::Group(_)) => false,
            Peer::Reference(reference @ Reference::PrefixList(id)) => {
                let tolerated = self.tolerated();
                let named = tolerated.traffic.cells_of(reference).difference(&tolerated.anybody);
                let entries = self.entries(id).unwrap_or_default();
                is_wide(&of_entries(&ssh.intersection(&named), entries))
            }
            Peer::Ipv4(_) | Peer::Ipv6(_) => {
                let narrow = !is_wide(&rule.traffic().within(&ssh));
                if narrow || self.baseline.lists_named(self.direction).is_empty() {
                    return false;
                }
                let written = self.baseline.admitted(self.direction, self.group, &Lists::new());
                let Judgement { excess, exempt, unresolved } = self.judge(rule);
                let not_admitted = excess.union(&exempt).union(&unresolved);
                let admitted = rule.traffic().within(&ssh).difference(&not_admitted);
                is_wide(&admitted.difference(&written.traffic))
            }
        }
    }
}
