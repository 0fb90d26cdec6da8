//! What is done about a rule that does not comply: nothing, for a reason, or a revert.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::error::AuditError;
use super::lookups::Lookups;
use super::ports::Clock;
use super::revert::{Order, revert};
use super::subject::{Candidate, Subject, Trigger, When, remarks};
use crate::baseline::Lists;
use crate::ec2::command::{Sequence, undo};
use crate::ec2::hold::{Claim, Hold};
use crate::ec2::{
    Direction, Ec2Error, Peer, PrefixList, Protocol, RULE_LIMIT, Reference, Rule, RuleError,
    SecurityGroups,
};
use crate::evaluate::plan::{is_due, is_piece_of, pieces};
use crate::evaluate::{Code, Judge, Judgement, Verdict};
use crate::event::ListChange;
use crate::finding::{
    Action, AfterHold, Connections, Deed, DoubtfulExemption, ListEntries, NotReverted, Outcome,
    Presence, Remark, Tally, ToClose,
};
use crate::net::{Set, Traffic, addresses};
use crate::settings::{RevertKeeps, Settings};
use crate::text::causes;

/// What every audit of a group needs, whatever triggered it.
pub(super) struct Context<'a, E> {
    /// EC2.
    pub ec2: &'a E,
    /// Prefix lists and groups that rules name.
    pub lookups: &'a Lookups<'a, E>,
    /// What to audit against and what to do.
    pub settings: &'a Settings,
    /// The time.
    pub clock: Clock<'a>,
}

impl<E: SecurityGroups> Context<'_, E> {
    /// Judges a group, acts on what does not comply and reports what became of it, open SSH first.
    ///
    /// # Errors
    ///
    /// When EC2 did not answer for now. What became of other rules before is in `tally` then.
    pub async fn audit(&self, subject: &Subject<'_>, tally: &mut Tally) -> Result<(), AuditError> {
        tally.groups += 1;
        tally.rules += subject.candidates.len();
        let today = (self.clock)().date_naive();
        for direction in Direction::BOTH {
            let mut lists = Lists::new();
            // What one list holds can make another one decide.
            loop {
                let baseline = &self.settings.baseline;
                let judge = Judge::new(baseline, direction, Some(&subject.group.id), &lists, today);
                let rules = subject.of_direction(&judge);
                let needed: BTreeSet<_> = rules.flat_map(|rule| judge.lists_needed(rule)).collect();
                if needed.is_empty() {
                    self.conclude(subject, &judge, tally).await?;
                    break;
                }
                self.lookups.look_up(subject.origin.place, needed, &mut lists).await?;
            }
        }
        Ok(())
    }

    /// The same in one direction, when the prefix lists that decide have been read.
    async fn conclude(
        &self,
        subject: &Subject<'_>,
        judge: &Judge<'_>,
        tally: &mut Tally,
    ) -> Result<(), AuditError> {
        let Subject { origin, trigger, .. } = subject;
        let now = (self.clock)();
        let mut noncompliant = subject.judge(judge, self.settings, now, tally);
        if trigger.tells_of_wide_lists() {
            let name = &self.settings.baseline.name;
            for rule in subject.of_direction(judge).filter(|rule| judge.wide_ssh(rule)) {
                let list = trigger.list_entries(None);
                tally.findings.push(origin.wide_list(name, rule, list, now));
            }
        }
        if noncompliant.is_empty() {
            return Ok(());
        }
        noncompliant.sort_by_key(|(verdict, _)| verdict.code);
        let mut covered = compliant(judge, subject.rules);
        for (verdict, candidate) in noncompliant {
            let pieces = would_keep(self.settings, judge, &verdict, &covered);
            let time = (self.clock)();
            let left_alone =
                left_alone(self.settings, subject, judge, (&verdict, &candidate), &pieces, time);
            let (mut deed, later) = match (left_alone, trigger.when()) {
                (Some(deed), _) => (deed, None),
                (None, When::Later(found_by)) => {
                    (Deed::untouched(Action::Later(None), time), Some(found_by))
                }
                (None, When::Now) => (
                    self.close(subject, verdict.code, &candidate, pieces, &mut covered).await?,
                    None,
                ),
            };
            deed.remarks = remarks(&candidate);
            deed.remarks.extend(trigger.list_entries(Some(&verdict.judgement)).map(Remark::List));
            deed.remarks.extend(self.stale_group(subject, verdict.rule).await);
            let finding = origin.rule(judge, verdict, deed);
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

    /// That the rule names a group which no longer exists.
    async fn stale_group(&self, subject: &Subject<'_>, rule: &Rule) -> Option<Remark> {
        let Peer::Reference(Reference::Group(peer)) = rule.peer() else { return None };
        // The group itself exists: its rules were read.
        let is_itself = peer.account().is_none() && *peer.id() == subject.group.id;
        let is_stale = !is_itself && self.lookups.is_stale(subject.origin.place, peer).await;
        is_stale.then(|| Remark::StaleGroup(peer.clone()))
    }

    /// Closes a rule, of which `pieces` are to stay. `covered` is what compliant rules admit, and
    /// grows by what is added.
    async fn close(
        &self,
        subject: &Subject<'_>,
        code: Code,
        candidate: &Candidate<'_>,
        pieces: Result<Vec<Rule>, RuleError>,
        covered: &mut Traffic,
    ) -> Result<Deed, Ec2Error> {
        let rule = &*candidate.rule;
        let pieces = match pieces {
            Ok(pieces) => pieces,
            Err(error) => {
                let reason = NotReverted::Pieces(error);
                let action = Action::NotReverted { reason, added: Vec::new() };
                return Ok(Deed::untouched(action, (self.clock)()));
            }
        };
        let order = Order {
            place: subject.origin.place,
            group: subject.group,
            rule,
            seen: candidate.seen,
            open_ssh: code == Code::OpenSsh,
            pieces: &pieces,
        };
        let done = revert(self.ec2, &order).await?;
        tracing::info!(
            rule = rule.id().map_or("", |id| id.as_str()),
            outcome = done.action.outcome().as_str(),
            error = done.action.error().map(|error| causes(error)),
            "revert"
        );
        *covered =
            covered.union(&Traffic::union_of(done.added.iter().map(Rule::traffic).collect()));
        // Pieces that an earlier run added before it died are kept and undone as well.
        let earlier = || subject.rules.iter().filter(|piece| is_piece_of(piece, rule)).cloned();
        let gone = done.is_gone();
        let kept = if gone { once_each(done.placed.into_iter().chain(earlier())) } else { pieces };
        let added = once_each(done.added.into_iter().chain(earlier()));
        // Under a revert mode, what is put back would be reverted again at once.
        let reverts = self.settings.remediation.reverts()
            || subject.trigger.remediation(self.settings).reverts();
        let hold =
            Hold::of_undo((self.clock)(), self.settings.hold_max_hours).filter(|_| reverts && gone);
        let sequence = if done.was_full || is_full(subject.rules, rule.direction()) {
            Sequence::PiecesFirst
        } else {
            Sequence::RuleFirst
        };
        Ok(Deed {
            action: done.action,
            time: (self.clock)(),
            presence: presence(!gone, rule, subject.rules),
            kept,
            undo: undo(
                subject.origin.place.region.as_ref(),
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
) -> Option<Deed> {
    let Subject { origin, group, rules, trigger, .. } = subject;
    let (rule, seen) = (verdict.rule, candidate.seen);
    let left_alone = |action| Deed {
        kept: pieces.clone().unwrap_or_default(),
        presence: presence(seen, rule, rules),
        ..Deed::untouched(action, now)
    };
    let due =
        is_due(trigger.remediation(settings), rule.direction(), verdict.code, &verdict.judgement);
    let doubtful = doubtful_exemptions(judge, &verdict.judgement);
    if trigger.is_second_try() && !seen {
        // Whatever its tags or an exemption say by now, that it is gone has to be reported.
        let region = origin.place.region.as_ref();
        let undo = || undo(region, &group.id, Some(rule), &[], Sequence::RuleFirst, None);
        return (!due || !doubtful.is_empty())
            .then(|| Deed { undo: undo(), ..left_alone(Action::GoneBefore) });
    }
    if let Claim::Held(hold) = &candidate.claim {
        let then = match settings.remediation.max(settings.sweep_remediation).reverts() {
            true => AfterHold::Closed,
            false => AfterHold::Reported,
        };
        return Some(left_alone(Action::Held { hold: hold.clone(), then, seen }));
    }
    if !due {
        let seen = trigger.tells_presence().then_some(seen);
        return Some(left_alone(Action::NotDue { why: trigger.not_due(settings), seen }));
    }
    (!doubtful.is_empty()).then(|| left_alone(Action::PerhapsExempt(doubtful)))
}

/// The findings about a group that cannot be read, from what is known of its rules otherwise. Lists
/// count as unreadable too.
pub(super) fn unreadable(
    settings: &Settings,
    subject: &Subject<'_>,
    error: &Ec2Error,
    now: DateTime<Utc>,
) -> Tally {
    let mut tally = Tally { groups: 1, rules: subject.candidates.len(), ..Tally::default() };
    let lists = Lists::new();
    for direction in Direction::BOTH {
        let id = Some(&subject.group.id);
        let judge = Judge::new(&settings.baseline, direction, id, &lists, now.date_naive());
        for (verdict, candidate) in subject.judge(&judge, settings, now, &mut tally) {
            let remediation = subject.trigger.remediation(settings);
            let due = match candidate.claim {
                Claim::Held(_) => Outcome::Held,
                _ if is_due(remediation, direction, verdict.code, &verdict.judgement) => {
                    Outcome::Failed
                }
                _ => Outcome::None,
            };
            let noted = subject.trigger.is_second_try();
            let action = Action::Unreadable { error: error.clone(), due, noted };
            let deed = Deed::untouched(action, now);
            tally.findings.push(subject.origin.rule(&judge, verdict, deed));
        }
    }
    tally
}

/// What a revert leaves of a rule: nothing of one that it would not touch.
pub(super) fn would_keep(
    settings: &Settings,
    judge: &Judge<'_>,
    verdict: &Verdict<'_>,
    covered: &Traffic,
) -> Result<Vec<Rule>, RuleError> {
    let rule = verdict.rule;
    let revertible =
        rule.direction() == Direction::Ingress && !verdict.judgement.public_excess().is_empty();
    if revertible && settings.revert_keeps == RevertKeeps::Baseline {
        pieces(judge, rule, covered)
    } else {
        Ok(Vec::new())
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

/// Whether the group, as it was read, has no room for another rule.
fn is_full(rules: &[Rule], direction: Direction) -> bool {
    rules.iter().filter(|rule| rule.direction() == direction).count() >= RULE_LIMIT
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
