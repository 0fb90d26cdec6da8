//! member-template.yaml as docs/accounts.md deploys it, into the account that is audited.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{TAGS, WATCHED, matched_by_others};
use crate::page::parameters;
use crate::support::ministack::{self, REGION, succeeded};
use crate::support::sg_audit::repository;
use crate::support::stack::Stack;

/// What has no default.
const NEEDED: [(&str, &str); 3] = [
    ("AuditorRole", "arn:aws:iam::123456789012:role/auditor"),
    ("AuditorEventBus", "arn:aws:events:ap-southeast-4:123456789012:event-bus/default"),
    ("HomeRegion", REGION),
];
/// All others.
const SET: [(&str, &str); 6] = [
    ("MemberExternalId", "our-typo3-servers"),
    ("MemberRoleName", "audited-by-typo3-sg-auditor"),
    ("Scope", "tag:Application=typo3"),
    ("Remediation", "revert-ssh"),
    ("RevertKeeps", "nothing"),
    ("SweepRemediation", "revert-ingress"),
];

fn template() -> String {
    fs::read_to_string(repository().join("member-template.yaml")).expect("the template")
}

fn deploy(name: &str, parameters: &[(&str, &str)]) -> Stack {
    const HOME: &str = "IsHomeRegion: !Equals [!Ref AWS::Region, !Ref HomeRegion]";
    let server = ministack::server();
    // ministack does not know the region in a condition, so it is written out.
    let template = template();
    assert!(template.contains(HOME));
    let template = template.replace(HOME, &HOME.replace("!Ref AWS::Region", REGION));
    let file = server.folder.join(format!("{name}.yaml"));
    fs::write(&file, template).expect("the template's copy");
    let mut aws = server.command("aws");
    aws.args(["cloudformation", "deploy", "--stack-name", name, "--template-file"])
        .arg(file)
        .args(["--capabilities", "CAPABILITY_NAMED_IAM", "--parameter-overrides"])
        .args(parameters.iter().map(|(name, value)| format!("{name}={value}")));
    succeeded(&mut aws);
    server.stack(name)
}

/// The policies of a member's role by their names, and what it asks of whoever assumes it.
fn role(name: &str) -> (BTreeSet<String>, Value) {
    let server = ministack::server();
    let policies = server.aws(&["iam", "list-role-policies", "--role-name", name]);
    let policies: Value = serde_json::from_str(&policies).expect("JSON");
    let role = server.aws(&["iam", "get-role", "--role-name", name]);
    let role: Value = serde_json::from_str(&role).expect("JSON");
    let names = policies["PolicyNames"].as_array().expect("names").iter();
    let names = names.map(|name| name.as_str().expect("a name").to_owned()).collect();
    (names, role["Role"]["AssumeRolePolicyDocument"]["Statement"][0].clone())
}

/// Whatever there is beside the rules of the changes sends what is about the auditor, if anything.
fn assert_others_watch(stack: &Stack, but: Option<&str>) {
    for (rule, matched) in matched_by_others(stack) {
        if Some(rule.as_str()) == but {
            assert_eq!(matched, TAGS, "{rule}");
        } else {
            assert!(
                matched.iter().all(|name| WATCHED.contains(&name.as_str())),
                "{rule} {matched:?}"
            );
        }
    }
}

#[test]
fn a_member_sends_the_changes_and_lets_them_be_read() {
    let stack = deploy("member", &NEEDED);
    assert_others_watch(&stack, None);
    let (policies, trust) = role("typo3-sg-auditor-member");
    assert_eq!(policies, ["audit".to_owned()].into());
    assert_eq!(trust["Principal"]["AWS"], "arn:aws:iam::123456789012:role/auditor", "{trust:#}");
    assert_eq!(trust["Condition"], Value::Null, "{trust:#}");
    assert_eq!(stack.outputs.keys().collect::<Vec<_>>(), ["FailureQueue"]);
}

#[test]
fn a_member_with_everything_set_sends_tags_too_and_lets_rules_be_revoked() {
    let template = template();
    let defaults = parameters(&template);
    assert_eq!(
        defaults.keys().collect::<BTreeSet<_>>(),
        SET.iter().map(|(name, _)| name).collect()
    );
    assert!(SET.iter().all(|(name, value)| defaults[name] != *value));

    let all: Vec<_> = NEEDED.into_iter().chain(SET).collect();
    let stack = deploy("member-all-set", &all);
    assert_others_watch(&stack, Some("TagChanges"));
    assert!(matched_by_others(&stack).contains_key("TagChanges"));
    let (policies, trust) = role("audited-by-typo3-sg-auditor");
    assert_eq!(policies, ["audit".to_owned(), "revoke".to_owned()].into());
    assert_eq!(
        trust["Condition"]["StringEquals"]["sts:ExternalId"], "our-typo3-servers",
        "{trust:#}"
    );
}
