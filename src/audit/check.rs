//! Groups as they are, held against the baseline without changing anything.

use chrono::{DateTime, Utc};

use super::case::{Case, Remedy};
use super::in_scope;
use super::ports::{Group, Place};
use super::remedy::{ONLY_REPORTED, compliant, held, on_claim, would_keep};
use super::summary::{Tally, report};
use crate::baseline::Lists;
use crate::evaluate::{Judge, Judgement, open_ssh_in_baseline};
use crate::finding::{Code, Outcome, Report};
use crate::hold::{Claim, claim};
use crate::rule::{Direction, Rule};
use crate::settings::Settings;

/// Audits groups as they are, without changing anything.
pub fn check(
    groups: Vec<(Place, Group, Vec<Rule>)>,
    settings: &Settings,
    lists: &Lists,
    now: DateTime<Utc>,
) -> Report {
    let baseline = &settings.baseline;
    let mut tally = Tally::default();
    for (place, group, rules) in &groups {
        if !in_scope(&settings.scope, group) {
            continue;
        }
        tally.groups += 1;
        tally.rules += rules.len();
        let case = Case { place, group: Some(group), record: None };
        let own = group.owner.as_deref().or(place.account.as_deref());
        let seen = baseline.clone().of_account(own);
        for direction in [Direction::Ingress, Direction::Egress] {
            let judge = Judge::new(&seen, direction, Some(&group.id), lists, now.date_naive());
            let mut noncompliant: Vec<(Code, &Rule, Judgement)> = Vec::new();
            for rule in rules.iter().filter(|rule| rule.direction == direction) {
                let judgement = judge.judge(rule);
                tally.exempt(case.exempted(&judge, rule, &judgement));
                noncompliant.extend(judge.code(&judgement).map(|code| (code, rule, judgement)));
            }
            if noncompliant.is_empty() {
                continue;
            }
            let covered = compliant(&judge, rules, direction);
            for (code, rule, judgement) in noncompliant {
                let claim = claim(&rule.tags, now, now, settings.hold_max_hours);
                let (outcome, detail, hold) = match &claim {
                    Claim::Held(hold) => {
                        let detail = held(hold, settings.remediation, true);
                        (Outcome::Held, detail, Some(hold.clone()))
                    }
                    _ => (Outcome::None, ONLY_REPORTED.to_owned(), None),
                };
                let mut remedy = Remedy {
                    outcome,
                    detail,
                    time: now,
                    undo: None,
                    hold,
                    kept: would_keep(settings, &judge, rule, &judgement, &covered)
                        .unwrap_or_default(),
                    gone: false,
                    connections: None,
                };
                remedy.add(on_claim(&claim).as_deref());
                tally.findings.push(case.finding(&judge, code, rule, &judgement, remedy));
            }
        }
    }
    if open_ssh_in_baseline(baseline, lists, now.date_naive()) {
        let place = groups.first().map(|(place, _, _)| place.clone()).unwrap_or_default();
        let case = Case { place: &place, group: None, record: None };
        tally.findings.push(case.open_ssh_in_baseline(&baseline.name, now));
    }
    report(&baseline.reference(), tally)
}
