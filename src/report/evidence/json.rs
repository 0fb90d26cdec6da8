//! What the reports do not say, as JSON. Names and meanings are a contract; fields may be added.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::Serialize;

use super::super::history::words::{actor, status_word, traffic};
use super::super::json::{GapJson, Generator};
use super::words::{asks, standard, tolerates};
use crate::evidence::{ControlAnswer, Evidence, PlaceCovered, Tolerated};
use crate::finding::BaselineName;
use crate::history::{Deed, Opening};
use crate::text::escape::ascii_json;
use crate::text::timestamp;
use crate::words::rule_text;

/// The JSON Schema of `evidence.json`.
pub const EVIDENCE_SCHEMA: &str = include_str!("../../../docs/evidence.schema.json");

#[derive(Serialize)]
struct EvidenceJson {
    version: u8,
    generator: Generator,
    baseline: BaselineName,
    from: NaiveDate,
    to: NaiveDate,
    as_of: String,
    partial: bool,
    unread: Vec<String>,
    coverage: Vec<PlaceCoveredJson>,
    exemptions: Vec<ExemptionJson>,
    holds: Vec<HeldOpeningJson>,
    controls: Vec<ControlJson>,
}

#[derive(Serialize)]
struct PlaceCoveredJson {
    account: Option<String>,
    region: Option<String>,
    groups_audited: usize,
    findings: usize,
    records: usize,
    watched_all_the_time: bool,
    gaps: Vec<GapJson>,
}

#[derive(Serialize)]
struct ExemptionJson {
    group: String,
    direction: String,
    tolerates: String,
    reason: String,
    until: NaiveDate,
    active: bool,
    rules: usize,
}

#[derive(Serialize)]
struct HeldOpeningJson {
    account: Option<String>,
    region: Option<String>,
    group: String,
    rule: String,
    excess_text: String,
    reason: String,
    until: String,
    status: &'static str,
    opened_at: Option<String>,
    opened_by: Option<String>,
    closed_at: Option<String>,
    closed_by: Option<String>,
}

#[derive(Serialize)]
struct ControlJson {
    standard: &'static str,
    control: &'static str,
    asks_for: &'static str,
    findings: usize,
    openings: usize,
    open: usize,
    groups: BTreeSet<String>,
}

impl From<PlaceCovered> for PlaceCoveredJson {
    fn from(covered: PlaceCovered) -> Self {
        Self {
            account: covered.place.account.as_ref().map(ToString::to_string),
            region: covered.place.region.as_ref().map(ToString::to_string),
            groups_audited: covered.groups,
            findings: covered.findings,
            records: covered.records,
            watched_all_the_time: covered.gaps.is_empty(),
            gaps: covered.gaps.iter().map(GapJson::from).collect(),
        }
    }
}

impl From<ControlAnswer> for ControlJson {
    fn from(answer: ControlAnswer) -> Self {
        let ControlAnswer { control, findings, openings, open, groups } = answer;
        let (standard, asks_for, control) = (standard(control), asks(control), control.as_str());
        Self { standard, control, asks_for, findings, openings, open, groups }
    }
}

fn exemption(evidence: &Evidence, tolerated: &Tolerated<'_>) -> ExemptionJson {
    let exemption = tolerated.exemption;
    ExemptionJson {
        group: exemption.group.to_string(),
        direction: exemption.direction.to_string(),
        tolerates: tolerates(evidence, tolerated),
        reason: exemption.reason.clone(),
        until: exemption.until,
        active: tolerated.is_active,
        rules: tolerated.rules,
    }
}

fn held(opening: &Opening) -> Option<HeldOpeningJson> {
    let hold = opening.hold.as_ref()?;
    let by = |deed: Option<&Deed>| deed.map(|it| actor(opening, it));
    let at = |deed: Option<&Deed>| deed.map(|it| timestamp(&it.time));
    Some(HeldOpeningJson {
        account: opening.place.account.as_ref().map(ToString::to_string),
        region: opening.place.region.as_ref().map(ToString::to_string),
        group: opening.group.as_str().to_owned(),
        rule: rule_text(&opening.rule),
        excess_text: traffic(opening),
        reason: hold.reason.clone(),
        until: timestamp(&hold.until),
        status: status_word(opening),
        opened_at: at(opening.opener()),
        opened_by: by(opening.opener()),
        closed_at: at(opening.closer()),
        closed_by: by(opening.closer()),
    })
}

/// Everything but the reports, with a line for every value, in ASCII.
pub(super) fn to_json_pretty(evidence: &Evidence) -> Result<String, serde_json::Error> {
    let json = EvidenceJson {
        version: 1,
        generator: Generator::of_this_program(),
        baseline: BaselineName::from(&evidence.baseline),
        from: evidence.period.from,
        to: evidence.period.to,
        as_of: timestamp(&evidence.as_of),
        partial: evidence.is_partial(),
        unread: evidence.unread.clone(),
        coverage: evidence.covered().into_iter().map(PlaceCoveredJson::from).collect(),
        exemptions: evidence.tolerated().iter().map(|it| exemption(evidence, it)).collect(),
        holds: evidence.held().filter_map(held).collect(),
        controls: evidence.answers().into_iter().map(ControlJson::from).collect(),
    };
    serde_json::to_string_pretty(&json).map(|json| ascii_json(&json))
}
