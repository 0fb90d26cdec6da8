//! What an invocation did, in numbers.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::audit::Counts;
use crate::evaluate::Severity;
use crate::memory::MemoryLedger;

/// What is counted of a payload, with a clock that advances by a second whenever it is read.
fn counted(
    ec2: &impl SecurityGroups,
    settings: &Settings,
    notifier: &impl Notifier,
    payload: &Value,
) -> (Result<Report, AuditError>, Counts) {
    counted_with(ec2, settings, (notifier, &MemoryNotifier::default()), payload)
}

/// The same, with `invoker` for what is handed on.
fn counted_with(
    ec2: &impl SecurityGroups,
    settings: &Settings,
    (notifier, invoker): (&impl Notifier, &MemoryNotifier),
    payload: &Value,
) -> (Result<Report, AuditError>, Counts) {
    let (home, reads) = (place(), Cell::new(0));
    let clock = || {
        reads.set(reads.get() + 1);
        noon() + TimeDelta::seconds(reads.get())
    };
    let auditor = Auditor::new(ec2, notifier, invoker, settings, &home);
    let mut counts = Counts::default();
    let payload = payload.to_string();
    let handled =
        auditor.handle_and_count(payload.as_bytes(), &clock, Invocation::default(), &mut counts);
    (block_on(handled), counts)
}

/// The record of a call at noon that authorised ingress on a port.
fn authorized(port: u16, peer: &str) -> Value {
    json!({
        "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress",
        "eventTime": "2026-11-02T12:00:00Z", "eventID": format!("e-{port}"),
        "recipientAccountId": "123456789012", "awsRegion": "eu-central-1",
        "requestParameters": {
            "groupId": SG, "ipProtocol": "tcp", "fromPort": port, "toPort": port, "cidrIp": peer,
        },
        "responseElements": {"_return": true},
    })
}

#[test]
fn each_event_is_counted_once_by_the_outcome_of_its_report() {
    let world = ec2(&rules(&["tcp 22 0.0.0.0/0", "tcp 3306 0.0.0.0/0"]));
    let settings = settings(Remediation::RevertSsh);
    let payload = json!({"Records": [
        authorized(443, "0.0.0.0/0"),
        authorized(22, "0.0.0.0/0"),
        authorized(3306, "0.0.0.0/0"),
        {"eventSource": "ec2.amazonaws.com", "eventName": "RunInstances"},
    ]});
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
    // A rule for the office replaces the rule for everybody.
    assert_eq!(counts.reverts, BTreeMap::from([(Outcome::Narrowed, 1)]));
    assert_eq!((counts.failed, counts.revoked, counts.sweeps), (0, 1, 0));
    let [to_revert] = counts.to_revert[..] else { panic!("{counts:?}") };
    let [first, second] = counts.to_publication[..] else { panic!("{counts:?}") };
    // The rule is closed first, then published, then the next event is audited.
    assert!(TimeDelta::zero() < to_revert && to_revert < first && first < second, "{counts:?}");
}

#[test]
fn a_revert_counts_even_if_it_cannot_be_published() {
    let world = ec2(&rules(&["tcp 22 0.0.0.0/0"]));
    let settings = settings(Remediation::RevertSsh);
    let event = authorized(22, "0.0.0.0/0");
    let (answer, counts) = counted(&world, &settings, &NoTopic, &event);
    assert!(answer.is_err());
    assert_eq!((counts.failed, counts.revoked, counts.to_revert.len()), (1, 1, 1));
    assert_eq!(counts.reverts, BTreeMap::from([(Outcome::Narrowed, 1)]));
    assert!(counts.events.is_empty() && counts.findings.is_empty(), "{counts:?}");
    assert!(counts.to_publication.is_empty(), "{counts:?}");

    // The second try publishes it, and does not count it as closed again.
    let (answer, counts) = counted(&world, &settings, &MemoryNotifier::default(), &event);
    assert!(answer.is_ok());
    assert_eq!(counts.reverts, BTreeMap::from([(Outcome::AlreadyGone, 1)]));
    assert_eq!((counts.failed, counts.revoked, counts.to_revert.len()), (0, 0, 0));
    assert_eq!(counts.findings, BTreeMap::from([(Code::OpenSsh, 1)]));
    assert_eq!(counts.to_publication.len(), 1);
}

#[test]
fn a_revert_counts_even_if_the_next_one_is_throttled() {
    let world = ec2(&rules(&["tcp 22 198.51.100.0/24", "tcp 22 192.0.2.0/24"]));
    let throttling = hooked(&world, |call| revokes(call, "192.0.2.0/24").then(throttled));
    let mut both = authorized(22, "198.51.100.0/24");
    both["requestParameters"] = json!({
        "groupId": SG,
        "ipPermissions": {"items": [{
            "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
            "ipRanges": {"items": [{"cidrIp": "198.51.100.0/24"}, {"cidrIp": "192.0.2.0/24"}]},
        }]},
    });
    let settings = settings(Remediation::RevertSsh);
    let (answer, counts) = counted(&throttling, &settings, &MemoryNotifier::default(), &both);
    assert!(answer.is_err());
    assert_eq!((counts.failed, counts.revoked, counts.to_revert.len()), (1, 1, 1));
}

#[test]
fn a_sweep_counts_when_it_is_complete_and_has_no_delays() {
    let rules = rules(&["tcp 22 0.0.0.0/0", "tcp 3306 0.0.0.0/0"]);
    let mut settings = settings(Remediation::RevertSsh);
    settings.sweep_remediation = Remediation::RevertSsh;
    let sweep = json!({"sweep": {}});
    let (_, counts) = counted(&ec2(&rules), &settings, &NoTopic, &sweep);
    assert_eq!((counts.sweeps, counts.failed, counts.revoked), (0, 1, 0));

    let (world, invoker) = (ec2(&rules), MemoryNotifier::default());
    let (_, counts) = counted_with(&world, &settings, (&invoker, &invoker), &sweep);
    assert_eq!((counts.sweeps, counts.failed, counts.revoked), (1, 0, 0));
    assert!(counts.to_revert.is_empty() && counts.to_publication.is_empty(), "{counts:?}");

    // Another invocation closes what it found, and counts that.
    let [close] = &invoker.take_handed_on()[..] else { panic!("one payload") };
    let (_, counts) = counted(&world, &settings, &invoker, close);
    assert_eq!((counts.sweeps, counts.failed, counts.revoked), (0, 0, 1));
    assert!(counts.to_revert.is_empty() && counts.to_publication.is_empty(), "{counts:?}");

    let holds = json!({"holds": {}});
    let (_, counts) = counted(&world, &settings, &MemoryNotifier::default(), &holds);
    assert_eq!((counts.sweeps, counts.failed), (0, 0));
}

/// Whatever invocation of the sweep missed the place, and whatever was found elsewhere.
#[test]
fn a_sweep_that_missed_a_place_does_not_count_and_names_the_place() {
    let there = |region: &str| Place { region: Some(id(region)), ..place() };
    let regions = ["eu-central-1", "eu-west-1", "eu-north-1"];
    let world = MemoryEc2::new(
        regions.map(|region| (there(region), group(), rules(&["tcp 443 0.0.0.0/0"]))),
        Lists::new(),
    );
    let settings = settings(Remediation::Notify);
    let home = place();
    for (denied_in, seconds_left) in
        regions.iter().flat_map(|region| [(*region, None), (*region, Some(1))])
    {
        let refusing = hooked(&world, |call| {
            let is_there = *call.place() == there(denied_in);
            (matches!(call, Call::Groups(..)) && is_there).then(denied)
        });
        let mut payload = json!({"sweep": {"regions": regions}});
        let (invoker, mut counts, mut missed) =
            (MemoryNotifier::default(), Counts::default(), Vec::new());
        loop {
            let auditor = Auditor::new(&refusing, &invoker, &invoker, &settings, &home);
            let deadline = seconds_left.map(|seconds| noon() + TimeDelta::seconds(seconds));
            let bytes = payload.to_string();
            let invocation = Invocation { id: None, deadline };
            let answer = auditor.handle_and_count(bytes.as_bytes(), &noon, invocation, &mut counts);
            let report = block_on(answer).unwrap();
            missed.extend(report.findings.iter().map(|finding| finding.place.clone()));
            let Some(next) = invoker.take_handed_on().pop() else { break };
            payload = next;
        }
        assert_eq!(missed, [there(denied_in)]);
        assert_eq!(counts.sweeps, 0, "{denied_in}");
    }
    let answered = MemoryNotifier::default();
    let whole = json!({"sweep": {"regions": regions}});
    let (_, counts) = counted(&world, &settings, &answered, &whole);
    assert_eq!(counts.sweeps, 1);
}

#[test]
fn a_change_with_a_time_in_the_future_has_no_delay() {
    let world = ec2(&rules(&["tcp 22 0.0.0.0/0"]));
    let mut early = authorized(22, "0.0.0.0/0");
    early["eventTime"] = "2026-11-02T13:00:00Z".into();
    let settings = settings(Remediation::RevertSsh);
    let (_, counts) = counted(&world, &settings, &MemoryNotifier::default(), &early);
    assert_eq!(counts.to_revert, [TimeDelta::zero()]);
    assert_eq!(counts.to_publication, [TimeDelta::zero()]);
}

#[test]
fn a_revert_of_what_something_opens_again_and_again_counts_as_repeated() {
    let open = "tcp 22 0.0.0.0/0";
    for (mode, repeated) in [(Remediation::RevertSsh, [0, 0, 1, 2]), (Remediation::Notify, [0; 4])]
    {
        let (world, ledger, home) = (ec2(&[]), MemoryLedger::default(), place());
        let (notifier, settings) = (MemoryNotifier::default(), settings(mode));
        let auditor = Auditor::new(&world, &notifier, &notifier, &settings, &home)
            .with_ledger(&ledger, Severity::Low);
        let mut counts = Counts::default();
        let counted = [1, 2, 3, 4].map(|number| {
            world.follow(&place(), &change(ChangeKind::Authorized(rules(&[open]))));
            let mut event = authorized(22, "0.0.0.0/0");
            event["eventID"] = format!("e-{number}").into();
            let payload = event.to_string();
            let clock = || noon() + TimeDelta::minutes(number);
            let invocation = Invocation::default();
            let handled =
                auditor.handle_and_count(payload.as_bytes(), &clock, invocation, &mut counts);
            block_on(handled).unwrap();
            counts.repeated
        });
        assert_eq!(counted, repeated, "{mode:?}");
    }
}

#[test]
fn an_invocation_counts_that_the_ledger_failed_and_the_next_one_asks_it_again() {
    let (world, ledger, home) =
        (ec2(&rules(&["tcp 22 0.0.0.0/0"])), MemoryLedger::default(), place());
    let (notifier, settings) = (MemoryNotifier::default(), settings(Remediation::Notify));
    let auditor = Auditor::new(&world, &notifier, &notifier, &settings, &home)
        .with_ledger(&ledger, Severity::Low);
    let payload = authorized(22, "0.0.0.0/0").to_string();
    let invoked = || {
        let mut counts = Counts::default();
        let invocation = Invocation::default();
        let handled = auditor.handle_and_count(payload.as_bytes(), &noon, invocation, &mut counts);
        let report = block_on(handled).unwrap();
        (counts.ledger_failures, only(&report).life.is_some())
    };
    ledger.set_hook(Box::new(|_| Err(LedgerError(cause("throttled")))));
    assert_eq!(invoked(), (1, false));
    ledger.set_hook(Box::new(|_| Ok(())));
    assert_eq!(invoked(), (0, true));
}
