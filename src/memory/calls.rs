//! The calls of EC2, answered from memory.

use super::{Answer, Call, MemoryEc2, limit, own_names, same_place};
use crate::audit::{
    Ec2Error, Group, GroupPage, Place, PrefixList, Revoked, SecurityGroups, Selection,
};
use crate::ec2::hold::UNTIL;
use crate::ec2::{Direction, GroupRef, Rule};
use crate::event::GroupKey;

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
                let state = self.list_states.get(id).copied();
                let (version, state) =
                    state.map_or_else(Default::default, |(version, state)| (Some(version), state));
                Ok(PrefixList { entries: entries.clone(), version, state })
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

/// Where a call goes that names no group, which alone would tell.
fn there(place: &Place) -> String {
    match (&place.account, &place.region) {
        (None, None) => String::new(),
        _ => format!(", {}", place.called()),
    }
}
