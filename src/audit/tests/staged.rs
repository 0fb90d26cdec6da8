//! One thing after another, as they meet in a real account.

use super::*;

fn authorized(rules: &[&str]) -> Event {
    event(ChangeKind::Authorized(rules.iter().map(|text| rule(text)).collect()))
}

#[test]
fn a_compliant_change_costs_no_call() {
    let world = ec2(&[rule("tcp 443 0.0.0.0/0")]);
    for kind in [
        ChangeKind::Authorized(vec![rule("tcp 443 0.0.0.0/0"), rule("tcp 22 203.0.113.9/32")]),
        ChangeKind::Revoked(RevokedRules {
            direction: Direction::Ingress,
            rules: Some(vec![rule("tcp 22 203.0.113.9/32")]),
        }),
        ChangeKind::Created,
    ] {
        let report = run(&world, &settings(Remediation::RevertIngress), &event(kind)).unwrap();
        assert_eq!(report.outcome, ReportOutcome::Compliant);
    }
    assert_eq!(world.take_calls(), Vec::<String>::new());
}

#[test]
fn everything_open_leaves_the_web_and_the_office() {
    for wide in ["tcp 0-65535 0.0.0.0/0 sgr-1", "-1 * 0.0.0.0/0 sgr-1"] {
        let world = ec2(&[rule(wide)]);
        let report = run(&world, &settings(Remediation::RevertSsh), &authorized(&[wide])).unwrap();
        let finding = only(&report);
        assert_eq!(finding.code, Code::OpenSsh);
        assert_eq!(finding.remediation.outcome, Outcome::Narrowed);
        assert_eq!(
            ingress(&world),
            ["tcp 22 from 203.0.113.0/24", "tcp 443 from 0.0.0.0/0", "tcp 80 from 0.0.0.0/0"]
        );
        let calls = world.take_calls();
        let verbs: Vec<&str> = calls.iter().filter_map(|call| call.split(' ').next()).collect();
        assert_eq!(
            verbs,
            [
                "DescribeSecurityGroups",
                "DescribeSecurityGroupRules",
                "AuthorizeSecurityGroupIngress",
                "AuthorizeSecurityGroupIngress",
                "AuthorizeSecurityGroupIngress",
                "RevokeSecurityGroupIngress",
            ]
        );
        assert!(calls[2].contains("tcp 80") && calls[3].contains("tcp 443"), "{calls:?}");
    }
}

#[test]
fn what_is_there_already_is_not_added_again() {
    let world = ec2(&[
        rule("tcp 80 0.0.0.0/0 sgr-1"),
        rule("tcp 22 203.0.113.64/26 sgr-2"),
        rule("tcp 0-65535 0.0.0.0/0 sgr-3"),
    ]);
    let event = authorized(&["tcp 0-65535 0.0.0.0/0 sgr-3"]);
    run(&world, &settings(Remediation::RevertSsh), &event).unwrap();
    assert_eq!(
        ingress(&world),
        [
            "tcp 22 from 203.0.113.0/24",
            "tcp 22 from 203.0.113.64/26",
            "tcp 443 from 0.0.0.0/0",
            "tcp 80 from 0.0.0.0/0",
        ]
    );
}

#[test]
fn narrow_rules_that_were_there_do_not_break_the_pieces_up() {
    let wide = "tcp 0-65535 0.0.0.0/0 sgr-1";
    let world = ec2(&[
        rule(wide),
        rule("tcp 80 198.51.100.7/32 sgr-2"),
        rule("tcp 443 198.51.100.7/32 sgr-3"),
    ]);
    let report = run(&world, &settings(Remediation::RevertSsh), &authorized(&[wide])).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::Narrowed);
    assert_eq!(
        ingress(&world),
        [
            "tcp 22 from 203.0.113.0/24",
            "tcp 443 from 0.0.0.0/0",
            "tcp 443 from 198.51.100.7/32",
            "tcp 80 from 0.0.0.0/0",
            "tcp 80 from 198.51.100.7/32",
        ]
    );
}

#[test]
fn two_wide_rules_do_not_vouch_for_each_other() {
    let wide = ["tcp 22-80 0.0.0.0/0 sgr-1", "tcp 22-443 0.0.0.0/0 sgr-2"];
    let world = ec2(&[rule(wide[0]), rule(wide[1])]);
    let report = run(&world, &settings(Remediation::RevertSsh), &authorized(&wide)).unwrap();
    assert_eq!(report.findings.len(), 2);
    assert_eq!(
        ingress(&world),
        ["tcp 22 from 203.0.113.0/24", "tcp 443 from 0.0.0.0/0", "tcp 80 from 0.0.0.0/0"]
    );
}

#[test]
fn without_pieces_a_rule_goes_whole() {
    let wide = "tcp 0-65535 0.0.0.0/0 sgr-1";
    let world = ec2(&[rule(wide)]);
    let mut settings = settings(Remediation::RevertSsh);
    settings.revert_keeps = RevertKeeps::Nothing;
    let report = run(&world, &settings, &authorized(&[wide])).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::Reverted);
    assert_eq!(ingress(&world), [] as [&str; 0]);
}

#[test]
fn a_full_group_does_not_protect_open_ssh() {
    let mut rules = vec![rule("tcp 22-80 0.0.0.0/0 sgr-1")];
    rules.extend((1..60).map(|n| rule(&format!("tcp 443 203.0.113.{n}/32 sgr-f{n}"))));
    let world = ec2(&rules);
    let event = authorized(&["tcp 22-80 0.0.0.0/0 sgr-1"]);
    let report = run(&world, &settings(Remediation::RevertSsh), &event).unwrap();
    let finding = only(&report);
    // There is room for one piece, and the website comes first.
    assert_eq!(finding.remediation.outcome, Outcome::Failed);
    assert!(finding.remediation.detail.contains("tcp 22 from 203.0.113.0/24"), "{finding:#?}");
    assert!(finding.remediation.undo.is_some());
    let after = ingress(&world);
    assert_eq!(after.len(), 60);
    // The undo makes room before it puts the rule back, whichever run tells of it.
    let again = run(&world, &settings(Remediation::RevertSsh), &event).unwrap();
    for undo in [&finding.remediation.undo, &only(&again).remediation.undo] {
        let undo = undo.as_deref().unwrap();
        assert!(undo.find("revoke-").unwrap() < undo.find("authorize-").unwrap(), "{undo}");
    }
    assert!(after.contains(&"tcp 80 from 0.0.0.0/0".to_owned()));
    assert!(!after.iter().any(|rule| rule.contains("tcp 22")));
}

#[test]
fn in_a_full_group_other_rules_are_left() {
    let mut rules = vec![rule("tcp 80-90 0.0.0.0/0 sgr-1")];
    rules.extend((1..60).map(|n| rule(&format!("tcp 443 203.0.113.{n}/32 sgr-f{n}"))));
    let world = ec2(&rules);
    let event = authorized(&["tcp 80-90 0.0.0.0/0 sgr-1"]);
    let report = run(&world, &settings(Remediation::RevertIngress), &event).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::Failed);
    assert!(ingress(&world).contains(&"tcp 80-90 from 0.0.0.0/0".to_owned()));
}

#[test]
fn more_than_forty_pieces_change_nothing() {
    let sources: Vec<String> = (0..41).map(|n| format!("203.0.113.{}/32", 2 * n)).collect();
    let mut settings = settings(Remediation::RevertSsh);
    settings.baseline =
        settings.baseline.with_ssh_sources(parse_peers(&sources.join(",")).unwrap());
    let world = ec2(&[rule("tcp 22 0.0.0.0/0 sgr-1")]);
    let report = run(&world, &settings, &authorized(&["tcp 22 0.0.0.0/0 sgr-1"])).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::Failed);
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn a_source_that_ec2_does_not_know_is_skipped_and_named() {
    let mut settings = settings(Remediation::RevertSsh);
    let sources = parse_peers("sg-0dead,203.0.113.0/24").unwrap();
    settings.baseline = settings.baseline.with_ssh_sources(sources);
    let world = ec2(&[rule("tcp 22 0.0.0.0/0 sgr-1")]);
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        call.contains("sg-0dead").then(|| Ec2Error::NotFound {
            action: "AuthorizeSecurityGroupIngress",
            message: "InvalidGroup.NotFound".to_owned(),
        })
    });
    let report = run(&staged, &settings, &authorized(&["tcp 22 0.0.0.0/0 sgr-1"])).unwrap();
    let remediation = &only(&report).remediation;
    assert_eq!(remediation.outcome, Outcome::Narrowed);
    assert!(remediation.detail.contains("tcp 22 from sg-0dead"), "{}", remediation.detail);
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24"]);
}

#[test]
fn the_same_event_again_says_already_gone_and_how_to_undo() {
    let wide = "tcp 0-65535 0.0.0.0/0 sgr-1";
    let world = ec2(&[rule(wide)]);
    let (settings, event) = (settings(Remediation::RevertSsh), authorized(&[wide]));
    let first = run(&world, &settings, &event).unwrap();
    let after = ingress(&world);
    let second = run(&world, &settings, &event).unwrap();
    assert_eq!(ingress(&world), after);
    assert_eq!(only(&second).remediation.outcome, Outcome::AlreadyGone);
    assert_eq!(only(&second).remediation.undo, only(&first).remediation.undo);
    assert_eq!(only(&second).id, only(&first).id);
}

#[test]
fn a_rule_that_the_read_does_not_show_yet_is_revoked_and_then_narrowed() {
    let wide = "tcp 22-80 0.0.0.0/0 sgr-1";
    let world = ec2(&[]);
    let mut reads = 0;
    // EC2 is eventually consistent: the rule is there, and the first read does not know.
    let staged = Staged::new(&world, |call: &str, ec2: &MemoryEc2| {
        if call.starts_with("revoke") && reads == 0 {
            reads += 1;
            let change = SgChange {
                record: Record::default(),
                group: GroupKey::Id(SG.to_owned()),
                kind: ChangeKind::Authorized(vec![rule(wide)]),
            };
            ec2.apply(&change);
        }
        None
    });
    let report = run(&staged, &settings(Remediation::RevertSsh), &authorized(&[wide])).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::Narrowed);
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24", "tcp 80 from 0.0.0.0/0"]);
}

#[test]
fn a_rule_that_somebody_else_removed_is_not_put_back_in_part() {
    let wide = "tcp 22-80 0.0.0.0/0 sgr-1";
    let world = ec2(&[rule("tcp 443 0.0.0.0/0 sgr-2")]);
    let report = run(&world, &settings(Remediation::RevertSsh), &authorized(&[wide])).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::AlreadyGone);
    assert_eq!(ingress(&world), ["tcp 443 from 0.0.0.0/0"]);
}

#[test]
fn notify_says_whether_the_rule_is_still_there() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let settings = settings(Remediation::Notify);
    let report = run(&ec2(&[rule(open)]), &settings, &authorized(&[open])).unwrap();
    let remediation = &only(&report).remediation;
    assert_eq!(remediation.outcome, Outcome::None);
    assert!(remediation.detail.contains("still in the group"), "{}", remediation.detail);
    assert_eq!(remediation.undo, None);
    assert_eq!(remediation.kept, ["tcp 22 from 203.0.113.0/24"]);
    let report = run(&ec2(&[]), &settings, &authorized(&[open])).unwrap();
    let remediation = &only(&report).remediation;
    assert!(
        remediation.detail.contains("not in the group when it was read"),
        "{}",
        remediation.detail
    );
}

#[test]
fn only_what_the_change_introduced_is_reported() {
    let world = ec2(&[rule("tcp 22 0.0.0.0/0 sgr-1"), rule("tcp 3306 0.0.0.0/0 sgr-2")]);
    let report = run(
        &world,
        &settings(Remediation::RevertIngress),
        &authorized(&["tcp 3306 0.0.0.0/0 sgr-2"]),
    )
    .unwrap();
    assert_eq!(only(&report).code, Code::IngressNotInBaseline);
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn what_is_no_open_ssh_is_reported_and_kept() {
    for (text, code, mode) in [
        ("tcp 22 10.0.0.0/8 sgr-1", Code::IngressNotInBaseline, Remediation::RevertIngress),
        ("tcp 22 sg-0b sgr-1", Code::IngressNotInBaseline, Remediation::RevertIngress),
        ("tcp 22 8.8.8.8/32 sgr-1", Code::SshFromUnlistedHost, Remediation::RevertSsh),
        ("tcp 3306 0.0.0.0/0 sgr-1", Code::IngressNotInBaseline, Remediation::RevertSsh),
    ] {
        let world = ec2(&[rule(text)]);
        let report = run(&world, &settings(mode), &authorized(&[text])).unwrap();
        assert_eq!(only(&report).code, code, "{text}");
        assert_eq!(only(&report).remediation.outcome, Outcome::None, "{text}");
        assert_eq!(world.rules_of(SG).unwrap(), [rule(text)]);
    }
}

#[test]
fn a_rule_widened_in_place_is_judged_by_what_it_is_now() {
    let world = ec2(&[rule("tcp 22 0.0.0.0/0 sgr-1"), rule("tcp 80 0.0.0.0/0 sgr-2")]);
    let widened = rule("tcp 22 0.0.0.0/0 sgr-1");
    let modified = ModifiedRule {
        id: "sgr-1".to_owned(),
        protocol: widened.protocol,
        from_port: widened.from_port,
        to_port: widened.to_port,
        peer: widened.peer,
        description: None,
    };
    let event = event(ChangeKind::Modified(vec![modified]));
    let report = run(&world, &settings(Remediation::RevertSsh), &event).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::Narrowed);
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24", "tcp 80 from 0.0.0.0/0"]);
}

fn modified(text: &str) -> ModifiedRule {
    let rule = rule(text);
    ModifiedRule {
        id: rule.id.unwrap(),
        protocol: rule.protocol,
        from_port: rule.from_port,
        to_port: rule.to_port,
        peer: rule.peer,
        description: None,
    }
}

#[test]
fn a_widened_rule_is_reverted_whatever_else_the_call_named() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = ec2(&[rule(open), rule("tcp 443 0.0.0.0/0 sgr-2")]);
    let gone = modified("tcp 443 0.0.0.0/0 sgr-9");
    let event = event(ChangeKind::Modified(vec![gone, modified(open)]));
    let report = run(&world, &settings(Remediation::RevertSsh), &event).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::Narrowed);
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24", "tcp 443 from 0.0.0.0/0"]);
}

#[test]
fn a_widened_rule_that_is_gone_is_said_again() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = ec2(&[rule(open), rule("tcp 443 0.0.0.0/0 sgr-2")]);
    let event = event(ChangeKind::Modified(vec![modified(open)]));
    let settings = settings(Remediation::RevertSsh);
    let first = run(&world, &settings, &event).unwrap();
    let second = run(&world, &settings, &event).unwrap();
    assert_eq!(only(&second).remediation.outcome, Outcome::AlreadyGone);
    assert_eq!(only(&second).remediation.undo, only(&first).remediation.undo);
}

#[test]
fn the_egress_of_every_group_does_not_vouch_for_a_rule_that_is_gone() {
    let open = "-1 * 0.0.0.0/0 sgr-1";
    let mut rules = vec![rule(open)];
    for (number, mut egress) in crate::ec2::rules_of_new_group().into_iter().enumerate() {
        egress.id = Some(format!("sgr-e{number}"));
        rules.push(egress);
    }
    let world = ec2(&rules);
    let event = event(ChangeKind::Modified(vec![modified(open)]));
    let settings = settings(Remediation::RevertSsh);
    let first = run(&world, &settings, &event).unwrap();
    assert_eq!(only(&first).remediation.outcome, Outcome::Narrowed);
    let second = run(&world, &settings, &event).unwrap();
    assert_eq!(only(&second).remediation.outcome, Outcome::AlreadyGone);
    assert_eq!(only(&second).remediation.undo, only(&first).remediation.undo);
}

#[test]
fn a_modified_rule_without_a_known_id_is_found_by_its_content() {
    let mut egress = Rule::new(
        Direction::Egress,
        crate::ec2::Protocol::TCP,
        Some(25),
        Some(25),
        "0.0.0.0/0".parse().unwrap(),
    )
    .unwrap();
    egress.id = None;
    let world = ec2(&[egress]);
    let event = event(ChangeKind::Modified(vec![modified("tcp 25 0.0.0.0/0 sgr-1")]));
    let report = run(&world, &settings(Remediation::RevertIngress), &event).unwrap();
    assert_eq!(report.outcome, ReportOutcome::Compliant);
}

#[test]
fn a_rule_that_an_event_names_twice_is_one_finding() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = ec2(&[rule(open)]);
    let event = authorized(&["tcp 22 0.0.0.0/0", "tcp 22 0.0.0.0/0"]);
    let report = run(&world, &settings(Remediation::RevertSsh), &event).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::Narrowed);
}

#[test]
fn a_piece_that_ec2_will_not_take_does_not_keep_ssh_open() {
    let open = "tcp 22-80 0.0.0.0/0 sgr-1";
    let world = ec2(&[rule(open)]);
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        call.starts_with("authorize tcp 22").then(|| Ec2Error::Refused {
            action: "AuthorizeSecurityGroupIngress",
            code: "InvalidParameterValue".to_owned(),
            message: "no".to_owned(),
        })
    });
    let report = run(&staged, &settings(Remediation::RevertSsh), &authorized(&[open])).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::Failed);
    assert!(only(&report).remediation.detail.contains("tcp 22 from 203.0.113.0/24"));
    assert_eq!(ingress(&world), ["tcp 80 from 0.0.0.0/0"]);
}

#[test]
fn a_duplicate_that_may_not_be_read_back_is_published_as_failed() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = ec2(&[rule(open)]);
    let mut duplicate = false;
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        if call.starts_with("authorize") {
            duplicate = true;
            return Some(Ec2Error::Duplicate);
        }
        (call == "rules" && duplicate).then(|| Ec2Error::Denied {
            action: "DescribeSecurityGroupRules",
            message: "no".to_owned(),
        })
    });
    let report = run(&staged, &settings(Remediation::RevertSsh), &authorized(&[open])).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::Failed);
}

#[test]
fn tags_that_only_aws_may_set_are_not_in_the_undo() {
    let mut open = rule("tcp 22 0.0.0.0/0 sgr-1");
    open.tags.insert("aws:cloudformation:stack-name".to_owned(), "web".to_owned());
    open.tags.insert("Owner".to_owned(), "ops".to_owned());
    let world = ec2(std::slice::from_ref(&open));
    let event = event(ChangeKind::Authorized(vec![open]));
    let report = run(&world, &settings(Remediation::RevertSsh), &event).unwrap();
    let undo = only(&report).remediation.undo.as_deref().unwrap();
    assert!(undo.contains("Owner") && !undo.contains("aws:cloudformation"), "{undo}");
}

#[test]
fn what_is_not_understood_has_the_whole_group_audited_without_reverts() {
    let world = ec2(&[rule("tcp 22 0.0.0.0/0 sgr-1"), rule("tcp 3306 0.0.0.0/0 sgr-2")]);
    let event = event(ChangeKind::Unknown("the request was truncated".to_owned()));
    let report = run(&world, &settings(Remediation::RevertIngress), &event).unwrap();
    assert_eq!(
        told(&report),
        [
            "open-ssh none tcp 22 from 0.0.0.0/0",
            "ingress-not-in-baseline none tcp 3306 from 0.0.0.0/0",
            // The group has no website now, and may have had one before.
            "expected-traffic-closed none",
        ]
    );
    assert_eq!(ingress(&world).len(), 2);
}

#[test]
fn a_group_that_is_gone_or_unreadable_is_not_silence() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let nowhere = MemoryEc2::new([], Lists::new());
    let settings = settings(Remediation::RevertSsh);
    let report = run(&nowhere, &settings, &authorized(&[open])).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::AlreadyGone);
    let unknown = event(ChangeKind::Unknown("truncated".to_owned()));
    let report = run(&nowhere, &settings, &unknown).unwrap();
    assert_eq!(only(&report).code, Code::UnauditedChange);

    let world = ec2(&[rule(open)]);
    let denied = |_: &str, _: &MemoryEc2| {
        Some(Ec2Error::Denied {
            action: "DescribeSecurityGroups",
            message: "UnauthorizedOperation".to_owned(),
        })
    };
    let report = run(&Staged::new(&world, denied), &settings, &authorized(&[open])).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::Failed);
    let report = run(&Staged::new(&world, denied), &settings, &unknown).unwrap();
    assert_eq!(only(&report).code, Code::UnauditedChange);
}

#[test]
fn another_account_is_said_not_to_be_audited() {
    let world = ec2(&[]);
    let mut event = authorized(&["tcp 22 0.0.0.0/0 sgr-1"]);
    if let Event::Change(change) = &mut event {
        change.record.account = Some("210987654321".to_owned());
    }
    let report = run(&world, &settings(Remediation::RevertSsh), &event).unwrap();
    assert_eq!(only(&report).code, Code::UnauditedChange);
    assert!(only(&report).title.contains("210987654321"), "{}", only(&report).title);
    assert_eq!(world.take_calls(), Vec::<String>::new());
}

#[test]
fn a_scope_leaves_other_groups_alone() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let mut settings = settings(Remediation::RevertSsh);
    for (value, outcome) in
        [("typo3", ReportOutcome::Noncompliant), ("other", ReportOutcome::OutOfScope)]
    {
        let world = ec2(&[rule(open)]);
        settings.scope = Scope::Tag { key: "Role".to_owned(), value: value.to_owned() };
        let report = run(&world, &settings, &authorized(&[open])).unwrap();
        assert_eq!(report.outcome, outcome);
    }
}

#[test]
fn a_revoke_that_is_refused_is_published_as_failed() {
    let open = "tcp 22-80 0.0.0.0/0 sgr-1";
    let world = ec2(&[rule(open)]);
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        call.starts_with("revoke").then(|| Ec2Error::Denied {
            action: "RevokeSecurityGroupIngress",
            message: "UnauthorizedOperation: not you".to_owned(),
        })
    });
    let report = run(&staged, &settings(Remediation::RevertSsh), &authorized(&[open])).unwrap();
    let remediation = &only(&report).remediation;
    assert_eq!(remediation.outcome, Outcome::Failed);
    assert!(remediation.detail.contains("UnauthorizedOperation"), "{}", remediation.detail);
    // What was added before is within the rule, and the undo takes it back.
    let undo = remediation.undo.as_deref().unwrap();
    assert!(!undo.contains("authorize") && undo.contains("revoke"), "{undo}");
}

#[test]
fn a_rule_that_changes_between_read_and_revoke_is_not_removed() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = ec2(&[rule(open)]);
    let staged = Staged::new(&world, |call: &str, ec2: &MemoryEc2| {
        if call.starts_with("revoke") {
            let narrowed = rule("tcp 22 203.0.113.7/32 sgr-1");
            ec2.apply(&SgChange {
                record: Record::default(),
                group: GroupKey::Id(SG.to_owned()),
                kind: ChangeKind::Modified(vec![ModifiedRule {
                    id: "sgr-1".to_owned(),
                    protocol: narrowed.protocol,
                    from_port: narrowed.from_port,
                    to_port: narrowed.to_port,
                    peer: narrowed.peer,
                    description: None,
                }]),
            });
        }
        None
    });
    let report = run(&staged, &settings(Remediation::RevertSsh), &authorized(&[open])).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::AlreadyGone);
    assert!(ingress(&world).contains(&"tcp 22 from 203.0.113.7/32".to_owned()));
}
