//! What an upgrade keeps: CloudFormation replaces or deletes what has another name in the new template.

use serde_json::json;

use crate::support::resolved::{AUDITOR, resources};

/// What the template before the parts had and people or other stacks hold on to, by its name and type.
const KEPT: [(&str, &str); 11] = [
    ("Auditor", "AWS::Serverless::Function"),
    ("Changes", "AWS::Events::Rule"),
    ("EventsParked", "AWS::CloudWatch::Alarm"),
    ("Failures", "AWS::SQS::Queue"),
    ("FailuresAgain", "AWS::Lambda::EventSourceMapping"),
    ("Findings", "AWS::SNS::Topic"),
    ("Log", "AWS::Logs::LogGroup"),
    ("Mail", "AWS::SNS::Subscription"),
    ("Parked", "AWS::SQS::Queue"),
    ("Role", "AWS::IAM::Role"),
    ("Sweep", "AWS::Events::Rule"),
];

#[test]
fn what_holds_events_and_records_keeps_its_name() {
    let stack = resources(&[(AUDITOR, json!({}))]).remove(0);
    for (name, kind) in KEPT {
        assert_eq!(stack[name]["Type"], kind, "{name}");
    }
    // A name of its own would make CloudFormation replace them.
    for (name, member) in [
        ("Failures", "QueueName"),
        ("Parked", "QueueName"),
        ("Log", "LogGroupName"),
        ("Findings", "TopicName"),
        ("Role", "RoleName"),
        ("Auditor", "FunctionName"),
    ] {
        assert!(stack[name]["Properties"].get(member).is_none(), "{name}");
    }
}
