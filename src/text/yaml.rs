//! Reads YAML into a tree of values with line numbers.
//!
//! Scalars stay text, so YAML does not turn `022`, `1e3` or a date into something else. The depth
//! and the size that aliases can add are limited, so no text can exhaust the stack or the memory.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::Value as Json;

/// How much of a text is read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How deeply values may be nested.
    pub depth: usize,
    /// The size that all aliases together may add. Without a limit, aliases of aliases grow
    /// exponentially.
    pub aliased: usize,
}

/// A value and the line where it begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// The line, counted from 1.
    pub line: usize,
    pub value: Value,
    /// Its tag, as it is written.
    pub tag: Option<String>,
    /// Whether it is a scalar without quotes.
    pub is_plain: bool,
    /// The number of values in it, including itself, plus the bytes of their texts.
    size: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// An empty plain scalar, `~` or `null`.
    Null,
    /// A scalar as it is written.
    Text(String),
    Sequence(Vec<Node>),
    /// Keys and values in their order. A key can occur twice.
    Mapping(Vec<(Node, Node)>),
}

/// The first document of a text.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// Its value; `None` where there is none.
    pub root: Option<Node>,
    /// The tags in it, with their lines.
    pub tags: Vec<(usize, String)>,
    /// The line where a second document begins.
    pub second: Option<usize>,
}

/// Why a text cannot be read to its end, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlFault {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub kind: YamlFaultKind,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum YamlFaultKind {
    /// It is not YAML. Holds what the parser says.
    Syntax(String),
    /// An alias is inside the value that it repeats.
    AliasInItself,
    /// The aliases expand to more than [`Limits::aliased`].
    Aliases,
    /// It is nested more deeply than [`Limits::depth`].
    Depth,
}

/// A sequence or a mapping that is not closed yet.
struct Open {
    line: usize,
    tag: Option<String>,
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
        Node { line: self.line, value, tag: self.tag, is_plain: false, size }
    }
}

/// Reads the first document, and adds to `document` what is found.
///
/// # Errors
///
/// When the parser cannot go on, or a limit is exceeded. What was found before is in `document`.
pub fn read(text: &str, limits: Limits, document: &mut Document) -> Result<(), YamlFault> {
    let mut parser = Parser::new_from_str(text);
    let mut tree = Tree::new(limits);
    let mut documents = 0_usize;
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| YamlFault {
            // If the text ends too early, the parser reports the line after the last one.
            line: error.marker().line().clamp(1, lines(text)),
            kind: YamlFaultKind::Syntax(error.info().to_owned()),
        })?;
        let line = span.start.line();
        if matches!(event, Event::DocumentStart(_)) {
            documents = documents.saturating_add(1);
            if documents > 1 {
                document.second = Some(line);
                break;
            }
        }
        tree.take(event, line, &mut document.tags)?;
    }
    document.root = tree.root;
    Ok(())
}

/// The number of lines, including an empty one after the last line break. A carriage return is a
/// line break too.
fn lines(text: &str) -> usize {
    let breaks = text.matches(['\n', '\r']).count().saturating_sub(text.matches("\r\n").count());
    breaks.saturating_add(1)
}

struct Tree {
    limits: Limits,
    root: Option<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    aliased: usize,
}

impl Tree {
    fn new(limits: Limits) -> Self {
        let (root, open, anchors) = (None, Vec::new(), BTreeMap::new());
        Self { limits, root, open, anchors, aliased: 0 }
    }

    fn take(
        &mut self,
        event: Event<'_>,
        line: usize,
        tags: &mut Vec<(usize, String)>,
    ) -> Result<(), YamlFault> {
        let tag = match &event {
            Event::Scalar(_, _, _, tag)
            | Event::SequenceStart(_, tag)
            | Event::MappingStart(_, tag) => tag.as_ref(),
            _ => None,
        };
        let tag = tag.map(|tag| match tag.is_yaml_core_schema() {
            true => format!("!!{}", tag.suffix),
            false => tag.to_string(),
        });
        tags.extend(tag.iter().map(|tag| (line, tag.clone())));
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let null = matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let size = text.len().saturating_add(1);
                let is_plain = style == ScalarStyle::Plain;
                let value =
                    if is_plain && null { Value::Null } else { Value::Text(text.into_owned()) };
                self.add(Node { line, value, tag, is_plain, size }, anchor);
            }
            Event::SequenceStart(anchor, _) => self.begin(line, tag, anchor, false)?,
            Event::MappingStart(anchor, _) => self.begin(line, tag, anchor, true)?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let anchor = open.anchor;
                    self.add(open.close(), anchor);
                }
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(YamlFault { line, kind: YamlFaultKind::AliasInItself });
                };
                self.aliased = self.aliased.saturating_add(node.size);
                if self.aliased > self.limits.aliased {
                    return Err(YamlFault { line, kind: YamlFaultKind::Aliases });
                }
                let node = node.clone();
                self.add(node, 0);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(
        &mut self,
        line: usize,
        tag: Option<String>,
        anchor: usize,
        mapping: bool,
    ) -> Result<(), YamlFault> {
        if self.open.len() >= self.limits.depth {
            return Err(YamlFault { line, kind: YamlFaultKind::Depth });
        }
        self.open.push(Open { line, tag, anchor, mapping, items: Vec::new() });
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

/// JSON, all of it on line 1. Numbers are texts, as in YAML.
impl From<Json> for Node {
    fn from(json: Json) -> Self {
        let plain = |text: String| (Value::Text(text), true);
        let (value, is_plain) = match json {
            Json::Null => (Value::Null, true),
            Json::Bool(value) => plain(value.to_string()),
            Json::Number(number) => plain(number.to_string()),
            Json::String(text) => (Value::Text(text), false),
            Json::Array(items) => {
                (Value::Sequence(items.into_iter().map(Self::from).collect()), false)
            }
            Json::Object(members) => {
                let pair = |(key, value)| (Self::from(Json::String(key)), Self::from(value));
                (Value::Mapping(members.into_iter().map(pair).collect()), false)
            }
        };
        Self::of(value, is_plain)
    }
}

impl Node {
    pub fn text_of(text: &str) -> Self {
        Self::from(Json::String(text.to_owned()))
    }

    pub fn mapping<const N: usize>(pairs: [(&str, Self); N]) -> Self {
        let pairs: Vec<_> = pairs.map(|(key, value)| (Self::text_of(key), value)).into();
        Self::of(Value::Mapping(pairs), false)
    }

    fn of(value: Value, is_plain: bool) -> Self {
        let size = match &value {
            Value::Null => 0,
            Value::Text(text) => text.len(),
            Value::Sequence(items) => items.iter().map(|item| item.size).sum(),
            Value::Mapping(pairs) => pairs.iter().map(|(key, value)| key.size + value.size).sum(),
        };
        Self { line: 1, value, tag: None, is_plain, size: size.saturating_add(1) }
    }

    /// The value of a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.pairs().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// The keys and values of a mapping whose keys are texts; none where it is something else.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &Self)> {
        let pairs: &[(Self, Self)] = match &self.value {
            Value::Mapping(pairs) => pairs,
            _ => &[],
        };
        pairs.iter().filter_map(|(key, value)| Some((key.text()?, value)))
    }

    /// The number of values in it, including itself, plus the bytes of their texts.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The same without its tag.
    #[must_use]
    pub fn untagged(&self) -> Self {
        Self { tag: None, ..self.clone() }
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a sequence; none where it is something else.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }
}
