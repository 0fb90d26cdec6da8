//! The message that ends the sweep of an organisation, and the run in other reports.

use serde::Serialize;

use crate::ec2::{AccountId, Region};
use crate::evaluate::Severity;
use crate::finding::{CoverageTotals, Covered, PlaceOutcome, PlaceSwept, Run};
use crate::text::count;

/// The run that a report is of.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RunJson {
    name: String,
    coverage: Option<RunCoverageJson>,
}

#[derive(Clone, Debug, Serialize)]
struct RunCoverageJson {
    #[serde(flatten)]
    totals: CoverageTotals,
    worst: Option<Severity>,
    table: String,
    again: Option<String>,
    not_audited: Vec<NotAuditedJson>,
    noncompliant: Vec<NoncompliantJson>,
}

#[derive(Clone, Debug, Serialize)]
struct NotAuditedJson {
    account: AccountId,
    region: Region,
    outcome: PlaceOutcome,
    reason: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct NoncompliantJson {
    account: AccountId,
    region: Region,
    findings: usize,
    worst: Option<Severity>,
}

impl From<&Run> for RunJson {
    fn from(run: &Run) -> Self {
        let coverage = run.covered.as_ref().map(|covered| RunCoverageJson {
            totals: covered.totals,
            worst: covered.worst,
            table: covered.table.clone(),
            again: covered.again.clone(),
            not_audited: covered.not_audited.iter().map(NotAuditedJson::from).collect(),
            noncompliant: covered.noncompliant.iter().map(NoncompliantJson::from).collect(),
        });
        Self { name: run.name.to_string(), coverage }
    }
}

impl From<&PlaceSwept> for NotAuditedJson {
    fn from(place: &PlaceSwept) -> Self {
        let PlaceSwept { account, region, outcome, reason, .. } = place.clone();
        Self { account, region, outcome, reason }
    }
}

impl From<&PlaceSwept> for NoncompliantJson {
    fn from(place: &PlaceSwept) -> Self {
        let PlaceSwept { account, region, findings, worst, .. } = place.clone();
        Self { account, region, findings, worst }
    }
}

/// How bad what a run covered is: that nobody could look counts as well.
pub(super) fn severity(covered: &Covered) -> Option<Severity> {
    let gap = match covered.totals {
        CoverageTotals { missing: 1.., .. } => Some(Severity::High),
        CoverageTotals { unread: 1.., .. } => Some(Severity::Medium),
        _ => None,
    };
    covered.worst.max(gap)
}

/// `NOT AUDITED: 3 of 3400 places; 14 findings (critical, organisation sweep)`
pub(super) fn subject(covered: &Covered) -> String {
    let CoverageTotals { expected, audited, findings, .. } = covered.totals;
    let gaps = expected.saturating_sub(audited);
    let gaps = (gaps > 0).then(|| format!("NOT AUDITED: {gaps} of {}", count(expected, "place")));
    let findings = (findings > 0).then(|| count(findings, "finding"));
    let said: Vec<_> = gaps.into_iter().chain(findings).collect();
    let said = if said.is_empty() { "Everything was audited".to_owned() } else { said.join("; ") };
    let worst = severity(covered).map_or("", Severity::as_str);
    let about = if worst.is_empty() { String::new() } else { format!("{worst}, ") };
    format!("{said} ({about}organisation sweep)")
}

/// How many places were audited, and what was found in them.
pub(super) fn summary(covered: &Covered) -> String {
    let CoverageTotals { expected, audited, unread, missing, groups, findings, .. } =
        covered.totals;
    let gaps = match (unread, missing) {
        (0, 0) => "All were audited.".to_owned(),
        (unread, 0) => format!("{audited} were audited, and {unread} could not be read."),
        (0, missing) => format!("{audited} were audited. The sweep of {missing} did not end."),
        (unread, missing) => format!(
            "{audited} were audited, and {unread} could not be read. The sweep of {missing} did not end."
        ),
    };
    let found = match covered.worst {
        Some(worst) => format!(
            "{} in {}; the worst is {}.",
            count(findings, "finding"),
            count(groups, "group"),
            worst.as_str()
        ),
        None if findings > 0 => String::new(),
        None => format!("No findings in {}.", count(groups, "group")),
    };
    let places = count(expected, "place");
    format!("Sweep of the organisation: {places} (an account in a region each). {gaps} {found}")
}

/// A place that was not audited, and why.
pub(super) fn not_audited(place: &PlaceSwept) -> String {
    let PlaceSwept { account, region, outcome, reason, .. } = place;
    let why = match (outcome, reason) {
        (PlaceOutcome::Unread, Some(reason)) => reason.as_str(),
        _ => "missing: its sweep did not end",
    };
    format!("{account} {region}: {why}")
}

/// A place with findings.
pub(super) fn noncompliant(place: &PlaceSwept) -> String {
    let PlaceSwept { account, region, findings, worst, .. } = place;
    let worst = worst.map_or("", Severity::as_str);
    format!("{account} {region}: {}, {worst}", count(*findings, "finding"))
}
