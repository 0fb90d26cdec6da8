//! The JSON that SNS carries, the function returns and the command line prints. Names and meanings
//! are a contract; fields may be added.

use chrono::NaiveDate;
use serde::{Serialize, Serializer};

use super::console::console_url;
use super::declared;
use super::detail::{connections, detail, undecided};
use super::digest::DigestJson;
use super::run::RunJson;
use super::title::title;
use super::wording;
use crate::declared::Location;
use crate::ec2::hold::Hold;
use crate::ec2::{Direction, ListId, Peer, Protocol, Rule, RuleId};
use crate::evaluate::expected::{Family, FamilyReach, Reach, Reached};
use crate::evaluate::{Code, Severity};
use crate::event::{ActorType, Record};
use crate::finding::{
    BaselineName, Exempted, Finding, FoundGroup, Matter, Outcome, Report, ReportOutcome, Status,
    Totals,
};
use crate::history::Gap;
use crate::text::escape::ascii_json;
use crate::text::timestamp;
use crate::words::{ExcessBox, boxes, excess_text, rule_text};

/// The JSON Schema of a report.
pub const SCHEMA: &str = include_str!("../../docs/report.schema.json");

/// A report as JSON. Each field is always there, and `docs/report.schema.json` describes it.
#[derive(Clone, Debug, Serialize)]
pub struct ReportJson {
    version: u8,
    generator: Generator,
    pub(super) baseline: BaselineName,
    outcome: ReportOutcome,
    pub(super) reason: Option<String>,
    groups_audited: usize,
    rules_audited: usize,
    totals: Totals,
    pub(super) exempt: Vec<ExemptJson>,
    handed_on: usize,
    partial: bool,
    run: Option<RunJson>,
    /// Which part of a split report this is, from 1.
    pub(super) part: Option<usize>,
    /// Of how many.
    pub(super) parts: Option<usize>,
    /// What waited to be mailed, where the report tells it.
    digest: Option<DigestJson>,
    pub(super) findings: Vec<FindingJson>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Generator {
    name: &'static str,
    version: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct FindingJson {
    id: String,
    fingerprint: String,
    code: Code,
    severity: Severity,
    pub(super) title: String,
    account: Option<String>,
    region: Option<String>,
    pub(super) group: Option<FoundGroup>,
    location: Option<LocationJson>,
    pub(super) rule: Option<RuleJson>,
    pub(super) excess: Vec<ExcessBox>,
    /// How many peers of the excess are not listed because a message had to be kept small.
    pub(super) excess_omitted: usize,
    pub(super) excess_text: String,
    pub(super) undecided: Option<String>,
    exemption: Option<String>,
    controls: Vec<&'static str>,
    console_url: Option<String>,
    pub(super) change: Option<ChangeJson>,
    binding: Option<String>,
    status: Option<Status>,
    first_seen: Option<String>,
    times: usize,
    pub(super) still_open: Vec<OpenRuleJson>,
    /// Whether there may be more of these, because nobody could look.
    still_open_unknown: bool,
    pub(super) expected: Vec<ExpectedJson>,
    /// How many entries of `expected` are not listed because a message had to be kept small.
    pub(super) expected_omitted: usize,
    /// The prefix lists that could not be read and that decide about `expected`.
    expected_unread: Vec<ListId>,
    pub(super) remediation: RemediationJson,
}

/// Where a plan or a template declares what a finding is about.
#[derive(Clone, Debug, Serialize)]
struct LocationJson {
    address: String,
    part: Option<String>,
    file: Option<String>,
    line: Option<usize>,
    /// The group, where it has no id yet.
    group: Option<String>,
    group_name: Option<String>,
    unknown: Vec<UnknownJson>,
}

/// A value that is not known yet.
#[derive(Clone, Debug, Serialize)]
struct UnknownJson {
    name: String,
    reason: String,
}

impl LocationJson {
    fn new(location: &Location, finding: &Finding) -> Self {
        let unknown = location.unknown.iter().zip(declared::unknown(location));
        Self {
            address: location.address.clone(),
            part: location.part.clone(),
            file: location.file.clone(),
            line: location.line,
            group: declared::group_without_id(finding).map(ToString::to_string),
            group_name: finding.group.as_ref().and_then(|group| group.name.clone()),
            unknown: unknown
                .map(|(unknown, reason)| UnknownJson { name: unknown.name.clone(), reason })
                .collect(),
        }
    }
}

/// A rule that keeps SSH open.
#[derive(Clone, Debug, Serialize)]
pub(super) struct OpenRuleJson {
    pub(super) id: Option<RuleId>,
    pub(super) text: String,
}

/// Who can reach traffic that the site lives on.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ExpectedJson {
    pub(super) entry: String,
    direction: Direction,
    family: Family,
    before: Option<Reach>,
    after: Option<Reach>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct RuleJson {
    id: Option<RuleId>,
    direction: Direction,
    protocol: Protocol,
    from_port: Option<i32>,
    to_port: Option<i32>,
    peer: Peer,
    pub(super) description: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct ChangeJson {
    pub(super) event_id: Option<String>,
    pub(super) event_name: Option<String>,
    time: Option<String>,
    pub(super) actor: Option<String>,
    actor_type: ActorType,
    pub(super) source_ip: Option<String>,
    pub(super) user_agent: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct RemediationJson {
    outcome: Outcome,
    pub(super) detail: String,
    time: String,
    pub(super) fix: Option<String>,
    pub(super) complete: Option<String>,
    pub(super) undo: Option<String>,
    pub(super) hold: Option<HoldJson>,
    pub(super) kept: Vec<String>,
    pub(super) missing: Vec<String>,
    connections: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct HoldJson {
    until: String,
    pub(super) reason: String,
}

/// Traffic that is not in the baseline and was exempt.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ExemptJson {
    account: Option<String>,
    region: Option<String>,
    group: String,
    rule: Option<RuleId>,
    traffic: String,
    pub(super) reason: String,
    #[serde(serialize_with = "day")]
    until: NaiveDate,
}

fn day<S: Serializer>(day: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

impl Generator {
    pub(super) fn of_this_program() -> Self {
        Self { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") }
    }
}

impl From<&Report> for ReportJson {
    fn from(report: &Report) -> Self {
        let json = Self {
            findings: report.findings.iter().map(FindingJson::from).collect(),
            ..Self::without_findings(report)
        };
        #[cfg(test)]
        json.assert_fits_schema();
        json
    }
}

impl ReportJson {
    /// Everything but the findings.
    pub(super) fn without_findings(report: &Report) -> Self {
        let reasons: Vec<String> = report.skipped.iter().map(wording::skipped).collect();
        Self {
            version: 1,
            generator: Generator::of_this_program(),
            baseline: report.baseline.clone(),
            outcome: report.outcome,
            reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
            groups_audited: report.groups,
            rules_audited: report.rules,
            totals: report.totals.clone(),
            exempt: report.exempt.iter().map(ExemptJson::from).collect(),
            handed_on: report.handed_on,
            partial: report.partial,
            run: report.run.as_ref().map(RunJson::from),
            part: None,
            parts: None,
            digest: report.digest.as_ref().map(DigestJson::from),
            findings: Vec::new(),
        }
    }
}

impl From<&Exempted> for ExemptJson {
    fn from(exempted: &Exempted) -> Self {
        Self {
            account: exempted.place.account.as_ref().map(ToString::to_string),
            region: exempted.place.region.as_ref().map(ToString::to_string),
            group: exempted.group.to_string(),
            rule: exempted.rule.id().cloned(),
            traffic: excess_text(&exempted.rule, &exempted.traffic),
            reason: exempted.reason.clone(),
            until: exempted.until,
        }
    }
}

impl From<&Finding> for FindingJson {
    fn from(finding: &Finding) -> Self {
        let found = finding.found_rule();
        let region = finding.place.region.as_ref();
        Self {
            id: finding.id.clone(),
            fingerprint: finding.fingerprint.clone(),
            code: finding.code,
            severity: finding.severity,
            title: title(finding).whole(),
            account: finding.place.account.as_ref().map(ToString::to_string),
            region: region.map(ToString::to_string),
            group: finding.group.clone().filter(|group| !group.id.is_declared()),
            location: finding.location.as_ref().map(|it| LocationJson::new(it, finding)),
            rule: finding.rule().map(RuleJson::from),
            excess: found.map(|found| boxes(&found.excess)).unwrap_or_default(),
            excess_omitted: 0,
            excess_text: found
                .map(|found| excess_text(&found.rule, &found.excess))
                .unwrap_or_default(),
            undecided: found.and_then(undecided),
            exemption: found.and_then(|found| Some(found.exemption.as_ref()?.to_line())),
            controls: finding.controls.iter().map(|control| control.as_str()).collect(),
            console_url: console_url(finding),
            change: finding.change.as_ref().map(ChangeJson::from),
            binding: finding.binding.clone(),
            status: finding.life.map(|life| life.status),
            first_seen: finding.life.map(|life| timestamp(&life.first_seen)),
            times: finding.life.map_or(1, |life| life.times),
            expected: expected(finding),
            expected_omitted: 0,
            expected_unread: match &finding.matter {
                Matter::ExpectedClosed(closed) => closed.unread.iter().cloned().collect(),
                _ => Vec::new(),
            },
            still_open: finding
                .still_open()
                .iter()
                .map(|rule| OpenRuleJson { id: rule.id().cloned(), text: rule_text(rule) })
                .collect(),
            still_open_unknown: found.is_some_and(|found| found.unchecked.is_some()),
            remediation: RemediationJson {
                outcome: finding.outcome(),
                detail: detail(finding),
                time: timestamp(&finding.time),
                fix: finding.fix.clone().or_else(|| declared::repair(finding)),
                complete: finding.complete.clone(),
                undo: finding.undo.clone(),
                hold: wording::hold(finding).map(HoldJson::from),
                kept: texts(found.map(|found| &found.kept)),
                missing: texts(found.map(|found| &found.missing)),
                connections: found.and_then(connections),
            },
        }
    }
}

fn texts(rules: Option<&Vec<Rule>>) -> Vec<String> {
    rules.into_iter().flatten().map(rule_text).collect()
}

/// Every entry and family of a finding about expected traffic.
fn expected(finding: &Finding) -> Vec<ExpectedJson> {
    let Matter::ExpectedClosed(closed) = &finding.matter else { return Vec::new() };
    let of_entry = |entry: &Reached| {
        let Reached { entry, direction, families, .. } = entry.clone();
        let of_family = move |FamilyReach { family, before, after }| ExpectedJson {
            entry: entry.clone(),
            direction,
            family,
            before,
            after,
        };
        families.into_iter().map(of_family)
    };
    closed.entries.iter().flat_map(of_entry).collect()
}

impl From<&Rule> for RuleJson {
    fn from(rule: &Rule) -> Self {
        Self {
            id: rule.id().cloned(),
            direction: rule.direction(),
            protocol: rule.protocol(),
            from_port: rule.from_port(),
            to_port: rule.to_port(),
            peer: rule.peer().clone(),
            description: rule.description().map(ToOwned::to_owned),
        }
    }
}

impl From<&Record> for ChangeJson {
    fn from(record: &Record) -> Self {
        Self {
            event_id: record.event_id.clone(),
            event_name: record.event_name.clone(),
            time: record.time.as_ref().map(timestamp),
            actor: record.actor.clone(),
            actor_type: record.actor_type,
            source_ip: record.source_ip.clone(),
            user_agent: record.user_agent.clone(),
        }
    }
}

impl From<&Hold> for HoldJson {
    fn from(hold: &Hold) -> Self {
        Self { until: timestamp(&hold.until), reason: hold.reason.clone() }
    }
}

/// The report on one line.
///
/// # Errors
///
/// None that a report can cause; serde's signature has one.
pub fn to_json(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string(&ReportJson::from(report))
}

/// The report with a line for every value, and in ASCII: what controls a terminal, and what nobody
/// sees, is `\u` escaped.
///
/// # Errors
///
/// As [`to_json`].
pub fn to_json_pretty(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&ReportJson::from(report)).map(|json| ascii_json(&json))
}

/// On one line and in ASCII. A message needs that, because SNS and SQS refuse some characters that
/// JSON allows, and no name may keep a finding from being published.
pub(super) fn to_ascii_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(value).map(|json| ascii_json(&json))
}

/// A stretch without any record.
#[derive(Serialize)]
pub(super) struct GapJson {
    from: String,
    until: String,
}

impl From<&Gap> for GapJson {
    fn from(gap: &Gap) -> Self {
        Self { from: timestamp(&gap.from), until: timestamp(&gap.until) }
    }
}
