//! Who may publish a finding, put an event on the auditor's bus, and whose roles the auditor may assume.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::decided::{Caller, Context, decided};
use crate::support::resolved::{
    AUDITOR, MEMBER, ORGANISATION, Resources, member_parameters, organisation_parameters, patterns,
    resources,
};

const HOME: &str = "123456789012";
const LISTED: &str = "210987654321";
const OTHER: &str = "111122223333";
const ORGANIZATION: &str = "o-a1b2c3d4e5";
const TYPE: &str = "AWS API Call via CloudTrail";

/// The stack of an organisation with these members.
fn organisation(organization: &str, accounts: &str) -> Resources {
    let mut parameters = organisation_parameters();
    parameters["OrganizationId"] = organization.into();
    parameters["Accounts"] = accounts.into();
    parameters["MemberRoleName"] = "typo3-sg-auditor-member".into();
    resources(&[(ORGANISATION, parameters)]).remove(0)
}

fn statements(policy: &Value) -> Vec<&Value> {
    policy["Statement"].as_array().expect("statements").iter().collect()
}

/// Whether somebody of an account and an organisation may put events of these sources and this type on the bus.
fn may_send(
    resources: &Resources,
    account: &str,
    organization: Option<&str>,
    sources: &[&str],
    detail_type: &str,
) -> bool {
    let arn = format!("arn:aws:iam::{account}:role/forward");
    let mut context: Context<'_> =
        [("events:source", sources.to_vec()), ("events:detail-type", vec![detail_type])].into();
    context.extend(organization.map(|it| ("aws:PrincipalOrgID", vec![it])));
    let Some(policy) = resources.get("MembersSendEvents") else { return false };
    let statement = &policy["Properties"]["Statement"];
    assert_eq!(statement["Action"], "events:PutEvents");
    decided(&[statement], &Caller { arn: &arn, account }, &context) == Some(true)
}

/// The values of `source` in a pattern, at its top or in its alternatives.
fn sources(pattern: &Value) -> BTreeSet<String> {
    let alternatives = pattern["$or"].as_array().into_iter().flatten();
    let all = [pattern].into_iter().chain(alternatives);
    let named = all.filter_map(|it| it["source"].as_array()).flatten();
    named.map(|source| source.as_str().expect("a source").to_owned()).collect()
}

#[test]
fn members_may_put_the_events_of_our_rules_on_the_bus_and_nothing_else() {
    let organization = organisation(ORGANIZATION, "");
    let listed = organisation("", LISTED);
    let both = organisation(ORGANIZATION, LISTED);
    let ours = Some(ORGANIZATION);

    let mut parameters = member_parameters();
    parameters["Scope"] = "tag:role=web".into();
    let member = resources(&[(MEMBER, parameters)]).remove(0);
    let mut forwarded = BTreeSet::new();
    for (rule, pattern) in patterns(&member) {
        assert_eq!(pattern["detail-type"], json!([TYPE]), "{rule}");
        forwarded.extend(sources(&pattern));
    }
    for source in &forwarded {
        assert!(may_send(&organization, LISTED, ours, &[source], TYPE), "{source}");
        assert!(may_send(&listed, LISTED, None, &[source], TYPE), "{source}");
        assert!(may_send(&both, OTHER, ours, &[source], TYPE), "{source}");
    }
    let condition = &organization["MembersSendEvents"]["Properties"]["Statement"]["Condition"];
    let allowed = &condition["ForAllValues:StringEquals"]["events:source"];
    let allowed: BTreeSet<String> = serde_json::from_value(allowed.clone()).expect("sources");
    assert_eq!(allowed, forwarded);

    for resources in [&organization, &listed, &both] {
        for (sources, detail_type) in [
            (&["our.shop"][..], TYPE),
            (&["aws.ec2"], "EC2 Instance State-change Notification"),
            (&["aws.events"], "Scheduled Event"),
            (&["aws.s3"], TYPE),
            // One of them is hidden among those that are let in.
            (&["aws.ec2", "our.shop"], TYPE),
        ] {
            assert!(!may_send(resources, LISTED, ours, sources, detail_type), "{sources:?}");
        }
    }
    for somebody in [None, Some("o-ffffffffff")] {
        assert!(!may_send(&organization, LISTED, somebody, &["aws.ec2"], TYPE));
        assert!(!may_send(&both, LISTED, somebody, &["aws.ec2"], TYPE));
        assert!(!may_send(&listed, OTHER, somebody, &["aws.ec2"], TYPE));
    }
    assert!(!organisation("", "").contains_key("MembersSendEvents"));
}

#[test]
fn only_the_functions_role_and_that_of_the_alarms_may_publish() {
    let resources = resources(&[(AUDITOR, json!({}))]).remove(0);
    let publish = &resources["FindingsPublish"]["Properties"];
    assert_eq!(publish["Topics"], json!([resources["Findings"]["Ref"]]));
    let statements = statements(&publish["PolicyDocument"]);
    for statement in &statements {
        assert_eq!(statement["Action"], "sns:Publish");
        assert_eq!(statement["Resource"], resources["Findings"]["Ref"]);
    }
    let decided = |arn: &str, account: &str, is_service: bool| {
        let mut context = Context::new();
        if !is_service {
            context.insert("aws:PrincipalArn", vec![arn]);
        }
        decided(&statements, &Caller { arn, account }, &context)
    };
    let arn = |role: &str| {
        format!("arn:aws:iam::{HOME}:role/{}", resources[role]["Ref"].as_str().unwrap())
    };
    let role = arn("Role");
    assert_eq!(decided(&role, HOME, false), Some(true));
    assert_eq!(decided(&arn("PublishAlarmRole"), HOME, false), Some(true));
    // Denied whatever their own policies allow, so an administrator is as well.
    for arn in ["role/administrator", "user/operator", "root", "role/stack-Role-1A2B3C4D5E6F-2"] {
        let arn = format!("arn:aws:iam::{HOME}:{arn}");
        assert_eq!(decided(&arn, HOME, false), Some(false), "{arn}");
    }
    let same_name = role.replace(HOME, OTHER);
    assert_eq!(decided(&same_name, OTHER, false), Some(false));
    for service in ["cloudwatch.amazonaws.com", "events.amazonaws.com"] {
        assert_eq!(decided(service, HOME, true), Some(false), "{service}");
    }
}

#[test]
fn roles_are_assumed_in_the_accounts_that_are_named() {
    let may_assume = |resources: &Resources, account: &str, organization: &str| {
        let statements = statements(&resources["AssumeMembers"]["Properties"]["PolicyDocument"]);
        for statement in &statements {
            assert_eq!(statement["Action"], "sts:AssumeRole");
            let role = "arn:aws:iam::*:role/typo3-sg-auditor-member";
            assert_eq!(statement["Resource"], role);
        }
        let context =
            [("aws:ResourceAccount", vec![account]), ("aws:ResourceOrgID", vec![organization])];
        let caller = Caller { arn: "arn:aws:iam::123456789012:role/auditor", account: HOME };
        decided(&statements, &caller, &context.into()) == Some(true)
    };
    let two = format!("{LISTED},444455556666");
    for (organization, accounts, may) in [
        // Listed and of the organisation, listed elsewhere, of the organisation and not listed, neither.
        ("", "", [true, true, true, true]),
        ("", two.as_str(), [true, true, false, false]),
        (ORGANIZATION, "", [true, false, true, false]),
        (ORGANIZATION, two.as_str(), [true, false, false, false]),
    ] {
        let resources = organisation(organization, accounts);
        let asked = [
            (LISTED, ORGANIZATION),
            (LISTED, "o-ffffffffff"),
            (OTHER, ORGANIZATION),
            (OTHER, "o-ffffffffff"),
        ];
        for ((account, of), may) in asked.into_iter().zip(may) {
            let found = may_assume(&resources, account, of);
            assert_eq!(found, may, "{account} of {of} with {organization:?} and {accounts:?}");
        }
    }
}

#[test]
fn the_longest_list_of_accounts_fits_into_the_policies() {
    // A parameter has 4,096 characters at most.
    let accounts: Vec<String> = (0..315_u64).map(|n| (n + 100_000_000_000).to_string()).collect();
    let accounts = accounts.join(",");
    assert!((4084..=4096).contains(&accounts.len()), "{}", accounts.len());
    let role = "r".repeat(64);
    let all_set = json!({
        "Organisation": role, "Remediation": "revert-ssh", "Encryption": "all",
        "Observability": "traces", "SshSources": "none", "Scope": "all",
    });
    let auditor = resources(&[(AUDITOR, all_set)]).remove(0);
    let mut members = organisation_parameters();
    members["Accounts"] = accounts.into();
    members["OrganizationId"] = ORGANIZATION.into();
    members["MemberRoleName"] = role.into();
    let resources = resources(&[(ORGANISATION, members)]).remove(0);
    let policies = auditor["Role"]["Properties"]["Policies"].as_array().expect("policies");
    let put = [&auditor["GoOn"], &resources["AssumeMembers"]];
    let put = put.map(|it| &it["Properties"]["PolicyDocument"]);
    let documents = policies.iter().map(|it| &it["PolicyDocument"]).chain(put);
    let length: usize = documents.map(|it| it.to_string().len()).sum();
    assert!(length <= 10_240, "IAM takes no more for the inline policies of a role: {length}");
    let bus = resources["MembersSendEvents"]["Properties"]["Statement"].to_string().len();
    assert!(bus <= 10_000, "EventBridge takes 10 KB: {bus}");
}

#[test]
fn eventbridge_forwards_for_the_members_account_only() {
    let member = resources(&[(MEMBER, member_parameters())]).remove(0);
    let trust = &member["ForwardRole"]["Properties"]["AssumeRolePolicyDocument"];
    let statements = statements(trust);
    let may = |service: &str, account: Option<&str>| {
        let context: Context<'_> =
            account.into_iter().map(|it| ("aws:SourceAccount", vec![it])).collect();
        decided(&statements, &Caller { arn: service, account: "" }, &context) == Some(true)
    };
    assert!(may("events.amazonaws.com", Some(HOME)));
    assert!(!may("events.amazonaws.com", Some(OTHER)));
    assert!(!may("events.amazonaws.com", None));
    assert!(!may("lambda.amazonaws.com", Some(HOME)));
}
