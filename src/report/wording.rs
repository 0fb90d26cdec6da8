//! What a mail, its Subject and a terminal say alike about a finding.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::ec2::Rule;
use crate::ec2::hold::Hold;
use crate::finding::{Code, Exempted, Finding, Outcome, Report, ReportBaseline, Severity};
use crate::text::rule_text;
pub(super) use crate::text::{minute, quoted};

/// How things stand, in the order in which a person has to care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// A revert was due, and the rule is still there.
    NotClosed,
    /// The rule is gone, and so is something that should have stayed.
    ClosedTooFar,
    /// Nobody knows what the change did.
    NotAudited,
    /// What the auditor lives on was changed.
    AuditorChanged,
    /// Traffic that the site lives on is no longer let through.
    Down,
    /// The same, and whether it was let through before is not known.
    MaybeDown,
    /// The rule is there, and no revert was due.
    Open,
    /// A prefix list lets the Internet in by SSH, and the baseline names the list.
    WideList,
    /// The group is no longer audited.
    LeftScope,
    /// A prefix list that cannot be read decides.
    Undecided,
    /// The rule is there, because an exemption that cannot be evaluated may cover it.
    MaybeExempt,
    /// The rule is there until a time that was said when it was made.
    Held,
    /// Reverted.
    Closed,
    /// Somebody else was faster than the revert.
    AlreadyGone,
    /// No revert was due, and the rule is gone all the same.
    NoLongerThere,
    /// Nothing is wrong with any group.
    Note,
}

impl Standing {
    pub(super) fn of(finding: &Finding) -> Self {
        // Connections are spoken of exactly where the rule is gone.
        let gone = finding.remediation.connections.is_some();
        match (finding.code, finding.remediation.outcome) {
            (Code::UnauditedChange, _) => Self::NotAudited,
            (Code::ExpectedTrafficClosed, _) if finding.severity <= Severity::Low => {
                Self::MaybeDown
            }
            (Code::ExpectedTrafficClosed, _) => Self::Down,
            (Code::AuditorChanged, _) => Self::AuditorChanged,
            (Code::LeftScope, _) => Self::LeftScope,
            (Code::OpenSshInBaseline, _) if finding.severity > Severity::Informational => {
                Self::WideList
            }
            (Code::OpenSshInBaseline, _) => Self::Note,
            (_, Outcome::Reverted | Outcome::Narrowed) => Self::Closed,
            (_, Outcome::AlreadyGone) => Self::AlreadyGone,
            (_, Outcome::Held) => Self::Held,
            (_, Outcome::Exempt) => Self::MaybeExempt,
            (_, Outcome::Failed) if gone => Self::ClosedTooFar,
            (_, Outcome::Failed) => Self::NotClosed,
            (_, Outcome::None) if gone => Self::NoLongerThere,
            (Code::UnresolvedPeer, Outcome::None) => Self::Undecided,
            (_, Outcome::None) => Self::Open,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NotClosed => "NOT CLOSED",
            Self::ClosedTooFar => "CLOSED TOO FAR",
            Self::NotAudited => "NOT AUDITED",
            Self::AuditorChanged => "AUDITOR CHANGED",
            Self::Down => "DOWN",
            Self::MaybeDown => "MAYBE DOWN",
            Self::Open | Self::WideList => "OPEN",
            Self::LeftScope => "LEFT SCOPE",
            Self::Undecided => "UNDECIDED",
            Self::MaybeExempt => "MAYBE EXEMPT",
            Self::Held => "HELD OPEN",
            Self::Closed => "CLOSED",
            Self::AlreadyGone => "ALREADY GONE",
            Self::NoLongerThere => "NO LONGER THERE",
            Self::Note => "NOTE",
        }
    }

    /// Whether the rule, as far as is known, admits its traffic now.
    pub(super) fn is_open(self) -> bool {
        matches!(
            self,
            Self::NotClosed
                | Self::Open
                | Self::WideList
                | Self::Held
                | Self::Undecided
                | Self::MaybeExempt
        )
    }

    /// Whether what was done did not work, or nothing could be done.
    pub(super) fn is_failure(self) -> bool {
        matches!(self, Self::NotClosed | Self::ClosedTooFar | Self::NotAudited)
    }
}

/// The findings in the order in which a reader has to know of them: what went wrong first, and
/// else as they come, which is worst first.
pub(super) fn by_urgency(findings: &[Finding]) -> Vec<&Finding> {
    let mut findings: Vec<_> = findings.iter().collect();
    findings.sort_by_key(|finding| !Standing::of(finding).is_failure());
    findings
}

/// A rule with its description: `tcp 22 from 0.0.0.0/0 "temp"`.
pub(super) fn rule(rule: &Rule) -> String {
    let text = rule_text(rule);
    match rule.description.as_deref().filter(|description| !description.is_empty()) {
        Some(description) => format!("{text} {}", quoted(description)),
        None => text,
    }
}

/// The name of a finding's group, else its id.
pub(super) fn group(finding: &Finding) -> Option<&str> {
    let group = finding.group.as_ref()?;
    let name = group.name.as_deref().filter(|name| !name.trim().is_empty());
    Some(name.unwrap_or(&group.id))
}

/// How long after the change something was done about it, where both times are known and in order.
pub(super) fn delay(finding: &Finding) -> Option<String> {
    let change = finding.change.as_ref()?.time?;
    let delay = finding.remediation.time.signed_duration_since(change);
    (delay >= TimeDelta::zero()).then(|| duration(delay))
}

/// The two greatest units of a duration: `41 s`, `2 min 5 s`, `3 h 12 min`, `2 d 4 h`.
fn duration(duration: TimeDelta) -> String {
    let seconds = duration.num_seconds();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let pair = |great: i64, unit, small: i64, small_unit| match small {
        0 => format!("{great} {unit}"),
        _ => format!("{great} {unit} {small} {small_unit}"),
    };
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => pair(minutes, "min", seconds % 60, "s"),
        3600..86400 => pair(hours, "h", minutes % 60, "min"),
        _ => pair(days, "d", hours % 24, "h"),
    }
}

/// `1 finding`, `2 findings`.
pub(super) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// How many findings there are of each severity, worst first: `1 critical, 2 medium`.
pub(super) fn severities(findings: &[Finding]) -> String {
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.severity).or_default() += 1;
    }
    let parts: Vec<_> =
        counts.iter().rev().map(|(severity, n)| format!("{n} {}", severity.as_str())).collect();
    parts.join(", ")
}

/// `baseline standard 1a2b3c4d5e6f`
pub(super) fn baseline(baseline: &ReportBaseline) -> String {
    let hash: String = baseline.sha256.chars().take(12).collect();
    format!("baseline {} {hash}", baseline.name).trim_end().to_owned()
}

/// What of the rule stays, or would stay, with the label it goes under; where there is anything to
/// say about that.
pub(super) fn kept(finding: &Finding) -> Option<(&'static str, String)> {
    let label = match Standing::of(finding) {
        Standing::Closed => "Kept",
        Standing::ClosedTooFar => "Should be kept",
        Standing::NotClosed | Standing::Open | Standing::Held | Standing::MaybeExempt => {
            "A revert would keep"
        }
        _ => return None,
    };
    let kept = &finding.remediation.kept;
    match finding.code {
        _ if !kept.is_empty() => Some((label, kept.join("; "))),
        // Everything else is not reverted in every mode, so that it would keep nothing is no news.
        Code::OpenSsh => Some((label, "nothing".to_owned())),
        _ => None,
    }
}

/// `tcp 8000 from 198.51.100.0/24 on sg-… until 2027-01-31: vendor migration`, once where it is so
/// of several rules, with how many.
pub(super) fn exempt(exempt: &[Exempted]) -> Vec<(String, usize)> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for Exempted { group, traffic, reason, until, .. } in exempt {
        let line = format!("{traffic} on {group} until {until}: {reason}");
        match lines.iter_mut().find(|(it, _)| *it == line) {
            Some((_, rules)) => *rules += 1,
            None => lines.push((line, 1)),
        }
    }
    lines
}

/// The hold of a rule that is held.
pub(super) fn held(finding: &Finding) -> Option<&Hold> {
    let held = Standing::of(finding) == Standing::Held;
    finding.remediation.hold.as_ref().filter(|_| held)
}

/// Until when a rule that the undo puts back is left alone.
pub(super) fn undone_until(finding: &Finding) -> Option<DateTime<Utc>> {
    let remediation = &finding.remediation;
    let standing = Standing::of(finding);
    let puts_back = !matches!(standing, Standing::Held | Standing::NotClosed);
    let hold = remediation.hold.as_ref().filter(|_| puts_back);
    remediation.undo.as_ref().and(hold).map(|hold| hold.until)
}

/// What to do with the line of an exemption. Its last words are the day.
pub(super) fn tolerate(exemption: &str) -> String {
    let day = exemption.rsplit_once("until: ").and_then(|(_, rest)| rest.get(..10));
    let day = day.and_then(|day| day.parse::<NaiveDate>().ok());
    let until = day.map_or_else(|| "for a while".to_owned(), |day| format!("until {day}"));
    format!("To tolerate it {until}, add to `exemptions` in the baseline:")
}

/// The part of a split report, `part 2 of 3`.
pub(super) fn part(report: &Report) -> Option<String> {
    Some(format!("part {} of {}", report.part?, report.parts?))
}

/// What becomes of rules that are not among the findings.
pub fn handed_on(rules: usize) -> String {
    match rules {
        1 => {
            "One more rule is to be closed; what becomes of it comes in another message.".to_owned()
        }
        _ => format!(
            "{rules} more rules are to be closed; what becomes of them comes in another message."
        ),
    }
}
