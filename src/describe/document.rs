//! From bytes to JSON documents.

use std::borrow::Cow;
use std::ops::ControlFlow;

use serde::{Deserialize, Deserializer, de};
use serde_json::de::StrRead;
use serde_json::error::Category;
use serde_json::{Error, Value};

use super::error::DescribeError;
use crate::text::{exact, in_backticks};

/// Calls `read` for each JSON document in the input until the input ends or `read` breaks.
pub(super) fn each(
    input: &[u8],
    mut read: impl FnMut(
        &mut serde_json::Deserializer<StrRead<'_>>,
    ) -> Result<ControlFlow<()>, DescribeError>,
) -> Result<ControlFlow<()>, DescribeError> {
    let text = text(input)?;
    let mut json = serde_json::Deserializer::from_str(&text);
    while json.end().is_err() {
        if read(&mut json)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The text of an input, without a byte order mark.
///
/// # Errors
///
/// When it is empty, or neither UTF-8 nor UTF-16.
pub fn text(input: &[u8]) -> Result<Cow<'_, str>, DescribeError> {
    let text = exact(input).ok_or(DescribeError::NotText)?;
    if text.trim_start().is_empty() { Err(DescribeError::Empty) } else { Ok(text) }
}

/// The error for broken JSON, or what `otherwise` makes of an error about the content.
pub(super) fn explain(
    source: Error,
    otherwise: impl FnOnce(Error) -> DescribeError,
) -> DescribeError {
    match source.classify() {
        Category::Data => otherwise(source),
        Category::Io | Category::Syntax | Category::Eof => {
            let (line, column) = (source.line(), source.column());
            DescribeError::NotJson { line, column, source }
        }
    }
}

/// AWS's message, from the `Error` of a response.
pub(super) fn aws_error(error: &Value) -> DescribeError {
    let text = |key: &str| error.get(key).and_then(Value::as_str);
    DescribeError::AwsError(match (text("Code"), text("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) => error.to_string(),
    })
}

/// The first few of the keys, for a message.
pub(super) fn list_keys(keys: &[impl AsRef<str>]) -> String {
    const MOST: usize = 4;
    let named: Vec<String> = keys.iter().take(MOST).map(|key| in_backticks(key.as_ref())).collect();
    let more = if keys.len() > MOST { " and more" } else { "" };
    format!("{}{more}", named.join(", "))
}

/// The error for a key that an object has twice, in serde's words.
pub(super) fn duplicate_key<E: de::Error>(key: &str) -> E {
    E::custom(format_args!("duplicate field {}", in_backticks(key)))
}

/// A string, borrowed from the input where it has no escapes.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Reads `null` as the default value.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Whether a `NextToken` announces another page. If it isn't a string, it might.
pub(super) fn announces_more(token: &Value) -> bool {
    !token.is_null() && token != ""
}
