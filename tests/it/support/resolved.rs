//! What the templates deploy, as plain values.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::sg_audit::repository;
use super::venv;

pub const AUDITOR: &str = "template.yaml";
pub const MEMBER: &str = "stacks/forwarder.yaml";
pub const ORGANISATION: &str = "stacks/organisation.yaml";
/// Every template. The three that are nested in the auditor's are among its resources too.
pub const TEMPLATES: [&str; 6] = [
    AUDITOR,
    MEMBER,
    ORGANISATION,
    "stacks/hook.yaml",
    "stacks/observability.yaml",
    "stacks/watch.yaml",
];

/// The resources that there are, by their names: `Type`, `Ref` and `Properties`.
pub type Resources = BTreeMap<String, Value>;

/// All resources of each template with these parameters.
pub fn resources(asked: &[(&str, Value)]) -> Vec<Resources> {
    resolved(asked, &Value::Null)
}

/// Those that have a policy of IAM's language in them.
pub fn with_policies(asked: &[(&str, Value)]) -> Vec<Resources> {
    const TYPES: [&str; 7] = [
        "AWS::Events::EventBusPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    ];
    resolved(asked, &json!(TYPES))
}

/// The resources of each template with these parameters, in the `stack`, `region` and `partition` that `place` names, and
/// of the `types` that it names.
pub fn resources_in(place: &Value, asked: &[(&str, Value)]) -> Vec<Resources> {
    let one = |(template, parameters): &(&str, Value)| {
        let mut one = place.clone();
        one["template"] = (*template).into();
        one["parameters"] = parameters.clone();
        one
    };
    let asked: Vec<Value> = asked.iter().map(one).collect();
    serde_json::from_slice(&run("resolve_template.py", &json!(asked))).expect("JSON")
}

/// The patterns of the EventBridge rules, by the names of the rules.
pub fn patterns(resources: &Resources) -> BTreeMap<String, Value> {
    let pattern = |it: &Value| it["Properties"].get("EventPattern").cloned();
    resources.iter().filter_map(|(name, it)| Some((name.clone(), pattern(it)?))).collect()
}

/// The patterns that match each event, both by their names.
pub fn matched(
    events: &BTreeMap<String, Value>,
    patterns: &BTreeMap<String, Value>,
) -> BTreeMap<String, Vec<String>> {
    let asked = json!({"patterns": patterns, "events": events});
    serde_json::from_slice(&run("match_events.py", &asked)).expect("JSON")
}

fn resolved(asked: &[(&str, Value)], types: &Value) -> Vec<Resources> {
    let one = |(template, parameters): &(&str, Value)| json!({"template": template, "parameters": parameters, "types": types});
    let asked: Vec<Value> = asked.iter().map(one).collect();
    serde_json::from_slice(&run("resolve_template.py", &json!(asked))).expect("JSON")
}

/// What a script of this folder answers to what it is given, both on standard streams.
pub fn run(script: &str, input: &Value) -> Vec<u8> {
    let mut python = Command::new(venv::program("python"))
        .arg(venv::script(script))
        .current_dir(repository())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut stdin = python.stdin.take().expect("a pipe");
    stdin.write_all(input.to_string().as_bytes()).expect("python reads");
    drop(stdin);
    let output = python.wait_with_output().expect("python ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The auditor with the parts that are nested in it.
pub fn with_parts(mut parameters: Value) -> Value {
    parameters["Watch"] = "on".into();
    parameters["Observability"] = "on".into();
    parameters["Hook"] = "fail".into();
    parameters
}

/// What the template of the organisation cannot do without.
pub fn organisation_parameters() -> Value {
    let id = "0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f";
    json!({
        "Function": "stack-Auditor-1A2B3C4D5E6F",
        "FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:stack-Auditor-1A2B3C4D5E6F",
        "FunctionRole": "arn:aws:iam::123456789012:role/stack-Role-1A2B3C4D5E6F",
        "FailureQueueArn": "arn:aws:sqs:eu-central-1:123456789012:stack-Failures-1A2B3C4D5E6F",
        "Rules": format!("sg-auditor-{id}"),
        "AuditorStackId": format!("arn:aws:cloudformation:eu-central-1:123456789012:stack/stack/{id}"),
    })
}

/// What the member's template cannot do without.
pub fn member_parameters() -> Value {
    json!({
        "AuditorRole": "arn:aws:iam::210987654321:role/auditor",
        "AuditorEventBus": "arn:aws:events:eu-central-1:210987654321:event-bus/default",
        "HomeRegion": "eu-central-1",
    })
}

/// Each combination of a value of each parameter.
pub fn combinations(parameters: &[(&str, &[&str])]) -> Vec<BTreeMap<String, String>> {
    let mut all = vec![BTreeMap::new()];
    for (name, values) in parameters {
        let with = |one: &BTreeMap<String, String>, value: &str| {
            let mut one = one.clone();
            one.insert((*name).to_owned(), value.to_owned());
            one
        };
        all = all.iter().flat_map(|one| values.iter().map(move |value| with(one, value))).collect();
    }
    all
}
