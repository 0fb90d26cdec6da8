//! Whatever was taken away is told of, wherever the audit broke off.

use std::collections::BTreeMap;

use super::*;
use crate::event::{TagAction, TagChange, Task};
use crate::hold::{REASON, UNTIL};

const FIRST: &str = "tcp 22 198.51.100.0/24 sgr-1";
const SECOND: &str = "tcp 22 192.0.2.0/24 sgr-2";

fn reverting() -> Settings {
    Settings { sweep_remediation: Remediation::RevertSsh, ..settings(Remediation::RevertSsh) }
}

fn throttled() -> Ec2Error {
    Ec2Error::Passing { action: "RevokeSecurityGroupIngress", message: "throttled".to_owned() }
}

/// The findings that were published, shortly.
fn published(ran: &Ran) -> Vec<String> {
    let findings = ran.published()["findings"].as_array().cloned().unwrap_or_default();
    let told = |finding: &serde_json::Value| {
        let outcome = finding["remediation"]["outcome"].as_str().unwrap_or_default();
        format!("{outcome} {}", finding["rule"]["peer"].as_str().unwrap_or_default())
    };
    findings.iter().map(told).collect()
}

fn held(text: &str) -> Rule {
    let mut rule = rule(text);
    rule.tags.insert(UNTIL.to_owned(), "2026-11-02T11:30:00Z".to_owned());
    rule.tags.insert(REASON.to_owned(), "vendor".to_owned());
    rule
}

#[test]
fn a_revert_is_told_though_the_next_one_in_the_group_is_throttled() {
    let holds = Schedule { task: Task::Holds, ..Schedule::default() };
    let rules = [held(FIRST), held(SECOND)];
    let cut_short = ChangeKind::Unknown("it was cut short".to_owned());
    for event in
        [Event::Schedule(Box::default()), Event::Schedule(Box::new(holds)), event(cut_short)]
    {
        let world = ec2(&rules);
        let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
            call.starts_with("revoke tcp 22 from 192.0.2.0/24").then(throttled)
        });
        let ran = run_at(&staged, &reverting(), &event, noon(), None);
        assert_eq!(ran.answer.as_ref().unwrap_err().kind(), "Ec2Unavailable");
        assert_eq!(ingress(&world), ["tcp 22 from 192.0.2.0/24"], "{event:?}");
        assert_eq!(published(&ran), ["reverted 198.51.100.0/24"], "{event:?}");
        // EC2 may have carried out the other one and show it a moment longer: it is asked again by
        // who knows of the rule.
        let [handed_on] = &ran.handed_on[..] else { panic!("{:?}", ran.handed_on) };
        assert!(handed_on.to_string().contains("192.0.2.0/24"), "{handed_on:#}");
        assert!(!handed_on.to_string().contains("198.51.100.0/24"), "{handed_on:#}");
    }
}

#[test]
fn a_revert_is_told_though_the_next_group_that_left_is_throttled() {
    let other = Group { id: "sg-0b".to_owned(), ..group() };
    let groups = [(place(), group(), vec![rule(FIRST)]), (place(), other, vec![rule(SECOND)])];
    let world = MemoryEc2::new(groups, Lists::new());
    let mut settings = reverting();
    settings.scope = Scope::Tag { key: "Role".to_owned(), value: "typo3".to_owned() };
    let Event::Change(change) = event(ChangeKind::Created) else { panic!("a change") };
    let left = Event::Tags(Box::new(TagChange {
        record: change.record,
        groups: vec![SG.to_owned(), "sg-0b".to_owned()],
        tags: BTreeMap::from([("Role".to_owned(), TagAction::Deleted(None))]),
        all_deleted: false,
    }));
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        call.starts_with("revoke tcp 22 from 192.0.2.0/24").then(throttled)
    });
    let ran = run_at(&staged, &settings, &left, noon(), None);
    assert_eq!(ran.answer.as_ref().unwrap_err().kind(), "Ec2Unavailable");
    assert_eq!(published(&ran), ["reverted 198.51.100.0/24"]);
}

#[test]
fn a_change_that_is_told_again_by_its_event_is_told_once() {
    let world = ec2(&[rule(FIRST), rule(SECOND)]);
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        call.starts_with("revoke tcp 22 from 192.0.2.0/24").then(throttled)
    });
    let change = event(ChangeKind::Authorized(vec![rule(FIRST), rule(SECOND)]));
    let ran = run_at(&staged, &reverting(), &change, noon(), None);
    assert_eq!((ran.answer.is_err(), ran.messages.len()), (true, 0));
    let again = run_at(&world, &reverting(), &change, noon(), None);
    assert_eq!(
        told(again.report()),
        [
            "open-ssh already-gone tcp 22 from 198.51.100.0/24",
            "open-ssh reverted tcp 22 from 192.0.2.0/24"
        ]
    );
}

/// Nobody hears anything.
struct Mute;

impl Notifier for Mute {
    async fn publish(&self, _: &crate::report::Message) -> Result<(), NotifyError> {
        Err(NotifyError { message: "SNS is having a bad day".to_owned() })
    }
}

/// What is told after all of what an event had reverted when nobody heard of it.
fn retold(world: &MemoryEc2, settings: &Settings, event: &Event) -> Ran {
    let onward = MemoryNotifier::default();
    let home = place();
    let auditor = Auditor::new(world, &Mute, &onward, settings, &home);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(runtime.block_on(auditor.audit(event, &noon, None)).is_err());
    let [payload] = &onward.take_handed_on()[..] else { panic!("one payload") };
    let [event] = &decode(payload.to_string().as_bytes())[..] else { panic!("one event") };
    run_at(world, settings, event, noon(), None)
}

#[test]
fn a_revert_of_the_sweep_is_retold_where_changes_are_only_reported() {
    let world = ec2(&[rule("tcp 22 0.0.0.0/0 sgr-1")]);
    let sweeping =
        Settings { sweep_remediation: Remediation::RevertSsh, ..settings(Remediation::Notify) };
    let ran = retold(&world, &sweeping, &Event::Schedule(Box::default()));
    assert_eq!(told(ran.report()), ["open-ssh already-gone tcp 22 from 0.0.0.0/0"]);
    let finding = &ran.published()["findings"][0];
    assert!(finding["remediation"]["undo"].is_string(), "{finding:#}");
    // No call of anybody is behind a sweep.
    assert_eq!(finding["change"], serde_json::Value::Null);
}

#[test]
fn a_revert_in_a_group_that_left_the_scope_is_retold() {
    let untagged = Group { tags: BTreeMap::new(), ..group() };
    let world = MemoryEc2::new([(place(), untagged, vec![rule(FIRST)])], Lists::new());
    let mut settings = reverting();
    settings.scope = Scope::Tag { key: "Role".to_owned(), value: "typo3".to_owned() };
    let Event::Change(change) = event(ChangeKind::Created) else { panic!("a change") };
    let left = Event::Tags(Box::new(TagChange {
        record: Record { event_name: Some("DeleteTags".to_owned()), ..change.record },
        groups: vec![SG.to_owned()],
        tags: BTreeMap::from([("Role".to_owned(), TagAction::Deleted(None))]),
        all_deleted: false,
    }));
    let ran = retold(&world, &settings, &left);
    assert_eq!(told(ran.report()), ["open-ssh already-gone tcp 22 from 198.51.100.0/24"]);
    let change = &ran.published()["findings"][0]["change"];
    assert_eq!(change["event_name"], "DeleteTags");
}

#[test]
fn a_rule_of_a_group_out_of_scope_is_left_alone_whoever_asks_for_it_to_be_retold() {
    let untagged = Group { tags: BTreeMap::new(), ..group() };
    let world = MemoryEc2::new([(place(), untagged, vec![rule(FIRST)])], Lists::new());
    let mut settings = reverting();
    settings.scope = Scope::Tag { key: "Role".to_owned(), value: "typo3".to_owned() };
    let Event::Change(mut change) = event(ChangeKind::Authorized(vec![rule(FIRST)])) else {
        panic!("a change")
    };
    change.record.retold = true;
    let report = run(&world, &settings, &Event::Change(change)).unwrap();
    assert_eq!(report.outcome, ReportOutcome::OutOfScope);
    assert_eq!(ingress(&world), ["tcp 22 from 198.51.100.0/24"]);
}

#[test]
fn every_kind_of_rule_is_retold_as_it_was() {
    let rules = [
        "-1 * 0.0.0.0/0 sgr-1",
        "icmp 8--1 198.51.100.0/24 sgr-2",
        "icmpv6 128--1 2001:db8:2::/48 sgr-3",
        "tcp 22-80 ::/0 sgr-4",
        "47 * 192.0.2.0/24 sgr-5",
        "tcp 22 pl-1 sgr-6",
    ];
    let rules: Vec<Rule> = rules.iter().map(|text| rule(text)).collect();
    let list = Ok(vec!["198.51.100.0/24".parse().unwrap()]);
    let lists = [("pl-1".to_owned(), list)].into();
    let world = MemoryEc2::new([(place(), group(), rules.clone())], lists);
    let mut sweeping = settings(Remediation::Notify);
    sweeping.sweep_remediation = Remediation::RevertIngress;
    sweeping.revert_keeps = RevertKeeps::Nothing;
    let onward = MemoryNotifier::default();
    let home = place();
    let auditor = Auditor::new(&world, &Mute, &onward, &sweeping, &home);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(
        runtime.block_on(auditor.audit(&Event::Schedule(Box::default()), &noon, None)).is_err()
    );
    let mut told: Vec<String> = Vec::new();
    for payload in onward.take_handed_on() {
        for event in decode(payload.to_string().as_bytes()) {
            let Event::Change(change) = event else { panic!("{event:?}") };
            let ChangeKind::Authorized(of_event) = &change.kind else { panic!("{change:?}") };
            told.extend(of_event.iter().map(|rule| format!("{:?} {:?}", rule.id, rule.content())));
        }
    }
    told.sort();
    let mut all: Vec<String> =
        rules.iter().map(|rule| format!("{:?} {:?}", rule.id, rule.content())).collect();
    all.sort();
    assert_eq!(told, all);
}

/// The revoke is carried out, and its answer is lost; then `rules` are read as `after` says.
fn answer_lost<'a>(
    world: &'a MemoryEc2,
    after: impl Fn() -> Option<Ec2Error> + 'a,
) -> Staged<'a, impl FnMut(&str, &MemoryEc2) -> Option<Ec2Error> + 'a> {
    let mut asked = false;
    Staged::new(world, move |call: &str, ec2: &MemoryEc2| {
        if call == "rules" && asked {
            return after();
        }
        if !call.starts_with("revoke") {
            return None;
        }
        asked = true;
        let (place, rule) = (place(), rule(FIRST));
        let mut revoked = Box::pin(ec2.revoke(&place, SG, &rule));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(revoked.as_mut().poll(&mut context).is_ready());
        Some(throttled())
    })
}

#[test]
fn a_revert_whose_answer_is_lost_is_told_where_the_rule_is_read_no_more() {
    let holds = Schedule { task: Task::Holds, ..Schedule::default() };
    let cut_short = ChangeKind::Unknown("it was cut short".to_owned());
    for event in
        [Event::Schedule(Box::default()), Event::Schedule(Box::new(holds)), event(cut_short)]
    {
        let world = ec2(&[held(FIRST)]);
        let ran = run_at(&answer_lost(&world, || None), &reverting(), &event, noon(), None);
        assert_eq!(told(ran.report())[0], "open-ssh reverted tcp 22 from 198.51.100.0/24");
        assert_eq!(ran.handed_on, [] as [serde_json::Value; 0]);
    }
}

#[test]
fn a_revert_of_which_nothing_is_known_is_asked_for_again_and_told() {
    let holds = Schedule { task: Task::Holds, ..Schedule::default() };
    let cut_short = ChangeKind::Unknown("it was cut short".to_owned());
    for event in
        [Event::Schedule(Box::default()), Event::Schedule(Box::new(holds)), event(cut_short)]
    {
        let world = ec2(&[held(FIRST)]);
        let lost = answer_lost(&world, || Some(throttled()));
        let ran = run_at(&lost, &reverting(), &event, noon(), None);
        assert_eq!(ran.answer.as_ref().unwrap_err().kind(), "Ec2Unavailable");
        let [payload] = &ran.handed_on[..] else { panic!("{event:?}: {:?}", ran.handed_on) };
        let [again] = &decode(payload.to_string().as_bytes())[..] else { panic!("one event") };
        let ran = run_at(&world, &reverting(), again, noon(), None);
        assert_eq!(told(ran.report()), ["open-ssh already-gone tcp 22 from 198.51.100.0/24"]);
    }
}

#[test]
fn a_revoke_that_was_not_carried_out_is_no_revert() {
    let world = ec2(&[rule(FIRST)]);
    let staged =
        Staged::new(&world, |call: &str, _: &MemoryEc2| call.starts_with("revoke").then(throttled));
    let sweep = Event::Schedule(Box::default());
    let ran = run_at(&staged, &reverting(), &sweep, noon(), None);
    assert_eq!(ran.answer.as_ref().unwrap_err().kind(), "Ec2Unavailable");
    assert_eq!(ran.messages.len(), 0);
    // Nobody is told that it was, and who is asked again finds it and closes it.
    let [payload] = &ran.handed_on[..] else { panic!("{:?}", ran.handed_on) };
    let [again] = &decode(payload.to_string().as_bytes())[..] else { panic!("one event") };
    let ran = run_at(&world, &reverting(), again, noon(), None);
    assert_eq!(told(ran.report()), ["open-ssh reverted tcp 22 from 198.51.100.0/24"]);
}
