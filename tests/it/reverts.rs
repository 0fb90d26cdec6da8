//! Open SSH in every form it comes in, closed for real: a group made by API, the event of the very
//! call, the function, the group read back, the message read from the queue, the undo run by a shell.

use serde_json::Value;

use crate::support::permission::{Permission, all_traffic, protocol, tcp};
use crate::support::world::{Direction::Ingress, Group, Message, World};

pub const REVERT: [(&str, &str); 3] = [
    ("REMEDIATION", "revert-ssh"),
    ("SSH_SOURCES", "203.0.113.0/24,2001:db8:1::/48"),
    ("SCOPE", "all"),
];

/// A rule without its description and tags.
fn short(rule: &str) -> String {
    rule.split(' ').take(4).collect::<Vec<_>>().join(" ")
}

pub fn finding(message: &Message, number: usize) -> &Value {
    message.report.pointer(&format!("/findings/{number}")).expect("a finding")
}

/// Pastes what takes each finding's revert back into a shell.
pub fn undo_all(world: &World, message: &Message) {
    let findings = message.report["findings"].as_array().expect("findings");
    for finding in findings {
        let undo = finding.pointer("/remediation/undo").and_then(Value::as_str).expect("an undo");
        assert!(!undo.contains('\n'), "{undo}");
        let output = world.shell(undo);
        assert!(output.status.success(), "{undo}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A group with the web and a part of the office, as it should be.
async fn shop(world: &World) -> Group {
    let group = world.group("typo3-shop").await;
    let compliant = [
        tcp(443, 443).described("0.0.0.0/0", "the web"),
        tcp(22, 22).described("203.0.113.64/26", "the office"),
    ];
    world.authorize_tagged(&group, Ingress, &compliant, &[("ticket", "4711")]).await;
    group
}

/// What the change in `event` opened is closed; `pieces` is what stays of it; everything that was
/// there before is there as it was; the undo restores what was there after the change.
async fn closes(world: &World, group: &Group, compliant: &[String], event: Value, pieces: &[&str]) {
    let opened = world.ingress(group).await;
    let mut function = world.function(&REVERT);
    let answer = function.invoke(&event);
    assert_eq!(answer.body["outcome"], "noncompliant", "{:#}", answer.body);

    let after = world.ingress(group).await;
    for rule in compliant {
        assert!(after.contains(rule), "{rule} is gone: {after:#?}");
    }
    let mut added: Vec<String> =
        after.iter().filter(|rule| !compliant.contains(rule)).map(|rule| short(rule)).collect();
    added.sort();
    let mut expected: Vec<String> = pieces.iter().map(|piece| format!("ingress {piece}")).collect();
    expected.sort();
    assert_eq!(added, expected);

    let messages = world.messages().await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].attributes["code"], r#"["open-ssh"]"#);
    for finding in messages[0].report["findings"].as_array().expect("findings") {
        assert_eq!(finding["code"], "open-ssh");
        let outcome = finding.pointer("/remediation/outcome").and_then(Value::as_str);
        assert!(matches!(outcome, Some("reverted" | "narrowed")), "{finding:#}");
    }
    assert!(messages[0].subject.starts_with("CLOSED"), "{}", messages[0].subject);

    undo_all(world, &messages[0]);
    assert_eq!(world.ingress_unheld(group).await, opened);
}

async fn closes_authorized(permissions: &[Permission], pieces: &[&str]) {
    let world = World::new().await;
    let group = shop(&world).await;
    let compliant = world.ingress(&group).await;
    let event = world.authorize(&group, Ingress, permissions).await;
    closes(&world, &group, &compliant, event, pieces).await;
}

const OFFICE_IPV4: &str = "tcp 22-22 203.0.113.0/24";
const OFFICE_IPV6: &str = "tcp 22-22 2001:db8:1::/48";

#[tokio::test]
async fn from_anywhere() {
    closes_authorized(&[tcp(22, 22).described("0.0.0.0/0", "just a minute")], &[OFFICE_IPV4]).await;
}

#[tokio::test]
async fn from_anywhere_by_ipv6() {
    closes_authorized(&[tcp(22, 22).from("::/0")], &[OFFICE_IPV6]).await;
}

#[tokio::test]
async fn from_anywhere_with_the_office_in_the_same_call() {
    let world = World::new().await;
    let group = shop(&world).await;
    let mut compliant = world.ingress(&group).await;
    let permission = tcp(22, 22)
        .from("0.0.0.0/0")
        .from("::/0")
        .described("203.0.113.0/24", "office")
        .described("2001:db8:1::/48", "office");
    let event = world.authorize(&group, Ingress, &[permission]).await;
    let office = world.ingress(&group).await.into_iter().filter(|rule| rule.contains("\"office\""));
    compliant.extend(office);
    assert_eq!(compliant.len(), 4);
    closes(&world, &group, &compliant, event, &[]).await;
}

#[tokio::test]
async fn from_both_halves() {
    let halves = tcp(22, 22).from("0.0.0.0/1").from("128.0.0.0/1");
    closes_authorized(&[halves], &[OFFICE_IPV4]).await;
}

#[tokio::test]
async fn from_both_halves_by_ipv6() {
    let halves = tcp(22, 22).from("::/1").from("8000::/1");
    closes_authorized(&[halves], &[OFFICE_IPV6]).await;
}

#[tokio::test]
async fn from_a_wide_block() {
    closes_authorized(&[tcp(22, 22).from("54.0.0.0/8")], &[]).await;
}

#[tokio::test]
async fn with_every_other_tcp_port() {
    let pieces = ["tcp 80-80 0.0.0.0/0", OFFICE_IPV4];
    closes_authorized(&[tcp(0, 65535).from("0.0.0.0/0")], &pieces).await;
}

#[tokio::test]
async fn with_the_ports_around_it() {
    closes_authorized(&[tcp(20, 25).from("0.0.0.0/0")], &[OFFICE_IPV4]).await;
}

#[tokio::test]
async fn with_every_protocol() {
    let pieces = ["tcp 80-80 0.0.0.0/0", OFFICE_IPV4];
    closes_authorized(&[all_traffic().from("0.0.0.0/0")], &pieces).await;
}

#[tokio::test]
async fn by_the_number_of_the_protocol() {
    let permission = protocol("6", Some((22, 22))).from("0.0.0.0/0");
    closes_authorized(&[permission], &[OFFICE_IPV4]).await;
}

#[tokio::test]
async fn widened_in_place() {
    let world = World::new().await;
    let group = shop(&world).await;
    let compliant = world.ingress(&group).await;
    let permission = tcp(22, 22).described("203.0.113.0/25", "laptops");
    world.authorize(&group, Ingress, &[permission]).await;
    let rules = world.rules(&group).await;
    let office = rules.iter().find(|rule| rule.peer == "203.0.113.0/25").expect("the rule");
    let widened = tcp(22, 22).described("0.0.0.0/0", "laptops");
    let event = world.modify(&group, &[(office.id.as_str(), &widened)]).await;
    closes(&world, &group, &compliant, event, &[OFFICE_IPV4]).await;
}

#[tokio::test]
async fn in_a_group_at_its_limit_of_rules() {
    let world = World::new().await;
    let group = shop(&world).await;
    let filler =
        (0..57).fold(tcp(443, 443), |permission, n| permission.from(&format!("198.51.100.{n}/32")));
    world.authorize(&group, Ingress, &[filler]).await;
    let compliant = world.ingress(&group).await;
    assert_eq!(compliant.len(), 59);
    let event = world.authorize(&group, Ingress, &[tcp(22, 80).from("0.0.0.0/0")]).await;
    let opened = world.ingress(&group).await;

    let mut function = world.function(&REVERT);
    function.invoke(&event);
    let after = world.ingress(&group).await;
    for rule in &compliant {
        assert!(after.contains(rule), "{rule} is gone");
    }
    let added: Vec<String> =
        after.iter().filter(|rule| !compliant.contains(rule)).map(|rule| short(rule)).collect();
    // There is room for one piece: the website. The rest is named.
    assert_eq!(added, ["ingress tcp 80-80 0.0.0.0/0"]);
    let messages = world.messages().await;
    let remediation = &finding(&messages[0], 0)["remediation"];
    assert_eq!(remediation["outcome"], "failed");
    let detail = remediation["detail"].as_str().expect("a detail");
    assert!(detail.contains("tcp 22 from 203.0.113.0/24"), "{detail}");

    undo_all(&world, &messages[0]);
    assert_eq!(world.ingress_unheld(&group).await, opened);
}

#[tokio::test]
async fn if_ec2_does_not_say_what_it_revoked_the_rules_are_read_again() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let mut function = world.function(&[REVERT[0], REVERT[2], ("SSH_SOURCES", "none")]);
    world.report(&mut function, &event);
    let mut calls: Vec<String> = world.calls().into_iter().map(|call| call.action).collect();
    // EC2 is asked for the group and for its rules at once.
    calls[..2].sort();
    assert_eq!(
        calls,
        [
            "DescribeSecurityGroupRules",
            "DescribeSecurityGroups",
            "RevokeSecurityGroupIngress",
            "DescribeSecurityGroupRules",
            // What the group admits at the end.
            "DescribeSecurityGroupRules",
            "Publish",
        ]
    );
}
