//! An EC2 that notes whose groups it is asked for.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::audit::{
    Ec2Error, Group, GroupPage, Place, PrefixList, Revoked, SecurityGroups, Selection,
};
use crate::ec2::{GroupRef, Rule};
use crate::event::GroupKey;
use crate::memory::MemoryEc2;

/// An EC2 that notes which places it is asked for.
pub(super) struct Watched<'a> {
    pub(super) ec2: &'a MemoryEc2,
    pub(super) accounts: RefCell<BTreeSet<Option<String>>>,
}

impl Watched<'_> {
    fn note(&self, place: &Place) {
        self.accounts.borrow_mut().insert(place.account.clone());
    }
}

impl SecurityGroups for Watched<'_> {
    async fn group(&self, place: &Place, key: &GroupKey) -> Result<Option<Group>, Ec2Error> {
        self.note(place);
        self.ec2.group(place, key).await
    }

    async fn rules(&self, place: &Place, group: &Group) -> Result<Vec<Rule>, Ec2Error> {
        self.note(place);
        self.ec2.rules(place, group).await
    }

    async fn groups(
        &self,
        place: &Place,
        which: Selection<'_>,
        page: Option<&str>,
    ) -> Result<GroupPage, Ec2Error> {
        self.note(place);
        self.ec2.groups(place, which, page).await
    }

    async fn held_rules(&self, place: &Place) -> Result<Vec<(String, Rule)>, Ec2Error> {
        self.note(place);
        self.ec2.held_rules(place).await
    }

    async fn prefix_list(&self, place: &Place, id: &str) -> Result<PrefixList, Ec2Error> {
        self.note(place);
        self.ec2.prefix_list(place, id).await
    }

    async fn is_stale(&self, place: &Place, group: &GroupRef) -> Result<bool, Ec2Error> {
        self.note(place);
        self.ec2.is_stale(place, group).await
    }

    async fn authorize(&self, place: &Place, group: &str, rule: &Rule) -> Result<(), Ec2Error> {
        self.note(place);
        self.ec2.authorize(place, group, rule).await
    }

    async fn revoke(&self, place: &Place, group: &str, rule: &Rule) -> Result<Revoked, Ec2Error> {
        self.note(place);
        self.ec2.revoke(place, group, rule).await
    }
}
