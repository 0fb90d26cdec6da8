//! Whatever is taken away is told of, wherever the audit breaks off: what finds it hands it on, and
//! touches nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::ec2::hold::{REASON, UNTIL};
use crate::event::{FoundBy, TagAction, TagChange, Task};

const FIRST: &str = "tcp 22 198.51.100.0/24 sgr-1";
const SECOND: &str = "tcp 22 192.0.2.0/24 sgr-2";

fn reverting() -> Settings {
    Settings { sweep_remediation: Remediation::RevertSsh, ..settings(Remediation::RevertSsh) }
}

fn throttled() -> Ec2Error {
    Ec2Error::Passing { action: "RevokeSecurityGroupIngress", message: "throttled".to_owned() }
}

fn denied() -> Ec2Error {
    Ec2Error::Denied { action: "DescribeSecurityGroups", message: "not allowed".to_owned() }
}

fn held(text: &str) -> Rule {
    let mut rule = rule(text);
    rule.tags.insert(UNTIL.to_owned(), "2026-11-02T11:30:00Z".to_owned());
    rule.tags.insert(REASON.to_owned(), "vendor".to_owned());
    rule
}

fn sweep() -> Event {
    Event::Schedule(Box::default())
}

/// Everything that finds rules which no event says.
fn finders() -> [Event; 4] {
    let holds = Schedule { task: Task::Holds, ..Schedule::default() };
    [
        sweep(),
        Event::Schedule(Box::new(holds)),
        event(ChangeKind::Unknown("it was cut short".to_owned())),
        untagged(&[SG]),
    ]
}

/// The groups lost their tag.
fn untagged(groups: &[&str]) -> Event {
    let Event::Change(change) = event(ChangeKind::Created) else { panic!("a change") };
    Event::Tags(Box::new(TagChange {
        record: Record { event_name: Some("DeleteTags".to_owned()), ..change.record },
        groups: groups.iter().map(|id| (*id).to_owned()).collect(),
        tags: BTreeMap::from([("Role".to_owned(), TagAction::Deleted(None))]),
        all_deleted: false,
    }))
}

/// The settings under which an event is about these rules.
fn settings_for(event: &Event) -> Settings {
    let mut settings = reverting();
    if let Event::Tags(_) = event {
        settings.scope = Scope::Tag { key: "Role".to_owned(), value: "typo3".to_owned() };
    }
    settings
}

/// The event of a payload that was handed on.
fn close(payload: &Value) -> Event {
    let [close] = &decode(payload.to_string().as_bytes())[..] else { panic!("one event") };
    close.clone()
}

/// The only event that was handed on.
fn handed_on(ran: &Ran) -> Event {
    let [payload] = &ran.handed_on[..] else { panic!("{:?}", ran.handed_on) };
    close(payload)
}

/// The findings about rules that were published, shortly.
fn published(ran: &Ran) -> Vec<String> {
    let bodies = ran.messages.iter().map(|message| &message.body);
    let bodies = bodies.map(|body| serde_json::from_str::<Value>(body).unwrap());
    bodies
        .flat_map(|body| {
            let report: Value = serde_json::from_str(body["default"].as_str().unwrap()).unwrap();
            report["findings"].as_array().unwrap().clone()
        })
        .filter(|finding| finding["rule"].is_object())
        .map(|finding| {
            let outcome = finding["remediation"]["outcome"].as_str().unwrap();
            format!("{outcome} {}", finding["rule"]["peer"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn who_finds_a_rule_that_no_event_says_closes_nothing() {
    for event in finders() {
        let world = ec2(&[held(FIRST), held(SECOND)]);
        let found = run_alone(&world, &settings_for(&event), &event, noon(), None);
        assert_eq!(ingress(&world).len(), 2, "{event:?}");
        assert_eq!(published(&found), [] as [&str; 0], "{event:?}");
        // Nothing is told of it yet, and yet it is not compliant.
        let report = found.report();
        assert_eq!((report.outcome, report.handed_on), (ReportOutcome::Noncompliant, 2));
        let closed = run_alone(&world, &settings_for(&event), &handed_on(&found), noon(), None);
        assert_eq!(ingress(&world), [] as [&str; 0], "{event:?}");
        assert_eq!(
            published(&closed),
            ["reverted 198.51.100.0/24", "reverted 192.0.2.0/24"],
            "{event:?}"
        );
        assert_eq!(closed.report().handed_on, 0);
    }
}

#[test]
fn what_is_closed_and_not_told_is_told_when_it_is_tried_again() {
    for event in finders() {
        let world = ec2(&[held(FIRST)]);
        let settings = settings_for(&event);
        let close = handed_on(&run_alone(&world, &settings, &event, noon(), None));
        run_alone(&world, &settings, &close, noon(), None);
        let again = run_alone(&world, &settings, &close, noon(), None);
        assert_eq!(published(&again), ["already-gone 198.51.100.0/24"], "{event:?}");
        let finding = &again.published()["findings"][0];
        let undo = finding["remediation"]["undo"].as_str().unwrap();
        assert!(undo.contains("198.51.100.0/24"), "{undo}");
    }
}

#[test]
fn what_is_closed_is_told_with_the_change_behind_it_and_the_same_id() {
    let Event::Change(mut change) = event(ChangeKind::Unknown("it was cut short".to_owned()))
    else {
        panic!("a change")
    };
    change.record.shared_event_id = Some("shared".to_owned());
    change.record.actor = Some("arn:aws:iam::123456789012:user/op".to_owned());
    let event = Event::Change(change);
    let world = ec2(&[rule(FIRST)]);
    let told = run_alone(&world, &settings(Remediation::Notify), &event, noon(), None);
    let close = handed_on(&run_alone(&world, &reverting(), &event, noon(), None));
    let closed = run_alone(&world, &reverting(), &close, noon(), None);
    let (told, closed) = (&told.report().findings[0], only(closed.report()));
    assert_eq!((&told.id, &told.change), (&closed.id, &closed.change));
    assert!(closed.remediation.detail.contains("it was cut short"), "{closed:#?}");
    // No call of anybody is behind a sweep.
    let world = ec2(&[rule(FIRST)]);
    let close = handed_on(&run_alone(&world, &reverting(), &sweep(), noon(), None));
    assert_eq!(only(run_alone(&world, &reverting(), &close, noon(), None).report()).change, None);
}

#[test]
fn a_change_is_handed_on_as_it_was_whenever_it_is_said_to_have_been() {
    for time in
        ["2026-11-02T11:59:19Z", "2026-11-02T11:59:19.123456789Z", "9999-12-31T23:59:59-01:00"]
    {
        let Event::Change(mut change) = event(ChangeKind::Unknown("why".to_owned())) else {
            panic!("a change")
        };
        change.record.time = Some(time.parse().unwrap());
        change.record.user_agent = Some("an \"agent\"\u{1b}[31m".to_owned());
        let record = change.record.clone();
        let ran =
            run_alone(&ec2(&[rule(FIRST)]), &reverting(), &Event::Change(change), noon(), None);
        let Event::Close(close) = handed_on(&ran) else { panic!("to close") };
        assert_eq!(close.record, Some(record));
    }
}

#[test]
fn a_change_that_cannot_be_followed_is_handed_on_too() {
    // Ports that no rule can have: all of the group is looked at.
    let modified = ModifiedRule {
        id: "sgr-1".to_owned(),
        protocol: "tcp".parse().unwrap(),
        from_port: Some(90_000),
        to_port: Some(90_000),
        peer: "0.0.0.0/0".parse().unwrap(),
        description: None,
    };
    let world = ec2(&[rule(FIRST)]);
    let modified = event(ChangeKind::Modified(vec![modified]));
    let found = run_alone(&world, &reverting(), &modified, noon(), None);
    assert_eq!((ingress(&world).len(), found.report().handed_on), (1, 1));
    let closed = run_alone(&world, &reverting(), &handed_on(&found), noon(), None);
    assert_eq!(told(closed.report()), ["open-ssh reverted tcp 22 from 198.51.100.0/24"]);
}

#[test]
fn a_group_that_left_the_scope_is_closed_once_more() {
    let group = Group { tags: BTreeMap::new(), ..group() };
    let world = MemoryEc2::new([(place(), group, vec![rule(FIRST)])], Lists::new());
    let event = untagged(&[SG]);
    let ran = run_at(&world, &settings_for(&event), &event, noon(), None);
    assert_eq!(
        told(ran.report()),
        ["open-ssh reverted tcp 22 from 198.51.100.0/24", "left-scope none"]
    );
}

#[test]
fn what_fails_for_now_is_handed_on_and_the_rest_is_told_once() {
    let world = ec2(&[rule(FIRST), rule(SECOND)]);
    let close_both = handed_on(&run_alone(&world, &reverting(), &sweep(), noon(), None));
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        call.starts_with("revoke tcp 22 from 192.0.2.0/24").then(throttled)
    });
    let first = run_alone(&staged, &reverting(), &close_both, noon(), None);
    assert_eq!(published(&first), ["reverted 198.51.100.0/24"]);
    assert!(first.report().partial);
    let close_one = handed_on(&first);
    // With nothing to tell, it is Lambda that tries again, and not at once.
    let second = run_alone(&staged, &reverting(), &close_one, noon(), None);
    assert_eq!(second.answer.as_ref().unwrap_err().kind(), "Ec2Unavailable");
    assert_eq!((second.messages.len(), second.handed_on.len()), (0, 0));
    let third = run_alone(&world, &reverting(), &close_one, noon(), None);
    assert_eq!(published(&third), ["reverted 192.0.2.0/24"]);
}

#[test]
fn one_group_that_fails_for_now_does_not_keep_the_others_open() {
    for event in [sweep(), untagged(&["sg-0b", SG])] {
        let other = Group { id: "sg-0b".to_owned(), ..group() };
        let groups = [(place(), other, vec![rule(SECOND)]), (place(), group(), vec![rule(FIRST)])];
        let world = MemoryEc2::new(groups, Lists::new());
        let settings = settings_for(&event);
        let close = handed_on(&run_alone(&world, &settings, &event, noon(), None));
        let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
            call.starts_with("revoke tcp 22 from 192.0.2.0/24").then(throttled)
        });
        let ran = run_alone(&staged, &settings, &close, noon(), None);
        assert_eq!(published(&ran), ["reverted 198.51.100.0/24"]);
        let Event::Close(left) = handed_on(&ran) else { panic!("to close") };
        assert_eq!(left.rules.len(), 1);
    }
}

#[test]
fn what_was_found_before_a_group_cannot_be_read_for_now_is_closed() {
    let other = Group { id: "sg-0b".to_owned(), ..group() };
    let groups = [(place(), group(), vec![rule(FIRST)]), (place(), other, vec![rule(SECOND)])];
    let world = MemoryEc2::new(groups, Lists::new());
    let event = untagged(&[SG, "sg-0b"]);
    let mut read = 0;
    let staged = Staged::new(&world, move |call: &str, _: &MemoryEc2| {
        read += usize::from(call == "group");
        (read == 2).then(throttled)
    });
    let ran = run_alone(&staged, &settings_for(&event), &event, noon(), None);
    assert_eq!(ran.answer.as_ref().unwrap_err().kind(), "Ec2Unavailable");
    let Event::Close(close) = handed_on(&ran) else { panic!("to close") };
    assert_eq!(close.rules.len(), 1);
}

#[test]
fn what_there_is_no_time_for_is_handed_on() {
    let other = Group { id: "sg-0b".to_owned(), ..group() };
    let groups = [(place(), other, vec![rule(SECOND)]), (place(), group(), vec![rule(FIRST)])];
    let world = MemoryEc2::new(groups, Lists::new());
    let close = handed_on(&run_alone(&world, &reverting(), &sweep(), noon(), None));
    let first = run_alone(&world, &reverting(), &close, noon(), Some(5));
    assert_eq!((published(&first).len(), first.report().partial), (1, true));
    let second = run_alone(&world, &reverting(), &handed_on(&first), noon(), Some(5));
    assert_eq!((published(&second).len(), second.handed_on.len()), (1, 0));
    assert_eq!(ingress(&world), [] as [&str; 0]);
}

#[test]
fn groups_that_ec2_does_not_answer_for_do_not_take_all_of_the_time() {
    let groups = (0..8).map(|number| {
        let group = Group { id: format!("sg-{number:017x}"), ..group() };
        (place(), group, vec![rule(FIRST)])
    });
    let world = MemoryEc2::new(groups, Lists::new());
    let close = handed_on(&run_alone(&world, &reverting(), &sweep(), noon(), None));
    let now = std::cell::Cell::new(noon());
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        (call == "group").then(|| {
            now.set(now.get() + TimeDelta::seconds(15));
            throttled()
        })
    });
    let (notifier, home, settings) = (MemoryNotifier::default(), place(), reverting());
    let auditor = Auditor::new(&staged, &notifier, &notifier, &settings, &home);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let deadline = noon() + TimeDelta::seconds(120);
    let answer = runtime.block_on(auditor.audit(&close, &|| now.get(), Some(deadline)));
    assert_eq!(answer.unwrap_err().kind(), "Ec2Unavailable");
    assert!(now.get() < deadline, "Lambda has stopped it, and nobody knows why");
}

/// Nobody can be handed anything.
struct Alone;

impl Onward for Alone {
    async fn go_on(&self, _: &Value) -> Result<(), OnwardError> {
        Err(OnwardError { message: "AccessDenied".to_owned() })
    }
}

#[test]
fn what_cannot_be_handed_on_is_told_as_open_and_tried_again() {
    for event in finders() {
        let world = ec2(&[held(FIRST)]);
        let (notifier, home, settings) = (MemoryNotifier::default(), place(), settings_for(&event));
        let auditor = Auditor::new(&world, &notifier, &Alone, &settings, &home);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(auditor.audit(&event, &noon, None));
        let ran = Ran { answer, messages: notifier.take(), handed_on: Vec::new() };
        assert_eq!(ran.answer.as_ref().unwrap_err().kind(), "NotHandedOn");
        assert_eq!(published(&ran), ["failed 198.51.100.0/24"], "{event:?}");
        let published = ran.published();
        let findings = published["findings"].as_array().unwrap();
        let open = findings.iter().find(|finding| finding["rule"].is_object()).unwrap();
        let detail = open["remediation"]["detail"].as_str().unwrap();
        assert!(detail.starts_with("Nothing was changed yet."), "{detail}");
        assert!(detail.contains("AccessDenied"), "{detail}");
        assert_eq!(ingress(&world).len(), 1);
    }
}

#[test]
fn every_kind_of_rule_is_handed_on_as_it_was() {
    let rules = [
        "-1 * 0.0.0.0/0 sgr-1",
        "icmp 8--1 198.51.100.0/24 sgr-2",
        "icmpv6 128--1 2001:db8:2::/48 sgr-3",
        "tcp 22-80 ::/0 sgr-4",
        "47 * 192.0.2.0/24 sgr-5",
        "tcp 22 pl-1 sgr-6",
    ];
    let mut rules: Vec<Rule> = rules.iter().map(|text| rule(text)).collect();
    rules[0].description = Some("for a \u{1f4a9} \"minute\"".to_owned());
    rules[1].tags.insert("Name".to_owned(), "vendor".to_owned());
    let list = Ok(vec!["198.51.100.0/24".parse().unwrap()]);
    let lists = [("pl-1".to_owned(), list)].into();
    let world = MemoryEc2::new([(place(), group(), rules.clone())], lists);
    let mut sweeping = settings(Remediation::Notify);
    sweeping.sweep_remediation = Remediation::RevertIngress;
    let ran = run_alone(&world, &sweeping, &sweep(), noon(), None);
    let Event::Close(close) = handed_on(&ran) else { panic!("to close") };
    let mut handed_on: Vec<Rule> = close.rules.into_iter().map(|one| one.rule).collect();
    handed_on.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(handed_on, rules);
}

#[test]
fn as_many_invocations_are_asked_for_as_the_rules_need() {
    let rule = |n: u32| {
        let mut rule = rule("tcp 22 198.51.100.0/24");
        rule.peer = format!("10.{}.{}.0/24", n / 250, n % 250).parse().unwrap();
        rule.description = Some("x".repeat(255));
        rule
    };
    let one = |n| crate::event::RuleToClose {
        account: place().account,
        region: place().region,
        group: SG.to_owned(),
        rule: rule(n),
        note: None,
        found_by: FoundBy::Sweep,
    };
    let all = crate::event::Close { record: None, rules: (0..1_000).map(one).collect() };
    let payloads = all.to_payloads();
    assert!(payloads.len() > 1);
    assert_eq!(payloads.iter().map(|(_, count)| count).sum::<usize>(), 1_000);
    let mut rules = Vec::new();
    for (payload, count) in &payloads {
        assert!(payload.to_string().len() < 256 * 1024);
        let Event::Close(part) = close(payload) else { panic!("to close") };
        assert_eq!(part.rules.len(), *count);
        rules.extend(part.rules);
    }
    assert_eq!(rules, all.rules);
}

#[test]
fn what_is_gone_by_then_is_told_as_gone() {
    for group_is_gone in [false, true] {
        let world = ec2(&[rule(FIRST)]);
        let close = handed_on(&run_alone(&world, &reverting(), &sweep(), noon(), None));
        let groups = match group_is_gone {
            false => vec![(place(), group(), Vec::new())],
            true => Vec::new(),
        };
        let world = MemoryEc2::new(groups, Lists::new());
        let ran = run_alone(&world, &reverting(), &close, noon(), None);
        assert_eq!(told(ran.report()), ["open-ssh already-gone tcp 22 from 198.51.100.0/24"]);
        // There is no group to put it back into.
        assert_eq!(only(ran.report()).remediation.undo.is_none(), group_is_gone);
    }
}

#[test]
fn what_is_held_by_then_is_left_alone() {
    let world = ec2(&[rule(FIRST)]);
    let close = handed_on(&run_alone(&world, &reverting(), &sweep(), noon(), None));
    let mut held = held(FIRST);
    held.tags.insert(UNTIL.to_owned(), "2026-11-02T13:00:00Z".to_owned());
    let world = ec2(&[held]);
    let ran = run_alone(&world, &reverting(), &close, noon(), None);
    assert_eq!(told(ran.report()), ["open-ssh held tcp 22 from 198.51.100.0/24"]);
    assert_eq!(ingress(&world).len(), 1);
}

#[test]
fn a_group_that_may_not_be_read_by_then_is_told_as_open() {
    let world = ec2(&[rule(FIRST)]);
    let close = handed_on(&run_alone(&world, &reverting(), &sweep(), noon(), None));
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| (call == "group").then(denied));
    let ran = run_alone(&staged, &reverting(), &close, noon(), None);
    assert_eq!(told(ran.report()), ["open-ssh failed tcp 22 from 198.51.100.0/24"]);
    assert_eq!(ran.handed_on.len(), 0);
}

/// What is told of a rule that the first try closed and nobody was told of, when what there was to
/// say of it is another by then.
fn told_again(close: &Event, settings: &Settings, world: &MemoryEc2) -> String {
    let ran = run_alone(world, settings, close, noon(), None);
    let finding = only(ran.report());
    assert!(finding.remediation.undo.is_some(), "{finding:#?}");
    assert!(!finding.remediation.detail.contains("Nothing was changed"), "{finding:#?}");
    told(ran.report()).remove(0)
}

#[test]
fn what_an_earlier_try_closed_is_told_whatever_holds_by_then() {
    // A hold that was too long when the rule was found, and is not by now.
    let mut long = rule(FIRST);
    long.tags.insert(UNTIL.to_owned(), "2026-11-03T12:10:00Z".to_owned());
    long.tags.insert(REASON.to_owned(), "vendor".to_owned());
    let close = handed_on(&run_alone(&ec2(&[long]), &reverting(), &sweep(), noon(), None));
    let later = noon() + TimeDelta::minutes(30);
    let ran = run_at(&ec2(&[]), &reverting(), &close, later, None);
    assert_eq!(told(ran.report()), ["open-ssh already-gone tcp 22 from 198.51.100.0/24"]);

    let close = handed_on(&run_alone(&ec2(&[rule(FIRST)]), &reverting(), &sweep(), noon(), None));
    // Nothing is reverted any more.
    let told = told_again(&close, &settings(Remediation::Notify), &ec2(&[]));
    assert_eq!(told, "open-ssh none tcp 22 from 198.51.100.0/24");
    // The list that says so cannot be read any more.
    let list = |entries| Lists::from([("pl-1".to_owned(), entries)]);
    let opened = vec![rule("tcp 22 pl-1 sgr-1")];
    let readable = list(Ok(vec!["198.51.100.0/24".parse().unwrap()]));
    let world = MemoryEc2::new([(place(), group(), opened)], readable);
    let close = handed_on(&run_alone(&world, &reverting(), &sweep(), noon(), None));
    let unreadable = list(Err("not allowed".to_owned()));
    let world = MemoryEc2::new([(place(), group(), Vec::new())], unreadable);
    assert_eq!(told_again(&close, &reverting(), &world), "unresolved-peer none tcp 22 from pl-1");
}

#[test]
fn what_is_open_beside_what_a_wide_list_admits_is_not_taken_for_told() {
    let list = Ok(vec!["0.0.0.0/1".parse().unwrap(), "128.0.0.0/1".parse().unwrap()]);
    let lists = [("pl-1".to_owned(), list)].into();
    let opened = vec![rule("tcp 22-23 pl-1 sgr-1")];
    let world = MemoryEc2::new([(place(), group(), opened)], lists);
    let mut settings = reverting();
    settings.sweep_remediation = Remediation::RevertIngress;
    let sources = parse_peers("pl-1").unwrap();
    settings.baseline = Baseline::load("standard", today()).unwrap().with_ssh_sources(sources);
    let unknown = event(ChangeKind::Unknown("it was cut short".to_owned()));
    let close = handed_on(&run_alone(&world, &settings, &unknown, noon(), None));
    let staged =
        Staged::new(&world, |call: &str, _: &MemoryEc2| call.starts_with("revoke").then(throttled));
    let ran = run_alone(&staged, &settings, &close, noon(), None);
    assert_eq!(ran.answer.as_ref().unwrap_err().kind(), "Ec2Unavailable");
    let ran = run_alone(&world, &settings, &close, noon(), None);
    assert_eq!(ran.report().findings[0].remediation.outcome, Outcome::Reverted);
}

#[test]
fn what_a_sweep_found_is_closed_as_the_sweep_is_set_by_then() {
    let close = handed_on(&run_alone(&ec2(&[rule(FIRST)]), &reverting(), &sweep(), noon(), None));
    let world = ec2(&[rule(FIRST)]);
    // Changes are reverted still.
    let ran = run_alone(&world, &settings(Remediation::RevertSsh), &close, noon(), None);
    assert_eq!(told(ran.report()), ["open-ssh none tcp 22 from 198.51.100.0/24"]);
    assert_eq!(ingress(&world).len(), 1);
}

#[test]
fn a_rule_of_a_group_that_is_out_of_scope_is_left_alone_unless_it_left() {
    let mut settings = reverting();
    settings.scope = Scope::Tag { key: "Role".to_owned(), value: "typo3".to_owned() };
    let close = handed_on(&run_alone(&ec2(&[rule(FIRST)]), &settings, &sweep(), noon(), None));
    let outside = || Group { tags: BTreeMap::new(), ..group() };
    let world = MemoryEc2::new([(place(), outside(), vec![rule(FIRST)])], Lists::new());
    let ran = run_alone(&world, &settings, &close, noon(), None);
    assert_eq!((told(ran.report()).len(), ingress(&world).len()), (0, 1));
    // What is gone may have been closed before, and is told.
    let world = MemoryEc2::new([(place(), outside(), Vec::new())], Lists::new());
    let ran = run_alone(&world, &settings, &close, noon(), None);
    assert_eq!(told(ran.report()), ["open-ssh already-gone tcp 22 from 198.51.100.0/24"]);
}

#[test]
fn an_end_of_a_hold_that_cannot_be_closed_is_told_while_it_is_news() {
    let world = ec2(&[held(FIRST)]);
    let denied = |call: &str, _: &MemoryEc2| {
        call.starts_with("revoke").then(|| Ec2Error::Denied {
            action: "RevokeSecurityGroupIngress",
            message: "not allowed".to_owned(),
        })
    };
    let staged = Staged::new(&world, denied);
    let holds = Event::Schedule(Box::new(Schedule { task: Task::Holds, ..Schedule::default() }));
    let mut messages = 0;
    for quarter in 0..8 {
        let now = noon() - TimeDelta::minutes(20) + TimeDelta::minutes(15 * quarter);
        messages += run_at(&staged, &reverting(), &holds, now, None).messages.len();
    }
    assert_eq!(messages, 2);
}

#[test]
fn an_end_of_a_hold_that_is_out_of_reach_by_then_is_told() {
    let holds = Event::Schedule(Box::new(Schedule { task: Task::Holds, ..Schedule::default() }));
    let world = ec2(&[held(FIRST)]);
    let Event::Close(mut close) = handed_on(&run_alone(&world, &reverting(), &holds, noon(), None))
    else {
        panic!("to close")
    };
    close.rules[0].account = Some("210987654321".to_owned());
    let ran = run_alone(&world, &reverting(), &Event::Close(close), noon(), None);
    assert_eq!(told(ran.report()), ["unaudited-change none"]);
    assert_eq!(ran.messages.len(), 1);
}

#[test]
fn a_rule_that_is_named_twice_is_closed_once() {
    let Event::Close(mut close) =
        handed_on(&run_alone(&ec2(&[rule(FIRST)]), &reverting(), &sweep(), noon(), None))
    else {
        panic!("to close")
    };
    close.rules.push(close.rules[0].clone());
    let [(payload, _)] = &close.to_payloads()[..] else { panic!("one payload") };
    let Event::Close(read) = self::close(payload) else { panic!("to close") };
    assert_eq!(read.rules.len(), 1);
}

#[test]
fn a_change_that_says_what_it_opened_is_told_by_itself() {
    let world = ec2(&[rule(FIRST), rule(SECOND)]);
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        call.starts_with("revoke tcp 22 from 192.0.2.0/24").then(throttled)
    });
    let change = event(ChangeKind::Authorized(vec![rule(FIRST), rule(SECOND)]));
    let ran = run_alone(&staged, &reverting(), &change, noon(), None);
    assert_eq!((ran.answer.is_err(), ran.messages.len(), ran.handed_on.len()), (true, 0, 0));
    let again = run_alone(&world, &reverting(), &change, noon(), None);
    assert_eq!(
        told(again.report()),
        [
            "open-ssh already-gone tcp 22 from 198.51.100.0/24",
            "open-ssh reverted tcp 22 from 192.0.2.0/24"
        ]
    );
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
    let world = ec2(&[rule(FIRST)]);
    let close = handed_on(&run_alone(&world, &reverting(), &sweep(), noon(), None));
    let ran = run_alone(&answer_lost(&world, || None), &reverting(), &close, noon(), None);
    assert_eq!(told(ran.report()), ["open-ssh reverted tcp 22 from 198.51.100.0/24"]);
}

#[test]
fn a_revert_of_which_nothing_is_known_is_asked_for_again_and_told() {
    let world = ec2(&[rule(FIRST)]);
    let close = handed_on(&run_alone(&world, &reverting(), &sweep(), noon(), None));
    let lost = answer_lost(&world, || Some(throttled()));
    let ran = run_alone(&lost, &reverting(), &close, noon(), None);
    assert_eq!(ran.answer.as_ref().unwrap_err().kind(), "Ec2Unavailable");
    let ran = run_alone(&world, &reverting(), &close, noon(), None);
    assert_eq!(told(ran.report()), ["open-ssh already-gone tcp 22 from 198.51.100.0/24"]);
}

#[test]
fn what_is_to_be_closed_and_not_understood_has_its_groups_audited() {
    let rule = json!({
        "account": null, "region": null, "group": SG, "id": null, "protocol": "tcp",
        "from_port": 22, "to_port": 22, "peer": "0.0.0.0/0", "description": null, "tags": {},
        "note": null, "found_by": "sweep",
    });
    let with = |name: &str, value: Value| {
        let mut rule = rule.clone();
        rule[name] = value;
        json!({ "close": { "change": null, "rules": [rule] } })
    };
    for payload in [
        with("peer", json!("everybody")),
        with("from_port", json!(90_000)),
        with("found_by", json!("x")),
    ] {
        let [Event::Change(change)] = &decode(payload.to_string().as_bytes())[..] else {
            panic!("{payload}")
        };
        assert_eq!(change.group, GroupKey::Id(SG.to_owned()));
        let ChangeKind::Unknown(reason) = &change.kind else { panic!("{change:?}") };
        assert!(reason.starts_with("what is to be closed is not understood: "), "{reason}");
    }
    for payload in
        [json!({ "close": {} }), json!({ "close": { "rules": [] } }), with("group", json!("--all"))]
    {
        let events = decode(payload.to_string().as_bytes());
        assert!(matches!(&events[..], [Event::Undecodable { .. }]), "{events:?}");
    }
}
