//! The published controls that a finding answers to.
//!
//! CIS AWS Foundations Benchmark numbers by version, and AWS Security Hub's EC2 controls. All of
//! them look for 0.0.0.0/0 or ::/0 in the rule, literally; other ways of being wide have none.

use super::severity::RDP;
use crate::ec2::{DEFAULT_GROUP, Direction, Peer, Protocol, Rule};
use crate::net::{Cells, Interval, Set};

/// The ports that EC2.19 calls high-risk.
const HIGH_RISK: [u16; 24] = [
    20, 21, 22, 23, 25, 110, 135, 143, 445, 1433, 1434, 3000, 3306, 3389, 4333, 5000, 5432, 5500,
    5601, 8080, 8088, 8888, 9200, 9300,
];

/// The default group of a VPC is to have no rules at all, whatever they admit.
const OF_DEFAULT_GROUP: [&str; 4] = ["CIS 3.0.0 5.4", "CIS 5.0.0 5.5", "CIS 7.0.0 6.5", "EC2.2"];

/// All of them that findings can answer to.
pub const ALL: [&str; 16] = [
    "CIS 3.0.0 5.2",
    "CIS 3.0.0 5.3",
    "CIS 3.0.0 5.4",
    "CIS 5.0.0 5.3",
    "CIS 5.0.0 5.4",
    "CIS 5.0.0 5.5",
    "CIS 7.0.0 6.3",
    "CIS 7.0.0 6.4",
    "CIS 7.0.0 6.5",
    "EC2.2",
    "EC2.13",
    "EC2.14",
    "EC2.18",
    "EC2.19",
    "EC2.53",
    "EC2.54",
];

/// The controls that look for SSH from anywhere, by either family: a group with what a wide baseline
/// admits fails them.
pub const OF_WIDE_BASELINE: [&str; 7] = [
    "CIS 3.0.0 5.2",
    "CIS 3.0.0 5.3",
    "CIS 5.0.0 5.3",
    "CIS 5.0.0 5.4",
    "CIS 7.0.0 6.3",
    "CIS 7.0.0 6.4",
    "EC2.13",
];

/// The controls that a rule with this excess fails in a group of this name.
pub fn controls(rule: &Rule, excess: &Cells, group: Option<&str>) -> Vec<&'static str> {
    let mut out = Vec::new();
    if group == Some(DEFAULT_GROUP) {
        out.extend(OF_DEFAULT_GROUP);
    }
    if rule.direction() == Direction::Ingress && rule.peer().is_anywhere() && !excess.is_empty() {
        out.extend(of_open_ingress(matches!(rule.peer(), Peer::Ipv6(_)), excess));
    }
    out
}

/// The controls that ingress from 0.0.0.0/0 fails, or from ::/0.
fn of_open_ingress(ipv6: bool, excess: &Cells) -> Vec<&'static str> {
    let opens = |port: u16| {
        let point = Interval::new(port, port);
        let cell: Cells = Cells::of_protocol(Protocol::TCP, &point.into());
        cell.is_subset_of(excess)
    };
    let (ssh, rdp) = (opens(22), opens(RDP));
    let mut out = Vec::new();
    if ssh || rdp {
        out.extend(if ipv6 {
            ["CIS 3.0.0 5.3", "CIS 5.0.0 5.4", "CIS 7.0.0 6.4"]
        } else {
            ["CIS 3.0.0 5.2", "CIS 5.0.0 5.3", "CIS 7.0.0 6.3"]
        });
    }
    if ssh {
        out.push("EC2.13");
    }
    if rdp {
        out.push("EC2.14");
    }
    out.push("EC2.18");
    if HIGH_RISK.iter().any(|port| opens(*port)) {
        out.push("EC2.19");
    }
    if ssh || rdp {
        out.push(if ipv6 { "EC2.54" } else { "EC2.53" });
    }
    out
}

#[cfg(test)]
mod tests;
