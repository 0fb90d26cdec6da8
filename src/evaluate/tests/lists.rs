//! Prefix lists that a baseline names for SSH: they are read all the same, and reported where they
//! are wide.

use super::*;

const READ: [(&str, &[&str]); 3] =
    [("pl-office", &["203.0.113.0/24"]), ("pl-wide", &["0.0.0.0/1"]), ("pl-wide6", &["2600::/16"])];

pub(super) fn read() -> Lists {
    let mut lists: Lists = READ
        .iter()
        .map(|(id, nets)| {
            let nets = nets.iter().map(|net| net.parse::<IpNet>().unwrap()).collect();
            (list(id), Ok(nets))
        })
        .collect();
    lists.insert(list("pl-denied"), Err(denied()));
    lists
}

/// The code, and whether the rule is reported because its list is wide.
fn code_and_wide(baseline: &Baseline, text: &str) -> (Option<Code>, bool) {
    let lists = read();
    let own = group("sg-0own");
    let judge = Judge::new(baseline, Direction::Ingress, Some(&own), &lists, today());
    let rule = rule(text);
    (judge.code(&judge.judge(&rule)), judge.wide_ssh(&rule))
}

#[test]
fn a_wide_list_is_reported_although_the_baseline_names_it() {
    for (sources, text, expected) in [
        ("pl-office", "tcp 22 pl-office", (None, false)),
        ("pl-wide", "tcp 22 pl-wide", (None, true)),
        ("pl-wide", "tcp 20..80 pl-wide", (Some(Code::IngressNotInBaseline), true)),
        ("pl-wide6", "tcp 22 pl-wide6", (None, true)),
        ("pl-denied", "tcp 22 pl-denied", (Some(Code::UnresolvedPeer), false)),
        ("pl-office", "tcp 22 pl-unread", (Some(Code::UnresolvedPeer), false)),
        // Part of a wide list, as addresses.
        ("pl-wide", "tcp 22 54.0.0.0/8", (None, true)),
        ("pl-wide", "tcp 22 54.0.0.0/16", (None, false)),
        // Not named, it is open SSH, and nothing else.
        ("pl-office", "tcp 22 pl-wide", (Some(Code::OpenSsh), false)),
        // Not SSH.
        ("pl-wide", "tcp 80 pl-wide", (None, false)),
        ("pl-denied", "tcp 80 pl-denied", (None, false)),
    ] {
        assert_eq!(code_and_wide(&standard(sources), text), expected, "{sources}: {text}");
    }
}

#[test]
fn rules_are_not_reported_where_the_baseline_itself_is_wide() {
    let documented = Baseline::load("as-documented", today()).unwrap();
    for text in ["tcp 22 0.0.0.0/0", "tcp 22 pl-wide", "tcp 22 pl-denied", "tcp 22 sg-0a"] {
        assert_eq!(code_and_wide(&documented, text), (None, false), "{text}");
    }
}

#[test]
fn lists_for_other_ports_or_egress_are_not_looked_up() {
    let baseline = custom(
        "version: 1\nname: t\ningress:\n\
         - { name: DB, protocol: tcp, ports: [3306], peers: [pl-denied] }\n\
         egress:\n\
         - { name: SSH, protocol: tcp, ports: [22], peers: [pl-denied] }\n",
    );
    assert_eq!(code_and_wide(&baseline, "tcp 3306 pl-denied"), (None, false));
    let lists = Lists::new();
    let judge = Judge::new(&baseline, Direction::Egress, None, &lists, today());
    let out = rule("tcp 22 pl-denied").with_direction(Direction::Egress);
    assert!(judge.judge(&out).is_compliant() && judge.lists_needed(&out).is_empty());
}

#[test]
fn lists_and_exemptions_can_make_a_baseline_wide() {
    let wide = |baseline: &Baseline| admits_wide_ssh(baseline, &read(), today());
    assert!(!wide(&standard("pl-office,pl-denied")));
    assert!(wide(&standard("pl-wide")));
    let with = |what: &str, until: &str| {
        custom(&format!(
            "version: 1\nname: t\ningress:\n\
             - {{ name: SSH, protocol: tcp, ports: [22], peers: [54.0.0.0/17, pl-office] }}\n\
             egress: []\nexemptions:\n\
             - {{ group: sg-0a, direction: {what}, reason: why, until: {until} }}\n"
        ))
    };
    let ssh = "ingress, protocol: tcp, ports: [22], peers: [54.1.0.0/16]";
    // Two ranges that are wide together.
    assert!(wide(&with(ssh, "2026-11-01")));
    assert!(!wide(&with(ssh, "2026-10-31")));
    assert!(!wide(&with("egress, protocol: all, peers: [anywhere]", "2026-11-01")));
    assert!(!wide(&with("ingress, protocol: tcp, ports: [80], peers: [anywhere]", "2026-11-01")));
    assert!(wide(&with("ingress, protocol: all, peers: [pl-wide]", "2026-11-01")));

    let named = |baseline: &Baseline| {
        ids(baseline.ssh_lists(today())).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let listed = "ingress, protocol: all, peers: [pl-wide]";
    assert_eq!(named(&with(listed, "2026-11-01")), ["pl-office", "pl-wide"]);
    assert_eq!(named(&with(listed, "2026-10-31")), ["pl-office"]);
    assert_eq!(
        named(&with("ingress, protocol: udp, peers: [pl-wide]", "2026-11-01")),
        ["pl-office"]
    );
}
