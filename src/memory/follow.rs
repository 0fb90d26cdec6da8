//! Groups are made to be as an event says they are now.

use super::ec2::{MemoryEc2, Stored, as_listed};
use crate::ec2::{Direction, Group, GroupKey, Place, Rule};
use crate::event::{ChangeKind, GroupChange, ModifiedRule};

impl MemoryEc2 {
    /// Makes the group be as the event says it is now. A group that was not known before has what
    /// the event tells of, and the egress of a new group.
    ///
    /// A group that only events tell of is forgotten after an event that cannot be followed:
    /// otherwise what was told before would be audited as if it were the whole group.
    pub fn follow(&self, place: &Place, change: &GroupChange) {
        let mut groups = self.groups.borrow_mut();
        let known = groups.iter().position(|stored| stored.is_named(place, &change.group));
        let mut stored = match known {
            Some(at) => groups.swap_remove(at),
            None => match self.new_group(place, change) {
                Some(stored) => stored,
                None => return,
            },
        };
        let followed = stored.follow(&change.kind);
        if followed || stored.complete {
            groups.push(stored);
        }
    }

    /// A group before the first event that tells of it. Its egress is that of a new group, because
    /// hardly anybody changes it, and what becomes of connections depends on it.
    fn new_group(&self, place: &Place, change: &GroupChange) -> Option<Stored> {
        let (id, name, vpc_id) = match &change.group {
            GroupKey::Id(id) => (id.clone(), None, None),
            GroupKey::Name { name, vpc_id } => {
                let id = format!("sg-{:017x}", self.new_number()).parse().ok()?;
                (id, Some(name.clone()), vpc_id.clone())
            }
        };
        let owner = change.owner.clone().or_else(|| place.account.clone());
        Some(Stored {
            place: place.clone(),
            group: Group { name, vpc_id, owner, ..Group::known_by_id(id) },
            rules: Rule::of_new_group(),
            complete: false,
        })
    }
}

impl Stored {
    /// Does what the change did, as far as an event tells; `false` where it does not tell enough.
    fn follow(&mut self, change: &ChangeKind) -> bool {
        match change {
            ChangeKind::Authorized(rules) => {
                rules.iter().cloned().for_each(|rule| self.add(rule));
                true
            }
            ChangeKind::Modified(modified) => {
                modified.iter().for_each(|one| self.modify(one));
                true
            }
            // A new group has its egress already, and no event tells which rules are gone.
            ChangeKind::Created | ChangeKind::Revoked(_) => true,
            ChangeKind::Unknown(_) | ChangeKind::Retagged(_) => false,
        }
    }

    /// The rule that the event tells replaces one that was only assumed: it has an id.
    fn add(&mut self, rule: Rule) {
        let rule = as_listed(rule, &self.place, &self.group);
        match self.rules.iter_mut().find(|other| other.is_same_as(&rule)) {
            Some(other) => *other = rule,
            None => self.rules.push(rule),
        }
    }

    /// The rule of this id gets the new content. No event tells a modified rule's direction, so one
    /// that was not told of before is taken for the kind that can do harm: ingress.
    fn modify(&mut self, modified: &ModifiedRule) {
        let known = self.rules.iter_mut().find(|rule| rule.id() == Some(modified.id()));
        let direction = known.as_ref().map_or(Direction::Ingress, |rule| rule.direction());
        let rule = as_listed(modified.in_direction(direction), &self.place, &self.group);
        match known {
            Some(before) => *before = rule.with_tags(before.tags().clone()),
            None => self.rules.push(rule),
        }
    }
}
