//! A scope by tag: what is out of it is nobody's business, and leaving it is somebody's.

use serde_json::Value;

use crate::reverts::{REVERT, undo_all};
use crate::support::endpoint::Answer;
use crate::support::event;
use crate::support::permission::{Permission, tcp};
use crate::support::world::{Direction::Ingress, Group, World};

const KEY: &str = "Application";

/// Changes are reverted; the sweep, and so a group that comes in, is only reported.
const TAGGED: [(&str, &str); 3] = [REVERT[0], REVERT[1], ("SCOPE", "tag:Application=typo3")];

fn open() -> Permission {
    tcp(22, 22).from("0.0.0.0/0")
}

/// A group that is in scope.
async fn inside(world: &World) -> Group {
    let group = world.group("typo3-shop").await;
    world.tag(&group.id, KEY, "typo3").await;
    group
}

/// Code and outcome of each finding, ordered.
fn told(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut told: Vec<String> = findings
        .iter()
        .map(|it| format!("{} {}", text(&it["code"]), text(&it["remediation"]["outcome"])))
        .collect();
    told.sort();
    told
}

/// Two groups of one name, each in a VPC of its own.
#[tokio::test]
async fn a_group_that_is_known_by_its_name_is_the_one_of_the_events_vpc() {
    let world = World::new().await;
    let (this, other) = (world.group("typo3-twin").await, world.group("typo3-twin").await);
    world.authorize(&this, Ingress, &[open()]).await;
    let mut event = event::of_create(&this);
    event["detail"]["responseElements"] = serde_json::Value::Null;
    let mut function = world.function(&[]);
    let report = world.report(&mut function, &event);
    let open = &report["findings"][0];
    assert_eq!((&open["code"], &open["group"]["id"]), (&"open-ssh".into(), &this.id.into()));

    event["detail"]["requestParameters"]["vpcId"] = other.vpc_id.clone().into();
    assert!(!told(&world.report(&mut function, &event)).contains(&"open-ssh none".to_owned()));
    event["detail"]["requestParameters"]["vpcId"] = "vpc-0123456789abcdef0".into();
    assert_eq!(told(&world.report(&mut function, &event)), ["unaudited-change none"]);
}

#[tokio::test]
async fn groups_are_audited_by_the_tag_that_they_have_now() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[open()]).await;
    let before = world.rules(&group).await;
    let mut function = world.function(&TAGGED);
    let report = world.report(&mut function, &event);
    assert_eq!(report["outcome"], "out-of-scope", "{report:#}");
    // Another application's is out as well.
    world.tag(&group.id, KEY, "other").await;
    assert_eq!(world.report(&mut function, &event)["outcome"], "out-of-scope");
    assert_eq!(world.rules(&group).await, before);
    assert_eq!(world.messages().await, []);
    world.tag(&group.id, KEY, "typo3").await;
    assert_eq!(told(&world.report(&mut function, &event)), ["open-ssh narrowed"]);
}

#[tokio::test]
async fn a_group_that_comes_in_is_audited_whole() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    world.authorize(&group, Ingress, &[open(), tcp(443, 443).from("0.0.0.0/0")]).await;
    let event = world.tag(&group.id, KEY, "typo3").await;
    let before = world.rules(&group).await;
    let report = world.report(&mut world.function(&TAGGED), &event);
    assert_eq!(told(&report), ["open-ssh none"], "{report:#}");
    assert_eq!(report["rules_audited"], 3);
    assert_eq!(world.rules(&group).await, before);
    let sweeping = [&TAGGED[..], &[("SWEEP_REMEDIATION", "revert-ssh")]].concat();
    let report = world.completed(&mut world.function(&sweeping), &event);
    assert_eq!(told(&report), ["open-ssh narrowed"]);
    // One that complies comes in unnoticed.
    let group = world.group("typo3-other").await;
    let event = world.tag(&group.id, KEY, "typo3").await;
    assert_eq!(world.report(&mut world.function(&TAGGED), &event)["outcome"], "compliant");
}

#[tokio::test]
async fn a_group_that_leaves_is_told_of_and_closed_once_more() {
    let world = World::new().await;
    for by_another_value in [false, true] {
        let group = inside(&world).await;
        world.authorize(&group, Ingress, &[open()]).await;
        let opened = world.ingress(&group).await;
        let event = match by_another_value {
            true => world.tag(&group.id, KEY, "typo3 ").await,
            false => world.untag(&group.id, KEY).await,
        };
        let mut function = world.function(&TAGGED);
        let report = world.completed(&mut function, &event);
        assert_eq!(told(&report), ["left-scope none", "open-ssh narrowed"], "{report:#}");
        let left = report["findings"].as_array().expect("findings").iter();
        let left: Vec<&Value> = left.filter(|it| it["code"] == "left-scope").collect();
        assert_eq!(left[0]["severity"], "high");
        let actor = left[0]["change"]["actor"].as_str().expect("an actor");
        assert!(actor.ends_with(":user/editor"), "{actor}");
        let after = world.ingress(&group).await;
        assert_eq!(after.len(), 1, "{after:?}");
        assert!(after[0].starts_with("ingress tcp 22-22 203.0.113.0/24 "), "{after:?}");
        let [of_leaving, of_closing] = world.messages().await.try_into().expect("two messages");
        assert_eq!(told(&of_leaving.report), ["left-scope none"]);
        undo_all(&world, &of_closing);
        assert_eq!(world.ingress_unheld(&group).await, opened);
    }
}

#[tokio::test]
async fn a_change_of_other_tags_is_ignored() {
    let world = World::new().await;
    let group = inside(&world).await;
    world.authorize(&group, Ingress, &[open()]).await;
    let events = [
        world.tag(&group.id, "CostCentre", "typo3").await,
        world.untag(&group.id, "CostCentre").await,
    ];
    let mut function = world.function(&TAGGED);
    for event in events {
        assert_eq!(world.report(&mut function, &event)["outcome"], "ignored");
    }
    assert_eq!(world.calls(), []);
    // Where everything is in scope, no tag moves anything.
    let event = world.untag(&group.id, KEY).await;
    assert_eq!(world.report(&mut world.function(&REVERT), &event)["outcome"], "ignored");
    assert_eq!(world.messages().await, []);
}

/// Tag off, open, tag on: whichever event comes first, what was opened is closed or told of, and so is the leaving.
#[tokio::test]
async fn leaving_for_a_minute_hides_nothing() {
    for late in [false, true] {
        let world = World::new().await;
        let group = inside(&world).await;
        let off = world.untag(&group.id, KEY).await;
        let mut function = world.function(&TAGGED);
        let mut reports = Vec::new();
        if !late {
            reports.push(world.completed(&mut function, &off));
        }
        let opening = world.authorize(&group, Ingress, &[open()]).await;
        if !late {
            reports.push(world.report(&mut function, &opening));
        }
        let on = world.tag(&group.id, KEY, "typo3").await;
        if late {
            reports.push(world.completed(&mut function, &off));
            reports.push(world.report(&mut function, &opening));
        }
        reports.push(world.report(&mut function, &on));
        let told: Vec<String> = reports.iter().flat_map(told).collect();
        let expected: &[&str] = if late {
            // It is in again when the first event comes, and closed by that.
            &["left-scope none", "open-ssh narrowed", "open-ssh already-gone"]
        } else {
            // It was out when it was opened; coming in is what the sweep's remediation is for.
            &["left-scope none", "open-ssh none"]
        };
        assert_eq!(told, expected, "{reports:#?}");
    }
}

#[tokio::test]
async fn a_group_that_leaves_and_cannot_be_read_is_unaudited_or_tried_again() {
    let world = World::new().await;
    let group = inside(&world).await;
    let event = world.untag(&group.id, KEY).await;
    let mut function = world.function(&TAGGED);
    world.answer(|call| match call.action.as_str() {
        "DescribeSecurityGroupRules" => Answer::Error(403, "UnauthorizedOperation", "No."),
        _ => Answer::Moto,
    });
    assert_eq!(told(&world.report(&mut function, &event)), ["unaudited-change none"]);
    world.answer(|call| match call.action.as_str() {
        "DescribeSecurityGroups" => Answer::Error(503, "RequestLimitExceeded", "Later."),
        _ => Answer::Moto,
    });
    assert_eq!(function.invoke(&event).error_type(), Some("Ec2Unavailable"));
    world.answer(|_| Answer::Moto);
    assert_eq!(told(&world.report(&mut function, &event)), ["left-scope none"]);
}
