//! Groups made to be as an event says they are now.

use std::collections::BTreeMap;

use super::{Held, MemoryEc2, own_names, same_place};
use crate::audit::{Group, Place};
use crate::event::{ChangeKind, GroupKey, ModifiedRule, SgChange};
use crate::rule::{Direction, Rule, rules_of_new_group};

impl MemoryEc2 {
    /// Makes the group be as the event says it is now. A group that was not there before comes to
    /// hold what the event tells of, and nothing else.
    ///
    /// An event that is not understood makes no group: it would be an empty one, and pass for
    /// compliant.
    pub fn apply(&self, change: &SgChange) {
        if matches!(change.kind, ChangeKind::Unknown(_)) {
            return;
        }
        let place =
            Place { account: change.record.account.clone(), region: change.record.region.clone() };
        let mut all = self.held.borrow_mut();
        let known = all.iter().position(|held| {
            same_place(&held.place, &place)
                && match &change.group {
                    GroupKey::Id(id) => held.group.id == *id,
                    GroupKey::Name(name) => held.group.name.as_ref() == Some(name),
                }
        });
        let mut held = match known {
            Some(at) => all.swap_remove(at),
            None => self.new_group(place, &change.group),
        };
        match &change.kind {
            ChangeKind::Authorized(rules) => {
                rules.iter().cloned().for_each(|rule| held.add(rule));
            }
            ChangeKind::Modified(modified) => {
                modified.iter().for_each(|modified| held.modify(modified));
            }
            ChangeKind::Created => rules_of_new_group().into_iter().for_each(|rule| held.add(rule)),
            ChangeKind::Revoked(_) | ChangeKind::Unknown(_) => {}
        }
        all.push(held);
    }

    fn new_group(&self, place: Place, key: &GroupKey) -> Held {
        let (id, name) = match key {
            GroupKey::Id(id) => (id.clone(), None),
            GroupKey::Name(name) => (self.new_id("sg"), Some(name.clone())),
        };
        let owner = place.account.clone();
        Held {
            place,
            group: Group { id, name, vpc_id: None, owner, tags: BTreeMap::new() },
            rules: Vec::new(),
        }
    }
}

impl Held {
    fn add(&mut self, rule: Rule) {
        let rule = own_names(rule, &self.place, &self.group);
        if !self.rules.iter().any(|other| other.content() == rule.content()) {
            self.rules.push(rule);
        }
    }

    /// The rule of this id gets the new content. No event tells a modified rule's direction, so
    /// that one which is not known yet is taken to be the kind that can do harm: ingress. Ports
    /// that no rule can have leave everything as it is, and the audit says what is wrong with them.
    fn modify(&mut self, modified: &ModifiedRule) {
        let at = self.rules.iter().position(|rule| rule.id.as_ref() == Some(&modified.id));
        let before = at.and_then(|at| self.rules.get(at));
        let direction = before.map_or(Direction::Ingress, |rule| rule.direction);
        let tags = before.map(|rule| rule.tags.clone()).unwrap_or_default();
        let Ok(mut rule) = Rule::new(
            direction,
            modified.protocol,
            modified.from_port,
            modified.to_port,
            modified.peer.clone(),
        ) else {
            return;
        };
        rule.id = Some(modified.id.clone());
        rule.description.clone_from(&modified.description);
        rule.tags = tags;
        let rule = own_names(rule, &self.place, &self.group);
        match at.and_then(|at| self.rules.get_mut(at)) {
            Some(before) => *before = rule,
            None => self.rules.push(rule),
        }
    }
}
