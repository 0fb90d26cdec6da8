//! Findings and reports: what an audit saw and did, as data.
//!
//! [`report`](crate::report) makes the JSON, the mail and the terminal's text from it. The only
//! sentences in here are those of errors, and the reason why an event is not understood or changed
//! nothing.

mod brief;
mod coverage;
mod identity;
mod life;
mod model;
mod origin;
mod repair;
mod report;
#[cfg(test)]
mod tests;

pub use brief::{Brief, Digest, DigestEntry, Mail};
pub use coverage::{
    Coverage, CoverageTotals, Covered, Expected, PlaceOutcome, PlaceSwept, Run, RunName,
    RunNameError,
};
pub use identity::{content_hash, finding_id, fingerprint, fingerprint_of, hash};
pub use life::{Life, Status, WAR};
pub use model::{
    Action, AfterHold, Connections, DoubtfulExemption, ExpiredExemption, Finding, FoundGroup,
    FoundRule, ListEntries, Matter, Mend, NotAdded, NotDue, NotHandedOn, NotReverted, Outcome,
    Planner, Presence, Reason, Remark, Reverted, ScopeExit, Unaudited, Unchecked, Unfed,
    UnfitTrail, Unheard, Weakening,
};
pub use origin::{Handled, Origin};
pub use repair::{doctor_line, sweep_line};
pub use report::{
    BaselineName, Exempted, HookAnswer, HookVerdict, NotJudged, Report, ReportOutcome, Skipped,
    Tally, ToClose, Totals,
};
