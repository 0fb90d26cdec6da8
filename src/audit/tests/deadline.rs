//! Every invocation ends before its deadline, and what it has no time for is handed on.

use std::collections::BTreeMap;

use super::*;
use crate::ec2::hold::{REASON, UNTIL};
use crate::event::{HoldTags, ListChange, Lost, Resume, TagAction, TagChange};

/// How long Lambda lets an invocation run.
const TIMEOUT: TimeDelta = TimeDelta::seconds(120);

/// An EC2, SNS and Lambda that each answer after a second.
struct Slow<'a> {
    now: &'a Cell<DateTime<Utc>>,
    notifier: MemoryNotifier,
    handed_on: RefCell<Vec<Value>>,
}

impl<'a> Slow<'a> {
    fn new(now: &'a Cell<DateTime<Utc>>) -> Self {
        Self { now, notifier: MemoryNotifier::default(), handed_on: RefCell::default() }
    }

    fn tick(&self) {
        self.now.set(self.now.get() + TimeDelta::seconds(1));
    }
}

impl Notifier for Slow<'_> {
    async fn publish(&self, report: &Report) -> Result<(), NotifyError> {
        self.tick();
        self.notifier.publish(report).await
    }
}

impl Invoker for Slow<'_> {
    async fn invoke(&self, payload: &Value) -> Result<(), InvokeError> {
        self.tick();
        self.handed_on.borrow_mut().push(payload.clone());
        Ok(())
    }
}

/// Audits an event in as many invocations as it takes. Returns the outcomes of each rule that was
/// published, and how many invocations there were.
fn audited(
    world: &MemoryEc2,
    settings: &Settings,
    event: Event,
) -> (BTreeMap<String, Vec<Outcome>>, usize) {
    let now = Cell::new(noon());
    let outside = Slow::new(&now);
    let slow = hooked(world, |_| {
        now.set(now.get() + TimeDelta::seconds(1));
        None
    });
    let home = place();
    let auditor = Auditor::new(&slow, &outside, &outside, settings, &home);
    let (mut left, mut invocations) = (vec![event], 0);
    while let Some(event) = left.pop() {
        invocations += 1;
        assert!(invocations < 40, "it goes on forever");
        let (deadline, clock) = (now.get() + TIMEOUT, || now.get());
        block_on(auditor.audit(&event, &clock, Some(deadline))).unwrap();
        assert!(now.get() < deadline, "Lambda has stopped invocation {invocations}");
        left.extend(outside.handed_on.take().iter().map(decoded));
    }
    let mut published: BTreeMap<String, Vec<Outcome>> = BTreeMap::new();
    for message in outside.notifier.take() {
        for finding in report_in(&message)["findings"].as_array().unwrap() {
            let Some(rule) = finding["rule"]["id"].as_str().map(ToOwned::to_owned) else {
                continue;
            };
            let gone = finding["remediation"]["connections"].is_string();
            let outcome = match finding["remediation"]["outcome"].as_str().unwrap() {
                "none" => Outcome::None,
                "failed" => Outcome::Failed,
                _ if gone => Outcome::Reverted,
                other => panic!("{other}: {finding}"),
            };
            published.entry(rule).or_default().push(outcome);
        }
    }
    (published, invocations)
}

/// This many rules, each made by `text`.
fn many(count: usize, text: impl Fn(usize) -> String) -> Vec<Rule> {
    (1..=count).map(|n| rule(&format!("{} sgr-{n}", text(n)))).collect()
}

fn authorized(rules: &[Rule]) -> Event {
    event(ChangeKind::Authorized(rules.to_vec()))
}

fn is_open(world: &MemoryEc2, rules: &[Rule]) -> bool {
    let after = world.rules_of(&id(SG)).unwrap();
    rules.iter().any(|rule| after.iter().any(|other| other.is_same_as(rule)))
}

#[test]
fn a_hundred_and_twenty_rules_of_one_call_are_closed_and_each_is_published_once() {
    let reverting = settings(Remediation::RevertSsh);
    for (rules, at_most) in [
        (many(120, |n| format!("tcp 22 9.{n}.0.0/24")), 3),
        // Two pieces each.
        (many(120, |n| format!("tcp 22-443 9.{n}.0.0/24")), 8),
    ] {
        for event in [authorized(&rules), event(ChangeKind::Unknown("it was cut short".to_owned()))]
        {
            let world = ec2(&rules).with_rule_limit(1000);
            let settings =
                Settings { sweep_remediation: Remediation::RevertSsh, ..reverting.clone() };
            let (published, invocations) = audited(&world, &settings, event);
            assert!(!is_open(&world, &rules));
            assert_eq!(published.len(), 120);
            assert!(published.values().all(|outcomes| outcomes == &[Outcome::Reverted]));
            assert!(invocations <= at_most + 1, "{invocations} invocations");
        }
    }
}

/// The rules have the tags of a hold, but nobody authorised them with these.
#[test]
fn a_hold_that_does_not_count_keeps_no_rule_open_that_is_left_to_another_invocation() {
    let until = crate::text::timestamp(&(noon() + TimeDelta::hours(1)));
    let tags = [(UNTIL.to_owned(), until), (REASON.to_owned(), "vendor".to_owned())];
    let of_change = many(120, |n| format!("tcp 22 9.{n}.0.0/24"));
    let tagged = of_change.iter().map(|rule| rule.clone().with_tags(tags.clone().into()));
    let tagged: Vec<Rule> = tagged.collect();
    let modified = (1..=120).map(|n| modified(&format!("tcp 22 9.{n}.0.0/24 sgr-{n}")));
    for event in [authorized(&of_change), event(ChangeKind::Modified(modified.collect()))] {
        let world = ec2(&tagged).with_rule_limit(1000);
        let (published, invocations) = audited(&world, &settings(Remediation::RevertSsh), event);
        assert!(invocations > 1);
        assert!(!is_open(&world, &tagged));
        assert!(published.values().all(|outcomes| outcomes == &[Outcome::Reverted]));
    }
}

#[test]
fn a_rule_that_takes_long_to_replace_is_not_begun_without_time_for_it() {
    let sources: Vec<String> = (0..40).map(|n| format!("203.0.113.{}/32", 2 * n)).collect();
    let settings = with_sources(settings(Remediation::RevertSsh), &sources.join(","));
    for before in [0, 50, 70, 78, 80, 82, 84, 90] {
        let mut rules = many(before, |n| format!("tcp 22 9.{n}.0.0/24"));
        rules.push(rule("tcp 22 0.0.0.0/0 sgr-999"));
        let world = ec2(&rules).with_rule_limit(1000);
        let (published, _) = audited(&world, &settings, authorized(&rules));
        assert!(!is_open(&world, &rules), "{before}");
        assert_eq!(published.len(), before + 1);
    }
}

#[test]
fn rules_that_name_many_groups_do_not_take_all_the_time() {
    let mut rules = many(120, |n| format!("tcp 3306 sg-{n:08x}"));
    rules.push(rule("tcp 22 0.0.0.0/0 sgr-999"));
    for mode in [Remediation::Notify, Remediation::RevertSsh] {
        let world = ec2(&rules).with_rule_limit(1000);
        let (published, _) = audited(&world, &settings(mode), authorized(&rules));
        assert_eq!(published.len(), 121);
        assert!(published.values().all(|outcomes| outcomes.len() == 1));
    }
}

#[test]
fn a_change_that_is_reported_only_ends_in_one_invocation() {
    let rules = many(120, |n| format!("tcp 22 9.{n}.0.0/24"));
    let world = ec2(&rules).with_rule_limit(1000);
    let (published, invocations) =
        audited(&world, &settings(Remediation::Notify), authorized(&rules));
    assert_eq!((published.len(), invocations), (120, 1));
    assert!(published.values().all(|outcomes| outcomes == &[Outcome::None]));
}

/// No other invocation can be asked for.
struct Alone;

impl Invoker for Alone {
    async fn invoke(&self, _: &Value) -> Result<(), InvokeError> {
        Err(InvokeError { cause: cause("AccessDenied"), is_transient: false })
    }
}

#[test]
fn where_nothing_can_be_handed_on_each_try_closes_more_and_only_the_last_one_publishes() {
    let rules = many(120, |n| format!("tcp 22 9.{n}.0.0/24"));
    let world = ec2(&rules).with_rule_limit(1000);
    let now = Cell::new(noon());
    let slow = hooked(&world, |_| {
        now.set(now.get() + TimeDelta::seconds(1));
        None
    });
    let (notifier, home, settings) =
        (MemoryNotifier::default(), place(), settings(Remediation::RevertSsh));
    let auditor = Auditor::new(&slow, &notifier, &Alone, &settings, &home);
    let mut tries = Vec::new();
    for _ in 0..4 {
        let (deadline, clock) = (now.get() + TIMEOUT, || now.get());
        let answer = block_on(auditor.audit(&authorized(&rules), &clock, Some(deadline)));
        assert!(now.get() < deadline);
        let findings = |report: &Value| report["findings"].as_array().unwrap().len();
        let published: usize = notifier.take().iter().map(report_in).map(|it| findings(&it)).sum();
        let left = world.rules_of(&id(SG)).unwrap().len();
        tries.push((answer.map_err(|error| error.kind()).err(), left > 4, published));
        if published > 0 {
            break;
        }
    }
    // The second try closes what the first one left before it asks what became of the others.
    let refused = Some("NotHandedOn");
    assert_eq!(tries[..2], [(refused, true, 0), (refused, false, 0)]);
    assert_eq!(tries.last(), Some(&(None, false, 120)), "{tries:?}");
}

/// A change that names a hundred prefix lists, each of which takes ten seconds to read.
#[test]
fn prefix_lists_that_there_is_no_time_for_are_left_to_the_next_invocation() {
    let names: Vec<String> = (0..100).map(|number| format!("pl-{number:08x}")).collect();
    // Every tenth list lets the Internet in, and the others comply.
    let entry =
        |number: usize| if number.is_multiple_of(10) { "0.0.0.0/0" } else { "203.0.113.64/26" };
    let lists: Lists =
        (0..).zip(&names).flat_map(|(number, name)| list(name, &[entry(number)])).collect();
    let text = |(number, name): (usize, &String)| format!("tcp 22 {name} sgr-{number}");
    let texts: Vec<String> = (0..).zip(&names).map(text).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let egress: Vec<Rule> =
        rules(&texts).into_iter().map(|rule| rule.with_direction(Direction::Egress)).collect();
    for (event, introduced) in [
        (authorized(&rules(&texts)), rules(&texts)),
        (cut_short(), rules(&texts)),
        (sweep(), rules(&texts)),
        (authorized(&egress), egress),
    ] {
        let is_ingress = introduced[0].direction() == Direction::Ingress;
        let world = ec2_with_lists(&introduced, lists.clone()).with_rule_limit(1_000);
        let now = Cell::new(noon());
        let slow = hooked(&world, |call| {
            let seconds = if matches!(call, Call::PrefixList(_)) { 10 } else { 1 };
            now.set(now.get() + TimeDelta::seconds(seconds));
            None
        });
        let settings = Settings {
            baseline: Baseline::load("restricted-egress", today()).unwrap(),
            sweep_remediation: Remediation::RevertSsh,
            ..settings(Remediation::RevertSsh)
        };
        let settings = with_sources(settings, "203.0.113.0/24");
        let answers = in_time(&slow, &settings, event.clone(), &now);
        let reports: Vec<Report> = answers.into_iter().map(|(answer, _)| answer.unwrap()).collect();
        assert!((2..=30).contains(&reports.len()), "{} invocations", reports.len());
        let mut found: Vec<String> = reports
            .iter()
            .flat_map(|report| &report.findings)
            .filter(|finding| finding.found_rule().is_some())
            .map(|finding| rule_text(finding.rule().unwrap()))
            .collect();
        found.sort();
        found.dedup();
        // In egress, ports beyond those of the web are in excess wherever they lead.
        assert_eq!(found.len(), if is_ingress { 10 } else { 100 }, "{event:?}: {found:#?}");
        let left = ingress(&world);
        assert!(!left.contains(&"tcp 22 from pl-00000000".to_owned()), "{left:?}");
        assert_eq!(left.len(), if is_ingress { 91 } else { 0 }, "{left:?}");
    }
}

/// A wide list among the SSH sources, of which only the second invocation has time to read.
#[test]
fn a_wide_source_that_there_was_no_time_to_read_is_told_by_the_invocation_that_reads_it() {
    let lists: Lists =
        list("pl-1", &["203.0.113.0/25"]).into_iter().chain(list("pl-2", &["0.0.0.0/0"])).collect();
    let opened = rules(&["tcp 22 pl-1 sgr-1", "tcp 22 pl-2 sgr-2"]);
    for event in [authorized(&opened), cut_short()] {
        let world = ec2_with_lists(&opened, lists.clone());
        let now = Cell::new(noon());
        let is_first = Cell::new(true);
        let slow = hooked(&world, |call| {
            let is_slow = matches!(call, Call::PrefixList(_)) && is_first.replace(false);
            now.set(now.get() + TimeDelta::seconds(if is_slow { 90 } else { 1 }));
            None
        });
        let settings = with_sources(settings(Remediation::RevertSsh), "pl-1,pl-2");
        let answers = in_time(&slow, &settings, event.clone(), &now);
        assert!(answers.len() > 1, "there was time");
        let reports = answers.into_iter().map(|(answer, _)| answer.unwrap());
        let mut told: Vec<String> = reports.flat_map(|report| brief(&report)).collect();
        // What a change that is not understood closed is not known either.
        told.retain(|one| !one.starts_with("expected-traffic-closed"));
        assert_eq!(told, ["open-ssh-in-baseline none tcp 22 from pl-2"], "{event:?}");
    }
}

/// Whatever keeps each invocation from getting further, the chain ends, and what is left is told.
#[test]
fn a_chain_of_invocations_ends_and_tells_what_is_left() {
    let opened = many(40, |n| format!("tcp 22 9.{n}.0.0/24"));
    let tags = TagChange {
        groups: (0..40).map(numbered).collect(),
        tags: [("Role".to_owned(), TagAction::Set("typo3".to_owned()))].into(),
        all_deleted: false,
    };
    let hold_tags =
        HoldTags { rules: (0..40).map(|n| id(&format!("sgr-{n}"))).collect(), unread: None };
    let changed = ListChange {
        list: id("pl-1"),
        name: None,
        version_before: None,
        added: Vec::new(),
        removed: None,
        restored: None,
    };
    let lost = Lost { reason: "cut".to_owned(), is_of_tags: false, resume: Resume::default() };
    let of_kind = |kind| Event::new(record(), kind);
    for (event, code) in [
        (authorized(&opened), Code::OpenSsh),
        (of_kind(Kind::Tags(tags)), Code::UnauditedChange),
        (of_kind(Kind::HoldTags(hold_tags)), Code::UnauditedChange),
        (of_kind(Kind::List(changed)), Code::UnauditedChange),
        (of_kind(Kind::Lost(lost)), Code::UnauditedChange),
        (sweep(), Code::UnauditedChange),
    ] {
        // A group a page, and one that has everything that was opened.
        let groups = (0..40).map(|n| {
            let rule = rule(&format!("tcp 22 pl-1 sgr-{n}"));
            (place(), Group { id: numbered(n), ..group() }, vec![rule])
        });
        let groups = groups.chain([(place(), group(), opened.clone())]);
        let lists = list("pl-1", &["203.0.113.0/25"]);
        let world = MemoryEc2::new(groups, lists).with_groups_a_page(1).with_rule_limit(1000);
        let now = Cell::new(noon());
        // Each call takes almost all the time that an invocation has.
        let slow = hooked(&world, |_| {
            now.set(now.get() + TimeDelta::seconds(50));
            None
        });
        let scope = match event.kind {
            Kind::Tags(_) => role_scope(),
            _ => Scope::All,
        };
        let settings = Settings { scope, ..settings(Remediation::RevertSsh) };
        let (notifier, home) = (MemoryNotifier::default(), place());
        let auditor = Auditor::new(&slow, &notifier, &notifier, &settings, &home);
        let (mut left, mut invocations, mut told) = (vec![event.clone()], 0, Vec::new());
        while let Some(event) = left.pop() {
            invocations += 1;
            let (deadline, clock) = (now.get() + TimeDelta::seconds(120), || now.get());
            let report = block_on(auditor.audit(&event, &clock, Some(deadline))).unwrap();
            told.extend(report.findings);
            left.extend(notifier.take_handed_on().iter().map(decoded));
            assert!(invocations <= 40, "it goes on: {event:?}");
        }
        assert!(invocations <= 16, "{invocations} invocations: {event:?}");
        let too_many = |finding: &&Finding| {
            to_title(finding).contains("invocations were not enough")
                || matches!(finding.found_rule().map(|it| &it.action), Some(Action::Later(Some(_))))
        };
        let given_up: Vec<&Finding> = told.iter().filter(too_many).collect();
        assert!(!given_up.is_empty(), "{event:?}");
        assert!(given_up.iter().all(|finding| finding.code == code), "{given_up:#?}");
        if code == Code::OpenSsh {
            let told: Vec<&Rule> = told.iter().filter_map(Finding::rule).collect();
            assert_eq!(told.len(), opened.len(), "each rule is told once");
        }
    }
}

#[test]
fn another_page_is_begun_with_thirty_five_seconds_left_and_not_with_less() {
    let groups = (0..2).map(|n| (place(), Group { id: numbered(n), ..group() }, Vec::new()));
    let world = MemoryEc2::new(groups, Lists::new()).with_groups_a_page(1);
    for (seconds, audited) in [(35, 2), (34, 1)] {
        let settings = settings(Remediation::Notify);
        let ran = run_alone(&world, &settings, &sweep(), noon(), Some(seconds));
        assert_eq!(ran.report().groups, audited, "{seconds} seconds");
    }
}

#[test]
fn a_rule_that_no_list_decides_about_is_closed_though_there_is_no_time_to_read_lists() {
    let opened = rules(&["tcp 22 0.0.0.0/0 sgr-1", "tcp 22 pl-1 sgr-2", "tcp 22 pl-2 sgr-3"]);
    let lists = list("pl-1", &["203.0.113.0/25"]);
    let (world, settings) = (ec2_with_lists(&opened, lists), settings(Remediation::RevertSsh));
    let ran = run_alone(&world, &settings, &authorized(&opened), noon(), Some(1));
    assert_eq!(brief(ran.report()), ["open-ssh narrowed tcp 22 from 0.0.0.0/0"]);
    assert_eq!(ran.report().handed_on, 1);
}

/// Only one list is read where there is no time, and two decide about the rule.
#[test]
fn a_rule_that_there_is_no_time_to_judge_is_handed_on_once_and_then_told_as_it_is() {
    let opened = rules(&["tcp 22 pl-1 sgr-1"]);
    let lists = list("pl-1", &["198.51.100.0/24"]);
    let lists = lists.into_iter().chain(list("pl-2", &["203.0.113.0/24"])).collect();
    let world = ec2_with_lists(&opened, lists);
    let settings = with_sources(settings(Remediation::RevertSsh), "pl-2");
    let first = run_alone(&world, &settings, &authorized(&opened), noon(), Some(1));
    assert_eq!(brief(first.report()), [] as [&str; 0]);
    let [payload] = &first.handed_on[..] else { panic!("{:?}", first.handed_on) };
    let second = run_alone(&world, &settings, &decoded(payload), noon(), Some(1));
    assert_eq!(brief(second.report()), ["unresolved-peer none tcp 22 from pl-1"]);
    assert_eq!(second.handed_on.len(), 0);
}

/// Each piece may take a second.
#[test]
fn a_rule_is_not_begun_without_time_for_all_of_its_pieces() {
    let sources: Vec<String> = (0..40).map(|n| format!("203.0.113.{}/32", 2 * n)).collect();
    let settings = with_sources(settings(Remediation::RevertSsh), &sources.join(","));
    let opened = rules(&["tcp 22 198.51.100.0/24 sgr-1", "tcp 22 0.0.0.0/0 sgr-2"]);
    for (seconds_left, handed_on) in [(60, 1), (80, 0)] {
        let world = ec2(&opened);
        let ran = run_alone(&world, &settings, &authorized(&opened), noon(), Some(seconds_left));
        assert_eq!(ran.report().handed_on, handed_on, "{seconds_left}");
        assert_eq!(is_open(&world, &opened[1..]), handed_on == 1, "{seconds_left}");
        assert!(!is_open(&world, &opened[..1]), "{seconds_left}");
    }
}

/// EC2's listing does not show the rule yet in either invocation.
#[test]
fn a_held_rule_that_there_is_no_time_to_judge_is_not_closed_by_the_next_invocation() {
    let held = held_until("tcp 22 pl-1 sgr-1", "2026-11-02T13:00:00Z");
    let lists = list("pl-1", &["0.0.0.0/0"]);
    let lists = lists.into_iter().chain(list("pl-2", &["203.0.113.0/24"])).collect();
    let world = ec2_with_lists(&[], lists);
    let settings = with_sources(settings(Remediation::RevertSsh), "pl-2");
    let first = run_alone(&world, &settings, &authorized(&[held]), noon(), Some(1));
    assert_eq!(brief(first.report()), [] as [&str; 0]);
    let [payload] = &first.handed_on[..] else { panic!("{:?}", first.handed_on) };
    let revokes = Cell::new(0);
    let counting = hooked(&world, |call| {
        revokes.set(revokes.get() + usize::from(is_revoke(call)));
        None
    });
    let close = decoded(payload);
    let ran = run_alone(&counting, &settings, &close, noon(), None);
    assert_eq!(brief(ran.report()), ["open-ssh held tcp 22 from pl-1"]);
    assert_eq!(revokes.get(), 0);
    // An earlier try may have closed it while its tags were off.
    assert!(only(ran.report()).undo.is_some());
    assert!(ran.detail().contains("the auditor may have closed it"), "{}", ran.detail());
    // Once the hold has ended, the rule counts as one that an earlier try may have closed.
    let later = noon() + TimeDelta::hours(2);
    let ran = run_at(&counting, &settings, &close, later, None);
    assert_eq!(brief(ran.report()), ["open-ssh already-gone tcp 22 from pl-1"]);
}
