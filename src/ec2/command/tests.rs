use std::collections::BTreeSet;

use chrono::DateTime;

use super::*;
use crate::ec2::Protocol;

fn region() -> Region {
    "eu-west-1".parse().unwrap()
}

fn sg() -> GroupId {
    "sg-1".parse().unwrap()
}

fn tcp(port: i32) -> Rule {
    let peer = "0.0.0.0/0".parse().unwrap();
    Rule::new(Direction::Ingress, Protocol::TCP, Some(port), Some(port), peer).unwrap()
}

fn described(description: &str) -> Rule {
    tcp(22).with_description(Some(description.to_owned()))
}

fn tagged(tags: &[(&str, &str)]) -> Rule {
    let tags = tags.iter().map(|(key, value)| (key.to_string(), value.to_string()));
    tcp(22).with_tags(tags.collect())
}

fn hold() -> Hold {
    let until = DateTime::from_timestamp(1_795_392_000, 0).unwrap();
    Hold { until, reason: "it's the vendor".to_owned() }
}

/// The line that puts back a rule that was removed.
fn put_back(rule: &Rule, hold: Option<&Hold>) -> String {
    undo(Some(&region()), &sg(), Some(rule), &[], Sequence::RuleFirst, hold).unwrap()
}

#[test]
fn an_undo_is_one_line_with_everything_quoted() {
    let old = described("it's $(reboot) `id` \"x\"");
    let old = old.with_tags([("Owner".to_owned(), "ops".to_owned())].into());
    let pieces = [described("piece")];
    assert_eq!(
        undo(Some(&region()), &sg(), Some(&old), &pieces, Sequence::RuleFirst, None).unwrap(),
        r#"aws ec2 authorize-security-group-ingress --region 'eu-west-1' --group-id 'sg-1' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"it'\''s $(reboot) `id` \"x\""}],"ToPort":22}]' --tag-specifications '[{"ResourceType":"security-group-rule","Tags":[{"Key":"Owner","Value":"ops"}]}]' && aws ec2 revoke-security-group-ingress --region 'eu-west-1' --group-id 'sg-1' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":22}]'"#
    );
}

#[test]
fn characters_that_control_a_terminal_are_escaped() {
    let line = put_back(&described("a\u{1b}[2J\u{202e}b\n\u{1f600}"), None);
    assert!(line.contains(r"a\u001b[2J\u202eb\n\ud83d\ude00"), "{line}");
    assert!(line.is_ascii() && !line.contains('\n'));
}

#[test]
fn without_a_region_or_a_rule_there_is_no_undo() {
    assert_eq!(undo(Some(&region()), &sg(), None, &[], Sequence::RuleFirst, None), None);
    assert_eq!(undo(None, &sg(), Some(&tcp(22)), &[], Sequence::RuleFirst, None), None);
}

#[test]
fn in_a_full_group_the_pieces_go_first() {
    let pieces = [described("piece")];
    let verbs = |sequence| {
        let line = undo(Some(&region()), &sg(), Some(&tcp(22)), &pieces, sequence, None).unwrap();
        let verbs = line.split(' ').filter(|word| word.ends_with("-security-group-ingress"));
        verbs.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut calls = ["authorize-security-group-ingress", "revoke-security-group-ingress"];
    assert_eq!(verbs(Sequence::RuleFirst), calls);
    calls.reverse();
    assert_eq!(verbs(Sequence::PiecesFirst), calls);
}

/// The keys and values of all tags in a line, call by call.
fn tags_in(line: &str) -> Vec<Vec<(String, String)>> {
    let specifications = line.split("--tag-specifications '").skip(1);
    specifications
        .map(|rest| {
            let json = rest.split("]}]'").next().unwrap().replace(r"'\''", "'") + "]}]";
            let json: Value = serde_json::from_str(&json).unwrap();
            let tags = json[0]["Tags"].as_array().unwrap().iter();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            tags.map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect()
        })
        .collect()
}

#[test]
fn a_hold_replaces_an_earlier_one() {
    let old = tagged(&[("Owner", "ops"), (hold::UNTIL, "2020"), ("sg-audit:other", "x")]);
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        tags_in(&put_back(&old, Some(&hold()))),
        [[
            tag("Owner", "ops"),
            tag("sg-audit:allow-until", "2026-11-23T00:00:00Z"),
            tag("sg-audit:reason", "it's the vendor"),
        ]]
    );
    // Without a hold, the rule is put back as it was.
    assert_eq!(tags_in(&put_back(&old, None))[0].len(), 3);
}

#[test]
fn no_tag_is_dropped_to_make_room_for_a_hold() {
    let names: Vec<String> = (0..50).map(|n| format!("Tag{n}")).collect();
    let all: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let line = authorize_line(None, &sg(), &[tagged(&all)], Some(&hold())).unwrap();
    assert_eq!(tags_in(&line)[0].len(), 52);
}

#[test]
fn rules_with_the_same_direction_and_tags_share_a_call() {
    let ops = &[("Owner", "ops")];
    let egress = tagged(ops).with_direction(Direction::Egress);
    let web = tcp(443).with_tags(tagged(ops).tags().clone());
    let rules = [tagged(ops), web, tagged(&[]), egress];
    let line = authorize_line(Some(&region()), &sg(), &rules, None).unwrap();
    let calls: Vec<&str> = line.split(" && ").collect();
    let begins = |at: usize, with: &str| assert!(calls[at].starts_with(with), "{}", calls[at]);
    assert_eq!(calls.len(), 3, "{line}");
    begins(0, "aws ec2 authorize-security-group-ingress --region 'eu-west-1' --group-id 'sg-1'");
    assert!(calls[0].contains(r#""ToPort":22},{"#) && calls[0].contains("443"), "{line}");
    begins(1, "aws ec2 authorize-security-group-ingress");
    assert!(!calls[1].contains("--tag"), "{line}");
    begins(2, "aws ec2 authorize-security-group-egress");
    assert_eq!(authorize_line(Some(&region()), &sg(), &[], None), None);
}

#[test]
fn the_arguments_of_a_command_are_those_of_its_line() {
    let call = Command::authorize(None, &sg(), &[&described("it's")], Some(&hold()));
    let line = call.to_string();
    let arguments: Vec<&str> = call.arguments().collect();
    assert_eq!(arguments[..2], ["ec2", "authorize-security-group-ingress"]);
    assert!(!arguments.contains(&"--region"), "{line}");
    let said: BTreeSet<&str> = line.split(' ').filter(|word| word.starts_with("--")).collect();
    assert_eq!(said, arguments.iter().copied().filter(|it| it.starts_with("--")).collect());
    assert!(arguments.iter().any(|argument| argument.contains("\"it's\"")), "{arguments:?}");
}
