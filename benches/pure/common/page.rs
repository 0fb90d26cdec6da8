//! The pages of docs in which a bench has a section for its results.

use std::path::Path;

/// Prints the section of a bench; with `--write`, also puts it between the bench's marks in `page`.
pub fn tell(repository: &Path, page: &str, bench: &str, section: &str) {
    println!("{section}");
    if std::env::args().all(|argument| argument != "--write") {
        return;
    }
    let path = repository.join(page);
    let document = std::fs::read_to_string(&path).expect("a page of docs");
    let begin = format!("<!-- written by the bench `{bench}` -->");
    let end = format!("<!-- end of what the bench `{bench}` wrote -->");
    let (before, rest) = document.split_once(&begin).expect("where it begins");
    let (_, after) = rest.split_once(&end).expect("where it ends");
    let section = section.trim_end();
    std::fs::write(&path, format!("{before}{begin}\n\n{section}\n\n{end}{after}"))
        .expect("written");
}
