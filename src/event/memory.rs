//! How much memory a text takes once it is read as JSON.
//!
//! Eight bytes, `{"a":0},`, become a node of a map that has room for eleven members. Six megabytes
//! of them, the most that Lambda hands over, would take twice the memory that the function has.

/// EventBridge, SNS and SQS hand over at most one megabyte. Whatever a text of that size contains,
/// there is memory for it.
const SHORT: usize = 1 << 20;

/// In bytes. Six megabytes of CloudTrail's records take less than half of it.
const MOST: usize = 96 << 20;

/// Whether there is not enough memory to read the text as JSON.
pub(super) fn is_too_large(text: &str) -> bool {
    let sizes = text.bytes().map(|byte| match byte {
        // The first node of a map.
        b'{' => 640,
        // The first four elements of a list.
        b'[' => 192,
        // Another element, in a list that doubles when it is full.
        b',' => 48,
        _ => 0,
    });
    text.len() > SHORT && sizes.sum::<usize>() > MOST
}
