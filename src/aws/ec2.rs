//! Security groups in EC2.

use aws_config::SdkConfig;
use aws_sdk_ec2::types::{Filter, IpPermission};

use super::clients::{At, Clients};
use super::connection_pool::ConnectOnly;
use super::lists::{self, Kept};
use super::wire::{group, listed_rule, permission};
use crate::audit::run::Regions;
use crate::ec2::hold::UNTIL;
use crate::ec2::{
    AccountId, Direction, Ec2Error, Group, GroupId, GroupKey, GroupPage, GroupRef, ListId, Place,
    PrefixList, Region, Revoked, Rule, RuleId, Scope, SecurityGroups, Selection, cause,
};
use crate::settings::FunctionSettings;
#[cfg(feature = "live")]
use crate::settings::MemberRole;

const GROUPS: &str = "DescribeSecurityGroups";
const RULES: &str = "DescribeSecurityGroupRules";

/// Groups on a page. Their rules are asked for by their ids, of which a filter takes 200.
const GROUPS_A_PAGE: i32 = 100;

/// How many values a filter takes.
const FILTER_VALUES: usize = 200;

/// `DescribeSecurityGroupRules` gives pages only where a size is asked for; this is the largest.
const RULES_A_PAGE: i32 = 1000;

/// EC2, one client for each account and region.
#[derive(Debug)]
pub struct AwsEc2 {
    clients: Clients,
    lists: Kept,
}

impl AwsEc2 {
    /// EC2 as the configuration's own credentials reach it, whichever account a place names.
    pub fn new(config: SdkConfig) -> Self {
        Self { clients: Clients::new(config), lists: Kept::default() }
    }

    /// EC2 as the function reaches it: its own account with its own credentials, others with its
    /// role there, if it has one.
    pub fn of_function(config: SdkConfig, function: &FunctionSettings) -> Self {
        Self { clients: Clients::of_function(config, function), lists: Kept::default() }
    }

    /// EC2 as somebody reaches it who is logged in to this account: others with a role there.
    #[cfg(feature = "live")]
    pub(super) fn of_members(
        config: SdkConfig,
        account: AccountId,
        partition: String,
        role: MemberRole,
    ) -> Self {
        let clients = Clients::of_members(config, account, partition, role);
        Self { clients, lists: Kept::default() }
    }

    /// Opens the connection that calls about this place go by.
    pub(super) async fn open(&self, place: &Place, opening: &ConnectOnly) {
        let Ok(at) = self.clients.at(place) else { return };
        let config = aws_sdk_ec2::Config::builder().http_client(opening.clone());
        let call = at.client.describe_security_groups();
        // It is not sent, which is an error.
        drop(call.customize().config_override(config).send().await);
    }
}

impl Regions for AwsEc2 {
    async fn regions(&self, account: &AccountId) -> Result<Vec<Region>, Ec2Error> {
        const ACTION: &str = "DescribeRegions";
        let at = self.clients.at(&Place { account: Some(account.clone()), region: None })?;
        let answer = at.client.describe_regions().send().await.map_err(at.failed(ACTION))?;
        let names = answer.regions().iter().filter_map(|region| region.region_name());
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }
}

impl SecurityGroups for AwsEc2 {
    async fn group(&self, place: &Place, key: &GroupKey) -> Result<Option<Group>, Ec2Error> {
        let at = self.clients.at(place)?;
        let request = at.client.describe_security_groups();
        let request = match key {
            GroupKey::Id(id) => request.group_ids(id.as_str()),
            GroupKey::Name { name, vpc_id: None } => request.group_names(name),
            // By `GroupNames` EC2 finds groups of the default VPC only.
            GroupKey::Name { name, vpc_id: Some(vpc) } => request
                .filters(filter("group-name", [literal(name)]))
                .filters(filter("vpc-id", [literal(vpc)])),
        };
        match request.send().await.map_err(at.failed(GROUPS)) {
            Ok(answer) => match answer.security_groups() {
                found @ ([] | [_]) => Ok(found.first().and_then(group)),
                // Only one of them is meant, and nothing tells which.
                [..] => Err(Ec2Error::Refused {
                    action: GROUPS,
                    code: "InvalidParameterValue".to_owned(),
                    cause: cause(format!("more than one group is called `{}`", key.as_str())),
                }),
            },
            Err(error) if error.is_no_group() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn rules(&self, place: &Place, group: &GroupId) -> Result<Vec<Rule>, Ec2Error> {
        let at = self.clients.at(place)?;
        let rules = rules(&at, filter("group-id", [group.as_str()])).await?;
        Ok(rules.into_iter().map(|(_, rule)| rule).collect())
    }

    async fn groups(
        &self,
        place: &Place,
        which: Selection<'_>,
        page: Option<&str>,
    ) -> Result<GroupPage, Ec2Error> {
        let at = self.clients.at(place)?;
        let answer = at
            .client
            .describe_security_groups()
            .set_filters(selecting(which).map(|filter| vec![filter]))
            .max_results(GROUPS_A_PAGE)
            .set_next_token(page.map(ToOwned::to_owned))
            .send()
            .await
            .map_err(at.failed(GROUPS))?;
        let selected = |group: &Group| match which {
            Selection::Scope(scope) => scope.contains(group),
            Selection::Naming(..) => true,
        };
        let groups = answer.security_groups().iter().filter_map(group).filter(selected).collect();
        let next = answer.next_token.filter(|token| !token.is_empty());
        Ok(GroupPage { groups, next })
    }

    async fn page_rules(
        &self,
        place: &Place,
        groups: &[Group],
    ) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        let at = self.clients.at(place)?;
        rules(&at, filter("group-id", groups.iter().map(|group| group.id.as_str()))).await
    }

    async fn held_rules(&self, place: &Place) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        let at = self.clients.at(place)?;
        rules(&at, filter(&format!("tag:{UNTIL}"), ["*"])).await
    }

    async fn rules_by_id(
        &self,
        place: &Place,
        ids: &[RuleId],
    ) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        let at = self.clients.at(place)?;
        let mut found = Vec::new();
        for some in ids.chunks(FILTER_VALUES) {
            // Asked for by `SecurityGroupRuleIds`, a single rule that is gone would be an error.
            let by_id = filter("security-group-rule-id", some.iter().map(RuleId::as_str));
            found.extend(rules(&at, by_id).await?);
        }
        Ok(found)
    }

    async fn prefix_list(&self, place: &Place, id: &ListId) -> Result<PrefixList, Ec2Error> {
        let at = self.clients.at(place)?;
        lists::prefix_list(&at, &self.lists, place, id).await
    }

    async fn is_stale(&self, place: &Place, group: &GroupRef) -> Result<bool, Ec2Error> {
        let here = place.account.as_ref();
        let account = match group.account() {
            Some(account) if !self.clients.reach(here, account) => return Ok(false),
            account => account.or(here).cloned(),
        };
        // Groups of another VPC can be named where it is peered, within the region.
        let there = Place { account, region: place.region.clone() };
        match self.group(&there, &GroupKey::Id(group.id().clone())).await {
            Ok(found) => Ok(found.is_none()),
            Err(error) if error.is_transient() => Err(error),
            Err(_) => Ok(false),
        }
    }

    async fn authorize(&self, place: &Place, group: &GroupId, rule: &Rule) -> Result<(), Ec2Error> {
        const ACTION: &str = "AuthorizeSecurityGroupIngress";
        let at = self.clients.at(place)?;
        at.client
            .authorize_security_group_ingress()
            .group_id(group.as_str())
            .ip_permissions(ingress(ACTION, rule)?)
            .send()
            .await
            .map(|_| ())
            .map_err(at.failed(ACTION))
    }

    async fn revoke(
        &self,
        place: &Place,
        group: &GroupId,
        rule: &Rule,
    ) -> Result<Revoked, Ec2Error> {
        const ACTION: &str = "RevokeSecurityGroupIngress";
        let at = self.clients.at(place)?;
        let answer = at
            .client
            .revoke_security_group_ingress()
            .group_id(group.as_str())
            .ip_permissions(ingress(ACTION, rule)?)
            .send()
            .await
            .map_err(at.failed(ACTION))?;
        let revoked = answer.revoked_security_group_rules().len();
        Ok(match (answer.unknown_ip_permissions().len(), revoked) {
            (_, 1..) => Revoked::Proven,
            (1.., 0) => Revoked::NothingThere,
            (0, 0) => Revoked::Unproven,
        })
    }
}

/// The rule as EC2 takes it. No revert touches egress, and the role is not allowed to, so there is no
/// call for it either.
fn ingress(action: &'static str, rule: &Rule) -> Result<IpPermission, Ec2Error> {
    match rule.direction() {
        Direction::Ingress => Ok(permission(rule)),
        Direction::Egress => Err(Ec2Error::Refused {
            action,
            code: "EgressRule".to_owned(),
            cause: cause("egress rules are never changed"),
        }),
    }
}

/// The rules that a filter lets through, each with the id of its group.
async fn rules(at: &At, filter: Filter) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
    let mut pages = at
        .client
        .describe_security_group_rules()
        .filters(filter)
        .max_results(RULES_A_PAGE)
        .into_paginator()
        .send();
    let mut rules = Vec::new();
    while let Some(page) = pages.next().await {
        for listed in page.map_err(at.failed(RULES))?.security_group_rules() {
            rules.push(listed_rule(RULES, listed)?);
        }
    }
    Ok(rules)
}

/// What EC2 is to look for; `None` where it is everything.
fn selecting(which: Selection<'_>) -> Option<Filter> {
    match which {
        Selection::Scope(Scope::All) => None,
        Selection::Scope(Scope::Tag { key, value }) => {
            Some(filter(&format!("tag:{key}"), [literal(value)]))
        }
        Selection::Naming(list, Direction::Ingress) => {
            Some(filter("ip-permission.prefix-list-id", [list.as_str()]))
        }
        Selection::Naming(list, Direction::Egress) => {
            Some(filter("egress.ip-permission.prefix-list-id", [list.as_str()]))
        }
    }
}

fn filter(name: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Filter {
    let values = values.into_iter().map(Into::into).collect();
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// The value of a filter that lets through this text and no other ("Filtering using wildcards" in
/// the EC2 user guide).
fn literal(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '\\') {
            value.push('\\');
        }
        value.push(c);
    }
    value
}
