//! Exemptions: what is tolerated for a time in one group, and by which of them.

use chrono::Days;

use super::judge::{Judge, Judgement};
use crate::baseline::{Exemption, Lists, Resolved};
use crate::ec2::hold::PLACEHOLDER_REASON;
use crate::ec2::{Ec2Error, ListId, Peer, Reference, Rule};
use crate::net::{Set, Traffic};

/// How many days an exemption lasts that is proposed. A person may write another day, up to a year
/// ahead.
const DAYS: Days = Days::new(30);

/// An exemption that counts, and of which it is not known whether it covers an excess.
#[derive(Clone, Debug)]
pub struct UndecidedExemption<'a> {
    pub exemption: &'a Exemption,
    /// The lists among its peers that could not be read, each with why; `None` where nobody looked.
    pub lists: Vec<(&'a ListId, Option<&'a Ec2Error>)>,
}

impl<'a> Judge<'a> {
    /// What of a rule is exempt, by each exemption that covers any of it. Where several cover the
    /// same, each is named.
    pub fn exempted(&self, rule: &Rule, judgement: &Judgement) -> Vec<(&'a Exemption, Traffic)> {
        let covers: Vec<(&'a Exemption, Traffic)> = self
            .active
            .iter()
            .map(|(exemption, resolved)| (*exemption, covered(rule, resolved, &judgement.exempt)))
            .collect();
        // What only several of them admit together, or one with the baseline: a group, by all
        // addresses of both families.
        let alone = covers.iter().map(|(_, part)| part.clone()).collect();
        let together = judgement.exempt.difference(&Traffic::union_of(alone));
        covers
            .into_iter()
            .map(|(exemption, part)| (exemption, part.union(&together.within(&exemption.cells()))))
            .filter(|(_, part)| !part.is_empty())
            .collect()
    }

    /// The exemptions that count, name a list that could not be read, and may cover some of the
    /// excess.
    pub fn undecided_exemptions(&self, judgement: &Judgement) -> Vec<UndecidedExemption<'a>> {
        let lists = self.lists;
        self.active
            .iter()
            .filter(|(_, resolved)| !judgement.excess.within(&resolved.cells).is_empty())
            .map(|(exemption, resolved)| UndecidedExemption {
                exemption,
                lists: resolved.unread.iter().map(|id| (*id, why(lists, id))).collect(),
            })
            .filter(|undecided| !undecided.lists.is_empty())
            .collect()
    }

    /// The exemptions that would cover some of what is wrong with the rule, had they not expired.
    pub fn expired(&self, rule: &Rule, judgement: &Judgement) -> Vec<&'a Exemption> {
        let wrong = judgement.excess.union(&judgement.unresolved);
        self.group
            .into_iter()
            .flat_map(|group| self.baseline.exemptions_of(self.direction, group, self.lists))
            .filter(|(exemption, _)| !exemption.is_active(self.today))
            .filter(|(_, resolved)| !covered(rule, resolved, &wrong).is_empty())
            .map(|(exemption, _)| exemption)
            .collect()
    }

    /// The exemption that would leave nothing to find about the rule: for all that it admits, a
    /// month from today. `None` where the group is not known, or where none could help.
    pub fn exemption_for(&self, rule: &Rule) -> Option<Exemption> {
        let anybody = &self.tolerated().anybody;
        let may_be_wide = match rule.peer() {
            Peer::Reference(Reference::PrefixList(id)) if self.entries(id).is_none() => {
                let ssh = rule.cells().intersection(&self.guarded());
                !ssh.is_subset_of(anybody)
            }
            _ => false,
        };
        // A baseline can only name what has an id.
        let is_declared = match rule.peer() {
            Peer::Reference(Reference::PrefixList(id)) => id.is_declared(),
            Peer::Reference(Reference::Group(group)) => group.id().is_declared(),
            Peer::Ipv4(_) | Peer::Ipv6(_) => false,
        };
        if may_be_wide || is_declared || self.group?.is_declared() {
            return None;
        }
        let until = self.today.checked_add_days(DAYS)?;
        Some(Exemption::covering(rule, self.group?.clone(), PLACEHOLDER_REASON, until))
    }
}

/// The part of `traffic` that a single exemption covers of a rule: by address, by the name of the
/// rule's own peer, or because it covers everybody.
fn covered(rule: &Rule, exemption: &Resolved<'_>, traffic: &Traffic) -> Traffic {
    let mut named = exemption.traffic.cells_of_anybody();
    if let Peer::Reference(reference) = rule.peer() {
        named = named.union(&exemption.traffic.cells_of(reference));
    }
    traffic.intersection(&exemption.traffic).union(&traffic.within(&named))
}

fn why<'a>(lists: &'a Lists, id: &ListId) -> Option<&'a Ec2Error> {
    lists.get(id)?.as_ref().err()
}
