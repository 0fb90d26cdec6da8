//! What the audit needs of the world: security groups, and somebody to tell.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde_json::Value;
use thiserror::Error;

use crate::ec2::{Direction, GroupRef, Rule};
use crate::event::GroupKey;
use crate::report::sns::Message;
use crate::settings::Scope;

/// Where a group lives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// The account; `None` where nothing says.
    pub account: Option<String>,
    /// The region; `None` where nothing says.
    pub region: Option<String>,
}

impl Place {
    /// What it is called in a sentence: `account 123456789012 in eu-central-1`.
    pub fn called(&self) -> String {
        match (&self.account, &self.region) {
            (Some(account), Some(region)) => format!("account {account} in {region}"),
            (Some(account), None) => format!("account {account}"),
            (None, Some(region)) => format!("the region {region}"),
            (None, None) => "this account".to_owned(),
        }
    }
}

/// A security group without its rules, as `DescribeSecurityGroups` tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// `sg-…`
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// `vpc-…`
    pub vpc_id: Option<String>,
    /// The account that owns it.
    pub owner: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What becomes of a prefix list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListState {
    /// Nothing.
    #[default]
    Settled,
    /// A change of it is under way, which ends with another version.
    Changing,
    /// The last change of it failed and changed nothing.
    Failed,
}

/// A managed prefix list as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixList {
    /// Its entries.
    pub entries: Vec<IpNet>,
    /// Its version; AWS's own lists may have none.
    pub version: Option<i64>,
    /// What becomes of it.
    pub state: ListState,
}

/// Which groups are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection<'a> {
    /// Those in scope.
    Scope(&'a Scope),
    /// Those with a rule of this direction that names this prefix list.
    Naming(&'a str, Direction),
}

/// Some of the groups that were asked for, each with all its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupPage {
    /// The groups.
    pub groups: Vec<(Group, Vec<Rule>)>,
    /// What to ask for the next page with; `None` on the last one.
    pub next: Option<String>,
}

/// What EC2 said to a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// It named the rule that it took away.
    Proven,
    /// It said yes, and neither named what it took away nor said that there was nothing.
    Unproven,
    /// There was nothing to revoke.
    NothingThere,
}

/// Why EC2 did not do what was asked. Whether it may pass decides whether the invocation fails.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Ec2Error {
    /// Throttling, the network, a fault of the service: the same call may go through later.
    #[error("{action} did not go through for now: {message}")]
    Passing {
        /// The API call.
        action: &'static str,
        /// What was said.
        message: String,
    },
    /// The caller may not do this.
    #[error("{action} is not allowed: {message}")]
    Denied {
        /// The API call.
        action: &'static str,
        /// What was said.
        message: String,
    },
    /// The role in the group's account cannot be had.
    #[error("the role `{role}` cannot be assumed: {message}")]
    NoRole {
        /// Its ARN.
        role: String,
        /// What was said.
        message: String,
    },
    /// The group, the list, or what a peer names is not there.
    #[error("{action} did not find it: {message}")]
    NotFound {
        /// The API call.
        action: &'static str,
        /// What was said.
        message: String,
    },
    /// The same rule is there already.
    #[error("the rule is there already")]
    Duplicate,
    /// The group cannot hold another rule.
    #[error("the group is at its limit of rules")]
    LimitExceeded,
    /// Any other refusal, which will be the same the next time.
    #[error("{action} was refused: {code}: {message}")]
    Refused {
        /// The API call.
        action: &'static str,
        /// EC2's error code.
        code: String,
        /// What was said.
        message: String,
    },
}

impl Ec2Error {
    /// Whether the same call may go through later.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Passing { .. })
    }
}

/// EC2, as far as the audit goes.
#[expect(async_fn_in_trait, reason = "the crate's own callers know their types")]
pub trait SecurityGroups {
    /// The group, or `None` where there is none.
    async fn group(&self, place: &Place, key: &GroupKey) -> Result<Option<Group>, Ec2Error>;

    /// All rules of a group, of both directions.
    async fn rules(&self, place: &Place, group: &Group) -> Result<Vec<Rule>, Ec2Error>;

    /// A page of groups with their rules: the first one, or the one that another page announced.
    async fn groups(
        &self,
        place: &Place,
        which: Selection<'_>,
        page: Option<&str>,
    ) -> Result<GroupPage, Ec2Error>;

    /// The rules with a tag that says until when they are held, whatever it says, each with the id
    /// of its group.
    async fn held_rules(&self, place: &Place) -> Result<Vec<(String, Rule)>, Ec2Error>;

    /// A prefix list.
    async fn prefix_list(&self, place: &Place, id: &str) -> Result<PrefixList, Ec2Error>;

    /// Whether a group that a rule names is there no longer. Of a group that cannot be asked for,
    /// in another account perhaps, nothing is said: it is not.
    async fn is_stale(&self, place: &Place, group: &GroupRef) -> Result<bool, Ec2Error>;

    /// Adds one rule.
    async fn authorize(&self, place: &Place, group: &str, rule: &Rule) -> Result<(), Ec2Error>;

    /// Takes one rule away, by its content.
    async fn revoke(&self, place: &Place, group: &str, rule: &Rule) -> Result<Revoked, Ec2Error>;
}

/// Why nothing could be handed on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("another invocation could not be asked for: {message}")]
pub struct OnwardError {
    /// What was said.
    pub message: String,
}

/// Another invocation: for what this one has no time left for, and for what is to be closed.
#[expect(async_fn_in_trait, reason = "the crate's own callers know their types")]
pub trait Onward {
    /// Asks for it, with its payload.
    async fn go_on(&self, payload: &Value) -> Result<(), OnwardError>;
}

/// Why nobody could be told.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the finding could not be published: {message}")]
pub struct NotifyError {
    /// What was said.
    pub message: String,
}

/// Somebody to tell.
#[expect(async_fn_in_trait, reason = "the crate's own callers know their types")]
pub trait Notifier {
    /// Publishes one message.
    async fn publish(&self, message: &Message) -> Result<(), NotifyError>;
}
