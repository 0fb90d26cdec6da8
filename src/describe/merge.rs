//! Groups that several documents tell of, put together.

use std::collections::HashMap;

use super::DescribedGroup;
use crate::rule::Rule;

/// The groups read so far, in the order in which they came. An id is one group wherever it is read.
#[derive(Default)]
pub(super) struct Merged {
    groups: Vec<DescribedGroup>,
    by_id: HashMap<String, usize>,
}

impl Merged {
    /// Adds what a document says of a group to what is known of it.
    pub(super) fn add(&mut self, new: DescribedGroup) {
        let DescribedGroup { place, group, rules } = new;
        let at = self.by_id.get(&group.id).copied();
        let Some(known) = at.and_then(|at| self.groups.get_mut(at)) else {
            self.by_id.insert(group.id.clone(), self.groups.len());
            self.groups.push(DescribedGroup { place, group, rules: distinct(Vec::new(), rules) });
            return;
        };
        fill(&mut known.place.account, place.account);
        fill(&mut known.place.region, place.region);
        fill(&mut known.group.name, group.name);
        fill(&mut known.group.vpc_id, group.vpc_id);
        fill(&mut known.group.owner, group.owner);
        known.group.tags.extend(group.tags);
        known.rules = distinct(std::mem::take(&mut known.rules), rules);
    }

    pub(super) fn into_groups(self) -> Vec<DescribedGroup> {
        self.groups
    }
}

/// A group has no two rules of the same content, so the same content is the same rule: one output
/// tells its id and tags, the other one does not.
fn distinct(mut rules: Vec<Rule>, new: Vec<Rule>) -> Vec<Rule> {
    for new in new {
        match rules.iter_mut().find(|known| known.content() == new.content()) {
            Some(known) => {
                fill(&mut known.id, new.id);
                fill(&mut known.description, new.description);
                known.tags.extend(new.tags);
            }
            None => rules.push(new),
        }
    }
    rules
}

fn fill(known: &mut Option<String>, new: Option<String>) {
    if known.is_none() {
        *known = new;
    }
}
