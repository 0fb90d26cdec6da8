//! A change of a prefix list opens groups without touching any of them.

use super::*;
use crate::event::ListChange;
use crate::finding::ListEntries;

fn changed(version_before: Option<i64>, added: &[&str]) -> Event {
    let record = Record { event_name: Some("ModifyManagedPrefixList".to_owned()), ..record() };
    let added = added.iter().map(|net| id(net)).collect();
    Event { record, kind: Kind::List(ListChange { list: id("pl-1"), version_before, added }) }
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
    let ran = run_at(&world, &settings(Remediation::RevertIngress), &event, noon(), None);
    // Findings about lists are only reported, whatever the settings are.
    assert_eq!(brief(ran.report()), ["open-ssh none tcp 22 from pl-1"]);
    let excess = entries(&[("0.0.0.0/1", true), ("128.0.0.0/1", false)], true);
    assert_eq!(found(ran.report()).remarks, [Remark::List(excess)]);
    let detail = ran.detail();
    assert!(detail.contains("its entries 0.0.0.0/1 (added by it), 128.0.0.0/1."), "{detail}");
    assert!(detail.contains("what a change of a prefix list opens is only reported"), "{detail}");
    assert_eq!(ingress(&world), ["tcp 22 from pl-1", "tcp 8080 from 0.0.0.0/0"]);
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
    assert_eq!(report.skipped, [Skipped::UnusedList(id("pl-1"))]);
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
    let event = changed(None, &["128.0.0.0/1"]);
    let ran = run_at(&world, &settings, &event, noon(), None);
    let finding = only(ran.report());
    assert_eq!(finding.code, Code::OpenSshInBaseline);
    assert_eq!(finding.severity.as_str(), "high");
    let Matter::WideBaseline { list, .. } = &finding.matter else { panic!("{finding:#?}") };
    assert_eq!(*list, Some(entries(&[("128.0.0.0/1", true), ("0.0.0.0/1", false)], false)));
    assert!(ran.detail().contains("128.0.0.0/1 (added by it)"), "{}", ran.detail());
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
