//! Rules and baselines that name groups.

use serde_json::{Value, json};

use crate::reverts::REVERT;
use crate::support::baseline::Baseline;
use crate::support::endpoint::Answer;
use crate::support::permission::{all_traffic, protocol, tcp};
use crate::support::world::{ACCOUNT, Direction::Ingress, Group, MEMBER, World};

/// MySQL from the group itself, from another one, and from one in another account.
fn database(own: &Group, other: &Group, members: &Group) -> Baseline {
    let entry = format!(
        "{{ name: MySQL, protocol: tcp, ports: [3306], peers: [self, {}, {MEMBER}/{}] }}",
        other.id, members.id
    );
    Baseline::new(&own.id, &[entry], &[])
}

/// The settings under it: every ingress that is not the baseline's is reverted, if it may be.
fn under(baseline: &Baseline) -> [(&str, &str); 4] {
    [("BASELINE", baseline.path()), ("REMEDIATION", "revert-ingress"), REVERT[1], REVERT[2]]
}

fn details(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings").iter();
    findings.map(|it| it["remediation"]["detail"].as_str().expect("a detail")).collect()
}

#[tokio::test]
async fn groups_that_the_baseline_names_comply() {
    let world = World::new().await;
    let group = world.group("typo3-db").await;
    let (other, members) = (world.group("typo3-web").await, world.group("typo3-member").await);
    let baseline = database(&group, &other, &members);
    let rule =
        tcp(3306, 3306).from(&group.id).from(&other.id).from(&format!("{MEMBER}/{}", members.id));
    let event = world.authorize(&group, Ingress, &[rule]).await;
    let report = world.report(&mut world.function(&under(&baseline)), &event);
    assert_eq!(report["outcome"], "compliant", "{report:#}");
    assert_eq!(world.calls(), []);
}

#[tokio::test]
async fn the_sweep_says_the_same() {
    const HERE: &str = "il-central-1";
    let world = World::new().await;
    let site = world.site(ACCOUNT, HERE).await;
    let (group, other) = (site.group("typo3-db").await, site.group("typo3-web").await);
    let members = site.group("typo3-member").await;
    let baseline = database(&group, &other, &members);
    let rule = tcp(3306, 3306)
        .from(&group.id)
        .from(&other.id)
        .from(&format!("{MEMBER}/{}", members.id))
        .from(&format!("{MEMBER}/{}", other.id));
    site.authorize(&group, Ingress, &[rule]).await;
    site.tag(&group.id, "Application", "references").await;
    let scope = [under(&baseline)[0], ("SCOPE", "tag:Application=references")];
    let report = world.report(&mut world.function(&scope), &json!({"sweep": {"regions": [HERE]}}));
    let findings = report["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{report:#}");
    assert_eq!(findings[0]["rule"]["peer"], format!("{MEMBER}/{}", other.id));
}

#[tokio::test]
async fn another_group_is_reported_and_a_named_id_in_another_account_is_another_group() {
    let world = World::new().await;
    let group = world.group("typo3-db").await;
    let (other, members) = (world.group("typo3-web").await, world.group("typo3-member").await);
    let baseline = database(&group, &other, &members);
    let mut function = world.function(&under(&baseline));
    let stranger = world.group("stranger").await;
    for peer in [stranger.id.clone(), format!("{MEMBER}/{}", other.id), members.id.clone()] {
        let target = world.group("typo3-db").await;
        let event = world.authorize(&target, Ingress, &[tcp(3306, 3306).from(&peer)]).await;
        let before = world.rules(&target).await;
        let report = world.report(&mut function, &event);
        assert_eq!(report["findings"][0]["code"], "ingress-not-in-baseline", "{report:#}");
        assert_eq!(report["findings"][0]["severity"], "low");
        assert_eq!(report["findings"][0]["rule"]["peer"], peer);
        assert_eq!(report["findings"][0]["remediation"]["outcome"], "none");
        assert!(!details(&report)[0].contains("stale"), "{report:#}");
        assert_eq!(world.rules(&target).await, before);
    }
}

#[tokio::test]
async fn a_rule_that_names_a_group_which_is_gone_is_said_to_be_stale() {
    let world = World::new().await;
    let (group, gone) = (world.group("typo3-db").await, world.group("typo3-old").await);
    let event = world.authorize(&group, Ingress, &[tcp(3306, 3306).from(&gone.id)]).await;
    world.ec2.delete_security_group().group_id(&gone.id).send().await.expect("deleted");
    let mut function = world.function(&REVERT);
    let report = world.report(&mut function, &event);
    let stale = format!("The group {} is there no longer", gone.id);
    assert!(details(&report)[0].contains(&stale), "{report:#}");

    // Where that cannot be asked for, the finding is told without it.
    for (status, code) in [(403, "UnauthorizedOperation"), (503, "RequestLimitExceeded")] {
        let id = gone.id.clone();
        world.answer(move |call| match call.fields.values().any(|value| *value == id) {
            true if call.action == "DescribeSecurityGroups" => Answer::Error(status, code, "No."),
            _ => Answer::Moto,
        });
        let report = world.report(&mut function, &event);
        assert_eq!(report["findings"][0]["code"], "ingress-not-in-baseline", "{report:#}");
        assert!(!details(&report)[0].contains("no longer"), "{report:#}");
    }
}

#[tokio::test]
async fn ssh_or_everything_from_an_unnamed_accounts_group_is_medium() {
    let world = World::new().await;
    let (balancer, stranger) = (world.group("balancer").await, world.group("stranger").await);
    let there = format!("{MEMBER}/{}", stranger.id);
    let named = format!("{{ name: Bastion, protocol: tcp, ports: [22], peers: [\"{there}\"] }}");
    let baseline = Baseline::new("named-account", &[named], &[]);
    let (mut function, mut naming) = (world.function(&REVERT), world.function(&under(&baseline)));
    let web = tcp(443, 443).from(&balancer.id).from(&there);
    for (rule, severity, when_named) in [
        (tcp(22, 22).from(&there), Some("medium"), None),
        (all_traffic().from(&there), Some("medium"), Some("low")),
        // In a range, and by the number of the protocol.
        (tcp(0, 65535).from(&there), Some("medium"), Some("low")),
        (protocol("6", Some((20, 25))).from(&there), Some("medium"), Some("low")),
        (tcp(22, 22).from(&balancer.id), Some("low"), Some("low")),
        (tcp(8443, 8443).from(&there), Some("low"), Some("low")),
        (web, None, None),
    ] {
        let group = world.group("typo3-shop").await;
        let event = world.authorize(&group, Ingress, std::slice::from_ref(&rule)).await;
        for (function, expected) in [(&mut function, severity), (&mut naming, when_named)] {
            let report = world.report(function, &event);
            let found = report["findings"].get(0).map(|it| it["severity"].as_str().expect("one"));
            assert_eq!(found, expected, "{rule:?}: {report:#}");
        }
    }
    // Whether the group is still there decides nothing, and where nobody may look it is as bad.
    world.answer(|call| match call.action == "DescribeSecurityGroups" {
        true if call.fields.values().any(|it| it.contains("stranger")) => {
            Answer::Error(403, "UnauthorizedOperation", "No.")
        }
        _ => Answer::Moto,
    });
    let group = world.group("typo3-shop").await;
    let event = world.authorize(&group, Ingress, &[tcp(22, 22).from(&there)]).await;
    let report = world.report(&mut function, &event);
    assert_eq!(report["findings"][0]["severity"], "medium", "{report:#}");
}
