//! Several invocations at the same time over one EC2. Each call may fail, lose its answer, or be the
//! last one of its process. Invocations that fail or die are tried again, as Lambda does. A seed
//! decides everything that happens, and in which order.

use std::collections::BTreeSet;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::ec2::{Cause, RuleContent};
use crate::evaluate::Verdict;
use crate::event::{TagAction, TagChange};

/// The rules that a group may have at the start.
const POOL: [&str; 11] = [
    "tcp 22 0.0.0.0/0",
    "tcp 0-65535 0.0.0.0/0",
    "-1 * 0.0.0.0/0",
    "tcp 22-80 ::/0",
    "tcp 22 198.51.100.0/24",
    "tcp 80 0.0.0.0/0",
    "tcp 443 0.0.0.0/0",
    "tcp 22 203.0.113.7/32",
    "tcp 3306 0.0.0.0/0",
    "udp 53 0.0.0.0/0",
    "tcp 22 10.0.0.0/8",
];

/// There are faults during this many steps, and none after them.
const FAULTY_STEPS: usize = 600;

/// After this many steps, it is taken to go on forever.
const MAX_STEPS: usize = 60_000;

/// A linear congruential generator with the constants of Knuth's MMIX.
struct Chance(Cell<u64>);

impl Chance {
    fn below(&self, bound: usize) -> usize {
        let next = self.0.get().wrapping_mul(6_364_136_223_846_793_005);
        self.0.set(next.wrapping_add(1_442_695_040_888_963_407));
        usize::try_from(self.0.get() >> 33).unwrap() % bound
    }
}

/// What all invocations share.
struct Stage {
    ec2: Rc<MemoryEc2>,
    settings: Settings,
    /// The rules that each group had at the start.
    before: Vec<(GroupId, Vec<Rule>)>,
    chance: Chance,
    faulty: Cell<bool>,
    revoked: RefCell<Vec<(GroupId, RuleContent)>>,
    messages: RefCell<Vec<crate::report::Message>>,
    waiting: RefCell<Vec<Event>>,
}

/// The process that an invocation runs in. All its calls go through it.
#[derive(Clone)]
struct Process {
    stage: Rc<Stage>,
    dead: Rc<Cell<bool>>,
    /// What happens to the current call.
    fate: Rc<Cell<usize>>,
}

impl Process {
    /// Others have their turn, and then the call gets through, or does not.
    async fn before(&self) -> Result<(), Cause> {
        let mut others_had_their_turn = false;
        poll_fn(|_| match std::mem::replace(&mut others_had_their_turn, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
        let faulty = self.stage.faulty.get();
        self.fate.set(if faulty { self.stage.chance.below(60) } else { usize::MAX });
        match self.fate.get() {
            0 => self.die().await,
            1..4 => return Err(cause("the call did not get through")),
            _ => {}
        }
        Ok(())
    }

    /// The answer arrives, or does not.
    async fn after(&self) -> Result<(), Cause> {
        match self.fate.get() {
            4 => self.die().await,
            5 | 6 => return Err(cause("the answer was lost")),
            _ => {}
        }
        Ok(())
    }

    async fn die(&self) {
        self.dead.set(true);
        pending::<()>().await;
    }
}

fn failed(cause: Cause) -> Ec2Error {
    Ec2Error::Passing { action: "TheCall", cause }
}

impl Hook for Process {
    async fn before(&self, _: Call<'_>) -> Result<(), Ec2Error> {
        Process::before(self).await.map_err(failed)
    }

    async fn after(&self, call: Call<'_>, removed: bool) -> Result<(), Ec2Error> {
        if let Call::Revoke(_, group, rule) = call
            && removed
        {
            self.stage.revoked.borrow_mut().push((group.clone(), rule.content()));
        }
        Process::after(self).await.map_err(failed)
    }
}

impl Stage {
    /// What a report says is true of its groups when it is published. Others act at the same time,
    /// but nobody opens SSH, and nobody removes what a revert added.
    fn assert_true(&self, report: &Report) {
        let lists = Lists::new();
        for finding in &report.findings {
            let (Some(found), Some(group)) = (finding.found_rule(), &finding.group) else {
                continue;
            };
            let now = self.ec2.rules_of(&group.id).unwrap();
            let at_start = self.before.iter().find(|(id, _)| *id == group.id);
            let (_, at_start) = at_start.unwrap();
            let baseline = &self.settings.baseline;
            let judge = Judge::new(baseline, Direction::Ingress, Some(&group.id), &lists, today());
            let is_there = |rule: &Rule| now.iter().any(|other| other.is_same_as(rule));
            let told = format!("{found:#?}");
            for kept in &found.kept {
                assert!(is_there(kept), "{told}");
            }
            if found.presence.is_gone() {
                assert!(!is_there(&found.rule), "{told}");
            }
            // Whoever pastes a line, whatever others did meanwhile, lets nobody in.
            for line in [&finding.fix, &finding.complete].into_iter().flatten() {
                let known = Group { id: group.id.clone(), ..super::group() };
                let world = MemoryEc2::new([(place(), known, now.clone())], Lists::new());
                let (_, again) = (paste(&world, line), paste(&world, line));
                assert!(!again, "{line}");
                let pasted = world.rules_of(&group.id).unwrap();
                let admits =
                    |rules: &[Rule]| Traffic::union_of(rules.iter().map(Rule::traffic).collect());
                assert!(admits(&pasted).is_subset_of(&admits(at_start)), "{line}");
            }
            if !matches!(finding.code, Code::OpenSsh | Code::SshFromUnlistedHost) {
                continue;
            }
            let named = |rule: &Rule| found.still_open.iter().any(|other| other.is_same_as(rule));
            for rule in now.iter().filter(|rule| !rule.is_same_as(&found.rule)) {
                let is_open = judge.code(&judge.judge(rule)) == Some(Code::OpenSsh);
                assert!(!is_open || found.unchecked.is_some() || named(rule), "{told}");
            }
            for open in &found.still_open {
                assert!(at_start.iter().any(|rule| rule.is_same_as(open)), "{told}");
                assert_eq!(judge.code(&judge.judge(open)), Some(Code::OpenSsh), "{told}");
            }
        }
    }
}

impl Notifier for Process {
    async fn publish(&self, report: &Report) -> Result<(), NotifyError> {
        self.stage.assert_true(report);
        // Each message is a call of its own.
        for message in messages(report).unwrap() {
            self.before().await.map_err(NotifyError)?;
            self.stage.messages.borrow_mut().push(message);
            self.after().await.map_err(NotifyError)?;
        }
        Ok(())
    }
}

impl Invoker for Process {
    async fn invoke(&self, payload: &Value) -> Result<(), InvokeError> {
        let transient = |cause| InvokeError { cause, is_transient: true };
        self.before().await.map_err(transient)?;
        self.stage.waiting.borrow_mut().push(decoded(payload));
        self.after().await.map_err(transient)
    }
}

/// An invocation that was started.
struct Running {
    event: Event,
    dead: Rc<Cell<bool>>,
    succeeds: Pin<Box<dyn Future<Output = bool>>>,
}

fn start(stage: &Rc<Stage>, event: Event, settings: &Settings) -> Running {
    let dead = Rc::new(Cell::new(false));
    let process = Process { stage: Rc::clone(stage), dead: Rc::clone(&dead), fate: Rc::default() };
    let ec2 = Hooked { ec2: Rc::clone(&stage.ec2), hook: process.clone() };
    let late = stage.faulty.get() && stage.chance.below(3) == 0;
    let deadline = late.then(|| noon() + TimeDelta::seconds(10));
    let (its, settings, home) = (event.clone(), settings.clone(), place());
    let succeeds = Box::pin(async move {
        let auditor = Auditor::new(&ec2, &process, &process, &settings, &home);
        auditor.audit(&its, &noon, deadline).await.is_ok()
    });
    Running { event, dead, succeeds }
}

/// Runs up to three invocations at a time, in random turns, until none is left.
fn play(stage: &Rc<Stage>, settings: &Settings) {
    let mut running: Vec<Running> = Vec::new();
    for step in 0..MAX_STEPS {
        stage.faulty.set(step < FAULTY_STEPS);
        let waiting = stage.waiting.borrow().len();
        if running.len() < 3 && waiting > 0 {
            let event = stage.waiting.borrow_mut().swap_remove(stage.chance.below(waiting));
            running.push(start(stage, event, settings));
            continue;
        }
        if running.is_empty() {
            return;
        }
        let at = stage.chance.below(running.len());
        let polled = running[at].succeeds.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        match polled {
            Poll::Ready(true) => drop(running.swap_remove(at)),
            Poll::Pending if !running[at].dead.get() => {}
            Poll::Ready(false) | Poll::Pending => {
                stage.waiting.borrow_mut().push(running.swap_remove(at).event);
            }
        }
    }
    panic!("it goes on forever");
}

/// The groups at the start, and the events: either a sweep, changes that are understood and one that
/// is not, or a tag call that took the groups out of the scope.
fn scenario(chance: &Chance, settings: &mut Settings) -> (Vec<(Group, Vec<Rule>)>, Vec<Event>) {
    let groups: Vec<(Group, Vec<Rule>)> = (0..3)
        .map(|number| {
            let group = Group { id: numbered(number), tags: Some([].into()), ..group() };
            let rules = POOL.iter().zip(0..).filter(|_| chance.below(2) == 0);
            let rule = |(text, at)| rule(&format!("{text} sgr-{number}{at}"));
            (group, rules.map(rule).collect())
        })
        .collect();
    if chance.below(3) == 0 {
        settings.scope = role_scope();
        let left = TagChange {
            groups: groups.iter().map(|(group, _)| group.id.clone()).collect(),
            tags: [("Role".to_owned(), TagAction::Deleted(None))].into(),
            all_deleted: false,
        };
        let record = Record { event_name: Some("DeleteTags".to_owned()), ..record() };
        return (groups, vec![Event::new(record, Kind::Tags(left))]);
    }
    let changes = groups.iter().enumerate().map(|(number, (group, rules))| {
        let kind = match number {
            0 => ChangeKind::Unknown("it was cut short".to_owned()),
            _ => ChangeKind::Authorized(rules.clone()),
        };
        let change = GroupChange { group: GroupKey::Id(group.id.clone()), owner: None, kind };
        let record = Record { event_id: Some(format!("e-{number}")), ..record() };
        Event::new(record, Kind::Change(change))
    });
    let events = changes.chain([sweep()]).collect();
    (groups, events)
}

/// The rules in published findings, each with its group and with `gone` or its outcome.
fn reported(stage: &Stage) -> BTreeSet<(GroupId, RuleContent, String)> {
    let mut reported = BTreeSet::new();
    for message in stage.messages.borrow().iter() {
        for finding in report_in(message)["findings"].as_array().unwrap() {
            let (rule, text) =
                (&finding["rule"], |value: &Value| value.as_str().unwrap().to_owned());
            if rule.is_null() {
                continue;
            }
            let port = |name: &str| rule[name].as_i64().map(|port| i32::try_from(port).unwrap());
            let (protocol, peer) = (text(&rule["protocol"]), text(&rule["peer"]));
            let direction = Direction::Ingress;
            let (protocol, peer) = (protocol.parse().unwrap(), peer.parse().unwrap());
            let rule = Rule::new(direction, protocol, port("from_port"), port("to_port"), peer);
            let remediation = &finding["remediation"];
            // If there was no room for a piece, the outcome is a failure, but the rule is gone.
            let gone = remediation["connections"].is_string();
            let outcome = text(&remediation["outcome"]);
            let said = if gone { "gone".to_owned() } else { outcome };
            let group = id(&text(&finding["group"]["id"]));
            reported.insert((group, rule.unwrap().content(), said));
        }
    }
    reported
}

/// Plays the scenario of a seed, and checks the rules that are left and the findings.
fn check(seed: u64) {
    let chance = Chance(Cell::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1));
    let mode = [Remediation::RevertSsh, Remediation::RevertIngress][chance.below(2)];
    let mut settings = Settings { sweep_remediation: mode, ..settings(mode) };
    let (groups, events) = scenario(&chance, &mut settings);
    let limit = [6, 60, 60][chance.below(3)];
    let groups_in_place =
        groups.iter().map(|(group, rules)| (place(), group.clone(), rules.clone()));
    let stage = Rc::new(Stage {
        ec2: MemoryEc2::new(groups_in_place, Lists::new()).with_rule_limit(limit).into(),
        settings: settings.clone(),
        before: groups.iter().map(|(group, rules)| (group.id.clone(), rules.clone())).collect(),
        chance,
        faulty: true.into(),
        revoked: RefCell::default(),
        messages: RefCell::default(),
        waiting: events.into(),
    });
    play(&stage, &settings);

    let reported = reported(&stage);
    for (group, content) in stage.revoked.borrow().iter() {
        let as_gone = (group.clone(), content.clone(), "gone".to_owned());
        assert!(reported.contains(&as_gone), "{seed}: it is not reported that {content:?} is gone");
    }
    let lists = Lists::new();
    for (group, before) in &groups {
        let after = stage.ec2.rules_of(&group.id).unwrap();
        let judge =
            Judge::new(&settings.baseline, Direction::Ingress, Some(&group.id), &lists, today());
        let traffic = |rules: &[Rule]| Traffic::union_of(rules.iter().map(Rule::traffic).collect());
        let (was, is) = (traffic(before), traffic(&after));
        assert!(is.is_subset_of(&was), "{seed}: {} admits more", group.id);
        for rule in before {
            let (judgement, text) = (judge.judge(rule), rule_text(rule));
            let is_compliant = judgement.is_compliant();
            let is_due = judge
                .code(&judgement)
                .is_some_and(|code| is_due(mode, &judge, &Verdict { code, rule, judgement }));
            let is_there = after.iter().any(|other| other.content() == rule.content());
            assert!(is_due || is_there, "{seed}: {text} is gone");
            let is_reported =
                reported.iter().any(|(id, of, _)| (id, of) == (&group.id, &rule.content()));
            assert!(is_compliant || is_reported, "{seed}: {text} is not reported");
            // In a full group there may be no room for pieces. Then other rules are left.
            assert!(limit == 6 || !(is_due && is_there), "{seed}: {text} is open");
        }
        for web in ["tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0"].map(|text| rule(text).traffic()) {
            let is_lost = web.is_subset_of(&was) && !web.is_subset_of(&is);
            assert!(limit == 6 || !is_lost, "{seed}: the website of {} is down", group.id);
        }
    }
}

#[test]
fn whatever_fails_in_whichever_order_nothing_is_lost_and_everything_is_reported() {
    (0..150).for_each(check);
}
