//! The event rules, their targets, and whether they may call the function.

use serde_json::Value;

use super::aws::AwsError;
use super::check::{Check, Difference, Fact, Remedy, State, Topic};
use super::resolve::word;
use super::same::{canonical_text, fits, listed};
use super::stack::{RULE, Resource, array, text};
use super::view::{View, check, each, fault, fine, not_seen};

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    let rules: Vec<&Resource> = view.stack.of_kind(RULE).collect();
    let mut checks: Vec<Check> = each(&rules, |rule| of_rule(view, rule)).concat();
    checks.extend(permission(view, &rules));
    checks
}

fn of_rule(view: &View<'_>, rule: &Resource) -> Vec<Check> {
    let name = rule.name.as_str();
    let is = match view.call(&["events", "describe-rule", "--name", &rule.id]) {
        Ok(is) => is,
        Err(AwsError::NotThere { .. }) => {
            let mend =
                put_rule(view, rule).then(put_targets(view, rule, &listed(rule.get("Targets"))));
            return vec![fault(Topic::Rule, name, Fact::RuleGone, mend)];
        }
        Err(error) => return vec![not_seen(Topic::Rule, name, error)],
    };
    let mut checks = Vec::new();
    let state = text(&is, "State");
    if !state.starts_with("ENABLED") && rule.text("State").as_deref() != Some(state) {
        let mend = view.mend(&["events", "enable-rule", "--name", &rule.id]);
        checks.push(fault(Topic::Rule, name, Fact::RuleDisabled, mend));
    }
    if is.get("EventPattern").map(canonical_text) != rule.get("EventPattern").map(canonical_text) {
        checks.push(fault(Topic::Rule, name, Fact::RulePattern, put_rule(view, rule)));
    }
    let (schedule, should) = (text(&is, "ScheduleExpression"), rule.text("ScheduleExpression"));
    if schedule != should.as_deref().unwrap_or_default() {
        let difference = Difference {
            name: "ScheduleExpression".to_owned(),
            is: schedule.to_owned(),
            should: should.clone().unwrap_or_default(),
        };
        let fact = Fact::RuleSchedule { difference };
        checks.push(fault(Topic::Rule, name, fact, put_rule(view, rule)));
    }
    match view.call(&["events", "list-targets-by-rule", "--rule", &rule.id]) {
        Ok(targets) => checks.extend(targets_of(view, rule, &targets)),
        Err(error) => checks.push(not_seen(Topic::Rule, name, error)),
    }
    if checks.is_empty() {
        checks.push(fine(Topic::Rule, name, Fact::RuleFine { schedule: should }));
    }
    checks
}

fn targets_of(view: &View<'_>, rule: &Resource, targets: &Value) -> Vec<Check> {
    let mut checks = Vec::new();
    for should in listed(rule.get("Targets")) {
        let id = text(&should, "Id");
        let mend = || put_targets(view, rule, std::slice::from_ref(&should));
        let Some(is) = array(targets, "Targets").iter().find(|it| text(it, "Id") == id) else {
            let fact = Fact::TargetGone { target: id.to_owned() };
            checks.push(fault(Topic::Rule, &rule.name, fact, mend()));
            continue;
        };
        let same = |member: &str| {
            let plain = |value: &Value| value.get(member).map(canonical_text);
            plain(is) == plain(&should)
        };
        let members = [
            "Arn",
            "Input",
            "InputPath",
            "InputTransformer",
            "RoleArn",
            "DeadLetterConfig",
            "RetryPolicy",
        ];
        let members: Vec<String> =
            members.iter().filter(|member| !same(member)).map(|&it| it.to_owned()).collect();
        if !members.is_empty() {
            let fact = Fact::TargetDiffers { target: id.to_owned(), members };
            checks.push(fault(Topic::Rule, &rule.name, fact, mend()));
        }
    }
    checks
}

fn put_rule(view: &View<'_>, rule: &Resource) -> Remedy {
    let pattern = rule.get("EventPattern").map(Value::to_string);
    let (schedule, description) = (rule.text("ScheduleExpression"), rule.text("Description"));
    let mut words = vec!["events", "put-rule", "--name", &rule.id];
    for (option, value) in [
        ("--event-pattern", &pattern),
        ("--schedule-expression", &schedule),
        ("--description", &description),
    ] {
        if let Some(value) = value {
            words.extend([option, value]);
        }
    }
    view.mend(&words)
}

fn put_targets(view: &View<'_>, rule: &Resource, targets: &[Value]) -> Remedy {
    let targets = Value::from(targets.to_vec()).to_string();
    view.mend(&["events", "put-targets", "--rule", &rule.id, "--targets", &targets])
}

/// Whether the function's policy lets each rule call it.
fn permission(view: &View<'_>, rules: &[&Resource]) -> Vec<Check> {
    let of_function = |function: &Resource| {
        let arn = view.stack.arn("lambda", &format!("function:{}", function.id));
        let calls = |rule: &&&Resource| {
            listed(rule.get("Targets")).iter().any(|target| text(target, "Arn") == arn)
        };
        let rules: Vec<&&Resource> = rules.iter().filter(calls).collect();
        if rules.is_empty() {
            return None;
        }
        let policy = match view.call(&["lambda", "get-policy", "--function-name", &function.id]) {
            Ok(answer) => serde_json::from_str(text(&answer, "Policy")).unwrap_or_default(),
            // Of the function itself, another check tells.
            Err(AwsError::NotThere { .. }) => Value::Null,
            Err(error) => return Some(not_seen(Topic::Permission, &function.name, error)),
        };
        let source = |rule: &Resource| view.stack.arn("events", &format!("rule/{}", rule.id));
        let refused: Vec<&&&Resource> = rules
            .iter()
            .filter(|rule| !allows(&policy, &source(rule), &view.stack.account))
            .collect();
        if refused.is_empty() {
            return Some(fine(
                Topic::Permission,
                &function.name,
                Fact::MayInvoke { rules: rules.len() },
            ));
        }
        let sources: Vec<String> = refused.iter().map(|rule| source(rule)).collect();
        let mend = add_permissions(view, function, &sources, &policy);
        let fact = Fact::MayNotInvoke { rules: refused.iter().map(|it| it.name.clone()).collect() };
        Some(check(Topic::Permission, &function.name, State::Fault, fact, Some(mend)))
    };
    view.stack.functions().filter_map(of_function).collect()
}

/// The permissions of the template that these sources need. A statement that denies goes first.
fn add_permissions(
    view: &View<'_>,
    function: &Resource,
    sources: &[String],
    policy: &Value,
) -> Remedy {
    let mut mend = Remedy::default();
    for statement in array(policy, "Statement").iter().filter(|it| text(it, "Effect") == "Deny") {
        let words =
            ["lambda", "remove-permission", "--function-name", &function.id, "--statement-id"];
        mend = mend.then(view.mend(&[&words[..], &[text(statement, "Sid")]].concat()));
    }
    let has = |id: &str| array(policy, "Statement").iter().any(|it| text(it, "Sid") == id);
    for permission in view.stack.of_kind("AWS::Lambda::Permission") {
        let (source, principal) = (permission.text("SourceArn"), permission.text("Principal"));
        let covers = |it: &String| source.as_ref().is_none_or(|source| fits(source, it));
        if principal.as_deref() != Some("events.amazonaws.com") || !sources.iter().any(covers) {
            continue;
        }
        let id = format!("sg-audit-doctor-{}", permission.name.replace('/', "-"));
        if has(&id) {
            continue;
        }
        let account = permission.text("SourceAccount");
        let mut words = vec!["lambda", "add-permission", "--function-name", &function.id];
        words.extend(["--statement-id", &id, "--action", "lambda:InvokeFunction"]);
        words.extend(["--principal", "events.amazonaws.com"]);
        for (option, value) in [("--source-arn", &source), ("--source-account", &account)] {
            if let Some(value) = value {
                words.extend([option, value]);
            }
        }
        mend = mend.then(view.mend(&words));
    }
    mend
}

/// Whether a function's policy lets EventBridge call it for the rule with this ARN.
pub(super) fn allows(policy: &Value, source: &str, account: &str) -> bool {
    let covers = |statement: &&Value, effect: &str| {
        text(statement, "Effect") == effect
            && is_for_events(statement.get("Principal"))
            && listed(statement.get("Action"))
                .iter()
                .any(|action| fits(&word(action).to_lowercase(), "lambda:invokefunction"))
            && meets(statement.get("Condition"), source, account)
    };
    let statements = array(policy, "Statement");
    statements.iter().any(|it| covers(&it, "Allow"))
        && !statements.iter().any(|it| covers(&it, "Deny"))
}

fn is_for_events(principal: Option<&Value>) -> bool {
    let is = |value: &Value| value == "*" || value == "events.amazonaws.com";
    let services = |of: &Value| listed(of.get("Service")).iter().any(is);
    principal.is_some_and(|it| {
        it == "*" || services(it) || listed(it.get("AWS")).iter().any(|it| it == "*")
    })
}

/// A condition that is not about the source counts as not met.
fn meets(condition: Option<&Value>, source: &str, account: &str) -> bool {
    let operators = condition.and_then(Value::as_object).into_iter().flatten();
    operators.into_iter().all(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.into_iter().all(|(key, values)| {
            let value = match key.to_lowercase().as_str() {
                "aws:sourcearn" => source,
                "aws:sourceaccount" => account,
                _ => return false,
            };
            listed(Some(values)).iter().map(word).any(|pattern| match operator.as_str() {
                "StringEquals" => pattern == value,
                "ArnLike" | "ArnEquals" | "StringLike" => fits(&pattern, value),
                _ => false,
            })
        })
    })
}

#[cfg(test)]
mod tests;
