//! The sweep: every group in scope, page by page, so that nothing an event missed stays unseen.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::auditor::{Audited, Auditor};
use super::context::Context;
use super::error::AuditError;
use super::lookups::Lookups;
use super::ports::{Clock, Invoker, Notifier};
use super::promised::Promised;
use super::recalled::{LedgerAccess, Planned, Recalled, SweptPlace};
use super::standing::Standing;
use super::subject::{Candidates, Subject, Trigger};
use super::units::{Units, common_scope, named};
use crate::baseline::Lists;
use crate::ec2::{Ec2Error, Group, GroupId, Pages, Place, Rule, SecurityGroups, Selection};
use crate::evaluate::admits_wide_ssh;
use crate::event::{Job, Note, Record, Resume, Sweep};
use crate::finding::{BaselineName, Finding, Origin, Planner, Reason, Report, Tally, Unaudited};
use crate::ledger::Comparison;
use crate::settings::{Remediation, Settings};
use crate::text::causes;

/// A finding takes some 8 KB with its message, and the function has 256 MB.
const MAX_FINDINGS: usize = 10_000;

/// A page that takes longer than this may be left unfinished when time runs out.
const SLOW: TimeDelta = TimeDelta::seconds(10);

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
    /// Audits every group in scope in the places of a sweep.
    pub(super) async fn sweep(
        &self,
        sweep: &Sweep,
        name: String,
        clock: Clock<'_>,
        deadline: Option<DateTime<Utc>>,
    ) -> Audited {
        let lookups = Lookups::new(self.ec2);
        let trigger = Trigger::Sweep(self.settings.sweep_remediation);
        let sweeper = Sweeper {
            reach: &|place| self.out_of_reach(place),
            memory: self.memory.as_ref().map(|memory| (memory, Planner::Sweep, name.as_str())),
            ..Sweeper::new(self.context(&lookups, clock, deadline), trigger)
        };
        let places = self.places(sweep);
        let mut swept = sweeper.places(&places, &sweep.resume).await;
        self.tell_unheard(&mut swept, clock);
        let Swept { mut tally, recalled, rest, failed } = swept;
        tally.partial |= rest.is_some() || failed.is_some();
        tally.findings.extend(self.unfed(sweep, &places, clock).await);
        let rest = rest.map(|resume| {
            let resume = Resume { sweep: Some(name), ..resume };
            Job::Sweep(Sweep { resume, ..sweep.clone() })
        });
        Audited { recalled, rest, failed, ..self.found(tally) }
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
pub(super) struct Next {
    pub page: Option<String>,
    /// The groups of that page that are done.
    pub done: Vec<GroupId>,
    /// When the audit of the place began, and how many groups were audited since.
    pub began: Option<DateTime<Utc>>,
    pub groups: usize,
    /// Whether something that was found in it could not be remembered. The rest must not take that for
    /// something that nobody found.
    pub forgot: bool,
    /// A hash of the settings that all of it was audited with so far, where that is remembered.
    pub settings: Option<String>,
}

/// What a sweep found, and what it did not get to.
#[derive(Default)]
pub(super) struct Swept {
    pub tally: Tally,
    /// What was remembered of the places, and which of them were audited as a whole.
    pub recalled: Recalled,
    /// Where to continue; `None` where everything was audited, or tried.
    pub rest: Option<Resume>,
    /// Why all of it has to be tried again.
    pub failed: Option<AuditError>,
}

/// What is remembered of a place when a sweep begins with it, or goes on.
#[derive(Default)]
struct Known {
    /// Which sweep first reported on all of it under these settings: this one if none did before.
    first: String,
    /// A hash of the settings, where anything is remembered.
    settings: Option<String>,
    /// That what is due is only planned, as it is remembered once the place was read.
    planned: Option<Planned>,
    /// What is remembered of its rules.
    standing: Standing,
    /// What compares the groups with what they were.
    comparison: Option<Comparison>,
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
    /// What is remembered, where the sweep compares with it; what plans; and what names the sweep.
    pub memory: Option<(&'a LedgerAccess<'a>, Planner, &'a str)>,
    /// Called after each page with the number of groups audited so far.
    pub progress: &'a dyn Fn(usize),
}

impl<'a, E: SecurityGroups> Sweeper<'a, E> {
    /// Every group can be reached, and nobody follows the progress.
    pub fn new(context: Context<'a, E>, trigger: Trigger<'a>) -> Self {
        let max_findings = MAX_FINDINGS;
        Self {
            context,
            trigger,
            change: None,
            max_findings,
            reach: &|_| None,
            memory: None,
            progress: &|_| {},
        }
    }

    /// Audits the groups of some places. What cannot be read in one of them, for good or for now,
    /// does not stop the others.
    pub async fn places(&self, places: &[Place], from: &Resume) -> Swept {
        let mut swept = Swept::default();
        if *from == Resume::default() && self.change.is_none() {
            self.call_out_wide_baselines(places, &mut swept.tally).await;
        }
        let mut start = Next {
            page: from.page.clone(),
            done: from.groups_done.clone(),
            began: from.began,
            groups: from.groups,
            forgot: from.forgot,
            settings: from.settings.clone(),
        };
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
                None => match self.place(place, start, &mut swept).await {
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
                let Next { page, done: groups_done, began, groups, forgot, settings } = next;
                let missed = from.missed || swept.tally.partial;
                swept.rest = Some(Resume {
                    places_done,
                    page,
                    groups_done,
                    again,
                    missed,
                    began,
                    groups,
                    forgot,
                    settings,
                    sweep: None,
                });
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
    pub async fn place(
        &self,
        place: &Place,
        start: Next,
        swept: &mut Swept,
    ) -> Result<Option<Next>, AuditError> {
        let Next { mut page, mut done, began: before, groups, forgot, settings: was } = start;
        let began = before.unwrap_or_else(|| (self.context.clock)());
        let Known { first, settings, planned, standing, comparison } =
            self.recall(place, began, &mut swept.recalled).await;
        let Standing { plans, promised } = standing;
        let mut comparison = comparison.filter(|_| before.is_none());
        // Nobody has seen under these settings what was audited before.
        let is_mixed = before.is_some() && settings.is_some() && settings != was;
        let settings = settings.filter(|_| !is_mixed);
        let forgot = forgot || is_mixed;
        let Swept { tally, recalled, .. } = &mut *swept;
        let earlier = tally.groups;
        let next = |page, done, tally: &Tally| {
            let groups = groups + tally.groups - earlier;
            let settings = settings.clone();
            Some(Next { page, done, began: Some(began), groups, forgot, settings })
        };
        let mut resumed = page.is_some();
        let which = Selection::Scope(common_scope(self.context.settings));
        let from = |page| Pages::new(self.context.ec2, place, which, page);
        let mut pages = from(page.clone());
        loop {
            let got = match pages.next(!self.is_late()).await {
                // A token that was handed on is refused when it came too late, or when the settings
                // changed. What it stood for is not known, so the place starts again.
                Err(Ec2Error::Refused { action: "DescribeSecurityGroups", code, .. })
                    if resumed =>
                {
                    tracing::warn!(code, %place, "the place is swept again from its first page");
                    (resumed, page, pages) = (false, None, from(None));
                    done.clear();
                    continue;
                }
                got => got?,
            };
            resumed = false;
            let page_began = (self.context.clock)();
            let left: Vec<_> =
                got.groups.iter().filter(|(group, _)| !done.contains(&group.id)).collect();
            let last = left.len();
            for (number, (group, rules)) in (1..).zip(left) {
                // What another account remembers of a group that it shares is not known.
                let is_own = group.owned_at(place) == *place;
                let promised = promised.as_ref().filter(|_| is_own);
                if let Some(promised) = promised {
                    recalled.unseen.extend(promised.unseen(place, &group.id, rules, page_began));
                    recalled.gone.extend(promised.gone(&group.id, rules).cloned());
                }
                let (found, to_close) = (tally.findings.len(), tally.to_close.len());
                self.group(place, (group, rules), (plans, promised), tally).await?;
                if let Some(comparison) = comparison.as_mut().filter(|_| is_own) {
                    let to_close = tally.to_close.iter().skip(to_close).map(|it| &it.finding);
                    let found = tally.findings.iter().skip(found).chain(to_close);
                    comparison.group(&group.id, rules, found);
                }
                done.push(group.id.clone());
                // Most pages take a moment. One with much to look up may take minutes.
                let is_slow = (self.context.clock)() - page_began > SLOW;
                if number < last && is_slow && self.is_late() {
                    return Ok(next(page, done, tally));
                }
            }
            done.clear();
            (self.progress)(tally.groups);
            match got.next {
                None => {
                    let groups = groups + tally.groups - earlier;
                    let is_from_start = before.is_none();
                    let place = place.clone();
                    let settings = settings.unwrap_or_default();
                    let whole = SweptPlace { place, began, groups, is_from_start, settings, first };
                    recalled.planned.extend(planned.filter(|_| !is_mixed));
                    recalled.whole.extend((!forgot).then_some(whole));
                    let now = (self.context.clock)();
                    if let Some((contents, unheard)) = comparison.and_then(|it| it.end(now)) {
                        let place = &contents.place;
                        recalled.unheard.extend(unheard.map(|unheard| (place.clone(), unheard)));
                        recalled.contents.push(contents);
                    }
                    return Ok(None);
                }
                following if self.is_late() || self.is_full(tally) => {
                    return Ok(next(following, done, tally));
                }
                following => page = following,
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
    pub fn is_late(&self) -> bool {
        self.context.is_late()
    }

    /// Whether there are so many findings that more would fill the function's memory.
    pub fn is_full(&self, tally: &Tally) -> bool {
        self.context.deadline.is_some()
            && tally.findings.len() + tally.to_close.len() >= self.max_findings
    }

    async fn group(
        &self,
        place: &Place,
        (group, rules): (&Group, &[Rule]),
        (plans, promised): (Option<Planner>, Option<&Promised>),
        tally: &mut Tally,
    ) -> Result<(), AuditError> {
        if !self.context.is_in_scope(place, group) {
            return Ok(());
        }
        let (record, note) = self.change.unzip();
        let promised = promised.map(|promised| (promised, &group.id));
        let candidates = Candidates::State { rules: rules.into(), note: note.cloned(), promised };
        let subject = Subject::new(place, record, (group, rules), self.trigger, candidates);
        Context { plans, ..self.context }.audit(&subject, tally).await
    }

    /// Reads what is remembered of a place.
    async fn recall(&self, place: &Place, began: DateTime<Utc>, recalled: &mut Recalled) -> Known {
        let Some((memory, planner, name)) = self.memory else { return Known::default() };
        let Context { settings, units, .. } = self.context;
        let hash = units.settings_hash(settings, place.account.as_ref());
        let Some(mut entries) = memory.ask(|ledger| ledger.place(place)).await else {
            return Known { settings: Some(hash), ..Known::default() };
        };
        let promised = Promised::new(entries.holds.clone()).with_standing(place, &entries.findings);
        let candidates = units.candidates(settings, place.account.as_ref(), None);
        let comparison = Comparison::new(place, began, &mut entries, &hash);
        let last_audit = entries.last_audit.as_ref();
        let plans = match candidates.iter().any(|it| self.trigger.remediation(it).reverts()) {
            true => {
                let now = (self.context.clock)();
                memory.plans(place, last_audit, (planner, name), (&hash, now)).await
            }
            false => None,
        };
        let planned = plans.map(|planner| Planned {
            place: place.clone(),
            planner,
            settings: hash.clone(),
            by: name.to_owned(),
        });
        let first = last_audit.filter(|it| it.settings == hash).map(|it| it.first.clone());
        recalled.places.push((place.clone(), entries));
        let first = first.unwrap_or_else(|| name.to_owned());
        // A change is no sweep, and changes nothing of what the next one compares.
        let comparison = (planner == Planner::Sweep).then_some(comparison);
        let standing = Standing { plans, promised: Some(promised) };
        Known { first, settings: Some(hash), planned, standing, comparison }
    }

    /// Reports once a sweep that a baseline itself is wide on SSH: each that may apply in the places.
    pub async fn call_out_wide_baselines(&self, places: &[Place], tally: &mut Tally) {
        let Context { settings, units, .. } = self.context;
        let mut told = BTreeSet::new();
        for place in places {
            let candidates = match settings.bound.as_slice() {
                [] if !told.is_empty() => break,
                _ => units.candidates(settings, place.account.as_ref(), None),
            };
            for settings in candidates {
                if told.insert(settings.binding.clone()) {
                    self.call_out_wide_baseline(settings, place, tally).await;
                }
            }
        }
    }

    /// Reports that the baseline of these settings is wide on SSH.
    pub async fn call_out_wide_baseline(
        &self,
        settings: &Settings,
        place: &Place,
        tally: &mut Tally,
    ) {
        let baseline = &settings.baseline;
        let mut lists = Lists::new();
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
            let mut finding = origin.wide_baseline(&baseline.name, None, now);
            finding.bind(&settings.binding, &[]);
            tally.findings.push(finding);
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
    (settings, units): (&Settings, &Units),
    places: &[Place],
    clock: Clock<'_>,
    progress: &dyn Fn(usize),
) -> Survey {
    let lookups = Lookups::new(ec2);
    let context = Context {
        ec2,
        lookups: &lookups,
        settings,
        units,
        clock,
        deadline: None,
        is_first: true,
        plans: None,
    };
    let sweeper =
        Sweeper { progress, ..Sweeper::new(context, Trigger::Sweep(Remediation::Notify)) };
    let Swept { mut tally, failed, .. } = sweeper.places(places, &Resume::default()).await;
    tally.partial |= failed.is_some();
    let name = BaselineName::from(named(settings, &tally.bindings));
    Survey { report: Report::new(&name, tally), failed }
}
