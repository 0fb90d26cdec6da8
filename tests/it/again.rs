//! The same event twice, events in the wrong order, events that come too late.

use crate::reverts::{REVERT, finding};
use crate::support::permission::tcp;
use crate::support::world::{Direction::Ingress, World};

#[tokio::test]
async fn the_same_event_twice() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(0, 65535).from("0.0.0.0/0")]).await;
    let opened = world.ingress(&group).await;
    let mut function = world.function(&REVERT);
    function.invoke(&event);
    let after = world.ingress(&group).await;
    assert_eq!(after.len(), 3);
    let answer = function.invoke(&event);
    assert_eq!(answer.error_type(), None, "{:#}", answer.body);
    assert_eq!(world.ingress(&group).await, after);

    let messages = world.messages().await;
    let outcome = |number: usize| &finding(&messages[number], 0)["remediation"]["outcome"];
    assert_eq!((outcome(0), outcome(1)), (&"narrowed".into(), &"already-gone".into()));
    assert_eq!(finding(&messages[0], 0)["id"], finding(&messages[1], 0)["id"]);

    let undo = finding(&messages[1], 0)["remediation"]["undo"].as_str().expect("an undo");
    assert!(world.shell(undo).status.success());
    assert_eq!(world.ingress_unheld(&group).await, opened);
}

#[tokio::test]
async fn the_events_of_a_change_in_place_in_either_order() {
    for swapped in [false, true] {
        let world = World::new().await;
        let group = world.group("typo3-shop").await;
        let first = world.authorize(&group, Ingress, &[tcp(22, 22).from("203.0.113.0/25")]).await;
        let rules = world.rules(&group).await;
        let office = rules.iter().find(|rule| rule.direction == Ingress).expect("the rule");
        let widened = tcp(22, 22).from("0.0.0.0/0");
        let second = world.modify(&group, &[(office.id.as_str(), &widened)]).await;
        let mut function = world.function(&REVERT);
        let events = if swapped { [&second, &first] } else { [&first, &second] };
        for event in events {
            assert_eq!(function.invoke(event).error_type(), None);
        }
        let after = world.ingress(&group).await;
        assert_eq!(after.len(), 1, "{after:?}");
        assert!(after[0].starts_with("ingress tcp 22-22 203.0.113.0/24 "), "{after:?}");
        assert_eq!(world.messages().await.len(), 1);
    }
}

#[tokio::test]
async fn a_rule_that_was_narrowed_before_the_event_came() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let rules = world.rules(&group).await;
    let open = rules.iter().find(|rule| rule.direction == Ingress).expect("the rule");
    let narrowed = tcp(22, 22).described("203.0.113.7/32", "my desk");
    world.modify(&group, &[(open.id.as_str(), &narrowed)]).await;
    let before = world.rules(&group).await;
    let mut function = world.function(&REVERT);
    function.invoke(&event);
    assert_eq!(world.rules(&group).await, before);
    let messages = world.messages().await;
    assert_eq!(finding(&messages[0], 0)["remediation"]["outcome"], "already-gone");
}

#[tokio::test]
async fn a_rule_that_was_removed_before_the_event_came() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    world.authorize(&group, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
    let open = tcp(22, 80).from("0.0.0.0/0");
    let event = world.authorize(&group, Ingress, std::slice::from_ref(&open)).await;
    world.revoke(&group, Ingress, &[open]).await;
    let before = world.rules(&group).await;
    let mut function = world.function(&REVERT);
    function.invoke(&event);
    assert_eq!(world.rules(&group).await, before);
    let messages = world.messages().await;
    assert_eq!(finding(&messages[0], 0)["remediation"]["outcome"], "already-gone");
}

#[tokio::test]
async fn a_group_that_was_deleted_before_the_event_came() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    world.ec2.delete_security_group().group_id(&group.id).send().await.expect("deleted");
    let mut function = world.function(&REVERT);
    assert_eq!(function.invoke(&event).error_type(), None);
    let messages = world.messages().await;
    assert_eq!(finding(&messages[0], 0)["remediation"]["outcome"], "already-gone");
}
