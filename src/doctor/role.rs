//! The roles of the stack, and the log.

use std::collections::BTreeMap;

use serde_json::Value;

use super::aws::AwsError;
use super::check::{Check, Difference, Fact, Topic};
use super::resolve::word;
use super::same::{listed, policy};
use super::stack::{Resource, array, text};
use super::view::{View, each, fault, fine, not_seen, warning};

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    let roles: Vec<&Resource> = view.stack.of_kind("AWS::IAM::Role").collect();
    each(&roles, |role| of_role(view, role)).concat()
}

fn of_role(view: &View<'_>, role: &Resource) -> Vec<Check> {
    let name = role.name.as_str();
    let about = ["--role-name", role.id.as_str()];
    let is = match view.call(&[&["iam", "get-role"][..], &about].concat()) {
        Ok(is) => is.get("Role").cloned().unwrap_or_default(),
        Err(AwsError::NotThere { .. }) => {
            return vec![fault(Topic::Role, name, Fact::RoleGone, view.redeploy())];
        }
        Err(error) => return vec![not_seen(Topic::Role, name, error)],
    };
    let mut checks = Vec::new();
    let trust = "AssumeRolePolicyDocument";
    let should = role.get(trust);
    if is.get(trust).map(policy) != should.map(policy) {
        let document = should.map(Value::to_string).unwrap_or_default();
        let words = [&["iam", "update-assume-role-policy"][..], &about].concat();
        let mend = view.mend(&[&words[..], &["--policy-document", &document]].concat());
        checks.push(fault(Topic::Role, name, Fact::RoleTrust, mend));
    }
    let boundary = |it: Option<&Value>| it.map(word).unwrap_or_default();
    let arn = boundary(is.pointer("/PermissionsBoundary/PermissionsBoundaryArn"));
    if arn != boundary(role.get("PermissionsBoundary")) && !arn.is_empty() {
        let mend = view.mend(&[&["iam", "delete-role-permissions-boundary"][..], &about].concat());
        checks.push(warning(Topic::Role, name, Fact::RoleBoundary { arn }, Some(mend)));
    }

    let should = policies(view, role);
    let names: Vec<&String> = should.keys().collect();
    let fetched = each(&names, |policy| {
        let get = [&["iam", "get-role-policy"][..], &about, &["--policy-name", policy]].concat();
        (policy.to_string(), view.call(&get))
    });
    for (of, is) in fetched {
        let Some(document) = should.get(&of) else { continue };
        let text = document.to_string();
        let put = [&["iam", "put-role-policy"][..], &about].concat();
        let mend =
            view.mend(&[&put[..], &["--policy-name", &of, "--policy-document", &text]].concat());
        match is {
            Ok(is) if is.get("PolicyDocument").map(policy) == Some(policy(document)) => {}
            Ok(_) => {
                checks.push(fault(Topic::Role, name, Fact::RolePolicyDiffers { policy: of }, mend))
            }
            Err(AwsError::NotThere { .. }) => {
                checks.push(fault(Topic::Role, name, Fact::RolePolicyGone { policy: of }, mend));
            }
            Err(error) => checks.push(not_seen(Topic::Role, name, error)),
        }
    }
    checks.extend(more(view, role, &should));
    if checks.is_empty() {
        checks.push(fine(Topic::Role, name, Fact::RoleFine { policies: should.len() }));
    }
    checks
}

/// The inline policies that the template gives a role, by their names.
fn policies(view: &View<'_>, role: &Resource) -> BTreeMap<String, Value> {
    let own = listed(role.get("Policies"));
    let own =
        own.iter().map(|it| (text(it, "PolicyName").to_owned(), it.get("PolicyDocument").cloned()));
    let others = view.stack.of_kind("AWS::IAM::Policy");
    let others = others.filter(|it| listed(it.get("Roles")).iter().any(|name| *name == role.id));
    let others = others
        .map(|it| (it.text("PolicyName").unwrap_or_default(), it.get("PolicyDocument").cloned()));
    own.chain(others).filter_map(|(name, document)| Some((name, document?))).collect()
}

/// Policies that somebody added: they may forbid what the function needs, or allow more.
fn more(view: &View<'_>, role: &Resource, should: &BTreeMap<String, Value>) -> Vec<Check> {
    let name = role.name.as_str();
    let about = ["--role-name", role.id.as_str()];
    let mut added = Vec::new();
    let mut mend = super::check::Remedy::default();
    match view.call(&[&["iam", "list-role-policies"][..], &about].concat()) {
        Ok(is) => {
            for policy in array(&is, "PolicyNames").iter().map(word) {
                if !should.contains_key(&policy) {
                    let delete = [&["iam", "delete-role-policy"][..], &about].concat();
                    mend =
                        mend.then(view.mend(&[&delete[..], &["--policy-name", &policy]].concat()));
                    added.push(policy);
                }
            }
        }
        Err(error) => return vec![not_seen(Topic::Role, name, error)],
    }
    let managed: Vec<String> = listed(role.get("ManagedPolicyArns")).iter().map(word).collect();
    match view.call(&[&["iam", "list-attached-role-policies"][..], &about].concat()) {
        Ok(is) => {
            for policy in array(&is, "AttachedPolicies").iter().map(|it| text(it, "PolicyArn")) {
                if !managed.iter().any(|arn| arn == policy) {
                    let detach = [&["iam", "detach-role-policy"][..], &about].concat();
                    mend = mend.then(view.mend(&[&detach[..], &["--policy-arn", policy]].concat()));
                    added.push(policy.to_owned());
                }
            }
        }
        Err(error) => return vec![not_seen(Topic::Role, name, error)],
    }
    if added.is_empty() {
        return Vec::new();
    }
    vec![warning(Topic::Role, name, Fact::RoleMore { policies: added }, Some(mend))]
}

/// The function's log.
pub(super) fn logs(view: &View<'_>) -> Vec<Check> {
    view.stack.of_kind("AWS::Logs::LogGroup").map(|log| of_log(view, log)).collect()
}

fn of_log(view: &View<'_>, log: &Resource) -> Check {
    let name = log.name.as_str();
    let should = log.text("RetentionInDays").unwrap_or_default();
    let put = ["logs", "put-retention-policy", "--log-group-name", &log.id];
    let retention = || match should.as_str() {
        "" => view.mend(&["logs", "delete-retention-policy", "--log-group-name", &log.id]),
        days => view.mend(&[&put[..], &["--retention-in-days", days]].concat()),
    };
    let groups =
        match view.call(&["logs", "describe-log-groups", "--log-group-name-prefix", &log.id]) {
            Ok(groups) => groups,
            Err(error) => return not_seen(Topic::Log, name, error),
        };
    let Some(is) = array(&groups, "logGroups").iter().find(|it| text(it, "logGroupName") == log.id)
    else {
        let create = view.mend(&["logs", "create-log-group", "--log-group-name", &log.id]);
        return fault(Topic::Log, name, Fact::LogGone, create.then(retention()));
    };
    let is = is.get("retentionInDays").map(word).unwrap_or_default();
    if is == should {
        return fine(Topic::Log, name, Fact::LogKept { days: should });
    }
    let mend = retention();
    let difference = Difference { name: "RetentionInDays".to_owned(), is, should };
    warning(Topic::Log, name, Fact::LogRetention { difference }, Some(mend))
}
