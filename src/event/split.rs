//! Cuts what CloudTrail's files and the AWS CLI contain into single records, without ever having
//! more than one of them in memory.

use std::io::{self, BufRead, Cursor};

use crate::text::utf16;

/// The members whose lists are cut into their elements.
const LISTS: [&[u8]; 2] = [b"Records", b"Events"];

/// How reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitEnd {
    /// Everything was read.
    Whole,
    /// The text ends within a value.
    CutShort,
    /// What follows is not JSON.
    NotJson,
}

/// Passes each record of a stream to `take`, as bytes that [`decode`](super::decode) reads: the
/// elements of `Records`, of `Events` and of plain lists, and objects one after another.
///
/// # Errors
///
/// When the stream cannot be read.
pub fn split(mut input: impl BufRead, mut take: impl FnMut(&[u8])) -> io::Result<SplitEnd> {
    let start = input.fill_buf()?;
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) || is_wide(start) {
        let mut all = Vec::new();
        input.read_to_end(&mut all)?;
        return match utf16(&all) {
            Some(text) => split_text(Cursor::new(text), &mut take),
            None => split_text(Cursor::new(all), &mut take),
        };
    }
    split_text(input, &mut take)
}

/// Whether a text has two bytes for each letter.
fn is_wide(start: &[u8]) -> bool {
    matches!(start, [0, _, ..] | [_, 0, ..])
}

fn split_text(mut input: impl BufRead, take: &mut impl FnMut(&[u8])) -> io::Result<SplitEnd> {
    let mut cutter = Cutter::default();
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        let length = chunk.len();
        if cutter.read(chunk, take).is_none() {
            return Ok(SplitEnd::NotJson);
        }
        input.consume(length);
    }
    Ok(if matches!(cutter.within, Within::Text) { SplitEnd::Whole } else { SplitEnd::CutShort })
}

/// What the next byte is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Within {
    /// Between values that stand one after another.
    #[default]
    Text,
    /// Between the elements of a list.
    List,
    /// An object that may have such a list.
    Object,
    /// An element of a list, or a text.
    Element,
    /// What follows a list in its object.
    Rest,
}

#[derive(Debug, Default)]
struct Cutter {
    within: Within,
    /// Whether a list is being read, and whether it is in an object.
    in_list: bool,
    in_object: bool,
    /// How many brackets are open in the value.
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// Where the last string of the object begins and ends.
    string: (usize, usize),
    /// Whether only a value can follow: the last byte that counts was a colon.
    after_colon: bool,
    value: Vec<u8>,
}

impl Cutter {
    /// `None` where it is not JSON.
    fn read(&mut self, chunk: &[u8], take: &mut impl FnMut(&[u8])) -> Option<()> {
        // What of the chunk is a part of the value.
        let mut from = 0;
        for (at, byte) in chunk.iter().copied().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.within == Within::Object && self.depth == 1 {
                            self.string.1 = self.value.len() + at.saturating_sub(from);
                        }
                        if self.depth == 0 && self.within == Within::Element {
                            self.end(chunk.get(from..=at)?, take);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match self.within {
                Within::Text | Within::List => {
                    from = at;
                    match byte {
                        b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xef | 0xbb | 0xbf => {}
                        b'[' if self.within == Within::Text => {
                            (self.within, self.in_list) = (Within::List, true);
                        }
                        b']' if self.within == Within::List => {
                            self.in_list = false;
                            (self.within, self.depth) = match self.in_object {
                                true => (Within::Rest, 1),
                                false => (Within::Text, 0),
                            };
                            self.in_object = false;
                        }
                        b'{' if self.within == Within::Text => self.begin(Within::Object, 1),
                        b'{' | b'[' => self.begin(Within::Element, 1),
                        b'"' => {
                            self.begin(Within::Element, 0);
                            self.in_string = true;
                        }
                        // A number or a word is no record.
                        _ if self.within == Within::List => {}
                        _ => return None,
                    }
                }
                Within::Object | Within::Element | Within::Rest => match byte {
                    b'"' => {
                        self.in_string = true;
                        self.after_colon = false;
                        if self.within == Within::Object && self.depth == 1 {
                            self.string.0 = self.value.len() + at.saturating_sub(from) + 1;
                        }
                    }
                    b'[' if self.after_colon && self.names_list(chunk.get(from..at)?) => {
                        self.value.clear();
                        (self.within, self.in_list, self.in_object) = (Within::List, true, true);
                        self.after_colon = false;
                    }
                    b'{' | b'[' => {
                        self.after_colon = false;
                        self.depth += 1;
                    }
                    b'}' | b']' => {
                        self.after_colon = false;
                        self.depth = self.depth.saturating_sub(1);
                        if self.depth == 0 {
                            self.end(chunk.get(from..=at)?, take);
                        }
                    }
                    b':' => self.after_colon = self.within == Within::Object && self.depth == 1,
                    b' ' | b'\t' | b'\r' | b'\n' => {}
                    _ => self.after_colon = false,
                },
            }
        }
        if matches!(self.within, Within::Object | Within::Element) {
            self.value.extend_from_slice(chunk.get(from..)?);
        }
        Some(())
    }

    fn begin(&mut self, within: Within, depth: usize) {
        self.value.clear();
        self.after_colon = false;
        (self.within, self.depth) = (within, depth);
    }

    /// Whether the member before the colon has a list of records. `more` is what of the value is not
    /// in its buffer yet.
    fn names_list(&self, more: &[u8]) -> bool {
        let (start, end) = self.string;
        let buffered = self.value.len();
        let byte = |at: usize| match at.checked_sub(buffered) {
            Some(at) => more.get(at),
            None => self.value.get(at),
        };
        LISTS.iter().any(|list| {
            end.saturating_sub(start) == list.len()
                && list.iter().zip(start..).all(|(letter, at)| byte(at) == Some(letter))
        })
    }

    /// The value is complete.
    fn end(&mut self, last: &[u8], take: &mut impl FnMut(&[u8])) {
        if self.within != Within::Rest {
            if self.value.is_empty() {
                take(last);
            } else {
                self.value.extend_from_slice(last);
                take(&self.value);
                self.value.clear();
            }
        }
        self.within = if self.in_list { Within::List } else { Within::Text };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// Read in chunks of every size up to its own.
    fn cut(text: &str) -> (Vec<String>, SplitEnd) {
        let in_chunks = |size| {
            let mut found = Vec::new();
            let input = BufReader::with_capacity(size, text.as_bytes());
            let end = split(input, |record| found.push(String::from_utf8_lossy(record).into()));
            (found, end.unwrap())
        };
        let whole = in_chunks(text.len().max(1));
        for size in 2..text.len() {
            assert_eq!(in_chunks(size), whole, "in chunks of {size}: {text}");
        }
        whole
    }

    #[test]
    fn every_record_is_passed_on_alone() {
        use SplitEnd::{CutShort, NotJson, Whole};
        let cases: [(&str, &[&str], SplitEnd); 14] = [
            ("", &[], Whole),
            (r#"{"Records":[{"a":1},{"b":"}]"}]}"#, &[r#"{"a":1}"#, r#"{"b":"}]"}"#], Whole),
            (r#"{"Records": [ ], "x": [1]} {"a":1}"#, &[r#"{"a":1}"#], Whole),
            (
                r#"{"NextToken":"[","Events" : [{"c":"\""}],"x":{"Events":[3]}}"#,
                &[r#"{"c":"\""}"#],
                Whole,
            ),
            (r#"[{"a":[{}]},{"b":2}]"#, &[r#"{"a":[{}]}"#, r#"{"b":2}"#], Whole),
            ("{\"a\":1}\n{\"b\":{}}\n", &[r#"{"a":1}"#, r#"{"b":{}}"#], Whole),
            // A list of that name further inside belongs to the record.
            (r#"{"a":{"Records":[1]}}"#, &[r#"{"a":{"Records":[1]}}"#], Whole),
            (r#"{"xRecords":[1],"k":"Records"}"#, &[r#"{"xRecords":[1],"k":"Records"}"#], Whole),
            (r#"{"Records":"x"}"#, &[r#"{"Records":"x"}"#], Whole),
            (r#"["{}", 3, {"a":1}]"#, &[r#""{}""#, r#"{"a":1}"#], Whole),
            (r#"{"Records":[{"a":1},{"b""#, &[r#"{"a":1}"#], CutShort),
            (r#"{"Records":[{"a":1}"#, &[r#"{"a":1}"#], CutShort),
            (r#"{"a":1} eventName"#, &[r#"{"a":1}"#], NotJson),
            ("<html>", &[], NotJson),
        ];
        for (text, records, end) in cases {
            let (found, found_end) = cut(text);
            assert_eq!(
                (found, found_end),
                (records.iter().map(|it| (*it).to_owned()).collect(), end),
                "{text}"
            );
        }
    }

    #[test]
    fn other_encodings_are_read_too() {
        let text = r#"{"Records":[{"a":"\u00fc"}]}"#;
        let wide: Vec<u8> = "\u{feff}"
            .encode_utf16()
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [wide, format!("\u{feff}{text}").into_bytes()] {
            let mut found = Vec::new();
            let end = split(bytes.as_slice(), |record| found.push(record.to_vec())).unwrap();
            assert_eq!((found.len(), end), (1, SplitEnd::Whole));
        }
    }
}
