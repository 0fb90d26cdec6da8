//! Whether the auditor hears of changes: EventBridge gets a call only where a trail records it, and the
//! function only where a rule forwards it.

use chrono::{DateTime, Timelike, Utc};

use super::auditor::Auditor;
use super::ports::{Clock, Invoker, Notifier, Trail};
use super::sweep::Swept;
use crate::ec2::{Ec2Error, Place, Region, SecurityGroups};
use crate::event::trail::{Records, Unfit};
use crate::event::{Resume, Schedule, Sweep};
use crate::finding::{Finding, Origin, Unfed, UnfitTrail};

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
    /// The finding that no trail records the changes of the function's own account and region, for a
    /// sweep that looks there to tell. A trail that cannot be looked up does not stop the sweep.
    pub(super) async fn unfed(
        &self,
        sweep: &Sweep,
        places: &[Place],
        clock: Clock<'_>,
    ) -> Option<Finding> {
        let (trails, region) = (self.trails?, self.home.region.as_ref()?);
        let is_first = sweep.resume == Resume::default();
        if !is_first || !places.contains(self.home) || !is_due(sweep.schedule, clock()) {
            return None;
        }
        let unfed = match trails.trails().await {
            Ok(trails) => unfed(region, trails)?,
            Err(error) => Unfed::NotSeen(error),
        };
        let origin = Origin { place: self.home, group: None, record: None };
        Some(origin.unfed(unfed, self.doctor_line(), clock()))
    }

    /// Tells of the places of a sweep in which groups changed and no event came.
    pub(super) fn tell_unheard(&self, swept: &mut Swept, clock: Clock<'_>) {
        for (place, unheard) in std::mem::take(&mut swept.recalled.unheard) {
            let origin = Origin { place: &place, group: None, record: None };
            let doctor = self.doctor_line().filter(|_| place == *self.home);
            let finding = origin.unfed(Unfed::Unheard(unheard), doctor, clock());
            swept.tally.findings.push(finding);
        }
    }
}

/// Whether this sweep tells of it. An hourly one would tell every hour, so only the first of a day
/// does. No other schedule sweeps twice a day.
fn is_due(schedule: Option<Schedule>, now: DateTime<Utc>) -> bool {
    schedule != Some(Schedule::Hourly) || now.hour() == 0
}

/// Why none of these trails records the region, unless one does.
fn unfed(region: &Region, trails: Vec<Trail>) -> Option<Unfed> {
    let mut unfit = Vec::new();
    let mut not_seen: Option<Ec2Error> = None;
    for trail in trails {
        if trail.home != *region && !trail.is_of_all_regions {
            continue;
        }
        let why = match trail.seen {
            Ok((_, Records::None)) => Unfit::LeavesOut,
            Ok((false, _)) => Unfit::Stopped,
            Ok((true, Records::All | Records::Partly(_))) => return None,
            Err(error) => {
                not_seen.get_or_insert(error);
                continue;
            }
        };
        unfit.push(UnfitTrail { arn: trail.arn, home: trail.home, why });
    }
    // The one that could not be looked up may be the one that records it.
    Some(not_seen.map_or(Unfed::Trails(unfit), Unfed::NotSeen))
}
