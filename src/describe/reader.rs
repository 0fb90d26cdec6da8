//! The reader of security groups and rules.
//!
//! It reads the input from beginning to end and keeps only the group or rule that it is reading.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde_json::Value;

use super::document::{
    self, Text, announces_more, aws_error, duplicate_key, list_keys, or_default,
};
use super::error::{DescribeError, RuleFault};
use super::model::{DescribedGroup, Location};
use super::permission::{GroupPair, Owner, Permission, without_empty};
use crate::ec2::{Arn, Direction, Group, GroupId, ListId, Peer, Place, Rule, RuleId};

/// Receives each group, and each rule as a group with only that rule. It can stop the reading.
pub(super) type Take<'t> = dyn FnMut(DescribedGroup) -> ControlFlow<()> + 't;

/// Reads the input to its end, or until `take` breaks.
pub(super) fn read(input: &[u8], take: &mut Take<'_>) -> Result<ControlFlow<()>, DescribeError> {
    let mut reader = Reader { take, more: false, fault: None };
    let flow = document::each(input, |json| {
        let Err(error) = (Item { reader: &mut reader, only_array: false }).deserialize(json) else {
            return Ok(ControlFlow::Continue(()));
        };
        if let Some(Fault::Stopped) = reader.fault {
            return Ok(ControlFlow::Break(()));
        }
        Err(document::explain(error, |source| match reader.fault.take() {
            Some(Fault::Error(error)) => error,
            Some(Fault::Shape(location)) => DescribeError::Shape { location, source },
            _ => DescribeError::NotGroups { source },
        }))
    })?;
    if reader.more && flow.is_continue() { Err(DescribeError::Partial) } else { Ok(flow) }
}

struct Reader<'t, 'f> {
    take: &'t mut Take<'f>,
    /// Whether the last object that was read has a `NextToken`.
    more: bool,
    /// Why the reading ended.
    fault: Option<Fault>,
}

/// What serde's error doesn't say.
enum Fault {
    /// The input is of another kind.
    OtherKind,
    /// What serde's error is about.
    Shape(Location),
    /// The error to report instead of serde's.
    Error(DescribeError),
    /// There is no error; `take` stopped the reading.
    Stopped,
}

impl Reader<'_, '_> {
    /// Makes an error that ends the reading. Only `fault` counts afterwards.
    fn end<E: Error>(&mut self, fault: Fault) -> E {
        self.fault = Some(fault);
        E::custom("")
    }
}

/// A group, a rule, an output with an array of either, or an array of all these.
struct Item<'r, 't, 'f> {
    reader: &'r mut Reader<'t, 'f>,
    only_array: bool,
}

impl<'de> DeserializeSeed<'de> for Item<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { reader, only_array } = self;
        deserializer.deserialize_any(Item { reader: &mut *reader, only_array }).inspect_err(|_| {
            reader.fault.get_or_insert(Fault::OtherKind);
        })
    }
}

impl<'de> Visitor<'de> for Item<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.only_array { "an array" } else { "an object or an array" })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<(), A::Error> {
        while parts
            .next_element_seed(Item { reader: &mut *self.reader, only_array: false })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        if self.only_array {
            return Err(A::Error::invalid_type(Unexpected::Map, &self));
        }
        let mut object = Object::default();
        object.read(members, self.reader).inspect_err(|_| {
            self.reader.fault.get_or_insert_with(|| Fault::Shape(object.location()));
        })
    }
}

/// The members of an object. Which of them there are decides whether it is a group, a rule or an
/// output. It can be several of these, and then all of them are read.
#[derive(Default)]
struct Object<'de> {
    keys: Vec<Cow<'de, str>>,
    // Of outputs.
    is_output: bool,
    more: bool,
    error: Option<Value>,
    // Of groups and rules.
    group_id: Option<GroupId>,
    owner: Option<Text<'de>>,
    arn: Option<Text<'de>>,
    tags: BTreeMap<String, String>,
    // Of groups.
    name: Option<String>,
    vpc_id: Option<String>,
    ingress: Option<Vec<Permission<'de>>>,
    egress: Option<Vec<Permission<'de>>>,
    /// Which of the two is being read.
    reading: Option<Direction>,
    // Of rules.
    rule_id: Option<RuleId>,
    is_egress: Option<bool>,
    protocol: Option<Text<'de>>,
    from_port: Option<i32>,
    to_port: Option<i32>,
    ipv4: Option<Text<'de>>,
    ipv6: Option<Text<'de>>,
    list: Option<ListId>,
    group: Option<GroupPair<'de>>,
    description: Option<String>,
}

impl<'de> Object<'de> {
    fn read<A: MapAccess<'de>>(
        &mut self,
        mut members: A,
        reader: &mut Reader<'_, '_>,
    ) -> Result<(), A::Error> {
        while let Some(Text(key)) = members.next_key()? {
            if self.keys.contains(&key) {
                return Err(duplicate_key(&key));
            }
            match &*key {
                "SecurityGroups" | "SecurityGroupRules" => {
                    self.is_output = true;
                    members.next_value_seed(Item { reader: &mut *reader, only_array: true })?;
                }
                "NextToken" => self.more = announces_more(&members.next_value()?),
                "Error" => self.error = Some(members.next_value()?),

                "GroupId" => self.group_id = Some(members.next_value()?),
                "OwnerId" | "GroupOwnerId" => self.owner = members.next_value()?,
                "SecurityGroupArn" | "SecurityGroupRuleArn" => self.arn = members.next_value()?,
                "Tags" => self.tags = members.next_value::<Tags>()?.0,

                "GroupName" => self.name = members.next_value()?,
                "VpcId" => self.vpc_id = members.next_value()?,
                "IpPermissions" => {
                    self.reading = Some(Direction::Ingress);
                    members.next_value_seed(Array(&mut self.ingress))?;
                    self.reading = None;
                }
                "IpPermissionsEgress" => {
                    self.reading = Some(Direction::Egress);
                    members.next_value_seed(Array(&mut self.egress))?;
                    self.reading = None;
                }

                "SecurityGroupRuleId" => self.rule_id = members.next_value()?,
                "IsEgress" => self.is_egress = Some(members.next_value()?),
                "IpProtocol" => self.protocol = members.next_value()?,
                "FromPort" => self.from_port = members.next_value()?,
                "ToPort" => self.to_port = members.next_value()?,
                "CidrIpv4" => self.ipv4 = members.next_value()?,
                "CidrIpv6" => self.ipv6 = members.next_value()?,
                "PrefixListId" => self.list = members.next_value()?,
                "ReferencedGroupInfo" => self.group = members.next_value()?,
                "Description" => self.description = members.next_value()?,
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
            self.keys.push(key);
        }
        self.finish(reader)
    }

    /// Passes on the group or rule, if the object is one.
    fn finish<E: Error>(&mut self, reader: &mut Reader<'_, '_>) -> Result<(), E> {
        reader.more = self.more;
        if self.is_group() || self.is_egress.is_some() {
            let part = self.described(reader)?;
            if (reader.take)(part).is_break() { Err(reader.end(Fault::Stopped)) } else { Ok(()) }
        } else if self.is_output {
            Ok(())
        } else if let Some(error) = &self.error {
            Err(reader.end(Fault::Error(aws_error(error))))
        } else {
            reader.fault = Some(Fault::OtherKind);
            Err(E::custom(match &self.keys[..] {
                [] => "found an empty object".to_owned(),
                keys => format!("found an object with {}", list_keys(keys)),
            }))
        }
    }

    fn is_group(&self) -> bool {
        self.ingress.is_some() || self.egress.is_some()
    }

    fn described<E: Error>(&mut self, reader: &mut Reader<'_, '_>) -> Result<DescribedGroup, E> {
        let id = self.group_id.clone().ok_or_else(|| E::missing_field("GroupId"))?;
        let arn = self.arn.take();
        let arn = arn.as_ref().and_then(|arn| Arn::parse(&arn.0));
        let region = arn.and_then(|arn| arn.region.parse().ok());
        let in_arn = || arn.map(|arn| Cow::Owned(arn.account.to_owned()));
        let owner = Owner::new(self.owner.take().map(|owner| owner.0).or_else(in_arn));

        let mut rules = Vec::new();
        // Objects of rules have the tags of the rule.
        let mut tags = None;
        if self.is_group() {
            tags = Some(mem::take(&mut self.tags));
            let ingress = self.ingress.take().ok_or_else(|| E::missing_field("IpPermissions"))?;
            let egress =
                self.egress.take().ok_or_else(|| E::missing_field("IpPermissionsEgress"))?;
            for (direction, permissions) in
                [(Direction::Ingress, ingress), (Direction::Egress, egress)]
            {
                for (number, permission) in (1..).zip(permissions) {
                    permission.add_rules(direction, &owner, &mut rules).map_err(|source| {
                        let group = Some(id.clone());
                        let rule = Location::Permission { group, direction, number };
                        reader.end(Fault::Error(DescribeError::Rule { rule, source }))
                    })?;
                }
            }
        }
        if let Some(is_egress) = self.is_egress {
            let protocol = self.protocol.take().ok_or_else(|| E::missing_field("IpProtocol"))?;
            let direction = if is_egress { Direction::Egress } else { Direction::Ingress };
            rules.push(self.rule(direction, &protocol.0, &owner).map_err(|source| {
                reader.end(Fault::Error(DescribeError::Rule { rule: self.location(), source }))
            })?);
        }
        let account = owner.account.clone();
        let (name, vpc_id) = (self.name.take(), self.vpc_id.take());
        let group = Group { id, name, vpc_id, owner: owner.account, tags };
        Ok(DescribedGroup { place: Place { account, region }, group, rules })
    }

    fn rule(
        &mut self,
        direction: Direction,
        protocol: &str,
        owner: &Owner<'_>,
    ) -> Result<Rule, RuleFault> {
        let mut peers = Vec::new();
        let lost_peering = self.group.as_ref().is_some_and(GroupPair::has_lost_peering);
        for block in [self.ipv4.take(), self.ipv6.take()].into_iter().flatten() {
            peers.push(block.0.parse()?);
        }
        peers.extend(self.list.take().map(Peer::prefix_list));
        if let Some(group) = self.group.take() {
            peers.push(group.peer(owner)?);
        }
        let peer = match (peers.pop(), peers.len()) {
            (Some(peer), 0) => peer,
            (None, _) => return Err(RuleFault::NoPeer),
            (Some(_), others) => return Err(RuleFault::Peers(others + 1)),
        };
        let rule = Rule::new(direction, protocol.parse()?, self.from_port, self.to_port, peer)?;
        Ok(rule
            .with_id(self.rule_id.clone())
            .with_description(without_empty(self.description.take()))
            .with_tags(mem::take(&mut self.tags))
            .with_lost_peering(lost_peering))
    }

    /// What the object is, as far as its members have been read.
    fn location(&self) -> Location {
        let group = self.group_id.clone();
        let read = match self.reading {
            Some(Direction::Ingress) => self.ingress.as_ref(),
            Some(Direction::Egress) => self.egress.as_ref(),
            None => None,
        };
        match (self.reading.zip(read), group) {
            (Some((direction, read)), group) => {
                Location::Permission { group, direction, number: read.len() + 1 }
            }
            (None, group) if self.rule_id.is_some() || self.is_egress.is_some() => {
                Location::Rule { group, id: self.rule_id.clone() }
            }
            (None, Some(id)) => Location::Group(id),
            (None, None) => Location::Object,
        }
    }
}

/// Reads an array into a vector that keeps the elements before an error. `null` counts as absent.
struct Array<'a, T>(&'a mut Option<Vec<T>>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Array<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Array<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let read = self.0.insert(Vec::new());
        while let Some(element) = elements.next_element()? {
            read.push(element);
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Tags(#[serde(deserialize_with = "tags")] BTreeMap<String, String>);

fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Tag {
        key: String,
        #[serde(default, deserialize_with = "or_default")]
        value: String,
    }

    let tags: Vec<Tag> = or_default(deserializer)?;
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}
