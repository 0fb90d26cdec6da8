//! A change of tags: it brings groups into the scope, or takes them out.

use chrono::{DateTime, Utc};

use super::case::Case;
use super::deadline::is_late;
use super::group::{Closing, GroupAudit};
use super::introduced::Introduced;
use super::library::Library;
use super::ports::{Group, Notifier, Onward, Place, SecurityGroups};
use super::summary::{Tally, not_audited};
use super::{AuditError, Audited, Auditor, Clock, in_scope};
use crate::event::{FoundBy, GroupKey, Record, TagAction, TagChange};
use crate::finding::ReportOutcome;
use crate::settings::{Scope, Settings};

/// What a change of tags is to the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Move {
    /// The groups have the tag that is asked for.
    In,
    /// They do not have it, or have it no longer; what happened to it, as a sentence goes on.
    Out(String),
}

impl TagChange {
    /// What it is to the scope; `None` where it is about other tags.
    fn moves(&self, scope: &Scope) -> Option<Move> {
        let Scope::Tag { key, value } = scope else { return None };
        match self.action(key)? {
            TagAction::Set(set) if set == *value => Some(Move::In),
            TagAction::Set(_) => Some(Move::Out(format!("its tag {key} has another value"))),
            // Only a tag of that very value would have been deleted.
            TagAction::Deleted(Some(other)) if other != *value => None,
            TagAction::Deleted(_) => Some(Move::Out(format!("its tag {key} was deleted"))),
        }
    }
}

impl<E: SecurityGroups, N: Notifier, O: Onward> Auditor<'_, E, N, O> {
    /// Audits all of the groups that came into the scope, and once more those that left it. A call
    /// may name a thousand of them: those that there is no time for are handed on.
    pub(super) async fn tags(
        &self,
        change: &TagChange,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Result<Audited, AuditError> {
        let place = self.place(&change.record);
        let settings = &self.settings_of(&place);
        let Some(moves) = change.moves(&settings.scope) else {
            let reason = "the tags that changed do not decide what is audited".to_owned();
            return Ok(not_audited(&self.baseline, ReportOutcome::Ignored, reason).into());
        };
        let library = Library::new(self.ec2);
        let (place, record) = (&place, &change.record);
        let moved = Moved { auditor: self, settings, library, place, record, moves };
        let mut tally = Tally::default();
        let mut groups = change.groups.iter();
        while let Some(id) = groups.next() {
            if let Err(error) = moved.group(id, &mut tally, clock).await {
                return Ok(self.broken_off(tally, error));
            }
            let left = groups.as_slice();
            if !left.is_empty() && is_late(deadline, clock()) {
                let rest = TagChange { groups: left.to_vec(), ..change.clone() }.to_payload();
                tally.partial = true;
                return Ok(Audited { rest: vec![rest], ..self.found(tally) });
            }
        }
        Ok(self.found(tally))
    }

    /// A group lacks the tag with this key, and so is not in the scope, after a tag call that does
    /// not say what it did: it is taken to have left with it.
    pub(super) async fn left_unseen(
        &self,
        record: &Record,
        group: &Group,
        key: &str,
        clock: Clock<'_>,
    ) -> Result<Audited, AuditError> {
        let place = &self.place(record);
        let settings = &self.settings_of(place);
        let why = "is not there, and the record of a tag call was cut short";
        let moves = Move::Out(format!("its tag {key} {why}"));
        let library = Library::new(self.ec2);
        let moved = Moved { auditor: self, settings, library, place, record, moves };
        let mut tally = Tally::default();
        moved.group(&group.id, &mut tally, clock).await?;
        Ok(self.found(tally))
    }
}

/// The calls that change tags.
pub(super) const TAG_CALLS: [&str; 2] = ["CreateTags", "DeleteTags"];

/// Groups whose tags changed.
struct Moved<'a, E, N, O> {
    auditor: &'a Auditor<'a, E, N, O>,
    settings: &'a Settings,
    library: Library<'a, E>,
    place: &'a Place,
    record: &'a Record,
    moves: Move,
}

impl<E: SecurityGroups, N: Notifier, O: Onward> Moved<'_, E, N, O> {
    async fn group(&self, id: &str, tally: &mut Tally, clock: Clock<'_>) -> Result<(), AuditError> {
        let key = GroupKey::Id(id.to_owned());
        let case = Case { place: self.place, group: None, record: Some(self.record) };
        let unaudited = |reason: &str| case.unaudited(Some(&key), reason, clock());
        if let Some(reason) = self.auditor.out_of_reach(self.place) {
            tally.findings.push(unaudited(&reason));
            return Ok(());
        }
        let (group, rules) = match self.auditor.read(self.place, &key).await {
            Ok(Some(read)) => read,
            // What is gone is neither in nor out.
            Ok(None) => return Ok(()),
            Err(error) if error.may_pass() => return Err(error.into()),
            Err(error) => {
                tally.findings.push(unaudited(&error.to_string()));
                return Ok(());
            }
        };
        let case = Case { group: Some(&group), ..case.clone() };
        let (note, found_by) = match &self.moves {
            Move::In => (
                "The group came into the scope of the audit, so all its rules were audited: this one \
                 may be older.",
                FoundBy::Sweep,
            ),
            // Taken out of the audit, and opened in the same minute: what was opened is acted on as
            // though the group were still in.
            Move::Out(_) => (
                "The group left the scope of the audit, so all its rules were audited once more: \
                 this one may be older.",
                FoundBy::Leaving,
            ),
        };
        if let Move::Out(why) = &self.moves {
            let now = match in_scope(&self.settings.scope, &group) {
                true => "It has the tag again, and is audited.",
                false => "Its changes are not audited any more.",
            };
            tally.findings.push(case.left_scope(&group, why, now, clock()));
        }
        let introduced = rules
            .iter()
            .map(|rule| Introduced::standing(self.settings, rule, Some(note.to_owned()), clock()))
            .collect();
        let audit = GroupAudit {
            ec2: self.auditor.ec2,
            library: &self.library,
            settings: self.settings,
            case,
            group: &group,
            rules: &rules,
            introduced,
            remediation: found_by.remediation(self.settings),
            closing: Closing::Later(found_by),
            cause: None,
            clock,
        };
        audit.run(tally).await
    }
}
