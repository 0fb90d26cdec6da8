//! Rules that name prefix lists: the entries decide, and a list that changes changes every group that names it.

use serde_json::Value;

use crate::reverts::{REVERT, finding, undo_all};
use crate::support::endpoint::Answer;
use crate::support::event;
use crate::support::permission::tcp;
use crate::support::world::Direction::{Egress, Ingress};
use crate::support::world::{Group, World};

const DESCRIBE: &str = "DescribeManagedPrefixLists";
const ENTRIES: &str = "GetManagedPrefixListEntries";

/// A group with SSH from the list, and the event of that.
async fn ssh_from(world: &World, list: &str) -> (Group, Value) {
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from(list)]).await;
    (group, event)
}

fn texts(report: &Value, pointer: &str) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings");
    let text =
        |finding: &Value| finding.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    findings.iter().map(|finding| text(finding).unwrap_or_default()).collect()
}

#[tokio::test]
async fn a_list_of_addresses_that_are_ssh_sources_complies() {
    let world = World::new().await;
    for cidrs in [["203.0.113.64/26", "203.0.113.7/32"], ["2001:db8:1:5::/64", "2001:db8:1::7/128"]]
    {
        let list = world.prefix_list("desks", &cidrs).await;
        let (group, event) = ssh_from(&world, &list).await;
        let report = world.report(&mut world.function(&REVERT), &event);
        assert_eq!(report["outcome"], "compliant", "{report:#}");
        assert_eq!(world.ingress(&group).await.len(), 1);
    }
    assert_eq!(world.messages().await, []);
}

#[tokio::test]
async fn a_list_with_more_than_that_is_open_ssh_and_what_complies_of_it_stays() {
    let world = World::new().await;
    for (cidrs, excess, office) in [
        (["203.0.113.0/25", "198.51.100.0/24"], "198.51.100.0/24", "203.0.113.0/25"),
        // The Internet in halves, in the place where nobody looks for it.
        (["2001:db8:1:5::/64", "8000::/1"], "8000::/1", "2001:db8:1:5::/64"),
    ] {
        let list = world.prefix_list("vendors", &cidrs).await;
        let (group, event) = ssh_from(&world, &list).await;
        let opened = world.ingress(&group).await;
        let report = world.report(&mut world.function(&REVERT), &event);
        assert_eq!(texts(&report, "/code"), ["open-ssh"], "{report:#}");
        assert_eq!(report["findings"][0]["rule"]["peer"], list);
        assert_eq!(report["findings"][0]["excess"][0]["peers"], serde_json::json!([excess]));
        assert_eq!(texts(&report, "/remediation/outcome"), ["narrowed"], "{report:#}");
        let after = world.ingress(&group).await;
        assert_eq!(after.len(), 1, "{after:?}");
        assert!(after[0].starts_with(&format!("ingress tcp 22-22 {office} ")), "{after:?}");
        let [message] = world.messages().await.try_into().expect("one message");
        undo_all(&world, &message);
        assert_eq!(world.ingress_unheld(&group).await, opened);
    }
}

#[tokio::test]
async fn a_list_of_aws_own_complies_on_the_web_and_not_on_ssh() {
    let world = World::new().await;
    let list = world.aws_list("com.amazonaws.global.cloudfront.origin-facing").await;
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(443, 443).from(&list)]).await;
    let mut function = world.function(&REVERT);
    assert_eq!(world.report(&mut function, &event)["outcome"], "compliant");
    assert_eq!(world.calls(), [], "whoever it is, they are part of anywhere");

    let (group, event) = ssh_from(&world, &list).await;
    let report = world.report(&mut function, &event);
    assert_eq!(texts(&report, "/code"), ["open-ssh"], "{report:#}");
    assert_eq!(texts(&report, "/remediation/outcome"), ["reverted"], "{report:#}");
    assert_eq!(world.ingress(&group).await, [] as [&str; 0]);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_reported_and_never_reverted() {
    let world = World::new().await;
    let list = world.prefix_list("vendors", &["0.0.0.0/1", "128.0.0.0/1"]).await;
    let mut function = world.function(&REVERT);
    for action in [DESCRIBE, ENTRIES] {
        let (group, event) = ssh_from(&world, &list).await;
        world.answer(move |call| match call.action == action {
            true => Answer::Error(403, "UnauthorizedOperation", "You are not authorized."),
            false => Answer::Moto,
        });
        let before = world.rules(&group).await;
        let report = world.report(&mut function, &event);
        assert_eq!(texts(&report, "/code"), ["unresolved-peer"], "{report:#}");
        assert_eq!(report["findings"][0]["severity"], "high");
        assert_eq!(texts(&report, "/remediation/outcome"), ["none"]);
        assert_eq!(world.rules(&group).await, before);
    }
    // Nobody knows whom one lets in that is no more, or another account's: it is closed.
    world.answer(|_| Answer::Moto);
    let (group, event) = ssh_from(&world, "pl-0123456789abcdef0").await;
    let report = world.report(&mut function, &event);
    assert_eq!(texts(&report, "/code"), ["unresolved-peer"]);
    assert_eq!(texts(&report, "/remediation/outcome"), ["reverted"]);
    assert_eq!(world.ingress(&group).await.len(), 0);
    assert_eq!(world.messages().await.len(), 3);
}

#[tokio::test]
async fn a_list_that_is_throttled_is_looked_up_again() {
    let world = World::new().await;
    let list = world.prefix_list("desks", &["203.0.113.64/26"]).await;
    let (_, event) = ssh_from(&world, &list).await;
    let mut function = world.function(&REVERT);
    world.answer(|call| match call.action == ENTRIES {
        true => Answer::Error(503, "RequestLimitExceeded", "Request limit exceeded."),
        false => Answer::Moto,
    });
    assert_eq!(function.invoke(&event).error_type(), Some("Ec2Unavailable"));
    assert_eq!(world.messages().await, []);
    world.answer(|_| Answer::Moto);
    assert_eq!(world.report(&mut function, &event)["outcome"], "compliant");
}

/// Every ingress that is not the baseline's is reverted, if it may be.
const ALL_INGRESS: [(&str, &str); 3] = [("REMEDIATION", "revert-ingress"), REVERT[1], REVERT[2]];

#[tokio::test]
async fn a_change_of_a_list_is_told_of_every_group_that_names_it() {
    let world = World::new().await;
    let list = world.prefix_list("desks", &["203.0.113.64/26"]).await;
    let other = world.prefix_list("other", &["198.51.100.0/24"]).await;
    let (one, _) = ssh_from(&world, &list).await;
    let (two, _) = ssh_from(&world, &list).await;
    let out = world.group("typo3-out").await;
    world.authorize(&out, Egress, &[tcp(443, 443).from(&list)]).await;
    ssh_from(&world, &other).await;
    let event = world.change_list(&list, &["198.51.100.0/24"], &[]).await;
    let report = world.completed(&mut world.function(&ALL_INGRESS), &event);
    assert_eq!(report["groups_audited"], 3, "{report:#}");
    let mut groups = texts(&report, "/group/id");
    groups.sort();
    let mut expected = [one.id.clone(), two.id.clone()];
    expected.sort();
    assert_eq!(groups, expected);
    assert_eq!(texts(&report, "/code"), ["open-ssh", "open-ssh"]);
    assert_eq!(texts(&report, "/remediation/outcome"), ["narrowed", "narrowed"]);
    for detail in texts(&report, "/remediation/detail") {
        assert!(detail.contains(&format!("The change was one of the list {list}")), "{detail}");
    }
    for group in [&one, &two] {
        let [kept] = &world.ingress(group).await[..] else { panic!("one rule") };
        assert!(kept.starts_with("ingress tcp 22-22 203.0.113.64/26 "), "{kept}");
    }
    let [message] = world.messages().await.try_into().expect("one message for all groups");
    assert_eq!(finding(&message, 0)["change"]["event_name"], "ModifyManagedPrefixList");
    assert_eq!(message.attributes.get("group_id"), None);
}

#[tokio::test]
async fn a_list_change_that_opens_nothing_publishes_nothing() {
    let world = World::new().await;
    let list = world.prefix_list("desks", &["203.0.113.64/26"]).await;
    let mut function = world.function(&ALL_INGRESS);
    let event = world.change_list(&list, &["203.0.113.7/32"], &[]).await;
    let report = world.report(&mut function, &event);
    assert_eq!((&report["outcome"], &report["groups_audited"]), (&"compliant".into(), &0.into()));
    ssh_from(&world, &list).await;
    let event = world.change_list(&list, &["203.0.113.8/32"], &[]).await;
    let report = world.report(&mut function, &event);
    assert_eq!((&report["outcome"], &report["groups_audited"]), (&"compliant".into(), &1.into()));
    assert_eq!(world.messages().await, []);
}

#[tokio::test]
async fn a_list_that_is_narrowed_and_restored_is_told_of_when_it_is_restored() {
    let world = World::new().await;
    let list = world.prefix_list("desks", &["203.0.113.64/26", "0.0.0.0/1"]).await;
    let wide = world.version(&list).await;
    world.change_list(&list, &[], &["0.0.0.0/1"]).await;
    let narrow = world.version(&list).await;
    let (group, event) = ssh_from(&world, &list).await;
    let mut function = world.function(&ALL_INGRESS);
    assert_eq!(world.report(&mut function, &event)["outcome"], "compliant");
    // moto has no restore, which makes another version with the entries of the former.
    world.change_list(&list, &["0.0.0.0/1"], &[]).await;
    let report = world.completed(&mut function, &event::of_list_restore(&list, narrow, wide));
    assert_eq!(texts(&report, "/code"), ["open-ssh"], "{report:#}");
    assert_eq!(texts(&report, "/group/id"), [group.id]);
    let detail = &texts(&report, "/remediation/detail")[0];
    assert!(detail.contains(&format!("The change was one of the list {list}")), "{detail}");
}

#[tokio::test]
async fn a_list_that_is_still_being_modified_is_audited_once_it_is_not() {
    let world = World::new().await;
    let list = world.prefix_list("desks", &["203.0.113.64/26"]).await;
    ssh_from(&world, &list).await;
    world.tag(&list, "slow", "").await;
    let event = world.change_list(&list, &["0.0.0.0/1"], &[]).await;
    let mut function = world.function(&ALL_INGRESS);
    let answer = function.invoke(&event);
    assert_eq!(answer.error_type(), Some("ListNotReady"), "{:#}", answer.body);
    assert_eq!(world.messages().await, []);
    let report = world.completed(&mut function, &event);
    assert_eq!(texts(&report, "/code"), ["open-ssh"], "{report:#}");

    // An event that comes before EC2 tells of its version.
    let early = event::of_list_change(&list, world.version(&list).await, &["128.0.0.0/1"], &[]);
    assert_eq!(function.invoke(&early).error_type(), Some("ListNotReady"));
}

#[tokio::test]
async fn a_change_of_a_list_whose_groups_cannot_be_read_is_unaudited() {
    let world = World::new().await;
    let list = world.prefix_list("desks", &["203.0.113.64/26"]).await;
    let (_, opening) = ssh_from(&world, &list).await;
    let event = world.change_list(&list, &["0.0.0.0/1"], &[]).await;
    let mut function = world.function(&ALL_INGRESS);
    world.answer(|call| match call.action.as_str() {
        "DescribeSecurityGroups" => Answer::Error(403, "UnauthorizedOperation", "No."),
        _ => Answer::Moto,
    });
    let report = world.report(&mut function, &event);
    assert_eq!(texts(&report, "/code"), ["unaudited-change"], "{report:#}");
    assert!(texts(&report, "/title")[0].contains(&list), "{report:#}");
    // A list that cannot be read: the groups that name it are not compliant by that.
    world.answer(|call| match call.action == ENTRIES {
        true => Answer::Error(403, "UnauthorizedOperation", "No."),
        false => Answer::Moto,
    });
    let mut function = world.function(&ALL_INGRESS);
    for event in [&event, &opening] {
        let report = world.report(&mut function, event);
        assert_eq!(texts(&report, "/code"), ["unresolved-peer"], "{report:#}");
    }
}

#[tokio::test]
async fn a_wide_list_is_not_made_harmless_by_naming_it_as_an_ssh_source() {
    let world = World::new().await;
    let list = world.prefix_list("everybody", &["203.0.113.0/24"]).await;
    let sources = [("SSH_SOURCES", list.as_str()), REVERT[0], REVERT[2]];
    let mut function = world.function(&sources);
    let (group, event) = ssh_from(&world, &list).await;
    let report = world.report(&mut function, &event);
    assert_eq!(report["outcome"], "compliant", "{report:#}");

    let change = world.change_list(&list, &["0.0.0.0/1", "128.0.0.0/1"], &[]).await;
    let report = world.report(&mut function, &change);
    let called_out: Vec<String> = texts(&report, "/code");
    assert!(called_out.contains(&"open-ssh-in-baseline".to_owned()), "{report:#}");
    assert_eq!(report["findings"][0]["severity"], "high");
    assert_eq!(report["outcome"], "noncompliant");
    // And a rule that names it from then on, by the name or by an address that only the list admits.
    let group_of = world.report(&mut function, &event);
    assert_eq!(texts(&group_of, "/code"), ["open-ssh-in-baseline"], "{group_of:#}");
    assert_eq!(world.ingress(&group).await.len(), 1, "the baseline admits it");
    let other = world.group("typo3-other").await;
    let halves = tcp(22, 22).from("0.0.0.0/1").from("128.0.0.0/1");
    let event = world.authorize(&other, Ingress, &[halves]).await;
    let report = world.report(&mut function, &event);
    assert_eq!(texts(&report, "/code"), ["open-ssh-in-baseline", "open-ssh-in-baseline"]);

    // Who cannot read the list cannot tell.
    world.answer(|call| match call.action == ENTRIES || call.action == DESCRIBE {
        true => Answer::Error(403, "UnauthorizedOperation", "No."),
        false => Answer::Moto,
    });
    let (_, event) = ssh_from(&world, &list).await;
    let report = world.report(&mut function, &event);
    assert_eq!(texts(&report, "/code"), ["unresolved-peer"], "{report:#}");
}

#[tokio::test]
async fn entries_that_are_removed_close_the_website_and_a_line_puts_them_back() {
    let world = World::new().await;
    let mut function = world.function(&REVERT);
    let visitors = ["198.51.100.0/24", "192.0.2.0/24"];
    let list = world.prefix_list("visitors", &visitors).await;
    let group = world.group("typo3-shop").await;
    world.authorize(&group, Ingress, &[tcp(443, 443).from(&list)]).await;
    // Some can still come, and some could before.
    let event = world.change_list(&list, &[], &visitors[..1]).await;
    assert_eq!(world.report(&mut function, &event)["findings"], serde_json::json!([]));
    let event = world.change_list(&list, &[], &visitors[1..]).await;
    let report = world.report(&mut function, &event);
    assert_eq!(texts(&report, "/code"), ["expected-traffic-closed"], "{report:#}");
    assert_eq!(texts(&report, "/severity"), ["high"]);
    assert_eq!(texts(&report, "/title"), ["HTTPS on typo3-shop is closed"]);
    assert_eq!(texts(&report, "/rule/peer"), [list.as_str()]);
    let undo = report["findings"][0]["remediation"]["undo"].as_str().expect("an undo").to_owned();
    // Where the list cannot be read, it may have other entries.
    world.answer(|call| match call.action == ENTRIES {
        true => Answer::Error(403, "UnauthorizedOperation", "No."),
        false => Answer::Moto,
    });
    let report = world.report(&mut world.function(&REVERT), &event);
    assert!(!texts(&report, "/severity").contains(&"high".to_owned()), "{report:#}");
    world.answer(|_| Answer::Moto);
    assert!(world.shell(&undo).status.success(), "{undo}");
    let entries = world.ec2.get_managed_prefix_list_entries().prefix_list_id(&list).send().await;
    assert_eq!(entries.expect("entries").entries().len(), 1);

    // Emptied by a restore, no event says of what: it is told, with less certainty.
    let other = world.prefix_list("others", &["203.0.113.9/32"]).await;
    let group = world.group("typo3-shop").await;
    world.authorize(&group, Ingress, &[tcp(443, 443).from(&other)]).await;
    world.change_list(&other, &[], &["203.0.113.9/32"]).await;
    let version = world.version(&other).await;
    let event = event::of_list_restore(&other, version - 1, 1);
    let report = world.report(&mut function, &event);
    assert_eq!(texts(&report, "/severity"), ["low"], "{report:#}");
    // Another rule that lets everybody in, and nothing is closed.
    world.authorize(&group, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await;
    assert_eq!(world.report(&mut function, &event)["findings"], serde_json::json!([]));
}
