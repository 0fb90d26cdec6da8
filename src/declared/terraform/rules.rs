//! From the arguments of a resource or of a block to the rules that EC2 makes of them.

use serde_json::Value;

use super::config::longest;
use crate::declared::model::{PlanError, Unknown, Why};
use crate::ec2::{Direction, GroupId, ListId, Peer, Protocol, Rule};

/// The arguments that name peers: of blocks and `aws_security_group_rule`, and of
/// `aws_vpc_security_group_…gress_rule`.
const CIDRS: [&str; 4] = ["cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6"];
const LISTS: [&str; 2] = ["prefix_list_ids", "prefix_list_id"];
const GROUPS: [&str; 3] =
    ["security_groups", "source_security_group_id", "referenced_security_group_id"];
const PROTOCOLS: [&str; 2] = ["protocol", "ip_protocol"];

/// The values of a resource or of a block, of which some may be known only after apply.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub values: &'a Value,
    pub unknown: &'a Value,
    /// The expressions of the configuration: of the resource, or of the whole argument whose blocks
    /// these are.
    pub expressions: Option<&'a Value>,
    /// Whether they are the expressions of all blocks together.
    pub are_shared: bool,
}

/// One value.
pub(super) enum Field<'a> {
    Absent,
    Known(&'a Value),
    Unknown,
}

/// What a reference to something that has no id yet turns out to be.
pub(super) trait Resolve {
    /// The group that the value of an expression comes from.
    fn group(&self, expression: &Value) -> Option<GroupId>;
    /// The prefix list that the value of an expression comes from.
    fn list(&self, expression: &Value) -> Option<ListId>;
}

/// A rule with what is not known of it.
pub(super) struct Read {
    pub rule: Rule,
    pub peer: &'static str,
    pub unknown: Vec<Unknown>,
    pub is_wider_than_known: bool,
}

impl<'a> Values<'a> {
    /// A value by the name of its argument.
    pub fn field(&self, name: &str) -> Field<'a> {
        let is_unknown = match self.unknown {
            Value::Bool(all) => *all,
            unknown => unknown.get(name) == Some(&Value::Bool(true)),
        };
        match self.values.get(name) {
            _ if is_unknown => Field::Unknown,
            None | Some(Value::Null) => Field::Absent,
            Some(value) => Field::Known(value),
        }
    }

    /// A text that is known and not empty.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        match self.field(name) {
            Field::Known(value) => value.as_str().filter(|text| !text.is_empty()),
            Field::Absent | Field::Unknown => None,
        }
    }

    /// The values of an argument that is a list or one value; `None` for each that is unknown.
    fn items(&self, name: &str) -> Vec<Option<&'a Value>> {
        match self.field(name) {
            Field::Absent => Vec::new(),
            Field::Unknown => vec![None],
            Field::Known(Value::Array(items)) => {
                let unknown = self.unknown.get(name);
                let is_unknown = |at: usize| {
                    unknown.is_some_and(|it| it.get(at).is_some_and(|it| *it == Value::Bool(true)))
                };
                let item = |(at, value)| if is_unknown(at) { None } else { Some(value) };
                items.iter().enumerate().map(item).collect()
            }
            Field::Known(value) if value.as_str() == Some("") => Vec::new(),
            Field::Known(value) => vec![Some(value)],
        }
    }

    /// The expression of an argument.
    fn expression(&self, name: &str) -> Option<&'a Value> {
        match self.are_shared {
            true => self.expressions,
            false => self.expressions?.get(name),
        }
    }

    fn unknown(&self, name: &str) -> Unknown {
        let from = self.expression(name).map(longest).unwrap_or_default();
        Unknown { name: name.to_owned(), why: Why::AfterApply(from) }
    }

    /// The rules of a direction that EC2 makes of it, one for each peer. `own` is the group that has
    /// them, `address` the resource that an error names.
    pub fn rules(
        &self,
        direction: Direction,
        own: &GroupId,
        address: &str,
        resolve: &impl Resolve,
    ) -> Result<Vec<Read>, PlanError> {
        let bad = |name: &str, value: &Value| PlanError::Rule {
            address: address.to_owned(),
            name: name.to_owned(),
            value: value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned),
        };
        let mut wider = Vec::new();
        let mut protocol = Protocol::All;
        for name in PROTOCOLS {
            match self.field(name) {
                Field::Unknown => wider.push(self.unknown(name)),
                Field::Known(value) => {
                    protocol = protocol_of(value).ok_or_else(|| bad(name, value))?;
                }
                Field::Absent => {}
            }
        }
        let mut port = |name: &str| match self.field(name) {
            Field::Unknown => {
                // Where the protocol is unknown too, ports mean nothing yet.
                wider.push(self.unknown(name));
                Ok(None)
            }
            Field::Known(value) => number(value).map(Some).ok_or_else(|| bad(name, value)),
            Field::Absent => Ok(None),
        };
        let (mut from, mut to) = (port("from_port")?, port("to_port")?);
        if !wider.is_empty() {
            (from, to) = (None, None);
        }
        // These protocols have no ports, whatever is written or will be.
        if !protocol.has_ports() && !protocol.is_icmp() {
            let of_protocol = |unknown: &Unknown| PROTOCOLS.contains(&unknown.name.as_str());
            wider.retain(of_protocol);
        }
        let description = self.text("description").map(ToOwned::to_owned);
        let tags = tags(self);
        let mut read = Vec::new();
        let mut add = |name: &'static str, peer: Peer, more: Option<Unknown>| {
            let rule =
                Rule::new(direction, protocol, from, to, peer).map_err(|_| PlanError::Rule {
                    address: address.to_owned(),
                    name: "from_port".to_owned(),
                    value: format!(
                        "{} (to_port {}, {protocol})",
                        from.map_or_else(|| "absent".to_owned(), |port| port.to_string()),
                        to.map_or_else(|| "absent".to_owned(), |port| port.to_string())
                    ),
                })?;
            read.push(Read {
                rule: rule.with_description(description.clone()).with_tags(tags.clone()),
                peer: name,
                is_wider_than_known: !wider.is_empty(),
                unknown: wider.iter().cloned().chain(more).collect(),
            });
            Ok(())
        };
        for name in CIDRS {
            for item in self.items(name) {
                match item {
                    Some(value) => {
                        let net = value
                            .as_str()
                            .and_then(|text| text.trim().parse::<ipnet::IpNet>().ok());
                        add(name, net.ok_or_else(|| bad(name, value))?.into(), None)?;
                    }
                    None => add(name, self.not_known(name, address), Some(self.unknown(name)))?,
                }
            }
        }
        for name in LISTS {
            for item in self.items(name) {
                match item {
                    Some(value) => {
                        let id = value.as_str().and_then(|text| text.parse().ok());
                        add(name, Peer::prefix_list(id.ok_or_else(|| bad(name, value))?), None)?;
                    }
                    None => match self.expression(name).and_then(|it| resolve.list(it)) {
                        Some(list) => add(name, Peer::prefix_list(list), None)?,
                        None => add(name, self.not_known(name, address), Some(self.unknown(name)))?,
                    },
                }
            }
        }
        for name in GROUPS {
            for item in self.items(name) {
                match item {
                    Some(value) => {
                        let peer = value.as_str().and_then(|text| text.parse::<Peer>().ok());
                        let peer =
                            peer.filter(|peer| peer.list().is_none() && peer.reference().is_some());
                        add(name, peer.ok_or_else(|| bad(name, value))?, None)?;
                    }
                    None => match self.expression(name).and_then(|it| resolve.group(it)) {
                        Some(group) => add(name, Peer::group(group), None)?,
                        None => add(name, self.not_known(name, address), Some(self.unknown(name)))?,
                    },
                }
            }
        }
        match self.field("self") {
            Field::Known(Value::Bool(true)) => add("self", Peer::group(own.clone()), None)?,
            Field::Unknown if read_nothing_else(self) => {
                add("self", self.not_known("self", address), Some(self.unknown("self")))?;
            }
            _ => {}
        }
        Ok(read)
    }

    /// A peer that nobody knows yet. Like a prefix list that cannot be read, it may be anybody.
    fn not_known(&self, name: &str, address: &str) -> Peer {
        let from = self.expression(name).map(longest).unwrap_or_default();
        let called = match from.as_slice() {
            [only] if !self.are_shared => only.clone(),
            _ => format!("{address}.{name}"),
        };
        Peer::prefix_list(ListId::declared(&called))
    }
}

/// Whether no peer is named but perhaps the group itself.
fn read_nothing_else(values: &Values<'_>) -> bool {
    let names = CIDRS.iter().chain(&LISTS).chain(&GROUPS);
    names.copied().all(|name| values.items(name).is_empty())
}

fn tags(values: &Values<'_>) -> std::collections::BTreeMap<String, String> {
    let of = |name| match values.field(name) {
        Field::Known(Value::Object(tags)) => Some(tags),
        _ => None,
    };
    let all = of("tags_all").into_iter().chain(of("tags")).flatten();
    all.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// A protocol as Terraform takes it: EC2's spellings, and the names of two more.
fn protocol_of(value: &Value) -> Option<Protocol> {
    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    match text.trim().to_ascii_lowercase().as_str() {
        "" => Some(Protocol::All),
        "ah" => Some(Protocol::Number(51)),
        "esp" => Some(Protocol::Number(50)),
        other => other.parse().ok(),
    }
}

fn number(value: &Value) -> Option<i32> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_i64().and_then(|number| i32::try_from(number).ok()),
    }
}
