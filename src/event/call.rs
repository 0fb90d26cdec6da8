//! What a call is to the rules of security groups, by its name and its outcome.

use super::wire::Node;
use crate::rule::Direction;

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Authorize(Direction),
    Revoke(Direction),
    Modify,
    Create,
    /// Nothing to the rules of any group.
    Harmless(&'static str),
    /// It changes what rules admit, but not the rules.
    PrefixList,
    /// It may change rules.
    Unknown,
}

/// Calls of EC2 with "SecurityGroup" in their name that leave the rules as they are. Any other
/// than these may be new, and may do anything.
const KNOWN: [(&str, &str); 6] = [
    ("UpdateSecurityGroupRuleDescriptionsIngress", "it changes descriptions only"),
    ("UpdateSecurityGroupRuleDescriptionsEgress", "it changes descriptions only"),
    ("DeleteSecurityGroup", "the group is gone, with its rules"),
    ("ApplySecurityGroupsToClientVpnTargetNetwork", NOT_RULES),
    ("AssociateSecurityGroupVpc", NOT_RULES),
    ("DisassociateSecurityGroupVpc", NOT_RULES),
];

const NOT_RULES: &str = "it changes no rules of a security group";

impl Call {
    /// The call of a record, where the record says which it is.
    pub(super) fn of(record: Node<'_>) -> Option<Self> {
        let source = record.member("eventSource").told().unwrap_or_default();
        let name = record.member("eventName").told().unwrap_or_default();
        // A tool that hides the service writes anything but a service there.
        if source.contains(".amazonaws.") && !source.starts_with("ec2.") {
            return Some(Self::Harmless("not a security-group call"));
        }
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        Some(match name.as_str() {
            "AuthorizeSecurityGroupIngress" => Self::Authorize(Direction::Ingress),
            "AuthorizeSecurityGroupEgress" => Self::Authorize(Direction::Egress),
            "RevokeSecurityGroupIngress" => Self::Revoke(Direction::Ingress),
            "RevokeSecurityGroupEgress" => Self::Revoke(Direction::Egress),
            "ModifySecurityGroupRules" => Self::Modify,
            "CreateSecurityGroup" => Self::Create,
            "ModifyManagedPrefixList" | "RestoreManagedPrefixListVersion" => Self::PrefixList,
            name => Self::other(name),
        })
    }

    fn other(name: &str) -> Self {
        if ["Describe", "Get", "List"].iter().any(|reads| name.starts_with(reads)) {
            return Self::Harmless("it only reads");
        }
        if let Some((_, reason)) = KNOWN.iter().find(|(known, _)| *known == name) {
            return Self::Harmless(reason);
        }
        if name.contains("SecurityGroup") { Self::Unknown } else { Self::Harmless(NOT_RULES) }
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    /// The caller's fault: nothing changed.
    Refused(String),
    /// EC2's own fault: it may have changed something before.
    ServerError(String),
}

impl Outcome {
    pub(super) fn of(record: Node<'_>) -> Self {
        // Null is how some tools write success, and so is the empty text.
        let code = match record.member("errorCode") {
            code if code.value().is_string() => code.told(),
            _ => None,
        };
        let Some(code) = code else { return Self::Success };
        let last = code.rsplit('.').next().unwrap_or_default();
        let own = ["InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable"];
        if code.starts_with("Server.") || own.contains(&last) {
            Self::ServerError(code)
        } else {
            Self::Refused(code)
        }
    }
}
