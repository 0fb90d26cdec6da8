//! Where it happened, when, and who did it.

use super::lines::Lines;
use crate::event::ActorType;
use crate::finding::{Finding, FoundGroup};
use crate::text::{inert, quoted};

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
    let place = joined([group.map(named).as_deref(), region, account.as_deref()]);
    mail.label(if group.is_some() { "Group" } else { "Where" }, &place, 2 * NAME);
}

/// The id first: a name could look like one.
fn named(group: &FoundGroup) -> String {
    match group.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => format!("{} {}", group.id, quoted(name)),
        None => group.id.to_string(),
    }
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
