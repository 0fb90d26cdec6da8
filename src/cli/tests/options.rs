//! Options of an audit, several files, and the help.

use clap::Command as ClapCommand;
use serde_json::{Value, json};

use super::*;

/// Two groups: SSH from anywhere and a database for private addresses.
fn two_groups(test: &str) -> [File; 2] {
    let private = r#""CidrIpv4": "10.0.0.0/8""#;
    [
        File::new(&format!("open-{test}.json"), &group("sg-1", 22, ANYWHERE)),
        File::new(&format!("private-{test}.json"), &group("sg-2", 3306, private)),
    ]
}

fn json(arguments: &[&str]) -> (Value, Answer) {
    let answer = answer(&[arguments, &["--format", "json"]].concat()).unwrap();
    (serde_json::from_str(&answer.out).unwrap(), answer)
}

#[test]
fn several_files_are_read_as_one() {
    let [open, private] = two_groups("several");
    let expected = answer(&["check", open.path(), private.path()]).unwrap();
    assert!(expected.out.contains("2 findings in 2 groups"), "{}", expected.out);
    for arguments in [
        ["--groups", open.path(), "--groups", private.path()].as_slice(),
        &[open.path(), "--groups", private.path()],
    ] {
        let found = answer(&[&["check"], arguments].concat()).unwrap();
        assert_eq!(found.out.contains("sg-2"), expected.out.contains("sg-2"));
        assert_eq!(found.status, expected.status);
    }
    // A group in one file and its rules in another; a page, and the next one.
    let described = json!({"SecurityGroups": [{"GroupId": "sg-1", "GroupName": "typo3-shop",
        "IpPermissions": [], "IpPermissionsEgress": []}]});
    let described = File::new("described.json", &described.to_string());
    let found = answer(&["check", described.path(), open.path()]).unwrap();
    assert!(found.out.contains("sg-1  typo3-shop"), "{}", found.out);
    let page = group("sg-3", 443, ANYWHERE).replacen('{', r#"{"NextToken": "more","#, 1);
    let page = File::new("page.json", &page);
    let found = answer(&["check", page.path(), open.path()]).unwrap();
    assert!(found.out.contains("2 groups and 2 rules audited"), "{}", found.out);
    let error = answer(&["check", open.path(), page.path()]).unwrap_err();
    assert!(error[0].contains("`NextToken`"), "{error:?}");
    // The file with the fault is named.
    let wrong = File::new("wrong-of-two.json", "[");
    let error = answer(&["check", open.path(), wrong.path()]).unwrap_err();
    assert!(error[0].starts_with(wrong.path()), "{error:?}");
    let event = event("authorize-open-ssh");
    let error = answer(&["check", open.path(), &event]).unwrap_err();
    assert!(error[0].contains("this is an event, not security groups"), "{error:?}");
    let empty = File::new("empty-of-groups.json", " ");
    let error = answer(&["check", open.path(), empty.path()]).unwrap_err();
    assert!(error[0].starts_with(empty.path()) && error[0].contains("empty"), "{error:?}");
    // Invoke takes them too.
    let arguments = ["invoke", &event, "--groups", open.path(), "--groups", private.path()];
    let found = answer(&arguments).unwrap();
    let both = format!("{}, {} has no group {SHOP}", open.path(), private.path());
    assert!(found.notes.iter().any(|note| note.contains(&both)), "{:?}", found.notes);
}

#[test]
fn the_exit_status_depends_on_fail_on() {
    let [open, private] = two_groups("fail-on");
    for (file, fail_on, status) in [
        (&open, "critical", 1),
        (&private, "low", 1),
        (&private, "medium", 0),
        (&private, "informational", 1),
    ] {
        let found = answer(&["check", file.path(), "--fail-on", fail_on]).unwrap();
        assert_eq!(found.status, status, "{fail_on}: {}", found.out);
        assert!(found.out.contains(&format!("exit {status}: ")), "{}", found.out);
    }
    // What could not be audited is more than any severity, and so is a group that nobody gave.
    for name in ["truncated", "scheduled-sweep"] {
        let found = answer(&["invoke", &event(name), "--fail-on", "critical"]).unwrap();
        assert_eq!(found.status, NOT_AUDITED, "{}", found.out);
    }
    let database = ["invoke", &event("authorize-private-ssh"), "--fail-on", "high"];
    assert_eq!(answer(&database).unwrap().status, 0);
}

#[test]
fn what_is_hidden_counts() {
    let [open, private] = two_groups("hidden");
    let least = ["check", open.path(), private.path(), "--min-severity", "high"];
    let (report, found) = json(&least);
    let findings = report["findings"].as_array().unwrap();
    assert_eq!((findings.len(), &findings[0]["code"]), (1, &json!("open-ssh")));
    assert_eq!(report["totals"]["by_severity"]["low"], 1);
    assert_eq!((&report["outcome"], found.status), (&json!("noncompliant"), 1));
    let text = answer(&least).unwrap().out;
    assert!(!text.contains("3306") && text.contains("1 of them not shown"), "{text}");
    let private = answer(&["check", private.path(), "--min-severity", "high"]).unwrap();
    assert_eq!(private.status, 1);
    assert!(!private.out.contains("compliant\n\n"), "{}", private.out);
    let event = event("authorize-private-ssh");
    let (report, found) = json(&["invoke", &event, "--min-severity", "critical"]);
    assert_eq!((report["findings"].as_array().unwrap().len(), found.status), (0, 1));
}

#[test]
fn a_summary_is_only_counts() {
    let [open, private] = two_groups("summary");
    let summary = ["check", open.path(), private.path(), "--summary"];
    let found = answer(&summary).unwrap();
    assert_eq!((found.out.lines().count(), found.status), (3, 1), "{}", found.out);
    assert!(found.out.contains("2 findings in 2 groups: 1 critical, 1 low"), "{}", found.out);
    let error = answer(&[&summary[..], &["--format", "json"]].concat()).unwrap_err();
    assert!(error[0].contains("--summary is for --format text"), "{error:?}");
    let event = event("authorize-open-ssh");
    let found = answer(&["invoke", &event, "--summary"]).unwrap();
    assert!(!found.out.contains("Subject:") && found.out.contains("exit 1"), "{}", found.out);
}

#[test]
fn exemptions_are_proposed_on_request() {
    let [open, _] = two_groups("exemptions");
    let check = ["check", open.path()];
    assert!(!answer(&check).unwrap().out.contains("- { group:"));
    let found = answer(&[&check[..], &["--show-exemptions"]].concat()).unwrap();
    assert!(found.out.contains("- { group: sg-1, direction: ingress,"), "{}", found.out);
}

#[test]
fn a_build_without_a_feature_does_not_list_its_options() {
    let mut command = Arguments::command();
    for (name, own) in [("check", "--live"), ("history", "--days")] {
        let help = command.find_subcommand_mut(name).unwrap().render_long_help().to_string();
        for option in ["\n      --live", own, "--region", "--all-regions", "--profile"] {
            assert_eq!(help.contains(option), cfg!(feature = "live"), "{option}: {help}");
        }
        if !cfg!(feature = "live") {
            let error = answer(&[name, "--live"]).unwrap_err();
            assert!(error[0].contains("built without --live"), "{error:?}");
        }
    }
}

/// The commands in the examples of a help text.
fn examples(help: &str) -> Vec<Vec<String>> {
    let joined = help.replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| Some(&line[line.find("sg-audit ")?..]));
    let words = |line: &str| {
        // Every second part is inside quotation marks.
        let parts = line.split('"').enumerate().flat_map(|(n, part)| match n % 2 {
            0 => part.split_whitespace().map(ToOwned::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        parts.take_while(|word| word != ">" && word != "|").collect()
    };
    lines.map(words).collect()
}

fn each_command(command: &ClapCommand, see: &mut dyn FnMut(&ClapCommand)) {
    see(command);
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        each_command(sub, see);
    }
}

#[test]
fn the_help_of_each_command_has_two_examples_that_it_understands() {
    let mut commands = 0;
    each_command(&Arguments::command(), &mut |command| {
        if command.has_subcommands() && command.get_name() != "sg-audit" {
            return;
        }
        commands += 1;
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples = examples(&help);
        assert!(examples.len() >= 2, "{}: {help}", command.get_name());
        for example in examples {
            if let Err(error) = Arguments::try_parse_from(&example) {
                panic!("{example:?}: {error}");
            }
        }
    });
    assert!(commands >= 6, "{commands}");
}
