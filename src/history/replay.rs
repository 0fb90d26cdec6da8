//! Follows the rules of one group through what was kept of its events.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::kept::{Act, By, What};
use super::model::{Deed, End, How, Start};
use crate::ec2::{Direction, Rule, RuleContent, RuleId};
use crate::net::Set;

/// A rule from when it got its content until it lost it.
#[derive(Clone, Debug)]
pub(super) struct Lifetime {
    pub rule: Rule,
    pub direction_assumed: bool,
    pub start: Start,
    pub end: End,
}

/// What is known of the ids of rules, of any group.
pub(super) trait Ids {
    /// The direction of the rule, where a record tells it.
    fn direction(&self, id: &RuleId) -> Option<Direction>;
}

/// At one time so many acts are put in the order in which they make sense. EC2 makes two calls a
/// second for a group at most, so there are never more, unless somebody forged them.
const AT_ONCE: usize = 64;

struct Live {
    rule: Rule,
    direction_assumed: bool,
    start: Start,
    /// When a record showed for the last time that it is there.
    seen: DateTime<Utc>,
    /// A change that may have removed it.
    doubt: Option<Deed>,
}

pub(super) struct Replay<'a> {
    by: &'a By,
    ids: &'a dyn Ids,
    /// Whether a rule may exceed the baseline.
    matters: &'a dyn Fn(&Rule) -> bool,
    live: HashMap<RuleContent, Live>,
    /// The contents of those of them that have an id.
    contents: HashMap<RuleId, RuleContent>,
    /// When a content was removed for the last time.
    removed: HashMap<RuleContent, DateTime<Utc>>,
    lives: Vec<Lifetime>,
}

impl<'a> Replay<'a> {
    pub fn new(by: &'a By, ids: &'a dyn Ids, matters: &'a dyn Fn(&Rule) -> bool) -> Self {
        let (live, contents) = (HashMap::new(), HashMap::new());
        Self { by, ids, matters, live, contents, removed: HashMap::new(), lives: Vec::new() }
    }

    /// `acts` are those of the group, in the order of their times.
    pub fn follow(&mut self, acts: &[Act]) {
        for at_once in acts.chunk_by(|a, b| a.time == b.time) {
            let mut left: Vec<&Act> = at_once.iter().collect();
            while !left.is_empty() {
                let next = match left.len() {
                    2..=AT_ONCE => left.iter().position(|act| self.can_come_now(act, &left)),
                    _ => None,
                };
                let act = left.remove(next.unwrap_or_default());
                self.take(act);
            }
        }
    }

    /// Whether an act makes sense with the rules as they are, of those of one time.
    fn can_come_now(&self, act: &Act, left: &[&Act]) -> bool {
        match &act.what {
            What::Opened(rule) => !self.live.contains_key(&rule.content()),
            What::Closed(rule) => self.live.contains_key(&rule.content()),
            What::ClosedId { id, .. } => self.contents.contains_key(id),
            What::Modified(rule) => {
                let direction = self.ids.direction(rule.id()).unwrap_or(Direction::Ingress);
                let is_added = |other: &&Act| match &other.what {
                    What::Opened(added) => added.id() == Some(rule.id()),
                    _ => false,
                };
                !self.live.contains_key(&rule.in_direction(direction).content())
                    && (self.contents.contains_key(rule.id()) || !left.iter().any(is_added))
            }
            What::GroupCreated => true,
            What::ClosedSome(..) | What::GroupDeleted | What::Unread => false,
        }
    }

    fn take(&mut self, act: &Act) {
        let time = act.time;
        let deed = |how| self.by.deed(how, &act.record, time);
        match &act.what {
            What::Opened(rule) => self.open(rule.clone(), false, deed(How::Authorized)),
            What::Closed(rule) => self.close(rule, deed(How::Revoked)),
            What::ClosedId { id, direction, complied } => {
                let deed = deed(How::Revoked);
                match self.contents.get(id).cloned() {
                    // It was changed before, and no record tells when.
                    Some(content) if *complied => self.vanished(&content, time),
                    Some(content) => self.end(&content, End::Known(deed)),
                    None if self.ids.direction(id).is_some() => {}
                    None => self.doubt(&deed, |live| {
                        live.rule.id().is_none() && live.rule.direction() == *direction
                    }),
                }
            }
            What::ClosedSome(direction, cells) => {
                let deed = deed(How::Unread);
                self.doubt(&deed, |live| {
                    live.rule.direction() == *direction
                        && !live.rule.cells().intersection(cells).is_empty()
                });
            }
            What::Modified(modified) => {
                let deed = deed(How::Modified);
                let content = self.contents.get(modified.id()).cloned();
                let known = match &content {
                    Some(content) => self.live.get(content).map(|live| live.rule.direction()),
                    None => self.ids.direction(modified.id()),
                };
                let rule = modified.in_direction(known.unwrap_or(Direction::Ingress));
                match content {
                    // Only the description changed.
                    Some(content) if content == rule.content() => {
                        return self.see(&content, time);
                    }
                    Some(content) => self.end(&content, End::Known(deed.clone())),
                    None if known.is_some() => {}
                    None => self.doubt(&deed, |live| live.rule.id().is_none()),
                }
                if (self.matters)(&rule) {
                    self.open(rule, known.is_none(), deed);
                }
            }
            What::GroupCreated => {
                let ipv4 = Rule::of_new_group().into_iter().next();
                if let Some(rule) = ipv4.filter(|rule| (self.matters)(rule)) {
                    self.open(rule, false, deed(How::GroupCreated));
                }
            }
            What::GroupDeleted => {
                let deed = deed(How::GroupDeleted);
                let all: Vec<RuleContent> = self.live.keys().cloned().collect();
                all.iter().for_each(|content| self.end(content, End::Known(deed.clone())));
            }
            What::Unread => {
                let deed = deed(How::Unread);
                self.doubt(&deed, |_| true);
            }
        }
    }

    fn open(&mut self, rule: Rule, direction_assumed: bool, deed: Deed) {
        let content = rule.content();
        if let Some(old) = self.live.get(&content) {
            if rule.id().is_some() && rule.id() == old.rule.id() {
                return self.see(&content, deed.time);
            }
            // EC2 refuses a rule that is there, so this one was removed before.
            self.vanished(&content, deed.time);
        }
        if let Some(id) = rule.id() {
            self.contents.insert(id.clone(), content.clone());
        }
        let (seen, start) = (deed.time, Start::Known(deed));
        self.live.insert(content, Live { rule, direction_assumed, start, seen, doubt: None });
    }

    fn close(&mut self, rule: &Rule, deed: Deed) {
        let (content, time) = (rule.content(), deed.time);
        // The rule of this id had another content, which was changed in between.
        let other = rule.id().and_then(|id| self.contents.get(id)).cloned();
        if let Some(other) = other.filter(|other| *other != content) {
            self.vanished(&other, time);
        }
        let is_another = self.live.get(&content).is_some_and(|live| are_two(&live.rule, rule));
        if is_another {
            self.vanished(&content, time);
        }
        if self.live.contains_key(&content) {
            return self.end(&content, End::Known(deed));
        }
        let after = self.removed.insert(content, time);
        self.lives.push(Lifetime {
            rule: rule.clone(),
            direction_assumed: false,
            start: Start::Unknown { after, by: time },
            end: End::Known(deed),
        });
    }

    /// A rule is not there any more, and no record tells since when.
    fn vanished(&mut self, content: &RuleContent, by: DateTime<Utc>) {
        let Some(live) = self.live.get(content) else { return };
        let after = live.seen;
        self.end(content, End::Unknown { after, by });
        // It was there until then.
        self.removed.insert(content.clone(), after);
    }

    fn end(&mut self, content: &RuleContent, end: End) {
        let Some(Live { rule, direction_assumed, start, .. }) = self.live.remove(content) else {
            return;
        };
        if let Some(id) = rule.id() {
            self.contents.remove(id);
        }
        if let End::Known(deed) = &end {
            self.removed.insert(content.clone(), deed.time);
        }
        self.lives.push(Lifetime { rule, direction_assumed, start, end });
    }

    fn see(&mut self, content: &RuleContent, time: DateTime<Utc>) {
        if let Some(live) = self.live.get_mut(content) {
            live.seen = time;
            live.doubt = None;
        }
    }

    fn doubt(&mut self, deed: &Deed, of: impl Fn(&Live) -> bool) {
        for live in self.live.values_mut().filter(|live| of(live)) {
            live.doubt.get_or_insert_with(|| deed.clone());
        }
    }

    /// Everything that the group's rules lived through. `present` are its rules as they are now,
    /// where they are known.
    pub fn finish(mut self, present: Option<&[Rule]>, now: DateTime<Utc>) -> Vec<Lifetime> {
        let rules = present.unwrap_or_default();
        for rule in rules.iter().filter(|rule| (self.matters)(rule)) {
            let content = rule.content();
            if self.live.get(&content).is_some_and(|live| are_two(&live.rule, rule)) {
                self.vanished(&content, now);
            }
            match self.live.get_mut(&content) {
                Some(live) => {
                    let tags = match rule.tags() {
                        tags if tags.is_empty() => live.rule.tags().clone(),
                        tags => tags.clone(),
                    };
                    let id = rule.id().or(live.rule.id()).cloned();
                    live.rule = rule.clone().with_id(id).with_tags(tags);
                    live.direction_assumed = false;
                    self.end(&content, End::Open);
                }
                None => {
                    let after = self.removed.get(&content).copied();
                    self.lives.push(Lifetime {
                        rule: rule.clone(),
                        direction_assumed: false,
                        start: Start::Unknown { after, by: now },
                        end: End::Open,
                    });
                }
            }
        }
        let all: Vec<RuleContent> = self.live.keys().cloned().collect();
        for content in all {
            match self.live.get_mut(&content).and_then(|live| live.doubt.take()) {
                _ if present.is_some() => self.vanished(&content, now),
                Some(deed) => self.end(&content, End::Perhaps(deed)),
                None => self.end(&content, End::NotSeen),
            }
        }
        self.lives
    }
}

/// Whether both have ids, and different ones.
fn are_two(one: &Rule, other: &Rule) -> bool {
    matches!((one.id(), other.id()), (Some(one), Some(other)) if one != other)
}
