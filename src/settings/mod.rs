//! Turns the settings of the environment or the command line into validated ones.
//!
//! Settings are read once, at the start. All faults are reported at once, and name the variable or
//! the option.

mod function;
mod raw;
mod resolved;

#[cfg(test)]
mod tests;

pub use function::{FunctionSettings, MemberRole};
pub use raw::{Names, RawSettings};
pub use resolved::{
    HOLD_LONGEST_HOURS, HOLD_MAX_HOURS, MAX_PIECES, Remediation, RevertKeeps, Settings,
    SettingsError,
};
