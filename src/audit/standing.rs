//! Whether rules that may be older than the change behind an audit are closed, or only planned to be
//! closed because no message has announced that yet.

use chrono::{DateTime, Utc};

use super::auditor::Auditor;
use super::ports::{Invoker, Notifier};
use super::promised::Promised;
use super::recalled::{LedgerAccess, Planned, Recalled, name_of_record};
use super::subject::Trigger;
use crate::ec2::{Place, SecurityGroups};
use crate::event::{FoundBy, Record};
use crate::finding::Planner;
use crate::ledger::{PlaceAudit, PlanTold, planned_for};

/// What is remembered of a place in which rules are judged that a change may not have opened.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// What only plans to close them, if something does.
    pub plans: Option<Planner>,
    /// What is remembered of holds, where anything is.
    pub promised: Option<Promised>,
}

impl LedgerAccess<'_> {
    /// Whether what is due in a place is only planned: an earlier sweep has to have reported on the
    /// whole place under these settings. `by` names this audit, whenever it is tried again.
    ///
    /// What cannot be written down is not planned: otherwise every audit would plan the same.
    pub async fn plans(
        &self,
        place: &Place,
        audit: Option<&PlaceAudit>,
        (planner, by): (Planner, &str),
        (hash, now): (&str, DateTime<Utc>),
    ) -> Option<Planner> {
        if let Some(audit) = audit.filter(|it| it.settings == hash) {
            return (audit.first == by).then_some(planner);
        }
        let told = self.ask(|ledger| ledger.planned(place, planner, hash)).await?;
        let is_over = |told: PlanTold| told.by != by && now - told.at >= planned_for(planner);
        (!told.is_some_and(is_over)).then_some(planner)
    }
}

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
    /// What is remembered of a place in which rules are judged that a change may not have opened.
    pub(super) async fn standing(
        &self,
        place: &Place,
        event: &Record,
        (found_by, now): (FoundBy, DateTime<Utc>),
        recalled: &mut Recalled,
    ) -> Standing {
        let (trigger, candidates) =
            (Trigger::WholeGroup(found_by), self.candidates(place.account.as_ref()));
        let reverts = candidates.iter().any(|it| trigger.remediation(it).reverts());
        let Some(memory) = self.memory.as_ref().filter(|_| reverts) else {
            return Standing::default();
        };
        let Some(entries) = memory.ask(|ledger| ledger.place(place)).await else {
            return Standing::default();
        };
        let by = name_of_record(event, now);
        let asked = (Planner::Change, by.as_str());
        let audit = entries.last_audit.as_ref();
        let hash = self.units.settings_hash(self.settings, place.account.as_ref());
        let plans = memory.plans(place, audit, asked, (&hash, now)).await;
        let planned = |planner| Planned {
            place: place.clone(),
            planner,
            settings: hash.clone(),
            by: by.clone(),
        };
        recalled.planned.extend(plans.map(planned));
        let promised = Promised::new(entries.holds).with_standing(place, &entries.findings);
        Standing { plans, promised: Some(promised) }
    }
}
