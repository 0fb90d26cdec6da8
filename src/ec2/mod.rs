//! EC2's own vocabulary: places, groups, rules, holds and the calls that change them.

pub mod command;
pub mod hold;
pub mod ids;
mod rule;

pub use rule::*;
