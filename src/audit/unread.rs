//! A group that cannot be read, and will not be: what is known of its rules from elsewhere is judged,
//! and nothing is done about it.

use chrono::{DateTime, Utc};

use super::case::{Case, Remedy};
use super::noncompliant::noncompliant;
use super::ports::Group;
use super::summary::Tally;
use crate::baseline::Lists;
use crate::ec2::hold::Claim;
use crate::ec2::{Direction, Rule};
use crate::evaluate::Judge;
use crate::evaluate::plan::is_due;
use crate::finding::Outcome;
use crate::settings::{Remediation, Settings};

/// What is known of such a group.
pub struct Unread<'a> {
    /// What to hold it against.
    pub settings: &'a Settings,
    /// What the findings have in common.
    pub case: &'a Case<'a>,
    /// Its id.
    pub group: &'a str,
    /// What would be done about its rules.
    pub remediation: Remediation,
    /// Why nothing is done, in sentences.
    pub detail: String,
    /// What time it is.
    pub now: DateTime<Utc>,
}

impl Unread<'_> {
    /// What does not comply of these rules. Lists cannot be read either.
    pub fn judged(&self, rules: &[(&Rule, Claim)]) -> Tally {
        let known = Group { id: self.group.to_owned(), ..Group::default() };
        let case = Case { group: self.case.group.or(Some(&known)), ..self.case.clone() };
        let mut tally = Tally { groups: 1, rules: rules.len(), ..Tally::default() };
        let (lists, today) = (Lists::new(), self.now.date_naive());
        for direction in [Direction::Ingress, Direction::Egress] {
            let baseline = &self.settings.baseline;
            let judge = Judge::new(baseline, direction, Some(self.group), &lists, today);
            let of_direction = rules.iter().filter(|(rule, _)| rule.direction == direction);
            let found = noncompliant(&judge, &case, of_direction, |(rule, _)| rule, &mut tally);
            for (code, (rule, claim), judgement) in found {
                let outcome = match claim {
                    Claim::Held(_) => Outcome::Held,
                    _ if is_due(self.remediation, direction, code, &judgement) => Outcome::Failed,
                    _ => Outcome::None,
                };
                let remedy = Remedy::untouched(outcome, self.detail.clone(), self.now);
                tally.findings.push(case.finding(&judge, code, rule, &judgement, remedy));
            }
        }
        tally
    }
}
