//! Who, when and where: what every CloudTrail record says.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Record;
use super::wire::Node;

/// What EventBridge writes around a record.
///
/// `EventBridgeEvent` of aws_lambda_events is not used: it refuses events without a `detail-type`,
/// with a number for the account or with a time that is not one, and real ones have all of that.
#[derive(Clone, Debug, Default)]
pub(super) struct Envelope {
    pub(super) detail_type: Option<String>,
    pub(super) source: Option<String>,
    account: Option<String>,
    region: Option<String>,
    time: Option<DateTime<Utc>>,
}

impl Envelope {
    pub(super) fn read(event: &Value) -> Self {
        let event = Node::new("event", event);
        Self {
            detail_type: event.member("detail-type").told(),
            source: event.member("source").told(),
            account: account(event.member("account")),
            region: event.member("region").told(),
            time: time(event.member("time")),
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

/// What `record` says, and where it says nothing, what `envelope` says.
pub(super) fn read(record: Node<'_>, envelope: Envelope) -> Record {
    let identity = record.member("userIdentity");
    Record {
        event_name: record.member("eventName").string(),
        event_id: record.member("eventID").told(),
        shared_event_id: record.member("sharedEventID").told(),
        time: time(record.member("eventTime")).or(envelope.time),
        account: account(record.member("recipientAccountId"))
            .or(envelope.account)
            .or_else(|| account(identity.member("accountId"))),
        region: record.member("awsRegion").told().or(envelope.region),
        actor: actor(identity),
        source_ip: record.member("sourceIPAddress").told(),
        user_agent: record.member("userAgent").told(),
    }
}

/// A caller without an ARN is a service, which `invokedBy` names, or one of another account.
fn actor(identity: Node<'_>) -> Option<String> {
    let by_account = || {
        let words = [identity.member("type").told(), account(identity.member("accountId"))];
        let words: Vec<String> = words.into_iter().flatten().collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    ["arn", "invokedBy", "principalId"]
        .into_iter()
        .find_map(|name| identity.member(name).told())
        .or_else(by_account)
}

fn account(node: Node<'_>) -> Option<String> {
    node.account().ok().flatten()
}

fn time(node: Node<'_>) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&node.told()?).ok().map(|time| time.to_utc())
}
