//! Rules that are to be closed, as the function hands them to itself.
//!
//! What finds a rule without an event that says it (a sweep, a change that is not understood) does
//! not close it: it hands the rule on first. The invocation that closes it then has it in its
//! payload, and so has whatever tries that again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Record;
use crate::ec2::ids::is_group_id;
use crate::ec2::{Direction, Rule};

/// The only member of such a payload.
const CLOSE: &str = "close";

/// An asynchronous invocation takes 256 KiB, and some of it is needed around the rules.
const MAX_BYTES: usize = 200 * 1024;

/// Characters of a reason for a person.
const REASON: usize = 200;

/// Rules that are to be closed, and told of together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Close {
    /// The change behind it, where there was one.
    pub record: Option<Record>,
    /// The rules, those of a group one after another.
    pub rules: Vec<RuleToClose>,
}

/// A rule of ingress that is to be closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleToClose {
    /// The account of the group.
    pub account: Option<String>,
    /// The region of the group.
    pub region: Option<String>,
    /// The id of the group.
    pub group: String,
    /// The rule as it was read.
    pub rule: Rule,
    /// What has to be said beside what became of it.
    pub note: Option<String>,
    /// What found it, which decides whether it may be closed.
    pub found_by: FoundBy,
}

/// What finds rules that no event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FoundBy {
    /// An audit of a whole group: by the sweep, or after a change that is not understood.
    Sweep,
    /// The check of holds.
    Holds,
    /// The audit of a group that left the scope.
    Leaving,
}

impl RuleToClose {
    /// Whether both are in one group, and were found alike.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    fn key(&self) -> (&Option<String>, &Option<String>, &str, FoundBy) {
        (&self.account, &self.region, &self.group, self.found_by)
    }
}

impl Close {
    /// The payloads that ask for it, each with the number of rules in it, and none too large for an
    /// invocation; [`decode`](super::decode) reads them back.
    pub fn to_payloads(&self) -> Vec<(Value, usize)> {
        let change = written(&self.record);
        let mut payloads = Vec::new();
        let (mut rules, mut size) = (Vec::new(), 0);
        for rule in self.rules.iter().map(|rule| written(&Listed::of(rule))) {
            let bytes = rule.to_string().len();
            if size + bytes > MAX_BYTES && !rules.is_empty() {
                payloads.push(payload(&change, std::mem::take(&mut rules)));
                size = 0;
            }
            size += bytes;
            rules.push(rule);
        }
        if !rules.is_empty() {
            payloads.push(payload(&change, rules));
        }
        payloads
    }
}

fn payload(change: &Value, rules: Vec<Value>) -> (Value, usize) {
    let count = rules.len();
    (json!({ CLOSE: { "change": change, "rules": rules } }), count)
}

/// Texts and numbers: there is nothing in it that could not be written.
fn written(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// What such a payload asks for; `None` where it is something else. A part of a record is, whatever
/// else is in it.
pub(super) fn of_payload(members: &Map<String, Value>) -> Option<Result<Close, String>> {
    let asked = members.get(CLOSE).filter(|_| members.len() == 1)?;
    Some(read(asked).map_err(|why| {
        let why: String = why.chars().take(REASON).collect();
        format!("what is to be closed is not understood: {why}")
    }))
}

fn read(asked: &Value) -> Result<Close, String> {
    let Asked { change, rules } = Asked::deserialize(asked).map_err(|error| error.to_string())?;
    if rules.is_empty() {
        return Err("it names no rule".to_owned());
    }
    let mut rules = rules.into_iter().map(Listed::rule).collect::<Result<Vec<_>, _>>()?;
    rules.sort_by(|a, b| a.key().cmp(&b.key()));
    let mut met = BTreeSet::new();
    rules.retain(|one| met.insert((one.group.clone(), one.rule.content())));
    Ok(Close { record: change, rules })
}

/// The payload as it is written. A version that writes more into it may have been rolled back.
#[derive(Deserialize)]
struct Asked {
    change: Option<Record>,
    rules: Vec<Listed>,
}

/// A rule, written as in a finding. Only ingress is ever closed.
#[derive(Serialize, Deserialize)]
struct Listed {
    account: Option<String>,
    region: Option<String>,
    group: String,
    id: Option<String>,
    protocol: String,
    from_port: Option<i32>,
    to_port: Option<i32>,
    peer: String,
    description: Option<String>,
    tags: BTreeMap<String, String>,
    note: Option<String>,
    found_by: FoundBy,
}

impl Listed {
    fn of(to_close: &RuleToClose) -> Self {
        let rule = &to_close.rule;
        Self {
            account: to_close.account.clone(),
            region: to_close.region.clone(),
            group: to_close.group.clone(),
            id: rule.id.clone(),
            protocol: rule.protocol.to_string(),
            from_port: rule.from_port,
            to_port: rule.to_port,
            peer: rule.peer.to_string(),
            description: rule.description.clone(),
            tags: rule.tags.clone(),
            note: to_close.note.clone(),
            found_by: to_close.found_by,
        }
    }

    fn rule(self) -> Result<RuleToClose, String> {
        if !is_group_id(&self.group) {
            return Err(format!("`{}` is no security group", self.group));
        }
        let new = || {
            let (protocol, peer) = (self.protocol.parse()?, self.peer.parse()?);
            Rule::new(Direction::Ingress, protocol, self.from_port, self.to_port, peer)
        };
        let mut rule = new().map_err(|error| error.to_string())?;
        (rule.id, rule.description, rule.tags) = (self.id, self.description, self.tags);
        let Self { account, region, group, note, found_by, .. } = self;
        Ok(RuleToClose { account, region, group, rule, note, found_by })
    }
}
