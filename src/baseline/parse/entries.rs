//! Entries and exemptions: traffic, and what is said about it.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use super::fields::{Faults, Fields, Key, optional, required};
use super::words::{Numbers, no_peer, peer};
use super::yaml::{Node, Value};
use super::{OWN, nearest, numbers, quote};
use crate::baseline::{ANYWHERE, BaselinePeer, Entry, Exemption, PeerTerm};
use crate::ec2::ids::is_group_id;
use crate::ec2::{Direction, Protocol};
use crate::net::IntervalSet;

/// How far ahead an exemption may end, in days: a year, and a leap year at that.
const MAX_DAYS_AHEAD: Days = Days::new(366);

/// What the list of peers of an entry holds.
const PEERS: &str = "a CIDR block, sg-…, account/sg-…, pl-…, self or the name of a peer set";

const PROTOCOLS: &str = "tcp, udp, icmp, icmpv6, all or a number from 0 to 255";

const NAME: Key = required("name", "name: and what to call it");
const PROTOCOL: Key = required("protocol", "protocol: tcp, or another one");
const PORTS: Key = optional("ports");
const TERMS: Key = required(
    "peers",
    "peers: [anywhere], or a list of CIDR blocks, sg-…, pl-…, self and peer sets",
);

const ENTRY: [Key; 5] = [NAME, PROTOCOL, PORTS, TERMS, optional("expected")];

const EXEMPTION: [Key; 7] = [
    required("group", "group: and the id sg-… of the one group it is for"),
    required("direction", "direction: ingress or direction: egress"),
    PROTOCOL,
    PORTS,
    TERMS,
    required("reason", "reason: and why this is tolerated"),
    required("until", "until: and its last day, at most a year ahead"),
];

/// Reads entries with the peer sets that are defined.
pub(super) struct Entries<'a> {
    pub(super) faults: &'a mut Faults,
    pub(super) peer_sets: &'a BTreeMap<String, Vec<BaselinePeer>>,
    pub(super) today: NaiveDate,
}

/// What entries and exemptions have in common.
struct What {
    protocol: Protocol,
    ports: IntervalSet<u16>,
    peers: Vec<PeerTerm>,
}

impl Entries<'_> {
    /// The entries of a direction that have no fault.
    pub(super) fn list(&mut self, node: &Node, direction: Direction) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        for item in self.faults.items(node, &direction.to_string()).unwrap_or_default() {
            let what = match direction {
                Direction::Ingress => "an ingress entry",
                Direction::Egress => "an egress entry",
            };
            let Some(fields) = self.faults.fields(item, what, &ENTRY) else { continue };
            let name = fields.get("name").and_then(|node| {
                let name = self.faults.text(node, "name")?;
                if let Some(line) = lines.get(&name) {
                    let message = format!(
                        "{what} has the name {}, which the one on line {line} has; write another",
                        quote(&name)
                    );
                    self.faults.add(node.line, message);
                }
                lines.entry(name.clone()).or_insert(node.line);
                Some(name)
            });
            let expected = match fields.get("expected") {
                Some(node) => self.faults.boolean(node, "expected"),
                None => Some(false),
            };
            let what = self.what(&fields);
            if let (Some(name), Some(expected), Some(What { protocol, ports, peers })) =
                (name, expected, what)
            {
                entries.push(Entry { name, protocol, ports, peers, expected });
            }
        }
        entries
    }

    /// The exemptions that have no fault.
    pub(super) fn exemptions(&mut self, node: &Node) -> Vec<Exemption> {
        let mut exemptions = Vec::new();
        for item in self.faults.items(node, "exemptions").unwrap_or_default() {
            let Some(fields) = self.faults.fields(item, "an exemption", &EXEMPTION) else {
                continue;
            };
            let group = fields.get("group").and_then(|node| self.group(node));
            let direction = fields.get("direction").and_then(|node| self.direction(node));
            let reason = fields.get("reason").and_then(|node| self.faults.text(node, "reason"));
            let until = fields.get("until").and_then(|node| self.until(node));
            let what = self.what(&fields);
            if let (
                Some(group),
                Some(direction),
                Some(reason),
                Some(until),
                Some(What { protocol, ports, peers }),
            ) = (group, direction, reason, until, what)
            {
                exemptions.push(Exemption {
                    group,
                    direction,
                    protocol,
                    ports,
                    peers,
                    reason,
                    until,
                });
            }
        }
        exemptions
    }

    fn what(&mut self, fields: &Fields<'_>) -> Option<What> {
        let protocol = fields.get("protocol").and_then(|node| self.protocol(node));
        let ports = match fields.get("ports") {
            Some(node) => self.ports(node, protocol),
            None => Some(IntervalSet::full()),
        };
        let peers = fields.get("peers").and_then(|node| self.peers(node));
        Some(What { protocol: protocol?, ports: ports?, peers: peers? })
    }

    fn protocol(&mut self, node: &Node) -> Option<Protocol> {
        let word = self.faults.scalar(node, "`protocol`", PROTOCOLS)?;
        if let Ok(protocol) = word.parse() {
            return Some(protocol);
        }
        let message = format!("{} is no protocol; write {PROTOCOLS}", quote(word));
        self.faults.add(node.line, message);
        None
    }

    fn ports(&mut self, node: &Node, protocol: Option<Protocol>) -> Option<IntervalSet<u16>> {
        if let Some(protocol) = protocol
            && !protocol.has_ports()
            && !protocol.is_icmp()
        {
            let message = match protocol {
                Protocol::All => {
                    "protocol all has no ports; leave `ports` out, or write protocol: tcp".into()
                }
                Protocol::Number(_) => {
                    format!("protocol {protocol} has no ports; leave `ports` out")
                }
            };
            self.faults.add(node.line, message);
            return None;
        }
        if matches!(&node.value, Value::Sequence(items) if items.is_empty()) {
            self.faults
                .add(node.line, "`ports` is empty; write some, or leave it out for all of them");
            return None;
        }
        numbers(node, "ports", Numbers::of(protocol), self.faults)
    }

    fn peers(&mut self, node: &Node) -> Option<Vec<PeerTerm>> {
        let items = self.faults.items(node, "peers")?;
        if items.is_empty() {
            let message = format!("`peers` is empty; write {PEERS}, or leave the entry out");
            self.faults.add(node.line, message);
            return None;
        }
        let mut peers = Vec::new();
        for item in items {
            let Some(word) = self.faults.scalar(item, "a peer", PEERS) else { continue };
            if word == ANYWHERE || self.peer_sets.contains_key(word) {
                peers.push(PeerTerm::Set(word.to_owned()));
                continue;
            }
            match peer(word, PEERS) {
                Some(Ok(peer)) => peers.push(PeerTerm::Peer(peer)),
                Some(Err(message)) => self.faults.add(item.line, message),
                None if word == OWN => peers.push(PeerTerm::Peer(BaselinePeer::Own)),
                None if super::is_set_name(word) => {
                    let message = self.undefined(word);
                    self.faults.add(item.line, message);
                }
                None => self.faults.add(item.line, no_peer(word, PEERS)),
            }
        }
        Some(peers)
    }

    fn undefined(&self, word: &str) -> String {
        let known: Vec<_> =
            std::iter::once(ANYWHERE).chain(self.peer_sets.keys().map(String::as_str)).collect();
        let write = match nearest(word, known.iter().copied()) {
            Some(near) => format!("write `{near}`"),
            None => format!("write one of {}", known.join(", ")),
        };
        format!("no peer set {} is defined; {write}, or define it under peer_sets", quote(word))
    }

    fn group(&mut self, node: &Node) -> Option<String> {
        let word = self.faults.scalar(node, "`group`", "the id sg-… of one group")?;
        if is_group_id(word) {
            return Some(word.to_owned());
        }
        let message = format!("`group` is {}; write the id sg-… of one group", quote(word));
        self.faults.add(node.line, message);
        None
    }

    fn direction(&mut self, node: &Node) -> Option<Direction> {
        match self.faults.scalar(node, "`direction`", "ingress or egress")? {
            "ingress" => Some(Direction::Ingress),
            "egress" => Some(Direction::Egress),
            word => {
                let message = format!("`direction` is {}; write ingress or egress", quote(word));
                self.faults.add(node.line, message);
                None
            }
        }
    }

    fn until(&mut self, node: &Node) -> Option<NaiveDate> {
        let word = self.faults.scalar(node, "`until`", "a day as YYYY-MM-DD")?;
        let last = self.today.checked_add_days(MAX_DAYS_AHEAD).unwrap_or(NaiveDate::MAX);
        // The spelling is compared too, because chrono takes more of them.
        let day = word.parse::<NaiveDate>().ok().filter(|day| day.to_string() == word);
        let message = match day {
            Some(day) if day <= last => return Some(day),
            Some(_) => {
                format!(
                    "`until` is {}, more than a year ahead; write {last} or earlier",
                    quote(word)
                )
            }
            None => {
                format!("`until` is {}; write a day of the calendar, such as {last}", quote(word))
            }
        };
        self.faults.add(node.line, message);
        None
    }
}
