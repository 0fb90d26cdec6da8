//! What to do about what happened.

use super::lines::{Lines, TEXT};
use super::shared::Shared;
use crate::evaluate::Code;
use crate::finding::Finding;
use crate::report::standing::Standing;
use crate::report::wording;
use crate::text::minute;

/// What to do now, if it was needed, and if it was not you; each advice once.
pub(super) fn advise(mail: &mut Lines, findings: &[&Finding], shared: &Shared) {
    mail.gap();
    // What is to be done whether or not it was needed comes before the two cases of that.
    let (open, other): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|it| Standing::of(it) == Standing::Open);
    for advice in distinct(other.into_iter().chain(open).filter_map(act_now)) {
        mail.text(advice, TEXT);
    }
    let needed = distinct(findings.iter().filter_map(|it| if_needed(it))).join("; ");
    if let [only] = findings {
        mail.text(&put_back(only, &needed).unwrap_or_default(), 2 * TEXT);
        mail.command(only.undo.as_deref());
        mail.exemption(only);
    } else if !needed.is_empty() {
        // Of several findings each has its undo where it is told.
        mail.text(&format!("If it was needed: {needed}."), 2 * TEXT);
    }
    if let (true, [first, ..]) = (shared.change, findings) {
        mail.if_not_you(first);
    }
}

/// What to do if it was needed; where there is a command, it follows.
fn put_back(finding: &Finding, needed: &str) -> Option<String> {
    let undo = finding.undo.is_some();
    let held = wording::undone_until(finding).map(minute);
    match (held, needed) {
        (Some(until), "") => Some(format!(
            "If it was needed: put it back with the next line, and it is left alone until {until}."
        )),
        (Some(until), needed) => Some(format!(
            "If it was needed: put it back with the next line, and it is left alone until {until}; for longer, {needed}."
        )),
        (None, "") => undo.then(|| "Put it back:".to_owned()),
        (None, needed) if undo => Some(format!("If it was needed: {needed}. Then put it back:")),
        (None, needed) if Standing::of(finding) == Standing::Held => {
            Some(format!("If it is needed for longer: {needed}."))
        }
        (None, needed) => Some(format!("If it was needed: {needed}.")),
    }
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for text in texts {
        if !distinct.contains(&text) {
            distinct.push(text);
        }
    }
    distinct
}

fn act_now(finding: &Finding) -> Option<&'static str> {
    match Standing::of(finding) {
        Standing::NotClosed => Some("What is still open has to be closed by hand."),
        Standing::ClosedTooFar => {
            Some("Put back by hand what should have been kept: a website may be down.")
        }
        Standing::NotAudited => {
            Some("Look yourself at what changed: it was not judged, and nothing was closed.")
        }
        Standing::Open => {
            Some("If it was not needed: remove the rule, or narrow it to what the baseline admits.")
        }
        Standing::WideList => Some(
            "Unless the list is meant to hold all these addresses: take them out, and see who may change the list.",
        ),
        Standing::Note => Some(
            "Unless that is meant: name narrow SSH sources, in a baseline that admits SSH from them only.",
        ),
        Standing::Down => Some(
            "A website may be down. If it is meant to be reached, what is gone has to come back.",
        ),
        Standing::MaybeDown => {
            Some("If a website is meant to be reached here, look whether it can be.")
        }
        Standing::AuditorChanged => Some(
            "If nobody of yours meant to: put it back first, because until then changes may go unseen.",
        ),
        Standing::LeftScope => Some("If the group still has to be audited: give it its tag back."),
        Standing::MaybeExempt => {
            Some("Decide whether the exemption was meant for it; if not, remove the rule by hand.")
        }
        Standing::Held => Some("To end a hold sooner: remove its rule."),
        Standing::Undecided
        | Standing::Closed
        | Standing::AlreadyGone
        | Standing::NoLongerThere => None,
    }
}

fn if_needed(finding: &Finding) -> Option<&'static str> {
    match finding.code {
        Code::OpenSsh | Code::SshFromUnlistedHost => {
            Some("add the addresses that need SSH to the SSH sources")
        }
        Code::IngressNotInBaseline | Code::EgressNotInBaseline => {
            Some("add the traffic to the baseline")
        }
        Code::UnresolvedPeer => Some("let the auditor read the prefix list"),
        Code::AuditorChanged
        | Code::ExpectedTrafficClosed
        | Code::LeftScope
        | Code::OpenSshInBaseline
        | Code::UnauditedChange => None,
    }
}
