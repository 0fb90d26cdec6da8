//! docs/performance.md, where each bench has a section for its results.

use std::path::Path;

/// Prints the section of a bench; with `--write`, also writes it to the document.
pub fn tell(repository: &Path, bench: &str, section: &str) {
    println!("{section}");
    if std::env::args().any(|argument| argument == "--write") {
        write(repository, bench, section);
    }
}

/// Writes the section between the marks of this bench.
pub fn write(repository: &Path, bench: &str, section: &str) {
    let path = repository.join("docs/performance.md");
    let document = std::fs::read_to_string(&path).expect("docs/performance.md");
    let begin = format!("<!-- written by the bench `{bench}` -->");
    let end = format!("<!-- end of what the bench `{bench}` wrote -->");
    let (before, rest) = document.split_once(&begin).expect("where it begins");
    let (_, after) = rest.split_once(&end).expect("where it ends");
    let section = section.trim_end();
    std::fs::write(&path, format!("{before}{begin}\n\n{section}\n\n{end}{after}"))
        .expect("written");
}
