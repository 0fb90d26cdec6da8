//! Reads plans and states of Terraform and OpenTofu, as `terraform show -json` prints them.
//!
//! A group's rules stand in blocks of its own and in resources of their own, which name it. All of
//! them are put together by the group's id, or, before there is one, by the references of the
//! configuration.

mod config;
mod rules;
mod sources;
mod wire;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use serde_json::{Map, Value};

use super::model::{
    Declarations, DeclaredGroup, DeclaredRule, Language, Location, PlanError, Unknown, Why,
};
use crate::ec2::{
    AccountId, Arn, DEFAULT_GROUP, Direction, Group, GroupId, ListId, Place, Region, Rule,
};
use crate::text::exact;
use config::{Instance, Search, Step, folder, index_text, longest, path, references, resource};
use rules::{Field, Read, Resolve, Values};
pub use sources::TfFile;
use wire::{Change, ConfigResource, Document};

const GROUP: &str = "aws_security_group";
const DEFAULT: &str = "aws_default_security_group";
const RULE: &str = "aws_security_group_rule";
const INGRESS_RULE: &str = "aws_vpc_security_group_ingress_rule";
const EGRESS_RULE: &str = "aws_vpc_security_group_egress_rule";
const LIST: &str = "aws_ec2_managed_prefix_list";
const ENTRY: &str = "aws_ec2_managed_prefix_list_entry";
/// Prefix lists that are looked up.
const LOOKED_UP: [&str; 2] = [LIST, "aws_prefix_list"];
const ALL: [&str; 7] = [GROUP, DEFAULT, RULE, INGRESS_RULE, EGRESS_RULE, LIST, ENTRY];

/// Reads a plan or a state. `files` are the `.tf` files of a folder, which is named from that of the
/// root module.
///
/// # Errors
///
/// When it is something else, of another version or incomplete, or has a rule that EC2 would not
/// take.
pub fn plan(bytes: &[u8], files: &dyn Fn(&str) -> Vec<TfFile>) -> Result<Declarations, PlanError> {
    let text = text(bytes)?;
    let document = document(&text)?;
    match document.format_version.as_deref() {
        None => return Err(PlanError::NoVersion),
        Some(version) if version.split('.').next() != Some("1") => {
            return Err(PlanError::Version(version.to_owned()));
        }
        Some(_) => {}
    }
    if document.errored {
        return Err(PlanError::Errored);
    }
    let resources = resources(&document);
    Reader { document: &document, resources: &resources, files }.read()
}

fn text(bytes: &[u8]) -> Result<Cow<'_, str>, PlanError> {
    let text = exact(bytes).ok_or(PlanError::NotText)?;
    if text.trim_start().is_empty() { Err(PlanError::Empty) } else { Ok(text) }
}

fn document(text: &str) -> Result<Document, PlanError> {
    serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => PlanError::NotAPlan(error),
        _ => PlanError::NotJson(error),
    })
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// It is there and stays as it is, or the file is a state.
    Kept,
    Created,
    Updated,
    Replaced,
    Deleted,
    /// Terraform forgets it, and AWS keeps it.
    Forgotten,
}

/// An instance of a resource that matters here.
struct Res<'a> {
    address: &'a str,
    path: Vec<Step>,
    kind: &'a str,
    name: &'a str,
    index: Option<String>,
    action: Action,
    before: &'a Value,
    after: &'a Value,
    unknown: &'a Value,
    /// Whether the file is a state, where everything counts as added.
    is_state: bool,
}

impl Res<'_> {
    fn instance(&self) -> Instance<'_> {
        let Self { path, kind, name, index, .. } = self;
        Instance { path, kind, name, index: index.as_deref() }
    }

    /// Whether it is there after the change.
    fn stays(&self) -> bool {
        !matches!(self.action, Action::Deleted | Action::Forgotten)
    }

    /// Whether everything in it is new.
    fn is_made(&self) -> bool {
        self.is_state || matches!(self.action, Action::Created | Action::Replaced)
    }

    fn is_rule(&self) -> bool {
        [RULE, INGRESS_RULE, EGRESS_RULE].contains(&self.kind)
    }

    fn is_group(&self) -> bool {
        [GROUP, DEFAULT].contains(&self.kind)
    }

    /// An id of its own: that it keeps, or that it has in a state.
    fn id(&self) -> Option<&str> {
        let of = |values: &'static str| match values {
            "after" => self.after.get("id"),
            _ => self.before.get("id"),
        };
        match self.action {
            Action::Replaced => of("after"),
            _ => of("after").or_else(|| of("before")),
        }
        .and_then(Value::as_str)
    }
}

fn resources(document: &Document) -> Vec<Res<'_>> {
    let mut all = Vec::new();
    let changes = document.resource_changes.iter().flatten();
    let deferred = document.deferred_changes.iter().map(|deferred| &deferred.resource_change);
    for change in changes.chain(deferred) {
        if change.mode == "data" || change.deposed.is_some() || !ALL.contains(&change.kind.as_str())
        {
            continue;
        }
        let Change { before, after, after_unknown, .. } = &change.change;
        all.push(Res {
            address: &change.address,
            path: path(&change.module_address),
            kind: &change.kind,
            name: &change.name,
            index: index_text(&change.index),
            action: action(&change.change.actions),
            before,
            after,
            unknown: after_unknown,
            is_state: false,
        });
    }
    let of_state = document.values.iter().filter(|_| document.resource_changes.is_none());
    for values in of_state {
        values.root_module.each(&mut |module, resource| {
            if resource.mode != "data" && ALL.contains(&resource.kind.as_str()) {
                all.push(Res {
                    address: &resource.address,
                    path: path(module),
                    kind: &resource.kind,
                    name: &resource.name,
                    index: index_text(&resource.index),
                    action: Action::Kept,
                    before: &Value::Null,
                    after: &resource.values,
                    unknown: &Value::Null,
                    is_state: true,
                });
            }
        });
    }
    all
}

fn action(actions: &[String]) -> Action {
    let has = |wanted: &str| actions.iter().any(|action| action == wanted);
    match (has("create"), has("delete"), has("forget")) {
        (true, false, false) => Action::Created,
        (true, _, _) => Action::Replaced,
        (false, true, _) => Action::Deleted,
        (false, false, true) => Action::Forgotten,
        _ if has("update") => Action::Updated,
        _ => Action::Kept,
    }
}

/// A group while its rules are collected.
struct Open {
    declared: DeclaredGroup,
    /// The rules that it has now.
    before: Vec<Rule>,
    /// Whether it is declared in the file, so that all its rules are known.
    is_declared: bool,
}

struct Reader<'a> {
    document: &'a Document,
    resources: &'a [Res<'a>],
    files: &'a dyn Fn(&str) -> Vec<TfFile>,
}

/// Resolves the references of one resource.
struct OfResource<'r, 'a> {
    reader: &'r Reader<'a>,
    instances: &'r [Instance<'r>],
    from: Instance<'r>,
}

impl OfResource<'_, '_> {
    fn target(&self, kinds: &[&str], expression: &Value) -> Option<usize> {
        let root = &self.reader.document.configuration.root_module;
        let search = Search { root, instances: self.instances, kinds };
        search.target(&self.from, expression)
    }
}

impl Resolve for OfResource<'_, '_> {
    fn group(&self, expression: &Value) -> Option<GroupId> {
        let at = self.target(&[GROUP, DEFAULT], expression)?;
        self.reader.resources.get(at).filter(|it| it.stays()).map(group_id)
    }

    fn list(&self, expression: &Value) -> Option<ListId> {
        let at = self.target(&[LIST], expression)?;
        self.reader.resources.get(at).filter(|it| it.stays()).map(list_id)
    }
}

fn group_id(group: &Res<'_>) -> GroupId {
    let id = group.id().and_then(|id| id.parse().ok());
    id.unwrap_or_else(|| GroupId::declared(group.address))
}

fn list_id(list: &Res<'_>) -> ListId {
    let id = list.id().and_then(|id| id.parse().ok());
    id.unwrap_or_else(|| ListId::declared(list.address))
}

impl<'a> Reader<'a> {
    fn read(&self) -> Result<Declarations, PlanError> {
        let instances: Vec<Instance<'_>> = self.resources.iter().map(Res::instance).collect();
        let mut out = Declarations::default();
        let unknown_lists = self.lists(&instances, &mut out);
        let mut open: Vec<Open> = Vec::new();
        let mut by_id: BTreeMap<GroupId, usize> = BTreeMap::new();
        for group in self.resources.iter().filter(|it| it.is_group() && it.stays()) {
            let id = group_id(group);
            by_id.insert(id.clone(), open.len());
            // Rules that a plan deletes name the group as it was.
            let old = group.before.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
            by_id.extend(old.map(|old: GroupId| (old, open.len())));
            open.push(self.group(group, id));
        }
        for rule in self.resources.iter().filter(|it| it.is_rule()) {
            self.rule(rule, &instances, &mut open, &mut by_id)?;
        }
        for group in self.resources.iter().filter(|it| it.is_group() && it.stays()) {
            if let Some(open) = by_id.get(&group_id(group)).and_then(|at| open.get_mut(*at)) {
                self.blocks(group, &instances, open)?;
            }
        }
        for mut open in open {
            for DeclaredRule { rule, location, .. } in &mut open.declared.rules {
                let unknown = rule.peer().list().and_then(|list| unknown_lists.get(list));
                location.unknown.extend(unknown.cloned());
            }
            open.declared.removed = match open.is_declared {
                true => {
                    let stays = |rule: &Rule| {
                        open.declared.rules.iter().any(|other| other.rule.is_same_as(rule))
                    };
                    open.before.into_iter().filter(|rule| !stays(rule)).collect()
                }
                false => Vec::new(),
            };
            out.groups.push(open.declared);
        }
        Ok(out)
    }

    fn location(&self, res: &Res<'_>, part: Option<&str>) -> Location {
        let root = &self.document.configuration.root_module;
        let found = folder(root, &res.path)
            .and_then(|folder| sources::line_of(&(self.files)(&folder), res.kind, res.name));
        let (file, line) = found.unzip();
        Location {
            language: Language::Terraform,
            address: res.address.to_owned(),
            part: part.map(ToOwned::to_owned),
            peer: None,
            file,
            line,
            unknown: Vec::new(),
            exists: res.is_state || res.action == Action::Kept,
        }
    }

    fn config(&self, res: &Res<'_>) -> Option<&'a ConfigResource> {
        resource(&self.document.configuration.root_module, &res.instance())
    }

    /// The account and the region that a resource belongs to.
    fn place(&self, res: &Res<'a>) -> Place {
        let text = |name: &str| {
            let of = |values: &'a Value| values.get(name).and_then(Value::as_str);
            of(res.after).or_else(|| of(res.before))
        };
        let arn = text("arn").and_then(Arn::parse);
        let region = arn.map(|arn| arn.region).or_else(|| text("region"));
        let owner = text("owner_id").or_else(|| arn.map(|arn| arn.account));
        let region = region.and_then(|region| region.parse().ok());
        Place {
            account: owner.and_then(|it| it.parse::<AccountId>().ok()),
            region: region.or_else(|| self.region_of_provider(res)),
        }
    }

    fn region_of_provider(&self, res: &Res<'_>) -> Option<Region> {
        let providers = &self.document.configuration.provider_config;
        let key = self.config(res)?.provider_config_key.as_str();
        // A module that has no provider of its own uses that of the root.
        let inherited = key.rsplit_once(':').map(|(_, key)| key);
        let provider = providers.get(key).or_else(|| providers.get(inherited?))?;
        let expression = provider.expressions.get("region")?;
        if let Some(region) = expression.get("constant_value").and_then(Value::as_str) {
            return region.parse().ok();
        }
        let is_root = provider.module_address.is_empty();
        let references = references(expression);
        let [reference] = references.as_slice() else { return None };
        let variable = reference.strip_prefix("var.").filter(|_| is_root)?;
        self.document.variables.get(variable)?.value.as_str()?.parse().ok()
    }

    fn group(&self, res: &Res<'a>, id: GroupId) -> Open {
        let place = self.place(res);
        let values = Values {
            values: res.after,
            unknown: res.unknown,
            expressions: None,
            are_shared: false,
        };
        let name = match res.kind {
            DEFAULT => Some(DEFAULT_GROUP),
            _ => values.text("name"),
        };
        let is_known = |name| !matches!(values.field(name), Field::Unknown);
        let mut tags = BTreeMap::new();
        for name in ["tags_all", "tags"] {
            let all = match values.field(name) {
                Field::Known(Value::Object(all)) => Some(all),
                _ => None,
            };
            let all = all.into_iter().flat_map(Map::iter);
            tags.extend(all.filter_map(|(key, it)| Some((key.clone(), it.as_str()?.to_owned()))));
        }
        let is_partly_known = |name: &str| match res.unknown.get(name) {
            Some(Value::Object(members)) => members.values().any(|it| *it == Value::Bool(true)),
            _ => false,
        };
        let has_known_tags = is_known("tags")
            && is_known("tags_all")
            && !is_partly_known("tags")
            && !is_partly_known("tags_all");
        let group = Group {
            id,
            name: name.map(ToOwned::to_owned),
            vpc_id: values.text("vpc_id").map(ToOwned::to_owned),
            owner: place.account.clone(),
            tags: has_known_tags.then_some(tags),
        };
        Open {
            declared: DeclaredGroup {
                place,
                group,
                location: self.location(res, None),
                rules: Vec::new(),
                removed: Vec::new(),
            },
            before: Vec::new(),
            is_declared: true,
        }
    }

    /// Adds a rule that is a resource to its group.
    fn rule(
        &self,
        res: &Res<'a>,
        instances: &[Instance<'_>],
        open: &mut Vec<Open>,
        by_id: &mut BTreeMap<GroupId, usize>,
    ) -> Result<(), PlanError> {
        let resolve = OfResource { reader: self, instances, from: res.instance() };
        let config = self.config(res);
        let expressions = config.map(|it| Value::Object(it.expressions.clone()));
        let before = Values {
            values: res.before,
            unknown: &Value::Null,
            expressions: None,
            are_shared: false,
        };
        let after = Values {
            values: res.after,
            unknown: res.unknown,
            expressions: expressions.as_ref(),
            are_shared: false,
        };
        let known = |values: &Values<'_>| -> Option<GroupId> {
            values.text("security_group_id")?.parse().ok()
        };
        // What it is now.
        let (mut was, mut was_in) = (Vec::new(), None);
        let old_at = known(&before).and_then(|id| by_id.get(&id).copied());
        if let (Some(id), Some(direction)) = (known(&before), direction(res, &before)) {
            let own = old_at.and_then(|at| open.get(at)).map(|it| it.declared.group.id.clone());
            let own = own.unwrap_or(id);
            was = before.rules(direction, &own, res.address, &resolve).unwrap_or_default();
            was_in = Some(own);
        }
        if let Some(open) = old_at.and_then(|at| open.get_mut(at)) {
            open.before.extend(was.iter().map(|read| read.rule.clone()));
        }
        if !res.stays() {
            return Ok(());
        }
        // The group that it is part of.
        let id = known(&after).map(|id| match by_id.get(&id).and_then(|at| open.get(*at)) {
            Some(open) => open.declared.group.id.clone(),
            None => id,
        });
        let expression = config.and_then(|it| it.expressions.get("security_group_id"));
        let id = id.or_else(|| resolve.group(expression?));
        let id = id.unwrap_or_else(|| unknown_group(res, expression));
        let at = *by_id.entry(id.clone()).or_insert_with(|| {
            open.push(Open {
                declared: DeclaredGroup {
                    place: self.place(res),
                    group: Group::known_by_id(id.clone()),
                    location: self.location(res, None),
                    rules: Vec::new(),
                    removed: Vec::new(),
                },
                before: Vec::new(),
                is_declared: false,
            });
            open.len() - 1
        });
        let Some(open) = open.get_mut(at) else { return Ok(()) };
        let directions = match direction(res, &after) {
            Some(direction) => vec![direction],
            // `type` of a rule is unknown.
            None => Direction::BOTH.to_vec(),
        };
        for direction in directions {
            for read in after.rules(direction, &id, res.address, &resolve)? {
                let is_same =
                    |old: &Read| old.rule.is_same_as(&read.rule) && was_in.as_ref() == Some(&id);
                let is_new = res.is_made() || !was.iter().any(is_same);
                let exists = res.is_state || !is_new;
                let location = Location { exists, ..self.location(res, None) };
                open.declared.rules.push(declared(read, location, is_new));
            }
        }
        Ok(())
    }

    /// Adds the rules in the blocks of a group. Terraform copies the rules that are resources into
    /// `ingress` and `egress` of a group that has no such blocks.
    fn blocks(
        &self,
        res: &Res<'_>,
        instances: &[Instance<'_>],
        open: &mut Open,
    ) -> Result<(), PlanError> {
        let resolve = OfResource { reader: self, instances, from: res.instance() };
        let id = open.declared.group.id.clone();
        for (direction, name) in [(Direction::Ingress, "ingress"), (Direction::Egress, "egress")] {
            let expression = self.config(res).and_then(|it| it.expressions.get(name));
            let was = blocks_of(res.before, &Value::Null, None, name);
            let mut old = Vec::new();
            for values in was {
                old.extend(values.rules(direction, &id, res.address, &resolve).unwrap_or_default());
            }
            let of_others = |rule: &Rule, open: &Open| {
                let declared = open.declared.rules.iter().map(|other| &other.rule);
                open.before.iter().chain(declared).any(|other| other.is_same_as(rule))
            };
            let mut reads = Vec::new();
            let is_unknown = res.unknown.get(name) == Some(&Value::Bool(true));
            if is_unknown {
                // Without a block nothing says that there will be a rule.
                if let Some(expression) = expression {
                    reads.push(anything(direction, name, expression, res.address));
                }
            } else {
                for values in blocks_of(res.after, res.unknown, expression, name) {
                    reads.extend(values.rules(direction, &id, res.address, &resolve)?);
                }
            }
            for read in reads {
                if expression.is_none() && of_others(&read.rule, open) {
                    continue;
                }
                let is_new =
                    res.is_made() || !old.iter().any(|old| old.rule.is_same_as(&read.rule));
                let exists = res.is_state || !is_new;
                let location = Location { exists, ..self.location(res, Some(name)) };
                open.declared.rules.push(declared(read, location, is_new));
            }
            // What is only copied is known from its own resource.
            for Read { rule, .. } in old {
                if !open.before.iter().any(|other| other.is_same_as(&rule)) {
                    open.before.push(rule);
                }
            }
        }
        Ok(())
    }

    /// Reads the prefix lists. Returns those whose entries are not known, each with what is missing.
    fn lists(
        &self,
        instances: &[Instance<'_>],
        out: &mut Declarations,
    ) -> BTreeMap<ListId, Unknown> {
        let mut unknown = BTreeMap::new();
        let mut entries: BTreeMap<ListId, BTreeSet<IpNet>> = BTreeMap::new();
        for res in self.resources.iter().filter(|it| it.kind == LIST && it.stays()) {
            let id = list_id(res);
            let expression = self.config(res).and_then(|it| it.expressions.get("entry"));
            let read = match res.unknown.get("entry") {
                Some(Value::Bool(true)) if expression.is_none() => Some(BTreeSet::new()),
                Some(Value::Bool(true)) => None,
                _ => cidrs(res.after.get("entry")),
            };
            if cidrs(res.before.get("entry")) != read || res.is_state {
                out.changed_lists.insert(id.clone());
            }
            let name = res.after.get("name").and_then(Value::as_str);
            out.names.extend(name.map(|name| (id.clone(), name.to_owned())));
            match read {
                Some(read) => entries.entry(id).or_default().extend(read),
                None => {
                    let from = expression.map(longest).unwrap_or_default();
                    let name = format!("entry of {}", res.address);
                    unknown.insert(id, Unknown { name, why: Why::AfterApply(from) });
                }
            }
        }
        let of_list = |res: &Res<'_>| {
            let known = res.after.get("prefix_list_id").and_then(Value::as_str);
            let known: Option<ListId> = known.and_then(|id| id.parse().ok());
            known.or_else(|| {
                let resolve = OfResource { reader: self, instances, from: res.instance() };
                resolve.list(self.config(res)?.expressions.get("prefix_list_id")?)
            })
        };
        for res in self.resources.iter().filter(|it| it.kind == ENTRY && it.stays()) {
            let cidr = res.after.get("cidr").and_then(Value::as_str);
            let cidr = cidr.and_then(|cidr| cidr.parse::<IpNet>().ok());
            let Some(id) = of_list(res) else { continue };
            if res.action != Action::Kept || res.is_state {
                out.changed_lists.insert(id.clone());
            }
            match cidr {
                // Of a list that is not in the file, this is only a part.
                Some(cidr) if entries.contains_key(&id) => {
                    entries.entry(id).or_default().insert(cidr.trunc());
                }
                Some(_) => {}
                None => {
                    let name = format!("cidr of {}", res.address);
                    let why = Why::AfterApply(Vec::new());
                    unknown.insert(id, Unknown { name, why });
                }
            }
        }
        entries.retain(|id, _| !unknown.contains_key(id));
        self.looked_up(out);
        let read = entries.into_iter().map(|(id, all)| (id, Ok(all.into_iter().collect())));
        out.lists.extend(read);
        unknown
    }

    /// The entries of lists that the configuration looks up.
    fn looked_up(&self, out: &mut Declarations) {
        let state = self.document.prior_state.as_ref().and_then(|state| state.values.as_ref());
        for values in state.into_iter().chain(&self.document.values) {
            values.root_module.each(&mut |_, resource| {
                let is_list = LOOKED_UP.contains(&resource.kind.as_str());
                if resource.mode != "data" || !is_list {
                    return;
                }
                let text = |name: &str| resource.values.get(name).and_then(Value::as_str);
                let Some(id) = text("id").and_then(|id| id.parse::<ListId>().ok()) else { return };
                let all =
                    resource.values.get("entries").or_else(|| resource.values.get("cidr_blocks"));
                let Some(all) = cidrs(all) else { return };
                out.names.extend(text("name").map(|name| (id.clone(), name.to_owned())));
                out.lists.insert(id, Ok(all.into_iter().collect()));
            });
        }
    }
}

/// The blocks of a group, or what a state has of them.
fn blocks_of<'v>(
    values: &'v Value,
    unknown: &'v Value,
    expressions: Option<&'v Value>,
    name: &str,
) -> Vec<Values<'v>> {
    let blocks = values.get(name).and_then(Value::as_array).into_iter().flatten();
    let unknown_at = |at| unknown.get(name).and_then(|it| it.get(at)).unwrap_or(&Value::Null);
    let values =
        |(at, values)| Values { values, unknown: unknown_at(at), expressions, are_shared: true };
    blocks.enumerate().map(values).collect()
}

/// A rule of blocks that are unknown as a whole: it may admit anything.
fn anything(direction: Direction, name: &str, expression: &Value, address: &str) -> Read {
    let peer = crate::ec2::Peer::prefix_list(ListId::declared(&format!("{address}.{name}")));
    let rule = Rule::of_everything(direction, peer);
    let unknown = Unknown { name: name.to_owned(), why: Why::AfterApply(longest(expression)) };
    Read { rule, peer: "cidr_blocks", unknown: vec![unknown], is_wider_than_known: true }
}

fn declared(read: Read, location: Location, is_new: bool) -> DeclaredRule {
    let Read { rule, peer, unknown, is_wider_than_known } = read;
    let location = Location { peer: Some(peer), unknown, ..location };
    DeclaredRule { rule, location, is_new, is_wider_than_known }
}

/// Ingress or egress; `None` where that is not known.
fn direction(res: &Res<'_>, values: &Values<'_>) -> Option<Direction> {
    match (res.kind, values.text("type")) {
        (INGRESS_RULE, _) | (RULE, Some("ingress")) => Some(Direction::Ingress),
        (EGRESS_RULE, _) | (RULE, Some("egress")) => Some(Direction::Egress),
        _ => None,
    }
}

/// What a group is called that a rule is added to and that nobody knows. Rules with the same
/// reference have the same group.
fn unknown_group(res: &Res<'_>, expression: Option<&Value>) -> GroupId {
    let from = expression.map(longest).unwrap_or_default();
    let module = res.address.strip_suffix(res.instance_text().as_str()).unwrap_or_default();
    match from.as_slice() {
        [only] => GroupId::declared(&format!("{module}{only}")),
        _ => GroupId::declared(&format!("{}.security_group_id", res.address)),
    }
}

impl Res<'_> {
    /// The address within its module.
    fn instance_text(&self) -> String {
        let index = self.index.as_ref().map_or_else(String::new, |index| format!("[{index}]"));
        format!("{}.{}{index}", self.kind, self.name)
    }
}

/// The blocks of a list's entries; `None` where one of them is not known.
fn cidrs(entries: Option<&Value>) -> Option<BTreeSet<IpNet>> {
    let cidr = |entry: &Value| {
        let cidr = entry.as_str().or_else(|| entry.get("cidr")?.as_str())?;
        cidr.parse::<IpNet>().ok().map(|net| net.trunc())
    };
    match entries {
        None | Some(Value::Null) => Some(BTreeSet::new()),
        Some(entries) => entries.as_array()?.iter().map(cidr).collect(),
    }
}

#[cfg(test)]
mod tests;
