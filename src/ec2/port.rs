//! The interface to EC2 that an audit depends on, and its errors.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::{
    Direction, Group, GroupId, GroupKey, GroupRef, ListId, Place, PrefixList, Rule, RuleId, Scope,
};

/// EC2, as far as an audit uses it.
#[expect(async_fn_in_trait, reason = "the crate's own callers know their types")]
pub trait SecurityGroups {
    /// The group, or `None` where there is none.
    async fn group(&self, place: &Place, key: &GroupKey) -> Result<Option<Group>, Ec2Error>;

    /// All rules of a group, of both directions; none where there is no such group.
    async fn rules(&self, place: &Place, group: &GroupId) -> Result<Vec<Rule>, Ec2Error>;

    /// A page of groups: the first one, or the one that another page announced. [`Pages`](super::Pages)
    /// has them with their rules.
    async fn groups(
        &self,
        place: &Place,
        which: Selection<'_>,
        page: Option<&str>,
    ) -> Result<GroupPage, Ec2Error>;

    /// All rules of the groups of a page, of both directions, each with its group.
    async fn page_rules(
        &self,
        place: &Place,
        groups: &[Group],
    ) -> Result<Vec<(GroupId, Rule)>, Ec2Error>;

    /// The rules with a tag that says until when they are held, whatever its value, each with its
    /// group.
    async fn held_rules(&self, place: &Place) -> Result<Vec<(GroupId, Rule)>, Ec2Error>;

    /// The rules with these ids, each with its group. Ids of rules that do not exist are left out.
    async fn rules_by_id(
        &self,
        place: &Place,
        ids: &[RuleId],
    ) -> Result<Vec<(GroupId, Rule)>, Ec2Error>;

    async fn prefix_list(&self, place: &Place, id: &ListId) -> Result<PrefixList, Ec2Error>;

    /// Whether a group that a rule names no longer exists. Answers `false` for a group that cannot
    /// be looked up, such as one of another account.
    async fn is_stale(&self, place: &Place, group: &GroupRef) -> Result<bool, Ec2Error>;

    /// Adds one rule.
    async fn authorize(&self, place: &Place, group: &GroupId, rule: &Rule) -> Result<(), Ec2Error>;

    /// Removes one rule, by its content.
    async fn revoke(
        &self,
        place: &Place,
        group: &GroupId,
        rule: &Rule,
    ) -> Result<Revoked, Ec2Error>;
}

/// Which groups are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection<'a> {
    /// The groups in scope.
    Scope(&'a Scope),
    /// The groups with a rule of this direction that names this prefix list.
    Naming(&'a ListId, Direction),
}

/// Some of the groups that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupPage {
    pub groups: Vec<Group>,
    /// The token of the next page; `None` on the last one.
    pub next: Option<String>,
}

/// EC2's answer to a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// EC2 named the rule that it removed.
    Proven,
    /// EC2 said yes, and neither named what it removed nor said that there was nothing.
    Unproven,
    /// There was nothing to revoke.
    NothingThere,
}

/// The error underneath, shared so that one error can stand in several findings.
///
/// Its `Debug` is its `Display`: errors of the SDK print whole responses there, and those of STS
/// contain credentials.
#[derive(Clone)]
pub struct Cause(Arc<dyn Error + Send + Sync>);

/// A cause made of another error, or of a text.
pub fn cause(error: impl Into<Box<dyn Error + Send + Sync>>) -> Cause {
    Cause(error.into().into())
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Why EC2 did not do what it was asked. [`is_transient`](Self::is_transient) decides whether the
/// invocation fails and is tried again, or whether the error becomes part of a finding.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Ec2Error {
    /// Throttling, the network, a fault of the service: the same call may succeed later.
    #[error("{action} did not go through for now")]
    Passing {
        /// The API call.
        action: &'static str,
        /// What went wrong.
        #[source]
        cause: Cause,
    },
    /// The caller is not allowed to do this.
    #[error("{action} is not allowed")]
    Denied {
        /// The API call.
        action: &'static str,
        /// What EC2 said.
        #[source]
        cause: Cause,
    },
    /// The role in the group's account cannot be assumed.
    #[error("the role `{role}` cannot be assumed")]
    NoRole {
        /// The role's ARN.
        role: String,
        /// What STS said.
        #[source]
        cause: Cause,
    },
    /// Something that the call names does not exist.
    #[error("{action} did not find it")]
    NotFound {
        /// The API call.
        action: &'static str,
        missing: Missing,
        /// What EC2 said.
        #[source]
        cause: Cause,
    },
    /// The same rule exists already.
    #[error("the rule is there already")]
    Duplicate,
    /// The group cannot hold another rule.
    #[error("the group is at its limit of rules")]
    LimitExceeded,
    /// Any other refusal, which will be the same the next time.
    #[error("{action} was refused: {code}")]
    Refused {
        /// The API call.
        action: &'static str,
        /// EC2's error code.
        code: String,
        /// What EC2 said.
        #[source]
        cause: Cause,
    },
}

/// What does not exist, by EC2's error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A group: the one that the call is about, or one that a rule in it names.
    Group,
    Rule,
    /// A prefix list, or something else.
    Other,
}

impl Ec2Error {
    /// Whether EC2 says that a group does not exist. That may be one which a rule names.
    pub fn is_no_group(&self) -> bool {
        matches!(self, Self::NotFound { missing: Missing::Group, .. })
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Passing { .. })
    }
}
