//! Which characters a reader sees, by Unicode's own tables instead of the code under test.

use std::sync::OnceLock;

use regex_syntax::hir::{Class, ClassUnicode, HirKind};

/// Control and format characters, line and paragraph separators, characters that a display may ignore,
/// and noncharacters. Arabic and Syriac have visible format characters, so those are excluded. Unicode
/// does not count the Braille blank as a space, but it looks like one.
const HIDDEN: &str = r"[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\x{2800}]--\p{Prepended_Concatenation_Mark}]";

fn hidden() -> &'static ClassUnicode {
    static CLASS: OnceLock<ClassUnicode> = OnceLock::new();
    CLASS.get_or_init(|| match regex_syntax::parse(HIDDEN).map(|hir| hir.into_kind()) {
        Ok(HirKind::Class(Class::Unicode(class))) => class,
        other => panic!("not a class of characters: {other:?}"),
    })
}

/// Whether a character is invisible, or changes the characters next to it.
pub fn is_hidden(c: char) -> bool {
    let ranges = hidden().ranges();
    let at = ranges.partition_point(|range| range.end() < c);
    ranges.get(at).is_some_and(|range| range.start() <= c)
}

/// Panics unless line breaks are the only hidden characters of the text.
pub fn assert_inert(text: &str) {
    if let Some(c) = text.chars().find(|c| *c != '\n' && is_hidden(*c)) {
        panic!("{c:?} is in {text:?}");
    }
}

/// Panics unless the text is one line of printable ASCII.
pub fn assert_ascii(text: &str) {
    assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text:?}");
}
