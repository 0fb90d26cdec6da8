//! A change of the tags of rules: it ends their holds.
//!
//! The tags of a hold count as they were when the rule was authorised. A later call that sets or
//! deletes such a tag ends the hold. It never begins one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::auditor::{Audited, Auditor};
use super::context::Context;
use super::error::AuditError;
use super::lookups::Lookups;
use super::ports::{Clock, Invoker, Notifier, is_late};
use super::subject::{Candidate, Candidates, Subject, Trigger};
use crate::ec2::{GroupId, GroupKey, RuleId, SecurityGroups};
use crate::event::{FoundBy, HoldTags, Job, Note, Record};
use crate::finding::{Origin, Reason, Tally, Unaudited};

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
    /// Audits rules as if they had no hold. A call may name a thousand: those that there is no time
    /// for are handed on.
    pub(super) async fn hold_tags(
        &self,
        record: &Record,
        change: &HoldTags,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Result<Audited, AuditError> {
        let place = self.place(record);
        let origin = self.origin(&place, record);
        let unaudited = |reason| {
            let what = Unaudited::RuleTags(change.rules.clone());
            self.only(origin.not_audited(what, reason, clock())).into()
        };
        if let Some(reason) = self.out_of_reach(&place) {
            return Ok(unaudited(reason));
        }
        let found = match self.ec2.rules_by_id(&place, &change.rules).await {
            Ok(found) => found,
            Err(error) if error.is_transient() => return Err(error.into()),
            Err(error) => return Ok(unaudited(Reason::Ec2(error))),
        };
        let mut by_group: BTreeMap<GroupId, Vec<RuleId>> = BTreeMap::new();
        for (group, rule) in found {
            by_group.entry(group).or_default().extend(rule.id().cloned());
        }
        let note = change.unread.clone().map(Note::TagsNotUnderstood);
        let lookups = Lookups::new(self.ec2);
        let mut tally = Tally::default();
        let mut groups = by_group.into_iter();
        while let Some((group, rules)) = groups.next() {
            let context = self.context(&lookups, clock, deadline);
            let tagged = Tagged { auditor: self, context, origin, note: &note };
            if let Err(error) = tagged.in_group(&group, &rules, &mut tally).await {
                // Everything is found again when it is tried again, and what is to be closed does
                // not wait for that.
                tally.findings.clear();
                tally.partial = true;
                return Ok(Audited { failed: Some(error), ..self.found(tally) });
            }
            if groups.len() > 0 && is_late(deadline, clock()) {
                let rules = groups.flat_map(|(_, rules)| rules).collect();
                let rest = HoldTags { rules, unread: change.unread.clone() };
                tally.partial = true;
                return Ok(Audited { rest: Some(Job::HoldTags(rest)), ..self.found(tally) });
            }
        }
        Ok(self.found(tally))
    }
}

/// Rules whose tags changed.
struct Tagged<'a, E, N, O> {
    auditor: &'a Auditor<'a, E, N, O>,
    context: Context<'a, E>,
    origin: Origin<'a>,
    note: &'a Option<Note>,
}

impl<E: SecurityGroups, N: Notifier, O: Invoker> Tagged<'_, E, N, O> {
    /// Audits those of one group.
    async fn in_group(
        &self,
        id: &GroupId,
        tagged: &[RuleId],
        tally: &mut Tally,
    ) -> Result<(), AuditError> {
        let Self { auditor, context, origin, note } = self;
        let key = GroupKey::Id(id.clone());
        let (group, rules) = match auditor.read(origin.place, &key).await {
            Ok(Some(read)) => read,
            // What is gone with its group is held no longer.
            Ok(None) => return Ok(()),
            Err(error) if error.is_transient() => return Err(error.into()),
            Err(error) => {
                let reason = Reason::Ec2(error);
                tally.findings.push(origin.unaudited(Some(&key), reason, (context.clock)()));
                return Ok(());
            }
        };
        if !context.is_in_scope(origin.place, &group) {
            return Ok(());
        }
        let is_tagged = |id: &RuleId| tagged.contains(id);
        let named = rules.iter().filter(|rule| rule.id().is_some_and(is_tagged));
        let candidates =
            named.map(|rule| Candidate::tagged(Cow::Borrowed(rule), (*note).clone())).collect();
        let trigger = Trigger::WholeGroup(FoundBy::Tagging);
        let found = (&group, &*rules);
        let candidates = Candidates::Named(candidates);
        let subject = Subject::new(origin.place, origin.record, found, trigger, candidates);
        context.audit(&subject, tally).await
    }
}
