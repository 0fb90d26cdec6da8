//! The function: its state, its configuration, its settings and its concurrency.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::aws::AwsError;
use super::check::{Check, Difference, Fact, Topic};
use super::resolve::word;
use super::same::{canonical, listed};
use super::stack::{Resource, array, text};
use super::view::{View, fault, fine, not_seen, warning, words};
use crate::settings::FunctionSettings;

/// Scalar properties that `update-function-configuration` sets, with its options.
const SET: [(&str, &str); 6] = [
    ("Runtime", "--runtime"),
    ("Handler", "--handler"),
    ("MemorySize", "--memory-size"),
    ("Timeout", "--timeout"),
    ("Role", "--role"),
    ("Layers", "--layers"),
];

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    view.stack.functions().flat_map(|function| of_function(view, function)).collect()
}

fn of_function(view: &View<'_>, function: &Resource) -> Vec<Check> {
    let name = function.name.as_str();
    let configuration = ["lambda", "get-function-configuration", "--function-name", &function.id];
    let is = match view.call(&configuration) {
        Ok(is) => is,
        Err(AwsError::NotThere { .. }) => {
            return vec![fault(Topic::Function, name, Fact::FunctionGone, view.redeploy())];
        }
        Err(error) => return vec![not_seen(Topic::Function, name, error)],
    };
    let mut checks: Vec<Check> = state(view, function, &is).into_iter().collect();
    checks.extend(configured(view, function, &is));
    if checks.is_empty() {
        let runtime = text(&is, "Runtime").to_owned();
        let architecture = array(&is, "Architectures").first().map(word);
        let architecture = architecture.unwrap_or("x86_64".to_owned());
        checks.push(fine(Topic::Function, name, Fact::FunctionRuns { runtime, architecture }));
    }
    checks.extend(settings(view, function, &is));
    checks.extend(concurrency(view, function));
    checks.extend(on_failure(view));
    checks
}

fn state(view: &View<'_>, function: &Resource, is: &Value) -> Option<Check> {
    let name = function.name.as_str();
    let (state, update) = (text(is, "State"), text(is, "LastUpdateStatus"));
    let reason = |key| text(is, key).to_owned();
    if !matches!(state, "Active" | "Inactive" | "") {
        let fact = Fact::FunctionState { state: state.to_owned(), reason: reason("StateReason") };
        return Some(match state {
            "Pending" => warning(Topic::Function, name, fact, None),
            _ => fault(Topic::Function, name, fact, view.redeploy()),
        });
    }
    if !matches!(update, "Successful" | "") {
        let (status, reason) = (update.to_owned(), reason("LastUpdateStatusReason"));
        let fact = Fact::FunctionUpdate { status, reason };
        return Some(match update {
            "InProgress" => warning(Topic::Function, name, fact, None),
            _ => fault(Topic::Function, name, fact, view.redeploy()),
        });
    }
    None
}

fn configured(view: &View<'_>, function: &Resource, is: &Value) -> Vec<Check> {
    let name = function.name.as_str();
    let mut checks = Vec::new();
    let mut differences = Vec::new();
    let mut words = vec!["lambda".to_owned(), "update-function-configuration".to_owned()];
    words.extend(["--function-name".to_owned(), function.id.clone()]);
    for (property, option) in SET {
        let should = function.get(property);
        let is = match property {
            // Each layer is an object here.
            "Layers" => {
                let layers = array(is, "Layers").iter().map(|layer| text(layer, "Arn"));
                let layers: Value = layers.collect::<Vec<_>>().into();
                Some(layers).filter(|it| should.is_some() || it != &json!([]))
            }
            property => is.get(property).cloned(),
        };
        // What the template leaves out has a default that nobody wrote down here.
        if should.is_none() && property != "Layers"
            || is.as_ref().map(canonical) == should.map(canonical)
        {
            continue;
        }
        let shown = |value: Option<&Value>| match value {
            Some(Value::Array(items)) => items.iter().map(word).collect::<Vec<_>>().join(","),
            value => value.map(word).unwrap_or_default(),
        };
        let (is, wanted) = (shown(is.as_ref()), shown(should));
        words.push(option.to_owned());
        match property {
            "Layers" if wanted.is_empty() => words.push("[]".to_owned()),
            "Layers" => words.extend(listed(should).iter().map(word)),
            _ => words.push(wanted.clone()),
        }
        differences.push(Difference { name: property.to_owned(), is, should: wanted });
    }
    if !differences.is_empty() {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let fact = Fact::FunctionDiffers { differences };
        checks.push(fault(Topic::Function, name, fact, view.mend(&words)));
    }

    // Only new code has another architecture.
    let architectures = |value: Option<&Value>| -> Vec<String> {
        let all = listed(value);
        if all.is_empty() { vec!["x86_64".to_owned()] } else { all.iter().map(word).collect() }
    };
    let (is_built, should) =
        (architectures(is.get("Architectures")), architectures(function.get("Architectures")));
    if is_built != should {
        let (is, should) = (is_built.join(","), should.join(","));
        let fact = Fact::FunctionDiffers {
            differences: vec![Difference { name: "Architectures".to_owned(), is, should }],
        };
        checks.push(fault(Topic::Function, name, fact, view.redeploy()));
    }

    let level = is.pointer("/LoggingConfig/ApplicationLogLevel").and_then(Value::as_str);
    let should = function.get("LoggingConfig");
    let wanted = should.and_then(|it| it.get("ApplicationLogLevel")).map(word);
    if let Some(level) = level.filter(|it| !matches!(*it, "INFO" | "DEBUG" | "TRACE"))
        && wanted.as_deref() != Some(level)
    {
        let mut config = should.cloned().unwrap_or_else(|| json!({"LogFormat": "JSON"}));
        if let Some(config) = config.as_object_mut() {
            config.insert("ApplicationLogLevel".to_owned(), "INFO".into());
        }
        let mend = view.mend(&[
            "lambda",
            "update-function-configuration",
            "--function-name",
            &function.id,
            "--logging-config",
            &config.to_string(),
        ]);
        checks.push(fault(Topic::Function, name, Fact::LogLevel { level: level.to_owned() }, mend));
    }
    let group = |of: Option<&Value>| of.and_then(|it| it.get("LogGroup")).map(word);
    let (is, should) = (group(is.get("LoggingConfig")), group(should));
    if let (Some(is), Some(should)) = (is, should)
        && is != should
    {
        let config = function.get("LoggingConfig").map(Value::to_string).unwrap_or_default();
        let update = ["lambda", "update-function-configuration", "--function-name", &function.id];
        let mend = view.mend(&[&update[..], &["--logging-config", &config]].concat());
        let differences = vec![Difference { name: "LogGroup".to_owned(), is, should }];
        checks.push(fault(Topic::Function, name, Fact::FunctionDiffers { differences }, mend));
    }
    checks
}

fn settings(view: &View<'_>, function: &Resource, is: &Value) -> Vec<Check> {
    let name = function.name.as_str();
    let variables = |of: Option<&Value>| words(of.and_then(|it| it.get("Variables")));
    let (is, should) = (variables(is.get("Environment")), variables(function.get("Environment")));
    let update = ["lambda", "update-function-configuration", "--function-name", &function.id];
    let mut checks = Vec::new();
    let differences = differences(&is, &should);
    if !differences.is_empty() {
        let environment = json!({"Variables": should}).to_string();
        let mend = view.mend(&[&update[..], &["--environment", &environment]].concat());
        checks.push(fault(Topic::Settings, name, Fact::SettingsDiffer { differences }, mend));
    } else if !is.contains_key("TOPIC_ARN") {
        // Another function of the stack, which has no such settings.
        return checks;
    } else if let Err(faults) = valid(view, &is) {
        // The template lets some values through that the function does not accept.
        let fact = Fact::SettingsInvalid { faults };
        checks.push(fault(Topic::Settings, name, fact, deploy(view)));
    } else {
        checks.push(fine(Topic::Settings, name, Fact::SettingsFine { variables: is.len() }));
    }
    checks
}

/// Deploys the stack again, asking for each parameter.
fn deploy(view: &View<'_>) -> super::check::Remedy {
    let words = ["sam", "deploy", "--guided", "--stack-name", &view.stack.name];
    super::check::Remedy::command(&[&words[..], &["--region", &view.stack.region]].concat())
}

fn differences(
    is: &BTreeMap<String, String>,
    should: &BTreeMap<String, String>,
) -> Vec<Difference> {
    let mut names: Vec<&String> = is.keys().chain(should.keys()).collect();
    names.sort();
    names.dedup();
    let value = |of: &BTreeMap<String, String>, name| of.get(name).cloned().unwrap_or_default();
    let all = names.into_iter().map(|name| Difference {
        name: name.clone(),
        is: value(is, name),
        should: value(should, name),
    });
    all.filter(|it| it.is != it.should).collect()
}

/// What the function itself says of its settings. A baseline in a layer cannot be read here.
fn valid(view: &View<'_>, variables: &BTreeMap<String, String>) -> Result<(), Vec<String>> {
    let lookup = |name: &str| match (name, variables.get(name)) {
        ("BASELINE", Some(path)) if path.contains('/') => None,
        (_, value) => value.cloned(),
    };
    match FunctionSettings::from_env(lookup, view.now.date_naive()) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.faults),
    }
}

fn concurrency(view: &View<'_>, function: &Resource) -> Option<Check> {
    let name = function.name.as_str();
    let about = ["--function-name", function.id.as_str()];
    let get = [&["lambda", "get-function-concurrency"][..], &about].concat();
    let is = match view.call(&get) {
        Ok(answer) => answer.get("ReservedConcurrentExecutions").and_then(Value::as_u64),
        Err(AwsError::NotThere { .. }) => return None,
        Err(error) => return Some(not_seen(Topic::Concurrency, name, error)),
    };
    let should = function.text("ReservedConcurrentExecutions");
    let number = should.as_deref().and_then(|it| it.parse().ok());
    if is == number && is != Some(0) {
        return Some(fine(Topic::Concurrency, name, Fact::ConcurrencyFine { reserved: is }));
    }
    let mend = match &should {
        Some(number) => {
            let put = [&["lambda", "put-function-concurrency"][..], &about].concat();
            view.mend(&[&put[..], &["--reserved-concurrent-executions", number]].concat())
        }
        None => view.mend(&[&["lambda", "delete-function-concurrency"][..], &about].concat()),
    };
    Some(if is == Some(0) {
        fault(Topic::Concurrency, name, Fact::ConcurrencyZero, mend)
    } else {
        let difference = Difference {
            name: "ReservedConcurrentExecutions".to_owned(),
            is: is.map(|it| it.to_string()).unwrap_or_default(),
            should: should.unwrap_or_default(),
        };
        warning(Topic::Concurrency, name, Fact::ConcurrencyDiffers { difference }, Some(mend))
    })
}

/// Where Lambda puts events that the function failed with three times.
fn on_failure(view: &View<'_>) -> Vec<Check> {
    let of = |config: &Resource| {
        let name = config.name.as_str();
        let (function, qualifier) = (config.text("FunctionName")?, config.text("Qualifier")?);
        let about = ["--function-name", &function, "--qualifier", &qualifier];
        let get = [&["lambda", "get-function-event-invoke-config"][..], &about].concat();
        let is = match view.call(&get) {
            Ok(is) => is,
            Err(AwsError::NotThere { .. }) => Value::Null,
            Err(error) => return Some(not_seen(Topic::OnFailure, name, error)),
        };
        let members = ["MaximumRetryAttempts", "MaximumEventAgeInSeconds"];
        let destination =
            |of: Option<&Value>| of.and_then(|it| it.pointer("/OnFailure/Destination")).map(word);
        let kept = destination(is.get("DestinationConfig"));
        if kept == destination(config.get("DestinationConfig"))
            && members.iter().all(|it| is.get(it).map(canonical) == config.get(it).map(canonical))
        {
            return Some(fine(Topic::OnFailure, name, Fact::FailuresKept));
        }
        let mut words = [&["lambda", "put-function-event-invoke-config"][..], &about].concat();
        let retries = config.text("MaximumRetryAttempts");
        let age = config.text("MaximumEventAgeInSeconds");
        let target = config
            .get("DestinationConfig")
            .map(|it| json!({"OnFailure": {"Destination": destination(Some(it))}}).to_string());
        for (option, value) in [
            ("--maximum-retry-attempts", &retries),
            ("--maximum-event-age-in-seconds", &age),
            ("--destination-config", &target),
        ] {
            if let Some(value) = value {
                words.extend([option, value]);
            }
        }
        Some(fault(Topic::OnFailure, name, Fact::FailuresNotKept, view.mend(&words)))
    };
    view.stack.of_kind("AWS::Lambda::EventInvokeConfig").filter_map(of).collect()
}
