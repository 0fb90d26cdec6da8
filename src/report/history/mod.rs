//! The history of openings: on a terminal, as JSON and as CSV.

pub mod csv;
mod json;
pub mod text;
pub(in crate::report) mod words;

pub use json::{HISTORY_SCHEMA, to_json_pretty};
