//! Parts of mails that depend on little else.

use insta::assert_snapshot;

use super::events::{GROUP, authorizing, sample, with_long_tags};
use super::scene::{Scene, mail};
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
    SSH is open to the Internet on sg-0a1b2c3d4e5f67890. The auditor has not closed it.
    Close it now, unless you know why it is open:
    aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":22}]'
    Nothing was changed: findings are only reported. The rule was still in the group.

    To allow SSH permanently, add the addresses to the SSH sources: the stack's parameter SshSources (SSH_SOURCES in docs/settings).

    Group: sg-0a1b2c3d4e5f67890, eu-central-1, account 123456789012
    Seen: 2026-03-12 08:11:55 UTC, AuthorizeSecurityGroupIngress
    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f67890

    --
    Finding: open-ssh, critical
    Rule: sgr-04f0ba190d9a9551b, tcp 22 from 0.0.0.0/0
    Exceeds the baseline: tcp 22 from anywhere
    A revert would keep: nothing
    Controls: CIS 3.0.0 5.2, CIS 5.0.0 5.3, CIS 7.0.0 6.3, EC2.13, EC2.18, EC2.19, EC2.53
    Fingerprint: 1910c946857616c830b8853a68977f2d
    To tolerate it until 2026-04-11, add to 'exemptions' in the baseline:
    - { group: sg-0a1b2c3d4e5f67890, direction: ingress, protocol: tcp, ports: [22], peers: [0.0.0.0/0], reason: "<ticket, and why this is needed>", until: 2026-04-11 }

    Baseline: standard 04ba0e433322
    What each finding means and what to do: docs/findings.
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
