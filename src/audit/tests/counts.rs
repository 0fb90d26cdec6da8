//! What an invocation did, in numbers.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::*;
use crate::audit::Counts;

/// What is counted of a payload, with a clock that goes on by a second whenever it is looked at.
fn counted(
    ec2: &impl SecurityGroups,
    settings: &Settings,
    notifier: &impl Notifier,
    payload: &serde_json::Value,
) -> (Result<Report, AuditError>, Counts) {
    counted_with(ec2, settings, (notifier, &MemoryNotifier::default()), payload)
}

/// The same, with what is handed on.
fn counted_with(
    ec2: &impl SecurityGroups,
    settings: &Settings,
    (notifier, onward): (&impl Notifier, &MemoryNotifier),
    payload: &serde_json::Value,
) -> (Result<Report, AuditError>, Counts) {
    let (home, looked) = (place(), Cell::new(0));
    let clock = || {
        looked.set(looked.get() + 1);
        noon() + TimeDelta::seconds(looked.get())
    };
    let auditor = Auditor::new(ec2, notifier, onward, settings, &home);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut counts = Counts::default();
    let payload = payload.to_string();
    let handled = auditor.handle_and_count(payload.as_bytes(), &clock, None, &mut counts);
    (runtime.block_on(handled), counts)
}

/// The record of a call at noon that authorised ingress on a port.
fn authorized(port: u16, peer: &str) -> serde_json::Value {
    serde_json::json!({
        "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress",
        "eventTime": "2026-11-02T12:00:00Z", "eventID": format!("e-{port}"),
        "recipientAccountId": "123456789012", "awsRegion": "eu-central-1",
        "requestParameters": {
            "groupId": SG, "ipProtocol": "tcp", "fromPort": port, "toPort": port, "cidrIp": peer,
        },
        "responseElements": {"_return": true},
    })
}

fn records(records: &[serde_json::Value]) -> serde_json::Value {
    serde_json::json!({ "Records": records })
}

struct Deaf;

impl Notifier for Deaf {
    async fn publish(&self, _: &crate::report::Message) -> Result<(), NotifyError> {
        Err(NotifyError { message: "SNS is down".to_owned() })
    }
}

#[test]
fn each_event_counts_once_by_what_came_of_it() {
    let world = ec2(&[rule("tcp 22 0.0.0.0/0"), rule("tcp 3306 0.0.0.0/0")]);
    let settings = settings(Remediation::RevertSsh);
    let payload = records(&[
        authorized(443, "0.0.0.0/0"),
        authorized(22, "0.0.0.0/0"),
        authorized(3306, "0.0.0.0/0"),
        serde_json::json!({"eventSource": "ec2.amazonaws.com", "eventName": "RunInstances"}),
    ]);
    let (answer, counts) = counted(&world, &settings, &MemoryNotifier::default(), &payload);
    assert!(answer.is_ok());
    assert_eq!(
        counts.events,
        BTreeMap::from([
            (ReportOutcome::Compliant, 1),
            (ReportOutcome::Noncompliant, 2),
            (ReportOutcome::Ignored, 1),
        ])
    );
    assert_eq!(
        counts.findings,
        BTreeMap::from([(Code::OpenSsh, 1), (Code::IngressNotInBaseline, 1)])
    );
    // The office is let in instead of everybody.
    assert_eq!(counts.reverts, BTreeMap::from([(Outcome::Narrowed, 1)]));
    assert_eq!((counts.failed, counts.revoked, counts.sweeps), (0, 1, 0));
    let [to_revert] = counts.to_revert[..] else { panic!("{counts:?}") };
    let [first, second] = counts.to_publication[..] else { panic!("{counts:?}") };
    // Closed first, then told, then the next event.
    assert!(TimeDelta::zero() < to_revert && to_revert < first && first < second, "{counts:?}");
}

#[test]
fn what_was_reverted_counts_even_where_nobody_can_be_told() {
    let world = ec2(&[rule("tcp 22 0.0.0.0/0")]);
    let settings = settings(Remediation::RevertSsh);
    let event = authorized(22, "0.0.0.0/0");
    let (answer, counts) = counted(&world, &settings, &Deaf, &event);
    assert!(answer.is_err());
    assert_eq!((counts.failed, counts.revoked, counts.to_revert.len()), (1, 1, 1));
    assert_eq!(counts.reverts, BTreeMap::from([(Outcome::Narrowed, 1)]));
    assert!(counts.events.is_empty() && counts.findings.is_empty(), "{counts:?}");
    assert!(counts.to_publication.is_empty(), "{counts:?}");

    // Tried again, it is told, and nothing counts as closed a second time.
    let (answer, counts) = counted(&world, &settings, &MemoryNotifier::default(), &event);
    assert!(answer.is_ok());
    assert_eq!(counts.reverts, BTreeMap::from([(Outcome::AlreadyGone, 1)]));
    assert_eq!((counts.failed, counts.revoked, counts.to_revert.len()), (0, 0, 0));
    assert_eq!(counts.findings, BTreeMap::from([(Code::OpenSsh, 1)]));
    assert_eq!(counts.to_publication.len(), 1);
}

#[test]
fn what_was_reverted_counts_though_the_next_one_is_throttled() {
    let world = ec2(&[rule("tcp 22 198.51.100.0/24"), rule("tcp 22 192.0.2.0/24")]);
    let staged = Staged::new(&world, |call: &str, _: &MemoryEc2| {
        call.starts_with("revoke tcp 22 from 192.0.2.0/24").then(|| Ec2Error::Passing {
            action: "RevokeSecurityGroupIngress",
            message: "throttled".to_owned(),
        })
    });
    let mut both = authorized(22, "198.51.100.0/24");
    both["requestParameters"] = serde_json::json!({
        "groupId": SG,
        "ipPermissions": {"items": [{
            "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
            "ipRanges": {"items": [{"cidrIp": "198.51.100.0/24"}, {"cidrIp": "192.0.2.0/24"}]},
        }]},
    });
    let settings = settings(Remediation::RevertSsh);
    let (answer, counts) = counted(&staged, &settings, &MemoryNotifier::default(), &both);
    assert!(answer.is_err());
    assert_eq!((counts.failed, counts.revoked, counts.to_revert.len()), (1, 1, 1));
}

#[test]
fn a_sweep_counts_when_it_has_ended_and_knows_of_no_change() {
    let rules = [rule("tcp 22 0.0.0.0/0"), rule("tcp 3306 0.0.0.0/0")];
    let mut settings = settings(Remediation::RevertSsh);
    settings.sweep_remediation = Remediation::RevertSsh;
    let sweep = serde_json::json!({"sweep": {}});
    let (_, counts) = counted(&ec2(&rules), &settings, &Deaf, &sweep);
    assert_eq!((counts.sweeps, counts.failed, counts.revoked), (0, 1, 0));

    let (world, onward) = (ec2(&rules), MemoryNotifier::default());
    let (_, counts) = counted_with(&world, &settings, (&onward, &onward), &sweep);
    assert_eq!((counts.sweeps, counts.failed, counts.revoked), (1, 0, 0));
    assert!(counts.to_revert.is_empty() && counts.to_publication.is_empty(), "{counts:?}");

    // What it found is closed, and counted, by another invocation.
    let [close] = &onward.take_handed_on()[..] else { panic!("one payload") };
    let (_, counts) = counted(&world, &settings, &onward, close);
    assert_eq!((counts.sweeps, counts.failed, counts.revoked), (0, 0, 1));
    assert!(counts.to_revert.is_empty() && counts.to_publication.is_empty(), "{counts:?}");

    let holds = serde_json::json!({"holds": {}});
    let (_, counts) = counted(&world, &settings, &MemoryNotifier::default(), &holds);
    assert_eq!((counts.sweeps, counts.failed), (0, 0));
}

#[test]
fn a_change_in_the_future_was_made_now() {
    let world = ec2(&[rule("tcp 22 0.0.0.0/0")]);
    let mut early = authorized(22, "0.0.0.0/0");
    early["eventTime"] = "2026-11-02T13:00:00Z".into();
    let settings = settings(Remediation::RevertSsh);
    let (_, counts) = counted(&world, &settings, &MemoryNotifier::default(), &early);
    assert_eq!(
        (&counts.to_revert, &counts.to_publication[..]),
        (&vec![TimeDelta::zero()], &[TimeDelta::zero()][..])
    );
}
