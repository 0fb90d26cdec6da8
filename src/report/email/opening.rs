//! What happened, and how things stand now.

use super::super::detail::unchecked;
use super::super::state::State;
use super::super::title::title;
use super::super::wording::{self, open_rules, texts};
use crate::evaluate::Severity;
use crate::finding::{Action, AfterHold, Finding, Matter};
use crate::text::{minute, quoted};

/// The first lines about a finding: what happened, and whether it is still open.
pub(super) fn opening(finding: &Finding) -> String {
    let what = title(finding).whole();
    match State::of(finding) {
        State::StillOpen => {
            format!("STILL OPEN: {what} through {}.", open_rules(finding.still_open()))
        }
        State::MaybeStillOpen => {
            let why = finding.found_rule().and_then(unchecked).unwrap_or_default();
            format!("{what}. {why}")
        }
        State::NotClosed if is_later(finding) => format!("{what}. This is not closed yet."),
        State::NotClosed => format!("{what}. The auditor could not close it."),
        State::ClosedTooFar => {
            let missing = finding.found_rule().map(|found| texts(&found.missing));
            format!(
                "{what}. This is closed now, but what should have stayed is missing: {}.",
                missing.unwrap_or_default()
            )
        }
        State::DependsOnAnother => {
            let missing = finding.found_rule().map(|found| texts(&found.missing));
            format!(
                "{what}. This is closed now. What should have stayed works only through another \
                 rule that does not comply: {}.",
                missing.unwrap_or_default()
            )
        }
        State::NotAudited => format!("{what}. Whether something is open there is not known."),
        State::AuditorChanged if finding.severity < Severity::Medium => {
            format!(
                "{what}. If your team just deployed the stack, no action is needed. If not, somebody \
                 else changed it."
            )
        }
        State::AuditorChanged => {
            format!("{what}. Until this is put back, changes may go unseen.")
        }
        State::Down => format!("{what}. The website may be down."),
        State::PartlyDown => format!("{what}. Some visitors may not reach the website."),
        State::Open => format!("{what}. The auditor has not closed it."),
        State::LeftScope => match finding.matter {
            Matter::LeftScope { is_back: true, .. } => {
                format!("{what}. It has the tag again and is audited.")
            }
            _ => format!("{what}. Its changes are no longer audited."),
        },
        State::MaybeExempt => {
            format!("{what}. This was left open, because an exemption may cover it.")
        }
        State::Held => held(finding, &what),
        State::Closed => match wording::delay(finding) {
            Some(delay) => format!("{what} for {delay}. This is closed now."),
            None => format!("{what}. This is closed now."),
        },
        State::AlreadyGone | State::NoLongerThere => {
            format!("{what}. The rule is already gone.")
        }
        State::WideList | State::Undecided => format!("{what}. Nothing was closed."),
        State::MaybeDown | State::Note => format!("{what}."),
    }
}

fn is_later(finding: &Finding) -> bool {
    finding.found_rule().is_some_and(|found| matches!(found.action, Action::Later(None)))
}

fn held(finding: &Finding, what: &str) -> String {
    match finding.found_rule().map(|found| &found.action) {
        Some(Action::Held { hold, then, .. }) => {
            let then = match then {
                AfterHold::Reported => "reported again, and not closed",
                AfterHold::Closed => "closed automatically",
            };
            let until = minute(hold.until);
            format!(
                "{what} until {until}, as its tags announce: {}. After that it is {then}.",
                quoted(&hold.reason)
            )
        }
        _ => format!("{what}."),
    }
}
