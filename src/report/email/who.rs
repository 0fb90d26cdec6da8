//! Where it happened, when, and who did it.

use super::super::caller::caller;
use super::super::state::State;
use super::super::wording::{id_and_name, may_be_older};
use super::lines::Lines;
use crate::event::{ActorType, Note};
use crate::finding::{Action, Finding, Matter, Remark};
use crate::text::inert;

/// Characters of a value that is a name of something.
const NAME: usize = 160;

/// What all findings have in common and is said once.
pub(super) struct Shared {
    pub change: bool,
    pub place: bool,
    /// Region and account.
    pub region: bool,
}

impl Shared {
    pub fn of(findings: &[&Finding], first: &Finding) -> Self {
        let all = |alike: &dyn Fn(&Finding) -> bool| findings.iter().all(|it| alike(it));
        Self {
            change: all(&|it| it.change == first.change),
            place: all(&|it| it.place == first.place && it.group == first.group),
            region: all(&|it| it.place == first.place),
        }
    }
}

/// Who did it, in a line that comes before what to do: `Opened by: trainee (a person) from 198.51.100.23`.
/// The whole of it is told by [`tell_change`].
pub(super) fn tell_by(mail: &mut Lines, finding: &Finding) {
    let Some((change, did)) = finding.change.as_ref().zip(did(finding)) else { return };
    let Some(name) = caller(change) else { return };
    let from = change.source_ip.as_deref().map(|from| inert::clip(from, 48));
    let from = from.map_or_else(String::new, |from| format!(" from {from}"));
    mail.label(did, &format!("{name}{from}"), NAME);
}

/// What whoever made the change did.
fn did(finding: &Finding) -> Option<&'static str> {
    match &finding.matter {
        Matter::Rule(found) => {
            let is_of_list = found.remarks.iter().any(|remark| {
                matches!(remark, Remark::List(_) | Remark::Note(Note::ListChanged(_)))
            });
            Some(match is_of_list {
                _ if matches!(found.action, Action::Prevented) => "Asked for by",
                true => "List changed by",
                false if may_be_older(found) => "Changed by",
                false if State::of(finding) == State::StillOpen => "The removed rule was opened by",
                false => "Opened by",
            })
        }
        Matter::WideList { list, .. } => {
            Some(if list.is_some() { "List changed by" } else { "Opened by" })
        }
        Matter::ExpectedClosed(closed) => {
            Some(if closed.list.is_some() { "List changed by" } else { "Closed by" })
        }
        Matter::Resolved { .. } => Some("Closed by"),
        Matter::Unaudited { .. }
        | Matter::LeftScope { .. }
        | Matter::WideBaseline { .. }
        | Matter::AuditorChanged { .. } => Some("Changed by"),
        Matter::Unfed { .. } => None,
    }
}

pub(super) fn tell_change(mail: &mut Lines, finding: &Finding) {
    let change = finding.change.as_ref();
    if let Some(change) = change {
        let kind = match change.actor_type {
            ActorType::Unknown => "",
            ActorType::Person => " (a person)",
            ActorType::Root => " (the root user)",
            ActorType::RoleSession => " (a role session)",
            ActorType::AwsService => " (an AWS service)",
            ActorType::InfrastructureTool => " (an infrastructure tool)",
        };
        let who = change.actor.as_deref().filter(|actor| !actor.trim().is_empty());
        let who = who.map(|actor| format!("{}{kind}", inert::clip(actor, 2 * NAME)));
        mail.label("Who", &who.unwrap_or_default(), 3 * NAME);
        let agent = change.user_agent.as_deref().map(short_agent);
        // A service that acts for somebody is both.
        let agent = agent.filter(|agent| change.source_ip.as_ref() != Some(agent));
        mail.label("From", &joined([change.source_ip.as_deref(), agent.as_deref()]), NAME);
    }
    let (label, time) = match change.and_then(|change| change.time) {
        Some(time) => ("When", time),
        None => ("Seen", finding.time),
    };
    let time = time.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let call = change.and_then(|change| change.event_name.as_deref());
    mail.label(label, &joined([Some(&time), call]), NAME);
}

pub(super) fn tell_place(mail: &mut Lines, finding: &Finding) {
    let group = finding.group.as_ref();
    let account = finding.place.account.as_ref().map(|account| format!("account {account}"));
    let region = finding.place.region.as_ref().map(|region| region.as_str());
    let place = joined([group.map(id_and_name).as_deref(), region, account.as_deref()]);
    mail.label(if group.is_some() { "Group" } else { "Where" }, &place, 2 * NAME);
}

/// The products of a user agent without its comments: those are long, and mostly about the caller's
/// machine.
fn short_agent(agent: &str) -> String {
    let mut depth = 0_usize;
    let mut products = String::new();
    for c in agent.trim_matches(['[', ']']).chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => products.push(c),
            _ => {}
        }
    }
    let products: Vec<_> = products.split(' ').filter(|product| !product.is_empty()).collect();
    inert::clip(&products.join(" "), 48)
}

/// The parts that say something, separated by commas.
pub(super) fn joined<const N: usize>(parts: [Option<&str>; N]) -> String {
    let parts: Vec<_> =
        parts.into_iter().flatten().filter(|part| !part.trim().is_empty()).collect();
    parts.join(", ")
}
