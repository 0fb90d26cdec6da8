//! What is said and kept about a rule, whether or not it is reverted.

use crate::baseline::Exemption;
use crate::ec2::hold::{Claim, Hold};
use crate::ec2::{Direction, Peer, Protocol, Rule, RuleError};
use crate::evaluate::plan::pieces;
use crate::evaluate::{Judge, Judgement, UndecidedExemption};
use crate::net::{Set, Traffic};
use crate::settings::{Remediation, RevertKeeps, Settings};
use crate::text::{excess_text, minute, quoted};

/// What a revert leaves of a rule: nothing of one that is none of its business.
pub fn would_keep(
    settings: &Settings,
    judge: &Judge<'_>,
    rule: &Rule,
    judgement: &Judgement,
    covered: &Traffic,
) -> Result<Vec<Rule>, RuleError> {
    let revertible = rule.direction == Direction::Ingress && !judgement.public_excess().is_empty();
    if revertible && settings.revert_keeps == RevertKeeps::Baseline {
        pieces(judge, rule, covered)
    } else {
        Ok(Vec::new())
    }
}

/// What the wholly compliant rules of a group admit.
pub fn compliant(judge: &Judge<'_>, rules: &[Rule], direction: Direction) -> Traffic {
    let comply =
        rules.iter().filter(|rule| rule.direction == direction && judge.judge(rule).is_compliant());
    Traffic::union_of(comply.map(Rule::traffic).collect())
}

/// What an excess does not tell of a rule: what hangs on a list that could not be read.
pub fn undecided(rule: &Rule, judgement: &Judgement) -> Option<String> {
    (!judgement.unresolved.is_empty()).then(|| excess_text(rule, &judgement.unresolved))
}

/// The same in a sentence beside an excess, and what became of it.
pub fn on_undecided(rule: &Rule, judgement: &Judgement, gone: bool) -> Option<String> {
    if judgement.excess.is_empty() {
        return None;
    }
    let what = undecided(rule, judgement)?;
    let fate =
        if gone { "; it went with the rule. Add it by hand where it is needed." } else { "." };
    Some(format!(
        "Whether the baseline admits {what} depends on a prefix list that could not be read{fate}"
    ))
}

/// Why a revert that is due is not done: an exemption may cover the rule, and nobody can tell.
pub fn exempt_perhaps(judge: &Judge<'_>, judgement: &Judgement) -> Option<String> {
    let undecided = judge.undecided_exemptions(judgement);
    let each = undecided.iter().map(|UndecidedExemption { exemption, lists }| {
        let lists: Vec<String> =
            lists.iter().map(|(id, why)| format!("prefix list {id} ({why})")).collect();
        let Exemption { reason, until, .. } = exemption;
        format!("the exemption until {until} ({}) names {}", quoted(reason), lists.join(" and "))
    });
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| {
        format!(
            "Nothing was changed, though a revert was due: whether the rule is exempt is not known, \
             because it could not be read who is: {}. Make the list readable, or revoke the rule by \
             hand.",
            each.join("; ")
        )
    })
}

/// What an exemption that has expired has to do with a rule, in a sentence for each.
pub fn on_expired(judge: &Judge<'_>, rule: &Rule, judgement: &Judgement) -> Option<String> {
    let sentences = judge.expired(rule, judgement).into_iter().map(|exemption| {
        let Exemption { reason, until, .. } = exemption;
        format!("An exemption for this expired after {until}: {}.", quoted(reason))
    });
    let sentences: Vec<String> = sentences.collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// What is said under `notify`, and by a check of every rule alike.
pub const ONLY_REPORTED: &str = "Nothing was changed: findings are only reported.";

/// The same of a change of a list, though changes of groups are reverted.
pub const LISTS_ONLY_REPORTED: &str =
    "Nothing was changed: what a change of a prefix list opens is only reported.";

/// The same of a group that is audited as a whole, though changes are reverted.
pub const WHOLE_ONLY_REPORTED: &str = "Nothing was changed: where a group is audited as a whole, it \
                                       is only reported, as SWEEP_REMEDIATION says.";

/// Why nothing was done about a rule that a change brought, and whether it was still there.
pub fn not_due(why_not: &str, seen: bool) -> String {
    let there = if seen {
        "The rule was still in the group."
    } else {
        "The rule was not in the group when it was read."
    };
    format!("{why_not} {there}")
}

/// Why nothing was done.
pub fn why_not(remediation: Remediation) -> &'static str {
    match remediation {
        Remediation::Notify => ONLY_REPORTED,
        Remediation::RevertSsh => {
            "Nothing was changed: SSH is closed only where more than one public address can reach it, \
             and nothing else is."
        }
        Remediation::RevertIngress => {
            "Nothing was changed: only ingress from public addresses is reverted."
        }
    }
}

/// What becomes of connections that the rule let in: untracked ones end with it (EC2 user guide,
/// "Untracked connections").
pub fn connections(rule: &Rule, present: &[Rule]) -> String {
    let all_out = |peer: &Peer| {
        peer.is_anywhere()
            && matches!(
                (&rule.peer, peer),
                (Peer::Ipv4(_), Peer::Ipv4(_)) | (Peer::Ipv6(_), Peer::Ipv6(_))
            )
    };
    let open_egress = present.iter().any(|other| {
        other.direction == Direction::Egress
            && other.protocol == Protocol::All
            && all_out(&other.peer)
    });
    // ICMP is tracked always.
    let untracked = rule.protocol.has_ports() || rule.protocol == Protocol::All;
    if untracked && rule.peer.is_anywhere() && open_egress {
        "Connections that only this rule let in were untracked and ended with it.".to_owned()
    } else {
        "Connections made meanwhile live on until they idle out: end them on the server.".to_owned()
    }
}

/// Why a rule that is held is left alone, and what comes after.
pub fn held(hold: &Hold, remediation: Remediation, seen: bool) -> String {
    let until = minute(hold.until);
    let then = match remediation {
        Remediation::Notify => "After that it is reported again, and not closed.",
        Remediation::RevertSsh | Remediation::RevertIngress => {
            "After that it is closed, if it is still there and the settings are those of today."
        }
    };
    let there = if seen { "" } else { " The rule was not in the group when it was read." };
    format!("Left alone until {until}, as its tags ask. {then}{there}")
}

/// What has to be said of a hold that does not count.
pub fn on_claim(claim: &Claim) -> Option<String> {
    match claim {
        Claim::None | Claim::Held(_) => None,
        Claim::Over(hold) => Some(format!(
            "It was held open until {} ({}), and that is over.",
            minute(hold.until),
            quoted(&hold.reason)
        )),
        Claim::Refused(why) => Some(format!("It asks to be held open and is not: {why}.")),
    }
}
