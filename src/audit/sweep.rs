//! Every group in scope, page by page: what no event told of does not stay unseen.

use chrono::{DateTime, TimeDelta, Utc};

use super::case::Case;
use super::deadline::is_late;
use super::group::{Closing, GroupAudit};
use super::introduced::Introduced;
use super::library::Library;
use super::ports::{Ec2Error, Group, Place, SecurityGroups, Selection};
use super::summary::{Tally, report};
use super::{AuditError, Clock};
use crate::baseline::Lists;
use crate::ec2::Rule;
use crate::evaluate::open_ssh_in_baseline;
use crate::event::{FoundBy, Resume};
use crate::finding::{Finding, Report};
use crate::settings::{Remediation, Settings};

/// A page that takes longer than this is not finished where there is no time.
const SLOW: TimeDelta = TimeDelta::seconds(10);

/// Where in a place a sweep goes on.
#[derive(Default)]
struct Next {
    page: Option<String>,
    /// The groups of that page that are done.
    done: Vec<String>,
}

/// What a sweep found, and what it did not come to.
pub struct Swept {
    /// What was found.
    pub tally: Tally,
    /// Where to go on; `None` where all was looked at, or tried.
    pub rest: Option<Resume>,
    /// Why all of it has to be tried again.
    pub failed: Option<AuditError>,
}

impl Resume {
    /// The number of the place that has the turn `at`, of so many `places`.
    pub fn place_at(&self, at: usize, places: usize) -> usize {
        at.checked_sub(places).map_or(at, |behind| self.again.get(behind).copied().unwrap_or(at))
    }
}

/// Audits groups as they are.
pub struct Sweep<'a, E> {
    /// EC2.
    pub ec2: &'a E,
    /// What to hold groups against.
    pub settings: &'a Settings,
    /// What may be done about what is found.
    pub remediation: Remediation,
    /// The prefix lists, looked up once for all groups.
    pub library: &'a Library<'a, E>,
    /// What time it is.
    pub clock: Clock<'a>,
    /// When there has to be an answer. Without it, all of it is audited at once.
    pub deadline: Option<DateTime<Utc>>,
    /// With so many findings the rest is left to another invocation.
    pub most_findings: usize,
    /// Why the groups of a place cannot be reached, where that is so.
    pub reach: &'a dyn Fn(&Place) -> Option<String>,
    /// Told after each page how many groups were audited so far.
    pub progress: &'a dyn Fn(usize),
}

impl<E: SecurityGroups> Sweep<'_, E> {
    /// Audits the groups of some places. What cannot be looked at in one of them, for good or for
    /// now, does not stop the others.
    pub async fn places(&self, places: &[Place], from: &Resume) -> Swept {
        let mut swept = Swept { tally: Tally::default(), rest: None, failed: None };
        if *from == Resume::default() {
            self.call_out_wide_baseline(places.first(), &mut swept.tally).await;
        }
        let mut start = Next { page: from.page.clone(), done: from.groups_done.clone() };
        // Those that failed in an earlier invocation come behind all others.
        let turns = places.len() + from.again.len();
        let mut again = from.again.clone();
        for at in from.places_done..turns {
            let number = from.place_at(at, places.len());
            let Some(place) = places.get(number) else { continue };
            let next = match (self.reach)(place) {
                Some(reason) => {
                    swept.tally.findings.push(not_swept(place, &reason, (self.clock)()));
                    None
                }
                None => match self.place(place, start, &mut swept.tally).await {
                    Ok(next) => next.map(|next| (at, next)),
                    Err(AuditError::Ec2(error)) if !error.may_pass() => {
                        let reason = error.to_string();
                        swept.tally.findings.push(not_swept(place, &reason, (self.clock)()));
                        None
                    }
                    Err(error) => {
                        tracing::warn!(%error, place = place.called(), "to be swept again");
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
                let depth = from.depth + 1;
                swept.rest = Some(Resume { depth, places_done, page, groups_done, again });
                // What failed is in the rest. If this invocation failed too, it would be tried
                // again, and hand on the same rest each time: with many places that fail, three
                // times as many invocations in every round.
                swept.failed = None;
                break;
            }
        }
        swept
    }

    /// Audits the groups of a place from `start` on, and says where to go on where there was no
    /// time for all. What was found is in `tally` even where the sweep breaks off. At least one
    /// page is audited, or one group of a slow one, so that the next invocation goes on further.
    async fn place(
        &self,
        place: &Place,
        start: Next,
        tally: &mut Tally,
    ) -> Result<Option<Next>, AuditError> {
        let Next { mut page, mut done } = start;
        let mut resumed = page.is_some();
        let settings = self.settings.of_account(place.account.as_deref());
        loop {
            let which = Selection::Scope(&settings.scope);
            let got = match self.ec2.groups(place, which, page.as_deref()).await {
                // A token that was handed on is refused when it came too late, or when the settings
                // are others by now. What it stood for is not known, so all has its turn again.
                Err(Ec2Error::Refused { action: "DescribeSecurityGroups", code, .. })
                    if resumed =>
                {
                    tracing::warn!(code, place = place.called(), "swept from its first page again");
                    (resumed, page) = (false, None);
                    done.clear();
                    continue;
                }
                got => got?,
            };
            resumed = false;
            let began = (self.clock)();
            let left: Vec<_> =
                got.groups.iter().filter(|(group, _)| !done.contains(&group.id)).collect();
            let last = left.len();
            for (number, (group, rules)) in (1..).zip(left) {
                self.group(place, group, rules, &settings, tally).await?;
                done.push(group.id.clone());
                // Most pages take a moment. One with much to look up may take minutes.
                let is_slow = (self.clock)() - began > SLOW;
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

    /// Whether there is no time left for another page.
    fn is_late(&self) -> bool {
        is_late(self.deadline, (self.clock)())
    }

    /// Whether there are so many findings that more would fill the function's memory.
    fn is_full(&self, tally: &Tally) -> bool {
        self.deadline.is_some() && tally.findings.len() + tally.to_close.len() >= self.most_findings
    }

    async fn group(
        &self,
        place: &Place,
        group: &Group,
        rules: &[Rule],
        settings: &Settings,
        tally: &mut Tally,
    ) -> Result<(), AuditError> {
        // Where nothing else says whose the group is, EC2's answer does.
        let account = place.account.clone().or_else(|| group.owner.clone());
        let place = Place { account, region: place.region.clone() };
        let now = (self.clock)();
        let introduced =
            rules.iter().map(|rule| Introduced::standing(settings, rule, None, now)).collect();
        let audit = GroupAudit {
            ec2: self.ec2,
            library: self.library,
            settings,
            case: Case { place: &place, group: Some(group), record: None },
            group,
            rules,
            introduced,
            remediation: self.remediation,
            closing: Closing::Later(FoundBy::Sweep),
            cause: None,
            clock: self.clock,
        };
        audit.run(tally).await
    }

    /// Says once a sweep that the baseline itself is wide on SSH.
    async fn call_out_wide_baseline(&self, place: Option<&Place>, tally: &mut Tally) {
        let baseline = &self.settings.baseline;
        let mut lists = Lists::new();
        let Some(place) = place else { return };
        let today = (self.clock)().date_naive();
        let named = baseline.ssh_lists(today);
        let named = named.into_iter().map(ToOwned::to_owned).collect();
        if let Err(error) = self.library.look_up(place, named, &mut lists).await {
            // The groups have their turn all the same, and rules that hang on a list say so.
            tracing::warn!(%error, "whether the baseline is wide on SSH is not known");
        }
        if open_ssh_in_baseline(baseline, &lists, today) {
            let case = Case { place, group: None, record: None };
            tally.findings.push(case.open_ssh_in_baseline(&baseline.name, (self.clock)()));
        }
    }
}

/// The finding that the groups of a place were not looked at.
pub fn not_swept(place: &Place, reason: &str, time: DateTime<Utc>) -> Finding {
    Case { place, group: None, record: None }.not_looked_at(&place.called(), reason, time)
}

/// What there is to say of groups that were only looked at.
pub struct Survey {
    /// What was found.
    pub report: Report,
    /// Why not everything was looked at, where EC2 did not answer for now.
    pub failed: Option<AuditError>,
}

/// Audits every group in scope, without changing anything: the sweep, for somebody who asks.
pub async fn survey(
    ec2: &impl SecurityGroups,
    settings: &Settings,
    places: &[Place],
    clock: Clock<'_>,
    progress: &dyn Fn(usize),
) -> Survey {
    let library = Library::new(ec2);
    let sweep = Sweep {
        ec2,
        settings,
        remediation: Remediation::Notify,
        library: &library,
        clock,
        deadline: None,
        most_findings: usize::MAX,
        reach: &|_| None,
        progress,
    };
    let Swept { mut tally, failed, .. } = sweep.places(places, &Resume::default()).await;
    tally.partial = failed.is_some();
    Survey { report: report(&settings.baseline.reference(), tally), failed }
}
