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
