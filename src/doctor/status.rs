//! The stack and its template.

use serde_json::json;

use super::aws::AwsError;
use super::check::{Check, Fact, Remedy, State, Topic, Unknown};
use super::stack::text;
use super::view::{View, fault, fine, warning};

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    let stack = view.stack;
    let mut checks: Vec<Check> =
        stack.statuses.iter().map(|(name, status)| of_status(view, name, status)).collect();
    let template =
        |state, fact, mend| Check { topic: Topic::Template, of: None, state, fact, mend };
    for (name, error) in &stack.unread {
        let why = match error {
            AwsError::Refused { right } => Unknown::Right(right.clone()),
            AwsError::MayPass { message } => Unknown::Passing(message.clone()),
            error => Unknown::Other(error.to_string()),
        };
        checks.push(Check {
            of: Some(name.clone()),
            ..template(State::CannotTell(why), Fact::NotSeen, None)
        });
    }
    if !stack.unresolved.is_empty() {
        let fact = Fact::TemplateUnresolved { properties: stack.unresolved.clone() };
        let why = Unknown::Other(stack.unresolved.join(", "));
        checks.push(template(State::CannotTell(why), fact, None));
    }
    if !stack.differs.is_empty() {
        let deploy = ["sam", "deploy", "--stack-name", &stack.name, "--region", &stack.region];
        let (unpack, enter) = (["sg-audit", "unpack", "auditor"], ["cd", "auditor"]);
        let mend =
            Remedy::command(&unpack).then(Remedy::command(&enter)).then(Remedy::command(&deploy));
        let fact = Fact::TemplateDiffers { rules: stack.differs.clone() };
        checks.push(template(State::Warning, fact, Some(mend)));
    } else if stack.unread.is_empty() {
        checks.push(template(State::Ok, Fact::TemplateSame, None));
    }
    checks
}

fn of_status(view: &View<'_>, name: &str, status: &str) -> Check {
    let status = status.to_owned();
    let events = ["cloudformation", "describe-stack-events", "--stack-name", &view.stack.name];
    let mend = || view.mend(&[&events[..], &["--max-items", "20"]].concat());
    match status.as_str() {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_COMPLETE" => {
            fine(Topic::Stack, name, Fact::StackSettled { status })
        }
        busy if busy.ends_with("_IN_PROGRESS") => {
            warning(Topic::Stack, name, Fact::StackBusy { status }, Some(mend()))
        }
        _ => fault(Topic::Stack, name, Fact::StackFailed { status }, mend()),
    }
}

/// Gives the caller a right to look, where its identity is a user or a role of its own.
pub(super) fn grant(view: &View<'_>, right: &str) -> Option<Remedy> {
    let identity = view.call(&["sts", "get-caller-identity"]).ok()?;
    let arn = text(&identity, "Arn").to_owned();
    let (_, resource) = arn.rsplit_once(':')?;
    let parts: Vec<&str> = resource.split('/').collect();
    let (call, option, name) = match parts.as_slice() {
        ["user", .., name] => ("put-user-policy", "--user-name", *name),
        // IAM Identity Center makes these roles and does not let anybody change them.
        ["assumed-role", name, _] if !name.starts_with("AWSReservedSSO_") => {
            ("put-role-policy", "--role-name", *name)
        }
        _ => return None,
    };
    let policy = json!({"Version": "2012-10-17", "Statement": [
        // Rights to read, as docs/doctor.md lists them.
        {"Effect": "Allow", "Action": right, "Resource": "*"},
    ]})
    .to_string();
    let id = format!("sg-audit-doctor-{}", right.replace(':', "-"));
    Some(view.mend(&[
        "iam",
        call,
        option,
        name,
        "--policy-name",
        &id,
        "--policy-document",
        &policy,
    ]))
}
