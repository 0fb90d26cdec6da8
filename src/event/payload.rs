//! The JSON format of [`Job`]s.
//!
//! All of them have one format with one version. A job may wait in a queue while another version of
//! the function is deployed, and must be recognised then, not misread. People write schedules without
//! a version.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::group_ids;
use super::job::{Close, FoundBy, Job, ListResume, Lost, Note, RuleToClose, Sweep};
use super::list_change::ListChange;
use super::model::{Event, Kind};
use super::record::Record;
use super::schedule::ScheduledTask;
use super::tag_change::{HoldTags, TagChange};
use crate::ec2::hold::{Claim, Promise};
use crate::ec2::{GroupId, Place, Rule};
use crate::text::in_backticks;

/// The version of the format, and the name of the member that says it.
const VERSION: u32 = 1;
const VERSION_MEMBER: &str = "version";

/// The name of the member that counts the invocations before.
const DEPTH_MEMBER: &str = "depth";

/// The tasks that a schedule asks for.
const SCHEDULED: [&str; 2] = ["sweep", "holds"];

/// The tasks that the function hands to itself.
const HANDED_ON: [&str; 5] = ["close", "tags", "hold_tags", "list", "lost"];

/// An asynchronous invocation takes 256 KiB, and there may be wrappers around the job.
const MAX_BYTES: usize = 200 * 1024;

/// How a person writes a schedule.
const EXAMPLE: &str =
    r#"{"sweep": {"accounts": ["123456789012"], "regions": ["eu-central-1"]}} or {"holds": {}}"#;

/// Why a job is not understood.
#[derive(Debug, Error)]
pub(super) enum JobError {
    #[error("the schedule asks for `sweep` and for `holds`: write one schedule for each")]
    Both,
    #[error("the schedule contains {}, which is not known: write {EXAMPLE}", in_backticks(.0))]
    Unknown(String),
    #[error("`{0}` of the schedule is not an object: write {EXAMPLE}")]
    NotAnObject(&'static str),
    #[error(
        "the schedule sweeps {0} accounts: write one, or have the state machine of \
         stacks/organisation.yaml sweep them"
    )]
    ManyAccounts(usize),
    #[error("the schedule is not understood, write {EXAMPLE}")]
    Schedule(#[source] serde_json::Error),
    #[error("the message has version {found}, but this function reads version {VERSION} only")]
    Version { found: String },
    #[error("`depth` of the message counts invocations, and {} is no such number", in_backticks(.0))]
    Depth(String),
    #[error("the message of an earlier invocation is not understood")]
    HandedOn(#[source] serde_json::Error),
    #[error("the message of an earlier invocation names no group")]
    NoGroup,
    #[error("the message of an earlier invocation names no rule")]
    NoRule,
}

/// A job as it is written.
#[derive(Serialize)]
struct Payload {
    version: u32,
    depth: u32,
    #[serde(flatten)]
    task: JobJson,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum JobJson {
    Sweep(Sweep),
    Holds(Sweep),
    Close(CloseJson),
    Tags(WithChange<TagChange>),
    #[serde(rename = "hold_tags")]
    HoldTags(WithChange<HoldTags>),
    List(ListJson),
    Lost(WithChange<Lost>),
}

#[derive(Serialize, Deserialize)]
struct CloseJson {
    change: Option<Record>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    occasion: Option<String>,
    rules: Vec<ToCloseJson>,
}

/// A task and the change behind it.
#[derive(Serialize, Deserialize)]
struct WithChange<T> {
    change: Option<Record>,
    #[serde(flatten)]
    task: T,
}

#[derive(Serialize, Deserialize)]
struct ListJson {
    change: Option<Record>,
    list: ListChange,
    resume: ListResume,
}

/// A [`RuleToClose`] with all that its rule has.
#[derive(Serialize, Deserialize)]
struct ToCloseJson {
    #[serde(flatten)]
    place: Place,
    group: GroupId,
    #[serde(flatten)]
    rule: Rule,
    description: Option<String>,
    tags: BTreeMap<String, String>,
    note: Option<Note>,
    found_by: FoundBy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    promise: Option<Promise>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<Claim>,
}

impl From<&RuleToClose> for ToCloseJson {
    fn from(
        RuleToClose { place, group, rule, note, found_by, promise, claim }: &RuleToClose,
    ) -> Self {
        Self {
            place: place.clone(),
            group: group.clone(),
            description: rule.description().map(str::to_owned),
            tags: rule.tags().clone(),
            rule: rule.clone(),
            note: note.clone(),
            found_by: *found_by,
            promise: promise.clone(),
            claim: claim.clone(),
        }
    }
}

impl From<ToCloseJson> for RuleToClose {
    fn from(json: ToCloseJson) -> Self {
        Self {
            place: json.place,
            group: json.group,
            rule: json.rule.with_description(json.description).with_tags(json.tags),
            note: json.note,
            found_by: json.found_by,
            promise: json.promise,
            claim: json.claim,
        }
    }
}

impl Job {
    /// The payloads that ask for it; [`decode`](super::decode) reads them back. `record` is the
    /// change behind it, and is left out of a job that has none. `depth` is that of the events.
    ///
    /// A close or a tag call with many rules, groups or tags becomes several payloads, so that none
    /// exceeds what an invocation takes. One without any rule or group becomes none. The number
    /// beside each payload is how many rules, or groups, are in it.
    pub fn to_payloads(&self, record: &Record, depth: u32) -> Vec<(Value, usize)> {
        let payload = |task| payload(task, depth);
        match self {
            Self::Sweep(sweep) => vec![(payload(JobJson::Sweep(sweep.clone())), 0)],
            Self::Holds(sweep) => vec![(payload(JobJson::Holds(sweep.clone())), 0)],
            Self::Close(close) => {
                let rules = close.rules.iter().map(ToCloseJson::from);
                split(depth, rules, |rules| {
                    let (change, occasion) = (Some(record.clone()), close.occasion.clone());
                    JobJson::Close(CloseJson { change, occasion, rules })
                })
            }
            Self::List(list, resume) => {
                let (change, list, resume) = (Some(record.clone()), list.clone(), resume.clone());
                vec![(payload(JobJson::List(ListJson { change, list, resume })), 0)]
            }
            Self::Tags(TagChange { groups, tags, all_deleted }) => {
                // EC2 takes 50 tags, which is far less than this. An event can be forged.
                let mut of_tags = parts(tags.clone().into_iter(), MAX_BYTES / 2);
                if tags.is_empty() {
                    of_tags.push(Vec::new());
                }
                let payloads = of_tags.into_iter().flat_map(|part| {
                    let tags: BTreeMap<_, _> = part.into_iter().collect();
                    split(depth, groups.iter().cloned(), |groups| {
                        let (tags, all_deleted) = (tags.clone(), *all_deleted);
                        let task = TagChange { groups, tags, all_deleted };
                        JobJson::Tags(WithChange { change: Some(record.clone()), task })
                    })
                });
                payloads.collect()
            }
            Self::HoldTags(HoldTags { rules, unread }) => {
                split(depth, rules.iter().cloned(), |rules| {
                    let task = HoldTags { rules, unread: unread.clone() };
                    JobJson::HoldTags(WithChange { change: Some(record.clone()), task })
                })
            }
            Self::Lost(lost) => {
                let change = Some(record.clone());
                vec![(payload(JobJson::Lost(WithChange { change, task: lost.clone() })), 0)]
            }
        }
    }
}

/// As few payloads as possible with all items in them, none larger than [`MAX_BYTES`].
fn split<T: Serialize>(
    depth: u32,
    items: impl Iterator<Item = T>,
    task: impl Fn(Vec<T>) -> JobJson,
) -> Vec<(Value, usize)> {
    let around = size(&payload(task(Vec::new()), depth));
    let with_count = |part: Vec<T>| {
        let count = part.len();
        (payload(task(part), depth), count)
    };
    parts(items, MAX_BYTES.saturating_sub(around)).into_iter().map(with_count).collect()
}

/// The items in as few parts as possible, none larger than `max` bytes unless it is a single item.
fn parts<T: Serialize>(items: impl Iterator<Item = T>, max: usize) -> Vec<Vec<T>> {
    let mut parts: Vec<Vec<T>> = Vec::new();
    let mut bytes = 0;
    for item in items {
        // One for the comma.
        let more = size(&item) + 1;
        match parts.last_mut() {
            Some(part) if bytes + more <= max => {
                part.push(item);
                bytes += more;
            }
            _ => {
                parts.push(vec![item]);
                bytes = more;
            }
        }
    }
    parts
}

fn payload(task: JobJson, depth: u32) -> Value {
    // Everything in it can be written as JSON.
    serde_json::to_value(Payload { version: VERSION, depth, task }).unwrap_or_default()
}

fn size(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}

/// Whether `members` are a job that the function handed to itself. If there is anything else among
/// them, they are a part of a CloudTrail record.
pub(super) fn is_handed_on(members: &Map<String, Value>) -> bool {
    let is_task = |name: &&String| *name != VERSION_MEMBER && *name != DEPTH_MEMBER;
    let mut names = members.keys().filter(is_task);
    match (names.next(), names.next()) {
        (Some(name), None) => HANDED_ON.contains(&name.as_str()),
        _ => false,
    }
}

/// Whether `members` are a schedule. If something beside it names a group, it is a part of a
/// CloudTrail record, so nobody can hide a change by adding a word to it.
pub(super) fn is_schedule(members: &Map<String, Value>) -> bool {
    let is_task = |name: &str| SCHEDULED.contains(&name);
    let mut others = members.iter().filter(|(name, _)| !is_task(name));
    members.keys().any(|name| is_task(name))
        && others.all(|(_, value)| group_ids::in_value(value).is_empty())
}

/// Whether `members` are a job: a schedule, or what the function handed to itself.
pub fn is_job(members: &Map<String, Value>) -> bool {
    is_handed_on(members) || is_schedule(members)
}

/// Reads what [is such a job](is_handed_on). Unknown members are left out: the version of the
/// function that wrote them may have been rolled back.
pub(super) fn handed_on(members: &Map<String, Value>) -> Result<Event, JobError> {
    let (task, depth) = without_envelope(members.clone())?;
    match JobJson::deserialize(Value::Object(task)).map_err(JobError::HandedOn)? {
        JobJson::Close(CloseJson { rules, .. }) if rules.is_empty() => Err(JobError::NoGroup),
        JobJson::Tags(tags) if tags.task.groups.is_empty() => Err(JobError::NoGroup),
        JobJson::HoldTags(tags) if tags.task.rules.is_empty() => Err(JobError::NoRule),
        task => event(task, depth),
    }
}

/// Reads what [is a schedule](is_schedule).
pub(super) fn schedule(members: Map<String, Value>) -> Result<Event, JobError> {
    let (task, depth) = without_envelope(members)?;
    if let Some(unknown) = task.keys().find(|name| !SCHEDULED.contains(&name.as_str())) {
        return Err(JobError::Unknown(unknown.clone()));
    }
    // Serde would take a list as the values of the members.
    let is_other = |name: &&&str| task.get(**name).is_some_and(|asked| !asked.is_object());
    if let Some(name) = SCHEDULED.iter().find(is_other) {
        return Err(JobError::NotAnObject(name));
    }
    if task.len() > 1 {
        return Err(JobError::Both);
    }
    match JobJson::deserialize(Value::Object(task)).map_err(JobError::Schedule)? {
        // Nobody could say which of them were swept, if this invocation and those after it were not
        // enough.
        JobJson::Sweep(sweep) if sweep.accounts.len() > 1 => {
            Err(JobError::ManyAccounts(sweep.accounts.len()))
        }
        task => event(task, depth),
    }
}

/// Whether the `detail` of an event is empty, or a schedule.
pub(super) fn may_be_schedule(detail: Option<&Value>) -> bool {
    match detail {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) if text.trim().is_empty() => true,
        Some(Value::String(text)) => serde_json::from_str(text)
            .is_ok_and(|detail: Value| detail.is_object() && may_be_schedule(Some(&detail))),
        Some(Value::Object(members)) => members.is_empty() || is_schedule(members),
        Some(_) => false,
    }
}

/// What a scheduled event asks for: by its `detail`, else this task. EventBridge Scheduler writes an
/// empty `detail` as a string.
pub(super) fn of_scheduled_event(detail: Value, by_rule: ScheduledTask) -> Result<Event, JobError> {
    match detail {
        Value::Null => {
            let task = match by_rule {
                ScheduledTask::Sweep => JobJson::Sweep(Sweep::default()),
                ScheduledTask::Holds => JobJson::Holds(Sweep::default()),
            };
            event(task, 0)
        }
        Value::String(text) if text.trim().is_empty() => of_scheduled_event(Value::Null, by_rule),
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(members @ Value::Object(_)) => of_scheduled_event(members, by_rule),
            _ => Err(JobError::NotAnObject("detail")),
        },
        Value::Object(members) if members.is_empty() => of_scheduled_event(Value::Null, by_rule),
        Value::Object(members) => schedule(members),
        _ => Err(JobError::NotAnObject("detail")),
    }
}

/// The task, and how many invocations handed it on.
fn without_envelope(
    mut members: Map<String, Value>,
) -> Result<(Map<String, Value>, u32), JobError> {
    match members.remove(VERSION_MEMBER) {
        None | Some(Value::Null) => {}
        Some(version) if version == VERSION => {}
        Some(version) => {
            return Err(JobError::Version { found: in_backticks(&version.to_string()) });
        }
    }
    let depth = match members.remove(DEPTH_MEMBER) {
        None | Some(Value::Null) => 0,
        Some(depth) => u32::deserialize(&depth).map_err(|_| JobError::Depth(depth.to_string()))?,
    };
    Ok((members, depth))
}

fn event(task: JobJson, depth: u32) -> Result<Event, JobError> {
    let (change, job) = match task {
        JobJson::Sweep(sweep) => (None, Job::Sweep(sweep)),
        JobJson::Holds(sweep) => (None, Job::Holds(sweep)),
        JobJson::Close(CloseJson { change, occasion, rules }) => {
            let rules = rules.into_iter().map(RuleToClose::from).collect();
            (change, Job::Close(Close { rules: sorted(rules), occasion }))
        }
        JobJson::Tags(WithChange { change, task }) => (change, Job::Tags(task)),
        JobJson::HoldTags(WithChange { change, task }) => (change, Job::HoldTags(task)),
        JobJson::List(ListJson { change, list, resume }) => (change, Job::List(list, resume)),
        JobJson::Lost(WithChange { change, task }) => (change, Job::Lost(task)),
    };
    let record = change.unwrap_or_default();
    Ok(Event { record, kind: Kind::Job(job), depth })
}

/// The rules by their groups, each rule once.
fn sorted(mut rules: Vec<RuleToClose>) -> Vec<RuleToClose> {
    rules.sort_by(|one, other| one.key().cmp(&other.key()));
    let mut met = BTreeSet::new();
    rules.retain(|one| met.insert((one.group.clone(), one.rule.content())));
    rules
}
