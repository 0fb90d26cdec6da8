//! Findings and reports: the JSON that SNS carries, the function returns and the command line
//! prints. Names and meanings are a contract; fields may be added.

pub mod identity;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use crate::ec2::Rule;
use crate::ec2::hold::Hold;

/// What is wrong, in one stable word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// SSH from more than one public address (or IPv6 /64) outside the baseline.
    OpenSsh,
    /// SSH from a single public host outside the baseline.
    SshFromUnlistedHost,
    /// Other ingress outside the baseline.
    IngressNotInBaseline,
    /// Egress outside the baseline.
    EgressNotInBaseline,
    /// Traffic that the site lives on is no longer let through, from or to anybody.
    ExpectedTrafficClosed,
    /// A prefix list that could not be read decides.
    UnresolvedPeer,
    /// A change that could not be audited at all.
    UnauditedChange,
    /// A group is no longer audited.
    LeftScope,
    /// Informational: the baseline itself lets a wide set reach an SSH port.
    OpenSshInBaseline,
    /// Something changed that the auditor itself lives on.
    AuditorChanged,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 10] = [
        Self::OpenSsh,
        Self::SshFromUnlistedHost,
        Self::IngressNotInBaseline,
        Self::EgressNotInBaseline,
        Self::ExpectedTrafficClosed,
        Self::UnresolvedPeer,
        Self::UnauditedChange,
        Self::LeftScope,
        Self::OpenSshInBaseline,
        Self::AuditorChanged,
    ];

    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenSsh => "open-ssh",
            Self::SshFromUnlistedHost => "ssh-from-unlisted-host",
            Self::IngressNotInBaseline => "ingress-not-in-baseline",
            Self::EgressNotInBaseline => "egress-not-in-baseline",
            Self::ExpectedTrafficClosed => "expected-traffic-closed",
            Self::UnresolvedPeer => "unresolved-peer",
            Self::UnauditedChange => "unaudited-change",
            Self::LeftScope => "left-scope",
            Self::OpenSshInBaseline => "open-ssh-in-baseline",
            Self::AuditorChanged => "auditor-changed",
        }
    }
}

/// How bad it is; the worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Informational,
    /// Tidy it up.
    Low,
    /// Look at it soon.
    Medium,
    /// Look at it today.
    High,
    /// Look at it now.
    Critical,
}

impl Severity {
    /// The severity as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A box of an excess: every combination of its protocols, ports and peers. `null`s as the contract
/// has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExcessBox {
    /// `tcp`, `all`, a number, or a range of numbers.
    pub protocol: String,
    /// `"22"`, `"20-25"` or `"all"`; `None` for ICMP.
    pub ports: Option<String>,
    /// Types and codes, for ICMP only.
    pub icmp: Option<IcmpBox>,
    /// CIDR blocks of one family, as few as possible; or groups and lists.
    pub peers: Vec<String>,
}

/// ICMP types and codes, each as `"8"`, `"0-7"` or `"all"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IcmpBox {
    /// Types.
    pub types: String,
    /// Codes.
    pub codes: String,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// The group a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct FindingGroup {
    /// `sg-…`
    pub id: String,
    /// The group's name, where it is known.
    pub name: Option<String>,
    /// `vpc-…`, where it is known.
    pub vpc_id: Option<String>,
}

/// The change behind an audit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FindingChange {
    /// The CloudTrail event's id.
    pub event_id: Option<String>,
    /// The API call.
    pub event_name: Option<String>,
    /// When the call was made.
    #[serde(serialize_with = "rfc3339_or_null")]
    pub time: Option<DateTime<Utc>>,
    /// The ARN of who made it, or what else names them.
    pub actor: Option<String>,
    /// From where.
    pub source_ip: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing was to be done.
    None,
    /// The rule is gone, and nothing of it was left to add.
    Reverted,
    /// The rule is gone, and what the baseline admits of it was put in its place.
    Narrowed,
    /// EC2 said that there was nothing to revoke.
    AlreadyGone,
    /// The rule is left alone until a time that was said when it was made.
    Held,
    /// A revert was due, and an exemption that cannot be evaluated may cover the rule.
    Exempt,
    /// A revert was due and did not succeed, or not wholly.
    Failed,
}

impl Outcome {
    /// The outcome as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Reverted => "reverted",
            Self::Narrowed => "narrowed",
            Self::AlreadyGone => "already-gone",
            Self::Held => "held",
            Self::Exempt => "exempt",
            Self::Failed => "failed",
        }
    }
}

/// What was done about a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingRemediation {
    /// In one word.
    pub outcome: Outcome,
    /// In sentences.
    pub detail: String,
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub time: DateTime<Utc>,
    /// A shell line that puts the group back as it was; only where something was changed or gone.
    pub undo: Option<String>,
    /// The hold: of the rule where the outcome is `held`, else the one that `undo` puts on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// What of the rule the baseline admits, each piece as a rule in short form: what a revert
    /// leaves (or would leave) of it.
    pub kept: Vec<String>,
    /// What becomes of connections that were made while the rule was there, in a sentence; only
    /// where the rule is gone.
    pub connections: Option<String>,
}

impl FindingRemediation {
    /// Whether a revert took the rule away, though not all that should have stayed may be there.
    pub fn took_away(&self) -> bool {
        match self.outcome {
            Outcome::Reverted | Outcome::Narrowed => true,
            // Connections are spoken of where the rule is gone.
            Outcome::Failed => self.connections.is_some(),
            Outcome::None | Outcome::AlreadyGone | Outcome::Held | Outcome::Exempt => false,
        }
    }
}

/// One thing that is not as the baseline wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The same when the same event is audited again.
    pub id: String,
    /// The same from event, sweep and check.
    pub fingerprint: String,
    /// What is wrong.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence for a person.
    pub title: String,
    /// The group's account.
    pub account: Option<String>,
    /// The group's region.
    pub region: Option<String>,
    /// The group.
    pub group: Option<FindingGroup>,
    /// The rule.
    #[serde(serialize_with = "rule_or_null")]
    pub rule: Option<Rule>,
    /// What the rule admits and the baseline does not, exactly, in boxes that do not overlap.
    pub excess: Vec<ExcessBox>,
    /// How many peers of the excess are not listed, those of whole boxes included, where a message
    /// had to be kept small.
    #[serde(skip_serializing_if = "is_zero")]
    pub excess_omitted: usize,
    /// The same for a person: `tcp 22 from anywhere but 203.0.113.0/24`.
    pub excess_text: String,
    /// What the rule admits, in the same words, where a prefix list that could not be read decides
    /// whether the baseline admits it. It is no part of the excess.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undecided: Option<String>,
    /// The exemption that would silence it, as a line for the `exemptions` of a baseline; only
    /// where one can.
    pub exemption: Option<String>,
    /// The controls it answers to.
    pub controls: Vec<String>,
    /// The group in the AWS console.
    pub console_url: Option<String>,
    /// The change behind it.
    pub change: Option<FindingChange>,
    /// What was done.
    pub remediation: FindingRemediation,
}

/// Traffic that is not in the baseline and was exempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exempted {
    /// The group's account.
    pub account: Option<String>,
    /// The group's region.
    pub region: Option<String>,
    /// `sg-…`
    pub group: String,
    /// `sgr-…`
    pub rule: Option<String>,
    /// What of the rule is exempt, the short way.
    pub traffic: String,
    /// Why.
    pub reason: String,
    /// The last day on which it is, in UTC.
    pub until: NaiveDate,
}

/// What an audit says as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportOutcome {
    /// No finding, or informational ones only.
    Compliant,
    /// At least one finding that is more than informational.
    Noncompliant,
    /// The group is none of the auditor's business.
    OutOfScope,
    /// The event changed nothing.
    Ignored,
}

impl ReportOutcome {
    /// The outcome as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compliant => "compliant",
            Self::Noncompliant => "noncompliant",
            Self::OutOfScope => "out-of-scope",
            Self::Ignored => "ignored",
        }
    }
}

/// Who wrote the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Generator {
    /// `typo3-sg-auditor`
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// What the report was held against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportBaseline {
    /// Its name.
    pub name: String,
    /// The hash of what `sg-audit baseline show` prints under the same settings.
    pub sha256: String,
}

/// How many findings there are, in each way of counting. Counts of zero are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// By code.
    pub by_code: BTreeMap<Code, usize>,
    /// By severity.
    pub by_severity: BTreeMap<Severity, usize>,
    /// How many rules are exempt, wholly or in part.
    pub exempt: usize,
}

/// Findings, worst first, and what they came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// 1
    pub version: u8,
    /// Who wrote it.
    pub generator: Generator,
    /// What it was held against.
    pub baseline: ReportBaseline,
    /// What it says as a whole.
    pub outcome: ReportOutcome,
    /// Why there was nothing to audit, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many groups were looked at.
    pub groups_audited: usize,
    /// How many rules were held against the baseline.
    pub rules_audited: usize,
    /// How many findings there are.
    pub totals: Totals,
    /// What was exempt.
    pub exempt: Vec<Exempted>,
    /// How many rules are not among the findings, because another invocation closes them and tells
    /// of them.
    #[serde(skip_serializing_if = "is_zero")]
    pub handed_on: usize,
    /// Whether something is left to audit.
    pub partial: bool,
    /// Which part of a split report this is, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<usize>,
    /// Of how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<usize>,
    /// Worst first.
    pub findings: Vec<Finding>,
}

/// RFC 3339 in UTC, with seconds.
pub fn timestamp(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// As [`timestamp`], for a field.
pub(crate) fn rfc3339<S: Serializer>(
    time: &DateTime<Utc>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&timestamp(time))
}

fn rfc3339_or_null<S: Serializer>(
    time: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.as_ref().map(timestamp).serialize(serializer)
}

fn rule_or_null<S: Serializer>(rule: &Option<Rule>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct View<'a> {
        id: Option<&'a str>,
        direction: crate::ec2::Direction,
        protocol: crate::ec2::Protocol,
        from_port: Option<i32>,
        to_port: Option<i32>,
        peer: &'a crate::ec2::Peer,
        description: Option<&'a str>,
    }
    rule.as_ref()
        .map(|rule| View {
            id: rule.id.as_deref(),
            direction: rule.direction,
            protocol: rule.protocol,
            from_port: rule.from_port,
            to_port: rule.to_port,
            peer: &rule.peer,
            description: rule.description.as_deref(),
        })
        .serialize(serializer)
}
