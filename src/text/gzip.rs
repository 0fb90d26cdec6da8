use std::io::{self, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;

/// The bytes of a file without their compression with gzip, if they have any; at most so many.
///
/// # Errors
///
/// When the compressed data is damaged or cut off.
pub fn unpacked(bytes: Vec<u8>, most: u64) -> io::Result<Vec<u8>> {
    match bytes.as_slice() {
        // A trail's files have several members if somebody has joined them.
        [0x1f, 0x8b, ..] => {
            let mut text = Vec::new();
            let read = MultiGzDecoder::new(bytes.as_slice()).take(most).read_to_end(&mut text);
            read.map(|_| text).map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => {
                    io::Error::new(ErrorKind::UnexpectedEof, "the compressed file is cut short")
                }
                _ => error,
            })
        }
        _ => Ok(bytes),
    }
}
