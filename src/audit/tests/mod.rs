//! The audit against an EC2 in memory: what it leaves, whatever stands in the way.

mod calls;
mod closed;
mod counts;
mod exempt;
mod handed_on;
mod holds;
mod laws;
mod lists;
mod schedules;
mod scope;
mod simulation;
mod sources;
mod staged;
mod watched;

use std::cell::RefCell;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::*;
use crate::baseline::{Baseline, Lists, parse_peers};
use crate::ec2::{Direction, GroupRef, Rule};
use crate::evaluate::plan::is_due;
use crate::event::{ChangeKind, ModifiedRule, RevokedRules, Schedule, SgChange, decode};
use crate::finding::{Code, Outcome};
use crate::memory::{MemoryEc2, MemoryNotifier};
use crate::net::{Set, Traffic};
use crate::settings::{Remediation, RevertKeeps};

const SG: &str = "sg-0123456789abcdef0";

fn noon() -> DateTime<Utc> {
    "2026-11-02T12:00:00Z".parse().unwrap()
}

fn today() -> NaiveDate {
    noon().date_naive()
}

fn settings(remediation: Remediation) -> Settings {
    let sources = parse_peers("203.0.113.0/24,2001:db8:1::/48").unwrap();
    Settings {
        baseline: Baseline::load("standard", today()).unwrap().with_ssh_sources(sources),
        scope: Scope::All,
        remediation,
        revert_keeps: RevertKeeps::Baseline,
        sweep_remediation: Remediation::Notify,
        hold_max_hours: 24,
    }
}

/// `tcp 20-25 0.0.0.0/0`, `-1 * ::/0`; with an id after it, where it has one.
fn rule(text: &str) -> Rule {
    let words: Vec<&str> = text.split(' ').collect();
    let [protocol, ports, peer, ..] = words[..] else { panic!("{text}") };
    let (from, to) = match ports.split_once('-') {
        _ if ports == "*" => (None, None),
        Some((from, to)) => (Some(from.parse().unwrap()), Some(to.parse().unwrap())),
        None => (Some(ports.parse().unwrap()), Some(ports.parse().unwrap())),
    };
    let (protocol, peer) = (protocol.parse().unwrap(), peer.parse().unwrap());
    let mut rule = Rule::new(Direction::Ingress, protocol, from, to, peer).unwrap();
    rule.id = words.get(3).map(|id| (*id).to_owned());
    rule
}

fn place() -> Place {
    Place { account: Some("123456789012".to_owned()), region: Some("eu-central-1".to_owned()) }
}

fn group() -> Group {
    Group {
        id: SG.to_owned(),
        name: Some("typo3-shop".to_owned()),
        vpc_id: Some("vpc-0a".to_owned()),
        owner: Some("123456789012".to_owned()),
        tags: [("Role".to_owned(), "typo3".to_owned())].into(),
    }
}

fn ec2(rules: &[Rule]) -> MemoryEc2 {
    MemoryEc2::new([(place(), group(), rules.to_vec())], Lists::new())
}

fn event(kind: ChangeKind) -> Event {
    let record = Record {
        event_name: Some("AuthorizeSecurityGroupIngress".to_owned()),
        event_id: Some("e-1".to_owned()),
        account: place().account,
        region: place().region,
        time: Some("2026-11-02T11:59:19Z".parse().unwrap()),
        ..Record::default()
    };
    Event::Change(Box::new(SgChange { record, group: GroupKey::Id(SG.to_owned()), kind }))
}

/// The rules of the group, shortly, ingress only, sorted.
fn ingress(ec2: &MemoryEc2) -> Vec<String> {
    let mut rules: Vec<String> = ec2
        .rules_of(SG)
        .unwrap()
        .iter()
        .filter(|rule| rule.direction == Direction::Ingress)
        .map(crate::text::rule_text)
        .collect();
    rules.sort();
    rules
}

fn run(
    ec2: &impl SecurityGroups,
    settings: &Settings,
    event: &Event,
) -> Result<Report, AuditError> {
    run_at(ec2, settings, event, noon(), None).answer
}

/// What came of an audit: its answer, what was published, and what was handed on.
struct Ran {
    answer: Result<Report, AuditError>,
    messages: Vec<crate::report::Message>,
    handed_on: Vec<serde_json::Value>,
}

impl Ran {
    fn report(&self) -> &Report {
        self.answer.as_ref().unwrap()
    }

    /// The report that was published, as the JSON that it is.
    fn published(&self) -> serde_json::Value {
        assert_eq!(self.messages.len(), 1);
        let body: serde_json::Value = serde_json::from_str(&self.messages[0].body).unwrap();
        serde_json::from_str(body["default"].as_str().unwrap()).unwrap()
    }
}

/// Runs at a time, with so many seconds left.
fn run_alone(
    ec2: &impl SecurityGroups,
    settings: &Settings,
    event: &Event,
    now: DateTime<Utc>,
    seconds_left: Option<i64>,
) -> Ran {
    let notifier = MemoryNotifier::default();
    let home = place();
    let auditor = Auditor::new(ec2, &notifier, &notifier, settings, &home);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let deadline = seconds_left.map(|seconds| now + TimeDelta::seconds(seconds));
    let answer = runtime.block_on(auditor.audit(event, &|| now, deadline));
    Ran { answer, messages: notifier.take(), handed_on: notifier.take_handed_on() }
}

/// The same, and then closes what was found to be closed, as Lambda has the function do.
fn run_at(
    ec2: &impl SecurityGroups,
    settings: &Settings,
    event: &Event,
    now: DateTime<Utc>,
    seconds_left: Option<i64>,
) -> Ran {
    let Ran { answer, mut messages, handed_on } =
        run_alone(ec2, settings, event, now, seconds_left);
    let (to_close, handed_on): (Vec<_>, Vec<_>) =
        handed_on.into_iter().partition(|payload| payload.get("close").is_some());
    let mut closed = Ok(Vec::new());
    for payload in to_close {
        let [close] = &decode(payload.to_string().as_bytes())[..] else { panic!("one event") };
        let ran = run_alone(ec2, settings, close, now, seconds_left);
        assert_eq!(ran.handed_on, [] as [serde_json::Value; 0]);
        messages.extend(ran.messages);
        match (ran.answer, &mut closed) {
            (Ok(report), Ok(reports)) => reports.push(report),
            (Err(error), Ok(_)) => closed = Err(error),
            (_, Err(_)) => {}
        }
    }
    let baseline = settings.baseline.reference();
    let answer = match (answer, closed) {
        (Ok(found), Ok(closed)) => Ok(completed(&baseline, found, closed)),
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    Ran { answer, messages, handed_on }
}

/// The findings, shortly: code, outcome, rule.
fn told(report: &Report) -> Vec<String> {
    report
        .findings
        .iter()
        .map(|finding| {
            let rule = finding.rule.as_ref().map(crate::text::rule_text).unwrap_or_default();
            let outcome = finding.remediation.outcome.as_str();
            format!("{} {outcome} {rule}", finding.code.as_str()).trim().to_owned()
        })
        .collect()
}

fn only(report: &Report) -> &crate::finding::Finding {
    assert_eq!(report.findings.len(), 1, "{report:#?}");
    &report.findings[0]
}

/// An EC2 in which something happens before a call is carried out: the stage is told the call, may
/// change the EC2 behind it, and may fail the call.
struct Staged<'a, F> {
    ec2: &'a MemoryEc2,
    before: RefCell<F>,
    stale_pages: std::cell::Cell<bool>,
}

impl<'a, F: FnMut(&str, &MemoryEc2) -> Option<Ec2Error>> Staged<'a, F> {
    fn new(ec2: &'a MemoryEc2, before: F) -> Self {
        Self { ec2, before: RefCell::new(before), stale_pages: false.into() }
    }

    /// The same, where the first page that is asked for by a token is asked for too late.
    fn with_stale_pages(self) -> Self {
        self.stale_pages.set(true);
        self
    }

    fn stage(&self, call: &str) -> Result<(), Ec2Error> {
        (self.before.borrow_mut())(call, self.ec2).map_or(Ok(()), Err)
    }
}

impl<F: FnMut(&str, &MemoryEc2) -> Option<Ec2Error>> SecurityGroups for Staged<'_, F> {
    async fn group(&self, place: &Place, key: &GroupKey) -> Result<Option<Group>, Ec2Error> {
        self.stage("group")?;
        self.ec2.group(place, key).await
    }

    async fn rules(&self, place: &Place, group: &Group) -> Result<Vec<Rule>, Ec2Error> {
        self.stage("rules")?;
        self.ec2.rules(place, group).await
    }

    async fn groups(
        &self,
        place: &Place,
        which: Selection<'_>,
        page: Option<&str>,
    ) -> Result<GroupPage, Ec2Error> {
        self.stage("groups")?;
        if self.stale_pages.replace(false) && page.is_some() {
            return Err(Ec2Error::Refused {
                action: "DescribeSecurityGroups",
                code: "InvalidNextToken".to_owned(),
                message: "The token is not valid".to_owned(),
            });
        }
        self.ec2.groups(place, which, page).await
    }

    async fn held_rules(&self, place: &Place) -> Result<Vec<(String, Rule)>, Ec2Error> {
        self.stage("held_rules")?;
        self.ec2.held_rules(place).await
    }

    async fn is_stale(&self, _: &Place, _: &GroupRef) -> Result<bool, Ec2Error> {
        match self.stage("is_stale") {
            Err(Ec2Error::NotFound { .. }) => Ok(true),
            staged => staged.map(|()| false),
        }
    }

    async fn prefix_list(&self, place: &Place, id: &str) -> Result<PrefixList, Ec2Error> {
        self.stage("prefix_list")?;
        self.ec2.prefix_list(place, id).await
    }

    async fn authorize(&self, place: &Place, group: &str, rule: &Rule) -> Result<(), Ec2Error> {
        self.stage(&format!("authorize {}", crate::text::rule_text(rule)))?;
        self.ec2.authorize(place, group, rule).await
    }

    async fn revoke(&self, place: &Place, group: &str, rule: &Rule) -> Result<Revoked, Ec2Error> {
        self.stage(&format!("revoke {}", crate::text::rule_text(rule)))?;
        self.ec2.revoke(place, group, rule).await
    }
}
