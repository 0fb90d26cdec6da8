use std::fmt;

use super::reach;
use super::state::State;
use super::wording::{
    and, called, error, held, list, name_after, reason as reason_text, undescribed, whom,
};
use crate::ec2::{Direction, GroupKey, Protocol, Rule, RuleId, Selector};
use crate::evaluate::{Code, is_wide};
use crate::event::WatchedChange;
use crate::event::trail::Unfit;
use crate::finding::{Finding, FoundRule, Matter, ScopeExit, Unaudited, Unfed, Unheard};
use crate::net::{Cells, IntervalSet, Set, Traffic};
use crate::text::{capitalised, count, inert, minute};
use crate::words::{cells_text, every_protocol_but, in_capitals, rule_in_sentence, rule_text};

/// A finding in one sentence: what it is, and what explains it.
pub(super) struct Title {
    /// What it is. A Subject has no room for more.
    pub lead: String,
    /// How the sentence goes on.
    pub rest: String,
}

impl Title {
    /// The whole sentence.
    pub fn whole(self) -> String {
        self.lead + &self.rest
    }
}

impl From<String> for Title {
    fn from(lead: String) -> Self {
        Self { lead, rest: String::new() }
    }
}

/// The finding in one sentence for a person.
pub(super) fn title(finding: &Finding) -> Title {
    let group = || finding.group.as_ref().map_or_else(|| "a security group".to_owned(), called);
    match &finding.matter {
        Matter::Rule(found) => of_rule(finding, found, &group()),
        Matter::WideList { rule, baseline, .. } => {
            let rule = undescribed(finding, rule);
            Title {
                lead: format!("SSH is open to the Internet on {} ({rule})", group()),
                rest: format!(": the baseline {baseline} admits it by a prefix list that is wide"),
            }
        }
        Matter::WideBaseline { baseline, .. } => format!(
            "With the present settings, the baseline {baseline} allows SSH from the Internet, and \
             checks by CIS and Security Hub fail because of it"
        )
        .into(),
        Matter::ExpectedClosed(closed) => {
            let (lead, rest) = reach::sentence(closed, &group());
            let after = if finding.location.is_some() { "After this change, " } else { "" };
            Title { lead: format!("{after}{lead}"), rest }
        }
        Matter::Unaudited { what, reason } => {
            let what = match (what, &finding.group) {
                (Unaudited::Change(Some(key)), None) => format!("A change to {}", named_group(key)),
                (Unaudited::Change(_), _) => format!("A change to {}", group()),
                (Unaudited::List(id), _) => {
                    format!("A change to the prefix list {}", list(finding, id))
                }
                (Unaudited::RuleTags(rules), _) => {
                    let first = rules.first().map_or("a rule", RuleId::as_str);
                    match rules.len().saturating_sub(1) {
                        0 => format!("A change to the tags of {first}"),
                        more => {
                            format!(
                                "A change to the tags of {first} and {}",
                                count(more, "more rule")
                            )
                        }
                    }
                }
                (Unaudited::Place, _) => capitalised(&finding.place.to_string()),
            };
            let rest = format!(": {}", reason_text(reason));
            Title { lead: format!("{what} could not be audited"), rest }
        }
        Matter::LeftScope { exit, .. } => {
            let why = match exit {
                ScopeExit::OtherValue(key) => format!("its tag {key} has another value"),
                ScopeExit::Deleted(key) => format!("its tag {key} was deleted"),
                ScopeExit::Missing(key) => format!(
                    "its tag {key} is not there, and the record of a tag call was cut short"
                ),
            };
            format!("{} left the scope of the audit: {why}", group()).into()
        }
        Matter::AuditorChanged { change, .. } => of_auditor(change),
        Matter::Resolved { rule: Some(rule), .. } => {
            format!("{} on {} is no longer there", rule_text(rule), group()).into()
        }
        Matter::Resolved { rule: None, .. } => {
            format!("What was found as {} is no longer so", finding.code.as_str()).into()
        }
        Matter::Unfed { unfed, .. } => of_unfed(unfed, finding),
    }
}

/// To whom a rule opens something.
enum OpenedTo {
    Internet,
    Peer(String),
}

impl fmt::Display for OpenedTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet => f.write_str("the Internet"),
            Self::Peer(peer) => f.write_str(peer),
        }
    }
}

/// What a finding is about, as a noun phrase for a Subject: `SSH to the Internet on typo3-shop`.
pub(super) fn topic(finding: &Finding) -> String {
    let group = || finding.group.as_ref().map_or_else(|| "a security group".to_owned(), called);
    let state = State::of(finding);
    match &finding.matter {
        Matter::Rule(found) if finding.code == Code::UnresolvedPeer => {
            format!("{} on {}", rule_in_sentence(&found.rule), group())
        }
        // The rule that is named is gone, and another one is meant.
        Matter::Rule(_) if state == State::StillOpen => format!("SSH on {}", group()),
        Matter::Rule(found) if state == State::ClosedTooFar => {
            // What another rule admits is not what has to be mended first.
            let is_admitted = |rule: &&Rule| found.admitted.iter().any(|it| it.is_same_as(rule));
            let missing = found.missing.iter().filter(|rule| !is_admitted(rule));
            format!("{} closed on {}", missing_of(&missing.collect::<Vec<_>>()), group())
        }
        Matter::Rule(found) if state == State::DependsOnAnother => {
            format!("{} depends on another rule on {}", ports_of(found.missing.iter()), group())
        }
        Matter::Rule(found) => {
            let (what, _) = opened(finding.code, found);
            let whom = opened_to(found);
            let way = match found.rule.direction() {
                // The time until which it is held open takes the room.
                _ if held(finding).is_some() => String::new(),
                Direction::Egress => format!(" out to {whom}"),
                Direction::Ingress => match whom {
                    OpenedTo::Internet => format!(" to {whom}"),
                    OpenedTo::Peer(peer) => format!(" from {peer}"),
                },
            };
            format!("{what}{way} on {}", group())
        }
        Matter::WideList { .. } => format!("SSH to the Internet on {}", group()),
        Matter::WideBaseline { baseline, .. } => {
            format!("SSH to the Internet in the baseline {baseline}")
        }
        Matter::ExpectedClosed(closed) => reach::topic(closed, &group()),
        Matter::Unaudited { what, .. } => match (what, &finding.group) {
            (Unaudited::Place, _) => "all security groups".to_owned(),
            (_, Some(_)) => format!("{} on {}", call(finding), group()),
            (_, None) => call(finding),
        },
        Matter::LeftScope { .. } => group(),
        Matter::Resolved { rule: Some(rule), .. } => format!("{} on {}", rule_text(rule), group()),
        Matter::Resolved { rule: None, .. } => finding.code.as_str().to_owned(),
        Matter::AuditorChanged { change, .. } => match change.resource.as_deref() {
            Some(resource) => format!("{} on {}", change.call, named(resource)),
            None => change.call.clone(),
        },
        Matter::Unfed { unfed: Unfed::Trails(_) | Unfed::Unheard(_), .. } => {
            "all changes of security groups".to_owned()
        }
        Matter::Unfed { unfed: Unfed::NotSeen(_), .. } => {
            "the trail could not be looked up".to_owned()
        }
    }
}

/// The missing rule if there is only one, otherwise the protocols and ports of all of them.
fn missing_of(rules: &[&Rule]) -> String {
    match rules {
        [rule] => rule_in_sentence(rule),
        rules => ports_of(rules.iter().copied()),
    }
}

/// The protocols and ports of some rules.
fn ports_of<'r>(rules: impl Iterator<Item = &'r Rule>) -> String {
    in_capitals(&cells_text(&Traffic::union_of(rules.map(Rule::traffic).collect()).cells()))
}

/// The name of the call behind a finding.
fn call(finding: &Finding) -> String {
    let call = finding.change.as_ref().and_then(|change| change.event_name.as_deref());
    let call = call.filter(|call| !call.is_empty()).unwrap_or("a change");
    inert::clip_ascii(call, 40)
}

fn of_rule(finding: &Finding, found: &FoundRule, group: &str) -> Title {
    let (code, rule) = (finding.code, &found.rule);
    if code == Code::UnresolvedPeer {
        let depends = if found.presence.is_gone() { "depended" } else { "depends" };
        let text = rule_in_sentence(rule) + &name_after(finding, rule);
        let rule = capitalised(&text);
        let [on, that] = match finding.location.as_ref() {
            Some(location) if !location.unknown.is_empty() => ["a value", " that is not known yet"],
            _ => ["a prefix list", " that could not be read"],
        };
        return Title {
            lead: format!("{rule} on {group} {depends} on {on}"),
            rest: that.to_owned(),
        };
    }
    if !found.still_open.is_empty() && found.presence.is_gone() {
        return format!("SSH is open to {} on {group}", whom(&found.still_open)).into();
    }
    let [is, are] = match &finding.location {
        _ if found.presence.is_gone() => ["was", "were"],
        Some(location) if !location.exists => ["would be", "would be"],
        _ => ["is", "are"],
    };
    let (what, many) = opened(code, found);
    let (whom, through) = match (opened_to(found), rule.peer().list()) {
        (OpenedTo::Internet, Some(id)) => {
            (OpenedTo::Internet, format!(" through the prefix list {}", list(finding, id)))
        }
        (OpenedTo::Internet, None) => (OpenedTo::Internet, String::new()),
        (OpenedTo::Peer(peer), _) => {
            (OpenedTo::Peer(peer + &name_after(finding, rule)), String::new())
        }
    };
    let verb = if many { are } else { is };
    let what = capitalised(&what);
    let lead = if rule.direction() == Direction::Egress {
        format!("{what} {verb} allowed out of {group} to {whom}")
    } else {
        format!("{what} {verb} open to {whom} on {group}")
    };
    Title { lead, rest: through }
}

/// To whom a rule opens more than the baseline does.
fn opened_to(found: &FoundRule) -> OpenedTo {
    if is_wide(&found.excess) {
        OpenedTo::Internet
    } else {
        OpenedTo::Peer(found.rule.peer().to_string())
    }
}

/// Whether what a finding is about is a plural.
pub(super) fn is_plural(finding: &Finding) -> bool {
    finding.found_rule().is_some_and(|found| opened(finding.code, found).1)
}

/// What a rule opens, and whether that is a plural.
fn opened(code: Code, found: &FoundRule) -> (String, bool) {
    let FoundRule { rule, excess, ssh, .. } = found;
    let cells = excess.cells();
    if cells.at(0).is_some() && cells.at(255).is_some() {
        (all_protocols(&cells), false)
    } else if rule.protocol() == Protocol::TCP && rule.selector() == Selector::ALL {
        ("all TCP ports".to_owned(), true)
    } else if cells.is_subset_of(ssh) {
        ("SSH".to_owned(), false)
    } else {
        let named = in_capitals(&cells_text(&cells));
        if matches!(code, Code::OpenSsh | Code::SshFromUnlistedHost) {
            (format!("SSH ({named})"), false)
        } else {
            (named, false)
        }
    }
}

/// `every protocol`, and those that are left out completely.
fn all_protocols(cells: &Cells) -> String {
    let some: IntervalSet<u8> = cells.layers().iter().map(|(protocols, _)| *protocols).collect();
    let but = IntervalSet::full().difference(&some);
    if but.is_empty() { "every protocol".to_owned() } else { every_protocol_but(&but) }
}

/// A group as the event names it.
fn named_group(key: &GroupKey) -> String {
    match key {
        GroupKey::Name { name, vpc_id: Some(vpc) } => format!("{name} in {vpc}"),
        GroupKey::Id(_) | GroupKey::Name { vpc_id: None, .. } => key.as_str().to_owned(),
    }
}

fn of_auditor(change: &WatchedChange) -> Title {
    let was = if change.server_error.is_some() { "may have been" } else { "was" };
    let by = if change.by_cloudformation { " by CloudFormation" } else { "" };
    let on = match change.resource.as_deref() {
        Some(resource) => format!(" on {}", named(resource)),
        None => ", and the record does not say of what".to_owned(),
    };
    format!("The auditor {was} changed{by}: {}{on}", change.call).into()
}

fn of_unfed(unfed: &Unfed, finding: &Finding) -> Title {
    let place = &finding.place;
    match unfed {
        Unfed::Trails(trails) => {
            let each = trails.iter().map(|trail| match trail.why {
                Unfit::Stopped => format!("the trail {} is stopped", named(trail.name())),
                Unfit::LeavesOut => {
                    format!("the trail {} records no management events", named(trail.name()))
                }
            });
            let each: Vec<String> = each.collect();
            let why = match each.as_slice() {
                [] => "no CloudTrail trail records them".to_owned(),
                each => each.join("; "),
            };
            Title {
                lead: format!("Changes of security groups in {place} are not audited"),
                rest: format!(": {why}"),
            }
        }
        Unfed::Unheard(Unheard { since, seen, groups, more }) => {
            let mut groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
            if *more > 0 {
                groups.push(format!("{more} more"));
            }
            let (groups, since, seen) = (and(&groups), minute(*since), minute(*seen));
            Title {
                lead: format!("Security groups of {place} changed, and no event reported it"),
                rest: format!(": {groups}, between {since} and {seen}"),
            }
        }
        Unfed::NotSeen(why) => Title {
            lead: format!("It is not known whether a CloudTrail trail records changes in {place}"),
            rest: format!(": {}", error(why)),
        },
    }
}

/// A name as part of a sentence. Quoted, if it could be taken for more of the sentence.
fn named(name: &str) -> String {
    /// Most names in AWS are shorter.
    const LONGEST: usize = 140;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/+=,@$".contains(c);
    let short: String = name.chars().take(LONGEST).collect();
    if short.chars().all(plain) { short } else { format!("\"{}\"", short.replace('"', "'")) }
}
