//! Takes events, keeps what matters of them, and makes the history.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use super::coverage::RecordsRead;
use super::kept::{Act, By, What};
use super::known::{CompliedIds, Directions, Names};
use super::lists::{ListAct, ListWhat, Timeline, timelines};
use super::model::{Opening, Present, Start};
use super::parts::parts;
use super::rebuilt::{History, RecordCounts};
use super::replay::{Lifetime, Replay};
use super::totals::Totals;
use crate::baseline::{Baseline, Lists, Whose};
use crate::ec2::hold::{Claim, claim};
use crate::ec2::{AccountId, Direction, GroupId, GroupKey, ListId, Place, Rule};
use crate::evaluate::severity::severity;
use crate::evaluate::{Judge, Judgement, Yardstick};
use crate::event::{
    ChangeKind, Event, GroupChange, Kind, NotAudited, Record, Removed, RevokedRules, decode,
    may_change_rules,
};
use crate::finding::BaselineName;
use crate::net::Set;
use crate::settings::{HOLD_LONGEST_HOURS, Settings};
use crate::text::time as time_of;

/// Collects what events tell of openings.
#[derive(Debug)]
pub struct Book<'a> {
    baseline: &'a Baseline,
    /// With its bindings, where they count.
    settings: Option<&'a Settings>,
    lists: &'a Lists,
    today: NaiveDate,
    by: By,
    /// The baseline as the groups of each account see it.
    yardsticks: HashMap<Option<AccountId>, Vec<Yardstick<'a>>>,
    acts: Vec<Act>,
    list_acts: Vec<ListAct>,
    complied: CompliedIds,
    coverage: Vec<RecordsRead>,
    places: HashMap<Place, usize>,
    /// The place of the last record. Records of one place come together.
    last: usize,
    counts: RecordCounts,
}

/// What is read of a record to see whether it can tell of a change.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header<'a> {
    #[serde(borrow)]
    event_name: Cow<'a, str>,
    #[serde(borrow)]
    event_source: Cow<'a, str>,
    #[serde(borrow)]
    event_time: Cow<'a, str>,
    #[serde(borrow)]
    aws_region: Cow<'a, str>,
    #[serde(borrow)]
    recipient_account_id: Cow<'a, str>,
}

impl<'a> Book<'a> {
    /// `lists` are the prefix lists as they are now; `today`, in UTC, decides which exemptions count.
    pub fn new(baseline: &'a Baseline, lists: &'a Lists, today: NaiveDate, by: By) -> Self {
        Self {
            baseline,
            settings: None,
            lists,
            today,
            by,
            yardsticks: HashMap::new(),
            acts: Vec::new(),
            list_acts: Vec::new(),
            complied: CompliedIds::default(),
            coverage: Vec::new(),
            places: HashMap::new(),
            last: 0,
            counts: RecordCounts::default(),
        }
    }

    /// The same with the bindings of the settings, by account and by the tags that groups have now.
    #[must_use]
    pub fn with_bindings(self, settings: &'a Settings) -> Self {
        Self { settings: Some(settings), ..self }
    }

    /// What was read so far.
    pub fn counts(&self) -> RecordCounts {
        self.counts
    }

    /// Takes a record, or an event that has records in it, as JSON.
    pub fn record(&mut self, json: &[u8]) {
        // Nearly all records of a trail are about other things, and most of their members are of no
        // use here.
        if let Ok(header) = serde_json::from_slice::<Header<'_>>(json)
            && !may_change_rules(&header.event_source, &header.event_name)
        {
            self.counts.records += 1;
            if let Some(time) = time_of(&header.event_time) {
                self.cover(&header.recipient_account_id, &header.aws_region, time);
            }
            return;
        }
        for event in decode(json) {
            self.event(event);
        }
    }

    /// Takes an event.
    pub fn event(&mut self, event: Event) {
        let Event { record, kind, .. } = event;
        if matches!(kind, Kind::Job(_)) {
            return;
        }
        self.counts.records += 1;
        let place = Place { account: record.account.clone(), region: record.region.clone() };
        if let Some(time) = record.time {
            let (account, region) = (record.account.as_ref(), record.region.as_ref());
            self.cover(
                account.map(AccountId::as_str).unwrap_or_default(),
                region.map(|region| region.as_str()).unwrap_or_default(),
                time,
            );
        }
        match kind {
            Kind::Change(change) => self.change(place, record, change),
            Kind::List(change) => {
                self.list(record, change.list.clone(), ListWhat::Changed(change));
            }
            Kind::NotAudited { what: NotAudited::GroupDeleted(group), .. } => {
                self.keep(&place, &group, record, [What::GroupDeleted]);
            }
            Kind::NotAudited { what: NotAudited::ListCreated { list, entries }, .. } => {
                self.list(record, list, ListWhat::Created(entries));
            }
            Kind::Lost(lost) if lost.is_of_tags => {}
            Kind::Lost(_) | Kind::Undecodable { group: None, .. } => self.counts.unread += 1,
            Kind::Undecodable { group: Some(group), .. } => {
                self.keep(&place, &group, record, [What::Unread]);
            }
            Kind::Tags(_)
            | Kind::HoldTags(_)
            | Kind::Watched(_)
            | Kind::Hook(_)
            | Kind::Job(_)
            | Kind::Ignored(_) => {}
        }
    }

    /// Every record of this place and stretch that matters was asked for and given.
    pub fn is_whole(&mut self, place: &Place, from: DateTime<Utc>, until: DateTime<Utc>) {
        self.turn_to(place.clone(), from);
        if let Some(coverage) = self.coverage.get_mut(self.last) {
            coverage.is_whole_between(from, until);
        }
    }

    fn cover(&mut self, account: &str, region: &str, time: DateTime<Utc>) {
        let is_same = |place: &Place| {
            place.account.as_ref().map_or("", AccountId::as_str) == account
                && place.region.as_ref().map_or("", |region| region.as_str()) == region
        };
        if !self.coverage.get(self.last).is_some_and(|it| is_same(&it.place)) {
            let place = Place { account: account.parse().ok(), region: region.parse().ok() };
            self.turn_to(place, time);
        }
        if let Some(coverage) = self.coverage.get_mut(self.last) {
            coverage.add(time);
        }
    }

    fn turn_to(&mut self, place: Place, time: DateTime<Utc>) {
        let next = self.coverage.len();
        self.last = *self.places.entry(place.clone()).or_insert(next);
        if self.last == next {
            self.coverage.push(RecordsRead::new(place, time));
        }
    }

    /// The time of the last record so far.
    pub fn last_time(&self) -> Option<DateTime<Utc>> {
        self.coverage.iter().map(|coverage| coverage.last).max()
    }

    /// The groups that changes so far were about, as far as their ids are known.
    pub fn groups(&self) -> BTreeSet<(Place, GroupId)> {
        let of = |act: &Act| Some((act.place.clone(), act.group.id()?.clone()));
        self.acts.iter().filter_map(of).collect()
    }

    /// The prefix lists that the rules so far name.
    pub fn lists(&self) -> BTreeSet<(Place, ListId)> {
        let of = |act: &Act| match &act.what {
            What::Opened(rule) | What::Closed(rule) => rule.peer().list().cloned(),
            What::Modified(rule) => rule.in_direction(Direction::Ingress).peer().list().cloned(),
            _ => None,
        };
        self.acts.iter().filter_map(|act| Some((act.place.clone(), of(act)?))).collect()
    }

    /// From now on, these are the prefix lists as they are now.
    pub fn set_lists(&mut self, lists: &'a Lists) {
        self.lists = lists;
        self.yardsticks.clear();
    }

    fn change(&mut self, mut place: Place, record: Record, change: GroupChange) {
        let GroupChange { group, owner, kind } = change;
        place.account = owner.or(place.account);
        let mut kept = Vec::new();
        match kind {
            ChangeKind::Authorized(rules) => {
                for rule in rules {
                    if self.may_exceed(&place, &group, &rule) {
                        kept.push(What::Opened(rule));
                    } else if let Some(id) = rule.id() {
                        self.complied.add(id, rule.direction());
                    }
                }
            }
            ChangeKind::Revoked(RevokedRules { direction, removed, ids }) => match removed {
                Removed::Rules(rules) => {
                    for rule in rules {
                        if self.may_exceed(&place, &group, &rule) {
                            kept.push(What::Closed(rule));
                        } else if let Some(id) = rule.id().cloned() {
                            kept.push(What::ClosedId { id, direction, complied: true });
                        }
                    }
                }
                Removed::Within(_) if !ids.is_empty() => {
                    let closed = |id| What::ClosedId { id, direction, complied: false };
                    kept.extend(ids.into_iter().map(closed));
                }
                Removed::Within(cells) => kept.push(What::ClosedSome(direction, cells)),
            },
            ChangeKind::Modified(rules) => kept.extend(rules.into_iter().map(What::Modified)),
            ChangeKind::Created => {
                let exceeds = |rule: &Rule| self.may_exceed(&place, &group, rule);
                if Rule::of_new_group().iter().any(exceeds) {
                    kept.push(What::GroupCreated);
                }
            }
            ChangeKind::Unknown(_) => kept.push(What::Unread),
            ChangeKind::Retagged(_) => return,
        }
        self.keep(&place, &group, record, kept);
    }

    fn keep(
        &mut self,
        place: &Place,
        group: &GroupKey,
        record: Record,
        what: impl IntoIterator<Item = What>,
    ) {
        self.counts.changes += 1;
        let Some(time) = record.time else {
            self.counts.untimed += 1;
            return;
        };
        let record = Arc::new(record);
        for (number, what) in what.into_iter().enumerate() {
            let unread = What::Unread;
            self.counts.unread += usize::from(what == unread);
            let (place, group, record) = (place.clone(), group.clone(), Arc::clone(&record));
            self.acts.push(Act { place, group, time, record, number, what });
        }
    }

    fn list(&mut self, record: Record, list: ListId, what: ListWhat) {
        self.counts.changes += 1;
        match record.time {
            Some(time) => {
                self.list_acts.push(ListAct { list, time, record: Arc::new(record), what });
            }
            None => self.counts.untimed += 1,
        }
    }

    /// Whether a rule exceeds the baseline, or may once its prefix list is known.
    fn may_exceed(&mut self, place: &Place, group: &GroupKey, rule: &Rule) -> bool {
        if rule.peer().list().is_some() {
            return true;
        }
        let (lists, today) = (self.lists, self.today);
        let may_hold = self.may_hold(place.account.as_ref(), None);
        let yardsticks = self.yardsticks.entry(place.account.clone()).or_insert_with(|| {
            let seen = |it: &&Baseline| (*it).clone().of_account(place.account.as_ref());
            let seen = may_hold.iter().map(seen);
            seen.map(|seen| Yardstick::new(Cow::Owned(seen), lists, today)).collect()
        });
        !match group.id() {
            Some(group) => {
                yardsticks.iter().all(|it| is_fine(&it.judge(rule.direction(), group), rule))
            }
            None => may_hold.iter().all(|baseline| {
                is_fine(&Judge::new(baseline, rule.direction(), None, lists, today), rule)
            }),
        }
    }

    /// The baselines that may apply to a group of an account with these tags. The last one is that of
    /// no unit and no tag.
    fn may_hold(
        &self,
        account: Option<&AccountId>,
        tags: Option<&BTreeMap<String, String>>,
    ) -> Vec<&'a Baseline> {
        let Some(settings) = self.settings else { return vec![self.baseline] };
        let whose = Whose { account, units: None, tags };
        settings.candidates(&whose).into_iter().map(|it| &it.baseline).collect()
    }

    /// The history. `present` are the groups as they are now, if they are known.
    pub fn close(mut self, present: Option<&[Present]>, now: DateTime<Utc>) -> History {
        let groups = present.unwrap_or_default();
        let names = Names::of(groups);
        for act in &mut self.acts {
            names.resolve(act);
        }
        self.sort();
        let directions = Directions::of(&self.acts, groups, std::mem::take(&mut self.complied));
        let entries = |id: &ListId| {
            let entries = self.lists.get(id)?.as_deref().ok()?;
            Some(entries.iter().copied().collect())
        };
        let lists = timelines(std::mem::take(&mut self.list_acts), entries, &self.by);
        let mut by_id: BTreeMap<&GroupId, &Present> =
            groups.iter().map(|group| (&group.group.id, group)).collect();
        let acts = std::mem::take(&mut self.acts);
        let mut openings = Vec::new();
        let same = |a: &Act, b: &Act| a.place == b.place && a.group == b.group;
        for acts in acts.chunk_by(same) {
            let Some(Act { place, group, .. }) = acts.first() else { continue };
            let shown = group.id().and_then(|id| by_id.remove(id));
            openings.extend(self.of_group(place, group, acts, shown, &directions, &lists, now));
        }
        for (id, shown) in by_id {
            let group = GroupKey::Id(id.clone());
            let lives =
                self.of_group(&shown.place, &group, &[], Some(shown), &directions, &lists, now);
            openings.extend(lives);
        }
        openings.sort_by_cached_key(|opening| {
            let (length, _) = opening.duration(now);
            (-length.num_seconds(), std::cmp::Reverse(opening.severity), opening.from().0)
        });
        self.coverage.sort_by(|a, b| a.place.cmp(&b.place));
        History {
            baseline: BaselineName::from(self.baseline),
            now,
            totals: Totals::of(&openings, now),
            openings,
            coverage: self.coverage,
            counts: self.counts,
            has_present: present.is_some(),
            is_partial: false,
        }
    }

    /// By group and time, each act once.
    fn sort(&mut self) {
        let group = |act: &Act| (act.place.clone(), act.group.as_str().to_owned());
        self.acts.sort_by(|a, b| {
            (a.place.cmp(&b.place))
                .then_with(|| a.group.as_str().cmp(b.group.as_str()))
                .then_with(|| a.time.cmp(&b.time))
                .then_with(|| a.key().cmp(&b.key()))
        });
        let before = self.acts.len();
        self.acts.dedup_by(|a, b| match (a.record.shared_id(), b.record.shared_id()) {
            (Some(_), Some(_)) => a.key() == b.key() && group(a) == group(b),
            _ => a == b,
        });
        self.counts.repeated = before - self.acts.len();
    }

    #[allow(clippy::too_many_arguments, reason = "each is a different thing")]
    fn of_group(
        &self,
        place: &Place,
        group: &GroupKey,
        acts: &[Act],
        shown: Option<&Present>,
        directions: &Directions,
        lists: &BTreeMap<ListId, Timeline>,
        now: DateTime<Utc>,
    ) -> Vec<Opening> {
        let account = shown.and_then(|shown| shown.group.owner.as_ref()).or(place.account.as_ref());
        let tags = shown.and_then(|shown| shown.group.tags.as_ref());
        let may_hold = self.may_hold(account, tags);
        let baseline = may_hold.last().copied().unwrap_or(self.baseline);
        let baseline = baseline.clone().of_account(account);
        let judges = Direction::BOTH
            .map(|direction| Judge::new(&baseline, direction, group.id(), self.lists, self.today));
        let judge = |rule: &Rule| match rule.direction() {
            Direction::Ingress => &judges[0],
            Direction::Egress => &judges[1],
        };
        let matters = |rule: &Rule| rule.peer().list().is_some() || !is_fine(judge(rule), rule);
        let mut replay = Replay::new(&self.by, directions, &matters);
        replay.follow(acts);
        let lives = replay.finish(shown.map(|shown| shown.rules.as_slice()), now);
        let mut openings = Vec::new();
        for life in lives {
            let Some(id) = life.rule.peer().list().cloned() else {
                openings.extend(self.opening(place, group, shown, life, judge));
                continue;
            };
            let timeline = lists.get(&id);
            let known = self.lists.get(&id).and_then(|entries| entries.as_deref().ok());
            let constant = || Timeline::constant(known.map(|all| all.iter().copied().collect()));
            let timeline = timeline.map_or_else(|| Cow::Owned(constant()), Cow::Borrowed);
            let mut last: Option<Opening> = None;
            for (part, entries) in parts(life, &timeline, now) {
                let mut of_list = self.lists.clone();
                match entries {
                    Some(entries) => of_list.insert(id.clone(), Ok(entries.into_iter().collect())),
                    None => of_list.remove(&id),
                };
                let direction = part.rule.direction();
                let then = Judge::new(&baseline, direction, group.id(), &of_list, self.today);
                let next = self.opening(place, group, shown, part, |_| &then);
                // A change of the list that changed nothing here.
                if let (Some(last), Some(next)) = (&mut last, &next)
                    && last.excess == next.excess
                    && last.unresolved == next.unresolved
                {
                    last.end = next.end.clone();
                    continue;
                }
                openings.extend(std::mem::replace(&mut last, next));
            }
            openings.extend(last);
        }
        openings
    }

    fn opening<'j>(
        &self,
        place: &Place,
        group: &GroupKey,
        shown: Option<&Present>,
        life: Lifetime,
        judge: impl Fn(&Rule) -> &'j Judge<'j>,
    ) -> Option<Opening> {
        let Lifetime { rule, direction_assumed, start, end } = life;
        let judge = judge(&rule);
        let judgement = judge.judge(&rule);
        let code = judge.code(&judgement)?;
        let severity = severity(code, &rule, &judgement, judge);
        let Judgement { excess, unresolved, .. } = judgement;
        let hold = match &start {
            Start::Known(deed) => {
                match claim(rule.tags(), deed.time, deed.time, HOLD_LONGEST_HOURS) {
                    Claim::Held(hold) => Some(hold),
                    _ => None,
                }
            }
            Start::Unknown { .. } => None,
        };
        let place = Place {
            account: place.account.clone().or_else(|| shown?.place.account.clone()),
            region: place.region.clone().or_else(|| shown?.place.region.clone()),
        };
        let group_name = match group {
            GroupKey::Id(_) => shown.and_then(|shown| shown.group.name.clone()),
            GroupKey::Name { name, .. } => Some(name.clone()),
        };
        let group = group.clone();
        Some(Opening {
            place,
            group,
            group_name,
            rule,
            direction_assumed,
            excess,
            unresolved,
            code,
            severity,
            start,
            end,
            hold,
        })
    }
}

/// Whether neither the rule nor what is not known of it exceeds the baseline.
fn is_fine(judge: &Judge<'_>, rule: &Rule) -> bool {
    let judgement = judge.judge(rule);
    judgement.excess.is_empty() && judgement.unresolved.is_empty()
}
