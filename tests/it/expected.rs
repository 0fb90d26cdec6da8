//! Traffic that the site lives on, closed by a change.

use serde_json::Value;

use crate::reverts::{REVERT, finding};
use crate::support::endpoint::Answer;
use crate::support::event;
use crate::support::permission::{Permission, all_traffic, tcp};
use crate::support::world::{Direction::Ingress, Group, World};

fn web() -> [Permission; 2] {
    [
        tcp(80, 80).from("0.0.0.0/0"),
        tcp(443, 443).described("0.0.0.0/0", "the shop's front").described("::/0", "it's $HOME"),
    ]
}

/// A group that serves the web.
async fn serving(world: &World) -> Group {
    let group = world.group("typo3-shop").await;
    world.authorize(&group, Ingress, &web()).await;
    group
}

fn codes(report: &Value) -> Vec<(&str, &str)> {
    let findings = report["findings"].as_array().expect("findings");
    let text = |finding: &'_ Value, name: &str| finding[name].as_str().map(str::to_owned);
    assert!(findings.iter().all(|finding| text(finding, "code").is_some()), "{report:#}");
    findings
        .iter()
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().expect("a text");
            (text("code"), text("severity"))
        })
        .collect()
}

const CLOSED: &str = "expected-traffic-closed";

#[tokio::test]
async fn closing_all_web_ports_is_reported_with_the_command_that_opens_them_again() {
    let world = World::new().await;
    let group = serving(&world).await;
    let before = world.ingress(&group).await;
    let event = world.revoke(&group, Ingress, &web()).await;
    let report = world.report(&mut world.function(&REVERT), &event);
    assert_eq!(codes(&report), [(CLOSED, "high")], "{report:#}");
    assert_eq!(report["findings"][0]["title"], "HTTP and HTTPS on typo3-shop are closed");
    assert_eq!(world.ingress(&group).await, [] as [&str; 0], "nothing is opened by itself");

    let [message] = world.messages().await.try_into().expect("one message");
    let undo = finding(&message, 0)["remediation"]["undo"].as_str().expect("an undo");
    assert!(!undo.contains('\n'), "{undo}");
    let done = world.shell(undo);
    assert!(done.status.success(), "{undo}\n{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(world.ingress(&group).await, before);
}

/// The severity and the title of the only finding.
fn told(report: &Value) -> (&str, &str) {
    assert_eq!(codes(report).len(), 1, "{report:#}");
    let finding = &report["findings"][0];
    let text = |name: &str| finding[name].as_str().expect("a text");
    (text("severity"), text("title"))
}

#[tokio::test]
async fn a_website_that_is_closed_step_by_step() {
    let world = World::new().await;
    let group = serving(&world).await;
    let mut function = world.function(&REVERT);
    let host = [tcp(443, 443).from("198.51.100.7/32")];
    let event = world.revoke(&group, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
    let title = "HTTPS on typo3-shop is closed for IPv4, open for IPv6; HTTP still works";
    assert_eq!(told(&world.report(&mut function, &event)), ("medium", title));
    world.authorize(&group, Ingress, &host).await;
    let event = world.revoke(&group, Ingress, &[tcp(443, 443).from("::/0")]).await;
    let title = "HTTPS on typo3-shop is closed for IPv6, open to some for IPv4; HTTP still works";
    assert_eq!(told(&world.report(&mut function, &event)), ("medium", title));
    let event = world.revoke(&group, Ingress, &host).await;
    let title = "HTTPS on typo3-shop is closed; HTTP still works";
    assert_eq!(told(&world.report(&mut function, &event)), ("medium", title));
    let event = world.revoke(&group, Ingress, &[tcp(80, 80).from("0.0.0.0/0")]).await;
    assert_eq!(
        told(&world.report(&mut function, &event)),
        ("high", "HTTP on typo3-shop is closed")
    );
    assert_eq!(world.messages().await.len(), 4);
}

#[tokio::test]
async fn a_load_balancer_that_is_shut_out_is_reported() {
    let world = World::new().await;
    let (balancer, others) = (world.group("balancer").await, world.group("others").await);
    let group = world.group("typo3-shop").await;
    let web = [tcp(80, 80).from(&balancer.id), tcp(443, 443).from(&balancer.id)];
    let rest = [all_traffic().from(&others.id)];
    let itself = [all_traffic().from(&group.id)];
    let mut function = world.function(&REVERT);
    for rules in [&web[..], &rest, &itself] {
        world.authorize(&group, Ingress, rules).await;
    }
    let event = world.revoke(&group, Ingress, &web).await;
    let title = format!("HTTP and HTTPS on typo3-shop are closed to {}", balancer.id);
    assert_eq!(told(&world.report(&mut function, &event)), ("medium", title.as_str()));
    let event = world.revoke(&group, Ingress, &rest).await;
    let title = "HTTP and HTTPS on typo3-shop are closed";
    assert_eq!(told(&world.report(&mut function, &event)), ("high", title));
    // Traffic among the members is no website.
    let event = world.revoke(&group, Ingress, &itself).await;
    assert_eq!(world.report(&mut function, &event)["outcome"], "compliant");
}

#[tokio::test]
async fn the_same_traffic_by_other_rules_is_not_closed() {
    let world = World::new().await;
    let group = serving(&world).await;
    let mut function = world.function(&REVERT);
    let balancer = world.group("balancer").await;
    let of_balancer = [tcp(80, 443).from(&balancer.id)];
    world.authorize(&group, Ingress, &of_balancer).await;
    let event = world.revoke(&group, Ingress, &of_balancer).await;
    assert_eq!(world.report(&mut function, &event)["outcome"], "compliant");
    let halves = [tcp(443, 443).from("0.0.0.0/1"), tcp(443, 443).from("128.0.0.0/1")];
    world.authorize(&group, Ingress, &halves).await;
    let event = world.revoke(&group, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
    assert_eq!(world.report(&mut function, &event)["outcome"], "compliant");
    // What the site does not live on may go.
    let office = [tcp(22, 22).from("203.0.113.0/24")];
    world.authorize(&group, Ingress, &office).await;
    let event = world.revoke(&group, Ingress, &office).await;
    assert_eq!(world.report(&mut function, &event)["outcome"], "compliant");
    assert_eq!(world.messages().await.len(), 0);
}

#[tokio::test]
async fn a_revocation_by_ids_does_not_tell_what_the_rules_were() {
    let world = World::new().await;
    let group = serving(&world).await;
    let rules = world.rules(&group).await;
    let ids: Vec<&str> = rules
        .iter()
        .filter(|rule| rule.direction == Ingress)
        .map(|rule| rule.id.as_str())
        .collect();
    let mut function = world.function(&REVERT);
    // One of them, and the web is still there.
    let call = world.ec2.revoke_security_group_ingress().group_id(&group.id);
    call.security_group_rule_ids(ids[0]).send().await.expect("revoked");
    let report = world.report(&mut function, &event::of_revoked_ids(&group, Ingress, &ids[..1]));
    assert_eq!(report["outcome"], "compliant", "{report:#}");

    let call = world.ec2.revoke_security_group_ingress().group_id(&group.id);
    let rest = ids[1..].iter().map(|id| (*id).to_owned()).collect();
    call.set_security_group_rule_ids(Some(rest)).send().await.expect("revoked");
    let report = world.report(&mut function, &event::of_revoked_ids(&group, Ingress, &ids[1..]));
    assert_eq!(codes(&report), [(CLOSED, "low")], "{report:#}");
    assert!(report["findings"][0]["remediation"]["undo"].is_null());
    let title = report["findings"][0]["title"].as_str().expect("a title");
    assert!(title.contains("is not known"), "{title}");
}

#[tokio::test]
async fn narrowed_in_place_to_nothing_of_it_is_closed_too() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    world.authorize(&group, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
    let rules = world.rules(&group).await;
    let rule = rules.iter().find(|rule| rule.direction == Ingress).expect("the rule");
    let elsewhere = tcp(22, 22).from("203.0.113.0/24");
    let event = world.modify(&group, &[(&rule.id, &elsewhere)]).await;
    let report = world.report(&mut world.function(&REVERT), &event);
    assert_eq!(codes(&report), [(CLOSED, "low")], "{report:#}");
}

#[tokio::test]
async fn rules_that_were_open_before_an_unreadable_group_changed_are_still_reported() {
    let world = World::new().await;
    let group = serving(&world).await;
    let event = world.revoke(&group, Ingress, &web()).await;
    let mut function = world.function(&REVERT);
    for action in ["DescribeSecurityGroups", "DescribeSecurityGroupRules"] {
        world.answer(move |call| match call.action == action {
            true => Answer::Error(403, "UnauthorizedOperation", "No."),
            false => Answer::Moto,
        });
        let report = world.report(&mut function, &event);
        assert_eq!(codes(&report), [("unaudited-change", "high")], "{report:#}");
    }
    world.answer(|_| Answer::Error(503, "RequestLimitExceeded", "Request limit exceeded."));
    assert_eq!(function.invoke(&event).error_type(), Some("Ec2Unavailable"));
    world.answer(|_| Answer::Moto);
    assert_eq!(codes(&world.report(&mut function, &event)), [(CLOSED, "high")]);
}
