use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use super::error::AuditError;
use crate::baseline::Lists;
use crate::ec2::{Ec2Error, GroupRef, ListId, Place, PrefixList, SecurityGroups};
use crate::text::causes;

/// Prefix lists and groups that rules name, each looked up once in an invocation.
#[derive(Debug)]
pub(super) struct Lookups<'a, E> {
    ec2: &'a E,
    lists: RefCell<HashMap<(Place, ListId), Result<PrefixList, Ec2Error>>>,
    /// What the event calls lists.
    names: RefCell<HashMap<(Place, ListId), String>>,
    stale: RefCell<HashMap<(Place, GroupRef), bool>>,
}

impl<'a, E: SecurityGroups> Lookups<'a, E> {
    /// Nothing has been looked up yet.
    pub fn new(ec2: &'a E) -> Self {
        let (lists, names, stale) = Default::default();
        Self { ec2, lists, names, stale }
    }

    /// Remembers a list that was read elsewhere, and what an event calls it.
    pub fn insert(
        &self,
        place: &Place,
        id: &ListId,
        name: Option<&String>,
        list: Result<PrefixList, Ec2Error>,
    ) {
        let key = (place.clone(), id.clone());
        self.names.borrow_mut().extend(name.map(|name| (key.clone(), name.clone())));
        self.lists.borrow_mut().insert(key, list);
    }

    /// Whether a group that a rule names no longer exists. Where EC2 does not answer, it counts as
    /// existing, because no finding depends on it.
    pub async fn is_stale(&self, place: &Place, group: &GroupRef) -> bool {
        let key = (place.clone(), group.clone());
        let known = self.stale.borrow().get(&key).copied();
        if let Some(stale) = known {
            return stale;
        }
        let stale = self.ec2.is_stale(place, group).await.unwrap_or_else(|error| {
            tracing::warn!(error = causes(&error), "it is not known whether a rule is stale");
            false
        });
        self.stale.borrow_mut().insert(key, stale);
        stale
    }

    /// The name of a list: as it was looked up, else as an event calls it.
    pub fn list_name(&self, place: &Place, id: &ListId) -> Option<String> {
        let key = (place.clone(), id.clone());
        let lists = self.lists.borrow();
        let read = lists.get(&key).and_then(|list| list.as_ref().ok()?.name.clone());
        read.or_else(|| self.names.borrow().get(&key).cloned())
    }

    /// Adds the entries of these lists to `lists`, or why they cannot be read. Returns whether there
    /// was time for all of them. There is for one in an invocation, so that the next gets further.
    ///
    /// # Errors
    ///
    /// When EC2 did not answer for now.
    pub async fn look_up(
        &self,
        place: &Place,
        ids: BTreeSet<ListId>,
        lists: &mut Lists,
        is_late: impl Fn() -> bool,
    ) -> Result<bool, AuditError> {
        let mut all = true;
        for id in ids {
            let key = (place.clone(), id.clone());
            let known = self.lists.borrow().get(&key).cloned();
            let list = match known {
                Some(list) => list,
                None if is_late() && !self.lists.borrow().is_empty() => {
                    all = false;
                    continue;
                }
                None => {
                    let list = match self.ec2.prefix_list(place, &id).await {
                        Err(error) if error.is_transient() => return Err(error.into()),
                        list => list,
                    };
                    self.lists.borrow_mut().insert(key, list.clone());
                    list
                }
            };
            lists.insert(id, list.map(|list| list.entries));
        }
        Ok(all)
    }
}
