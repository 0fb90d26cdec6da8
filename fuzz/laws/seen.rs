//! What a reader sees of a text, by Unicode's own tables and not by the code that is tested.

use std::sync::OnceLock;

use regex_syntax::hir::{Class, ClassUnicode, HirKind};

/// Controls, formats, separators, what a display may ignore, and what is no character; but not the
/// signs of Arabic and Syriac that are formats and are seen. The Braille blank is no space to
/// Unicode, and looks like one.
const HIDDEN: &str = r"[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\x{2800}]--\p{Prepended_Concatenation_Mark}]";

fn hidden() -> &'static ClassUnicode {
    static CLASS: OnceLock<ClassUnicode> = OnceLock::new();
    CLASS.get_or_init(|| match regex_syntax::parse(HIDDEN).map(|hir| hir.into_kind()) {
        Ok(HirKind::Class(Class::Unicode(class))) => class,
        other => panic!("no class of characters: {other:?}"),
    })
}

/// Whether a character is not seen, or acts on those beside it.
pub fn is_hidden(c: char) -> bool {
    let ranges = hidden().ranges();
    let at = ranges.partition_point(|range| range.end() < c);
    ranges.get(at).is_some_and(|range| range.start() <= c)
}

/// Holds a text of several lines to be inert: line breaks are the only thing in it that acts.
pub fn assert_inert(text: &str) {
    if let Some(c) = text.chars().find(|c| *c != '\n' && is_hidden(*c)) {
        panic!("{c:?} is in {text:?}");
    }
}

/// Holds a text to be on one line, in printable ASCII.
pub fn assert_ascii(text: &str) {
    assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text:?}");
}
