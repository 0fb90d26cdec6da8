//! The audit: an event comes in, groups are read and judged, rules are reverted, a report goes out.
//!
//! What reaches AWS goes through small interfaces: EC2 through
//! [`SecurityGroups`](crate::ec2::SecurityGroups), SNS through [`Notifier`], Lambda through
//! [`Invoker`], and the table of what is remembered, CloudTrail and Organizations through
//! [`Ledger`], [`Trails`] and [`Parents`].
//!
//! The order of the steps is what makes it safe. What a change introduced is judged on what the
//! event says. It is acted on only as EC2 shows it now. The result is published whatever became of
//! it.
//!
//! There is a file for each trigger:
//!
//! | what is audited | file |
//! |---|---|
//! | a change of a group | `change.rs` |
//! | a change whose record does not name the group | `lost_request.rs` |
//! | a change of a prefix list | `prefix_list.rs` |
//! | a change of the tags of groups | `tags.rs` |
//! | a change of the tags of rules | `hold_tags.rs` |
//! | a call that may blind the auditor | `watched.rs` |
//! | all groups | `sweep.rs`; `run/` for a whole organisation |
//! | rules whose hold has ended | `holds.rs` |
//! | rules that an earlier invocation found | `close.rs` |
//! | a group or a rule that CloudFormation is about to make | `hook.rs` |
//! | files | `check.rs` |
//!
//! Those that may change a group make a `Subject` of it. `group.rs` audits it: the loop in
//! `subject.rs` judges its rules, `act.rs` decides what is done, and `revert.rs` does it. `check.rs`
//! and `hook.rs` only judge, with the same loop.
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
mod hand_on;
mod handle;
mod hold_tags;
mod holds;
mod hook;
mod lookups;
mod lost_request;
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
    Clock, Ec2Future, InvokeError, Invoker, Ledger, LedgerError, LedgerFuture, Notifier,
    NotifyError, Parents, Trail, Trails,
};
pub use sweep::{Survey, survey};
pub use units::Units;

#[cfg(test)]
mod tests;
