//! Characters and strings: escaping, quoting, shortening, times, and error chains.
//!
//! Nothing in here knows what a security group is, so everything else can use it.

mod decode;
pub(crate) mod escape;
mod gzip;
pub mod inert;
mod links;
mod look_alike;
mod time;
pub(crate) mod yaml;

use std::error::Error;

pub use decode::{exact, lossy, utf16};
pub use gzip::{unpacked, unpacking};
pub use time::{minute, time, timestamp};

/// In quotation marks, which the text itself cannot close.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\\\""))
}

/// What somebody typed, in backticks, on one line, for an error message.
pub fn in_backticks(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut quoted = String::from("`");
    for (count, letter) in text.chars().enumerate() {
        if count == LONGEST {
            quoted.push('…');
            break;
        }
        if letter.is_control() {
            quoted.extend(letter.escape_default());
        } else {
            quoted.push(letter);
        }
    }
    quoted.push('`');
    quoted
}

/// The sentence with a capital letter at its beginning.
pub fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// `1 finding`, `2 findings`.
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// The first `most` of several things, and how many more there are: `a, b and 3 more`.
pub fn first_of<T: ToString>(
    things: impl ExactSizeIterator<Item = T>,
    most: usize,
    separator: &str,
) -> String {
    let more = things.len().saturating_sub(most);
    let first: Vec<String> = things.take(most).map(|thing| thing.to_string()).collect();
    let first = first.join(separator);
    if more == 0 { first } else { format!("{first} and {more} more") }
}

/// An error and each of its causes, joined by colons. A cause that the error already ends with is
/// not repeated.
///
/// `Debug` is never used, because the SDK prints whole responses there, and those of STS contain
/// credentials.
pub fn causes(error: &(dyn Error + 'static)) -> String {
    const LONGEST: usize = 1024;
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !more.is_empty() && !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    inert::clip(&text, LONGEST)
}
