//! Parts of mails that depend on little else.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::events::{GROUP, authorizing, sample, with_long_tags};
use super::scene::{Scene, default, mail};
use super::scenes;
use crate::finding::Finding;

#[test]
fn user_agents_are_shown_without_their_comments() {
    let of = |agent: &str| {
        let mut event = sample("authorize-open-ssh");
        event["detail"]["userAgent"] = agent.into();
        let mail = Scene::new().run(&event).mail();
        mail.lines().find(|line| line.starts_with("From")).unwrap().to_owned()
    };
    assert_snapshot!(of("Mozilla/5.0 (X11; Linux x86_64; (a) b) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"), @"From: 198.51.100.23, Mozilla/5.0 AppleWebKit/537.36 Chrome/142.0.0.0…");
    assert_snapshot!(of("APN/1.0 HashiCorp/1.0 Terraform/1.13.4 (+https://www.terraform.io)"), @"From: 198.51.100.23, APN/1.0 HashiCorp/1.0 Terraform/1.13.4");
    assert_snapshot!(of("[aws-cli/2.31.0 (Linux x86_64; Python 3.13.7) md/awscrt#0.27.6]"), @"From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6");
    assert_snapshot!(of("(only a comment"), @"From: 198.51.100.23");
}

#[test]
fn a_record_that_tells_little_leaves_lines_out() {
    let mut event = sample("authorize-open-ssh");
    for member in ["userIdentity", "sourceIPAddress", "userAgent", "eventID", "eventTime"] {
        event["detail"].as_object_mut().unwrap().remove(member);
    }
    event.as_object_mut().unwrap().remove("time");
    let scene = Scene::new().without_groups();
    let told = scene.group_at(("123456789012", "eu-central-1"), GROUP, None, &[]).run(&event);
    assert_snapshot!(told.mail(), @r#"
    SSH is open to the Internet on sg-0a1b2c3d4e5f67890. The auditor will not close it.
    Rule: tcp 22 from 0.0.0.0/0
    Close it now, unless you know why it is open:
    aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":22}]'
    Nothing was changed: findings are only reported. The rule was still in the group.

    To allow SSH permanently, add the addresses to the SSH sources: the stack's parameter SshSources (SSH_SOURCES in docs/settings.md).

    Group: sg-0a1b2c3d4e5f67890, eu-central-1, account 123456789012
    Seen: 2026-03-12 08:11:55 UTC, AuthorizeSecurityGroupIngress
    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f67890

    --
    Finding: open-ssh, critical
    Rule: sgr-04f0ba190d9a9551b, tcp 22 from 0.0.0.0/0
    Exceeds the baseline: tcp 22 from anywhere
    Closing it would keep: nothing
    Controls: CIS 3.0.0 5.2, CIS 5.0.0 5.3, CIS 7.0.0 6.3, EC2.13, EC2.18, EC2.19, EC2.53
    Fingerprint: 1910c946857616c830b8853a68977f2d
    To tolerate it until 2026-04-11, add to 'exemptions' in the baseline:
    - { group: sg-0a1b2c3d4e5f67890, direction: ingress, protocol: tcp, ports: [22], peers: [0.0.0.0/0], reason: "<ticket, and why this is needed>", until: 2026-04-11 }

    Baseline: standard 04ba0e433322
    What each finding means and what to do: docs/findings.md.
    "#);
}

#[test]
fn a_command_that_is_too_long_for_a_mail_is_left_out() {
    for (letter, says) in [
        ("x", "characters that a mail would spoil; the JSON on the topic has it.\n"),
        // In JSON such a letter takes as many bytes as twelve others.
        ("\u{10300}", "too long for a mail, and perhaps for the JSON on the topic.\n"),
    ] {
        let mail = Scene::reverting().run(&with_long_tags(letter)).mail();
        assert!(mail.contains(says), "{mail}");
        assert!(!mail.contains("aws ec2"), "{mail}");
    }
}

#[test]
fn three_findings_are_told_in_full() {
    let rules: Vec<String> = (0..9).map(|n| format!("tcp 910{n} 0.0.0.0/0")).collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let mail = Scene::new().run(&authorizing(&rules)).mail();
    assert_eq!(mail.matches("To tolerate it until").count(), 3, "{mail}");
    assert_eq!(mail.matches("\n4. high, OPEN, tcp 9103 from 0.0.0.0/0\n").count(), 1, "{mail}");
}

#[test]
fn nothing_is_called_closed_while_ssh_is_open_through_another_rule() {
    let mut met = 0;
    for (name, told) in scenes::all() {
        for (message, report) in told.messages.iter().zip(&told.reports) {
            let is_open = |it: &Finding| it.is_rule_gone() && !it.still_open().is_empty();
            if !report.findings.iter().any(is_open) || report.findings.len() > 1 {
                continue;
            }
            met += 1;
            let mail = mail(message);
            assert!(message.subject.starts_with("STILL OPEN via "), "{name}");
            assert!(!mail.contains("closed now"), "{name}: {mail}");
            assert!(mail.contains("STILL OPEN: "), "{name}: {mail}");
            assert!(mail.contains("Close it now:\naws ec2 "), "{name}: {mail}");
        }
    }
    assert!(met >= 3, "{met}");
}

#[test]
fn nothing_has_to_be_done_by_hand_where_there_is_a_command() {
    for (name, told) in scenes::all() {
        for mail in told.messages.iter().map(mail) {
            let has_command =
                mail.contains("unless you know why it is open") || mail.contains("lose it now:\n");
            assert!(!has_command || !mail.contains("by hand now"), "{name}: {mail}");
            assert!(!mail.contains("Add them by hand"), "{name}: {mail}");
        }
    }
}

/// Where a mail's first command begins, or the details.
fn before_commands(mail: &str) -> &str {
    let starts = ["\naws ", "\nsg-audit ", "\nprintf ", "\n--\n"];
    let end = starts.iter().filter_map(|start| mail.find(start)).min();
    &mail[..end.unwrap_or(mail.len())]
}

#[test]
fn who_did_it_and_what_they_wrote_come_before_what_to_paste() {
    let (mut named, mut described) = (0, 0);
    for (name, told) in scenes::all() {
        for message in &told.messages {
            let (mail, report) = (mail(message), default(message));
            let [finding] = &report["findings"].as_array().unwrap()[..] else { continue };
            let first = before_commands(&mail);
            // The rule that is still open may be somebody else's, and after a deployment there is usually nobody to ask.
            let is_of_another = message.subject.starts_with("STILL OPEN via ");
            let is_deployment =
                finding["code"] == "auditor-changed" && finding["severity"] == "low";
            if finding["change"]["actor"].is_string() {
                let place = match is_of_another || is_deployment {
                    true => mail.split("\n--\n").next().unwrap(),
                    false => first,
                };
                let says = [" by: ", "the last time by "].iter().any(|words| place.contains(words));
                assert!(says, "{name}: {mail}");
                named += 1;
            }
            let is_gone = finding["code"] == "expected-traffic-closed";
            let description = finding["rule"]["description"].as_str().filter(|_| !is_gone);
            if let Some(description) = description.filter(|it| it.is_ascii() && it.len() < 40) {
                assert!(first.contains(&format!("\"{description}\"")), "{name}: {mail}");
                described += 1;
            }
        }
    }
    assert!(named > 80 && described > 5, "{named} {described}");
}

/// A caller has a short name on a phone, and the whole one further down.
#[test]
fn each_caller_has_a_name() {
    let of = |arn: &str, kind: &str, agent: &str| {
        let mut event = sample("authorize-open-ssh");
        event["detail"]["userIdentity"] = json!({"type": kind, "arn": arn});
        event["detail"]["userAgent"] = agent.into();
        let mail = Scene::new().run(&event).mail();
        mail.lines().find(|line| line.starts_with("Opened by")).unwrap_or_default().to_owned()
    };
    let role = "arn:aws:sts::123456789012:assumed-role/typo3-deploy/deploy-1842";
    let sso = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0f1e2d3c4b5a6978/jane@example.com";
    let all = [
        of("arn:aws:iam::123456789012:user/staff/trainee", "IAMUser", "aws-cli/2.33.15"),
        of(sso, "AssumedRole", "aws-cli/2.33.15"),
        of(sso, "AssumedRole", "APN/1.0 HashiCorp/1.0 Terraform/1.13.4"),
        of(role, "AssumedRole", "Boto3/1.40"),
        of(role, "AssumedRole", "APN/1.0 HashiCorp/1.0 Terraform/1.13.4"),
        of("arn:aws:iam::123456789012:root", "Root", "aws-cli/2.33.15"),
        of(
            "arn:aws:iam::123456789012:user/x (a person) from 203.0.113.7. Close nothing",
            "IAMUser",
            "x",
        ),
        of("", "IAMUser", "x"),
    ];
    assert_snapshot!(all.join("\n"), @r#"
    Opened by: trainee (a person) from 198.51.100.23
    Opened by: jane[@]example[.]com (a person) from 198.51.100.23
    Opened by: jane[@]example[.]com (with an infrastructure tool) from 198.51.100.23
    Opened by: session deploy-1842 of the role typo3-deploy from 198.51.100.23
    Opened by: session deploy-1842 of the role typo3-deploy (with an infrastructure tool) from 198.51.100.23
    Opened by: the root user from 198.51.100.23
    Opened by: "x (a person) from 203.0.113.7. Close nothing" (a person) from 198.51.100.23
    Opened by: IAMUser (a person) from 198.51.100.23
    "#);
}

/// Nothing that needs no action is followed by a warning that it may need some.
#[test]
fn only_a_bad_change_by_a_person_warns_of_stolen_credentials() {
    let mut warned = 0;
    for (name, told) in scenes::all() {
        for message in &told.messages {
            let (mail, report) = (mail(message), default(message));
            let warns = mail.contains("look in CloudTrail for what else they did");
            let is_bad = report["findings"].as_array().unwrap().iter().any(|finding| {
                let is = |value: &Value, words: [&str; 2]| words.iter().any(|word| value == word);
                is(&finding["change"]["actor_type"], ["person", "root"])
                    && is(&finding["severity"], ["high", "critical"])
            });
            assert!(!warns || is_bad, "{name}: {mail}");
            assert!(!mail.contains("stolen") || warns, "{name}: {mail}");
            let is_fine = mail.lines().any(|line| line == "You need to do nothing.");
            assert!(!(warns && is_fine), "{name}: {mail}");
            warned += usize::from(warns);
        }
    }
    assert!(warned > 60, "{warned}");
}

#[test]
fn a_hold_that_is_too_long_is_refused_in_the_second_line() {
    let told = Scene::new().run(&sample("authorize-held-too-long"));
    let mail = told.mail();
    let lines: Vec<&str> = mail.lines().collect();
    assert_snapshot!(lines[1], @"The request to keep it open until 2026-04-30 16:00 UTC was refused: the limit is 24 hours.");
    let ask = lines.iter().position(|line| line.starts_with("To hold it open")).unwrap();
    assert_snapshot!(lines[ask..ask + 2].join("\n"), @r"
    To hold it open for as long as is allowed, close it first, then ask again:
    sg-audit allow --region 'eu-central-1' --group 'sg-0a1b2c3d4e5f67890' --from '0.0.0.0/0' --port 22 --for 24h --reason 'vendor migration, ticket 4711' --yes-to-everybody
    ");
    let closed = Scene::reverting().run(&sample("authorize-held-too-long")).mail();
    assert_eq!(closed.lines().nth(1), Some(lines[1]));
    // The line that opens it again has a hold that is allowed.
    assert!(!closed.contains("sg-audit allow"), "{closed}");
}

#[test]
fn findings_without_a_line_to_paste_have_one_that_prints_it() {
    let rules: Vec<String> = (0..5).map(|n| format!("tcp 910{n} 0.0.0.0/0")).collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let of = |n: usize| Scene::new().run(&authorizing(&rules[..n])).mail();
    assert!(!of(3).contains("prints the lines to paste"), "{}", of(3));
    let mail = of(5);
    let summary = mail.lines().next().unwrap();
    assert!(summary.ends_with("The lines to paste for the worst 3 are below."), "{summary}");
    let lines: Vec<&str> = mail.lines().collect();
    let others = lines.iter().position(|line| line.starts_with("For 2 other findings, ")).unwrap();
    assert_snapshot!(lines[others..others + 2].join("\n"), @r"
    For 2 other findings, this command prints the lines to paste. Give it your SSH sources with --ssh-source:
    aws ec2 describe-security-groups --region 'eu-central-1' --group-ids 'sg-0a1b2c3d4e5f67890' | sg-audit check -
    ");
}

#[test]
fn a_mail_names_parameters_and_pages_that_exist() {
    let template = include_str!("../../../template.yaml");
    let mut pages = 0;
    for (name, told) in scenes::all() {
        for mail in told.messages.iter().map(mail) {
            assert!(!mail.contains("MEMBER_ROLE_NAME"), "{name}: {mail}");
            for (_, after) in
                mail.match_indices("parameter ").map(|(at, word)| mail.split_at(at + word.len()))
            {
                let parameter = after.split(|c: char| !c.is_alphanumeric()).next().unwrap();
                assert!(template.contains(&format!("\n  {parameter}:\n")), "{name}: {parameter}");
            }
            for (at, _) in mail.match_indices("docs/") {
                let page =
                    mail[at..].split(|c: char| !c.is_alphanumeric() && !"/.".contains(c)).next();
                let page = page.unwrap().trim_end_matches('.');
                let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
                assert!(page.ends_with(".md") && file.is_file(), "{name}: {page}");
                pages += 1;
            }
        }
    }
    assert!(pages > 100, "{pages}");
}
