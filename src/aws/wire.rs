//! Groups and rules as EC2 lists them and takes them.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, SecurityGroup, SecurityGroupRule, Tag,
    UserIdGroupPair,
};

use crate::audit::{Ec2Error, Group};
use crate::ec2::{Direction, GroupRef, Peer, Protocol, Reference, Rule, RuleError};

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
        .collect()
}

/// A group as EC2 lists it; `None` where it has no id.
pub(super) fn group(listed: &SecurityGroup) -> Option<Group> {
    Some(Group {
        id: listed.group_id()?.to_owned(),
        name: listed.group_name().map(ToOwned::to_owned),
        vpc_id: listed.vpc_id().map(ToOwned::to_owned),
        owner: listed.owner_id().map(ToOwned::to_owned),
        tags: tags(listed.tags()),
    })
}

/// A rule as EC2 lists it, with the id of its group.
///
/// # Errors
///
/// Where a part of it cannot be read: no rule is passed over in silence.
pub(super) fn listed_rule(
    action: &'static str,
    listed: &SecurityGroupRule,
) -> Result<(String, Rule), Ec2Error> {
    match rule(listed) {
        Ok(rule) => Ok((listed.group_id().unwrap_or_default().to_owned(), rule)),
        Err(error) => Err(Ec2Error::Refused {
            action,
            code: "UnreadableRule".to_owned(),
            message: format!("{}: {error}", listed.security_group_rule_id().unwrap_or_default()),
        }),
    }
}

/// A rule as EC2 lists it.
fn rule(listed: &SecurityGroupRule) -> Result<Rule, RuleError> {
    let direction =
        if listed.is_egress() == Some(true) { Direction::Egress } else { Direction::Ingress };
    let protocol: Protocol = listed.ip_protocol().unwrap_or_default().parse()?;
    let peer = if let Some(info) = listed.referenced_group_info() {
        let owner = listed.group_owner_id();
        let account = info.user_id().filter(|user| Some(*user) != owner).map(ToOwned::to_owned);
        let id = info.group_id().unwrap_or_default().to_owned();
        Peer::Reference(Reference::Group(GroupRef { account, id }))
    } else {
        listed
            .cidr_ipv4()
            .or(listed.cidr_ipv6())
            .or(listed.prefix_list_id())
            .unwrap_or_default()
            .parse()?
    };
    let mut rule = Rule::new(direction, protocol, listed.from_port(), listed.to_port(), peer)?;
    rule.id = listed.security_group_rule_id().map(ToOwned::to_owned);
    rule.description = listed.description().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    rule.tags = tags(listed.tags());
    Ok(rule)
}

/// A rule as EC2 takes it.
pub(super) fn permission(rule: &Rule) -> IpPermission {
    let protocol = match rule.protocol {
        Protocol::All => "-1".to_owned(),
        protocol => protocol.to_string(),
    };
    let description = rule.description.clone();
    let permission = IpPermission::builder()
        .ip_protocol(protocol)
        .set_from_port(rule.from_port)
        .set_to_port(rule.to_port);
    match &rule.peer {
        Peer::Ipv4(net) => permission.ip_ranges(
            IpRange::builder().cidr_ip(net.to_string()).set_description(description).build(),
        ),
        Peer::Ipv6(net) => permission.ipv6_ranges(
            Ipv6Range::builder().cidr_ipv6(net.to_string()).set_description(description).build(),
        ),
        Peer::Reference(Reference::PrefixList(id)) => permission.prefix_list_ids(
            PrefixListId::builder().prefix_list_id(id).set_description(description).build(),
        ),
        Peer::Reference(Reference::Group(GroupRef { account, id })) => permission
            .user_id_group_pairs(
                UserIdGroupPair::builder()
                    .group_id(id)
                    .set_user_id(account.clone())
                    .set_description(description)
                    .build(),
            ),
    }
    .build()
}
