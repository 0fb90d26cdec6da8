//! What the two templates deploy: the same patterns, the same rights, and payloads that the function understands.

mod alarms;
mod lengths;
mod regions;
mod tags;
mod watching;

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use typo3_sg_auditor::event::{Kind, Message, Sweep, decode};

use crate::support::resolved::{AUDITOR, MEMBER, member_parameters, resources as resolved, run};
use crate::support::sg_audit::repository;

fn read(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The rules of each template with these parameters, by their names.
fn rules(asked: &[(&str, Value)]) -> Vec<BTreeMap<String, Value>> {
    let asked: Vec<Value> = asked
        .iter()
        .map(|(template, parameters)| json!({"template": template, "parameters": parameters}))
        .collect();
    serde_json::from_slice(&run("resolve_rules.py", &json!(asked))).expect("JSON")
}

/// The member's template with this scope.
fn member(scope: &str) -> Value {
    let mut parameters = member_parameters();
    parameters["Scope"] = scope.into();
    parameters
}

#[test]
fn both_templates_match_the_same_events_with_the_key_of_the_scope() {
    const SCOPES: [(&str, Option<&str>); 9] = [
        ("", None),
        ("all", None),
        ("tag:role=web", Some("role")),
        ("tag:team:role=web", Some("team:role")),
        ("tag:tag:role=web", Some("tag:role")),
        ("tag:mytag:role=web", Some("mytag:role")),
        ("tag:role=a=b", Some("role")),
        ("tag:role=tag:b", Some("role")),
        ("tag:role=", Some("role")),
    ];
    let asked: Vec<(&str, Value)> = SCOPES
        .iter()
        .flat_map(|(scope, _)| [(AUDITOR, json!({"Scope": scope})), (MEMBER, member(scope))])
        .collect();
    for ((scope, key), both) in SCOPES.iter().zip(rules(&asked).chunks(2)) {
        let [auditor, member] = both else { panic!("two templates") };
        for rule in ["Changes", "TagChanges"] {
            let pattern =
                |rules: &BTreeMap<String, Value>| rules.get(rule).map(|it| it["pattern"].clone());
            assert_eq!(pattern(auditor), pattern(member), "{rule} with {scope:?}");
        }
        let tags = auditor["TagChanges"]["pattern"]["detail"]["$or"].as_array().expect("either");
        let of_groups = tags.iter().map(|either| &either["requestParameters"]).find(|request| {
            request["resourcesSet"]["items"]["resourceId"] == json!([{"prefix": "sg-"}])
        });
        let watched = of_groups.map(|request| &request["tagSet"]["items"]["key"]);
        assert_eq!(watched, key.map(|key| json!([key])).as_ref(), "{scope:?}");
    }
}

#[test]
fn the_schedules_ask_for_the_accounts_and_regions_that_are_set() {
    let both = rules(&[
        (AUDITOR, json!({})),
        (
            AUDITOR,
            json!({
                "SweepAccounts": "210987654321,111122223333",
                "SweepRegions": "eu-west-1",
                "SweepSchedule": "cron(30 5 * * ? *)",
            }),
        ),
        (AUDITOR, json!({"HoldMaxHours": "0"})),
    ]);
    let [plain, set, without_holds] = &both[..] else { panic!("three") };
    let asked = |rules: &BTreeMap<String, Value>, rule: &str| -> Message {
        let input = rules[rule]["inputs"][0].as_str().expect("an input");
        let events = decode(input.as_bytes());
        let [event] = &events[..] else { panic!("{input}: {events:?}") };
        let Kind::Message(message) = &event.kind else { panic!("{input}: {event:?}") };
        message.clone()
    };
    for (rule, task) in [
        ("Sweep", Message::Sweep as fn(Sweep) -> Message),
        ("AfterDeployment", Message::Sweep),
        ("HoldsCheck", Message::Holds),
    ] {
        assert_eq!(asked(plain, rule), task(Sweep::default()), "{rule}");
        // The stack's own account and region stay in when others are added.
        let accounts = ["123456789012", "210987654321", "111122223333"];
        let accounts = accounts.map(|account| account.parse().unwrap()).to_vec();
        let regions = ["eu-central-1", "eu-west-1"].map(|region| region.parse().unwrap()).to_vec();
        let expected = task(Sweep { accounts, regions, ..Sweep::default() });
        assert_eq!(asked(set, rule), expected, "{rule}");
    }
    assert_eq!(plain["Sweep"]["schedule"], "rate(1 day)");
    assert_eq!(set["Sweep"]["schedule"], "cron(30 5 * * ? *)");
    assert_eq!(plain["HoldsCheck"]["schedule"], "rate(15 minutes)");
    assert!(!without_holds.contains_key("HoldsCheck"));
}

/// The resources of a template, as they are written.
fn resources(template: &str) -> BTreeMap<&str, &str> {
    let (_, section) = template.split_once("\nResources:\n").expect("resources");
    let (section, _) = section.split_once("\nOutputs:\n").expect("outputs");
    section.split("\n\n").filter_map(resource).collect()
}

/// A resource's name and its text, comments before it left out.
fn resource(paragraph: &str) -> Option<(&str, &str)> {
    let start = paragraph.lines().find(|line| {
        line.starts_with("  ") && !line.starts_with("   ") && !line.starts_with("  #")
    })?;
    let text = &paragraph[paragraph.find(start)?..];
    Some((start.trim().trim_end_matches(':'), text))
}

#[test]
fn a_baseline_of_ones_own_comes_by_a_layer_of_the_folder_or_by_one_that_is_named() {
    const NAMED: &str = "arn:aws:lambda:eu-central-1:123456789012:layer:baseline:1";
    const OWN: &str = "/opt/our-site.yaml";
    let layers = |baseline: &str, layer: &str| {
        let parameters = json!({"Baseline": baseline, "BaselineLayer": layer});
        let mut resources = resolved(&[(AUDITOR, parameters)]).remove(0);
        let made = resources.remove("OwnBaseline").map(|it| it["Properties"]["ContentUri"].clone());
        (resources["Auditor"]["Properties"]["Layers"].clone(), made)
    };
    for baseline in ["standard", "restricted-egress", "as-documented"] {
        assert_eq!(layers(baseline, ""), (Value::Null, None), "{baseline}");
    }
    let (used, made) = layers(OWN, "");
    assert_eq!(used, json!(["stack-OwnBaseline-1A2B3C4D5E6F"]));
    assert!(repository().join(made.as_ref().and_then(Value::as_str).expect("a folder")).is_dir());
    assert_eq!(layers(OWN, NAMED), (json!([NAMED]), None));
}

#[test]
fn no_event_is_lost_silently() {
    for file in [AUDITOR, MEMBER] {
        let template = read(file);
        let resources = resources(&template);
        let rules: Vec<_> = resources
            .iter()
            .filter(|(_, text)| text.contains("Type: AWS::Events::Rule\n"))
            .collect();
        assert!(rules.len() >= 2, "{file}: {:?}", resources.keys());
        for (rule, text) in rules {
            for part in ["RetryPolicy:", "DeadLetterConfig:\n            Arn: !GetAtt Failures.Arn"]
            {
                assert!(text.contains(part), "{file}: {rule} has no {part}");
            }
            let arn = format!("!GetAtt {rule}.Arn");
            assert!(resources["RulesReachFailures"].contains(&arn), "{file}: {rule} has no queue");
            if file == AUDITOR {
                let invokes = resources[format!("{rule}InvokeAuditor").as_str()];
                assert!(invokes.contains(&format!("SourceArn: {arn}")), "{rule}: {invokes}");
            }
        }
    }
}

#[test]
fn every_asterisk_has_its_reason_right_above_it() {
    for file in [AUDITOR, MEMBER] {
        let template = read(file);
        let (_, resources) = template.split_once("\nResources:\n").expect("resources");
        let lines: Vec<&str> = resources.lines().collect();
        let is_comment = |line: &str| line.trim_start().starts_with('#');
        let mut asterisks = 0;
        for (before, line) in lines.iter().zip(lines.iter().skip(1)) {
            if line.contains('*') && !is_comment(line) {
                assert!(is_comment(before), "{file}: no reason above {line}");
                asterisks += 1;
            }
        }
        assert!(asterisks >= 4, "{file}");
    }
}

#[test]
fn failed_events_are_retried_for_a_day_and_then_parked() {
    let template = read(AUDITOR);
    let resources = resources(&template);
    let number = |resource: &str, property: &str| -> u32 {
        let (_, rest) = resources[resource].split_once(&format!(" {property}: ")).expect(property);
        rest.lines().next().expect("a value").parse().expect("a number")
    };
    let again = number("Failures", "VisibilityTimeout");
    assert!(again >= 6 * number("Auditor", "Timeout"), "Lambda may still be busy with it");
    assert_eq!(again * number("Failures", "maxReceiveCount"), 24 * 60 * 60);
    assert!(number("Failures", "MessageRetentionPeriod") > 24 * 60 * 60, "deleted before");
    // It counts from when the event came into the first queue.
    assert!(number("Parked", "MessageRetentionPeriod") > 2 * 24 * 60 * 60, "deleted before");
    assert!(resources["Failures"].contains("deadLetterTargetArn: !GetAtt Parked.Arn"));
    let feeding = resources["FailuresAgain"];
    for part in ["EventSourceArn: !GetAtt Failures.Arn", "BatchSize: 1\n", "MaximumConcurrency: 2"]
    {
        assert!(feeding.contains(part), "{feeding}");
    }
}

#[test]
fn every_alarm_is_sent_shown_and_explained() {
    let template = read(AUDITOR);
    let resources = resources(&template);
    let operations = read("docs/operations.md");
    let alarms: Vec<_> = resources
        .iter()
        .filter(|(_, text)| text.contains("Type: AWS::CloudWatch::Alarm\n"))
        .collect();
    assert!(alarms.len() >= 10, "{alarms:?}");
    for (alarm, text) in alarms {
        for part in ["AlarmActions: [!Ref Alarms]", "TreatMissingData: "] {
            assert!(text.contains(part), "{alarm} has no {part}");
        }
        assert!(resources["Dashboard"].contains(&format!("!GetAtt {alarm}.Arn")), "{alarm}");
        assert!(operations.contains(&format!("`{alarm}`")), "{alarm}");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, see) = words.split_once("See \"").expect("where to look");
        let (heading, _) = see.split_once('"').expect("the end of the heading");
        assert!(operations.contains(&format!("\n### {heading}\n")), "{alarm}: {heading}");
    }
}
