//! The lines of `.tf` files that declare resources.

/// A `.tf` file of a folder.
#[derive(Clone, Debug)]
pub struct TfFile {
    /// Its path, as findings name it.
    pub path: String,
    pub text: String,
}

/// The file and the line that begin `resource "KIND" "NAME"`.
pub(super) fn line_of(files: &[TfFile], kind: &str, name: &str) -> Option<(String, usize)> {
    files.iter().find_map(|file| {
        let mut in_comment = false;
        for (at, line) in file.text.lines().enumerate() {
            let code = line.trim_start();
            if in_comment {
                in_comment = !code.contains("*/");
                continue;
            }
            in_comment = code.starts_with("/*") && !code.contains("*/");
            if begins(code, kind, name) {
                return Some((file.path.clone(), at + 1));
            }
        }
        None
    })
}

/// Whether the line begins that resource. Labels may be written without quotes.
fn begins(line: &str, kind: &str, name: &str) -> bool {
    let label = |text: &str, wanted: &str| -> Option<String> {
        let text = text.trim_start();
        let rest = match text.strip_prefix('"') {
            Some(rest) => rest.strip_prefix(wanted)?.strip_prefix('"')?,
            None => text.strip_prefix(wanted)?,
        };
        Some(rest.to_owned())
    };
    let Some(rest) = line.strip_prefix("resource") else { return false };
    if !rest.starts_with([' ', '\t', '"']) {
        return false;
    }
    let after_name = label(rest, kind).and_then(|rest| label(&rest, name));
    after_name.is_some_and(|rest| rest.trim_start().starts_with('{') || rest.trim().is_empty())
}
