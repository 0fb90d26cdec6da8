//! stacks/forwarder.yaml as docs/accounts.md deploys it, into the account that is audited.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{TAGS, WATCHED, matched_by_others, tagged};
use crate::page::parameters;
use crate::support::ministack::{self, REGION, succeeded};
use crate::support::sg_audit::repository;
use crate::support::stack::Stack;

/// What another account than the auditor's needs.
const NEEDED: [(&str, &str); 3] = [
    ("AuditorRole", "arn:aws:iam::123456789012:role/auditor"),
    ("AuditorEventBus", "arn:aws:events:ap-southeast-4:123456789012:event-bus/default"),
    ("HomeRegion", REGION),
];
/// All others.
const SET: [(&str, &str); 4] = [
    ("MemberExternalId", "our-typo3-servers"),
    ("MemberRoleName", "audited-by-typo3-sg-auditor"),
    ("Scope", "tag:Application=typo3"),
    ("Remediation", "revert-ssh+sweep-revert-ingress+keep-nothing"),
];

fn template() -> String {
    fs::read_to_string(repository().join("stacks/forwarder.yaml")).expect("the template")
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

/// Whatever there is beside the rule of the changes sends what is about the auditor, if anything.
fn assert_others_watch(stack: &Stack) {
    for (rule, matched) in matched_by_others(stack) {
        assert!(matched.iter().all(|name| WATCHED.contains(&name.as_str())), "{rule} {matched:?}");
    }
}

#[test]
fn a_member_sends_the_changes_and_lets_them_be_read() {
    let stack = deploy("member", &NEEDED);
    assert_others_watch(&stack);
    assert_eq!(stack.matches(&tagged())["Changes"], [""; 0]);
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
    let mut named: BTreeSet<&str> = defaults.keys().copied().collect();
    // Empty in the auditor's own account only.
    assert!(named.remove("AuditorRole"));
    assert_eq!(named, SET.iter().map(|(name, _)| *name).collect());
    assert!(SET.iter().all(|(name, value)| defaults[name] != *value));

    let all: Vec<_> = NEEDED.into_iter().chain(SET).collect();
    let stack = deploy("member-all-set", &all);
    assert_others_watch(&stack);
    assert_eq!(stack.matches(&tagged())["Changes"], TAGS);
    let (policies, trust) = role("audited-by-typo3-sg-auditor");
    assert_eq!(policies, ["audit".to_owned(), "revoke".to_owned()].into());
    assert_eq!(
        trust["Condition"]["StringEquals"]["sts:ExternalId"], "our-typo3-servers",
        "{trust:#}"
    );
}

#[test]
fn a_region_of_the_auditors_own_account_sends_the_changes_and_has_no_role() {
    let own = [("HomeRegion", "none"), NEEDED[1], ("MemberRoleName", "not-in-the-own-account")];
    let stack = deploy("own-region", &own);
    assert_others_watch(&stack);
    let roles: Vec<String> = stack
        .resources()
        .into_values()
        .filter_map(|(kind, name)| (kind == "AWS::IAM::Role").then_some(name))
        .collect();
    assert_eq!(roles.len(), 1, "{roles:?}");
    assert!(roles[0].starts_with("sg-auditor-member-forward-"), "{roles:?}");
}

/// What AWS would answer is not tried: the AWS CLI checks the commands against its model of the service.
#[test]
fn a_stack_set_deploys_into_new_accounts_by_itself() {
    let page = repository().join("docs/accounts.md");
    let page = fs::read_to_string(page).expect("the page");
    let mut blocks = page.split("```sh\n").skip(1).filter_map(|it| it.split("```").next());
    let block = blocks.find(|it| it.contains("create-stack-set")).expect("the commands");
    assert!(block.contains("--auto-deployment Enabled=true,"), "{block}");
    let only_checked = |block: &str, call: &str| {
        block.replace(call, &format!("{call} --generate-cli-skeleton output"))
    };
    let block = only_checked(block, "cloudformation create-stack-set");
    let block = only_checked(&block, "cloudformation create-stack-instances");
    let line = format!("set -e; cd '{}'; {block}", repository().display());
    let ran = ministack::server().shell(&line).output().expect("a shell");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let parameters = block.matches("ParameterKey=").count();
    assert_eq!(parameters, 4, "HomeRegion, MemberExternalId, AuditorRole and AuditorEventBus");
}
