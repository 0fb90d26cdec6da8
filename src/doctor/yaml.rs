//! Templates of CloudFormation as JSON, whichever way they are written.

use serde_json::{Map, Number, Value};

use crate::text::yaml::{self, Document, Limits, Node};

/// The templates need about fifteen levels, and no aliases.
const LIMITS: Limits = Limits { depth: 64, aliased: 0 };

/// The template in this text, which is JSON or YAML. The short forms of functions (`!Ref`) become
/// the long ones. `None` where it is neither, or has aliases.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut document = Document::default();
    yaml::read(text, LIMITS, &mut document).ok()?;
    json(&document.root?)
}

fn json(node: &Node) -> Option<Value> {
    let value = match &node.value {
        yaml::Value::Null => Value::Null,
        yaml::Value::Text(text) if node.is_plain => scalar(text),
        yaml::Value::Text(text) => text.as_str().into(),
        yaml::Value::Sequence(items) => items.iter().map(json).collect::<Option<_>>()?,
        yaml::Value::Mapping(pairs) => {
            let member = |(key, value): &(Node, Node)| Some((key.text()?.to_owned(), json(value)?));
            Value::Object(pairs.iter().map(member).collect::<Option<_>>()?)
        }
    };
    // Tags of YAML itself (`!!str`) say nothing that the value does not.
    let tag = node.tag.as_deref().and_then(|tag| tag.strip_prefix('!'));
    Some(function(tag.filter(|name| !name.starts_with('!')), value))
}

/// The long form of a function.
fn function(name: Option<&str>, value: Value) -> Value {
    let Some(name) = name else { return value };
    let (key, value) = match (name, value) {
        ("Ref" | "Condition", value) => (name.to_owned(), value),
        ("GetAtt", Value::String(text)) => {
            let (resource, attribute) = text.split_once('.').unwrap_or((&text, ""));
            ("Fn::GetAtt".to_owned(), Value::from(vec![resource, attribute]))
        }
        (_, value) => (format!("Fn::{name}"), value),
    };
    Value::Object(Map::from_iter([(key, value)]))
}

/// The value of a scalar without quotes.
fn scalar(text: &str) -> Value {
    match text {
        "true" => true.into(),
        "false" => false.into(),
        // Not `012`, which is a name or an account.
        _ if text.len() > 1 && text.starts_with('0') => text.into(),
        _ => match text.parse::<i64>() {
            Ok(number) => Value::Number(Number::from(number)),
            Err(_) => text.into(),
        },
    }
}

#[cfg(test)]
mod tests;
