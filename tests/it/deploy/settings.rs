//! `sam deploy` keeps the settings of the stack, whatever was answered or overridden before.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::support::ministack::{self, Built};
use crate::support::sg_audit::repository;

const NAME: &str = "guided";
const UPGRADE: &str = "sam deploy --no-confirm-changeset --stack-name guided";

fn parameters() -> BTreeMap<String, String> {
    let stacks =
        ministack::server().aws(&["cloudformation", "describe-stacks", "--stack-name", NAME]);
    let stacks: Value = serde_json::from_str(&stacks).expect("JSON");
    let parameters = stacks["Stacks"][0]["Parameters"].as_array().expect("parameters").clone();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    parameters.iter().map(|it| (text(&it["ParameterKey"]), text(&it["ParameterValue"]))).collect()
}

fn run(built: &Built, script: &str) {
    let output = built.shell(script, &[]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{script}\n{}{}", text(&output.stdout), text(&output.stderr));
}

/// Another version, so that there is something to deploy.
fn next_version(built: &Built, description: &str) {
    let file = built.folder.join("template.yaml");
    let template = fs::read_to_string(&file).expect("the template");
    let before = "      Description: Audits security groups against the TYPO3 baseline.";
    let after = format!("      Description: {description}");
    let old = template.lines().find(|line| *line == before || line.ends_with(" version"));
    let template = template.replacen(old.expect("the function's description"), &after, 1);
    fs::write(file, template).expect("the next version");
}

#[test]
fn an_upgrade_after_guided_answers_and_after_overrides_keeps_reverting() {
    let built = ministack::server().build(NAME, |template| template);
    let defaults = fs::read_to_string(built.folder.join("samconfig.toml")).expect("the defaults");
    let template = fs::read_to_string(built.folder.join("template.yaml")).expect("the template");
    // The name, the region, one answer to each parameter, and what sam itself asks: to confirm changes, to make roles,
    // to keep the stack after a failure, to save the answers, and where.
    let (_, asked) = template.split_once("\nParameters:\n").expect("parameters");
    let (asked, _) = asked.split_once("\nRules:\n").expect("their end");
    let is_name =
        |line: &&str| line.starts_with("  ") && !line.starts_with("   ") && !line.contains('#');
    let answers: Vec<&str> = asked
        .lines()
        .filter(is_name)
        .map(|line| if line == "  AlertEmail:" { "you@example.com" } else { "" })
        .collect();
    let answers = format!("{NAME}\n\n{}\nn\ny\nn\ny\n\n\n", answers.join("\n"));
    fs::write(built.folder.join("answers"), answers).expect("the answers");
    run(
        &built,
        "cp samconfig.toml deployment.toml\nsam deploy --guided --config-file deployment.toml <answers",
    );
    let own = fs::read_to_string(built.folder.join("deployment.toml")).expect("the answers");
    assert!(own.contains("Remediation=") && own.contains("you@example.com"), "{own}");
    let kept = || fs::read_to_string(built.folder.join("samconfig.toml")).expect("the defaults");
    assert_eq!(kept(), defaults);
    let ignored = fs::read_to_string(repository().join(".gitignore")).expect("UTF-8");
    assert!(ignored.lines().any(|line| line == "/deployment.toml"), "{ignored}");
    assert_eq!(parameters()["Remediation"], "notify");

    let reverts = "Remediation=revert-ssh Scope=all SshSources=203.0.113.0/24";
    run(&built, &format!("{UPGRADE} --parameter-overrides {reverts}"));
    let set = parameters();
    assert_eq!(set["Remediation"], "revert-ssh");
    assert_eq!(set["AlertEmail"], "you@example.com");
    for description in ["The next version", "A later version"] {
        next_version(&built, description);
        run(&built, UPGRADE);
        assert_eq!(parameters(), set);
    }
    assert_eq!(kept(), defaults);
    assert!(!defaults.contains("parameter_overrides ="), "{defaults}");
}
