//! What an audit has looked up of what rules name, each once: prefix lists, and whether groups are
//! there.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use super::AuditError;
use super::ports::{Ec2Error, Place, PrefixList, SecurityGroups};
use crate::baseline::Lists;
use crate::ec2::GroupRef;

/// What was read of a list, or why it could not be.
type Read = Result<PrefixList, String>;

/// Prefix lists and groups, looked up when they are first asked for.
#[derive(Debug)]
pub struct Library<'a, E> {
    ec2: &'a E,
    read: RefCell<HashMap<(Place, String), Read>>,
    stale: RefCell<HashMap<(Place, GroupRef), bool>>,
}

impl<'a, E: SecurityGroups> Library<'a, E> {
    /// Nothing is read yet.
    pub fn new(ec2: &'a E) -> Self {
        Self { ec2, read: RefCell::default(), stale: RefCell::default() }
    }

    /// Puts in what was read of a list elsewhere.
    pub fn insert(&self, place: &Place, id: &str, list: Result<PrefixList, Ec2Error>) {
        let list = list.map_err(|error| error.to_string());
        self.read.borrow_mut().insert((place.clone(), id.to_owned()), list);
    }

    /// Whether a group that a rule names is there no longer. Where EC2 does not answer, it is not
    /// said to be, and not asked for again: no finding hangs on it.
    pub async fn is_stale(&self, place: &Place, group: &GroupRef) -> bool {
        let key = (place.clone(), group.clone());
        let known = self.stale.borrow().get(&key).copied();
        if let Some(stale) = known {
            return stale;
        }
        let stale = self.ec2.is_stale(place, group).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "whether a rule is stale is not known");
            false
        });
        self.stale.borrow_mut().insert(key, stale);
        stale
    }

    /// Puts the entries of these lists into `lists`, or why they cannot be read.
    ///
    /// # Errors
    ///
    /// When EC2 did not answer for now.
    pub async fn look_up(
        &self,
        place: &Place,
        ids: BTreeSet<String>,
        lists: &mut Lists,
    ) -> Result<(), AuditError> {
        for id in ids {
            let key = (place.clone(), id.clone());
            let known = self.read.borrow().get(&key).cloned();
            let list = match known {
                Some(list) => list,
                None => {
                    let list = match self.ec2.prefix_list(place, &id).await {
                        Err(error) if error.may_pass() => return Err(error.into()),
                        list => list.map_err(|error| error.to_string()),
                    };
                    self.read.borrow_mut().insert(key, list.clone());
                    list
                }
            };
            lists.insert(id, list.map(|list| list.entries));
        }
        Ok(())
    }
}
