//! The values of a template: parameters, conditions, mappings and functions.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::declared::model::{Unknown, Why};
use crate::ec2::{GroupId, ListId};
use crate::text::yaml::{Node, Value};

pub(super) const GROUP: &str = "AWS::EC2::SecurityGroup";
pub(super) const LIST: &str = "AWS::EC2::PrefixList";

/// A resource of a stack that may be there.
pub(super) struct Resource<'n> {
    pub id: &'n str,
    pub kind: &'n str,
    pub node: &'n Node,
    /// Why it is not known whether it is there.
    pub unknown: Vec<Unknown>,
}

/// How deeply functions are nested and conditions refer to each other.
const MAX_DEPTH: usize = 64;

/// How much may be worked out for a template and those nested in it, in values and bytes. Functions
/// and conditions that refer to each other can ask for exponentially much.
const MOST: usize = 1 << 26;

/// How much is left of what may be worked out.
pub(super) struct Budget(Cell<usize>);

impl Budget {
    pub fn new() -> Self {
        Self(Cell::new(MOST))
    }

    /// Takes so much; `None` where that is not left, and then nothing is left for anybody.
    pub fn take(&self, size: usize) -> Option<()> {
        let left = self.0.get().checked_sub(size);
        self.0.set(left.unwrap_or(0));
        left.map(|_| ())
    }

    /// Whether it was not enough.
    pub fn is_used_up(&self) -> bool {
        self.0.get() == 0
    }
}

/// A value, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Val {
    Text(String),
    List(Vec<Val>),
    Map(BTreeMap<String, Val>),
    /// The property is left out.
    Nothing,
    Group(GroupId),
    PrefixList(ListId),
    Unknown(Why),
}

impl Val {
    /// The number of values in it, including itself, plus the bytes of their texts.
    fn size(&self) -> usize {
        let inside = match self {
            Self::Text(text) => text.len(),
            Self::List(items) => items.iter().map(Self::size).sum(),
            Self::Map(pairs) => pairs.iter().map(|(key, value)| key.len() + value.size()).sum(),
            Self::Nothing | Self::Group(_) | Self::PrefixList(_) | Self::Unknown(_) => 0,
        };
        inside.saturating_add(1)
    }
}

/// A template with its parameters.
pub(super) struct Scope<'n> {
    root: &'n Node,
    prefix: &'n str,
    given: BTreeMap<String, Val>,
    budget: &'n Budget,
}

fn elsewhere(what: &str) -> Val {
    Val::Unknown(Why::Elsewhere(what.to_owned()))
}

/// A function and its argument, in the short form or in the long one.
pub(super) fn function(node: &Node) -> Option<(&str, &Node)> {
    if let Some(tag) = node.tag.as_deref().and_then(|tag| tag.strip_prefix('!')) {
        return (!tag.starts_with('!')).then_some((tag, node));
    }
    let Value::Mapping(pairs) = &node.value else { return None };
    let [(key, argument)] = pairs.as_slice() else { return None };
    match key.text()? {
        name @ ("Ref" | "Condition") => Some((name, argument)),
        name => name.strip_prefix("Fn::").map(|name| (name, argument)),
    }
}

impl<'n> Scope<'n> {
    pub fn new(
        root: &'n Node,
        prefix: &'n str,
        given: BTreeMap<String, Val>,
        budget: &'n Budget,
    ) -> Self {
        Self { root, prefix, given, budget }
    }

    /// The resources that are there, or may be.
    pub fn resources(&self) -> Vec<Resource<'n>> {
        let all = self.root.get("Resources").into_iter().flat_map(Node::pairs);
        all.filter_map(|(id, node)| {
            let kind = node.get("Type")?.text()?;
            let condition = node.get("Condition").and_then(Node::text);
            let unknown = match condition.map(|name| (name, self.condition(name, MAX_DEPTH))) {
                Some((_, Some(false))) => return None,
                Some((name, None)) => vec![of_condition(name)],
                _ => Vec::new(),
            };
            Some(Resource { id, kind, node, unknown })
        })
        .collect()
    }

    /// The items of a list, and of what conditions put in their place. An item of a condition that
    /// is not known may be there.
    pub fn items<'v>(&self, list: &'v Node) -> Vec<(&'v Node, Vec<Unknown>)> {
        let mut items = Vec::new();
        self.add_items(list, &[], MAX_DEPTH, &mut items);
        items
    }

    fn add_items<'v>(
        &self,
        node: &'v Node,
        unknown: &[Unknown],
        depth: usize,
        items: &mut Vec<(&'v Node, Vec<Unknown>)>,
    ) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match function(node) {
            Some(("If", arguments)) => {
                let [condition, yes, no] = arguments.items() else { return };
                let name = condition.text().unwrap_or_default();
                match self.condition(name, MAX_DEPTH) {
                    Some(true) => self.add_items(yes, unknown, depth, items),
                    Some(false) => self.add_items(no, unknown, depth, items),
                    None => {
                        let unknown = [unknown, &[of_condition(name)]].concat();
                        self.add_items(yes, &unknown, depth, items);
                        self.add_items(no, &unknown, depth, items);
                    }
                }
            }
            Some(("Ref", name)) if name.text() == Some("AWS::NoValue") => {}
            // Whatever else makes a list: nobody knows what is in it.
            Some((name, _)) => {
                let why = Why::Elsewhere(name.to_owned());
                let unknown = [unknown, &[Unknown { name: "the list".to_owned(), why }]].concat();
                items.push((node, unknown));
            }
            None => match &node.value {
                Value::Sequence(all) => {
                    all.iter().for_each(|item| self.add_items(item, unknown, depth, items));
                }
                Value::Null => {}
                _ => items.push((node, unknown.to_vec())),
            },
        }
    }

    /// The value of a node.
    pub fn value(&self, node: &Node) -> Val {
        self.at(node, MAX_DEPTH)
    }

    fn at(&self, node: &Node, depth: usize) -> Val {
        let Some(depth) = depth.checked_sub(1) else { return elsewhere("a circle of references") };
        if self.budget.take(node.size()).is_none() {
            return elsewhere("too much");
        }
        if let Some((name, argument)) = function(node) {
            return self.call(name, argument, depth);
        }
        match &node.value {
            Value::Null => Val::Nothing,
            // A dynamic reference to Systems Manager or Secrets Manager.
            Value::Text(text) if text.contains("{{resolve:") => elsewhere(text),
            Value::Text(text) => Val::Text(text.clone()),
            Value::Sequence(items) => {
                let items = items.iter().map(|item| self.at(item, depth));
                Val::List(items.filter(|item| *item != Val::Nothing).collect())
            }
            Value::Mapping(_) => {
                let of = |(key, value): (&str, &Node)| (key.to_owned(), self.at(value, depth));
                Val::Map(node.pairs().map(of).collect())
            }
        }
    }

    fn call(&self, name: &str, argument: &Node, depth: usize) -> Val {
        // The argument of a short form carries the tag of the function itself.
        let argument = &argument.untagged();
        match name {
            "Ref" => {
                argument.text().map_or_else(|| elsewhere("Ref"), |it| self.reference(it, depth))
            }
            "GetAtt" => {
                let parts: Vec<&str> = match argument.text() {
                    Some(text) => text.splitn(2, '.').collect(),
                    None => argument.items().iter().filter_map(Node::text).collect(),
                };
                match parts.as_slice() {
                    [resource, attribute] => self.attribute(resource, attribute),
                    _ => elsewhere("Fn::GetAtt"),
                }
            }
            "Sub" => self.substituted(argument, depth),
            "Join" => {
                let [between, list] = argument.items() else { return elsewhere("Fn::Join") };
                match (self.at(between, depth), self.at(list, depth)) {
                    (Val::Text(between), Val::List(parts)) => joined(&between, parts),
                    (Val::Unknown(why), _) | (_, Val::Unknown(why)) => Val::Unknown(why),
                    _ => elsewhere("Fn::Join"),
                }
            }
            "Split" => {
                let [at, text] = argument.items() else { return elsewhere("Fn::Split") };
                match (self.at(at, depth), self.at(text, depth)) {
                    (Val::Text(at), Val::Text(text)) if !at.is_empty() => {
                        Val::List(text.split(&at).map(|it| Val::Text(it.to_owned())).collect())
                    }
                    (_, Val::Unknown(why)) => Val::Unknown(why),
                    _ => elsewhere("Fn::Split"),
                }
            }
            "Select" => {
                let [at, list] = argument.items() else { return elsewhere("Fn::Select") };
                match (self.at(at, depth), self.at(list, depth)) {
                    (Val::Text(at), Val::List(items)) => at
                        .parse::<usize>()
                        .ok()
                        .and_then(|at| items.get(at).cloned())
                        .unwrap_or_else(|| elsewhere("Fn::Select")),
                    (Val::Unknown(why), _) | (_, Val::Unknown(why)) => Val::Unknown(why),
                    _ => elsewhere("Fn::Select"),
                }
            }
            "If" => {
                let [condition, yes, no] = argument.items() else { return elsewhere("Fn::If") };
                let name = condition.text().unwrap_or_default();
                match self.condition(name, depth) {
                    Some(true) => self.at(yes, depth),
                    Some(false) => self.at(no, depth),
                    None => {
                        let (yes, no) = (self.at(yes, depth), self.at(no, depth));
                        if yes == no { yes } else { Val::Unknown(of_condition(name).why) }
                    }
                }
            }
            "FindInMap" => {
                let [map, first, second, ..] = argument.items() else {
                    return elsewhere("Fn::FindInMap");
                };
                match [map, first, second].map(|it| self.at(it, depth)) {
                    [Val::Text(map), Val::Text(first), Val::Text(second)] => {
                        let map = self.root.get("Mappings").and_then(|it| it.get(&map));
                        let found = map.and_then(|it| it.get(&first)?.get(&second));
                        found.map_or_else(|| elsewhere("Fn::FindInMap"), |it| self.at(it, depth))
                    }
                    [Val::Unknown(why), _, _]
                    | [_, Val::Unknown(why), _]
                    | [_, _, Val::Unknown(why)] => Val::Unknown(why),
                    _ => elsewhere("Fn::FindInMap"),
                }
            }
            other => elsewhere(&format!("Fn::{other}")),
        }
    }

    fn resource(&self, name: &str) -> Option<&'n Node> {
        self.root.get("Resources")?.get(name)
    }

    fn kind(&self, name: &str) -> Option<&'n str> {
        self.resource(name)?.get("Type")?.text()
    }

    fn reference(&self, name: &str, depth: usize) -> Val {
        if name == "AWS::NoValue" {
            return Val::Nothing;
        }
        if let Some(parameter) = self.root.get("Parameters").and_then(|it| it.get(name)) {
            return self.parameter(name, parameter, depth);
        }
        let address = format!("{}{name}", self.prefix);
        match self.kind(name) {
            Some(GROUP) => Val::Group(GroupId::declared(&address)),
            Some(LIST) => Val::PrefixList(ListId::declared(&address)),
            Some(_) => Val::Unknown(Why::AfterApply(vec![address])),
            None => elsewhere(name),
        }
    }

    fn attribute(&self, name: &str, attribute: &str) -> Val {
        let address = format!("{}{name}", self.prefix);
        match (self.kind(name), attribute) {
            (Some(GROUP), "GroupId" | "Id") => Val::Group(GroupId::declared(&address)),
            (Some(LIST), "PrefixListId") => Val::PrefixList(ListId::declared(&address)),
            _ => Val::Unknown(Why::AfterApply(vec![format!("{address}.{attribute}")])),
        }
    }

    fn parameter(&self, name: &str, parameter: &Node, depth: usize) -> Val {
        let kind = parameter.get("Type").and_then(Node::text).unwrap_or_default();
        let value = match self.given.get(name) {
            Some(given) if self.budget.take(given.size()).is_none() => {
                return elsewhere("too much");
            }
            Some(given) => given.clone(),
            // The value is looked up when the stack is made; the default is only where.
            None if kind.starts_with("AWS::SSM::") => {
                return elsewhere(&format!("the parameter {name}, which Systems Manager has"));
            }
            None => match parameter.get("Default") {
                Some(default) => match self.at(default, depth) {
                    Val::Nothing => Val::Text(String::new()),
                    value => value,
                },
                None => return Val::Unknown(Why::Parameter(name.to_owned())),
            },
        };
        if kind.starts_with("AWS::SSM::") {
            return elsewhere(&format!("the parameter {name}, which Systems Manager has"));
        }
        match value {
            Val::Text(text) if kind == "CommaDelimitedList" || kind.starts_with("List<") => {
                Val::List(text.split(',').map(|it| Val::Text(it.trim().to_owned())).collect())
            }
            value => value,
        }
    }

    /// A text with its `${…}`.
    fn substituted(&self, argument: &Node, depth: usize) -> Val {
        let (text, own) = match argument.items() {
            [text, own] => (text.text(), Some(own)),
            _ => (argument.text(), None),
        };
        let Some(text) = text else { return elsewhere("Fn::Sub") };
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, behind)) = after.split_once('}') else { break };
            if !before.is_empty() {
                parts.push(Val::Text(before.to_owned()));
            }
            rest = behind;
            let name = name.trim();
            parts.push(match (name.strip_prefix('!'), own.and_then(|own| own.get(name))) {
                (Some(literal), _) => Val::Text(format!("${{{literal}}}")),
                (None, Some(value)) => self.at(value, depth),
                (None, None) => match name.split_once('.') {
                    Some((resource, attribute)) => self.attribute(resource, attribute),
                    None => self.reference(name, depth),
                },
            });
        }
        if !rest.is_empty() {
            parts.push(Val::Text(rest.to_owned()));
        }
        match parts.as_slice() {
            [only] => only.clone(),
            _ => joined("", parts),
        }
    }

    /// Whether a condition is met; `None` where that is not known.
    fn condition(&self, name: &str, depth: usize) -> Option<bool> {
        self.is_met(self.root.get("Conditions")?.get(name)?, depth)
    }

    fn is_met(&self, node: &Node, depth: usize) -> Option<bool> {
        let depth = depth.checked_sub(1)?;
        self.budget.take(node.size())?;
        let (name, argument) = function(node)?;
        let argument = &argument.untagged();
        let all = || argument.items().iter().map(|item| self.is_met(item, depth));
        match name {
            "Condition" => self.condition(argument.text()?, depth),
            "Equals" => {
                let [one, other] = argument.items() else { return None };
                match (self.at(one, depth), self.at(other, depth)) {
                    (Val::Unknown(_), _) | (_, Val::Unknown(_)) => None,
                    (one, other) => Some(one == other),
                }
            }
            "Not" => match argument.items() {
                [one] => self.is_met(one, depth).map(|it| !it),
                _ => None,
            },
            "And" if all().any(|it| it == Some(false)) => Some(false),
            "And" => all().all(|it| it == Some(true)).then_some(true),
            "Or" if all().any(|it| it == Some(true)) => Some(true),
            "Or" => all().all(|it| it == Some(false)).then_some(false),
            _ => None,
        }
    }
}

/// A condition that nobody knows.
fn of_condition(name: &str) -> Unknown {
    let why = Why::Elsewhere(format!("the condition {name}"));
    Unknown { name: "Condition".to_owned(), why }
}

fn joined(between: &str, parts: Vec<Val>) -> Val {
    let mut texts = Vec::new();
    for part in parts {
        match part {
            Val::Text(text) => texts.push(text),
            Val::Nothing => {}
            Val::Unknown(why) => return Val::Unknown(why),
            Val::Group(id) => return Val::Unknown(Why::AfterApply(vec![id.to_string()])),
            Val::PrefixList(id) => return Val::Unknown(Why::AfterApply(vec![id.to_string()])),
            Val::List(_) | Val::Map(_) => return elsewhere("Fn::Join"),
        }
    }
    Val::Text(texts.join(between))
}
