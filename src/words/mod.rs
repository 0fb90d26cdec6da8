//! Rules and traffic as exact boxes for machines and as short text for people.

mod boxes;
mod short;

pub use boxes::{ExcessBox, boxes};
pub use short::{
    cells_text, every_protocol_but, excess_text, in_capitals, rule_in_sentence, rule_text,
    rules_text,
};
