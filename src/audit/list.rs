//! A change of a prefix list: it opens and closes groups without touching any.
//!
//! Every group in scope whose rules name the list is audited, by notice only: the same list may
//! serve a hundred groups, and whoever maintains it can put it back in one call.

use std::collections::BTreeSet;

use super::case::Case;
use super::group::{Closing, GroupAudit};
use super::introduced::Introduced;
use super::library::Library;
use super::ports::{
    Ec2Error, ListState, Notifier, Onward, Place, PrefixList, SecurityGroups, Selection,
};
use super::summary::{Tally, not_audited, report};
use super::{AuditError, Auditor, Clock, in_scope};
use crate::baseline::Lists;
use crate::ec2::{Direction, Peer, Rule};
use crate::evaluate::severity::open_ssh_in_baseline as by_change;
use crate::evaluate::{Judgement, open_ssh_in_baseline};
use crate::event::ListChange;
use crate::finding::{Finding, Report, ReportOutcome};
use crate::net::{Set, addresses};
use crate::settings::{Remediation, Settings};

/// So many entries of a list are named in a finding.
const ENTRIES_NAMED: usize = 6;

/// The change of a list, as what has to be said of the rules that name it.
#[derive(Clone, Debug)]
pub struct Cause<'a> {
    change: &'a ListChange,
    list: &'a PrefixList,
}

impl Cause<'_> {
    /// Which entries of the list are what is too much of a rule, those that the change added first;
    /// all that it has where `judgement` does not tell.
    pub fn note(&self, judgement: Option<&Judgement>) -> String {
        let excess = judgement
            .map(|judgement| (judgement.excess.peers_ipv4(), judgement.excess.peers_ipv6()));
        let beyond = |net: &&ipnet::IpNet| {
            let (ipv4, ipv6) = addresses([*net]);
            excess.as_ref().is_none_or(|(excess_ipv4, excess_ipv6)| {
                !ipv4.intersection(excess_ipv4).is_empty()
                    || !ipv6.intersection(excess_ipv6).is_empty()
            })
        };
        let mut entries: Vec<_> = self.list.entries.iter().filter(beyond).collect();
        let added = |net: &ipnet::IpNet| self.change.added.contains(net);
        entries.sort_by_key(|net| !added(net));
        let named: Vec<String> = entries
            .iter()
            .take(ENTRIES_NAMED)
            .map(|net| if added(net) { format!("{net} (added by it)") } else { net.to_string() })
            .collect();
        let more = match entries.len().saturating_sub(ENTRIES_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let id = &self.change.list;
        if named.is_empty() {
            return format!("The change was one of the list {id}, not of the group.");
        }
        format!(
            "The change was one of the list {id}, not of the group: {} {}{more}.",
            if judgement.is_some() {
                "what is too much comes from its entries"
            } else {
                "the list has"
            },
            named.join(", ")
        )
    }
}

impl<E: SecurityGroups, N: Notifier, O: Onward> Auditor<'_, E, N, O> {
    /// Audits the rules that name a list which changed.
    pub(super) async fn list(
        &self,
        change: &ListChange,
        clock: Clock<'_>,
    ) -> Result<Report, AuditError> {
        let place = self.place(&change.record);
        let case = Case { place: &place, group: None, record: Some(&change.record) };
        let unaudited = |reason: &str| {
            let what = format!("A change of the prefix list {}", change.list);
            case.not_looked_at(&what, reason, clock())
        };
        let only = |finding| {
            let findings = vec![finding];
            Ok(report(&self.baseline, Tally { findings, ..Tally::default() }))
        };
        if let Some(reason) = self.out_of_reach(&place) {
            return only(unaudited(&reason));
        }
        let read = match self.ec2.prefix_list(&place, &change.list).await {
            Err(error) if error.may_pass() => return Err(error.into()),
            Err(error @ Ec2Error::NoRole { .. }) => return only(unaudited(&error.to_string())),
            read => read,
        };
        let list = read.clone().unwrap_or_default();
        if let Some(reason) = too_early(change, &list) {
            return Err(AuditError::ListNotReady { list: change.list.clone(), reason });
        }
        let settings = &self.settings_of(&place);
        let library = Library::new(self.ec2);
        library.insert(&place, &change.list, read);
        let naming =
            Naming { auditor: self, settings, library, change, list: &list, place: &place };
        let mut tally = Tally::default();
        match naming.groups(&mut tally, clock).await {
            Ok(()) => {}
            Err(AuditError::Ec2(error)) if !error.may_pass() => {
                // What was found before is no less so.
                tally.findings.push(unaudited(&error.to_string()));
            }
            Err(error) => return Err(error),
        }
        if let Some(finding) = naming.wide_sources(&case, clock) {
            tally.findings.push(finding);
        }
        if tally.groups == 0 && tally.findings.is_empty() {
            let reason = format!("no rule in scope names {}", change.list);
            return Ok(not_audited(&self.baseline, ReportOutcome::Compliant, reason));
        }
        Ok(report(&self.baseline, tally))
    }
}

/// Why the list is not yet as the change left it, where that is so.
fn too_early(change: &ListChange, list: &PrefixList) -> Option<String> {
    if list.state == ListState::Changing {
        return Some("it is still being modified".to_owned());
    }
    match (change.version_before, list.version) {
        // A change that failed makes no version.
        (Some(before), Some(now)) if now <= before && list.state != ListState::Failed => Some(
            format!("it is read at version {now}, and the change was made to version {before}"),
        ),
        _ => None,
    }
}

/// The groups whose rules name a list.
struct Naming<'a, E, N, O> {
    auditor: &'a Auditor<'a, E, N, O>,
    settings: &'a Settings,
    library: Library<'a, E>,
    change: &'a ListChange,
    list: &'a PrefixList,
    place: &'a Place,
}

impl<E: SecurityGroups, N: Notifier, O: Onward> Naming<'_, E, N, O> {
    async fn groups(&self, tally: &mut Tally, clock: Clock<'_>) -> Result<(), AuditError> {
        let ec2 = self.auditor.ec2;
        let mut met = BTreeSet::new();
        for direction in [Direction::Ingress, Direction::Egress] {
            let mut page = None;
            loop {
                let which = Selection::Naming(&self.change.list, direction);
                let got = ec2.groups(self.place, which, page.as_deref()).await?;
                for (group, rules) in &got.groups {
                    if in_scope(&self.settings.scope, group) && met.insert(group.id.clone()) {
                        let case = Case {
                            place: self.place,
                            group: Some(group),
                            record: Some(&self.change.record),
                        };
                        let named = Peer::prefix_list(&self.change.list);
                        let naming = |rule: &&Rule| rule.peer == named;
                        let audit = GroupAudit {
                            ec2,
                            library: &self.library,
                            settings: self.settings,
                            case,
                            group,
                            rules,
                            introduced: rules
                                .iter()
                                .filter(naming)
                                .map(|rule| {
                                    Introduced::standing(self.settings, rule, None, clock())
                                })
                                .collect(),
                            remediation: Remediation::Notify,
                            closing: Closing::Now,
                            cause: Some(Cause { change: self.change, list: self.list }),
                            clock,
                        };
                        audit.run(tally).await?;
                    }
                }
                page = got.next;
                if page.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Where the list is one of the SSH sources and lets the Internet in, that is said even where
    /// no rule names it: rules of addresses hang on it as well.
    fn wide_sources(&self, case: &Case<'_>, clock: Clock<'_>) -> Option<Finding> {
        let baseline = &self.settings.baseline;
        let today = clock().date_naive();
        let named = baseline.ssh_lists(today).contains(self.change.list.as_str());
        let lists: Lists = [(self.change.list.clone(), Ok(self.list.entries.clone()))].into();
        if !named
            || !open_ssh_in_baseline(baseline, &lists, today)
            || open_ssh_in_baseline(baseline, &Lists::new(), today)
        {
            return None;
        }
        let mut finding = case.open_ssh_in_baseline(&baseline.name, clock());
        let cause = Cause { change: self.change, list: self.list };
        finding.severity = by_change(true);
        finding.remediation.detail = format!("{} {}", finding.remediation.detail, cause.note(None));
        Some(finding)
    }
}
