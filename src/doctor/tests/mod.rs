//! The whole diagnosis of a small stack, whose parts answer as AWS does. tests/it/doctor looks at a real one in an
//! emulator; what emulators do not have is here: muted alarms, mails that nobody confirmed, trails of an organisation.

mod fake;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::*;
use fake::{Fake, NOW, TOPIC, healthy};

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

/// The small stack is compared with its own template, in the place of the shipped one.
fn looked(fake: &Fake) -> Result<Diagnosis, NotLooked> {
    look(fake, "auditor", Some("eu-central-1"), now(), &fake::template().to_string())
}

fn diagnosis(fake: &Fake) -> Diagnosis {
    looked(fake).unwrap()
}

/// The checks that are not ok, each as `STATE TOPIC OF FACT`.
fn wrong(diagnosis: &Diagnosis) -> Vec<String> {
    let json: Value = serde_json::from_str(&to_json(diagnosis).unwrap()).unwrap();
    let checks = json["checks"].as_array().unwrap().iter().filter(|it| it["state"] != "ok");
    let word = |it: &Value| it.as_str().unwrap_or("-").to_owned();
    checks.map(|it| ["state", "check", "of", "fact"].map(|key| word(&it[key])).join(" ")).collect()
}

fn mends(diagnosis: &Diagnosis) -> String {
    let mends = diagnosis.checks.iter().filter(|it| it.state != State::Ok);
    mends.filter_map(|it| Some(it.mend.as_ref()?.to_string())).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_healthy_stack_is_all_ok() {
    let diagnosis = diagnosis(&healthy());
    assert_eq!(wrong(&diagnosis), [""; 0], "{}", to_text(&diagnosis, false));
    assert_eq!(diagnosis.exit_status(), 0);
    insta::assert_snapshot!(to_text(&diagnosis, false));
}

/// What some calls answer, what the doctor says, and a part of the command that mends it.
type Case<'a> = (Vec<(&'a str, Value)>, &'a [&'a str], &'a str);

#[test]
fn what_emulators_do_not_have_is_named_alone_with_its_command() {
    let mute = json!({"AlarmMuteRuleSummaries": [
        {"AlarmMuteRuleArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm-mute-rule:night/weekend", "Status": "ACTIVE"},
        {"AlarmMuteRuleArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm-mute-rule:old", "Status": "EXPIRED"}]});
    let muted =
        |name: &str| json!({"Name": "night/weekend", "MuteTargets": {"AlarmNames": [name]}});
    let pending = |arn: &str| {
        json!({"Subscriptions": [{"SubscriptionArn": arn, "Protocol": "email",
            "Endpoint": "you@example.com", "TopicArn": TOPIC}]})
    };
    let state = |changed: Value| {
        let mut is = fake::configuration();
        is.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        is
    };
    let cases: Vec<Case<'_>> = vec![
        (
            vec![
                ("cloudwatch list-alarm-mute-rules", mute.clone()),
                ("cloudwatch get-alarm-mute-rule", muted("auditor-Fails-1A")),
            ],
            &["fault alarm Fails alarm-muted"],
            "cloudwatch delete-alarm-mute-rule --alarm-mute-rule-name night/weekend",
        ),
        (
            vec![
                ("cloudwatch list-alarm-mute-rules", mute.clone()),
                ("cloudwatch get-alarm-mute-rule", muted("another")),
            ],
            &[],
            "",
        ),
        (
            vec![("sns list-subscriptions-by-topic", pending("PendingConfirmation"))],
            &["fault subscription Mail unconfirmed"],
            "aws sns subscribe --topic-arn arn:aws:sns:eu-central-1:123456789012:auditor-Findings-1A --protocol email \
             --notification-endpoint you@example.com",
        ),
        (
            vec![("sns list-subscriptions-by-topic", pending("Deleted"))],
            &["fault subscription Mail subscription-gone"],
            "aws sns subscribe",
        ),
        (
            vec![(
                "lambda get-function-configuration",
                state(json!({"State": "Failed", "StateReason": "the role is gone"})),
            )],
            &["fault function Auditor function-state"],
            "--deployment-mode REVERT_DRIFT",
        ),
        (
            vec![(
                "lambda get-function-configuration",
                state(
                    json!({"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no such layer"}),
                ),
            )],
            &["fault function Auditor function-update"],
            "--deployment-mode REVERT_DRIFT",
        ),
        (
            vec![(
                "lambda get-function-configuration",
                state(json!({"Architectures": ["x86_64"]})),
            )],
            &["fault function Auditor function-differs"],
            "--deployment-mode REVERT_DRIFT",
        ),
        (
            vec![(
                "cloudwatch get-metric-data",
                json!({"MetricDataResults": [
                    {"Id": "errors", "Timestamps": ["2026-03-12T09:00:00Z", "2026-03-09T09:00:00Z"], "Values": [3.0, 7.0]},
                    {"Id": "rule0", "Timestamps": ["2026-03-12T09:00:00Z"], "Values": [1.0]}]}),
            )],
            &["warning errors Auditor errors"],
            "aws logs filter-log-events --log-group-name auditor-Log-1A",
        ),
        (
            vec![("logs filter-log-events", json!({"events": []}))],
            &["fault sweep Auditor sweep-late"],
            "| aws lambda invoke --function-name auditor-Auditor-1A",
        ),
        (
            vec![("events describe-event-bus", json!({"Policy": "{\"Statement\":[]}"}))],
            &["fault bus Members bus-does-not-admit"],
            "aws events put-permission --event-bus-name default --policy",
        ),
        (
            vec![("sns list-subscriptions-by-topic", json!({"Subscriptions": []}))],
            &["fault subscription Mail subscription-gone"],
            "aws sns subscribe",
        ),
        (
            vec![(
                "cloudtrail describe-trails",
                json!({"trailList": [{"Name": "of-all", "HomeRegion": "us-east-1",
                "IsMultiRegionTrail": true, "IsOrganizationTrail": true,
                "TrailARN": "arn:aws:cloudtrail:us-east-1:210987654321:trail/of-all"}]}),
            )],
            &[],
            "",
        ),
        (
            vec![(
                "cloudtrail describe-trails",
                json!({"trailList": [{"Name": "elsewhere", "HomeRegion": "us-east-1",
                "IsMultiRegionTrail": false, "TrailARN": "arn:aws:cloudtrail:us-east-1:123456789012:trail/elsewhere"}]}),
            )],
            &["fault trail - trail-none"],
            "aws cloudtrail create-trail --name sg-audit",
        ),
        (
            vec![(
                "cloudtrail get-trail-status",
                json!({"IsLogging": true, "LatestDeliveryError": "NoSuchBucket"}),
            )],
            &["warning trail - trail-delivery"],
            "",
        ),
        (
            vec![(
                "lambda get-event-source-mapping",
                json!({"UUID": "u-1", "State": "Enabled",
                "LastProcessingResult": "PROBLEM: Function call failed"}),
            )],
            &["warning mapping Again mapping-problem"],
            "filter-log-events",
        ),
        (
            vec![("kms describe-key", json!({"KeyMetadata": {"KeyState": "Unavailable"}}))],
            &["fault key Key key-state"],
            "aws kms enable-key",
        ),
        (
            vec![
                ("sts get-caller-identity", Value::Null),
                (
                    "organizations describe-organization",
                    json!({"Organization": {"Id": "o-another0000"}}),
                ),
            ],
            &["fault organization o-a1b2c3d4e5 organization-other"],
            "OrganizationId=o-another0000",
        ),
        (
            vec![(
                "iam get-role",
                json!({"Role": {"AssumeRolePolicyDocument": fake::trust(),
                "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/limit"}}}),
            )],
            &["warning role Role role-boundary"],
            "aws iam delete-role-permissions-boundary --role-name auditor-Role-1A",
        ),
    ];
    for (changed, said, mend) in cases {
        let mut fake = healthy();
        for (call, answer) in &changed {
            fake.answer(call, answer.clone());
        }
        let diagnosis = diagnosis(&fake);
        assert_eq!(wrong(&diagnosis), said, "{changed:?}\n{}", to_text(&diagnosis, false));
        assert!(mends(&diagnosis).contains(mend), "{mend}\n{}", to_text(&diagnosis, false));
        let is_wrong = said.iter().any(|it| it.starts_with("fault"));
        assert_eq!(diagnosis.exit_status(), u8::from(is_wrong), "{changed:?}");
    }
}

#[test]
fn settings_that_the_function_refuses_are_a_fault_even_if_the_stack_says_so() {
    let mut template = fake::template();
    template["Resources"]["Auditor"]["Properties"]["Environment"]["Variables"]["SCOPE"] =
        "tag:".into();
    let mut configuration = fake::configuration();
    configuration["Environment"]["Variables"]["SCOPE"] = "tag:".into();
    let mut fake = healthy();
    fake.answer("cloudformation get-template", json!({"TemplateBody": template}));
    fake.answer("lambda get-function-configuration", configuration);
    let diagnosis = diagnosis(&fake);
    assert_eq!(wrong(&diagnosis), ["fault settings Auditor settings-invalid"]);
    assert!(to_text(&diagnosis, false).contains("the function does not start with them: SCOPE"));
}

#[test]
fn nobody_is_told_anything_if_nobody_is_subscribed() {
    let mut template = fake::template();
    template["Conditions"]["Mails"] = json!({"Fn::Equals": [1, 2]});
    let mut fake = healthy();
    fake.answer("cloudformation get-template", json!({"TemplateBody": template}));
    fake.answer("sns list-subscriptions-by-topic", json!({"Subscriptions": []}));
    let diagnosis = diagnosis(&fake);
    assert_eq!(wrong(&diagnosis), ["warning subscription Findings nobody-subscribed"]);
    assert_eq!(diagnosis.exit_status(), 0);
}

#[test]
fn a_right_that_is_missing_is_named_and_nothing_is_called_wrong() {
    let fake = healthy();
    diagnosis(&fake);
    let needed = fake.rights();
    assert!(needed.len() > 25, "{needed:?}");
    for right in needed {
        // Without these there is nothing to look at.
        let first = ["cloudformation:DescribeStacks", "cloudformation:ListStackResources"];
        let mut fake = healthy();
        fake.refuse(&right);
        match looked(&fake) {
            Err(NotLooked::Unreadable { source: AwsError::Refused { right: missing }, .. }) => {
                assert!(first.contains(&right.as_str()), "{right}");
                assert_eq!(missing, right);
            }
            Err(error) => panic!("{right}: {error}"),
            // It only tells whom to give a right.
            Ok(diagnosis) if right == "sts:GetCallerIdentity" => {
                assert_eq!(diagnosis.exit_status(), 0)
            }
            Ok(diagnosis) => {
                let text = to_text(&diagnosis, false);
                let unseen: Vec<&State> = diagnosis
                    .checks
                    .iter()
                    .map(|it| &it.state)
                    .filter(|it| **it != State::Ok)
                    .collect();
                assert!(!unseen.is_empty(), "{right}\n{text}");
                for state in unseen {
                    let State::CannotTell(Unknown::Right(missing)) = state else {
                        panic!("{right}\n{text}")
                    };
                    assert!(missing.starts_with(&right), "{right}\n{text}");
                }
                assert_eq!(diagnosis.exit_status(), 2, "{right}\n{text}");
                assert!(text.contains(&format!("you lack the right {right}")), "{text}");
            }
        }
    }
}

#[test]
fn the_documented_rights_are_those_that_the_calls_need() {
    let page = include_str!("../../../docs/doctor.md");
    let (_, rest) = page.split_once("```json\n").unwrap();
    let (policy, _) = rest.split_once("```").unwrap();
    let policy: Value = serde_json::from_str(policy).unwrap();
    let statement = &policy["Statement"][0];
    let documented = statement["Action"].as_array().unwrap().iter();
    let documented: BTreeSet<String> =
        documented.map(|it| it.as_str().unwrap().to_owned()).collect();
    let fake = healthy();
    diagnosis(&fake);
    let mut needed = fake.rights();
    // Everybody may ask who they are. The other is for a mapping that was made again, and for a rule that mutes.
    needed.remove("sts:GetCallerIdentity");
    needed.remove("sts:AssumeRole");
    needed.extend(
        ["lambda:ListEventSourceMappings", "cloudwatch:GetAlarmMuteRule"].map(str::to_owned),
    );
    assert_eq!(documented, needed);
}

#[test]
fn a_right_is_given_to_the_user_or_the_role_that_lacks_it() {
    for (arn, given) in [
        ("arn:aws:iam::123456789012:user/people/admin", Some("put-user-policy --user-name admin")),
        (
            "arn:aws:sts::123456789012:assumed-role/ops/session",
            Some("put-role-policy --role-name ops"),
        ),
        // Nobody may change these.
        ("arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_ops_0123/me", None),
        ("arn:aws:iam::123456789012:root", None),
    ] {
        let mut fake = healthy();
        fake.answer("sts get-caller-identity", json!({"Arn": arn}));
        fake.refuse("kms:DescribeKey");
        let diagnosis = diagnosis(&fake);
        let mends = mends(&diagnosis);
        match given {
            Some(given) => {
                assert!(mends.contains(given), "{mends}");
                assert!(mends.contains(r#""Action":"kms:DescribeKey""#), "{mends}");
            }
            None => assert_eq!(mends, "", "{arn}"),
        }
    }
}

#[test]
fn a_call_that_fails_for_now_is_no_fault_of_the_stack() {
    for said in [
        "An error occurred (ThrottlingException) when calling the DescribeRule operation (reached max retries: 4): Rate exceeded",
        "Could not connect to the endpoint URL: \"https://events.eu-central-1.amazonaws.com/\"",
    ] {
        let mut fake = healthy();
        fake.fail("events describe-rule auditor-Changes-1A", said);
        let diagnosis = diagnosis(&fake);
        assert_eq!(wrong(&diagnosis), ["cannot-tell rule Changes not-seen"]);
        assert!(to_text(&diagnosis, false).contains("so try again"));
        assert_eq!(diagnosis.exit_status(), 2);
    }
}

#[test]
fn an_aws_cli_that_is_too_old_is_named() {
    let mut fake = healthy();
    let said = "usage: aws [options]\naws: error: argument operation: Invalid choice, valid choices are:\n\nput-metric-alarm";
    fake.fail("cloudwatch list-alarm-mute-rules", said);
    let text = to_text(&diagnosis(&fake), false);
    assert!(
        text.contains(
            "your AWS CLI does not know `aws cloudwatch list-alarm-mute-rules`: update it"
        ),
        "{text}"
    );
}

#[test]
fn without_a_stack_or_credentials_there_is_nothing_to_look_at() {
    for (said, message) in [
        (
            "An error occurred (ValidationError) when calling the DescribeStacks operation: Stack with id auditor does not exist",
            "there is no stack auditor in eu-central-1",
        ),
        (
            "Unable to locate credentials. You can configure credentials by running \"aws configure\".",
            "log in with",
        ),
        (
            "An error occurred (ExpiredToken) when calling the DescribeStacks operation: The security token included in the request is expired",
            "log in with",
        ),
        (
            "You must specify a region. You can also configure your region by running \"aws configure\".",
            "add --region",
        ),
    ] {
        let mut fake = healthy();
        fake.fail("cloudformation describe-stacks", said);
        let error = looked(&fake).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_template_of_another_version_is_a_warning_that_names_its_rules() {
    // The small stack of these tests is not the shipped one.
    let diagnosis = examine(&healthy(), "auditor", Some("eu-central-1"), now()).unwrap();
    assert_eq!(wrong(&diagnosis), ["warning template - template-differs"]);
    let mend = "sg-audit unpack auditor && cd auditor && sam deploy --stack-name auditor --region eu-central-1";
    assert_eq!(mends(&diagnosis), mend);
}

#[test]
fn text_of_others_cannot_act_in_a_terminal_or_a_shell() {
    let mut fake = healthy();
    let name = "x'; rm -rf /; '\u{1b}[31m\u{202e}";
    fake.answer(
        "sns list-subscriptions-by-topic",
        json!({"Subscriptions": [
            {"SubscriptionArn": "arn:aws:sns:eu-central-1:123456789012:auditor-Findings-1A:s", "Protocol": "email", "Endpoint": "you@example.com"},
            {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": name}]}),
    );
    let diagnosis = diagnosis(&fake);
    let text = to_text(&diagnosis, false);
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    assert!(mends(&diagnosis).contains(r"'x'\''; rm -rf /; '\''"), "{text}");
}

const MACHINE: &str = "sg-auditor-0a1b2c3d-sweep";
const NO_MACHINE: &str = "An error occurred (StateMachineDoesNotExist) when calling the \
                          DescribeStateMachine operation: State Machine Does Not Exist";
const NO_RULE: &str = "An error occurred (ResourceNotFoundException) when calling the operation \
                       operation: Rule does not exist";

#[test]
fn the_sweep_of_an_organisation_is_looked_at_and_each_fault_has_its_command() {
    let run = |status: &str, began: &str| {
        json!({"executions": [{"name": "daily", "status": status, "startDate": began,
            "executionArn": format!("arn:aws:states:eu-central-1:123456789012:execution:{MACHINE}:daily")}]})
    };
    let lists = "stepfunctions list-executions";
    let rule = "events describe-rule sg-auditor-0a1b2c3d-MemberSweep";
    let disabled = json!({"State": "DISABLED", "ScheduleExpression": "rate(1 day)"});
    let start = "aws stepfunctions start-execution --state-machine-arn \
                 arn:aws:states:eu-central-1:123456789012:stateMachine:sg-auditor-0a1b2c3d-sweep --input '{}'";
    let cases: [(&str, Value, &str, &str); 8] = [
        (lists, run("RUNNING", "2026-03-12T11:59:00Z"), "", ""),
        // As version 1 of the AWS CLI writes it.
        (
            lists,
            json!({"executions": [{"status": "SUCCEEDED", "startDate": 1_773_293_400.25}]}),
            "",
            "",
        ),
        (lists, json!({"executions": []}), "warning machine MACHINE run-none", start),
        (lists, run("SUCCEEDED", "2026-03-10T05:30:00Z"), "fault machine MACHINE run-late", start),
        (
            lists,
            run("FAILED", "2026-03-12T05:30:00Z"),
            "fault machine MACHINE run-failed",
            "aws stepfunctions describe-execution --execution-arn",
        ),
        (
            lists,
            run("TIMED_OUT", "2026-03-12T05:30:00Z"),
            "fault machine MACHINE run-failed",
            "aws stepfunctions describe-execution --execution-arn",
        ),
        (
            rule,
            disabled,
            "fault machine sg-auditor-0a1b2c3d-MemberSweep machine-unscheduled",
            "aws events enable-rule --name sg-auditor-0a1b2c3d-MemberSweep",
        ),
        (
            "stepfunctions describe-state-machine",
            json!({"status": "DELETING"}),
            "fault machine MACHINE machine-state",
            "aws cloudformation describe-stack-resources --physical-resource-id",
        ),
    ];
    for (call, answer, said, mend) in cases {
        let mut fake = healthy();
        fake.answer(call, answer.clone());
        let diagnosis = diagnosis(&fake);
        let said: Vec<String> =
            [said.replace("MACHINE", MACHINE)].into_iter().filter(|it| !it.is_empty()).collect();
        assert_eq!(wrong(&diagnosis), said, "{answer}\n{}", to_text(&diagnosis, false));
        assert!(mends(&diagnosis).contains(mend), "{mend}\n{}", mends(&diagnosis));
    }
}

#[test]
fn without_the_organisations_stack_nothing_is_said_of_it_and_a_deleted_machine_is_a_fault() {
    let targets = "events list-targets-by-rule sg-auditor-0a1b2c3d-MemberSweep";
    let mut fake = healthy();
    fake.fail("stepfunctions describe-state-machine", NO_MACHINE);
    fake.fail(targets, NO_RULE);
    assert_eq!(wrong(&diagnosis(&fake)), [""; 0]);
    assert!(!to_text(&diagnosis(&fake), false).contains("organisation"));
    // Other regions of one account are swept by the function.
    fake.answer(
        targets,
        json!({"Targets": [{"Arn": "arn:aws:lambda:eu-central-1:123456789012:function:auditor"}]}),
    );
    assert_eq!(wrong(&diagnosis(&fake)), [""; 0]);
    let machine = format!("arn:aws:states:eu-central-1:123456789012:stateMachine:{MACHINE}");
    fake.answer(targets, json!({"Targets": [{"Arn": machine}]}));
    let gone = format!("fault machine {MACHINE} machine-gone");
    assert_eq!(wrong(&diagnosis(&fake)), [gone]);
    let mut fake = healthy();
    fake.fail("events describe-rule sg-auditor-0a1b2c3d-MemberSweep", NO_RULE);
    let unscheduled = "fault machine sg-auditor-0a1b2c3d-MemberSweep machine-unscheduled";
    assert_eq!(wrong(&diagnosis(&fake)), [unscheduled]);
}
