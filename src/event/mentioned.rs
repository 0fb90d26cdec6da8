//! The groups that something names which cannot be read.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::ec2::ids::is_group_id;

/// Ids of old groups have so many digits.
const SHORTEST: usize = 8;

/// Ids of newer groups have so many digits.
const LONGEST: usize = 17;

/// The ids of security groups in `text`.
///
/// A short id at the very end is none, nor is one in a longer word: it may be the first half of one,
/// and is then that of no group or of another.
pub(super) fn groups(text: &str) -> BTreeSet<&str> {
    let id = |(at, mark): (usize, &str)| {
        let id = text.get(at..)?;
        let rest = id.get(mark.len()..)?;
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let digits = rest.bytes().take_while(is_digit).count();
        let next = rest.as_bytes().get(digits);
        let is_word = next.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let whole = is_word
            && (digits == LONGEST || (next.is_some() && (SHORTEST..LONGEST).contains(&digits)));
        if whole { id.get(..mark.len() + digits) } else { None }
    };
    text.match_indices("sg-").filter_map(id).collect()
}

/// Every text in `value` that is the id of a security group, and nothing else.
pub(super) fn groups_in(value: &Value) -> BTreeSet<&str> {
    let mut ids = BTreeSet::new();
    gather(value, &mut ids);
    ids
}

fn gather<'a>(value: &'a Value, ids: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) if is_group_id(text) => {
            ids.insert(text);
        }
        Value::Array(elements) => elements.iter().for_each(|element| gather(element, ids)),
        Value::Object(members) => members.values().for_each(|member| gather(member, ids)),
        _ => {}
    }
}
