//! What every topic needs to look and to say how something is mended.

use std::collections::BTreeMap;
use std::thread;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::aws::{Aws, AwsError};
use super::check::{Check, Fact, Remedy, State, Topic};
use super::stack::Deployed;

/// The stack and the way to AWS.
pub(super) struct View<'a> {
    pub aws: &'a dyn Aws,
    pub stack: &'a Deployed,
    pub now: DateTime<Utc>,
}

impl View<'_> {
    pub fn call(&self, arguments: &[&str]) -> Result<Value, AwsError> {
        self.aws.call(arguments)
    }

    /// A command of `aws` in the stack's region.
    pub fn mend(&self, words: &[&str]) -> Remedy {
        Remedy::command(&[&["aws"], words, &["--region", self.stack.region.as_str()]].concat())
    }

    /// Makes everything again that differs from the template or is gone: a change set that reverts
    /// drift.
    pub fn redeploy(&self) -> Remedy {
        let (name, set) = (self.stack.name.as_str(), "sg-audit-doctor");
        let about = ["--stack-name", name, "--change-set-name", set];
        let kept: Vec<String> = self
            .stack
            .parameters
            .iter()
            .map(|it| format!("ParameterKey={it},UsePreviousValue=true"))
            .collect();
        let mut create = vec!["cloudformation", "create-change-set"];
        create.extend(about);
        create.extend(["--use-previous-template", "--deployment-mode", "REVERT_DRIFT"]);
        create.extend([
            "--include-nested-stacks",
            "--capabilities",
            "CAPABILITY_IAM",
            "CAPABILITY_AUTO_EXPAND",
        ]);
        if !kept.is_empty() {
            create.push("--parameters");
            create.extend(kept.iter().map(String::as_str));
        }
        let wait = [&["cloudformation", "wait", "change-set-create-complete"][..], &about].concat();
        let execute = [&["cloudformation", "execute-change-set"][..], &about].concat();
        self.mend(&create).then(self.mend(&wait)).then(self.mend(&execute))
    }
}

/// A check of a resource.
pub(super) fn check(
    topic: Topic,
    of: &str,
    state: State,
    fact: Fact,
    mend: Option<Remedy>,
) -> Check {
    Check { topic, of: Some(of.to_owned()), state, fact, mend }
}

pub(super) fn fine(topic: Topic, of: &str, fact: Fact) -> Check {
    check(topic, of, State::Ok, fact, None)
}

pub(super) fn fault(topic: Topic, of: &str, fact: Fact, mend: Remedy) -> Check {
    check(topic, of, State::Fault, fact, Some(mend))
}

pub(super) fn warning(topic: Topic, of: &str, fact: Fact, mend: Option<Remedy>) -> Check {
    check(topic, of, State::Warning, fact, mend)
}

/// What could not be looked at.
pub(super) fn not_seen(topic: Topic, of: &str, error: AwsError) -> Check {
    check(topic, of, State::CannotTell(error.into()), Fact::NotSeen, None)
}

/// Does the same with each of some things at the same time. The results have the order of the things.
pub(super) fn each<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let threads: Vec<_> = things.iter().map(|thing| scope.spawn(|| work(thing))).collect();
        let joined = threads.into_iter().map(|it| it.join());
        joined.map(|it| it.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// The members of an object that are text or numbers, as text.
pub(super) fn words(value: Option<&Value>) -> BTreeMap<String, String> {
    let members = value.and_then(Value::as_object).into_iter().flatten();
    members.map(|(name, value)| (name.clone(), super::resolve::word(value))).collect()
}
