//! Every policy of the templates, in every mode, as parliament reads it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{REMEDIATIONS, member_modes, resolved_in};
use crate::support::resolved::{self, AUDITOR, MEMBER, ORGANISATION, Resources, combinations};

/// What parliament finds and is meant: where, what, and why nothing narrower will do.
const MEANT: [(&str, &str, &str); 13] = [
    // That somebody gets credentials by it is what trust is.
    (AUDITOR, "Role trust", "CREDENTIALS_EXPOSURE"),
    (MEMBER, "Role trust", "CREDENTIALS_EXPOSURE"),
    (MEMBER, "ForwardRole trust", "CREDENTIALS_EXPOSURE"),
    // Its purpose is to act in other accounts. Which ones is up to the roles there, and to the settings that name them.
    (ORGANISATION, "AssumeMembers PolicyDocument", "CREDENTIALS_EXPOSURE"),
    (ORGANISATION, "SweepRole trust", "CREDENTIALS_EXPOSURE"),
    (ORGANISATION, "StartSweepRole trust", "CREDENTIALS_EXPOSURE"),
    // Executions of a map have other ARNs than parliament knows ("IAM policies for using Distributed Map states" in the
    // Step Functions developer guide).
    (ORGANISATION, "SweepRole sweep", "RESOURCE_MISMATCH"),
    (AUDITOR, "PublishAlarmRole trust", "CREDENTIALS_EXPOSURE"),
    (AUDITOR, "HookRole trust", "CREDENTIALS_EXPOSURE"),
    // In a key's policy the asterisk is the key itself, and nothing else can be written.
    (AUDITOR, "TopicKey KeyPolicy", "RESOURCE_STAR"),
    // Without the account, nobody could ever change or delete the key ("Default key policy" in the KMS developer guide).
    (AUDITOR, "TopicKey KeyPolicy", "PERMISSIONS_MANAGEMENT_ACTIONS"),
    (AUDITOR, "QueueKey KeyPolicy", "RESOURCE_STAR"),
    (AUDITOR, "QueueKey KeyPolicy", "PERMISSIONS_MANAGEMENT_ACTIONS"),
];

/// The policies of a stack, each by its resource and its own name.
fn policies(resources: &Resources) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for (name, resource) in resources {
        let properties = &resource["Properties"];
        for policy in properties["Policies"].as_array().into_iter().flatten() {
            let own = policy["PolicyName"].as_str().expect("a name");
            found.insert(format!("{name} {own}"), policy["PolicyDocument"].clone());
        }
        for member in ["KeyPolicy", "PolicyDocument"] {
            if let Some(policy) = properties.get(member) {
                found.insert(format!("{name} {member}"), policy.clone());
            }
        }
        if let Some(trust) = properties.get("AssumeRolePolicyDocument") {
            let mut trust = trust.clone();
            for statement in trust["Statement"].as_array_mut().expect("statements") {
                // What it is about is the role that has it, which is not written there.
                statement["Resource"] = "arn:aws:iam::123456789012:role/one".into();
            }
            found.insert(format!("{name} trust"), trust);
        }
        if resource["Type"] == "AWS::Events::EventBusPolicy" {
            let statement = &properties["Statement"];
            let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
            found.insert(format!("{name} policy"), policy);
        }
    }
    found
}

/// What parliament finds in each policy that is asked for by its name.
fn findings(policies: &BTreeMap<String, Value>) -> Vec<(String, String, String)> {
    serde_json::from_slice(&resolved::run("check_policies.py", &json!(policies))).expect("JSON")
}

#[test]
fn parliament_finds_only_what_is_intended() {
    let modes = combinations(&[
        ("Remediation", &REMEDIATIONS),
        ("HoldMaxHours", &["0", "24"]),
        ("Organisation", &["off", "typo3-sg-auditor-member"]),
        ("Encryption", &["none", "topic", "queues", "all"]),
        ("Observability", &["off", "traces"]),
        ("Watch", &["off", "on"]),
        ("Hook", &["off", "fail"]),
    ]);
    let mut organisation_modes = combinations(&[
        ("Accounts", &["", "210987654321,111122223333", "organization"]),
        ("MemberRoleName", &["", "typo3-sg-auditor-member"]),
        ("OrganizationId", &["", "o-a1b2c3d4e5"]),
    ]);
    let needed: BTreeMap<String, String> =
        serde_json::from_value(resolved::organisation_parameters()).expect("texts");
    organisation_modes.iter_mut().for_each(|mode| mode.extend(needed.clone()));
    let mut member_modes = member_modes();
    member_modes.iter_mut().for_each(|mode| {
        mode.insert("MemberExternalId".to_owned(), "our-typo3-servers".to_owned());
    });
    let mut distinct: BTreeMap<String, Value> = BTreeMap::new();
    let all = [(AUDITOR, modes), (MEMBER, member_modes), (ORGANISATION, organisation_modes)];
    for (template, modes) in all {
        for (name, policy) in resolved_in(template, &modes).iter().flat_map(policies) {
            let number = distinct.len();
            let key = format!("{template}: {name}: ");
            let is_known =
                |(known, other): (&String, &Value)| known.starts_with(&key) && *other == policy;
            if !distinct.iter().any(is_known) {
                distinct.insert(format!("{key}{number}"), policy);
            }
        }
    }
    let named: BTreeSet<&str> =
        distinct.keys().filter_map(|key| key.rsplit_once(": ").map(|(name, _)| name)).collect();
    assert_eq!(named.len(), 32, "{named:#?}");

    let meant: BTreeSet<(String, String)> = MEANT
        .iter()
        .map(|(template, name, issue)| (format!("{template}: {name}"), (*issue).to_owned()))
        .collect();
    let found: BTreeSet<(String, String)> = findings(&distinct)
        .into_iter()
        .map(|(key, issue, _)| (key.rsplit_once(": ").expect("a key").0.to_owned(), issue))
        .collect();
    assert_eq!(found, meant);
}

#[test]
fn parliament_notices_wide_or_misspelled_policies() {
    let policy = |action: &str, resource: &str| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": action, "Resource": resource},
        ]})
    };
    let found = findings(
        &[
            ("everything", policy("sqs:SendMessage", "*")),
            ("unknown", policy("ec2:RevokeSecurityGroup", "*")),
            ("elsewhere", policy("sns:Publish", "arn:aws:sqs:eu-central-1:123456789012:queue")),
            ("fine", policy("ec2:DescribeSecurityGroups", "*")),
        ]
        .map(|(name, policy)| (name.to_owned(), policy))
        .into(),
    );
    let issues: Vec<(&str, &str)> =
        found.iter().map(|(name, issue, _)| (name.as_str(), issue.as_str())).collect();
    assert_eq!(
        issues,
        [
            ("elsewhere", "RESOURCE_MISMATCH"),
            ("everything", "RESOURCE_STAR"),
            ("unknown", "UNKNOWN_ACTION"),
        ]
    );
}
