//! The digest: what waited to be mailed, as JSON and in words.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::life::{age, status};
use super::wording::{called, open_critical};
use crate::evaluate::{Code, Severity};
use crate::finding::{Brief, Digest, DigestEntry, FoundGroup, Life, Outcome, Status};
use crate::text::{count, inert, minute, timestamp};
use crate::words::rule_text;

/// Characters of each text of a group. EC2 takes no more.
const TEXT: usize = 256;

#[derive(Clone, Debug, Serialize)]
pub(super) struct DigestJson {
    kind: &'static str,
    new: usize,
    reopened: usize,
    known: usize,
    resolved: usize,
    oldest: Option<String>,
    findings: Vec<EntryJson>,
}

#[derive(Clone, Debug, Serialize)]
struct EntryJson {
    fingerprint: String,
    code: Code,
    severity: Severity,
    account: Option<String>,
    region: Option<String>,
    group: Option<FoundGroup>,
    rule: Option<String>,
    outcome: Outcome,
    status: Option<Status>,
    first_seen: Option<String>,
    times: usize,
}

impl From<&Digest> for DigestJson {
    fn from(digest: &Digest) -> Self {
        let number = |status| of_status(digest, status).count();
        Self {
            kind: if digest.is_daily { "daily" } else { "soon" },
            new: number(Status::New),
            reopened: number(Status::Reopened),
            known: number(Status::Known),
            resolved: number(Status::Resolved),
            oldest: oldest(digest).map(|life| timestamp(&life.since)),
            findings: digest.entries.iter().map(EntryJson::from).collect(),
        }
    }
}

impl From<&DigestEntry> for EntryJson {
    fn from(DigestEntry { brief, life }: &DigestEntry) -> Self {
        Self {
            fingerprint: brief.fingerprint.clone(),
            code: brief.code,
            severity: brief.severity,
            account: brief.place.account.as_ref().map(ToString::to_string),
            region: brief.place.region.as_ref().map(ToString::to_string),
            group: brief.group.clone().map(shortened),
            rule: brief.rule.as_ref().map(rule_text),
            outcome: brief.outcome,
            status: life.map(|life| life.status),
            first_seen: life.map(|life| timestamp(&life.first_seen)),
            times: life.map_or(1, |life| life.times),
        }
    }
}

/// A group whose texts take little room in a message.
fn shortened(mut group: FoundGroup) -> FoundGroup {
    for text in [&mut group.name, &mut group.vpc_id].into_iter().flatten() {
        *text = inert::clip(text, TEXT);
    }
    group
}

/// Each finding as JSON.
pub(super) fn each_as_json(digest: &Digest) -> impl Iterator<Item = impl Serialize> {
    digest.entries.iter().map(EntryJson::from)
}

fn of_status(digest: &Digest, status: Status) -> impl Iterator<Item = &DigestEntry> {
    digest.entries.iter().filter(move |one| one.life.is_some_and(|life| life.status == status))
}

/// The findings that are open.
pub(super) fn open(digest: &Digest) -> impl Iterator<Item = &DigestEntry> + Clone {
    digest.entries.iter().filter(|one| one.brief.is_open)
}

/// The history of the finding that has been open for the longest time.
fn oldest(digest: &Digest) -> Option<Life> {
    open(digest).filter_map(|one| one.life).min_by_key(|life| life.since)
}

/// When the digest was made, as far as its findings tell.
fn now(digest: &Digest) -> DateTime<Utc> {
    digest.entries.iter().map(|one| one.brief.seen).max().unwrap_or_default()
}

/// How many findings have each status: `2 new, 1 resolved, 14 known`, with another word for `known`.
fn counts(digest: &Digest, known: &str) -> String {
    let statuses = [Status::New, Status::Reopened, Status::Resolved, Status::Known];
    let mut parts: Vec<String> = Vec::new();
    for status in statuses {
        let number = of_status(digest, status).count();
        if number > 0 {
            let word = if status == Status::Known { known } else { status.as_str() };
            parts.push(format!("{number} {word}"));
        }
    }
    let others = digest.entries.iter().filter(|one| one.life.is_none()).count();
    if others > 0 {
        parts.push(count(others, "other message"));
    }
    parts.join(", ")
}

/// The Subject of a digest: `Daily audit: 2 new, 14 known; open: 3 critical`.
pub(super) fn headline(digest: &Digest) -> String {
    let name = if digest.is_daily { "Daily audit" } else { "Digest" };
    let critical = open_critical(open(digest).map(|one| one.brief.severity));
    format!("{name}: {}{critical}", counts(digest, Status::Known.as_str()))
}

/// The first sentences of the mail.
pub(super) fn summary(digest: &Digest) -> String {
    let why = match digest.is_daily {
        true => "Findings that waited for the daily mail",
        false => "Findings that came too fast for a mail each",
    };
    format!("{why}: {}.", counts(digest, "known from before"))
}

/// How the sentence goes on that says how many are open: `, the oldest for 31 days`.
pub(super) fn open_for(digest: &Digest) -> String {
    let whose = if open(digest).count() == 1 { "for" } else { "the oldest for" };
    oldest(digest)
        .filter(|life| (now(digest) - life.since).num_days() > 0)
        .map_or_else(String::new, |life| format!(", {whose} {}", age(&life, now(digest))))
}

/// A line about a finding: `1. critical, new, sg-1 "web": tcp 22 from 0.0.0.0/0 (closed)`.
pub(super) fn line(number: usize, entry: &DigestEntry, digest: &Digest) -> String {
    let DigestEntry { brief, life } = entry;
    let status = life.map_or_else(String::new, |life| format!(", {}", status(&life, now(digest))));
    let group = brief.group.as_ref().map(|group| format!("{}: ", called(group)));
    let what = brief.rule.as_ref().map_or_else(|| brief.code.as_str().to_owned(), rule_text);
    let (severity, group) = (brief.severity.as_str(), group.unwrap_or_default());
    format!("{number}. {severity}{status}, {group}{what} ({})", state(brief, *life))
}

fn state(brief: &Brief, life: Option<Life>) -> String {
    match (brief.outcome, brief.held_until) {
        _ if life.is_some_and(|life| life.status == Status::Resolved) => "closed".to_owned(),
        (Outcome::Held, Some(until)) => format!("held until {}", minute(until)),
        (Outcome::Planned, _) => "open, not closed yet".to_owned(),
        (Outcome::Failed, _) => "NOT CLOSED".to_owned(),
        (Outcome::Prevented, _) => "not made".to_owned(),
        _ if brief.is_open => "open".to_owned(),
        (Outcome::None, _) => minute(brief.seen),
        _ => "closed".to_owned(),
    }
}
