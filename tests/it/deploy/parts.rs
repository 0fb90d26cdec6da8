//! The parts of stacks/: each alone with the core, nested or beside it, and events of other regions.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::defaults::defaults;
use super::{REVERTS, built};
use crate::support::ministack::{self, succeeded};
use crate::support::permission::tcp;
use crate::support::stack::Stack;
use crate::support::world::{ACCOUNT, Direction::Ingress, FAR, MEMBER, World};

/// The types of a stack's resources, those of nested stacks among them.
fn kinds(stack: &Stack) -> BTreeSet<(String, String)> {
    let all = stack.resources().into_iter();
    all.map(|(name, (kind, _))| (name, kind.replace("AWS::", ""))).collect()
}

/// What the stack has that one with the defaults does not have.
fn added(stack: &Stack) -> Vec<String> {
    let plain = kinds(&defaults());
    kinds(stack).difference(&plain).map(|(name, _)| name.clone()).collect()
}

/// The core with the part that watches it.
pub fn watching() -> Stack {
    static DEPLOYED: OnceLock<()> = OnceLock::new();
    DEPLOYED.get_or_init(|| built().deploy("watching", &[("Watch", "on")]));
    ministack::server().stack("watching")
}

#[test]
fn the_core_alone_has_no_part() {
    let kinds = kinds(&defaults());
    assert!(kinds.len() < 24, "{kinds:#?}");
    assert!(kinds.iter().all(|(_, kind)| kind != "CloudFormation::Stack"), "{kinds:#?}");
}

#[test]
fn watching_adds_its_rules() {
    let rules = [
        "WatchAuditor",
        "WatchEvents",
        "WatchFailures",
        "WatchFindings",
        "WatchMembers",
        "WatchPart",
    ];
    assert_eq!(added(&watching()), rules);
}

#[test]
fn observability_adds_alarms_and_a_dashboard() {
    built().deploy("observed", &[("Observability", "on"), REVERTS[0], REVERTS[1], REVERTS[2]]);
    let stack = ministack::server().stack("observed");
    let expected = [
        "ChangesLost",
        "ChangesUnaudited",
        "Dashboard",
        "EventsLost",
        "EventsWait",
        "FunctionThrottled",
        "ManyReverts",
        "ObservabilityPart",
        "SameRuleAgain",
    ];
    assert_eq!(added(&stack), expected);
    // Whatever mails the alarms of the core mails these.
    for (name, (kind, own)) in stack.resources() {
        let is_alarm = kind == "AWS::CloudWatch::Alarm";
        assert!(!is_alarm || own.starts_with("observed-"), "{name} is called {own}");
    }
}

/// ministack does not know hooks, so nothing asks this one. The function is asked as CloudFormation would.
#[tokio::test]
async fn the_hook_adds_its_role_and_the_function_answers_it() {
    built().deploy("asked-first", &[("Hook", "fail"), REVERTS[2]]);
    let stack = ministack::server().stack("asked-first");
    assert_eq!(added(&stack), ["Hook", "HookPart", "HookRole"]);
    let queue = stack.subscriber("told-by-asked-first").await;
    let answer = stack.report(&crate::hook::request("create-group")).await;
    assert_eq!(answer["errorCode"], "NonCompliant", "{answer:#}");
    let finding = &stack.message(&queue).await.report["findings"][0];
    assert_eq!(finding["remediation"]["outcome"], "prevented", "{finding:#}");
    let answer = stack.report(&crate::hook::request("create-web")).await;
    assert_eq!(answer["hookStatus"], "SUCCESS", "{answer:#}");
}

#[test]
fn observability_can_be_deployed_beside_with_a_limit_of_ones_own() {
    let name = "defaults-observability";
    let own = [("MaxRevertsPerHour", "5"), ("ShowDashboard", "false")];
    built().deploy_beside(&defaults(), "observability", name, &own);
    let (_, alarm) = ministack::server().stack(name).resources().remove("ManyReverts").expect("it");
    let alarm =
        ministack::server().aws(&["cloudwatch", "describe-alarms", "--alarm-names", &alarm]);
    let alarm: Value = serde_json::from_str(&alarm).expect("JSON");
    assert_eq!(alarm["MetricAlarms"][0]["Threshold"], 5.0, "{alarm:#}");
}

#[test]
fn the_organisation_is_deployed_beside_and_may_assume_the_role_of_its_members() {
    let server = ministack::server();
    let members = "typo3-sg-auditor-member";
    built().deploy("with-members", &[("Organisation", members)]);
    let stack = server.stack("with-members");
    let role = stack.outputs["FunctionRole"].rsplit('/').next().expect("a name").to_owned();
    let policies = || server.aws(&["iam", "list-role-policies", "--role-name", &role]);
    assert!(!policies().contains("\"members\""), "{}", policies());
    let set = [("MemberRoleName", members), ("Accounts", MEMBER), ("Regions", FAR)];
    let part = built().without("organisation", "MembersSendEvents");
    built().deploy_transformed(&stack, &part, "with-members-organisation", &set);
    assert!(policies().contains("\"members\""), "{}", policies());
    let part = server.stack("with-members-organisation").resources();
    let names: Vec<&str> = part.keys().map(String::as_str).collect();
    let expected = [
        "AssumeMembers",
        "MembersHoldsCheck",
        "MembersSweep",
        "PlaceNotAudited",
        "Results",
        "ResultsPolicy",
        "StartSweepRole",
        "SweepFailed",
        "SweepMachine",
        "SweepMissed",
        "SweepResults",
        "SweepRole",
    ];
    assert_eq!(names, expected);
    for rule in ["MembersHoldsCheck", "MembersSweep"] {
        assert!(part[rule].1.starts_with(&format!("{}-", stack.outputs["Rules"])), "{part:?}");
    }
}

/// What a rule of stacks/forwarder.yaml in another region of the account puts on the auditor's bus.
#[tokio::test]
async fn a_change_in_another_region_of_the_account_is_closed_there() {
    let stack = super::reverting();
    let site = World::new().await.site(ACCOUNT, FAR).await;
    let group = site.group("typo3-shop").await;
    let event = site.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    assert_eq!((&event["region"], &event["account"]), (&json!(FAR), &json!(ACCOUNT)));
    let matched = stack.matches(&[("far".to_owned(), event.clone())].into());
    assert_eq!(matched["Changes"], ["far"]);
    let report = stack.report(&event).await;
    assert_eq!(report["findings"][0]["region"], FAR, "{report:#}");
    assert_ne!(report["findings"][0]["remediation"]["outcome"], "none", "{report:#}");
    let left = site.ingress(&group).await;
    assert!(
        left.len() == 1 && left[0].starts_with("ingress tcp 22-22 203.0.113.0/24 "),
        "{left:?}"
    );
}

/// An alarm's message would have no attributes, and the mail subscription would not take it.
#[tokio::test]
async fn an_alarm_that_goes_off_or_ends_is_published() {
    let stack = defaults();
    let queue = stack.subscriber("told-of-alarms").await;
    let alarm = stack.resources().remove("FunctionFails").expect("the alarm").1;
    let event = |name: &str, before: &str, now: &str| {
        json!({
            "version": "0", "id": "2a7d9e40-b6c3-4e18-8f5a-d90c1e7b3f68", "source": "aws.cloudwatch",
            "detail-type": "CloudWatch Alarm State Change", "account": ACCOUNT,
            "region": ministack::REGION, "time": "2026-03-12T09:02:44Z",
            "resources": [format!("arn:aws:cloudwatch:{}:{ACCOUNT}:alarm:{name}", ministack::REGION)],
            "detail": {
                "alarmName": name,
                "configuration": {"description": "The function fails again and again.", "metrics": []},
                "previousState": {"value": before, "reason": "", "timestamp": ""},
                "state": {"value": now, "reason": "Threshold Crossed: 3 datapoints", "timestamp": ""},
            },
        })
    };
    let events = [
        ("goes off", event(&alarm, "OK", "ALARM")),
        ("ends", event(&alarm, "ALARM", "OK")),
        ("has data now", event(&alarm, "INSUFFICIENT_DATA", "OK")),
        ("has no data", event(&alarm, "OK", "INSUFFICIENT_DATA")),
        ("of somebody else", event("somebody-elses", "OK", "ALARM")),
    ];
    let named = events.clone().map(|(name, event)| (name.to_owned(), event));
    assert_eq!(stack.matches(&named.into())["AlarmChanges"], ["ends", "goes off"]);

    let machine = stack.resources().remove("PublishAlarm").expect("the state machine").1;
    let input = events[0].1.to_string();
    let mut aws = ministack::server().command("aws");
    aws.args([
        "stepfunctions",
        "start-execution",
        "--state-machine-arn",
        &machine,
        "--input",
        &input,
    ]);
    succeeded(&mut aws);
    let body: Value = serde_json::from_str(&stack.received(&queue).await).expect("JSON");
    assert_eq!(body["Subject"], "ALARM: the security-group auditor", "{body:#}");
    let text = body["Message"].as_str().expect("a text");
    for part in [alarm.as_str(), "The function fails again and again.", "Threshold Crossed"] {
        assert!(text.contains(part), "{text}");
    }
}
