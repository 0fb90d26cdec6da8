//! Command lines and their answers.

mod cases;
mod evidence;
mod explain;
mod files;
mod history;
mod manual;

use std::path::PathBuf;

use clap::CommandFactory;

mod options;
mod plan_laws;
mod plans;
mod references;
mod templates;
mod unpack;

use super::*;

/// The group of the sample events.
const SHOP: &str = "sg-0a1b2c3d4e5f67890";
const PLAIN: Style = Style { colour: false, width: 100 };
/// The peer of a rule that admits everybody.
const ANYWHERE: &str = r#""CidrIpv4": "0.0.0.0/0""#;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_392_000, 0).unwrap()
}

/// The answer to a command line, or the lines of its error.
fn answer(arguments: &[&str]) -> Result<Answer, Vec<String>> {
    let arguments = Arguments::try_parse_from([&["sg-audit"], arguments].concat()).unwrap();
    let answer = super::answer(&arguments.command, "no-such-program".as_ref(), PLAIN, now());
    answer.map_err(|error| error.lines())
}

fn event(name: &str) -> String {
    format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"))
}

/// A file that is removed at the end of the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        Self::of_bytes(name, text.as_bytes())
    }

    fn of_bytes(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("sg-audit-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A group with one rule.
fn group(id: &str, port: u16, peer: &str) -> String {
    format!(
        r#"{{"SecurityGroupRules": [{{"GroupId": "{id}", "IsEgress": false, "IpProtocol": "tcp",
           "FromPort": {port}, "ToPort": {port}, {peer}}}]}}"#
    )
}

#[test]
fn the_options_are_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn an_open_group_is_a_finding_and_a_web_server_is_not() {
    let open = File::new("open.json", &group("sg-1", 22, ANYWHERE));
    let web = File::new("web.json", &group("sg-1", 443, ANYWHERE));
    let found = answer(&["check", "--groups", open.path()]).unwrap();
    assert_eq!((found.status, found.notes.len()), (1, 0));
    assert!(found.out.contains("open-ssh"), "{}", found.out);
    let sources = ["--ssh-source", "0.0.0.0/1", "--ssh-source", "128.0.0.0/1"];
    let arguments = [&["check", "--groups", open.path()], &sources[..]].concat();
    assert_eq!(answer(&arguments).unwrap().status, 0);
    assert_eq!(answer(&["check", "--groups", web.path()]).unwrap().status, 0);
    let moved = ["check", "--groups", web.path(), "--web-port", "80"];
    assert_eq!(answer(&moved).unwrap().status, 1);
}

#[test]
fn the_schema_is_the_one_that_the_tests_hold_reports_against() {
    let printed = answer(&["schema"]).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&printed.out).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!((printed.out.as_str(), printed.status), (SCHEMA, 0));
}

#[test]
fn a_file_without_a_group_in_scope_is_not_compliant() {
    let none = File::new("none.json", r#"{"SecurityGroups": []}"#);
    let [line] = &answer(&["check", "--groups", none.path()]).unwrap_err()[..] else { panic!() };
    assert!(line.contains("there is no security group in it"), "{line}");
    let web = File::new("scope.json", &group("sg-1", 443, ANYWHERE));
    let scoped = ["check", "--groups", web.path(), "--scope", "tag:Site=typo3"];
    let [line] = &answer(&scoped).unwrap_err()[..] else { panic!() };
    assert!(line.contains("none of the security groups in it is in scope"), "{line}");
}

#[test]
fn a_prefix_list_that_is_given_decides() {
    let groups = File::new("pl.json", &group("sg-1", 22, r#""PrefixListId": "pl-1""#));
    let arguments = ["check", "--ssh-source", "203.0.113.0/24", "--groups", groups.path()];
    let unresolved = answer(&arguments).unwrap();
    assert_eq!(unresolved.status, 1);
    assert!(unresolved.out.contains("unresolved-peer"), "{}", unresolved.out);
    let [note] = &unresolved.notes[..] else { panic!() };
    assert!(note.contains("--prefix-list-id pl-1"), "{note}");
    for (entry, status) in [("203.0.113.64/26", 0), ("203.0.112.0/23", 1)] {
        let text = format!(r#"{{"pl-1": {{"Entries": [{{"Cidr": "{entry}"}}]}}}}"#);
        let lists = File::new("lists.json", &text);
        let with_lists = [&arguments[..], &["--prefix-lists", lists.path()]].concat();
        let resolved = answer(&with_lists).unwrap();
        assert_eq!((resolved.status, resolved.notes.len()), (status, 0), "{entry}");
    }
}

#[test]
fn invoke_runs_the_handler_and_shows_its_calls() {
    let revert = [
        "invoke",
        "--remediation=revert-ssh",
        "--scope=all",
        "--ssh-source=203.0.113.0/24",
        &event("authorize-open-ssh"),
    ];
    let found = answer(&revert).unwrap();
    assert_eq!(found.status, 1);
    assert!(
        found
            .out
            .contains("Subject: CLOSED: SSH to the Internet on sg-0a1b2c3d4e5f67890 (critical, "),
        "{}",
        found.out
    );
    let calls = found.out.split_once("Calls to EC2:\n\n").unwrap().1;
    let calls: Vec<&str> =
        calls.lines().map(|line| line.trim().split(' ').next().unwrap()).collect();
    assert_eq!(
        calls,
        [
            "DescribeSecurityGroups",
            "DescribeSecurityGroupRules",
            "AuthorizeSecurityGroupIngress",
            "RevokeSecurityGroupIngress",
            // What is said about the group has to be true of it afterwards.
            "DescribeSecurityGroupRules",
        ]
    );
}

#[test]
fn events_share_one_ec2() {
    let event = event("authorize-open-ssh");
    let groups = r#"{"SecurityGroups": [{"GroupId": "sg-0a1b2c3d4e5f67890", "GroupName": "typo3",
        "OwnerId": "123456789012", "IpPermissionsEgress": [], "IpPermissions": [{"IpProtocol": "tcp",
        "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}]}"#;
    let groups = File::new("shared.json", groups);
    let revert = ["--remediation=revert-ssh", "--scope=all", "--ssh-source=none"];
    let arguments = [&["invoke", &event, &event, "--groups", groups.path()], &revert[..]].concat();
    let out = answer(&arguments).unwrap().out;
    let [first, second] = &out.split("\n== ").collect::<Vec<_>>()[..] else { panic!("{out}") };
    assert!(first.contains("Subject: CLOSED"), "{first}");
    // Only the groups that were given have the name.
    assert!(first.contains("typo3"), "{first}");
    assert!(second.contains("already-gone"), "{second}");
    assert!(second.contains("(InvalidPermission.NotFound)"), "{second}");
}

#[test]
fn a_change_that_could_not_be_audited_is_on_standard_error() {
    let event = event("truncated");
    let unaudited = answer(&["invoke", &event]).unwrap();
    assert_eq!(unaudited.status, NOT_AUDITED);
    let [reason, hint] = &unaudited.notes[..] else { panic!("{:?}", unaudited.notes) };
    assert!(reason.contains("could not be audited"), "{reason}");
    assert!(hint.contains("--groups"), "{hint}");
}

#[test]
fn earlier_events_do_not_make_an_unreadable_event_auditable() {
    let [web, truncated] = ["authorize-web", "truncated"].map(event);
    let one_by_one = answer(&["invoke", &web, &truncated]).unwrap();
    assert_eq!(one_by_one.status, NOT_AUDITED, "{}", one_by_one.out);
    let [web, truncated] = [web, truncated].map(|file| std::fs::read_to_string(file).unwrap());
    for records in [[&web, &truncated], [&truncated, &web]] {
        let records = records.map(|record| {
            let record: serde_json::Value = serde_json::from_str(record).unwrap();
            serde_json::json!({"eventSource": "aws:sqs", "body": record.to_string()})
        });
        let batch = serde_json::json!({ "Records": records }).to_string();
        let batch = File::new("batch.json", &batch);
        let answer = answer(&["invoke", batch.path()]).unwrap();
        assert_eq!(answer.status, NOT_AUDITED, "{}", answer.out);
        assert!(answer.out.contains("1 change introduced nothing"), "{}", answer.out);
    }
}

#[test]
fn a_modified_rule_of_unknown_direction_counts_as_ingress() {
    let event = event("modify-widened");
    let found = answer(&["invoke", &event]).unwrap();
    assert_eq!((found.status, found.notes.len()), (1, 0), "{}", found.out);
    assert!(found.out.contains("open-ssh"), "{}", found.out);
}

#[test]
fn several_events_are_one_report_in_json() {
    let events = ["truncated", "authorize-open-ssh", "authorize-web"].map(event);
    let [first, second, third] = &events;
    let found = answer(&["invoke", first, second, third, "--format", "json"]).unwrap();
    assert_eq!(found.status, NOT_AUDITED);
    let report: serde_json::Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(report["groups_audited"], 2);
    assert_eq!(report["findings"][0]["code"], "open-ssh");
    assert_eq!(report["findings"][1]["code"], "unaudited-change");
}

#[test]
fn a_scope_by_tag_needs_the_groups() {
    let event = event("authorize-open-ssh");
    let scoped = ["invoke", &event, "--scope", "tag:Site=typo3"];
    let [line] = &answer(&scoped).unwrap_err()[..] else { panic!() };
    assert!(line.contains("--scope") && line.contains("give it with --groups"), "{line}");
    let tagged = format!(
        r#"{{"SecurityGroups": [{{"GroupId": "{SHOP}", "IpPermissions": [], "IpPermissionsEgress": [], "Tags": [{{"Key": "Site", "Value": "typo3"}}]}}]}}"#
    );
    let tagged = File::new("tagged.json", &tagged);
    let given = [&scoped[..], &["--groups", tagged.path()]].concat();
    assert_eq!(answer(&given).unwrap().status, 1);
}

#[test]
fn a_group_that_is_not_in_the_file_is_named() {
    let other = File::new("other.json", &group("sg-1", 443, ANYWHERE));
    let note =
        format!("note: {} has no group {SHOP}, so its present state is not known", other.path());
    let open = event("authorize-open-ssh");
    let found = answer(&["invoke", &open, &open, "--groups", other.path()]).unwrap();
    assert_eq!((found.status, found.notes), (1, vec![note]));
    // This audit did not ask EC2 for the group.
    let web = answer(&["invoke", &event("authorize-web"), "--groups", other.path()]).unwrap();
    assert_eq!((web.status, web.notes.len()), (0, 0));
}

#[test]
fn only_a_group_that_was_audited_as_a_whole_is_called_compliant() {
    let settled = answer(&["invoke", &event("authorize-web")]).unwrap().out;
    assert!(settled.contains("1 change introduced nothing beyond the baseline"), "{settled}");
    assert!(!settled.contains("group compliant"), "{settled}");
    let web = File::new("whole.json", &group(SHOP, 443, ANYWHERE));
    let whole = answer(&["invoke", &event("truncated"), "--groups", web.path()]).unwrap().out;
    assert!(whole.contains("1 group compliant"), "{whole}");
    assert!(!whole.contains("introduced"), "{whole}");
}

#[test]
fn the_text_says_what_happens_to_connections() {
    let revert = ["--remediation=revert-ssh", "--scope=all", "--ssh-source=none"];
    let event = event("authorize-open-ssh");
    let out = answer(&[&["invoke", &event], &revert[..]].concat()).unwrap().out;
    assert!(out.contains("EC2 did not track them"), "{out}");
}

#[test]
fn a_check_does_not_repeat_for_each_rule_that_nothing_was_changed() {
    let open = File::new("note.json", &group("sg-1", 22, ANYWHERE));
    let check = ["check", "--groups", open.path(), "--baseline", "as-documented", "--web-port=80"];
    let wide = answer(&check).unwrap().out;
    assert!(wide.contains("the addresses that need SSH"), "{wide}");
    let out = answer(&check[..3]).unwrap().out;
    assert!(!out.contains("Nothing was changed"), "{out}");
}

#[test]
fn standard_input_can_be_read_only_once() {
    let twice = answer(&["invoke", "-", "--groups", "-"]).unwrap_err();
    assert_eq!(
        twice,
        ["`-` is given 2 times, but standard input can be read only once: write a file path in \
             place of the others"]
    );
}

#[test]
fn an_error_has_its_cause() {
    let missing = answer(&["check", "--groups", "no-such-file.json"]).unwrap_err();
    let [error, cause] = &missing[..] else { panic!("{missing:?}") };
    assert!(error.starts_with("no-such-file.json cannot be read"), "{error}");
    assert!(cause.starts_with("  cause: "), "{cause}");
    let broken = File::new("broken.json", "{");
    assert_eq!(answer(&["check", "--groups", broken.path()]).unwrap_err().len(), 2);
}

#[test]
fn every_wrong_option_is_reported() {
    let wrong = ["check", "--groups", "-", "--scope", "some", "--remediation", "revert"];
    assert_eq!(
        answer(&wrong).unwrap_err(),
        [
            "--scope is `some`: write all, or tag:KEY=VALUE",
            "--remediation is `revert`: write notify, revert-ssh or revert-ingress",
        ]
    );
    assert!(Arguments::try_parse_from(["sg-audit", "check"]).is_err());
    let region = ["sg-audit", "check", "--live", "--region", "Frankfurt"];
    let refused = Arguments::try_parse_from(region).unwrap_err().to_string();
    assert!(refused.contains("`Frankfurt` is not an AWS region: write one"), "{refused}");
    assert!(
        Arguments::try_parse_from(["sg-audit", "baseline", "show", "a", "--baseline", "b"])
            .is_err()
    );
}

#[test]
fn show_prints_the_baseline_in_effect() {
    let shown = answer(&["baseline", "show", "--ssh-source", "203.0.113.0/24"]).unwrap();
    assert!(shown.out.contains("ssh-sources: [203.0.113.0/24]"), "{}", shown.out);
    let file = File::new("shown.yaml", &shown.out);
    assert_eq!(answer(&["baseline", "show", file.path()]).unwrap().out, shown.out);
}

#[test]
fn a_baseline_is_valid_or_all_its_faults_are_reported() {
    let valid = answer(&["baseline", "validate"]).unwrap();
    assert_eq!(
        valid.out,
        "standard: valid (3 ingress entries, 1 egress entry, 1 peer set, no exemptions)\n"
    );
    assert!(valid.notes.is_empty());
    let wide = answer(&["baseline", "validate", "as-documented"]).unwrap();
    assert_eq!((wide.status, wide.notes.len()), (0, 1));
    let file = File::new("wrong.yaml", "version: 1\nname: x\nfoo: 1\ningress: []\negress: 1\n");
    let faults = answer(&["baseline", "validate", file.path()]).unwrap_err();
    let lines: Vec<_> = faults
        .iter()
        .map(|fault| {
            fault.strip_prefix(&format!("{}:", file.path())).unwrap().split_once(':').unwrap().0
        })
        .collect();
    assert_eq!(lines, ["3", "5"]);
}

/// A baseline with exemptions, given by group, last day and reason.
fn with_exemptions(exemptions: &[(&str, &str, &str)]) -> String {
    let mut text = "version: 1\nname: ours\ningress: []\negress: []\nexemptions:\n".to_owned();
    for (group, until, reason) in exemptions {
        text.push_str(&format!(
            "- {{ group: {group}, direction: ingress, protocol: tcp, ports: [8000], \
             peers: [198.51.100.0/24], reason: \"{reason}\", until: {until} }}\n"
        ));
    }
    text
}

#[test]
fn validate_warns_of_exemptions_that_end_soon() {
    // Today is 2026-11-23.
    let file = File::new(
        "ending.yaml",
        &with_exemptions(&[
            ("sg-0a", "2026-11-22", "ticket 1"),
            ("sg-0b", "2026-11-23", "ticket 2"),
            ("sg-0c", "2026-11-24", "ticket 3"),
            ("sg-0d", "2026-12-23", "ticket\u{202e}4"),
            ("sg-0e", "2026-12-24", "ticket 5"),
        ]),
    );
    let found = answer(&["baseline", "validate", file.path()]).unwrap();
    assert_eq!(found.status, 0);
    assert!(found.out.contains("5 exemptions"), "{}", found.out);
    let [over, today, tomorrow, soon] = &found.notes[..] else { panic!("{:?}", found.notes) };
    for (note, said) in [
        (over, ["sg-0a has expired", "2026-11-22", "ticket 1"]),
        (today, ["sg-0b ends today", "2026-11-23", "ticket 2"]),
        (tomorrow, ["sg-0c ends tomorrow", "2026-11-24", "ticket 3"]),
        (soon, ["sg-0d ends in 30 days", "2026-12-23", "ticket"]),
    ] {
        for part in said {
            assert!(note.contains(part), "{note}");
        }
    }
    // The reason must not change the terminal.
    assert!(!soon.contains('\u{202e}'), "{soon}");
}

#[test]
fn an_exempt_rule_has_the_exit_status_of_a_compliant_one() {
    let baseline =
        File::new("exempt.yaml", &with_exemptions(&[("sg-1", "2026-11-23", "ticket 1")]));
    let status = |name: &str, port, peer: &str| {
        let rules = File::new(name, &group("sg-1", port, &format!(r#""CidrIpv4": "{peer}""#)));
        let check = ["check", "--groups", rules.path(), "--baseline", baseline.path()];
        answer(&check).unwrap().status
    };
    assert_eq!(status("exempt-1.json", 8000, "198.51.100.7/32"), 0);
    assert_eq!(status("exempt-2.json", 8001, "198.51.100.7/32"), 1);
    assert_eq!(status("exempt-3.json", 8000, "198.51.101.7/32"), 1);
}

#[test]
fn an_event_about_all_groups_asks_for_them() {
    for (name, about) in
        [("scheduled-sweep", "give them with --groups"), ("modify-prefix-list", "--prefix-lists")]
    {
        let alone = answer(&["invoke", &event(name)]).unwrap();
        assert!(alone.notes.iter().any(|note| note.contains(about)), "{:?}", alone.notes);
        assert_eq!(alone.status, NOT_AUDITED, "{}", alone.out);
    }
    let open = File::new("sweep-open", &group("sg-0a1b2c3d4e5f67890", 22, ANYWHERE));
    let swept = ["invoke", &event("scheduled-sweep"), "--groups", open.path()];
    let found = answer(&swept).unwrap();
    assert_eq!((found.status, found.notes.len()), (1, 0), "{:?}", found.notes);
    // A sweep does not obey --remediation, and a note says so.
    let revert = ["--remediation", "revert-ssh", "--scope", "all", "--ssh-source", "none"];
    let found = answer(&[&swept[..], &revert].concat()).unwrap();
    assert!(found.notes[0].contains("use --sweep-remediation"), "{:?}", found.notes);
    let sweep = [&swept[..], &revert, &["--sweep-remediation", "revert-ssh"]].concat();
    let found = answer(&sweep).unwrap();
    assert!(found.out.contains("RevokeSecurityGroupIngress"), "{}", found.out);
    assert_eq!(found.notes.len(), 0, "{:?}", found.notes);
    let web = File::new("sweep-web", &group("sg-0a1b2c3d4e5f67890", 443, ANYWHERE));
    let found = answer(&["invoke", &event("scheduled-sweep"), "--groups", web.path()]).unwrap();
    assert!(found.out.starts_with("1 group compliant\n"), "{}", found.out);
}

#[test]
fn a_group_with_changed_tags_that_is_not_in_the_file_is_named() {
    let other = File::new("tags-other", &group("sg-0b2c3d4e5f6789012", 443, ANYWHERE));
    let scoped = ["--scope", "tag:Application=typo3", "--groups", other.path()];
    let found = answer(&[&["invoke", &event("create-tags")], &scoped[..]].concat()).unwrap();
    assert!(found.notes[0].contains("has no group sg-0a1b2c3d4e5f67890"), "{:?}", found.notes);
}

#[test]
fn only_rules_that_name_a_changed_list_count() {
    let naming = File::new(
        "naming",
        r#"{"SecurityGroups": [{"GroupId": "sg-0a1b2c3d4e5f67890", "OwnerId": "123456789012",
        "IpPermissionsEgress": [], "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
        "PrefixListIds": [{"PrefixListId": "pl-0f678901234567890"}]}]}]}"#,
    );
    let lists = File::new(
        "naming-lists",
        r#"{"pl-0f678901234567890": {"Entries": [{"Cidr": "203.0.113.0/24"}]}}"#,
    );
    let event = event("modify-prefix-list");
    let given = ["invoke", &event, "--groups", naming.path(), "--prefix-lists", lists.path()];
    let found = answer(&given).unwrap();
    let said = "1 group names the list in rules that comply; its other rules were not looked at\n";
    assert!(found.out.starts_with(said), "{}", found.out);
    assert_eq!((found.status, found.notes.len()), (0, 0), "{:?}", found.notes);
}

#[test]
fn a_check_finds_holds_by_the_tags_of_rules() {
    let rules = |until: &str| {
        format!(
            r#"{{"SecurityGroupRules": [{{"SecurityGroupRuleId": "sgr-1",
            "GroupId": "sg-0a1b2c3d4e5f67890", "GroupOwnerId": "123456789012", "IsEgress": false,
            "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0",
            "Tags": [{{"Key": "sg-audit:allow-until", "Value": "{until}"}},
            {{"Key": "sg-audit:reason", "Value": "ticket 4711"}}]}}]}}"#
        )
    };
    let hour = chrono::TimeDelta::hours(1);
    for (name, until, says) in [
        ("hold", (now() + hour).to_rfc3339(), "held            Left alone until"),
        ("hold-over", (now() - hour).to_rfc3339(), "and that is over"),
        ("hold-vague", "tomorrow".to_owned(), "The hold was refused"),
    ] {
        let file = File::new(name, &rules(&until));
        let found = answer(&["check", "--groups", file.path()]).unwrap();
        let text = found.out.split_whitespace().collect::<Vec<_>>().join(" ");
        let says = says.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&says), "{}", found.out);
        assert_eq!(found.status, 1);
    }
}
