//! The sweep: every group in scope, page by page, so that nothing an event missed stays unseen.

use chrono::{DateTime, TimeDelta, Utc};

use super::auditor::{Audited, Auditor};
use super::context::Context;
use super::error::AuditError;
use super::lookups::Lookups;
use super::ports::{Clock, Notifier, Onward};
use super::subject::{Candidates, Subject, Trigger};
use crate::baseline::Lists;
use crate::ec2::{Ec2Error, Group, GroupId, Place, Rule, SecurityGroups, Selection};
use crate::evaluate::admits_wide_ssh;
use crate::event::{Message, Note, Record, Resume, Sweep};
use crate::finding::{BaselineName, Finding, Origin, Reason, Report, Tally, Unaudited};
use crate::settings::{Remediation, Settings};
use crate::text::causes;

/// A finding takes some 8 KB with its message, and the function has 256 MB.
const MAX_FINDINGS: usize = 10_000;

/// A page that takes longer than this may be left unfinished when time runs out.
const SLOW: TimeDelta = TimeDelta::seconds(10);

impl<E: SecurityGroups, N: Notifier, O: Onward> Auditor<'_, E, N, O> {
    /// Audits every group in scope in the places of a sweep.
    pub(super) async fn sweep(
        &self,
        sweep: &Sweep,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Audited {
        let lookups = Lookups::new(self.ec2);
        let trigger = Trigger::Sweep(self.settings.sweep_remediation);
        let sweeper = Sweeper {
            reach: &|place| self.out_of_reach(place),
            ..Sweeper::new(self.context(&lookups, clock, deadline), trigger)
        };
        let places = self.places(sweep);
        let Swept { mut tally, rest, failed } = sweeper.places(&places, &sweep.resume).await;
        tally.partial |= rest.is_some() || failed.is_some();
        let rest = rest.map(|resume| Message::Sweep(Sweep { resume, ..sweep.clone() }));
        Audited { rest, failed, ..self.found(tally) }
    }

    /// The places of a sweep, each once: its accounts in their order, each with its regions in
    /// theirs.
    pub(super) fn places(&self, sweep: &Sweep) -> Vec<Place> {
        fn or_own<T: Clone>(named: &[T], own: &Option<T>) -> Vec<Option<T>> {
            match named {
                [] => vec![own.clone()],
                named => named.iter().cloned().map(Some).collect(),
            }
        }
        let regions = or_own(&sweep.regions, &self.home.region);
        let mut places: Vec<Place> = Vec::new();
        for account in or_own(&sweep.accounts, &self.home.account) {
            for region in &regions {
                let place = Place { account: account.clone(), region: region.clone() };
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        places
    }
}

/// The finding that the groups of a place were not audited.
pub(super) fn not_swept(place: &Place, reason: Reason, time: DateTime<Utc>) -> Finding {
    let origin = Origin { place, group: None, record: None };
    origin.not_audited(Unaudited::Place, reason, time)
}

/// The places that have not had their turn.
pub(super) fn places_left<'p>(
    resume: &Resume,
    places: &'p [Place],
) -> impl Iterator<Item = &'p Place> {
    let turns = places.len() + resume.again.len();
    (resume.places_done..turns).filter_map(|at| places.get(place_at(resume, at, places.len())))
}

/// The number of the place that has the turn `at`, of this many `places`.
fn place_at(resume: &Resume, at: usize, places: usize) -> usize {
    at.checked_sub(places).map_or(at, |behind| resume.again.get(behind).copied().unwrap_or(at))
}

/// Where in a place a sweep continues.
#[derive(Default)]
struct Next {
    page: Option<String>,
    /// The groups of that page that are done.
    done: Vec<GroupId>,
}

/// What a sweep found, and what it did not get to.
pub(super) struct Swept {
    pub tally: Tally,
    /// Where to continue; `None` where everything was audited, or tried.
    pub rest: Option<Resume>,
    /// Why all of it has to be tried again.
    pub failed: Option<AuditError>,
}

/// Audits groups as they are.
pub(super) struct Sweeper<'a, E> {
    /// What an audit of groups needs. Its lookups serve all groups. Without a deadline, everything is
    /// audited at once.
    pub context: Context<'a, E>,
    /// What triggered it, which decides what may be done about what is found.
    pub trigger: Trigger<'a>,
    /// The change behind it, with what there is to say about each rule because of it.
    pub change: Option<(&'a Record, &'a Note)>,
    /// With this many findings, the rest is left to another invocation.
    pub max_findings: usize,
    /// Why the groups of a place cannot be reached, where that is so.
    pub reach: &'a dyn Fn(&Place) -> Option<Reason>,
    /// Called after each page with the number of groups audited so far.
    pub progress: &'a dyn Fn(usize),
}

impl<'a, E: SecurityGroups> Sweeper<'a, E> {
    /// Every group can be reached, and nobody follows the progress.
    pub fn new(context: Context<'a, E>, trigger: Trigger<'a>) -> Self {
        let max_findings = MAX_FINDINGS;
        Self { context, trigger, change: None, max_findings, reach: &|_| None, progress: &|_| {} }
    }

    /// Audits the groups of some places. What cannot be read in one of them, for good or for now,
    /// does not stop the others.
    pub async fn places(&self, places: &[Place], from: &Resume) -> Swept {
        let mut swept = Swept { tally: Tally::default(), rest: None, failed: None };
        if *from == Resume::default() && self.change.is_none() {
            self.call_out_wide_baseline(places.first(), &mut swept.tally).await;
        }
        let mut start = Next { page: from.page.clone(), done: from.groups_done.clone() };
        // Those that failed in an earlier invocation come after all others.
        let turns = places.len() + from.again.len();
        let mut again = from.again.clone();
        for at in from.places_done..turns {
            let number = place_at(from, at, places.len());
            let Some(place) = places.get(number) else { continue };
            let next = match (self.reach)(place) {
                Some(reason) => {
                    self.miss(place, reason, &mut swept.tally);
                    None
                }
                None => match self.place(place, start, &mut swept.tally).await {
                    Ok(next) => next.map(|next| (at, next)),
                    Err(AuditError::Ec2(error)) if !error.is_transient() => {
                        self.miss(place, Reason::Ec2(error), &mut swept.tally);
                        None
                    }
                    Err(error) => {
                        tracing::warn!(error = causes(&error), %place, "the place will be swept again");
                        again.push(number);
                        swept.failed.get_or_insert(error);
                        None
                    }
                },
            };
            start = Next::default();
            let enough = self.is_late() || self.is_full(&swept.tally);
            let other = enough && at + 1 < turns;
            if let Some((places_done, next)) =
                next.or_else(|| other.then(|| (at + 1, Next::default())))
            {
                let Next { page, done: groups_done } = next;
                let missed = from.missed || swept.tally.partial;
                swept.rest = Some(Resume { places_done, page, groups_done, again, missed });
                // What failed is in the rest. If this invocation failed too, it would be tried
                // again and hand on the same rest each time: with many places that fail, three
                // times as many invocations in every round.
                swept.failed = None;
                break;
            }
        }
        swept
    }

    /// Audits the groups of a place from `start` on, and returns where to continue if there was no
    /// time for all. What was found is in `tally` even if the sweep breaks off. At least one page is
    /// audited, or one group of a slow one, so that the next invocation gets further.
    async fn place(
        &self,
        place: &Place,
        start: Next,
        tally: &mut Tally,
    ) -> Result<Option<Next>, AuditError> {
        let Next { mut page, mut done } = start;
        let mut resumed = page.is_some();
        loop {
            let which = Selection::Scope(&self.context.settings.scope);
            let got = match self.context.ec2.groups(place, which, page.as_deref()).await {
                // A token that was handed on is refused when it came too late, or when the settings
                // changed. What it stood for is not known, so the place starts again.
                Err(Ec2Error::Refused { action: "DescribeSecurityGroups", code, .. })
                    if resumed =>
                {
                    tracing::warn!(code, %place, "the place is swept again from its first page");
                    (resumed, page) = (false, None);
                    done.clear();
                    continue;
                }
                got => got?,
            };
            resumed = false;
            let began = (self.context.clock)();
            let left: Vec<_> =
                got.groups.iter().filter(|(group, _)| !done.contains(&group.id)).collect();
            let last = left.len();
            for (number, (group, rules)) in (1..).zip(left) {
                self.group(place, group, rules, tally).await?;
                done.push(group.id.clone());
                // Most pages take a moment. One with much to look up may take minutes.
                let is_slow = (self.context.clock)() - began > SLOW;
                if number < last && is_slow && self.is_late() {
                    return Ok(Some(Next { page, done }));
                }
            }
            done.clear();
            (self.progress)(tally.groups);
            match got.next {
                None => return Ok(None),
                next if self.is_late() || self.is_full(tally) => {
                    return Ok(Some(Next { page: next, done }));
                }
                next => page = next,
            }
        }
    }

    /// The groups of a place cannot be audited.
    fn miss(&self, place: &Place, reason: Reason, tally: &mut Tally) {
        let origin = Origin { place, group: None, record: self.change.map(|(record, _)| record) };
        let now = (self.context.clock)();
        tally.findings.push(origin.not_audited(Unaudited::Place, reason, now));
        tally.partial = true;
    }

    /// Whether there is no time left for another page.
    fn is_late(&self) -> bool {
        self.context.is_late()
    }

    /// Whether there are so many findings that more would fill the function's memory.
    fn is_full(&self, tally: &Tally) -> bool {
        self.context.deadline.is_some()
            && tally.findings.len() + tally.to_close.len() >= self.max_findings
    }

    async fn group(
        &self,
        place: &Place,
        group: &Group,
        rules: &[Rule],
        tally: &mut Tally,
    ) -> Result<(), AuditError> {
        let (record, note) = self.change.unzip();
        let candidates = Candidates::State { rules: rules.into(), note: note.cloned() };
        let subject = Subject::new(place, record, (group, rules), self.trigger, candidates);
        self.context.audit(&subject, tally).await
    }

    /// Reports once a sweep that the baseline itself is wide on SSH.
    async fn call_out_wide_baseline(&self, place: Option<&Place>, tally: &mut Tally) {
        let baseline = &self.context.settings.baseline;
        let mut lists = Lists::new();
        let Some(place) = place else { return };
        let now = (self.context.clock)();
        let today = now.date_naive();
        let named = baseline.ssh_lists(today).into_iter().cloned().collect();
        if let Err(error) =
            self.context.lookups.look_up(place, named, &mut lists, || self.is_late()).await
        {
            // The groups are audited all the same, and rules that depend on a list say so.
            tracing::warn!(
                error = causes(&error),
                "it is not known whether the baseline is wide on SSH"
            );
        }
        if admits_wide_ssh(baseline, &lists, today) {
            let origin = Origin { place, group: None, record: None };
            tally.findings.push(origin.wide_baseline(&baseline.name, None, now));
        }
    }
}

/// The report on groups that were only looked at.
pub struct Survey {
    /// What was found.
    pub report: Report,
    /// Why not everything was audited, where EC2 did not answer for now.
    pub failed: Option<AuditError>,
}

/// Audits every group in scope without changing anything: the sweep, for a person who asks.
pub async fn survey(
    ec2: &impl SecurityGroups,
    settings: &Settings,
    places: &[Place],
    clock: Clock<'_>,
    progress: &dyn Fn(usize),
) -> Survey {
    let lookups = Lookups::new(ec2);
    let context =
        Context { ec2, lookups: &lookups, settings, clock, deadline: None, is_first: true };
    let sweeper =
        Sweeper { progress, ..Sweeper::new(context, Trigger::Sweep(Remediation::Notify)) };
    let Swept { mut tally, failed, .. } = sweeper.places(places, &Resume::default()).await;
    tally.partial |= failed.is_some();
    Survey { report: Report::new(&BaselineName::from(&settings.baseline), tally), failed }
}
