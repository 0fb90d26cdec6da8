//! What to do about what happened.

use super::lines::{Lines, TEXT};
use super::shared::Shared;
use crate::ec2::Ec2Error;
use crate::evaluate::Code;
use crate::finding::{Action, Finding, NotAdded};
use crate::net::{Set, wide_ipv4, wide_ipv6};
use crate::report::standing::Standing;
use crate::report::wording;
use crate::text::minute;

/// What to do now, if it was needed, and if it was not you; each advice once.
pub(super) fn advise(mail: &mut Lines, findings: &[&Finding], shared: &Shared) {
    mail.gap();
    // What is to be done whether or not it was needed comes before the two cases of that.
    let (open, other): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|it| Standing::of(it) == Standing::Open);
    let is_only = findings.len() == 1;
    for advice in distinct(other.into_iter().chain(open).filter_map(|it| act_now(it, is_only))) {
        mail.text(advice, TEXT);
    }
    let needed = distinct(findings.iter().filter_map(|it| if_needed(it))).join("; ");
    if let [only] = findings {
        commands(mail, only, is_only);
        mail.text(&put_back(only, &needed).unwrap_or_default(), 2 * TEXT);
        mail.command(only.undo.as_deref());
        mail.exemption(only);
    } else if !needed.is_empty() {
        // Of several findings each has its undo where it is told.
        mail.text(&format!("If it was needed: {needed}."), 2 * TEXT);
    }
    let worst = findings.iter().map(|finding| finding.severity).max();
    if let (true, [first, ..], Some(worst)) = (shared.change, findings, worst) {
        mail.if_not_you(first, worst);
    }
}

/// The lines that close what is open and add what is missing. Where the finding is the only one,
/// they say when to use them; otherwise that is said once for all.
pub(super) fn commands(mail: &mut Lines, finding: &Finding, is_only: bool) {
    let standing = Standing::of(finding);
    if finding.fix.is_some() {
        let label = match standing {
            Standing::StillOpen => "To close what is still open:",
            Standing::NotClosed if is_only => "To close it now:",
            Standing::Open if is_only => "If it was not needed, close it:",
            Standing::Held => "To close it before the hold ends:",
            _ => "To close it:",
        };
        mail.text(label, TEXT);
        mail.command(finding.fix.as_deref());
    }
    if finding.complete.is_some() {
        let label = match standing {
            Standing::ClosedTooFar => "To add what is missing:",
            _ => "To add what is missing, if it is needed:",
        };
        mail.text(label, TEXT);
        mail.command(finding.complete.as_deref());
    }
}

/// Stands over a command that removes what a revert added, where the rule itself is still there.
const TAKE_BACK: &str = "To take back what was added:";

/// Whether the command that undoes what was done only removes rules.
fn only_removes(finding: &Finding) -> bool {
    finding.undo.is_some() && finding.found_rule().is_some_and(|it| !it.presence.is_gone())
}

/// What stands over the command that undoes what was done about one finding of several.
pub(super) fn undo_heading(finding: &Finding) -> String {
    match wording::undone_until(finding).map(minute) {
        _ if only_removes(finding) => TAKE_BACK.to_owned(),
        Some(until) => format!("To undo, and leave it alone until {until}:"),
        None => "To undo:".to_owned(),
    }
}

/// What to do if it was needed; where there is a command, it follows.
fn put_back(finding: &Finding, needed: &str) -> Option<String> {
    if only_removes(finding) {
        let needed = match needed {
            "" => String::new(),
            needed => format!("If it was needed: {needed}. "),
        };
        return Some(needed + TAKE_BACK);
    }
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

fn distinct<T: PartialEq>(texts: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for text in texts {
        if !distinct.contains(&text) {
            distinct.push(text);
        }
    }
    distinct
}

/// What to do whether or not it was needed, unless the label of a command says it.
fn act_now(finding: &Finding, is_only: bool) -> Option<&'static str> {
    let is_labelled = is_only && finding.fix.is_some();
    match Standing::of(finding) {
        Standing::StillOpen | Standing::NotClosed | Standing::Open | Standing::Held
            if is_labelled =>
        {
            None
        }
        Standing::StillOpen | Standing::NotClosed if is_only => Some("Close it by hand now."),
        Standing::StillOpen | Standing::NotClosed => Some("Close what is still open now."),
        Standing::MaybeStillOpen => {
            Some("Look at the group's other rules: nobody could see whether one keeps SSH open.")
        }
        Standing::ClosedTooFar if is_at_limit(finding) => Some(
            "Traffic that should have stayed is missing. The group is at its limit of rules: first \
             remove rules that are not needed, have AWS raise the quota \"Inbound or outbound rules \
             per security group\", or put the rest into a second group.",
        ),
        Standing::ClosedTooFar if is_missing_ssh_only(finding) => {
            Some("SSH that should have stayed is missing: somebody who needs it may be locked out.")
        }
        Standing::ClosedTooFar => {
            Some("Traffic that should have stayed is missing, and a website may be down.")
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
        Standing::PartlyDown => Some(
            "Part of a website may be out of reach for some. If that was not meant, what is gone has \
             to come back.",
        ),
        Standing::MaybeDown => {
            Some("If a website is meant to be reached here, look whether it can be.")
        }
        Standing::AuditorChanged => Some(
            "If nobody of yours meant to: put it back first, because until then changes may go unseen.",
        ),
        Standing::LeftScope => Some("If the group still has to be audited: give it its tag back."),
        Standing::MaybeExempt => {
            Some("Decide whether the exemption was meant for it; if not, remove the rule.")
        }
        Standing::Held => Some("To end a hold sooner: remove its rule."),
        Standing::Undecided
        | Standing::Closed
        | Standing::AlreadyGone
        | Standing::NoLongerThere => None,
    }
}

/// Whether all that is missing is SSH.
fn is_missing_ssh_only(finding: &Finding) -> bool {
    finding.found_rule().is_some_and(|found| {
        found.missing.iter().all(|rule| rule.traffic().cells().is_subset_of(&found.ssh))
    })
}

/// Whether something is missing because the group cannot hold another rule.
fn is_at_limit(finding: &Finding) -> bool {
    match finding.found_rule().map(|found| &found.action) {
        Some(Action::Reverted(reverted)) => reverted
            .missing
            .iter()
            .any(|(_, why)| matches!(why, NotAdded::Ec2(Ec2Error::LimitExceeded))),
        _ => false,
    }
}

fn if_needed(finding: &Finding) -> Option<String> {
    let text = match finding.code {
        Code::OpenSsh | Code::SshFromUnlistedHost => match possible_source(finding) {
            Some(list) => return Some(format!("add {list} to the SSH sources")),
            None => "add the addresses that need SSH to the SSH sources",
        },
        Code::IngressNotInBaseline | Code::EgressNotInBaseline => "add the traffic to the baseline",
        Code::UnresolvedPeer if finding.is_rule_gone() => {
            "name addresses instead of the prefix list"
        }
        Code::UnresolvedPeer => "let the auditor read the prefix list",
        Code::AuditorChanged
        | Code::ExpectedTrafficClosed
        | Code::LeftScope
        | Code::OpenSshInBaseline
        | Code::UnauditedChange => return None,
    };
    Some(text.to_owned())
}

/// The prefix list from which the rule admits SSH, unless it is too wide for an SSH source.
fn possible_source(finding: &Finding) -> Option<String> {
    let found = finding.found_rule()?;
    let ssh = found.excess.within(&found.ssh);
    let is_wide = wide_ipv4(&ssh.peers_ipv4()) || wide_ipv6(&ssh.peers_ipv6());
    let list = found.rule.peer().list().filter(|_| !is_wide)?;
    Some(wording::list(finding, list))
}
