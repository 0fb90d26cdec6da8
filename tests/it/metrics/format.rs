//! Lines of a log in CloudWatch's embedded metric format, held against its specification
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

const NAMESPACE: &str = "typo3-sg-auditor";
const UNITS: [&str; 2] = ["Count", "Seconds"];
/// An event of CloudWatch Logs has so many bytes, 26 of them for what is around it.
const LONGEST: usize = 256 * 1024 - 26;

/// A metric, as CloudWatch tells one from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    pub name: String,
    pub dimensions: BTreeMap<String, String>,
}

/// The values of each metric in a log. Ends the test at a line that CloudWatch would not take.
pub fn metrics(log: &[String]) -> BTreeMap<Metric, Vec<f64>> {
    let mut all: BTreeMap<Metric, Vec<f64>> = BTreeMap::new();
    for line in log.iter().filter(|line| line.contains("_aws")) {
        let document: Value = serde_json::from_str(line).expect("the whole line is JSON");
        let document = document.as_object().expect("an object");
        assert!(line.len() <= LONGEST, "{line}");
        for (metric, values) in read(document).unwrap_or_else(|| panic!("not valid: {line}")) {
            all.entry(metric).or_default().extend(values);
        }
    }
    all
}

/// The metrics of a document; `None` where it is not as the specification says.
fn read(document: &Map<String, Value>) -> Option<Vec<(Metric, Vec<f64>)>> {
    let aws = members(document.get("_aws")?, &["CloudWatchMetrics", "Timestamp"])?;
    // In milliseconds, of which there were so many before 2020.
    (aws["Timestamp"].as_u64()? > 1_577_836_800_000).then_some(())?;
    let [directive] = &aws["CloudWatchMetrics"].as_array()?[..] else { return None };
    let directive = members(directive, &["Dimensions", "Metrics", "Namespace"])?;
    (directive["Namespace"] == NAMESPACE).then_some(())?;
    let [names] = &directive["Dimensions"].as_array()?[..] else { return None };
    let names = names.as_array()?;
    (1..=30).contains(&names.len()).then_some(())?;
    let mut dimensions = BTreeMap::new();
    for name in names {
        let value = document.get(name.as_str()?)?.as_str()?;
        (1..=1024).contains(&value.len()).then_some(())?;
        dimensions.insert(name.as_str()?.to_owned(), value.to_owned());
    }
    let definitions = directive["Metrics"].as_array()?;
    (1..=100).contains(&definitions.len()).then_some(())?;
    let mut found = Vec::new();
    for definition in definitions {
        let definition = members(definition, &["Name", "Unit"])?;
        UNITS.contains(&definition["Unit"].as_str()?).then_some(())?;
        let name = definition["Name"].as_str()?;
        let values = numbers(document.get(name)?)?;
        found.push((Metric { name: name.to_owned(), dimensions: dimensions.clone() }, values));
    }
    // Nothing else is in it that nobody would look for.
    let named: BTreeSet<&str> = found.iter().map(|(metric, _)| metric.name.as_str()).collect();
    let is_known = |member: &String| {
        member == "_aws" || dimensions.contains_key(member) || named.contains(member.as_str())
    };
    document.keys().all(is_known).then_some(found)
}

/// An object with these members and no others.
fn members<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Map<String, Value>> {
    let object = value.as_object()?;
    let has: BTreeSet<&str> = object.keys().map(String::as_str).collect();
    (has == names.iter().copied().collect()).then_some(object)
}

/// A number, or up to a hundred.
fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Array(values) if (1..=100).contains(&values.len()) => {
            values.iter().map(Value::as_f64).collect()
        }
        Value::Number(number) => Some(vec![number.as_f64()?]),
        _ => None,
    }
}

#[test]
fn lines_that_cloudwatch_would_refuse_are_noticed() {
    const VALID: &str = r#"{"_aws":{"Timestamp":1800000000000,"CloudWatchMetrics":[{"Namespace":"typo3-sg-auditor",
        "Dimensions":[["FunctionName"]],"Metrics":[{"Name":"Sweeps","Unit":"Count"}]}]},"FunctionName":"f","Sweeps":1}"#;
    let valid: Value = serde_json::from_str(VALID).unwrap();
    assert!(read(valid.as_object().unwrap()).is_some());
    let directive = "/_aws/CloudWatchMetrics/0";
    for (pointer, value) in [
        ("/_aws/Timestamp".to_owned(), Value::from(1_800_000_000)),
        (format!("{directive}/Namespace"), Value::from("another")),
        (format!("{directive}/Dimensions/0/0"), Value::from("Absent")),
        (format!("{directive}/Metrics/0/Name"), Value::from("Absent")),
        (format!("{directive}/Metrics/0/Unit"), Value::from("Rules")),
        ("/FunctionName".to_owned(), Value::from(1)),
        ("/Sweeps".to_owned(), Value::from("1")),
        ("/Sweeps".to_owned(), Value::from(vec![1; 101])),
    ] {
        let mut broken = valid.clone();
        *broken.pointer_mut(&pointer).expect("a member") = value;
        assert!(read(broken.as_object().unwrap()).is_none(), "{pointer}: {broken}");
    }
}
