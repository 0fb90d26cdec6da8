//! Measures work in processes of its own, so that each has its own peak memory.

use std::path::Path;
use std::process::{Command, Stdio, exit};
use std::time::Instant;

use cpu_time::ProcessTime;

use super::Spread;

/// What a table calls it, the name by which its process knows it, and its options.
pub type Work = (&'static str, &'static str, &'static [&'static str]);

/// What the processes of a work took.
pub struct Took {
    /// Seconds on the clock.
    pub time: Spread,
    /// Seconds of processor time.
    pub processor: Spread,
    /// MiB of memory at most, which is known on Linux only.
    pub memory: Spread,
}

/// Runs each work so often, by turns. `input` is the file or folder for the work of that name.
pub fn measure<'p>(works: &[Work], times: usize, input: impl Fn(&str) -> &'p Path) -> Vec<Took> {
    let mut measured: Vec<[Vec<f64>; 3]> = works.iter().map(|_| Default::default()).collect();
    for _ in 0..times {
        for ((_, work, options), all) in works.iter().zip(&mut measured) {
            for (samples, sample) in all.iter_mut().zip(run(work, input(work), options)) {
                samples.push(sample);
            }
        }
    }
    let took = |[time, processor, memory]: [Vec<f64>; 3]| Took {
        time: Spread::of(time),
        processor: Spread::of(processor),
        memory: Spread::of(memory),
    };
    measured.into_iter().map(took).collect()
}

fn run(work: &str, input: &Path, options: &[&str]) -> [f64; 3] {
    let program = std::env::current_exe().expect("this program has a path");
    let began = Instant::now();
    let output = Command::new(program)
        .arg(format!("work-{work}"))
        .arg(input)
        .args(options)
        .stdout(Stdio::null())
        .output()
        .expect("this program can be started");
    let took = began.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let numbers: Vec<f64> =
        said.lines().last().unwrap_or_default().split(' ').flat_map(str::parse).collect();
    let [processor, memory] = numbers[..] else { panic!("{work}: {said}") };
    [took, processor, memory]
}

/// If this process was started for a work, does it, prints processor time and peak memory to standard
/// error, and ends the process. `work` gets its name, its input and its options.
pub fn do_work(work: impl FnOnce(&str, &Path, &[String]) -> i32) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, input, options @ ..] = &arguments[..] else { return };
    let Some(name) = name.strip_prefix("work-") else { return };
    let status = work(name, Path::new(input), options);
    let processor = ProcessTime::now().as_duration().as_secs_f64();
    let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    let peak: f64 = peak.split_whitespace().next().unwrap_or("0").parse().unwrap_or(0.0);
    eprintln!("{processor} {}", peak / 1024.0);
    exit(status)
}
