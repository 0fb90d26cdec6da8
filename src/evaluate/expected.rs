//! Traffic that the site lives on, and that a change closed.
//!
//! Each `expected` entry of the baseline is judged by who can reach it before and after the change,
//! for IPv4 and IPv6 apart. An address counts if the entry admits it and a host can have it, so
//! loopback, link-local, multicast and reserved addresses do not. A prefix list counts by its
//! entries. Another group counts as one client, such as a load balancer. The group itself never
//! counts, since traffic among its members reaches no website.
//!
//! A list that cannot be read counts as one client too, and a result that depends on it is marked
//! uncertain.

use std::collections::BTreeSet;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Serialize;

use super::Severity;
use super::judge::of_entries;
use super::severity::expected_traffic_closed;
use crate::baseline::{Baseline, Entry, Lists};
use crate::ec2::{Direction, Ec2Error, GroupId, ListId, Peer, Reference, Rule, RuleId};
use crate::event::{Removed, RevokedRules};
use crate::net::{Cells, ReferenceSet, Set, Traffic, nobodys_ipv4, nobodys_ipv6};

/// What a change closed of the traffic that the site lives on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Every expected entry of the directions in which something was closed.
    pub entries: Vec<Reached>,
    /// The rules that let others reach what was closed, that the change removed and that are not there
    /// again; `None` where that is not known. Where it was a change of a list, they are still there, and name the list.
    pub removed: Option<Vec<Rule>>,
    /// The list from which entries were removed, where it was a change of a list.
    pub list: Option<CutList>,
    /// The rules that still let others reach some of it.
    pub left: Vec<Rule>,
    /// The prefix lists that could not be read and that decide about some of it.
    pub unread: BTreeSet<ListId>,
    /// How bad that is.
    pub severity: Severity,
}

/// A prefix list from which entries were removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutList {
    pub id: ListId,
    /// The version that was read after the change, where that is known.
    pub version: Option<i64>,
    /// What was removed and is not back; `None` where that is not known.
    pub removed: Option<Vec<IpNet>>,
}

/// Who could reach an expected entry of the baseline, and who can now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The entry's name.
    pub entry: String,
    /// Ingress or egress.
    pub direction: Direction,
    /// The address families that the entry admits.
    pub families: Vec<FamilyReach>,
    /// Whether the change closed it to somebody, or may have.
    pub is_closed: bool,
    /// Whether it did for certain.
    pub is_certain: bool,
    /// The peers of removed rules that can reach less of it than before.
    pub closed_to: Vec<Peer>,
    /// The protocols and ports that somebody could reach before and nobody can now.
    pub shut: Cells,
}

/// Who can reach an entry by one address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FamilyReach {
    pub family: Family,
    /// Before the change; `None` where that is not known.
    pub before: Option<Reach>,
    /// Now; `None` where that is not known.
    pub after: Option<Reach>,
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Ipv4,
    Ipv6,
}

/// Who can reach an entry; the more, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    Nobody,
    /// Some of those that the baseline admits, or some of the ports.
    Some,
    /// All that the baseline admits.
    Everybody,
}

impl Reached {
    /// Whether it is known that somebody can reach it now.
    pub fn is_open(&self) -> bool {
        self.families.iter().any(|family| family.after.is_some_and(|after| after != Reach::Nobody))
    }

    /// Whether it is known that nobody can reach it now.
    pub fn is_shut(&self) -> bool {
        self.families.iter().all(|family| family.after == Some(Reach::Nobody))
    }

    /// Keeps only what is true of `other` as well: the same entry, if the lists that could not be read
    /// hold something else.
    fn keep_what_agrees(&mut self, other: &Self) {
        self.is_certain &= other.is_closed;
        for own in &mut self.families {
            let other = other.families.iter().find(|other| other.family == own.family);
            own.before = own.before.filter(|_| other.map(|it| it.before) == Some(own.before));
            own.after = own.after.filter(|_| other.map(|it| it.after) == Some(own.after));
        }
        self.shut = self.shut.intersection(&other.shut);
    }
}

impl Closed {
    /// Whether it is known that the change closed something.
    pub fn is_known(&self) -> bool {
        self.closed().any(|entry| entry.is_certain)
    }

    /// The entries that were closed to somebody, or may have been.
    pub fn closed(&self) -> impl Iterator<Item = &Reached> + Clone {
        self.entries.iter().filter(|entry| entry.is_closed)
    }

    /// The direction of what was closed; `None` where that is both.
    pub fn only_direction(&self) -> Option<Direction> {
        let mut directions = self.closed().map(|entry| entry.direction);
        let first = directions.next()?;
        directions.all(|other| other == first).then_some(first)
    }

    /// Whether somebody can still reach anything that the site lives on, or may.
    pub fn is_anything_open(&self) -> bool {
        !self.entries.iter().all(Reached::is_shut)
    }
}

/// What a change closed of the traffic that the site lives on, if anything. `group` is the group
/// itself; `removals` is what the change removed, each in another direction; `rules` are the group's
/// rules now, in both directions; `lists` are those of [`lists_needed`].
pub fn closed(
    baseline: &Baseline,
    group: Option<&GroupId>,
    removals: &[RevokedRules],
    rules: &[Rule],
    lists: &Lists,
) -> Option<Closed> {
    let views = Views { now: lists.clone(), before: lists.clone() };
    let mut found = Found::default();
    for removal in removals {
        let RevokedRules { direction, removed: what, .. } = removal;
        let mut now = of_others(rules, *direction, group);
        let taken = match what {
            Removed::Rules(taken) => {
                let taken = of_others(taken, *direction, group);
                // A read that is behind still shows them. EC2 gives no other rule their ids.
                let ids: Vec<&RuleId> = taken.iter().filter_map(|rule| rule.id()).collect();
                now.retain(|rule| rule.id().is_none_or(|id| !ids.contains(&id)));
                Taken::Rules(taken)
            }
            Removed::Within(cells) => Taken::Within(cells.clone()),
        };
        let needed = lists_needed(baseline, std::slice::from_ref(removal), rules);
        found.add(baseline, *direction, (&taken, &now), &views, needed);
    }
    found.conclude(None)
}

/// What the removal of entries from a prefix list closed of the traffic that the site lives on, if
/// anything: the list admitted these entries too. `lists` are those of [`lists_needed`] as they are
/// now.
pub fn closed_by_list(
    baseline: &Baseline,
    group: Option<&GroupId>,
    list: CutList,
    rules: &[Rule],
    lists: &Lists,
) -> Option<Closed> {
    let names_it = |rule: &&Rule| rule.peer().list() == Some(&list.id);
    // What the baseline expects is what it expected before, where it names the list itself.
    let mut before = lists.clone();
    match &list.removed {
        Some(removed) => {
            let now = lists.get(&list.id).and_then(|it| it.as_ref().ok());
            let all = now.into_iter().flatten().chain(removed).copied().collect();
            before.insert(list.id.clone(), Ok(all));
        }
        None => {
            before.remove(&list.id);
        }
    }
    let views = Views { now: lists.clone(), before };
    let mut found = Found::default();
    for direction in Direction::BOTH {
        let now = of_others(rules, direction, group);
        let naming: Vec<&Rule> = now.iter().copied().filter(names_it).collect();
        let taken = match &list.removed {
            Some(_) => Taken::Rules(naming),
            None => Taken::Within(
                naming.iter().fold(Cells::empty(), |cells, rule| cells.union(&rule.cells())),
            ),
        };
        let nothing = RevokedRules::nothing(direction);
        let needed = lists_needed(baseline, &[nothing], rules);
        found.add(baseline, direction, (&taken, &now), &views, needed);
    }
    found.conclude(Some(list))
}

/// What a change took from a group in a direction.
enum Taken<'r> {
    /// What these rules admitted before.
    Rules(Vec<&'r Rule>),
    /// Something of these protocols and ports.
    Within(Cells),
}

/// The prefix lists as they are now and as they were before the change.
struct Views {
    now: Lists,
    before: Lists,
}

impl Views {
    /// The same, if the lists that could not be read hold these entries.
    fn assuming(&self, unread: &BTreeSet<ListId>, entries: &[IpNet]) -> Self {
        let assuming = |lists| assuming(lists, unread, entries);
        Self { now: assuming(&self.now), before: assuming(&self.before) }
    }
}

/// What was closed in the directions so far.
struct Found {
    entries: Vec<Reached>,
    removed: Option<Vec<Rule>>,
    left: Vec<Rule>,
    undecided: BTreeSet<ListId>,
}

impl Default for Found {
    fn default() -> Self {
        let (entries, left, undecided) = Default::default();
        Self { entries, removed: Some(Vec::new()), left, undecided }
    }
}

impl Found {
    /// Adds a direction. `now` are its rules; `unread` are the lists that decide, read or not.
    fn add(
        &mut self,
        baseline: &Baseline,
        direction: Direction,
        (taken, now): (&Taken<'_>, &[&Rule]),
        views: &Views,
        mut unread: BTreeSet<ListId>,
    ) {
        let reached = |expected: &[Expected<'_>]| -> Vec<Reached> {
            match taken {
                Taken::Rules(taken) => {
                    expected.iter().map(|one| one.after_removal(taken, now)).collect()
                }
                Taken::Within(touched) => perhaps_closed(expected, touched, now),
            }
        };
        let expected = Expected::of(baseline, direction, views);
        let mut of_direction = reached(&expected);
        unread.retain(|id| !is_known(&views.now, id));
        if of_direction.iter().any(|entry| entry.is_closed) && !unread.is_empty() {
            let by_name = of_direction.clone();
            let everybody = [Ipv4Net::default().into(), Ipv6Net::default().into()];
            for entries in [&[][..], &everybody] {
                let views = views.assuming(&unread, entries);
                let others = reached(&Expected::of(baseline, direction, &views));
                of_direction.iter_mut().zip(&others).for_each(|(own, it)| own.keep_what_agrees(it));
            }
            if of_direction != by_name {
                self.undecided.extend(unread);
            }
        }
        let closed = expected.iter().zip(&of_direction).filter(|(_, reached)| reached.is_closed);
        let closed: Vec<&Expected<'_>> = closed.map(|(one, _)| one).collect();
        if closed.is_empty() {
            return;
        }
        let admits = |rule: &&&Rule| closed.iter().any(|one| one.is_admitted_by(rule));
        self.left.extend(now.iter().filter(admits).copied().cloned());
        self.removed = match (self.removed.take(), taken) {
            (Some(mut removed), Taken::Rules(taken)) => {
                let admitted = |rule: &&&Rule| closed.iter().any(|one| one.was_admitted_by(rule));
                removed.extend(taken.iter().filter(admitted).copied().cloned());
                Some(removed)
            }
            _ => None,
        };
        let with_families = of_direction.into_iter().filter(|entry| !entry.families.is_empty());
        self.entries.extend(with_families);
    }

    fn conclude(self, list: Option<CutList>) -> Option<Closed> {
        let Self { entries, mut removed, left, undecided } = self;
        if entries.is_empty() {
            return None;
        }
        // EC2 refuses to add what is there again. The rules that name a list were never gone.
        if let (Some(removed), None) = (&mut removed, &list) {
            removed.retain(|rule| !left.iter().any(|it| it.content() == rule.content()));
        }
        let severity = Severity::Low;
        let closed = Closed { entries, removed, list, left, unread: undecided, severity };
        let severity = expected_traffic_closed(closed.is_known(), closed.is_anything_open());
        Some(Closed { severity, ..closed })
    }
}

/// The prefix lists to look up before [`closed`] or [`closed_by_list`] can tell what a change closed: those of the entries
/// and of the rules that let some of the traffic through, or did.
pub fn lists_needed(
    baseline: &Baseline,
    removals: &[RevokedRules],
    rules: &[Rule],
) -> BTreeSet<ListId> {
    let mut needed = BTreeSet::new();
    for RevokedRules { direction, removed, .. } in removals {
        let taken: &[Rule] = match removed {
            Removed::Rules(taken) => taken,
            Removed::Within(_) => &[],
        };
        for entry in baseline.entries(*direction).iter().filter(|entry| entry.expected) {
            let cells = entry.cells();
            let admits = |rule: &&Rule| {
                rule.direction() == *direction && !rule.cells().intersection(&cells).is_empty()
            };
            needed.extend(baseline.lists_among(&entry.peers).cloned());
            let rules = rules.iter().chain(taken).filter(admits);
            needed.extend(rules.filter_map(|rule| rule.peer().list()).cloned());
        }
    }
    needed
}

/// Whether it is known whom a list holds. One that does not exist holds nobody.
fn is_known(lists: &Lists, id: &ListId) -> bool {
    matches!(lists.get(id), Some(Ok(_) | Err(Ec2Error::NotFound { .. })))
}

/// The lists, if those that could not be read hold these entries.
fn assuming(lists: &Lists, unread: &BTreeSet<ListId>, entries: &[IpNet]) -> Lists {
    let assumed = unread.iter().map(|id| (id.clone(), Ok(entries.to_vec())));
    lists.clone().into_iter().chain(assumed).collect()
}

/// The rules of a direction that admit others than the group itself.
fn of_others<'r>(
    rules: &'r [Rule],
    direction: Direction,
    group: Option<&GroupId>,
) -> Vec<&'r Rule> {
    let is_itself = |rule: &Rule| match (rule.peer(), group) {
        (Peer::Reference(Reference::Group(peer)), Some(group)) => peer.id() == group,
        _ => false,
    };
    rules.iter().filter(|rule| rule.direction() == direction && !is_itself(rule)).collect()
}

/// Where it is not known what was removed, an entry may have been closed if the change can have
/// touched it. A site that is still reached one way may never have been reached the other way, so
/// that counts only if nobody can reach any entry that the change can have touched.
fn perhaps_closed(expected: &[Expected<'_>], cells: &Cells, now: &[&Rule]) -> Vec<Reached> {
    let is_touched =
        |one: &Expected<'_>| !one.traffic.is_empty() && !one.cells.intersection(cells).is_empty();
    let mut reached: Vec<Reached> =
        expected.iter().map(|one| one.after_unknown(is_touched(one), now)).collect();
    if reached.iter().any(|one| one.is_closed && one.is_open()) {
        reached.iter_mut().for_each(|one| one.is_closed = false);
    }
    reached
}

/// An expected entry of the baseline, with what it admits.
struct Expected<'a> {
    entry: &'a Entry,
    direction: Direction,
    views: &'a Views,
    cells: Cells,
    /// Addresses that somebody has, and by their name groups and lists that were not read. The group
    /// itself is no part of it.
    traffic: Traffic,
    /// Its ports with the addresses that nobody has.
    nobody: Traffic,
}

/// What some rules admit of an expected entry.
struct Admitted {
    /// Everything within the ports of the entry, and the addresses that nobody has: it makes no
    /// difference whether a rule admits those.
    all: Traffic,
    /// What the rules admit of this that counts: only what the entry admits, and only somebody.
    counted: Traffic,
    ipv4: Reach,
    ipv6: Reach,
}

/// Whether the members of groups, and of lists that were not read, count for IPv6. Which family they use is not known, so
/// they count for both; but where everybody can come by IPv4, they do.
#[derive(Clone, Copy)]
struct ByIpv6(bool);

impl<'a> Expected<'a> {
    /// The expected entries of a direction. One that admits only the group itself admits nobody.
    fn of(baseline: &'a Baseline, direction: Direction, views: &'a Views) -> Vec<Self> {
        let lists = &views.before;
        let known = lists.keys().filter(|id| is_known(lists, id)).cloned();
        let known: ReferenceSet = known.map(Reference::PrefixList).collect();
        baseline
            .admitted_by_entry(direction, None, lists)
            .filter(|(entry, _)| entry.expected)
            .map(|(entry, traffic)| {
                let cells = entry.cells();
                let (ipv4, ipv6) = (nobodys_ipv4(), nobodys_ipv6());
                let traffic = traffic.difference(&Traffic::new(&cells, ipv4, ipv6, &known));
                let nobody = Traffic::new(&cells, ipv4, ipv6, &ReferenceSet::empty());
                Self { entry, direction, views, cells, traffic, nobody }
            })
            .collect()
    }

    /// Whether it names groups or lists, whose members may have any address.
    fn names_somebody(&self) -> bool {
        !self.traffic.references.is_empty()
    }

    fn admits_ipv4(&self) -> bool {
        self.names_somebody() || !self.traffic.ipv4.is_empty()
    }

    fn admits_ipv6(&self) -> bool {
        self.names_somebody() || !self.traffic.ipv6.is_empty()
    }

    /// What a rule admits within the ports of the entry.
    fn of_rule(&self, rule: &Rule) -> Traffic {
        self.of_rule_by(&self.views.now, rule)
    }

    /// The same, where the lists are these.
    fn of_rule_by(&self, lists: &Lists, rule: &Rule) -> Traffic {
        let cells = rule.cells().intersection(&self.cells);
        match rule.peer().list().and_then(|id| lists.get(id)) {
            Some(Ok(entries)) => of_entries(&cells, entries),
            Some(Err(Ec2Error::NotFound { .. })) => Traffic::empty(),
            _ if rule.has_lost_peering() => Traffic::empty(),
            Some(Err(_)) | None => rule.traffic().within(&cells),
        }
    }

    /// What the rules that are there now admit of it.
    fn admitted_now(&self, now: &[&Rule]) -> (Admitted, ByIpv6) {
        let admitted = self.admitted(self.of_rules(now), ByIpv6(true));
        match admitted.ipv4 {
            Reach::Everybody => (self.admitted(self.of_rules(now), ByIpv6(false)), ByIpv6(false)),
            Reach::Nobody | Reach::Some => (admitted, ByIpv6(true)),
        }
    }

    /// What these rules admit now.
    fn of_rules(&self, now: &[&Rule]) -> Traffic {
        Traffic::union_of(now.iter().map(|rule| self.of_rule(rule)).collect())
    }

    /// What of it is admitted, where the rules admit this within its ports.
    fn admitted(&self, all: Traffic, ByIpv6(members_by_ipv6): ByIpv6) -> Admitted {
        let counted = self.counted(&all);
        let named = !all.references.is_empty();
        let all = all.union(&self.nobody);
        let reach = |everybody: bool, some: bool| match (everybody, some) {
            (true, _) => Reach::Everybody,
            (false, true) => Reach::Some,
            (false, false) => Reach::Nobody,
        };
        // Who is not admitted by name can still be admitted as one of all addresses.
        let unnamed =
            self.traffic.peers_by_reference().iter().fold(Cells::empty(), |cells, peer| {
                cells.union(&self.cells.difference(&all.cells_of(peer)))
            });
        let ipv4 = reach(
            self.traffic.ipv4.is_subset_of(&all.ipv4)
                && unnamed.is_subset_of(&all.cells_of_all_ipv4()),
            named || !counted.ipv4.is_empty(),
        );
        let ipv4 = if self.admits_ipv4() { ipv4 } else { Reach::Nobody };
        let ipv6 = reach(
            self.traffic.ipv6.is_subset_of(&all.ipv6)
                && unnamed.is_subset_of(&all.cells_of_all_ipv6()),
            named && members_by_ipv6 || !counted.ipv6.is_empty(),
        );
        let ipv6 = if self.admits_ipv6() { ipv6 } else { Reach::Nobody };
        Admitted { all, counted, ipv4, ipv6 }
    }

    /// What counts of the traffic that some rules admit within the ports of the entry.
    fn counted(&self, all: &Traffic) -> Traffic {
        let Traffic { ipv4, ipv6, .. } = match self.names_somebody() {
            true => all.difference(&self.nobody),
            false => all.intersection(&self.traffic),
        };
        Traffic { ipv4, ipv6, references: all.references.clone() }
    }

    /// Whether a rule admits some of it.
    fn is_admitted_by(&self, rule: &Rule) -> bool {
        !self.counted(&self.of_rule(rule)).is_empty()
    }

    /// Whether a rule admitted some of it before.
    fn was_admitted_by(&self, rule: &Rule) -> bool {
        !self.counted(&self.of_rule_by(&self.views.before, rule)).is_empty()
    }

    /// Who could reach it before these rules were removed, and who can now.
    fn after_removal(&self, taken: &[&Rule], now: &[&Rule]) -> Reached {
        let (after, by_ipv6) = self.admitted_now(now);
        // Judged the same way, so that removing a rule never lets anybody in.
        let was = taken.iter().map(|rule| self.of_rule_by(&self.views.before, rule)).collect();
        let was = Traffic::union_of(was).union(&self.of_rules(now));
        let before = self.admitted(was, by_ipv6);
        let lost: Vec<&Peer> = taken
            .iter()
            .filter(|rule| self.is_lost(rule, &after.all))
            .map(|rule| rule.peer())
            .collect();
        let lowered = before.ipv4 > after.ipv4 || before.ipv6 > after.ipv6;
        let mut closed_to: Vec<Peer> = Vec::new();
        for peer in &lost {
            if !closed_to.contains(peer) {
                closed_to.push((*peer).clone());
            }
        }
        // Behind a group or a list is often all the traffic of a site. A list that has other entries
        // left still lets somebody in.
        let has_rest = |peer: &Peer| {
            now.iter().any(|rule| rule.peer() == peer && self.is_surely_admitted_by(rule))
        };
        let is_lost = |peer: &&Peer| peer.reference().is_some() && !has_rest(peer);
        let is_closed = !self.traffic.is_empty() && (lowered || lost.iter().any(is_lost));
        Reached {
            is_closed,
            is_certain: is_closed,
            closed_to,
            shut: before.counted.cells().difference(&after.counted.cells()),
            ..self.reached(Some(&before), &after)
        }
    }

    /// Whether a rule that names a list admits some of it by the list's entries.
    fn is_surely_admitted_by(&self, rule: &Rule) -> bool {
        rule.peer().list().is_some_and(|id| is_known(&self.views.now, id))
            && self.is_admitted_by(rule)
    }

    /// Whether what a removed rule admitted of it is not admitted completely any more.
    fn is_lost(&self, rule: &Rule, now: &Traffic) -> bool {
        let taken = self.of_rule_by(&self.views.before, rule);
        match rule.peer().reference() {
            Some(peer) if !taken.references.is_empty() => {
                let anybody = match self.admits_ipv4() {
                    true => now.cells_of_all_ipv4(),
                    false => now.cells_of_all_ipv6(),
                };
                !taken.cells().is_subset_of(&now.cells_of(peer).union(&anybody))
            }
            _ => !self.counted(&taken).is_subset_of(now),
        }
    }

    /// Who can reach it now. If the change can have touched it, nobody knows who could before.
    fn after_unknown(&self, is_touched: bool, now: &[&Rule]) -> Reached {
        let (after, _) = self.admitted_now(now);
        let before = (!is_touched).then_some(&after);
        Reached { is_closed: is_touched, ..self.reached(before, &after) }
    }

    fn reached(&self, before: Option<&Admitted>, after: &Admitted) -> Reached {
        let ipv4 = FamilyReach {
            family: Family::Ipv4,
            before: before.map(|before| before.ipv4),
            after: Some(after.ipv4),
        };
        let ipv6 = FamilyReach {
            family: Family::Ipv6,
            before: before.map(|before| before.ipv6),
            after: Some(after.ipv6),
        };
        let families = [(ipv4, self.admits_ipv4()), (ipv6, self.admits_ipv6())];
        Reached {
            entry: self.entry.name.clone(),
            direction: self.direction,
            families: families.into_iter().filter(|(_, is)| *is).map(|(it, _)| it).collect(),
            is_closed: false,
            is_certain: false,
            closed_to: Vec::new(),
            shut: Cells::empty(),
        }
    }
}

#[cfg(test)]
mod tests;
