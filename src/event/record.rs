//! Who, when and where: what every CloudTrail record tells.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::actor::ActorType;
use super::error::Unread;
use super::schedule::ScheduledTask;
use super::wire::Node;
use crate::ec2::{AccountId, Region};

/// What every CloudTrail record tells about a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Record {
    /// `eventName`
    pub event_name: Option<String>,
    /// `eventID`
    pub event_id: Option<String>,
    /// `sharedEventID`: the same in both accounts where a call crosses accounts.
    pub shared_event_id: Option<String>,
    /// `eventTime`, else the envelope's `time`.
    pub time: Option<DateTime<Utc>>,
    /// `recipientAccountId`, else the envelope's `account`, else the caller's account: the account
    /// of the group. `None` where it is not one, as in logs that were made anonymous.
    pub account: Option<AccountId>,
    /// `awsRegion`, else the envelope's `region`.
    pub region: Option<Region>,
    /// The caller's ARN, else whatever else names the caller (a service, a principal, an account).
    pub actor: Option<String>,
    /// `sourceIPAddress`
    pub source_ip: Option<String>,
    /// `userAgent`
    pub user_agent: Option<String>,
    /// What kind of caller that is.
    #[serde(default)]
    pub actor_type: ActorType,
}

impl Record {
    /// The id that is the same in both records of a call across accounts, else the record's own.
    pub fn shared_id(&self) -> Option<&str> {
        self.shared_event_id.as_deref().or(self.event_id.as_deref())
    }
}

/// Members that CloudTrail writes into every record, beside `eventName` and `eventSource`.
const MEMBERS: [&str; 9] = [
    "awsRegion",
    "eventID",
    "eventTime",
    "eventVersion",
    "recipientAccountId",
    "requestParameters",
    "responseElements",
    "sourceIPAddress",
    "userIdentity",
];

/// Whether `members` look like a CloudTrail record: an `eventName`, with the host name of a service
/// as its `eventSource`. S3, DynamoDB and others write records with the same members, whose source is
/// as `aws:s3`. Without a source, the other members decide.
pub fn is_record(members: &Map<String, Value>) -> bool {
    members.contains_key("eventName")
        && match members.get("eventSource").and_then(Value::as_str) {
            Some(source) => source.contains(".amazonaws."),
            None => MEMBERS.iter().filter(|name| members.contains_key(**name)).count() > 1,
        }
}

/// What EventBridge writes around a record.
///
/// `EventBridgeEvent` of aws_lambda_events is not used, because it refuses events without a
/// `detail-type`, with a number for the account or with a time that is not one. Real events have
/// all of these.
#[derive(Clone, Debug, Default)]
pub(super) struct Envelope {
    pub(super) detail_type: Option<String>,
    pub(super) source: Option<String>,
    /// The account as it is written.
    account: Option<String>,
    /// The region as it is written.
    region_text: Option<String>,
    region: Option<Region>,
    time: Option<DateTime<Utc>>,
    /// The task of the rule that the event names as its resource.
    rule_task: Option<ScheduledTask>,
    /// What is wrong with the region.
    pub(super) fault: Option<Unread>,
}

impl Envelope {
    pub(super) fn read(event: &Value) -> Self {
        let event = Node::new("event", event);
        let mut fault = None;
        // EventBridge's own libraries write `detailType`.
        let types = ["detail-type", "detailType"];
        Self {
            detail_type: types.into_iter().find_map(|name| event.member(name).readable()),
            source: event.member("source").readable(),
            account: account_text(event.member("account")),
            region_text: event.member("region").readable(),
            region: valid(event.member("region").id(), &mut fault),
            time: time(event.member("time")),
            rule_task: ScheduledTask::of_rule(event.member("resources")),
            fault,
        }
    }

    /// What a schedule asks for whose event says nothing itself, if it is a schedule's. EventBridge's
    /// rules and EventBridge Scheduler, which are two services, write the same type. An event that
    /// has lost its type is known by its rule, if there is nothing in it (`is_empty`) that could be a
    /// change.
    pub(super) fn scheduled_task(&self, is_empty: bool) -> Option<ScheduledTask> {
        let source = self.source.as_deref();
        let is_scheduled = match self.detail_type.as_deref() {
            Some(detail_type) => detail_type == "Scheduled Event",
            None if source == Some("aws.scheduler") => true,
            None => {
                is_empty && source.is_none_or(|it| it == "aws.events") && self.rule_task.is_some()
            }
        };
        is_scheduled.then(|| self.rule_task.unwrap_or_default())
    }

    /// Whether it tells that a stack was deployed. The template's rule hands on such an event as a
    /// sweep, so one that arrives has lost that on the way.
    pub(super) fn is_of_deployment(&self, detail: &Value) -> bool {
        let status = Node::new("detail", detail).member("status-details").member("status");
        self.source.as_deref() == Some("aws.cloudformation")
            && self.detail_type.as_deref() == Some("CloudFormation Stack Status Change")
            && matches!(status.value().as_str(), Some("CREATE_COMPLETE" | "UPDATE_COMPLETE"))
    }
}

impl From<Envelope> for Record {
    /// What is known where there is nothing but the envelope.
    fn from(envelope: Envelope) -> Self {
        let Envelope { account, region, time, .. } = envelope;
        let account = account.and_then(|account| account.parse().ok());
        Self { time, account, region, ..Self::default() }
    }
}

/// What `record` tells, else what `envelope` tells; and what is wrong with the region of either, or
/// that they do not agree on the account or the region.
pub(super) fn read(record: Node<'_>, envelope: Envelope) -> (Record, Option<Unread>) {
    let identity = record.member("userIdentity");
    let mut fault = None;
    let account = account_text(record.member("recipientAccountId"));
    let region = record.member("awsRegion").readable();
    let disagreement = differ("account", &envelope.account, &account)
        .or_else(|| differ("region", &envelope.region_text, &region));
    // An account that is not one must not become that of the caller, who may be of another.
    let account = match account.or(envelope.account) {
        Some(account) => account.parse().ok(),
        None => identity.member("accountId").account().ok().flatten(),
    };
    let read = Record {
        event_name: record.member("eventName").string(),
        event_id: record.member("eventID").readable(),
        shared_event_id: record.member("sharedEventID").readable(),
        time: time(record.member("eventTime")).or(envelope.time),
        account,
        region: valid(record.member("awsRegion").id(), &mut fault).or(envelope.region),
        actor: actor(identity),
        source_ip: record.member("sourceIPAddress").readable(),
        user_agent: record.member("userAgent").readable(),
        actor_type: ActorType::of(record),
    };
    (read, fault.or(envelope.fault).or(disagreement))
}

/// The account as it is written. Where it is no text at all, nothing is known.
fn account_text(node: Node<'_>) -> Option<String> {
    node.account_text().ok().flatten()
}

/// That the envelope and the record in it do not agree on something that both tell.
fn differ(
    what: &'static str,
    envelope: &Option<String>,
    record: &Option<String>,
) -> Option<Unread> {
    let (envelope, record) = envelope.as_ref().zip(record.as_ref())?;
    let error =
        || Unread::Disagreement { what, envelope: envelope.clone(), record: record.clone() };
    (envelope != record).then(error)
}

fn valid<T>(read: Result<Option<T>, Unread>, fault: &mut Option<Unread>) -> Option<T> {
    read.unwrap_or_else(|error| {
        fault.get_or_insert(error);
        None
    })
}

/// A caller without an ARN is a service, which `invokedBy` names, or somebody of another account.
fn actor(identity: Node<'_>) -> Option<String> {
    let by_account = || {
        let account = identity.member("accountId").account_text().ok().flatten();
        let words: Vec<String> =
            [identity.member("type").readable(), account].into_iter().flatten().collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    ["arn", "invokedBy", "principalId"]
        .into_iter()
        .find_map(|name| identity.member(name).readable())
        .or_else(by_account)
}

fn time(node: Node<'_>) -> Option<DateTime<Utc>> {
    crate::text::time(&node.readable()?)
}
