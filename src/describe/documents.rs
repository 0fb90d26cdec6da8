//! From bytes to JSON documents.

use std::borrow::Cow;

use serde_json::error::Category;
use serde_json::{Deserializer, Value};

use super::DescribeError;
use super::once::Once;

/// The JSON documents in the input, one or more.
pub(super) fn read(input: &[u8]) -> Result<Vec<Value>, DescribeError> {
    let text = text(input)?;
    if text.trim().is_empty() {
        return Err(DescribeError::Empty);
    }
    let documents = Deserializer::from_str(&text).into_iter();
    documents.map(|document| document.map(|Once(value)| value)).collect::<Result<_, _>>().map_err(
        |source: serde_json::Error| {
            let (line, column) = (source.line(), source.column());
            match source.classify() {
                // The reader takes JSON of every kind, so this is all that it refuses.
                Category::Data => DescribeError::Twice { source },
                _ => DescribeError::NotJson { line, column, source },
            }
        },
    )
}

/// The text without its byte order mark. Windows PowerShell's `>` writes UTF-16.
pub(super) fn text(input: &[u8]) -> Result<Cow<'_, str>, DescribeError> {
    if let Some(utf16) = input.strip_prefix(&[0xff, 0xfe]) {
        let (pairs, rest) = utf16.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
        return match String::from_utf16(&units) {
            Ok(text) if rest.is_empty() => Ok(Cow::Owned(text)),
            _ => Err(DescribeError::NotText),
        };
    }
    let utf8 = input.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(input);
    std::str::from_utf8(utf8).map(Cow::Borrowed).map_err(|_| DescribeError::NotText)
}
