//! A change of a prefix list opens groups without touching any of them.

use super::*;
use crate::evaluate::Control;
use crate::event::ListChange;
use crate::finding::ListEntries;

fn changed(version_before: Option<i64>, added: &[&str]) -> Event {
    let record = Record { event_name: Some("ModifyManagedPrefixList".to_owned()), ..record() };
    let added = added.iter().map(|net| id(net)).collect();
    let change = ListChange {
        list: id("pl-1"),
        name: None,
        version_before,
        added,
        removed: Some(Vec::new()),
        restored: None,
    };
    Event::new(record, Kind::List(change))
}

/// The group, and another one with open SSH.
fn two_groups(texts: &[&str], lists: Lists) -> MemoryEc2 {
    let other = Group { id: id("sg-0b"), ..group() };
    let open = rules(&["tcp 22 0.0.0.0/0 sgr-9"]);
    MemoryEc2::new([(place(), group(), rules(texts)), (place(), other, open)], lists)
}

fn entries(entries: &[(&str, bool)], are_excess: bool) -> ListEntries {
    let entries = entries.iter().map(|(net, added)| (id(net), *added)).collect();
    ListEntries { list: id("pl-1"), entries, are_excess }
}

#[test]
fn only_rules_that_name_the_list_are_audited() {
    let rules = ["tcp 22 pl-1 sgr-1", "tcp 8080 0.0.0.0/0 sgr-2"];
    let lists = list("pl-1", &["203.0.113.0/25", "0.0.0.0/1", "128.0.0.0/1"]);
    let world = two_groups(&rules, lists);
    let event = changed(None, &["0.0.0.0/1"]);
    let ran = run_at(&world, &settings(Remediation::Notify), &event, noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh none tcp 22 from pl-1"]);
    let excess = entries(&[("0.0.0.0/1", true), ("128.0.0.0/1", false)], true);
    assert_eq!(found(ran.report()).remarks, [Remark::List(excess)]);
    let detail = ran.detail();
    assert!(detail.contains("its entries 0.0.0.0/1 (added by it), 128.0.0.0/1."), "{detail}");
    assert_eq!(ingress(&world), ["tcp 22 from pl-1", "tcp 8080 from 0.0.0.0/0"]);
}

/// What is left of the group's rules after the list grew.
fn after_growth(texts: &[&str], settings: &Settings, entries: &[&str]) -> Vec<String> {
    let world = two_groups(texts, list("pl-1", entries));
    run_at(&world, settings, &changed(None, entries), noon(), None).report();
    ingress(&world)
}

#[test]
fn a_rule_whose_list_grew_is_acted_on_as_remediation_says() {
    let wide = &["203.0.113.0/25", "0.0.0.0/1", "128.0.0.0/1"];
    let ssh = ["tcp 22 pl-1 sgr-1"];
    let office = ["tcp 22 from 203.0.113.0/24"];
    for (mode, left) in [
        (Remediation::Notify, ["tcp 22 from pl-1"]),
        (Remediation::RevertSsh, office),
        (Remediation::RevertIngress, office),
    ] {
        assert_eq!(after_growth(&ssh, &settings(mode), wide), left, "{mode:?}");
    }
    // Other ports, and what only the sweep may do.
    let database = ["tcp 3306 pl-1 sgr-1"];
    let left = after_growth(&database, &settings(Remediation::RevertSsh), wide);
    assert_eq!(left, ["tcp 3306 from pl-1"]);
    let left = after_growth(&database, &settings(Remediation::RevertIngress), wide);
    assert_eq!(left, [] as [&str; 0]);
    let sweeping =
        Settings { sweep_remediation: Remediation::RevertSsh, ..settings(Remediation::Notify) };
    assert_eq!(after_growth(&ssh, &sweeping, wide), ["tcp 22 from pl-1"]);
    // A list that grew within the office, and one that somebody grew in small steps.
    let reverting = settings(Remediation::RevertSsh);
    assert_eq!(after_growth(&ssh, &reverting, &["203.0.113.0/25"]), ["tcp 22 from pl-1"]);
    let steps = ["203.0.113.0/24", "198.51.100.0/31"];
    assert_eq!(after_growth(&ssh, &reverting, &steps), office);
}

#[test]
fn a_rule_that_a_grown_list_opened_is_reported_with_the_change_of_the_list() {
    let world = two_groups(&["tcp 22 pl-1 sgr-1"], list("pl-1", &["0.0.0.0/0"]));
    let event = changed(None, &["0.0.0.0/0"]);
    let ran = run_at(&world, &settings(Remediation::RevertSsh), &event, noon(), None);
    let finding = only(ran.report());
    assert_eq!(finding.outcome(), Outcome::Narrowed);
    let call = finding.change.as_ref().unwrap().event_name.as_deref();
    assert_eq!(call, Some("ModifyManagedPrefixList"));
    assert!(ran.detail().contains("pl-1"), "{}", ran.detail());
    assert!(finding.undo.as_deref().unwrap().contains("pl-1"));
    let because = Remark::Note(crate::event::Note::ListChanged(id("pl-1")));
    assert!(found(ran.report()).remarks.contains(&because), "{finding:#?}");
}

#[test]
fn a_list_that_cannot_be_read_closes_nothing_and_one_that_ec2_does_not_answer_for_is_tried_again() {
    let (reverting, event) = (settings(Remediation::RevertSsh), changed(None, &[]));
    let world = two_groups(&["tcp 22 pl-1 sgr-1"], unreadable_list("pl-1"));
    run_at(&world, &reverting, &event, noon(), None).report();
    assert_eq!(ingress(&world), ["tcp 22 from pl-1"]);
    let throttling = hooked(&world, |call| matches!(call, Call::PrefixList(_)).then(throttled));
    let ran = run_at(&throttling, &reverting, &event, noon(), None);
    assert_eq!(ran.error_kind(), "Ec2Unavailable");
}

#[test]
fn groups_that_there_is_no_time_for_are_handed_on_and_all_are_closed_in_the_end() {
    let groups = (0..5).map(|number| {
        let group = Group { id: numbered(number), ..group() };
        (place(), group, rules(&["tcp 22 pl-1 sgr-1"]))
    });
    let world = MemoryEc2::new(groups, list("pl-1", &["0.0.0.0/0"])).with_groups_a_page(1);
    let reverting = settings(Remediation::RevertSsh);
    let mut left = vec![changed(None, &["0.0.0.0/0"])];
    let (mut closed, mut invocations) = (Vec::new(), 0);
    while let Some(event) = left.pop() {
        invocations += 1;
        assert!(invocations < 30, "it goes on forever");
        let ran = run_alone(&world, &reverting, &event, noon(), Some(1));
        closed.extend(brief(ran.report()));
        left.extend(ran.handed_on.iter().map(decoded));
    }
    assert_eq!(closed, ["open-ssh narrowed tcp 22 from pl-1"; 5]);
}

/// What becomes of SSH from a list, in a change.
fn from_list(lists: Lists, sources: &str, fault: fn() -> Option<Ec2Error>) -> (Ran, Vec<String>) {
    let open = "tcp 22 pl-9 sgr-1";
    let world = ec2_with_lists(&rules(&[open]), lists);
    let settings = with_sources(settings(Remediation::RevertSsh), sources);
    let failing = hooked(&world, |call| match call {
        Call::PrefixList(_) => fault(),
        _ => None,
    });
    let ran = run_at(&failing, &settings, &authorized(&[open]), noon(), None);
    (ran, ingress(&world))
}

#[test]
fn ssh_from_a_list_that_is_not_there_is_closed() {
    let office = "203.0.113.0/24";
    let (ran, left) = from_list(Lists::new(), office, || None);
    assert_eq!(brief(ran.report()), ["unresolved-peer reverted tcp 22 from pl-9"]);
    assert_eq!(left, [] as [&str; 0]);
    // A list that is there and complies, and one that the baseline names.
    let (ran, left) = from_list(list("pl-9", &["203.0.113.7/32"]), office, || None);
    assert_eq!((ran.report().findings.len(), left.len()), (0, 1));
    let (_, left) = from_list(Lists::new(), "pl-9", || None);
    assert_eq!(left, ["tcp 22 from pl-9"]);
    // Where EC2 refuses to tell, nobody can say that it is not there.
    let (ran, left) = from_list(unreadable_list("pl-9"), office, || None);
    assert_eq!(brief(ran.report()), ["unresolved-peer none tcp 22 from pl-9"]);
    assert_eq!(left, ["tcp 22 from pl-9"]);
    let (ran, left) = from_list(Lists::new(), office, || Some(throttled()));
    assert_eq!(ran.error_kind(), "Ec2Unavailable");
    assert_eq!(left, ["tcp 22 from pl-9"]);
}

#[test]
fn a_list_within_the_office_complies() {
    let world = two_groups(&["tcp 22 pl-1 sgr-1"], list("pl-1", &["203.0.113.0/25"]));
    let report = run(&world, &settings(Remediation::RevertSsh), &changed(None, &[])).unwrap();
    assert_eq!((report.outcome, report.groups), (ReportOutcome::Compliant, 1));
}

#[test]
fn a_list_that_no_rule_names_is_skipped() {
    let world = two_groups(&["tcp 22 203.0.113.0/25 sgr-1"], list("pl-1", &["0.0.0.0/0"]));
    let report = run(&world, &settings(Remediation::RevertSsh), &changed(None, &[])).unwrap();
    assert_eq!(report.outcome, ReportOutcome::Compliant);
    let [Skipped::UnusedList(list)] = &report.skipped[..] else { panic!("{:?}", report.skipped) };
    assert_eq!(list.as_str(), "pl-1");
}

#[test]
fn a_list_that_cannot_be_read_is_never_compliant() {
    let world = two_groups(&["tcp 22 pl-1 sgr-1"], unreadable_list("pl-1"));
    let report = run(&world, &settings(Remediation::RevertSsh), &changed(None, &[])).unwrap();
    assert_eq!(brief(&report), ["unresolved-peer none tcp 22 from pl-1"]);
}

#[test]
fn a_list_that_is_not_yet_as_the_event_says_is_tried_again() {
    let event = changed(Some(3), &["0.0.0.0/0"]);
    let settings = settings(Remediation::RevertSsh);
    let read = |version, state| {
        let world = two_groups(&["tcp 22 pl-1 sgr-1"], list("pl-1", &["0.0.0.0/0"]));
        run(&world.with_list_state(id("pl-1"), version, state), &settings, &event)
    };
    for early in [read(4, ListState::Changing), read(3, ListState::Settled)] {
        assert_eq!(early.unwrap_err().kind(), "ListNotReady");
    }
    assert_eq!(read(4, ListState::Settled).unwrap().findings.len(), 1);
    // A failed change makes no new version.
    assert_eq!(read(3, ListState::Failed).unwrap().findings.len(), 1);
}

#[test]
fn an_ssh_source_that_became_wide_is_reported() {
    let settings = with_sources(settings(Remediation::RevertSsh), "pl-1");
    // No rule names the list, but rules with addresses depend on it.
    let rules = ["tcp 22 198.51.100.0/24 sgr-1"];
    let world = two_groups(&rules, list("pl-1", &["0.0.0.0/1", "128.0.0.0/1"]));
    let world = world.with_list_names([(id("pl-1"), "office".to_owned())].into());
    let event = changed(None, &["128.0.0.0/1"]);
    let ran = run_at(&world, &settings, &event, noon(), None);
    let finding = only(ran.report());
    assert_eq!(finding.code, Code::OpenSshInBaseline);
    assert_eq!(finding.list_names, [(id("pl-1"), "office".to_owned())].into());
    assert_eq!(finding.severity.as_str(), "high");
    let Matter::WideBaseline { list, .. } = &finding.matter else { panic!("{finding:#?}") };
    assert_eq!(*list, Some(entries(&[("128.0.0.0/1", true), ("0.0.0.0/1", false)], false)));
    assert!(ran.detail().contains("128.0.0.0/1 (added by it)"), "{}", ran.detail());
}

#[test]
fn an_ssh_source_that_grew_and_does_not_let_the_internet_in_is_not_reported() {
    let settings = with_sources(settings(Remediation::RevertSsh), "pl-1");
    let world = two_groups(&[], list("pl-1", &["203.0.113.0/24", "198.51.100.0/24"]));
    let report = run(&world, &settings, &changed(None, &["198.51.100.0/24"])).unwrap();
    assert_eq!(brief(&report), [] as [&str; 0]);
    assert_eq!(report.outcome, ReportOutcome::Compliant);
}

#[test]
fn a_rule_that_names_a_source_that_became_wide_is_reported_with_the_added_entry() {
    let settings = with_sources(settings(Remediation::RevertSsh), "pl-1");
    let lists = list("pl-1", &["203.0.113.0/24", "128.0.0.0/1"]);
    let world = two_groups(&["tcp 22 pl-1 sgr-1"], lists);
    let ran = run_at(&world, &settings, &changed(None, &["128.0.0.0/1"]), noon(), None);
    let findings = &ran.report().findings;
    let naming = findings.iter().find(|finding| finding.rule().is_some()).unwrap();
    assert_eq!((naming.code, naming.severity.as_str()), (Code::OpenSshInBaseline, "high"));
    let Matter::WideList { list, .. } = &naming.matter else { panic!("{naming:#?}") };
    assert_eq!(*list, Some(entries(&[("128.0.0.0/1", true), ("203.0.113.0/24", false)], false)));
    let published = ran.published().to_string();
    let said = "the list has 128.0.0.0/1 (added by it), 203.0.113.0/24";
    assert!(published.contains(said), "{published}");
}

#[test]
fn a_rule_that_names_a_wide_list_fails_the_controls_of_a_default_group() {
    let settings = with_sources(settings(Remediation::RevertSsh), "pl-1");
    for (name, fails) in [("default", true), ("typo3-shop", false)] {
        let group = Group { name: Some(name.to_owned()), ..group() };
        let lists = list("pl-1", &["0.0.0.0/1", "128.0.0.0/1"]);
        let world = MemoryEc2::new([(place(), group, rules(&["tcp 22 pl-1 sgr-1"]))], lists);
        let ran = run_at(&world, &settings, &authorized(&["tcp 22 pl-1 sgr-1"]), noon(), None);
        let finding = only(ran.report());
        assert_eq!(finding.code, Code::OpenSshInBaseline);
        assert_eq!(
            finding.controls.contains(&Control::DefaultGroup),
            fails,
            "{:?}",
            finding.controls
        );
    }
}

#[test]
fn a_wide_source_that_other_entries_already_admit_is_not_reported_again() {
    let wide = list("pl-1", &["0.0.0.0/1", "128.0.0.0/1"]);
    let event = changed(None, &["128.0.0.0/1"]);
    // Everybody is an SSH source anyway, so the list admits nobody else.
    let settings = with_sources(settings(Remediation::RevertSsh), "pl-1,0.0.0.0/0,::/0");
    let rules = ["tcp 22 pl-1 sgr-1", "tcp 22 0.0.0.0/0 sgr-2"];
    for rules in [&rules[..], &rules[1..], &[]] {
        let report = run(&two_groups(rules, wide.clone()), &settings, &event).unwrap();
        assert_eq!(brief(&report), [] as [&str; 0], "{rules:?}");
        assert_eq!(report.outcome, ReportOutcome::Compliant);
    }
    // The same where a change opens such a rule. The other rule is there so that the group and the
    // list are read.
    let other = "tcp 23 pl-1 sgr-3";
    for opened in rules {
        let world = two_groups(&[opened, other], wide.clone());
        let report = run(&world, &settings, &authorized(&[opened, other])).unwrap();
        assert_eq!(brief(&report), ["ingress-not-in-baseline none tcp 23 from pl-1"], "{opened}");
    }
}

#[test]
fn groups_out_of_scope_are_left_out() {
    let mut settings = settings(Remediation::Notify);
    settings.scope = Scope::Tag { key: "Role".to_owned(), value: "wiki".to_owned() };
    let world = two_groups(&["tcp 22 pl-1 sgr-1"], list("pl-1", &["0.0.0.0/0"]));
    let report = run(&world, &settings, &changed(None, &[])).unwrap();
    assert_eq!(report.findings.len(), 0);
}

#[test]
fn findings_from_before_a_page_that_ec2_refused_are_reported() {
    let groups = (0..3).map(|number| {
        let group = Group { id: numbered(number), ..group() };
        (place(), group, rules(&["tcp 22 pl-1 sgr-1"]))
    });
    let world = MemoryEc2::new(groups, list("pl-1", &["0.0.0.0/0"])).with_groups_a_page(2);
    let mut pages = 0;
    let refusing = hooked(&world, |call| {
        let is_page = matches!(call, Call::Groups(..));
        pages += usize::from(is_page);
        (is_page && pages == 2).then(|| refused("UnreadableRule"))
    });
    let report = run(&refusing, &settings(Remediation::Notify), &changed(None, &[])).unwrap();
    assert_eq!(
        brief(&report),
        [
            "open-ssh none tcp 22 from pl-1",
            "open-ssh none tcp 22 from pl-1",
            "unaudited-change none"
        ]
    );
}

#[test]
fn groups_that_ec2_does_not_list_for_now_are_tried_again() {
    let world = two_groups(&["tcp 22 pl-1 sgr-1"], list("pl-1", &["0.0.0.0/0"]));
    let throttling = hooked(&world, |call| matches!(call, Call::Groups(..)).then(throttled));
    let event = changed(None, &["0.0.0.0/0"]);
    let ran = run_at(&throttling, &settings(Remediation::Notify), &event, noon(), None);
    assert_eq!((ran.error_kind(), ran.messages.len()), ("Ec2Unavailable", 0));
}

fn restricted_egress(remediation: Remediation) -> Settings {
    let baseline = Baseline::load("restricted-egress", today()).unwrap();
    with_sources(Settings { baseline, ..settings(remediation) }, "203.0.113.0/24")
}

fn egress(text: &str) -> Rule {
    rule(text).with_direction(Direction::Egress)
}

#[test]
fn rules_that_let_out_to_the_list_are_audited_and_each_group_once() {
    let only_out = (place(), Group { id: numbered(1), ..group() }, vec![egress("tcp 25 pl-1")]);
    let both = (place(), group(), vec![rule("tcp 22 pl-1"), egress("tcp 25 pl-1")]);
    let world = MemoryEc2::new([only_out, both], list("pl-1", &["203.0.113.0/25"]));
    let report = run(&world, &restricted_egress(Remediation::Notify), &changed(None, &[])).unwrap();
    assert_eq!(report.groups, 2);
    let egress = "egress-not-in-baseline none tcp 25 to pl-1";
    assert_eq!(brief(&report), [egress; 2]);
}

#[test]
fn without_time_left_each_invocation_audits_one_page_in_one_direction() {
    let groups = (0..3).map(|number| {
        let rule = rule("tcp 25 pl-1");
        let rule = if number == 0 { rule } else { rule.with_direction(Direction::Egress) };
        (place(), Group { id: numbered(number), ..group() }, vec![rule])
    });
    let world = MemoryEc2::new(groups, list("pl-1", &["0.0.0.0/0"])).with_groups_a_page(1);
    let settings = restricted_egress(Remediation::Notify);
    let (mut left, mut audited) = (vec![changed(None, &[])], Vec::new());
    while let Some(event) = left.pop() {
        let ran = run_alone(&world, &settings, &event, noon(), Some(1));
        audited.push((ran.report().groups, ran.report().partial));
        left.extend(ran.handed_on.iter().map(decoded));
    }
    assert_eq!(audited, [(1, true), (1, true), (1, false)]);
}

/// Two rules are modified in one call.
#[test]
fn a_list_that_ec2_does_not_answer_for_keeps_no_ssh_open_in_the_other_direction() {
    let world = ec2(&[rule("tcp 22 0.0.0.0/0 sgr-1"), egress("tcp 25 pl-1 sgr-2")]);
    let throttling = hooked(&world, |call| matches!(call, Call::PrefixList(_)).then(throttled));
    let both = ["tcp 22 0.0.0.0/0 sgr-1", "tcp 25 pl-1 sgr-2"].map(modified);
    let event = event(ChangeKind::Modified(both.to_vec()));
    let ran = run_at(&throttling, &restricted_egress(Remediation::RevertSsh), &event, noon(), None);
    assert_eq!(ran.error_kind(), "Ec2Unavailable");
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24"]);
}
