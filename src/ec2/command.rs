//! Calls of `aws ec2` that put rules into a group and take them out: the shell line that puts a group
//! back as it was, and the one that opens something for a while.
//!
//! Names and descriptions come from whoever made the rule, so nothing of them reaches the shell but
//! inside single quotes, as JSON in plain ASCII.

use std::fmt::{self, Display, Formatter};

use serde_json::{Map, Value, json};

use crate::ec2::hold::{self, Hold};
use crate::ec2::ids::{is_group_id, is_region};
use crate::ec2::{Direction, GroupRef, Peer, Reference, Rule};

/// Which comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// The rule, so that what the pieces admit is admitted throughout.
    RuleFirst,
    /// The pieces go first, because the group is full.
    PiecesFirst,
}

/// One line: authorises `rule` again with its description, its tags and `hold`, then revokes
/// `pieces`. `None` where the region is not known, or where what an event has in the place of a
/// region or of a group's id is none.
///
/// EC2 gives a rule 50 tags. One that has 49 or 50 of its own has no room for a hold: the line names
/// them all, and EC2 refuses it whole (`TagLimitExceeded`), so that nothing is lost unseen.
pub fn undo(
    region: Option<&str>,
    group: &str,
    rule: Option<&Rule>,
    pieces: &[Rule],
    sequence: Sequence,
    hold: Option<&Hold>,
) -> Option<String> {
    let region = Some(region?);
    if !is_place(region, group) {
        return None;
    }
    let mut calls: Vec<Call> =
        rule.map(|rule| Call::authorize(region, group, &[rule], hold)).into_iter().collect();
    if let Some(first) = pieces.first() {
        calls.push(Call::revoke(region, group, first.direction, pieces));
    }
    if sequence == Sequence::PiecesFirst {
        calls.reverse();
    }
    line(&calls)
}

/// One line that authorises rules with their descriptions, their tags and `hold`; as many calls as
/// there are directions and different tags. `None` where there is no rule. The limit of [`undo`]
/// holds here too.
pub fn authorize_line(
    region: Option<&str>,
    group: &str,
    rules: &[Rule],
    hold: Option<&Hold>,
) -> Option<String> {
    if !is_place(region, group) {
        return None;
    }
    // A call has one direction, and its tags go to each of its rules.
    let mut alike: Vec<Vec<&Rule>> = Vec::new();
    for rule in rules {
        let same = |other: &&Rule| other.direction == rule.direction && other.tags == rule.tags;
        match alike.iter_mut().find(|rules| rules.first().is_some_and(same)) {
            Some(rules) => rules.push(rule),
            None => alike.push(vec![rule]),
        }
    }
    let calls: Vec<Call> =
        alike.iter().map(|rules| Call::authorize(region, group, rules, hold)).collect();
    line(&calls)
}

/// Whether a line can name the group. A program takes more than names: `aws` reads what is at
/// `file:///…`, and what begins with a dash is an option.
fn is_place(region: Option<&str>, group: &str) -> bool {
    region.is_none_or(is_region) && is_group_id(group)
}

fn line(calls: &[Call]) -> Option<String> {
    let calls: Vec<String> = calls.iter().map(Call::to_string).collect();
    (!calls.is_empty()).then(|| calls.join(" && "))
}

/// A call of `aws ec2`: shown, a line for a shell with everything quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    verb: String,
    options: Vec<(&'static str, String)>,
}

impl Call {
    /// Puts rules of one direction into a group, with the tags of the first of them and of `hold`.
    /// Without a region it is the one that `aws` is set to.
    pub fn authorize(
        region: Option<&str>,
        group: &str,
        rules: &[&Rule],
        hold: Option<&Hold>,
    ) -> Self {
        let direction = rules.first().map_or(Direction::Ingress, |rule| rule.direction);
        let permissions = rules.iter().map(|rule| permission(rule, true)).collect();
        let mut call = Self::new("authorize", direction, region, group, permissions);
        let tags = rules.first().map(|rule| tags(rule, hold)).unwrap_or_default();
        if !tags.is_empty() {
            let tags = json!([{ "ResourceType": "security-group-rule", "Tags": tags }]);
            call.options.push(("--tag-specifications", ascii(&tags)));
        }
        call
    }

    fn revoke(region: Option<&str>, group: &str, direction: Direction, rules: &[Rule]) -> Self {
        let permissions = rules.iter().map(|rule| permission(rule, false)).collect();
        Self::new("revoke", direction, region, group, permissions)
    }

    fn new(
        verb: &str,
        direction: Direction,
        region: Option<&str>,
        group: &str,
        permissions: Vec<Value>,
    ) -> Self {
        let region = region.map(|region| ("--region", region.to_owned()));
        let options = region.into_iter().chain([
            ("--group-id", group.to_owned()),
            ("--ip-permissions", ascii(&Value::Array(permissions))),
        ]);
        Self { verb: format!("{verb}-security-group-{direction}"), options: options.collect() }
    }

    /// What the program `aws` is started with.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        let options = self.options.iter().flat_map(|(name, value)| [*name, value.as_str()]);
        ["ec2", &self.verb].into_iter().chain(options)
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "aws ec2 {}", self.verb)?;
        self.options.iter().try_for_each(|(name, value)| write!(f, " {name} {}", quoted(value)))
    }
}

/// The tags of the rule, with those of the hold in the place of an earlier one's.
fn tags(rule: &Rule, hold: Option<&Hold>) -> Vec<Value> {
    // Nobody but AWS may set tags that begin with `aws:`; with one, the whole call is refused.
    let old = rule.tags.iter().filter(|(key, _)| !key.to_ascii_lowercase().starts_with("aws:"));
    let old = old.filter(|(key, _)| hold.is_none() || !key.starts_with(hold::OWN_TAGS));
    let old = old.map(|(key, value)| json!({ "Key": key, "Value": value }));
    let new = hold.map(hold::tags).into_iter().flatten();
    old.chain(new.map(|(key, value)| json!({ "Key": key, "Value": value }))).collect()
}

/// The rule as an element of `--ip-permissions`.
fn permission(rule: &Rule, describe: bool) -> Value {
    let mut out = Map::new();
    let protocol = match rule.protocol.to_string().as_str() {
        "all" => "-1".to_owned(),
        other => other.to_owned(),
    };
    out.insert("IpProtocol".to_owned(), Value::String(protocol));
    for (key, port) in [("FromPort", rule.from_port), ("ToPort", rule.to_port)] {
        if let Some(port) = port {
            out.insert(key.to_owned(), Value::from(port));
        }
    }
    let mut peer = Map::new();
    let list = match &rule.peer {
        Peer::Ipv4(net) => {
            peer.insert("CidrIp".to_owned(), Value::String(net.to_string()));
            "IpRanges"
        }
        Peer::Ipv6(net) => {
            peer.insert("CidrIpv6".to_owned(), Value::String(net.to_string()));
            "Ipv6Ranges"
        }
        Peer::Reference(Reference::PrefixList(id)) => {
            peer.insert("PrefixListId".to_owned(), Value::String(id.clone()));
            "PrefixListIds"
        }
        Peer::Reference(Reference::Group(GroupRef { account, id })) => {
            peer.insert("GroupId".to_owned(), Value::String(id.clone()));
            if let Some(account) = account {
                peer.insert("UserId".to_owned(), Value::String(account.clone()));
            }
            "UserIdGroupPairs"
        }
    };
    if let Some(description) = rule.description.as_ref().filter(|text| describe && !text.is_empty())
    {
        peer.insert("Description".to_owned(), Value::String(description.clone()));
    }
    out.insert(list.to_owned(), Value::Array(vec![Value::Object(peer)]));
    Value::Object(out)
}

/// JSON in ASCII only: whatever else a description holds is escaped, so that it is inert on a
/// terminal too.
fn ascii(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        if matches!(c, ' '..='~') {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
