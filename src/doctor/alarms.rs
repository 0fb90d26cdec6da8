//! The alarms about the auditor.

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value};

use super::aws::AwsError;
use super::check::{Check, Difference, Fact, Remedy, State, Topic};
use super::resolve::word;
use super::same::{canonical, listed};
use super::stack::{Resource, array, text};
use super::view::{View, each, fault, warning};
use crate::ec2::Arn;

/// What makes an alarm what it is, named alike in CloudFormation and in the API.
const MEMBERS: [&str; 13] = [
    "Namespace",
    "MetricName",
    "Dimensions",
    "Statistic",
    "ExtendedStatistic",
    "Metrics",
    "Period",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "Unit",
];
const NUMBERS: [&str; 4] = ["Period", "EvaluationPeriods", "DatapointsToAlarm", "Threshold"];
const ACTIONS: [&str; 3] = ["AlarmActions", "OKActions", "InsufficientDataActions"];
/// As many names as one call takes.
const NAMES_A_CALL: usize = 100;

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    let alarms: Vec<&Resource> = view.stack.of_kind("AWS::CloudWatch::Alarm").collect();
    let mut checks = Vec::new();
    for some in alarms.chunks(NAMES_A_CALL) {
        let mut call = vec!["cloudwatch", "describe-alarms", "--alarm-names"];
        call.extend(some.iter().map(|alarm| alarm.id.as_str()));
        match view.call(&call) {
            Ok(is) => {
                for alarm in some {
                    let mut all = array(&is, "MetricAlarms").iter();
                    checks.extend(of_alarm(
                        view,
                        alarm,
                        all.find(|it| text(it, "AlarmName") == alarm.id),
                    ));
                }
            }
            Err(error) => return vec![one(State::CannotTell(error.into()), Fact::NotSeen, None)],
        }
    }
    if checks.is_empty() && !alarms.is_empty() {
        checks.push(one(State::Ok, Fact::AlarmsFine { alarms: alarms.len() }, None));
    }
    let names: BTreeSet<&str> = alarms.iter().map(|alarm| alarm.id.as_str()).collect();
    if !names.is_empty() {
        checks.extend(muted(view, &names));
    }
    checks
}

/// Whether something has all that it should have. CloudWatch adds what an alarm on several metrics leaves out.
fn has_all(is: &Value, should: &Value) -> bool {
    match (is, should) {
        (Value::Object(is), Value::Object(should)) => {
            should.iter().all(|(name, should)| is.get(name).is_some_and(|is| has_all(is, should)))
        }
        (Value::Array(is), Value::Array(should)) => {
            is.len() == should.len() && should.iter().all(|it| is.iter().any(|is| has_all(is, it)))
        }
        _ => canonical(is) == canonical(should),
    }
}

fn one(state: State, fact: Fact, mend: Option<Remedy>) -> Check {
    Check { topic: Topic::Alarm, of: None, state, fact, mend }
}

fn of_alarm(view: &View<'_>, alarm: &Resource, is: Option<&Value>) -> Vec<Check> {
    let name = alarm.name.as_str();
    let Some(is) = is else {
        return vec![fault(Topic::Alarm, name, Fact::AlarmGone, put(view, alarm))];
    };
    let mut checks = Vec::new();
    let enabled = is.get("ActionsEnabled").and_then(Value::as_bool).unwrap_or(true);
    if !enabled && alarm.text("ActionsEnabled").as_deref() != Some("false") {
        let mend = view.mend(&["cloudwatch", "enable-alarm-actions", "--alarm-names", &alarm.id]);
        checks.push(fault(Topic::Alarm, name, Fact::AlarmActionsOff, mend));
    }
    let missing: Vec<String> = ACTIONS
        .iter()
        .flat_map(|kind| listed(alarm.get(kind)).into_iter().map(move |action| (*kind, action)))
        .filter(|(kind, action)| !array(is, kind).contains(action))
        .map(|(_, action)| word(&action))
        .collect();
    if !missing.is_empty() {
        checks.push(fault(Topic::Alarm, name, Fact::AlarmActions { missing }, put(view, alarm)));
    }
    let differences: Vec<Difference> = MEMBERS
        .iter()
        .filter(|member| {
            let should = alarm.get(member);
            should.is_some_and(|should| !is.get(**member).is_some_and(|is| has_all(is, should)))
        })
        .map(|member| Difference {
            name: (*member).to_owned(),
            is: is.get(*member).map(word).unwrap_or_default(),
            should: alarm.text(member).unwrap_or_default(),
        })
        .collect();
    if !differences.is_empty() {
        checks.push(fault(
            Topic::Alarm,
            name,
            Fact::AlarmDiffers { differences },
            put(view, alarm),
        ));
    }
    if text(is, "StateValue") == "ALARM" {
        let history = ["cloudwatch", "describe-alarm-history", "--alarm-name", &alarm.id];
        let mend = view.mend(&[&history[..], &["--history-item-type", "StateUpdate"]].concat());
        let fact = Fact::AlarmOn { reason: text(is, "StateReason").to_owned() };
        checks.push(warning(Topic::Alarm, name, fact, Some(mend)));
    }
    checks
}

fn put(view: &View<'_>, alarm: &Resource) -> Remedy {
    let mut input = Map::new();
    input.insert("AlarmName".to_owned(), alarm.id.clone().into());
    for (name, value) in &alarm.should {
        let number = || word(value).parse::<f64>().ok().and_then(Number::from_f64);
        let whole = || word(value).parse::<i64>().ok().map(Number::from);
        let value = match NUMBERS.contains(&name.as_str()).then(|| whole().or_else(number)) {
            Some(Some(number)) => Value::Number(number),
            _ if name == "Tags" => continue,
            _ if name == "ActionsEnabled" => (word(value) == "true").into(),
            _ => value.clone(),
        };
        input.insert(name.clone(), value);
    }
    let input = Value::from(input).to_string();
    view.mend(&["cloudwatch", "put-metric-alarm", "--cli-input-json", &input])
}

/// Rules that mute alarms of the stack, now or later.
fn muted(view: &View<'_>, alarms: &BTreeSet<&str>) -> Vec<Check> {
    let listed = match view.call(&["cloudwatch", "list-alarm-mute-rules"]) {
        Ok(listed) => listed,
        Err(error) => return vec![one(State::CannotTell(error.into()), Fact::NotSeen, None)],
    };
    let rules: Vec<&Value> = array(&listed, "AlarmMuteRuleSummaries")
        .iter()
        .filter(|rule| text(rule, "Status") != "EXPIRED")
        .collect();
    each(&rules, |rule| {
        // The summary has no targets.
        let arn = Arn::parse(text(rule, "AlarmMuteRuleArn"));
        let name = arn.and_then(|arn| arn.resource.strip_prefix("alarm-mute-rule:"));
        let name = name.unwrap_or_default();
        let get = ["cloudwatch", "get-alarm-mute-rule", "--alarm-mute-rule-name", name];
        let is = match view.call(&get) {
            Ok(is) => is,
            // It was deleted meanwhile.
            Err(AwsError::NotThere { .. }) => return Vec::new(),
            Err(error) => return vec![one(State::CannotTell(error.into()), Fact::NotSeen, None)],
        };
        let targets = is.pointer("/MuteTargets/AlarmNames").and_then(Value::as_array);
        let ours = targets.into_iter().flatten().filter_map(Value::as_str);
        let mend =
            || view.mend(&["cloudwatch", "delete-alarm-mute-rule", "--alarm-mute-rule-name", name]);
        let of_alarm = |alarm: &str| {
            let mut all = view.stack.of_kind("AWS::CloudWatch::Alarm");
            let of = all.find(|it| it.id == alarm).map_or(alarm, |it| it.name.as_str());
            match text(rule, "Status") {
                "ACTIVE" => {
                    fault(Topic::Alarm, of, Fact::AlarmMuted { rule: name.to_owned() }, mend())
                }
                _ => {
                    let fact = Fact::AlarmMutedLater { rule: name.to_owned() };
                    warning(Topic::Alarm, of, fact, Some(mend()))
                }
            }
        };
        ours.filter(|alarm| alarms.contains(alarm)).map(of_alarm).collect()
    })
    .concat()
}
