//! Compares the findings of an audit with those that are remembered, after the audit has acted and
//! before anything is published. So each finding gets its status, and a finding that is not new is not
//! mailed again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::auditor::Auditor;
use super::ports::{Invoker, Notifier};
use super::promised::{authorized, ended, is_the_same};
use super::recalled::{LedgerAccess, Planned, Recalled, has_change, occasion};
use crate::baseline::Lists;
use crate::ec2::{GroupId, GroupKey, Place, Rule, SecurityGroups};
use crate::evaluate::{Judge, Severity};
use crate::event::{ChangeKind, Event, FoundBy, Job, Kind, ModifiedRule, NotAudited, Removed};
use crate::finding::{
    Brief, Finding, FoundGroup, Mail, Matter, Origin, Outcome, Remark, Report, fingerprint,
    fingerprint_of,
};
use crate::ledger::{
    Before, Contents, Entry, HeldRule, MAILS, Opened, PlaceAudit, PlaceEntries, PlanTold,
    Resolution, Sighting, Waiting, is_news, life,
};

/// A sweep looks up so many groups that it has not met, to tell whether their findings are resolved.
const LOOKUPS: usize = 50;

/// What is remembered once a report was published.
#[derive(Default)]
pub(super) struct AfterPublication {
    sightings: Vec<Sighting>,
    resolved: Vec<Entry>,
    covered: Vec<PlaceAudit>,
    contents: Vec<Contents>,
    planned: Vec<(Planned, PlanTold)>,
    unseen: Vec<HeldRule>,
    gone: Vec<HeldRule>,
    ended: Vec<HeldRule>,
}

impl<E: SecurityGroups, N: Notifier, O: Invoker> Auditor<'_, E, N, O> {
    /// Gives each finding its status, adds what was resolved, and decides whether the report is
    /// mailed at once. What is not waits for a digest by then.
    ///
    /// A change is remembered here, in one call that answers with what there was before. A second try
    /// of it gets the same status, because it is known by its event. A sweep has no such name: its
    /// findings are only compared here, and remembered once they are published.
    pub(super) async fn remember(
        &self,
        report: &mut Report,
        event: &Event,
        (recalled, handed_on): (&Recalled, &[Finding]),
        (began, now): (DateTime<Utc>, DateTime<Utc>),
    ) -> AfterPublication {
        let mut after = AfterPublication::default();
        let Some(memory) = &self.memory else { return after };
        let told = |plan: &Planned| (plan.clone(), PlanTold { at: now, by: plan.by.clone() });
        after.planned = recalled.planned.iter().map(told).collect();
        let occasion = occasion(event, began);
        let is_introduced = introduces(event);
        let is_sweep = matches!(event.kind, Kind::Job(Job::Sweep(_)));
        let sightings: Vec<Option<Sighting>> =
            report.findings.iter().map(|it| sighting(it, &occasion, is_introduced)).collect();
        let seen: Vec<Sighting> = sightings.iter().flatten().cloned().collect();
        let before = match is_sweep {
            true => self.recall_all(memory, recalled, &seen).await,
            false if seen.is_empty() => Some(Vec::<Before>::new()),
            false => memory.ask(|ledger| ledger.see(&seen)).await,
        };
        remember_holds(memory, report, event, now).await;
        let Some(before) = before else {
            report.mail = Mail::Now { parts: MAILS };
            return after;
        };
        let mut news = BTreeSet::new();
        let mut before = before.into_iter();
        for (finding, sighting) in report.findings.iter_mut().zip(&sightings) {
            let before = sighting.as_ref().and_then(|_| before.next());
            let entry = before.as_ref().and_then(Before::entry);
            // As without memory.
            let is_known = before != Some(Before::NotUnderstood);
            if finding.is_lasting() && is_known {
                finding.life = sighting.as_ref().map(|it| life(entry, it));
            }
            if is_worth_a_mail(finding, sighting.as_ref(), entry, memory.least) {
                news.insert(finding.id.clone());
            }
        }
        let gone = match is_sweep {
            true => self.no_longer_found(report, recalled, handed_on).await,
            false => self.closed_by_event(memory, event, report, now).await,
        };
        if !gone.is_empty()
            && let Some(resolved) = memory.ask(|ledger| ledger.resolve(&gone)).await
        {
            let place = self.place(&event.record);
            let findings = resolved.iter().map(|entry| resolved_finding(entry, &place, event));
            let findings: Vec<Finding> = findings.collect();
            if !findings.is_empty() {
                report.add(findings);
            }
            after.resolved = resolved;
        }
        if is_sweep {
            (after.unseen, after.gone) = (recalled.unseen.clone(), recalled.gone.clone());
            after.contents.clone_from(&recalled.contents);
            // Whether they can be closed is told by the invocation that closes them.
            let of_handed_on = handed_on.iter().map(|it| {
                let mut sighting = sighting(it, &occasion, false)?;
                sighting.brief.outcome = Outcome::None;
                Some(sighting)
            });
            after.sightings = sightings.into_iter().chain(of_handed_on).flatten().collect();
            let covered = recalled.whole.iter().map(|swept| PlaceAudit {
                place: swept.place.clone(),
                at: swept.began,
                groups: swept.groups,
                settings: swept.settings.clone(),
                first: swept.first.clone(),
            });
            after.covered = covered.collect();
        }
        after.ended = report.findings.iter().filter_map(|finding| ended(finding, now)).collect();
        if report.run.is_some() {
            // What is new in a run is told when it ends.
            news.clear();
        }
        self.choose_mail(memory, report, &news, now).await;
        after
    }

    /// What was remembered of the findings of a sweep: in its places, and in those of other accounts
    /// whose groups it was shown.
    async fn recall_all(
        &self,
        memory: &LedgerAccess<'_>,
        recalled: &Recalled,
        seen: &[Sighting],
    ) -> Option<Vec<Before>> {
        let mut others: Vec<(Place, PlaceEntries)> = Vec::new();
        for Sighting { brief, .. } in seen {
            let is_read = |places: &[(Place, PlaceEntries)]| {
                places.iter().any(|(place, _)| *place == brief.place)
            };
            if !is_read(&recalled.places) && !is_read(&others) {
                let entries = memory.ask(|ledger| ledger.place(&brief.place)).await?;
                others.push((brief.place.clone(), entries));
            }
        }
        let mut all = BTreeMap::new();
        for entry in recalled.places.iter().chain(&others).flat_map(|(_, it)| &it.findings) {
            all.insert(entry.brief.fingerprint.as_str(), entry);
        }
        let places = || recalled.places.iter().chain(&others).map(|(_, entries)| entries);
        let is_unknown = |it: &str| places().any(|entries| entries.not_understood.contains(it));
        let of = |one: &Sighting| match all.get(one.brief.fingerprint.as_str()) {
            Some(entry) => Before::Entry(Box::new((*entry).clone())),
            None if is_unknown(&one.brief.fingerprint) => Before::NotUnderstood,
            None => Before::Nothing,
        };
        (memory.failures() == 0).then(|| seen.iter().map(of).collect())
    }

    /// The same for a report of which nothing is remembered.
    pub(super) async fn budget_mail(&self, report: &mut Report, now: DateTime<Utc>) {
        let Some(memory) = &self.memory else { return };
        let news = report.findings.iter().filter(|finding| finding.severity >= memory.least);
        let news = news.map(|finding| finding.id.clone()).collect();
        self.choose_mail(memory, report, &news, now).await;
    }

    /// Decides whether a report is mailed at once. What is not waits from now on; where it cannot,
    /// it is mailed.
    async fn choose_mail(
        &self,
        memory: &LedgerAccess<'_>,
        report: &mut Report,
        news: &BTreeSet<String>,
        now: DateTime<Utc>,
    ) {
        if report.findings.is_empty() {
            return;
        }
        let is_news = report.findings.iter().any(|finding| news.contains(&finding.id));
        let mailed = is_news && memory.ask(|ledger| ledger.may_mail(now)).await.unwrap_or(true);
        let in_mail = match mailed {
            true => self.notifier.parts(report).first().copied().unwrap_or(report.findings.len()),
            false => 0,
        };
        let left = report.findings.iter().skip(in_mail);
        let waiting: Vec<Waiting> =
            left.map(|finding| Waiting::new(finding, news.contains(&finding.id))).collect();
        let waits =
            waiting.is_empty() || memory.ask(|ledger| ledger.wait(&waiting)).await.is_some();
        report.mail = match (mailed, waits) {
            (false, true) => Mail::Later,
            (true, true) => Mail::Now { parts: 1 },
            (_, false) => Mail::Now { parts: MAILS },
        };
    }

    /// Remembers what was published.
    pub(super) async fn remember_published(&self, after: &AfterPublication) {
        let Some(memory) = &self.memory else { return };
        // Nobody waits for it any more.
        memory.renew();
        for (Planned { place, planner, settings, .. }, told) in &after.planned {
            memory.ask(|ledger| ledger.plan_told(place, *planner, settings, told)).await;
        }
        // What is known of them is no news for the next sweep, so the change has to be known before.
        for contents in &after.contents {
            memory.ask(|ledger| ledger.keep(contents)).await;
        }
        if !after.sightings.is_empty() {
            memory.ask(|ledger| ledger.see(&after.sightings)).await;
        }
        if !after.resolved.is_empty() {
            memory.ask(|ledger| ledger.told(&after.resolved)).await;
        }
        if !after.unseen.is_empty() {
            memory.ask(|ledger| ledger.hold(&after.unseen)).await;
        }
        if !after.ended.is_empty() {
            memory.ask(|ledger| ledger.release(&after.ended)).await;
            memory.ask(|ledger| ledger.hold(&after.ended)).await;
        }
        if !after.gone.is_empty() {
            memory.ask(|ledger| ledger.release(&after.gone)).await;
        }
        for audit in &after.covered {
            memory.ask(|ledger| ledger.cover(audit)).await;
        }
    }

    /// What a whole audit of its place no longer found. A group that is out of scope was not audited,
    /// so its findings stay as they are; so do those of a group of which EC2 does not say whether it
    /// is still there.
    async fn no_longer_found(
        &self,
        report: &Report,
        recalled: &Recalled,
        handed_on: &[Finding],
    ) -> Vec<Resolution> {
        let findings = report.findings.iter().chain(handed_on);
        let found: BTreeSet<&str> = findings.map(|finding| finding.fingerprint.as_str()).collect();
        let mut audited: BTreeMap<GroupId, bool> =
            report.audited.iter().map(|(_, group)| (group.id.clone(), true)).collect();
        let mut gone = Vec::new();
        let mut lookups = 0;
        for swept in &recalled.whole {
            let of_place = recalled.places.iter().filter(|(place, _)| *place == swept.place);
            for entry in of_place.flat_map(|(_, entries)| &entries.findings) {
                let Brief { fingerprint, group, is_open, seen, place, .. } = &entry.brief;
                let is_old = *is_open && *seen < swept.began;
                let is_gone = is_old && !found.contains(fingerprint.as_str());
                let is_looked_at = match group {
                    _ if !is_gone => false,
                    None => swept.is_from_start,
                    Some(FoundGroup { id, .. }) => match audited.get(id) {
                        Some(known) => *known,
                        // The next sweep looks at others.
                        None if lookups >= LOOKUPS => false,
                        None => {
                            lookups += 1;
                            let was = self.was_audited(&swept.place, id).await;
                            audited.insert(id.clone(), was);
                            was
                        }
                    },
                };
                let is_untold = entry.is_untold && !found.contains(fingerprint.as_str());
                if is_looked_at || is_untold {
                    let (place, fingerprint) = (place.clone(), fingerprint.clone());
                    gone.push(Resolution { place, fingerprint, at: swept.began });
                }
            }
        }
        gone
    }

    /// Whether a group was among those of a whole audit, or does not exist.
    async fn was_audited(&self, place: &Place, group: &GroupId) -> bool {
        match self.ec2.group(place, &GroupKey::Id(group.clone())).await {
            Ok(Some(group)) => self.is_in_scope(place, &group),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// The findings about rules that a change removed. Rules that comply were none.
    async fn closed_by_event(
        &self,
        memory: &LedgerAccess<'_>,
        event: &Event,
        report: &Report,
        now: DateTime<Utc>,
    ) -> Vec<Resolution> {
        let change = match &event.kind {
            Kind::Change(change) => change,
            Kind::NotAudited { what: NotAudited::GroupDeleted(GroupKey::Id(group)), .. } => {
                let place = self.place(&event.record);
                return closed_in(memory, (&place, group), (event, report, now), |_| true).await;
            }
            _ => return Vec::new(),
        };
        let Some(group) = change.group.id() else { return Vec::new() };
        let place = self.place_of_change(&event.record, change);
        let revoked = match &change.kind {
            ChangeKind::Revoked(revoked) => revoked,
            ChangeKind::Modified(modified) => {
                let was = |rule: &Rule| was_modified(rule, modified);
                return closed_in(memory, (&place, group), (event, report, now), was).await;
            }
            _ => return Vec::new(),
        };
        let Removed::Rules(rules) = &revoked.removed else { return Vec::new() };
        let account = place.account.as_ref();
        let candidates: Vec<_> =
            self.candidates(account).into_iter().map(|it| it.of_account(account)).collect();
        let lists = Lists::new();
        let today = now.date_naive();
        let judges = candidates.iter().map(|settings| {
            Judge::new(&settings.baseline, revoked.direction, Some(group), &lists, today)
        });
        let judges: Vec<_> = judges.collect();
        let found: BTreeSet<&str> =
            report.findings.iter().map(|it| it.fingerprint.as_str()).collect();
        // What was closed cannot have been closed before it happened.
        let at = event.record.time.unwrap_or(now).min(now);
        let of_rule = |(judge, rule): (&Judge<'_>, &Rule)| {
            let code = judge.code(&judge.judge(rule))?;
            let fingerprint = fingerprint(&place, Some(group), code, Some(rule));
            let is_found = found.contains(fingerprint.as_str());
            (!is_found).then(|| Resolution { place: place.clone(), fingerprint, at })
        };
        // Whichever it was audited by when it was found.
        let by_each = judges.iter().flat_map(|judge| rules.iter().map(move |rule| (judge, rule)));
        let mut gone: Vec<Resolution> = Vec::new();
        for one in by_each.filter_map(of_rule) {
            if gone.iter().all(|other| other.fingerprint != one.fingerprint) {
                gone.push(one);
            }
        }
        gone
    }
}

/// The findings of a group about rules that an event ended, as they are remembered: the event does not
/// tell what they were.
async fn closed_in(
    memory: &LedgerAccess<'_>,
    (place, group): (&Place, &GroupId),
    (event, report, now): (&Event, &Report, DateTime<Utc>),
    is_ended: impl Fn(&Rule) -> bool,
) -> Vec<Resolution> {
    let Some(entries) = memory.ask(|ledger| ledger.place(place)).await else { return Vec::new() };
    let found: BTreeSet<&str> = report.findings.iter().map(|it| it.fingerprint.as_str()).collect();
    let at = event.record.time.unwrap_or(now).min(now);
    let is_gone = |entry: &&Entry| {
        let Brief { fingerprint, group: of, rule, is_open, .. } = &entry.brief;
        let is_of_group = of.as_ref().is_some_and(|of| of.id == *group);
        let is_ended = rule.as_ref().is_some_and(&is_ended);
        let is_found = found.contains(fingerprint.as_str());
        (*is_open || entry.is_untold) && is_of_group && is_ended && !is_found
    };
    let resolution = |entry: &Entry| Resolution {
        place: entry.brief.place.clone(),
        fingerprint: entry.brief.fingerprint.clone(),
        at,
    };
    entries.findings.iter().filter(is_gone).map(resolution).collect()
}

/// Whether a rule has other content since it was modified.
fn was_modified(rule: &Rule, modified: &[ModifiedRule]) -> bool {
    let is_other = |one: &ModifiedRule| {
        rule.id() == Some(one.id()) && !one.in_direction(rule.direction()).is_same_as(rule)
    };
    modified.iter().any(is_other)
}

/// Remembers the holds that a change authorised. Where that is not possible, their findings say so.
async fn remember_holds(
    memory: &LedgerAccess<'_>,
    report: &mut Report,
    event: &Event,
    now: DateTime<Utc>,
) {
    let is_authorized = |held: &HeldRule| match &event.kind {
        Kind::Change(change) => matches!(change.kind, ChangeKind::Authorized(_)),
        // A change that had no time for it has handed it on, with what it asked for.
        Kind::Job(Job::Close(close)) => close.rules.iter().any(|one| {
            one.claim.is_some() && one.group == held.group && is_the_same(&one.rule, &held.rule)
        }),
        _ => false,
    };
    let held_by = |finding: &Finding| authorized(finding, now).filter(is_authorized);
    let held: Vec<HeldRule> = report.findings.iter().filter_map(held_by).collect();
    if held.is_empty() || memory.ask(|ledger| ledger.hold(&held)).await.is_some() {
        return;
    }
    for finding in report.findings.iter_mut().filter(|finding| held_by(finding).is_some()) {
        if let Matter::Rule(found) = &mut finding.matter {
            found.remarks.push(Remark::HoldNotRemembered);
        }
    }
}

/// Whether the rules that are found were introduced by the event, not only met.
fn introduces(event: &Event) -> bool {
    match &event.kind {
        Kind::Change(change) => match change.kind {
            ChangeKind::Authorized(_) | ChangeKind::Modified(_) | ChangeKind::Created => true,
            ChangeKind::Revoked(_) | ChangeKind::Unknown(_) | ChangeKind::Retagged(_) => false,
        },
        Kind::Job(Job::Close(close)) => {
            close.rules.iter().all(|one| one.found_by == FoundBy::Change)
        }
        _ => false,
    }
}

/// A finding as it is to be remembered. `None` for one that only tells of an event.
fn sighting(finding: &Finding, occasion: &str, is_introduced: bool) -> Option<Sighting> {
    let mut brief = Brief::from(finding);
    let is_introduced = match &finding.matter {
        Matter::Rule(_) => is_introduced,
        Matter::WideList { .. } | Matter::WideBaseline { .. } => false,
        Matter::Unaudited { reason, .. } => {
            let (place, kind) = (&finding.place, reason.kind());
            brief.fingerprint = fingerprint_of(place, None, finding.code, None, kind);
            true
        }
        _ => return None,
    };
    let change = finding.change.as_ref().and_then(|change| change.time);
    let at = change.unwrap_or(finding.time).min(finding.time);
    let opening = Opened { at, occasion: occasion.to_owned() };
    Some(Sighting { brief, opening, is_introduced })
}

/// Whether a finding has to be mailed at once, if there are not too many mails.
fn is_worth_a_mail(
    finding: &Finding,
    sighting: Option<&Sighting>,
    before: Option<&Entry>,
    least: Severity,
) -> bool {
    if let (Matter::Unaudited { .. }, Some(sighting)) = (&finding.matter, sighting) {
        // The same reason in the same place is mailed once a day.
        let openings = before.into_iter().flat_map(|it| it.openings_since(sighting.opening.at));
        let is_first = openings.filter(|it| it.occasion != sighting.opening.occasion).count() == 0;
        return is_first && finding.severity >= least;
    }
    let state = (finding.outcome(), !finding.is_rule_gone(), finding.time);
    is_news(finding.severity, state, finding.life, before, least)
}

/// The finding that one of an earlier audit is no longer there.
fn resolved_finding(entry: &Entry, at: &Place, event: &Event) -> Finding {
    let record = has_change(event).then_some(&event.record);
    let brief = &entry.brief;
    let place = if brief.place == Place::default() { at } else { &brief.place };
    let origin = Origin { place, group: None, record };
    origin.resolved(brief, entry.resolved())
}
