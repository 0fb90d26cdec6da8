//! After an audit has acted, its findings are held against the group as it is now.
//!
//! A finding is about a rule. What a message says must be true of the group, so this looks for other
//! rules that keep SSH open, and for what of a removed rule is in the group and what is missing.

use std::collections::BTreeSet;

use super::act::{compliant, is_about_ssh, not_among, replacing, with_pieces};
use super::context::Context;
use super::subject::Subject;
use crate::baseline::Lists;
use crate::ec2::command::authorize_line;
use crate::ec2::{Direction, Ec2Error, GroupId, Region, Rule, SecurityGroups};
use crate::evaluate::plan::is_piece_of;
use crate::evaluate::severity::severity;
use crate::evaluate::{Code, Severity, Verdict};
use crate::finding::{Action, Finding, FoundRule, Matter, NotAdded, Unchecked};
use crate::net::Set;
use crate::text::causes;

/// The rules of a group that let addresses reach SSH beyond the baseline.
struct SshRules {
    open: Vec<OpenRule>,
    /// Those that let one public host reach it.
    of_hosts: Vec<Rule>,
    /// Those that may be open, because a list that decides could not be read.
    undecided: Vec<Rule>,
}

/// A rule that admits SSH from the Internet, and how bad that is.
struct OpenRule {
    rule: Rule,
    severity: Severity,
    /// The shell line that closes it.
    fix: String,
}

/// Completes the findings about one group.
pub(super) async fn settle<E: SecurityGroups>(
    context: &Context<'_, E>,
    subject: &Subject<'_>,
    findings: &mut [&mut Finding],
) {
    let acted = findings.iter().any(|finding| finding.outcome().is_revert());
    if !acted && !findings.iter().any(|finding| is_about_ssh(finding)) {
        return;
    }
    let Now { rules, was_read } = rules_now(context, subject, findings, acted).await;
    let SshRules { open, of_hosts, undecided } = ssh_rules(context, subject, &rules).await;
    let region = subject.at.region.as_ref();
    for finding in findings {
        let about_ssh = is_about_ssh(finding);
        let Matter::Rule(found) = &mut finding.matter else { continue };
        if found.presence.is_gone() {
            (found.kept, found.missing) = replaced(context, subject, found, &rules);
            finding.complete = complete(region, &subject.group.id, found);
        } else if let (Some(pieces), true) = (&found.would_keep, acted && finding.fix.is_some()) {
            // EC2 refuses a call that adds what is there.
            let is_there = |piece: &&Rule| rules.iter().any(|rule| rule.is_same_as(piece));
            let left: Vec<Rule> = pieces.iter().filter(|piece| !is_there(piece)).cloned().collect();
            finding.fix = Some(subject.fix(&found.rule, &left));
        }
        if about_ssh {
            let others: Vec<&OpenRule> =
                open.iter().filter(|other| !is_the_same(&other.rule, found)).collect();
            let mut fixes: Vec<&str> = Vec::new();
            for OpenRule { rule, severity, fix } in others {
                found.still_open.push(rule.clone());
                finding.severity = finding.severity.max(*severity);
                fixes.push(fix);
            }
            if found.presence.is_gone() && !fixes.is_empty() {
                finding.fix = Some(fixes.join(" && "));
            }
            if finding.code == Code::SshFromUnlistedHost && was_read {
                let others = of_hosts.iter().filter(|rule| !is_the_same(rule, found));
                found.other_hosts = Some(others.count());
            }
            let undecided = undecided.iter().filter(|rule| !is_the_same(rule, found));
            let undecided: Vec<Rule> = undecided.cloned().collect();
            found.unchecked = match was_read {
                false => Some(Unchecked::Group),
                true => (!undecided.is_empty()).then_some(Unchecked::Rules(undecided)),
            };
        }
    }
}

/// Whether a rule that was read is the one that the finding is about. A rule that was revoked and
/// authorised again has another id, and is another rule.
fn is_the_same(rule: &Rule, found: &FoundRule) -> bool {
    let other_id = matches!((rule.id(), found.rule.id()), (Some(id), Some(own)) if id != own);
    rule.is_same_as(&found.rule) && !other_id
}

/// The rules of a group after an audit acted.
struct Now {
    rules: Vec<Rule>,
    /// Whether they were read then. Otherwise they are what was read before, with what the audit
    /// itself did.
    was_read: bool,
}

/// The rules of the group now. What this audit itself did counts, even if EC2 still shows what was a
/// moment ago.
async fn rules_now<E: SecurityGroups>(
    context: &Context<'_, E>,
    subject: &Subject<'_>,
    findings: &[&mut Finding],
    acted: bool,
) -> Now {
    let read = match acted {
        true => context.ec2.rules(subject.at, subject.group).await,
        false => Ok(subject.rules.to_vec()),
    };
    let was_read = read.is_ok();
    let read = read.unwrap_or_else(|error| {
        tracing::warn!(error = causes(&error), "the group could not be read again");
        subject.rules.to_vec()
    });
    let found = || findings.iter().filter_map(|finding| finding.found_rule());
    let is_gone =
        |rule: &Rule| found().any(|found| found.presence.is_gone() && is_the_same(rule, found));
    let added = found().flat_map(|found| match &found.action {
        Action::Reverted(reverted) => reverted.placed.as_slice(),
        Action::AlreadyGone { added, .. } | Action::NotReverted { added, .. } => added,
        _ => &[],
    });
    let mut met = BTreeSet::new();
    let mut rules: Vec<Rule> = read.into_iter().filter(|rule| !is_gone(rule)).collect();
    rules.extend(added.cloned());
    rules.retain(|rule| met.insert(rule.content()));
    Now { rules, was_read }
}

/// The rules among these that let addresses reach SSH beyond the baseline.
async fn ssh_rules<E: SecurityGroups>(
    context: &Context<'_, E>,
    subject: &Subject<'_>,
    rules: &[Rule],
) -> SshRules {
    let ingress: Vec<&Rule> =
        rules.iter().filter(|rule| rule.direction() == Direction::Ingress).collect();
    let mut lists = Lists::new();
    let looked_up = context.look_up_lists(subject, Direction::Ingress, &ingress, &mut lists).await;
    if let Err(error) = looked_up {
        tracing::warn!(error = causes(&error), "a list could not be read");
    }
    let judge = context.judge(subject, Direction::Ingress, &lists);
    let (mut covered, mut added) = (compliant(&judge, rules), Vec::new());
    let (mut open, mut of_hosts, mut undecided) = (Vec::new(), Vec::new(), Vec::new());
    for rule in ingress {
        let judgement = judge.judge(rule);
        let code = judge.code(&judgement);
        if code == Some(Code::SshFromUnlistedHost) {
            of_hosts.push(rule.clone());
        }
        let Some(code) = code.filter(|code| *code == Code::OpenSsh) else {
            if !judgement.unresolved.within(&judge.ssh()).is_empty() {
                undecided.push(rule.clone());
            }
            continue;
        };
        let severity = severity(code, rule, &judgement, &judge);
        let verdict = Verdict { code, rule, judgement };
        let pieces = replacing(context.settings, &judge, &verdict, &covered);
        let pieces = not_among(pieces.unwrap_or_default(), &mut added);
        covered = with_pieces(&covered, &pieces);
        let fix = subject.fix(rule, &pieces);
        open.push(OpenRule { rule: rule.clone(), severity, fix });
    }
    SshRules { open, of_hosts, undecided }
}

/// What of a removed rule is in the group now, and what should be and is not. What other rules that
/// comply admit is not missing.
fn replaced<E: SecurityGroups>(
    context: &Context<'_, E>,
    subject: &Subject<'_>,
    found: &FoundRule,
    now: &[Rule],
) -> (Vec<Rule>, Vec<Rule>) {
    let (Action::Reverted(_) | Action::AlreadyGone { .. }, Some(pieces)) =
        (&found.action, &found.would_keep)
    else {
        return (Vec::new(), Vec::new());
    };
    let lists = Lists::new();
    let judge = context.judge(subject, found.rule.direction(), &lists);
    let covered = compliant(&judge, now);
    let is_there = |piece: &&Rule| now.iter().any(|rule| rule.is_same_as(piece));
    let is_missing = |piece: &&Rule| !is_there(piece) && !piece.traffic().is_subset_of(&covered);
    let missing = pieces.iter().filter(is_missing).cloned().collect();
    // Pieces that an earlier run added before it died are kept as well.
    let earlier = now.iter().filter(|rule| is_piece_of(rule, &found.rule));
    let mut kept: Vec<Rule> = pieces.iter().filter(is_there).cloned().collect();
    for piece in earlier {
        if !kept.iter().any(|kept| kept.is_same_as(piece)) {
            kept.push(piece.clone());
        }
    }
    (kept, missing)
}

/// The shell line that adds what is missing. Where the limit of rules was the reason, each rule has
/// a call of its own: EC2 refuses a call as a whole, and there may be room for the first ones.
fn complete(region: Option<&Region>, group: &GroupId, found: &FoundRule) -> Option<String> {
    let was_full = match &found.action {
        Action::Reverted(reverted) => reverted
            .missing
            .iter()
            .any(|(_, why)| matches!(why, NotAdded::Ec2(Ec2Error::LimitExceeded))),
        _ => false,
    };
    let calls = found.missing.chunks(if was_full { 1 } else { usize::MAX });
    let calls: Vec<String> =
        calls.filter_map(|rules| authorize_line(region, group, rules, None)).collect();
    (!calls.is_empty()).then(|| calls.join(" && "))
}
