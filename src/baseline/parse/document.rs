//! The outermost level of a file.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::body::{BODY, body};
use super::fields::{Faults, Fields, Key, optional, required};
use super::yaml::{self, Node, Value};
use crate::baseline::fault::{Fault, MAX_BYTES};
use crate::baseline::model::Baseline;
use crate::text::in_backticks;

const HEAD: [Key; 2] =
    [required("version", "version: 1"), required("name", "name: and a name for the baseline")];

const BOUND: [Key; 2] = [optional("baselines"), optional("bindings")];

/// Reads a file, without what its bindings say, and hands that on.
pub(super) fn document<T>(
    text: &str,
    today: NaiveDate,
    faults: &mut Faults,
    rest: impl FnOnce(Baseline, &Fields<'_>, &mut Faults) -> T,
) -> Option<T> {
    if text.len() > MAX_BYTES {
        faults.0.push(Fault::too_long());
        return None;
    }
    let root = match yaml::read(text, &mut faults.0) {
        Ok(root) => root.filter(|node| !matches!(node.value, Value::Null)),
        Err(fault) => {
            faults.0.push(fault);
            return None;
        }
    };
    let Some(root) = root else {
        faults.add(1, "the file is empty; write a baseline, beginning with `version: 1`");
        return None;
    };
    let keys: Vec<&Key> = HEAD.iter().chain(&BODY).chain(&BOUND).collect();
    let fields = faults.fields(&root, "the baseline", &keys)?;
    if let Some(node) = fields.get("version") {
        version(node, faults);
    }
    let name = fields.get("name").and_then(|node| faults.text(node, "name"));
    let shown = name.clone().unwrap_or_default();
    let baseline = body(&shown, &fields, &BTreeMap::new(), today, faults)?;
    let read = rest(baseline, &fields, faults);
    name.map(|_| read)
}

/// Reads a file that a binding names.
pub(super) fn nested(text: &str, today: NaiveDate, faults: &mut Vec<Fault>) -> Option<Baseline> {
    let mut found = Faults::default();
    let baseline = document(text, today, &mut found, |baseline, fields, faults| {
        for key in BOUND.iter().filter_map(|key| fields.get(key.name)) {
            faults.add(
                key.line,
                "a file that a binding names can have no bindings; write them into the file that \
                 names it",
            );
        }
        baseline
    });
    faults.append(&mut found.0);
    baseline
}

fn version(node: &Node, faults: &mut Faults) {
    if let Some(version) = faults.scalar(node, "`version`", "version: 1")
        && version != "1"
    {
        faults.add(node.line, format!("`version` is {}; write version: 1", in_backticks(version)));
    }
}
