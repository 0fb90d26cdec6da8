//! The metrics that the alarms and the dashboard of the template ask for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::format::Metric;
use crate::support::resolved::{AUDITOR, resources, with_parts};

/// The function's own, where its name is this one: all that there can be.
pub fn by_the_template(function: &str) -> BTreeSet<Metric> {
    let parameters = with_parts(json!({"Remediation": "revert-ssh", "Scope": "tag:role=web"}));
    let resources = resources(&[(AUDITOR, parameters)]).remove(0);
    let mut used = BTreeSet::new();
    for resource in resources.values().filter(|it| it["Type"] == "AWS::CloudWatch::Alarm") {
        let alarm = &resource["Properties"];
        let several = alarm["Metrics"].as_array().into_iter().flatten();
        for alarm in several.map(|it| &it["MetricStat"]["Metric"]).chain([alarm]) {
            if alarm["Namespace"] != "typo3-sg-auditor" {
                continue;
            }
            let dimensions = alarm["Dimensions"].as_array().into_iter().flatten();
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            let name = text(&alarm["MetricName"]);
            let dimensions = dimensions.map(|it| (text(&it["Name"]), text(&it["Value"]))).collect();
            used.insert(Metric { name, dimensions });
        }
    }
    assert_eq!(used.len(), 5, "{used:?}");
    let body = resources["Dashboard"]["Properties"]["DashboardBody"].as_str().expect("a dashboard");
    let body: Value = serde_json::from_str(body).expect("JSON");
    for widget in body["widgets"].as_array().expect("widgets") {
        used.extend(shown(&widget["properties"]["metrics"]));
    }
    let of_this = |mut metric: Metric| {
        let name = metric.dimensions.get_mut("FunctionName").expect("the function's name");
        assert!(name.starts_with("stack-Auditor-"), "{name}");
        function.clone_into(name);
        metric
    };
    used.into_iter().map(of_this).collect()
}

/// What a widget shows of the function's own.
fn shown(rows: &Value) -> Vec<Metric> {
    let mut before: Vec<String> = Vec::new();
    let mut metrics = Vec::new();
    for row in rows.as_array().into_iter().flatten() {
        let row = row.as_array().expect("a row");
        if let Some(expression) = row[0]["expression"].as_str() {
            metrics.push(searched(expression));
            continue;
        }
        before = spelled_out(row, &before);
        if before[0] == "typo3-sg-auditor" {
            let dimensions = before[2..].chunks(2).map(|it| (it[0].clone(), it[1].clone()));
            metrics.push(Metric { name: before[1].clone(), dimensions: dimensions.collect() });
        }
    }
    metrics
}

/// A row without its options, and without what stands for parts of the row before: a dot for the same part, three dots
/// for all but the last ones ("Metric widget: array" in the CloudWatch API reference).
fn spelled_out(row: &[Value], before: &[String]) -> Vec<String> {
    let texts: Vec<&str> = row.iter().filter_map(Value::as_str).collect();
    if let ["...", last @ ..] = &texts[..] {
        let kept = &before[..before.len() - last.len()];
        return kept.iter().cloned().chain(last.iter().map(|it| (*it).to_owned())).collect();
    }
    let same = |(at, text): (usize, &&str)| match *text {
        "." => before[at].clone(),
        text => text.to_owned(),
    };
    texts.iter().enumerate().map(same).collect()
}

/// `SEARCH('{"NAMESPACE",DIMENSION,...} MetricName="NAME" DIMENSION="VALUE"', ...)`: a dimension without a value is any.
fn searched(expression: &str) -> Metric {
    let (_, rest) = expression.split_once("SEARCH('{").expect("a search");
    let (schema, rest) = rest.split_once("} ").expect("a schema");
    let (terms, _) = rest.split_once("', ").expect("terms");
    let terms: BTreeMap<&str, &str> = terms
        .split(' ')
        .map(|term| term.split_once('=').expect("a term"))
        .map(|(name, value)| (name, value.trim_matches('"')))
        .collect();
    let mut names = schema.split(',');
    assert_eq!(names.next(), Some("\"typo3-sg-auditor\""), "{expression}");
    let value = |name: &str| terms.get(name).copied().unwrap_or("*").to_owned();
    let dimensions = names.map(|name| (name.to_owned(), value(name))).collect();
    Metric { name: terms["MetricName"].to_owned(), dimensions }
}
