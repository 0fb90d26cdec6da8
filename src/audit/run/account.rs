use std::error::Error;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::error::{NoMembers, RunError};
use super::ports::{Archive, Directory, Regions};
use super::runner::{Runner, key};
use super::task::{AccountSweep, PlaceResume};
use crate::audit::auditor::Audited;
use crate::audit::lookups::Lookups;
use crate::audit::subject::Trigger;
use crate::audit::sweep::{Next, Sweeper, Swept, not_swept};
use crate::audit::{AuditError, Clock, Counts, Invoker, Notifier};
use crate::ec2::{Ec2Error, Place, Region, SecurityGroups};
use crate::event::{Event, Job, Kind, Record, Sweep};
use crate::finding::{
    CoverageTotals, PlaceOutcome, PlaceSwept, Planner, Reason, Report, Run, RunName, Tally,
};
use crate::text::{causes, inert::clip};

/// A place that did not answer for so many sweeps in a row is given up.
const TRIES: u32 = 3;

/// How many characters of a reason are kept.
const LONGEST_REASON: usize = 300;

/// What became of an account so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountAnswer {
    pub places: Vec<PlaceSwept>,
    /// The sums.
    pub totals: CoverageTotals,
    /// What to ask for next; `None` where everything has had its turn.
    pub rest: Option<Rest>,
    /// Whether to wait before that, because nothing is left but places that did not answer.
    pub wait: bool,
}

/// What to ask for next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rest {
    /// The sweep of what is left.
    pub sweep: AccountSweep,
}

/// What became of an account, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSwept {
    pub run: RunName,
    /// The account's places.
    pub places: Vec<PlaceSwept>,
}

/// How a place was left.
enum Left {
    Done(PlaceSwept),
    /// There was no time for all of it.
    Unfinished(PlaceSwept, Next),
    /// It did not answer for now.
    Silent(AuditError),
}

impl<E, N, O, D, A> Runner<'_, E, N, O, D, A>
where
    E: SecurityGroups + Regions,
    N: Notifier,
    O: Invoker,
    D: Directory,
    A: Archive,
{
    /// Sweeps the regions of an account, publishes what was found and writes down what became of
    /// each. What there was no time for is in the answer.
    pub(super) async fn account(
        &self,
        asked: &AccountSweep,
        (clock, deadline): (Clock<'_>, Option<DateTime<Utc>>),
        counts: &mut Counts,
    ) -> Result<AccountAnswer, RunError> {
        let auditor = self.auditor;
        let began = clock();
        let lookups = Lookups::new(auditor.ec2);
        auditor.learn_units(Some(&asked.account)).await?;
        let trigger = Trigger::Sweep(auditor.settings.sweep_remediation);
        let sweeper = Sweeper {
            memory: auditor.memory.as_ref().map(|it| (it, Planner::Sweep, asked.run.as_str())),
            ..Sweeper::new(auditor.context(&lookups, clock, deadline), trigger)
        };
        let mut swept = Swept::default();
        let mut next = AccountSweep { resume: None, ..asked.clone() };
        let mut resume = asked.resume.clone();
        let mut is_late = false;
        for region in turns(asked) {
            if is_late {
                break;
            }
            let of_region = resume.take_if(|it| it.place.region == *region);
            match self.place(&next, region, &sweeper, of_region, &mut swept).await {
                Left::Done(place) => next.done.push(place),
                Left::Unfinished(place, came_to) => {
                    let Next { page, done: groups_done, began, forgot, settings, .. } = came_to;
                    let resume = PlaceResume { place, page, groups_done, began, forgot, settings };
                    next.resume = Some(resume);
                }
                Left::Silent(error) => {
                    let tried = next.tried.entry(region.clone()).or_default();
                    *tried += 1;
                    if *tried >= TRIES {
                        let AuditError::Ec2(error) = error else { return Err(error.into()) };
                        let place = self.unread(&next, region, &error, &mut swept.tally, clock);
                        next.done.push(place);
                    }
                }
            }
            is_late = sweeper.is_late() || sweeper.is_full(&swept.tally);
        }
        let mut answer = answer(next, is_late);
        self.publish(asked, swept, (began, clock), counts).await?;
        if let Some(resume) = answer.rest.as_mut().and_then(|rest| rest.sweep.resume.as_mut()) {
            resume.forgot |= auditor.forgot();
        }
        let kept = AccountSwept { run: asked.run.clone(), places: answer.places.clone() };
        let at = key(&asked.run, &format!("accounts/{}.json", asked.account));
        let json = serde_json::to_vec(&kept).unwrap_or_default();
        self.archive.put(&asked.bucket, &at, json).await?;
        Ok(answer)
    }

    async fn place(
        &self,
        asked: &AccountSweep,
        region: &Region,
        sweeper: &Sweeper<'_, E>,
        resume: Option<PlaceResume>,
        swept: &mut Swept,
    ) -> Left {
        let clock = sweeper.context.clock;
        let at = place_of(asked, region);
        if let Some(reason) = self.auditor.out_of_reach(&at) {
            swept.tally.findings.push(not_swept(&at, reason, clock()));
            return Left::Done(given_up(asked, region, &NoMembers, clock()));
        }
        let (mut place, start) = match resume {
            Some(PlaceResume { place, page, groups_done, began, forgot, settings }) => {
                let groups = place.groups;
                (place, Next { page, done: groups_done, began, groups, forgot, settings })
            }
            None => {
                let place = PlaceSwept::new(&asked.account, region, PlaceOutcome::Later);
                (place, Next::default())
            }
        };
        let Tally { groups, rules, findings, to_close, .. } = &swept.tally;
        let before = (*groups, *rules, findings.len(), to_close.len());
        let came = sweeper.place(&at, start, swept).await;
        self.auditor.tell_unheard(swept, clock);
        let Tally { groups, rules, findings, to_close, .. } = &swept.tally;
        place.groups += groups - before.0;
        place.rules += rules - before.1;
        let to_close = to_close.iter().skip(before.3).map(|one| &one.finding);
        for finding in findings.iter().skip(before.2).chain(to_close) {
            place.findings += 1;
            place.worst = place.worst.max(Some(finding.severity));
            place.codes.insert(finding.code);
        }
        place.at = Some(clock());
        match came {
            Ok(None) => {
                place.outcome = PlaceOutcome::Audited;
                Left::Done(place)
            }
            Ok(Some(next)) => Left::Unfinished(place, next),
            Err(AuditError::Ec2(error)) if !error.is_transient() => {
                Left::Done(self.unread(asked, region, &error, &mut swept.tally, clock))
            }
            Err(error) => {
                tracing::warn!(error = causes(&error), place = %at, "the place is tried again later");
                Left::Silent(error)
            }
        }
    }

    /// A place that cannot be read. That is published, once where the account has no role for the
    /// auditor.
    fn unread(
        &self,
        asked: &AccountSweep,
        region: &Region,
        error: &Ec2Error,
        found: &mut Tally,
        clock: Clock<'_>,
    ) -> PlaceSwept {
        let place = place_of(asked, region);
        let lacks_role = matches!(error, Ec2Error::NoRole { .. });
        let is_told = lacks_role && asked.done.iter().any(|done| done.lacks_role);
        if !is_told {
            found.findings.push(not_swept(&place, Reason::Ec2(error.clone()), clock()));
        }
        PlaceSwept { lacks_role, ..given_up(asked, region, error, clock()) }
    }

    /// Hands on what is to be closed and publishes what was found, as any sweep does.
    async fn publish(
        &self,
        asked: &AccountSweep,
        swept: Swept,
        (began, clock): (DateTime<Utc>, Clock<'_>),
        counts: &mut Counts,
    ) -> Result<(), RunError> {
        let Swept { tally, recalled, .. } = swept;
        let audited = self.auditor.found(tally);
        let run = Some(Run { name: asked.run.clone(), covered: None });
        let report = Report { run, ..audited.report };
        let record = Record::default();
        let kind = Kind::Job(Job::Sweep(Sweep::default()));
        let event = Event::new(record.clone(), kind);
        let audited = Audited { report, recalled, ..audited };
        self.auditor.tell(&event, &record, audited, (began, clock), counts).await?;
        Ok(())
    }
}

fn place_of(asked: &AccountSweep, region: &Region) -> Place {
    Place { account: Some(asked.account.clone()), region: Some(region.clone()) }
}

fn given_up(
    asked: &AccountSweep,
    region: &Region,
    why: &(dyn Error + 'static),
    now: DateTime<Utc>,
) -> PlaceSwept {
    let place = PlaceSwept::new(&asked.account, region, PlaceOutcome::Unread);
    PlaceSwept { at: Some(now), reason: Some(clip(&causes(why), LONGEST_REASON)), ..place }
}

/// The regions that are not done: first the one that goes on, last those that did not answer.
fn turns(asked: &AccountSweep) -> Vec<&Region> {
    let is_done = |region: &Region| asked.done.iter().any(|done| done.region == *region);
    let resumed = asked.resume.as_ref().map(|resume| &resume.place.region);
    let mut turns: Vec<_> = asked.regions.iter().filter(|region| !is_done(region)).collect();
    turns.sort_by_key(|&region| (resumed != Some(region), asked.tried.get(region)));
    turns.dedup();
    turns
}

fn answer(next: AccountSweep, is_late: bool) -> AccountAnswer {
    let mut places = next.done.clone();
    for region in &next.regions {
        if places.iter().all(|place| place.region != *region) {
            let of_region = next.resume.as_ref().filter(|it| it.place.region == *region);
            places.push(match of_region {
                Some(resume) => resume.place.clone(),
                None => PlaceSwept::new(&next.account, region, PlaceOutcome::Later),
            });
        }
    }
    let is_left = places.iter().any(|place| place.outcome == PlaceOutcome::Later);
    AccountAnswer {
        totals: CoverageTotals::of(&places),
        places,
        wait: is_left && !is_late && next.resume.is_none(),
        rest: is_left.then_some(Rest { sweep: next }),
    }
}
