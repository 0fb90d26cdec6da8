//! A group to audit, and the one loop that judges its rules.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::promised::{Promised, Recall};
use crate::declared::{DeclaredRule, Location};
use crate::ec2::hold::{Claim, Refusal};
use crate::ec2::{Direction, Group, GroupId, Peer, Place, PrefixList, Reference, Rule};
use crate::evaluate::{Judge, Verdict};
use crate::event::{FoundBy, ListChange, Note, Record, RuleToClose};
use crate::finding::{Finding, NotDue, Origin, Remark, Tally};
use crate::settings::{Remediation, Settings};

/// One group to audit, and what there is to judge in it.
pub(super) struct Subject<'a> {
    /// Where EC2 is asked about the group.
    pub at: &'a Place,
    /// Where the group is for its owner, who may have shared it with the account that is asked.
    /// Findings name this place, and the settings of its account count.
    pub place: Place,
    /// The change behind the audit.
    pub record: Option<&'a Record>,
    pub group: &'a Group,
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
    /// A change after which more is audited than it tells of: mostly all rules of the group. Holds
    /// what decides about remediation.
    WholeGroup(FoundBy),
    /// A change of a prefix list, and the list as it is now.
    List(&'a ListChange, &'a PrefixList),
    /// The sweep, with what it may do.
    Sweep(Remediation),
    /// The check of holds.
    Holds,
    /// A job that an earlier invocation handed on, with the rules to close.
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
    State {
        rules: Cow<'a, [Rule]>,
        /// What else there is to say about each of them.
        note: Option<Note>,
        /// What is remembered of the holds of the group, where anything is.
        promised: Option<(&'a Promised, &'a GroupId)>,
    },
    /// Rules that an event names.
    Named(Vec<Candidate<'a>>),
    /// Rules that a plan or a template declares.
    Declared(Vec<&'a DeclaredRule>),
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
    /// Whether a change names the rule, and `claim` is what it asked for when the change was made.
    pub is_named: bool,
    /// What is remembered of its hold.
    pub recall: Recall,
    /// Where a plan or a template declares it.
    pub location: Option<Cow<'a, Location>>,
}

impl<'a> Candidate<'a> {
    /// A rule that the group has: its tags decide about a hold.
    pub fn standing(
        rule: Cow<'a, Rule>,
        note: Option<Note>,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Self {
        Self { note, ..Self::recalled(rule, Recall::Off, settings, now) }
    }

    /// A rule that the group has. Its tags and what is remembered decide about a hold.
    pub fn recalled(
        rule: Cow<'a, Rule>,
        recall: Recall,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Self {
        let claim = recall.claim(&rule, settings, now);
        Self { rule, seen: true, note: None, claim, is_named: false, recall, location: None }
    }

    /// A rule that the group has and whose tags a call changed: it is not held, whatever its tags say
    /// now.
    pub fn tagged(rule: Cow<'a, Rule>, note: Option<Note>) -> Self {
        let claim = match note {
            // Whether they are those of a hold is not known, and the note says so.
            Some(Note::TagsNotUnderstood(_)) => Claim::None,
            _ => Claim::Refused(Refusal::TagsChanged),
        };
        let recall = Recall::Off;
        Self { rule, seen: true, note, claim, is_named: false, recall, location: None }
    }

    /// The same, with a rule of its own.
    pub fn into_owned(self) -> Candidate<'static> {
        let Self { rule, seen, note, claim, is_named, recall, location } = self;
        let rule = Cow::Owned(rule.into_owned());
        let location = location.map(|location| Cow::Owned(location.into_owned()));
        Candidate { rule, seen, note, claim, is_named, recall, location }
    }
}

impl<'a> Candidates<'a> {
    pub fn standing(rules: &'a [Rule]) -> Self {
        Self::State { rules: rules.into(), note: None, promised: None }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::State { rules, .. } => rules.len(),
            Self::Named(named) => named.len(),
            Self::Declared(declared) => declared.len(),
        }
    }

    /// Their rules.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        let (standing, named, declared): (&[Rule], &[Candidate<'_>], &[&DeclaredRule]) = match self
        {
            Self::State { rules, .. } => (rules, &[], &[]),
            Self::Named(named) => (&[], named, &[]),
            Self::Declared(declared) => (&[], &[], declared),
        };
        let named = named.iter().map(|candidate| &*candidate.rule);
        standing.iter().chain(named).chain(declared.iter().map(|declared| &declared.rule))
    }

    fn get(&self, at: usize, settings: &Settings, now: DateTime<Utc>) -> Option<Candidate<'_>> {
        match self {
            Self::State { rules, note, promised } => {
                let rule = rules.get(at)?;
                let recall =
                    promised.map_or(Recall::Off, |(promised, group)| promised.of(group, rule));
                let standing = Candidate::recalled(Cow::Borrowed(rule), recall, settings, now);
                Some(Candidate { note: note.clone(), ..standing })
            }
            Self::Named(named) => named.get(at).cloned(),
            Self::Declared(declared) => {
                let DeclaredRule { rule, location, .. } = declared.get(at)?;
                let standing = Candidate::standing(Cow::Borrowed(rule), None, settings, now);
                Some(Candidate { location: Some(Cow::Borrowed(location)), ..standing })
            }
        }
    }

    /// Whether a value that is not known yet decides what protocol or which ports the rule admits.
    fn is_wider_than_known(&self, at: usize) -> bool {
        match self {
            Self::Declared(declared) => {
                declared.get(at).is_some_and(|rule| rule.is_wider_than_known)
            }
            Self::State { .. } | Self::Named(_) => false,
        }
    }
}

impl<'a> Subject<'a> {
    /// A group that was read at a place, with its rules.
    pub fn new(
        at: &'a Place,
        record: Option<&'a Record>,
        (group, rules): (&'a Group, &'a [Rule]),
        trigger: Trigger<'a>,
        candidates: Candidates<'a>,
    ) -> Self {
        Self { at, place: group.owned_at(at), record, group, rules, trigger, candidates }
    }

    /// Where findings come from.
    pub fn origin(&self) -> Origin<'_> {
        Origin { place: &self.place, group: Some(self.group), record: self.record }
    }

    /// Whether the group belongs to another account than the one that is asked. Such a group is
    /// reported and never changed.
    pub fn is_shared(&self) -> bool {
        self.at.account.is_some() && self.place.account != self.at.account
    }

    /// What may be done about what is found.
    pub fn remediation(&self, settings: &Settings) -> Remediation {
        match self.is_shared() {
            true => Remediation::Notify,
            false => self.trigger.remediation(settings),
        }
    }

    /// Why no revert is due. Whoever has reverts switched on learns why there was none.
    pub fn not_due(&self, settings: &Settings) -> NotDue {
        match self.remediation(settings) {
            Remediation::RevertSsh => NotDue::NotOpenSsh,
            Remediation::RevertIngress => NotDue::NotPublicIngress,
            Remediation::Notify if !settings.remediation.reverts() => NotDue::OnlyReported,
            Remediation::Notify if self.is_shared() => NotDue::OtherOwner,
            Remediation::Notify => match self.trigger {
                Trigger::WholeGroup(_) | Trigger::Close(_) => NotDue::SweepOnlyReported,
                Trigger::Change
                | Trigger::List(..)
                | Trigger::Sweep(_)
                | Trigger::Holds
                | Trigger::Check => NotDue::OnlyReported,
            },
        }
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
            let judgement = match self.candidates.is_wider_than_known(at) {
                true => judge.judge(rule).undecided(),
                false => judge.judge(rule),
            };
            if judgement.is_compliant() {
                continue;
            }
            let code = judge.code(&judgement);
            tally.exempt(self.origin().exempted(judge, rule, &judgement));
            if let (Some(code), Some(candidate)) = (code, self.candidates.get(at, settings, now)) {
                noncompliant.push((Verdict { code, rule, judgement }, candidate));
            }
        }
        noncompliant
    }

    /// Whether it tells that a rule is admitted only by a wide list. Without a change behind it,
    /// that is told once, about the baseline as a whole.
    pub fn tells_of_wide_lists(&self) -> bool {
        match self.trigger {
            // What the rule admits did not change.
            Trigger::WholeGroup(FoundBy::Tagging) => false,
            Trigger::Change | Trigger::WholeGroup(_) | Trigger::List(..) => true,
            // The change handed the rule on because there was no time to read the list.
            Trigger::Close(FoundBy::Tagging | FoundBy::Holds) => false,
            Trigger::Close(_) => self.record.is_some(),
            Trigger::Sweep(_) | Trigger::Holds | Trigger::Check => false,
        }
    }

    /// Whether the rule was read in the group.
    pub fn has(&self, rule: &Rule) -> bool {
        self.rules.iter().any(|other| other.is_same_as(rule))
    }

    /// The candidates of one direction.
    pub fn of_direction(&self, direction: Direction) -> impl Iterator<Item = &Rule> {
        self.candidates.iter().filter(move |rule| rule.direction() == direction)
    }

    /// The rule as another invocation is given it to close.
    pub fn to_close(&self, candidate: &Candidate<'_>, found_by: FoundBy) -> RuleToClose {
        RuleToClose {
            place: self.at.clone(),
            group: self.group.id.clone(),
            rule: candidate.rule.clone().into_owned(),
            note: match self.trigger {
                Trigger::List(change, _) => Some(Note::ListChanged(change.list.clone())),
                _ => candidate.note.clone(),
            },
            found_by,
            promise: candidate.recall.promise().cloned(),
            claim: candidate.is_named.then(|| candidate.claim.clone()),
        }
    }
}

impl Trigger<'_> {
    /// What may be done about what is found.
    pub fn remediation(&self, settings: &Settings) -> Remediation {
        match self {
            Self::Change | Self::List(..) | Self::Holds => settings.remediation,
            Self::WholeGroup(found_by) | Self::Close(found_by) => {
                remediation_of(*found_by, settings)
            }
            // A binding may allow less than the sweep.
            Self::Sweep(remediation) => (*remediation).min(settings.sweep_remediation),
            Self::Check => Remediation::Notify,
        }
    }

    /// When a rule that is to be closed is closed.
    pub fn when(&self) -> When {
        match self {
            Self::Change | Self::Close(_) | Self::Check => When::Now,
            Self::List(..) => When::Later(FoundBy::Change),
            Self::WholeGroup(found_by) => When::Later(*found_by),
            Self::Sweep(_) => When::Later(FoundBy::Sweep),
            Self::Holds => When::Later(FoundBy::Holds),
        }
    }

    /// Who closes what there is no time left for.
    pub fn when_late(&self) -> When {
        match self {
            Self::Change => When::Later(FoundBy::Change),
            Self::Close(found_by) => When::Later(*found_by),
            Self::WholeGroup(_) | Self::List(..) | Self::Sweep(_) | Self::Holds | Self::Check => {
                self.when()
            }
        }
    }

    /// Whether the rules were found by an earlier invocation, which may have closed them already.
    pub fn is_second_try(&self) -> bool {
        matches!(self, Self::Close(_))
    }

    /// Whether findings say if the rule was still there.
    pub fn tells_presence(&self) -> bool {
        match self {
            Self::Change | Self::WholeGroup(_) | Self::List(..) | Self::Close(_) => true,
            Self::Sweep(_) | Self::Holds | Self::Check => false,
        }
    }
}

/// What may be done about what was found so.
fn remediation_of(found_by: FoundBy, settings: &Settings) -> Remediation {
    match found_by {
        FoundBy::Sweep => settings.sweep_remediation,
        FoundBy::Change | FoundBy::Holds | FoundBy::Tagging | FoundBy::Lost => settings.remediation,
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
    let lost_peering = match candidate.rule.peer() {
        Peer::Reference(Reference::Group(group)) if candidate.rule.has_lost_peering() => {
            Some(Remark::LostPeering(group.clone()))
        }
        _ => None,
    };
    let note = candidate.note.clone().map(Remark::Note);
    let of_recall = candidate.recall.remarks(&candidate.claim, &candidate.rule);
    note.into_iter().chain(of_claim).chain(of_recall).chain(lost_peering).collect()
}

/// Whether there is a finding about this rule.
pub(super) fn is_about(finding: &Finding, rule: &Rule) -> bool {
    finding.rule().is_some_and(|found| found.is_same_as(rule))
}
