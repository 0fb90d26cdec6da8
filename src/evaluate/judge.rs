//! Judges a rule: what of it exceeds the baseline, and what that is called.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::Code;
use crate::baseline::{Admitted, Baseline, Exemption, Lists, Resolved};
use crate::ec2::{AccountId, Direction, GroupId, ListId, Peer, Protocol, Reference, Rule};
use crate::net::{
    Cells, Interval, Layers, ReferenceSet, Set, Traffic, addresses, host_count, network_count_ipv6,
    public_ipv4, public_ipv6,
};

/// The port of HTTPS.
pub(super) const HTTPS: u16 = 443;

/// A baseline made ready to judge the rules of one group, in one direction.
#[derive(Clone, Debug)]
pub struct Judge<'a> {
    pub(super) baseline: &'a Baseline,
    pub(super) direction: Direction,
    pub(super) group: Option<&'a GroupId>,
    pub(super) lists: &'a Lists,
    pub(super) today: NaiveDate,
    /// What the entries admit.
    pub(super) admitted: Cow<'a, Admitted>,
    /// The exemptions of the group that count today.
    pub(super) active: Vec<(&'a Exemption, Resolved<'a>)>,
    /// What the entries and those exemptions admit; `None` where there are none.
    pub(super) tolerated: Option<Admitted>,
}

/// What comparing a rule with a baseline gives. The three parts do not overlap, and together they are what the
/// rule admits and the entries of the baseline do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What neither the baseline nor an exemption admits, for certain.
    pub excess: Traffic,
    /// What an exemption of the group admits today.
    pub exempt: Traffic,
    /// What the baseline admits only if a list that could not be read says so; and SSH from a list
    /// that could not be read and so may be wide.
    pub unresolved: Traffic,
}

/// A rule that does not comply.
#[derive(Clone, Debug)]
pub struct Verdict<'r> {
    /// What the finding is called.
    pub code: Code,
    pub rule: &'r Rule,
    /// What exceeds the baseline.
    pub judgement: Judgement,
}

impl Judgement {
    /// Of a rule of which the baseline admits everything.
    fn compliant() -> Self {
        Self { excess: Traffic::empty(), exempt: Traffic::empty(), unresolved: Traffic::empty() }
    }

    /// Whether everything that the rule admits is admitted by the baseline, without any exemption.
    pub fn is_compliant(&self) -> bool {
        self.excess.is_empty() && self.exempt.is_empty() && self.unresolved.is_empty()
    }

    /// The same of a rule that may admit less, because not all of it is known yet: nothing is excess
    /// for certain.
    #[must_use]
    pub fn undecided(self) -> Self {
        let Self { excess, exempt, unresolved } = self;
        Self { excess: Traffic::empty(), exempt, unresolved: unresolved.union(&excess) }
    }

    /// The part of the excess that is from or to public addresses.
    pub fn public_excess(&self) -> Traffic {
        self.excess.among(public_ipv4(), public_ipv6())
    }
}

impl<'a> Judge<'a> {
    /// `group` is what `self` means in the baseline, and whose exemptions count; `lists` are the
    /// prefix lists read so far; `today`, in UTC, decides which exemptions still count.
    pub fn new(
        baseline: &'a Baseline,
        direction: Direction,
        group: Option<&'a GroupId>,
        lists: &'a Lists,
        today: NaiveDate,
    ) -> Self {
        let admitted = Cow::Owned(baseline.admitted(direction, group, lists));
        Self::of(baseline, direction, group, lists, today, admitted)
    }

    /// `admitted` is what the baseline admits in that direction, in that group.
    pub(super) fn of(
        baseline: &'a Baseline,
        direction: Direction,
        group: Option<&'a GroupId>,
        lists: &'a Lists,
        today: NaiveDate,
        admitted: Cow<'a, Admitted>,
    ) -> Self {
        let active: Vec<_> = group
            .into_iter()
            .flat_map(|group| baseline.exemptions_of(direction, group, lists))
            .filter(|(exemption, _)| exemption.is_active(today))
            .collect();
        let tolerated = (!active.is_empty()).then(|| {
            admitted.with(active.iter().map(|(_, resolved)| resolved.traffic.clone()).collect())
        });
        Self { baseline, direction, group, lists, today, admitted, active, tolerated }
    }

    /// The direction of the rules that it judges.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Whether the baseline, or an exemption that counts, names a group of this account.
    pub(super) fn names(&self, account: &AccountId) -> bool {
        self.baseline.names(account, self.today)
    }

    /// What the entries and the exemptions admit.
    pub(super) fn tolerated(&self) -> &Admitted {
        self.tolerated.as_ref().unwrap_or(self.admitted.as_ref())
    }

    /// What is admitted of a rule with the given peer by its name: where an entry names it, or
    /// where the entries together admit everybody. A list has to be read before SSH is admitted by
    /// its name, because it must not be wide.
    fn by_name(&self, admitted: &Admitted, reference: &Reference) -> Cells {
        let named = admitted.traffic.cells_of(reference);
        let named = match reference {
            Reference::PrefixList(id) if self.entries(id).is_none() => {
                named.difference(&self.guarded())
            }
            _ => named,
        };
        named.union(&admitted.anybody)
    }

    /// The entries of a list that has been read.
    pub(super) fn entries(&self, id: &ListId) -> Option<&'a [ipnet::IpNet]> {
        self.lists.get(id)?.as_deref().ok()
    }

    /// The prefix lists that decide about the rule and have not been looked up.
    pub fn lists_needed(&self, rule: &Rule) -> BTreeSet<ListId> {
        if self.admitted.surely_admits(rule) {
            return BTreeSet::new();
        }
        self.lists_worked_out(rule)
    }

    pub(super) fn lists_worked_out(&self, rule: &Rule) -> BTreeSet<ListId> {
        let (beyond, own) = match rule.peer() {
            Peer::Reference(Reference::Group(_)) => return BTreeSet::new(),
            Peer::Reference(reference @ Reference::PrefixList(id)) => {
                let rest = rule.cells().difference(&self.by_name(self.tolerated(), reference));
                (rest, Some(id))
            }
            Peer::Ipv4(_) | Peer::Ipv6(_) => {
                (rule.traffic().difference(&self.tolerated().traffic).cells(), None)
            }
        };
        if beyond.is_empty() {
            return BTreeSet::new();
        }
        let mut needed: BTreeSet<&ListId> = BTreeSet::new();
        needed.extend(own);
        if !beyond.intersection(&self.admitted.unknown).is_empty() {
            needed.extend(self.baseline.lists_named(self.direction));
        }
        for (_, resolved) in &self.active {
            if !beyond.intersection(&resolved.cells).is_empty() {
                needed.extend(&resolved.unread);
            }
        }
        needed.into_iter().filter(|id| !self.lists.contains_key(*id)).cloned().collect()
    }

    /// Compares the rule with the baseline. Most rules comply, and for those the quick check is enough.
    pub fn judge(&self, rule: &Rule) -> Judgement {
        if self.admitted.surely_admits(rule) {
            return Judgement::compliant();
        }
        self.worked_out(rule)
    }

    pub(super) fn worked_out(&self, rule: &Rule) -> Judgement {
        let (beyond, unread) = self.beyond(rule, self.tolerated());
        // What a list that could not be read might admit.
        let doubted = beyond.within(&self.admitted.unknown);
        let exempt = match self.tolerated {
            Some(_) => {
                let (all, all_unread) = self.beyond(rule, &self.admitted);
                all.union(&all_unread).difference(&beyond).difference(&unread)
            }
            None => Traffic::empty(),
        };
        let excess = beyond.difference(&doubted);
        Judgement { excess, exempt, unresolved: doubted.union(&unread) }
    }

    /// What the rule admits and `admitted` does not. The second value is what depends on the rule's
    /// own prefix list, if that has not been read.
    fn beyond(&self, rule: &Rule, admitted: &Admitted) -> (Traffic, Traffic) {
        let Peer::Reference(reference) = rule.peer() else {
            return (rule.traffic().difference(&admitted.traffic), Traffic::empty());
        };
        let rest = rule.cells().difference(&self.by_name(admitted, reference));
        let named = rule.traffic().within(&rest);
        match reference {
            Reference::Group(_) => (named, Traffic::empty()),
            Reference::PrefixList(id) => match self.entries(id) {
                Some(entries) => {
                    (of_entries(&rest, entries).difference(&admitted.traffic), Traffic::empty())
                }
                None => (Traffic::empty(), named),
            },
        }
    }

    /// What a finding about the rule is called; `None` where there is nothing to find: the rule is
    /// compliant, or exempt in whatever is not.
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

    /// What the baseline or an exemption admits of the rule, part by part: one for each entry, those
    /// that the site lives on first, then one for each exemption, then whatever only several of them
    /// admit together. The parts may overlap.
    ///
    /// - If the rule's peer is anywhere, groups and lists that an entry names are part of it.
    /// - Such a list stays a list: its entries are not added one by one.
    /// - A list of the other family is not part of the rule.
    /// - What only an unread list might admit is not admitted, and neither is SSH from such a list.
    pub fn admitted_of(&self, rule: &Rule) -> Vec<Traffic> {
        let cells = rule.cells();
        let own = self.expanded(rule);
        let anywhere = rule.peer().is_anywhere();
        let by_name = Lists::new();
        let lists = if anywhere { &by_name } else { self.lists };
        let entries = self
            .baseline
            .admitted_by_entry(self.direction, self.group, lists)
            .map(|(entry, traffic)| (if entry.expected { 0 } else { 1 }, traffic));
        let exemptions = self
            .group
            .into_iter()
            .flat_map(|group| self.baseline.exemptions_of(self.direction, group, lists))
            .filter(|(exemption, _)| exemption.is_active(self.today))
            .map(|(_, resolved)| (2, resolved.traffic));
        let mut parts: Vec<(u8, Traffic)> = entries
            .chain(exemptions)
            .map(|(rank, traffic)| {
                let mut part = own.intersection(&traffic);
                if anywhere {
                    part.references = self.named_as_part(rule.peer(), &traffic.within(&cells));
                }
                (rank, part)
            })
            .collect();
        parts.sort_by_key(|(rank, part)| (*rank, !admits_https(part)));
        let mut parts: Vec<Traffic> = parts.into_iter().map(|(_, part)| part).collect();
        if !anywhere {
            let Judgement { excess, unresolved, .. } = self.judge(rule);
            for part in &mut parts {
                *part = part.difference(&unresolved);
            }
            let together = own.difference(&excess).difference(&unresolved);
            parts.push(parts.iter().fold(together, |rest, part| rest.difference(part)));
        }
        parts.retain(|part| !part.is_empty());
        parts
    }

    /// The groups and lists of `traffic` that are part of what a rule from or to anywhere admits.
    fn named_as_part(
        &self,
        peer: &Peer,
        traffic: &Traffic,
    ) -> Layers<u8, Layers<u16, ReferenceSet>> {
        let among = |traffic: &Traffic, keep: &dyn Fn(&Reference) -> bool| {
            traffic.references.map(|ports| {
                ports.map(|peers| peers.iter().filter(|peer| keep(peer)).cloned().collect())
            })
        };
        let unread = |reference: &Reference| match reference {
            Reference::PrefixList(id) => self.entries(id).is_none(),
            Reference::Group(_) => false,
        };
        let of_family = among(traffic, &|reference| self.may_be_of(peer, reference));
        of_family.difference(&among(&traffic.within(&self.guarded()), &unread))
    }

    /// Whether a group or list may have addresses of the family of `peer`.
    fn may_be_of(&self, peer: &Peer, reference: &Reference) -> bool {
        match reference {
            Reference::PrefixList(id) => match self.entries(id) {
                Some(entries) if !entries.is_empty() => {
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
        let Peer::Reference(reference @ Reference::PrefixList(id)) = rule.peer() else {
            return rule.traffic();
        };
        let Some(entries) = self.entries(id) else { return rule.traffic() };
        let by_name = self.by_name(self.tolerated(), reference);
        let rest = rule.cells().difference(&by_name);
        rule.traffic().within(&by_name).union(&of_entries(&rest, entries))
    }
}

/// Whether HTTPS is part of it. At the limit of rules not everything may fit, and HTTPS comes first.
fn admits_https(traffic: &Traffic) -> bool {
    let https = Cells::of_protocol(Protocol::TCP, &Interval::new(HTTPS, HTTPS).into());
    !traffic.within(&https).is_empty()
}

pub(super) fn of_entries(cells: &Cells, entries: &[ipnet::IpNet]) -> Traffic {
    let (ipv4, ipv6) = addresses(entries);
    Traffic::new(cells, &ipv4, &ipv6, &Set::empty())
}
