//! Sentences that several renderers share: a rule, what was done about it, and why.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use chrono::{DateTime, TimeDelta, Utc};

use super::state::State;
use crate::baseline::Exemption;
use crate::ec2::hold::{Hold, Refusal};
use crate::ec2::{Ec2Error, ListId, Rule};
use crate::evaluate::{Code, Control, Severity, is_wide};
use crate::event::Note;
use crate::finding::{
    Action, AfterHold, BaselineName, Exempted, Finding, FoundGroup, FoundRule, Matter, Mend,
    NotDue, NotHandedOn, NotJudged, Reason, Remark, Skipped, Status,
};
use crate::net::Traffic;
use crate::text::{causes, count, inert, quoted};
use crate::words::{excess_text, rule_text};

/// How many rules a reason names.
const MOST_RULES: usize = 3;

/// A rule with the name of its list and with its description: `tcp 22 from 0.0.0.0/0 "temp"`,
/// `tcp 22 from pl-0a1b2c3d (office) "temp"`.
pub(super) fn rule(finding: &Finding, rule: &Rule) -> String {
    let text = undescribed(finding, rule);
    match rule.description().filter(|description| !description.is_empty()) {
        Some(description) => format!("{text} {}", quoted(description)),
        None => text,
    }
}

/// A rule with the name of its list: `tcp 22 from pl-0a1b2c3d (office)`.
pub(super) fn undescribed(finding: &Finding, rule: &Rule) -> String {
    rule_text(rule) + &name_after(finding, rule)
}

/// The name of a rule's list in brackets, to stand after its id. Empty where there is none.
pub(super) fn name_after(finding: &Finding, rule: &Rule) -> String {
    let name = rule.peer().list().and_then(|list| list_name(finding, list));
    name.map_or_else(String::new, |name| format!(" ({name})"))
}

/// The one rule that a finding is about. What the site lives on may have been admitted by several,
/// and all of them are gone.
pub(super) fn only_rule(finding: &Finding) -> Option<&Rule> {
    finding.rule().filter(|_| !matches!(finding.matter, Matter::ExpectedClosed(_)))
}

/// The group's name, else its id. A name that could be taken for a part of the sentence around it
/// is quoted, with the id.
pub(super) fn called(group: &FoundGroup) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match group.name.as_deref() {
        None | Some("") => group.id.to_string(),
        Some(name) if name.chars().all(plain) => name.to_owned(),
        Some(name) => format!("{} ({})", quoted(name), group.id),
    }
}

/// A group's id, which commands need, and its name. The id comes first, because a name could look like
/// one.
pub(super) fn id_and_name(group: &FoundGroup) -> String {
    match group.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => format!("{} {}", group.id, quoted(name)),
        None => group.id.to_string(),
    }
}

/// A prefix list in a sentence: `pl-…`, or `pl-… (office)` where its name is known. A name that could
/// be taken for a part of the sentence is quoted.
pub(super) fn list(finding: &Finding, list: &ListId) -> String {
    match list_name(finding, list) {
        Some(name) => format!("{list} ({name})"),
        None => list.to_string(),
    }
}

/// `CIS 5.0.0 5.3, EC2.13`
pub(super) fn controls(controls: &[Control]) -> String {
    let names: Vec<&str> = controls.iter().map(|control| control.as_str()).collect();
    names.join(", ")
}

/// The name of a prefix list, in quotation marks unless it is one word.
pub(super) fn list_name(finding: &Finding, list: &ListId) -> Option<String> {
    /// AWS's own are shorter.
    const LONGEST: usize = 80;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name = inert::clip(finding.list_names.get(list)?, LONGEST);
    Some(if name.chars().all(plain) { name } else { quoted(&name) })
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
            "it is in account {account}, and only {own} is audited: set the parameter Organisation \
             of the auditor's stack, and deploy stacks/forwarder.yaml in {account} (docs/accounts.md)"
        ),
        Reason::Ec2(why) => error(why),
        Reason::NotHandedOn { why: NotHandedOn::TooManyInvocations(depth), rules }
            if rules.is_empty() =>
        {
            format!(
                "{depth} invocations were not enough for all of its groups; sweep fewer accounts \
                 and regions at once, or narrow the scope"
            )
        }
        Reason::NotHandedOn { why, rules } if rules.is_empty() => {
            format!("there was no time left, and {}", not_handed_on(why))
        }
        Reason::NotHandedOn { why, rules } => {
            let named: Vec<String> = rules.iter().take(MOST_RULES).map(rule_text).collect();
            let more = match rules.len().saturating_sub(MOST_RULES) {
                0 => String::new(),
                more => format!(" and {}", count(more, "more rule")),
            };
            let named = named.join(", ");
            format!("there was no time left to close {named}{more}, and {}", not_handed_on(why))
        }
    }
}

/// Why no other invocation does what there was no time for, and who does it then.
pub(super) fn not_handed_on(why: &NotHandedOn) -> String {
    match why {
        NotHandedOn::ForNow(error) => format!("{error}; it is tried again"),
        NotHandedOn::Refused(error) => format!("{error}; the next sweep looks there again"),
        NotHandedOn::TooManyInvocations(depth) => {
            format!("{depth} invocations were not enough; the next sweep looks there again")
        }
    }
}

/// Why a hook could not judge what it was asked about.
pub(super) fn not_judged(why: &NotJudged) -> String {
    match why {
        NotJudged::NotUnderstood(cause) => causes(cause),
        NotJudged::ListNotRead(cause) => format!("{}; try again", causes(cause)),
    }
}

/// Why there was nothing to audit.
pub(super) fn skipped(skipped: &Skipped) -> String {
    match skipped {
        Skipped::Event(reason) => reason.clone(),
        Skipped::Deletion => "what is deleted opens nothing".to_owned(),
        Skipped::NotJudged(why) => not_judged(why),
        Skipped::OutOfScope(group) => format!("{group} is out of scope"),
        Skipped::OtherTags => "the tags that changed do not decide what is audited".to_owned(),
        Skipped::UnusedList(list) => format!("no rule in scope names {list}"),
    }
}

/// How long after the change something was done about it, where that is known and the change was
/// what opened the rule. Offline no time passes.
pub(super) fn delay(finding: &Finding) -> Option<String> {
    let change = finding.change.as_ref()?.time?;
    if finding.found_rule().is_some_and(may_be_older) {
        return None;
    }
    let delay = finding.time.signed_duration_since(change);
    (delay > TimeDelta::zero()).then(|| duration(delay))
}

/// Whether the rule may have been there before the change.
pub(super) fn may_be_older(found: &FoundRule) -> bool {
    found.remarks.iter().any(|remark| {
        matches!(
            remark,
            Remark::HoldRefused(Refusal::TagsChanged)
                | Remark::Note(
                    Note::NotUnderstood(_)
                        | Note::EnteredScope
                        | Note::LeftScope
                        | Note::Lost(_)
                        | Note::TagsNotUnderstood(_)
                )
        )
    })
}

/// The two greatest units of a duration: `41 s`, `2 min 5 s`, `3 h 12 min`, `2 d 4 h`.
pub(super) fn duration(duration: TimeDelta) -> String {
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
pub(super) fn severities<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> String {
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.severity).or_default() += 1;
    }
    let parts: Vec<_> =
        counts.iter().rev().map(|(severity, n)| format!("{n} {}", severity.as_str())).collect();
    parts.join(", ")
}

/// How many groups the findings are about.
pub(super) fn groups(findings: &[&Finding]) -> usize {
    let places = findings.iter().filter_map(|finding| {
        let group = finding.group.as_ref()?;
        Some((&finding.place, &group.id))
    });
    places.collect::<BTreeSet<_>>().len()
}

/// `standard 1a2b3c4d5e6f`
pub(super) fn baseline(baseline: &BaselineName) -> String {
    let hash = baseline.short_sha256();
    let by = baseline.binding.as_ref().map(|binding| format!(", by the binding {binding}"));
    format!("{} {hash}{}", baseline.name, by.unwrap_or_default()).trim_end().to_owned()
}

/// Rules that keep SSH open, with their ids: `sgr-… (tcp 22 from ::/0)`.
pub(super) fn open_rules(rules: &[Rule]) -> String {
    /// The sentence has to stay readable.
    const NAMED: usize = 4;
    let each = rules.iter().take(NAMED).map(|rule| match rule.id() {
        Some(id) => format!("{id} ({})", described(rule)),
        None => described(rule),
    });
    let more = rules.len().checked_sub(NAMED).filter(|more| *more > 0);
    let more = more.map(|more| format!("{more} more"));
    and(&each.chain(more).collect::<Vec<_>>())
}

/// A rule with the beginning of its description.
fn described(rule: &Rule) -> String {
    /// There may be several.
    const LONGEST: usize = 60;
    match rule.description().filter(|description| !description.trim().is_empty()) {
        Some(description) => {
            format!("{} {}", rule_text(rule), quoted(&inert::clip(description, LONGEST)))
        }
        None => rule_text(rule),
    }
}

/// To whom these rules open something: `the Internet`, or their peers.
pub(super) fn whom(rules: &[Rule]) -> String {
    let all = Traffic::union_of(rules.iter().map(Rule::traffic).collect());
    if is_wide(&all) {
        return "the Internet".to_owned();
    }
    let mut peers: Vec<String> = rules.iter().map(|rule| rule.peer().to_string()).collect();
    peers.dedup();
    and(&peers)
}

/// `a, b and c`
pub(super) fn and<S: Borrow<str> + Display>(items: &[S]) -> String {
    match items {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => items.concat(),
    }
}

/// The command that closes what is open, or adds what is missing, with what it is for.
pub(super) fn next_command(finding: &Finding) -> Option<(&'static str, &str)> {
    let fix = finding.fix.as_deref().map(|command| match State::of(finding) {
        State::AuditorChanged | State::Unfed | State::MaybeUnfed => (mend(finding), command),
        _ => ("to close it", command),
    });
    fix.or_else(|| Some(("to add what is missing", finding.complete.as_deref()?)))
}

/// What the command for a finding about the auditor itself is for.
pub(super) fn mend(finding: &Finding) -> &'static str {
    match &finding.matter {
        Matter::AuditorChanged { mend: Mend::Directly, .. } => "put it back",
        Matter::Unfed { mend: Mend::Directly, .. } => "start the trail",
        Matter::Unfed { mend: Mend::ByListing, .. } => {
            "see whether that account's rules for the auditor are enabled"
        }
        // A deployment, which mostly is no reason to mend anything.
        Matter::AuditorChanged { .. } if finding.severity < Severity::Medium => "check the auditor",
        _ => "see what is wrong, and the command that fixes it",
    }
}

/// Rules in short form, separated by semicolons.
pub(super) fn texts(rules: &[Rule]) -> String {
    rules.iter().map(rule_text).collect::<Vec<_>>().join("; ")
}

/// What would be left of a rule that is there, were it closed.
pub(super) fn would_keep(finding: &Finding) -> Option<String> {
    let open = matches!(
        State::of(finding),
        State::NotClosed | State::Open | State::Held | State::MaybeExempt
    );
    let found = finding.found_rule()?;
    let is_out_of_reach = matches!(found.action, Action::NotDue { why: NotDue::OtherOwner, .. });
    match found.would_keep.as_deref() {
        _ if !open || is_out_of_reach => None,
        None => None,
        // Nothing else is reverted in every mode, so that it would keep nothing is no news.
        Some([]) => (finding.code == Code::OpenSsh).then(|| "nothing".to_owned()),
        Some(pieces) => Some(texts(pieces)),
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

/// Whether a rule that is held stays open once its time is over.
pub(super) fn stays_after_hold(finding: &Finding) -> bool {
    let then = finding.found_rule().map(|found| &found.action);
    matches!(then, Some(Action::Held { then: AfterHold::Reported, .. }))
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

/// `2 new, 1 resolved, 14 known`; nothing where no finding has a status.
pub(super) fn statuses(findings: &[&Finding]) -> String {
    let number = |status| {
        let of_status = |finding: &&&Finding| finding.life.is_some_and(|it| it.status == status);
        findings.iter().filter(of_status).count()
    };
    let each = [Status::New, Status::Reopened, Status::Resolved, Status::Known].map(|status| {
        let number = number(status);
        (number > 0).then(|| format!("{number} {}", status.as_str()))
    });
    each.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How a Subject goes on that counts findings: `; open: 3 critical`.
pub(super) fn open_critical(open: impl Iterator<Item = Severity>) -> String {
    match open.filter(|severity| *severity == Severity::Critical).count() {
        0 => String::new(),
        critical => format!("; open: {critical} critical"),
    }
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
    let (more, are) = match rules {
        1 => ("one more rule".to_owned(), "is"),
        _ => (count(rules, "more rule"), "are"),
    };
    format!(
        "The auditor is closing {more}, which {are} not counted here. Another message will tell the \
         result."
    )
}
