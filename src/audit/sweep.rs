//! Every group in scope, page by page: what no event told of does not stay unseen.

use chrono::{DateTime, TimeDelta, Utc};

use super::case::Case;
use super::group::GroupAudit;
use super::introduced::Introduced;
use super::library::Library;
use super::ports::{Group, Place, SecurityGroups, Selection};
use super::summary::{Tally, report};
use super::{AuditError, Clock};
use crate::baseline::Lists;
use crate::evaluate::open_ssh_in_baseline;
use crate::event::Resume;
use crate::finding::{Finding, Report};
use crate::rule::Rule;
use crate::settings::{Remediation, Settings};

/// So long before the deadline the sweep stops: what was found has to be published, and the rest
/// handed on, each of which may take as long as a call with its retries.
const RESERVE: TimeDelta = TimeDelta::seconds(35);

/// How far a sweep came in one place.
enum Reached {
    /// All groups are audited.
    End,
    /// There was no time for more: this page is the next, or the first one where it is `None`.
    Page(Option<String>),
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
    /// When there has to be an answer.
    pub deadline: Option<DateTime<Utc>>,
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
        let mut page = from.page.clone();
        for (at, place) in places.iter().enumerate().skip(from.places_done) {
            let next = match (self.reach)(place) {
                Some(reason) => {
                    swept.tally.findings.push(not_swept(place, &reason, (self.clock)()));
                    None
                }
                None => match self.place(place, page.take(), &mut swept.tally).await {
                    Ok(Reached::End) => None,
                    Ok(Reached::Page(page)) => Some((at, page)),
                    Err(AuditError::Ec2(error)) if !error.may_pass() => {
                        let reason = error.to_string();
                        swept.tally.findings.push(not_swept(place, &reason, (self.clock)()));
                        None
                    }
                    Err(error) => {
                        tracing::warn!(%error, place = place.called(), "to be swept again");
                        swept.failed.get_or_insert(error);
                        None
                    }
                },
            };
            let next = next
                .or_else(|| (self.is_late() && at + 1 < places.len()).then_some((at + 1, None)));
            if let Some((places_done, page)) = next {
                swept.rest = Some(Resume { depth: from.depth + 1, places_done, page });
                break;
            }
        }
        swept
    }

    /// Audits the groups of a place from `page` on. What was found is in `tally` even where the
    /// sweep breaks off. At least one page is audited, so that the next invocation goes on further;
    /// or so much of it that something was reverted, which the next one does not find again. Reverts
    /// take time, and one that nobody was told of before the function is stopped is lost.
    async fn place(
        &self,
        place: &Place,
        mut page: Option<String>,
        tally: &mut Tally,
    ) -> Result<Reached, AuditError> {
        let mut settings = self.settings.clone();
        settings.baseline = settings.baseline.of_account(place.account.as_deref());
        let mut reverted = false;
        loop {
            let which = Selection::Scope(&settings.scope);
            let got = self.ec2.groups(place, which, page.as_deref()).await?;
            for (group, rules) in &got.groups {
                let before = tally.findings.len();
                tally.extend(self.group(place, group, rules, &settings).await?);
                let mut found = tally.findings.iter().skip(before);
                reverted |= found.any(|it| it.remediation.took_away());
                if reverted && self.is_late() {
                    return Ok(Reached::Page(page));
                }
            }
            (self.progress)(tally.groups);
            match got.next {
                None => return Ok(Reached::End),
                Some(next) if self.is_late() => return Ok(Reached::Page(Some(next))),
                next => page = next,
            }
        }
    }

    /// Whether there is no time left for another page.
    fn is_late(&self) -> bool {
        is_late(self.clock, self.deadline)
    }

    async fn group(
        &self,
        place: &Place,
        group: &Group,
        rules: &[Rule],
        settings: &Settings,
    ) -> Result<Tally, AuditError> {
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
            cause: None,
            clock: self.clock,
        };
        audit.run().await
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

/// Whether it is time to publish what there is.
pub fn is_late(clock: Clock<'_>, deadline: Option<DateTime<Utc>>) -> bool {
    deadline.is_some_and(|deadline| clock() + RESERVE > deadline)
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
        reach: &|_| None,
        progress,
    };
    let Swept { mut tally, failed, .. } = sweep.places(places, &Resume::default()).await;
    tally.partial = failed.is_some();
    Survey { report: report(&settings.baseline.reference(), tally), failed }
}
