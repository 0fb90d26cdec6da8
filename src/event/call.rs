//! What a call is to the rules of security groups, to what they admit, and to what is in scope, by
//! its name and its outcome.

use super::watched::{self, Part};
use super::wire::Node;
use crate::ec2::Direction;

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Authorize(Direction),
    Revoke(Direction),
    Modify,
    Create,
    /// Nothing to any of them.
    Harmless(&'static str),
    /// It changes what rules admit, but not the rules.
    List(ListCall),
    /// It changes what is in scope, but not the rules.
    Tags(TagCall),
    /// It changes what the auditor lives on.
    Watched(Part),
    /// It may change rules.
    Unknown,
}

/// What a call does to a managed prefix list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListCall {
    Modify,
    Restore,
    /// Whatever it may be.
    Unknown,
}

/// What a call does to tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TagCall {
    Create,
    Delete,
}

/// The calls of EC2 that are known. Any other with "SecurityGroup" or "ManagedPrefixList" in its
/// name may be new, and may do anything, unless its name says that it only reads.
const KNOWN: [(&str, Call); 18] = [
    ("AuthorizeSecurityGroupIngress", Call::Authorize(Direction::Ingress)),
    ("AuthorizeSecurityGroupEgress", Call::Authorize(Direction::Egress)),
    ("RevokeSecurityGroupIngress", Call::Revoke(Direction::Ingress)),
    ("RevokeSecurityGroupEgress", Call::Revoke(Direction::Egress)),
    ("ModifySecurityGroupRules", Call::Modify),
    ("CreateSecurityGroup", Call::Create),
    ("ModifyManagedPrefixList", Call::List(ListCall::Modify)),
    ("RestoreManagedPrefixListVersion", Call::List(ListCall::Restore)),
    ("CreateManagedPrefixList", Call::Harmless("no rule names a list that is new")),
    ("DeleteManagedPrefixList", Call::Harmless("a list that a rule names cannot be deleted")),
    ("CreateTags", Call::Tags(TagCall::Create)),
    ("DeleteTags", Call::Tags(TagCall::Delete)),
    ("UpdateSecurityGroupRuleDescriptionsIngress", DESCRIPTIONS),
    ("UpdateSecurityGroupRuleDescriptionsEgress", DESCRIPTIONS),
    ("DeleteSecurityGroup", Call::Harmless("the group is gone, with its rules")),
    ("ApplySecurityGroupsToClientVpnTargetNetwork", NOT_RULES),
    ("AssociateSecurityGroupVpc", NOT_RULES),
    ("DisassociateSecurityGroupVpc", NOT_RULES),
];

const DESCRIPTIONS: Call = Call::Harmless("it changes descriptions only");

const NOT_RULES: Call = Call::Harmless("it changes no rules of a security group");

impl Call {
    /// The call of a record, where the record says which it is. Tools that write everything small
    /// write these names small too.
    pub(super) fn of(record: Node<'_>) -> Option<Self> {
        let source = record.member("eventSource").told().unwrap_or_default().to_ascii_lowercase();
        // A tool that hides the service writes anything but a service there.
        if source.contains(".amazonaws.") && !source.starts_with("ec2.") {
            let name = record.member("eventName").string().unwrap_or_default();
            let foreign = Self::Harmless("not a security-group call");
            return Some(watched::part(&source, &name).map_or(foreign, Self::Watched));
        }
        let name = record.member("eventName").string()?;
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let known = KNOWN.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
        Some(known.map_or_else(|| Self::other(&name.to_ascii_lowercase()), |(_, call)| *call))
    }

    /// A call that is not known, by its name in small letters.
    fn other(name: &str) -> Self {
        if ["describe", "get", "list"].iter().any(|reads| name.starts_with(reads)) {
            return Self::Harmless("it only reads");
        }
        if name.contains("securitygroup") {
            Self::Unknown
        } else if name.contains("managedprefixlist") {
            Self::List(ListCall::Unknown)
        } else {
            NOT_RULES
        }
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    /// The caller's fault: nothing changed.
    Refused(String),
    /// The service's own fault: it may have changed something before.
    ServerError(String),
}

impl Outcome {
    pub(super) fn of(record: Node<'_>) -> Self {
        // Null is how some tools write success, and so is the empty text.
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
