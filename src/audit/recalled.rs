//! Access to the ledger, and what an audit has got from it so far.

use std::cell::Cell;

use chrono::{DateTime, Utc};

use super::ports::{Ledger, LedgerFuture};
use crate::ec2::Place;
use crate::evaluate::Severity;
use crate::event::{Event, Job, Kind, Record};
use crate::finding::{Planner, Unheard};
use crate::ledger::{Contents, HeldRule, Opened, PlaceEntries};
use crate::text::causes;

/// The ledger, as long as it answers. After its first failure it is not asked again in the same
/// invocation, so that a table which is slow or missing costs one wait.
#[derive(Debug)]
pub(super) struct LedgerAccess<'a> {
    ledger: &'a dyn Ledger,
    /// Findings below this severity are not mailed at once.
    pub least: Severity,
    failures: Cell<u64>,
}

impl<'a> LedgerAccess<'a> {
    pub fn new(ledger: &'a dyn Ledger, least: Severity) -> Self {
        Self { ledger, least, failures: Cell::new(0) }
    }

    /// An invocation begins.
    pub fn begin(&self) {
        self.failures.set(0);
        self.ledger.begin();
    }

    /// What follows is not waited for, so the ledger may take as long as it did before once more.
    pub fn renew(&self) {
        self.ledger.begin();
    }

    /// How often it failed in this invocation.
    pub fn failures(&self) -> u64 {
        self.failures.get()
    }

    /// The ledger's answer; `None` where it has none, now or before.
    pub async fn ask<'s, T>(
        &'s self,
        ask: impl FnOnce(&'s dyn Ledger) -> LedgerFuture<'s, T>,
    ) -> Option<T> {
        if self.failures.get() > 0 {
            return None;
        }
        match ask(self.ledger).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::error!(
                    error = causes(&error),
                    "the audit goes on without what is remembered"
                );
                self.failures.set(1);
                None
            }
        }
    }
}

/// A place that a sweep audited from its first group to its last.
#[derive(Clone, Debug)]
pub(super) struct SweptPlace {
    pub place: Place,
    /// When the sweep began with it.
    pub began: DateTime<Utc>,
    pub groups: usize,
    /// Whether all of it was audited in this invocation.
    pub is_from_start: bool,
    /// A hash of the settings that all of it was audited with.
    pub settings: String,
    /// The sweep that first reported on the whole place under these settings.
    pub first: String,
}

/// What was remembered of the places of a sweep when it began with each.
#[derive(Debug, Default)]
pub(super) struct Recalled {
    pub places: Vec<(Place, PlaceEntries)>,
    /// Those that were audited as a whole.
    pub whole: Vec<SweptPlace>,
    /// Rules with the tags of a hold of which nothing was remembered.
    pub unseen: Vec<HeldRule>,
    /// Rules that were held and are gone.
    pub gone: Vec<HeldRule>,
    /// What the groups of places are.
    pub contents: Vec<Contents>,
    /// Places that changed without an event, and are to be told.
    pub unheard: Vec<(Place, Unheard)>,
    /// The places that were read and where what is due is only planned.
    pub planned: Vec<Planned>,
}

/// What is due in a place is only planned.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub place: Place,
    /// What plans it.
    pub planner: Planner,
    /// A hash of the settings.
    pub settings: String,
    /// What names the audit that plans it.
    pub by: String,
}

/// What names a sweep, whenever it is delivered and however many invocations it takes.
pub(super) fn name_of(event: &Event, now: DateTime<Utc>) -> String {
    let begun = match &event.kind {
        Kind::Job(Job::Sweep(sweep)) => sweep.resume.sweep.clone(),
        _ => None,
    };
    begun.unwrap_or_else(|| name_of_record(&event.record, now))
}

/// What names a change, whenever its event is delivered.
pub(super) fn name_of_record(record: &Record, now: DateTime<Utc>) -> String {
    record.shared_id().map_or_else(|| Opened::occasion_of_sweep(now), ToOwned::to_owned)
}

/// What is the same whenever the same event is audited.
pub(super) fn occasion(event: &Event, now: DateTime<Utc>) -> String {
    let of_close = match &event.kind {
        Kind::Job(Job::Close(close)) => close.occasion.as_deref(),
        _ => None,
    };
    let id = event.record.shared_id().filter(|_| has_change(event));
    id.or(of_close).map_or_else(|| Opened::occasion_of_sweep(now), ToOwned::to_owned)
}

/// Whether a change is behind the event. When a schedule asked for something is not when something
/// changed.
pub(super) fn has_change(event: &Event) -> bool {
    !matches!(event.kind, Kind::Job(Job::Sweep(_) | Job::Holds(_)))
}
