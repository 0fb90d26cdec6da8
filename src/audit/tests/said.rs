//! What a finding says of a rule beside its code: whether its connections live on, what its fix
//! does first, and what is known where something cannot be read.

use super::*;
use crate::ec2::RULE_LIMIT;
use crate::ec2::hold::{REASON, UNTIL};
use crate::finding::Connections;

fn egress(text: &str) -> Rule {
    rule(text).with_direction(Direction::Egress)
}

#[test]
fn connections_end_with_a_rule_only_where_ec2_does_not_track_them() {
    use Connections::{Ended, LiveOn};
    let all_out = "-1 * 0.0.0.0/0";
    for (opened, out, expected) in [
        ("tcp 22 0.0.0.0/0 sgr-1", Some(all_out), Ended),
        ("-1 * 0.0.0.0/0 sgr-1", Some(all_out), Ended),
        ("tcp 22 ::/0 sgr-1", Some("-1 * ::/0"), Ended),
        ("tcp 22 0.0.0.0/0 sgr-1", None, LiveOn),
        // Of the other family, to some, or of one protocol.
        ("tcp 22 0.0.0.0/0 sgr-1", Some("-1 * ::/0"), LiveOn),
        ("tcp 22 0.0.0.0/0 sgr-1", Some("-1 * 10.0.0.0/8"), LiveOn),
        ("tcp 22 0.0.0.0/0 sgr-1", Some("tcp 0-65535 0.0.0.0/0"), LiveOn),
        // Not from anywhere.
        ("tcp 22 198.51.100.0/24 sgr-1", Some(all_out), LiveOn),
        // Always tracked.
        ("icmp * 0.0.0.0/0 sgr-1", Some(all_out), LiveOn),
    ] {
        let mut all = rules(&[opened]);
        all.extend(out.map(egress));
        let settings = settings(Remediation::RevertIngress);
        let report = run(&ec2(&all), &settings, &authorized(&[opened])).unwrap();
        let presence = found(&report).presence;
        assert_eq!(presence, Presence::Gone(expected), "{opened}, {out:?}");
    }
}

#[test]
fn a_fix_makes_room_first_only_where_the_group_is_too_full() {
    let beside = |ipv4: usize, ipv6: usize, opened: &str| {
        let mut all = rules(&[opened]);
        all.extend((1..=ipv4).map(|n| rule(&format!("tcp 443 203.0.113.{n}/32"))));
        all.extend((1..=ipv6).map(|n| rule(&format!("tcp 443 2001:db8:1::{n}/128"))));
        let report = run(&ec2(&all), &settings(Remediation::Notify), &authorized(&[opened]));
        let fix = only(&report.unwrap()).fix.clone().unwrap();
        let (before, _) = fix.split_once("revoke-security-group").unwrap();
        !before.contains("authorize")
    };
    let (ipv4, ipv6) = ("tcp 22-80 0.0.0.0/0", "tcp 22-80 ::/0");
    // Two rules replace the opened one.
    let room = RULE_LIMIT - 3;
    assert!(!beside(room, 0, ipv4));
    assert!(beside(room + 1, 0, ipv4));
    assert!(!beside(0, room, ipv6));
    assert!(beside(0, room + 1, ipv6));
    // EC2 counts the families apart.
    assert!(!beside(room, RULE_LIMIT, ipv4));
    assert!(!beside(RULE_LIMIT, room, ipv6));
}

#[test]
fn of_a_group_that_may_not_be_read_is_told_what_would_have_been_done() {
    let open = rule("tcp 22 0.0.0.0/0 sgr-1");
    let tags = [(UNTIL, "2026-11-02T14:00:00Z"), (REASON, "vendor")];
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let held = open.clone().with_tags(tags);
    for (rule, remediation, expected) in [
        (&open, Remediation::RevertSsh, Outcome::Failed),
        (&open, Remediation::Notify, Outcome::None),
        (&held, Remediation::RevertSsh, Outcome::Held),
    ] {
        let world = ec2(std::slice::from_ref(rule));
        let unreadable = hooked(&world, |call| matches!(call, Call::Rules(_)).then(denied));
        let event = event(ChangeKind::Authorized(vec![rule.clone()]));
        let report = run(&unreadable, &settings(remediation), &event).unwrap();
        assert_eq!(only(&report).outcome(), expected, "{remediation:?}");
        assert_eq!((report.groups, report.rules), (1, 1));
        assert_eq!(ingress(&world), ["tcp 22 from 0.0.0.0/0"]);
    }
}

#[test]
fn beside_ssh_from_a_list_that_may_not_be_read_other_open_ssh_is_named() {
    for (ports, named) in [("22", vec!["tcp 22 from 0.0.0.0/0"]), ("8000", vec![])] {
        let opened = format!("tcp {ports} pl-1 sgr-1");
        let all = rules(&[&opened, "tcp 22 0.0.0.0/0 sgr-2"]);
        let world = ec2_with_lists(&all, unreadable_list("pl-1"));
        let settings = settings(Remediation::Notify);
        let report = run(&world, &settings, &authorized(&[&opened])).unwrap();
        assert_eq!(only(&report).code, Code::UnresolvedPeer);
        assert_eq!(texts(only(&report).still_open()), named, "{ports}");
    }
}

#[test]
fn what_replaced_a_rule_without_ssh_is_named_too() {
    let open = "tcp 80-90 0.0.0.0/0 sgr-1";
    let world = ec2(&rules(&[open]));
    let report = run(&world, &settings(Remediation::RevertIngress), &authorized(&[open])).unwrap();
    assert_eq!(texts(&found(&report).kept), ["tcp 80 from 0.0.0.0/0"]);
}
