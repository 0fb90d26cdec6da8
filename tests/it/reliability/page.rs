//! docs/reliability.md: its tables are what the trials came to.

use std::fs;
use std::sync::Mutex;

use super::scene::Scene;
use crate::support::sg_audit::repository;

/// A heading, the columns and the rows.
pub type Table = (&'static str, Vec<&'static str>, Vec<Vec<String>>);

/// The heading of the table for what fails in this scene.
pub fn section(scene: Scene) -> &'static str {
    match scene {
        Scene::Change => "A call for a change",
        Scene::List => "A call for a prefix list",
        Scene::Member => "A call for another account",
        Scene::Remembered => "A call of the table",
        Scene::Sweep => "A call of a sweep",
        Scene::Close => "A call for what a sweep found",
    }
}

/// The tables of the page are these; or they are made to be, by the same switch as snapshots.
pub fn tables_are(tables: &[Table]) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap();
    let file = repository().join("docs/reliability.md");
    let page = fs::read_to_string(&file).expect("the page");
    let mut expected = page.clone();
    for (heading, heads, rows) in tables {
        let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
        let rule = format!("|{}", "---|".repeat(heads.len()));
        let mut lines = vec![row(&heads), rule];
        lines.extend(rows.iter().map(|cells| row(cells)));
        let start = expected.find(&format!("\n### {heading}\n")).expect(heading);
        let start = start + expected[start..].find("\n|").expect("a table") + 1;
        let length =
            expected[start..].find("\n\n").map_or(expected[start..].trim_end().len(), |at| at);
        expected.replace_range(start..start + length, &lines.join("\n"));
    }
    if std::env::var_os("INSTA_UPDATE").is_some_and(|value| value == "always") {
        fs::write(file, expected).unwrap();
    } else {
        let differs = |(page, trials): &(&str, &str)| page != trials;
        let lines: Vec<_> = page.lines().zip(expected.lines()).filter(differs).collect();
        assert!(
            page == expected,
            "INSTA_UPDATE=always brings docs/reliability.md, which has the first of each, up to date: {lines:?}"
        );
    }
}

fn row(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}
