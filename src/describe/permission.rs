//! The members of groups and rules in which the AWS CLI prints protocols, ports and peers.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::document::{list_keys, or_default};
use super::error::RuleFault;
use crate::ec2::{
    AccountId, DELETED_PEERING, Direction, GroupId, GroupRef, IdError, ListId, Peer, Protocol,
    Reference, Rule,
};

/// Rules with the same protocol and ports.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Permission<'a> {
    #[serde(borrow)]
    ip_protocol: Cow<'a, str>,
    from_port: Option<i32>,
    to_port: Option<i32>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    ip_ranges: Vec<Ipv4Range<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default", rename = "Ipv6Ranges")]
    ipv6_ranges: Vec<Ipv6Range<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    user_id_group_pairs: Vec<GroupPair<'a>>,
    #[serde(default, deserialize_with = "or_default")]
    prefix_list_ids: Vec<PrefixList>,
    #[serde(flatten)]
    unknown: Unknown,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipv4Range<'a> {
    #[serde(borrow)]
    cidr_ip: Cow<'a, str>,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipv6Range<'a> {
    #[serde(borrow, rename = "CidrIpv6")]
    cidr_ipv6: Cow<'a, str>,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PrefixList {
    prefix_list_id: ListId,
    description: Option<String>,
}

/// A group that a rule refers to.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GroupPair<'a> {
    group_id: GroupId,
    #[serde(borrow, default)]
    user_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    peering_status: Option<Cow<'a, str>>,
    description: Option<String>,
}

/// The owner of a group: as printed, and as an account where it is one. In anonymised output it is
/// not.
pub(super) struct Owner<'a> {
    printed: Option<Cow<'a, str>>,
    pub(super) account: Option<AccountId>,
}

impl<'a> Owner<'a> {
    pub(super) fn new(printed: Option<Cow<'a, str>>) -> Self {
        let account = printed.as_ref().and_then(|printed| printed.parse().ok());
        Self { printed, account }
    }
}

impl Permission<'_> {
    /// Adds a rule for each peer.
    pub(super) fn add_rules(
        self,
        direction: Direction,
        owner: &Owner<'_>,
        rules: &mut Vec<Rule>,
    ) -> Result<(), RuleFault> {
        if !self.unknown.0.is_empty() {
            return Err(RuleFault::Unknown(list_keys(&self.unknown.0)));
        }
        let protocol: Protocol = self.ip_protocol.parse()?;
        let before = rules.len();
        let mut add = |peer, description, lost_peering| -> Result<(), RuleFault> {
            let rule = Rule::new(direction, protocol, self.from_port, self.to_port, peer)?
                .with_description(without_empty(description))
                .with_lost_peering(lost_peering);
            rules.push(rule);
            Ok(())
        };
        for range in self.ip_ranges {
            add(range.cidr_ip.parse()?, range.description, false)?;
        }
        for range in self.ipv6_ranges {
            add(range.cidr_ipv6.parse()?, range.description, false)?;
        }
        for mut pair in self.user_id_group_pairs {
            let (description, lost) = (pair.description.take(), pair.has_lost_peering());
            add(pair.peer(owner)?, description, lost)?;
        }
        for list in self.prefix_list_ids {
            add(Peer::prefix_list(list.prefix_list_id), list.description, false)?;
        }
        if rules.len() == before { Err(RuleFault::NoPeer) } else { Ok(()) }
    }
}

impl GroupPair<'_> {
    /// Whether the peering of VPCs is deleted by which the group was named.
    pub(super) fn has_lost_peering(&self) -> bool {
        self.peering_status.as_deref() == Some(DELETED_PEERING)
    }

    /// The group, for a rule of a group that `owner` owns.
    pub(super) fn peer(self, owner: &Owner<'_>) -> Result<Peer, IdError> {
        let account = match self.user_id {
            // The same owner need not be an account, so that anonymised output can be read.
            user if user == owner.printed => owner.account.clone(),
            user => user.map(|user| user.parse()).transpose()?,
        };
        let group = GroupRef::new(account, self.group_id, owner.account.as_ref());
        Ok(Peer::Reference(Reference::Group(group)))
    }
}

/// Some versions of the AWS CLI print an empty description where there is none.
pub(super) fn without_empty(description: Option<String>) -> Option<String> {
    description.filter(|description| !description.is_empty())
}

/// The keys of unknown members that are not empty. They may be peers of a new kind.
struct Unknown(Vec<String>);

impl<'de> Deserialize<'de> for Unknown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Unknown;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unknown, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, value)) = members.next_entry()? {
                    let filled = match value {
                        Value::Array(items) => !items.is_empty(),
                        Value::Object(members) => !members.is_empty(),
                        _ => false,
                    };
                    if filled {
                        keys.push(key);
                    }
                }
                Ok(Unknown(keys))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
