//! Bytes to text.

use std::borrow::Cow;

/// The text of bytes in UTF-8 or UTF-16, without byte order marks. What is neither becomes U+FFFD.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    utf16(bytes).map_or_else(|| String::from_utf8_lossy(without_mark(bytes)), Cow::Owned)
}

/// The same, or nothing where something is neither.
pub fn exact(bytes: &[u8]) -> Option<Cow<'_, str>> {
    match units(bytes) {
        Some(units) => String::from_utf16(&units).ok().map(Cow::Owned),
        None => std::str::from_utf8(without_mark(bytes)).ok().map(Cow::Borrowed),
    }
}

/// The UTF-16 text behind a byte order mark, which Windows PowerShell's `>` writes. `None` where
/// there is no such mark; unreadable units become U+FFFD.
pub fn utf16(bytes: &[u8]) -> Option<String> {
    units(bytes).map(|units| String::from_utf16_lossy(&units))
}

/// The units of UTF-16 behind its byte order marks.
fn units(bytes: &[u8]) -> Option<Vec<u16>> {
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
    Some(units.skip_while(|unit| *unit == 0xfeff).collect())
}

/// Some tools write one mark before another.
fn without_mark(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_in_each_encoding_and_with_each_mark() {
        // The last character is one, and stands for none that could not be read.
        let text = "{\"Name\": \"B\u{fc}ro \u{1f980} \u{fffd}\"}";
        let wide = |marks: &str, of: fn(u16) -> [u8; 2]| -> Vec<u8> {
            marks.encode_utf16().chain(text.encode_utf16()).flat_map(of).collect()
        };
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            format!("\u{feff}\u{feff}{text}").into_bytes(),
            wide("\u{feff}", u16::to_le_bytes),
            wide("\u{feff}\u{feff}", u16::to_be_bytes),
        ] {
            assert_eq!((lossy(&bytes), exact(&bytes)), (text.into(), Some(text.into())));
        }
    }

    #[test]
    fn what_is_no_text_is_replaced_or_refused() {
        let half_a_unit = [0xff, 0xfe, b'a', 0, b'b'];
        for bytes in [&b"a\xff"[..], &half_a_unit] {
            assert_eq!((&*lossy(bytes), exact(bytes)), ("a\u{fffd}", None), "{bytes:?}");
        }
    }
}
