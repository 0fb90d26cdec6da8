//! Which findings are shown together: those of one group, and in it those of one kind.

use std::collections::HashMap;

use crate::ec2::{Direction, Place};
use crate::evaluate::{Code, Severity};
use crate::finding::{Action, Finding, FoundGroup};
use crate::net::Set;
use crate::report::detail::of_checked_rule;

/// So many findings of one kind are shown as one.
const MANY: usize = 4;

/// The findings about one group, or about none.
pub(in crate::report) struct Block<'a> {
    pub place: &'a Place,
    pub group: Option<&'a FoundGroup>,
    pub findings: Vec<&'a Finding>,
}

/// The findings by group, in the order of the worst finding of each.
pub(in crate::report) fn blocks<'a>(
    findings: impl IntoIterator<Item = &'a Finding>,
) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut known: HashMap<(&Place, Option<&FoundGroup>), usize> = HashMap::new();
    for finding in findings {
        let (place, group) = (&finding.place, finding.group.as_ref());
        let at = *known.entry((place, group)).or_insert(blocks.len());
        match blocks.get_mut(at) {
            Some(block) => block.findings.push(finding),
            None => blocks.push(Block { place, group, findings: vec![finding] }),
        }
    }
    blocks
}

/// What findings have in common that are shown as one. There is nothing else to say about any of
/// them but the rule.
#[derive(PartialEq, Eq)]
struct Kind {
    severity: Severity,
    code: Code,
    direction: Direction,
    is_undecided: bool,
    detail: String,
}

impl Kind {
    /// `None` where a finding needs more room.
    fn of(finding: &Finding) -> Option<Self> {
        let found = finding.found_rule()?;
        let is_untouched = matches!(found.action, Action::NotDue { .. });
        let keeps_some = found.would_keep.as_ref().is_some_and(|pieces| !pieces.is_empty());
        let has_fix = finding.fix.is_some() && finding.undo.is_none();
        (is_untouched && !keeps_some && has_fix).then(|| Self {
            severity: finding.severity,
            code: finding.code,
            direction: found.rule.direction(),
            is_undecided: !found.unresolved.is_empty(),
            detail: of_checked_rule(finding, found),
        })
    }
}

/// The findings of a block, many of one kind together.
pub(super) fn by_kind<'a>(findings: &[&'a Finding]) -> Vec<Vec<&'a Finding>> {
    let mut kinds: Vec<(Option<Kind>, Vec<&Finding>)> = Vec::new();
    for finding in findings {
        let kind = Kind::of(finding);
        match kinds.iter_mut().find(|(other, _)| kind.is_some() && *other == kind) {
            Some((_, same)) => same.push(finding),
            None => kinds.push((kind, vec![finding])),
        }
    }
    let together = |same: Vec<&'a Finding>| match same.len() {
        ..MANY => same.into_iter().map(|one| vec![one]).collect(),
        _ => vec![same],
    };
    kinds.into_iter().flat_map(|(_, same)| together(same)).collect()
}
