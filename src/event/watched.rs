//! Calls that can blind the auditor: to the trail that events come from, to the rules that bring
//! them, to the function, and to what carries its findings to people.
//!
//! Which resources are the auditor's own is decided by the patterns of the rules in template.yaml,
//! which know their names. Those in other accounts they know by how their names begin, which
//! member-template.yaml gives them. Whatever call of this table arrives here is one of those.

use super::Record;
use super::call::Outcome;
use super::wire::Node;

/// A change of something that the auditor lives on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedChange {
    /// Who, when, where.
    pub record: Record,
    /// What it is to the audit.
    pub part: Part,
    /// The call, without the version of the API that Lambda writes behind some.
    pub call: String,
    /// The name of what was changed, as far as the record tells it.
    pub resource: Option<String>,
    /// Whether CloudFormation made the call, on behalf of whoever deployed a stack.
    pub by_cloudformation: bool,
    /// The server error in which the call ended, where it did: it may have changed nothing.
    pub server_error: Option<String>,
}

/// What the auditor lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A trail, from which all events come.
    Trail,
    /// An EventBridge rule, which brings them, or says that it is time for a sweep.
    Rule,
    /// The function.
    Function,
    /// The topic of the findings, or a subscription to it.
    Topic,
    /// The queue of events that could not be audited.
    Queue,
    /// The function's role.
    Role,
    /// The function's log.
    Log,
    /// The key with which the topic or a queue is encrypted.
    Key,
    /// An alarm about the auditor.
    Alarm,
}

/// A service, and what of it is watched.
struct Service {
    /// As CloudTrail's `eventSource` begins.
    name: &'static str,
    part: Part,
    /// How its calls begin. Lambda writes the version of its API behind a name
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html>).
    calls: &'static [&'static str],
    /// The members of a request that name what is changed.
    named_by: &'static [&'static str],
}

const WATCHED: [Service; 9] = [
    Service {
        name: "cloudtrail",
        part: Part::Trail,
        calls: &["StopLogging", "DeleteTrail", "PutEventSelectors", "UpdateTrail"],
        named_by: &["name", "trailName"],
    },
    Service {
        name: "events",
        part: Part::Rule,
        calls: &["DisableRule", "DeleteRule", "PutRule", "RemoveTargets", "PutTargets"],
        named_by: &["name", "rule"],
    },
    Service {
        name: "lambda",
        part: Part::Function,
        calls: &[
            "UpdateFunction",
            "DeleteFunction",
            "PutFunction",
            "AddPermission",
            "RemovePermission",
            "UpdateEventSourceMapping",
            "DeleteEventSourceMapping",
        ],
        named_by: &["functionName"],
    },
    Service {
        name: "sns",
        part: Part::Topic,
        calls: &[
            "DeleteTopic",
            "SetTopicAttributes",
            "RemovePermission",
            "PutDataProtectionPolicy",
            "Unsubscribe",
            "SetSubscriptionAttributes",
        ],
        named_by: &["topicArn", "subscriptionArn", "resourceArn"],
    },
    Service {
        name: "sqs",
        part: Part::Queue,
        calls: &["DeleteQueue", "SetQueueAttributes", "PurgeQueue", "RemovePermission"],
        named_by: &["queueUrl"],
    },
    Service {
        name: "iam",
        part: Part::Role,
        calls: &[
            "DeleteRole",
            "PutRolePolicy",
            "AttachRolePolicy",
            "DetachRolePolicy",
            "PutRolePermissionsBoundary",
            "UpdateAssumeRolePolicy",
        ],
        named_by: &["roleName"],
    },
    Service {
        name: "logs",
        part: Part::Log,
        calls: &["DeleteLogGroup", "PutRetentionPolicy"],
        named_by: &["logGroupName"],
    },
    Service {
        name: "kms",
        part: Part::Key,
        calls: &["DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy"],
        named_by: &["keyId"],
    },
    Service {
        name: "monitoring",
        part: Part::Alarm,
        calls: &["DeleteAlarms", "DisableAlarmActions", "PutMetricAlarm", "SetAlarmState"],
        named_by: &["alarmName", "alarmNames"],
    },
];

/// What a call is to the auditor: `source` is `eventSource` in small letters, `name` the call.
pub(super) fn part(source: &str, name: &str) -> Option<Part> {
    let (service, rest) = source.split_once('.')?;
    let begins =
        |call: &str| name.get(..call.len()).is_some_and(|start| start.eq_ignore_ascii_case(call));
    let service = WATCHED.iter().find(|known| known.name == service)?;
    let is_watched = rest.starts_with("amazonaws.") && service.calls.iter().copied().any(begins);
    is_watched.then_some(service.part)
}

/// The change that such a call made. Nothing in the record has to be understood for it: that the
/// call was made is the news.
pub(super) fn read(node: Node<'_>, record: Record, part: Part, outcome: &Outcome) -> WatchedChange {
    let name = record.event_name.as_deref().unwrap_or_default();
    let call = name.split(|c: char| c.is_ascii_digit()).next().unwrap_or(name).to_owned();
    // A caller can write any user agent. This member only AWS can write.
    let invoked_by = node.member("userIdentity").member("invokedBy").told();
    WatchedChange {
        call,
        part,
        resource: resource(node, part),
        by_cloudformation: invoked_by
            .is_some_and(|service| service.eq_ignore_ascii_case("cloudformation.amazonaws.com")),
        server_error: match outcome {
            Outcome::ServerError(code) => Some(code.clone()),
            Outcome::Success | Outcome::Refused(_) => None,
        },
        record,
    }
}

/// What was changed: an event source mapping by its function, which only the response names.
fn resource(node: Node<'_>, part: Part) -> Option<String> {
    let (request, response) = (node.member("requestParameters"), node.member("responseElements"));
    let service = WATCHED.iter().find(|known| known.part == part)?;
    let asked = service.named_by.iter().find_map(|member| first(request.member(member)));
    let mapping = || match part {
        Part::Function => {
            response.member("functionArn").told().or_else(|| request.member("uUID").told())
        }
        _ => None,
    };
    asked.or_else(mapping).map(|resource| short(&resource).to_owned())
}

/// A name, or the first of a list of names: alarms are deleted several at once.
fn first(names: Node<'_>) -> Option<String> {
    names.told().or_else(|| names.items("").ok()?.first()?.told())
}

/// What distinguishes it in its account and region: the end of an ARN or of a queue's URL.
fn short(resource: &str) -> &str {
    let of_arn = resource.starts_with("arn:").then(|| resource.splitn(6, ':').nth(5)).flatten();
    let of_url = || resource.strip_prefix("https://").and_then(|url| url.rsplit('/').next());
    of_arn.or_else(of_url).filter(|name| !name.is_empty()).unwrap_or(resource)
}
