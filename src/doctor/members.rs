//! Other accounts: the role in each, the event bus they send to, and the organisation.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::aws::AwsError;
use super::check::{Check, Difference, Fact, State, Topic, Unknown};
use super::resolve::word;
use super::same::{canonical, listed, policy};
use super::stack::{RULE, Resource, array, text};
use super::view::{View, each, fault, fine, not_seen, words};

const SESSION: &str = "sg-audit-doctor";

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    for function in view.stack.functions() {
        let variables = words(function.get("Environment").and_then(|it| it.get("Variables")));
        let Some(role) = variables.get("MEMBER_ROLE_NAME").filter(|role| !role.is_empty()) else {
            continue;
        };
        let external = variables.get("MEMBER_EXTERNAL_ID").filter(|id| !id.is_empty());
        let accounts: Vec<String> = accounts(view).into_iter().collect();
        checks.extend(each(&accounts, |account| reached(view, function, account, role, external)));
    }
    checks.extend(view.stack.of_kind("AWS::Events::EventBusPolicy").flat_map(|it| bus(view, it)));
    checks
}

/// The other accounts that the schedules name.
fn accounts(view: &View<'_>) -> BTreeSet<String> {
    let inputs = view.stack.of_kind(RULE).flat_map(|rule| listed(rule.get("Targets")));
    let inputs = inputs.filter_map(|it| serde_json::from_str::<Value>(text(&it, "Input")).ok());
    let named = inputs.flat_map(|it| {
        let named = it.pointer("/sweep/accounts").or_else(|| it.pointer("/holds/accounts"));
        listed(named)
    });
    named.map(|it| word(&it)).filter(|account| *account != view.stack.account).collect()
}

fn reached(
    view: &View<'_>,
    function: &Resource,
    account: &str,
    role: &str,
    external: Option<&String>,
) -> Check {
    let arn = format!("arn:{}:iam::{account}:role/{role}", view.stack.partition);
    let mut call = vec!["sts", "assume-role", "--role-arn", &arn, "--role-session-name", SESSION];
    // The credentials are not needed.
    call.extend(["--query", "AssumedRoleUser"]);
    if let Some(external) = external {
        call.extend(["--external-id", external]);
    }
    match view.call(&call) {
        Ok(_) => fine(Topic::Member, account, Fact::MemberReached { account: account.to_owned() }),
        // STS says the same of a role that is not there and of one that trusts the function alone,
        // as it should. The function can tell.
        Err(AwsError::Refused { .. }) => Check {
            topic: Topic::Member,
            of: Some(account.to_owned()),
            state: State::CannotTell(Unknown::Right(format!("sts:AssumeRole on {arn}"))),
            fact: Fact::MemberNotReached { account: account.to_owned() },
            mend: Some(ask_function(view, function, account)),
        },
        Err(error) => not_seen(Topic::Member, account, error),
    }
}

/// Has the function look for holds there, which changes nothing unless one is over, and print its
/// answer.
fn ask_function(view: &View<'_>, function: &Resource, account: &str) -> super::check::Remedy {
    let input = json!({"holds": {"accounts": [account], "regions": []}}).to_string();
    let invoke = ["lambda", "invoke", "--function-name", &function.id];
    let invoke = [&invoke[..], &["--payload", "fileb:///dev/stdin", "/dev/stdout"]].concat();
    super::check::Remedy::command(&["printf", "%s", &input]).piped_into(view.mend(&invoke))
}

/// Whether the bus takes what other accounts send, and from which organisation.
fn bus(view: &View<'_>, resource: &Resource) -> Vec<Check> {
    let name = resource.name.as_str();
    let bus = resource.text("EventBusName").unwrap_or("default".to_owned());
    let is = match view.call(&["events", "describe-event-bus", "--name", &bus]) {
        Ok(is) => is,
        Err(error) => return vec![not_seen(Topic::Bus, name, error)],
    };
    let mut should = resource.get("Statement").cloned().unwrap_or_default();
    let id = resource.text("StatementId").unwrap_or_default();
    if let Some(statement) = should.as_object_mut() {
        statement.insert("Sid".to_owned(), id.clone().into());
    }
    let document: Value = serde_json::from_str(text(&is, "Policy")).unwrap_or_default();
    let statements = array(&document, "Statement");
    let plain = |statement: &Value| canonical(&policy(&json!({"Statement": [statement]})));
    let mut checks = Vec::new();
    if statements.iter().any(|it| plain(it) == plain(&should)) {
        checks.push(fine(Topic::Bus, name, Fact::BusAdmits));
    } else {
        let mut all: Vec<Value> =
            statements.iter().filter(|it| text(it, "Sid") != id).cloned().collect();
        all.push(should.clone());
        let policy = json!({"Version": "2012-10-17", "Statement": all}).to_string();
        let put = ["events", "put-permission", "--event-bus-name", &bus, "--policy", &policy];
        checks.push(fault(Topic::Bus, name, Fact::BusDoesNotAdmit, view.mend(&put)));
    }
    let organization = should.pointer("/Condition/StringEquals/aws:PrincipalOrgID").map(word);
    checks.extend(organization.map(|id| organization_is(view, &id)));
    checks
}

fn organization_is(view: &View<'_>, should: &str) -> Check {
    let is = match view.call(&["organizations", "describe-organization"]) {
        Ok(is) => is.pointer("/Organization/Id").map(word).unwrap_or_default(),
        Err(AwsError::Other { message }) if message.starts_with("AWSOrganizationsNotInUse") => {
            String::new()
        }
        Err(error) => return not_seen(Topic::Organization, should, error),
    };
    if is == should {
        return fine(Topic::Organization, should, Fact::OrganizationIs { id: is });
    }
    let value = format!("OrganizationId={is}");
    let deploy =
        ["sam", "deploy", "--stack-name", &view.stack.name, "--region", &view.stack.region];
    let mend =
        super::check::Remedy::command(&[&deploy[..], &["--parameter-overrides", &value]].concat());
    let difference =
        Difference { name: "OrganizationId".to_owned(), is, should: should.to_owned() };
    fault(Topic::Organization, should, Fact::OrganizationOther { difference }, mend)
}
