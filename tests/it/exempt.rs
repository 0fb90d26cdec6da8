//! Exemptions: what is tolerated for a time stays through a revert, is counted and named, and nothing else hides in it.

use chrono::{Days, NaiveDate, Utc};
use serde_json::Value;

use crate::reverts::{REVERT, undo_all};
use crate::support::baseline::Baseline;
use crate::support::endpoint::Answer;
use crate::support::permission::tcp;
use crate::support::world::{Direction::Ingress, Group, World};

/// A baseline with one exemption for the group.
fn exempting(group: &Group, ports: &str, peers: &str, until: NaiveDate) -> Baseline {
    let exemption = format!(
        "{{ group: {}, direction: ingress, protocol: tcp, ports: [{ports}], peers: [{peers}], \
         reason: \"vendor migration, ticket 4711\", until: {until} }}",
        group.id
    );
    Baseline::new(&group.id, &[], &[exemption])
}

/// The settings under it.
fn under<'a>(baseline: &'a Baseline, remediation: &'a str) -> [(&'a str, &'a str); 4] {
    [("BASELINE", baseline.path()), ("REMEDIATION", remediation), REVERT[1], REVERT[2]]
}

fn yesterday() -> NaiveDate {
    Utc::now().date_naive() - Days::new(1)
}

/// Not today, since it may be over before the test is.
fn tomorrow() -> NaiveDate {
    Utc::now().date_naive() + Days::new(1)
}

fn outcome(report: &Value) -> &str {
    report["findings"][0]["remediation"]["outcome"].as_str().expect("an outcome")
}

#[tokio::test]
async fn exempt_traffic_is_counted_and_listed_but_not_a_finding() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let baseline = exempting(&group, "22, \"8000-8010\"", "198.51.100.0/24", tomorrow());
    let vendor = [
        tcp(22, 22).from("198.51.100.7/32"),
        tcp(8000, 8005).from("198.51.100.0/24"),
        tcp(443, 443).from("198.51.100.0/24"),
    ];
    let event = world.authorize(&group, Ingress, &vendor).await;
    let before = world.rules(&group).await;
    let report = world.report(&mut world.function(&under(&baseline, "revert-ingress")), &event);
    assert_eq!(report["outcome"], "compliant", "{report:#}");
    assert_eq!(report["totals"]["exempt"], 2);
    let exempt = report["exempt"].as_array().expect("what is exempt");
    assert_eq!(exempt.len(), 2, "{report:#}");
    for one in exempt {
        assert_eq!(one["group"], group.id);
        assert_eq!(one["reason"], "vendor migration, ticket 4711");
        assert_eq!(one["until"], tomorrow().to_string());
    }
    assert_eq!(world.rules(&group).await, before);
    assert_eq!(world.messages().await, []);
}

#[tokio::test]
async fn the_exempt_part_of_a_rule_stays_and_the_rest_is_reverted() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let baseline = exempting(&group, "22", "198.51.100.0/24", tomorrow());
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    let opened = world.ingress(&group).await;
    let mut function = world.function(&under(&baseline, "revert-ssh"));
    let report = world.report(&mut function, &event);
    assert_eq!(outcome(&report), "narrowed", "{report:#}");
    let after = world.ingress(&group).await;
    assert_eq!(after.len(), 2, "{after:?}");
    assert!(after[0].starts_with("ingress tcp 22-22 198.51.100.0/24 "), "{after:?}");
    assert!(after[1].starts_with("ingress tcp 22-22 203.0.113.0/24 "), "{after:?}");
    let excess = report["findings"][0]["excess_text"].as_str().expect("a text");
    assert!(excess.contains("198.51.100.0/24") && excess.contains("but"), "{excess}");
    let [message] = world.messages().await.try_into().expect("one message");
    assert_eq!(message.report["totals"]["exempt"], 1);
    assert_eq!(message.report["exempt"][0]["traffic"], "tcp 22 from 198.51.100.0/24");
    undo_all(&world, &message);
    assert_eq!(world.ingress_unheld(&group).await, opened);
}

#[tokio::test]
async fn an_exemption_goes_by_content_and_by_group() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let baseline = exempting(&group, "8000", "198.51.100.0/24", tomorrow());
    let exempt = tcp(8000, 8000).from("198.51.100.0/24");
    let event = world.authorize(&group, Ingress, std::slice::from_ref(&exempt)).await;
    let mut function = world.function(&under(&baseline, "revert-ingress"));
    assert_eq!(world.report(&mut function, &event)["outcome"], "compliant");
    // The same rule with other content has the same id.
    let rules = world.rules(&group).await;
    let rule = rules.iter().find(|rule| rule.direction == Ingress).expect("the rule");
    let event = world.modify(&group, &[(&rule.id, &tcp(8000, 8000).from("0.0.0.0/0"))]).await;
    let report = world.report(&mut function, &event);
    assert_eq!(outcome(&report), "narrowed", "{report:#}");
    let after = world.ingress(&group).await;
    assert_eq!(after.len(), 1, "{after:?}");
    assert!(after[0].starts_with("ingress tcp 8000-8000 198.51.100.0/24 "), "{after:?}");
    // The same content in another group is nobody's exemption.
    let other = world.group("typo3-other").await;
    let event = world.authorize(&other, Ingress, &[exempt]).await;
    let report = world.report(&mut function, &event);
    assert_eq!(outcome(&report), "reverted", "{report:#}");
    assert_eq!(world.ingress(&other).await, [] as [&str; 0]);
}

#[tokio::test]
async fn an_exemption_that_expired_counts_no_longer_and_is_named() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let baseline = exempting(&group, "8000", "198.51.100.0/24", yesterday());
    let vendor = [tcp(8000, 8000).from("198.51.100.0/24")];
    let event = world.authorize(&group, Ingress, &vendor).await;
    let report = world.report(&mut world.function(&under(&baseline, "revert-ingress")), &event);
    assert_eq!(outcome(&report), "reverted", "{report:#}");
    assert_eq!(report["totals"]["exempt"], 0);
    let detail = report["findings"][0]["remediation"]["detail"].as_str().expect("a detail");
    assert!(detail.contains(&format!("expired after {}", yesterday())), "{detail}");
    assert!(detail.contains("vendor migration, ticket 4711"), "{detail}");
}

#[tokio::test]
async fn an_exemption_by_a_list_that_cannot_be_read_keeps_the_rule_and_says_so() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let list = world.prefix_list("vendors", &["198.51.100.0/24"]).await;
    let baseline = exempting(&group, "8000", &list, tomorrow());
    let vendor = tcp(8000, 8000).from("198.51.100.0/24");
    let event = world.authorize(&group, Ingress, &[vendor]).await;
    let before = world.rules(&group).await;
    let mut function = world.function(&under(&baseline, "revert-ingress"));
    world.answer(|call| match call.action.as_str() {
        "GetManagedPrefixListEntries" => Answer::Error(403, "UnauthorizedOperation", "No."),
        _ => Answer::Moto,
    });
    let report = world.report(&mut function, &event);
    assert_eq!(outcome(&report), "exempt", "{report:#}");
    let detail = report["findings"][0]["remediation"]["detail"].as_str().expect("a detail");
    assert!(detail.contains(&list) && detail.contains("vendor migration"), "{detail}");
    assert_eq!(world.rules(&group).await, before);
    // What the exemption cannot cover, whatever its list holds, is reverted all the same.
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
    assert_eq!(outcome(&world.report(&mut function, &event)), "narrowed");

    // Once it can be read, it decides; in the place of anywhere, the list is put by its name.
    world.answer(|_| Answer::Moto);
    let event = world.authorize(&group, Ingress, &[tcp(8000, 8000).from("0.0.0.0/0")]).await;
    let report = world.report(&mut function, &event);
    assert_eq!(outcome(&report), "narrowed", "{report:#}");
    assert_eq!(report["totals"]["exempt"], 1);
    let by_name = format!("ingress tcp 8000-8000 {list}");
    assert!(world.ingress(&group).await.iter().any(|rule| rule.starts_with(&by_name)));
}
