//! Reads the YAML of a baseline, and says what to write instead of what cannot be read.

use crate::baseline::fault::Fault;
use crate::text::in_backticks;
use crate::text::yaml::{self, Document, Limits, YamlFault, YamlFaultKind};

pub(super) use crate::text::yaml::{Node, Value};

/// How deeply values may be nested. A baseline needs seven levels.
const MAX_DEPTH: usize = 32;

/// The size that all aliases together may add.
const MAX_ALIASED: usize = 100_000;

/// Reads the first document. Returns a fault if the parser cannot go on, and adds other faults to
/// `faults`.
pub(super) fn read(text: &str, faults: &mut Vec<Fault>) -> Result<Option<Node>, Fault> {
    let mut document = Document::default();
    let limits = Limits { depth: MAX_DEPTH, aliased: MAX_ALIASED };
    let read = yaml::read(text, limits, &mut document);
    let Document { root, tags, second } = document;
    faults.extend(tags.into_iter().map(|(line, tag)| {
        let tag = in_backticks(&tag);
        let message = format!("{tag} is a YAML tag, which a baseline cannot have; leave it out");
        Fault { line, message }
    }));
    faults.extend(second.map(|line| Fault {
        line,
        message: "a second document begins here; write one baseline per file".to_owned(),
    }));
    read.map(|()| root).map_err(fault)
}

fn fault(YamlFault { line, kind }: YamlFault) -> Fault {
    let message = match kind {
        YamlFaultKind::Syntax(info) => format!(
            "this is not YAML ({info}); look for a quote, a bracket or an indentation that is wrong \
             here or above"
        ),
        YamlFaultKind::AliasInItself => {
            "an alias is inside the value that it repeats; write it out".to_owned()
        }
        YamlFaultKind::Aliases => {
            "the aliases up to here expand to too much; write a peer set".to_owned()
        }
        YamlFaultKind::Depth => {
            format!("this is nested more than {MAX_DEPTH} levels deep; a baseline needs seven")
        }
    };
    Fault { line, message }
}
