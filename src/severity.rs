//! How bad a finding is: one table.
//!
//! | ingress excess to | SSH, RDP or everything | a database | anything else |
//! |---|---|---|---|
//! | the Internet (a [wide](crate::net::wide_ipv4) set) | critical | critical | high |
//! | a public range | high | high | medium |
//! | a single public host | medium | medium | low |
//! | private addresses, a group or a list by name | low | low | low |
//!
//! ICMP alone is low: it answers and carries nothing. Egress beyond the baseline is medium to the
//! Internet and low to anybody else. A peer that could not be resolved is medium, and high where SSH
//! hangs on it. What could not be audited is high.

use crate::evaluate::Judgement;
use crate::finding::{Code, Severity};
use crate::net::{
    Cells, Interval, IntervalSet, Layers, Set, Traffic, host_count, network_count_ipv6,
    public_ipv4, public_ipv6, wide_ipv4, wide_ipv6,
};
use crate::rule::{Direction, Protocol};

/// RDP.
pub const RDP: u16 = 3389;

/// The ports of the databases and stores that sites run beside TYPO3: Microsoft SQL Server, Oracle,
/// MySQL and MariaDB, PostgreSQL, Redis, OpenSearch, Memcached, MongoDB.
pub const DATABASES: [u16; 10] = [1433, 1434, 1521, 3306, 5432, 6379, 9200, 9300, 11211, 27017];

/// How many addresses reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Audience {
    Private,
    OneHost,
    Range,
    Internet,
}

/// The severity of a finding about a rule.
pub fn severity(code: Code, direction: Direction, judgement: &Judgement, ssh: &Cells) -> Severity {
    if code == Code::UnresolvedPeer {
        let hangs = !judgement.unresolved.within(ssh).is_empty();
        return if hangs && direction == Direction::Ingress {
            Severity::High
        } else {
            Severity::Medium
        };
    }
    let public = judgement.public_excess();
    if direction == Direction::Egress {
        return match audience(&public) {
            Audience::Internet => Severity::Medium,
            _ => Severity::Low,
        };
    }
    if public.cells().is_subset_of(&icmp()) {
        return Severity::Low;
    }
    let worst = |traffic: &Traffic, ladder: [Severity; 4]| {
        let [private, one, range, internet] = ladder;
        match audience(traffic) {
            Audience::Private => private,
            Audience::OneHost => one,
            Audience::Range => range,
            Audience::Internet => internet,
        }
    };
    use Severity::{Critical, High, Low, Medium};
    let sensitive = ssh.union(&tcp(&[RDP])).union(&tcp(&DATABASES));
    worst(&public.within(&sensitive), [Low, Medium, High, Critical])
        .max(worst(&public, [Low, Low, Medium, High]))
}

fn icmp() -> Cells {
    let both = [Protocol::ICMP, Protocol::ICMPV6].map(Protocol::numbers);
    Layers::product(&both.into_iter().collect(), &IntervalSet::full())
}

fn tcp(ports: &[u16]) -> Cells {
    let ports: IntervalSet<u16> = ports.iter().map(|port| Interval::new(*port, *port)).collect();
    Layers::product(&Protocol::TCP.numbers().into(), &ports)
}

fn audience(public: &Traffic) -> Audience {
    let ipv4 = public.peers_ipv4().intersection(public_ipv4());
    let ipv6 = public.peers_ipv6().intersection(public_ipv6());
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
