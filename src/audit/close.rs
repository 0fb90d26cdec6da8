//! What was found, and handed on to be closed, is closed and told of.

use chrono::{DateTime, Utc};

use super::case::Case;
use super::deadline::is_late;
use super::group::{Closing, GroupAudit};
use super::introduced::found_before;
use super::library::Library;
use super::ports::{Group, Notifier, Onward, Place, SecurityGroups};
use super::schedule::is_news;
use super::summary::Tally;
use super::unread::Unread;
use super::{AuditError, Audited, Auditor, Clock, in_scope};
use crate::ec2::Rule;
use crate::ec2::hold::claim;
use crate::event::{Close, FoundBy, GroupKey, RuleToClose};
use crate::finding::Finding;
use crate::settings::{Remediation, Settings};

impl<E: SecurityGroups, N: Notifier, O: Onward> Auditor<'_, E, N, O> {
    /// Closes rules as they are now, and tells of all of them at once. What there is no time for is
    /// handed on, and so is what EC2 did not answer for now, where there is something to tell: a
    /// message that repeats itself whenever one group is tried again helps nobody.
    pub(super) async fn close(
        &self,
        close: &Close,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Result<Audited, AuditError> {
        let mut tally = Tally::default();
        let mut failed = None;
        let mut left: Vec<RuleToClose> = Vec::new();
        let library = Library::new(self.ec2);
        for (at, of_group) in close.rules.chunk_by(RuleToClose::is_beside).enumerate() {
            if at > 0 && is_late(deadline, clock()) {
                left.extend_from_slice(of_group);
                continue;
            }
            let mut closed = Tally::default();
            if let Err(error) =
                self.close_in_group((close, of_group), &library, clock, &mut closed).await
            {
                tracing::warn!(%error, "what is to be closed has to be tried again");
                failed.get_or_insert(error);
                left.extend(of_group.iter().filter(|one| !is_told(one, &closed)).cloned());
            }
            closed.findings.retain(|finding| self.is_news(finding, of_group, clock()));
            tally.extend(closed);
        }
        match failed {
            Some(error) if tally.findings.is_empty() => return Err(error),
            _ => {}
        }
        let rest = Close { record: close.record.clone(), rules: left }.to_payloads();
        tally.partial = !rest.is_empty();
        let rest = rest.into_iter().map(|(payload, _)| payload).collect();
        Ok(Audited { rest, ..self.found(tally) })
    }

    /// The same in one group. What was told of before an error is in `tally`.
    async fn close_in_group(
        &self,
        (close, found): (&Close, &[RuleToClose]),
        library: &Library<'_, E>,
        clock: Clock<'_>,
        tally: &mut Tally,
    ) -> Result<(), AuditError> {
        let Some(RuleToClose { account, region, group: id, found_by, .. }) = found.first() else {
            return Ok(());
        };
        let place = &Place {
            account: account.clone().or_else(|| self.home.account.clone()),
            region: region.clone().or_else(|| self.home.region.clone()),
        };
        let key = GroupKey::Id(id.clone());
        let case = Case { place, group: None, record: close.record.as_ref() };
        if let Some(reason) = self.out_of_reach(place) {
            tally.findings.push(case.unaudited(Some(&key), &reason, clock()));
            return Ok(());
        }
        let settings = &self.settings_of(place);
        let remediation = found_by.remediation(settings);
        let read = match self.read(place, &key).await {
            Ok(read) => read,
            Err(error) if error.may_pass() => return Err(error.into()),
            Err(error) => {
                let now = clock();
                let detail = format!(
                    "The rule was to be closed. Whether an earlier run of this audit has done so \
                     is not known: the group could not be read. {error}."
                );
                let unread = Unread { settings, case: &case, group: id, remediation, detail, now };
                let of_tags = |rule: &Rule| claim(&rule.tags, now, now, settings.hold_max_hours);
                let claimed = found.iter().map(|one| (&one.rule, of_tags(&one.rule)));
                tally.extend(unread.judged(&claimed.collect::<Vec<_>>()));
                return Ok(());
            }
        };
        let is_there = read.is_some();
        // One that is gone is asked all the same: EC2 then says that nothing is there.
        let gone = || (Group { id: id.clone(), ..Group::default() }, Vec::new());
        let (group, rules) = read.unwrap_or_else(gone);
        let now = clock();
        let introduced = found.iter().map(|one| found_before(settings, one, &rules, now));
        // Whoever left the scope meanwhile has an event of its own. What is gone is told all the same.
        let is_out =
            *found_by != FoundBy::Leaving && is_there && !in_scope(&settings.scope, &group);
        let introduced = introduced.filter(|one| !(is_out && one.seen)).collect();
        let audit = GroupAudit {
            ec2: self.ec2,
            library,
            settings,
            case: Case { group: Some(&group), ..case },
            group: &group,
            rules: &rules,
            introduced,
            remediation,
            closing: Closing::Noted,
            cause: None,
            clock,
        };
        let ran = audit.run(tally).await;
        if !is_there {
            // There is no group to put a rule back into.
            tally.findings.iter_mut().for_each(|finding| finding.remediation.undo = None);
        }
        ran
    }

    /// Whether a finding about one of these rules, or about their group, is worth a message. The
    /// check of holds finds what cannot be closed every time, and tells of it while it is news; the
    /// sweep has it then.
    fn is_news(&self, finding: &Finding, found: &[RuleToClose], now: DateTime<Utc>) -> bool {
        let by_holds = found.iter().any(|one| one.found_by == FoundBy::Holds);
        // Connections are spoken of where the rule is gone.
        let is_open = finding.rule.is_some() && finding.remediation.connections.is_none();
        let rules = found.iter().map(|one| &one.rule);
        !by_holds || !is_open || is_news(finding, rules, self.settings.hold_max_hours, now)
    }
}

impl FoundBy {
    /// What may be done about what was found so.
    pub(super) fn remediation(self, settings: &Settings) -> Remediation {
        match self {
            Self::Sweep => settings.sweep_remediation,
            Self::Holds => settings.remediation,
            Self::Leaving => settings.remediation.max(settings.sweep_remediation),
        }
    }
}

/// Whether there is a finding about a rule of a group.
fn is_told(one: &RuleToClose, of_group: &Tally) -> bool {
    let content = one.rule.content();
    of_group
        .findings
        .iter()
        .any(|finding| finding.rule.as_ref().is_some_and(|rule| rule.content() == content))
}
