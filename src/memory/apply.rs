//! Groups made to be as an event says they are now.

use std::collections::BTreeMap;

use super::{Held, MemoryEc2, own_names, place_of};
use crate::audit::{Group, Place};
use crate::ec2::{Direction, Rule, rules_of_new_group};
use crate::event::{ChangeKind, GroupKey, ModifiedRule, SgChange};

impl MemoryEc2 {
    /// Makes the group be as the event says it is now. A group that was not there before comes to
    /// hold what the event tells of, and the egress of a new group.
    ///
    /// Of a group that only events tell of, nothing is known any more after an event that cannot be
    /// followed: what was told of it before would be audited as though it were the whole group.
    pub fn apply(&self, change: &SgChange) {
        let mut all = self.held.borrow_mut();
        let known = all.iter().position(|held| held.is_changed_by(change));
        let mut held = match known {
            Some(at) => all.swap_remove(at),
            None => self.new_group(place_of(change), &change.group),
        };
        let followed = held.follow(&change.kind);
        if followed || held.complete {
            all.push(held);
        }
    }

    /// A group before the first event that tells of it. Its egress is that of a new group, because
    /// hardly anybody changes it, and what becomes of connections depends on it.
    fn new_group(&self, place: Place, key: &GroupKey) -> Held {
        let (id, name) = match key {
            GroupKey::Id(id) => (id.clone(), None),
            GroupKey::Name(name) => (self.new_id("sg"), Some(name.clone())),
        };
        let owner = place.account.clone();
        Held {
            place,
            group: Group { id, name, vpc_id: None, owner, tags: BTreeMap::new() },
            rules: rules_of_new_group(),
            complete: false,
        }
    }
}

impl Held {
    /// Does what the change did, as far as an event tells; `false` where it does not tell enough.
    fn follow(&mut self, change: &ChangeKind) -> bool {
        match change {
            ChangeKind::Authorized(rules) => {
                rules.iter().cloned().for_each(|rule| self.add(rule));
                true
            }
            ChangeKind::Modified(modified) => modified.iter().all(|one| self.modify(one)),
            // A new group has its egress already, and no event says which rules are gone.
            ChangeKind::Created | ChangeKind::Revoked(_) => true,
            ChangeKind::Unknown(_) => false,
        }
    }

    /// The rule as it was told takes the place of one that was only assumed: it has an id.
    fn add(&mut self, rule: Rule) {
        let rule = own_names(rule, &self.place, &self.group);
        match self.rules.iter_mut().find(|other| other.content() == rule.content()) {
            Some(other) => *other = rule,
            None => self.rules.push(rule),
        }
    }

    /// The rule of this id gets the new content. No event tells a modified rule's direction, so one
    /// that was not told of before is taken to be the kind that can do harm: ingress. `false` where
    /// the ports are such as no rule can have.
    fn modify(&mut self, modified: &ModifiedRule) -> bool {
        let known = self.rules.iter_mut().find(|rule| rule.id.as_ref() == Some(&modified.id));
        let Ok(mut rule) = Rule::new(
            known.as_ref().map_or(Direction::Ingress, |rule| rule.direction),
            modified.protocol,
            modified.from_port,
            modified.to_port,
            modified.peer.clone(),
        ) else {
            return false;
        };
        rule.id = Some(modified.id.clone());
        rule.description.clone_from(&modified.description);
        let mut rule = own_names(rule, &self.place, &self.group);
        match known {
            Some(before) => {
                rule.tags.clone_from(&before.tags);
                *before = rule;
            }
            None => self.rules.push(rule),
        }
        true
    }
}
