//! What a change introduced: on what the event says, as the group's rules show it now.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};

use super::group::Closing;
use crate::baseline::Lists;
use crate::ec2::hold::{Claim, UNTIL, claim};
use crate::ec2::{Direction, Rule, RuleError, rules_of_new_group};
use crate::evaluate::Judge;
use crate::evaluate::expected::closed;
use crate::event::{ChangeKind, FoundBy, GroupKey, ModifiedRule, RuleToClose, SgChange};
use crate::settings::{Remediation, Settings};

/// A rule that a change introduced, as it is now.
pub struct Introduced {
    /// The rule as it was read; as the event has it, where it was not.
    pub rule: Rule,
    /// Whether it was read in the group.
    pub seen: bool,
    /// What has to be said beside what became of it.
    pub note: Option<String>,
    /// Whether it asks to be left alone for a time.
    pub claim: Claim,
}

impl Introduced {
    /// A rule that the group has, whenever it came to be: its tags are what says of a hold.
    pub fn standing(
        settings: &Settings,
        rule: &Rule,
        note: Option<String>,
        now: DateTime<Utc>,
    ) -> Self {
        let claim = claim(&rule.tags, now, now, settings.hold_max_hours);
        Self { rule: rule.clone(), seen: true, note, claim }
    }
}

/// What an authorised rule asks for: the tags of the request count, from when it was made.
pub fn authorized_claim(
    settings: &Settings,
    change: &SgChange,
    rule: &Rule,
    now: DateTime<Utc>,
) -> Claim {
    let since = change.record.time.unwrap_or(now).min(now);
    claim(&rule.tags, since, now, settings.hold_max_hours)
}

/// How many rules were judged, where the event alone settles that all of them comply.
pub fn settled_by_event(settings: &Settings, change: &SgChange, today: NaiveDate) -> Option<usize> {
    let rules = match &change.kind {
        ChangeKind::Authorized(rules) => rules.clone(),
        ChangeKind::Revoked(revoked) => {
            // What the site does not live on can go without anybody being asked.
            let taken = revoked.rules.as_deref();
            let harmless = closed(&settings.baseline, revoked.direction, taken, &[]).is_empty();
            return harmless.then_some(0);
        }
        ChangeKind::Created => rules_of_new_group(),
        ChangeKind::Modified(_) | ChangeKind::Unknown(_) => return None,
    };
    let group = match &change.group {
        GroupKey::Id(id) => Some(id.as_str()),
        GroupKey::Name(_) => None,
    };
    let lists = Lists::new();
    let comply = [Direction::Ingress, Direction::Egress].into_iter().all(|direction| {
        let judge = Judge::new(&settings.baseline, direction, group, &lists, today);
        rules
            .iter()
            .filter(|rule| rule.direction == direction)
            .all(|rule| judge.judge(rule).is_compliant())
    });
    comply.then_some(rules.len())
}

/// What is to be judged after a change.
pub struct Judged {
    /// The rules.
    pub rules: Vec<Introduced>,
    /// What may be done about them.
    pub remediation: Remediation,
    /// Now, where the event says which they are, and so will when it is audited again.
    pub closing: Closing,
}

/// What a change introduced, as the group's rules show it now. A rule that an event names twice was
/// introduced once.
pub fn introduced(
    settings: &Settings,
    change: &SgChange,
    present: &[Rule],
    now: DateTime<Utc>,
) -> Judged {
    let mut rules: Vec<Introduced> = match &change.kind {
        ChangeKind::Authorized(rules) => rules
            .iter()
            .map(|rule| {
                let asked = authorized_claim(settings, change, rule, now);
                let introduced = as_read(rule, present);
                Introduced { claim: still_tagged(asked, &introduced), ..introduced }
            })
            .collect(),
        ChangeKind::Created => rules_of_new_group()
            .iter()
            .map(|rule| as_read(rule, present))
            .filter(|introduced| introduced.seen)
            .collect(),
        ChangeKind::Modified(modified) => {
            let rules: Result<Vec<Introduced>, RuleError> =
                modified.iter().map(|modified| directed(modified, present)).collect();
            match rules {
                Ok(rules) => rules,
                Err(error) => return everything(settings, present, &error.to_string(), now),
            }
        }
        ChangeKind::Revoked(_) => Vec::new(),
        ChangeKind::Unknown(reason) => return everything(settings, present, reason, now),
    };
    let mut met = BTreeSet::new();
    rules.retain(|one| met.insert(one.rule.content()));
    Judged { rules, remediation: settings.remediation, closing: Closing::Now }
}

/// All of the group, because the event does not say what changed in it.
fn everything(settings: &Settings, present: &[Rule], reason: &str, now: DateTime<Utc>) -> Judged {
    tracing::warn!(reason, "the whole group is audited");
    let note = format!(
        "What changed could not be read ({reason}), so all rules of the group were audited: this \
         one may be older."
    );
    let all =
        present.iter().map(|rule| Introduced::standing(settings, rule, Some(note.clone()), now));
    let found_by = FoundBy::Sweep;
    let (remediation, closing) = (found_by.remediation(settings), Closing::Later(found_by));
    Judged { rules: all.collect(), remediation, closing }
}

/// A rule that was found before and is to be closed, as the group has it now: its tags say whether
/// it is held by now.
pub fn found_before(
    settings: &Settings,
    found: &RuleToClose,
    present: &[Rule],
    now: DateTime<Utc>,
) -> Introduced {
    let read = as_read(&found.rule, present);
    let note = found.note.clone();
    Introduced { seen: read.seen, ..Introduced::standing(settings, &read.rule, note, now) }
}

/// What a rule asks for, where the rule that was read has the tags still. A listing without ids has
/// no tags either.
fn still_tagged(asked: Claim, introduced: &Introduced) -> Claim {
    let tagged = introduced.rule.tags.contains_key(UNTIL);
    let (lists_tags, is_listed) = (introduced.rule.id.is_some(), introduced.seen);
    match asked {
        Claim::Held(_) if is_listed && lists_tags && !tagged => {
            Claim::Refused("the tags of its hold were taken off again".to_owned())
        }
        Claim::None if is_listed && tagged => Claim::Refused(
            "its tags count only where the rule is authorised with them, and these came later"
                .to_owned(),
        ),
        asked => asked,
    }
}

/// A rule that an event tells of, as the group has it now. What the read does not tell (older
/// output has no ids), the event does.
fn as_read(rule: &Rule, present: &[Rule]) -> Introduced {
    let Some(read) = present.iter().find(|other| other.content() == rule.content()) else {
        return Introduced { rule: rule.clone(), seen: false, note: None, claim: Claim::None };
    };
    let mut read = read.clone();
    if read.id.is_none() {
        read.id.clone_from(&rule.id);
    }
    Introduced { rule: read, seen: true, note: None, claim: Claim::None }
}

/// A modified rule with the direction that the group's rule of this id has, or else a rule without
/// id of this content. Where the read shows neither (an earlier run reverted the rule, somebody
/// removed it, the read is behind), it is taken to be the kind that can do harm, ingress, and not to
/// be there: a revert has EC2 say so.
fn directed(modified: &ModifiedRule, present: &[Rule]) -> Result<Introduced, RuleError> {
    let of = |direction| -> Result<Rule, RuleError> {
        let (from, to) = (modified.from_port, modified.to_port);
        let mut rule = Rule::new(direction, modified.protocol, from, to, modified.peer.clone())?;
        rule.id = Some(modified.id.clone());
        rule.description.clone_from(&modified.description);
        Ok(rule)
    };
    if let Some(read) = present.iter().find(|rule| rule.id.as_ref() == Some(&modified.id)) {
        let introduced = as_read(&of(read.direction)?, present);
        let claim = match read.tags.contains_key(UNTIL) {
            true => {
                Claim::Refused("it was changed after it was held, which voids the hold".to_owned())
            }
            false => Claim::None,
        };
        return Ok(Introduced { claim, ..introduced });
    }
    // Older listings have no ids. Elsewhere another rule of this content is another rule: the egress
    // that every group has must not vouch for what was opened.
    let nameless: Vec<Rule> = present.iter().filter(|rule| rule.id.is_none()).cloned().collect();
    for direction in [Direction::Ingress, Direction::Egress] {
        let introduced = as_read(&of(direction)?, &nameless);
        if introduced.seen {
            return Ok(introduced);
        }
    }
    Ok(Introduced {
        rule: of(Direction::Ingress)?,
        seen: false,
        claim: Claim::None,
        note: Some(
            "The event does not say whether the rule was ingress or egress; ingress is assumed."
                .to_owned(),
        ),
    })
}
