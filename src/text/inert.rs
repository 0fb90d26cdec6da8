//! Text from outside, made inert.
//!
//! A group's name, a rule's description and above all a user agent are written by the very person
//! whose change is reported. Shown as they are, they could forge a line of a mail, recolour a
//! terminal, turn a sentence round or hide part of it. What a reader cannot see as one plain
//! character becomes a visible escape, `\u{202e}`; nothing is dropped in silence.

use super::{links, look_alike};

/// The text with every character that is invisible, or that acts instead of being shown, written
/// as an escape. Line breaks and tabs are among them.
pub fn plain(text: &str) -> String {
    escape(text, |c| !is_visible(c))
}

/// As [`plain`], for a mail: in addition nothing becomes a link, not even where a mail client or a
/// chat takes the text for Markdown or HTML (`www[.]evil[.]example`); letters that imitate Latin
/// ones are escapes; and runs of spaces, which could push words to where a new line seems to begin,
/// are one space.
pub fn for_mail(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for c in text.chars() {
        if !(is_space(c) && joined.ends_with(' ')) {
            joined.push(match c {
                // What a message puts in backticks reads as well in quotation marks, and is no code.
                '`' => '\'',
                c if is_space(c) => ' ',
                c => c,
            });
        }
    }
    let shown = look_alike::written_out(&joined);
    links::broken(&escape(&shown, |c| !is_visible(c) || matches!(c, '<' | '>')))
}

/// A line for a shell, as a mail has it. To the shell it is the same line; what others wrote stands
/// in single quotes, and more of these keep it from becoming a link.
pub fn command_for_mail(line: &str) -> String {
    links::broken_in_quotes(line)
}

/// The text for the Subject of a mail: in ASCII, and nothing becomes a link.
pub fn for_subject(text: &str) -> String {
    ascii(&links::broken(text))
}

/// The text in ASCII: whatever is no printable ASCII is a `?`.
pub fn ascii(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

/// At most `max` characters; where some are cut, the last of those that stay is an ellipsis.
pub fn clip(text: &str, max: usize) -> String {
    clip_with(text, max, "…")
}

/// As [`clip`], with an ellipsis in ASCII, apart from the text: `www...` could become a link.
pub fn clip_ascii(text: &str, max: usize) -> String {
    clip_with(text, max, " ...")
}

fn clip_with(text: &str, max: usize, ellipsis: &str) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let keep = max.saturating_sub(ellipsis.chars().count());
    let mut clipped: String = text.chars().take(keep).collect();
    clipped.truncate(clipped.trim_end().len());
    clipped.extend(ellipsis.chars().take(max));
    clipped
}

fn escape(text: &str, hidden: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) { escaped.extend(c.escape_unicode()) } else { escaped.push(c) }
    }
    escaped
}

/// Blanks that look like a space. Line breaks are not among them: those are escaped, so that a
/// reader sees that somebody tried.
fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Whether a character is shown, and does nothing else. Of the characters that are not, Unicode has
/// several kinds: controls, default-ignorable characters (joiners, direction marks, fillers,
/// selectors, tags), separators of lines and paragraphs, and what is no character at all. The last
/// two XML refuses, and with it SNS.
pub(crate) fn is_visible(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || u32::from(c) & 0xfffe == 0xfffe)
}
