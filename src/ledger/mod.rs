//! What the auditor remembers from one audit to the next, as data and rules.
//!
//! The [ledger](crate::audit::Ledger) has an entry for each finding, for each rule that is held, and
//! for each place that was audited as a whole. It also has what waits to be mailed. Nothing in here
//! reaches a database: `aws` and [`memory`](crate::memory) do that, and the audit decides when.

mod contents;
mod entries;
pub mod item;
mod life;
mod limits;

pub use contents::Comparison;
pub use entries::{
    Before, Contents, Entry, HeldRule, Opened, PlaceAudit, PlaceEntries, PlanTold, Resolution,
    Sighting, Waiting, Waits,
};
pub use life::{is_news, life};
pub use limits::{DAY, KEPT, MAIL_SPAN, MAILS, one_more_mail, planned_for};

#[cfg(test)]
mod tests;
