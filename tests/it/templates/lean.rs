//! The core is small: what CloudFormation makes by default, and how much a person is asked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::read;
use crate::support::resolved::{AUDITOR, run};

const MOST_RESOURCES: usize = 24;
const MOST_PARAMETERS: usize = 10;
/// One for each part that is nested, or that the function has to know of.
const SWITCHES: [&str; 4] = ["Hook", "Observability", "Organisation", "Watch"];

/// What CloudFormation makes of the template with these parameters, after SAM's transform.
fn made(parameters: &Value) -> BTreeMap<String, String> {
    let asked = json!({"template": AUDITOR, "parameters": parameters});
    serde_json::from_slice(&run("transform.py", &asked)).expect("JSON")
}

#[test]
fn by_default_there_are_few_resources_with_what_sam_adds() {
    let made = made(&json!({"AlertEmail": "you@example.com"}));
    assert!(made.len() <= MOST_RESOURCES, "{made:#?}");
    // What SAM adds is counted.
    let of = |kind: &str| made.values().filter(|it| *it == kind).count();
    assert_eq!(of("AWS::Lambda::EventInvokeConfig"), 1);
    assert_eq!(of("AWS::SNS::Topic"), 1);
    assert_eq!(of("AWS::SNS::Subscription"), 1, "one mail to confirm");
    assert_eq!(of("AWS::Lambda::Permission"), 1);
    assert_eq!(of("AWS::CloudWatch::Alarm"), 4);
    assert_eq!(of("AWS::DynamoDB::Table"), 1);
    assert_eq!(of("AWS::CloudWatch::Dashboard") + of("AWS::KMS::Key"), 0);
    assert_eq!(of("AWS::CloudFormation::Stack"), 0);
}

#[test]
fn each_switch_adds_its_part_and_nothing_else() {
    let plain = made(&json!({}));
    for (switch, word, added) in [
        ("Watch", "on", Some("WatchPart")),
        ("Observability", "on", Some("ObservabilityPart")),
        ("Observability", "traces", Some("ObservabilityPart")),
        ("Hook", "warn", Some("HookPart")),
        ("Hook", "fail", Some("HookPart")),
        ("Organisation", "typo3-sg-auditor-member", None),
    ] {
        let names = |made: BTreeMap<String, String>| made.into_keys().collect::<BTreeSet<_>>();
        let with = names(made(&json!({ switch: word })));
        let more: Vec<&str> =
            with.iter().filter(|name| !plain.contains_key(*name)).map(String::as_str).collect();
        assert_eq!(more, added.into_iter().collect::<Vec<_>>(), "{switch}");
    }
}

/// The parameters of the core by their names, each as it is written.
fn parameters(template: &str) -> BTreeMap<&str, &str> {
    let (_, section) = template.split_once("\nParameters:\n").expect("parameters");
    let (section, _) = section.split_once("\nRules:\n").expect("their end");
    let is_name =
        |line: &str| line.starts_with("  ") && !line.starts_with("   ") && !line.contains('#');
    let names = section.lines().filter(|line| is_name(line));
    names
        .map(|line| {
            let (_, rest) = section.split_once(&format!("{line}\n")).expect("a parameter");
            let end = rest
                .match_indices("\n  ")
                .find(|(at, _)| rest.get(at + 3..at + 4).is_some_and(|next| next != " "));
            (line.trim().trim_end_matches(':'), &rest[..end.map_or(rest.len(), |(at, _)| at)])
        })
        .collect()
}

#[test]
fn a_person_is_asked_little_and_each_question_is_a_sentence() {
    let template = read(AUDITOR);
    let parameters = parameters(&template);
    let asked: Vec<&str> =
        parameters.keys().copied().filter(|name| !SWITCHES.contains(name)).collect();
    assert!(asked.len() <= MOST_PARAMETERS, "{asked:?}");
    assert_eq!(parameters.len(), asked.len() + SWITCHES.len());
    for (name, text) in &parameters {
        let (_, description) = text.split_once("\n    Description: ").expect("a description");
        let description = description.trim_start_matches(">-").trim();
        assert!(description.ends_with('.') && description.contains(' '), "{name}: {description}");
        assert!(description.starts_with(char::is_uppercase), "{name}: {description}");
    }
    // Everything but the address has a default.
    let without: Vec<&str> = parameters
        .iter()
        .filter(|(_, text)| !text.contains("    Default: "))
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(without, ["AlertEmail"]);
}

#[test]
fn no_alarm_publishes_by_itself_past_the_filter_of_the_mails() {
    for file in crate::support::resolved::TEMPLATES {
        assert!(!read(file).contains("AlarmActions: "), "{file}");
    }
}
