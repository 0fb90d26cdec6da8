//! The files as a zip archive with a list of their hashes.

use std::io::{Cursor, Write};

use sha2::{Digest, Sha256};
use thiserror::Error;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::text::escape::hex;

/// A file of the pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedFile {
    /// Its name, without a folder.
    pub name: &'static str,
    pub text: String,
}

/// Why evidence cannot be packed.
#[derive(Debug, Error)]
pub enum PackError {
    /// A file cannot be written as JSON.
    #[error("a report cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// A file cannot be written as CSV.
    #[error("a table cannot be written as CSV")]
    Csv(#[from] csv::Error),
    /// The archive cannot be made.
    #[error("the zip archive cannot be made")]
    Zip(#[from] zip::result::ZipError),
    /// A file cannot be written into the archive.
    #[error("a file cannot be written into the zip archive")]
    Write(#[from] std::io::Error),
}

/// The list of hashes, as `sha256sum -c` takes it.
const MANIFEST: &str = "MANIFEST.sha256";

/// The archive. The same files make the same bytes: each has the first time that a zip knows.
///
/// # Errors
///
/// None that files can cause; the writer's signature has one.
pub fn zipped(files: &[PackedFile]) -> Result<Vec<u8>, PackError> {
    let hash = |file: &PackedFile| hex(&Sha256::digest(file.text.as_bytes()));
    let lines = files.iter().map(|file| format!("{}  {}\n", hash(file), file.name));
    let manifest = PackedFile { name: MANIFEST, text: lines.collect() };
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files.iter().chain([&manifest]) {
        writer.start_file(file.name, options)?;
        writer.write_all(file.text.as_bytes())?;
    }
    Ok(writer.finish()?.into_inner())
}
