//! Prefix lists, and how they are cached.

use std::collections::BTreeSet;

use ipnet::IpNet;
use typo3_sg_auditor::aws::AwsEc2;
use typo3_sg_auditor::ec2::{Ec2Error, ListState, PrefixList, SecurityGroups};

use super::{count, ec2, home};
use crate::support::endpoint::Answer;
use crate::support::world::World;

const DESCRIBE: &str = "DescribeManagedPrefixLists";
const ENTRIES: &str = "GetManagedPrefixListEntries";

fn entries(list: &PrefixList) -> BTreeSet<String> {
    list.entries.iter().map(IpNet::to_string).collect()
}

async fn read(ec2: &AwsEc2, list: &str) -> Result<PrefixList, Ec2Error> {
    ec2.prefix_list(&home(), &list.parse().unwrap()).await
}

fn texts(cidrs: &[&str]) -> BTreeSet<String> {
    cidrs.iter().map(|cidr| (*cidr).to_owned()).collect()
}

#[tokio::test]
async fn a_list_is_read_once_for_each_version() {
    let world = World::new().await;
    let list = world.prefix_list("office", &["203.0.113.0/24"]).await;
    let ec2 = ec2(&world, &[]).await;
    let first = read(&ec2, &list).await.expect("the list");
    assert_eq!(entries(&first), texts(&["203.0.113.0/24"]));
    assert_eq!(first.state, ListState::Settled);
    let again = read(&ec2, &list).await.expect("the list");
    assert_eq!(again, first);
    assert_eq!((count(&world, DESCRIBE), count(&world, ENTRIES)), (2, 1));

    world.change_list(&list, &["198.51.100.0/24"], &["203.0.113.0/24"]).await;
    let newer = read(&ec2, &list).await.expect("the list");
    assert!(newer.version > first.version, "{newer:?}");
    assert_eq!(entries(&newer), texts(&["198.51.100.0/24"]));
    assert_eq!((count(&world, DESCRIBE), count(&world, ENTRIES)), (3, 2));
    // The version that was announced is asked for, even if there is a newer one by then.
    let calls = world.calls();
    let asked: Vec<&str> = calls
        .iter()
        .filter(|call| call.action == ENTRIES)
        .map(|call| call.fields["TargetVersion"].as_str())
        .collect();
    let versions = [first, newer].map(|list| list.version.expect("a version").to_string());
    assert_eq!(asked, versions);
}

#[tokio::test]
async fn a_list_that_is_being_modified_has_its_old_entries() {
    let world = World::new().await;
    let list = world.prefix_list("office", &["203.0.113.0/24"]).await;
    let ec2 = ec2(&world, &[]).await;
    world.tag(&list, "slow", "").await;
    world.change_list(&list, &["198.51.100.0/24"], &[]).await;
    let during = read(&ec2, &list).await.expect("the list");
    assert_eq!(during.state, ListState::Changing);
    assert_eq!(entries(&during), texts(&["203.0.113.0/24"]));
    let after = read(&ec2, &list).await.expect("the list");
    assert_eq!(after.state, ListState::Settled);
    assert!(after.version > during.version, "{after:?}");
    assert_eq!(entries(&after), texts(&["198.51.100.0/24", "203.0.113.0/24"]));
}

#[tokio::test]
async fn a_long_list_of_ipv6_is_read_to_its_end() {
    let world = World::new().await;
    let cidrs: Vec<String> = (1..=250).map(|n| format!("2001:db8:{n:x}::/48")).collect();
    let cidrs: Vec<&str> = cidrs.iter().map(String::as_str).collect();
    let list = world.prefix_list("offices", &cidrs).await;
    let ec2 = ec2(&world, &[]).await;
    let all = read(&ec2, &list).await.expect("the list");
    assert_eq!(entries(&all), texts(&cidrs));
    assert_eq!(count(&world, ENTRIES), 3);
}

#[tokio::test]
async fn a_list_of_aws_has_no_version_and_is_not_cached() {
    let world = World::new().await;
    let list = world.aws_list("com.amazonaws.global.cloudfront.origin-facing").await;
    let ec2 = ec2(&world, &[]).await;
    for reads in 1..=2 {
        let list = read(&ec2, &list).await.expect("the list");
        assert_eq!(list.version, None);
        assert!(list.entries.len() > 1);
        assert_eq!(count(&world, ENTRIES), reads);
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_an_error() {
    let world = World::new().await;
    let list = world.prefix_list("office", &["203.0.113.0/24"]).await;
    let ec2 = ec2(&world, &[]).await;
    let gone = read(&ec2, "pl-0123456789abcdef0").await;
    assert!(matches!(gone, Err(Ec2Error::NotFound { .. })), "{gone:?}");
    for action in [DESCRIBE, ENTRIES] {
        for (status, code, passing) in
            [(403, "UnauthorizedOperation", false), (503, "RequestLimitExceeded", true)]
        {
            world.answer(move |call| {
                if call.action == action {
                    Answer::Error(status, code, "No.")
                } else {
                    Answer::Moto
                }
            });
            let error = read(&ec2, &list).await.expect_err(action);
            assert_eq!(error.is_transient(), passing, "{error}");
            assert_eq!(matches!(error, Ec2Error::Denied { .. }), !passing, "{error}");
        }
    }
    // The failure was not cached.
    world.answer(|_| Answer::Moto);
    assert!(read(&ec2, &list).await.is_ok());
}
