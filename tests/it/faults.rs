//! Parts that fail: nothing is lost, nothing is said that is not so.

use crate::reverts::{REVERT, finding};
use crate::support::endpoint::Answer;
use crate::support::permission::tcp;
use crate::support::world::{Direction::Ingress, World};

#[tokio::test]
async fn sns_failing_after_a_revert() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 80).from("0.0.0.0/0")]).await;
    let opened = world.ingress(&group).await;
    let mut function = world.function(&REVERT);
    world.answer(|call| match call.action.as_str() {
        "Publish" => Answer::Error(500, "InternalError", "SNS is having a bad day"),
        _ => Answer::Moto,
    });
    let answer = function.invoke(&event);
    assert_eq!(answer.error_type(), Some("NotPublished"), "{:#}", answer.body);
    assert_eq!(world.ingress(&group).await.len(), 2);

    world.answer(|_| Answer::Moto);
    let answer = function.invoke(&event);
    assert_eq!(answer.error_type(), None, "{:#}", answer.body);
    let messages = world.messages().await;
    assert_eq!(messages.len(), 1);
    let remediation = &finding(&messages[0], 0)["remediation"];
    assert_eq!(remediation["outcome"], "already-gone");
    let undo = remediation["undo"].as_str().expect("an undo");
    let output = world.shell(undo);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(world.ingress_unheld(&group).await, opened);
}

#[tokio::test]
async fn ec2_refusing_the_revoke() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let mut function = world.function(&REVERT);
    world.answer(|call| match call.action.as_str() {
        "RevokeSecurityGroupIngress" => {
            Answer::Error(403, "UnauthorizedOperation", "You are not authorized to do this.")
        }
        _ => Answer::Moto,
    });
    let answer = function.invoke(&event);
    assert_eq!(answer.error_type(), None, "{:#}", answer.body);
    let messages = world.messages().await;
    let remediation = &finding(&messages[0], 0)["remediation"];
    assert_eq!(remediation["outcome"], "failed");
    let detail = remediation["detail"].as_str().expect("a detail");
    assert!(detail.contains("UnauthorizedOperation"), "{detail}");
    assert!(messages[0].subject.starts_with("NOT CLOSED"), "{}", messages[0].subject);
}

#[tokio::test]
async fn ec2_not_answering_for_now_fails_the_invocation() {
    for action in ["DescribeSecurityGroups", "DescribeSecurityGroupRules"] {
        let world = World::new().await;
        let group = world.group("typo3-shop").await;
        let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
        let mut function = world.function(&REVERT);
        world.answer(move |call| {
            if call.action == action {
                Answer::Error(503, "RequestLimitExceeded", "Request limit exceeded.")
            } else {
                Answer::Moto
            }
        });
        let answer = function.invoke(&event);
        assert_eq!(answer.error_type(), Some("Ec2Unavailable"), "{:#}", answer.body);
        let tries = world.calls().iter().filter(|call| call.action == action).count();
        assert!(tries > 1, "a throttled call is tried again before the invocation fails");
        world.answer(|_| Answer::Moto);
        assert_eq!(function.invoke(&event).error_type(), None);
        assert_eq!(world.messages().await.len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_revoke() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 443).from("0.0.0.0/0")]).await;
    let mut function = world.function(&REVERT);
    let mut lost = false;
    world.answer(move |call| {
        if call.action == "RevokeSecurityGroupIngress" && !lost {
            lost = true;
            Answer::Lost
        } else {
            Answer::Moto
        }
    });
    let answer = function.invoke(&event);
    assert_eq!(answer.error_type(), None, "{:#}", answer.body);
    assert_eq!(world.ingress(&group).await.len(), 3);
    let messages = world.messages().await;
    // The SDK asked again, and then EC2 had nothing to revoke: that is all that can be said.
    assert_eq!(finding(&messages[0], 0)["remediation"]["outcome"], "already-gone");
}

#[tokio::test]
async fn a_group_that_may_not_be_read() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let mut function = world.function(&REVERT);
    world.answer(|call| match call.action.as_str() {
        "DescribeSecurityGroups" => Answer::Error(403, "UnauthorizedOperation", "No."),
        _ => Answer::Moto,
    });
    assert_eq!(function.invoke(&event).error_type(), None);
    let messages = world.messages().await;
    assert_eq!(finding(&messages[0], 0)["code"], "open-ssh");
    assert_eq!(finding(&messages[0], 0)["remediation"]["outcome"], "failed");
}
