//! Groups that were opened without an event are told: nobody hears of changes there.

use super::*;
use crate::evaluate::Severity;
use crate::event::Resume;
use crate::finding::{Unfed, Unheard};
use crate::memory::MemoryLedger;

const WEB: &str = "tcp 443 0.0.0.0/0 sgr-1";
const OPENED: &str = "tcp 3306 198.51.100.0/24";

/// A place with one group, and what is remembered of it.
struct Site {
    ec2: MemoryEc2,
    ledger: MemoryLedger,
    settings: Settings,
    place: Place,
}

impl Site {
    fn new() -> Self {
        Self::at(place())
    }

    fn at(place: Place) -> Self {
        let group = Group { owner: place.account.clone(), ..group() };
        let ec2 = MemoryEc2::new([(place.clone(), group, rules(&[WEB]))], Lists::new());
        let ledger = MemoryLedger::default();
        Self { ec2, ledger, settings: settings(Remediation::Notify), place }
    }

    /// Somebody authorises a rule. Whether an event of it comes is another matter.
    fn opens(&self, text: &str) {
        block_on(self.ec2.authorize(&self.place, &group().id, &rule(text))).unwrap();
    }

    fn hears(&self, event: &Event, hour: i64) -> Report {
        let now = noon() + TimeDelta::hours(hour);
        let (account, region) = (self.place.account.clone(), self.place.region.clone());
        let record = Record { account, region, time: Some(now), ..event.record.clone() };
        let event = match event.kind {
            Kind::Job(_) => event.clone(),
            _ => Event { record, ..event.clone() },
        };
        let (notifier, home) = (MemoryNotifier::default(), place());
        let auditor = Auditor::new(&self.ec2, &notifier, &notifier, &self.settings, &home)
            .with_members(true)
            .with_stack(Some("typo3-sg-auditor"))
            .with_ledger(&self.ledger, Severity::Low);
        let mut report = block_on(auditor.audit(&event, &|| now, None)).unwrap();
        for payload in notifier.take_handed_on() {
            let payload = payload.to_string();
            let closed = block_on(auditor.handle(payload.as_bytes(), &|| now, None)).unwrap();
            report.findings.extend(closed.findings);
        }
        report
    }

    /// The finding of a sweep of the place, if there is one.
    fn sweeps(&self, hour: i64) -> Option<Finding> {
        let accounts = self.place.account.iter().cloned().collect();
        let regions = self.place.region.iter().cloned().collect();
        let sweep = Sweep { accounts, regions, ..Sweep::default() };
        let report = self.hears(&message(Job::Sweep(sweep)), hour);
        report.findings.into_iter().find(is_unheard)
    }
}

fn is_unheard(finding: &Finding) -> bool {
    matches!(finding.matter, Matter::Unfed { unfed: Unfed::Unheard(_), .. })
}

#[test]
fn a_change_of_which_no_event_comes_is_told_once_by_the_sweep_after_the_one_that_saw_it() {
    let site = Site::new();
    assert!(site.sweeps(0).is_none());
    site.opens(OPENED);
    // Its event may still be under way.
    assert!(site.sweeps(24).is_none());
    let finding = site.sweeps(48).expect("no event came");
    assert_eq!((finding.code, finding.severity), (Code::UnauditedChange, Severity::High));
    assert_eq!(
        to_title(&finding),
        "Security groups of account 123456789012 in eu-central-1 changed, and no event reported it: \
         sg-0123456789abcdef0, between 2026-11-02 12:00 UTC and 2026-11-03 12:00 UTC"
    );
    let doctor = "sg-audit doctor --stack 'typo3-sg-auditor' --region 'eu-central-1'";
    assert_eq!(finding.fix.as_deref(), Some(doctor));
    assert!(site.sweeps(72).is_none(), "it is told once");
    // The next one is told again.
    site.opens("tcp 22 198.51.100.7/32");
    assert!(site.sweeps(96).is_none());
    assert!(site.sweeps(120).is_some());
}

#[test]
fn in_another_account_the_line_looks_at_the_rules_there() {
    let site = Site::at(Place { account: Some(id("210987654321")), ..place() });
    site.sweeps(0);
    site.opens(OPENED);
    site.sweeps(24);
    let finding = site.sweeps(48).expect("no event came");
    let line = "aws events list-rules --region 'eu-central-1' --name-prefix sg-auditor- \
                --query 'Rules[].[Name,State]' --output text";
    assert_eq!(finding.fix.as_deref(), Some(line));
}

#[test]
fn a_change_of_which_an_event_came_is_none_whether_before_or_after_the_sweep_saw_it() {
    for heard_at in [1, 23, 25, 47] {
        let site = Site::new();
        site.sweeps(0);
        site.opens(OPENED);
        for hour in [heard_at, 24, 48, 72].into_iter().collect::<std::collections::BTreeSet<_>>() {
            if hour == heard_at {
                site.hears(&authorized(&[OPENED]), hour);
            } else {
                assert!(site.sweeps(hour).is_none(), "heard after {heard_at} h, at {hour} h");
            }
        }
    }
}

#[test]
fn an_event_of_long_before_is_no_proof_and_a_rule_that_is_disabled_after_it_is_noticed() {
    let site = Site::new();
    site.hears(&authorized(&["tcp 25 198.51.100.0/24"]), -2);
    site.sweeps(0);
    // Somebody disables the rule that forwards events, and then opens something.
    site.opens(OPENED);
    site.sweeps(24);
    assert!(site.sweeps(48).is_some());
}

#[test]
fn a_change_that_complies_is_none_because_its_event_leaves_no_trace() {
    let site = Site::new();
    site.opens("tcp 25 198.51.100.0/24");
    site.sweeps(0);
    // Beside it, what was found before is no news.
    site.opens("tcp 22 203.0.113.0/24");
    for hour in [24, 48] {
        assert!(site.sweeps(hour).is_none(), "at {hour} h");
    }
}

#[test]
fn under_another_baseline_what_was_there_before_is_no_change() {
    let mut site = Site::new();
    site.opens("tcp 22 203.0.113.0/24");
    site.sweeps(0);
    site.settings.baseline = site.settings.baseline.with_ssh_sources(Vec::new());
    site.opens("tcp 80 0.0.0.0/0");
    for hour in [24, 48] {
        assert!(site.sweeps(hour).is_none(), "at {hour} h");
    }
}

#[test]
fn what_the_auditor_itself_closed_is_no_change() {
    let mut site = Site::new();
    site.settings.remediation = Remediation::RevertSsh;
    site.settings.sweep_remediation = Remediation::RevertSsh;
    site.opens("tcp 22 0.0.0.0/0 sgr-2");
    // The first only plans.
    for hour in [0, 24] {
        assert!(site.sweeps(hour).is_none(), "at {hour} h");
    }
    let left = ingress(&site.ec2);
    assert!(!left.contains(&"tcp 22 from 0.0.0.0/0".to_owned()), "{left:?}");
    for hour in [48, 72] {
        assert!(site.sweeps(hour).is_none(), "at {hour} h");
    }
}

#[test]
fn groups_that_come_and_go_did_not_change() {
    let site = Site::new();
    site.sweeps(0);
    site.ec2.delete_group(&group().id);
    assert!(site.sweeps(24).is_none());
    assert!(site.sweeps(48).is_none());
}

#[test]
fn an_hourly_sweep_waits_until_the_event_can_no_longer_be_under_way() {
    let site = Site::new();
    site.sweeps(0);
    site.opens(OPENED);
    let told: Vec<i64> = (1..8).filter(|hour| site.sweeps(*hour).is_some()).collect();
    assert_eq!(told, [4]);
}

#[test]
fn a_sweep_that_does_not_read_the_whole_place_at_once_compares_nothing_and_forgets_nothing() {
    let site = Site::new();
    site.sweeps(0);
    let resumed =
        Sweep { resume: Resume { began: Some(noon()), ..Resume::default() }, ..Sweep::default() };
    let report = site.hears(&message(Job::Sweep(resumed)), 24);
    assert!(!report.findings.iter().any(is_unheard));
    site.opens(OPENED);
    // The next whole one sees it, and the one after that tells.
    assert!(site.sweeps(48).is_none());
    assert!(site.sweeps(72).is_some());
}

#[test]
fn without_the_table_nothing_is_told_and_the_sweep_goes_on() {
    for failing in ["place", "keep", "answer"] {
        let site = Site::new();
        site.sweeps(0);
        site.ledger.set_hook(Box::new(move |call| match call == failing {
            true => Err(LedgerError(cause("ResourceNotFoundException"))),
            false => Ok(()),
        }));
        site.opens("tcp 22 0.0.0.0/0");
        assert!(site.sweeps(24).is_none(), "{failing}");
        let report = site.hears(&sweep(), 48);
        let open = report.findings.iter().filter(|finding| finding.code == Code::OpenSsh).count();
        assert_eq!(open, 1, "{failing}");
    }
}

#[test]
fn some_groups_are_named_and_the_others_counted() {
    let world = (0..9).map(|number| {
        let group = Group { id: numbered(number), ..group() };
        (place(), group, rules(&[WEB]))
    });
    let site = Site { ec2: MemoryEc2::new(world, Lists::new()), ..Site::new() };
    site.sweeps(0);
    for number in 0..9 {
        block_on(site.ec2.authorize(&site.place, &numbered(number), &rule(OPENED))).unwrap();
    }
    site.sweeps(24);
    let finding = site.sweeps(48).unwrap();
    let Matter::Unfed { unfed: Unfed::Unheard(Unheard { groups, more, .. }), .. } = finding.matter
    else {
        panic!("another matter")
    };
    assert_eq!((groups.len(), more), (5, 4));
}

#[test]
fn a_change_is_told_although_the_table_failed_when_it_was_seen() {
    let site = Site::new();
    site.sweeps(0);
    site.opens(OPENED);
    site.ledger.set_hook(Box::new(|call| match call {
        "keep" => Err(LedgerError(cause("ThrottlingException"))),
        _ => Ok(()),
    }));
    assert!(site.sweeps(24).is_none());
    site.ledger.set_hook(Box::new(|_| Ok(())));
    assert!(site.sweeps(48).is_none());
    assert!(site.sweeps(72).is_some());
}

#[test]
fn a_change_that_was_seen_is_told_under_other_settings_too() {
    let mut site = Site::new();
    site.sweeps(0);
    site.opens(OPENED);
    assert!(site.sweeps(24).is_none());
    site.settings.revert_keeps = RevertKeeps::Nothing;
    assert!(site.sweeps(48).is_some());
    assert!(site.sweeps(72).is_none(), "it is told once");
}
