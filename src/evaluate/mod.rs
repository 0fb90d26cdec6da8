//! Rules judged against a baseline: what each admits that the baseline does not, what that is
//! called, how bad it is, and what a revert would do about it.
//!
//! Pure. The caller looks prefix lists up and passes them in; [`Judge::lists_needed`] tells which
//! are still needed before anything is judged.

mod code;
pub(crate) mod controls;
mod exempt;
pub(crate) mod expected;
mod judge;
pub(crate) mod plan;
pub mod severity;
mod ssh;
mod yardstick;

pub use code::Code;
pub use controls::Control;
pub use exempt::UndecidedExemption;
pub use judge::{Judge, Judgement, Verdict};
pub use severity::Severity;
pub use ssh::{admits_wide_ssh, is_wide, ssh_cells};
pub use yardstick::Yardstick;

#[cfg(test)]
mod tests;
