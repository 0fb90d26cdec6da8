//! Reads the bindings of a file, and the baselines that they name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

use chrono::NaiveDate;

use super::body::{BODY, body};
use super::document::nested;
use super::fields::{Faults, Fields, Key, optional, required};
use super::values::{PEERS, is_set_name, not_a_peer, peer};
use super::yaml::{Node, Value};
use crate::baseline::binding::{MAX_BINDINGS, MAX_NAMED};
use crate::baseline::fault::{Fault, nearest};
use crate::baseline::model::{
    Baseline, BaselinePeer, Binding, BoundBaseline, BoundKind, Conditions,
};
use crate::baseline::shipped::{SHIPPED, shipped};
use crate::ec2::Scope;
use crate::text::in_backticks;

/// The limits of AWS for a tag ("Tag your Amazon EC2 resources" in the EC2 user guide).
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

const BINDING: [Key; 9] = [
    required("name", "name: and a name, which reports show"),
    optional("accounts"),
    optional("ous"),
    optional("tags"),
    optional("trust_tags"),
    optional("baseline"),
    optional("ssh_sources"),
    optional("scope"),
    optional("remediation"),
];

/// Reads a file that a binding names: what messages call it, and its text. `Err` is a fault.
pub(in crate::baseline) type Beside<'a> = &'a dyn Fn(&str) -> Result<(String, String), String>;

/// Reads the bindings of a file.
pub(super) struct Bindings<'a> {
    pub(super) faults: &'a mut Faults,
    /// What messages call the file.
    pub(super) file: &'a str,
    /// What the file says besides.
    pub(super) base: &'a Baseline,
    pub(super) beside: Beside<'a>,
    pub(super) today: NaiveDate,
}

impl Bindings<'_> {
    /// The bindings, without those that have a fault.
    pub(super) fn read(&mut self, fields: &Fields<'_>) -> Vec<Binding> {
        let inline = fields.get("baselines").map(|node| self.inline(node)).unwrap_or_default();
        let mut bindings: Vec<Binding> = Vec::new();
        let mut used = BTreeSet::new();
        let mut everywhere = None;
        let Some(node) = fields.get("bindings") else {
            if let Some(node) = fields.get("baselines") {
                self.faults.add(
                    node.line,
                    "`baselines` is used by no binding; write `bindings`, or leave it out",
                );
            }
            return bindings;
        };
        let items = self.faults.items(node, "bindings").unwrap_or_default();
        self.at_most(node, "bindings", items.len(), MAX_BINDINGS);
        for item in items.iter().take(MAX_BINDINGS) {
            let Some(fields) = self.faults.fields(item, "a binding", &BINDING.each_ref()) else {
                continue;
            };
            if let Some(line) = everywhere {
                self.faults.add(
                    item.line,
                    format!(
                        "this binding is never used, because the one on line {line} applies everywhere; \
                         write it before that one"
                    ),
                );
            }
            used.extend(fields.get("baseline").and_then(|node| match &node.value {
                Value::Text(name) => Some(name.trim().to_owned()),
                _ => None,
            }));
            let binding = self.binding(item, &fields, &inline);
            let no_condition = ["accounts", "ous", "tags"].iter().all(|key| !has(item, key));
            if no_condition {
                everywhere = Some(item.line);
            }
            let Some(binding) = binding else { continue };
            if bindings.iter().any(|other| other.name == binding.name) {
                let name = in_backticks(&binding.name);
                self.faults.add(
                    item.line,
                    format!("another binding is called {name}; write another name"),
                );
            }
            bindings.push(binding);
        }
        if let Some(node) = fields.get("baselines") {
            for name in inline.keys().filter(|name| !used.contains(*name)) {
                let name = in_backticks(name);
                self.faults
                    .add(node.line, format!("no binding uses the baseline {name}; leave it out"));
            }
        }
        bindings
    }

    fn binding(
        &mut self,
        item: &Node,
        fields: &Fields<'_>,
        inline: &BTreeMap<String, Option<Baseline>>,
    ) -> Option<Binding> {
        let name = fields.get("name").and_then(|node| self.faults.text(node, "name"));
        let accounts = self.set(fields, "accounts", "the 12 digits of an account in quotes");
        let units = self.set(fields, "ous", "ou-… or r-…");
        let tags = self.tags(fields);
        let trust_tags = match fields.get("trust_tags") {
            Some(node) => {
                if !has(item, "tags") {
                    self.faults
                        .add(node.line, "`trust_tags` is for a binding with `tags`; leave it out");
                }
                self.faults.boolean(node, "trust_tags")
            }
            None => Some(false),
        };
        let baseline = match fields.get("baseline") {
            Some(node) => self.baseline(node, inline).map(Some),
            None => Some(None),
        };
        let ssh_sources = match fields.get("ssh_sources") {
            Some(node) => self.ssh_sources(node).map(Some),
            None => Some(None),
        };
        let scope: Option<Option<Scope>> =
            self.word(fields, "scope", "write all, or \"tag:KEY=VALUE\"");
        let remediation =
            self.word(fields, "remediation", "write notify, revert-ssh or revert-ingress");
        let says = ["baseline", "ssh_sources", "scope", "remediation"];
        if says.iter().all(|key| !has(item, key)) {
            self.faults.add(
                item.line,
                "this binding changes nothing; write baseline, ssh_sources, scope or remediation",
            );
        }
        Some(Binding {
            name: name?,
            at: format!("{}:{}", self.file, item.line),
            when: Conditions { accounts: accounts?, units: units?, tags: tags? },
            trust_tags: trust_tags?,
            baseline: baseline?,
            ssh_sources: ssh_sources?,
            scope: scope?,
            remediation: remediation?,
        })
    }

    /// One word of a kind.
    fn word<T: FromStr>(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        write: &str,
    ) -> Option<Option<T>> {
        let Some(node) = fields.get(key) else { return Some(None) };
        let text = self.faults.scalar(node, &format!("`{key}`"), "one word")?;
        match text.parse() {
            Ok(word) => Some(Some(word)),
            Err(_) => {
                let fault = format!("`{key}` is {}; {write}", in_backticks(text));
                self.faults.add(node.line, fault);
                None
            }
        }
    }

    /// A list of ids, each once.
    fn set<T: FromStr<Err: Display> + Ord>(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        write: &str,
    ) -> Option<BTreeSet<T>> {
        let Some(node) = fields.get(key) else { return Some(BTreeSet::new()) };
        let items = self.faults.items(node, key)?;
        let mut ids = BTreeSet::new();
        if items.is_empty() {
            let fault = format!("`{key}` is empty; write {write}, or leave it out");
            self.faults.add(node.line, fault);
            return None;
        }
        self.at_most(node, key, items.len(), MAX_NAMED)?;
        for item in items {
            let Some(word) = self.faults.scalar(item, &format!("an item of `{key}`"), write) else {
                continue;
            };
            match word.parse() {
                Ok(id) => {
                    ids.insert(id);
                }
                Err(error) => {
                    let error: T::Err = error;
                    // 012345678901 without quotes is a number to many tools, which drop the zero.
                    let digits = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
                    let hint = match key == "accounts" && digits && word.len() < 12 {
                        true => format!("; if its zeros were lost, write \"{word:0>12}\""),
                        false => String::new(),
                    };
                    self.faults.add(
                        item.line,
                        format!("{}{hint}", error.to_string().replacen(": write", "; write", 1)),
                    );
                }
            }
        }
        Some(ids)
    }

    fn tags(&mut self, fields: &Fields<'_>) -> Option<BTreeMap<String, String>> {
        let mut tags = BTreeMap::new();
        let Some(node) = fields.get("tags") else { return Some(tags) };
        let pairs = self.faults.pairs(node, "`tags`")?;
        if pairs.is_empty() {
            self.faults.add(node.line, "`tags` is empty; write {KEY: VALUE}, or leave it out");
            return None;
        }
        self.at_most(node, "tags", pairs.len(), 50)?;
        for (key, value) in pairs {
            let value_text = match &value.value {
                Value::Text(text) => text.trim(),
                Value::Null => continue,
                _ => {
                    self.faults.add(value.line, "the value of a tag is a text; write KEY: VALUE");
                    continue;
                }
            };
            let is_long =
                key.chars().count() > LONGEST_KEY || value_text.chars().count() > LONGEST_VALUE;
            if key.is_empty() || is_long {
                self.faults.add(
                    value.line,
                    format!(
                        "no group has the tag {}; a key has 1 to {LONGEST_KEY} characters, a value at \
                         most {LONGEST_VALUE}",
                        in_backticks(key)
                    ),
                );
            }
            tags.insert(key.to_owned(), value_text.to_owned());
        }
        Some(tags)
    }

    fn ssh_sources(&mut self, node: &Node) -> Option<Vec<BaselinePeer>> {
        let items = self.faults.items(node, "ssh_sources")?;
        let before = self.faults.0.len();
        let mut peers = Vec::new();
        for item in items {
            let Some(word) = self.faults.scalar(item, "a peer", PEERS) else { continue };
            match peer(word, PEERS) {
                Some(Ok(peer)) => peers.push(peer),
                Some(Err(message)) => self.faults.add(item.line, message),
                None => self.faults.add(item.line, not_a_peer(word, PEERS)),
            }
        }
        (self.faults.0.len() == before).then_some(peers)
    }

    /// The baselines under `baselines`, by their names. `None` for one that has a fault.
    fn inline(&mut self, node: &Node) -> BTreeMap<String, Option<Baseline>> {
        let mut all = BTreeMap::new();
        let pairs = self.faults.pairs(node, "`baselines`").unwrap_or_default();
        self.at_most(node, "baselines", pairs.len(), MAX_BINDINGS);
        for (name, node) in pairs.into_iter().take(MAX_BINDINGS) {
            if shipped(name).is_some() || !is_set_name(name) {
                self.faults.add(
                    node.line,
                    format!(
                        "{} cannot be the name of a baseline in this file; write letters, digits, - and \
                         _, beginning with a letter, and not the name of a shipped one",
                        in_backticks(name)
                    ),
                );
            }
            if matches!(node.value, Value::Null) {
                continue;
            }
            let what = format!("the baseline {}", in_backticks(name));
            let fields = self.faults.fields(node, &what, &BODY.each_ref());
            let sets = &self.base.peer_sets;
            let read = fields.and_then(|it| body(name, &it, sets, self.today, self.faults));
            let baseline = read.map(|baseline| self.with_exemptions(baseline));
            all.insert(name.to_owned(), baseline);
        }
        all
    }

    /// The exemptions of the file count wherever its peer sets do.
    fn with_exemptions(&self, mut baseline: Baseline) -> Baseline {
        baseline.exemptions.extend(self.base.exemptions.iter().cloned());
        baseline
    }

    /// The baseline that a binding names: one of the file, a shipped one, or a file.
    fn baseline(
        &mut self,
        node: &Node,
        inline: &BTreeMap<String, Option<Baseline>>,
    ) -> Option<BoundBaseline> {
        const WRITE: &str = "a name or the path of a file in the same folder";
        let given = self.faults.scalar(node, "`baseline`", WRITE)?.to_owned();
        let bound = |kind, baseline| {
            Some(BoundBaseline { given: given.clone(), kind, baseline: Box::new(baseline) })
        };
        if let Some(found) = inline.get(&given) {
            return bound(BoundKind::Inline, found.clone()?);
        }
        if let Some(text) = shipped(&given) {
            let mut baseline = nested(text, self.today, &mut Vec::new())?;
            baseline.peer_sets.extend(self.base.peer_sets.clone());
            return bound(BoundKind::Shipped, self.with_exemptions(baseline));
        }
        if !given.contains(['.', '/', '\\']) {
            let known = inline.keys().map(String::as_str).chain(SHIPPED.map(|(name, _)| name));
            let known: Vec<&str> = known.collect();
            let meant = match nearest(&given, known.iter().copied()) {
                Some(name) => format!("did you mean `{name}`? "),
                None => String::new(),
            };
            let fault = format!(
                "there is no baseline {}; {meant}write {}, or the path of a file in the same folder",
                in_backticks(&given),
                known.join(", ")
            );
            self.faults.add(node.line, fault);
            return None;
        }
        let mut faults = Vec::new();
        let read = (self.beside)(&given);
        let baseline = match &read {
            Ok((path, text)) => {
                let baseline = nested(text, self.today, &mut faults);
                let of_file = |fault: &Fault| format!("{path}:{fault}");
                faults.iter().for_each(|fault| self.faults.add(node.line, of_file(fault)));
                baseline.filter(|_| faults.is_empty())?
            }
            Err(fault) => {
                self.faults.add(node.line, fault.clone());
                return None;
            }
        };
        bound(BoundKind::File, baseline)
    }

    fn at_most(&mut self, node: &Node, what: &str, there: usize, most: usize) -> Option<()> {
        if there > most {
            self.faults.add(
                node.line,
                format!("`{what}` has {there} items, more than {most}; write fewer"),
            );
            return None;
        }
        Some(())
    }
}

/// Whether a mapping has this key, whatever its value is.
fn has(node: &Node, key: &str) -> bool {
    match &node.value {
        Value::Mapping(all) => {
            all.iter().any(|(name, _)| matches!(&name.value, Value::Text(name) if name == key))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
