use serde_json::json;

use super::*;

#[test]
fn short_forms_become_long_ones_and_scalars_keep_their_types() {
    let text = "\
Parameters:
  Zone: { Type: String, Default: \"012\" }
Resources:
  One:
    Type: AWS::SQS::Queue
    Properties:
      Name: !Sub \"${AWS::StackName}-x\"
      Arn: !GetAtt Two.Arn
      List: !If [Yes, [1, true, 012, ~], !Ref AWS::NoValue]
      Both: !Or [!Condition A, !Equals [!Ref Zone, \"\"]]
";
    let expected = json!({
        "Parameters": {"Zone": {"Type": "String", "Default": "012"}},
        "Resources": {"One": {"Type": "AWS::SQS::Queue", "Properties": {
            "Name": {"Fn::Sub": "${AWS::StackName}-x"},
            "Arn": {"Fn::GetAtt": ["Two", "Arn"]},
            "List": {"Fn::If": ["Yes", [1, true, "012", null], {"Ref": "AWS::NoValue"}]},
            "Both": {"Fn::Or": [{"Condition": "A"}, {"Fn::Equals": [{"Ref": "Zone"}, ""]}]},
        }}},
    });
    assert_eq!(read(text), Some(expected.clone()));
    assert_eq!(read(&expected.to_string()), Some(expected));
}

#[test]
fn what_is_no_template_is_refused_and_does_no_harm() {
    let deep = "[".repeat(100_000);
    let aliases = "a: &a [1]\nb: [*a, *a]";
    for text in ["", "[1", deep.as_str(), aliases, "{[1]: 2}"] {
        assert_eq!(read(text), None);
    }
}

#[test]
fn the_shipped_templates_can_be_read() {
    for (text, rules) in [
        (include_str!("../../../template.yaml"), 4),
        (include_str!("../../../stacks/forwarder.yaml"), 3),
        (include_str!("../../../stacks/watch.yaml"), 5),
    ] {
        let template = read(text).unwrap();
        let resources = template["Resources"].as_object().unwrap();
        let found = resources.values().filter(|it| it["Type"] == "AWS::Events::Rule").count();
        assert!(found >= rules, "{found}");
    }
}
