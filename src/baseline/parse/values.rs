//! Peers, ports and names as people write them in a baseline, a variable or an option.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::baseline::model::BaselinePeer;
use crate::ec2::{Peer, Protocol};
use crate::net::{Interval, IntervalSet};
use crate::text::in_backticks;

/// The word for the group that is being audited.
pub(super) const OWN: &str = "self";

/// The peers of a setting, which cannot have sets and `self`.
pub(super) const PEERS: &str = "a CIDR block, sg-…, account/sg-… or pl-…";

/// Reads peers separated by commas, or the word `none`.
///
/// # Errors
///
/// Every fault, each as `what is wrong; what to write instead`.
pub fn parse_peers(text: &str) -> Result<Vec<BaselinePeer>, Vec<String>> {
    if text.trim() == "none" {
        return Ok(Vec::new());
    }
    let (mut peers, mut faults) = (Vec::new(), Vec::new());
    for word in text.split(',').map(str::trim) {
        let read = match word {
            "" => Err(format!("a peer is empty; write {PEERS} between the commas, or none")),
            "none" => Err("`none` is in a list with peers; write it alone, or leave it out".into()),
            _ => peer(word, PEERS).unwrap_or_else(|| Err(not_a_peer(word, PEERS))),
        };
        match read {
            Ok(peer) => peers.push(peer),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(peers) } else { Err(faults) }
}

/// Reads ports separated by commas, each a number or `from-to`.
///
/// # Errors
///
/// Every fault, each as `what is wrong; what to write instead`.
pub fn parse_ports(text: &str) -> Result<IntervalSet<u16>, Vec<String>> {
    let (mut ports, mut faults) = (Vec::new(), Vec::new());
    for word in text.split(',').map(str::trim) {
        match interval(word, Numbers::Ports) {
            Ok(interval) => ports.push(interval),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(ports.into_iter().collect()) } else { Err(faults) }
}

/// Reads one peer. `None` if the word does not look like one, so it may be a name. `allowed` is what
/// an error says to write.
pub(super) fn peer(word: &str, allowed: &str) -> Option<Result<BaselinePeer, String>> {
    if let Ok(block) = word.parse::<IpNet>() {
        let network = block.trunc();
        return Some(if block == network {
            Ok(BaselinePeer::Cidr(block))
        } else {
            let host = IpNet::from(block.addr());
            Err(format!(
                "{} has host bits set; write {network}, or {host} for that address alone",
                in_backticks(word)
            ))
        });
    }
    if let Ok(address) = word.parse::<IpAddr>() {
        let host = IpNet::from(address);
        return Some(Err(format!("{} has no prefix length; write {host}", in_backticks(word))));
    }
    if !word.starts_with("sg-") && !word.starts_with("pl-") && !word.contains(['.', ':', '/']) {
        return None;
    }
    Some(match word.parse() {
        Ok(Peer::Reference(reference)) => Ok(BaselinePeer::Reference(reference)),
        _ => Err(not_a_peer(word, allowed)),
    })
}

pub(super) fn not_a_peer(word: &str, allowed: &str) -> String {
    format!("{} is not a peer; write {allowed}", in_backticks(word))
}

/// Whether a peer set can have this name.
pub(super) fn is_set_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && name != OWN
        && !name.starts_with("sg-")
        && !name.starts_with("pl-")
}

/// What the numbers of a protocol are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Ports. Also for a protocol that could not be read.
    Ports,
    /// ICMP types, each with all its codes.
    IcmpTypes,
}

impl Numbers {
    pub(super) fn of(protocol: Option<Protocol>) -> Self {
        match protocol {
            Some(protocol) if protocol.is_icmp() => Self::IcmpTypes,
            _ => Self::Ports,
        }
    }
}

/// Reads a number or `from-to` as selectors.
pub(super) fn interval(word: &str, numbers: Numbers) -> Result<Interval<u16>, String> {
    let (article, noun, max, example) = match numbers {
        Numbers::Ports => ("a", "port", u16::MAX, "8000-8010"),
        Numbers::IcmpTypes => ("an", "ICMP type", u8::MAX.into(), "8-11"),
    };
    let (from, to) = word.split_once('-').unwrap_or((word, word));
    let (from, to) = (from.trim(), to.trim());
    if !is_number(from) || !is_number(to) {
        return Err(format!(
            "{} is not {article} {noun}; write a number from 0 to {max}, or a range such as \"{example}\"",
            in_backticks(word)
        ));
    }
    let number = |digits: &str| digits.parse::<u16>().ok().filter(|number| *number <= max);
    let (Some(first), Some(last)) = (number(from), number(to)) else {
        return Err(format!(
            "{noun} {} is out of range; write numbers from 0 to {max}",
            in_backticks(word)
        ));
    };
    if first > last {
        return Err(format!(
            "{} ends before it begins; write \"{last}-{first}\"",
            in_backticks(word)
        ));
    }
    Ok(match numbers {
        Numbers::Ports => Interval::new(first, last),
        Numbers::IcmpTypes => Interval::new(first << 8, last << 8 | 0xff),
    })
}

/// Decimal digits without a leading zero, which YAML once read as octal.
fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}
