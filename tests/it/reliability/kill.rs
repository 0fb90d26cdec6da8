//! The process killed between any two calls, then the event run again in a new one.

use std::collections::BTreeMap;

use super::page::tables_are;
use super::scene::{Scene, Stage};
use super::trial::{Fate, Plan, Trial};
use super::{played, shared, undisturbed};
use crate::support::endpoint::{Answer, Call};

/// Which of its calls the process does not survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Dies {
    /// Before it reaches AWS.
    Before(usize),
    /// When AWS has carried it out.
    After(usize),
}

/// A call as the so-manieth of its name: the second run need not make all of those of the first.
type Nth = (String, usize);

/// The names of the calls that an invocation makes when nothing fails.
async fn calls(stage: &mut Stage, scene: Scene) -> Vec<String> {
    let (fate, made) =
        undisturbed(stage, async |stage| unfailing(stage, scene).await, |_| true).await;
    assert_eq!(fate, Fate::Mended);
    made
}

async fn unfailing(stage: &mut Stage, scene: Scene) -> (Fate, Vec<String>) {
    let made = shared(Vec::new());
    let noted = made.clone();
    let plan = move |invocation: usize| {
        let noted = noted.clone();
        let plan: Plan = Box::new(move |call: &Call| {
            if invocation == 1 {
                noted.lock().unwrap().push(call.action.clone());
            }
            Answer::Moto
        });
        Some((plan, false))
    };
    let fate = Trial::play(stage, scene, format!("{scene:?}"), false, plan).await;
    let mut made = made.lock().unwrap().clone();
    // EC2 is asked for both at once, and either may come first.
    if let Some(first) = made.iter().position(|call| call.starts_with("DescribeSecurityGroup")) {
        let both = &mut made[first..first + 2];
        both.sort_by_key(|call| call != "DescribeSecurityGroups");
    }
    (fate, made)
}

async fn killed(
    stage: &mut Stage,
    (scene, call, dies, times): (Scene, Nth, Dies, usize),
) -> (Dies, usize, Fate) {
    let label = format!("{scene:?}: killed {dies:?}, {times} times");
    let plan = move |invocation: usize| {
        let (action, number) = call.clone();
        let mut made = 0;
        let plan: Plan = Box::new(move |call| {
            made += usize::from(call.action == action);
            match dies {
                _ if call.action != action || made != number => Answer::Moto,
                Dies::Before(_) => Answer::Hang,
                Dies::After(_) => Answer::Mute,
            }
        });
        (invocation <= times).then_some((plan, true))
    };
    let fate = Trial::play(stage, scene, label, false, plan).await;
    (dies, times, fate)
}

#[test]
fn a_process_that_ends_at_any_call_loses_nothing() {
    let mut tables = Vec::new();
    for (scene, heading) in [
        (Scene::Change, "A process that ends during a change"),
        (Scene::List, "A process that ends while a prefix list is looked up"),
        (Scene::Member, "A process that ends during a change of another account"),
        (Scene::Sweep, "A process that ends during a sweep"),
        (Scene::Close, "A process that ends while it closes what a sweep found"),
    ] {
        let calls = played(vec![scene], calls).remove(0);
        let mut trials = Vec::new();
        for (at, call) in (1..).zip(&calls) {
            let number = calls[..at].iter().filter(|other| *other == call).count();
            for dies in [Dies::Before(at), Dies::After(at)] {
                trials.extend([1, 2].map(|times| (scene, (call.clone(), number), dies, times)));
            }
        }
        let mut fates: BTreeMap<Dies, Fate> = BTreeMap::new();
        for (dies, times, fate) in played(trials, killed) {
            assert_eq!(fate, Fate::Again, "{scene:?}: killed {dies:?}, {times} times");
            fates.insert(dies, fate);
        }
        let row = |(at, call): (usize, &String)| {
            let cell = |dies: Dies| fates[&dies].to_string();
            vec![at.to_string(), format!("`{call}`"), cell(Dies::Before(at)), cell(Dies::After(at))]
        };
        let rows = (1..).zip(&calls).map(row).collect();
        tables.push((heading, vec!["", "Call", "ends before it", "ends after it"], rows));
    }
    tables_are(&tables);
}
