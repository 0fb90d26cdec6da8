//! What a call does to the rules of security groups, to what they admit, and to what is in scope,
//! by its name, and how it ended.

use super::watched::{self, Component};
use super::wire::Node;
use crate::ec2::Direction;

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApiCall {
    /// It changes the rules of a group, or may.
    Group(GroupCall),
    /// It changes what rules admit, but not the rules.
    List(ListCall),
    /// It changes what is in scope, but not the rules.
    Tags(TagCall),
    /// It changes something that the auditor depends on.
    Watched(Component),
    /// It does none of that. The reason is for a person.
    Harmless(&'static str),
}

/// What a call does to the rules of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupCall {
    Authorize(Direction),
    Revoke(Direction),
    Modify,
    Create,
    Unknown,
}

/// What a call does to a managed prefix list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListCall {
    Modify,
    Restore,
    Unknown,
}

/// What a call does to tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TagCall {
    Create,
    Delete,
}

/// The calls of EC2 that are known. Any other call with "SecurityGroup" or "ManagedPrefixList" in its
/// name may be new and do anything, unless its name says that it only reads.
const KNOWN: [(&str, ApiCall); 18] = [
    ("AuthorizeSecurityGroupIngress", ApiCall::Group(GroupCall::Authorize(Direction::Ingress))),
    ("AuthorizeSecurityGroupEgress", ApiCall::Group(GroupCall::Authorize(Direction::Egress))),
    ("RevokeSecurityGroupIngress", ApiCall::Group(GroupCall::Revoke(Direction::Ingress))),
    ("RevokeSecurityGroupEgress", ApiCall::Group(GroupCall::Revoke(Direction::Egress))),
    ("ModifySecurityGroupRules", ApiCall::Group(GroupCall::Modify)),
    ("CreateSecurityGroup", ApiCall::Group(GroupCall::Create)),
    ("ModifyManagedPrefixList", ApiCall::List(ListCall::Modify)),
    ("RestoreManagedPrefixListVersion", ApiCall::List(ListCall::Restore)),
    (CREATE_LIST, ApiCall::Harmless("no rule names a list that is new")),
    ("DeleteManagedPrefixList", ApiCall::Harmless("a list that a rule names cannot be deleted")),
    ("CreateTags", ApiCall::Tags(TagCall::Create)),
    ("DeleteTags", ApiCall::Tags(TagCall::Delete)),
    ("UpdateSecurityGroupRuleDescriptionsIngress", DESCRIPTIONS),
    ("UpdateSecurityGroupRuleDescriptionsEgress", DESCRIPTIONS),
    (DELETE_GROUP, ApiCall::Harmless("the group is gone, with its rules")),
    ("ApplySecurityGroupsToClientVpnTargetNetwork", NOT_RULES),
    ("AssociateSecurityGroupVpc", NOT_RULES),
    ("DisassociateSecurityGroupVpc", NOT_RULES),
];

/// Calls that change no rule which is there, and end the life of rules or begin that of a list.
pub(super) const DELETE_GROUP: &str = "DeleteSecurityGroup";
pub(super) const CREATE_LIST: &str = "CreateManagedPrefixList";
const HISTORY: [&str; 2] = [DELETE_GROUP, CREATE_LIST];

const DESCRIPTIONS: ApiCall = ApiCall::Harmless("it changes descriptions only");

const NOT_RULES: ApiCall = ApiCall::Harmless("it changes no rules of a security group");

impl ApiCall {
    /// The call of a record, where the record says which it is. Tools that write everything in lower
    /// case do so with these names too.
    pub(super) fn of(record: Node<'_>) -> Option<Self> {
        let source = record.member("eventSource").readable().unwrap_or_default();
        Self::named(&source, record.member("eventName").string())
    }

    /// The call of this service and name.
    fn named(source: &str, name: Option<String>) -> Option<Self> {
        let source = source.to_ascii_lowercase();
        // A tool that hides the service writes something else there.
        if source.contains(".amazonaws.") && !source.starts_with("ec2.") {
            let name = name.unwrap_or_default();
            let foreign = Self::Harmless("not a security-group call");
            return Some(watched::component(&source, &name).map_or(foreign, Self::Watched));
        }
        let name = name?;
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let known = KNOWN.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
        Some(known.map_or_else(|| Self::other(&name.to_ascii_lowercase()), |(_, call)| *call))
    }

    /// A call that is not known, by its name in lower case.
    fn other(name: &str) -> Self {
        if ["describe", "get", "list"].iter().any(|reads| name.starts_with(reads)) {
            return Self::Harmless("it only reads");
        }
        if name.contains("securitygroup") {
            Self::Group(GroupCall::Unknown)
        } else if name.contains("managedprefixlist") {
            Self::List(ListCall::Unknown)
        } else {
            NOT_RULES
        }
    }
}

/// Whether a record of this service and name may tell of a change of rules, or of what they admit.
/// Where it may not, [`decode`](super::decode) ignores the record.
pub fn may_change_rules(source: &str, name: &str) -> bool {
    match ApiCall::named(source, Some(name.to_owned())) {
        Some(ApiCall::Group(_) | ApiCall::List(_)) | None => true,
        Some(ApiCall::Harmless(_)) => HISTORY.iter().any(|known| known.eq_ignore_ascii_case(name)),
        Some(ApiCall::Tags(_) | ApiCall::Watched(_)) => false,
    }
}

/// The names of EC2's known calls that may have changed rules, or what they admit.
pub fn calls_that_change_rules() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|(name, _)| *name).filter(|name| may_change_rules("ec2.amazonaws.com", name))
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CallResult {
    Success,
    /// It was the caller's fault, and nothing changed. Holds the error code.
    Refused(String),
    /// It was the service's fault, and something may have changed before. Holds the error code.
    ServerError(String),
}

impl CallResult {
    pub(super) fn of(record: Node<'_>) -> Self {
        // Some tools write null or an empty string for a call that succeeded.
        let Some(code) = record.member("errorCode").string() else { return Self::Success };
        let last = code.rsplit('.').next().unwrap_or_default();
        let last = last.strip_suffix("Exception").unwrap_or(last);
        let own = ["Internal", "InternalError", "InternalFailure", "Service", "ServiceUnavailable"];
        if code.starts_with("Server.") || own.contains(&last) || last == "Unavailable" {
            Self::ServerError(code)
        } else {
            Self::Refused(code)
        }
    }
}
