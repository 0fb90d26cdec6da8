//! Groups and prefix lists as EC2 describes them, without their rules.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use thiserror::Error;

use super::{
    AccountId, Direction, GroupId, GroupRef, ListId, Peer, Place, Protocol, Reference, Rule,
};

/// The name that EC2 gives the default group of a VPC, and nobody can give another group.
pub const DEFAULT_GROUP: &str = "default";

/// A security group without its rules, as `DescribeSecurityGroups` returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// `sg-…`
    pub id: GroupId,
    /// The group's name.
    pub name: Option<String>,
    /// `vpc-…`
    pub vpc_id: Option<String>,
    /// The account that owns the group.
    pub owner: Option<AccountId>,
    /// The group's tags; `None` where they, or some of them, are not known.
    pub tags: Option<BTreeMap<String, String>>,
}

impl Group {
    /// Whether EC2 made the group with this rule: a default group admits everything from its own
    /// members.
    pub fn is_made_with(&self, rule: &Rule) -> bool {
        let own = |peer: &GroupRef| peer.account().is_none() && *peer.id() == self.id;
        self.name.as_deref() == Some(DEFAULT_GROUP)
            && rule.direction() == Direction::Ingress
            && rule.protocol() == Protocol::All
            && matches!(rule.peer(), Peer::Reference(Reference::Group(peer)) if own(peer))
    }

    /// Where the group is for its owner, who may have shared it with the account at `place`.
    pub fn owned_at(&self, place: &Place) -> Place {
        let account = self.owner.as_ref().or(place.account.as_ref()).cloned();
        Place { account, region: place.region.clone() }
    }

    /// A group of which only the id is known.
    pub fn known_by_id(id: GroupId) -> Self {
        Self { id, name: None, vpc_id: None, owner: None, tags: None }
    }
}

/// How an event names a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GroupKey {
    /// By its id.
    Id(GroupId),
    /// By its name, which is unique within a VPC only.
    Name {
        /// The group's name.
        name: String,
        /// `vpc-…`; `None` means the default VPC.
        vpc_id: Option<String>,
    },
}

impl GroupKey {
    /// The id or the name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Id(id) => id.as_str(),
            Self::Name { name, .. } => name,
        }
    }

    /// The id, where the event has it.
    pub fn id(&self) -> Option<&GroupId> {
        match self {
            Self::Id(id) => Some(id),
            Self::Name { .. } => None,
        }
    }
}

/// Which groups are audited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every group.
    All,
    /// The groups with this tag.
    Tag {
        /// The tag's key.
        key: String,
        /// The tag's value.
        value: String,
    },
}

impl FromStr for Scope {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, NoScope> {
        if text == "all" {
            return Ok(Self::All);
        }
        let tag = text.strip_prefix("tag:").and_then(|tag| tag.split_once('='));
        let (key, value) = tag.filter(|(key, _)| !key.is_empty()).ok_or(NoScope)?;
        Ok(Self::Tag { key: key.to_owned(), value: value.to_owned() })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Tag { key, value } => write!(f, "tag:{key}={value}"),
        }
    }
}

/// The text says of no group whether it is audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("write all, or tag:KEY=VALUE")]
pub struct NoScope;

impl Scope {
    /// Whether the group is audited. One whose tags are not known counts as one that has none.
    pub fn contains(&self, group: &Group) -> bool {
        self.missing_tag(group).is_none()
    }

    /// The key of the tag that the group would need to be audited; `None` where it is audited.
    pub fn missing_tag(&self, group: &Group) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Tag { key, value } => {
                let tag = group.tags.as_ref().and_then(|tags| tags.get(key));
                (tag != Some(value)).then_some(key)
            }
        }
    }
}

/// The names of prefix lists, as far as they are known.
pub type ListNames = BTreeMap<ListId, String>;

/// A managed prefix list as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixList {
    /// The list's name, where it is known.
    pub name: Option<String>,
    /// The list's entries.
    pub entries: Vec<IpNet>,
    /// The list's version; AWS's own lists may have none.
    pub version: Option<i64>,
    /// Whether a change of the list is under way.
    pub state: ListState,
}

/// Whether a change of a prefix list is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListState {
    /// No change is under way.
    #[default]
    Settled,
    /// A change is under way. It ends with a new version.
    Changing,
    /// The last change failed and changed nothing.
    Failed,
}
