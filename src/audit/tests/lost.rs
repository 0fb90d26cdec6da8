//! Changes whose record has lost the group: every group in scope of the place is audited.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::event::Note;

const OPEN: &str = "tcp 22 0.0.0.0/0 sgr-1";

/// A call of this name whose request CloudTrail left out.
fn lost(call: &str) -> Event {
    decoded(&json!({
        "eventSource": "ec2.amazonaws.com", "eventName": call, "eventID": "e-1",
        "awsRegion": "eu-central-1", "recipientAccountId": "123456789012",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/trainee"},
        "requestParameters": {"omitted": true, "originalSize": 112640},
    }))
}

/// A group with open SSH in the place of the change, and one in another region.
fn two_regions() -> MemoryEc2 {
    let elsewhere = Place { region: Some(id("eu-west-1")), ..place() };
    let groups = [
        (place(), group(), vec![rule(OPEN)]),
        (elsewhere, Group { id: numbered(2), ..group() }, vec![rule(OPEN)]),
    ];
    MemoryEc2::new(groups, Lists::new())
}

#[test]
fn the_groups_of_the_place_are_audited_and_the_message_says_why() {
    for call in ["AuthorizeSecurityGroupIngress", "CreateTags"] {
        let world = two_regions();
        let ran = run_at(&world, &settings(Remediation::RevertSsh), &lost(call), noon(), None);
        assert_eq!(brief(ran.report()), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"], "{call}");
        assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24"]);
        assert_eq!(world.rules_of(&numbered(2)).unwrap(), [rule(OPEN)]);
        assert!(matches!(found(ran.report()).remarks[..], [Remark::Note(Note::Lost(_))]));
        assert!(ran.detail().contains("was cut short by CloudTrail"), "{}", ran.detail());
        let change = only(ran.report()).change.as_ref().unwrap();
        assert_eq!(change.event_name.as_deref(), Some(call));
        assert_eq!(change.actor.as_deref(), Some("arn:aws:iam::123456789012:user/trainee"));
    }
}

#[test]
fn remediation_decides_and_not_that_of_the_sweep() {
    let call = lost("AuthorizeSecurityGroupIngress");
    let world = two_regions();
    let sweeping =
        Settings { sweep_remediation: Remediation::RevertSsh, ..settings(Remediation::Notify) };
    let report = run(&world, &sweeping, &call).unwrap();
    assert_eq!(brief(&report), ["open-ssh none tcp 22 from 0.0.0.0/0"]);
    let Action::NotDue { why, .. } = found(&report).action else { panic!("{report:#?}") };
    assert_eq!(why, NotDue::OnlyReported);
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn compliant_groups_are_no_findings_and_count() {
    let world = ec2(&[rule("tcp 443 0.0.0.0/0 sgr-1")]);
    let report =
        run(&world, &settings(Remediation::RevertSsh), &lost("ModifySecurityGroupRules")).unwrap();
    assert_eq!((report.outcome, report.groups), (ReportOutcome::Compliant, 1));
    assert!(report.findings.is_empty());
}

/// Otherwise a tag call that is too long for CloudTrail would take groups out unseen.
#[test]
fn groups_that_a_lost_tag_call_may_have_taken_out_of_the_scope_are_unaudited() {
    let scoped = Settings { scope: role_scope(), ..settings(Remediation::RevertSsh) };
    let untagged = Group { tags: Some([].into()), ..group() };
    let world = MemoryEc2::new([(place(), untagged, vec![rule(OPEN)])], Lists::new());
    let report = run(&world, &scoped, &lost("DeleteTags")).unwrap();
    assert_eq!(brief(&report), ["unaudited-change none"]);
    let world = ec2(&[rule(OPEN)]);
    let report = run(&world, &scoped, &lost("DeleteTags")).unwrap();
    assert_eq!(
        brief(&report),
        ["open-ssh narrowed tcp 22 from 0.0.0.0/0", "unaudited-change none"]
    );
    // No other call takes a group out of the scope.
    let report = run(&ec2(&[]), &scoped, &lost("AuthorizeSecurityGroupIngress")).unwrap();
    assert!(report.findings.is_empty());
}

#[test]
fn if_ec2_does_not_answer_it_is_tried_again_or_reported() {
    let world = ec2(&[rule(OPEN)]);
    let call = lost("AuthorizeSecurityGroupIngress");
    let settings = settings(Remediation::RevertSsh);
    let throttling = hooked(&world, |call| matches!(call, Call::Groups(..)).then(throttled));
    let ran = run_alone(&throttling, &settings, &call, noon(), None);
    assert_eq!(ran.error_kind(), "Ec2Unavailable");
    assert!(ran.messages.is_empty());
    let refusing = hooked(&world, |call| matches!(call, Call::Groups(..)).then(denied));
    let report = run(&refusing, &settings, &call).unwrap();
    assert_eq!(brief(&report), ["unaudited-change none"]);
    assert!(only(&report).change.is_some());
    let mut elsewhere = call;
    elsewhere.record.account = Some(id("210987654321"));
    let report = run(&world, &settings, &elsewhere).unwrap();
    assert_eq!(brief(&report), ["unaudited-change none"]);
}

#[test]
fn groups_that_there_is_no_time_for_are_handed_on() {
    let groups = (0..10)
        .map(|number| (place(), Group { id: numbered(number), ..group() }, vec![rule(OPEN)]));
    let world = MemoryEc2::new(groups, Lists::new()).with_groups_a_page(1);
    let now = Cell::new(noon());
    let slow = hooked(&world, |_| {
        now.set(now.get() + TimeDelta::seconds(30));
        None
    });
    let mut ids = BTreeSet::new();
    let event = lost("AuthorizeSecurityGroupIngress");
    for report in chain(&slow, &settings(Remediation::Notify), event, &now) {
        ids.extend(report.findings.iter().map(|finding| {
            assert_eq!(finding.change.as_ref().unwrap().event_id.as_deref(), Some("e-1"));
            finding.group.clone().unwrap().id
        }));
    }
    assert_eq!(ids.len(), 10);
}

#[test]
fn it_does_not_go_on_for_ever() {
    let groups =
        (0..2).map(|number| (place(), Group { id: numbered(number), ..group() }, vec![rule(OPEN)]));
    let world = MemoryEc2::new(groups, Lists::new()).with_groups_a_page(1);
    let mut event = lost("AuthorizeSecurityGroupIngress");
    event.depth = 11;
    let ran = run_alone(&world, &settings(Remediation::Notify), &event, noon(), Some(10));
    let report = ran.report();
    assert_eq!(ran.handed_on.len(), 0);
    let unaudited = with_code(report, Code::UnauditedChange);
    let Matter::Unaudited { what: Unaudited::Place, reason } = &unaudited.matter else {
        panic!("{unaudited:#?}")
    };
    let is_too_deep = |reason: &Reason| match reason {
        Reason::NotHandedOn { why, .. } => *why == NotHandedOn::TooManyInvocations(12),
        _ => false,
    };
    assert!(is_too_deep(reason), "{reason:?}");
}
