use super::standing::{Standing, by_urgency};
use super::title::{auditor_call, title};
use super::wording::{self, Part};
use crate::finding::{Finding, Matter, Report};
use crate::text::{inert, minute};
use crate::words::rule_text;

/// SNS wants fewer than 100 characters.
pub(super) const MAX_CHARS: usize = 99;

/// The Subject of the mail about these findings of a report: the outcome first, then what was open,
/// to whom, where. Printable ASCII, at most [`MAX_CHARS`], begins with a letter.
pub(super) fn subject(report: &Report, part: Option<Part>) -> String {
    let Some(&lead) = by_urgency(&report.findings).first() else {
        return "No findings".to_owned();
    };
    let tail = tail(report, lead, part);
    // What is cut, if something must be, is the group's name at the end: it may have 255 characters,
    // and the mail has it.
    let room = MAX_CHARS.saturating_sub(tail.len());
    format!("{}{tail}", inert::clip_ascii(&inert::for_subject(&headline(lead)), room))
}

fn headline(finding: &Finding) -> String {
    let standing = Standing::of(finding);
    let outcome = standing.as_str();
    let lead = || decapitalised(&title(finding).lead);
    match (standing, wording::delay(finding), &finding.matter) {
        (Standing::Closed | Standing::ClosedTooFar, Some(delay), _) => {
            format!("{outcome} after {delay}: {}", lead())
        }
        (Standing::Held, _, _) => {
            let until = wording::held(finding).map(|hold| minute(hold.until));
            let until = until.map_or_else(String::new, |until| format!(" until {until}"));
            format!("{outcome}{until}: {}", lead())
        }
        (Standing::StillOpen, _, _) => {
            format!("{outcome} through {}: {}", first_open(finding), lead())
        }
        // The title of such a finding is mostly the reason, and too long.
        (Standing::NotAudited, _, _) => format!("{outcome}: {}", change(finding)),
        // It begins with a name of the baseline's.
        (_, _, Matter::ExpectedClosed(_)) => format!("{outcome}: {}", title(finding).lead),
        (_, _, Matter::AuditorChanged { change, .. }) if change.server_error.is_none() => {
            format!("{outcome}{}", auditor_call(change))
        }
        _ => format!("{outcome}: {}", lead()),
    }
}

/// The rule through which SSH is still open, and how many more there are.
pub(super) fn first_open(finding: &Finding) -> String {
    let (first, more) = match finding.still_open() {
        [first, more @ ..] => (first, more.len()),
        [] => return "another rule".to_owned(),
    };
    let name = first.id().map_or_else(|| rule_text(first), ToString::to_string);
    if more == 0 { name } else { format!("{name} and {more} more") }
}

/// What was called, on which group.
fn change(finding: &Finding) -> String {
    let call = finding.change.as_ref().and_then(|change| change.event_name.as_deref());
    let call = call.filter(|call| !call.is_empty()).unwrap_or("a change");
    let call = inert::clip_ascii(call, 40);
    match &finding.group {
        Some(group) => {
            let name = group.name.as_deref().filter(|name| !name.trim().is_empty());
            format!("{call} on {}", name.unwrap_or(group.id.as_str()))
        }
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
fn tail(report: &Report, lead: &Finding, part: Option<Part>) -> String {
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
    if let Some(part) = part {
        tail.push_str(&format!(" [{part}]"));
    }
    tail
}
