//! What the auditor remembers, for `sg-audit status`.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::life::since;
use super::wording::id_and_name;
use crate::ec2::Place;
use crate::evaluate::{Code, Severity};
use crate::finding::{Brief, Outcome};
use crate::ledger::item::Remembered;
use crate::ledger::{Entry, HeldRule};
use crate::text::{count, inert, minute, timestamp};
use crate::words::rule_text;

#[derive(Debug, Serialize)]
struct RememberedJson {
    open: Vec<OpenJson>,
    held: Vec<HeldJson>,
    places: Vec<PlaceJson>,
    waiting: Vec<WaitingJson>,
    last_daily_mail: Option<String>,
    not_understood: usize,
}

#[derive(Debug, Serialize)]
struct OpenJson {
    fingerprint: String,
    code: Code,
    severity: Severity,
    account: Option<String>,
    region: Option<String>,
    group_id: Option<String>,
    group_name: Option<String>,
    rule: Option<String>,
    outcome: Outcome,
    first_seen: String,
    open_since: String,
    last_seen: String,
    times: usize,
}

#[derive(Debug, Serialize)]
struct HeldJson {
    account: Option<String>,
    region: Option<String>,
    group_id: String,
    rule: String,
    until: String,
    reason: String,
    actor: Option<String>,
    since: String,
}

#[derive(Debug, Serialize)]
struct PlaceJson {
    account: Option<String>,
    region: Option<String>,
    audited: Option<String>,
    groups: Option<usize>,
}

#[derive(Debug, Serialize)]
struct WaitingJson {
    fingerprint: String,
    code: Code,
    severity: Severity,
    /// Whether it is mailed within a quarter of an hour.
    soon: bool,
}

/// What is remembered as JSON.
///
/// # Errors
///
/// None that it can cause.
pub fn to_json(remembered: &Remembered, now: DateTime<Utc>) -> serde_json::Result<String> {
    let account = |place: &Place| place.account.as_ref().map(ToString::to_string);
    let region = |place: &Place| place.region.as_ref().map(ToString::to_string);
    let open = open(remembered).into_iter().map(|entry| {
        let Brief { place, group, .. } = &entry.brief;
        OpenJson {
            fingerprint: entry.brief.fingerprint.clone(),
            code: entry.brief.code,
            severity: entry.brief.severity,
            account: account(place),
            region: region(place),
            group_id: group.as_ref().map(|group| group.id.to_string()),
            group_name: group.as_ref().and_then(|group| group.name.clone()),
            rule: entry.brief.rule.as_ref().map(rule_text),
            outcome: entry.brief.outcome,
            first_seen: timestamp(&entry.first_seen),
            open_since: timestamp(&entry.opened()),
            last_seen: timestamp(&entry.brief.seen),
            times: entry.openings_since(now).count(),
        }
    });
    let held = held(remembered, now).into_iter().map(|(held, until, reason)| HeldJson {
        account: account(&held.place),
        region: region(&held.place),
        group_id: held.group.to_string(),
        rule: rule_text(&held.rule),
        until: timestamp(&until),
        reason: reason.to_owned(),
        actor: held.actor.clone(),
        since: timestamp(&held.since),
    });
    let places = remembered.places.iter().map(|(place, entries)| {
        let last_audit = entries.last_audit.as_ref();
        PlaceJson {
            account: account(place),
            region: region(place),
            audited: last_audit.map(|it| timestamp(&it.at)),
            groups: last_audit.map(|it| it.groups),
        }
    });
    let waiting = remembered.waits.findings.iter().map(|one| WaitingJson {
        fingerprint: one.entry.brief.fingerprint.clone(),
        code: one.entry.brief.code,
        severity: one.entry.brief.severity,
        soon: one.is_urgent,
    });
    let json = RememberedJson {
        open: open.collect(),
        held: held.collect(),
        places: places.collect(),
        waiting: waiting.collect(),
        last_daily_mail: remembered.waits.last_daily.map(|at| timestamp(&at)),
        not_understood: remembered.unknown,
    };
    serde_json::to_string_pretty(&json).map(|json| json + "\n")
}

/// What is remembered, for people.
pub fn to_text(remembered: &Remembered, now: DateTime<Utc>) -> String {
    let mut text = String::new();
    let open = open(remembered);
    section(
        &mut text,
        "Open",
        &count(open.len(), "finding"),
        open.into_iter().map(|entry| {
            let Brief { severity, code, place, group, rule, .. } = &entry.brief;
            let group = group.as_ref().map(|group| format!(" of {}", id_and_name(group)));
            let what = rule.as_ref().map_or_else(|| code.as_str().to_owned(), rule_text);
            let (severity, group) = (severity.as_str(), group.unwrap_or_default());
            format!("{severity}, for {}: {what}{group}, {place}", since(entry.opened(), now))
        }),
    );
    let held = held(remembered, now);
    section(
        &mut text,
        "Held",
        &count(held.len(), "rule"),
        held.into_iter().map(|(held, until, reason)| {
            let HeldRule { rule, group, place, .. } = held;
            format!("until {}: {} of {group}, {place}: {reason}", minute(until), rule_text(rule))
        }),
    );
    let places = &remembered.places;
    section(
        &mut text,
        "Audited",
        &count(places.len(), "place"),
        places.iter().map(|(place, entries)| match &entries.last_audit {
            Some(it) => {
                format!("{place}: {} ago, {}", since(it.at, now), count(it.groups, "group"))
            }
            None => format!("{place}: no sweep has audited all of it yet"),
        }),
    );
    let soon = remembered.waits.findings.iter().filter(|one| one.is_urgent).count();
    let waiting = count(remembered.waits.findings.len(), "finding");
    let last = remembered.waits.last_daily;
    let last = last.map_or_else(String::new, |at| {
        format!("; the last daily mail was sent {} ago", since(at, now))
    });
    text.push_str(&format!(
        "Waiting to be mailed: {waiting}, {soon} of them within 15 minutes{last}\n"
    ));
    if remembered.unknown > 0 {
        let unknown = remembered.unknown;
        text.push_str(&format!("{unknown} of the table's entries are of another version of the auditor and are not shown.\n"));
    }
    text
}

fn section(text: &mut String, name: &str, number: &str, lines: impl Iterator<Item = String>) {
    text.push_str(&format!("{name}: {number}\n"));
    for line in lines {
        text.push_str(&format!("  {}\n", inert::plain(&line)));
    }
    text.push('\n');
}

/// The open findings, the worst and oldest first.
fn open(remembered: &Remembered) -> Vec<&Entry> {
    let all = remembered.places.values().flat_map(|entries| &entries.findings);
    let mut open: Vec<&Entry> = all.filter(|entry| entry.brief.is_open).collect();
    open.sort_by_key(|entry| (std::cmp::Reverse(entry.brief.severity), entry.opened()));
    open
}

/// The rules that are held now, each with the end and the reason.
fn held(remembered: &Remembered, now: DateTime<Utc>) -> Vec<(&HeldRule, DateTime<Utc>, &str)> {
    let all = remembered.places.values().flat_map(|entries| &entries.holds);
    let mut held = Vec::new();
    for one in all {
        if let Some(hold) = one.hold.as_ref().filter(|hold| hold.until > now) {
            held.push((one, hold.until, hold.reason.as_str()));
        }
    }
    held.sort_by_key(|(_, until, _)| *until);
    held
}
