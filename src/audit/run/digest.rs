use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt as _;
use futures_util::stream::iter;
use serde::{Deserialize, Serialize};

use super::account::AccountSwept;
use super::error::{PlacesMissing, RunError};
use super::ports::{Archive, Directory, Regions};
use super::runner::{Runner, key, read};
use super::task::{BucketName, RunDigest};
use crate::audit::counts::RunCounts;
use crate::audit::lookups::Lookups;
use crate::audit::subject::Trigger;
use crate::audit::sweep::Sweeper;
use crate::audit::{Clock, Counts, Invoker, Notifier};
use crate::ec2::SecurityGroups;
use crate::evaluate::Code;
use crate::finding::{
    Coverage, CoverageTotals, Covered, Expected, PlaceOutcome, PlaceSwept, Report, Run, RunName,
    Tally,
};
use crate::settings::Remediation;

/// How many objects are read at the same time.
const AT_ONCE: usize = 16;

/// How many places a message lists of those that were not audited, and of those with findings.
const MOST_LISTED: usize = 50;

/// The object that remembers when each place was last audited.
const LATEST: &str = "latest.json";

/// What was covered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DigestAnswer {
    pub run: RunName,
    /// The sums.
    pub totals: CoverageTotals,
    /// Whether there is a place that is missing.
    pub missing: bool,
    pub table: String,
    /// What is missing, in words, for the error of the execution.
    pub cause: String,
}

/// When a place was last audited, and since when it has to be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Seen {
    at: Option<DateTime<Utc>>,
    since: DateTime<Utc>,
}

type Latest = BTreeMap<String, Seen>;

impl<E, N, O, D, A> Runner<'_, E, N, O, D, A>
where
    E: SecurityGroups + Regions,
    N: Notifier,
    O: Invoker,
    D: Directory,
    A: Archive,
{
    /// Holds what was swept against what had to be, writes it down and publishes it.
    pub(super) async fn digest(
        &self,
        asked: &RunDigest,
        clock: Clock<'_>,
        counts: &mut Counts,
    ) -> Result<DigestAnswer, RunError> {
        let RunDigest { run, bucket, machine } = asked;
        let expected: Vec<Expected> = read(self.archive, bucket, run, "expected.json").await?;
        let swept = self.swept(asked, &expected).await?;
        let now = clock();
        let coverage = Coverage::of(run, &expected, swept, now);
        let table = self.archive.put_coverage(bucket, &coverage).await?;
        let oldest = self.remember(bucket, &coverage).await?;
        let totals = coverage.totals;
        let again = machine.as_ref().and_then(|machine| machine.again(run));
        self.tell(&coverage, (&table, again), clock, counts).await?;
        counts.run = Some(RunCounts { totals, oldest });
        if totals.is_complete() {
            tracing::info!(task = "sweep", "done");
            counts.sweeps += 1;
        }
        let cause = PlacesMissing { run, totals }.to_string();
        Ok(DigestAnswer { run: run.clone(), totals, missing: totals.missing > 0, table, cause })
    }

    /// What became of each account, as far as it was written down.
    async fn swept(
        &self,
        asked: &RunDigest,
        expected: &[Expected],
    ) -> Result<Vec<PlaceSwept>, RunError> {
        let keys = expected
            .iter()
            .map(|expected| key(&asked.run, &format!("accounts/{}.json", expected.account)));
        let mut objects = iter(keys)
            .map(|key| async move { self.archive.get(&asked.bucket, &key).await })
            .buffer_unordered(AT_ONCE);
        let mut places = Vec::new();
        while let Some(object) = objects.next().await {
            let Some(json) = object? else { continue };
            match serde_json::from_slice::<AccountSwept>(&json) {
                Ok(swept) => places.extend(swept.places),
                // Its places are missing.
                Err(error) => tracing::warn!(%error, "what became of an account cannot be read"),
            }
        }
        Ok(places)
    }

    /// Remembers when each place was last audited. Returns how long that is ago for the one that
    /// has waited longest.
    async fn remember(
        &self,
        bucket: &BucketName,
        coverage: &Coverage,
    ) -> Result<TimeDelta, RunError> {
        let known = self.archive.get(bucket, LATEST).await?;
        let read = |json: Vec<u8>| {
            serde_json::from_slice(&json).inspect_err(|error| {
                tracing::warn!(%error, "when each place was last audited cannot be read, and counts anew");
            })
        };
        let mut latest: Latest = known.and_then(|json| read(json).ok()).unwrap_or_default();
        let mut oldest = TimeDelta::zero();
        for place in &coverage.places {
            let name = format!("{}/{}", place.account, place.region);
            let seen = latest.entry(name).or_insert(Seen { at: None, since: coverage.at });
            if place.outcome == PlaceOutcome::Audited {
                seen.at = seen.at.max(place.at);
            }
            oldest = oldest.max(coverage.at - seen.at.unwrap_or(seen.since));
        }
        let json = serde_json::to_vec(&latest).unwrap_or_default();
        self.archive.put(bucket, LATEST, json).await?;
        Ok(oldest)
    }

    /// One message for people, unless there is nothing to tell.
    async fn tell(
        &self,
        coverage: &Coverage,
        (table, again): (&str, Option<String>),
        clock: Clock<'_>,
        counts: &mut Counts,
    ) -> Result<(), RunError> {
        let totals = coverage.totals;
        let mut tally = Tally { groups: totals.groups, rules: totals.rules, ..Tally::default() };
        let lookups = Lookups::new(self.auditor.ec2);
        let context = self.auditor.context(&lookups, clock, None);
        let sweeper = Sweeper::new(context, Trigger::Sweep(Remediation::Notify));
        let settings = self.auditor.settings;
        let of_bindings = settings.bound.iter().map(|bound| &bound.settings);
        for settings in std::iter::once(settings).chain(of_bindings) {
            sweeper.call_out_wide_baseline(settings, self.auditor.home, &mut tally).await;
        }
        if totals.is_complete() && totals.findings == 0 && tally.findings.is_empty() {
            return Ok(());
        }
        let mut noncompliant: Vec<_> =
            coverage.places.iter().filter(|place| place.worst.is_some()).cloned().collect();
        noncompliant.sort_by_key(|place| std::cmp::Reverse((place.worst, place.findings)));
        noncompliant.truncate(MOST_LISTED);
        // What nobody knows of comes first.
        let mut not_audited: Vec<_> = coverage.not_audited().cloned().collect();
        not_audited.sort_by_key(|place| std::cmp::Reverse(place.outcome));
        not_audited.truncate(MOST_LISTED);
        let mut codes: BTreeSet<_> =
            coverage.places.iter().flat_map(|place| place.codes.iter().copied()).collect();
        if !totals.is_complete() {
            codes.insert(Code::UnauditedChange);
        }
        let covered = Covered {
            totals,
            worst: coverage.worst(),
            codes,
            not_audited,
            noncompliant,
            table: table.to_owned(),
            again: again.filter(|_| !totals.is_complete()),
        };
        let report = Report {
            scheduled: true,
            partial: !totals.is_complete(),
            run: Some(Run { name: coverage.run.clone(), covered: Some(covered) }),
            ..Report::new(&self.auditor.baseline, tally)
        };
        self.auditor.publish(&report).await?;
        counts.published(&report, clock());
        // What each account's messages left for later.
        self.auditor.digest(true, clock).await?;
        Ok(())
    }
}
