//! `check --live --organization`: every account that a person's role reaches.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::support::organisation::{StandIn, account, plan_of};
use crate::support::sg_audit::{Ran, command, ran};

fn check(stand_in: &StandIn, arguments: &[&str]) -> Ran {
    let mut command = command(&[&["check", "--live", "--organization"], arguments].concat());
    command
        .env("AWS_ENDPOINT_URL", &stand_in.url)
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE04")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", "eu-central-1")
        .stdin(Stdio::null());
    ran(&command.output().expect("sg-audit starts"))
}

fn findings(ran: &Ran) -> Vec<(String, String)> {
    let report: Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran}"));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let findings = report["findings"].as_array().expect("findings").iter();
    findings.map(|it| (text(&it["account"]), text(&it["code"]))).collect()
}

#[test]
fn every_account_is_audited_and_what_cannot_be_read_is_told() {
    let mut stand_in = StandIn::new();
    let mut plan = plan_of(0..25);
    plan["bad"] = 3.into();
    stand_in.plan(&plan);
    let all = check(&stand_in, &["--all-regions", "--format", "json"]);
    assert_eq!(all.status, 1, "{all}");
    assert!(
        all.err.contains("coverage: 52 of 52 places audited, 52 findings in 156 groups"),
        "{all}"
    );
    assert_eq!(findings(&all).len(), 52);

    plan["roles"][account(3)] = "AccessDenied".into();
    stand_in.plan(&plan);
    let some = check(&stand_in, &["--format", "json"]);
    assert_eq!(some.status, 2, "{some}");
    assert!(some.err.contains("coverage: 25 of 26 places audited"), "{some}");
    assert!(
        some.err.contains(&format!("not audited: {} eu-central-1: the role", account(3))),
        "{some}"
    );
    let unaudited = findings(&some).into_iter().filter(|(_, code)| code == "unaudited-change");
    assert_eq!(unaudited.collect::<Vec<_>>(), [(account(3), "unaudited-change".to_owned())]);
}

#[test]
fn after_an_interruption_only_the_rest_is_audited() {
    let mut stand_in = StandIn::new();
    let mut plan = plan_of(0..3);
    plan["roles"][account(1)] = "AccessDenied".into();
    stand_in.plan(&plan);
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("resumed.jsonl");
    let _ = fs::remove_file(&file);
    let name = file.display().to_string();
    let first = check(&stand_in, &["--resume", &name]);
    assert!(first.err.contains("coverage: 3 of 4 places audited"), "{first}");
    // As an interruption leaves it: in the middle of a line.
    let text = fs::read_to_string(&file).expect("the file");
    fs::write(&file, format!("{text}{{\"account\":\"2100")).expect("the file");
    stand_in.plan(&plan_of(0..3));
    let second = check(&stand_in, &["--resume", &name]);
    assert_eq!(second.status, 0, "{second}");
    assert!(second.err.contains("coverage: 4 of 4 places audited"), "{second}");
    assert!(second.err.contains("3 places were audited before the interruption"), "{second}");
    let seen = stand_in.plan(&plan);
    assert_eq!(seen["calls"]["DescribeSecurityGroups"], 1, "{seen:#}");

    fs::write(&file, "not a line\nof JSON\n").expect("the file");
    let refused = check(&stand_in, &["--resume", &name]);
    assert_eq!(refused.status, 2);
    assert!(refused.err.contains("not what --resume wrote"), "{refused}");
}

#[test]
fn accounts_and_units_can_be_named() {
    let mut stand_in = StandIn::new();
    stand_in.plan(&plan_of(0..4));
    let named = check(&stand_in, &[&account(2)]);
    assert!(named.err.contains("coverage: 1 of 1 place audited"), "{named}");
    let units = check(&stand_in, &["ou-abcd-11111111"]);
    assert!(units.err.contains("coverage: 5 of 5 places audited"), "{units}");
    let wrong = check(&stand_in, &["everything"]);
    assert!(wrong.err.contains("write account numbers"), "{wrong}");
}

/// The first one is for one account, the second one for the inner unit, the third one for the outer one.
const BINDINGS: &str = "bindings:
  - { name: one, accounts: [\"210000000001\"], baseline: as-documented }
  - { name: inner, ous: [ou-abcd-22222222], scope: \"tag:audit=yes\" }
  - { name: outer, ous: [ou-abcd-11111111], ssh_sources: [203.0.113.0/24] }
";

#[test]
fn each_account_is_judged_by_its_binding() {
    let mut stand_in = StandIn::new();
    let mut plan = plan_of(0..3);
    plan["bad"] = 3.into();
    stand_in.plan(&plan);
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bindings-live.yaml");
    let standard = include_str!("../../../baselines/standard.yaml");
    fs::write(&file, format!("{standard}{BINDINGS}")).expect("a baseline");
    let name = file.display().to_string();
    let bound = |stand_in: &StandIn| {
        let ran = check(stand_in, &["--format", "json", "--baseline", &name]);
        let report: Value =
            serde_json::from_str(&ran.out).unwrap_or_else(|it| panic!("{it}: {ran}"));
        let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
        let findings = report["findings"].as_array().expect("findings").iter();
        let of =
            |it: &Value| [text(&it["account"]), text(&it["code"]), text(&it["binding"])].join(" ");
        let detail = |it: &Value| text(&it["remediation"]["detail"]);
        let findings: Vec<&Value> = findings.collect();
        (
            findings.iter().map(|it| of(it)).collect::<Vec<_>>(),
            findings.first().map(|it| detail(it)),
        )
    };
    let (found, _) = bound(&stand_in);
    assert_eq!(
        found,
        [
            "123456789012 open-ssh outer",
            // Its baseline lets everybody reach SSH, which is said of the baseline.
            &format!("{} open-ssh-in-baseline one", account(1)),
        ]
    );
    let seen = stand_in.plan(&plan);
    // From the account up to the root, but not where the account alone decides.
    assert_eq!(seen["calls"]["ListParents"], 2 + 3 + 3, "{seen:#}");

    plan["parents"] = "AccessDeniedException".into();
    stand_in.plan(&plan);
    let (found, detail) = bound(&stand_in);
    let undecided = ["123456789012".to_owned(), account(0), account(2)];
    let undecided = undecided.map(|account| format!("{account} open-ssh none"));
    // They are read at the same time.
    assert!(undecided.iter().all(|one| found.contains(one)), "{found:?}");
    let detail = detail.expect("a finding");
    assert!(
        detail.contains(
            "Which binding of the baseline file applies is not known (inner, outer, none)"
        ),
        "{detail}"
    );
    fs::remove_file(file).expect("it was there");
}
