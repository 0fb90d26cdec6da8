//! Holds: what announces its own end is left alone until then, and no longer.

use super::*;
use crate::ec2::hold::{REASON, UNTIL};
use crate::event::Task;

const OPEN: &str = "tcp 22 0.0.0.0/0 sgr-1";

fn tagged(text: &str, until: &str, reason: &str) -> Rule {
    let mut rule = rule(text);
    rule.tags.insert(UNTIL.to_owned(), until.to_owned());
    rule.tags.insert(REASON.to_owned(), reason.to_owned());
    rule
}

fn held() -> Rule {
    tagged(OPEN, "2026-11-02T20:00:00Z", "vendor, ticket 4711")
}

fn authorized(rule: Rule) -> Event {
    event(ChangeKind::Authorized(vec![rule]))
}

fn check() -> Event {
    Event::Schedule(Box::new(Schedule { task: Task::Holds, ..Schedule::default() }))
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

#[test]
fn a_held_rule_is_told_of_and_left_alone() {
    let world = ec2(&[held()]);
    let report = run(&world, &settings(Remediation::RevertSsh), &authorized(held())).unwrap();
    assert_eq!(told(&report), ["open-ssh held tcp 22 from 0.0.0.0/0"]);
    assert_eq!(report.outcome, ReportOutcome::Noncompliant);
    let detail = &only(&report).remediation.detail;
    assert!(detail.contains("until 2026-11-02 20:00 UTC"), "{detail}");
    let hold = only(&report).remediation.hold.as_ref().unwrap();
    assert_eq!(hold.reason, "vendor, ticket 4711");
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn what_is_no_hold_is_reverted_and_says_why() {
    for (rule, why) in [
        (tagged(OPEN, "2026-11-04T12:00:00Z", "vendor"), "no more than 24 hours are allowed"),
        (tagged(OPEN, "2026-11-02T20:00:00Z", "  "), "it has no tag sg-audit:reason"),
        (tagged(OPEN, "tomorrow", "vendor"), "which is no time as in 2026-11-02T12:00:00Z"),
        (tagged(OPEN, "2026-11-02T11:59:59Z", "vendor"), "and that is over"),
    ] {
        let world = ec2(std::slice::from_ref(&rule));
        let report = run(&world, &settings(Remediation::RevertSsh), &authorized(rule)).unwrap();
        assert_eq!(told(&report), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"], "{why}");
        let detail = &only(&report).remediation.detail;
        assert!(detail.contains(why), "{detail}");
        assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24"]);
    }
    let world = ec2(&[held()]);
    let none = Settings { hold_max_hours: 0, ..settings(Remediation::RevertSsh) };
    let report = run(&world, &none, &authorized(held())).unwrap();
    assert!(only(&report).remediation.detail.contains("no holds are allowed here"));
}

#[test]
fn tags_that_the_rule_was_not_authorised_with_do_not_count() {
    // Put on after the call, and taken off after it.
    for (present, asked) in [(held(), rule(OPEN)), (rule(OPEN), held())] {
        let world = ec2(&[present]);
        let report = run(&world, &settings(Remediation::RevertSsh), &authorized(asked)).unwrap();
        assert_eq!(told(&report), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
        let detail = &only(&report).remediation.detail;
        assert!(detail.contains("asks to be held open and is not"), "{detail}");
    }
}

#[test]
fn a_modify_voids_the_hold() {
    let world = ec2(&[held()]);
    let modified = ChangeKind::Modified(vec![ModifiedRule {
        id: "sgr-1".to_owned(),
        protocol: rule(OPEN).protocol,
        from_port: Some(22),
        to_port: Some(22),
        peer: rule(OPEN).peer,
        description: None,
    }]);
    let report = run(&world, &settings(Remediation::RevertSsh), &event(modified)).unwrap();
    let open_ssh = report.findings.iter().find(|it| it.code == Code::OpenSsh).unwrap();
    assert_eq!(open_ssh.remediation.outcome, Outcome::Narrowed);
    assert!(open_ssh.remediation.detail.contains("which voids the hold"));
}

#[test]
fn the_sweep_leaves_a_hold_alone() {
    let world = ec2(&[held()]);
    let mut settings = settings(Remediation::RevertSsh);
    settings.sweep_remediation = Remediation::RevertSsh;
    let sweep = Event::Schedule(Box::default());
    let report = run(&world, &settings, &sweep).unwrap();
    assert_eq!(told(&report), ["open-ssh held tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn a_hold_that_is_over_is_closed_by_itself() {
    let world = ec2(&[held()]);
    let settings = settings(Remediation::RevertSsh);
    let before = run_at(&world, &settings, &check(), at("2026-11-02T19:59:59Z"), None);
    assert_eq!((told(before.report()).len(), before.messages.len()), (0, 0));
    assert_eq!(world.take_calls().len(), 1);
    let after = run_at(&world, &settings, &check(), at("2026-11-02T20:10:00Z"), None);
    assert_eq!(told(after.report()), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
    assert!(only(after.report()).remediation.detail.contains("and that is over"));
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24"]);
    world.take_calls();
    let none = run_at(&world, &settings, &check(), at("2026-11-02T20:25:00Z"), None);
    assert_eq!((none.messages.len(), world.take_calls().len()), (0, 1));
}

#[test]
fn the_end_of_a_hold_that_is_not_closed_is_not_told_for_ever() {
    let world = ec2(&[held()]);
    let settings = settings(Remediation::Notify);
    let told_at = |time| run_at(&world, &settings, &check(), at(time), None).messages.len();
    assert_eq!(told_at("2026-11-02T20:10:00Z"), 1);
    assert_eq!(told_at("2026-11-02T20:45:00Z"), 0);
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn the_reason_of_a_hold_cannot_go_on_as_the_auditors_own_words() {
    let forged = tagged(OPEN, "2026-11-02T20:00:00Z", "x\"), and all is well. (\"y");
    let after = run_at(
        &ec2(&[forged]),
        &settings(Remediation::Notify),
        &check(),
        at("2026-11-02T20:10:00Z"),
        None,
    );
    let detail = &only(after.report()).remediation.detail;
    assert!(detail.contains(r#"("x\"), and all is well. (\"y"), and that is over"#), "{detail}");
}

#[test]
fn a_held_rule_that_complies_is_no_finding() {
    let office = tagged("tcp 22 203.0.113.9/32 sgr-1", "2026-11-02T20:00:00Z", "desk");
    let world = ec2(std::slice::from_ref(&office));
    let settings = settings(Remediation::RevertIngress);
    assert_eq!(told(&run(&world, &settings, &authorized(office)).unwrap()).len(), 0);
    let after = run_at(&world, &settings, &check(), at("2026-11-02T20:10:00Z"), None);
    assert_eq!(told(after.report()).len(), 0);
}

#[test]
fn a_check_of_holds_that_ec2_does_not_answer_is_tried_again() {
    let world = ec2(&[held()]);
    for call in ["held_rules", "group", "rules"] {
        let staged = Staged::new(&world, |made, _| {
            (made == call)
                .then(|| Ec2Error::Passing { action: "Describe", message: "throttled".to_owned() })
        });
        let ran = run_at(
            &staged,
            &settings(Remediation::RevertSsh),
            &check(),
            at("2026-11-02T20:10:00Z"),
            None,
        );
        assert!(matches!(ran.answer, Err(AuditError::Ec2(_))), "{call}");
    }
    let staged = Staged::new(&world, |made, _| {
        (made == "held_rules")
            .then(|| Ec2Error::Denied { action: "Describe", message: "no".to_owned() })
    });
    let ran = run_at(&staged, &settings(Remediation::RevertSsh), &check(), noon(), None);
    assert_eq!(told(ran.report()), ["unaudited-change none"]);
}

#[test]
fn tags_that_are_changed_after_the_hold_was_told_do_not_keep_it_open() {
    let max = settings(Remediation::RevertSsh);
    let none = Settings { hold_max_hours: 0, ..max.clone() };
    for (rule, settings, why) in [
        (tagged(OPEN, "2099-01-01T00:00:00Z", "vendor"), &max, "no more than 24 hours"),
        (tagged(OPEN, "never", "vendor"), &max, "which is no time"),
        (tagged(OPEN, "2026-11-02T20:00:00Z", ""), &max, "it has no tag sg-audit:reason"),
        (held(), &none, "no holds are allowed here"),
    ] {
        let world = ec2(&[rule]);
        let ran = run_at(&world, settings, &check(), at("2026-11-02T20:10:00Z"), None);
        assert_eq!(told(ran.report()), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"], "{why}");
        let detail = &only(ran.report()).remediation.detail;
        assert!(detail.contains(why), "{detail}");
    }
}

#[test]
fn where_nothing_is_closed_tags_that_do_not_count_are_the_sweeps_business() {
    let world = ec2(&[tagged(OPEN, "2099-01-01T00:00:00Z", "vendor")]);
    let ran = run_at(&world, &settings(Remediation::Notify), &check(), noon(), None);
    assert_eq!((ran.messages.len(), world.take_calls().len()), (0, 1));
}

#[test]
fn what_a_late_check_closes_is_told_though_a_piece_found_no_room() {
    let mut rules = vec![held()];
    rules.extend((1..60).map(|n| rule(&format!("tcp 443 192.0.2.{n}/32 sgr-f{n}"))));
    rules.push(rule("tcp 443 198.51.100.1/32 sgr-f60"));
    let world = ec2(&rules);
    let settings = settings(Remediation::RevertSsh);
    let ran = run_at(&world, &settings, &check(), at("2026-11-02T23:00:00Z"), None);
    assert!(!ingress(&world).contains(&"tcp 22 from 0.0.0.0/0".to_owned()));
    assert_eq!(told(ran.report()), ["open-ssh failed tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn holds_that_end_together_are_told_before_the_time_is_over() {
    let groups = (0..6).map(|number| {
        let group = Group { id: format!("sg-{number:017x}"), ..group() };
        (place(), group, vec![held()])
    });
    let world = MemoryEc2::new(groups, Lists::new());
    let now = std::cell::Cell::new(at("2026-11-02T20:01:00Z"));
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        if call.starts_with("revoke") {
            now.set(now.get() + TimeDelta::seconds(30));
        }
        None
    });
    let (notifier, home, settings) =
        (MemoryNotifier::default(), place(), settings(Remediation::RevertSsh));
    let auditor = Auditor::new(&staged, &notifier, &notifier, &settings, &home);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut closed = Vec::new();
    let mut left = vec![check()];
    while let Some(event) = left.pop() {
        let (deadline, clock) = (now.get() + TimeDelta::seconds(120), || now.get());
        let report = runtime.block_on(auditor.audit(&event, &clock, Some(deadline))).unwrap();
        assert!(now.get() < deadline, "Lambda has stopped it, and nobody was told");
        closed.extend(told(&report));
        let handed_on = notifier.take_handed_on();
        left.extend(handed_on.iter().flat_map(|payload| decode(payload.to_string().as_bytes())));
    }
    assert_eq!(closed.len(), 6);
}
