//! An account and several regions in one schedule.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{findings, of_code, open, reverting};
use crate::support::endpoint::Answer;
use crate::support::world::{ACCOUNT, Direction::Ingress, Group, MEMBER, Site, World};

const ROLE: (&str, &str) = ("MEMBER_ROLE_NAME", "security/typo3-sg-auditor");

/// A group with open SSH in each of the two regions of an account.
async fn everywhere(world: &World, account: &str, regions: &[&str; 2]) -> Vec<(Site, Group)> {
    let mut groups = Vec::new();
    for region in regions {
        let site = world.site(account, region).await;
        let group = site.group("typo3-shop").await;
        site.authorize(&group, Ingress, &[open()]).await;
        groups.push((site, group));
    }
    groups
}

fn sweep_of(account: &str, regions: &[&str; 2]) -> Value {
    json!({"sweep": {"accounts": [account], "regions": regions}})
}

fn where_open<'a>(report: &'a Value) -> BTreeSet<[&'a str; 3]> {
    let text = |value: &'a Value| value.as_str().expect("a text");
    of_code(report, "open-ssh")
        .into_iter()
        .map(|it| [text(&it["account"]), text(&it["region"]), text(&it["group"]["id"])])
        .collect()
}

fn at<'a>(groups: impl IntoIterator<Item = &'a (Site, Group)>) -> BTreeSet<[&'a str; 3]> {
    groups
        .into_iter()
        .map(|(site, group)| [site.account.as_str(), site.region.as_str(), group.id.as_str()])
        .collect()
}

#[tokio::test]
async fn two_regions_of_an_account_are_swept_and_closed_in_one_report() {
    let regions = ["sa-east-1", "us-east-2"];
    let world = World::new().await;
    let settings = [&reverting("revert-ssh")[..], &[ROLE]].concat();
    let mut function = world.function(&settings);
    for account in [ACCOUNT, MEMBER] {
        let groups = everywhere(&world, account, &regions).await;
        let report = world.completed(&mut function, &sweep_of(account, &regions));
        assert_eq!(where_open(&report), at(&groups), "{report:#}");
        for (site, group) in &groups {
            let after = site.ingress(group).await;
            assert_eq!(after.len(), 1, "{after:?}");
            assert!(after[0].starts_with("ingress tcp 22-22 203.0.113.0/24 "), "{after:?}");
        }
        let [message] = world.messages().await.try_into().expect("one report");
        assert_eq!(message.attributes.get("account").map(String::as_str), Some(account));
        assert_eq!(message.attributes.get("region"), None, "there is no single one");
    }
    let roles = world.calls().into_iter().filter(|call| call.action == "AssumeRole").count();
    assert_eq!(roles, 1, "the regions of an account share its credentials");
}

#[tokio::test]
async fn a_member_that_cannot_be_reached_is_said() {
    let regions = ["eu-west-1", "ap-northeast-2"];
    let world = World::new().await;
    let groups = everywhere(&world, MEMBER, &regions).await;
    let sweep = sweep_of(MEMBER, &regions);
    // Without a role there is nothing to reach it with.
    let report = world.report(&mut world.function(&[]), &sweep);
    let unaudited = of_code(&report, "unaudited-change");
    assert_eq!(unaudited.len(), 2, "{report:#}");
    for (finding, region) in unaudited.iter().zip(regions) {
        assert_eq!((&finding["account"], &finding["region"]), (&MEMBER.into(), &region.into()));
        let title = finding["title"].as_str().expect("a title");
        assert!(title.contains("parameter Organisation") && title.contains(region), "{title}");
    }
    assert!(world.calls().iter().all(|call| call.action != "AssumeRole"));

    // A role that is refused is the same, and one whose STS is down is tried again.
    let mut function = world.function(&[ROLE]);
    world.answer(|call| match call.action.as_str() {
        "AssumeRole" => Answer::Error(403, "AccessDenied", "not authorized to perform"),
        _ => Answer::Moto,
    });
    let report = world.report(&mut function, &sweep);
    for finding in of_code(&report, "unaudited-change") {
        let title = finding["title"].as_str().expect("a title");
        assert!(title.contains("AccessDenied"), "{title}");
        assert_eq!(finding["severity"], "high");
    }
    assert_eq!(of_code(&report, "unaudited-change").len(), 2);
    world.answer(|call| match call.action.as_str() {
        "AssumeRole" => Answer::Error(503, "ServiceUnavailable", "Service is unavailable."),
        _ => Answer::Moto,
    });
    let failed = function.invoke(&sweep);
    assert_eq!(failed.error_type(), Some("Ec2Unavailable"), "{:#}", failed.body);
    world.answer(|_| Answer::Moto);
    assert_eq!(where_open(&world.report(&mut function, &sweep)), at(&groups));
}

/// One invocation after the other could not say in the end which accounts were swept.
#[tokio::test]
async fn several_accounts_in_one_schedule_are_refused_and_told() {
    let world = World::new().await;
    let payload = json!({"sweep": {"accounts": [ACCOUNT, MEMBER], "regions": []}});
    let report = world.report(&mut world.function(&[ROLE]), &payload);
    let title = findings(&report)[0]["title"].as_str().expect("a title").to_owned();
    assert!(title.contains("state machine"), "{title}");
    assert!(world.calls().iter().all(|call| call.action == "Publish"));
}

#[tokio::test]
async fn a_misspelled_schedule_is_reported_instead_of_sweeping_nothing() {
    let world = World::new().await;
    let mut function = world.function(&[ROLE]);
    for payload in [
        json!({"sweep": {"account": [MEMBER]}}),
        json!({"sweep": {"accounts": ["21098765432"]}}),
        json!({"sweep": {"regions": ["Frankfurt"]}}),
        json!({"sweep": {}, "holds": {}}),
    ] {
        let report = world.report(&mut function, &payload);
        assert_eq!(findings(&report)[0]["code"], "unaudited-change", "{report:#}");
    }
    assert!(world.calls().iter().all(|call| call.action == "Publish"));
}
