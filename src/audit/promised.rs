//! Whether a rule is held, by what is remembered of the holds of its place.

use chrono::{DateTime, Utc};

use super::recalled::LedgerAccess;
use crate::ec2::hold::{
    Claim, GRACE, Hold, Promise, Refusal, UNTIL, claim, moved_to, remembered_claim,
};
use crate::ec2::{GroupId, Place, Rule};
use crate::finding::{Finding, Outcome, Remark};
use crate::ledger::{Entry, HeldRule};
use crate::settings::Settings;

/// What is remembered of the hold of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recall {
    /// Nothing is remembered of any hold: the tags alone count.
    Off,
    /// Nothing of this one.
    Nothing,
    Of(Promise),
}

/// What is remembered of the holds of a place.
#[derive(Clone, Debug, Default)]
pub(super) struct Promised {
    /// Rules that are held, or were.
    held: Vec<HeldRule>,
    /// Rules that were found before without a hold.
    standing: Vec<HeldRule>,
}

impl Recall {
    /// What a rule asks for.
    pub fn claim(&self, rule: &Rule, settings: &Settings, now: DateTime<Utc>) -> Claim {
        let (tags, max_hours) = (rule.tags(), settings.hold_max_hours);
        match self {
            Self::Off => claim(tags, now, now, max_hours),
            Self::Nothing => remembered_claim(tags, None, now, max_hours),
            Self::Of(promise) => remembered_claim(tags, Some(promise), now, max_hours),
        }
    }

    /// What another invocation has to know of it.
    pub fn promise(&self) -> Option<&Promise> {
        match self {
            Self::Of(promise) => Some(promise),
            Self::Off | Self::Nothing => None,
        }
    }

    /// What there is to say of a hold because of it.
    pub fn remarks(&self, claim: &Claim, rule: &Rule) -> Vec<Remark> {
        match self {
            Self::Of(promise @ Promise { hold: Some(_), actor, since }) => {
                let authorized = Remark::HoldAuthorized { at: *since, actor: actor.clone() };
                let moved = moved_to(rule.tags(), promise).map(Remark::HoldMoved);
                [authorized].into_iter().chain(moved).collect()
            }
            Self::Nothing | Self::Of(_) if matches!(claim, Claim::Held(_)) => {
                vec![Remark::HoldUnseen]
            }
            Self::Off | Self::Nothing | Self::Of(_) => Vec::new(),
        }
    }
}

impl Promised {
    pub fn new(held: Vec<HeldRule>) -> Self {
        Self { held, standing: Vec::new() }
    }

    /// Also counts rules that were found before without a hold: tags that were put on them make none.
    pub fn with_standing(mut self, place: &Place, findings: &[Entry]) -> Self {
        let is_standing =
            |entry: &&Entry| entry.brief.is_open && entry.brief.outcome != Outcome::Held;
        for Entry { brief, first_seen, .. } in findings.iter().filter(is_standing) {
            let (Some(group), Some(rule)) = (&brief.group, &brief.rule) else { continue };
            self.standing.push(only_seen(place, &group.id, rule, *first_seen));
        }
        self
    }

    fn find(&self, group: &GroupId, rule: &Rule) -> Option<&HeldRule> {
        let mut all = self.held.iter().chain(&self.standing);
        all.find(|held| held.group == *group && is_the_same(&held.rule, rule))
    }

    /// What is remembered of a rule.
    pub fn of(&self, group: &GroupId, rule: &Rule) -> Recall {
        self.find(group, rule).map_or(Recall::Nothing, |held| {
            let HeldRule { hold, actor, since, .. } = held;
            Recall::Of(Promise { hold: hold.clone(), actor: actor.clone(), since: *since })
        })
    }

    /// Those that are held, or were, each with its hold.
    pub fn held(&self) -> impl Iterator<Item = (&HeldRule, &Hold)> {
        self.held.iter().filter_map(|held| Some((held, held.hold.as_ref()?)))
    }

    /// Those of a group whose rules are not among these.
    pub fn gone<'s>(
        &'s self,
        group: &'s GroupId,
        rules: &'s [Rule],
    ) -> impl Iterator<Item = &'s HeldRule> {
        let is_there = |held: &HeldRule| rules.iter().any(|rule| is_the_same(&held.rule, rule));
        self.held.iter().filter(move |held| held.group == *group && !is_there(held))
    }

    /// The rules that have the tags of a hold and of which nothing is remembered, as they are to be
    /// remembered from now on.
    pub fn unseen(
        &self,
        place: &Place,
        group: &GroupId,
        rules: &[Rule],
        now: DateTime<Utc>,
    ) -> Vec<HeldRule> {
        let is_unseen =
            |rule: &&Rule| rule.tags().contains_key(UNTIL) && self.find(group, rule).is_none();
        let unseen = rules.iter().filter(is_unseen);
        unseen.map(|rule| only_seen(place, group, rule, now)).collect()
    }
}

/// A rule of which nobody saw that it was authorised with a hold.
fn only_seen(place: &Place, group: &GroupId, rule: &Rule, since: DateTime<Utc>) -> HeldRule {
    let (place, group, rule) = (place.clone(), group.clone(), rule.clone());
    HeldRule { place, group, rule, hold: None, actor: None, since }
}

impl LedgerAccess<'_> {
    /// What is remembered of the holds of a place, where it can be read.
    pub async fn promised(&self, place: &Place) -> Option<Promised> {
        self.ask(|ledger| ledger.holds(place)).await.map(Promised::new)
    }
}

/// Whether a rule that was read is the one that is remembered. A rule that was revoked and authorised
/// again has another id, and is another rule.
pub(super) fn is_the_same(remembered: &Rule, rule: &Rule) -> bool {
    let other_id = matches!((rule.id(), remembered.id()), (Some(id), Some(own)) if id != own);
    rule.is_same_as(remembered) && !other_id
}

/// The hold with which the change behind a finding authorised a rule.
pub(super) fn authorized(finding: &Finding, now: DateTime<Utc>) -> Option<HeldRule> {
    let (hold, group) = (finding.hold()?, finding.group.as_ref()?);
    let change = finding.change.as_ref()?;
    Some(HeldRule {
        place: finding.place.clone(),
        group: group.id.clone(),
        rule: finding.rule()?.clone(),
        hold: Some(hold.clone()),
        actor: change.actor.clone(),
        since: change.time.unwrap_or(now).min(now),
    })
}

/// The rule of a finding whose hold a call ended that changed its tags. It is not held again, whatever
/// its tags say then.
pub(super) fn ended(finding: &Finding, now: DateTime<Utc>) -> Option<HeldRule> {
    let found = finding.found_rule()?;
    let is_ended = found.remarks.contains(&Remark::HoldRefused(Refusal::TagsChanged));
    let is_there = is_ended && !found.presence.is_gone();
    let group = finding.group.as_ref().filter(|_| is_there)?;
    Some(only_seen(&finding.place, &group.id, &found.rule, now - GRACE))
}
