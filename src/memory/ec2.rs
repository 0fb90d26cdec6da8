use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::limit;
use crate::baseline::Lists;
use crate::ec2::hold::UNTIL;
use crate::ec2::{
    Direction, Ec2Error, Group, GroupId, GroupKey, GroupPage, GroupRef, ListId, ListNames,
    ListState, Missing, Peer, Place, PrefixList, RULE_LIMIT, Reference, Revoked, Rule, RuleId,
    SecurityGroups, Selection, cause,
};
use crate::words::rule_text;

/// How many groups are on a page.
const GROUPS_A_PAGE: usize = 100;

/// Security groups and prefix lists in memory.
#[derive(Debug)]
pub struct MemoryEc2 {
    pub(super) groups: RefCell<Vec<Stored>>,
    lists: Lists,
    list_names: ListNames,
    list_states: BTreeMap<ListId, (i64, ListState)>,
    has_other_lists: bool,
    rule_limit: usize,
    groups_a_page: usize,
    calls: RefCell<Vec<String>>,
    ids_given: Cell<u64>,
}

/// A group with its rules.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub place: Place,
    pub group: Group,
    pub rules: Vec<Rule>,
    /// Whether these are all its rules. No event tells what a group had before it.
    pub complete: bool,
}

impl Default for MemoryEc2 {
    fn default() -> Self {
        Self::new([], Lists::new())
    }
}

impl MemoryEc2 {
    /// An EC2 with these groups and prefix lists. Rules keep the ids they have. A rule without an id
    /// stays without, because an invented id would be reported as a real one.
    pub fn new(groups: impl IntoIterator<Item = (Place, Group, Vec<Rule>)>, lists: Lists) -> Self {
        let stored = groups.into_iter().map(|(place, group, rules)| {
            let rules = rules.into_iter().map(|rule| as_listed(rule, &place, &group)).collect();
            Stored { place, group, rules, complete: true }
        });
        Self {
            groups: RefCell::new(stored.collect()),
            lists,
            list_names: ListNames::new(),
            list_states: BTreeMap::new(),
            has_other_lists: false,
            rule_limit: RULE_LIMIT,
            groups_a_page: GROUPS_A_PAGE,
            calls: RefCell::default(),
            ids_given: Cell::default(),
        }
    }

    /// The same with another limit of rules for each direction and address family.
    #[must_use]
    pub fn with_rule_limit(mut self, rule_limit: usize) -> Self {
        self.rule_limit = rule_limit;
        self
    }

    /// The same with another number of groups a page.
    #[must_use]
    pub fn with_groups_a_page(mut self, groups_a_page: usize) -> Self {
        self.groups_a_page = groups_a_page;
        self
    }

    /// Other lists exist as well, and cannot be read.
    #[must_use]
    pub fn with_other_lists(mut self) -> Self {
        self.has_other_lists = true;
        self
    }

    /// The same, with names of prefix lists.
    #[must_use]
    pub fn with_list_names(mut self, names: ListNames) -> Self {
        self.list_names = names;
        self
    }

    /// The same with a prefix list at this version and in this state. Other lists have no version.
    #[must_use]
    pub fn with_list_state(mut self, id: ListId, version: i64, state: ListState) -> Self {
        self.list_states.insert(id, (version, state));
        self
    }

    /// The calls made since this was last asked, each in EC2's words, with the error code of those
    /// that were refused.
    pub fn take_calls(&self) -> Vec<String> {
        self.calls.take()
    }

    /// The rules that a group has now; `None` where there is no such group.
    pub fn rules_of(&self, group: &GroupId) -> Option<Vec<Rule>> {
        let groups = self.groups.borrow();
        groups.iter().find(|stored| stored.group.id == *group).map(|stored| stored.rules.clone())
    }

    #[cfg(test)]
    pub fn delete_group(&self, group: &GroupId) {
        self.groups.borrow_mut().retain(|stored| stored.group.id != *group);
    }

    /// Gives the rules of a group that have this content these tags and no others.
    #[cfg(test)]
    pub fn retag(&self, group: &GroupId, rule: &Rule, tags: &BTreeMap<String, String>) {
        for stored in self.groups.borrow_mut().iter_mut().filter(|it| it.group.id == *group) {
            for own in stored.rules.iter_mut().filter(|own| own.is_same_as(rule)) {
                *own = own.clone().with_tags(tags.clone());
            }
        }
    }

    /// How many rules the group has now; `None` where there is no such group.
    pub fn rule_count(&self, place: &Place, key: &GroupKey) -> Option<usize> {
        let groups = self.groups.borrow();
        groups.iter().find(|stored| stored.is_named(place, key)).map(|stored| stored.rules.len())
    }

    /// Whether it has rules without ids, as in listings that show neither ids nor tags of rules.
    pub fn has_rules_without_ids(&self) -> bool {
        let groups = self.groups.borrow();
        groups.iter().any(|stored| stored.rules.iter().any(|rule| rule.id().is_none()))
    }

    fn record(&self, call: String, refused: Option<&str>) {
        let call = match refused {
            Some(code) => format!("{call} ({code})"),
            None => call,
        };
        self.calls.borrow_mut().push(call);
    }

    /// A number that no id has yet.
    pub(super) fn new_number(&self) -> u64 {
        self.ids_given.replace(self.ids_given.get() + 1) + 1
    }

    /// Makes a call that is to change a group, or says like EC2 that there is no such group. `act`
    /// returns EC2's error code, if it has one to give, and the result.
    fn change<T>(
        &self,
        action: &'static str,
        (place, group, rule): (&Place, &GroupId, &Rule),
        act: impl FnOnce(&mut Stored) -> (Option<&'static str>, Result<T, Ec2Error>),
    ) -> Result<T, Ec2Error> {
        let mut groups = self.groups.borrow_mut();
        let (code, result) = match groups.iter_mut().find(|stored| stored.is(place, group)) {
            Some(stored) => act(stored),
            None => {
                let cause = cause(format!("the group `{group}` does not exist"));
                let missing = Missing::Group;
                (Some("InvalidGroup.NotFound"), Err(Ec2Error::NotFound { action, missing, cause }))
            }
        };
        self.record(format!("{action} {group} {}", rule_text(rule)), code);
        result
    }
}

impl SecurityGroups for MemoryEc2 {
    async fn group(&self, place: &Place, key: &GroupKey) -> Result<Option<Group>, Ec2Error> {
        const ACTION: &str = "DescribeSecurityGroups";
        let vpc = match key {
            GroupKey::Name { vpc_id: Some(vpc), .. } => format!(" in {vpc}"),
            GroupKey::Id(_) | GroupKey::Name { vpc_id: None, .. } => String::new(),
        };
        self.record(format!("{ACTION} {}{vpc}", key.as_str()), None);
        let groups = self.groups.borrow();
        let mut found = groups.iter().filter(|stored| stored.is_named(place, key));
        let first = found.next().map(|stored| stored.group.clone());
        if found.next().is_some() {
            // A name without a VPC means the default VPC, and nothing here tells which one that is.
            return Err(Ec2Error::Refused {
                action: ACTION,
                code: "InvalidParameterValue".to_owned(),
                cause: cause(format!("more than one group is called `{}`", key.as_str())),
            });
        }
        Ok(first)
    }

    async fn rules(&self, place: &Place, group: &GroupId) -> Result<Vec<Rule>, Ec2Error> {
        self.record(format!("DescribeSecurityGroupRules {group}"), None);
        let groups = self.groups.borrow();
        let stored = groups.iter().find(|stored| stored.is(place, group));
        // EC2 filters its rules by the group's id, so it lists none of a group that does not exist.
        Ok(stored.map(|stored| stored.rules.clone()).unwrap_or_default())
    }

    async fn groups(
        &self,
        place: &Place,
        which: Selection<'_>,
        page: Option<&str>,
    ) -> Result<GroupPage, Ec2Error> {
        let groups = self.groups.borrow();
        let start: usize = page.and_then(|page| page.parse().ok()).unwrap_or_default();
        let mut chosen = groups
            .iter()
            .filter(|stored| same_place(&stored.place, place) && stored.is_among(which))
            .skip(start)
            .map(|stored| stored.group.clone());
        let groups: Vec<_> = chosen.by_ref().take(self.groups_a_page).collect();
        let next = chosen.next().map(|_| (start + groups.len()).to_string());
        let what = match which {
            Selection::Scope(_) => "in scope".to_owned(),
            Selection::Naming(list, direction) => {
                format!("with {direction} rules that name {list}")
            }
        };
        self.record(format!("DescribeSecurityGroups {what}{}", there(place)), None);
        Ok(GroupPage { groups, next })
    }

    async fn page_rules(
        &self,
        place: &Place,
        groups: &[Group],
    ) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        self.record("DescribeSecurityGroupRules of these groups".to_owned(), None);
        let stored = self.groups.borrow();
        let mut rules = Vec::new();
        for group in groups {
            let found = stored.iter().find(|stored| stored.is(place, &group.id));
            let of_group = found.into_iter().flat_map(|stored| stored.rules.iter());
            rules.extend(of_group.map(|rule| (group.id.clone(), rule.clone())));
        }
        Ok(rules)
    }

    async fn held_rules(&self, place: &Place) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        let there = there(place);
        self.record(format!("DescribeSecurityGroupRules with the tag {UNTIL}{there}"), None);
        let groups = self.groups.borrow();
        let here = groups.iter().filter(|stored| same_place(&stored.place, place));
        Ok(here
            .flat_map(|stored| {
                let tagged = stored.rules.iter().filter(|rule| rule.tags().contains_key(UNTIL));
                tagged.map(|rule| (stored.group.id.clone(), rule.clone()))
            })
            .collect())
    }

    async fn rules_by_id(
        &self,
        place: &Place,
        ids: &[RuleId],
    ) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        let which = match ids {
            [only] => only.to_string(),
            _ => format!("of {} ids", ids.len()),
        };
        self.record(format!("DescribeSecurityGroupRules {which}{}", there(place)), None);
        let groups = self.groups.borrow();
        let here = groups.iter().filter(|stored| agree(&stored.place.region, &place.region));
        Ok(here
            .flat_map(|stored| {
                let has_id = |rule: &&Rule| rule.id().is_some_and(|id| ids.contains(id));
                let found = stored.rules.iter().filter(has_id);
                found.map(|rule| (stored.group.id.clone(), rule.clone()))
            })
            .collect())
    }

    async fn is_stale(&self, _: &Place, _: &GroupRef) -> Result<bool, Ec2Error> {
        // Nothing says that the groups in memory are all there are.
        Ok(false)
    }

    async fn prefix_list(&self, _: &Place, id: &ListId) -> Result<PrefixList, Ec2Error> {
        let action = "GetManagedPrefixListEntries";
        let found = match self.lists.get(id) {
            Some(Ok(entries)) => {
                let state = self.list_states.get(id).copied();
                let (version, state) =
                    state.map_or_else(Default::default, |(version, state)| (Some(version), state));
                let name = self.list_names.get(id).cloned();
                Ok(PrefixList { name, entries: entries.clone(), version, state })
            }
            Some(Err(error)) => Err(error.clone()),
            None => {
                let cause = cause(format!("the entries of `{id}` were not given"));
                Err(match self.has_other_lists {
                    true => Ec2Error::Denied { action, cause },
                    false => Ec2Error::NotFound { action, missing: Missing::Other, cause },
                })
            }
        };
        let refused = match &found {
            Ok(_) => None,
            Err(Ec2Error::NotFound { .. }) => Some("InvalidPrefixListID.NotFound"),
            Err(_) => Some("UnauthorizedOperation"),
        };
        self.record(format!("{action} {id}"), refused);
        found
    }

    async fn authorize(&self, place: &Place, group: &GroupId, rule: &Rule) -> Result<(), Ec2Error> {
        let action = match rule.direction() {
            Direction::Ingress => "AuthorizeSecurityGroupIngress",
            Direction::Egress => "AuthorizeSecurityGroupEgress",
        };
        self.change(action, (place, group, rule), |stored| {
            let rule = as_listed(rule.clone(), &stored.place, &stored.group);
            if stored.rules.iter().any(|other| other.is_same_as(&rule)) {
                return (Some("InvalidPermission.Duplicate"), Err(Ec2Error::Duplicate));
            }
            if limit::is_exceeded(&stored.rules, &rule, self.rule_limit, &self.lists) {
                let code = Some("RulesPerSecurityGroupLimitExceeded");
                return (code, Err(Ec2Error::LimitExceeded));
            }
            let id = format!("sgr-{:017x}", self.new_number()).parse().ok();
            stored.rules.push(rule.with_id(id));
            (None, Ok(()))
        })
    }

    async fn revoke(
        &self,
        place: &Place,
        group: &GroupId,
        rule: &Rule,
    ) -> Result<Revoked, Ec2Error> {
        let action = match rule.direction() {
            Direction::Ingress => "RevokeSecurityGroupIngress",
            Direction::Egress => "RevokeSecurityGroupEgress",
        };
        self.change(action, (place, group, rule), |stored| {
            let rule = as_listed(rule.clone(), &stored.place, &stored.group);
            match stored.rules.iter().position(|other| other.is_same_as(&rule)) {
                Some(at) => {
                    stored.rules.remove(at);
                    (None, Ok(Revoked::Proven))
                }
                None => (Some("InvalidPermission.NotFound"), Ok(Revoked::NothingThere)),
            }
        })
    }
}

impl Stored {
    /// Whether it is the group that an account at `place` knows by this id. No two accounts have
    /// groups of the same id, so one of another account has been shared with it.
    fn is(&self, place: &Place, id: &GroupId) -> bool {
        self.group.id == *id && agree(&self.place.region, &place.region)
    }

    pub fn is_named(&self, place: &Place, key: &GroupKey) -> bool {
        match key {
            GroupKey::Id(id) => self.is(place, id),
            GroupKey::Name { name, vpc_id } => {
                self.group.name.as_ref() == Some(name)
                    && agree(&self.group.vpc_id, vpc_id)
                    && same_place(&self.place, place)
            }
        }
    }

    fn is_among(&self, which: Selection<'_>) -> bool {
        match which {
            Selection::Scope(scope) => scope.contains(&self.group),
            Selection::Naming(list, direction) => self
                .rules
                .iter()
                .any(|rule| rule.direction() == direction && rule.peer().list() == Some(list)),
        }
    }
}

/// Whether two values are the same, as far as they are known.
fn agree<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
    a.is_none() || b.is_none() || a == b
}

/// Whether what is known of two places agrees. Files of groups do not always tell the region.
fn same_place(a: &Place, b: &Place) -> bool {
    agree(&a.account, &b.account) && agree(&a.region, &b.region)
}

/// The rule as EC2 lists it: a group of the same account is named without the account.
pub(super) fn as_listed(rule: Rule, place: &Place, group: &Group) -> Rule {
    let owner = group.owner.as_ref().or(place.account.as_ref());
    match rule.peer() {
        Peer::Reference(Reference::Group(peer)) => {
            let peer = peer.clone().seen_from(owner);
            rule.with_peer(Peer::Reference(Reference::Group(peer)))
        }
        _ => rule,
    }
}

/// The place of a call that names no group, which alone would tell.
fn there(place: &Place) -> String {
    let account = place.account.as_ref().map(|account| format!("account {account}"));
    let region = place.region.as_ref().map(ToString::to_string);
    match (account, region) {
        (Some(account), Some(region)) => format!(", {account} in {region}"),
        (Some(account), None) => format!(", {account}"),
        (None, Some(region)) => format!(", the region {region}"),
        (None, None) => String::new(),
    }
}
