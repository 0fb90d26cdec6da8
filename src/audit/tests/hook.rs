//! What a CloudFormation hook is answered about a group or a rule that is about to be made.

use std::fs;

use serde_json::json;

use super::bound::bound;
use super::*;
use crate::report::answer;
use crate::settings::HookMode;

const TOKEN: &str = "6f0e1c1a-9a4f-4f4e-8a51-2f6f5c1e7d20";
const GROUP: &str = "AWS::EC2::SecurityGroup";
const INGRESS: &str = "AWS::EC2::SecurityGroupIngress";
const EGRESS: &str = "AWS::EC2::SecurityGroupEgress";
const LIST: &str = "pl-0123456789abcdef0";

/// A request of `tests/hook/`.
fn request(name: &str) -> Value {
    let path = format!("{}/tests/hook/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A request to make a resource with these properties.
fn create(kind: &str, properties: Value) -> Value {
    let mut asked = request("create-group");
    let data = &mut asked["requestData"];
    (data["targetName"], data["targetType"]) = (kind.into(), kind.into());
    data["targetModel"] = json!({"resourceProperties": properties});
    asked
}

/// A request to change a resource.
fn update(kind: &str, before: Value, after: Value) -> Value {
    let mut asked = create(kind, after);
    asked["actionInvocationPoint"] = "UPDATE_PRE_PROVISION".into();
    asked["requestData"]["targetModel"]["previousResourceProperties"] = before;
    asked
}

/// A rule of a group: `tcp 22 0.0.0.0/0`.
fn item(text: &str) -> Value {
    let rule = rule(text);
    let mut item = json!({"IpProtocol": rule.protocol().to_api()});
    if let Some((from, to)) = rule.from_port().zip(rule.to_port()) {
        (item["FromPort"], item["ToPort"]) = (from.into(), to.to_string().into());
    }
    let peer = rule.peer().to_string();
    let name = match &peer {
        list if list.starts_with("pl-") => "SourcePrefixListId",
        group if group.contains("sg-") => "SourceSecurityGroupId",
        ipv6 if ipv6.contains(':') => "CidrIpv6",
        _ => "CidrIp",
    };
    item[name] = peer.into();
    item
}

fn items(texts: &[&str]) -> Value {
    texts.iter().map(|text| item(text)).collect()
}

fn group_with(texts: &[&str]) -> Value {
    json!({"GroupDescription": "web", "SecurityGroupIngress": items(texts)})
}

/// A rule that is a resource of its own, of the group that exists.
fn ingress_of(text: &str) -> Value {
    let mut properties = item(text);
    properties["GroupId"] = SG.into();
    properties
}

/// What came of a request: the answer, what was published and which calls were made.
struct Asked {
    answer: Value,
    published: Vec<Value>,
    calls: Vec<String>,
}

impl Asked {
    fn message(&self) -> &str {
        self.answer["message"].as_str().unwrap()
    }

    /// `SUCCESS`, `NonCompliant` or `InternalFailure`.
    fn word(&self) -> &str {
        assert_eq!(self.answer["clientRequestToken"], TOKEN);
        match (self.answer["hookStatus"].as_str().unwrap(), self.answer["errorCode"].as_str()) {
            (word @ "SUCCESS", None) => word,
            ("FAILED", Some(word)) => word,
            other => panic!("{other:?}"),
        }
    }
}

fn ask_with(ec2: &MemoryEc2, settings: &Settings, mode: HookMode, asked: &Value) -> Asked {
    let (notifier, home) = (MemoryNotifier::default(), place());
    let auditor = Auditor::new(ec2, &notifier, &notifier, settings, &home).with_hook(mode);
    let payload = asked.to_string();
    let report = block_on(auditor.handle(payload.as_bytes(), &noon, None)).unwrap();
    let answer = serde_json::to_value(answer(&report)).unwrap();
    assert!(answer["message"].as_str().unwrap().chars().count() <= 1000, "{answer}");
    let published = notifier.take().iter().map(report_in).collect();
    Asked { answer, published, calls: ec2.take_calls() }
}

fn ask(asked: &Value) -> Asked {
    ask_with(&ec2(&[]), &settings(Remediation::Notify), HookMode::Fail, asked)
}

fn ask_in(ec2: &MemoryEc2, asked: &Value) -> Asked {
    ask_with(ec2, &settings(Remediation::Notify), HookMode::Fail, asked)
}

#[test]
fn a_group_that_opens_ssh_is_refused_and_told_what_would_pass() {
    let asked = ask(&request("create-group"));
    assert_eq!(asked.word(), "NonCompliant");
    for part in [
        "WebGroup, SecurityGroupIngress[2]",
        "exceeds the baseline: tcp 22 from anywhere but 203.0.113.0/24",
        r#"What would pass: set CidrIp to "203.0.113.0/24" in SecurityGroupIngress[2] of WebGroup."#,
    ] {
        assert!(asked.message().contains(part), "{part}: {}", asked.message());
    }
    let [report] = &asked.published[..] else { panic!("{:?}", asked.published) };
    let [finding] = &report["findings"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!(finding["code"], "open-ssh");
    assert_eq!(finding["remediation"]["outcome"], "prevented");
    assert_eq!(finding["location"]["address"], "WebGroup");
    assert_eq!(finding["account"], "123456789012");
    assert_eq!(finding["region"], "eu-central-1");
    assert_eq!(finding["change"]["event_id"], TOKEN);
    let stack = finding["change"]["actor"].as_str().unwrap();
    assert!(stack.contains(":stack/typo3-web/"), "{stack}");
    assert_eq!(asked.calls, [] as [String; 0]);
}

#[test]
fn every_way_to_open_it_is_refused() {
    for text in [
        "tcp 22 ::/0",
        "tcp 20-25 0.0.0.0/0",
        "-1 * 0.0.0.0/0",
        "6 22 0.0.0.0/0",
        "tcp 22 0.0.0.0/1",
        "tcp 22 203.0.112.0/23",
        "tcp 3306 0.0.0.0/0",
        "tcp 22 198.51.100.7/32",
        "tcp 22 sg-0fedcba9876543210",
    ] {
        let asked = ask(&create(GROUP, group_with(&["tcp 443 0.0.0.0/0", text])));
        assert_eq!(asked.word(), "NonCompliant", "{text}: {}", asked.message());
        let asked = ask(&create(INGRESS, ingress_of(text)));
        assert_eq!(asked.word(), "NonCompliant", "{text}: {}", asked.message());
    }
    // A single rule need not be in a list.
    let single =
        json!({"GroupDescription": "web", "SecurityGroupIngress": item("tcp 22 0.0.0.0/0")});
    assert_eq!(ask(&create(GROUP, single)).word(), "NonCompliant");
    for name in ["create-rule", "update-group", "cloud-control-create", "cloud-control-update"] {
        let asked = ask(&request(name));
        assert_eq!(asked.word(), "NonCompliant", "{name}");
        assert_eq!(asked.published.len(), 1, "{name}");
    }
}

#[test]
fn what_complies_may_be_made_and_nothing_is_published() {
    for asked in [
        request("create-web"),
        create(GROUP, group_with(&["tcp 22 203.0.113.64/26", "tcp 22 2001:db8:1:5::/64"])),
        create(GROUP, json!({"GroupDescription": "empty"})),
        create(INGRESS, ingress_of("tcp 443 ::/0")),
        create(INGRESS, ingress_of("tcp 80 pl-0123456789abcdef0")),
        create(
            EGRESS,
            request("create-egress")["requestData"]["targetModel"]["resourceProperties"].take(),
        ),
    ] {
        let asked = ask(&asked);
        assert_eq!(asked.word(), "SUCCESS", "{}", asked.message());
        assert_eq!(asked.message(), "What this adds complies with the baseline standard.");
        assert!(asked.published.is_empty() && asked.calls.is_empty(), "{:?}", asked.calls);
    }
}

#[test]
fn egress_is_judged_too_also_what_ec2_gives_a_new_group() {
    let restricted = Settings {
        baseline: Baseline::load("restricted-egress", today()).unwrap(),
        ..settings(Remediation::Notify)
    };
    let word = |asked: &Value| {
        let asked = ask_with(&ec2(&[]), &restricted, HookMode::Fail, asked);
        (asked.word().to_owned(), asked.message().to_owned())
    };
    assert_eq!(word(&request("create-egress")).0, "NonCompliant");
    let (all, message) = word(&create(GROUP, json!({"GroupDescription": "web"})));
    assert_eq!(all, "NonCompliant", "{message}");
    let https =
        json!([{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}]);
    let narrow = create(GROUP, json!({"GroupDescription": "web", "SecurityGroupEgress": https}));
    assert_eq!(word(&narrow).0, "SUCCESS");
}

#[test]
fn what_was_there_before_stops_no_unrelated_update() {
    let unrelated = ask(&request("update-unrelated"));
    assert_eq!(unrelated.word(), "SUCCESS");
    assert_eq!(unrelated.message(), "What this adds complies with the baseline standard.");
    let open = || group_with(&["tcp 22 0.0.0.0/0", "tcp 443 0.0.0.0/0"]);
    // In another order, with another description, and narrower.
    let mut other = group_with(&["tcp 443 0.0.0.0/0", "tcp 22 0.0.0.0/0"]);
    other["SecurityGroupIngress"][1]["Description"] = "temporary".into();
    assert_eq!(ask(&update(GROUP, open(), other)).word(), "SUCCESS");
    let narrower = group_with(&["tcp 443 0.0.0.0/0"]);
    assert_eq!(ask(&update(GROUP, open(), narrower)).word(), "SUCCESS");
    // Nothing of this was there.
    for wider in ["tcp 22 ::/0", "tcp 21-22 0.0.0.0/0", "tcp 3306 0.0.0.0/0"] {
        let after = group_with(&["tcp 22 0.0.0.0/0", wider]);
        let asked = ask(&update(GROUP, open(), after));
        assert_eq!(asked.word(), "NonCompliant", "{wider}");
        assert_eq!(asked.published[0]["findings"].as_array().unwrap().len(), 1, "{wider}");
    }
    // The same rule in another group is new there, and so is everything if nobody knows what was.
    let mut elsewhere = ingress_of("tcp 22 0.0.0.0/0");
    elsewhere["GroupId"] = "sg-0fedcba9876543210".into();
    let moved = update(INGRESS, ingress_of("tcp 22 0.0.0.0/0"), elsewhere);
    assert_eq!(ask(&moved).word(), "NonCompliant");
    assert_eq!(ask(&update(GROUP, Value::Null, open())).word(), "NonCompliant");
    let unreadable = json!({"SecurityGroupIngress": [{"IpProtocol": "no such"}]});
    assert_eq!(ask(&update(GROUP, unreadable, open())).word(), "NonCompliant");
    // An empty before is none, so what EC2 gives every group was not there either.
    let asked = update(GROUP, json!({}), open());
    assert_eq!(ask(&asked).published[0]["findings"].as_array().unwrap().len(), 1);
    // A request to create has no before, whatever it says.
    let mut create = update(GROUP, open(), open());
    create["actionInvocationPoint"] = "CREATE_PRE_PROVISION".into();
    assert_eq!(ask(&create).word(), "NonCompliant");
}

#[test]
fn what_is_not_known_yet_complies_only_if_any_value_would() {
    let with = |port: u16, cidr: &str| json!({"GroupId": SG, "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": cidr});
    let (one, two) = ("{{resolve:ssm:/office:1}}", "{{resolve:ssm:/office:2}}");
    assert_eq!(ask(&create(INGRESS, with(443, one))).word(), "SUCCESS");
    let asked = ask(&create(INGRESS, with(22, one)));
    assert_eq!(asked.word(), "NonCompliant");
    assert!(asked.message().contains("write `CidrIp`"), "{}", asked.message());
    assert_eq!(ask(&update(INGRESS, with(22, one), with(22, one))).word(), "SUCCESS");
    assert_eq!(ask(&update(INGRESS, with(22, one), with(22, two))).word(), "NonCompliant");
}

#[test]
fn a_list_whose_id_is_not_known_yet_is_not_looked_up() {
    let unknown = json!({
        "GroupId": SG, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
        "SourcePrefixListId": "{{resolve:ssm:/office:1}}",
    });
    let asked = ask(&create(INGRESS, unknown));
    assert_eq!(asked.word(), "NonCompliant", "{}", asked.message());
    assert_eq!(asked.calls, [] as [String; 0]);
}

#[test]
fn a_deletion_is_never_stopped() {
    for name in ["delete-group", "cloud-control-delete"] {
        assert_eq!(ask(&request(name)).word(), "SUCCESS", "{name}");
    }
    let mut without = request("delete-group");
    without["requestData"] = Value::Null;
    assert_eq!(ask(&without).word(), "SUCCESS");
}

#[test]
fn what_cannot_be_judged_is_a_failure_with_its_reason() {
    let changed = |place: &str, value: Value| {
        let mut asked = request("create-group");
        *asked.pointer_mut(place).unwrap() = value;
        asked
    };
    let model = "/requestData/targetModel";
    let bad_rule = |member: &str, value: Value| {
        let mut properties = ingress_of("tcp 22 203.0.113.0/24");
        properties[member] = value;
        create(INGRESS, properties)
    };
    for (asked, reason) in [
        (request("other-type"), "the request is about `AWS::EC2::PrefixList`"),
        (
            changed("/actionInvocationPoint", "IMPORT_PRE_PROVISION".into()),
            "`IMPORT_PRE_PROVISION`",
        ),
        (changed("/actionInvocationPoint", Value::Null), "no `actionInvocationPoint`"),
        (changed("/requestData", Value::Null), "no `requestData.targetName`"),
        (changed(model, Value::Null), "`requestData.targetModel.resourceProperties`"),
        (changed(model, json!({"resourceProperties": []})), "is not an object"),
        (changed(model, json!({"resourceProperties": "{}"})), "is not an object"),
        (create(INGRESS, json!({})), "`requestData.targetModel.resourceProperties`"),
        (create(INGRESS, json!({"GroupId": SG})), "`CidrIp` is `absent"),
        (bad_rule("CidrIp", "0.0.0.0".into()), "`CidrIp` is `0.0.0.0`"),
        (bad_rule("CidrIp", json!(["0.0.0.0/0"])), "`CidrIp` is `a list or an object`"),
        (bad_rule("CidrIp", Value::Null), "`CidrIp` is `absent"),
        (bad_rule("FromPort", "ssh".into()), "`FromPort` is `ssh`"),
        (bad_rule("IpProtocol", "tcpp".into()), "`IpProtocol` is `tcpp`"),
        (
            create(GROUP, json!({"SecurityGroupIngress": [{"IpProtocol": "-1"}]})),
            "`CidrIp` is `absent",
        ),
    ] {
        let asked = ask(&asked);
        assert_eq!(asked.word(), "InternalFailure", "{reason}: {}", asked.message());
        assert!(asked.message().contains(reason), "{reason}: {}", asked.message());
        assert!(asked.published.is_empty(), "{reason}");
    }
    let mut update = update(GROUP, json!("no"), group_with(&[]));
    assert_eq!(ask(&update).word(), "InternalFailure");
    update["requestData"]["targetModel"]["previousResourceProperties"] = Value::Null;
    assert_eq!(ask(&update).word(), "SUCCESS");
}

#[test]
fn a_prefix_list_is_read_only_if_it_decides() {
    let asked = create(INGRESS, ingress_of(&format!("tcp 22 {LIST}")));
    let inside = ec2_with_lists(&[], list(LIST, &["203.0.113.0/25"]));
    let passed = ask_in(&inside, &asked);
    assert_eq!((passed.word(), passed.calls.len()), ("SUCCESS", 1), "{:?}", passed.calls);
    let wide = ec2_with_lists(&[], list(LIST, &["0.0.0.0/0"]));
    let refused = ask_in(&wide, &asked);
    assert_eq!(refused.word(), "NonCompliant");
    assert_eq!(refused.published[0]["findings"][0]["code"], "open-ssh");
    // It does not decide about HTTPS, nor about what was there before.
    for asked in [
        create(INGRESS, ingress_of(&format!("tcp 443 {LIST}"))),
        update(
            INGRESS,
            ingress_of(&format!("tcp 22 {LIST}")),
            ingress_of(&format!("tcp 22 {LIST}")),
        ),
    ] {
        let passed = ask_in(&wide, &asked);
        assert_eq!((passed.word(), passed.calls.len()), ("SUCCESS", 0), "{:?}", passed.calls);
    }
    let refused = ask_in(&ec2_with_lists(&[], unreadable_list(LIST)), &asked);
    assert_eq!(refused.word(), "NonCompliant");
    let pass = format!("let the auditor read {LIST}, or name addresses");
    assert!(refused.message().contains(&pass), "{}", refused.message());
    let failed = ask_in(&ec2_with_lists(&[], list_error(LIST, throttled())), &asked);
    assert_eq!(failed.word(), "InternalFailure");
    assert!(failed.message().contains("throttled; try again"), "{}", failed.message());
}

#[test]
fn the_tags_in_the_properties_say_whether_a_group_is_in_scope() {
    let settings = Settings { scope: role_scope(), ..settings(Remediation::Notify) };
    let ask = |asked: &Value| ask_with(&ec2(&[]), &settings, HookMode::Fail, asked);
    let tagged = |value: &str| {
        let mut group = group_with(&["tcp 22 0.0.0.0/0"]);
        group["Tags"] = json!([{"Key": "Role", "Value": value}]);
        group
    };
    assert_eq!(ask(&create(GROUP, tagged("typo3"))).word(), "NonCompliant");
    for out in [tagged("build"), group_with(&["tcp 22 0.0.0.0/0"])] {
        let passed = ask(&create(GROUP, out));
        assert_eq!(passed.word(), "SUCCESS");
        assert!(passed.message().contains("not in the scope"), "{}", passed.message());
        assert_eq!(passed.calls, [] as [String; 0]);
    }
    // An update that brings the group into the scope brings all its rules.
    assert_eq!(ask(&update(GROUP, tagged("build"), tagged("typo3"))).word(), "NonCompliant");
    assert_eq!(ask(&update(GROUP, tagged("typo3"), tagged("typo3"))).word(), "SUCCESS");
    // A rule of its own does not show the tags of its group, and nobody asks for them.
    let rule = ask(&request("create-rule"));
    assert_eq!((rule.word(), rule.calls.len()), ("NonCompliant", 0));
}

#[test]
fn a_group_without_a_name_and_tags_is_judged_by_the_binding_of_no_tag() {
    let settings = bound("  - { name: closed, tags: { exposure: none }, ssh_sources: [] }\n");
    let ask = |asked: &Value| ask_with(&ec2(&[]), &settings, HookMode::Fail, asked);
    let mut group = group_with(&["tcp 22 198.51.100.0/24"]);
    assert_eq!(ask(&create(GROUP, group.clone())).word(), "SUCCESS");
    group["Tags"] = json!([{"Key": "exposure", "Value": "none"}]);
    assert_eq!(ask(&create(GROUP, group)).word(), "NonCompliant");
}

#[test]
fn a_hold_and_an_exemption_pass_and_are_told() {
    let mut held = ingress_of("tcp 22 0.0.0.0/0");
    let tags = |until: &str| {
        json!([{"Key": "sg-audit:allow-until", "Value": until},
            {"Key": "sg-audit:reason", "Value": "ticket 4711"}])
    };
    held["Tags"] = tags("2026-11-02T18:00:00Z");
    let passed = ask(&create(INGRESS, held.clone()));
    assert_eq!(passed.word(), "SUCCESS");
    for part in ["Held open until", "tcp 22 from 0.0.0.0/0", "ticket 4711"] {
        assert!(passed.message().contains(part), "{part}: {}", passed.message());
    }
    for refused in ["2026-11-02T11:00:00Z", "2027-11-02T18:00:00Z"] {
        held["Tags"] = tags(refused);
        assert_eq!(ask(&create(INGRESS, held.clone())).word(), "NonCompliant", "{refused}");
    }

    let yaml = format!(
        "version: 1\nname: our-site\ningress:\n- {{ name: HTTPS, protocol: tcp, ports: [443], peers: \
         [anywhere] }}\negress:\n- {{ name: All, protocol: all, peers: [anywhere] }}\nexemptions:\n- {{ \
         group: {SG}, direction: ingress, protocol: tcp, ports: [8000], peers: [198.51.100.0/24], \
         reason: \"vendor migration, ticket 4711\", until: 2027-01-31 }}\n"
    );
    let baseline = Baseline::parse("our-site.yaml", &yaml, today()).unwrap();
    let settings = Settings { baseline, ..settings(Remediation::Notify) };
    let ask =
        |text| ask_with(&ec2(&[]), &settings, HookMode::Fail, &create(INGRESS, ingress_of(text)));
    let passed = ask("tcp 8000 198.51.100.0/24");
    assert_eq!(passed.word(), "SUCCESS", "{}", passed.message());
    assert!(passed.message().contains("vendor migration, ticket 4711"), "{}", passed.message());
    assert_eq!(ask("tcp 8000 198.51.100.0/23").word(), "NonCompliant");
}

#[test]
fn a_hook_that_only_warns_prevents_nothing_and_says_so_nowhere() {
    for mode in [HookMode::Warn, HookMode::Off] {
        let (ec2, settings) = (ec2(&[]), settings(Remediation::Notify));
        let asked = ask_with(&ec2, &settings, mode, &request("create-group"));
        assert_eq!(asked.word(), "NonCompliant");
        assert_eq!(asked.answer, ask(&request("create-group")).answer);
        // The change is made, and its event is audited and told.
        assert!(asked.published.is_empty());
    }
}

#[test]
fn a_refusal_stands_even_if_it_cannot_be_published() {
    let (ec2, settings, home) = (ec2(&[]), settings(Remediation::Notify), place());
    let notifier = MemoryNotifier::default();
    let auditor = Auditor::new(&ec2, &NoTopic, &notifier, &settings, &home);
    let payload = request("create-group").to_string();
    let report = block_on(auditor.handle(payload.as_bytes(), &noon, None)).unwrap();
    assert_eq!(serde_json::to_value(answer(&report)).unwrap()["errorCode"], "NonCompliant");
}

#[test]
fn the_message_stays_short_and_plain_whatever_is_in_the_request() {
    let many: Vec<String> = (0..60).map(|n| format!("tcp {} 0.0.0.0/0", 1000 + n)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut asked = create(GROUP, group_with(&many));
    let name = format!("{}\n\u{1b}[31mhttps://example.com\u{202e}", "n".repeat(2000));
    asked["requestData"]["targetLogicalId"] = name.into();
    for item in asked["requestData"]["targetModel"]["resourceProperties"]["SecurityGroupIngress"]
        .as_array_mut()
        .unwrap()
    {
        item["Description"] = "\u{1b}]0;x\u{7} d".repeat(100).into();
    }
    let refused = ask(&asked);
    assert_eq!(refused.word(), "NonCompliant");
    let message = refused.message();
    assert!(message.bytes().all(|b| (0x20..0x7f).contains(&b)), "{message}");
    assert!(message.contains("What would pass: "), "{message}");
    assert!(message.ends_with("more findings."), "{message}");
    // Short names leave room for several, and the rest is counted.
    let refused = ask(&create(GROUP, group_with(&many)));
    assert!(refused.message().matches("What would pass: ").count() > 2, "{}", refused.message());
}

#[test]
fn no_event_passes_for_a_question_of_a_hook() {
    let mut record = json!({
        "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress",
        "requestParameters": {"groupId": SG, "cidrIp": "0.0.0.0/0", "ipProtocol": "tcp",
            "fromPort": 22, "toPort": 22},
    });
    record["actionInvocationPoint"] = "DELETE_PRE_PROVISION".into();
    assert!(matches!(decoded(&record).kind, Kind::Change(_)));
    let mut event = json!({"detail-type": "AWS API Call via CloudTrail", "detail": record});
    event["hookTypeName"] = "SgAuditor::Typo3::Hook".into();
    assert!(matches!(decoded(&event).kind, Kind::Change(_)));
    // And nothing that is wrapped is one: CloudFormation asks the function itself.
    let wrapped = json!({"Records": [request("create-group")]});
    assert!(matches!(decoded(&wrapped).kind, Kind::Undecodable { .. }));
    assert!(matches!(decoded(&request("create-group")).kind, Kind::Hook(_)));
}
