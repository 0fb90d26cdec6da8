//! Rules that an earlier invocation found and handed on are closed and reported.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::act::unreadable;
use super::auditor::{Audited, Auditor};
use super::change::{as_read, still_tagged};
use super::context::Context;
use super::error::AuditError;
use super::holds::is_news;
use super::lookups::Lookups;
use super::ports::{Clock, Invoker, Notifier, is_late};
use super::promised::{Recall, is_the_same};
use super::subject::{Candidate, Candidates, Subject, Trigger, is_about};
use crate::baseline::Lists;
use crate::ec2::{Group, GroupKey, Rule, SecurityGroups};
use crate::event::{Close, FoundBy, Job, Record, RuleToClose};
use crate::finding::{Finding, Origin, Tally};
use crate::settings::Settings;
use crate::text::causes;

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
    /// Closes rules as they are now, and reports all of them at once. What there is no time for is
    /// handed on. So is what EC2 did not answer for now, if there is something to report: a message
    /// that is repeated whenever one group is tried again helps nobody.
    pub(super) async fn close(
        &self,
        record: &Record,
        close: &Close,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Result<Audited, AuditError> {
        let mut tally = Tally::default();
        let mut failed = None;
        let mut left: Vec<RuleToClose> = Vec::new();
        let lookups = Lookups::new(self.ec2);
        for (at, of_group) in close.by_group().enumerate() {
            if at > 0 && is_late(deadline, clock()) {
                left.extend_from_slice(of_group);
                continue;
            }
            let mut closed = Tally::default();
            if let Err(error) = self
                .close_in_group(
                    (record, of_group),
                    at == 0,
                    &lookups,
                    (clock, deadline),
                    &mut closed,
                )
                .await
            {
                tracing::warn!(error = causes(&error), "closing rules will be tried again");
                failed.get_or_insert(error);
                let is_reported = |one: &&RuleToClose| {
                    closed.findings.iter().any(|finding| is_about(finding, &one.rule))
                };
                left.extend(of_group.iter().filter(|one| !is_reported(one)).cloned());
            }
            closed.findings.retain(|finding| self.is_worth_a_message(finding, of_group, clock()));
            tally.extend(closed);
        }
        match failed {
            Some(error) if tally.findings.is_empty() => return Err(error),
            _ => {}
        }
        tally.partial = !left.is_empty();
        let rest = (!left.is_empty())
            .then_some(Job::Close(Close { rules: left, occasion: close.occasion.clone() }));
        Ok(Audited { rest, ..self.found(tally) })
    }

    /// The same in one group. What was reported before an error is in `tally`.
    async fn close_in_group(
        &self,
        (record, found): (&Record, &[RuleToClose]),
        is_first: bool,
        lookups: &Lookups<'_, E>,
        (clock, deadline): (Clock<'_>, Option<DateTime<Utc>>),
        tally: &mut Tally,
    ) -> Result<(), AuditError> {
        let Some(RuleToClose { place, group: id, found_by, .. }) = found.first() else {
            return Ok(());
        };
        let place = self.at_home(place.clone());
        let key = GroupKey::Id(id.clone());
        // What a sweep found has no change behind it.
        let record = (*record != Record::default()).then_some(record);
        let origin = Origin { place: &place, group: None, record };
        if let Some(reason) = self.out_of_reach(&place) {
            tally.findings.push(origin.unaudited(Some(&key), reason, clock()));
            return Ok(());
        }
        let settings = self.settings;
        let trigger = Trigger::Close(*found_by);
        let read = match self.read(&place, &key).await {
            Ok(read) => read,
            Err(error) if error.is_transient() => return Err(error.into()),
            Err(error) => {
                let now = clock();
                let named = found
                    .iter()
                    .map(|one| to_close(one, (Cow::Borrowed(&one.rule), true), settings, now));
                let named = Candidates::Named(named.collect());
                let group = Group::known_by_id(id.clone());
                let subject = Subject::new(&place, record, (&group, &[]), trigger, named);
                let applied =
                    self.units.applied(settings, &subject, &Lists::new(), now.date_naive());
                tally.extend(unreadable(&applied, &subject, &error, now));
                return Ok(());
            }
        };
        let is_there = read.is_some();
        // EC2 is asked about a group that is gone all the same: it then says that nothing is there.
        let (group, rules) = read.unwrap_or_else(|| (Group::known_by_id(id.clone()), Vec::new()));
        let now = clock();
        // A group that left the scope meanwhile has an event of its own. What is gone is reported
        // all the same.
        let is_out = *found_by != FoundBy::Leaving && is_there && !self.is_in_scope(&place, &group);
        let named = found.iter().map(|one| {
            let Candidate { rule, seen, .. } = as_read(&one.rule, &rules);
            to_close(one, (rule, seen), settings, now)
        });
        let named = Candidates::Named(named.filter(|one| !(is_out && one.seen)).collect());
        let subject = Subject::new(&place, record, (&group, &rules), trigger, named);
        let context = Context { is_first, ..self.context(lookups, clock, deadline) };
        let ran = context.audit(&subject, tally).await;
        if !is_there {
            tally.findings.iter_mut().for_each(Finding::lose_group);
        }
        ran
    }

    /// Whether a finding about one of these rules, or about their group, is worth a message. The
    /// check of holds finds what cannot be closed every time and reports it while it is news; after
    /// that the sweep does.
    fn is_worth_a_message(
        &self,
        finding: &Finding,
        found: &[RuleToClose],
        now: DateTime<Utc>,
    ) -> bool {
        let by_holds = found.iter().any(|one| one.found_by == FoundBy::Holds);
        let is_open = finding.rule().is_some() && !finding.is_rule_gone();
        let rules = found.iter().map(|one| (&one.rule, recall(one)));
        !by_holds || !is_open || is_news(finding, rules, self.settings, now)
    }
}

/// What the invocation that found a rule remembered of its hold.
fn recall(found: &RuleToClose) -> Recall {
    found.promise.clone().map_or(Recall::Off, Recall::Of)
}

/// A rule that was found before, as a candidate. Whether it is held by now is decided by the change
/// that names it; else by its tags, and by what is remembered of it.
fn to_close<'a>(
    found: &RuleToClose,
    (rule, seen): (Cow<'a, Rule>, bool),
    settings: &Settings,
    now: DateTime<Utc>,
) -> Candidate<'a> {
    let note = found.note.clone();
    if found.found_by == FoundBy::Tagging {
        return Candidate { seen, ..Candidate::tagged(rule, note) };
    }
    let is_same = is_the_same(&found.rule, &rule);
    let recall = if is_same { recall(found) } else { Recall::Off };
    let read = Candidate { seen, note, ..Candidate::recalled(rule, recall, settings, now) };
    match &found.claim {
        Some(claim) if is_same => {
            let claim = still_tagged(claim.clone().at(now), &read);
            Candidate { claim, is_named: true, ..read }
        }
        _ => read,
    }
}
