//! Changes a throwaway group, and sees whether the message about it comes.
//!
//! Everything it makes has a name that is known before the call that makes it, so that it can be
//! found and removed even where the answer of that call got lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ipnet::Ipv4Net;
use serde_json::{Value, json};

use super::aws::{Aws, AwsError};
use super::check::{Check, Fact, Remedy, State, Topic};
use super::render::Diagnosis;
use super::stack::{Deployed, NotLooked, SHIPPED, array, text};
use super::view::words;
use crate::text::escape::hex;

/// Set when the canary has to stop.
pub type Stop = AtomicBool;

/// Where a canary flies.
#[derive(Clone, Copy, Debug)]
pub struct Canary<'a> {
    /// The VPC of the group; the default one if it is not given.
    pub vpc: Option<&'a str>,
    /// How long to wait for the message.
    pub timeout: Duration,
    /// What tells this canary from others, such as the time in nanoseconds.
    pub id: u64,
}

/// The documentation ranges: no address in them is anybody's.
const DOCUMENTATION: [&str; 3] = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"];
/// How long one call waits for a message, in seconds. Ctrl-C is noticed after it.
const WAIT: &str = "5";
const TAG: &str = "sg-audit:canary";

struct Flight<'a> {
    aws: &'a dyn Aws,
    region: &'a str,
    topic: String,
    /// The name of the group and of the queue, and the value of the tag.
    name: String,
    queue_arn: String,
    queue: Option<String>,
    group: Option<String>,
    subscription: Option<String>,
    /// Which parts may exist.
    began: Began,
}

/// Which calls were made, whatever came of them.
#[derive(Default)]
struct Began {
    group: bool,
    queue: bool,
    subscription: bool,
}

/// Opens SSH from a documentation range in a group of its own, waits for the message, and removes
/// everything.
///
/// # Errors
///
/// When the stack cannot be read. Then nothing was made.
pub fn release(
    aws: &dyn Aws,
    name: &str,
    region: Option<&str>,
    canary: Canary<'_>,
    stop: &Stop,
) -> Result<Diagnosis, NotLooked> {
    let stack = Deployed::read(aws, name, region, SHIPPED)?;
    let mut checks = Vec::new();
    let one = |state, fact, mend| Check { topic: Topic::Canary, of: None, state, fact, mend };
    match variables(&stack) {
        Some(variables) => {
            let id = hex(&canary.id.to_be_bytes());
            // EC2 refuses names of groups that begin with `sg-`.
            let name = format!("audit-canary-{id}");
            let mut flight = Flight {
                aws,
                region: &stack.region,
                topic: variables.topic.clone(),
                queue_arn: stack.arn("sqs", &name),
                name,
                queue: None,
                group: None,
                subscription: None,
                began: Began::default(),
            };
            checks.push(match flight.fly(&variables, canary, stop) {
                Ok(fact @ Fact::Came { .. }) => one(State::Ok, fact, None),
                Ok(fact @ Fact::Interrupted) => one(
                    State::CannotTell(super::Unknown::Other(
                        "stopped before the message came".to_owned(),
                    )),
                    fact,
                    None,
                ),
                Ok(fact) => {
                    let doctor =
                        ["sg-audit", "doctor", "--stack", &stack.name, "--region", &stack.region];
                    one(State::Fault, fact, Some(Remedy::command(&doctor)))
                }
                Err((step, error)) => {
                    let fact =
                        Fact::CanaryFailed { step: step.to_owned(), reason: error.to_string() };
                    one(State::CannotTell(error.into()), fact, None)
                }
            });
            checks.extend(
                flight
                    .clean()
                    .into_iter()
                    .map(|(what, mend)| one(State::Fault, Fact::LeftBehind { what }, Some(mend))),
            );
        }
        None => checks.push(one(State::Fault, Fact::FunctionGone, None)),
    }
    Ok(Diagnosis { stack: stack.name, account: stack.account, region: stack.region, checks })
}

/// What of the function's settings matters.
struct Variables {
    topic: String,
    sources: String,
    scope: Option<(String, String)>,
}

fn variables(stack: &Deployed) -> Option<Variables> {
    stack.functions().find_map(|function| {
        let variables = words(function.get("Environment").and_then(|it| it.get("Variables")));
        let scope =
            variables.get("SCOPE").and_then(|scope| scope.strip_prefix("tag:")?.split_once('='));
        let scope = scope.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let topic = variables.get("TOPIC_ARN")?.clone();
        let sources = variables.get("SSH_SOURCES").cloned().unwrap_or_default();
        Some(Variables { topic, sources, scope })
    })
}

/// A documentation range that is not among the SSH sources.
fn range(sources: &str) -> &'static str {
    let sources: Vec<Ipv4Net> =
        sources.split(',').filter_map(|it| it.trim().parse().ok()).collect();
    let overlaps = |range: &&str| {
        let range: Option<Ipv4Net> = range.parse().ok();
        range
            .is_some_and(|range| sources.iter().any(|it| it.contains(&range) || range.contains(it)))
    };
    let [first, ..] = DOCUMENTATION;
    DOCUMENTATION.iter().copied().find(|it| !overlaps(it)).unwrap_or(first)
}

/// What failed, and why.
type Step = (&'static str, AwsError);

impl Flight<'_> {
    fn fly(
        &mut self,
        variables: &Variables,
        canary: Canary<'_>,
        stop: &Stop,
    ) -> Result<Fact, Step> {
        let stopped = || stop.load(Ordering::Relaxed);
        let vpc = match canary.vpc {
            Some(vpc) => vpc.to_owned(),
            None => self.default_vpc()?,
        };
        // The queue first, so that it is ready for the message.
        self.make_queue()?;
        if stopped() {
            return Ok(Fact::Interrupted);
        }
        self.subscribe()?;
        if stopped() {
            return Ok(Fact::Interrupted);
        }
        let group = self.make_group(&vpc, variables)?;
        if stopped() {
            return Ok(Fact::Interrupted);
        }
        let opened = Instant::now();
        let range = range(&variables.sources);
        let open = ["ec2", "authorize-security-group-ingress", "--group-id", &group];
        let rule = ["--protocol", "tcp", "--port", "22", "--cidr", range];
        self.aws.call(&[&open[..], &rule].concat()).map_err(|error| ("opening SSH", error))?;
        loop {
            if self.told(&group)? {
                return Ok(Fact::Came { seconds: opened.elapsed().as_secs(), group });
            }
            if stopped() {
                return Ok(Fact::Interrupted);
            }
            if opened.elapsed() >= canary.timeout {
                return Ok(Fact::DidNotCome { seconds: opened.elapsed().as_secs(), group });
            }
        }
    }

    fn default_vpc(&self) -> Result<String, Step> {
        const STEP: &str = "looking for the default VPC";
        let call = ["ec2", "describe-vpcs", "--filters", "Name=is-default,Values=true"];
        let vpcs = self.aws.call(&call).map_err(|error| (STEP, error))?;
        let vpc = vpcs.pointer("/Vpcs/0").map(|vpc| text(vpc, "VpcId").to_owned());
        vpc.ok_or_else(|| {
            let message = "there is none in this region: name one with --vpc".to_owned();
            (STEP, AwsError::Other { message })
        })
    }

    fn make_queue(&mut self) -> Result<(), Step> {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": self.queue_arn, "Condition": {"ArnEquals": {"aws:SourceArn": self.topic}},
        }]});
        let attributes = json!({"Policy": policy.to_string()}).to_string();
        let tags = format!("{TAG}={}", self.name);
        self.began.queue = true;
        let call = ["sqs", "create-queue", "--queue-name", &self.name, "--attributes", &attributes];
        let made = self.aws.call(&[&call[..], &["--tags", &tags]].concat());
        let made = made.map_err(|error| ("making a queue", error))?;
        self.queue = Some(text(&made, "QueueUrl").to_owned());
        Ok(())
    }

    fn subscribe(&mut self) -> Result<(), Step> {
        self.began.subscription = true;
        let call = ["sns", "subscribe", "--topic-arn", &self.topic, "--protocol", "sqs"];
        let to = ["--notification-endpoint", &self.queue_arn, "--return-subscription-arn"];
        let made = self.aws.call(&[&call[..], &to].concat());
        let made = made.map_err(|error| ("subscribing the queue to the topic", error))?;
        self.subscription = Some(text(&made, "SubscriptionArn").to_owned());
        Ok(())
    }

    fn make_group(&mut self, vpc: &str, variables: &Variables) -> Result<String, Step> {
        const STEP: &str = "making a group";
        let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
        let mut tags = vec![tag(TAG, &self.name)];
        // Without the scope's tag, the group would be nobody's business.
        tags.extend(variables.scope.iter().map(|(key, value)| tag(key, value)));
        let tags = json!([{"ResourceType": "security-group", "Tags": tags}]).to_string();
        self.began.group = true;
        let call = ["ec2", "create-security-group", "--group-name", &self.name, "--vpc-id", vpc];
        let about = ["--description", "sg-audit doctor --canary", "--tag-specifications", &tags];
        let made = self.aws.call(&[&call[..], &about].concat()).map_err(|error| (STEP, error))?;
        let group = text(&made, "GroupId").to_owned();
        self.group = Some(group.clone());
        Ok(group)
    }

    /// Whether a message about the group came.
    fn told(&self, group: &str) -> Result<bool, Step> {
        let Some(queue) = &self.queue else { return Ok(false) };
        let call = ["sqs", "receive-message", "--queue-url", queue, "--wait-time-seconds", WAIT];
        let most = ["--max-number-of-messages", "10", "--visibility-timeout", "0"];
        match self.aws.call(&[&call[..], &most].concat()) {
            Ok(answer) => {
                let messages = array(&answer, "Messages").iter();
                Ok(messages.map(|it| text(it, "Body")).any(|body| is_about(body, group)))
            }
            Err(AwsError::MayPass { .. }) => Ok(false),
            Err(error) => Err(("waiting for the message", error)),
        }
    }

    /// Removes everything. Returns what could not be removed, and the command that does.
    fn clean(&self) -> Vec<(String, Remedy)> {
        let parts = [
            self.began.group.then(|| self.remove_group()),
            self.began.subscription.then(|| self.unsubscribe()),
            self.began.queue.then(|| self.remove_queue()),
        ];
        parts.into_iter().flatten().filter_map(Result::err).collect()
    }

    fn command(&self, words: &[&str]) -> Remedy {
        Remedy::command(&[&["aws"], words, &["--region", self.region]].concat())
    }

    /// What is already gone counts as removed.
    fn remove(&self, what: String, words: &[&str]) -> Result<(), (String, Remedy)> {
        match self.aws.call(words) {
            Ok(_) | Err(AwsError::NotThere { .. }) => Ok(()),
            Err(_) => Err((what, self.command(words))),
        }
    }

    fn remove_group(&self) -> Result<(), (String, Remedy)> {
        let found = self.group.clone().map_or_else(|| self.find_group(), |it| Ok(Some(it)));
        match found {
            Ok(Some(group)) => {
                let words = ["ec2", "delete-security-group", "--group-id", &group];
                self.remove(format!("the group {group}"), &words)
            }
            Ok(None) => Ok(()),
            Err(_) => {
                let filter = format!("Name=tag:{TAG},Values={}", self.name);
                let find = ["ec2", "describe-security-groups", "--filters", &filter];
                Err((format!("perhaps the group {}", self.name), self.command(&find)))
            }
        }
    }

    fn unsubscribe(&self) -> Result<(), (String, Remedy)> {
        let found =
            self.subscription.clone().map_or_else(|| self.find_subscription(), |it| Ok(Some(it)));
        match found {
            Ok(Some(arn)) => {
                let words = ["sns", "unsubscribe", "--subscription-arn", &arn];
                self.remove(format!("the subscription {arn}"), &words)
            }
            Ok(None) => Ok(()),
            Err(_) => {
                let list = ["sns", "list-subscriptions-by-topic", "--topic-arn", &self.topic];
                Err((format!("perhaps a subscription of {}", self.queue_arn), self.command(&list)))
            }
        }
    }

    fn remove_queue(&self) -> Result<(), (String, Remedy)> {
        let found = self.queue.clone().map_or_else(|| self.find_queue(), |it| Ok(Some(it)));
        match found {
            Ok(Some(url)) => {
                let words = ["sqs", "delete-queue", "--queue-url", &url];
                self.remove(format!("the queue {}", self.name), &words)
            }
            Ok(None) => Ok(()),
            Err(_) => {
                let get = ["sqs", "get-queue-url", "--queue-name", &self.name];
                Err((format!("perhaps the queue {}", self.name), self.command(&get)))
            }
        }
    }

    fn find_group(&self) -> Result<Option<String>, AwsError> {
        let filter = format!("Name=tag:{TAG},Values={}", self.name);
        let found = self.aws.call(&["ec2", "describe-security-groups", "--filters", &filter])?;
        Ok(found.pointer("/SecurityGroups/0").map(|it| text(it, "GroupId").to_owned()))
    }

    fn find_queue(&self) -> Result<Option<String>, AwsError> {
        match self.aws.call(&["sqs", "get-queue-url", "--queue-name", &self.name]) {
            Ok(found) => Ok(Some(text(&found, "QueueUrl").to_owned())),
            Err(AwsError::NotThere { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn find_subscription(&self) -> Result<Option<String>, AwsError> {
        let list = ["sns", "list-subscriptions-by-topic", "--topic-arn", &self.topic];
        let found = self.aws.call(&list)?;
        let mut all = array(&found, "Subscriptions").iter();
        let own = all.find(|it| text(it, "Endpoint") == self.queue_arn);
        Ok(own.map(|it| text(it, "SubscriptionArn").to_owned()))
    }
}

/// Whether a message of SNS is a report with a finding about the group.
fn is_about(body: &str, group: &str) -> bool {
    let message: Value = serde_json::from_str(body).unwrap_or_default();
    let report: Value = serde_json::from_str(text(&message, "Message")).unwrap_or_default();
    array(&report, "findings")
        .iter()
        .any(|finding| finding.pointer("/group/id").and_then(Value::as_str) == Some(group))
}

#[cfg(test)]
mod tests;
