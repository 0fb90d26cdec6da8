//! Turns the settings of the environment or the command line into validated ones.
//!
//! Settings are read once, at the start. All faults are reported at once, and name the variable or
//! the option.

mod bound;
mod function;
mod raw;
mod resolved;
mod severity;

#[cfg(test)]
mod tests;

pub use crate::baseline::Remediation;
pub use bound::{Bound, RevertKeeps, Settings};
pub use function::{FunctionSettings, HookMode, MemberRole};
pub use raw::{Names, RawSettings};
pub use resolved::{HOLD_LONGEST_HOURS, HOLD_MAX_HOURS, MAX_PIECES, SettingsError};
pub use severity::Severity;
