//! Counts of what was found, added up.

use chrono::NaiveDate;

use super::*;
use crate::baseline::Baseline;
use crate::ec2::Place;
use crate::evaluate::{Code, Severity};
use crate::event::Record;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 2).unwrap()
}

fn baseline() -> BaselineName {
    BaselineName::from(&Baseline::load("standard", today()).unwrap())
}

/// A finding that a place was not audited, of severity high.
fn unaudited() -> Finding {
    let (place, record) = (Place::default(), Record::default());
    let origin = Origin { place: &place, group: None, record: Some(&record) };
    let time = today().and_hms_opt(12, 0, 0).unwrap().and_utc();
    origin.not_audited(Unaudited::Place, Reason::NoGroup(None), time)
}

fn tally(groups: usize, rules: usize, handed_on: usize, exempt_rules: usize) -> Tally {
    Tally { groups, rules, handed_on, exempt_rules, ..Tally::default() }
}

#[test]
fn what_is_reopened_three_times_in_a_day_is_opened_by_a_program() {
    let at = today().and_hms_opt(12, 0, 0).unwrap().and_utc();
    let is_war = |(status, times)| Life { status, first_seen: at, since: at, times }.is_war();
    assert!([(Status::Reopened, 3), (Status::Reopened, 4)].into_iter().all(is_war));
    let others = [(Status::Reopened, 2), (Status::Known, 3), (Status::New, 1)];
    assert!(!others.into_iter().any(is_war));
}

/// The daily mail would take one for the other.
#[test]
fn a_place_that_no_trail_feeds_and_one_of_which_no_event_came_are_two_findings() {
    let time = today().and_hms_opt(12, 0, 0).unwrap().and_utc();
    let place = Place::default();
    let origin = Origin { place: &place, group: None, record: None };
    let unheard = Unheard { since: time, seen: time, groups: Vec::new(), more: 1 };
    let fingerprint = |unfed| origin.unfed(unfed, None, time).fingerprint;
    let of_trails = fingerprint(Unfed::Trails(Vec::new()));
    assert_ne!(of_trails, fingerprint(Unfed::Unheard(unheard)));
}

#[test]
fn what_was_found_elsewhere_is_added() {
    let mut sum = tally(1, 2, 3, 4);
    sum.extend(Tally { partial: true, ..tally(10, 20, 30, 40) });
    sum.extend(tally(100, 200, 300, 400));
    let counts = (sum.groups, sum.rules, sum.handed_on, sum.exempt_rules);
    assert_eq!(counts, (111, 222, 333, 444));
    assert!(sum.partial);
}

#[test]
fn several_reports_are_one_that_is_as_bad_as_the_worst_and_as_unfinished() {
    let compliant = || Report::new(&baseline(), tally(1, 2, 0, 4));
    let ignored = || Report::skipped(&baseline(), ReportOutcome::Ignored, None);
    let open = || Report::new(&baseline(), Tally { partial: true, ..Tally::of(unaudited()) });
    let all = Report::merged(&baseline(), vec![ignored(), open(), compliant(), compliant()]);
    assert_eq!((all.groups, all.rules, all.totals.exempt), (2, 4, 8));
    assert_eq!(all.totals.by_code[&Code::UnauditedChange], 1);
    assert_eq!(all.totals.by_severity[&Severity::High], 1);
    assert_eq!(all.outcome, ReportOutcome::Noncompliant);
    assert!(all.partial);
    for (reports, outcome) in [
        (vec![ignored(), ignored()], ReportOutcome::Ignored),
        (vec![ignored(), compliant()], ReportOutcome::Compliant),
        (
            vec![compliant(), Report::new(&baseline(), tally(1, 1, 1, 0))],
            ReportOutcome::Noncompliant,
        ),
    ] {
        let merged = Report::merged(&baseline(), reports);
        assert_eq!(merged.outcome, outcome);
        assert!(!merged.partial);
    }
}

#[test]
fn what_several_reports_have_in_common_holds_for_all_of_them() {
    let other = BaselineName::from(&Baseline::load("restricted-egress", today()).unwrap());
    let of = |baseline: &BaselineName| Report::new(baseline, tally(1, 1, 0, 0));
    let merged = |reports| Report::merged(&baseline(), reports);
    assert_eq!(merged(vec![of(&other), of(&other)]).baseline, other);
    assert_eq!(merged(vec![of(&other), of(&baseline())]).baseline, baseline());
    let scheduled = Report { scheduled: true, ..of(&other) };
    assert!(merged(vec![scheduled, of(&other)]).scheduled);
}

#[test]
fn what_became_of_rules_that_were_handed_on_is_not_counted_twice() {
    let found = Report::new(&baseline(), tally(3, 9, 2, 1));
    let closed = || Report::new(&baseline(), Tally { groups: 1, ..Tally::of(unaudited()) });
    let whole = Report::completed(&baseline(), found, vec![closed(), closed()]);
    assert_eq!((whole.groups, whole.rules, whole.handed_on, whole.totals.exempt), (3, 9, 0, 1));
    assert_eq!(whole.findings.len(), 2);
}

#[test]
fn an_outcome_is_written_in_the_log_as_in_the_report() {
    for outcome in [
        ReportOutcome::Ignored,
        ReportOutcome::OutOfScope,
        ReportOutcome::Compliant,
        ReportOutcome::Noncompliant,
    ] {
        assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
    }
}
