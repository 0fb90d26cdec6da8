//! The queues of failed events, and what feeds them to the function.

use serde_json::{Map, Value, json};

use super::aws::AwsError;
use super::check::{Check, Difference, Fact, Remedy, Topic};
use super::resolve::word;
use super::same::{canonical_text, listed, policy};
use super::stack::{Resource, text};
use super::view::{View, each, fault, fine, not_seen, warning};

const QUEUE: &str = "AWS::SQS::Queue";
const MAPPING: &str = "AWS::Lambda::EventSourceMapping";

/// Properties that are attributes of the same name.
const ATTRIBUTES: [&str; 6] = [
    "MessageRetentionPeriod",
    "VisibilityTimeout",
    "RedrivePolicy",
    "KmsMasterKeyId",
    "SqsManagedSseEnabled",
    "DelaySeconds",
];

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    let queues: Vec<&Resource> = view.stack.of_kind(QUEUE).collect();
    let mut checks = each(&queues, |queue| of_queue(view, queue)).concat();
    let mappings: Vec<&Resource> = view.stack.of_kind(MAPPING).collect();
    checks.extend(each(&mappings, |mapping| of_mapping(view, mapping)));
    checks
}

fn of_queue(view: &View<'_>, queue: &Resource) -> Vec<Check> {
    let name = queue.name.as_str();
    let should = attributes(view, queue);
    let get = ["sqs", "get-queue-attributes", "--queue-url", &queue.id, "--attribute-names", "All"];
    let is = match view.call(&get) {
        Ok(is) => is.get("Attributes").cloned().unwrap_or_default(),
        Err(AwsError::NotThere { .. }) => {
            let last = queue.id.rsplit('/').next().unwrap_or_default();
            let mut create = vec!["sqs", "create-queue", "--queue-name", last];
            let attributes = Value::from(should).to_string();
            create.extend(["--attributes", &attributes]);
            return vec![fault(Topic::Queue, name, Fact::QueueGone, view.mend(&create))];
        }
        Err(error) => return vec![not_seen(Topic::Queue, name, error)],
    };
    let mut checks = Vec::new();
    let mut differing = Map::new();
    let mut differences = Vec::new();
    for (attribute, value) in should {
        let plain = |value: &Value| match attribute.as_str() {
            "Policy" => policy(value),
            _ => canonical_text(value),
        };
        if is.get(&attribute).map(plain) != Some(plain(&value)) {
            differences.push(Difference {
                name: attribute.clone(),
                is: is.get(&attribute).map(word).unwrap_or_default(),
                should: word(&value),
            });
            differing.insert(attribute, value);
        }
    }
    if !differences.is_empty() {
        let attributes = Value::from(differing).to_string();
        let set =
            ["sqs", "set-queue-attributes", "--queue-url", &queue.id, "--attributes", &attributes];
        checks.push(fault(Topic::Queue, name, Fact::QueueDiffers { differences }, view.mend(&set)));
    }
    let number = |key| text(&is, key).parse::<u64>().unwrap_or_default();
    let messages =
        number("ApproximateNumberOfMessages") + number("ApproximateNumberOfMessagesNotVisible");
    if messages > 0 {
        checks.push(if is_fed(view, queue) {
            warning(Topic::Queue, name, Fact::QueueWaits { messages }, Some(why(view)))
        } else {
            let arn = text(&is, "QueueArn");
            let mend = view.mend(&["sqs", "start-message-move-task", "--source-arn", arn]);
            fault(Topic::Queue, name, Fact::QueueParked { messages }, mend)
        });
    }
    if checks.is_empty() {
        checks.push(fine(Topic::Queue, name, Fact::QueueEmpty));
    }
    checks
}

/// Prints why the function failed.
fn why(view: &View<'_>) -> Remedy {
    let mut logs = view.stack.of_kind("AWS::Logs::LogGroup");
    let log = logs.next().map(|log| log.id.clone()).unwrap_or_default();
    let filter = ["logs", "filter-log-events", "--log-group-name", &log];
    let errors = ["--filter-pattern", "{ $.level = \"ERROR\" }", "--query", "events[-5:].message"];
    view.mend(&[&filter[..], &errors, &["--output", "text"]].concat())
}

/// Whether a mapping takes the queue's messages to the function.
fn is_fed(view: &View<'_>, queue: &Resource) -> bool {
    let arn = arn(view, queue);
    view.stack.of_kind(MAPPING).any(|it| it.text("EventSourceArn").as_deref() == Some(arn.as_str()))
}

fn arn(view: &View<'_>, queue: &Resource) -> String {
    view.stack.arn("sqs", queue.id.rsplit('/').next().unwrap_or_default())
}

/// The attributes that the template gives a queue.
fn attributes(view: &View<'_>, queue: &Resource) -> Map<String, Value> {
    let mut attributes = Map::new();
    for name in ATTRIBUTES {
        if let Some(value) = queue.get(name) {
            // SQS takes JSON as text, with numbers in it.
            attributes.insert(name.to_owned(), word(value).into());
        }
    }
    let mut policies = view.stack.of_kind("AWS::SQS::QueuePolicy");
    let of_queue = policies.find(|it| listed(it.get("Queues")).iter().any(|url| *url == queue.id));
    if let Some(document) = of_queue.and_then(|it| it.get("PolicyDocument")) {
        attributes.insert("Policy".to_owned(), document.to_string().into());
    }
    attributes
}

fn of_mapping(view: &View<'_>, mapping: &Resource) -> Check {
    let name = mapping.name.as_str();
    let about = ["--uuid", mapping.id.as_str()];
    let is = match view.call(&[&["lambda", "get-event-source-mapping"][..], &about].concat()) {
        Ok(is) => is,
        Err(AwsError::NotThere { .. }) => {
            // Made again by hand it has another id, which the template does not know.
            return match found_again(view, mapping) {
                Some(is) => standing(view, name, &is),
                None => fault(Topic::Mapping, name, Fact::MappingGone, create(view, mapping)),
            };
        }
        Err(error) => return not_seen(Topic::Mapping, name, error),
    };
    standing(view, name, &is)
}

fn found_again(view: &View<'_>, mapping: &Resource) -> Option<Value> {
    let (function, source) = (mapping.text("FunctionName")?, mapping.text("EventSourceArn")?);
    let list = ["lambda", "list-event-source-mappings", "--function-name", &function];
    let listed = view.call(&[&list[..], &["--event-source-arn", &source]].concat()).ok()?;
    listed.pointer("/EventSourceMappings/0").cloned()
}

fn standing(view: &View<'_>, name: &str, is: &Value) -> Check {
    let (state, result) = (text(is, "State"), text(is, "LastProcessingResult"));
    if !matches!(state, "Enabled" | "Enabling" | "Updating" | "Creating") {
        let reason = text(is, "StateTransitionReason").to_owned();
        let update =
            ["lambda", "update-event-source-mapping", "--uuid", text(is, "UUID"), "--enabled"];
        let fact = Fact::MappingState { state: state.to_owned(), reason };
        return fault(Topic::Mapping, name, fact, view.mend(&update));
    }
    if result.starts_with("PROBLEM") {
        let fact = Fact::MappingProblem { result: result.to_owned() };
        return warning(Topic::Mapping, name, fact, Some(why(view)));
    }
    fine(Topic::Mapping, name, Fact::MappingEnabled)
}

fn create(view: &View<'_>, mapping: &Resource) -> Remedy {
    let [function, source, batch] =
        ["FunctionName", "EventSourceArn", "BatchSize"].map(|it| mapping.text(it));
    let scaling = mapping.get("ScalingConfig").map(|it| {
        let most = it.get("MaximumConcurrency").map(word).and_then(|it| it.parse::<u64>().ok());
        json!({"MaximumConcurrency": most}).to_string()
    });
    let mut words = vec!["lambda", "create-event-source-mapping"];
    for (option, value) in [
        ("--function-name", &function),
        ("--event-source-arn", &source),
        ("--batch-size", &batch),
        ("--scaling-config", &scaling),
    ] {
        if let Some(value) = value {
            words.extend([option, value]);
        }
    }
    view.mend(&words)
}
