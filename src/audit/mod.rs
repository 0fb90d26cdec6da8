//! The audit: an event comes in, groups are read and judged, rules are reverted, a report goes out.
//!
//! Everything that reaches EC2, SNS or Lambda goes through three small interfaces,
//! [`SecurityGroups`](crate::ec2::SecurityGroups), [`Notifier`] and [`Onward`]. The order of the
//! steps is what makes it safe: what a change introduced is judged on what the event says, acted on
//! only as EC2 shows it now, and published whatever became of it.
//!
//! There is a file for each trigger (a change of a group, of a list, of tags of groups or of rules,
//! or of what is not known; a sweep; the end of holds; rules handed on to be closed; a check of
//! files). All of them make a `Subject` and have it judged by the same loop in `subject.rs`; `act.rs`
//! decides what is done and `revert.rs` does it.
//!
//! ```
//! use typo3_sg_auditor::audit::Auditor;
//! use typo3_sg_auditor::ec2::Place;
//! use typo3_sg_auditor::memory::{MemoryEc2, MemoryNotifier};
//! use typo3_sg_auditor::settings::{Names, RawSettings, Settings};
//!
//! let now = chrono::DateTime::UNIX_EPOCH;
//! let raw = RawSettings::new(Names::COMMAND_LINE);
//! let settings = Settings::from_raw(&raw, now.date_naive()).unwrap();
//! let (ec2, notifier) = (MemoryEc2::default(), MemoryNotifier::default());
//! let home = Place::default();
//! let auditor = Auditor::new(&ec2, &notifier, &notifier, &settings, &home);
//!
//! let event = br#"{"eventSource": "ec2.amazonaws.com", "eventName": "DescribeVpcs"}"#;
//! let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! let report = runtime.block_on(auditor.handle(event, &|| now, None)).unwrap();
//! assert_eq!(report.outcome.as_str(), "ignored");
//! ```

mod act;
mod auditor;
mod change;
mod check;
mod close;
mod context;
mod counts;
mod depth;
mod digest;
mod error;
mod group;
mod handle;
mod hold_tags;
mod holds;
mod hook;
mod lookups;
mod lost_request;
mod onward;
mod parents;
mod ports;
mod prefix_list;
mod promised;
mod recalled;
mod recheck;
mod remember;
mod revert;
pub mod run;
mod standing;
mod subject;
mod sweep;
mod tags;
mod trail;
mod units;
mod unseen;
mod watched;

pub use auditor::Auditor;
pub use check::GroupCheck;
pub use counts::{Counts, RunCounts};
pub use error::AuditError;
pub use handle::Invocation;
pub use parents::{LIST_PARENTS, ParentPage, up_to_root};
pub use ports::{
    Clock, Ec2Future, Ledger, LedgerError, LedgerFuture, Notifier, NotifyError, Onward,
    OnwardError, Parents, Trail, Trails,
};
pub use sweep::{Survey, survey};
pub use units::Units;

#[cfg(test)]
mod tests;
