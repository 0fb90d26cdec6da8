//! One group under audit, and the findings about it.

mod auditor;
mod closed;

use chrono::{DateTime, Utc};

use super::ports::{Group, Place};
use super::remedy::{on_expired, undecided};
use crate::ec2::Rule;
use crate::ec2::hold::Hold;
use crate::evaluate::controls::{OF_WIDE_BASELINE, controls};
use crate::evaluate::severity::{LEFT_SCOPE, UNAUDITED_CHANGE, open_ssh_in_baseline, severity};
use crate::evaluate::{Judge, Judgement};
use crate::event::{GroupKey, Record};
use crate::finding::identity::{console_url, finding_id, fingerprint};
use crate::finding::{
    Code, Exempted, Finding, FindingChange, FindingGroup, FindingRemediation, Outcome, Severity,
};
use crate::net::Cells;
use crate::text::{boxes, capitalised, excess_text, rule_text, title};

/// What every finding about a group has in common.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// Where the group lives.
    pub place: &'a Place,
    /// The group, as far as it is known.
    pub group: Option<&'a Group>,
    /// The change behind the audit.
    pub record: Option<&'a Record>,
}

/// What was done about a rule.
#[derive(Clone, Debug)]
pub struct Remedy {
    /// In one word.
    pub outcome: Outcome,
    /// In sentences.
    pub detail: String,
    /// When.
    pub time: DateTime<Utc>,
    /// The shell line that takes it back.
    pub undo: Option<String>,
    /// The hold that the rule has, or that `undo` puts on it.
    pub hold: Option<Hold>,
    /// What a revert leaves of the rule, or would leave.
    pub kept: Vec<Rule>,
    /// Whether the rule is no longer in the group.
    pub gone: bool,
    /// What becomes of connections; only where the rule is gone.
    pub connections: Option<String>,
}

impl Remedy {
    /// Nothing was changed.
    pub fn untouched(outcome: Outcome, detail: String, time: DateTime<Utc>) -> Self {
        Self {
            outcome,
            detail,
            time,
            undo: None,
            hold: None,
            kept: Vec::new(),
            gone: false,
            connections: None,
        }
    }

    /// Says one more thing.
    pub fn add(&mut self, sentence: Option<&str>) {
        if let Some(sentence) = sentence {
            self.detail = format!("{} {sentence}", self.detail);
        }
    }
}

impl Case<'_> {
    /// The finding about a rule that was judged noncompliant.
    pub fn finding(
        &self,
        judge: &Judge<'_>,
        code: Code,
        rule: &Rule,
        judgement: &Judgement,
        mut remedy: Remedy,
    ) -> Finding {
        remedy.add(on_expired(judge, rule, judgement).as_deref());
        let ssh = judge.ssh();
        let beyond =
            if code == Code::UnresolvedPeer { &judgement.unresolved } else { &judgement.excess };
        let called = self.group.map_or_else(|| "a security group".to_owned(), Group::called);
        let fingerprint =
            fingerprint(self.place, self.group.map(|group| group.id.as_str()), code, Some(rule));
        Finding {
            id: finding_id(&fingerprint, self.record),
            fingerprint,
            code,
            severity: severity(code, rule.direction, judgement, &ssh),
            title: title(code, remedy.gone, rule, beyond, &ssh, &called),
            account: self.place.account.clone(),
            region: self.place.region.clone(),
            group: self.group.map(finding_group),
            rule: Some(rule.clone()),
            excess: boxes(&judgement.excess),
            excess_omitted: 0,
            excess_text: excess_text(rule, &judgement.excess),
            undecided: undecided(rule, judgement),
            exemption: judge.exemption_for(rule).map(|exemption| exemption.to_line()),
            controls: self.controls(rule, &judgement.excess.cells()),
            console_url: self.console_url(),
            change: self.record.map(finding_change),
            remediation: FindingRemediation {
                outcome: remedy.outcome,
                detail: remedy.detail,
                time: remedy.time,
                undo: remedy.undo,
                hold: remedy.hold,
                kept: remedy.kept.iter().map(rule_text).collect(),
                connections: remedy.connections,
            },
        }
    }

    /// The finding that a change could not be audited.
    pub fn unaudited(&self, key: Option<&GroupKey>, reason: &str, time: DateTime<Utc>) -> Finding {
        let known = match key {
            Some(GroupKey::Id(id)) => {
                Some(FindingGroup { id: id.clone(), name: None, vpc_id: None })
            }
            Some(GroupKey::Name(_)) | None => None,
        };
        let group = self.group.map(finding_group).or(known);
        let called = match (self.group, key) {
            (Some(group), _) => group.called(),
            (None, Some(GroupKey::Id(name) | GroupKey::Name(name))) => name.clone(),
            (None, None) => "a security group".to_owned(),
        };
        let detail = "Nothing was changed. Look at the group's rules yourself.";
        Finding {
            console_url: self.console_url(),
            ..self.without_rule(
                Code::UnauditedChange,
                UNAUDITED_CHANGE,
                format!("A change of {called} could not be audited: {reason}"),
                group,
                detail,
                time,
            )
        }
    }

    /// The finding that something (a change, all of an account) could not be looked at.
    pub fn not_looked_at(&self, what: &str, reason: &str, time: DateTime<Utc>) -> Finding {
        let title = format!("{} could not be audited: {reason}", capitalised(what));
        let detail = "Nothing was changed. Look at the rules yourself.";
        self.without_rule(Code::UnauditedChange, UNAUDITED_CHANGE, title, None, detail, time)
    }

    /// The finding that a group left the scope: because of `why`, and what is so `now`.
    pub fn left_scope(&self, group: &Group, why: &str, now: &str, time: DateTime<Utc>) -> Finding {
        let title = format!("{} left the scope of the audit: {why}", group.called());
        let detail = format!("{now} Its rules were audited once more as though it were in.");
        let (code, group) = (Code::LeftScope, Some(finding_group(group)));
        Finding {
            console_url: self.console_url(),
            ..self.without_rule(code, LEFT_SCOPE, title, group, &detail, time)
        }
    }

    /// The informational finding that the baseline itself is wide on SSH.
    pub fn open_ssh_in_baseline(&self, baseline: &str, time: DateTime<Utc>) -> Finding {
        let title = format!(
            "The baseline {baseline}, as it is in effect, lets the Internet reach SSH, which CIS \
             and Security Hub fail"
        );
        let detail = "Nothing was changed. Narrow it to the addresses that need SSH.";
        let code = Code::OpenSshInBaseline;
        Finding {
            controls: OF_WIDE_BASELINE.map(str::to_owned).to_vec(),
            ..self.without_rule(code, open_ssh_in_baseline(false), title, None, detail, time)
        }
    }

    /// The finding that a rule is compliant only because the baseline names a prefix list for SSH,
    /// and that the list is wide.
    pub fn wide_ssh(&self, baseline: &str, rule: &Rule, time: DateTime<Utc>) -> Finding {
        let code = Code::OpenSshInBaseline;
        let called = self.group.map_or_else(|| "a security group".to_owned(), Group::called);
        let title = format!(
            "SSH is open to the Internet on {called} ({}): the baseline {baseline} admits it by a \
             prefix list that is wide",
            rule_text(rule)
        );
        let detail = "Nothing was changed, because the baseline admits it. Take addresses out of \
                      the list, or name narrower SSH sources.";
        let group = self.group.map(finding_group);
        let fingerprint =
            fingerprint(self.place, self.group.map(|group| group.id.as_str()), code, Some(rule));
        Finding {
            id: finding_id(&fingerprint, self.record),
            fingerprint,
            rule: Some(rule.clone()),
            controls: self.controls(rule, &rule.cells()),
            console_url: self.console_url(),
            ..self.without_rule(code, open_ssh_in_baseline(true), title, group, detail, time)
        }
    }

    /// What of a rule is exempt, by which exemptions.
    pub fn exempted(&self, judge: &Judge<'_>, rule: &Rule, judgement: &Judgement) -> Vec<Exempted> {
        let Some(group) = self.group else { return Vec::new() };
        judge
            .exempted(rule, judgement)
            .into_iter()
            .map(|(exemption, traffic)| Exempted {
                account: self.place.account.clone(),
                region: self.place.region.clone(),
                group: group.id.clone(),
                rule: rule.id.clone(),
                traffic: excess_text(rule, &traffic),
                reason: exemption.reason.clone(),
                until: exemption.until,
            })
            .collect()
    }

    fn controls(&self, rule: &Rule, excess: &Cells) -> Vec<String> {
        controls(rule, excess, self.group.and_then(|group| group.name.as_deref()))
    }

    fn without_rule(
        &self,
        code: Code,
        severity: Severity,
        title: String,
        group: Option<FindingGroup>,
        detail: &str,
        time: DateTime<Utc>,
    ) -> Finding {
        let fingerprint =
            fingerprint(self.place, group.as_ref().map(|group| group.id.as_str()), code, None);
        Finding {
            id: finding_id(&fingerprint, self.record),
            fingerprint,
            code,
            severity,
            title,
            account: self.place.account.clone(),
            region: self.place.region.clone(),
            group,
            rule: None,
            excess: Vec::new(),
            excess_omitted: 0,
            excess_text: String::new(),
            undecided: None,
            exemption: None,
            controls: Vec::new(),
            console_url: None,
            change: self.record.map(finding_change),
            remediation: FindingRemediation {
                outcome: Outcome::None,
                detail: detail.to_owned(),
                time,
                undo: None,
                hold: None,
                kept: Vec::new(),
                connections: None,
            },
        }
    }

    fn console_url(&self) -> Option<String> {
        console_url(self.place.region.as_deref()?, &self.group?.id)
    }
}

impl Group {
    /// The name, else the id. A name that could be taken for a part of the sentence around it is
    /// quoted, with the id.
    pub fn called(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        match self.name.as_deref() {
            None | Some("") => self.id.clone(),
            Some(name) if name.chars().all(plain) => name.to_owned(),
            Some(name) => format!("\"{name}\" ({})", self.id),
        }
    }
}

fn finding_group(group: &Group) -> FindingGroup {
    FindingGroup { id: group.id.clone(), name: group.name.clone(), vpc_id: group.vpc_id.clone() }
}

fn finding_change(record: &Record) -> FindingChange {
    FindingChange {
        event_id: record.event_id.clone(),
        event_name: record.event_name.clone(),
        time: record.time,
        actor: record.actor.clone(),
        source_ip: record.source_ip.clone(),
        user_agent: record.user_agent.clone(),
    }
}
