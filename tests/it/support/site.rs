//! The groups of one account in one region, and their rules.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ec2::config::Credentials;
use aws_sdk_ec2::types::{
    ResourceType, SecurityGroupRule, SecurityGroupRuleUpdate, Tag, TagSpecification,
};
use serde_json::Value;

use super::permission::Permission;
use super::world::{ACCOUNT, REGION};
use super::{event, moto};

/// Which way a rule lets traffic through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    Ingress,
    Egress,
}

/// Spelled as in the names of EC2's calls.
impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ingress => "Ingress",
            Self::Egress => "Egress",
        })
    }
}

/// A security group in a VPC of its own.
#[derive(Debug, Clone)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub vpc_id: String,
}

/// A rule as `DescribeSecurityGroupRules` lists it; the account of a peer is said where it is another one's. Absent ports are -1, as EC2 gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub id: String,
    pub direction: Direction,
    pub protocol: String,
    pub ports: (i32, i32),
    pub peer: String,
    pub description: Option<String>,
    pub tags: BTreeMap<String, String>,
}

/// All but the id, on one line: `ingress tcp 22-22 203.0.113.0/24 "office" [ticket=4711]`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = self.direction.to_string().to_lowercase();
        write!(f, "{direction} {} {}-{} {}", self.protocol, self.ports.0, self.ports.1, self.peer)?;
        if let Some(description) = &self.description {
            write!(f, " {description:?}")?;
        }
        self.tags.iter().try_for_each(|(key, value)| write!(f, " [{key}={value}]"))
    }
}

/// An account's groups in a region, as the test itself sees them.
pub struct Site {
    pub account: String,
    pub region: String,
    pub ec2: aws_sdk_ec2::Client,
    pub(super) config: SdkConfig,
}

impl Site {
    /// moto takes a caller to be in the account of the role that it has assumed.
    pub(super) async fn new(account: &str, region: &str) -> Self {
        let key = Credentials::new("AKIAEXAMPLEEXAMPLE01", "secret", None, None, "tests");
        let mut config = configured(key, region);
        if account != ACCOUNT {
            let sts = aws_sdk_sts::Client::new(&config);
            let role = format!("arn:aws:iam::{account}:role/tests");
            let assumed = sts.assume_role().role_arn(role).role_session_name("tests").send().await;
            let key = assumed.expect("a role").credentials.expect("its credentials");
            let token = Some(key.session_token);
            let key =
                Credentials::new(key.access_key_id, key.secret_access_key, token, None, "tests");
            config = configured(key, region);
        }
        let ec2 = aws_sdk_ec2::Client::new(&config);
        Self { account: account.to_owned(), region: region.to_owned(), ec2, config }
    }

    /// The event as it would be had it happened here.
    pub fn placed(&self, event: Value) -> Value {
        let text = event.to_string().replace(ACCOUNT, &self.account);
        serde_json::from_str(&text.replace(REGION, &self.region)).expect("the same event")
    }

    /// A new group in a new VPC, as EC2 makes it: no ingress, and egress for everything.
    pub async fn group(&self, name: &str) -> Group {
        let vpc_id = self.vpc().await;
        self.group_in(vpc_id, name).await
    }

    /// So many new groups in one VPC, each with these ingress rules.
    pub async fn groups(&self, count: usize, permissions: &[Permission]) -> Vec<Group> {
        let vpc_id = self.vpc().await;
        let mut groups = Vec::new();
        for number in 0..count {
            let group = self.group_in(vpc_id.clone(), &format!("typo3-{number:03}")).await;
            let call = self.ec2.authorize_security_group_ingress().group_id(&group.id);
            let wanted = permissions.iter().map(Permission::to_sdk).collect();
            call.set_ip_permissions(Some(wanted)).send().await.expect("authorised");
            groups.push(group);
        }
        groups
    }

    /// A new group in the VPC of another.
    pub async fn group_beside(&self, other: &Group, name: &str) -> Group {
        self.group_in(other.vpc_id.clone(), name).await
    }

    /// Deletes a group.
    pub async fn delete(&self, group: &Group) {
        let call = self.ec2.delete_security_group().group_id(&group.id);
        call.send().await.expect("deleted");
    }

    async fn vpc(&self) -> String {
        let vpc = self.ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.expect("a VPC");
        vpc.vpc.and_then(|vpc| vpc.vpc_id).expect("the VPC's id")
    }

    async fn group_in(&self, vpc_id: String, name: &str) -> Group {
        let made = self
            .ec2
            .create_security_group()
            .group_name(name)
            .description(name)
            .vpc_id(&vpc_id)
            .send()
            .await;
        let id = made.expect("a group").group_id.expect("the group's id");
        Group { id, name: name.to_owned(), vpc_id }
    }

    /// Authorises, and returns the event of it.
    pub async fn authorize(
        &self,
        group: &Group,
        direction: Direction,
        permissions: &[Permission],
    ) -> Value {
        self.authorize_tagged(group, direction, permissions, &[]).await
    }

    /// Authorises with tags on the rules, and returns the event of it.
    pub async fn authorize_tagged(
        &self,
        group: &Group,
        direction: Direction,
        permissions: &[Permission],
        given: &[(&str, &str)],
    ) -> Value {
        let before = self.rules(group).await;
        let wanted = Some(permissions.iter().map(Permission::to_sdk).collect());
        let tags = given
            .iter()
            .map(|(key, value)| Tag::builder().key(*key).value(*value).build())
            .collect::<Vec<_>>();
        let tags = (!tags.is_empty()).then(|| {
            let rule = ResourceType::SecurityGroupRule;
            vec![TagSpecification::builder().resource_type(rule).set_tags(Some(tags)).build()]
        });
        match direction {
            Direction::Ingress => {
                let call = self.ec2.authorize_security_group_ingress().group_id(&group.id);
                call.set_ip_permissions(wanted)
                    .set_tag_specifications(tags)
                    .send()
                    .await
                    .expect("authorised");
            }
            Direction::Egress => {
                let call = self.ec2.authorize_security_group_egress().group_id(&group.id);
                call.set_ip_permissions(wanted)
                    .set_tag_specifications(tags)
                    .send()
                    .await
                    .expect("authorised");
            }
        }
        let added: Vec<Rule> =
            self.rules(group).await.into_iter().filter(|rule| !before.contains(rule)).collect();
        let event = event::of_permissions("Authorize", group, direction, permissions, &added);
        self.placed(event::tagged(event, given))
    }

    /// Revokes by content, and returns the event of it.
    pub async fn revoke(
        &self,
        group: &Group,
        direction: Direction,
        permissions: &[Permission],
    ) -> Value {
        let wanted = Some(permissions.iter().map(Permission::to_sdk).collect());
        match direction {
            Direction::Ingress => {
                let call = self.ec2.revoke_security_group_ingress().group_id(&group.id);
                call.set_ip_permissions(wanted).send().await.expect("revoked");
            }
            Direction::Egress => {
                let call = self.ec2.revoke_security_group_egress().group_id(&group.id);
                call.set_ip_permissions(wanted).send().await.expect("revoked");
            }
        }
        self.placed(event::of_permissions("Revoke", group, direction, permissions, &[]))
    }

    /// Changes rules in place, and returns the event of it.
    pub async fn modify(&self, group: &Group, changes: &[(&str, &Permission)]) -> Value {
        let updates = changes.iter().map(|(id, permission)| {
            let rule = permission.to_sdk_rule();
            SecurityGroupRuleUpdate::builder()
                .security_group_rule_id(*id)
                .security_group_rule(rule)
                .build()
        });
        let call = self.ec2.modify_security_group_rules().group_id(&group.id);
        call.set_security_group_rules(Some(updates.collect())).send().await.expect("modified");
        self.placed(event::of_modify(group, changes))
    }

    /// The group's rules now, ordered as they read.
    pub async fn rules(&self, group: &Group) -> Vec<Rule> {
        let filter =
            aws_sdk_ec2::types::Filter::builder().name("group-id").values(&group.id).build();
        let call = self.ec2.describe_security_group_rules().filters(filter).max_results(1000);
        let rules = call.send().await.expect("rules").security_group_rules.unwrap_or_default();
        let mut rules: Vec<Rule> =
            rules.into_iter().map(|rule| Rule::read(rule, &self.account)).collect();
        rules.sort_by_key(Rule::to_string);
        rules
    }

    /// The group's ingress rules now, one line each, ordered.
    pub async fn ingress(&self, group: &Group) -> Vec<String> {
        let rules = self.rules(group).await;
        rules
            .iter()
            .filter(|rule| rule.direction == Direction::Ingress)
            .map(Rule::to_string)
            .collect()
    }
}

fn configured(key: Credentials, region: &str) -> SdkConfig {
    // A call of moto takes milliseconds on an idle machine.
    let limit = TimeoutConfig::builder().operation_timeout(Duration::from_secs(300)).build();
    // Nothing of the caller's own settings is read.
    SdkConfig::builder()
        .timeout_config(limit)
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(moto::server().url())
        .region(Region::new(region.to_owned()))
        .credentials_provider(aws_sdk_ec2::config::SharedCredentialsProvider::new(key))
        .build()
}

impl Rule {
    /// A rule of a group in this account.
    fn read(rule: SecurityGroupRule, account: &str) -> Self {
        let group = rule.referenced_group_info.map(|group| {
            let id = group.group_id.expect("the group's id");
            match group.user_id {
                Some(other) if other != account => format!("{other}/{id}"),
                _ => id,
            }
        });
        let peer = rule.cidr_ipv4.or(rule.cidr_ipv6).or(rule.prefix_list_id).or(group);
        let tags = rule.tags.unwrap_or_default().into_iter();
        Self {
            id: rule.security_group_rule_id.expect("a rule's id"),
            direction: if rule.is_egress == Some(true) {
                Direction::Egress
            } else {
                Direction::Ingress
            },
            protocol: rule.ip_protocol.expect("a protocol"),
            ports: (rule.from_port.unwrap_or(-1), rule.to_port.unwrap_or(-1)),
            peer: peer.expect("a peer"),
            description: rule.description.filter(|description| !description.is_empty()),
            tags: tags
                .map(|tag| (tag.key.expect("a key"), tag.value.unwrap_or_default()))
                .collect(),
        }
    }
}
