//! The shapes of the AWS command line's output. Serde stops here. Texts are borrowed from the input
//! where it has them without escapes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::error::keys_named;
use super::{DescribeError, DescribedGroup};
use crate::audit::{Group, Place};
use crate::ec2::{Direction, GroupRef, Peer, Protocol, Reference, Rule, RuleError};

/// What only a JSON object is. Serde would take an array for the fields in their order.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Only<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Only<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Only(PhantomData))
    }
}

/// A text.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A group of `describe-security-groups`. Older versions print neither ARN nor IPv6.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", bound(deserialize = "P: Deserialize<'de>"))]
pub(super) struct WireGroup<'a, P> {
    group_id: String,
    group_name: Option<String>,
    vpc_id: Option<String>,
    owner_id: Option<String>,
    #[serde(borrow)]
    security_group_arn: Option<Text<'a>>,
    #[serde(default, deserialize_with = "or_default")]
    tags: Vec<WireTag>,
    ip_permissions: Vec<P>,
    /// EC2-Classic had none.
    #[serde(default = "Vec::new", deserialize_with = "or_default")]
    ip_permissions_egress: Vec<P>,
    #[serde(default, rename = "SecurityGroups")]
    _groups: Absent,
    #[serde(default, rename = "SecurityGroupRules")]
    _rules: Absent,
}

/// A member by which an item is something else than what it stands among, and is to be read as that.
#[derive(Default)]
struct Absent;

impl<'de> Deserialize<'de> for Absent {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("this is something else"))
    }
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
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct WirePermission<'a> {
    #[serde(borrow)]
    ip_protocol: Cow<'a, str>,
    from_port: Option<i32>,
    to_port: Option<i32>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    ip_ranges: Vec<WireIpv4<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default", rename = "Ipv6Ranges")]
    ipv6_ranges: Vec<WireIpv6<'a>>,
    #[serde(default, deserialize_with = "or_default")]
    user_id_group_pairs: Vec<WireReference>,
    #[serde(default, deserialize_with = "or_default")]
    prefix_list_ids: Vec<WireList>,
}

impl WirePermission<'_> {
    /// What a permission has.
    const KEYS: [&'static str; 7] = [
        "IpProtocol",
        "FromPort",
        "ToPort",
        "IpRanges",
        "Ipv6Ranges",
        "UserIdGroupPairs",
        "PrefixListIds",
    ];

    /// Takes out what is not known. Where a list among it has something in it, that may be peers.
    fn take_unknown(permission: &mut Map<String, Value>) -> Option<String> {
        let unknown: Vec<String> = permission
            .iter()
            .filter(|(key, value)| !Self::KEYS.contains(&key.as_str()) && is_filled(value))
            .map(|(key, _)| key.clone())
            .collect();
        permission.retain(|key, _| Self::KEYS.contains(&key.as_str()));
        (!unknown.is_empty()).then(|| keys_named(unknown.iter()))
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
struct WireIpv4<'a> {
    #[serde(borrow)]
    cidr_ip: Cow<'a, str>,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireIpv6<'a> {
    #[serde(borrow, rename = "CidrIpv6")]
    cidr_ipv6: Cow<'a, str>,
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
pub(super) struct WireRule<'a> {
    security_group_rule_id: Option<String>,
    group_id: String,
    group_owner_id: Option<String>,
    #[serde(borrow)]
    security_group_rule_arn: Option<Text<'a>>,
    is_egress: bool,
    #[serde(borrow)]
    ip_protocol: Cow<'a, str>,
    from_port: Option<i32>,
    to_port: Option<i32>,
    #[serde(borrow, rename = "CidrIpv4")]
    cidr_ipv4: Option<Text<'a>>,
    #[serde(borrow, rename = "CidrIpv6")]
    cidr_ipv6: Option<Text<'a>>,
    #[serde(borrow)]
    prefix_list_id: Option<Text<'a>>,
    referenced_group_info: Option<WireReference>,
    description: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    tags: Vec<WireTag>,
    #[serde(default, rename = "IpPermissions")]
    _ingress: Absent,
    #[serde(default, rename = "IpPermissionsEgress")]
    _egress: Absent,
    #[serde(default, rename = "SecurityGroups")]
    _groups: Absent,
    #[serde(default, rename = "SecurityGroupRules")]
    _rules: Absent,
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A group of `describe-security-groups`.
pub(super) fn group(value: &Value) -> Result<DescribedGroup, DescribeError> {
    let wire: WireGroup<'_, Value> = WireGroup::deserialize(value)
        .map_err(|source| DescribeError::Group { group: text_of(value, "GroupId"), source })?;
    wire.with_rules(permission_of)
}

impl<'a> WireGroup<'a, Object<WirePermission<'a>>> {
    /// The group, whose permissions have the right shape.
    pub(super) fn described(self) -> Result<DescribedGroup, DescribeError> {
        self.with_rules(|Object(permission), direction, named, rules| {
            permission_rules(permission, direction, named, rules)
        })
    }
}

impl<P> WireGroup<'_, P> {
    fn with_rules(
        self,
        rules_of: impl Fn(P, Direction, &Named<'_>, &mut Vec<Rule>) -> Result<(), DescribeError>,
    ) -> Result<DescribedGroup, DescribeError> {
        let place = place(self.security_group_arn, self.owner_id);
        let mut rules = Vec::new();
        for (direction, permissions) in [
            (Direction::Ingress, self.ip_permissions),
            (Direction::Egress, self.ip_permissions_egress),
        ] {
            for (number, permission) in (1..).zip(permissions) {
                let rule = Which::Permission(direction, number);
                let owner = place.account.as_deref();
                let named = Named { group: &self.group_id, rule, owner };
                rules_of(permission, direction, &named, &mut rules)?;
            }
        }
        let group = Group {
            id: self.group_id,
            name: self.group_name,
            vpc_id: self.vpc_id,
            owner: place.account.clone(),
            tags: tags(self.tags),
        };
        Ok(DescribedGroup { place, group, rules })
    }
}

/// A rule of `describe-security-group-rules`, as a group that has only that rule.
pub(super) fn rule(value: &Value) -> Result<DescribedGroup, DescribeError> {
    let wire = WireRule::deserialize(value).map_err(|source| {
        let id = text_of(value, "SecurityGroupRuleId");
        let rule = Which::Rule((!id.is_empty()).then_some(&*id)).to_string();
        DescribeError::RuleShape { group: text_of(value, "GroupId"), rule, source }
    })?;
    wire.described()
}

impl WireRule<'_> {
    /// The group that has only this rule.
    pub(super) fn described(self) -> Result<DescribedGroup, DescribeError> {
        let place = place(self.security_group_rule_arn, self.group_owner_id);
        let id = self.security_group_rule_id.as_deref().filter(|id| !id.is_empty());
        let owner = place.account.as_deref();
        let named = Named { group: &self.group_id, rule: Which::Rule(id), owner };
        let direction = if self.is_egress { Direction::Egress } else { Direction::Ingress };
        let mut peers = Vec::new();
        for text in [self.cidr_ipv4, self.cidr_ipv6, self.prefix_list_id].into_iter().flatten() {
            peers.push(named.peer(&text.0)?);
        }
        if let Some(reference) = self.referenced_group_info {
            peers.push(named.group_peer(reference.group_id, reference.user_id));
        }
        let peer = named.only(peers)?;
        let protocol = named.checked(self.ip_protocol.parse())?;
        let mut rule =
            named.checked(Rule::new(direction, protocol, self.from_port, self.to_port, peer))?;
        rule.id = self.security_group_rule_id;
        rule.description = described(self.description);
        rule.tags = tags(self.tags);
        let group = Group { id: self.group_id, owner: place.account.clone(), ..Group::default() };
        Ok(DescribedGroup { place, group, rules: vec![rule] })
    }
}

/// Which rule or rules of a group an error is about.
#[derive(Clone, Copy)]
enum Which<'a> {
    /// One of the permissions of a direction, from 1.
    Permission(Direction, usize),
    /// The rule of that id.
    Rule(Option<&'a str>),
}

impl fmt::Display for Which<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permission(direction, number) => write!(f, "{direction} permission {number}"),
            Self::Rule(Some(id)) => write!(f, "the rule `{id}`"),
            Self::Rule(None) => f.write_str("a rule"),
        }
    }
}

/// What a rule is called in an error, and whose group it is.
struct Named<'a> {
    group: &'a str,
    rule: Which<'a>,
    owner: Option<&'a str>,
}

impl Named<'_> {
    fn checked<T>(&self, result: Result<T, RuleError>) -> Result<T, DescribeError> {
        result.map_err(|source| DescribeError::Rule {
            group: self.group.to_owned(),
            rule: self.rule.to_string(),
            source,
        })
    }

    fn no_peer(&self) -> DescribeError {
        DescribeError::NoPeer { group: self.group.to_owned(), rule: self.rule.to_string() }
    }

    /// The one peer that a rule has.
    fn only(&self, mut peers: Vec<Peer>) -> Result<Peer, DescribeError> {
        match (peers.pop(), peers.len()) {
            (Some(peer), 0) => Ok(peer),
            (None, _) => Err(self.no_peer()),
            (Some(_), more) => Err(DescribeError::Peers {
                group: self.group.to_owned(),
                rule: self.rule.to_string(),
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

fn permission_of(
    mut value: Value,
    direction: Direction,
    named: &Named<'_>,
    rules: &mut Vec<Rule>,
) -> Result<(), DescribeError> {
    let unknown = value.as_object_mut().and_then(WirePermission::take_unknown);
    let Object(wire) = Object::deserialize(&value).map_err(|source| DescribeError::RuleShape {
        group: named.group.to_owned(),
        rule: named.rule.to_string(),
        source,
    })?;
    match unknown {
        Some(unknown) => Err(DescribeError::Unknown {
            group: named.group.to_owned(),
            rule: named.rule.to_string(),
            unknown,
        }),
        None => permission_rules(wire, direction, named, rules),
    }
}

fn permission_rules(
    wire: WirePermission<'_>,
    direction: Direction,
    named: &Named<'_>,
    rules: &mut Vec<Rule>,
) -> Result<(), DescribeError> {
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
fn place(arn: Option<Text<'_>>, owner: Option<String>) -> Place {
    let arn = arn.as_ref().map(|arn| &*arn.0).unwrap_or_default();
    let mut parts = arn.split(':').skip(3);
    let mut part = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
    let (region, account) = (part(), part());
    Place { account: owner.or(account), region }
}

fn text_of(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}
