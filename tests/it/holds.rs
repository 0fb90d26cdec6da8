//! Temporary openings that announce their own end, and what only looks like one.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::reverts::{REVERT, undo_all};
use crate::support::endpoint::Answer;
use crate::support::event;
use crate::support::permission::{Permission, tcp};
use crate::support::tags::hold;
use crate::support::world::{ACCOUNT, Direction::Ingress, Group, Site, World};

fn open() -> Permission {
    tcp(22, 22).from("0.0.0.0/0")
}

/// A group where SSH was opened with these tags a moment ago, and the event of that.
async fn opened(site: &Site, tags: &[(&str, &str)]) -> (Group, Value) {
    let group = site.group("typo3-shop").await;
    let event = site.authorize_tagged(&group, Ingress, &[open()], tags).await;
    (group, event::at(event, Utc::now()))
}

fn remediation(report: &Value) -> (&str, &str) {
    let remediation = &report["findings"][0]["remediation"];
    let text = |name: &str| remediation[name].as_str().expect("a text");
    (text("outcome"), text("detail"))
}

/// What asks for the end of holds in a region of the test's own, since others hold rules elsewhere.
fn check_of(region: &str) -> Value {
    json!({"holds": {"regions": [region]}})
}

#[tokio::test]
async fn a_hold_is_told_of_and_left_alone() {
    let world = World::new().await;
    let hold = hold(120);
    let (group, event) = opened(&world, &hold.tags()).await;
    let before = world.rules(&group).await;
    let report = world.report(&mut world.function(&REVERT), &event);
    let (outcome, detail) = remediation(&report);
    assert_eq!(outcome, "held", "{report:#}");
    assert!(detail.contains("Left alone until 2"), "{detail}");
    let told = &report["findings"][0]["remediation"]["hold"];
    assert_eq!(told["reason"], "vendor, ticket 4711");
    assert_eq!(told["until"], hold.tags()[0].1);
    assert_eq!(report["outcome"], "noncompliant");
    assert_eq!(world.rules(&group).await, before);
    let [message] = world.messages().await.try_into().expect("one message");
    assert_eq!(message.attributes["remediation"], "held");
}

#[tokio::test]
async fn tags_that_are_not_a_hold_are_reverted_and_the_message_says_why() {
    let world = World::new().await;
    let (too_long, two_hours, over) = (hold(60 * 48), hold(120), hold(-10));
    let mut function = world.function(&REVERT);
    let until = "sg-audit:allow-until";
    for (tags, why) in [
        (&too_long.tags()[..], "the limit is 24 hours"),
        (&two_hours.without_reason()[..], "it has no tag sg-audit:reason"),
        (&[(until, "tomorrow"), ("sg-audit:reason", "vendor")][..], "which is not a time"),
        (&over.tags()[..], "and that is over"),
    ] {
        let (group, event) = opened(&world, tags).await;
        let report = world.report(&mut function, &event);
        let (outcome, detail) = remediation(&report);
        assert_eq!(outcome, "narrowed", "{report:#}");
        assert!(detail.contains(why), "{detail}");
        let after = world.ingress(&group).await;
        assert_eq!(after.len(), 1, "{after:?}");
        assert!(after[0].starts_with("ingress tcp 22-22 203.0.113.0/24 "), "{after:?}");
    }
    // Where holds are not allowed, the tags do not count.
    let none = [REVERT[0], REVERT[1], REVERT[2], ("HOLD_MAX_HOURS", "0")];
    let mut function = world.function(&none);
    let (_, event) = opened(&world, &two_hours.tags()).await;
    let report = world.report(&mut function, &event);
    let (outcome, detail) = remediation(&report);
    assert_eq!(outcome, "narrowed", "{report:#}");
    assert!(detail.contains("no holds are allowed here"), "{detail}");
    let (_, event) = opened(&world, &[]).await;
    let report = world.report(&mut function, &event);
    let undo = report["findings"][0]["remediation"]["undo"].as_str().expect("an undo");
    assert!(!undo.contains(until), "{undo}");
}

#[tokio::test]
async fn the_length_of_a_hold_counts_from_the_time_of_the_event() {
    let world = World::new().await;
    let hold = hold(60 * 23);
    let (group, event) = opened(&world, &hold.tags()).await;
    // Opened two hours ago for 25 hours; the event is late, or was kept back.
    let late = event::at(event, Utc::now() - TimeDelta::hours(2));
    let report = world.report(&mut world.function(&REVERT), &late);
    let (outcome, detail) = remediation(&report);
    assert_eq!(outcome, "narrowed", "{report:#}");
    assert!(detail.contains("the limit is 24 hours"), "{detail}");
    assert_eq!(world.ingress(&group).await.len(), 1);
}

#[tokio::test]
async fn tags_that_come_later_hold_nothing() {
    let world = World::new().await;
    let hold = hold(120);
    let (group, event) = opened(&world, &[]).await;
    for rule in world.rules(&group).await.iter().filter(|rule| rule.direction == Ingress) {
        for (key, value) in hold.tags() {
            world.tag(&rule.id, key, value).await;
        }
    }
    let report = world.report(&mut world.function(&REVERT), &event);
    let (outcome, detail) = remediation(&report);
    assert_eq!(outcome, "narrowed", "{report:#}");
    assert!(detail.contains("these came later"), "{detail}");
}

#[tokio::test]
async fn a_tag_call_on_a_held_rule_ends_its_hold() {
    let world = World::new().await;
    let (first, later) = (hold(120), hold(60 * 23));
    let mut function = world.function(&REVERT);
    for is_deleted in [false, true] {
        let (group, event) = opened(&world, &first.tags()).await;
        assert_eq!(remediation(&world.report(&mut function, &event)).0, "held");
        let rules = world.rules(&group).await;
        let held = rules.iter().find(|rule| rule.direction == Ingress).expect("the rule");
        let [(until, end), _] = later.tags();
        let mut event = match is_deleted {
            true => world.untag(&held.id, until).await,
            false => world.tag(&held.id, until, end).await,
        };
        // A rule that is gone is asked for as well.
        let resources = &mut event["detail"]["requestParameters"]["resourcesSet"]["items"];
        let gone = json!({"resourceId": "sgr-0123456789abcdef0"});
        resources.as_array_mut().expect("resources").push(gone);
        let report = world.completed(&mut function, &event);
        let (outcome, detail) = remediation(&report);
        assert_eq!(outcome, "narrowed", "{report:#}");
        assert!(detail.contains("this call changed its tags"), "{detail}");
        let after = world.ingress(&group).await;
        assert_eq!(after.len(), 1, "{after:?}");
        assert!(after[0].starts_with("ingress tcp 22-22 203.0.113.0/24 "), "{after:?}");
    }
}

#[tokio::test]
async fn a_hold_is_void_once_the_rule_is_modified() {
    let world = World::new().await;
    let hold = hold(120);
    let group = world.group("typo3-shop").await;
    let narrow = tcp(22, 22).from("198.51.100.7/32");
    let event = world.authorize_tagged(&group, Ingress, &[narrow], &hold.tags()).await;
    let mut function = world.function(&REVERT);
    assert_eq!(remediation(&world.report(&mut function, &event::at(event, Utc::now()))).0, "held");

    let rules = world.rules(&group).await;
    let held = rules.iter().find(|rule| rule.direction == Ingress).expect("the rule");
    let event = world.modify(&group, &[(&held.id, &open())]).await;
    let report = world.report(&mut function, &event::at(event, Utc::now()));
    let (outcome, detail) = remediation(&report);
    assert_eq!(outcome, "narrowed", "{report:#}");
    assert!(detail.contains("the rule was changed after it was held"), "{detail}");
    let after = world.ingress(&group).await;
    assert_eq!(after.len(), 1, "{after:?}");
    assert!(after[0].starts_with("ingress tcp 22-22 203.0.113.0/24 "), "{after:?}");
}

#[tokio::test]
async fn the_hold_in_the_event_counts_for_a_group_that_cannot_be_read() {
    let world = World::new().await;
    let hold = hold(120);
    let (_, event) = opened(&world, &hold.tags()).await;
    let mut function = world.function(&REVERT);
    world.answer(|call| match call.action.as_str() {
        "DescribeSecurityGroups" => Answer::Error(403, "UnauthorizedOperation", "No."),
        _ => Answer::Moto,
    });
    let report = world.report(&mut function, &event);
    let (outcome, detail) = remediation(&report);
    assert_eq!(outcome, "held", "{report:#}");
    assert!(detail.contains("the group could not be read"), "{detail}");
}

#[tokio::test]
async fn the_check_of_holds_closes_ended_holds_and_makes_one_call_if_there_are_none() {
    const HERE: &str = "ca-central-1";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let mut function = world.function(&REVERT);
    let report = world.report(&mut function, &check_of(HERE));
    assert_eq!(report["outcome"], "compliant", "{report:#}");
    let calls: Vec<String> = world.calls().into_iter().map(|call| call.action).collect();
    assert_eq!(calls, ["DescribeSecurityGroupRules"]);

    let (over, still) = (hold(-10), hold(120));
    let (ended, _) = opened(&site, &over.tags()).await;
    let (running, _) = opened(&site, &still.tags()).await;
    let before = site.rules(&running).await;
    let opened = site.ingress_unheld(&ended).await;
    let report = world.completed(&mut function, &check_of(HERE));
    let findings = report["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{report:#}");
    assert_eq!(findings[0]["group"]["id"], ended.id);
    let (outcome, detail) = remediation(&report);
    assert_eq!(outcome, "narrowed", "{report:#}");
    assert!(detail.contains("It was held open until"), "{detail}");
    let after = site.ingress(&ended).await;
    assert_eq!(after.len(), 1, "{after:?}");
    assert!(after[0].starts_with("ingress tcp 22-22 203.0.113.0/24 "), "{after:?}");
    assert_eq!(site.rules(&running).await, before);

    // Closed is closed: the next check has nothing to say. What takes it back holds it anew.
    assert_eq!(world.report(&mut function, &check_of(HERE))["outcome"], "compliant");
    let [message] = world.messages().await.try_into().expect("one message");
    undo_all(&world, &message);
    assert_eq!(site.ingress_unheld(&ended).await, opened);
    assert_eq!(world.report(&mut function, &check_of(HERE))["outcome"], "compliant");
    assert_eq!(site.ingress_unheld(&ended).await, opened);
}

#[tokio::test]
async fn where_nothing_is_reverted_the_end_of_a_hold_is_told_while_it_is_news() {
    const HERE: &str = "ap-south-2";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let (just, long) = (hold(-10), hold(-60));
    let (ended, _) = opened(&site, &just.tags()).await;
    opened(&site, &long.tags()).await;
    let before = site.rules(&ended).await;
    let report = world.report(&mut world.function(&[]), &check_of(HERE));
    let findings = report["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "the sweep tells of the other every day: {report:#}");
    assert_eq!(findings[0]["group"]["id"], ended.id);
    let (outcome, detail) = remediation(&report);
    assert_eq!(outcome, "none");
    assert!(detail.contains("It was held open until"), "{detail}");
    assert_eq!(site.rules(&ended).await, before);
}

#[tokio::test]
async fn a_hold_whose_tags_are_changed_after_it_was_told_is_closed_by_the_check() {
    const HERE: &str = "ca-west-1";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let mut function = world.function(&REVERT);
    let still = hold(120);
    for (key, value, why) in [
        ("sg-audit:allow-until", "2099-01-01T00:00:00Z", "the limit is 24 hours"),
        ("sg-audit:reason", " ", "it has no tag sg-audit:reason"),
    ] {
        let (group, event) = opened(&site, &still.tags()).await;
        assert_eq!(remediation(&world.report(&mut function, &event)).0, "held");
        let rules = site.rules(&group).await;
        let held = rules.iter().find(|rule| rule.direction == Ingress).expect("the rule");
        site.tag(&held.id, key, value).await;
        let report = world.completed(&mut function, &check_of(HERE));
        let (outcome, detail) = remediation(&report);
        assert_eq!(outcome, "narrowed", "{report:#}");
        assert!(detail.contains(why), "{detail}");
        assert_eq!(site.ingress(&group).await.len(), 1);
    }
}

#[tokio::test]
async fn a_check_of_holds_that_ec2_does_not_answer_is_tried_again_and_one_that_is_refused_is_left_to_the_sweep()
 {
    const HERE: &str = "ap-south-1";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let over = hold(-10);
    let (group, _) = opened(&site, &over.tags()).await;
    let before = site.ingress_unheld(&group).await;
    let mut function = world.function(&REVERT);
    let throttle = |action: &'static str| {
        world.answer(move |call| match call.action == action {
            true => Answer::Error(503, "RequestLimitExceeded", "Request limit exceeded."),
            false => Answer::Moto,
        });
    };
    throttle("DescribeSecurityGroupRules");
    assert_eq!(function.invoke(&check_of(HERE)).error_type(), Some("Ec2Unavailable"));
    throttle("RevokeSecurityGroupIngress");
    world.report(&mut function, &check_of(HERE));
    let [close] = world.handed_on().try_into().expect("what is to be closed");
    assert_eq!(function.invoke(&close).error_type(), Some("Ec2Unavailable"));
    world.answer(|call| match call.action.as_str() {
        "DescribeSecurityGroupRules" => Answer::Error(403, "UnauthorizedOperation", "No."),
        _ => Answer::Moto,
    });
    // The sweep tells of it, once a day.
    let report = world.report(&mut function, &check_of(HERE));
    assert_eq!(report["findings"], json!([]), "{report:#}");
    world.answer(|_| Answer::Moto);
    // What complies of the rule is there since the revoke failed, and is taken back with it.
    world.messages().await;
    assert_eq!(remediation(&world.report(&mut function, &close)).0, "reverted");
    assert_eq!(site.ingress(&group).await.len(), 1);
    let [message] = world.messages().await.try_into().expect("one message");
    undo_all(&world, &message);
    assert_eq!(site.ingress_unheld(&group).await, before);
}

#[tokio::test]
async fn the_undo_command_puts_a_hold_on_the_rule_which_is_left_alone() {
    let world = World::new().await;
    let (group, event) = opened(&world, &[]).await;
    let opened = world.ingress(&group).await;
    let mut function = world.function(&REVERT);
    assert_eq!(remediation(&world.report(&mut function, &event)).0, "narrowed");
    let [message] = world.messages().await.try_into().expect("one message");
    undo_all(&world, &message);
    assert_eq!(world.ingress_unheld(&group).await, opened);

    // CloudTrail tells of what the shell did.
    let rules = world.rules(&group).await;
    let back = rules.iter().find(|rule| rule.direction == Ingress).expect("the rule");
    let told = world.authorized(&group, back);
    let report = world.report(&mut function, &told);
    assert_eq!(remediation(&report).0, "held", "{report:#}");
    assert_eq!(world.rules(&group).await, rules);
}
