//! A change of a prefix list: it opens and closes groups without touching any of them.
//!
//! Every group in scope whose rules name the list is audited, and findings are only reported: the
//! same list may serve a hundred groups, and whoever maintains it can put it back in one call.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::act::list_entries;
use super::auditor::Auditor;
use super::error::{AuditError, NotReady};
use super::lookups::Lookups;
use super::ports::{Clock, Notifier, Onward};
use super::subject::{Candidates, Subject, Trigger};
use crate::baseline::Lists;
use crate::ec2::{Direction, Ec2Error, ListState, PrefixList, Rule, SecurityGroups, Selection};
use crate::evaluate::open_ssh_in_baseline;
use crate::event::{ListChange, Record};
use crate::finding::{Finding, Origin, Reason, Report, ReportOutcome, Skipped, Tally, Unaudited};
use crate::settings::Settings;

impl<E: SecurityGroups, N: Notifier, O: Onward> Auditor<'_, E, N, O> {
    /// Audits the rules that name a list which changed.
    pub(super) async fn list(
        &self,
        record: &Record,
        change: &ListChange,
        clock: Clock<'_>,
    ) -> Result<Report, AuditError> {
        let place = self.place(record);
        let origin = self.origin(&place, record);
        let unaudited =
            |reason| origin.not_audited(Unaudited::List(change.list.clone()), reason, clock());
        if let Some(reason) = self.out_of_reach(&place) {
            return Ok(self.only(unaudited(reason)));
        }
        let read = match self.ec2.prefix_list(&place, &change.list).await {
            Err(error) if error.may_pass() => return Err(error.into()),
            Err(error @ Ec2Error::NoRole { .. }) => {
                return Ok(self.only(unaudited(Reason::Ec2(error))));
            }
            read => read,
        };
        let list = read.clone().unwrap_or_default();
        if let Some(reason) = not_ready(change, &list) {
            return Err(AuditError::ListNotReady { list: change.list.clone(), reason });
        }
        let settings = &self.settings_of(&place);
        let lookups = Lookups::new(self.ec2);
        lookups.insert(&place, &change.list, read);
        let mut tally = Tally::default();
        let naming = self.groups_naming((origin, settings), &lookups, (change, &list), clock);
        match naming.await {
            (found, Ok(())) => tally.extend(found),
            (found, Err(AuditError::Ec2(error))) if !error.may_pass() => {
                // What was found before stays true.
                tally.extend(found);
                tally.findings.push(unaudited(Reason::Ec2(error)));
            }
            (_, Err(error)) => return Err(error),
        }
        tally.findings.extend(wide_sources(settings, origin, change, &list, clock));
        if tally.groups == 0 && tally.findings.is_empty() {
            let why = Some(Skipped::UnusedList(change.list.clone()));
            return Ok(Report::skipped(&self.baseline, ReportOutcome::Compliant, why));
        }
        Ok(Report::new(&self.baseline, tally))
    }

    /// Audits every group in scope with rules that name the list.
    async fn groups_naming(
        &self,
        (origin, settings): (Origin<'_>, &Settings),
        lookups: &Lookups<'_, E>,
        (change, list): (&ListChange, &PrefixList),
        clock: Clock<'_>,
    ) -> (Tally, Result<(), AuditError>) {
        let mut tally = Tally::default();
        let answer = async {
            let context = self.context(lookups, settings, clock);
            let mut met = BTreeSet::new();
            for direction in Direction::BOTH {
                let mut page = None;
                loop {
                    let which = Selection::Naming(&change.list, direction);
                    let got = self.ec2.groups(origin.place, which, page.as_deref()).await?;
                    for (group, rules) in &got.groups {
                        if !settings.scope.contains(group) || !met.insert(group.id.clone()) {
                            continue;
                        }
                        let names_it = |rule: &&Rule| rule.peer().list() == Some(&change.list);
                        let naming: Vec<Rule> = rules.iter().filter(names_it).cloned().collect();
                        let candidates =
                            Candidates::Standing { rules: Cow::Owned(naming), note: None };
                        let trigger = Trigger::List(change, list);
                        let subject = Subject::new(origin, (group, rules), trigger, candidates);
                        context.audit(&subject, &mut tally).await?;
                    }
                    page = got.next;
                    if page.is_none() {
                        break;
                    }
                }
            }
            Ok(())
        };
        let answer = answer.await;
        (tally, answer)
    }
}

/// Why the list is not yet as the change left it, where that is so.
fn not_ready(change: &ListChange, list: &PrefixList) -> Option<NotReady> {
    if list.state == ListState::Changing {
        return Some(NotReady::Changing);
    }
    match (change.version_before, list.version) {
        // A change that failed makes no version.
        (Some(before), Some(now)) if now <= before && list.state != ListState::Failed => {
            Some(NotReady::OldVersion { now, before })
        }
        _ => None,
    }
}

/// Where the list is one of the SSH sources and lets the Internet in, that is reported even if no
/// rule names the list: rules with addresses depend on it too.
fn wide_sources(
    settings: &Settings,
    origin: Origin<'_>,
    change: &ListChange,
    list: &PrefixList,
    clock: Clock<'_>,
) -> Option<Finding> {
    let baseline = &settings.baseline;
    let today = clock().date_naive();
    let named = baseline.ssh_lists(today).contains(&change.list);
    let lists: Lists = [(change.list.clone(), Ok(list.entries.clone()))].into();
    let became_wide = named
        && open_ssh_in_baseline(baseline, &lists, today)
        && !open_ssh_in_baseline(baseline, &Lists::new(), today);
    became_wide.then(|| {
        let entries = list_entries(change, list, None);
        origin.wide_baseline(&baseline.name, Some(entries), clock())
    })
}
