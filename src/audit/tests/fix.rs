//! The line that a finding offers does what a revert would do.

use super::*;

/// The group after a revert, and after the line was pasted that the finding offers under `notify`.
fn both_ways(texts: &[&str], opened: &[&str]) -> (Vec<String>, Vec<String>) {
    let (reverted, pasted) = (ec2(&rules(texts)), ec2(&rules(texts)));
    let change = authorized(opened);
    run(&reverted, &settings(Remediation::RevertIngress), &change).unwrap();
    let told = run(&pasted, &settings(Remediation::Notify), &change).unwrap();
    for finding in &told.findings {
        let fix = finding.fix.as_deref().unwrap();
        assert!(paste(&pasted, fix), "{fix}");
    }
    (ingress(&reverted), ingress(&pasted))
}

#[test]
fn a_fix_leaves_what_a_revert_leaves() {
    for (texts, opened) in [
        (&["tcp 22 0.0.0.0/0 sgr-1"][..], 1),
        (&["tcp 0-65535 0.0.0.0/0 sgr-1"], 1),
        (&["-1 * ::/0 sgr-1"], 1),
        (&["tcp 22 198.51.100.0/24 sgr-1"], 1),
        (&["tcp 0-65535 0.0.0.0/0 sgr-1", "tcp 80 0.0.0.0/0 sgr-2"], 1),
        (&["tcp 22-80 0.0.0.0/0 sgr-1", "tcp 22-443 0.0.0.0/0 sgr-2"], 2),
        (&["tcp 3306 0.0.0.0/0 sgr-1", "udp 53 ::/0 sgr-2", "icmp 8-0 0.0.0.0/0 sgr-3"], 3),
    ] {
        let (reverted, pasted) = both_ways(texts, &texts[..opened]);
        assert_eq!(reverted, pasted, "{texts:?}");
    }
}

#[test]
fn every_finding_about_a_rule_that_is_there_has_a_fix() {
    let all = [
        "tcp 22 0.0.0.0/0 sgr-1",
        "tcp 22 8.8.8.8/32 sgr-2",
        "tcp 3306 10.0.0.0/8 sgr-3",
        "tcp 22 sg-0b sgr-4",
        "tcp 22 pl-1 sgr-5",
        "udp 53 0.0.0.0/0 sgr-6",
    ];
    let world = ec2_with_lists(&rules(&all), unreadable_list("pl-1"));
    for mode in [Remediation::Notify, Remediation::RevertSsh] {
        let events = [sweep(), authorized(&all[1..])];
        for event in events {
            let report = run(&world, &settings(mode), &event).unwrap();
            for finding in report.findings.iter().filter(|finding| !finding.is_rule_gone()) {
                let fix = finding.fix.as_deref().unwrap();
                let world = ec2(&world.rules_of(&id(SG)).unwrap());
                let rule = finding.rule().unwrap();
                assert!(paste(&world, fix), "{fix}");
                assert!(!ingress(&world).contains(&rule_text(rule)), "{fix}");
            }
        }
    }
}

#[test]
fn a_fix_in_a_full_group_makes_room_first() {
    let open = "tcp 22-80 0.0.0.0/0 sgr-1";
    let mut all = rules(&[open]);
    all.extend((1..60).map(|n| rule(&format!("tcp 443 203.0.113.{n}/32 sgr-f{n}"))));
    let world = ec2(&all);
    let report = run(&world, &settings(Remediation::Notify), &authorized(&[open])).unwrap();
    let fix = only(&report).fix.as_deref().unwrap();
    assert!(fix.find("revoke-").unwrap() < fix.find("authorize-").unwrap(), "{fix}");
    paste(&world, fix);
    assert!(!ingress(&world).contains(&"tcp 22-80 from 0.0.0.0/0".to_owned()));
}

#[test]
fn a_fix_of_a_rule_that_somebody_changed_meanwhile_removes_nothing_else() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[open]));
    let report = run(&world, &settings(Remediation::Notify), &authorized(&[open])).unwrap();
    let fix = only(&report).fix.clone().unwrap();
    let changed = ChangeKind::Modified(vec![modified("tcp 22 203.0.113.9/32 sgr-1")]);
    world.follow(&place(), &change(changed));
    assert!(!paste(&world, &fix));
    assert!(ingress(&world).contains(&"tcp 22 from 203.0.113.9/32".to_owned()));
}

#[test]
fn a_rule_that_is_gone_has_no_fix() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    for mode in [Remediation::Notify, Remediation::RevertSsh] {
        let report = run(&ec2(&[]), &settings(mode), &authorized(&[open])).unwrap();
        assert_eq!(only(&report).fix, None);
    }
}

/// Rules that fill a group up to this many, of one address family, beside the opened one.
fn beside(opened: &str, count: usize, cidr: impl Fn(usize) -> String) -> Vec<String> {
    let others = (1..count).map(|n| format!("tcp 8443 {} sgr-f{n}", cidr(n)));
    std::iter::once(opened.to_owned()).chain(others).collect()
}

#[test]
fn the_fix_in_a_full_group_keeps_https_and_one_that_finds_too_little_room_closes_nevertheless() {
    let opened = "tcp 0-65535 0.0.0.0/0 sgr-1";
    let ipv4 = |n: usize| format!("198.51.100.{n}/32");
    for count in [60, 59, 58] {
        let texts = beside(opened, count, ipv4);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let world = ec2(&rules(&texts));
        let told = run(&world, &settings(Remediation::Notify), &authorized(&[opened])).unwrap();
        // EC2 may refuse the last pieces, and the line ends there.
        paste(&world, only(&told).fix.as_deref().unwrap());
        let after = ingress(&world);
        assert!(!after.contains(&"all tcp from 0.0.0.0/0".to_owned()), "{count}: {after:?}");
        assert!(after.contains(&"tcp 443 from 0.0.0.0/0".to_owned()), "{count}: {after:?}");
    }
    // Rules for IPv6 take no room from those for IPv4, so nothing is closed before its pieces are there.
    let texts = [
        beside(opened, 31, ipv4),
        (1..31).map(|n| format!("tcp 8443 2001:db8:{n:x}::/48 sgr-e{n}")).collect(),
    ]
    .concat();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let world = ec2(&rules(&texts));
    let told = run(&world, &settings(Remediation::Notify), &authorized(&[opened])).unwrap();
    let fix = only(&told).fix.as_deref().unwrap();
    assert!(fix.starts_with("aws ec2 authorize-"), "{fix}");
    assert!(paste(&world, fix), "{fix}");
}
