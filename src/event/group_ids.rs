//! The security groups that something unreadable names.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::ec2::GroupId;

/// How many hexadecimal digits the ids of old groups have.
const SHORTEST: usize = 8;

/// How many hexadecimal digits the ids of newer groups have.
const LONGEST: usize = 17;

/// The ids of security groups in `text`.
///
/// A short id at the very end does not count, and neither does one inside a longer word. It may be
/// the first half of an id, and then it names no group or another one.
pub(super) fn in_text(text: &str) -> BTreeSet<GroupId> {
    let id = |(at, mark): (usize, &str)| {
        let id = text.get(at..)?;
        let rest = id.get(mark.len()..)?;
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let digits = rest.bytes().take_while(is_digit).count();
        let next = rest.as_bytes().get(digits);
        let ends = next.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let is_whole = ends
            && (digits == LONGEST || (next.is_some() && (SHORTEST..LONGEST).contains(&digits)));
        if is_whole { id.get(..mark.len() + digits)?.parse().ok() } else { None }
    };
    text.match_indices("sg-").filter_map(id).collect()
}

/// Every string in `value` that is the id of a security group and nothing else.
pub(super) fn in_value(value: &Value) -> BTreeSet<GroupId> {
    let mut ids = BTreeSet::new();
    gather(value, &mut ids);
    ids
}

fn gather(value: &Value, ids: &mut BTreeSet<GroupId>) {
    match value {
        Value::String(text) if text.starts_with("sg-") => ids.extend(text.parse::<GroupId>()),
        Value::Array(elements) => elements.iter().for_each(|element| gather(element, ids)),
        Value::Object(members) => members.values().for_each(|member| gather(member, ids)),
        _ => {}
    }
}
