//! What the rules of a deployed stack take for the stack's own business, as `TestEventPattern` has it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::all_set;
use super::defaults::defaults;
use super::parts::watching;
use super::these;
use crate::support::ministack::REGION;
use crate::support::stack::Stack;
use crate::support::world::ACCOUNT;
use crate::watched::{Place, SERVICES, assert_told_once, deployed, of_somebody_else};

const HERE: Place<'_> = Place { account: ACCOUNT, region: REGION };

/// The watched stack with the fewest rules, and the one with the most.
fn stacks() -> [Stack; 2] {
    [watching(), all_set::all_set().0]
}

#[test]
fn a_call_that_would_blind_or_silence_the_stack_is_reported_once_by_another_rule() {
    for stack in stacks() {
        let has = deployed(&stack);
        let mut events = HERE.calls(&has, &SERVICES);
        let rules = has.values().filter(|it| it.kind == "AWS::Events::Rule").count();
        assert!(rules >= 8 && events.len() > 100, "{rules} rules: {:?}", events.keys());
        events.append(&mut HERE.calls_about_trails());
        assert_told_once(&events, &stack.matches(&events));
    }
}

#[test]
fn calls_that_only_read_or_are_about_other_resources_match_no_rule() {
    for stack in stacks() {
        let has = deployed(&stack);
        let mut events = HERE.calls(&of_somebody_else(&has), &SERVICES);
        for (service, call, member, name) in [
            ("events", "DescribeRule", "name", "Changes"),
            ("events", "ListTargetsByRule", "rule", "Changes"),
            ("lambda", "GetFunctionConfiguration20150331v2", "functionName", "Auditor"),
            ("sns", "GetTopicAttributes", "topicArn", "Findings"),
            ("sqs", "GetQueueAttributes", "queueUrl", "Failures"),
        ] {
            let event = HERE.event(service, call, json!({ member: has[name].name }), Value::Null);
            events.insert(format!("{call} {name}"), event);
        }
        for (rule, matched) in stack.matches(&events) {
            assert_eq!(matched, [""; 0], "{rule}");
        }
    }
}

/// CloudFormation's event about a stack, as EventBridge has it.
fn of_stack(id: &str, status: &str) -> Value {
    json!({
        "version": "0", "id": "1a2b3c4d-0000-4000-8000-1a2b3c4d5e6f", "source": "aws.cloudformation",
        "detail-type": "CloudFormation Stack Status Change",
        "account": ACCOUNT, "region": REGION, "time": "2026-03-12T09:02:44Z", "resources": [id],
        "detail": {
            "stack-id": id, "status-details": {"status": status, "status-reason": ""},
            "client-request-token": "",
        },
    })
}

#[test]
fn a_deployment_of_the_stack_and_of_no_other_is_followed_by_a_sweep() {
    for stack in [defaults(), all_set::all_set().0] {
        let own = stack.id();
        let other = own.replace("stack/", "stack/other-");
        let mut events = BTreeMap::new();
        for (id, whose) in [(&own, "own"), (&other, "other")] {
            for status in [
                "CREATE_COMPLETE",
                "UPDATE_COMPLETE",
                "UPDATE_IN_PROGRESS",
                "UPDATE_ROLLBACK_COMPLETE",
                "DELETE_COMPLETE",
            ] {
                events.insert(format!("{whose} {status}"), of_stack(id, status));
            }
        }
        let mut matched = stack.matches(&events);
        matched.retain(|_, names| !names.is_empty());
        let expected = ["own CREATE_COMPLETE", "own UPDATE_COMPLETE"];
        assert_eq!(matched, these(&[("Sweep", &expected)]));
    }
}
