//! How many invocations may follow one another.
//!
//! Lambda stops a function that calls itself after sixteen invocations ("Use Lambda recursive loop
//! detection" in the Lambda developer guide), and no finding would say so. So the function stops
//! earlier, and reports what is left as findings.

use super::ports::Clock;
use crate::event::{Job, Record};

/// An invocation that is asked for.
pub(super) struct Following<'a> {
    /// The change behind it.
    pub record: &'a Record,
    /// How many invocations come before it.
    pub depth: u32,
    /// What is remembered as the occasion of what it finds.
    pub occasion: Option<String>,
    pub clock: Clock<'a>,
}

/// The last invocation that closes.
const CLOSES: u32 = 15;

/// The last invocation that looks at groups. This leaves some for closing what it found.
const LOOKS: u32 = 11;

/// Whether an event of this depth comes too late to be handed on.
pub(super) fn is_too_deep(job: &Job, depth: u32) -> bool {
    let most = match job {
        Job::Close(_) => CLOSES,
        Job::Sweep(_)
        | Job::Holds(_)
        | Job::Tags(_)
        | Job::List(..)
        | Job::HoldTags(_)
        | Job::Lost(_) => LOOKS,
    };
    depth > most
}
