//! The rules that an Authorize call added: from its response where that has them all, else from
//! its request.

use std::collections::BTreeMap;

use super::wire::{Node, Unread};
use crate::rule::{Direction, Peer, Protocol, Reference, Rule, RuleError};

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

/// A call, and the account of the group in it.
pub(super) struct Authorize<'a> {
    pub(super) direction: Direction,
    pub(super) account: Option<&'a str>,
    pub(super) request: Node<'a>,
    pub(super) response: Node<'a>,
}

impl<'a> Authorize<'a> {
    /// The rules, or why neither request nor response tells them.
    ///
    /// The response has their ids, and the content as EC2 has made it canonical. Response rules are
    /// believed where there are at least as many as peers were asked for: EC2 makes one rule of
    /// each, so fewer means that some were lost on the way.
    pub(super) fn rules(&self, group: Option<&str>) -> Result<Vec<Rule>, String> {
        let asked = self.asked();
        let response = self.response_rules(group).and_then(|rules| match &asked {
            Ok(asked) if rules.len() < asked.len() => {
                Err(Unread::Fewer { found: rules.len(), asked: asked.len() })
            }
            _ => Ok(rules),
        });
        let response = match response {
            Ok(mut rules) => {
                let tags = self.tags();
                rules.iter_mut().for_each(|rule| rule.tags.clone_from(&tags));
                return Ok(rules);
            }
            Err(unread) => unread,
        };
        let requested = asked.and_then(|asked| asked.into_iter().collect::<Result<Vec<_>, _>>());
        match requested {
            Ok(rules) if rules.is_empty() => {
                Err(format!("in the request, {}; in the response, {response}", Unread::Empty))
            }
            Ok(rules) => Ok(rules),
            Err(request) => Err(format!("in the request, {request}; in the response, {response}")),
        }
    }

    /// The rules of the response, as far as they are about `group`.
    fn response_rules(&self, group: Option<&str>) -> Result<Vec<Rule>, Unread> {
        if self.response.is_omitted() {
            return Err(Unread::Omitted { member: "responseElements" });
        }
        let items = self.response.member("securityGroupRuleSet").items("securityGroupRuleId")?;
        if items.is_empty() {
            return Err(Unread::Empty);
        }
        items.into_iter().map(|item| self.response_rule(item, group)).collect()
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

    /// What was asked for, one rule for each peer: readable or not, it is counted.
    fn asked(&self) -> Result<Vec<Result<Rule, Unread>>, Unread> {
        if self.request.is_omitted() {
            return Err(Unread::Omitted { member: "requestParameters" });
        }
        let tags = self.tags();
        let mut rules = Vec::new();
        for permission in self.request.member("ipPermissions").items("ipProtocol")? {
            rules.extend(self.permission(permission)?);
        }
        if FLAT.iter().any(|name| !self.request.member(name).is_absent()) {
            rules.push(self.flat_peer().and_then(|peer| self.rule(self.request, peer)));
        }
        for rule in rules.iter_mut().flatten() {
            rule.tags.clone_from(&tags);
        }
        Ok(rules)
    }

    fn permission(&self, permission: Node<'a>) -> Result<Vec<Result<Rule, Unread>>, Unread> {
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

    /// The tags that were given to every rule of the call.
    fn tags(&self) -> BTreeMap<String, String> {
        let specifications = self.request.member("tagSpecificationSet").items("resourceType");
        let mut tags = BTreeMap::new();
        for specification in specifications.unwrap_or_default() {
            if specification.member("resourceType").told().as_deref() != Some("security-group-rule")
            {
                continue;
            }
            for tag in specification.member("tags").items("key").unwrap_or_default() {
                if let Some(key) = tag.member("key").told() {
                    tags.insert(key, tag.member("value").told().unwrap_or_default());
                }
            }
        }
        tags
    }
}

/// The one peer that a rule has.
pub(super) fn only(mut peers: Vec<Peer>) -> Result<Peer, Unread> {
    match (peers.pop(), peers.len()) {
        (Some(peer), 0) => Ok(peer),
        (None, _) => Err(Unread::Peers(0)),
        (Some(_), more) => Err(Unread::Peers(more + 1)),
    }
}
