//! Rules held against a baseline: what each admits that the baseline does not.
//!
//! Pure. What a prefix list holds is looked up by the caller and handed in; what is still needed is
//! [said](Judge::lists_needed) before anything is judged.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::baseline::{Admitted, Baseline, Lists};
use crate::finding::Code;
use crate::net::{
    Cells, Layers, Reference, Set, Traffic, addresses, host_count, network_count_ipv6, public_ipv4,
    public_ipv6, wide_ipv4, wide_ipv6,
};
use crate::rule::{Direction, Peer, Protocol, Rule};

/// A baseline made ready to judge the rules of one group, in one direction.
#[derive(Clone, Debug)]
pub struct Judge<'a> {
    baseline: &'a Baseline,
    direction: Direction,
    group: Option<&'a str>,
    lists: &'a Lists,
    today: NaiveDate,
    admitted: Admitted,
}

/// A rule, held against a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What it admits and the baseline does not, for certain.
    pub excess: Traffic,
    /// What it admits, and what the baseline admits only if a list that could not be read says so.
    pub unresolved: Traffic,
}

impl Judgement {
    /// Whether everything that the rule admits is admitted by the baseline.
    pub fn is_compliant(&self) -> bool {
        self.excess.is_empty() && self.unresolved.is_empty()
    }

    /// The part of the excess that is from or to public addresses.
    pub fn public_excess(&self) -> Traffic {
        self.excess.among(public_ipv4(), public_ipv6())
    }
}

impl<'a> Judge<'a> {
    /// `group` is what `self` means in the baseline; `lists` are the prefix lists read so far;
    /// `today`, in UTC, decides which exemptions still count.
    pub fn new(
        baseline: &'a Baseline,
        direction: Direction,
        group: Option<&'a str>,
        lists: &'a Lists,
        today: NaiveDate,
    ) -> Self {
        let admitted = baseline.admitted(direction, group, lists);
        Self { baseline, direction, group, lists, today, admitted }
    }

    /// Where SSH listens: TCP on the baseline's SSH ports.
    pub fn ssh(&self) -> Cells {
        ssh_cells(self.baseline)
    }

    /// What the baseline admits of a rule with the given peer by its name: where an entry names it,
    /// or where the entries together admit everybody.
    fn admitted_by_name(&self, reference: &Reference) -> Cells {
        self.admitted.traffic.cells_of(reference).union(&self.admitted.anybody)
    }

    /// The prefix lists that decide about the rule and have not been looked up.
    pub fn lists_needed(&self, rule: &Rule) -> BTreeSet<String> {
        let unknown = |id: &str| !self.lists.contains_key(id);
        match &rule.peer {
            Peer::Reference(Reference::Group(_)) => BTreeSet::new(),
            Peer::Reference(reference @ Reference::PrefixList(id)) => {
                let rest = rule.cells().difference(&self.admitted_by_name(reference));
                if rest.is_empty() {
                    return BTreeSet::new();
                }
                let mut needed: BTreeSet<String> =
                    std::iter::once(id.clone()).filter(|id| unknown(id)).collect();
                if !rest.intersection(&self.admitted.unknown).is_empty() {
                    needed.extend(self.unread_lists());
                }
                needed
            }
            Peer::Ipv4(_) | Peer::Ipv6(_) => {
                let excess = rule.traffic().difference(&self.admitted.traffic);
                if excess.within(&self.admitted.unknown).is_empty() {
                    BTreeSet::new()
                } else {
                    self.unread_lists().collect()
                }
            }
        }
    }

    fn unread_lists(&self) -> impl Iterator<Item = String> + '_ {
        self.baseline
            .lists_named(self.direction)
            .into_iter()
            .filter(|id| !self.lists.contains_key(*id))
            .map(ToOwned::to_owned)
    }

    /// The rule held against the baseline.
    pub fn judge(&self, rule: &Rule) -> Judgement {
        match &rule.peer {
            Peer::Ipv4(_) | Peer::Ipv6(_) => {
                self.doubt(rule.traffic().difference(&self.admitted.traffic))
            }
            Peer::Reference(reference) => {
                let rest = rule.cells().difference(&self.admitted_by_name(reference));
                let named = rule.traffic().within(&rest);
                match reference {
                    Reference::Group(_) => {
                        Judgement { excess: named, unresolved: Traffic::empty() }
                    }
                    Reference::PrefixList(id) => match self.lists.get(id) {
                        Some(Ok(entries)) => self
                            .doubt(of_entries(&rest, entries).difference(&self.admitted.traffic)),
                        Some(Err(_)) | None => {
                            Judgement { excess: Traffic::empty(), unresolved: named }
                        }
                    },
                }
            }
        }
    }

    /// Sets apart what a list that could not be read might admit.
    fn doubt(&self, beyond: Traffic) -> Judgement {
        if self.admitted.unknown.is_empty() {
            return Judgement { excess: beyond, unresolved: Traffic::empty() };
        }
        let unresolved = beyond.within(&self.admitted.unknown);
        Judgement { excess: beyond.difference(&unresolved), unresolved }
    }

    /// What a finding about the rule is called; `None` where the rule is compliant.
    pub fn code(&self, judgement: &Judgement) -> Option<Code> {
        if judgement.excess.is_empty() {
            return (!judgement.unresolved.is_empty()).then_some(Code::UnresolvedPeer);
        }
        if self.direction == Direction::Egress {
            return Some(Code::EgressNotInBaseline);
        }
        let ssh = judgement.public_excess().within(&self.ssh());
        let (ipv4, ipv6) = (ssh.peers_ipv4(), ssh.peers_ipv6());
        Some(if host_count(&ipv4) > 1 || network_count_ipv6(&ipv6) > 1 {
            Code::OpenSsh
        } else if ssh.is_empty() {
            Code::IngressNotInBaseline
        } else {
            Code::SshFromUnlistedHost
        })
    }

    /// What the baseline admits of the rule, part by part: one for each entry, those that the site
    /// lives on first, then whatever only several entries admit together. The parts may overlap.
    ///
    /// Where the rule's peer is anywhere, the groups and lists that an entry names are part of what
    /// the rule admits; there a list stands for its entries, so that they are not added one by one,
    /// and a list of the other family is no part of it. What only a list that could not be read
    /// might admit is not admitted.
    pub fn admitted_of(&self, rule: &Rule) -> Vec<Traffic> {
        let cells = rule.cells();
        let own = self.expanded(rule);
        let anywhere = rule.peer.is_anywhere();
        let by_name = Lists::new();
        let lists = if anywhere { &by_name } else { self.lists };
        let mut parts: Vec<(bool, Traffic)> = self
            .baseline
            .admitted_by_entry(self.direction, self.group, lists)
            .map(|(entry, traffic)| {
                let mut part = own.intersection(&traffic);
                if anywhere {
                    let named = traffic.within(&cells).references;
                    part.references = named.map(|ports| {
                        ports.map(|peers| {
                            peers
                                .iter()
                                .filter(|to| self.may_be_of(&rule.peer, to))
                                .cloned()
                                .collect()
                        })
                    });
                }
                (!entry.expected, part)
            })
            .collect();
        parts.sort_by_key(|(last, _)| *last);
        let mut parts: Vec<Traffic> = parts.into_iter().map(|(_, part)| part).collect();
        if !anywhere {
            let judgement = self.judge(rule);
            let together = own.difference(&judgement.excess).difference(&judgement.unresolved);
            parts.push(parts.iter().fold(together, |rest, part| rest.difference(part)));
        }
        parts.retain(|part| !part.is_empty());
        parts
    }

    /// Whether a group or list may have addresses of the family of `peer`.
    fn may_be_of(&self, peer: &Peer, reference: &Reference) -> bool {
        match reference {
            Reference::PrefixList(id) => match self.lists.get(id) {
                Some(Ok(entries)) if !entries.is_empty() => {
                    entries.iter().any(|net| net.addr().is_ipv4() == matches!(peer, Peer::Ipv4(_)))
                }
                _ => true,
            },
            Reference::Group(_) => true,
        }
    }

    /// What the rule admits: by name where its list is admitted by name, by address where the
    /// list's entries decide.
    fn expanded(&self, rule: &Rule) -> Traffic {
        match &rule.peer {
            Peer::Reference(reference @ Reference::PrefixList(id)) => {
                let by_name = self.admitted_by_name(reference);
                let mut own = rule.traffic().within(&by_name);
                let rest = rule.cells().difference(&by_name);
                match self.lists.get(id) {
                    Some(Ok(entries)) => own = own.union(&of_entries(&rest, entries)),
                    Some(Err(_)) | None => own = rule.traffic(),
                }
                own
            }
            _ => rule.traffic(),
        }
    }
}

/// Where SSH listens: TCP on the baseline's SSH ports.
pub fn ssh_cells(baseline: &Baseline) -> Cells {
    Layers::product(&Protocol::TCP.numbers().into(), &baseline.ssh_ports)
}

/// Whether a wide set of public addresses reaches an SSH port by the baseline itself.
pub fn open_ssh_in_baseline(baseline: &Baseline, lists: &Lists) -> bool {
    let admitted = baseline.admitted(Direction::Ingress, None, lists);
    let ssh = admitted.traffic.within(&ssh_cells(baseline));
    wide_ipv4(&ssh.peers_ipv4()) || wide_ipv6(&ssh.peers_ipv6())
}

fn of_entries(cells: &Cells, entries: &[ipnet::IpNet]) -> Traffic {
    let (ipv4, ipv6) = addresses(entries);
    Traffic::new(cells, &ipv4, &ipv6, &Set::empty())
}

#[cfg(test)]
mod tests;
