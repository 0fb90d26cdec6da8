use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::standing::Standing;
use crate::baseline::Exemption;
use crate::ec2::hold::Hold;
use crate::ec2::{Ec2Error, Rule};
use crate::evaluate::{Code, Severity};
use crate::finding::{Action, BaselineName, Exempted, Finding, FoundGroup, Reason, Skipped};
use crate::text::{causes, count, quoted};
use crate::words::{excess_text, rule_text};

/// A rule with its description: `tcp 22 from 0.0.0.0/0 "temp"`.
pub(super) fn rule(rule: &Rule) -> String {
    let text = rule_text(rule);
    match rule.description().filter(|description| !description.is_empty()) {
        Some(description) => format!("{text} {}", quoted(description)),
        None => text,
    }
}

/// The group's name, else its id. A name that could be taken for a part of the sentence around it
/// is quoted, with the id.
pub(super) fn called(group: &FoundGroup) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match group.name.as_deref() {
        None | Some("") => group.id.to_string(),
        Some(name) if name.chars().all(plain) => name.to_owned(),
        Some(name) => format!("\"{name}\" ({})", group.id),
    }
}

/// An error of EC2's with what is behind it, as part of a sentence: EC2's own messages end with a
/// full stop.
pub(super) fn error(error: &Ec2Error) -> String {
    let text = causes(error);
    text.trim_end_matches('.').to_owned()
}

/// Why something could not be audited.
pub(super) fn reason(reason: &Reason) -> String {
    match reason {
        Reason::NotUnderstood(reason) => reason.clone(),
        Reason::NoGroup(None) => "the group is not there".to_owned(),
        Reason::NoGroup(Some(reason)) => format!("{reason}, and the group is not there"),
        Reason::OtherAccount { account, own } => format!(
            "it is in account {account}, and only {own} can be audited: set MEMBER_ROLE_NAME, and \
             deploy member-template.yaml there"
        ),
        Reason::Ec2(why) => error(why),
        Reason::TooManyInvocations(depth) => format!(
            "{depth} invocations were not enough for all of its groups; sweep fewer accounts and \
             regions at once, or narrow the scope"
        ),
    }
}

/// Why there was nothing to audit.
pub(super) fn skipped(skipped: &Skipped) -> String {
    match skipped {
        Skipped::Event(reason) => reason.clone(),
        Skipped::OutOfScope(group) => format!("{group} is out of scope"),
        Skipped::OtherTags => "the tags that changed do not decide what is audited".to_owned(),
        Skipped::UnusedList(list) => format!("no rule in scope names {list}"),
    }
}

/// How long after the change something was done about it, where both times are known and in order.
pub(super) fn delay(finding: &Finding) -> Option<String> {
    let change = finding.change.as_ref()?.time?;
    let delay = finding.time.signed_duration_since(change);
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
pub(super) fn baseline(baseline: &BaselineName) -> String {
    let hash: String = baseline.sha256.chars().take(12).collect();
    format!("baseline {} {hash}", baseline.name).trim_end().to_owned()
}

/// What of the rule stays, or would stay.
pub(super) enum Kept {
    /// It stayed.
    Stays(String),
    /// It should have stayed.
    ShouldStay(String),
    /// A revert would leave it.
    WouldStay(String),
}

/// What of the rule stays, or would stay, where there is anything to say about that.
pub(super) fn kept(finding: &Finding) -> Option<Kept> {
    let label: fn(String) -> Kept = match Standing::of(finding) {
        Standing::Closed => Kept::Stays,
        Standing::ClosedTooFar => Kept::ShouldStay,
        Standing::NotClosed | Standing::Open | Standing::Held | Standing::MaybeExempt => {
            Kept::WouldStay
        }
        _ => return None,
    };
    let kept: Vec<String> = finding.found_rule()?.kept.iter().map(rule_text).collect();
    match finding.code {
        _ if !kept.is_empty() => Some(label(kept.join("; "))),
        // Nothing else is reverted in every mode, so that it would keep nothing is no news.
        Code::OpenSsh => Some(label("nothing".to_owned())),
        _ => None,
    }
}

/// `tcp 8000 from 198.51.100.0/24 on sg-… until 2027-01-31: vendor migration`, once where it is so
/// of several rules, with how many.
pub(super) fn exempt(exempt: &[Exempted]) -> Vec<(String, usize)> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for Exempted { group, rule, traffic, reason, until, .. } in exempt {
        let traffic = excess_text(rule, traffic);
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
    match &finding.found_rule()?.action {
        Action::Held { hold, .. } => Some(hold),
        _ => None,
    }
}

/// The hold of a rule that is held, else the one that the undo puts on it.
pub(super) fn hold(finding: &Finding) -> Option<&Hold> {
    held(finding).or_else(|| finding.found_rule()?.undo_hold.as_ref())
}

/// Until when a rule that the undo puts back is left alone.
pub(super) fn undone_until(finding: &Finding) -> Option<DateTime<Utc>> {
    let hold = finding.found_rule()?.undo_hold.as_ref()?;
    finding.undo.as_ref().map(|_| hold.until)
}

/// What to do with the line of an exemption.
pub(super) fn tolerate(exemption: &Exemption) -> String {
    format!("To tolerate it until {}, add to `exemptions` in the baseline:", exemption.until)
}

/// The part of a split report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// From 1.
    pub part: usize,
    /// Of how many.
    pub parts: usize,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "part {} of {}", self.part, self.parts)
    }
}

/// What becomes of rules that are not among the findings.
pub(super) fn handed_on(rules: usize) -> String {
    match rules {
        1 => {
            "One more rule is to be closed; what becomes of it comes in another message.".to_owned()
        }
        _ => format!(
            "{} are to be closed; what becomes of them comes in another message.",
            count(rules, "more rule")
        ),
    }
}
