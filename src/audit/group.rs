//! One group: what a change introduced in it is judged, acted on, and said.

use std::collections::BTreeSet;

use super::case::{Case, Remedy};
use super::hand_on::ToClose;
use super::introduced::Introduced;
use super::library::Library;
use super::list::Cause;
use super::noncompliant::noncompliant;
use super::ports::{Ec2Error, Group, SecurityGroups};
use super::remedy::{
    LISTS_ONLY_REPORTED, ONLY_REPORTED, WHOLE_ONLY_REPORTED, compliant, connections,
    exempt_perhaps, held, not_due, on_claim, on_undecided, why_not, would_keep,
};
use super::revert::{Done, Order, revert};
use super::summary::Tally;
use super::{AuditError, Clock};
use crate::baseline::Lists;
use crate::ec2::command::{Sequence, undo};
use crate::ec2::hold::{Claim, Hold};
use crate::ec2::{Direction, Peer, RULE_LIMIT, Reference, Rule, RuleError};
use crate::evaluate::plan::{is_due, is_piece_of};
use crate::evaluate::{Judge, Judgement};
use crate::event::{FoundBy, RuleToClose};
use crate::finding::{Code, Outcome};
use crate::net::{Set, Traffic};
use crate::settings::{Remediation, Settings};

/// What is known of a group when its rules have been read.
pub struct GroupAudit<'a, E> {
    /// EC2.
    pub ec2: &'a E,
    /// The prefix lists read so far.
    pub library: &'a Library<'a, E>,
    /// What to hold it against and what to do.
    pub settings: &'a Settings,
    /// What the findings have in common.
    pub case: Case<'a>,
    /// The group.
    pub group: &'a Group,
    /// All its rules.
    pub rules: &'a [Rule],
    /// What the change introduced.
    pub introduced: Vec<Introduced>,
    /// What may be done about it.
    pub remediation: Remediation,
    /// Whether it is done here.
    pub closing: Closing,
    /// The change of a list behind it, where it was one.
    pub cause: Option<Cause<'a>>,
    /// What time it is.
    pub clock: Clock<'a>,
}

/// When what is to be closed is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// At once: the event says it.
    Now,
    /// When it is handed on: it is only noted.
    Later(FoundBy),
    /// At once: it was noted before, and an earlier run may have closed it.
    Noted,
}

impl<E: SecurityGroups> GroupAudit<'_, E> {
    /// Judges what was introduced, acts on it and says what became of it. Open SSH has its turn
    /// first.
    ///
    /// # Errors
    ///
    /// When EC2 did not answer for now. What became of other rules before is in `tally` then.
    pub async fn run(&self, tally: &mut Tally) -> Result<(), AuditError> {
        tally.groups += 1;
        tally.rules += self.introduced.len();
        for direction in [Direction::Ingress, Direction::Egress] {
            let mut lists = Lists::new();
            // What one list holds can make another one decide.
            loop {
                let judge = self.judge(direction, &lists);
                let needed: BTreeSet<String> =
                    self.of(direction).flat_map(|one| judge.lists_needed(&one.rule)).collect();
                if needed.is_empty() {
                    self.judged(&judge, direction, tally).await?;
                    break;
                }
                self.library.look_up(self.case.place, needed, &mut lists).await?;
            }
        }
        Ok(())
    }

    /// The same in one direction, when the prefix lists have been read that decide about the rules.
    async fn judged(
        &self,
        judge: &Judge<'_>,
        direction: Direction,
        tally: &mut Tally,
    ) -> Result<(), AuditError> {
        let mut noncompliant =
            noncompliant(judge, &self.case, self.of(direction), |one| &one.rule, tally);
        // Without a change behind it, it is said once, of the baseline as a whole.
        let is_said = self.case.record.is_none() || self.closing == Closing::Noted;
        let of_change = self.of(direction).filter(|_| !is_said);
        for one in of_change.filter(|one| judge.wide_ssh(&one.rule)) {
            let name = &self.settings.baseline.name;
            let mut wide = self.case.wide_ssh(name, &one.rule, (self.clock)());
            if let Some(cause) = &self.cause {
                let detail = &mut wide.remediation.detail;
                *detail = format!("{detail} {}", cause.note(None));
            }
            tally.findings.push(wide);
        }
        if noncompliant.is_empty() {
            return Ok(());
        }
        noncompliant.sort_by_key(|(code, _, _)| *code);
        let mut covered = compliant(judge, self.rules, direction);
        for (code, one, judgement) in &noncompliant {
            let rule = &one.rule;
            let pieces = would_keep(self.settings, judge, rule, judgement, &covered);
            let left_alone = self.left_alone(judge, *code, one, judgement, &pieces);
            let (mut remedy, later) = match (left_alone, self.closing) {
                (Some(remedy), _) => (remedy, None),
                (None, Closing::Later(found_by)) => {
                    let detail = "Nothing was changed yet.".to_owned();
                    (Remedy::untouched(Outcome::Failed, detail, (self.clock)()), Some(found_by))
                }
                (None, Closing::Now | Closing::Noted) => {
                    (self.close(*code, one, pieces, &mut covered).await?, None)
                }
            };
            remedy.add(one.note.as_deref());
            remedy.add(on_claim(&one.claim).as_deref());
            remedy.add(self.cause.as_ref().map(|cause| cause.note(Some(judgement))).as_deref());
            remedy.add(self.on_stale(rule).await.as_deref());
            remedy.add(on_undecided(rule, judgement, remedy.gone).as_deref());
            let finding = self.case.finding(judge, *code, rule, judgement, remedy);
            match later {
                Some(found_by) => {
                    tally.to_close.push(ToClose { rule: self.to_close(one, found_by), finding });
                }
                None => tally.findings.push(finding),
            }
        }
        Ok(())
    }

    /// A rule for another invocation to close.
    fn to_close(&self, one: &Introduced, found_by: FoundBy) -> RuleToClose {
        RuleToClose {
            account: self.case.place.account.clone(),
            region: self.case.place.region.clone(),
            group: self.group.id.clone(),
            rule: one.rule.clone(),
            note: one.note.clone(),
            found_by,
        }
    }

    /// Why nothing is done about what a change brought. Whoever has reverts switched on is told why
    /// there was none.
    fn why_not(&self) -> &'static str {
        match (self.remediation, &self.cause) {
            (Remediation::Notify, _) if !self.settings.remediation.reverts() => ONLY_REPORTED,
            (Remediation::Notify, Some(_)) => LISTS_ONLY_REPORTED,
            (Remediation::Notify, None) => WHOLE_ONLY_REPORTED,
            (remediation, _) => why_not(remediation),
        }
    }

    /// That a rule names a group which is there no longer.
    async fn on_stale(&self, rule: &Rule) -> Option<String> {
        let Peer::Reference(Reference::Group(peer)) = &rule.peer else { return None };
        // The group itself is there: its rules were read.
        let is_itself = peer.account.is_none() && peer.id == self.group.id;
        (!is_itself && self.library.is_stale(self.case.place, peer).await).then(|| {
            format!(
                "The group {peer} is there no longer: the rule is stale, admits nobody, and can go."
            )
        })
    }

    /// Whether the group, as it was read, has no room for another rule.
    fn is_full(&self, direction: Direction) -> bool {
        self.rules.iter().filter(|rule| rule.direction == direction).count() >= RULE_LIMIT
    }

    fn of(&self, direction: Direction) -> impl Iterator<Item = &Introduced> {
        self.introduced.iter().filter(move |one| one.rule.direction == direction)
    }

    fn judge<'b>(&'b self, direction: Direction, lists: &'b Lists) -> Judge<'b> {
        Judge::new(
            &self.settings.baseline,
            direction,
            Some(&self.group.id),
            lists,
            (self.clock)().date_naive(),
        )
    }

    /// What is said of a rule that nothing is done about, which may be because it is held or exempt.
    fn left_alone(
        &self,
        judge: &Judge<'_>,
        code: Code,
        one: &Introduced,
        judgement: &Judgement,
        pieces: &Result<Vec<Rule>, RuleError>,
    ) -> Option<Remedy> {
        let rule = &one.rule;
        let left_alone = |outcome, detail| Remedy {
            kept: pieces.clone().unwrap_or_default(),
            gone: !one.seen,
            connections: (!one.seen).then(|| connections(rule, self.rules)),
            ..Remedy::untouched(outcome, detail, (self.clock)())
        };
        if self.closing == Closing::Noted && !one.seen {
            return self.gone_before(judge, code, rule, judgement).map(|detail| Remedy {
                undo: self.undo(Some(rule), &[], Sequence::RuleFirst, None),
                ..left_alone(Outcome::None, detail)
            });
        }
        if let Claim::Held(hold) = &one.claim {
            let then = self.settings.remediation.max(self.settings.sweep_remediation);
            let detail = held(hold, then, one.seen);
            return Some(Remedy { hold: Some(hold.clone()), ..left_alone(Outcome::Held, detail) });
        }
        if !is_due(self.remediation, rule.direction, code, judgement) {
            let detail = match (self.case.record, self.closing) {
                (Some(_), _) | (_, Closing::Noted) => not_due(self.why_not(), one.seen),
                (None, _) => why_not(self.remediation).to_owned(),
            };
            return Some(left_alone(Outcome::None, detail));
        }
        exempt_perhaps(judge, judgement).map(|detail| left_alone(Outcome::Exempt, detail))
    }

    /// Why EC2 is not asked to revoke a rule that was noted and is not there, where that is so.
    /// Whatever its tags or an exemption say by now, it has to be told of.
    fn gone_before(
        &self,
        judge: &Judge<'_>,
        code: Code,
        rule: &Rule,
        judgement: &Judgement,
    ) -> Option<String> {
        let is_due = is_due(self.remediation, rule.direction, code, judgement);
        (!is_due || exempt_perhaps(judge, judgement).is_some()).then(|| {
            "The rule was to be closed, and was not in the group when it was read: an earlier run \
             of this audit has closed it, or somebody else has."
                .to_owned()
        })
    }

    /// The line that takes back what became of a rule.
    fn undo(
        &self,
        gone: Option<&Rule>,
        added: &[Rule],
        sequence: Sequence,
        hold: Option<&Hold>,
    ) -> Option<String> {
        undo(self.case.place.region.as_deref(), &self.group.id, gone, added, sequence, hold)
    }

    /// Closes a rule, of which `pieces` are to stay. `covered` is what compliant rules admit, and
    /// grows by what is added.
    async fn close(
        &self,
        code: Code,
        one: &Introduced,
        pieces: Result<Vec<Rule>, RuleError>,
        covered: &mut Traffic,
    ) -> Result<Remedy, Ec2Error> {
        let rule = &one.rule;
        let done = match &pieces {
            Ok(pieces) => {
                let open_ssh = code == Code::OpenSsh;
                let (place, group, seen) = (self.case.place, self.group, one.seen);
                revert(self.ec2, &Order { place, group, rule, seen, open_ssh, pieces }).await?
            }
            Err(error) => Done::failed(format!("Nothing was changed: {error}.")),
        };
        tracing::info!(
            rule = rule.id.as_deref().unwrap_or_default(),
            outcome = done.outcome.as_str(),
            detail = done.detail,
            "revert"
        );
        *covered =
            covered.union(&Traffic::union_of(done.added.iter().map(Rule::traffic).collect()));
        // Pieces of an earlier run that died on the way are kept and taken back as well.
        let earlier = || self.rules.iter().filter(|piece| is_piece_of(piece, rule)).cloned();
        let kept = if done.gone {
            once_each(done.placed.into_iter().chain(earlier()))
        } else {
            pieces.unwrap_or_default()
        };
        let added = once_each(done.added.into_iter().chain(earlier()));
        // What is put back under a revert mode would be reverted again at once.
        let reverts = self.settings.remediation.reverts() || self.remediation.reverts();
        let hold = Hold::of_undo((self.clock)(), self.settings.hold_max_hours)
            .filter(|_| reverts && done.gone);
        Ok(Remedy {
            outcome: done.outcome,
            detail: done.detail,
            time: (self.clock)(),
            undo: self.undo(
                done.gone.then_some(rule),
                &added,
                if done.full || self.is_full(rule.direction) {
                    Sequence::PiecesFirst
                } else {
                    Sequence::RuleFirst
                },
                hold.as_ref(),
            ),
            hold,
            kept,
            gone: done.gone,
            connections: done.gone.then(|| connections(rule, self.rules)),
        })
    }
}

/// Rules of the same content once: EC2 refuses a call that names one twice.
fn once_each(rules: impl Iterator<Item = Rule>) -> Vec<Rule> {
    let mut met = BTreeSet::new();
    rules.filter(|rule| met.insert(rule.content())).collect()
}
