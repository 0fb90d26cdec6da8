//! What is remembered decides what is told and when, and never what is closed.

use super::*;
use crate::ec2::hold::Hold;
use crate::evaluate::Severity;
use crate::event::NotAudited;
use crate::finding::{Mail, Status};
use crate::ledger::HeldRule;
use crate::memory::MemoryLedger;

const OPEN: &str = "tcp 22 0.0.0.0/0 sgr-1";

/// An event of the id and the time.
fn opened(event_id: &str, minute: i64) -> (Event, DateTime<Utc>) {
    let time = noon() + TimeDelta::minutes(minute);
    let record = Record { event_id: Some(event_id.to_owned()), time: Some(time), ..record() };
    (Event { record, ..authorized(&[OPEN]) }, time + TimeDelta::seconds(40))
}

fn revoked(minute: i64) -> (Event, DateTime<Utc>) {
    let time = noon() + TimeDelta::minutes(minute);
    let removed = Removed::Rules(rules(&[OPEN]));
    let kind = ChangeKind::Revoked(RevokedRules {
        direction: Direction::Ingress,
        removed,
        ids: Vec::new(),
    });
    let id = Some(format!("revoked-{minute}"));
    let record = Record { event_id: id, time: Some(time), ..record() };
    (Event { record, ..event(kind) }, time + TimeDelta::seconds(40))
}

fn told(
    ec2: &impl SecurityGroups,
    ledger: &MemoryLedger,
    settings: &Settings,
    (event, now): &(Event, DateTime<Utc>),
) -> Report {
    let (notifier, home) = (MemoryNotifier::default(), place());
    let auditor =
        Auditor::new(ec2, &notifier, &notifier, settings, &home).with_ledger(ledger, Severity::Low);
    block_on(auditor.audit(event, &|| *now, None)).unwrap()
}

fn status(report: &Report) -> Option<Status> {
    only(report).life.map(|life| life.status)
}

#[test]
fn a_compliant_change_asks_nothing_and_one_reverted_rule_two_things() {
    let (ec2, ledger) = (ec2(&rules(&[OPEN])), MemoryLedger::default());
    let settings = settings(Remediation::RevertSsh);
    told(&ec2, &ledger, &settings, &(authorized(&["tcp 443 0.0.0.0/0"]), noon()));
    assert_eq!(ledger.take_calls(), 0);
    let report = told(&ec2, &ledger, &settings, &opened("e-1", 0));
    assert_eq!(brief(&report), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
    assert_eq!(ledger.take_calls(), 2);
}

#[test]
fn nothing_is_asked_before_the_rule_is_revoked() {
    let (ec2, ledger) = (std::rc::Rc::new(ec2(&rules(&[OPEN]))), MemoryLedger::default());
    let seen = std::rc::Rc::clone(&ec2);
    ledger.set_hook(Box::new(move |_| {
        assert!(!ingress(&seen).contains(&"tcp 22 from 0.0.0.0/0".to_owned()));
        Ok(())
    }));
    told(&*ec2, &ledger, &settings(Remediation::RevertSsh), &opened("e-1", 0));
    assert_eq!(ledger.take_calls(), 2);
}

#[test]
fn whatever_the_ledger_fails_at_it_is_told_and_closed_as_without_it() {
    for failing in ["see", "may_mail", "wait", "answer"] {
        let (ec2, ledger) = (ec2(&rules(&[OPEN])), MemoryLedger::default());
        ledger.set_hook(Box::new(move |call| match call == failing {
            true => Err(LedgerError(cause("ResourceNotFoundException"))),
            false => Ok(()),
        }));
        let report = told(&ec2, &ledger, &settings(Remediation::RevertSsh), &opened("e-1", 0));
        assert_eq!(brief(&report), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"], "{failing}");
        assert!(matches!(report.mail, Mail::Now { .. }), "{failing}");
    }
}

#[test]
fn a_second_try_is_told_as_the_first_whatever_happened_in_between() {
    let (ec2, ledger) = (ec2(&rules(&[OPEN])), MemoryLedger::default());
    let settings = settings(Remediation::Notify);
    let first = opened("e-1", 0);
    assert_eq!(status(&told(&ec2, &ledger, &settings, &first)), Some(Status::New));
    assert_eq!(status(&told(&ec2, &ledger, &settings, &first)), Some(Status::New));
    let swept = told(&ec2, &ledger, &settings, &(sweep(), noon() + TimeDelta::minutes(5)));
    assert_eq!(status(&swept), Some(Status::Known));
    assert_eq!(status(&told(&ec2, &ledger, &settings, &first)), Some(Status::New));
    let again = opened("e-2", 10);
    let report = told(&ec2, &ledger, &settings, &again);
    assert_eq!(only(&report).life.map(|life| life.times), Some(2));
    assert_eq!(status(&report), Some(Status::Reopened));
    assert_eq!(status(&told(&ec2, &ledger, &settings, &again)), Some(Status::Reopened));
}

#[test]
fn a_removal_resolves_and_is_told_until_a_message_has_said_so() {
    let (ec2, ledger) = (ec2(&rules(&[OPEN])), MemoryLedger::default());
    let settings = settings(Remediation::Notify);
    told(&ec2, &ledger, &settings, &opened("e-1", 0));
    ledger.set_hook(Box::new(|call| match call {
        "told" => Err(LedgerError(cause("it died"))),
        _ => Ok(()),
    }));
    for _ in 0..2 {
        let report = told(&ec2, &ledger, &settings, &revoked(5));
        assert_eq!(status(&report), Some(Status::Resolved));
        assert_eq!(report.outcome, ReportOutcome::Compliant);
    }
    ledger.set_hook(Box::new(|_| Ok(())));
    told(&ec2, &ledger, &settings, &revoked(5));
    assert!(told(&ec2, &ledger, &settings, &revoked(5)).findings.is_empty());
    // The removal is older than what was seen: it did not close this.
    let reopened = told(&ec2, &ledger, &settings, &opened("e-2", 10));
    assert_eq!(status(&reopened), Some(Status::Reopened));
    assert!(told(&ec2, &ledger, &settings, &revoked(5)).findings.is_empty());
}

#[test]
fn a_sweep_resolves_only_what_it_looked_for() {
    let (ec2, ledger) = (ec2(&rules(&[OPEN])), MemoryLedger::default());
    let later = |hours| (sweep(), noon() + TimeDelta::hours(hours));
    told(&ec2, &ledger, &settings(Remediation::Notify), &opened("e-1", 0));
    // The group is in another scope now, so nobody looked at its rules.
    let scope = Scope::Tag { key: "Role".to_owned(), value: "mail".to_owned() };
    let scoped = Settings { scope, ..settings(Remediation::Notify) };
    assert!(told(&ec2, &ledger, &scoped, &later(1)).findings.is_empty());
    let other = MemoryEc2::new([(place(), group(), Vec::new())], Lists::new());
    let report = told(&other, &ledger, &settings(Remediation::Notify), &later(2));
    assert_eq!(status(&report), Some(Status::Resolved));
}

#[test]
fn what_a_scheduled_sweep_finds_or_no_longer_finds_has_no_change_behind_it() {
    let ledger = MemoryLedger::default();
    let settings = settings(Remediation::Notify);
    let scheduled = |hours| {
        let now = noon() + TimeDelta::hours(hours);
        let event_id = Some(format!("schedule-{hours}"));
        let record = Record { event_id, time: Some(now), ..Record::default() };
        (Event { record, ..sweep() }, now)
    };
    told(&ec2(&rules(&[OPEN])), &ledger, &settings, &scheduled(0));
    let [entry] = &ledger.entries()[..] else { panic!("one finding") };
    assert!(entry.openings.iter().all(|opening| !opening.is_of_event()), "{entry:#?}");
    let report = told(&ec2(&[]), &ledger, &settings, &scheduled(24));
    let resolved = |it: &&Finding| it.life.is_some_and(|life| life.status == Status::Resolved);
    let resolved = report.findings.iter().find(resolved).unwrap();
    assert_eq!(resolved.change, None);
}

/// What is remembered after the publication has as much time as what was before it.
#[test]
fn what_was_published_is_remembered_even_if_the_ledger_took_its_time_before() {
    let (ec2, ledger) = (ec2(&rules(&[OPEN])), MemoryLedger::default());
    let settings = settings(Remediation::Notify);
    // What a sweep asks before it publishes takes all the time.
    let left = Cell::new(3);
    ledger.set_hook(Box::new(move |call| match call {
        "begin" => {
            left.set(10);
            Ok(())
        }
        "answer" => Ok(()),
        _ => match left.get() {
            0 => Err(LedgerError(cause("it takes too long"))),
            calls => {
                left.set(calls - 1);
                Ok(())
            }
        },
    }));
    told(&ec2, &ledger, &settings, &(sweep(), noon()));
    assert_eq!(ledger.entries().len(), 1);
}

/// Otherwise the rest of the sweep would take what was found for something that nobody found.
#[test]
fn a_sweep_that_could_not_remember_its_first_part_resolves_nothing() {
    let groups = [1, 2].map(|number| {
        let group = Group { id: numbered(number), ..group() };
        (place(), group, rules(&["tcp 3306 0.0.0.0/0"]))
    });
    let world = MemoryEc2::new(groups, Lists::new()).with_groups_a_page(1);
    let (ledger, settings) = (MemoryLedger::default(), settings(Remediation::Notify));
    told(&world, &ledger, &settings, &(sweep(), noon()));
    let (notifier, home, now) = (MemoryNotifier::default(), place(), noon() + TimeDelta::days(1));
    let sees = std::cell::Cell::new(0);
    ledger.set_hook(Box::new(move |call| {
        sees.set(sees.get() + usize::from(call == "see"));
        match (call, sees.get()) {
            ("see", 1) => Err(LedgerError(cause("throttled"))),
            _ => Ok(()),
        }
    }));
    let audit = |event: &Event, now: DateTime<Utc>, left: i64| {
        let auditor = Auditor::new(&world, &notifier, &notifier, &settings, &home)
            .with_ledger(&ledger, Severity::Low);
        let deadline = Some(now + TimeDelta::seconds(left));
        block_on(auditor.audit(event, &|| now, deadline)).unwrap()
    };
    assert_eq!(status(&audit(&sweep(), now, 10)), Some(Status::Known));
    let [rest] = &notifier.take_handed_on()[..] else { panic!("there is a rest") };
    let rest = audit(&decoded(rest), now + TimeDelta::seconds(5), 120);
    assert_eq!(status(&rest), Some(Status::Known));
    assert!(ledger.entries().iter().all(|entry| entry.brief.is_open));
}

#[test]
fn a_wrong_baseline_closes_nothing_in_the_first_sweep() {
    let groups = (0..500).map(|number| {
        let group = Group { id: numbered(number), ..group() };
        (place(), group, rules(&["tcp 3306 0.0.0.0/0"]))
    });
    let (ec2, ledger) = (MemoryEc2::new(groups, Lists::new()), MemoryLedger::default());
    let mode = Remediation::RevertIngress;
    let settings = Settings { sweep_remediation: mode, ..settings(mode) };
    let first = told(&ec2, &ledger, &settings, &(sweep(), noon()));
    assert_eq!(first.findings.len(), 500);
    assert!(first.findings.iter().all(|finding| finding.outcome() == Outcome::Planned));
    let second = told(&ec2, &ledger, &settings, &(sweep(), noon() + TimeDelta::days(1)));
    assert_eq!((second.findings.len(), second.handed_on), (0, 500));
    // Under other settings it plans again.
    let other = Settings { revert_keeps: RevertKeeps::Nothing, ..settings };
    let third = told(&ec2, &ledger, &other, &(sweep(), noon() + TimeDelta::days(2)));
    assert_eq!((third.findings.len(), third.handed_on), (500, 0));
}

/// A table that can be read and not written must not keep SSH open.
#[test]
fn a_sweep_that_cannot_write_down_its_plan_or_what_it_audited_closes_nevertheless() {
    let mode = Remediation::RevertSsh;
    let settings = Settings { sweep_remediation: mode, ..settings(mode) };
    for (refused, closes_at_once) in
        [(&["planned"][..], true), (&["see", "cover"], false), (&["cover"], false)]
    {
        let (ec2, ledger) = (ec2(&rules(&[OPEN])), MemoryLedger::default());
        ledger.set_hook(Box::new(move |call| match refused.contains(&call) {
            true => Err(LedgerError(cause("denied"))),
            false => Ok(()),
        }));
        let first = told(&ec2, &ledger, &settings, &(sweep(), noon()));
        assert_eq!(first.handed_on > 0, closes_at_once, "{refused:?}");
        let second = told(&ec2, &ledger, &settings, &(sweep(), noon() + TimeDelta::days(1)));
        assert_eq!(second.handed_on, 1, "{refused:?}");
    }
}

#[test]
fn a_hold_that_was_authorised_again_is_not_forgotten_with_the_one_before() {
    let held = |minute| HeldRule {
        place: place(),
        group: id(SG),
        rule: rule(OPEN),
        hold: None,
        actor: None,
        since: noon() + TimeDelta::minutes(minute),
    };
    let ledger = MemoryLedger::default();
    let later = HeldRule {
        hold: Some(Hold { until: noon() + TimeDelta::hours(8), reason: "vendor".to_owned() }),
        ..held(5)
    };
    block_on(ledger.hold(&[held(0)])).unwrap();
    block_on(ledger.hold(std::slice::from_ref(&later))).unwrap();
    block_on(ledger.release(&[held(0)])).unwrap();
    assert_eq!(block_on(ledger.holds(&place())).unwrap(), [later]);
}

#[test]
fn a_war_of_a_day_is_told_three_times_and_closed_each_time() {
    let (ec2, ledger) = (ec2(&[]), MemoryLedger::default());
    let settings = settings(Remediation::RevertSsh);
    let (mut mails, mut published) = (Vec::new(), 0);
    for number in 0..288 {
        block_on(ec2.authorize(&place(), &id(SG), &rule(OPEN))).unwrap();
        let (mut event, now) = opened(&format!("e-{number}"), number * 5);
        event.record.actor =
            Some("arn:aws:sts::123456789012:assumed-role/alb/controller".to_owned());
        event.record.user_agent = Some("elbv2.k8s.aws/v2.8.1 aws-sdk-go/1.51.21".to_owned());
        let report = told(&ec2, &ledger, &settings, &(event, now));
        assert!(!ingress(&ec2).contains(&"tcp 22 from 0.0.0.0/0".to_owned()), "{number}");
        published += messages(&report).unwrap().len();
        mails.extend((report.mail != Mail::Later).then_some(report));
    }
    // Machines get every message.
    assert_eq!((mails.len(), published), (3, 288));
    let war = &messages(&mails[2]).unwrap()[0].body;
    for word in ["3 times in 24 hours", "assumed-role/alb/controller", "inbound CIDRs"] {
        assert!(war.contains(word), "{war}");
    }
    // The day's digest says how often.
    let [waiting] = &ledger.waits()[..] else { panic!("one waits") };
    assert_eq!(waiting.entry.life.unwrap().times, 288);
    let notifier = MemoryNotifier::default();
    let home = place();
    let auditor = Auditor::new(&ec2, &notifier, &notifier, &settings, &home)
        .with_ledger(&ledger, Severity::Low);
    let now = noon() + TimeDelta::hours(24);
    block_on(auditor.audit(&sweep(), &|| now, None)).unwrap();
    let [digest] = &notifier.take()[..] else { panic!("one digest") };
    assert!(digest.body.contains("reopened, 288 times in 24 hours"), "{}", digest.body);
    assert_eq!(ledger.waits(), []);
}

#[test]
fn a_burst_of_a_thousand_findings_is_five_mails_at_once_and_a_digest_with_the_rest() {
    let (ec2, ledger) = (ec2(&[]), MemoryLedger::default());
    let (settings, home) = (settings(Remediation::Notify), place());
    let mut mails = Vec::new();
    let (mut told, mut published) = (std::collections::BTreeSet::new(), 0);
    for number in 0..1_000 {
        let opened = rule(&format!("tcp {} 0.0.0.0/0 sgr-{number}", 10_000 + number));
        let record = Record { event_id: Some(format!("e-{number}")), ..record() };
        let kind = Kind::Change(change(ChangeKind::Authorized(vec![opened])));
        let now = noon() + TimeDelta::milliseconds(number);
        let notifier = MemoryNotifier::default();
        let auditor = Auditor::new(&ec2, &notifier, &notifier, &settings, &home)
            .with_ledger(&ledger, Severity::Low);
        let report = block_on(auditor.audit(&Event::new(record, kind), &|| now, None)).unwrap();
        published += notifier.take().len();
        if report.mail != Mail::Later {
            mails.push(now);
            told.insert(only(&report).fingerprint.clone());
        }
    }
    assert_eq!((published, mails.len()), (1_000, 5));
    // Within a quarter of an hour the check of holds mails the rest.
    let rest: Vec<_> = ledger.waits().into_iter().map(|one| one.entry.brief.fingerprint).collect();
    assert_eq!(rest.len(), 995);
    told.extend(rest);
    assert_eq!(told.len(), 1_000);
    let notifier = MemoryNotifier::default();
    let auditor = Auditor::new(&ec2, &notifier, &notifier, &settings, &home)
        .with_ledger(&ledger, Severity::Low);
    let now = noon() + TimeDelta::minutes(15);
    block_on(auditor.audit(&check_of_holds(), &|| now, None)).unwrap();
    let digests = notifier.take();
    assert!((1..=5).contains(&digests.len()), "{}", digests.len());
    let digested = digests
        .iter()
        .flat_map(|message| report_in(message)["digest"]["findings"].as_array().unwrap().clone());
    assert_eq!(digested.count(), 995);
    assert_eq!(ledger.waits(), []);
}

/// Groups with a database that is open to the Internet.
fn open_databases(numbers: std::ops::Range<usize>) -> MemoryEc2 {
    let open = |number| {
        (place(), Group { id: numbered(number), ..group() }, rules(&["tcp 3306 0.0.0.0/0"]))
    };
    MemoryEc2::new(numbers.map(open), Lists::new())
}

fn statuses(report: &Report) -> Vec<Status> {
    report.findings.iter().map(|finding| finding.life.unwrap().status).collect()
}

fn swept(day: i64) -> (Event, DateTime<Utc>) {
    (sweep(), noon() + TimeDelta::days(day))
}

#[test]
fn a_change_that_removes_two_rules_resolves_both() {
    const DATABASE: &str = "tcp 3306 0.0.0.0/0 sgr-2";
    let (ec2, ledger) = (ec2(&rules(&[OPEN, DATABASE])), MemoryLedger::default());
    let settings = settings(Remediation::Notify);
    let (event, now) = opened("e-1", 0);
    let both = Event { record: event.record, ..authorized(&[OPEN, DATABASE]) };
    told(&ec2, &ledger, &settings, &(both, now));
    let (event, now) = revoked(5);
    let kind = ChangeKind::Revoked(RevokedRules {
        direction: Direction::Ingress,
        removed: Removed::Rules(rules(&[OPEN, DATABASE])),
        ids: Vec::new(),
    });
    let both = Event { record: event.record, ..self::event(kind) };
    let report = told(&ec2, &ledger, &settings, &(both, now));
    assert_eq!(statuses(&report), [Status::Resolved; 2]);
}

#[test]
fn a_group_that_is_deleted_resolves_its_own_open_findings_and_no_others() {
    let (ec2, ledger) = (open_databases(1..3), MemoryLedger::default());
    let settings = settings(Remediation::Notify);
    assert_eq!(statuses(&told(&ec2, &ledger, &settings, &swept(0))), [Status::New; 2]);
    let what = NotAudited::GroupDeleted(GroupKey::Id(numbered(1)));
    let deleted = |minute| {
        let now = noon() + TimeDelta::days(1) + TimeDelta::minutes(minute);
        let record = Record { time: Some(now), ..record() };
        let kind = Kind::NotAudited { what: what.clone(), reason: "it is gone".to_owned() };
        told(&ec2, &ledger, &settings, &(Event::new(record, kind), now))
    };
    let report = deleted(0);
    assert_eq!(only(&report).group.as_ref().unwrap().id, numbered(1));
    assert_eq!(statuses(&report), [Status::Resolved]);
    // Once that was told, it is not told again.
    assert_eq!(deleted(5).findings.len(), 0);
}

#[test]
fn a_sweep_looks_up_fifty_groups_that_it_has_not_met_and_the_next_one_the_rest() {
    let (ec2, ledger) = (open_databases(0..52), MemoryLedger::default());
    let settings = settings(Remediation::Notify);
    told(&ec2, &ledger, &settings, &swept(0));
    (0..52).for_each(|number| ec2.delete_group(&numbered(number)));
    assert_eq!(statuses(&told(&ec2, &ledger, &settings, &swept(1))), [Status::Resolved; 50]);
    assert_eq!(statuses(&told(&ec2, &ledger, &settings, &swept(2))), [Status::Resolved; 2]);
}

#[test]
fn what_a_sweep_resolves_is_told_of_the_place_in_which_it_was() {
    let other = Place { region: Some(id("eu-west-1")), ..place() };
    let open = [(other.clone(), group(), rules(&["tcp 3306 0.0.0.0/0"]))];
    let (world, ledger) = (MemoryEc2::new(open, Lists::new()), MemoryLedger::default());
    let regions = vec![id("eu-central-1"), id("eu-west-1")];
    let both = message(Job::Sweep(Sweep { regions, ..Sweep::default() }));
    let settings = settings(Remediation::Notify);
    told(&world, &ledger, &settings, &(both.clone(), noon()));
    world.delete_group(&id(SG));
    let report = told(&world, &ledger, &settings, &(both, noon() + TimeDelta::days(1)));
    assert_eq!((status(&report), &only(&report).place), (Some(Status::Resolved), &other));
}

/// A group that its owner has shared is remembered as the owner's.
#[test]
fn a_shared_group_that_a_sweep_is_shown_is_known_the_next_time_and_read_once() {
    let owner = Some(id("210987654321"));
    let shared = [1, 2].map(|number| {
        let group = Group { id: numbered(number), owner: owner.clone(), ..group() };
        (place(), group, rules(&["tcp 3306 0.0.0.0/0"]))
    });
    let (world, ledger) = (MemoryEc2::new(shared, Lists::new()), MemoryLedger::default());
    let settings = settings(Remediation::Notify);
    assert_eq!(statuses(&told(&world, &ledger, &settings, &swept(0))), [Status::New; 2]);
    let read = std::rc::Rc::new(Cell::new(0));
    let reads = std::rc::Rc::clone(&read);
    ledger.set_hook(Box::new(move |call| {
        reads.set(reads.get() + usize::from(call == "place"));
        Ok(())
    }));
    assert_eq!(statuses(&told(&world, &ledger, &settings, &swept(1))), [Status::Known; 2]);
    // The place that was swept, and the owner's.
    assert_eq!(read.get(), 2);
}

#[test]
fn a_wide_list_and_a_wide_baseline_are_known_from_the_second_sweep_on() {
    let mut as_documented = settings(Remediation::Notify);
    as_documented.baseline = Baseline::load("as-documented", today()).unwrap();
    let naming = with_sources(settings(Remediation::Notify), "pl-0a");
    let world = ec2_with_lists(&rules(&["tcp 22 pl-0a sgr-1"]), list("pl-0a", &["54.0.0.0/8"]));
    for settings in [as_documented, naming] {
        let ledger = MemoryLedger::default();
        let codes = |report: &Report| {
            report.findings.iter().map(|it| (it.code, it.life.unwrap().status)).collect::<Vec<_>>()
        };
        let first = codes(&told(&world, &ledger, &settings, &swept(0)));
        assert_eq!(first.len(), 1);
        let as_first = |status| first.iter().map(|(code, _)| (*code, status)).collect::<Vec<_>>();
        assert_eq!(first, as_first(Status::New));
        assert_eq!(codes(&told(&world, &ledger, &settings, &swept(1))), as_first(Status::Known));
    }
}

#[test]
fn that_something_could_not_be_audited_is_mailed_once_a_day_if_it_is_severe_enough() {
    let unread = |event_id: &str, hours: i64| {
        let (event, now) = opened(event_id, hours * 60);
        let kind = Kind::Undecodable { group: None, reason: "it is cut short".to_owned() };
        (Event::new(event.record, kind), now)
    };
    let (ec2, ledger) = (MemoryEc2::new([], Lists::new()), MemoryLedger::default());
    let settings = settings(Remediation::Notify);
    let is_mailed = |(event, now): (Event, DateTime<Utc>)| {
        let report = told(&ec2, &ledger, &settings, &(event, now));
        // It tells of an event, which is over.
        assert_eq!(only(&report).life, None);
        report.mail != Mail::Later
    };
    assert!(is_mailed(unread("e-1", 0)));
    // A second try tells the same.
    assert!(is_mailed(unread("e-1", 0)));
    assert!(!is_mailed(unread("e-2", 1)));
    // That the group does not exist is another reason.
    let (event, now) = opened("e-4", 60);
    let unknown = ChangeKind::Unknown("it is cut short".to_owned());
    assert!(is_mailed((Event { record: event.record, ..self::event(unknown) }, now)));
    assert!(is_mailed(unread("e-3", 30)));
    // Where only what is critical is mailed at once, it waits.
    let (notifier, home, ledger) = (MemoryNotifier::default(), place(), MemoryLedger::default());
    let auditor = Auditor::new(&ec2, &notifier, &notifier, &settings, &home)
        .with_ledger(&ledger, Severity::Critical);
    let (event, now) = unread("e-1", 0);
    assert_eq!(block_on(auditor.audit(&event, &|| now, None)).unwrap().mail, Mail::Later);
}

/// There was no time for it in the invocation of the change.
#[test]
fn a_rule_that_was_opened_again_and_is_closed_by_another_invocation_is_reopened() {
    const OTHER: &str = "tcp 22 198.51.100.0/24 sgr-2";
    let (ec2, ledger) = (ec2(&rules(&[OPEN, OTHER])), MemoryLedger::default());
    told(&ec2, &ledger, &settings(Remediation::Notify), &swept(0));
    let (notifier, home, settings) =
        (MemoryNotifier::default(), place(), settings(Remediation::RevertSsh));
    let auditor = Auditor::new(&ec2, &notifier, &notifier, &settings, &home)
        .with_ledger(&ledger, Severity::Low);
    let (event, now) = opened("e-2", 60);
    let both = Event { record: event.record, ..authorized(&[OPEN, OTHER]) };
    let audit = |event: &Event| {
        let deadline = Some(now + TimeDelta::seconds(1));
        statuses(&block_on(auditor.audit(event, &|| now, deadline)).unwrap())
    };
    assert_eq!(audit(&both), [Status::Reopened]);
    let [rest] = &notifier.take_handed_on()[..] else { panic!("one rule is left") };
    assert_eq!(audit(&decoded(rest)), [Status::Reopened]);
}
