//! Schedules: what EventBridge sends when it is time, and the payload that asks for more than the
//! function's own account and region.

use serde_json::{Map, Value};
use thiserror::Error;

use super::{Resume, Schedule, Task, mentioned};
use crate::ec2::ids::{is_account, is_group_id, is_region};

/// Why something that asks for a sweep, or for a check of holds, is not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum ScheduleError {
    #[error("the schedule asks for `sweep` and for `holds`; write each in a schedule of its own")]
    Both,
    #[error("the schedule asks for nothing; write {{\"sweep\": {{}}}} or {{\"holds\": {{}}}}")]
    Neither,
    #[error("`{member}` of the schedule is not {expected}")]
    Shape { member: &'static str, expected: &'static str },
    #[error(
        "the schedule has `{0}` in it; write `sweep` or `holds`, and in it `accounts`, `regions`, \
         and `resume` with `depth`, `places_done`, `page`, `groups_done`, `again`"
    )]
    Unknown(String),
    #[error("`{0}` in the schedule is no account; write its 12 digits in quotes")]
    Account(String),
    #[error("`{0}` in the schedule is no security group; write its id")]
    Group(String),
    #[error("`{0}` in the schedule is no region; write it as in eu-central-1")]
    Region(String),
}

/// Whether `members` are the payload of a schedule. A part of a record is not, whatever else is in
/// it.
pub(super) fn is_payload(members: &Map<String, Value>) -> bool {
    let is_task = |name: &str| TASKS.iter().any(|task| task.as_str() == name);
    let mut others = members.iter().filter(|(name, _)| !is_task(name));
    members.keys().any(|name| is_task(name))
        && others.all(|(_, other)| mentioned::groups_in(other).is_empty())
}

/// What a scheduled event asks for: by its `detail`, else a sweep. EventBridge Scheduler writes an
/// empty `detail` as a text.
pub(super) fn of_event(detail: &Value) -> Result<Schedule, ScheduleError> {
    match detail {
        Value::Null => Ok(Schedule::default()),
        Value::Object(members) if members.is_empty() => Ok(Schedule::default()),
        Value::Object(members) => of_payload(members),
        Value::String(text) if text.trim().is_empty() => Ok(Schedule::default()),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Object(members)) => of_event(&Value::Object(members)),
            _ => Err(DETAIL),
        },
        _ => Err(DETAIL),
    }
}

const DETAIL: ScheduleError = ScheduleError::Shape { member: "detail", expected: AN_OBJECT };

const AN_OBJECT: &str = "an object";

const TASKS: [Task; 2] = [Task::Sweep, Task::Holds];

/// Reads what [`Schedule::to_payload`] writes, and what a person writes as the input of a
/// schedule.
pub(super) fn of_payload(members: &Map<String, Value>) -> Result<Schedule, ScheduleError> {
    known(members, &TASKS.map(Task::as_str))?;
    let mut asked = TASKS.iter().filter_map(|task| Some((*task, members.get(task.as_str())?)));
    let (task, what) = asked.next().ok_or(ScheduleError::Neither)?;
    if asked.next().is_some() {
        return Err(ScheduleError::Both);
    }
    let what = object(what, task.as_str())?;
    known(what, &["accounts", "regions", "resume"])?;
    Ok(Schedule {
        task,
        accounts: texts(what, "accounts", is_account, ScheduleError::Account)?,
        regions: texts(what, "regions", is_region, ScheduleError::Region)?,
        resume: match said(what, "resume") {
            Some(resume) => self::resume(object(resume, "resume")?)?,
            None => Resume::default(),
        },
    })
}

fn resume(members: &Map<String, Value>) -> Result<Resume, ScheduleError> {
    known(members, &["depth", "places_done", "page", "groups_done", "again"])?;
    let page = match said(members, "page") {
        Some(Value::String(page)) => Some(page.clone()),
        Some(_) => return Err(ScheduleError::Shape { member: "page", expected: "a text" }),
        None => None,
    };
    Ok(Resume {
        depth: count(members, "depth")?,
        places_done: count(members, "places_done")?,
        page,
        groups_done: texts(members, "groups_done", is_group_id, ScheduleError::Group)?,
        again: counts(members, "again")?,
    })
}

/// That nothing else is in it: what is misspelt must not be left out in silence.
fn known(members: &Map<String, Value>, names: &[&str]) -> Result<(), ScheduleError> {
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(unknown) => Err(ScheduleError::Unknown(shown(unknown))),
        None => Ok(()),
    }
}

/// The member, where it is there; null is how some tools write that it is not.
fn said<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).filter(|value| !value.is_null())
}

fn object<'a>(
    value: &'a Value,
    member: &'static str,
) -> Result<&'a Map<String, Value>, ScheduleError> {
    value.as_object().ok_or(ScheduleError::Shape { member, expected: AN_OBJECT })
}

fn texts(
    members: &Map<String, Value>,
    member: &'static str,
    is_good: fn(&str) -> bool,
    bad: fn(String) -> ScheduleError,
) -> Result<Vec<String>, ScheduleError> {
    let shape = || ScheduleError::Shape { member, expected: "a list of texts" };
    let Some(list) = said(members, member) else { return Ok(Vec::new()) };
    let texts = list.as_array().ok_or_else(shape)?.iter().map(|text| {
        let text = text.as_str().ok_or_else(shape)?;
        if is_good(text) { Ok(text.to_owned()) } else { Err(bad(shown(text))) }
    });
    texts.collect()
}

fn count<T: TryFrom<u64> + Default>(
    members: &Map<String, Value>,
    member: &'static str,
) -> Result<T, ScheduleError> {
    let Some(count) = said(members, member) else { return Ok(T::default()) };
    let whole = count.as_u64().and_then(|count| count.try_into().ok());
    whole.ok_or(ScheduleError::Shape { member, expected: "a whole number from 0" })
}

fn counts(members: &Map<String, Value>, member: &'static str) -> Result<Vec<usize>, ScheduleError> {
    let shape = || ScheduleError::Shape { member, expected: "a list of whole numbers from 0" };
    let Some(list) = said(members, member) else { return Ok(Vec::new()) };
    let counts = list.as_array().ok_or_else(shape)?.iter().map(|count| {
        let count = count.as_u64().and_then(|count| count.try_into().ok());
        count.ok_or_else(shape)
    });
    counts.collect()
}

/// As much of it as a person needs to find it.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}
