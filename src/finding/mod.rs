//! Findings and reports: what an audit saw and did, as data.
//!
//! Nothing in here is a sentence. [`report`](crate::report) makes the JSON, the mail and the
//! terminal's text from it.

mod identity;
mod model;
mod origin;
mod repair;
mod report;
#[cfg(test)]
mod tests;

pub use identity::{finding_id, fingerprint, fingerprint_of};
pub use model::{
    Action, AfterHold, Connections, DoubtfulExemption, ExpiredExemption, Finding, FoundGroup,
    FoundRule, ListEntries, Matter, NotAdded, NotDue, NotHandedOn, NotReverted, Outcome, Presence,
    Reason, Remark, Reverted, ScopeExit, Unaudited, Unchecked, Weakening,
};
pub use origin::{Handled, Origin};
pub use report::{BaselineName, Exempted, Report, ReportOutcome, Skipped, Tally, ToClose, Totals};
