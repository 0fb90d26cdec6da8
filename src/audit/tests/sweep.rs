//! The sweep audits every group, however many there are and however little time there is.

use serde_json::json;

use super::*;
use crate::audit::Counts;
use crate::audit::context::Context;
use crate::audit::lookups::Lookups;
use crate::audit::subject::Trigger;
use crate::audit::sweep::Sweeper;
use crate::ec2::Region;
use crate::evaluate::Severity;
use crate::event::Resume;
use crate::memory::MemoryLedger;

/// This many groups, each with open SSH.
fn open_groups(count: usize) -> MemoryEc2 {
    let groups = (0..count).map(|number| {
        let open = rule("tcp 22 0.0.0.0/0").with_id(Some(id(&format!("sgr-{number:017x}"))));
        (place(), Group { id: numbered(number), ..group() }, vec![open])
    });
    MemoryEc2::new(groups, Lists::new())
}

fn in_region(region: &str) -> Place {
    Place { region: Some(id(region)), ..place() }
}

fn sweep_of(sweep: Sweep) -> Event {
    message(Job::Sweep(sweep))
}

/// The sweep that was handed on, if any was.
fn handed_on(ran: &Ran) -> Option<Sweep> {
    let event = decoded(ran.handed_on.first()?);
    let Kind::Job(Job::Sweep(sweep)) = event.kind else { panic!("{event:?}") };
    Some(sweep)
}

#[test]
fn all_pages_make_one_report() {
    let world = open_groups(250);
    let ran = run_at(&world, &settings(Remediation::RevertSsh), &sweep(), noon(), None);
    assert_eq!(ran.report().groups, 250);
    assert_eq!(ran.report().findings.len(), 250);
    assert!(!ran.report().partial && ran.handed_on.is_empty());
    // REMEDIATION is about changes. By default, the sweep only reports.
    let only_reported = "open-ssh none tcp 22 from 0.0.0.0/0";
    assert!(brief(ran.report()).iter().all(|finding| finding == only_reported));
    let is_list = |call: &&String| call.starts_with("DescribeSecurityGroups ");
    assert_eq!(world.take_calls().iter().filter(is_list).count(), 3);
}

#[test]
fn without_a_finding_nothing_is_published() {
    let world = ec2(&rules(&["tcp 443 0.0.0.0/0"]));
    let ran = run_at(&world, &settings(Remediation::Notify), &sweep(), noon(), None);
    assert_eq!(ran.report().outcome, ReportOutcome::Compliant);
    assert_eq!((ran.messages.len(), ran.report().groups), (0, 1));
}

#[test]
fn a_sweep_reverts_if_its_settings_say_so() {
    let world = ec2(&rules(&["tcp 22 0.0.0.0/0 sgr-1", "tcp 80 0.0.0.0/0 sgr-2"]));
    let mut settings = settings(Remediation::Notify);
    settings.sweep_remediation = Remediation::RevertSsh;
    let ran = run_at(&world, &settings, &sweep(), noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
    assert_eq!(ingress(&world), ["tcp 22 from 203.0.113.0/24", "tcp 80 from 0.0.0.0/0"]);
    assert_eq!(ran.published()["findings"][0]["change"], Value::Null);
}

#[test]
fn a_finding_has_the_same_fingerprint_from_event_and_sweep() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let settings = settings(Remediation::Notify);
    let reported = run(&ec2(&rules(&[open])), &settings, &authorized(&[open])).unwrap();
    let swept = run_at(&ec2(&rules(&[open])), &settings, &sweep(), noon(), None);
    assert_eq!(only(&reported).fingerprint, only(swept.report()).fingerprint);
    let again = run_at(&ec2(&rules(&[open])), &settings, &sweep(), noon(), None);
    assert_eq!(only(again.report()).id, only(swept.report()).id);
}

/// All invocations of a sweep, each with so little time that it reads one page.
fn in_a_hurry(world: &MemoryEc2, mut sweep: Sweep) -> Vec<Ran> {
    let mut runs: Vec<Ran> = Vec::new();
    loop {
        let settings = settings(Remediation::Notify);
        let depth = u32::try_from(runs.len()).unwrap();
        let event = Event { depth, ..sweep_of(sweep) };
        let ran = run_at(world, &settings, &event, noon(), Some(1));
        let next = handed_on(&ran);
        runs.push(ran);
        match next {
            Some(next) => sweep = next,
            None => return runs,
        }
    }
}

#[test]
fn pages_that_there_is_no_time_for_are_left_to_the_next_invocation() {
    let runs = in_a_hurry(&open_groups(250), Sweep::default());
    let audited: Vec<usize> = runs.iter().map(|ran| ran.report().groups).collect();
    assert_eq!(audited, [100, 100, 50]);
    let partial: Vec<bool> = runs.iter().map(|ran| ran.report().partial).collect();
    assert_eq!(partial, [true, true, false]);
    let mut groups: Vec<&GroupId> = runs
        .iter()
        .flat_map(|ran| &ran.report().findings)
        .map(|finding| &finding.group.as_ref().unwrap().id)
        .collect();
    groups.sort_unstable();
    groups.dedup();
    assert_eq!(groups.len(), 250);
}

#[test]
fn a_sweep_does_not_call_itself_forever() {
    let runs = in_a_hurry(&open_groups(10).with_groups_a_page(1), Sweep::default());
    assert_eq!(runs.len(), 10);
    let runs = in_a_hurry(&open_groups(40).with_groups_a_page(1), Sweep::default());
    assert_eq!(runs.len(), 12);
    let last = runs.last().unwrap().report();
    assert!(last.partial);
    assert_eq!(last.totals.by_code[&Code::UnauditedChange], 1);
    let unaudited = with_code(last, Code::UnauditedChange);
    let Matter::Unaudited { what: Unaudited::Place, reason } = &unaudited.matter else {
        panic!("{unaudited:#?}")
    };
    let is_too_deep = |reason: &Reason| match reason {
        Reason::NotHandedOn { why, .. } => *why == NotHandedOn::TooManyInvocations(12),
        _ => false,
    };
    assert!(is_too_deep(reason), "{reason:?}");
    let title = to_title(unaudited);
    assert!(title.contains("invocations were not enough"), "{title}");
}

#[test]
fn a_sweep_audits_every_region_of_an_account() {
    let there = |account: &str, region: &str| {
        let place = Place { account: Some(id(account)), region: Some(id(region)) };
        let group_id = id(&format!("sg-{account}{}", region.len()));
        let group = Group { id: group_id, owner: place.account.clone(), ..group() };
        (place, group, rules(&["tcp 22 0.0.0.0/0 sgr-1"]))
    };
    let groups = [
        there("210987654321", "eu-central-1"),
        there("210987654321", "eu-west-1"),
        there("123456789012", "eu-central-1"),
    ];
    let sweep_in = |account: &str| Sweep {
        accounts: vec![id(account)],
        regions: vec![id("eu-central-1"), id("eu-west-1"), id("us-east-1")],
        ..Sweep::default()
    };
    let world = MemoryEc2::new(groups, Lists::new());
    let (notifier, home, settings) =
        (MemoryNotifier::default(), place(), settings(Remediation::Notify));
    let auditor = Auditor::new(&world, &notifier, &notifier, &settings, &home).with_members(true);
    let sweep = sweep_of(sweep_in("210987654321"));
    let report = block_on(auditor.audit(&sweep, &noon, None)).unwrap();
    assert_eq!((report.groups, report.findings.len()), (2, 2));
    // In a hurry, each invocation audits one place.
    let runs = in_a_hurry(&world, sweep_in("123456789012"));
    assert_eq!(runs.len(), 3);
    let findings: Vec<Vec<String>> = runs.iter().map(|ran| brief(ran.report())).collect();
    assert_eq!(findings[0], ["open-ssh none tcp 22 from 0.0.0.0/0"]);
    // Without a role there, the other account is reported as unaudited.
    let runs = in_a_hurry(&world, sweep_in("210987654321"));
    assert_eq!(brief(runs[0].report()), ["unaudited-change none"]);
}

#[test]
fn findings_from_before_ec2_stopped_answering_are_published_and_all_is_tried_again() {
    let world = open_groups(150);
    let mut pages = 0;
    let throttling = hooked(&world, |call| {
        pages += usize::from(matches!(call, Call::Groups(..)));
        (pages == 2).then(throttled)
    });
    let ran = run_at(&throttling, &settings(Remediation::Notify), &sweep(), noon(), None);
    assert!(matches!(ran.answer, Err(AuditError::Ec2(_))), "{:?}", ran.answer);
    let published: Vec<Value> = ran.messages.iter().map(report_in).collect();
    let findings = published.iter().map(|part| part["findings"].as_array().unwrap().len());
    assert_eq!(findings.sum::<usize>(), 100);
    assert!(published.iter().all(|part| part["partial"] == true));
}

#[test]
fn a_place_whose_groups_may_not_be_listed_is_reported() {
    let world = open_groups(1);
    let refusing = hooked(&world, |call| {
        let action = "DescribeSecurityGroups";
        let denied = || Ec2Error::Denied { action, cause: cause("UnauthorizedOperation") };
        matches!(call, Call::Groups(..)).then(denied)
    });
    let ran = run_at(&refusing, &settings(Remediation::Notify), &sweep(), noon(), None);
    assert_eq!(
        to_title(only(ran.report())),
        "Account 123456789012 in eu-central-1 could not be audited: DescribeSecurityGroups is not \
         allowed: UnauthorizedOperation"
    );
}

#[test]
fn a_wide_baseline_is_reported_once_a_sweep() {
    let mut settings = settings(Remediation::Notify);
    settings.baseline = Baseline::load("as-documented", today()).unwrap();
    let ran = run_at(&open_groups(3), &settings, &sweep(), noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh-in-baseline none"]);
    assert_eq!(ran.report().outcome, ReportOutcome::Compliant);
    let resume = Resume { missed: true, ..Resume::default() };
    let resumed = sweep_of(Sweep { resume, ..Sweep::default() });
    let ran = run_at(&open_groups(3), &settings, &resumed, noon(), None);
    assert_eq!(ran.report().findings.len(), 0);
}

#[test]
fn a_list_is_read_once_for_all_groups() {
    let groups = (0..20).map(|number| {
        (place(), Group { id: numbered(number), ..group() }, rules(&["tcp 22 pl-1"]))
    });
    let world = MemoryEc2::new(groups, list("pl-1", &["198.51.100.0/24"]));
    let ran = run_at(&world, &settings(Remediation::Notify), &sweep(), noon(), None);
    assert_eq!(ran.report().findings.len(), 20);
    let is_read = |call: &&String| call.starts_with("GetManagedPrefixListEntries");
    assert_eq!(world.take_calls().iter().filter(is_read).count(), 1);
}

#[test]
fn a_page_token_that_ec2_no_longer_accepts_does_not_end_the_sweep() {
    let world = open_groups(5).with_groups_a_page(2);
    let mut tokens = 0;
    let refusing = hooked(&world, |call| {
        let has_token = matches!(call, Call::Groups(_, Some(_)));
        tokens += usize::from(has_token);
        (has_token && tokens == 1).then(|| Ec2Error::Refused {
            action: "DescribeSecurityGroups",
            code: "InvalidNextToken".to_owned(),
            cause: cause("The token is not valid"),
        })
    });
    let resume = Resume { page: Some("2".to_owned()), ..Resume::default() };
    let event = sweep_of(Sweep { resume, ..Sweep::default() });
    let ran = run_at(&refusing, &settings(Remediation::Notify), &event, noon(), None);
    assert_eq!(ran.report().groups, 5);
    assert_eq!(ran.report().totals.by_code[&Code::UnauditedChange], 0);
}

#[test]
fn reverts_that_take_long_are_reported_in_time() {
    let world = open_groups(5);
    let mut settings = settings(Remediation::Notify);
    settings.sweep_remediation = Remediation::RevertSsh;
    let now = Cell::new(noon());
    // Every revert takes half a minute.
    let slow = hooked(&world, |call| {
        if is_revoke(call) {
            now.set(now.get() + TimeDelta::seconds(30));
        }
        None
    });
    let (notifier, home) = (MemoryNotifier::default(), place());
    let auditor = Auditor::new(&slow, &notifier, &notifier, &settings, &home);
    let mut event = sweep();
    let mut reverted = 0;
    for _ in 0..4 {
        let deadline = now.get() + TimeDelta::seconds(120);
        let clock = || now.get();
        let report = block_on(auditor.audit(&event, &clock, Some(deadline))).unwrap();
        assert!(now.get() < deadline, "Lambda has stopped it before it could report");
        reverted += report.findings.len();
        let handed_on = notifier.take_handed_on();
        let Some(payload) = handed_on.first() else {
            assert!(!report.partial);
            break;
        };
        assert!(report.partial || report.handed_on > 0);
        event = decoded(payload);
    }
    assert_eq!(reverted, 5);
}

#[test]
fn a_place_that_is_named_twice_is_swept_once() {
    let event = sweep_of(Sweep {
        regions: vec![id("eu-central-1"), id("eu-central-1")],
        ..Sweep::default()
    });
    let ran = run_at(&open_groups(3), &settings(Remediation::Notify), &event, noon(), None);
    assert_eq!((ran.report().groups, ran.report().findings.len()), (3, 3));
}

#[test]
fn whether_a_named_group_exists_is_looked_up_once_for_all_groups() {
    let groups = (0..20).map(|number| {
        let group = Group { id: numbered(number), ..group() };
        let own = format!("tcp 6379 {}", group.id);
        (place(), group, rules(&["tcp 3306 sg-0db", "tcp 8983 sg-0db", &own]))
    });
    let world = MemoryEc2::new(groups, Lists::new());
    let lookups = Cell::new(0);
    let counting = hooked(&world, |call| {
        lookups.set(lookups.get() + usize::from(matches!(call, Call::IsStale(_))));
        None
    });
    let ran = run_at(&counting, &settings(Remediation::Notify), &sweep(), noon(), None);
    // That the group itself exists is known, since its rules were read.
    assert_eq!((ran.report().findings.len(), lookups.get()), (60, 1));
}

#[test]
fn many_findings_are_left_to_several_invocations() {
    let world = open_groups(10).with_groups_a_page(2);
    let (settings, lookups) = (settings(Remediation::Notify), Lookups::new(&world));
    let swept = |deadline, from: &Resume| {
        let units = crate::audit::Units::default();
        let context = Context {
            units: &units,
            plans: None,
            ec2: &world,
            lookups: &lookups,
            settings: &settings,
            clock: &noon,
            deadline,
            is_first: true,
        };
        let trigger = Trigger::Sweep(Remediation::Notify);
        let sweeper = Sweeper { max_findings: 3, ..Sweeper::new(context, trigger) };
        block_on(sweeper.places(&[place()], from))
    };
    let (mut from, mut audited) = (Resume::default(), Vec::new());
    loop {
        let swept = swept(Some(noon() + TimeDelta::hours(1)), &from);
        audited.push(swept.tally.groups);
        let Some(rest) = swept.rest else { break };
        from = rest;
    }
    assert_eq!(audited, [4, 4, 2]);
    // Without a deadline, all of it is audited at once.
    assert_eq!(swept(None, &Resume::default()).tally.groups, 10);
}

#[test]
fn many_places_that_fail_do_not_multiply_the_invocations() {
    let regions = ('a'..='h').map(|letter| id(&format!("eu-{letter}-1"))).collect();
    let world = MemoryEc2::default();
    let mut queue = vec![sweep_of(Sweep { regions, ..Sweep::default() })];
    let mut invocations = 0;
    while let Some(event) = queue.pop() {
        // Lambda tries an invocation that failed twice more.
        for _ in 0..3 {
            invocations += 1;
            assert!(invocations < 50, "{} more are waiting", queue.len());
            let throttling =
                hooked(&world, |call| matches!(call, Call::Groups(..)).then(throttled));
            let ran = run_at(&throttling, &settings(Remediation::Notify), &event, noon(), Some(1));
            assert!(ran.handed_on.len() < 2);
            queue.extend(ran.handed_on.iter().map(decoded));
            if ran.answer.is_ok() {
                break;
            }
        }
    }
}

#[test]
fn a_place_that_failed_is_tried_again_after_the_others() {
    let regions = ["eu-a-1", "eu-b-1", "eu-c-1"];
    let groups = regions.iter().enumerate().map(|(number, region)| {
        let group = Group { id: numbered(number), ..group() };
        (in_region(region), group, rules(&["tcp 22 ::/0"]))
    });
    let world = MemoryEc2::new(groups, Lists::new());
    let mut sweep = Sweep { regions: regions.map(id).to_vec(), ..Sweep::default() };
    let (mut calls, mut audited) = (0, Vec::new());
    loop {
        let throttling = hooked(&world, |call| {
            calls += usize::from(matches!(call, Call::Groups(..)));
            (calls == 1).then(throttled)
        });
        let settings = settings(Remediation::Notify);
        let ran = run_at(&throttling, &settings, &sweep_of(sweep), noon(), Some(1));
        let report = ran.report();
        assert_eq!(report.partial, !ran.handed_on.is_empty());
        audited.extend(report.findings.iter().filter_map(|it| it.place.region.clone()));
        let Some(next) = handed_on(&ran) else { break };
        sweep = next;
    }
    assert_eq!(audited, ["eu-b-1", "eu-c-1", "eu-a-1"].map(id::<Region>));
}

#[test]
fn a_sweep_that_gives_up_names_every_place_that_it_missed_and_is_not_complete() {
    let regions: Vec<Region> = ('a'..='t').map(|letter| id(&format!("eu-{letter}-1"))).collect();
    let groups = regions.iter().enumerate().map(|(number, region)| {
        let group = Group { id: numbered(number), ..group() };
        (in_region(region.as_str()), group, rules(&["tcp 22 ::/0"]))
    });
    let world = MemoryEc2::new(groups, Lists::new());
    // The first place does not answer, so its turn comes again after all others.
    let throttling = hooked(&world, |call| {
        let first = call.place().region == Some(id("eu-a-1"));
        (first && matches!(call, Call::Groups(..))).then(throttled)
    });
    let settings = settings(Remediation::Notify);
    let (notifier, home) = (MemoryNotifier::default(), place());
    let auditor = Auditor::new(&throttling, &notifier, &notifier, &settings, &home);
    let mut payload = json!({ "sweep": { "regions": regions } });
    let (mut counts, mut missed, mut audited) = (Counts::default(), Vec::new(), Vec::new());
    let mut last = None;
    for _ in 0..30 {
        let deadline = Some(noon() + TimeDelta::seconds(1));
        let bytes = payload.to_string();
        let invocation = Invocation { id: None, deadline };
        let answer = auditor.handle_and_count(bytes.as_bytes(), &noon, invocation, &mut counts);
        let report = block_on(answer).unwrap();
        for finding in &report.findings {
            let region = finding.place.region.clone().unwrap();
            let places = match finding.code {
                Code::UnauditedChange => &mut missed,
                _ => &mut audited,
            };
            places.push(region);
        }
        last = Some(report);
        match notifier.take_handed_on().pop() {
            Some(next) => payload = next,
            None => break,
        }
    }
    let last = last.unwrap();
    assert!(last.partial && last.outcome == ReportOutcome::Noncompliant);
    assert_eq!((counts.sweeps, missed.is_empty()), (0, false));
    assert_eq!(missed.iter().filter(|region| region.as_str() == "eu-a-1").count(), 1);
    let mut all: Vec<Region> = missed.into_iter().chain(audited).collect();
    all.sort_unstable();
    assert_eq!(all, regions);
}

#[test]
fn what_a_schedule_asked_for_is_answered_without_findings() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let answer = |report: &Report| serde_json::to_value(crate::report::answer(report)).unwrap();
    let settings = settings(Remediation::Notify);
    let swept = run_alone(&open_groups(300), &settings, &sweep(), noon(), None);
    let answered = answer(swept.report());
    assert_eq!(answered["findings"], json!([]));
    assert_eq!(answered["outcome"], "noncompliant");
    assert_eq!(answered["totals"]["by_code"]["open-ssh"], 300);
    assert!(answered.to_string().len() < 2_000, "{answered}");
    // All of them were published.
    let published = swept.messages.iter().map(report_in);
    let findings = published.map(|report| report["findings"].as_array().unwrap().len());
    assert_eq!(findings.sum::<usize>(), 300);
    // Whoever asks about a change is answered with what was found.
    let changed = run_alone(&ec2(&rules(&[open])), &settings, &authorized(&[open]), noon(), None);
    assert_eq!(answer(changed.report())["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn only_a_token_that_was_handed_on_has_the_place_swept_again() {
    let world = open_groups(5).with_groups_a_page(2);
    let tokens = Cell::new(0);
    let refusing = hooked(&world, |call| {
        let has_token = matches!(call, Call::Groups(_, Some(_)));
        tokens.set(tokens.get() + usize::from(has_token));
        has_token.then(|| refused("InvalidNextToken"))
    });
    let ran = run_at(&refusing, &settings(Remediation::Notify), &sweep(), noon(), None);
    // A token that EC2 gave a moment ago is good. If EC2 refuses it, it would refuse the next too.
    assert_eq!(tokens.get(), 1);
    assert_eq!(ran.report().totals.by_code[&Code::UnauditedChange], 1);
}

/// A sweep in as many invocations as it takes, each with two minutes. Returns the report of each.
fn remembered_chain(
    ec2: &impl SecurityGroups,
    ledger: &MemoryLedger,
    event: Event,
    now: &Cell<DateTime<Utc>>,
) -> Vec<Report> {
    let (notifier, home, settings) =
        (MemoryNotifier::default(), place(), settings(Remediation::Notify));
    let auditor = Auditor::new(ec2, &notifier, &notifier, &settings, &home)
        .with_ledger(ledger, Severity::Low);
    let (mut event, mut reports) = (Some(event), Vec::new());
    while let Some(next) = event {
        let deadline = now.get() + TimeDelta::seconds(120);
        reports.push(block_on(auditor.audit(&next, &|| now.get(), Some(deadline))).unwrap());
        assert!(now.get() < deadline, "Lambda has stopped it before it could report");
        assert!(reports.len() < 20, "it goes on forever");
        event = notifier.take_handed_on().first().map(decoded);
    }
    reports
}

#[test]
fn what_a_sweep_covered_is_counted_for_each_place() {
    let places = ["eu-central-1", "eu-west-1"].map(in_region);
    let groups = places.iter().flat_map(|place| {
        (0..5).map(|number| (place.clone(), Group { id: numbered(number), ..group() }, Vec::new()))
    });
    let world = MemoryEc2::new(groups, Lists::new()).with_groups_a_page(1);
    let regions: Vec<Region> = places.iter().map(|place| place.region.clone().unwrap()).collect();
    let event = sweep_of(Sweep { regions, ..Sweep::default() });
    // In one invocation, and in one for every few pages.
    for seconds in [0, 30] {
        let (now, ledger) = (Cell::new(noon()), MemoryLedger::default());
        let slow = hooked(&world, |call| {
            let is_page = matches!(call, Call::Groups(..));
            now.set(now.get() + TimeDelta::seconds(if is_page { seconds } else { 0 }));
            None
        });
        let reports = remembered_chain(&slow, &ledger, event.clone(), &now);
        assert_eq!(reports.len() == 1, seconds == 0);
        let covered = ledger.audits().into_iter().map(|it| (it.place, it.groups));
        assert_eq!(covered.collect::<Vec<_>>(), places.clone().map(|place| (place, 5)));
    }
}

#[test]
fn a_place_whose_first_page_is_refused_is_asked_once() {
    let pages = Cell::new(0);
    let world = open_groups(5);
    let refusing = hooked(&world, |call| {
        matches!(call, Call::Groups(..)).then(|| {
            pages.set(pages.get() + 1);
            let action = "DescribeSecurityGroups";
            let code = "InvalidParameterValue".to_owned();
            Ec2Error::Refused { action, code, cause: cause("no") }
        })
    });
    let ran = run_at(&refusing, &settings(Remediation::Notify), &sweep(), noon(), None);
    assert_eq!(only(ran.report()).code, Code::UnauditedChange);
    assert_eq!(pages.get(), 1);
}

#[test]
fn a_page_with_much_to_look_up_is_left_in_time_and_gone_on_with() {
    let groups = (0..6).map(|number| {
        let text = format!("tcp 22 pl-{number}");
        (place(), Group { id: numbered(number), ..group() }, rules(&[&text]))
    });
    let lists: Lists =
        (0..6).flat_map(|number| list(&format!("pl-{number}"), &["198.51.100.0/24"])).collect();
    let world = MemoryEc2::new(groups, lists);
    let (now, ledger) = (Cell::new(noon()), MemoryLedger::default());
    let slow = hooked(&world, |call| {
        let is_list = matches!(call, Call::PrefixList(_));
        now.set(now.get() + TimeDelta::seconds(if is_list { 30 } else { 0 }));
        None
    });
    let reports = remembered_chain(&slow, &ledger, sweep(), &now);
    let found: Vec<usize> = reports.iter().map(|report| report.findings.len()).collect();
    // Ninety seconds are over after the third list, and there is nothing left after the sixth.
    assert_eq!(found, [3, 3]);
    // Nothing is left undecided, to be judged by itself.
    assert!(reports.iter().all(|report| report.handed_on == 0));
}

#[test]
fn a_survey_that_ec2_does_not_answer_for_now_says_that_it_is_not_complete() {
    let world = open_groups(2);
    let settings = settings(Remediation::Notify);
    for answers in [true, false] {
        let asked = hooked(&world, |call| {
            let is_page = matches!(call, Call::Groups(..));
            (is_page && !answers).then(throttled)
        });
        let (units, places) = (Units::given(&[], None), [place()]);
        let Survey { report, failed } =
            block_on(survey(&asked, (&settings, &units), &places, &noon, &|_| ()));
        assert_eq!((report.partial, failed.is_some()), (!answers, !answers));
        assert_eq!(report.totals.by_code[&Code::OpenSsh], if answers { 2 } else { 0 });
    }
}
