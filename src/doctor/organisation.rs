//! The sweep of an organisation: the state machine of stacks/organisation.yaml, its schedule, and how its
//! last execution ended.
//!
//! It is a separate stack. Its resource names start with the same prefix as those of the auditor's stack.

use chrono::TimeDelta;

use super::activity::rate_hours;
use super::aws::AwsError;
use super::check::{Check, Fact, Remedy, Topic};
use super::stack::{array, text, time};
use super::view::{View, fault, fine, not_seen, warning};

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    let name = format!("sg-auditor-{}-sweep", view.stack.id);
    let arn = view.stack.arn("states", &format!("stateMachine:{name}"));
    let rule = format!("sg-auditor-{}-MemberSweep", view.stack.id);
    let described =
        view.call(&["stepfunctions", "describe-state-machine", "--state-machine-arn", &arn]);
    match described {
        Ok(is) => {
            let (status, of) = (text(&is, "status"), name.as_str());
            let mut checks = Vec::new();
            // The answer of an emulator may lack it.
            if !["", "ACTIVE"].contains(&status) {
                let fact = Fact::MachineState { status: status.to_owned() };
                checks.push(fault(Topic::Machine, of, fact, whose(view, &arn)));
            }
            let (schedule, more) = scheduled(view, &rule, &arn);
            checks.extend(more);
            checks.push(last(view, of, &arn, schedule.as_deref()));
            checks
        }
        Err(AwsError::NotThere { .. }) => gone(view, &name, &rule),
        Err(error) => vec![not_seen(Topic::Machine, &name, error)],
    }
}

/// Prints the name of the stack that a resource is in.
fn whose(view: &View<'_>, resource: &str) -> Remedy {
    let find = ["cloudformation", "describe-stack-resources", "--physical-resource-id", resource];
    let show = ["--query", "StackResources[0].StackName", "--output", "text"];
    view.mend(&[&find[..], &show].concat())
}

fn start(view: &View<'_>, arn: &str, input: &str) -> Remedy {
    let start = ["stepfunctions", "start-execution", "--state-machine-arn", arn];
    view.mend(&[&start[..], &["--input", input]].concat())
}

/// Without the state machine, the schedule shows whether there has to be one.
fn gone(view: &View<'_>, name: &str, rule: &str) -> Vec<Check> {
    let targets = match view.call(&["events", "list-targets-by-rule", "--rule", rule]) {
        Ok(targets) => targets,
        Err(AwsError::NotThere { .. }) => return Vec::new(),
        Err(error) => return vec![not_seen(Topic::Machine, name, error)],
    };
    let is_machine = |arn: &str| arn.ends_with(&format!(":stateMachine:{name}"));
    if !array(&targets, "Targets").iter().any(|it| is_machine(text(it, "Arn"))) {
        return Vec::new();
    }
    vec![fault(Topic::Machine, name, Fact::MachineGone, whose(view, rule))]
}

/// When the schedule starts it, and what is wrong with the schedule.
fn scheduled(view: &View<'_>, rule: &str, arn: &str) -> (Option<String>, Option<Check>) {
    let is = match view.call(&["events", "describe-rule", "--name", rule]) {
        Ok(is) => is,
        Err(AwsError::NotThere { .. }) => {
            let gone = fault(Topic::Machine, rule, Fact::MachineUnscheduled, whose(view, arn));
            return (None, Some(gone));
        }
        Err(error) => return (None, Some(not_seen(Topic::Machine, rule, error))),
    };
    let schedule = text(&is, "ScheduleExpression").to_owned();
    if text(&is, "State").starts_with("ENABLED") {
        return (Some(schedule), None);
    }
    let mend = view.mend(&["events", "enable-rule", "--name", rule]);
    (Some(schedule), Some(fault(Topic::Machine, rule, Fact::MachineUnscheduled, mend)))
}

/// How the last execution ended.
fn last(view: &View<'_>, name: &str, arn: &str, schedule: Option<&str>) -> Check {
    let list = ["stepfunctions", "list-executions", "--state-machine-arn", arn];
    let listed = match view.call(&[&list[..], &["--max-items", "1"]].concat()) {
        Ok(listed) => listed,
        Err(error) => return not_seen(Topic::Machine, name, error),
    };
    let again = || start(view, arn, "{}");
    let last = array(&listed, "executions").first();
    let Some((last, at)) = last.and_then(|it| Some((it, time(it.get("startDate")?)?))) else {
        return warning(Topic::Machine, name, Fact::RunNone, Some(again()));
    };
    let run = text(last, "name").to_owned();
    let late =
        schedule.and_then(rate_hours).filter(|hours| view.now - at > TimeDelta::hours(*hours));
    match (text(last, "status"), late) {
        ("SUCCEEDED" | "RUNNING" | "PENDING_REDRIVE", Some(hours)) => {
            fault(Topic::Machine, name, Fact::RunLate { at, hours }, again())
        }
        ("SUCCEEDED", None) => fine(Topic::Machine, name, Fact::RunDone { at }),
        ("RUNNING", None) => fine(Topic::Machine, name, Fact::RunGoing { at }),
        (status, _) => {
            let status = status.to_owned();
            let show = ["stepfunctions", "describe-execution", "--execution-arn"];
            let show = [&show[..], &[text(last, "executionArn")]].concat();
            let why = ["--query", "[error,cause]", "--output", "text"];
            let mend = view.mend(&[&show[..], &why].concat());
            fault(Topic::Machine, name, Fact::RunFailed { run, at, status }, mend)
        }
    }
}
