//! What is done about a rule that does not comply: nothing, for a reason, or a revert.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::context::Context;
use super::error::AuditError;
use super::ports::is_late;
use super::revert::{Order, revert};
use super::subject::{Candidate, Subject, Trigger, When, remarks};
use super::units::Applied;
use crate::baseline::Lists;
use crate::ec2::command::{Sequence, replace_line, undo};
use crate::ec2::hold::{Claim, Hold};
use crate::ec2::{
    Direction, Ec2Error, Peer, PrefixList, Protocol, RULE_LIMIT, Reference, Rule, RuleError,
    SecurityGroups,
};
use crate::evaluate::plan::{is_due, is_piece_of, is_ssh, pieces};
use crate::evaluate::{Code, Judge, Judgement, Verdict};
use crate::event::ListChange;
use crate::finding::{
    Action, AfterHold, Connections, DoubtfulExemption, Finding, Handled, ListEntries, Matter,
    NotReverted, Outcome, Presence, Remark, Tally, ToClose, Unchecked,
};
use crate::net::{Set, Traffic, addresses};
use crate::settings::{MAX_PIECES, RevertKeeps, Settings};
use crate::text::causes;

impl<E: SecurityGroups> Context<'_, E> {
    /// Judges a group and acts on what does not comply.
    ///
    /// # Errors
    ///
    /// When EC2 did not answer for now. What became of other rules before is in `tally` then.
    pub async fn judge_and_act(
        &self,
        subject: &Subject<'_>,
        tally: &mut Tally,
    ) -> Result<(), AuditError> {
        for direction in Direction::BOTH {
            let mut lists = Lists::new();
            let rules: Vec<&Rule> = subject.of_direction(direction).collect();
            let is_decided = self.look_up_lists(subject, direction, &rules, &mut lists).await?;
            let judge = self.judge(subject, direction, &lists);
            self.conclude(subject, &judge, is_decided, tally).await?;
        }
        Ok(())
    }

    /// The same in one direction, when the prefix lists that decide have been read, or as many as
    /// there was time for.
    async fn conclude(
        &self,
        subject: &Subject<'_>,
        judge: &Judge<'_>,
        is_decided: bool,
        tally: &mut Tally,
    ) -> Result<(), AuditError> {
        let (origin, trigger) = (subject.origin(), subject.trigger);
        let now = (self.clock)();
        let mut noncompliant = subject.judge(judge, self.settings, now, tally);
        if subject.tells_of_wide_lists() {
            let name = &self.settings.baseline.name;
            // One that was handed on because it does not comply was told of before.
            let is_new = |rule: &Rule| {
                !trigger.is_second_try() || subject.has(rule) && judge.judge(rule).is_compliant()
            };
            let is_told = |rule: &&Rule| judge.wide_ssh(rule) && is_new(rule);
            for rule in subject.of_direction(judge.direction()).filter(is_told) {
                let list = trigger.list_entries(None);
                tally.findings.push(origin.wide_list(name, rule, list, now));
            }
        }
        if noncompliant.is_empty() {
            return Ok(());
        }
        // What is there goes before what was not read: a second try has to get further than the
        // first one, which may have reverted the others.
        noncompliant.sort_by_key(|(verdict, candidate)| (verdict.code, !candidate.seen));
        let mut covered = compliant(judge, subject.rules);
        // The same once what is reported has been fixed, so that no two fixes add the same rule:
        // EC2 refuses a call that adds what is there.
        let (mut fixed, mut added) = (covered.clone(), Vec::new());
        let mut acted = !self.is_first;
        // What decides about these is left to another invocation. If that is all of them on the second
        // try, the next one would get no further.
        let is_undecided = |rule: &Rule| !is_decided && !judge.lists_needed(rule).is_empty();
        let hands_on =
            !trigger.is_second_try() || !subject.of_direction(judge.direction()).all(is_undecided);
        for (verdict, candidate) in noncompliant {
            let pieces = replacing(self.settings, judge, &verdict, &fixed)
                .map(|pieces| not_among(pieces, &mut added));
            let time = (self.clock)();
            let left_alone =
                left_alone(self.settings, subject, judge, (&verdict, &candidate), &pieces, time);
            fixed = with_pieces(&fixed, pieces.as_deref().unwrap_or_default());
            let undecided = hands_on && is_undecided(verdict.rule);
            let left_alone = left_alone.filter(|_| !undecided);
            // At least one rule is reverted, so that the next invocation gets further.
            let late = acted && is_late(self.deadline, time + expected(&pieces));
            let when = if undecided || late { trigger.when_late() } else { trigger.when() };
            let (mut handled, later) = match (left_alone, when) {
                (Some(handled), _) => (handled, None),
                (None, _) if let Some(planner) = self.plans => {
                    let pieces = pieces.unwrap_or_default();
                    let handled = Handled {
                        fix: Some(subject.fix_of(verdict.rule, &pieces)),
                        would_keep: Some(pieces),
                        ..Handled::untouched(Action::Planned(planner), time)
                    };
                    (handled, None)
                }
                (None, When::Later(found_by)) => {
                    let pieces = pieces.unwrap_or_default();
                    let handled = Handled {
                        fix: Some(subject.fix_of(verdict.rule, &pieces)),
                        would_keep: Some(pieces),
                        ..Handled::untouched(Action::Later(None), time)
                    };
                    (handled, Some(found_by))
                }
                (None, When::Now) => {
                    acted = true;
                    let ssh = is_ssh(judge, &verdict);
                    let pieces = replacing(self.settings, judge, &verdict, &covered);
                    (self.revert(subject, ssh, &candidate, pieces, &mut covered).await?, None)
                }
            };
            handled.remarks = remarks(&candidate);
            handled
                .remarks
                .extend(trigger.list_entries(Some(&verdict.judgement)).map(Remark::List));
            handled.remarks.extend(self.stale_group(subject, verdict.rule).await);
            let finding = origin.rule(judge, verdict, handled);
            match later {
                Some(found_by) => {
                    let rule = subject.to_close(&candidate, found_by);
                    tally.to_close.push(ToClose { rule, finding });
                }
                None => tally.findings.push(finding),
            }
        }
        Ok(())
    }

    /// That the rule names a group which no longer exists. Where time runs out, nobody looks.
    async fn stale_group(&self, subject: &Subject<'_>, rule: &Rule) -> Option<Remark> {
        let Peer::Reference(Reference::Group(peer)) = rule.peer() else { return None };
        if rule.has_lost_peering() {
            // That is told already, and there is nobody to ask about the other VPC.
            return None;
        }
        // The group itself exists: its rules were read.
        let is_itself = peer.account().is_none() && *peer.id() == subject.group.id;
        let is_known = is_itself || is_late(self.deadline, (self.clock)());
        let is_stale = !is_known && self.lookups.is_stale(subject.at, peer).await;
        is_stale.then(|| Remark::StaleGroup(peer.clone()))
    }

    /// Reverts a rule, of which `pieces` are to stay. `covered` is what compliant rules admit, and
    /// grows by what is added.
    async fn revert(
        &self,
        subject: &Subject<'_>,
        open_ssh: bool,
        candidate: &Candidate<'_>,
        pieces: Result<Vec<Rule>, RuleError>,
        covered: &mut Traffic,
    ) -> Result<Handled, Ec2Error> {
        let rule = &*candidate.rule;
        let pieces = match pieces {
            Ok(pieces) => pieces,
            Err(error) => {
                let reason = NotReverted::Pieces(error);
                let action = Action::NotReverted { reason, added: Vec::new() };
                return Ok(Handled::untouched(action, (self.clock)()));
            }
        };
        let order = Order {
            place: subject.at,
            group: subject.group,
            rule,
            seen: candidate.seen,
            open_ssh,
            pieces: &pieces,
        };
        let done = revert(self.ec2, &order).await?;
        tracing::info!(
            rule = rule.id().map_or("", |id| id.as_str()),
            outcome = done.action.outcome().as_str(),
            error = done.action.error().map(|error| causes(error)),
            "revert"
        );
        *covered = with_pieces(covered, &done.added);
        // Pieces that an earlier run added before it died are kept and undone as well.
        let earlier = || subject.rules.iter().filter(|piece| is_piece_of(piece, rule)).cloned();
        let gone = done.is_gone();
        let added = once_each(done.added.into_iter().chain(earlier()));
        // What is put back would be reverted again at once, as it was now.
        let hold = Hold::of_undo((self.clock)(), self.settings.hold_max_hours).filter(|_| gone);
        let sequence = if done.was_full
            || is_too_full(subject.rules, std::slice::from_ref(rule), rule.direction())
        {
            Sequence::PiecesFirst
        } else {
            Sequence::RuleFirst
        };
        Ok(Handled {
            action: done.action,
            time: (self.clock)(),
            presence: presence(!gone, rule, subject.rules),
            fix: (!gone).then(|| subject.fix_of(rule, &pieces)),
            would_keep: Some(pieces),
            undo: undo(
                subject.at.region.as_ref(),
                &subject.group.id,
                gone.then_some(rule),
                &added,
                sequence,
                hold.as_ref(),
            ),
            undo_hold: hold,
            remarks: Vec::new(),
        })
    }
}

/// What is reported about a rule that nothing is done about, which may be because it is held or
/// exempt. `None` where a revert is due.
pub(super) fn left_alone(
    settings: &Settings,
    subject: &Subject<'_>,
    judge: &Judge<'_>,
    (verdict, candidate): (&Verdict<'_>, &Candidate<'_>),
    pieces: &Result<Vec<Rule>, RuleError>,
    now: DateTime<Utc>,
) -> Option<Handled> {
    let Subject { at, group, rules, trigger, .. } = subject;
    let (rule, seen) = (verdict.rule, candidate.seen);
    let left_alone = |action| Handled {
        would_keep: pieces.as_ref().ok().cloned(),
        presence: presence(seen, rule, rules),
        fix: seen.then(|| subject.fix_of(rule, pieces.as_deref().unwrap_or_default())),
        ..Handled::untouched(action, now)
    };
    let due = is_due(subject.remediation(settings), judge, verdict);
    let doubtful = doubtful_exemptions(judge, &verdict.judgement);
    let was_held = candidate.is_named && matches!(candidate.claim, Claim::Held(_));
    let region = at.region.as_ref();
    let put_back = || undo(region, &group.id, Some(rule), &[], Sequence::RuleFirst, None);
    if trigger.is_second_try() && !seen && !was_held {
        // An earlier try may have closed it. Whatever an exemption or tags that it got later say by
        // now, that it is gone has to be reported.
        return (!due || !doubtful.is_empty())
            .then(|| Handled { undo: put_back(), ..left_alone(Action::GoneBefore) });
    }
    if let Claim::Held(hold) = &candidate.claim {
        let then = match settings.remediation.max(settings.sweep_remediation).reverts() {
            true => AfterHold::Closed,
            false => AfterHold::Reported,
        };
        // EC2 may not list it yet. Or an earlier try closed it while its tags were off.
        let undo = if seen { None } else { put_back() };
        let action = Action::Held { hold: hold.clone(), then, seen };
        return Some(Handled { undo, ..left_alone(action) });
    }
    if !due {
        let seen = trigger.tells_presence().then_some(seen);
        return Some(left_alone(Action::NotDue { why: subject.not_due(settings), seen }));
    }
    (!doubtful.is_empty()).then(|| left_alone(Action::PerhapsExempt(doubtful)))
}

/// The findings about a group that cannot be read, from what is known of its rules otherwise. Lists
/// count as unreadable too.
pub(super) fn unreadable(
    Applied { settings, undecided }: &Applied<'_>,
    subject: &Subject<'_>,
    error: &Ec2Error,
    now: DateTime<Utc>,
) -> Tally {
    let mut tally = Tally { groups: 1, rules: subject.candidates.len(), ..Tally::default() };
    tally.bindings.insert(settings.binding.clone());
    let lists = Lists::new();
    for direction in Direction::BOTH {
        let id = Some(&subject.group.id);
        let judge = Judge::new(&settings.baseline, direction, id, &lists, now.date_naive());
        for (verdict, candidate) in subject.judge(&judge, settings, now, &mut tally) {
            let due = match candidate.claim {
                Claim::Held(_) => Outcome::Held,
                _ if is_due(subject.remediation(settings), &judge, &verdict) => Outcome::Failed,
                _ => Outcome::None,
            };
            let noted = subject.trigger.is_second_try();
            let action = Action::Unreadable { error: error.clone(), due, noted };
            let pieces = replacing(settings, &judge, &verdict, &Traffic::empty());
            let region = subject.at.region.as_ref();
            let (id, pieces) = (&subject.group.id, pieces.unwrap_or_default());
            // As a revert of a rule that was not read: if it is not there, nothing is added.
            let fix = replace_line(
                region,
                id,
                std::slice::from_ref(verdict.rule),
                &pieces,
                Sequence::RuleFirst,
            );
            let handled = Handled { fix: Some(fix), ..Handled::untouched(action, now) };
            let mut finding = subject.origin().rule(&judge, verdict, handled);
            let about_ssh = is_about_ssh(&finding);
            if let Matter::Rule(found) = &mut finding.matter {
                found.unchecked = about_ssh.then_some(Unchecked::Group);
            }
            finding.bind(&settings.binding, undecided);
            tally.findings.push(finding);
        }
    }
    tally
}

/// The traffic together with what these rules admit.
pub(super) fn with_pieces(traffic: &Traffic, pieces: &[Rule]) -> Traffic {
    traffic.union(&Traffic::union_of(pieces.iter().map(Rule::traffic).collect()))
}

/// The pieces that are not among those that were met before; they are from now on.
pub(super) fn not_among(mut pieces: Vec<Rule>, met: &mut Vec<Rule>) -> Vec<Rule> {
    pieces.retain(|piece| !met.iter().any(|other| other.is_same_as(piece)));
    met.extend_from_slice(&pieces);
    pieces
}

/// What replaces a rule when it is reverted.
pub(super) fn replacing(
    settings: &Settings,
    judge: &Judge<'_>,
    verdict: &Verdict<'_>,
    covered: &Traffic,
) -> Result<Vec<Rule>, RuleError> {
    match settings.revert_keeps {
        RevertKeeps::Baseline => pieces(judge, verdict.rule, covered),
        RevertKeeps::Nothing => Ok(Vec::new()),
    }
}

/// Whether a finding is about a rule that lets, or may let, addresses reach SSH that should not.
pub(super) fn is_about_ssh(finding: &Finding) -> bool {
    let Matter::Rule(found) = &finding.matter else { return false };
    match finding.code {
        Code::OpenSsh | Code::SshFromUnlistedHost => true,
        Code::UnresolvedPeer => !found.unresolved.within(&found.ssh).is_empty(),
        _ => false,
    }
}

/// What the completely compliant rules of the judge's direction admit.
pub(super) fn compliant(judge: &Judge<'_>, rules: &[Rule]) -> Traffic {
    let comply = rules
        .iter()
        .filter(|rule| rule.direction() == judge.direction() && judge.judge(rule).is_compliant());
    Traffic::union_of(comply.map(Rule::traffic).collect())
}

/// The exemptions that may cover the excess, and of which nobody can tell.
fn doubtful_exemptions(judge: &Judge<'_>, judgement: &Judgement) -> Vec<DoubtfulExemption> {
    judge
        .undecided_exemptions(judgement)
        .into_iter()
        .map(|undecided| DoubtfulExemption {
            reason: undecided.exemption.reason.clone(),
            until: undecided.exemption.until,
            lists: undecided
                .lists
                .into_iter()
                .map(|(id, error)| (id.clone(), error.cloned()))
                .collect(),
        })
        .collect()
}

impl Subject<'_> {
    /// The shell line that does what a revert of a rule would.
    fn fix_of(&self, rule: &Rule, pieces: &[Rule]) -> String {
        self.fix(self.rules, std::slice::from_ref(rule), pieces)
    }

    /// The shell line that closes rules of a direction, as reverts would, in a group that has the
    /// rules `now`. EC2 refuses a call that adds what is there, so it adds only what is not.
    pub fn fix(&self, now: &[Rule], closed: &[Rule], pieces: &[Rule]) -> String {
        let is_there = |piece: &&Rule| now.iter().any(|other| other.is_same_as(piece));
        let pieces: Vec<Rule> = pieces.iter().filter(|piece| !is_there(piece)).cloned().collect();
        let direction = closed.first().map_or(Direction::Ingress, |rule| rule.direction());
        let sequence = match is_too_full(now, &pieces, direction) {
            true => Sequence::RuleFirst,
            false => Sequence::PiecesFirst,
        };
        replace_line(self.at.region.as_ref(), &self.group.id, closed, &pieces, sequence)
    }
}

/// How long reverting a rule may take with a slow EC2: a second for each piece.
fn expected(pieces: &Result<Vec<Rule>, RuleError>) -> TimeDelta {
    let pieces = pieces.as_ref().map_or(0, |pieces| pieces.len().min(MAX_PIECES));
    i64::try_from(pieces).map_or(TimeDelta::zero(), TimeDelta::seconds)
}

/// Whether the group, as it was read, has no room for these rules too. EC2 counts rules for IPv4 and
/// for IPv6 apart, and those that name a group or a list as both.
fn is_too_full(rules: &[Rule], more: &[Rule], direction: Direction) -> bool {
    let of_direction = || rules.iter().filter(|rule| rule.direction() == direction).chain(more);
    let ipv4 = of_direction().filter(|rule| !matches!(rule.peer(), Peer::Ipv6(_))).count();
    let ipv6 = of_direction().filter(|rule| !matches!(rule.peer(), Peer::Ipv4(_))).count();
    ipv4.max(ipv6) > RULE_LIMIT
}

fn presence(is_present: bool, rule: &Rule, present: &[Rule]) -> Presence {
    if is_present { Presence::Present } else { Presence::Gone(connections(rule, present)) }
}

/// What becomes of connections that the rule admitted. Untracked ones end with it (EC2 user guide,
/// "Untracked connections").
fn connections(rule: &Rule, present: &[Rule]) -> Connections {
    let all_out = |peer: &Peer| {
        peer.is_anywhere()
            && matches!(
                (rule.peer(), peer),
                (Peer::Ipv4(_), Peer::Ipv4(_)) | (Peer::Ipv6(_), Peer::Ipv6(_))
            )
    };
    let open_egress = present.iter().any(|other| {
        other.direction() == Direction::Egress
            && other.protocol() == Protocol::All
            && all_out(other.peer())
    });
    // ICMP is always tracked.
    let untracked = rule.protocol().has_ports() || rule.protocol() == Protocol::All;
    if untracked && rule.peer().is_anywhere() && open_egress {
        Connections::Ended
    } else {
        Connections::LiveOn
    }
}

/// Rules of the same content once: EC2 refuses a call that names one twice.
fn once_each(rules: impl Iterator<Item = Rule>) -> Vec<Rule> {
    let mut met = BTreeSet::new();
    rules.filter(|rule| met.insert(rule.content())).collect()
}

impl Trigger<'_> {
    /// The entries of the list whose change triggered the audit: those that are part of an excess,
    /// or all of them where no judgement is given.
    fn list_entries(&self, judgement: Option<&Judgement>) -> Option<ListEntries> {
        let Self::List(change, list) = self else { return None };
        Some(list_entries(change, list, judgement))
    }
}

/// The entries of a changed list that are part of an excess, or all of them where no judgement is
/// given; those that the change added come first.
pub(super) fn list_entries(
    change: &ListChange,
    list: &PrefixList,
    judgement: Option<&Judgement>,
) -> ListEntries {
    let excess =
        judgement.map(|judgement| (judgement.excess.peers_ipv4(), judgement.excess.peers_ipv6()));
    let is_excess = |net: &ipnet::IpNet| {
        let (ipv4, ipv6) = addresses([net]);
        excess.as_ref().is_none_or(|(excess_ipv4, excess_ipv6)| {
            !ipv4.intersection(excess_ipv4).is_empty() || !ipv6.intersection(excess_ipv6).is_empty()
        })
    };
    let added = |net: &ipnet::IpNet| change.added.contains(net);
    let entries = list.entries.iter().filter(|net| is_excess(net));
    let mut entries: Vec<_> = entries.map(|net| (*net, added(net))).collect();
    entries.sort_by_key(|(_, added)| !added);
    ListEntries { list: change.list.clone(), entries, are_excess: judgement.is_some() }
}
