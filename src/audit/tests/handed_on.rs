//! Every rule that is removed is reported, wherever an audit breaks off. An audit that finds rules
//! which no event names hands them on, and changes nothing itself.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::event::{Close, FoundBy, RuleToClose, TagAction, TagChange};

const FIRST: &str = "tcp 22 198.51.100.0/24 sgr-1";
const SECOND: &str = "tcp 22 192.0.2.0/24 sgr-2";

fn reverting() -> Settings {
    Settings { sweep_remediation: Remediation::RevertSsh, ..settings(Remediation::RevertSsh) }
}

/// The rule with a hold that ended half an hour ago.
fn no_longer_held(text: &str) -> Rule {
    held_until(text, "2026-11-02T11:30:00Z")
}

/// Two groups with a rule each.
fn two_groups(first: (&str, &str), second: (&str, &str)) -> MemoryEc2 {
    let groups = [first, second];
    let groups =
        groups.map(|(of, text)| (place(), Group { id: id(of), ..group() }, vec![rule(text)]));
    MemoryEc2::new(groups, Lists::new())
}

/// Events that lead to rules which they do not name.
fn finders() -> [Event; 4] {
    [sweep(), check_of_holds(), cut_short(), untagged(&[SG])]
}

/// The groups lost their tag.
fn untagged(groups: &[&str]) -> Event {
    Event {
        record: Record { event_name: Some("DeleteTags".to_owned()), ..record() },
        kind: Kind::Tags(TagChange {
            groups: groups.iter().map(|group| id(group)).collect(),
            tags: BTreeMap::from([("Role".to_owned(), TagAction::Deleted(None))]),
            all_deleted: false,
        }),
        depth: 0,
    }
}

/// Settings under which an event leads to these rules.
fn settings_for(event: &Event) -> Settings {
    let mut settings = reverting();
    if let Kind::Tags(_) = event.kind {
        settings.scope = role_scope();
    }
    settings
}

/// The only event that was handed on.
fn handed_on(ran: &Ran) -> Event {
    let [payload] = &ran.handed_on[..] else { panic!("{:?}", ran.handed_on) };
    decoded(payload)
}

fn close_of(event: &Event) -> &Close {
    let Kind::Job(Job::Close(close)) = &event.kind else { panic!("{event:?}") };
    close
}

/// What a sweep hands on to be closed.
fn found_by_sweep(ec2: &MemoryEc2) -> Event {
    handed_on(&run_alone(ec2, &reverting(), &sweep(), noon(), None))
}

/// The published findings about rules in short form: outcome and peer.
fn published(ran: &Ran) -> Vec<String> {
    ran.messages
        .iter()
        .flat_map(|message| report_in(message)["findings"].as_array().unwrap().clone())
        .filter(|finding| finding["rule"].is_object())
        .map(|finding| {
            let outcome = finding["remediation"]["outcome"].as_str().unwrap();
            format!("{outcome} {}", finding["rule"]["peer"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn an_audit_that_finds_rules_which_no_event_names_closes_nothing() {
    for event in finders() {
        let world = ec2(&[no_longer_held(FIRST), no_longer_held(SECOND)]);
        let found = run_alone(&world, &settings_for(&event), &event, noon(), None);
        assert_eq!(ingress(&world).len(), 2, "{event:?}");
        assert_eq!(published(&found), [] as [&str; 0], "{event:?}");
        // They are not reported yet, but the report is not compliant.
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
fn a_rule_that_was_closed_and_not_reported_is_reported_by_the_next_try() {
    for event in finders() {
        let world = ec2(&[no_longer_held(FIRST)]);
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
fn a_closed_rule_is_reported_with_the_change_behind_it_and_the_same_id() {
    let mut event = cut_short();
    event.record.shared_event_id = Some("shared".to_owned());
    event.record.actor = Some("arn:aws:iam::123456789012:user/op".to_owned());
    let world = ec2(&rules(&[FIRST]));
    let reported = run_alone(&world, &settings(Remediation::Notify), &event, noon(), None);
    let close = handed_on(&run_alone(&world, &reverting(), &event, noon(), None));
    let closed = run_alone(&world, &reverting(), &close, noon(), None);
    let (before, after) = (&reported.report().findings[0], only(closed.report()));
    assert_eq!((&before.id, &before.change), (&after.id, &after.change));
    assert!(closed.detail().contains("it was cut short"), "{}", closed.detail());
    // There is no call behind a sweep.
    let world = ec2(&rules(&[FIRST]));
    let close = found_by_sweep(&world);
    assert_eq!(only(run_alone(&world, &reverting(), &close, noon(), None).report()).change, None);
}

#[test]
fn the_record_of_a_change_is_handed_on_unchanged() {
    for time in ["2026-11-02T11:59:19Z", "2026-11-02T11:59:19.123456789Z", "9999-12-31T23:59:59Z"] {
        let mut event = cut_short();
        event.record.time = Some(at(time));
        event.record.user_agent = Some("an \"agent\"\u{1b}[31m".to_owned());
        let ran = run_alone(&ec2(&rules(&[FIRST])), &reverting(), &event, noon(), None);
        assert_eq!(handed_on(&ran).record, event.record);
    }
}

#[test]
fn a_group_that_left_the_scope_is_closed_once_more() {
    let group = Group { tags: Some(BTreeMap::new()), ..group() };
    let world = MemoryEc2::new([(place(), group, rules(&[FIRST]))], Lists::new());
    let event = untagged(&[SG]);
    let ran = run_at(&world, &settings_for(&event), &event, noon(), None);
    assert_eq!(
        brief(ran.report()),
        ["open-ssh reverted tcp 22 from 198.51.100.0/24", "left-scope none"]
    );
}

#[test]
fn a_rule_that_cannot_be_closed_for_now_is_handed_on_and_the_others_are_reported_once() {
    let world = ec2(&rules(&[FIRST, SECOND]));
    let close_both = found_by_sweep(&world);
    let throttling = hooked(&world, |call| revokes(call, "192.0.2.0/24").then(throttled));
    let first = run_alone(&throttling, &reverting(), &close_both, noon(), None);
    assert_eq!(published(&first), ["reverted 198.51.100.0/24"]);
    assert!(first.report().partial);
    let close_one = handed_on(&first);
    // With nothing to report, Lambda tries again, and waits before it does.
    let second = run_alone(&throttling, &reverting(), &close_one, noon(), None);
    assert_eq!(second.error_kind(), "Ec2Unavailable");
    assert_eq!((second.messages.len(), second.handed_on.len()), (0, 0));
    let third = run_alone(&world, &reverting(), &close_one, noon(), None);
    assert_eq!(published(&third), ["reverted 192.0.2.0/24"]);
}

#[test]
fn one_group_that_cannot_be_closed_for_now_does_not_keep_the_others_open() {
    for event in [sweep(), untagged(&["sg-0b", SG])] {
        let world = two_groups(("sg-0b", SECOND), (SG, FIRST));
        let settings = settings_for(&event);
        let close = handed_on(&run_alone(&world, &settings, &event, noon(), None));
        let throttling = hooked(&world, |call| revokes(call, "192.0.2.0/24").then(throttled));
        let ran = run_alone(&throttling, &settings, &close, noon(), None);
        assert_eq!(published(&ran), ["reverted 198.51.100.0/24"]);
        assert_eq!(close_of(&handed_on(&ran)).rules.len(), 1);
    }
}

#[test]
fn rules_found_before_a_group_that_cannot_be_read_for_now_are_closed() {
    let world = two_groups((SG, FIRST), ("sg-0b", SECOND));
    let event = untagged(&[SG, "sg-0b"]);
    let mut reads = 0;
    let throttling = hooked(&world, |call| {
        reads += usize::from(matches!(call, Call::Group(_)));
        (reads == 2).then(throttled)
    });
    let ran = run_alone(&throttling, &settings_for(&event), &event, noon(), None);
    assert_eq!(ran.error_kind(), "Ec2Unavailable");
    assert_eq!(close_of(&handed_on(&ran)).rules.len(), 1);
}

#[test]
fn rules_that_there_is_no_time_for_are_handed_on() {
    let world = two_groups(("sg-0b", SECOND), (SG, FIRST));
    let close = found_by_sweep(&world);
    let first = run_alone(&world, &reverting(), &close, noon(), Some(5));
    assert_eq!((published(&first).len(), first.report().partial), (1, true));
    let second = run_alone(&world, &reverting(), &handed_on(&first), noon(), Some(5));
    assert_eq!((published(&second).len(), second.handed_on.len()), (1, 0));
    assert_eq!(ingress(&world), [] as [&str; 0]);
}

#[test]
fn groups_that_ec2_does_not_answer_for_do_not_take_all_the_time() {
    let groups =
        (0..8).map(|number| (place(), Group { id: numbered(number), ..group() }, rules(&[FIRST])));
    let world = MemoryEc2::new(groups, Lists::new());
    let close = found_by_sweep(&world);
    let now = Cell::new(noon());
    let slow = hooked(&world, |call| {
        matches!(call, Call::Group(_)).then(|| {
            now.set(now.get() + TimeDelta::seconds(15));
            throttled()
        })
    });
    let (notifier, home, settings) = (MemoryNotifier::default(), place(), reverting());
    let auditor = Auditor::new(&slow, &notifier, &notifier, &settings, &home);
    let deadline = noon() + TimeDelta::seconds(120);
    let answer = block_on(auditor.audit(&close, &|| now.get(), Some(deadline)));
    assert_eq!(answer.unwrap_err().kind(), "Ec2Unavailable");
    assert!(now.get() < deadline, "Lambda has stopped it before it could say why");
}

/// Lambda takes nothing: for now, or for good.
struct Refuses {
    is_transient: bool,
}

impl Invoker for Refuses {
    async fn invoke(&self, _: &Value) -> Result<(), InvokeError> {
        let why = if self.is_transient { "TooManyRequestsException" } else { "AccessDenied" };
        Err(InvokeError { cause: cause(why), is_transient: self.is_transient })
    }
}

/// What is answered and published about an event where Lambda takes nothing.
fn refused(world: &MemoryEc2, event: &Event, is_transient: bool) -> Ran {
    let (notifier, home, settings) = (MemoryNotifier::default(), place(), settings_for(event));
    let lambda = Refuses { is_transient };
    let auditor = Auditor::new(world, &notifier, &lambda, &settings, &home);
    let answer = block_on(auditor.audit(event, &noon, None));
    Ran { answer, messages: notifier.take(), handed_on: Vec::new() }
}

#[test]
fn rules_that_lambda_takes_for_good_no_more_are_reported_as_open_once() {
    for event in finders() {
        let world = ec2(&[no_longer_held(FIRST)]);
        let ran = refused(&world, &event, false);
        // No try after this one, which would publish the same again.
        assert!(ran.answer.is_ok(), "{event:?}");
        assert_eq!(published(&ran), ["failed 198.51.100.0/24"], "{event:?}");
        let published = ran.published();
        let findings = published["findings"].as_array().unwrap();
        let open = findings.iter().find(|finding| finding["rule"].is_object()).unwrap();
        let of_place = (open["account"].as_str(), open["region"].as_str());
        assert_eq!(of_place, (Some("123456789012"), Some("eu-central-1")));
        let detail = open["remediation"]["detail"].as_str().unwrap();
        assert!(detail.starts_with("Nothing was changed: "), "{detail}");
        assert!(detail.contains("AccessDenied; the next sweep looks there again"), "{detail}");
        assert_eq!(ingress(&world).len(), 1);
    }
}

#[test]
fn a_message_that_the_rest_was_not_handed_on_says_that_not_everything_was_audited() {
    let world = two_groups((SG, FIRST), ("sg-0b", SECOND)).with_groups_a_page(1);
    let (notifier, home, settings) =
        (MemoryNotifier::default(), place(), settings(Remediation::Notify));
    let lambda = Refuses { is_transient: false };
    let auditor = Auditor::new(&world, &notifier, &lambda, &settings, &home);
    block_on(auditor.audit(&sweep(), &noon, Some(noon()))).unwrap();
    let reports: Vec<Value> = notifier.take().iter().map(report_in).collect();
    let told = |report: &Value| (report["findings"][0]["code"].clone(), report["partial"].clone());
    let told: Vec<_> = reports.iter().map(told).collect();
    let expected = ["open-ssh", "unaudited-change"].map(|code| (json!(code), json!(true)));
    assert_eq!(told, expected);
}

#[test]
fn rules_that_lambda_does_not_take_for_now_are_tried_again_before_anything_is_published() {
    for event in finders() {
        let world = ec2(&[no_longer_held(FIRST)]);
        let ran = refused(&world, &event, true);
        assert_eq!((ran.error_kind(), ran.messages.len()), ("NotHandedOn", 0), "{event:?}");
        assert_eq!(ingress(&world).len(), 1);
        // The next try finds all of it again.
        let again = run_alone(&world, &settings_for(&event), &event, noon(), None);
        assert_eq!(close_of(&handed_on(&again)).rules.len(), 1, "{event:?}");
    }
}

#[test]
fn every_kind_of_rule_is_handed_on_unchanged() {
    let mut rules = rules(&[
        "-1 * 0.0.0.0/0 sgr-1",
        "icmp 8--1 198.51.100.0/24 sgr-2",
        "icmpv6 128--1 2001:db8:2::/48 sgr-3",
        "tcp 22-80 ::/0 sgr-4",
        "47 * 192.0.2.0/24 sgr-5",
        "tcp 22 pl-1 sgr-6",
    ]);
    let description = "for a \u{1f4a9} \"minute\"".to_owned();
    rules[0] = rules[0].clone().with_description(Some(description));
    rules[1] = rules[1].clone().with_tags([("Name".to_owned(), "vendor".to_owned())].into());
    let world = ec2_with_lists(&rules, list("pl-1", &["198.51.100.0/24"]));
    let mut sweeping = settings(Remediation::Notify);
    sweeping.sweep_remediation = Remediation::RevertIngress;
    let ran = run_alone(&world, &sweeping, &sweep(), noon(), None);
    let close = handed_on(&ran);
    let mut handed_on: Vec<Rule> =
        close_of(&close).rules.iter().map(|one| one.rule.clone()).collect();
    handed_on.sort_by(|a, b| a.id().cmp(&b.id()));
    assert_eq!(handed_on, rules);
}

#[test]
fn many_rules_are_handed_on_in_as_many_invocations_as_they_need() {
    let rule = |n: u32| {
        let rule = rule(&format!("tcp 22 10.{}.{}.0/24", n / 250, n % 250));
        rule.with_description(Some("x".repeat(255)))
    };
    let one = |n| RuleToClose {
        place: place(),
        group: id(SG),
        rule: rule(n),
        note: None,
        found_by: FoundBy::Sweep,
        promise: None,
        claim: None,
    };
    let all = Close { rules: (0..1_000).map(one).collect(), occasion: None };
    let payloads = Job::Close(all.clone()).to_payloads(&Record::default(), 1);
    assert!(payloads.len() > 1);
    assert_eq!(payloads.iter().map(|(_, count)| count).sum::<usize>(), 1_000);
    let mut rules = Vec::new();
    for (payload, count) in &payloads {
        assert!(payload.to_string().len() < 256 * 1024);
        let part = decoded(payload);
        assert_eq!(close_of(&part).rules.len(), *count);
        rules.extend(close_of(&part).rules.clone());
    }
    assert_eq!(rules, all.rules);
}

#[test]
fn a_rule_that_is_gone_when_it_is_to_be_closed_is_reported_as_gone() {
    for group_is_gone in [false, true] {
        let close = found_by_sweep(&ec2(&rules(&[FIRST])));
        let world = if group_is_gone { MemoryEc2::default() } else { ec2(&[]) };
        let ran = run_alone(&world, &reverting(), &close, noon(), None);
        assert_eq!(brief(ran.report()), ["open-ssh already-gone tcp 22 from 198.51.100.0/24"]);
        // A rule cannot be put back into a group that does not exist.
        assert_eq!(only(ran.report()).undo.is_none(), group_is_gone);
    }
}

#[test]
fn nothing_is_missing_from_a_group_that_is_gone_when_its_rule_is_to_be_closed() {
    let close = found_by_sweep(&ec2(&rules(&["tcp 0-65535 0.0.0.0/0 sgr-1"])));
    let ran = run_alone(&MemoryEc2::default(), &reverting(), &close, noon(), None);
    let finding = only(ran.report());
    assert_eq!((&finding.complete, &finding.undo), (&None, &None));
    assert_eq!(finding.found_rule().unwrap().missing, []);
}

#[test]
fn a_rule_that_is_held_when_it_is_to_be_closed_is_left_alone() {
    let close = found_by_sweep(&ec2(&rules(&[FIRST])));
    let world = ec2(&[held_until(FIRST, "2026-11-02T13:00:00Z")]);
    let ran = run_alone(&world, &reverting(), &close, noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh held tcp 22 from 198.51.100.0/24"]);
    assert_eq!(ingress(&world).len(), 1);
}

#[test]
fn a_group_that_may_not_be_read_when_it_is_to_be_closed_is_reported_as_open() {
    let world = ec2(&rules(&[FIRST]));
    let close = found_by_sweep(&world);
    let refusing = hooked(&world, |call| matches!(call, Call::Group(_)).then(denied));
    let ran = run_alone(&refusing, &reverting(), &close, noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh failed tcp 22 from 198.51.100.0/24"]);
    assert_eq!(ran.handed_on.len(), 0);
}

/// What is reported of a rule that a first try closed and could not report, under circumstances that
/// have changed since.
fn reported_again(close: &Event, settings: &Settings, world: &MemoryEc2) -> String {
    let ran = run_alone(world, settings, close, noon(), None);
    assert!(only(ran.report()).undo.is_some(), "{:#?}", ran.report());
    assert!(found(ran.report()).presence.is_gone(), "{:#?}", ran.report());
    assert!(!ran.detail().contains("Nothing was changed"), "{}", ran.detail());
    brief(ran.report()).remove(0)
}

#[test]
fn a_rule_that_an_earlier_try_closed_is_reported_whatever_has_changed_since() {
    // Its hold was too long when the rule was found, and is not any more.
    let close = found_by_sweep(&ec2(&[held_until(FIRST, "2026-11-03T12:10:00Z")]));
    let later = noon() + TimeDelta::minutes(30);
    let ran = run_at(&ec2(&[]), &reverting(), &close, later, None);
    assert_eq!(brief(ran.report()), ["open-ssh already-gone tcp 22 from 198.51.100.0/24"]);

    // Nothing is reverted any more.
    let close = found_by_sweep(&ec2(&rules(&[FIRST])));
    let reported = reported_again(&close, &settings(Remediation::Notify), &ec2(&[]));
    assert_eq!(reported, "open-ssh none tcp 22 from 198.51.100.0/24");

    // The list that decides cannot be read any more.
    let opened = rules(&["tcp 22 pl-1 sgr-1"]);
    let close = found_by_sweep(&ec2_with_lists(&opened, list("pl-1", &["198.51.100.0/24"])));
    let world = ec2_with_lists(&[], unreadable_list("pl-1"));
    let reported = reported_again(&close, &reverting(), &world);
    assert_eq!(reported, "unresolved-peer none tcp 22 from pl-1");
}

#[test]
fn a_finding_about_a_wide_list_does_not_count_as_the_report_on_the_rule() {
    let lists = list("pl-1", &["0.0.0.0/1", "128.0.0.0/1"]);
    let world = ec2_with_lists(&rules(&["tcp 22-23 pl-1 sgr-1"]), lists);
    let mut settings = with_sources(reverting(), "pl-1");
    settings.sweep_remediation = Remediation::RevertIngress;
    let close = handed_on(&run_alone(&world, &settings, &cut_short(), noon(), None));
    let throttling = hooked(&world, |call| is_revoke(call).then(throttled));
    let ran = run_alone(&throttling, &settings, &close, noon(), None);
    assert_eq!(ran.error_kind(), "Ec2Unavailable");
    let ran = run_alone(&world, &settings, &close, noon(), None);
    assert_eq!(ran.report().findings[0].outcome(), Outcome::Reverted);
}

#[test]
fn a_rule_that_is_gone_is_not_called_wide_because_of_a_list_that_has_grown_since() {
    let world =
        |texts: &[&str], entries: &[&str]| ec2_with_lists(&rules(texts), list("pl-1", entries));
    let found = world(&["tcp 22 pl-1 sgr-1"], &["198.51.100.0/24"]);
    let close = handed_on(&run_alone(&found, &reverting(), &cut_short(), noon(), None));
    let settings = with_sources(reverting(), "pl-1");
    let told = |texts: &[&str]| {
        let world = world(texts, &["0.0.0.0/1", "128.0.0.0/1"]);
        let report = run_alone(&world, &settings, &close, noon(), None);
        let findings = report.report().findings.iter();
        findings.filter(|finding| finding.code == Code::OpenSshInBaseline).count()
    };
    assert_eq!((told(&["tcp 22 pl-1 sgr-1"]), told(&[])), (1, 0));
}

#[test]
fn rules_that_are_left_in_another_region_are_reported_there() {
    let there = Place { region: Some(id("eu-west-1")), ..place() };
    let groups = [(SG, FIRST), ("sg-0b", SECOND)];
    let groups =
        groups.map(|(of, text)| (there.clone(), Group { id: id(of), ..group() }, rules(&[text])));
    let world = MemoryEc2::new(groups, Lists::new());
    let swept = Sweep { regions: vec![id("eu-west-1")], ..Sweep::default() };
    let swept = message(Job::Sweep(swept));
    let close = handed_on(&run_alone(&world, &reverting(), &swept, noon(), None));
    // So many invocations came before that there is no other one.
    let last = Event { depth: 1_000, ..close };
    let ran = run_alone(&world, &reverting(), &last, noon(), Some(5));
    let left = with_code(ran.report(), Code::UnauditedChange);
    assert_eq!(left.place, there);
}

#[test]
fn rules_that_a_sweep_found_are_closed_under_the_settings_of_the_closing_invocation() {
    let close = found_by_sweep(&ec2(&rules(&[FIRST])));
    let world = ec2(&rules(&[FIRST]));
    // Reverts are still on for changes, but not for the sweep.
    let ran = run_alone(&world, &settings(Remediation::RevertSsh), &close, noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh none tcp 22 from 198.51.100.0/24"]);
    assert_eq!(ingress(&world).len(), 1);
}

#[test]
fn a_rule_of_a_group_that_is_out_of_scope_by_then_is_left_alone_but_reported_if_gone() {
    let settings = Settings { scope: role_scope(), ..reverting() };
    let found = run_alone(&ec2(&rules(&[FIRST])), &settings, &sweep(), noon(), None);
    let close = handed_on(&found);
    let outside = |texts: &[&str]| {
        let group = Group { tags: Some(BTreeMap::new()), ..group() };
        MemoryEc2::new([(place(), group, rules(texts))], Lists::new())
    };
    let world = outside(&[FIRST]);
    let ran = run_alone(&world, &settings, &close, noon(), None);
    assert_eq!((ran.report().findings.len(), ingress(&world).len()), (0, 1));
    // An earlier try may have closed a rule that is gone, so it is reported.
    let ran = run_alone(&outside(&[]), &settings, &close, noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh already-gone tcp 22 from 198.51.100.0/24"]);
}

#[test]
fn the_end_of_a_hold_that_cannot_be_closed_is_reported_twice() {
    let world = ec2(&[no_longer_held(FIRST)]);
    let refusing = hooked(&world, |call| is_revoke(call).then(denied));
    let mut messages = 0;
    for quarter in 0..8 {
        let now = noon() - TimeDelta::minutes(20) + TimeDelta::minutes(15 * quarter);
        messages += run_at(&refusing, &reverting(), &check_of_holds(), now, None).messages.len();
    }
    assert_eq!(messages, 2);
}

#[test]
fn the_end_of_a_hold_in_an_account_out_of_reach_is_reported() {
    let world = ec2(&[no_longer_held(FIRST)]);
    let found = run_alone(&world, &reverting(), &check_of_holds(), noon(), None);
    let mut close = close_of(&handed_on(&found)).clone();
    close.rules[0].place.account = Some(id("210987654321"));
    let close = message(Job::Close(close));
    let ran = run_alone(&world, &reverting(), &close, noon(), None);
    assert_eq!(brief(ran.report()), ["unaudited-change none"]);
    assert_eq!(ran.messages.len(), 1);
}

#[test]
fn a_rule_that_a_message_names_twice_is_closed_once() {
    let mut close = close_of(&found_by_sweep(&ec2(&rules(&[FIRST])))).clone();
    close.rules.push(close.rules[0].clone());
    let payloads = Job::Close(close).to_payloads(&Record::default(), 1);
    let [(payload, _)] = &payloads[..] else { panic!("one payload") };
    assert_eq!(close_of(&decoded(payload)).rules.len(), 1);
}

#[test]
fn a_change_that_names_the_rules_it_opened_is_not_handed_on() {
    let world = ec2(&rules(&[FIRST, SECOND]));
    let throttling = hooked(&world, |call| revokes(call, "192.0.2.0/24").then(throttled));
    let change = authorized(&[FIRST, SECOND]);
    let ran = run_alone(&throttling, &reverting(), &change, noon(), None);
    assert_eq!((ran.answer.is_err(), ran.messages.len(), ran.handed_on.len()), (true, 0, 0));
    let again = run_alone(&world, &reverting(), &change, noon(), None);
    assert_eq!(
        brief(again.report()),
        [
            "open-ssh reverted tcp 22 from 192.0.2.0/24",
            "open-ssh already-gone tcp 22 from 198.51.100.0/24"
        ]
    );
}

/// Revokes are carried out and their answers are lost. From then on, reads of rules answer `read`.
struct AnswerLost {
    read: fn() -> Option<Ec2Error>,
    lost: Cell<bool>,
}

impl Hook for AnswerLost {
    async fn before(&self, call: Call<'_>) -> Result<(), Ec2Error> {
        match call {
            Call::Rules(_) if self.lost.get() => (self.read)().map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }

    async fn after(&self, call: Call<'_>, _: bool) -> Result<(), Ec2Error> {
        if is_revoke(call) {
            self.lost.set(true);
            return Err(throttled());
        }
        Ok(())
    }
}

fn answer_lost(ec2: &MemoryEc2, read: fn() -> Option<Ec2Error>) -> Hooked<&MemoryEc2, AnswerLost> {
    Hooked { ec2, hook: AnswerLost { read, lost: Cell::new(false) } }
}

#[test]
fn a_revert_whose_answer_was_lost_is_reported_if_the_rule_is_no_longer_read() {
    let world = ec2(&rules(&[FIRST]));
    let close = found_by_sweep(&world);
    let ran = run_alone(&answer_lost(&world, || None), &reverting(), &close, noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh reverted tcp 22 from 198.51.100.0/24"]);
}

#[test]
fn a_revert_that_may_or_may_not_have_happened_is_tried_again_and_reported() {
    let world = ec2(&rules(&[FIRST]));
    let close = found_by_sweep(&world);
    let lost = answer_lost(&world, || Some(throttled()));
    let ran = run_alone(&lost, &reverting(), &close, noon(), None);
    assert_eq!(ran.error_kind(), "Ec2Unavailable");
    let ran = run_alone(&world, &reverting(), &close, noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh already-gone tcp 22 from 198.51.100.0/24"]);
}

/// EC2 has a rule that the first read did not show. Its revoke is carried out, and the answer is lost.
struct UnreadAndLost<'a> {
    ec2: &'a MemoryEc2,
    unread: &'a [&'a str],
}

impl Hook for UnreadAndLost<'_> {
    async fn before(&self, call: Call<'_>) -> Result<(), Ec2Error> {
        if is_revoke(call) {
            let opened = ChangeKind::Authorized(rules(self.unread));
            self.ec2.follow(&place(), &change(opened));
        }
        Ok(())
    }

    async fn after(&self, call: Call<'_>, _: bool) -> Result<(), Ec2Error> {
        if is_revoke(call) { Err(throttled()) } else { Ok(()) }
    }
}

#[test]
fn a_lost_answer_to_the_revoke_of_a_rule_that_was_not_read_adds_nothing() {
    // The baseline admits a part of it, which a revert puts in its place.
    const WIDE: &str = "tcp 22-80 0.0.0.0/0 sgr-1";
    let event = authorized(&[WIDE]);
    for unread in [&[WIDE][..], &[]] {
        let world = ec2(&[]);
        let lost = Hooked { ec2: &world, hook: UnreadAndLost { ec2: &world, unread } };
        let ran = run_alone(&lost, &reverting(), &event, noon(), None);
        assert_eq!((ran.error_kind(), ran.messages.len()), ("Ec2Unavailable", 0));
        assert_eq!(ingress(&world), [] as [&str; 0]);
        // Nobody can tell who removed the rule, so the next try adds nothing either, and says so.
        let again = run_alone(&world, &reverting(), &event, noon(), None);
        assert_eq!(brief(again.report()), ["open-ssh already-gone tcp 22-80 from 0.0.0.0/0"]);
        let found = found(again.report());
        let Action::AlreadyGone { seen: false, added } = &found.action else {
            panic!("{found:#?}")
        };
        assert_eq!(texts(added), [] as [&str; 0]);
        assert_eq!(texts(&found.missing), ["tcp 80 from 0.0.0.0/0", "tcp 22 from 203.0.113.0/24"]);
        assert_eq!(ingress(&world), [] as [&str; 0]);
    }
}

#[test]
fn a_close_message_that_is_not_understood_has_its_groups_audited() {
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
        let event = decoded(&payload);
        let Kind::Change(GroupChange { group, kind: ChangeKind::Unknown(reason), .. }) =
            &event.kind
        else {
            panic!("{event:?}")
        };
        assert_eq!(*group, GroupKey::Id(id(SG)));
        let expected = "the message of an earlier invocation is not understood: ";
        assert!(reason.starts_with(expected), "{reason}");
    }
    for payload in
        [json!({ "close": {} }), json!({ "close": { "rules": [] } }), with("group", json!("--all"))]
    {
        assert!(matches!(decoded(&payload).kind, Kind::Undecodable { .. }), "{payload}");
    }
}

/// A schedule's event has an id and a time.
#[test]
fn there_is_no_change_behind_what_a_schedule_asked_for() {
    for asked in [Job::Sweep(Sweep::default()), Job::Holds(Sweep::default())] {
        let world = ec2(&[no_longer_held(FIRST)]);
        let event = Event::new(record(), Kind::Job(asked));
        let report = run(&world, &reverting(), &event).unwrap();
        assert_eq!((only(&report).outcome(), &only(&report).change), (Outcome::Reverted, &None));
    }
}
