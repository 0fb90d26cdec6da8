//! The report as JSON.

use serde::Serialize;

use crate::finding::Report;

/// The report on one line.
///
/// # Errors
/// None that a report can cause; serde's signature has one.
pub fn to_json(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string(report)
}

/// The report with a line for every value, and in ASCII: what controls a terminal, and what nobody
/// sees, is `\u` escaped.
///
/// # Errors
/// As [`to_json`].
pub fn to_json_pretty(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(report).map(|json| in_ascii(&json))
}

/// On one line and in ASCII: every other character is `\u` escaped. A message needs that, because
/// SNS and SQS refuse some characters that JSON allows, and no name may keep a finding from
/// being published.
pub(super) fn to_ascii_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(value).map(|json| in_ascii(&json))
}

/// The same JSON with every character that is not ASCII escaped. Such a character stands in a
/// string, where JSON admits an escape: what is between strings is ASCII.
pub(super) fn in_ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        // Serde has escaped the other controls; JSON has nothing to say about DEL.
        if c.is_ascii() && c != '\u{7f}' {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    ascii
}
