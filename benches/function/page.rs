//! The tables, as docs/performance.md has them.

use std::fmt::Write;

use super::rows::Row;
use super::spread::Spread;

/// The table, with the machine and the day.
pub fn section(rows: &[Row], runs: usize) -> String {
    let mut text = format!(
        "Measured on {}: {}, {runs} runs each by turns, median (least–most). Load of the machine in the last \
         minutes, at the end: {}.\n\n\
         | what | the function | beside | | ratio of medians | reach |\n|---|---|---|---|---|---|\n",
        chrono::Utc::now().date_naive(),
        machine(),
        load(),
    );
    for row in rows {
        let reach = row.reach.map_or("–".to_owned(), |reach| {
            let verdict = if row.ratio() <= reach { "reached" } else { "missed" };
            format!("≤ {}, {verdict}", short(reach))
        });
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {reach} |",
            row.what,
            spread(row.ours, row.unit),
            row.beside,
            spread(row.theirs, row.unit),
            short(row.ratio()),
        )
        .expect("memory");
    }
    text
}

fn spread(spread: Spread, unit: &str) -> String {
    format!("{:.1} {unit} ({:.1}–{:.1})", spread.median, spread.least, spread.most)
}

fn short(ratio: f64) -> String {
    if ratio < 0.1 { format!("1/{:.0}", 1.0 / ratio) } else { format!("{ratio:.2}") }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok());
    let memory = memory.map_or(0.0, |kib| (kib / 1024.0 / 1024.0).ceil());
    format!("{cores} cores, {memory} GiB, Linux {}", std::env::consts::ARCH)
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(3).collect::<Vec<_>>().join(", ")
}
