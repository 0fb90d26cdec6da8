//! Judging rules by baselines: compared with Cloud Custodian, as both grow, and in the worst case.
//!
//! `cargo bench -p sg-audit-benches --bench rules` prints the section of docs/performance.md about rules
//! and draws docs/rules.svg; `-- --write` also writes the section. Cloud Custodian comes from PyPI, so
//! this needs Python 3.10 with venv, and the network once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use chrono::NaiveDate;
use common::groups::{RULES, SOURCE, printed};
use common::{RUNS, Spread, is_test, machine, once, page, plot, repository, side_by_side};
use ipnet::{Ipv4Net, Ipv6Net};
use typo3_sg_auditor::baseline::{Baseline, Lists, MAX_INTERVALS, parse_peers};
use typo3_sg_auditor::describe::{DescribedGroup, groups};
use typo3_sg_auditor::ec2::{Direction, GroupId, Peer, Protocol, Rule};
use typo3_sg_auditor::evaluate::Yardstick;

/// How many groups Cloud Custodian gets.
const GROUPS: usize = 500;

/// One of them in this many has open SSH.
const OPEN_EVERY: usize = 20;

fn today() -> NaiveDate {
    chrono::Utc::now().date_naive()
}

fn standard() -> Baseline {
    Baseline::load("standard", today())
        .expect("it ships")
        .with_ssh_sources(parse_peers(SOURCE).expect("a block"))
}

/// How many rules of the groups exceed the baseline.
fn evaluate(yardstick: &Yardstick<'_>, groups: &[DescribedGroup]) -> usize {
    let mut found = 0;
    for group in groups {
        for direction in Direction::BOTH {
            let judge = yardstick.judge(direction, &group.group.id);
            for rule in group.rules.iter().filter(|rule| rule.direction() == direction) {
                found += usize::from(judge.code(&judge.judge(rule)).is_some());
            }
        }
    }
    found
}

fn main() {
    if is_test() {
        return;
    }
    let mut section = format!("{}\n\n", machine());
    for part in [beside_custodian, as_both_grow] {
        part(&mut section).expect("memory");
    }
    page::tell(repository(), "docs/performance.md", "rules", &section);
    let mut section = format!("{}\n\n", machine());
    at_the_worst(&mut section).expect("memory");
    page::tell(repository(), "docs/limits.md", "limits", &section);
}

fn beside_custodian(section: &mut String) -> fmt::Result {
    let text = printed(GROUPS, Some(OPEN_EVERY));
    let groups = groups(&text).expect("it is what AWS prints");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("custodian.json");
    std::fs::write(&file, &text).expect("the target folder can be written");
    let (mut child, mut ask, mut answers) = custodian(&file);
    let (baseline, lists) = (standard(), Lists::new());
    let (mut own, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        own.push(once(&mut || {
            let yardstick = Yardstick::new(Cow::Borrowed(&baseline), &lists, today());
            assert_eq!(black_box(evaluate(&yardstick, &groups)), GROUPS / OPEN_EVERY);
        }));
        writeln!(ask).expect("it listens");
        let answer = line(&mut answers);
        let (took, matched) = answer.split_once(' ').expect("two numbers");
        assert_eq!(matched.parse(), Ok(GROUPS / OPEN_EVERY));
        theirs.push(took.parse().expect("seconds"));
    }
    drop(ask);
    assert!(child.wait().expect("it was started").success());
    let ratios: Vec<f64> =
        theirs.iter().zip(&own).map(|(theirs, own): (&f64, &f64)| theirs / own).collect();
    writeln!(
        section,
        "{GROUPS} groups with {RULES} rules each, one group in {OPEN_EVERY} with open SSH, \
         judged by `standard` on one core; the time to read the file is not counted. Cloud Custodian's \
         filters (benches/pure/c7n/rules.py) tell which groups match, and the auditor tells what \
         exceeds the baseline in each rule.\n"
    )?;
    writeln!(section, "| what | processor time |\n|---|---|")?;
    writeln!(section, "| the auditor | {} |", Spread::of(own).seconds())?;
    writeln!(section, "| Cloud Custodian | {} |", Spread::of(theirs).seconds())?;
    let Spread { median, least, most } = Spread::of(ratios);
    writeln!(
        section,
        "| Cloud Custodian ÷ the auditor, run by run | {median:.0} ({least:.0}–{most:.0}) |\n"
    )?;
    Ok(())
}

/// Cloud Custodian with the groups of a file, and its input and output.
fn custodian(file: &Path) -> (Child, ChildStdin, BufReader<ChildStdout>) {
    let here = repository();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let made = Command::new("python3")
        .arg(here.join("tests/python_env.py"))
        .arg(target)
        .arg(here.join("benches/pure/c7n/requirements.txt"))
        .stderr(Stdio::inherit())
        .output()
        .expect("python3 is installed");
    assert!(made.status.success(), "no environment with Cloud Custodian");
    let environment = String::from_utf8(made.stdout).expect("a path");
    let mut child = Command::new(Path::new(environment.trim()).join("bin/python"))
        .arg(here.join("benches/pure/c7n/rules.py"))
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python is in its environment");
    let ask = child.stdin.take().expect("piped");
    let mut answers = BufReader::new(child.stdout.take().expect("piped"));
    assert_eq!(line(&mut answers).parse(), Ok(GROUPS));
    (child, ask, answers)
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).expect("it answers");
    line.trim().to_owned()
}

/// The `n`th of a series of /32s that don't touch.
fn host(n: u32) -> Ipv4Net {
    Ipv4Net::new_assert((0x0b00_0000 + 2 * n).into(), 32)
}

fn group() -> GroupId {
    "sg-0a".parse().expect("an id")
}

fn ingress(port: u16, peer: Peer) -> Rule {
    let port = Some(i32::from(port));
    Rule::new(Direction::Ingress, Protocol::TCP, port, port, peer).expect("a rule")
}

/// A baseline with `n` entries, each with another port and another peer.
fn entries(n: u32) -> String {
    let each: String = (0..n)
        .map(|n| {
            format!(
                "  - {{ name: e{n}, protocol: tcp, ports: [{}], peers: [{}] }}\n",
                1000 + 2 * n,
                host(n)
            )
        })
        .collect();
    format!("version: 1\nname: x\negress: []\ningress:\n{each}")
}

/// The time to prepare a baseline and judge rules by it.
fn judged(baseline: &Baseline, rules: &[Rule]) -> Spread {
    let (lists, group) = (Lists::new(), group());
    let samples = (0..RUNS).map(|_| {
        once(&mut || {
            let yardstick = Yardstick::new(Cow::Borrowed(baseline), &lists, today());
            let judge = yardstick.judge(Direction::Ingress, &group);
            for rule in rules {
                black_box(judge.code(&judge.judge(rule)));
            }
        })
    });
    Spread::of(samples.collect())
}

fn as_both_grow(section: &mut String) -> fmt::Result {
    const SIZES: [u32; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
    let complies = |n: u32| ingress(443, Peer::Ipv4(host(n)));
    let exceeds = |n: u32| ingress(22, Peer::Ipv4(host(n)));
    let of_entry =
        |n: u32| ingress(u16::try_from(1000 + 2 * n).expect("a port"), Peer::Ipv4(host(n)));
    let (few, most) = (20, SIZES[SIZES.len() - 1]);
    let standard = standard();
    let parsed = |n| Baseline::parse("x", &entries(n), today()).expect("within the limit");
    let curves = [
        (
            "rules that comply, standard",
            curve(&SIZES, |n| judged(&standard, &(0..n).map(complies).collect::<Vec<_>>())),
        ),
        (
            "rules that do not, standard",
            curve(&SIZES, |n| judged(&standard, &(0..n).map(exceeds).collect::<Vec<_>>())),
        ),
        (
            "entries, 20 rules that comply",
            curve(&SIZES, |n| {
                judged(&parsed(n), &(0..few).map(|rule| of_entry(rule % n)).collect::<Vec<_>>())
            }),
        ),
        (
            "entries, 20 rules that do not",
            curve(&SIZES, |n| judged(&parsed(n), &(0..few).map(exceeds).collect::<Vec<_>>())),
        ),
    ];
    writeln!(
        section,
        "The time to prepare a baseline and judge rules by it, as the rules of a group and the \
         entries of a baseline grow from 1 to {most}: ![plot](rules.svg)\n"
    )?;
    writeln!(
        section,
        "The growth is the exponent between 100 and {most}; n log n would be {:.2}.\n",
        {
            let (a, b) = (100.0_f64, f64::from(most));
            (b * b.log2() / (a * a.log2())).log10() / (b / a).log10()
        }
    )?;
    writeln!(
        section,
        "| what grows | at 1 | at 100 | at {most} | growth |\n|---|---|---|---|---|"
    )?;
    for (name, points) in &curves {
        let at = |size: u32| &points.iter().find(|(n, _)| *n == f64::from(size)).expect("a size").1;
        let growth = (at(most).median / at(100).median).log10() / (f64::from(most) / 100.0).log10();
        writeln!(
            section,
            "| {name} | {} | {} | {} | {growth:.2} |",
            at(1).seconds(),
            at(100).seconds(),
            at(most).seconds()
        )?;
    }
    writeln!(section)?;
    let file = repository().join("docs/rules.svg");
    let drawn: Vec<(&str, Vec<(f64, f64)>)> = curves
        .iter()
        .map(|(name, points)| (*name, points.iter().map(|(n, it)| (*n, it.median)).collect()))
        .collect();
    std::fs::write(file, plot::draw(&drawn)).expect("docs can be written");
    Ok(())
}

fn curve(sizes: &[u32], mut measure: impl FnMut(u32) -> Spread) -> Vec<(f64, Spread)> {
    sizes.iter().map(|n| (f64::from(*n), measure(*n))).collect()
}

/// Baselines at the size limit, in the shapes that an attacker would choose.
fn shapes() -> Vec<(&'static str, String)> {
    let limit = u32::try_from(MAX_INTERVALS).expect("a small number");
    let root = limit.isqrt();
    let list = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(", ");
    let one = |ports: &str, peers: &str| {
        format!(
            "version: 1\nname: x\negress: []\ningress:\n  - {{ name: e, protocol: tcp, \
             ports: [{ports}], peers: [{peers}] }}\n"
        )
    };
    // Each entry is inside the one before, so the number of their pieces is the square of theirs.
    let dolls: String = (0..root)
        .map(|n| {
            format!(
                "  - {{ name: e{n}, protocol: tcp, ports: [\"{n}-{}\"], peers: [{}] }}\n",
                65535 - n,
                host(n)
            )
        })
        .collect();
    let v6 =
        |n: u32| Ipv6Net::new_assert(((0x2001_0db8_u128 << 96) + (u128::from(n) << 65)).into(), 64);
    vec![
        ("each entry one port and one peer", entries(limit)),
        (
            "one entry, one port, IPv4 peers",
            one("9000", &list(&mut (0..limit).map(|n| host(n).to_string()))),
        ),
        (
            "one entry, one port, IPv6 peers",
            one("9000", &list(&mut (0..limit).map(|n| format!("\"{}\"", v6(n))))),
        ),
        (
            "one entry, ports, one peer",
            one(&list(&mut (0..limit).map(|n| (2 * n).to_string())), "10.0.0.0/8"),
        ),
        (
            "one entry, ports × peers",
            one(
                &list(&mut (0..root).map(|n| (2 * n).to_string())),
                &list(&mut (0..root).map(|n| host(n).to_string())),
            ),
        ),
        (
            "entries inside one another",
            format!("version: 1\nname: x\negress: []\ningress:\n{dolls}"),
        ),
        ("one entry, groups", one("9000", &list(&mut (0..limit).map(|n| format!("sg-{n:017x}"))))),
    ]
}

fn at_the_worst(section: &mut String) -> fmt::Result {
    let (lists, group) = (Lists::new(), group());
    writeln!(
        section,
        "Baselines of {MAX_INTERVALS} intervals, in the shapes that cost most. Larger ones are refused. \
         The rules admit every protocol and port from all of IPv4 and from all of IPv6.\n"
    )?;
    writeln!(
        section,
        "| shape | to read and check it | to prepare it | to judge both rules |\n|---|---|---|---|"
    )?;
    for (shape, text) in shapes() {
        let baseline = Baseline::parse("x", &text, today()).expect(shape);
        let yardstick = Yardstick::new(Cow::Borrowed(&baseline), &lists, today());
        let judge = yardstick.judge(Direction::Ingress, &group);
        let peers = [Peer::Ipv4(Ipv4Net::default()), Peer::Ipv6(Ipv6Net::default())];
        let all = peers.map(|peer| {
            Rule::new(Direction::Ingress, Protocol::All, None, None, peer).expect("a rule")
        });
        let spreads = side_by_side(&mut [
            &mut || drop(black_box(Baseline::parse("x", &text, today()))),
            &mut || drop(black_box(Yardstick::new(Cow::Borrowed(&baseline), &lists, today()))),
            &mut || {
                for rule in &all {
                    black_box(judge.code(&judge.judge(rule)));
                }
            },
        ]);
        let cells: Vec<String> = spreads.iter().map(Spread::seconds).collect();
        writeln!(section, "| {shape} | {} |", cells.join(" | "))?;
    }
    Ok(())
}
