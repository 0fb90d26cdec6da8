use std::borrow::Cow;

use chrono::{DateTime, Utc};

use crate::ec2::hold::{Claim, claim};
use crate::ec2::{Group, PrefixList, Rule};
use crate::evaluate::{Judge, Verdict};
use crate::event::{FoundBy, ListChange, Note, RuleToClose};
use crate::finding::{Finding, NotDue, Origin, Remark, Tally};
use crate::settings::{Remediation, Settings};

/// One group to audit, and what there is to judge in it.
pub(super) struct Subject<'a> {
    /// The group's place and the change behind the audit.
    pub origin: Origin<'a>,
    /// The group.
    pub group: &'a Group,
    /// All its rules.
    pub rules: &'a [Rule],
    /// What triggered the audit.
    pub trigger: Trigger<'a>,
    /// The rules to judge.
    pub candidates: Candidates<'a>,
}

/// What triggered an audit. It decides what may be done about what is found, and when.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trigger<'a> {
    /// A change that tells what it introduced.
    Change,
    /// A change of the group or its tags after which all its rules are audited. Holds what decides
    /// about remediation.
    WholeGroup(FoundBy),
    /// A change of a prefix list, and the list as it is now.
    List(&'a ListChange, &'a PrefixList),
    /// The sweep, with what it may do.
    Sweep(Remediation),
    /// The check of holds.
    Holds,
    /// A message of an earlier invocation that names the rules to close.
    Close(FoundBy),
    /// A check that changes nothing.
    Check,
}

/// When a rule that is to be closed is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// At once.
    Now,
    /// By another invocation, which is asked first: nobody else could name the rule once it is gone.
    Later(FoundBy),
}

/// The rules of a group that are judged.
pub(super) enum Candidates<'a> {
    /// Rules that the group has, whenever they were made.
    Standing {
        /// The rules.
        rules: Cow<'a, [Rule]>,
        /// What else there is to say about each of them.
        note: Option<Note>,
    },
    /// Rules that an event or a message names.
    Named(Vec<Candidate<'a>>),
}

/// A rule to judge.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a> {
    /// The rule as it was read; as the event has it, where it was not.
    pub rule: Cow<'a, Rule>,
    /// Whether it was read in the group.
    pub seen: bool,
    /// What else there is to say about it.
    pub note: Option<Note>,
    /// Whether it asks to be left alone for a time.
    pub claim: Claim,
}

impl<'a> Candidate<'a> {
    /// A rule that the group has: its tags decide about a hold.
    pub fn standing(
        rule: Cow<'a, Rule>,
        note: Option<Note>,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Self {
        let claim = claim(rule.tags(), now, now, settings.hold_max_hours);
        Self { rule, seen: true, note, claim }
    }

    /// The same, with a rule of its own.
    pub fn into_owned(self) -> Candidate<'static> {
        let Self { rule, seen, note, claim } = self;
        Candidate { rule: Cow::Owned(rule.into_owned()), seen, note, claim }
    }
}

impl<'a> Candidates<'a> {
    /// All of these rules.
    pub fn standing(rules: &'a [Rule]) -> Self {
        Self::Standing { rules: rules.into(), note: None }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Standing { rules, .. } => rules.len(),
            Self::Named(named) => named.len(),
        }
    }

    /// Their rules.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        let (standing, named): (&[Rule], &[Candidate<'_>]) = match self {
            Self::Standing { rules, .. } => (rules, &[]),
            Self::Named(named) => (&[], named),
        };
        standing.iter().chain(named.iter().map(|candidate| &*candidate.rule))
    }

    fn get(&self, at: usize, settings: &Settings, now: DateTime<Utc>) -> Option<Candidate<'_>> {
        match self {
            Self::Standing { rules, note } => {
                let rule = Cow::Borrowed(rules.get(at)?);
                Some(Candidate::standing(rule, note.clone(), settings, now))
            }
            Self::Named(named) => named.get(at).cloned(),
        }
    }
}

impl<'a> Subject<'a> {
    /// A group that was read, with its rules.
    pub fn new(
        origin: Origin<'a>,
        (group, rules): (&'a Group, &'a [Rule]),
        trigger: Trigger<'a>,
        candidates: Candidates<'a>,
    ) -> Self {
        Self { origin: origin.of_group(group), group, rules, trigger, candidates }
    }

    /// The loop that every audit of a group goes through: the candidates of the judge's direction
    /// that do not comply, in their order. What is exempt of any of them goes into `tally`.
    pub fn judge(
        &self,
        judge: &Judge<'_>,
        settings: &Settings,
        now: DateTime<Utc>,
        tally: &mut Tally,
    ) -> Vec<(Verdict<'_>, Candidate<'_>)> {
        let mut noncompliant = Vec::new();
        for (at, rule) in self.candidates.iter().enumerate() {
            if rule.direction() != judge.direction() {
                continue;
            }
            let judgement = judge.judge(rule);
            if judgement.is_compliant() {
                continue;
            }
            let code = judge.code(&judgement);
            tally.exempt(self.origin.exempted(judge, rule, &judgement));
            if let (Some(code), Some(candidate)) = (code, self.candidates.get(at, settings, now)) {
                noncompliant.push((Verdict { code, rule, judgement }, candidate));
            }
        }
        noncompliant
    }

    /// The candidates of the judge's direction.
    pub fn of_direction(&self, judge: &Judge<'_>) -> impl Iterator<Item = &Rule> {
        let direction = judge.direction();
        self.candidates.iter().filter(move |rule| rule.direction() == direction)
    }

    /// The rule as another invocation is given it to close.
    pub fn to_close(&self, candidate: &Candidate<'_>, found_by: FoundBy) -> RuleToClose {
        RuleToClose {
            place: self.origin.place.clone(),
            group: self.group.id.clone(),
            rule: candidate.rule.clone().into_owned(),
            note: candidate.note.clone(),
            found_by,
        }
    }
}

impl Trigger<'_> {
    /// What may be done about what is found.
    pub fn remediation(&self, settings: &Settings) -> Remediation {
        match self {
            Self::Change | Self::Holds => settings.remediation,
            Self::WholeGroup(found_by) | Self::Close(found_by) => {
                remediation_of(*found_by, settings)
            }
            Self::Sweep(remediation) => *remediation,
            Self::List(..) | Self::Check => Remediation::Notify,
        }
    }

    /// When a rule that is to be closed is closed.
    pub fn when(&self) -> When {
        match self {
            Self::Change | Self::List(..) | Self::Close(_) | Self::Check => When::Now,
            Self::WholeGroup(found_by) => When::Later(*found_by),
            Self::Sweep(_) => When::Later(FoundBy::Sweep),
            Self::Holds => When::Later(FoundBy::Holds),
        }
    }

    /// Whether the rules were found by an earlier invocation, which may have closed them already.
    pub fn is_second_try(&self) -> bool {
        matches!(self, Self::Close(_))
    }

    /// Whether it tells that a rule is admitted only by a wide list. Without a change behind it,
    /// that is told once, about the baseline as a whole.
    pub fn tells_of_wide_lists(&self) -> bool {
        matches!(self, Self::Change | Self::WholeGroup(_) | Self::List(..))
    }

    /// Whether findings say if the rule was still there.
    pub fn tells_presence(&self) -> bool {
        match self {
            Self::Change | Self::WholeGroup(_) | Self::List(..) | Self::Close(_) => true,
            Self::Sweep(_) | Self::Holds | Self::Check => false,
        }
    }

    /// Why no revert is due under its remediation. Whoever has reverts switched on learns why there
    /// was none.
    pub fn not_due(&self, settings: &Settings) -> NotDue {
        match (self.remediation(settings), self) {
            (Remediation::RevertSsh, _) => NotDue::NotOpenSsh,
            (Remediation::RevertIngress, _) => NotDue::NotPublicIngress,
            (Remediation::Notify, _) if !settings.remediation.reverts() => NotDue::OnlyReported,
            (Remediation::Notify, Self::List(..)) => NotDue::ListsOnlyReported,
            (Remediation::Notify, Self::WholeGroup(_) | Self::Close(_)) => {
                NotDue::SweepOnlyReported
            }
            (Remediation::Notify, Self::Change | Self::Sweep(_) | Self::Holds | Self::Check) => {
                NotDue::OnlyReported
            }
        }
    }
}

/// What may be done about what was found so.
fn remediation_of(found_by: FoundBy, settings: &Settings) -> Remediation {
    match found_by {
        FoundBy::Sweep => settings.sweep_remediation,
        FoundBy::Holds => settings.remediation,
        FoundBy::Leaving => settings.remediation.max(settings.sweep_remediation),
    }
}

/// What a candidate's note and tags give occasion to say.
pub(super) fn remarks(candidate: &Candidate<'_>) -> Vec<Remark> {
    let of_claim = match &candidate.claim {
        Claim::None | Claim::Held(_) => None,
        Claim::Over(hold) => Some(Remark::HoldOver(hold.clone())),
        Claim::Refused(refusal) => Some(Remark::HoldRefused(refusal.clone())),
    };
    candidate.note.clone().map(Remark::Note).into_iter().chain(of_claim).collect()
}

/// Whether there is a finding about this rule.
pub(super) fn is_about(finding: &Finding, rule: &Rule) -> bool {
    finding.rule().is_some_and(|found| found.is_same_as(rule))
}
