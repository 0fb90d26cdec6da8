//! YAML text to a tree in which everything knows its line.
//!
//! The tree keeps scalars as they are written, so that no guess of YAML's (`022`, `1e3`, a date)
//! stands between the text and what a baseline means by it. It is bounded in depth and in what
//! aliases may add, so no text can exhaust the stack or the memory.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::Fault;

/// How deep a text may nest; a baseline needs five levels.
const MAX_DEPTH: usize = 32;

/// How much all aliases together may stand for, in values and the bytes of their texts. Aliases of
/// aliases grow exponentially.
const MAX_ALIASED: usize = 100_000;

/// A value with the line on which it begins.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
    /// How many values it is made of, itself included, and the bytes of their texts.
    size: usize,
}

/// What stands there.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Nothing: an empty plain scalar, `~` or `null`.
    Null,
    /// A scalar, in the letters in which it is written.
    Text(String),
    Sequence(Vec<Node>),
    /// Keys and values in their order; a key may be there twice.
    Mapping(Vec<(Node, Node)>),
}

/// A sequence or a mapping that is not closed yet.
struct Open {
    line: usize,
    anchor: usize,
    mapping: bool,
    items: Vec<Node>,
}

impl Open {
    fn close(self) -> Node {
        let size = self.items.iter().fold(1, |sum: usize, item| sum.saturating_add(item.size));
        let value = if self.mapping {
            let mut pairs = Vec::with_capacity(self.items.len() / 2);
            let mut items = self.items.into_iter();
            while let (Some(key), Some(mut value)) = (items.next(), items.next()) {
                if matches!(value.value, Value::Null) {
                    // The parser gives a missing value the place of what comes next.
                    value.line = key.line;
                }
                pairs.push((key, value));
            }
            Value::Mapping(pairs)
        } else {
            Value::Sequence(self.items)
        };
        Node { line: self.line, value, size }
    }
}

/// Reads the first document of the text. Faults that leave a tree go to `faults`; an error is the
/// one behind which nothing can be read.
pub(super) fn read(text: &str, faults: &mut Vec<Fault>) -> Result<Option<Node>, Fault> {
    let mut parser = Parser::new_from_str(text);
    let mut tree = Tree::default();
    let mut documents = 0_usize;
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| Fault {
            // Where a text ends in the middle, the parser is a line further than there is one.
            line: error.marker().line().clamp(1, lines(text)),
            message: format!(
                "this is not YAML ({}); look for a quote, a bracket or an indentation that is wrong \
                 here or above",
                error.info()
            ),
        })?;
        let line = span.start.line();
        if matches!(event, Event::DocumentStart(_)) {
            documents = documents.saturating_add(1);
            if documents > 1 {
                let message = "a second document begins; write one baseline in a file".to_owned();
                faults.push(Fault { line, message });
                break;
            }
        }
        tree.take(event, line, faults)?;
    }
    Ok(tree.root)
}

/// How many lines there are, with an empty one behind the last line break. A carriage return is a
/// line break too.
fn lines(text: &str) -> usize {
    let breaks = text.matches(['\n', '\r']).count().saturating_sub(text.matches("\r\n").count());
    breaks.saturating_add(1)
}

#[derive(Default)]
struct Tree {
    root: Option<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    aliased: usize,
}

impl Tree {
    fn take(
        &mut self,
        event: Event<'_>,
        line: usize,
        faults: &mut Vec<Fault>,
    ) -> Result<(), Fault> {
        let tag = match &event {
            Event::Scalar(_, _, _, tag)
            | Event::SequenceStart(_, tag)
            | Event::MappingStart(_, tag) => tag.as_ref(),
            _ => None,
        };
        if let Some(tag) = tag {
            let name = if tag.is_yaml_core_schema() {
                format!("!!{}", tag.suffix)
            } else {
                tag.to_string()
            };
            let message = format!(
                "{} is a tag, and none means anything here; leave it out",
                super::quote(&name)
            );
            faults.push(Fault { line, message });
        }
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let null = matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let size = text.len().saturating_add(1);
                let value = if style == ScalarStyle::Plain && null {
                    Value::Null
                } else {
                    Value::Text(text.into_owned())
                };
                self.add(Node { line, value, size }, anchor);
            }
            Event::SequenceStart(anchor, _) => self.begin(line, anchor, false)?,
            Event::MappingStart(anchor, _) => self.begin(line, anchor, true)?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let anchor = open.anchor;
                    self.add(open.close(), anchor);
                }
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    let message =
                        "an alias stands inside of what it repeats; write it out".to_owned();
                    return Err(Fault { line, message });
                };
                self.aliased = self.aliased.saturating_add(node.size);
                if self.aliased > MAX_ALIASED {
                    let message =
                        "the aliases up to here stand for too much; write a peer set".to_owned();
                    return Err(Fault { line, message });
                }
                let node = node.clone();
                self.add(node, 0);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, line: usize, anchor: usize, mapping: bool) -> Result<(), Fault> {
        if self.open.len() >= MAX_DEPTH {
            let message =
                format!("this is nested more than {MAX_DEPTH} levels deep; a baseline needs five");
            return Err(Fault { line, message });
        }
        self.open.push(Open { line, anchor, mapping, items: Vec::new() });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
    }
}
