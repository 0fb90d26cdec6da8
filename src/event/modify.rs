//! The rules that a Modify call changed.

use super::error::Unread;
use super::model::ModifiedRule;
use super::rule_call::only;
use super::wire::Node;
use crate::ec2::{Direction, Peer, Protocol, Rule};

/// The new content of each rule, from the request. The response has none of it.
pub(super) fn rules(request: Node<'_>) -> Result<Vec<ModifiedRule>, Unread> {
    if request.is_omitted() {
        return Err(Unread::CutShort { member: "requestParameters" });
    }
    let mut rules = Vec::new();
    // `SecurityGroupRules` is the name in EC2's API, `SecurityGroupRule` that in the records.
    for list in ["SecurityGroupRule", "SecurityGroupRules"] {
        for item in request.member(list).items("SecurityGroupRuleId")? {
            rules.push(rule(item)?);
        }
    }
    if rules.is_empty() { Err(Unread::Empty) } else { Ok(rules) }
}

fn rule(item: Node<'_>) -> Result<ModifiedRule, Unread> {
    let id = item.member("SecurityGroupRuleId").required()?.parse()?;
    let content = match item.member("SecurityGroupRule") {
        nested if !nested.is_absent() => nested,
        _ => item,
    };
    let mut peers = Vec::new();
    for name in ["CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId"] {
        if let Some(peer) = content.member(name).text()? {
            peers.push(peer.parse::<Peer>()?);
        }
    }
    let peer = only(peers)?;
    let protocol: Protocol = content.member("IpProtocol").required()?.parse()?;
    let (first, last) = (content.member("FromPort").number()?, content.member("ToPort").number()?);
    // Ports mean the same in both directions. Only the group's present rules tell which it is.
    let rule = Rule::new(Direction::Ingress, protocol, first, last, peer)?;
    let description = content.member("Description").readable();
    Ok(ModifiedRule::new(id, rule.with_description(description)))
}
