//! A prefix list that changes opens groups without touching any.

use super::*;
use crate::event::ListChange;

fn changed(version_before: Option<i64>, added: &[&str]) -> Event {
    let Event::Change(change) = event(ChangeKind::Created) else { panic!("a change") };
    Event::List(Box::new(ListChange {
        record: Record { event_name: Some("ModifyManagedPrefixList".to_owned()), ..change.record },
        list: "pl-1".to_owned(),
        version_before,
        added: added.iter().map(|net| net.parse().unwrap()).collect(),
    }))
}

fn entries(nets: &[&str]) -> Result<Vec<ipnet::IpNet>, String> {
    Ok(nets.iter().map(|net| net.parse().unwrap()).collect())
}

fn world(rules: &[&str], list: Result<Vec<ipnet::IpNet>, String>) -> MemoryEc2 {
    let rules = rules.iter().map(|text| rule(text)).collect();
    let other = Group { id: "sg-0b".to_owned(), ..group() };
    MemoryEc2::new(
        [(place(), group(), rules), (place(), other, vec![rule("tcp 22 0.0.0.0/0 sgr-9")])],
        [("pl-1".to_owned(), list)].into(),
    )
}

#[test]
fn rules_that_name_the_list_are_audited_and_nothing_else() {
    let rules = ["tcp 22 pl-1 sgr-1", "tcp 8080 0.0.0.0/0 sgr-2"];
    let world = world(&rules, entries(&["203.0.113.0/25", "0.0.0.0/1", "128.0.0.0/1"]));
    let event = changed(None, &["0.0.0.0/1"]);
    let report = run(&world, &settings(Remediation::RevertIngress), &event).unwrap();
    // By notice only, whatever the settings are.
    assert_eq!(told(&report), ["open-ssh none tcp 22 from pl-1"]);
    let detail = &only(&report).remediation.detail;
    assert!(detail.contains("its entries 0.0.0.0/1 (added by it), 128.0.0.0/1."), "{detail}");
    assert_eq!(ingress(&world), ["tcp 22 from pl-1", "tcp 8080 from 0.0.0.0/0"]);
}

#[test]
fn a_list_within_the_office_complies() {
    let world = world(&["tcp 22 pl-1 sgr-1"], entries(&["203.0.113.0/25"]));
    let report = run(&world, &settings(Remediation::RevertSsh), &changed(None, &[])).unwrap();
    assert_eq!((report.outcome, report.groups_audited), (ReportOutcome::Compliant, 1));
}

#[test]
fn a_list_that_nothing_names_is_no_news() {
    let world = world(&["tcp 22 203.0.113.0/25 sgr-1"], entries(&["0.0.0.0/0"]));
    let report = run(&world, &settings(Remediation::RevertSsh), &changed(None, &[])).unwrap();
    assert_eq!(report.outcome, ReportOutcome::Compliant);
    assert_eq!(report.reason.as_deref(), Some("no rule in scope names pl-1"));
}

#[test]
fn a_list_that_cannot_be_read_is_never_compliant() {
    let world = world(&["tcp 22 pl-1 sgr-1"], Err("no".to_owned()));
    let report = run(&world, &settings(Remediation::RevertSsh), &changed(None, &[])).unwrap();
    assert_eq!(told(&report), ["unresolved-peer none tcp 22 from pl-1"]);
}

#[test]
fn a_list_that_is_not_yet_as_the_event_says_is_tried_again() {
    let event = changed(Some(3), &["0.0.0.0/0"]);
    let settings = settings(Remediation::RevertSsh);
    let read = |version, state| {
        let world = world(&["tcp 22 pl-1 sgr-1"], entries(&["0.0.0.0/0"]));
        run(&world.with_list_state("pl-1", version, state), &settings, &event)
    };
    for early in [read(4, ListState::Changing), read(3, ListState::Settled)] {
        assert_eq!(early.unwrap_err().kind(), "ListNotReady");
    }
    assert_eq!(told(&read(4, ListState::Settled).unwrap()).len(), 1);
    // A change that failed is not waited for.
    assert_eq!(told(&read(3, ListState::Failed).unwrap()).len(), 1);
}

#[test]
fn a_source_that_grew_wide_is_called_out() {
    let mut settings = settings(Remediation::RevertSsh);
    settings.baseline = settings.baseline.with_ssh_sources(parse_peers("pl-1").unwrap());
    // No rule names the list, and rules of addresses hang on it all the same.
    let world = world(&["tcp 22 198.51.100.0/24 sgr-1"], entries(&["0.0.0.0/1", "128.0.0.0/1"]));
    let report = run(&world, &settings, &changed(None, &["128.0.0.0/1"])).unwrap();
    let finding = only(&report);
    assert_eq!(finding.code, Code::OpenSshInBaseline);
    assert_eq!(finding.severity.as_str(), "high");
    assert!(finding.remediation.detail.contains("128.0.0.0/1 (added by it)"), "{finding:?}");
}

#[test]
fn each_rule_that_names_a_source_that_grew_wide_says_which_entry_did_it() {
    let mut settings = settings(Remediation::RevertSsh);
    settings.baseline = settings.baseline.with_ssh_sources(parse_peers("pl-1").unwrap());
    let world = world(&["tcp 22 pl-1 sgr-1"], entries(&["203.0.113.0/24", "128.0.0.0/1"]));
    let report = run(&world, &settings, &changed(None, &["128.0.0.0/1"])).unwrap();
    let naming = report.findings.iter().find(|finding| finding.rule.is_some()).unwrap();
    assert_eq!((naming.code, naming.severity.as_str()), (Code::OpenSshInBaseline, "high"));
    let detail = &naming.remediation.detail;
    assert!(detail.contains("the list has 128.0.0.0/1 (added by it), 203.0.113.0/24"), "{detail}");
}

#[test]
fn groups_out_of_scope_are_left_out() {
    let mut settings = settings(Remediation::Notify);
    settings.scope = Scope::Tag { key: "Role".to_owned(), value: "wiki".to_owned() };
    let world = world(&["tcp 22 pl-1 sgr-1"], entries(&["0.0.0.0/0"]));
    assert_eq!(told(&run(&world, &settings, &changed(None, &[])).unwrap()).len(), 0);
}

#[test]
fn what_was_found_before_ec2_refused_a_page_is_not_lost() {
    let groups = (0..3).map(|number| {
        let group = Group { id: format!("sg-{number:017x}"), ..group() };
        (place(), group, vec![rule("tcp 22 pl-1 sgr-1")])
    });
    let lists = [("pl-1".to_owned(), entries(&["0.0.0.0/0"]))].into();
    let world = MemoryEc2::new(groups, lists).with_groups_a_page(2);
    let mut pages = 0;
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        pages += usize::from(call == "groups");
        (call == "groups" && pages == 2).then(|| Ec2Error::Refused {
            action: "DescribeSecurityGroupRules",
            code: "UnreadableRule".to_owned(),
            message: "sgr-9".to_owned(),
        })
    });
    let report = run(&staged, &settings(Remediation::Notify), &changed(None, &[])).unwrap();
    assert_eq!(
        told(&report),
        [
            "open-ssh none tcp 22 from pl-1",
            "open-ssh none tcp 22 from pl-1",
            "unaudited-change none"
        ]
    );
}
