//! Calls that can blind the auditor: to the trail that events come from, to the rules that bring
//! them, to the function, and to what carries its findings to people.
//!
//! Any call of this table that arrives here is about one of the auditor's own resources. The event
//! patterns in stacks/watch.yaml see to that: they name the resources of the stack, and match those in
//! other accounts by the prefix that stacks/forwarder.yaml gives their names.

use serde_json::Value;

use super::record::Record;
use super::wire::Node;
use crate::ec2::Arn;
use crate::settings::{Names, RawSettings};

/// A change of something that the auditor depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WatchedChange {
    /// What it is to the auditor.
    pub component: Component,
    /// The call, without the version of the API that Lambda adds to some names.
    pub call: String,
    /// The name of what was changed, where the record has it.
    pub resource: Option<String>,
    /// What else of the call names what it did: the statement that it added to a policy, the policy
    /// that it attached, the rule that mutes alarms, the mapping that it disabled, or alarms beside
    /// the one in `resource`.
    pub with: Vec<String>,
    /// Whether CloudFormation made the call, on behalf of whoever deployed a stack.
    pub by_cloudformation: bool,
    /// The code of the server error that the call ended in. It may have changed nothing then.
    pub server_error: Option<String>,
    /// The settings that the call gave the function, where the record shows them. CloudTrail mostly
    /// leaves out the environment.
    pub settings: Option<Box<RawSettings>>,
}

/// What the auditor depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Component {
    /// A trail, from which all events come.
    Trail,
    /// An EventBridge rule, which brings them or starts a sweep.
    Rule,
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

/// A service, and which of its calls are watched.
struct Service {
    /// The start of CloudTrail's `eventSource`.
    name: &'static str,
    component: Component,
    /// The starts of the names of the calls. Lambda adds the version of its API to a name
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html>).
    calls: &'static [&'static str],
    /// The members of a request that can name what is changed; a dot leads into a member.
    named_by: &'static [&'static str],
}

const WATCHED: [Service; 10] = [
    Service {
        name: "cloudtrail",
        component: Component::Trail,
        calls: &["StopLogging", "DeleteTrail", "PutEventSelectors", "UpdateTrail"],
        named_by: &["name", "trailName"],
    },
    Service {
        name: "events",
        component: Component::Rule,
        calls: &["DisableRule", "DeleteRule", "PutRule", "RemoveTargets", "PutTargets"],
        named_by: &["name", "rule"],
    },
    Service {
        name: "lambda",
        component: Component::Function,
        calls: &[
            "UpdateFunction",
            "DeleteFunction",
            "PutFunction",
            "AddPermission",
            "RemovePermission",
            "PutResourcePolicy",
            "DeleteResourcePolicy",
            "UpdateEventSourceMapping",
            "DeleteEventSourceMapping",
        ],
        named_by: &["functionName", "resourceArn"],
    },
    Service {
        name: "sns",
        component: Component::Topic,
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
        component: Component::Queue,
        calls: &["DeleteQueue", "SetQueueAttributes", "PurgeQueue", "RemovePermission"],
        named_by: &["queueUrl"],
    },
    Service {
        name: "iam",
        component: Component::Role,
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
        component: Component::Log,
        calls: &["DeleteLogGroup", "PutRetentionPolicy"],
        named_by: &["logGroupName"],
    },
    Service {
        name: "kms",
        component: Component::Key,
        calls: &["DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy"],
        named_by: &["keyId"],
    },
    Service {
        name: "monitoring",
        component: Component::Alarm,
        calls: &[
            "DeleteAlarms",
            "DisableAlarmActions",
            "PutMetricAlarm",
            "SetAlarmState",
            // A mute rule silences the actions of alarms.
            "PutAlarmMuteRule",
            "DeleteAlarmMuteRule",
        ],
        named_by: &[
            "alarmName",
            "alarmNames",
            "muteTargets.alarmNames",
            "alarmMuteRuleName",
            "name",
            "stateMachineArn",
        ],
    },
    Service {
        name: "states",
        // It mails the alarms. What names it is above, with the other parts of alarms.
        component: Component::Alarm,
        calls: &["UpdateStateMachine", "DeleteStateMachine"],
        named_by: &[],
    },
];

/// What a call changes. `source` is `eventSource` in lower case, `name` is the call.
pub(super) fn component(source: &str, name: &str) -> Option<Component> {
    let (service, rest) = source.split_once('.')?;
    let begins =
        |call: &str| name.get(..call.len()).is_some_and(|start| start.eq_ignore_ascii_case(call));
    let service = WATCHED.iter().find(|known| known.name == service)?;
    let is_watched = rest.starts_with("amazonaws.") && service.calls.iter().copied().any(begins);
    is_watched.then_some(service.component)
}

/// The change that such a call made. Nothing in the request or the response has to be understood,
/// because it is the call itself that people have to know about.
pub(super) fn read(
    node: Node<'_>,
    record: &Record,
    component: Component,
    server_error: Option<String>,
) -> WatchedChange {
    let name = record.event_name.as_deref().unwrap_or_default();
    let call = name.split(|c: char| c.is_ascii_digit()).next().unwrap_or(name).to_owned();
    // A caller can write any user agent, but only AWS can write this member.
    let invoked_by = node.member("userIdentity").member("invokedBy").readable();
    let by_cloudformation = invoked_by
        .is_some_and(|service| service.eq_ignore_ascii_case("cloudformation.amazonaws.com"));
    let resource = resource(node, component);
    let settings = settings(node, component);
    let with = with(node.member("requestParameters"), &call);
    WatchedChange { component, call, resource, with, by_cloudformation, server_error, settings }
}

/// What else of a request names what the call did.
fn with(request: Node<'_>, call: &str) -> Vec<String> {
    let one = |member: &'static str| request.member(member).readable().into_iter().collect();
    match call {
        // Of the function itself, not of one of its versions.
        "AddPermission" if request.member("qualifier").is_absent() => one("statementId"),
        "AttachRolePolicy" => one("policyArn"),
        "PutAlarmMuteRule" => one("name"),
        "UpdateEventSourceMapping"
            if request.member("enabled").value().as_bool() == Some(false) =>
        {
            one("uUID")
        }
        "DisableAlarmActions" => {
            let all = request.member("alarmNames").items("").unwrap_or_default();
            all.into_iter().skip(1).filter_map(|name| name.readable()).collect()
        }
        _ => Vec::new(),
    }
}

/// The settings that a call gave the function. Lambda replaces the whole environment, so what is
/// not in it is not set. An environment without any variable is one that CloudTrail has emptied.
fn settings(node: Node<'_>, component: Component) -> Option<Box<RawSettings>> {
    /// What stands where CloudTrail shows a variable but not its value.
    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
    if component != Component::Function {
        return None;
    }
    let of = |name| node.member(name).member("environment").member("variables");
    let shown = [of("requestParameters"), of("responseElements")];
    let variables =
        shown.into_iter().find(|variables| !variables.is_absent())?.value().as_object()?;
    let is_hidden = |value: &Value| value.as_str().is_none_or(|value| value.contains(HIDDEN));
    if variables.values().any(is_hidden) {
        return None;
    }
    let variable = |name: &str| variables.get(name)?.as_str().map(ToOwned::to_owned);
    Some(Box::new(RawSettings::from_lookup(Names::ENVIRONMENT, variable)))
}

/// The name of what was changed. An event source mapping goes by the name of its function, which
/// only the response has.
fn resource(node: Node<'_>, component: Component) -> Option<String> {
    let (request, response) = (node.member("requestParameters"), node.member("responseElements"));
    let service = WATCHED.iter().find(|known| known.component == component)?;
    let named = |path: &'static str| {
        first(path.split('.').fold(request, |node, member| node.member(member)))
    };
    let asked = service.named_by.iter().find_map(|path| named(path));
    let mapping = || match component {
        Component::Function => {
            response.member("functionArn").readable().or_else(|| request.member("uUID").readable())
        }
        _ => None,
    };
    asked.or_else(mapping).map(|resource| short(&resource).to_owned())
}

/// A name, or the first of a list of names: one call can delete several alarms.
fn first(names: Node<'_>) -> Option<String> {
    names.readable().or_else(|| names.items("").ok()?.first()?.readable())
}

/// What identifies a resource within its account and region: the end of an ARN or of a queue's URL.
fn short(resource: &str) -> &str {
    let of_arn = Arn::parse(resource).map(|arn| arn.resource);
    let of_url = || resource.strip_prefix("https://").and_then(|url| url.rsplit('/').next());
    of_arn.or_else(of_url).filter(|name| !name.is_empty()).unwrap_or(resource)
}
