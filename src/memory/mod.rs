//! An EC2 in memory, for the command line and for tests.
//!
//! It behaves like EC2 where the audit depends on it: a group is found by its id, or by its name
//! where only one has it; a rule is the same rule as another when their contents are, whatever
//! their descriptions; a revocation goes by content and says whether there was anything to revoke;
//! a group holds so many rules and no more. Every call is written down in EC2's words.

mod apply;
mod calls;
mod limit;
mod notifier;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use crate::audit::{Ec2Error, Group, ListState, Place, Selection, in_scope};
use crate::baseline::Lists;
use crate::ec2::{Peer, RULE_LIMIT, Rule};
use crate::event::{GroupKey, SgChange};
use crate::net::Reference;
use crate::text::rule_text;

pub use notifier::MemoryNotifier;

/// So many groups are on a page.
const GROUPS_A_PAGE: usize = 100;

/// Security groups and prefix lists, held in memory.
#[derive(Debug)]
pub struct MemoryEc2 {
    held: RefCell<Vec<Held>>,
    lists: Lists,
    list_states: BTreeMap<String, (i64, ListState)>,
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
            list_states: BTreeMap::new(),
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

    /// The same with a prefix list at this version and in this state. One of which nothing is said
    /// has no version.
    #[must_use]
    pub fn with_list_state(mut self, id: &str, version: i64, state: ListState) -> Self {
        self.list_states.insert(id.to_owned(), (version, state));
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

fn place_of(change: &SgChange) -> Place {
    Place { account: change.record.account.clone(), region: change.record.region.clone() }
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
