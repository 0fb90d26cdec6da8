//! Reports for their readers: a message for SNS, a mail, a terminal, JSON.
//!
//! A [`Report`](crate::finding::Report) comes in finished. Nothing is judged here; what is decided
//! is what a reader has to see first, and how much of it. Much of the text in a report was chosen
//! by whoever made the change (names, descriptions, user agents), so every line for a person goes
//! through [`inert`] on its way out.

pub mod email;
mod fit;
pub mod json;
pub mod log;
pub mod sns;
pub mod subject;
pub mod terminal;
mod wording;

#[cfg(test)]
mod tests;

pub use json::{to_json, to_json_pretty};
pub use sns::{Attribute, Message, messages};
