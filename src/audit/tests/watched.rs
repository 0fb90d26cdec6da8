//! Changes of what the auditor lives on: told at once, to whomever can still be told.

use super::*;
use crate::event::decode;
use crate::finding::{Finding, Severity};

fn sample(name: &str) -> serde_json::Value {
    let path = format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// What came of a payload, with an EC2 that answers nothing.
fn ran(payload: &serde_json::Value) -> Ran {
    let [event] = &decode(payload.to_string().as_bytes())[..] else { panic!("{payload}") };
    let world = ec2(&[]);
    let down = Staged::new(&world, |call, _| {
        Some(Ec2Error::Passing { action: "Any", message: format!("{call} was called") })
    });
    run_at(&down, &settings(Remediation::RevertSsh), event, noon(), None)
}

fn finding(payload: &serde_json::Value) -> Finding {
    only(ran(payload).report()).clone()
}

#[test]
fn it_is_published_at_once_with_who_did_it() {
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
        assert_eq!(
            ran.messages[0].subject,
            title.replacen("The auditor was changed", "AUDITOR CHANGED", 1)
        );
    }
}

#[test]
fn a_deployment_is_told_too_but_less_loudly() {
    let deployed = sample("update-function");
    let told = finding(&deployed);
    assert_eq!(told.severity, Severity::Low);
    assert_eq!(
        told.title,
        "The auditor was changed by CloudFormation: UpdateFunctionCode on \
         typo3-sg-auditor-Auditor-7hQ2LmXv9TzR"
    );
    // Who deployed is named: an intruder can deploy as well.
    assert!(told.change.unwrap().actor.unwrap().ends_with("/operator@example.com"));
    assert!(told.remediation.detail.contains("If nobody of yours deployed then"));

    // The same by hand, with the user agent of a deployment.
    let mut by_hand = deployed.clone();
    by_hand["detail"]["userIdentity"].as_object_mut().unwrap().remove("invokedBy");
    assert_eq!(finding(&by_hand).severity, Severity::High);

    // No stack of the auditor has a trail.
    let mut trail = sample("stop-logging");
    trail["detail"]["userIdentity"]["invokedBy"] = "cloudformation.amazonaws.com".into();
    assert_eq!(finding(&trail).severity, Severity::High);
}

#[test]
fn what_failed_is_told_only_where_it_may_have_worked() {
    let mut refused = sample("stop-logging");
    refused["detail"]["errorCode"] = "AccessDenied".into();
    let refused = ran(&refused);
    assert_eq!(refused.report().outcome, ReportOutcome::Ignored);
    assert!(refused.messages.is_empty());

    let mut failed = sample("stop-logging");
    failed["detail"]["errorCode"] = "InternalFailure".into();
    let told = finding(&failed);
    assert_eq!(told.severity, Severity::High);
    assert!(told.title.starts_with("The auditor may have been changed: StopLogging on "));
    assert!(told.remediation.detail.contains("(InternalFailure)"));
}

#[test]
fn what_cloudtrail_cut_short_is_told_all_the_same() {
    let mut cut = sample("disable-rule");
    cut["detail"]["requestParameters"] =
        serde_json::json!({"omitted": true, "originalSize": 102401});
    let told = finding(&cut);
    assert_eq!(told.severity, Severity::High);
    assert_eq!(
        told.title,
        "The auditor was changed: DisableRule, and the record does not say of what"
    );
}

#[test]
fn a_name_cannot_say_something_else() {
    let mut forged = sample("disable-rule");
    let name = "x. All is well\r\nSubject: fine\u{202e}\"; rm -rf /";
    forged["detail"]["requestParameters"]["name"] = name.into();
    let ran = ran(&forged);
    let title = &only(ran.report()).title;
    assert!(
        title.starts_with("The auditor was changed: DisableRule on \"x. All is well"),
        "{title}"
    );
    assert_eq!(title.matches('"').count(), 2);
    let message = &ran.messages[0];
    assert!(message.subject.chars().all(|c| c.is_ascii_graphic() || c == ' '));
    let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
    let mail = body["email"].as_str().unwrap();
    assert!(!mail.contains('\u{202e}') && !mail.contains("\nSubject"), "{mail}");

    forged["detail"]["requestParameters"]["name"] = "x".repeat(1000).into();
    assert!(finding(&forged).title.len() < 200);
}

#[test]
fn each_change_is_a_finding_of_its_own_and_the_same_again_is_the_same() {
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

/// A topic that is gone.
struct Gone;

impl Notifier for Gone {
    async fn publish(&self, _: &crate::report::Message) -> Result<(), NotifyError> {
        Err(NotifyError { message: "the topic does not exist".to_owned() })
    }
}

#[test]
fn where_nobody_can_be_told_the_invocation_fails() {
    let [event] = &decode(sample("stop-logging").to_string().as_bytes())[..] else { panic!() };
    let (settings, home, world) = (settings(Remediation::Notify), place(), ec2(&[]));
    let onward = MemoryNotifier::default();
    let auditor = Auditor::new(&world, &Gone, &onward, &settings, &home);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answer = runtime.block_on(auditor.audit(event, &noon, None));
    // So it comes to lie in the failure queue, and an alarm says so.
    assert_eq!(answer.unwrap_err().kind(), "NotPublished");
    assert!(onward.take_handed_on().is_empty());
}
