//! Templates of CloudFormation as JSON, whichever way they are written.

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

/// How deeply values may be nested; the templates need about fifteen levels.
const MAX_DEPTH: usize = 64;

/// A sequence or a mapping that is not closed yet.
struct Open {
    tag: Option<String>,
    mapping: bool,
    items: Vec<Value>,
}

/// The template in this text, which is JSON or YAML. The short forms of functions (`!Ref`) become
/// the long ones. `None` where it is neither, or has aliases, which no template here needs.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<Open> = Vec::new();
    while let Some(event) = parser.next_event() {
        let whole = match event.ok()?.0 {
            Event::Scalar(text, style, _, tag) => {
                function(name(tag.as_deref()), scalar(&text, style))
            }
            Event::SequenceStart(_, tag) | Event::MappingStart(_, tag)
                if open.len() >= MAX_DEPTH =>
            {
                drop(tag);
                return None;
            }
            Event::SequenceStart(_, tag) => {
                open.push(Open { tag: name(tag.as_deref()), mapping: false, items: Vec::new() });
                continue;
            }
            Event::MappingStart(_, tag) => {
                open.push(Open { tag: name(tag.as_deref()), mapping: true, items: Vec::new() });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => closed(open.pop()?)?,
            Event::Alias(_) => return None,
            _ => continue,
        };
        match open.last_mut() {
            Some(outer) => outer.items.push(whole),
            None => return Some(whole),
        }
    }
    None
}

fn closed(open: Open) -> Option<Value> {
    if !open.mapping {
        return Some(function(open.tag, Value::Array(open.items)));
    }
    let mut members = Map::new();
    let mut items = open.items.into_iter();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        let key = match key {
            Value::String(key) => key,
            Value::Number(key) => key.to_string(),
            Value::Bool(key) => key.to_string(),
            _ => return None,
        };
        members.insert(key, value);
    }
    Some(function(open.tag, Value::Object(members)))
}

/// `If` for `!If`. Tags of YAML itself say nothing that the value does not.
fn name(tag: Option<&Tag>) -> Option<String> {
    tag.filter(|tag| !tag.is_yaml_core_schema()).map(|tag| tag.suffix.clone())
}

/// The long form of a function.
fn function(name: Option<String>, value: Value) -> Value {
    let Some(name) = name else { return value };
    let (key, value) = match (name.as_str(), value) {
        ("Ref" | "Condition", value) => (name, value),
        ("GetAtt", Value::String(text)) => {
            let (resource, attribute) = text.split_once('.').unwrap_or((&text, ""));
            ("Fn::GetAtt".to_owned(), Value::from(vec![resource, attribute]))
        }
        (_, value) => (format!("Fn::{name}"), value),
    };
    Value::Object(Map::from_iter([(key, value)]))
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return text.into();
    }
    match text {
        "" | "~" | "null" => Value::Null,
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
