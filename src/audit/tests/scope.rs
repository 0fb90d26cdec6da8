//! Scope by tag: groups that enter it, and groups that leave it, perhaps to evade the audit.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::event::{Note, TagAction, TagChange};
use crate::finding::ScopeExit;

fn scoped(remediation: Remediation) -> Settings {
    Settings { scope: role_scope(), ..settings(remediation) }
}

fn tags(tags: BTreeMap<String, TagAction>, all_deleted: bool) -> Event {
    let kind = Kind::Tags(TagChange { groups: vec![id(SG)], tags, all_deleted });
    Event::new(record(), kind)
}

fn tag(key: &str, action: TagAction) -> Event {
    tags([(key.to_owned(), action)].into(), false)
}

fn set(key: &str, value: &str) -> Event {
    tag(key, TagAction::Set(value.to_owned()))
}

/// The group with this value of its tag, or without the tag.
fn tagged_group(value: Option<&str>, texts: &[&str]) -> MemoryEc2 {
    let tags = value.map(|value| ("Role".to_owned(), value.to_owned())).into_iter().collect();
    MemoryEc2::new([(place(), Group { tags: Some(tags), ..group() }, rules(texts))], Lists::new())
}

fn scope_exit(report: &Report) -> (&ScopeExit, bool) {
    let finding = with_code(report, Code::LeftScope);
    let Matter::LeftScope { exit, is_back } = &finding.matter else { panic!("{finding:#?}") };
    (exit, *is_back)
}

const OPEN: &str = "tcp 22 0.0.0.0/0 sgr-1";

#[test]
fn a_group_that_enters_the_scope_is_audited_as_a_whole() {
    let world = tagged_group(Some("typo3"), &[OPEN, "tcp 443 0.0.0.0/0 sgr-2"]);
    let ran = run_at(&world, &scoped(Remediation::RevertSsh), &set("Role", "typo3"), noon(), None);
    // The rule may have been there before, so SWEEP_REMEDIATION decides.
    assert_eq!(brief(ran.report()), ["open-ssh none tcp 22 from 0.0.0.0/0"]);
    assert_eq!(ran.report().rules, 2);
    let Action::NotDue { why, .. } = found(ran.report()).action else { panic!("not due") };
    assert_eq!(why, NotDue::SweepOnlyReported);
    let detail = ran.detail();
    assert!(detail.contains("only reported, as SWEEP_REMEDIATION says"), "{detail}");

    let sweeping =
        Settings { sweep_remediation: Remediation::RevertSsh, ..scoped(Remediation::Notify) };
    let ran = run_at(&world, &sweeping, &set("Role", "typo3"), noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
    assert_eq!(found(ran.report()).remarks, [Remark::Note(Note::EnteredScope)]);
    assert!(ran.detail().contains("came into the scope"), "{}", ran.detail());
}

#[test]
fn a_group_that_leaves_the_scope_is_reverted_one_last_time() {
    let deleted = || ScopeExit::Deleted("Role".to_owned());
    for (event, now, exit) in [
        (tag("Role", TagAction::Deleted(None)), None, deleted()),
        (tag("Role", TagAction::Deleted(Some("typo3".to_owned()))), None, deleted()),
        (set("Role", "wiki"), Some("wiki"), ScopeExit::OtherValue("Role".to_owned())),
        (tags(BTreeMap::new(), true), None, deleted()),
    ] {
        let world = tagged_group(now, &[OPEN]);
        let report = run(&world, &scoped(Remediation::RevertSsh), &event).unwrap();
        assert_eq!(
            brief(&report),
            ["open-ssh narrowed tcp 22 from 0.0.0.0/0", "left-scope none"],
            "{event:?}"
        );
        assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24"]);
        assert_eq!(with_code(&report, Code::LeftScope).severity.as_str(), "high");
        assert_eq!(scope_exit(&report), (&exit, false));
    }
    let world = tagged_group(None, &[]);
    let left = tag("Role", TagAction::Deleted(None));
    let detail = run_at(&world, &scoped(Remediation::RevertSsh), &left, noon(), None).detail();
    assert!(detail.contains("not audited any more"), "{detail}");
}

#[test]
fn a_rule_opened_between_leaving_and_coming_back_is_found() {
    // The group was out of scope when the rule was opened.
    let opened = authorized(&[OPEN]);
    let out = tagged_group(None, &[OPEN]);
    let report = run(&out, &scoped(Remediation::RevertSsh), &opened).unwrap();
    assert_eq!(report.outcome, ReportOutcome::OutOfScope);
    let [Skipped::OutOfScope(group)] = &report.skipped[..] else { panic!("{:?}", report.skipped) };
    assert_eq!(group.as_str(), SG);
    // The event that it left arrives when the group is back, and the rule is seen all the same.
    let back = tagged_group(Some("typo3"), &[OPEN]);
    let left = tag("Role", TagAction::Deleted(None));
    let report = run(&back, &scoped(Remediation::RevertSsh), &left).unwrap();
    assert_eq!(brief(&report)[0], "open-ssh narrowed tcp 22 from 0.0.0.0/0");
    assert_eq!(scope_exit(&report), (&ScopeExit::Deleted("Role".to_owned()), true));
    let back = tagged_group(Some("typo3"), &[]);
    let detail = run_at(&back, &scoped(Remediation::RevertSsh), &left, noon(), None).detail();
    assert!(detail.contains("It has the tag again"), "{detail}");
}

#[test]
fn changes_of_other_tags_are_ignored() {
    let world = tagged_group(Some("typo3"), &[OPEN]);
    for event in [
        set("Owner", "ops"),
        tag("Owner", TagAction::Deleted(None)),
        // EC2 deletes a tag only if it has the value in the request.
        tag("Role", TagAction::Deleted(Some("wiki".to_owned()))),
    ] {
        let report = run(&world, &scoped(Remediation::RevertSsh), &event).unwrap();
        assert_eq!(report.outcome, ReportOutcome::Ignored, "{event:?}");
        assert!(matches!(report.skipped[..], [Skipped::OtherTags]), "{:?}", report.skipped);
    }
    let everything = run(&world, &settings(Remediation::RevertSsh), &set("Role", "wiki")).unwrap();
    assert_eq!(everything.outcome, ReportOutcome::Ignored);
    assert_eq!(world.take_calls(), Vec::<String>::new());
}

#[test]
fn a_group_that_left_and_cannot_be_read_is_unaudited_unless_it_was_deleted() {
    let empty = MemoryEc2::new([], Lists::new());
    let left = tag("Role", TagAction::Deleted(None));
    let report = run(&empty, &scoped(Remediation::RevertSsh), &left).unwrap();
    assert_eq!(report.findings.len(), 0);
    let world = tagged_group(None, &[OPEN]);
    let reads: [fn(&Call<'_>) -> bool; 2] =
        [|call| matches!(call, Call::Group(_)), |call| matches!(call, Call::Rules(_))];
    for is_read in reads {
        let refusing = hooked(&world, |call| is_read(&call).then(denied));
        let report = run(&refusing, &scoped(Remediation::RevertSsh), &left).unwrap();
        assert_eq!(brief(&report), ["unaudited-change none"]);
        let throttling = hooked(&world, |call| is_read(&call).then(throttled));
        assert!(run(&throttling, &scoped(Remediation::RevertSsh), &left).is_err());
    }
}

#[test]
fn a_tag_call_whose_record_was_cut_short_cannot_hide_that_a_group_left() {
    let mut event = event(ChangeKind::Retagged("cut short".to_owned()));
    event.record.event_name = Some("DeleteTags".to_owned());
    let world = tagged_group(None, &[OPEN]);
    let report = run(&world, &scoped(Remediation::RevertSsh), &event).unwrap();
    assert_eq!(brief(&report), ["open-ssh narrowed tcp 22 from 0.0.0.0/0", "left-scope none"]);
    assert_eq!(scope_exit(&report), (&ScopeExit::Missing("Role".to_owned()), false));
}

#[test]
fn after_a_tag_call_that_was_cut_short_nothing_is_said_about_closed_traffic() {
    let event = event(ChangeKind::Retagged("cut short".to_owned()));
    let world = tagged_group(Some("typo3"), &[OPEN]);
    let report = run(&world, &scoped(Remediation::Notify), &event).unwrap();
    assert_eq!(brief(&report), ["open-ssh none tcp 22 from 0.0.0.0/0"]);
}

#[test]
fn groups_of_a_tag_call_that_there_is_no_time_for_are_handed_on() {
    let untagged = |number| Group { id: numbered(number), tags: Some(BTreeMap::new()), ..group() };
    let groups = (0..10).map(|number| (place(), untagged(number), rules(&[OPEN])));
    let world = MemoryEc2::new(groups, Lists::new());
    let event = Event {
        record: Record { event_name: Some("DeleteTags".to_owned()), ..record() },
        kind: Kind::Tags(TagChange {
            groups: (0..10).map(numbered).collect(),
            tags: [("Role".to_owned(), TagAction::Deleted(None))].into(),
            all_deleted: false,
        }),
        depth: 0,
    };
    // Each call takes ten seconds.
    let now = Cell::new(noon());
    let slow = hooked(&world, |_| {
        now.set(now.get() + TimeDelta::seconds(10));
        None
    });
    let mut ids = BTreeSet::new();
    for report in chain(&slow, &scoped(Remediation::Notify), event, &now) {
        let left = report.findings.into_iter().filter(|it| it.code == Code::LeftScope);
        ids.extend(left.map(|finding| {
            let change = finding.change.unwrap();
            assert_eq!(change.event_id.as_deref(), Some("e-1"));
            assert_eq!(change.event_name.as_deref(), Some("DeleteTags"));
            finding.group.unwrap().id
        }));
    }
    assert_eq!(ids.len(), 10);
}
