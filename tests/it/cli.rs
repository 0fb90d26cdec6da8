//! `sg-audit` from end to end: what a person reads, what a script gets, and the exit status.
//!
//! The snapshots are read by whoever accepts them, as the person would who is on call:
//! `INSTA_UPDATE=always cargo test --test it -- cli repository`, then `git diff`.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::panic::catch_unwind;
use std::process::{Command, Stdio};

use chrono::{TimeDelta, Utc};
use serde_json::{Deserializer, Value};

use crate::support::built;
use crate::support::sg_audit::{Ran, command, ran, repository, sg_audit, sg_audit_with};
use crate::support::venv;

const GROUPS: &str = "tests/it/data/groups.json";
const RULES: &str = "tests/it/data/rules.json";
const LISTS: &str = "tests/it/data/prefix-lists.json";
const OPEN_SSH: &str = "events/authorize-open-ssh.json";

/// Groups with everything that they refer to, so that nothing is left to say on standard error.
const CHECK: [&str; 5] = ["check", "--groups", GROUPS, "--prefix-lists", LISTS];
/// The office.
const OFFICE: [&str; 4] = ["--ssh-source", "203.0.113.0/24", "--ssh-source", "2001:db8:1::/48"];
const REVERT: [&str; 4] = ["--remediation", "revert-ssh", "--scope", "all"];

/// Compares with the snapshot of that name. An exemption that a check proposes ends thirty days from
/// today; a test that runs at midnight knows two of these days.
fn assert_snapshot(name: &str, arguments: &[&str], text: &str) {
    let proposed = |days| (Utc::now() + TimeDelta::days(days)).format("%Y-%m-%d").to_string();
    let text = text.replace(&proposed(30), "[in 30 days]").replace(&proposed(29), "[in 30 days]");
    let command = [&["sg-audit"], arguments].concat().join(" ");
    insta::with_settings!(
        { prepend_module_to_snapshot => false, omit_expression => true, description => command },
        { insta::assert_snapshot!(name, text) }
    );
}

fn snapshot(name: &str, arguments: &[&str]) -> Ran {
    let ran = sg_audit(arguments);
    assert_snapshot(name, arguments, &ran.to_string());
    ran
}

/// The names of the files in a folder, without the ending; those with another ending are left out.
fn names(folder: &str, ending: &str) -> BTreeSet<String> {
    fs::read_dir(repository().join(folder))
        .expect("a folder")
        .filter_map(|file| {
            let name = file.expect("a file").file_name().into_string().expect("UTF-8");
            name.strip_suffix(ending).map(ToOwned::to_owned)
        })
        .collect()
}

/// The reports on standard output, which has nothing else.
fn reports(ran: &Ran) -> Vec<Value> {
    Deserializer::from_str(&ran.out).into_iter().map(|it| it.expect("JSON")).collect()
}

fn report(ran: &Ran) -> Value {
    let reports = reports(ran);
    let [report] = &reports[..] else { panic!("{} reports", reports.len()) };
    report.clone()
}

fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["code"].as_str().expect("a code")).collect()
}

/// JSON as it was printed, but for what is different in the next version.
fn of_any_version(json: &str) -> String {
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    json.replace(&version, "\"version\": \"[version]\"")
}

/// JSON as it was printed, but for what is different tomorrow as well.
fn of_any_day(json: &str) -> String {
    let lines = json.lines().map(|line| match line.split_once("\"time\": \"20") {
        Some((indent, _)) => format!("{indent}\"time\": \"[now]\","),
        None => line.to_owned(),
    });
    of_any_version(&lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn every_event_has_a_snapshot() {
    let events = names("events", ".json");
    let failed: Vec<&String> = events
        .iter()
        .filter(|event| {
            let file = format!("events/{event}.json");
            let auditor = ["--auditor", "typo3-sg-auditor"];
            let arguments = [&["invoke", &file], &REVERT[..], &OFFICE, &auditor].concat();
            // The others are compared as well, so that one run shows everything that is different.
            catch_unwind(|| snapshot(&format!("invoke-{event}"), &arguments)).is_err()
        })
        .collect();
    assert!(failed.is_empty(), "not as in their snapshots: {failed:?}");
    let snapshots: BTreeSet<String> = names("tests/it/snapshots", ".snap")
        .into_iter()
        .filter_map(|name| name.strip_prefix("invoke-").map(ToOwned::to_owned))
        .collect();
    assert_eq!(events, snapshots, "a snapshot whose event is gone has to go too");
}

#[test]
fn json_is_the_report_and_nothing_else() {
    for (event, status, outcome, expected) in [
        ("authorize-open-ssh", 1, "noncompliant", vec!["open-ssh"]),
        ("authorize-ipv6-halves", 1, "noncompliant", vec!["open-ssh", "open-ssh"]),
        ("authorize-web", 0, "compliant", vec![]),
        ("failed-call", 0, "ignored", vec![]),
        ("truncated", 2, "noncompliant", vec!["unaudited-change"]),
    ] {
        let file = format!("events/{event}.json");
        let ran = sg_audit(&["invoke", &file, "--format", "json"]);
        let report = report(&ran);
        assert_eq!(report["version"], 1, "{event}");
        assert_eq!(report["generator"]["name"], "typo3-sg-auditor", "{event}");
        assert_eq!(report["outcome"], outcome, "{event}");
        assert_eq!(codes(&report), expected, "{event}");
        assert_eq!(ran.status, status, "{event}");
        let open = report["totals"]["by_code"]["open-ssh"].as_u64().unwrap_or_default();
        assert_eq!(open, expected.iter().filter(|code| **code == "open-ssh").count() as u64);
    }
}

#[test]
fn a_report_as_json() {
    let arguments =
        [&["invoke", OPEN_SSH, "--format", "json", "--groups", GROUPS], &REVERT[..], &OFFICE]
            .concat();
    let ran = sg_audit(&arguments);
    assert_eq!((ran.err.as_str(), ran.status), ("", 1));
    // The clock stands at the time of the event, so that these times are the same tomorrow.
    assert_snapshot("json-invoke", &arguments, &of_any_version(&ran.out));
}

#[test]
fn groups_are_checked() {
    snapshot("check", &["check", "--groups", GROUPS]);
    let office = [&["check", "--groups", GROUPS], &OFFICE[..]].concat();
    snapshot("check-office", &office);
    let json = [&office[..], &["--format", "json"]].concat();
    let ran = sg_audit(&json);
    assert_eq!(ran.status, 1);
    assert_eq!(report(&ran)["groups_audited"], 4);
    assert_snapshot("json-check", &json, &of_any_day(&ran.out));
}

#[test]
fn both_outputs_of_aws_are_read_from_standard_input_as_one() {
    let [groups, rules] = [GROUPS, RULES].map(|file| fs::read(repository().join(file)).unwrap());
    let arguments = [&["check", "--groups", "-", "--prefix-lists", LISTS], &OFFICE[..]].concat();
    let ran = sg_audit_with(&arguments, &[groups.as_slice(), &rules].concat());
    assert_snapshot("check-both-outputs", &arguments, &ran.to_string());
    let alone = sg_audit_with(&arguments, &rules);
    assert_snapshot("check-rules-alone", &arguments, &alone.to_string());
}

#[test]
fn an_event_finds_the_groups_that_are_given() {
    let arguments = [&["invoke", OPEN_SSH, "--groups", GROUPS], &REVERT[..], &OFFICE].concat();
    snapshot("groups-with-an-event", &arguments);
    let tagged = ["invoke", OPEN_SSH, "--groups", GROUPS, "--scope", "tag:Application=typo3"];
    assert_eq!(sg_audit(&tagged).status, 1);
    let others = ["invoke", OPEN_SSH, "--groups", GROUPS, "--scope", "tag:Application=wiki"];
    snapshot("out-of-scope", &others);
    // Nothing in the event says what changed, and the group says what there is.
    let present = ["invoke", "events/truncated.json", "--groups", GROUPS];
    snapshot("whole-group", &[&present[..], &OFFICE].concat());
}

#[test]
fn several_events_share_one_state() {
    let twice = ["invoke", OPEN_SSH, OPEN_SSH, "--groups", GROUPS];
    snapshot("same-event-twice", &[&twice[..], &REVERT, &OFFICE].concat());
    // What the first event brought need not be put in the place of what the second one loses.
    let office_first = ["invoke", "events/authorize-office-ssh.json", OPEN_SSH];
    let ran = sg_audit(&[&office_first[..], &REVERT, &OFFICE].concat());
    let (_, second) = ran.out.split_once("\n== ").expect("two events");
    assert!(second.contains("RevokeSecurityGroupIngress"), "{second}");
    assert!(!second.contains("AuthorizeSecurityGroupIngress sg-"), "{second}");
    // The worst verdict is the exit status, and the report is one.
    let worst = ["invoke", "events/truncated.json", OPEN_SSH, "events/authorize-web.json"];
    let ran = sg_audit(&[&worst[..], &["--format", "json"]].concat());
    assert_eq!((ran.status, reports(&ran).len()), (2, 1));
}

#[test]
fn a_rule_that_depends_on_a_missing_list_is_reported() {
    let groups =
        br#"{"SecurityGroups": [{"GroupId": "sg-0c3d4e5f678901234", "OwnerId": "123456789012",
        "IpPermissionsEgress": [], "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 20, "ToPort": 25,
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}]}"#;
    let check = ["check", "--groups", "-", "--ssh-source", "pl-0123456789abcdef0"];
    let ran = sg_audit_with(&check, groups);
    assert!(ran.out.contains("excess        tcp 20-21, 23-25 from anywhere"), "{}", ran.out);
    assert!(ran.out.contains("undecided     tcp 22 from anywhere"), "{}", ran.out);
    assert!(ran.err.contains("--prefix-lists"), "{}", ran.err);
}

#[test]
fn a_prefix_list_decides_once_it_is_given() {
    let groups =
        br#"{"SecurityGroups": [{"GroupId": "sg-0c3d4e5f678901234", "OwnerId": "123456789012",
        "IpPermissionsEgress": [], "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
        "PrefixListIds": [{"PrefixListId": "pl-0123456789abcdef0"}]}]}]}"#;
    let check = [&["check", "--groups", "-", "--format", "json"], &OFFICE[..]].concat();
    let ran = sg_audit_with(&check, groups);
    assert_eq!((codes(&report(&ran)), ran.status), (vec!["unresolved-peer"], 1));
    assert_eq!(
        ran.err,
        "sg-audit: note: findings depend on pl-0123456789abcdef0: put the output of `aws ec2 \
         get-managed-prefix-list-entries --prefix-list-id pl-0123456789abcdef0` under \
         \"pl-0123456789abcdef0\" in a JSON object, and give that file with --prefix-lists\n"
    );
    let ran = sg_audit_with(&[&check[..], &["--prefix-lists", LISTS]].concat(), groups);
    let report = report(&ran);
    assert_eq!((codes(&report), ran.err.as_str()), (vec!["open-ssh"], ""));
    assert_eq!(report["findings"][0]["excess"][0]["peers"][0], "192.0.2.0/28");
    let vpn = [&check[..], &["--prefix-lists", LISTS, "--ssh-source", "192.0.2.0/28"]].concat();
    assert_eq!(sg_audit_with(&vpn, groups).status, 0);
}

#[test]
fn baselines_are_shown() {
    let shipped = names("baselines", ".yaml");
    assert_eq!(shipped.len(), 3);
    for name in &shipped {
        let ran = snapshot(&format!("baseline-{name}"), &["baseline", "show", name]);
        assert_eq!(ran.status, 0);
        assert_eq!(sg_audit(&["baseline", "validate", name]).status, 0);
        // The file and the name are the same baseline.
        assert_eq!(sg_audit(&["baseline", "show", &format!("baselines/{name}.yaml")]), ran);
    }
    let office = [&["baseline", "show", "--web-port", "8443"], &OFFICE[..]].concat();
    snapshot("baseline-in-effect", &office);
}

#[test]
fn a_broken_baseline_is_refused_with_every_fault() {
    let ran = sg_audit(&["baseline", "validate", "tests/it/data/broken.yaml"]);
    let faults = "\
sg-audit: tests/it/data/broken.yaml:5: `203.0.113.7/24` has host bits set; write 203.0.113.0/24, or 203.0.113.7/32 for that address alone
sg-audit: tests/it/data/broken.yaml:6: the baseline has no key `ssh_port`; write `ssh_ports`, or one of version, name, peer_sets, ssh_ports, ingress, egress, exemptions, baselines, bindings
sg-audit: tests/it/data/broken.yaml:8: port `99999` is out of range; write numbers from 0 to 65535
sg-audit: tests/it/data/broken.yaml:9: `tpc` is not a protocol; write tcp, udp, icmp, icmpv6, all or a number from 0 to 255
sg-audit: tests/it/data/broken.yaml:9: no peer set `offcie` is defined; write `office`, or define it under peer_sets
sg-audit: tests/it/data/broken.yaml:11: `587-465` ends before it begins; write \"465-587\"
sg-audit: tests/it/data/broken.yaml:13: an exemption lacks `reason`; write reason: and why this is tolerated
sg-audit: tests/it/data/broken.yaml:13: an exemption lacks `until`; write until: and the last day, at most a year ahead
";
    assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.status), ("", faults, 2));
    let used = sg_audit(&["check", "--groups", GROUPS, "--baseline", "tests/it/data/broken.yaml"]);
    assert_eq!((used.out.as_str(), used.err.lines().count(), used.status), ("", 8, 2));
}

#[test]
fn the_exit_status_is_the_verdict() {
    let web = "events/authorize-web.json";
    for (arguments, status) in [
        (vec!["invoke", web], 0),
        (vec!["invoke", "events/failed-call.json"], 0),
        (vec!["invoke", OPEN_SSH], 1),
        (CHECK.to_vec(), 1),
    ] {
        let ran = sg_audit(&arguments);
        assert_eq!((ran.err.as_str(), ran.status), ("", status), "{arguments:?}");
        assert!(ran.out.contains(&format!("exit {status}: ")), "{arguments:?}");
    }
}

#[test]
fn what_could_not_be_audited_is_printed_on_standard_error() {
    let cases: [(&[&str], &str); 10] = [
        (
            &["invoke", "events/truncated.json", "--format", "json"],
            "events/truncated.json: A change to sg-0a1b2c3d4e5f67890 could not be audited: the rules of `AuthorizeSecurityGroupIngress` are not understood: in the request, `ipPermissions` was cut short by CloudTrail; in the response, `responseElements` was cut short by CloudTrail, and the group is not there\n\
             note: if an event does not tell enough about its group, give the group with --groups FILE",
        ),
        (
            &["invoke", "no-such-event.json"],
            "no-such-event.json cannot be read: write the path of a file that can, or `-` for standard input\n  \
             cause: No such file or directory (os error 2)",
        ),
        (
            &["check", "--groups", "no-such-groups.json"],
            "no-such-groups.json cannot be read: write the path of a file that can, or `-` for standard input\n  \
             cause: No such file or directory (os error 2)",
        ),
        (
            &["check", "--groups", "-"],
            "standard input: the input is empty: the AWS command that should have written it probably failed; run that command by itself and read its error message",
        ),
        (
            &["check", "--groups", OPEN_SSH],
            "events/authorize-open-ssh.json: this is an event, not security groups: audit it with `sg-audit invoke FILE`",
        ),
        (
            &["check", "--groups", GROUPS, "--scope", "tag:Application=wiki"],
            "tests/it/data/groups.json: none of the security groups in it is in scope, so nothing was audited: look at --scope, and note that only the output of `describe-security-groups` has tags",
        ),
        (
            &["check", "--groups", "-", "--prefix-lists", "-"],
            "`-` is given 2 times, but standard input can be read only once: write a file path in place of the others",
        ),
        (
            &["invoke", OPEN_SSH, "--remediation", "revert-ssh"],
            "--ssh-source is required because --remediation is `revert-ssh`: write who may use SSH, or none for nobody\n\
             --scope is required because --remediation is `revert-ssh`: write all, or tag:KEY=VALUE",
        ),
        (
            &[
                "invoke",
                OPEN_SSH,
                "--baseline",
                "standrad",
                "--ssh-source",
                "203.0.113.7/24",
                "--web-port",
                "70000",
                "--scope",
                "some",
                "--remediation",
                "revert",
            ],
            "--baseline: `standrad` is neither a shipped baseline nor a file; did you mean `standard`? write standard, restricted-egress, as-documented, or the path of a YAML file\n\
             --ssh-source: `203.0.113.7/24` has host bits set; write 203.0.113.0/24, or 203.0.113.7/32 for that address alone\n\
             --web-port: port `70000` is out of range; write numbers from 0 to 65535\n\
             --scope is `some`: write all, or tag:KEY=VALUE\n\
             --remediation is `revert`: write notify, revert-ssh or revert-ingress",
        ),
        (
            &["check", "--groups", GROUPS, "--web-port", "22"],
            "--web-port: 22 is for SSH; write web ports without it",
        ),
    ];
    for (arguments, expected) in cases {
        let ran = sg_audit(arguments);
        let said: Vec<&str> =
            ran.err.lines().map(|line| line.strip_prefix("sg-audit: ").expect(line)).collect();
        assert_eq!((said.join("\n").as_str(), ran.status), (expected, 2), "{arguments:?}");
        // A report is printed even so, where there is one.
        assert_eq!(ran.out.is_empty(), !expected.contains("could not be audited"), "{arguments:?}");
    }
}

#[test]
fn wrong_arguments_are_explained_on_standard_error() {
    for (name, arguments) in [
        ("usage", &[][..]),
        ("usage-check", &["check"]),
        ("usage-unknown", &["check", "--group", GROUPS]),
        ("usage-format", &["check", "--groups", GROUPS, "--format", "yaml"]),
    ] {
        let ran = snapshot(name, arguments);
        assert_eq!((ran.out.as_str(), ran.status), ("", 2), "{arguments:?}");
    }
    let help = snapshot("help", &["help"]);
    assert_eq!((help.err.as_str(), help.status), ("", 0));
    for command in ["invoke", "check", "history", "evidence", "allow", "doctor", "status"] {
        assert_eq!(snapshot(&format!("help-{command}"), &[command, "--help"]).status, 0);
    }
}

#[test]
fn a_reader_that_closes_the_pipe_is_not_an_error() {
    let mut child = command(&["check", "--groups", "-", "--prefix-lists", LISTS])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sg-audit starts");
    // It has read nothing yet, so it finds the pipe closed when it comes to write.
    drop(child.stdout.take());
    let groups = fs::read(repository().join(GROUPS)).unwrap();
    child.stdin.take().expect("a pipe").write_all(&groups).expect("sg-audit reads");
    let ran = ran(&child.wait_with_output().expect("sg-audit ends"));
    assert_eq!((ran.err.as_str(), ran.status), ("", 1));
}

#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux");
    let output = command(&CHECK).stdout(full).output().unwrap();
    let ran = ran(&output);
    assert_eq!(ran.status, 2);
    assert!(ran.err.starts_with("sg-audit: the output cannot be written: "), "{}", ran.err);
}

/// What is written to a terminal of 72 columns.
fn on_a_terminal(environment: &[(&str, &str)]) -> Ran {
    let output = Command::new(venv::path().join("bin/python"))
        .arg(venv::script("terminal.py"))
        .arg("72")
        .arg(built::sg_audit())
        .args(CHECK)
        .current_dir(repository())
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .expect("Python starts");
    ran(&output)
}

#[test]
fn colours_are_for_terminals_that_take_them() {
    let colourful = on_a_terminal(&[("TERM", "xterm-256color")]);
    assert_eq!((colourful.err.as_str(), colourful.status), ("", 1));
    assert!(colourful.out.contains("\u{1b}["), "{}", colourful.out);
    for environment in
        [[("TERM", "xterm-256color"), ("NO_COLOR", "1")], [("TERM", "dumb"), ("NO_COLOR", "")]]
    {
        let plain = on_a_terminal(&environment);
        assert_eq!(plain.status, 1);
        assert!(!plain.out.contains('\u{1b}'), "{environment:?}: {}", plain.out);
        // A rule and its id are one line, and may be longer; so is what is to be pasted.
        let text = plain.out.lines().filter(|line| {
            line.starts_with(&" ".repeat(12))
                && !line.contains(" - { group:")
                && !line.contains(" aws ec2 ")
        });
        for line in text {
            assert!(line.trim_end().chars().count() <= 72, "{line}");
        }
    }
    let piped = sg_audit(&CHECK);
    assert!(!piped.out.contains('\u{1b}'), "{}", piped.out);
    let forced = |more: &[(&str, &str)]| {
        let mut command = command(&CHECK);
        command.env("CLICOLOR_FORCE", "1").envs(more.iter().copied());
        ran(&command.output().unwrap()).out
    };
    assert!(forced(&[]).contains("\u{1b}["), "{}", forced(&[]));
    // NO_COLOR is stronger.
    assert!(!forced(&[("NO_COLOR", "1")]).contains('\u{1b}'));
}

#[test]
fn whoever_has_to_type_the_input_is_told_so() {
    let output = Command::new(venv::path().join("bin/python"))
        .arg(venv::script("keyboard.py"))
        .arg(built::sg_audit())
        .args(["check", "-"])
        .current_dir(repository())
        .output()
        .expect("Python starts");
    let typed = ran(&output);
    let hint = "sg-audit: reading standard input; end it with Ctrl-D, or give a file instead\n";
    assert!(typed.err.starts_with(hint) && typed.status == 2, "{typed:?}");
    // A pipe needs no hint.
    let piped = sg_audit_with(&["check", "-"], b"");
    assert!(!piped.err.contains("Ctrl-D"), "{piped:?}");
}
