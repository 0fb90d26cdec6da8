//! The traffic that a rule admits.

use super::address::{interval_ipv4, interval_ipv6};
use super::interval::{Interval, IntervalSet};
use super::set::Set;
use super::traffic::{Cells, ReferenceSet, Traffic};
use crate::ec2::{Peer, Protocol, Rule, Selector};

impl From<Protocol> for Interval<u8> {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::All => Self::full(),
            Protocol::Number(number) => Self::new(number, number),
        }
    }
}

impl From<Selector> for Interval<u16> {
    fn from(selector: Selector) -> Self {
        Self::new(selector.first(), selector.last())
    }
}

impl From<Selector> for IntervalSet<u16> {
    fn from(selector: Selector) -> Self {
        Interval::from(selector).into()
    }
}

impl From<Interval<u16>> for Selector {
    fn from(interval: Interval<u16>) -> Self {
        Self::new(interval.first(), interval.last())
    }
}

impl Cells {
    /// Every protocol with every selector.
    pub fn everything() -> Self {
        Self::product(&IntervalSet::full(), &IntervalSet::full())
    }

    /// The cells of one protocol with these selectors.
    pub fn of_protocol(protocol: Protocol, selectors: &IntervalSet<u16>) -> Self {
        Self::product(&Interval::from(protocol).into(), selectors)
    }
}

impl Rule {
    /// The protocols and selectors that the rule admits, for any peer.
    pub fn cells(&self) -> Cells {
        Cells::of_protocol(self.protocol(), &self.selector().into())
    }

    /// The traffic that the rule admits. A group or a list is part of it by its name.
    pub fn traffic(&self) -> Traffic {
        let (mut ipv4, mut ipv6) = (IntervalSet::empty(), IntervalSet::empty());
        let mut references = ReferenceSet::empty();
        match self.peer() {
            Peer::Ipv4(net) => ipv4 = interval_ipv4(net).into(),
            Peer::Ipv6(net) => ipv6 = interval_ipv6(net).into(),
            Peer::Reference(reference) => {
                references = std::iter::once(reference.clone()).collect();
            }
        }
        Traffic::new(&self.cells(), &ipv4, &ipv6, &references)
    }
}
