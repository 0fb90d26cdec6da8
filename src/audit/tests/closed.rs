//! Changes that close traffic which the site lives on.

use super::*;
use crate::evaluate::expected;
use crate::finding::Origin;

fn revoked(removed: Option<&[&str]>) -> Event {
    let rules = removed.map(rules);
    event(ChangeKind::Revoked(RevokedRules { direction: Direction::Ingress, rules }))
}

#[test]
fn closing_the_website_is_reported_with_an_undo() {
    let world = ec2(&rules(&["tcp 22 203.0.113.0/24 sgr-1"]));
    let removed = ["tcp 443 0.0.0.0/0", "tcp 443 ::/0"];
    let report = run(&world, &settings(Remediation::Notify), &revoked(Some(&removed))).unwrap();
    let finding = only(&report);
    assert_eq!((finding.code, finding.severity.as_str()), (Code::ExpectedTrafficClosed, "high"));
    assert_eq!(to_title(finding), "HTTPS is no longer let in on typo3-shop");
    let undo = finding.undo.as_deref().unwrap();
    assert!(undo.contains("0.0.0.0/0") && undo.contains("::/0"), "{undo}");
}

#[test]
fn traffic_that_another_rule_still_admits_is_not_closed() {
    let world = ec2(&rules(&["tcp 443 sg-0b sgr-1"]));
    let revoked = revoked(Some(&["tcp 443 0.0.0.0/0"]));
    let report = run(&world, &settings(Remediation::Notify), &revoked).unwrap();
    assert_eq!(report.outcome, ReportOutcome::Compliant);
}

#[test]
fn closing_other_traffic_costs_no_call() {
    let world = ec2(&[]);
    let event = revoked(Some(&["tcp 22 0.0.0.0/0", "tcp 8080 0.0.0.0/0"]));
    assert_eq!(run(&world, &settings(Remediation::Notify), &event).unwrap().findings.len(), 0);
    assert_eq!(world.take_calls(), Vec::<String>::new());
}

#[test]
fn if_the_removed_rules_are_not_known_the_severity_is_low() {
    let ran = run_at(&ec2(&[]), &settings(Remediation::Notify), &revoked(None), noon(), None);
    let finding = only(ran.report());
    assert_eq!((finding.code, finding.severity.as_str()), (Code::ExpectedTrafficClosed, "low"));
    let Matter::ExpectedClosed(closed) = &finding.matter else { panic!("{finding:#?}") };
    assert_eq!(closed.removed, None);
    assert!(to_title(finding).ends_with("is not known"), "{}", to_title(finding));
    assert!(ran.detail().contains("is not known"), "{}", ran.detail());
    assert!(finding.rule().is_none() && finding.undo.is_none());
}

#[test]
fn moving_a_rule_to_another_port_can_close_the_website() {
    let moved = "tcp 8443 203.0.113.0/24 sgr-1";
    let event = event(ChangeKind::Modified(vec![modified(moved)]));
    let report = run(&ec2(&[rule(moved)]), &settings(Remediation::Notify), &event).unwrap();
    assert!(brief(&report).contains(&"expected-traffic-closed none".to_owned()), "{report:#?}");
}

#[test]
fn a_group_that_was_deleted_has_no_website() {
    let nowhere = MemoryEc2::new([], Lists::new());
    let event = revoked(Some(&["tcp 443 0.0.0.0/0"]));
    let report = run(&nowhere, &settings(Remediation::Notify), &event).unwrap();
    assert_eq!(report.outcome, ReportOutcome::Compliant);
}

#[test]
fn if_the_remaining_rules_cannot_be_read_the_change_is_unaudited() {
    let world = ec2(&[]);
    let event = revoked(Some(&["tcp 443 0.0.0.0/0"]));
    let settings = settings(Remediation::Notify);
    let refusing = hooked(&world, |call| matches!(call, Call::Rules(_)).then(denied));
    assert_eq!(only(&run(&refusing, &settings, &event).unwrap()).code, Code::UnauditedChange);
    let throttling = hooked(&world, |call| matches!(call, Call::Rules(_)).then(throttled));
    assert!(run(&throttling, &settings, &event).is_err());
}

#[test]
fn the_undo_of_closed_traffic_opens_it_again() {
    let settings = settings(Remediation::RevertIngress);
    let removed = rules(&["tcp 80-443 0.0.0.0/0 sgr-1", "tcp 443 ::/0 sgr-2"]);
    let closed = |removed| {
        let closed = expected::closed(&settings.baseline, Direction::Ingress, removed, &[]);
        let (place, group) = (place(), group());
        let origin = Origin { place: &place, group: Some(&group), record: None };
        let findings = closed.into_iter().map(|one| origin.expected_closed(one, noon()));
        findings.collect::<Vec<_>>()
    };
    let [http, https] = &closed(Some(&removed[..]))[..] else { panic!("two entries") };
    assert_eq!(to_title(http), "HTTP is no longer let in on typo3-shop");
    assert_eq!((https.code, https.severity.as_str()), (Code::ExpectedTrafficClosed, "high"));
    assert_eq!(https.outcome(), Outcome::None);
    let undo = https.undo.as_deref().unwrap();
    assert_eq!(undo.matches("authorize-security-group-ingress").count(), 1);
    assert!(undo.contains("0.0.0.0/0") && undo.contains("::/0") && !undo.contains('\n'), "{undo}");
    // One rule closed both, but they are two findings.
    assert_ne!(http.fingerprint, https.fingerprint);

    let unknown = &closed(None)[0];
    assert_eq!((unknown.severity.as_str(), unknown.rule()), ("low", None));
    assert_eq!(unknown.undo, None);
}
