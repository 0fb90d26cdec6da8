//! The rules that a Revoke call took away: from its response where that has them all, else from
//! its request.

use super::told::{RuleCall, requested};
use super::wire::Node;
use crate::ec2::Rule;

/// How a request names rules by their ids, which do not say what the rules were.
const IDS: [&str; 2] = ["securityGroupRuleIds", "securityGroupRuleId"];

/// The rules, where the event tells the content of every one.
///
/// EC2 revokes all that was asked for or nothing, but for a group of a default VPC: there it takes
/// away what it finds, and lists the rest as unknown. The request then says more than was done,
/// and only the response counts. The same holds where that list may be in a response that cannot
/// be read.
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html>)
pub(super) fn rules(call: &RuleCall<'_>, group: Option<&str>) -> Option<Vec<Rule>> {
    let asked = call.asked();
    let by_id: usize = IDS.into_iter().map(|name| ids(call.request.member(name))).sum();
    let unknown = call.response.member("unknownIpPermissionSet").items("ipProtocol");
    let all_found = unknown.is_ok_and(|unknown| unknown.is_empty());
    let least = if all_found { asked.as_ref().map_or(0, Vec::len) + by_id } else { 0 };
    if let Ok(rules) = call.answered("revokedSecurityGroupRuleSet", group, least) {
        return Some(rules);
    }
    if all_found && by_id == 0 && can_be_read(call.response) { requested(asked).ok() } else { None }
}

/// How many ids are in a list of them.
fn ids(list: Node<'_>) -> usize {
    list.items("securityGroupRuleId").map_or(1, |ids| ids.len())
}

/// Whether a response says all that it can. Older ones say next to nothing, and some tools leave
/// it out.
fn can_be_read(response: Node<'_>) -> bool {
    response.is_absent() || (response.value().is_object() && !response.is_omitted())
}
