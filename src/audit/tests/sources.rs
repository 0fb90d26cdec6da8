//! SSH sources that are groups and lists: by their name, in their own account, read or not.

use proptest::prelude::*;

use super::*;
use crate::ec2::{Peer, Reference};
use crate::evaluate::Judge;

fn with_sources(remediation: Remediation, sources: &str) -> Settings {
    let mut settings = settings(remediation);
    settings.baseline = settings.baseline.with_ssh_sources(parse_peers(sources).unwrap());
    settings
}

fn list(entries: &[&str]) -> Result<Vec<ipnet::IpNet>, String> {
    Ok(entries.iter().map(|net| net.parse().unwrap()).collect())
}

fn world(rules: &[&str], lists: Lists) -> MemoryEc2 {
    let rules = rules.iter().map(|text| rule(text)).collect();
    MemoryEc2::new([(place(), group(), rules)], lists)
}

fn authorized(rules: &[&str]) -> Event {
    event(ChangeKind::Authorized(rules.iter().map(|text| rule(text)).collect()))
}

#[test]
fn what_only_an_unread_list_might_admit_is_not_put_back() {
    let wide = "tcp 0-65535 0.0.0.0/0 sgr-1";
    let lists: Lists = [("pl-1".to_owned(), Err("denied".to_owned()))].into();
    let world = world(&[wide], lists);
    let settings = with_sources(Remediation::RevertIngress, "pl-1");
    let report = run(&world, &settings, &authorized(&[wide])).unwrap();
    // SSH from the list is not either: it could be anybody's.
    assert_eq!(ingress(&world), ["tcp 443 from 0.0.0.0/0", "tcp 80 from 0.0.0.0/0"]);
    let detail = &only(&report).remediation.detail;
    assert!(
        detail
            .contains("Whether the baseline admits tcp 22 from anywhere depends on a prefix list"),
        "{detail}"
    );
    assert_eq!(only(&report).undecided.as_deref(), Some("tcp 22 from anywhere"));
}

#[test]
fn a_group_may_be_written_with_its_own_account() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let settings = with_sources(Remediation::RevertSsh, "123456789012/sg-0b");
    for rules in [vec![open], vec![open, "tcp 22 sg-0b sgr-2"]] {
        let world = world(&rules, Lists::new());
        let report = run(&world, &settings, &authorized(&[open])).unwrap();
        assert_ne!(only(&report).remediation.outcome, Outcome::Failed);
        assert_eq!(ingress(&world), ["tcp 22 from sg-0b"]);
        let own = run(&world, &settings, &authorized(&["tcp 22 sg-0b"])).unwrap();
        assert_eq!(own.outcome, ReportOutcome::Compliant);
    }
}

#[test]
fn a_list_is_put_back_by_its_name_however_long_it_is() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let hosts: Vec<String> = (0..45).map(|n| format!("203.0.113.{}/32", 2 * n)).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let world = world(&[open], [("pl-4".to_owned(), list(&hosts))].into());
    let settings = with_sources(Remediation::RevertSsh, "pl-4");
    let report = run(&world, &settings, &authorized(&[open])).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::Narrowed);
    assert_eq!(ingress(&world), ["tcp 22 from pl-4"]);
}

#[test]
fn a_list_of_the_other_family_is_no_part_of_anywhere() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = world(&[open], [("pl-6".to_owned(), list(&["2001:db8::/32"]))].into());
    let settings = with_sources(Remediation::RevertSsh, "pl-6");
    let report = run(&world, &settings, &authorized(&[open])).unwrap();
    assert_eq!(only(&report).remediation.outcome, Outcome::Reverted);
    assert_eq!(ingress(&world), [] as [&str; 0]);
}

const PEERS: [&str; 12] = [
    "0.0.0.0/0",
    "::/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "10.0.0.0/8",
    "203.0.113.0/24",
    "2001:db8::/31",
    "pl-4",
    "pl-w",
    "pl-6",
    "pl-x",
    "sg-0b",
];
const WHAT: [&str; 6] = ["tcp 22", "tcp 80", "tcp 20-25", "tcp 22-443", "tcp 0-65535", "-1 *"];
const SOURCES: [&str; 9] = [
    "0.0.0.0/1",
    "10.0.0.0/8",
    "203.0.113.0/24",
    "2001:db8::/32",
    "pl-4",
    "pl-w",
    "pl-6",
    "pl-x",
    "sg-0b",
];

fn lists() -> Lists {
    [
        ("pl-4".to_owned(), list(&["203.0.113.0/25", "10.0.0.0/9"])),
        ("pl-w".to_owned(), list(&["0.0.0.0/1", "203.0.113.128/25"])),
        ("pl-6".to_owned(), list(&["2001:db8::/32"])),
        ("pl-x".to_owned(), Err("denied".to_owned())),
    ]
    .into()
}

/// What rules admit, lists by their entries where those are known.
fn by_entries(rules: &[Rule]) -> Traffic {
    let lists = lists();
    let each = |rule: &Rule| match &rule.peer {
        Peer::Reference(Reference::PrefixList(id)) => match &lists[id] {
            Ok(entries) => entries
                .iter()
                .map(|net| {
                    let mut entry = rule.clone();
                    entry.peer = (*net).into();
                    entry.traffic()
                })
                .collect(),
            Err(_) => vec![rule.traffic()],
        },
        _ => vec![rule.traffic()],
    };
    Traffic::union_of(rules.iter().flat_map(each).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Lists that are read or not, of one family or the other, wide or not: a revert opens
    /// nothing, loses nothing that is known to be admitted, adds only what complies, and is done
    /// after one run.
    #[test]
    fn lists_open_nothing_and_lose_nothing(
        picks in prop::collection::vec(
            (prop::sample::select(&WHAT[..]), prop::sample::select(&PEERS[..])),
            1..7,
        ),
        sources in prop::collection::vec(prop::sample::select(&SOURCES[..]), 1..4),
        mode in prop_oneof![Just(Remediation::RevertSsh), Just(Remediation::RevertIngress)],
    ) {
        let mut rules: Vec<Rule> = Vec::new();
        for (what, peer) in picks {
            let rule = rule(&format!("{what} {peer} sgr-{}", rules.len()));
            if rules.iter().all(|other| other.content() != rule.content()) {
                rules.push(rule);
            }
        }
        let world =
            MemoryEc2::new([(place(), group(), rules.clone())], lists()).with_rule_limit(1000);
        let settings = with_sources(mode, &sources.join(","));
        let event = event(ChangeKind::Authorized(rules.clone()));
        run(&world, &settings, &event).unwrap();
        let after = world.rules_of(SG).unwrap();

        let beyond = by_entries(&after).difference(&by_entries(&rules));
        prop_assert!(beyond.ipv4.is_empty() && beyond.ipv6.is_empty());
        let lists = lists();
        let judge = Judge::new(&settings.baseline, Direction::Ingress, Some(SG), &lists, today());
        for piece in after.iter().filter(|piece| !rules.contains(piece)) {
            prop_assert!(judge.judge(piece).is_compliant(), "{}", crate::text::rule_text(piece));
        }
        let admitted = settings.baseline.admitted(Direction::Ingress, Some(SG), &lists);
        let lost = by_entries(&rules).intersection(&admitted.traffic).difference(&by_entries(&after));
        prop_assert!(lost.ipv4.is_empty() && lost.ipv6.is_empty());

        run(&world, &settings, &event).unwrap();
        prop_assert_eq!(world.rules_of(SG).unwrap(), after);
    }
}

#[test]
fn a_reference_to_a_group_that_is_gone_is_said_to_be_stale() {
    let peer = rule("tcp 22 sg-0ffffffffffffffff");
    let world = ec2(std::slice::from_ref(&peer));
    let opened = event(ChangeKind::Authorized(vec![peer]));
    let detail = |error: fn() -> Option<Ec2Error>| {
        let staged = Staged::new(&world, |call, _| (call == "is_stale").then(error).flatten());
        let report = run(&staged, &settings(Remediation::Notify), &opened).unwrap();
        assert_eq!(
            told(&report),
            ["ingress-not-in-baseline none tcp 22 from sg-0ffffffffffffffff"]
        );
        only(&report).remediation.detail.clone()
    };
    let gone = || Some(Ec2Error::NotFound { action: "DescribeSecurityGroups", message: "".into() });
    let stale = detail(gone);
    assert!(
        stale.contains("sg-0ffffffffffffffff is there no longer: the rule is stale"),
        "{stale}"
    );
    // Where nobody can tell, nothing is said, and nothing hangs on it.
    let down = || Some(Ec2Error::Passing { action: "DescribeSecurityGroups", message: "".into() });
    for unknown in [detail(|| None), detail(down)] {
        assert!(!unknown.contains("stale"), "{unknown}");
    }
}
