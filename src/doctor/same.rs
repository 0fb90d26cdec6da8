//! Whether two documents of AWS mean the same, however they are written.

use serde_json::{Map, Value};

use super::resolve::word;

/// A value in which order and types of scalars no longer matter.
pub(super) fn canonical(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(canonical).collect();
            items.sort_by_key(Value::to_string);
            items.into()
        }
        Value::Object(members) => members
            .iter()
            .map(|(key, inner)| (key.clone(), canonical(inner)))
            .collect::<Map<_, _>>()
            .into(),
        scalar => word(scalar).into(),
    }
}

/// As [`canonical`], and JSON within text is read.
pub(super) fn canonical_text(value: &Value) -> Value {
    match value.as_str().map(serde_json::from_str::<Value>) {
        Some(Ok(inner)) if inner.is_object() || inner.is_array() => canonical(&inner),
        _ => canonical(value),
    }
}

/// A policy, as text or not, in which equal ones look the same: single values are lists, and names
/// that do not distinguish case are in lower case.
pub(super) fn policy(value: &Value) -> Value {
    let parsed = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    let document: &Value = parsed.as_ref().unwrap_or(value);
    let statements: Vec<Value> = listed(document.get("Statement")).iter().map(statement).collect();
    canonical(&statements.into())
}

fn statement(value: &Value) -> Value {
    let mut plain = Map::new();
    for (key, inner) in value.as_object().into_iter().flatten() {
        let inner = match key.as_str() {
            "Action" | "NotAction" => lower(inner),
            "Resource" | "NotResource" => listed(Some(inner)).into(),
            "Principal" if inner == "*" => {
                Map::from_iter([("AWS".to_owned(), listed(Some(inner)).into())]).into()
            }
            "Principal" => each(inner, |key| key.to_owned(), |inner| listed(Some(inner)).into()),
            "Condition" => each(
                inner,
                |key| key.to_owned(),
                |keys| each(keys, str::to_lowercase, |inner| listed(Some(inner)).into()),
            ),
            _ => inner.clone(),
        };
        plain.insert(key.clone(), inner);
    }
    plain.into()
}

fn each(value: &Value, key: impl Fn(&str) -> String, with: impl Fn(&Value) -> Value) -> Value {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, inner)| (key(name), with(inner))).collect::<Map<_, _>>().into()
}

fn lower(value: &Value) -> Value {
    listed(Some(value)).iter().map(|it| word(it).to_lowercase()).collect::<Vec<_>>().into()
}

/// One value or several, as several.
pub(super) fn listed(value: Option<&Value>) -> Vec<Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(one) => vec![one.clone()],
    }
}

/// Whether a text fits a pattern in which `*` stands for anything and `?` for one character.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    // Which lengths of the text fit the pattern so far.
    let mut reached = vec![false; text.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for letter in pattern {
        let before = reached.clone();
        let mut any = false;
        for (at, now) in reached.iter_mut().enumerate() {
            let had = before.get(at).copied().unwrap_or_default();
            any |= had;
            let previous = at.checked_sub(1);
            let step = previous.and_then(|at| {
                Some(*before.get(at)? && (letter == '?' || *text.get(at)? == letter))
            });
            *now = if letter == '*' { any } else { step.unwrap_or_default() };
        }
    }
    reached.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
