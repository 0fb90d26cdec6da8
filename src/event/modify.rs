//! The rules that a Modify call changed.

use super::ModifiedRule;
use super::told::only;
use super::wire::{Node, Unread};
use crate::ec2::{Direction, Peer, Protocol, Rule};

/// The new content of each rule. The response says nothing but that it was done.
pub(super) fn rules(request: Node<'_>) -> Result<Vec<ModifiedRule>, Unread> {
    if request.is_omitted() {
        return Err(Unread::Omitted { member: "requestParameters" });
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
    let id = item.member("SecurityGroupRuleId").required()?;
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
    // Ports mean the same in both directions; which it is, only the present rules say.
    let rule = Rule::new(Direction::Ingress, protocol, first, last, peer)?;
    Ok(ModifiedRule {
        id,
        protocol,
        from_port: rule.from_port,
        to_port: rule.to_port,
        peer: rule.peer,
        description: content.member("Description").told(),
    })
}
