//! How bad a finding is: one table, by what is exposed, to whom, and in which direction.
//!
//! | ingress beyond the baseline | SSH | RDP | a database | everything | ICMP alone | anything else |
//! |---|---|---|---|---|---|---|
//! | from the Internet (a [wide](crate::net::wide_ipv4) set) | critical | critical | critical | critical | low | high |
//! | from a public range | high | high | high | high | low | medium |
//! | from a single public host | medium | medium | medium | medium | low | low |
//! | from private addresses | low | low | low | low | low | low |
//! | from a group, or a list by its name | low | low | low | low | low | low |
//! | from a group of an account that the baseline does not name | medium | low | low | medium | low | low |
//!
//! Egress beyond the baseline is medium to the Internet and low to anybody else, whatever it is. The
//! worst of what a rule exposes counts. `docs/findings.md` has the same table; a test compares them.
//! Findings that are not about a rule's excess get their severity from the functions below.

use super::{Code, Judge, Judgement};
use crate::ec2::{Direction, Peer, Protocol, Reference, Rule, Selector};
use crate::net::{
    Cells, Interval, IntervalSet, Layers, Set, Traffic, host_count, network_count_ipv6,
    public_ipv4, public_ipv6, wide_ipv4, wide_ipv6,
};
pub use crate::settings::Severity;

/// The port of RDP.
pub const RDP: u16 = 3389;

/// The ports of the databases and stores that sites run beside TYPO3: Microsoft SQL Server, Oracle,
/// MySQL and MariaDB, PostgreSQL, Redis, OpenSearch, Memcached, MongoDB.
pub const DATABASES: [u16; 10] = [1433, 1434, 1521, 3306, 5432, 6379, 9200, 9300, 11211, 27017];

/// A change that nobody could judge may be any change.
pub const UNAUDITED_CHANGE: Severity = Severity::High;

/// Whether changes are audited could not be looked up, and mostly they are.
pub const TRAIL_NOT_SEEN: Severity = Severity::Low;

/// Taking a group out of the scope is how an audit is evaded.
pub const LEFT_SCOPE: Severity = Severity::High;

/// The least severity of a change that weakens the auditor, even if a deployment made it.
pub const AUDITOR_WEAKENED: Severity = Severity::Medium;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exposed {
    Ssh,
    Rdp,
    Database,
    Icmp,
    Else,
    /// All of these, or what of it the baseline does not admit.
    Everything,
}

/// How many addresses reach it, the most last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Audience {
    Group,
    /// A group of an account that the baseline does not name.
    Stranger,
    Private,
    OneHost,
    Range,
    Internet,
}

fn in_table(direction: Direction, exposed: Exposed, audience: Audience) -> Severity {
    use Severity::{Critical, High, Low, Medium};
    if direction == Direction::Egress {
        return if audience == Audience::Internet { Medium } else { Low };
    }
    match (exposed, audience) {
        (Exposed::Ssh | Exposed::Everything, Audience::Stranger) => Medium,
        (Exposed::Icmp, _) | (_, Audience::Group | Audience::Stranger | Audience::Private) => Low,
        (Exposed::Else, Audience::OneHost) => Low,
        (Exposed::Else, Audience::Range) => Medium,
        (Exposed::Else, Audience::Internet) => High,
        (_, Audience::OneHost) => Medium,
        (_, Audience::Range) => High,
        (_, Audience::Internet) => Critical,
    }
}

/// The severity of a finding about a rule.
pub fn severity(code: Code, rule: &Rule, judgement: &Judgement, judge: &Judge<'_>) -> Severity {
    let (direction, ssh) = (rule.direction(), judge.ssh());
    if code == Code::UnresolvedPeer {
        let hangs = !judgement.unresolved.within(&ssh).is_empty();
        return if hangs && direction == Direction::Ingress {
            Severity::High
        } else {
            Severity::Medium
        };
    }
    let is_stranger = is_stranger(rule, judge);
    let audience = |part: &Traffic| match audience(part) {
        Audience::Group if is_stranger => Audience::Stranger,
        audience => audience,
    };
    // To others everything is as bad as the worst of its parts.
    let everything = (is_stranger && admits_everything(rule))
        .then(|| (Exposed::Everything, judgement.excess.clone()));
    exposures(&ssh)
        .into_iter()
        .map(|(exposed, cells)| (exposed, judgement.excess.within(&cells)))
        .chain(everything)
        .filter(|(_, part)| !part.is_empty())
        .map(|(exposed, part)| in_table(direction, exposed, audience(&part)))
        .max()
        .unwrap_or(Severity::Low)
}

/// Whether the rule names a group of another account, and the baseline names nobody there.
fn is_stranger(rule: &Rule, judge: &Judge<'_>) -> bool {
    let Peer::Reference(Reference::Group(group)) = rule.peer() else { return false };
    group.account().is_some_and(|account| !judge.names(account))
}

/// Whether the rule admits every protocol, or every port of TCP.
fn admits_everything(rule: &Rule) -> bool {
    matches!(rule.protocol(), Protocol::All | Protocol::TCP) && rule.selector() == Selector::ALL
}

/// The severity of traffic that the site lives on and that was closed. `known`: it is known that the
/// change closed it; `others`: more that the site lives on is still let through in that direction.
pub fn expected_traffic_closed(known: bool, others: bool) -> Severity {
    match (known, others) {
        (true, false) => Severity::High,
        (true, true) => Severity::Medium,
        (false, _) => Severity::Low,
    }
}

/// The severity of a baseline that lets the Internet reach SSH: informational if it always does, high
/// if a change made it so.
pub fn open_ssh_in_baseline(by_change: bool) -> Severity {
    if by_change { Severity::High } else { Severity::Informational }
}

/// The severity of a change of something that the auditor depends on. Deployments make such changes;
/// anybody else rarely has a reason to.
pub fn auditor_changed(by_deployment: bool) -> Severity {
    if by_deployment { Severity::Low } else { Severity::High }
}

/// Where each kind is exposed.
fn exposures(ssh: &Cells) -> [(Exposed, Cells); 5] {
    let everything = Cells::everything();
    [
        (Exposed::Ssh, ssh.clone()),
        (Exposed::Rdp, tcp(&[RDP])),
        (Exposed::Database, tcp(&DATABASES)),
        (Exposed::Icmp, icmp()),
        (Exposed::Else, everything.difference(&icmp())),
    ]
}

fn icmp() -> Cells {
    let both = [Protocol::ICMP, Protocol::ICMPV6].map(Interval::from);
    Layers::product(&both.into_iter().collect(), &IntervalSet::full())
}

fn tcp(ports: &[u16]) -> Cells {
    let ports: IntervalSet<u16> = ports.iter().map(|port| Interval::new(*port, *port)).collect();
    Cells::of_protocol(Protocol::TCP, &ports)
}

fn audience(traffic: &Traffic) -> Audience {
    let (ipv4, ipv6) = (traffic.peers_ipv4(), traffic.peers_ipv6());
    if ipv4.is_empty() && ipv6.is_empty() {
        return Audience::Group;
    }
    let (ipv4, ipv6) = (ipv4.intersection(public_ipv4()), ipv6.intersection(public_ipv6()));
    if wide_ipv4(&ipv4) || wide_ipv6(&ipv6) {
        Audience::Internet
    } else if host_count(&ipv4) > 1 || network_count_ipv6(&ipv6) > 1 {
        Audience::Range
    } else if ipv4.is_empty() && ipv6.is_empty() {
        Audience::Private
    } else {
        Audience::OneHost
    }
}

#[cfg(test)]
mod tests;
