//! Findings that an event ends, and since when they are open.

use super::*;
use crate::ec2::RuleId;
use crate::ec2::hold::{Claim, claim};
use crate::evaluate::Severity;
use crate::event::{Close, FoundBy, NotAudited, RuleToClose};
use crate::finding::{Remark, Status};
use crate::memory::MemoryLedger;

const OPEN: &str = "tcp 22 0.0.0.0/0 sgr-1";
const DATABASE: &str = "tcp 3306 0.0.0.0/0 sgr-2";

fn told(ec2: &MemoryEc2, ledger: &MemoryLedger, event: &Event, minute: i64) -> Report {
    let (notifier, home, settings) =
        (MemoryNotifier::default(), place(), settings(Remediation::Notify));
    let auditor = Auditor::new(ec2, &notifier, &notifier, &settings, &home)
        .with_ledger(ledger, Severity::Low);
    let now = noon() + TimeDelta::minutes(minute);
    block_on(auditor.audit(event, &|| now, None)).unwrap()
}

/// An event 40 seconds before the minute in which it is audited.
fn named(event_id: &str, kind: ChangeKind, minute: i64) -> Event {
    Event { record: record_of(event_id, minute), ..event(kind) }
}

fn record_of(event_id: &str, minute: i64) -> Record {
    let time = Some(noon() + TimeDelta::minutes(minute) - TimeDelta::seconds(40));
    Record { event_id: Some(event_id.to_owned()), time, ..record() }
}

fn opened(event_id: &str, minute: i64, texts: &[&str]) -> Event {
    named(event_id, ChangeKind::Authorized(rules(texts)), minute)
}

fn deleted(minute: i64) -> Event {
    let what = NotAudited::GroupDeleted(GroupKey::Id(id(SG)));
    let kind = Kind::NotAudited { what, reason: "the group is gone, with its rules".to_owned() };
    Event::new(record_of("e-deleted", minute), kind)
}

/// A group with these rules, each of which was found.
fn found_open(texts: &[&str]) -> (MemoryEc2, MemoryLedger) {
    let (ec2, ledger) = (ec2(&rules(texts)), MemoryLedger::default());
    told(&ec2, &ledger, &opened("e-1", 0, texts), 0);
    (ec2, ledger)
}

fn statuses(report: &Report) -> Vec<String> {
    let of = |finding: &Finding| {
        let status = finding.life.unwrap().status.as_str();
        format!("{status} {}", finding.rule().map(rule_text).unwrap_or_default())
    };
    let lasting = report.findings.iter().filter(|finding| finding.life.is_some());
    lasting.map(of).collect()
}

#[test]
fn a_rule_that_is_modified_resolves_what_was_found_of_it() {
    let (_, ledger) = found_open(&[OPEN, DATABASE]);
    let after = ec2(&rules(&["tcp 443 0.0.0.0/0 sgr-1", DATABASE]));
    let modified = ChangeKind::Modified(vec![modified("tcp 443 0.0.0.0/0 sgr-1")]);
    let event = named("e-2", modified, 5);
    let report = told(&after, &ledger, &event, 5);
    assert_eq!(statuses(&report), ["resolved tcp 22 from 0.0.0.0/0"]);
    assert_eq!(report.outcome, ReportOutcome::Compliant);
    assert!(told(&after, &ledger, &event, 6).findings.is_empty(), "it is told once");
}

#[test]
fn a_rule_that_is_modified_to_something_else_that_is_too_much_is_new_and_resolves_the_other() {
    let (_, ledger) = found_open(&[OPEN]);
    let wider = "tcp 22-23 0.0.0.0/0 sgr-1";
    let after = ec2(&rules(&[wider]));
    let event = named("e-2", ChangeKind::Modified(vec![modified(wider)]), 5);
    assert_eq!(
        statuses(&told(&after, &ledger, &event, 5)),
        ["new tcp 22-23 from 0.0.0.0/0", "resolved tcp 22 from 0.0.0.0/0"]
    );
}

#[test]
fn a_modification_that_changes_no_traffic_or_another_rule_resolves_nothing() {
    for same in [OPEN, "tcp 80 0.0.0.0/0 sgr-9"] {
        let (ec2, ledger) = found_open(&[OPEN]);
        let event = named("e-2", ChangeKind::Modified(vec![modified(same)]), 5);
        let report = told(&ec2, &ledger, &event, 5);
        let is_resolved =
            |finding: &Finding| finding.life.is_some_and(|life| life.status == Status::Resolved);
        assert!(!report.findings.iter().any(is_resolved), "{same}: {:?}", statuses(&report));
        assert!(ledger.entries().iter().any(|it| it.brief.is_open
            && rule_text(it.brief.rule.as_ref().unwrap()) == "tcp 22 from 0.0.0.0/0"));
    }
}

/// The event is late, and the rule was modified back and found again meanwhile.
#[test]
fn a_modification_that_is_older_than_what_was_found_resolves_nothing() {
    let (ec2, ledger) = found_open(&[OPEN]);
    told(&ec2, &ledger, &sweep(), 10);
    let event = named("e-2", ChangeKind::Modified(vec![modified("tcp 443 0.0.0.0/0 sgr-1")]), 5);
    told(&ec2, &ledger, &event, 15);
    assert!(ledger.entries().iter().all(|entry| entry.brief.is_open));
}

#[test]
fn a_group_that_is_deleted_resolves_all_that_was_found_of_it_and_nothing_else() {
    let (ec2, ledger) = found_open(&[OPEN, DATABASE]);
    let other = GroupChange {
        group: GroupKey::Id(numbered(7)),
        owner: None,
        kind: ChangeKind::Authorized(rules(&[OPEN])),
    };
    told(&ec2, &ledger, &Event::new(record_of("e-2", 1), Kind::Change(other)), 1);
    ec2.delete_group(&id(SG));
    let report = told(&ec2, &ledger, &deleted(5), 5);
    let mut said = statuses(&report);
    said.sort();
    assert_eq!(said, ["resolved tcp 22 from 0.0.0.0/0", "resolved tcp 3306 from 0.0.0.0/0"]);
    assert_eq!(report.outcome, ReportOutcome::Compliant);
    let report = told(&ec2, &ledger, &deleted(5), 6);
    assert_eq!((report.outcome, report.findings.len()), (ReportOutcome::Ignored, 0));
}

#[test]
fn where_the_table_fails_the_deletion_of_a_group_is_ignored_as_without_it() {
    let (ec2, ledger) = found_open(&[OPEN]);
    ledger.set_hook(Box::new(|_| Err(LedgerError(cause("throttled")))));
    let report = told(&ec2, &ledger, &deleted(5), 5);
    assert_eq!((report.outcome, report.findings.len()), (ReportOutcome::Ignored, 0));
}

#[test]
fn the_age_of_a_finding_counts_from_when_it_was_opened_this_time() {
    const DAY: i64 = 24 * 60;
    let (ec2, ledger) = found_open(&[OPEN]);
    let removed = RevokedRules {
        direction: Direction::Ingress,
        removed: Removed::Rules(rules(&[OPEN])),
        ids: Vec::new(),
    };
    let gone = told(&ec2, &ledger, &named("e-2", ChangeKind::Revoked(removed), DAY), DAY);
    let life = only(&gone).life.unwrap();
    assert_eq!(crate::text::timestamp(&life.since), "2026-11-02T11:59:20Z");
    told(&ec2, &ledger, &opened("e-3", 30 * DAY, &[OPEN]), 30 * DAY);
    let known = told(&ec2, &ledger, &sweep(), 32 * DAY);
    let life = only(&known).life.unwrap();
    assert_eq!(life.status, Status::Known);
    assert_eq!(life.first_seen, noon());
    assert_eq!(life.since, noon() + TimeDelta::days(30) - TimeDelta::seconds(40));
    let said = &messages(&known).unwrap()[0].body;
    assert!(said.contains("known for 2 days"), "{said}");
    let remembered = crate::ledger::item::Remembered {
        places: [(
            place(),
            crate::ledger::PlaceEntries { findings: ledger.entries(), ..Default::default() },
        )]
        .into(),
        ..Default::default()
    };
    let now = noon() + TimeDelta::days(32);
    let status = crate::report::remembered::to_text(&remembered, now);
    assert!(status.contains("critical, for 2 days"), "{status}");
}

/// Of what another version wrote, nothing is known. Everything else is as remembered.
#[test]
fn an_entry_that_is_not_understood_is_as_none_and_does_not_stop_the_others() {
    let (ec2, ledger) = found_open(&[OPEN]);
    ledger.forget_meanings();
    told(&ec2, &ledger, &opened("e-2", 1, &[DATABASE]), 1);
    for (event, minute) in [(opened("e-3", 5, &[OPEN]), 5), (sweep(), 6)] {
        let report = told(&ec2, &ledger, &event, minute);
        let of_rule = with_code(&report, Code::OpenSsh);
        assert_eq!(of_rule.life, None, "{event:?}");
        assert!(matches!(report.mail, crate::finding::Mail::Now { .. }), "{event:?}");
    }
    let again = told(&ec2, &ledger, &opened("e-4", 7, &[DATABASE]), 7);
    assert_eq!(statuses(&again), ["reopened tcp 3306 from 0.0.0.0/0"]);
}

/// A rule as a change or a sweep hands it on.
fn to_close(rule: &Rule, found_by: FoundBy, claim: Option<Claim>) -> RuleToClose {
    RuleToClose {
        place: place(),
        group: id(SG),
        rule: rule.clone(),
        note: None,
        found_by,
        promise: None,
        claim,
    }
}

/// The change had no time for the rule and handed it on.
#[test]
fn a_hold_that_is_judged_by_a_later_invocation_is_remembered_as_authorised() {
    let held = held_until(OPEN, "2026-11-02T20:00:00Z");
    let (ec2, ledger) = (ec2(std::slice::from_ref(&held)), MemoryLedger::default());
    let asked = claim(held.tags(), noon(), noon(), 24);
    let close = |found_by| {
        let claim = (found_by == FoundBy::Change).then(|| asked.clone());
        let close = Close { rules: vec![to_close(&held, found_by, claim)], occasion: None };
        Event::new(record_of("e-1", 0), Kind::Job(Job::Close(close)))
    };
    // What a sweep has found, nobody has seen being authorised.
    told(&ec2, &ledger, &close(FoundBy::Sweep), 0);
    // Somebody authorised it again, under another id.
    let again = self::ec2(&[held.clone().with_id(Some(id("sgr-2")))]);
    told(&again, &ledger, &close(FoundBy::Change), 0);
    assert_eq!(block_on(ledger.holds(&place())).unwrap(), []);
    let report = told(&ec2, &ledger, &close(FoundBy::Change), 1);
    assert_eq!(brief(&report), ["open-ssh held tcp 22 from 0.0.0.0/0"]);
    let [remembered] = &block_on(ledger.holds(&place())).unwrap()[..] else {
        panic!("one is held")
    };
    assert!(remembered.hold.is_some());
    assert_eq!(remembered.rule.id(), Some(&id::<RuleId>("sgr-1")));
}

#[test]
fn of_two_held_rules_the_one_whose_hold_was_not_remembered_says_so() {
    let held = [OPEN, "tcp 22 ::/0 sgr-2"].map(|text| held_until(text, "2026-11-02T20:00:00Z"));
    let (ec2, ledger) = (ec2(&held), MemoryLedger::default());
    ledger.set_hook(Box::new(|call| match call {
        "hold" => Err(LedgerError(cause("throttled"))),
        _ => Ok(()),
    }));
    let [named, tagged] = &held;
    let claimed = claim(named.tags(), noon(), noon(), 24);
    let rules = [(named, Some(claimed)), (tagged, None)];
    let rules = rules.map(|(rule, claim)| to_close(rule, FoundBy::Change, claim)).to_vec();
    let close = Job::Close(Close { rules, occasion: None });
    let report = told(&ec2, &ledger, &Event::new(record_of("e-1", 0), Kind::Job(close)), 1);
    let says = |finding: &&Finding| {
        finding.found_rule().unwrap().remarks.contains(&Remark::HoldNotRemembered)
    };
    assert_eq!(report.findings.len(), 2);
    let [finding] = report.findings.iter().filter(says).collect::<Vec<_>>()[..] else {
        panic!("{:#?}", report.findings)
    };
    assert_eq!(finding.rule().unwrap().id(), named.id());
}
