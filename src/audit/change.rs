//! A change of one group: judged on what the event says, acted on as EC2 shows it now.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};

use super::act::unreadable;
use super::auditor::{Audited, Auditor};
use super::context::Context;
use super::counts::Counts;
use super::error::AuditError;
use super::lookups::Lookups;
use super::ports::{Clock, Invoker, Notifier};
use super::promised::{Promised, Recall};
use super::recalled::Recalled;
use super::standing::Standing;
use super::subject::{Candidate, Candidates, Subject, Trigger};
use super::units::Applied;
use crate::baseline::Lists;
use crate::ec2::hold::{Claim, Refusal, UNTIL, claim};
use crate::ec2::{
    AccountId, Direction, Ec2Error, Group, GroupId, GroupKey, Place, Rule, SecurityGroups,
};
use crate::evaluate::Judge;
use crate::evaluate::expected::closed;
use crate::event::{
    ChangeKind, FoundBy, GroupChange, ModifiedRule, Note, Record, Removed, RevokedRules,
};
use crate::finding::{Finding, Origin, Reason, Report, ReportOutcome, Skipped, Tally};
use crate::net::Cells;
use crate::settings::Settings;

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
    /// Audits what a change introduced in a group, and what it closed.
    pub(super) async fn change(
        &self,
        record: &Record,
        change: &GroupChange,
        (clock, deadline): (Clock<'_>, Option<DateTime<Utc>>),
        counts: &mut Counts,
    ) -> Result<Audited, AuditError> {
        let at = self.place(record);
        let place = self.place_of_change(record, change);
        let account = place.account.as_ref();
        let origin = self.origin(&place, record);
        if let Some(settled) = self.settled_by_event(change, account, clock().date_naive()) {
            return Ok(self.found(settled));
        }
        self.learn_units(account).await?;
        if let Some(reason) = self.out_of_reach(&at) {
            return Ok(self.only(origin.unaudited(Some(&change.group), reason, clock())).into());
        }
        let (group, rules) = match self.look(&at, &change.group).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                let group = match self.without_group(origin, change, clock) {
                    Ok(audited) => return Ok(audited),
                    Err(id) => told_of(id, change),
                };
                let found = (&at, &group, &[][..]);
                let mut audited =
                    self.of_group(record, change, found, (clock, deadline), counts).await?;
                audited.report.findings.iter_mut().for_each(Finding::lose_group);
                return Ok(audited);
            }
            Err(error) => return self.unreadable(&at, origin, change, error, clock),
        };
        let may_apply = self.units.of_group(self.settings, &at, &group);
        let missing = may_apply.iter().map(|settings| settings.scope.missing_tag(&group));
        // It is in scope where any of those has it in.
        if let Some(Some(key)) = missing.min() {
            if matches!(change.kind, ChangeKind::Retagged(_)) {
                return self.left_unseen(record, &group.id, key, clock).await;
            }
            let why = Some(Skipped::OutOfScope(group.id));
            return Ok(Report::skipped(&self.baseline, ReportOutcome::OutOfScope, why).into());
        }
        match rules {
            Ok(rules) => {
                let found = (&at, &group, &*rules);
                self.of_group(record, change, found, (clock, deadline), counts).await
            }
            Err(error) => {
                let place = group.owned_at(&at);
                let origin = self.origin(&place, record).of_group(&group);
                self.unreadable(&at, origin, change, error, clock)
            }
        }
    }

    /// The audit of a change that the event alone settles, because all that it did complies with each of
    /// the settings that may apply to a group of the account.
    fn settled_by_event(
        &self,
        change: &GroupChange,
        account: Option<&AccountId>,
        today: NaiveDate,
    ) -> Option<Tally> {
        let candidates = self.candidates(account);
        let settle =
            |settings: &&Settings| settled_by_event(&settings.of_account(account), change, today);
        let settled: Vec<usize> = candidates.iter().map(settle).collect::<Option<_>>()?;
        let bindings = candidates.iter().map(|settings| settings.binding.clone()).collect();
        let rules = settled.first().copied().unwrap_or_default();
        Some(Tally { groups: 1, rules, bindings, ..Tally::default() })
    }

    async fn of_group(
        &self,
        record: &Record,
        change: &GroupChange,
        (at, group, rules): (&Place, &Group, &[Rule]),
        (clock, deadline): (Clock<'_>, Option<DateTime<Utc>>),
        counts: &mut Counts,
    ) -> Result<Audited, AuditError> {
        let mut recalled = Recalled::default();
        let standing = match change.kind {
            ChangeKind::Unknown(_) | ChangeKind::Retagged(_) => {
                let asked = (FoundBy::Sweep, clock());
                self.standing(at, record, asked, &mut recalled).await
            }
            _ => Standing::default(),
        };
        let Standing { plans, promised } = &standing;
        let promised = promised.as_ref().filter(|_| group.owned_at(at) == *at);
        let promised = promised.map(|promised| (promised, &group.id));
        let record = Some(record);
        let (trigger, candidates) =
            introduced(self.settings, change, record, (rules, promised), clock());
        let lookups = Lookups::new(self.ec2);
        let subject = Subject::new(at, record, (group, rules), trigger, candidates);
        let mut tally = Tally::default();
        let context = Context { plans: *plans, ..self.context(&lookups, clock, deadline) };
        if let Err(error) = context.audit(&subject, &mut tally).await {
            // They are reported when it is tried again, and then not as what this run did.
            counts.acted(&tally.findings);
            return Err(error);
        }
        match closed_by(&removals(change, &subject), &subject, &context).await {
            Ok(closed) => {
                tally.findings.extend(closed);
                Ok(Audited { recalled, ..self.found(tally) })
            }
            Err(error) => {
                counts.acted(&tally.findings);
                Err(error)
            }
        }
    }

    /// The group does not exist. `Err` holds its id if what the event says was opened still has to be
    /// reported: then a revert still has EC2 say that there is nothing to revoke.
    fn without_group(
        &self,
        origin: Origin<'_>,
        change: &GroupChange,
        clock: Clock<'_>,
    ) -> Result<Audited, GroupId> {
        let reason = match (&change.kind, &change.group) {
            (ChangeKind::Authorized(_), GroupKey::Id(id)) => return Err(id.clone()),
            // What is gone with its group needs neither closing nor opening.
            (ChangeKind::Created | ChangeKind::Revoked(_), _) => {
                return Ok(self.found(Tally { groups: 1, ..Tally::default() }));
            }
            (ChangeKind::Unknown(reason) | ChangeKind::Retagged(reason), _) => {
                Reason::NoGroup(Some(reason.clone()))
            }
            (ChangeKind::Authorized(_) | ChangeKind::Modified(_), _) => Reason::NoGroup(None),
        };
        Ok(self.only(origin.unaudited(Some(&change.group), reason, clock())).into())
    }

    /// The group cannot be read. What may pass is tried again; what will not is reported, with what
    /// the event tells.
    fn unreadable(
        &self,
        at: &Place,
        origin: Origin<'_>,
        change: &GroupChange,
        error: Ec2Error,
        clock: Clock<'_>,
    ) -> Result<Audited, AuditError> {
        if error.is_transient() {
            return Err(error.into());
        }
        let no_role = matches!(error, Ec2Error::NoRole { .. });
        let (ChangeKind::Authorized(rules), GroupKey::Id(id), false) =
            (&change.kind, &change.group, no_role)
        else {
            let reason = Reason::Ec2(error);
            return Ok(self.only(origin.unaudited(Some(&change.group), reason, clock())).into());
        };
        let now = clock();
        let known = told_of(id.clone(), change);
        let group = origin.group.unwrap_or(&known);
        let candidates = rules.iter().map(|rule| Candidate {
            claim: authorized_claim(self.settings, origin.record, rule, now),
            ..not_read(rule)
        });
        let candidates = Candidates::Named(candidates.collect());
        let found = (group, &[][..]);
        let subject = Subject::new(at, origin.record, found, Trigger::Change, candidates);
        let applied = self.units.applied(self.settings, &subject, &Lists::new(), now.date_naive());
        Ok(self.found(unreadable(&applied, &subject, &error, now)))
    }
}

/// That the removal of rules closed some of the traffic that the site lives on, by the prefix lists as
/// they are now, as far as there is time to read them.
async fn closed_by<E: SecurityGroups>(
    removals: &[RevokedRules],
    subject: &Subject<'_>,
    context: &Context<'_, E>,
) -> Result<Option<Finding>, AuditError> {
    let Applied { settings, undecided } = context.applied(subject).await?;
    let (baseline, group) = (&settings.baseline, Some(&subject.group.id));
    if closed(baseline, group, removals, &[], &Lists::new()).is_none() {
        return Ok(None);
    }
    let lists = context.lists_of_expected(subject, &settings, removals).await?;
    Ok(closed(baseline, group, removals, subject.rules, &lists).map(|closed| {
        let mut finding = subject.origin().expected_closed(closed, (context.clock)());
        finding.bind(&settings.binding, &undecided);
        finding
    }))
}

/// A group that was not read, as far as its event tells of it.
fn told_of(id: GroupId, change: &GroupChange) -> Group {
    Group { owner: change.owner.clone(), ..Group::known_by_id(id) }
}

/// How many rules were judged, where the event alone settles that all of them comply.
fn settled_by_event(settings: &Settings, change: &GroupChange, today: NaiveDate) -> Option<usize> {
    let rules: Cow<'_, [Rule]> = match &change.kind {
        ChangeKind::Authorized(rules) => rules.into(),
        ChangeKind::Revoked(revoked) => {
            // What the site does not live on can go without anybody being asked.
            let removal = std::slice::from_ref(revoked);
            let closed = closed(&settings.baseline, change.group.id(), removal, &[], &Lists::new());
            return closed.is_none().then_some(0);
        }
        ChangeKind::Created => Rule::of_new_group().into(),
        ChangeKind::Modified(_) | ChangeKind::Unknown(_) | ChangeKind::Retagged(_) => return None,
    };
    let lists = Lists::new();
    let comply = Direction::BOTH.into_iter().all(|direction| {
        let judge = Judge::new(&settings.baseline, direction, change.group.id(), &lists, today);
        let mut of_direction = rules.iter().filter(|rule| rule.direction() == direction);
        of_direction.all(|rule| judge.judge(rule).is_compliant())
    });
    comply.then_some(rules.len())
}

/// What a change introduced, as the group's rules show it now. A rule that an event names twice was
/// introduced once.
fn introduced<'a>(
    settings: &Settings,
    change: &'a GroupChange,
    record: Option<&Record>,
    (present, promised): (&'a [Rule], Option<(&'a Promised, &'a GroupId)>),
    now: DateTime<Utc>,
) -> (Trigger<'a>, Candidates<'a>) {
    let mut named: Vec<Candidate<'a>> = match &change.kind {
        ChangeKind::Authorized(rules) => rules
            .iter()
            .map(|rule| {
                let asked = authorized_claim(settings, record, rule, now);
                let read = as_read(rule, present);
                Candidate { claim: still_tagged(asked, &read), ..read }
            })
            .collect(),
        ChangeKind::Created => Rule::of_new_group()
            .iter()
            .map(|rule| as_read(rule, present))
            .filter(|candidate| candidate.seen)
            .map(Candidate::into_owned)
            .collect(),
        ChangeKind::Modified(rules) => {
            rules.iter().map(|rule| modified(rule, present).into_owned()).collect()
        }
        ChangeKind::Revoked(_) => Vec::new(),
        ChangeKind::Unknown(reason) | ChangeKind::Retagged(reason) => {
            tracing::warn!(reason, "the whole group is audited");
            let note = Some(Note::NotUnderstood(reason.clone()));
            let all = Candidates::State { rules: present.into(), note, promised };
            return (Trigger::WholeGroup(FoundBy::Sweep), all);
        }
    };
    let mut met = BTreeSet::new();
    named.retain(|one| met.insert(one.rule.content()));
    (Trigger::Change, Candidates::Named(named))
}

/// What an authorised rule asks for: the tags of the request count, from when it was made.
fn authorized_claim(
    settings: &Settings,
    record: Option<&Record>,
    rule: &Rule,
    now: DateTime<Utc>,
) -> Claim {
    let since = record.and_then(|record| record.time).unwrap_or(now).min(now);
    claim(rule.tags(), since, now, settings.hold_max_hours)
}

/// What a rule asks for, if the rule that was read still has the tags.
pub(super) fn still_tagged(asked: Claim, read: &Candidate<'_>) -> Claim {
    let tagged = read.rule.tags().contains_key(UNTIL);
    match asked {
        Claim::Held(_) if read.seen && !tagged => Claim::Refused(Refusal::TagsRemoved),
        // The event's rule asks for nothing, so these are the tags of the rule that was read.
        Claim::None if tagged => Claim::Refused(Refusal::TaggedLater),
        asked => asked,
    }
}

/// A rule that an event tells of and that was not read in the group.
fn not_read(rule: &Rule) -> Candidate<'_> {
    Candidate {
        rule: Cow::Borrowed(rule),
        seen: false,
        note: None,
        claim: Claim::None,
        is_named: true,
        recall: Recall::Off,
        location: None,
    }
}

/// A rule that an event tells of, as the group has it now. A listing without ids has no tags either;
/// then those of the event count.
pub(super) fn as_read<'a>(rule: &'a Rule, present: &'a [Rule]) -> Candidate<'a> {
    let Some(read) = present.iter().find(|other| other.is_same_as(rule)) else {
        return not_read(rule);
    };
    let read = match read.id() {
        Some(_) => Cow::Borrowed(read),
        None => {
            let mut tags = rule.tags().clone();
            tags.extend(read.tags().clone());
            Cow::Owned(read.clone().with_id(rule.id().cloned()).with_tags(tags))
        }
    };
    Candidate { rule: read, seen: true, ..not_read(rule) }
}

/// A modified rule with the direction that the group's rule of this id has, or else a rule without
/// an id of this content. Where the read shows neither (an earlier run reverted the rule, somebody
/// removed it, the read is behind), it is taken for the kind that can do harm, ingress, and not to
/// be there: a revert has EC2 say so.
fn modified(modified: &ModifiedRule, present: &[Rule]) -> Candidate<'static> {
    if let Some(read) = present.iter().find(|rule| rule.id() == Some(modified.id())) {
        let rule = modified.in_direction(read.direction());
        let claim = match read.tags().contains_key(UNTIL) {
            true => Claim::Refused(Refusal::Modified),
            false => Claim::None,
        };
        return Candidate { claim, ..as_read(&rule, present) }.into_owned();
    }
    // Older listings have no ids. Elsewhere another rule of this content is another rule: the egress
    // that every group has must not vouch for what was opened.
    let nameless: Vec<Rule> = present.iter().filter(|rule| rule.id().is_none()).cloned().collect();
    for direction in Direction::BOTH {
        let rule = modified.in_direction(direction);
        let read = as_read(&rule, &nameless);
        if read.seen {
            return read.into_owned();
        }
    }
    let note = Some(Note::DirectionAssumed);
    Candidate { note, ..not_read(&modified.in_direction(Direction::Ingress)) }.into_owned()
}

/// What a change removed, as far as it says so. A change that only adds removes nothing.
fn removals<'a>(change: &'a GroupChange, subject: &Subject<'_>) -> Cow<'a, [RevokedRules]> {
    let anything = |direction| RevokedRules {
        direction,
        removed: Removed::Within(Cells::everything()),
        ids: Vec::new(),
    };
    match &change.kind {
        ChangeKind::Revoked(revoked) => Cow::Borrowed(std::slice::from_ref(revoked)),
        // What a rule was before it was modified, nobody knows any more.
        ChangeKind::Modified(_) => {
            let directions: BTreeSet<Direction> =
                subject.candidates.iter().map(Rule::direction).collect();
            directions.into_iter().map(anything).collect()
        }
        ChangeKind::Unknown(_) => Direction::BOTH.into_iter().map(anything).collect(),
        ChangeKind::Retagged(_) | ChangeKind::Authorized(_) | ChangeKind::Created => {
            Cow::Borrowed(&[])
        }
    }
}
