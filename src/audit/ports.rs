use std::fmt;
use std::pin::Pin;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use thiserror::Error;

use crate::ec2::{AccountId, Cause, Ec2Error, Place, Region, UnitId};
use crate::event::trail::Records;
use crate::finding::{Planner, Report};
use crate::ledger::{
    Before, Contents, Entry, HeldRule, PlaceAudit, PlaceEntries, PlanTold, Resolution, Sighting,
    Waiting, Waits,
};

/// Tells the time.
pub type Clock<'a> = &'a dyn Fn() -> DateTime<Utc>;

/// Where findings are published.
#[expect(async_fn_in_trait, reason = "the crate's own callers know their types")]
pub trait Notifier {
    /// Publishes a report, if there is something in it to publish.
    async fn publish(&self, report: &Report) -> Result<(), NotifyError>;

    /// How many findings of a digest fit into its message. The others would not be listed.
    fn fitting(&self, _digest: &Report) -> usize {
        usize::MAX
    }

    /// How many findings are in each of the messages that a report takes.
    fn parts(&self, report: &Report) -> Vec<usize> {
        vec![report.findings.len()]
    }
}

/// Why a report could not be published.
#[derive(Clone, Debug, Error)]
#[error("the finding could not be published")]
pub struct NotifyError(#[source] pub Cause);

/// CloudTrail, as far as the sweep asks it whether changes reach the function.
///
/// Its future is boxed, so that an [`Auditor`](super::Auditor) without it needs no type for it.
pub trait Trails: fmt::Debug {
    /// The trails that the function's own region knows, those of other regions and of the
    /// organisation among them.
    fn trails(&self) -> Ec2Future<'_, Vec<Trail>>;
}

#[cfg(test)]
impl Trails for Result<Vec<Trail>, Ec2Error> {
    fn trails(&self) -> Ec2Future<'_, Vec<Trail>> {
        Box::pin(std::future::ready(self.clone()))
    }
}

/// AWS Organizations, as far as it is asked which units an account is in.
pub trait Parents: fmt::Debug {
    /// The units that an account is in: its own, those around it, and the root.
    fn units<'a>(&'a self, account: &'a AccountId) -> Ec2Future<'a, Vec<UnitId>>;
}

/// What is answered in a while.
pub type Ec2Future<'a, T> = Pin<Box<dyn Future<Output = Result<T, Ec2Error>> + 'a>>;

#[derive(Clone, Debug)]
pub struct Trail {
    pub arn: String,
    /// The region that it was made in.
    pub home: Region,
    /// Whether it records every region.
    pub is_of_all_regions: bool,
    /// Whether it logs, and what its selectors record.
    pub seen: Result<(bool, Records), Ec2Error>,
}

/// Another invocation of the function: for what this one has no time left for, and for rules to
/// close.
#[expect(async_fn_in_trait, reason = "the crate's own callers know their types")]
pub trait Invoker {
    /// Asks for an invocation with this payload.
    async fn invoke(&self, payload: &Value) -> Result<(), InvokeError>;
}

/// Why no other invocation could be asked for.
#[derive(Clone, Debug, Error)]
#[error("another invocation could not be asked for")]
pub struct InvokeError {
    /// What Lambda answered.
    #[source]
    pub cause: Cause,
    /// Whether it may answer something else the next time.
    pub is_transient: bool,
}

/// An answer of the ledger, which comes later.
pub type LedgerFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, LedgerError>> + 'a>>;

/// What is remembered from one audit to the next.
///
/// Each call may fail, and everything goes on without it then. All of them can be repeated: what was
/// remembered before is not remembered twice.
pub trait Ledger: fmt::Debug {
    /// An invocation begins.
    fn begin(&self) {}

    /// Remembers findings as they were seen, and answers with what there was before of each. What was
    /// seen later than that is kept as it is.
    fn see<'a>(&'a self, sightings: &'a [Sighting]) -> LedgerFuture<'a, Vec<Before>>;

    /// Remembers that findings are no longer there. Answers with the entries of those that were, and
    /// of those of which no message has said so yet.
    fn resolve<'a>(&'a self, gone: &'a [Resolution]) -> LedgerFuture<'a, Vec<Entry>>;

    /// A message has said that these findings are no longer there.
    fn told<'a>(&'a self, resolved: &'a [Entry]) -> LedgerFuture<'a, ()>;

    /// Everything about a place.
    fn place<'a>(&'a self, place: &'a Place) -> LedgerFuture<'a, PlaceEntries>;

    /// Remembers that what is due in a place under these settings is only planned to be closed. Answers
    /// when a message has first said so, if one has.
    fn planned<'a>(
        &'a self,
        place: &'a Place,
        planner: Planner,
        settings: &'a str,
    ) -> LedgerFuture<'a, Option<PlanTold>>;

    /// A message has said what is planned in a place under these settings. What was remembered first
    /// stays.
    fn plan_told<'a>(
        &'a self,
        place: &'a Place,
        planner: Planner,
        settings: &'a str,
        told: &'a PlanTold,
    ) -> LedgerFuture<'a, ()>;

    /// Remembers that a whole place was audited.
    fn cover<'a>(&'a self, audit: &'a PlaceAudit) -> LedgerFuture<'a, ()>;

    /// Remembers what the groups of a place are, unless a later sweep has read them.
    fn keep<'a>(&'a self, contents: &'a Contents) -> LedgerFuture<'a, ()>;

    /// The rules of a place that are held, or were not long ago.
    fn holds<'a>(&'a self, place: &'a Place) -> LedgerFuture<'a, Vec<HeldRule>>;

    /// The places in which holds were remembered that had not ended a day before.
    fn held_places(&self, now: DateTime<Utc>) -> LedgerFuture<'_, Vec<Place>>;

    /// Remembers holds as they were authorised. What was remembered first stays.
    fn hold<'a>(&'a self, rules: &'a [HeldRule]) -> LedgerFuture<'a, ()>;

    /// Forgets holds, unless the same rule was authorised once more later.
    fn release<'a>(&'a self, rules: &'a [HeldRule]) -> LedgerFuture<'a, ()>;

    /// Whether one more mail may be sent now. If so, it counts.
    fn may_mail(&self, now: DateTime<Utc>) -> LedgerFuture<'_, bool>;

    /// Keeps findings until a digest has told them.
    fn wait<'a>(&'a self, findings: &'a [Waiting]) -> LedgerFuture<'a, ()>;

    /// What waits for a digest.
    fn waiting(&self) -> LedgerFuture<'_, Waits>;

    /// A digest has told these. What came to wait in their place meanwhile still waits. `daily` is
    /// when the digest of the day told them. It is written first: what then cannot be deleted is told
    /// with the next one, and not whenever there is a look at what waits.
    fn digested<'a>(
        &'a self,
        findings: &'a [Waiting],
        daily: Option<DateTime<Utc>>,
    ) -> LedgerFuture<'a, ()>;
}

/// Why the ledger did not answer.
#[derive(Clone, Debug, Error)]
#[error("the table of what is remembered cannot be used")]
pub struct LedgerError(#[source] pub Cause);

/// How long before the deadline nothing new is begun: what was found must be published and the rest
/// handed on, and each of these may take as long as a call with its retries.
const RESERVE: TimeDelta = TimeDelta::seconds(35);

/// Whether there is no time left for more.
pub(super) fn is_late(deadline: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    deadline.is_some_and(|deadline| now + RESERVE > deadline)
}
