//! Rules and traffic in words: the exact boxes for machines, and the short way for people.

mod boxes;
mod short;

pub use boxes::boxes;
pub use short::{capitalised, excess_text, rule_text, title};
