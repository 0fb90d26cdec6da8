//! Compares the function with others that start as it does: the time until the first answer, and the memory.
//!
//! `cargo bench --package sg-audit-function-bench` needs what the tests need: `python3` with venv, and the Python package
//! registry on first use. It prints Markdown; with `-- --write` it puts it into docs/performance.md, with `-- --runs N`
//! each thing is measured N times instead of 20. All ratios are of one run, in which the programs take turns.

mod beside;
#[path = "../pure/common/page.rs"]
mod document;
mod page;
mod region;
mod rows;
mod spread;

use sg_audit_tests as support;
use support::sg_audit::repository;

use beside::Programs;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        Some(arguments.get(at + 1).map(String::as_str).unwrap_or_default())
    };
    let runs = value("--runs").map_or(20, |runs| runs.parse().expect("--runs and a number"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let rows = runtime.expect("a runtime").block_on(rows::measure(&Programs::built(), runs));
    let section = page::section(&rows, runs);
    document::tell(repository(), "docs/performance.md", "function", &section);
}
