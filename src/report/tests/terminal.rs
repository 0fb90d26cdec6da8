use insta::assert_snapshot;

use super::{exempted, failed, mysql, narrowed, open_ssh, report, unaudited};
use crate::finding::{Code, Report, ReportOutcome, Severity};
use crate::report::terminal::{Compliant, Style, exit_status, render, render_changes};

const PLAIN: Style = Style { colour: false, width: 80 };
const NONE: Compliant = Compliant { groups: 0, changes: 0, naming: 0 };

fn sweep() -> Report {
    let mut dev = mysql();
    dev.severity = Severity::Medium;
    let group = dev.group.as_mut().unwrap();
    (group.id, group.name) = ("sg-0fffffffffffffff1".to_owned(), None);
    let mut findings = vec![open_ssh(), mysql(), dev];
    for finding in &mut findings {
        finding.change = None;
        finding.remediation.detail = "Nothing was changed: findings are only reported.".to_owned();
    }
    let mut report = report(findings);
    (report.groups_audited, report.rules_audited) = (10, 57);
    report
}

#[test]
fn check() {
    assert_snapshot!(render(&sweep(), PLAIN), @r#"
    sg-0a1b2c3d4e5f60718  typo3-shop  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      critical  open-ssh                 tcp 22 from 0.0.0.0/0 "temp"  sgr-0123456789abcdef0
                excess          tcp 22 from anywhere but 203.0.113.0/24
                would keep      tcp 22 from 203.0.113.0/24
      high      ingress-not-in-baseline  tcp 3306 from 0.0.0.0/0  sgr-0fedcba9876543210
                excess          tcp 3306 from anywhere

    sg-0fffffffffffffff1  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      medium    ingress-not-in-baseline  tcp 3306 from 0.0.0.0/0  sgr-0fedcba9876543210
                excess          tcp 3306 from anywhere

    8 groups compliant

    3 findings in 2 groups (1 critical, 1 high, 1 medium); 10 groups, 57 rules audited; baseline standard 1a2b3c4d5e6f
    exit 1: noncompliant
    "#);
}

#[test]
fn narrow_and_in_colour() {
    let style = Style { colour: true, width: 48 };
    let escapes_visible = render(&sweep(), style).replace('\u{1b}', "␛");
    assert_snapshot!(escapes_visible, @r#"
    ␛[1msg-0a1b2c3d4e5f60718␛[0m  typo3-shop  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      ␛[1m␛[31mcritical␛[0m  open-ssh                 tcp 22 from 0.0.0.0/0
                                         "temp"␛[2m  sgr-0123456789abcdef0␛[0m
                ␛[2mexcess        ␛[0m  tcp 22 from anywhere but
                                203.0.113.0/24
                ␛[2mwould keep    ␛[0m  tcp 22 from
                                203.0.113.0/24
      ␛[31mhigh    ␛[0m  ingress-not-in-baseline  tcp 3306 from 0.0.0.0/0␛[2m  sgr-0fedcba9876543210␛[0m
                ␛[2mexcess        ␛[0m  tcp 3306 from anywhere

    ␛[1msg-0fffffffffffffff1␛[0m  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      ␛[33mmedium  ␛[0m  ingress-not-in-baseline  tcp 3306 from 0.0.0.0/0␛[2m  sgr-0fedcba9876543210␛[0m
                ␛[2mexcess        ␛[0m  tcp 3306 from anywhere

    8 groups compliant

    3 findings in 2 groups (1 critical, 1 high, 1 medium); 10 groups, 57 rules audited; baseline standard 1a2b3c4d5e6f
    exit 1: noncompliant
    "#);
}

#[test]
fn invoke() {
    assert_snapshot!(render_changes(&report(vec![narrowed(), failed()]), PLAIN, NONE), @r#"
    sg-0a1b2c3d4e5f60718  typo3-shop  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      critical  open-ssh  tcp 22 from 0.0.0.0/0 "temp"  sgr-0123456789abcdef0
                excess          tcp 22 from anywhere but 203.0.113.0/24
                kept            tcp 22 from 203.0.113.0/24
                narrowed        The rule was revoked, and tcp 22 from 203.0.113.0/24
                                put in its place.
                connections     Connections that only this rule let in were
                                untracked and ended with it.
                undo            aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f60718' --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"temp"}]}]'
      critical  open-ssh  tcp 22 from 0.0.0.0/0 "temp"  sgr-0123456789abcdef0
                excess          tcp 22 from anywhere but 203.0.113.0/24
                would keep      tcp 22 from 203.0.113.0/24
                failed          EC2 refused the revoke: UnauthorizedOperation (the
                                function's role may not call
                                ec2:RevokeSecurityGroupIngress on this group).

    2 findings in 1 group (2 critical); 1 group, 4 rules audited; baseline standard 1a2b3c4d5e6f
    exit 1: noncompliant
    "#);
}

#[test]
fn compliant() {
    let mut report = report(vec![]);
    (report.groups_audited, report.rules_audited) = (2, 1);
    assert_snapshot!(render(&report, PLAIN), @r"
    2 groups compliant

    no findings; 2 groups, 1 rule audited; baseline standard 1a2b3c4d5e6f
    exit 0: compliant
    ");
    (report.groups_audited, report.rules_audited) = (0, 0);
    report.outcome = ReportOutcome::Ignored;
    report.reason = Some("the call failed with Client.InvalidGroup.NotFound".to_owned());
    assert_snapshot!(render(&report, PLAIN), @r"
    the call failed with Client.InvalidGroup.NotFound

    no findings; 0 groups, 0 rules audited; baseline standard 1a2b3c4d5e6f
    exit 0: ignored
    ");
}

#[test]
fn a_change_that_complies_says_nothing_of_the_rest_of_its_group() {
    let report = report(vec![]);
    let one = Compliant { changes: 1, ..NONE };
    assert_snapshot!(render_changes(&report, PLAIN, one), @r"
    1 change introduced nothing beyond the baseline; the rest of its group was not
    looked at

    no findings; 1 group, 4 rules audited; baseline standard 1a2b3c4d5e6f
    exit 0: compliant
    ");
    let text = render_changes(&report, PLAIN, Compliant { groups: 1, changes: 2, naming: 0 });
    let said = "1 group compliant\n2 changes introduced nothing beyond the baseline; the rest of \
                their groups was\nnot looked at\n";
    assert!(text.starts_with(said), "{text}");
    let list = render_changes(&report, PLAIN, Compliant { naming: 2, ..NONE });
    let said =
        "2 groups name the list in rules that comply; their other rules were not looked\nat\n";
    assert!(list.starts_with(said), "{list}");
}

#[test]
fn a_check_says_what_there_is_to_say_of_one_rule() {
    let mut finding = open_ssh();
    finding.remediation.detail = "Nothing was changed: findings are only reported. An exemption \
                                  for this expired after 2026-11-10: \"old one\"."
        .to_owned();
    let text = render(&report(vec![finding]), PLAIN);
    assert!(!text.contains("only reported"), "{text}");
    assert!(text.contains("note            An exemption for this expired after"), "{text}");
}

#[test]
fn not_audited_is_an_exit_status_of_its_own() {
    let mut report = report(vec![unaudited()]);
    report.groups_audited = 0;
    report.rules_audited = 0;
    assert_snapshot!(render(&report, PLAIN), @r"
    no group
      high  unaudited-change  A change of a security group could not be audited
            note            The event is no JSON: expected value at line 1 column 1.

    1 finding (1 high); 0 groups, 0 rules audited; baseline standard 1a2b3c4d5e6f
    exit 2: not everything could be audited
    ");
    assert_eq!(exit_status(&report), 2);
}

#[test]
fn informational_findings_alone_are_compliant() {
    let mut finding = unaudited();
    finding.code = Code::OpenSshInBaseline;
    finding.severity = Severity::Informational;
    finding.title = "The baseline as-documented admits SSH from anywhere.".to_owned();
    finding.remediation.detail = String::new();
    let mut report = report(vec![finding]);
    report.exempt = vec![exempted("vendor migration")];
    report.partial = true;
    assert_snapshot!(render(&report, PLAIN), @r"
    no group
      informational  open-ssh-in-baseline  The baseline as-documented admits SSH
                                           from anywhere.

    1 group compliant
    exempt: tcp 8000 from 198.51.100.0/24 on sg-0a1b2c3d4e5f60718 until
      2026-11-22: vendor migration
    not everything was audited

    1 finding (1 informational); 1 group, 4 rules audited; baseline standard 1a2b3c4d5e6f
    exit 0: compliant
    ");
    assert_eq!(exit_status(&report), 0);
}

#[test]
fn hostile_text() {
    let evil = "x\u{1b}[2J\n\u{202e}y";
    let mut finding = open_ssh();
    finding.group.as_mut().unwrap().name = Some(evil.to_owned());
    finding.rule.as_mut().unwrap().description = Some(evil.to_owned());
    finding.excess_text = evil.to_owned();
    finding.remediation.undo = Some(evil.to_owned());
    assert_snapshot!(render_changes(&report(vec![finding]), PLAIN, NONE), @r#"
    sg-0a1b2c3d4e5f60718  x\u{1b}[2J\u{a}\u{202e}y  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      critical  open-ssh  tcp 22 from 0.0.0.0/0 "x\u{1b}[2J\u{a}\u{202e}y"  sgr-0123456789abcdef0
                excess          x\u{1b}[2J\u{a}\u{202e}y
                would keep      tcp 22 from 203.0.113.0/24
                note            Nothing was changed: findings are only reported. The
                                rule was still in the group.
                undo            x\u{1b}[2J\u{a}\u{202e}y

    1 finding in 1 group (1 critical); 1 group, 4 rules audited; baseline standard 1a2b3c4d5e6f
    exit 1: noncompliant
    "#);
}
