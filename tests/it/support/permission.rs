//! Rules as a test writes them down, and as EC2 and CloudTrail spell them.

use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, SecurityGroupRuleRequest, UserIdGroupPair,
};
use serde_json::{Map, Value, json};

/// One entry of a call's `IpPermissions`: a protocol, ports, and peers.
#[derive(Debug, Clone)]
pub struct Permission {
    protocol: String,
    ports: Option<(i32, i32)>,
    peers: Vec<(Peer, Option<String>)>,
}

#[derive(Debug, Clone)]
enum Peer {
    Ipv4(String),
    Ipv6(String),
    Group { id: String, account: Option<String> },
    PrefixList(String),
}

/// TCP on these ports.
pub fn tcp(from: i32, to: i32) -> Permission {
    protocol("tcp", Some((from, to)))
}

/// Every protocol, without ports.
pub fn all_traffic() -> Permission {
    protocol("-1", None)
}

/// Any protocol as the caller spells it, with ports, with ICMP's type and code, or without.
pub fn protocol(name: &str, ports: Option<(i32, i32)>) -> Permission {
    Permission { protocol: name.to_owned(), ports, peers: Vec::new() }
}

impl Permission {
    /// And from this peer (for egress: to it): a CIDR, `sg-…`, `account/sg-…` or `pl-…`.
    pub fn from(mut self, peer: &str) -> Self {
        self.peers.push((Peer::new(peer), None));
        self
    }

    /// The same with a description.
    pub fn described(mut self, peer: &str, description: &str) -> Self {
        self.peers.push((Peer::new(peer), Some(description.to_owned())));
        self
    }

    /// As the SDK wants it.
    pub fn to_sdk(&self) -> IpPermission {
        let mut permission = IpPermission::builder().ip_protocol(&self.protocol);
        if let Some((from, to)) = self.ports {
            permission = permission.from_port(from).to_port(to);
        }
        for (peer, description) in &self.peers {
            let description = description.clone();
            permission = match peer {
                Peer::Ipv4(cidr) => permission.ip_ranges(
                    IpRange::builder().cidr_ip(cidr).set_description(description).build(),
                ),
                Peer::Ipv6(cidr) => permission.ipv6_ranges(
                    Ipv6Range::builder().cidr_ipv6(cidr).set_description(description).build(),
                ),
                Peer::Group { id, account } => permission.user_id_group_pairs(
                    UserIdGroupPair::builder()
                        .group_id(id)
                        .set_user_id(account.clone())
                        .set_description(description)
                        .build(),
                ),
                Peer::PrefixList(id) => permission.prefix_list_ids(
                    PrefixListId::builder().prefix_list_id(id).set_description(description).build(),
                ),
            };
        }
        permission.build()
    }

    /// As `ModifySecurityGroupRules` wants it, which takes one peer and always wants ports.
    pub fn to_sdk_rule(&self) -> SecurityGroupRuleRequest {
        let (peer, description) = self.only_peer();
        let (from, to) = self.ports.unwrap_or((-1, -1));
        let rule = SecurityGroupRuleRequest::builder()
            .ip_protocol(&self.protocol)
            .from_port(from)
            .to_port(to)
            .set_description(description.clone());
        match peer {
            Peer::Ipv4(cidr) => rule.cidr_ipv4(cidr),
            Peer::Ipv6(cidr) => rule.cidr_ipv6(cidr),
            Peer::Group { id, .. } => rule.referenced_group_id(id),
            Peer::PrefixList(id) => rule.prefix_list_id(id),
        }
        .build()
    }

    /// An item of `requestParameters.ipPermissions`, as CloudTrail records it.
    pub fn to_cloudtrail(&self) -> Value {
        let mut item = json!({
            "ipProtocol": self.protocol, "groups": {}, "ipRanges": {}, "ipv6Ranges": {}, "prefixListIds": {},
        });
        if let Some((from, to)) = self.ports {
            item["fromPort"] = from.into();
            item["toPort"] = to.into();
        }
        for (peer, description) in &self.peers {
            let (list, mut entry) = match peer {
                Peer::Ipv4(cidr) => ("ipRanges", json!({"cidrIp": cidr})),
                Peer::Ipv6(cidr) => ("ipv6Ranges", json!({"cidrIpv6": cidr})),
                Peer::Group { id, account: None } => ("groups", json!({"groupId": id})),
                Peer::Group { id, account: Some(account) } => {
                    ("groups", json!({"groupId": id, "userId": account}))
                }
                Peer::PrefixList(id) => ("prefixListIds", json!({"prefixListId": id})),
            };
            if let Some(description) = description {
                entry["description"] = description.as_str().into();
            }
            let list = item[list].as_object_mut().expect("a list");
            let items = list.entry("items").or_insert_with(|| json!([]));
            items.as_array_mut().expect("items").push(entry);
        }
        item
    }

    /// The rule of a recorded `ModifySecurityGroupRules`, whose members are capitalised.
    pub fn to_cloudtrail_rule(&self) -> Value {
        let (peer, description) = self.only_peer();
        let (from, to) = self.ports.unwrap_or((-1, -1));
        let mut rule = json!({"IpProtocol": self.protocol, "FromPort": from, "ToPort": to});
        let (member, value) = match peer {
            Peer::Ipv4(cidr) => ("CidrIpv4", cidr),
            Peer::Ipv6(cidr) => ("CidrIpv6", cidr),
            Peer::Group { id, .. } => ("ReferencedGroupId", id),
            Peer::PrefixList(id) => ("PrefixListId", id),
        };
        rule[member] = value.as_str().into();
        if let Some(description) = description {
            rule["Description"] = description.as_str().into();
        }
        rule
    }

    /// The members of the flat request form, which knows one IPv4 CIDR and no description.
    pub fn to_cloudtrail_flat(&self) -> Map<String, Value> {
        let (Peer::Ipv4(cidr), _) = self.only_peer() else {
            panic!("the flat form knows IPv4 CIDRs only")
        };
        let mut flat = Map::from_iter([
            ("ipPermissions".to_owned(), json!({})),
            ("ipProtocol".to_owned(), self.protocol.as_str().into()),
            ("cidrIp".to_owned(), cidr.as_str().into()),
        ]);
        if let Some((from, to)) = self.ports {
            flat.extend([("fromPort".to_owned(), from.into()), ("toPort".to_owned(), to.into())]);
        }
        flat
    }

    fn only_peer(&self) -> &(Peer, Option<String>) {
        let [peer] = self.peers.as_slice() else { panic!("this call takes one peer") };
        peer
    }
}

impl Peer {
    fn new(peer: &str) -> Self {
        if let Some((account, group)) = peer.split_once("/sg-") {
            Self::Group { id: format!("sg-{group}"), account: Some(account.to_owned()) }
        } else if peer.starts_with("sg-") {
            Self::Group { id: peer.to_owned(), account: None }
        } else if peer.starts_with("pl-") {
            Self::PrefixList(peer.to_owned())
        } else if peer.contains(':') {
            Self::Ipv6(peer.to_owned())
        } else {
            Self::Ipv4(peer.to_owned())
        }
    }
}
