//! Audits against an EC2 in memory: which rules are left and what is reported, whatever goes wrong.

mod bound;
mod calls;
mod changes;
mod closed;
mod counts;
mod cut_lists;
mod deadline;
mod denied;
mod ended;
mod exempt;
mod fix;
mod group_gone;
mod handed_on;
mod histories;
mod hold_tags;
mod holds;
mod hook;
mod kept;
mod laws;
mod lists;
mod logged;
mod lost;
mod mails;
mod names;
mod owner;
mod parents;
mod planned;
mod promised;
mod refused;
mod remembered;
mod revert;
mod run;
mod said;
mod scope;
mod simulation;
mod sources;
mod still_open;
mod sweep;
mod trail;
mod truth;
mod unheard;
mod watched;

use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::Value;

use truth::{assert_true_of, paste};

use super::*;
use crate::baseline::{Baseline, Lists, parse_peers};
use crate::ec2::hold::{REASON, UNTIL};
use crate::ec2::{
    Direction, Ec2Error, Group, GroupId, GroupKey, ListState, Missing, Place, Rule, Scope,
    SecurityGroups, cause,
};
use crate::evaluate::plan::is_due;
use crate::evaluate::{Code, Judge};
use crate::event::{
    ChangeKind, Event, GroupChange, Job, Kind, ModifiedRule, Record, Removed, RevokedRules, Sweep,
    decode,
};
use crate::finding::{
    Action, BaselineName, Finding, FoundRule, Matter, NotAdded, NotDue, NotHandedOn, NotReverted,
    Outcome, Presence, Reason, Remark, Report, ReportOutcome, Reverted, Skipped, Unaudited,
};
use crate::memory::{Call, Hook, Hooked, MemoryEc2, MemoryNotifier};
use crate::net::{Set, Traffic};
use crate::report::{messages, to_title};
use crate::settings::{Remediation, RevertKeeps, Settings};
use crate::words::rule_text;

const SG: &str = "sg-0123456789abcdef0";

fn id<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// The id of the group with this number.
fn numbered(number: usize) -> GroupId {
    id(&format!("sg-{number:017x}"))
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

fn noon() -> DateTime<Utc> {
    at("2026-11-02T12:00:00Z")
}

fn today() -> NaiveDate {
    noon().date_naive()
}

fn settings(remediation: Remediation) -> Settings {
    let settings = Settings {
        baseline: Baseline::load("standard", today()).unwrap(),
        scope: Scope::All,
        remediation,
        revert_keeps: RevertKeeps::Baseline,
        sweep_remediation: Remediation::Notify,
        hold_max_hours: 24,
        binding: None,
        bound: Vec::new(),
    };
    with_sources(settings, "203.0.113.0/24,2001:db8:1::/48")
}

fn with_sources(mut settings: Settings, sources: &str) -> Settings {
    settings.baseline = settings.baseline.with_ssh_sources(parse_peers(sources).unwrap());
    settings
}

/// `tcp 20-25 0.0.0.0/0`, `-1 * ::/0`; with an id after it, where it has one.
fn rule(text: &str) -> Rule {
    let words: Vec<&str> = text.split(' ').collect();
    let [protocol, ports, peer, ..] = words[..] else { panic!("{text}") };
    let (from, to) = match ports.split_once('-') {
        _ if ports == "*" => (None, None),
        Some((from, to)) => (Some(id(from)), Some(id(to))),
        None => (Some(id(ports)), Some(id(ports))),
    };
    let rule = Rule::new(Direction::Ingress, id(protocol), from, to, id(peer)).unwrap();
    rule.with_id(words.get(3).map(|text| id(text)))
}

fn rules(texts: &[&str]) -> Vec<Rule> {
    texts.iter().map(|text| rule(text)).collect()
}

/// The rule of the id in `text`, modified to what `text` says.
fn modified(text: &str) -> ModifiedRule {
    let rule = rule(text);
    ModifiedRule::new(rule.id().unwrap().clone(), rule)
}

fn place() -> Place {
    Place { account: Some(id("123456789012")), region: Some(id("eu-central-1")) }
}

fn group() -> Group {
    Group {
        id: id(SG),
        name: Some("typo3-shop".to_owned()),
        vpc_id: Some("vpc-0a".to_owned()),
        owner: place().account,
        tags: Some([("Role".to_owned(), "typo3".to_owned())].into()),
    }
}

fn role_scope() -> Scope {
    Scope::Tag { key: "Role".to_owned(), value: "typo3".to_owned() }
}

fn ec2(rules: &[Rule]) -> MemoryEc2 {
    ec2_with_lists(rules, Lists::new())
}

fn ec2_with_lists(rules: &[Rule], lists: Lists) -> MemoryEc2 {
    MemoryEc2::new([(place(), group(), rules.to_vec())], lists)
}

/// A prefix list that cannot be read.
fn list_error(name: &str, error: Ec2Error) -> Lists {
    [(id(name), Err(error))].into()
}

/// A prefix list that has these entries.
fn list(name: &str, entries: &[&str]) -> Lists {
    [(id(name), Ok(entries.iter().map(|net| id(net)).collect()))].into()
}

/// A prefix list that cannot be read.
fn unreadable_list(name: &str) -> Lists {
    [(id(name), Err(denied()))].into()
}

fn record() -> Record {
    Record {
        event_name: Some("AuthorizeSecurityGroupIngress".to_owned()),
        event_id: Some("e-1".to_owned()),
        account: place().account,
        region: place().region,
        time: Some(at("2026-11-02T11:59:19Z")),
        ..Record::default()
    }
}

fn change(kind: ChangeKind) -> GroupChange {
    GroupChange { group: GroupKey::Id(id(SG)), owner: None, kind }
}

fn event(kind: ChangeKind) -> Event {
    Event::new(record(), Kind::Change(change(kind)))
}

fn authorized(texts: &[&str]) -> Event {
    event(ChangeKind::Authorized(rules(texts)))
}

/// A change whose record was cut short.
fn cut_short() -> Event {
    event(ChangeKind::Unknown("it was cut short".to_owned()))
}

fn message(message: Job) -> Event {
    Event::new(Record::default(), Kind::Job(message))
}

fn sweep() -> Event {
    message(Job::Sweep(Sweep::default()))
}

fn check_of_holds() -> Event {
    message(Job::Holds(Sweep::default()))
}

/// The only event of a payload.
fn decoded(payload: &Value) -> Event {
    let [event] = &decode(payload.to_string().as_bytes())[..] else { panic!("{payload}") };
    event.clone()
}

/// The ingress rules of the group in short form, sorted.
fn ingress(ec2: &MemoryEc2) -> Vec<String> {
    let rules = ec2.rules_of(&id(SG)).unwrap();
    let ingress = rules.iter().filter(|rule| rule.direction() == Direction::Ingress);
    let mut rules: Vec<String> = ingress.map(rule_text).collect();
    rules.sort();
    rules
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn run(
    ec2: &impl SecurityGroups,
    settings: &Settings,
    event: &Event,
) -> Result<Report, AuditError> {
    run_at(ec2, settings, event, noon(), None).answer
}

/// The result of an audit, what was published, and what was handed on.
struct Ran {
    answer: Result<Report, AuditError>,
    messages: Vec<crate::report::Message>,
    handed_on: Vec<Value>,
}

impl Ran {
    fn report(&self) -> &Report {
        self.answer.as_ref().unwrap()
    }

    /// The published report as JSON.
    fn published(&self) -> Value {
        let [message] = &self.messages[..] else { panic!("{:?}", self.messages) };
        report_in(message)
    }

    /// The `detail` of the only finding that was published.
    fn detail(&self) -> String {
        let published = self.published();
        let [finding] = &published["findings"].as_array().unwrap()[..] else {
            panic!("{published}")
        };
        finding["remediation"]["detail"].as_str().unwrap().to_owned()
    }

    fn error_kind(&self) -> &'static str {
        self.answer.as_ref().unwrap_err().kind()
    }
}

/// The report that a message carries.
fn report_in(message: &crate::report::Message) -> Value {
    let body: Value = serde_json::from_str(&message.body).unwrap();
    serde_json::from_str(body["default"].as_str().unwrap()).unwrap()
}

/// One invocation at a time, with this many seconds left.
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
    let deadline = seconds_left.map(|seconds| now + TimeDelta::seconds(seconds));
    let answer = block_on(auditor.audit(event, &|| now, deadline));
    Ran { answer, messages: notifier.take(), handed_on: notifier.take_handed_on() }
}

/// The same. Then closes the rules that were found, as Lambda has the function do.
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
        let ran = run_alone(ec2, settings, &decoded(&payload), now, seconds_left);
        assert_eq!(ran.handed_on, [] as [Value; 0]);
        messages.extend(ran.messages);
        match (ran.answer, &mut closed) {
            (Ok(report), Ok(reports)) => reports.push(report),
            (Err(error), Ok(_)) => closed = Err(error),
            (_, Err(_)) => {}
        }
    }
    let baseline = BaselineName::from(&settings.baseline);
    let answer = match (answer, closed) {
        (Ok(found), Ok(closed)) => Ok(Report::completed(&baseline, found, closed)),
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    Ran { answer, messages, handed_on }
}

/// The findings in short form: code, outcome, rule.
fn brief(report: &Report) -> Vec<String> {
    report
        .findings
        .iter()
        .map(|finding| {
            let rule = finding.rule().map(rule_text).unwrap_or_default();
            let outcome = finding.outcome().as_str();
            format!("{} {outcome} {rule}", finding.code.as_str()).trim().to_owned()
        })
        .collect()
}

fn only(report: &Report) -> &Finding {
    let [finding] = &report.findings[..] else { panic!("{report:#?}") };
    finding
}

/// What is known of the rule of the only finding.
fn found(report: &Report) -> &FoundRule {
    only(report).found_rule().unwrap()
}

fn with_code(report: &Report, code: Code) -> &Finding {
    report.findings.iter().find(|finding| finding.code == code).unwrap()
}

fn texts(rules: &[Rule]) -> Vec<String> {
    rules.iter().map(rule_text).collect()
}

fn throttled() -> Ec2Error {
    Ec2Error::Passing { action: "TheCall", cause: cause("throttled") }
}

fn denied() -> Ec2Error {
    Ec2Error::Denied { action: "TheCall", cause: cause("UnauthorizedOperation") }
}

fn refused(code: &str) -> Ec2Error {
    Ec2Error::Refused { action: "TheCall", code: code.to_owned(), cause: cause("no") }
}

fn not_found() -> Ec2Error {
    Ec2Error::NotFound { action: "TheCall", missing: Missing::Rule, cause: cause("gone") }
}

/// Runs a function before each call, which may change the EC2 or make the call fail.
struct Before<F>(RefCell<F>);

impl<F: FnMut(Call<'_>) -> Option<Ec2Error>> Hook for Before<F> {
    async fn before(&self, call: Call<'_>) -> Result<(), Ec2Error> {
        (self.0.borrow_mut())(call).map_or(Ok(()), Err)
    }
}

fn hooked<F>(ec2: &MemoryEc2, before: F) -> Hooked<&MemoryEc2, Before<F>>
where
    F: FnMut(Call<'_>) -> Option<Ec2Error>,
{
    Hooked { ec2, hook: Before(RefCell::new(before)) }
}

/// EC2 says that a group does not exist.
fn no_group() -> Ec2Error {
    Ec2Error::NotFound { action: "TheCall", missing: Missing::Group, cause: cause("no group") }
}

/// The rule with the tags of a hold that ends at this time.
fn held_until(text: &str, until: &str) -> Rule {
    let tags = [(UNTIL, until), (REASON, "vendor")];
    rule(text).with_tags(tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into())
}

fn is_revoke(call: Call<'_>) -> bool {
    matches!(call, Call::Revoke(..))
}

/// Whether the call revokes a rule with this peer.
fn revokes(call: Call<'_>, peer: &str) -> bool {
    matches!(call, Call::Revoke(_, _, rule) if rule.peer().to_string() == peer)
}

/// A topic that nothing can be published to.
struct NoTopic;

impl Notifier for NoTopic {
    async fn publish(&self, report: &Report) -> Result<(), NotifyError> {
        match messages(report).unwrap()[..] {
            [] => Ok(()),
            _ => Err(NotifyError(cause("the topic does not exist"))),
        }
    }
}

/// Audits an event in as many invocations as it takes, each with two minutes. Returns the answer of
/// each, and how many payloads it handed on.
fn in_time(
    ec2: &impl SecurityGroups,
    settings: &Settings,
    event: Event,
    now: &Cell<DateTime<Utc>>,
) -> Vec<(Result<Report, AuditError>, usize)> {
    let (notifier, home) = (MemoryNotifier::default(), place());
    let auditor = Auditor::new(ec2, &notifier, &notifier, settings, &home);
    let (mut left, mut answers) = (vec![event], Vec::new());
    while let Some(event) = left.pop() {
        let (deadline, clock) = (now.get() + TimeDelta::seconds(120), || now.get());
        let answer = block_on(auditor.audit(&event, &clock, Some(deadline)));
        assert!(now.get() < deadline, "Lambda has stopped it before it could report");
        let handed_on = notifier.take_handed_on();
        left.extend(handed_on.iter().map(decoded));
        answers.push((answer, handed_on.len()));
        assert!(answers.len() < 60, "it goes on forever");
    }
    answers
}

/// The reports of a chain of invocations, which each hand on what they have no time for.
fn chain(
    ec2: &impl SecurityGroups,
    settings: &Settings,
    event: Event,
    now: &Cell<DateTime<Utc>>,
) -> Vec<Report> {
    let answers = in_time(ec2, settings, event, now);
    assert!(answers.len() <= 10, "{} invocations", answers.len());
    let report = |(answer, handed_on): (Result<Report, AuditError>, usize)| {
        let report = answer.unwrap();
        assert_eq!(usize::from(report.partial), handed_on);
        report
    };
    answers.into_iter().map(report).collect()
}
