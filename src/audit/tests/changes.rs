//! Changes of a group's rules: what a revert does and reports in the situations of a real account.

use super::*;
use crate::ec2::Peer;

/// 59 other rules, which leave room for one more.
fn fill(open: &str) -> MemoryEc2 {
    let others = (1..60).map(|n| rule(&format!("tcp 443 203.0.113.{n}/32 sgr-f{n}")));
    let rules: Vec<Rule> = std::iter::once(rule(open)).chain(others).collect();
    ec2(&rules)
}

#[test]
fn a_compliant_change_costs_no_call() {
    let world = ec2(&rules(&["tcp 443 0.0.0.0/0"]));
    for kind in [
        ChangeKind::Authorized(rules(&["tcp 443 0.0.0.0/0", "tcp 22 203.0.113.9/32"])),
        ChangeKind::Revoked(RevokedRules {
            direction: Direction::Ingress,
            removed: Removed::Rules(rules(&["tcp 22 203.0.113.9/32"])),
            ids: Vec::new(),
        }),
        ChangeKind::Created,
    ] {
        let report = run(&world, &settings(Remediation::RevertIngress), &event(kind)).unwrap();
        assert_eq!(report.outcome, ReportOutcome::Compliant);
    }
    assert_eq!(world.take_calls(), Vec::<String>::new());
}

#[test]
fn a_revert_of_everything_keeps_the_website_and_the_office() {
    for wide in ["tcp 0-65535 0.0.0.0/0 sgr-1", "-1 * 0.0.0.0/0 sgr-1"] {
        let world = ec2(&rules(&[wide]));
        let report = run(&world, &settings(Remediation::RevertSsh), &authorized(&[wide])).unwrap();
        let finding = only(&report);
        assert_eq!(finding.code, Code::OpenSsh);
        assert_eq!(finding.outcome(), Outcome::Narrowed);
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
                "DescribeSecurityGroupRules",
            ]
        );
        assert!(calls[2].contains("tcp 443") && calls[3].contains("tcp 80"), "{calls:?}");
    }
}

#[test]
fn open_ssh_is_closed_before_other_rules_of_the_same_change() {
    let opened = ["tcp 3306 0.0.0.0/0 sgr-1", "udp 53 0.0.0.0/0 sgr-2", "tcp 22 ::/0 sgr-3"];
    let change = authorized(&opened);
    let settings = settings(Remediation::RevertIngress);
    let world = ec2(&rules(&opened));
    let report = run(&world, &settings, &change).unwrap();
    assert_eq!(brief(&report)[0], "open-ssh narrowed tcp 22 from ::/0");
    let calls = world.take_calls();
    let revokes: Vec<&String> = calls.iter().filter(|call| call.starts_with("Revoke")).collect();
    assert_eq!(revokes.len(), 3);
    assert!(revokes[0].ends_with("tcp 22 from ::/0"), "{revokes:?}");

    // So it is closed even if EC2 then answers nothing more.
    let world = ec2(&rules(&opened));
    let throttling = hooked(&world, |call| revokes_other_than_ssh(call).then(throttled));
    assert!(run(&throttling, &settings, &change).is_err());
    assert_eq!(
        ingress(&world),
        ["tcp 22 from 2001:db8:1::/48", "tcp 3306 from 0.0.0.0/0", "udp 53 from 0.0.0.0/0"]
    );
}

fn revokes_other_than_ssh(call: Call<'_>) -> bool {
    is_revoke(call) && !revokes(call, "::/0")
}

#[test]
fn a_piece_that_exists_already_is_not_added_again() {
    let world = ec2(&rules(&[
        "tcp 80 0.0.0.0/0 sgr-1",
        "tcp 22 203.0.113.64/26 sgr-2",
        "tcp 0-65535 0.0.0.0/0 sgr-3",
    ]));
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
fn narrow_rules_that_exist_already_do_not_split_the_pieces() {
    let wide = "tcp 0-65535 0.0.0.0/0 sgr-1";
    let narrow = ["tcp 80 198.51.100.7/32 sgr-2", "tcp 443 198.51.100.7/32 sgr-3"];
    let world = ec2(&rules(&[wide, narrow[0], narrow[1]]));
    let report = run(&world, &settings(Remediation::RevertSsh), &authorized(&[wide])).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::Narrowed);
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
fn of_two_wide_rules_neither_makes_the_others_pieces_unnecessary() {
    let wide = ["tcp 22-80 0.0.0.0/0 sgr-1", "tcp 22-443 0.0.0.0/0 sgr-2"];
    let world = ec2(&rules(&wide));
    let report = run(&world, &settings(Remediation::RevertSsh), &authorized(&wide)).unwrap();
    assert_eq!(report.findings.len(), 2);
    assert_eq!(
        ingress(&world),
        ["tcp 22 from 203.0.113.0/24", "tcp 443 from 0.0.0.0/0", "tcp 80 from 0.0.0.0/0"]
    );
}

#[test]
fn if_a_revert_keeps_nothing_the_rule_is_removed_completely() {
    let wide = "tcp 0-65535 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[wide]));
    let settings =
        Settings { revert_keeps: RevertKeeps::Nothing, ..settings(Remediation::RevertSsh) };
    let report = run(&world, &settings, &authorized(&[wide])).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::Reverted);
    assert_eq!(ingress(&world), [] as [&str; 0]);
}

#[test]
fn open_ssh_is_closed_even_in_a_full_group() {
    let open = "tcp 22-80 0.0.0.0/0 sgr-1";
    let (world, event) = (fill(open), authorized(&[open]));
    let ran = run_at(&world, &settings(Remediation::RevertSsh), &event, noon(), None);
    let finding = only(ran.report());
    // There is room for one piece, and the website comes first.
    assert_eq!(finding.outcome(), Outcome::Failed);
    let Action::Reverted(Reverted { placed, missing, .. }) = &found(ran.report()).action else {
        panic!("{finding:#?}")
    };
    assert_eq!(texts(placed), ["tcp 80 from 0.0.0.0/0"]);
    let [(piece, NotAdded::Ec2(Ec2Error::LimitExceeded))] = &missing[..] else {
        panic!("{finding:#?}")
    };
    assert_eq!(rule_text(piece), "tcp 22 from 203.0.113.0/24");
    assert!(ran.detail().contains("tcp 22 from 203.0.113.0/24"), "{}", ran.detail());
    let after = ingress(&world);
    assert_eq!(after.len(), 60);
    assert!(after.contains(&"tcp 80 from 0.0.0.0/0".to_owned()));
    assert!(!after.iter().any(|rule| rule.contains("tcp 22")));
    // The undo of either run makes room before it puts the rule back.
    let again = run(&world, &settings(Remediation::RevertSsh), &event).unwrap();
    for undo in [&finding.undo, &only(&again).undo] {
        let undo = undo.as_deref().unwrap();
        assert!(undo.find("revoke-").unwrap() < undo.find("authorize-").unwrap(), "{undo}");
    }
}

#[test]
fn in_a_full_group_rules_without_open_ssh_are_left() {
    let open = "tcp 80-90 0.0.0.0/0 sgr-1";
    let world = fill(open);
    let report = run(&world, &settings(Remediation::RevertIngress), &authorized(&[open])).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::Failed);
    assert!(ingress(&world).contains(&"tcp 80-90 from 0.0.0.0/0".to_owned()));
}

/// This many single addresses.
fn hosts(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("203.0.113.{}/32", 2 * n)).collect()
}

#[test]
fn open_ssh_that_takes_more_than_forty_pieces_is_closed_and_the_rest_is_named() {
    let settings = with_sources(settings(Remediation::RevertSsh), &hosts(41).join(","));
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    for seen in [true, false] {
        let world = ec2(&[]);
        let late = hooked(&world, |call| {
            if is_revoke(call) && !seen {
                world.follow(&place(), &change(ChangeKind::Authorized(rules(&[open]))));
            }
            None
        });
        if seen {
            world.follow(&place(), &change(ChangeKind::Authorized(rules(&[open]))));
        }
        let ran = run_at(&late, &settings, &authorized(&[open]), noon(), None);
        assert_eq!(only(ran.report()).outcome(), Outcome::Failed);
        let Action::Reverted(reverted) = &found(ran.report()).action else {
            panic!("{:#?}", ran.report())
        };
        let [(missing, NotAdded::TooMany)] = &reverted.missing[..] else { panic!("{reverted:#?}") };
        assert_eq!(rule_text(missing), "tcp 22 from 203.0.113.80/32");
        assert!(ran.detail().contains("203.0.113.80/32"), "{}", ran.detail());
        assert_eq!(ingress(&world).len(), 40);
        assert!(!ingress(&world).contains(&"tcp 22 from 0.0.0.0/0".to_owned()));
    }
}

/// Ports 8000 and 8001 are opened, and the baseline admits port 8000 from as many hosts.
fn api_opened_to_all(count: usize) -> (MemoryEc2, Report) {
    let hosts = hosts(count).join(", ");
    let text = format!(
        "version: 1\nname: x\ningress:\n  - {{ name: API, protocol: tcp, ports: [8000], peers: \
         [{hosts}] }}\negress: []\n"
    );
    let baseline = Baseline::parse("x.yaml", &text, today()).unwrap();
    let settings = Settings { baseline, ..settings(Remediation::RevertIngress) };
    let open = "tcp 8000-8001 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[open]));
    let report = run(&world, &settings, &authorized(&[open])).unwrap();
    (world, report)
}

#[test]
fn another_rule_that_takes_more_than_forty_pieces_is_left() {
    let (world, report) = api_opened_to_all(41);
    assert_eq!(only(&report).outcome(), Outcome::Failed);
    let Action::NotReverted { reason, .. } = &found(&report).action else { panic!("{report:#?}") };
    assert!(matches!(reason, NotReverted::TooManyPieces(41)), "{reason:?}");
    assert_eq!(ingress(&world), ["tcp 8000-8001 from 0.0.0.0/0"]);
    assert!(only(&report).fix.is_some());
}

#[test]
fn another_rule_that_takes_forty_pieces_is_closed() {
    let (world, report) = api_opened_to_all(40);
    assert_eq!(only(&report).outcome(), Outcome::Narrowed);
    assert_eq!(ingress(&world).len(), 40);
}

#[test]
fn a_source_that_ec2_does_not_know_is_left_out_and_named() {
    let settings = with_sources(settings(Remediation::RevertSsh), "sg-0dead,203.0.113.0/24");
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[open]));
    let unknown: Peer = id("sg-0dead");
    let staged = hooked(&world, |call| match call {
        Call::Authorize(_, _, rule) if *rule.peer() == unknown => Some(not_found()),
        _ => None,
    });
    let ran = run_at(&staged, &settings, &authorized(&[open]), noon(), None);
    assert_eq!(only(ran.report()).outcome(), Outcome::Narrowed);
    let Action::Reverted(reverted) = &found(ran.report()).action else {
        panic!("{:#?}", ran.report())
    };
    assert_eq!(texts(&reverted.refused), ["tcp 22 from sg-0dead"]);
    assert!(ran.detail().contains("tcp 22 from sg-0dead"), "{}", ran.detail());
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24"]);
}

#[test]
fn the_same_event_again_reports_already_gone_and_the_same_undo() {
    let wide = "tcp 0-65535 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[wide]));
    let (settings, event) = (settings(Remediation::RevertSsh), authorized(&[wide]));
    let first = run(&world, &settings, &event).unwrap();
    let after = ingress(&world);
    let second = run(&world, &settings, &event).unwrap();
    assert_eq!(ingress(&world), after);
    assert_eq!(only(&second).outcome(), Outcome::AlreadyGone);
    assert_eq!(only(&second).undo, only(&first).undo);
    assert_eq!(only(&second).id, only(&first).id);
}

#[test]
fn a_rule_that_the_read_does_not_show_yet_is_revoked_first_and_narrowed_then() {
    let wide = "tcp 22-80 0.0.0.0/0 sgr-1";
    let world = ec2(&[]);
    let mut revokes = 0;
    // EC2 is eventually consistent: it has the rule, and the first read does not show it.
    let late = hooked(&world, |call| {
        revokes += usize::from(is_revoke(call));
        if is_revoke(call) && revokes == 1 {
            world.follow(&place(), &change(ChangeKind::Authorized(rules(&[wide]))));
        }
        None
    });
    let report = run(&late, &settings(Remediation::RevertSsh), &authorized(&[wide])).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::Narrowed);
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24", "tcp 80 from 0.0.0.0/0"]);
}

#[test]
fn no_piece_is_added_for_a_rule_that_somebody_else_removed() {
    let wide = "tcp 22-80 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&["tcp 443 0.0.0.0/0 sgr-2"]));
    let report = run(&world, &settings(Remediation::RevertSsh), &authorized(&[wide])).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::AlreadyGone);
    assert_eq!(ingress(&world), ["tcp 443 from 0.0.0.0/0"]);
}

#[test]
fn under_notify_a_finding_says_whether_the_rule_is_still_there() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let settings = settings(Remediation::Notify);
    for (world, is_there, words) in [
        (ec2(&rules(&[open])), true, "still in the group"),
        (ec2(&[]), false, "not in the group when it was read"),
    ] {
        let ran = run_at(&world, &settings, &authorized(&[open]), noon(), None);
        let (finding, rule) = (only(ran.report()), found(ran.report()));
        assert_eq!(finding.outcome(), Outcome::None);
        let Action::NotDue { why: NotDue::OnlyReported, seen } = rule.action else {
            panic!("{rule:#?}")
        };
        assert_eq!((seen, rule.presence == Presence::Present), (Some(is_there), is_there));
        assert_eq!(finding.undo, None);
        assert_eq!(texts(rule.would_keep.as_ref().unwrap()), ["tcp 22 from 203.0.113.0/24"]);
        assert_eq!((rule.kept.len(), rule.missing.len()), (0, 0));
        assert!(ran.detail().contains(words), "{}", ran.detail());
    }
}

#[test]
fn only_the_rules_of_the_change_are_reported() {
    let changed = "tcp 3306 0.0.0.0/0 sgr-2";
    let world = ec2(&rules(&["tcp 22 0.0.0.0/0 sgr-1", changed]));
    let settings = settings(Remediation::RevertIngress);
    let report = run(&world, &settings, &authorized(&[changed])).unwrap();
    assert_eq!(only(&report).code, Code::IngressNotInBaseline);
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn a_rule_that_the_mode_does_not_revert_is_reported_and_left() {
    for (text, code, mode) in [
        ("tcp 22 10.0.0.0/8 sgr-1", Code::IngressNotInBaseline, Remediation::RevertIngress),
        ("tcp 22 sg-0b sgr-1", Code::IngressNotInBaseline, Remediation::RevertIngress),
        ("tcp 22 8.8.8.8/32 sgr-1", Code::SshFromUnlistedHost, Remediation::RevertSsh),
        ("tcp 3306 0.0.0.0/0 sgr-1", Code::IngressNotInBaseline, Remediation::RevertSsh),
    ] {
        let world = ec2(&rules(&[text]));
        let report = run(&world, &settings(mode), &authorized(&[text])).unwrap();
        assert_eq!(only(&report).code, code, "{text}");
        assert_eq!(only(&report).outcome(), Outcome::None, "{text}");
        let Action::NotDue { why, .. } = found(&report).action else { panic!("{report:#?}") };
        let expected = match mode {
            Remediation::RevertSsh => NotDue::NotOpenSsh,
            _ => NotDue::NotPublicIngress,
        };
        assert_eq!(why, expected);
        assert_eq!(world.rules_of(&id(SG)).unwrap(), rules(&[text]));
    }
}

#[test]
fn a_modified_rule_is_judged_by_its_new_content() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[open, "tcp 80 0.0.0.0/0 sgr-2"]));
    let event = event(ChangeKind::Modified(vec![modified(open)]));
    let report = run(&world, &settings(Remediation::RevertSsh), &event).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::Narrowed);
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24", "tcp 80 from 0.0.0.0/0"]);
}

#[test]
fn a_modified_rule_is_reverted_whatever_else_the_call_names() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[open, "tcp 443 0.0.0.0/0 sgr-2"]));
    let gone = modified("tcp 443 0.0.0.0/0 sgr-9");
    let event = event(ChangeKind::Modified(vec![gone, modified(open)]));
    let report = run(&world, &settings(Remediation::RevertSsh), &event).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::Narrowed);
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24", "tcp 443 from 0.0.0.0/0"]);
}

#[test]
fn a_modified_rule_that_was_reverted_is_reported_again() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[open, "tcp 443 0.0.0.0/0 sgr-2"]));
    let event = event(ChangeKind::Modified(vec![modified(open)]));
    let settings = settings(Remediation::RevertSsh);
    let first = run(&world, &settings, &event).unwrap();
    let second = run(&world, &settings, &event).unwrap();
    assert_eq!(only(&second).outcome(), Outcome::AlreadyGone);
    assert_eq!(only(&second).undo, only(&first).undo);
}

#[test]
fn an_egress_rule_of_the_same_content_is_not_taken_for_a_modified_rule_that_is_gone() {
    let open = "-1 * 0.0.0.0/0 sgr-1";
    let egress = Rule::of_new_group().into_iter().enumerate();
    let egress = egress.map(|(number, rule)| rule.with_id(Some(id(&format!("sgr-e{number}")))));
    let rules: Vec<Rule> = std::iter::once(rule(open)).chain(egress).collect();
    let world = ec2(&rules);
    let event = event(ChangeKind::Modified(vec![modified(open)]));
    let settings = settings(Remediation::RevertSsh);
    let first = run(&world, &settings, &event).unwrap();
    assert_eq!(only(&first).outcome(), Outcome::Narrowed);
    let second = run(&world, &settings, &event).unwrap();
    assert_eq!(only(&second).outcome(), Outcome::AlreadyGone);
    assert_eq!(only(&second).undo, only(&first).undo);
}

#[test]
fn in_a_listing_without_ids_a_modified_rule_is_found_by_its_content() {
    let egress = rule("tcp 25 0.0.0.0/0").with_direction(Direction::Egress);
    let event = event(ChangeKind::Modified(vec![modified("tcp 25 0.0.0.0/0 sgr-1")]));
    let report = run(&ec2(&[egress]), &settings(Remediation::RevertIngress), &event).unwrap();
    assert_eq!(report.outcome, ReportOutcome::Compliant);
}

#[test]
fn a_rule_that_an_event_names_twice_is_one_finding() {
    let world = ec2(&rules(&["tcp 22 0.0.0.0/0 sgr-1"]));
    let event = authorized(&["tcp 22 0.0.0.0/0", "tcp 22 0.0.0.0/0"]);
    let report = run(&world, &settings(Remediation::RevertSsh), &event).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::Narrowed);
}

#[test]
fn a_piece_that_ec2_refuses_does_not_keep_ssh_open() {
    let open = "tcp 22-80 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[open]));
    let refusing = hooked(&world, |call| {
        let is_ssh = call.to_string().starts_with("authorize tcp 22");
        is_ssh.then(|| refused("InvalidParameterValue"))
    });
    let event = authorized(&[open]);
    let ran = run_at(&refusing, &settings(Remediation::RevertSsh), &event, noon(), None);
    assert_eq!(only(ran.report()).outcome(), Outcome::Failed);
    assert!(ran.detail().contains("tcp 22 from 203.0.113.0/24"), "{}", ran.detail());
    assert_eq!(ingress(&world), ["tcp 80 from 0.0.0.0/0"]);
}

#[test]
fn a_duplicate_that_may_not_be_read_back_is_published_as_failed() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[open]));
    let mut duplicate = false;
    let refusing = hooked(&world, |call| match call {
        Call::Authorize(..) => {
            duplicate = true;
            Some(Ec2Error::Duplicate)
        }
        Call::Rules(_) if duplicate => Some(denied()),
        _ => None,
    });
    let report = run(&refusing, &settings(Remediation::RevertSsh), &authorized(&[open])).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::Failed);
}

#[test]
fn tags_that_only_aws_may_set_are_not_in_the_undo() {
    let tags = [("aws:cloudformation:stack-name", "web"), ("Owner", "ops")];
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let open = rule("tcp 22 0.0.0.0/0 sgr-1").with_tags(tags.into());
    let world = ec2(std::slice::from_ref(&open));
    let event = event(ChangeKind::Authorized(vec![open]));
    let report = run(&world, &settings(Remediation::RevertSsh), &event).unwrap();
    let undo = only(&report).undo.as_deref().unwrap();
    assert!(undo.contains("Owner") && !undo.contains("aws:cloudformation"), "{undo}");
}

#[test]
fn after_a_change_that_is_not_understood_the_whole_group_is_audited_without_reverts() {
    let world = ec2(&rules(&["tcp 22 0.0.0.0/0 sgr-1", "tcp 3306 0.0.0.0/0 sgr-2"]));
    let report = run(&world, &settings(Remediation::RevertIngress), &cut_short()).unwrap();
    assert_eq!(
        brief(&report),
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
fn a_group_that_is_gone_or_cannot_be_read_is_reported() {
    let open = authorized(&["tcp 22 0.0.0.0/0 sgr-1"]);
    let settings = settings(Remediation::RevertSsh);
    let nowhere = MemoryEc2::default();
    let report = run(&nowhere, &settings, &open).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::AlreadyGone);
    let report = run(&nowhere, &settings, &cut_short()).unwrap();
    assert_eq!(only(&report).code, Code::UnauditedChange);
    let Matter::Unaudited { what, reason: Reason::NoGroup(Some(reason)) } = &only(&report).matter
    else {
        panic!("{report:#?}")
    };
    assert_eq!(*what, Unaudited::Change(Some(GroupKey::Id(id(SG)))));
    assert_eq!(reason, "it was cut short");

    let world = ec2(&rules(&["tcp 22 0.0.0.0/0 sgr-1"]));
    let refusing = || hooked(&world, |_| Some(denied()));
    let report = run(&refusing(), &settings, &open).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::Failed);
    let action = &found(&report).action;
    assert!(matches!(action, Action::Unreadable { noted: false, .. }), "{action:?}");
    let report = run(&refusing(), &settings, &cut_short()).unwrap();
    assert_eq!(only(&report).code, Code::UnauditedChange);
}

#[test]
fn a_change_in_another_account_is_reported_as_unaudited() {
    let world = ec2(&[]);
    let mut event = authorized(&["tcp 22 0.0.0.0/0 sgr-1"]);
    event.record.account = Some(id("210987654321"));
    let report = run(&world, &settings(Remediation::RevertSsh), &event).unwrap();
    assert_eq!(only(&report).code, Code::UnauditedChange);
    let title = to_title(only(&report));
    assert!(title.contains("210987654321"), "{title}");
    assert_eq!(world.take_calls(), Vec::<String>::new());
}

#[test]
fn groups_out_of_scope_are_left_alone() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let mut settings = settings(Remediation::RevertSsh);
    for (value, outcome) in
        [("typo3", ReportOutcome::Noncompliant), ("other", ReportOutcome::OutOfScope)]
    {
        let world = ec2(&rules(&[open]));
        settings.scope = Scope::Tag { key: "Role".to_owned(), value: value.to_owned() };
        let report = run(&world, &settings, &authorized(&[open])).unwrap();
        assert_eq!(report.outcome, outcome);
    }
}

#[test]
fn a_revoke_that_is_refused_is_published_as_failed() {
    let open = "tcp 22-80 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[open]));
    let refusing = hooked(&world, |call| is_revoke(call).then(denied));
    let event = authorized(&[open]);
    let ran = run_at(&refusing, &settings(Remediation::RevertSsh), &event, noon(), None);
    assert_eq!(only(ran.report()).outcome(), Outcome::Failed);
    let action = &found(ran.report()).action;
    let Action::NotReverted { reason: NotReverted::Ec2(Ec2Error::Denied { .. }), added } = action
    else {
        panic!("{action:?}")
    };
    // The pieces were added before. They are within the rule, and the undo removes them.
    assert_eq!(texts(added), ["tcp 80 from 0.0.0.0/0", "tcp 22 from 203.0.113.0/24"]);
    assert!(ran.detail().contains("UnauthorizedOperation"), "{}", ran.detail());
    let undo = only(ran.report()).undo.as_deref().unwrap();
    assert!(!undo.contains("authorize") && undo.contains("revoke"), "{undo}");
}

#[test]
fn a_rule_that_is_modified_between_read_and_revoke_is_not_removed() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[open]));
    let racing = hooked(&world, |call| {
        if is_revoke(call) {
            let narrowed = modified("tcp 22 203.0.113.7/32 sgr-1");
            world.follow(&place(), &change(ChangeKind::Modified(vec![narrowed])));
        }
        None
    });
    let report = run(&racing, &settings(Remediation::RevertSsh), &authorized(&[open])).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::AlreadyGone);
    let action = &found(&report).action;
    assert!(matches!(action, Action::AlreadyGone { seen: true, .. }), "{action:?}");
    assert!(ingress(&world).contains(&"tcp 22 from 203.0.113.7/32".to_owned()));
}
