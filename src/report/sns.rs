//! Messages for SNS: a report as JSON for machines, the same as a mail for people, and attributes
//! for subscription filters.

use std::collections::BTreeSet;

use serde::Serialize;

use super::json::{FindingJson, ReportJson, to_ascii_json};
use super::wording::Part;
use super::{digest, email, fit, run, subject};
use crate::evaluate::Code;
use crate::finding::{Digest, Finding, Mail, Report};

/// What SNS takes, attributes included; the Subject is counted too, to be on the safe side.
pub const MAX_BYTES: usize = 256 * 1024;

/// Room for the Subject, the attributes, and the numbers of a part.
const EXTRAS: usize = 4096;
/// Longest text of the report itself, in bytes of the body.
const TEXT: usize = 4096;
/// All exemptions of the report, in bytes of the body.
const EXEMPT: usize = 16 * 1024;

/// A message, ready to publish with `MessageStructure` `json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The Subject: printable ASCII, not empty, at most 99 characters.
    pub subject: String,
    /// A JSON object: `default` has the report as JSON, `email` has it for a person.
    pub body: String,
    /// Attributes; one that has no single value is not there.
    pub attributes: Vec<Attribute>,
}

impl Message {
    /// What SNS counts, with the Subject: in bytes.
    pub fn size(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|it| it.name.len() + it.data_type.len() + it.value.len());
        self.subject.len() + self.body.len() + attributes.sum::<usize>()
    }
}

/// An attribute of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub name: &'static str,
    /// `String` or `String.Array`.
    pub data_type: &'static str,
    /// Its value; a JSON array for `String.Array`.
    pub value: String,
}

/// The messages that carry a report: none if it has neither findings nor what a run covered, one if
/// it fits, else as many as it takes, each valid by itself. Every finding is in exactly one of them, and they keep their order.
/// The totals of each are those of the whole report.
///
/// # Errors
///
/// None that a report can cause; serde's signature has one.
pub fn messages(report: &Report) -> Result<Vec<Message>, serde_json::Error> {
    if report.digest.is_some() {
        return Ok(vec![message(report, &envelope(report)?, None)?]);
    }
    let covered = report.run.as_ref().is_some_and(|run| run.covered.is_some());
    if report.findings.is_empty() && !covered {
        return Ok(Vec::new());
    }
    let mut json = envelope(report)?;
    let packs = packs(report, &json)?;
    let parts = packs.len();
    let mut findings = report.findings.iter();
    packs
        .into_iter()
        .zip(1..)
        .map(|(pack, part)| {
            let part = (parts > 1).then_some(Part { part, parts });
            (json.part, json.parts) = part.map(|it| (it.part, it.parts)).unzip();
            let findings = findings.by_ref().take(pack.len()).cloned().collect();
            json.findings = pack;
            let mail = match report.mail {
                Mail::Now { parts } if part.as_ref().is_none_or(|it| it.part <= parts) => {
                    report.mail
                }
                _ => Mail::Later,
            };
            message(&Report { findings, mail, ..without_findings(report) }, &json, part)
        })
        .collect()
}

/// How many findings are in each of the messages of a report.
///
/// # Errors
///
/// As [`messages`].
pub fn parts(report: &Report) -> Result<Vec<usize>, serde_json::Error> {
    /// So many always fit in one.
    const FEW: usize = 8;
    if report.findings.len() <= FEW {
        return Ok(vec![report.findings.len()]);
    }
    Ok(packs(report, &envelope(report)?)?.iter().map(Vec::len).collect())
}

/// How many findings of a digest fit into its message, and are listed in its mail.
///
/// # Errors
///
/// As [`messages`].
pub fn fitting(report: &Report) -> Result<usize, serde_json::Error> {
    let Some(digest) = &report.digest else { return Ok(usize::MAX) };
    let none = Digest { entries: Vec::new(), is_daily: digest.is_daily };
    let around = envelope(&Report { digest: Some(none), ..without_findings(report) })?;
    let around = fit::json_len(&to_ascii_json(&around)?) + email::MAX_BYTES + EXTRAS;
    let mut room = MAX_BYTES.saturating_sub(around);
    let mut fitting = 0;
    for entry in digest::each_as_json(digest) {
        let cost = fit::json_len(&to_ascii_json(&entry)?) + ",".len();
        if cost > room {
            break;
        }
        (room, fitting) = (room - cost, fitting + 1);
    }
    Ok(fitting.min(email::listed(digest)))
}

/// The findings in packs, one a message.
fn packs(report: &Report, json: &ReportJson) -> Result<Vec<Vec<FindingJson>>, serde_json::Error> {
    let fixed = fit::json_len(&to_ascii_json(json)?) + email::MAX_BYTES + EXTRAS;
    pack(&report.findings, MAX_BYTES.saturating_sub(fixed))
}

fn without_findings(report: &Report) -> Report {
    Report {
        baseline: report.baseline.clone(),
        outcome: report.outcome,
        skipped: report.skipped.clone(),
        groups: report.groups,
        audited: Vec::new(),
        rules: report.rules,
        totals: report.totals.clone(),
        exempt: report.exempt.clone(),
        handed_on: report.handed_on,
        partial: report.partial,
        scheduled: report.scheduled,
        mail: report.mail,
        digest: None,
        run: report.run.clone(),
        hook: None,
        findings: Vec::new(),
    }
}

/// The report's JSON without its findings, shortened to what fits.
fn envelope(report: &Report) -> Result<ReportJson, serde_json::Error> {
    let mut json = ReportJson::without_findings(report);
    fit::shorten(&mut json.baseline.name, TEXT);
    if let Some(reason) = &mut json.reason {
        fit::shorten(reason, TEXT);
    }
    fit::shorten_exempt(&mut json.exempt, EXEMPT)?;
    Ok(json)
}

/// The findings, in packs that each take at most `budget` bytes of a body.
fn pack(findings: &[Finding], budget: usize) -> Result<Vec<Vec<FindingJson>>, serde_json::Error> {
    let mut packs = Vec::new();
    let mut pack = Vec::new();
    let mut room = budget;
    for finding in findings {
        let finding = fit::trimmed(FindingJson::from(finding));
        let finding = fit::squeezed(finding, budget.saturating_sub(1))?;
        let cost = fit::cost(&finding)? + ",".len();
        if cost > room && !pack.is_empty() {
            packs.push(std::mem::take(&mut pack));
            room = budget;
        }
        room = room.saturating_sub(cost);
        pack.push(finding);
    }
    packs.push(pack);
    Ok(packs)
}

fn message(
    report: &Report,
    json: &ReportJson,
    part: Option<Part>,
) -> Result<Message, serde_json::Error> {
    #[derive(Serialize)]
    struct Body {
        default: String,
        email: String,
    }
    #[cfg(test)]
    json.assert_fits_schema();
    let covered = report.run.as_ref().and_then(|run| Some((run, run.covered.as_ref()?)));
    let (subject, email) = match covered {
        Some((run, covered)) => (run::subject(covered), email::run_body(run, covered)),
        None => (subject::subject(report, part), email::body(report, part)),
    };
    let body = Body { default: to_ascii_json(json)?, email };
    let message =
        Message { subject, body: serde_json::to_string(&body)?, attributes: attributes(report)? };
    debug_assert!(message.size() <= MAX_BYTES, "a message of {} bytes", message.size());
    Ok(message)
}

fn attributes(report: &Report) -> Result<Vec<Attribute>, serde_json::Error> {
    let findings = report.findings.as_slice();
    let run = report.run.as_ref();
    let covered = run.and_then(|run| run.covered.as_ref());
    let in_digest = || report.digest.iter().flat_map(|it| &it.entries).map(|it| &it.brief);
    let codes = findings.iter().map(|finding| finding.code);
    let codes = codes.chain(in_digest().map(|brief| brief.code));
    let codes = codes.chain(covered.into_iter().flat_map(|it| it.codes.iter().copied()));
    let codes: BTreeSet<_> = codes.map(Code::as_str).collect();
    let severities = findings.iter().map(|finding| finding.severity);
    let severities = severities.chain(in_digest().map(|brief| brief.severity));
    let severity = severities.chain(covered.and_then(run::severity)).max();
    let string = |name, value: Option<&str>| {
        value.map(|value| Attribute { name, data_type: "String", value: value.to_owned() })
    };
    let code = Attribute {
        name: "code",
        data_type: "String.Array",
        value: serde_json::to_string(&codes)?,
    };
    let mail = match report.mail {
        Mail::Now { .. } => "now",
        Mail::Later => "later",
    };
    let remediation = single(findings, |finding| Some(finding.outcome().as_str()));
    Ok([
        string("severity", severity.map(|severity| severity.as_str())),
        Some(code),
        string("run", run.map(|run| run.name.as_str())),
        string("account", single(findings, |it| Some(it.place.account.as_ref()?.as_str()))),
        string("region", single(findings, |it| Some(it.place.region.as_ref()?.as_str()))),
        string("group_id", single(findings, group_id)),
        string("remediation", remediation),
        string("mail", Some(mail)),
    ]
    .into_iter()
    .flatten()
    .collect())
}

/// The id of a finding's group. One that is not made yet has none.
fn group_id(finding: &Finding) -> Option<&str> {
    let id = finding.group.as_ref().map(|group| &group.id).filter(|id| !id.is_declared());
    id.map(|id| id.as_str())
}

/// The value that all findings have, where there is one.
fn single(findings: &[Finding], of: fn(&Finding) -> Option<&str>) -> Option<&str> {
    let (first, rest) = findings.split_first()?;
    let value = of(first)?;
    rest.iter().all(|finding| of(finding) == Some(value)).then_some(value)
}
