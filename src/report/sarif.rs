//! The report as SARIF 2.1.0, for code scanning (<https://docs.oasis-open.org/sarif/sarif/v2.1.0>).
//!
//! GitHub refuses a whole file if one result has no place in a file, so a report with a finding whose
//! file is not known is not written at all.

use std::collections::BTreeMap;

use serde::Serialize;
use strum::IntoEnumIterator;

use super::declared::repair;
use super::detail::lines;
use crate::evaluate::{Code, Severity};
use crate::finding::{Finding, Matter, Report};
use crate::text::escape::ascii_json;
use crate::text::inert;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    results: Vec<ResultJson>,
    column_kind: &'static str,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

/// What a code means.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    name: String,
    short_description: Text,
    full_description: Text,
    help: Text,
    default_configuration: Configuration,
    properties: Properties,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Properties {
    tags: [&'static str; 1],
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultJson {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    partial_fingerprints: BTreeMap<&'static str, String>,
    properties: Severities,
}

#[derive(Serialize)]
struct Severities {
    severity: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Physical,
    logical_locations: [Logical; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    fully_qualified_name: String,
    kind: &'static str,
}

/// A report whose findings are not all in files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoFile {
    /// The address of the first finding without a file, where it has one.
    pub address: Option<String>,
}

/// The report, if the file and the line of each finding are known. What is said of the baseline as a
/// whole is in no file and is left out.
///
/// # Errors
///
/// When the file of a finding is not known.
pub fn render(report: &Report) -> Result<Result<String, serde_json::Error>, NoFile> {
    let codes: Vec<Code> = Code::iter().collect();
    let findings = report.findings.iter();
    let of_files = findings.filter(|it| !matches!(it.matter, Matter::WideBaseline { .. }));
    let results = of_files.map(|finding| result(finding, &codes)).collect::<Result<_, _>>()?;
    let driver = Driver {
        name: "sg-audit",
        version: env!("CARGO_PKG_VERSION"),
        rules: codes.iter().map(|code| rule(*code)).collect(),
    };
    let run = Run { tool: Tool { driver }, results, column_kind: "unicodeCodePoints" };
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: [run] };
    Ok(serde_json::to_string_pretty(&log).map(|json| ascii_json(&json) + "\n"))
}

fn result(finding: &Finding, codes: &[Code]) -> Result<ResultJson, NoFile> {
    let location = finding.location.as_ref();
    let missing = || NoFile { address: location.map(|location| location.address.clone()) };
    let location = location.ok_or_else(missing)?;
    let (file, line) = location.file.as_ref().zip(location.line).ok_or_else(missing)?;
    let fix = repair(finding).map(|repair| format!("To put it right: {repair}"));
    let text: Vec<String> = lines(finding).into_iter().chain(fix).collect();
    Ok(ResultJson {
        rule_id: finding.code.as_str(),
        rule_index: codes.iter().position(|code| *code == finding.code).unwrap_or_default(),
        level: level(finding.severity),
        message: Text { text: inert::plain(&text.join(". ")) },
        locations: [Location {
            physical_location: Physical {
                artifact_location: Artifact { uri: uri(file) },
                region: Region { start_line: line },
            },
            logical_locations: [Logical {
                fully_qualified_name: inert::plain(&location.address),
                kind: "resource",
            }],
        }],
        partial_fingerprints: BTreeMap::from([("sgAudit/v1", finding.fingerprint.clone())]),
        properties: Severities { severity: finding.severity.as_str() },
    })
}

/// A path as a relative reference: what means something in a URI is written in hexadecimal.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium | Severity::Low => "warning",
        Severity::Informational => "note",
    }
}

fn rule(code: Code) -> Rule {
    let (level, meaning) = meaning(code);
    let words = code.as_str().split('-').map(crate::text::capitalised);
    Rule {
        id: code.as_str(),
        name: words.collect(),
        short_description: Text { text: meaning.to_owned() },
        full_description: Text { text: meaning.to_owned() },
        help: Text { text: format!("{meaning} `docs/findings.md` says what to do about it.") },
        default_configuration: Configuration { level },
        properties: Properties { tags: ["security"] },
    }
}

/// What a code means, and how bad it mostly is.
fn meaning(code: Code) -> (&'static str, &'static str) {
    match code {
        Code::OpenSsh => {
            ("error", "A rule admits SSH from more than one public address outside the baseline.")
        }
        Code::SshFromUnlistedHost => {
            ("warning", "A rule admits SSH from a single public host outside the baseline.")
        }
        Code::IngressNotInBaseline => {
            ("error", "A rule admits traffic in that the baseline does not allow.")
        }
        Code::EgressNotInBaseline => {
            ("warning", "A rule admits traffic out that the baseline does not allow.")
        }
        Code::ExpectedTrafficClosed => ("error", "A change closes traffic that the website needs."),
        Code::UnresolvedPeer => {
            ("warning", "The answer depends on a prefix list or a value that is not known.")
        }
        Code::UnauditedChange => ("error", "A change could not be audited."),
        Code::LeftScope => ("error", "A group is no longer audited."),
        Code::OpenSshInBaseline => ("note", "The baseline itself allows SSH from the Internet."),
        Code::AuditorChanged => ("error", "Something changed that the auditor needs."),
    }
}
