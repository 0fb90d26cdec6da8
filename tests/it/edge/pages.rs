//! Pages of groups with their rules, and the rules that have a hold.

use std::collections::{BTreeMap, BTreeSet};

use typo3_sg_auditor::aws::AwsEc2;
use typo3_sg_auditor::ec2::{
    Direction, Ec2Error, Group, Pages, Place, Rule, Scope, SecurityGroups, Selection,
};

use super::{count, ec2, home, place};
use crate::support::endpoint::Answer;
use crate::support::permission::tcp;
use crate::support::world::{self, World};

/// A region that only this test uses, because the groups of other tests stay where they are.
fn region(name: &str) -> Place {
    place(world::ACCOUNT, name)
}

/// Everything that is selected, page by page.
async fn pages(ec2: &AwsEc2, place: &Place, which: Selection<'_>) -> Vec<Vec<(Group, Vec<Rule>)>> {
    let mut read = Vec::new();
    let mut pages = Pages::new(ec2, place, which, None);
    loop {
        let page = pages.next(true).await.expect("a page");
        read.push(page.groups);
        if page.next.is_none() {
            return read;
        }
    }
}

fn scope(key: &str, value: &str) -> Scope {
    Scope::Tag { key: key.to_owned(), value: value.to_owned() }
}

fn ids(pages: &[Vec<(Group, Vec<Rule>)>]) -> BTreeSet<&str> {
    pages.iter().flatten().map(|(group, _)| group.id.as_str()).collect()
}

#[tokio::test]
async fn three_hundred_groups_come_in_pages_with_their_rules() {
    let world = World::new().await;
    let here = region("eu-north-1");
    let site = world.site(world::ACCOUNT, "eu-north-1").await;
    let opened =
        [tcp(22, 22).from("198.51.100.7/32"), tcp(443, 443).from("0.0.0.0/0").from("::/0")];
    let made = site.groups(300, &opened).await;
    let ec2 = ec2(&world, &[]).await;
    let pages = pages(&ec2, &here, Selection::Scope(&Scope::All)).await;
    assert!(pages.iter().all(|page| page.len() <= 100));
    // The VPCs' default groups come with the 300.
    let found: BTreeMap<&str, &Vec<Rule>> =
        pages.iter().flatten().map(|(group, rules)| (group.id.as_str(), rules)).collect();
    assert_eq!(found.len(), pages.iter().flatten().count(), "each group once");
    for group in &made {
        let mut ports: Vec<_> =
            found[group.id.as_str()].iter().map(|rule| rule.from_port()).collect();
        ports.sort();
        // The last one is the egress rule that EC2 gives.
        assert_eq!(ports, [None, Some(22), Some(443), Some(443)], "{}", group.name);
    }
    // A page costs two calls.
    assert_eq!(count(&world, "DescribeSecurityGroups"), pages.len());
    assert_eq!(count(&world, "DescribeSecurityGroupRules"), pages.len());
}

#[tokio::test]
async fn a_page_of_groups_may_have_more_rules_than_a_page_of_rules() {
    let world = World::new().await;
    let here = region("eu-west-3");
    let site = world.site(world::ACCOUNT, "eu-west-3").await;
    let hosts = (1..=12).fold(tcp(22, 22), |all, n| all.from(&format!("198.51.100.{n}/32")));
    let made = site.groups(90, &[hosts]).await;
    let ec2 = ec2(&world, &[]).await;
    let pages = pages(&ec2, &here, Selection::Scope(&Scope::All)).await;
    let of_made =
        pages.iter().flatten().filter(|(group, _)| made.iter().any(|made| group.id == *made.id));
    let numbers: Vec<usize> = of_made.map(|(_, rules)| rules.len()).collect();
    assert_eq!(numbers, [13; 90]);
    assert_eq!((pages.len(), count(&world, "DescribeSecurityGroupRules")), (1, 2));
}

#[tokio::test]
async fn a_scope_selects_exactly_its_own_tag() {
    let world = World::new().await;
    let here = region("eu-west-2");
    let site = world.site(world::ACCOUNT, "eu-west-2").await;
    let (star, shop) = (site.group("star").await, site.group("shop").await);
    site.tag(&star.id, "app", "typo3*").await;
    site.tag(&shop.id, "app", "typo3-shop").await;
    let ec2 = ec2(&world, &[]).await;
    let found = pages(&ec2, &here, Selection::Scope(&scope("app", "typo3*"))).await;
    assert_eq!(ids(&found), BTreeSet::from([star.id.as_str()]));
    assert_eq!(found[0][0].0.tags.as_ref().expect("tags")["app"], "typo3*");
    let found = pages(&ec2, &here, Selection::Scope(&scope("app", "typo3-shop"))).await;
    assert_eq!(ids(&found), BTreeSet::from([shop.id.as_str()]));
    let before = count(&world, "DescribeSecurityGroupRules");
    let found = pages(&ec2, &here, Selection::Scope(&scope("app", "other"))).await;
    assert_eq!(ids(&found), BTreeSet::new());
    assert_eq!(
        count(&world, "DescribeSecurityGroupRules"),
        before,
        "without groups no rules are read"
    );

    site.untag(&shop.id, "app").await;
    let found = pages(&ec2, &here, Selection::Scope(&scope("app", "typo3-shop"))).await;
    assert_eq!(ids(&found), BTreeSet::new());
}

#[tokio::test]
async fn groups_that_name_a_list_are_found_by_direction() {
    let world = World::new().await;
    let list = world.prefix_list("office", &["203.0.113.0/24"]).await;
    let other = world.prefix_list("other", &["198.51.100.0/24"]).await;
    let (into, out_of, neither) =
        (world.group("in").await, world.group("out").await, world.group("neither").await);
    world.authorize(&into, world::Direction::Ingress, &[tcp(22, 22).from(&list)]).await;
    world.authorize(&out_of, world::Direction::Egress, &[tcp(443, 443).from(&list)]).await;
    world.authorize(&neither, world::Direction::Ingress, &[tcp(22, 22).from(&other)]).await;
    let ec2 = ec2(&world, &[]).await;
    for (direction, group) in [(Direction::Ingress, &into), (Direction::Egress, &out_of)] {
        let found =
            pages(&ec2, &home(), Selection::Naming(&list.parse().unwrap(), direction)).await;
        assert_eq!(ids(&found), BTreeSet::from([group.id.as_str()]), "{direction:?}");
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_an_error() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    world.tag(&group.id, "app", "unreadable").await;
    let ec2 = ec2(&world, &[]).await;
    let scope = scope("app", "unreadable");
    let which = Selection::Scope(&scope);
    let here = home();
    let first = async |token: Option<&str>| {
        Pages::new(&ec2, &here, which, token.map(str::to_owned)).next(true).await
    };
    let refused = first(Some("no token of EC2's")).await;
    assert!(matches!(refused, Err(Ec2Error::Refused { .. })), "{refused:?}");
    world.answer(|call| match call.action.as_str() {
        "DescribeSecurityGroupRules" => Answer::Error(403, "UnauthorizedOperation", "No."),
        _ => Answer::Moto,
    });
    let denied = first(None).await;
    assert!(matches!(denied, Err(Ec2Error::Denied { .. })), "{denied:?}");
    world.answer(|_| Answer::Error(503, "RequestLimitExceeded", "Request limit exceeded."));
    assert!(first(None).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn held_rules_cost_one_call() {
    let world = World::new().await;
    let here = region("eu-south-1");
    let site = world.site(world::ACCOUNT, "eu-south-1").await;
    let ec2 = ec2(&world, &[]).await;
    assert_eq!(ec2.held_rules(&here).await.expect("an answer"), []);
    assert_eq!(world.calls().len(), 1);

    let group = site.group("typo3-shop").await;
    let until = "2026-03-02T11:00:00Z";
    let tags = [("sg-audit:allow-until", until), ("sg-audit:reason", "vendor")];
    let held = [tcp(22, 22).from("198.51.100.7/32")];
    site.authorize_tagged(&group, world::Direction::Ingress, &held, &tags).await;
    site.authorize(&group, world::Direction::Ingress, &[tcp(80, 80).from("0.0.0.0/0")]).await;
    // The value of the tag is not judged here, not even an empty one.
    let other = [tcp(8080, 8080).from("198.51.100.8/32")];
    let tags = [("sg-audit:allow-until", "")];
    site.authorize_tagged(&group, world::Direction::Ingress, &other, &tags).await;
    let found = ec2.held_rules(&here).await.expect("an answer");
    let ports: BTreeSet<_> = found.iter().map(|(_, rule)| rule.from_port()).collect();
    assert_eq!(ports, BTreeSet::from([Some(22), Some(8080)]));
    assert!(found.iter().all(|(id, _)| *id == *group.id));
    let tagged = found.iter().find(|(_, rule)| rule.from_port() == Some(22)).expect("the rule");
    assert_eq!(tagged.1.tags()["sg-audit:allow-until"], until);
    assert_eq!(world.calls().len(), 2);
}
