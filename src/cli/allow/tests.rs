use std::path::PathBuf;
use std::process::Stdio;

use clap::Parser;

use super::*;
use crate::cli::args::{Arguments, Command as Subcommand};
use crate::ec2::hold::PLACEHOLDER_REASON;

const SHOP: [&str; 10] = [
    "--group",
    "sg-0a1b2c3d4e5f67890",
    "--from",
    "198.51.100.0/24",
    "--port",
    "22",
    "--for",
    "8h",
    "--reason",
    "vendor support, ticket 4711",
];

fn now() -> DateTime<Utc> {
    "2026-03-12T08:00:00.750Z".parse().unwrap()
}

/// The options of [`SHOP`], with these replaced or added.
fn options(others: &[&str]) -> AllowArgs {
    let given = |name: &str| others.iter().any(|other| other.split('=').next() == Some(name));
    let shop = SHOP.chunks(2).filter(|pair| !given(pair[0])).flatten().copied();
    let arguments = ["sg-audit", "allow"].into_iter().chain(shop).chain(others.iter().copied());
    match Arguments::try_parse_from(arguments).unwrap().command {
        Subcommand::Allow(args) => args,
        other => panic!("{other:?}"),
    }
}

fn printed(others: &[&str]) -> Answer {
    run(&options(others), "no-such-program".as_ref(), now()).unwrap()
}

fn faults(others: &[&str]) -> Vec<String> {
    run(&options(others), "no-such-program".as_ref(), now()).unwrap_err().lines()
}

#[test]
fn allow_prints_the_command_of_a_hold() {
    let answer = printed(&[]);
    assert_eq!(
        answer.out,
        r#"aws ec2 authorize-security-group-ingress --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"198.51.100.0/24"}],"ToPort":22}]' --tag-specifications '[{"ResourceType":"security-group-rule","Tags":[{"Key":"sg-audit:allow-until","Value":"2026-03-12T16:00:00Z"},{"Key":"sg-audit:reason","Value":"vendor support, ticket 4711"}]}]'
"#
    );
    let note = "once you run the command: held until 2026-03-12 16:00:00 UTC, if the function's HOLD_MAX_HOURS is 24 or more";
    assert_eq!((answer.status, answer.notes), (0, vec![note.to_owned()]));
}

#[test]
fn every_part_of_a_rule_can_be_given() {
    let out =
        printed(&["--protocol", "udp", "--port", "8000-8010", "--region", "eu-central-1"]).out;
    assert!(out.contains(" --region 'eu-central-1' "), "{out}");
    assert!(out.contains(r#""FromPort":8000,"IpProtocol":"udp""#), "{out}");
    assert!(out.contains(r#""ToPort":8010"#), "{out}");
    let out = printed(&["--from", "2001:db8:1::/48", "--description", "load test (4711)"]).out;
    let peer = r#""Ipv6Ranges":[{"CidrIpv6":"2001:db8:1::/48","Description":"load test (4711)"}]"#;
    assert!(out.contains(peer), "{out}");
    let out = printed(&["--from", "210987654321/sg-0123456789abcdef0"]).out;
    assert!(out.contains(r#"{"GroupId":"sg-0123456789abcdef0","UserId":"210987654321"}"#), "{out}");
    let out = printed(&["--from", "pl-0123456789abcdef0"]).out;
    assert!(out.contains(r#""PrefixListIds":[{"PrefixListId":"pl-0123456789abcdef0"}]"#), "{out}");
}

#[test]
fn a_reason_is_quoted_for_the_shell() {
    let out = printed(&["--reason", "it's $(reboot) `id` \"x\" é"]).out;
    assert!(out.contains(r#""Value":"it'\''s $(reboot) `id` \"x\" \u00e9"}]}]'"#), "{out}");
    assert_eq!(out.lines().count(), 1);
}

#[test]
fn lengths_of_time_have_units() {
    for (length, end) in [
        ("30m", "2026-03-12T08:30:00Z"),
        ("1h30m", "2026-03-12T09:30:00Z"),
        ("24h", "2026-03-13T08:00:00Z"),
        ("1d", "2026-03-13T08:00:00Z"),
    ] {
        assert!(printed(&["--for", length]).out.contains(end), "{length}");
    }
    assert!(printed(&["--for", "2d", "--max-hours", "48"]).out.contains("2026-03-14T08:00:00Z"));
}

#[test]
fn a_hold_that_the_function_would_not_accept_is_refused() {
    let of = |length: &str, hours: &str| faults(&["--for", length, "--max-hours", hours]);
    let longer = "--for: `24h1s` is longer than a hold may last; write 24h or less, or set --max-hours to the function's HOLD_MAX_HOURS";
    assert_eq!(of("24h1s", "24"), [longer]);
    for endless in ["9999y", "18446744073709551615s"] {
        assert!(of(endless, "24")[0].contains("longer than a hold may last"), "{endless}");
    }
    assert!(of("0m", "24")[0].contains("less than a minute"));
    assert_eq!(of("1h", "0"), ["--for: if HOLD_MAX_HOURS is 0, holds are not allowed"]);
    for no_time in ["8", "eight hours", "", "-1h"] {
        let faults = faults(&[&format!("--for={no_time}")]);
        assert!(faults[0].contains("write 30m, 8h, 1h30m or 2d"), "{faults:?}");
    }
}

#[test]
fn no_function_accepts_a_hold_of_more_than_a_month() {
    let arguments = [&["sg-audit", "allow"], &SHOP[..], &["--max-hours", "745"]].concat();
    let refused = Arguments::try_parse_from(arguments).unwrap_err().to_string();
    assert!(refused.contains("745 is not in"), "{refused}");
    assert!(printed(&["--for", "31d", "--max-hours", "744"]).out.contains("2026-04-12T08:00:00Z"));
}

#[test]
fn every_fault_says_what_to_write() {
    let wrong = [
        "--group=typo3",
        "--from=203.0.113.7/24",
        "--port=80,443",
        "--reason= ",
        "--region=Frankfurt",
        "--description=Büro",
    ];
    let split: Vec<&str> = wrong.iter().flat_map(|it| it.splitn(2, '=')).collect();
    assert_eq!(
        faults(&split),
        [
            "--group: `typo3` is not the id of a security group: write sg-…",
            "--from: `203.0.113.7/24` has host bits set; write 203.0.113.0/24, or 203.0.113.7/32 for that address alone",
            "--port: `80,443` is not one port or range; write one, and run the command once for each",
            "--reason: ` ` does not say why; write who needs it for what",
            "--region: `Frankfurt` is not an AWS region: write one such as eu-central-1",
            "--description: EC2 does not accept `ü` in it; write letters without accents, digits, spaces and ._-:/()#,@[]+=&;{}!$*",
        ]
    );
    for (option, value) in [
        ("--from", "none"),
        ("--from", "198.51.100.7"),
        ("--from", "198.51.100.0/24,203.0.113.0/24"),
        ("--group", "sg-1'; id"),
        ("--group", "210987654321/sg-1"),
        ("--port", "80,81"),
        ("--port", "ssh"),
        ("--port", "70000"),
        ("--reason", "two\nlines"),
        ("--reason", "turned \u{202e}round"),
        ("--reason", PLACEHOLDER_REASON),
        ("--reason", "Ticket, and why this is needed."),
    ] {
        let faults = faults(&[option, value]);
        assert!(faults.len() == 1 && faults[0].starts_with(option), "{option} {value}: {faults:?}");
        assert!(faults[0].contains("write "), "{faults:?}");
    }
    assert_eq!(faults(&["--reason", &"x".repeat(257)]).len(), 1);
    assert!(printed(&["--reason", &"x".repeat(256)]).out.contains(&"x".repeat(256)));
}

#[test]
fn ssh_and_every_port_are_opened_to_the_internet_only_on_request() {
    for (from, port, what) in [
        ("0.0.0.0/0", "22", "SSH"),
        ("::/0", "22", "SSH"),
        ("0.0.0.0/1", "22", "SSH"),
        ("128.0.0.0/1", "20-25", "SSH"),
        ("2000::/3", "1-1024", "SSH"),
        ("0.0.0.0/0", "0-65535", "every port"),
        ("::/0", "0-65535", "every port"),
    ] {
        let given = ["--from", from, "--port", port];
        let [refused] = &faults(&given)[..] else { panic!("{from} {port}") };
        assert!(refused.contains(&format!("opens {what} to the Internet")), "{refused}");
        assert!(refused.contains("add --yes-to-everybody"), "{refused}");
        let given = [&given[..], &["--yes-to-everybody"]].concat();
        let answer = printed(&given);
        assert!(answer.out.contains(from), "{}", answer.out);
        let [warning, held] = &answer.notes[..] else { panic!("{:?}", answer.notes) };
        assert_eq!(*warning, format!("warning: the Internet reaches {what} until the hold ends"));
        assert!(held.starts_with("once you run the command"), "{held}");
    }
    let udp = ["--from", "0.0.0.0/0", "--protocol", "udp", "--port", "0-65535"];
    assert!(faults(&udp)[0].contains("opens every port to the Internet"));
}

#[test]
fn other_rules_need_no_confirmation() {
    for (from, port) in [
        ("198.51.100.0/24", "22"),
        ("198.51.0.0/16", "0-65535"),
        ("2001:db8:1::/48", "22"),
        ("10.0.0.0/8", "22"),
        ("0.0.0.0/0", "8080"),
        ("0.0.0.0/0", "23-65535"),
        ("sg-0123456789abcdef0", "22"),
        ("pl-0123456789abcdef0", "8080"),
    ] {
        let given = ["--from", from, "--port", port];
        assert_eq!(printed(&given).notes.len(), 1, "{from} {port}");
        // The option changes nothing then.
        assert_eq!(printed(&[&given[..], &["--yes-to-everybody"]].concat()), printed(&given));
    }
    let udp = ["--from", "0.0.0.0/0", "--protocol", "udp", "--port", "22"];
    assert_eq!(printed(&udp).notes.len(), 1);
}

#[test]
fn a_prefix_list_that_may_be_the_internet_is_warned_of() {
    let list = "pl-0123456789abcdef0";
    for (port, what) in [("22", "SSH"), ("20-25", "SSH"), ("0-65535", "every port")] {
        let answer = printed(&["--from", list, "--port", port]);
        assert!(answer.out.contains(list), "{}", answer.out);
        let [warning, _] = &answer.notes[..] else { panic!("{:?}", answer.notes) };
        let said = format!("warning: whoever is in {list} reaches {what} until the hold ends");
        assert!(warning.starts_with(&said), "{warning}");
        let look = format!("get-managed-prefix-list-entries --prefix-list-id {list}");
        assert!(warning.contains(&look), "{warning}");
    }
    let udp = ["--from", list, "--port", "22", "--protocol", "udp"];
    assert_eq!(printed(&udp).notes.len(), 1);
}

#[test]
fn what_is_not_confirmed_is_not_run() {
    let aws = Aws::ending_with(5);
    let everybody = ["--apply", "--from", "0.0.0.0/0"];
    let refused = run(&options(&everybody), aws.program().as_ref(), now()).unwrap_err().lines();
    assert!(refused[0].contains("--yes-to-everybody"), "{refused:?}");
    assert!(!aws.0.join("aws.arguments").exists());
    let confirmed = [&everybody[..], &["--yes-to-everybody"]].concat();
    let answer = run(&options(&confirmed), aws.program().as_ref(), now()).unwrap_err().lines();
    assert!(answer[0].contains("exit status: 5"), "{answer:?}");
    assert!(aws.arguments().contains("0.0.0.0/0"));
}

/// A program that writes its arguments to a file and exits with `status`.
struct Aws(PathBuf);

impl Aws {
    fn ending_with(status: u8) -> Self {
        let folder =
            std::env::temp_dir().join(format!("sg-audit-aws-{}-{status}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let aws = Self(folder);
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$AWS_PAGER\" \"$@\" > \"$0.arguments\"\nexit {status}\n"
        );
        // Another process writes the file. If this one did, a child of another test could inherit the
        // open file, and a program that is open for writing cannot be started.
        let mut install = process::Command::new("install")
            .args(["-m", "755", "/dev/stdin"])
            .arg(aws.program())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut install.stdin.take().unwrap(), script.as_bytes()).unwrap();
        assert!(install.wait().unwrap().success());
        aws
    }

    fn program(&self) -> PathBuf {
        self.0.join("aws")
    }

    fn arguments(&self) -> String {
        std::fs::read_to_string(self.0.join("aws.arguments")).unwrap()
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn apply_runs_the_command_without_a_shell() {
    let aws = Aws::ending_with(0);
    let args = options(&["--reason", "it's $(reboot)", "--region", "eu-central-1", "--apply"]);
    let answer = run(&args, aws.program().as_ref(), now()).unwrap();
    assert_eq!((answer.out.as_str(), answer.status, answer.notes.len()), ("", 0, 1));
    assert_eq!(
        aws.arguments(),
        r#"
ec2
authorize-security-group-ingress
--region
eu-central-1
--group-id
sg-0a1b2c3d4e5f67890
--ip-permissions
[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"198.51.100.0/24"}],"ToPort":22}]
--tag-specifications
[{"ResourceType":"security-group-rule","Tags":[{"Key":"sg-audit:allow-until","Value":"2026-03-12T16:00:00Z"},{"Key":"sg-audit:reason","Value":"it's $(reboot)"}]}]
"#
    );
}

#[test]
fn apply_says_when_aws_failed() {
    let aws = Aws::ending_with(254);
    let failed = run(&options(&["--apply"]), aws.program().as_ref(), now()).unwrap_err().lines();
    let [failed] = &failed[..] else { panic!("{failed:?}") };
    assert!(failed.contains("did not open it (exit status: 254)"), "{failed}");
    assert!(failed.contains("aws sso login"), "{failed}");
    let missing = faults(&["--apply"]);
    assert!(missing[0].contains("install the AWS CLI"), "{missing:?}");
    assert!(missing[0].contains("nothing was opened"), "{missing:?}");
}

#[test]
fn nothing_runs_without_apply_or_with_a_fault() {
    let aws = Aws::ending_with(3);
    run(&options(&[]), aws.program().as_ref(), now()).unwrap();
    assert!(faults(&["--apply", "--for", "9d"])[0].starts_with("--for"));
    assert!(!aws.0.join("aws.arguments").exists());
}
