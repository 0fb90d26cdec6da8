//! Exemptions: until when they count, and one made from a rule.

use chrono::{Days, NaiveDate};

use super::{Baseline, BaselinePeer, Exemption, PeerTerm};
use crate::ec2::ids::{is_group_id, is_list_id};
use crate::ec2::{Peer, Rule, icmp_selector};
use crate::net::{Interval, Reference};

/// How many days before its last day it is said that an exemption ends.
const SOON: Days = Days::new(30);

impl Baseline {
    /// The exemptions that have expired, or end within 30 days.
    pub fn ending(&self, today: NaiveDate) -> impl Iterator<Item = &Exemption> {
        let soon = today.checked_add_days(SOON).unwrap_or(NaiveDate::MAX);
        self.exemptions.iter().filter(move |exemption| exemption.until <= soon)
    }
}

impl Exemption {
    /// Whether it still counts: until its day has ended in UTC.
    pub fn is_active(&self, today: NaiveDate) -> bool {
        today <= self.until
    }

    /// The exemption of all that a rule admits, in one group. Of an ICMP type with a single code it
    /// is all codes, since a baseline does not tell them apart. `None` where the group or the peer
    /// has an id that a baseline could not name.
    pub fn covering(rule: &Rule, group: &str, reason: &str, until: NaiveDate) -> Option<Self> {
        let peer = match &rule.peer {
            Peer::Ipv4(net) => BaselinePeer::Cidr((*net).into()),
            Peer::Ipv6(net) => BaselinePeer::Cidr((*net).into()),
            Peer::Reference(reference) => BaselinePeer::Reference(reference.clone()),
        };
        let nameable = match &peer {
            BaselinePeer::Reference(Reference::Group(group)) => is_group_id(&group.id),
            BaselinePeer::Reference(Reference::PrefixList(id)) => is_list_id(id),
            BaselinePeer::Cidr(_) | BaselinePeer::Own => true,
        };
        if !nameable || !is_group_id(group) {
            return None;
        }
        let mut ports = rule.selector();
        if rule.protocol.is_icmp() {
            let [first, _] = ports.first().to_be_bytes();
            let [last, _] = ports.last().to_be_bytes();
            let (first, last) = (icmp_selector(first, None), icmp_selector(last, None));
            ports = Interval::new(first.first(), last.last());
        }
        Some(Self {
            group: group.to_owned(),
            direction: rule.direction,
            protocol: rule.protocol,
            ports: ports.into(),
            peers: vec![PeerTerm::Peer(peer)],
            reason: reason.to_owned(),
            until,
        })
    }
}
