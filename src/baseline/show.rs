//! Writes a baseline as YAML that parses back to the same baseline.

use sha2::{Digest, Sha256};

use super::model::{Baseline, BaselinePeer, Entry, Exemption, PeerTerm};
use crate::ec2::Protocol;
use crate::net::{Interval, IntervalSet};
use crate::text::escape::hex;
use crate::text::inert::is_visible;

impl Baseline {
    /// The canonical text: ports are merged and sorted, entries and peers keep their order.
    pub fn to_yaml(&self) -> String {
        let mut out = format!("version: 1\nname: {}\n", text(&self.name));
        if !self.peer_sets.is_empty() {
            out.push_str("peer_sets:\n");
            for (name, peers) in &self.peer_sets {
                // The name of a set never needs quotes.
                line(&mut out, &format!("  {name}: {}", list(peers.iter().map(peer))));
            }
        }
        line(&mut out, &format!("ssh_ports: {}", numbers(Protocol::TCP, &self.ssh_ports)));
        block(&mut out, "ingress", self.ingress.iter().map(entry));
        block(&mut out, "egress", self.egress.iter().map(entry));
        if !self.exemptions.is_empty() {
            block(&mut out, "exemptions", self.exemptions.iter().map(exemption));
        }
        out
    }

    /// The SHA-256 of [`to_yaml`](Self::to_yaml) in hexadecimal digits. A report identifies the
    /// baseline by it.
    pub fn sha256(&self) -> String {
        hex(&Sha256::digest(self.to_yaml()))
    }
}

impl Exemption {
    /// The exemption as an item of `exemptions`, on one line.
    pub fn to_line(&self) -> String {
        format!("- {{ {} }}", exemption(self))
    }
}

fn line(out: &mut String, text: &str) {
    out.extend([text, "\n"]);
}

fn block(out: &mut String, key: &str, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return line(out, &format!("{key}: []"));
    }
    line(out, &format!("{key}:"));
    for item in items {
        line(out, &format!("  - {{ {item} }}"));
    }
}

fn list(words: impl Iterator<Item = String>) -> String {
    format!("[{}]", words.collect::<Vec<_>>().join(", "))
}

fn entry(entry: &Entry) -> String {
    let Entry { name, protocol, ports, peers, expected } = entry;
    let expected = if *expected { ", expected: true" } else { "" };
    format!("name: {}, {}{expected}", text(name), traffic(*protocol, ports, peers))
}

fn exemption(exemption: &Exemption) -> String {
    let Exemption { group, direction, protocol, ports, peers, reason, until } = exemption;
    let (traffic, reason) = (traffic(*protocol, ports, peers), text(reason));
    format!("group: {group}, direction: {direction}, {traffic}, reason: {reason}, until: {until}")
}

fn traffic(protocol: Protocol, ports: &IntervalSet<u16>, peers: &[PeerTerm]) -> String {
    let ports = if ports.is_full() {
        String::new()
    } else {
        format!(", ports: {}", numbers(protocol, ports))
    };
    let peers = peers.iter().map(|term| match term {
        PeerTerm::Set(name) => name.clone(),
        PeerTerm::Peer(one) => peer(one),
    });
    format!("protocol: {protocol}{ports}, peers: {}", list(peers))
}

/// Ports as numbers, and selectors of ICMP as types.
fn numbers(protocol: Protocol, selectors: &IntervalSet<u16>) -> String {
    let number = |selector: u16| if protocol.is_icmp() { selector >> 8 } else { selector };
    let word = |interval: &Interval<u16>| {
        let (first, last) = (number(interval.first()), number(interval.last()));
        if first == last { first.to_string() } else { format!("\"{first}-{last}\"") }
    };
    list(selectors.intervals().iter().map(word))
}

fn peer(peer: &BaselinePeer) -> String {
    match peer {
        BaselinePeer::Cidr(net @ ipnet::IpNet::V4(_)) => net.to_string(),
        // Some YAML parsers misread the colons.
        BaselinePeer::Cidr(net @ ipnet::IpNet::V6(_)) => format!("\"{net}\""),
        BaselinePeer::Reference(reference) => reference.to_string(),
        BaselinePeer::Own => "self".to_owned(),
    }
}

/// A text, in quotes if some YAML parser might read it as something else.
fn text(text: &str) -> String {
    /// Words that YAML 1.1 or 1.2 reads as something else, in lower case.
    const WORDS: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"];
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -_./".contains(&byte))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if plain {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if is_visible(letter) => quoted.push(letter),
            // People cannot see these, and YAML parsers treat some of them differently.
            letter => quoted.push_str(&match u32::from(letter) {
                long @ 0x1_0000.. => format!("\\U{long:08x}"),
                short => format!("\\u{short:04x}"),
            }),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
