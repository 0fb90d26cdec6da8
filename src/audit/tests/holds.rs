//! Holds: a rule that announces its own end is left alone until then, and no longer.

use super::*;
use crate::ec2::Region;
use crate::ec2::hold::{Hold, REASON, Refusal, UNTIL};
use crate::event::Resume;
use crate::finding::AfterHold;

const OPEN: &str = "tcp 22 0.0.0.0/0 sgr-1";

fn tagged(text: &str, until: &str, reason: &str) -> Rule {
    let tags = [(UNTIL, until), (REASON, reason)];
    rule(text).with_tags(tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into())
}

fn hold() -> Hold {
    Hold { until: at("2026-11-02T20:00:00Z"), reason: "vendor, ticket 4711".to_owned() }
}

fn held() -> Rule {
    tagged(OPEN, "2026-11-02T20:00:00Z", "vendor, ticket 4711")
}

fn authorized(rule: Rule) -> Event {
    event(ChangeKind::Authorized(vec![rule]))
}

/// A check of holds ten minutes after the end of the hold.
fn after_the_hold(ec2: &impl SecurityGroups, settings: &Settings) -> Ran {
    run_at(ec2, settings, &check_of_holds(), at("2026-11-02T20:10:00Z"), None)
}

#[test]
fn a_held_rule_is_reported_and_left_alone() {
    let world = ec2(&[held()]);
    let settings = settings(Remediation::RevertSsh);
    let ran = run_at(&world, &settings, &authorized(held()), noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh held tcp 22 from 0.0.0.0/0"]);
    assert_eq!(ran.report().outcome, ReportOutcome::Noncompliant);
    let Action::Held { hold: held, then, seen } = &found(ran.report()).action else {
        panic!("{:#?}", ran.report())
    };
    assert_eq!((held, *then, *seen), (&hold(), AfterHold::Closed, true));
    assert!(ran.detail().contains("until 2026-11-02 20:00 UTC"), "{}", ran.detail());
    let published = ran.published();
    assert_eq!(published["findings"][0]["remediation"]["hold"]["reason"], "vendor, ticket 4711");
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn tags_that_are_not_a_hold_are_reverted_and_explained() {
    let no_more =
        "The request to keep it open until 2026-11-04 12:00 UTC was refused: the limit is 24 hours";
    let not_a_time = "its tag sg-audit:allow-until is `tomorrow`, which is not a time such as \
                      2027-01-31T18:00:00Z";
    let over = "It was held open until 2026-11-02 11:59 UTC (\"vendor\"), and that is over.";
    for (rule, why) in [
        (tagged(OPEN, "2026-11-04T12:00:00Z", "vendor"), no_more),
        (tagged(OPEN, "2026-11-02T20:00:00Z", "  "), "it has no tag sg-audit:reason that says why"),
        (tagged(OPEN, "tomorrow", "vendor"), not_a_time),
        (tagged(OPEN, "2026-11-02T11:59:59Z", "vendor"), over),
    ] {
        let world = ec2(std::slice::from_ref(&rule));
        let settings = settings(Remediation::RevertSsh);
        let ran = run_at(&world, &settings, &authorized(rule), noon(), None);
        assert_eq!(brief(ran.report()), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"], "{why}");
        assert!(ran.detail().contains(why), "{}", ran.detail());
        assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24"]);
    }
    for (max_hours, until, why) in [
        (0, "2026-11-02T20:00:00Z", "no holds are allowed here"),
        (1, "2026-11-02T20:00:00Z", "the limit is 1 hour"),
    ] {
        let settings = Settings { hold_max_hours: max_hours, ..settings(Remediation::RevertSsh) };
        let rule = tagged(OPEN, until, "vendor");
        let world = ec2(std::slice::from_ref(&rule));
        let ran = run_at(&world, &settings, &authorized(rule), noon(), None);
        assert!(ran.detail().contains(why), "{}", ran.detail());
    }
}

#[test]
fn an_end_that_is_not_a_time_is_quoted_and_made_harmless() {
    let detail_of = |until: &str| {
        let rule = tagged(OPEN, until, "vendor");
        let world = ec2(std::slice::from_ref(&rule));
        let settings = settings(Remediation::RevertSsh);
        run_at(&world, &settings, &authorized(rule), noon(), None).detail()
    };
    for until in ["", "2026-03-12", "2026-02-30T16:00:00Z", "1773331200"] {
        let detail = detail_of(until);
        assert!(detail.contains(&format!("is `{until}`, which is not a time")), "{detail}");
    }
    let detail = detail_of("x\n\u{1b}[2J");
    assert!(!detail.contains(char::is_control), "{detail:?}");
    let (long, short) = (detail_of(&"9".repeat(5000)), detail_of("9"));
    assert!(long.len() < short.len() + 150, "{long}");
}

#[test]
fn tags_that_the_rule_was_not_authorised_with_do_not_count() {
    let without_id = |rule: Rule| rule.with_id(None);
    for (present, requested, refusal, why) in [
        (held(), rule(OPEN), Refusal::TaggedLater, "these came later"),
        (without_id(held()), without_id(rule(OPEN)), Refusal::TaggedLater, "these came later"),
        (rule(OPEN), held(), Refusal::TagsRemoved, "were taken off again"),
    ] {
        let world = ec2(&[present]);
        let settings = settings(Remediation::RevertSsh);
        let ran = run_at(&world, &settings, &authorized(requested), noon(), None);
        assert_eq!(brief(ran.report()), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
        assert_eq!(found(ran.report()).remarks, [Remark::HoldRefused(refusal)]);
        let detail = ran.detail();
        assert!(detail.contains("The hold ") && detail.contains(why));
    }
}

#[test]
fn a_listing_without_tags_does_not_say_that_they_were_taken_off() {
    let world = ec2(&[rule(OPEN).with_id(None)]);
    let settings = settings(Remediation::RevertSsh);
    let ran = run_at(&world, &settings, &authorized(held()), noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh held tcp 22 from 0.0.0.0/0"]);
    assert_eq!(found(ran.report()).remarks, []);
}

#[test]
fn modifying_a_rule_voids_its_hold() {
    let world = ec2(&[held()]);
    let event = event(ChangeKind::Modified(vec![modified(OPEN)]));
    let ran = run_at(&world, &settings(Remediation::RevertSsh), &event, noon(), None);
    let open_ssh = with_code(ran.report(), Code::OpenSsh);
    assert_eq!(open_ssh.outcome(), Outcome::Narrowed);
    let remarks = &open_ssh.found_rule().unwrap().remarks;
    assert_eq!(*remarks, [Remark::HoldRefused(Refusal::Modified)]);
    assert!(ran.published().to_string().contains("the rule was changed after it was held"));
}

#[test]
fn the_sweep_leaves_a_held_rule_alone() {
    let world = ec2(&[held()]);
    let mut settings = settings(Remediation::RevertSsh);
    settings.sweep_remediation = Remediation::RevertSsh;
    let report = run(&world, &settings, &sweep()).unwrap();
    assert_eq!(brief(&report), ["open-ssh held tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn a_rule_is_closed_when_its_hold_has_ended() {
    let world = ec2(&[held()]);
    let settings = settings(Remediation::RevertSsh);
    let before = run_at(&world, &settings, &check_of_holds(), at("2026-11-02T19:59:59Z"), None);
    assert_eq!((before.report().findings.len(), before.messages.len()), (0, 0));
    assert_eq!(world.take_calls().len(), 1);
    let after = after_the_hold(&world, &settings);
    assert_eq!(brief(after.report()), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
    assert_eq!(found(after.report()).remarks, [Remark::HoldOver(hold())]);
    assert!(after.detail().contains("and that is over"), "{}", after.detail());
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24"]);
    world.take_calls();
    let later = run_at(&world, &settings, &check_of_holds(), at("2026-11-02T20:25:00Z"), None);
    assert_eq!((later.messages.len(), world.take_calls().len()), (0, 1));
}

#[test]
fn the_end_of_a_hold_that_is_not_closed_is_reported_for_half_an_hour() {
    let world = ec2(&[held()]);
    let settings = settings(Remediation::Notify);
    let messages_at =
        |time| run_at(&world, &settings, &check_of_holds(), at(time), None).messages.len();
    assert_eq!(messages_at("2026-11-02T20:10:00Z"), 1);
    assert_eq!(messages_at("2026-11-02T20:45:00Z"), 0);
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn the_reason_of_a_hold_cannot_pass_for_the_auditors_own_words() {
    let forged = tagged(OPEN, "2026-11-02T20:00:00Z", "x\"), and all is well. (\"y");
    let detail = after_the_hold(&ec2(&[forged]), &settings(Remediation::Notify)).detail();
    assert!(detail.contains(r#"("x\"), and all is well. (\"y"), and that is over"#), "{detail}");
}

#[test]
fn a_held_rule_that_complies_is_not_a_finding() {
    let office = tagged("tcp 22 203.0.113.9/32 sgr-1", "2026-11-02T20:00:00Z", "desk");
    let world = ec2(std::slice::from_ref(&office));
    let settings = settings(Remediation::RevertIngress);
    assert_eq!(run(&world, &settings, &authorized(office)).unwrap().findings.len(), 0);
    assert_eq!(after_the_hold(&world, &settings).report().findings.len(), 0);
}

#[test]
fn the_rules_of_a_group_out_of_scope_are_not_read_for_its_holds() {
    let world = ec2(&[held()]);
    let scope = Scope::Tag { key: "Role".to_owned(), value: "wiki".to_owned() };
    let settings = Settings { scope, ..settings(Remediation::RevertSsh) };
    assert_eq!(after_the_hold(&world, &settings).report().findings.len(), 0);
    let calls = world.take_calls();
    let reads_rules = |call: &&String| call.ends_with(&format!("DescribeSecurityGroupRules {SG}"));
    assert_eq!((calls.len(), calls.iter().find(reads_rules)), (2, None));
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn a_check_of_holds_that_ec2_does_not_answer_is_tried_again() {
    let world = ec2(&[held()]);
    let settings = settings(Remediation::RevertSsh);
    for name in ["held_rules", "group", "rules"] {
        let throttling = hooked(&world, |call| (call.to_string() == name).then(throttled));
        let ran = after_the_hold(&throttling, &settings);
        assert!(matches!(ran.answer, Err(AuditError::Ec2(_))), "{name}");
    }
    let refusing = hooked(&world, |call| matches!(call, Call::HeldRules(_)).then(denied));
    // What cannot be read for good is reported by the sweep, once a day.
    let ran = run_at(&refusing, &settings, &check_of_holds(), noon(), None);
    assert_eq!((brief(ran.report()), ran.messages.len()), (vec![], 0));
    assert!(ran.report().partial);
}

#[test]
fn tags_that_were_changed_after_the_hold_was_reported_do_not_keep_it_open() {
    let max = settings(Remediation::RevertSsh);
    let none = Settings { hold_max_hours: 0, ..max.clone() };
    for (rule, settings, why) in [
        (tagged(OPEN, "2099-01-01T00:00:00Z", "vendor"), &max, "the limit is 24 hours"),
        (tagged(OPEN, "never", "vendor"), &max, "which is not a time"),
        (tagged(OPEN, "2026-11-02T20:00:00Z", ""), &max, "it has no tag sg-audit:reason"),
        (held(), &none, "no holds are allowed here"),
    ] {
        let ran = after_the_hold(&ec2(&[rule]), settings);
        assert_eq!(brief(ran.report()), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"], "{why}");
        assert!(ran.detail().contains(why), "{}", ran.detail());
    }
}

#[test]
fn without_reverts_the_check_leaves_tags_that_do_not_count_to_the_sweep() {
    let world = ec2(&[tagged(OPEN, "2099-01-01T00:00:00Z", "vendor")]);
    let ran = run_at(&world, &settings(Remediation::Notify), &check_of_holds(), noon(), None);
    assert_eq!((ran.messages.len(), world.take_calls().len()), (0, 1));
}

#[test]
fn a_rule_that_a_late_check_closes_is_reported_even_if_there_is_no_room_for_a_piece() {
    let mut all = vec![held()];
    all.extend((1..60).map(|n| rule(&format!("tcp 443 192.0.2.{n}/32 sgr-f{n}"))));
    all.push(rule("tcp 443 198.51.100.1/32 sgr-f60"));
    let world = ec2(&all);
    let settings = settings(Remediation::RevertSsh);
    let ran = run_at(&world, &settings, &check_of_holds(), at("2026-11-02T23:00:00Z"), None);
    assert!(!ingress(&world).contains(&"tcp 22 from 0.0.0.0/0".to_owned()));
    assert_eq!(brief(ran.report()), ["open-ssh failed tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn holds_that_end_together_are_closed_and_reported_in_time() {
    let groups =
        (0..6).map(|number| (place(), Group { id: numbered(number), ..group() }, vec![held()]));
    let world = MemoryEc2::new(groups, Lists::new());
    let now = Cell::new(at("2026-11-02T20:01:00Z"));
    let slow = hooked(&world, |call| {
        if is_revoke(call) {
            now.set(now.get() + TimeDelta::seconds(30));
        }
        None
    });
    let answers = in_time(&slow, &settings(Remediation::RevertSsh), check_of_holds(), &now);
    let closed = answers.into_iter().flat_map(|(answer, _)| brief(&answer.unwrap()));
    assert_eq!(closed.count(), 6);
}

/// This many places, each with a group whose rule was held until ten minutes ago, and the message
/// that has them checked.
fn places_with_ended_holds(count: u8) -> (MemoryEc2, Sweep) {
    let regions: Vec<Region> =
        (0..count).map(|n| id(&format!("eu-{}-1", char::from(b'a' + n)))).collect();
    let groups = regions.iter().enumerate().map(|(number, region)| {
        let place = Place { region: Some(region.clone()), ..place() };
        (place, Group { id: numbered(number), ..group() }, vec![held()])
    });
    (MemoryEc2::new(groups, Lists::new()), Sweep { regions, ..Sweep::default() })
}

/// A check of holds in all its invocations, each with two minutes, and what it closed. Nothing may
/// run out of time, and no invocation may hand on twice.
fn checked(
    ec2: &impl SecurityGroups,
    holds: Sweep,
    now: &Cell<DateTime<Utc>>,
) -> (Vec<String>, Vec<Result<Report, AuditError>>) {
    let event = message(Job::Holds(holds));
    let answers = in_time(ec2, &settings(Remediation::RevertSsh), event, now);
    let answers: Vec<_> = answers.into_iter().map(|(answer, _)| answer).collect();
    (answers.iter().flatten().flat_map(brief).collect(), answers)
}

#[test]
fn every_place_has_its_turn_however_slow_ec2_is() {
    let (world, holds) = places_with_ended_holds(20);
    let now = Cell::new(at("2026-11-02T20:10:00Z"));
    let slow = hooked(&world, |_| {
        now.set(now.get() + TimeDelta::seconds(6));
        None
    });
    let (closed, answers) = checked(&slow, holds, &now);
    assert_eq!(closed.len(), 20, "{closed:?}");
    assert!(answers.iter().all(Result::is_ok));
}

#[test]
fn places_in_which_no_hold_has_ended_do_not_take_all_the_time() {
    let (world, holds) = places_with_ended_holds(25);
    let now = Cell::new(noon());
    let slow = hooked(&world, |_| {
        now.set(now.get() + TimeDelta::seconds(6));
        None
    });
    let (closed, answers) = checked(&slow, holds, &now);
    assert_eq!((closed.len(), answers.len()), (0, 2));
}

#[test]
fn a_place_that_cannot_be_read_is_not_reported_and_does_not_stop_the_others() {
    let (world, holds) = places_with_ended_holds(4);
    let now = Cell::new(at("2026-11-02T20:10:00Z"));
    let first = |call: Call<'_>| matches!(call, Call::HeldRules(place) if place.region == Some(id("eu-a-1")));
    let refusing = hooked(&world, |call| first(call).then(denied));
    let (closed, answers) = checked(&refusing, holds.clone(), &now);
    assert_eq!(closed, ["open-ssh narrowed tcp 22 from 0.0.0.0/0"; 3]);
    assert!(answers.iter().all(Result::is_ok));
    // The same in an account out of reach.
    let elsewhere = Sweep { accounts: vec![id("210987654321")], ..holds };
    let (told, answers) = checked(&world, elsewhere, &now);
    assert_eq!(told, [] as [&str; 0]);
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().partial));
}

#[test]
fn places_that_ec2_does_not_answer_for_do_not_multiply_the_invocations() {
    let (world, holds) = places_with_ended_holds(20);
    let now = Cell::new(at("2026-11-02T20:10:00Z"));
    let throttling = hooked(&world, |call| {
        now.set(now.get() + TimeDelta::seconds(6));
        let odd = ["eu-a-1", "eu-c-1", "eu-i-1"].map(id::<Region>);
        let here = call.place().region.as_ref().is_some_and(|region| odd.contains(region));
        (here && matches!(call, Call::HeldRules(_))).then(throttled)
    });
    let (closed, answers) = checked(&throttling, holds, &now);
    assert_eq!(closed.len(), 17, "{closed:?}");
    // An invocation that handed on the rest does not fail: Lambda would try it again, and it would
    // hand on the same rest each time.
    let failed = answers.iter().filter(|answer| answer.is_err()).count();
    assert!(failed <= 1, "{answers:#?}");
}

#[test]
fn a_group_that_ec2_does_not_answer_for_does_not_keep_the_others_of_its_place_open() {
    for error in [throttled, denied] {
        let groups =
            (0..3).map(|number| (place(), Group { id: numbered(number), ..group() }, vec![held()]));
        let world = MemoryEc2::new(groups, Lists::new());
        let mut groups_read = 0;
        let failing = hooked(&world, |call| {
            groups_read += usize::from(matches!(call, Call::Group(_)));
            (groups_read == 1 && matches!(call, Call::Group(_))).then(error)
        });
        let (notifier, home, settings) =
            (MemoryNotifier::default(), place(), settings(Remediation::RevertSsh));
        let auditor = Auditor::new(&failing, &notifier, &notifier, &settings, &home);
        let now = || at("2026-11-02T20:10:00Z");
        let _ = block_on(auditor.audit(&check_of_holds(), &now, None));
        let [payload] = &notifier.take_handed_on()[..] else { panic!("one payload") };
        let Kind::Job(Job::Close(close)) = decoded(payload).kind else { panic!("{payload}") };
        assert_eq!(close.rules.len(), 2);
    }
}

/// One invocation of the check of holds that starts late, or in time. Returns its answer, and where
/// it says that another invocation continues.
fn check_once(
    ec2: &impl SecurityGroups,
    holds: &Sweep,
    is_late: bool,
) -> (Result<Report, AuditError>, Option<Resume>) {
    let event = message(Job::Holds(holds.clone()));
    let seconds_left = if is_late { 1 } else { 120 };
    let now = at("2026-11-02T20:10:00Z");
    let ran = run_alone(ec2, &settings(Remediation::RevertSsh), &event, now, Some(seconds_left));
    let rest = ran.handed_on.iter().find_map(|payload| match decoded(payload).kind {
        Kind::Job(Job::Holds(holds)) => Some(holds.resume),
        _ => None,
    });
    (ran.answer, rest)
}

#[test]
fn a_check_of_holds_hands_on_only_what_is_left() {
    for (count, is_late, continues_at) in
        [(1, true, None), (2, true, Some(1)), (3, true, Some(1)), (3, false, None)]
    {
        let (world, holds) = places_with_ended_holds(count);
        let (answer, rest) = check_once(&world, &holds, is_late);
        assert_eq!(rest.map(|rest| rest.places_done), continues_at, "{count} {is_late}");
        assert_eq!(answer.unwrap().partial, continues_at.is_some());
    }
}

#[test]
fn a_check_of_holds_continues_in_the_middle_of_a_place() {
    let groups =
        (0..3).map(|number| (place(), Group { id: numbered(number), ..group() }, vec![held()]));
    let world = MemoryEc2::new(groups, Lists::new());
    let holds = Sweep::default();
    let (answer, rest) = check_once(&world, &holds, true);
    let rest = rest.unwrap();
    assert_eq!(answer.unwrap().groups, 1);
    assert_eq!(rest.places_done, 0);
    assert_eq!(rest.groups_done, [numbered(0)]);
    let (answer, rest) = check_once(&world, &Sweep { resume: rest, ..holds }, true);
    assert_eq!(answer.unwrap().groups, 1);
    assert_eq!(rest.unwrap().groups_done, [numbered(0), numbered(1)]);
}

#[test]
fn a_check_of_holds_that_could_not_read_a_place_is_partial() {
    let (world, holds) = places_with_ended_holds(2);
    let failing = |error: fn() -> Ec2Error| {
        hooked(&world, move |call| matches!(call, Call::HeldRules(_)).then(error))
    };
    assert!(check_once(&failing(denied), &holds, false).0.unwrap().partial);
    let (answer, _) = check_once(&failing(throttled), &holds, false);
    assert_eq!(answer.unwrap_err().kind(), "Ec2Unavailable");
}
