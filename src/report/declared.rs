//! The words about what a plan or a template declares: where that is, and what to change there.

use std::borrow::Cow;

use super::wording::{next_command, texts};
use crate::declared::{Language, Location, Unknown, Why};
use crate::ec2::{GroupId, Peer, Rule};
use crate::evaluate::Code;
use crate::finding::{Finding, Matter, Outcome};
use crate::text::{in_backticks, inert, quoted};
use crate::words::rule_text;

/// How many references an unknown value is said to come from.
const NAMED: usize = 4;

/// Where it is: `main.tf:12: aws_security_group.web, ingress`.
pub(super) fn place(location: &Location) -> String {
    let Location { address, part, .. } = location;
    let part = part.as_ref().map_or_else(String::new, |part| format!(", {part}"));
    let line = file_and_line(location).map_or_else(String::new, |line| format!("{line}: "));
    format!("{line}{address}{part}")
}

/// `main.tf:12`
pub(super) fn file_and_line(location: &Location) -> Option<String> {
    let file = location.file.as_ref()?;
    Some(location.line.map_or_else(|| file.clone(), |line| format!("{file}:{line}")))
}

/// A rule, or its group, in a sentence.
fn named(location: &Location, rule: &Rule) -> String {
    let Location { language, address, part, .. } = location;
    match (part, language) {
        (None, _) => address.clone(),
        (Some(part), Language::Terraform) => {
            format!("the `{part}` block of {address} that admits {}", rule_text(rule))
        }
        (Some(part), Language::CloudFormation) => format!("{part} of {address}"),
    }
}

/// What to change in the file, so that the finding is not there.
pub(super) fn repair(finding: &Finding) -> Option<String> {
    let location = finding.location.as_ref()?;
    match &finding.matter {
        Matter::Rule(found) if finding.code == Code::UnresolvedPeer => {
            let rule = &found.rule;
            Some(match location.unknown.as_slice() {
                [] if finding.outcome() == Outcome::Prevented => {
                    let list = rule.peer().list().filter(|list| !list.is_declared());
                    let list = list.map_or_else(|| "the list".to_owned(), ToString::to_string);
                    let what = named(location, rule);
                    format!("let the auditor read {list}, or name addresses in {what}")
                }
                [] => {
                    let list = rule.peer().list().filter(|list| !list.is_declared());
                    let list = list.map_or_else(String::new, |list| format!(" of {list}"));
                    format!(
                        "give the entries{list} with --prefix-lists, or name addresses in {}",
                        named(location, rule)
                    )
                }
                unknown => format!(
                    "write {} in {} as a value that is known before the change, or audit the group \
                     after it",
                    names(unknown),
                    named(location, rule)
                ),
            })
        }
        Matter::Rule(found) => {
            let rule = &found.rule;
            let what = named(location, rule);
            let pieces: Vec<&Rule> = found.would_keep.iter().flatten().collect();
            let same = |piece: &&Rule| {
                piece.protocol() == rule.protocol() && piece.selector() == rule.selector()
            };
            Some(match (pieces.as_slice(), location.peer) {
                ([], _) => format!("remove {what}"),
                (all, Some(peer))
                    if all.iter().all(same) && all.iter().all(|it| fits(peer, it)) =>
                {
                    let peers: Vec<String> =
                        all.iter().map(|it| quoted(&it.peer().to_string())).collect();
                    match peers.as_slice() {
                        _ if takes_several(peer) => {
                            format!("set {peer} to [{}] in {what}", peers.join(", "))
                        }
                        [one] => format!("set {peer} to {one} in {what}"),
                        _ => replaced(&what, all),
                    }
                }
                (all, _) => replaced(&what, all),
            })
        }
        Matter::ExpectedClosed(closed) => {
            let removed = closed.removed.as_deref().filter(|removed| !removed.is_empty())?;
            Some(format!("keep in {}: {}", location.address, texts(removed)))
        }
        _ => None,
    }
}

fn replaced(what: &str, pieces: &[&Rule]) -> String {
    let pieces: Vec<String> = pieces.iter().map(|piece| rule_text(piece)).collect();
    format!("in place of {what}, admit only: {}", pieces.join("; "))
}

/// Whether a peer can stand in the argument that the rule's own stands in.
fn fits(name: &str, piece: &Rule) -> bool {
    match piece.peer() {
        Peer::Ipv4(_) => matches!(name, "cidr_blocks" | "cidr_ipv4" | "CidrIp"),
        Peer::Ipv6(_) => matches!(name, "ipv6_cidr_blocks" | "cidr_ipv6" | "CidrIpv6"),
        Peer::Reference(_) => false,
    }
}

/// Whether an argument takes several blocks.
fn takes_several(name: &str) -> bool {
    matches!(name, "cidr_blocks" | "ipv6_cidr_blocks")
}

fn names(unknown: &[Unknown]) -> String {
    let names: Vec<String> = unknown.iter().map(|it| in_backticks(&it.name)).collect();
    names.join(" and ")
}

/// What to change in the file that declares it, or else the command that closes what is open or adds
/// what is missing; with what it is for.
pub(super) fn next_step(finding: &Finding) -> Option<(&'static str, Cow<'_, str>)> {
    let in_file = repair(finding).map(|repair| ("to put it right", Cow::Owned(repair)));
    in_file.or_else(|| {
        let (label, command) = next_command(finding)?;
        Some((label, Cow::Borrowed(command)))
    })
}

/// What is not known, and why, in a sentence for each.
pub(super) fn unknown(location: &Location) -> Vec<String> {
    location.unknown.iter().map(|Unknown { name, why }| {
        let name = in_backticks(name);
        match why {
            Why::AfterApply(from) if from.is_empty() => {
                format!("{name} is known only after the change is made.")
            }
            Why::AfterApply(from) => {
                let from: Vec<String> = from.iter().take(NAMED).map(|it| inert::plain(it)).collect();
                format!(
                    "{name} is known only after the change is made: it comes from {}.",
                    from.join(", ")
                )
            }
            Why::Parameter(parameter) => format!(
                "{name} is the parameter {parameter}, which has no default: give it with --parameter \
                 {parameter}=VALUE."
            ),
            Why::Elsewhere(what) => {
                format!("{name} is decided outside of this file, by {what}.")
            }
        }
    }).collect()
}

/// The group, where it has no id yet.
pub(super) fn group_without_id(finding: &Finding) -> Option<&GroupId> {
    finding.group.as_ref().map(|group| &group.id).filter(|id| id.is_declared())
}
