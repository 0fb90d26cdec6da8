//! `sg-audit history` of a year of a busy account, compared with only unpacking and parsing its files.
//!
//! `cargo bench -p sg-audit-benches --bench history` prints the section of docs/history.md;
//! `-- --write` writes it there. It needs 300 MiB of disk in the target folder and takes minutes. Peak
//! memory is known on Linux only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};

use common::process::{Took, Work, do_work, measure};
use common::{is_test, machine, page, repository};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// How many records a year has, and how many are in a file.
const RECORDS: usize = 1_000_000;
const IN_A_FILE: usize = 500;

/// Of this many records one is a change of a rule, of this many of those one exceeds the baseline,
/// and is closed by the next.
const CHANGE_EVERY: usize = 20;
const OPEN_EVERY: usize = 100;

/// How often each work is measured.
const TIMES: usize = 3;

/// What is measured. Each runs in its own process.
const WORKS: [Work; 3] = [
    ("unpacking and `serde_json` into `Value`, file by file", "parse", &[]),
    ("`sg-audit history`, text", "history", &[]),
    ("`sg-audit history`, JSON", "history", &["--format", "json"]),
];

/// A record as a trail has it. Most are of calls that only read.
fn record(number: usize) -> Value {
    const SECONDS_OF_YEAR: usize = 365 * 24 * 3600;
    let time = 1_735_689_600 + (number * (SECONDS_OF_YEAR / 100) / (RECORDS / 100)) as i64;
    let time = chrono::DateTime::from_timestamp(time, 0).expect("a time").format("%FT%TZ");
    let change = number / CHANGE_EVERY;
    let user = number % 40;
    let mut record = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": format!("AROAEXAMPLEEXAMPLE{user:03}:session-{user}"),
            "arn": format!("arn:aws:sts::123456789012:assumed-role/service-role/session-{user}"),
            "accountId": "123456789012",
            "accessKeyId": "ASIAEXAMPLEEXAMPLE00",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": "AROAEXAMPLEEXAMPLE000",
                    "arn": "arn:aws:iam::123456789012:role/service-role",
                    "accountId": "123456789012", "userName": "service-role"
                },
                "attributes": {"creationDate": time.to_string(), "mfaAuthenticated": "false"}
            }
        },
        "eventTime": time.to_string(),
        "eventSource": "ec2.amazonaws.com",
        "eventName": "DescribeInstances",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": format!("198.51.100.{}", user + 1),
        "userAgent": "Boto3/1.40.1 md/Botocore#1.40.1 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.12",
        "requestParameters": {"filterSet": {"items": [{"name": "instance-state-name",
            "valueSet": {"items": [{"value": "running"}, {"value": "pending"}]}}]}},
        "responseElements": null,
        "requestID": format!("{number:08x}-1111-2222-3333-444444444444"),
        "eventID": format!("{number:08x}-5555-6666-7777-888888888888"),
        "readOnly": true, "eventType": "AwsApiCall", "managementEvent": true,
        "recipientAccountId": "123456789012", "eventCategory": "Management",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": "ec2.eu-central-1.amazonaws.com"}
    });
    if number.is_multiple_of(CHANGE_EVERY) {
        let (group, rule) =
            (format!("sg-{:017x}", change / 2 % 500), format!("sgr-{:017x}", change / 2));
        let exceeds = (change / 2).is_multiple_of(OPEN_EVERY);
        let port = if exceeds { 22 } else { 443 };
        record["readOnly"] = json!(false);
        record["requestParameters"] = json!({"groupId": group, "ipPermissions": {"items": [{
            "ipProtocol": "tcp", "fromPort": port, "toPort": port,
            "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}});
        let rules = json!({"items": [{
            "groupId": group, "securityGroupRuleId": rule, "isEgress": false, "ipProtocol": "tcp",
            "fromPort": port, "toPort": port, "cidrIpv4": "0.0.0.0/0"}]});
        (record["eventName"], record["responseElements"]) = if change.is_multiple_of(2) {
            let response = json!({"_return": true, "securityGroupRuleSet": rules});
            (json!("AuthorizeSecurityGroupIngress"), response)
        } else {
            let response = json!({"_return": true, "revokedSecurityGroupRuleSet": rules});
            (json!("RevokeSecurityGroupIngress"), response)
        };
    }
    record
}

/// Writes the year, and returns its size unpacked.
fn write_year(folder: &Path) -> u64 {
    let mut size = 0;
    fs::create_dir_all(folder).expect("the target folder can be written");
    for file in 0..RECORDS / IN_A_FILE {
        let first = file * IN_A_FILE;
        let records: Vec<Value> = (first..first + IN_A_FILE).map(record).collect();
        let text = json!({"Records": records}).to_string();
        size += text.len() as u64;
        let path = folder.join(format!("123456789012_CloudTrail_eu-central-1_{file:06}.json.gz"));
        let file = BufWriter::new(File::create(path).expect("there is room on the disk"));
        let mut encoder = GzEncoder::new(file, Compression::default());
        encoder.write_all(text.as_bytes()).expect("written");
        encoder.finish().expect("written");
    }
    size
}

fn main() {
    do_work(worked);
    if is_test() {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("year");
    let size = write_year(&folder) >> 20;
    let measured = measure(&WORKS, TIMES, |_| &folder);
    let _ = fs::remove_dir_all(&folder);
    let (files, changes) = (RECORDS / IN_A_FILE, RECORDS / CHANGE_EVERY);
    let openings = changes / 2 / OPEN_EVERY;
    let machine = machine().replace(&format!("{} runs", common::RUNS), &format!("{TIMES} runs"));
    let mut text = String::new();
    writeln!(
        text,
        "{RECORDS} records of a year in {files} compressed files, {size} MiB unpacked; {changes} of \
         them change rules, and {openings} rules exceed the baseline for a while. {machine}\n\n\
         | what | processor time | × parsing | peak memory |\n|---|---|---|---|"
    )
    .expect("memory");
    let mut parsing = None;
    for ((name, ..), Took { processor, memory, .. }) in WORKS.iter().zip(measured) {
        let of_parsing = *parsing.get_or_insert(processor.median);
        writeln!(
            text,
            "| {name} | {} | {:.2} | {:.0} MiB |",
            processor.seconds(),
            processor.median / of_parsing,
            memory.median,
        )
        .expect("memory");
    }
    page::tell(repository(), "docs/history.md", "history", &text);
}

fn worked(work: &str, folder: &Path, options: &[String]) -> i32 {
    if work == "parse" {
        let mut records = 0;
        for path in files(folder) {
            let mut text = Vec::new();
            let file = File::open(path).expect("the file is there");
            GzDecoder::new(file).read_to_end(&mut text).expect("it is what was written");
            let value: Value = serde_json::from_slice(&text).expect("it is what was written");
            records += black_box(value)["Records"].as_array().map_or(0, Vec::len);
        }
        i32::from(records != RECORDS)
    } else {
        let folder = folder.to_str().expect("a path in UTF-8");
        let history = ["sg-audit", "history", folder];
        let history = history.into_iter().chain(options.iter().map(String::as_str));
        i32::from(typo3_sg_auditor::cli::run(history.map(Into::into)))
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}
