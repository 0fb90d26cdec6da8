//! Groups with their rules, page by page.

use std::collections::HashMap;

use futures_util::future::join;

use super::port::{Ec2Error, GroupPage, SecurityGroups, Selection};
use super::{Group, GroupId, Place, Rule};

/// The pages of the groups that were asked for. While the rules of one page are read, EC2 is asked for the
/// groups of the next.
#[derive(Debug)]
pub struct Pages<'a, E> {
    ec2: &'a E,
    place: &'a Place,
    which: Selection<'a>,
    token: Option<String>,
    ahead: Option<Result<GroupPage, Ec2Error>>,
}

/// A page of groups, each with all its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub groups: Vec<(Group, Vec<Rule>)>,
    /// The token of the next page; `None` on the last one.
    pub next: Option<String>,
}

impl<'a, E: SecurityGroups> Pages<'a, E> {
    /// The pages from the one that `token` stands for, or from the first.
    pub fn new(
        ec2: &'a E,
        place: &'a Place,
        which: Selection<'a>,
        token: Option<String>,
    ) -> Pages<'a, E> {
        Self { ec2, place, which, token, ahead: None }
    }

    /// The next page, and after the last one the last one again. If there will be no time for another page,
    /// none is asked for `ahead`. What goes wrong with the groups of a page is an error of that page, not
    /// of the one before.
    pub async fn next(&mut self, ahead: bool) -> Result<Page, Ec2Error> {
        let Self { ec2, place, which, .. } = *self;
        let GroupPage { groups, next } = match self.ahead.take() {
            Some(listed) => listed?,
            None => ec2.groups(place, which, self.token.as_deref()).await?,
        };
        let rules = async {
            if groups.is_empty() { Ok(Vec::new()) } else { ec2.page_rules(place, &groups).await }
        };
        let following = async {
            let token = next.as_deref().filter(|_| ahead)?;
            Some(ec2.groups(place, which, Some(token)).await)
        };
        let (rules, following) = join(rules, following).await;
        let mut by_group: HashMap<GroupId, Vec<Rule>> = HashMap::new();
        for (id, rule) in rules? {
            by_group.entry(id).or_default().push(rule);
        }
        let with_rules = |group: Group| {
            let rules = by_group.remove(&group.id).unwrap_or_default();
            (group, rules)
        };
        let groups = groups.into_iter().map(with_rules).collect();
        (self.token, self.ahead) = (next.clone(), following);
        Ok(Page { groups, next })
    }
}
