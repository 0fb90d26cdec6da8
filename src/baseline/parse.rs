//! YAML text to a [`Baseline`], or everything that is wrong with it.
//!
//! A baseline decides what is closed on a server, so nothing in it is guessed: what is not
//! understood is refused, with its line and with what to write instead. Every fault is named at
//! once; only where the text is not YAML does the first one hide the rest.

mod entries;
mod fault;
mod fields;
mod nearest;
mod size;
mod words;
mod yaml;

use std::collections::BTreeMap;

use chrono::NaiveDate;

pub use fault::{BaselineError, Fault};
pub(crate) use nearest::nearest;
pub use size::MAX_INTERVALS;
pub(crate) use words::quote;
pub use words::{parse_peers, parse_ports};

use super::{ANYWHERE, Baseline, BaselinePeer};
use crate::ec2::Direction;
use crate::net::{Interval, IntervalSet, Set};
use entries::Entries;
use fields::{Faults, Fields, Key, optional, required};
use words::{Numbers, interval, no_peer, peer};
use yaml::{Node, Value};

/// The longest text that is read.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// The port of SSH where a baseline does not say otherwise.
const SSH_PORT: u16 = 22;

const ROOT: [Key; 7] = [
    required("version", "version: 1"),
    required("name", "name: and what to call the baseline"),
    optional("peer_sets"),
    optional("ssh_ports"),
    required("ingress", "ingress: and a list of entries, or [] where nothing may come in"),
    required("egress", "egress: and a list of entries, or [] where nothing may go out"),
    optional("exemptions"),
];

impl Baseline {
    /// Reads a baseline. `file` is what the messages call it; `today` decides how far ahead an
    /// exemption may end.
    pub fn parse(file: &str, text: &str, today: NaiveDate) -> Result<Self, BaselineError> {
        let mut faults = Faults::default();
        let baseline = read(text, today, &mut faults);
        let mut faults = faults.0;
        match baseline {
            Some(baseline) if faults.is_empty() => Ok(baseline),
            _ => {
                faults.sort_by_key(|fault| fault.line);
                Err(BaselineError::Invalid { file: file.to_owned(), faults })
            }
        }
    }
}

fn read(text: &str, today: NaiveDate, faults: &mut Faults) -> Option<Baseline> {
    if text.len() > MAX_BYTES {
        faults.0.push(Fault::too_long());
        return None;
    }
    let root = match yaml::read(text, &mut faults.0) {
        Ok(root) => root.filter(|node| !matches!(node.value, Value::Null)),
        Err(fault) => {
            faults.0.push(fault);
            return None;
        }
    };
    let Some(root) = root else {
        faults.add(1, "the file is empty; write a baseline, beginning with `version: 1`");
        return None;
    };
    let fields = faults.fields(&root, "the baseline", &ROOT)?;
    if let Some(node) = fields.get("version") {
        version(node, faults);
    }
    let name = fields.get("name").and_then(|node| faults.text(node, "name"));
    let peer_sets = peer_sets(&fields, faults);
    let ssh_ports = ssh_ports(&fields, faults);
    let mut entries = Entries { faults, peer_sets: &peer_sets, today };
    let ingress = fields.get("ingress").map(|node| entries.list(node, Direction::Ingress));
    let egress = fields.get("egress").map(|node| entries.list(node, Direction::Egress));
    let exemptions = fields.get("exemptions").map(|node| entries.exemptions(node));
    let baseline = Baseline {
        name: name?,
        peer_sets,
        ssh_ports: ssh_ports?,
        ingress: ingress?,
        egress: egress?,
        exemptions: exemptions.unwrap_or_default(),
    };
    // Where a fault was found, entries are missing, and how many there are is not known.
    if faults.0.is_empty() {
        for direction in [Direction::Ingress, Direction::Egress] {
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

fn version(node: &Node, faults: &mut Faults) {
    if let Some(version) = faults.scalar(node, "`version`", "version: 1")
        && version != "1"
    {
        faults.add(node.line, format!("`version` is {}; write version: 1", quote(version)));
    }
}

/// The sets that are defined. A set with a fault is among them, so that the entries which name it
/// are not at fault too.
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
                quote(name)
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
                        "`anywhere` is a set, and a set has only peers in it; write 0.0.0.0/0, \"::/0\"",
                    ),
                    None if pairs.iter().any(|(name, _)| *name == word) => faults.add(
                        item.line,
                        format!(
                            "{} is a set, and a set has only peers in it; write its peers",
                            quote(word)
                        ),
                    ),
                    None => faults.add(item.line, no_peer(word, PEERS)),
                }
            }
        }
        sets.insert(name.to_owned(), peers);
    }
    sets
}

/// The word for the group that is being audited.
const OWN: &str = "self";

fn is_set_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && name != OWN
        && !name.starts_with("sg-")
        && !name.starts_with("pl-")
}

fn ssh_ports(fields: &Fields<'_>, faults: &mut Faults) -> Option<IntervalSet<u16>> {
    let Some(node) = fields.get("ssh_ports") else {
        return Some(Interval::new(SSH_PORT, SSH_PORT).into());
    };
    let ports = numbers(node, "ssh_ports", Numbers::Ports, faults)?;
    if ports.is_empty() && matches!(&node.value, Value::Sequence(items) if items.is_empty()) {
        faults.add(node.line, "`ssh_ports` is empty; write [22], or leave it out");
        return None;
    }
    Some(ports)
}

/// A list of numbers and ranges of numbers.
fn numbers(
    node: &Node,
    what: &str,
    numbers: Numbers,
    faults: &mut Faults,
) -> Option<IntervalSet<u16>> {
    let mut intervals = Vec::new();
    for item in faults.items(node, what)? {
        let Some(word) = faults.scalar(item, "a port", "a number, or \"from-to\"") else {
            continue;
        };
        match interval(word, numbers) {
            Ok(interval) => intervals.push(interval),
            Err(message) => faults.add(item.line, message),
        }
    }
    Some(intervals.into_iter().collect())
}

#[cfg(test)]
mod tests;
