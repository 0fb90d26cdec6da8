use serde_json::json;

use super::*;

fn scope() -> Scope {
    let physical = [
        ("Auditor", "AWS::Lambda::Function", "auditor-1A"),
        (
            "Queue",
            "AWS::SQS::Queue",
            "https://sqs.eu-central-1.amazonaws.com/123456789012/queue-1A",
        ),
        ("Topic", "AWS::SNS::Topic", "arn:aws:sns:eu-central-1:123456789012:topic-1A"),
        ("Role", "AWS::IAM::Role", "role-1A"),
        ("Log", "AWS::Logs::LogGroup", "log-1A"),
        ("Key", "AWS::KMS::Key", "0a1b"),
    ];
    let physical =
        physical.map(|(name, kind, id)| (name.to_owned(), (kind.to_owned(), id.to_owned())));
    let outputs = BTreeMap::from([("Bus".to_owned(), "arn:bus".to_owned())]);
    Scope {
        template: json!({
            "Mappings": {"Mail": {"high": {"All": ["high", "critical"]}}},
            "Conditions": {
                "Yes": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Mode"}, "off"]}]},
                "No": {"Fn::And": [{"Condition": "Yes"}, {"Fn::Equals": [{"Ref": "Hours"}, 1]}]},
                "Round": {"Condition": "Round"},
            },
            "Resources": {"Role": {"Properties": {"Path": "/team/"}}},
        }),
        values: BTreeMap::from([
            ("Mode".to_owned(), "high".into()),
            ("Hours".to_owned(), "24".into()),
            ("Accounts".to_owned(), json!(["1", "2"])),
            ("AWS::Region".to_owned(), "eu-central-1".into()),
        ]),
        physical: BTreeMap::from(physical),
        outputs: BTreeMap::from([("Nested".to_owned(), outputs)]),
        partition: "aws".to_owned(),
        region: "eu-central-1".to_owned(),
        account: "123456789012".to_owned(),
    }
}

#[test]
fn functions_have_the_values_that_cloudformation_gives_them() {
    let function = "arn:aws:lambda:eu-central-1:123456789012:function:auditor-1A";
    for (value, plain) in [
        (json!({"Ref": "Mode"}), json!("high")),
        (
            json!({"Ref": "Queue"}),
            json!("https://sqs.eu-central-1.amazonaws.com/123456789012/queue-1A"),
        ),
        (
            json!({"Fn::GetAtt": ["Queue", "Arn"]}),
            json!("arn:aws:sqs:eu-central-1:123456789012:queue-1A"),
        ),
        (json!({"Fn::GetAtt": ["Queue", "QueueName"]}), json!("queue-1A")),
        (json!({"Fn::GetAtt": ["Topic", "TopicName"]}), json!("topic-1A")),
        (
            json!({"Fn::GetAtt": ["Role", "Arn"]}),
            json!("arn:aws:iam::123456789012:role/team/role-1A"),
        ),
        (
            json!({"Fn::GetAtt": ["Log", "Arn"]}),
            json!("arn:aws:logs:eu-central-1:123456789012:log-group:log-1A:*"),
        ),
        (
            json!({"Fn::GetAtt": ["Key", "Arn"]}),
            json!("arn:aws:kms:eu-central-1:123456789012:key/0a1b"),
        ),
        (json!({"Fn::GetAtt": ["Nested", "Outputs.Bus"]}), json!("arn:bus")),
        (
            json!({"Fn::Sub": "a-${Auditor.Arn}-${!Kept}-${AWS::Region}"}),
            json!(format!("a-{function}-${{Kept}}-eu-central-1")),
        ),
        (json!({"Fn::Sub": ["${A}${Mode}", {"A": {"Ref": "Hours"}}]}), json!("24high")),
        (
            json!({"Fn::Join": ["-", [{"Ref": "Mode"}, 1, {"Ref": "AWS::NoValue"}]]}),
            json!("high-1"),
        ),
        (json!({"Fn::Select": ["1", {"Fn::Split": ["/", "a/b/c"]}]}), json!("b")),
        (json!({"Fn::Select": [0, {"Ref": "Accounts"}]}), json!("1")),
        (json!({"Fn::FindInMap": ["Mail", {"Ref": "Mode"}, "All"]}), json!(["high", "critical"])),
        (
            json!({"a": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, "b": {"Fn::If": ["Yes", 1, 2]}}),
            json!({"b": 1}),
        ),
    ] {
        assert_eq!(scope().resolve(&value), Ok(Some(plain)), "{value}");
    }
}

#[test]
fn what_is_not_known_is_an_error_and_never_a_guess() {
    for value in [
        json!({"Ref": "Nobody"}),
        json!({"Fn::GetAtt": ["Auditor", "Version"]}),
        json!({"Fn::GetAtt": ["Nested", "Outputs.Other"]}),
        json!({"Fn::ImportValue": "x"}),
        json!({"Fn::If": ["Round", 1, 2]}),
        json!({"Fn::If": ["Unheard", 1, 2]}),
        json!({"Fn::Select": [9, ["a"]]}),
        json!({"Fn::Sub": "${Nobody.Arn}"}),
        json!({"Fn::Sub": "${unclosed"}),
        json!({"deep": [{"Fn::Join": ["", [{"Ref": "Nobody"}]]}]}),
    ] {
        assert!(scope().resolve(&value).is_err(), "{value}");
    }
}
