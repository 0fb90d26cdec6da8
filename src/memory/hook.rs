use std::fmt;
use std::ops::Deref;

use super::ec2::MemoryEc2;
use crate::ec2::{
    Ec2Error, Group, GroupId, GroupKey, GroupPage, GroupRef, ListId, Place, PrefixList, Revoked,
    Rule, RuleId, SecurityGroups, Selection,
};
use crate::words::rule_text;

/// A call to EC2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call<'a> {
    /// [`SecurityGroups::group`]
    Group(&'a Place),
    /// [`SecurityGroups::rules`]
    Rules(&'a Place),
    /// [`SecurityGroups::groups`], of its first page or a later one.
    Groups(&'a Place, Option<&'a str>),
    /// [`SecurityGroups::page_rules`]
    PageRules(&'a Place),
    /// [`SecurityGroups::held_rules`]
    HeldRules(&'a Place),
    /// [`SecurityGroups::rules_by_id`]
    RulesById(&'a Place),
    /// [`SecurityGroups::prefix_list`]
    PrefixList(&'a Place),
    /// [`SecurityGroups::is_stale`]
    IsStale(&'a Place),
    /// [`SecurityGroups::authorize`]
    Authorize(&'a Place, &'a GroupId, &'a Rule),
    /// [`SecurityGroups::revoke`]
    Revoke(&'a Place, &'a GroupId, &'a Rule),
}

impl<'a> Call<'a> {
    /// Where the call goes.
    pub fn place(self) -> &'a Place {
        match self {
            Self::Group(place)
            | Self::Rules(place)
            | Self::Groups(place, _)
            | Self::PageRules(place)
            | Self::HeldRules(place)
            | Self::RulesById(place)
            | Self::PrefixList(place)
            | Self::IsStale(place)
            | Self::Authorize(place, ..)
            | Self::Revoke(place, ..) => place,
        }
    }
}

impl fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(_) => f.write_str("group"),
            Self::Rules(_) => f.write_str("rules"),
            Self::Groups(..) => f.write_str("groups"),
            Self::PageRules(_) => f.write_str("page_rules"),
            Self::HeldRules(_) => f.write_str("held_rules"),
            Self::RulesById(_) => f.write_str("rules_by_id"),
            Self::PrefixList(_) => f.write_str("prefix_list"),
            Self::IsStale(_) => f.write_str("is_stale"),
            Self::Authorize(_, _, rule) => write!(f, "authorize {}", rule_text(rule)),
            Self::Revoke(_, _, rule) => write!(f, "revoke {}", rule_text(rule)),
        }
    }
}

/// What happens around a call to EC2: faults, delays, other people's changes, notes.
#[expect(async_fn_in_trait, reason = "the crate's own callers know their types")]
pub trait Hook {
    /// Runs before the call is carried out, and may refuse it.
    async fn before(&self, call: Call<'_>) -> Result<(), Ec2Error>;

    /// Runs after the call was carried out, and may lose its answer. `removed` tells whether the
    /// call removed a rule.
    async fn after(&self, _call: Call<'_>, _removed: bool) -> Result<(), Ec2Error> {
        Ok(())
    }
}

/// An EC2 in memory with a hook around every call.
#[derive(Debug)]
pub struct Hooked<E, H> {
    pub ec2: E,
    pub hook: H,
}

impl<E: Deref<Target = MemoryEc2>, H: Hook> Hooked<E, H> {
    async fn around<T>(
        &self,
        call: Call<'_>,
        act: impl Future<Output = Result<T, Ec2Error>>,
        removes: impl Fn(&T) -> bool,
    ) -> Result<T, Ec2Error> {
        self.hook.before(call).await?;
        let answer = act.await;
        self.hook.after(call, answer.as_ref().is_ok_and(removes)).await?;
        answer
    }
}

impl<E: Deref<Target = MemoryEc2>, H: Hook> SecurityGroups for Hooked<E, H> {
    async fn group(&self, place: &Place, key: &GroupKey) -> Result<Option<Group>, Ec2Error> {
        self.around(Call::Group(place), self.ec2.group(place, key), |_| false).await
    }

    async fn rules(&self, place: &Place, group: &GroupId) -> Result<Vec<Rule>, Ec2Error> {
        self.around(Call::Rules(place), self.ec2.rules(place, group), |_| false).await
    }

    async fn groups(
        &self,
        place: &Place,
        which: Selection<'_>,
        page: Option<&str>,
    ) -> Result<GroupPage, Ec2Error> {
        let call = Call::Groups(place, page);
        self.around(call, self.ec2.groups(place, which, page), |_| false).await
    }

    async fn page_rules(
        &self,
        place: &Place,
        groups: &[Group],
    ) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        self.around(Call::PageRules(place), self.ec2.page_rules(place, groups), |_| false).await
    }

    async fn held_rules(&self, place: &Place) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        self.around(Call::HeldRules(place), self.ec2.held_rules(place), |_| false).await
    }

    async fn rules_by_id(
        &self,
        place: &Place,
        ids: &[RuleId],
    ) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        self.around(Call::RulesById(place), self.ec2.rules_by_id(place, ids), |_| false).await
    }

    async fn prefix_list(&self, place: &Place, id: &ListId) -> Result<PrefixList, Ec2Error> {
        self.around(Call::PrefixList(place), self.ec2.prefix_list(place, id), |_| false).await
    }

    async fn is_stale(&self, place: &Place, group: &GroupRef) -> Result<bool, Ec2Error> {
        match self.hook.before(Call::IsStale(place)).await {
            // The hook tells that the group no longer exists.
            Err(Ec2Error::NotFound { .. }) => Ok(true),
            Err(error) => Err(error),
            Ok(()) => self.ec2.is_stale(place, group).await,
        }
    }

    async fn authorize(&self, place: &Place, group: &GroupId, rule: &Rule) -> Result<(), Ec2Error> {
        let call = Call::Authorize(place, group, rule);
        self.around(call, self.ec2.authorize(place, group, rule), |()| false).await
    }

    async fn revoke(
        &self,
        place: &Place,
        group: &GroupId,
        rule: &Rule,
    ) -> Result<Revoked, Ec2Error> {
        let call = Call::Revoke(place, group, rule);
        let removes = |revoked: &Revoked| *revoked == Revoked::Proven;
        self.around(call, self.ec2.revoke(place, group, rule), removes).await
    }
}
