//! The rules in calls that add or remove rules. Authorize and Revoke write them the same way: in the
//! request as permissions with lists of peers, or flat with one peer; in the response one by one, as
//! EC2 lists rules.

use ipnet::Ipv4Net;

use super::error::Unread;
use super::wire::Node;
use crate::ec2::{AccountId, Direction, GroupId, Peer, Protocol, Reference, Rule, RuleError};
use crate::net::{Cells, Set};

/// The lists of a permission's peers, and the member that names the peer in each.
const LISTS: [(&str, &str); 5] = [
    ("ipRanges", "cidrIp"),
    ("ipv6Ranges", "cidrIpv6"),
    ("prefixListIds", "prefixListId"),
    ("groups", "groupId"),
    ("userIdGroupPairs", "groupId"),
];

/// The other members that a permission may have.
const REST: [&str; 4] = ["ipProtocol", "fromPort", "toPort", "tag"];

/// The members of the flat form, in which there is one permission with one peer.
const FLAT: [&str; 6] = [
    "cidrIp",
    "cidrIpv6",
    "prefixListId",
    "sourceSecurityGroupId",
    "sourceSecurityGroupName",
    "ipProtocol",
];

/// A network interface has at most 1,000 rules in each direction and address family, and so has a
/// group, even if AWS has raised its limit
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups>).
const MOST_RULES: usize = 2_000;

/// The requested rules, one for each peer. Those that cannot be read count too.
pub(super) type Requested = Vec<Result<Rule, Unread>>;

/// A call that adds or removes rules of one group.
pub(super) struct RuleCall<'a> {
    pub(super) direction: Direction,
    /// The account of the group.
    pub(super) account: Option<&'a AccountId>,
    /// The group, where its id is known.
    pub(super) group: Option<&'a GroupId>,
    pub(super) request: Node<'a>,
    pub(super) response: Node<'a>,
}

impl<'a> RuleCall<'a> {
    /// The rules in this list of the response. There must be at least as many as were requested: EC2
    /// answers with one rule for each, so if there are fewer, some were lost on the way.
    pub(super) fn in_response(
        &self,
        list: &'static str,
        requested: usize,
    ) -> Result<Vec<Rule>, Unread> {
        if self.response.is_omitted() {
            return Err(Unread::CutShort { member: "responseElements" });
        }
        let items = self.response.member(list).items("securityGroupRuleId")?;
        if items.is_empty() {
            return Err(Unread::Empty);
        }
        check_count(&items)?;
        let read = |item| self.response_rule(item);
        let rules: Vec<Rule> = items.into_iter().map(read).collect::<Result<_, _>>()?;
        if rules.len() < requested {
            return Err(Unread::Fewer { found: rules.len(), requested });
        }
        Ok(rules)
    }

    fn response_rule(&self, item: Node<'a>) -> Result<Rule, Unread> {
        if let Some(other) = item.member("groupId").text()?
            && self.group.is_some_and(|group| group.as_str() != other)
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
            peers.push(self.peer_group(referenced.member("groupId"), referenced.member("userId"))?);
        }
        let rule = self.rule(item, only(peers)?)?;
        // An id that is not valid is not known. The rule is found by its content then.
        let id = item.member("securityGroupRuleId").text()?.and_then(|id| id.parse().ok());
        Ok(rule.with_id(id).with_description(item.member("description").readable()))
    }

    /// The rules in the request.
    pub(super) fn requested(&self) -> Result<Requested, Unread> {
        if self.request.is_omitted() {
            return Err(Unread::CutShort { member: "requestParameters" });
        }
        let mut rules = Vec::new();
        for permission in self.request.member("ipPermissions").items("ipProtocol")? {
            rules.extend(self.permission(permission)?);
        }
        if FLAT.iter().any(|name| !self.request.member(name).is_absent()) {
            rules.push(self.flat_peer().and_then(|peer| self.rule(self.request, peer)));
        }
        check_count(&rules)?;
        Ok(rules)
    }

    /// The protocols and ports of the rules in the request, whoever their peers are; `None` where
    /// the request does not tell.
    pub(super) fn requested_cells(&self) -> Option<Cells> {
        if self.request.is_omitted() {
            return None;
        }
        let mut nodes = self.request.member("ipPermissions").items("ipProtocol").ok()?;
        for permission in &nodes {
            Self::check_names(*permission).ok()?;
        }
        if FLAT.iter().any(|name| !self.request.member(name).is_absent()) {
            nodes.push(self.request);
        }
        // The peer does not matter to the cells.
        let anywhere = || Peer::Ipv4(Ipv4Net::default());
        let mut cells = Cells::empty();
        for node in nodes {
            cells = cells.union(&self.rule(node, anywhere()).ok()?.cells());
        }
        (!cells.is_empty()).then_some(cells)
    }

    /// Refuses a permission with a member that is not known: it may be a new kind of peer.
    fn check_names(permission: Node<'a>) -> Result<(), Unread> {
        let known = |name: &str| {
            let mut known = LISTS.iter().map(|(list, _)| list).chain(&REST);
            known.any(|known| known.eq_ignore_ascii_case(name))
        };
        match permission.names().find(|name| !known(name)) {
            Some(unknown) => {
                let unknown = unknown.chars().take(64).collect();
                Err(Unread::Unknown { member: "ipPermissions", unknown })
            }
            None => Ok(()),
        }
    }

    fn permission(&self, permission: Node<'a>) -> Result<Requested, Unread> {
        Self::check_names(permission)?;
        let mut rules = Vec::new();
        for (list, of) in LISTS {
            for item in permission.member(list).items(of)? {
                let peer = match of {
                    "groupId" => self.paired_group(item),
                    of => item.member(of).required().and_then(|peer| Ok(peer.parse()?)),
                };
                rules.push(peer.and_then(|peer| {
                    let rule = self.rule(permission, peer)?;
                    Ok(rule.with_description(item.member("description").readable()))
                }));
            }
        }
        if rules.is_empty() { Err(Unread::Peers(0)) } else { Ok(rules) }
    }

    fn paired_group(&self, item: Node<'a>) -> Result<Peer, Unread> {
        match (item.member("groupId"), item.member("groupName").text()?) {
            (id, Some(name)) if id.is_absent() => Err(Unread::GroupByName(name)),
            (id, _) => self.peer_group(id, item.member("userId")),
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
            peers.push(self.peer_group(id, self.request.member("sourceSecurityGroupOwnerId"))?);
        }
        if let Some(name) = self.request.member("sourceSecurityGroupName").text()? {
            return Err(Unread::GroupByName(name));
        }
        only(peers)
    }

    /// A group as a peer.
    fn peer_group(&self, id: Node<'a>, owner: Node<'a>) -> Result<Peer, Unread> {
        let (id, owner) = (id.required()?, owner.account_text()?);
        let text = owner.map_or_else(|| id.clone(), |owner| format!("{owner}/{id}"));
        match text.parse()? {
            Peer::Reference(Reference::Group(group)) => {
                Ok(Peer::Reference(Reference::Group(group.seen_from(self.account))))
            }
            _ => Err(RuleError::Peer(text).into()),
        }
    }

    fn rule(&self, from: Node<'a>, peer: Peer) -> Result<Rule, Unread> {
        let protocol: Protocol = from.member("ipProtocol").required()?.parse()?;
        let (first, last) = (from.member("fromPort").number()?, from.member("toPort").number()?);
        Ok(Rule::new(self.direction, protocol, first, last, peer)?)
    }
}

/// Refuses more rules than a group can have.
fn check_count<T>(rules: &[T]) -> Result<(), Unread> {
    if rules.len() > MOST_RULES { Err(Unread::TooMany { most: MOST_RULES }) } else { Ok(()) }
}

/// The requested rules, where there are any and all of them can be read.
pub(super) fn all(requested: Result<Requested, Unread>) -> Result<Vec<Rule>, Unread> {
    let rules: Vec<Rule> = requested?.into_iter().collect::<Result<_, _>>()?;
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
