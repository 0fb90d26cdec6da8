use chrono::{DateTime, Utc};

use super::brief::Brief;
use super::identity::{finding_id, fingerprint, fingerprint_of, hash};
use super::life::Life;
use super::model::{
    Action, ExpiredExemption, Finding, FoundGroup, FoundRule, ListEntries, Matter, Mend, Presence,
    Reason, Remark, ScopeExit, Unaudited, Unfed, Weakening,
};
use super::repair::{list_rules, repair, start_logging};
use super::report::Exempted;
use crate::ec2::command::{add_entries_line, authorize_line};
use crate::ec2::hold::Hold;
use crate::ec2::{Group, GroupId, GroupKey, ListNames, Place, Rule};
use crate::evaluate::controls::{OF_WIDE_BASELINE, controls};
use crate::evaluate::expected::{Closed, CutList};
use crate::evaluate::severity::{
    AUDITOR_WEAKENED, LEFT_SCOPE, TRAIL_NOT_SEEN, UNAUDITED_CHANGE, auditor_changed,
    open_ssh_in_baseline, severity,
};
use crate::evaluate::{Code, Control, Judge, Judgement, Severity, Verdict};
use crate::event::{Component, Record, WatchedChange};
use crate::net::Cells;

/// Where findings come from: the place, the group, and the change behind the audit.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Where the group is.
    pub place: &'a Place,
    /// The group, as far as it is known.
    pub group: Option<&'a Group>,
    /// The change behind the audit.
    pub record: Option<&'a Record>,
}

/// What was done about a rule, and what else there is to say about it.
#[derive(Clone, Debug)]
pub struct Handled {
    /// What was done.
    pub action: Action,
    pub time: DateTime<Utc>,
    /// Whether the rule is still in the group.
    pub presence: Presence,
    /// What a revert, or the line that closes the rule, leaves of it; `None` where that is not known.
    pub would_keep: Option<Vec<Rule>>,
    /// The shell line that closes what is open, as a revert would.
    pub fix: Option<String>,
    /// The shell line that puts the group back as it was.
    pub undo: Option<String>,
    /// The hold that `undo` puts on the rule.
    pub undo_hold: Option<Hold>,
    /// What else there is to say.
    pub remarks: Vec<Remark>,
}

impl Handled {
    /// The rule is where it was, and this is why.
    pub fn untouched(action: Action, time: DateTime<Utc>) -> Self {
        Self {
            action,
            time,
            presence: Presence::Present,
            would_keep: None,
            fix: None,
            undo: None,
            undo_hold: None,
            remarks: Vec::new(),
        }
    }
}

impl<'a> Origin<'a> {
    /// The same origin with this group.
    #[must_use]
    pub fn of_group<'b>(self, group: &'b Group) -> Origin<'b>
    where
        'a: 'b,
    {
        Origin { place: self.place, group: Some(group), record: self.record }
    }

    /// The finding about a rule that was judged noncompliant.
    pub fn rule(&self, judge: &Judge<'_>, verdict: Verdict<'_>, handled: Handled) -> Finding {
        let Verdict { code, rule, judgement } = verdict;
        let ssh = judge.ssh();
        let expired = judge.expired(rule, &judgement).into_iter().map(|exemption| {
            ExpiredExemption { reason: exemption.reason.clone(), until: exemption.until }
        });
        let fingerprint = fingerprint(self.place, self.group_id(), code, Some(rule));
        let severity = match self.group {
            Some(group) if group.is_made_with(rule) => Severity::Informational,
            _ => severity(code, rule, &judgement, judge),
        };
        let controls = self.controls(rule, &judgement.excess.cells());
        let matter = Matter::Rule(Box::new(FoundRule {
            rule: rule.clone(),
            exemption: judge.exemption_for(rule),
            expired: expired.collect(),
            excess: judgement.excess,
            unresolved: judgement.unresolved,
            ssh,
            action: handled.action,
            presence: handled.presence,
            kept: Vec::new(),
            missing: Vec::new(),
            admitted: Vec::new(),
            offered: Vec::new(),
            would_keep: handled.would_keep,
            still_open: Vec::new(),
            closed_elsewhere: Vec::new(),
            unchecked: None,
            other_hosts: None,
            undo_hold: handled.undo_hold,
            remarks: handled.remarks,
        }));
        let finding = self.finding(code, severity, fingerprint, handled.time, matter);
        Finding { controls, fix: handled.fix, undo: handled.undo, ..finding }
    }

    /// The finding that a change could not be audited.
    pub fn unaudited(
        &self,
        key: Option<&GroupKey>,
        reason: Reason,
        time: DateTime<Utc>,
    ) -> Finding {
        let group = self.group.map(FoundGroup::from);
        let group = group.or_else(|| {
            let id = key?.id()?.clone();
            Some(FoundGroup { id, name: None, vpc_id: None })
        });
        let code = Code::UnauditedChange;
        let fingerprint =
            fingerprint(self.place, group.as_ref().map(|group| &group.id), code, None);
        let matter = Matter::Unaudited { what: Unaudited::Change(key.cloned()), reason };
        Finding { group, ..self.finding(code, UNAUDITED_CHANGE, fingerprint, time, matter) }
    }

    /// The finding that something other than a group's change could not be audited.
    pub fn not_audited(&self, what: Unaudited, reason: Reason, time: DateTime<Utc>) -> Finding {
        let code = Code::UnauditedChange;
        let fingerprint = fingerprint(self.place, None, code, None);
        let matter = Matter::Unaudited { what, reason };
        self.finding(code, UNAUDITED_CHANGE, fingerprint, time, matter)
    }

    /// The finding that the group left the scope.
    pub fn left_scope(&self, exit: ScopeExit, is_back: bool, time: DateTime<Utc>) -> Finding {
        let code = Code::LeftScope;
        let fingerprint = fingerprint(self.place, self.group_id(), code, None);
        self.finding(code, LEFT_SCOPE, fingerprint, time, Matter::LeftScope { exit, is_back })
    }

    /// The finding that the baseline itself is wide on SSH. It is more than informational where a
    /// change of a list made it so.
    pub fn wide_baseline(
        &self,
        baseline: &str,
        list: Option<ListEntries>,
        time: DateTime<Utc>,
    ) -> Finding {
        let code = Code::OpenSshInBaseline;
        let severity = open_ssh_in_baseline(list.is_some());
        let fingerprint = fingerprint(self.place, None, code, None);
        let matter = Matter::WideBaseline { baseline: baseline.to_owned(), list };
        Finding {
            controls: OF_WIDE_BASELINE.to_vec(),
            ..self.finding(code, severity, fingerprint, time, matter)
        }
    }

    /// The finding that a rule is compliant only because the baseline names a prefix list for SSH,
    /// and that the list is wide.
    pub fn wide_list(
        &self,
        baseline: &str,
        rule: &Rule,
        list: Option<ListEntries>,
        time: DateTime<Utc>,
    ) -> Finding {
        let code = Code::OpenSshInBaseline;
        let fingerprint = fingerprint(self.place, self.group_id(), code, Some(rule));
        let baseline = baseline.to_owned();
        let matter = Matter::WideList { rule: rule.clone(), baseline, list };
        Finding {
            controls: self.controls(rule, &rule.cells()),
            ..self.finding(code, open_ssh_in_baseline(true), fingerprint, time, matter)
        }
    }

    /// The finding that a change closed expected traffic. The fingerprint goes by the names of the
    /// entries that were closed, and by their direction where they have one in common: whatever
    /// rules admitted the traffic and whoever is left, it is the same traffic that is missing.
    pub fn expected_closed(&self, closed: Closed, time: DateTime<Utc>) -> Finding {
        let code = Code::ExpectedTrafficClosed;
        let names: Vec<&str> = closed.closed().map(|one| one.entry.as_str()).collect();
        let names = names.join(" and ");
        let direction = closed.only_direction();
        let fingerprint = fingerprint_of(self.place, self.group_id(), code, direction, &names);
        let removed = closed.removed.as_deref().unwrap_or_default();
        let undo = match (&self.place.region, self.group, &closed.list) {
            (
                Some(region),
                _,
                Some(CutList { id, version: Some(version), removed: Some(removed) }),
            ) => add_entries_line(region, id, *version, removed),
            (Some(region), Some(group), None) => {
                authorize_line(Some(region), &group.id, removed, None)
            }
            _ => None,
        };
        let severity = closed.severity;
        let matter = Matter::ExpectedClosed(closed);
        Finding { undo, ..self.finding(code, severity, fingerprint, time, matter) }
    }

    /// The finding that something changed which the auditor depends on. The fingerprint goes by the
    /// call and what it changed.
    pub fn auditor_changed(
        &self,
        change: &WatchedChange,
        weakened: Vec<Weakening>,
        [doctor, sweep]: [Option<String>; 2],
        time: DateTime<Utc>,
    ) -> Finding {
        let code = Code::AuditorChanged;
        // A stack changes its function with every deployment. Trails are in no stack of the auditor.
        let deployed = change.by_cloudformation && change.component != Component::Trail;
        let content = format!("{} {}", change.call, change.resource.as_deref().unwrap_or_default());
        let fingerprint = fingerprint_of(self.place, None, code, None, &content);
        let severity = match weakened.is_empty() {
            true => auditor_changed(deployed),
            false => auditor_changed(deployed).max(AUDITOR_WEAKENED),
        };
        let region = self.place.region.as_ref();
        // The next deployment would bring back what is taken back here.
        let exact = region.filter(|_| !deployed).and_then(|region| repair(region, change));
        let mend = if exact.is_some() { Mend::Directly } else { Mend::ByDoctor };
        let matter = Matter::AuditorChanged { change: change.clone(), weakened, mend, sweep };
        let finding = self.finding(code, severity, fingerprint, time, matter);
        Finding { fix: exact.or(doctor), ..finding }
    }

    /// The finding that the changes of the place do not reach the auditor, as far as is known. `doctor`
    /// looks at the auditor, where this is its own place.
    pub fn unfed(&self, unfed: Unfed, doctor: Option<String>, time: DateTime<Utc>) -> Finding {
        let code = Code::UnauditedChange;
        let fingerprint = fingerprint_of(self.place, None, code, None, unfed_by(&unfed));
        let severity = match &unfed {
            Unfed::Trails(_) | Unfed::Unheard(_) => UNAUDITED_CHANGE,
            Unfed::NotSeen(_) => TRAIL_NOT_SEEN,
        };
        let (exact, mend) = match (start_logging(self.place, &unfed), &doctor, &unfed) {
            (Some(exact), _, _) => (Some(exact), Mend::Directly),
            (None, None, Unfed::Unheard(_)) => (list_rules(self.place), Mend::ByListing),
            (None, _, _) => (None, Mend::ByDoctor),
        };
        let matter = Matter::Unfed { unfed, mend };
        let finding = self.finding(code, severity, fingerprint, time, matter);
        Finding { fix: exact.or(doctor), ..finding }
    }

    /// That a finding of an earlier audit is no longer there.
    pub fn resolved(&self, brief: &Brief, life: Life) -> Finding {
        let matter = Matter::Resolved { rule: brief.rule.clone(), was: brief.severity };
        let (code, fingerprint) = (brief.code, brief.fingerprint.clone());
        let finding = self.finding(code, Severity::Informational, fingerprint, brief.seen, matter);
        // The same finding may be opened and resolved several times.
        let at = brief.seen.timestamp_millis().to_string();
        let id = hash(&[&finding.id, "resolved", &at]);
        Finding { id, group: brief.group.clone(), life: Some(life), ..finding }
    }

    /// What of a rule is exempt, by which exemptions.
    pub fn exempted(&self, judge: &Judge<'_>, rule: &Rule, judgement: &Judgement) -> Vec<Exempted> {
        let Some(group) = self.group else { return Vec::new() };
        judge
            .exempted(rule, judgement)
            .into_iter()
            .map(|(exemption, traffic)| Exempted {
                place: self.place.clone(),
                group: group.id.clone(),
                rule: rule.clone(),
                traffic,
                reason: exemption.reason.clone(),
                until: exemption.until,
            })
            .collect()
    }

    fn group_id(&self) -> Option<&'a GroupId> {
        self.group.map(|group| &group.id)
    }

    fn controls(&self, rule: &Rule, excess: &Cells) -> Vec<Control> {
        controls(rule, excess, self.group.and_then(|group| group.name.as_deref()))
    }

    fn finding(
        &self,
        code: Code,
        severity: Severity,
        fingerprint: String,
        time: DateTime<Utc>,
        matter: Matter,
    ) -> Finding {
        Finding {
            id: finding_id(&fingerprint, self.record),
            fingerprint,
            code,
            severity,
            place: self.place.clone(),
            group: self.group.map(FoundGroup::from),
            change: self.record.cloned(),
            location: None,
            controls: Vec::new(),
            time,
            fix: None,
            complete: None,
            undo: None,
            list_names: ListNames::new(),
            life: None,
            binding: None,
            matter,
        }
    }
}

/// What tells findings of this kind apart.
fn unfed_by(unfed: &Unfed) -> &'static str {
    match unfed {
        Unfed::Trails(_) | Unfed::NotSeen(_) => "trail",
        Unfed::Unheard(_) => "events",
    }
}
