//! An EC2 in memory, for the command line and for tests.
//!
//! It behaves like EC2 where the audit depends on it: a group is found by its id, or by its name
//! where only one has it; a rule is the same rule as another when their contents are, whatever
//! their descriptions; a revocation goes by content and says whether there was anything to revoke;
//! a group holds so many rules and no more. Every call is written down in EC2's words.

mod apply;
mod limit;
mod notifier;

use std::cell::{Cell, RefCell};

use crate::audit::{
    Ec2Error, Group, GroupPage, Place, PrefixList, Revoked, SecurityGroups, Selection, in_scope,
};
use crate::baseline::Lists;
use crate::event::{GroupKey, SgChange};
use crate::hold::UNTIL;
use crate::net::Reference;
use crate::rule::{Direction, GroupRef, Peer, RULE_LIMIT, Rule};
use crate::words::rule_text;

pub use notifier::MemoryNotifier;

/// So many groups are on a page.
const GROUPS_A_PAGE: usize = 100;

/// Security groups and prefix lists, held in memory.
#[derive(Debug)]
pub struct MemoryEc2 {
    held: RefCell<Vec<Held>>,
    lists: Lists,
    rule_limit: usize,
    groups_a_page: usize,
    calls: RefCell<Vec<String>>,
    ids_given: Cell<u64>,
}

/// A group with its rules.
#[derive(Clone, Debug)]
struct Held {
    place: Place,
    group: Group,
    rules: Vec<Rule>,
    /// Whether these are all its rules. No event tells what a group held before it.
    complete: bool,
}

impl MemoryEc2 {
    /// An EC2 with these groups and these prefix lists. Rules keep the ids they have; one without
    /// stays without, since an id that was made up would be reported as though it were real.
    pub fn new(groups: impl IntoIterator<Item = (Place, Group, Vec<Rule>)>, lists: Lists) -> Self {
        let held = groups.into_iter().map(|(place, group, rules)| {
            let rules = rules.into_iter().map(|rule| own_names(rule, &place, &group)).collect();
            Held { place, group, rules, complete: true }
        });
        Self {
            held: RefCell::new(held.collect()),
            lists,
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

    /// The calls made since this was last asked, each in EC2's words, with the error code of those
    /// that were refused.
    pub fn take_calls(&self) -> Vec<String> {
        self.calls.take()
    }

    /// The rules that a group has now; `None` where there is no such group.
    pub fn rules_of(&self, group: &str) -> Option<Vec<Rule>> {
        let held = self.held.borrow();
        held.iter().find(|held| held.group.id == group).map(|held| held.rules.clone())
    }

    /// How many rules the group that changed has now; `None` where there is no such group.
    pub fn rule_count(&self, change: &SgChange) -> Option<usize> {
        let held = self.held.borrow();
        held.iter().find(|held| held.is_changed_by(change)).map(|held| held.rules.len())
    }

    fn record(&self, call: String, refused: Option<&str>) {
        let call = match refused {
            Some(code) => format!("{call} ({code})"),
            None => call,
        };
        self.calls.borrow_mut().push(call);
    }

    /// An id that no group and no rule has.
    fn new_id(&self, prefix: &str) -> String {
        let number = self.ids_given.get() + 1;
        self.ids_given.set(number);
        format!("{prefix}-{number:017x}")
    }

    /// Makes a call that is to change a group, or says like EC2 that there is no such group. `act`
    /// says what came of it.
    fn change<T>(
        &self,
        call: Call<'_>,
        act: impl FnOnce(&mut Held) -> Answer<T>,
    ) -> Result<T, Ec2Error> {
        let mut held = self.held.borrow_mut();
        let answer = match held.iter_mut().find(|held| held.is(call.place, call.group)) {
            Some(held) => act(held),
            None => Answer {
                code: Some("InvalidGroup.NotFound"),
                result: Err(Ec2Error::NotFound {
                    action: call.action,
                    message: format!("the group `{}` does not exist", call.group),
                }),
            },
        };
        let text = format!("{} {} {}", call.action, call.group, rule_text(call.rule));
        self.record(text, answer.code);
        answer.result
    }
}

/// A call that is to change a group.
struct Call<'a> {
    action: &'static str,
    place: &'a Place,
    group: &'a str,
    rule: &'a Rule,
}

/// EC2's error code, where it has one to give, and what the audit makes of it.
struct Answer<T> {
    code: Option<&'static str>,
    result: Result<T, Ec2Error>,
}

impl Held {
    fn is(&self, place: &Place, id: &str) -> bool {
        self.group.id == id && same_place(&self.place, place)
    }

    fn answers_to(&self, place: &Place, key: &GroupKey) -> bool {
        match key {
            GroupKey::Id(id) => self.is(place, id),
            GroupKey::Name(name) => {
                self.group.name.as_ref() == Some(name) && same_place(&self.place, place)
            }
        }
    }

    fn is_among(&self, which: Selection<'_>) -> bool {
        match which {
            Selection::Scope(scope) => in_scope(scope, &self.group),
            Selection::Naming(list, direction) => self
                .rules
                .iter()
                .any(|rule| rule.direction == direction && rule.peer == Peer::prefix_list(list)),
        }
    }

    fn is_changed_by(&self, change: &SgChange) -> bool {
        self.answers_to(&place_of(change), &change.group)
    }
}

impl SecurityGroups for MemoryEc2 {
    async fn group(&self, place: &Place, key: &GroupKey) -> Result<Option<Group>, Ec2Error> {
        const ACTION: &str = "DescribeSecurityGroups";
        let (GroupKey::Id(wanted) | GroupKey::Name(wanted)) = key;
        self.record(format!("{ACTION} {wanted}"), None);
        let held = self.held.borrow();
        let mut found = held.iter().filter(|held| held.answers_to(place, key));
        let first = found.next().map(|held| held.group.clone());
        if found.next().is_some() {
            // By name means in the default VPC, and nothing here tells which VPC that is.
            return Err(Ec2Error::Refused {
                action: ACTION,
                code: "InvalidParameterValue".to_owned(),
                message: format!("more than one group is called `{wanted}`"),
            });
        }
        Ok(first)
    }

    async fn rules(&self, place: &Place, group: &Group) -> Result<Vec<Rule>, Ec2Error> {
        self.record(format!("DescribeSecurityGroupRules {}", group.id), None);
        let held = self.held.borrow();
        // EC2 filters its rules by the group's id: of a group that is not there it lists none.
        Ok(held
            .iter()
            .find(|held| held.is(place, &group.id))
            .map(|held| held.rules.clone())
            .unwrap_or_default())
    }

    async fn groups(
        &self,
        place: &Place,
        which: Selection<'_>,
        page: Option<&str>,
    ) -> Result<GroupPage, Ec2Error> {
        let held = self.held.borrow();
        let start: usize = page.and_then(|page| page.parse().ok()).unwrap_or_default();
        let mut chosen = held
            .iter()
            .filter(|held| same_place(&held.place, place) && held.is_among(which))
            .skip(start)
            .map(|held| (held.group.clone(), held.rules.clone()));
        let groups: Vec<_> = chosen.by_ref().take(self.groups_a_page).collect();
        let next = chosen.next().map(|_| (start + groups.len()).to_string());
        let what = match which {
            Selection::Scope(_) => "in scope".to_owned(),
            Selection::Naming(list, direction) => {
                format!("with {direction} rules that name {list}")
            }
        };
        self.record(format!("DescribeSecurityGroups {what}{}", there(place)), None);
        if !groups.is_empty() {
            self.record("DescribeSecurityGroupRules of these groups".to_owned(), None);
        }
        Ok(GroupPage { groups, next })
    }

    async fn held_rules(&self, place: &Place) -> Result<Vec<(String, Rule)>, Ec2Error> {
        let there = there(place);
        self.record(format!("DescribeSecurityGroupRules with the tag {UNTIL}{there}"), None);
        let held = self.held.borrow();
        let here = held.iter().filter(|held| same_place(&held.place, place));
        Ok(here
            .flat_map(|held| {
                let tagged = held.rules.iter().filter(|rule| rule.tags.contains_key(UNTIL));
                tagged.map(|rule| (held.group.id.clone(), rule.clone()))
            })
            .collect())
    }

    async fn is_stale(&self, _: &Place, _: &GroupRef) -> Result<bool, Ec2Error> {
        // Nobody says that the groups in memory are all there are.
        Ok(false)
    }

    async fn prefix_list(&self, _: &Place, id: &str) -> Result<PrefixList, Ec2Error> {
        const ACTION: &str = "GetManagedPrefixListEntries";
        let found = match self.lists.get(id) {
            Some(Ok(entries)) => {
                Ok(PrefixList { entries: entries.clone(), ..PrefixList::default() })
            }
            Some(Err(reason)) => Err(reason.clone()),
            None => Err(format!("the entries of `{id}` were not given")),
        };
        let refused = found.is_err().then_some("InvalidPrefixListID.NotFound");
        self.record(format!("{ACTION} {id}"), refused);
        found.map_err(|message| Ec2Error::NotFound { action: ACTION, message })
    }

    async fn authorize(&self, place: &Place, group: &str, rule: &Rule) -> Result<(), Ec2Error> {
        let action = match rule.direction {
            Direction::Ingress => "AuthorizeSecurityGroupIngress",
            Direction::Egress => "AuthorizeSecurityGroupEgress",
        };
        self.change(Call { action, place, group, rule }, |held| {
            let mut rule = own_names(rule.clone(), &held.place, &held.group);
            if held.rules.iter().any(|other| other.content() == rule.content()) {
                let code = Some("InvalidPermission.Duplicate");
                return Answer { code, result: Err(Ec2Error::Duplicate) };
            }
            if limit::is_exceeded(&held.rules, &rule, self.rule_limit, &self.lists) {
                let code = Some("RulesPerSecurityGroupLimitExceeded");
                return Answer { code, result: Err(Ec2Error::LimitExceeded) };
            }
            rule.id = Some(self.new_id("sgr"));
            held.rules.push(rule);
            Answer { code: None, result: Ok(()) }
        })
    }

    async fn revoke(&self, place: &Place, group: &str, rule: &Rule) -> Result<Revoked, Ec2Error> {
        let action = match rule.direction {
            Direction::Ingress => "RevokeSecurityGroupIngress",
            Direction::Egress => "RevokeSecurityGroupEgress",
        };
        self.change(Call { action, place, group, rule }, |held| {
            let content = own_names(rule.clone(), &held.place, &held.group).content();
            match held.rules.iter().position(|other| other.content() == content) {
                Some(at) => {
                    held.rules.remove(at);
                    Answer { code: None, result: Ok(Revoked::Proven) }
                }
                None => Answer {
                    code: Some("InvalidPermission.NotFound"),
                    result: Ok(Revoked::NothingThere),
                },
            }
        })
    }
}

fn place_of(change: &SgChange) -> Place {
    Place { account: change.record.account.clone(), region: change.record.region.clone() }
}

/// Where a call goes that names no group, which alone would tell.
fn there(place: &Place) -> String {
    match (&place.account, &place.region) {
        (None, None) => String::new(),
        _ => format!(", {}", place.called()),
    }
}

/// What is known of two places does not tell them apart. Files of groups do not always say the
/// region.
fn same_place(a: &Place, b: &Place) -> bool {
    let agree = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
    agree(&a.account, &b.account) && agree(&a.region, &b.region)
}

/// The rule as EC2 lists it: a group of the same account is named without the account.
fn own_names(mut rule: Rule, place: &Place, group: &Group) -> Rule {
    let own = group.owner.as_ref().or(place.account.as_ref());
    if let Peer::Reference(Reference::Group(peer)) = &mut rule.peer
        && peer.account.as_ref() == own
    {
        peer.account = None;
    }
    rule
}

#[cfg(test)]
mod tests;
