//! What a change introduced: on what the event says, as the group's rules show it now.

use crate::baseline::Lists;
use crate::evaluate::Judge;
use crate::event::{ChangeKind, GroupKey, ModifiedRule, SgChange};
use crate::rule::{Direction, Rule, rules_of_new_group};
use crate::settings::{Remediation, Settings};

/// A rule that a change introduced, as it is now.
pub struct Introduced {
    /// The rule as it was read; as the event has it, where it was not.
    pub rule: Rule,
    /// Whether it was read in the group.
    pub seen: bool,
}

/// How many rules were judged, where the event alone settles that all of them comply.
pub fn settled_by_event(settings: &Settings, change: &SgChange) -> Option<usize> {
    let rules = match &change.kind {
        ChangeKind::Authorized(rules) => rules.clone(),
        ChangeKind::Revoked(_) => Vec::new(),
        ChangeKind::Created => rules_of_new_group(),
        ChangeKind::Modified(_) | ChangeKind::Unknown(_) => return None,
    };
    let group = match &change.group {
        GroupKey::Id(id) => Some(id.as_str()),
        GroupKey::Name(_) => None,
    };
    let lists = Lists::new();
    let comply = [Direction::Ingress, Direction::Egress].into_iter().all(|direction| {
        let judge = Judge::new(&settings.baseline, direction, group, &lists);
        rules
            .iter()
            .filter(|rule| rule.direction == direction)
            .all(|rule| judge.judge(rule).is_compliant())
    });
    comply.then_some(rules.len())
}

/// What a change introduced, as the group's rules show it now, and what may be done about it.
pub fn introduced(
    settings: &Settings,
    change: &SgChange,
    present: &[Rule],
) -> (Vec<Introduced>, Remediation) {
    let everything = || {
        let all = present.iter().map(|rule| Introduced { rule: rule.clone(), seen: true });
        (all.collect(), settings.sweep_remediation)
    };
    let introduced = match &change.kind {
        ChangeKind::Authorized(rules) => rules.iter().map(|rule| as_read(rule, present)).collect(),
        ChangeKind::Created => rules_of_new_group()
            .iter()
            .map(|rule| as_read(rule, present))
            .filter(|introduced| introduced.seen)
            .collect(),
        ChangeKind::Modified(modified) => {
            let rules: Option<Vec<Introduced>> =
                modified.iter().map(|modified| directed(modified, present)).collect();
            match rules {
                Some(rules) => rules,
                None => return everything(),
            }
        }
        ChangeKind::Revoked(_) => Vec::new(),
        ChangeKind::Unknown(reason) => {
            tracing::warn!(%reason, "the whole group is audited");
            return everything();
        }
    };
    (introduced, settings.remediation)
}

/// A rule that an event tells of, as the group has it now.
fn as_read(rule: &Rule, present: &[Rule]) -> Introduced {
    match present.iter().find(|other| other.content() == rule.content()) {
        Some(read) => Introduced { rule: read.clone(), seen: true },
        None => Introduced { rule: rule.clone(), seen: false },
    }
}

/// A modified rule with the direction that the group's rule of this id has.
fn directed(modified: &ModifiedRule, present: &[Rule]) -> Option<Introduced> {
    let read = present.iter().find(|rule| rule.id.as_ref() == Some(&modified.id))?;
    let mut rule = Rule::new(
        read.direction,
        modified.protocol,
        modified.from_port,
        modified.to_port,
        modified.peer.clone(),
    )
    .ok()?;
    rule.id = Some(modified.id.clone());
    rule.description = modified.description.clone();
    Some(as_read(&rule, present))
}
