//! `sg-audit check` of a large fleet, compared with only parsing the same file.
//!
//! `cargo bench -p sg-audit-benches --bench check` prints the section of docs/performance.md about the
//! command line; `-- --write` writes it there. It needs 1 GiB of disk in the target folder and 1 GiB of
//! memory. Peak memory is known on Linux only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fmt::Write;
use std::fs::File;
use std::hint::black_box;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use common::groups::{RULES, SOURCE, write};
use common::process::{Took, Work, do_work, measure};
use common::{is_test, machine, page, repository};
use serde::Deserialize;

/// How many groups a fleet has.
const GROUPS: usize = 100_000;

/// In the fleet with open SSH, one group in this many has such a rule.
const OPEN_EVERY: usize = 100;

/// The output of `describe-security-groups` as plain structs.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(dead_code, reason = "it is only read")]
struct Output {
    security_groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(dead_code, reason = "it is only read")]
struct Group {
    group_id: String,
    group_name: Option<String>,
    vpc_id: Option<String>,
    owner_id: Option<String>,
    security_group_arn: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    ip_permissions: Vec<Permission>,
    #[serde(default)]
    ip_permissions_egress: Vec<Permission>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(dead_code, reason = "it is only read")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(dead_code, reason = "it is only read")]
struct Permission {
    ip_protocol: String,
    from_port: Option<i32>,
    to_port: Option<i32>,
    #[serde(default)]
    ip_ranges: Vec<Peer>,
    #[serde(default, rename = "Ipv6Ranges")]
    ipv6_ranges: Vec<Peer>,
    #[serde(default)]
    user_id_group_pairs: Vec<Peer>,
    #[serde(default)]
    prefix_list_ids: Vec<Peer>,
}

/// A peer of any kind.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(dead_code, reason = "it is only read")]
struct Peer {
    cidr_ip: Option<String>,
    #[serde(rename = "CidrIpv6")]
    cidr_ipv6: Option<String>,
    group_id: Option<String>,
    user_id: Option<String>,
    prefix_list_id: Option<String>,
    description: Option<String>,
}

/// What is measured, each in a process of its own.
const WORKS: [Work; 4] = [
    ("serde_json into typed structs, nothing else", "parse", &[]),
    ("`sg-audit check`, text, all compliant", "check", &["--format", "text"]),
    ("`sg-audit check`, JSON, all compliant", "check", &["--format", "json"]),
    ("`sg-audit check`, JSON, 1 group in 100 with open SSH", "open", &["--format", "json"]),
];

fn main() {
    do_work(worked);
    if is_test() {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let fleet = |name: &str, open| -> PathBuf {
        let path = folder.join(name);
        let file = File::create(&path).expect("the target folder can be written");
        write(BufWriter::new(file), GROUPS, open).expect("there is room on the disk");
        path
    };
    let (compliant, open) = (fleet("fleet.json", None), fleet("fleet-open.json", Some(OPEN_EVERY)));
    let file = |work: &str| if work == "open" { open.as_path() } else { compliant.as_path() };
    let measured = measure(&WORKS, common::RUNS, file);
    let size = std::fs::metadata(&compliant).map_or(0, |it| it.len()) >> 20;
    for file in [compliant, open] {
        let _ = std::fs::remove_file(file);
    }
    let mut text = String::new();
    writeln!(
        text,
        "{GROUPS} groups with {RULES} rules each, in a file of {size} MiB as `aws ec2 \
         describe-security-groups` prints it. {}\n\n\
         | what | time | × reading | processor time | × reading | peak memory |\n\
         |---|---|---|---|---|---|",
        machine()
    )
    .expect("memory");
    let mut reading = None;
    for ((name, ..), Took { time, processor, memory }) in WORKS.iter().zip(measured) {
        let (of_time, of_processor) = *reading.get_or_insert((time.median, processor.median));
        writeln!(
            text,
            "| {name} | {} | {:.2} | {} | {:.2} | {:.0} MiB |",
            time.seconds(),
            time.median / of_time,
            processor.seconds(),
            processor.median / of_processor,
            memory.median,
        )
        .expect("memory");
    }
    page::tell(repository(), "docs/performance.md", "check", &text);
}

fn worked(work: &str, file: &Path, options: &[String]) -> i32 {
    if work == "parse" {
        let bytes = std::fs::read(file).expect("the file is there");
        let output: Output = serde_json::from_slice(&bytes).expect("it is what was written");
        i32::from(black_box(output).security_groups.len() != GROUPS)
    } else {
        let file = file.to_str().expect("a path in UTF-8");
        let check = ["sg-audit", "check", "--groups", file, "--ssh-source", SOURCE];
        let check = check.into_iter().chain(options.iter().map(String::as_str));
        i32::from(typo3_sg_auditor::cli::run(check.map(Into::into)))
    }
}
