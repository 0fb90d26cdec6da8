//! `evidence`: what is in the archive, and when there is none.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::*;
use crate::report::evidence::EVIDENCE_SCHEMA;
use crate::text::escape::hex;

const HOSTILE: &str = "<script>alert(1)</script>";

fn record(name: &str, time: &str, port: u16) -> Value {
    json!({
        "eventSource": "ec2.amazonaws.com", "eventName": name, "eventID": format!("{name}-{time}"),
        "eventTime": time, "awsRegion": "eu-central-1", "recipientAccountId": "123456789012",
        "sourceIPAddress": "198.51.100.7",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/alice"},
        "requestParameters": {"groupId": SHOP, "ipProtocol": "tcp", "fromPort": port,
            "toPort": port, "cidrIp": "0.0.0.0/0"},
        "responseElements": {"_return": true},
    })
}

fn rule(id: &str, port: u16, peer: &str, tags: Value) -> Value {
    json!({"GroupId": SHOP, "SecurityGroupRuleId": id, "IsEgress": false, "IpProtocol": "tcp",
        "FromPort": port, "ToPort": port, "CidrIpv4": peer, "Tags": tags})
}

/// Files of a shop, in a folder that is removed at the end of the test.
struct Inputs(PathBuf);

impl Inputs {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("sg-evidence-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let inputs = Self(folder);
        let (add, remove) = ("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress");
        // A day's silence is no gap, so there is a record on each.
        let daily =
            (1..=31).map(|day| record("RunInstances", &format!("2026-10-{day:02}T12:00:00Z"), 1));
        let changes = [
            record(add, "2026-08-01T08:00:00Z", 3306),
            record(remove, "2026-08-02T08:00:00Z", 3306),
            record(add, "2026-09-30T20:00:00Z", 22),
            record(remove, "2026-10-01T08:00:00Z", 22),
            record(add, "2026-10-20T08:00:00Z", 9200),
            // After the period.
            record(add, "2026-11-02T08:00:00Z", 6379),
        ];
        let records: Vec<Value> = changes.into_iter().chain(daily).collect();
        inputs.write("trail.json", &json!({"Records": records}).to_string());
        let held = json!([{"Key": "sg-audit:allow-until", "Value": "2026-10-20T16:00:00Z"},
            {"Key": "sg-audit:reason", "Value": format!("=load test {HOSTILE}")}]);
        let rules = [
            rule("sgr-1", 443, "0.0.0.0/0", json!([])),
            rule("sgr-2", 9200, "0.0.0.0/0", held),
            rule("sgr-3", 8000, "198.51.100.0/24", json!([])),
        ];
        let permission = |port: u16, cidr: &str| {
            json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port,
                "IpRanges": [{"CidrIp": cidr}]})
        };
        let permissions = [
            permission(443, "0.0.0.0/0"),
            permission(9200, "0.0.0.0/0"),
            permission(8000, "198.51.100.0/24"),
        ];
        let arn = format!("arn:aws:ec2:eu-central-1:123456789012:security-group/{SHOP}");
        let groups = json!({"SecurityGroups": [{"GroupId": SHOP, "GroupName": HOSTILE,
            "OwnerId": "123456789012", "VpcId": "vpc-1", "SecurityGroupArn": arn,
            "IpPermissions": permissions, "IpPermissionsEgress": []}]});
        inputs.write("groups.json", &groups.to_string());
        inputs.write("rules.json", &json!({"SecurityGroupRules": rules}).to_string());
        inputs.write(
            "site.yaml",
            &format!(
                "version: 1
name: our-site
ingress:
  - {{ name: HTTPS, protocol: tcp, ports: [443], peers: [anywhere], expected: true }}
egress:
  - {{ name: All traffic, protocol: all, peers: [anywhere] }}
exemptions:
  - {{ group: {SHOP}, direction: ingress, protocol: tcp, ports: [8000], peers: [198.51.100.0/24],
      reason: \"vendor migration, ticket 4711\", until: 2026-12-31 }}
  - {{ group: {SHOP}, direction: ingress, protocol: tcp, ports: [8001], peers: [198.51.100.0/24],
      reason: \"over since July\", until: 2026-07-31 }}
"
            ),
        );
        inputs
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    /// Packs October.
    fn packs(&self, name: &str, more: &[&str], at: DateTime<Utc>) -> Result<Answer, Vec<String>> {
        let [groups, rules, site, trail, output] =
            ["groups.json", "rules.json", "site.yaml", "trail.json", name].map(|it| self.path(it));
        let usual = [
            "sg-audit",
            "evidence",
            "--from",
            "2026-10-01",
            "--to",
            "2026-10-31",
            "--groups",
            &groups,
            "--groups",
            &rules,
            "--baseline",
            &site,
            "--output",
            &output,
            &trail,
        ];
        let arguments = Arguments::try_parse_from([&usual[..], more].concat()).unwrap();
        let answer = super::super::answer(&arguments.command, "no-program".as_ref(), PLAIN, at);
        answer.map_err(|error| error.lines())
    }

    /// The files of an archive, whose hashes are right.
    fn unpacked(&self, name: &str) -> BTreeMap<String, String> {
        let bytes = std::fs::read(self.0.join(name)).unwrap();
        let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut files = BTreeMap::new();
        for at in 0..archive.len() {
            let mut file = archive.by_index(at).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            files.insert(file.name().to_owned(), text);
        }
        let manifest = files.remove("MANIFEST.sha256").unwrap();
        let listed: BTreeMap<&str, &str> = manifest
            .lines()
            .map(|line| line.split_once("  ").unwrap())
            .map(|(hash, name)| (name, hash))
            .collect();
        assert!(listed.keys().eq(files.keys()), "{manifest}");
        for (name, text) in &files {
            assert_eq!(listed[name.as_str()], hex(&Sha256::digest(text)), "{name}");
        }
        files
    }
}

impl Drop for Inputs {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn evidence(files: &BTreeMap<String, String>) -> Value {
    let schema: Value = serde_json::from_str(EVIDENCE_SCHEMA).unwrap();
    let options = jsonschema::options().should_validate_formats(true);
    let value: Value = serde_json::from_str(&files["evidence.json"]).unwrap();
    let faults: Vec<String> =
        options.build(&schema).unwrap().iter_errors(&value).map(|it| it.to_string()).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    value
}

#[test]
fn the_archive_answers_what_an_audit_asks() {
    let inputs = Inputs::new("whole");
    let answer = inputs.packs("october.zip", &[], now()).unwrap();
    assert_eq!((answer.status, answer.notes.len()), (0, 0), "{answer:?}");
    let bytes = std::fs::read(inputs.path("october.zip")).unwrap();
    let printed = format!("{}  {}\n", hex(&Sha256::digest(&bytes)), inputs.path("october.zip"));
    assert_eq!(answer.out, printed);

    let files = inputs.unpacked("october.zip");
    let told = evidence(&files);
    assert_eq!((&told["as_of"], &told["partial"]), (&json!("2026-10-31T23:59:59Z"), &json!(false)));
    let coverage = &told["coverage"][0];
    assert_eq!((&coverage["groups_audited"], &coverage["gaps"]), (&json!(1), &json!([])));
    let [used, over] = &told["exemptions"].as_array().unwrap()[..] else { panic!("{told:#}") };
    assert_eq!(
        (&used["reason"], &used["active"], &used["rules"]),
        (&json!("vendor migration, ticket 4711"), &json!(true), &json!(1))
    );
    assert_eq!((&over["active"], &over["rules"]), (&json!(false), &json!(0)));
    let [hold] = &told["holds"].as_array().unwrap()[..] else { panic!("{told:#}") };
    assert_eq!(
        (&hold["until"], &hold["status"], &hold["opened_by"]),
        (&json!("2026-10-20T16:00:00Z"), &json!("open"), &json!("user/alice"))
    );
    let control = |name: &str| {
        let controls = told["controls"].as_array().unwrap();
        controls.iter().find(|it| it["control"] == name).unwrap().clone()
    };
    // SSH was open in the period and is not any more; 9200 is.
    let ssh = control("EC2.13");
    assert_eq!(
        (&ssh["findings"], &ssh["openings"], &ssh["open"]),
        (&json!(0), &json!(1), &json!(0))
    );
    let risky = control("EC2.19");
    assert_eq!(
        (&risky["findings"], &risky["openings"], &risky["open"]),
        (&json!(1), &json!(2), &json!(1))
    );
    assert_eq!(risky["groups"], json!([SHOP]));
    assert_eq!(control("EC2.14")["openings"], 0);

    // What was over before the period, or began after it, is not told.
    let history: Value = serde_json::from_str(&files["history.json"]).unwrap();
    let openings = history["openings"].as_array().unwrap();
    let mut ports: Vec<u64> =
        openings.iter().map(|it| it["rule"]["from_port"].as_u64().unwrap()).collect();
    ports.sort();
    assert_eq!(ports, [22, 9200]);
    assert!(files["baseline.yaml"].contains("name: our-site"));

    // The index leads to every other file, and what others wrote stays text, also in a spreadsheet.
    let index = &files["index.html"];
    for name in files.keys().filter(|name| *name != "index.html") {
        assert!(index.contains(&format!("href=\"{name}\"")), "{name}");
    }
    for text in files.iter().filter(|(name, _)| name.ends_with(".html")).map(|(_, text)| text) {
        assert!(!text.contains(HOSTILE) && text.contains("default-src 'none'"), "{text}");
    }
    assert!(files["holds.csv"].contains("\"'=load test "), "{}", files["holds.csv"]);
    assert_eq!(files["controls.csv"].lines().count(), 17);
    insta::assert_snapshot!("evidence_json", files["evidence.json"]);
    insta::assert_snapshot!("evidence_index", visible(index));
}

/// The text of a page, without the HTML tags.
fn visible(page: &str) -> String {
    let (_, body) = page.split_once("<body>").unwrap();
    let texts = body.split('<').filter(|element| !element.starts_with("script"));
    let texts = texts.filter_map(|element| element.split_once('>')).map(|(_, text)| text.trim());
    texts.filter(|text| !text.is_empty()).map(|text| format!("{text}\n")).collect()
}

#[test]
fn the_same_files_make_the_same_archive_later_too() {
    let inputs = Inputs::new("same");
    let later = now() + chrono::TimeDelta::days(30);
    inputs.packs("first.zip", &[], now()).unwrap();
    inputs.packs("second.zip", &[], later).unwrap();
    let bytes = |name: &str| std::fs::read(inputs.path(name)).unwrap();
    assert_eq!(bytes("first.zip"), bytes("second.zip"));
    // Evidence that somebody has is not replaced.
    let refused = inputs.packs("first.zip", &[], later).unwrap_err();
    assert!(refused[0].contains("first.zip is there already"), "{refused:?}");
    assert_eq!(bytes("first.zip"), bytes("second.zip"));
}

#[test]
fn what_nobody_watched_or_could_read_is_said() {
    let inputs = Inputs::new("partial");
    inputs.write("broken.json", "{\"Records\": [{\"eventName\"");
    let broken = inputs.path("broken.json");
    let answer = inputs.packs("partial.zip", &[&broken], now()).unwrap();
    assert_eq!(answer.status, NOT_AUDITED, "{answer:?}");
    let files = inputs.unpacked("partial.zip");
    let told = evidence(&files);
    assert_eq!(told["partial"], true);
    assert!(told["unread"][0].as_str().unwrap().contains("broken.json"), "{told:#}");
    assert!(files["index.html"].contains("Not everything could be read."));
    let report: Value = serde_json::from_str(&files["report.json"]).unwrap();
    assert_eq!(report["partial"], true);

    // A trail that was silent from the 10th to the 20th.
    let trail = std::fs::read_to_string(inputs.path("trail.json")).unwrap();
    let mut trail: Value = serde_json::from_str(&trail).unwrap();
    trail["Records"].as_array_mut().unwrap().retain(|record| {
        let time = record["eventTime"].as_str().unwrap();
        !("2026-10-10".."2026-10-20").contains(&time)
    });
    inputs.write("trail.json", &trail.to_string());
    let answer = inputs.packs("silent.zip", &[], now()).unwrap();
    assert!(answer.notes[0].contains("no record for 1 stretch of more than a day"), "{answer:?}");
    let told = evidence(&inputs.unpacked("silent.zip"));
    assert_eq!(told["coverage"][0]["watched_all_the_time"], false);
    assert_eq!(
        told["coverage"][0]["gaps"],
        json!([{"from": "2026-10-09T13:00:00Z", "until": "2026-10-20T08:00:00Z"}])
    );
}

#[test]
fn a_period_that_is_none_is_refused() {
    let inputs = Inputs::new("period");
    for more in [["--from", "2026-11-01"], ["--from", "2027-01-01"]] {
        let trail = inputs.path("trail.json");
        let groups = inputs.path("groups.json");
        let to = if more[1] == "2027-01-01" { "2027-01-31" } else { "2026-10-31" };
        let refused =
            answer(&[&["evidence", &trail, "--groups", &groups, "--to", to], &more[..]].concat());
        let refused = refused.unwrap_err();
        assert!(refused[0].contains("--from is the first day"), "{refused:?}");
    }
    for incomplete in [
        &["evidence", "--from", "2026-10-01", "--to", "2026-10-31", "trail.json"][..],
        &["evidence", "--to", "2026-10-31", "--groups", "groups.json", "trail.json"],
        &["evidence", "--from", "1.10.2026", "--to", "2026-10-31", "--groups", "g", "trail.json"],
    ] {
        let arguments = [&["sg-audit"], incomplete].concat();
        assert!(Arguments::try_parse_from(arguments).is_err(), "{incomplete:?}");
    }
    inputs.write("none.json", r#"{"SecurityGroups": []}"#);
    let (none, trail) = (inputs.path("none.json"), inputs.path("trail.json"));
    let period = ["--from", "2026-10-01", "--to", "2026-10-31"];
    let refused = answer(&[&["evidence", &trail, "--groups", &none], &period[..]].concat());
    assert!(refused.unwrap_err()[0].contains("there is no security group in it"));
}
