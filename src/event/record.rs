//! Who, when and where: what every CloudTrail record tells.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::Unread;
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
    /// of the group.
    pub account: Option<AccountId>,
    /// `awsRegion`, else the envelope's `region`.
    pub region: Option<Region>,
    /// The caller's ARN, else whatever else names the caller (a service, a principal, an account).
    pub actor: Option<String>,
    /// `sourceIPAddress`
    pub source_ip: Option<String>,
    /// `userAgent`
    pub user_agent: Option<String>,
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
    account: Option<AccountId>,
    region: Option<Region>,
    time: Option<DateTime<Utc>>,
    /// What is wrong with the account or the region.
    pub(super) fault: Option<Unread>,
}

impl Envelope {
    pub(super) fn read(event: &Value) -> Self {
        let event = Node::new("event", event);
        let mut fault = None;
        Self {
            detail_type: event.member("detail-type").readable(),
            source: event.member("source").readable(),
            account: valid(event.member("account").account(), &mut fault),
            region: valid(event.member("region").id(), &mut fault),
            time: time(event.member("time")),
            fault,
        }
    }

    /// Whether it is a schedule's. EventBridge's rules and EventBridge Scheduler, which are two
    /// services, write the same type.
    pub(super) fn is_scheduled(&self) -> bool {
        match self.detail_type.as_deref() {
            Some(detail_type) => detail_type == "Scheduled Event",
            None => self.source.as_deref() == Some("aws.scheduler"),
        }
    }
}

impl From<Envelope> for Record {
    /// What is known where there is nothing but the envelope.
    fn from(envelope: Envelope) -> Self {
        let Envelope { account, region, time, .. } = envelope;
        Self { time, account, region, ..Self::default() }
    }
}

/// What `record` tells, else what `envelope` tells; and what is wrong with the account or the
/// region of either.
pub(super) fn read(record: Node<'_>, envelope: Envelope) -> (Record, Option<Unread>) {
    let identity = record.member("userIdentity");
    let mut fault = None;
    let record = Record {
        event_name: record.member("eventName").string(),
        event_id: record.member("eventID").readable(),
        shared_event_id: record.member("sharedEventID").readable(),
        time: time(record.member("eventTime")).or(envelope.time),
        account: valid(record.member("recipientAccountId").account(), &mut fault)
            .or(envelope.account)
            .or_else(|| identity.member("accountId").account().ok().flatten()),
        region: valid(record.member("awsRegion").id(), &mut fault).or(envelope.region),
        actor: actor(identity),
        source_ip: record.member("sourceIPAddress").readable(),
        user_agent: record.member("userAgent").readable(),
    };
    (record, fault.or(envelope.fault))
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
    DateTime::parse_from_rfc3339(&node.readable()?).ok().map(|time| time.to_utc())
}
