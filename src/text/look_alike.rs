//! Letters that look like Latin ones and are not.
//!
//! Which letter looks like which is Unicode's to say (UTS 39, "Confusable Detection").

use unicode_script::{Script, UnicodeScript};
use unicode_security::confusable_detection::skeleton;

/// The text with each letter, digit or separator that pretends to be another one written as an
/// escape.
///
/// A word of another script is left as it is: `сервер` imitates nothing. Its letters count where
/// they stand among Latin ones, or where the whole word could be read as a Latin one.
pub(super) fn written_out(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = first.is_alphanumeric();
        let end = rest.find(|c: char| c.is_alphanumeric() != is_word).unwrap_or(rest.len());
        let (part, following) = rest.split_at(end);
        let is_mixed = is_word && is_mixed(part);
        for c in part.chars() {
            let imitates = match is_word {
                true => imitates_always(c) || is_mixed && imitates(c),
                false => is_separator(c),
            };
            if imitates { out.extend(c.escape_unicode()) } else { out.push(c) }
        }
        rest = following;
    }
    out
}

/// Whether a word has Latin letters beside others, or nothing that Latin has not.
fn is_mixed(word: &str) -> bool {
    let mut letters = word.chars().filter(|c| c.is_alphabetic());
    letters.clone().any(|c| c.is_ascii()) || letters.all(|c| imitates(c) || is_latin(c))
}

/// Whether it looks like letters or digits of ASCII and belongs to another script.
fn imitates(c: char) -> bool {
    !c.is_ascii() && !is_latin(c) && looks_like(c, |c| c.is_ascii_alphanumeric())
}

/// Variants of Latin letters and of digits that no language writes with: fullwidth ones, those of
/// mathematics, numerals.
fn imitates_always(c: char) -> bool {
    let is_variant = matches!(c.script(), Script::Common | Script::Latin) && !is_latin(c);
    is_variant && imitates(c)
}

/// The Latin letters of languages, among which `ß`, `æ` and the dotless `ı` are.
fn is_latin(c: char) -> bool {
    matches!(c, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

/// Whether it looks like what separates the parts of an address.
fn is_separator(c: char) -> bool {
    let is_one = |c| matches!(c, '.' | '@' | '/' | ':' | '\\');
    !c.is_ascii() && looks_like(c, is_one) && skeleton_of(c).chars().count() == 1
}

/// Whether it looks like something else, of which every character is such.
fn looks_like(c: char, is_such: impl Fn(char) -> bool) -> bool {
    let like = skeleton_of(c);
    !like.is_empty() && like.chars().all(|like| like != c && is_such(like))
}

fn skeleton_of(c: char) -> String {
    skeleton(c.encode_utf8(&mut [0; 4])).collect()
}

#[cfg(test)]
mod tests;
