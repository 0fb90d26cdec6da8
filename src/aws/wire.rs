//! Groups and rules as EC2 lists them and takes them.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, SecurityGroup, SecurityGroupRule, Tag,
    UserIdGroupPair,
};
use thiserror::Error;

use crate::ec2::{
    DELETED_PEERING, Direction, Ec2Error, Group, GroupId, GroupRef, IdError, Peer, Reference, Rule,
    RuleError, cause,
};

/// Why something that EC2 lists is not understood.
#[derive(Debug, Error)]
enum Unreadable {
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    Rule(#[from] RuleError),
}

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
        .collect()
}

/// A group as EC2 lists it; `None` where its id is not one.
pub(super) fn group(listed: &SecurityGroup) -> Option<Group> {
    Some(Group {
        id: listed.group_id()?.parse().ok()?,
        name: listed.group_name().map(ToOwned::to_owned),
        vpc_id: listed.vpc_id().map(ToOwned::to_owned),
        owner: listed.owner_id().and_then(|owner| owner.parse().ok()),
        tags: Some(tags(listed.tags())),
    })
}

/// A rule as EC2 lists it, with its group.
///
/// # Errors
///
/// Where a part of it cannot be read: no rule is passed over silently.
pub(super) fn listed_rule(
    action: &'static str,
    listed: &SecurityGroupRule,
) -> Result<(GroupId, Rule), Ec2Error> {
    let read = || Ok((listed.group_id().unwrap_or_default().parse()?, rule(listed)?));
    read().map_err(|error: Unreadable| Ec2Error::Refused {
        action,
        code: "UnreadableRule".to_owned(),
        cause: cause(format!("{}: {error}", listed.security_group_rule_id().unwrap_or_default())),
    })
}

/// A rule as EC2 lists it.
fn rule(listed: &SecurityGroupRule) -> Result<Rule, Unreadable> {
    let direction =
        if listed.is_egress() == Some(true) { Direction::Egress } else { Direction::Ingress };
    let protocol = listed.ip_protocol().unwrap_or_default().parse()?;
    let peer = match listed.referenced_group_info() {
        Some(info) => {
            let owner = listed.group_owner_id().map(str::parse).transpose()?;
            let account = info.user_id().map(str::parse).transpose()?;
            let id = info.group_id().unwrap_or_default().parse()?;
            Peer::Reference(Reference::Group(GroupRef::new(account, id, owner.as_ref())))
        }
        None => listed
            .cidr_ipv4()
            .or(listed.cidr_ipv6())
            .or(listed.prefix_list_id())
            .unwrap_or_default()
            .parse()?,
    };
    let peering = listed.referenced_group_info().and_then(|info| info.peering_status());
    let id = listed.security_group_rule_id().map(str::parse).transpose()?;
    let description = listed.description().filter(|text| !text.is_empty());
    Ok(Rule::new(direction, protocol, listed.from_port(), listed.to_port(), peer)?
        .with_id(id)
        .with_description(description.map(ToOwned::to_owned))
        .with_tags(tags(listed.tags()))
        .with_lost_peering(peering == Some(DELETED_PEERING)))
}

/// A rule as EC2 accepts it.
pub(super) fn permission(rule: &Rule) -> IpPermission {
    let description = rule.description().map(ToOwned::to_owned);
    let permission = IpPermission::builder()
        .ip_protocol(rule.protocol().to_api())
        .set_from_port(rule.from_port())
        .set_to_port(rule.to_port());
    match rule.peer() {
        Peer::Ipv4(net) => permission.ip_ranges(
            IpRange::builder().cidr_ip(net.to_string()).set_description(description).build(),
        ),
        Peer::Ipv6(net) => permission.ipv6_ranges(
            Ipv6Range::builder().cidr_ipv6(net.to_string()).set_description(description).build(),
        ),
        Peer::Reference(Reference::PrefixList(id)) => permission.prefix_list_ids(
            PrefixListId::builder()
                .prefix_list_id(id.as_str())
                .set_description(description)
                .build(),
        ),
        Peer::Reference(Reference::Group(group)) => permission.user_id_group_pairs(
            UserIdGroupPair::builder()
                .group_id(group.id().as_str())
                .set_user_id(group.account().map(ToString::to_string))
                .set_description(description)
                .build(),
        ),
    }
    .build()
}
