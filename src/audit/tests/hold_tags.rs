//! Changes of the tags of a hold, after the rule was authorised: each of them ends the hold.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::ec2::RuleId;
use crate::ec2::hold::{REASON, Refusal, UNTIL};
use crate::event::{HoldTags, Note};

const OPEN: &str = "tcp 22 0.0.0.0/0 sgr-1";
const LATER: &str = "2026-11-03T11:00:00Z";

/// A rule whose tags ask for a hold that `HOLD_MAX_HOURS` allows, as a prolonged one does.
fn held(text: &str) -> Rule {
    let tags = [(UNTIL, LATER), (REASON, "vendor")];
    rule(text).with_tags(tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into())
}

fn tag_record() -> Record {
    Record {
        event_name: Some("CreateTags".to_owned()),
        actor: Some("arn:aws:iam::123456789012:user/trainee".to_owned()),
        ..record()
    }
}

/// Somebody changed the tags of a hold on these rules.
fn tagged(rules: &[&str]) -> Event {
    let rules = rules.iter().map(|rule| id(rule)).collect();
    Event::new(tag_record(), Kind::HoldTags(HoldTags { rules, unread: None }))
}

fn reverting() -> Settings {
    settings(Remediation::RevertSsh)
}

fn changed() -> Remark {
    Remark::HoldRefused(Refusal::TagsChanged)
}

#[test]
fn a_hold_that_is_prolonged_ends_and_the_message_names_who_did_it() {
    let world = ec2(&[held(OPEN), rule("tcp 443 0.0.0.0/0 sgr-2")]);
    let ran = run_at(&world, &reverting(), &tagged(&["sgr-1"]), noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24", "tcp 443 from 0.0.0.0/0"]);
    assert_eq!(found(ran.report()).remarks, [changed()]);
    let change = only(ran.report()).change.as_ref().unwrap();
    assert_eq!(change.actor.as_deref(), Some("arn:aws:iam::123456789012:user/trainee"));
    assert!(ran.detail().contains("this call changed its tags"), "{}", ran.detail());
}

#[test]
fn tags_that_were_taken_off_or_put_on_a_standing_rule_make_no_hold() {
    for standing in [rule(OPEN), held(OPEN)] {
        for (remediation, outcome) in
            [(Remediation::RevertSsh, "narrowed"), (Remediation::Notify, "none")]
        {
            let world = ec2(std::slice::from_ref(&standing));
            let report = run(&world, &settings(remediation), &tagged(&["sgr-1"])).unwrap();
            assert_eq!(brief(&report), [format!("open-ssh {outcome} tcp 22 from 0.0.0.0/0")]);
            assert_eq!(found(&report).remarks, [changed()]);
        }
    }
}

#[test]
fn only_the_rules_that_the_call_names_lose_their_hold() {
    let world = ec2(&[held(OPEN), held("tcp 22 ::/0 sgr-2")]);
    let report = run(&world, &reverting(), &tagged(&["sgr-2"])).unwrap();
    assert_eq!(brief(&report), ["open-ssh narrowed tcp 22 from ::/0"]);
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0", "tcp 22 from 2001:db8:1::/48"]);
}

#[test]
fn remediation_decides_and_not_that_of_the_sweep() {
    let world = ec2(&[held("tcp 8080 0.0.0.0/0 sgr-1")]);
    let mut settings = reverting();
    settings.sweep_remediation = Remediation::RevertIngress;
    let report = run(&world, &settings, &tagged(&["sgr-1"])).unwrap();
    assert_eq!(brief(&report), ["ingress-not-in-baseline none tcp 8080 from 0.0.0.0/0"]);
    let Action::NotDue { why, .. } = found(&report).action else { panic!("{report:#?}") };
    assert_eq!(why, NotDue::NotOpenSsh);
    settings.remediation = Remediation::RevertIngress;
    let report = run(&world, &settings, &tagged(&["sgr-1"])).unwrap();
    assert_eq!(brief(&report), ["ingress-not-in-baseline reverted tcp 8080 from 0.0.0.0/0"]);
}

#[test]
fn a_compliant_rule_a_rule_that_is_gone_and_a_group_out_of_scope_are_no_findings() {
    let world = ec2(&[held("tcp 22 203.0.113.64/26 sgr-1")]);
    for rule in ["sgr-1", "sgr-2"] {
        let report = run(&world, &reverting(), &tagged(&[rule])).unwrap();
        assert_eq!(report.outcome, ReportOutcome::Compliant);
        assert_eq!(report.findings.len(), 0);
    }
    let world = ec2(&[held(OPEN)]);
    let scope = Scope::Tag { key: "Role".to_owned(), value: "wiki".to_owned() };
    let report = run(&world, &Settings { scope, ..reverting() }, &tagged(&["sgr-1"])).unwrap();
    assert_eq!(report.findings.len(), 0);
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn tags_that_are_not_understood_count_as_those_of_a_hold() {
    let world = ec2(&[held(OPEN)]);
    let unread = Some("it was cut short".to_owned());
    let event = Event {
        kind: Kind::HoldTags(HoldTags { rules: vec![id("sgr-1")], unread }),
        ..tagged(&[])
    };
    let ran = run_at(&world, &reverting(), &event, noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
    let note = Note::TagsNotUnderstood("it was cut short".to_owned());
    assert_eq!(found(ran.report()).remarks, [Remark::Note(note)]);
    assert!(ran.detail().contains("it was cut short"), "{}", ran.detail());
}

#[test]
fn a_call_in_cloudtrails_words_ends_the_hold() {
    let world = ec2(&[held(OPEN)]);
    let event = |request: Value| {
        decoded(&json!({
            "eventSource": "ec2.amazonaws.com", "eventName": "DeleteTags",
            "awsRegion": "eu-central-1", "recipientAccountId": "123456789012",
            "requestParameters": request,
        }))
    };
    let other = json!({"resourcesSet": ["sgr-1"], "tagSet": [{"key": "Name"}]});
    let report = run(&world, &reverting(), &event(other)).unwrap();
    assert_eq!(report.outcome, ReportOutcome::Ignored);
    let report = run(&world, &reverting(), &event(json!({"resourcesSet": ["sgr-1"]}))).unwrap();
    assert_eq!(brief(&report), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
}

/// The rule is removed only by an invocation that was given it, which can report that it is gone.
#[test]
fn what_is_closed_is_handed_on_first_and_reported_even_if_it_is_gone_then() {
    let world = ec2(&[held(OPEN)]);
    let ran = run_alone(&world, &reverting(), &tagged(&["sgr-1"]), noon(), None);
    assert_eq!((ran.messages.len(), ran.handed_on.len()), (0, 1));
    assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);
    let close = decoded(&ran.handed_on[0]);
    for outcome in ["narrowed", "already-gone"] {
        let report = run(&world, &reverting(), &close).unwrap();
        assert_eq!(brief(&report), [format!("open-ssh {outcome} tcp 22 from 0.0.0.0/0")]);
        assert_eq!(found(&report).remarks, [changed()]);
        assert_eq!(
            only(&report).change.as_ref().unwrap().event_name.as_deref(),
            Some("CreateTags")
        );
    }
}

#[test]
fn if_ec2_does_not_answer_it_is_tried_again_or_reported() {
    let world = ec2(&[held(OPEN)]);
    let reads: [fn(&Call<'_>) -> bool; 3] = [
        |call| matches!(call, Call::RulesById(_)),
        |call| matches!(call, Call::Group(_)),
        |call| matches!(call, Call::Rules(_)),
    ];
    for is_read in reads {
        let throttling = hooked(&world, |call| is_read(&call).then(throttled));
        let ran = run_alone(&throttling, &reverting(), &tagged(&["sgr-1"]), noon(), None);
        assert_eq!(ran.error_kind(), "Ec2Unavailable");
        assert!(ran.messages.is_empty());
        let refusing = hooked(&world, |call| is_read(&call).then(denied));
        let ran = run_alone(&refusing, &reverting(), &tagged(&["sgr-1"]), noon(), None);
        assert_eq!(brief(ran.report()), ["unaudited-change none"]);
    }
    let denying = hooked(&world, |call| matches!(call, Call::RulesById(_)).then(denied));
    let report = run(&denying, &reverting(), &tagged(&["sgr-1", "sgr-2"])).unwrap();
    let Matter::Unaudited { what: Unaudited::RuleTags(rules), .. } = &only(&report).matter else {
        panic!("{report:#?}")
    };
    assert_eq!(rules[..], ["sgr-1", "sgr-2"].map(id::<RuleId>));
    let title = to_title(only(&report));
    assert!(
        title.starts_with("A change to the tags of sgr-1 and 1 more rule could not"),
        "{title}"
    );
}

#[test]
fn rules_of_an_account_that_cannot_be_reached_are_unaudited() {
    let world = ec2(&[held(OPEN)]);
    let mut event = tagged(&["sgr-1"]);
    event.record.account = Some(id("210987654321"));
    let report = run(&world, &reverting(), &event).unwrap();
    assert_eq!(brief(&report), ["unaudited-change none"]);
    assert_eq!(world.take_calls(), Vec::<String>::new());
}

#[test]
fn rules_that_there_is_no_time_for_are_handed_on() {
    let groups = (0..10).map(|number| {
        let text = format!("tcp 22 0.0.0.0/0 sgr-{number:017}");
        (place(), Group { id: numbered(number), ..group() }, vec![held(&text)])
    });
    let world = MemoryEc2::new(groups, Lists::new());
    let all: Vec<RuleId> = (0..10).map(|number| id(&format!("sgr-{number:017}"))).collect();
    let kind = Kind::HoldTags(HoldTags { rules: all, unread: None });
    let event = Event::new(tag_record(), kind);
    // Each call takes ten seconds.
    let now = Cell::new(noon());
    let slow = hooked(&world, |_| {
        now.set(now.get() + TimeDelta::seconds(10));
        None
    });
    let mut ids = BTreeSet::new();
    for report in chain(&slow, &settings(Remediation::Notify), event, &now) {
        ids.extend(report.findings.iter().map(|finding| {
            assert_eq!(finding.found_rule().unwrap().remarks, [changed()]);
            assert_eq!(finding.change.as_ref().unwrap().event_name.as_deref(), Some("CreateTags"));
            finding.group.clone().unwrap().id
        }));
    }
    assert_eq!(ids.len(), 10);
}

#[test]
fn only_rules_of_groups_that_are_left_are_handed_on() {
    for (groups, is_late, left) in [(1, true, 0), (2, true, 1), (2, false, 0)] {
        let text = |number| format!("tcp 22 0.0.0.0/0 sgr-{number:017}");
        let all = (0..groups).map(|number| {
            (place(), Group { id: numbered(number), ..group() }, vec![held(&text(number))])
        });
        let world = MemoryEc2::new(all, Lists::new());
        let rules = (0..groups).map(|number| id(&format!("sgr-{number:017}"))).collect();
        let kind = Kind::HoldTags(HoldTags { rules, unread: None });
        let event = Event { record: tag_record(), kind, depth: 0 };
        let seconds_left = Some(if is_late { 1 } else { 120 });
        let ran = run_alone(&world, &settings(Remediation::Notify), &event, noon(), seconds_left);
        let rest = ran.handed_on.iter().flat_map(|payload| match decoded(payload).kind {
            Kind::Job(Job::HoldTags(HoldTags { rules, .. })) => rules,
            kind => panic!("{kind:?}"),
        });
        assert_eq!(rest.count(), left, "{groups} groups");
        assert_eq!(ran.report().findings.len(), groups - left);
        assert_eq!(ran.report().partial, left > 0);
    }
}
