//! The sweep: every group, each at least once, whatever time there is.

use super::*;
use crate::event::{Resume, Task};

fn sweep() -> Event {
    Event::Schedule(Box::default())
}

/// So many groups, every one with open SSH.
fn open_groups(count: usize) -> MemoryEc2 {
    let groups = (0..count).map(|number| {
        let group = Group { id: format!("sg-{number:017x}"), ..group() };
        let mut open = rule("tcp 22 0.0.0.0/0");
        open.id = Some(format!("sgr-{number:017x}"));
        (place(), group, vec![open])
    });
    MemoryEc2::new(groups, Lists::new())
}

#[test]
fn all_pages_are_one_report() {
    let world = open_groups(250);
    let ran = run_at(&world, &settings(Remediation::RevertSsh), &sweep(), noon(), None);
    assert_eq!(ran.report().groups_audited, 250);
    assert_eq!(ran.report().findings.len(), 250);
    assert!(!ran.report().partial && ran.handed_on.is_empty());
    // What a change would have had reverted is only told by a sweep, unless it is asked to do more.
    assert!(told(ran.report()).iter().all(|told| told == "open-ssh none tcp 22 from 0.0.0.0/0"));
    let listed = |call: &String| call.starts_with("DescribeSecurityGroups ");
    assert_eq!(world.take_calls().iter().filter(|call| listed(call)).count(), 3);
}

#[test]
fn without_a_finding_nothing_is_published() {
    let world = ec2(&[rule("tcp 443 0.0.0.0/0")]);
    let ran = run_at(&world, &settings(Remediation::Notify), &sweep(), noon(), None);
    assert_eq!(ran.report().outcome, ReportOutcome::Compliant);
    assert_eq!((ran.messages.len(), ran.report().groups_audited), (0, 1));
}

#[test]
fn it_reverts_where_it_is_asked_to() {
    let world = ec2(&[rule("tcp 22 0.0.0.0/0 sgr-1"), rule("tcp 80 0.0.0.0/0 sgr-2")]);
    let mut settings = settings(Remediation::Notify);
    settings.sweep_remediation = Remediation::RevertSsh;
    let ran = run_at(&world, &settings, &sweep(), noon(), None);
    assert_eq!(told(ran.report()), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24", "tcp 80 from 0.0.0.0/0"]);
    assert_eq!(ran.published()["findings"][0]["change"], serde_json::Value::Null);
}

#[test]
fn a_finding_is_the_same_from_event_and_sweep() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let settings = settings(Remediation::Notify);
    let change = event(ChangeKind::Authorized(vec![rule(open)]));
    let told = run(&ec2(&[rule(open)]), &settings, &change).unwrap();
    let swept = run_at(&ec2(&[rule(open)]), &settings, &sweep(), noon(), None);
    assert_eq!(only(&told).fingerprint, only(swept.report()).fingerprint);
    let again = run_at(&ec2(&[rule(open)]), &settings, &sweep(), noon(), None);
    assert_eq!(only(again.report()).id, only(swept.report()).id);
}

/// All invocations that a sweep takes, each with so little time that it reads one page.
fn in_a_hurry(world: &MemoryEc2, mut schedule: Schedule) -> Vec<Ran> {
    let mut runs: Vec<Ran> = Vec::new();
    loop {
        let event = Event::Schedule(Box::new(schedule));
        let ran = run_at(world, &settings(Remediation::Notify), &event, noon(), Some(1));
        let Some(payload) = ran.handed_on.first().map(ToString::to_string) else {
            runs.push(ran);
            return runs;
        };
        runs.push(ran);
        let [Event::Schedule(next)] = &decode(payload.as_bytes())[..] else { panic!("{payload}") };
        schedule = (**next).clone();
    }
}

#[test]
fn what_there_is_no_time_for_goes_on_in_the_next_invocation() {
    let runs = in_a_hurry(&open_groups(250), Schedule::default());
    let audited: Vec<usize> = runs.iter().map(|ran| ran.report().groups_audited).collect();
    assert_eq!(audited, [100, 100, 50]);
    let partial: Vec<bool> = runs.iter().map(|ran| ran.report().partial).collect();
    assert_eq!(partial, [true, true, false]);
    let mut groups: Vec<&str> = runs
        .iter()
        .flat_map(|ran| &ran.report().findings)
        .map(|finding| finding.group.as_ref().unwrap().id.as_str())
        .collect();
    groups.sort_unstable();
    groups.dedup();
    assert_eq!(groups.len(), 250);
}

#[test]
fn a_sweep_does_not_call_itself_for_ever() {
    let runs = in_a_hurry(&open_groups(10).with_groups_a_page(1), Schedule::default());
    assert_eq!(runs.len(), 10);
    let runs = in_a_hurry(&open_groups(40).with_groups_a_page(1), Schedule::default());
    assert_eq!(runs.len(), 12);
    let last = runs.last().unwrap().report();
    assert!(last.partial);
    assert_eq!(last.totals.by_code[&Code::UnauditedChange], 1);
    let title = &last.findings.iter().find(|it| it.code == Code::UnauditedChange).unwrap().title;
    assert!(title.contains("invocations were not enough"), "{title}");
}

#[test]
fn every_account_in_every_region() {
    let there = |account: &str, region: &str| {
        let place = Place { account: Some(account.to_owned()), region: Some(region.to_owned()) };
        let owner = Some(account.to_owned());
        let id = format!("sg-{account}{}", region.len());
        (place, Group { id, owner, ..group() }, vec![rule("tcp 22 0.0.0.0/0 sgr-1")])
    };
    let groups = [
        there("123456789012", "eu-central-1"),
        there("123456789012", "eu-west-1"),
        there("210987654321", "eu-central-1"),
    ];
    let schedule = Schedule {
        accounts: vec!["123456789012".to_owned(), "210987654321".to_owned()],
        regions: vec!["eu-central-1".to_owned(), "eu-west-1".to_owned()],
        ..Schedule::default()
    };
    let world = MemoryEc2::new(groups, Lists::new());
    let (notifier, home, settings) =
        (MemoryNotifier::default(), place(), settings(Remediation::Notify));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let event = Event::Schedule(Box::new(schedule.clone()));
    let auditor = Auditor::new(&world, &notifier, &notifier, &settings, &home).with_members(true);
    let report = runtime.block_on(auditor.audit(&event, &noon, None)).unwrap();
    assert_eq!((report.groups_audited, report.findings.len()), (3, 3));
    // In a hurry, each invocation has one place.
    let runs = in_a_hurry(&world, schedule);
    assert_eq!(runs.len(), 4);
    // Without the role, the other account is not passed over in silence.
    let codes: Vec<Vec<String>> = runs.iter().map(|ran| told(ran.report())).collect();
    assert_eq!(codes[0], ["open-ssh none tcp 22 from 0.0.0.0/0"]);
    assert_eq!(codes[2], ["unaudited-change none"]);
}

#[test]
fn what_was_found_before_ec2_went_silent_is_published_and_all_is_tried_again() {
    let world = open_groups(150);
    let mut pages = 0;
    let staged = Staged::new(&world, |call, _| {
        pages += usize::from(call == "groups");
        (pages == 2).then(|| Ec2Error::Passing {
            action: "DescribeSecurityGroups",
            message: "RequestLimitExceeded".to_owned(),
        })
    });
    let ran = run_at(&staged, &settings(Remediation::Notify), &sweep(), noon(), None);
    assert!(matches!(ran.answer, Err(AuditError::Ec2(_))), "{:?}", ran.answer);
    let published = ran.published();
    assert_eq!((&published["groups_audited"], &published["partial"]), (&100.into(), &true.into()));
}

#[test]
fn groups_that_may_not_be_listed_are_said() {
    let world = open_groups(1);
    let staged = Staged::new(&world, |call, _| {
        (call == "groups").then(|| Ec2Error::Denied {
            action: "DescribeSecurityGroups",
            message: "UnauthorizedOperation".to_owned(),
        })
    });
    let ran = run_at(&staged, &settings(Remediation::Notify), &sweep(), noon(), None);
    let finding = only(ran.report());
    assert_eq!(
        finding.title,
        "Account 123456789012 in eu-central-1 could not be audited: DescribeSecurityGroups is not \
         allowed: UnauthorizedOperation"
    );
}

#[test]
fn a_wide_baseline_is_called_out_once_a_sweep() {
    let mut settings = settings(Remediation::Notify);
    settings.baseline = Baseline::load("as-documented", today()).unwrap();
    let ran = run_at(&open_groups(3), &settings, &sweep(), noon(), None);
    assert_eq!(told(ran.report()), ["open-ssh-in-baseline none"]);
    assert_eq!(ran.report().outcome, ReportOutcome::Compliant);
    let resumed = Schedule {
        task: Task::Sweep,
        resume: Resume { depth: 1, ..Resume::default() },
        ..Schedule::default()
    };
    let event = Event::Schedule(Box::new(resumed));
    assert_eq!(told(run_at(&open_groups(3), &settings, &event, noon(), None).report()).len(), 0);
}

#[test]
fn a_list_is_looked_up_once_for_all_groups() {
    let groups = (0..20).map(|number| {
        let group = Group { id: format!("sg-{number:017x}"), ..group() };
        (place(), group, vec![rule("tcp 22 pl-1")])
    });
    let lists = [("pl-1".to_owned(), Ok(vec!["198.51.100.0/24".parse().unwrap()]))].into();
    let world = MemoryEc2::new(groups, lists);
    let ran = run_at(&world, &settings(Remediation::Notify), &sweep(), noon(), None);
    assert_eq!(ran.report().findings.len(), 20);
    let read = |call: &String| call.starts_with("GetManagedPrefixListEntries");
    assert_eq!(world.take_calls().iter().filter(|call| read(call)).count(), 1);
}

#[test]
fn a_page_that_ec2_knows_no_longer_is_no_end_of_the_sweep() {
    let world = open_groups(5).with_groups_a_page(2);
    let refused = |_: &str, _: &MemoryEc2| None;
    let staged = Staged::new(&world, refused).with_stale_pages();
    let resume =
        Resume { depth: 1, places_done: 0, page: Some("2".to_owned()), ..Resume::default() };
    let event = Event::Schedule(Box::new(Schedule { resume, ..Schedule::default() }));
    let ran = run_at(&staged, &settings(Remediation::Notify), &event, noon(), None);
    assert_eq!(ran.report().groups_audited, 5);
    assert_eq!(ran.report().totals.by_code.get(&Code::UnauditedChange), None);
}

#[test]
fn reverts_that_take_their_time_are_told_before_it_is_over() {
    let world = open_groups(5);
    let mut settings = settings(Remediation::Notify);
    settings.sweep_remediation = Remediation::RevertSsh;
    let now = std::cell::Cell::new(noon());
    // Every revert takes half a minute.
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        if call.starts_with("revoke") {
            now.set(now.get() + TimeDelta::seconds(30));
        }
        None
    });
    let notifier = MemoryNotifier::default();
    let home = place();
    let auditor = Auditor::new(&staged, &notifier, &notifier, &settings, &home);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut event = sweep();
    let mut reverted = 0;
    for _ in 0..4 {
        let deadline = now.get() + TimeDelta::seconds(120);
        let clock = || now.get();
        let report = runtime.block_on(auditor.audit(&event, &clock, Some(deadline))).unwrap();
        assert!(now.get() < deadline, "Lambda has stopped it, and nobody was told");
        reverted += told(&report).len();
        let Some(payload) = notifier.take_handed_on().first().map(ToString::to_string) else {
            assert!(!report.partial);
            break;
        };
        assert!(report.partial || report.handed_on > 0);
        event = decode(payload.as_bytes()).remove(0);
    }
    assert_eq!(reverted, 5);
}

#[test]
fn a_place_that_is_named_twice_is_swept_once() {
    let twice = vec!["eu-central-1".to_owned(), "eu-central-1".to_owned()];
    let schedule = Schedule { regions: twice, ..Schedule::default() };
    let event = Event::Schedule(Box::new(schedule));
    let ran = run_at(&open_groups(3), &settings(Remediation::Notify), &event, noon(), None);
    assert_eq!((ran.report().groups_audited, ran.report().findings.len()), (3, 3));
}

#[test]
fn whether_a_peer_is_there_is_asked_once_for_all_groups() {
    let groups = (0..20).map(|number| {
        let group = Group { id: format!("sg-{number:017x}"), ..group() };
        let own = format!("tcp 6379 {}", group.id);
        let rules = ["tcp 3306 sg-0db", "tcp 8983 sg-0db", &own].map(rule).to_vec();
        (place(), group, rules)
    });
    let world = MemoryEc2::new(groups, Lists::new());
    let asked = std::cell::Cell::new(0);
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        asked.set(asked.get() + usize::from(call == "is_stale"));
        None
    });
    let ran = run_at(&staged, &settings(Remediation::Notify), &sweep(), noon(), None);
    // The group itself is there, since its rules are read.
    assert_eq!((ran.report().findings.len(), asked.get()), (60, 1));
}

#[test]
fn findings_without_end_do_not_fill_the_memory() {
    use super::super::library::Library;
    use super::super::sweep::Sweep;
    let world = open_groups(10).with_groups_a_page(2);
    let (settings, library) = (settings(Remediation::Notify), Library::new(&world));
    let sweep = |deadline| Sweep {
        ec2: &world,
        settings: &settings,
        remediation: Remediation::Notify,
        library: &library,
        clock: &noon,
        deadline,
        most_findings: 3,
        reach: &|_| None,
        progress: &|_| {},
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let swept =
        |deadline, from: &Resume| runtime.block_on(sweep(deadline).places(&[place()], from));
    let (mut from, mut audited) = (Resume::default(), Vec::new());
    loop {
        let swept = swept(Some(noon() + TimeDelta::hours(1)), &from);
        audited.push(swept.tally.groups);
        let Some(rest) = swept.rest else { break };
        from = rest;
    }
    assert_eq!(audited, [4, 4, 2]);
    // Somebody who waits for it has all of it at once.
    assert_eq!(swept(None, &Resume::default()).tally.groups, 10);
}

#[test]
fn places_that_fail_on_a_bad_day_do_not_multiply_the_invocations() {
    let regions: Vec<String> = ('a'..='h').map(|letter| format!("eu-{letter}-1")).collect();
    let world = MemoryEc2::new([], Lists::new());
    let mut queue = vec![Schedule { regions, ..Schedule::default() }];
    let mut invocations = 0;
    while let Some(schedule) = queue.pop() {
        let event = Event::Schedule(Box::new(schedule));
        // Lambda tries an invocation that failed twice more.
        for _ in 0..3 {
            invocations += 1;
            assert!(invocations < 50, "{} more are waiting", queue.len());
            let staged = Staged::new(&world, |call, _| {
                (call == "groups").then(|| Ec2Error::Passing {
                    action: "DescribeSecurityGroups",
                    message: "RequestLimitExceeded".to_owned(),
                })
            });
            let ran = run_at(&staged, &settings(Remediation::Notify), &event, noon(), Some(1));
            for payload in &ran.handed_on {
                let [Event::Schedule(next)] = &decode(payload.to_string().as_bytes())[..] else {
                    panic!("{payload}")
                };
                queue.push((**next).clone());
            }
            if ran.answer.is_ok() {
                break;
            }
        }
    }
}

#[test]
fn a_place_that_failed_has_its_turn_again_at_the_end() {
    let region = |region: &str| Place { region: Some(region.to_owned()), ..place() };
    let groups = ["eu-a-1", "eu-b-1", "eu-c-1"].map(|name| {
        (region(name), Group { id: format!("sg-{name}"), ..group() }, vec![rule("tcp 22 ::/0")])
    });
    let world = MemoryEc2::new(groups, Lists::new());
    let regions = ["eu-a-1", "eu-b-1", "eu-c-1"].map(str::to_owned).to_vec();
    let mut schedule = Schedule { regions, ..Schedule::default() };
    let (mut calls, mut met) = (0, Vec::new());
    loop {
        let staged = Staged::new(&world, |call, _| {
            calls += usize::from(call == "groups");
            (calls == 1).then(|| Ec2Error::Passing {
                action: "DescribeSecurityGroups",
                message: "RequestLimitExceeded".to_owned(),
            })
        });
        let event = Event::Schedule(Box::new(schedule));
        let ran = run_at(&staged, &settings(Remediation::Notify), &event, noon(), Some(1));
        let report = ran.report();
        assert_eq!(report.partial, !ran.handed_on.is_empty());
        met.extend(report.findings.iter().filter_map(|it| it.region.clone()));
        let Some(payload) = ran.handed_on.first().map(ToString::to_string) else { break };
        let [Event::Schedule(next)] = &decode(payload.as_bytes())[..] else { panic!("{payload}") };
        schedule = (**next).clone();
    }
    assert_eq!(met, ["eu-b-1", "eu-c-1", "eu-a-1"]);
}
