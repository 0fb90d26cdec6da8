//! The published controls that a finding answers to.
//!
//! CIS AWS Foundations Benchmark numbers by version, and AWS Security Hub's EC2 controls. All of
//! them look for 0.0.0.0/0 or ::/0 in the rule, literally; other ways of being wide have none.

use strum::{IntoStaticStr, VariantArray};

use super::severity::RDP;
use crate::ec2::{DEFAULT_GROUP, Direction, Peer, Protocol, Rule};
use crate::net::{Cells, Interval, Set};

/// The ports that EC2.19 calls high-risk.
const HIGH_RISK: [u16; 24] = [
    20, 21, 22, 23, 25, 110, 135, 143, 445, 1433, 1434, 3000, 3306, 3389, 4333, 5000, 5432, 5500,
    5601, 8080, 8088, 8888, 9200, 9300,
];

/// A published control that a finding can answer to. It is written as the version and the number in
/// the CIS AWS Foundations Benchmark, or as Security Hub's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum Control {
    #[strum(serialize = "CIS 3.0.0 5.2")]
    Cis3Ipv4,
    #[strum(serialize = "CIS 3.0.0 5.3")]
    Cis3Ipv6,
    #[strum(serialize = "CIS 3.0.0 5.4")]
    Cis3DefaultGroup,
    #[strum(serialize = "CIS 5.0.0 5.3")]
    Cis5Ipv4,
    #[strum(serialize = "CIS 5.0.0 5.4")]
    Cis5Ipv6,
    #[strum(serialize = "CIS 5.0.0 5.5")]
    Cis5DefaultGroup,
    #[strum(serialize = "CIS 7.0.0 6.3")]
    Cis7Ipv4,
    #[strum(serialize = "CIS 7.0.0 6.4")]
    Cis7Ipv6,
    #[strum(serialize = "CIS 7.0.0 6.5")]
    Cis7DefaultGroup,
    #[strum(serialize = "EC2.2")]
    DefaultGroup,
    #[strum(serialize = "EC2.13")]
    Ssh,
    #[strum(serialize = "EC2.14")]
    Rdp,
    #[strum(serialize = "EC2.18")]
    PublicPorts,
    #[strum(serialize = "EC2.19")]
    HighRiskPorts,
    #[strum(serialize = "EC2.53")]
    AdministrationIpv4,
    #[strum(serialize = "EC2.54")]
    AdministrationIpv6,
}

impl Control {
    /// The control as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The default group of a VPC is to have no rules at all, whatever they admit.
const OF_DEFAULT_GROUP: [Control; 4] = [
    Control::Cis3DefaultGroup,
    Control::Cis5DefaultGroup,
    Control::Cis7DefaultGroup,
    Control::DefaultGroup,
];

/// The controls that look for SSH from anywhere, by either family: a group with what a wide baseline
/// admits fails them.
pub const OF_WIDE_BASELINE: [Control; 7] = [
    Control::Cis3Ipv4,
    Control::Cis3Ipv6,
    Control::Cis5Ipv4,
    Control::Cis5Ipv6,
    Control::Cis7Ipv4,
    Control::Cis7Ipv6,
    Control::Ssh,
];

/// The controls that a rule with this excess fails in a group of this name.
pub fn controls(rule: &Rule, excess: &Cells, group: Option<&str>) -> Vec<Control> {
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
fn of_open_ingress(ipv6: bool, excess: &Cells) -> Vec<Control> {
    let opens = |port: u16| {
        let point = Interval::new(port, port);
        let cell: Cells = Cells::of_protocol(Protocol::TCP, &point.into());
        cell.is_subset_of(excess)
    };
    let (ssh, rdp) = (opens(22), opens(RDP));
    let mut out = Vec::new();
    if ssh || rdp {
        out.extend(if ipv6 {
            [Control::Cis3Ipv6, Control::Cis5Ipv6, Control::Cis7Ipv6]
        } else {
            [Control::Cis3Ipv4, Control::Cis5Ipv4, Control::Cis7Ipv4]
        });
    }
    if ssh {
        out.push(Control::Ssh);
    }
    if rdp {
        out.push(Control::Rdp);
    }
    out.push(Control::PublicPorts);
    if HIGH_RISK.iter().any(|port| opens(*port)) {
        out.push(Control::HighRiskPorts);
    }
    if ssh || rdp {
        out.push(if ipv6 { Control::AdministrationIpv6 } else { Control::AdministrationIpv4 });
    }
    out
}

#[cfg(test)]
mod tests;
