//! Peers, ports and protocols as people write them, in a baseline, a variable or an option.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::baseline::BaselinePeer;
use crate::ec2::ids::{is_group_id, is_list_id};
use crate::ec2::{Peer, Protocol, icmp_selector};
use crate::net::{GroupRef, Interval, IntervalSet, Reference};

/// What a list of peers holds where sets and `self` mean nothing.
const PEERS: &str = "a CIDR block, sg-…, account/sg-… or pl-…";

/// Reads peers that are separated by commas, or the word `none`. The error has every fault, each as
/// `what is wrong; what to write instead`.
pub fn parse_peers(text: &str) -> Result<Vec<BaselinePeer>, Vec<String>> {
    if text.trim() == "none" {
        return Ok(Vec::new());
    }
    let (mut peers, mut faults) = (Vec::new(), Vec::new());
    for word in text.split(',').map(str::trim) {
        let read = match word {
            "" => Err(format!("a peer is empty; write {PEERS} between the commas, or none")),
            "none" => {
                Err("`none` is not alone; write it without anything else, or not at all".into())
            }
            _ => peer(word, PEERS).unwrap_or_else(|| Err(no_peer(word, PEERS))),
        };
        match read {
            Ok(peer) => peers.push(peer),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(peers) } else { Err(faults) }
}

/// Reads ports that are separated by commas, each a number or `from-to`. The error has every fault,
/// each as `what is wrong; what to write instead`.
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

/// Reads one peer. `None`: it is not written like any, so it may be a name. `allowed` is what the
/// message says to write.
pub(super) fn peer(word: &str, allowed: &str) -> Option<Result<BaselinePeer, String>> {
    if let Ok(block) = word.parse::<IpNet>() {
        let network = block.trunc();
        return Some(if block == network {
            Ok(BaselinePeer::Cidr(block))
        } else {
            let host = IpNet::from(block.addr());
            Err(format!(
                "{} has host bits set; write {network}, or {host} for that address alone",
                quote(word)
            ))
        });
    }
    if let Ok(address) = word.parse::<IpAddr>() {
        let host = IpNet::from(address);
        return Some(Err(format!("{} has no prefix length; write {host}", quote(word))));
    }
    if !word.starts_with("sg-") && !word.starts_with("pl-") && !word.contains(['.', ':', '/']) {
        return None;
    }
    Some(match word.parse() {
        Ok(Peer::Reference(reference)) if has_id(&reference) => {
            Ok(BaselinePeer::Reference(reference))
        }
        _ => Err(no_peer(word, allowed)),
    })
}

pub(super) fn no_peer(word: &str, allowed: &str) -> String {
    format!("{} is no peer; write {allowed}", quote(word))
}

fn has_id(reference: &Reference) -> bool {
    match reference {
        Reference::Group(GroupRef { id, .. }) => is_group_id(id),
        Reference::PrefixList(id) => is_list_id(id),
    }
}

/// What the numbers of a protocol are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Ports, or for a protocol that could not be read whatever it may have.
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

    fn noun(self) -> &'static str {
        match self {
            Self::Ports => "port",
            Self::IcmpTypes => "ICMP type",
        }
    }

    fn max(self) -> u16 {
        match self {
            Self::Ports => u16::MAX,
            Self::IcmpTypes => u16::from(u8::MAX),
        }
    }
}

/// Reads a number or `from-to` as selectors.
pub(super) fn interval(word: &str, numbers: Numbers) -> Result<Interval<u16>, String> {
    let (noun, max) = (numbers.noun(), numbers.max());
    let example = match numbers {
        Numbers::Ports => "8000-8010",
        Numbers::IcmpTypes => "8-11",
    };
    let (from, to) = word.split_once('-').unwrap_or((word, word));
    let (from, to) = (from.trim(), to.trim());
    if !is_number(from) || !is_number(to) {
        return Err(format!(
            "{} is no {noun}; write a number from 0 to {max}, or a range such as \"{example}\"",
            quote(word)
        ));
    }
    let number = |digits: &str| digits.parse::<u16>().ok().filter(|number| *number <= max);
    let (Some(first), Some(last)) = (number(from), number(to)) else {
        return Err(format!(
            "{noun} {} is out of range; write numbers from 0 to {max}",
            quote(word)
        ));
    };
    if first > last {
        return Err(format!("{} ends before it begins; write \"{last}-{first}\"", quote(word)));
    }
    Ok(match numbers {
        Numbers::Ports => Interval::new(first, last),
        Numbers::IcmpTypes => Interval::new(
            icmp_selector(u8::try_from(first).unwrap_or(u8::MAX), None).first(),
            icmp_selector(u8::try_from(last).unwrap_or(u8::MAX), None).last(),
        ),
    })
}

/// Decimal digits without a leading zero, which YAML once read as octal.
fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}

/// A user's text in backticks, on one line and not too long for it.
pub(crate) fn quote(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut quoted = String::from("`");
    for (count, letter) in text.chars().enumerate() {
        if count == LONGEST {
            quoted.push('…');
            break;
        }
        if letter.is_control() {
            quoted.extend(letter.escape_default());
        } else {
            quoted.push(letter);
        }
    }
    quoted.push('`');
    quoted
}
