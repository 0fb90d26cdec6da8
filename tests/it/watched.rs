//! The calls that would blind the auditor or silence it, as docs/findings.md lists them, each about a resource of a stack.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::page::table;
use crate::support::sg_audit::repository;
use crate::support::stack::Stack;

/// The rows of the table about what a stack has: the service, and the type of the resource.
const ROWS: [(&str, &str, &str); 9] = [
    ("a rule of the stack", "events", "AWS::Events::Rule"),
    ("the function", "lambda", "AWS::Lambda::Function"),
    ("the topic and its subscriptions", "sns", "AWS::SNS::Topic"),
    ("the failure queue and the parked queue", "sqs", "AWS::SQS::Queue"),
    ("the keys of the topic and of the queues, with Encryption", "kms", "AWS::KMS::Key"),
    ("the roles of the function and of PublishAlarm, in us-east-1 only", "iam", "AWS::IAM::Role"),
    ("the function's log", "logs", "AWS::Logs::LogGroup"),
    ("the stack's alarms", "monitoring", "AWS::CloudWatch::Alarm"),
    ("PublishAlarm, which mails the alarms", "states", "AWS::StepFunctions::StateMachine"),
];
/// The services of these.
pub const SERVICES: [&str; 9] =
    ["events", "lambda", "sns", "sqs", "kms", "iam", "logs", "monitoring", "states"];
/// The row about what is no stack's.
const TRAIL: &str = "any trail of the account in this region";
/// Those that say the same of another account.
const MEMBERS: [&str; 2] = [
    "where stacks/forwarder.yaml is: any trail, and its rules",
    "where stacks/forwarder.yaml is in us-east-1 too: the role that the auditor assumes and those that forward events",
];

/// Something that a stack has: its type, and what `Ref` gives.
#[derive(Debug, Clone)]
pub struct Owned {
    pub kind: String,
    pub name: String,
}

/// What a stack has, by the names in the template.
pub type Stacks = BTreeMap<String, Owned>;

/// What a deployed stack has.
pub fn deployed(stack: &Stack) -> Stacks {
    let owned = |(kind, name)| Owned { kind, name };
    stack.resources().into_iter().map(|(name, resource)| (name, owned(resource))).collect()
}

/// Where the calls are made.
pub struct Place<'a> {
    pub account: &'a str,
    pub region: &'a str,
}

/// The calls of each row of the table.
fn listed() -> BTreeMap<String, Vec<String>> {
    let page = fs::read_to_string(repository().join("docs/findings.md")).expect("the page");
    let rows = table(&page, "## `auditor-changed`").into_iter().map(|row| {
        let [what, calls] = <[String; 2]>::try_from(row).expect("two cells");
        let words = calls.split(|c: char| !c.is_alphanumeric());
        let calls = words.filter(|word| word.starts_with(char::is_uppercase));
        (what, calls.map(str::to_owned).collect())
    });
    let listed: BTreeMap<String, Vec<String>> = rows.collect();
    let known: BTreeSet<&str> =
        ROWS.iter().map(|(row, ..)| *row).chain([TRAIL]).chain(MEMBERS).collect();
    assert_eq!(listed.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);
    listed
}

impl Place<'_> {
    /// Every call of the table about what the stack has of these services, by the call and the name in the template.
    pub fn calls(&self, has: &Stacks, services: &[&str]) -> BTreeMap<String, Value> {
        let listed = listed();
        let mut events = BTreeMap::new();
        for (row, service, kind) in ROWS.iter().filter(|(_, service, _)| services.contains(service))
        {
            for (name, owned) in has.iter().filter(|(_, owned)| owned.kind == *kind) {
                for call in &listed[*row] {
                    for (number, (call, asked, answered)) in
                        self.forms(service, call, &owned.name).into_iter().enumerate()
                    {
                        let event = self.event(service, &call, asked, answered);
                        events.insert(format!("{call} {number} {name}"), event);
                    }
                }
            }
        }
        events
    }

    /// Every call of the table about a trail.
    pub fn calls_about_trails(&self) -> BTreeMap<String, Value> {
        let calls = listed().remove(TRAIL).expect("the row");
        let event = |call: &String| {
            self.event("cloudtrail", call, json!({"name": "management-events"}), Value::Null)
        };
        calls.iter().map(|call| (format!("{call} trail"), event(call))).collect()
    }

    /// The ways to name it in a call: the call, as CloudTrail has it, what was asked for, and what was answered.
    fn forms(&self, service: &str, call: &str, name: &str) -> Vec<(String, Value, Value)> {
        let Place { account, region } = self;
        let asked = |member: &str, names: &[Value]| -> Vec<(String, Value, Value)> {
            let one = |name: &Value| (call.to_owned(), json!({ member: name }), Value::Null);
            names.iter().map(one).collect()
        };
        let function = format!("arn:aws:lambda:{region}:{account}:function:{name}");
        match (service, call) {
            ("events", "RemoveTargets" | "PutTargets") => asked("rule", &[name.into()]),
            ("events", _) => asked("name", &[name.into()]),
            ("lambda", "UpdateEventSourceMapping" | "DeleteEventSourceMapping") => {
                let request = json!({"uUID": "0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f"});
                vec![(format!("{call}20150331"), request, json!({"functionArn": function}))]
            }
            ("lambda", "PutResourcePolicy" | "DeleteResourcePolicy") => {
                let names = [("", &function), ("20150331", &format!("{function}:3"))];
                let one = |version: &str, arn: &String| {
                    (format!("{call}{version}"), json!({"resourceArn": arn}), Value::Null)
                };
                names.map(|(version, arn)| one(version, arn)).into()
            }
            ("lambda", _) => {
                // The version of Lambda's API may follow the call, and one of the function its ARN.
                let names =
                    [("", name), ("20150331v2", &function), ("20171031", &format!("{function}:3"))];
                let one = |(version, name): (&str, &str)| {
                    (format!("{call}{version}"), json!({"functionName": name}), Value::Null)
                };
                names.map(one).into()
            }
            ("sns", "Unsubscribe" | "SetSubscriptionAttributes") => {
                let subscription = format!("{name}:0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f");
                asked("subscriptionArn", &[subscription.into()])
            }
            ("sns", "PutDataProtectionPolicy") => asked("resourceArn", &[name.into()]),
            ("sns", _) => asked("topicArn", &[name.into()]),
            ("sqs", _) => {
                let queue = name.rsplit('/').next().unwrap_or_default();
                let older = format!("https://{region}.queue.amazonaws.com/{account}/{queue}");
                asked("queueUrl", &[name.into(), older.into()])
            }
            ("kms", _) => {
                let arn = format!("arn:aws:kms:{region}:{account}:key/{name}");
                asked("keyId", &[name.into(), arn.into()])
            }
            ("iam", _) => asked("roleName", &[name.into()]),
            ("states", _) => asked("stateMachineArn", &[name.into()]),
            ("logs", _) => asked("logGroupName", &[name.into()]),
            ("monitoring", "DeleteAlarms" | "DisableAlarmActions") => {
                asked("alarmNames", &[json!([name]), json!(["somebody-elses", name])])
            }
            ("monitoring", "PutAlarmMuteRule") => {
                let muted = |names: Value| {
                    let request = json!({"name": "at-night", "muteTargets": {"alarmNames": names}});
                    (call.to_owned(), request, Value::Null)
                };
                vec![muted(json!([name])), muted(json!(["somebody-elses", name]))]
            }
            ("monitoring", _) => asked("alarmName", &[name.into()]),
            _ => panic!("{service} is no service of the table"),
        }
    }

    /// The event of a call, whatever it is.
    pub fn event(&self, service: &str, call: &str, asked: Value, answered: Value) -> Value {
        let Place { account, region } = self;
        json!({
            "version": "0", "id": "2a7d9e40-b6c3-4e18-8f5a-d90c1e7b3f68",
            "source": format!("aws.{service}"), "detail-type": "AWS API Call via CloudTrail",
            "account": account, "region": region, "time": "2026-03-12T09:02:44Z", "resources": [],
            "detail": {
                "eventSource": format!("{service}.amazonaws.com"), "eventName": call,
                "recipientAccountId": account, "awsRegion": region,
                "requestParameters": asked, "responseElements": answered,
            },
        })
    }
}

/// The same things, and somebody else's.
pub fn of_somebody_else(has: &Stacks) -> Stacks {
    let other = |owned: &Owned| {
        let end = owned.name.rfind([':', '/']).map_or(0, |at| at + 1);
        let name = format!("{}somebody-elses", &owned.name[..end]);
        Owned { name, ..owned.clone() }
    };
    has.iter().map(|(name, owned)| (name.clone(), other(owned))).collect()
}

/// Asserts that one rule matches each of these events, and not the rule that the event is about: that one may not be
/// there any more.
pub fn assert_told_once(events: &BTreeMap<String, Value>, matches: &BTreeMap<String, Vec<String>>) {
    assert!(!events.is_empty());
    for event in events.keys() {
        let by: Vec<&str> = matches
            .iter()
            .filter(|(_, matched)| matched.contains(event))
            .map(|(rule, _)| rule.as_str())
            .collect();
        let [rule] = by[..] else { panic!("{event} is matched by {by:?}") };
        assert!(!event.ends_with(&format!(" {rule}")), "{rule} cannot tell of itself");
    }
}
