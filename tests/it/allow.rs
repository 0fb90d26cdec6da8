//! `sg-audit allow`, with the real `aws` against moto.

use std::process::Output;

use crate::reverts::REVERT;
use crate::support::built;
use crate::support::sg_audit::{ran, sg_audit};
use crate::support::world::{Direction, Group, REGION, World};

const HOLD: &str =
    "--from 198.51.100.0/24 --port 22 --for 2h --reason 'it'\\''s $(the vendor), ticket 4711'";

/// Runs it for the group, in a shell that has `aws`.
fn allow(world: &World, group: &Group, more: &str) -> Output {
    let program = built::sg_audit().display();
    world.shell(&format!("'{program}' allow --group {} --region {REGION} {HOLD} {more}", group.id))
}

/// The ingress rules of the group, and the tags of each without the end, which is not the same twice.
async fn opened(world: &World, group: &Group) -> Vec<(String, (i32, i32), Vec<String>)> {
    let rules = world.rules(group).await.into_iter();
    let rules = rules.filter(|rule| rule.direction == Direction::Ingress);
    rules
        .map(|rule| {
            let tags = rule.tags.iter().map(|(key, value)| match key.as_str() {
                "sg-audit:allow-until" => key.clone(),
                _ => format!("{key}={value}"),
            });
            let mut tags: Vec<String> = tags.collect();
            tags.sort();
            (rule.peer.clone(), rule.ports, tags)
        })
        .collect()
}

fn the_hold() -> Vec<(String, (i32, i32), Vec<String>)> {
    let tags = ["sg-audit:allow-until", "sg-audit:reason=it's $(the vendor), ticket 4711"];
    vec![("198.51.100.0/24".to_owned(), (22, 22), tags.map(str::to_owned).to_vec())]
}

#[tokio::test]
async fn it_opens_the_rule_that_it_prints() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let applied = ran(&allow(&world, &group, "--apply"));
    assert_eq!(applied.status, 0, "{applied}");
    assert!(applied.err.starts_with("sg-audit: held until 2"), "{applied}");
    assert!(applied.out.contains("SecurityGroupRules"), "{applied}");
    assert_eq!(opened(&world, &group).await, the_hold());

    // What is there already, AWS refuses and says so.
    let again = ran(&allow(&world, &group, "--apply"));
    assert_eq!(again.status, 2, "{again}");
    assert!(again.err.contains("(InvalidPermission.Duplicate) when calling"), "{again}");
    assert!(again.err.contains("sg-audit: `aws` did not open it"), "{again}");
}

#[tokio::test]
async fn the_function_accepts_the_hold_for_as_long_as_its_settings_allow() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    assert_eq!(ran(&allow(&world, &group, "--apply")).status, 0);
    let rules = world.rules(&group).await;
    let opened = rules.iter().find(|rule| rule.direction == Direction::Ingress).expect("the rule");
    let event = world.authorized(&group, opened);
    let report = world.report(&mut world.function(&REVERT), &event);
    let remediation = &report["findings"][0]["remediation"];
    assert_eq!(remediation["outcome"], "held", "{report:#}");
    assert_eq!(remediation["hold"]["reason"], "it's $(the vendor), ticket 4711");
    assert_eq!(world.rules(&group).await, rules);

    // It was opened for two hours.
    let an_hour = [&REVERT[..], &[("HOLD_MAX_HOURS", "1")]].concat();
    let report = world.report(&mut world.function(&an_hour), &event);
    assert_eq!(report["findings"][0]["remediation"]["outcome"], "reverted", "{report:#}");
    assert_eq!(world.ingress(&group).await, [] as [&str; 0]);
}

#[tokio::test]
async fn the_printed_command_does_the_same() {
    let world = World::new().await;
    let group = world.group("typo3-shop").await;
    let printed = ran(&allow(&world, &group, ""));
    assert_eq!((printed.status, printed.out.lines().count()), (0, 1), "{printed}");
    assert_eq!(opened(&world, &group).await, []);
    assert!(world.shell(&printed.out).status.success(), "{printed}");
    assert_eq!(opened(&world, &group).await, the_hold());
}

#[test]
fn without_aws_nothing_is_opened() {
    let arguments = ["allow", "--group", "sg-0a1b2c3d4e5f67890", "--from", "198.51.100.0/24"];
    let rest = ["--port", "22", "--for", "2h", "--reason", "vendor", "--apply"];
    let missing = sg_audit(&[&arguments[..], &rest[..]].concat());
    assert_eq!((missing.out.as_str(), missing.status), ("", 2), "{missing}");
    assert!(missing.err.contains("install the AWS CLI"), "{missing}");
}
