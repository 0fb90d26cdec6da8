//! Puts together what several documents say about a group.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use super::model::DescribedGroup;
use crate::ec2::{GroupId, Rule, RuleContent};

/// All groups, in the order in which they first occur.
#[derive(Default)]
pub(super) struct Merged {
    groups: Vec<DescribedGroup>,
    by_id: HashMap<GroupId, usize>,
}

impl Merged {
    /// Adds a group, or a part of one.
    pub(super) fn add(&mut self, new: DescribedGroup) {
        let at = self.by_id.get(&new.group.id).copied();
        if let Some(known) = at.and_then(|at| self.groups.get_mut(at)) {
            join(known, new);
        } else {
            self.by_id.insert(new.group.id.clone(), self.groups.len());
            self.groups.push(new);
        }
    }

    /// The groups, with each rule once.
    pub(super) fn into_groups(mut self) -> Vec<DescribedGroup> {
        for group in &mut self.groups {
            group.rules = distinct(std::mem::take(&mut group.rules));
        }
        self.groups
    }
}

/// Passes each group on as soon as the next one begins, so that only one is in memory.
pub(super) struct Adjacent<F> {
    seen: HashSet<GroupId>,
    current: Option<DescribedGroup>,
    take: F,
}

impl<F: FnMut(DescribedGroup)> Adjacent<F> {
    pub(super) fn new(take: F) -> Self {
        Self { seen: HashSet::new(), current: None, take }
    }

    /// Adds a group, or a part of one. Breaks if the group was passed on before.
    pub(super) fn add(&mut self, new: DescribedGroup) -> ControlFlow<()> {
        match &mut self.current {
            Some(current) if current.group.id == new.group.id => join(current, new),
            _ => {
                self.pass_on();
                if !self.seen.insert(new.group.id.clone()) {
                    return ControlFlow::Break(());
                }
                self.current = Some(new);
            }
        }
        ControlFlow::Continue(())
    }

    /// Passes the last group on.
    pub(super) fn pass_on(&mut self) {
        if let Some(mut group) = self.current.take() {
            group.rules = distinct(group.rules);
            (self.take)(group);
        }
    }
}

/// Adds another part of the same group. Its rules may then contain the same rule twice.
fn join(known: &mut DescribedGroup, new: DescribedGroup) {
    let DescribedGroup { place, group, rules } = new;
    fill(&mut known.place.account, place.account);
    fill(&mut known.place.region, place.region);
    fill(&mut known.group.name, group.name);
    fill(&mut known.group.vpc_id, group.vpc_id);
    fill(&mut known.group.owner, group.owner);
    match (&mut known.group.tags, group.tags) {
        (Some(known), Some(new)) => known.extend(new),
        (known, new) => fill(known, new),
    }
    known.rules.extend(rules);
}

fn fill<T>(known: &mut Option<T>, new: Option<T>) {
    if known.is_none() {
        *known = new;
    }
}

/// Each rule once. EC2 doesn't allow two rules with the same content in a group, so these are one
/// rule, whose id and tags only `describe-security-group-rules` prints.
fn distinct(rules: Vec<Rule>) -> Vec<Rule> {
    let mut sorted: Vec<&Rule> = rules.iter().collect();
    sorted.sort_unstable_by(|one, other| one.cmp_content(other));
    if sorted.is_sorted_by(|one, other| one.cmp_content(other).is_lt()) {
        return rules;
    }
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
                    *known = united(known, &new);
                }
            }
        }
    }
    known
}

fn united(known: &Rule, new: &Rule) -> Rule {
    let description = known.description().or(new.description()).map(ToOwned::to_owned);
    let mut tags = known.tags().clone();
    tags.extend(new.tags().clone());
    known
        .clone()
        .with_id(known.id().or(new.id()).cloned())
        .with_description(description)
        .with_tags(tags)
        .with_lost_peering(known.has_lost_peering() || new.has_lost_peering())
}
