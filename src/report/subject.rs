//! The Subject of a mail: the outcome, what was open, to whom, where.

use super::inert;
use super::wording::{self, Standing};
use crate::finding::{Code, Finding, Report};
use crate::rule::{Direction, Peer, Protocol};

/// SNS wants fewer than 100 characters.
pub const MAX_CHARS: usize = 99;

/// As long as `123456789012/sg-0123456789abcdef0`; a peer or a baseline's name that is longer would
/// leave no room for the group.
const MAX_NAME: usize = 33;

/// The Subject: printable ASCII, at most [`MAX_CHARS`], begins with a letter.
pub fn subject(report: &Report) -> String {
    let Some(lead) = wording::lead(&report.findings) else {
        return "No findings".to_owned();
    };
    let (head, place) = headline(lead, &report.baseline.name);
    let tail = tail(report, lead);
    let head = inert::clip_ascii(&inert::ascii(&head), MAX_CHARS.saturating_sub(tail.len()));
    // A group's name may be 255 characters long; it is what gives way.
    let room = MAX_CHARS.saturating_sub(head.len() + tail.len());
    let place = inert::clip_ascii(&inert::ascii(&place), room);
    inert::ascii(&format!("{head}{place}{tail}"))
}

/// The outcome and what it is about; and where.
fn headline(finding: &Finding, baseline: &str) -> (String, String) {
    let standing = Standing::of(finding);
    let mut head = standing.as_str().to_owned();
    if let (Standing::Closed | Standing::ClosedTooFar, Some(delay)) =
        (standing, wording::delay(finding))
    {
        head.push_str(&format!(" after {delay}"));
    }
    let place = wording::group(finding).map(|group| format!(" on {group}"));
    match standing {
        Standing::NotAudited => {
            let call = finding.change.as_ref().and_then(|change| change.event_name.as_deref());
            let call = call.filter(|call| !call.is_empty()).unwrap_or("a change");
            head.push_str(&format!(": {}", inert::clip_ascii(call, 40)));
        }
        Standing::Note => {
            let name = inert::clip_ascii(baseline, MAX_NAME);
            head.push_str(&format!(": the baseline {name} admits SSH from a wide range"));
        }
        Standing::Undecided => {
            let rule = traffic(finding).map_or_else(String::new, |(what, _)| format!("; {what}"));
            head.push_str(&format!(": a prefix list cannot be read{rule}"));
        }
        _ => {
            let (what, plural) = traffic(finding).unwrap_or(("a rule".to_owned(), false));
            let verb = match (standing.is_open(), plural) {
                (true, false) => "is",
                (true, true) => "are",
                (false, false) => "was",
                (false, true) => "were",
            };
            let whom = finding.rule.as_ref().map(|rule| whom(finding, &rule.peer));
            let whom = whom.map_or_else(String::new, |whom| format!(" to {whom}"));
            head.push_str(&format!(": {what} {verb} open{whom}"));
        }
    }
    (head, place.unwrap_or_default())
}

/// What traffic it is about, and whether that is a plural.
fn traffic(finding: &Finding) -> Option<(String, bool)> {
    let rule = finding.rule.as_ref()?;
    let all_ports = (rule.from_port, rule.to_port) == (Some(0), Some(65535));
    let (what, plural) = match rule.protocol {
        Protocol::All => ("all protocols and ports".to_owned(), true),
        Protocol::TCP if all_ports => ("all TCP ports".to_owned(), true),
        Protocol::UDP if all_ports => ("all UDP ports".to_owned(), true),
        _ => {
            let cells = excess_cells(finding).unwrap_or_else(|| wording::cells(rule));
            let what = match finding.code {
                Code::OpenSsh | Code::SshFromUnlistedHost if cells == "tcp 22" => "SSH".to_owned(),
                Code::OpenSsh | Code::SshFromUnlistedHost => format!("SSH ({cells})"),
                _ => cells,
            };
            (what, false)
        }
    };
    Some(match rule.direction {
        Direction::Ingress => (what, plural),
        Direction::Egress => (format!("outgoing {what}"), plural),
    })
}

/// Protocol and ports of an excess that is of one piece: of tcp 80-443, open is tcp 81-442.
fn excess_cells(finding: &Finding) -> Option<String> {
    match finding.excess.as_slice() {
        [only] => only.ports.as_ref().map(|ports| format!("{} {ports}", only.protocol)),
        _ => None,
    }
}

fn whom(finding: &Finding, peer: &Peer) -> String {
    if peer.is_anywhere() {
        return if matches!(peer, Peer::Ipv6(_)) { "the IPv6 Internet" } else { "the Internet" }
            .to_owned();
    }
    // Of a block that the baseline admits in part, the excess says it more exactly.
    let whom = match finding.excess.as_slice() {
        [only] => match only.peers.as_slice() {
            [peer] => peer.clone(),
            _ => peer.to_string(),
        },
        _ => peer.to_string(),
    };
    let host = whom.strip_suffix("/32").or_else(|| whom.strip_suffix("/128")).unwrap_or(&whom);
    inert::clip_ascii(host, MAX_NAME)
}

/// How many findings more there are, how many of those are open although the one that is named is
/// not, and which part it is.
fn tail(report: &Report, lead: &Finding) -> String {
    let mut tail = String::new();
    let others = report.findings.len().saturating_sub(1);
    if others > 0 {
        let open = report.findings.iter().filter(|it| Standing::of(it).is_open()).count();
        tail = match open {
            _ if Standing::of(lead).is_open() => format!(" (+{others} more)"),
            0 => format!(" (+{others} more)"),
            _ if open == others => format!(" (+{others} more, open)"),
            _ => format!(" (+{others} more, {open} open)"),
        };
    }
    if let Some(part) = wording::part(report) {
        tail.push_str(&format!(" [{part}]"));
    }
    tail
}
