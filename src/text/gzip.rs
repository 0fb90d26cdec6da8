use std::io::{self, BufRead, BufReader, ErrorKind, Read};

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

/// The same of a stream, piece by piece.
///
/// # Errors
///
/// When the stream cannot be read.
pub fn unpacking<'a>(mut stream: impl BufRead + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    const PIECE: usize = 64 * 1024;
    Ok(match stream.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(BufReader::with_capacity(PIECE, MultiGzDecoder::new(stream))),
        _ => Box::new(stream),
    })
}
