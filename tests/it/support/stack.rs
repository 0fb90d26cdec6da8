//! A deployed stack: events go in, messages come out, and what failed lies in its queues.

use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_lambda::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_sqs::types::QueueAttributeName::{
    ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible,
};
use serde_json::Value;

use super::ministack::{Ministack, REGION};
use super::world::{ACCOUNT, Message};

/// How often to ask a queue that answers after some seconds, for what takes seconds on an idle machine.
const WAITS: usize = 12;
/// How often to ask for what is there within milliseconds.
const LOOKS: usize = 2_000;

/// What was deployed.
pub struct Stack {
    /// The outputs by their names.
    pub outputs: BTreeMap<String, String>,
    pub lambda: aws_sdk_lambda::Client,
    pub sns: aws_sdk_sns::Client,
    name: String,
    server: &'static Ministack,
    sqs: aws_sdk_sqs::Client,
}

impl Stack {
    pub(super) fn new(
        server: &'static Ministack,
        name: &str,
        outputs: BTreeMap<String, String>,
    ) -> Self {
        let key = Credentials::new("AKIAEXAMPLEEXAMPLE04", "secret", None, None, "tests");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&server.url)
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(key))
            .build();
        Self {
            outputs,
            name: name.to_owned(),
            server,
            lambda: aws_sdk_lambda::Client::new(&config),
            sns: aws_sdk_sns::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
        }
    }

    /// Those of the events that each rule with a pattern matches, by the rules' names in the template.
    pub fn matches(&self, events: &BTreeMap<String, Value>) -> BTreeMap<String, Vec<String>> {
        self.server.deployed(&self.name, events).matches
    }

    /// The stack's id, which is its ARN.
    pub fn id(&self) -> String {
        let query = ["--query", "Stacks[0].StackId", "--output", "text"];
        let stack = ["cloudformation", "describe-stacks", "--stack-name", &self.name];
        self.server.aws(&[&stack[..], &query].concat())
    }

    /// What the stack has, by the names in the template: the type of each resource, and its own name.
    pub fn resources(&self) -> BTreeMap<String, (String, String)> {
        self.server.deployed(&self.name, &BTreeMap::new()).resources
    }

    /// A new queue that is subscribed to the topic of the findings.
    pub async fn subscriber(&self, name: &str) -> String {
        let queue = self.sqs.create_queue().queue_name(name).send().await.expect("a queue");
        self.subscribe(name).await;
        queue.queue_url.expect("the queue's URL")
    }

    /// Subscribes a queue that is there.
    pub async fn subscribe(&self, queue_name: &str) {
        let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue_name}");
        let call = self.sns.subscribe().topic_arn(&self.outputs["FindingsTopic"]);
        call.protocol("sqs").endpoint(arn).send().await.expect("a subscription");
    }

    /// Hands the function an event as EventBridge does: Lambda takes it, and nobody waits for the answer.
    pub async fn deliver(&self, event: &Value) {
        let call = self.lambda.invoke().function_name(&self.outputs["Function"]);
        let call = call
            .invocation_type(InvocationType::Event)
            .payload(event.to_string().into_bytes().into());
        assert_eq!(call.send().await.expect("Lambda takes the event").status_code, 202);
    }

    /// What the function answers to an event.
    pub async fn report(&self, event: &Value) -> Value {
        let call = self.lambda.invoke().function_name(&self.outputs["Function"]);
        let answer = call.payload(event.to_string().into_bytes().into()).send().await;
        let answer = answer.expect("Lambda runs the function").payload.expect("an answer");
        serde_json::from_slice(answer.as_ref()).expect("JSON")
    }

    /// The first message of a [subscriber](Self::subscriber), waited for.
    pub async fn message(&self, queue_url: &str) -> Message {
        Message::from_body(&self.received(queue_url).await)
    }

    /// The body of a queue's first message, waited for. It stays there for whoever asks next.
    pub async fn received(&self, queue_url: &str) -> String {
        for _ in 0..WAITS {
            let call = self.sqs.receive_message().queue_url(queue_url).visibility_timeout(0);
            let received = call.wait_time_seconds(5).send().await.expect("the queue").messages;
            if let Some(message) = received.unwrap_or_default().into_iter().next() {
                return message.body.expect("a body");
            }
        }
        panic!("no message came:\n{}", self.server.log());
    }

    /// Puts a message into a queue.
    pub async fn send(&self, queue_url: &str, body: &str) {
        let call = self.sqs.send_message().queue_url(queue_url).message_body(body);
        call.send().await.expect("the queue takes it");
    }

    /// How many messages a queue has, those that somebody is busy with among them.
    pub async fn length(&self, queue_url: &str) -> usize {
        let counts = [ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible];
        let call = self.sqs.get_queue_attributes().queue_url(queue_url);
        let answer = call.set_attribute_names(Some(counts.to_vec())).send().await;
        let attributes = answer.expect("the queue").attributes.expect("its attributes");
        counts.iter().map(|count| attributes[count].parse::<usize>().expect("a number")).sum()
    }

    /// Waits until a queue is empty.
    pub async fn emptied(&self, queue_url: &str) {
        for _ in 0..LOOKS {
            if self.length(queue_url).await == 0 {
                return;
            }
        }
        panic!("{queue_url} is not empty:\n{}", self.server.log());
    }

    /// Whether the queue of failures feeds the function.
    pub async fn feed(&self, feeds: bool) {
        let function = &self.outputs["Function"];
        let mappings =
            self.lambda.list_event_source_mappings().function_name(function).send().await;
        let mappings = mappings.expect("mappings").event_source_mappings.unwrap_or_default();
        let [mapping] = &mappings[..] else { panic!("one mapping: {mappings:?}") };
        let id = mapping.uuid.as_deref().expect("its id");
        let call = self.lambda.update_event_source_mapping().uuid(id).enabled(feeds);
        call.send().await.expect("the mapping is changed");
    }
}
