//! What a baseline and each of those under `baselines` have in common: peer sets, entries and
//! exemptions.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::entries::Entries;
use super::fields::{Faults, Fields, Key, optional, required};
use super::values::{Numbers, OWN, is_set_name, not_a_peer, peer};
use super::yaml::Value;
use crate::baseline::model::{ANYWHERE, Baseline, BaselinePeer};
use crate::ec2::Direction;
use crate::net::{Interval, IntervalSet, Set};
use crate::text::in_backticks;

/// Where SSH listens if a baseline does not say otherwise.
pub const SSH_PORT: u16 = 22;

/// The keys that both have.
pub(super) const BODY: [Key; 5] = [
    optional("peer_sets"),
    optional("ssh_ports"),
    required("ingress", "ingress: and a list of entries, or [] if nothing may come in"),
    required("egress", "egress: and a list of entries, or [] if nothing may go out"),
    optional("exemptions"),
];

/// Reads a baseline of this name. Its entries can name its own peer sets and these.
pub(super) fn body(
    name: &str,
    fields: &Fields<'_>,
    sets: &BTreeMap<String, Vec<BaselinePeer>>,
    today: NaiveDate,
    faults: &mut Faults,
) -> Option<Baseline> {
    let before = faults.0.len();
    let mut all = sets.clone();
    all.extend(peer_sets(fields, faults));
    let peer_sets = all;
    let ssh_ports = ssh_ports(fields, faults);
    let mut entries = Entries { faults, peer_sets: &peer_sets, today };
    let ingress = fields.get("ingress").map(|node| entries.list(node, Direction::Ingress));
    let egress = fields.get("egress").map(|node| entries.list(node, Direction::Egress));
    let exemptions = fields.get("exemptions").map(|node| entries.exemptions(node));
    let baseline = Baseline {
        name: name.to_owned(),
        peer_sets,
        ssh_ports: ssh_ports?,
        ingress: ingress?,
        egress: egress?,
        exemptions: exemptions.unwrap_or_default(),
        bindings: Vec::new(),
    };
    // After a fault, entries are missing and cannot be counted.
    if faults.0.len() == before {
        for direction in Direction::BOTH {
            let name = direction.to_string();
            if let (Some(node), Some(message)) =
                (fields.get(&name), baseline.too_fragmented(direction))
            {
                faults.add(node.line, message);
            }
        }
    }
    Some(baseline)
}

/// The peer sets, including those with a fault, so that entries which name them are not reported
/// too.
fn peer_sets(fields: &Fields<'_>, faults: &mut Faults) -> BTreeMap<String, Vec<BaselinePeer>> {
    const PEERS: &str = "a CIDR block, sg-…, account/sg-…, pl-… or self";
    let mut sets = BTreeMap::new();
    let Some(node) = fields.get("peer_sets") else { return sets };
    let pairs = faults.pairs(node, "`peer_sets`").unwrap_or_default();
    for &(name, list) in &pairs {
        if name == ANYWHERE {
            let message = format!("the peer set `{ANYWHERE}` is built in; write another name");
            faults.add(list.line, message);
        } else if !is_set_name(name) {
            let message = format!(
                "{} cannot be the name of a peer set; write letters, digits, - and _, beginning with \
                 a letter, but not self, sg-… or pl-…",
                in_backticks(name)
            );
            faults.add(list.line, message);
        }
        let mut peers = Vec::new();
        if !matches!(list.value, Value::Null) {
            for item in faults.items(list, name).unwrap_or_default() {
                let Some(word) = faults.scalar(item, "a peer", PEERS) else { continue };
                match peer(word, PEERS) {
                    Some(Ok(peer)) => peers.push(peer),
                    Some(Err(message)) => faults.add(item.line, message),
                    None if word == OWN => peers.push(BaselinePeer::Own),
                    None if word == ANYWHERE => faults.add(
                        item.line,
                        "`anywhere` is a set, and a set cannot contain another; write 0.0.0.0/0, \"::/0\"",
                    ),
                    None if pairs.iter().any(|(name, _)| *name == word) => faults.add(
                        item.line,
                        format!(
                            "{} is a set, and a set cannot contain another; write its peers",
                            in_backticks(word)
                        ),
                    ),
                    None => faults.add(item.line, not_a_peer(word, PEERS)),
                }
            }
        }
        sets.insert(name.to_owned(), peers);
    }
    sets
}

fn ssh_ports(fields: &Fields<'_>, faults: &mut Faults) -> Option<IntervalSet<u16>> {
    let Some(node) = fields.get("ssh_ports") else {
        return Some(Interval::new(SSH_PORT, SSH_PORT).into());
    };
    let ports = faults.numbers(node, "ssh_ports", Numbers::Ports)?;
    if ports.is_empty() && matches!(&node.value, Value::Sequence(items) if items.is_empty()) {
        faults.add(node.line, "`ssh_ports` is empty; write [22], or leave it out");
        return None;
    }
    Some(ports)
}
