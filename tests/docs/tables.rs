//! The tables of the pages match the code and the templates.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use chrono::NaiveDate;
use strum::IntoEnumIterator;
use typo3_sg_auditor::evaluate::Code;
use typo3_sg_auditor::evaluate::severity::DATABASES;
use typo3_sg_auditor::settings::FunctionSettings;

use super::page::{blocks, parameters, table};
use super::{printed, read, sg_audit};

#[test]
fn the_documented_settings_are_those_of_the_function_and_the_template() {
    let asked = RefCell::new(BTreeSet::new());
    let day = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    FunctionSettings::from_env(
        |name| {
            asked.borrow_mut().insert(name.to_owned());
            None
        },
        day,
    )
    .expect_err("nothing is set");
    let asked = asked.into_inner();

    let template = read("template.yaml");
    let (_, variables) = template.split_once("\n        Variables:\n").expect("variables");
    let set: BTreeMap<&str, &str> = variables
        .lines()
        .map_while(|line| line.strip_prefix("          ")?.split_once(": !Ref "))
        .collect();
    assert_eq!(set.keys().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), asked);

    let parameters = parameters(&template);
    let documented = table(&read("docs/settings.md"), "## All settings");
    let mut named = BTreeSet::new();
    for row in &documented {
        let [parameter, variable, default, ..] = &row[..] else { panic!("{row:?}") };
        let expected = parameters.get(parameter.as_str()).unwrap_or_else(|| panic!("{row:?}"));
        let default = if default == "none set" { "" } else { default };
        assert_eq!(&default, expected, "the default of {parameter}");
        if variable != "–" {
            assert_eq!(set.get(variable.as_str()), Some(&parameter.as_str()), "{variable}");
        }
        named.insert(parameter.as_str());
    }
    assert_eq!(named, parameters.keys().copied().collect(), "every parameter is documented");
    let variables: BTreeSet<&str> = documented.iter().map(|row| row[1].as_str()).collect();
    // The template makes the topic, so it is not a setting.
    for name in asked.iter().filter(|name| *name != "TOPIC_ARN") {
        assert!(variables.contains(name.as_str()), "{name} is not documented");
    }
}

#[test]
fn the_documented_rights_are_those_of_the_template() {
    const SERVICES: [&str; 8] =
        ["ec2:", "kms:", "lambda:", "logs:", "sns:", "sqs:", "sts:", "xray:"];
    let actions = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != ':');
        let action = |word: &&str| {
            let name = SERVICES.iter().find_map(|service| word.strip_prefix(service));
            // What has a second colon is the key of a condition (`kms:EncryptionContext:…`).
            name.is_some_and(|it| it.starts_with(char::is_uppercase) && !it.contains(':'))
        };
        words.filter(action).map(ToOwned::to_owned).collect()
    };
    let documented = table(&read("docs/rights.md"), "## The function's role").concat().join(" ");
    assert_eq!(actions(&documented), actions(&read("template.yaml")));
}

#[test]
fn the_documented_number_of_alarms_is_that_of_the_template() {
    let alarms = read("template.yaml").matches("Type: AWS::CloudWatch::Alarm\n").count();
    assert_eq!(alarms, 11);
    assert!(read("docs/costs.md").contains("up to eleven alarms"));
}

#[test]
fn the_baseline_that_is_shown_is_valid() {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/documented.yaml");
    let settings = read("docs/settings.md");
    let [baseline] = blocks(&settings, "yaml")[..] else { panic!("not one block of YAML") };
    fs::write(file, baseline).unwrap();
    let ran = sg_audit(&["baseline", "validate", file]);
    // There may be a warning about an exemption that ends soon.
    assert_eq!(ran.status.code(), Some(0), "{}", printed(&ran));
}

#[test]
fn every_code_is_documented() {
    let codes: BTreeSet<String> = Code::iter().map(|code| code.as_str().to_owned()).collect();
    let table: BTreeSet<String> = table(&read("README.md"), "## Findings")
        .into_iter()
        .map(|row| row.into_iter().next().expect("a cell"))
        .collect();
    assert_eq!(table, codes, "README.md");
    let findings = read("docs/findings.md");
    let headings: BTreeSet<String> = findings
        .lines()
        .filter_map(|line| Some(line.strip_prefix("## `")?.strip_suffix('`')?.to_owned()))
        .collect();
    assert_eq!(headings, codes, "docs/findings.md");
    for port in DATABASES {
        assert!(findings.contains(&format!(" {port}")), "port {port} is not in docs/findings.md");
    }
}

#[test]
fn the_documented_instruction_counts_are_those_of_the_bench() {
    let counts = read("benches/pure/instructions.tsv");
    let counts: Vec<Vec<String>> =
        counts.lines().map(|line| line.split('\t').map(ToOwned::to_owned).collect()).collect();
    let documented = table(&read("docs/performance.md"), "## Instruction counts");
    assert!(counts.len() > 1);
    // A table of what each case is follows.
    assert_eq!(documented.get(..counts.len()), Some(&counts[..]));
    for count in &counts[1..] {
        let explained = documented[counts.len()..].iter().flat_map(|row| row[0].split(", "));
        assert!(explained.into_iter().any(|case| case == count[0]), "{}", count[0]);
    }
}
