//! Events: from what arrives to what changed.
//!
//! [`decode`] takes the bytes of an invocation, unwraps whatever they are wrapped in (SNS, SQS,
//! Lambda's failure destination, CloudTrail's own `Records`), and reads each CloudTrail record in
//! them. A [`Job`] that a schedule or an earlier invocation asks for may arrive too, and the
//! [question of a hook](HookRequest). Serde stops here: everything behind it works with [`Event`]s.
//!
//! Nothing is dropped silently. What is understood is a change. What certainly changed nothing is
//! [ignored](Kind::Ignored) with a reason. What names a group but is not understood is a change of
//! that group [whose rules](ChangeKind::Unknown) or [whose tags](ChangeKind::Retagged) are unknown.
//! If the request is missing from a record, and the group with it, [any group](Kind::Lost) of the
//! place may have changed. Everything else is [undecodable](Kind::Undecodable), which becomes a
//! finding of its own.
//!
//! Regions and ids are checked here. A record with one that is not valid is undecodable, and so is
//! one whose envelope tells another account or region, so that no audit looks at the wrong place.

mod access_keys;
mod actor;
mod authorize;
mod call;
mod cloudtrail;
mod error;
mod group_ids;
mod hook;
mod job;
mod list;
mod list_change;
mod memory;
mod model;
mod modify;
mod payload;
mod record;
mod repeated;
mod revoke;
mod rule_call;
mod schedule;
mod split;
mod tag_change;
mod tags;
pub(crate) mod trail;
mod watched;
mod wire;
mod wrapper;

#[cfg(test)]
mod tests;

pub use actor::ActorType;
pub use call::{calls_that_change_rules, may_change_rules};
pub use hook::{HookFault, HookRequest, HookTask, Target, Wanted, is_hook_request};
pub use job::{Close, FoundBy, Job, ListResume, Lost, Note, Resume, RuleToClose, Schedule, Sweep};
pub use list_change::ListChange;
pub use model::{
    ChangeKind, Event, GroupChange, Kind, ModifiedRule, NotAudited, Removed, RevokedRules,
};
pub use payload::is_job;
pub use record::{Record, is_record};
pub use split::{SplitEnd, split};
pub use tag_change::{HoldTags, TagAction, TagChange};
pub use watched::{Component, WatchedChange};
use wrapper::Unwrapped;

/// Reads what an invocation brings. There is always at least one event: what cannot be read is
/// [`Kind::Undecodable`].
///
/// ```
/// use typo3_sg_auditor::event::{ChangeKind, Kind, decode};
///
/// let payload = br#"{
///     "detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2",
///     "account": "123456789012", "region": "eu-central-1",
///     "detail": {
///         "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress",
///         "requestParameters": {
///             "groupId": "sg-0a1b2c3d4e5f67890", "cidrIp": "0.0.0.0/0",
///             "ipProtocol": "tcp", "fromPort": 22, "toPort": 22
///         }
///     }
/// }"#;
/// let events = decode(payload);
/// let Kind::Change(change) = &events[0].kind else { panic!("{events:?}") };
/// assert_eq!(change.group.as_str(), "sg-0a1b2c3d4e5f67890");
/// let ChangeKind::Authorized(rules) = &change.kind else { panic!("{change:?}") };
/// assert_eq!(rules[0].peer().to_string(), "0.0.0.0/0");
///
/// let events = decode(b"not an event");
/// assert!(matches!(events[0].kind, Kind::Undecodable { .. }));
/// ```
pub fn decode(payload: &[u8]) -> Vec<Event> {
    let events = wrapper::unwrap(payload).into_iter().flat_map(|unwrapped| match unwrapped {
        Unwrapped::Record(detail, envelope) => cloudtrail::read(&detail, envelope),
        Unwrapped::Event(event) => vec![event],
    });
    repeated::once(events.map(access_keys::shortened))
}
