//! SSH sources that are groups and prefix lists: by name, in their own account, readable or not.

use proptest::prelude::*;

use super::*;
use crate::ec2::{GroupRef, Peer, Reference};
use crate::evaluate::Judge;

fn sources(remediation: Remediation, sources: &str) -> Settings {
    with_sources(settings(remediation), sources)
}

#[test]
fn traffic_that_only_an_unread_list_may_admit_is_not_put_back() {
    let wide = "tcp 0-65535 0.0.0.0/0 sgr-1";
    let world = ec2_with_lists(&rules(&[wide]), unreadable_list("pl-1"));
    let settings = sources(Remediation::RevertIngress, "pl-1");
    let ran = run_at(&world, &settings, &authorized(&[wide]), noon(), None);
    // SSH from the list is not put back either, because anybody could be in it.
    assert_eq!(ingress(&world), ["tcp 443 from 0.0.0.0/0", "tcp 80 from 0.0.0.0/0"]);
    let detail = ran.detail();
    let said = "Whether the baseline admits tcp 22 from anywhere depends on a prefix list";
    assert!(detail.contains(said), "{detail}");
    assert_eq!(ran.published()["findings"][0]["undecided"], "tcp 22 from anywhere");
}

#[test]
fn a_group_may_be_written_with_its_own_account() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let settings = sources(Remediation::RevertSsh, "123456789012/sg-0b");
    for texts in [&[open][..], &[open, "tcp 22 sg-0b sgr-2"]] {
        let world = ec2(&rules(texts));
        let report = run(&world, &settings, &authorized(&[open])).unwrap();
        assert_ne!(only(&report).outcome(), Outcome::Failed);
        assert_eq!(ingress(&world), ["tcp 22 from sg-0b"]);
        let own = run(&world, &settings, &authorized(&["tcp 22 sg-0b"])).unwrap();
        assert_eq!(own.outcome, ReportOutcome::Compliant);
    }
}

#[test]
fn a_list_is_put_back_by_its_name_however_many_entries_it_has() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let hosts: Vec<String> = (0..45).map(|n| format!("203.0.113.{}/32", 2 * n)).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let world = ec2_with_lists(&rules(&[open]), list("pl-4", &hosts));
    let settings = sources(Remediation::RevertSsh, "pl-4");
    let report = run(&world, &settings, &authorized(&[open])).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::Narrowed);
    assert_eq!(ingress(&world), ["tcp 22 from pl-4"]);
}

#[test]
fn a_list_of_the_other_address_family_is_not_put_back() {
    let open = "tcp 22 0.0.0.0/0 sgr-1";
    let world = ec2_with_lists(&rules(&[open]), list("pl-6", &["2001:db8::/32"]));
    let settings = sources(Remediation::RevertSsh, "pl-6");
    let report = run(&world, &settings, &authorized(&[open])).unwrap();
    assert_eq!(only(&report).outcome(), Outcome::Reverted);
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
const TRAFFIC: [&str; 6] = ["tcp 22", "tcp 80", "tcp 20-25", "tcp 22-443", "tcp 0-65535", "-1 *"];
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
    let mut lists = list("pl-4", &["203.0.113.0/25", "10.0.0.0/9"]);
    lists.extend(list("pl-w", &["0.0.0.0/1", "203.0.113.128/25"]));
    lists.extend(list("pl-6", &["2001:db8::/32"]));
    lists.extend(unreadable_list("pl-x"));
    lists
}

/// What rules admit, lists by their entries where those are known.
fn by_entries(rules: &[Rule]) -> Traffic {
    let lists = lists();
    let each = |rule: &Rule| match rule.peer() {
        Peer::Reference(Reference::PrefixList(id)) => match &lists[id] {
            Ok(entries) => {
                entries.iter().map(|net| rule.clone().with_peer((*net).into()).traffic()).collect()
            }
            Err(_) => vec![rule.traffic()],
        },
        _ => vec![rule.traffic()],
    };
    Traffic::union_of(rules.iter().flat_map(each).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// With lists that are readable or not, of one address family or the other, wide or not: a
    /// revert opens nothing, loses nothing that is known to be admitted, adds only rules that
    /// comply, and is complete after one run.
    #[test]
    fn a_revert_with_lists_opens_nothing_and_loses_nothing(
        picks in prop::collection::vec(
            (prop::sample::select(&TRAFFIC[..]), prop::sample::select(&PEERS[..])),
            1..7,
        ),
        names in prop::collection::vec(prop::sample::select(&SOURCES[..]), 1..4),
        mode in prop_oneof![Just(Remediation::RevertSsh), Just(Remediation::RevertIngress)],
    ) {
        let mut rules: Vec<Rule> = Vec::new();
        for (traffic, peer) in picks {
            let rule = rule(&format!("{traffic} {peer} sgr-{}", rules.len()));
            if rules.iter().all(|other| other.content() != rule.content()) {
                rules.push(rule);
            }
        }
        let world = ec2_with_lists(&rules, lists()).with_rule_limit(1000);
        let settings = sources(mode, &names.join(","));
        let event = event(ChangeKind::Authorized(rules.clone()));
        run(&world, &settings, &event).unwrap();
        let group = id(SG);
        let after = world.rules_of(&group).unwrap();

        let opened = by_entries(&after).difference(&by_entries(&rules));
        prop_assert!(opened.ipv4.is_empty() && opened.ipv6.is_empty());
        let (lists, group) = (lists(), Some(&group));
        let judge = Judge::new(&settings.baseline, Direction::Ingress, group, &lists, today());
        for piece in after.iter().filter(|piece| !rules.contains(piece)) {
            prop_assert!(judge.judge(piece).is_compliant(), "{}", rule_text(piece));
        }
        let admitted = settings.baseline.admitted(Direction::Ingress, group, &lists);
        let kept = by_entries(&rules).intersection(&admitted.traffic);
        let lost = kept.difference(&by_entries(&after));
        prop_assert!(lost.ipv4.is_empty() && lost.ipv6.is_empty());

        run(&world, &settings, &event).unwrap();
        prop_assert_eq!(world.rules_of(&id(SG)).unwrap(), after);
    }
}

#[test]
fn a_rule_that_names_a_deleted_group_is_called_stale() {
    let peer = "sg-0ffffffffffffffff";
    let named = format!("tcp 22 {peer}");
    let world = ec2(&rules(&[&named]));
    let ran = |error: fn() -> Option<Ec2Error>| {
        let hooked = hooked(&world, |call| match call {
            Call::IsStale(_) => error(),
            _ => None,
        });
        let settings = settings(Remediation::Notify);
        let ran = run_at(&hooked, &settings, &authorized(&[&named]), noon(), None);
        let expected = format!("ingress-not-in-baseline none tcp 22 from {peer}");
        assert_eq!(brief(ran.report()), [expected]);
        ran
    };
    let stale = ran(|| Some(not_found()));
    let group = GroupRef::own(id(peer));
    assert_eq!(found(stale.report()).remarks, [Remark::StaleGroup(group)]);
    let detail = stale.detail();
    assert!(detail.contains(&format!("{peer} is there no longer: the rule is stale")), "{detail}");
    // Where EC2 does not tell, nothing is said, and nothing else depends on it.
    for unknown in [ran(|| None), ran(|| Some(throttled()))] {
        assert_eq!(found(unknown.report()).remarks, []);
        assert!(!unknown.detail().contains("stale"), "{}", unknown.detail());
    }
}
