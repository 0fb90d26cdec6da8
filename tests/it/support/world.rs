//! What a test finds and leaves in AWS: groups and their rules, the topic, and a queue that is subscribed to it.
//!
//! The test itself calls moto; the function calls it through the world's own [`Endpoint`], which notes its calls.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_sqs::types::DeleteMessageBatchRequestEntry;
use serde_json::Value;

use super::endpoint::{Answer, Call, Endpoint};
use super::report_schema::assert_fits;
use super::rie::Function;
pub use super::site::{Direction, Group, Rule, Site};
use super::{moto, venv};

/// moto's account, which is the function's.
pub const ACCOUNT: &str = "123456789012";
/// Where everything is, if nothing else is said.
pub const REGION: &str = "eu-central-1";
/// Another account.
pub const MEMBER: &str = "210987654321";
/// Another region.
pub const FAR: &str = "us-east-1";

/// A message as a queue that is subscribed to the topic gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub subject: String,
    /// The message for this kind of subscriber: the report.
    pub report: Value,
    /// Values by name; a `String.Array` is still the JSON that it travels as.
    pub attributes: BTreeMap<String, String>,
}

/// One test's part of AWS. Its groups are those of the function's own account and region, unless another
/// [site](World::site) is asked for.
pub struct World {
    pub sns: aws_sdk_sns::Client,
    pub topic_arn: String,
    home: Site,
    sqs: aws_sdk_sqs::Client,
    pub queue_url: String,
    endpoint: Endpoint,
    /// A word that no other world has.
    pub own: String,
}

impl Deref for World {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.home
    }
}

impl World {
    /// A topic with a queue behind it, and no group yet.
    pub async fn new() -> Self {
        let moto = moto::server();
        let home = Site::new(ACCOUNT, REGION).await;
        let sns = aws_sdk_sns::Client::new(&home.config);
        let sqs = aws_sdk_sqs::Client::new(&home.config);

        let endpoint = Endpoint::before(moto.port);
        // A port can be another world's later, and what was made under its name is still there then.
        static WORLDS: AtomicUsize = AtomicUsize::new(0);
        let own = format!("{}-{}", endpoint.port(), WORLDS.fetch_add(1, Ordering::Relaxed));
        let name = format!("findings-{own}");
        let topic = sns.create_topic().name(&name).send().await.expect("a topic");
        let topic_arn = topic.topic_arn.expect("the topic's ARN");
        let queue_url = String::new();
        let mut world = Self { sns, topic_arn, home, sqs, queue_url, endpoint, own };
        world.queue_url = world.subscriber("all", None).await;
        world
    }

    /// A queue that is subscribed to the topic, and gets what the filter policy lets through.
    pub async fn subscriber(&self, name: &str, filter: Option<Value>) -> String {
        let name = format!("{name}-{}", self.own);
        let queue = self.sqs.create_queue().queue_name(&name).send().await.expect("a queue");
        let queue_arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}");
        let call = self.sns.subscribe().topic_arn(&self.topic_arn).protocol("sqs");
        let call = call.endpoint(queue_arn).set_attributes(
            filter.map(|filter| [("FilterPolicy".to_owned(), filter.to_string())].into()),
        );
        call.send().await.expect("a subscription");
        queue.queue_url.expect("the queue's URL")
    }

    /// Another account or region.
    pub async fn site(&self, account: &str, region: &str) -> Site {
        Site::new(account, region).await
    }

    /// Takes the messages that are in the queue. moto delivers while it takes the message, so there is none to
    /// wait for once the function has answered.
    pub async fn messages(&self) -> Vec<Message> {
        self.messages_in(&self.queue_url).await
    }

    /// Takes those of another [subscriber](Self::subscriber).
    pub async fn messages_in(&self, queue_url: &str) -> Vec<Message> {
        let bodies = self.bodies(queue_url).await;
        bodies.iter().map(|body| Message::from_body(body)).collect()
    }

    /// The same as the queue has them, whoever published and whatever it is.
    pub async fn bodies(&self, queue_url: &str) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let call = self.sqs.receive_message().queue_url(queue_url).max_number_of_messages(10);
            let received = call.send().await.expect("the queue").messages.unwrap_or_default();
            if received.is_empty() {
                return bodies;
            }
            let mut taken = self.sqs.delete_message_batch().queue_url(queue_url);
            for (message, id) in received.into_iter().zip(0..) {
                bodies.push(message.body.expect("a body"));
                let entry = DeleteMessageBatchRequestEntry::builder().id(id.to_string());
                let receipt = message.receipt_handle.expect("a receipt");
                taken = taken.entries(entry.receipt_handle(receipt).build().expect("an entry"));
            }
            let answer = taken.send().await.expect("the messages are taken");
            assert_eq!(answer.failed, []);
        }
    }

    /// The mails that the function has published, whether or not the topic took them.
    pub fn mails(&self) -> Vec<String> {
        let published = self.calls().into_iter().filter(|call| call.action == "Publish");
        let mail = |call: Call| {
            let message: Value = serde_json::from_str(call.fields.get("Message")?).ok()?;
            message["email"].as_str().map(str::to_owned)
        };
        published
            .map(|call| mail(call).expect("a message for each protocol, with a mail"))
            .collect()
    }

    /// The function with these settings besides `TOPIC_ARN`, its calls going through this world's endpoint.
    pub fn function(&self, settings: &[(&str, &str)]) -> Function {
        let url = self.endpoint.url();
        Function::start(&self.variables(&url, settings))
    }

    /// What the function finds in its environment, where AWS is at this address.
    pub fn variables<'a>(
        &'a self,
        url: &'a str,
        settings: &[(&'a str, &'a str)],
    ) -> Vec<(&'a str, &'a str)> {
        let mut variables = vec![
            ("AWS_ENDPOINT_URL", url),
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE02"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_LAMBDA_FUNCTION_NAME", "typo3-sg-auditor"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_TIMEOUT", "60"),
            ("TOPIC_ARN", self.topic_arn.as_str()),
        ];
        variables.extend(settings);
        variables
    }

    /// The port on which the function's calls are noted and carried out.
    pub fn endpoint_port(&self) -> u16 {
        self.endpoint.port()
    }

    /// Where the function's calls go.
    pub fn endpoint_url(&self) -> String {
        self.endpoint.url()
    }

    /// How many of the function's calls were left without an answer so far.
    pub fn unanswered(&self) -> usize {
        self.endpoint.unanswered()
    }

    /// How often moto took longer for one of the function's calls than that may wait.
    pub fn late(&self) -> usize {
        self.endpoint.late()
    }

    /// The function's calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.endpoint.calls()
    }

    /// The payloads that the function has handed to itself, the first ones first.
    pub fn handed_on(&self) -> Vec<Value> {
        let calls = self.calls().into_iter().filter(|call| call.action == "Invoke");
        calls
            .map(|call| {
                assert_eq!(call.fields["FunctionName"], "typo3-sg-auditor");
                assert_eq!(call.fields["InvocationType"], "Event");
                serde_json::from_str(&call.fields["Payload"]).expect("JSON")
            })
            .collect()
    }

    /// Delivers the event, and each payload that the function hands to itself, until there is none. Returns the
    /// report of each.
    pub fn delivered(&self, function: &mut Function, event: &Value) -> Vec<Value> {
        let mut delivered = self.handed_on().len();
        let mut reports = vec![self.report(function, event)];
        while let Some(payload) = self.handed_on().get(delivered) {
            reports.push(self.report(function, payload));
            delivered += 1;
        }
        reports
    }

    /// The report of an invocation, with the findings that it published. Where a schedule or an earlier
    /// invocation asked, the answer itself has none.
    pub fn report(&self, function: &mut Function, event: &Value) -> Value {
        let before = self.published().len();
        let mut report = function.report(event);
        let findings = self.published().split_off(before).into_iter().flat_map(|mut published| {
            published["findings"].as_array_mut().map(std::mem::take).expect("findings")
        });
        report["findings"] = findings.collect();
        report
    }

    /// The reports that the function has published, the first ones first.
    fn published(&self) -> Vec<Value> {
        let calls = self.calls().into_iter().filter(|call| call.action == "Publish");
        let report = |call: Call| {
            let message: Value = serde_json::from_str(&call.fields["Message"]).expect("JSON");
            let report = message["default"].as_str().expect("a message for every protocol");
            let report = serde_json::from_str(report).expect("a report in JSON");
            assert_fits(&report);
            report
        };
        calls.map(report).collect()
    }

    /// The same as one report: the first one, with what all of them found.
    pub fn completed(&self, function: &mut Function, event: &Value) -> Value {
        let mut reports = self.delivered(function, event).into_iter();
        let mut first = reports.next().expect("a report");
        for report in reports {
            let found = first["findings"].as_array_mut().expect("findings");
            found.extend_from_slice(report["findings"].as_array().expect("findings"));
        }
        first
    }

    /// From now on, the function's calls are answered as `decide` says.
    pub fn answer(&self, decide: impl FnMut(&Call) -> Answer + Send + 'static) {
        self.endpoint.answer(decide);
    }

    /// Runs a line in a shell that has `aws`, with no region set and nothing of the caller's own settings.
    pub fn shell(&self, line: &str) -> Output {
        let system = std::env::var("PATH").unwrap_or_default();
        Command::new("sh")
            .args(["-c", line])
            .env_clear()
            .env("PATH", format!("{}:{system}", venv::path().join("bin").display()))
            .env("HOME", venv::path())
            .env("AWS_ENDPOINT_URL", moto::server().url())
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE03")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_PAGER", "")
            .stdin(Stdio::null())
            .output()
            .expect("a shell")
    }
}

impl Message {
    pub fn from_body(body: &str) -> Self {
        let body: Value = serde_json::from_str(body).expect("a notification");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let report = serde_json::from_str(&text(&body["Message"])).expect("a report in JSON");
        assert_fits(&report);
        let attributes = body["MessageAttributes"].as_object().into_iter().flatten();
        Self {
            subject: text(&body["Subject"]),
            report,
            attributes: attributes
                .map(|(name, value)| (name.clone(), text(&value["Value"])))
                .collect(),
        }
    }
}
