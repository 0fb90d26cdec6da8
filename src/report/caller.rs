//! Who made a change, by the name that people use.

use crate::ec2::Arn;
use crate::event::{ActorType, Record};
use crate::text::{inert, quoted};

/// Most names are shorter.
const LONGEST: usize = 64;

/// `trainee (a person)`, `session deploy-1842 of the role typo3-deploy`, `the root user`.
pub(super) fn caller(change: &Record) -> Option<String> {
    let name = name(change)?;
    Some(match change.actor_type {
        ActorType::Root => "the root user".to_owned(),
        ActorType::Unknown | ActorType::RoleSession => name,
        ActorType::Person => format!("{name} (a person)"),
        ActorType::AwsService => format!("{name} (an AWS service)"),
        ActorType::InfrastructureTool => format!("{name} (with an infrastructure tool)"),
    })
}

/// What of an ARN tells people who that is, else the whole actor.
pub(super) fn name(change: &Record) -> Option<String> {
    let actor = change.actor.as_deref().filter(|actor| !actor.trim().is_empty())?;
    let resource = Arn::parse(actor).map_or("", |arn| arn.resource);
    let parts: Vec<&str> = resource.split('/').collect();
    Some(match parts.as_slice() {
        // A person signs in to such a role, and the session has the person's name.
        ["assumed-role", role, session]
            if role.starts_with("AWSReservedSSO_") || change.actor_type == ActorType::Person =>
        {
            plain(session)
        }
        ["assumed-role", role, session] => {
            format!("session {} of the role {}", plain(session), plain(role))
        }
        ["user", .., user] => plain(user),
        ["stack", stack, ..] => format!("the stack {}", plain(stack)),
        // Of a session, some records have only the role's id and the session's name.
        _ => match actor.split_once(':') {
            Some((id, session)) if id.starts_with("AROA") => format!("session {}", plain(session)),
            _ => plain(actor),
        },
    })
}

/// A name that cannot be taken for a part of the sentence around it.
fn plain(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.+=,@/:".contains(c);
    let clipped = inert::clip(name, LONGEST);
    if name.chars().all(is_plain) { clipped } else { quoted(&clipped) }
}
