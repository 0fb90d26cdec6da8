//! What a revert would do about a rule: whether it is due, and what it leaves.

use super::judge::HTTPS;
use super::{Code, Judge, Verdict};
use crate::ec2::{Direction, Peer, Protocol, Rule, RuleError, RuleId, Selector};
use crate::net::{Interval, Layers, Set, Traffic, cidrs_ipv4, cidrs_ipv6};
use crate::settings::Remediation;
use crate::words::rule_text;

/// How a piece's description begins; behind it, the rule that it comes from.
const KEPT_FROM: &str = "kept by typo3-sg-auditor from ";

/// The longest description that EC2 takes.
const MAX_DESCRIPTION: usize = 255;

/// Whether a rule is to be reverted.
pub fn is_due(remediation: Remediation, judge: &Judge<'_>, verdict: &Verdict<'_>) -> bool {
    match remediation {
        Remediation::Notify => false,
        Remediation::RevertSsh => is_ssh(judge, verdict),
        Remediation::RevertIngress => {
            is_ssh(judge, verdict)
                || judge.direction() == Direction::Ingress
                    && !verdict.judgement.public_excess().is_empty()
        }
    }
}

/// Whether the rule is open SSH, or may be and nobody can say that it is not, because it admits SSH
/// from a prefix list that does not exist.
pub fn is_ssh(judge: &Judge<'_>, verdict: &Verdict<'_>) -> bool {
    verdict.code == Code::OpenSsh || judge.is_ssh_from_missing_list(verdict)
}

/// The rules that together admit what the baseline or an exemption admits of a rule and `covered`
/// does not: what a revert puts in the rule's place. Traffic that the site lives on comes first.
///
/// `covered` is what the wholly compliant rules of the group admit.
pub fn pieces(judge: &Judge<'_>, rule: &Rule, covered: &Traffic) -> Result<Vec<Rule>, RuleError> {
    let mut covered = covered.clone();
    let mut pieces: Vec<Rule> = Vec::new();
    for part in judge.admitted_of(rule) {
        let mut missing = part.difference(&covered);
        missing.references =
            missing.references.difference(&part.within(&covered.cells_of_anybody()).references);
        if missing.is_empty() {
            continue;
        }
        // Cut to what is missing only where that takes no more rules than the whole part. A narrow
        // rule that was there before would otherwise break 0.0.0.0/0 into thirty-two pieces, and
        // enough of them would keep a revert from happening.
        let whole = pieces_of(rule, &part)?;
        let exact = pieces_of(rule, &missing)?;
        let mut of_part = if exact.len() <= whole.len() { exact } else { whole };
        of_part.sort_by_key(|piece| !is_https(piece));
        // EC2 refuses a call that names a rule twice.
        of_part.retain(|piece| !pieces.iter().any(|other| other.is_same_as(piece)));
        pieces.extend(of_part);
        covered = covered.union(&part);
    }
    let description = description_of_piece(rule);
    let described = |piece: Rule| piece.with_description(Some(description.clone()));
    Ok(pieces.into_iter().map(described).collect())
}

/// The description of every piece of a rule: it names the rule, and is the same in every run.
fn description_of_piece(rule: &Rule) -> String {
    let id = rule.id().map_or("a rule", RuleId::as_str);
    let text = format!("{KEPT_FROM}{id} ({})", rule_text(rule));
    text.chars().take(MAX_DESCRIPTION).collect()
}

/// Whether `piece` was put in the place of `rule`, by this run or an earlier one: its description
/// says so, and it admits no more than the rule did. Anybody can write a description.
pub fn is_piece_of(piece: &Rule, rule: &Rule) -> bool {
    let described = piece.description().unwrap_or_default();
    let same_id = rule.id().is_none_or(|id| described.contains(id.as_str()));
    let within = match (piece.peer(), rule.peer()) {
        (Peer::Reference(_), peer) if peer.is_anywhere() => true,
        (_, Peer::Reference(_)) => true,
        _ => piece.traffic().is_subset_of(&rule.traffic()),
    };
    described.starts_with(KEPT_FROM)
        && described.ends_with(&format!("({})", rule_text(rule)))
        && same_id
        && piece.direction() == rule.direction()
        && within
        && piece.cells().is_subset_of(&rule.cells())
}

/// Whether the rule admits HTTPS, which comes first where not everything fits.
fn is_https(rule: &Rule) -> bool {
    let selector = rule.selector();
    rule.protocol() == Protocol::TCP && (selector.first()..=selector.last()).contains(&HTTPS)
}

fn pieces_of(rule: &Rule, traffic: &Traffic) -> Result<Vec<Rule>, RuleError> {
    let mut out = Vec::new();
    let mut piece = |protocol, selector, peer| {
        out.push(Rule::covering(rule.direction(), protocol, selector, peer)?);
        Ok(())
    };
    each_box(&traffic.ipv4, |protocol, selector, set| {
        cidrs_ipv4(set).try_for_each(|net| piece(protocol, selector, Peer::Ipv4(net)))
    })?;
    each_box(&traffic.ipv6, |protocol, selector, set| {
        cidrs_ipv6(set).try_for_each(|net| piece(protocol, selector, Peer::Ipv6(net)))
    })?;
    each_box(&traffic.references, |protocol, selector, set| {
        set.iter().cloned().try_for_each(|to| piece(protocol, selector, Peer::Reference(to)))
    })?;
    Ok(out)
}

/// Calls `f` for each box that one EC2 rule can hold: all protocols, or one of them; all ICMP types
/// or one of them.
fn each_box<V: Set>(
    of: &Layers<u8, Layers<u16, V>>,
    mut f: impl FnMut(Protocol, Selector, &V) -> Result<(), RuleError>,
) -> Result<(), RuleError> {
    for (protocols, ports) in of.layers() {
        if *protocols == Interval::full() {
            for (selector, set) in ports.layers() {
                f(Protocol::All, (*selector).into(), set)?;
            }
            continue;
        }
        for number in protocols.first()..=protocols.last() {
            let protocol = Protocol::Number(number);
            for (selector, set) in ports.layers() {
                if protocol.is_icmp() {
                    icmp_rules(*selector)
                        .into_iter()
                        .try_for_each(|one| f(protocol, one.into(), set))?;
                } else {
                    f(protocol, (*selector).into(), set)?;
                }
            }
        }
    }
    Ok(())
}

/// ICMP selectors, cut into what one EC2 rule can hold: every type, one type with every code, or
/// one type with one code.
fn icmp_rules(selector: Interval<u16>) -> Vec<Interval<u16>> {
    if selector == Interval::full() {
        return vec![selector];
    }
    let [first, _] = selector.first().to_be_bytes();
    let [last, _] = selector.last().to_be_bytes();
    let mut out = Vec::new();
    for kind in first..=last {
        let whole = Interval::from(Selector::icmp(kind, None));
        match whole.intersection(&selector) {
            Some(part) if part == whole => out.push(whole),
            Some(part) => {
                out.extend((part.first()..=part.last()).map(|point| Interval::new(point, point)));
            }
            None => {}
        }
    }
    out
}
