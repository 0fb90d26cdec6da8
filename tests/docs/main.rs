//! The README and the other pages are true: commands print what is shown, tables match the code and the templates, and
//! what is linked or named exists.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod links;
mod page;
mod readme;
mod releases;
mod report;
#[path = "../report_schema.rs"]
mod report_schema;
mod tables;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Every page that a person reads, by its path.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for folder in ["", "docs/", "docs/adr/", "fuzz/", "layer/"] {
        let inside = fs::read_dir(root().join(folder)).expect("a folder");
        let names = inside.map(|file| file.unwrap().file_name().into_string().unwrap());
        for name in names.filter(|name| name.ends_with(".md")) {
            let file = format!("{folder}{name}");
            let text = read(&file);
            pages.insert(file, text);
        }
    }
    pages
}

/// Runs the built program in the repository's folder.
fn sg_audit(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sg-audit"));
    command.args(arguments).current_dir(root()).env_clear().output().expect("sg-audit starts")
}

/// What it prints, standard error last, as a terminal shows it.
fn printed(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
