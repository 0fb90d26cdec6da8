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
        .take_while(|line| line.starts_with("          "))
        .filter_map(|line| line.strip_prefix("          ")?.split_once(": "))
        .filter(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    assert_eq!(set.keys().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), asked);

    let parameters = parameters(&template);
    let documented = table(&read("docs/settings.md"), "## All settings");
    let mut named = BTreeSet::new();
    let mut variables = BTreeSet::new();
    for row in &documented {
        let [parameter, of_function, default, ..] = &row[..] else { panic!("{row:?}") };
        let default = if default == "none set" { "" } else { default };
        // The first one has no default.
        let expected = parameters.get(parameter.as_str()).copied().unwrap_or("required");
        assert_eq!(default, expected, "the default of {parameter}");
        for variable in of_function.split(", ").filter(|it| *it != "–") {
            let value = set.get(variable).unwrap_or_else(|| panic!("{variable}"));
            let of_it = [format!("!Ref {parameter}"), format!("${{{parameter}}}")];
            assert!(of_it.iter().any(|it| value.contains(it)), "{variable} is {value}");
            variables.insert(variable);
        }
        named.insert(parameter.as_str());
    }
    let mut all: BTreeSet<&str> = parameters.keys().copied().collect();
    all.insert("AlertEmail");
    assert_eq!(named, all, "every parameter is documented");
    // The template makes the topic and the table and knows its stack, so these are no settings.
    let known = ["TOPIC_ARN", "STATE_TABLE", "STACK_NAME"];
    for name in asked.iter().filter(|name| !known.contains(&name.as_str())) {
        assert!(variables.contains(name.as_str()), "{name} is not documented");
    }
}

/// The parameters of the template before it became a core with parts.
const BEFORE: [&str; 27] = [
    "AlarmEmail",
    "AlertEmail",
    "Architecture",
    "Baseline",
    "BaselineLayer",
    "EncryptQueues",
    "EncryptTopics",
    "HoldMaxHours",
    "LogRetentionDays",
    "MailSeverity",
    "MaxRevertsPerHour",
    "MemberExternalId",
    "MemberRoleName",
    "OrganizationId",
    "Remediation",
    "ReservedConcurrency",
    "RevertKeeps",
    "Scope",
    "ShowDashboard",
    "SshSources",
    "SweepAccounts",
    "SweepAlarmHours",
    "SweepRegions",
    "SweepRemediation",
    "SweepSchedule",
    "Tracing",
    "WebPorts",
];

#[test]
fn the_page_says_where_each_parameter_of_before_went() {
    let moved = table(&read("docs/parts.md"), "## Where each parameter went");
    let named: Vec<&str> = moved.iter().map(|row| row[0].as_str()).collect();
    let mut sorted = named.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, BEFORE);
    let core = read("template.yaml");
    let mut met: BTreeSet<&str> = BTreeSet::new();
    for row in &moved {
        let [before, now] = &row[..] else { panic!("{row:?}") };
        let is_there = |file: &str, name: &str| {
            let template = read(file);
            let (_, sections) = template.split_once("\nParameters:\n").expect("parameters");
            let (declared, _) = sections.split_once("\n\n").expect("their end");
            declared.lines().any(|line| line.strip_prefix("  ") == Some(&format!("{name}:")))
        };
        if now == "the same" || now.starts_with("the same,") {
            assert!(is_there("template.yaml", before), "{before} is not in template.yaml");
            met.insert(before);
            continue;
        }
        // A parameter of the core, or of the part that is named with it. Others are now a line to change.
        let part = now.split_once("stacks/").map(|(_, rest)| rest);
        let part =
            part.and_then(|rest| Some(format!("stacks/{}.yaml", rest.split(".yaml").next()?)));
        let is_known = |name: &str| {
            is_there("template.yaml", name)
                || part.as_ref().is_some_and(|part| is_there(part, name))
        };
        let words = now.split(|c: char| !c.is_ascii_alphanumeric());
        let known: Vec<&str> = words.filter(|word| !word.is_empty() && is_known(word)).collect();
        assert!(!known.is_empty() || now.contains("]("), "{before}: {now}");
        for (setting, _) in now.match_indices('=').map(|(at, _)| now.split_at(at)) {
            let name = setting.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().expect("a word");
            assert!(is_known(name), "{before}: {name}");
        }
        met.extend(known);
    }
    // The rows lead to every parameter that the core has now, but for the switches that are new.
    for name in parameters(&core).keys().copied().chain(["AlertEmail"]) {
        assert!(met.contains(name) || ["Watch", "Hook"].contains(&name), "{name}");
    }
}

#[test]
fn the_documented_rights_are_those_of_the_template() {
    const SERVICES: [&str; 13] = [
        "cloudtrail:",
        "dynamodb:",
        "ec2:",
        "kms:",
        "lambda:",
        "logs:",
        "organizations:",
        "s3:",
        "sns:",
        "sqs:",
        "states:",
        "sts:",
        "xray:",
    ];
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
    let mut written = actions(&read("template.yaml"));
    written.extend(actions(&read("stacks/organisation.yaml")));
    assert_eq!(actions(&documented), written);
}

#[test]
fn the_documented_number_of_alarms_is_that_of_the_templates() {
    let alarms = |file: &str| read(file).matches("Type: AWS::CloudWatch::Alarm\n").count();
    assert_eq!((alarms("template.yaml"), alarms("stacks/observability.yaml")), (4, 7));
    let costs = read("docs/costs.md");
    assert!(costs.contains("| four alarms |") && costs.contains("seven more alarms"), "{costs}");
}

/// An amount of the table, in dollars.
fn dollars(cell: &str) -> f64 {
    cell.trim().trim_start_matches("under ").parse().unwrap_or_else(|_| panic!("{cell}"))
}

#[test]
fn the_default_costs_less_than_a_dollar_and_a_half_when_idle() {
    let rows = table(&read("docs/costs.md"), "## Idle, by default");
    let (sum, parts) = rows.split_last().expect("rows");
    // What the amounts follow from: hours, seconds and days of a month, and what the template has.
    let (hours, days) = (730.0, 730.0 / 24.0);
    let checks = 4.0 * hours;
    // Each metric that an alarm looks at is paid.
    let alarms = read("template.yaml").matches("MetricName: ").count();
    let metric_hour = 0.30 / hours;
    let invocations = f64::ceil(checks + days);
    let gb_seconds = invocations * 0.2 * 0.25;
    let worked_out = [
        f64::from(u32::try_from(alarms).unwrap()) * 0.10,
        2.0 * hours * 3600.0 / 20.0 * 0.40 / 1e6,
        hours * metric_hour,
        31.0 * metric_hour,
        62.0 * metric_hour,
        gb_seconds * 0.000_013_333_4 + invocations * 0.20 / 1e6,
        invocations / 1e6,
        2.0 * checks * 0.125 / 1e6,
        0.012 * 0.50,
        0.010 * 0.023,
    ];
    assert_eq!(parts.len(), worked_out.len());
    for (row, worked_out) in parts.iter().zip(worked_out) {
        let said = dollars(row.last().expect("an amount"));
        assert!((said - worked_out).abs() <= 0.0008, "{row:?} is {worked_out}");
    }
    let said = format!("{invocations} invocations").replace("2951", "2,951");
    assert!(parts[5][0].contains(&said) && parts[6][1].contains(&said), "{said}");
    let added: f64 = parts.iter().map(|row| dollars(row.last().expect("an amount"))).sum();
    let sum = dollars(sum.last().expect("the sum"));
    assert!((added - sum).abs() < 0.0005, "{added} is not {sum}");
    assert!(sum < 1.5, "{sum}");
}

#[test]
fn the_bindings_that_are_shown_are_valid_and_explained() {
    const FILE: &str = "docs/examples/our-organisation.yaml";
    let page = read("docs/bindings.md");
    let [shown] = blocks(&page, "yaml")[..] else { panic!("not one block of YAML") };
    assert_eq!(shown.trim_end(), read(FILE).trim_end());
    let ran = sg_audit(&["baseline", "validate", FILE]);
    assert!(ran.status.success(), "{}", printed(&ran));
    let units = ["--ou", "ou-ab12-11111111"];
    let explained = sg_audit(
        &[&["baseline", "explain", FILE, "--account", "123456789012"], &units[..]].concat(),
    );
    assert!(explained.status.success());
    let printed = printed(&explained);
    assert!(
        blocks(&page, "text").iter().any(|block| block.trim_end() == printed.trim_end()),
        "{printed}"
    );
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
