//! Reads a [`Baseline`] from YAML.
//!
//! A baseline decides which rules are removed, so nothing in it is guessed. Whatever is not
//! understood is a fault, with its line and what to write instead. All faults are reported at once,
//! unless the text is not YAML: then the first fault hides those after it.

mod entries;
mod fields;
mod values;
mod yaml;

use std::collections::BTreeMap;

use chrono::NaiveDate;

pub use values::{parse_peers, parse_ports};

use super::fault::{BaselineError, Fault, MAX_BYTES};
use super::model::{ANYWHERE, Baseline, BaselinePeer};
use crate::ec2::Direction;
use crate::net::{Interval, IntervalSet, Set};
use crate::text::in_backticks;
use entries::Entries;
use fields::{Faults, Fields, Key, optional, required};
use values::{Numbers, OWN, is_set_name, not_a_peer, peer};
use yaml::{Node, Value};

/// Where SSH listens if a baseline does not say otherwise.
pub const SSH_PORT: u16 = 22;

const ROOT: [Key; 7] = [
    required("version", "version: 1"),
    required("name", "name: and a name for the baseline"),
    optional("peer_sets"),
    optional("ssh_ports"),
    required("ingress", "ingress: and a list of entries, or [] if nothing may come in"),
    required("egress", "egress: and a list of entries, or [] if nothing may go out"),
    optional("exemptions"),
];

impl Baseline {
    /// Reads a baseline. Errors call it `file`. An exemption may end at most a year after `today`.
    ///
    /// ```
    /// use chrono::NaiveDate;
    /// use typo3_sg_auditor::baseline::Baseline;
    ///
    /// let today = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap_or_default();
    /// let text = "\
    /// version: 1
    /// name: our-site
    /// ingress:
    ///   - { name: HTTPS, protocol: tcp, ports: [443], peers: [anywhere], expected: true }
    /// egress: []
    /// ";
    /// let baseline = Baseline::parse("our-site.yaml", text, today)?;
    /// assert_eq!(baseline.ingress[0].name, "HTTPS");
    ///
    /// let text = text.replace("443", "99999");
    /// let error = Baseline::parse("our-site.yaml", &text, today).unwrap_err();
    /// let message = "port `99999` is out of range; write numbers from 0 to 65535";
    /// assert_eq!(error.to_string(), format!("our-site.yaml:4: {message}"));
    /// # Ok::<(), typo3_sg_auditor::baseline::BaselineError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BaselineError::Invalid`] with every fault.
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
    // After a fault, entries are missing and cannot be counted.
    if faults.0.is_empty() {
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

fn version(node: &Node, faults: &mut Faults) {
    if let Some(version) = faults.scalar(node, "`version`", "version: 1")
        && version != "1"
    {
        faults.add(node.line, format!("`version` is {}; write version: 1", in_backticks(version)));
    }
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

#[cfg(test)]
mod tests;
