//! The scenes together show everything that a report can say.

use std::collections::BTreeSet;

use super::scenes;
use crate::ec2::Ec2Error;
use crate::ec2::hold::Refusal;
use crate::event::trail::Unfit;
use crate::event::{Component, Note};
use crate::finding::{
    Action, AfterHold, Connections, Finding, Matter, Mend, NotAdded, NotDue, NotHandedOn,
    NotReverted, Outcome, Planner, Presence, Reason, Remark, Report, ScopeExit, Skipped, Unaudited,
    Unfed, Weakening,
};
use crate::report::state::State;

/// For each enum a function that names the variant of a value, and a list of all names. A variant
/// that is not named here does not compile.
macro_rules! variants {
    ($($function:ident, $all:ident, $of:ty { $($pattern:pat => $name:literal,)+ })+) => {
        $(
            const $all: &[&str] = &[$($name),+];
            fn $function(value: &$of) -> &'static str {
                match value { $($pattern => $name,)+ }
            }
        )+
    };
}

variants! {
    action, ACTIONS, Action {
        Action::NotDue { seen: None, .. } => "not due",
        Action::NotDue { seen: Some(true), .. } => "not due, seen",
        Action::NotDue { seen: Some(false), .. } => "not due, not seen",
        Action::Held { seen: true, .. } => "held, seen",
        Action::Held { seen: false, .. } => "held, not seen",
        Action::PerhapsExempt(_) => "perhaps exempt",
        Action::Planned(Planner::Sweep) => "planned",
        Action::Planned(Planner::Change) => "planned, after a change",
        Action::Prevented => "prevented",
        Action::Later(_) => "later",
        Action::GoneBefore => "gone before",
        Action::Unreadable { noted: false, .. } => "unreadable",
        Action::Unreadable { noted: true, .. } => "unreadable, noted",
        Action::Reverted(_) => "reverted",
        Action::AlreadyGone { seen: true, .. } => "already gone, seen",
        Action::AlreadyGone { seen: false, .. } => "already gone, not seen",
        Action::GroupGone => "group gone",
        Action::NotReverted { .. } => "not reverted",
    }
    not_due, NOT_DUE, NotDue {
        NotDue::OnlyReported => "only reported",
        NotDue::OtherOwner => "another account's group",
        NotDue::SweepOnlyReported => "sweep only reported",
        NotDue::NotOpenSsh => "not open SSH",
        NotDue::NotPublicIngress => "not public ingress",
    }
    // What the baseline admits of a rule can always be written as rules, so `Pieces` never occurs.
    not_reverted, NOT_REVERTED, NotReverted {
        NotReverted::TooManyPieces(_) | NotReverted::Pieces(_) => "too many pieces",
        NotReverted::Ec2(_) => "not reverted by EC2",
    }
    after_hold, AFTER_HOLD, AfterHold {
        AfterHold::Reported => "reported after a hold",
        AfterHold::Closed => "closed after a hold",
    }
    presence, PRESENCES, Presence {
        Presence::Present => "present",
        Presence::Gone(Connections::Ended) => "gone with its connections",
        Presence::Gone(Connections::LiveOn) => "gone, and connections live on",
        Presence::WithGroup => "gone with its group",
    }
    not_added, NOT_ADDED, NotAdded {
        NotAdded::Ec2(_) => "not added by EC2",
        NotAdded::TooMany => "too many to add",
    }
    outcome, OUTCOMES, Outcome {
        Outcome::None => "outcome none",
        Outcome::Reverted => "outcome reverted",
        Outcome::Narrowed => "outcome narrowed",
        Outcome::AlreadyGone => "outcome already-gone",
        Outcome::Held => "outcome held",
        Outcome::Exempt => "outcome exempt",
        Outcome::Failed => "outcome failed",
        Outcome::Planned => "outcome planned",
        Outcome::Prevented => "outcome prevented",
    }
    remark, REMARKS, Remark {
        Remark::Note(Note::NotUnderstood(_)) => "change not understood",
        Remark::Note(Note::EnteredScope) => "entered scope",
        Remark::Note(Note::LeftScope) => "left scope",
        Remark::Note(Note::DirectionAssumed) => "direction assumed",
        Remark::Note(Note::ListChanged(_)) => "list changed, closed later",
        Remark::Note(Note::Lost(_)) => "group lost",
        Remark::Note(Note::TagsNotUnderstood(_)) => "tags not understood",
        Remark::HoldOver(_) => "hold over",
        Remark::HoldRefused(Refusal::NoHolds) => "no holds",
        Remark::HoldRefused(Refusal::NotATime(_)) => "not a time",
        Remark::HoldRefused(Refusal::NoReason) => "no reason",
        Remark::HoldRefused(Refusal::TooLong { .. }) => "too long",
        Remark::HoldRefused(Refusal::TagsRemoved) => "tags removed",
        Remark::HoldRefused(Refusal::TaggedLater) => "tagged later",
        Remark::HoldRefused(Refusal::TagsChanged) => "tags changed",
        Remark::HoldRefused(Refusal::Modified) => "modified",
        Remark::HoldRefused(Refusal::Unseen) => "unseen",
        Remark::HoldAuthorized { .. } => "hold authorised",
        Remark::HoldMoved(_) => "hold moved",
        Remark::HoldUnseen => "hold unseen",
        Remark::HoldNotRemembered => "hold not remembered",
        Remark::BindingUnknown(_) => "binding unknown",
        Remark::List(_) => "list changed",
        Remark::StaleGroup(_) => "stale group",
        Remark::LostPeering(_) => "lost peering",
    }
    matter, MATTERS, Matter {
        Matter::Rule(_) => "a rule",
        Matter::WideList { list: None, .. } => "a wide list",
        Matter::WideList { list: Some(_), .. } => "a wide list that changed",
        Matter::WideBaseline { list: None, .. } => "a wide baseline",
        Matter::WideBaseline { list: Some(_), .. } => "a wide baseline because of a list",
        Matter::ExpectedClosed(_) => "expected traffic closed",
        Matter::Unaudited { .. } => "unaudited",
        Matter::LeftScope { is_back: false, .. } => "a group that left the scope",
        Matter::LeftScope { is_back: true, .. } => "a group that left the scope and is back",
        Matter::AuditorChanged { mend: Mend::Directly, .. } => "the auditor changed",
        Matter::AuditorChanged { .. } => "the auditor changed in another way",
        Matter::Unfed { unfed: Unfed::Trails(_), mend: Mend::Directly } => "a stopped trail",
        Matter::Unfed { unfed: Unfed::Trails(_), .. } => "no trail",
        Matter::Unfed { unfed: Unfed::Unheard(_), .. } => "no event",
        Matter::Unfed { unfed: Unfed::NotSeen(Ec2Error::Denied { .. }), .. } => "trail denied",
        Matter::Unfed { unfed: Unfed::NotSeen(_), .. } => "trail not seen",
        Matter::Resolved { .. } => "resolved",
    }
    unaudited, UNAUDITED, Unaudited {
        Unaudited::Change(None) => "unaudited change",
        Unaudited::Change(Some(_)) => "unaudited change of a group",
        Unaudited::List(_) => "unaudited list",
        Unaudited::RuleTags(_) => "unaudited tags of rules",
        Unaudited::Place => "unaudited place",
    }
    reason, REASONS, Reason {
        Reason::NotUnderstood(_) => "because it is not understood",
        Reason::NoGroup(None) => "because there is no group",
        Reason::NoGroup(Some(_)) => "because it is not understood and there is no group",
        Reason::OtherAccount { .. } => "because of the account",
        Reason::Ec2(Ec2Error::NoRole { .. }) => "because of the role",
        Reason::Ec2(_) => "because of EC2",
        Reason::NotHandedOn { .. } => "because no other invocation does it",
    }
    not_handed_on, NOT_HANDED_ON, NotHandedOn {
        NotHandedOn::ForNow(_) => "not handed on for now",
        NotHandedOn::Refused(_) => "not handed on for good",
        NotHandedOn::TooManyInvocations(_) => "too many invocations",
    }
    scope_exit, SCOPE_EXITS, ScopeExit {
        ScopeExit::OtherValue(_) => "tag with another value",
        ScopeExit::Deleted(_) => "tag deleted",
        ScopeExit::Missing(_) => "tag missing",
    }
    component, COMPONENTS, Component {
        Component::Trail => "trail",
        Component::Rule => "rule",
        Component::Function => "function",
        Component::Topic => "topic",
        Component::Queue => "queue",
        Component::Role => "role",
        Component::Log => "log",
        Component::Key => "key",
        Component::Alarm => "alarm",
    }
    weakening, WEAKENINGS, Weakening {
        Weakening::ScopeNarrowed => "scope narrowed",
        Weakening::RemediationLowered => "remediation lowered",
        Weakening::SweepRemediationLowered => "sweep remediation lowered",
        Weakening::BaselineChanged => "baseline changed",
        Weakening::HoldsLengthened => "holds lengthened",
        Weakening::NotValid => "settings not valid",
        Weakening::MemberRule => "rule of a member",
    }
    unfit, UNFIT, Unfit {
        Unfit::Stopped => "trail stopped",
        Unfit::LeavesOut => "trail leaves out",
    }
    skipped, SKIPPED, Skipped {
        // The last two are only in a hook's answer.
        Skipped::Event(_) | Skipped::Deletion | Skipped::NotJudged(_) => "event skipped",
        Skipped::OutOfScope(_) => "out of scope",
        Skipped::OtherTags => "other tags",
        Skipped::UnusedList(_) => "unused list",
    }
    state, STATES, State {
        State::StillOpen => "stands: still open",
        State::MaybeStillOpen => "stands: maybe still open",
        State::NotClosed => "stands: not closed",
        State::ClosedTooFar => "stands: closed too far",
        State::DependsOnAnother => "stands: depends on another rule",
        State::NotAudited => "stands: not audited",
        State::AuditorChanged => "stands: auditor changed",
        State::Unfed => "stands: no trail",
        State::MaybeUnfed => "stands: perhaps no trail",
        State::Down => "stands: down",
        State::PartlyDown => "stands: partly down",
        State::MaybeDown => "stands: maybe down",
        State::Open => "stands: open",
        State::WideList => "stands: open by a list",
        State::LeftScope => "stands: left scope",
        State::Undecided => "stands: undecided",
        State::MaybeExempt => "stands: maybe exempt",
        State::Held => "stands: held",
        State::Closed => "stands: closed",
        State::Prevented => "stands: prevented",
        State::AlreadyGone => "stands: already gone",
        State::NoLongerThere => "stands: no longer there",
        State::Planned => "stands: planned",
        State::Resolved => "stands: resolved",
        State::Note => "stands: note",
    }
}

/// What a finding says.
fn of_finding(finding: &Finding) -> Vec<&'static str> {
    let mut met = vec![matter(&finding.matter), state(&State::of(finding))];
    match &finding.matter {
        Matter::Rule(found) => {
            let outcome = outcome(&found.action.outcome());
            met.extend([action(&found.action), presence(&found.presence), outcome]);
            met.extend(found.remarks.iter().map(remark));
            match &found.action {
                Action::NotDue { why, .. } => met.push(not_due(why)),
                Action::Later(Some(why)) => met.push(not_handed_on(why)),
                Action::NotReverted { reason, .. } => met.push(not_reverted(reason)),
                Action::Held { then, .. } => met.push(after_hold(then)),
                Action::Reverted(reverted) => {
                    met.extend(reverted.missing.iter().map(|(_, why)| not_added(why)));
                }
                _ => {}
            }
        }
        Matter::Unaudited { what, reason: why } => {
            met.extend([unaudited(what), reason(why)]);
            if let Reason::NotHandedOn { why, .. } = why {
                met.push(not_handed_on(why));
            }
        }
        Matter::LeftScope { exit, .. } => met.push(scope_exit(exit)),
        Matter::AuditorChanged { change, weakened, .. } => {
            met.push(component(&change.component));
            met.extend(weakened.iter().map(weakening));
        }
        Matter::Unfed { unfed: Unfed::Trails(trails), .. } => {
            met.extend(trails.iter().map(|trail| unfit(&trail.why)));
        }
        Matter::Unfed { .. }
        | Matter::Resolved { .. }
        | Matter::WideList { .. }
        | Matter::WideBaseline { .. }
        | Matter::ExpectedClosed(_) => {}
    }
    met
}

/// What a report says.
fn of_report(report: &Report) -> impl Iterator<Item = &'static str> {
    let of_findings = report.findings.iter().flat_map(of_finding);
    of_findings.chain(report.skipped.iter().map(skipped))
}

#[test]
fn every_variant_is_in_a_scene() {
    let scenes = scenes::all();
    let reports = scenes.iter().flat_map(|(_, told)| &told.reports);
    let met: BTreeSet<&str> = reports.flat_map(of_report).collect();
    let all = [
        ACTIONS,
        NOT_DUE,
        NOT_REVERTED,
        NOT_ADDED,
        AFTER_HOLD,
        PRESENCES,
        OUTCOMES,
        REMARKS,
        MATTERS,
        UNAUDITED,
        REASONS,
        NOT_HANDED_ON,
        SCOPE_EXITS,
        COMPONENTS,
        WEAKENINGS,
        UNFIT,
        SKIPPED,
        STATES,
    ];
    let all: BTreeSet<&str> = all.into_iter().flatten().copied().collect();
    let missing: Vec<&&str> = all.difference(&met).collect();
    assert!(missing.is_empty(), "no scene shows {missing:?}");
}
