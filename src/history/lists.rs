//! What prefix lists held, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use ipnet::IpNet;

use super::kept::By;
use super::model::{Deed, How};
use crate::ec2::ListId;
use crate::event::{ListChange, Record};

/// What one event did to a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListAct {
    pub list: ListId,
    pub time: DateTime<Utc>,
    pub record: Arc<Record>,
    pub what: ListWhat,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ListWhat {
    /// It is new, with these entries, where they are known.
    Created(Option<Vec<IpNet>>),
    Changed(ListChange),
}

/// What a list held over time.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    /// Before the first step.
    first: Entries,
    steps: Vec<Step>,
}

/// `None` where it is not known.
pub(super) type Entries = Option<BTreeSet<IpNet>>;

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub deed: Deed,
    pub entries: Entries,
}

impl Timeline {
    /// The list did not change, as far as is known.
    pub fn constant(entries: Entries) -> Self {
        Self { first: entries, steps: Vec::new() }
    }

    /// `acts` are in order; `present` is what the list holds after the last of them.
    fn new(acts: &[ListAct], present: Entries, by: &By) -> Self {
        let mut known: Vec<Entries> = vec![None];
        let mut versions: BTreeMap<i64, BTreeSet<IpNet>> = BTreeMap::new();
        let mut version = None;
        for act in acts {
            let before = known.last().cloned().flatten();
            let after = match &act.what {
                ListWhat::Created(entries) => {
                    version = Some(1);
                    entries.clone().map(|entries| entries.into_iter().collect())
                }
                ListWhat::Changed(change) => {
                    // If a change is missing in between, nothing follows from what was before.
                    let follows = version.is_none() || version == change.version_before;
                    version = change.version_before.map(|version| version + 1);
                    match change.restored {
                        Some(old) => versions.get(&old).cloned(),
                        None if version.is_none() || !follows => None,
                        None => before.map(|before| applied(before, change)),
                    }
                }
            };
            if let (Some(version), Some(entries)) = (version, &after) {
                versions.insert(version, entries.clone());
            }
            known.push(after);
        }
        // Backwards from what is there now.
        if let Some(last) = known.last_mut()
            && last.is_none()
        {
            *last = present;
        }
        for (at, act) in acts.iter().enumerate().rev() {
            let after = known.get(at + 1).cloned().flatten();
            let before = after.and_then(|after| undone(after, &act.what));
            let follows = at == 0 || acts.get(at - 1).is_some_and(|earlier| leads_to(earlier, act));
            if let Some(entries) = known.get_mut(at)
                && entries.is_none()
                && follows
            {
                *entries = before;
            }
        }
        let mut known = known.into_iter();
        let first = known.next().flatten();
        let step = |(act, entries): (&ListAct, Entries)| {
            let how = How::List(act.list.clone());
            Step { deed: by.deed(how, &act.record, act.time), entries }
        };
        Self { first, steps: acts.iter().zip(known).map(step).collect() }
    }

    /// What the list held at a time.
    pub fn at(&self, time: DateTime<Utc>) -> &Entries {
        let step = self.steps.iter().rev().find(|step| step.deed.time <= time);
        step.map_or(&self.first, |step| &step.entries)
    }

    /// The changes after one time and before another.
    pub fn between(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.deed.time > from && step.deed.time < until)
    }
}

fn applied(mut entries: BTreeSet<IpNet>, change: &ListChange) -> BTreeSet<IpNet> {
    let removed = change.removed.as_deref().unwrap_or_default();
    entries.retain(|entry| !removed.contains(entry));
    entries.extend(&change.added);
    entries
}

/// What a list held before a change, where that follows.
fn undone(mut after: BTreeSet<IpNet>, what: &ListWhat) -> Entries {
    match what {
        ListWhat::Changed(change)
            if change.restored.is_none() && change.version_before.is_some() =>
        {
            after.retain(|entry| !change.added.contains(entry));
            after.extend(change.removed.as_ref()?);
            Some(after)
        }
        _ => None,
    }
}

/// Whether no change is missing between two.
fn leads_to(earlier: &ListAct, later: &ListAct) -> bool {
    let made = match &earlier.what {
        ListWhat::Created(_) => Some(1),
        ListWhat::Changed(change) => change.version_before.map(|version| version + 1),
    };
    match &later.what {
        ListWhat::Created(_) => false,
        ListWhat::Changed(change) => made.is_some() && made == change.version_before,
    }
}

/// The timelines of all lists. The acts come in any order, once or several times.
pub(super) fn timelines(
    mut acts: Vec<ListAct>,
    present: impl Fn(&ListId) -> Entries,
    by: &By,
) -> BTreeMap<ListId, Timeline> {
    let version = |act: &ListAct| match &act.what {
        ListWhat::Created(_) => Some(0),
        ListWhat::Changed(change) => change.version_before,
    };
    acts.sort_by(|a, b| {
        let of = |act: &ListAct| (act.list.clone(), act.time, version(act));
        of(a).cmp(&of(b)).then_with(|| a.record.shared_id().cmp(&b.record.shared_id()))
    });
    acts.dedup_by(|a, b| match (a.record.shared_id(), b.record.shared_id()) {
        (Some(a_key), Some(b_key)) => a_key == b_key && a.list == b.list,
        _ => a == b,
    });
    let mut timelines = BTreeMap::new();
    for of_list in acts.chunk_by(|a, b| a.list == b.list) {
        let Some(first) = of_list.first() else { continue };
        timelines.insert(first.list.clone(), Timeline::new(of_list, present(&first.list), by));
    }
    timelines
}
