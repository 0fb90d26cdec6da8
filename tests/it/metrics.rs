//! What the function counts, as the lines of its log that CloudWatch makes metrics of, and what the template makes of
//! these metrics.

mod format;
mod used;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use chrono::DateTime;
use serde_json::{Value, json};

use crate::memory::told::remembering;
use crate::reverts::{REVERT, finding};
use crate::support::endpoint::Answer;
use crate::support::permission::tcp;
use crate::support::rie::Function;
use crate::support::sg_audit::repository;
use crate::support::world::{Direction::Ingress, World};
use format::{Metric, metrics};

/// A region of this test's own, with no group but the default one.
const EMPTY: &str = "mx-central-1";
/// The function's name under the emulator.
const NAME: &str = "typo3-sg-auditor";

/// There is no such table.
const TAGGED: [(&str, &str); 4] =
    [REVERT[0], REVERT[1], ("SCOPE", "tag:Role=typo3"), ("STATE_TABLE", "no-such-table")];

/// All that a function has logged, once it has ended a sweep, which logs the metric that is waited for.
fn logged(function: &mut Function) -> BTreeMap<Metric, Vec<f64>> {
    function.report(&json!({"sweep": {"regions": [EMPTY]}}));
    function.log_line(|line| line.contains(r#""Name":"Sweeps""#));
    metrics(&function.log())
}

/// A metric of one more dimension than the function's name.
fn by(name: &str, dimension: &str, value: &str) -> Metric {
    let dimensions = [("FunctionName", NAME), (dimension, value)];
    let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Metric { name: name.to_owned(), dimensions: dimensions.map(text).into() }
}

fn of_function(name: &str) -> Metric {
    let dimensions = [("FunctionName".to_owned(), NAME.to_owned())].into();
    Metric { name: name.to_owned(), dimensions }
}

/// Everything that can come of an event and of a revert, once.
async fn everything(world: &World) -> BTreeMap<Metric, Vec<f64>> {
    let mut function = world.function(&TAGGED);
    let inside = world.group("typo3-shop").await;
    world.tag(&inside.id, "Role", "typo3").await;
    let outside = world.group("other").await;

    let web = world.authorize(&inside, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
    assert_eq!(function.report(&web)["outcome"], "compliant");
    let mut refused = web.clone();
    refused["detail"]["errorCode"] = "Client.UnauthorizedOperation".into();
    assert_eq!(function.report(&refused)["outcome"], "ignored");
    let other = world.authorize(&outside, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    assert_eq!(function.report(&other)["outcome"], "out-of-scope");

    let opened = world.authorize(&inside, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    for outcome in ["narrowed", "already-gone"] {
        let report = function.report(&opened);
        assert_eq!(report["findings"][0]["remediation"]["outcome"], outcome);
    }
    let block = world.authorize(&inside, Ingress, &[tcp(22, 22).from("198.51.100.0/24")]).await;
    world.answer(|call| match call.action.as_str() {
        "RevokeSecurityGroupIngress" => Answer::Error(403, "UnauthorizedOperation", "no"),
        _ => Answer::Moto,
    });
    let report = function.report(&block);
    assert_eq!(report["findings"][0]["remediation"]["outcome"], "failed");
    world.answer(|call| match call.action.as_str() {
        "Publish" => Answer::Error(500, "InternalError", "SNS is having a bad day"),
        _ => Answer::Moto,
    });
    assert_eq!(function.invoke(&block).error_type(), Some("NotPublished"));
    world.answer(|_| Answer::Moto);
    logged(&mut function)
}

/// What is logged where something opens the same rule again.
async fn again() -> BTreeMap<Metric, Vec<f64>> {
    remembering(&[], async |world, function| {
        let group = world.group("typo3-shop").await;
        for opening in 0..3 {
            let mut event =
                world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
            event["detail"]["eventID"] = format!("opening-{opening}").into();
            function.report(&event);
        }
        logged(function)
    })
    .await
}

#[tokio::test]
async fn the_metrics_count_what_was_done() {
    let world = World::new().await;
    let logged = everything(&world).await;
    let counted: BTreeMap<Metric, f64> = logged
        .iter()
        .filter(|(metric, _)| !metric.name.starts_with("Seconds"))
        .map(|(metric, values)| (metric.clone(), values.iter().sum()))
        .collect();
    let expected = [
        // The web, and the sweep of a region in which nothing is wrong.
        (by("Events", "Outcome", "compliant"), 2.0),
        (by("Events", "Outcome", "ignored"), 1.0),
        (by("Events", "Outcome", "out-of-scope"), 1.0),
        (by("Events", "Outcome", "noncompliant"), 3.0),
        (by("Events", "Outcome", "failed"), 1.0),
        // What could not be published is not counted as a finding. What was reverted is.
        (by("Findings", "Code", "open-ssh"), 3.0),
        // Five invocations had something to remember.
        (of_function("MemoryFailures"), 5.0),
        (by("Reverts", "Outcome", "narrowed"), 1.0),
        (by("Reverts", "Outcome", "already-gone"), 1.0),
        (by("Reverts", "Outcome", "failed"), 1.0),
        (by("Reverts", "Outcome", "reverted"), 1.0),
        (of_function("RulesRevoked"), 2.0),
        (of_function("Sweeps"), 1.0),
    ];
    assert_eq!(counted, expected.into());

    // Two rules were taken away, and three events were told of.
    let [to_revert, to_publication] =
        ["SecondsToRevert", "SecondsToPublication"].map(|name| &logged[&of_function(name)]);
    let messages = world.messages().await;
    assert_eq!((to_revert.len(), to_publication.len(), messages.len()), (2, 3, 3));
    let told = finding(&messages[0], 0);
    let time = |pointer: &str| {
        let text = told.pointer(pointer).and_then(Value::as_str).expect("a time");
        DateTime::parse_from_rfc3339(text).expect("RFC 3339").timestamp()
    };
    let seconds = (time("/remediation/time") - time("/change/time")) as f64;
    assert_eq!(to_revert[0].floor(), seconds);
    assert!(to_revert[0] <= to_publication[0], "{to_revert:?} {to_publication:?}");
}

#[tokio::test]
async fn the_function_logs_the_metrics_that_the_template_uses() {
    let mut logged: BTreeSet<Metric> = everything(&World::new().await).await.into_keys().collect();
    logged.extend(again().await.into_keys());
    let used = used::by_the_template(NAME);
    // Of the findings there is one metric for each code, of which the dashboard shows what there is.
    let kind = |metric: &Metric| {
        let names: Vec<String> = metric.dimensions.keys().cloned().collect();
        (metric.name.clone(), names)
    };
    let kinds = |metrics: &BTreeSet<Metric>| -> BTreeSet<_> { metrics.iter().map(kind).collect() };
    assert_eq!(kinds(&logged), kinds(&used));
    assert_eq!(kinds(&logged), documented());
    let but_findings = |metrics: &BTreeSet<Metric>| -> BTreeSet<Metric> {
        metrics.iter().filter(|metric| metric.name != "Findings").cloned().collect()
    };
    assert_eq!(but_findings(&logged), but_findings(&used));
    let world = World::new().await;
    let mut function = world.function(&[]);
    // What the alarm waits for.
    function.invoke(&json!({}));
    let unaudited = by("Findings", "Code", "unaudited-change");
    assert_eq!(logged_of(&mut function, &unaudited), [1.0]);
    assert!(used.contains(&unaudited));
}

/// The metrics that docs/operations.md lists, each with the names of its dimensions.
fn documented() -> BTreeSet<(String, Vec<String>)> {
    let page = fs::read_to_string(repository().join("docs/operations.md")).expect("a page");
    let (_, section) = page.split_once("\n## Metrics\n").expect("a section");
    let (section, _) = section.split_once("\n## ").expect("its end");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let (name, rest) = row.split_once("` | ").expect("a name");
        let (other, _) = rest.split_once(" | ").expect("a dimension");
        let mut dimensions = vec!["FunctionName".to_owned()];
        dimensions.extend(
            other.trim_matches('`').split('–').filter(|it| !it.is_empty()).map(str::to_owned),
        );
        dimensions.sort();
        (name.to_owned(), dimensions)
    })
    .collect()
}

fn logged_of(function: &mut Function, metric: &Metric) -> Vec<f64> {
    logged(function).remove(metric).unwrap_or_default()
}

#[tokio::test]
async fn more_values_than_a_line_may_have_are_written_in_several() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    // So many take their time where others take theirs.
    let long = ("AWS_LAMBDA_FUNCTION_TIMEOUT", "600");
    let mut function = world.function(&[&REVERT[..], &[long]].concat());
    let event = world.authorize(&group, Ingress, &[tcp(3306, 3306).from("0.0.0.0/0")]).await;
    let mut records = vec![event["detail"].clone(); 101];
    for (number, record) in records.iter_mut().enumerate() {
        record["eventID"] = format!("{number}").into();
    }
    function.report(&json!({ "Records": records }));
    let values = logged_of(&mut function, &of_function("SecondsToPublication"));
    assert_eq!(values.len(), 101);
}
