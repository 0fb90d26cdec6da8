//! A change of one group: judged on what the event says, acted on as EC2 shows it now.

use std::collections::BTreeSet;

use super::case::Case;
use super::counts::Counts;
use super::group::GroupAudit;
use super::introduced::{Introduced, Judged, authorized_claim, introduced, settled_by_event};
use super::library::Library;
use super::ports::{Ec2Error, Group, Notifier, Onward, SecurityGroups};
use super::summary::{Tally, not_audited, report};
use super::tags::TAG_CALLS;
use super::unread::Unread;
use super::{AuditError, Audited, Auditor, Clock, lacking};
use crate::ec2::{Direction, Rule};
use crate::evaluate::expected::closed;
use crate::event::{ChangeKind, GroupKey, SgChange};
use crate::finding::{Report, ReportOutcome};
use crate::settings::Settings;

impl<E: SecurityGroups, N: Notifier, O: Onward> Auditor<'_, E, N, O> {
    /// Audits what a change introduced in a group, and what it closed.
    pub(super) async fn change(
        &self,
        change: &SgChange,
        clock: Clock<'_>,
        counts: &mut Counts,
    ) -> Result<Audited, AuditError> {
        let place = self.place(&change.record);
        let case = Case { place: &place, group: None, record: Some(&change.record) };
        let settings = &self.settings_of(&place);
        if let Some(rules) = settled_by_event(settings, change, clock().date_naive()) {
            let tally = Tally { groups: 1, rules, ..Tally::default() };
            return Ok(report(&self.baseline, tally).into());
        }
        if let Some(reason) = self.out_of_reach(&place) {
            return Ok(self.unaudited(&case, Some(&change.group), &reason, clock()).into());
        }
        let group = match self.ec2.group(&place, &change.group).await {
            Ok(Some(group)) => group,
            Ok(None) => return self.without_group(&case, change, settings, clock, counts).await,
            Err(error) => {
                return Ok(self.unreadable(&case, change, error, settings, clock)?.into());
            }
        };
        if let Some(key) = lacking(&settings.scope, &group) {
            let name = change.record.event_name.as_deref().unwrap_or_default();
            if TAG_CALLS.contains(&name) {
                return self.left_unseen(&change.record, &group, key, clock).await;
            }
            let reason = format!("{} is out of scope", group.id);
            return Ok(not_audited(&self.baseline, ReportOutcome::OutOfScope, reason).into());
        }
        let case = Case { group: Some(&group), ..case };
        let rules = match self.ec2.rules(&place, &group).await {
            Ok(rules) => rules,
            Err(error) => {
                return Ok(self.unreadable(&case, change, error, settings, clock)?.into());
            }
        };
        self.of_group(case, change, (&group, &rules), settings, clock, counts).await
    }

    async fn of_group(
        &self,
        case: Case<'_>,
        change: &SgChange,
        (group, rules): (&Group, &[Rule]),
        settings: &Settings,
        clock: Clock<'_>,
        counts: &mut Counts,
    ) -> Result<Audited, AuditError> {
        let Judged { rules: introduced, remediation, closing } =
            introduced(settings, change, rules, clock());
        let library = Library::new(self.ec2);
        let audit = GroupAudit {
            ec2: self.ec2,
            library: &library,
            settings,
            case,
            group,
            rules,
            introduced,
            remediation,
            closing,
            cause: None,
            clock,
        };
        let mut tally = Tally::default();
        if let Err(error) = audit.run(&mut tally).await {
            // Told of when it is tried again, and then no longer as what this one did.
            counts.acted(&report(&self.baseline, tally));
            return Err(error);
        }
        for (direction, taken) in taken(change, &audit.introduced) {
            for closed in closed(&settings.baseline, direction, taken, rules) {
                tally.findings.push(audit.case.expected_closed(&closed, clock()));
            }
        }
        Ok(self.found(tally))
    }

    /// The group is not there. What the event says was opened is still said, and a revert still
    /// has EC2 say that there is nothing to revoke.
    async fn without_group(
        &self,
        case: &Case<'_>,
        change: &SgChange,
        settings: &Settings,
        clock: Clock<'_>,
        counts: &mut Counts,
    ) -> Result<Audited, AuditError> {
        match (&change.kind, &change.group) {
            (ChangeKind::Authorized(_), GroupKey::Id(id)) => {
                let group = Group { id: id.clone(), ..Group::default() };
                let case = Case { group: Some(&group), ..case.clone() };
                let mut audited =
                    self.of_group(case, change, (&group, &[]), settings, clock, counts).await?;
                // There is no group to put a rule back into.
                for finding in &mut audited.report.findings {
                    finding.remediation.undo = None;
                }
                Ok(audited)
            }
            // What is gone with its group needs neither closing nor opening.
            (ChangeKind::Created | ChangeKind::Revoked(_), _) => {
                Ok(report(&self.baseline, Tally { groups: 1, ..Tally::default() }).into())
            }
            (ChangeKind::Unknown(reason), key) => {
                let reason = format!("{reason}, and the group is not there");
                Ok(self.unaudited(case, Some(key), &reason, clock()).into())
            }
            (_, key) => {
                Ok(self.unaudited(case, Some(key), "the group is not there", clock()).into())
            }
        }
    }

    /// The group cannot be read. What may pass is tried again; what will not is said, with what the
    /// event tells.
    fn unreadable(
        &self,
        case: &Case<'_>,
        change: &SgChange,
        error: Ec2Error,
        settings: &Settings,
        clock: Clock<'_>,
    ) -> Result<Report, AuditError> {
        if error.may_pass() {
            return Err(error.into());
        }
        let no_role = matches!(error, Ec2Error::NoRole { .. });
        let (ChangeKind::Authorized(rules), GroupKey::Id(id), false) =
            (&change.kind, &change.group, no_role)
        else {
            let key = Some(&change.group);
            return Ok(self.unaudited(case, key, &error.to_string(), clock()));
        };
        let now = clock();
        let unread = Unread {
            settings,
            case,
            group: id,
            remediation: settings.remediation,
            detail: format!("Nothing was changed: the group could not be read. {error}."),
            now,
        };
        let claimed =
            rules.iter().map(|rule| (rule, authorized_claim(settings, change, rule, now)));
        let claimed: Vec<_> = claimed.collect();
        Ok(report(&self.baseline, unread.judged(&claimed)))
    }
}

/// In which directions a change may have closed something, and what it took away there, where it
/// says so. One that only adds closes nothing.
fn taken<'a>(
    change: &'a SgChange,
    introduced: &[Introduced],
) -> Vec<(Direction, Option<&'a [Rule]>)> {
    let name = change.record.event_name.as_deref().unwrap_or_default();
    match &change.kind {
        ChangeKind::Revoked(revoked) => vec![(revoked.direction, revoked.rules.as_deref())],
        // What a rule was before it was modified, nobody knows any more.
        ChangeKind::Modified(_) => {
            let directions: BTreeSet<Direction> =
                introduced.iter().map(|one| one.rule.direction).collect();
            directions.into_iter().map(|direction| (direction, None)).collect()
        }
        ChangeKind::Unknown(_) if !TAG_CALLS.contains(&name) => {
            vec![(Direction::Ingress, None), (Direction::Egress, None)]
        }
        ChangeKind::Unknown(_) | ChangeKind::Authorized(_) | ChangeKind::Created => Vec::new(),
    }
}
