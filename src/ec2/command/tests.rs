use std::collections::BTreeSet;

use chrono::DateTime;

use super::*;
use crate::ec2::Protocol;

fn rule(description: &str) -> Rule {
    let mut rule = Rule::new(
        Direction::Ingress,
        Protocol::TCP,
        Some(22),
        Some(22),
        "0.0.0.0/0".parse().unwrap(),
    )
    .unwrap();
    rule.description = Some(description.to_owned());
    rule
}

#[test]
fn one_line_with_everything_quoted() {
    let mut old = rule("it's $(reboot) `id` \"x\"");
    old.tags.insert("Owner".to_owned(), "ops".to_owned());
    let piece = rule("piece");
    assert_eq!(
        undo(Some("eu-central-1"), "sg-1", Some(&old), &[piece], Sequence::RuleFirst, None)
            .unwrap(),
        r#"aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-1' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"it'\''s $(reboot) `id` \"x\""}],"ToPort":22}]' --tag-specifications '[{"ResourceType":"security-group-rule","Tags":[{"Key":"Owner","Value":"ops"}]}]' && aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-1' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":22}]'"#
    );
}

#[test]
fn what_a_terminal_would_obey_is_escaped() {
    let old = rule("a\u{1b}[2J\u{202e}b\n\u{1f600}");
    let line = undo(Some("eu-west-1"), "sg-1", Some(&old), &[], Sequence::RuleFirst, None).unwrap();
    assert!(line.contains(r"a\u001b[2J\u202eb\n\ud83d\ude00"), "{line}");
    assert!(line.is_ascii() && !line.contains('\n'));
}

#[test]
fn nothing_to_undo_is_no_line() {
    assert_eq!(undo(Some("eu-west-1"), "sg-1", None, &[], Sequence::RuleFirst, None), None);
    assert_eq!(undo(None, "sg-1", Some(&rule("")), &[], Sequence::RuleFirst, None), None);
}

/// `aws` would read a file, or take the word for an option.
#[test]
fn what_is_no_group_and_no_region_is_no_line() {
    for text in ["file:///etc/passwd", "--endpoint-url", "sg-1\n", "$(reboot)", ""] {
        let line = |region, group| {
            undo(Some(region), group, Some(&rule("")), &[], Sequence::RuleFirst, None)
        };
        assert_eq!(line("eu-west-1", text), None);
        assert_eq!(line(text, "sg-1"), None);
        assert_eq!(authorize_line(Some(text), "sg-1", &[rule("")], None), None);
        assert_eq!(authorize_line(None, text, &[rule("")], None), None);
    }
}

fn hold() -> Hold {
    let until = DateTime::from_timestamp(1_795_392_000, 0).unwrap();
    Hold { until, reason: "it's the vendor".to_owned() }
}

/// The keys and values of every tag in a line.
fn tags_of(line: &str) -> Vec<Vec<(String, String)>> {
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

fn tagged(tags: &[(&str, &str)]) -> Rule {
    let mut rule = rule("");
    rule.tags = tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    rule
}

#[test]
fn a_hold_takes_the_place_of_an_earlier_one() {
    let old = tagged(&[("Owner", "ops"), (hold::UNTIL, "2020"), ("sg-audit:other", "x")]);
    let hold = hold();
    let of =
        |hold| undo(Some("eu-west-1"), "sg-1", Some(&old), &[], Sequence::RuleFirst, hold).unwrap();
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        tags_of(&of(Some(&hold))),
        [[
            tag("Owner", "ops"),
            tag("sg-audit:allow-until", "2026-11-23T00:00:00Z"),
            tag("sg-audit:reason", "it's the vendor"),
        ]]
    );
    // Without one the rule is put back as it was.
    assert_eq!(tags_of(&of(None))[0].len(), 3);
}

#[test]
fn no_tag_is_dropped_to_make_room() {
    let names: Vec<String> = (0..50).map(|n| format!("Tag{n}")).collect();
    let all: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let line = authorize_line(None, "sg-1", &[tagged(&all)], Some(&hold())).unwrap();
    assert_eq!(tags_of(&line)[0].len(), 52);
}

#[test]
fn rules_of_the_same_tags_share_a_call() {
    let mut egress = tagged(&[("Owner", "ops")]);
    egress.direction = Direction::Egress;
    let mut web = tagged(&[("Owner", "ops")]);
    (web.from_port, web.to_port) = (Some(443), Some(443));
    let rules = [tagged(&[("Owner", "ops")]), web, tagged(&[]), egress];
    let line = authorize_line(Some("eu-west-1"), "sg-1", &rules, None).unwrap();
    let calls: Vec<&str> = line.split(" && ").collect();
    let begins = |at: usize, with: &str| assert!(calls[at].starts_with(with), "{}", calls[at]);
    assert_eq!(calls.len(), 3, "{line}");
    begins(0, "aws ec2 authorize-security-group-ingress --region 'eu-west-1' --group-id 'sg-1'");
    assert!(calls[0].contains(r#""ToPort":22},{"#) && calls[0].contains("443"), "{line}");
    begins(1, "aws ec2 authorize-security-group-ingress");
    assert!(!calls[1].contains("--tag"), "{line}");
    begins(2, "aws ec2 authorize-security-group-egress");
    assert_eq!(authorize_line(Some("eu-west-1"), "sg-1", &[], None), None);
}

#[test]
fn a_program_is_started_with_what_the_line_says() {
    let call = Call::authorize(None, "sg-1", &[&rule("it's")], Some(&hold()));
    let line = call.to_string();
    let arguments: Vec<&str> = call.arguments().collect();
    assert_eq!(arguments[..2], ["ec2", "authorize-security-group-ingress"]);
    assert!(!arguments.contains(&"--region"), "{line}");
    let said: BTreeSet<&str> = line.split(' ').filter(|word| word.starts_with("--")).collect();
    assert_eq!(said, arguments.iter().copied().filter(|it| it.starts_with("--")).collect());
    assert!(arguments.iter().any(|argument| argument.contains("\"it's\"")), "{arguments:?}");
}
