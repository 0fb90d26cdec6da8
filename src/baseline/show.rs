//! Writes a baseline as YAML that parses back to the same baseline.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use super::model::{
    Baseline, BaselinePeer, Binding, BoundKind, Conditions, Entry, Exemption, PeerTerm,
};
use crate::ec2::Protocol;
use crate::net::{Interval, IntervalSet};
use crate::text::escape::hex;
use crate::text::inert::is_visible;

impl Baseline {
    /// The canonical text: ports are merged and sorted, entries and peers keep their order.
    pub fn to_yaml(&self) -> String {
        let mut out = self.unbound_yaml();
        self.bound(&mut out);
        out
    }

    /// The same without its bindings.
    fn unbound_yaml(&self) -> String {
        let mut out = format!("version: 1\nname: {}\n", text(&self.name));
        self.body(&mut out, &self.exemptions);
        out
    }

    fn body(&self, out: &mut String, exemptions: &[Exemption]) {
        if !self.peer_sets.is_empty() {
            out.push_str("peer_sets:\n");
            for (name, peers) in &self.peer_sets {
                // The name of a set never needs quotes.
                line(out, &format!("  {name}: {}", list(peers.iter().map(peer))));
            }
        }
        line(out, &format!("ssh_ports: {}", numbers(Protocol::TCP, &self.ssh_ports)));
        block(out, "ingress", self.ingress.iter().map(entry));
        block(out, "egress", self.egress.iter().map(entry));
        if !exemptions.is_empty() {
            block(out, "exemptions", exemptions.iter().map(exemption));
        }
    }

    /// The bindings and the baselines that they name. What is in another file is shown by its hash,
    /// so that the text changes with it.
    fn bound(&self, out: &mut String) {
        if self.bindings.is_empty() {
            return;
        }
        let named = self.bindings.iter().filter_map(|binding| binding.baseline.as_ref());
        let inline: BTreeMap<&str, &Baseline> = named
            .filter(|bound| bound.kind == BoundKind::Inline)
            .map(|bound| (bound.given.as_str(), &*bound.baseline))
            .collect();
        if !inline.is_empty() {
            line(out, "baselines:");
        }
        for (name, baseline) in inline {
            line(out, &format!("  {name}:"));
            let mut body = String::new();
            // Those of the file are added to them when they are read.
            let own = baseline.exemptions.len().saturating_sub(self.exemptions.len());
            baseline.body(&mut body, baseline.exemptions.get(..own).unwrap_or_default());
            body.lines().for_each(|text| line(out, &format!("    {text}")));
        }
        line(out, "bindings:");
        for binding in &self.bindings {
            if let Some(bound) = binding.baseline.as_ref().filter(|it| it.kind == BoundKind::File) {
                line(out, &format!("  # The SHA-256 of the file is {}.", bound.baseline.sha256()));
            }
            line(out, &format!("  - {{ {} }}", self::binding(binding)));
        }
    }

    /// The SHA-256 of [`to_yaml`](Self::to_yaml) in hexadecimal digits. A report identifies the
    /// baseline by it.
    pub fn sha256(&self) -> String {
        hex(&Sha256::digest(self.to_yaml()))
    }

    /// The same without its bindings, which do not change what it admits.
    pub fn unbound_sha256(&self) -> String {
        hex(&Sha256::digest(self.unbound_yaml()))
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

fn binding(binding: &Binding) -> String {
    let Conditions { accounts, units, tags } = &binding.when;
    let mut parts = vec![format!("name: {}", text(&binding.name))];
    let mut add = |key: &str, value: String| parts.push(format!("{key}: {value}"));
    if !accounts.is_empty() {
        // Without quotes they are numbers, and some tools drop the zeros at the beginning.
        add("accounts", list(accounts.iter().map(|account| format!("\"{account}\""))));
    }
    if !units.is_empty() {
        add("ous", list(units.iter().map(ToString::to_string)));
    }
    if !tags.is_empty() {
        let tags = tags.iter().map(|(key, value)| format!("{}: {}", text(key), text(value)));
        add("tags", format!("{{ {} }}", tags.collect::<Vec<_>>().join(", ")));
    }
    if binding.trust_tags {
        add("trust_tags", "true".to_owned());
    }
    if let Some(bound) = &binding.baseline {
        add("baseline", text(&bound.given));
    }
    if let Some(sources) = &binding.ssh_sources {
        add("ssh_sources", list(sources.iter().map(peer)));
    }
    if let Some(scope) = &binding.scope {
        add("scope", text(&scope.to_string()));
    }
    if let Some(remediation) = binding.remediation {
        add("remediation", remediation.to_string());
    }
    parts.join(", ")
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

impl fmt::Display for BaselinePeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cidr(net) => net.fmt(f),
            Self::Reference(reference) => reference.fmt(f),
            Self::Own => f.write_str("self"),
        }
    }
}

fn peer(peer: &BaselinePeer) -> String {
    match peer {
        // Some YAML parsers misread the colons.
        BaselinePeer::Cidr(ipnet::IpNet::V6(_)) => format!("\"{peer}\""),
        _ => peer.to_string(),
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
