use crate::evaluate::{Code, Severity};
use crate::finding::{Finding, FoundRule, Matter, Outcome, Presence, Unfed};

/// How things stand, in the order in which a person has to care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(strum::EnumIter))]
pub(super) enum State {
    /// The rule is gone, and SSH is open through another rule.
    StillOpen,
    /// The rule is gone, and whether SSH is open through another rule is not known.
    MaybeStillOpen,
    /// A revert was due, and the rule is still there.
    NotClosed,
    /// The rule is gone, and so is something that should have stayed.
    ClosedTooFar,
    /// The rule is gone, and what should have stayed works only through a rule that has to go too.
    DependsOnAnother,
    /// Nobody knows what the change did.
    NotAudited,
    /// The auditor hears of no change.
    Unfed,
    /// Whether it does is not known.
    MaybeUnfed,
    /// Something that the auditor depends on was changed.
    AuditorChanged,
    /// Traffic that the site lives on is no longer admitted.
    Down,
    /// Some traffic that the site lives on is no longer admitted, or not from everybody.
    PartlyDown,
    /// Nobody can reach it, and whether it was admitted before is not known.
    MaybeDown,
    /// The rule is there, and is not closed yet.
    Planned,
    /// The rule is there, and no revert was due.
    Open,
    /// A prefix list lets the Internet in by SSH, and the baseline names the list.
    WideList,
    /// The group is no longer audited.
    LeftScope,
    /// A prefix list that cannot be read decides.
    Undecided,
    /// The rule is there, because an exemption that cannot be evaluated may cover it.
    MaybeExempt,
    /// The rule is there until a time that was announced when it was made.
    Held,
    /// Reverted.
    Closed,
    /// A hook refused it before it was made.
    Prevented,
    /// Somebody else was faster than the revert.
    AlreadyGone,
    /// No revert was due, and the rule is gone all the same. It may have been held.
    NoLongerThere,
    /// It was found before, and is no longer there.
    Resolved,
    /// Nothing is wrong with any group.
    Note,
}

impl State {
    pub fn of(finding: &Finding) -> Self {
        match &finding.matter {
            Matter::Unaudited { .. } => Self::NotAudited,
            Matter::ExpectedClosed(closed) if !closed.is_known() => Self::MaybeDown,
            Matter::ExpectedClosed(closed) if closed.is_anything_open() => Self::PartlyDown,
            Matter::ExpectedClosed(_) => Self::Down,
            Matter::AuditorChanged { .. } => Self::AuditorChanged,
            Matter::Unfed { unfed: Unfed::Trails(_) | Unfed::Unheard(_), .. } => Self::Unfed,
            Matter::Unfed { unfed: Unfed::NotSeen(_), .. } => Self::MaybeUnfed,
            Matter::LeftScope { .. } => Self::LeftScope,
            Matter::Resolved { .. } => Self::Resolved,
            Matter::WideBaseline { .. } if finding.severity == Severity::Informational => {
                Self::Note
            }
            Matter::WideBaseline { .. } | Matter::WideList { .. } => Self::WideList,
            Matter::Rule(found) => {
                let gone = found.presence.is_gone();
                let with_group = found.presence == Presence::WithGroup;
                match found.action.outcome() {
                    _ if gone && !found.still_open.is_empty() => Self::StillOpen,
                    _ if gone && found.unchecked.is_some() => Self::MaybeStillOpen,
                    Outcome::Reverted | Outcome::Narrowed => Self::Closed,
                    Outcome::AlreadyGone => Self::AlreadyGone,
                    Outcome::Prevented => Self::Prevented,
                    _ if with_group => Self::NoLongerThere,
                    Outcome::Held if gone => Self::NoLongerThere,
                    Outcome::Held => Self::Held,
                    Outcome::Exempt => Self::MaybeExempt,
                    Outcome::Failed if gone && is_missing_nothing_yet(found) => {
                        Self::DependsOnAnother
                    }
                    Outcome::Failed if gone => Self::ClosedTooFar,
                    Outcome::Failed => Self::NotClosed,
                    Outcome::Planned => Self::Planned,
                    Outcome::None if gone => Self::NoLongerThere,
                    Outcome::None if finding.code == Code::UnresolvedPeer => Self::Undecided,
                    Outcome::None => Self::Open,
                }
            }
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::StillOpen => "STILL OPEN",
            Self::MaybeStillOpen => "MAYBE STILL OPEN",
            Self::NotClosed => "NOT CLOSED",
            Self::ClosedTooFar => "FIX NOW",
            Self::NotAudited | Self::Unfed => "NOT AUDITED",
            Self::AuditorChanged => "AUDITOR CHANGED",
            Self::Down => "FIX NOW",
            Self::DependsOnAnother | Self::PartlyDown | Self::MaybeDown | Self::MaybeUnfed => {
                "CHECK"
            }
            Self::Planned => "OPEN, CLOSING PLANNED",
            Self::Open | Self::WideList => "OPEN",
            Self::LeftScope => "NO LONGER AUDITED",
            Self::Undecided => "UNDECIDED",
            Self::MaybeExempt => "LEFT OPEN",
            Self::Held => "OPEN FOR NOW",
            Self::Closed => "CLOSED",
            Self::Prevented => "PREVENTED",
            Self::AlreadyGone => "ALREADY GONE",
            Self::NoLongerThere => "GONE",
            Self::Resolved => "RESOLVED",
            Self::Note => "NOTE",
        }
    }

    /// Whether the rule, as far as is known, admits its traffic now.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Self::StillOpen
                | Self::MaybeStillOpen
                | Self::NotClosed
                | Self::Open
                | Self::Planned
                | Self::WideList
                | Self::Held
                | Self::Undecided
                | Self::MaybeExempt
        )
    }

    /// Whether the rule is gone, and nothing that should have stayed with it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::AlreadyGone | Self::NoLongerThere | Self::Resolved)
    }

    /// Whether what was done did not work, or nothing could be done.
    pub fn is_failure(self) -> bool {
        matches!(
            self,
            Self::StillOpen
                | Self::MaybeStillOpen
                | Self::NotClosed
                | Self::ClosedTooFar
                | Self::NotAudited
                | Self::Unfed
        )
    }
}

/// Whether other rules admit all that is missing.
fn is_missing_nothing_yet(found: &FoundRule) -> bool {
    !found.missing.is_empty() && found.missing.len() == found.admitted.len()
}

/// The findings in the order in which a reader needs them: failures first, otherwise as they come,
/// which is worst first.
pub(super) fn by_urgency(findings: &[Finding]) -> Vec<&Finding> {
    let mut findings: Vec<_> = findings.iter().collect();
    findings.sort_by_key(|finding| !State::of(finding).is_failure());
    findings
}

/// The same, with what the commands of other findings close after these.
pub(super) fn by_command(findings: &[Finding]) -> Vec<&Finding> {
    let mut findings: Vec<_> = findings.iter().collect();
    let is_failure = |finding: &Finding| State::of(finding).is_failure();
    findings.sort_by_key(|finding| (!is_failure(finding), is_closed_elsewhere(finding)));
    findings
}

/// Whether the commands of other findings close everything through which SSH is still open.
pub(super) fn is_closed_elsewhere(finding: &Finding) -> bool {
    finding.found_rule().is_some_and(|found| {
        let (all, elsewhere) = (found.still_open.len(), found.closed_elsewhere.len());
        found.presence.is_gone() && elsewhere > 0 && all == elsewhere
    })
}
