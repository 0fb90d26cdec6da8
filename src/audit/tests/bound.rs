//! Which binding of a baseline file applies to a group, and what is done where that is not known.

use std::sync::Mutex;

use super::*;
use crate::ec2::{AccountId, UnitId};
use crate::evaluate::Severity;
use crate::event::{
    Close, FoundBy, HoldTags, ListChange, ListResume, Lost, Resume, RuleToClose, TagAction,
    TagChange,
};
use crate::memory::MemoryLedger;
use crate::settings::{Names, RawSettings};

const OPEN: &str = "tcp 22 0.0.0.0/0 sgr-1";
const OFFICE: &str = "tcp 22 198.51.100.0/24 sgr-1";

const HEAD: &str = "\
version: 1
name: our
peer_sets: { ssh-sources: [198.51.100.0/24] }
ingress:
  - { name: HTTPS, protocol: tcp, ports: [443], peers: [anywhere], expected: true }
  - { name: SSH, protocol: tcp, ports: [22], peers: [ssh-sources] }
egress:
  - { name: All, protocol: all, peers: [anywhere] }
bindings:
";

/// Everything reverts, except where a binding says otherwise.
pub(super) fn bound(bindings: &str) -> Settings {
    static NUMBER: Mutex<usize> = Mutex::new(0);
    let mut number = NUMBER.lock().unwrap();
    *number += 1;
    let path = std::env::temp_dir().join(format!("bound-{}-{number}.yaml", std::process::id()));
    std::fs::write(&path, format!("{HEAD}{bindings}")).unwrap();
    let mut raw = RawSettings::new(Names::ENVIRONMENT);
    raw.baseline = Some(path.to_str().unwrap().to_owned());
    raw.remediation = Some("revert-ssh".to_owned());
    raw.sweep_remediation = Some("revert-ssh".to_owned());
    raw.ssh_sources = Some("198.51.100.0/24".to_owned());
    raw.scope = Some("all".to_owned());
    let settings = Settings::from_raw(&raw, today());
    std::fs::remove_file(path).unwrap();
    settings.unwrap()
}

fn in_account(account: &str) -> Place {
    Place { account: Some(id(account)), ..place() }
}

/// An account with one group that has these rules and tags.
fn shop(account: &str, tags: &[(&str, &str)], texts: &[&str]) -> (Place, Group, Vec<Rule>) {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let owner = Some(id(account));
    (in_account(account), Group { owner, tags: Some(tags), ..group() }, rules(texts))
}

/// A change in an account.
fn in_event(account: &str, texts: &[&str]) -> Event {
    let mut event = authorized(texts);
    event.record.account = Some(id(account));
    event
}

/// Organizations, which counts how often it is asked.
#[derive(Debug)]
pub(super) struct Tree {
    answer: Result<Vec<UnitId>, Ec2Error>,
    /// How often it is throttled first.
    times: usize,
    asked: Mutex<usize>,
}

impl Tree {
    pub(super) fn of(units: &[&str]) -> Self {
        let answer = Ok(units.iter().map(|unit| id(unit)).collect());
        Self { answer, times: 0, asked: Mutex::new(0) }
    }

    pub(super) fn failing(error: Ec2Error) -> Self {
        Self { answer: Err(error), times: 0, asked: Mutex::new(0) }
    }

    /// The first answers, so many, are that there is none for now.
    pub(super) fn throttled(self, times: usize) -> Self {
        Self { times, ..self }
    }

    pub(super) fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

impl Parents for Tree {
    fn units<'a>(&'a self, _: &'a AccountId) -> Ec2Future<'a, Vec<UnitId>> {
        let mut asked = self.asked.lock().unwrap();
        *asked += 1;
        let answer = if *asked > self.times { self.answer.clone() } else { Err(throttled()) };
        Box::pin(std::future::ready(answer))
    }
}

/// Audits events with the same warm function, and closes what they hand on.
fn audit(
    ec2: &MemoryEc2,
    settings: &Settings,
    tree: Option<&Tree>,
    events: &[Event],
) -> Vec<Result<Report, AuditError>> {
    let (notifier, home) = (MemoryNotifier::default(), place());
    let mut auditor = Auditor::new(ec2, &notifier, &notifier, settings, &home).with_members(true);
    if let Some(tree) = tree {
        auditor = auditor.with_parents(tree);
    }
    let one = |event: &Event| {
        let answer = block_on(auditor.audit(event, &noon, None));
        let mut answers = vec![answer];
        for payload in notifier.take_handed_on() {
            answers.push(block_on(auditor.audit(&decoded(&payload), &noon, None)));
        }
        answers
    };
    events.iter().flat_map(one).collect()
}

fn bindings(report: &Report) -> Vec<Option<&str>> {
    report.findings.iter().map(|finding| finding.binding.as_deref()).collect()
}

const BY_ACCOUNT: &str = "  \
- { name: agency, accounts: [\"210987654321\"], ssh_sources: [203.0.113.0/24] }
  - { name: quiet, accounts: [\"111122223333\"], remediation: notify }
";

#[test]
fn a_change_is_judged_and_acted_on_by_the_binding_of_its_account() {
    let settings = bound(BY_ACCOUNT);
    for (account, left, outcome, binding) in [
        ("123456789012", vec!["tcp 22 from 198.51.100.0/24"], "narrowed", None),
        ("210987654321", vec!["tcp 22 from 203.0.113.0/24"], "narrowed", Some("agency")),
        ("111122223333", vec!["tcp 22 from 0.0.0.0/0"], "none", Some("quiet")),
    ] {
        let ec2 = MemoryEc2::new([shop(account, &[], &[OPEN])], Lists::new());
        let [report] = &audit(&ec2, &settings, None, &[in_event(account, &[OPEN])])[..] else {
            panic!()
        };
        let report = report.as_ref().unwrap();
        assert_eq!(only(report).outcome().as_str(), outcome, "{account}");
        assert_eq!(ingress(&ec2), left, "{account}");
        assert_eq!(only(report).binding.as_deref(), binding);
        assert_eq!(report.baseline.binding.as_deref(), binding);
        let json = crate::report::to_json(report).unwrap();
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["baseline"]["binding"].as_str(), binding);
        assert_eq!(json["findings"][0]["binding"].as_str(), binding);
    }
}

#[test]
fn the_sweep_judges_each_account_by_its_own_binding() {
    let settings = bound(BY_ACCOUNT);
    let accounts = ["123456789012", "210987654321", "111122223333"];
    let ec2 = MemoryEc2::new(accounts.map(|account| shop(account, &[], &[OFFICE])), Lists::new());
    let sweep = Sweep { accounts: accounts.map(id).to_vec(), ..Sweep::default() };
    let answers = audit(&ec2, &settings, None, &[message(Job::Sweep(sweep))]);
    let found: Vec<(String, Option<String>)> = answers
        .iter()
        .flat_map(|answer| &answer.as_ref().unwrap().findings)
        .map(|it| (it.place.account.as_ref().unwrap().to_string(), it.binding.clone()))
        .collect();
    // The office of the agency is another one.
    assert_eq!(found, [("210987654321".to_owned(), Some("agency".to_owned()))]);
    // Several bindings: the report names none, its findings do.
    assert_eq!(answers[0].as_ref().unwrap().baseline.binding, None);
}

#[test]
fn the_sweep_closes_only_where_the_binding_lets_it() {
    let settings = bound(BY_ACCOUNT);
    for (account, left) in [
        ("123456789012", "tcp 22 from 198.51.100.0/24"),
        ("210987654321", "tcp 22 from 203.0.113.0/24"),
        ("111122223333", "tcp 22 from 0.0.0.0/0"),
    ] {
        let ec2 = MemoryEc2::new([shop(account, &[], &[OPEN])], Lists::new());
        let sweep = Sweep { accounts: vec![id(account)], ..Sweep::default() };
        let answers = audit(&ec2, &settings, None, &[message(Job::Sweep(sweep))]);
        let found = |it: &Result<Report, AuditError>| it.as_ref().unwrap().findings.len();
        assert_eq!(answers.iter().map(found).sum::<usize>(), 1);
        assert_eq!(ingress(&ec2), [left], "{account}");
    }
}

const BY_TAG: &str = "  \
- { name: closed, tags: { exposure: none }, ssh_sources: [] }
";

#[test]
fn a_tag_decides_by_what_the_group_has_at_that_moment() {
    let settings = bound(BY_TAG);
    for (tags, findings) in [
        (&[("exposure", "none")][..], vec![Some("closed")]),
        (&[("exposure", "some")], vec![]),
        (&[("Exposure", "none")], vec![]),
        (&[], vec![]),
    ] {
        let ec2 = MemoryEc2::new([shop("123456789012", tags, &[OFFICE])], Lists::new());
        let answers = audit(&ec2, &settings, None, &[in_event("123456789012", &[OFFICE])]);
        assert_eq!(bindings(answers[0].as_ref().unwrap()), findings, "{tags:?}");
        assert_eq!(ingress(&ec2).is_empty(), !findings.is_empty());
    }
}

#[test]
fn a_compliant_change_costs_no_call_where_the_bindings_agree_about_it() {
    let https = "tcp 443 0.0.0.0/0 sgr-2";
    for (bindings, change, is_free) in [
        (BY_ACCOUNT, OFFICE, true),
        (BY_TAG, https, true),
        // With the tag it would not comply, so the group has to be read.
        (BY_TAG, OFFICE, false),
    ] {
        let ec2 = MemoryEc2::new([shop("123456789012", &[], &[change])], Lists::new());
        let answers = audit(&ec2, &bound(bindings), None, &[in_event("123456789012", &[change])]);
        assert_eq!(answers[0].as_ref().unwrap().outcome, ReportOutcome::Compliant);
        assert_eq!(ec2.take_calls().is_empty(), is_free, "{bindings} {change}");
    }
}

#[test]
fn a_group_whose_tags_are_not_known_is_reported_and_left_alone() {
    let settings = bound(BY_TAG);
    let ec2 = MemoryEc2::new([shop("123456789012", &[], &[OFFICE])], Lists::new());
    let cannot = hooked(&ec2, |call| matches!(call, Call::Group(..)).then(denied));
    let report = run(&cannot, &settings, &in_event("123456789012", &[OFFICE])).unwrap();
    let remarks = &found(&report).remarks;
    let names = vec![Some("closed".to_owned()), None];
    assert!(remarks.contains(&Remark::BindingUnknown(names)), "{remarks:?}");
    assert_eq!(ingress(&ec2), ["tcp 22 from 198.51.100.0/24"]);
}

const BY_UNIT: &str = "  \
- { name: agencies, ous: [ou-ab12-11111111], ssh_sources: [203.0.113.0/24] }
";

#[test]
fn the_units_of_an_account_are_asked_for_once_and_only_if_they_decide() {
    let settings = bound(BY_UNIT);
    for (units, expected) in [
        (&["ou-ab12-22222222", "ou-ab12-11111111", "r-ab12"][..], vec![Some("agencies")]),
        (&["ou-ab12-22222222", "r-ab12"], vec![]),
    ] {
        let tree = Tree::of(units);
        let ec2 = MemoryEc2::new([shop("210987654321", &[], &[OFFICE])], Lists::new());
        let office = in_event("210987654321", &[OFFICE]);
        let https = in_event("210987654321", &["tcp 443 0.0.0.0/0"]);
        audit(&ec2, &settings, Some(&tree), &[https]);
        assert_eq!(tree.asked(), 0);
        let answers = audit(&ec2, &settings, Some(&tree), &[office.clone(), office, sweep()]);
        assert_eq!(bindings(answers[0].as_ref().unwrap()), expected);
        // The sweep is of another account.
        assert_eq!(tree.asked(), 2);
    }
    let tree = Tree::of(&["r-ab12"]);
    let ec2 = MemoryEc2::new([shop("210987654321", &[], &[OPEN])], Lists::new());
    let of_another = "  - { name: both, accounts: [\"111122223333\"], ous: [ou-ab12-11111111], remediation: notify }\n";
    audit(&ec2, &bound(of_another), Some(&tree), &[in_event("210987654321", &[OPEN])]);
    assert_eq!(tree.asked(), 0);
    audit(&ec2, &bound(BY_ACCOUNT), Some(&tree), &[in_event("210987654321", &[OPEN])]);
    assert_eq!(tree.asked(), 0);
}

#[test]
fn where_the_units_are_refused_nothing_is_closed_and_the_finding_says_so() {
    let settings = bound(BY_UNIT);
    let tree = Tree::failing(denied());
    let all: &[&str] = &[OPEN, "tcp 22 198.51.100.0/24 sgr-2", "tcp 443 0.0.0.0/0 sgr-3"];
    let ec2 = MemoryEc2::new([shop("210987654321", &[], all)], Lists::new());
    let answers = audit(&ec2, &settings, Some(&tree), &[in_event("210987654321", all)]);
    let report = answers[0].as_ref().unwrap();
    let unknown = Remark::BindingUnknown(vec![Some("agencies".to_owned()), None]);
    assert_eq!(report.findings.len(), 2);
    for finding in &report.findings {
        assert!(finding.found_rule().unwrap().remarks.contains(&unknown));
        assert_eq!(finding.outcome(), Outcome::None);
    }
    assert_eq!(ingress(&ec2).len(), 3);
    // Where there may still be an answer, the change is tried again.
    let tree = Tree::failing(throttled());
    let answers = audit(&ec2, &settings, Some(&tree), &[in_event("210987654321", all)]);
    assert!(answers[0].is_err());
}

#[test]
fn where_several_bindings_may_hold_the_lists_are_read_that_decide_about_each() {
    let settings = bound("  - { name: listed, ous: [ou-ab12-11111111], ssh_sources: [pl-1] }\n");
    // The first one admits it by its list. What holds under no binding does not.
    let vendor = "tcp 22 203.0.113.0/24 sgr-1";
    let lists = list("pl-1", &["203.0.113.0/24"]);
    let ec2 = MemoryEc2::new([shop("210987654321", &[], &[vendor])], lists);
    let tree = Tree::failing(denied());
    let answers = audit(&ec2, &settings, Some(&tree), &[in_event("210987654321", &[vendor])]);
    let finding = only(answers[0].as_ref().unwrap());
    assert_eq!(finding.code, Code::OpenSsh);
    let unknown = Remark::BindingUnknown(vec![Some("listed".to_owned()), None]);
    assert!(finding.found_rule().unwrap().remarks.contains(&unknown));
}

#[test]
fn an_event_is_tried_again_where_the_units_are_not_told_for_now() {
    let settings = bound(BY_UNIT);
    let tags = TagChange {
        groups: vec![id(SG)],
        tags: [("Role".to_owned(), TagAction::Set("typo3".to_owned()))].into(),
        all_deleted: false,
    };
    let list = ListChange {
        list: id("pl-1"),
        name: None,
        version_before: None,
        added: Vec::new(),
        removed: None,
        restored: None,
    };
    let hold_tags = HoldTags { rules: vec![id("sgr-1")], unread: None };
    let lost = Lost { reason: "cut".to_owned(), is_of_tags: false, resume: Resume::default() };
    let sweep = Sweep { accounts: vec![id("210987654321")], ..Sweep::default() };
    let resumed = Job::List(list.clone(), ListResume::default());
    for (kind, is_tried_again) in [
        (Kind::Tags(tags.clone()), true),
        (Kind::Job(Job::Tags(tags)), true),
        (Kind::HoldTags(hold_tags.clone()), true),
        (Kind::Job(Job::HoldTags(hold_tags)), true),
        (Kind::List(list), true),
        (Kind::Job(resumed), true),
        (Kind::Lost(lost.clone()), true),
        (Kind::Job(Job::Lost(lost)), true),
        // The next one asks again.
        (Kind::Job(Job::Sweep(sweep)), false),
        // What cannot be understood is told, whatever holds.
        (Kind::Undecodable { group: None, reason: "cut".to_owned() }, false),
    ] {
        let tree = Tree::of(&["ou-ab12-11111111", "r-ab12"]).throttled(1);
        let ec2 = MemoryEc2::new([shop("210987654321", &[], &[OPEN])], Lists::new());
        let mut event = in_event("210987654321", &[OPEN]);
        event.kind = kind;
        let answers = audit(&ec2, &settings, Some(&tree), &[event.clone(), event.clone()]);
        assert_eq!(answers[0].is_err(), is_tried_again, "{:?}", event.kind);
        assert!(answers.last().unwrap().is_ok(), "{:?}", event.kind);
        if let Kind::HoldTags(_) | Kind::Lost(_) = event.kind {
            assert_eq!(ingress(&ec2), ["tcp 22 from 203.0.113.0/24"], "{:?}", event.kind);
        }
    }
}

#[test]
fn a_binding_has_a_scope_of_its_own() {
    let settings =
        bound("  - { name: some, accounts: [\"210987654321\"], scope: \"tag:audit=yes\" }\n");
    for (account, tags, findings) in [
        ("123456789012", &[][..], 1),
        ("210987654321", &[], 0),
        ("210987654321", &[("audit", "yes")], 1),
    ] {
        let ec2 = MemoryEc2::new([shop(account, tags, &[OPEN])], Lists::new());
        let swept = Sweep { accounts: vec![id(account)], ..Sweep::default() };
        let swept = audit(&ec2, &settings, None, &[message(Job::Sweep(swept))]);
        assert_eq!(swept[0].as_ref().unwrap().handed_on, findings, "{account} {tags:?}");
        let ec2 = MemoryEc2::new([shop(account, tags, &[OPEN])], Lists::new());
        let changed = audit(&ec2, &settings, None, &[in_event(account, &[OPEN])]);
        assert_eq!(changed[0].as_ref().unwrap().findings.len(), findings, "{account} {tags:?}");
    }
}

#[test]
fn the_sweep_asks_for_the_groups_of_every_scope() {
    let mut settings = bound("  - { name: all, accounts: [\"210987654321\"], scope: all }\n");
    settings.scope = role_scope();
    for (account, findings) in [("123456789012", 0), ("210987654321", 1)] {
        let ec2 = MemoryEc2::new([shop(account, &[], &[OPEN])], Lists::new());
        let swept = Sweep { accounts: vec![id(account)], ..Sweep::default() };
        let swept = audit(&ec2, &settings, None, &[message(Job::Sweep(swept))]);
        assert_eq!(swept[0].as_ref().unwrap().handed_on, findings, "{account}");
    }
}

#[test]
fn another_binding_makes_only_the_sweep_of_its_account_plan_again() {
    let accounts = ["123456789012", "210987654321"];
    let both = || MemoryEc2::new(accounts.map(|account| shop(account, &[], &[OPEN])), Lists::new());
    let sweep = Sweep { accounts: accounts.map(id).to_vec(), ..Sweep::default() };
    let ledger = MemoryLedger::default();
    let planned = |settings: &Settings, days| {
        let (ec2, notifier, home) = (both(), MemoryNotifier::default(), place());
        let auditor = Auditor::new(&ec2, &notifier, &notifier, settings, &home)
            .with_members(true)
            .with_ledger(&ledger, Severity::Low);
        let now = noon() + TimeDelta::days(days);
        let event = message(Job::Sweep(sweep.clone()));
        let report = block_on(auditor.audit(&event, &|| now, None)).unwrap();
        let planned = report.findings.iter().filter(|it| it.outcome() == Outcome::Planned);
        planned.map(|it| it.place.account.as_ref().unwrap().to_string()).collect::<Vec<_>>()
    };
    let before = bound(BY_ACCOUNT);
    assert_eq!(planned(&before, 0).len(), 2);
    assert_eq!(planned(&before, 1).len(), 0);
    let after = bound(&BY_ACCOUNT.replace("203.0.113.0/24", "203.0.113.0/25"));
    assert_eq!(planned(&after, 2), ["210987654321"]);
}

#[test]
fn the_report_on_a_change_that_its_event_settles_names_the_binding() {
    let settings = bound(BY_ACCOUNT);
    for (account, binding) in [("123456789012", None), ("210987654321", Some("agency"))] {
        let https = in_event(account, &["tcp 443 0.0.0.0/0 sgr-2"]);
        let answers = audit(&MemoryEc2::default(), &settings, None, &[https]);
        let report = answers[0].as_ref().unwrap();
        assert_eq!(report.baseline.binding.as_deref(), binding, "{account}");
    }
}

#[test]
fn the_units_of_other_accounts_are_asked_for_by_a_sweep_of_them_and_by_who_closes_there() {
    let (settings, member) = (bound(BY_UNIT), "210987654321");
    let rules = vec![RuleToClose {
        place: in_account(member),
        group: id(SG),
        rule: rule(OPEN),
        note: None,
        found_by: FoundBy::Sweep,
        promise: None,
        claim: None,
    }];
    for asked in [
        Job::Sweep(Sweep { accounts: vec![id(member)], ..Sweep::default() }),
        Job::Close(Close { rules, occasion: None }),
    ] {
        let tree = Tree::of(&["ou-ab12-11111111", "r-ab12"]);
        let ec2 = MemoryEc2::new([shop(member, &[], &[OPEN])], Lists::new());
        audit(&ec2, &settings, Some(&tree), &[message(asked.clone())]);
        assert_eq!(ingress(&ec2), ["tcp 22 from 203.0.113.0/24"], "{asked:?}");
    }
}

#[test]
fn a_check_judges_each_group_by_its_own_binding() {
    let (settings, lists) = (bound(BY_TAG), Lists::new());
    let mut check = GroupCheck::new(&settings, &lists, noon());
    for tags in [&[][..], &[("exposure", "none")], &[]] {
        let (place, group, rules) = shop("123456789012", tags, &[OFFICE]);
        check.group(&place, &group, &rules);
    }
    assert_eq!(bindings(&check.report()), [Some("closed")]);
}
