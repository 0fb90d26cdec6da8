//! What the two templates deploy: the same patterns, the same rights, and payloads that the function understands.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use typo3_sg_auditor::event::{Event, Schedule, Task, decode};

use crate::reverts::REVERT;
use crate::support::permission::tcp;
use crate::support::sg_audit::repository;
use crate::support::venv;
use crate::support::world::{Direction::Ingress, World};

const AUDITOR: &str = "template.yaml";
const MEMBER: &str = "member-template.yaml";

fn read(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The rules of each template with these parameters, by their names.
fn rules(asked: &[(&str, Value)]) -> Vec<BTreeMap<String, Value>> {
    let asked: Vec<Value> = asked
        .iter()
        .map(|(template, parameters)| json!({"template": template, "parameters": parameters}))
        .collect();
    let mut python = Command::new(venv::program("python"))
        .arg(venv::script("resolve_rules.py"))
        .current_dir(repository())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python starts");
    let input = serde_json::to_vec(&asked).unwrap();
    python.stdin.take().expect("a pipe").write_all(&input).expect("python reads");
    let output = python.wait_with_output().expect("python ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What the member's template cannot do without.
fn member(scope: &str) -> Value {
    json!({
        "AuditorRole": "arn:aws:iam::123456789012:role/auditor",
        "AuditorEventBus": "arn:aws:events:eu-central-1:123456789012:event-bus/default",
        "HomeRegion": "eu-central-1",
        "Scope": scope,
    })
}

#[test]
fn what_is_forwarded_is_what_is_audited_and_has_the_key_of_the_scope() {
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
        assert_eq!(auditor.contains_key("TagChanges"), key.is_some(), "{scope:?}");
        if let (Some(rule), Some(key)) = (auditor.get("TagChanges"), key) {
            let either = &rule["pattern"]["detail"]["requestParameters"]["$or"];
            assert_eq!(
                either,
                &json!([
                    {"tagSet": {"items": {"key": [key]}}},
                    // DeleteTags without a tag deletes all of them.
                    {"tagSet": {"items": {"key": [{"exists": false}]}}},
                ]),
                "{scope:?}"
            );
        }
    }
}

/// The rules of the auditor's stack, all that there can be, and the patterns of those that watch it.
fn watching() -> (BTreeMap<String, Value>, Vec<(String, Value)>) {
    let rules = rules(&[(AUDITOR, json!({"Scope": "tag:role=web"}))]).remove(0);
    let watch = rules
        .iter()
        .filter(|(name, _)| {
            ["WatchAuditor", "WatchFindings"].contains(&name.as_str())
                || name.starts_with("typo3-sg-auditor-watch-")
        })
        .map(|(name, rule)| (name.clone(), rule["pattern"].clone()))
        .collect();
    (rules, watch)
}

#[test]
fn each_rule_is_watched_by_another_than_itself() {
    let (rules, watch) = watching();
    assert_eq!(watch.len(), 3, "{watch:?}");
    for rule in rules.keys() {
        // CloudFormation makes up a name where the template gives none.
        let names = [format!("\"stack-{rule}-"), format!("\"{rule}\"")];
        let watched = watch.iter().filter(|(other, _)| other != rule).any(|(_, pattern)| {
            let pattern = pattern.to_string();
            // As `name` and as `rule`: the calls differ in what they call it.
            names.iter().map(|name| pattern.matches(name.as_str()).count()).sum::<usize>() == 2
        });
        assert!(watched, "nobody tells of a change of {rule}");
    }
}

#[test]
fn what_is_watched_is_understood_with_what_it_changed() {
    let (_, watch) = watching();
    let mut calls = 0;
    for (_, pattern) in &watch {
        for branch in pattern["$or"].as_array().expect("branches") {
            let service = branch["source"][0].as_str().expect("a source");
            let service = service.strip_prefix("aws.").expect("an AWS service");
            let detail = &branch["detail"];
            for name in detail["eventName"].as_array().expect("calls") {
                // The version of Lambda's API may follow.
                let name = name.as_str().or(name["prefix"].as_str()).expect("a name");
                let either = detail["requestParameters"]["$or"].as_array().cloned();
                for request in either.unwrap_or(vec![detail["requestParameters"].clone()]) {
                    let mut record = json!({
                        "eventSource": format!("{service}.amazonaws.com"), "eventName": name,
                        "requestParameters": named(&request),
                        "responseElements": named(&detail["responseElements"]),
                    });
                    if service == "cloudtrail" {
                        record["requestParameters"] = json!({"name": "any"});
                    }
                    let events = decode(record.to_string().as_bytes());
                    let [Event::Watched(change)] = &events[..] else {
                        panic!("{record}: {events:?}")
                    };
                    assert!(change.resource.is_some(), "{record}");
                    calls += 1;
                }
            }
        }
    }
    assert!(calls > 30, "{calls}");
}

/// The members that a pattern asks for, each with something in it.
fn named(pattern: &Value) -> Value {
    let members = pattern.as_object().into_iter().flatten();
    members.map(|(name, _)| (name.clone(), json!("something"))).collect()
}

#[test]
fn no_pattern_is_longer_than_eventbridge_takes() {
    const MOST: usize = 2048;
    let (rules, _) = watching();
    for (name, rule) in rules {
        // Names begin with that of the stack, and most stacks have a longer one.
        let longer = format!("{}-", "s".repeat(40));
        let pattern = rule["pattern"].to_string().replace("stack-", &longer);
        assert!(pattern.len() <= MOST, "{name} has {} characters", pattern.len());
    }
}

#[test]
fn the_schedules_ask_for_what_is_set() {
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
    let asked = |rules: &BTreeMap<String, Value>, rule: &str| -> Schedule {
        let input = rules[rule]["inputs"][0].as_str().expect("an input");
        match &decode(input.as_bytes())[..] {
            [Event::Schedule(schedule)] => (**schedule).clone(),
            other => panic!("{input}: {other:?}"),
        }
    };
    for (rule, task) in
        [("Sweep", Task::Sweep), ("AfterDeployment", Task::Sweep), ("HoldsCheck", Task::Holds)]
    {
        assert_eq!(asked(plain, rule), Schedule { task, ..Schedule::default() }, "{rule}");
        // The stack's own are not left out because others are named.
        let accounts = ["123456789012", "210987654321", "111122223333"].map(str::to_owned).to_vec();
        let regions = ["eu-central-1", "eu-west-1"].map(str::to_owned).to_vec();
        let expected = Schedule { task, accounts, regions, ..Schedule::default() };
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

/// The actions on EC2 in a text.
fn ec2_actions(text: &str) -> BTreeSet<&str> {
    text.split_whitespace().filter(|word| word.starts_with("ec2:")).collect()
}

#[test]
fn a_role_in_another_account_may_do_what_the_function_may_in_its_own() {
    let (auditor, member) = (read(AUDITOR), read(MEMBER));
    let policies = |template| -> BTreeMap<String, BTreeSet<String>> {
        let role = resources(template)["Role"];
        let named = role.split("PolicyName: ").skip(1).map(|policy| {
            let name = policy.lines().next().expect("a name").to_owned();
            (name, ec2_actions(policy).into_iter().map(ToOwned::to_owned).collect())
        });
        named.filter(|(_, actions): &(_, BTreeSet<String>)| !actions.is_empty()).collect()
    };
    let of_function = policies(&auditor);
    assert_eq!(
        of_function.keys().map(String::as_str).collect::<Vec<_>>(),
        ["audit", "authorize", "revoke"]
    );
    assert_eq!(of_function, policies(&member));
    // By the same settings.
    let condition = |template: &str, name: &str| {
        let (_, text) = template.split_once(&format!("\n  {name}: ")).expect(name);
        let further = text.lines().skip(1).take_while(|line| line.starts_with("    "));
        text.lines().take(1).chain(further).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    for (name, policy) in [("Reverts", "revoke"), ("Narrows", "authorize")] {
        assert_eq!(condition(&auditor, name), condition(&member, name), "{name}");
        for template in [&auditor, &member] {
            assert!(template.contains(&format!("- {name}\n          - PolicyName: {policy}\n")));
        }
    }
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
fn what_is_for_everything_has_its_reason() {
    for file in [AUDITOR, MEMBER] {
        let template = read(file);
        let lines: Vec<&str> = template.lines().collect();
        for (before, line) in lines.iter().zip(lines.iter().skip(1)) {
            if line.ends_with(": \"*\"") {
                assert!(before.trim_start().starts_with('#'), "{file}: {line} says no reason");
            }
        }
    }
}

#[test]
fn what_fails_is_tried_for_a_day_and_then_parked() {
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

/// The pattern of a metric filter.
fn pattern(filter: &str) -> &str {
    let start = filter.find("{ $.").expect("a pattern");
    let length = filter[start..].find(" }").expect("its end");
    filter[start..start + length].trim_start_matches("{ ")
}

/// Whether a pattern counts a line of the log. It has terms with && between them, and each is `$.FIELD = "TEXT"`, or
/// several of these with || between them. An asterisk at the end stands for whatever follows.
fn counts(pattern: &str, line: &Value) -> bool {
    pattern.split(" && ").all(|term| {
        term.trim_matches(['(', ')']).split(" || ").any(|either| {
            let (field, text) = either.split_once(" = ").expect("a comparison");
            let field = field.strip_prefix("$.").expect("a field");
            let wanted = text.trim_matches('"');
            line[field].as_str().is_some_and(|said| match wanted.strip_suffix('*') {
                Some(start) => said.starts_with(start),
                None => said == wanted,
            })
        })
    })
}

#[tokio::test]
async fn what_the_alarms_count_is_what_the_function_logs() {
    let template = read(AUDITOR);
    let resources = resources(&template);
    let counted = |log: &[String], filter: &str| -> usize {
        let pattern = pattern(resources[filter]);
        log.iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| counts(pattern, line))
            .count()
    };
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let mut function = world.function(&REVERT);
    function.invoke(&event);
    function.log_line(|line| line.contains(r#""message":"audited""#));
    let log = function.log();
    let expected =
        [("CountFindings", 1), ("CountReverts", 1), ("CountFailedReverts", 0), ("CountSweeps", 0)];
    for (filter, lines) in expected {
        assert_eq!(counted(&log, filter), lines, "{filter}: {log:#?}");
    }
    function.invoke(&json!({"sweep": {}}));
    function.log_line(|line| line.contains(r#""message":"done""#));
    assert_eq!(counted(&function.log(), "CountSweeps"), 1);
}
