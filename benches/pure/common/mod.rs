//! What the benches share: groups to audit, and ways to measure and to print.
#![allow(dead_code, reason = "each bench uses only a part")]

pub mod groups;
pub mod page;
pub mod plot;
pub mod process;

use std::time::Duration;

use cpu_time::ThreadTime;

/// How often everything is measured.
pub const RUNS: usize = 20;

/// The results of all runs of a measurement.
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    pub fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        Self {
            median: samples[samples.len() / 2],
            least: samples[0],
            most: samples[samples.len() - 1],
        }
    }

    /// `12.3 ms (11.8–15.0)`, of seconds.
    pub fn seconds(&self) -> String {
        let (scale, unit) = match self.median {
            median if median >= 1.0 => (1.0, "s"),
            median if median >= 1e-3 => (1e3, "ms"),
            median if median >= 1e-6 => (1e6, "µs"),
            _ => (1e9, "ns"),
        };
        let [median, least, most] = [self.median, self.least, self.most].map(|it| it * scale);
        format!("{median:.2} {unit} ({least:.2}–{most:.2})")
    }
}

/// The processor time of one call of `work`, in seconds. Repeats it until the clock is precise enough.
pub fn once(work: &mut dyn FnMut()) -> f64 {
    const ENOUGH: Duration = Duration::from_millis(2);
    let mut times = 1_u32;
    loop {
        let began = ThreadTime::now();
        for _ in 0..times {
            work();
        }
        let took = began.elapsed();
        if took >= ENOUGH {
            return took.as_secs_f64() / f64::from(times);
        }
        times *= 4;
    }
}

/// The spread of [`once`] over all runs. Each run measures every one of `works`.
pub fn side_by_side(works: &mut [&mut dyn FnMut()]) -> Vec<Spread> {
    let mut samples = vec![Vec::new(); works.len()];
    for _ in 0..RUNS {
        for (samples, work) in samples.iter_mut().zip(works.iter_mut()) {
            samples.push(once(*work));
        }
    }
    samples.into_iter().map(Spread::of).collect()
}

/// The machine and the day, as a sentence.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = info.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok());
    let memory = memory.map_or("?".to_owned(), |kib| format!("{:.0}", kib / f64::from(1 << 20)));
    let (system, kind) = (std::env::consts::OS, std::env::consts::ARCH);
    let day = chrono::Utc::now().date_naive();
    format!(
        "{cores} cores, {memory} GiB, {system} {kind}, {}; {day}; {RUNS} runs, median (least–most).",
        compiler()
    )
}

/// The compiler's name and version.
pub fn compiler() -> String {
    let asked = std::process::Command::new("rustc").arg("--version").output();
    let said = asked.ok().and_then(|it| String::from_utf8(it.stdout).ok()).unwrap_or_default();
    let words: Vec<&str> = said.split_whitespace().take(2).collect();
    words.join(" ")
}

/// The folder of the repository.
pub fn repository() -> &'static std::path::Path {
    std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Whether it only has to run without errors, as in `cargo test --benches`.
pub fn is_test() -> bool {
    !std::env::args().any(|argument| argument == "--bench")
}
