//! Runs the function on an event, as Lambda does, against an EC2 in memory, and keeps the messages.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::events::{ACCOUNT, GROUP, REGION};
use crate::audit::{
    Auditor, GroupCheck, InvokeError, Invoker, LedgerError, Notifier, NotifyError, Trail,
};
use crate::baseline::{Baseline, Lists};
use crate::ec2::hold::{REASON, UNTIL};
use crate::ec2::{
    Direction, Ec2Error, Group, ListState, Missing, Place, Rule, SecurityGroups, cause,
};
use crate::evaluate::Severity;
use crate::event::{Kind, decode};
use crate::finding::Report;
use crate::memory::{Call, Hook, Hooked, MemoryEc2, MemoryLedger, MemoryNotifier};
use crate::report::terminal::{
    Compliant, View, exit_status, groups_compliant, render, render_changes,
};
use crate::report::{Message, to_json_pretty};
use crate::settings::{Names, RawSettings, Settings};
use crate::text::timestamp;

/// The stack that deployed the auditor.
const STACK: &str = "typo3-sg-auditor";

/// Lambda handles an event this long after the call.
const DELAY: TimeDelta = TimeDelta::seconds(41);

/// What happens before a call to EC2, by the name of the call: it may change groups and may fail
/// the call.
type Before = Box<dyn Fn(&str, &MemoryEc2) -> Option<Ec2Error>>;

/// Settings and an account with one group in it.
pub(super) struct Scene {
    environment: BTreeMap<&'static str, String>,
    baseline: Option<String>,
    groups: Vec<(Place, Group, Vec<Rule>)>,
    lists: Lists,
    rule_limit: Option<usize>,
    groups_a_page: Option<usize>,
    happens_before: Before,
    loses_answers: bool,
    is_event_followed: bool,
    is_home_known: bool,
    is_lambda_down: bool,
    is_lambda_busy: bool,
    trails: Option<Result<Vec<Trail>, Ec2Error>>,
    seconds_left: Option<i64>,
    delay: TimeDelta,
}

/// What happens in a scene of several events.
pub(super) enum Happens {
    /// The function gets an event, which is dated as it happens.
    Event(Value),
    /// Somebody adds a rule, and no event tells of it.
    Added(&'static str),
    /// Somebody removes a rule, and no event tells of it.
    Removed(&'static str),
    /// Somebody changes the tags of a hold, and no event tells of it. Without an end they are taken
    /// off.
    Retagged(&'static str, Option<&'static str>),
    /// From now on the ledger refuses this call.
    Forgets(&'static str),
}

/// An event as one of this time, with an id of its own.
fn at_time(event: &Value, time: DateTime<Utc>) -> Value {
    let mut event = event.clone();
    if event["detail"]["eventTime"].is_string() {
        event["detail"]["eventTime"] = timestamp(&time).into();
        event["detail"]["eventID"] = format!("event-{}", time.timestamp()).into();
        event["time"] = timestamp(&time).into();
    }
    event
}

/// What came of an event.
pub(super) struct Told {
    /// The messages that SNS got.
    pub messages: Vec<Message>,
    /// The reports of all invocations.
    pub reports: Vec<Report>,
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn place() -> Place {
    Place { account: Some(parsed(ACCOUNT)), region: Some(parsed(REGION)) }
}

/// `tcp 20-25 0.0.0.0/0`, `-1 * ::/0`, `out udp 53 sg-…`; behind it the id and, after ` # `, the
/// description. With ` unpeered` at the end its peering is deleted.
pub(super) fn rule(text: &str) -> Rule {
    let (text, unpeered) = match text.strip_suffix(" unpeered") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let (text, description) = match text.split_once(" # ") {
        Some((text, description)) => (text, Some(description.to_owned())),
        None => (text, None),
    };
    let (direction, text) = match text.strip_prefix("out ") {
        Some(text) => (Direction::Egress, text),
        None => (Direction::Ingress, text),
    };
    let words: Vec<&str> = text.split(' ').collect();
    let [protocol, ports, peer, ..] = words[..] else { panic!("{text}") };
    let (from, to) = match ports.split_once('-') {
        _ if ports == "*" => (None, None),
        Some((from, to)) => (Some(parsed(from)), Some(parsed(to))),
        None => (Some(parsed(ports)), Some(parsed(ports))),
    };
    Rule::new(direction, parsed(protocol), from, to, parsed(peer))
        .unwrap()
        .with_id(words.get(3).map(|id| parsed(id)))
        .with_description(description)
        .with_lost_peering(unpeered)
}

fn hold_tags(until: &str, reason: &str) -> BTreeMap<String, String> {
    [(UNTIL.to_owned(), until.to_owned()), (REASON.to_owned(), reason.to_owned())].into()
}

impl Scene {
    /// The group serves a website and lets everything out. Nothing is reverted.
    pub fn new() -> Self {
        Self {
            environment: BTreeMap::new(),
            baseline: None,
            groups: Vec::new(),
            lists: Lists::new(),
            rule_limit: None,
            groups_a_page: None,
            happens_before: Box::new(|_, _| None),
            loses_answers: false,
            is_event_followed: true,
            is_home_known: true,
            is_lambda_down: false,
            is_lambda_busy: false,
            trails: None,
            seconds_left: None,
            delay: DELAY,
        }
        .group(
            GROUP,
            "typo3-shop",
            &["tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0", "out -1 * 0.0.0.0/0", "out -1 * ::/0"],
        )
    }

    /// The same, where the office is the SSH source and open SSH is reverted.
    pub fn reverting() -> Self {
        Self::new().with("REMEDIATION", "revert-ssh").with("SSH_SOURCES", "203.0.113.0/24")
    }

    /// The same without any group.
    pub fn without_groups(mut self) -> Self {
        self.groups.clear();
        self
    }

    /// The same with a variable of the function's environment.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.insert(name, value.to_owned());
        self
    }

    /// The same with a baseline of its own.
    pub fn with_baseline(mut self, yaml: &str) -> Self {
        self.baseline = Some(yaml.to_owned());
        self
    }

    /// The same with another group.
    pub fn group(self, id: &str, name: &str, rules: &[&str]) -> Self {
        self.group_at((ACCOUNT, REGION), id, Some(name), rules)
    }

    pub fn group_at(
        mut self,
        (account, region): (&str, &str),
        id: &str,
        name: Option<&str>,
        rules: &[&str],
    ) -> Self {
        let place = Place { account: Some(parsed(account)), region: Some(parsed(region)) };
        let group = Group {
            id: parsed(id),
            name: name.map(str::to_owned),
            vpc_id: Some("vpc-0f1e2d3c4b5a69788".to_owned()),
            owner: Some(parsed(account)),
            tags: Some([("Application".to_owned(), "typo3".to_owned())].into()),
        };
        self.groups.push((place, group, rules.iter().map(|text| rule(text)).collect()));
        self
    }

    /// The same with other rules in the last group.
    pub fn with_rules(mut self, rules: &[&str]) -> Self {
        let (_, _, of_group) = self.groups.last_mut().unwrap();
        *of_group = rules.iter().map(|text| rule(text)).collect();
        self
    }

    /// The same with one more rule in the last group.
    pub fn and_rule(mut self, text: &str) -> Self {
        self.groups.last_mut().unwrap().2.push(rule(text));
        self
    }

    /// The same with one more rule that has the tags of a hold.
    pub fn and_held_rule(mut self, text: &str, until: &str, reason: &str) -> Self {
        let tags = hold_tags(until, reason);
        self.groups.last_mut().unwrap().2.push(rule(text).with_tags(tags));
        self
    }

    /// The same, where the last group does not have the tag that other groups have.
    pub fn untagged(mut self) -> Self {
        self.groups.last_mut().unwrap().1.tags = Some(BTreeMap::new());
        self
    }

    /// The same, where the last group belongs to another account, which shares it.
    pub fn owned_by(mut self, account: &str) -> Self {
        self.groups.last_mut().unwrap().1.owner = Some(parsed(account));
        self
    }

    /// The same, where nobody knows where the last group is.
    pub fn nowhere(mut self) -> Self {
        let (place, group, _) = self.groups.last_mut().unwrap();
        (*place, group.owner) = (Place::default(), None);
        self
    }

    /// The same with a prefix list.
    pub fn with_list(mut self, id: &str, entries: &[&str]) -> Self {
        let entries = entries.iter().map(|entry| parsed(entry)).collect();
        self.lists.insert(parsed(id), Ok(entries));
        self
    }

    /// The same with this many rules a group at most.
    pub fn with_rule_limit(mut self, limit: usize) -> Self {
        self.rule_limit = Some(limit);
        self
    }

    /// The same with this many groups on each of EC2's pages.
    pub fn with_groups_a_page(mut self, groups: usize) -> Self {
        self.groups_a_page = Some(groups);
        self
    }

    /// The same, where something happens before calls to EC2.
    pub fn before(
        mut self,
        happens: impl Fn(&str, &MemoryEc2) -> Option<Ec2Error> + 'static,
    ) -> Self {
        self.happens_before = Box::new(happens);
        self
    }

    /// The same, where a call to EC2 fails. `call` is the beginning of its name.
    pub fn failing(self, call: &'static str, error: Ec2Error) -> Self {
        self.before(move |name, _| name.starts_with(call).then(|| error.clone()))
    }

    /// The same, where EC2 does revoke rules and its answers get lost.
    pub fn losing_answers(mut self) -> Self {
        self.loses_answers = true;
        self
    }

    /// The same, where EC2 does not show what the event tells: it has been undone meanwhile.
    pub fn undone(mut self) -> Self {
        self.is_event_followed = false;
        self
    }

    /// The same, where the function does not know its account and region.
    pub fn without_home(mut self) -> Self {
        self.is_home_known = false;
        self
    }

    /// The same, where no other invocation can be asked for.
    pub fn with_lambda_down(mut self) -> Self {
        self.is_lambda_down = true;
        self
    }

    /// The same, where no other invocation can be asked for at the moment.
    pub fn with_lambda_busy(mut self) -> Self {
        self.is_lambda_busy = true;
        self
    }

    /// The same, where CloudTrail knows these trails.
    pub fn with_trails(mut self, trails: Result<Vec<Trail>, Ec2Error>) -> Self {
        self.trails = Some(trails);
        self
    }

    /// The same with this many seconds until Lambda stops the function.
    pub fn with_seconds_left(mut self, seconds: i64) -> Self {
        self.seconds_left = Some(seconds);
        self
    }

    /// The same, handled this many seconds after the call.
    pub fn after(mut self, seconds: i64) -> Self {
        self.delay = TimeDelta::seconds(seconds);
        self
    }

    fn settings(&self, now: DateTime<Utc>) -> Settings {
        let raw = RawSettings::from_lookup(Names::ENVIRONMENT, |name| {
            let unset = match name {
                "SSH_SOURCES" => Some("none"),
                "SCOPE" => Some("all"),
                _ => None,
            };
            self.environment.get(name).cloned().or(unset.map(str::to_owned))
        });
        let mut settings = Settings::from_raw(&raw, now.date_naive()).unwrap();
        if let Some(yaml) = &self.baseline {
            settings.baseline = Baseline::parse("our-site.yaml", yaml, now.date_naive()).unwrap();
        }
        settings
    }

    fn ec2(&self) -> MemoryEc2 {
        let mut ec2 = MemoryEc2::new(self.groups.iter().cloned(), self.lists.clone());
        if let Some(limit) = self.rule_limit {
            ec2 = ec2.with_rule_limit(limit);
        }
        if let Some(groups) = self.groups_a_page {
            ec2 = ec2.with_groups_a_page(groups);
        }
        for list in self.lists.keys() {
            // Later than the version that any event of the tests changes.
            ec2 = ec2.with_list_state(list.clone(), 9, ListState::Settled);
        }
        ec2
    }

    /// Handles an event, and then what the function hands on to itself.
    pub fn run(self, event: &Value) -> Told {
        let time =
            [&event["time"], &event["detail"]["eventTime"]].into_iter().find_map(Value::as_str);
        let now = parsed::<DateTime<Utc>>(time.unwrap_or("2026-03-12T08:11:14Z")) + self.delay;
        self.run_bytes(event.to_string().as_bytes(), now)
    }

    /// The same for a payload that need not be JSON.
    pub fn run_bytes(self, payload: &[u8], now: DateTime<Utc>) -> Told {
        let settings = self.settings(now);
        let memory = self.ec2();
        if self.is_event_followed {
            for event in decode(payload) {
                if let Kind::Change(change) = &event.kind {
                    let place = Place {
                        account: event.record.account.or_else(|| place().account),
                        region: event.record.region.or_else(|| place().region),
                    };
                    memory.follow(&place, change);
                }
            }
        }
        let hook = Faults { before: &self.happens_before, after: self.loses_answers, ec2: &memory };
        let ec2 = Hooked { ec2: &memory, hook };
        let (is_lambda_down, is_lambda_busy) = (self.is_lambda_down, self.is_lambda_busy);
        let sns = Kept { is_lambda_down, is_lambda_busy, ..Kept::default() };
        let home = if self.is_home_known { place() } else { Place::default() };
        let mut auditor = Auditor::new(&ec2, &sns, &sns, &settings, &home).with_stack(Some(STACK));
        if let Some(trails) = &self.trails {
            auditor = auditor.with_trails(trails);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let deadline = self.seconds_left.map(|seconds| now + TimeDelta::seconds(seconds));
        let mut payloads = VecDeque::from([payload.to_vec()]);
        while let Some(payload) = payloads.pop_front() {
            // An error only means that Lambda would try again.
            let _ = runtime.block_on(auditor.handle(&payload, &|| now, deadline));
            let handed_on = sns.memory.take_handed_on().into_iter();
            payloads.extend(handed_on.map(|payload| payload.to_string().into_bytes()));
        }
        Told { messages: sns.memory.take(), reports: sns.reports.take() }
    }

    /// Handles several events, each at its time, with a ledger. Between them rules may come and go
    /// that no event tells of.
    pub fn remembering(self, happens: &[(&str, Happens)]) -> Told {
        let settings = self.settings(parsed(happens[0].0));
        let (memory, ledger) = (self.ec2(), MemoryLedger::default());
        let sns = Kept::default();
        let (home, group) = (place(), parsed(GROUP));
        let auditor =
            Auditor::new(&memory, &sns, &sns, &settings, &home).with_ledger(&ledger, Severity::Low);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for (time, happens) in happens {
            let time = parsed::<DateTime<Utc>>(time);
            let payload = match happens {
                Happens::Added(text) => {
                    now(memory.authorize(&home, &group, &rule(text))).unwrap();
                    continue;
                }
                Happens::Removed(text) => {
                    remove(&memory, text);
                    continue;
                }
                Happens::Retagged(text, until) => {
                    let tags = until.map(|until| hold_tags(until, "vendor")).unwrap_or_default();
                    memory.retag(&group, &rule(text), &tags);
                    continue;
                }
                &Happens::Forgets(refused) => {
                    ledger.set_hook(Box::new(move |call| match call == refused {
                        true => Err(LedgerError(cause("it is throttled"))),
                        false => Ok(()),
                    }));
                    continue;
                }
                Happens::Event(event) => at_time(event, time),
            };
            let payload = payload.to_string().into_bytes();
            for event in decode(&payload) {
                if let Kind::Change(change) = &event.kind {
                    memory.follow(&home, change);
                }
            }
            let handled = time + self.delay;
            let mut payloads = VecDeque::from([payload]);
            while let Some(payload) = payloads.pop_front() {
                runtime.block_on(auditor.handle(&payload, &|| handled, None)).unwrap();
                let handed_on = sns.memory.take_handed_on().into_iter();
                payloads.extend(handed_on.map(|payload| payload.to_string().into_bytes()));
            }
        }
        Told { messages: sns.memory.take(), reports: sns.reports.take() }
    }

    /// Audits the groups as `sg-audit check` does.
    pub fn check(self) -> Report {
        let now = parsed("2026-03-12T08:11:55Z");
        let settings = self.settings(now);
        let mut check = GroupCheck::new(&settings, &self.lists, now);
        for (place, group, rules) in &self.groups {
            check.group(place, group, rules);
        }
        check.report()
    }
}

impl Told {
    /// Subject, attributes and mail of each message.
    pub fn text(&self) -> String {
        let texts: Vec<String> = self.messages.iter().map(text).collect();
        if texts.is_empty() {
            return "Nothing is published.\n\n".to_owned() + &self.terminal();
        }
        texts.join("\n----------\n\n")
    }

    /// What `sg-audit invoke` prints.
    pub fn terminal(&self) -> String {
        let texts = self.reports.iter().map(|report| changes(report, Compliant::default()));
        texts.collect::<Vec<_>>().join("\n")
    }

    /// The first report as JSON.
    pub fn json(&self) -> String {
        let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
        to_json_pretty(&self.reports[0]).unwrap().replace(&version, "\"version\": \"[version]\"")
    }

    /// The Subjects, each on a line.
    pub fn subjects(&self) -> String {
        self.messages.iter().map(|it| it.subject.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The mail of the only message.
    pub fn mail(&self) -> String {
        let [message] = &self.messages[..] else { panic!("{}", self.text()) };
        mail(message)
    }
}

fn text(message: &Message) -> String {
    let attributes: Vec<String> =
        message.attributes.iter().map(|it| format!("{}={}", it.name, it.value)).collect();
    format!("Subject: {}\n[{}]\n\n{}", message.subject, attributes.join(" "), mail(message))
}

fn body(message: &Message) -> Value {
    let body: Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 2);
    body
}

/// The text for a person.
pub(super) fn mail(message: &Message) -> String {
    body(message)["email"].as_str().unwrap().to_owned()
}

/// The report for machines.
pub(super) fn default(message: &Message) -> Value {
    serde_json::from_str(body(message)["default"].as_str().unwrap()).unwrap()
}

/// A report on changes, as a terminal shows it.
pub(super) fn changes(report: &Report, compliant: Compliant) -> String {
    render_changes(report, View::plain(80), compliant, exit_status(report, Severity::Low))
}

/// A report on groups, as a terminal shows it.
pub(super) fn groups(report: &Report) -> String {
    render(report, View::plain(80), groups_compliant(report))
}

/// Keeps reports and messages.
#[derive(Default)]
struct Kept {
    memory: MemoryNotifier,
    reports: RefCell<Vec<Report>>,
    is_lambda_down: bool,
    is_lambda_busy: bool,
}

impl Notifier for Kept {
    async fn publish(&self, report: &Report) -> Result<(), NotifyError> {
        self.reports.borrow_mut().push(report.clone());
        self.memory.publish(report).await
    }
}

impl Invoker for Kept {
    async fn invoke(&self, payload: &Value) -> Result<(), InvokeError> {
        let refused = |why: &str, is_transient| InvokeError { cause: cause(why), is_transient };
        match self.is_lambda_down || self.is_lambda_busy {
            true if self.is_lambda_busy => Err(refused("TooManyRequestsException", true)),
            true => Err(refused("AccessDeniedException", false)),
            false => self.memory.invoke(payload).await,
        }
    }
}

/// What is in the way of calls to EC2.
struct Faults<'a> {
    before: &'a Before,
    after: bool,
    ec2: &'a MemoryEc2,
}

impl Hook for Faults<'_> {
    async fn before(&self, call: Call<'_>) -> Result<(), Ec2Error> {
        (self.before)(&call.to_string(), self.ec2).map_or(Ok(()), Err)
    }

    async fn after(&self, _: Call<'_>, removed: bool) -> Result<(), Ec2Error> {
        match removed && self.after {
            true => Err(passing("RevokeSecurityGroupIngress")),
            false => Ok(()),
        }
    }
}

/// Somebody else removes a rule from the group.
pub(super) fn remove(ec2: &MemoryEc2, text: &str) {
    now(ec2.revoke(&place(), &parsed(GROUP), &rule(text))).unwrap();
}

/// Polls a future that never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("an EC2 in memory never waits"),
    }
}

pub(super) fn passing(action: &'static str) -> Ec2Error {
    Ec2Error::Passing { action, cause: cause("Request limit exceeded.") }
}

pub(super) fn denied(action: &'static str) -> Ec2Error {
    let cause = cause("You are not authorized to perform this operation.");
    Ec2Error::Denied { action, cause }
}

pub(super) fn refused(action: &'static str, code: &str, message: &str) -> Ec2Error {
    Ec2Error::Refused { action, code: code.to_owned(), cause: cause(message.to_owned()) }
}

pub(super) fn not_found(action: &'static str) -> Ec2Error {
    let cause = cause("The security group does not exist");
    Ec2Error::NotFound { action, missing: Missing::Group, cause }
}

pub(super) fn no_role() -> Ec2Error {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/typo3-sg-auditor");
    Ec2Error::NoRole { role, cause: cause("AccessDenied") }
}
