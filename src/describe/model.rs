use std::fmt;

use crate::ec2::{Direction, Group, GroupId, ListId, Place, Rule, RuleId};

/// A security group as the AWS CLI describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedGroup {
    /// The group's account and region, where the output contains them.
    pub place: Place,
    /// The group. Name, VPC and tags are known only from `describe-security-groups`.
    pub group: Group,
    /// The group's rules. Ids and tags are known only from `describe-security-group-rules`.
    pub rules: Vec<Rule>,
}

/// The part of the input that an error is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// An object that turned out neither to be a group nor a rule before the error.
    Object,
    Group(GroupId),
    /// An element of `IpPermissions` or `IpPermissionsEgress`.
    Permission {
        /// The group, if its id was read before the permission.
        group: Option<GroupId>,
        /// Which of the two arrays.
        direction: Direction,
        /// The position in the array, from 1.
        number: usize,
    },
    /// A rule of `describe-security-group-rules`.
    Rule {
        /// The rule's group, if its id was read.
        group: Option<GroupId>,
        /// The rule, if its id was read.
        id: Option<RuleId>,
    },
    /// A prefix list.
    List(ListId),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = match self {
            Self::Object => return f.write_str("an object"),
            Self::Group(id) => return write!(f, "the group `{id}`"),
            Self::List(id) => return write!(f, "the list `{id}`"),
            Self::Permission { group, direction, number } => {
                write!(f, "{direction} permission {number}")?;
                group
            }
            Self::Rule { group, id } => {
                match id {
                    Some(id) => write!(f, "the rule `{id}`")?,
                    None => f.write_str("a rule")?,
                }
                group
            }
        };
        match group {
            Some(group) => write!(f, " of the group `{group}`"),
            None => f.write_str(" of a group"),
        }
    }
}
