//! What `sg-audit` prints.

use insta::assert_snapshot;

use super::events::{GROUP, authorizing, sample};
use super::scene::{Scene, changes, groups};
use super::{scenes, snapshot};
use crate::report::terminal::{Compliant, Style, exit_status, render};

const NONE: Compliant = Compliant { groups: 0, changes: 0, naming: 0 };

/// Two groups that exceed the baseline, and one that complies.
fn noncompliant() -> Scene {
    Scene::new()
        .with("SSH_SOURCES", "203.0.113.0/24")
        .and_rule("tcp 22 0.0.0.0/0 sgr-0123456789abcdef0 # temp")
        .and_rule("tcp 3306 10.0.0.0/8 sgr-0fedcba9876543210")
        .group_at(
            ("123456789012", "eu-central-1"),
            "sg-0fffffffffffffff1",
            None,
            &["tcp 8080 0.0.0.0/0 sgr-0fedcba9876543211"],
        )
        .group("sg-0fffffffffffffff2", "default", &["tcp 443 0.0.0.0/0"])
}

#[test]
fn groups_that_exceed_the_baseline() {
    assert_snapshot!(groups(&noncompliant().check()), @r#"
    sg-0a1b2c3d4e5f67890  typo3-shop  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      critical  open-ssh                 tcp 22 from 0.0.0.0/0 "temp"  sgr-0123456789abcdef0
                excess          tcp 22 from anywhere but 203.0.113.0/24
                would keep      tcp 22 from 203.0.113.0/24
                fix             aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"203.0.113.0/24","Description":"kept by typo3-sg-auditor from sgr-0123456789abcdef0 (tcp 22 from 0.0.0.0/0)"}],"ToPort":22}]' && aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":22}]'
                exemption       To tolerate it until 2026-04-11, add to `exemptions`
                                in the baseline:
                                - { group: sg-0a1b2c3d4e5f67890, direction: ingress, protocol: tcp, ports: [22], peers: [0.0.0.0/0], reason: "<ticket, and why this is needed>", until: 2026-04-11 }
      low       ingress-not-in-baseline  tcp 3306 from 10.0.0.0/8  sgr-0fedcba9876543210
                excess          tcp 3306 from 10.0.0.0/8
                fix             aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":3306,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"10.0.0.0/8"}],"ToPort":3306}]'
                exemption       To tolerate it until 2026-04-11, add to `exemptions`
                                in the baseline:
                                - { group: sg-0a1b2c3d4e5f67890, direction: ingress, protocol: tcp, ports: [3306], peers: [10.0.0.0/8], reason: "<ticket, and why this is needed>", until: 2026-04-11 }

    sg-0fffffffffffffff1  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      high      ingress-not-in-baseline  tcp 8080 from 0.0.0.0/0  sgr-0fedcba9876543211
                excess          tcp 8080 from anywhere
                fix             aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0fffffffffffffff1' --ip-permissions '[{"FromPort":8080,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":8080}]'
                exemption       To tolerate it until 2026-04-11, add to `exemptions`
                                in the baseline:
                                - { group: sg-0fffffffffffffff1, direction: ingress, protocol: tcp, ports: [8080], peers: [0.0.0.0/0], reason: "<ticket, and why this is needed>", until: 2026-04-11 }

    1 group compliant

    3 findings in 2 groups (1 critical, 1 high, 1 low); 3 groups, 8 rules audited; baseline standard 4474ee69d9e6
    exit 1: noncompliant
    "#);
}

#[test]
fn narrow_and_in_colour() {
    let style = Style { colour: true, width: 48 };
    let with_visible_escapes = render(&noncompliant().check(), style).replace('\u{1b}', "␛");
    assert_snapshot!(with_visible_escapes, @r#"
    ␛[1msg-0a1b2c3d4e5f67890␛[0m  typo3-shop  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      ␛[1m␛[31mcritical␛[0m  open-ssh                 tcp 22 from 0.0.0.0/0
                                         "temp"␛[2m  sgr-0123456789abcdef0␛[0m
                ␛[2mexcess        ␛[0m  tcp 22 from anywhere but
                                203.0.113.0/24
                ␛[2mwould keep    ␛[0m  tcp 22 from
                                203.0.113.0/24
                ␛[2mfix           ␛[0m  aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"203.0.113.0/24","Description":"kept by typo3-sg-auditor from sgr-0123456789abcdef0 (tcp 22 from 0.0.0.0/0)"}],"ToPort":22}]' && aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":22}]'
                ␛[2mexemption     ␛[0m  To tolerate it until
                                2026-04-11, add to
                                `exemptions` in the
                                baseline:
                                - { group: sg-0a1b2c3d4e5f67890, direction: ingress, protocol: tcp, ports: [22], peers: [0.0.0.0/0], reason: "<ticket, and why this is needed>", until: 2026-04-11 }
      ␛[36mlow     ␛[0m  ingress-not-in-baseline  tcp 3306 from 10.0.0.0/8␛[2m  sgr-0fedcba9876543210␛[0m
                ␛[2mexcess        ␛[0m  tcp 3306 from 10.0.0.0/8
                ␛[2mfix           ␛[0m  aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":3306,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"10.0.0.0/8"}],"ToPort":3306}]'
                ␛[2mexemption     ␛[0m  To tolerate it until
                                2026-04-11, add to
                                `exemptions` in the
                                baseline:
                                - { group: sg-0a1b2c3d4e5f67890, direction: ingress, protocol: tcp, ports: [3306], peers: [10.0.0.0/8], reason: "<ticket, and why this is needed>", until: 2026-04-11 }

    ␛[1msg-0fffffffffffffff1␛[0m  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      ␛[31mhigh    ␛[0m  ingress-not-in-baseline  tcp 8080 from 0.0.0.0/0␛[2m  sgr-0fedcba9876543211␛[0m
                ␛[2mexcess        ␛[0m  tcp 8080 from anywhere
                ␛[2mfix           ␛[0m  aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0fffffffffffffff1' --ip-permissions '[{"FromPort":8080,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":8080}]'
                ␛[2mexemption     ␛[0m  To tolerate it until
                                2026-04-11, add to
                                `exemptions` in the
                                baseline:
                                - { group: sg-0fffffffffffffff1, direction: ingress, protocol: tcp, ports: [8080], peers: [0.0.0.0/0], reason: "<ticket, and why this is needed>", until: 2026-04-11 }

    1 group compliant

    3 findings in 2 groups (1 critical, 1 high, 1 low); 3 groups, 8 rules audited; baseline standard 4474ee69d9e6
    exit 1: noncompliant
    "#);
}

#[test]
fn groups_that_comply() {
    assert_snapshot!(groups(&Scene::new().check()), @r"
    1 group compliant

    no findings; 1 group, 4 rules audited; baseline standard 04ba0e433322
    exit 0: compliant
    ");
}

#[test]
fn a_check_says_that_an_exemption_expired_and_not_that_nothing_was_changed() {
    let yaml = format!(
        "version: 1\nname: our-site\ningress: []\n\
         egress:\n- {{ name: All, protocol: all, peers: [anywhere] }}\n\
         exemptions:\n- {{ group: {GROUP}, direction: ingress, protocol: tcp, ports: [8000], \
         peers: [anywhere], reason: old one, until: 2026-03-11 }}\n"
    );
    let report = Scene::new().with_baseline(&yaml).with_rules(&["tcp 8000 0.0.0.0/0"]).check();
    assert_snapshot!(groups(&report), @r#"
    sg-0a1b2c3d4e5f67890  typo3-shop  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      high  ingress-not-in-baseline  tcp 8000 from 0.0.0.0/0
            excess          tcp 8000 from anywhere
            note            An exemption for this expired after 2026-03-11: "old
                            one".
            fix             aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":8000,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":8000}]'
            exemption       To tolerate it until 2026-04-11, add to `exemptions` in
                            the baseline:
                            - { group: sg-0a1b2c3d4e5f67890, direction: ingress, protocol: tcp, ports: [8000], peers: [0.0.0.0/0], reason: "<ticket, and why this is needed>", until: 2026-04-11 }

    1 finding in 1 group (1 high); 1 group, 1 rule audited; baseline our-site 4a4bd81f0024
    exit 1: noncompliant
    "#);
}

#[test]
fn a_held_rule_in_a_check() {
    let scene = Scene::reverting().and_held_rule(
        "tcp 22 0.0.0.0/0 sgr-0123456789abcdef0",
        "2026-03-12T16:00:00Z",
        "vendor migration",
    );
    assert_snapshot!(groups(&scene.check()), @r#"
    sg-0a1b2c3d4e5f67890  typo3-shop  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      critical  open-ssh  tcp 22 from 0.0.0.0/0  sgr-0123456789abcdef0
                excess          tcp 22 from anywhere but 203.0.113.0/24
                would keep      tcp 22 from 203.0.113.0/24
                held            Left alone until 2026-03-12 16:00 UTC, as its tags
                                ask. After that it is closed, if it is still there
                                and the settings are those of today.
                reason          "vendor migration"
                fix             aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"203.0.113.0/24","Description":"kept by typo3-sg-auditor from sgr-0123456789abcdef0 (tcp 22 from 0.0.0.0/0)"}],"ToPort":22}]' && aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":22}]'
                exemption       To tolerate it until 2026-04-11, add to `exemptions`
                                in the baseline:
                                - { group: sg-0a1b2c3d4e5f67890, direction: ingress, protocol: tcp, ports: [22], peers: [0.0.0.0/0], reason: "<ticket, and why this is needed>", until: 2026-04-11 }

    1 finding in 1 group (1 critical); 1 group, 5 rules audited; baseline standard 4474ee69d9e6
    exit 1: noncompliant
    "#);
}

#[test]
fn informational_findings_alone_are_compliant() {
    let report = Scene::new().with("BASELINE", "as-documented").check();
    assert_snapshot!(groups(&report), @r"
    no group  eu-central-1  123456789012
      informational  open-ssh-in-baseline  The baseline as-documented, as it is in
                                           effect, lets the Internet reach SSH,
                                           which CIS and Security Hub fail
                     note            Nothing was changed. Narrow it to the addresses
                                     that need SSH.

    1 group compliant

    1 finding (1 informational); 1 group, 4 rules audited; baseline as-documented d7c8b35b9617
    exit 0: compliant
    ");
    assert_eq!(exit_status(&report), 0);
}

#[test]
fn what_could_not_be_audited_has_an_exit_status_of_its_own() {
    let told = Scene::new().run_bytes(b"not an event", "2026-03-12T08:11:55Z".parse().unwrap());
    assert_snapshot!(told.terminal(), @r"
    no group  eu-central-1  123456789012
      high  unaudited-change  A change of a security group could not be audited: the
                              event is not JSON: expected ident at line 1 column 2
            note            Nothing was changed. Look at the group's rules yourself.

    1 finding (1 high); 0 groups, 0 rules audited; baseline standard 04ba0e433322
    exit 2: not everything could be audited
    ");
    assert_eq!(exit_status(&told.reports[0]), 2);
}

#[test]
fn a_change_that_complies_says_nothing_about_the_rest_of_its_group() {
    let report = &Scene::new().run(&sample("authorize-web")).reports[0];
    assert_snapshot!(changes(report, Compliant { changes: 1, ..NONE }), @r"
    1 change introduced nothing beyond the baseline; the rest of its group was not
    looked at

    no findings; 1 group, 4 rules audited; baseline standard 04ba0e433322
    exit 0: compliant
    ");
    let text = changes(report, Compliant { groups: 1, changes: 2, naming: 0 });
    let said = "1 group compliant\n2 changes introduced nothing beyond the baseline; the rest of \
                their groups was\nnot looked at\n";
    assert!(text.starts_with(said), "{text}");
    let list = changes(report, Compliant { naming: 2, ..NONE });
    let said =
        "2 groups name the list in rules that comply; their other rules were not looked\nat\n";
    assert!(list.starts_with(said), "{list}");
}

#[test]
fn texts_that_others_wrote_are_inert() {
    let evil = "x\u{1b}[2J\n\u{202e}y";
    let scene = Scene::reverting().without_groups().group(GROUP, evil, &["out -1 * 0.0.0.0/0"]);
    let rule = format!("tcp 22 0.0.0.0/0 # {evil}");
    assert_snapshot!(scene.run(&authorizing(&[&rule])).terminal(), @r#"
    sg-0a1b2c3d4e5f67890  x\u{1b}[2J\u{a}\u{202e}y  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      critical  open-ssh  tcp 22 from 0.0.0.0/0 "x\u{1b}[2J\u{a}\u{202e}y"  sgr-00000000000000001
                excess          tcp 22 from anywhere but 203.0.113.0/24
                kept            tcp 22 from 203.0.113.0/24
                narrowed        The rule was revoked; what the baseline admits of it
                                was put in its place.
                connections     Connections that only this rule let in were
                                untracked and ended with it.
                undo            aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"x\u001b[2J\n\u202ey"}],"ToPort":22}]' --tag-specifications '[{"ResourceType":"security-group-rule","Tags":[{"Key":"sg-audit:allow-until","Value":"2026-03-13T08:11:55Z"},{"Key":"sg-audit:reason","Value":"put back after a revert by typo3-sg-auditor"}]}]' && aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"203.0.113.0/24"}],"ToPort":22}]'
                undo holds      until 2026-03-13 08:11 UTC, then it is closed again
                exemption       To tolerate it until 2026-04-11, add to `exemptions`
                                in the baseline:
                                - { group: sg-0a1b2c3d4e5f67890, direction: ingress, protocol: tcp, ports: [22], peers: [0.0.0.0/0], reason: "<ticket, and why this is needed>", until: 2026-04-11 }

    1 finding in 1 group (1 critical); 1 group, 1 rule audited; baseline standard 4474ee69d9e6
    exit 1: noncompliant
    "#);
}

/// A few whole texts of changes. What is the same in a mail is shown there.
#[test]
fn changes_of_some_scenes() {
    let shown = [
        "narrowed",
        "revoke-denied",
        "closed-too-far-full-group",
        "held",
        "perhaps-exempt",
        "undecided-in-part",
        "exempt",
        "website-closed",
        "left-scope",
        "sweep-of-many-groups-in-time",
    ];
    for (name, told) in scenes::all().iter().filter(|(name, _)| shown.contains(name)) {
        snapshot(&format!("terminal-{name}"), &told.terminal());
    }
}
