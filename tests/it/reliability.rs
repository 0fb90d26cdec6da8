//! Faults, one by one: for each call that an audit makes, each way in which it can fail, once, for a whole invocation
//! and for two; and the process killed at each call. What is promised is held against what is there after each
//! invocation ([`trial`]), and what becomes of the first one is the table in docs/reliability.md.

mod fault;
mod kill;
mod page;
mod scene;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use fault::Fault;
use page::{section, tables_are};
use scene::{Scene, Stage};
use trial::{Fate, Plan, Trial};

use crate::rights::CALLED;
use crate::support::endpoint::Answer;

/// The calls that an audit makes, each in the scenes that show what its faults come to.
const MATRIX: [(Scene, &[&str]); 6] = [
    (
        Scene::Change,
        &[
            "DescribeSecurityGroups",
            "DescribeSecurityGroupRules",
            "AuthorizeSecurityGroupIngress",
            "RevokeSecurityGroupIngress",
            "Publish",
        ],
    ),
    (Scene::List, &["DescribeManagedPrefixLists", "GetManagedPrefixListEntries"]),
    (Scene::Member, &["AssumeRole"]),
    (Scene::Remembered, &["UpdateItem", "PutItem"]),
    (Scene::Sweep, &["DescribeSecurityGroups", "DescribeSecurityGroupRules", "Invoke"]),
    (
        Scene::Close,
        &[
            "DescribeSecurityGroups",
            "DescribeSecurityGroupRules",
            "AuthorizeSecurityGroupIngress",
            "RevokeSecurityGroupIngress",
            "Publish",
            "Invoke",
        ],
    ),
];

/// Trials wait more than they work.
const WORKERS: usize = 16;

/// How often a trial is played again on a machine that is too slow for it.
const REPEATS: usize = 5;

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lasts {
    /// For one call.
    Once,
    /// For all such calls of the first invocation.
    First,
    /// For all such calls of the first two.
    Twice,
}

/// Something that is written in one thread and read in another.
fn shared<T>(value: T) -> Arc<Mutex<T>> {
    Arc::new(Mutex::new(value))
}

/// Has `play` at everything in `trials`, in as many threads as there are workers, each with a stage of its own. What
/// is last in `trials` comes first.
fn played<T: Send, R: Send>(
    trials: Vec<T>,
    play: impl AsyncFn(&mut Stage, T) -> R + Sync,
) -> Vec<R> {
    let (trials, results) = (Mutex::new(trials), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        let workers = trials.lock().unwrap().len().min(WORKERS);
        for _ in 0..workers {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(async {
                    let mut stage = Stage::new().await;
                    loop {
                        let Some(trial) = trials.lock().unwrap().pop() else { break };
                        let result = play(&mut stage, trial).await;
                        results.lock().unwrap().push(result);
                    }
                });
            });
        }
    });
    results.into_inner().unwrap()
}

/// Plays until nothing was wrong but what is played. What is promised is promised of a slow moto too, but what becomes of
/// the first invocation is then another fault's doing.
async fn undisturbed<R>(
    stage: &mut Stage,
    play: impl AsyncFn(&mut Stage) -> R,
    is_played: impl Fn(&R) -> bool,
) -> R {
    for _ in 0..REPEATS {
        let late = stage.world.late();
        let result = play(stage).await;
        if stage.world.late() == late && is_played(&result) {
            return result;
        }
    }
    panic!("moto is slower than the function waits");
}

async fn tried(
    stage: &mut Stage,
    (scene, call, fault, lasts): (Scene, &'static str, Fault, Lasts),
) -> (Scene, &'static str, &'static str, Lasts, Fate) {
    let label = format!("{scene:?}: {call} {} {lasts:?}", fault.heading());
    let play = async |stage: &mut Stage| faulty(stage, scene, &label, call, fault, lasts).await;
    // The function waits for its table for so short a time that it may have given it up before the call.
    let is_met = |(_, met): &(Fate, usize)| *met > 0 || scene != Scene::Remembered;
    let (fate, met) = undisturbed(stage, play, is_met).await;
    assert!(met > 0, "{label}: there was no such call");
    (scene, call, fault.heading(), lasts, fate)
}

/// What comes of the fault, and how many calls met it.
async fn faulty(
    stage: &mut Stage,
    scene: Scene,
    label: &str,
    call: &'static str,
    fault: Fault,
    lasts: Lasts,
) -> (Fate, usize) {
    let faulty = if lasts == Lasts::Twice { 2 } else { 1 };
    let met = shared(0);
    let counter = Arc::clone(&met);
    let plan = move |invocation: usize| {
        let counter = Arc::clone(&counter);
        let mut left = if lasts == Lasts::Once { 1 } else { usize::MAX };
        let plan: Plan = Box::new(move |asked| {
            if asked.action != call || left == 0 {
                return Answer::Moto;
            }
            left -= 1;
            *counter.lock().unwrap() += 1;
            fault.answer(call)
        });
        (invocation <= faulty).then_some((plan, false))
    };
    let fate = Trial::play(stage, scene, label.to_owned(), lasts == Lasts::Twice, plan).await;
    let met = *met.lock().unwrap();
    (fate, met)
}

/// Calls that no audit of a group makes. Their faults are tried in memory/without.rs, deploy/organisation.rs and trail.rs.
const ELSEWHERE: [&str; 10] = [
    "DeleteItem",
    "DescribeRegions",
    "DescribeTrails",
    "GetEventSelectors",
    "GetTrailStatus",
    "ListAccounts",
    "ListAccountsForParent",
    "ListOrganizationalUnitsForParent",
    "ListParents",
    "Query",
];

#[test]
fn every_call_that_the_code_can_make_is_in_the_matrix() {
    let tried: BTreeSet<&str> =
        MATRIX.iter().flat_map(|(_, calls)| calls.iter().copied()).chain(ELSEWHERE).collect();
    let called = CALLED.iter().map(|(operation, ..)| operation.split(':').next_back().unwrap());
    assert_eq!(tried, called.collect());
}

#[test]
fn each_fault_at_each_call_loses_nothing_and_lets_nothing_in() {
    let mut trials = Vec::new();
    for lasts in [Lasts::Once, Lasts::First, Lasts::Twice] {
        for fault in Fault::ALL.into_iter().rev() {
            for (scene, calls) in MATRIX {
                trials.extend(calls.iter().map(|call| (scene, *call, fault, lasts)));
            }
        }
    }
    let mut fates: BTreeMap<(&str, &str, Lasts, &str), Fate> = BTreeMap::new();
    for (scene, call, fault, lasts, fate) in played(trials, tried) {
        fates.insert((section(scene), call, lasts, fault), fate);
    }
    let mut tables = Vec::new();
    for (scene, calls) in MATRIX {
        let mut rows = Vec::new();
        for call in calls {
            for (lasts, word) in [(Lasts::Once, "once"), (Lasts::First, "for an invocation")] {
                let mut row = vec![format!("`{call}`"), word.to_owned()];
                for fault in Fault::ALL {
                    row.push(fates[&(section(scene), *call, lasts, fault.heading())].to_string());
                }
                rows.push(row);
            }
        }
        let mut heads = vec!["Call", "Fails"];
        heads.extend(Fault::ALL.map(Fault::heading));
        tables.push((section(scene), heads, rows));
    }
    tables_are(&tables);
}
