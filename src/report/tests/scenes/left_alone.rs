//! A rule exceeds the baseline, and no revert is due.

use super::Scenes;
use crate::report::tests::events::{GROUP, authorizing, modifying, sample};
use crate::report::tests::scene::{Scene, denied, not_found};

/// A baseline that exempts port 8000.
pub(in crate::report::tests) fn exempting(until: &str, more: &str) -> String {
    format!(
        "version: 1\nname: our-site\n\
         ingress:\n\
         - {{ name: HTTP, protocol: tcp, ports: [80], peers: [anywhere], expected: true }}\n\
         - {{ name: HTTPS, protocol: tcp, ports: [443], peers: [anywhere], expected: true }}\n\
         egress:\n\
         - {{ name: All, protocol: all, peers: [anywhere] }}\n\
         exemptions:\n\
         - {{ group: {GROUP}, direction: ingress, protocol: tcp, ports: [8000], \
         peers: [anywhere], reason: \"vendor migration, ticket 4711\", until: {until} }}\n{more}"
    )
}

/// Five exemptions of single ports.
fn five_more() -> String {
    let line = |port| {
        format!(
            "- {{ group: {GROUP}, direction: ingress, protocol: tcp, ports: [{port}], \
             peers: [198.51.100.0/24], reason: \"ticket {port}\", until: 2026-05-31 }}\n"
        )
    };
    (9001..9006).map(line).collect()
}

pub(super) fn all() -> Scenes {
    let open_ssh = sample("authorize-open-ssh");
    vec![
        ("only-reported", Scene::new().with("SSH_SOURCES", "203.0.113.0/24").run(&open_ssh)),
        ("only-reported-gone", Scene::new().undone().run(&open_ssh)),
        ("database", Scene::reverting().run(&sample("authorize-database"))),
        (
            "mail-from-a-development-server",
            Scene::reverting()
                .with("REMEDIATION", "revert-ingress")
                .with("BASELINE", "restricted-egress")
                .with_rules(&["tcp 80 0.0.0.0/0"])
                .run(&sample("authorize-egress-smtp")),
        ),
        ("one-host", Scene::reverting().run(&sample("authorize-one-host"))),
        ("private-ssh", Scene::reverting().run(&sample("authorize-private-ssh"))),
        ("from-a-group", Scene::reverting().run(&sample("authorize-from-group"))),
        (
            "from-a-group-that-is-gone",
            Scene::reverting()
                .failing("is_stale", not_found("DescribeSecurityGroups"))
                .run(&sample("authorize-from-group")),
        ),
        (
            "group-of-another-account",
            Scene::reverting().owned_by("210987654321").run(&sample("authorize-open-ssh")),
        ),
        ("halves", Scene::new().run(&sample("authorize-halves"))),
        ("all-traffic", Scene::new().run(&sample("authorize-all-traffic"))),
        ("ping", Scene::new().run(&authorizing(&["icmp 8--1 198.51.100.0/24", "58 * ::/0"]))),
        (
            "default-group",
            Scene::new()
                .without_groups()
                .group(GROUP, "default", &["out -1 * 0.0.0.0/0"])
                .run(&open_ssh),
        ),
        (
            "undecided",
            Scene::reverting()
                .failing("prefix_list", denied("GetManagedPrefixListEntries"))
                .run(&authorizing(&["tcp 22 pl-0123456789abcdef0"])),
        ),
        ("unresolved", Scene::reverting().run(&authorizing(&["tcp 22 pl-0123456789abcdef0"]))),
        (
            "undecided-in-part",
            Scene::reverting()
                .with("SSH_SOURCES", "pl-0123456789abcdef0")
                .run(&authorizing(&["tcp 21-22 198.51.100.0/24"])),
        ),
        (
            "modified",
            Scene::new()
                .and_rule("tcp 22 203.0.113.0/24 sgr-0c3d4e5f678901234 # office")
                .run(&sample("modify-widened")),
        ),
        (
            "direction-assumed",
            Scene::reverting()
                .undone()
                .run(&modifying("sgr-0c3d4e5f678901234", "tcp 22 0.0.0.0/0")),
        ),
        (
            "exempt",
            Scene::new()
                .with_baseline(&exempting("2026-03-31", ""))
                .run(&authorizing(&["tcp 8000-8001 0.0.0.0/0"])),
        ),
        (
            "exempt-many",
            Scene::new().with_baseline(&exempting("2026-03-31", &five_more())).run(&authorizing(
                &[
                    "tcp 8000 0.0.0.0/0",
                    "tcp 8000 ::/0",
                    "tcp 9000 198.51.100.0/24",
                    "tcp 9001 198.51.100.0/24",
                    "tcp 9002 198.51.100.0/24",
                    "tcp 9003 198.51.100.0/24",
                    "tcp 9004 198.51.100.0/24",
                ],
            )),
        ),
        (
            "exemption-expired",
            Scene::new()
                .with_baseline(&exempting("2026-03-11", ""))
                .run(&authorizing(&["tcp 8000-8001 0.0.0.0/0"])),
        ),
        ("everything-exempt", {
            let baseline = exempting("2026-03-12", "");
            Scene::new().with_baseline(&baseline).run(&authorizing(&["tcp 8000 0.0.0.0/0"]))
        }),
    ]
}
