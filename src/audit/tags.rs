//! A change of tags: it brings groups into the scope, or takes them out.

use chrono::{DateTime, Utc};

use super::auditor::{Audited, Auditor};
use super::context::Context;
use super::error::AuditError;
use super::lookups::Lookups;
use super::ports::{Clock, Invoker, Notifier, is_late};
use super::recalled::Recalled;
use super::standing::Standing;
use super::subject::{Candidates, Subject, Trigger};
use crate::ec2::{GroupId, GroupKey, Place, Scope, SecurityGroups};
use crate::event::{FoundBy, Job, Note, Record, TagAction, TagChange};
use crate::finding::{Reason, Report, ReportOutcome, ScopeExit, Skipped, Tally};

/// What a change of tags means for the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Move {
    /// The groups have the tag that the scope asks for.
    In,
    /// They do not have it, or no longer.
    Out(ScopeExit),
}

impl Move {
    /// What decides about remediation.
    fn found_by(&self) -> FoundBy {
        match self {
            Self::In => FoundBy::Sweep,
            // Taken out of the scope and opened in the same minute: what was opened is acted on as
            // if the group were still in.
            Self::Out(_) => FoundBy::Leaving,
        }
    }
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

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
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
        let candidates = self.candidates(place.account.as_ref());
        let moves = candidates.iter().filter_map(|it| movement(change, &it.scope));
        // What brings a group into one scope may take it out of another, which is acted on more.
        let Some(movement) = moves.max_by_key(|it| matches!(it, Move::Out(_))) else {
            let why = Some(Skipped::OtherTags);
            return Ok(Report::skipped(&self.baseline, ReportOutcome::Ignored, why).into());
        };
        let (moved, mut recalled) = self.moved(&place, record, movement, clock).await;
        let mut planned = std::mem::take(&mut recalled.planned);
        let mut tally = Tally::default();
        let mut groups = change.groups.iter();
        while let Some(id) = groups.next() {
            match moved.group(id, &mut tally).await {
                Ok(true) => recalled.planned.append(&mut planned),
                Ok(false) => {}
                Err(error) => {
                    // Everything is found again when it is tried again, and what is to be closed does
                    // not wait for that.
                    tally.findings.clear();
                    recalled.planned.clear();
                    tally.partial = true;
                    return Ok(Audited { recalled, failed: Some(error), ..self.found(tally) });
                }
            }
            let left = groups.as_slice();
            if !left.is_empty() && is_late(deadline, clock()) {
                let rest = TagChange { groups: left.to_vec(), ..change.clone() };
                tally.partial = true;
                let rest = Some(Job::Tags(rest));
                return Ok(Audited { recalled, rest, ..self.found(tally) });
            }
        }
        Ok(Audited { recalled, ..self.found(tally) })
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
        let (moved, mut recalled) = self.moved(place, record, movement, clock).await;
        let mut tally = Tally::default();
        if !moved.group(group, &mut tally).await? {
            recalled.planned.clear();
        }
        Ok(Audited { recalled, ..self.found(tally) })
    }

    /// Groups whose tags changed, with what is remembered of their place.
    async fn moved<'m>(
        &'m self,
        place: &'m Place,
        record: &'m Record,
        movement: Move,
        clock: Clock<'m>,
    ) -> (Moved<'m, E, N, O>, Recalled) {
        let mut recalled = Recalled::default();
        let asked = (movement.found_by(), clock());
        let standing = self.standing(place, record, asked, &mut recalled).await;
        let lookups = Lookups::new(self.ec2);
        (Moved { auditor: self, lookups, place, record, movement, standing, clock }, recalled)
    }
}

/// Groups whose tags changed.
struct Moved<'a, E, N, O> {
    auditor: &'a Auditor<'a, E, N, O>,
    lookups: Lookups<'a, E>,
    place: &'a Place,
    record: &'a Record,
    movement: Move,
    standing: Standing,
    clock: Clock<'a>,
}

impl<E: SecurityGroups, N: Notifier, O: Invoker> Moved<'_, E, N, O> {
    /// Audits a group. Returns whether it could be read.
    async fn group(&self, id: &GroupId, tally: &mut Tally) -> Result<bool, AuditError> {
        let Self { auditor, clock, .. } = self;
        let key = GroupKey::Id(id.clone());
        let origin = auditor.origin(self.place, self.record);
        let unaudited = |reason| origin.unaudited(Some(&key), reason, clock());
        if let Some(reason) = auditor.out_of_reach(self.place) {
            tally.findings.push(unaudited(reason));
            return Ok(false);
        }
        let (group, rules) = match auditor.read(self.place, &key).await {
            Ok(Some(read)) => read,
            // A group that no longer exists is neither in nor out.
            Ok(None) => return Ok(false),
            Err(error) if error.is_transient() => return Err(error.into()),
            Err(error) => {
                tally.findings.push(unaudited(Reason::Ec2(error)));
                return Ok(false);
            }
        };
        let note = Some(match &self.movement {
            Move::In => Note::EnteredScope,
            Move::Out(_) => Note::LeftScope,
        });
        let Standing { plans, promised } = &self.standing;
        let promised = promised.as_ref().filter(|_| group.owned_at(self.place) == *self.place);
        let promised = promised.map(|promised| (promised, &group.id));
        let candidates = Candidates::State { rules: (&*rules).into(), note, promised };
        let trigger = Trigger::WholeGroup(self.movement.found_by());
        let record = Some(self.record);
        let subject = Subject::new(self.place, record, (&group, &rules), trigger, candidates);
        if let Move::Out(exit) = &self.movement {
            let is_back = auditor.is_in_scope(self.place, &group);
            tally.findings.push(subject.origin().left_scope(exit.clone(), is_back, clock()));
        }
        // Everything here is closed by another invocation, so no deadline matters.
        let context = auditor.context(&self.lookups, *clock, None);
        Context { plans: *plans, ..context }.audit(&subject, tally).await?;
        Ok(true)
    }
}
