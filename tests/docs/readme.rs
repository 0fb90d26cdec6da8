//! The README is short, and its commands do what it says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::page::blocks;
use super::{printed, read, root, sg_audit};

/// How a command starts that runs the built program.
const PROGRAM: [&str; 2] = ["cargo run --no-default-features -- ", "sg-audit "];

/// Alone in a line it stands for any lines, at the end of a line for the rest of it.
const LEFT_OUT: char = '…';

#[test]
fn the_readme_has_at_most_150_lines() {
    let lines = read("README.md").lines().count();
    assert!(lines <= 150, "{lines} lines");
}

/// Whether the output has these lines, in this order. Lines next to each other stay so.
fn shows(shown: &[&str], output: &[&str]) -> bool {
    let Some((first, rest)) = shown.split_first() else { return output.is_empty() };
    if first.trim() == LEFT_OUT.to_string() {
        return (0..=output.len()).any(|from| shows(rest, &output[from..]));
    }
    let is_same = |line: &&str| match first.strip_suffix(LEFT_OUT) {
        Some(start) => line.starts_with(start),
        None => line == first,
    };
    output.split_first().is_some_and(|(line, output)| is_same(line) && shows(rest, output))
}

#[test]
fn what_is_left_out_of_an_output_is_marked() {
    let output = ["a", "b", "c", "d e"];
    for (shown, is_true) in [
        (&["a", "b", "c", "d e"][..], true),
        (&["a", "…", "d …"], true),
        (&["…", "b", "…"], true),
        (&["…", "c", "d e", "…"], true),
        (&["a", "c", "d e"], false),
        (&["a", "b", "c"], false),
        (&["…", "c", "b", "…"], false),
        (&["a", "…", "d f…"], false),
        (&["…"], true),
        (&[], false),
    ] {
        assert_eq!(shows(shown, &output), is_true, "{shown:?}");
    }
}

#[test]
fn the_commands_of_the_readme_print_what_it_shows() {
    const FIRST: &str = "cargo run --no-default-features -- invoke events/authorize-open-ssh.json";
    let readme = read("README.md");
    let blocks = blocks(&readme, "console");
    assert!(blocks[0].starts_with(&format!("$ {FIRST}\n")), "{:.120}", blocks[0]);
    for block in blocks {
        for one in block.split("\n$ ") {
            let (command, shown) =
                one.trim_start_matches("$ ").split_once('\n').expect("an output");
            let arguments = PROGRAM.iter().find_map(|program| command.strip_prefix(program));
            let arguments = arguments.unwrap_or_else(|| panic!("`{command}` cannot be run here"));
            assert!(!arguments.contains(['\'', '"', '\\', '|', '>']), "no shell is here");
            let ran = printed(&sg_audit(&arguments.split_whitespace().collect::<Vec<_>>()));
            let shown: Vec<&str> = shown.trim_end().lines().collect();
            let output: Vec<&str> = ran.trim_end().lines().collect();
            assert!(shows(&shown, &output), "the README shows\n{shown:#?}\nand it prints\n{ran}");
        }
    }
}

#[test]
fn one_line_checks_all_regions_of_an_account() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("regions");
    fs::create_dir_all(&folder).unwrap();
    // Answers as `aws` does: two regions, one of which has open SSH.
    let aws = r#"#!/bin/sh
group() {
  printf '{"SecurityGroups": [{"GroupId": "sg-0a1b2c3d4e5f6789%s", "GroupName": "web", "Description": "", ' "$1"
  printf '"OwnerId": "123456789012", "VpcId": "vpc-0a9b8c7d6e5f40312", "IpPermissionsEgress": [], "IpPermissions": [%s],' "$2"
  printf '"SecurityGroupArn": "arn:aws:ec2:%s:123456789012:security-group/sg-0a1b2c3d4e5f6789%s"}]}\n' "$3" "$1"
}
case "$*" in
  "ec2 describe-regions "*) printf 'eu-central-1\teu-west-1\n' ;;
  "ec2 describe-security-groups --region eu-central-1") group 0 '' eu-central-1 ;;
  "ec2 describe-security-groups --region eu-west-1")
    group 1 '{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}' eu-west-1 ;;
  *) exit 64 ;;
esac
"#;
    let program = folder.join("aws");
    fs::write(&program, aws).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();

    let readme = read("README.md");
    let line = readme.lines().find(|line| line.starts_with("for region in ")).expect("the line");
    let programs = Path::new(env!("CARGO_BIN_EXE_sg-audit")).parent().expect("a folder");
    let path = format!("{}:{}:/usr/bin:/bin", folder.display(), programs.display());
    let mut shell = Command::new("sh");
    let ran = shell.args(["-c", line]).current_dir(root()).env_clear().env("PATH", path).output();
    let ran = ran.expect("a shell");
    let text = printed(&ran);
    assert_eq!(ran.status.code(), Some(1), "{text}");
    for part in ["open-ssh", "eu-west-1", "2 groups and 1 rule audited"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
