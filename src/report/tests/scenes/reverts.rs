//! A rule is to be closed: what becomes of it, whatever EC2 answers.

use std::cell::Cell;

use super::Scenes;
use crate::report::tests::events::{GROUP, authorizing, sample};
use crate::report::tests::scene::{Scene, denied, passing, refused, remove, rule};

const SSH: &str = "tcp 22 0.0.0.0/0";
/// An older rule that the event does not name.
const OLD: &str = "tcp 22 ::/0 sgr-0f9e8d7c6b5a49382 # migration";

/// Forty-one addresses, which have to be rules of their own, may use these ports.
fn too_many_peers(ports: &str) -> String {
    let peers: Vec<String> = (0..41).map(|n| format!("203.0.113.{}/32", 2 * n)).collect();
    format!(
        "version: 1\nname: our-site\ningress:\n\
         - {{ name: HTTP, protocol: tcp, ports: [80], peers: [anywhere], expected: true }}\n\
         - {{ name: HTTPS, protocol: tcp, ports: [443], peers: [anywhere], expected: true }}\n\
         - {{ name: Partners, protocol: tcp, ports: [{ports}], peers: [{}] }}\n\
         egress:\n- {{ name: All, protocol: all, peers: [anywhere] }}\n",
        peers.join(", ")
    )
}

pub(super) fn all() -> Scenes {
    let open_ssh = sample("authorize-open-ssh");
    let web_and_ssh = authorizing(&["tcp 22-80 0.0.0.0/0"]);
    let without_sources = || Scene::reverting().with("SSH_SOURCES", "none");
    let from_group = || {
        Scene::reverting().with("SSH_SOURCES", "sg-0123456789abcdef0,203.0.113.0/24").before(
            |call, _| {
                let code = "InvalidGroup.NotFound";
                let error = refused("AuthorizeSecurityGroupIngress", code, "no such group");
                call.starts_with("authorize tcp 22 from sg-").then_some(error)
            },
        )
    };
    let removed_before_the_revoke = |scene: Scene| {
        let happened = Cell::new(false);
        scene.before(move |call, ec2| {
            if call.starts_with("revoke") && !happened.replace(true) {
                remove(ec2, SSH);
            }
            None
        })
    };
    vec![
        ("closed", without_sources().run(&open_ssh)),
        ("narrowed", Scene::reverting().run(&authorizing(&["tcp 22 0.0.0.0/0 # temp"]))),
        (
            "narrowed-without-a-hold-in-the-undo",
            Scene::reverting().with("HOLD_MAX_HOURS", "0").run(&open_ssh),
        ),
        (
            "narrowed-to-web-and-office",
            Scene::reverting().with_rules(&[]).run(&sample("authorize-all-tcp-ports")),
        ),
        (
            "narrowed-connections-live-on",
            Scene::reverting().with_rules(&["out tcp 443 0.0.0.0/0"]).run(&open_ssh),
        ),
        (
            "closed-whole",
            Scene::reverting().with("REVERT_KEEPS", "nothing").run(&sample("authorize-port-range")),
        ),
        (
            "revert-ingress",
            Scene::reverting()
                .with("REMEDIATION", "revert-ingress")
                .run(&authorizing(&["tcp 3306 0.0.0.0/0", "tcp 3306 10.0.0.0/8"])),
        ),
        ("both-families", Scene::reverting().with("SSH_SOURCES", "203.0.113.0/24,2001:db8:1::/48")
            .run(&authorizing(&["tcp 22 0.0.0.0/0", "tcp 22 ::/0"]))),
        (
            "revoke-denied",
            Scene::reverting()
                .failing("revoke", denied("RevokeSecurityGroupIngress"))
                .run(&open_ssh),
        ),
        (
            "revoke-denied-for-one-of-three",
            Scene::reverting()
                .failing("revoke tcp 22 from 198.51", denied("RevokeSecurityGroupIngress"))
                .run(&authorizing(&[
                    "tcp 22 0.0.0.0/0",
                    "tcp 22 198.51.100.0/24",
                    "tcp 22 192.0.2.0/24",
                ])),
        ),
        ("lost-answer", Scene::reverting().losing_answers().run(&open_ssh)),
        (
            "throttled",
            Scene::reverting()
                .failing("revoke", passing("RevokeSecurityGroupIngress"))
                .run(&open_ssh),
        ),
        (
            "full-group-left-open",
            Scene::reverting()
                .with("REMEDIATION", "revert-ingress")
                .with_rules(&["tcp 443 0.0.0.0/0"])
                .with_rule_limit(2)
                .run(&authorizing(&["tcp 80-90 0.0.0.0/0"])),
        ),
        (
            "closed-too-far-full-group",
            Scene::reverting()
                .with_rules(&["tcp 443 0.0.0.0/0", "out -1 * 0.0.0.0/0"])
                .with_rule_limit(2)
                .run(&web_and_ssh),
        ),
        (
            "depends-on-another-rule",
            without_sources()
                .with_rules(&["tcp 80-90 0.0.0.0/0 sgr-0f9e8d7c6b5a49385", "tcp 443 0.0.0.0/0"])
                .with_rule_limit(2)
                .run(&web_and_ssh),
        ),
        (
            "still-open-through-one-that-could-not-be-closed",
            Scene::reverting()
                .failing("revoke tcp 22 from 198.51", denied("RevokeSecurityGroupIngress"))
                .and_rule(OLD)
                .run(&authorizing(&["tcp 22 0.0.0.0/0", "tcp 22 198.51.100.0/24"])),
        ),
        (
            "closed-too-far-piece-refused",
            Scene::reverting()
                .failing(
                    "authorize tcp 22 from 203",
                    refused(
                        "AuthorizeSecurityGroupIngress",
                        "InvalidParameterValue",
                        "CIDR block 203.0.113.0/24 is malformed",
                    ),
                )
                .run(&open_ssh),
        ),
        ("narrowed-without-a-source", from_group().run(&open_ssh)),
        ("already-gone", Scene::reverting().undone().run(&open_ssh)),
        ("already-gone-with-its-group", Scene::reverting().without_groups().undone().run(&open_ssh)),
        ("somebody-was-faster", removed_before_the_revoke(Scene::reverting()).run(&open_ssh)),
        (
            "group-gone-before-the-revoke",
            without_sources()
                .before(|call, ec2| {
                    if call.starts_with("revoke") {
                        ec2.delete_group(&GROUP.parse().unwrap());
                    }
                    None
                })
                .run(&open_ssh),
        ),
        (
            "too-many-pieces",
            Scene::reverting()
                .with("REMEDIATION", "revert-ingress")
                .with_baseline(&too_many_peers("3306"))
                .run(&authorizing(&["tcp 3306 0.0.0.0/0"])),
        ),
        (
            "too-many-pieces-of-open-ssh",
            Scene::reverting().with_baseline(&too_many_peers("22")).run(&open_ssh),
        ),
        ("still-open", Scene::reverting().and_rule(OLD).run(&open_ssh)),
        (
            "still-open-through-three",
            Scene::reverting()
                .and_rule(OLD)
                .and_rule("tcp 22 0.0.0.0/1 sgr-0f9e8d7c6b5a49383")
                .and_rule("-1 * 198.51.100.0/24 sgr-0f9e8d7c6b5a49384")
                .run(&open_ssh),
        ),
        (
            "still-open-and-undone",
            Scene::reverting().and_rule(OLD).undone().run(&open_ssh),
        ),
        (
            "still-open-is-not-known",
            Scene::reverting()
                .before(|call, ec2| {
                    let rules = ec2.rules_of(&GROUP.parse().unwrap())?;
                    let is_closed = rules.iter().all(|it| it.content() != rule(SSH).content());
                    (is_closed && call.starts_with("rules")).then(|| denied("DescribeSecurityGroupRules"))
                })
                .run(&open_ssh),
        ),
        ("open-beside-another", Scene::new().and_rule(OLD).run(&open_ssh)),
        (
            "not-closed-beside-another",
            Scene::reverting()
                .and_rule(OLD)
                .failing("revoke", denied("RevokeSecurityGroupIngress"))
                .run(&open_ssh),
        ),
        (
            "group-unreadable",
            Scene::reverting()
                .failing("rules", denied("DescribeSecurityGroupRules"))
                .run(&open_ssh),
        ),
        (
            "group-unreadable-only-reported",
            Scene::new().failing("group", denied("DescribeSecurityGroups")).run(&open_ssh),
        ),
        (
            "perhaps-exempt",
            Scene::reverting()
                .with_baseline(&format!(
                    "version: 1\nname: our-site\n\
                     ingress:\n- {{ name: HTTPS, protocol: tcp, ports: [443], peers: [anywhere] }}\n\
                     egress:\n- {{ name: All, protocol: all, peers: [anywhere] }}\n\
                     exemptions:\n- {{ group: {GROUP}, direction: ingress, protocol: tcp, ports: [22], \
                     peers: [pl-0123456789abcdef0], reason: \"ticket \\\"4711\\\"\", \
                     until: 2026-04-30 }}\n"
                ))
                .failing("prefix_list", denied("GetManagedPrefixListEntries"))
                .run(&open_ssh),
        ),
        (
            "undecided-part-gone-with-the-rule",
            Scene::reverting()
                .with("SSH_SOURCES", "pl-0123456789abcdef0")
                .with("REMEDIATION", "revert-ingress")
                .failing("prefix_list", denied("GetManagedPrefixListEntries"))
                .run(&authorizing(&["tcp 21-22 198.51.100.0/24"])),
        ),
    ]
}
