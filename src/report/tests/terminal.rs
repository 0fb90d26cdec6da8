//! What `sg-audit` prints.

use insta::assert_snapshot;

use super::events::{GROUP, authorizing, sample};
use super::scene::{Scene, changes, groups};
use super::{scenes, snapshot};
use crate::evaluate::Severity;
use crate::finding::Report;
use crate::report::terminal::{
    Compliant, Style, View, exit_status, groups_compliant, render, render_changes,
};

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
    sg-0a1b2c3d4e5f67890  typo3-shop  vpc-0f1e2d3c4b5a69788  eu-central-1
      123456789012
      critical  open-ssh                 tcp 22 from 0.0.0.0/0 "temp"  sgr-0123456789abcdef0
                excess        tcp 22 from anywhere but 203.0.113.0/24
                would keep    tcp 22 from 203.0.113.0/24
                fix           aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"203.0.113.0/24","Description":"kept by typo3-sg-auditor from sgr-0123456789abcdef0 (tcp 22 from 0.0.0.0/0)"}],"ToPort":22}]' && aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":22}]'
      low       ingress-not-in-baseline  tcp 3306 from 10.0.0.0/8  sgr-0fedcba9876543210
                fix           aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":3306,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"10.0.0.0/8"}],"ToPort":3306}]'

    sg-0fffffffffffffff1  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      high      ingress-not-in-baseline  tcp 8080 from 0.0.0.0/0  sgr-0fedcba9876543211
                fix           aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0fffffffffffffff1' --ip-permissions '[{"FromPort":8080,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":8080}]'

    1 group compliant

    3 findings in 2 groups: 1 critical, 1 high, 1 low
    3 groups and 8 rules audited; baseline standard 4474ee69d9e6
    exit 1: noncompliant
    "#);
}

/// A report on groups, as it is shown so.
fn shown(report: &Report, view: View) -> String {
    render(report, view, groups_compliant(report))
}

#[test]
fn narrow_and_in_colour() {
    let view = View { style: Style { colour: true, width: 40 }, ..View::plain(40) };
    let with_visible_escapes = shown(&noncompliant().check(), view).replace('\u{1b}', "␛");
    assert_snapshot!(with_visible_escapes, @r#"
    ␛[1msg-0a1b2c3d4e5f67890␛[0m  typo3-shop
      vpc-0f1e2d3c4b5a69788  eu-central-1
      123456789012
      ␛[1m␛[31mcritical␛[0m  open-ssh
        tcp 22 from 0.0.0.0/0 "temp"
        ␛[2msgr-0123456789abcdef0␛[0m
        ␛[2mexcess␛[0m  tcp 22 from anywhere but
          203.0.113.0/24
        ␛[2mwould keep␛[0m  tcp 22 from
          203.0.113.0/24
        ␛[2mfix␛[0m  aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"203.0.113.0/24","Description":"kept by typo3-sg-auditor from sgr-0123456789abcdef0 (tcp 22 from 0.0.0.0/0)"}],"ToPort":22}]' && aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":22}]'
      ␛[36mlow␛[0m  ingress-not-in-baseline
        tcp 3306 from 10.0.0.0/8
        ␛[2msgr-0fedcba9876543210␛[0m
        ␛[2mfix␛[0m  aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":3306,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"10.0.0.0/8"}],"ToPort":3306}]'

    ␛[1msg-0fffffffffffffff1␛[0m
      vpc-0f1e2d3c4b5a69788  eu-central-1
      123456789012
      ␛[31mhigh␛[0m  ingress-not-in-baseline
        tcp 8080 from 0.0.0.0/0
        ␛[2msgr-0fedcba9876543211␛[0m
        ␛[2mfix␛[0m  aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0fffffffffffffff1' --ip-permissions '[{"FromPort":8080,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":8080}]'

    1 group compliant

    3 findings in 2 groups: 1 critical, 1
      high, 1 low
    3 groups and 8 rules audited; baseline
      standard 4474ee69d9e6
    exit 1: noncompliant
    "#);
}

/// Columns of a line.
fn width(line: &str) -> usize {
    line.chars().count()
}

#[test]
fn forty_columns_are_enough_but_for_what_is_copied() {
    let scenes = scenes::all().into_iter().filter(|(name, _)| !name.contains("hostile"));
    let mut reports: Vec<Report> = scenes.flat_map(|(_, told)| told.reports).collect();
    reports.extend([noncompliant().check(), sixty_hosts().check(), default_groups().check()]);
    for report in &reports {
        let text = render_changes(report, View::plain(40), NONE, 1);
        // Commands, and words that are longer than a line.
        let is_copied = |line: &str| {
            ["  aws ", "  sg-audit "].iter().any(|program| line.contains(program))
                || line.split_whitespace().count() < 3
        };
        for line in text.lines().filter(|line| !is_copied(line)) {
            assert!(width(line) <= 40, "{line}\n{text}");
        }
    }
}

/// A group with SSH from sixty hosts.
fn sixty_hosts() -> Scene {
    let hosts: Vec<String> = (0..60).map(|n| format!("tcp 22 198.51.100.{n}/32 sgr-{n}")).collect();
    Scene::new().with_rules(&hosts.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn many_findings_of_one_kind_are_one_line_and_one_command() {
    let text = groups(&sixty_hosts().check());
    let (before, command) = text.split_once("aws ec2 revoke-security-group-ingress ").unwrap();
    assert_snapshot!(before, @r"
    sg-0a1b2c3d4e5f67890  typo3-shop  vpc-0f1e2d3c4b5a69788  eu-central-1
      123456789012
      medium  ssh-from-unlisted-host  60 rules: tcp 22 from 198.51.100.0/32,
                                      198.51.100.1/32, 198.51.100.2/32 and 57 more
              fix
    ");
    assert_eq!(command.matches("/32").count(), 60);
    let rows: usize = text.lines().map(|line| width(line).div_ceil(100).max(1)).sum();
    assert!(rows < 50, "{rows}");
    // With --show-exemptions each of them has its own.
    let view = View { exemptions: true, ..View::plain(80) };
    let text = shown(&sixty_hosts().check(), view);
    assert_eq!(text.matches("- { group: ").count(), 60);
}

#[test]
fn findings_of_one_kind_are_told_apart_where_there_is_more_to_say() {
    let scene = |rules: &[&str]| groups(&Scene::new().with_rules(rules).check());
    // Another port, another peer, both.
    for (rules, said) in [
        (
            [
                "tcp 8001 0.0.0.0/0",
                "tcp 8002 0.0.0.0/0",
                "tcp 8003 0.0.0.0/0",
                "tcp 8004 0.0.0.0/0",
            ],
            "4 rules: tcp 8001, tcp 8002, tcp 8003 and 1 more from 0.0.0.0/0",
        ),
        (
            ["tcp 81 10.0.0.0/8", "tcp 82 10.0.0.0/9", "tcp 83 10.0.0.0/8", "tcp 83 10.0.0.0/9"],
            "4 rules: tcp 81 from 10.0.0.0/8, tcp 82 from 10.0.0.0/9, tcp 83 from 10.0.0.0/8 and 1",
        ),
    ] {
        let text = scene(&rules).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(said), "{text}");
        assert_eq!(text.matches("aws ec2").count(), 1);
    }
    // Three are few. Others are of another severity, or keep a part.
    let few =
        ["tcp 8001 0.0.0.0/0", "tcp 8002 0.0.0.0/0", "tcp 8003 0.0.0.0/0", "tcp 81 10.0.0.0/8"];
    assert_eq!(scene(&few).matches("aws ec2").count(), 4);
    let keeping =
        ["tcp 80-81 0.0.0.0/0", "tcp 443-444 0.0.0.0/0", "tcp 443-445 ::/0", "tcp 80-82 ::/0"];
    assert_eq!(scene(&keeping).matches("would keep").count(), 4);
}

#[test]
fn held_rules_are_told_one_by_one() {
    let held = (0..5).fold(Scene::new(), |scene, n| {
        let rule = format!("tcp 22 198.51.{n}.0/24 sgr-{n}");
        scene.and_held_rule(&rule, "2026-03-12T16:00:00Z", &format!("reason {n}"))
    });
    let text = groups(&held.check());
    assert!((0..5).all(|n| text.contains(&format!("\"reason {n}\""))), "{text}");
}

/// Default groups as EC2 makes them, one of which somebody opened.
fn default_groups() -> Scene {
    let made = |n: u8| format!("-1 * sg-0{n}fffffffffffffff");
    (1..=8).fold(Scene::new().without_groups(), |scene, n| {
        let (id, made) = (format!("sg-0{n}fffffffffffffff"), made(n));
        let rules = match n {
            3 => vec![made.as_str(), "tcp 22 0.0.0.0/0 sgr-0123456789abcdef0"],
            _ => vec![made.as_str()],
        };
        scene.group(&id, "default", &rules)
    })
}

#[test]
fn what_every_default_group_is_made_with_is_told_once() {
    assert_snapshot!(groups(&default_groups().check()), @r#"
    sg-03fffffffffffffff  default  vpc-0f1e2d3c4b5a69788  eu-central-1  123456789012
      critical  open-ssh  tcp 22 from 0.0.0.0/0  sgr-0123456789abcdef0
                would keep    nothing
                fix           aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-03fffffffffffffff' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":22}]'

    8 default groups
      informational  ingress-not-in-baseline  sg-01fffffffffffffff,
                                              sg-02fffffffffffffff,
                                              sg-03fffffffffffffff,
                                              sg-04fffffffffffffff,
                                              sg-05fffffffffffffff,
                                              sg-06fffffffffffffff and 2 more
                     note          EC2 makes every default group with a rule that
                                   admits everything from the group itself. It opens
                                   nothing to others. CIS 3.0.0 5.4, CIS 5.0.0 5.5,
                                   CIS 7.0.0 6.5, EC2.2 want it removed.

    7 groups compliant

    9 findings in 8 groups: 1 critical, 8 informational
    8 groups and 9 rules audited; baseline standard 04ba0e433322
    exit 1: noncompliant
    "#);
}

#[test]
fn what_is_below_the_severity_is_hidden_and_counts() {
    let mut report = noncompliant().check();
    report.hide_below(Severity::Critical);
    let text = shown(&report, View::plain(80));
    assert!(text.contains("open-ssh") && !text.contains("8080"), "{text}");
    let counts = "3 findings: 1 critical, 1 high, 1 low; 2 of them not shown\n";
    assert!(text.contains(counts) && text.contains("exit 1: noncompliant"), "{text}");
}

#[test]
fn the_exit_status_is_by_severity() {
    let report = Scene::new().with_rules(&["tcp 8080 0.0.0.0/0"]).check();
    for (fail_on, status) in [
        (Severity::Informational, 1),
        (Severity::Low, 1),
        (Severity::High, 1),
        (Severity::Critical, 0),
    ] {
        assert_eq!(exit_status(&report, fail_on), status, "{fail_on:?}");
    }
    let text = shown(&report, View { fail_on: Severity::Critical, ..View::plain(80) });
    let said = "exit 0: noncompliant, but nothing of severity critical or worse\n";
    assert!(text.ends_with(said), "{text}");
    let wide = Scene::new().with("BASELINE", "as-documented").check();
    assert_eq!(exit_status(&wide, Severity::Low), 0);
    assert_eq!(exit_status(&wide, Severity::Informational), 1);
    let text = shown(&wide, View { fail_on: Severity::Informational, ..View::plain(80) });
    assert!(text.ends_with("exit 1: informational findings\n"), "{text}");
}

#[test]
fn what_is_exempt_is_counted_and_listed_on_request() {
    let yaml = format!(
        "version: 1\nname: our-site\ningress: []\negress:\n- {{ name: All, protocol: all, peers: \
         [anywhere] }}\nexemptions:\n- {{ group: {GROUP}, direction: ingress, protocol: tcp, ports: \
         [8000], peers: [anywhere], reason: ticket 4711, until: 2026-04-11 }}\n"
    );
    let rules = ["tcp 8000 0.0.0.0/0", "tcp 8000 ::/0"];
    let report = Scene::new().with_baseline(&yaml).with_rules(&rules).check();
    let text = groups(&report);
    assert!(text.contains("2 rules exempt\n") && !text.contains("ticket 4711"), "{text}");
    let text = shown(&report, View { exemptions: true, ..View::plain(80) });
    assert!(text.contains("exempt: tcp 8000 from anywhere on ") && text.contains("ticket 4711"));
    assert!(!text.contains("2 rules exempt"), "{text}");
}

#[test]
fn a_summary_has_the_counts_and_nothing_else() {
    let text = shown(&noncompliant().check(), View { summary: true, ..View::plain(80) });
    assert_snapshot!(text, @r"
    1 group compliant

    3 findings in 2 groups: 1 critical, 1 high, 1 low
    3 groups and 8 rules audited; baseline standard 4474ee69d9e6
    exit 1: noncompliant
    ");
}

#[test]
fn groups_that_comply() {
    assert_snapshot!(groups(&Scene::new().check()), @r"
    1 group compliant

    no findings
    1 group and 4 rules audited; baseline standard 04ba0e433322
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
    sg-0a1b2c3d4e5f67890  typo3-shop  vpc-0f1e2d3c4b5a69788  eu-central-1
      123456789012
      high  ingress-not-in-baseline  tcp 8000 from 0.0.0.0/0
            note          An exemption for this expired after 2026-03-11: "old one".
            fix           aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":8000,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":8000}]'

    1 finding in 1 group: 1 high
    1 group and 1 rule audited; baseline our-site 4a4bd81f0024
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
    sg-0a1b2c3d4e5f67890  typo3-shop  vpc-0f1e2d3c4b5a69788  eu-central-1
      123456789012
      critical  open-ssh  tcp 22 from 0.0.0.0/0  sgr-0123456789abcdef0
                excess        tcp 22 from anywhere but 203.0.113.0/24
                would keep    tcp 22 from 203.0.113.0/24
                held          Left alone until 2026-03-12 16:00 UTC, as its tags
                              ask. After that it is closed, if it is still there and
                              the settings are those of today.
                reason        "vendor migration"
                fix           aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"203.0.113.0/24","Description":"kept by typo3-sg-auditor from sgr-0123456789abcdef0 (tcp 22 from 0.0.0.0/0)"}],"ToPort":22}]' && aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":22}]'

    1 finding in 1 group: 1 critical
    1 group and 5 rules audited; baseline standard 4474ee69d9e6
    exit 1: noncompliant
    "#);
}

#[test]
fn informational_findings_alone_are_compliant() {
    let report = Scene::new().with("BASELINE", "as-documented").check();
    assert_snapshot!(groups(&report), @r"
    no group  eu-central-1  123456789012
      informational  open-ssh-in-baseline  With the present settings, the baseline
                                           as-documented allows SSH from the
                                           Internet, and checks by CIS and Security
                                           Hub fail because of it
                     note          Nothing was changed. Narrow it to the addresses
                                   that need SSH.

    1 group compliant

    1 finding: 1 informational
    1 group and 4 rules audited; baseline as-documented d7c8b35b9617
    exit 0: compliant
    ");
    assert_eq!(exit_status(&report, Severity::Low), 0);
}

#[test]
fn what_could_not_be_audited_has_an_exit_status_of_its_own() {
    let told = Scene::new().run_bytes(b"not an event", "2026-03-12T08:11:55Z".parse().unwrap());
    assert_snapshot!(told.terminal(), @r"
    no group  eu-central-1  123456789012
      high  unaudited-change  A change to a security group could not be audited: the
                              event is not JSON: expected ident at line 1 column 2
            note          Nothing was changed. It is not known which group it was:
                          look at the security groups of account 123456789012 in
                          eu-central-1.

    1 finding: 1 high
    0 groups and 0 rules audited; baseline standard 04ba0e433322
    exit 2: not everything could be audited
    ");
    assert_eq!(exit_status(&told.reports[0], Severity::Critical), 2);
}

#[test]
fn a_change_that_complies_says_nothing_about_the_rest_of_its_group() {
    let report = &Scene::new().run(&sample("authorize-web")).reports[0];
    assert_snapshot!(changes(report, Compliant { changes: 1, ..NONE }), @r"
    1 change introduced nothing beyond the baseline; the rest of its group was not
    looked at

    no findings
    1 group and 4 rules audited; baseline standard 04ba0e433322
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
    sg-0a1b2c3d4e5f67890  x\u{1b}[2J\u{a}\u{202e}y  vpc-0f1e2d3c4b5a69788
      eu-central-1  123456789012
      critical  open-ssh  tcp 22 from 0.0.0.0/0 "x\u{1b}[2J\u{a}\u{202e}y"  sgr-00000000000000001
                excess        tcp 22 from anywhere but 203.0.113.0/24
                kept          tcp 22 from 203.0.113.0/24
                narrowed      The auditor revoked tcp 22 from 0.0.0.0/0. In its
                              place: tcp 22 from 203.0.113.0/24.
                connections   Connections that only this rule let in have ended: EC2
                              did not track them, so it cut them with the rule.
                undo          aws ec2 authorize-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"x\u001b[2J\n\u202ey"}],"ToPort":22}]' --tag-specifications '[{"ResourceType":"security-group-rule","Tags":[{"Key":"sg-audit:allow-until","Value":"2026-03-13T08:11:55Z"},{"Key":"sg-audit:reason","Value":"put back after a revert by typo3-sg-auditor"}]}]' && aws ec2 revoke-security-group-ingress --region 'eu-central-1' --group-id 'sg-0a1b2c3d4e5f67890' --ip-permissions '[{"FromPort":22,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"203.0.113.0/24"}],"ToPort":22}]'
                undo holds    until 2026-03-13 08:11 UTC, then it is closed again

    1 finding in 1 group: 1 critical
    1 group and 1 rule audited; baseline standard 4474ee69d9e6
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
    for (name, told) in scenes::named(&shown) {
        snapshot(&format!("terminal-{name}"), &told.terminal());
    }
}
