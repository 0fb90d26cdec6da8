//! The shapes of the AWS command line's output. Serde stops here.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::keys_named;
use super::{DescribeError, DescribedGroup};
use crate::audit::{Group, Place};
use crate::rule::{Direction, GroupRef, Peer, Protocol, Reference, Rule, RuleError};

/// A group of `describe-security-groups`. Older versions print neither ARN nor IPv6.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireGroup {
    group_id: String,
    group_name: Option<String>,
    vpc_id: Option<String>,
    owner_id: Option<String>,
    security_group_arn: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    tags: Vec<WireTag>,
    ip_permissions: Vec<Value>,
    /// EC2-Classic had none.
    #[serde(default, deserialize_with = "or_default")]
    ip_permissions_egress: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireTag {
    key: String,
    #[serde(default, deserialize_with = "or_default")]
    value: String,
}

/// Rules of one protocol and one range of ports.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WirePermission {
    ip_protocol: String,
    from_port: Option<i32>,
    to_port: Option<i32>,
    #[serde(default, deserialize_with = "or_default")]
    ip_ranges: Vec<WireIpv4>,
    #[serde(default, deserialize_with = "or_default", rename = "Ipv6Ranges")]
    ipv6_ranges: Vec<WireIpv6>,
    #[serde(default, deserialize_with = "or_default")]
    user_id_group_pairs: Vec<WireReference>,
    #[serde(default, deserialize_with = "or_default")]
    prefix_list_ids: Vec<WireList>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

impl WirePermission {
    /// The lists that are not known, where there is something in them: it may be peers.
    fn unknown(&self) -> Option<String> {
        let lists = || self.rest.iter().filter(|(_, value)| is_filled(value)).map(|(key, _)| key);
        lists().next().map(|_| keys_named(lists()))
    }
}

/// Whether it is a list, or a single object in its place, with something in it.
fn is_filled(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => false,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireIpv4 {
    cidr_ip: String,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireIpv6 {
    #[serde(rename = "CidrIpv6")]
    cidr_ipv6: String,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireReference {
    group_id: String,
    user_id: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireList {
    prefix_list_id: String,
    description: Option<String>,
}

/// A rule of `describe-security-group-rules`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireRule {
    security_group_rule_id: Option<String>,
    group_id: String,
    group_owner_id: Option<String>,
    security_group_rule_arn: Option<String>,
    is_egress: bool,
    ip_protocol: String,
    from_port: Option<i32>,
    to_port: Option<i32>,
    #[serde(rename = "CidrIpv4")]
    cidr_ipv4: Option<String>,
    #[serde(rename = "CidrIpv6")]
    cidr_ipv6: Option<String>,
    prefix_list_id: Option<String>,
    referenced_group_info: Option<WireReference>,
    description: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    tags: Vec<WireTag>,
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A group of `describe-security-groups`.
pub(super) fn group(value: Value) -> Result<DescribedGroup, DescribeError> {
    let id = text_of(&value, "GroupId");
    let wire: WireGroup = serde_json::from_value(value)
        .map_err(|source| DescribeError::Group { group: id, source })?;
    let place = place(wire.security_group_arn.as_deref(), wire.owner_id);
    let mut rules = Vec::new();
    for (direction, permissions) in
        [(Direction::Ingress, wire.ip_permissions), (Direction::Egress, wire.ip_permissions_egress)]
    {
        for (at, permission) in permissions.into_iter().enumerate() {
            let name = format!("{direction} permission {}", at + 1);
            let named =
                Named { group: &wire.group_id, rule: &name, owner: place.account.as_deref() };
            permission_rules(permission, direction, &named, &mut rules)?;
        }
    }
    let group = Group {
        id: wire.group_id,
        name: wire.group_name,
        vpc_id: wire.vpc_id,
        owner: place.account.clone(),
        tags: tags(wire.tags),
    };
    Ok(DescribedGroup { place, group, rules })
}

/// A rule of `describe-security-group-rules`, as a group that has only that rule.
pub(super) fn rule(value: Value) -> Result<DescribedGroup, DescribeError> {
    let (group, name) = (text_of(&value, "GroupId"), text_of(&value, "SecurityGroupRuleId"));
    let rule = if name.is_empty() { "a rule".to_owned() } else { format!("the rule `{name}`") };
    let wire: WireRule = serde_json::from_value(value).map_err(|source| {
        DescribeError::RuleShape { group: group.clone(), rule: rule.clone(), source }
    })?;
    let place = place(wire.security_group_rule_arn.as_deref(), wire.group_owner_id);
    let named = Named { group: &group, rule: &rule, owner: place.account.as_deref() };
    let direction = if wire.is_egress { Direction::Egress } else { Direction::Ingress };
    let mut peers = Vec::new();
    for text in [wire.cidr_ipv4, wire.cidr_ipv6, wire.prefix_list_id].into_iter().flatten() {
        peers.push(named.peer(&text)?);
    }
    if let Some(reference) = wire.referenced_group_info {
        peers.push(named.group_peer(reference.group_id, reference.user_id));
    }
    let peer = named.only(peers)?;
    let protocol = named.checked(wire.ip_protocol.parse())?;
    let mut rule =
        named.checked(Rule::new(direction, protocol, wire.from_port, wire.to_port, peer))?;
    rule.id = wire.security_group_rule_id;
    rule.description = described(wire.description);
    rule.tags = tags(wire.tags);
    let group = Group { id: wire.group_id, owner: place.account.clone(), ..Group::default() };
    Ok(DescribedGroup { place, group, rules: vec![rule] })
}

/// What a rule is called in an error, and whose group it is.
struct Named<'a> {
    group: &'a str,
    rule: &'a str,
    owner: Option<&'a str>,
}

impl Named<'_> {
    fn checked<T>(&self, result: Result<T, RuleError>) -> Result<T, DescribeError> {
        result.map_err(|source| DescribeError::Rule {
            group: self.group.to_owned(),
            rule: self.rule.to_owned(),
            source,
        })
    }

    fn no_peer(&self) -> DescribeError {
        DescribeError::NoPeer { group: self.group.to_owned(), rule: self.rule.to_owned() }
    }

    /// The one peer that a rule has.
    fn only(&self, mut peers: Vec<Peer>) -> Result<Peer, DescribeError> {
        match (peers.pop(), peers.len()) {
            (Some(peer), 0) => Ok(peer),
            (None, _) => Err(self.no_peer()),
            (Some(_), more) => Err(DescribeError::Peers {
                group: self.group.to_owned(),
                rule: self.rule.to_owned(),
                count: more + 1,
            }),
        }
    }

    fn peer(&self, text: &str) -> Result<Peer, DescribeError> {
        self.checked(text.parse())
    }

    /// A group of the same account is named without the account.
    fn group_peer(&self, id: String, account: Option<String>) -> Peer {
        let account = account.filter(|account| Some(account.as_str()) != self.owner);
        Peer::Reference(Reference::Group(GroupRef { account, id }))
    }
}

fn permission_rules(
    value: Value,
    direction: Direction,
    named: &Named<'_>,
    rules: &mut Vec<Rule>,
) -> Result<(), DescribeError> {
    let wire: WirePermission =
        serde_json::from_value(value).map_err(|source| DescribeError::RuleShape {
            group: named.group.to_owned(),
            rule: named.rule.to_owned(),
            source,
        })?;
    if let Some(unknown) = wire.unknown() {
        return Err(DescribeError::Unknown {
            group: named.group.to_owned(),
            rule: named.rule.to_owned(),
            unknown,
        });
    }
    let protocol: Protocol = named.checked(wire.ip_protocol.parse())?;
    let mut peers = Vec::new();
    for block in wire.ip_ranges {
        peers.push((named.peer(&block.cidr_ip)?, block.description));
    }
    for block in wire.ipv6_ranges {
        peers.push((named.peer(&block.cidr_ipv6)?, block.description));
    }
    for pair in wire.user_id_group_pairs {
        peers.push((named.group_peer(pair.group_id, pair.user_id), pair.description));
    }
    for list in wire.prefix_list_ids {
        peers.push((Peer::prefix_list(&list.prefix_list_id), list.description));
    }
    if peers.is_empty() {
        return Err(named.no_peer());
    }
    for (peer, description) in peers {
        let mut rule =
            named.checked(Rule::new(direction, protocol, wire.from_port, wire.to_port, peer))?;
        rule.description = described(description);
        rules.push(rule);
    }
    Ok(())
}

/// An empty description is none: some versions print one for the other.
fn described(description: Option<String>) -> Option<String> {
    description.filter(|description| !description.is_empty())
}

fn tags(tags: Vec<WireTag>) -> BTreeMap<String, String> {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

/// `arn:aws:ec2:REGION:ACCOUNT:security-group/sg-…`, and the owner beside it.
fn place(arn: Option<&str>, owner: Option<String>) -> Place {
    let mut parts = arn.unwrap_or_default().split(':').skip(3);
    let mut part = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
    let (region, account) = (part(), part());
    Place { account: owner.or(account), region }
}

fn text_of(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}
