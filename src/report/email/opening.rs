//! What happened, and how things stand now.

use super::super::detail::unchecked;
use super::super::standing::Standing;
use super::super::title::title;
use super::super::wording::{self, open_rules, texts};
use crate::evaluate::Severity;
use crate::finding::{Action, AfterHold, Finding, Matter};
use crate::text::{minute, quoted};

/// The first lines about a finding: what happened, and whether it is still open.
pub(super) fn opening(finding: &Finding) -> String {
    let what = title(finding).whole();
    match Standing::of(finding) {
        Standing::StillOpen => {
            format!("STILL OPEN: {what} through {}.", open_rules(finding.still_open()))
        }
        Standing::MaybeStillOpen => {
            let why = finding.found_rule().and_then(unchecked).unwrap_or_default();
            format!("{what}. {why}")
        }
        Standing::NotClosed if is_later(finding) => format!("{what}. This is not closed yet."),
        Standing::NotClosed => format!("{what}. The auditor could not close it."),
        Standing::ClosedTooFar => {
            let missing = finding.found_rule().map(|found| texts(&found.missing));
            format!(
                "{what}. This is closed now, but what should have stayed is missing: {}.",
                missing.unwrap_or_default()
            )
        }
        Standing::NotAudited => format!("{what}. Whether something is open there is not known."),
        Standing::AuditorChanged if finding.severity < Severity::Medium => {
            format!(
                "{what}. If your team just deployed the stack, no action is needed. If not, somebody \
                 else changed it."
            )
        }
        Standing::AuditorChanged => {
            format!("{what}. Until this is put back, changes may go unseen.")
        }
        Standing::Down => format!("{what}. The website may be down."),
        Standing::PartlyDown => format!("{what}. Some visitors may not reach the website."),
        Standing::Open => format!("{what}. The auditor has not closed it."),
        Standing::LeftScope => match finding.matter {
            Matter::LeftScope { is_back: true, .. } => {
                format!("{what}. It has the tag again and is audited.")
            }
            _ => format!("{what}. Its changes are no longer audited."),
        },
        Standing::MaybeExempt => {
            format!("{what}. This was left open, because an exemption may cover it.")
        }
        Standing::Held => held(finding, &what),
        Standing::Closed => match wording::delay(finding) {
            Some(delay) => format!("{what} for {delay}. This is closed now."),
            None => format!("{what}. This is closed now."),
        },
        Standing::AlreadyGone | Standing::NoLongerThere => {
            format!("{what}. The rule is already gone.")
        }
        Standing::WideList | Standing::Undecided => format!("{what}. Nothing was closed."),
        Standing::MaybeDown | Standing::Note => format!("{what}."),
    }
}

fn is_later(finding: &Finding) -> bool {
    finding.found_rule().is_some_and(|found| matches!(found.action, Action::Later(_)))
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
