//! The rules that a Revoke call removed: from its response where that has them all, else from its
//! request.

use super::model::Removed;
use super::rule_call::{RuleCall, all};
use super::wire::Node;
use crate::ec2::{Rule, RuleId};
use crate::net::Cells;

/// The members of a request that name rules by their ids, which do not tell what the rules were.
const IDS: [&str; 2] = ["securityGroupRuleIds", "securityGroupRuleId"];

/// What was removed: the rules, where the event tells the content of every one. Otherwise the
/// protocols and ports in the request still limit what they can have been, unless rules are named by
/// their ids.
pub(super) fn removed(call: &RuleCall<'_>) -> Removed {
    if let Some(rules) = rules(call) {
        return Removed::Rules(rules);
    }
    let cells = if by_id(call) == 0 { call.requested_cells() } else { None };
    Removed::Within(cells.unwrap_or_else(Cells::everything))
}

/// The ids of the rules that the request names by them.
pub(super) fn named(call: &RuleCall<'_>) -> Vec<RuleId> {
    let lists = IDS.into_iter().map(|name| call.request.member(name));
    lists.flat_map(of_list).collect()
}

/// The ids in a list: of strings, of objects with an id each, or one string instead of a list.
fn of_list(list: Node<'_>) -> Vec<RuleId> {
    if let Some(id) = list.string() {
        return id.parse().into_iter().collect();
    }
    let items = list.items("securityGroupRuleId").unwrap_or_default();
    let id = |item: Node<'_>| {
        item.string().or_else(|| item.member("securityGroupRuleId").string())?.parse().ok()
    };
    items.into_iter().filter_map(id).collect()
}

/// The rules, where the event tells the content of every one.
///
/// EC2 revokes everything that was requested or nothing, except in a default VPC: there it removes
/// what it finds and lists the rest as unknown. The request then names more than was removed, and
/// only the response counts. The same is true where that list may be in a response that cannot be
/// read
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html>).
fn rules(call: &RuleCall<'_>) -> Option<Vec<Rule>> {
    let requested = call.requested();
    let by_id = by_id(call);
    let unknown = call.response.member("unknownIpPermissionSet").items("ipProtocol");
    let all_found = unknown.is_ok_and(|unknown| unknown.is_empty());
    let at_least = if all_found { requested.as_ref().map_or(0, Vec::len) + by_id } else { 0 };
    if let Ok(rules) = call.in_response("revokedSecurityGroupRuleSet", at_least) {
        return Some(rules);
    }
    if all_found && by_id == 0 && can_be_read(call.response) { all(requested).ok() } else { None }
}

/// How many rules the request names by their ids.
fn by_id(call: &RuleCall<'_>) -> usize {
    IDS.into_iter().map(|name| ids(call.request.member(name))).sum()
}

/// How many ids are in a list of them.
fn ids(list: Node<'_>) -> usize {
    list.items("securityGroupRuleId").map_or(1, |ids| ids.len())
}

/// Whether a response has everything that it can have. Older ones have next to nothing, and some
/// tools leave it out.
fn can_be_read(response: Node<'_>) -> bool {
    response.is_absent() || (response.value().is_object() && !response.is_omitted())
}
