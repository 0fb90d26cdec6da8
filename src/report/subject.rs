//! The Subject of a mail: the outcome first, then what was open, to whom, where.

use super::wording::{self, Standing};
use crate::finding::{Finding, Report};
use crate::text::inert;

/// SNS wants fewer than 100 characters.
pub const MAX_CHARS: usize = 99;

/// How the title of a finding begins whose outcome is the same in capitals.
const AUDITOR_CHANGED: &str = "The auditor was changed";

/// The Subject: printable ASCII, at most [`MAX_CHARS`], begins with a letter.
pub fn subject(report: &Report) -> String {
    let Some(&lead) = wording::by_urgency(&report.findings).first() else {
        return "No findings".to_owned();
    };
    let tail = tail(report, lead);
    // What is cut, where something must be, is the group's name at the end: it may have 255
    // characters, and the mail has it.
    let room = MAX_CHARS.saturating_sub(tail.len());
    format!("{}{tail}", inert::clip_ascii(&inert::ascii(&headline(lead)), room))
}

fn headline(finding: &Finding) -> String {
    let standing = Standing::of(finding);
    let outcome = standing.as_str();
    match (standing, wording::delay(finding)) {
        (Standing::Closed | Standing::ClosedTooFar, Some(delay)) => {
            format!("{outcome} after {delay}: {}", decapitalised(&finding.title))
        }
        (Standing::Held, _) => {
            let until = wording::held(finding).map(|hold| wording::minute(hold.until));
            let until = until.map_or_else(String::new, |until| format!(" until {until}"));
            format!("{outcome}{until}: {}", decapitalised(&finding.title))
        }
        // The outcome says the rest of such a title.
        (Standing::MaybeDown, _) => without(finding, outcome, ", and whether"),
        (Standing::Undecided, _) => without(finding, outcome, " that could not be read"),
        (Standing::WideList, _) => without(finding, outcome, ": the baseline "),
        // The title of such a finding is mostly the reason, and too long.
        (Standing::NotAudited, _) => format!("{outcome}: {}", change(finding)),
        // Such a title begins with the outcome.
        (Standing::AuditorChanged, _) if finding.title.starts_with(AUDITOR_CHANGED) => {
            finding.title.replacen(AUDITOR_CHANGED, outcome, 1)
        }
        _ => format!("{outcome}: {}", decapitalised(&finding.title)),
    }
}

/// The title up to where it says what the outcome says.
fn without(finding: &Finding, outcome: &str, rest: &str) -> String {
    let title = finding.title.rsplit_once(rest);
    let title = title.map_or(finding.title.as_str(), |(title, _)| title);
    format!("{outcome}: {}", decapitalised(title))
}

/// What was called, on which group.
fn change(finding: &Finding) -> String {
    let call = finding.change.as_ref().and_then(|change| change.event_name.as_deref());
    let call = call.filter(|call| !call.is_empty()).unwrap_or("a change");
    let call = inert::clip_ascii(call, 40);
    match wording::group(finding) {
        Some(group) => format!("{call} on {group}"),
        None => call,
    }
}

/// The sentence as it goes on after a colon: `Tcp 3306 is …` is `tcp 3306 is …`, and SSH stays SSH.
fn decapitalised(sentence: &str) -> String {
    let mut chars = sentence.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            format!("{}{}", first.to_lowercase(), chars.as_str())
        }
        _ => sentence.to_owned(),
    }
}

/// How many findings more there are, how many of those are open although the one that is named is
/// not, and which part it is.
fn tail(report: &Report, lead: &Finding) -> String {
    let mut tail = String::new();
    let others = report.findings.len().saturating_sub(1);
    if others > 0 {
        let lead = Standing::of(lead);
        // Beside a hold, which was announced, what nobody announced is news.
        let news = |it: Standing| it.is_open() && !(lead == it && it == Standing::Held);
        let open = report.findings.iter().filter(|it| news(Standing::of(it))).count();
        tail = match open {
            _ if lead.is_open() && lead != Standing::Held => format!(" (+{others} more)"),
            0 => format!(" (+{others} more)"),
            _ if open == others => format!(" (+{others} more, open)"),
            _ => format!(" (+{others} more, {open} open)"),
        };
    }
    if let Some(part) = wording::part(report) {
        tail.push_str(&format!(" [{part}]"));
    }
    tail
}
