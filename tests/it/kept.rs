//! What complies is not flagged; what is flagged and no business of a revert is kept.

use serde_json::Value;

use crate::reverts::{REVERT, finding};
use crate::support::permission::{all_traffic, tcp};
use crate::support::world::Direction::{Egress, Ingress};
use crate::support::world::{Group, World};
use crate::support::{event, permission::Permission};

async fn invoked(world: &World, event: &Value, settings: &[(&str, &str)]) -> Value {
    let mut function = world.function(settings);
    let answer = function.invoke(event);
    assert_eq!(answer.error_type(), None, "{:#}", answer.body);
    answer.body
}

#[tokio::test]
async fn a_compliant_change_makes_no_call() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let other = world.group("proxy").await;
    let permissions = [
        tcp(22, 22).from("203.0.113.64/26").from("2001:db8:1:5::/64").from("203.0.113.0/24"),
        tcp(80, 80).from("0.0.0.0/0").from("::/0").from(&other.id),
        tcp(443, 443).from("198.51.100.0/24").from("pl-0123456789abcdef0"),
    ];
    let event = world.authorize(&group, Ingress, &permissions).await;
    let report = invoked(&world, &event, &REVERT).await;
    assert_eq!(report["outcome"], "compliant", "{report:#}");
    assert_eq!(report["rules_audited"], 8);
    assert_eq!(world.calls(), []);
}

#[tokio::test]
async fn a_new_group_complies_unless_egress_is_restricted() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = event::of_create(&group);
    let report = invoked(&world, &event, &[]).await;
    assert_eq!(report["outcome"], "compliant", "{report:#}");
    assert_eq!(world.calls(), []);

    let report = invoked(&world, &event, &[("BASELINE", "restricted-egress")]).await;
    assert_eq!(report["outcome"], "noncompliant", "{report:#}");
    assert_eq!(report["findings"][0]["code"], "egress-not-in-baseline");
    assert_eq!(world.rules(&group).await.len(), 1);
}

async fn flagged_and_kept(permission: impl Fn(&Group) -> Permission, code: &str, mode: &str) {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let other = world.group("bastion").await;
    let event = world.authorize(&group, Ingress, &[permission(&other)]).await;
    let before = world.rules(&group).await;
    let settings = [("REMEDIATION", mode), REVERT[1], REVERT[2]];
    let report = invoked(&world, &event, &settings).await;
    assert_eq!(report["outcome"], "noncompliant", "{report:#}");
    let messages = world.messages().await;
    assert_eq!(finding(&messages[0], 0)["code"], code);
    assert_eq!(finding(&messages[0], 0)["remediation"]["outcome"], "none");
    assert_eq!(world.rules(&group).await, before);
}

#[tokio::test]
async fn ssh_from_private_addresses() {
    let permission = |_: &Group| tcp(22, 22).from("10.0.0.0/8");
    flagged_and_kept(permission, "ingress-not-in-baseline", "revert-ingress").await;
}

#[tokio::test]
async fn ssh_from_a_group() {
    let permission = |other: &Group| tcp(22, 22).from(&other.id);
    flagged_and_kept(permission, "ingress-not-in-baseline", "revert-ingress").await;
}

#[tokio::test]
async fn ssh_from_one_public_host() {
    let permission = |_: &Group| tcp(22, 22).from("8.8.8.8/32");
    flagged_and_kept(permission, "ssh-from-unlisted-host", "revert-ssh").await;
}

#[tokio::test]
async fn a_database_under_revert_ssh() {
    let permission = |_: &Group| tcp(3306, 3306).from("0.0.0.0/0");
    flagged_and_kept(permission, "ingress-not-in-baseline", "revert-ssh").await;
}

#[tokio::test]
async fn everything_under_notify() {
    let permission = |_: &Group| all_traffic().from("0.0.0.0/0");
    flagged_and_kept(permission, "open-ssh", "notify").await;
}

#[tokio::test]
async fn revert_ingress_closes_a_database_and_leaves_the_web() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(443, 3306).from("0.0.0.0/0")]).await;
    let settings = [("REMEDIATION", "revert-ingress"), REVERT[1], REVERT[2]];
    let report = invoked(&world, &event, &settings).await;
    assert_eq!(report["findings"][0]["remediation"]["outcome"], "narrowed", "{report:#}");
    let after = world.ingress(&group).await;
    assert_eq!(after.len(), 1);
    assert!(after[0].starts_with("ingress tcp 443-443 0.0.0.0/0 "), "{after:?}");
}

#[tokio::test]
async fn egress_is_reported_and_never_reverted() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Egress, &[tcp(25, 25).from("198.51.100.25/32")]).await;
    let settings = [
        ("BASELINE", "restricted-egress"),
        ("REMEDIATION", "revert-ingress"),
        REVERT[1],
        REVERT[2],
    ];
    let before = world.rules(&group).await;
    let report = invoked(&world, &event, &settings).await;
    assert_eq!(report["findings"][0]["code"], "egress-not-in-baseline", "{report:#}");
    assert_eq!(world.rules(&group).await, before);
}

#[tokio::test]
async fn the_flat_form_of_a_request_is_the_same_change() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let open = tcp(22, 22).from("0.0.0.0/0");
    world.authorize(&group, Ingress, std::slice::from_ref(&open)).await;
    let event = event::of_flat_permission("Authorize", &group, Ingress, &open);
    let report = invoked(&world, &event, &REVERT).await;
    assert_eq!(report["findings"][0]["remediation"]["outcome"], "narrowed", "{report:#}");
    assert_eq!(world.ingress(&group).await.len(), 1);
}

#[tokio::test]
async fn the_group_is_named_and_the_message_can_be_filtered() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    invoked(&world, &event, &REVERT).await;
    let [message] = world.messages().await.try_into().expect("one message");
    assert_eq!(message.report["version"], 1);
    let [mail] = world.mails().try_into().expect("one mail");
    assert!(mail.starts_with("SSH was open to the Internet on typo3-shop for "), "{mail}");
    for line in
        ["Who: ", "Rule: sgr-", "Exceeds the baseline: tcp 22 from anywhere", "Console: https://"]
    {
        assert!(mail.lines().any(|text| text.starts_with(line)), "{line} is not in:\n{mail}");
    }
    assert_eq!(finding(&message, 0)["group"]["name"], "typo3-shop");
    assert_eq!(finding(&message, 0)["group"]["vpc_id"], group.vpc_id);
    assert_eq!(finding(&message, 0)["account"], "123456789012");
    let attributes: Vec<(&str, &str)> =
        message.attributes.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(
        attributes,
        [
            ("account", "123456789012"),
            ("code", r#"["open-ssh"]"#),
            ("group_id", group.id.as_str()),
            ("mail", "now"),
            ("region", "eu-central-1"),
            ("remediation", "narrowed"),
            ("severity", "critical"),
        ]
    );
}
