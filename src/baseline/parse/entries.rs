//! Reads entries and exemptions.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use super::fields::{Faults, Fields, Key, optional, required};
use super::values::{Numbers, OWN, is_set_name, not_a_peer, peer};
use super::yaml::{Node, Value};
use crate::baseline::fault::nearest;
use crate::baseline::model::{ANYWHERE, BaselinePeer, Entry, Exemption, PeerTerm};
use crate::ec2::hold::is_placeholder;
use crate::ec2::{Direction, GroupId, Protocol};
use crate::net::IntervalSet;
use crate::text::in_backticks;

/// How many days ahead an exemption may end: a leap year.
const MAX_DAYS_AHEAD: Days = Days::new(366);

/// The peers of an entry.
const PEERS: &str = "a CIDR block, sg-…, account/sg-…, pl-…, self or the name of a peer set";

const PROTOCOLS: &str = "tcp, udp, icmp, icmpv6, all or a number from 0 to 255";

const NAME: Key = required("name", "name: and a name for it");
const PROTOCOL: Key = required("protocol", "protocol: tcp, or another protocol");
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
    required("until", "until: and the last day, at most a year ahead"),
];

/// Reads entries that can name these peer sets.
pub(super) struct Entries<'a> {
    pub(super) faults: &'a mut Faults,
    pub(super) peer_sets: &'a BTreeMap<String, Vec<BaselinePeer>>,
    pub(super) today: NaiveDate,
}

/// The traffic of an entry or an exemption.
struct Admits {
    protocol: Protocol,
    ports: IntervalSet<u16>,
    peers: Vec<PeerTerm>,
}

impl Entries<'_> {
    /// The entries of a direction, without those that have a fault.
    pub(super) fn list(&mut self, node: &Node, direction: Direction) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        for item in self.faults.items(node, &direction.to_string()).unwrap_or_default() {
            let what = match direction {
                Direction::Ingress => "an ingress entry",
                Direction::Egress => "an egress entry",
            };
            let Some(fields) = self.faults.fields(item, what, &ENTRY.each_ref()) else { continue };
            let name = fields.get("name").and_then(|node| {
                let name = self.faults.text(node, "name")?;
                if let Some(line) = lines.get(&name) {
                    let message = format!(
                        "{what} has the name {}, which line {line} already has; write another",
                        in_backticks(&name)
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
            let admits = self.admits(&fields);
            if let (Some(name), Some(expected), Some(Admits { protocol, ports, peers })) =
                (name, expected, admits)
            {
                entries.push(Entry { name, protocol, ports, peers, expected });
            }
        }
        entries
    }

    /// The exemptions, without those that have a fault.
    pub(super) fn exemptions(&mut self, node: &Node) -> Vec<Exemption> {
        let mut exemptions = Vec::new();
        for item in self.faults.items(node, "exemptions").unwrap_or_default() {
            let Some(fields) = self.faults.fields(item, "an exemption", &EXEMPTION.each_ref())
            else {
                continue;
            };
            let group = fields.get("group").and_then(|node| self.group(node));
            let direction = fields.get("direction").and_then(|node| self.direction(node));
            let reason = fields.get("reason").and_then(|node| self.reason(node));
            let until = fields.get("until").and_then(|node| self.until(node));
            let admits = self.admits(&fields);
            if let (
                Some(group),
                Some(direction),
                Some(reason),
                Some(until),
                Some(Admits { protocol, ports, peers }),
            ) = (group, direction, reason, until, admits)
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

    fn admits(&mut self, fields: &Fields<'_>) -> Option<Admits> {
        let protocol = fields.get("protocol").and_then(|node| self.protocol(node));
        let ports = match fields.get("ports") {
            Some(node) => self.ports(node, protocol),
            None => Some(IntervalSet::full()),
        };
        let peers = fields.get("peers").and_then(|node| self.peers(node));
        Some(Admits { protocol: protocol?, ports: ports?, peers: peers? })
    }

    fn protocol(&mut self, node: &Node) -> Option<Protocol> {
        let word = self.faults.scalar(node, "`protocol`", PROTOCOLS)?;
        if let Ok(protocol) = word.parse() {
            return Some(protocol);
        }
        let message = format!("{} is not a protocol; write {PROTOCOLS}", in_backticks(word));
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
        self.faults.numbers(node, "ports", Numbers::of(protocol))
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
                None if is_set_name(word) => {
                    let message = self.undefined(word);
                    self.faults.add(item.line, message);
                }
                None => self.faults.add(item.line, not_a_peer(word, PEERS)),
            }
        }
        Some(peers)
    }

    fn undefined(&self, word: &str) -> String {
        let others = self.peer_sets.keys().map(String::as_str).filter(|name| *name != ANYWHERE);
        let known: Vec<&str> = std::iter::once(ANYWHERE).chain(others).collect();
        let write = match nearest(word, known.iter().copied()) {
            Some(near) => format!("write `{near}`, or define it under peer_sets"),
            None => format!(
                "define it under peer_sets, for example `{word}: [203.0.113.0/24]`, or write a set \
                 that is defined: {}",
                known.join(", ")
            ),
        };
        format!("no peer set {} is defined; {write}", in_backticks(word))
    }

    fn group(&mut self, node: &Node) -> Option<GroupId> {
        let word = self.faults.scalar(node, "`group`", "the id sg-… of one group")?;
        if let Ok(group) = word.parse() {
            return Some(group);
        }
        let message = format!("`group` is {}; write the id sg-… of one group", in_backticks(word));
        self.faults.add(node.line, message);
        None
    }

    fn direction(&mut self, node: &Node) -> Option<Direction> {
        match self.faults.scalar(node, "`direction`", "ingress or egress")? {
            "ingress" => Some(Direction::Ingress),
            "egress" => Some(Direction::Egress),
            word => {
                let message =
                    format!("`direction` is {}; write ingress or egress", in_backticks(word));
                self.faults.add(node.line, message);
                None
            }
        }
    }

    fn reason(&mut self, node: &Node) -> Option<String> {
        let reason = self.faults.text(node, "reason")?;
        if is_placeholder(&reason) {
            let message =
                "`reason` is still the placeholder; write the ticket, and why this is needed";
            self.faults.add(node.line, message);
            return None;
        }
        Some(reason)
    }

    fn until(&mut self, node: &Node) -> Option<NaiveDate> {
        let word = self.faults.scalar(node, "`until`", "a date as YYYY-MM-DD")?;
        let last = self.today.checked_add_days(MAX_DAYS_AHEAD).unwrap_or(NaiveDate::MAX);
        // chrono also accepts other spellings, such as 2027-1-31.
        let day = word.parse::<NaiveDate>().ok().filter(|day| day.to_string() == word);
        let message = match day {
            Some(day) if day <= last => return Some(day),
            Some(_) => {
                format!(
                    "`until` is {}, more than a year ahead; write {last} or earlier",
                    in_backticks(word)
                )
            }
            None => {
                format!("`until` is {}; write a date, such as {last}", in_backticks(word))
            }
        };
        self.faults.add(node.line, message);
        None
    }
}
