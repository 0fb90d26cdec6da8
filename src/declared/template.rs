//! Reads templates of CloudFormation, and what becomes one: SAM's and CDK's.

mod scope;

use std::collections::BTreeMap;

use super::model::{
    Declarations, DeclaredGroup, DeclaredRule, Language, Location, ResourceError, TemplateError,
    Unknown,
};
use crate::ec2::{Direction, Group, GroupId, ListId, Peer, Place, Protocol, Rule};
use crate::text::yaml::{Document, Limits, Node, read};
use scope::{Budget, GROUP, LIST, Resource, Scope, Val, function};

const INGRESS: &str = "AWS::EC2::SecurityGroupIngress";
const EGRESS: &str = "AWS::EC2::SecurityGroupEgress";
const STACK: &str = "AWS::CloudFormation::Stack";
const FOR_EACH: &str = "Fn::ForEach::";

/// CloudFormation takes templates of at most one megabyte.
const MAX_BYTES: usize = 1 << 20;
const LIMITS: Limits = Limits { depth: 100, aliased: 1 << 20 };
/// How deeply stacks are nested.
const MAX_STACKS: usize = 8;

/// A file: its path, and what is in it.
pub type Beside = (String, String);

/// A template and how the files beside it are read.
pub struct TemplateFile<'a> {
    /// What findings call it.
    pub path: &'a str,
    pub text: &'a str,
    /// Reads a file by its path from the template's folder: its own path, and what is in it.
    pub beside: &'a dyn Fn(&str, &str) -> Option<Beside>,
}

/// Reads a template, with the parameters that are given for it.
///
/// # Errors
///
/// When it is something else or too large, or has a rule that EC2 would not take.
pub fn template(
    file: &TemplateFile<'_>,
    parameters: &BTreeMap<String, String>,
) -> Result<Declarations, TemplateError> {
    let given = parameters.iter().map(|(name, value)| (name.clone(), Val::Text(value.clone())));
    let mut out = Declarations::default();
    read_stack(file, "", given.collect(), (MAX_STACKS, &Budget::new()), &mut out)?;
    Ok(out)
}

/// Reads a single resource of a type that declares a group or a rule, with its logical id, as
/// CloudFormation or Cloud Control is about to make it.
///
/// # Errors
///
/// When it has a rule that EC2 would not take.
pub fn resource(kind: &str, id: &str, properties: Node) -> Result<DeclaredGroup, ResourceError> {
    let resource = Node::mapping([("Type", Node::text_of(kind)), ("Properties", properties)]);
    let root = Node::mapping([("Resources", Node::mapping([(id, resource)]))]);
    let budget = Budget::new();
    let scope = Scope::new(&root, "", BTreeMap::new(), &budget);
    let mut out = Declarations::default();
    let stack = Stack { path: None, scope: &scope, prefix: "" };
    stack.declare(&scope.resources(), &mut out).map_err(|error| match error {
        TemplateError::Rule { address, name, value, .. } => {
            ResourceError::Rule { address, name, value }
        }
        other => ResourceError::Other(other),
    })?;
    if budget.is_used_up() {
        return Err(ResourceError::Other(TemplateError::TooMuch));
    }
    out.groups.pop().ok_or_else(|| ResourceError::NoGroup(kind.to_owned()))
}

fn root(file: &TemplateFile<'_>) -> Result<Node, TemplateError> {
    let error = |line, kind| TemplateError::Yaml { line, kind };
    if file.text.len() > MAX_BYTES {
        return Err(TemplateError::TooLong);
    }
    let mut document = Document::default();
    read(file.text, LIMITS, &mut document).map_err(|fault| error(fault.line, fault.kind))?;
    let root = document.root.filter(|root| root.get("Resources").is_some());
    root.ok_or(TemplateError::NotATemplate)
}

fn read_stack(
    file: &TemplateFile<'_>,
    prefix: &str,
    given: BTreeMap<String, Val>,
    (depth, budget): (usize, &Budget),
    out: &mut Declarations,
) -> Result<(), TemplateError> {
    budget.take(file.text.len()).ok_or(TemplateError::TooMuch)?;
    let root = root(file)?;
    let loops = root.get("Resources").into_iter().flat_map(Node::pairs);
    if let Some((_, node)) = loops.into_iter().find(|(id, _)| id.starts_with(FOR_EACH)) {
        return Err(TemplateError::ForEach { line: node.line });
    }
    let scope = Scope::new(&root, prefix, given, budget);
    let resources = scope.resources();
    Stack { path: Some(file.path), scope: &scope, prefix }.declare(&resources, out)?;
    if budget.is_used_up() {
        return Err(TemplateError::TooMuch);
    }
    for nested in resources.iter().filter(|it| it.kind == STACK) {
        let url = nested.node.get("Properties").and_then(|it| it.get("TemplateURL"));
        let Some(Val::Text(url)) = url.map(|url| scope.value(url)) else { continue };
        let Some(depth) = depth.checked_sub(1) else { return Err(TemplateError::Nested) };
        if url.contains("://") {
            continue;
        }
        let Some((path, text)) = (file.beside)(file.path, &url) else {
            return Err(TemplateError::NoFile { line: nested.node.line, path: url });
        };
        let parameters = nested.node.get("Properties").and_then(|it| it.get("Parameters"));
        let given = parameters.into_iter().flat_map(Node::pairs);
        let given = given.map(|(name, node)| (name.to_owned(), scope.value(node))).collect();
        let file = TemplateFile { path: &path, text: &text, beside: file.beside };
        let prefix = format!("{prefix}{}/", nested.id);
        read_stack(&file, &prefix, given, (depth, budget), out).map_err(|source| {
            TemplateError::InNested { path: path.clone(), source: Box::new(source) }
        })?;
    }
    Ok(())
}

/// The property that names a peer, the peer, and what of it is not known.
type NamedPeer = (&'static str, Peer, Option<Unknown>);

struct Stack<'s> {
    /// The template's file, where there is one.
    path: Option<&'s str>,
    scope: &'s Scope<'s>,
    prefix: &'s str,
}

impl Stack<'_> {
    /// Adds what these resources of the stack declare.
    fn declare(
        &self,
        resources: &[Resource<'_>],
        out: &mut Declarations,
    ) -> Result<(), TemplateError> {
        let known = out.groups.len();
        for list in resources.iter().filter(|it| it.kind == LIST) {
            self.list(list, out);
        }
        for group in resources.iter().filter(|it| it.kind == GROUP) {
            let declared = self.group(group)?;
            out.groups.push(declared);
        }
        for rule in resources.iter().filter(|it| [INGRESS, EGRESS].contains(&it.kind)) {
            self.rule(rule, known, out)?;
        }
        Ok(())
    }

    fn address(&self, resource: &Resource<'_>) -> String {
        format!("{}{}", self.prefix, resource.id)
    }

    fn location(&self, resource: &Resource<'_>, part: Option<String>, line: usize) -> Location {
        Location {
            language: Language::CloudFormation,
            address: self.address(resource),
            part,
            peer: None,
            file: self.path.map(ToOwned::to_owned),
            line: self.path.map(|_| line),
            unknown: Vec::new(),
            exists: false,
        }
    }

    fn list(&self, resource: &Resource<'_>, out: &mut Declarations) {
        let id = ListId::declared(&self.address(resource));
        let property = |name: &str| resource.node.get("Properties")?.get(name);
        if let Some(Val::Text(name)) = property("PrefixListName").map(|it| self.scope.value(it)) {
            out.names.insert(id.clone(), name);
        }
        out.changed_lists.insert(id.clone());
        let mut entries = Vec::new();
        for (entry, unknown) in
            property("Entries").map(|it| self.scope.items(it)).unwrap_or_default()
        {
            let cidr = entry.get("Cidr").map(|it| self.scope.value(it));
            let Some(Val::Text(cidr)) = cidr.filter(|_| unknown.is_empty()) else { return };
            let Ok(cidr) = cidr.trim().parse::<ipnet::IpNet>() else { return };
            entries.push(cidr.trunc());
        }
        out.lists.insert(id, Ok(entries));
    }

    /// The tags that are known, and whether all of them are.
    fn tags(&self, tags: Option<&Node>) -> (BTreeMap<String, String>, bool) {
        let (mut known, mut are_all) = (BTreeMap::new(), true);
        for (tag, unknown) in tags.map(|it| self.scope.items(it)).unwrap_or_default() {
            let of = |name: &str| tag.get(name).map(|it| self.scope.value(it));
            match (of("Key"), of("Value")) {
                (Some(Val::Text(key)), Some(Val::Text(value))) if unknown.is_empty() => {
                    known.insert(key, value);
                }
                _ => are_all = false,
            }
        }
        (known, are_all)
    }

    fn group(&self, resource: &Resource<'_>) -> Result<DeclaredGroup, TemplateError> {
        let id = GroupId::declared(&self.address(resource));
        let property = |name: &str| resource.node.get("Properties")?.get(name);
        let text = |name: &str| match property(name).map(|it| self.scope.value(it)) {
            Some(Val::Text(text)) => Some(text),
            _ => None,
        };
        let (tags, are_all) = self.tags(property("Tags"));
        let tags = are_all.then_some(tags);
        let mut rules = Vec::new();
        let mut has_egress = false;
        for (direction, name) in [
            (Direction::Ingress, "SecurityGroupIngress"),
            (Direction::Egress, "SecurityGroupEgress"),
        ] {
            let Some(list) = property(name) else { continue };
            for (at, (item, unknown)) in self.scope.items(list).into_iter().enumerate() {
                has_egress |= direction == Direction::Egress;
                let unknown = [resource.unknown.clone(), unknown].concat();
                let part = Some(format!("{name}[{at}]"));
                let location = self.location(resource, part, item.line);
                rules.extend(self.rules(item, direction, location, unknown)?);
            }
        }
        if !has_egress {
            // EC2 gives every group this rule, unless the template has another.
            let location = self.location(resource, None, resource.node.line);
            let anywhere = Peer::Ipv4(ipnet::Ipv4Net::default());
            rules.push(DeclaredRule {
                rule: Rule::of_everything(Direction::Egress, anywhere),
                location,
                is_new: true,
                is_wider_than_known: false,
            });
        }
        let group = Group { id, name: text("GroupName"), vpc_id: text("VpcId"), owner: None, tags };
        Ok(DeclaredGroup {
            place: Place::default(),
            group,
            location: self.location(resource, None, resource.node.line),
            rules,
            removed: Vec::new(),
        })
    }

    /// Adds a rule that is a resource to its group, which is among those of the same stack, from
    /// `first` on, or another one.
    fn rule(
        &self,
        resource: &Resource<'_>,
        first: usize,
        out: &mut Declarations,
    ) -> Result<(), TemplateError> {
        let Some(properties) = resource.node.get("Properties") else { return Ok(()) };
        let named = ["GroupId", "GroupName"].iter().find_map(|name| properties.get(name));
        let address = self.address(resource);
        let id = match named.map(|it| self.scope.value(it)) {
            Some(Val::Group(id)) => id,
            Some(Val::Text(text)) => {
                text.parse().unwrap_or_else(|_| GroupId::declared(&format!("the group {text}")))
            }
            _ => GroupId::declared(&format!("{address}.GroupId")),
        };
        let direction = match resource.kind {
            INGRESS => Direction::Ingress,
            _ => Direction::Egress,
        };
        let location = self.location(resource, None, resource.node.line);
        let unknown = resource.unknown.clone();
        let rules = self.rules(properties, direction, location.clone(), unknown)?;
        let of_id = |it: &DeclaredGroup| it.group.id == id;
        let at = out.groups.iter().skip(first).position(of_id).map(|at| at + first);
        let at = at.or_else(|| out.groups.iter().position(of_id)).unwrap_or_else(|| {
            out.groups.push(DeclaredGroup {
                place: Place::default(),
                group: Group::known_by_id(id.clone()),
                location,
                rules: Vec::new(),
                removed: Vec::new(),
            });
            out.groups.len() - 1
        });
        if let Some(group) = out.groups.get_mut(at) {
            group.rules.extend(rules);
        }
        Ok(())
    }

    /// The rules that EC2 makes of an item or of a resource, one for each peer.
    fn rules(
        &self,
        node: &Node,
        direction: Direction,
        location: Location,
        conditional: Vec<Unknown>,
    ) -> Result<Vec<DeclaredRule>, TemplateError> {
        let bad = |name: &str, value: &str| TemplateError::Rule {
            line: node.line,
            address: location.address.clone(),
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let mut wider = conditional;
        if function(node).is_some() {
            // A function in place of the item: it may admit anything.
            let name = location.part.as_deref().unwrap_or("Properties");
            let peer = ListId::declared(&format!("{}.{name}", location.address));
            return Ok(vec![DeclaredRule {
                rule: Rule::of_everything(direction, Peer::prefix_list(peer)),
                location: Location { unknown: wider, ..location },
                is_new: true,
                is_wider_than_known: true,
            }]);
        }
        let mut number = |name: &'static str| -> Result<Option<String>, TemplateError> {
            match node.get(name).map(|it| self.scope.value(it)) {
                None | Some(Val::Nothing) => Ok(None),
                Some(Val::Text(text)) => Ok(Some(text.trim().to_owned())),
                Some(Val::Unknown(why)) => {
                    wider.push(Unknown { name: name.to_owned(), why });
                    Ok(None)
                }
                Some(_) => Err(bad(name, "a list or an object")),
            }
        };
        let protocol = number("IpProtocol")?;
        let (from, to) = (number("FromPort")?, number("ToPort")?);
        let protocol: Protocol = match &protocol {
            Some(text) => text.parse().map_err(|_| bad("IpProtocol", text))?,
            None => Protocol::All,
        };
        let port = |name, text: &Option<String>| -> Result<Option<i32>, TemplateError> {
            let number = |text: &String| text.parse::<i32>().map_err(|_| bad(name, text));
            text.as_ref().map(number).transpose()
        };
        let (mut from, mut to) = (port("FromPort", &from)?, port("ToPort", &to)?);
        let is_unknown = |name: &str| wider.iter().any(|it| it.name == name);
        if is_unknown("FromPort") || is_unknown("ToPort") || is_unknown("IpProtocol") {
            (from, to) = (None, None);
        }
        let description = match node.get("Description").map(|it| self.scope.value(it)) {
            Some(Val::Text(text)) => Some(text),
            _ => None,
        };
        let peers = self.peers(node, &location.address, &bad)?;
        if peers.is_empty() {
            return Err(bad("CidrIp", "absent, and so is every other peer"));
        }
        let (tags, _) = self.tags(node.get("Tags"));
        let mut rules = Vec::new();
        for (name, peer, unknown) in peers {
            let rule = Rule::new(direction, protocol, from, to, peer).map_err(|_| {
                let text = |port: Option<i32>| {
                    port.map_or_else(|| "absent".to_owned(), |port| port.to_string())
                };
                bad("FromPort", &format!("{} (ToPort {}, {protocol})", text(from), text(to)))
            })?;
            let unknown = wider.iter().cloned().chain(unknown).collect();
            rules.push(DeclaredRule {
                rule: rule.with_description(description.clone()).with_tags(tags.clone()),
                location: Location { peer: Some(name), unknown, ..location.clone() },
                is_new: true,
                is_wider_than_known: !wider.is_empty(),
            });
        }
        Ok(rules)
    }

    /// The peers of a rule, each with its property and what is not known of it.
    fn peers(
        &self,
        node: &Node,
        address: &str,
        bad: &dyn Fn(&str, &str) -> TemplateError,
    ) -> Result<Vec<NamedPeer>, TemplateError> {
        const NAMES: [&str; 7] = [
            "CidrIp",
            "CidrIpv6",
            "SourcePrefixListId",
            "DestinationPrefixListId",
            "SourceSecurityGroupId",
            "DestinationSecurityGroupId",
            "SourceSecurityGroupName",
        ];
        let mut peers = Vec::new();
        for name in NAMES {
            let Some(value) = node.get(name).map(|it| self.scope.value(it)) else { continue };
            let not_known = |why| {
                let called = format!("{address}.{name}");
                let peer = Peer::prefix_list(ListId::declared(&called));
                (name, peer, Some(Unknown { name: name.to_owned(), why }))
            };
            match value {
                Val::Nothing => {}
                Val::Group(id) => peers.push((name, Peer::group(id), None)),
                Val::PrefixList(id) => peers.push((name, Peer::prefix_list(id), None)),
                Val::Unknown(why) => peers.push(not_known(why)),
                Val::Text(text) if name == "SourceSecurityGroupName" => {
                    let id = GroupId::declared(&format!("the group {text}"));
                    peers.push((name, Peer::group(id), None));
                }
                Val::Text(text) => {
                    let owner = node.get("SourceSecurityGroupOwnerId");
                    let owner = owner.map(|it| self.scope.value(it));
                    let text = text.trim();
                    let whole = match owner {
                        Some(Val::Text(owner)) if name == "SourceSecurityGroupId" => {
                            format!("{owner}/{text}")
                        }
                        _ => text.to_owned(),
                    };
                    let peer: Peer = whole.parse().map_err(|_| bad(name, text))?;
                    let is_cidr = name.starts_with("Cidr");
                    if is_cidr != peer.reference().is_none() {
                        return Err(bad(name, text));
                    }
                    peers.push((name, peer, None));
                }
                Val::List(_) | Val::Map(_) => return Err(bad(name, "a list or an object")),
            }
        }
        Ok(peers)
    }
}

#[cfg(test)]
mod tests;
