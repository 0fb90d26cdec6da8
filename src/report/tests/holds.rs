//! What is said of holds, exemptions, and what is no rule at all.

use insta::assert_snapshot;

use super::{
    EXEMPTION, UNDO, down, exempted, failed, held, hold, left_scope, mysql, narrowed, open_ssh,
    report, undone_with_hold,
};
use crate::finding::{Code, Finding, Outcome, Report, Severity};
use crate::report::email::body;
use crate::report::json::to_json;
use crate::report::messages;
use crate::report::subject::subject;
use crate::report::terminal::{Style, render, render_changes};

const PLAIN: Style = Style { colour: false, width: 80 };

fn mail(finding: Finding) -> String {
    body(&report(vec![finding]))
}

/// The lines of a mail from the first that begins so, to the next gap.
fn from(mail: &str, begin: &str) -> String {
    let lines = mail.lines().skip_while(|line| !line.starts_with(begin));
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn maybe_exempt() -> Finding {
    let mut finding = open_ssh();
    finding.remediation.outcome = Outcome::Exempt;
    finding.remediation.detail =
        "An exemption names pl-0123456789abcdef0, which could not be read.".to_owned();
    finding
}

#[test]
fn subjects() {
    let of = |findings| subject(&report(findings));
    assert_snapshot!(of(vec![held()]), @"HELD OPEN until 2026-11-22 11:12 UTC: SSH is open to the Internet on typo3-shop");
    assert_snapshot!(of(vec![maybe_exempt()]), @"MAYBE EXEMPT: SSH is open to the Internet on typo3-shop");
    assert_snapshot!(of(vec![down(Severity::High)]), @"DOWN: HTTP and HTTPS are no longer let into typo3-shop");
    assert_snapshot!(of(vec![down(Severity::Low)]), @"MAYBE DOWN: HTTP and HTTPS are no longer let into typo3-shop");
    assert_snapshot!(of(vec![left_scope()]), @"LEFT SCOPE: typo3-shop is no longer audited: its tag Site=typo3 was removed");
    let mut unknown = down(Severity::Low);
    unknown.title = "HTTP and HTTPS are not let in on sg-0a1b2c3d4e5f60718, and whether they were before is not known".to_owned();
    assert_snapshot!(of(vec![unknown]), @"MAYBE DOWN: HTTP and HTTPS are not let in on sg-0a1b2c3d4e5f60718");
    let mut wide = left_scope();
    wide.code = Code::OpenSshInBaseline;
    wide.title = "SSH is open to the Internet on typo3-shop (tcp 22 from pl-0f678901234567890): the baseline standard admits it by a prefix list that is wide".to_owned();
    assert_snapshot!(of(vec![wide]), @"OPEN: SSH is open to the Internet on typo3-shop (tcp 22 from pl-0f678901234567890)");
    // What was announced does not hide what was not.
    assert_snapshot!(of(vec![held(), mysql()]), @"HELD OPEN until 2026-11-22 11:12 UTC: SSH is open to the Internet on typo3-shop (+1 more, open)");
    assert_snapshot!(of(vec![held(), held(), mysql()]), @"HELD OPEN until 2026-11-22 11:12 UTC: SSH is open to the Internet on typo3-shop (+2 more, 1 open)");
    assert_snapshot!(of(vec![held(), held()]), @"HELD OPEN until 2026-11-22 11:12 UTC: SSH is open to the Internet on typo3-shop (+1 more)");
    assert_snapshot!(of(vec![narrowed(), held()]), @"CLOSED after 41 s: SSH was open to the Internet on typo3-shop (+1 more, open)");
    let mut unknown = held();
    unknown.remediation.hold = None;
    assert_snapshot!(of(vec![unknown]), @"HELD OPEN: SSH is open to the Internet on typo3-shop");
}

#[test]
fn a_held_rule() {
    assert_snapshot!(mail(held()), @r#"
    SSH is open to the Internet on typo3-shop
    Nothing was changed: the rule says that it is temporary.

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012
    Rule: sgr-0123456789abcdef0, tcp 22 from 0.0.0.0/0 "temp"
    Reason: "vendor support, ticket 4711"
    Too much: tcp 22 from anywhere but 203.0.113.0/24
    A revert would keep: tcp 22 from 203.0.113.0/24

    To end a hold sooner: remove its rule.
    If it is needed for longer: add the addresses that need SSH to the SSH sources.
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    "#);
    let mut hostile = held();
    hostile.remediation.hold = Some(hold(8, "x\n\u{1b}[2JUndo: curl https://evil.example"));
    assert_snapshot!(from(&mail(hostile), "Reason"), @r#"
    Reason: "x\u{a}\u{1b}[2JUndo: curl https:\u{2f}/evil.example"
    Too much: tcp 22 from anywhere but 203.0.113.0/24
    A revert would keep: tcp 22 from 203.0.113.0/24
    "#);
}

#[test]
fn an_undo_with_a_hold() {
    assert_snapshot!(from(&mail(undone_with_hold()), "If it was needed"), @r#"
    If it was needed: put it back with the next line, and it is left alone until 2026-11-23 03:12 UTC; for longer, add the addresses that need SSH to the SSH sources.
    aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f60718' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"temp"}]}]'
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.
    "#);
    assert_snapshot!(from(&body(&report(vec![undone_with_hold(), mysql()])), "To undo"), @r#"
    To undo, and leave it alone until 2026-11-23 03:12 UTC:
    aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f60718' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"temp"}]}]'
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, fingerprint 9f86d081884c7d65
    "#);
}

#[test]
fn a_rule_that_is_still_there_is_not_put_back() {
    let mut finding = failed();
    finding.remediation.undo = Some("aws ec2 revoke-security-group-ingress …".to_owned());
    finding.remediation.hold = Some(hold(24, "put back"));
    assert!(!mail(finding).contains("left alone"));
}

#[test]
fn what_may_be_exempt_is_left_to_a_person() {
    assert_snapshot!(mail(maybe_exempt()), @r#"
    SSH is open to the Internet on typo3-shop
    Left open. An exemption names pl-0123456789abcdef0, which could not be read.

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012
    Rule: sgr-0123456789abcdef0, tcp 22 from 0.0.0.0/0 "temp"
    Too much: tcp 22 from anywhere but 203.0.113.0/24
    A revert would keep: tcp 22 from 203.0.113.0/24

    Decide whether the exemption was meant for it; if not, remove the rule by hand.
    If it was needed: add the addresses that need SSH to the SSH sources.
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    "#);
}

#[test]
fn expected_traffic_that_is_gone() {
    assert_snapshot!(mail(down(Severity::High)), @r#"
    HTTP and HTTPS are no longer let into typo3-shop
    Nothing was changed: nothing that was closed is opened again by itself.

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012
    No longer let through: tcp 80, 443 from anywhere

    A website may be down. If it is meant to be reached, what is gone has to come back.
    Put it back:
    aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f60718' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"temp"}]}]'
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Reference: expected-traffic-closed, high, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    "#);
    let mut unknown = down(Severity::Low);
    unknown.remediation.undo = None;
    assert_snapshot!(from(&mail(unknown), "If a website"), @r"
    If a website is meant to be reached here, look whether it can be.
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.
    ");
}

#[test]
fn a_group_that_left_the_scope() {
    assert_snapshot!(mail(left_scope()), @r#"
    Typo3-shop is no longer audited: its tag Site=typo3 was removed
    It was audited once more as it is now; later changes of it are not.

    When: 2026-11-22 03:12:09 UTC, AuthorizeSecurityGroupIngress
    Who: arn:aws:sts::123456789012:assumed-role/Admin/operator
    From: 198.51.100.23, aws-cli/2.31.0 md/awscrt#0.27.6
    Group: sg-0a1b2c3d4e5f60718 "typo3-shop", eu-central-1, account 123456789012

    If the group still has to be audited: give it its tag back.
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Reference: left-scope, high, baseline standard 1a2b3c4d5e6f, fingerprint 9f86d081884c7d65
    "#);
}

#[test]
fn an_exemption_is_right_to_the_letter_or_not_there() {
    let of = |line: &str| Finding { exemption: Some(line.to_owned()), ..open_ssh() };
    let mail = mail(of(EXEMPTION));
    assert_snapshot!(from(&mail, "To tolerate"), @r#"
    To tolerate it until 2026-12-22, add to 'exemptions' in the baseline:
    - { group: sg-0a1b2c3d4e5f60718, direction: ingress, protocol: tcp, ports: [22], peers: [anywhere], reason: "say why", until: 2026-12-22 }
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.
    "#);
    assert!(mail.lines().any(|line| line == EXEMPTION));
    assert_snapshot!(from(&self::mail(of("- { until: soon }")), "To tolerate"), @r"
    To tolerate it for a while, add to 'exemptions' in the baseline:
    - { until: soon }
    If it was not you or a colleague: these credentials may be stolen. See in CloudTrail what else they did, from event 8d7c2f4e-51aa-4c0e-9d0e-0a6f5b1c2d3e on.
    ");
    for spoilt in ["- { reason: \"a\u{202e}b\" }", "- {\n}", &"x".repeat(3000)] {
        let finding = of(spoilt);
        assert!(!self::mail(finding.clone()).contains("To tolerate"), "{spoilt}");
    }
    assert!(!render(&report(vec![of("- {\n}")]), PLAIN).contains("To tolerate"));
    let all = body(&report(vec![of(EXEMPTION); 9]));
    assert_eq!(all.matches(EXEMPTION).count(), 3, "{all}");
}

#[test]
fn what_is_exempt_is_counted_and_the_first_of_it_named() {
    let told = |n: usize| {
        let mut report = report(vec![mysql()]);
        report.exempt = vec![exempted("vendor migration"); n.min(5)];
        report.totals.exempt = n;
        body(&report)
            .lines()
            .skip_while(|line| !line.contains(" exempt, "))
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_snapshot!(told(12), @r"
    12 rules are exempt, wholly or in part:
    tcp 8000 from 198.51.100.0/24 on sg-0a1b2c3d4e5f60718 until 2026-11-22: vendor migration
    and 7 more; the JSON on the topic has them.

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: ingress-not-in-baseline, high, baseline standard 1a2b3c4d5e6f, fingerprint 60303ae22b998861
    ");
    assert_snapshot!(told(1), @r"
    1 rule is exempt, wholly or in part:
    tcp 8000 from 198.51.100.0/24 on sg-0a1b2c3d4e5f60718 until 2026-11-22: vendor migration

    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: ingress-not-in-baseline, high, baseline standard 1a2b3c4d5e6f, fingerprint 60303ae22b998861
    ");
    assert_eq!(told(0), "");
}

/// Findings of several groups, regions and accounts.
fn sweep() -> Report {
    let mut findings = vec![undone_with_hold(), held(), mysql(), mysql(), mysql()];
    for (finding, n) in findings.iter_mut().zip(0..) {
        finding.change = None;
        finding.exemption = Some(EXEMPTION.to_owned());
        let group = finding.group.as_mut().unwrap();
        group.id = format!("sg-{n:017}");
        group.name = (n != 3).then(|| "default".to_owned());
    }
    findings[4].region = Some("eu-west-1".to_owned());
    findings[4].account = Some("210987654321".to_owned());
    let mut report = report(findings);
    (report.groups_audited, report.rules_audited, report.partial) = (300, 900, true);
    report
}

#[test]
fn a_sweep_names_its_groups() {
    assert_snapshot!(body(&sweep()), @r#"
    5 findings in 5 groups, worst first: 2 critical, 3 high.

    Seen: 2026-11-22 03:12:50 UTC

    1. SSH was open to the Internet on typo3-shop
    Closed. The rule was revoked, and tcp 22 from 203.0.113.0/24 put in its place.
    Group: sg-00000000000000000 "default", eu-central-1, account 123456789012
    Rule: sgr-0123456789abcdef0, tcp 22 from 0.0.0.0/0 "temp"
    Too much: tcp 22 from anywhere but 203.0.113.0/24
    Kept: tcp 22 from 203.0.113.0/24
    Connections that only this rule let in were untracked and ended with it.
    To undo, and leave it alone until 2026-11-23 03:12 UTC:
    aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f60718' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"temp"}]}]'
    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    To tolerate it until 2026-12-22, add to 'exemptions' in the baseline:
    - { group: sg-0a1b2c3d4e5f60718, direction: ingress, protocol: tcp, ports: [22], peers: [anywhere], reason: "say why", until: 2026-12-22 }
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, fingerprint 9f86d081884c7d65

    2. SSH is open to the Internet on typo3-shop
    Nothing was changed: the rule says that it is temporary.
    Group: sg-00000000000000001 "default", eu-central-1, account 123456789012
    Rule: sgr-0123456789abcdef0, tcp 22 from 0.0.0.0/0 "temp"
    Reason: "vendor support, ticket 4711"
    Too much: tcp 22 from anywhere but 203.0.113.0/24
    A revert would keep: tcp 22 from 203.0.113.0/24
    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    To tolerate it until 2026-12-22, add to 'exemptions' in the baseline:
    - { group: sg-0a1b2c3d4e5f60718, direction: ingress, protocol: tcp, ports: [22], peers: [anywhere], reason: "say why", until: 2026-12-22 }
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: open-ssh, critical, fingerprint 9f86d081884c7d65

    3. Tcp 3306 is open to the Internet on typo3-shop
    Nothing was changed: only open SSH is reverted. The rule was still in the group.
    Group: sg-00000000000000002 "default", eu-central-1, account 123456789012
    Rule: sgr-0fedcba9876543210, tcp 3306 from 0.0.0.0/0
    Too much: tcp 3306 from anywhere
    Console: https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#SecurityGroup:groupId=sg-0a1b2c3d4e5f60718
    To tolerate it until 2026-12-22, add to 'exemptions' in the baseline:
    - { group: sg-0a1b2c3d4e5f60718, direction: ingress, protocol: tcp, ports: [22], peers: [anywhere], reason: "say why", until: 2026-12-22 }
    Controls: CIS 5.0.0 5.3, EC2.13
    Reference: ingress-not-in-baseline, high, fingerprint 60303ae22b998861

    4. OPEN: tcp 3306 from 0.0.0.0/0 on sg-00000000000000003 (eu-central-1, 123456789012), ingress-not-in-baseline, high
    5. OPEN: tcp 3306 from 0.0.0.0/0 on sg-00000000000000004 "default" (eu-west-1, 210987654321), ingress-not-in-baseline, high

    To end a hold sooner: remove its rule.
    If it was not needed: remove the rule, or narrow it to what the baseline admits.
    If it was needed: add the addresses that need SSH to the SSH sources; add the traffic to the baseline.

    This is not all: some groups were not audited yet. What is found in them follows in a message of its own, unless a finding says that they could not be audited.
    Reference: baseline standard 1a2b3c4d5e6f
    "#);
}

#[test]
fn a_terminal() {
    let mut report = sweep();
    report.findings.truncate(3);
    assert_snapshot!(render(&report, PLAIN), @r#"
    sg-00000000000000000  default  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      critical  open-ssh                 tcp 22 from 0.0.0.0/0 "temp"  sgr-0123456789abcdef0
                excess          tcp 22 from anywhere but 203.0.113.0/24
                kept            tcp 22 from 203.0.113.0/24
                narrowed        The rule was revoked, and tcp 22 from 203.0.113.0/24
                                put in its place.
                connections     Connections that only this rule let in were
                                untracked and ended with it.
                undo            aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f60718' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"temp"}]}]'
                undo holds      until 2026-11-23 03:12 UTC, then it is closed again
                exemption       To tolerate it until 2026-12-22, add to `exemptions`
                                in the baseline:
                                - { group: sg-0a1b2c3d4e5f60718, direction: ingress, protocol: tcp, ports: [22], peers: [anywhere], reason: "say why", until: 2026-12-22 }

    sg-00000000000000001  default  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      critical  open-ssh                 tcp 22 from 0.0.0.0/0 "temp"  sgr-0123456789abcdef0
                excess          tcp 22 from anywhere but 203.0.113.0/24
                would keep      tcp 22 from 203.0.113.0/24
                held            Nothing was changed: the rule says that it is
                                temporary.
                reason          "vendor support, ticket 4711"
                exemption       To tolerate it until 2026-12-22, add to `exemptions`
                                in the baseline:
                                - { group: sg-0a1b2c3d4e5f60718, direction: ingress, protocol: tcp, ports: [22], peers: [anywhere], reason: "say why", until: 2026-12-22 }

    sg-00000000000000002  default  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      high      ingress-not-in-baseline  tcp 3306 from 0.0.0.0/0  sgr-0fedcba9876543210
                excess          tcp 3306 from anywhere
                note            Nothing was changed: only open SSH is reverted. The
                                rule was still in the group.
                exemption       To tolerate it until 2026-12-22, add to `exemptions`
                                in the baseline:
                                - { group: sg-0a1b2c3d4e5f60718, direction: ingress, protocol: tcp, ports: [22], peers: [anywhere], reason: "say why", until: 2026-12-22 }

    297 groups compliant
    not everything was audited

    3 findings in 3 groups (2 critical, 1 high); 300 groups, 900 rules audited; baseline standard 1a2b3c4d5e6f
    exit 1: noncompliant
    "#);
    let none = Default::default();
    let closed = vec![down(Severity::High), left_scope(), maybe_exempt()];
    assert_snapshot!(render_changes(&self::report(closed), PLAIN, none), @r#"
    sg-0a1b2c3d4e5f60718  typo3-shop  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      high      expected-traffic-closed  HTTP and HTTPS are no longer let into
                                         typo3-shop
                closed          tcp 80, 443 from anywhere
                note            Nothing was changed: nothing that was closed is
                                opened again by itself.
                undo            aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f60718' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"temp"}]}]'
      high      left-scope               Typo3-shop is no longer audited: its tag
                                         Site=typo3 was removed
                note            It was audited once more as it is now; later changes
                                of it are not.
      critical  open-ssh                 tcp 22 from 0.0.0.0/0 "temp"  sgr-0123456789abcdef0
                excess          tcp 22 from anywhere but 203.0.113.0/24
                would keep      tcp 22 from 203.0.113.0/24
                exempt          An exemption names pl-0123456789abcdef0, which could
                                not be read.

    3 findings in 1 group (1 critical, 2 high); 1 group, 4 rules audited; baseline standard 1a2b3c4d5e6f
    exit 1: noncompliant
    "#);
}

#[test]
fn json() {
    let of = |finding| {
        let json: serde_json::Value =
            serde_json::from_str(&to_json(&report(vec![finding])).unwrap()).unwrap();
        json["findings"][0]["remediation"].clone()
    };
    assert_eq!(
        of(held())["hold"],
        serde_json::json!({"until": "2026-11-22T11:12:09Z", "reason": "vendor support, ticket 4711"})
    );
    assert_eq!(of(held())["outcome"], "held");
    assert_eq!(of(open_ssh()).get("hold"), None);
}

#[test]
fn half_an_exemption_reaches_nobody() {
    let mut finding = held();
    finding.exemption = Some("\u{1f600}".repeat(100_000));
    finding.remediation.hold = Some(hold(1, &"\u{1f600}".repeat(100_000)));
    finding.remediation.undo = Some(UNDO.to_owned());
    let [message] = &messages(&report(vec![finding])).unwrap()[..] else { panic!() };
    let finding = &super::sns::default(message)["findings"][0];
    assert_eq!(finding["exemption"], serde_json::Value::Null);
    let said = finding["remediation"]["detail"].as_str().unwrap();
    assert!(said.ends_with("The exemption is too long for a message."), "{said}");
    let reason = finding["remediation"]["hold"]["reason"].as_str().unwrap();
    assert!(reason.ends_with('…'), "{reason}");
    assert_eq!(finding["remediation"]["undo"], UNDO);
}
