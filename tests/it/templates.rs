//! What the templates deploy: the same patterns, the same rights, and payloads that the function understands.

mod alarms;
mod definition;
mod lean;
mod lengths;
mod names;
mod regions;
mod tags;
mod watching;

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use typo3_sg_auditor::audit::run::Task;
use typo3_sg_auditor::event::{Job, Kind, Sweep, Target, decode};

use crate::support::resolved::{
    AUDITOR, MEMBER, ORGANISATION, Resources, TEMPLATES, member_parameters,
    organisation_parameters, resources as resolved, with_parts,
};
use crate::support::sg_audit::repository;

fn read(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The rules of a stack.
fn rules(resources: &Resources) -> BTreeMap<&str, &Value> {
    let rules = resources.iter().filter(|(_, it)| it["Type"] == "AWS::Events::Rule");
    rules.map(|(name, it)| (name.as_str(), &it["Properties"])).collect()
}

/// Every template with all that it can have.
fn everything() -> Vec<(&'static str, Resources)> {
    let mut organisation = organisation_parameters();
    organisation["MemberRoleName"] = "typo3-sg-auditor-member".into();
    organisation["Accounts"] = "210987654321,111122223333".into();
    organisation["Regions"] = "eu-west-1".into();
    let all = with_parts(json!({
        "Scope": "tag:role=web", "Remediation": "revert-ssh", "SshSources": "none",
        "Organisation": "typo3-sg-auditor-member::ours", "Encryption": "all",
    }));
    let asked = [(AUDITOR, all), (MEMBER, member("tag:role=web")), (ORGANISATION, organisation)];
    let names = asked.iter().map(|(template, _)| *template);
    names.zip(resolved(&asked)).collect()
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
    for ((scope, key), both) in SCOPES.iter().zip(resolved(&asked).chunks(2)) {
        let [auditor, member] = both else { panic!("two templates") };
        let pattern = |resources: &Resources| rules(resources)["Changes"]["EventPattern"].clone();
        assert_eq!(pattern(auditor), pattern(member), "{scope:?}");
        let pattern = pattern(auditor);
        let tags = pattern["detail"]["$or"].as_array().expect("either");
        let of_groups = tags.iter().map(|either| &either["requestParameters"]).find(|request| {
            request["resourcesSet"]["items"]["resourceId"] == json!([{"prefix": "sg-"}])
        });
        let watched = of_groups.map(|request| &request["tagSet"]["items"]["key"]);
        assert_eq!(watched, key.map(|key| json!([key])).as_ref(), "{scope:?}");
    }
}

/// What the targets of a rule ask the function for.
fn asked(resources: &Resources, rule: &str) -> Vec<Job> {
    let targets = rules(resources)[rule]["Targets"].as_array().expect("targets").clone();
    let inputs = targets.iter().map(|target| target["Input"].as_str().expect("an input"));
    inputs
        .map(|input| {
            let events = decode(input.as_bytes());
            let [event] = &events[..] else { panic!("{input}: {events:?}") };
            let Kind::Job(message) = &event.kind else { panic!("{input}: {event:?}") };
            message.clone()
        })
        .collect()
}

#[test]
fn one_word_sets_the_sweep_and_its_alarm() {
    let words = ["hourly", "daily", "weekly", "off"];
    let stacks = resolved(&words.map(|word| (AUDITOR, json!({"Schedule": word}))));
    let hours = |every: &Value| -> Option<u64> {
        let rate = every.as_str()?.strip_prefix("rate(")?.strip_suffix(')')?;
        let (number, unit) = rate.split_once(' ')?;
        let unit = if unit.starts_with("day") { 24 } else { 1 };
        Some(number.parse::<u64>().ok()? * unit)
    };
    for (word, stack) in words.iter().zip(&stacks) {
        let sweep = rules(stack)["Sweep"];
        let schedule = serde_json::from_value(json!(word)).expect("a schedule");
        let expected = Sweep { schedule: Some(schedule), ..Sweep::default() };
        assert_eq!(asked(stack, "Sweep"), [Job::Sweep(expected)], "{word}");
        // After a deployment there is always one.
        let statuses = &sweep["EventPattern"]["detail"]["status-details"]["status"];
        assert_eq!(*statuses, json!(["CREATE_COMPLETE", "UPDATE_COMPLETE"]), "{word}");
        let every = hours(&sweep["ScheduleExpression"]);
        let alarm = stack.get("SweepMissed").map(|it| &it["Properties"]);
        assert_eq!(every.is_some(), *word != "off");
        assert_eq!(alarm.is_some(), *word != "off");
        let (Some(every), Some(alarm)) = (every, alarm) else { continue };
        assert_eq!(alarm["Period"], 3600);
        let window = alarm["EvaluationPeriods"].as_u64().expect("hours");
        // Late by an hour is not missing, and CloudWatch looks back seven days.
        assert!(every + 1 < window && window <= 7 * 24, "{word}: {every} {window}");
    }
}

#[test]
fn the_schedules_of_an_organisation_ask_for_the_accounts_and_regions_that_are_set() {
    let with = |accounts: &str, regions: &str| {
        let mut parameters = organisation_parameters();
        parameters["MemberRoleName"] = "typo3-sg-auditor-member".into();
        parameters["Accounts"] = accounts.into();
        parameters["Regions"] = regions.into();
        parameters["SweepSchedule"] = "cron(30 5 * * ? *)".into();
        (ORGANISATION, parameters)
    };
    let stacks = resolved(&[
        with("", ""),
        with("210987654321,111122223333", "eu-west-1"),
        with("", "eu-west-1"),
        with("210987654321", ""),
        with("organization", "enabled"),
        with("ou-abcd-12345678,ou-abcd-87654321", "eu-west-1"),
    ]);
    let sweep = |accounts: &[&str], regions: &[&str]| Sweep {
        accounts: accounts.iter().map(|account| account.parse().unwrap()).collect(),
        regions: regions.iter().map(|region| region.parse().unwrap()).collect(),
        ..Sweep::default()
    };
    // The stack's own account and region stay in when others are added.
    let accounts = ["123456789012", "210987654321", "111122223333"];
    let regions = ["eu-central-1", "eu-west-1"];
    for (stack, expected) in [(&stacks[0], Sweep::default()), (&stacks[2], sweep(&[], &regions))] {
        assert_eq!(asked(stack, "MembersSweep"), [Job::Sweep(expected)]);
        assert!(!stack.contains_key("SweepMachine") && !stack.contains_key("Results"));
    }
    for (stack, accounts, regions) in [
        (&stacks[1], "123456789012,210987654321,111122223333", "eu-central-1,eu-west-1"),
        (&stacks[3], "123456789012,210987654321", ""),
        (&stacks[4], "123456789012,organization", "enabled"),
        (&stacks[5], "123456789012,ou-abcd-12345678,ou-abcd-87654321", "eu-central-1,eu-west-1"),
    ] {
        let [target] = &rules(stack)["MembersSweep"]["Targets"].as_array().expect("targets")[..]
        else {
            panic!("{stack:#?}")
        };
        assert_eq!(
            (&target["Arn"], &target["Input"]),
            (&stack["SweepMachine"]["Ref"], &json!("{}"))
        );
        let set = &stack["SweepMachine"]["Properties"]["DefinitionSubstitutions"];
        let discover = json!({"discover": {
            "run": "tuesday", "bucket": set["Bucket"], "accounts": set["Accounts"], "regions": set["Regions"],
            "input": {},
        }});
        assert_eq!((&set["Accounts"], &set["Regions"]), (&json!(accounts), &json!(regions)));
        let task = Task::of(discover.to_string().as_bytes());
        assert!(matches!(task, Some(Ok(Task::Discover(_)))), "{task:?}");
    }
    for stack in &stacks {
        assert_eq!(rules(stack)["MembersSweep"]["ScheduleExpression"], "cron(30 5 * * ? *)");
    }
    // The auditor checks its own place itself.
    assert!(!stacks[0].contains_key("MembersHoldsCheck"));
    for (stack, expected) in stacks[1..].iter().zip([
        vec![sweep(&[], &["eu-west-1"]), sweep(&accounts[1..], &regions)],
        vec![sweep(&[], &["eu-west-1"])],
        vec![sweep(&["210987654321"], &[])],
        // Which accounts there are is not known here, and of the regions neither.
        vec![],
        vec![sweep(&[], &["eu-west-1"])],
    ]) {
        if expected.is_empty() {
            assert!(!stack.contains_key("MembersHoldsCheck"));
            continue;
        }
        let expected: Vec<Job> = expected.into_iter().map(Job::Holds).collect();
        assert_eq!(asked(stack, "MembersHoldsCheck"), expected);
    }
}

#[test]
fn what_is_over_or_waits_is_looked_for_four_times_an_hour() {
    let stacks = resolved(&["24", "0"].map(|hours| (AUDITOR, json!({"HoldMaxHours": hours}))));
    for stack in &stacks {
        assert_eq!(asked(stack, "HoldsCheck"), [Job::Holds(Sweep::default())]);
        assert_eq!(rules(stack)["HoldsCheck"]["ScheduleExpression"], "rate(15 minutes)");
    }
}

#[test]
fn a_remediation_is_taken_apart_into_the_functions_variables() {
    let words = [
        ("notify", ["notify", "notify", "baseline"]),
        ("revert-ssh", ["revert-ssh", "notify", "baseline"]),
        ("revert-ingress+keep-nothing", ["revert-ingress", "notify", "nothing"]),
        ("notify+sweep-revert-ssh", ["notify", "revert-ssh", "baseline"]),
        (
            "revert-ssh+sweep-revert-ingress+keep-nothing",
            ["revert-ssh", "revert-ingress", "nothing"],
        ),
    ];
    let asked = words.map(|(word, _)| (AUDITOR, json!({"Remediation": word})));
    for ((word, expected), stack) in words.iter().zip(resolved(&asked)) {
        let variables = &stack["Auditor"]["Properties"]["Environment"]["Variables"];
        let set = ["REMEDIATION", "SWEEP_REMEDIATION", "REVERT_KEEPS"].map(|it| &variables[it]);
        assert_eq!(set, *expected, "{word}");
    }
}

#[test]
fn the_hook_fails_or_warns_as_the_function_is_told() {
    let words = ["warn", "fail"];
    let stacks = resolved(&words.map(|word| (AUDITOR, json!({"Hook": word}))));
    for ((word, mode), stack) in words.iter().zip(["WARN", "FAIL"]).zip(&stacks) {
        assert_eq!(stack["Auditor"]["Properties"]["Environment"]["Variables"]["HOOK"], *word);
        let hook = &stack["Hook"]["Properties"];
        assert_eq!(hook["FailureMode"], mode);
        assert_eq!(hook["HookStatus"], "ENABLED");
        assert_eq!(hook["Alias"], "SgAuditor::Typo3::Hook0a1b2c3d");
        assert_eq!(hook["TargetOperations"], json!(["RESOURCE", "CLOUD_CONTROL"]));
        let targets: Vec<&str> = hook["TargetFilters"]["TargetNames"]
            .as_array()
            .expect("targets")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let judged = [Target::Group, Target::Ingress, Target::Egress].map(Target::as_str);
        assert_eq!(targets, judged);
    }
    assert!(!resolved(&[(AUDITOR, json!({}))])[0].contains_key("Hook"));
}

#[test]
fn an_organisation_is_taken_apart_into_the_role_and_its_external_id() {
    let words = [
        ("off", ["", ""]),
        ("typo3-sg-auditor-member", ["typo3-sg-auditor-member", ""]),
        ("member::o-example:1", ["member", "o-example:1"]),
    ];
    let asked = words.map(|(word, _)| (AUDITOR, json!({"Organisation": word})));
    for ((word, expected), stack) in words.iter().zip(resolved(&asked)) {
        let variables = &stack["Auditor"]["Properties"]["Environment"]["Variables"];
        let set = ["MEMBER_ROLE_NAME", "MEMBER_EXTERNAL_ID"].map(|name| &variables[name]);
        assert_eq!(set, *expected, "{word}");
    }
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
    let layers = |baseline: &str| {
        let parameters = json!({"Baseline": baseline});
        let mut resources = resolved(&[(AUDITOR, parameters)]).remove(0);
        let made = resources.remove("OwnBaseline").map(|it| it["Properties"]["ContentUri"].clone());
        let function = &resources["Auditor"]["Properties"];
        let read = function["Environment"]["Variables"]["BASELINE"].clone();
        (function["Layers"].clone(), made, read)
    };
    for baseline in ["standard", "restricted-egress", "as-documented"] {
        assert_eq!(layers(baseline), (Value::Null, None, baseline.into()), "{baseline}");
    }
    let (used, made, read) = layers(OWN);
    assert_eq!((used, read), (json!(["stack-OwnBaseline-1A2B3C4D5E6F"]), OWN.into()));
    assert!(repository().join(made.as_ref().and_then(Value::as_str).expect("a folder")).is_dir());
    let named = layers(&format!("{NAMED}/our-site.yaml"));
    assert_eq!(named, (json!([NAMED]), None, OWN.into()));
}

#[test]
fn no_event_is_lost_silently() {
    let mut rules_of_all = 0;
    for (template, resources) in everything() {
        for (rule, properties) in rules(&resources) {
            for target in properties["Targets"].as_array().expect("targets") {
                let retried =
                    json!({"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185});
                assert_eq!(target["RetryPolicy"], retried, "{template}: {rule}");
                let queue = target["DeadLetterConfig"]["Arn"].as_str().expect("a queue");
                assert!(
                    queue.ends_with(":stack-Failures-1A2B3C4D5E6F"),
                    "{template}: {rule} {queue}"
                );
            }
            rules_of_all += 1;
        }
    }
    assert_eq!(rules_of_all, 4 + 5 + 3 + 2);
}

#[test]
fn every_asterisk_has_its_reason_right_above_it() {
    for file in TEMPLATES {
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
        assert!(
            asterisks > 0 || ["stacks/hook.yaml", "stacks/observability.yaml"].contains(&file),
            "{file}"
        );
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
    for part in ["EventSourceArn: !GetAtt Failures.Arn", "BatchSize: 1"] {
        assert!(feeding.contains(part), "{feeding}");
    }
    assert!(!feeding.contains("ScalingConfig:"), "Lambda would poll more often: {feeding}");
}

#[test]
fn every_alarm_is_mailed_shown_and_explained() {
    let operations = read("docs/operations.md");
    let mut alarms = BTreeMap::new();
    let [(_, auditor), _, (_, organisation)] = &everything()[..] else { panic!("three") };
    let shown = auditor["Dashboard"]["Properties"]["DashboardBody"].as_str().expect("a dashboard");
    for (part, resources) in [("", auditor), (" of an organisation", organisation)] {
        for (name, it) in resources {
            if it["Type"] == "AWS::CloudWatch::Alarm" {
                alarms.insert(format!("{name}{part}"), it);
            }
        }
    }
    assert_eq!(alarms.len(), 14, "{:?}", alarms.keys());
    let pattern = &rules(auditor)["AlarmChanges"]["EventPattern"]["detail"];
    let prefix = pattern["alarmName"][0]["prefix"].as_str().expect("a prefix");
    for (name, alarm) in alarms {
        let own = alarm["Ref"].as_str().expect("a name");
        assert!(own.starts_with(prefix), "{own} is not mailed");
        assert!(alarm["Properties"].get("TreatMissingData").is_some(), "{name}");
        let (word, _) = name.split_once(' ').unwrap_or((name.as_str(), ""));
        let arn = format!("alarm:{own}\"");
        assert!(shown.contains(&arn) || name != word, "{name} is not shown in {shown}");
        assert!(operations.contains(&format!("`{word}`")), "{name}");
        let words = alarm["Properties"]["AlarmDescription"].as_str().expect("a description");
        let (_, see) = words.split_once("See \"").expect("where to look");
        let (heading, _) = see.split_once('"').expect("the end of the heading");
        assert!(operations.contains(&format!("\n### {heading}\n")), "{name}: {heading}");
    }
}
