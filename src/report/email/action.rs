//! What to do now.

use super::super::declared;
use super::super::detail::{done, needs_sweep};
use super::super::life::war;
use super::super::state::{State, is_closed_elsewhere};
use super::super::wording::{self, texts};
use super::lines::{Lines, TEXT};
use super::others::check_line;
use super::stolen::{Stolen, is_settled};
use crate::ec2::Ec2Error;
use crate::evaluate::{Code, Severity, is_wide};
use crate::finding::{Action, Connections, Finding, Matter, NotAdded, Presence, Unfed};
use crate::net::Set;
use crate::text::{capitalised, minute};

/// Characters of what was done about a finding: as many rules as a revert adds at most, and more.
const OUTCOME: usize = 5 * TEXT;

/// What to do now, with the lines to paste, and what the auditor did.
pub(super) fn act(mail: &mut Lines, finding: &Finding, stolen: &Stolen) {
    mail.text(&advice(finding, stolen).unwrap_or_default(), TEXT);
    if matches!(State::of(finding), State::NotAudited | State::MaybeStillOpen) {
        mail.command(check_line(&[finding]).as_deref());
    }
    if finding.fix.is_some() {
        mail.text(&fix_label(finding), TEXT);
        mail.command(finding.fix.as_deref());
    }
    if finding.complete.is_some() {
        mail.text(&complete_label(finding), TEXT);
        mail.command(finding.complete.as_deref());
    }
    if undo_comes_first(finding) {
        mail.text(&undo_label(finding), TEXT);
        mail.command(finding.undo.as_deref());
    }
    mail.text(&done(finding), OUTCOME);
    tell_sweep(mail, finding);
}

/// What stands over the line that adds what is missing.
fn complete_label(finding: &Finding) -> String {
    match (State::of(finding), finding.found_rule()) {
        // The first line says what is missing.
        (State::ClosedTooFar | State::DependsOnAnother, _) | (_, None) => {
            "Add what is missing:".to_owned()
        }
        (_, Some(found)) => format!(
            "Missing, but allowed by the baseline: {}. Add it if it is needed:",
            texts(&found.missing)
        ),
    }
}

/// How to audit everything once more, where something may have been missed.
fn tell_sweep(mail: &mut Lines, finding: &Finding) {
    match &finding.matter {
        _ if !needs_sweep(finding) => {}
        Matter::AuditorChanged { sweep: Some(line), .. } => {
            let then = if may_be_deployed(finding) {
                "In that case, run a sweep too:"
            } else {
                "Then run a sweep:"
            };
            mail.text(then, TEXT);
            mail.command(Some(line));
        }
        _ => mail.text("Then run a sweep (\"By hand\" in docs/sweep.md).", TEXT),
    }
}

/// What stands over the line that closes what is open.
fn fix_label(finding: &Finding) -> String {
    let label = match State::of(finding) {
        State::StillOpen | State::NotClosed => "Close it now",
        State::Planned => "Close it now, or allow it in the baseline before the next sweep",
        State::Held => "Otherwise, close it now",
        State::MaybeExempt => "If the exemption is not meant for it, close it now",
        State::Undecided => "If nobody needs the rule, remove it",
        _ if may_be_deployed(finding) => {
            return format!("If your team did not deploy it, {}:", wording::mend(finding));
        }
        _ if is_about_auditor(finding) => {
            return format!("{}:", capitalised(wording::mend(finding)));
        }
        _ if finding.severity <= Severity::Low || finding.code == Code::SshFromUnlistedHost => {
            "Close it if nobody needs it"
        }
        _ => "Close it now, unless you know why it is open",
    };
    // A line that begins with `authorize` looks as if it opened something.
    match wording::would_keep(finding).filter(|_| begins_by_adding(finding)) {
        Some(kept) => {
            format!("{label}. The line below replaces it with {kept}:")
        }
        None => format!("{label}:"),
    }
}

/// Whether the auditor was changed as a deployment changes it.
pub(super) fn may_be_deployed(finding: &Finding) -> bool {
    State::of(finding) == State::AuditorChanged && finding.severity < Severity::Medium
}

/// Whether no group is wrong, but what the auditor depends on.
fn is_about_auditor(finding: &Finding) -> bool {
    matches!(finding.matter, Matter::AuditorChanged { .. } | Matter::Unfed { .. })
}

/// Whether the line that closes what is open adds rules before it removes one.
fn begins_by_adding(finding: &Finding) -> bool {
    finding.found_rule().is_some_and(|found| {
        let added = match &found.action {
            Action::NotReverted { added, .. } => added.as_slice(),
            _ => &[],
        };
        found.would_keep.iter().flatten().any(|piece| !added.contains(piece))
    })
}

/// Whether nothing else has to be done, so that the line that undoes it is what a reader may want.
pub(super) fn undo_comes_first(finding: &Finding) -> bool {
    let is_all = finding.fix.is_none() && finding.complete.is_none();
    finding.undo.is_some() && is_all && !is_closed_elsewhere(finding)
}

/// What stands over the line that undoes what was done.
pub(super) fn undo_label(finding: &Finding) -> String {
    let only_removes = finding.found_rule().is_some_and(|found| !found.presence.is_gone());
    let back = match finding.code {
        _ if only_removes => return "To remove what the auditor added:".to_owned(),
        Code::ExpectedTrafficClosed => {
            return "If the website needs it, put back what this change removed:".to_owned();
        }
        _ => "Only if somebody needs the rule that was removed: this line opens it again",
    };
    match wording::undone_until(finding).map(minute) {
        Some(until) => format!("{back}, and the auditor closes it after {until}:"),
        None => format!("{back}:"),
    }
}

/// What to do, unless the label of a command says it.
fn advice(finding: &Finding, stolen: &Stolen) -> Option<String> {
    let text = match State::of(finding) {
        State::StillOpen | State::NotClosed | State::Open | State::Planned
            if finding.fix.is_some() =>
        {
            return None;
        }
        State::StillOpen if is_closed_elsewhere(finding) => {
            "Close it now: the line for that rule is with another finding of the group."
        }
        State::StillOpen | State::NotClosed => "Close it by hand now.",
        State::Open => "Remove the rule, unless it is needed.",
        State::Planned => "If it must stay, allow it in the baseline before the next sweep.",
        State::MaybeStillOpen => "Look at the group's other inbound rules now:",
        State::ClosedTooFar if is_at_limit(finding) => {
            "The group is full. Remove one rule that nobody needs, then run the line below. If it \
             happens again, have the quota \"Inbound or outbound rules per security group\" raised, \
             or use a second group."
        }
        State::ClosedTooFar if is_missing_ssh_only(finding) => {
            "Somebody who needs SSH may be locked out."
        }
        State::ClosedTooFar => "A website may be down.",
        State::DependsOnAnother => {
            "Nothing is down. Before you remove the other rule, see that these are added."
        }
        State::NotAudited if finding.place.region.is_none() => "Look at the rules yourself now.",
        State::NotAudited => "Look at the rules yourself now:",
        State::WideList => {
            "Take addresses out of the prefix list, unless it has to hold all of them, and check who \
             may change it."
        }
        State::Note => {
            "If that is not intended, use a baseline that allows SSH from known addresses only."
        }
        State::MaybeDown => "If a website has to be reachable here, check that it is.",
        State::LeftScope if is_settled(finding) => return stolen.if_over(),
        State::LeftScope => "If the group has to be audited, put its tag back.",
        State::MaybeExempt if finding.fix.is_some() => return None,
        State::MaybeExempt => "If the exemption is not meant for it, remove the rule.",
        State::Held if finding.is_rule_gone() => return stolen.if_over(),
        State::Held => "If this reason is right, do nothing.",
        State::Closed | State::AlreadyGone | State::NoLongerThere | State::Resolved => {
            return match lives_on(finding) {
                _ if finding.complete.is_some() || war(finding).is_some() => None,
                true => Some(stolen.after(CONNECTIONS)),
                false => stolen.if_over(),
            };
        }
        State::Prevented => {
            let repair = declared::repair(finding)?;
            return Some(format!("To let the change pass: {repair}."));
        }
        State::MaybeUnfed if is_denied(finding) => "Let the function's role make this call.",
        State::MaybeUnfed => "If the next sweep does not tell it again, you need to do nothing.",
        State::Undecided => {
            "Let the auditor read the prefix list, or name addresses instead of it."
        }
        State::Down | State::PartlyDown | State::AuditorChanged | State::Unfed => {
            return None;
        }
    };
    Some(text.to_owned())
}

pub(super) const CONNECTIONS: &str = "Whoever connected meanwhile may still be connected. Check on the server \
                           (who, ss -tn), and end what is not yours.";

/// Whether somebody may still be connected although the rule is gone.
pub(super) fn lives_on(finding: &Finding) -> bool {
    let presence = finding.found_rule().map(|found| found.presence);
    presence == Some(Presence::Gone(Connections::LiveOn))
}

/// Whether it is about a call that is not allowed.
fn is_denied(finding: &Finding) -> bool {
    matches!(finding.matter, Matter::Unfed { unfed: Unfed::NotSeen(Ec2Error::Denied { .. }), .. })
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

/// How to allow it permanently.
pub(super) fn if_needed(finding: &Finding) -> Option<String> {
    let text = match finding.code {
        _ if State::of(finding) == State::Resolved => return None,
        Code::OpenSsh | Code::SshFromUnlistedHost => {
            let who = possible_source(finding).unwrap_or_else(|| "the addresses".to_owned());
            return Some(format!(
                "To allow SSH permanently, add {who} to the SSH sources: the stack's parameter \
                 SshSources (SSH_SOURCES in docs/settings.md)."
            ));
        }
        Code::IngressNotInBaseline | Code::EgressNotInBaseline => {
            "To allow it permanently, add it to the baseline (\"A baseline of your own\" in \
             docs/settings.md)."
        }
        Code::UnresolvedPeer if State::of(finding) == State::Prevented => return None,
        Code::UnresolvedPeer if finding.is_rule_gone() => {
            "To allow it permanently, name addresses instead of the prefix list."
        }
        Code::UnresolvedPeer if State::of(finding) == State::Undecided => return None,
        Code::UnresolvedPeer => {
            "Let the auditor read the prefix list, or name addresses instead of it."
        }
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
    let list = found.rule.peer().list().filter(|_| !is_wide(&ssh))?;
    Some(wording::list(finding, list))
}
