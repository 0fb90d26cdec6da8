//! The history as JSON. Names and meanings are a contract; fields may be added.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::json::{ChangeJson, GapJson, Generator, HoldJson, RuleJson};
use super::words::{fix, status_word, traffic};
use crate::ec2::GroupKey;
use crate::evaluate::{Code, Severity};
use crate::finding::BaselineName;
use crate::finding::fingerprint;
use crate::history::{Deed, Durations, End, History, How, Opening, RecordsRead, Share, Start};
use crate::text::escape::ascii_json;
use crate::text::timestamp;
use crate::words::{ExcessBox, boxes};

/// The JSON Schema of a history.
pub const HISTORY_SCHEMA: &str = include_str!("../../../docs/history.schema.json");

#[derive(Serialize)]
struct HistoryJson<'a> {
    version: u8,
    generator: Generator,
    baseline: &'a BaselineName,
    until: String,
    compared_with_groups: bool,
    partial: bool,
    records: RecordsJson,
    coverage: Vec<WatchedJson>,
    totals: TotalsJson,
    openings: Vec<OpeningJson>,
}

#[derive(Serialize)]
struct RecordsJson {
    read: usize,
    changes: usize,
    repeated: usize,
    untimed: usize,
    unread: usize,
}

#[derive(Serialize)]
struct WatchedJson {
    account: Option<String>,
    region: Option<String>,
    records: usize,
    first: String,
    last: String,
    gaps: Vec<GapJson>,
}

#[derive(Serialize)]
struct TotalsJson {
    openings: usize,
    open: usize,
    closed: usize,
    unknown: usize,
    median_seconds: i64,
    longest_seconds: i64,
    by_severity: BTreeMap<Severity, usize>,
    by_actor: Vec<ShareJson<Option<String>>>,
    by_group: Vec<ShareJson<String>>,
}

#[derive(Serialize)]
struct ShareJson<T> {
    name: T,
    openings: usize,
    open: usize,
    median_seconds: i64,
    longest_seconds: i64,
}

#[derive(Serialize)]
struct OpeningJson {
    fingerprint: String,
    status: &'static str,
    seconds: i64,
    exact: bool,
    code: Code,
    severity: Severity,
    account: Option<String>,
    region: Option<String>,
    group: GroupJson,
    rule: RuleJson,
    direction_assumed: bool,
    excess: Vec<ExcessBox>,
    excess_text: String,
    unresolved: bool,
    opened: MomentJson,
    closed: Option<MomentJson>,
    perhaps_closed: Option<ChangeJson>,
    seen_now: Option<bool>,
    hold: Option<HoldJson>,
    fix: Option<String>,
}

#[derive(Serialize)]
struct GroupJson {
    id: Option<String>,
    name: Option<String>,
    vpc_id: Option<String>,
}

/// When an opening began or ended: exactly, or between two times.
#[derive(Serialize)]
struct MomentJson {
    at: Option<String>,
    after: Option<String>,
    by: Option<String>,
    how: Option<&'static str>,
    prefix_list: Option<String>,
    by_auditor: bool,
    change: Option<ChangeJson>,
}

impl MomentJson {
    fn known(deed: &Deed) -> Self {
        let (how, prefix_list) = match &deed.how {
            How::Authorized => ("authorized", None),
            How::Modified => ("modified", None),
            How::Revoked => ("revoked", None),
            How::List(list) => ("list-changed", Some(list.to_string())),
            How::GroupCreated => ("group-created", None),
            How::GroupDeleted => ("group-deleted", None),
            How::Unread => ("unread", None),
        };
        Self {
            at: Some(timestamp(&deed.time)),
            after: None,
            by: None,
            how: Some(how),
            prefix_list,
            by_auditor: deed.is_auditor,
            change: Some(ChangeJson::from(&*deed.record)),
        }
    }

    fn unknown(after: Option<String>, by: String) -> Self {
        let (at, how, prefix_list, change) = (None, None, None, None);
        Self { at, after, by: Some(by), how, prefix_list, by_auditor: false, change }
    }
}

impl<T: Clone> From<&Share<T>> for ShareJson<T> {
    fn from(share: &Share<T>) -> Self {
        let Durations { median, longest } = share.durations;
        Self {
            name: share.of.clone(),
            openings: share.openings,
            open: share.open,
            median_seconds: median.num_seconds(),
            longest_seconds: longest.num_seconds(),
        }
    }
}

impl From<&RecordsRead> for WatchedJson {
    fn from(coverage: &RecordsRead) -> Self {
        Self {
            account: coverage.place.account.as_ref().map(ToString::to_string),
            region: coverage.place.region.as_ref().map(ToString::to_string),
            records: coverage.records,
            first: timestamp(&coverage.first),
            last: timestamp(&coverage.last),
            gaps: coverage.gaps().iter().map(GapJson::from).collect(),
        }
    }
}

fn opening(opening: &Opening, history: &History) -> OpeningJson {
    let place = &opening.place;
    let (length, exact) = opening.duration(history.now);
    let (id, vpc_id) = match &opening.group {
        GroupKey::Id(id) => (Some(id.to_string()), None),
        GroupKey::Name { vpc_id, .. } => (None, vpc_id.clone()),
    };
    let opened = match &opening.start {
        Start::Known(deed) => MomentJson::known(deed),
        Start::Unknown { after, by } => {
            MomentJson::unknown(after.as_ref().map(timestamp), timestamp(by))
        }
    };
    let closed = match &opening.end {
        End::Known(deed) => Some(MomentJson::known(deed)),
        End::Unknown { after, by } => {
            Some(MomentJson::unknown(Some(timestamp(after)), timestamp(by)))
        }
        End::Open | End::NotSeen | End::Perhaps(_) => None,
    };
    let perhaps_closed = match &opening.end {
        End::Perhaps(deed) => Some(ChangeJson::from(&*deed.record)),
        _ => None,
    };
    let rule = &opening.rule;
    OpeningJson {
        fingerprint: fingerprint(place, opening.group.id(), opening.code, Some(rule)),
        status: status_word(opening),
        seconds: length.num_seconds(),
        exact,
        code: opening.code,
        severity: opening.severity,
        account: place.account.as_ref().map(ToString::to_string),
        region: place.region.as_ref().map(ToString::to_string),
        group: GroupJson { id, name: opening.group_name.clone(), vpc_id },
        rule: RuleJson::from(rule),
        direction_assumed: opening.direction_assumed,
        excess: boxes(&opening.excess),
        excess_text: traffic(opening),
        unresolved: opening.code == Code::UnresolvedPeer,
        opened,
        closed,
        perhaps_closed,
        seen_now: history.has_present.then_some(matches!(opening.end, End::Open)),
        hold: opening.hold.as_ref().map(HoldJson::from),
        fix: fix(opening),
    }
}

/// The history with a line for every value, in ASCII. Openings below a severity are counted only.
///
/// # Errors
///
/// None that a history can cause; serde's signature has one.
pub fn to_json_pretty(history: &History, least: Severity) -> Result<String, serde_json::Error> {
    let totals = &history.totals;
    let shown = history.openings.iter().filter(|it| it.severity >= least);
    let json = HistoryJson {
        version: 1,
        generator: Generator::of_this_program(),
        baseline: &history.baseline,
        until: timestamp(&history.now),
        compared_with_groups: history.has_present,
        partial: history.is_partial,
        records: RecordsJson {
            read: history.counts.records,
            changes: history.counts.changes,
            repeated: history.counts.repeated,
            untimed: history.counts.untimed,
            unread: history.counts.unread,
        },
        coverage: history.coverage.iter().map(WatchedJson::from).collect(),
        totals: TotalsJson {
            openings: totals.openings,
            open: totals.open,
            closed: totals.openings - totals.open - totals.unknown,
            unknown: totals.unknown,
            median_seconds: totals.durations.median.num_seconds(),
            longest_seconds: totals.durations.longest.num_seconds(),
            by_severity: totals.by_severity.clone(),
            by_actor: totals.by_actor.iter().map(ShareJson::from).collect(),
            by_group: totals.by_group.iter().map(ShareJson::from).collect(),
        },
        openings: shown.map(|it| opening(it, history)).collect(),
    };
    serde_json::to_string_pretty(&json).map(|json| ascii_json(&json))
}
