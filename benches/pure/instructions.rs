//! How many instructions the work takes. Unlike time, this doesn't depend on what else the machine does.
//!
//! `cargo bench -p sg-audit-benches --bench instructions` compares the counts with
//! benches/pure/instructions.tsv. It fails if one differs by more than the tolerance, even if it is
//! lower, so that the table stays true. `-- --renew` writes the table again. It needs valgrind.
//!
//! Each case runs under callgrind twice: N times, and 2 N times. The difference is the work alone,
//! because both runs contain the start of the program and what the case prepares.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::{Command, exit};

use chrono::NaiveDate;
use common::groups::{SOURCE, printed};
use common::{compiler, is_test, repository};
use typo3_sg_auditor::audit::GroupCheck;
use typo3_sg_auditor::baseline::{Baseline, Lists, shipped};
use typo3_sg_auditor::describe::{DescribedGroup, groups};
use typo3_sg_auditor::ec2::Direction;
use typo3_sg_auditor::evaluate::Yardstick;
use typo3_sg_auditor::event::decode;
use typo3_sg_auditor::settings::{Names, RawSettings, Settings};

/// How much a count may differ from the table. Counts differ a little between machines, because
/// standard libraries copy and compare memory with the instructions that the processor has. They
/// differ by up to 2.3 % between folders that the same source was compiled in, because the names of
/// the folders are in the program.
const TOLERANCE: f64 = 0.05;

/// The cases, each with N.
const CASES: [(&str, u32); 8] = [
    // Preparing the baseline `standard`, both directions.
    ("evaluate/ready", 200),
    // Judging 18 compliant ingress rules of a group.
    ("evaluate/complies", 2000),
    // The same with open SSH among them.
    ("evaluate/exceeds", 200),
    // Checking that group, from the rules to the report.
    ("evaluate/finding", 50),
    // Reading a sample event.
    ("decode/authorize", 300),
    ("decode/modify", 300),
    // Reading the output of `describe-security-groups` for 5 groups with 20 rules each.
    ("decode/groups", 100),
    // Reading the text of `standard`.
    ("decode/baseline", 50),
];

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 25).expect("a day")
}

fn settings() -> Settings {
    let raw = RawSettings {
        ssh_sources: Some(SOURCE.to_owned()),
        ..RawSettings::new(Names::COMMAND_LINE)
    };
    Settings::from_raw(&raw, today()).expect("right")
}

fn event(name: &str) -> Vec<u8> {
    let file = repository().join("events").join(name);
    std::fs::read(file).expect("a sample")
}

fn fleet(open_every: Option<usize>) -> Vec<DescribedGroup> {
    groups(&printed(1, open_every)).expect("what AWS prints")
}

/// Does the work of a case this many times.
fn work(case: &str, times: u32) {
    let (settings, lists) = (settings(), Lists::new());
    let baseline = &settings.baseline;
    let repeat = |work: &mut dyn FnMut()| (0..times).for_each(|_| work());
    let judged = |groups: &[DescribedGroup]| {
        let yardstick = Yardstick::new(Cow::Borrowed(baseline), &lists, today());
        repeat(&mut || {
            for group in black_box(groups) {
                let judge = yardstick.judge(Direction::Ingress, &group.group.id);
                let rules =
                    group.rules.iter().filter(|rule| rule.direction() == Direction::Ingress);
                for rule in rules {
                    black_box(judge.code(&judge.judge(rule)));
                }
            }
        });
    };
    match case {
        "evaluate/ready" => repeat(&mut || {
            black_box(Yardstick::new(Cow::Borrowed(black_box(baseline)), &lists, today()));
        }),
        "evaluate/complies" => judged(&fleet(None)),
        "evaluate/exceeds" => judged(&fleet(Some(1))),
        "evaluate/finding" => {
            let groups = fleet(Some(1));
            let now = today().and_hms_opt(12, 0, 0).expect("noon").and_utc();
            repeat(&mut || {
                let mut check = GroupCheck::new(&settings, &lists, now);
                for DescribedGroup { place, group, rules } in black_box(&groups) {
                    check.group(place, group, rules);
                }
                black_box(check.report());
            });
        }
        "decode/authorize" | "decode/modify" => {
            let payload = event(if case == "decode/modify" {
                "modify-many.json"
            } else {
                "authorize-open-ssh.json"
            });
            repeat(&mut || drop(black_box(decode(black_box(&payload)))));
        }
        "decode/groups" => {
            let text = printed(5, None);
            repeat(&mut || drop(black_box(groups(black_box(&text)))));
        }
        "decode/baseline" => {
            let text = shipped("standard").expect("it ships");
            repeat(&mut || drop(black_box(Baseline::parse("x", black_box(text), today()))));
        }
        other => panic!("no case {other}"),
    }
}

/// How many instructions a run of this very program takes.
fn instructions(case: &str, times: u32) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("this program has a path"))
        .args(["--case", case, &times.to_string()])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .unwrap_or_else(|error| {
            eprintln!("valgrind cannot be started ({error}): install it, on Debian with apt-get install valgrind");
            exit(2)
        });
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{case}: {said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    collected.and_then(|(_, number)| number.trim().parse().ok()).unwrap_or_else(|| panic!("{said}"))
}

fn table() -> PathBuf {
    repository().join("benches/pure/instructions.tsv")
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, case, times] = &arguments[..]
        && flag == "--case"
    {
        return work(case, times.parse().expect("a number"));
    }
    if is_test() {
        return CASES.iter().for_each(|(case, _)| work(case, 1));
    }
    let counts = CASES.map(|(case, times)| {
        let extra = instructions(case, 2 * times) - instructions(case, times);
        (case, extra / u64::from(times))
    });
    let text = counts.iter().fold(format!("compiler\t{}\n", compiler()), |mut text, (case, n)| {
        let _ = writeln!(text, "{case}\t{n}");
        text
    });
    if arguments.iter().any(|argument| argument == "--renew") {
        std::fs::write(table(), text).expect("benches can be written");
    }
    exit(i32::from(!compared(&counts)));
}

/// Prints the counts beside those of the table, and returns whether they agree.
fn compared(counts: &[(&str, u64)]) -> bool {
    let text = std::fs::read_to_string(table()).unwrap_or_default();
    let known: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.split_once('\t')).collect();
    println!("## Instruction counts\n");
    println!("| what | instructions | in the table | difference |\n|---|---|---|---|");
    let mut off = known.len() != counts.len() + 1;
    for (case, count) in counts {
        let of_table: u64 = known.get(case).and_then(|it| it.parse().ok()).unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "counts are far smaller than 2^52")]
        let difference = *count as f64 / of_table as f64 - 1.0;
        let is_off = !difference.is_finite() || difference.abs() > TOLERANCE;
        let mark = if is_off { " **off**" } else { "" };
        println!("| {case} | {count} | {of_table} | {:+.2} %{mark} |", 100.0 * difference);
        off |= is_off;
    }
    println!("\nTolerance: {:.0} %. Compiler: {}.", 100.0 * TOLERANCE, compiler());
    let theirs = known.get("compiler").copied().unwrap_or("no compiler");
    if theirs != compiler() {
        eprintln!("the table was made with {theirs}, and this is {}", compiler());
    }
    if off {
        eprintln!(
            "instructions: counts are off, or the table has other cases. If you meant that, or have another compiler, write \
             the table again and commit it: cargo bench -p sg-audit-benches --bench instructions -- --renew"
        );
    }
    !off
}
