//! Templates and what is read of them.

use super::*;
use crate::declared::Why;

fn declared(text: &str, given: &[(&str, &str)]) -> Declarations {
    let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let file = TemplateFile { path: "stack.yaml", text, beside: &|_, _| None };
    template(&file, &given.collect()).unwrap()
}

fn rules(group: &DeclaredGroup) -> Vec<String> {
    let ingress = group.rules.iter().filter(|it| it.rule.direction() == Direction::Ingress);
    let text = |it: &DeclaredRule| {
        let unknown: Vec<&str> = it.location.unknown.iter().map(|it| it.name.as_str()).collect();
        let rule = &it.rule;
        let (first, last) = (rule.selector().first(), rule.selector().last());
        let line = it.location.line.unwrap();
        format!("{line}: {} {first}-{last} {} {}", rule.protocol(), rule.peer(), unknown.join(","))
    };
    ingress.map(text).map(|text| text.trim_end().to_owned()).collect()
}

const STACK: &str = "\
Parameters:
  Office: { Type: String }
  Port: { Type: Number, Default: 22 }
  Open: { Type: String, Default: 'no' }
Mappings:
  Ranges: { eu: { office: 203.0.113.0/24 } }
Conditions:
  IsOpen: !Equals [!Ref Open, 'yes']
  IsClosed: { 'Fn::Not': [ { Condition: IsOpen } ] }
Resources:
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      SecurityGroupIngress:
        - { IpProtocol: tcp, FromPort: !Ref Port, ToPort: !Ref Port, CidrIp: !Ref Office }
        - !If
          - IsOpen
          - { IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0 }
          - !Ref AWS::NoValue
        - { IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: !FindInMap [Ranges, eu, office] }
        - IpProtocol: '6'
          FromPort: 22
          ToPort: 22
          CidrIp: !Join ['/', [!Select [0, !Split ['/', 198.51.100.0/32]], '24']]
  Ssh:
    Type: AWS::EC2::SecurityGroupIngress
    Condition: IsClosed
    Properties: { GroupId: !GetAtt Web.GroupId, IpProtocol: -1, CidrIp: !Sub '10.0.0.0/${Bits}' }
  Own:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: { GroupId: !Ref Web, IpProtocol: tcp, FromPort: 22, ToPort: 22, SourceSecurityGroupId: !Ref Web }
";

#[test]
fn functions_conditions_and_parameters_are_worked_out() {
    let found = declared(STACK, &[]);
    assert_eq!(
        rules(&found.groups[0]),
        [
            "16: tcp 22-22 Web.CidrIp CidrIp",
            "21: tcp 22-22 203.0.113.0/24",
            "22: tcp 22-22 198.51.100.0/24",
            "27: all 0-65535 Ssh.CidrIp CidrIp",
            "31: tcp 22-22 Web",
        ]
    );
    let found =
        declared(STACK, &[("Office", "198.51.100.7/32"), ("Open", "yes"), ("Port", "2222")]);
    assert_eq!(
        rules(&found.groups[0]),
        [
            "16: tcp 2222-2222 198.51.100.7/32",
            "19: tcp 22-22 0.0.0.0/0",
            "21: tcp 22-22 203.0.113.0/24",
            "22: tcp 22-22 198.51.100.0/24",
            "31: tcp 22-22 Web",
        ]
    );
}

#[test]
fn what_a_condition_may_add_is_undecided_and_never_left_out() {
    let text = STACK.replace("Default: 'no'", "NoEcho: true");
    let found = declared(&text, &[("Office", "203.0.113.0/24")]);
    let open = found.groups[0].rules.iter().find(|it| it.rule.peer().is_anywhere()).unwrap();
    assert!(open.is_wider_than_known);
    assert_eq!(open.location.unknown[0].why, Why::Elsewhere("the condition IsOpen".to_owned()));
    let text = "Resources: { G: { Type: 'AWS::EC2::SecurityGroup', Properties: \
                { SecurityGroupIngress: { 'Fn::Transform': { Name: 'AWS::Include' } } } } }";
    let found = declared(text, &[]);
    let rule = &found.groups[0].rules[0];
    assert!(rule.is_wider_than_known && rule.rule.direction() == Direction::Ingress);
}

#[test]
fn json_lists_and_nested_stacks_are_read() {
    let parent = r#"{"Resources": {"Net": {"Type": "AWS::CloudFormation::Stack", "Properties": {
        "TemplateURL": "net.yaml", "Parameters": {"Cidr": "198.51.100.0/24"}}}}}"#;
    let child = "Parameters: { Cidr: { Type: String } }\nResources:\n  L:\n    Type: AWS::EC2::PrefixList\n    \
                 Properties: { Entries: [ { Cidr: !Ref Cidr } ] }\n  R:\n    Type: AWS::EC2::SecurityGroupIngress\n    \
                 Properties: { GroupId: sg-0a1b2c3d4e5f67890, IpProtocol: tcp, FromPort: 22, ToPort: 22, \
                 SourcePrefixListId: !Ref L }\n";
    let beside =
        |_: &str, url: &str| (url == "net.yaml").then(|| ("net.yaml".to_owned(), child.to_owned()));
    let file = TemplateFile { path: "stack.json", text: parent, beside: &beside };
    let found = template(&file, &BTreeMap::new()).unwrap();
    assert_eq!(rules(&found.groups[0]), ["7: tcp 22-22 Net/L"]);
    assert_eq!(found.lists[&ListId::declared("Net/L")].as_ref().unwrap().len(), 1);
    // A stack that contains itself ends.
    let beside = |_: &str, url: &str| Some((url.to_owned(), parent.to_owned()));
    let file = TemplateFile { path: "stack.json", text: parent, beside: &beside };
    assert!(template(&file, &BTreeMap::new()).is_err());
}

#[test]
fn a_bomb_is_refused() {
    let error = |text: &str| {
        let file = TemplateFile { path: "bomb.yaml", text, beside: &|_, _| None };
        template(&file, &BTreeMap::new()).unwrap_err().to_string()
    };
    let nested = error(&"[".repeat(100_000));
    assert!(nested.contains("nested") || nested.contains("neither YAML"), "{nested}");
    assert!(error(&" ".repeat(10 << 20)).contains("one megabyte"));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for at in 1..20 {
        let before = at - 1;
        bomb.push_str(&format!("a{at}: &a{at} [{}]\n", vec![format!("*a{before}"); 9].join(", ")));
    }
    assert!(error(&bomb).contains("expand to too much"));
    assert!(error("a: [").contains("neither YAML nor JSON"));
    assert!(error("a: b").contains("no template"));
    let circle = "Conditions: { A: !Not [!Condition A] }\nResources: { G: { Type: 'AWS::EC2::SecurityGroup', Condition: A } }";
    assert_eq!(declared(circle, &[]).groups.len(), 1);
    let bad = "Resources: { G: { Type: 'AWS::EC2::SecurityGroupIngress', Properties: { GroupId: sg-1, IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: anywhere } } }";
    assert!(error(bad).contains("`CidrIp` is `anywhere`"));
}

/// Small templates that ask for exponentially much.
#[test]
fn functions_that_multiply_each_other_are_refused_in_bounded_time() {
    let resources = "Resources: { G: { Type: 'AWS::EC2::SecurityGroup', Condition: C0, Properties: \
                     { GroupName: !FindInMap [M, a, v0] } } }\n";
    let mut conditions = "Conditions:\n".to_owned();
    let mut maps = "Mappings:\n  M:\n    a:\n".to_owned();
    let mut parameters = "Parameters:\n".to_owned();
    for at in 0..60 {
        let next = at + 1;
        let both = format!("[!Condition C{next}, !Condition C{next}]");
        conditions.push_str(&format!("  C{at}: !And {both}\n"));
        let both = format!("[!FindInMap [M, a, v{next}], !FindInMap [M, a, v{next}]]");
        maps.push_str(&format!("      v{at}: !Join ['', {both}]\n"));
        let both = format!("[!Ref P{next}, !Ref P{next}]");
        parameters.push_str(&format!("  P{at}: {{ Type: String, Default: !Join ['', {both}] }}\n"));
    }
    conditions.push_str("  C60: !Equals [a, a]\n");
    maps.push_str("      v60: x\n");
    parameters.push_str("  P60: { Type: String, Default: xxxxxxxxxxxxxxxx }\n");
    let group = |name: &str| {
        format!(
            "Resources: {{ G: {{ Type: 'AWS::EC2::SecurityGroup', Properties: {{ GroupName: {name} }} }} }}\n"
        )
    };
    let ringed = format!("{conditions}{resources}");
    for text in [
        ringed,
        format!("{maps}{}", group("!FindInMap [M, a, v0]")),
        format!("{parameters}{}", group("!Ref P0")),
    ] {
        let file = TemplateFile { path: "bomb.yaml", text: &text, beside: &|_, _| None };
        match template(&file, &BTreeMap::new()) {
            Err(error) => assert!(matches!(error, TemplateError::TooMuch), "{error}"),
            // Nested too deeply to be worked out.
            Ok(declared) => assert_eq!(declared.groups[0].group.name, None),
        }
    }
    // Few files that contain each other many times.
    let stack = |at: usize| {
        let one = |n: usize| {
            format!(
                "  S{n}: {{ Type: 'AWS::CloudFormation::Stack', Properties: {{ TemplateURL: '{}.yaml' }} }}\n",
                at + 1
            )
        };
        let padding =
            format!("  X: {{ Type: 'A::B::C', Properties: {{ P: '{}' }} }}\n", "x".repeat(9000));
        let inner = if at < 7 { (0..40).map(one).collect() } else { String::new() };
        format!("Resources:\n{inner}{padding}")
    };
    let beside = |_: &str, url: &str| {
        let at = url.strip_suffix(".yaml")?.parse().ok()?;
        Some((url.to_owned(), stack(at)))
    };
    let text = stack(0);
    let file = TemplateFile { path: "0.yaml", text: &text, beside: &beside };
    let error = template(&file, &BTreeMap::new()).unwrap_err().to_string();
    assert!(error.contains("expand to too much"), "{error}");
}

#[test]
fn resources_that_are_not_in_the_files_are_never_left_out_in_silence() {
    let error = |text: &str| {
        let file = TemplateFile { path: "stack.yaml", text, beside: &|_, _| None };
        template(&file, &BTreeMap::new()).unwrap_err().to_string()
    };
    let looped = "Resources:\n  Fn::ForEach::Ports:\n    - Port\n    - ['22', '80']\n    \
                  - { 'G${Port}': { Type: 'AWS::EC2::SecurityGroup' } }\n";
    assert!(error(looped).contains("line 3: `Fn::ForEach` makes resources"), "{}", error(looped));
    let nested = "Resources:\n  Net:\n    Type: AWS::CloudFormation::Stack\n    \
                  Properties: { TemplateURL: gone.yaml }\n";
    assert!(error(nested).contains("the template `gone.yaml` cannot be read"), "{}", error(nested));
}
