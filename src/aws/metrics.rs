//! Metrics by the log: CloudWatch makes them of lines in its embedded metric format
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>),
//! so the function needs neither a right nor a call for it.
//!
//! Every metric has the function's name as a dimension, as Lambda's own have it, so that two stacks
//! do not count as one. The other dimensions are words of this program only: nothing that an event
//! says can make a metric, which CloudWatch would bill.

use std::io::{Write, stdout};

use chrono::TimeDelta;
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use thiserror::Error;

use crate::audit::{Counts, RunCounts};
use crate::ec2::{Cause, cause};

/// The namespace of all of them.
const NAMESPACE: &str = "typo3-sg-auditor";

/// What the sweep of an organisation covered. Each is one value, and nothing where there is none: a
/// gauge would be written with every later event too.
const PLACES: [&str; 4] = ["PlacesExpected", "PlacesAudited", "PlacesUnread", "PlacesMissing"];

/// A metric may have so many values in a line.
const VALUES_A_LINE: usize = 100;

/// Why there are no metrics.
#[derive(Debug, Error)]
#[error("no metrics can be made")]
pub struct MetricsError(#[source] Cause);

/// The function's metrics.
pub struct Metrics(&'static Collector);

impl Metrics {
    /// The metrics of the function of this name, for the whole process.
    ///
    /// # Errors
    ///
    /// Where the process has some already.
    pub fn of_function(name: &str) -> Result<Self, MetricsError> {
        let collector = Builder::new()
            .cloudwatch_namespace(NAMESPACE)
            .with_dimension("FunctionName", name.to_owned())
            .init()
            .map_err(|error| MetricsError(cause(error)))?;
        for name in [
            "Events",
            "Findings",
            "MemoryFailures",
            "RepeatedReverts",
            "Reverts",
            "RulesRevoked",
            "Sweeps",
        ] {
            describe_counter!(name, Unit::Count, "");
        }
        for name in PLACES {
            describe_histogram!(name, Unit::Count, "");
        }
        for name in ["OldestAuditAge", "SecondsToRevert", "SecondsToPublication"] {
            describe_histogram!(name, Unit::Seconds, "");
        }
        Ok(Self(collector))
    }

    /// Logs what an invocation did. Where that fails the audit is no less done.
    pub fn log(&self, counts: &Counts) {
        for (outcome, number) in &counts.events {
            counter!("Events", "Outcome" => outcome.as_str()).increment(*number);
        }
        if counts.failed > 0 {
            counter!("Events", "Outcome" => "failed").increment(counts.failed);
        }
        for (code, number) in &counts.findings {
            counter!("Findings", "Code" => code.as_str()).increment(*number);
        }
        for (outcome, number) in &counts.reverts {
            counter!("Reverts", "Outcome" => outcome.as_str()).increment(*number);
        }
        counter!("RepeatedReverts").increment(counts.repeated);
        counter!("RulesRevoked").increment(counts.revoked);
        counter!("MemoryFailures").increment(counts.ledger_failures);
        counter!("Sweeps").increment(counts.sweeps);
        if let Some(RunCounts { totals, oldest }) = counts.run {
            let places = [totals.expected, totals.audited, totals.unread, totals.missing];
            for (name, number) in PLACES.into_iter().zip(places) {
                histogram!(name).record(number as f64);
            }
            histogram!("OldestAuditAge").record(oldest.as_seconds_f64());
        }
        let (mut to_revert, mut to_publication) =
            (counts.to_revert.chunks(VALUES_A_LINE), counts.to_publication.chunks(VALUES_A_LINE));
        loop {
            let values = (to_revert.next(), to_publication.next());
            record("SecondsToRevert", values.0);
            record("SecondsToPublication", values.1);
            self.flush();
            if values == (None, None) {
                break;
            }
        }
    }

    /// Writes what was counted since the last time; no line where that is nothing.
    fn flush(&self) {
        // At once, so that nothing comes between the parts of a line.
        let mut lines = Vec::new();
        let written = self.0.flush(&mut lines).and_then(|()| stdout().lock().write_all(&lines));
        if let Err(error) = written {
            tracing::warn!(%error, "the metrics are not logged");
        }
    }
}

fn record(name: &'static str, values: Option<&[TimeDelta]>) {
    for value in values.unwrap_or_default() {
        histogram!(name).record(value.as_seconds_f64());
    }
}
