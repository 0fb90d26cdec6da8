//! Calls of `aws ec2` that add and remove rules, as lines for a shell.
//!
//! Names and descriptions come from whoever made the rule. They reach the shell only inside single
//! quotes, as JSON in plain ASCII.

use std::fmt::{self, Display, Formatter};

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::hold::{self, Hold};
use super::{Direction, GroupId, ListId, Peer, Reference, Region, Rule};
use crate::text::escape::{ascii_json, shell_word};

/// What a line changes first: the rule itself, or the pieces that take its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    RuleFirst,
    PiecesFirst,
}

/// One line: authorises `rule` again with its description, its tags and `hold`, then revokes
/// `pieces`. `None` where the region is not known or there is nothing to do.
///
/// EC2 gives a rule 50 tags. A rule that has 49 or 50 of its own has no room for a hold. The line
/// names them all, and EC2 refuses it as a whole (`TagLimitExceeded`), so nothing is lost unseen.
pub fn undo(
    region: Option<&Region>,
    group: &GroupId,
    rule: Option<&Rule>,
    pieces: &[Rule],
    sequence: Sequence,
    hold: Option<&Hold>,
) -> Option<String> {
    let region = Some(region?);
    let mut calls: Vec<Command> =
        rule.map(|rule| Command::authorize(region, group, &[rule], hold)).into_iter().collect();
    if let Some(first) = pieces.first() {
        calls.push(Command::revoke(region, group, first.direction(), pieces));
    }
    if sequence == Sequence::PiecesFirst {
        calls.reverse();
    }
    line(&calls)
}

/// One line that replaces `rules` by `pieces`, as a revert does: it authorises the pieces, then
/// revokes the rules, each alone. In a full group it revokes the rules first, and authorises each piece alone, the
/// first one first: EC2 refuses a call completely if there is no room for one of its rules.
pub fn replace_line(
    region: Option<&Region>,
    group: &GroupId,
    rules: &[Rule],
    pieces: &[Rule],
    sequence: Sequence,
) -> String {
    let revoke =
        |rule: &Rule| Command::revoke(region, group, rule.direction(), std::slice::from_ref(rule));
    let revoke = rules.iter().map(|rule| revoke(rule).to_string());
    let authorize = |pieces: &[Rule]| authorize_line(region, group, pieces, None);
    let calls: Vec<String> = match sequence {
        Sequence::PiecesFirst => authorize(pieces).into_iter().chain(revoke).collect(),
        Sequence::RuleFirst => revoke.chain(pieces.chunks(1).filter_map(authorize)).collect(),
    };
    calls.join(" && ")
}

/// One line that revokes rules of one direction. Those of the same protocol and ports are one
/// element of it, which keeps it short.
pub fn revoke_line(region: Option<&Region>, group: &GroupId, rules: &[&Rule]) -> Option<String> {
    let direction = rules.first()?.direction();
    let mut permissions: Vec<Value> = Vec::new();
    for rule in rules {
        let new = permission(rule, false);
        let same = |other: &&mut Value| {
            ["IpProtocol", "FromPort", "ToPort"].iter().all(|key| other.get(key) == new.get(key))
        };
        match permissions.iter_mut().find(same).and_then(Value::as_object_mut) {
            Some(other) => add_peers(other, new),
            None => permissions.push(new),
        }
    }
    Some(Command::new("revoke", direction, region, group, permissions).to_string())
}

/// Adds the peers of another element of `--ip-permissions` with the same protocol and ports.
fn add_peers(permission: &mut Map<String, Value>, other: Value) {
    let Value::Object(other) = other else { return };
    for (key, value) in other {
        match (permission.get_mut(&key), value) {
            (Some(Value::Array(peers)), Value::Array(more)) => peers.extend(more),
            (Some(_), _) => {}
            (None, value) => {
                permission.insert(key, value);
            }
        }
    }
}

/// One line that authorises rules with their descriptions, their tags and `hold`; as many calls as
/// there are directions and different tags. `None` where there is no rule. The limit of [`undo`]
/// applies here too.
pub fn authorize_line(
    region: Option<&Region>,
    group: &GroupId,
    rules: &[Rule],
    hold: Option<&Hold>,
) -> Option<String> {
    // A call has one direction, and its tags go to each of its rules.
    let mut alike: Vec<Vec<&Rule>> = Vec::new();
    for rule in rules {
        let same =
            |other: &&Rule| other.direction() == rule.direction() && other.tags() == rule.tags();
        match alike.iter_mut().find(|rules| rules.first().is_some_and(same)) {
            Some(rules) => rules.push(rule),
            None => alike.push(vec![rule]),
        }
    }
    let calls: Vec<Command> =
        alike.iter().map(|rules| Command::authorize(region, group, rules, hold)).collect();
    line(&calls)
}

/// One line that adds entries to a prefix list of this version. `None` where there are none, or more
/// than a call takes.
pub fn add_entries_line(
    region: &Region,
    list: &ListId,
    version: i64,
    entries: &[IpNet],
) -> Option<String> {
    /// "AddEntries.N", in the EC2 API reference of the call.
    const MOST: usize = 100;
    if entries.is_empty() || entries.len() > MOST {
        return None;
    }
    let entries: Vec<String> =
        entries.iter().map(|net| shell_word(&format!("Cidr={net}"))).collect();
    Some(format!(
        "aws ec2 modify-managed-prefix-list --region {} --prefix-list-id {} --current-version \
         {version} --add-entries {}",
        shell_word(region.as_str()),
        shell_word(list.as_str()),
        entries.join(" ")
    ))
}

fn line(calls: &[Command]) -> Option<String> {
    let calls: Vec<String> = calls.iter().map(Command::to_string).collect();
    (!calls.is_empty()).then(|| calls.join(" && "))
}

/// A call of `aws ec2`. Displayed, it is a line for a shell with everything quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    verb: String,
    options: Vec<(&'static str, String)>,
}

impl Command {
    /// Adds rules of one direction to a group, with the tags of the first of them and of `hold`.
    /// Without a region, `aws` uses the one it is configured with.
    pub fn authorize(
        region: Option<&Region>,
        group: &GroupId,
        rules: &[&Rule],
        hold: Option<&Hold>,
    ) -> Self {
        let direction = rules.first().map_or(Direction::Ingress, |rule| rule.direction());
        let permissions = rules.iter().map(|rule| permission(rule, true)).collect();
        let mut call = Self::new("authorize", direction, region, group, permissions);
        let tags = rules.first().map(|rule| tags(rule, hold)).unwrap_or_default();
        if !tags.is_empty() {
            let tags = json!([{ "ResourceType": "security-group-rule", "Tags": tags }]);
            call.options.push(("--tag-specifications", ascii_json(&tags.to_string())));
        }
        call
    }

    fn revoke(
        region: Option<&Region>,
        group: &GroupId,
        direction: Direction,
        rules: &[Rule],
    ) -> Self {
        let permissions = rules.iter().map(|rule| permission(rule, false)).collect();
        Self::new("revoke", direction, region, group, permissions)
    }

    fn new(
        verb: &str,
        direction: Direction,
        region: Option<&Region>,
        group: &GroupId,
        permissions: Vec<Value>,
    ) -> Self {
        let region = region.map(|region| ("--region", region.to_string()));
        let options = region.into_iter().chain([
            ("--group-id", group.to_string()),
            ("--ip-permissions", ascii_json(&Value::Array(permissions).to_string())),
        ]);
        Self { verb: format!("{verb}-security-group-{direction}"), options: options.collect() }
    }

    /// The arguments of the program `aws`.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        let options = self.options.iter().flat_map(|(name, value)| [*name, value.as_str()]);
        ["ec2", &self.verb].into_iter().chain(options)
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "aws ec2 {}", self.verb)?;
        let mut options = self.options.iter();
        options.try_for_each(|(name, value)| write!(f, " {name} {}", shell_word(value)))
    }
}

/// The rule's tags, and those of the hold instead of an earlier one's.
fn tags(rule: &Rule, hold: Option<&Hold>) -> Vec<Value> {
    // Only AWS may set tags that begin with `aws:`; with one, the whole call is refused.
    let old = rule.tags().iter().filter(|(key, _)| !key.to_ascii_lowercase().starts_with("aws:"));
    let old = old.filter(|(key, _)| hold.is_none() || !key.starts_with(hold::OWN_TAGS));
    let old = old.map(|(key, value)| json!({ "Key": key, "Value": value }));
    let new = hold.map(hold::tags).into_iter().flatten();
    old.chain(new.map(|(key, value)| json!({ "Key": key, "Value": value }))).collect()
}

/// The rule as an element of `--ip-permissions`.
fn permission(rule: &Rule, describe: bool) -> Value {
    let mut out = Map::new();
    out.insert("IpProtocol".to_owned(), Value::String(rule.protocol().to_api()));
    for (key, port) in [("FromPort", rule.from_port()), ("ToPort", rule.to_port())] {
        if let Some(port) = port {
            out.insert(key.to_owned(), Value::from(port));
        }
    }
    let (list, mut peer) = match rule.peer() {
        Peer::Ipv4(net) => ("IpRanges", json!({ "CidrIp": net.to_string() })),
        Peer::Ipv6(net) => ("Ipv6Ranges", json!({ "CidrIpv6": net.to_string() })),
        Peer::Reference(Reference::PrefixList(id)) => {
            ("PrefixListIds", json!({ "PrefixListId": id }))
        }
        Peer::Reference(Reference::Group(group)) => match group.account() {
            Some(account) => {
                ("UserIdGroupPairs", json!({ "GroupId": group.id(), "UserId": account }))
            }
            None => ("UserIdGroupPairs", json!({ "GroupId": group.id() })),
        },
    };
    if let Some(description) = rule.description().filter(|text| describe && !text.is_empty()) {
        peer.as_object_mut().map(|peer| peer.insert("Description".to_owned(), description.into()));
    }
    out.insert(list.to_owned(), json!([peer]));
    Value::Object(out)
}

#[cfg(test)]
mod tests;
