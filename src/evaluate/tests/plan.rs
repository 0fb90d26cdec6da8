//! What a revert leaves of a rule, and which rules count as left by it.

use super::*;
use crate::evaluate::plan::{is_piece_of, pieces};
use crate::net::{Set, Traffic};
use crate::words::rule_text;

/// The rules that a revert leaves of `text`, where nothing else is in the group.
fn left_of(baseline: &Baseline, lists: &Lists, rule: &Rule) -> Vec<Rule> {
    let own = group("sg-0own");
    let judge = Judge::new(baseline, rule.direction(), Some(&own), lists, today());
    pieces(&judge, rule, &Traffic::empty()).unwrap()
}

fn texts(rules: &[Rule]) -> Vec<String> {
    rules.iter().map(rule_text).collect()
}

/// A baseline that admits this in ingress and nothing else.
fn admitting(what: &str) -> Baseline {
    custom(&format!(
        "version: 1\nname: t\ningress:\n- {{ name: one, {what} }}\negress: []\nexemptions: []\n"
    ))
}

#[test]
fn of_icmp_what_one_rule_can_hold_is_left() {
    let office = "peers: [203.0.113.0/24]";
    for (types, of, left) in [
        // Every type is one rule, not 256.
        ("", "icmp * 0.0.0.0/0", vec!["all icmp from 203.0.113.0/24"]),
        // One code, not the whole type: the rule never admitted the others.
        (", ports: [8]", "icmp 8..0 0.0.0.0/0", vec!["icmp type 8 code 0 from 203.0.113.0/24"]),
        // Types that follow on each other need a rule each.
        (
            ", ports: [\"3-4\"]",
            "icmp * 0.0.0.0/0",
            vec!["icmp type 3 from 203.0.113.0/24", "icmp type 4 from 203.0.113.0/24"],
        ),
        (", ports: [8]", "icmp * 0.0.0.0/0", vec!["icmp type 8 from 203.0.113.0/24"]),
        (", ports: [8]", "icmp 3..-1 0.0.0.0/0", vec![]),
    ] {
        let baseline = admitting(&format!("protocol: icmp{types}, {office}"));
        let rule = rule(of);
        let pieces = left_of(&baseline, &Lists::new(), &rule);
        assert_eq!(texts(&pieces), left, "{types} of {of}");
        assert!(pieces.iter().all(|piece| piece.traffic().is_subset_of(&rule.traffic())), "{of}");
    }
}

#[test]
fn a_list_that_the_baseline_names_is_left_as_that_list() {
    let lists = [("pl-office", vec!["203.0.113.0/24"]), ("pl-empty", vec![])];
    let lists: Lists = lists
        .into_iter()
        .map(|(id, nets)| {
            (list(id), Ok(nets.into_iter().map(|net| net.parse::<IpNet>().unwrap()).collect()))
        })
        .collect();
    for (sources, of, left) in [
        ("pl-office", "tcp 20..25 pl-office", vec!["tcp 22 from pl-office"]),
        ("pl-office", "tcp 20..25 0.0.0.0/0", vec!["tcp 22 from pl-office"]),
        // A list with entries of the other family only is no part of it.
        ("pl-office", "tcp 20..25 ::/0", vec![]),
        // One without entries may get some.
        ("pl-empty", "tcp 20..25 ::/0", vec!["tcp 22 from pl-empty"]),
    ] {
        assert_eq!(texts(&left_of(&standard(sources), &lists, &rule(of))), left, "{of}");
    }
}

#[test]
fn every_piece_of_a_rule_is_known_as_its_piece() {
    let lists: Lists = [(list("pl-shop"), Ok(vec!["198.51.100.0/24".parse().unwrap()]))].into();
    for (baseline, of, left) in [
        (
            standard(OFFICE),
            "tcp 20..443 0.0.0.0/0",
            vec!["tcp 443 from 0.0.0.0/0", "tcp 80 from 0.0.0.0/0", "tcp 22 from 203.0.113.0/24"],
        ),
        // A group is a piece of a rule from anywhere.
        (
            admitting("protocol: tcp, ports: [22], peers: [sg-0bastion]"),
            "tcp 20..25 ::/0",
            vec!["tcp 22 from sg-0bastion"],
        ),
        // Addresses are pieces of a rule that names a list.
        (
            admitting("protocol: tcp, ports: [22], peers: [198.51.100.7/32]"),
            "tcp 20..25 pl-shop",
            vec!["tcp 22 from 198.51.100.7/32"],
        ),
    ] {
        for id in [None, Some("sgr-0123456789abcdef0".parse().unwrap())] {
            let rule = rule(of).with_id(id);
            let pieces = left_of(&baseline, &lists, &rule);
            assert_eq!(texts(&pieces), left, "{of}");
            assert!(pieces.iter().all(|piece| is_piece_of(piece, &rule)), "{pieces:#?}");
        }
    }
}

#[test]
fn a_description_alone_makes_no_piece() {
    let id = "sgr-0123456789abcdef0";
    let of = |text: &str| rule(text).with_id(Some(id.parse().unwrap()));
    let from = of("tcp 20..443 203.0.112.0/23");
    let text = rule_text(&from);
    let described = |rule: Rule, description: &str| {
        is_piece_of(&rule.with_description(Some(description.to_owned())), &from)
    };
    let right = format!("kept by typo3-sg-auditor from {id} ({text})");
    let piece = || rule("tcp 22 203.0.113.0/24");
    assert!(described(piece(), &right));
    for wrong in [
        "",
        &text,
        "kept by typo3-sg-auditor from ",
        &format!("kept by us from {id} ({text})"),
        &format!("kept by typo3-sg-auditor from sgr-0fedcba9876543210 ({text})"),
        &format!("kept by typo3-sg-auditor from {id} (tcp 22 203.0.112.0/23)"),
        &format!("{right} and more"),
    ] {
        assert!(!described(piece(), wrong), "{wrong}");
    }
    assert!(!is_piece_of(&piece(), &from));
    for wider in [
        "tcp 22 203.0.0.0/16",
        "tcp 22 0.0.0.0/0",
        "tcp 22 2001:db8:1::/48",
        "tcp 22 sg-0bastion",
        "tcp 22 pl-office",
        "tcp 22..444 203.0.113.0/24",
        "udp 22 203.0.113.0/24",
    ] {
        assert!(!described(rule(wider), &right), "{wider}");
    }
    assert!(!described(piece().with_direction(Direction::Egress), &right));
    // Whatever the group or list admits, it admits only on the ports of the rule.
    let from = of("tcp 20..25 0.0.0.0/0");
    let right = format!("kept by typo3-sg-auditor from {id} ({})", rule_text(&from));
    let described =
        |text: &str| is_piece_of(&rule(text).with_description(Some(right.clone())), &from);
    assert!(described("tcp 22 sg-0bastion"));
    assert!(!described("tcp 22..80 sg-0bastion"));
}
