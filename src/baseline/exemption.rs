//! When an exemption counts, and how to make one from a rule.

use chrono::{Days, NaiveDate};

use super::model::{Baseline, BaselinePeer, Exemption, PeerTerm};
use crate::ec2::{GroupId, Peer, Rule};
use crate::net::Interval;

/// How many days before its last day an exemption is reported as ending.
const SOON: Days = Days::new(30);

impl Baseline {
    /// The exemptions that have expired or end within 30 days.
    pub fn ending(&self, today: NaiveDate) -> impl Iterator<Item = &Exemption> {
        let soon = today.checked_add_days(SOON).unwrap_or(NaiveDate::MAX);
        self.exemptions.iter().filter(move |exemption| exemption.until <= soon)
    }
}

impl Exemption {
    /// Whether it still counts. It does until its last day ends in UTC.
    pub fn is_active(&self, today: NaiveDate) -> bool {
        today <= self.until
    }

    /// The exemption for everything that a rule admits in one group. For an ICMP type with a single
    /// code it exempts all codes of the type, because a baseline has no codes.
    pub fn covering(rule: &Rule, group: GroupId, reason: &str, until: NaiveDate) -> Self {
        let peer = match rule.peer() {
            Peer::Ipv4(net) => BaselinePeer::Cidr((*net).into()),
            Peer::Ipv6(net) => BaselinePeer::Cidr((*net).into()),
            Peer::Reference(reference) => BaselinePeer::Reference(reference.clone()),
        };
        let mut ports = Interval::from(rule.selector());
        if rule.protocol().is_icmp() {
            ports = Interval::new(ports.first() & 0xff00, ports.last() | 0xff);
        }
        Self {
            group,
            direction: rule.direction(),
            protocol: rule.protocol(),
            ports: ports.into(),
            peers: vec![PeerTerm::Peer(peer)],
            reason: reason.to_owned(),
            until,
        }
    }
}
