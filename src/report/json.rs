//! The report as JSON.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::finding::Report;

/// The report on one line.
///
/// # Errors
/// None that a report can cause; serde's signature has one.
pub fn to_json(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string(report)
}

/// The report with a line for every value.
///
/// # Errors
/// As [`to_json`].
pub fn to_json_pretty(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(report)
}

/// On one line and in ASCII: every other character is `\u` escaped. A message needs that, because
/// SNS and SQS refuse some characters that JSON allows, and no name may keep a finding from
/// being published.
pub(super) fn to_ascii_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut json = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut json, Ascii))?;
    String::from_utf8(json).map_err(|error| serde_json::Error::io(io::Error::other(error)))
}

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        for c in fragment.chars() {
            // Serde has escaped the other controls; JSON has nothing to say about DEL.
            if c.is_ascii() && c != '\u{7f}' {
                CompactFormatter.write_string_fragment(writer, c.encode_utf8(&mut [0; 4]))?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}
