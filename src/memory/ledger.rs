use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::audit::{Ledger, LedgerError, LedgerFuture};
use crate::ec2::{GroupId, Place, RuleContent};
use crate::finding::{Brief, Planner};
use crate::ledger::item::{Attribute, Item, waiting_item, waits};
use crate::ledger::{
    Before, Contents, DAY, Entry, HeldRule, PlaceAudit, PlaceEntries, PlanTold, Resolution,
    Sighting, Waiting, Waits, one_more_mail,
};

/// What happens around a call to the ledger.
pub type LedgerHook = Box<dyn Fn(&'static str) -> Result<(), LedgerError>>;

/// Under which settings something is only planned, and when a message said so.
type Plan = (String, Option<PlanTold>);

/// A ledger in memory. It does what the table does, call by call.
#[derive(Default)]
pub struct MemoryLedger {
    findings: RefCell<BTreeMap<(Place, String), Entry>>,
    plans: RefCell<BTreeMap<(Place, Planner), Plan>>,
    audit: RefCell<BTreeMap<Place, PlaceAudit>>,
    contents: RefCell<BTreeMap<Place, Contents>>,
    held_until: RefCell<BTreeMap<Place, DateTime<Utc>>>,
    holds: RefCell<BTreeMap<(Place, GroupId, RuleContent), HeldRule>>,
    mails: RefCell<Vec<DateTime<Utc>>>,
    waiting: RefCell<BTreeMap<String, Item>>,
    not_understood: RefCell<BTreeSet<(Place, String)>>,
    last_daily: Cell<Option<DateTime<Utc>>>,
    calls: Cell<usize>,
    hook: RefCell<Option<LedgerHook>>,
}

impl std::fmt::Debug for MemoryLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryLedger").field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl MemoryLedger {
    /// How many calls were made since this was last asked.
    pub fn take_calls(&self) -> usize {
        self.calls.take()
    }

    /// Runs before and after each call, and may refuse it or lose its answer. It also runs when the
    /// ledger gets its time anew.
    pub fn set_hook(&self, hook: LedgerHook) {
        self.hook.replace(Some(hook));
    }

    /// What is remembered of findings.
    pub fn entries(&self) -> Vec<Entry> {
        self.findings.borrow().values().cloned().collect()
    }

    /// What waits for a digest.
    pub fn waits(&self) -> Vec<Waiting> {
        let items: Vec<Item> = self.waiting.borrow().values().cloned().collect();
        waits(&items).findings
    }

    /// Another version of the auditor has written what waits under this key.
    #[cfg(test)]
    pub(crate) fn put_waiting(&self, key: &str, item: Item) {
        self.waiting.borrow_mut().insert(key.to_owned(), item);
    }

    /// Another version of the auditor has written all that is remembered of findings.
    #[cfg(test)]
    pub(crate) fn forget_meanings(&self) {
        let findings = self.findings.take();
        self.not_understood.borrow_mut().extend(findings.into_keys());
    }

    /// Whole audits.
    pub fn audits(&self) -> Vec<PlaceAudit> {
        self.audit.borrow().values().cloned().collect()
    }

    fn answer<'a, T: 'a>(
        &'a self,
        call: &'static str,
        act: impl FnOnce(&Self) -> T + 'a,
    ) -> LedgerFuture<'a, T> {
        Box::pin(async move {
            self.calls.set(self.calls.get() + 1);
            if let Some(hook) = &*self.hook.borrow() {
                hook(call)?;
            }
            let answer = act(self);
            if let Some(hook) = &*self.hook.borrow() {
                hook("answer")?;
            }
            Ok(answer)
        })
    }

    fn see_one(&self, sighting: &Sighting) -> Before {
        let Brief { place, fingerprint, .. } = &sighting.brief;
        let mut findings = self.findings.borrow_mut();
        let key = (place.clone(), fingerprint.clone());
        if self.not_understood.borrow().contains(&key) {
            return Before::NotUnderstood;
        }
        let Some(entry) = findings.get_mut(&key) else {
            findings.insert(key, Entry::first(sighting));
            return Before::Nothing;
        };
        let before = entry.clone();
        if sighting.is_introduced || !entry.brief.is_open {
            entry.openings.insert(sighting.opening.clone());
        }
        if sighting.brief.seen >= entry.brief.seen {
            entry.brief = sighting.brief.clone();
            entry.is_untold = false;
        }
        Before::Entry(Box::new(before))
    }

    fn resolve_one(&self, gone: &Resolution) -> Option<Entry> {
        let mut findings = self.findings.borrow_mut();
        let entry = findings.get_mut(&(gone.place.clone(), gone.fingerprint.clone()))?;
        if entry.brief.is_open && entry.brief.seen <= gone.at {
            entry.brief.is_open = false;
            entry.brief.seen = gone.at;
            entry.is_untold = true;
        }
        entry.is_untold.then(|| entry.clone())
    }
}

impl Ledger for MemoryLedger {
    fn begin(&self) {
        if let Some(hook) = &*self.hook.borrow() {
            // It is no call, and cannot be refused.
            let _ = hook("begin");
        }
    }

    fn see<'a>(&'a self, sightings: &'a [Sighting]) -> LedgerFuture<'a, Vec<Before>> {
        self.answer("see", move |it| sightings.iter().map(|one| it.see_one(one)).collect())
    }

    fn resolve<'a>(&'a self, gone: &'a [Resolution]) -> LedgerFuture<'a, Vec<Entry>> {
        self.answer("resolve", move |it| {
            gone.iter().filter_map(|one| it.resolve_one(one)).collect()
        })
    }

    fn told<'a>(&'a self, resolved: &'a [Entry]) -> LedgerFuture<'a, ()> {
        self.answer("told", move |it| {
            for Entry { brief, .. } in resolved {
                let key = (brief.place.clone(), brief.fingerprint.clone());
                if let Some(entry) = it.findings.borrow_mut().get_mut(&key) {
                    entry.is_untold = false;
                }
            }
        })
    }

    fn place<'a>(&'a self, place: &'a Place) -> LedgerFuture<'a, PlaceEntries> {
        self.answer("place", move |it| {
            let findings = it.findings.borrow();
            let of_place = findings.iter().filter(|((of, _), _)| of == place);
            let findings = of_place.map(|(_, entry)| entry.clone()).collect();
            let last_audit = it.audit.borrow().get(place).cloned();
            let contents = it.contents.borrow().get(place).cloned();
            let unknown = it.not_understood.borrow();
            let unknown = unknown.iter().filter(|(of, _)| of == place);
            let not_understood = unknown.map(|(_, fingerprint)| fingerprint.clone()).collect();
            let holds = it.held(place);
            PlaceEntries { findings, holds, last_audit, contents, not_understood }
        })
    }

    fn planned<'a>(
        &'a self,
        place: &'a Place,
        planner: Planner,
        settings: &'a str,
    ) -> LedgerFuture<'a, Option<PlanTold>> {
        self.answer("planned", move |it| {
            let mut plans = it.plans.borrow_mut();
            let plan = plans.entry((place.clone(), planner)).or_default();
            if plan.0 != settings {
                *plan = (settings.to_owned(), None);
            }
            plan.1.clone()
        })
    }

    fn plan_told<'a>(
        &'a self,
        place: &'a Place,
        planner: Planner,
        settings: &'a str,
        told: &'a PlanTold,
    ) -> LedgerFuture<'a, ()> {
        self.answer("plan_told", move |it| {
            let mut plans = it.plans.borrow_mut();
            let plan = plans.get_mut(&(place.clone(), planner));
            if let Some(plan) = plan.filter(|plan| plan.0 == settings) {
                plan.1.get_or_insert_with(|| told.clone());
            }
        })
    }

    fn cover<'a>(&'a self, audit: &'a PlaceAudit) -> LedgerFuture<'a, ()> {
        self.answer("cover", move |it| {
            it.audit.borrow_mut().insert(audit.place.clone(), audit.clone());
        })
    }

    fn keep<'a>(&'a self, contents: &'a Contents) -> LedgerFuture<'a, ()> {
        self.answer("keep", move |it| {
            let mut kept = it.contents.borrow_mut();
            let known = kept.entry(contents.place.clone()).or_insert_with(|| contents.clone());
            if known.at <= contents.at {
                *known = contents.clone();
            }
        })
    }

    fn holds<'a>(&'a self, place: &'a Place) -> LedgerFuture<'a, Vec<HeldRule>> {
        self.answer("holds", move |it| it.held(place))
    }

    fn held_places(&self, now: DateTime<Utc>) -> LedgerFuture<'_, Vec<Place>> {
        self.answer("held_places", move |it| {
            let until = it.held_until.borrow();
            let is_held = |(place, until): (&Place, &DateTime<Utc>)| {
                (now - *until <= DAY).then(|| place.clone())
            };
            until.iter().filter_map(is_held).collect()
        })
    }

    fn hold<'a>(&'a self, rules: &'a [HeldRule]) -> LedgerFuture<'a, ()> {
        self.answer("hold", move |it| {
            for held in rules {
                if let Some(hold) = &held.hold {
                    let mut places = it.held_until.borrow_mut();
                    let until = places.entry(held.place.clone()).or_insert(hold.until);
                    *until = hold.until.max(*until);
                }
                let mut holds = it.holds.borrow_mut();
                let known = holds.entry(hold_key(held)).or_insert_with(|| held.clone());
                if held.hold.is_some() && (known.hold.is_none() || known.since < held.since) {
                    *known = held.clone();
                }
            }
        })
    }

    fn release<'a>(&'a self, rules: &'a [HeldRule]) -> LedgerFuture<'a, ()> {
        self.answer("release", move |it| {
            for held in rules {
                let mut holds = it.holds.borrow_mut();
                if holds.get(&hold_key(held)).is_some_and(|it| it.since <= held.since) {
                    holds.remove(&hold_key(held));
                }
            }
        })
    }

    fn may_mail(&self, now: DateTime<Utc>) -> LedgerFuture<'_, bool> {
        self.answer("may_mail", move |it| {
            let mails = one_more_mail(&it.mails.borrow(), now);
            let may = mails.is_some();
            it.mails.replace_with(|before| mails.unwrap_or_else(|| before.clone()));
            may
        })
    }

    fn wait<'a>(&'a self, findings: &'a [Waiting]) -> LedgerFuture<'a, ()> {
        self.answer("wait", move |it| {
            for one in findings {
                if let Ok(item) = waiting_item(one) {
                    it.waiting.borrow_mut().insert(one.key.clone(), item);
                }
            }
        })
    }

    fn waiting(&self) -> LedgerFuture<'_, Waits> {
        self.answer("waiting", |it| Waits { findings: it.waits(), last_daily: it.last_daily.get() })
    }

    fn digested<'a>(
        &'a self,
        findings: &'a [Waiting],
        daily: Option<DateTime<Utc>>,
    ) -> LedgerFuture<'a, ()> {
        Box::pin(async move {
            let told = |it: &Self| it.last_daily.set(daily.or(it.last_daily.get()));
            self.answer("digested", told).await?;
            for one in findings {
                if let Some(hook) = &*self.hook.borrow() {
                    hook("delete")?;
                }
                let mut waiting = self.waiting.borrow_mut();
                let stored = waiting.get(&one.key).and_then(|item| item.get("content"));
                if stored == Some(&Attribute::text(&one.stored)) {
                    waiting.remove(&one.key);
                }
            }
            Ok(())
        })
    }
}

impl MemoryLedger {
    fn held(&self, place: &Place) -> Vec<HeldRule> {
        let holds = self.holds.borrow();
        holds.values().filter(|held| held.place == *place).cloned().collect()
    }
}

fn hold_key(held: &HeldRule) -> (Place, GroupId, RuleContent) {
    (held.place.clone(), held.group.clone(), held.rule.content())
}
