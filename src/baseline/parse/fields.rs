//! Mappings with known keys, and the plain values in them.

use super::values::{Numbers, interval};
use super::yaml::{Node, Value};
use crate::baseline::fault::{Fault, nearest};
use crate::net::IntervalSet;
use crate::text::in_backticks;

/// A key of a mapping.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// What to write if it is missing; `None` for an optional key.
    pub(super) required: Option<&'static str>,
}

pub(super) const fn required(name: &'static str, write: &'static str) -> Key {
    Key { name, required: Some(write) }
}

pub(super) const fn optional(name: &'static str) -> Key {
    Key { name, required: None }
}

/// Collects faults. A method that reads a value and returns `None` has added one.
#[derive(Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, line: usize, message: impl Into<String>) {
        self.0.push(Fault { line, message: message.into() });
    }

    /// The pairs of a mapping, without those whose key is not a text or occurs twice.
    pub(super) fn pairs<'a>(
        &mut self,
        node: &'a Node,
        what: &str,
    ) -> Option<Vec<(&'a str, &'a Node)>> {
        let Value::Mapping(all) = &node.value else {
            self.add(
                node.line,
                format!("{what} is {}; write `key: value` lines", kind(&node.value)),
            );
            return None;
        };
        let mut lines = std::collections::BTreeMap::new();
        let mut pairs = Vec::with_capacity(all.len());
        for (key, value) in all {
            let Value::Text(name) = &key.value else {
                self.add(
                    key.line,
                    format!("a key of {what} is {}; write a word", kind(&key.value)),
                );
                continue;
            };
            if let Some(line) = lines.get(name.as_str()) {
                let message = format!(
                    "{what} has the key {} twice, first on line {line}; write it once",
                    in_backticks(name)
                );
                self.add(key.line, message);
                continue;
            }
            lines.insert(name.as_str(), key.line);
            pairs.push((name.as_str(), value));
            if !name.is_empty() && matches!(value.value, Value::Null) {
                self.add(
                    key.line,
                    format!(
                        "{} of {what} is empty; write a value, or [] for an empty list",
                        in_backticks(name)
                    ),
                );
            }
        }
        Some(pairs)
    }

    /// The values of a mapping, which may have only these keys.
    pub(super) fn fields<'a>(
        &mut self,
        node: &'a Node,
        what: &str,
        keys: &[&Key],
    ) -> Option<Fields<'a>> {
        let pairs = self.pairs(node, what)?;
        if let Value::Mapping(all) = &node.value {
            for (key, _) in all {
                let Value::Text(name) = &key.value else { continue };
                if keys.iter().any(|known| known.name == name) {
                    continue;
                }
                let known: Vec<_> = keys.iter().map(|key| key.name).collect();
                let write = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("write `{near}`, or one of {}", known.join(", ")),
                    None => format!("write one of {}", known.join(", ")),
                };
                self.add(key.line, format!("{what} has no key {}; {write}", in_backticks(name)));
            }
        }
        for key in keys {
            let Some(write) = key.required else { continue };
            if !pairs.iter().any(|(name, _)| *name == key.name) {
                self.add(node.line, format!("{what} lacks `{}`; write {write}", key.name));
            }
        }
        let pairs = pairs.into_iter().filter(|(_, node)| !matches!(node.value, Value::Null));
        Some(Fields { pairs: pairs.collect() })
    }

    /// The items of a sequence.
    pub(super) fn items<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a [Node]> {
        match &node.value {
            Value::Sequence(items) => Some(items),
            other => {
                self.add(node.line, format!("`{what}` is {}; write a list in [ ]", kind(other)));
                None
            }
        }
    }

    /// A scalar as it is written.
    pub(super) fn scalar<'a>(
        &mut self,
        node: &'a Node,
        what: &str,
        write: &str,
    ) -> Option<&'a str> {
        match &node.value {
            Value::Text(text) => Some(text.trim()),
            other => {
                self.add(node.line, format!("{what} is {}; write {write}", kind(other)));
                None
            }
        }
    }

    /// A list of numbers and ranges of numbers.
    pub(super) fn numbers(
        &mut self,
        node: &Node,
        what: &str,
        numbers: Numbers,
    ) -> Option<IntervalSet<u16>> {
        let mut intervals = Vec::new();
        for item in self.items(node, what)? {
            let Some(word) = self.scalar(item, "a port", "a number, or \"from-to\"") else {
                continue;
            };
            match interval(word, numbers) {
                Ok(interval) => intervals.push(interval),
                Err(message) => self.add(item.line, message),
            }
        }
        Some(intervals.into_iter().collect())
    }

    /// A text for people, on one line.
    pub(super) fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = self.scalar(node, &format!("`{what}`"), "a text")?;
        if text.is_empty() {
            self.add(node.line, format!("`{what}` is empty; write a text"));
            return None;
        }
        if text.contains(char::is_control) {
            let message =
                format!("`{what}` has line breaks or control characters; write it on one line");
            self.add(node.line, message);
            return None;
        }
        Some(text.to_owned())
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        let text = self.scalar(node, &format!("`{what}`"), "true or false")?;
        match text {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => {
                self.add(
                    node.line,
                    format!("`{what}` is {}; write true or false", in_backticks(text)),
                );
                None
            }
        }
    }
}

/// The values of a mapping by their keys, without empty values.
pub(super) struct Fields<'a> {
    pairs: Vec<(&'a str, &'a Node)>,
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a Node> {
        self.pairs.iter().find(|(key, _)| *key == name).map(|(_, node)| *node)
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::Text(text) => in_backticks(text),
        Value::Sequence(_) => "a list".to_owned(),
        Value::Mapping(_) => "a mapping".to_owned(),
    }
}
