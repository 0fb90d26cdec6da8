//! How much memory a text takes once it is read as JSON.
//!
//! Eight bytes, `{"a":0},`, become a node of a map that has room for eleven members. Six megabytes of
//! them, which is what Lambda hands over at most, would take twice the memory that the function has.

/// Lambda takes no longer ones from EventBridge, SNS or a queue (a megabyte), and whatever is in a
/// text of that length, there is memory for it.
const SHORT: usize = 1 << 20;

/// In bytes. A file of six megabytes with CloudTrail's records takes less than half of it.
const MOST: usize = 96 << 20;

/// Whether there is no memory to read the text as JSON.
pub(super) fn is_too_much(text: &str) -> bool {
    let weights = text.bytes().map(|byte| match byte {
        // The first node of a map.
        b'{' => 640,
        // The first four elements of a list.
        b'[' => 192,
        // Another element, in a list that doubles where it is full.
        b',' => 48,
        _ => 0,
    });
    text.len() > SHORT && weights.sum::<usize>() > MOST
}
