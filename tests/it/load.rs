//! A thousand changes at once, for functions that run side by side, while AWS throttles a fixed share of their calls.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::reverts::REVERT;
use crate::support::endpoint::{Answer, Call};
use crate::support::event;
use crate::support::permission::tcp;
use crate::support::rie::Function;
use crate::support::world::{ACCOUNT, Direction::Ingress, Group, Rule, Site, World};

/// A region in which no other test has groups.
const HERE: &str = "ap-southeast-7";

const GROUPS: usize = 200;
const CHANGES_A_GROUP: usize = 5;
const CHANGES: usize = GROUPS * CHANGES_A_GROUP;

/// So many functions at once, each in a process of its own. The throttled ones wait for most of the time.
const INSTANCES: usize = 12;

/// Of so many calls, one is throttled.
const THROTTLED: usize = 7;

/// So often an event is delivered at most: by Lambda three times, and from the queue of failures again.
const MOST_DELIVERIES: usize = 6;

/// So many functions may be lost, all in all. The emulator is not made for load and now and then resets a connection;
/// Lambda, too, gives an event to another instance where one is lost.
const MOST_LOST: usize = 3;

/// After this the test fails, with what is missing. On an idle machine it takes some minutes.
const LIMIT: Duration = Duration::from_secs(1200);

/// So many messages are taken from the queue at a time, or a few more.
const A_TIME: usize = 40;

/// An event, and how often it was delivered.
struct Delivery {
    event: Value,
    times: usize,
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event, times } = self;
        let detail = &event["detail"];
        let group = &detail["requestParameters"]["groupId"];
        write!(f, "{} of {group}, delivered {times} times before", detail["eventID"])
    }
}

/// A group of the site with rules that comply, and with what each change opened in it.
struct Opened {
    group: Group,
    compliant: Vec<String>,
    rules: Vec<Rule>,
}

/// Every other change opens SSH alone, the others the website too, each to a network of its own.
async fn opened(site: &Site) -> Vec<Opened> {
    let mut permissions = vec![
        tcp(443, 443).described("0.0.0.0/0", "the web"),
        tcp(22, 22).described("203.0.113.0/24", "the office"),
    ];
    for number in 0..CHANGES_A_GROUP {
        let ports = if number % 2 == 0 { tcp(22, 22) } else { tcp(22, 80) };
        permissions.push(ports.from(&format!("198.51.100.{}/28", 16 * number)));
    }
    let mut all = Vec::new();
    for group in site.groups(GROUPS, &permissions).await {
        let rules = site.rules(&group).await.into_iter();
        let (rules, compliant): (Vec<Rule>, Vec<Rule>) = rules
            .filter(|rule| rule.direction == Ingress)
            .partition(|rule| rule.peer.ends_with("/28"));
        assert_eq!((rules.len(), compliant.len()), (CHANGES_A_GROUP, 2));
        let compliant = compliant.iter().map(Rule::to_string).collect();
        all.push(Opened { group, compliant, rules });
    }
    all
}

/// The event of the call that opened one rule.
fn event_of(site: &Site, group: &Group, rule: &Rule) -> Value {
    let permission = tcp(rule.ports.0, rule.ports.1).from(&rule.peer);
    let rules = std::slice::from_ref(rule);
    site.placed(event::of_permissions("Authorize", group, Ingress, &[permission], rules))
}

/// Every seventh call of a service that is asked over and over is throttled, whoever makes it.
fn throttling() -> impl FnMut(&Call) -> Answer + Send {
    let mut calls = 0;
    move |call| {
        calls += 1;
        match call.action.as_str() {
            _ if calls % THROTTLED != 0 => Answer::Moto,
            "Publish" => Answer::Error(400, "Throttling", "Rate exceeded"),
            _ => Answer::Error(503, "RequestLimitExceeded", "Request limit exceeded."),
        }
    }
}

/// Takes events from the queue until none is left or it is too late, puts back those that fail, and tells of the others.
fn work_off(
    function: impl Fn() -> Function,
    queue: &Mutex<VecDeque<Delivery>>,
    lost: &AtomicUsize,
    end: Instant,
    audited: &Sender<()>,
) {
    let is_late = || Instant::now() > end;
    let mut instance = function();
    while !is_late() {
        let Some(Delivery { event, times }) = queue.lock().unwrap().pop_front() else { break };
        let answer = match instance.answered(event.to_string().as_bytes(), is_late) {
            Ok(Some(answer)) => answer,
            Ok(None) => {
                queue.lock().unwrap().push_front(Delivery { event, times });
                break;
            }
            Err(error) => {
                let before = lost.fetch_add(1, Ordering::Relaxed);
                assert!(before < MOST_LOST, "{error}\n{}", instance.log().join("\n"));
                queue.lock().unwrap().push_back(Delivery { event, times: times + 1 });
                instance = function();
                continue;
            }
        };
        match answer.error_type() {
            None => {
                assert_eq!(answer.body["outcome"], "noncompliant", "{:#}", answer.body);
                audited.send(()).expect("somebody who listens");
            }
            Some("Ec2Unavailable" | "NotPublished") => {
                assert!(times + 1 < MOST_DELIVERIES, "delivered too often: {:#}", answer.body);
                queue.lock().unwrap().push_back(Delivery { event, times: times + 1 });
            }
            Some(_) => panic!("{:#}", answer.body),
        }
    }
}

#[tokio::test]
async fn a_thousand_changes_at_once_under_throttling() {
    let world = Arc::new(World::new().await);
    let site = world.site(ACCOUNT, HERE).await;
    let groups = opened(&site).await;
    let mut events: BTreeMap<String, &Rule> = BTreeMap::new();
    let mut queue = VecDeque::new();
    // Changes of the same group are neighbours in the queue, so that instances meet in it.
    for Opened { group, rules, .. } in &groups {
        for rule in rules {
            let event = event_of(&site, group, rule);
            let id = event["detail"]["eventID"].as_str().expect("an id").to_owned();
            events.insert(id, rule);
            queue.push_back(Delivery { event, times: 0 });
        }
    }
    assert_eq!(events.len(), CHANGES);

    world.answer(throttling());
    let (queue, (sender, mut audited)) = (Arc::new(Mutex::new(queue)), channel());
    let (lost, end) = (Arc::new(AtomicUsize::new(0)), Instant::now() + LIMIT);
    let mut instances = Vec::new();
    for _ in 0..INSTANCES {
        let (world, queue, sender) = (Arc::clone(&world), Arc::clone(&queue), sender.clone());
        let lost = Arc::clone(&lost);
        instances.push(spawn_blocking(move || {
            work_off(|| world.function(&REVERT), &queue, &lost, end, &sender);
        }));
    }
    drop(sender);
    // Taken while they come: moto looks at each message of a queue whenever it is asked for some.
    let mut messages = Vec::new();
    loop {
        let waited = spawn_blocking(move || (audited.iter().take(A_TIME).count(), audited));
        let count;
        (count, audited) = waited.await.expect("a count");
        messages.extend(world.messages().await);
        if count < A_TIME {
            break;
        }
    }
    for instance in instances {
        instance.await.expect("an instance ends by itself");
    }
    let left: Vec<String> = queue.lock().unwrap().iter().map(Delivery::to_string).collect();
    assert_eq!(left, [""; 0], "not audited within {LIMIT:?}");

    for Opened { group, compliant, rules } in &groups {
        let now = site.ingress(group).await;
        assert!(compliant.iter().all(|rule| now.contains(rule)), "{now:#?}");
        assert!(rules.iter().all(|rule| !now.contains(&rule.to_string())), "{now:#?}");
        let web = rules.iter().filter(|rule| rule.ports == (22, 80));
        for Rule { peer, .. } in web.clone() {
            let piece = format!("ingress tcp 80-80 {peer} \"kept by typo3-sg-auditor from sgr-");
            assert!(now.iter().any(|rule| rule.starts_with(&piece)), "{piece} is not in {now:#?}");
        }
        assert_eq!(now.len(), compliant.len() + web.count(), "{now:#?}");
    }

    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for message in messages {
        for finding in message.report["findings"].as_array().expect("findings") {
            let text =
                |pointer: &str| finding.pointer(pointer).and_then(Value::as_str).expect("a text");
            let event = text("/change/event_id");
            let rule = events.get(event).expect("one of the changes");
            assert_eq!((text("/rule/peer"), text("/code")), (rule.peer.as_str(), "open-ssh"));
            let outcome = text("/remediation/outcome");
            assert!(["reverted", "narrowed", "already-gone"].contains(&outcome), "{finding:#}");
            ids.entry(event.to_owned()).or_default().insert(text("/id").to_owned());
        }
    }
    assert_eq!(ids.len(), CHANGES, "each is told");
    assert!(
        ids.values().all(|ids| ids.len() == 1),
        "whenever a change is told, it has the same id"
    );
    let distinct: BTreeSet<&String> = ids.values().flatten().collect();
    assert_eq!(distinct.len(), CHANGES, "no two changes have the same id");
}
