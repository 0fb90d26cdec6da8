//! After an audit has acted, its findings are compared with the group as it is now.
//!
//! A finding is about a rule. What a message says must be true of the group, so this looks for other
//! rules that keep SSH open, and for what of a removed rule is in the group and what is missing.

use std::collections::BTreeSet;

use super::act::{compliant, is_about_ssh, not_among, replacing, with_pieces};
use super::context::Context;
use super::promised::is_the_same;
use super::subject::Subject;
use crate::baseline::Lists;
use crate::ec2::command::authorize_line;
use crate::ec2::{Direction, Ec2Error, GroupId, GroupKey, Region, Rule, SecurityGroups};
use crate::evaluate::plan::is_piece_of;
use crate::evaluate::severity::severity;
use crate::evaluate::{Code, Severity, Verdict};
use crate::finding::{Action, Finding, FoundRule, Matter, NotAdded, Presence, Unchecked};
use crate::net::{Set, Traffic};
use crate::text::causes;

/// A rule that admits SSH from the Internet, how bad that is, and what is to stay of it.
struct OpenRule {
    rule: Rule,
    severity: Severity,
    pieces: Vec<Rule>,
}

/// Completes the findings about one group.
pub(super) async fn recheck<E: SecurityGroups>(
    context: &Context<'_, E>,
    subject: &Subject<'_>,
    findings: &mut [&mut Finding],
) {
    let acted = findings.iter().any(|finding| finding.outcome().is_revert());
    if !acted && !findings.iter().any(|finding| is_about_ssh(finding)) {
        return;
    }
    let Some(now) = Now::of(context, subject, findings, acted).await else {
        findings.iter_mut().for_each(|finding| finding.lose_group());
        return;
    };
    // Commands are pasted one after the other. EC2 refuses a call that adds what is there or removes
    // what is not, so no two of them add the same rule or close the same one. A rule is closed by the
    // command of the finding about it, or else by that of the first finding that it keeps open.
    let (mut met, mut fixed) = (Vec::new(), Vec::new());
    for finding in findings.iter_mut() {
        let Matter::Rule(found) = &mut finding.matter else { continue };
        let (Presence::Present, Some(_)) = (found.presence, &finding.fix) else { continue };
        if !matches!(found.action, Action::Later(_)) {
            fixed.push(found.rule.clone());
        }
        if let (Some(pieces), true) = (&found.would_keep, acted) {
            let is_missing = |piece: &&Rule| !now.has(piece);
            let left = not_among(pieces.iter().filter(is_missing).cloned().collect(), &mut met);
            finding.fix = Some(subject.fix(&now.rules, std::slice::from_ref(&found.rule), &left));
        }
    }
    for finding in findings.iter_mut() {
        let about_ssh = is_about_ssh(finding);
        let Matter::Rule(found) = &mut finding.matter else { continue };
        if about_ssh {
            let open = || now.open.iter().filter(|open| !is_the_same(&found.rule, &open.rule));
            let worst = open().map(|open| open.severity).max();
            finding.severity = finding.severity.max(worst.unwrap_or(finding.severity));
            let is_fixed = |open: &&OpenRule| fixed.iter().any(|it| it.is_same_as(&open.rule));
            let (elsewhere, own): (Vec<&OpenRule>, Vec<&OpenRule>) = open().partition(is_fixed);
            let rules = |open: &[&OpenRule]| -> Vec<Rule> {
                open.iter().map(|open| open.rule.clone()).collect()
            };
            found.still_open = open().map(|open| open.rule.clone()).collect();
            if found.presence.is_gone() {
                let closed = rules(&own);
                let pieces = own.iter().flat_map(|open| open.pieces.iter().cloned());
                let is_missing = |piece: &Rule| !now.has(piece);
                let pieces = not_among(pieces.filter(is_missing).collect(), &mut met);
                finding.fix =
                    (!closed.is_empty()).then(|| subject.fix(&now.rules, &closed, &pieces));
                found.closed_elsewhere = rules(&elsewhere);
                fixed.extend(closed);
            }
            if finding.code == Code::SshFromUnlistedHost && now.was_read {
                let others = now.of_hosts.iter().filter(|rule| !is_the_same(&found.rule, rule));
                found.other_hosts = Some(others.count());
            }
            let undecided = now.undecided.iter().filter(|rule| !is_the_same(&found.rule, rule));
            let undecided: Vec<Rule> = undecided.cloned().collect();
            found.unchecked = match now.was_read {
                false => Some(Unchecked::Group),
                true => (!undecided.is_empty()).then_some(Unchecked::Rules(undecided)),
            };
        }
    }
    let ingress = now.rules.iter().filter(|rule| rule.direction() == Direction::Ingress);
    let (admitted, mut offered) = (traffic(ingress), traffic(&met));
    let region = subject.at.region.as_ref();
    for finding in findings {
        let Matter::Rule(found) = &mut finding.matter else { continue };
        (found.kept, found.missing) = now.replaced(found);
        let is_within = |traffic: &Traffic| {
            let within = |piece: &&Rule| piece.traffic().is_subset_of(traffic);
            found.missing.iter().filter(within).cloned().collect()
        };
        (found.admitted, found.offered) = (is_within(&admitted), is_within(&offered));
        recheck_action(found, &now);
        finding.complete = complete(region, &subject.group.id, found);
        if finding.complete.is_some() {
            offered = with_pieces(&offered, &found.missing);
        }
    }
}

/// What was done, told as it is now: a piece for which there was no room may be there meanwhile, and
/// another rule may admit it.
fn recheck_action(found: &mut FoundRule, now: &Now) {
    let Action::Reverted(reverted) = &mut found.action else { return };
    let is_missing = |piece: &Rule| found.missing.iter().any(|rule| rule.is_same_as(piece));
    reverted.refused.retain(is_missing);
    for (piece, why) in std::mem::take(&mut reverted.missing) {
        if is_missing(&piece) {
            reverted.missing.push((piece, why));
        } else if now.has(&piece) {
            reverted.placed.push(piece);
        }
    }
}

/// A group after an audit acted.
struct Now {
    rules: Vec<Rule>,
    /// Whether they were read then. Otherwise they are what was read before, with what the audit
    /// itself did.
    was_read: bool,
    /// What the ingress rules that comply admit.
    covered: Traffic,
    /// The rules that are open SSH.
    open: Vec<OpenRule>,
    /// Those that let one public host reach SSH.
    of_hosts: Vec<Rule>,
    /// Those that may be open, because a list that decides could not be read.
    undecided: Vec<Rule>,
}

impl Now {
    /// The group as it is now; `None` where it is gone. What this audit itself did counts, even if
    /// EC2 still shows what was a moment ago.
    async fn of<E: SecurityGroups>(
        context: &Context<'_, E>,
        subject: &Subject<'_>,
        findings: &[&mut Finding],
        acted: bool,
    ) -> Option<Self> {
        let found = || findings.iter().filter_map(|finding| finding.found_rule());
        if found().any(|found| matches!(found.action, Action::GroupGone)) {
            return None;
        }
        let read = match acted {
            true => context.ec2.rules(subject.at, &subject.group.id).await,
            false => Ok(subject.rules.to_vec()),
        };
        let was_read = read.is_ok();
        if acted && read.as_ref().is_ok_and(Vec::is_empty) {
            // EC2 lists no rules of a group that is gone, without saying so.
            let key = GroupKey::Id(subject.group.id.clone());
            if let Ok(None) = context.ec2.group(subject.at, &key).await {
                return None;
            }
        }
        let read = read.unwrap_or_else(|error| {
            tracing::warn!(error = causes(&error), "the group could not be read again");
            subject.rules.to_vec()
        });
        let is_gone = |rule: &Rule| {
            found().any(|found| found.presence.is_gone() && is_the_same(&found.rule, rule))
        };
        let added = found().flat_map(|found| match &found.action {
            Action::Reverted(reverted) => reverted.placed.as_slice(),
            Action::AlreadyGone { added, .. } | Action::NotReverted { added, .. } => added,
            _ => &[],
        });
        let mut met = BTreeSet::new();
        let mut rules: Vec<Rule> = read.into_iter().filter(|rule| !is_gone(rule)).collect();
        rules.extend(added.cloned());
        rules.retain(|rule| met.insert(rule.content()));
        Some(Self::judged(context, subject, rules, was_read).await)
    }

    async fn judged<E: SecurityGroups>(
        context: &Context<'_, E>,
        subject: &Subject<'_>,
        rules: Vec<Rule>,
        was_read: bool,
    ) -> Self {
        let ingress: Vec<&Rule> =
            rules.iter().filter(|rule| rule.direction() == Direction::Ingress).collect();
        let mut lists = Lists::new();
        let looked_up =
            context.look_up_lists(subject, Direction::Ingress, &ingress, &mut lists).await;
        if let Err(error) = looked_up {
            tracing::warn!(error = causes(&error), "a list could not be read");
        }
        let judge = context.judge(subject, Direction::Ingress, &lists);
        let covered = compliant(&judge, &rules);
        let (mut fixed, mut added) = (covered.clone(), Vec::new());
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
            let pieces = replacing(context.settings, &judge, &verdict, &fixed);
            let pieces = not_among(pieces.unwrap_or_default(), &mut added);
            fixed = with_pieces(&fixed, &pieces);
            open.push(OpenRule { rule: rule.clone(), severity, pieces });
        }
        Self { rules, was_read, covered, open, of_hosts, undecided }
    }

    fn has(&self, rule: &Rule) -> bool {
        self.rules.iter().any(|other| other.is_same_as(rule))
    }

    /// What of a removed rule is in the group, and what should be and is not. What other rules that
    /// comply admit is not missing; rules that do not comply do not count, because they have to go.
    fn replaced(&self, found: &FoundRule) -> (Vec<Rule>, Vec<Rule>) {
        let (Action::Reverted(_) | Action::AlreadyGone { .. }, Some(pieces)) =
            (&found.action, &found.would_keep)
        else {
            return (Vec::new(), Vec::new());
        };
        let is_missing =
            |piece: &&Rule| !self.has(piece) && !piece.traffic().is_subset_of(&self.covered);
        let missing = pieces.iter().filter(is_missing).cloned().collect();
        // Pieces that an earlier run added before it died are kept as well.
        let earlier = self.rules.iter().filter(|rule| is_piece_of(rule, &found.rule));
        let mut kept: Vec<Rule> = pieces.iter().filter(|it| self.has(it)).cloned().collect();
        for piece in earlier {
            if !kept.iter().any(|kept| kept.is_same_as(piece)) {
                kept.push(piece.clone());
            }
        }
        (kept, missing)
    }
}

/// The shell line that adds what is missing and no other command adds. Where the limit of rules was
/// the reason, each rule has a call of its own: EC2 refuses a call as a whole, and there may be room
/// for the first ones. What EC2 refused comes last, so that it does not keep the others out.
fn complete(region: Option<&Region>, group: &GroupId, found: &FoundRule) -> Option<String> {
    let (mut was_full, mut refused) = (false, Vec::new());
    if let Action::Reverted(reverted) = &found.action {
        refused.extend(&reverted.refused);
        for (piece, why) in &reverted.missing {
            match why {
                NotAdded::Ec2(Ec2Error::LimitExceeded) => was_full = true,
                NotAdded::Ec2(Ec2Error::Refused { .. }) => refused.push(piece),
                NotAdded::Ec2(_) | NotAdded::TooMany => {}
            }
        }
    }
    let is_among = |piece: &Rule, some: &[&Rule]| some.iter().any(|it| it.is_same_as(piece));
    let offered: Vec<&Rule> = found.offered.iter().collect();
    let missing = found.missing.iter().filter(|piece| !is_among(piece, &offered)).cloned();
    let (refused, rest): (Vec<Rule>, Vec<Rule>) =
        missing.partition(|piece| is_among(piece, &refused));
    let calls = rest.chunks(if was_full { 1 } else { usize::MAX }).chain(refused.chunks(1));
    let calls: Vec<String> =
        calls.filter_map(|rules| authorize_line(region, group, rules, None)).collect();
    (!calls.is_empty()).then(|| calls.join(" && "))
}

/// What these rules admit.
fn traffic<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> Traffic {
    Traffic::union_of(rules.into_iter().map(Rule::traffic).collect())
}
