//! One trial: something is audited while something fails, and after each invocation the promises are held against
//! what is there and what was said.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::scene::{Item, Scene, Stage};
use crate::support::endpoint::{Answer, Call};

/// After so many invocations, what has not come to its end never will.
const MOST_INVOCATIONS: usize = 60;

/// What came of the first invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// All is as without the fault.
    Mended,
    /// What was opened is closed, and said to have been gone already.
    AlreadyGone,
    /// What could not be looked at is handed to another invocation.
    HandedOn,
    /// It is open still, and said to be.
    Failed,
    /// It is open still, and said to hang on a list that cannot be read.
    Unresolved,
    /// It is said that there is something which could not be audited.
    Unaudited,
    /// The invocation failed, or its process ended.
    Again,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mended => "mended",
            Self::AlreadyGone => "gone",
            Self::HandedOn => "handed on",
            Self::Failed => "left",
            Self::Unresolved => "unresolved",
            Self::Unaudited => "unaudited",
            Self::Again => "again",
        })
    }
}

/// What is done to the calls of one invocation.
pub type Plan = Box<dyn FnMut(&Call) -> Answer + Send>;

/// What was said of one opened rule.
struct Told {
    rule: String,
    group: String,
    outcome: String,
    id: String,
}

/// A scene in a stage, while it is played.
pub struct Trial<'a> {
    stage: &'a mut Stage,
    label: String,
    items: Vec<Item>,
    told: Vec<Told>,
    unaudited: Vec<Value>,
    handed_on: Arc<Mutex<Vec<Value>>>,
    /// The ingress rules of each item's group after the last invocation.
    now: Vec<Vec<String>>,
    /// Whether what the fault has left is being closed.
    is_over: bool,
}

impl<'a> Trial<'a> {
    /// Plays the scene. `plan` says for each invocation what becomes of its calls, and whether its process is killed
    /// at the first call that is left without an answer. An event of which `twice` is said is delivered twice even
    /// where all went well.
    pub async fn play(
        stage: &'a mut Stage,
        scene: Scene,
        label: String,
        twice: bool,
        mut plan: impl FnMut(usize) -> Option<(Plan, bool)>,
    ) -> Fate {
        let (items, payload) = stage.set(scene).await;
        let (told, unaudited, handed_on) = (Vec::new(), Vec::new(), Arc::default());
        let (now, is_over) = (Vec::new(), false);
        let mut trial = Self { stage, label, items, told, unaudited, handed_on, now, is_over };
        let first = trial.deliver(payload, twice, &mut plan).await;
        for item in &trial.items {
            assert!(trial.is_told(item), "{}: nobody was told of {:?}", trial.label, item.opened);
        }
        trial.close_what_is_left().await;
        trial.stage.clear(&trial.items).await;
        first
    }

    /// Delivers as Lambda would: what fails comes again, and what is handed on comes too.
    async fn deliver(
        &mut self,
        payload: Value,
        twice: bool,
        plan: &mut impl FnMut(usize) -> Option<(Plan, bool)>,
    ) -> Fate {
        let mut waiting = VecDeque::from([payload]);
        let mut first = None;
        for number in 1.. {
            let Some(payload) = waiting.pop_front() else { break };
            assert!(number <= MOST_INVOCATIONS, "{}: it has no end", self.label);
            let (fault, deadly) = plan(number).unwrap_or((Box::new(|_| Answer::Moto), false));
            let succeeded = self.invoke(&payload, fault, deadly).await;
            self.now.clear();
            for item in &self.items {
                self.now.push(self.stage.ingress(item).await);
            }
            self.hear().await;
            self.look(false);
            let handed_on: Vec<Value> = self.handed_on.lock().unwrap().drain(..).collect();
            waiting.extend(handed_on.iter().cloned());
            if succeeded {
                for item in self.items.iter().filter(|item| !self.is_told(item)) {
                    let is_left = waiting.iter().any(|payload| is_about(payload, item));
                    assert!(
                        is_left,
                        "{}: a success left something unsaid in {}, and there is left: {waiting:?}",
                        self.label, item.group.id
                    );
                }
            }
            first.get_or_insert_with(|| match succeeded {
                true => self.fate(&handed_on),
                false => Fate::Again,
            });
            if !succeeded || (twice && number == 1) {
                waiting.push_front(payload);
            }
        }
        first.expect("an invocation")
    }

    /// Whether the invocation succeeded.
    async fn invoke(&mut self, payload: &Value, mut fault: Plan, deadly: bool) -> bool {
        let handed_on = Arc::clone(&self.handed_on);
        self.stage.world.answer(move |call| {
            let answer = fault(call);
            if call.action == "Invoke" && answer.is_carried_out() {
                let payload = serde_json::from_str(&call.fields["Payload"]).expect("JSON");
                handed_on.lock().unwrap().push(payload);
            }
            answer
        });
        let unanswered = self.stage.world.unanswered();
        let bytes = payload.to_string();
        let Some(response) = self
            .stage
            .invoke_unless(bytes.as_bytes(), |world| deadly && world.unanswered() > unanswered)
        else {
            self.stage.kill();
            return false;
        };
        match response.error_type() {
            None => {
                // The emulator calls it a success where the time is over.
                let is_report = response.body["outcome"].is_string();
                let (label, log) = (&self.label, self.stage.log());
                assert!(response.status == 200 && is_report, "{label}: {response:?}\n{log}");
                true
            }
            // Neither a panic nor the end of the time is a way to fail.
            Some("Ec2Unavailable" | "NotPublished" | "NotHandedOn") => false,
            Some(_) => panic!("{}: {response:?}\n{}", self.label, self.stage.log()),
        }
    }

    /// Takes what was published, and holds it against what is there.
    async fn hear(&mut self) {
        for message in self.stage.world.messages().await {
            for finding in message.report["findings"].as_array().expect("findings") {
                if finding["code"] == "unaudited-change" {
                    self.unaudited.push(finding.clone());
                    continue;
                }
                let group = finding["group"]["id"].as_str().expect("a group");
                let mut items = self.items.iter().zip(&self.now);
                let found = items.find(|(item, _)| item.group.id == group);
                let (item, now) = found.expect("a group of this trial");
                let told = line(&finding["rule"]);
                let rule = item.opened.iter().find(|rule| short(rule) == told);
                let rule = rule.unwrap_or_else(|| panic!("{}: {told} was not opened", self.label));
                let outcome = finding["remediation"]["outcome"].as_str().expect("an outcome");
                let is_there = now.contains(rule);
                let is_true = match outcome {
                    "reverted" | "narrowed" | "already-gone" => !is_there,
                    // There is room for every piece, so nothing else can have failed.
                    "failed" => is_there,
                    "none" => is_there && finding["code"] == "unresolved-peer",
                    _ => false,
                };
                assert!(is_true, "{}: {finding:#}\nis said, and there is {is_there}", self.label);
                if let Err(wrong) = tells_the_group(finding, rule, &item.opened, now) {
                    panic!("{}: {wrong}: {finding:#}\nand there is {now:#?}", self.label);
                }
                let id = finding["id"].as_str().expect("an id").to_owned();
                let before = self.told_of(item).find(|told| told.rule == *rule);
                assert!(
                    self.is_over || before.is_none_or(|told| told.id == id),
                    "{}: {rule} is told of with another id",
                    self.label
                );
                let (rule, group) = (rule.clone(), group.to_owned());
                self.told.push(Told { rule, group, outcome: outcome.to_owned(), id });
            }
        }
    }

    /// Holds what is there against what may and has to be. Once all is `over`, that is exactly what complies.
    fn look(&self, over: bool) {
        for (item, now) in self.items.iter().zip(&self.now) {
            let label = &self.label;
            for rule in &item.compliant {
                assert!(now.contains(rule), "{label}: {rule} is gone: {now:#?}");
            }
            let mut pieces: Vec<String> = Vec::new();
            for rule in now.iter().filter(|rule| !item.compliant.contains(rule)) {
                if item.opened.contains(rule) {
                    assert!(!over, "{label}: {rule} is there still");
                    continue;
                }
                assert!(rule.contains(" \"kept by typo3-sg-auditor from sgr-"), "{label}: {rule}");
                pieces.push(short(rule).replace("ingress ", ""));
            }
            assert!(
                pieces.iter().all(|piece| item.pieces.contains(&piece.as_str())),
                "{label}: {pieces:?} was not all open before"
            );
            if over {
                assert_eq!(pieces.len(), item.pieces.len(), "{label}: {pieces:?}");
            }
        }
    }

    fn is_unaudited(&self, item: &Item) -> bool {
        self.unaudited.iter().any(|finding| match finding["group"]["id"].as_str() {
            Some(group) => group == item.group.id,
            None => self.stage.is_about(item, finding),
        })
    }

    fn told_of<'b>(&'b self, item: &'b Item) -> impl Iterator<Item = &'b Told> {
        self.told.iter().filter(|told| told.group == item.group.id)
    }

    fn is_told(&self, item: &Item) -> bool {
        let of_rule = |rule: &String| self.told_of(item).any(|told| told.rule == *rule);
        self.is_unaudited(item) || item.opened.iter().all(of_rule)
    }

    /// What was said of the first group, or handed on of it.
    fn fate(&self, handed_on: &[Value]) -> Fate {
        let item = &self.items[0];
        if self.is_unaudited(item) {
            return Fate::Unaudited;
        }
        let closing = |payload: &&Value| payload.get("close").is_some();
        if handed_on.iter().filter(closing).any(|payload| is_about(payload, item)) {
            return Fate::Mended;
        }
        let fates = self.told_of(item).map(|told| match told.outcome.as_str() {
            "reverted" | "narrowed" => Fate::Mended,
            "already-gone" => Fate::AlreadyGone,
            "failed" => Fate::Failed,
            _ => Fate::Unresolved,
        });
        fates.max().unwrap_or(Fate::HandedOn)
    }

    /// What a fault that does not pass by itself has left open was said to be; once the fault is over, the sweep
    /// closes it.
    async fn close_what_is_left(&mut self) {
        let mut sweeps = Vec::new();
        for (item, now) in self.items.iter().zip(&self.now) {
            for rule in item.opened.iter().filter(|rule| now.contains(rule)) {
                let last = self.told_of(item).filter(|told| told.rule == *rule).last();
                let is_said =
                    last.is_some_and(|told| matches!(told.outcome.as_str(), "failed" | "none"));
                assert!(is_said || self.is_unaudited(item), "{}: {rule} is left open", self.label);
                sweeps.push(self.stage.sweep_of(item));
            }
        }
        // A sweep knows of no event, and its findings have ids of their own.
        self.is_over = true;
        for sweep in sweeps {
            self.deliver(sweep, false, &mut |_| None).await;
        }
        self.look(true);
    }
}

/// Whether what a finding says of its group beside its own rule is so: which other rules keep SSH open, what is kept of
/// the rule and what is missing, and that there is a line for what has to be done. All that was opened is open SSH.
fn tells_the_group(
    finding: &Value,
    own: &str,
    opened: &[String],
    now: &[String],
) -> Result<(), &'static str> {
    let now: Vec<String> = now.iter().map(|rule| in_words(rule)).collect();
    let texts = |list: &Value, name: &str| -> Vec<String> {
        let list = list.as_array().expect("a list").iter();
        let text = |one: &Value| if name.is_empty() { one.clone() } else { one[name].clone() };
        list.map(|one| text(one).as_str().expect("a text").to_owned()).collect()
    };
    let remediation = &finding["remediation"];
    let is_there = now.contains(&in_words(own));
    let mut open: Vec<String> =
        opened.iter().filter(|rule| *rule != own).map(|rule| in_words(rule)).collect();
    open.retain(|rule| now.contains(rule));
    let mut named = texts(&finding["still_open"], "text");
    open.sort();
    named.sort();
    let is_unknown = finding["still_open_unknown"] == true || finding["code"] != "open-ssh";
    if named != open && !(is_unknown && named.iter().all(|rule| open.contains(rule))) {
        return Err("not these rules are still open");
    }
    if !texts(&remediation["kept"], "").iter().all(|rule| now.contains(rule)) {
        return Err("what is kept is not there");
    }
    let missing = texts(&remediation["missing"], "");
    if missing.iter().any(|rule| now.contains(rule)) {
        return Err("what is missing is there");
    }
    if remediation["complete"].is_null() != missing.is_empty() {
        return Err("there is no line for what is missing, or one for nothing");
    }
    // The line for another open rule may be with the finding about that rule.
    let has_fix = remediation["fix"].is_string();
    if is_there != has_fix && (is_there || open.is_empty()) {
        return Err("there is no line that closes it, or one for nothing");
    }
    Ok(())
}

/// A rule as findings write it: `tcp 22-80 from 0.0.0.0/0`.
fn in_words(rule: &str) -> String {
    let words: Vec<&str> = rule.split(' ').collect();
    let [_, protocol, ports, peer, ..] = words[..] else { panic!("{rule}") };
    let ports = match ports.split_once('-') {
        Some((from, to)) if from == to => from,
        _ => ports,
    };
    format!("{protocol} {ports} from {peer}")
}

/// Whether an invocation with this payload has to come to the item's group.
fn is_about(payload: &Value, item: &Item) -> bool {
    payload.get("sweep").is_some() || payload.to_string().contains(&item.group.id)
}

/// A rule of a finding, as a line without description and tags.
fn line(rule: &Value) -> String {
    let text = |name: &str| rule[name].as_str().expect("a text").to_owned();
    let (from, to) = (&rule["from_port"], &rule["to_port"]);
    format!("{} {} {from}-{to} {}", text("direction"), text("protocol"), text("peer"))
}

/// A line without description and tags.
fn short(rule: &str) -> String {
    rule.split(' ').take(4).collect::<Vec<_>>().join(" ")
}
