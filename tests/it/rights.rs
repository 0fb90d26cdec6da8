//! Least privilege: with every combination of settings, the roles allow exactly what the code can call and what AWS
//! itself does with them.

mod called;
mod decided;
mod members;
mod policies;
mod services;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::resolved::{
    self, AUDITOR, MEMBER, ORGANISATION, Resources, combinations, with_policies,
};
use crate::support::sg_audit::repository;

/// With which settings an action is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Always,
    /// A change or a sweep may be reverted.
    Reverts,
    /// The same, and a revert keeps the part of a rule that complies.
    Narrows,
    /// stacks/organisation.yaml is deployed with a role in other accounts, which has a right of its own for it.
    HasMembers,
    /// stacks/organisation.yaml sweeps an organisation.
    SweepsOrganisation,
    /// The topic or the queues have a key of the stack's own.
    Encrypts,
    Traces,
}
use When::{Always, Encrypts, HasMembers, Narrows, Reverts, SweepsOrganisation, Traces};

/// What the code calls: the operation, and IAM's action for it.
pub const CALLED: [(&str, &str, When); 21] = [
    ("dynamodb:Query", "dynamodb:Query", Always),
    ("dynamodb:PutItem", "dynamodb:PutItem", Always),
    ("dynamodb:UpdateItem", "dynamodb:UpdateItem", Always),
    ("dynamodb:DeleteItem", "dynamodb:DeleteItem", Always),
    ("ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroups", Always),
    ("ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroupRules", Always),
    ("ec2:DescribeManagedPrefixLists", "ec2:DescribeManagedPrefixLists", Always),
    ("ec2:GetManagedPrefixListEntries", "ec2:GetManagedPrefixListEntries", Always),
    ("ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress", Reverts),
    ("ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupIngress", Narrows),
    ("cloudtrail:DescribeTrails", "cloudtrail:DescribeTrails", Always),
    ("cloudtrail:GetTrailStatus", "cloudtrail:GetTrailStatus", Always),
    ("cloudtrail:GetEventSelectors", "cloudtrail:GetEventSelectors", Always),
    ("sns:Publish", "sns:Publish", Always),
    ("lambda:Invoke", "lambda:InvokeFunction", Always),
    ("sts:AssumeRole", "sts:AssumeRole", HasMembers),
    ("ec2:DescribeRegions", "ec2:DescribeRegions", SweepsOrganisation),
    ("organizations:ListAccounts", "organizations:ListAccounts", SweepsOrganisation),
    (
        "organizations:ListAccountsForParent",
        "organizations:ListAccountsForParent",
        SweepsOrganisation,
    ),
    (
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListOrganizationalUnitsForParent",
        SweepsOrganisation,
    ),
    ("organizations:ListParents", "organizations:ListParents", SweepsOrganisation),
];

/// What AWS itself does with the function's role.
const BY_AWS: [(&str, When); 10] = [
    // Lambda writes the log.
    ("logs:CreateLogStream", Always),
    ("logs:PutLogEvents", Always),
    // Lambda puts failed events into the queue, and reads them from it.
    ("sqs:SendMessage", Always),
    ("sqs:ReceiveMessage", Always),
    ("sqs:DeleteMessage", Always),
    ("sqs:GetQueueAttributes", Always),
    // SNS encrypts what the function publishes, and SQS the failed events.
    ("kms:GenerateDataKey", Encrypts),
    ("kms:Decrypt", Encrypts),
    // Lambda sends the traces.
    ("xray:PutTraceSegments", Traces),
    ("xray:PutTelemetryRecords", Traces),
];

/// The words of `Remediation`, each kind of them.
const REMEDIATIONS: [&str; 8] = [
    "notify",
    "notify+keep-nothing",
    "notify+sweep-revert-ssh",
    "revert-ssh",
    "revert-ssh+keep-nothing",
    "revert-ssh+sweep-revert-ingress",
    "revert-ingress",
    "revert-ingress+sweep-revert-ssh+keep-nothing",
];

impl When {
    /// Whether these parameters of the template ask for it.
    fn is_set(self, parameters: &BTreeMap<String, String>) -> bool {
        let is = |name: &str, value: &str| parameters.get(name).is_some_and(|set| set == value);
        let remediation = parameters.get("Remediation").map_or("notify", String::as_str);
        let without = remediation.strip_suffix("+keep-nothing");
        let reverts = without.unwrap_or(remediation) != "notify";
        match self {
            Always => true,
            Reverts => reverts,
            Narrows => reverts && without.is_none(),
            HasMembers | SweepsOrganisation => false,
            Encrypts => !is("Encryption", "none"),
            Traces => is("Observability", "traces"),
        }
    }
}

/// All combinations of the settings that rights depend on.
fn modes() -> Vec<BTreeMap<String, String>> {
    combinations(&[
        ("Remediation", &REMEDIATIONS),
        ("HoldMaxHours", &["0", "24"]),
        ("Organisation", &["off", "typo3-sg-auditor-member", "typo3-sg-auditor-member::ours"]),
        ("Encryption", &["none", "topic", "queues", "all"]),
        ("Observability", &["off", "on", "traces"]),
        ("Watch", &["off", "on"]),
    ])
}

/// The combinations of those that a member's template has as well, with its required parameters.
fn member_modes() -> Vec<BTreeMap<String, String>> {
    let needed = resolved::member_parameters();
    let needed = needed.as_object().expect("parameters").iter();
    let needed: BTreeMap<String, String> =
        needed.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
    let mut modes = combinations(&[("Remediation", &REMEDIATIONS)]);
    modes.iter_mut().for_each(|mode| mode.extend(needed.clone()));
    modes
}

fn resolved_in(template: &str, modes: &[BTreeMap<String, String>]) -> Vec<Resources> {
    with_policies(&modes.iter().map(|mode| (template, json!(mode))).collect::<Vec<_>>())
}

/// The actions that a role allows, by its own policies and by those attached to it.
fn allowed(resources: &Resources, role: &str) -> BTreeSet<String> {
    let own = resources.get(role).and_then(|it| it["Properties"]["Policies"].as_array());
    let own = own.into_iter().flatten();
    let name = resources.get(role).map_or(&Value::Null, |it| &it["Ref"]);
    let put = resources.values().filter(|it| it["Type"] == "AWS::IAM::Policy");
    let put = put.map(|it| &it["Properties"]);
    let put = put.filter(|it| it["Roles"].as_array().is_some_and(|roles| roles.contains(name)));
    let mut allowed = BTreeSet::new();
    for policy in own.chain(put) {
        for statement in policy["PolicyDocument"]["Statement"].as_array().expect("statements") {
            assert_eq!(statement["Effect"], "Allow");
            assert!(statement.get("NotAction").is_none(), "{statement}");
            let actions = &statement["Action"];
            let one = actions.as_str().map(str::to_owned);
            let several = actions.as_array().into_iter().flatten();
            allowed.extend(one);
            allowed.extend(several.map(|action| action.as_str().expect("an action").to_owned()));
        }
    }
    assert!(!allowed.is_empty());
    allowed
}

#[test]
fn the_functions_role_allows_exactly_the_calls_of_each_mode() {
    let modes = modes();
    assert_eq!(modes.len(), 1152);
    for (mode, resources) in modes.iter().zip(resolved_in(AUDITOR, &modes)) {
        let called = CALLED.iter().map(|(_, action, when)| (*action, *when));
        let needed: BTreeSet<String> = called
            .chain(BY_AWS)
            .filter(|(_, when)| when.is_set(mode))
            .map(|(action, _)| action.to_owned())
            .collect();
        assert_eq!(allowed(&resources, "Role"), needed, "{mode:?}");
        let key = ["kms:GenerateDataKey", "kms:Decrypt"];
        let has_key = ["topic", "all"].contains(&mode["Encryption"].as_str());
        let publishes = ["states:StartExecution", "sns:Publish"];
        let mails = publishes.into_iter().chain(has_key.then_some(key).into_iter().flatten());
        let mails: BTreeSet<String> = mails.map(str::to_owned).collect();
        assert_eq!(allowed(&resources, "PublishAlarmRole"), mails, "{mode:?}");
    }
}

#[test]
fn the_hook_may_ask_the_function_and_do_nothing_else() {
    let resources = |word: &str| with_policies(&[(AUDITOR, json!({"Hook": word}))]).remove(0);
    assert!(!resources("off").contains_key("HookRole"));
    for word in ["warn", "fail"] {
        let resources = resources(word);
        let invoke = "lambda:InvokeFunction".to_owned();
        assert_eq!(allowed(&resources, "HookRole"), [invoke].into(), "{word}");
        let policy = &resources["HookRole"]["Properties"]["Policies"][0]["PolicyDocument"];
        let on = policy["Statement"][0]["Resource"].as_str().expect("a function");
        assert_eq!(
            on,
            "arn:aws:lambda:eu-central-1:123456789012:function:stack-Auditor-1A2B3C4D5E6F"
        );
    }
}

#[test]
fn the_organisation_adds_the_right_to_assume_the_role_of_its_members() {
    let roles = |role: &str| {
        let mut parameters = resolved::organisation_parameters();
        parameters["MemberRoleName"] = role.into();
        let resources = with_policies(&[(ORGANISATION, parameters)]).remove(0);
        resources.get("AssumeMembers").map(|it| it["Properties"].clone())
    };
    assert_eq!(roles(""), None);
    let policy = roles("typo3-sg-auditor-member").expect("a policy");
    assert_eq!(policy["Roles"], json!(["stack-Role-1A2B3C4D5E6F"]));
    let statements = policy["PolicyDocument"]["Statement"].as_array().expect("statements");
    let [statement] = &statements[..] else { panic!("{policy:#}") };
    let called = CALLED.iter().find(|(.., when)| *when == HasMembers).expect("a call");
    assert_eq!(statement["Action"], called.1);
}

#[test]
fn the_role_in_another_account_allows_exactly_the_calls_there() {
    let modes = member_modes();
    for (mode, resources) in modes.iter().zip(resolved_in(MEMBER, &modes)) {
        let of_ec2 = CALLED.iter().filter(|(operation, ..)| operation.starts_with("ec2:"));
        let needed: BTreeSet<String> = of_ec2
            .filter(|(.., when)| *when == SweepsOrganisation || when.is_set(mode))
            .map(|(_, action, _)| (*action).to_owned())
            .collect();
        assert_eq!(allowed(&resources, "Role"), needed, "{mode:?}");
        // EventBridge forwards the events of the rules there.
        assert_eq!(allowed(&resources, "ForwardRole"), ["events:PutEvents".to_owned()].into());
    }
}

/// Adds the text of each Rust file below a folder, without its comments, by its path.
fn sources(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            let code: Vec<&str> =
                text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            let name = path.strip_prefix(repository()).expect("a file of the repository");
            found.insert(name.display().to_string(), code.join("\n"));
        }
    }
}

/// The names of the methods that a text calls without arguments, wherever its lines are broken.
fn methods(code: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let called = code.split("()").filter_map(|before| {
        let name = &before[before.rfind(|c| !is_part(c))? + 1..];
        before.strip_suffix(name)?.ends_with('.').then_some(name)
    });
    called.collect()
}

/// The services whose SDK the function is built with.
fn services() -> Vec<String> {
    let manifest = fs::read_to_string(repository().join("Cargo.toml")).expect("a manifest");
    let (_, rest) = manifest.split_once("\n[dependencies]\n").expect("dependencies");
    let (dependencies, _) = rest.split_once("\n[").expect("their end");
    let name = |line: &str| Some(line.strip_prefix("aws-sdk-")?.split(' ').next()?.to_owned());
    dependencies.lines().filter_map(name).collect()
}

#[test]
fn the_code_calls_nothing_else() {
    let mut all = BTreeMap::new();
    sources(&repository().join("src"), &mut all);
    let (aws, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
        all.into_iter().partition(|(file, _)| file.starts_with("src/aws/"));
    for (file, code) in &others {
        assert!(!code.contains("aws_sdk_") && !code.contains("aws_config"), "{file}");
    }
    // The code for a person's own credentials is not in the function.
    let of_live = aws["src/aws/mod.rs"].split("#[cfg(feature = \"live\")]\nmod ").skip(1);
    let live: BTreeSet<String> =
        of_live.map(|rest| format!("src/aws/{}.rs", rest.split(';').next().unwrap())).collect();
    assert!(!live.is_empty() && live.iter().all(|file| aws.contains_key(file)), "{live:?}");
    let services = services();
    assert_eq!(
        services,
        ["cloudtrail", "dynamodb", "ec2", "lambda", "organizations", "sns", "sts"]
    );
    let operations: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_slice(&resolved::run("sdk_operations.py", &json!(services))).unwrap();
    let mut called = BTreeSet::new();
    for (_, code) in aws.iter().filter(|(file, _)| !live.contains(*file)) {
        for method in methods(code) {
            let of = |(service, known): (&String, &BTreeMap<String, String>)| {
                Some(format!("{service}:{}", known.get(method)?))
            };
            called.extend(operations.iter().filter_map(of));
        }
        // The SDK's helper makes that call.
        called.extend(code.contains("AssumeRoleProvider::").then(|| "sts:AssumeRole".to_owned()));
    }
    let known = CALLED.map(|(operation, ..)| operation.to_owned()).into();
    assert_eq!(called, known);
}
