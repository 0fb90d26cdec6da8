//! The log: JSON lines, which people read in a terminal too.

use std::io::{self, Write};

use crate::text::escape::ascii_json;

/// A log in ASCII. What writes the lines escapes what JSON must have escaped, and that is less than
/// what a terminal obeys.
#[derive(Debug)]
pub struct AsciiLog<W>(pub W);

impl<W: Write> Write for AsciiLog<W> {
    /// Takes all of `line`, which is one line or several, or fails.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(ascii_json(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
