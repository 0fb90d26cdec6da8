//! Groups are audited as they are: several findings, messages that are split or handed on.

use std::cell::Cell;

use serde_json::json;

use super::Scenes;
use crate::audit::Trail;
use crate::ec2::{Ec2Error, cause};
use crate::event::trail::Records;
use crate::report::tests::events::{ACCOUNT, GROUP, REGION, sample, sweep};
use crate::report::tests::scene::{Scene, denied, remove};

const OPEN: &str = "tcp 22 0.0.0.0/0 sgr-04f0ba190d9a9551b # temp";
const DATABASE: &str = "tcp 3306 0.0.0.0/0 sgr-0f9e8d7c6b5a49382";

fn sweeping() -> Scene {
    Scene::reverting().with("SWEEP_REMEDIATION", "revert-ssh")
}

/// As many groups with one database each.
fn databases(scene: Scene, groups: u32) -> Scene {
    (0..groups).fold(scene, |scene, n| {
        scene.group(&format!("sg-{n:017}"), &format!("typo3-{n}"), &[DATABASE])
    })
}

/// A trail of all regions, which another one is home to.
fn trail(name: &str, logs: bool, records: Records) -> Trail {
    Trail {
        arn: format!("arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/{name}"),
        home: "eu-west-1".parse().unwrap(),
        is_of_all_regions: true,
        seen: Ok((logs, records)),
    }
}

pub(super) fn all() -> Scenes {
    let exempting_a_list = format!(
        "version: 1\nname: our-site\ningress: []\n\
         egress:\n- {{ name: All, protocol: all, peers: [anywhere] }}\n\
         exemptions:\n- {{ group: {GROUP}, direction: ingress, protocol: tcp, ports: [22], \
         peers: [pl-0123456789abcdef0], reason: ticket 4711, until: 2026-04-30 }}\n"
    );
    vec![
        (
            "from-a-group-without-peering",
            Scene::new()
                .and_rule("tcp 22 210987654321/sg-0fedcba9876543210 unpeered")
                .run(&sweep()),
        ),
        ("sweep-only-reported", Scene::new().and_rule(OPEN).run(&sweep())),
        ("sweep-handed-on", sweeping().and_rule(OPEN).and_rule(DATABASE).run(&sweep())),
        (
            "sweep-handed-on-several",
            sweeping()
                .and_rule(OPEN)
                .and_rule("tcp 22 ::/0 sgr-04f0ba190d9a9551c")
                .and_rule(DATABASE)
                .run(&sweep()),
        ),
        ("sweep-not-handed-on", sweeping().and_rule(OPEN).with_lambda_down().run(&sweep())),
        (
            "sweep-gone-before",
            sweeping()
                .and_rule(OPEN)
                .before({
                    // The rule is gone, whoever removed it, when its own invocation reads the group.
                    let happened = Cell::new(false);
                    move |call, ec2| {
                        if call == "group" && !happened.replace(true) {
                            remove(ec2, OPEN);
                        }
                        None
                    }
                })
                .run(&sweep()),
        ),
        (
            "sweep-gone-before-and-perhaps-exempt",
            sweeping()
                .with_baseline(&exempting_a_list)
                .with_rules(&[OPEN])
                .with_list("pl-0123456789abcdef0", &["203.0.113.0/24"])
                .before({
                    let closes = Cell::new(false);
                    move |call, ec2| {
                        if call == "group" && !closes.replace(true) {
                            remove(ec2, OPEN);
                        }
                        let is_denied = closes.get() && call == "prefix_list";
                        is_denied.then(|| denied("GetManagedPrefixListEntries"))
                    }
                })
                .run(&sweep()),
        ),
        (
            "sweep-group-unreadable-later",
            sweeping()
                .and_rule(OPEN)
                .failing("rules", denied("DescribeSecurityGroupRules"))
                .run(&sweep()),
        ),
        ("sweep-documented-baseline", Scene::new().with("BASELINE", "as-documented").run(&sweep())),
        ("sweep-of-many-groups", databases(Scene::new().and_rule(OPEN), 29).run(&sweep())),
        (
            "sweep-of-many-groups-in-time",
            databases(Scene::new(), 4).with_groups_a_page(3).with_seconds_left(10).run(&sweep()),
        ),
        (
            "sweep-of-two-accounts",
            Scene::new()
                .without_groups()
                .group(GROUP, "default", &[OPEN])
                .group_at((ACCOUNT, "eu-west-1"), "sg-0fedcba9876543210", None, &[DATABASE])
                .group_at(
                    (ACCOUNT, "eu-west-1"),
                    "sg-0fedcba9876543211",
                    Some("default"),
                    &[DATABASE],
                )
                .group_at((ACCOUNT, REGION), "sg-0fedcba9876543212", None, &[DATABASE])
                .group_at(
                    (ACCOUNT, REGION),
                    "sg-0fedcba9876543213",
                    Some("a`b \u{202e}\n(x)"),
                    &[DATABASE],
                )
                .run(&json!({"sweep": {"regions": [REGION, "eu-west-1"]}})),
        ),
        ("no-trail", Scene::new().with_trails(Ok(Vec::new())).run(&sweep())),
        (
            "no-trail-and-open",
            Scene::new().and_rule(OPEN).with_trails(Ok(Vec::new())).run(&sweep()),
        ),
        (
            "trail-stopped",
            Scene::new().with_trails(Ok(vec![trail("audit", false, Records::All)])).run(&sweep()),
        ),
        (
            "trails-unfit",
            Scene::new()
                .with_trails(Ok(vec![
                    trail("objects", true, Records::None),
                    trail("old", false, Records::None),
                ]))
                .run(&sweep()),
        ),
        (
            "trail-denied",
            Scene::new().with_trails(Err(denied("cloudtrail:DescribeTrails"))).run(&sweep()),
        ),
        (
            "trail-not-seen",
            Scene::new()
                .with_trails(Err(Ec2Error::Passing {
                    action: "cloudtrail:DescribeTrails",
                    cause: cause("the connection was reset"),
                }))
                .run(&sweep()),
        ),
        (
            "created",
            Scene::new()
                .with("BASELINE", "restricted-egress")
                .without_groups()
                .run(&sample("create-group")),
        ),
    ]
}
