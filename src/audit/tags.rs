//! A change of tags: it brings groups into the scope, or takes them out.

use chrono::{DateTime, Utc};

use super::auditor::{Audited, Auditor};
use super::error::AuditError;
use super::lookups::Lookups;
use super::ports::{Clock, Notifier, Onward, is_late};
use super::subject::{Candidates, Subject, Trigger};
use crate::ec2::{GroupId, GroupKey, Place, Scope, SecurityGroups};
use crate::event::{FoundBy, Message, Note, Record, TagAction, TagChange};
use crate::finding::{Reason, Report, ReportOutcome, ScopeExit, Skipped, Tally};

/// What a change of tags means for the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Move {
    /// The groups have the tag that the scope asks for.
    In,
    /// They do not have it, or no longer.
    Out(ScopeExit),
}

/// What a change of tags means for the scope; `None` where it is about other tags.
fn movement(change: &TagChange, scope: &Scope) -> Option<Move> {
    let Scope::Tag { key, value } = scope else { return None };
    match change.action(key)? {
        TagAction::Set(set) if set == *value => Some(Move::In),
        TagAction::Set(_) => Some(Move::Out(ScopeExit::OtherValue(key.clone()))),
        // Only a tag of that very value would have been deleted.
        TagAction::Deleted(Some(other)) if other != *value => None,
        TagAction::Deleted(_) => Some(Move::Out(ScopeExit::Deleted(key.clone()))),
    }
}

impl<E: SecurityGroups, N: Notifier, O: Onward> Auditor<'_, E, N, O> {
    /// Audits all of the groups that came into the scope, and once more those that left it. A call
    /// may name a thousand groups: those that there is no time for are handed on.
    pub(super) async fn tags(
        &self,
        record: &Record,
        change: &TagChange,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Result<Audited, AuditError> {
        let place = self.place(record);
        let Some(movement) = movement(change, &self.settings.scope) else {
            let why = Some(Skipped::OtherTags);
            return Ok(Report::skipped(&self.baseline, ReportOutcome::Ignored, why).into());
        };
        let lookups = Lookups::new(self.ec2);
        let moved = Moved { auditor: self, lookups, place: &place, record, movement, clock };
        let mut tally = Tally::default();
        let mut groups = change.groups.iter();
        while let Some(id) = groups.next() {
            if let Err(error) = moved.group(id, &mut tally).await {
                // Everything is found again when it is tried again, and what is to be closed does
                // not wait for that.
                tally.findings.clear();
                tally.partial = true;
                return Ok(Audited { failed: Some(error), ..self.found(tally) });
            }
            let left = groups.as_slice();
            if !left.is_empty() && is_late(deadline, clock()) {
                let rest = TagChange { groups: left.to_vec(), ..change.clone() };
                tally.partial = true;
                return Ok(Audited { rest: Some(Message::Tags(rest)), ..self.found(tally) });
            }
        }
        Ok(self.found(tally))
    }

    /// A group lacks the tag with this key, and so is out of scope, after a tag call that does not
    /// tell what it did: the group is taken to have left the scope with it.
    pub(super) async fn left_unseen(
        &self,
        record: &Record,
        group: &GroupId,
        key: &str,
        clock: Clock<'_>,
    ) -> Result<Audited, AuditError> {
        let place = &self.place(record);
        let movement = Move::Out(ScopeExit::Missing(key.to_owned()));
        let lookups = Lookups::new(self.ec2);
        let moved = Moved { auditor: self, lookups, place, record, movement, clock };
        let mut tally = Tally::default();
        moved.group(group, &mut tally).await?;
        Ok(self.found(tally))
    }
}

/// Groups whose tags changed.
struct Moved<'a, E, N, O> {
    auditor: &'a Auditor<'a, E, N, O>,
    lookups: Lookups<'a, E>,
    place: &'a Place,
    record: &'a Record,
    movement: Move,
    clock: Clock<'a>,
}

impl<E: SecurityGroups, N: Notifier, O: Onward> Moved<'_, E, N, O> {
    async fn group(&self, id: &GroupId, tally: &mut Tally) -> Result<(), AuditError> {
        let Self { auditor, clock, .. } = self;
        let key = GroupKey::Id(id.clone());
        let origin = auditor.origin(self.place, self.record);
        let unaudited = |reason| origin.unaudited(Some(&key), reason, clock());
        if let Some(reason) = auditor.out_of_reach(self.place) {
            tally.findings.push(unaudited(reason));
            return Ok(());
        }
        let (group, rules) = match auditor.read(self.place, &key).await {
            Ok(Some(read)) => read,
            // A group that no longer exists is neither in nor out.
            Ok(None) => return Ok(()),
            Err(error) if error.is_transient() => return Err(error.into()),
            Err(error) => {
                tally.findings.push(unaudited(Reason::Ec2(error)));
                return Ok(());
            }
        };
        let (note, found_by) = match &self.movement {
            Move::In => (Note::EnteredScope, FoundBy::Sweep),
            // Taken out of the scope and opened in the same minute: what was opened is acted on as
            // if the group were still in.
            Move::Out(_) => (Note::LeftScope, FoundBy::Leaving),
        };
        let candidates = Candidates::State { rules: (&*rules).into(), note: Some(note) };
        let trigger = Trigger::WholeGroup(found_by);
        let record = Some(self.record);
        let subject = Subject::new(self.place, record, (&group, &rules), trigger, candidates);
        if let Move::Out(exit) = &self.movement {
            let is_back = auditor.settings.scope.contains(&group);
            tally.findings.push(subject.origin().left_scope(exit.clone(), is_back, clock()));
        }
        // Everything here is closed by another invocation, so no deadline matters.
        auditor.context(&self.lookups, *clock, None).audit(&subject, tally).await
    }
}
