//! When the alarm about the failure queue goes off.

use serde_json::{Value, json};

use crate::support::resolved::{AUDITOR, resources};

/// What CloudWatch makes of the number of visible messages, sampled once a minute.
fn is_alarm(alarm: &Value, visible: &[u64]) -> bool {
    let number = |name: &str| alarm[name].as_u64().expect(name);
    let minutes = usize::try_from(number("Period") / 60).expect("minutes");
    let periods = usize::try_from(number("EvaluationPeriods")).expect("periods");
    assert_eq!(alarm["ComparisonOperator"], "GreaterThanOrEqualToThreshold");
    assert_eq!(alarm.get("DatapointsToAlarm"), None);
    let of_period = |samples: &[u64]| match alarm["Statistic"].as_str() {
        Some("Minimum") => samples.iter().min().copied(),
        Some("Maximum") => samples.iter().max().copied(),
        other => panic!("{other:?}"),
    };
    let breaches: Vec<bool> = visible
        .chunks(minutes)
        .map(|samples| of_period(samples).is_some_and(|it| it >= number("Threshold")))
        .collect();
    breaches.windows(periods).any(|window| window.iter().all(|breach| *breach))
}

#[test]
fn events_that_nobody_takes_from_the_failure_queue_are_an_alarm() {
    let resources = resources(&[(AUDITOR, json!({}))]).remove(0);
    let alarm = &resources["FailuresWait"]["Properties"];
    assert_eq!(alarm["Namespace"], "AWS/SQS");
    assert_eq!(alarm["MetricName"], "ApproximateNumberOfMessagesVisible");
    let name = "stack-Failures-1A2B3C4D5E6F";
    assert_eq!(alarm["Dimensions"], json!([{"Name": "QueueName", "Value": name}]));
    // SQS stops reporting on a queue that nobody touches, and the messages are still there.
    assert_eq!(alarm["TreatMissingData"], "ignore");

    let waiting = [vec![0; 10], vec![1; 40]].concat();
    assert!(is_alarm(alarm, &waiting));
    // The function takes an event every 15 minutes and fails again: FunctionFails says so.
    let fails: Vec<u64> = (0..240).map(|minute| u64::from(minute % 15 == 0)).collect();
    assert!(!is_alarm(alarm, &fails));
    // A hundred events at once, worked off within 20 minutes.
    let flood: Vec<u64> = (0..60).map(|minute| 100_u64.saturating_sub(minute * 5)).collect();
    assert!(!is_alarm(alarm, &flood));
}
