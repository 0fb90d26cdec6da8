//! Scope by tag: coming in, leaving, and leaving in order to evade.

use std::collections::BTreeMap;

use super::*;
use crate::event::{TagAction, TagChange};

fn scoped(remediation: Remediation) -> Settings {
    let scope = Scope::Tag { key: "Role".to_owned(), value: "typo3".to_owned() };
    Settings { scope, ..settings(remediation) }
}

fn tags(tags: BTreeMap<String, TagAction>, all_deleted: bool) -> Event {
    let Event::Change(change) = event(ChangeKind::Created) else { panic!("a change") };
    let groups = vec![SG.to_owned()];
    Event::Tags(Box::new(TagChange { record: change.record, groups, tags, all_deleted }))
}

fn tag(key: &str, action: TagAction) -> Event {
    tags([(key.to_owned(), action)].into(), false)
}

fn set(key: &str, value: &str) -> Event {
    tag(key, TagAction::Set(value.to_owned()))
}

/// The group with this tag and no other.
fn world(tag: Option<&str>, rules: &[&str]) -> MemoryEc2 {
    let tags = tag.map(|value| ("Role".to_owned(), value.to_owned())).into_iter().collect();
    let rules = rules.iter().map(|text| rule(text)).collect();
    MemoryEc2::new([(place(), Group { tags, ..group() }, rules)], Lists::new())
}

const OPEN: &str = "tcp 22 0.0.0.0/0 sgr-1";

#[test]
fn a_group_that_comes_in_is_audited_as_a_whole() {
    let world = world(Some("typo3"), &[OPEN, "tcp 443 0.0.0.0/0 sgr-2"]);
    let report = run(&world, &scoped(Remediation::RevertSsh), &set("Role", "typo3")).unwrap();
    // It was there before, and what was there before is reverted only as the sweep would.
    assert_eq!(told(&report), ["open-ssh none tcp 22 from 0.0.0.0/0"]);
    assert_eq!(report.rules_audited, 2);
    let detail = &only(&report).remediation.detail;
    assert!(detail.contains("only reported, as SWEEP_REMEDIATION says"), "{detail}");
    let mut sweeping = scoped(Remediation::Notify);
    sweeping.sweep_remediation = Remediation::RevertSsh;
    let report = run(&world, &sweeping, &set("Role", "typo3")).unwrap();
    assert_eq!(told(&report), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
    assert!(only(&report).remediation.detail.contains("came into the scope"));
}

#[test]
fn a_group_that_leaves_is_acted_on_once_more() {
    for (event, now) in [
        (tag("Role", TagAction::Deleted(None)), None),
        (tag("Role", TagAction::Deleted(Some("typo3".to_owned()))), None),
        (set("Role", "wiki"), Some("wiki")),
        (tags(BTreeMap::new(), true), None),
    ] {
        let world = world(now, &[OPEN]);
        let report = run(&world, &scoped(Remediation::RevertSsh), &event).unwrap();
        assert_eq!(
            told(&report),
            ["open-ssh narrowed tcp 22 from 0.0.0.0/0", "left-scope none"],
            "{event:?}"
        );
        assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24"]);
        let left = report.findings.iter().find(|it| it.code == Code::LeftScope).unwrap();
        assert_eq!(left.severity.as_str(), "high");
        assert!(left.remediation.detail.contains("not audited any more"), "{left:?}");
    }
}

#[test]
fn opened_between_leaving_and_coming_back() {
    // The opening itself came while the group was out.
    let opened = event(ChangeKind::Authorized(vec![rule(OPEN)]));
    let out = world(None, &[OPEN]);
    let report = run(&out, &scoped(Remediation::RevertSsh), &opened).unwrap();
    assert_eq!(report.outcome, ReportOutcome::OutOfScope);
    // The event of the leaving comes when the group is back: what was opened is seen all the same.
    let back = world(Some("typo3"), &[OPEN]);
    let left = tag("Role", TagAction::Deleted(None));
    let report = run(&back, &scoped(Remediation::RevertSsh), &left).unwrap();
    assert_eq!(told(&report)[0], "open-ssh narrowed tcp 22 from 0.0.0.0/0");
    let finding = report.findings.iter().find(|it| it.code == Code::LeftScope).unwrap();
    assert!(finding.remediation.detail.contains("It has the tag again"));
}

#[test]
fn other_tags_are_nobodys_business() {
    let world = world(Some("typo3"), &[OPEN]);
    for event in [
        set("Owner", "ops"),
        tag("Owner", TagAction::Deleted(None)),
        // EC2 deletes a tag only where it has the value that is said.
        tag("Role", TagAction::Deleted(Some("wiki".to_owned()))),
    ] {
        let report = run(&world, &scoped(Remediation::RevertSsh), &event).unwrap();
        assert_eq!(report.outcome, ReportOutcome::Ignored, "{event:?}");
    }
    let everything = run(&world, &settings(Remediation::RevertSsh), &set("Role", "wiki")).unwrap();
    assert_eq!(everything.outcome, ReportOutcome::Ignored);
    assert_eq!(world.take_calls(), Vec::<String>::new());
}

#[test]
fn a_group_that_is_gone_or_cannot_be_read() {
    let empty = MemoryEc2::new([], Lists::new());
    let left = tag("Role", TagAction::Deleted(None));
    let report = run(&empty, &scoped(Remediation::RevertSsh), &left).unwrap();
    assert_eq!(told(&report).len(), 0);
    let world = world(None, &[OPEN]);
    for call in ["group", "rules"] {
        let denied = Staged::new(&world, |made, _| {
            (made == call)
                .then(|| Ec2Error::Denied { action: "Describe", message: "no".to_owned() })
        });
        let report = run(&denied, &scoped(Remediation::RevertSsh), &left).unwrap();
        assert_eq!(told(&report), ["unaudited-change none"]);
        let throttled = Staged::new(&world, |made, _| {
            (made == call)
                .then(|| Ec2Error::Passing { action: "Describe", message: "later".to_owned() })
        });
        assert!(run(&throttled, &scoped(Remediation::RevertSsh), &left).is_err());
    }
}

#[test]
fn a_tag_call_that_was_cut_short_hides_no_leaving() {
    let Event::Change(mut change) = event(ChangeKind::Unknown("cut short".to_owned())) else {
        panic!("a change")
    };
    change.record.event_name = Some("DeleteTags".to_owned());
    let world = world(None, &[OPEN]);
    let event = Event::Change(change);
    let report = run(&world, &scoped(Remediation::RevertSsh), &event).unwrap();
    assert_eq!(told(&report), ["open-ssh narrowed tcp 22 from 0.0.0.0/0", "left-scope none"]);
}
