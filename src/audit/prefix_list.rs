//! A change of a prefix list: it opens and closes groups without touching any of them.
//!
//! Every group in scope whose rules name the list is audited. Rules to close are handed on to another
//! invocation. A rule that complied until its list grew is replaced by the part that still complies.
//! If entries were removed, the website may be closed without any rule having changed.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use ipnet::IpNet;

use super::act::list_entries;
use super::auditor::{Audited, Auditor};
use super::context::Context;
use super::error::{AuditError, NotReady};
use super::lookups::Lookups;
use super::ports::{Clock, Invoker, Notifier};
use super::subject::{Candidates, Subject, Trigger};
use super::units::Applied;
use crate::baseline::Lists;
use crate::ec2::{
    Direction, Ec2Error, Group, ListState, Page, Pages, Place, PrefixList, Rule, SecurityGroups,
    Selection,
};
use crate::evaluate::admits_wide_ssh;
use crate::evaluate::expected::{CutList, closed_by_list};
use crate::event::{Job, ListChange, ListResume, Record, RevokedRules};
use crate::finding::{Finding, Origin, Reason, Report, ReportOutcome, Skipped, Tally, Unaudited};
use crate::settings::Settings;

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
    /// Audits the rules that name a list which changed.
    pub(super) async fn list(
        &self,
        record: &Record,
        change: &ListChange,
        resume: &ListResume,
        (clock, deadline): (Clock<'_>, Option<DateTime<Utc>>),
    ) -> Result<Audited, AuditError> {
        let place = self.place(record);
        let origin = self.origin(&place, record);
        let unaudited = |reason| {
            let what = Unaudited::List(change.list.clone());
            let mut finding = origin.not_audited(what, reason, clock());
            finding.name_lists(|_| change.name.clone());
            finding
        };
        if let Some(reason) = self.out_of_reach(&place) {
            return Ok(self.only(unaudited(reason)).into());
        }
        let read = match self.ec2.prefix_list(&place, &change.list).await {
            Err(error) if error.is_transient() => return Err(error.into()),
            Err(error @ Ec2Error::NoRole { .. }) => {
                return Ok(self.only(unaudited(Reason::Ec2(error))).into());
            }
            read => read,
        };
        let list = read.clone().unwrap_or_default();
        if let Some(reason) = not_ready(change, &list) {
            return Err(AuditError::ListNotReady { list: change.list.clone(), reason });
        }
        let lookups = Lookups::new(self.ec2);
        lookups.insert(&place, &change.list, change.name.as_ref(), read);
        let mut tally = Tally::default();
        let context = self.context(&lookups, clock, deadline);
        let naming = Naming { context, place: &place, record, change, list: &list };
        let rest = match naming.groups(resume, &mut tally).await {
            Ok(rest) => rest,
            Err(AuditError::Ec2(error)) if !error.is_transient() => {
                // What was found before stays true.
                tally.findings.push(unaudited(Reason::Ec2(error)));
                None
            }
            Err(error) => return Err(error),
        };
        if *resume == ListResume::default() {
            let candidates = self.candidates(place.account.as_ref());
            let wide = |settings| wide_sources(settings, origin, change, &list, clock);
            tally.findings.extend(candidates.into_iter().find_map(wide));
        }
        if tally.groups == 0 && tally.findings.is_empty() && rest.is_none() {
            let why = Some(Skipped::UnusedList(change.list.clone()));
            return Ok(Report::skipped(&self.baseline, ReportOutcome::Compliant, why).into());
        }
        tally.partial |= rest.is_some();
        let rest = rest.map(|resume| Job::List(change.clone(), resume));
        Ok(Audited { rest, ..self.found(tally) })
    }
}

/// The groups whose rules name a list that changed.
struct Naming<'a, E> {
    context: Context<'a, E>,
    place: &'a Place,
    record: &'a Record,
    change: &'a ListChange,
    list: &'a PrefixList,
}

impl<E: SecurityGroups> Naming<'_, E> {
    /// Audits them page by page, and returns where to continue if there was no time for all.
    async fn groups(
        &self,
        resume: &ListResume,
        tally: &mut Tally,
    ) -> Result<Option<ListResume>, AuditError> {
        let Self { context, place, change, .. } = self;
        let mut page = resume.page.clone();
        for direction in Direction::BOTH {
            if direction == Direction::Ingress && resume.ingress_done {
                continue;
            }
            let which = Selection::Naming(&change.list, direction);
            let mut pages = Pages::new(context.ec2, place, which, page.take());
            loop {
                let Page { groups, next } = pages.next(!context.is_late()).await?;
                for (group, rules) in &groups {
                    self.group(direction, group, rules, tally).await?;
                }
                let is_done = next.is_none();
                if context.is_late() && !(is_done && direction == Direction::Egress) {
                    let ingress_done = is_done || direction == Direction::Egress;
                    return Ok(Some(ListResume { ingress_done, page: next }));
                }
                if is_done {
                    break;
                }
            }
        }
        Ok(None)
    }

    async fn group(
        &self,
        direction: Direction,
        group: &Group,
        rules: &[Rule],
        tally: &mut Tally,
    ) -> Result<(), AuditError> {
        let Self { context, place, record, change, list } = self;
        let naming: Vec<Rule> =
            rules.iter().filter(|rule| rule.peer().list() == Some(&change.list)).cloned().collect();
        let names_it_in = |direction| naming.iter().any(|rule| rule.direction() == direction);
        // All its rules were audited where its ingress rules were.
        let is_done = direction == Direction::Egress && names_it_in(Direction::Ingress);
        if is_done || !context.is_in_scope(place, group) {
            return Ok(());
        }
        let candidates =
            Candidates::State { rules: Cow::Owned(naming), note: None, promised: None };
        let trigger = Trigger::List(change, list);
        let subject = Subject::new(place, Some(record), (group, rules), trigger, candidates);
        context.audit(&subject, tally).await?;
        tally.findings.extend(self.closed_in(&subject).await?);
        Ok(())
    }

    /// That the change closed some of the traffic that the site lives on in a group.
    async fn closed_in(&self, subject: &Subject<'_>) -> Result<Option<Finding>, AuditError> {
        let Self { context, place, change, list, .. } = self;
        let is_back = |net: &IpNet| list.entries.contains(net);
        let removed: Option<Vec<IpNet>> = change
            .removed
            .as_ref()
            .map(|removed| removed.iter().copied().filter(|net| !is_back(net)).collect());
        if removed.as_ref().is_some_and(Vec::is_empty) {
            return Ok(None);
        }
        let in_each = Direction::BOTH.map(RevokedRules::nothing);
        let Applied { settings, undecided } = context.applied(subject).await?;
        let lists = context.lists_of_expected(subject, &settings, &in_each).await?;
        let cut = CutList { id: change.list.clone(), version: list.version, removed };
        let group = Some(&subject.group.id);
        let closed = closed_by_list(&settings.baseline, group, cut, subject.rules, &lists);
        Ok(closed.map(|closed| {
            let mut finding = subject.origin().expected_closed(closed, (context.clock)());
            finding.bind(&settings.binding, &undecided);
            finding.name_lists(|id| context.lookups.list_name(place, id));
            finding
        }))
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
        && admits_wide_ssh(baseline, &lists, today)
        && !admits_wide_ssh(baseline, &Lists::new(), today);
    became_wide.then(|| {
        let entries = list_entries(change, list, None);
        let mut finding = origin.wide_baseline(&baseline.name, Some(entries), clock());
        let name = list.name.as_ref().or(change.name.as_ref());
        finding.name_lists(|id| name.filter(|_| *id == change.list).cloned());
        finding.bind(&settings.binding, &[]);
        finding
    })
}
