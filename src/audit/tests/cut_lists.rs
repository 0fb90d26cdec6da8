//! Entries that are removed from a prefix list close what the site lives on without any rule having
//! changed.

use super::*;
use crate::event::ListChange;

const WEB: [&str; 2] = ["tcp 443 pl-1 sgr-1", "tcp 80 pl-1 sgr-2"];

/// The list changed. `None` where the event does not tell what was removed.
fn cut(removed: Option<&[&str]>) -> Event {
    let name = match removed {
        Some(_) => "ModifyManagedPrefixList",
        None => "RestoreManagedPrefixListVersion",
    };
    let record = Record { event_name: Some(name.to_owned()), ..record() };
    let change = ListChange {
        list: id("pl-1"),
        name: Some("balancers".to_owned()),
        version_before: Some(3),
        added: Vec::new(),
        removed: removed.map(|removed| removed.iter().map(|net| id(net)).collect()),
        restored: None,
    };
    Event::new(record, Kind::List(change))
}

/// A group with these rules, and the list with what is left in it.
fn left_with(texts: &[&str], entries: &[&str]) -> MemoryEc2 {
    let world = ec2_with_lists(&rules(texts), list("pl-1", entries));
    world.with_list_state(id("pl-1"), 4, ListState::Settled)
}

/// What is told when these entries are removed from the list and others are left.
fn told(texts: &[&str], removed: Option<&[&str]>, left: &[&str]) -> Vec<String> {
    let world = left_with(texts, left);
    let ran = run_at(&world, &settings(Remediation::RevertSsh), &cut(removed), noon(), None);
    assert_eq!(ingress(&world).len(), texts.len(), "nothing is changed");
    let tell = |it: &Finding| format!("{} {}", it.severity.as_str(), to_title(it));
    ran.report().findings.iter().map(tell).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn what_nobody_can_reach_any_more_is_told_with_the_line_that_puts_it_back() {
    let world = left_with(&WEB, &[]);
    let removed = ["198.51.100.7/32", "198.51.100.9/32"];
    let event = cut(Some(&removed));
    let ran = run_at(&world, &settings(Remediation::RevertSsh), &event, noon(), None);
    let finding = only(ran.report());
    assert_eq!((finding.code, finding.severity.as_str()), (Code::ExpectedTrafficClosed, "high"));
    assert_eq!(to_title(finding), "HTTP and HTTPS on typo3-shop are closed");
    let published = &ran.published()["findings"][0];
    assert_eq!(published["rule"]["peer"], "pl-1");
    assert_eq!(published["expected"][0]["before"], "some");
    assert_eq!(published["expected"][0]["after"], "nobody");
    let detail = ran.detail();
    for part in ["198.51.100.7/32, 198.51.100.9/32", "pl-1", "No rule of the group was changed."] {
        assert!(detail.contains(part), "{detail}");
    }
    assert_eq!(
        finding.undo.as_deref().unwrap(),
        "aws ec2 modify-managed-prefix-list --region 'eu-central-1' --prefix-list-id 'pl-1' \
         --current-version 4 --add-entries 'Cidr=198.51.100.7/32' 'Cidr=198.51.100.9/32'"
    );
}

#[test]
fn what_somebody_can_still_reach_is_told_only_where_it_was_more() {
    let halves = ["0.0.0.0/1", "128.0.0.0/1"];
    let one = told(&WEB, Some(&halves[1..]), &halves[..1]);
    assert_eq!(one, ["medium HTTP and HTTPS on typo3-shop are open to some only"]);
    // Some can still come, and some could before.
    let hosts = ["198.51.100.7/32"];
    assert_eq!(told(&WEB, Some(&hosts), &["198.51.100.9/32"]), NOTHING);
    // Unless the list is empty now: all visitors may have come from it.
    let others = ["tcp 443 pl-1 sgr-1", "tcp 443 203.0.113.9/32 sgr-3"];
    assert_eq!(told(&others, Some(&hosts), &[]), ["medium HTTPS on typo3-shop is closed to pl-1"]);
}

#[test]
fn what_is_admitted_otherwise_or_nobody_lives_on_is_not_told() {
    let hosts: &[&str] = &["198.51.100.7/32"];
    for texts in [
        &["tcp 443 pl-1 sgr-1", "tcp 443 0.0.0.0/0 sgr-2"][..],
        &["tcp 443 pl-1 sgr-1", "tcp 443 198.51.100.0/24 sgr-2"],
        &["tcp 8443 pl-1 sgr-1"],
        &["udp 443 pl-1 sgr-1"],
    ] {
        let told = told(texts, Some(hosts), &[]);
        assert!(!told.iter().any(|it| it.contains("closed")), "{told:?}");
    }
    // An entry that is there again, whole or in halves, or that nobody can have.
    assert_eq!(told(&WEB, Some(hosts), hosts), NOTHING);
    assert_eq!(told(&WEB, Some(&["198.51.100.6/31"]), &["198.51.100.6/32", hosts[0]]), NOTHING);
    assert_eq!(told(&WEB, Some(&["127.0.0.0/8"]), &[]), NOTHING);
    // Only added, or nothing at all.
    assert_eq!(told(&WEB, Some(&[]), &[]), NOTHING);
}

#[test]
fn where_it_is_not_known_what_was_removed_it_is_told_only_if_nobody_is_left() {
    let found = told(&WEB, None, &[]);
    let [one] = &found[..] else { panic!("{found:?}") };
    assert!(one.starts_with("low ") && one.contains("is not known"), "{one}");
    assert_eq!(told(&WEB, None, &["198.51.100.7/32"]), NOTHING);
    assert_eq!(told(&["tcp 8443 pl-1 sgr-1"], None, &[]), NOTHING);
}

#[test]
fn a_list_that_the_baseline_expects_is_held_against_what_it_was() {
    let text = "version: 1\nname: behind-a-list\ningress:\n\
        - { name: Site, protocol: tcp, ports: [443], peers: [pl-1], expected: true }\negress: []\n";
    let baseline = Baseline::parse("t.yaml", text, today()).unwrap();
    let settings = Settings { baseline, ..settings(Remediation::Notify) };
    for (removed, left, severity) in [
        (Some(&["198.51.100.7/32"][..]), &[][..], Some("high")),
        (Some(&["198.51.100.7/32"]), &["198.51.100.9/32"], Some("medium")),
        (Some(&[]), &[], None),
        (None, &[], Some("low")),
        (None, &["198.51.100.9/32"], None),
    ] {
        let world = left_with(&["tcp 443 pl-1 sgr-1"], left);
        let report = run(&world, &settings, &cut(removed)).unwrap();
        let found = report.findings.first().map(|finding| finding.severity.as_str());
        assert_eq!(found, severity, "{removed:?} {left:?}");
    }
}

#[test]
fn where_a_list_cannot_be_read_that_is_told_or_tried_again() {
    let hosts: &[&str] = &["198.51.100.7/32"];
    let settings = settings(Remediation::RevertSsh);
    // Another list may still let visitors in, and nobody may look.
    let world = left_with(&["tcp 443 pl-1 sgr-1", "tcp 443 pl-2 sgr-2"], &[]);
    let denying = hooked(&world, |call| match call {
        Call::PrefixList(_) if world.take_calls().iter().any(|it| it.contains("pl-1")) => {
            Some(denied())
        }
        _ => None,
    });
    let report = run(&denying, &settings, &cut(Some(hosts))).unwrap();
    let finding = only(&report);
    assert_eq!(finding.severity.as_str(), "low");
    assert!(to_title(finding).contains("pl-2 could not be read"), "{}", to_title(finding));
    let throttling = hooked(&world, |call| matches!(call, Call::PrefixList(_)).then(throttled));
    assert!(run(&throttling, &settings, &cut(Some(hosts))).is_err());
}
