//! The life of every rule that exceeded the baseline, rebuilt from CloudTrail's records.
//!
//! A [`Book`] takes events in any order, once or several times. Of each it keeps what can begin or
//! end an opening; a call that only adds or removes what complies is dropped at once, so memory goes
//! with what exceeded the baseline and not with the number of records. [`Book::close`] puts what was
//! kept in order, follows each rule, and returns the [`History`].
//!
//! Records may be missing, and then a time is unknown, never guessed. If a rule is revoked whose
//! authorize call is missing, it was open before, and nobody knows since when. If a rule is authorised
//! twice, it was closed in between, and nobody knows when.

mod book;
mod coverage;
mod kept;
mod known;
mod lists;
mod model;
mod parts;
mod rebuilt;
mod replay;
mod totals;

#[cfg(test)]
mod tests;

pub use book::Book;
pub use coverage::{Gap, RecordsRead};
pub use kept::By;
pub use model::{Deed, End, How, Opening, OpeningStatus, Present, Start};
pub use rebuilt::{History, RecordCounts};
pub use totals::{Durations, Share, Totals};
