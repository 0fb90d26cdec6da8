//! Takes apart what a mail client or a chat would turn into a link.
//!
//! Each client has its own idea of what a link is. Most know a list of top-level domains; some link
//! whatever follows `www.`, an `@`, the name of a scheme or two backslashes. The list of top-level
//! domains grows, so none is kept here: every dot before a word that could be one counts.

/// Words after a dot that are no top-level domain: extensions of files, and ends of error codes.
const NO_DOMAINS: [&str; 16] = [
    "conf",
    "csv",
    "duplicate",
    "gz",
    "html",
    "internalerror",
    "json",
    "log",
    "malformed",
    "notfound",
    "template",
    "toml",
    "txt",
    "xml",
    "yaml",
    "yml",
];

/// Beginnings of a name that are enough for a link, whatever follows.
const HOSTS: [&str; 2] = ["www", "ftp"];

/// Schemes that need no `//`.
const SCHEMES: [&str; 10] =
    ["callto", "facetime", "magnet", "mailto", "news", "sip", "skype", "sms", "tel", "xmpp"];

/// The text with brackets around each character that would make it a link: `www[.]evil[.]example`,
/// `jane[@]evil[.]example`.
pub(super) fn broken(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut broken = String::with_capacity(text.len());
    for (at, c) in chars.iter().enumerate() {
        match link_at(&chars, at) {
            // `[x](` would be a link in Markdown, whoever put the brackets there.
            _ if *c == '(' && broken.ends_with(']') => broken.extend(c.escape_unicode()),
            None => broken.push(*c),
            Some(Link::Slashes | Link::Markdown) => broken.extend(c.escape_unicode()),
            Some(Link::Name) => broken.extend(['[', *c, ']']),
        }
    }
    broken
}

/// The line for a shell, in which the same is taken apart by quotation marks: `'evil''.example'` is
/// the same word as `'evil.example'`. Only what stands in single quotes is changed.
pub(super) fn broken_in_quotes(line: &str) -> String {
    let chars: Vec<char> = line.chars().collect();
    let mut broken = String::with_capacity(line.len());
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in chars.iter().enumerate() {
        match c {
            _ if escaped => escaped = false,
            '\\' if !quoted => escaped = true,
            '\'' => quoted = !quoted,
            _ => {}
        }
        if quoted && link_at(&chars, at).is_some() {
            broken.push_str("''");
        }
        broken.push(*c);
    }
    broken
}

/// What would make a link of the characters around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    /// The first slash of `://`.
    Slashes,
    /// The parenthesis of `](`.
    Markdown,
    /// A dot in the name of a host, the `@` of an address, the colon after a scheme, or the second
    /// backslash of two.
    Name,
}

fn link_at(chars: &[char], at: usize) -> Option<Link> {
    let before = chars.get(..at).unwrap_or_default();
    let after = chars.get(at + 1..).unwrap_or_default();
    let (last, next) = (before.last().copied(), after.first().copied());
    let is_link = match chars.get(at)? {
        '/' => return (last == Some(':') && next == Some('/')).then_some(Link::Slashes),
        '(' => return (last == Some(']')).then_some(Link::Markdown),
        c if is_dot(*c) => is_in_host(before, after),
        '@' => last.is_some_and(|c| !c.is_whitespace()) && next.is_some_and(is_in_label),
        ':' => next.is_some_and(|c| !c.is_whitespace()) && ends_with(before, &SCHEMES),
        '\\' => last == Some('\\'),
        _ => false,
    };
    is_link.then_some(Link::Name)
}

/// The dots that a name of a host may have (UTS 46 maps them to one).
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// What a part of such a name may consist of, generously: other scripts and emoji.
fn is_in_label(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '-' | '_')
        || !c.is_ascii() && !c.is_whitespace() && !is_dot(c)
}

/// Whether a dot with this around it may be part of the name of a host. Every top-level domain
/// begins with two letters or more, so numbers and addresses are none. What follows these letters
/// does not matter, since some programs look no further: `evil.com2` is a link to them. Some also
/// pass over a colon or a wide dot before the dot: `evil:.com`.
fn is_in_host(before: &[char], after: &[char]) -> bool {
    let is_before = |c: char| is_in_label(c) || c == ':' || is_dot(c) && c != '.';
    if !before.last().copied().is_some_and(is_before)
        || !after.first().copied().is_some_and(is_in_label)
    {
        return false;
    }
    if ends_with(before, &HOSTS) {
        return true;
    }
    let letters: Vec<char> =
        after.iter().copied().take_while(|c| is_in_label(*c) && is_letter(*c)).collect();
    let end = after.get(letters.len()).copied();
    let word: String = letters.iter().collect::<String>().to_lowercase();
    let is_other = NO_DOMAINS.contains(&word.as_str()) && !end.is_some_and(is_in_label);
    letters.len() > 1 && !is_other
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || !c.is_ascii()
}

/// Whether the last letters are one of these words, in whatever case.
fn ends_with(before: &[char], words: &[&str]) -> bool {
    let start = before.iter().rposition(|c| !c.is_alphabetic()).map_or(0, |at| at + 1);
    let last: String = before.get(start..).unwrap_or_default().iter().collect();
    words.iter().any(|word| last.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;
