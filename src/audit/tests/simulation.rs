//! Several invocations at once over one EC2, each call of which may fail, have its answer lost, or be
//! the last of its process; and whatever fails or dies is tried again, as Lambda does. What happens in
//! which order hangs on a seed and on nothing else.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use serde_json::Value;

use super::*;
use crate::ec2::RuleContent;
use crate::event::{TagAction, TagChange};
use crate::report::Message;

/// What may be in a group before.
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

/// Faults happen until so many steps were made, and then no more.
const FAULTY: usize = 600;

/// After so many steps it has no end.
const MOST: usize = 60_000;

/// A linear congruential generator with the constants of Knuth's MMIX.
struct Chance(Cell<u64>);

impl Chance {
    fn below(&self, bound: usize) -> usize {
        let next = self.0.get().wrapping_mul(6_364_136_223_846_793_005);
        self.0.set(next.wrapping_add(1_442_695_040_888_963_407));
        usize::try_from(self.0.get() >> 33).unwrap() % bound
    }
}

/// What all invocations have in common.
struct Stage {
    ec2: MemoryEc2,
    chance: Chance,
    faulty: Cell<bool>,
    revoked: RefCell<Vec<(String, RuleContent)>>,
    messages: RefCell<Vec<Message>>,
    waiting: RefCell<Vec<Event>>,
}

/// One invocation's way to it.
struct Process {
    stage: Rc<Stage>,
    dead: Rc<Cell<bool>>,
}

impl Process {
    async fn call<T>(&self, act: impl Future<Output = T>) -> Result<T, String> {
        let mut others_had_their_turn = false;
        poll_fn(|_| match std::mem::replace(&mut others_had_their_turn, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
        let fate = if self.stage.faulty.get() { self.stage.chance.below(60) } else { usize::MAX };
        if fate == 0 {
            self.die().await;
        }
        if let 1..4 = fate {
            return Err("it did not get there".to_owned());
        }
        let answer = act.await;
        match fate {
            4 => self.die().await,
            5 | 6 => return Err("the answer was lost".to_owned()),
            _ => {}
        }
        Ok(answer)
    }

    async fn die(&self) {
        self.dead.set(true);
        pending::<()>().await;
    }

    async fn ec2<T>(&self, act: impl Future<Output = Result<T, Ec2Error>>) -> Result<T, Ec2Error> {
        let failed = |message| Ec2Error::Passing { action: "the call", message };
        self.call(act).await.unwrap_or_else(|message| Err(failed(message)))
    }
}

impl SecurityGroups for Process {
    async fn group(&self, place: &Place, key: &GroupKey) -> Result<Option<Group>, Ec2Error> {
        self.ec2(self.stage.ec2.group(place, key)).await
    }

    async fn rules(&self, place: &Place, group: &Group) -> Result<Vec<Rule>, Ec2Error> {
        self.ec2(self.stage.ec2.rules(place, group)).await
    }

    async fn groups(
        &self,
        place: &Place,
        which: Selection<'_>,
        page: Option<&str>,
    ) -> Result<GroupPage, Ec2Error> {
        self.ec2(self.stage.ec2.groups(place, which, page)).await
    }

    async fn held_rules(&self, place: &Place) -> Result<Vec<(String, Rule)>, Ec2Error> {
        self.ec2(self.stage.ec2.held_rules(place)).await
    }

    async fn is_stale(&self, place: &Place, group: &GroupRef) -> Result<bool, Ec2Error> {
        self.ec2(self.stage.ec2.is_stale(place, group)).await
    }

    async fn prefix_list(&self, place: &Place, id: &str) -> Result<PrefixList, Ec2Error> {
        self.ec2(self.stage.ec2.prefix_list(place, id)).await
    }

    async fn authorize(&self, place: &Place, group: &str, rule: &Rule) -> Result<(), Ec2Error> {
        self.ec2(self.stage.ec2.authorize(place, group, rule)).await
    }

    async fn revoke(&self, place: &Place, group: &str, rule: &Rule) -> Result<Revoked, Ec2Error> {
        let noted = async {
            let revoked = self.stage.ec2.revoke(place, group, rule).await;
            if revoked == Ok(Revoked::Proven) {
                self.stage.revoked.borrow_mut().push((group.to_owned(), rule.content()));
            }
            revoked
        };
        self.ec2(noted).await
    }
}

impl Notifier for Process {
    async fn publish(&self, message: &Message) -> Result<(), NotifyError> {
        let published = async { self.stage.messages.borrow_mut().push(message.clone()) };
        self.call(published).await.map_err(|message| NotifyError { message })
    }
}

impl Onward for Process {
    async fn go_on(&self, payload: &Value) -> Result<(), OnwardError> {
        let events = decode(payload.to_string().as_bytes());
        let asked_for = async { self.stage.waiting.borrow_mut().extend(events) };
        self.call(asked_for).await.map_err(|message| OnwardError { message })
    }
}

/// An invocation that has begun.
struct Running {
    event: Event,
    dead: Rc<Cell<bool>>,
    succeeds: Pin<Box<dyn Future<Output = bool>>>,
}

fn begun(stage: &Rc<Stage>, event: Event, settings: &Settings) -> Running {
    let dead = Rc::new(Cell::new(false));
    let process = Process { stage: Rc::clone(stage), dead: Rc::clone(&dead) };
    let late = stage.faulty.get() && stage.chance.below(3) == 0;
    let deadline = late.then(|| noon() + TimeDelta::seconds(10));
    let (its, settings, home) = (event.clone(), settings.clone(), place());
    let succeeds = Box::pin(async move {
        let auditor = Auditor::new(&process, &process, &process, &settings, &home);
        auditor.audit(&its, &noon, deadline).await.is_ok()
    });
    Running { event, dead, succeeds }
}

/// Has up to three invocations at a time make their steps in turns, until there are none.
fn played(stage: &Rc<Stage>, settings: &Settings) {
    let mut running: Vec<Running> = Vec::new();
    for step in 0..MOST {
        stage.faulty.set(step < FAULTY);
        let waiting = stage.waiting.borrow().len();
        if running.len() < 3 && waiting > 0 {
            let event = stage.waiting.borrow_mut().swap_remove(stage.chance.below(waiting));
            running.push(begun(stage, event, settings));
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
    panic!("it has no end");
}

/// The groups before, and what happens: a sweep beside changes that are understood and one that is
/// not, or groups that left the scope.
fn set(chance: &Chance, settings: &mut Settings) -> (Vec<(Group, Vec<Rule>)>, Vec<Event>) {
    let groups: Vec<(Group, Vec<Rule>)> = (0..3)
        .map(|number| {
            let id = format!("sg-{number:017x}");
            let group = Group { id, tags: Default::default(), ..group() };
            let rules = POOL.iter().zip(0..).filter(|_| chance.below(2) == 0);
            let rule = |(text, at)| rule(&format!("{text} sgr-{number}{at}"));
            (group, rules.map(rule).collect())
        })
        .collect();
    let Event::Change(change) = event(ChangeKind::Created) else { panic!("a change") };
    if chance.below(3) == 0 {
        settings.scope = Scope::Tag { key: "Role".to_owned(), value: "typo3".to_owned() };
        let left = TagChange {
            record: Record { event_name: Some("DeleteTags".to_owned()), ..change.record },
            groups: groups.iter().map(|(group, _)| group.id.clone()).collect(),
            tags: [("Role".to_owned(), TagAction::Deleted(None))].into(),
            all_deleted: false,
        };
        return (groups, vec![Event::Tags(Box::new(left))]);
    }
    let changes = groups.iter().zip(0..).map(|((group, rules), number)| {
        let mut change = change.clone();
        change.record.event_id = Some(format!("e-{number}"));
        change.group = GroupKey::Id(group.id.clone());
        change.kind = match number {
            0 => ChangeKind::Unknown("it was cut short".to_owned()),
            _ => ChangeKind::Authorized(rules.clone()),
        };
        Event::Change(change)
    });
    let events = changes.chain([Event::Schedule(Box::default())]).collect();
    (groups, events)
}

/// The rules that findings were published about, each with its group and with what was said.
fn told(stage: &Stage) -> BTreeSet<(String, RuleContent, String)> {
    let mut told = BTreeSet::new();
    for message in stage.messages.borrow().iter() {
        let body: Value = serde_json::from_str(&message.body).unwrap();
        let report: Value = serde_json::from_str(body["default"].as_str().unwrap()).unwrap();
        for finding in report["findings"].as_array().unwrap() {
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
            // A piece that found no room is a failure, of a rule that is gone.
            let gone = remediation["connections"].is_string();
            let outcome = text(&remediation["outcome"]);
            let said = if gone { "gone".to_owned() } else { outcome };
            told.insert((text(&finding["group"]["id"]), rule.unwrap().content(), said));
        }
    }
    told
}

/// Plays what hangs on this seed, and holds what is left and what was told against what may be.
fn hold(seed: u64) {
    let chance = Chance(Cell::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1));
    let mode = [Remediation::RevertSsh, Remediation::RevertIngress][chance.below(2)];
    let mut settings = Settings { sweep_remediation: mode, ..settings(mode) };
    let (groups, events) = set(&chance, &mut settings);
    let limit = [6, 60, 60][chance.below(3)];
    let placed = groups.iter().map(|(group, rules)| (place(), group.clone(), rules.clone()));
    let stage = Rc::new(Stage {
        ec2: MemoryEc2::new(placed, Lists::new()).with_rule_limit(limit),
        chance,
        faulty: true.into(),
        revoked: RefCell::default(),
        messages: RefCell::default(),
        waiting: events.into(),
    });
    played(&stage, &settings);

    let told = told(&stage);
    for (group, content) in stage.revoked.borrow().iter() {
        let as_gone = (group.clone(), content.clone(), "gone".to_owned());
        assert!(told.contains(&as_gone), "{seed}: nobody was told that {content:?} is gone");
    }
    let lists = Lists::new();
    for (group, before) in &groups {
        let after = stage.ec2.rules_of(&group.id).unwrap();
        let judge = crate::evaluate::Judge::new(
            &settings.baseline,
            Direction::Ingress,
            Some(&group.id),
            &lists,
            today(),
        );
        let traffic = |rules: &[Rule]| Traffic::union_of(rules.iter().map(Rule::traffic).collect());
        let (was, is) = (traffic(before), traffic(&after));
        assert!(is.is_subset_of(&was), "{seed}: {} admits more", group.id);
        for rule in before {
            let (judgement, text) = (judge.judge(rule), crate::text::rule_text(rule));
            let is_due = judge
                .code(&judgement)
                .is_some_and(|code| is_due(mode, Direction::Ingress, code, &judgement));
            let is_there = after.iter().any(|other| other.content() == rule.content());
            assert!(is_due || is_there, "{seed}: {text} is gone");
            let is_told = told.iter().any(|(id, of, _)| (id, of) == (&group.id, &rule.content()));
            assert!(judgement.is_compliant() || is_told, "{seed}: nobody was told of {text}");
            // In a full group what complies may find no room, and other rules are left for that.
            assert!(limit == 6 || !(is_due && is_there), "{seed}: {text} is open");
        }
        for web in ["tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0"].map(|text| rule(text).traffic()) {
            let is_lost = web.is_subset_of(&was) && !web.is_subset_of(&is);
            assert!(limit == 6 || !is_lost, "{seed}: the website of {} is down", group.id);
        }
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_unsaid_whatever_fails_in_whichever_order() {
    (0..150).for_each(hold);
}
