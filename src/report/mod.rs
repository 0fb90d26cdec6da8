//! Reports for their readers: JSON, a mail, a Subject, a terminal, and the messages of SNS.
//!
//! A [`Report`](crate::finding::Report) arrives finished and typed. This is the only place that
//! makes sentences of it, and it makes them last. Much of the text in a report was chosen by whoever
//! made the change (names, descriptions, user agents), so every line for a person goes through
//! [`inert`](crate::text::inert) on its way out.

mod answer;
mod caller;
mod console;
#[cfg(any(feature = "aws", test))]
pub(crate) mod coverage;
pub(crate) mod csv;
mod declared;
mod detail;
mod digest;
mod email;
pub(crate) mod evidence;
mod fit;
pub(crate) mod github;
pub(crate) mod history;
mod hook;
pub(crate) mod html;
mod json;
pub(crate) mod junit;
mod life;
pub mod log;
pub(crate) mod markdown;
mod reach;
pub(crate) mod remembered;
mod run;
pub mod sarif;
pub(crate) mod sns;
mod state;
mod subject;
pub mod terminal;
mod title;
mod wording;

pub use answer::{AnswerJson, answer};
pub use hook::HookJson;
pub use json::{ReportJson, SCHEMA, to_json, to_json_pretty};
pub use sns::{Attribute, Message, fitting, messages, parts};

use crate::finding::Finding;

/// The finding in one sentence.
pub fn to_title(finding: &Finding) -> String {
    title::title(finding).whole()
}

#[cfg(test)]
mod tests;
