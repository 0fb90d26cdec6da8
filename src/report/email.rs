//! The mail: plain text for somebody who reads it on a phone at three in the morning.
//!
//! What happened comes first, then what is needed to judge it, then what to do. A line that would
//! say nothing is left out. What several findings have in common is said once. Lines are not
//! wrapped: the reader's screen does that better.

mod advice;
mod brief;
mod lines;
mod shared;

use std::collections::BTreeSet;

use advice::{advise, commands, undo_heading};
use brief::{tell_exempt, tell_in_brief};
use lines::{Lines, TEXT};
use shared::{Shared, code, joined};

use super::detail::{connections, detail, undecided};
use super::standing::{Standing, by_urgency};
use super::title::title;
use super::wording::{self, Part};
use crate::finding::{Finding, FoundGroup, Report};
use crate::text::{inert, quoted};
use crate::words::excess_text;

/// No mail is longer, in bytes as a JSON string has them.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// Room in [`MAX_BYTES`] for everything but the findings told in full.
const REST: usize = 16 * 1024;
/// So many findings are told in full, where they fit.
const IN_FULL: usize = 3;
/// Characters of what was done about a finding: as many rules as a revert adds at most, and more.
const OUTCOME: usize = 5 * TEXT;
/// Characters of a value that is a name of something.
const NAME: usize = 160;

/// The mail about a report with findings.
pub(super) fn body(report: &Report, part: Option<Part>) -> String {
    let findings = by_urgency(&report.findings);
    let Some(&first) = findings.first() else {
        return "No findings.\n".to_owned();
    };
    let shared = Shared::of(&findings, first);
    let mut mail = Lines::default();

    if findings.len() > 1 {
        let (n, severities) = (findings.len(), wording::severities(&report.findings));
        let groups = match groups(&findings) {
            0 | 1 => String::new(),
            groups => format!(" in {groups} groups"),
        };
        mail.text(&format!("{n} findings{groups}, worst first: {severities}."), TEXT);
        head(&mut mail, &shared, first);
    }
    let told = tell_in_full(&mut mail, &findings, &shared);
    tell_in_brief(&mut mail, &findings, told, &shared);
    advise(&mut mail, &findings, &shared);

    tell_exempt(&mut mail, report);

    mail.gap();
    if shared.place {
        mail.link(first);
    }
    if let Some(part) = part {
        mail.text(&format!("This is {part}."), TEXT);
    }
    if report.handed_on > 0 {
        mail.text(&wording::handed_on(report.handed_on), TEXT);
    }
    if report.partial {
        mail.text(
            "This is not all: some groups were not audited yet. What is found in them follows in a \
             message of its own, unless a finding says that they could not be audited.",
            TEXT,
        );
    }
    let baseline = wording::baseline(&report.baseline);
    if let [only] = findings.as_slice() {
        mail.label("Controls", &only.controls.join(", "), TEXT);
        mail.label(
            "Reference",
            &format!("{}, {baseline}, {}", code(only), fingerprint(only)),
            TEXT,
        );
    } else {
        mail.label("Reference", &baseline, TEXT);
    }
    mail.0
}

/// Tells the first findings in full, the very first always; how many.
fn tell_in_full(mail: &mut Lines, findings: &[&Finding], shared: &Shared) -> usize {
    let numbered = findings.len() > 1;
    let mut told = 0;
    for (finding, number) in findings.iter().take(IN_FULL).zip(1..) {
        let mut block = Lines::default();
        if numbered {
            block.text(&format!("{number}. {}", title(finding).whole()), TEXT);
        } else {
            block.text(&title(finding).whole(), TEXT);
        }
        tell(&mut block, finding, shared, numbered);
        if told > 0 && mail.json_len() + block.json_len() > MAX_BYTES - REST {
            break;
        }
        mail.gap();
        mail.0.push_str(&block.0);
        told = number;
    }
    told
}

/// How many groups the findings are about.
fn groups(findings: &[&Finding]) -> usize {
    let places = findings.iter().filter_map(|finding| {
        let group = finding.group.as_ref()?;
        Some((&finding.place, &group.id))
    });
    places.collect::<BTreeSet<_>>().len()
}

/// What one finding says for itself.
fn tell(mail: &mut Lines, finding: &Finding, shared: &Shared, numbered: bool) {
    mail.text(&outcome(finding), OUTCOME);
    if !numbered {
        mail.gap();
    }
    if !shared.change || !numbered {
        tell_change(mail, finding);
    }
    if !shared.place || !numbered {
        tell_place(mail, finding);
    }
    if let Some(rule) = wording::only_rule(finding) {
        let id = rule.id().map_or_else(String::new, |id| format!("{id}, "));
        mail.label("Rule", &format!("{id}{}", wording::rule(finding, rule)), 2 * NAME);
    }
    if let Some(hold) = wording::held(finding) {
        mail.label("Reason", &quoted(&hold.reason), TEXT);
    }
    if let Some(found) = finding.found_rule() {
        mail.label("Too much", &excess_text(&found.rule, &found.excess), TEXT);
        mail.label("Undecided", &undecided(found).unwrap_or_default(), TEXT);
        mail.label("Kept", &wording::texts(&found.kept), TEXT);
        mail.label("Missing", &wording::texts(&found.missing), TEXT);
        mail.label("A revert would keep", &wording::would_keep(finding).unwrap_or_default(), TEXT);
        mail.text(connections(found).unwrap_or_default(), TEXT);
    }
    if numbered {
        commands(mail, finding, false);
        if finding.undo.is_some() {
            mail.text(&undo_heading(finding), TEXT);
            mail.command(finding.undo.as_deref());
        }
        if !shared.place {
            mail.link(finding);
        }
        mail.exemption(finding);
        mail.label("Controls", &finding.controls.join(", "), TEXT);
        mail.label("Reference", &format!("{}, {}", code(finding), fingerprint(finding)), NAME);
    }
}

/// What became of it, in the words of whoever did it.
fn outcome(finding: &Finding) -> String {
    let detail = detail(finding);
    match (Standing::of(finding), wording::delay(finding)) {
        (Standing::Closed, Some(delay)) => format!("Closed after {delay}. {detail}"),
        (Standing::Closed, None) => format!("Closed. {detail}"),
        (Standing::ClosedTooFar, _) => {
            format!("Closed, but something that should have stayed is gone too. {detail}")
        }
        (Standing::NotClosed, _) => format!("Still open. {detail}"),
        // The detail begins with it.
        (Standing::StillOpen, _) => detail,
        (Standing::MaybeExempt, _) => format!("Left open. {detail}"),
        _ => detail,
    }
}

fn tell_change(mail: &mut Lines, finding: &Finding) {
    let change = finding.change.as_ref();
    let (label, time) = match change.and_then(|change| change.time) {
        Some(time) => ("When", time),
        None => ("Seen", finding.time),
    };
    let time = time.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let call = change.and_then(|change| change.event_name.as_deref());
    mail.label(label, &joined([Some(&time), call]), NAME);
    let Some(change) = change else { return };
    mail.label("Who", change.actor.as_deref().unwrap_or_default(), 2 * NAME);
    let agent = change.user_agent.as_deref().map(short_agent);
    // A service that acts for somebody is both.
    let agent = agent.filter(|agent| change.source_ip.as_ref() != Some(agent));
    mail.label("From", &joined([change.source_ip.as_deref(), agent.as_deref()]), NAME);
}

fn tell_place(mail: &mut Lines, finding: &Finding) {
    let group = finding.group.as_ref();
    let account = finding.place.account.as_ref().map(|account| format!("account {account}"));
    let region = finding.place.region.as_ref().map(|region| region.as_str());
    let place = joined([group.map(named).as_deref(), region, account.as_deref()]);
    mail.label(if group.is_some() { "Group" } else { "Where" }, &place, 2 * NAME);
}

/// The id first: a name could look like one.
fn named(group: &FoundGroup) -> String {
    match group.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => format!("{} {}", group.id, quoted(name)),
        None => group.id.to_string(),
    }
}

fn fingerprint(finding: &Finding) -> String {
    format!("fingerprint {}", finding.fingerprint)
}

/// The products of a user agent without its comments: those are long, and mostly about the caller's
/// machine.
fn short_agent(agent: &str) -> String {
    let mut depth = 0_usize;
    let mut products = String::new();
    for c in agent.trim_matches(['[', ']']).chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => products.push(c),
            _ => {}
        }
    }
    let products: Vec<_> = products.split(' ').filter(|product| !product.is_empty()).collect();
    inert::clip(&products.join(" "), 48)
}

/// What all findings have in common, above them.
fn head(mail: &mut Lines, shared: &Shared, first: &Finding) {
    mail.gap();
    if shared.change {
        tell_change(mail, first);
    }
    if shared.place {
        tell_place(mail, first);
    }
}
