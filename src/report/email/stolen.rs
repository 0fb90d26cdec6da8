//! The warning that credentials may be stolen, if a person or root did something bad.

use crate::evaluate::Severity;
use crate::event::ActorType;
use crate::finding::{Finding, Matter};
use crate::report::state::State;

/// Whether a reader is warned that credentials may be stolen, and where.
pub(super) enum Stolen {
    /// Nobody's credentials did anything bad.
    No,
    /// With what to do about the finding. Holds where to look.
    Here(String),
    /// Elsewhere in the mail, about all findings.
    Elsewhere,
    /// What is left to do about all findings is said before the first.
    Said,
}

/// Whether nothing is wrong any more, so that only who did it is left to look at.
pub(super) fn is_settled(finding: &Finding) -> bool {
    let state = State::of(finding);
    let is_back = matches!(finding.matter, Matter::LeftScope { is_back: true, .. });
    let is_gone = state == State::Held && finding.is_rule_gone();
    (state.is_over() && finding.complete.is_none()) || is_back || is_gone
}

impl Stolen {
    /// For a change that did something as bad as this.
    pub fn of(finding: &Finding, worst: Severity) -> Self {
        let is_of_person = |kind| matches!(kind, ActorType::Person | ActorType::Root);
        match finding.change.as_ref().filter(|change| is_of_person(change.actor_type)) {
            Some(change) if worst >= Severity::High => {
                let event = change.event_id.as_deref().filter(|id| !id.is_empty());
                let event = event.map_or_else(String::new, |id| format!(", from event {id} on"));
                Self::Here(format!("look in CloudTrail for what else they did{event}."))
            }
            _ => Self::No,
        }
    }

    /// What to do about something that is over.
    pub fn if_over(&self) -> Option<String> {
        match self {
            Self::No => Some("You need to do nothing.".to_owned()),
            Self::Here(look) => {
                Some(format!("If your team did this, you are done. If not, {look}"))
            }
            Self::Elsewhere | Self::Said => None,
        }
    }

    /// The same after something else that has to be done.
    pub fn after(&self, first: &str) -> String {
        match self {
            Self::Here(look) => format!("{first} If your team did not do this, {look}"),
            Self::No | Self::Elsewhere => first.to_owned(),
            Self::Said => String::new(),
        }
    }

    /// The question about something that is not over.
    pub fn question(&self) -> Option<String> {
        match self {
            Self::Here(look) => {
                Some(format!("Not you or your team? These credentials may be stolen: {look}"))
            }
            Self::No | Self::Elsewhere | Self::Said => None,
        }
    }
}
