//! What happened, and how things stand now.

use super::super::detail::{refused_hold, unchecked};
use super::super::life::war;
use super::super::state::State;
use super::super::title::{is_plural, title};
use super::super::wording::{self, open_rules, texts};
use super::action::may_be_deployed;
use super::lines::Lines;
use crate::evaluate::Code;
use crate::finding::{Action, AfterHold, Connections, Finding, Matter, Planner, Presence};
use crate::text::{minute, quoted};

/// Characters of a rule: two lines of a phone.
const RULE: usize = 88;

/// The first lines about a finding: what happened, and whether it is still open.
pub(super) fn opening(finding: &Finding) -> String {
    let what = title(finding).whole();
    let is_gone = finding.is_rule_gone();
    let (it, it_is) = match is_plural(finding) {
        true => ("them", "They are"),
        false => ("it", "It is"),
    };
    match State::of(finding) {
        State::StillOpen => {
            let others = finding.still_open();
            let name = if others.len() == 1 { "another rule" } else { "other rules" };
            format!("STILL OPEN: {what} through {name}: {}.", open_rules(others))
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
                "{what}. {it_is} closed now, but what should have stayed is missing: {}.",
                missing.unwrap_or_default()
            )
        }
        State::DependsOnAnother => {
            let missing = finding.found_rule().map(|found| texts(&found.missing));
            format!(
                "{what}. {it_is} closed now. What should have stayed works only through another rule \
                 that does not comply: {}.",
                missing.unwrap_or_default()
            )
        }
        State::NotAudited => {
            format!(
                "{}. Something may be wrongly open or wrongly closed there.",
                title(finding).lead
            )
        }
        State::AuditorChanged if may_be_deployed(finding) => {
            format!(
                "{what}. If your team just deployed the auditor's stack, you need to do nothing."
            )
        }
        State::AuditorChanged => {
            format!("{what}. Until this is put back, the auditor may not see what is opened.")
        }
        State::Unfed => {
            format!("{what}. Until this is fixed, only the sweep finds what was opened.")
        }
        State::MaybeUnfed => {
            format!("{what}. If none does, only the sweep finds what was opened.")
        }
        State::Down => format!("{what}. The website may be down."),
        State::PartlyDown => format!("{what}. Some visitors may not reach the website."),
        State::Open => format!("{what}. The auditor will not close {it}."),
        State::Planned if is_planned_by_change(finding) => format!(
            "{what}. The auditor has not closed it, because no sweep has reported under these \
             settings before."
        ),
        State::Planned => format!("{what}. Nothing was closed yet. The next sweep closes it."),
        State::Resolved => format!("{what}."),
        State::LeftScope => match finding.matter {
            Matter::LeftScope { is_back: true, .. } => {
                format!("{what}. It has the tag again and is audited.")
            }
            _ => format!("{what}. Its changes are no longer audited."),
        },
        State::MaybeExempt => {
            format!(
                "{what}. The auditor left it open: it cannot tell whether an exemption covers it."
            )
        }
        State::Held if is_gone => format!("{what}. The rule is already gone."),
        State::Held => held(finding, &what),
        State::Closed => {
            let delay = wording::delay(finding).filter(|_| is_known(finding));
            let delay = delay.map_or_else(String::new, |delay| format!(" for {delay}"));
            format!("{what}{delay}. {it_is} closed now{}.{}", but_kept(finding), ended(finding))
        }
        State::Prevented => {
            format!("{what}. The auditor's CloudFormation hook refused it, and nothing was opened.")
        }
        State::AlreadyGone | State::NoLongerThere => {
            format!("{what}. The rule is already gone.{}", ended(finding))
        }
        State::Undecided => format!("{what}, so it may be open. Nothing was closed."),
        State::WideList => format!("{what}. Nothing was closed."),
        State::MaybeDown | State::Note => format!("{what}."),
    }
}

/// How the sentence goes on where several ports were closed, and some of them not to everybody.
fn but_kept(finding: &Finding) -> &'static str {
    let keeps = finding.found_rule().is_some_and(|found| !found.kept.is_empty());
    if keeps && is_plural(finding) { ", except for what the baseline allows" } else { "" }
}

/// That nobody can still be connected.
fn ended(finding: &Finding) -> &'static str {
    match finding.found_rule().map(|found| found.presence) {
        Some(Presence::Gone(Connections::Ended)) => " EC2 cut connections that no rule allows.",
        _ => "",
    }
}

/// The rule that it is about, with the description that somebody gave it, where the first lines have
/// room for it or do not name it.
pub(super) fn rule(mail: &mut Lines, finding: &Finding) {
    let Some(rule) = finding.rule() else { return };
    let is_described = rule.description().is_some_and(|it| !it.trim().is_empty());
    let (label, is_needed) = match (&finding.matter, State::of(finding)) {
        (Matter::Rule(_), State::StillOpen | State::MaybeStillOpen) => ("Already removed", true),
        (Matter::Rule(_), State::ClosedTooFar | State::DependsOnAnother) => ("Rule", is_described),
        (Matter::Rule(found), _) => {
            let is_told = finding.code == Code::UnresolvedPeer || refused_hold(found).is_some();
            ("Rule", is_described || !(is_told || war(finding).is_some()))
        }
        (Matter::WideList { .. }, _) => ("Rule", is_described),
        _ => return,
    };
    if is_needed {
        mail.label(label, &wording::rule(finding, rule), RULE);
    }
}

fn is_planned_by_change(finding: &Finding) -> bool {
    let is_it = |action: &Action| matches!(action, Action::Planned(Planner::Change));
    finding.found_rule().is_some_and(|found| is_it(&found.action))
}

fn is_later(finding: &Finding) -> bool {
    finding.found_rule().is_some_and(|found| matches!(found.action, Action::Later(None)))
}

fn held(finding: &Finding, what: &str) -> String {
    match finding.found_rule().map(|found| &found.action) {
        Some(Action::Held { hold, then, .. }) => {
            let (until, reason) = (minute(hold.until), quoted(&hold.reason));
            match then {
                AfterHold::Reported => format!(
                    "{what}, and allowed until {until}: {reason}. After that the auditor only reports it \
                     again."
                ),
                AfterHold::Closed => format!(
                    "{what} until {until}, as asked for: {reason}. Then it is closed automatically."
                ),
            }
        }
        _ => format!("{what}. It asks to be held open, and the group could not be read."),
    }
}

/// Whether it is known that something was open.
fn is_known(finding: &Finding) -> bool {
    finding.code != Code::UnresolvedPeer
}
