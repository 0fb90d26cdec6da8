//! The words about traffic that the site lives on, and that a change closed.

use super::wording::and;
use crate::ec2::{Direction, ListId, Rule};
use crate::evaluate::expected::{Closed, Family, FamilyReach, Reach, Reached};
use crate::net::Set;
use crate::text::{capitalised, first_of};
use crate::words::{cells_text, in_capitals, rule_text};

/// How many rules or peers are named. The others are only counted.
const NAMED: usize = 6;

/// Which prefix lists could not be read.
fn not_read(closed: &Closed) -> String {
    let lists: Vec<&ListId> = closed.unread.iter().collect();
    let s = if lists.len() == 1 { "" } else { "s" };
    format!("the prefix list{s} {} could not be read", some_of(&lists))
}

/// What is closed, what still works, on which group; and how the sentence goes on.
pub(super) fn sentence(closed: &Closed, group: &str) -> (String, String) {
    if closed.removed.is_none() {
        return unknown(closed, group);
    }
    let is_certain = closed.closed().all(|entry| entry.is_certain);
    let rest = if is_certain { String::new() } else { format!(": {}", not_read(closed)) };
    (known(closed, group), rest)
}

/// What is closed on which group, as a noun phrase: `HTTPS closed for IPv6, open for IPv4 on …`.
pub(super) fn topic(closed: &Closed, group: &str) -> String {
    if closed.removed.is_none() {
        return format!("{} not reachable on {group}", names(closed.closed()));
    }
    let states = states(closed);
    let clauses: Vec<String> = states
        .into_iter()
        .map(|(state, entries)| format!("{} {state}", names(entries.into_iter())))
        .collect();
    format!("{} on {group}", clauses.join("; "))
}

/// The entries that were closed to somebody, those together of which the same is true.
fn states(closed: &Closed) -> Vec<(String, Vec<&Reached>)> {
    let mut states: Vec<(String, Vec<&Reached>)> = Vec::new();
    for entry in closed.closed() {
        let state = state(entry);
        match states.iter_mut().find(|(same, _)| *same == state) {
            Some((_, entries)) => entries.push(entry),
            None => states.push((state, vec![entry])),
        }
    }
    states
}

fn known(closed: &Closed, group: &str) -> String {
    let on = match closed.entries.iter().any(|entry| entry.direction == Direction::Egress) {
        true => "on the way out of",
        false => "on",
    };
    // The group is named once, with what comes first.
    let mut on = Some(format!(" {on} {group}"));
    let mut clauses: Vec<String> = states(closed)
        .into_iter()
        .map(|(state, entries)| {
            let are = if entries.len() > 1 { "are" } else { "is" };
            let on = on.take().unwrap_or_default();
            format!("{}{on} {are} {state}", names(entries.into_iter()))
        })
        .collect();
    clauses.extend(still_works(closed));
    clauses.join("; ")
}

fn unknown(closed: &Closed, group: &str) -> (String, String) {
    let ways = [(Direction::Ingress, "let in on"), (Direction::Egress, "let out of")];
    let clauses: Vec<String> = ways
        .into_iter()
        .filter_map(|(direction, way)| {
            let entries = closed.closed().filter(|entry| entry.direction == direction);
            let are = match entries.clone().count() {
                0 => return None,
                1 => "is",
                _ => "are",
            };
            Some(format!("{} {are} not {way} {group}", names(entries)))
        })
        .collect();
    let they = if closed.closed().count() > 1 { "they were" } else { "it was" };
    let rest = format!(", and whether {they} before is not known");
    let rest: Vec<String> = std::iter::once(rest).chain(still_works(closed)).collect();
    (clauses.join(", and "), rest.join("; "))
}

/// `HTTPS still works`, or for whom it does.
fn still_works(closed: &Closed) -> Vec<String> {
    let open = || closed.entries.iter().filter(|entry| !entry.is_closed && entry.is_open());
    let is_whole =
        |entry: &&Reached| entry.families.iter().any(|it| it.after == Some(Reach::Everybody));
    let whole: Vec<&Reached> = open().filter(is_whole).collect();
    let partly: Vec<&Reached> = open().filter(|entry| !is_whole(entry)).collect();
    [(whole, ""), (partly, " for some")]
        .into_iter()
        .filter(|(entries, _)| !entries.is_empty())
        .map(|(entries, whom)| {
            let works = if entries.len() > 1 { "work" } else { "works" };
            format!("{} still {works}{whom}", names(entries.into_iter()))
        })
        .collect()
}

/// How an entry stands that was closed to somebody: `closed for IPv4, open for IPv6`.
fn state(entry: &Reached) -> String {
    if entry.is_shut() && entry.is_certain {
        return "closed".to_owned();
    }
    if !entry.is_certain {
        let whom = if entry.is_open() { " to some" } else { "" };
        return format!("perhaps closed{whom}");
    }
    if !entry.shut.is_empty() {
        let rest = if entry.is_open() { ", open for the rest" } else { "" };
        return format!("closed for {}{rest}", in_capitals(&cells_text(&entry.shut)));
    }
    let before = |family: &FamilyReach| family.before.unwrap_or(Reach::Nobody);
    let is_lower = |family: &FamilyReach| family.after.is_some_and(|it| it < before(family));
    let everybody = entry.families.iter().any(|it| before(it) == Reach::Everybody);
    if !everybody || !entry.families.iter().any(is_lower) {
        return format!("closed to {}", some_of(&entry.closed_to));
    }
    let state = |family: &FamilyReach| match (family.after, is_lower(family)) {
        (None, _) => "perhaps open",
        (Some(Reach::Nobody), _) => "closed",
        (Some(Reach::Some), true) => "open to some only",
        (Some(Reach::Some), false) => "open to some",
        (Some(Reach::Everybody), _) => "open",
    };
    // Where nobody came before, nothing was closed.
    let mut families: Vec<&FamilyReach> =
        entry.families.iter().filter(|family| before(family) > Reach::Nobody).collect();
    families.sort_by_key(|family| !is_lower(family));
    match families.as_slice() {
        [first, rest @ ..] if rest.iter().all(|other| other.after == first.after) => {
            state(first).to_owned()
        }
        _ => {
            let each = families.iter().map(|it| format!("{} for {}", state(it), name(it.family)));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

/// What was done, which rules are gone, and who can reach what.
pub(super) fn detail(closed: &Closed) -> String {
    let reach = reach(&closed.entries).join(" ");
    let Some(removed) = &closed.removed else {
        let of_list = closed.list.as_ref().map_or_else(String::new, |list| {
            format!(" The change was one of the prefix list {}, not of the group.", list.id)
        });
        return format!(
            "Nothing was changed. What the group admitted before this change is not known; see \
             whether the site needs it here. {reach}{of_list}"
        );
    };
    let what = names(closed.closed());
    let is_unread =
        |rule: &Rule| rule.peer().list().is_some_and(|list| closed.unread.contains(list));
    let left = match closed.left.as_slice() {
        [] => format!("No other rule lets {what} through"),
        left if left.iter().all(is_unread) => {
            format!("A part of {what} may still get through: {}", rules(left))
        }
        left => format!("A part of {what} still gets through: {}", rules(left)),
    };
    let have_let = if removed.iter().all(is_unread) { "may have let" } else { "let" };
    let unread = match closed.unread.is_empty() {
        true => String::new(),
        false => format!(" Whom a list lets in is not known: {}.", not_read(closed)),
    };
    let gone = match &closed.list {
        None => format!("The rules that {have_let} {what} through are gone: {}.", rules(removed)),
        Some(list) => format!(
            "No rule of the group was changed. Removed from the prefix list {}: {}. What names the \
             list and {have_let} {what} through: {}.",
            list.id,
            some_of(list.removed.as_deref().unwrap_or_default()),
            rules(removed)
        ),
    };
    format!("The auditor opens nothing by itself. {reach} {gone} {left}.{unread}")
}

/// Who could reach the entries before and who can now, one sentence for all entries of which the
/// same is true.
fn reach(entries: &[Reached]) -> Vec<String> {
    let mut alike: Vec<Vec<&Reached>> = Vec::new();
    for entry in entries {
        let key = |one: &Reached| {
            let is_whole = one.shut.is_empty();
            (one.direction, one.families.clone(), lost_somebody(one), is_whole, one.is_certain)
        };
        let is_alike = |other: &Reached| key(other) == key(entry);
        match alike.iter_mut().find(|group| group.iter().all(|other| is_alike(other))) {
            Some(group) => group.push(entry),
            None => alike.push(vec![entry]),
        }
    }
    alike.iter().flat_map(|group| reach_of(group)).collect()
}

/// The same for entries that are alike: one sentence for both families where the same is true of
/// them.
fn reach_of(alike: &[&Reached]) -> Vec<String> {
    let Some(first) = alike.first() else { return Vec::new() };
    let what = names(alike.iter().copied());
    let is_shut_in_part = !first.shut.is_empty() && !first.is_shut();
    let sentence = |family: &FamilyReach, over: String| {
        let is_egress = first.direction == Direction::Egress;
        let before = family.before.map(whom);
        let Some(after) = family.after.map(whom) else {
            return match (before, is_egress) {
                (None, false) => format!("Who can reach {what}{over} is not known."),
                (None, true) => format!("Where {what}{over} can go out to is not known."),
                (Some(before), false) => format!(
                    "{} could reach {what}{over}; who can now is not known.",
                    capitalised(before)
                ),
                (Some(before), true) => {
                    format!("{what}{over} could go out to {before}; to whom now is not known.")
                }
            };
        };
        let is_changed = before != Some(after);
        let is_some = family.after == Some(Reach::Some);
        let now = match is_some && !is_changed && lost_somebody(first) && first.is_certain {
            true => "fewer",
            false => after,
        };
        match before {
            Some(_) if is_shut_in_part && is_changed && is_some => {
                format!("Not all of {what}{over} is open any more.")
            }
            Some(before) if before == now && is_egress => {
                format!("{what}{over} can go out to {now}, as before.")
            }
            Some(before) if before == now => {
                format!("{} can reach {what}{over}, as before.", capitalised(now))
            }
            Some(before) if is_egress => {
                format!("{what}{over} could go out to {before}; now to {now}.")
            }
            Some(before) => {
                format!("{} could reach {what}{over}; now {now} can.", capitalised(before))
            }
            None if is_egress => format!("{what}{over} can go out to {now}."),
            None => format!("{} can reach {what}{over}.", capitalised(now)),
        }
    };
    match first.families.as_slice() {
        [only] => vec![sentence(only, String::new())],
        [ipv4, ipv6] if (ipv4.before, ipv4.after) == (ipv6.before, ipv6.after) => {
            vec![sentence(ipv4, String::new())]
        }
        families => families
            .iter()
            .map(|family| sentence(family, format!(" over {}", name(family.family))))
            .collect(),
    }
}

/// Whether a group or a list can no longer reach it. Of their members the family is not known.
fn lost_somebody(entry: &Reached) -> bool {
    entry.closed_to.iter().any(|peer| peer.reference().is_some())
}

fn whom(reach: Reach) -> &'static str {
    match reach {
        Reach::Nobody => "nobody",
        Reach::Some => "only some",
        Reach::Everybody => "everybody",
    }
}

fn name(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "IPv4",
        Family::Ipv6 => "IPv6",
    }
}

/// `HTTP, HTTPS and API`, or the first of them, and how many more there are.
fn names<'a>(entries: impl Iterator<Item = &'a Reached>) -> String {
    let names: Vec<&str> = entries.map(|entry| entry.entry.as_str()).collect();
    match names.as_slice() {
        names if names.len() > NAMED => some_of(names),
        names => and(names),
    }
}

/// The first of them, and how many more there are.
fn some_of(all: &[impl ToString]) -> String {
    first_of(all.iter().map(ToString::to_string), NAMED, ", ")
}

fn rules(all: &[Rule]) -> String {
    first_of(all.iter().map(rule_text), NAMED, "; ")
}
