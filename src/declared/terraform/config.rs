//! Which resource a value comes from that is known only after apply.
//!
//! A plan has no values for these, but its configuration names what each expression refers to. A
//! reference is followed through variables and outputs of modules. Locals are not in a plan, so what
//! comes from one is not joined to anything.

use std::collections::BTreeSet;

use serde_json::Value;

use super::wire::{ConfigModule, ConfigResource};

/// One module on the way from the root to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub name: String,
    /// As it is written between brackets.
    pub index: Option<String>,
}

/// What a reference names.
enum Reference {
    Resource {
        kind: String,
        name: String,
        index: Option<String>,
    },
    Output {
        call: String,
        index: Option<String>,
        output: String,
    },
    Variable(String),
    EachValue,
    /// `each.key`, `count.index`: only which one of several.
    Key,
    /// What names nothing: a path, the workspace.
    Nothing,
    Other,
}

/// An instance of a resource, as references name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instance<'a> {
    pub path: &'a [Step],
    pub kind: &'a str,
    pub name: &'a str,
    pub index: Option<&'a str>,
}

/// How many variables and outputs a reference is followed through.
const MAX_HOPS: usize = 32;

/// Splits an address at the dots outside of brackets.
fn segments(address: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, c) in address.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            '.' if !quoted && depth == 0 => {
                parts.extend(address.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(address.get(start..));
    parts
}

/// `web["a"]` as name and index.
fn indexed(segment: &str) -> (String, Option<String>) {
    match segment.split_once('[') {
        Some((name, rest)) => {
            let index = rest.split_once("][").map_or(rest, |(first, _)| first);
            (name.to_owned(), Some(index.strip_suffix(']').unwrap_or(index).to_owned()))
        }
        None => (segment.to_owned(), None),
    }
}

/// The modules of a module's address: `module.a["x"].module.b`.
pub(super) fn path(module: &str) -> Vec<Step> {
    let parts = segments(module);
    let named = parts.chunks(2).filter_map(|pair| match pair {
        ["module", name] => Some(indexed(name)),
        _ => None,
    });
    named.map(|(name, index)| Step { name, index }).collect()
}

/// The index of an instance as it is written between brackets.
pub(super) fn index_text(index: &Value) -> Option<String> {
    (!index.is_null()).then(|| index.to_string())
}

/// Everything that an expression, or any expression in a block, refers to.
pub(super) fn references(expression: &Value) -> Vec<&str> {
    match expression {
        Value::Object(members) => match members.get("references").and_then(Value::as_array) {
            Some(all) => all.iter().filter_map(Value::as_str).collect(),
            None => members.values().flat_map(references).collect(),
        },
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// The references of an expression without those that only repeat a part of another.
pub(super) fn longest(expression: &Value) -> Vec<String> {
    let all = references(expression);
    let is_part = |one: &str| {
        all.iter().any(|other| {
            let rest = other.strip_prefix(one);
            rest.is_some_and(|rest| rest.starts_with(['.', '[']))
        })
    };
    let mut kept: Vec<String> = Vec::new();
    for one in all.iter().filter(|one| !is_part(one)) {
        if !kept.iter().any(|other| other == one) {
            kept.push((*one).to_owned());
        }
    }
    kept
}

impl Reference {
    fn parse(text: &str) -> Self {
        let parts = segments(text);
        match parts.as_slice() {
            ["var", name, ..] => Self::Variable(indexed(name).0),
            ["module", call, output, ..] => {
                let (call, index) = indexed(call);
                Self::Output { call, index, output: indexed(output).0 }
            }
            ["each", value, ..] if *value == "value" || value.starts_with("value[") => {
                Self::EachValue
            }
            ["each" | "count", ..] => Self::Key,
            ["path" | "terraform", ..] => Self::Nothing,
            ["data" | "local" | "module" | "self" | "ephemeral", ..] | [] | [_] => Self::Other,
            [kind, name, ..] => {
                let (name, index) = indexed(name);
                Self::Resource { kind: (*kind).to_owned(), name, index }
            }
        }
    }
}

/// The module that a path leads to.
fn module_at<'c>(root: &'c ConfigModule, path: &[Step]) -> Option<&'c ConfigModule> {
    path.iter().try_fold(root, |module, step| Some(&module.module_calls.get(&step.name)?.module))
}

/// What the configuration says of a resource.
pub(super) fn resource<'c>(
    root: &'c ConfigModule,
    instance: &Instance<'_>,
) -> Option<&'c ConfigResource> {
    let of_module = &module_at(root, instance.path)?.resources;
    of_module.iter().find(|resource| {
        resource.mode != "data" && resource.kind == instance.kind && resource.name == instance.name
    })
}

/// Where the source of a module is, from the root module; `None` where it is not in a folder of the
/// same project.
pub(super) fn folder(root: &ConfigModule, path: &[Step]) -> Option<String> {
    let (mut module, mut folder) = (root, String::from("."));
    for step in path {
        let call = module.module_calls.get(&step.name)?;
        if !call.source.starts_with("./") && !call.source.starts_with("../") {
            return None;
        }
        folder = format!("{folder}/{}", call.source);
        module = &call.module;
    }
    Some(folder)
}

/// Follows references to the instances of one kind of resource.
pub(super) struct Search<'s, 'a> {
    pub root: &'s ConfigModule,
    pub instances: &'s [Instance<'a>],
    pub kinds: &'s [&'s str],
}

impl Search<'_, '_> {
    /// The one instance that the value of an expression of `from` can come from. `None` where it can
    /// be another one too, or where that is not known.
    pub fn target(&self, from: &Instance<'_>, expression: &Value) -> Option<usize> {
        let mut found = BTreeSet::new();
        let each = resource(self.root, from).map(|it| &it.for_each_expression);
        self.follow(from.path, from.index, each, expression, MAX_HOPS, &mut found)?;
        let mut found = found.into_iter();
        found.next().filter(|_| found.next().is_none())
    }

    /// Adds what an expression in a module can come from; `None` where something of it is not known.
    fn follow(
        &self,
        path: &[Step],
        own: Option<&str>,
        each: Option<&Value>,
        expression: &Value,
        hops: usize,
        found: &mut BTreeSet<usize>,
    ) -> Option<()> {
        let hops = hops.checked_sub(1)?;
        let texts = longest(expression);
        let parsed: Vec<Reference> = texts.iter().map(|text| Reference::parse(text)).collect();
        let by_key = parsed.iter().any(|it| matches!(it, Reference::Key | Reference::EachValue));
        let mut any = false;
        for reference in parsed {
            match reference {
                Reference::Key | Reference::Nothing => continue,
                Reference::Other => return None,
                Reference::Variable(name) => {
                    let (last, parent) = path.split_last()?;
                    let call = module_at(self.root, parent)?.module_calls.get(&last.name)?;
                    let given = call.expressions.get(&name)?;
                    let each = Some(&call.for_each_expression);
                    self.follow(parent, last.index.as_deref(), each, given, hops, found)?;
                }
                Reference::EachValue => {
                    let each = each.filter(|each| !each.is_null())?;
                    self.by_key(path, own, each, hops, found)?;
                }
                Reference::Output { call, index, output } => {
                    let called = module_at(self.root, path)?.module_calls.get(&call)?;
                    let expression = &called.module.outputs.get(&output)?.expression;
                    let wanted = index.as_deref().or(own.filter(|_| by_key));
                    for inside in self.calls(path, &call, wanted) {
                        self.follow(&inside, None, None, expression, hops, found)?;
                        any = true;
                    }
                    continue;
                }
                Reference::Resource { kind, name, index } => {
                    if !self.kinds.contains(&kind.as_str()) {
                        return None;
                    }
                    let wanted = index.as_deref().or(own.filter(|_| by_key));
                    found.extend(self.named(path, &kind, &name, wanted));
                }
            }
            any = true;
        }
        any.then_some(())
    }

    /// `each.value`, where `for_each` is a resource: its instance of the same key.
    fn by_key(
        &self,
        path: &[Step],
        own: Option<&str>,
        each: &Value,
        hops: usize,
        found: &mut BTreeSet<usize>,
    ) -> Option<()> {
        let mut of_each = BTreeSet::new();
        self.follow(path, own, None, each, hops, &mut of_each)?;
        let has_key = |at: &usize| self.instances.get(*at).is_some_and(|it| it.index == own);
        found.extend(of_each.into_iter().filter(has_key));
        Some(())
    }

    /// The instances of a resource in a module: the one of an index, if there is one of it.
    fn named(&self, path: &[Step], kind: &str, name: &str, index: Option<&str>) -> Vec<usize> {
        let of_name = |it: &Instance<'_>| it.path == path && it.kind == kind && it.name == name;
        let all = self.instances.iter().enumerate().filter(|(_, it)| of_name(it));
        let all: Vec<(usize, &Instance<'_>)> = all.collect();
        let exact = all.iter().find(|(_, it)| index.is_some() && it.index == index);
        match exact {
            Some((at, _)) => vec![*at],
            None => all.into_iter().map(|(at, _)| at).collect(),
        }
    }

    /// The paths of the instances of a module that have resources.
    fn calls(&self, path: &[Step], call: &str, index: Option<&str>) -> Vec<Vec<Step>> {
        let mut paths: Vec<Vec<Step>> = Vec::new();
        for instance in self.instances {
            let Some((inside, step)) =
                instance.path.get(..=path.len()).zip(instance.path.get(path.len()))
            else {
                continue;
            };
            let fits = step.name == call && (index.is_none() || step.index.as_deref() == index);
            if fits && inside.starts_with(path) && !paths.iter().any(|known| known == inside) {
                paths.push(inside.to_vec());
            }
        }
        paths
    }
}
