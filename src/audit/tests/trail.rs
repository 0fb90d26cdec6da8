//! A sweep tells that no trail feeds the auditor, once a day.

use super::*;
use crate::evaluate::Severity;
use crate::event::Schedule;
use crate::event::trail::Records;
use crate::finding::Unfed;

type Trails = std::result::Result<Vec<Trail>, Ec2Error>;

fn trail(region: &str, is_of_all_regions: bool, logs: bool, records: Records) -> Trail {
    Trail {
        arn: format!("arn:aws:cloudtrail:{region}:123456789012:trail/audit"),
        home: id(region),
        is_of_all_regions,
        seen: Ok((logs, records)),
    }
}

/// One that the function may not look at.
fn hidden() -> Trail {
    Trail { seen: Err(denied()), ..trail("eu-central-1", false, true, Records::All) }
}

/// The finding about trails of a sweep of the group, if there is one.
fn told_by(sweep: Sweep, trails: &Trails, now: DateTime<Utc>) -> Option<Finding> {
    let (world, settings) = (ec2(&rules(&["tcp 443 0.0.0.0/0"])), settings(Remediation::Notify));
    let (notifier, home) = (MemoryNotifier::default(), place());
    let auditor = Auditor::new(&world, &notifier, &notifier, &settings, &home)
        .with_stack(Some("typo3-sg-auditor"))
        .with_trails(trails);
    let event = message(Job::Sweep(sweep));
    let report = block_on(auditor.audit(&event, &|| now, None)).unwrap();
    report.findings.into_iter().find(|finding| matches!(finding.matter, Matter::Unfed { .. }))
}

fn told(trails: &Trails) -> Option<Finding> {
    told_by(Sweep::default(), trails, noon())
}

#[test]
fn a_trail_that_records_what_writes_in_the_region_is_no_finding() {
    for trails in [
        vec![trail("eu-central-1", false, true, Records::All)],
        vec![trail("us-east-1", true, true, Records::All)],
        // The doctor warns of its conditions.
        vec![trail("eu-central-1", false, true, Records::Partly("eventName".to_owned()))],
        vec![
            trail("eu-central-1", false, false, Records::All),
            hidden(),
            trail("us-east-1", true, true, Records::All),
        ],
    ] {
        assert!(told(&Ok(trails.clone())).is_none(), "{trails:?}");
    }
}

#[test]
fn without_such_a_trail_a_sweep_tells_and_says_what_mends_it() {
    let start = "aws cloudtrail start-logging --region 'eu-central-1' --name \
                 'arn:aws:cloudtrail:eu-central-1:123456789012:trail/audit'";
    let doctor = "sg-audit doctor --stack 'typo3-sg-auditor' --region 'eu-central-1'";
    let of_organisation = Trail {
        arn: "arn:aws:cloudtrail:us-east-1:210987654321:trail/o-1a2b3c4d5e/audit".to_owned(),
        ..trail("us-east-1", true, false, Records::All)
    };
    for (trails, line, words) in [
        (vec![], doctor, "no CloudTrail trail records them"),
        (
            vec![trail("eu-central-1", false, false, Records::All)],
            start,
            "the trail audit is stopped",
        ),
        // Data events of S3, for example.
        (
            vec![trail("us-east-1", true, true, Records::None)],
            doctor,
            "the trail audit records no management events",
        ),
        // Of another region only.
        (
            vec![trail("us-east-1", false, true, Records::All)],
            doctor,
            "no CloudTrail trail records them",
        ),
        // Only the management account may start it.
        (vec![of_organisation], doctor, "the trail audit is stopped"),
    ] {
        let finding = told(&Ok(trails.clone())).unwrap();
        assert_eq!(finding.code, Code::UnauditedChange);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(finding.fix.as_deref(), Some(line));
        let title = to_title(&finding);
        assert!(title.ends_with(words), "{title}");
    }
}

#[test]
fn a_look_up_that_fails_does_not_stop_the_sweep_and_is_told_with_the_missing_right() {
    for trails in [
        Err(denied()),
        Ok(vec![hidden()]),
        // This one does not record, and the other one may.
        Ok(vec![trail("eu-central-1", false, false, Records::All), hidden()]),
    ] {
        let finding = told(&trails).unwrap();
        assert_eq!((finding.code, finding.severity), (Code::UnauditedChange, Severity::Low));
        let Matter::Unfed { unfed: Unfed::NotSeen(Ec2Error::Denied { action, .. }), .. } =
            &finding.matter
        else {
            panic!("{finding:#?}")
        };
        let title = to_title(&finding);
        assert!(title.starts_with("It is not known whether") && title.contains(action), "{title}");
        assert!(finding.fix.is_some());
    }
}

#[test]
fn only_the_first_hourly_sweep_of_a_day_tells() {
    let hours = |schedule| -> Vec<u32> {
        let told = |hour: &u32| {
            let sweep = Sweep { schedule, ..Sweep::default() };
            let now = at(&format!("2026-11-02T{hour:02}:59:30Z"));
            told_by(sweep, &Ok(Vec::new()), now).is_some()
        };
        (0..24).filter(told).collect()
    };
    assert_eq!(hours(Some(Schedule::Hourly)), [0]);
    let all: Vec<u32> = (0..24).collect();
    for schedule in [None, Some(Schedule::Daily), Some(Schedule::Weekly), Some(Schedule::Off)] {
        assert_eq!(hours(schedule), all, "{schedule:?}");
    }
}

#[test]
fn only_the_first_invocation_of_a_sweep_of_the_functions_own_place_looks() {
    let none = || Ok(Vec::new());
    let resumed = crate::event::Resume { page: Some("2".to_owned()), ..Default::default() };
    for sweep in [
        Sweep { resume: resumed, ..Sweep::default() },
        Sweep { regions: vec![id("eu-west-1")], ..Sweep::default() },
        Sweep { accounts: vec![id("210987654321")], ..Sweep::default() },
    ] {
        assert!(told_by(sweep.clone(), &none(), noon()).is_none(), "{sweep:?}");
    }
    let with_others =
        Sweep { regions: vec![id("eu-west-1"), id("eu-central-1")], ..Sweep::default() };
    assert!(told_by(with_others, &none(), noon()).is_some());
}
