//! The rules that the calls tell of which add rules or take them away. Authorize and Revoke write
//! them the same way: in the request as permissions with lists of peers, or flat with one; in the
//! response as EC2 lists rules, one by one.

use super::wire::{Node, Unread};
use crate::ec2::{Direction, Peer, Protocol, Reference, Rule, RuleError};

/// The lists of a permission's peers, and the member that names the peer in each.
const LISTS: [(&str, &str); 5] = [
    ("ipRanges", "cidrIp"),
    ("ipv6Ranges", "cidrIpv6"),
    ("prefixListIds", "prefixListId"),
    ("groups", "groupId"),
    ("userIdGroupPairs", "groupId"),
];

/// What else a permission may have.
const REST: [&str; 4] = ["ipProtocol", "fromPort", "toPort", "tag"];

/// The members that are the peer in the flat form, where there is one permission with one peer.
const FLAT: [&str; 6] = [
    "cidrIp",
    "cidrIpv6",
    "prefixListId",
    "sourceSecurityGroupId",
    "sourceSecurityGroupName",
    "ipProtocol",
];

/// A network interface has no more rules than 1,000 in a direction and address family, and so has a
/// group, whatever AWS was asked for
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups>).
const MOST_RULES: usize = 2_000;

/// What was asked for, one rule for each peer: readable or not, it is counted.
pub(super) type Asked = Vec<Result<Rule, Unread>>;

/// Such a call, and the account of the group in it.
pub(super) struct RuleCall<'a> {
    pub(super) direction: Direction,
    pub(super) account: Option<&'a str>,
    pub(super) request: Node<'a>,
    pub(super) response: Node<'a>,
}

impl<'a> RuleCall<'a> {
    /// The rules in this list of the response, as far as they are about `group`; believed only
    /// where there are at least as many as were asked for. EC2 answers with one rule for each, so
    /// fewer means that some were lost on the way.
    pub(super) fn answered(
        &self,
        list: &'static str,
        group: Option<&str>,
        asked: usize,
    ) -> Result<Vec<Rule>, Unread> {
        if self.response.is_omitted() {
            return Err(Unread::Omitted { member: "responseElements" });
        }
        let items = self.response.member(list).items("securityGroupRuleId")?;
        if items.is_empty() {
            return Err(Unread::Empty);
        }
        believable(&items)?;
        let read = |item| self.response_rule(item, group);
        let rules: Vec<Rule> = items.into_iter().map(read).collect::<Result<_, _>>()?;
        if rules.len() < asked {
            return Err(Unread::Fewer { found: rules.len(), asked });
        }
        Ok(rules)
    }

    fn response_rule(&self, item: Node<'a>, group: Option<&str>) -> Result<Rule, Unread> {
        if let Some(other) = item.member("groupId").text()?
            && group.is_some_and(|group| group != other)
        {
            return Err(Unread::OtherGroup(other));
        }
        let mut peers = Vec::new();
        for name in ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedGroupId"] {
            if let Some(peer) = item.member(name).text()? {
                peers.push(peer.parse::<Peer>()?);
            }
        }
        let referenced = item.member("referencedGroupInfo");
        if !referenced.is_absent() {
            peers.push(self.group(referenced.member("groupId"), referenced.member("userId"))?);
        }
        let peer = only(peers)?;
        let mut rule = self.rule(item, peer)?;
        rule.id = item.member("securityGroupRuleId").text()?;
        rule.description = item.member("description").told();
        Ok(rule)
    }

    /// What the request asks for.
    pub(super) fn asked(&self) -> Result<Asked, Unread> {
        if self.request.is_omitted() {
            return Err(Unread::Omitted { member: "requestParameters" });
        }
        let mut rules = Vec::new();
        for permission in self.request.member("ipPermissions").items("ipProtocol")? {
            rules.extend(self.permission(permission)?);
        }
        if FLAT.iter().any(|name| !self.request.member(name).is_absent()) {
            rules.push(self.flat_peer().and_then(|peer| self.rule(self.request, peer)));
        }
        believable(&rules)?;
        Ok(rules)
    }

    fn permission(&self, permission: Node<'a>) -> Result<Asked, Unread> {
        let known = |name: &str| {
            let mut known = LISTS.iter().map(|(list, _)| list).chain(&REST);
            known.any(|known| known.eq_ignore_ascii_case(name))
        };
        // A member that is not known may be a new kind of peer.
        if let Some(unknown) = permission.names().find(|name| !known(name)) {
            let unknown = unknown.chars().take(64).collect();
            return Err(Unread::Unknown { member: "ipPermissions", unknown });
        }
        let mut rules = Vec::new();
        for (list, of) in LISTS {
            for item in permission.member(list).items(of)? {
                let peer = match of {
                    "groupId" => self.paired_group(item),
                    of => item.member(of).required().and_then(|peer| Ok(peer.parse()?)),
                };
                rules.push(peer.and_then(|peer| {
                    let mut rule = self.rule(permission, peer)?;
                    rule.description = item.member("description").told();
                    Ok(rule)
                }));
            }
        }
        if rules.is_empty() { Err(Unread::Peers(0)) } else { Ok(rules) }
    }

    fn paired_group(&self, item: Node<'a>) -> Result<Peer, Unread> {
        match (item.member("groupId"), item.member("groupName").text()?) {
            (id, Some(name)) if id.is_absent() => Err(Unread::GroupByName(name)),
            (id, _) => self.group(id, item.member("userId")),
        }
    }

    fn flat_peer(&self) -> Result<Peer, Unread> {
        let mut peers = Vec::new();
        for name in ["cidrIp", "cidrIpv6", "prefixListId"] {
            if let Some(peer) = self.request.member(name).text()? {
                peers.push(peer.parse::<Peer>()?);
            }
        }
        let id = self.request.member("sourceSecurityGroupId");
        if !id.is_absent() {
            peers.push(self.group(id, self.request.member("sourceSecurityGroupOwnerId"))?);
        }
        if let Some(name) = self.request.member("sourceSecurityGroupName").text()? {
            return Err(Unread::GroupByName(name));
        }
        only(peers)
    }

    /// A group as a peer. Its account is said only where it is not that of the group it is let in.
    fn group(&self, id: Node<'a>, owner: Node<'a>) -> Result<Peer, Unread> {
        let id = id.required()?;
        let text = match owner.account()?.filter(|owner| Some(owner.as_str()) != self.account) {
            Some(owner) => format!("{owner}/{id}"),
            None => id,
        };
        match text.parse()? {
            peer @ Peer::Reference(Reference::Group(_)) => Ok(peer),
            _ => Err(RuleError::Peer(text).into()),
        }
    }

    fn rule(&self, from: Node<'a>, peer: Peer) -> Result<Rule, Unread> {
        let protocol: Protocol = from.member("ipProtocol").required()?.parse()?;
        let (first, last) = (from.member("fromPort").number()?, from.member("toPort").number()?);
        Ok(Rule::new(self.direction, protocol, first, last, peer)?)
    }
}

/// Whether a call can have been about so many rules.
fn believable<T>(rules: &[T]) -> Result<(), Unread> {
    if rules.len() > MOST_RULES { Err(Unread::TooMany { most: MOST_RULES }) } else { Ok(()) }
}

/// What was asked for, where all of it can be read and it is something.
pub(super) fn requested(asked: Result<Asked, Unread>) -> Result<Vec<Rule>, Unread> {
    let rules: Vec<Rule> = asked?.into_iter().collect::<Result<_, _>>()?;
    if rules.is_empty() { Err(Unread::Empty) } else { Ok(rules) }
}

/// The one peer that a rule has.
pub(super) fn only(mut peers: Vec<Peer>) -> Result<Peer, Unread> {
    match (peers.pop(), peers.len()) {
        (Some(peer), 0) => Ok(peer),
        (None, _) => Err(Unread::Peers(0)),
        (Some(_), more) => Err(Unread::Peers(more + 1)),
    }
}
