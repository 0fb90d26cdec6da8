//! Subjects of mails: what comes first, and what gives way where there is no room.

use insta::assert_snapshot;

use super::events::{GROUP, authorizing, sample, sweep};
use super::scene::{Scene, denied, rule};

const NAMED: &str = "tcp 443 0.0.0.0/0";

#[test]
fn each_length_of_time() {
    let after = |seconds| {
        let told = Scene::reverting().after(seconds).run(&sample("authorize-open-ssh"));
        told.subjects().split(':').next().unwrap().to_owned()
    };
    // The clocks of AWS differ, so that the call may seem to be later.
    let all = [-5, 0, 59, 60, 125, 3600, 11_520, 86_400, 187_200].map(after).join("\n");
    assert_snapshot!(all, @"
    CLOSED
    CLOSED
    CLOSED in 59 s
    CLOSED in 1 min
    CLOSED in 2 min 5 s
    CLOSED in 1 h
    CLOSED in 3 h 12 min
    CLOSED in 1 d
    CLOSED in 2 d 4 h
    ");
}

#[test]
fn what_is_open_is_counted_beside_what_is_not() {
    let of = |rules: &[&str]| Scene::reverting().run(&authorizing(rules)).subjects();
    let (ssh, database) = ("tcp 22 0.0.0.0/0", "tcp 3306 0.0.0.0/0");
    assert_snapshot!(of(&[ssh, "tcp 22 ::/0", "tcp 22 192.0.2.0/24"]), @"CLOSED in 41 s: SSH to the Internet on typo3-shop +2 more (critical, 123456789012, eu-central-1)");
    assert_snapshot!(of(&[database, "tcp 3306 ::/0", "tcp 25 0.0.0.0/0"]), @"OPEN: TCP 3306 to the Internet on typo3-shop +2 more (critical, 123456789012, eu-central-1)");
    assert_snapshot!(of(&[ssh, database]), @"CLOSED in 41 s: SSH to the Internet on typo3-shop +1, 1 open (critical, 123456789012, eu-central-1)");
    assert_snapshot!(of(&[ssh, "tcp 22 ::/0", database]), @"CLOSED in 41 s: SSH to the Internet on typo3-shop +2, 1 open (critical, 123456789012, eu-central-1)");
}

/// What is missing is not what the Subject is about while nobody knows whether SSH is open.
#[test]
fn what_may_still_be_open_comes_before_what_is_missing() {
    let opened = "tcp 22-80 0.0.0.0/0";
    let told = Scene::reverting()
        .with_rules(&["tcp 443 0.0.0.0/0", "out -1 * 0.0.0.0/0"])
        .with_rule_limit(2)
        .before(move |call, ec2| {
            let rules = ec2.rules_of(&GROUP.parse().unwrap())?;
            let is_closed = rules.iter().all(|it| it.content() != rule(opened).content());
            (is_closed && call.starts_with("rules")).then(|| denied("DescribeSecurityGroupRules"))
        })
        .run(&authorizing(&[opened]));
    assert_snapshot!(told.subjects(), @"MAYBE STILL OPEN: SSH (TCP 22-79) to the Internet on typ ... (critical, 123456789012, eu-central-1)");
}

#[test]
fn the_name_of_the_group_gives_way() {
    let called = |name: &str| {
        let scene = Scene::reverting().without_groups().group(GROUP, name, &[NAMED]);
        scene.run(&authorizing(&["tcp 22 0.0.0.0/0", "tcp 25 0.0.0.0/0"])).subjects()
    };
    assert_snapshot!(called(&"launch-wizard-".repeat(18)), @"CLOSED in 41 s: SSH to the Internet on launch ... +1, 1 open (critical, 123456789012, eu-central-1)");
    assert_snapshot!(called("B\u{fc}ro\u{202e}\nCLOSED"), @r#"CLOSED in 41 s: SSH to the Internet on "B?ro? ... +1, 1 open (critical, 123456789012, eu-central-1)"#);
    assert_snapshot!(called(""), @"CLOSED in 41 s: SSH to the Internet on sg-0a1 ... +1, 1 open (critical, 123456789012, eu-central-1)");
}

#[test]
fn each_part_of_a_split_report_says_so() {
    let groups = (0..300).fold(Scene::new(), |scene, n| {
        scene.group(&format!("sg-{n:017}"), "typo3", &["tcp 3306 0.0.0.0/0"])
    });
    assert_snapshot!(groups.run(&sweep()).subjects(), @"
    OPEN: 108 critical (scheduled audit, 123456789012, eu-central-1) [part 1 of 3]
    OPEN: 108 critical (scheduled audit, 123456789012, eu-central-1) [part 2 of 3]
    OPEN: 84 critical (scheduled audit, 123456789012, eu-central-1) [part 3 of 3]
    ");
}

#[test]
fn a_title_says_what_is_open_to_whom() {
    let of = |rule: &str| {
        let told = Scene::new().run(&authorizing(&[rule]));
        told.mail().lines().next().unwrap().to_owned()
    };
    let titles = [
        "tcp 22 0.0.0.0/0",
        "tcp 22 0.0.0.0/1",
        "tcp 22 198.51.100.0/24",
        "tcp 20-25 ::/0",
        "tcp 0-65535 0.0.0.0/0",
        "tcp 0-65535 10.0.0.0/8",
        "-1 * 0.0.0.0/0",
        "-1 * sg-0123456789abcdef0",
        "udp 53 0.0.0.0/0",
        "icmp 8--1 0.0.0.0/0",
        "58 * ::/0",
        "50 * 198.51.100.7/32",
        "tcp 79-81 0.0.0.0/0",
        "tcp 22 pl-0123456789abcdef0",
    ];
    assert_snapshot!(titles.map(of).join("\n"), @"
    SSH is open to the Internet on typo3-shop. The auditor will not close it.
    SSH is open to the Internet on typo3-shop. The auditor will not close it.
    SSH is open to 198.51.100.0/24 on typo3-shop. The auditor will not close it.
    SSH (TCP 20-25) is open to the Internet on typo3-shop. The auditor will not close it.
    All TCP ports are open to the Internet on typo3-shop. The auditor will not close them.
    All TCP ports are open to 10.0.0.0/8 on typo3-shop. The auditor will not close them.
    Every protocol is open to the Internet on typo3-shop. The auditor will not close it.
    Every protocol is open to sg-0123456789abcdef0 on typo3-shop. The auditor will not close it.
    UDP 53 is open to the Internet on typo3-shop. The auditor will not close it.
    ICMP type 8 is open to the Internet on typo3-shop. The auditor will not close it.
    All ICMPv6 is open to the Internet on typo3-shop. The auditor will not close it.
    Protocol 50 is open to 198.51.100.7/32 on typo3-shop. The auditor will not close it.
    TCP 79, 81 is open to the Internet on typo3-shop. The auditor will not close it.
    TCP 22 from pl-0123456789abcdef0 on typo3-shop depends on a prefix list that could not be read, so it may be open. Nothing was closed.
    ");
}
