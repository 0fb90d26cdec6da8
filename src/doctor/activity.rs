//! What the auditor did lately: sweeps, checks of holds, events, errors.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::check::{Check, Fact, Remedy, State, Topic};
use super::resolve::word;
use super::same::listed;
use super::stack::{RULE, Resource, array, text, time};
use super::view::{View, fault, fine, not_seen, warning};

/// How far back events are looked for, and errors.
const EVENT_DAYS: i64 = 14;
const ERROR_HOURS: i64 = 24;
/// How long a sweep may take to be logged after it was due.
const SWEEP_SLACK_HOURS: i64 = 2;
/// Where nothing says how often there is a sweep.
const SWEEP_HOURS: i64 = 26;
/// The check of holds runs every 15 minutes and may be tried again.
const HOLDS_MINUTES: i64 = 45;

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    view.stack.functions().flat_map(|function| of_function(view, function)).collect()
}

fn of_function(view: &View<'_>, function: &Resource) -> Vec<Check> {
    let arn = view.stack.arn("lambda", &format!("function:{}", function.id));
    let rules: Vec<&Resource> =
        view.stack.of_kind(RULE).filter(|rule| target(rule, &arn).is_some()).collect();
    let mut checks = metrics(view, function, &rules);
    checks.extend(logged(view, function, &rules, &arn));
    checks
}

/// The target of a rule that is this function.
fn target(rule: &Resource, function: &str) -> Option<Value> {
    listed(rule.get("Targets")).into_iter().find(|target| text(target, "Arn") == function)
}

/// Errors of the function, and the last event of EC2.
fn metrics(view: &View<'_>, function: &Resource, rules: &[&Resource]) -> Vec<Check> {
    let query = |id: &str, namespace: &str, metric: &str, dimension: &str, value: &str| {
        json!({"Id": id, "MetricStat": {"Period": 3600, "Stat": "Sum", "Metric": {
            "Namespace": namespace, "MetricName": metric,
            "Dimensions": [{"Name": dimension, "Value": value}]}}})
    };
    let changes: Vec<&&Resource> = rules.iter().filter(|rule| hears_ec2(rule)).collect();
    let mut queries = vec![
        query("errors", "AWS/Lambda", "Errors", "FunctionName", &function.id),
        query("throttles", "AWS/Lambda", "Throttles", "FunctionName", &function.id),
    ];
    let invoked = changes.iter().enumerate().map(|(at, rule)| {
        query(&format!("rule{at}"), "AWS/Events", "Invocations", "RuleName", &rule.id)
    });
    queries.extend(invoked);
    let iso = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (start, end) =
        (iso(view.now - TimeDelta::days(EVENT_DAYS)), iso(view.now + TimeDelta::hours(1)));
    let queries = Value::from(queries).to_string();
    let answer = view.call(&[
        "cloudwatch",
        "get-metric-data",
        "--start-time",
        &start,
        "--end-time",
        &end,
        "--metric-data-queries",
        &queries,
    ]);
    let name = function.name.as_str();
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return vec![not_seen(Topic::Errors, name, error)],
    };
    let points = |wanted: &dyn Fn(&str) -> bool| -> Vec<(DateTime<Utc>, f64)> {
        let results =
            array(&answer, "MetricDataResults").iter().filter(|it| wanted(text(it, "Id")));
        let pairs = results.flat_map(|it| array(it, "Timestamps").iter().zip(array(it, "Values")));
        pairs.filter_map(|(at, value)| Some((time(at)?, value.as_f64()?))).collect()
    };
    let since = view.now - TimeDelta::hours(ERROR_HOURS);
    let count = |id: &str| {
        let points = points(&|it| it == id).into_iter().filter(|(at, _)| *at >= since);
        // A sum of whole numbers.
        points.map(|(_, value)| value as u64).sum::<u64>()
    };
    let (errors, throttles) = (count("errors"), count("throttles"));
    let mut checks = vec![if errors + throttles == 0 {
        fine(Topic::Errors, name, Fact::NoErrors { hours: ERROR_HOURS })
    } else {
        let fact = Fact::Errors {
            hours: ERROR_HOURS,
            errors,
            throttles,
            last: last_error(view, function),
        };
        warning(Topic::Errors, name, fact, Some(errors_logged(view, function)))
    }];
    if !changes.is_empty() {
        let events = points(&|it| it.starts_with("rule"));
        let last = events.iter().filter(|(_, value)| *value > 0.0).map(|(at, _)| *at).max();
        checks.push(match last {
            Some(at) => fine(Topic::Event, name, Fact::EventSeen { at }),
            None => {
                let canary = ["sg-audit", "doctor", "--canary", "--stack", &view.stack.name];
                let mend =
                    Remedy::command(&[&canary[..], &["--region", &view.stack.region]].concat());
                warning(Topic::Event, name, Fact::EventNone { days: EVENT_DAYS }, Some(mend))
            }
        });
    }
    checks
}

/// Whether a rule takes calls of EC2.
fn hears_ec2(rule: &Resource) -> bool {
    let source = rule.get("EventPattern").and_then(|it| it.get("source"));
    listed(source).iter().any(|source| source == "aws.ec2")
}

fn log(view: &View<'_>, function: &Resource) -> String {
    let config = function.get("LoggingConfig").and_then(|it| it.get("LogGroup")).map(word);
    config.unwrap_or_else(|| {
        let mut logs = view.stack.of_kind("AWS::Logs::LogGroup");
        logs.next().map_or_else(|| format!("/aws/lambda/{}", function.id), |log| log.id.clone())
    })
}

const ERRORS: &str = "{ $.level = \"ERROR\" }";

fn errors_logged(view: &View<'_>, function: &Resource) -> Remedy {
    let log = log(view, function);
    let filter = ["logs", "filter-log-events", "--log-group-name", &log];
    let more = ["--filter-pattern", ERRORS, "--query", "events[-5:].message", "--output", "text"];
    view.mend(&[&filter[..], &more].concat())
}

/// The reason of the last error in the log.
fn last_error(view: &View<'_>, function: &Resource) -> Option<String> {
    let lines = lines(view, function, TimeDelta::hours(ERROR_HOURS), ERRORS).ok()?;
    let last = lines.into_iter().rfind(|(_, line)| text(line, "level") == "ERROR")?.1;
    let reason = last.get("error").or_else(|| last.get("message"))?;
    Some(word(reason))
}

/// The lines of the function's own in its log, oldest first.
fn lines(
    view: &View<'_>,
    function: &Resource,
    back: TimeDelta,
    pattern: &str,
) -> Result<Vec<(DateTime<Utc>, Value)>, super::aws::AwsError> {
    let log = log(view, function);
    let start = (view.now - back).timestamp_millis().to_string();
    let filter = ["logs", "filter-log-events", "--log-group-name", &log, "--start-time", &start];
    let answer = view.call(&[&filter[..], &["--filter-pattern", pattern]].concat())?;
    let line = |event: &Value| {
        let at = DateTime::from_timestamp_millis(event.get("timestamp")?.as_i64()?)?;
        Some((at, serde_json::from_str(text(event, "message")).ok()?))
    };
    let mut lines: Vec<_> = array(&answer, "events").iter().filter_map(line).collect();
    lines.sort_by_key(|(at, _)| *at);
    Ok(lines)
}

/// The last sweep and the last check of holds, as the function logs them when they are done.
fn logged(view: &View<'_>, function: &Resource, rules: &[&Resource], arn: &str) -> Vec<Check> {
    let scheduled = |word: &str| {
        let is = |rule: &&&Resource| {
            let input =
                target(rule, arn).map(|it| text(&it, "Input").to_owned()).unwrap_or_default();
            rule.get("ScheduleExpression").is_some() && input.contains(&format!("\"{word}\""))
        };
        rules.iter().find(is).copied()
    };
    let (sweep, holds) = (scheduled("sweep"), scheduled("holds"));
    if sweep.is_none() && holds.is_none() {
        return Vec::new();
    }
    let hours = sweep.map_or(1, |rule| sweep_hours(view, function, rule));
    let name = function.name.as_str();
    let pattern = "{ $.message = \"done\" && $.task = \"*\" }";
    let lines = match lines(view, function, TimeDelta::hours(hours.max(1)), pattern) {
        Ok(lines) => lines,
        // Of the log itself, another check tells.
        Err(super::aws::AwsError::NotThere { .. }) => return Vec::new(),
        Err(error) => return vec![not_seen(Topic::Sweep, name, error)],
    };
    let last = |task: &str| {
        let done = lines
            .iter()
            .filter(|(_, line)| text(line, "message") == "done" && text(line, "task") == task);
        done.map(|(at, _)| *at).max()
    };
    let age = view.stack.changed.map_or(TimeDelta::MAX, |changed| view.now - changed);
    let mut checks = Vec::new();
    if let Some(rule) = sweep {
        checks.push(match last("sweep") {
            Some(at) => fine(Topic::Sweep, name, Fact::SweepDone { at }),
            None if age < TimeDelta::hours(hours) => {
                let fact = Fact::SweepNotDue { hours };
                Check { mend: by_hand(view, function, rule, arn), ..fine(Topic::Sweep, name, fact) }
            }
            None => {
                let fact = Fact::SweepLate { at: None, hours };
                let mend = by_hand(view, function, rule, arn);
                Check {
                    topic: Topic::Sweep,
                    of: Some(name.to_owned()),
                    state: State::Fault,
                    fact,
                    mend,
                }
            }
        });
    }
    if let Some(rule) = holds {
        let minutes = TimeDelta::minutes(HOLDS_MINUTES);
        checks.push(match last("holds") {
            Some(at) if view.now - at <= minutes => {
                fine(Topic::Holds, name, Fact::HoldsDone { at })
            }
            _ if age < minutes => fine(Topic::Holds, name, Fact::HoldsNotDue),
            _ => {
                let fact = Fact::HoldsLate { minutes: HOLDS_MINUTES };
                let mend = by_hand(view, function, rule, arn).unwrap_or_default();
                fault(Topic::Holds, name, fact, mend)
            }
        });
    }
    checks
}

/// Within how many hours there has to be a sweep: as the alarm has it, else by the schedule.
fn sweep_hours(view: &View<'_>, function: &Resource, rule: &Resource) -> i64 {
    let number = |alarm: &Resource, name| alarm.text(name)?.parse::<i64>().ok();
    let mut alarms = view.stack.of_kind("AWS::CloudWatch::Alarm").filter(|alarm| {
        let of_function =
            listed(alarm.get("Dimensions")).iter().any(|it| text(it, "Value") == function.id);
        alarm.text("MetricName").as_deref() == Some("Sweeps") && of_function
    });
    let of_alarm = alarms.next().and_then(|it| {
        Some(number(it, "Period")?.saturating_mul(number(it, "EvaluationPeriods")?) / 3600)
    });
    let schedule = rule.text("ScheduleExpression").unwrap_or_default();
    of_alarm
        .filter(|hours| *hours > 0)
        .unwrap_or_else(|| rate_hours(&schedule).unwrap_or(SWEEP_HOURS))
}

/// The hours of `rate(1 day)`, and some more.
pub(super) fn rate_hours(schedule: &str) -> Option<i64> {
    let inside = schedule.strip_prefix("rate(")?.strip_suffix(')')?;
    let (number, unit) = inside.split_once(' ')?;
    let hours = match unit.trim_end_matches('s') {
        "day" => 24,
        "hour" => 1,
        _ => return None,
    };
    Some(number.parse::<i64>().ok()?.saturating_mul(hours) + SWEEP_SLACK_HOURS)
}

/// Sends the function what the rule sends it.
fn by_hand(view: &View<'_>, function: &Resource, rule: &Resource, arn: &str) -> Option<Remedy> {
    let input = text(&target(rule, arn)?, "Input").to_owned();
    let invoke =
        ["lambda", "invoke", "--function-name", &function.id, "--invocation-type", "Event"];
    // Version 2 of the AWS CLI takes a payload on the command line for base64, and version 1 does not.
    let invoke = [&invoke[..], &["--payload", "fileb:///dev/stdin", "/dev/stdout"]].concat();
    Some(Remedy::command(&["printf", "%s", &input]).piped_into(view.mend(&invoke)))
}
