//! How many calls an audit makes: EC2 limits them, and each takes time.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use super::*;
use crate::event::ListChange;

/// How many calls to EC2 and messages an audit of `new` rules takes, in a group that also has
/// `others`.
fn cost(keeps: RevertKeeps, others: &[&str], new: &[&str]) -> (usize, Vec<Outcome>) {
    let world = ec2(&rules(&[others, new].concat()));
    let settings = Settings { revert_keeps: keeps, ..settings(Remediation::RevertSsh) };
    let ran = run_at(&world, &settings, &authorized(new), noon(), None);
    let outcomes = ran.report().findings.iter().map(Finding::outcome);
    (world.take_calls().len() + ran.messages.len(), outcomes.collect())
}

#[test]
fn a_compliant_change_costs_nothing() {
    let new = ["tcp 443 0.0.0.0/0", "tcp 22 203.0.113.64/26", "tcp 443 ::/0"];
    assert_eq!(cost(RevertKeeps::Baseline, &[], &new), (0, vec![]));
}

#[test]
fn reverting_one_rule_costs_five_calls() {
    // The group, its rules, the revoke, its rules again, the message.
    let reverted = |calls| (calls, vec![Outcome::Reverted]);
    let (open, others) = (["tcp 22 0.0.0.0/0 sgr-1"], ["tcp 22 203.0.113.0/24 sgr-2"]);
    assert_eq!(cost(RevertKeeps::Nothing, &others, &open), reverted(5));
    assert_eq!(cost(RevertKeeps::Baseline, &others, &open), reverted(5));
    // Whether a group without any rule is still there has to be asked.
    assert_eq!(cost(RevertKeeps::Nothing, &[], &open), reverted(6));
}

#[test]
fn each_piece_that_is_kept_costs_one_more_call() {
    let narrowed = |calls| (calls, vec![Outcome::Narrowed]);
    let office = "tcp 22 203.0.113.0/24 sgr-2";
    for (pieces, others, new) in [
        (1, vec![], "tcp 22 0.0.0.0/0 sgr-1"),
        (2, vec![], "tcp 22-80 0.0.0.0/0 sgr-1"),
        (3, vec![], "tcp 0-65535 0.0.0.0/0 sgr-1"),
        (2, vec![office], "tcp 0-65535 0.0.0.0/0 sgr-1"),
    ] {
        assert_eq!(cost(RevertKeeps::Baseline, &others, &[new]), narrowed(5 + pieces), "{new}");
    }
}

#[test]
fn each_further_rule_costs_its_pieces_and_one_more_call() {
    let first = "tcp 22 0.0.0.0/0 sgr-1";
    let (one, _) = cost(RevertKeeps::Baseline, &[], &[first]);
    for (pieces, further) in
        [(0, "tcp 22 8.0.0.0/7 sgr-2"), (1, "tcp 22 ::/0 sgr-2"), (3, "tcp 0-65535 ::/0 sgr-2")]
    {
        let (both, outcomes) = cost(RevertKeeps::Baseline, &[], &[first, further]);
        assert_eq!((both - one, outcomes.len()), (1 + pieces, 2), "{further}");
    }
}

/// Answers each call when the audit is polled once more, as though it took EC2 a while.
struct Slow<'a> {
    polls: &'a Cell<usize>,
    revoked_at: Cell<usize>,
}

impl Hook for Slow<'_> {
    async fn before(&self, call: Call<'_>) -> Result<(), Ec2Error> {
        let asked_at = self.polls.get();
        if matches!(call, Call::Revoke(..)) {
            self.revoked_at.set(asked_at);
        }
        poll_fn(|context| {
            context.waker().wake_by_ref();
            if self.polls.get() > asked_at { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        Ok(())
    }
}

/// Audits the event in this world, and tells how often EC2 was waited for in all, and until a revoke.
fn waits(world: &MemoryEc2, settings: &Settings, event: &Event) -> (Report, usize, usize) {
    let polls = Cell::new(0);
    let slow = Hooked { ec2: world, hook: Slow { polls: &polls, revoked_at: Cell::default() } };
    let (notifier, home) = (MemoryNotifier::default(), place());
    let auditor = Auditor::new(&slow, &notifier, &notifier, settings, &home);
    let mut audit = pin!(auditor.audit(event, &noon, None));
    let report = block_on(poll_fn(|context| {
        polls.set(polls.get() + 1);
        audit.as_mut().poll(context)
    }));
    // EC2 is first asked when the audit is first polled.
    (report.unwrap(), polls.get() - 1, slow.hook.revoked_at.get().saturating_sub(1))
}

#[test]
fn before_open_ssh_is_revoked_ec2_is_waited_for_once() {
    let opened = "tcp 22 0.0.0.0/0 sgr-1";
    let settings =
        Settings { revert_keeps: RevertKeeps::Nothing, ..settings(Remediation::RevertSsh) };
    let (report, _, until_revoke) =
        waits(&ec2(&rules(&[opened])), &settings, &authorized(&[opened]));
    assert_eq!(brief(&report), ["open-ssh reverted tcp 22 from 0.0.0.0/0"]);
    assert_eq!(until_revoke, 1);
}

#[test]
fn the_next_page_of_a_sweep_is_asked_for_while_the_rules_of_one_are_read() {
    let groups = (0..8).map(|number| (place(), Group { id: numbered(number), ..group() }, vec![]));
    let world = MemoryEc2::new(groups, Lists::new()).with_groups_a_page(2);
    let (report, waits, _) = waits(&world, &settings(Remediation::Notify), &sweep());
    assert_eq!(report.groups, 8);
    // For the groups of the first page, then for the rules of each of four.
    assert_eq!(waits, 5);
}

#[test]
fn the_next_page_of_groups_that_name_a_list_is_asked_for_while_the_rules_of_one_are_read() {
    let groups = (0..8).map(|number| {
        let group = Group { id: numbered(number), ..group() };
        (place(), group, rules(&["tcp 22 pl-1 sgr-1"]))
    });
    let world = MemoryEc2::new(groups, list("pl-1", &["203.0.113.0/25"])).with_groups_a_page(2);
    let change = ListChange {
        list: id("pl-1"),
        name: None,
        version_before: None,
        added: Vec::new(),
        removed: Some(Vec::new()),
        restored: None,
    };
    let event = Event::new(record(), Kind::List(change));
    let (report, waits, _) = waits(&world, &settings(Remediation::Notify), &event);
    assert_eq!((report.groups, report.findings.len()), (8, 0));
    // For the list, for the groups of the first page, for the rules of each of four, and for groups
    // whose egress names it.
    assert_eq!(waits, 7);
}
