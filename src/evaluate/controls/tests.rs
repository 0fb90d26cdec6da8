//! The table of controls in `docs/findings.md`, cell by cell.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::*;
use crate::baseline::{Baseline, Lists};
use crate::evaluate::Judge;

const DOCUMENTED: &str = include_str!("../../../docs/findings.md");

/// The controls that a finding about this rule in a group of this name has.
fn named(direction: Direction, protocol: &str, port: i32, peer: &str, group: &str) -> Vec<Control> {
    let day = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
    let baseline = Baseline::load("restricted-egress", day).unwrap();
    let lists = Lists::new();
    let judge = Judge::new(&baseline, direction, None, &lists, day);
    let (protocol, peer) = (protocol.parse().unwrap(), peer.parse().unwrap());
    let rule = Rule::new(direction, protocol, Some(port), Some(port), peer).unwrap();
    controls(&rule, &judge.judge(&rule).excess.cells(), Some(group))
}

fn tcp(port: i32, peer: &str) -> Vec<Control> {
    named(Direction::Ingress, "tcp", port, peer, "web")
}

#[test]
fn the_controls_are_what_the_table_says() {
    let (_, section) = DOCUMENTED.split_once("\n## Controls\n").unwrap();
    let mut rows = section.lines().filter(|line| line.starts_with('|')).map(|row| {
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().replace('`', "")).collect::<Vec<_>>()
    });
    let head = rows.next().unwrap();
    assert_eq!(head[1..], ["CIS AWS Foundations 3.0.0", "5.0.0", "7.0.0", "Security Hub"]);
    let mut met = 0;
    for row in rows.skip(1) {
        let cells = row[1..].iter().zip(["CIS 3.0.0 ", "CIS 5.0.0 ", "CIS 7.0.0 ", ""]);
        let written = cells.flat_map(|(cell, version)| {
            let each = cell.split(", ").filter(|control| *control != "–");
            each.map(move |control| format!("{version}{control}"))
        });
        let written: BTreeSet<String> = written.collect();
        let found = match row[0].as_str() {
            "SSH from 0.0.0.0/0" => vec![tcp(22, "0.0.0.0/0")],
            "SSH from ::/0" => vec![tcp(22, "::/0")],
            "RDP from 0.0.0.0/0" => vec![tcp(3389, "0.0.0.0/0")],
            "RDP from ::/0" => vec![tcp(3389, "::/0")],
            "a port that EC2.19 calls high-risk" => [25, 3306, 8080, 9300]
                .into_iter()
                .flat_map(|port| [tcp(port, "0.0.0.0/0"), tcp(port, "::/0")])
                .collect(),
            "anything else" => vec![tcp(8000, "0.0.0.0/0"), tcp(27017, "::/0")],
            "SSH by the baseline itself, whatever the rules are" => {
                vec![OF_WIDE_BASELINE.to_vec()]
            }
            "a rule in the group default, in or out" => vec![
                named(Direction::Ingress, "tcp", 22, "10.0.0.0/8", "default"),
                named(Direction::Ingress, "tcp", 8000, "sg-0a", "default"),
                named(Direction::Egress, "tcp", 25, "0.0.0.0/0", "default"),
            ],
            other => panic!("{other}"),
        };
        for found in found {
            let each: BTreeSet<String> = found.iter().map(|it| it.as_str().to_owned()).collect();
            assert_eq!(each, written, "{}", row[0]);
            assert_eq!(found.len(), written.len(), "{}: one twice", row[0]);
        }
        met += 1;
    }
    assert_eq!(met, 8);
}

#[test]
fn other_rules_have_no_controls() {
    let none: [Control; 0] = [];
    assert_eq!(tcp(22, "0.0.0.0/1"), none);
    assert_eq!(tcp(22, "8.8.8.8/32"), none);
    assert_eq!(tcp(443, "0.0.0.0/0"), none);
    assert_eq!(named(Direction::Egress, "tcp", 25, "0.0.0.0/0", "web"), none);
    // Only EC2 can give a group the name `default`.
    assert_eq!(named(Direction::Ingress, "tcp", 22, "10.0.0.0/8", "Default"), none);
}

#[test]
fn open_ssh_in_the_default_group_has_the_controls_of_both() {
    let found = named(Direction::Ingress, "tcp", 22, "0.0.0.0/0", "default");
    for name in ["CIS 5.0.0 5.3", "CIS 5.0.0 5.5", "EC2.13", "EC2.2"] {
        assert!(found.iter().any(|control| control.as_str() == name), "{name}: {found:?}");
    }
}
