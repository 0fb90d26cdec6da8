//! Reads YAML into a tree of values with line numbers.
//!
//! Scalars stay text, so YAML does not turn `022`, `1e3` or a date into something else. The depth
//! and the size that aliases can add are limited, so no text can exhaust the stack or the memory.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::baseline::fault::Fault;
use crate::text::in_backticks;

/// How deeply values may be nested. A baseline needs five levels.
const MAX_DEPTH: usize = 32;

/// The size that all aliases together may add. Without a limit, aliases of aliases grow
/// exponentially.
const MAX_ALIASED: usize = 100_000;

/// A value and the line where it begins.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
    /// The number of values in it, including itself, plus the bytes of their texts.
    size: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    /// An empty plain scalar, `~` or `null`.
    Null,
    /// A scalar as it is written.
    Text(String),
    Sequence(Vec<Node>),
    /// Keys and values in their order. A key can occur twice.
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
                    // The parser gives a missing value the position of the next token.
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

/// Reads the first document. Returns a fault if the parser cannot go on, and adds other faults to
/// `faults`.
pub(super) fn read(text: &str, faults: &mut Vec<Fault>) -> Result<Option<Node>, Fault> {
    let mut parser = Parser::new_from_str(text);
    let mut tree = Tree::default();
    let mut documents = 0_usize;
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| Fault {
            // If the text ends too early, the parser reports the line after the last one.
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
                let message =
                    "a second document begins here; write one baseline per file".to_owned();
                faults.push(Fault { line, message });
                break;
            }
        }
        tree.take(event, line, faults)?;
    }
    Ok(tree.root)
}

/// The number of lines, including an empty one after the last line break. A carriage return is a
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
                "{} is a YAML tag, which a baseline cannot have; leave it out",
                in_backticks(&name)
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
                        "an alias is inside the value that it repeats; write it out".to_owned();
                    return Err(Fault { line, message });
                };
                self.aliased = self.aliased.saturating_add(node.size);
                if self.aliased > MAX_ALIASED {
                    let message =
                        "the aliases up to here expand to too much; write a peer set".to_owned();
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
