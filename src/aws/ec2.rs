//! Security groups in EC2.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_config::{Region, SdkConfig};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, SecurityGroupRule, Tag, UserIdGroupPair,
};
use ipnet::IpNet;

use super::error::ec2_error;
use crate::audit::{Ec2Error, Group, Place, Revoked, SecurityGroups};
use crate::event::GroupKey;
use crate::rule::{Direction, GroupRef, Peer, Protocol, Reference, Rule, RuleError};

/// `DescribeSecurityGroupRules` gives pages only where a size is asked for; this is the largest.
const RULES_A_PAGE: i32 = 1000;

/// The largest page that `GetManagedPrefixListEntries` gives.
const ENTRIES_A_PAGE: i32 = 100;

/// EC2 with the function's credentials, one client a region, each built once.
#[derive(Debug)]
pub struct AwsEc2 {
    config: SdkConfig,
    clients: Mutex<BTreeMap<Option<String>, Client>>,
}

impl AwsEc2 {
    /// Clients are built from this configuration when their region is first asked for.
    pub fn new(config: SdkConfig) -> Self {
        Self { config, clients: Mutex::new(BTreeMap::new()) }
    }

    /// The client of a region; of the configuration's own where none is said.
    fn client(&self, place: &Place) -> Client {
        let mut clients = match self.clients.lock() {
            Ok(clients) => clients,
            // A map of clients is whole after any panic.
            Err(poisoned) => poisoned.into_inner(),
        };
        clients
            .entry(place.region.clone())
            .or_insert_with(|| {
                let mut config = aws_sdk_ec2::config::Builder::from(&self.config);
                if let Some(region) = &place.region {
                    config = config.region(Region::new(region.clone()));
                }
                Client::from_conf(config.build())
            })
            .clone()
    }
}

impl SecurityGroups for AwsEc2 {
    async fn group(&self, place: &Place, key: &GroupKey) -> Result<Option<Group>, Ec2Error> {
        let request = self.client(place).describe_security_groups();
        let request = match key {
            GroupKey::Id(id) => request.group_ids(id),
            GroupKey::Name(name) => request.group_names(name),
        };
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                return match ec2_error("DescribeSecurityGroups", error) {
                    Ec2Error::NotFound { .. } => Ok(None),
                    error => Err(error),
                };
            }
        };
        Ok(answer.security_groups().first().and_then(|group| {
            Some(Group {
                id: group.group_id()?.to_owned(),
                name: group.group_name().map(ToOwned::to_owned),
                vpc_id: group.vpc_id().map(ToOwned::to_owned),
                owner: group.owner_id().map(ToOwned::to_owned),
                tags: tags(group.tags()),
            })
        }))
    }

    async fn rules(&self, place: &Place, group: &Group) -> Result<Vec<Rule>, Ec2Error> {
        let client = self.client(place);
        let filter =
            aws_sdk_ec2::types::Filter::builder().name("group-id").values(&group.id).build();
        let mut pages = client
            .describe_security_group_rules()
            .filters(filter)
            .max_results(RULES_A_PAGE)
            .into_paginator()
            .send();
        let mut rules = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ec2_error("DescribeSecurityGroupRules", error))?;
            for listed in page.security_group_rules() {
                rules.push(rule(listed).map_err(|error| Ec2Error::Refused {
                    action: "DescribeSecurityGroupRules",
                    code: "UnreadableRule".to_owned(),
                    message: format!(
                        "{}: {error}",
                        listed.security_group_rule_id().unwrap_or_default()
                    ),
                })?);
            }
        }
        Ok(rules)
    }

    async fn prefix_list(&self, place: &Place, id: &str) -> Result<Vec<IpNet>, Ec2Error> {
        let mut pages = self
            .client(place)
            .get_managed_prefix_list_entries()
            .prefix_list_id(id)
            .max_results(ENTRIES_A_PAGE)
            .into_paginator()
            .send();
        let mut entries = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ec2_error("GetManagedPrefixListEntries", error))?;
            for entry in page.entries() {
                let cidr = entry.cidr().unwrap_or_default();
                let net: IpNet = cidr.parse().map_err(|_| Ec2Error::Refused {
                    action: "GetManagedPrefixListEntries",
                    code: "UnreadableEntry".to_owned(),
                    message: format!("{id} has an entry `{cidr}`"),
                })?;
                entries.push(net.trunc());
            }
        }
        Ok(entries)
    }

    async fn authorize(&self, place: &Place, group: &str, rule: &Rule) -> Result<(), Ec2Error> {
        let client = self.client(place);
        let permission = permission(rule);
        match rule.direction {
            Direction::Ingress => client
                .authorize_security_group_ingress()
                .group_id(group)
                .ip_permissions(permission)
                .send()
                .await
                .map(|_| ())
                .map_err(|error| ec2_error("AuthorizeSecurityGroupIngress", error)),
            Direction::Egress => client
                .authorize_security_group_egress()
                .group_id(group)
                .ip_permissions(permission)
                .send()
                .await
                .map(|_| ())
                .map_err(|error| ec2_error("AuthorizeSecurityGroupEgress", error)),
        }
    }

    async fn revoke(&self, place: &Place, group: &str, rule: &Rule) -> Result<Revoked, Ec2Error> {
        let client = self.client(place);
        let permission = permission(rule);
        let (unknown, revoked) = match rule.direction {
            Direction::Ingress => {
                let answer = client
                    .revoke_security_group_ingress()
                    .group_id(group)
                    .ip_permissions(permission)
                    .send()
                    .await
                    .map_err(|error| ec2_error("RevokeSecurityGroupIngress", error))?;
                (answer.unknown_ip_permissions().len(), answer.revoked_security_group_rules().len())
            }
            Direction::Egress => {
                let answer = client
                    .revoke_security_group_egress()
                    .group_id(group)
                    .ip_permissions(permission)
                    .send()
                    .await
                    .map_err(|error| ec2_error("RevokeSecurityGroupEgress", error))?;
                (answer.unknown_ip_permissions().len(), answer.revoked_security_group_rules().len())
            }
        };
        Ok(match (unknown, revoked) {
            (_, 1..) => Revoked::Proven,
            (1.., 0) => Revoked::NothingThere,
            (0, 0) => Revoked::Unproven,
        })
    }
}

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
        .collect()
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
fn permission(rule: &Rule) -> IpPermission {
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
