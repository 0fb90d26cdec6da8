use std::fmt;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Serialize, Serializer};

use super::{AccountId, GroupId, ListId, RuleError};

/// Who is on the other side: a source of an ingress rule, a destination of an egress rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Peer {
    /// A block of IPv4 addresses, without host bits.
    Ipv4(Ipv4Net),
    /// A block of IPv6 addresses, without host bits.
    Ipv6(Ipv6Net),
    /// A group or a prefix list.
    Reference(Reference),
}

/// A peer that is named instead of given by its addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reference {
    /// The members of a security group.
    Group(GroupRef),
    /// The entries of a managed prefix list.
    PrefixList(ListId),
}

/// A security group as a rule names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupRef {
    account: Option<AccountId>,
    id: GroupId,
}

/// The `PeeringStatus` of a group that a rule names by a peering of VPCs which is deleted.
pub const DELETED_PEERING: &str = "deleted";

impl GroupRef {
    /// A group of `account`, named in a rule or a baseline for a group that `owner` owns. EC2 names
    /// a group of the same account without the account, and so does this.
    pub fn new(account: Option<AccountId>, id: GroupId, owner: Option<&AccountId>) -> Self {
        Self { account: account.filter(|account| Some(account) != owner), id }
    }

    /// A group of the same account as the group whose rule names it.
    pub fn own(id: GroupId) -> Self {
        Self { account: None, id }
    }

    /// The same group, named for a group that `owner` owns.
    #[must_use]
    pub fn seen_from(self, owner: Option<&AccountId>) -> Self {
        Self::new(self.account, self.id, owner)
    }

    /// The group's account, where it is another than that of the group whose rule names it.
    pub fn account(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }

    /// `sg-…`
    pub fn id(&self) -> &GroupId {
        &self.id
    }
}

impl Peer {
    /// A group of the same account.
    pub fn group(id: GroupId) -> Self {
        Self::Reference(Reference::Group(GroupRef::own(id)))
    }

    pub fn prefix_list(id: ListId) -> Self {
        Self::Reference(Reference::PrefixList(id))
    }

    /// Whether it is 0.0.0.0/0 or ::/0.
    pub fn is_anywhere(&self) -> bool {
        match self {
            Self::Ipv4(net) => net.prefix_len() == 0,
            Self::Ipv6(net) => net.prefix_len() == 0,
            Self::Reference(_) => false,
        }
    }

    /// The reference, where it is one.
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Reference(reference) => Some(reference),
            _ => None,
        }
    }

    /// The prefix list, where it is one.
    pub fn list(&self) -> Option<&ListId> {
        match self {
            Self::Reference(Reference::PrefixList(id)) => Some(id),
            _ => None,
        }
    }
}

impl From<IpNet> for Peer {
    /// Host bits are dropped, as EC2 does.
    fn from(net: IpNet) -> Self {
        match net {
            IpNet::V4(net) => Self::Ipv4(net.trunc()),
            IpNet::V6(net) => Self::Ipv6(net.trunc()),
        }
    }
}

impl fmt::Display for GroupRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.account {
            Some(account) => write!(f, "{account}/{}", self.id),
            None => self.id.fmt(f),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(group) => group.fmt(f),
            Self::PrefixList(id) => id.fmt(f),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(net) => net.fmt(f),
            Self::Ipv6(net) => net.fmt(f),
            Self::Reference(reference) => reference.fmt(f),
        }
    }
}

impl FromStr for Peer {
    type Err = RuleError;

    /// Reads a CIDR block (host bits are dropped), `sg-…`, `account/sg-…` or `pl-…`.
    fn from_str(s: &str) -> Result<Self, RuleError> {
        if let Ok(net) = s.parse::<IpNet>() {
            return Ok(net.into());
        }
        let (account, id) = match s.split_once('/') {
            Some((account, id)) => (account.parse().ok(), id),
            None => (None, s),
        };
        match (account, id.parse(), id.parse()) {
            (None, _, Ok(list)) if id == s => Ok(Self::prefix_list(list)),
            (account, Ok(group), _) if account.is_some() || id == s => {
                Ok(Self::Reference(Reference::Group(GroupRef { account, id: group })))
            }
            _ => Err(RuleError::Peer(s.to_owned())),
        }
    }
}

impl Serialize for Peer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
