//! How many rules a group holds.

use crate::baseline::Lists;
use crate::ec2::{Peer, Reference, Rule};

/// How much of the limit a rule, or several of them, use up.
#[derive(Clone, Copy, Default)]
struct Weight {
    ipv4: usize,
    ipv6: usize,
}

/// Whether `rule` would be one too many beside `rules`.
pub(super) fn is_exceeded(rules: &[Rule], rule: &Rule, limit: usize, lists: &Lists) -> bool {
    let own = weight(rule, lists);
    let taken = rules.iter().filter(|other| other.direction() == rule.direction()).fold(
        Weight::default(),
        |sum, other| {
            let weight = weight(other, lists);
            Weight { ipv4: sum.ipv4 + weight.ipv4, ipv6: sum.ipv6 + weight.ipv6 }
        },
    );
    (own.ipv4 > 0 && taken.ipv4 + own.ipv4 > limit)
        || (own.ipv6 > 0 && taken.ipv6 + own.ipv6 > limit)
}

/// A group counts in both families, and a prefix list as often as it has room for entries. The room
/// is not known here, so the entries it has are counted.
fn weight(rule: &Rule, lists: &Lists) -> Weight {
    match rule.peer() {
        Peer::Ipv4(_) => Weight { ipv4: 1, ipv6: 0 },
        Peer::Ipv6(_) => Weight { ipv4: 0, ipv6: 1 },
        Peer::Reference(Reference::Group(_)) => Weight { ipv4: 1, ipv6: 1 },
        Peer::Reference(Reference::PrefixList(id)) => match lists.get(id) {
            Some(Ok(entries)) => {
                let ipv4 = entries.iter().filter(|entry| entry.addr().is_ipv4()).count();
                Weight { ipv4, ipv6: entries.len() - ipv4 }
            }
            Some(Err(_)) | None => Weight { ipv4: 1, ipv6: 1 },
        },
    }
}
