//! The state machine of stacks/organisation.asl.json.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::read;
use crate::support::sg_audit::repository;
use crate::support::{built, venv};

const DEFINITION: &str = "stacks/organisation.asl.json";

/// statelint refuses this field, which is valid ("ReaderConfig" in the Step Functions developer guide).
const KNOWN: [&str; 1] =
    ["Field \"InputType\" not allowed in State Machine.States.Accounts.ItemReader.ReaderConfig"];

/// As SAM fills it.
fn filled() -> String {
    read(DEFINITION)
        .replace("${InvokeFunction}", "arn:aws:states:::lambda:invoke")
        .replace("${GetObject}", "arn:aws:states:::s3:getObject")
}

/// What statelint says of a definition.
fn faults(name: &str, definition: &str) -> Vec<String> {
    let file = built::scratch().join(name);
    fs::write(&file, definition).expect("a file");
    let told = Command::new(venv::program("statelint")).arg(&file).output().expect("it starts");
    let told = String::from_utf8(told.stdout).expect("UTF-8");
    // The first line counts them.
    told.lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn statelint_finds_nothing_wrong() {
    assert_eq!(faults("definition.json", &filled()), KNOWN);
    let misspelt = filled().replacen("\"IntervalSeconds\"", "\"IntervalSecond\"", 1);
    assert_eq!(faults("misspelt.json", &misspelt).len(), KNOWN.len() + 1);
}

/// The tasks of a state machine and of the maps in it.
fn tasks<'d>(machine: &'d Value, found: &mut Vec<(&'d str, &'d Value)>) {
    for (name, state) in machine["States"].as_object().expect("states") {
        match state["Type"].as_str() {
            Some("Task") => found.push((name, state)),
            Some("Map") => tasks(&state["ItemProcessor"], found),
            _ => {}
        }
    }
}

#[test]
fn every_invocation_is_tried_again_where_its_error_may_pass() {
    let definition: Value = serde_json::from_str(&read(DEFINITION)).expect("JSON");
    let mut found = Vec::new();
    tasks(&definition, &mut found);
    let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["Sweep", "Digest", "Discover"]);
    for (name, state) in found {
        let [retry] = &state["Retry"].as_array().expect("a retry")[..] else { panic!("{name}") };
        assert_eq!(retry["JitterStrategy"], "FULL", "{name}");
        let errors: Vec<_> = retry["ErrorEquals"].as_array().expect("errors").iter().collect();
        // What an account's sweep says may pass, as `AuditError::kind` and `RunError::kind` call it.
        let kinds = match name {
            "Sweep" => &["Ec2Unavailable", "NotPublished", "NotHandedOn", "RunUnavailable"][..],
            "Digest" => &["Ec2Unavailable", "NotPublished", "RunUnavailable"],
            _ => &["Ec2Unavailable", "RunUnavailable"],
        };
        for kind in kinds.iter().chain(&["Lambda.TooManyRequestsException", "Sandbox.Timedout"]) {
            assert!(errors.iter().any(|error| *error == kind), "{name}: {kind}");
        }
        assert!(errors.iter().all(|error| *error != "RunRefused"), "{name}");
        // The function may take two minutes.
        assert!(state["TimeoutSeconds"].as_u64() > Some(120), "{name}");
    }
    // That one account fails is caught, so that the map does not fail.
    let accounts = &definition["States"]["Accounts"];
    let sweep = &accounts["ItemProcessor"]["States"]["Sweep"];
    assert_eq!(sweep["Catch"][0]["ErrorEquals"][0], "States.ALL");
    assert_eq!(accounts["ToleratedFailurePercentage"], 100);
}

/// ministack runs it with the real function (deploy/organisation.rs). This is another interpreter.
#[test]
fn motos_interpreter_runs_it_to_the_same_end() {
    let output = Command::new(venv::program("python"))
        .arg("-B")
        .arg(venv::script("second_opinion.py"))
        .arg(repository().join(DEFINITION))
        .output()
        .expect("python starts");
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    let told = told.lines().last().unwrap_or_else(|| {
        panic!("{}", String::from_utf8_lossy(&output.stderr));
    });
    let told: Value = serde_json::from_str(told).expect("JSON");
    assert_eq!((&told["status"], &told["error"]), (&"FAILED".into(), &"PlacesMissing".into()));
    assert_eq!(told["cause"], "1 of 3 places are missing; sweep");
    let asked = json!({
        // Whole, with a rest, and tried seven times in vain.
        "discover": 1, "111122223333": 1, "123456789012": 2, "210987654321": 7, "digest": 1,
    });
    assert_eq!(told["asked"], asked);
}
