//! Groups that several documents tell of, put together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::DescribedGroup;
use crate::ec2::{Rule, RuleContent};

/// The groups read so far, in the order in which they came. An id is one group wherever it is read.
#[derive(Default)]
pub(super) struct Merged {
    groups: Vec<DescribedGroup>,
    by_id: HashMap<String, usize>,
}

impl Merged {
    /// Adds what a document says of a group to what is known of it.
    pub(super) fn add(&mut self, new: DescribedGroup) {
        let at = self.by_id.get(&new.group.id).copied();
        if let Some(known) = at.and_then(|at| self.groups.get_mut(at)) {
            join(known, new);
        } else {
            self.by_id.insert(new.group.id.clone(), self.groups.len());
            self.groups.push(new);
        }
    }

    pub(super) fn into_groups(mut self) -> Vec<DescribedGroup> {
        for group in &mut self.groups {
            group.rules = distinct(std::mem::take(&mut group.rules));
        }
        self.groups
    }
}

/// Adds more of the same group. Its rules are not [`distinct`] then.
pub(super) fn join(known: &mut DescribedGroup, new: DescribedGroup) {
    let DescribedGroup { place, group, rules } = new;
    fill(&mut known.place.account, place.account);
    fill(&mut known.place.region, place.region);
    fill(&mut known.group.name, group.name);
    fill(&mut known.group.vpc_id, group.vpc_id);
    fill(&mut known.group.owner, group.owner);
    known.group.tags.extend(group.tags);
    known.rules.extend(rules);
}

/// A group has no two rules of the same content, so the same content is the same rule: one output
/// tells its id and tags, the other one does not.
pub(super) fn distinct(rules: Vec<Rule>) -> Vec<Rule> {
    let mut known: Vec<Rule> = Vec::with_capacity(rules.len());
    let mut by_content: HashMap<RuleContent, usize> = HashMap::with_capacity(rules.len());
    for new in rules {
        match by_content.entry(new.content()) {
            Entry::Vacant(vacant) => {
                vacant.insert(known.len());
                known.push(new);
            }
            Entry::Occupied(occupied) => {
                if let Some(known) = known.get_mut(*occupied.get()) {
                    fill(&mut known.id, new.id);
                    fill(&mut known.description, new.description);
                    known.tags.extend(new.tags);
                }
            }
        }
    }
    known
}

fn fill(known: &mut Option<String>, new: Option<String>) {
    if known.is_none() {
        *known = new;
    }
}
