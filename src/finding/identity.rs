//! What a finding is known by: fingerprint, id, and the group's page in the console.

use sha2::{Digest, Sha256};

use crate::audit::Place;
use crate::ec2::ids::{is_group_id, is_region};
use crate::ec2::{Direction, Rule};
use crate::event::Record;
use crate::finding::Code;

/// How many hexadecimal digits of a hash are shown.
const DIGITS: usize = 32;

/// A hash of the parts, each with its length, so that no two lists of parts are confused.
fn hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize()).chars().take(DIGITS).collect()
}

/// Bytes in lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Account, region, group, direction, code and the rule's content: the same from event, sweep and
/// check.
pub fn fingerprint(place: &Place, group: Option<&str>, code: Code, rule: Option<&Rule>) -> String {
    let content = rule.map(|rule| {
        let selector = rule.selector();
        format!("{} {}-{} {}", rule.protocol, selector.first(), selector.last(), rule.peer)
    });
    let direction = rule.map(|rule| rule.direction);
    fingerprint_of(place, group, code, direction, content.as_deref().unwrap_or_default())
}

/// The same for a finding that is about something else than the content of one rule.
pub fn fingerprint_of(
    place: &Place,
    group: Option<&str>,
    code: Code,
    direction: Option<Direction>,
    content: &str,
) -> String {
    hash(&[
        place.account.as_deref().unwrap_or_default(),
        place.region.as_deref().unwrap_or_default(),
        group.unwrap_or_default(),
        &direction.map(|direction| direction.to_string()).unwrap_or_default(),
        code.as_str(),
        content,
    ])
}

/// The fingerprint with the event: the same when the same event is audited again, from whichever of
/// the two accounts that a call across accounts is recorded in.
pub fn finding_id(fingerprint: &str, record: Option<&Record>) -> String {
    let event = record
        .and_then(|record| record.shared_event_id.as_deref().or(record.event_id.as_deref()))
        .unwrap_or_default();
    hash(&[fingerprint, event])
}

/// The group's page in the AWS console of its partition.
pub fn console_url(region: &str, group: &str) -> Option<String> {
    if !is_region(region) || !is_group_id(group) {
        return None;
    }
    let host = if region.starts_with("cn-") {
        "console.amazonaws.cn"
    } else if region.starts_with("us-gov-") {
        "console.amazonaws-us-gov.com"
    } else {
        "console.aws.amazon.com"
    };
    Some(format!("https://{region}.{host}/ec2/home?region={region}#SecurityGroup:groupId={group}"))
}
