//! The names of groups, and the directions and ids of rules, as far as records or groups tell them.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::kept::{Act, What};
use super::model::Present;
use super::replay::Ids;
use crate::ec2::{Direction, GroupId, GroupKey, RuleId};

/// The ids of groups by their names, where only one group has the name.
pub(super) struct Names<'p> {
    ids: HashMap<(&'p str, Option<&'p str>), Option<&'p GroupId>>,
}

impl<'p> Names<'p> {
    pub fn of(present: &'p [Present]) -> Self {
        let mut ids = HashMap::new();
        for Present { group, .. } in present {
            let Some(name) = group.name.as_deref() else { continue };
            for vpc in [None, group.vpc_id.as_deref()] {
                ids.entry((name, vpc))
                    .and_modify(|id| {
                        if *id != Some(&group.id) {
                            *id = None;
                        }
                    })
                    .or_insert(Some(&group.id));
            }
        }
        Self { ids }
    }

    /// Gives the act the id of its group, where only the name is known.
    pub fn resolve(&self, act: &mut Act) {
        if let GroupKey::Name { name, vpc_id } = &act.group
            && let Some(Some(id)) = self.ids.get(&(name.as_str(), vpc_id.as_deref()))
        {
            act.group = GroupKey::Id((*id).clone());
        }
    }
}

/// The ids of rules that complied, of which nothing else is kept. Each takes eight bytes: a hash of
/// the id, and the direction in the last bit.
#[derive(Debug, Default)]
pub(super) struct CompliedIds(Vec<u64>);

impl CompliedIds {
    pub fn add(&mut self, id: &RuleId, direction: Direction) {
        self.0.push(hash(id) | u64::from(direction == Direction::Egress));
    }
}

fn hash(id: &RuleId) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish() & !1
}

/// The directions of rules. No Modify tells one.
pub(super) struct Directions {
    known: HashMap<RuleId, Direction>,
    complied: Vec<u64>,
}

impl Directions {
    pub fn of(acts: &[Act], present: &[Present], complied: CompliedIds) -> Self {
        let CompliedIds(mut complied) = complied;
        complied.sort_unstable();
        let of_acts = acts.iter().filter_map(|act| match &act.what {
            What::Opened(rule) | What::Closed(rule) => Some((rule.id()?.clone(), rule.direction())),
            What::ClosedId { id, direction, complied: true } => Some((id.clone(), *direction)),
            _ => None,
        });
        let rules = present.iter().flat_map(|group| &group.rules);
        let of_present = rules.filter_map(|rule| Some((rule.id()?.clone(), rule.direction())));
        Self { known: of_acts.chain(of_present).collect(), complied }
    }
}

impl Ids for Directions {
    fn direction(&self, id: &RuleId) -> Option<Direction> {
        let complied = |bit| self.complied.binary_search(&(hash(id) | bit)).is_ok();
        self.known.get(id).copied().or_else(|| match (complied(0), complied(1)) {
            (true, _) => Some(Direction::Ingress),
            (_, true) => Some(Direction::Egress),
            _ => None,
        })
    }
}
