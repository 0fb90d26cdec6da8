//! Rules and traffic in words: the exact boxes for machines, and the short way for people.

mod boxes;
pub mod inert;
mod short;

use chrono::{DateTime, Utc};

pub use boxes::boxes;
pub use short::{capitalised, excess_text, rule_text, title};

/// In quotation marks, which the text itself cannot close.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\\\""))
}

/// `2026-03-12 16:00 UTC`
pub fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}
