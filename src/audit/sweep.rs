//! Every group in scope, page by page: what no event told of does not stay unseen.

use chrono::{DateTime, TimeDelta, Utc};

use super::case::Case;
use super::group::GroupAudit;
use super::introduced::Introduced;
use super::library::Library;
use super::ports::{Group, Place, SecurityGroups, Selection};
use super::summary::Tally;
use super::{AuditError, Clock};
use crate::rule::Rule;
use crate::settings::{Remediation, Settings};

/// So long before the deadline the sweep stops: what was found has to be published, and the rest
/// handed on, each of which may take as long as a call with its retries.
const RESERVE: TimeDelta = TimeDelta::seconds(35);

/// How far a sweep came in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// All groups are audited.
    End,
    /// There was no time for more: this page is the next, the first where there is none.
    Page(Option<String>),
}

/// Audits groups as they are.
pub struct Sweep<'a, E> {
    /// EC2.
    pub ec2: &'a E,
    /// What to hold groups against.
    pub settings: &'a Settings,
    /// What may be done about what is found.
    pub remediation: Remediation,
    /// The prefix lists, looked up once for all groups.
    pub library: &'a Library<'a, E>,
    /// What time it is.
    pub clock: Clock<'a>,
    /// When there has to be an answer.
    pub deadline: Option<DateTime<Utc>>,
    /// Told after each page what was audited so far.
    pub progress: &'a dyn Fn(&Tally),
}

impl<E: SecurityGroups> Sweep<'_, E> {
    /// Audits the groups of a place from `page` on. What was found is in `tally` even where the
    /// sweep breaks off. At least one page is read, so that the next invocation goes on further.
    ///
    /// # Errors
    ///
    /// When EC2 did not answer for now, or refuses to list groups.
    pub async fn place(
        &self,
        place: &Place,
        mut page: Option<String>,
        tally: &mut Tally,
    ) -> Result<Reached, AuditError> {
        loop {
            let which = Selection::Scope(&self.settings.scope);
            let got = self.ec2.groups(place, which, page.as_deref()).await?;
            for (group, rules) in &got.groups {
                tally.extend(self.group(place, group, rules).await?);
            }
            (self.progress)(tally);
            match got.next {
                None => return Ok(Reached::End),
                next if self.is_late() => return Ok(Reached::Page(next)),
                next => page = next,
            }
        }
    }

    /// Whether there is no time left for another page.
    pub fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| (self.clock)() + RESERVE > deadline)
    }

    async fn group(
        &self,
        place: &Place,
        group: &Group,
        rules: &[Rule],
    ) -> Result<Tally, AuditError> {
        // EC2's answer says who owns the group; where nothing else does, that is its account.
        let place = Place {
            account: place.account.clone().or_else(|| group.owner.clone()),
            region: place.region.clone(),
        };
        let now = (self.clock)();
        let introduced =
            rules.iter().map(|rule| Introduced::standing(self.settings, rule, None, now)).collect();
        let audit = GroupAudit {
            ec2: self.ec2,
            library: self.library,
            settings: self.settings,
            case: Case { place: &place, group: Some(group), record: None },
            group,
            rules,
            introduced,
            remediation: self.remediation,
            cause: None,
            clock: self.clock,
        };
        audit.run().await
    }
}
