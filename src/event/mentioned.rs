//! The groups that a text names, where the text cannot be read.

use std::collections::BTreeSet;

/// Ids of old groups have so many digits.
const SHORTEST: usize = 8;

/// Ids of newer groups have so many digits.
const LONGEST: usize = 17;

/// The ids of security groups in `text`.
///
/// A short id at the very end is none: it may be the first half of one, and is then that of no
/// group or of another.
pub(super) fn groups(text: &str) -> BTreeSet<&str> {
    let id = |(at, mark): (usize, &str)| {
        let id = text.get(at..)?;
        let rest = id.get(mark.len()..)?;
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let digits = rest.bytes().take(LONGEST).take_while(is_digit).count();
        let whole = digits == LONGEST || (digits >= SHORTEST && digits < rest.len());
        if whole { id.get(..mark.len() + digits) } else { None }
    };
    text.match_indices("sg-").filter_map(id).collect()
}
