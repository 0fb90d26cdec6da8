//! `sg-audit check --template`.

use serde_json::Value;

use super::*;

const STACK: &str = "\
Parameters:
  Office: { Type: String }
Resources:
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      SecurityGroupIngress:
        - IpProtocol: tcp
          FromPort: 22
          ToPort: 22
          CidrIp: !Ref Office
";

fn check(name: &str, template: &str, more: &[&str]) -> Result<Answer, Vec<String>> {
    let file = File::new(name, template);
    answer(&[&["check", "--template", file.path()], more].concat())
}

#[test]
fn a_rule_of_a_template_is_found_with_its_line_and_what_to_change() {
    let open = ["--parameter", "Office=0.0.0.0/0", "--ssh-source", "203.0.113.0/24"];
    let found = check("open.yaml", STACK, &open).unwrap();
    assert_eq!(found.status, 1);
    for part in ["open-ssh", "open.yaml:9: Web,", "SecurityGroupIngress[0]", "203.0.113.0/24"] {
        assert!(found.out.contains(part), "{part}: {}", found.out);
    }
    assert!(!found.out.contains("aws ec2"), "{}", found.out);
    let inside = ["--parameter", "Office=203.0.113.0/25", "--ssh-source", "203.0.113.0/24"];
    assert_eq!(check("inside.yaml", STACK, &inside).unwrap().status, 0);
    let sarif = check("sarif.yaml", STACK, &[&open[..], &["--format", "sarif"]].concat()).unwrap();
    let log: Value = serde_json::from_str(&sarif.out).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["region"]["startLine"], 9);
    // All egress is admitted by one baseline, and not by the other.
    let narrow = [&inside[..], &["--baseline", "restricted-egress"]].concat();
    let found = check("egress.yaml", STACK, &narrow).unwrap();
    assert!(found.out.contains("egress-not-in-baseline"), "{}", found.out);
}

#[test]
fn a_parameter_that_is_not_given_is_named() {
    let found = check("unknown.yaml", STACK, &[]).unwrap();
    assert_eq!(found.status, 1);
    for part in ["unresolved-peer", "--parameter Office=VALUE"] {
        assert!(found.out.contains(part), "{part}: {}", found.out);
    }
    for (name, json) in [
        ("cli.json", r#"[{"ParameterKey": "Office", "ParameterValue": "0.0.0.0/0"}]"#),
        ("plain.json", r#"{"Office": "0.0.0.0/0"}"#),
        ("pipeline.json", r#"{"Parameters": {"Office": "0.0.0.0/0"}}"#),
    ] {
        let file = File::new(name, json);
        let found = check("file.yaml", STACK, &["--parameters-file", file.path()]).unwrap();
        assert!(found.out.contains("open-ssh"), "{name}: {}", found.out);
    }
    let file = File::new("broken.json", "[1]");
    let said = check("broken.yaml", STACK, &["--parameters-file", file.path()]).unwrap_err();
    assert!(said[0].contains("this is not a file of parameters"), "{said:?}");
    let file = File::new("cut.json", "{\"Office\":\n\"0.0");
    let said = check("cut.yaml", STACK, &["--parameters-file", file.path()]).unwrap_err();
    assert!(said[1].contains("at line 2 column"), "{said:?}");
}

/// As Windows PowerShell's `>` writes it.
fn utf_16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn templates_and_parameters_may_be_in_utf_16() {
    let inner = File::of_bytes("inner.yaml", &utf_16(STACK));
    let inner = inner.0.file_name().unwrap().to_str().unwrap();
    let outer = format!(
        "Parameters: {{ Home: {{ Type: String }} }}\nResources:\n  Net:\n    Type: \
         AWS::CloudFormation::Stack\n    Properties: {{ TemplateURL: {inner}, Parameters: {{ \
         Office: !Ref Home }} }}\n"
    );
    let parameters = File::of_bytes("wide.json", &utf_16(r#"{"Home": "0.0.0.0/0"}"#));
    let file = File::of_bytes("outer.yaml", &utf_16(&outer));
    let options = ["--template", file.path(), "--parameters-file", parameters.path()];
    let found = answer(&[&["check"], &options[..]].concat()).unwrap();
    assert!(found.out.contains("open-ssh"), "{}", found.out);
}

#[test]
fn the_projects_own_templates_are_read_without_complaint() {
    for name in
        ["template.yaml", "stacks/forwarder.yaml", "stacks/hook.yaml", "stacks/observability.yaml"]
    {
        let found = answer(&["check", "--template", name]).unwrap();
        assert_eq!(found.status, 0, "{name}: {}", found.out);
        assert!(found.notes[0].contains("there is no security group in it"), "{:?}", found.notes);
    }
    let said = check("no.yaml", "a: b\n", &[]).unwrap_err().join("\n");
    assert!(said.contains("this is no template"), "{said}");
}

#[test]
fn each_template_of_the_corpus_has_its_verdict() {
    assert!(super::plans::check_corpus("--template", "tests/templates", "") >= 20);
}
