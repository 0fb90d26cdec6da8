//! Traffic that the site lives on: what a change took, and what is left.

use super::*;

fn revoked(rules: Option<&[&str]>) -> Event {
    let rules = rules.map(|texts| texts.iter().map(|text| rule(text)).collect());
    event(ChangeKind::Revoked(RevokedRules { direction: Direction::Ingress, rules }))
}

#[test]
fn the_website_is_missed() {
    let world = ec2(&[rule("tcp 22 203.0.113.0/24 sgr-1")]);
    let gone = ["tcp 443 0.0.0.0/0", "tcp 443 ::/0"];
    let report = run(&world, &settings(Remediation::Notify), &revoked(Some(&gone))).unwrap();
    let finding = only(&report);
    assert_eq!((finding.code, finding.severity.as_str()), (Code::ExpectedTrafficClosed, "high"));
    assert_eq!(finding.title, "HTTPS is no longer let in on typo3-shop");
    let undo = finding.remediation.undo.as_deref().unwrap();
    assert!(undo.contains("0.0.0.0/0") && undo.contains("::/0"), "{undo}");
}

#[test]
fn what_is_still_let_in_is_not_missed() {
    let world = ec2(&[rule("tcp 443 sg-0b sgr-1")]);
    let report =
        run(&world, &settings(Remediation::Notify), &revoked(Some(&["tcp 443 0.0.0.0/0"])))
            .unwrap();
    assert_eq!(report.outcome, ReportOutcome::Compliant);
}

#[test]
fn what_the_site_does_not_live_on_costs_no_call() {
    let world = ec2(&[]);
    let event = revoked(Some(&["tcp 22 0.0.0.0/0", "tcp 8080 0.0.0.0/0"]));
    assert_eq!(told(&run(&world, &settings(Remediation::Notify), &event).unwrap()).len(), 0);
    assert_eq!(world.take_calls(), Vec::<String>::new());
}

#[test]
fn taken_by_rule_ids_it_is_said_quietly() {
    let world = ec2(&[]);
    let report = run(&world, &settings(Remediation::Notify), &revoked(None)).unwrap();
    let finding = only(&report);
    assert_eq!((finding.code, finding.severity.as_str()), (Code::ExpectedTrafficClosed, "low"));
    assert!(finding.title.ends_with("is not known"), "{}", finding.title);
    assert_eq!(finding.remediation.undo, None);
}

#[test]
fn a_rule_moved_to_another_port_closes_the_site_as_well() {
    let world = ec2(&[rule("tcp 8443 203.0.113.0/24 sgr-1")]);
    let moved = rule("tcp 8443 203.0.113.0/24 sgr-1");
    let modified = ChangeKind::Modified(vec![ModifiedRule {
        id: "sgr-1".to_owned(),
        protocol: moved.protocol,
        from_port: moved.from_port,
        to_port: moved.to_port,
        peer: moved.peer,
        description: None,
    }]);
    let report = run(&world, &settings(Remediation::Notify), &event(modified)).unwrap();
    assert!(told(&report).contains(&"expected-traffic-closed none".to_owned()), "{report:#?}");
}

#[test]
fn a_group_that_is_gone_has_no_site() {
    let nowhere = MemoryEc2::new([], Lists::new());
    let event = revoked(Some(&["tcp 443 0.0.0.0/0"]));
    let report = run(&nowhere, &settings(Remediation::Notify), &event).unwrap();
    assert_eq!(report.outcome, ReportOutcome::Compliant);
}

#[test]
fn what_is_left_cannot_be_read() {
    let world = ec2(&[]);
    let event = revoked(Some(&["tcp 443 0.0.0.0/0"]));
    let denied = Staged::new(&world, |call, _| {
        (call == "rules").then(|| Ec2Error::Denied { action: "Describe", message: "no".to_owned() })
    });
    let report = run(&denied, &settings(Remediation::Notify), &event).unwrap();
    assert_eq!(only(&report).code, Code::UnauditedChange);
    let throttled = Staged::new(&world, |call, _| {
        (call == "rules")
            .then(|| Ec2Error::Passing { action: "Describe", message: "later".to_owned() })
    });
    assert!(run(&throttled, &settings(Remediation::Notify), &event).is_err());
}
