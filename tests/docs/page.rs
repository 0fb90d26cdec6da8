//! Parts of a Markdown page and of a template, as text.

use std::collections::BTreeMap;

/// The insides of the fenced blocks with this mark.
pub fn blocks<'a>(text: &'a str, mark: &str) -> Vec<&'a str> {
    let open = format!("\n```{mark}\n");
    text.split(open.as_str())
        .skip(1)
        .map(|rest| rest.split("\n```").next().expect("a closed block"))
        .collect()
}

/// The rows of the table under a heading, each with its cells, without code marks.
pub fn table(text: &str, heading: &str) -> Vec<Vec<String>> {
    let section = text.split(&format!("\n{heading}\n")).nth(1).expect(heading);
    let section = section.split("\n#").next().expect("a section");
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        let cells = row.trim_matches('|').split(" | ");
        cells.map(|cell| cell.trim().replace('`', "")).collect()
    })
    .collect()
}

/// A template's parameters with their defaults, without those that have none.
pub fn parameters(template: &str) -> BTreeMap<&str, &str> {
    let (_, rest) = template.split_once("\nParameters:\n").expect("parameters");
    let section = rest.split("\nRules:\n").next().expect("a section");
    let section = section.split("\nConditions:\n").next().expect("a section");
    let mut name = "";
    let mut parameters = BTreeMap::new();
    for line in section.lines() {
        match line.strip_prefix("  ") {
            Some(inner) if !inner.starts_with(' ') => name = inner.trim_end_matches(':'),
            Some(inner) => {
                if let Some(default) = inner.strip_prefix("  Default: ") {
                    parameters.insert(name, default.trim_matches('"'));
                }
            }
            None => {}
        }
    }
    parameters
}
