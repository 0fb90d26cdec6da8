//! Bytes to text.

use std::borrow::Cow;

/// The text of bytes in UTF-8 or UTF-16, without a byte order mark. What is neither becomes U+FFFD.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    utf16(bytes).map_or_else(|| String::from_utf8_lossy(without_mark(bytes)), Cow::Owned)
}

/// The same, or nothing where something is neither.
pub fn exact(bytes: &[u8]) -> Option<Cow<'_, str>> {
    match utf16(bytes) {
        Some(text) => (!text.contains(char::REPLACEMENT_CHARACTER)).then_some(Cow::Owned(text)),
        None => std::str::from_utf8(without_mark(bytes)).ok().map(Cow::Borrowed),
    }
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The UTF-16 text behind a byte order mark, which Windows PowerShell's `>` writes. `None` where
/// there is no such mark; unreadable units become U+FFFD.
pub fn utf16(bytes: &[u8]) -> Option<String> {
    let (units, is_little): (&[u8], bool) = match bytes {
        [0xff, 0xfe, units @ ..] => (units, true),
        [0xfe, 0xff, units @ ..] => (units, false),
        _ => return None,
    };
    let (pairs, odd) = units.as_chunks::<2>();
    let unit = |pair: &[u8; 2]| match is_little {
        true => u16::from_le_bytes(*pair),
        false => u16::from_be_bytes(*pair),
    };
    // Half a unit at the end is as unreadable as an unpaired surrogate.
    let units = pairs.iter().map(unit).chain((!odd.is_empty()).then_some(0xd800));
    Some(String::from_utf16_lossy(&units.collect::<Vec<_>>()))
}
