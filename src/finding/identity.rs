//! Fingerprints and ids of findings.

use sha2::{Digest, Sha256};

use crate::ec2::{Direction, GroupId, Place, Rule};
use crate::evaluate::Code;
use crate::event::Record;
use crate::text::escape::hex;

/// How many hexadecimal digits of a hash are shown.
const DIGITS: usize = 32;

/// A hash of the parts, each with its length, so that no two lists of parts are confused.
pub fn hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let mut hash = hex(&hasher.finalize());
    hash.truncate(DIGITS);
    hash
}

/// A hash of account, region, group, direction, code and the rule's content: the same from event,
/// sweep and check.
pub fn fingerprint(
    place: &Place,
    group: Option<&GroupId>,
    code: Code,
    rule: Option<&Rule>,
) -> String {
    let content = rule.map(content);
    let direction = rule.map(Rule::direction);
    fingerprint_of(place, group, code, direction, content.as_deref().unwrap_or_default())
}

/// A hash of what makes a rule the same to EC2.
pub fn content_hash(rule: &Rule) -> String {
    hash(&[&rule.direction().to_string(), &content(rule)])
}

fn content(rule: &Rule) -> String {
    let selector = rule.selector();
    format!("{} {}-{} {}", rule.protocol(), selector.first(), selector.last(), rule.peer())
}

/// The same for a finding that is about something else than the content of one rule.
pub fn fingerprint_of(
    place: &Place,
    group: Option<&GroupId>,
    code: Code,
    direction: Option<Direction>,
    content: &str,
) -> String {
    hash(&[
        place.account.as_ref().map_or("", |account| account.as_str()),
        place.region.as_ref().map_or("", |region| region.as_str()),
        group.map_or("", GroupId::as_str),
        &direction.map(|direction| direction.to_string()).unwrap_or_default(),
        code.as_str(),
        content,
    ])
}

/// A hash of the fingerprint and the event: the same when the same event is audited again, from
/// either of the two accounts that a call across accounts is recorded in.
pub fn finding_id(fingerprint: &str, record: Option<&Record>) -> String {
    let event = record.and_then(Record::shared_id).unwrap_or_default();
    hash(&[fingerprint, event])
}
