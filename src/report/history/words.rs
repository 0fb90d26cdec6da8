//! How an opening is said.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::wording::duration;
use crate::ec2::command::revoke_line;
use crate::ec2::{AccountId, Arn, GroupKey};
use crate::evaluate::Code;
use crate::history::{Deed, End, How, Opening, OpeningStatus, Start};
use crate::net::Set;
use crate::text::{minute, quoted};
use crate::words::{excess_text, rule_text};

/// `45 d 3 h`, `3 h 12 min`, `5 min`, `20 s`
pub(in crate::report) fn length(time: TimeDelta) -> String {
    match time.max(TimeDelta::zero()) {
        time if time < TimeDelta::minutes(1) => duration(time),
        time => duration(TimeDelta::minutes(time.num_minutes())),
    }
}

/// `at least 3 h`
pub(in crate::report) fn open_for(opening: &Opening, now: DateTime<Utc>) -> String {
    match opening.duration(now) {
        (time, true) => length(time),
        (time, false) => format!("at least {}", length(time)),
    }
}

pub(in crate::report) fn status(opening: &Opening) -> &'static str {
    match (&opening.end, opening.status()) {
        (End::NotSeen, _) => "not seen closed",
        (_, OpeningStatus::Open) => "open",
        (_, OpeningStatus::Closed) => "closed",
        (_, OpeningStatus::Unknown) => "perhaps closed",
    }
}

pub(in crate::report) fn status_word(opening: &Opening) -> &'static str {
    match opening.status() {
        OpeningStatus::Open => "open",
        OpeningStatus::Closed => "closed",
        OpeningStatus::Unknown => "unknown",
    }
}

/// What exceeded the baseline: `tcp 22 from anywhere`.
pub(in crate::report) fn traffic(opening: &Opening) -> String {
    let rule = &opening.rule;
    let text = match opening.code {
        Code::UnresolvedPeer => format!("{} (the list is not known)", rule_text(rule)),
        _ => excess_text(rule, &opening.excess),
    };
    match rule.peer().list() {
        Some(list) if opening.code != Code::UnresolvedPeer => format!("{text} (in {list})"),
        _ if opening.direction_assumed => format!("{text} (if it is an ingress rule)"),
        _ => text,
    }
}

/// `sg-… "web"`
pub(in crate::report) fn group(opening: &Opening) -> String {
    match (&opening.group, opening.group_name.as_deref()) {
        (GroupKey::Id(id), Some(name)) => format!("{id} {}", quoted(name)),
        (GroupKey::Id(id), None) => id.to_string(),
        (GroupKey::Name { name, vpc_id: Some(vpc) }, _) => format!("{} in {vpc}", quoted(name)),
        (GroupKey::Name { name, vpc_id: None }, _) => quoted(name),
    }
}

/// `123456789012 eu-central-1`
pub(in crate::report) fn place(place: &crate::ec2::Place) -> String {
    let account = place.account.as_ref().map(ToString::to_string);
    let region = place.region.as_ref().map(ToString::to_string);
    let parts: Vec<String> = [account, region].into_iter().flatten().collect();
    if parts.is_empty() { "unknown place".to_owned() } else { parts.join(" ") }
}

fn clock(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}

/// When it was open: `2026-03-01 08:11 to 2026-03-02 09:10 UTC`.
pub(in crate::report) fn period(opening: &Opening) -> String {
    let start = match &opening.start {
        Start::Known(deed) => clock(deed.time),
        Start::Unknown { after: Some(after), .. } => format!("some time after {}", clock(*after)),
        Start::Unknown { after: None, .. } => "before the first record".to_owned(),
    };
    match &opening.end {
        End::Known(deed) => format!("{start} to {}", minute(deed.time)),
        End::Open | End::NotSeen => match &opening.start {
            Start::Known(_) => format!("since {start} UTC"),
            Start::Unknown { after: Some(_), .. } => format!("since {start} UTC"),
            Start::Unknown { after: None, .. } => "since an unknown time".to_owned(),
        },
        End::Unknown { after, by } => {
            format!("{start} to some time between {} and {}", clock(*after), minute(*by))
        }
        End::Perhaps(deed) => format!("since {start}, perhaps until {}", minute(deed.time)),
    }
}

/// Who did it, without the account where it is the group's own.
pub(in crate::report) fn actor(opening: &Opening, deed: &Deed) -> String {
    if deed.is_auditor {
        return "this auditor".to_owned();
    }
    let Some(actor) = deed.record.actor.as_deref().filter(|actor| !actor.trim().is_empty()) else {
        return "somebody whom the record does not name".to_owned();
    };
    let own = opening.place.account.as_ref().map(AccountId::as_str);
    let of_own = Arn::parse(actor).filter(|arn| own == Some(arn.account));
    of_own.map_or(actor, |arn| arn.resource).to_owned()
}

/// Who, from where, and how: `user/alice from 198.51.100.7 (AuthorizeSecurityGroupIngress)`.
pub(in crate::report) fn deed(opening: &Opening, deed: &Deed) -> String {
    let mut text = actor(opening, deed);
    if let Some(ip) = deed.record.source_ip.as_deref().filter(|ip| !ip.trim().is_empty()) {
        text = format!("{text} from {ip}");
    }
    let call = deed.record.event_name.as_deref().unwrap_or_default();
    match &deed.how {
        How::List(list) => format!("{text} ({call} of {list})"),
        _ if call.is_empty() => text,
        _ => format!("{text} ({call})"),
    }
}

pub(in crate::report) fn opened_by(opening: &Opening) -> String {
    match &opening.start {
        Start::Known(it) => format!("opened by {}", deed(opening, it)),
        Start::Unknown { .. } => "no record tells who opened it".to_owned(),
    }
}

/// Who closed it, if it is closed.
pub(in crate::report) fn closed_by(opening: &Opening) -> Option<String> {
    match &opening.end {
        End::Known(it) => Some(format!("closed by {}", deed(opening, it))),
        End::Unknown { .. } => Some("no record tells who closed it".to_owned()),
        End::Perhaps(it) => Some(format!("a change that cannot be read, by {}", deed(opening, it))),
        End::Open | End::NotSeen => None,
    }
}

/// The command that closes it, where it is open and the whole rule exceeds the baseline. Of any other
/// rule `sg-audit check` tells what is to be left of it.
pub(in crate::report) fn fix(opening: &Opening) -> Option<String> {
    let is_whole = opening.rule.traffic().difference(&opening.excess).is_empty();
    let may_be_open = !matches!(opening.status(), OpeningStatus::Closed);
    let group = opening.group.id().filter(|_| is_whole && may_be_open)?;
    revoke_line(opening.place.region.as_ref(), group, &[&opening.rule])
}
